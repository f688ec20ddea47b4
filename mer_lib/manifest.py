"""The data manifest: which data sets exist, where they lie, in which layout, what must be true of them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveInt,
    ValidationError,
    model_validator,
)

from mer_lib.errors import ManifestError, ParameterError, fault_list
from mer_lib.settings import manifest_path

ClassName = Literal["negative", "positive", "surprise"]
Kind = Literal["real", "synthetic", "toy"]
LayoutName = Literal["htnet_repository", "ststnet_folds", "synthetic", "generated"]
ProfileName = Literal["smoke", "demo", "course"]

# The layouts that only data of one kind have.
LAYOUT_OF_KIND: Mapping[str, LayoutName] = MappingProxyType({"synthetic": "synthetic", "toy": "generated"})
ApexSource = Literal["annotated", "spotted", "corrected", "generated"]

# A sub-dataset's name is the first part of a sample id, so it holds no slash and no blank.
PartName = Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
Text = Annotated[str, Field(min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Part(_Strict):
    """One sub-dataset of an entry: what holds for all of its clips."""

    title: Text
    fps: PositiveInt | None = Field(default=None, description="frames per second; none where nothing was filmed")
    apex_source: ApexSource
    subject_pattern: Text = Field(description="regular expression that a whole subject id matches")
    clip_classes: dict[str, ClassName] = Field(
        default_factory=dict, description="text inside a clip's name that tells its class"
    )

    @model_validator(mode="after")
    def _pattern_compiles(self) -> Part:
        try:
            re.compile(self.subject_pattern)
        except re.error as error:
            raise ValueError(f"subject_pattern is not a regular expression: {error}") from None
        return self

    def owns(self, subject: str) -> bool:
        """Whether `subject` is written as this sub-dataset writes its subject ids."""
        return re.fullmatch(self.subject_pattern, subject) is not None

    def class_in_name(self, clip: str) -> str | None:
        """The class that the name of a clip tells, or None where names tell none."""
        return next((label for token, label in self.clip_classes.items() if token in clip), None)


class PartCounts(_Strict):
    """How many subjects and how many samples of each class a sub-dataset must have."""

    subjects: PositiveInt
    negative: NonNegativeInt
    positive: NonNegativeInt
    surprise: NonNegativeInt

    @property
    def samples(self) -> int:
        """All samples of the sub-dataset."""
        return self.negative + self.positive + self.surprise


class Expected(_Strict):
    """What a disk is compared with."""

    samples: PositiveInt
    subjects: PositiveInt
    parts: dict[PartName, PartCounts]

    @model_validator(mode="after")
    def _adds_up(self) -> Expected:
        for field in ("samples", "subjects"):
            total = sum(getattr(part, field) for part in self.parts.values())
            if total != getattr(self, field):
                raise ValueError(f"{field} is {getattr(self, field)}, but the parts add up to {total}")
        return self


class Entry(_Strict):
    """One data set of the manifest."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
    title: Text
    kind: Kind
    layout: LayoutName
    citation: Text
    licence: Text
    how_to_obtain: Text
    paths: tuple[Text, ...] = Field(default=(), description="folders under the data root; first that serves wins")
    label_map: dict[str, ClassName] = Field(default_factory=dict, description="label as written on disk to class")
    parts: dict[PartName, Part]
    expected: Expected
    for_tests: bool = Field(default=False, description="never taken as the best data present")
    profile: ProfileName | None = Field(default=None, description="of synthetic data: how many clips")
    annotations: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = Field(
        default=None, description="of synthetic data: SHA-256 of ids, emotions and frame numbers"
    )

    @model_validator(mode="after")
    def _consistent(self) -> Entry:
        if self.parts.keys() != self.expected.parts.keys():
            raise ValueError(f"parts are {sorted(self.parts)}, but expected has {sorted(self.expected.parts)}")
        for kind, layout in LAYOUT_OF_KIND.items():
            if (self.kind == kind) != (self.layout == layout):
                raise ValueError(f"kind {kind} and layout {layout} belong together")
        if {self.profile is not None, self.annotations is not None} != {self.kind == "synthetic"}:
            raise ValueError("a synthetic data set needs profile and annotations, and no other has them")
        if self.kind == "real" and not (self.paths and self.label_map):
            raise ValueError("a real data set needs paths and a label_map")
        return self


class Manifest(_Strict):
    """All data sets, the preferred ones first."""

    datasets: tuple[Entry, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_unique(self) -> Manifest:
        twice = sorted({name for name in self.names if self.names.count(name) > 1})
        if twice:
            raise ValueError(f"each name once, but these occur twice: {', '.join(twice)}")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all data sets, in the order of the file."""
        return tuple(entry.name for entry in self.datasets)

    def entry(self, name: str) -> Entry:
        """The data set called `name`.

        Raises:
            ParameterError: no data set has that name; the message lists those that exist.
        """
        for entry in self.datasets:
            if entry.name == name:
                return entry
        near = difflib.get_close_matches(name, self.names, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ParameterError(f"Unknown data set {name!r}: expected one of {', '.join(self.names)}.{hint}")


def load_manifest(path: Path | None = None) -> Manifest:
    """Read and check the data manifest.

    Args:
        path: the YAML file; :func:`mer_lib.settings.manifest_path` where none is given.

    Raises:
        ManifestError: the file is missing, is not YAML, or breaks its schema (all faults at once).
    """
    path = manifest_path() if path is None else path
    content = _read_yaml(path)
    try:
        return Manifest.model_validate(content)
    except ValidationError as error:
        raise ManifestError(f"{path} does not follow the manifest's schema:\n{_faults(error)}") from None


def _read_yaml(path: Path) -> object:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ManifestError(
            f"Expected the data manifest at {path}, got: {error.strerror or error}. "
            "Run inside the repository or set MER_MANIFEST to the file."
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ManifestError(f"{path} is not readable YAML: {error}") from None


def _faults(error: ValidationError) -> str:
    def sentence(location: tuple[int | str, ...], message: str, value: object) -> str:
        place = ".".join(str(step) for step in location) or "file"
        shown = "" if isinstance(value, dict | list | tuple) else f" (got {value!r})"
        return f"{place}: {message}{shown}"

    return fault_list(sentence(item["loc"], item["msg"], item["input"]) for item in error.errors())
