"""The input of CapsuleNet: the frames beside the apex, and what has changed since the onset, against what was drawn."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from mer_lib.datasets.clips import ClipDataset
from mer_lib.features import ApexFace, compute
from mer_lib.features.apex_face import frames, views
from mer_lib.features.clip import Annotation
from tests.feature_clips import clips_of, renderer, shifting, with_rows

MIDDLE = Annotation(n_frames=20, fps=None, onset=3, apex=8, offset=15)


@pytest.fixture(scope="module")
def darkening(tmp_path_factory) -> ClipDataset:
    """Each frame is darker than the one before."""
    return clips_of(tmp_path_factory.mktemp("darkening"), dark=renderer({}, gain=np.linspace(1.0, 0.6, 9)))


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> ClipDataset:
    """A smile, a head that shifts, and a smile with light going down."""
    dim = renderer(gain=np.linspace(1.0, 0.8, 9))
    return clips_of(tmp_path_factory.mktemp("drawn"), smile=renderer(), head=shifting(0.5, 0.3), dim=dim)


@pytest.mark.parametrize(
    ("neighbours", "index", "expected"),
    [
        (0, 8, [8]),
        (4, 8, [8, 7, 9, 6, 10]),
        (3, 8, [8, 7, 9, 6]),
        (4, 15, [15, 14, 15, 13, 15]),
        (4, 3, [3, 3, 4, 3, 5]),
        (2, 17, [17, 16, 17]),  # an apex after the offset, as some annotations have it
    ],
)
def test_neighbours_stay_between_onset_and_offset(neighbours, index, expected):
    assert views(ApexFace(neighbours=neighbours), MIDDLE, index) == expected


@pytest.mark.parametrize("frame", ["apex", "onset", "difference"])
@pytest.mark.parametrize("neighbours", [0, 4])
def test_frames_that_decide_are_those_that_are_read(frame, neighbours, darkening, monkeypatch):
    """Else a changed frame would leave a stale feature in the cache."""
    recipe = ApexFace(size=32, frame=frame, neighbours=neighbours)
    source = next(iter(darkening.sources.values()))
    read: set[int] = set()
    plain = type(source).read

    def spy(self, indices):
        read.update(int(i) for i in indices)
        return plain(self, indices)

    monkeypatch.setattr(type(source), "read", spy)
    compute(recipe, darkening, cache=False)
    annotation = Annotation(n_frames=9, fps=None, onset=0, apex=4, offset=8)
    assert read <= set(frames(recipe, annotation))
    assert len(read) >= 1 + neighbours // 2


def test_views_are_the_frames_beside_the_apex_in_one_square(darkening):
    got = compute(ApexFace(size=48, neighbours=4), darkening)[0]
    assert got.shape == (5, 3, 48, 48)
    # 5 % darker with each frame: one before is lighter than one after.
    ratios = got[1:].mean(axis=(1, 2, 3)) / got[0].mean()
    np.testing.assert_allclose(ratios, [0.85 / 0.8, 0.75 / 0.8, 0.9 / 0.8, 0.7 / 0.8], atol=0.02)
    np.testing.assert_array_equal(got[0], compute(ApexFace(size=48), darkening)[0])


def test_shapes_tell_views_from_samples():
    plain, several = ApexFace(size=64, grey=True), ApexFace(size=64, grey=True, neighbours=2)
    assert plain.shape == plain.sample_shape == several.sample_shape == (1, 64, 64)
    assert several.shape == (3, 1, 64, 64)
    assert (plain.view_rule, several.view_rule) == ("none", "extra")
    with pytest.raises(ValidationError):
        ApexFace(neighbours=-1)


def test_difference_shows_what_a_smile_moves(drawn):
    """Brows (unit 1) and lips (unit 12) move, the bridge of the nose and the chin rest."""
    got = np.abs(compute(ApexFace(size=96, grey=True, frame="difference"), drawn, ["drawn/s01/smile"])[0, 0])
    brows, lips = got[10:20, 24:72].mean(), got[57:64, 28:60].mean()
    nose, chin = got[26:40, 42:54].mean(), got[70:80, 36:60].mean()
    assert min(brows, lips) > 3 * max(nose, chin)


def test_difference_forgets_the_head_unless_it_is_kept(drawn):
    recipe = {"size": 96, "grey": True, "frame": "difference"}
    removed, kept = (
        np.abs(compute(ApexFace(**recipe, head_motion=how), drawn, ["drawn/s01/head"])).mean()
        for how in ("removed", "kept")
    )
    assert removed < 0.4 * kept


@pytest.mark.parametrize("grey", [True, False])
def test_difference_forgets_the_light(drawn, grey):
    steady, dim = compute(ApexFace(size=96, grey=grey, frame="difference"), drawn, ["drawn/s01/smile", "drawn/s01/dim"])
    assert np.abs(dim - steady).mean() < 0.5 * np.abs(steady).mean()
    assert np.corrcoef(dim.ravel(), steady.ravel())[0, 1] > 0.9


def test_difference_of_the_onset_is_nothing(drawn):
    still = with_rows(drawn, apex=1)
    assert (compute(ApexFace(size=32, frame="difference"), still) == 0).all()


def test_difference_without_a_face_is_the_plain_one(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (5, 64, 64, 3), np.uint8)
    clips = clips_of(tmp_path / "faceless", noise=list(noise))
    recipe = {"size": 64, "align": "frame"}
    change = compute(ApexFace(**recipe, frame="difference"), clips)[0]
    apex, onset = (compute(ApexFace(**recipe, frame=frame), clips)[0] for frame in ("apex", "onset"))
    np.testing.assert_allclose(change, apex - onset, atol=1)
