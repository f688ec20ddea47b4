"""Splits are by whole subjects, compared by qualified id, and hang on the set of samples alone."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import pandas as pd
import pytest
from pydantic import ValidationError
from sklearn.model_selection import LeaveOneGroupOut, StratifiedGroupKFold

from mer_lib.datasets import CLASSES, qualified_subjects
from mer_lib.errors import ParameterError
from mer_lib.evaluation.splits import Split, _strata, leave_one_subject_out, make_splits, subject_kfold
from mer_lib.evaluation.variant import SplitSpec, Variant
from tests.helpers import N_SUBJECTS, shuffled, toy, variant

LOSO_INNER = {"kind": "loso", "inner_fraction": 0.25}
KFOLD_INNER = {"kind": "kfold", "folds": 3, "inner_fraction": 0.25}
EVERY_KIND = pytest.mark.parametrize(
    "split", [{"kind": "loso"}, {"kind": "kfold", "folds": 3}, LOSO_INNER, KFOLD_INNER], ids=str
)


def splits_of(split: dict[str, object], *, seed: int = 0, model: str = "ststnet") -> list[Split]:
    return make_splits(variant(model, split=split), toy().samples, seed)


def subjects(sample_ids: tuple[str, ...]) -> set[str]:
    return {sample_id.rsplit("/", 1)[0] for sample_id in sample_ids}


def table(*rows: tuple[str, str, str, str]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["dataset", "subject", "clip", "label3"])
    return frame.assign(sample_id=frame["dataset"] + "/" + frame["subject"] + "/" + frame["clip"])


@EVERY_KIND
def test_sides_are_disjoint_by_subject_and_hold_every_sample(split: dict[str, object]) -> None:
    everything = set(toy().samples["sample_id"])
    for fold in splits_of(split):
        sides = (fold.train, fold.inner, fold.test)
        for first, second in combinations(sides, 2):
            assert not subjects(first) & subjects(second)
        assert Counter(sum(sides, ())) == Counter(everything)


@EVERY_KIND
def test_every_sample_is_tested_exactly_once(split: dict[str, object]) -> None:
    tested = Counter(sample_id for fold in splits_of(split) for sample_id in fold.test)
    assert tested == Counter(toy().samples["sample_id"])


@EVERY_KIND
def test_every_class_is_trained_on(split: dict[str, object]) -> None:
    label = toy().samples.set_index("sample_id")["label3"]
    for fold in splits_of(split):
        assert set(label[list(fold.train)]) == set(CLASSES)


@EVERY_KIND
def test_the_order_of_rows_and_the_run_do_not_matter(split: dict[str, object]) -> None:
    setting = variant(split=split)
    expected = make_splits(setting, toy().samples, 0)
    assert make_splits(setting, shuffled(toy()).samples, 0) == expected
    assert make_splits(setting, shuffled(toy(), seed=2).samples.reset_index(drop=True), 0) == expected
    for fold in expected:
        for side in (fold.train, fold.inner, fold.test):
            assert list(side) == sorted(side)


def test_leave_one_subject_out_is_scikit_learns_over_qualified_subjects() -> None:
    samples = toy().samples
    folds = leave_one_subject_out(samples)
    groups = qualified_subjects(samples)
    ids = samples["sample_id"].to_numpy()
    expected = [set(ids[test]) for _, test in LeaveOneGroupOut().split(ids, groups=groups)]
    assert len(folds) == N_SUBJECTS
    assert [set(fold.test) for fold in folds] == expected
    assert [fold.name for fold in folds] == sorted(set(groups))
    assert [fold.fold for fold in folds] == list(range(N_SUBJECTS))


def test_subjects_of_one_name_in_two_data_sets_are_two_subjects() -> None:
    rows = [(name, "01", f"c{i}", CLASSES[i]) for name in ("a", "b") for i in range(3)]
    first, second = leave_one_subject_out(table(*rows))
    assert subjects(first.test) == subjects(second.train) == {"a/01"}
    assert subjects(second.test) == {"b/01"}


def test_kfold_is_scikit_learns_over_qualified_subjects() -> None:
    samples = toy().samples.sort_values("sample_id")
    judge = StratifiedGroupKFold(4, shuffle=True, random_state=0)
    ids = samples["sample_id"].to_numpy()
    expected = [set(ids[test]) for _, test in judge.split(ids, samples["label3"], qualified_subjects(samples))]
    folds = subject_kfold(shuffled(toy()).samples, 4)
    assert [set(fold.test) for fold in folds] == expected
    assert [fold.name for fold in folds] == ["group 1", "group 2", "group 3", "group 4"]


@pytest.mark.parametrize("split", [LOSO_INNER, KFOLD_INNER], ids=str)
def test_inner_subjects_are_taken_from_training_and_leave_the_test_side_alone(split: dict[str, object]) -> None:
    outer = splits_of({**split, "inner_fraction": 0})
    for with_inner, without in zip(splits_of(split), outer, strict=True):
        assert with_inner.test == without.test
        assert set(with_inner.train) | set(with_inner.inner) == set(without.train)
        assert without.inner == ()
        assert 0 < len(with_inner.inner) < len(without.train) / 2


def test_inner_subjects_show_every_class_where_some_draw_of_them_does() -> None:
    label = toy().samples.set_index("sample_id")["label3"]
    for fold in splits_of(LOSO_INNER):
        assert set(label[list(fold.inner)]) == set(CLASSES)


def test_seeds_share_their_folds_and_differ_in_inner_subjects() -> None:
    first, second = splits_of(LOSO_INNER, seed=0), splits_of(LOSO_INNER, seed=1)
    assert [fold.test for fold in first] == [fold.test for fold in second]
    assert [fold.inner for fold in first] != [fold.inner for fold in second]
    assert splits_of(LOSO_INNER, seed=1) == second


def test_folds_draw_their_own_inner_subjects() -> None:
    assert len({tuple(subjects(fold.inner)) for fold in splits_of(LOSO_INNER)}) > 1


def test_methods_that_are_compared_learn_from_the_same_samples() -> None:
    assert splits_of(LOSO_INNER, model="ststnet") == splits_of(LOSO_INNER, model="dummy")


def test_too_few_subjects_are_an_error_that_says_what_to_do() -> None:
    one = table(*[("a", "01", f"c{i}", CLASSES[i]) for i in range(3)])
    with pytest.raises(ParameterError, match="expected at least 2 subjects, got 1"):
        leave_one_subject_out(one)
    with pytest.raises(ParameterError, match="expected at least 9 subjects, got 8; use fewer folds"):
        subject_kfold(toy().samples, 9)


def test_too_few_samples_for_inner_validation_are_an_error() -> None:
    rows = [("a", f"0{s}", f"c{i}", CLASSES[i]) for s in range(3) for i in range(3)]
    setting = variant(split={"kind": "loso", "inner_fraction": 0.2})
    with pytest.raises(ParameterError, match="fold a/00: inner_fraction 0.2 needs at least 5 training subjects"):
        make_splits(setting, table(*rows), 0)


@pytest.mark.filterwarnings("error")
def test_a_class_rarer_than_the_folds_is_split_too_and_trained_on_wherever_it_can_be() -> None:
    """Two people show surprise, with one sample each: each may be tested only while the other trains."""
    rows = [("a", f"{s:02d}", f"c{i}", CLASSES[i % 2]) for s in range(10) for i in range(6)]
    rows += [("a", f"{s:02d}", "rare", CLASSES[2]) for s in (3, 7)]
    setting = variant(split={"kind": "kfold", "folds": 5, "inner_fraction": 0.2})
    samples = table(*rows)
    label = samples.set_index("sample_id")["label3"]
    for seed in range(3):
        folds = make_splits(setting, samples, seed)
        assert sorted(name for fold in folds for name in fold.test) == sorted(samples["sample_id"])
        for fold in folds:
            assert set(label[list(fold.train)]) == set(CLASSES)
            assert fold.inner


@pytest.mark.parametrize(
    "spec",
    [
        {"kind": "loso", "folds": 3},
        {"kind": "kfold"},
        {"kind": "kfold", "folds": 1},
        {"inner_fraction": 0.6},
        {"inner_fraction": -0.1},
        {"kind": "random"},
        {"fold": 3},
    ],
    ids=str,
)
def test_impossible_splits_are_refused(spec: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SplitSpec.model_validate(spec)


def test_a_fraction_of_zero_holds_nobody_out() -> None:
    setting: Variant = variant(split={"kind": "loso", "inner_fraction": 0})
    assert all(fold.inner == () for fold in make_splits(setting, toy().samples, 0))


@pytest.mark.parametrize("counts", [(2, 3, 4, 20), (1, 1, 20), (4, 4, 4), (5, 6, 7), (1, 4, 4, 4, 30)])
def test_no_stratum_is_rarer_than_there_are_folds_unless_all_together_are(counts: tuple[int, ...]) -> None:
    labels = pd.Series([f"class {n}" for n, count in enumerate(counts) for _ in range(count)])
    sizes = _strata(labels, 5).value_counts()
    assert sizes.min() >= 5
    kept = [size for size in counts if size >= 5 and size in sizes.to_numpy()]
    assert len(kept) >= len([size for size in counts if size >= 5]) - 1
