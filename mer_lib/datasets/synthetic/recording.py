"""How a clip is recorded: the camera, the light, and whatever moves besides the expression."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Any

from mer_lib.errors import ParameterError, fault_list

#: Frames a second below which a micro-expression can fall between two frames: its shortest lasts 0.09 s.
MIN_FPS = 20.0


@dataclass(frozen=True, kw_only=True)
class Recording:
    """Everything of a recording that is not the face and not its expression, each with its unit.

    Lengths are in inter-ocular distances (IOD), angles in degrees, times in seconds, light in shares of full scale.
    Root mean squares (rms) and standard deviations (sd) are those over many clips; a subject's restlessness
    multiplies the head's wandering and tremor.

    >>> Recording(fps=100, colour=False).without_nuisance().read_noise
    0.0

    Raises:
        ParameterError: a value is out of its range; all faults are listed at once.
    """

    #: Frames a second, 20 or more.
    fps: float = 200.0
    #: Side of the square frame in pixels, 32 or more.
    size: int = 320
    #: Colour frames, or grey ones.
    colour: bool = True
    #: JPEG quality 1 to 100 of the stored frames; None stores them without loss.
    jpeg_quality: int | None = 92

    #: Noise of the sensor in the dark: sd in shares of full scale. Noise at light I is sqrt(read^2 + shot^2 I).
    read_noise: float = 0.004
    #: Noise of the light itself at full scale: sd in shares of full scale.
    shot_noise: float = 0.006
    #: Amplitude of the lamps' flicker at twice `mains_hz`, relative to the light.
    flicker: float = 0.008
    #: Frequency of the mains in Hz; lamps flicker at twice that.
    mains_hz: float = 50.0
    #: Amplitude of a slow change of the light (0.2 to 1 Hz), relative to it.
    light_drift: float = 0.01
    #: How much darker the frame's corners are than its centre, relative.
    vignette: float = 0.15

    #: Wandering of the head about its pose (0.15 to 2.5 Hz), sideways and up and down: rms of each in IOD. It is slow:
    #: within a clip of 0.7 s one sees about 0.55 of it, and from one frame to another 0.15 s later about as much.
    drift_iod: float = 0.0025
    #: Wandering of the head's roll, rms in degrees.
    roll_deg: float = 0.08
    #: Wandering of the head's yaw (left and right), rms in degrees.
    yaw_deg: float = 0.16
    #: Wandering of the head's pitch (up and down), rms in degrees.
    pitch_deg: float = 0.16
    #: Wandering of the head's size in the frame (nearer and farther), rms, relative.
    scale_rel: float = 0.0008
    #: Tremor of the head sideways and up and down (6 to 12 Hz), rms of each in IOD.
    tremor_iod: float = 0.0002

    #: Where the head is in the frame, the same throughout a clip: sd of each direction in IOD, cut at two sd.
    pose_iod: float = 0.05
    #: Roll of the head throughout a clip, sd in degrees, cut at two sd.
    pose_roll_deg: float = 1.5
    #: Yaw of the head throughout a clip, sd in degrees, cut at two sd.
    pose_yaw_deg: float = 2.0
    #: Pitch of the head throughout a clip, sd in degrees, cut at two sd.
    pose_pitch_deg: float = 2.0
    #: Size of the head throughout a clip, sd, relative, cut at two sd.
    pose_scale_rel: float = 0.02

    #: Probability that a clip holds a blink.
    blink_probability: float = 0.15
    #: Probability that the gaze shifts in a clip.
    gaze_probability: float = 0.15
    #: How far the gaze shifts sideways, sd in IOD; half of it up and down.
    gaze_iod: float = 0.03
    #: Blinks a minute in a long video.
    blinks_per_minute: float = 15.0
    #: Shifts of the gaze a minute in a long video.
    gaze_shifts_per_minute: float = 12.0
    #: Slow changes of the head's pose a minute in a long video.
    pose_changes_per_minute: float = 3.0

    #: Neutral time before a clip's onset: shortest and longest, in seconds.
    before_s: tuple[float, float] = (0.12, 0.30)
    #: Neutral time after a clip's offset: shortest and longest, in seconds.
    after_s: tuple[float, float] = (0.10, 0.25)

    def __post_init__(self) -> None:
        faults = [*self._number_faults(), *self._camera_faults(), *self._time_faults()]
        if faults:
            raise ParameterError(f"Recording: correct these values:\n{fault_list(faults)}")

    def _number_faults(self) -> list[str]:
        return [
            f"{name}: expected a number from {low:g} to {high:g}, got {getattr(self, name)!r}"
            for name, (low, high) in _RANGES.items()
            if not _is_number(getattr(self, name), low, high)
        ]

    def _camera_faults(self) -> list[str]:
        faults = []
        if not _is_whole(self.size, 32, 4096):
            faults.append(f"size: expected a whole number of pixels from 32 to 4096, got {self.size!r}")
        if not isinstance(self.colour, bool):
            faults.append(f"colour: expected True or False, got {self.colour!r}")
        if self.jpeg_quality is not None and not _is_whole(self.jpeg_quality, 1, 100):
            faults.append(f"jpeg_quality: expected a whole number from 1 to 100 or None, got {self.jpeg_quality!r}")
        return faults

    def _time_faults(self) -> list[str]:
        return [
            f"{name}: expected (shortest, longest) in seconds, 0.05 <= shortest <= longest <= 10, "
            f"got {getattr(self, name)!r}"
            for name in ("before_s", "after_s")
            if not _is_range(getattr(self, name))
        ]

    def without_nuisance(self) -> Recording:
        """Return the same camera with still head, steady light, open eyes, no noise and lossless frames."""
        zeros: dict[str, Any] = dict.fromkeys(NUISANCES, 0.0)
        return replace(self, jpeg_quality=None, **zeros)

    def to_json(self) -> dict[str, Any]:
        """Return all values as JSON holds them; :meth:`from_json` reads them back exactly."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Recording:
        """Return the recording whose :meth:`to_json` is `values`.

        Raises:
            ParameterError: a name is unknown or missing, or a value is out of range.
        """
        names = {field.name for field in fields(cls)}
        if set(values) != names:
            unknown, missing = sorted(set(values) - names), sorted(names - set(values))
            raise ParameterError(
                f"Recording: expected exactly its own parameters, got unknown {unknown} and missing {missing}; "
                "make the clip again with this version"
            )
        given: dict[str, Any] = {n: tuple(value) if isinstance(value, list) else value for n, value in values.items()}
        return cls(**given)


# Lowest and highest value of each number. The upper ends keep the head in the frame and the warp one-to-one.
_RANGES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "fps": (MIN_FPS, 10000),
        "read_noise": (0, 1),
        "shot_noise": (0, 1),
        "flicker": (0, 1),
        "mains_hz": (1, 1000),
        "light_drift": (0, 1),
        "vignette": (0, 1),
        "drift_iod": (0, 0.1),
        "roll_deg": (0, 5),
        "yaw_deg": (0, 5),
        "pitch_deg": (0, 5),
        "scale_rel": (0, 0.05),
        "tremor_iod": (0, 0.01),
        "pose_iod": (0, 0.1),
        "pose_roll_deg": (0, 5),
        "pose_yaw_deg": (0, 5),
        "pose_pitch_deg": (0, 5),
        "pose_scale_rel": (0, 0.05),
        "blink_probability": (0, 1),
        "gaze_probability": (0, 1),
        "gaze_iod": (0, 0.06),
        "blinks_per_minute": (0, 60),
        "gaze_shifts_per_minute": (0, 60),
        "pose_changes_per_minute": (0, 20),
    }
)

#: The parameters that :meth:`Recording.without_nuisance` sets to zero.
NUISANCES = tuple(name for name in _RANGES if name not in ("fps", "mains_hz"))


def _is_number(value: object, low: float, high: float) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) and low <= value <= high


def _is_whole(value: object, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _is_range(value: object) -> bool:
    if not isinstance(value, tuple) or len(value) != 2:
        return False
    return all(_is_number(end, 0.05, 10) for end in value) and value[0] <= value[1]
