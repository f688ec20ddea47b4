"""What tables say of the samples: counts, times, action units, and the papers' numbers counted again."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, f1_score, recall_score

from mer_lib import datasets
from mer_lib.datasets import summaries, unit_summaries
from mer_lib.datasets.collection import NothingToShow, gather, overview
from mer_lib.datasets.samples import COLUMNS, check_samples
from mer_lib.errors import ParameterError
from mer_lib.papers.data_tables import AGREES, DIFFERS, UNKNOWN, data_tables
from tests import miniatures, miniatures_complete
from tests.helpers import toy


def samples(*rows: dict[str, Any]) -> pd.DataFrame:
    """A checked samples table; what a row does not say is missing, its clips are numbered."""
    filled = []
    for number, row in enumerate(rows):
        known = {"dataset": "casme2", "subject": "sub01", "clip": f"c{number:03d}", **row}
        known["sample_id"] = "/".join(known[name] for name in ("dataset", "subject", "clip"))
        filled.append({**dict.fromkeys(COLUMNS, pd.NA), **known})
    return check_samples(pd.DataFrame(filled, columns=list(COLUMNS)))


@dataclass
class Stub:
    """A data set as the exploration sees it."""

    samples: pd.DataFrame
    kind: str = "real"
    name: str = "stub"
    label: str = "stub data"
    has_frames: bool = False
    exclusions: pd.DataFrame = field(default_factory=lambda: excluded())


def excluded(*sample_ids: str) -> pd.DataFrame:
    return pd.DataFrame({"sample_id": sample_ids, "reason": ["broken"] * len(sample_ids)}, dtype="string")


@pytest.fixture(scope="module")
def complete(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """All four annotations in their full size, without images."""
    root: Path = tmp_path_factory.mktemp("licensed")
    miniatures.casme2(root / "CASME2", miniatures_complete.casme2_complete(), images=False)
    miniatures.samm(root / "SAMM", miniatures_complete.samm_complete(), images=False)
    miniatures.smic(root / "SMIC", miniatures_complete.smic_complete(), images=False)
    miniatures.casme3(root / "CASME3", miniatures_complete.casme3_complete(), images=False)
    (collection,) = gather([datasets.load_clips(name, root) for name in ("casme2", "samm", "smic", "casme3")])
    return collection


# -- order ------------------------------------------------------------------------------------------------------------


def test_words_have_one_order_and_what_has_no_class_comes_last() -> None:
    assert summaries.in_order(["surprise", "zeal", "anger", "surprise", "awe"]) == ["anger", "surprise", "awe", "zeal"]
    assert summaries.class_order(["dropped", "no class", "surprise", "negative"]) == [
        "negative",
        "surprise",
        "no class",
        "dropped",
    ]


# -- counts -----------------------------------------------------------------------------------------------------------


def test_classes_are_counted_with_those_that_nobody_shows() -> None:
    table = samples(
        {"label3": "negative"}, {"label3": "negative", "subject": "sub02"}, {"label3": "surprise"}, {},
        {"dataset": "samm", "subject": "006", "label3": "positive"},
    )  # fmt: skip
    found = summaries.classes_by_dataset(table).set_index(["dataset", "label"])
    assert found.loc[("casme2", "negative")].tolist() == [2, 2]
    assert found.loc[("casme2", "positive")].tolist() == [0, 0]
    assert found.loc[("casme2", summaries.NO_CLASS)].tolist() == [1, 1]
    assert ("samm", summaries.NO_CLASS) not in found.index
    assert found["samples"].sum() == len(table)


def test_subjects_are_ranked_and_their_classes_counted() -> None:
    table = samples(
        *({"subject": "sub02", "label3": "positive"},) * 2,
        {"subject": "sub02", "label3": "negative"},
        {"subject": "sub01", "label3": "negative"},
        {"dataset": "samm", "subject": "sub02"},
    )
    found = summaries.classes_by_subject(table)
    assert found.values.tolist() == [
        ["casme2", "sub02", 1, 3, "negative", 1],
        ["casme2", "sub02", 1, 3, "positive", 2],
        ["casme2", "sub01", 2, 1, "negative", 1],
        ["samm", "sub02", 1, 1, "no class", 1],
    ]


@pytest.mark.parametrize(
    ("dataset", "by_classes", "subjects"),
    [("casme2", [9, 9, 6], 24), ("samm", [13, 12, 3], 28), ("smic", [1, 8, 7], 16)],
)
def test_how_many_subjects_show_one_two_three_classes_is_what_was_counted(
    complete, dataset, by_classes, subjects
) -> None:
    found = summaries.subjects_by_samples(complete.only(dataset).samples)
    assert found.groupby("classes")["subjects"].sum().tolist() == by_classes
    assert found["subjects"].sum() == subjects
    assert found["samples"].drop_duplicates().tolist() == ["1", "2", "3–4", "5–8", "9–16", "17–32", "33 or more"]


@pytest.mark.parametrize(
    ("size", "name"), [(1, "1"), (2, "2"), (3, "3–4"), (4, "3–4"), (5, "5–8"), (32, "17–32"), (33, "33 or more")]
)
def test_a_subject_falls_into_the_bin_of_its_number_of_samples(size, name) -> None:
    found = summaries.subjects_by_samples(samples(*({"label3": "negative"},) * size)).set_index("samples")["subjects"]
    assert found[found > 0].to_dict() == {name: 1}


def test_a_guess_scores_what_scikit_learn_says() -> None:
    rng = np.random.default_rng(3)
    truth = rng.choice(datasets.CLASSES, size=200, p=[0.2, 0.5, 0.3])
    row = summaries.imbalance(samples(*({"label3": name} for name in truth), {})).iloc[0]
    guess = np.full(200, row["commonest"])
    assert row["commonest"] == "positive"
    assert row["samples"] == 200
    assert row["accuracy"] == pytest.approx(accuracy_score(truth, guess))
    assert row["uar"] == pytest.approx(recall_score(truth, guess, average="macro"))
    assert row["uf1"] == pytest.approx(f1_score(truth, guess, average="macro"))
    assert row["ratio"] == pytest.approx(np.sum(truth == "positive") / np.sum(truth == row["rarest"]))


def test_a_guess_among_two_classes_is_averaged_over_two() -> None:
    truth = ["positive", "surprise", "surprise"]
    row = summaries.imbalance(samples(*({"label3": name} for name in truth))).iloc[0]
    assert row["uar"] == pytest.approx(recall_score(truth, ["surprise"] * 3, average="macro"))
    assert row["uf1"] == pytest.approx(f1_score(truth, ["surprise"] * 3, average="macro"))
    assert (row["commonest"], row["rarest"], row["ratio"]) == ("surprise", "positive", 2)


def test_subjects_with_as_many_samples_are_in_the_order_of_their_names() -> None:
    table = samples(*({"subject": name} for name in ("sub03", "sub01", "sub02", "sub02")))
    ranked = summaries.classes_by_subject(table)
    assert ranked["subject"].tolist() == ["sub02", "sub01", "sub03"]
    assert ranked["rank"].tolist() == [1, 2, 3]


def test_the_guess_on_the_composite_scores_what_was_counted(complete) -> None:
    found = summaries.imbalance(complete.only("casme2", "samm", "smic").samples).set_index("dataset")
    assert found.loc["casme2", "uf1"] == pytest.approx(0.2518, abs=5e-5)
    assert found.loc["samm", "uf1"] == pytest.approx(0.2726, abs=5e-5)
    assert found.loc["smic", "uf1"] == pytest.approx(0.1994, abs=5e-5)
    assert found.loc[summaries.ALL, "uf1"] == pytest.approx(0.2408, abs=5e-5)


def test_one_data_set_has_no_line_for_all_together() -> None:
    assert summaries.imbalance(samples({"label3": "negative"}))["dataset"].tolist() == ["casme2"]


# -- time -------------------------------------------------------------------------------------------------------------


def test_spans_are_in_milliseconds_and_need_numbers_and_a_rate() -> None:
    table = samples(
        {"onset": 10, "apex": 20, "offset": 110, "fps": 200, "label3": "negative"},
        {"onset": 0, "apex": 3, "offset": 10, "fps": 29.97},
        {"onset": 5, "offset": 10, "fps": 100},
        {"onset": 5, "apex": 6, "offset": 10},
    )
    found = summaries.spans(table).set_index(["sample_id", "span"])["ms"]
    assert found["casme2/sub01/c000", "onset to apex"] == 50
    assert found["casme2/sub01/c000", "onset to offset"] == 500
    assert found["casme2/sub01/c001", "onset to offset"] == pytest.approx(333.667, abs=1e-3)
    assert found["casme2/sub01/c002", "onset to offset"] == 50
    assert len(found) == 5


@pytest.mark.parametrize(
    ("apex", "position", "tenth"), [(0, 0.0, 0.0), (3, 0.3, 0.3), (5, 0.5, 0.5), (7, 0.7, 0.7), (10, 1.0, 0.9)]
)
def test_an_apex_on_an_edge_falls_into_the_tenth_that_starts_there(apex, position, tenth) -> None:
    found = summaries.apex_positions(samples({"onset": 100, "apex": 100 + apex, "offset": 110})).iloc[0]
    assert found["position"] == pytest.approx(position)
    assert found["tenth"] == pytest.approx(tenth)


def test_the_histogram_holds_every_sample_once_and_every_tenth() -> None:
    rows = [{"onset": 0, "apex": apex, "offset": 17, "label3": "surprise"} for apex in range(18)]
    found = summaries.apex_histogram(samples(*rows, {"onset": 0, "offset": 17}))
    assert found["samples"].sum() == 18
    assert len(found) == summaries.POSITION_BINS


# -- label rules ------------------------------------------------------------------------------------------------------


def test_outcomes_of_the_composite_rule_say_what_is_dropped_and_why(complete) -> None:
    labelled = datasets.labelled(complete.samples, datasets.label_sets()["megc2019"])
    found = (
        summaries.label_outcomes(labelled)
        .set_index(["dataset", "emotion", "outcome", "reason"])["samples"]
        .sort_index()
    )
    assert found["casme2", "disgust", "negative", ""] == 61
    assert found["casme2", "disgust", "dropped"].to_dict() == {"no apex": 1, "apex on the onset": 1}
    assert found["casme2", "others", "dropped"].sum() == 99
    assert found["samm", "fear", "negative", ""] == 8
    assert found.sum() == 255 + 159 + 164


def test_outcomes_are_in_the_order_of_emotions_then_of_classes() -> None:
    cells = [("surprise", "surprise"), ("anger", pd.NA), ("anger", "negative"), ("disgust", "negative")]
    given = pd.DataFrame(cells, columns=["emotion", "label"]).assign(dataset="own", reason="")
    assert summaries.label_outcomes(given)[["emotion", "outcome"]].values.tolist() == [
        ["disgust", "negative"], ["anger", "negative"], ["anger", "dropped"], ["surprise", "surprise"],
    ]  # fmt: skip


def test_outcomes_need_their_columns() -> None:
    with pytest.raises(ParameterError, match="label, reason are missing"):
        summaries.label_outcomes(pd.DataFrame({"dataset": [], "emotion": []}))


# -- action units -----------------------------------------------------------------------------------------------------


def coded(*pairs: tuple[str, Any]) -> pd.DataFrame:
    return samples(*({"emotion": emotion, "action_units": units} for emotion, units in pairs))


def test_only_units_that_are_sure_count() -> None:
    table = coded(("disgust", "R12 or R14"), ("disgust", "4+(R6 or R12)"), ("disgust", "?"), ("fear", pd.NA))
    assert unit_summaries.units(table)["unit"].tolist() == [4]
    assert unit_summaries.coding(table).iloc[0].to_dict() == {
        "dataset": "casme2", "samples": 4, "coded": 1, "unsure": 2, "not_coded": 3,
    }  # fmt: skip


def test_a_share_is_of_the_coded_samples_of_the_emotion() -> None:
    table = coded(("disgust", "4+7"), ("disgust", "L4"), ("disgust", "?"), ("anger", "7"))
    found = unit_summaries.unit_frequencies(table).set_index(["emotion", "unit"])
    assert found.loc[("disgust", 4), ["samples", "of", "share"]].tolist() == [2, 2, 1.0]
    assert found.loc[("disgust", 7), ["samples", "of", "share"]].tolist() == [1, 2, 0.5]
    assert found.loc[("anger", 4), "samples"] == 0


def test_the_commonest_units_are_kept() -> None:
    table = coded(("anger", "4+7"), ("anger", "4+9"), ("anger", "7+4"), ("anger", "12"))
    assert sorted(unit_summaries.unit_frequencies(table, most=2)["unit"]) == [4, 7]


def test_pairs_are_of_the_commonest_units_of_the_commonest_emotions() -> None:
    table = coded(("fear", "4+7"), ("anger", "4+9"), ("anger", "9+4"), ("anger", "1+9"))
    found = unit_summaries.unit_pairs(table, most=2, emotions=1)
    assert found[["emotion", "first", "second", "samples", "of"]].values.tolist() == [
        ["anger", 4, 4, 2, 3], ["anger", 4, 9, 2, 3], ["anger", 9, 9, 3, 3],
    ]  # fmt: skip


def test_pairs_are_those_that_a_plain_count_finds() -> None:
    rng = np.random.default_rng(0)
    sets = [sorted(rng.choice([1, 2, 4, 7, 12], size=rng.integers(1, 4), replace=False)) for _ in range(40)]
    table = coded(*((("anger", "fear")[at % 2], "+".join(map(str, units))) for at, units in enumerate(sets)))
    found = unit_summaries.unit_pairs(table).set_index(["emotion", "first", "second"])["samples"]
    for at, emotion in enumerate(("anger", "fear")):
        mine = sets[at::2]
        for first, second in combinations([1, 2, 4, 7, 12], 2):
            assert found[emotion, first, second] == sum(first in units and second in units for units in mine)
        assert found[emotion, 4, 4] == sum(4 in units for units in mine)


@pytest.mark.parametrize(
    "table",
    [
        summaries.classes_by_dataset, summaries.classes_by_subject, summaries.subjects_by_samples,
        summaries.emotions_by_dataset, summaries.imbalance, summaries.spans, summaries.apex_positions,
        summaries.apex_histogram, unit_summaries.units, unit_summaries.coding, unit_summaries.unit_frequencies,
        unit_summaries.unit_pairs,
    ],
    ids=lambda function: function.__name__,
)  # fmt: skip
def test_no_samples_make_an_empty_table_and_none_is_changed(table) -> None:
    assert table(samples({}).iloc[:0]).empty
    given = samples({"label3": "negative", "emotion": "anger", "action_units": "4", "onset": 1, "apex": 2, "offset": 3})
    before = given.copy()
    table(given)
    pd.testing.assert_frame_equal(given, before)


# -- collections ------------------------------------------------------------------------------------------------------


def test_real_and_synthetic_data_are_never_in_one_collection() -> None:
    real, drawn = Stub(samples({})), Stub(samples({"dataset": "syn_a"}), kind="synthetic")
    found = gather([real, drawn, Stub(samples({"dataset": "samm", "subject": "006"}))])
    assert [(one.kind, one.parts) for one in found] == [("real", ("casme2", "samm")), ("synthetic", ("syn_a",))]


def test_a_part_that_two_data_sets_hold_is_taken_from_the_one_that_knows_more() -> None:
    maps = Stub(samples({"label3": "negative"}, {"dataset": "smic", "label3": "positive"}))
    clips = Stub(samples({"emotion": "disgust", "onset": 1, "offset": 2}, {"emotion": "others"}))
    (found,) = gather([maps, clips])
    assert found.parts == ("casme2", "smic")
    assert found.sources["casme2"] is clips
    assert found.sources["smic"] is maps
    assert len(found.samples) == 3
    assert found.samples["sample_id"].is_unique


def test_exclusions_stay_with_their_data_set_and_one_whose_samples_are_all_excluded_is_named() -> None:
    casme2 = Stub(samples({}), exclusions=excluded("casme2/sub01/bad"))
    lost = Stub(samples({}).iloc[:0], exclusions=excluded("samm/006/a", "samm/006/b"))
    (found,) = gather([casme2, lost])
    assert found.parts == ("casme2", "samm")
    assert len(found.exclusions) == 3
    assert found.only("samm").exclusions["sample_id"].tolist() == ["samm/006/a", "samm/006/b"]
    assert overview(found).set_index("dataset")["excluded"].to_dict() == {"casme2": 1, "samm": 2}


def test_the_same_subject_id_in_two_data_sets_is_two_people() -> None:
    (found,) = gather([Stub(samples({"subject": "01"}, {"dataset": "own", "subject": "01"}))])
    assert found.n_subjects == 2


@pytest.mark.parametrize("parts", [("samm",), ()])
def test_parts_that_are_not_there_are_named(parts) -> None:
    (found,) = gather([Stub(samples({}))])
    with pytest.raises(ParameterError, match="expected some of casme2"):
        found.only(*parts)


def test_the_overview_counts_what_is_known(complete) -> None:
    found = overview(complete).set_index("dataset")
    assert found["samples"].to_dict() == {"casme2": 255, "samm": 159, "smic": 164, "casme3a": 687}
    assert found.loc["smic", ["apex", "action_units"]].tolist() == [0, 0]
    assert found.loc["casme3a", "fps"] == "30"
    assert set(found["images"]) == {"none"}


def test_the_overview_says_where_frames_are_and_how_fast() -> None:
    own = Stub(samples({"dataset": "own", "fps": 30}, {"dataset": "own", "fps": 29.97}), has_frames=True)
    own.images = "own"
    (real, maps) = gather([own, toy()])
    assert overview(real)[["fps", "images"]].values.tolist() == [["29.97 to 30", "own"]]
    assert set(overview(maps)["images"]) == {"flow maps alone"}
    assert overview(gather([Stub(samples({}), has_frames=True)])[0])["images"].item() == "drawn"


# -- the papers' tables -----------------------------------------------------------------------------------------------


def measured(collection: Any) -> pd.DataFrame:
    return data_tables(collection).set_index(["paper", "dataset", "quantity"])


def test_the_papers_numbers_are_counted_again(complete) -> None:
    found = measured(complete)
    assert found.loc[("HTNet", "casme2", "n_negative"), ["printed", "measured"]].tolist() == ["88", "88"]
    assert found.loc[("DA-CrossViT", "full", "subjects"), "measured"] == "68"
    assert found.loc[("CapsuleNet", "full", "total"), ["measured", "verdict"]].tolist() == ["442", AGREES]
    assert found.loc[("MFEM+MFFM", "casme2", "samples"), "measured"] == "255"
    assert found.loc[("MFEM+MFFM", "samm", "n_others"), ["measured", "verdict"]].tolist() == ["26", AGREES]
    assert found.loc[("HTNet", "smic", "has_apex"), ["printed", "measured"]].tolist() == ["no", "no"]


def test_another_edition_differs_and_a_misprint_is_named(complete) -> None:
    found = measured(complete)
    assert found.loc[("HTNet", "casme3a", "samples")].tolist()[2:5] == ["943", "687", DIFFERS]
    assert found.loc[("HTNet", "casme3a", "n_negative")].tolist()[2:5] == ["508", "449", DIFFERS]
    misprint = found.loc[("CapsuleNet", "samm", "total")]
    assert misprint[["printed", "measured", "verdict"]].tolist() == ["133 (printed 132)", "133", AGREES]
    assert "442 needs 133" in misprint["note"]


def test_what_cannot_be_counted_says_why(complete) -> None:
    found = measured(complete)
    assert found.loc[("MFEM+MFFM", "casme2", "resolution"), ["verdict", "why"]].tolist() == [UNKNOWN, "no images"]
    assert found.loc[("Mishin YOLO", "casme3a", "male_subjects"), "why"] == "no gender is known"


def test_of_the_text_on_faces_found_by_gender_only_its_data_are_compared(complete) -> None:
    assert set(measured(complete).loc["Mishin YOLO"].index.get_level_values("quantity")) == {
        "male_subjects", "female_subjects", "classes",
    }  # fmt: skip


def test_people_are_counted_by_gender_once_each_and_a_rate_only_where_there_is_one() -> None:
    people = [("a", "male", 30), ("a", "male", 30), ("b", "female", 25)]
    rows = [{"dataset": "casme3a", "subject": name, "gender": gender, "fps": fps, "emotion": "fear"}
            for name, gender, fps in people]  # fmt: skip
    found = measured(gather([Stub(samples(*rows))])[0])
    assert found.loc[("Mishin YOLO", "casme3a", "male_subjects"), "measured"] == "1"
    assert found.loc[("HTNet", "casme3a", "fps"), "why"] == "no frame rate, or more than one"


def test_the_composite_is_counted_only_where_all_three_are_here(complete) -> None:
    assert "full" not in measured(complete.only("casme2", "samm")).index.get_level_values("dataset")


def test_the_picture_size_is_read_from_the_first_frame() -> None:
    class Filmed(Stub):
        def frames(self, sample_id: str, indices: list[int]) -> np.ndarray:
            return np.zeros((1, 480, 640, 3), np.uint8)

    (found,) = gather([Filmed(samples({"emotion": "fear"}), has_frames=True)])
    row = measured(found).loc[("MFEM+MFFM", "casme2", "resolution")]
    assert row[["measured", "verdict"]].tolist() == ["640x480", AGREES]


def test_published_flow_maps_are_counted_as_the_list_that_they_are(real_root: Path) -> None:
    (found,) = gather([datasets.load("megc2019_flow", real_root)])
    table = measured(found)
    assert set(table.loc["CapsuleNet"]["verdict"]) == {AGREES}
    assert table.loc[("MFEM+MFFM", "casme2", "samples"), ["verdict", "why"]].tolist() == [
        UNKNOWN,
        "only samples with a class are here",
    ]
    assert table.loc[("HTNet", "smic", "has_apex"), "why"] == "no frame numbers"


def test_data_that_no_paper_used_are_not_compared() -> None:
    with pytest.raises(NothingToShow, match="beside toy ones"):
        data_tables(gather([toy()])[0])
    with pytest.raises(NothingToShow, match="beside synthetic ones"):
        data_tables(gather([Stub(samples({"emotion": "fear"}), kind="synthetic")])[0])
    with pytest.raises(NothingToShow, match="own_clips"):
        data_tables(gather([Stub(samples({"dataset": "own_clips"}))])[0])
