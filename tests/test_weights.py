"""ImageNet weights: where they are looked for, that they are the published ones, and what is said of them."""

from __future__ import annotations

import hashlib
import io
import urllib.error
import urllib.request

import pytest
import torch
from torchvision import models as zoo

from mer_lib.downloads import Published
from mer_lib.errors import DataError, ParameterError
from mer_lib.models import weights


@pytest.fixture
def content(monkeypatch, tmp_path) -> bytes:
    """Bytes of a small file of weights that stands for resnet18's; no real cache is looked at."""
    stream = io.BytesIO()
    torch.save({"conv1.weight": torch.ones(2, 3)}, stream)
    made = stream.getvalue()
    pinned = Published("https://example.org/resnet18-small.pth", hashlib.sha256(made).hexdigest())
    monkeypatch.setitem(weights.IMAGENET, "resnet18", pinned)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.delenv("MER_WEIGHTS", raising=False)
    return made


@pytest.fixture
def offline(monkeypatch) -> list[str]:
    """Refuse the network, and note who asked for it."""
    asked: list[str] = []

    def refuse(url: str, **options: object) -> None:
        asked.append(url)
        raise urllib.error.URLError("no network")

    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    return asked


@pytest.mark.parametrize("name", weights.IMAGENET)
def test_the_pinned_files_are_those_of_torchvision(name: str) -> None:
    pinned = weights.IMAGENET[name]
    assert pinned.url == zoo.get_model_weights(name)["IMAGENET1K_V1"].url
    assert pinned.name.rpartition("-")[2] == f"{pinned.sha256[:8]}.pth"


def test_a_folder_of_ones_own_comes_before_the_cache(content, monkeypatch, tmp_path) -> None:
    cached = tmp_path / "torch" / "hub" / "checkpoints" / "resnet18-small.pth"
    cached.parent.mkdir(parents=True)
    cached.write_bytes(content)
    found = weights.resolve("resnet18", "imagenet_if_at_hand")
    assert found is not None
    assert found.file == cached
    assert torch.equal(found.load()["conv1.weight"], torch.ones(2, 3))
    own = tmp_path / "own"
    own.mkdir()
    monkeypatch.setenv("MER_WEIGHTS", str(own))
    assert weights.at_hand("resnet18") == cached
    (own / "resnet18-small.pth").write_bytes(content)
    assert weights.at_hand("resnet18") == own / "resnet18-small.pth"


def test_if_at_hand_goes_on_from_random_weights_and_asks_no_network(content, offline) -> None:
    assert weights.resolve("resnet18", "imagenet_if_at_hand") is None
    assert weights.resolve("resnet18", "random") is None
    assert weights.stamp("resnet18", "imagenet_if_at_hand") == "random"
    assert "those of resnet18 on ImageNet were wanted and are not at hand" in weights.told(
        "resnet18", "imagenet_if_at_hand"
    )
    assert offline == []


def test_where_they_are_demanded_the_message_says_where_to_put_them(content, offline, tmp_path) -> None:
    with pytest.raises(DataError) as caught:
        weights.resolve("resnet18", "imagenet")
    where = str(tmp_path / "torch/hub/checkpoints/resnet18-small.pth")
    for part in ("https://example.org/resnet18-small.pth", "no network", "MER_WEIGHTS", where):
        assert part in str(caught.value)
    assert len(offline) == 1


def test_they_are_fetched_once_and_kept_where_torch_keeps_them(content, monkeypatch) -> None:
    answers = [io.BytesIO(content)]
    monkeypatch.setattr(urllib.request, "urlopen", lambda url, **options: answers.pop())
    first = weights.resolve("resnet18", "imagenet")
    second = weights.resolve("resnet18", "imagenet")
    assert first == second
    assert first is not None
    assert first.file.read_bytes() == content


def test_what_is_not_the_published_file_is_refused(content, monkeypatch) -> None:
    monkeypatch.setattr(urllib.request, "urlopen", lambda url, **options: io.BytesIO(content[:-1]))
    with pytest.raises(DataError, match="is not the file with SHA-256"):
        weights.fetch("resnet18")
    cached = weights.IMAGENET["resnet18"].cached
    assert not cached.exists()
    cached.parent.mkdir(parents=True, exist_ok=True)
    cached.write_bytes(content[:-1])
    for how in ("imagenet", "imagenet_if_at_hand"):
        with pytest.raises(DataError, match="not the file that was published"):
            weights.resolve("resnet18", how)
    cached.write_bytes(content)  # read again, since it changed
    assert weights.at_hand("resnet18") == cached


def test_the_address_says_what_training_starts_from(content, monkeypatch, tmp_path) -> None:
    digits = hashlib.sha256(content).hexdigest()[:8]
    assert weights.stamp("resnet18", "imagenet") == f"imagenet resnet18 {digits}"
    assert weights.stamp(None, "random") == "random"
    (tmp_path / "resnet18-small.pth").write_bytes(content)
    monkeypatch.setenv("MER_WEIGHTS", str(tmp_path))
    assert weights.stamp("resnet18", "imagenet_if_at_hand") == f"imagenet resnet18 {digits}"
    assert weights.told("resnet18", "imagenet_if_at_hand").startswith("ImageNet weights")


def test_what_cannot_be_is_refused(content, monkeypatch, tmp_path) -> None:
    with pytest.raises(ParameterError, match="expected one of alexnet"):
        weights.resolve("resnet99", "imagenet")
    with pytest.raises(ParameterError, match="without an ImageNet front end"):
        weights.stamp(None, "imagenet")
    monkeypatch.setenv("MER_WEIGHTS", str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match="expected a folder"):
        weights.at_hand("resnet18")


def test_a_published_file_that_is_no_weights_is_told(monkeypatch, tmp_path) -> None:
    broken = b"not weights"
    pinned = Published("https://example.org/resnet18-x.pth", hashlib.sha256(broken).hexdigest())
    monkeypatch.setitem(weights.IMAGENET, "resnet18", pinned)
    monkeypatch.setenv("MER_WEIGHTS", str(tmp_path))
    (tmp_path / "resnet18-x.pth").write_bytes(broken)
    found = weights.resolve("resnet18", "imagenet_if_at_hand")
    assert found is not None
    with pytest.raises(DataError, match="could not read them"):
        found.load()
