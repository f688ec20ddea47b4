"""The cache of features: what is read again, what is made anew, and what a frame's stored bytes say."""

from __future__ import annotations

import ast
import os
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import torch

from mer_lib import settings
from mer_lib.datasets import load
from mer_lib.datasets.clips import ClipDataset
from mer_lib.datasets.flow_maps import FlowMapDataset
from mer_lib.datasets.frames.archive import FrameArchive
from mer_lib.datasets.frames.images import ImageFolder
from mer_lib.datasets.frames.video import VideoFile
from mer_lib.errors import DataError, ParameterError
from mer_lib.faces import landmarks
from mer_lib.features import (
    AngleImage,
    ApexFace,
    CacheWarning,
    FlowMap,
    FourRegionMosaic,
    MagnifiedSequence,
    Motion,
    RegionCrops,
    address,
    compute,
    from_clips,
    inputs_digest,
    report,
    squares,
)
from mer_lib.features.cache import FeatureCache, Made, decode, encode
from tests.feature_clips import (
    as_archive,
    as_bitmaps,
    clips_of,
    dataset_of,
    drawn,
    marks,
    renderer,
    row,
    shifting,
    with_rows,
)
from tests.recordings import write_video

MAP = FlowMap(motion=Motion(side=64))
RECIPES = [
    MAP,
    FourRegionMosaic(motion=Motion(side=64)),
    RegionCrops(motion=Motion(side=64), cell=8),
    ApexFace(size=32),
    AngleImage(frames=4, side=64),
    MagnifiedSequence(frames=3, size=32),
]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MER_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def clips(tmp_path: Path) -> ClipDataset:
    """Two clips in folders of bitmaps, whose files may be altered."""
    return clips_of(tmp_path / "clips", smile=renderer(), shift=shifting(0.3, 0.1))


def files(cache: Path) -> list[Path]:
    return sorted(cache.rglob("*.feature"))


def made(recipe: object, clips: ClipDataset, **settings: object) -> int:
    """How many clips have to be made."""
    seen: list[str] = []
    compute(recipe, clips, listener=lambda done, total, name: seen.append(name), **settings)
    return len(seen)


def alter(folder: Path, number: int) -> None:
    """Change one byte of one image, and neither its size nor its time."""
    path = folder / f"img{number}.bmp"
    about, content = path.stat(), bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))


@pytest.mark.parametrize(("flow", "threads"), [("raft", (1, 1)), ("dis", (1, 2))])
def test_each_process_looks_at_clips_on_one_thread(clips, monkeypatch, flow, threads):
    seen = []

    def counted(recipe, *task):
        seen.append((cv2.getNumThreads(), torch.get_num_threads()))
        return Made(np.zeros(recipe.shape, np.float32), {})

    before = cv2.getNumThreads(), torch.get_num_threads()
    monkeypatch.setattr(from_clips, "make", counted)
    cv2.setNumThreads(2)
    torch.set_num_threads(2)
    try:
        compute(FlowMap(motion=Motion(flow=flow)), clips)
        assert seen == [threads] * 2
        assert (cv2.getNumThreads(), torch.get_num_threads()) == (2, 2)
    finally:
        cv2.setNumThreads(before[0])
        torch.set_num_threads(before[1])


# -- read again -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.recipe)
def test_a_second_call_reads_what_the_first_has_made(clips, recipe, monkeypatch):
    first, facts = compute(recipe, clips), report(recipe, clips).table

    def never(*args: object, **kwargs: object) -> None:
        raise AssertionError("was called although everything is kept")

    monkeypatch.setattr(squares, "optical_flow", never)
    monkeypatch.setattr(landmarks, "detector", never)
    monkeypatch.setattr(ImageFolder, "read", never)
    monkeypatch.setattr(ImageFolder, "stream", never)
    np.testing.assert_array_equal(compute(recipe, clips), first)
    pd.testing.assert_frame_equal(report(recipe, clips).table, facts)


def test_ids_may_come_in_any_order_and_repeat(clips):
    ids = ["drawn/s01/smile", "drawn/s01/shift"]
    whole = compute(MAP, clips, ids)
    np.testing.assert_array_equal(compute(MAP, clips, [ids[1], ids[0], ids[1]]), whole[[1, 0, 1]])


def test_a_clip_that_moved_is_found_again(clips, tmp_path):
    assert made(MAP, clips) == 2
    (tmp_path / "clips").rename(tmp_path / "elsewhere")
    names = ("smile", "shift")
    moved = replace(clips, sources={f"drawn/s01/{name}": ImageFolder(tmp_path / "elsewhere" / name) for name in names})
    assert made(MAP, moved) == 0


def test_the_listener_hears_of_every_clip_that_is_made(clips):
    heard = []
    compute(MAP, clips, ["drawn/s01/smile"])
    compute(MAP, clips, listener=lambda *told: heard.append(told))
    assert heard == [(1, 1, "drawn/s01/shift")]


def test_without_the_cache_nothing_is_read_or_written(clips, cache):
    kept = compute(MAP, clips, cache=False)
    assert not files(cache)
    assert made(MAP, clips, cache=False) == 2
    np.testing.assert_array_equal(compute(MAP, clips), kept)


# -- made anew --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changed",
    [
        FlowMap(motion=Motion(side=65)),
        FlowMap(motion=Motion(side=64, flow="dis")),
        FlowMap(motion=Motion(side=64, head_motion="kept")),
        FlowMap(motion=Motion(side=64), size=29),
        FlowMap(motion=Motion(side=64), order="svu"),
    ],
)
def test_another_setting_is_made_anew(clips, changed):
    assert made(MAP, clips) == 2
    assert made(changed, clips) == 2
    assert made(MAP, clips) == 0


def test_a_changed_frame_of_the_same_size_is_noticed(clips, tmp_path):
    assert made(MAP, clips) == 2
    apex = clips.moments("drawn/s01/smile").apex
    alter(tmp_path / "clips" / "smile", apex + 1)
    assert made(MAP, clips) == 1
    assert made(MAP, clips) == 0


def test_a_frame_that_no_one_looks_at_may_change(clips, tmp_path):
    assert made(MAP, clips) == 2
    alter(tmp_path / "clips" / "smile", clips.moments("drawn/s01/smile").apex)  # the one before the apex
    assert made(MAP, clips) == 0
    assert made(MagnifiedSequence(frames=3, size=32), clips) == 2
    alter(tmp_path / "clips" / "smile", 3)
    assert made(MagnifiedSequence(frames=3, size=32), clips) == 1


@pytest.mark.parametrize("facts", [{"apex": 3}, {"onset": 2}, {"fps": 50.0}, {"apex": None}])
def test_another_annotation_is_made_anew(clips, facts):
    assert made(MAP, clips) == 2
    assert made(MAP, with_rows(clips, **facts)) == 2


def test_other_code_or_libraries_are_another_address(clips, monkeypatch):
    before = inputs_digest(MAP, clips)
    monkeypatch.setattr(address, "code_digest", lambda: "changed")
    other = inputs_digest(MAP, clips)
    monkeypatch.setattr(address, "libraries", lambda: {"numpy": "99"})
    assert len({before, other, inputs_digest(MAP, clips)}) == 3


@pytest.mark.parametrize("flow", ["raft", "farneback"])
def test_weights_of_ones_own_count_where_flow_takes_them(clips, tmp_path, monkeypatch, flow):
    recipe = FlowMap(motion=Motion(flow=flow))
    seen = {inputs_digest(recipe, clips)}
    for number in range(2):
        weights = tmp_path / f"weights{number}.pth"
        weights.write_bytes(bytes([number]))
        monkeypatch.setenv("MER_RAFT_SMALL", str(weights))
        seen.add(inputs_digest(recipe, clips))
    assert len(seen) == (3 if flow == "raft" else 1)


@pytest.mark.parametrize("damage", ["cut", "empty", "flipped", "other", "exchanged"])
def test_a_damaged_file_is_made_anew_and_mended(clips, cache, damage):
    first = compute(MAP, clips)
    path, other = files(cache)
    whole = path.read_bytes()
    damaged = {
        "cut": whole[:-7],
        "empty": b"",
        "flipped": whole[:200] + bytes([whole[200] ^ 1]) + whole[201:],
        "other": b"not a feature\nat all\n",
        "exchanged": other.read_bytes(),
    }
    path.write_bytes(damaged[damage])
    assert made(MAP, clips) == 1
    np.testing.assert_array_equal(compute(MAP, clips), first)
    assert path.read_bytes() == whole
    assert other in files(cache)


def test_a_folder_that_cannot_be_written_costs_time_and_one_warning(clips, cache):
    cache.parent.mkdir(exist_ok=True)
    cache.write_text("a file where the folder should be")
    with pytest.warns(CacheWarning, match="MER_CACHE") as told:
        first = compute(MAP, clips)
    assert len([entry for entry in told if entry.category is CacheWarning]) == 1
    with pytest.warns(CacheWarning):
        np.testing.assert_array_equal(compute(MAP, clips), first)


def test_what_can_be_made_is_kept_although_other_clips_fail(tmp_path):
    black = [np.zeros((64, 64, 3), np.uint8)] * 9
    clips = clips_of(tmp_path / "clips", smile=renderer(), black=black)
    with pytest.raises(DataError, match="1 of 2 clips"):
        compute(AngleImage(frames=4, side=64), clips)
    assert made(AngleImage(frames=4, side=64), clips, sample_ids=["drawn/s01/smile"]) == 0


# -- side by side -----------------------------------------------------------------------------------------------------


def test_two_processes_make_the_same_bytes(clips, cache, monkeypatch, tmp_path):
    compute(MAP, clips)
    alone = {path.relative_to(cache): path.read_bytes() for path in files(cache)}
    elsewhere = tmp_path / "together"
    monkeypatch.setenv("MER_CACHE", str(elsewhere))
    compute(MAP, clips, jobs=2)
    assert {path.relative_to(elsewhere): path.read_bytes() for path in files(elsewhere)} == alone
    assert len(alone) == 2


def test_no_process_is_no_number_of_processes(clips):
    with pytest.raises(ParameterError, match="jobs"):
        compute(MAP, clips, jobs=0)


# -- what is kept -----------------------------------------------------------------------------------------------------


class Watched:
    """A source that notes which frames are read."""

    def __init__(self, source: ImageFolder) -> None:
        self.source, self.seen, self.asked = source, set(), set()
        self.fps, self.place = source.fps, source.place

    def numbers(self) -> np.ndarray:
        return self.source.numbers()

    def content(self, indices: Sequence[int] | None = None) -> str:
        self.asked |= set(indices)
        return self.source.content(indices)

    def read(self, indices: Sequence[int] | None = None) -> np.ndarray:
        self.seen |= set(indices)
        return self.source.read(indices)

    def stream(self, start: int = 0, stop: int | None = None, step: int = 1) -> Iterator[np.ndarray]:
        self.seen |= set(range(start, stop, step))
        return self.source.stream(start, stop, step)


@pytest.mark.parametrize("recipe", [*RECIPES, AngleImage(frames=4, side=64, since="previous")], ids=repr)
@pytest.mark.parametrize("apex", [2, None])
@pytest.mark.parametrize("choice", ["annotated", "middle", "cell_difference"])
def test_every_frame_that_is_read_counts_for_the_address(recipe, apex, choice, watched_frames, monkeypatch):
    """Else a change of that frame would go unnoticed."""
    source = Watched(watched_frames)
    facts = {"onset": 2, "offset": 8, "n_frames": 9, "apex": pd.NA if apex is None else apex}
    clips = dataset_of({"drawn/s01/smile": source}, [row("drawn/s01/smile", **facts)])
    chosen = (
        {"motion": recipe.motion.model_copy(update={"apex": choice})} if hasattr(recipe, "motion") else {"apex": choice}
    )
    compute(recipe.model_copy(update=chosen), clips)
    assert source.seen
    assert source.seen <= source.asked


@pytest.fixture(scope="module")
def watched_frames(tmp_path_factory) -> ImageFolder:
    return as_bitmaps(tmp_path_factory.mktemp("watched") / "smile", drawn(renderer()))


def test_a_file_holds_array_and_facts_and_is_the_same_each_time():
    whole = Made(np.arange(12, dtype=np.float32).reshape(1, 3, 4), {"points": "detected", "faces": 1})
    read = decode(encode(whole, "key"), "key")
    np.testing.assert_array_equal(read.array, whole.array)
    assert (read.array.dtype, read.facts) == (np.float32, whole.facts)
    assert encode(read, "key") == encode(whole, "key")
    with pytest.raises(ValueError, match="checksum"):
        decode(encode(whole, "key"), "another")


def test_what_killed_processes_left_is_swept(clips, cache):
    folder = cache / "features" / address.folder_of(MAP)
    folder.mkdir(parents=True)
    old = folder / ".x.feature.abc.tmp"
    old.write_bytes(b"half")
    os.utime(old, (0, 0))
    compute(MAP, clips)
    assert not old.exists()


def test_missing_files_are_nothing(tmp_path):
    assert FeatureCache(tmp_path / "none").read("folder", "key") is None


def test_the_cache_lies_where_the_environment_says(tmp_path, monkeypatch):
    assert settings.cache_root() == tmp_path / "cache"
    monkeypatch.setenv("MER_CACHE", "")
    assert settings.cache_root() == settings.project_root() / "runs" / "cache"


# -- the address ------------------------------------------------------------------------------------------------------

# Modules that deciding code builds on and that cannot change a feature.
HARMLESS = {
    "mer_lib.atomic",
    "mer_lib.datasets",  # MAP_SIZE, of a module that is counted
    "mer_lib.datasets.annotation.cells",
    "mer_lib.datasets.clips",  # hands out sources and annotation, which count by their content
    "mer_lib.datasets.faults",
    "mer_lib.datasets.flow_maps",
    "mer_lib.datasets.reading",
    "mer_lib.datasets.synthetic.long_videos",  # with those that follow: how frames are drawn, not how they are read
    "mer_lib.datasets.synthetic.plan",
    "mer_lib.datasets.synthetic.portrait",
    "mer_lib.datasets.synthetic.recording",
    "mer_lib.datasets.synthetic.renderer",
    "mer_lib.datasets.synthetic.streams",
    "mer_lib.downloads",  # only lets a file through whose digest is pinned
    "mer_lib.errors",
    "mer_lib.features.cache",
    "mer_lib.orphans",  # who works, not at what
    "mer_lib.settings",
}


def imported(file: Path) -> set[str]:
    """Modules of mer_lib that a file imports from; a package where only that is named."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            files = {name for name in names if (address.PACKAGE.parent / f"{name.replace('.', '/')}.py").exists()}
            found |= files or {node.module}
    return {name for name in found if name.startswith("mer_lib")}


def test_code_that_decides_features_builds_on_deciding_code_alone():
    """Else a helper could change features without changing their address."""
    chosen = [file for file in address.deciding_files() if file.suffix == ".py"]
    counted = {".".join(("mer_lib", *file.relative_to(address.PACKAGE).with_suffix("").parts)) for file in chosen}
    counted |= {name.removesuffix(".__init__") for name in counted}
    missing = {file.name: imported(file) - counted - HARMLESS for file in chosen}
    assert {name: found for name, found in missing.items() if found} == {}


def test_tables_of_regions_count_as_code():
    assert "muscle_regions.yaml" in {file.name for file in address.deciding_files()}


def test_digest_of_inputs_follows_what_decides_them(clips, tmp_path):
    before = inputs_digest(MAP, clips)
    assert inputs_digest(MAP, clips) == before
    assert inputs_digest(FlowMap(motion=Motion(side=65)), clips) != before
    assert inputs_digest(MAP, with_rows(clips, label3="negative")) != before
    alter(tmp_path / "clips" / "smile", clips.moments("drawn/s01/smile").apex + 1)
    assert inputs_digest(MAP, clips) != before


def test_digest_of_maps_is_that_of_the_data_set():
    toy = load("toy_flow")
    assert inputs_digest(FlowMap(), toy) == toy.digest


def test_flow_maps_lead_to_their_clips(clips):
    maps = maps_of(clips)
    np.testing.assert_array_equal(compute(MAP, maps), compute(MAP, clips))
    assert compute(FlowMap(), maps).shape == (2, 3, 28, 28)
    assert inputs_digest(MAP, maps) not in (maps.digest, inputs_digest(FlowMap(), maps))


def maps_of(clips: ClipDataset) -> FlowMapDataset:
    pixels = np.zeros((len(clips.samples), 28, 28, 3), np.uint8)
    return FlowMapDataset("drawn", "Drawn", "synthetic", clips.samples, pixels, open_clips=lambda: clips)


# -- stored bytes of frames -------------------------------------------------------------------------------------------


def test_content_of_a_folder_follows_bytes_and_order_and_not_names(tmp_path):
    frames = drawn(renderer())[:3]
    source, copy = as_bitmaps(tmp_path / "a", frames), as_bitmaps(tmp_path / "b", frames)
    assert source.content([0, 2]) == copy.content([0, 2])
    assert len({source.content(), source.content([0]), source.content([0, 2]), source.content([2, 0])}) == 4
    alter(tmp_path / "b", 3)
    assert source.content([0, 1]) == copy.content([0, 1])
    assert source.content([0, 2]) != copy.content([0, 2])
    (tmp_path / "b" / "img2.bmp").write_bytes(b"")
    with pytest.raises(DataError, match=r"img2\.bmp.*empty"):
        copy.content()
    with pytest.raises(DataError, match="frame indices from 0 to 2"):
        source.content([3])


def test_content_of_an_archive_follows_its_images_alone(tmp_path):
    source = as_archive(tmp_path / "a.zip", renderer())
    members = {
        info.filename: zipfile.ZipFile(source.path).read(info) for info in zipfile.ZipFile(source.path).infolist()
    }
    packed = FrameArchive(tmp_path / "b.zip", "unused")
    with zipfile.ZipFile(packed.path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in reversed(list(members)):
            archive.writestr(name, members[name])
    assert packed.content([0, 4]) == source.content([0, 4])
    assert packed.content([4, 0]) != source.content([0, 4])
    content = bytearray(source.path.read_bytes())
    content[content.index(members["img1.png"]) + 100] ^= 1
    source.path.write_bytes(content)
    with pytest.raises(DataError, match="damaged"):
        source.content([0])
    assert source.content([4]) == packed.content([4])
    source.path.write_bytes(b"no archive")
    with pytest.raises(DataError, match="expected an archive"):
        source.content()


def test_content_of_a_video_covers_the_whole_file(tmp_path):
    source = VideoFile(write_video(tmp_path / "a.mp4", 12))
    first = source.content([0, 3])
    assert first == VideoFile(source.path).content([0, 3])
    assert len({first, source.content(), source.content([0])}) == 3
    content = bytearray(source.path.read_bytes())
    content[len(content) // 2] ^= 1
    source.path.write_bytes(content)
    assert source.content([0, 3]) != first
    source.path.unlink()
    with pytest.raises(DataError, match=r"a\.mp4"):
        VideoFile(source.path).content([0])


def test_a_video_is_read_through_once(tmp_path, monkeypatch):
    source = VideoFile(write_video(tmp_path / "a.mp4", 12))
    first = source.content([0])
    monkeypatch.setattr(Path, "open", None)
    assert source.content([0]) == first


def test_results_do_not_depend_on_how_frames_are_stored(tmp_path):
    """Of lossless files, that is."""
    clip = renderer()
    sources = [as_archive(tmp_path / "a.zip", clip), as_bitmaps(tmp_path / "b", drawn(clip))]
    arrays = [
        compute(MAP, dataset_of({"drawn/s01/smile": source}, [row("drawn/s01/smile", **marks(clip.plan))]))
        for source in sources
    ]
    np.testing.assert_array_equal(*arrays)
