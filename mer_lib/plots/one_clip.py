"""The figure at the end of the way from a score to a clip: its frames, its flow map, and what a method made of it."""

from __future__ import annotations

from functools import lru_cache
from types import MappingProxyType

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mer_lib.datasets import CHANNELS
from mer_lib.datasets.clips import ClipDataset
from mer_lib.datasets.flow_maps import FlowMapDataset
from mer_lib.errors import ParameterError
from mer_lib.evaluation.frames import probability_columns
from mer_lib.features import FlowMap, Motion, compute
from mer_lib.features.clip_view import ClipView
from mer_lib.papers.answers import chosen_predictions
from mer_lib.papers.measure import Measurement
from mer_lib.plots.face_panels import bare, show_frame
from mer_lib.plots.flow_maps import draw_channel
from mer_lib.plots.style import CLASS_COLOURS, caption, panels, styled

TITLES = MappingProxyType({"u": "flow to the right", "v": "flow downwards", "strain": "strain"})
_SIDE, _BARS = 3.0, 4.6  # inches
_PLAIN = "#777777"  # where not every class has a colour


@styled
def one_clip(measurement: Measurement, variant: str, seed: int, sample_id: str) -> Figure:
    """Draw a test clip: onset and apex where frames are at hand, its flow map, and the probabilities of the classes.

    Args:
        measurement: of an experiment.
        variant: whose answer is shown.
        seed: of its training.
        sample_id: of a clip that it was tested on.

    Raises:
        ParameterError: the variant, the seed or the clip was not measured.
        DataError: there is no map of the clip, and none can be made of its frames.
    """
    frame = chosen_predictions(measurement, variant, seed).set_index("sample_id")
    if sample_id not in frame.index:
        raise ParameterError(f"{variant}, seed {seed}: expected a clip that it was tested on, got {sample_id!r}")
    row, classes = frame.loc[sample_id], measurement.classes[variant]
    view = _view(measurement.dataset, sample_id)
    pictures = _moments(view) if view else {}
    widths = [*[_SIDE] * (len(pictures) + len(CHANNELS)), _BARS]
    figure, (axes,) = panels(1, len(widths), width=sum(widths), height=4.1, width_ratios=widths)
    for ax, (name, picture) in zip(axes, pictures.items(), strict=False):
        show_frame(ax, picture)
        ax.set_title(name)
    _draw_map(axes[len(pictures) : -1], _map(measurement.dataset, sample_id))
    probabilities = row[probability_columns(classes)].to_numpy(float)
    _draw_probabilities(axes[-1], classes, probabilities, int(row["y_true"]))
    figure.suptitle(f"{sample_id}: {_verdict(classes, probabilities, int(row['y_true']))}")
    source = f"{measurement.dataset.label} · profile {measurement.profile} · {measurement.experiment.id}, {variant}"
    text = f"{source}, seed {seed}, fold {row['fold']:.0f} · each map has its own scale"
    return caption(figure, text, kind=measurement.dataset.kind, watermark=False)


def _verdict(classes: tuple[str, ...], probabilities: np.ndarray, truth: int) -> str:
    answer = int(probabilities.argmax())
    return f"{classes[truth]}, recognised" if answer == truth else f"{classes[truth]}, taken for {classes[answer]}"


def _view(dataset: FlowMapDataset | ClipDataset, sample_id: str) -> ClipView | None:
    """Return the clip with its frames; None where there are none."""
    clips = _clips(dataset)
    return ClipView(clips, sample_id) if clips is not None and sample_id in clips.sources else None


@lru_cache(maxsize=2)
def _clips(dataset: FlowMapDataset | ClipDataset) -> ClipDataset | None:
    if isinstance(dataset, ClipDataset):
        return dataset
    return dataset.open_clips() if dataset.open_clips is not None else None


def _moments(view: ClipView) -> dict[str, np.ndarray]:
    """Return the frames of onset and apex by name; the middle of the clip where no apex is annotated."""
    onset, apex, offset = view.moments
    second = ("middle of the clip", (onset + offset) // 2) if apex is None else ("apex", apex)
    return {view.names["onset"]: view.frame(onset), second[0]: view.frame(second[1])}


def _map(dataset: FlowMapDataset | ClipDataset, sample_id: str) -> np.ndarray:
    """Return the map of a clip, (28, 28, 3) from 0 to 255: the data set's own, else made of its frames."""
    if isinstance(dataset, FlowMapDataset) and sample_id in set(dataset.samples["sample_id"]):
        return dataset.maps([sample_id])[0]
    return np.moveaxis(compute(FlowMap(motion=Motion()), dataset, [sample_id])[0], 0, -1)


def _draw_map(axes: np.ndarray, image: np.ndarray) -> None:
    for ax, name in zip(axes, CHANNELS, strict=True):
        draw_channel(ax, image, name)
        bare(ax)
        ax.set_title(TITLES[name])


def _draw_probabilities(ax: Axes, classes: tuple[str, ...], probabilities: np.ndarray, truth: int) -> None:
    places = range(len(classes))
    coloured = set(classes) <= set(CLASS_COLOURS)
    ax.barh(places, probabilities, color=[CLASS_COLOURS[name] if coloured else _PLAIN for name in classes])
    for place, value in zip(places, probabilities, strict=True):
        ax.text(value + 0.02, place, f"{value:.2f}", va="center", fontsize=12)
    ax.set_yticks(places, [f"{name} (true)" if place == truth else name for place, name in enumerate(classes)])
    ax.get_yticklabels()[truth].set_fontweight("bold")
    ax.set(xlim=(0, 1.18), xticks=[0, 0.5, 1], xlabel="probability")
    ax.invert_yaxis()
