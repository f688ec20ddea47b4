"""From thirty-two experiments to one clip: the overview, two variants side by side, and the menus of the drill."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from matplotlib.container import BarContainer
from matplotlib.figure import Figure

from mer_lib.datasets.clips import ClipDataset
from mer_lib.errors import ParameterError
from mer_lib.evaluation.metrics import score
from mer_lib.lab.drilling import EVERY, MISTAKES, ClipAt, Drill, FoldAt, VariantAt, variant_menus
from mer_lib.lab.overview import ALL, NOT_MEASURED, filters, overview, overview_table, what_is_here
from mer_lib.papers import paper_set, verdicts
from mer_lib.papers.answers import answers
from mer_lib.papers.entries import CELL_COLUMNS, EntryResult, PaperResults, no_cells, no_claims
from mer_lib.papers.measure import Measurement
from mer_lib.plots.one_clip import one_clip
from mer_lib.plots.two_variants import two_variants
from mer_lib.plots.verdict_bars import NO_VERDICT, verdict_bars, verdict_counts
from tests.helpers import some, take, toy

PRIOR, MACHINE = "class prior", "linear SVM"
NAME = "lab.first_comparison"


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Measurement:
    return take(some(NAME, PRIOR, MACHINE), tmp_path_factory.mktemp("store"), seeds=(0, 1))


def perfect(measurement: Measurement) -> Measurement:
    """The same where every answer is right."""
    frames = {}
    for key, frame in measurement.predictions.items():
        right = frame.copy()
        for number, name in enumerate(measurement.classes[key[0]]):
            right[f"p_{name}"] = (right["y_true"] == number).astype("float32")
        frames[key] = right
    return dataclasses.replace(measurement, predictions=frames)


def by_hand(measurement: Measurement, variant: str, seed: int) -> list[tuple[str, int, str, str, float]]:
    """(clip, fold, truth, answer, probability of the answer), read off row by row."""
    frame, classes = measurement.predictions[variant, "fixed"], measurement.classes[variant]
    found = []
    for row in frame[frame["seed"] == seed].to_dict("records"):
        answer = max(classes, key=lambda name: (row[f"p_{name}"], -classes.index(name)))
        found.append((row["sample_id"], row["fold"], classes[row["y_true"]], answer, row[f"p_{answer}"]))
    return found


def texts(figure: Figure) -> str:
    parts = [text.get_text() for ax in figure.axes for text in (*ax.texts, ax.title, *ax.get_yticklabels())]
    return " | ".join([*parts, figure.get_suptitle(), figure.get_supxlabel()])


# -- answers ----------------------------------------------------------------------------------------------------------


def test_answers_are_those_of_the_predictions_the_surest_mistake_first(measured: Measurement) -> None:
    table, expected = answers(measured, MACHINE, 1), by_hand(measured, MACHINE, 1)
    columns = ["sample_id", "fold", "truth", "predicted", "p_predicted"]
    assert set(table[columns].itertuples(index=False, name=None)) == set(expected)
    assert (table["wrong"] == (table["truth"] != table["predicted"])).all()
    wrong, right = table[table["wrong"]], table[~table["wrong"]]
    assert list(table["wrong"]) == sorted(table["wrong"], reverse=True)
    assert wrong["p_predicted"].is_monotonic_decreasing
    assert right["p_predicted"].is_monotonic_increasing


def test_answers_of_a_fold_are_its_part(measured: Measurement) -> None:
    table = answers(measured, MACHINE, 0)
    parts = [answers(measured, MACHINE, 0, fold) for fold in sorted(table["fold"].unique())]
    assert sum(map(len, parts)) == len(table) == len(toy().samples)
    assert all(part["fold"].nunique() == 1 for part in parts)


@pytest.mark.parametrize(
    ("variant", "seed", "words"), [("linear", 0, "did you mean 'linear SVM'"), (PRIOR, 5, "got '5'")]
)
def test_what_was_not_measured_has_no_answers(measured: Measurement, variant: str, seed: int, words: str) -> None:
    with pytest.raises(ParameterError, match=words):
        answers(measured, variant, seed)


# -- two variants -----------------------------------------------------------------------------------------------------


def test_two_variants_show_their_scores_their_difference_and_who_is_right_alone(measured: Measurement) -> None:
    figure = two_variants(measured, MACHINE, measured, PRIOR)
    means = {}
    for variant in (MACHINE, PRIOR):
        frame = measured.predictions[variant, "fixed"]
        means[variant] = np.mean([score(frame[frame["seed"] == seed]).uf1 for seed in (0, 1)])
    a, b = means[MACHINE], means[PRIOR]
    assert f"{a:.3f} and {b:.3f}: {a - b:+.3f}" in texts(figure)
    right = {v: {clip for clip, _, truth, answer, _ in by_hand(measured, v, 0) if truth == answer} for v in means}
    cells = [len(right[MACHINE] & right[PRIOR]), len(right[MACHINE] - right[PRIOR]), len(right[PRIOR] - right[MACHINE])]
    cells.append(len(toy().samples) - sum(cells))
    assert [int(text.get_text()) for text in figure.axes[1].texts] == cells
    assert "TOY DATA" in texts(figure)
    assert f"{len(toy().samples)} clips of 8 subjects" in texts(figure)


def test_a_variant_beside_itself_differs_by_nothing(measured: Measurement) -> None:
    assert texts(two_variants(measured, MACHINE, measured, MACHINE)).count(": 0.000") == 3


def test_variants_without_a_common_clip_are_refused(measured: Measurement) -> None:
    frames = {key: frame.assign(sample_id="other" + frame["sample_id"]) for key, frame in measured.predictions.items()}
    other = dataclasses.replace(measured, predictions=frames)
    with pytest.raises(ParameterError, match="expected clips that both were tested on"):
        two_variants(measured, MACHINE, other, PRIOR)


# -- one clip ---------------------------------------------------------------------------------------------------------


def test_a_clip_is_its_map_and_the_probabilities_of_its_classes(measured: Measurement) -> None:
    clip, fold, truth, answer, _ = next(row for row in by_hand(measured, MACHINE, 1) if row[2] != row[3])
    figure = one_clip(measured, MACHINE, 1, clip)
    *pictures, bars = figure.axes
    assert len(pictures) == 3
    for number, ax in enumerate(pictures):
        assert np.array_equal(ax.images[0].get_array(), toy().maps([clip])[0][..., number])
    frame = measured.predictions[MACHINE, "fixed"]
    row = frame[(frame["seed"] == 1) & (frame["sample_id"] == clip)].iloc[0]
    (container,) = (each for each in bars.containers if isinstance(each, BarContainer))
    shown = [bar.get_width() for bar in container]
    assert shown == pytest.approx([row[f"p_{name}"] for name in measured.classes[MACHINE]])
    assert f"{clip}: {truth}, taken for {answer}" in texts(figure)
    assert f"{truth} (true)" in texts(figure)
    assert f"seed 1, fold {fold} " in texts(figure)
    assert "TOY DATA" in texts(figure)


def test_where_there_are_frames_onset_and_apex_are_shown(measured: Measurement, smile: ClipDataset) -> None:
    clip = toy().samples["sample_id"].iloc[0]
    (source,) = smile.sources.values()
    samples = smile.samples.assign(
        sample_id=clip, **dict(zip(("dataset", "subject", "clip"), clip.split("/"), strict=True))
    )
    clips = dataclasses.replace(smile, samples=samples, sources={clip: source})
    dataset = dataclasses.replace(toy(), open_clips=lambda: clips)
    figure = one_clip(dataclasses.replace(measured, dataset=dataset), MACHINE, 0, clip)
    assert [ax.get_title() for ax in figure.axes[:2]] == ["onset", "apex"]
    onset, apex = (int(clips.samples[name].iloc[0]) - 1 for name in ("onset", "apex"))
    for ax, index in zip(figure.axes, (onset, apex), strict=False):
        assert np.array_equal(ax.images[0].get_array(), clips.frames(clip, [index])[0])
    assert len(figure.axes) == 6
    other = toy().samples["sample_id"].iloc[1]  # of which there are no frames
    assert len(one_clip(dataclasses.replace(measured, dataset=dataset), MACHINE, 0, other).axes) == 4


def test_a_clip_that_was_not_tested_is_refused(measured: Measurement) -> None:
    with pytest.raises(ParameterError, match="expected a clip that it was tested on, got 'a/b/c'"):
        one_clip(measured, MACHINE, 0, "a/b/c")


# -- menus ------------------------------------------------------------------------------------------------------------


def test_menus_lead_down_to_the_surest_mistake(measured: Measurement) -> None:
    drill = Drill({NAME: measured}, VariantAt(NAME, MACHINE))
    assert drill.fold.value == FoldAt(NAME, MACHINE, 0, 0)
    mistakes = [row for row in by_hand(measured, MACHINE, 0) if row[2] != row[3] and row[1] == 0]
    surest = max(mistakes, key=lambda row: row[4])
    assert len(drill.clip.options) == len(mistakes)
    assert drill.clip.value.sample_id == surest[0]
    assert f"{surest[2]}, taken for {surest[3]}" in drill.clip.label
    table = drill.table(drill.fold.value)
    assert list(table.data["clip"]) == [at.sample_id for _, at in drill.clip.options]
    assert "TOY DATA" in table.to_html()
    assert drill.picture(drill.clip.value).get_suptitle().startswith(surest[0])


def test_a_choice_above_renews_everything_below(measured: Measurement) -> None:
    drill = Drill({NAME: measured, "other": perfect(measured)}, VariantAt(NAME, MACHINE))
    drill.fold.index, drill.seed.value = 1, 1
    assert drill.fold.value == FoldAt(NAME, MACHINE, 1, 0)
    drill.variant.value = VariantAt(NAME, PRIOR)
    assert drill.clip.value[:3] == (NAME, PRIOR, 1)  # a seed that is still there stays chosen
    drill.experiment.value = "other"
    assert drill.fold.value == FoldAt("other", PRIOR, 1, 0)
    assert drill.clip.value is None
    with pytest.raises(ParameterError, match="choose 'all'"):
        drill.picture(drill.clip.value)
    drill.which.value = EVERY
    assert drill.clip.value.experiment == "other"
    drill.which.value = MISTAKES
    drill.experiment.value = NAME
    assert isinstance(drill.clip.value, ClipAt)
    assert drill.clip.value.experiment == NAME


def test_where_the_first_fold_has_no_mistake_all_of_its_clips_are_offered(measured: Measurement) -> None:
    drill = Drill({NAME: perfect(measured)})
    assert drill.which.value == EVERY
    assert "recognised" in drill.clip.label


def test_menus_begin_with_what_there_is(measured: Measurement) -> None:
    both = {NAME: measured, "other": measured}
    starts = {
        None: VariantAt(NAME, MACHINE),
        VariantAt("other", PRIOR): VariantAt("other", PRIOR),
        VariantAt("htnet.table2", PRIOR): VariantAt(NAME, PRIOR),
        VariantAt("htnet.table2", "HTNet"): VariantAt(NAME, MACHINE),
    }
    for start, expected in starts.items():
        experiment, variant = variant_menus(both, start, "a:")
        assert (experiment.value, variant.value) == (expected.experiment, expected)
    with pytest.raises(ParameterError, match="mer run papers"):
        variant_menus({})


# -- overview ---------------------------------------------------------------------------------------------------------


def cells(words: list[str], kind: str, value: float = np.nan) -> pd.DataFrame:
    rows = [{"experiment": "htnet.table4", "metric": "uf1", "unit": "fraction", "dataset": "full", "method": "",
             "variant": f"{n}x{n}", "verdict": word, "measured": value, "published": 0.5, "kind": kind}
            for n, word in enumerate(words, start=5)]  # fmt: skip
    return pd.DataFrame(rows, columns=list(CELL_COLUMNS))


@pytest.fixture
def results(measured: Measurement) -> PaperResults:
    entries = paper_set.paper_set()
    decided = cells([verdicts.SUPPORTED, verdicts.SUPPORTED, verdicts.NOISE], "real", 0.5)
    drawn = cells([verdicts.UNTESTABLE, ""], "synthetic", 0.4)
    found = [
        EntryResult(entries["htnet.table4"], "htnet.table4", decided, no_claims()),
        EntryResult(entries["capsulenet.fig5"], "capsulenet.fig5", drawn, no_claims()),
        EntryResult(entries["mfem_mffm.table2"], "mfem_mffm.table2", no_cells(), no_claims(), reason="no <clips> here"),
        EntryResult(None, NAME, no_cells(), no_claims(), measured, failures={"STSTNet": "not computed"}),
    ]
    return PaperResults("smoke", {result.id: result for result in found}, ("a rule",))


def listed(results: PaperResults, **chosen: str) -> list[str]:
    return list(overview(results, **chosen)["experiment"])


def test_every_experiment_has_a_line_and_a_reason_where_nothing_was_measured(results: PaperResults) -> None:
    table = overview(results).set_index("experiment")
    assert list(table.index) == ["htnet.table4", "capsulenet.fig5", "mfem_mffm.table2", NAME]
    assert table["data"].to_dict() == {
        "htnet.table4": "real", "capsulenet.fig5": "SYNTHETIC DATA", "mfem_mffm.table2": NOT_MEASURED, NAME: "TOY DATA",
    }  # fmt: skip
    assert table.loc["htnet.table4", "verdicts"].startswith("2 supported, 1 not distinguishable")
    assert table.loc["mfem_mffm.table2", "why not"] == "no <clips> here"
    assert "no &lt;clips&gt; here" in overview_table(results).to_html()
    assert "4 of 4 experiments, profile smoke" in overview_table(results).to_html()


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({"paper": "capsulenet"}, ["capsulenet.fig5"]),
        ({"verdict": verdicts.NOISE}, ["htnet.table4"]),
        ({"verdict": verdicts.CONTRADICTED}, []),
        ({"data": "synthetic"}, ["capsulenet.fig5"]),
        ({"data": NOT_MEASURED}, ["mfem_mffm.table2"]),
        ({"method": "htnet"}, ["htnet.table4", NAME]),
        ({"method": "capsulenet", "data": "synthetic"}, ["capsulenet.fig5"]),
        ({"method": "capsulenet", "data": "real"}, []),
        ({"paper": ALL}, ["htnet.table4", "capsulenet.fig5", "mfem_mffm.table2", NAME]),
    ],
)
def test_filters_leave_what_fits_all_of_them(
    results: PaperResults, chosen: dict[str, str], expected: list[str]
) -> None:
    assert listed(results, **chosen) == expected


def test_every_choice_of_every_menu_finds_something(results: PaperResults) -> None:
    for name, menu in filters(results).items():
        assert menu.value == ALL
        for index in range(len(menu.options)):
            menu.index = index
            assert listed(results, **{name: menu.value})
    assert [label for label, _ in filters(results)["paper"].options] == [
        ALL, "HTNet", "CapsuleNet", "MFEM+MFFM", "the laboratory",
    ]  # fmt: skip


def test_what_is_here_is_counted_and_what_is_missing_has_a_command(results: PaperResults) -> None:
    said = what_is_here(results, toy())
    assert "**2 of 3** published experiments" in said
    assert "so has 1 experiment of the laboratory" in said
    assert "Why others have none" in said
    assert "1 variant is not complete" in said
    assert f"`mer run papers {NAME} --profile smoke --data toy_flow`" in said


def test_a_command_names_what_is_not_complete_and_nothing_else(results: PaperResults, measured: Measurement) -> None:
    table1 = EntryResult(
        paper_set.paper_set()["htnet.table1"], "htnet.table1", no_cells(), no_claims(), reason="counted"
    )
    table4 = dataclasses.replace(results.entries["htnet.table4"], measurement=measured)
    lab = results.entries[NAME]

    def said(*found: EntryResult) -> str:
        return what_is_here(dataclasses.replace(results, entries={each.id: each for each in found}), toy())

    assert "`mer run lab.first_comparison --profile" in said(table1, table4, lab)
    assert "`mer run papers --profile" in said(dataclasses.replace(table4, measurement=None))
    complete = said(table1, table4, dataclasses.replace(lab, failures={}))
    assert "mer run" not in complete
    assert "not complete" not in complete
    unread = said(table4, EntryResult(None, "lab.peeking", no_cells(), no_claims(), reason="no clips are here"))
    assert unread.endswith(
        "your own. To compute what is missing: `mer run lab.peeking --profile smoke --data toy_flow`"
    )


def test_bars_hold_the_verdicts_of_numbers_and_claims(results: PaperResults) -> None:
    counts = verdict_counts(results)
    assert list(counts.index) == ["htnet.table4", "capsulenet.fig5", "mfem_mffm.table2"]
    assert counts.loc["htnet.table4"].sum() == 3
    assert counts.loc["htnet.table4", verdicts.SUPPORTED] == 2
    assert counts.loc["capsulenet.fig5", [verdicts.UNTESTABLE, NO_VERDICT]].tolist() == [1, 1]
    assert counts.loc["mfem_mffm.table2"].sum() == 0
    (ax,) = verdict_bars(results, "what was run", "synthetic").axes
    widths = {bars.get_label(): [bar.get_width() for bar in bars] for bars in ax.containers}
    assert widths[verdicts.SUPPORTED] == pytest.approx([2 / 3, 0, 0])
    assert [sum(each) for each in zip(*widths.values(), strict=True)] == pytest.approx([1, 1, 0])


def test_all_words_of_verdicts_have_a_colour() -> None:
    assert {*verdicts.VERDICTS, NO_VERDICT} == set(verdict_counts(PaperResults("smoke", {}, ())).columns)
