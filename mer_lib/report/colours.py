"""How verdicts look on the page: one class of the style sheet each, whose colour never stands without the word."""

from __future__ import annotations

from mer_lib.papers.verdicts import AGREES, CONTRADICTED, DIFFERS, NOISE, SUPPORTED, UNTESTABLE, VERDICTS

COLOURS = {
    "": "",
    SUPPORTED: "good",
    NOISE: "unclear",
    CONTRADICTED: "bad",
    UNTESTABLE: "none",
    AGREES: "good",
    DIFFERS: "bad",
}
#: For tables: text of a cell, its classes.
MARKS = tuple((word, f"verdict {COLOURS[word]}") for word in VERDICTS)
