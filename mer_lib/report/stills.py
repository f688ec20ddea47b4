"""The figures of the page once more as vector pictures, for print, for readers without scripts, and for Markdown."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from mer_lib.papers.measurement import Measurement
from mer_lib.papers.processes import side_by_side
from mer_lib.plots import ablation_line, learning_curves, optimism_gap, score_points
from mer_lib.plots.scores import trained_by_epochs
from mer_lib.plots.style import DRAWING

# Letters stay letters, in a font that a reader's machine has.
SVG: Any = {"svg.fonttype": "none", "svg.hashsalt": "mer_lib"}
FONTS = "'DejaVu Sans', Verdana, Arial, sans-serif"
MARGIN = 0.2  # inches left and right: letters of a reader's font may be wider than those that the layout knew
_ATTRIBUTE = re.compile(r'="[^"]*"')
_LONG = re.compile(r"(\d\.\d\d)\d+")


def draw_all(measurements: Mapping[str, Measurement], jobs: int = 1) -> dict[str, dict[str, str]]:
    """Return the figures of every measurement by its id; `jobs` processes draw side by side."""
    drawn = side_by_side(stills, measurements.values(), jobs)
    return dict(zip(measurements, drawn, strict=True))


def stills(measurement: Measurement) -> dict[str, str]:
    """Return the figures of one measurement as SVG: "scores", "gap", and "learning" where anything learns by epochs."""
    line = measurement.experiment.figure == "line" and len(measurement.variants) > 1
    drawn = {"scores": (ablation_line if line else score_points)(measurement), "gap": optimism_gap(measurement)}
    if trained_by_epochs(measurement):
        drawn["learning"] = learning_curves(measurement)
    return {name: svg(figure) for name, figure in drawn.items()}


def svg(figure: Figure) -> str:
    """Return a figure as a small SVG document: the same for the same figure."""
    stream = io.StringIO()
    figure.set_layout_engine("none")  # everything has found its place when a figure is handed over
    with DRAWING, mpl.rc_context(SVG):
        around = figure.bbox_inches.padded(MARGIN, 0)
        figure.savefig(stream, format="svg", bbox_inches=around, metadata={"Date": None, "Creator": None})
    text = stream.getvalue().replace("'DejaVu Sans'", FONTS)
    return _ATTRIBUTE.sub(lambda match: _LONG.sub(r"\1", match[0]), text)


def data_address(document: str) -> str:
    """Return an SVG document as an address that a page can hold in itself.

    >>> data_address("<svg/>")
    'data:image/svg+xml;base64,PHN2Zy8+'
    """
    return f"data:image/svg+xml;base64,{base64.b64encode(document.encode()).decode()}"
