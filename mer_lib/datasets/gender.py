"""Apparent gender of the people in a data set: from a CSV file, or estimated by DeepFace and written as one.

An estimate is what a network says of a face, trained on pictures that others had labelled; it is no fact about a
person. One paper splits CAS(ME)^3 by it (Mishin 2025); nothing else here depends on it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import pandas as pd

from mer_lib.atomic import write_text
from mer_lib.datasets.annotation.cells import text
from mer_lib.datasets.annotation.workbook import read_rows
from mer_lib.datasets.faults import Fault
from mer_lib.errors import DataError, MerError, ParameterError

#: In the folder of a data set.
FILE_NAME = "gender.csv"
GENDERS = ("female", "male")
THRESHOLD = 0.9
#: `gender` is empty where `decided` is "no". `confidence` is the mean probability of the likelier gender over `frames`
#: first frames, empty without any; `disagreeing` of them look more like the other.
COLUMNS = ("subject", "gender", "confidence", "frames", "disagreeing", "decided")
#: DeepFace asks for a second OpenCV, which would overwrite files of the first: hence --no-deps, and one exact version,
#: to which the extra lists the other needs.
INSTALL = 'pip install -e ".[gender]" && pip install --no-deps deepface==0.0.103'

_WORDS = {
    "female": "female", "f": "female", "woman": "female", "w": "female",
    "male": "male", "m": "male", "man": "male",
}  # fmt: skip
_WANTED = {"subject": ("subject",), "gender": ("gender",)}
_DETECTOR = "opencv"  # DeepFace's own choice; its weights come with OpenCV
_WEIGHTS = "gender_model_weights.pth"


class GenderFile(NamedTuple):
    """What a CSV file says: subject, or "<dataset>/<subject>", to gender; and what is wrong with it."""

    genders: dict[str, str]
    faults: list[Fault]


class Estimate(NamedTuple):
    """One row a subject with the columns of :data:`COLUMNS`, and the clips that could not be looked at."""

    table: pd.DataFrame
    faults: list[Fault]


class Clips(Protocol):
    """What an estimate needs of a data set: :class:`mer_lib.datasets.ClipDataset` has it."""

    @property
    def samples(self) -> pd.DataFrame:
        """Table with sample_id, dataset, subject."""

    def frames(self, sample_id: str, indices: list[int]) -> np.ndarray:
        """Return uint8 (T, H, W, 3) RGB."""


# -- from a file ------------------------------------------------------------------------------------------------------


def gender_word(word: object) -> str | None:
    """Return a gender in the words of the samples table, or None for an empty cell; an unknown word stays, lower case.

    >>> [gender_word(word) for word in ("F", "Man", "nonbinary", " ")]
    ['female', 'male', 'nonbinary', None]
    """
    plain = (text(word) or "").lower()
    return _WORDS.get(plain, plain) or None


def read(path: Path) -> GenderFile:
    """Read a CSV file with the columns subject and gender; others are not looked at.

    A row without gender says nothing. A word that is neither gender is kept and noted, since people may write their
    own; two rows that contradict each other are both left out. Nothing wrong with the file makes a data set unusable.

    Args:
        path: CSV, comma, semicolon or tab; subjects as in sample ids ("sub01"), or "casme2/sub01".
    """
    faults: list[Fault] = []
    rows = read_rows(path, _WANTED, faults)
    faults = [fault._replace(effect="noted") for fault in faults]
    said: dict[str, list[str]] = {}
    for subject, word, place in [] if rows is None else rows[["subject", "gender", "place"]].itertuples(index=False):
        gender, name = gender_word(word), text(subject)
        if name is None:
            faults.append(_fault(path, f"{place} names no subject; it is left out"))
        elif gender is not None:
            said.setdefault(name, []).append(gender)
            if gender not in GENDERS:
                faults.append(_fault(path, f"{place}: expected female or male, got {gender[:40]!r}; kept as it is"))
    faults += [_fault(path, _contradiction(name, words)) for name, words in said.items() if len(set(words)) > 1]
    return GenderFile({name: words[0] for name, words in said.items() if len(set(words)) == 1}, faults)


def fill(rows: pd.DataFrame, path: Path) -> tuple[pd.DataFrame, list[Fault]]:
    """Take the gender of each row from a file, where the rows themselves do not say it.

    Args:
        rows: with dataset, subject and gender.
        path: see :func:`read`; where no such file is, nothing changes.

    Returns:
        A copy with `gender` filled, and everything that is wrong: with the file, subjects of these data sets that no
        row has, and rows that say something else than the file (the row is right).
    """
    rows = rows.copy()
    if not os.path.lexists(path):
        return rows, []
    genders, faults = read(path)
    qualified = rows["dataset"].astype(str) + "/" + rows["subject"].astype(str)
    found = qualified.map(genders).fillna(rows["subject"].astype(str).map(genders)).astype("string")
    stated = rows["gender"].map(gender_word, na_action="ignore").astype("string")
    differing = (found != stated).fillna(False)
    faults += [
        _fault(path, f"{name} is {there}, but {FILE_NAME} says {other}; the former is taken", "contradiction")
        for name, there, other in sorted(
            set(zip(qualified[differing], stated[differing], found[differing], strict=True))
        )
    ]
    faults += [_fault(path, f"no clip has the subject {name}") for name in _strangers(genders, rows)]
    rows["gender"] = stated.fillna(found)
    return rows, faults


def _strangers(genders: dict[str, str], rows: pd.DataFrame) -> Iterator[str]:
    subjects, datasets = set(rows["subject"]), set(rows["dataset"])
    for name in genders:
        dataset, _, subject = name.rpartition("/")
        if subject not in subjects and (not dataset or dataset in datasets):
            yield name


def _contradiction(name: str, words: list[str]) -> str:
    return f"{name} is said to be {' and '.join(sorted(set(words)))}; left out"


def _fault(path: Path, message: str, kind: str = "annotation") -> Fault:
    return Fault("noted", kind, f"{path.name}: {message}")  # type: ignore[arg-type]


# -- by an estimate ---------------------------------------------------------------------------------------------------


def estimate(
    clips: Clips, threshold: float = THRESHOLD, listener: Callable[[int, int], None] | None = None
) -> Estimate:
    """Estimate the apparent gender of every subject with DeepFace, on the first frame of each of the subject's clips.

    The probabilities of a subject's frames are averaged; below the threshold the subject is left undecided.

    Args:
        clips: a data set with frames.
        threshold: least mean probability of the likelier gender, 0.5 to 1.
        listener: is called with the number of clips done and of all.

    Raises:
        ParameterError: the threshold is out of range.
        MerError: DeepFace is not installed (with the line that installs it), or it fails, as without its weights.
        DataError: no clip has frames in which a face was found.
    """
    if not 0.5 <= threshold <= 1:
        raise ParameterError(f"threshold: expected a probability from 0.5 to 1, got {threshold}")
    analyze, faults = _deepface(), []
    probabilities: list[float | None] = []
    for done, sample_id in enumerate(clips.samples["sample_id"], start=1):
        found = _of_clip(clips, sample_id, analyze)
        faults += [found] if isinstance(found, Fault) else []
        probabilities.append(None if isinstance(found, Fault) else found)
        if listener:
            listener(done, len(clips.samples))
    if all(probability is None for probability in probabilities):
        reasons = "; ".join(sorted({fault.message for fault in faults})[:3]) or "there are no clips"
        raise DataError(f"No gender can be estimated: expected clips with a face in their first frame, but {reasons}")
    return Estimate(_averaged(clips.samples, probabilities, threshold), faults)


def estimate_file(
    clips: Clips, path: Path, threshold: float = THRESHOLD, listener: Callable[[int, int], None] | None = None
) -> Estimate:
    """Estimate as :func:`estimate` and write the table, whole or not at all, to a CSV file that :func:`read` reads.

    Raises:
        ParameterError: the threshold is out of range, or the file is there: people correct it by hand.
        MerError, DataError: as :func:`estimate`; or the file cannot be written.
    """
    if os.path.lexists(path):
        raise ParameterError(f"{path} is there and may hold corrections: move it away, or name another file")
    result = estimate(clips, threshold, listener)
    try:
        write_text(path, result.table.to_csv(index=False, lineterminator="\n"))
    except OSError as error:
        raise DataError(f"{path} cannot be written ({error.strerror or error}): name another file") from None
    return result


def _deepface() -> Callable[..., Any]:
    os.environ.setdefault("DEEPFACE_LOG_LEVEL", "30")  # warnings; its own progress is not ours
    try:
        from deepface import DeepFace
    except Exception as error:  # not only that it is absent: it makes a folder in the home folder as it is imported
        raise MerError(
            f"Estimating gender needs DeepFace, which cannot be imported ({error}). "
            f"In the folder of this repository, with its environment active, run: {INSTALL}"
        ) from None
    return DeepFace.analyze  # type: ignore[no-any-return]


def _of_clip(clips: Clips, sample_id: str, analyze: Callable[..., Any]) -> float | Fault:
    """Probability that the largest face in the first frame is a woman's, or why there is none."""
    try:
        frame = clips.frames(sample_id, [0])[0]
    except DataError as error:
        return Fault("noted", "unreadable image", f"no gender estimated: {error}", sample_id)
    try:
        faces = analyze(
            np.ascontiguousarray(frame[:, :, ::-1]),  # it expects BGR
            actions=["gender"],
            enforce_detection=False,
            detector_backend=_DETECTOR,
            silent=True,
        )
    except Exception as error:  # whatever a network and its download may raise
        raise MerError(
            f"DeepFace failed on {sample_id} ({type(error).__name__}: {error}). At its first use it downloads "
            f"{_WEIGHTS} (512 MiB); without a connection put that file into .deepface/weights in the home folder"
        ) from None
    seen = [face for face in faces if face["face_confidence"] > 0]
    if not seen:
        return Fault("noted", "annotation", "no gender estimated: no face found in the first frame", sample_id)
    largest = max(seen, key=lambda face: face["region"]["w"] * face["region"]["h"])
    return float(largest["gender"]["Woman"]) / 100


def _averaged(samples: pd.DataFrame, probabilities: list[float | None], threshold: float) -> pd.DataFrame:
    subjects = samples["subject"].astype(str)
    if samples["dataset"].nunique() > 1:
        subjects = samples["dataset"].astype(str) + "/" + subjects
    woman = pd.Series(probabilities, index=subjects.array, dtype="float64")
    rows = [_row(str(name), group.dropna(), threshold) for name, group in woman.groupby(level=0, sort=True)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _row(subject: str, woman: pd.Series, threshold: float) -> tuple[object, ...]:
    if woman.empty:
        return subject, "", "", 0, 0, "no"
    mean = float(woman.mean())
    confidence, likelier = max((mean, GENDERS[0]), (1 - mean, GENDERS[1]))
    disagreeing = int((woman < 0.5).sum() if likelier == GENDERS[0] else (woman > 0.5).sum())
    decided = confidence >= threshold and confidence > 0.5
    return (
        subject,
        likelier if decided else "",
        round(confidence, 4),
        len(woman),
        disagreeing,
        "yes" if decided else "no",
    )
