"""Where data sets are looked for: folders of the data root, paths, copies side by side, and what nobody may read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mer_lib import datasets
from mer_lib.datasets.own import is_path
from mer_lib.datasets.walking import is_locked
from mer_lib.errors import DataError, ParameterError
from tests import miniatures
from tests.miniature_files import write_frames

TOO_LONG = "a" * 300


@pytest.fixture
def root(tmp_path, monkeypatch) -> Path:
    """An empty data root."""
    folder = tmp_path / "root"
    folder.mkdir()
    monkeypatch.setenv("MER_DATA_ROOT", str(folder))
    return folder


def lock(folder: Path, monkeypatch) -> None:
    """Make a folder look as if nobody might enter it; the superuser, who may run the tests, always may."""
    allowed = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != folder and allowed(path, mode))
    listed = os.scandir

    def scandir(path):
        if Path(path) == folder:
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(os, "scandir", scandir)


# --- below the data root


def test_annotation_and_images_may_lie_side_by_side_in_the_data_root(root):
    # The images of SAMM come in a folder that is called as the data set is.
    for write in (miniatures.casme2, miniatures.samm, miniatures.smic):
        write(root, images=("raw",))
    places = {p.name: (p.path, p.offers) for p in datasets.available()}
    assert [places[name] for name in ("casme2", "samm", "smic")] == [(root, frozenset({"frames"}))] * 3
    assert len(datasets.load_clips("samm").samples) == 10
    assert datasets.load_clips("megc2019").samples["dataset"].nunique() == 3


def test_of_several_copies_the_most_complete_is_taken(root):
    miniatures.samm(root / "SAMM", workbook="")
    assert {p.name: p.path for p in datasets.available()}["samm"] == root / "SAMM"
    miniatures.samm(root / "annotation alone", images=False)
    assert {p.name: p.path for p in datasets.available()}["samm"] == root / "annotation alone"
    miniatures.samm(root / "whole")
    assert {p.name: p.path for p in datasets.available()}["samm"] == root / "whole"
    miniatures.samm(root / "SAMM")
    assert {p.name: p.path for p in datasets.available()}["samm"] == root / "SAMM"


def test_other_workbooks_are_named_with_their_folders(root):
    miniatures.samm(root / "SAMM", images=False)
    miniatures.samm(root / "SAMM/copy", images=False)
    told = [str(fault) for fault in datasets.load_clips("samm").faults if fault.kind == "annotation"]
    name = miniatures.SAMM_FILE
    assert told == [f"{name} is read; these are there besides: copy/{name}"]


@pytest.mark.parametrize("place", [TOO_LONG, "file/below"])
def test_a_data_root_that_cannot_be_opened_is_empty(tmp_path, place):
    (tmp_path / "file").write_text("x")
    there = [p.name for p in datasets.available(tmp_path / place) if p.present]
    assert there == ["toy_flow"]


# --- a version of the images of a composite


def test_a_version_of_the_images_that_no_part_of_a_composite_has_is_an_error(root):
    miniatures.casme2(root / "CASME2")
    miniatures.samm(root / "SAMM")
    miniatures.smic(root / "SMIC", images=("raw",))
    assert datasets.load_clips("megc2019", images="cropped").images == "cropped and raw"
    assert datasets.check("megc2019", images="raw").images == "raw"
    with pytest.raises(DataError, match="no extended images in any of casme2, samm, smic"):
        datasets.load_clips("megc2019", images="extended")
    with pytest.raises(ParameterError, match="expected one of cropped, extended, raw, got 'colour'"):
        datasets.check("megc2019", images="colour")


# --- paths


@pytest.mark.parametrize("name", ["~nobody of this name/clips", f"./{TOO_LONG}"])
def test_paths_that_cannot_be_are_told(name):
    with pytest.raises(DataError, match="got nothing"):
        datasets.check(name)


@pytest.mark.parametrize("name", ["", TOO_LONG, "~nobody_of_this_name"])
def test_names_that_cannot_be_are_unknown(name):
    assert not is_path(name)
    with pytest.raises(ParameterError, match="Unknown data set"):
        datasets.load_clips(name)


def test_a_folder_of_several_data_sets_is_not_taken_for_one(tmp_path):
    miniatures.casme2(tmp_path / "some/CASME2", images=False)
    miniatures.samm(tmp_path / "some/SAMM")
    with pytest.raises(DataError, match=r"expected one data set, got casme2 and samm: .*MER_DATA_ROOT=.*some"):
        datasets.check(str(tmp_path / "some"))
    assert datasets.check(str(tmp_path / "some/SAMM")).name == "samm"


def test_a_path_may_begin_at_home_and_a_name_of_the_manifest_is_no_path(root, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    write_frames(tmp_path / "casme2/smile", "img{}.png", range(1, 4))
    assert datasets.check("casme2").status == "absent"
    for name in ("~/casme2", "./casme2", tmp_path / "casme2"):
        assert datasets.check(name).name == "own_casme2"


def test_an_error_names_the_data_as_they_were_named(tmp_path):
    miniatures.samm(tmp_path / "my SAMM", workbook="")
    for place in (tmp_path / "my SAMM", str(tmp_path / "my SAMM")):
        with pytest.raises(DataError, match=f"See `mer data check '{tmp_path}/my SAMM'`"):
            datasets.load_clips(place)


def test_own_clips_in_folders_called_as_subjects_are_not_taken_for_a_licensed_data_set(tmp_path):
    for subject in ("sub01", "s1", "001"):
        write_frames(tmp_path / subject / "smile", "img{}.png", range(1, 4))
    report = datasets.check(str(tmp_path))
    assert report.status == "usable"
    assert report.counts.at["all", "subjects"] == 3


@pytest.mark.parametrize(
    ("folder", "name"),
    [("Mes vidéos", "mes_videos"), ("casme2", "own_casme2"), ("smic", "own_smic"), ("日本", "clips")],
)
def test_a_folder_gives_its_data_set_a_plain_name(tmp_path, folder, name):
    write_frames(tmp_path / folder / "smile", "img{}.png", range(1, 4))
    data = datasets.load_clips(str(tmp_path / folder))
    assert (data.name, data.title) == (name, folder)
    assert data.samples["sample_id"].tolist() == [f"{name}/unknown/smile"]


# --- without permission


def test_a_folder_that_nobody_may_enter_is_told(root, monkeypatch):
    miniatures.samm(root / "SAMM")
    images = root / "SAMM/SAMM"
    assert not is_locked(images)
    lock(images, monkeypatch)
    report = datasets.check("samm")
    assert report.status == "annotation only"
    assert [str(fault) for fault in report.faults if fault.kind == "file"] == [
        f"{images}: what it holds is not seen, there is no permission to look into it"
    ]
    lock(root / "SAMM", monkeypatch)
    with pytest.raises(DataError, match="expected a folder that can be listed"):
        datasets.check(str(root / "SAMM"))


def test_nothing_is_locked_that_is_not_there(tmp_path):
    assert not is_locked(tmp_path / "nothing")
