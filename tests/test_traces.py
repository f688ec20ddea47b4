"""What lies on the disk of recorded data, told without reading it."""

from __future__ import annotations

import os

from mer_lib.datasets.traces import traces
from tests import miniatures


def test_traces_change_with_the_annotation_and_the_folders_of_subjects(tmp_path, monkeypatch):
    monkeypatch.setenv("MER_DATA_ROOT", str(tmp_path))
    assert traces() == []
    folder = miniatures.casme2(tmp_path / "CASME2", images=["raw"])
    workbook, images = folder / miniatures.CASME2_FILE, folder / "CASME2_RAW_selected"
    for place in (workbook, images):
        os.utime(place, (1, 1))
    before = traces()
    assert [str(place) in "".join(before) for place in (workbook, images)] == [True, True]
    assert traces() == before
    workbook.write_bytes(workbook.read_bytes())
    (images / "sub99").mkdir()
    after = traces()
    assert len(after) == len(before)
    assert not set(after) & set(before)


def test_traces_change_with_a_folder_of_flow_maps(tmp_path, monkeypatch):
    monkeypatch.setenv("MER_DATA_ROOT", str(tmp_path))
    maps = tmp_path / "HTNet" / "datasets" / "STSNet_whole_norm_u_v_os"
    (maps.parent / ".git").mkdir(parents=True)
    maps.mkdir()
    before = traces()
    assert str(maps) in "".join(before)
    assert ".git" not in "".join(before)
    os.utime(maps, (1, 1))
    assert len(set(traces()) - set(before)) == 1
    (maps.parent.parent / "labels.csv").write_text("")
    assert any(line.split()[1].endswith("labels.csv") for line in traces())
