"""The three synthetic databases: who is recorded, how, and what each clip shows.

They differ as CASME II, SAMM and SMIC do, from which the MEGC2019 composite takes its 442 clips: the counts of clips a
class are the same, subjects are as unequal, and most of them lack a class. All numbers that make one database harder
than another stand in this file, and nowhere else.

>>> len(clips("course")), len(clips("demo")), len(clips("smoke"))
(442, 84, 11)
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Literal, NamedTuple

from mer_lib.datasets.samples import CLASSES, sample_id
from mer_lib.datasets.synthetic.emotions import LABEL3
from mer_lib.datasets.synthetic.habits import Style
from mer_lib.datasets.synthetic.recording import Recording
from mer_lib.datasets.synthetic.streams import stream
from mer_lib.errors import ParameterError

Gender = Literal["female", "male"]
Profile = Literal["smoke", "demo", "course"]

#: Each holds the one before it: smoke for tests, demo for a first look (minutes), course in the size of MEGC2019.
PROFILES: tuple[Profile, ...] = ("smoke", "demo", "course")
CLIPS_A_SITTING = 7  # of syn_b: what SAMM calls an inducement


class Counts(NamedTuple):
    """How many clips of each class."""

    negative: int
    positive: int
    surprise: int


@dataclass(frozen=True)
class Database:
    """What holds for all clips of a database.

    Attributes:
        name: first part of the sample ids.
        title: for people; names the published database whose form it follows.
        recording: camera, light and head motion.
        style: how strong the movements are and how much subjects differ.
        negative: how many clips of each negative emotion; the other two classes have one emotion each.
        roster: how many clips of each class each subject shows, in the order of the subjects' ids.
        subject_ids: the ids, as the published database writes them.
    """

    name: str
    title: str
    recording: Recording
    style: Style
    negative: Mapping[str, int]
    roster: tuple[Counts, ...]
    subject_ids: tuple[str, ...]


@dataclass(frozen=True)
class ClipEntry:
    """One clip to make: all that decides its files, together with the code."""

    sample_id: str
    person: str  #: whose face and habits: ``<database>/<subject>``
    gender: Gender
    emotion: str
    recording: Recording
    style: Style

    @property
    def label3(self) -> str:
        """The class of the emotion: negative, positive or surprise."""
        return str(LABEL3[self.emotion])


@dataclass(frozen=True)
class VideoEntry:
    """One long video to make, with several expressions in it."""

    sample_id: str
    person: str
    gender: Gender
    recording: Recording
    style: Style
    seconds: float
    n_micro: int
    n_macro: int


Entry = ClipEntry | VideoEntry

# -- the numbers ------------------------------------------------------------------------------------------------------

# They were chosen so that a plain classifier finds the clips about as hard as the real ones, and an ideal observer does
# not: benchmarks/synthetic_difficulty.py measures it, docs/synthetic_clips.md has the table. Most of it is unsteady
# light, which a difference of frames takes for movement, and differences between people, which no algorithm removes.

# Lamps that flicker, which a camera of 100 frames a second does not see, and a light that changes as by automatic
# exposure.
_FLICKER, _LIGHT_DRIFT = 0.03, 0.14

# People who differ much, and who stay with their own ways of showing an emotion.
_IDIOSYNCRATIC: Mapping[str, float] = MappingProxyType(
    {
        "magnitude_spread": 0.45,
        "expressiveness_spread": 0.45,
        "asymmetry_sd": 0.30,
        "unit_spread": 0.55,
        "habit_probability": 0.85,
        "habit_share": 0.85,
        "likeness": 1.5,
    }
)

# After CASME II: colour, 200 frames a second, the most alike people.
_A = Database(
    name="syn_a",
    title="Synthetic A, after CASME II",
    recording=Recording(
        fps=200, size=320, colour=True, jpeg_quality=92,
        drift_iod=0.008, roll_deg=0.20, yaw_deg=0.40, pitch_deg=0.40, scale_rel=0.002,
        flicker=_FLICKER, light_drift=_LIGHT_DRIFT,
    ),
    style=Style(
        magnitude_iod=0.005, expressiveness_spread=0.40, asymmetry_sd=0.28, unit_spread=0.50,
        habit_probability=0.70, habit_share=0.75, likeness=1.5,
    ),
    negative=MappingProxyType({"disgust": 50, "repression": 27, "sadness": 5, "anger": 4, "fear": 2}),
    roster=(
        Counts(5, 0, 3), Counts(3, 0, 0), Counts(2, 0, 2), Counts(5, 1, 0), Counts(5, 0, 0), Counts(0, 0, 2),
        Counts(3, 0, 0), Counts(0, 0, 1), Counts(1, 0, 2), Counts(3, 1, 1), Counts(2, 1, 0), Counts(12, 16, 3),
        Counts(1, 0, 2), Counts(7, 4, 3), Counts(0, 0, 1), Counts(9, 2, 1), Counts(4, 1, 0), Counts(4, 1, 1),
        Counts(1, 0, 0), Counts(0, 2, 0), Counts(6, 1, 1), Counts(12, 0, 2), Counts(2, 2, 0), Counts(1, 0, 0),
    ),
    subject_ids=tuple(f"sub{number:02d}" for number in range(1, 25)),
)  # fmt: skip

# After SAMM: grey, 200 frames a second, the weakest movements, people who show an emotion each in their own way.
_B = Database(
    name="syn_b",
    title="Synthetic B, after SAMM",
    recording=Recording(
        fps=200, size=320, colour=False, jpeg_quality=92, read_noise=0.006, shot_noise=0.010,
        drift_iod=0.010, roll_deg=0.20, yaw_deg=0.40, pitch_deg=0.40, scale_rel=0.002,
        flicker=_FLICKER, light_drift=_LIGHT_DRIFT,
    ),
    style=Style(magnitude_iod=0.0033, **_IDIOSYNCRATIC),
    negative=MappingProxyType({"anger": 57, "contempt": 12, "disgust": 9, "fear": 8, "sadness": 6}),
    roster=(
        Counts(1, 0, 0), Counts(1, 1, 0), Counts(1, 1, 2), Counts(3, 3, 0), Counts(3, 2, 2), Counts(2, 1, 0),
        Counts(2, 0, 0), Counts(2, 0, 0), Counts(6, 0, 0), Counts(1, 1, 0), Counts(4, 0, 0), Counts(5, 0, 0),
        Counts(3, 0, 0), Counts(4, 1, 0), Counts(3, 0, 1), Counts(6, 1, 0), Counts(1, 0, 0), Counts(1, 0, 0),
        Counts(3, 0, 0), Counts(3, 0, 0), Counts(3, 0, 0), Counts(1, 0, 3), Counts(3, 2, 0), Counts(3, 1, 0),
        Counts(5, 6, 0), Counts(5, 4, 0), Counts(0, 0, 6), Counts(17, 2, 1),
    ),
    subject_ids=(
        "006", "007", "009", "010", "011", "012", "013", "014", "015", "016", "017", "018", "019", "020",
        "021", "022", "023", "024", "026", "028", "030", "031", "032", "033", "034", "035", "036", "037",
    ),
)  # fmt: skip

# After SMIC-HS: colour, 100 frames a second, small noisy pictures.
_C = Database(
    name="syn_c",
    title="Synthetic C, after SMIC",
    recording=Recording(
        fps=100, size=256, colour=True, jpeg_quality=85, read_noise=0.007, shot_noise=0.012,
        drift_iod=0.010, roll_deg=0.16, yaw_deg=0.32, pitch_deg=0.32, scale_rel=0.0016,
        flicker=_FLICKER, light_drift=_LIGHT_DRIFT,
    ),
    style=Style(magnitude_iod=0.008, **_IDIOSYNCRATIC),
    negative=MappingProxyType({"disgust": 20, "repression": 16, "sadness": 12, "fear": 10, "anger": 12}),
    roster=(
        Counts(4, 7, 1), Counts(4, 2, 3), Counts(3, 0, 2), Counts(3, 8, 7), Counts(1, 0, 4), Counts(2, 6, 0),
        Counts(1, 0, 3), Counts(7, 7, 4), Counts(32, 1, 3), Counts(6, 5, 1), Counts(1, 10, 5), Counts(3, 0, 2),
        Counts(0, 2, 0), Counts(0, 3, 2), Counts(1, 0, 5), Counts(2, 0, 1),
    ),
    subject_ids=tuple(f"s{number:02d}" for number in range(1, 17)),
)  # fmt: skip

DATABASES: Mapping[str, Database] = MappingProxyType({entry.name: entry for entry in (_A, _B, _C)})

# How many clips of each class of which subjects the small profiles take: always the subject's first ones.
_PARTS: Mapping[str, Mapping[str, Counts]] = MappingProxyType(
    {
        "smoke": {"syn_a/sub12": Counts(2, 1, 1), "syn_b/037": Counts(2, 1, 1), "syn_c/s08": Counts(1, 1, 1)},
        "demo": {
            "syn_a/sub01": Counts(2, 0, 1), "syn_a/sub12": Counts(6, 5, 2),
            "syn_a/sub14": Counts(5, 2, 2), "syn_a/sub16": Counts(5, 1, 0),
            "syn_b/011": Counts(2, 1, 2), "syn_b/015": Counts(3, 0, 0),
            "syn_b/034": Counts(4, 2, 0), "syn_b/037": Counts(8, 1, 1),
            "syn_c/s01": Counts(2, 1, 1), "syn_c/s04": Counts(2, 3, 3),
            "syn_c/s08": Counts(3, 3, 3), "syn_c/s09": Counts(6, 1, 1),
        },
    }
)  # fmt: skip

# Long videos for spotting: recorded as syn_a is, but most of them at 30 frames a second.
VIDEOS = "syn_v"


class _Video(NamedTuple):
    profile: Profile  #: the smallest that holds it
    fps: int
    seconds: int
    n_micro: int
    n_macro: int


_VIDEOS = (
    _Video("smoke", fps=30, seconds=10, n_micro=2, n_macro=1),
    _Video("demo", fps=30, seconds=20, n_micro=3, n_macro=2),
    _Video("demo", fps=100, seconds=12, n_micro=2, n_macro=1),
    _Video("course", fps=30, seconds=30, n_micro=4, n_macro=2),
    _Video("course", fps=30, seconds=35, n_micro=3, n_macro=3),
    _Video("course", fps=30, seconds=40, n_micro=5, n_macro=3),
    _Video("course", fps=30, seconds=45, n_micro=6, n_macro=2),
    _Video("course", fps=30, seconds=50, n_micro=2, n_macro=4),
    _Video("course", fps=30, seconds=60, n_micro=7, n_macro=4),
)

# -- from the numbers to clips ----------------------------------------------------------------------------------------


def clips(profile: str) -> tuple[ClipEntry, ...]:
    """Return the clips of a profile, sorted by sample id; the same id is the same clip in every profile.

    Raises:
        ParameterError: there is no such profile.
    """
    _known(profile)
    everything = _all_clips()
    if profile == "course":
        return everything
    part = _PARTS[profile]
    taken: dict[tuple[str, str], int] = {}
    chosen = []
    for entry in everything:
        key = (entry.person, entry.label3)
        taken[key] = taken.get(key, 0) + 1
        if entry.person in part and taken[key] <= getattr(part[entry.person], entry.label3):
            chosen.append(entry)
    return tuple(chosen)


def videos(profile: str) -> tuple[VideoEntry, ...]:
    """Return the long videos of a profile, sorted by sample id.

    Raises:
        ParameterError: there is no such profile.
    """
    reach = PROFILES.index(_known(profile))
    return tuple(
        _video(number, given) for number, given in enumerate(_VIDEOS, start=1) if PROFILES.index(given.profile) <= reach
    )


def entries(profile: str) -> tuple[Entry, ...]:
    """Return clips and long videos of a profile; ParameterError where there is no such profile."""
    return (*clips(profile), *videos(profile))


def gender_of(person: str) -> Gender:
    """Return the gender of a person, drawn from the name: ``syn_a/sub01``."""
    return "female" if stream(person, "gender").random() < 0.5 else "male"


def annotation_digest(rows: Iterable[Mapping[str, object]]) -> str:
    """SHA-256 of what annotators would write down: ids, emotions and the frame numbers of onset, apex, offset.

    These are words and whole numbers, so that the digest is the same on every machine, whatever the pixels are.
    """
    names = ("sample_id", "emotion", "onset", "apex", "offset", "n_frames")
    lines = sorted(json.dumps([str(row[name]) for name in names]) for row in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _known(profile: str) -> Profile:
    for name in PROFILES:
        if name == profile:
            return name
    raise ParameterError(f"profile: expected one of {', '.join(PROFILES)}, got {profile!r}")


@lru_cache(maxsize=1)
def _all_clips() -> tuple[ClipEntry, ...]:
    found = [entry for database in DATABASES.values() for entry in _clips_of(database)]
    return tuple(sorted(found, key=lambda entry: entry.sample_id))


def _clips_of(database: Database) -> Iterable[ClipEntry]:
    negative = [emotion for emotion, count in database.negative.items() for _ in range(count)]
    stream(database.name, "negative emotions").shuffle(negative)
    for subject, counts in zip(database.subject_ids, database.roster, strict=True):
        person = f"{database.name}/{subject}"
        emotions = [negative.pop() for _ in range(counts.negative)]
        emotions += ["happiness"] * counts.positive + ["surprise"] * counts.surprise
        stream(person, "order of clips").shuffle(emotions)
        for clip, emotion in zip(_clip_names(database.name, subject, emotions), emotions, strict=True):
            yield ClipEntry(
                sample_id(database.name, subject, clip),
                person,
                gender_of(person),
                emotion,
                database.recording,
                database.style,
            )


def _clip_names(database: str, subject: str, emotions: list[str]) -> list[str]:
    """Names in the manner of the published databases: only SMIC's tell the class."""
    if database == "syn_a":
        return [f"EP{number:02d}" for number in range(1, len(emotions) + 1)]
    if database == "syn_b":
        places = [divmod(number, CLIPS_A_SITTING) for number in range(len(emotions))]
        return [f"{subject}_{sitting + 1}_{place + 1}" for sitting, place in places]
    marks = dict(zip(CLASSES, ("ne", "po", "sur"), strict=True))
    names: list[str] = []
    for emotion in emotions:
        start = f"{subject}_{marks[str(LABEL3[emotion])]}_"
        names.append(f"{start}{1 + sum(name.startswith(start) for name in names):02d}")
    return names


def _video(number: int, given: _Video) -> VideoEntry:
    subject = f"v{number:02d}"
    person = f"{VIDEOS}/{subject}"
    return VideoEntry(
        sample_id(VIDEOS, subject, "long_01"),
        person,
        gender_of(person),
        replace(_A.recording, fps=given.fps),
        _A.style,
        given.seconds,
        given.n_micro,
        given.n_macro,
    )
