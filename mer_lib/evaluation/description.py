"""What stands beside the folds of a result, so that a person can tell what it is, and a program why it is there."""

from __future__ import annotations

from typing import Any

from mer_lib.evaluation.code_version import PACKAGE, code_files, file_digest
from mer_lib.evaluation.jobs import Job
from mer_lib.evaluation.methods import weights_stamp
from mer_lib.features.compute import takes_maps


def description_of(job: Job) -> dict[str, Any]:
    """Return the content of `variant.json`: the variant, the data, the code, and who asked for it.

    Returns:
        `variant`, `data` (name), `data_digest` (of the inputs), `samples_digest` (of the data set alone),
        `code_version`, `weights` (that training starts from), `code_files` (path in the package -> digest of its code),
        `libraries` (name -> version, of those that make features of frames), `asked_by` (see :func:`asked_by`).
    """
    made_of_frames = not takes_maps(job.variant.features)
    return {
        "variant": job.variant.model_dump(mode="json"),
        "data": job.dataset.name,
        "data_digest": job.data_digest,
        "samples_digest": job.labelled.dataset.digest,
        "code_version": job.code,
        "weights": weights_stamp(job.variant),
        "code_files": code_files(job.variant.model.name) | (_feature_files() if made_of_frames else {}),
        "libraries": _libraries() if made_of_frames else {},
        "asked_by": [asked_by(job)],
    }


def asked_by(job: Job) -> str:
    """Return the name under which a result is asked for: that of the job, and its profile where it has one."""
    return f"{job.label} [{job.profile}]" if job.profile else job.label


def _feature_files() -> dict[str, str]:
    from mer_lib.features.address import deciding_files  # whoever reads maps needs no detectors

    return {
        file.relative_to(PACKAGE).as_posix(): file_digest(file) for file in deciding_files() if file.suffix == ".py"
    }


def _libraries() -> dict[str, str]:
    from mer_lib.features.address import libraries

    return libraries()
