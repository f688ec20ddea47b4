"""How the five papers choose the epoch whose score they print: what the article says, what its authors' code does."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import pandas as pd

from mer_lib.papers.reported import papers

NO_CODE = "none is public"


@dataclass(frozen=True)
class EpochChoice:
    """One paper's way to its epoch.

    Attributes:
        article: what the text says.
        code: what the authors' code does.
        looked: whether the test people were looked at, in words.
    """

    article: str
    code: str
    looked: str


#: By the id of the paper. Sources: the articles, and the repositories that `mer_lib.papers.reported.papers` names.
CHOICES: dict[str, EpochChoice] = {
    "htnet": EpochChoice(
        "at most 800 epochs; which one counts is not said",
        "tests the left-out subject after every epoch and keeps the last epoch with that subject's best accuracy",
        "yes: another epoch for each subject",
    ),
    "capsulenet": EpochChoice(
        "20 epochs; which one counts is not said",
        "30 epochs; keeps the last epoch with the left-out subject's best UF1",
        "yes: another epoch for each subject",
    ),
    "mishin_yolo": EpochChoice("neither epochs nor the split are stated", NO_CODE, "not known"),
    "da_crossvit": EpochChoice(
        "at most 800 epochs; a figure follows the scores over iterations on the test folds; no validation set is named",
        NO_CODE,
        "the curves are of the test people; whether the epoch was chosen by them is not said",
    ),
    "mfem_mffm": EpochChoice(
        "50 epochs for one data set, 80 for the other; each subject serves once as validation set, and is the test set",
        NO_CODE,
        "probably: the numbers of epochs differ by data set, and there is nobody else to choose them by",
    ),
}


def epoch_choices() -> pd.DataFrame:
    """Return one row a paper: paper, article, code, looked.

    >>> epoch_choices()["paper"].tolist()
    ['HTNet', 'CapsuleNet', 'Mishin YOLO', 'DA-CrossViT', 'MFEM+MFFM']
    """
    return pd.DataFrame([{"paper": paper.short_name, **asdict(CHOICES[name])} for name, paper in papers().items()])
