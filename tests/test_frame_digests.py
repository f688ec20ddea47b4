"""Digests of frames are remembered, and never those of a file that is no longer what it was."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from mer_lib.errors import DataError
from mer_lib.features import frame_digests
from mer_lib.features.frame_digests import frames_digest


class OneFile:
    """A clip in one file, a byte a frame, that counts how often it is read."""

    def __init__(self, path: Path) -> None:
        self.path, self.reads = path, 0

    def content(self, indices: Sequence[int] | None = None) -> str:
        self.reads += 1
        try:
            held = self.path.read_bytes()
        except OSError as error:
            raise DataError(f"{self.path}: missing") from error
        return hashlib.sha256(bytes(held[index] for index in indices or ())).hexdigest()


@pytest.fixture
def clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OneFile:
    monkeypatch.setenv("MER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(frame_digests, "SETTLED_NS", -1)  # the files of these tests are as young as can be
    file = tmp_path / "clip"
    file.write_bytes(b"abcdef")
    return OneFile(file)


def another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame_digests, "_kept", {})


def replace(path: Path, content: bytes) -> None:
    """Write a file anew and turn back its time, as copying with its times does."""
    before = path.stat()
    other = path.with_suffix(".new")
    other.write_bytes(content)
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(path)


def test_frames_are_read_once_in_one_process_and_in_the_next(clip: OneFile, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = clip.content([0, 3])
    assert [frames_digest(clip, [0, 3]) for _ in range(3)] == [expected] * 3
    another_process(monkeypatch)
    assert frames_digest(clip, range(0, 4, 3)) == expected
    assert clip.reads == 2


def test_other_frames_of_a_clip_have_their_own_digest(clip: OneFile, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = ([0, 1], [1, 0], [0], [0, 1, 2], [])
    for frames in asked:
        assert frames_digest(clip, frames) == clip.content(frames)
    another_process(monkeypatch)
    reads = clip.reads
    assert [frames_digest(clip, frames) for frames in asked] == [OneFile(clip.path).content(each) for each in asked]
    assert clip.reads == reads


@pytest.mark.parametrize("content", [b"abcdefg", b"xbcdef"])
def test_a_file_that_changed_is_read_again(clip: OneFile, content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where its size and its time of writing are those of the file before."""
    before = frames_digest(clip, [0])
    replace(clip.path, content)
    after = frames_digest(clip, [0])
    assert after == hashlib.sha256(content[:1]).hexdigest()
    assert (before == after) == (content[:1] == b"a")
    assert clip.reads == 2
    another_process(monkeypatch)
    assert frames_digest(clip, [0]) == after


def test_a_file_that_changed_just_now_is_not_trusted_yet(clip: OneFile, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two writes within one tick of the clock leave the same times behind."""
    monkeypatch.setattr(frame_digests, "SETTLED_NS", 10**12)
    for reads in (1, 2):
        frames_digest(clip, [0])
        assert clip.reads == reads


def test_what_is_kept_and_damaged_is_made_anew(clip: OneFile, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = frames_digest(clip, [2])
    [kept] = (Path(os.environ["MER_CACHE"]) / "frames").iterdir()
    for damage in ("", "[]", '{"state": 1}', kept.read_text()[:-5], json.dumps({"state": [], "digests": {}})):
        kept.write_text(damage)
        another_process(monkeypatch)
        assert frames_digest(clip, [2]) == expected


def test_a_cache_that_cannot_be_written_stops_nothing(clip: OneFile, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = clip.path.with_name("blocked")
    blocked.write_text("a file where the folder should be")
    monkeypatch.setenv("MER_CACHE", str(blocked))
    assert frames_digest(clip, [0]) == clip.content([0])


def test_a_missing_file_is_the_sources_own_error(clip: OneFile) -> None:
    frames_digest(clip, [0])
    clip.path.unlink()
    with pytest.raises(DataError, match="missing"):
        frames_digest(clip, [0])


def test_a_folder_of_images_is_read_each_time(clip: OneFile) -> None:
    class Folder:
        reads = 0

        def content(self, indices: Sequence[int] | None = None) -> str:
            self.reads += 1
            return "digest"

    folder = Folder()
    assert [frames_digest(folder, [0]), frames_digest(folder, [0])] == ["digest"] * 2  # type: ignore[arg-type]
    assert folder.reads == 2
