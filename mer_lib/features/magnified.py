"""Frames from onset to apex, magnified, with the flow from the onset frame: the input of MFEM and MFFM."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mer_lib.errors import DataError
from mer_lib.features.cache import Made
from mer_lib.features.clip import Annotation, Clip, known_apex
from mer_lib.features.sequence_recipes import MagnifiedSequence
from mer_lib.features.squares import Square, square_of
from mer_lib.motion import grey8
from mer_lib.motion.magnification import magnify

# Frames around onset and offset, in seconds, that the filter may look at where the clip has them.
AROUND_S = 0.5


def frames(recipe: MagnifiedSequence, annotation: Annotation) -> Sequence[int]:
    """Return which frames decide the input: all from onset to offset, and those around."""
    apex = known_apex(annotation, recipe.apex)
    return range(annotation.n_frames) if apex is None else _span(annotation, apex)


def magnified_sequence(recipe: MagnifiedSequence, clip: Clip) -> Made:
    """Make a :class:`MagnifiedSequence`: (frames, channels, size, size).

    Raises:
        DataError: nobody knows the frame rate, or there is no face and the published points are refused.
        ParameterError: the band does not suit the frame rate.
    """
    onset, apex = clip.annotation.onset, clip.apex(recipe.apex)
    square = square_of(clip, onset, recipe.align, recipe.size, no_face=recipe.no_face)
    span = _span(clip.annotation, apex)
    warped = (square.alignment.warp(grey8(frame)) for frame in clip.stream(span.start, span.stop))
    squares = np.stack(list(warped))
    chosen = sampled(onset, apex, recipe.frames)
    clip.facts.update(still=onset == apex, repeated=recipe.frames - len(set(chosen)))
    at = [index - span.start for index in chosen]
    parts = {"grey": lambda: _magnified(recipe, clip, squares)[at]}
    if {"u", "v"} & set(recipe.channels):
        flows = _flows(recipe, square, squares, onset - span.start, at)
        parts |= {"u": lambda: flows[..., 0], "v": lambda: flows[..., 1]}
    return Made(np.stack([parts[name]() for name in recipe.channels], axis=1).astype(np.float32), clip.facts)


def sampled(onset: int, apex: int, count: int) -> list[int]:
    """Return `count` frames at equal distances, the first of them the onset, the last the apex.

    >>> sampled(10, 14, 5), sampled(10, 12, 4)
    ([10, 11, 12, 13, 14], [10, 11, 11, 12])
    """
    return [int(index) for index in np.floor(np.linspace(onset, apex, count) + 0.5)]


def _span(annotation: Annotation, apex: int) -> range:
    around = 0 if annotation.fps is None else round(AROUND_S * annotation.fps)
    first, last = min(annotation.onset, apex), max(annotation.offset, apex)
    return range(max(first - around, 0), min(last + around + 1, annotation.n_frames))


def _magnified(recipe: MagnifiedSequence, clip: Clip, squares: np.ndarray) -> np.ndarray:
    """Return the squares magnified, (T, size, size), 0 to 255."""
    if recipe.factor == 0:
        return squares
    if clip.annotation.fps is None:
        raise DataError(f"{clip.sample_id}: magnification needs the frame rate: write it into the column fps")
    return 255 * magnify(squares, clip.annotation.fps, recipe.band, recipe.factor)


def _flows(recipe: MagnifiedSequence, square: Square, squares: np.ndarray, onset: int, at: list[int]) -> np.ndarray:
    """Return the flow from the onset to each chosen frame, (frames, size, size, 2); none to itself."""
    still = np.zeros((*squares.shape[1:], 2), np.float32)
    by_frame = {onset: still}
    for index in at:
        if index not in by_frame:
            by_frame[index] = square.flow(squares[onset], squares[index], recipe.flow, recipe.head_motion)
    return np.stack([by_frame[index] for index in at])
