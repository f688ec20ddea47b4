"""Files are written whole or not at all, and what a killed process leaves is cleared away later."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from mer_lib import atomic


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_writes_bytes_and_text_and_creates_folders(tmp_path: Path) -> None:
    atomic.write_bytes(tmp_path / "a" / "b.bin", b"\0\1")
    atomic.write_text(tmp_path / "a" / "c.txt", "ä\n")
    assert (tmp_path / "a" / "b.bin").read_bytes() == b"\0\1"
    assert (tmp_path / "a" / "c.txt").read_bytes() == "ä\n".encode()
    assert files(tmp_path / "a") == ["b.bin", "c.txt"]


def test_others_may_read_what_was_written(tmp_path: Path) -> None:
    atomic.write_bytes(tmp_path / "x", b"1")
    assert (tmp_path / "x").stat().st_mode & 0o444 == 0o444


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failed_write_keeps_the_old_file_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, error: BaseException
) -> None:
    def fail(*_: object) -> None:
        raise error

    path = tmp_path / "x"
    path.write_bytes(b"old")
    monkeypatch.setattr(*((os, "fsync") if step == "fsync" else (Path, "replace")), fail)
    with pytest.raises(type(error)):
        atomic.write_bytes(path, b"new")
    assert path.read_bytes() == b"old"
    assert files(tmp_path) == ["x"]


def test_the_final_name_appears_only_when_all_bytes_are_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[bool, list[int]]] = []

    def watch(_: int) -> None:
        temporary = [file.stat().st_size for file in tmp_path.iterdir()]
        seen.append(((tmp_path / "x").exists(), temporary))

    monkeypatch.setattr(os, "fsync", watch)
    atomic.write_bytes(tmp_path / "x", b"12345")
    assert seen == [(False, [5])]


def test_sweep_removes_abandoned_temporary_files_alone(tmp_path: Path) -> None:
    long_ago = time.time() - atomic.ABANDONED_AFTER_S - 60
    for name in (".a.parquet.x1.tmp", "kept.parquet", ".hidden", "notes.tmp"):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (long_ago, long_ago))
    (tmp_path / ".b.parquet.x2.tmp").touch()  # may be in use by another process
    atomic.sweep(tmp_path)
    assert files(tmp_path) == [".b.parquet.x2.tmp", ".hidden", "kept.parquet", "notes.tmp"]


def test_sweep_knows_the_temporary_files_of_a_killed_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "replace", lambda *_: None)  # the process ends between writing and renaming
    atomic.write_bytes(tmp_path / "fold.parquet", b"1")
    (left,) = tmp_path.iterdir()
    long_ago = time.time() - atomic.ABANDONED_AFTER_S - 60
    os.utime(left, (long_ago, long_ago))
    atomic.sweep(tmp_path)
    assert files(tmp_path) == []


def test_sweep_of_an_absent_folder_or_one_that_cannot_be_cleared_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    atomic.sweep(tmp_path / "absent")
    (tmp_path / ".a.tmp").touch()
    os.utime(tmp_path / ".a.tmp", (0, 0))
    monkeypatch.setattr(Path, "unlink", fail)
    atomic.sweep(tmp_path)
