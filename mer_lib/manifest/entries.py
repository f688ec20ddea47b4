"""The entries of the data manifest: one record a data set, its sub-datasets, and what must be true of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal, get_args

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from mer_lib.manifest.labels import Correction, Edition, Unlisted
from mer_lib.manifest.text import PartName, Strict, Text

ClassName = Literal["negative", "positive", "surprise"]
Kind = Literal["real", "synthetic", "toy"]
MapLayout = Literal["htnet_repository", "ststnet_folds"]
RecordedLayout = Literal["casme2", "samm", "smic", "casme3", "folder"]
LayoutName = Literal[MapLayout, RecordedLayout, "composite", "synthetic", "generated"]
ProfileName = Literal["smoke", "demo", "course"]
ApexSource = Literal["annotated", "spotted", "corrected", "generated"]

# The layouts that only data of one kind have.
LAYOUT_OF_KIND: Mapping[str, LayoutName] = MappingProxyType({"synthetic": "synthetic", "toy": "generated"})


class Part(Strict):
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


class PartCounts(Strict):
    """How many subjects and how many samples of each class a sub-dataset must have."""

    subjects: PositiveInt
    negative: NonNegativeInt
    positive: NonNegativeInt
    surprise: NonNegativeInt

    @property
    def samples(self) -> int:
        """All samples of the sub-dataset."""
        return self.negative + self.positive + self.surprise


class Expected(Strict):
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


class Entry(Strict):
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
    expected: Expected | None = Field(default=None, description="counts of a published list or of made data")
    label_set: str = Field(default="", description="of recorded clips: which label set fills the column label3")
    editions: tuple[Edition, ...] = Field(default=(), description="of recorded clips: annotations that circulate")
    corrections: tuple[Correction, ...] = Field(default=(), description="values of the annotation that are mended")
    unlisted: tuple[Unlisted, ...] = Field(default=(), description="clips that the annotation has no row for")
    frame_sizes: dict[str, tuple[PositiveInt, PositiveInt]] = Field(
        default_factory=dict, description="version of the images to their width and height in pixels"
    )
    of: tuple[str, ...] = Field(default=(), description="of a composite: the names of the data sets it is made of")
    for_tests: bool = Field(default=False, description="never taken as the best data present")
    profile: ProfileName | None = Field(default=None, description="of synthetic data: how many clips")
    annotations: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = Field(
        default=None, description="of synthetic data: SHA-256 of ids, emotions and frame numbers"
    )

    @property
    def is_recorded(self) -> bool:
        """Whether its clips are recorded ones with frames: a licensed data set, somebody's folder, or a composite."""
        return self.layout in (*get_args(RecordedLayout), "composite")

    @model_validator(mode="after")
    def _kind_fits_layout(self) -> Entry:
        for kind, layout in LAYOUT_OF_KIND.items():
            if (self.kind == kind) != (self.layout == layout):
                raise ValueError(f"kind {kind} and layout {layout} belong together")
        if {self.profile is not None, self.annotations is not None} != {self.kind == "synthetic"}:
            raise ValueError("a synthetic data set needs profile and annotations, and no other has them")
        if self.layout in get_args(MapLayout) and not (self.paths and self.label_map):
            raise ValueError("a data set of flow maps needs paths and a label_map")
        if self.is_recorded != bool(self.label_set):
            raise ValueError("a data set of recorded clips needs a label_set, and no other has one")
        if (self.layout == "composite") != bool(self.of):
            raise ValueError("a composite names the data sets it is made of, and no other does")
        return self

    @model_validator(mode="after")
    def _counts_fit(self) -> Entry:
        if self.expected is None:
            if self.layout not in get_args(RecordedLayout):
                raise ValueError(f"layout {self.layout} needs expected counts")
        elif self.parts.keys() != self.expected.parts.keys():
            raise ValueError(f"parts are {sorted(self.parts)}, but expected has {sorted(self.expected.parts)}")
        named = [*(item.sample_id for item in self.corrections), *(item.sample_id for item in self.unlisted)]
        foreign = [sample_id for sample_id in named if sample_id.split("/")[0] not in self.parts]
        if foreign:
            raise ValueError(f"corrections or unlisted clips of another data set: {', '.join(foreign)}")
        return self
