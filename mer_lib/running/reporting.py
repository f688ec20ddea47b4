"""The report of what the store holds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mer_lib import settings
from mer_lib.datasets.ensure import to_make
from mer_lib.datasets.flow_maps import FlowMapDataset
from mer_lib.datasets.presence import find
from mer_lib.errors import RunError
from mer_lib.evaluation.store import PredictionStore
from mer_lib.lab import TrainingParameters
from mer_lib.papers.paper_set import collect
from mer_lib.report import NotebookRecord, build

REPORT_FILE = "report.html"


def default_folder(parameters: TrainingParameters) -> Path:
    """Return the folder of report and notebooks: one for each data set and profile, beside the store.

    Raises:
        ParameterError, DataError: the data set is unknown.
    """
    name = (to_make(parameters.data) or find(parameters.data).entry).name
    return settings.store_root().parent / f"{name}-{parameters.profile}"


def write_report(
    parameters: TrainingParameters,
    dataset: FlowMapDataset,
    folder: Path,
    notebooks: Sequence[NotebookRecord] = (),
    names: Sequence[str] | None = None,
) -> Path:
    """Write the report from what the store holds, and return the path of its page; what is missing is named in it.

    Args:
        parameters: profile and seeds; `jobs` processes measure side by side.
        dataset: what it is about; experiments on frames take others where it has none.
        folder: of the page; Markdown and tables lie beside it.
        notebooks: that were executed, to be named.
        names: ids of entries and experiments; None for all.

    Raises:
        RunError: it cannot be written.
    """
    store, path = PredictionStore(settings.store_root()), folder.absolute() / REPORT_FILE
    results = collect(names, parameters.profile, dataset, store, seeds=parameters.seeds, jobs=parameters.jobs)
    seeds = f" --seeds {','.join(map(str, parameters.seeds))}" if parameters.seeds else ""
    options = f"--profile {parameters.profile} --data {dataset.name}{seeds}"
    try:
        return build(results, path, notebooks, options, jobs=parameters.jobs)
    except OSError as error:
        raise RunError(
            f"{path}: cannot be written ({error.strerror}). Free space, or name a folder with --out that can be written"
        ) from error
