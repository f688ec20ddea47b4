"""Figures of angle images: what is in them, what a change does to them, and which regions a prediction rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import PolyCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from mer_lib.errors import ParameterError
from mer_lib.faces.regions import muscle_pairs
from mer_lib.features.clip_view import ClipView
from mer_lib.features.sequence_recipes import NO_MOTION, AngleImage
from mer_lib.manifest import Kind
from mer_lib.plots.explained_inputs import one_view
from mer_lib.plots.face_panels import GREY_MAX, show_frame
from mer_lib.plots.flow_fields import direction_colours, over_face, sign
from mer_lib.plots.style import REPORTED_LABEL, caption, panels, styled

MICRO_COLOUR, MACRO_COLOUR, PRINTED_COLOUR = "#0072B2", "#D55E00", "#555555"
_LEAST_WIDTH = 13.5  # inches, for the caption
_WEIGHTS = "RdBu_r"  # as in other explanations: red speaks for the class, blue against it


@styled
def images(drawn: Mapping[str, tuple[AngleImage, np.ndarray]], *, text: str = "", kind: Kind = "real") -> Figure:
    """Draw angle images side by side: regions down, time across, the direction as a colour, white where nothing moved.

    Args:
        drawn: by its title, the recipe and what it made of one clip; of several windows the middle one is shown.
        text: for the caption.
        kind: of the data.

    Raises:
        ParameterError: an image is not of its recipe's shape.
    """
    _check(drawn)
    figure, axes = panels(1, len(drawn), width=2.6 + 5.4 * len(drawn), height=8.6)
    for ax, (title, (recipe, image)) in zip(axes[0], drawn.items(), strict=True):
        _draw(ax, recipe, one_view(recipe, image))
        _name_time(ax, recipe)
        ax.set_title(title)
    _name_regions(axes[0, 0], next(iter(drawn.values()))[0])
    _wheel(figure, axes[0, -1])
    return caption(figure, text, kind=kind, watermark=False)


@styled
def changes(changed: Mapping[str, np.ndarray], recipe: AngleImage, *, text: str = "", kind: Kind = "real") -> Figure:
    """Draw one angle image beside versions of it, in two columns; arguments as for :func:`images`.

    Args:
        changed: by its title, an array (channels, rows, columns); rows and columns may be fewer than in the recipe.
        recipe: says how the arrays are coded.
        text: for the caption.
        kind: of the data.
    """
    lines = (len(changed) + 1) // 2
    figure, axes = panels(lines, 2, width=15, height=0.8 + 4.1 * lines)
    for ax in axes.ravel()[len(changed) :]:
        ax.set_axis_off()
    for ax, (title, image) in zip(axes.ravel(), changed.items(), strict=False):
        _draw(ax, recipe, image)
        ax.set_title(title, fontsize=14, weight="normal")
        ax.set(xlabel=f"{image.shape[2]} frames", ylabel=f"{image.shape[1]} rows")
    _wheel(figure, axes[0, -1])
    return caption(figure, text, kind=kind, watermark=False)


@styled
def chance(noisy: pd.DataFrame, published: Sequence[float], *, text: str = "") -> Figure:
    """Draw what a predictor reaches that knows class shares and nothing else, the more noise the less it knows.

    Args:
        noisy: of :func:`mer_lib.evaluation.demonstrations.noisy_priors`.
        published: the micro AUCs that the article reports.
        text: for the caption.
    """
    figure, axes = panels(1, 1, width=11, height=5.2)
    ax = axes[0, 0]
    at = noisy["deviation"]
    ax.axhspan(
        min(published), max(published), color="#DDDDDD", label=f"{REPORTED_LABEL} (micro): {len(published)} rows"
    )
    ax.hlines(published, at.min(), at.max(), color=PRINTED_COLOUR, linewidth=0.8)
    ax.fill_between(at, noisy["low"], noisy["high"], color=MICRO_COLOUR, alpha=0.25, linewidth=0)
    ax.plot(at, noisy["auc_micro"], "o-", color=MICRO_COLOUR, label="micro AUC of class shares with noise")
    ax.plot(at, noisy["auc_macro"], "s-", color=MACRO_COLOUR, label="macro AUC of the same scores")
    ax.set(xlabel="noise added to the logarithm of the class shares (standard deviation)", ylabel="ROC-AUC")
    ax.set(ylim=(0.45, 0.75), title="No face is looked at here")
    ax.legend(loc="upper right")
    return caption(figure, text)


@styled
def weights_on_face(
    view: ClipView, weights: Mapping[str, np.ndarray], frame: int | None = None, title: str = ""
) -> Figure:
    """Draw what each of the 42 regions adds to a prediction, laid over a face.

    Args:
        view: the clip whose face it is.
        weights: by its title, float (42,) of the regions from top to bottom of the face, as
            :func:`mer_lib.explanations.region_weights` gives them for one sample or the mean over several.
        frame: which frame is shown; the onset where None.
        title: above the figure.

    Raises:
        ParameterError: there are not 42 numbers.
    """
    found = view.regions("muscle_regions")
    for name, values in weights.items():
        if np.shape(values) != (len(found),):
            raise ParameterError(
                f"{name}: expected one weight for each of {len(found)} regions, got {np.shape(values)}"
            )
    face = view.aligned(view.moments.onset if frame is None else frame)
    pale = over_face(face, np.ones((*face.shape[:2], 3)), np.zeros(face.shape[:2]))
    reach = max((float(np.abs(values).max()) for values in weights.values()), default=0.0) or 1.0
    norm = Normalize(-reach, reach)
    figure, axes = panels(1, len(weights), width=max(1.6 + 4.1 * len(weights), _LEAST_WIDTH), height=5.4)
    for ax, (name, values) in zip(axes[0], weights.items(), strict=True):
        show_frame(ax, pale)
        colours = mpl.colormaps[_WEIGHTS](norm(values))
        colours[:, 3] = 0.8
        ax.add_collection(PolyCollection([r.polygon for r in found], facecolors=colours, edgecolors="#777777", lw=0.6))
        ax.set_title(name, fontsize=14)
    bar = figure.colorbar(ScalarMappable(norm, _WEIGHTS), ax=list(axes[0]), shrink=0.75, aspect=18, pad=0.01)
    bar.set_label("fall of the probability without it")
    figure.suptitle(title)
    return sign(figure, view)


def _check(drawn: Mapping[str, tuple[AngleImage, np.ndarray]]) -> None:
    for title, (recipe, image) in drawn.items():
        if image.shape != recipe.shape:
            raise ParameterError(f"{title}: expected an image of shape {recipe.shape}, got {image.shape}")


def _draw(ax: Axes, recipe: AngleImage, image: np.ndarray) -> None:
    """Draw (channels, rows, columns): the direction as a colour, white where nothing moved."""
    if recipe.coding == "grey":
        angle, moved = image[0] / GREY_MAX * _turn_of(recipe), image[0] != NO_MOTION
    else:
        angle, moved = np.arctan2(image[1], image[0]), (image != 0).any(axis=0)
    colours = np.where(moved[..., None], direction_colours(angle), 1.0)
    ax.imshow(colours, aspect="auto", interpolation="nearest")
    ax.set(xticks=[], yticks=[])


def _turn_of(recipe: AngleImage) -> float:
    """Return the angle that the lightest grey stands for: the last sector begins before the turn is full."""
    return 2 * np.pi * (1 if recipe.sectors is None else 1 - 1 / recipe.sectors)


def _name_regions(ax: Axes, recipe: AngleImage) -> None:
    """Name every pair of rows; in another order there is nothing to name."""
    if recipe.rows != "top_to_bottom":
        ax.set_ylabel("regions, in one fixed random order")
        return
    pairs = muscle_pairs()
    ax.set_yticks([2 * at + 0.5 for at in range(len(pairs))], [pair.name for pair in pairs], fontsize=12)
    ax.set_ylabel("region of the face: left above right")


def _name_time(ax: Axes, recipe: AngleImage) -> None:
    apex = recipe.frames // 2 - 1
    ax.set_xticks([0, apex, recipe.frames - 1], [f"{-apex}", "apex", f"+{recipe.frames - 1 - apex}"])
    ax.set_xlabel("frames from the apex")
    ax.axvline(apex, color="#222222", linewidth=1, linestyle=":")


def _wheel(figure: Figure, beside: Axes) -> None:
    """Draw which colour is which direction."""
    ax: Any = beside.inset_axes((1.08, 0.7, 0.28, 0.28), projection="polar")
    turn = np.linspace(0, 2 * np.pi, 73)
    middle = (turn[:-1] + turn[1:]) / 2
    ax.bar(middle, 1, width=np.diff(turn), bottom=0.6, color=direction_colours(middle))
    ax.set(xticks=np.arange(4) * np.pi / 2, xticklabels=["right", "up", "left", "down"], yticks=[], ylim=(0, 1.6))
    ax.spines["polar"].set_visible(False)
    ax.tick_params(axis="x", pad=-1, labelsize=11)
