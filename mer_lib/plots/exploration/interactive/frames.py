"""Apex frames beside each other."""

from __future__ import annotations

import base64
import io

import numpy as np
import plotly.graph_objects as go
from PIL import Image

from mer_lib.datasets.collection import Collection
from mer_lib.plots.exploration import content
from mer_lib.plots.exploration.interactive.frame import framed, panels
from mer_lib.plots.exploration.look import montage_rows, sample_text


def apex_frames(collection: Collection, by: str = "label3", columns: int = 6, seed: int = 0) -> go.Figure:
    """Draw apex frames of some samples of each class or emotion, each of another subject.

    Args:
        collection: where the samples come from.
        by: one row of pictures a value of this column: "label3" or "emotion".
        columns: so many pictures a row.
        seed: which ones.
    """
    shown = content.apex_frames(collection, by, columns, seed)
    groups = montage_rows(shown.table)
    wide = max(len(ids) for ids in groups.values())
    titles = [sample_text(ids[at]) if at < len(ids) else "" for ids in groups.values() for at in range(wide)]
    figure = panels(len(groups), wide, titles, horizontal_spacing=0.008, vertical_spacing=0.13 / len(groups))
    figure.update_annotations(font_size=13)
    for row, (group, ids) in enumerate(groups.items(), start=1):
        for column, sample_id in enumerate(ids, start=1):
            figure.add_image(
                row=row, col=column, source=_as_uri(shown.extra["pictures"][sample_id]),
                hovertemplate=f"{sample_id}<br>{group}<extra></extra>",
            )  # fmt: skip
        figure.update_yaxes(row=row, col=1, title=f"<b>{group}</b>")
    figure.update_xaxes(showticklabels=False, ticks="", showgrid=False, showline=False)
    figure.update_yaxes(showticklabels=False, ticks="", showgrid=False, showline=False)
    return framed(figure, shown, 195 * len(groups) + 60, above=85, below=12, watermark=False)


def _as_uri(picture: np.ndarray) -> str:
    """Return a picture as the address of itself, so that the notebook holds it."""
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "JPEG", quality=90)
    return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode()
