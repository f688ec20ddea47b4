"""Optical flow by torchvision's RAFT, where its published weights are at hand or can be fetched.

Source: Teed and Deng 2020, "RAFT: Recurrent all-pairs field transforms for optical flow". The network was trained on
rendered scenes, whose movements are longer than those of a face. It runs on the processor. torch is imported at the
first use only: the other methods do without it.
"""

from __future__ import annotations

import os
import threading
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from mer_lib.downloads import Published
from mer_lib.errors import DataError, ParameterError

if TYPE_CHECKING:
    import torch

STRIDE = 8  # rows and columns of the network's input are multiples of this,
LEAST = 128  # and at least so many: smaller images are enlarged
MOST = 1024 * 1024  # pixels: memory grows with their square, 1.5 GB at this size


WEIGHTS = {
    "small": Published("https://download.pytorch.org/models/raft_small_C_T_V2-01064c6d.pth", "01064c6d"),
    "large": Published("https://download.pytorch.org/models/raft_large_C_T_SKHT_V2-ff5fadd5.pth", "ff5fadd5"),
}
#: Environment variables that may name a file to take instead.
VARIABLES = {"small": "MER_RAFT_SMALL", "large": "MER_RAFT_LARGE"}

# The network keeps the correlations of a pair in itself, so that two threads must not use it at once.
_IN_USE = threading.Lock()


def raft_flow(before: np.ndarray, after: np.ndarray, size: str, updates: int) -> np.ndarray:
    """Return float32 (H, W, 2) px of two RGB images uint8 (H, W, 3).

    Images are enlarged until their shorter side has 128 px, and their right and lower borders repeated up to a multiple
    of 8; the flow is cut and scaled back.

    Args:
        before: first image.
        after: second image, of the same size.
        size: "small" (1 million parameters) or "large" (5 million).
        updates: how many times the network improves its flow, 12 as published.

    Raises:
        ParameterError: the size is unknown, there is no update, or the images are so large that the network, which
            compares every place with every other, would fill the memory.
        DataError: the weights are not here and cannot be fetched, or are damaged.
    """
    if updates < 1:
        raise ParameterError(f"updates: expected 1 or more, got {updates}")
    inner = _enlarged(before.shape)
    padded = tuple(-(-side // STRIDE) * STRIDE for side in inner)
    if padded[0] * padded[1] > MOST:
        raise ParameterError(
            f"images: RAFT takes at most {MOST} pixels (here {padded[1]}x{padded[0]} after enlarging and padding): "
            "cut out the face, or make the images smaller"
        )
    flow = _run(_loaded(size), _fitted(before, inner, padded), _fitted(after, inner, padded), updates)
    return _scaled_back(flow[: inner[0], : inner[1]], before.shape)


def weights_at_hand(size: str) -> bool:
    """Return whether the weights are on this machine, whole or not: nothing is fetched or read.

    Raises:
        ParameterError: the size is unknown.
    """
    published = _published(size)
    return (named_weights(size) or published.cached).is_file()


def named_weights(size: str) -> Path | None:
    """Return the file that an environment variable names in place of the published one, there or not."""
    named = os.environ.get(VARIABLES[size])
    return Path(named) if named else None


def weights_file(size: str) -> Path:
    """Return the file of the weights: the one that an environment variable names, else the published one.

    The published file is looked for in torch's cache (``hub/checkpoints`` below ``TORCH_HOME``) and fetched where it
    is not there. MER_RAFT_SMALL and MER_RAFT_LARGE may name other weights of the same network.

    Raises:
        ParameterError: the size is unknown.
        DataError: the file is not there and cannot be fetched, or is not the published one.
    """
    published = _published(size)
    named = named_weights(size)
    if named:
        if not named.is_file():
            raise DataError(f"{VARIABLES[size]}: expected a file of weights, there is none at {named}")
        return named
    file = published.cached
    if not file.is_file():
        return _fetched(size, published)
    if not published.is_whole(file):
        raise DataError(f"{file}: not the file that was published at {published.url}: remove it and call again")
    return file


def _published(size: str) -> Published:
    if size not in WEIGHTS:
        raise ParameterError(f"size: expected one of {', '.join(WEIGHTS)}, got {size!r}")
    return WEIGHTS[size]


def _fetched(size: str, published: Published) -> Path:
    try:
        return published.fetch()
    except OSError as error:
        raise DataError(
            f"the weights of RAFT are not here: {VARIABLES[size]} is not set, {published.cached} does not exist, and "
            f"{published.url} could not be fetched ({error}). Fetch it elsewhere and put it there, or name it by "
            f"{VARIABLES[size]}."
        ) from None


def _loaded(size: str) -> torch.nn.Module:
    file = weights_file(size)
    stamp = file.stat()
    return _network(size, file, stamp.st_mtime_ns, stamp.st_size)


@lru_cache(maxsize=2)
def _network(size: str, file: Path, changed: int, length: int) -> torch.nn.Module:
    """Return the network with the weights of a file; of a file that changed, anew."""
    import torch
    from torchvision.models import optical_flow

    builder = optical_flow.raft_small if size == "small" else optical_flow.raft_large
    network = builder(weights=None, progress=False)
    try:
        network.load_state_dict(torch.load(file, map_location="cpu", weights_only=True))
    except Exception as error:  # damaged files fail in as many ways as there are readers in torch
        reason = str(error).strip().splitlines()[:1]
        raise DataError(
            f"{file}: expected the weights of torchvision's raft_{size}, could not read them ({''.join(reason)}): "
            f"replace it by {_published(size).url}"
        ) from None
    return network.eval()


def _enlarged(shape: tuple[int, ...]) -> tuple[int, int]:
    scale = max(1.0, LEAST / min(shape[:2]))
    return round(shape[0] * scale), round(shape[1] * scale)


def _fitted(image: np.ndarray, inner: tuple[int, int], padded: tuple[int, ...]) -> np.ndarray:
    """Return an image enlarged to `inner` rows and columns, then padded."""
    if image.shape[:2] != inner:
        image = cv2.resize(image, inner[::-1], interpolation=cv2.INTER_LINEAR)
    below, right = padded[0] - inner[0], padded[1] - inner[1]
    return cv2.copyMakeBorder(image, 0, below, 0, right, cv2.BORDER_REPLICATE)


def _run(network: torch.nn.Module, before: np.ndarray, after: np.ndarray, updates: int) -> np.ndarray:
    """Return float32 (H, W, 2) of images that fit the network."""
    import torch

    first, second = (torch.from_numpy(image).permute(2, 0, 1)[None] / 127.5 - 1 for image in (before, after))
    with _IN_USE, torch.inference_mode():
        flow = network(first, second, num_flow_updates=updates)[-1]
    return flow[0].permute(1, 2, 0).numpy()


def _scaled_back(flow: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return the flow of an enlarged image for the image itself."""
    rows, columns = shape[:2]
    if flow.shape[:2] == (rows, columns):
        return np.ascontiguousarray(flow)
    scale = np.array([columns / flow.shape[1], rows / flow.shape[0]], np.float32)
    return cv2.resize(flow, (columns, rows), interpolation=cv2.INTER_AREA) * scale
