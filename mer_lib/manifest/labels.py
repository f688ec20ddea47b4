"""Label sets and corrections as data: which emotion becomes which class for which paper, which values are mended."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, NonNegativeInt, PositiveInt, StrictInt, model_validator

from mer_lib.manifest.text import PartName, Strict, Text

FrameField = Literal["onset", "apex", "offset"]


class ClassCounts(Strict):
    """How many subjects and samples of each class come out of a label rule on one edition of an annotation."""

    edition: Text
    subjects: PositiveInt | None = None
    classes: dict[Text, NonNegativeInt]

    @property
    def samples(self) -> int:
        """All samples that keep a label."""
        return sum(self.classes.values())


class LabelRule(Strict):
    """What a label set does to one sub-dataset.

    `why` is the reasoning behind the rule, `counts` what comes out of it, edition by edition.
    """

    emotions: dict[Text, Text] = Field(min_length=1, description="emotion to class")
    dropped: tuple[Text, ...] = Field(default=(), description="emotions without a class, on purpose")
    needs_apex: bool = Field(default=False, description="drop clips whose apex is missing or on the onset")
    counts: tuple[ClassCounts, ...] = ()
    why: Text

    @model_validator(mode="after")
    def _no_emotion_twice(self) -> LabelRule:
        both = sorted(self.emotions.keys() & set(self.dropped))
        if both:
            raise ValueError(f"these emotions have a class and are dropped: {', '.join(both)}")
        return self


class LabelSet(Strict):
    """One way to turn emotions into classes, as some papers use it."""

    title: Text
    papers: tuple[Text, ...] = ()
    classes: tuple[Text, ...] = Field(min_length=2)
    source: Text
    parts: dict[PartName, LabelRule] = Field(min_length=1)

    @model_validator(mode="after")
    def _classes_exist(self) -> LabelSet:
        for part, rule in self.parts.items():
            used = [*rule.emotions.values(), *(name for counts in rule.counts for name in counts.classes)]
            unknown = sorted(set(used) - set(self.classes))
            if unknown:
                raise ValueError(f"{part}: {', '.join(unknown)} are not among the classes {', '.join(self.classes)}")
        return self


class Correction(Strict):
    """One value of an annotation that is mended, only where a copy holds the old value.

    `old` is the value that is wrong. None stands for "no usable value": missing, not a whole number, or, for an apex or
    offset, outside the order onset <= apex <= offset. So copies are met that lost a value in different ways.
    """

    sample_id: Text = Field(pattern=r"^[^/\s]+/[^/\s]+/[^/\s]+$")
    field: FrameField | Literal["emotion"]
    old: StrictInt | str | None
    new: StrictInt | str
    reason: Text
    source: Text

    @model_validator(mode="after")
    def _types_fit(self) -> Correction:
        wanted = str if self.field == "emotion" else int
        if not isinstance(self.new, wanted) or (self.old is not None and not isinstance(self.old, wanted)):
            raise ValueError(f"old and new of {self.field} must be {wanted.__name__}")
        return self


class Unlisted(Strict):
    """A clip of a data set that its annotation forgot: it has no row, but belongs to the published samples."""

    sample_id: Text = Field(pattern=r"^[^/\s]+/[^/\s]+/[^/\s]+$")
    emotion: Text
    reason: Text


class Edition(Strict):
    """One version of an annotation that circulates: how many rows, subjects and emotions it has.

    `emotions` is left out where nobody counted them; `note` says where the figures come from.
    """

    name: Text
    samples: PositiveInt
    subjects: PositiveInt | None = None
    emotions: dict[Text, NonNegativeInt] = Field(default_factory=dict)
    note: Text

    @model_validator(mode="after")
    def _adds_up(self) -> Edition:
        total = sum(self.emotions.values())
        if self.emotions and total != self.samples:
            raise ValueError(f"{self.name}: samples is {self.samples}, but the emotions add up to {total}")
        return self
