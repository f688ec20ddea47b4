"""Many pairs on several processes: in order, the same to the last bit, and errors that name the pair."""

from __future__ import annotations

import os
import warnings

import cv2
import numpy as np
import pytest

from mer_lib.errors import DataError, ParameterError, RunError
from mer_lib.motion import DIS, flows, optical_flow


def textures(count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(5)
    return [cv2.GaussianBlur(rng.random((40 + 3 * n, 56 - n)).astype(np.float32), (0, 0), 2) for n in range(count)]


def some_pairs(count: int = 6) -> list[tuple[np.ndarray, np.ndarray]]:
    """Pairs of different sizes; the n-th moves to the right by n pixels."""
    return [(image, np.roll(image, n, axis=1)) for n, image in enumerate(textures(count))]


@pytest.mark.parametrize("method", ["farneback", "tvl1", DIS(finest_scale=1)])
def test_flows_are_those_of_the_pairs_one_by_one_for_any_number_of_processes(method) -> None:
    pairs = some_pairs()
    wanted = [optical_flow(*pair, method) for pair in pairs]
    for jobs in (1, 2, 3):
        found = flows(pairs, method, jobs)
        assert [flow.tobytes() for flow in found] == [flow.tobytes() for flow in wanted]
        assert [flow.shape for flow in found] == [flow.shape for flow in wanted]


def test_pairs_may_come_from_anywhere() -> None:
    pairs = some_pairs(3)
    found = flows((pair for pair in pairs), "dis")
    assert len(found) == 3
    np.testing.assert_array_equal(found[2], optical_flow(*pairs[2], "dis"))


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_listener_counts(jobs) -> None:
    told = []
    flows(some_pairs(4), jobs=jobs, listener=lambda done, total: told.append((done, total)))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


@pytest.mark.parametrize("jobs", [1, 2])
def test_no_pairs_are_no_flows(jobs) -> None:
    assert flows([], jobs=jobs) == []


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ((np.zeros((20, 20)), np.zeros((20, 21))), "pair 2: images: expected two of one size"),
        ((np.zeros((20, 20)), np.full((20, 20), np.nan)), "pair 2: second: expected uint8"),
        ((np.zeros((1, 1)), np.zeros((1, 1))), "pair 2: first: expected .* at least 16x16"),
        ((np.zeros((20, 20)),), "pair 2: expected two images, got tuple"),
        (None, "pair 2: expected two images, got NoneType"),
    ],
)
def test_an_error_names_the_first_such_pair_and_says_nothing_else(capfd, jobs, broken, told) -> None:
    pairs = some_pairs(6)
    pairs[2] = broken
    pairs[4] = (np.zeros((20, 20)), np.zeros((5, 5)))
    counted = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ParameterError, match=told):
            flows(pairs, jobs=jobs, listener=lambda done, total: counted.append((done, total)))
    assert capfd.readouterr().err == ""
    assert counted == [(1, 6), (2, 6)]


class Broken:
    """A method that fails in one of the ways a method may."""

    colour = False

    def __init__(self, how: str) -> None:
        self.how = how

    def flow(self, before: np.ndarray, after: np.ndarray) -> np.ndarray:
        if self.how == "killed":
            os._exit(1)
        if self.how == "refused":
            cv2.resize(before, (0, 0))
        raise DataError("no weights")


class Counting:
    """A method that remembers how often it was asked, and fails the third time."""

    colour = False
    asked = 0

    def flow(self, before: np.ndarray, after: np.ndarray) -> np.ndarray:
        self.asked += 1
        if self.asked == 3:
            raise DataError("no weights")
        return np.zeros((*before.shape, 2), np.float32)


def test_after_an_error_no_further_pair_is_begun() -> None:
    method = Counting()
    with pytest.raises(DataError, match="pair 2"):
        flows(some_pairs(2) * 10, method)
    assert method.asked < 6


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_opencv_refuses_is_an_error_of_its_pair(jobs) -> None:
    with pytest.raises(ParameterError, match="pair 0: .*OpenCV refuses it"):
        flows(some_pairs(2), Broken("refused"), jobs)


def test_missing_weights_stay_an_error_of_data() -> None:
    with pytest.raises(DataError, match="pair 0: no weights"):
        flows(some_pairs(2), Broken("weights"))


def test_a_killed_process_is_told_in_words() -> None:
    with pytest.raises(RunError, match="fewer jobs"):
        flows(some_pairs(4), Broken("killed"), jobs=2)


@pytest.mark.parametrize(("change", "told"), [({"jobs": 0}, "got 0"), ({"method": "horn"}, "got 'horn'")])
def test_what_cannot_be_done_is_refused_before_it_is_begun(change, told) -> None:
    with pytest.raises(ParameterError, match=told):
        flows(some_pairs(1), **change)


def test_opencv_has_its_threads_back() -> None:
    before = cv2.getNumThreads()
    cv2.setNumThreads(2)
    try:
        flows(some_pairs(1))
        assert cv2.getNumThreads() == 2
    finally:
        cv2.setNumThreads(before)
