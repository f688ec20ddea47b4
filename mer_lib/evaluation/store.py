"""The prediction store: one self-checking Parquet file a fold, at the address of its content.

::

    <root>/<model>-<address>/variant.json                what was run, on which data, by which code
    <root>/<model>-<address>/seed0-fold003.parquet        what it predicted
    <root>/<model>-<address>/seed0-fold004.failed.json    why there is no such file: the traceback of the last try
    <root>/<model>-<address>/events.jsonl                 when, how long, on what: information, never a result

The address is a digest of the variant, the data, and the code that decides the result. A file holds the same bytes
whenever and wherever on one machine it is computed; see :mod:`mer_lib.evaluation.fold_file`.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from mer_lib import __version__, atomic
from mer_lib.errors import StoreError
from mer_lib.evaluation.fold_file import FoldResult, decode, encode
from mer_lib.evaluation.variant import Variant

DESCRIPTION = "variant.json"


def result_address(variant: Variant, data_digest: str, code: str) -> str:
    """Return the folder name of a result: the model's name and 16 digits of (variant, data, code)."""
    text = f"{variant.canonical()}\n{data_digest}\n{code}"
    return f"{variant.model.name}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


class PredictionStore:
    """Read and write fold files below `root`. Several processes may use one store at once."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root)

    def folder(self, address: str) -> Path:
        """Return the folder of one result."""
        return self.root / address

    def path(self, address: str, fold: int, seed: int) -> Path:
        """Return the file of one fold."""
        return self.folder(address) / f"seed{seed}-fold{fold:03d}.parquet"

    def checkpoint(self, address: str, fold: int, seed: int) -> Path:
        """Return the file that holds the state of a fold's training while it runs."""
        return self.path(address, fold, seed).with_suffix(".checkpoint")

    def write(self, address: str, fold: int, seed: int, result: FoldResult) -> Path:
        """Write one fold's file, whole or not at all.

        Raises:
            StoreError: the folder cannot be written (full, read-only).
        """
        return self.put(address, fold, seed, encode(result))

    def put(self, address: str, fold: int, seed: int, data: bytes) -> Path:
        """Write one fold's file, as :func:`encode` made it anywhere; an earlier failure of the fold is forgotten.

        Raises:
            StoreError: the folder cannot be written (full, read-only).
        """
        path = self.path(address, fold, seed)
        with _writing(path):
            atomic.write_bytes(path, data)
            self._failure(address, fold, seed).unlink(missing_ok=True)
        return path

    def fail(self, address: str, fold: int, seed: int, traceback: str) -> None:
        """Keep why a fold has no file, until it gets one.

        Raises:
            StoreError: the folder cannot be written (full, read-only).
        """
        content = {"fold": fold, "seed": seed, "traceback": traceback, "failed": utc_now(), "mer_lib": __version__}
        path = self._failure(address, fold, seed)
        with _writing(path):
            atomic.write_text(path, json.dumps(content, indent=2, sort_keys=True) + "\n")

    def failures(self, address: str) -> list[dict[str, Any]]:
        """Return the failed folds of one result: `fold`, `seed`, `traceback`, `failed` (when), `mer_lib` (version)."""
        files = sorted(self.folder(address).glob("seed*.failed.json"))
        told = [entry for file in files if (entry := _read_json(file)) is not None]
        lacking = [entry for entry in told if not self.path(address, entry["fold"], entry["seed"]).exists()]
        return sorted(lacking, key=lambda entry: (entry["seed"], entry["fold"]))

    def read(self, address: str, fold: int, seed: int) -> FoldResult:
        """Read and check one fold's file.

        Raises:
            StoreError: the file is missing, cut off, altered, or belongs to another fold.
        """
        path = self.path(address, fold, seed)
        try:
            result = decode(path.read_bytes())
        except FileNotFoundError:
            raise StoreError(f"{path}: expected the predictions of this fold, found no file; run it first") from None
        except OSError as error:
            raise StoreError(f"{path}: cannot be read ({error.strerror}); check disk and permissions") from error
        except ValueError as error:
            raise StoreError(f"{path}: damaged ({error}); it will be computed again by the next run") from None
        named = (result.metadata["address"], result.metadata["fold"], result.metadata["seed"])
        if named != (address, fold, seed):
            raise StoreError(f"{path}: expected address, fold and seed {(address, fold, seed)}, it holds {named}")
        return result

    def state(
        self,
        address: str,
        fold: int,
        seed: int,
        fitted_on: Iterable[str] | None = None,
        tested_on: Iterable[str] | None = None,
    ) -> str:
        """Return ``"done"``, ``"missing"``, or what is wrong with the file.

        Args:
            address, fold, seed: which file.
            fitted_on: the training samples that it must state, where they are known; a file made with another split
                (by another version of scikit-learn, or before somebody's gender became known) does not hold this fold.
            tested_on: the test samples that it must hold, likewise.
        """
        if not self.path(address, fold, seed).exists():
            return "missing"
        try:
            stored = self.read(address, fold, seed)
        except StoreError as error:
            return str(error)
        tested = stored.predictions.loc[stored.predictions["role"] == "test", "sample_id"]
        others = fitted_on is not None and stored.metadata["fitted_on"] != sorted(fitted_on)
        if others or (tested_on is not None and set(tested) != set(tested_on)):
            return f"{self.path(address, fold, seed)}: made with another split; it will be computed again"
        return "done"

    def describe(self, address: str, description: Mapping[str, Any]) -> None:
        """Leave `variant.json` beside the folds, so that a person can tell what the folder holds.

        Args:
            address: the folder.
            description: see :func:`mer_lib.evaluation.description.description_of`; whoever asked for the result before
                (its entry `asked_by`) is not forgotten.

        Raises:
            StoreError: the folder cannot be written (full, read-only).
        """
        before = self.description(address) or {}
        asked_by = sorted({*before.get("asked_by", ()), *description["asked_by"]})
        content = {**description, "asked_by": asked_by}
        if content != before:
            path = self.folder(address) / DESCRIPTION
            with _writing(path):
                atomic.write_text(path, json.dumps(content, indent=2, sort_keys=True) + "\n")

    def description(self, address: str) -> dict[str, Any] | None:
        """Return what :meth:`describe` left in a folder, or None where there is nothing that can be read."""
        return _read_json(self.folder(address) / DESCRIPTION)

    def descriptions(self) -> dict[str, dict[str, Any]]:
        """Return every folder's description by its address, the one that was written last at the end."""
        files = sorted(self.root.glob(f"*/{DESCRIPTION}"), key=lambda file: (file.stat().st_mtime_ns, file))
        return {file.parent.name: content for file in files if (content := _read_json(file)) is not None}

    def sweep(self, address: str) -> None:
        """Remove what killed processes left in one folder: temporary files, checkpoints of finished folds."""
        folder = self.folder(address)
        atomic.sweep(folder)
        for checkpoint in folder.glob("*.checkpoint"):
            if checkpoint.with_suffix(".parquet").exists():
                with suppress(OSError):  # a read-only store can still be read
                    checkpoint.unlink()

    def _failure(self, address: str, fold: int, seed: int) -> Path:
        return self.path(address, fold, seed).with_suffix(".failed.json")

    def log(self, address: str, event: dict[str, Any]) -> None:
        """Append one line to `events.jsonl` in a single write, so that lines of several processes do not mix."""
        line = (json.dumps(event, sort_keys=True) + "\n").encode()
        path = self.folder(address) / "events.jsonl"
        with _writing(path):
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            try:
                os.write(handle, line)
            finally:
                os.close(handle)

    def events(self, address: str) -> list[dict[str, Any]]:
        """Return the logged events of one result; a line cut off by a crash is left out."""
        path = self.folder(address) / "events.jsonl"
        if not path.exists():
            return []
        return [event for line in path.read_text("utf-8").splitlines() if (event := _event(line)) is not None]


def utc_now() -> str:
    """Return date and time in UTC as ISO 8601 has them, to the second."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _read_json(path: Path) -> dict[str, Any] | None:
    """Return what a file holds; None where there is none, or one that an older version or a crash left."""
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turn the operating system's errors of the block into a StoreError that says what to do."""
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"{path}: cannot be written ({error.strerror}). Free space or set MER_STORE to a writable folder; "
            "finished folds are kept, and the next run goes on from here"
        ) from error


def _event(line: str) -> dict[str, Any] | None:
    try:
        return json.loads(line)
    except json.JSONDecodeError:
        return None
