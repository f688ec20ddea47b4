"""The published numbers, each with what is known against it.

`reported/papers.yaml` names the articles and their tables, figures and texts; `reported/<paper>.csv` holds
their numbers, one row a number. Misprints keep the printed text beside the repaired value.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from difflib import get_close_matches
from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal

import pandas as pd
import yaml
from pydantic import BaseModel, ConfigDict, StrictBool, StrictFloat, StrictInt, StrictStr

from mer_lib.errors import ParameterError, fault_list

COLUMNS = (
    "experiment", "method", "variant", "dataset", "metric", "unit",
    "value", "printed", "status", "suggested", "approx", "note",
)  # fmt: skip
_INTEGER = re.compile(r"-?\d+")
_FLOAT = re.compile(r"-?\d+(\.\d+)?(e[+-]?\d+)?")

Status = Literal["corrected", "suspect"]
Value = StrictBool | StrictInt | StrictFloat | StrictStr


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Paper(_Record):
    """One article: its title, how to cite it, and the original work that it retells, if any."""

    id: str
    title: str
    short_name: str
    citation: str
    original: str | None = None
    code: str | None = None
    note: str | None = None


class ReportedExperiment(_Record):
    """One table, figure or text of an article, or numbers derived from it (`kind` says which).

    `count` is its number of reported values; `cells` also counts the dashes of the printed table;
    `decimals` is the number of digits to show for uf1 and uar.
    """

    id: str
    paper: str
    kind: Literal["table", "figure", "text", "derived"]
    number: str | None = None
    title: str
    protocol: str | None = None
    varies: str | None = None
    fixed: str | None = None
    unit: str | None = None
    notes: str | None = None
    source: str | None = None
    count: int
    cells: int | None = None
    decimals: int | None = None

    @property
    def place(self) -> str:
        """Where it stands, e.g. "table 4", "figure 5", "text" or "derived"."""
        return f"{self.kind} {self.number}" if self.number else self.kind


class ReportedNumber(_Record):
    """One published number. `value` is the one to show; absent facts are None.

    `status` is None where nothing speaks against the number, "corrected" where `value` repairs the
    `printed` text, "suspect" where it is kept as printed but contradicted; `suggested` is the number that
    the evidence points to, `approx` the reading error of a number read from a plot, `note` the reason.
    """

    experiment: str
    method: str | None = None
    variant: str | None = None
    dataset: str | None = None
    metric: str
    unit: str | None = None
    value: Value
    printed: str | None = None
    status: Status | None = None
    suggested: float | None = None
    approx: float | None = None
    note: str | None = None
    decimals: int | None = None

    @property
    def fraction(self) -> float:
        """The value of a score as a share of one, whatever unit it is printed in.

        >>> round(lookup("mfem_mffm.table3", "acc", "casme2", method="base").fraction, 5)
        0.73171
        """
        return float(self.value) / (100 if self.unit == "percent" else 1)

    def display(self) -> str:
        """Text to show in a table, in the number's own unit.

        >>> lookup("htnet.table4", "uar", variant="9x9").display()
        '0.8445 (printed 0.7445)'
        >>> lookup("htnet.table2", "uf1", "smic", method="LBP-TOP").display()
        '0.2000 (suspect)'
        >>> lookup("htnet.fig6", "uf1", variant="3").display()
        '≈0.86'
        """
        text = ("≈" if self.approx is not None else "") + self._text(self.value)
        remarks = []
        if self.status == "corrected" and self.printed is not None:
            remarks.append(f"printed {self.printed.replace(',', '.')}")
        if self.status == "suspect":
            remarks.append("suspect")
        if self.suggested is not None:
            remarks.append(f"suggested {self._text(self.suggested)}")
        return f"{text} ({', '.join(remarks)})" if remarks else text

    def _text(self, value: Value) -> str:
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, float) and self.decimals is not None:
            return f"{value:.{self.decimals}f}"
        return str(value)


def papers() -> dict[str, Paper]:
    """The articles by id.

    >>> papers()["htnet"].short_name
    'HTNet'
    """
    return dict(_papers())


def experiments(paper: str | None = None) -> dict[str, ReportedExperiment]:
    """The reported experiments by id, of one paper or of all.

    >>> experiments("htnet")["htnet.table4"].place
    'table 4'

    Raises:
        ParameterError: no such paper.
    """
    if paper is not None:
        _require("paper", paper, _papers())
    return {key: e for key, e in _experiments().items() if paper in (None, e.paper)}


def reported(experiment_id: str) -> pd.DataFrame:
    """All published numbers of one experiment, one row a number.

    >>> reported("htnet.table4").shape
    (48, 12)

    Returns:
        Columns `COLUMNS`: text columns hold "" where the fact is absent, `suggested` and `approx` NaN;
        `value` holds float, int, bool or str objects. A copy: changing it changes nothing here.

    Raises:
        ParameterError: no such experiment.
    """
    _require("reported experiment", experiment_id, _experiments())
    table = _numbers()
    return table[table["experiment"] == experiment_id].reset_index(drop=True)


def lookup(
    experiment_id: str,
    metric: str,
    dataset: str | None = "full",
    variant: str | None = None,
    method: str | None = None,
) -> ReportedNumber | None:
    """The one published number that fits, or None where the article gives none.

    >>> lookup("htnet.table5", "uf1", variant="(2,2,8)").value
    0.8603
    >>> lookup("htnet.derived.params", "parameters", variant="(2,2,8)").value
    114429446

    Args:
        experiment_id: e.g. "htnet.table4".
        metric: e.g. "uf1".
        dataset: "full", "smic", "casme2", "samm" or "casme3a"; None fits any. A number that belongs to no
            data set (a parameter count, say) fits every one.
        variant: setting of an ablation, e.g. "9x9"; None fits any.
        method: e.g. "HTNet"; None fits any.

    Raises:
        ParameterError: no such experiment, or more than one number fits.
    """
    _require("reported experiment", experiment_id, _experiments())
    found = [
        number
        for number in _by_metric().get((experiment_id, metric), ())
        if (dataset is None or number.dataset in (dataset, None))
        and variant in (None, number.variant)
        and method in (None, number.method)
    ]
    if len(found) > 1:
        raise _ambiguous(experiment_id, metric, found)
    return found[0] if found else None


def misprints(experiment_id: str | None = None) -> pd.DataFrame:
    """The numbers with status "corrected" or "suspect", of one experiment or of all.

    >>> misprints()["status"].value_counts().to_dict()
    {'suspect': 23, 'corrected': 7}

    Raises:
        ParameterError: no such experiment.
    """
    table = _numbers() if experiment_id is None else reported(experiment_id)
    return table[table["status"] != ""].reset_index(drop=True)


def disagreements() -> pd.DataFrame:
    """Quantities that are printed differently in different places, with the evidence and the number to use.

    Returns:
        Columns method, dataset, metric, kind ("printed", "evidence" or "use"), source (the experiment that
        prints it, or the kind of evidence), value. Absent text is "".
    """
    return _disagreements().copy()


@lru_cache(maxsize=1)
def _by_metric() -> dict[tuple[str, str], list[ReportedNumber]]:
    """All numbers by (experiment, metric)."""
    found: dict[tuple[str, str], list[ReportedNumber]] = {}
    for row in _numbers().to_dict("records"):
        found.setdefault((row["experiment"], row["metric"]), []).append(_number(row))
    return found


@lru_cache(maxsize=1)
def _index() -> dict[str, dict[str, dict[str, Any]]]:
    return yaml.safe_load(_read("papers.yaml"))


@lru_cache(maxsize=1)
def _papers() -> dict[str, Paper]:
    return {key: Paper(id=key, **facts) for key, facts in _index()["papers"].items()}


@lru_cache(maxsize=1)
def _experiments() -> dict[str, ReportedExperiment]:
    return {key: ReportedExperiment(id=key, **facts) for key, facts in _index()["experiments"].items()}


@lru_cache(maxsize=1)
def _numbers() -> pd.DataFrame:
    rows = [row for paper in _papers() for row in _csv_rows(f"{paper}.csv")]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    table["value"] = pd.Series([_typed(text) for text in table["value"]], dtype=object)
    for column in ("suggested", "approx"):
        table[column] = pd.to_numeric(table[column])
    return table


@lru_cache(maxsize=1)
def _disagreements() -> pd.DataFrame:
    table = pd.DataFrame(_csv_rows("disagreements.csv"))
    table["value"] = pd.Series([_typed(text) for text in table["value"]], dtype=object)
    return table


def _read(name: str) -> str:
    return (files("mer_lib.papers") / "reported" / name).read_text(encoding="utf-8")


def _csv_rows(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(_read(name).splitlines()))


def _typed(text: str) -> bool | int | float | str:
    """The value that a cell's text stands for: "true" is a bool, "28" an int, "0.86" a float."""
    if text in ("true", "false"):
        return text == "true"
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def _number(row: dict[str, Any]) -> ReportedNumber:
    facts = {key: value for key, value in row.items() if value != "" and not pd.isna(value)}
    digits = _experiments()[row["experiment"]].decimals if row["metric"] in ("uf1", "uar") else None
    return ReportedNumber(**facts, decimals=digits)


def _require(what: str, name: str, known: Iterable[str]) -> None:
    names = list(known)
    if name in names:
        return
    close = get_close_matches(name, names, n=3)
    hint = f" Did you mean {' or '.join(close)}?" if close else ""
    raise ParameterError(f"Unknown {what} {name!r}.{hint} Expected one of: {', '.join(names)}.")


def _ambiguous(experiment_id: str, metric: str, found: list[ReportedNumber]) -> ParameterError:
    lines = [f"method={n.method!r}, variant={n.variant!r}, dataset={n.dataset!r}: {n.value}" for n in found]
    return ParameterError(
        f"Expected one number for metric {metric!r} of {experiment_id}, got {len(found)}; "
        f"say which method, variant or dataset:\n{fault_list(lines)}"
    )
