"""The clips in a folder of somebody's own recordings: videos, and folders of images; see :mod:`.folder`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from mer_lib.datasets.annotation.cells import trailing_number
from mer_lib.datasets.frames.images import IMAGE_ENDINGS, ImageFolder
from mer_lib.datasets.frames.source import FrameSource, printable
from mer_lib.datasets.frames.video import VIDEO_ENDINGS, VideoFile
from mer_lib.datasets.walking import list_folder

_NOT_IN_IDS = re.compile(r"[\s/\\]+")


class ClipFile(NamedTuple):
    """One clip as it lies on the disk.

    Attributes:
        parent: name of the folder of a subject that it lies in; None where it lies in the top folder.
        path: a video or a folder of images.
        is_video: which of the two.
    """

    parent: str | None
    path: Path
    is_video: bool

    @property
    def name(self) -> str:
        """The name without the ending of a video."""
        return self.path.stem if self.is_video else self.path.name

    @property
    def shown(self) -> str:
        """The path below the top folder, as text."""
        return printable(self.path.name if self.parent is None else f"{self.parent}/{self.path.name}")

    def called(self) -> set[str]:
        """Return what a list may call it, see :func:`comparable`: with and without ending and folder."""
        names = {self.path.name, self.name}
        return {comparable(name) for name in names | {f"{self.parent}/{name}" for name in names if self.parent}}

    def source(self) -> FrameSource:
        """Return its frames; nothing is read yet."""
        return VideoFile(self.path) if self.is_video else ImageFolder(self.path)


class _Content(NamedTuple):
    folders: list[Path]
    videos: list[str]
    images: int


def clip_files(top: Path, left_out: list[str] | None = None) -> Iterator[ClipFile]:
    """Yield the clips in a folder and in the folders of subjects in it, in the order of their names.

    A folder with more numbered images than videos and folders of images is one clip, otherwise it is that of a subject.

    Args:
        top: where to look; what cannot be listed holds nothing.
        left_out: takes what was seen and is no clip, in words.
    """
    left_out = [] if left_out is None else left_out
    content = _content(top)
    if content.images:
        left_out.append(f"{content.images} images that lie in no folder of their own")
    yield from _videos(top, content, None)
    for folder in content.folders:
        yield from _in_folder(folder, left_out)


def comparable(name: str) -> str:
    """Return a path as lists are compared with it: parts joined by "/", without regard to case.

    >>> comparable(" .\\\\Anna\\\\Clip1.MP4")
    'anna/clip1.mp4'
    """
    parts = unicodedata.normalize("NFC", printable(name)).replace("\\", "/").split("/")
    return "/".join(part.strip() for part in parts if part.strip() not in ("", ".")).casefold()


def id_part(name: str) -> str:
    """Return a name as it stands in a sample id: blanks and slashes become "_".

    >>> id_part(" Anna K. "), id_part("a/b"), id_part("")
    ('Anna_K.', 'a_b', '_')
    """
    return _NOT_IN_IDS.sub("_", unicodedata.normalize("NFC", printable(name)).strip()) or "_"


def _in_folder(folder: Path, left_out: list[str]) -> Iterator[ClipFile]:
    content = _content(folder)
    inner = [child for child in content.folders if _content(child).images]
    others = len(content.videos) + len(inner)
    if content.images > others:
        if others:
            left_out.append(f"{others} videos and folders in {printable(folder.name)}, which is a clip of images")
        yield ClipFile(None, folder, is_video=False)
        return
    if content.images:
        left_out.append(f"{content.images} images in {printable(folder.name)}, which holds clips")
    yield from _videos(folder, content, folder.name)
    for child in inner:
        yield ClipFile(folder.name, child, is_video=False)
    left_out += [
        f"videos in {printable(f'{folder.name}/{child.name}')}, which lies too deep"
        for child in content.folders
        if _content(child).videos
    ]


def _videos(folder: Path, content: _Content, parent: str | None) -> Iterator[ClipFile]:
    for name in content.videos:
        yield ClipFile(parent, folder / name, is_video=True)


def _content(folder: Path) -> _Content:
    folders, files = list_folder(folder)
    videos = [name for name in files if name.lower().endswith(VIDEO_ENDINGS)]
    return _Content(folders, videos, sum(map(_is_numbered_image, files)))


def _is_numbered_image(name: str) -> bool:
    return name.lower().endswith(IMAGE_ENDINGS) and trailing_number(Path(name).stem) is not None
