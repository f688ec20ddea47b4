"""Spotting the apex of a drawn clip with and without its disturbances, which only drawn clips can take away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mer_lib.apex import Registration, Spotted, spot
from mer_lib.datasets.synthetic.plan import ClipPlan
from mer_lib.datasets.synthetic.renderer import ClipRenderer, MovableFace
from mer_lib.errors import ParameterError
from mer_lib.plots.apex import REGISTRATION_TITLES, SPOTTER_COLOURS, SPOTTER_MARKS, SPOTTER_TITLES, shares
from mer_lib.plots.style import caption, panels, styled
from mer_lib.plots.synthetic_clips import EVENT_COLOURS, clip_caption
from mer_lib.plots.synthetic_nuisances import light_steady

AS_RECORDED = "as recorded"


@dataclass(frozen=True, eq=False)
class Take:
    """A drawn clip from onset to offset.

    Attributes:
        frames: uint8 (T, H, W, 3) RGB.
        points: (478, 2) px of the first frame, without having looked for them.
        shut: float (T,), how far the lids are closed: 0 open to 1 closed.
        shift: float (T,), how far the nose has gone with the head since the first frame, px.
        apex: index of the strongest expression in `frames`.
    """

    plan: ClipPlan
    frames: np.ndarray
    points: np.ndarray
    shut: np.ndarray
    shift: np.ndarray
    apex: int


def no_blink(plan: ClipPlan) -> ClipPlan:
    """Return the clip with the lids never closed."""
    return replace(plan, blink=np.zeros(len(plan)))


def head_fixed(plan: ClipPlan) -> ClipPlan:
    """Return the clip with the head kept as it is in the onset frame; lids and gaze move on."""
    return replace(plan, head=np.repeat(plan.head[plan.onset][None], len(plan), axis=0))


def disturbances(plan: ClipPlan) -> dict[str, ClipPlan]:
    """Return a clip as recorded, and again without blinks, without head motion, in steady light, and all of these."""
    return {
        AS_RECORDED: plan,
        "no blink": no_blink(plan),
        "head still": head_fixed(plan),
        "light steady": light_steady(plan),
        "none of these": no_blink(head_fixed(light_steady(plan))),
    }


def take(face: MovableFace, plan: ClipPlan) -> Take:
    """Draw the frames of a clip from its onset to its offset."""
    renderer, span = ClipRenderer(face, plan), range(plan.onset, plan.offset + 1)
    frames = np.stack([renderer.frame(index) for index in span])
    shift = face.iod * np.linalg.norm(plan.head[span, :2] - plan.head[plan.onset, :2], axis=1)
    return Take(plan, frames, renderer.landmarks(plan.onset), plan.blink[span], shift, plan.apex - plan.onset)


class DisturbedClip:
    """One clip as recorded and again without its disturbances, with what spotters find in each; all of it is kept.

    Args:
        face: who moves.
        plan: the clip; a blink between its onset and its offset shows most.
    """

    def __init__(self, face: MovableFace, plan: ClipPlan) -> None:
        self.takes: Mapping[str, Take] = {name: take(face, one) for name, one in disturbances(plan).items()}
        self.spotted = lru_cache(maxsize=None)(self._spotted)

    def _spotted(self, name: str, method: str, registration: Registration) -> Spotted:
        """Return what a method finds in one of the takes; its index counts from the onset."""
        found = self.takes[name]
        return spot(found.frames, found.points, method, registration, fps=found.plan.recording.fps)


@styled
def disturbed_curves(clip: DisturbedClip, method: str, registration: Registration) -> Figure:
    """Draw the curve of one spotter over each take of a clip, with the true apex and the blink.

    Args:
        clip: the clip.
        method: of :data:`mer_lib.apex.spotting.METHODS`.
        registration: of :data:`mer_lib.apex.spotting.REGISTRATIONS`.

    Raises:
        ParameterError: there is no such method or registration.
    """
    if method not in SPOTTER_TITLES or registration not in REGISTRATION_TITLES:
        raise ParameterError(
            f"expected a spotter among {', '.join(SPOTTER_TITLES)} and a registration among "
            f"{', '.join(REGISTRATION_TITLES)}, got {method!r} and {registration!r}"
        )
    figure, axes = panels(2, 3, width=10.4, height=5.8, layout="none", sharex=True, sharey=True)
    figure.subplots_adjust(left=0.055, right=0.985, top=0.81, bottom=0.17, hspace=0.4, wspace=0.08)
    _draw_truth(axes[0, 0], clip.takes[AS_RECORDED])
    for ax, (name, one) in zip(axes.ravel()[1:], clip.takes.items(), strict=True):
        _draw_take(ax, name, one, clip.spotted(name, method, registration), method)
    axes[0, 0].set(ylim=(-0.04, 1.08), yticks=[0, 1], yticklabels=["min", "max"], xlim=(0, None))
    axes[1, 1].set_xlabel("time after the onset (ms)")
    handles = [handle for ax in axes[0, :2] for handle in ax.get_legend_handles_labels()[0]]
    figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(0.045, 0.94), ncols=len(handles), columnspacing=1.2,
        handletextpad=0.5, handlelength=1.4,
    )  # fmt: skip
    figure.suptitle(f"{SPOTTER_TITLES[method]}, {REGISTRATION_TITLES[registration]}", fontsize=15)
    return caption(figure, clip_caption(clip.takes[AS_RECORDED].plan), kind="synthetic", watermark=False)


def _draw_truth(ax: Axes, one: Take) -> None:
    """Draw what truly moves when: expression, head and lids, each in shares of its own greatest value."""
    time, expression = _time(one), one.plan.expression[one.plan.onset : one.plan.offset + 1]
    ax.fill_between(time, one.shut, color=EVENT_COLOURS["blink"], alpha=0.3, linewidth=0, label="lids closed")
    ax.plot(time, shares(expression), color="#000000", label="expression")
    ax.plot(time, shares(one.shift), color=EVENT_COLOURS["pose"], linestyle="-.", label="head")
    ax.set_title("the truth", loc="left", fontsize=13)


def _draw_take(ax: Axes, name: str, one: Take, found: Spotted, method: str) -> None:
    """Draw the curve of a spotter, the frame that it spots and the true apex."""
    time, curve, colour = _time(one), shares(found.curve), SPOTTER_COLOURS[method]
    if one.shut.any():
        ax.fill_between(time, one.shut, color=EVENT_COLOURS["blink"], alpha=0.3, linewidth=0)
    ax.plot(time, curve, color=colour)
    ax.plot(
        time[found.index], curve[found.index], SPOTTER_MARKS[method], color=colour, markersize=11,
        markeredgecolor="white", zorder=4, clip_on=False, label="spotted",
    )  # fmt: skip
    ax.axvline(time[one.apex], color="#000000", linestyle="--", linewidth=1.5, label="true apex")
    ax.set_title(f"{name}: {_lateness(time[found.index] - time[one.apex])}", loc="left", fontsize=13)


def _time(one: Take) -> np.ndarray:
    return 1000 * np.arange(len(one.frames)) / one.plan.recording.fps


def _lateness(error: float) -> str:
    """Return how far a spotted frame is from the true one, such as ``"40 ms late"``."""
    return "exact" if error == 0 else f"{abs(error):.0f} ms {'late' if error > 0 else 'early'}"
