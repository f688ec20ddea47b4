"""Where things lie: the data root, the synthetic data, the prediction store, the cache and the data manifest.

Each place has one environment variable; an empty variable counts as unset.
"""

from __future__ import annotations

import os
from pathlib import Path

MANIFEST_NAME = "data_manifest.yaml"


def project_root() -> Path:
    """The nearest folder upwards that holds a data manifest; the working directory where none does.

    A notebook runs in a subfolder and still finds the same data and the same store as a command at the top.
    """
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / MANIFEST_NAME).is_file()), here)


def data_root() -> Path:
    """Folder above the data sets: ``MER_DATA_ROOT``, else ``data`` in the project."""
    return _from_environment("MER_DATA_ROOT") or project_root() / "data"


def synthetic_root() -> Path:
    """Folder of the data that are made here: ``MER_SYNTHETIC``, else ``data/synthetic`` in the project.

    It is not below ``MER_DATA_ROOT``: the folder of licensed data may be read-only, and shared.
    """
    return _from_environment("MER_SYNTHETIC") or project_root() / "data" / "synthetic"


def store_root() -> Path:
    """Folder of the stored predictions: ``MER_STORE``, else ``runs/store`` in the project."""
    return _from_environment("MER_STORE") or project_root() / "runs" / "store"


def cache_root() -> Path:
    """Folder of what can be computed again, such as features: ``MER_CACHE``, else ``runs/cache`` in the project.

    It may be removed at any time; its files are then made anew when they are asked for.
    """
    return _from_environment("MER_CACHE") or project_root() / "runs" / "cache"


def manifest_path() -> Path:
    """File of the data manifest: ``MER_MANIFEST``, else that of the project, else the one beside the package.

    Whether it exists is for its reader to say.
    """
    nearest = project_root() / MANIFEST_NAME
    beside_package = Path(__file__).resolve().parents[1] / MANIFEST_NAME
    return _from_environment("MER_MANIFEST") or (nearest if nearest.is_file() else beside_package)


def _from_environment(variable: str) -> Path | None:
    value = os.environ.get(variable, "")
    return Path(value).expanduser().absolute() if value else None
