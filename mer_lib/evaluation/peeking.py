"""What hindsight is worth: scores after choices that look at the test people, on stored runs and on pure noise.

A run is one training of one seed; it leaves a guess for every test sample after every epoch. Whoever may look at the
truth can choose among the guesses: one epoch for everybody, one epoch a fold, the best seed, or all of it. Nothing is
recognised better by that, which shows best where there is nothing to recognise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import binom

from mer_lib.errors import ParameterError
from mer_lib.evaluation.frames import classes_of, predicted_classes, raise_if, subject_ids
from mer_lib.evaluation.metrics import confusion_matrix, uf1

Numbers = npt.NDArray[np.int64]

#: From what anybody may do to what nobody could do for a person whose emotion is not known.
STEPS = {
    "last epoch": "nothing",
    "best seed": "everybody's score, once a seed",
    "one epoch for all": "everybody's score, after every epoch",
    "one epoch a fold": "each fold's score, after every epoch (protocol published)",
    "one epoch a person": "each person's score, after every epoch (published, where a fold tests one person)",
    "one epoch and seed a person": "each person's score, after every epoch of every seed",
    "the best fold alone": "each fold's score after the last epoch; the other folds are not mentioned",
}


@dataclass(frozen=True, eq=False)
class Runs:
    """What several trainings of one variant guessed.

    Attributes:
        truth: class numbers (n,).
        folds: number of the fold that tests each sample (n,).
        people: number of the person in each sample (n,).
        guesses: class numbers (seeds, epochs, n).
        n_classes: number of classes.
    """

    truth: Numbers
    folds: Numbers
    people: Numbers
    guesses: Numbers
    n_classes: int

    def score(self, guess: Numbers) -> float:
        """Return the pooled UF1, 0 to 1, of one guess a sample (n,)."""
        return float(uf1(confusion_matrix(self.truth, guess, self.n_classes)))


def runs_of(predictions: pd.DataFrame) -> Runs:
    """Return the runs that stored predictions hold.

    Args:
        predictions: rows as stored, every epoch, of one or several seeds with the same folds; rows of another role than
            "test" are left out.

    Raises:
        ParameterError: the seeds were not tested on the same samples in the same epochs.
    """
    tests = predictions[predictions["role"] == "test"].sort_values(["seed", "epoch", "sample_id"])
    shape = (tests["seed"].nunique(), tests["epoch"].nunique(), tests["sample_id"].nunique())
    if len(tests) != np.prod(shape):
        raise ParameterError(
            f"expected {shape[2]} test samples in each of {shape[1]} epochs of {shape[0]} seeds, got {len(tests)} rows "
            f"in place of {np.prod(shape)}"
        )
    first = tests.iloc[: shape[2]]
    truth, folds = (first[name].to_numpy(np.int64) for name in ("y_true", "fold"))
    people = np.unique(subject_ids(first).to_numpy(dtype=str), return_inverse=True)[1]
    return Runs(truth, folds, people, predicted_classes(tests).reshape(shape), len(classes_of(tests)))


def ladder(runs: Runs) -> pd.DataFrame:
    """Score the same runs after every choice of :data:`STEPS`, from the honest one to the most hindsight.

    Epochs of a fold or person are chosen by accuracy, the last among equals, as in :mod:`mer_lib.evaluation.protocols`
    for ``published``; seeds, and an epoch for all, by the pooled UF1.

    Returns:
        One row a step: step, looks_at, uf1 (0 to 1; mean over seeds where no seed is chosen; of the best fold over the
        classes that it holds).
    """
    last = [runs.score(guess[-1]) for guess in runs.guesses]
    every = [[runs.score(guess) for guess in seed] for seed in runs.guesses]
    scores = {
        "last epoch": np.mean(last),
        "best seed": max(last),
        "one epoch for all": np.mean(np.max(every, axis=1)),
        "one epoch a fold": np.mean([runs.score(chosen(runs, seed, runs.folds)) for seed in runs.guesses]),
        "one epoch a person": np.mean([runs.score(chosen(runs, seed, runs.people)) for seed in runs.guesses]),
        "one epoch and seed a person": runs.score(chosen(runs, np.concatenate(runs.guesses), runs.people)),
        "the best fold alone": _best_fold(runs),
    }
    return pd.DataFrame([{"step": step, "looks_at": STEPS[step], "uf1": float(scores[step])} for step in STEPS])


def chosen(runs: Runs, guesses: Numbers, groups: Numbers) -> Numbers:
    """Return, for each group of samples, the guesses that get most of them right, the last ones among equals.

    Args:
        runs: the truth is theirs.
        guesses: class numbers (k, n) to choose from, such as those of k epochs.
        groups: numbers (n,), such as folds or people.

    Returns:
        Class numbers (n,).
    """
    names, group = np.unique(groups, return_inverse=True)
    right = (guesses == runs.truth).astype(np.float64) @ np.eye(len(names))[group]  # (k, groups)
    best = len(guesses) - 1 - right[::-1].argmax(axis=0)
    return guesses[best[group], np.arange(len(group))]


def _best_fold(runs: Runs) -> float:
    """Return the highest UF1 of a single fold after the last epoch, mean over seeds."""
    groups = [runs.folds == fold for fold in np.unique(runs.folds)]
    matrices = [
        [confusion_matrix(runs.truth[rows], guess[-1][rows], runs.n_classes) for rows in groups]
        for guess in runs.guesses
    ]
    return float(np.mean([max(uf1(each)) for each in matrices]))


# Pure noise


def noise(
    counts: Sequence[int], samples_a_fold: int, epochs: int, seeds: int = 1, stay: float = 0.0, seed: int = 0
) -> Runs:
    """Return runs of a method that sees nothing: its guesses are drawn by the class shares, one person a fold.

    >>> noise([250, 109, 83], samples_a_fold=6, epochs=10).guesses.shape
    (1, 10, 442)

    Args:
        counts: samples of each class.
        samples_a_fold: how many samples a fold tests, dealt at random.
        epochs: how many there are to choose from.
        seeds: how many trainings.
        stay: chance that a guess is kept from one epoch to the next, 0 to 1: networks do not forget everything.
        seed: of the drawing.

    Raises:
        ParameterError: a number is out of its range; all faults at once.
    """
    faults = []
    if len(counts) < 2 or min(counts) < 1:
        faults.append(f"counts: expected 2 classes or more with samples, got {list(counts)}")
    sizes = {"samples_a_fold": samples_a_fold, "epochs": epochs, "seeds": seeds}
    faults += [f"{name}: expected 1 or more, got {value}" for name, value in sizes.items() if value < 1]
    if not 0 <= stay <= 1:
        faults.append(f"stay: expected 0 to 1, got {stay}")
    raise_if(faults, "No noise can be drawn")
    generator = np.random.default_rng(seed)
    truth = generator.permutation(np.repeat(np.arange(len(counts)), counts))
    guesses = generator.choice(len(counts), (seeds, epochs, len(truth)), p=np.array(counts) / sum(counts))
    kept = generator.random(guesses.shape) < stay
    for epoch in range(1, epochs):
        guesses[:, epoch] = np.where(kept[:, epoch], guesses[:, epoch - 1], guesses[:, epoch])
    folds = np.arange(len(truth)) // samples_a_fold
    return Runs(truth, folds, folds, guesses, len(counts))


def hindsight_on_noise(
    counts: Sequence[int],
    samples_a_fold: Sequence[int] = (1, 4, 16, 64),
    epochs: Sequence[int] = (1, 3, 10, 30, 100),
    stay: float = 0.0,
    draws: int = 20,
) -> pd.DataFrame:
    """Score a method that sees nothing where an epoch is chosen for each fold on its test samples.

    Args:
        counts, stay: as for :func:`noise`.
        samples_a_fold: how many samples a fold tests, one curve each.
        epochs: how many there are to choose from.
        draws: how often the noise is drawn.

    Returns:
        One row a (samples_a_fold, epochs): these, uf1 (mean over draws), low and high (2.5 % and 97.5 % quantiles), and
        fixed, the mean UF1 of the last epoch.

    Raises:
        ParameterError: as :func:`noise`.
    """
    rows = []
    for size in samples_a_fold:
        drawn = [noise(counts, size, max(epochs), stay=stay, seed=number) for number in range(draws)]
        fixed = float(np.mean([runs.score(runs.guesses[0, -1]) for runs in drawn]))
        for many in epochs:
            scores = np.array([runs.score(chosen(runs, runs.guesses[0, :many], runs.folds)) for runs in drawn])
            low, high = np.quantile(scores, [0.025, 0.975])
            ends = {"uf1": float(scores.mean()), "low": float(low), "high": float(high), "fixed": fixed}
            rows.append({"samples_a_fold": size, "epochs": many, **ends})
    return pd.DataFrame(rows)


def expected_best(samples: int, epochs: int, chance: float) -> float:
    """Return the accuracy to expect of the best of `epochs` independent guesses at `samples` samples.

    The number of right guesses K of one epoch is binomial, and E[max K] = sum over k >= 1 of 1 - P(K < k)^epochs.

    >>> expected_best(1, 3, 0.5)
    0.875

    Args:
        samples: in the fold, 1 or more.
        epochs: to choose from, 1 or more.
        chance: of a right guess, 0 to 1.

    Returns:
        0 to 1; `chance` where there is one epoch.
    """
    below = binom.cdf(np.arange(samples), samples, chance)
    return float((1 - below**epochs).sum() / samples)
