"""The number checker: its search against all matrices there are, and what it must find in a table."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest

from mer_lib.claims.blame import Blame, Repair, slips
from mer_lib.claims.counts import named_counts
from mer_lib.claims.joint import join
from mer_lib.claims.printed import ROUNDINGS, Interval, interval_of, read_number
from mer_lib.claims.problem import Problem
from mer_lib.claims.ranges import pooled_uar, uf1_range
from mer_lib.claims.reading import row_of
from mer_lib.claims.row import Cell, Row, solve
from mer_lib.claims.scores import confusion, exact, values
from mer_lib.claims.search import search
from mer_lib.claims.sentences import describe
from mer_lib.claims.shares import denominators, numerators
from mer_lib.claims.verdict import judge, table
from mer_lib.errors import ParameterError
from mer_lib.evaluation import metrics

UF1, UAR, ACC, PRECISION = (("uf1", None), ("uar", None), ("acc", None), ("macro_precision", None))
METRICS = (UF1, UAR, ACC, PRECISION, ("recall", 0), ("f1", 1), ("precision", 1))
Table = tuple[tuple[int, ...], tuple[int, ...]]


def all_tables(counts: tuple[int, ...]) -> set[Table]:
    """Right answers and false alarms of every confusion matrix with these row sums, written out one by one."""
    splits = [[s for s in itertools.product(range(n + 1), repeat=len(counts)) if sum(s) == n] for n in counts]
    found = set()
    for rows in itertools.product(*splits):
        columns = [sum(row[c] for row in rows) for c in range(len(counts))]
        right = tuple(rows[c][c] for c in range(len(counts)))
        found.add((right, tuple(total - tp for total, tp in zip(columns, right, strict=True))))
    return found


def as_set(found) -> set[Table]:
    return set(zip(map(tuple, found.tp.tolist()), map(tuple, found.fp.tolist()), strict=True))


# -- printed numbers --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_an_interval_holds_exactly_the_numbers_that_are_printed_so(rounding):
    ways = {
        "nearest": {"0.2", "0.3"},  # of a tie, both
        "half-up": {"0.3"},
        "half-even": {"0.2"},
        "truncated": {"0.2"},
        "any": {"0.2", "0.3"},
    }
    tie = Fraction(1, 4)
    assert {text for text in ("0.1", "0.2", "0.3") if tie in interval_of(text, rounding)} == ways[rounding]
    inside = {"truncated": (0.20, 0.299), "any": (0.15, 0.299)}.get(rounding, (0.151, 0.249))
    outside = {"truncated": (0.199, 0.3), "any": (0.149, 0.3)}.get(rounding, (0.149, 0.251))
    assert all(Fraction(str(value)) in interval_of("0.2", rounding) for value in inside)
    assert not any(Fraction(str(value)) in interval_of("0.2", rounding) for value in outside)


def test_percents_errors_and_bounds_are_read():
    assert interval_of("84.96%", "nearest") == interval_of("0.8496", "nearest")
    assert interval_of("0,86±0.002") == Interval(Fraction("0.858"), Fraction("0.862"))
    assert Fraction(9, 10) not in interval_of(">0.90")
    assert Fraction(1) in interval_of(">0.90")
    for wrong in ("84.96", "high", "", "0.9.1", "-0.2"):
        with pytest.raises(ParameterError, match="expected a share"):
            read_number(wrong)


def test_accuracies_are_multiples_of_a_count():
    for n, text in itertools.product((7, 83, 246), ("0.575", "0.5", "0.85", "0.33")):
        interval = interval_of(text)
        assert numerators(text, n) == [k for k in range(n + 1) if Fraction(k, n) in interval]
    assert numerators("0.575", 83) == []
    assert denominators("72.388%", range(130, 140)) == [134]


# -- one data set -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("counts", [(4, 3, 3), (5, 2, 4), (9, 6), (2, 2, 2, 2)])
def test_the_search_finds_what_all_matrices_hold(counts):
    tables = sorted(all_tables(counts))
    rng = np.random.default_rng(sum(counts))
    hits = 0
    for _ in range(25):
        tp, fp = tables[rng.integers(len(tables))]
        chosen = [METRICS[i] for i in rng.choice(len(METRICS), size=rng.integers(1, 4), replace=False)]
        shift = Fraction(int(rng.integers(-1, 2)), 400)  # now and then a number that may not exist
        printed = {m: f"{float(max(exact(m, counts, tp, fp) + shift, 0)):.{rng.integers(1, 4)}f}" for m in chosen}
        rounding = ROUNDINGS[rng.integers(len(ROUNDINGS))]
        asked = {m: (interval_of(text, rounding),) for m, text in printed.items() if float(text) <= 1}
        truth = {t for t in tables if all(exact(m, counts, *t) in i[0] for m, i in asked.items())}
        found = search(Problem.of(counts, asked))
        assert found.complete
        assert len(found) == len(as_set(found))
        assert as_set(found) == truth
        hits += len(truth) > 0
    assert hits > 5


def test_a_number_on_the_edge_is_decided_by_fractions():
    # Of (8, 8): recalls 1 and 1/8 make UAR 9/16 = 0.5625, a tie at three digits.
    for rounding, text, there in (
        ("half-up", "0.563", True),
        ("half-up", "0.562", False),
        ("half-even", "0.562", True),
        ("half-even", "0.563", False),
        ("nearest", "0.562", True),
        ("nearest", "0.563", True),
    ):
        found = search(Problem.of((8, 8), {UAR: (interval_of(text, rounding),)}))
        assert (len(found) > 0) is there


def test_all_tables_of_145_clips_by_another_way():
    # Every pair of UF1 and UAR of CASME II, without any of the search's bounds: TP by loops, FP by arrays.
    counts = (88, 32, 25)
    asked = {UF1: interval_of("0.7068", "nearest"), UAR: interval_of("0.7018", "nearest")}
    truth = set()
    for tp in itertools.product(range(50, 89), range(12, 33), range(8, 26)):
        if exact(UAR, counts, tp, (0, 0, 0)) not in asked[UAR]:
            continue
        missed = [n - t for n, t in zip(counts, tp, strict=True)]
        for first, second in itertools.product(range(sum(missed) + 1), repeat=2):
            fp = (first, second, sum(missed) - first - second)
            fits = all(0 <= f <= sum(missed) - m for f, m in zip(fp, missed, strict=True))
            if fits and exact(UF1, counts, tp, fp) in asked[UF1]:
                truth.add((tp, fp))
    found = search(Problem.of(counts, {metric: (interval,) for metric, interval in asked.items()}))
    inside = {t for t in as_set(found) if t[0][0] >= 50 and t[0][1] >= 12 and t[0][2] >= 8}
    assert inside == truth
    assert truth


def test_a_limit_is_said():
    problem = Problem.of((70, 51, 43), {UAR: (interval_of("0.7905"),)})
    whole = search(problem)
    cut = search(problem, limit=10)
    assert (len(cut), cut.complete, whole.complete) == (10, False, True)
    assert as_set(cut) < as_set(whole)
    assert not search(Problem.of((70, 51, 43), {UF1: (interval_of("0.7"),)}), work=1000).complete


def test_one_number_on_many_classes_is_decided_without_listing_all():
    counts = (32, 25, 63, 27, 99)
    found = search(Problem.of(counts, {UF1: (interval_of("0.424"),)}), limit=1)
    assert len(found) == 1
    assert not found.complete
    assert exact(UF1, counts, found.tp[0], found.fp[0]) in interval_of("0.424")


def test_ranges_of_uf1_are_those_of_all_matrices():
    for counts, text in (((5, 4, 3), "0.50"), ((6, 3, 2), "0.7"), ((4, 7), "0.6")):
        problem = Problem.of(counts, {UAR: (interval_of(text),)})
        fitting = [t for t in all_tables(counts) if exact(UAR, counts, *t) in interval_of(text)]
        every = [float(exact(UF1, counts, *t)) for t in fitting]
        assert uf1_range(problem) == pytest.approx((min(every), max(every)))


def test_scores_are_those_of_the_metrics():
    rng = np.random.default_rng(3)
    matrices = rng.integers(0, 20, (50, 3, 3))
    matrices[:, range(3), range(3)] += 1
    for matrix in matrices:
        counts = tuple(matrix.sum(axis=1).tolist())
        tp, fp = np.diag(matrix), matrix.sum(axis=0) - np.diag(matrix)
        rebuilt = confusion(counts, tp, fp)
        assert rebuilt.min() >= 0
        assert (rebuilt.sum(axis=1) == counts).all()
        assert (np.diag(rebuilt) == tp).all()
        assert (rebuilt.sum(axis=0) - np.diag(rebuilt) == fp).all()
        mine = [values(metric, counts, tp[None], fp[None])[0] for metric in (UF1, UAR, ACC)]
        assert mine == pytest.approx([float(exact(m, counts, tp, fp)) for m in (UF1, UAR, ACC)])
        f1, recall = metrics.f1_per_class(matrix), metrics.recall_per_class(matrix)
        assert mine == pytest.approx([f1.mean(), recall.mean(), np.trace(matrix) / matrix.sum()])
    with pytest.raises(ParameterError, match="no confusion matrix"):
        confusion((3, 3), (2, 2), (2, 0))  # both mistakes of the second class would be its own


def test_a_pooled_recall_lies_within_its_range_and_reaches_its_ends():
    parts, whole, text = ((4, 3, 2), (2, 4, 3)), (6, 7, 5), "0.6"
    fitting = [
        [tp for tp in itertools.product(*(range(n + 1) for n in c)) if exact(UAR, c, tp, tp) in interval_of(text)]
        for c in parts
    ]
    every = [float(exact(UAR, whole, tuple(np.add(a, b)), (0, 0, 0))) for a, b in itertools.product(*fitting)]
    problems = [Problem.of(counts, {UAR: (interval_of(text),)}) for counts in parts]
    assert pooled_uar(Problem.of(whole, {}), problems) == pytest.approx((min(every), max(every)))


# -- several data sets ------------------------------------------------------------------------------------------------


def test_joining_finds_every_pair_whose_sum_fits():
    parts, whole = ((4, 3, 2), (2, 4, 3)), (6, 7, 5)
    asked = {UF1: (interval_of("0.7"),), UAR: (interval_of("0.7"),)}
    found = [search(Problem.of(counts, asked)) for counts in parts]
    goal = {UF1: interval_of("0.69"), UAR: interval_of("0.71")}
    sets = [[t for t in all_tables(c) if all(exact(m, c, *t) in i[0] for m, i in asked.items())] for c in parts]
    truth = set()
    for one, other in itertools.product(*sets):
        tp, fp = (tuple(np.add(one[i], other[i]).tolist()) for i in (0, 1))
        if all(exact(metric, whole, tp, fp) in interval for metric, interval in goal.items()):
            truth.add((one, other))
    joined = join(Problem.of(whole, {m: (i,) for m, i in goal.items()}), found)
    both = {
        tuple((tuple(tp[p].tolist()), tuple(fp[p].tolist())) for p in (0, 1))
        for tp, fp in zip(joined.tp, joined.fp, strict=True)
    }
    assert joined.complete
    assert joined.number == len(truth) > 3
    assert both == truth


COUNTS = named_counts("megc2019")
TRUE = {"smic": ((50, 30, 25), (20, 20, 19)), "casme2": ((80, 24, 20), (10, 6, 5)), "samm": ((80, 15, 9), (14, 9, 6))}


def printed_row(**changed: str) -> Row:
    """A row that was printed from known matrices, some numbers of it exchanged: full_uf1="0.7"."""
    sets = {**TRUE, "full": tuple(tuple(np.sum([t[i] for t in TRUE.values()], axis=0).tolist()) for i in (0, 1))}
    printed = {
        Cell(name, metric[0]): f"{float(exact(metric, COUNTS[name].counts, *sets[name])):.4f}"
        for name in sets
        for metric in (UF1, UAR)
    }
    for cell, text in changed.items():
        printed[Cell(*cell.split("_"))] = text
    return row_of("a row", printed, COUNTS)


def test_the_matrices_behind_a_row_are_among_those_found():
    verdict = judge(printed_row())
    joined = verdict.solved.joined
    assert verdict.state == "possible"
    assert verdict.blame is None
    truth = np.array([TRUE[name][0] for name in verdict.row.parts])
    assert (joined.tp == truth).all(axis=(1, 2)).any()
    for name, matrix in verdict.example().items():
        assert tuple(matrix.sum(axis=1).tolist()) == COUNTS[name].counts
        for metric, score in (("uf1", metrics.f1_per_class(matrix)), ("uar", metrics.recall_per_class(matrix))):
            text = verdict.row.printed[Cell(name, metric)]
            assert Fraction(str(round(float(score.mean()), 12))) in interval_of(text)


def test_a_misprint_is_found_and_repaired():
    right = printed_row()
    cell = Cell("full", "uar")
    text = right.printed[cell]
    wrong = text[:2] + text[3] + text[2] + text[4:]
    verdict = judge(printed_row(full_uar=wrong))
    assert verdict.state == "impossible"
    assert (cell,) in verdict.blame.suspects
    assert f"uar on full: {text} (two digits transposed)" in [str(repair) for repair in verdict.repairs]
    found = table([verdict]).set_index(["dataset", "metric"])
    assert found.loc[("full", "uar"), "verdict"] == "impossible"
    assert found.loc[("full", "uar"), "why"] == verdict.why != ""


def test_swapped_cells_and_exchanged_axes_are_recognised():
    right = printed_row()
    swapped = printed_row(
        casme2_uf1=right.printed[Cell("casme2", "uar")], casme2_uar=right.printed[Cell("casme2", "uf1")]
    )
    assert "cells swapped" in [repair.kind for repair in judge(swapped).repairs]
    sets = {**TRUE, "full": tuple(tuple(np.sum([t[i] for t in TRUE.values()], axis=0).tolist()) for i in (0, 1))}
    precision = {f"{name}_uar": f"{float(exact(PRECISION, COUNTS[name].counts, *sets[name])):.4f}" for name in sets}
    verdict = judge(printed_row(**precision))
    assert verdict.state == "impossible"
    assert "macro precision" in [repair.kind for repair in verdict.repairs]


def test_data_sets_that_were_trained_apart_are_not_joined():
    wrong = printed_row(full_uar="0.7000")
    assert judge(wrong, with_repairs=False).state == "impossible"
    apart = row_of("apart", wrong.printed, COUNTS, whole=None)
    alone = [solve(apart.only(name)).state for name in COUNTS]
    assert (judge(apart).state == "possible") is all(state == "possible" for state in alone)
    assert apart.parts == ()


A, B, C, D = (Cell("smic", name) for name in ("uf1", "uar", "acc", "recall_surprise"))


@pytest.mark.parametrize(
    ("blamed", "certain", "said"),
    [
        (Blame((), (), ((A,),)), {A}, "wrong is uf1 on smic"),
        (Blame((), (), ((A,), (B,))), set(), "wrong is one of uf1 on smic, uar on smic"),
        (Blame((), (), ((A, B),)), {A, B}, "wrong are both uf1 on smic and uar on smic"),
        (Blame((), (A, B), ((A, B, C),)), {A, B, C}, "wrong are all of uf1 on smic, uar on smic and acc on smic"),
        (Blame((), (), ((A, B), (A, C))), {A}, "wrong is uf1 on smic and one of uar on smic, acc on smic"),
        (
            *(Blame((), (), ((A, B), (C, D))), set()),
            "two or more are wrong, for example uf1 on smic and uar on smic, one of 2 such pairs",
        ),
        (
            *(Blame((), (), ((A, B),), ((A, C),)), {A}),
            "wrong is uf1 on smic, and one or more others, for example uar on smic; 1 further pair was not decided",
        ),
        (
            *(Blame((), (), ((A, B),), ((C, D), (A, D))), set()),
            "two or more are wrong, for example uf1 on smic and uar on smic; 2 further pairs were not decided",
        ),
        (
            *(Blame((), (), ((A,), (B,)), ((C,),)), set()),
            "one or more are wrong, for example uf1 on smic or uar on smic; 1 further number was not decided",
        ),
        (Blame((), (), (), ((A,), (B,))), set(), "which is wrong was not decided"),
        (Blame((), (A,), (), ((A,),)), {A}, "wrong is uf1 on smic; whether more is wrong was not decided"),
        (Blame(()), set(), "three or more are wrong"),
        (Blame((), (C,)), {C}, "wrong is acc on smic, and three or more others"),
    ],
)
def test_nothing_is_called_wrong_for_certain_that_was_not_decided(blamed, certain, said):
    assert set(blamed.certain) == certain
    row = row_of("x", {A: "0.5", B: "0.5", Cell("casme2", "uf1"): "0.5"}, COUNTS)
    assert describe(row, blamed).split("; ", 1)[1] == said


def test_a_number_that_only_undecided_pairs_hold_is_undecided():
    blamed = Blame(("smic",), (), ((A, B),), ((A, C),))
    assert [blamed.verdict(cell) for cell in (A, B, C, D)] == [*["impossible"] * 2, "undecided", "contradicted"]
    # Without any explanation, those that exclude each other are impossible together, and no other is cleared.
    nothing = Blame(("smic",))
    assert [nothing.verdict(cell) for cell in (A, Cell("samm", "uf1"))] == ["impossible", "undecided"]


def test_a_row_that_leaves_nothing_to_a_part_of_which_little_is_printed_is_impossible():
    row = printed_row(samm_uar="0.9900", full_uar="0.3000")
    assert solve(row.without(Cell("smic", "uar"), Cell("casme2", "uar")), first=True).state == "impossible"


def test_what_is_left_undecided_is_kept(monkeypatch):
    from mer_lib.claims import blame as module

    row = printed_row(smic_uar="0.3000", samm_uar="0.9900")
    decided = judge(row, with_repairs=False).blame
    assert decided.certain
    assert not decided.undecided
    monkeypatch.setattr(module, "_PAIR_WORK", 0)
    given_up = judge(row, with_repairs=False).blame
    assert given_up.certain == ()
    assert set(given_up.undecided) >= set(decided.suspects)


def test_numbers_beside_one_that_no_count_gives_are_checked_as_well():
    printed = {A: "0.2000", B: "0.5280", C: "0.5790"}  # of 164: 94.96
    row = row_of("x", printed, COUNTS)
    blamed = judge(row, with_repairs=False).blame
    assert blamed.broken == (C,)
    assert all(len(cells) == 2 and C in cells for cells in blamed.suspects)
    assert {A, C} <= set(blamed.cells)


def test_a_range_is_named_only_where_the_printed_number_lies_outside():
    outside = judge(row_of("x", {A: "0.2000", B: "0.5280"}, COUNTS), with_repairs=False)
    assert outside.why.startswith(
        "no predictions give uf1 0.2000 with uar 0.5280 on smic (70/51/43 samples; uf1 would lie in 0.3880 to 0.5582)"
    )
    inside = row_of("x", {Cell("casme2", "uf1"): "0.8764", Cell("casme2", "uar"): "0.8681"}, COUNTS)
    assert "(88/32/25 samples; no attainable uf1 rounds to 0.8764)" in judge(inside, with_repairs=False).why


def test_data_sets_and_metrics_are_called_as_the_caller_says():
    verdict = judge(row_of("x", {A: "0.2000", B: "0.5280"}, COUNTS), with_repairs=False)
    assert verdict.reason(str.upper).startswith("no predictions give UF1 0.2000 with UAR 0.5280 on SMIC (")
    swapped, renamed = Repair("cells swapped", (A, B), ("0.1", "0.2")), Repair("macro precision", (B,), ("0.2",), (B,))
    assert swapped.text(str.upper) == "UF1 on SMIC: 0.1, UAR on SMIC: 0.2 (cells swapped)"
    assert renamed.text(str.upper) == "UAR on SMIC: macro precision, not UAR (UAR on SMIC being wrong besides)"


def test_slips_are_single_and_in_order():
    found = slips(read_number("0.7493"), 4)
    assert ("two digits transposed", "0.4793") in found
    assert ("one digit", "0.7443") in found
    texts = [text for _, text in found]
    assert len(set(texts)) == len(texts)
    assert "0.7493" not in texts
    assert ("last digits lost", "0.7344") in slips(read_number("0.734"), 4)
    assert [text[-1] for _, text in slips(read_number("84.95%"), 2)].count("%") == len(slips(read_number("84.95%"), 2))
