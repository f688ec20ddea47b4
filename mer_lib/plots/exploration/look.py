"""What both sides of a figure share: one colour an emotion, names for people, places of dots, captions."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from mer_lib.datasets.summaries import DROPPED, MICRO_MS, NO_CLASS, NO_EMOTION, SPANS
from mer_lib.datasets.synthetic.action_units import NAMES
from mer_lib.plots.style import CLASS_COLOURS, dataset_label

#: One colour an emotion, everywhere the same; a word that is a class too has the colour of the class. Chosen from the
#: palettes of Paul Tol and of Okabe and Ito so that any two keep apart under the common forms of colour blindness.
EMOTION_COLOURS: Mapping[str, str] = MappingProxyType(
    {
        **CLASS_COLOURS,
        "disgust": "#117733",
        "anger": "#882255",
        "contempt": "#CC79A7",
        "fear": "#332288",
        "sadness": "#99DDFF",
        "repression": "#543005",
        "happiness": "#F0E442",
        "others": "#777777",
        "neutral": "#BBBBBB",
    }
)
#: For emotions that no list of this project has.
OTHER_COLOURS = ("#44AA99", "#661100", "#6699CC", "#117733")
BLANK_COLOUR = "#D5D5D5"
#: How many different classes a subject shows, from few to all.
NUMBER_COLOURS: Mapping[int, str] = MappingProxyType({1: "#C9DCEE", 2: "#6BA3D0", 3: "#0B4F8A"})
#: Sequential, white where there is nothing: of every table drawn as squares.
SHARE_COLOURS = "Blues"
MEDIAN_COLOUR = "#222222"


class GuessMark(NamedTuple):
    """How one score of a guess is drawn: its name, matplotlib's marker, its colour, its size in points."""

    label: str
    marker: str
    colour: str
    size: int


#: From large to small, so that none hides another where two scores are the same.
GUESS_MARKS: Mapping[str, GuessMark] = MappingProxyType(
    {
        "accuracy": GuessMark("accuracy", "o", "#D55E00", 18),
        "uar": GuessMark("UAR, mean recall", "s", "#56B4E9", 12),
        "uf1": GuessMark("UF1, mean F1", "^", "#222222", 10),
    }
)

#: Letters of a name: of a data set or an emotion, of a subject, above a picture, above a square of pairs.
NAME_LETTERS, SUBJECT_LETTERS, PICTURE_LETTERS, PAIR_LETTERS = 24, 9, 26, 18
#: An axis of milliseconds is at least so long: all may be 0.
SHORTEST_AXIS = 50
#: Subjects are named under their bars where there are no more than so many.
NAMED_SUBJECTS = 40
#: Half the height of a row of dots, and a little more, where rows are one apart.
DOT_ROOM = 0.52
LONG_SPAN = list(SPANS)[1]
PAIR_COLUMNS = 3
CAPTION_WIDTH = 125  # letters a line
PANELS_A_ROW = 4

# Units that annotators write and no synthetic face moves.
_MORE_UNITS = {
    8: "lips toward each other", 11: "nasolabial deepener", 13: "sharp lip puller", 16: "lower lip depressor",
    18: "lip pucker", 19: "tongue show", 22: "lip funneler", 27: "mouth stretch", 28: "lip suck", 29: "jaw thrust",
    30: "jaw sideways", 31: "jaw clencher", 32: "lip bite", 33: "cheek blow", 34: "cheek puff", 35: "cheek suck",
    38: "nostril dilator", 39: "nostril compressor", 41: "lid droop", 42: "slit", 43: "eyes closed", 44: "squint",
    45: "blink", 46: "wink",
}  # fmt: skip


def colour_of(name: str) -> str:
    """Return the colour of a class or an emotion; the same word has the same colour in every figure.

    >>> colour_of("surprise"), colour_of("no class")
    ('#009E73', '#D5D5D5')
    """
    if name in (NO_CLASS, NO_EMOTION, DROPPED):
        return BLANK_COLOUR
    # Not hash(): it differs from run to run.
    return EMOTION_COLOURS.get(name, OTHER_COLOURS[sum(name.encode()) % len(OTHER_COLOURS)])


def unit_name(number: int) -> str:
    """Return what an action unit does, in the words of FACS.

    >>> unit_name(4), unit_name(99)
    ('brow lowerer', '')
    """
    return NAMES.get(number, _MORE_UNITS.get(number, "")).split(" (")[0]


def short(text: str, letters: int = NAME_LETTERS) -> str:
    """Return a name that fits beside an axis; of a longer one the middle goes, for many differ at their ends.

    >>> short("sub01"), short("participant_of_session_0003", 12)
    ('sub01', 'parti…n_0003')
    """
    head = (letters - 1) // 2
    return text if len(text) <= letters else f"{text[:head]}…{text[head + 1 - letters :]}"


def part_name(part: str) -> str:
    """Return the name of a data set for a title or an axis: those of a folder may be long."""
    return short(dataset_label(part))


def grid(count: int) -> tuple[int, int]:
    """Return rows and columns for `count` panels.

    >>> grid(3), grid(5)
    ((1, 3), (2, 4))
    """
    return -(-count // PANELS_A_ROW), min(count, PANELS_A_ROW)


def number_of(count: int, what: str) -> str:
    """Return a number with its noun.

    >>> number_of(1, "sample"), number_of(2, "sample")
    ('1 sample', '2 samples')
    """
    return f"{count} {what}{'' if count == 1 else 's'}"


def listed(counts: pd.Series) -> str:
    """Return numbers of data sets as text, from a series by the name of the data set."""
    return ", ".join(f"{dataset_label(str(name))} {count}" for name, count in counts.items())


def ratio_text(row: Any) -> str:
    """Say how much more common the commonest class is than the rarest, from a row of the imbalance table."""
    if row.commonest == row.rarest:
        return f"{row.n_commonest} {row.commonest},\nno other class"
    return f"{row.n_commonest} {row.commonest} : {row.n_rarest} {row.rarest}\n= {row.ratio:.1f} : 1"


def rule_text(outcomes: pd.DataFrame) -> str:
    """Say what becomes of one emotion of one data set, from its rows of the table of outcomes.

    >>> rule_text(pd.DataFrame({"outcome": ["negative", "dropped"], "samples": [61, 2]}))
    '61 → negative, 2 dropped'
    """
    counts = outcomes.groupby("outcome", sort=False)["samples"].sum()
    return ", ".join(f"{n} {name}" if name == DROPPED else f"{n} → {name}" for name, n in counts.items())


def wrapped(text: str) -> str:
    """Break a caption into lines that fit under a figure; the lines that it has already are kept."""
    return "\n".join(part for line in text.splitlines() for part in textwrap.wrap(line, CAPTION_WIDTH) or [""])


def spread(values: Sequence[float] | np.ndarray | pd.Series, bins: int = 45) -> np.ndarray:
    """Place dots beside each other where many values are alike, so that a crowd looks broad.

    Args:
        values: of the dots along the axis that has a meaning.
        bins: values in the same of so many bins are alike.

    Returns:
        float64 (n,): places across that axis, from -1 to 1, 0 where a value is alone; the same on every call.
    """
    given = np.asarray(values, dtype=float)
    if given.size == 0:
        return given
    low, high = given.min(), given.max()
    cell = np.zeros(given.size, int) if high == low else ((given - low) / (high - low) * (bins - 1)).round().astype(int)
    # 0, +1, -1, +2, -2, ... in each bin, in the order of the values.
    place = np.empty(given.size)
    for name in np.unique(cell):
        members = np.flatnonzero(cell == name)
        step = np.arange(members.size)
        place[members] = np.where(step % 2 == 1, 1, -1) * ((step + 1) // 2)
    return place / max(np.abs(place).max(), 12)


def dots(table: pd.DataFrame, span: str, parts: Sequence[str]) -> pd.DataFrame:
    """Return the dots of one span, with `place`: the row of their data set (from 0), spread where values are alike."""
    chosen = table[table["span"] == span]
    groups = [
        group.assign(place=parts.index(part) + 0.4 * spread(_scaled(group["ms"], span)))
        for part, group in chosen.groupby("dataset", sort=False)
    ]
    return pd.concat(groups) if groups else chosen.assign(place=pd.Series(dtype=float))


def _scaled(values: pd.Series, span: str) -> pd.Series:
    """Values as they lie on their axis: the longer span's is logarithmic."""
    return values.clip(lower=1).map(math.log10) if span == LONG_SPAN else values


def short_axis(values: pd.Series) -> float:
    """Return the end of an axis in milliseconds that starts at 0.

    >>> short_axis(pd.Series([0, 0])), short_axis(pd.Series([0, 200]))
    (50.0, 230.0)
    """
    return round(max(float(values.max()) * 1.15, float(SHORTEST_AXIS)), 3) if len(values) else float(SHORTEST_AXIS)


def milliseconds(values: pd.Series) -> tuple[float, float, list[int]]:
    """Return the ends of a logarithmic axis in milliseconds that holds `values` and 500, and its ticks.

    >>> milliseconds(pd.Series([120, 900]))
    (90.0, 1200.0, [100, 200, 500, 1000])
    """
    known = [*values, MICRO_MS]
    low, high = min(known) * 0.75, max(known) * 4 / 3
    ticks = [step * 10**power for power in range(7) for step in (1, 2, 5)]
    found = [tick for tick in ticks if low <= tick <= high]
    return float(low), float(high), found if len(found) < 8 else [tick for tick in found if str(tick)[0] == "1"]


def not_annotated(span: str) -> str:
    """Say in a row without dots why there are none.

    >>> not_annotated("onset to apex")
    'no apex annotated'
    """
    return f"no {SPANS[span][1]} annotated"


def classes_text(count: int) -> str:
    """Return how many classes a subject shows, for a legend: ``1 class``, ``2 classes``."""
    return f"{count} class{'' if count == 1 else 'es'}"


def unit_table(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, pd.Series]:
    """Return shares and counts by emotion (rows) and action unit (columns), and the coded samples of each emotion."""
    of = table.drop_duplicates("emotion").set_index("emotion")["of"]
    wide = table.pivot(index="emotion", columns="unit", values=["share", "samples"]).reindex(of.index)
    return wide["share"], wide["samples"].astype(int), of


def square_of_pairs(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return shares and counts of the pairs of one emotion as symmetric tables by action unit."""
    mirrored = table.rename(columns={"first": "second", "second": "first"})
    both = pd.concat([table, mirrored]).drop_duplicates(["first", "second"])
    wide = both.pivot(index="first", columns="second", values=["share", "samples"])
    return wide["share"], wide["samples"].astype(int)


def pair_title(emotion: str, table: pd.DataFrame) -> str:
    """Return what stands above the pairs of one emotion: its name and its coded samples."""
    return f"{short(emotion, PAIR_LETTERS)} ({number_of(int(table['of'].iloc[0]), 'sample')})"


def per_cent(shares: pd.DataFrame) -> np.ndarray:
    """Return shares as whole per cents to write on squares, empty where there is nothing."""
    return np.array([[f"{100 * share:.0f}" if share else "" for share in row] for row in shares.to_numpy()])


def montage_rows(table: pd.DataFrame) -> dict[str, list[str]]:
    """Return the sample ids of a montage, row by row, by what the samples of a row have in common."""
    return {str(group): list(rows["sample_id"]) for group, rows in table.groupby("group", sort=False)}


def sample_text(sample_id: str) -> str:
    """Return the data set and the subject of a sample, for people.

    >>> sample_text("casme2/sub01/EP02_01f")
    'CASME II sub01'
    """
    dataset, subject, _ = sample_id.split("/")
    return short(f"{dataset_label(dataset)} {subject}", PICTURE_LETTERS)
