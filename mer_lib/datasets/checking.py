"""A data set on the disk compared with what it should be: every fault at once, and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from mer_lib.datasets.catalogue import read_maps, read_recorded, refuse_version
from mer_lib.datasets.faults import Fault, exclusions, fault_table
from mer_lib.datasets.frames.source import printable
from mer_lib.datasets.map_faults import counted, map_faults, table_of
from mer_lib.datasets.presence import MAP_LAYOUTS, Found, find
from mer_lib.datasets.samples import sample_id
from mer_lib.manifest import Kind, Manifest

Status = Literal["usable", "counts differ", "usable with exclusions", "annotation only", "unusable", "absent"]
#: Exit codes of ``mer data check``: 0 all is well; 1 it can be worked with, but is not all of the data set; 2 not.
EXIT_CODES: dict[Status, int] = {
    "usable": 0,
    "counts differ": 1,
    "usable with exclusions": 1,
    "annotation only": 1,
    "unusable": 2,
    "absent": 2,
}


@dataclass(frozen=True, eq=False)
class CheckReport:
    """What a check found.

    Attributes:
        status: whether the data set can be worked with.
        path: its folder; None where it is absent, generated in memory, or lies in several folders.
        images: which version of the images was read; None where none are there, or the data are flow maps.
        faults: everything that is not as it should be.
        how_to_obtain: what to do; None unless the data set is absent.
        counts: what can be used: one row a sub-dataset and one for "all", columns subjects, one a class, samples,
            excluded.
    """

    name: str
    title: str
    kind: Kind
    status: Status
    path: Path | None
    images: str | None
    faults: tuple[Fault, ...]
    how_to_obtain: str | None
    counts: pd.DataFrame

    @property
    def exit_code(self) -> int:
        """0: usable; 1: usable, but with exclusions, without images, or in unexpected numbers; 2: not usable."""
        return EXIT_CODES[self.status]

    def as_json(self) -> dict[str, Any]:
        """Return the report in types that JSON has."""
        return {
            "name": self.name,
            "title": self.title,
            "kind": self.kind,
            "status": self.status,
            "exit_code": self.exit_code,
            "path": printable(self.path) if self.path else None,
            "images": self.images,
            "how_to_obtain": self.how_to_obtain,
            "counts": self.counts.astype(int).to_dict(orient="index"),
            "faults": fault_table(self.faults).to_dict(orient="records"),
            "excluded": exclusions(self.faults).to_dict(orient="records"),
        }


def check(
    name: str | Path, root: Path | None = None, manifest: Manifest | None = None, images: str | None = None
) -> CheckReport:
    """Read a data set, every frame of it, and compare it with the manifest.

    Args:
        name: a name of the manifest, "best", or the path of a folder, as for :func:`mer_lib.datasets.load_clips`.
        root: folder above the data sets; :func:`mer_lib.settings.data_root` where none is given.
        manifest: the project's own where none is given.
        images: version of the images, such as "cropped"; the preferred one that is there where None.

    Raises:
        ParameterError: the manifest has no such name, or there is no such version of the images.
        DataError: "best" was asked for and nothing is there, or a folder holds nothing that is known.
    """
    found = find(name, root, manifest)
    if not found.presence.present:
        return _report(found, "absent", None, (), table_of([]))
    if found.entry.is_recorded:
        recorded = read_recorded(found, images, thorough=True)
        faults = (*recorded.faults, *_against_list(recorded.rows, found))
        rows = recorded.rows if not found.entry.of else recorded.rows.dropna(subset="label3")
        return _report(found, _status(faults, rows, bool(recorded.images)), recorded.images, faults, rows)
    refuse_version(found.entry, images)
    reading = read_maps(found, thorough=True)
    faults = map_faults(reading, found.entry)
    rows = table_of(reading.clips)
    return _report(found, _status(faults, rows, images=True), None, faults, rows)


def _report(
    found: Found, status: Status, images: str | None, faults: tuple[Fault, ...], rows: pd.DataFrame
) -> CheckReport:
    entry = found.entry
    excluded = exclusions(faults)["sample_id"]
    counts = counted(rows[~rows["sample_id"].isin(excluded)], list(entry.parts))
    of_part = excluded.str.split("/").str[0].value_counts()
    counts["excluded"] = [len(excluded) if name == "all" else int(of_part.get(name, 0)) for name in counts.index]
    return CheckReport(
        name=entry.name,
        title=entry.title,
        kind=entry.kind,
        status=status,
        path=found.presence.path,
        images=images,
        faults=faults,
        how_to_obtain=None if found.presence.present else entry.how_to_obtain,
        counts=counts,
    )


def _status(faults: tuple[Fault, ...], rows: pd.DataFrame, images: bool) -> Status:
    excluded = exclusions(faults)
    if any(fault.effect == "unusable" for fault in faults) or rows["sample_id"].isin(excluded["sample_id"]).all():
        return "unusable"
    if not images:
        return "annotation only"
    if len(excluded):
        return "usable with exclusions"
    return "counts differ" if any(fault.kind == "count" for fault in faults) else "usable"


def _against_list(rows: pd.DataFrame, found: Found) -> list[Fault]:
    """Compare a composite clip by clip with the published list of its labels, where that is there."""
    if not found.entry.of:
        return []
    published = _published_labels(found)
    got = rows.dropna(subset="label3").set_index("sample_id")["label3"]
    names = sorted(published.keys() | set(got.index)) if published else []
    said = [(name, published.get(name, "nothing"), got.get(name, "nothing")) for name in names]
    return [
        Fault("noted", "contradiction", f"the published list says {listed}, the annotation gives {here}", name)
        for name, listed, here in said
        if listed != here
    ]


def _published_labels(found: Found) -> dict[str, str]:
    for entry in found.manifest.datasets:
        if entry.layout in MAP_LAYOUTS and set(entry.parts) == set(found.entry.parts):
            listed = find(entry.name, found.root, found.manifest)
            if listed.presence.present:
                clips = read_maps(listed).clips
                return {sample_id(*clip[:3]): clip.label3 for clip in clips if clip.label3}
    return {}
