"""RAFT around weights that the test makes: the network is torchvision's own, and nothing is fetched from anywhere."""

from __future__ import annotations

import hashlib
import io
import urllib.error
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision.models.optical_flow import Raft_Large_Weights, Raft_Small_Weights, raft_large, raft_small

from mer_lib.downloads import Published
from mer_lib.errors import DataError, ParameterError
from mer_lib.motion import RAFT, flows, optical_flow, raft
from mer_lib.motion.raft import VARIABLES, WEIGHTS, raft_flow, weights_at_hand, weights_file

BUILDERS = {"small": raft_small, "large": raft_large}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Returns files of weights that were drawn by chance; small enough that flows are some pixels."""
    folder = tmp_path_factory.mktemp("weights")

    def file(size: str) -> Path:
        path = folder / f"{size}.pth"
        if not path.exists():
            torch.manual_seed(1)
            torch.save(BUILDERS[size]().state_dict(), path)
        return path

    return file


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty cache, no file named, and no network."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    for variable in VARIABLES.values():
        monkeypatch.delenv(variable, raising=False)

    def offline(*arguments: object, **options: object) -> None:
        raise urllib.error.URLError("no network")

    monkeypatch.setattr("urllib.request.urlopen", offline)
    yield
    raft._network.cache_clear()


@pytest.fixture
def named(made: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Names a made file by its environment variable."""

    def name(size: str) -> Path:
        monkeypatch.setenv(VARIABLES[size], str(made(size)))
        return made(size)

    return name


def pair(rows: int, columns: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (rows, columns, 3), dtype=np.uint8) for _ in range(2)]


def torchvisions(size: str, file: Path, before: np.ndarray, after: np.ndarray, updates: int) -> np.ndarray:
    """The flow as torchvision's own transforms and network make it."""
    network = BUILDERS[size]()
    network.load_state_dict(torch.load(file, weights_only=True))
    images = (torch.from_numpy(image).permute(2, 0, 1)[None] for image in (before, after))
    prepared = Raft_Small_Weights.DEFAULT.transforms()(*images)
    with torch.no_grad():
        return network.eval()(*prepared, num_flow_updates=updates)[-1][0].permute(1, 2, 0).numpy()


# -- the flow ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", BUILDERS)
def test_the_flow_is_that_of_torchvision(named, size) -> None:
    file, images = named(size), pair(128, 136)
    flow = optical_flow(*images, RAFT(size, updates=2))
    assert (flow.shape, flow.dtype) == ((128, 136, 2), np.float32)
    assert np.abs(flow).max() > 0.01
    assert flow == pytest.approx(torchvisions(size, file, *images, 2), abs=1e-3)


def test_other_sizes_are_padded_by_their_border(named) -> None:
    file, images = named("small"), pair(130, 141)
    padded = [np.pad(image, ((0, 6), (0, 3), (0, 0)), mode="edge") for image in images]
    wanted = torchvisions("small", file, *padded, 2)[:130, :141]
    assert raft_flow(*images, "small", 2) == pytest.approx(wanted, abs=1e-3)


def test_the_flow_of_small_images_is_in_their_own_pixels(monkeypatch) -> None:
    """A network that sees everything move by (8, -4) of its own pixels."""
    seen = []

    def network(first: torch.Tensor, second: torch.Tensor, num_flow_updates: int) -> list[torch.Tensor]:
        seen.append(tuple(first.shape))
        return [torch.tensor([8.0, -4.0])[None, :, None, None].expand(1, 2, *first.shape[2:])]

    monkeypatch.setattr(raft, "_loaded", lambda size: network)
    flow = raft_flow(*pair(32, 45), "small", 12)
    assert seen == [(1, 3, 128, 184)]
    assert flow == pytest.approx(np.full((32, 45, 2), (2, -1), np.float32))


def test_grey_images_are_three_equal_channels(named) -> None:
    named("small")
    grey = [image[..., 0] for image in pair(128, 128)]
    colour = [np.dstack([image] * 3) for image in grey]
    method = RAFT(updates=1)
    np.testing.assert_array_equal(optical_flow(*grey, method), optical_flow(*colour, method))


def test_a_batch_gives_the_same_flow(named) -> None:
    named("small")
    pairs, method = [tuple(pair(64, 64))] * 2, RAFT(updates=1)
    alone = flows(pairs, method, jobs=1)
    together = flows(pairs, method, jobs=2)
    assert [flow.tobytes() for flow in together] == [flow.tobytes() for flow in alone]


def test_processes_that_wait_since_before_take_the_weights_that_are_named_now(monkeypatch, tmp_path) -> None:
    pairs = [tuple(pair(64, 64))] * 2
    flows(pairs, "dis", jobs=2)  # they begin to wait, if they do not already
    torch.manual_seed(3)
    torch.save(raft_small().state_dict(), tmp_path / "now.pth")
    monkeypatch.setenv("MER_RAFT_SMALL", str(tmp_path / "now.pth"))
    together = flows(pairs, RAFT(updates=1), jobs=2)
    assert [flow.tobytes() for flow in together] == [flow.tobytes() for flow in flows(pairs, RAFT(updates=1))]


def test_a_batch_without_weights_says_so_once(monkeypatch) -> None:
    with pytest.raises(DataError, match="^the weights of RAFT are not here"):
        flows([tuple(pair(64, 64))] * 2, "raft", jobs=2)
    monkeypatch.setenv("MER_RAFT_SMALL", "none")
    with pytest.raises(DataError, match="there is none at none"):
        flows([tuple(pair(64, 64))] * 2, "raft")


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: raft_flow(*pair(20, 20), "small", 0), "updates: expected 1 or more, got 0"),
        (lambda: raft_flow(*pair(20, 20), "middle", 12), "one of small, large, got 'middle'"),
        (lambda: weights_at_hand("middle"), "got 'middle'"),
        (lambda: flows([], RAFT("middle")), "got 'middle'"),
        (lambda: raft_flow(*pair(16, 2000), "small", 12), "at most 1048576 pixels .here 16000x128"),
    ],
)
def test_what_it_cannot_do_is_refused(call, told) -> None:
    with pytest.raises(ParameterError, match=told):
        call()


# -- the weights ------------------------------------------------------------------------------------------------------


def test_the_pinned_files_are_those_of_torchvision() -> None:
    assert WEIGHTS["small"].url == Raft_Small_Weights.C_T_V2.url
    assert WEIGHTS["large"].url == Raft_Large_Weights.C_T_SKHT_V2.url
    for published in WEIGHTS.values():
        assert len(published.sha256) == 8
        assert published.name.endswith(f"-{published.sha256}.pth")


@pytest.mark.parametrize("size", WEIGHTS)
def test_where_there_are_none_the_message_says_where_to_put_them(tmp_path, size) -> None:
    assert not weights_at_hand(size)
    with pytest.raises(DataError) as caught:
        optical_flow(*pair(20, 20), RAFT(size))
    told = str(caught.value)
    published = WEIGHTS[size]
    for part in (published.url, VARIABLES[size], "no network", str(tmp_path / "torch/hub/checkpoints")):
        assert part in told


def publish(monkeypatch: pytest.MonkeyPatch, content: bytes, told: bytes | None = None) -> list[str]:
    """Make `content` the published file of the small network, by a server that sends `told`."""
    digits = hashlib.sha256(content).hexdigest()[:8]
    published = Published(f"https://example.org/raft_small-{digits}.pth", digits)
    monkeypatch.setitem(WEIGHTS, "small", published)
    asked = []

    def answer(url: str, timeout: float) -> io.BytesIO:
        asked.append(url)
        return io.BytesIO(content if told is None else told)

    monkeypatch.setattr("urllib.request.urlopen", answer)
    return asked


def test_they_are_fetched_once_and_kept_where_torch_keeps_them(made, monkeypatch, tmp_path) -> None:
    content = made("small").read_bytes()
    asked = publish(monkeypatch, content)
    images = pair(128, 128)
    first = raft_flow(*images, "small", 1)
    file = tmp_path / "torch" / "hub" / "checkpoints" / WEIGHTS["small"].name
    assert file.read_bytes() == content
    assert weights_at_hand("small")
    assert raft_flow(*images, "small", 1).tobytes() == first.tobytes()
    assert asked == [WEIGHTS["small"].url]


def test_what_arrives_damaged_is_not_kept(made, monkeypatch, tmp_path) -> None:
    content = made("small").read_bytes()
    publish(monkeypatch, content, content[:-100])
    with pytest.raises(DataError, match="is not the file with SHA-256"):
        weights_file("small")
    assert not weights_at_hand("small")
    assert not list((tmp_path / "torch").rglob("*.pth"))


def test_a_damaged_file_of_the_cache_is_said_to_be_one(made, monkeypatch) -> None:
    publish(monkeypatch, made("small").read_bytes())
    file = weights_file("small")
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(DataError, match="not the file that was published .* remove it"):
        weights_file("small")


def test_a_cache_that_cannot_be_written_is_told(made, monkeypatch, tmp_path) -> None:
    publish(monkeypatch, made("small").read_bytes())
    (tmp_path / "torch").write_text("a file where the folder should be")
    with pytest.raises(DataError, match="MER_RAFT_SMALL"):
        weights_file("small")


@pytest.mark.parametrize("damage", ["empty", "text", "cut", "other network", "a list"])
def test_a_named_file_that_holds_no_such_weights_is_refused(made, monkeypatch, tmp_path, damage) -> None:
    file = tmp_path / "mine.pth"
    if damage == "a list":
        torch.save([1, 2], file)
    else:
        whole = made("small").read_bytes()
        other = made("large").read_bytes()
        content = {"empty": b"", "text": b"weights", "cut": whole[:5000], "other network": other}[damage]
        file.write_bytes(content)
    monkeypatch.setenv("MER_RAFT_SMALL", str(file))
    assert weights_at_hand("small")
    with pytest.raises(DataError, match="expected the weights of torchvision's raft_small"):
        raft_flow(*pair(128, 128), "small", 1)


def test_a_named_file_that_is_not_there_is_told(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("MER_RAFT_LARGE", str(tmp_path / "none.pth"))
    assert not weights_at_hand("large")
    with pytest.raises(DataError, match="MER_RAFT_LARGE: expected a file of weights, there is none at"):
        weights_file("large")


def test_other_weights_under_the_same_name_are_read_anew(made, monkeypatch, tmp_path) -> None:
    file, images = tmp_path / "mine.pth", pair(128, 128)
    file.write_bytes(made("small").read_bytes())
    monkeypatch.setenv("MER_RAFT_SMALL", str(file))
    before = raft_flow(*images, "small", 1)
    torch.manual_seed(2)
    torch.save(raft_small().state_dict(), file)
    assert not np.array_equal(raft_flow(*images, "small", 1), before)
