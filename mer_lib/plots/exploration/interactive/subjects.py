"""Who is in the data: the samples of each subject."""

from __future__ import annotations

import plotly.graph_objects as go

from mer_lib.datasets.collection import Collection
from mer_lib.datasets.summaries import class_order
from mer_lib.plots.exploration import content
from mer_lib.plots.exploration.interactive.frame import counting, framed, panels
from mer_lib.plots.exploration.look import (
    NAMED_SUBJECTS,
    NUMBER_COLOURS,
    SUBJECT_LETTERS,
    classes_text,
    colour_of,
    grid,
    part_name,
    short,
)


def classes_by_subject(collection: Collection) -> go.Figure:
    """Draw the samples of each subject as a stack of classes, the subject with most samples first."""
    shown = content.classes_by_subject(collection)
    parts = shown.parts
    gap = 0.45 / len(parts) ** 1.15
    titles = [part_name(part) for part in parts]
    figure = panels(len(parts), 1, titles, shared_yaxes="all", vertical_spacing=gap)
    for row, part in enumerate(parts, start=1):
        table = shown.table[shown.table["dataset"] == part]
        for label in class_order(table["label"]):
            found = table[table["label"] == label]
            first = shown.table.loc[shown.table["label"] == label, "dataset"].iloc[0]
            figure.add_bar(
                row=row, col=1, name=label, legendgroup=label, showlegend=part == first, x=found["rank"],
                y=found["samples"], marker_color=colour_of(label), text=found["subject"], textposition="none",
                hovertemplate=f"{part_name(part)}, subject %{{text}}: %{{y}} {label}<extra></extra>",
            )  # fmt: skip
        people = table.drop_duplicates("rank")
        few = len(people) <= NAMED_SUBJECTS
        names = [short(name, SUBJECT_LETTERS) for name in people["subject"]]
        figure.update_xaxes(
            row=row, col=1, tickvals=people["rank"] if few else None, ticktext=names if few else None,
            tickangle=-60 if few else 0, tickfont_size=13, range=[0.4, max(len(people), 8) + 0.6], showgrid=False,
        )  # fmt: skip
    figure.update_xaxes(title="subject (by its number of samples)", row=len(parts))
    figure.update_yaxes(title="samples", **counting(shown.table["total"].max(), 4))
    figure.update_layout(barmode="stack", bargap=0.15)
    return framed(figure, shown, 240 * len(parts) + 115, above=115, below=114)


def subjects_by_samples(collection: Collection) -> go.Figure:
    """Draw how many subjects have how many samples, darker where they show more classes."""
    shown = content.subjects_by_samples(collection)
    parts = shown.parts
    rows, columns = grid(len(parts))
    figure = panels(
        rows, columns, [part_name(part) for part in parts], horizontal_spacing=0.05,
        vertical_spacing=0.36 / rows,
    )  # fmt: skip
    for at, part in enumerate(parts):
        for classes, colour in NUMBER_COLOURS.items():
            found = shown.table[(shown.table["dataset"] == part) & (shown.table["classes"] == classes)]
            figure.add_bar(
                row=at // columns + 1, col=at % columns + 1, name=classes_text(classes), legendgroup=str(classes),
                showlegend=at == 0, x=found["samples"], y=found["subjects"], marker_color=colour,
                hovertemplate=f"%{{y}} subjects with %{{x}} samples, {classes_text(classes)}<extra></extra>",
            )  # fmt: skip
        most = shown.table[shown.table["dataset"] == part].groupby("samples")["subjects"].sum().max()
        figure.update_yaxes(row=at // columns + 1, col=at % columns + 1, **counting(most, 6))
    figure.update_layout(barmode="stack", bargap=0.12)
    figure.update_xaxes(type="category", tickangle=-45, showgrid=False)
    figure.update_xaxes(title="samples of a subject", row=rows)
    figure.update_yaxes(rangemode="tozero")
    figure.update_yaxes(title="subjects", col=1)
    return framed(figure, shown, 330 * rows + 115, above=115, below=130)
