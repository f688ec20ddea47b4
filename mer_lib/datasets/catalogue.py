"""From the manifest to data: loading flow maps, opening clips."""

from __future__ import annotations

import shlex
from functools import partial
from pathlib import Path

from mer_lib.datasets import toy
from mer_lib.datasets.clips import ClipDataset
from mer_lib.datasets.faults import Fault
from mer_lib.datasets.flow_maps import FlowMapDataset, from_clips
from mer_lib.datasets.map_faults import map_faults
from mer_lib.datasets.presence import MAKE_COMMAND, MAP_LAYOUTS, Found, Need, absent, available, find, recorded_place
from mer_lib.datasets.reading import Reading
from mer_lib.datasets.recorded import opening
from mer_lib.datasets.recorded.dataset import as_dataset, composite, together
from mer_lib.datasets.recorded.layouts import LAYOUTS
from mer_lib.datasets.recorded.opening import Recorded
from mer_lib.datasets.synthetic import layout
from mer_lib.datasets.synthetic.opening import open_clips
from mer_lib.errors import DataError, ParameterError, fault_list
from mer_lib.manifest import Entry, Kind, LabelSet, Manifest, load_manifest
from mer_lib.settings import synthetic_root


def label_sets(manifest: Manifest | None = None) -> dict[str, LabelSet]:
    """Return the label sets of the manifest by name: how emotions become classes, paper by paper."""
    return dict((manifest or load_manifest()).label_sets)


def present(
    kind: Kind | None = None, need: Need | None = None, unusable: list[str] | None = None
) -> list[FlowMapDataset | ClipDataset]:
    """Open everything that is here, in the order of the manifest.

    Of data that show the same samples only the richest are opened: no composite, since its data sets are there; no flow
    maps where the recorded clips are; no small synthetic profile where a larger one is.

    Args:
        kind: only data of this kind, "real" or "synthetic".
        need: only data that offer it.
        unusable: takes the reason of each data set that is here and cannot be used.

    Raises:
        DataError: a data set that is here cannot be used, and no list takes the reason.
    """
    chosen = [
        presence
        for presence in available()
        if presence.present and presence.kind != "toy" and kind in (None, presence.kind)
        if need is None or need in presence.offers
    ]
    manifest = load_manifest()
    names = [presence.name for presence in chosen]
    taken = [name for name in names if not _is_shown_by_others(manifest.entry(name), names, manifest)]
    opened: list[FlowMapDataset | ClipDataset] = []
    for name in taken:
        try:
            opened.append(load_clips(name) if _has_clips(manifest.entry(name)) else load(name))
        except DataError as error:
            if unusable is None:
                raise
            unusable.append(str(error))
    return opened


def _is_shown_by_others(entry: Entry, names: list[str], manifest: Manifest) -> bool:
    if entry.of:
        return True  # it is there if and only if its parts are
    before = [manifest.entry(name) for name in names[: names.index(entry.name)]]
    recorded = {part for name in names for part in manifest.entry(name).parts if _has_clips(manifest.entry(name))}
    if entry.layout in MAP_LAYOUTS:
        return set(entry.parts) <= recorded or any(set(entry.parts) <= set(other.parts) for other in before)
    return entry.for_tests or (entry.kind == "synthetic" and any(other.kind == "synthetic" for other in before))


def _has_clips(entry: Entry) -> bool:
    return entry.is_recorded or entry.layout == "synthetic"


def load(name: str, root: Path | None = None, manifest: Manifest | None = None) -> FlowMapDataset:
    """Load the flow maps of a data set.

    Args:
        name: a name of the manifest, or "best": the first in the manifest's order that is there (real data before
            synthetic ones, the toy never). A "best" that is there but damaged is an error, never passed over.
        root: folder above the data sets; :func:`mer_lib.settings.data_root` where none is given.
        manifest: the project's own where none is given.

    Returns:
        The data set without the samples whose map is missing or damaged: its `exclusions` name them.

    Raises:
        ParameterError: the manifest has no such name.
        DataError: the data set is absent (with what to do), cannot be used (all faults at once), or has no flow maps.
    """
    found = find(name, root, manifest)
    entry = found.entry
    if entry.is_recorded:
        raise DataError(
            f"{entry.title} ({entry.name}) has recorded clips and no flow maps: expected a data set with maps, such as "
            f"megc2019_flow or synthetic_demo. features.load({name!r}) computes maps, datasets.load_clips opens clips."
        )
    if not found.presence.present:
        raise absent(found)
    reading = read_maps(found)
    faults = map_faults(reading, entry)
    usable = [clip for clip in reading.clips if clip.pixels is not None]
    _refuse(found, name, faults, usable)
    place = found.presence.path or synthetic_root()
    opening_of = partial(open_clips, entry, place) if entry.layout == "synthetic" else None
    return from_clips(entry.name, entry.title, entry.kind, usable, entry.parts, faults, opening_of)


def load_clips(
    name: str | Path, root: Path | None = None, manifest: Manifest | None = None, images: str | None = None
) -> ClipDataset:
    """Open the clips of a data set: their samples table, and frames when they are asked for.

    Args:
        name: a name of the manifest; "best": the first with frames that is there; or the path of a folder: a licensed
            data set that lies elsewhere, or one's own videos.
        root: folder above the data sets; :func:`mer_lib.settings.data_root` where none is given.
        manifest: the project's own where none is given.
        images: version of the images, such as "cropped"; the preferred one that is there where None.

    Returns:
        The data set without the clips that cannot be used: its `exclusions` name them. With an annotation alone there
        are samples and no frames.

    Raises:
        ParameterError: the manifest has no such name, or there is no such version of the images.
        DataError: the data set is absent or cannot be used, or has flow maps alone.
    """
    found = find(name, root, manifest, need="frames")
    entry, path = found.entry, found.presence.path
    if not _has_clips(entry):
        raise DataError(
            f"{entry.title} ({entry.name}) has flow maps alone: expected a data set with frames, "
            f"such as synthetic_demo (make it with `{MAKE_COMMAND}`)"
        )
    if not entry.is_recorded:
        refuse_version(entry, images)
    if not found.presence.present:
        raise absent(found)
    if entry.is_recorded:
        recorded = read_recorded(found, images)
        dataset = composite(entry, recorded) if entry.of else as_dataset(entry, recorded)
        _refuse(found, name, recorded.faults, dataset.samples["sample_id"])
        return dataset
    reading = read_maps(found)
    _refuse(found, name, map_faults(reading, entry), reading.clips)
    return open_clips(entry, path or synthetic_root())


def read_maps(found: Found, thorough: bool = False) -> Reading:
    """Read the flow maps of a data set that is there; `thorough` compares every byte of synthetic clips."""
    entry, path = found.entry, found.presence.path
    if path is None:
        return Reading(toy.clips(), [])
    if entry.layout == "synthetic":
        return layout.read(path, entry, thorough)
    return MAP_LAYOUTS[entry.layout].read(path, entry)


def read_recorded(found: Found, images: str | None = None, thorough: bool = False) -> Recorded:
    """Read recorded clips that are there; `thorough` decodes every frame."""
    entry, sets = found.entry, found.manifest.label_sets
    if not entry.of:
        return opening.read(found.presence.path or found.root, entry, sets, images, thorough)
    parts = [found.manifest.entry(name) for name in entry.of]
    places = [recorded_place(part, found.root) or found.root for part in parts]
    if images is not None:
        _check_version(entry, images, parts, places)
    read = [
        opening.read(place, part, sets, _version(part, place, images), thorough)
        for part, place in zip(parts, places, strict=True)
    ]
    return together(read, entry, sets[entry.label_set])


def refuse_version(entry: Entry, images: str | None) -> None:
    """Refuse a version of the images of data that have none to choose from.

    Raises:
        ParameterError: one is asked for.
    """
    if images is not None:
        raise ParameterError(f"{entry.name} has no versions of its images: expected none, got {images!r}")


def _check_version(composite: Entry, images: str, parts: list[Entry], places: list[Path]) -> None:
    known = sorted({version for part in parts for version in LAYOUTS[part.layout].versions})
    if images not in known:
        raise ParameterError(f"images of {composite.name}: expected one of {', '.join(known)}, got {images!r}")
    if not any(_version(part, place, images) for part, place in zip(parts, places, strict=True)):
        raise DataError(f"{composite.title}: no {images} images in any of {', '.join(composite.of)}")


def _version(part: Entry, place: Path, images: str | None) -> str | None:
    """Return the version wanted of a composite where that part has it, and the part's preferred one elsewhere."""
    return images if images in LAYOUTS[part.layout].image_folders(place) else None


def _refuse(found: Found, name: str | Path, faults: tuple[Fault, ...], usable: object) -> None:
    fatal = [str(fault) for fault in faults if fault.effect == "unusable"]
    entry, path = found.entry, found.presence.path
    if fatal:
        raise DataError(
            f"{entry.title} at {path or found.root} is not what the manifest expects, in {len(fatal)} points:\n"
            f"{fault_list(fatal)}\n"
            f"See `mer data check {shlex.quote(str(name))}`. Obtain it afresh: {entry.how_to_obtain}"
        )
    if not len(usable):  # type: ignore[arg-type]
        reasons = fault_list(str(fault) for fault in faults if fault.effect == "excludes")
        raise DataError(f"{entry.title} at {path or found.root} has no sample that can be used:\n{reasons}")
