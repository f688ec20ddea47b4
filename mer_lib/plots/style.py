"""The one look of every figure: colours that mean the same thing everywhere, sizes for a projector, captions.

Classes use the palette of Okabe and Ito, the methods that most figures compare that of Paul Tol ("muted"); both keep
apart under the common forms of colour blindness. There are more methods than such colours: the others differ in hue
from those they are compared with, and every method stands by its name. Protocols differ by marker as well, so that a
figure can be read in grey print.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ParamSpec

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from pandas.io.formats.style import Styler

from mer_lib.errors import ParameterError
from mer_lib.evaluation.protocols import PROTOCOLS
from mer_lib.evaluation.variant import Variant
from mer_lib.manifest import Kind
from mer_lib.papers.measure import Measurement

CLASS_COLOURS = {"negative": "#0072B2", "positive": "#E69F00", "surprise": "#009E73"}
#: By method; those of one experiment keep apart. A method that is not here gets a spare one.
METHOD_COLOURS = {
    "dummy": "#777777",
    "linear_svm": "#882255",
    "htnet": "#CC6677",
    "capsulenet": "#EE7733",
    "yolo11_classifier": "#0077BB",
    "da_crossvit": "#44AA99",
    "mfem_mffm": "#CC3311",
    "ststnet": "#332288",
    "off_apexnet": "#88CCEE",
    "dual_inception": "#117733",
    "rcn": "#999933",
    "featref": "#AA4499",
    "alexnet": "#DDCC77",
    "googlenet": "#5566DD",
    "vgg11": "#C99A5B",
    "vgg16": "#994F00",
    "resnet18": "#004488",
    "micro_attention": "#66CCBB",
    "cnn_lstm": "#E0B83C",
    "slstt": "#225555",
    "lbp_top": "#7755AA",
    "lbp_sip": "#C39BD3",
    "bi_woof": "#66AA33",
    "mdmo": "#E377C2",
}
SPARE_COLOURS = ("#117733", "#AA4499", "#999933", "#44AA99")

FLOW_COLOURS = "RdBu_r"  # diverging: white is no motion
STRAIN_COLOURS = "viridis"  # sequential: dark is no strain

PROTOCOL_LABELS = {
    "fixed": "fixed: last epoch",
    "nested": "nested: chosen on inner subjects",
    "published": "published: chosen on the test subjects",
}
PROTOCOL_MARKERS = {"fixed": "o", "nested": "s", "published": "^"}
REPORTED_LABEL = "printed in the paper"
METRIC_LABELS = {
    "uf1": "UF1",
    "uar": "UAR",
    "accuracy": "accuracy",
    "auc_micro": "ROC-AUC, micro",
    "auc_macro": "ROC-AUC, macro",
}
DATASET_LABELS = {
    "full": "all data sets",
    "casme2": "CASME II",
    "samm": "SAMM",
    "smic": "SMIC-HS",
    "casme3a": "CAS(ME)³ part A",
    "syn_a": "Synthetic A",
    "syn_b": "Synthetic B",
    "syn_c": "Synthetic C",
}

STYLE: Any = {
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "figure.dpi": 96,
    "axes.facecolor": "white",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": False,
    "axes.titleweight": "bold",
    "axes.axisbelow": True,
    "font.family": "DejaVu Sans",
    "text.parse_math": False,  # a name from a disk may hold dollar signs; no figure has formulas
    "font.size": 14,
    "axes.titlesize": 15,
    "axes.labelsize": 14,
    "xtick.labelsize": 13,
    "ytick.labelsize": 13,
    "legend.fontsize": 12,
    "legend.frameon": False,
    "figure.titlesize": 18,
    "figure.titleweight": "bold",
    "grid.color": "#DDDDDD",
    "lines.linewidth": 2.0,
}
CAPTION_SIZE = 11
#: What stands on everything that does not come from recorded faces.
MARKS: Mapping[Kind, str] = MappingProxyType({"toy": "TOY DATA", "synthetic": "SYNTHETIC DATA"})
ALARM_COLOUR = "#B00020"

#: Held while a figure is drawn: the style is one for the whole process, and widgets redraw in a thread of their own.
DRAWING = threading.RLock()

P = ParamSpec("P")


def styled(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Draw in the style of the project, and hand the figure over: a notebook shows it once, nothing stays open."""

    @functools.wraps(draw)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with DRAWING, mpl.rc_context(STYLE):
            figure = draw(*args, **kwargs)
            pixels(figure)  # ticks and labels are made now, while the style holds
            plt.close(figure)
        return figure

    return wrapper


def pixels(figure: Figure) -> np.ndarray:
    """Return the picture of a figure, uint8 (H, W, 3) RGB; it is drawn again only where the figure has changed."""
    canvas = figure.canvas if isinstance(figure.canvas, FigureCanvasAgg) else FigureCanvasAgg(figure)
    with DRAWING:
        if figure.stale:
            if figure.get_layout_engine() is not None:
                figure.draw_without_rendering()  # a layout comes to rest at the second pass
            canvas.draw()
        return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def panels(
    rows: int = 1,
    columns: int = 1,
    *,
    width: float = 11.0,
    height: float = 5.0,
    layout: str = "constrained",
    **options: Any,
) -> tuple[Figure, np.ndarray]:
    """Return a figure and its axes as an array of shape (rows, columns), laid out so that nothing overlaps.

    Args:
        rows: of axes.
        columns: of axes.
        width: of the figure, in inches of 96 pixels.
        height: of the figure.
        layout: of matplotlib; "none" leaves every place to the caller, which is the fastest.
        options: of :meth:`matplotlib.figure.Figure.subplots`.
    """
    figure = plt.figure(figsize=(width, height), layout=layout)
    plt.close(figure)  # at once: whatever is open when a cell ends is shown there, also what another thread draws
    return figure, figure.subplots(rows, columns, squeeze=False, **options)


def mark(kind: Kind) -> str:
    """Return what to write on whatever comes from data of this kind; empty for real data.

    >>> mark("synthetic"), mark("real")
    ('SYNTHETIC DATA', '')
    """
    return MARKS.get(kind, "")


def marked(text: str, kind: Kind) -> str:
    """Return a caption, opened by the mark of `kind` where it has one.

    >>> marked("48 flow maps", "toy")
    'TOY DATA · 48 flow maps'
    """
    return f"{mark(kind)} · {text}" if mark(kind) else text


def caption(figure: Figure, text: str, *, kind: Kind = "real", watermark: bool = True) -> Figure:
    """Write under `figure` what its numbers come from, and mark it where they come from no recorded faces.

    Args:
        figure: changed in place.
        text: data set, profile and seeds, such as :attr:`Measurement.caption`.
        kind: of the data: a red line and a watermark say where they are toy or synthetic.
        watermark: False leaves the red line alone, for pictures in which details are looked at and no score is shown.
    """
    colour = ALARM_COLOUR if mark(kind) else "#444444"
    figure.supxlabel(marked(text, kind), x=0.01, ha="left", fontsize=CAPTION_SIZE, color=colour)
    if mark(kind) and watermark:
        figure.text(
            0.5, 0.55, mark(kind), fontsize=46, color=ALARM_COLOUR, alpha=0.12, rotation=18, ha="center", va="center",
            weight="bold", zorder=10,
        )  # fmt: skip
    return figure


def under_caption(table: Styler, text: str, kind: Kind) -> Styler:
    """Write above `table` what its numbers come from, marked where they come from no recorded faces."""
    above = [{"selector": "caption", "props": [("caption-side", "top"), ("text-align", "left")]}]
    return table.set_caption(marked(text, kind)).set_table_styles(above)


def sign(figure: Figure, measurement: Measurement) -> Figure:
    """Write the caption of `measurement` under `figure`."""
    return caption(figure, measurement.caption, kind=measurement.dataset.kind)


def variant_colours(variants: Mapping[str, Variant]) -> dict[str, str]:
    """Return one colour a variant: by method where methods differ, from dark to light where one method is varied.

    Variants that share a method share its hue, each lighter than the one before. Three or more of one method alone go
    from violet to green; the class prior beside them is grey, and no method among them.
    """
    names = {label: variant.model.name for label, variant in variants.items()}
    base = {label: METHOD_COLOURS["dummy"] for label, name in names.items() if name == "dummy"}
    compared = {label: name for label, name in names.items() if label not in base}
    return {label: (base | _shades(compared))[label] for label in names}


def _shades(names: Mapping[str, str]) -> dict[str, str]:
    """Return a colour a label, given its method; no two of them alike."""
    if len(set(names.values())) == 1 and len(names) > 2:
        shades = mpl.colormaps["viridis"](np.linspace(0, 0.85, len(names)))
        return {label: to_hex(shade) for label, shade in zip(names, shades, strict=True)}
    base, methods = _method_colours(names.values()), list(names.values())
    return {
        label: lighter(base[name], methods[:position].count(name) * min(0.45, 0.65 / max(methods.count(name) - 1, 1)))
        for position, (label, name) in enumerate(names.items())
    }


def _method_colours(names: Iterable[str]) -> dict[str, str]:
    unknown = sorted(set(names) - set(METHOD_COLOURS))
    spare = {name: SPARE_COLOURS[i % len(SPARE_COLOURS)] for i, name in enumerate(unknown)}
    return METHOD_COLOURS | spare


def lighter(colour: str, amount: float) -> str:
    """Mix `colour` with white: 0 leaves it, 0.8 is the lightest returned.

    >>> lighter("#000000", 0.5)
    '#808080'
    """
    mix = min(max(amount, 0.0), 0.8)
    red, green, blue = (channel + (1 - channel) * mix for channel in to_rgb(colour))
    return to_hex((red, green, blue))


def readable_on(colour: Any) -> str:
    """Return black or white, whichever is easier to read on `colour` (relative luminance).

    >>> readable_on("#FFFFFF"), readable_on("#000080")
    ('black', 'white')
    """
    red, green, blue = to_rgb(colour)
    return "black" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.45 else "white"


def metric_label(metric: str) -> str:
    """Return the name of a metric for people, e.g. ``recall_negative`` -> ``recall, negative``."""
    return METRIC_LABELS.get(metric, metric.replace("recall_", "recall, "))


def dataset_label(name: str) -> str:
    """Return the name of a subset for people, e.g. ``casme2`` -> ``CASME II``."""
    return DATASET_LABELS.get(name, name)


def checked_protocols(measurement: Measurement, wanted: Sequence[str] | None = None) -> list[str]:
    """Return the protocols to show, in their order: those `wanted` (all where None) that were measured.

    Raises:
        ParameterError: a protocol is unknown, or ``published`` is asked for without ``fixed`` beside it.
    """
    wanted = PROTOCOLS if wanted is None else wanted
    unknown = sorted(set(wanted) - set(PROTOCOLS))
    if unknown:
        raise ParameterError(f"protocols: expected some of {', '.join(PROTOCOLS)}, got {', '.join(unknown)}")
    if "published" in wanted and "fixed" not in wanted:
        raise ParameterError(
            "protocols: 'published' chooses the epoch on the test subjects and never stands alone; ask for 'fixed' too"
        )
    measured = set(measurement.scores["protocol"])
    return [name for name in PROTOCOLS if name in wanted and name in measured]


def iterate(axes: np.ndarray) -> Iterator[Axes]:
    """Yield every axes of a grid, row by row."""
    yield from axes.ravel()
