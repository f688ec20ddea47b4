"""The samples table: one row a clip, and what must be true of every row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

import pandas as pd
import pandera.pandas as pa

from mer_lib.errors import DataError, fault_list
from mer_lib.manifest import ApexSource, ClassName

# The order is the label code of the MEGC2019 list: 0 negative, 1 positive, 2 surprise.
CLASSES: tuple[str, ...] = get_args(ClassName)
APEX_SOURCES: tuple[str, ...] = get_args(ApexSource)

_ID_PART = r"[^/\s]+"


def _text(nullable: bool, *checks: pa.Check, unique: bool = False) -> pa.Column:
    return pa.Column(pd.StringDtype(), list(checks), nullable=nullable, coerce=True, unique=unique)


def _count(*checks: pa.Check) -> pa.Column:
    return pa.Column(pd.Int64Dtype(), list(checks), nullable=True, coerce=True)


_IS_ID_PART = pa.Check.str_matches(rf"^{_ID_PART}$", error="holds a blank or a slash, or is empty")

#: Columns of the samples table. Frame numbers are those of the data set's own file names, `fps` is in
#: frames per second; everything nullable is missing where a data set does not say it.
SCHEMA = pa.DataFrameSchema(
    {
        "sample_id": _text(False, unique=True),
        "dataset": _text(False, _IS_ID_PART),
        "subject": _text(False, _IS_ID_PART),
        "clip": _text(False, _IS_ID_PART),
        "fps": pa.Column(pd.Float64Dtype(), pa.Check.gt(0, error="is not above 0"), nullable=True, coerce=True),
        "onset": _count(),
        "apex": _count(),
        "offset": _count(),
        "apex_source": _text(True, pa.Check.isin(APEX_SOURCES, error=f"is not one of {', '.join(APEX_SOURCES)}")),
        "emotion": _text(True),
        "label3": _text(True, pa.Check.isin(CLASSES, error=f"is not one of {', '.join(CLASSES)}")),
        "action_units": _text(True),
        "gender": _text(True),
        "n_frames": _count(pa.Check.gt(0, error="is not above 0")),
    },
    strict=True,
    name="samples",
)
COLUMNS: tuple[str, ...] = tuple(SCHEMA.columns)


# How the schema's own checks read to a user.
_PHRASES = {
    "not_nullable": "is missing",
    "field_uniqueness": "occurs more than once",
    "column_in_dataframe": "is missing",
    "column_in_schema": "is unknown",
}


def sample_id(dataset: str, subject: str, clip: str) -> str:
    """The key that joins everything.

    >>> sample_id("casme2", "sub01", "EP02_01f")
    'casme2/sub01/EP02_01f'
    """
    return f"{dataset}/{subject}/{clip}"


def check_samples(samples: pd.DataFrame) -> pd.DataFrame:
    """Check a samples table against its schema and hand it back with the schema's types.

    Args:
        samples: a table with the columns of :data:`COLUMNS`, in any order.

    Returns:
        A copy with columns in the schema's order, the schema's types, and a fresh index.

    Raises:
        DataError: with all faults at once: columns, types, values, repeated ids, ids that do not say
            ``<dataset>/<subject>/<clip>``, frames that are not in the order onset <= apex <= offset.
    """
    try:
        checked = SCHEMA.validate(samples.reset_index(drop=True), lazy=True)
    except pa.errors.SchemaErrors as error:
        raise _broken(list(dict.fromkeys(_schema_faults(error, samples)))) from None
    faults = [*_id_faults(checked), *_frame_faults(checked)]
    if faults:
        raise _broken(faults)
    return checked[list(COLUMNS)]


def qualified_subjects(samples: pd.DataFrame) -> pd.Series:
    """Subjects as ``<dataset>/<subject>``: ids such as "01" recur in several data sets.

    >>> table = pd.DataFrame({"dataset": ["toya", "toyb"], "subject": ["01", "01"]})
    >>> qualified_subjects(table).tolist()
    ['toya/01', 'toyb/01']
    """
    return (samples["dataset"] + "/" + samples["subject"]).rename("subject")


def _broken(faults: list[str]) -> DataError:
    return DataError(f"The samples table breaks its contract in {len(faults)} places:\n{fault_list(faults)}")


def _schema_faults(error: pa.errors.SchemaErrors, samples: pd.DataFrame) -> Iterator[str]:
    cases = error.failure_cases
    ids = samples["sample_id"].reset_index(drop=True) if "sample_id" in samples else None
    wrong_type = cases["check"].astype(str).str.startswith("coerce_dtype")
    # A column of the wrong type fails its other checks too; those failures say nothing new.
    follow_up = cases["column"].isin(cases.loc[wrong_type, "column"]) & ~wrong_type
    for case in cases[~follow_up].itertuples():
        check = str(case.check)
        if case.schema_context == "DataFrameSchema":
            yield f"column {case.failure_case} {_PHRASES.get(check, check)}"
        else:
            row = f" of {ids[int(case.index)]}" if ids is not None and pd.notna(case.index) else ""
            phrase = "has the wrong type" if check.startswith("coerce_dtype") else _PHRASES.get(check, check)
            yield f"{case.column}{row}: {case.failure_case!r} {phrase}"


def _id_faults(samples: pd.DataFrame) -> Iterator[str]:
    expected = samples["dataset"] + "/" + samples["subject"] + "/" + samples["clip"]
    for got, want in zip(samples["sample_id"], expected, strict=True):
        if got != want:
            yield f"sample_id is {got!r}, but dataset, subject and clip say {want!r}"


def _frame_faults(samples: pd.DataFrame) -> Iterator[str]:
    # An apex on the onset is a fact of the annotations (its flow is zero), so it is no fault of the table.
    onset, apex, offset = samples["onset"], samples["apex"], samples["offset"]
    wrong = (onset > apex).fillna(False) | (apex > offset).fillna(False) | (onset >= offset).fillna(False)
    for row in samples[wrong].itertuples():
        yield f"{row.sample_id}: onset {row.onset}, apex {row.apex}, offset {row.offset} are not in order"
