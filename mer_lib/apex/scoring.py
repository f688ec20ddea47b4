"""Spotters judged: how far from the apex they are on clips whose apex is known, and from two controls.

The controls stand in every table. "middle" takes the middle frame and beats several published methods; "random" is what
to expect of a frame drawn at random.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import joblib
import numpy as np
import pandas as pd

from mer_lib.apex.curves import Search, middle
from mer_lib.apex.registration import REGISTRATIONS, Registration
from mer_lib.apex.spotting import spot
from mer_lib.datasets import ClipDataset
from mer_lib.errors import DataError, MerError, ParameterError, fault_list
from mer_lib.faces import detector
from mer_lib.orphans import delayed

#: A spotted frame counts as right within so much of the clip's length from onset to offset.
NEAR = 0.1
CONTROLS: tuple[str, ...] = ("middle", "random")

#: Returns the 478 landmarks in px of a clip's onset frame, uint8 (H, W, 3); given its sample id too.
FindPoints = Callable[[str, np.ndarray], np.ndarray]
Listener = Callable[[int, int, str], None]


class Task(NamedTuple):
    """One way to spot, by the names of :func:`mer_lib.apex.spot`; `search` None: the method's own."""

    method: str
    registration: Registration = "none"
    search: Search | None = None


#: Each method as published and with this laboratory's defaults, without and with registration.
TASKS: tuple[Task, ...] = tuple(
    Task(method, registration)
    for method in (
        "dnc_rois_published",
        "dnc_rois",
        "cell_difference_published",
        "cell_difference",
        "region_flow",
    )
    for registration in REGISTRATIONS
)


class _Clip(NamedTuple):
    """What judging a clip needs; frames from onset to offset."""

    sample_id: str
    frames: np.ndarray
    points: np.ndarray
    apex: int
    fps: float
    expression: np.ndarray | None
    known: str


def score(
    clips: ClipDataset,
    ids: Iterable[str] | None = None,
    tasks: Sequence[Task] = TASKS,
    *,
    points: FindPoints | None = None,
    jobs: int = 1,
    listener: Listener | None = None,
) -> pd.DataFrame:
    """Spot the apex of clips whose apex is known, in several ways.

    Args:
        clips: with frames. Onset and offset are taken as they are annotated, or drawn.
        ids: which clips; all with an apex that nobody spotted by a program where None.
        tasks: ways to spot; the two controls are added.
        points: finds the landmarks; MediaPipe's mesh where None.
        jobs: number of processes; the table is the same for any number.
        listener: called with the number of clips done, of all, and the sample id.

    Returns:
        One row a (clip, task), in the order of `ids`: sample_id, method, registration, search, index (from onset;
        missing for "random"), apex (from onset), length (offset - onset, frames), fps, error_frames, error_ms, within
        (1 where the error is at most a tenth of the length, else 0), reached (share of the drawn expression's greatest
        displacement that the spotted frame shows; missing where recorded), confidence, known (where the apex comes
        from: "generated" on synthetic clips, else "annotated" or "corrected"). Of "random", errors and shares are
        those to expect.

    Raises:
        ParameterError: there is no clip, no task, or `jobs` is below 1.
        DataError: some clip has no frames, moments out of order, or no face in its onset frame; every such clip is
            named.
    """
    chosen = _known_ids(clips) if ids is None else list(ids)
    if not chosen or not tasks or jobs < 1:
        raise ParameterError(
            f"score: expected a clip, a task and a process or more, got {len(chosen)}, {len(tasks)} and {jobs}"
        )
    calls = (delayed(_judged)(clip, tuple(tasks)) for clip in _opened(clips, chosen, points or _mesh_of))
    workers = joblib.Parallel(n_jobs=min(jobs, len(chosen)), return_as="generator", max_nbytes=None, batch_size=1)
    rows: list[dict[str, Any]] = []
    for done, (sample_id, judged) in enumerate(zip(chosen, workers(calls), strict=True), 1):
        rows += judged
        if listener:
            listener(done, len(chosen), sample_id)
    return pd.DataFrame(rows).astype({"index": "Int64"})


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table to show: one row a way to spot, the best first.

    Columns: method, registration, search, n (clips), mae_frames, mae_ms, within (share of the clips), reached (mean
    share of the drawn movement; missing where recorded), known (where the apexes come from).

    Raises:
        ParameterError: the middle frame is not in the table: expected one of :func:`score`.
    """
    if "middle" not in set(table.get("method", ())):
        raise ParameterError("summary: expected a table as score returns it, with the middle frame in it")
    ways = table.groupby(["method", "registration", "search"], sort=False)
    means = ways.agg(
        n=("sample_id", "nunique"),
        mae_frames=("error_frames", "mean"),
        mae_ms=("error_ms", "mean"),
        within=("within", "mean"),
        reached=("reached", "mean"),
        known=("known", lambda sources: ", ".join(sorted(set(sources)))),
    )
    return means.reset_index().sort_values("mae_ms", kind="stable", ignore_index=True)


def _known_ids(clips: ClipDataset) -> list[str]:
    samples = clips.samples
    known = samples[["onset", "apex", "offset"]].notna().all(axis=1) & (samples["apex_source"] != "spotted")
    return [str(sample_id) for sample_id in samples.loc[known, "sample_id"]]


# -- in this process: read --------------------------------------------------------------------------------------------


def _opened(clips: ClipDataset, ids: list[str], points: FindPoints) -> Iterator[_Clip]:
    """Yield clips one by one; those that cannot be opened are named together at the end."""
    faults = []
    for sample_id in ids:
        try:
            clip = _open(clips, sample_id, points)
        except MerError as error:
            faults.append(str(error))
        else:
            yield clip
    if faults:
        raise DataError(f"score: leave out, or mend, these clips:\n{fault_list(faults)}")


def _open(clips: ClipDataset, sample_id: str, points: FindPoints) -> _Clip:
    moments = clips.moments(sample_id)
    onset, apex, offset = moments
    if not onset <= apex <= offset or onset == offset:
        raise DataError(f"{sample_id}: expected onset <= apex <= offset, and onset < offset, got {tuple(moments)}")
    frames = clips.frames(sample_id, range(onset, offset + 1))
    try:
        found = points(sample_id, frames[0])
    except DataError as error:
        raise DataError(f"{sample_id}: {error}") from None
    row = clips.samples.set_index("sample_id").loc[sample_id]
    drawn = clips.truth(sample_id).plan.expression[onset : offset + 1] if clips.kind == "synthetic" else None
    return _Clip(sample_id, frames, found, apex - onset, float(row["fps"]), drawn, str(row["apex_source"]))


def _mesh_of(sample_id: str, frame: np.ndarray) -> np.ndarray:
    return detector("mediapipe").detect(frame).face.points


# -- in a process of its own: judge -----------------------------------------------------------------------------------


def _judged(clip: _Clip, tasks: tuple[Task, ...]) -> list[dict[str, Any]]:
    return [*(_row(clip, task) for task in tasks), *_controls(clip)]


def _row(clip: _Clip, task: Task) -> dict[str, Any]:
    spotted = spot(clip.frames, clip.points, task.method, task.registration, task.search, clip.fps)
    way = {"method": task.method, "registration": spotted.registration, "search": spotted.search}
    return _errors(clip, way, np.array([spotted.index]), spotted.confidence)


def _controls(clip: _Clip) -> list[dict[str, Any]]:
    blind = {"registration": "none", "search": "none"}
    everywhere = np.arange(len(clip.frames))
    centre = np.array([middle(len(clip.frames))])
    return [
        _errors(clip, {"method": name, **blind}, indices, 0.0)
        for name, indices in zip(CONTROLS, (centre, everywhere), strict=True)
    ]


def _errors(clip: _Clip, way: dict[str, str], indices: np.ndarray, confidence: float) -> dict[str, Any]:
    """Return the row of one way to spot: means over the indices that it may answer."""
    errors, length = np.abs(indices - clip.apex), len(clip.frames) - 1
    reached = None if clip.expression is None else clip.expression[indices] / clip.expression.max()
    return {
        "sample_id": clip.sample_id,
        **way,
        "index": int(indices[0]) if len(indices) == 1 else pd.NA,
        "apex": clip.apex,
        "length": length,
        "fps": clip.fps,
        "error_frames": float(errors.mean()),
        "error_ms": float(1000 * errors.mean() / clip.fps),
        "within": float((errors <= NEAR * length).mean()),
        "reached": np.nan if reached is None else float(reached.mean()),
        "confidence": confidence,
        "known": clip.known,
    }
