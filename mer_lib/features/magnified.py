"""Frames from onset to apex, magnified, with the flow from the onset frame: the input of MFEM and MFFM."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
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
    square = square_of(clip, onset, recipe.align, recipe.side or recipe.size, no_face=recipe.no_face)
    span = _span(clip.annotation, apex)
    warped = (square.alignment.warp(grey8(frame)) for frame in clip.stream(span.start, span.stop))
    squares = np.stack(list(warped))
    chosen = sampled(onset, apex if recipe.until == "apex" else clip.annotation.offset, recipe.frames)
    clip.facts.update(still=onset == apex, repeated=recipe.frames - len(set(chosen)))
    at = [index - span.start for index in chosen]
    return Made(_sized(_channels(recipe, clip, square, squares, at), recipe.size), clip.facts)


def _channels(recipe: MagnifiedSequence, clip: Clip, square: Square, squares: np.ndarray, at: list[int]) -> np.ndarray:
    """Return the channels of the chosen squares, float32 (frames, channels, side, side)."""
    parts = {}
    if "grey" in recipe.channels or recipe.flow_of == "magnified":
        parts["grey"] = _magnified(recipe, clip, squares)[at]
    if {"u", "v"} & set(recipe.channels):
        seen = squares[at] if recipe.flow_of == "raw" else parts["grey"].round().astype(np.uint8)
        flows = _flows(recipe, square, dict(zip(at, seen, strict=True)), at)
        parts |= {"u": flows[..., 0], "v": flows[..., 1]}
    return np.stack([parts[name] for name in recipe.channels], axis=1).astype(np.float32)


def _sized(sequence: np.ndarray, size: int) -> np.ndarray:
    """Shrink (frames, channels, side, side) to (frames, channels, size, size) by the mean over areas."""
    frames, channels, side, _ = sequence.shape
    if side == size:
        return sequence
    small = [
        cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA) for image in sequence.reshape(-1, side, side)
    ]
    return np.stack(small).reshape(frames, channels, size, size)


def sampled(onset: int, apex: int, count: int) -> list[int]:
    """Return `count` frames at equal distances, the first of them the onset, the last the apex (or another frame).

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


def _flows(recipe: MagnifiedSequence, square: Square, frames: dict[int, np.ndarray], at: list[int]) -> np.ndarray:
    """Return the flow to each of the chosen squares, (frames, side, side, 2); none to the first."""
    starts = [at[0]] * len(at) if recipe.since == "onset" else [at[0], *at[:-1]]
    pairs = list(zip(starts, at, strict=True))
    flows = {
        (first, second): square.flow(frames[first], frames[second], recipe.flow, recipe.head_motion)
        for first, second in set(pairs)  # frames that are repeated are looked at once
    }
    return np.stack([flows[pair] for pair in pairs])
