"""One fold's predictions as bytes: a Parquet table that checks itself, the same for the same content.

The schema's metadata carry a checksum of all bytes, so what was cut off or altered is recognised; anyone can read it
with ``pandas.read_parquet``.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mer_lib.evaluation.frames import probability_columns

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


@dataclass(frozen=True)
class FoldResult:
    """What one fold left behind: its predictions (see :func:`columns_of`) and how they came about.

    `metadata` names the `classes`.
    """

    predictions: pd.DataFrame
    metadata: dict[str, Any]


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
