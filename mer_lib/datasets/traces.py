"""What lies on the disk of the recorded data sets that are here, told without reading it."""

from __future__ import annotations

from pathlib import Path

from mer_lib.datasets.presence import MAP_LAYOUTS, available
from mer_lib.datasets.recorded.layouts import LAYOUTS
from mer_lib.manifest import load_manifest


def traces() -> list[str]:
    """Return a line for each annotation file and folder of images or flow maps of the data sets that are here.

    A line changes when an annotation was written anew, or a folder of subjects or a map was added or removed; whoever
    keeps something that was made of the data can tell by them that it may be out of date.
    """
    entries = {entry.name: entry for entry in load_manifest().datasets}
    lines = []
    for presence in available():
        layout = LAYOUTS.get(entries[presence.name].layout)
        if layout and presence.path:
            places = [*layout.annotation_files(presence.path), *layout.image_folders(presence.path).values()]
            lines += [f"{presence.name} {_mark(place)}" for place in places]
        elif entries[presence.name].layout in MAP_LAYOUTS and presence.path:
            lines += [f"{presence.name} {_mark(place)}" for place in _map_places(presence.path)]
    return lines


def _map_places(root: Path) -> list[Path]:
    """Return a folder, the tables in it, and the same of all folders below it but hidden ones, such as that of git."""
    below = sorted(child for child in root.iterdir() if child.is_dir() and not child.name.startswith("."))
    return [root, *sorted(root.glob("*.csv")), *(place for child in below for place in _map_places(child))]


def _mark(place: Path) -> str:
    stat = place.stat()
    return f"{place} {stat.st_size} {stat.st_mtime_ns}"
