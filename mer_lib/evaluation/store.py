"""The prediction store: one self-checking Parquet file a fold, at the address of its content.

::

    <root>/<model>-<address>/variant.json            what was run, for people
    <root>/<model>-<address>/seed0-fold003.parquet    what it predicted
    <root>/<model>-<address>/events.jsonl             when, how long, on what: information, never a result

The address is a digest of the variant, the data, and the code that decides the result. A file holds the same bytes
whenever and wherever on one machine it is computed. Its schema metadata carry a checksum of all its bytes, so a file
that was cut off or altered is recognised; anyone can read it with ``pandas.read_parquet``.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mer_lib import atomic
from mer_lib.errors import StoreError
from mer_lib.evaluation.frames import probability_columns
from mer_lib.evaluation.variant import Variant

_COLUMNS: dict[str, Any] = {
    "sample_id": pa.string(),
    "fold": pa.int32(),
    "seed": pa.int32(),
    "epoch": pa.int32(),
    "role": pa.string(),
    "y_true": pa.int8(),
}
METADATA_KEY = b"mer"
_SEAL, _BLANK = b'"sha256": "', "0" * 64


def columns_of(classes: Iterable[str]) -> dict[str, Any]:
    """Return the columns of a file of predictions and their types: one probability for each of `classes`."""
    return _COLUMNS | dict.fromkeys(probability_columns(classes), pa.float32())


def result_address(variant: Variant, data_digest: str, code: str) -> str:
    """Return the folder name of a result: the model's name and 16 digits of (variant, data, code)."""
    text = f"{variant.canonical()}\n{data_digest}\n{code}"
    return f"{variant.model.name}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


@dataclass(frozen=True)
class FoldResult:
    """What one fold left behind: its predictions (see :func:`columns_of`) and how they came about.

    `metadata` names the `classes`.
    """

    predictions: pd.DataFrame
    metadata: dict[str, Any]


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
        path = self.path(address, fold, seed)
        with _writing(path):
            atomic.write_bytes(path, encode(result))
        return path

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

    def describe(self, address: str, variant: Variant, data_name: str, data_digest: str, code: str) -> None:
        """Leave `variant.json` beside the folds, so that a person can tell what the folder holds."""
        content = {
            "variant": variant.model_dump(mode="json"),
            "data": data_name,
            "data_digest": data_digest,
            "code_version": code,
        }
        path = self.folder(address) / "variant.json"
        if not path.exists():
            with _writing(path):
                atomic.write_text(path, json.dumps(content, indent=2, sort_keys=True) + "\n")

    def sweep(self, address: str) -> None:
        """Remove what killed processes left in one folder: temporary files, checkpoints of finished folds."""
        folder = self.folder(address)
        atomic.sweep(folder)
        for checkpoint in folder.glob("*.checkpoint"):
            if checkpoint.with_suffix(".parquet").exists():
                with suppress(OSError):  # a read-only store can still be read
                    checkpoint.unlink()

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


def encode(result: FoldResult) -> bytes:
    """Return the bytes of a fold's file: the same for the same content."""
    columns = columns_of(result.metadata["classes"])
    table = pa.table({name: pa.array(result.predictions[name], type=kind) for name, kind in columns.items()})
    metadata = {**result.metadata, "sha256": _BLANK}
    table = table.replace_schema_metadata({METADATA_KEY: json.dumps(metadata, sort_keys=True)})
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return _sealed(buffer.getvalue())


def decode(data: bytes) -> FoldResult:
    """Return what :func:`encode` was given.

    Raises:
        ValueError: the bytes are not a whole, unaltered fold file; the message says in which way.
    """
    if _SEAL not in data:
        raise ValueError(f"{len(data)} bytes without a checksum: cut off, or no file of predictions")
    if _sealed(data) != data:
        raise ValueError("its bytes do not match its checksum")
    table = pq.read_table(io.BytesIO(data))
    metadata = json.loads(table.schema.metadata[METADATA_KEY])
    if table.column_names != (expected := list(columns_of(metadata["classes"]))):
        raise ValueError(f"expected the columns {expected}, got {table.column_names}")
    del metadata["sha256"]
    return FoldResult(table.to_pandas(), metadata)


def _sealed(data: bytes) -> bytes:
    """Return `data` with the checksum filled in: the SHA-256 of all its bytes, those of the checksum being blank."""
    start = data.rindex(_SEAL) + len(_SEAL)
    end = start + len(_BLANK)
    digest = hashlib.sha256(data[:start] + _BLANK.encode() + data[end:]).hexdigest()
    return data[:start] + digest.encode() + data[end:]
