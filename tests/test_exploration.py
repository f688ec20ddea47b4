"""Each figure has two twins that show the same; what is shown is marked, and what cannot be shown is said."""

from __future__ import annotations

import inspect
import json
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from IPython.display import Markdown
from matplotlib.collections import PathCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from skimage.color import deltaE_ciede2000, rgb2lab

from mer_lib import datasets, lab
from mer_lib.datasets.collection import Collection, NothingToShow, gather
from mer_lib.errors import DataError, ParameterError
from mer_lib.plots.exploration import content, findings, interactive, look, printed, showing, tables
from mer_lib.plots.exploration.content import Content
from mer_lib.running.notebooks import notebook_folder
from tests import miniatures
from tests.helpers import toy
from tests.test_summaries import Stub, excluded, samples

FIGURES = sorted(interactive.__all__)
EMOTIONS = {
    "disgust": "negative",
    "anger": "negative",
    "happiness": "positive",
    "surprise": "surprise",
    "others": pd.NA,
}
UNITS = ("4+7", "4", "6+12", "1+2", "R12 or R14")
WITHOUT_A_TABLE_OF_BARS = ("apex_frames", "durations", "imbalance", "unit_frequencies", "unit_pairs")


class Filmed(Stub):
    """Samples with frames: the grey value of a picture is the number of its clip and 20 times that of its frame."""

    def frames(self, sample_id: str, indices: list[int]) -> np.ndarray:
        if sample_id.endswith("c004"):
            raise DataError("unreadable on purpose")
        grey = [int(sample_id[-3:]) + 20 * index for index in indices]
        return np.array(grey, np.uint8)[:, None, None, None].repeat(8, 1).repeat(6, 2).repeat(3, 3)

    def frame_numbers(self, sample_id: str) -> np.ndarray:
        apex = int(self.samples.set_index("sample_id").loc[sample_id, "apex"])
        return np.arange(apex - 5, apex + 5)


def rows(dataset: str, count: int, **facts: Any) -> list[dict[str, Any]]:
    """So many samples of five emotions and four subjects, all that can be known of them known."""
    found = []
    for at in range(count):
        emotion = list(EMOTIONS)[at % 5]
        known = {"dataset": dataset, "subject": f"{at % 4:02d}", "fps": 200, "onset": 10, "apex": 20 + at,
                 "offset": 70 + 2 * at, "emotion": emotion, "label3": EMOTIONS[emotion], "action_units": UNITS[at % 5],
                 "apex_source": "annotated", "n_frames": 100}  # fmt: skip
        found.append(known | facts)
    return found


def collection(kind: str = "real", **facts: Any) -> Collection:
    parts = [*rows("casme2", 20, **facts), *rows("samm", 10, **{"action_units": "12", **facts})]
    lost = excluded("casme2/09/c900", "samm/09/c901")
    return gather([Filmed(samples(*parts), kind=kind, has_frames=True, exclusions=lost)])[0]


@pytest.fixture(scope="module")
def twins() -> dict[str, tuple[go.Figure, Figure, Content]]:
    whole = collection()
    return {name: tuple(getattr(side, name)(whole) for side in (interactive, printed, content)) for name in FIGURES}


# -- twins ------------------------------------------------------------------------------------------------------------


def test_both_sides_and_their_content_have_the_same_names_and_arguments() -> None:
    assert sorted(printed.__all__) == FIGURES
    for name in FIGURES:
        one, other, shared = (getattr(side, name) for side in (interactive, printed, content))
        assert [str(p) for p in inspect.signature(one).parameters.values()] == [
            str(p) for p in inspect.signature(other).parameters.values()
        ]
        assert list(inspect.signature(one).parameters) == list(inspect.signature(shared).parameters)


def caption_of(figure: go.Figure | Figure) -> str:
    if isinstance(figure, Figure):
        return figure._supxlabel.get_text()
    return next(one.text for one in figure.layout.annotations if one.name == "caption").replace("<br>", "\n")


def title_of(figure: go.Figure | Figure) -> str:
    if isinstance(figure, go.Figure):
        return figure.layout.title.text.removeprefix("<b>").removesuffix("</b>")
    titles = [one.get_title().get_text() for one in figure.legends]
    return next((text for text in titles if text), figure._suptitle.get_text() if figure._suptitle else "")


@pytest.mark.parametrize("name", FIGURES)
def test_twins_have_the_title_and_the_caption_of_their_content(twins, name) -> None:
    screen, paper, shared = twins[name]
    assert title_of(screen) == title_of(paper) == shared.title
    assert caption_of(screen) == caption_of(paper) == shared.caption
    assert "CASME II 20, SAMM 10: 30 samples of 8 subjects; 2 more are excluded as faulty" in shared.caption


def bars_of(figure: go.Figure | Figure) -> list[float]:
    """Lengths of all bars, sorted; a horizontal bar is as long as it is wide."""
    if isinstance(figure, go.Figure):
        bars = [trace for trace in figure.data if trace.type == "bar"]
        found = [value for bar in bars for value in (bar.x if bar.orientation == "h" else bar.y)]
    else:
        patches = [p for ax in figure.axes for c in ax.containers for p in c.patches if isinstance(p, Rectangle)]
        wide = any(c.orientation == "horizontal" for ax in figure.axes for c in ax.containers)
        found = [p.get_width() if wide else p.get_height() for p in patches]
    return sorted(float(value) for value in found if value)


@pytest.mark.parametrize("name", [name for name in FIGURES if name not in WITHOUT_A_TABLE_OF_BARS])
def test_bars_of_both_twins_are_the_rows_of_the_table(twins, name) -> None:
    screen, paper, shared = twins[name]
    column = "subjects" if name == "subjects_by_samples" else "samples"
    assert bars_of(screen) == bars_of(paper) == sorted(float(value) for value in shared.table[column] if value)


def test_dots_of_both_twins_are_the_spans(twins) -> None:
    screen, paper, shared = twins["durations"]
    dots = [value for trace in screen.data if trace.mode == "markers" for value in trace.x]
    drawn = [value for ax in paper.axes for one in ax.collections if isinstance(one, PathCollection)
             for value in np.asarray(one.get_offsets())[:, 0]]  # fmt: skip
    assert sorted(dots) == sorted(drawn) == sorted(shared.table["ms"])
    places = [value for trace in screen.data if trace.mode == "markers" for value in trace.y]
    assert all(abs(place - round(place)) < look.DOT_ROOM for place in places)


def test_scores_of_the_guess_are_the_same_on_both_sides(twins) -> None:
    screen, paper, shared = twins["imbalance"]
    drawn = {line.get_label(): list(line.get_xdata()) for line in paper.axes[0].lines}
    for metric, mark in look.GUESS_MARKS.items():
        (trace,) = (one for one in screen.data if one.name == mark.label)
        assert list(trace.x) == drawn[mark.label] == shared.table[metric].tolist()


@pytest.mark.parametrize("name", ["unit_frequencies", "unit_pairs"])
def test_squares_are_the_same_on_both_sides(twins, name) -> None:
    screen, paper, _ = twins[name]
    images = [ax.images[0].get_array() for ax in paper.axes if ax.images]
    maps = [trace.z for trace in screen.data if trace.type == "heatmap"]
    assert len(maps) == len(images) > 0
    for one, other in zip(maps, images, strict=True):
        np.testing.assert_allclose(np.asarray(one, float), np.asarray(other, float))


def test_pictures_are_apex_frames_of_different_subjects_and_an_unreadable_one_is_passed_over(twins) -> None:
    screen, paper, shared = twins["apex_frames"]
    assert len(screen.data) == len([ax for ax in paper.axes if ax.images]) == len(shared.table)
    assert not shared.table["sample_id"].str.endswith("c004").any()
    assert not shared.table.duplicated(["group", "dataset", "subject"]).any()
    for sample_id, picture in shared.extra["pictures"].items():
        assert picture.shape == (200, 150, 3)
        assert np.all(picture == int(sample_id[-3:]) + 100)  # the apex is frame 5


def test_people_of_one_name_in_two_data_sets_are_shown_in_turn_and_others_by_another_seed() -> None:
    many = gather([Filmed(samples(*rows("casme2", 20), *rows("samm", 20)), has_frames=True)])[0]
    chosen = content.apex_frames(many, columns=8).table
    for _, names in chosen.groupby("group")["dataset"]:
        assert set(names[:2]) == set(names[2:4]) == {"casme2", "samm"}
    assert chosen.groupby("group").size().max() == 8
    assert list(content.apex_frames(many, columns=8, seed=1).table["sample_id"]) != list(chosen["sample_id"])


def test_medians_and_the_limit_of_half_a_second_stand_where_they_belong(twins) -> None:
    screen, paper, shared = twins["durations"]
    medians = sorted(shared.table.groupby(["dataset", "span"])["ms"].median())
    assert sorted(x for trace in screen.data if trace.mode == "lines" for x in set(trace.x)) == medians
    lines = [set(line.get_xdata()) for ax in paper.axes for line in ax.lines]
    assert sorted(x for found in lines for x in found) == sorted([*medians, 500])
    screen, paper, shared = twins["apex_position"]
    assert shared.extra["medians"] == pytest.approx(
        {part: group["position"].median() for part, group in places().groupby("dataset")}
    )
    upright = sorted([*shared.extra["medians"].values(), 0.5, 0.5])
    assert sorted(shape.x0 for shape in screen.layout.shapes) == upright
    assert sorted(line.get_xdata()[0] for ax in paper.axes for line in ax.lines) == upright


def places() -> pd.DataFrame:
    table = collection().samples
    return table.assign(position=(table["apex"] - table["onset"]) / (table["offset"] - table["onset"]))


def test_stacked_bars_stand_on_each_other(twins) -> None:
    for name, side in (("classes_by_subject", "y"), ("apex_position", "y"), ("label_rules", "x")):
        _, paper, shared = twins[name]
        bars = [bar for ax in paper.axes for group in ax.containers for bar in group]
        ends = [bar.get_y() + bar.get_height() if side == "y" else bar.get_x() + bar.get_width() for bar in bars]
        key = {"classes_by_subject": "rank", "apex_position": "tenth", "label_rules": "emotion"}[name]
        assert max(ends) == shared.table.groupby(["dataset", key])["samples"].sum().max()


def test_an_emotion_with_two_outcomes_is_one_bar_of_two_pieces() -> None:
    partly = gather([Stub(samples(*rows("casme2", 3, emotion="disgust"), *rows("casme2", 2, emotion="disgust",
                                                                              subject="07", apex=10)))])[0]  # fmt: skip
    (ax,) = printed.label_rules(partly, "megc2019").axes
    assert [(bar.get_x(), bar.get_width()) for group in ax.containers for bar in group] == [(0, 3), (3, 2)]
    assert "3 → negative, 2 dropped" in {text.get_text() for text in ax.texts}
    assert tables.rule_counts(partly).data["here"].iloc[0] == "3 / 0 / 0, 3 subjects"


def test_dots_are_spread_where_they_are_alike_on_their_own_axis() -> None:
    values = pd.Series([10.0, 20.0, 10000.0])
    table = pd.DataFrame({"dataset": "own", "ms": values, "span": look.LONG_SPAN})
    assert look.dots(table, look.LONG_SPAN, ["own"])["place"].tolist() == [0, 0, 0]
    short = look.dots(table.assign(span="onset to apex"), "onset to apex", ["own"])["place"]
    assert short.nunique() == 2


@pytest.mark.parametrize(("count", "panels"), [(1, (1, 1)), (4, (1, 4)), (5, (2, 4)), (8, (2, 4)), (9, (3, 4))])
def test_panels_fill_a_row_before_the_next(count, panels) -> None:
    assert look.grid(count) == panels


def test_captions_name_the_data_sets_that_lack_units_alone() -> None:
    assert "without a sure action unit: CASME II 4\n" in content.unit_frequencies(collection()).caption + "\n"


def test_bars_of_tenths_cover_their_tenth(twins) -> None:
    screen, paper, _ = twins["apex_position"]
    drawn = {round(bar.get_x() + bar.get_width() / 2, 6) for ax in paper.axes for c in ax.containers for bar in c}
    assert drawn == {round(0.05 + step / 10, 6) for step in range(10)}
    assert {round(x, 6) for trace in screen.data for x in trace.x} == drawn


def test_label_rules_say_in_words_what_is_dropped(twins) -> None:
    screen, paper, _ = twins["label_rules"]
    words = {"4 → negative", "4 dropped", "4 → positive", "2 → surprise"}
    assert words <= {one.text for one in screen.layout.annotations}
    assert words <= {text.get_text() for ax in paper.axes for text in ax.texts}
    assert any(bar.get_hatch() for ax in paper.axes for c in ax.containers for bar in c)


def test_every_axis_that_counts_has_a_name(twins) -> None:
    for name in set(FIGURES) - {"apex_frames"}:
        screen, paper, _ = twins[name]
        said = [ax.get_xlabel() for ax in paper.axes] + [ax.get_ylabel() for ax in paper.axes]
        named = [axis.title.text for axis in (*screen.select_xaxes(), *screen.select_yaxes())]
        assert any(said), name
        assert any(named), name


# -- marks, colours, letters ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FIGURES)
def test_synthetic_data_are_marked_on_both_sides_and_real_ones_are_not(twins, name) -> None:
    drawn = collection("synthetic")
    for side, real in zip((interactive, printed), twins[name], strict=False):
        figure = getattr(side, name)(drawn)
        assert caption_of(figure).startswith("SYNTHETIC DATA · ")
        assert "SYNTHETIC" not in caption_of(real)
        assert large_mark(figure) == (name != "apex_frames")
        assert not large_mark(real)


def large_mark(figure: go.Figure | Figure) -> bool:
    if isinstance(figure, Figure):
        return any(text.get_text() == "SYNTHETIC DATA" for text in figure.texts)
    return any(one.name == "mark" for one in figure.layout.annotations)


# Machado, Oliveira, Fernandes 2009: what people without one kind of cone see of linear RGB.
SEEN_BY = {
    "everybody": np.eye(3),
    "deuteranopia": np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                              [-0.01182, 0.04294, 0.968881]]),
    "protanopia": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                            [-0.003882, -0.048116, 1.051998]]),
    "tritanopia": np.array([[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
                            [0.004733, 0.691367, 0.3039]]),
}  # fmt: skip


@pytest.mark.parametrize("eyes", SEEN_BY)
def test_any_two_emotions_keep_apart(eyes) -> None:
    names = list(look.EMOTION_COLOURS)
    linear = np.array([to_rgb(look.colour_of(name)) for name in names]) ** 2.2
    seen = np.clip(linear @ SEEN_BY[eyes].T, 0, 1) ** (1 / 2.2)
    places = dict(zip(names, rgb2lab(seen[None])[0], strict=True))
    for one, other in combinations(names, 2):
        assert deltaE_ciede2000(places[one], places[other]) > 9, (one, other)


def test_a_word_has_one_colour_also_where_no_list_knows_it() -> None:
    assert look.colour_of("boredom") == look.colour_of("boredom") != look.BLANK_COLOUR
    assert look.colour_of("surprise") == look.EMOTION_COLOURS["surprise"]


def test_captions_break_into_lines_that_fit_and_keep_their_own() -> None:
    text = look.wrapped("word " * 60 + "\nsecond")
    assert all(len(line) <= look.CAPTION_WIDTH for line in text.splitlines())
    assert text.splitlines()[-1] == "second"


@pytest.mark.parametrize("values", [[], [3.0], [3.0] * 50, list(range(50)), [0.0, 1e9]])
def test_dots_stay_in_their_row_and_two_of_one_value_do_not_cover_each_other(values) -> None:
    places = look.spread(values)
    assert len(places) == len(values)
    assert np.all(np.abs(places) <= 1)
    if len(set(values)) == 1:
        assert len(set(places)) == len(values)


# -- what cannot be shown ---------------------------------------------------------------------------------------------

NEEDS = {
    "apex_frames": "no images", "apex_position": "no annotated apex", "durations": "no frame numbers",
    "emotions": "no emotions", "label_rules": "no emotions", "unit_frequencies": "no action units",
    "unit_pairs": "no action units",
}  # fmt: skip


@pytest.mark.parametrize("name", FIGURES)
def test_flow_maps_show_classes_and_subjects_and_say_what_the_rest_lacks(name) -> None:
    (maps,) = gather([toy()])
    for side in (interactive, printed):
        if name not in NEEDS:
            getattr(side, name)(maps)
            continue
        with pytest.raises(NothingToShow, match=f"only flow maps are here, with {NEEDS[name]}"):
            getattr(side, name)(maps)


@pytest.mark.parametrize("name", ["classes_by_dataset", "imbalance", "subjects_by_samples"])
def test_clips_without_a_class_say_so(name) -> None:
    with pytest.raises(NothingToShow, match="CASME II has no classes"):
        getattr(interactive, name)(gather([Stub(samples({}, {}))])[0])


def test_a_data_set_without_an_apex_stays_in_the_figure_and_is_named() -> None:
    mixed = gather([Stub(samples(*rows("casme2", 5), *rows("smic", 5, apex=pd.NA, fps=100)))])[0]
    assert "not shown: SMIC-HS (no annotated apex)" in caption_of(printed.apex_position(mixed)).replace("\n", " ")
    texts = [text.get_text() for ax in printed.durations(mixed).axes for text in ax.texts]
    assert "no apex annotated" in texts
    assert "no apex annotated" in [one.text for one in interactive.durations(mixed).layout.annotations]


def test_samples_that_are_not_drawn_are_counted() -> None:
    some = gather([Stub(samples(*rows("casme2", 6), *rows("casme2", 2, apex=pd.NA, subject="05")))])[0]
    assert "not drawn for lack of an onset, apex or offset: CASME II 2" in content.apex_position(some).caption


@pytest.mark.parametrize(("options", "words"), [({"by": "gender"}, "label3, emotion"), ({"columns": 0}, "at least 1")])
def test_a_montage_of_something_else_is_refused(options, words) -> None:
    with pytest.raises(ParameterError, match=words):
        interactive.apex_frames(collection(), **options)


def test_a_picture_whose_number_no_frame_has_is_passed_over() -> None:
    class Cut(Filmed):
        def frame_numbers(self, sample_id: str) -> np.ndarray:
            return (
                super().frame_numbers(sample_id)[:5] if sample_id.endswith("c000") else super().frame_numbers(sample_id)
            )

    (cut,) = gather([Cut(samples(*rows("casme2", 3)), has_frames=True)])
    assert set(content.apex_frames(cut).table["sample_id"].str[-4:]) == {"c001", "c002"}


def test_a_grey_picture_has_three_channels() -> None:
    class Grey(Filmed):
        def frames(self, sample_id: str, indices: list[int]) -> np.ndarray:
            return super().frames(sample_id, indices)[..., 0]

    (grey,) = gather([Grey(samples(*rows("casme2", 3)), has_frames=True)])
    assert all(one.shape == (200, 150, 3) for one in content.apex_frames(grey).extra["pictures"].values())


def test_label_sets_are_drawn_by_name_and_an_unknown_one_is_named() -> None:
    shown = content.label_rules(collection(), "casme2_five")
    assert shown.parts == ("casme2",)
    assert "20 of 20 samples keep a class" not in shown.caption  # anger is no class of CASME II
    assert set(shown.table.loc[shown.table["emotion"] == "anger", "outcome"]) == {"dropped"}
    with pytest.raises(ParameterError, match="did you mean 'casme2_five'"):
        content.label_rules(collection(), "casme2_fiv")


# -- anybody's own clips ----------------------------------------------------------------------------------------------


def own(count: int = 5, **facts: Any) -> Collection:
    return gather([Filmed(samples(*rows("own", count, **facts)), has_frames=True)])[0]


@pytest.mark.parametrize("facts", [{"apex": pd.NA}, {"label3": pd.NA}])
def test_images_that_nothing_is_known_of_are_not_said_to_be_absent(facts) -> None:
    with pytest.raises(NothingToShow, match="own has no image of an apex of a known class"):
        content.apex_frames(own(**facts))
    mixed = gather([own().sources["own"], Filmed(samples(*rows("smic", 5, **facts)), has_frames=True)])[0]
    assert "not shown: SMIC-HS (no image of an apex of a known class)" in content.apex_frames(mixed).caption
    without = gather([own().sources["own"], Stub(samples(*rows("smic", 5)))])[0]
    assert "not shown: SMIC-HS (no images)" in content.apex_frames(without).caption


@pytest.mark.parametrize("side", [interactive, printed])
def test_an_apex_without_an_offset_is_drawn(side) -> None:
    some = own(offset=pd.NA)
    side.durations(some)
    side.apex_frames(some)
    assert "lack of a frame number or a frame rate (onset to offset)" not in content.durations(some).caption
    with pytest.raises(NothingToShow, match="own has no apex with an onset and an offset"):
        side.apex_position(some)


def test_frame_numbers_without_a_rate_are_named() -> None:
    with pytest.raises(NothingToShow, match="own has no frame rate, or no two frame numbers"):
        content.durations(own(fps=pd.NA))


def test_an_apex_on_every_onset_leaves_an_axis_in_milliseconds() -> None:
    at_once = own(apex=10)
    assert interactive.durations(at_once).layout.xaxis.range == (0, look.SHORTEST_AXIS)
    assert printed.durations(at_once).axes[0].get_xlim() == (0, look.SHORTEST_AXIS)


@pytest.mark.parametrize("name", [name for name in FIGURES if name not in ("apex_frames", "unit_frequencies")])
def test_axes_that_count_have_whole_numbers(name) -> None:
    few = own(1, emotion="happiness", label3="positive")
    for ax in getattr(printed, name)(few).axes:
        named = {"samples": ax.yaxis, "subjects": ax.yaxis}.get(ax.get_ylabel())
        named = named or {"samples": ax.xaxis}.get(ax.get_xlabel())
        assert named is None or all(float(tick).is_integer() for tick in named.get_majorticklocs())
    screen = getattr(interactive, name)(few)
    for axis in (*screen.select_xaxes(), *screen.select_yaxes()):
        assert axis.title.text not in ("samples", "subjects") or axis.dtick == 1


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", FIGURES)
def test_long_names_fit_and_signs_are_no_formulas(name) -> None:
    endless, formula = "who_" * 20, r"$\frac$"
    odd = gather(
        [Filmed(samples(*rows("own_" * 20, 3, subject=endless), *rows("own_" * 20, 3, subject=formula, emotion=endless),
                        *rows("own_" * 20, 3, emotion=formula)), has_frames=True)]
    )[0]  # fmt: skip
    paper, screen = getattr(printed, name)(odd), getattr(interactive, name)(odd)
    for ax in paper.axes:
        texts = [ax.get_title(), *(one.get_text() for one in (*ax.get_xticklabels(), *ax.get_yticklabels()))]
        assert all(len(text) <= look.PICTURE_LETTERS + 8 for text in texts)
    for one in screen.layout.annotations:
        assert one.name == "caption" or len(one.text) < 60
    for axis in (*screen.select_xaxes(), *screen.select_yaxes()):
        assert all(len(text) < 40 for text in axis.ticktext or ())


def test_names_beside_an_axis_have_room() -> None:
    wordy = own(emotion="some longer word")
    for name in ("emotions", "label_rules", "unit_frequencies"):
        assert getattr(interactive, name)(wordy).layout.margin.l >= 170, name


def test_scores_that_are_the_same_do_not_hide_each_other() -> None:
    sizes = [mark.size for mark in look.GUESS_MARKS.values()]
    assert sizes == sorted(set(sizes), reverse=True)
    one_class = own(label3="positive")
    assert "no other class" in printed.imbalance(one_class).axes[0].texts[0].get_text()


def test_classes_that_are_equally_common_are_not_compared() -> None:
    even = gather([Stub(samples({"label3": "positive"}, {"label3": "surprise"}))])[0]
    row = content.imbalance(even).table.iloc[0]
    assert (row["commonest"], row["rarest"]) == ("positive", "surprise")
    assert findings.classes_by_dataset(even) == ""


def test_sentences_are_true_of_small_data() -> None:
    partly = gather([Stub(samples({"label3": "positive"}, {"label3": "surprise"}, {}))])[0]
    assert "right in 50 % of all samples that have a class, and" in findings.imbalance(partly)
    assert "right in 100 % of all samples, and" in findings.imbalance(own(1))
    assert findings.classes_by_subject(partly) == "**See:** all of CASME II comes from one subject."
    everything = gather([Stub(samples(*({"label3": name} for name in datasets.CLASSES)))])[0]
    assert findings.subjects_by_samples(everything) == (
        "**See:** 0 of 1 subject show one class only, 1 shows all."
    )  # an average over subjects loses nothing here
    assert "1 of 2 subjects shows one class only, 0 show all. If" in findings.subjects_by_samples(
        gather(
            [Stub(samples({"label3": "positive"}, *({"label3": n, "subject": "s2"} for n in datasets.CLASSES[:2])))]
        )[0]
    )
    slow = gather([Stub(samples({"onset": 0, "offset": 3, "fps": 2}, {"onset": 0, "offset": 1, "fps": 2}))])[0]
    assert "1 of 2 samples of CASME II lasts longer than half a second (the longest 1.5 s)" in findings.durations(slow)
    assert "1 of its 1 emotion has fewer than 10 samples" in findings.emotions(own(1))


def test_tables_show_signs_of_a_markup_language_as_they_are() -> None:
    lost = pd.DataFrame({"sample_id": ["own/a/b"], "reason": ["got <b>nothing</b>"]}, dtype="string")
    whole = gather([Stub(samples({"dataset": "own"}), exclusions=lost)])[0]
    assert "got &lt;b&gt;nothing&lt;/b&gt;" in tables.exclusions(whole).to_html()


# -- in a notebook ----------------------------------------------------------------------------------------------------


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    items: list[Any] = []
    monkeypatch.setattr(showing, "display", lambda item, **options: items.append(item))
    return items


def said(items: list[Any]) -> str:
    return "\n".join(item.data for item in items if isinstance(item, Markdown))


def test_a_notebook_stores_the_figure_and_its_twin_and_fetches_nothing() -> None:
    bundle = showing.bundle("classes_by_dataset", collection())
    assert set(bundle) == {"application/vnd.plotly.v1+json", "text/html", "text/plain"}
    assert bundle["text/html"].startswith("<img alt=")
    stored = json.dumps(bundle)
    assert "cdn" not in stored
    assert "<script" not in stored
    assert len(stored) < 300_000


def test_each_kind_of_data_has_its_own_figure_and_sentence(shown) -> None:
    both = [collection(), collection("synthetic")]
    showing.Exploration([], both).show("imbalance")
    figures = [item for item in shown if isinstance(item, dict)]
    assert ["SYNTHETIC" in json.dumps(one["application/vnd.plotly.v1+json"]) for one in figures] == [False, True]
    assert said(shown).count("who always says *negative*") == 2
    assert said(shown).splitlines()[1].startswith("SYNTHETIC DATA · **See:**")


def test_an_unknown_figure_or_table_is_named() -> None:
    empty = showing.Exploration([], [])
    with pytest.raises(ParameterError, match="did you mean 'durations'"):
        empty.show("duration")
    with pytest.raises(ParameterError, match="did you mean 'overview'"):
        empty.table("overviews")


def test_the_label_sets_that_fit_are_shown_and_the_own_classes_where_none_fits(shown) -> None:
    showing.Exploration([], [collection()]).label_rules()
    titles = [item["application/vnd.plotly.v1+json"]["layout"]["title"]["text"] for item in shown]
    assert [title.split(": ")[1].removesuffix("</b>") for title in titles] == [
        "Three classes, MEGC2019", "Five classes, CASME II", "Five classes, SAMM",
    ]  # fmt: skip
    shown.clear()
    own = gather([Stub(samples(*rows("my_clips", 5)))])
    showing.Exploration([], own).label_rules()
    assert "the classes of this data set" in json.dumps(shown[0])


@pytest.mark.parametrize("name", FIGURES)
def test_sentences_are_computed_and_none_breaks_where_nothing_is_known(name) -> None:
    assert isinstance(findings.found(name, collection()), str)
    assert isinstance(findings.found(name, gather([toy()])[0]), str)


def test_sentences_count_what_lies_on_a_limit() -> None:
    whole = collection()
    assert "half of the 20 samples of CASME II come from 2 of 4 subjects (the first has 25 %)" in (
        findings.classes_by_subject(whole)
    )
    assert "all together" not in findings.classes_by_dataset(whole)
    exact = gather([Stub(samples({"onset": 0, "offset": 100, "fps": 200}))])[0]
    assert "none of 1 sample of CASME II last longer" in findings.durations(exact)
    assert "fewer than 10" not in findings.emotions(own(10, emotion="fear"))
    mixed = samples({"label3": "positive"}, *({"dataset": "samm", "subject": "006", "label3": "surprise"},) * 3)
    assert "always says *surprise* is right in 75 %" in findings.imbalance(gather([Stub(mixed)])[0])
    coded = [("fear", "4+7+1"), ("fear", "4+7"), *[("anger", "4")] * 4, ("anger", "7"), ("disgust", "4")]
    table = samples(*({"emotion": emotion, "action_units": units} for emotion, units in coded))
    units = findings.unit_frequencies(gather([Stub(table)])[0])
    assert "disgust AU 4 (100 %), anger AU 4 (80 %), fear AU 4 (100 %)" in units
    assert "share AU 4 (brow lowerer, 3 emotions)" in units
    assert "AU 7" not in units  # of two emotions alone
    assert "fear 4 + 7 (100 %)" in findings.unit_pairs(gather([Stub(table)])[0])


def test_a_unit_of_exactly_a_fifth_of_the_samples_is_shared() -> None:
    coded = [(name, units) for name in ("fear", "anger", "disgust") for units in ("9", *["4"] * 4)]
    table = samples(*({"emotion": emotion, "action_units": units} for emotion, units in coded))
    assert "AU 9 (nose wrinkler, 3 emotions)" in findings.unit_frequencies(gather([Stub(table)])[0])


def test_sentences_hold_the_right_numbers() -> None:
    whole = collection().only("casme2")
    assert "in CASME II *negative* is 2.0 times as common as *positive*" in findings.classes_by_dataset(whole)
    assert "0 of 4 subjects show one class only, 4 show all" in findings.subjects_by_samples(whole)
    assert "none of 20 samples of CASME II last longer than half a second (the longest 490 ms)" in findings.durations(
        whole
    )
    one = gather([Stub(samples({"onset": 0, "apex": 10, "offset": 100, "fps": 200}))])[0]
    assert "by 200 ms in CASME II" in findings.apex_position(one)


def test_tables_say_whose_numbers_they_are() -> None:
    whole, drawn = collection(), collection("synthetic")
    assert "CASME II 20, SAMM 10" in tables.overview(whole).caption
    assert tables.exclusions(drawn).caption.startswith("SYNTHETIC DATA")
    assert "943" not in tables.data_tables(whole).to_html()  # CAS(ME)^3 is not here
    papers = tables.data_tables(whole).data["paper"]
    assert papers[papers != ""].tolist() == [
        "HTNet, table 1",
        "CapsuleNet, table 1",
        "DA-CrossViT, table 1",
        "MFEM+MFFM, table 1",
    ]
    assert "255 ≠ 20 here" in tables.data_tables(whole).to_html()
    assert tables.rule_counts(whole).data["here"].iloc[0] == "4 / 4 / 4, 4 subjects"  # anger is no word of CASME II
    with pytest.raises(NothingToShow, match="No sample is excluded"):
        tables.exclusions(gather([Stub(samples({}))])[0])


def run_notebook(shown: list[Any], monkeypatch: pytest.MonkeyPatch, **parameters: Any) -> dict[str, Any]:
    """Run every cell of the notebook in this process; returns its names."""
    # The printed twins are tested above.
    monkeypatch.setattr(showing, "bundle", lambda name, whole, **options: getattr(interactive, name)(whole, **options))
    path = notebook_folder() / "01_data_exploration.ipynb"
    cells = [cell for cell in json.loads(path.read_text("utf-8"))["cells"] if cell["cell_type"] == "code"]
    names: dict[str, Any] = {"__name__": "notebook"}
    exec("".join(cells[0]["source"]), names)
    names.update(parameters)
    for cell in cells[1:]:
        exec("".join(cell["source"]), names)
    return names


def test_the_notebook_runs_on_annotations_without_images(tmp_path, monkeypatch, shown) -> None:
    miniatures.casme2(tmp_path / "CASME2", images=False)
    miniatures.smic(tmp_path / "SMIC", images=False)
    monkeypatch.setenv("MER_DATA_ROOT", str(tmp_path))
    found = run_notebook(shown, monkeypatch, profile="smoke", data="best")["found"]
    assert [one.name for one in found.datasets] == ["casme2", "smic"]
    assert "“Apex frames of each class” cannot be shown: CASME II, SMIC-HS have no images" in said(shown)
    assert said(shown).count("cannot be shown") == 1


def test_the_notebook_runs_on_a_folder_with_images(tmp_path, monkeypatch, shown) -> None:
    miniatures.samm(tmp_path / "elsewhere")
    found = run_notebook(shown, monkeypatch, profile="smoke", data=str(tmp_path / "elsewhere"))["found"]
    assert found.datasets[0].has_frames
    assert "cannot be shown" not in said(shown)


def test_the_notebook_runs_on_published_flow_maps(real_root, monkeypatch, shown) -> None:
    monkeypatch.setenv("MER_DATA_ROOT", str(real_root))
    run_notebook(shown, monkeypatch, profile="smoke", data="megc2019_flow")
    assert said(shown).count("of CASME II, SAMM, SMIC-HS only flow maps are here, with no") == len(NEEDS)


def test_opening_makes_synthetic_data_where_nothing_is_here(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("MER_DATA_ROOT", str(tmp_path))
    made: list[str] = []
    monkeypatch.setattr(datasets, "ensure", lambda name, *options, **more: made.append(name))
    monkeypatch.setattr(datasets, "present", lambda **_: [toy()] if made else [])
    assert lab.explore({"profile": "smoke", "data": "best"}).datasets[0].name == "toy_flow"
    assert made == ["best"]
