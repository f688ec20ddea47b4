"""One notebook's data, store and measurements."""

from __future__ import annotations

import warnings
from collections.abc import MutableMapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pandas.io.formats.style import Styler

from mer_lib import datasets, settings
from mer_lib.datasets.clips import ClipDataset
from mer_lib.datasets.flow_maps import FlowMapDataset
from mer_lib.errors import ParameterError, fault_list, last_line
from mer_lib.evaluation.fitted import Fitted, fit_fold
from mer_lib.evaluation.store import PredictionStore
from mer_lib.lab.parameters import ExperimentParameters, NotebookParameters, TrainingParameters, check_parameters
from mer_lib.lab.progress import FoldProgress, Making, ensure, load
from mer_lib.papers.data_used import data_for, name_with_frames
from mer_lib.papers.entries import PaperResults
from mer_lib.papers.experiments import experiment, keep, known
from mer_lib.papers.measure import Measurement, jobs_of, measure, run_experiment
from mer_lib.papers.paper_set import collect
from mer_lib.report.tables import excluded_samples


class VariantWarning(UserWarning):
    """Variants of an experiment are in none of its tables, because folds of them failed."""


@dataclass(frozen=True)
class Session:
    """One notebook's data, store and parameters."""

    parameters: NotebookParameters
    dataset: FlowMapDataset
    store: PredictionStore

    @property
    def experiments(self) -> list[str]:
        """Return the ids of the experiments that the notebook was asked for, that of the reader's own grid last."""
        if not isinstance(self.parameters, ExperimentParameters):
            return []
        own = [self.parameters.grid.id] if self.parameters.grid else []
        return [*(name for name in self.parameters.experiments if name not in own), *own]

    @property
    def caption(self) -> str:
        """What everything in this notebook comes from, to stand beside every number and figure."""
        return f"{self.dataset.label} · profile {self.parameters.profile}"

    @property
    def excluded(self) -> Styler | str:
        """The samples that no number in this notebook rests on: this copy of the data lacks them, or they are damaged.

        A table to look at, or a sentence where there are none.
        """
        return excluded_samples(self.dataset) or "No sample is excluded."

    @cached_property
    def clips(self) -> ClipDataset:
        """Open clips with their frames: the notebook's own, else (its data are flow maps alone) the best that are here.

        Synthetic ones are made first where there are none.

        Raises:
            DataError: they are damaged, or cannot be made.
        """
        if self.dataset.open_clips is not None:
            return self.dataset.open_clips()
        name = name_with_frames(self.parameters.profile)
        ensure(name, self._jobs, need="frames")
        return datasets.load_clips(name)

    def data_of(self, name: str) -> FlowMapDataset:
        """Return the data that an experiment runs on: the notebook's, unless it needs frames and those have none.

        Raises:
            ParameterError: the experiment is unknown.
            DataError: see :attr:`clips`.
        """
        return data_for(
            experiment(name), self.parameters.profile, self.dataset, lambda other: load(other, self._jobs, "frames")
        )

    def measure(self, name: str) -> Measurement:
        """Train what the store lacks of an experiment, with a progress line, and return its measurement.

        Variants of which a fold fails are left out of it, with a :class:`VariantWarning`.

        Raises:
            ParameterError: the experiment is unknown, or this notebook cannot train.
            DataError: see :attr:`clips`.
            StoreError: all variants failed; or the store cannot be written.
        """
        parameters, chosen = self._training(name), experiment(name)
        dataset = self.data_of(name)
        progress = FoldProgress(name)
        summary = run_experiment(
            chosen,
            parameters.profile,
            dataset,
            self.store,
            seeds=parameters.seeds,
            n_jobs=parameters.jobs,
            device=parameters.device,
            listener=progress,
            clip_listener=Making("Computing features."),
            keep_going=True,
        )
        progress.close(str(summary))
        measured = measure(chosen, parameters.profile, dataset, self.store, seeds=parameters.seeds)
        if measured.failed:
            lines = (f"{label}: {last_line(text)}" for label, text in measured.failed.items())
            warnings.warn(
                f"{name}: {len(measured.failed)} variants are left out:\n{fault_list(lines)}",
                VariantWarning,
                stacklevel=2,
            )
        return measured

    def collect(self) -> PaperResults:
        """Read from the store what became of every experiment, those of the papers first; nothing is trained.

        Raises:
            ParameterError: this notebook takes no seeds.
        """
        parameters = self._training("the paper set")
        return collect(None, parameters.profile, self.dataset, self.store, seeds=parameters.seeds, jobs=parameters.jobs)

    def fitted(self, name: str, variant: str, fold: int = 0) -> Fitted:
        """Return a variant's estimator as one fold trained it, to be explained on that fold's test subjects.

        It is trained anew where the store keeps no weights of it, with the seed and the data of that very fold.

        Raises:
            ParameterError: experiment, variant or fold are unknown, or this notebook cannot train.
            DataError: see :attr:`clips`.
        """
        parameters = self._training(name)
        jobs = jobs_of(experiment(name), parameters.profile, self.data_of(name), parameters.seeds)
        job = jobs[known(variant, jobs, f"variant of {name}")][0]
        return fit_fold(job, fold, self.store, device=parameters.device, jobs=parameters.jobs)

    def _training(self, name: str) -> TrainingParameters:
        if not isinstance(self.parameters, TrainingParameters):
            raise ParameterError(f"{name}: this notebook takes no training parameters, so it cannot train")
        return self.parameters

    @property
    def _jobs(self) -> int:
        return getattr(self.parameters, "jobs", 1)


def start(namespace: MutableMapping[str, Any], model: type[NotebookParameters] = NotebookParameters) -> Session:
    """Check a notebook's parameters, load its data, and open the store.

    Synthetic data that are not there are made first, with a line that says how far that is. A reader's own grid is kept
    beside the store, so that reports find it.

    Raises:
        ParameterError: see :func:`check_parameters`; or combinations of the grid cannot be run.
        DataError: the data are absent or damaged.
        StoreError: the grid cannot be kept.
    """
    parameters = check_parameters(namespace, model)
    if isinstance(parameters, ExperimentParameters) and parameters.grid:
        keep(parameters.grid, parameters.profile)
    dataset = load(parameters.data, getattr(parameters, "jobs", 1))
    return Session(parameters, dataset, PredictionStore(settings.store_root()))
