"""One clip on the disk: the frames as the camera wrote them, the truth beside them, and the published kind of map.

::

    clips/syn_a/sub12/EP01.zip          frames img1.jpg, img2.jpg, ... (JPEG or PNG), stored without further packing
    clips/syn_a/sub12/EP01.map.png      flow and strain from onset to apex, 28x28
    clips/syn_a/sub12/EP01.truth.npz    everything that was drawn for the clip, and its landmarks

Nothing is lost after the camera, each frame can be read alone, and any tool opens the files. Dense flow is not stored:
the face can be built again from its name, and then answers exactly for any two frames.

Frame numbers count from 1, as in the published databases; indices count from 0 and are derived from the numbers.
The same clip has the same bytes whenever it is written: archives carry no time.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from mer_lib.datasets.synthetic.camera import decode
from mer_lib.errors import DataError

if TYPE_CHECKING:
    from mer_lib.datasets.synthetic.long_videos import VideoPlan
    from mer_lib.datasets.synthetic.plan import ClipPlan
    from mer_lib.datasets.synthetic.renderer import ClipRenderer, MovableFace

Gender = Literal["female", "male"]
FIRST_NUMBER = 1
LANDMARK_STEPS = 1024  # a pixel: landmarks are kept to 0.001 px
_NO_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip archive can say
_ABOUT = ("person", "gender", "label3", "recipe", "frames_sha256", "map_sha256")
_NUMBER = re.compile(r"img(\d+)\.(?:jpg|png)")


class ClipFiles(NamedTuple):
    """Where the files of one clip lie; a long video has no map."""

    frames: Path
    map: Path
    truth: Path


def files_of(root: Path, sample_id: str) -> ClipFiles:
    """Return the paths of a clip's files below `root`.

    >>> files_of(Path("data"), "syn_a/sub12/EP01").frames.as_posix()
    'data/clips/syn_a/sub12/EP01.zip'
    """
    stem = root / "clips" / sample_id
    return ClipFiles(*(stem.with_name(stem.name + ending) for ending in (".zip", ".map.png", ".truth.npz")))


# -- frames -----------------------------------------------------------------------------------------------------------


def pack(members: Iterable[tuple[str, bytes]], compression: int = zipfile.ZIP_STORED) -> bytes:
    """Return a zip archive of named members; the same members give the same bytes at any time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members:
            entry = zipfile.ZipInfo(name, date_time=_NO_TIME)
            entry.compress_type = compression
            entry.external_attr = 0o644 << 16
            entry.create_system = 3  # else the archive would say on which system it was made
            archive.writestr(entry, content)
    return buffer.getvalue()


def pack_frames(frames: Iterable[bytes]) -> bytes:
    """Return the archive of encoded frames, in their order, numbered from 1."""
    return pack((f"img{number}{_ending(content)}", content) for number, content in enumerate(frames, FIRST_NUMBER))


def _ending(content: bytes) -> str:
    return ".jpg" if content.startswith(b"\xff\xd8") else ".png"


def frame_numbers(path: Path) -> list[int]:
    """Return the numbers of the frames in an archive, in increasing order, without reading a frame.

    Raises:
        DataError: the file is missing or is no archive of frames.
    """
    with _opened(path) as archive:
        return sorted(_members(archive, path))


def read_frames(path: Path, indices: Sequence[int] | None = None) -> np.ndarray:
    """Decode frames of an archive.

    Args:
        path: the archive.
        indices: from 0, in any order; all frames where None.

    Returns:
        uint8 (T, H, W, 3) RGB, or (T, H, W) where the camera was grey.

    Raises:
        DataError: the file is missing or damaged, or an index lies outside.
    """
    with _opened(path) as archive:
        names = [name for _, name in sorted(_members(archive, path).items())]
        wanted = range(len(names)) if indices is None else indices
        wrong = [index for index in wanted if not _is_index(index, len(names))]
        if wrong:
            raise DataError(f"{path}: expected frame indices 0 to {len(names) - 1}, whole numbers, got {wrong}")
        try:
            images = [decode(archive.read(names[index])) for index in wanted]
        # RuntimeError: a damaged entry asks for a compression or a password that there is not.
        except (zipfile.BadZipFile, zlib.error, ValueError, RuntimeError) as error:
            raise DataError(f"{path} is damaged ({error}): make it again with `mer data make synthetic`") from None
        return np.stack(images) if images else np.empty((0, *decode(archive.read(names[0])).shape), np.uint8)


def _is_index(value: object, count: int) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and bool(0 <= value < count)


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise DataError(f"{path}: expected an archive of frames, got: {reason}. See `mer data check`.") from None


def _members(archive: zipfile.ZipFile, path: Path) -> dict[int, str]:
    found = {int(match[1]): name for name in archive.namelist() if (match := _NUMBER.fullmatch(name))}
    if not found:
        raise DataError(f"{path}: expected members img1.jpg, img2.jpg and so on, got {archive.namelist()[:5]}")
    return found


# -- truth ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Truth:
    """All that is known of a clip or a long video, without having measured anything.

    Attributes:
        plan: what was drawn before a frame was rendered: intensities, head motion, blinks, light, onset, apex, offset.
        landmarks: float32 (T, 478, 2), x then y in pixels, of every frame, with head motion; to 0.001 px.
        person: whose face it is, ``<database>/<subject>``.
        gender: ``"female"`` or ``"male"``.
        label3: class of the emotion; None for a long video.
        recipe: see :func:`mer_lib.datasets.synthetic.recipe.recipe`.
        frames_sha256: digest of the archive of frames that the truth belongs to.
        map_sha256: digest of the map; empty for a long video.
    """

    plan: ClipPlan | VideoPlan
    landmarks: np.ndarray
    person: str
    gender: Gender
    label3: str | None
    recipe: str
    frames_sha256: str
    map_sha256: str

    def __repr__(self) -> str:
        return f"<Truth of {self.plan.sample_id}: {self.plan.n_frames} frames>"

    def renderer(self) -> ClipRenderer:
        """Return what renders the clip anew: any frame, clean or as recorded, and the exact flow between any two."""
        from mer_lib.datasets.synthetic.renderer import ClipRenderer  # whoever only reads frames draws no faces

        return ClipRenderer(face_of(self.person, self.gender, self.plan.recording.size), self.plan)

    def flow(self, first: int, second: int, head: bool = True) -> np.ndarray:
        """Return the exact flow between two frames; the face is drawn again at the first call (a second or two).

        Args:
            first: index from 0 of the frame on whose grid the flow stands.
            second: index from 0 of the other frame.
            head: with the head's motion; False leaves the expression alone.

        Returns:
            float32 (H, W, 2), u to the right and v downwards, in pixels. Where a point is hidden or was not there
            before (in opening eyes and mouths) it is of no use: see :meth:`valid`.
        """
        return self.renderer().flow(first, second, head)

    def valid(self, first: int, second: int) -> np.ndarray:
        """Return bool (H, W): where :meth:`flow` says whereto the visible point went."""
        return self.renderer().valid(first, second)


@lru_cache(maxsize=4)
def face_of(person: str, gender: Gender, size: int) -> MovableFace:
    """Return the face of a person, drawn once and kept for the clips that follow."""
    from mer_lib.datasets.synthetic.portrait import draw_portrait
    from mer_lib.datasets.synthetic.renderer import MovableFace

    return MovableFace(draw_portrait(person, gender, size))


def truth_bytes(truth: Truth) -> bytes:
    """Return the file of a truth: an npz archive, the same bytes for the same truth."""
    about = {name: getattr(truth, name) for name in _ABOUT}
    steps = np.rint(truth.landmarks.astype(np.float64) * LANDMARK_STEPS).astype(np.int32)
    arrays = truth.plan.to_arrays() | {
        "about": np.array(json.dumps(about)),
        # Changes from frame to frame are small whole numbers, which pack to a quarter of the landmarks themselves.
        "landmark_steps": np.diff(steps, axis=0, prepend=0).astype(np.int32),
    }
    return pack(((f"{name}.npy", _npy(array)) for name, array in arrays.items()), zipfile.ZIP_DEFLATED)


_DAMAGES = (
    KeyError, TypeError, ValueError, EOFError, OSError, RuntimeError, zipfile.BadZipFile, zlib.error, DataError,
)  # fmt: skip


def read_truth(path: Path) -> Truth:
    """Read the truth of a clip or a long video.

    Raises:
        DataError: the file is missing or damaged, or was written by another version.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: expected the truth of a clip, got: {error.strerror or error}") from None
    return parse_truth(content, str(path))


def parse_truth(content: bytes, shown: str) -> Truth:
    """Read a truth from the bytes of its file, called `shown` in messages; DataError where they are no truth."""
    from mer_lib.datasets.synthetic.long_videos import VideoPlan
    from mer_lib.datasets.synthetic.plan import ClipPlan

    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            arrays: Mapping[str, np.ndarray] = {name: stored[name] for name in stored.files}
        about = json.loads(str(arrays["about"]))
        landmarks = (np.cumsum(arrays["landmark_steps"], axis=0) / LANDMARK_STEPS).astype(np.float32)
        kind = VideoPlan if about["label3"] is None else ClipPlan
        return Truth(kind.from_arrays(arrays), landmarks, **{name: about[name] for name in _ABOUT})
    # Damage shows in any of these, depending on where it lies.
    except _DAMAGES as error:
        raise DataError(f"{shown}: is no readable truth of a clip ({error}); see `mer data check`") from None


def _npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.asanyarray(array), allow_pickle=False)
    return buffer.getvalue()
