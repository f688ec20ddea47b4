"""Figures and tables of the exploration as a notebook shows them: one kind of data after the other, or why not."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from IPython.display import Markdown, display
from matplotlib.figure import Figure

from mer_lib.datasets import label_sets
from mer_lib.datasets.clips import ClipDataset
from mer_lib.datasets.collection import Collection, NothingToShow
from mer_lib.datasets.flow_maps import FlowMapDataset
from mer_lib.papers.experiments import known
from mer_lib.plots.exploration import findings, interactive, printed, tables
from mer_lib.plots.exploration.interactive.frame import mimebundle
from mer_lib.plots.style import marked

TABLES = ("overview", "exclusions", "data_tables", "rule_counts")


@dataclass(frozen=True, eq=False)
class Exploration:
    """Opened data sets and what a notebook shows of them.

    Attributes:
        datasets: as they were opened.
        collections: the same, joined kind by kind.
        unusable: why each data set that is here and not among them cannot be used.
    """

    datasets: Sequence[FlowMapDataset | ClipDataset]
    collections: Sequence[Collection]
    unusable: Sequence[str] = ()

    @property
    def caption(self) -> str:
        """What is here, in one line."""
        return " · ".join(marked(dataset.label, dataset.kind) for dataset in self.datasets)

    def show(self, name: str, **options: Any) -> None:
        """Show a figure of each kind of data, and under it what is seen there; or why there is none.

        A viewer with plotly (JupyterLab, VS Code) shows the interactive figure, any other one its printed twin: both
        are stored in the notebook, and neither needs the network.

        Args:
            name: of a figure of :mod:`mer_lib.plots.exploration.interactive`.
            options: of the figure.

        Raises:
            ParameterError: there is no such figure.
        """
        known(name, interactive.__all__, "figure")
        for collection in self.collections:
            _show(collection, name, options)

    def table(self, name: str) -> None:
        """Show a table of :mod:`mer_lib.plots.exploration.tables` of each kind of data, or why there is none.

        Raises:
            ParameterError: there is no such table.
        """
        known(name, TABLES, "table")
        for reason in self.unusable if name == "overview" else ():
            display(Markdown(f"**Here, but not usable:**\n\n```\n{reason}\n```"))
        for collection in self.collections:
            try:
                display(getattr(tables, name)(collection))
            except NothingToShow as reason:
                display(Markdown(_told(collection, reason)))

    def label_rules(self) -> None:
        """Show what each label set does that has a rule for the data; the classes they came with, where none has."""
        for collection in self.collections:
            for name in _fitting(collection) or [""]:
                _show(collection, "label_rules", {"label_set": name})


def _show(collection: Collection, name: str, options: Mapping[str, Any]) -> None:
    try:
        display(bundle(name, collection, **options), raw=True)
        seen = findings.found(name, collection)
        sentence = marked(seen, collection.kind) if seen else ""
    except NothingToShow as reason:
        sentence = _told(collection, reason)
    if sentence:
        display(Markdown(sentence))


def _fitting(collection: Collection) -> list[str]:
    """Names of the label sets with a rule for samples that have an emotion."""
    parts = set(collection.samples.loc[collection.samples["emotion"].notna(), "dataset"])
    return [name for name, rules in label_sets().items() if parts & set(rules.parts)]


def bundle(name: str, collection: Collection, **options: Any) -> dict[str, Any]:
    """Return a figure as a notebook stores it: for plotly, and as a picture for viewers that have none.

    The picture is HTML and not ``image/png``: where there is one of those, plotly's own extension of JupyterLab shows
    it and draws the figure only when the mouse comes near.

    Raises:
        NothingToShow: the data do not say what the figure shows.
    """
    for_screen = mimebundle(getattr(interactive, name)(collection, **options))
    picture = getattr(printed, name)(collection, **options)
    said = f"{name} of {collection!r}"
    return for_screen | {"text/html": _as_html(picture, said), "text/plain": said}


def _as_html(figure: Figure, said: str) -> str:
    stream = io.BytesIO()
    figure.savefig(stream, format="png")
    source = base64.b64encode(stream.getvalue()).decode()
    return f'<img alt="{html.escape(said)}" style="max-width: 100%" src="data:image/png;base64,{source}">'


def _told(collection: Collection, reason: NothingToShow) -> str:
    return f"*{marked(str(reason), collection.kind)}.*"
