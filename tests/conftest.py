"""What every test stands on: fixed seeds, one thread, a store of its own, and the real maps if present."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import torch

from mer_lib.datasets.clips import ClipDataset
from tests.feature_clips import clips_of, renderer, shifting

matplotlib.use("Agg")

REPOSITORY = Path(__file__).resolve().parent.parent
REAL_DATA = "megc2019_flow"


def find_real_root() -> Path | None:
    """Return the folder above the real maps: MER_DATA_ROOT, else the one shared beside the checkout."""
    named = os.environ.get("MER_DATA_ROOT")
    candidates = [Path(named).resolve()] if named else []
    candidates.append(REPOSITORY.parent / "shared" / "data")
    return next((root for root in candidates if (root / REAL_DATA).is_dir()), None)


def pytest_report_header() -> str:
    """Say at the top of every run whether real data are tested."""
    if find_real_root() is None:
        return f"real data: no folder {REAL_DATA} found, their tests are skipped (set MER_DATA_ROOT)"
    return f"real data: {REAL_DATA} found, tested"


@pytest.fixture(scope="session")
def real_root() -> Path:
    """The folder above the published MEGC2019 flow maps; the test is skipped where it is absent."""
    root = find_real_root()
    if root is None:
        pytest.skip(f"no folder {REAL_DATA} under MER_DATA_ROOT nor in shared/data beside the checkout")
    return root


@pytest.fixture(autouse=True)
def _seeds() -> None:
    """Seed every global generator, so that a test gives the same numbers alone and in any order."""
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def _own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what a test stores out of the user's runs/ and data/."""
    monkeypatch.setenv("MER_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("MER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("MER_SYNTHETIC", str(tmp_path / "synthetic"))


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Compute on one thread: two test processes share two cores, and sums come out the same."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def smile(tmp_path_factory: pytest.TempPathFactory) -> ClipDataset:
    """One drawn clip of nine frames, somebody smiling; the apex is the fifth."""
    return clips_of(tmp_path_factory.mktemp("smile"), smile=renderer())


@pytest.fixture(scope="module")
def rightwards(tmp_path_factory: pytest.TempPathFactory) -> ClipDataset:
    """One drawn clip of nine frames, a head that goes half a pixel to the right from frame to frame."""
    return clips_of(tmp_path_factory.mktemp("rightwards"), shift=shifting(0.5, 0.0))
