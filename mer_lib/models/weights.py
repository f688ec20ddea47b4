"""ImageNet weights of torchvision: where they are looked for, that they are whole, and what a result says of them.

A file is looked for in the folder that ``MER_WEIGHTS`` names, then in the cache of torch's hub. Only where weights are
demanded are they fetched; whoever takes them "if at hand" never waits for a network.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from mer_lib.downloads import Published
from mer_lib.errors import DataError, ParameterError

How = Literal["random", "imagenet", "imagenet_if_at_hand"]
_HUB = "https://download.pytorch.org/models"
#: The publishers of vgg11 state the first 8 digits alone, in the name of the file.
IMAGENET = {
    "alexnet": Published(
        f"{_HUB}/alexnet-owt-7be5be79.pth", "7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02"
    ),
    "googlenet": Published(
        f"{_HUB}/googlenet-1378be20.pth", "1378be20a8e875cf1568b8a71654e704449655e34711a959a38b04fb34905cef"
    ),
    "resnet18": Published(
        f"{_HUB}/resnet18-f37072fd.pth", "f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec"
    ),
    "resnet34": Published(
        f"{_HUB}/resnet34-b627a593.pth", "b627a593bcbe140c234610266fe4f8ae95ea42fc881d091c9b6052e6b1d0590f"
    ),
    "vgg11": Published(f"{_HUB}/vgg11-8a719046.pth", "8a719046"),
    "vgg16": Published(
        f"{_HUB}/vgg16-397923af.pth", "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0"
    ),
}


@dataclass(frozen=True)
class Weights:
    """Weights that are at hand: whole, and the published ones."""

    name: str
    file: Path
    sha256: str

    def load(self) -> Mapping[str, Tensor]:
        """Return torchvision's ``state_dict``, on the CPU.

        Raises:
            DataError: the file cannot be read as weights.
        """
        try:
            return torch.load(self.file, map_location="cpu", weights_only=True)
        except Exception as error:  # damaged files fail in as many ways as there are readers in torch
            reason = "".join(str(error).strip().splitlines()[:1])
            raise DataError(
                f"{self.file}: expected the weights of torchvision's {self.name}, could not read them ({reason}); "
                f"replace it by {published(self.name).url}"
            ) from None


def published(name: str) -> Published:
    """Return the published file of a network's weights.

    Raises:
        ParameterError: nobody publishes weights of that name here.
    """
    if name not in IMAGENET:
        raise ParameterError(f"weights: expected one of {', '.join(IMAGENET)}, got {name!r}")
    return IMAGENET[name]


def resolve(name: str, how: How) -> Weights | None:
    """Return the weights of a network's front end; None where training starts from random ones.

    Args:
        name: a key of :data:`IMAGENET`.
        how: "random" (None at once), "imagenet" (they are fetched where they are not at hand), or
            "imagenet_if_at_hand" (None where they are not).

    Raises:
        ParameterError: the name is unknown.
        DataError: "imagenet" was asked for, and they are neither at hand nor can be fetched.
    """
    if how == "random":
        return None
    file = at_hand(name)
    if file is None and how == "imagenet":
        file = fetch(name)
    return Weights(name, file, published(name).sha256) if file else None


def at_hand(name: str) -> Path | None:
    """Return the file of the weights on this machine, None where there is none; nothing is fetched.

    Raises:
        ParameterError: the name is unknown.
        DataError: a file of that name is there and is not the published one, or `MER_WEIGHTS` is no folder.
    """
    expected = published(name)
    for file in _places(expected):
        if expected.is_whole(file):
            return file
        if file.is_file():
            raise DataError(f"{file}: not the file that was published at {expected.url}: remove or replace it")
    return None


def fetch(name: str) -> Path:
    """Fetch the weights to the cache of torch's hub, and return their file.

    Raises:
        ParameterError: the name is unknown.
        DataError: they cannot be fetched; the message says where to put them by hand.
    """
    expected = published(name)
    try:
        return expected.fetch()
    except OSError as error:
        places = " or ".join(map(str, _places(expected)))
        raise DataError(
            f"ImageNet weights of {name} are not here and could not be fetched from {expected.url} ({error}). Fetch "
            f"them elsewhere and put them at {places} (MER_WEIGHTS names a folder of such files), or train with "
            "weights: random."
        ) from None


def stamp(name: str | None, how: How) -> str:
    """Return what a result's address says of the weights that training starts from.

    "random", or the name and the first digits of the published file. Weights that are demanded count as there: without
    them there is no result.

    Raises:
        ParameterError: weights are asked for, and the network has no front end that could take them.
    """
    if how == "random":
        return "random"
    if name is None:
        raise ParameterError(f"weights: expected 'random' for a network without an ImageNet front end, got {how!r}")
    found = how == "imagenet" or at_hand(name) is not None
    return f"imagenet {name} {published(name).sha256[:8]}" if found else "random"


def told(name: str | None, how: How) -> str:
    """Say in words what training starts from, to stand in a result's provenance."""
    if how == "random":
        return "random weights"
    if stamp(name, how) == "random":
        return f"random weights: those of {name} on ImageNet were wanted and are not at hand"
    return f"ImageNet weights of torchvision's {name} ({published(str(name)).name})"


def _places(expected: Published) -> list[Path]:
    named = os.environ.get("MER_WEIGHTS", "")
    if named and not Path(named).expanduser().is_dir():
        raise DataError(f"MER_WEIGHTS: expected a folder of files such as {expected.name}, there is none at {named}")
    own = [Path(named).expanduser() / expected.name] if named else []
    return [*own, expected.cached]
