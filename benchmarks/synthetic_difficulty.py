"""Measure how hard the synthetic clips are, and print it beside the same measurement on the real maps.

A linear support vector machine is tested on each subject after training on the others (leave one subject out), its C
chosen inside the training subjects. It is given, clip by clip, from onset to apex:

- frame difference: the change of brightness, which light and head motion change as well;
- flow maps: estimated optical flow and its strain, as 28x28 maps of 8 bits (what the data set's maps are);
- true flow: the same maps from the flow that was drawn, with head motion and of the expression alone. The last is an
  ideal observer: what remains wrong is how people differ;
- controls, which must come out near guessing: shuffled labels, the onset frame, head motion alone.

The real row needs the MEGC2019 maps under MER_DATA_ROOT and is left out where they are absent.

    python benchmarks/synthetic_difficulty.py                    profile course, some minutes on two cores
    python benchmarks/synthetic_difficulty.py --profile demo     shorter, with wide intervals
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from itertools import groupby

import cv2
import joblib
import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.svm import SVC

from mer_lib import datasets
from mer_lib.datasets import CLASSES, MAP_SIZE, qualified_subjects
from mer_lib.datasets.synthetic.databases import DATABASES, PROFILES, ClipEntry, clips
from mer_lib.datasets.synthetic.produce import cut_face, plan_of
from mer_lib.datasets.synthetic.renderer import ClipRenderer
from mer_lib.datasets.synthetic.storage import face_of
from mer_lib.datasets.synthetic.streams import stream
from mer_lib.evaluation.frames import PROBABILITIES
from mer_lib.evaluation.metrics import confusion_matrix, score_by_dataset, uf1
from mer_lib.evaluation.statistics import bootstrap_interval
from mer_lib.motion import METHODS, optical_flow, scaled_map

REGULARISATIONS = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2)
INNER_FOLDS = 4
BLUR = 2.0  # pixels: differences of single pixels are noise


def inputs_of(entry: ClipEntry, methods: Iterable[str]) -> dict[str, np.ndarray]:
    """Return every input of the table for one clip; only its onset and apex frames are rendered."""
    plan = plan_of(entry)
    renderer = ClipRenderer(face_of(entry.person, entry.gender, entry.recording.size), plan)
    landmarks = renderer.landmarks(plan.onset)
    onset, apex = (cut_face(renderer.frame(index), landmarks) for index in (plan.onset, plan.apex))
    whole = cut_face(renderer.flow(plan.onset, plan.apex), landmarks)
    expression = cut_face(renderer.flow(plan.onset, plan.apex, head=False), landmarks)
    first, second = grey(onset), grey(apex)
    found = {f"flow maps, {method}": scaled_map(optical_flow(onset, apex, method)) for method in methods}
    return {
        "frame difference": small(cv2.GaussianBlur(second - first, (0, 0), BLUR)),
        **found,
        "true flow with head motion": scaled_map(whole),
        "true flow of the expression": scaled_map(expression),
        "control: onset frame": small(first),
        "control: head motion alone": scaled_map(whole - expression),
    }


def samples_of(entries: Iterable[ClipEntry]) -> pd.DataFrame:
    """Return ids, subjects and classes of the clips, in their order."""
    rows = [(entry.sample_id, *entry.sample_id.split("/")[:2], entry.label3) for entry in entries]
    return pd.DataFrame(rows, columns=["sample_id", "dataset", "subject", "label3"])


def grey(image: np.ndarray) -> np.ndarray:
    """Return an RGB or grey image as float32 grey."""
    return (cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) if image.ndim == 3 else image).astype(np.float32)


def small(image: np.ndarray) -> np.ndarray:
    """Return `image` at the size of the maps."""
    return cv2.resize(image, (MAP_SIZE, MAP_SIZE), interpolation=cv2.INTER_AREA)


def measured_inputs(entries: Iterable[ClipEntry], methods: Iterable[str], jobs: int) -> dict[str, np.ndarray]:
    """Return every input for all clips, in their order; a worker takes the clips of one person at a time."""
    people = [list(group) for _, group in groupby(entries, key=lambda entry: entry.person)]
    parts = joblib.Parallel(n_jobs=jobs)(joblib.delayed(_inputs_of_person)(group, methods) for group in people)
    rows = [row for part in parts for row in part]
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


def _inputs_of_person(entries: list[ClipEntry], methods: Iterable[str]) -> list[dict[str, np.ndarray]]:
    cv2.setNumThreads(1)
    return [inputs_of(entry, methods) for entry in entries]


def leave_one_subject_out(X: np.ndarray, y: np.ndarray, subjects: np.ndarray) -> np.ndarray:
    """Predict each subject by a machine that was fitted, and whose C was chosen, on the other subjects.

    Args:
        X: (N, ...) inputs; standardised on the training subjects.
        y: (N,) class codes.
        subjects: (N,) qualified subject ids.

    Returns:
        (N,) predicted class codes.
    """
    flat = X.reshape(len(X), -1).astype(np.float64)
    predicted = np.empty_like(y)
    for subject in np.unique(subjects):
        test, train = np.flatnonzero(subjects == subject), np.flatnonzero(subjects != subject)
        spread = flat[train].std(axis=0)
        scaled = (flat - flat[train].mean(axis=0)) / np.where(spread > 0, spread, 1)
        kernel = scaled @ scaled.T
        C = _best_regularisation(kernel, y, train, subjects[train])
        predicted[test] = _fitted(kernel, y, train, C).predict(kernel[np.ix_(test, train)])
    return predicted


def _best_regularisation(kernel: np.ndarray, y: np.ndarray, train: np.ndarray, subjects: np.ndarray) -> float:
    guesses = {C: np.empty(len(train), dtype=y.dtype) for C in REGULARISATIONS}
    for fit, hold in StratifiedGroupKFold(INNER_FOLDS).split(train, y[train], subjects):
        for C, guess in guesses.items():
            machine = _fitted(kernel, y, train[fit], C)
            guess[hold] = machine.predict(kernel[np.ix_(train[hold], train[fit])])
    return max(guesses, key=lambda C: float(uf1(confusion_matrix(y[train], guesses[C]))))


def _fitted(kernel: np.ndarray, y: np.ndarray, rows: np.ndarray, C: float) -> SVC:
    return SVC(C=C, kernel="precomputed", class_weight="balanced").fit(kernel[np.ix_(rows, rows)], y[rows])


def predictions_frame(samples: pd.DataFrame, y: np.ndarray, predicted: np.ndarray) -> pd.DataFrame:
    """Return predictions in the form that the library scores: certain of one class."""
    certain = np.eye(len(CLASSES))[predicted]
    columns = {"sample_id": samples["sample_id"].to_numpy(), "seed": 0, "y_true": y}
    return pd.DataFrame(columns | dict(zip(PROBABILITIES, certain.T, strict=True)))


def row(name: str, X: np.ndarray, y: np.ndarray, samples: pd.DataFrame) -> list[str]:
    """Return one row of the table: the input, UF1 with its interval, UF1 of each database."""
    predicted = leave_one_subject_out(X, y, qualified_subjects(samples).to_numpy())
    frame = predictions_frame(samples, y, predicted)
    interval = bootstrap_interval(frame)
    found = score_by_dataset(frame)
    parts = [f"{found[name].uf1:.3f}" for name in samples["dataset"].unique()]
    return [name, f"{interval.point:.3f} [{interval.low:.2f}, {interval.high:.2f}]", *parts]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", choices=PROFILES, default="course")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=["farneback", "dis"], help="tvl1 is slow")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    console = Console()
    entries = clips(options.profile)
    samples = samples_of(entries)
    y = samples["label3"].map({name: code for code, name in enumerate(CLASSES)}).to_numpy(dtype=np.int64)
    inputs = measured_inputs(entries, options.methods, options.jobs)
    what = f"{len(entries)} SYNTHETIC clips, {qualified_subjects(samples).nunique()} subjects"
    table = Table("input", "UF1, pooled", *sorted(DATABASES), title=f"Linear SVM, leave one subject out: {what}")
    for name, X in inputs.items():
        table.add_row(*row(name, X, y, samples))
    shuffled = stream("difficulty", "shuffled labels").permutation(y)
    table.add_row(*row("control: shuffled labels", inputs["true flow of the expression"], shuffled, samples))
    console.print(table)
    if "megc2019_flow" in [entry.name for entry in datasets.available() if entry.present]:
        console.print(real_table())


def real_table() -> Table:
    """Return the same measurement on the published maps."""
    real = datasets.load("megc2019_flow")
    table = Table("input", "UF1, pooled", "CASME II", "SAMM", "SMIC", title=f"The same on {real.label}")
    table.add_row(*row("published flow maps", real.maps(), real.labels(), real.samples))
    return table


if __name__ == "__main__":
    main()
