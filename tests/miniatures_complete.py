"""Complete annotations in miniature: as many rows, emotions and subjects as the licensed data sets are counted to have.

Names and frame numbers are made up, but for the rows that the data sets' quirks are about; how many samples of each
class a subject has follows the public list of MEGC2019.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from tests.miniatures import Row, casme2_rows, samm_row, smic_row

# Samples a subject of the three classes: negative, positive, surprise.
Classes = dict[int, tuple[int, int, int]]
CASME2_CLASSES: Classes = {
    1: (2, 1, 0), 2: (5, 1, 3), 3: (4, 0, 1), 4: (2, 0, 0), 5: (0, 1, 5), 6: (1, 1, 2), 7: (5, 0, 0), 8: (1, 0, 0),
    9: (5, 5, 0), 11: (4, 0, 0), 12: (5, 2, 4), 13: (0, 2, 0), 14: (0, 3, 0), 15: (1, 1, 1), 16: (1, 2, 0),
    17: (23, 7, 1), 19: (3, 3, 5), 20: (2, 0, 0), 21: (1, 0, 0), 22: (2, 0, 0), 23: (7, 1, 0), 24: (2, 0, 1),
    25: (3, 0, 2), 26: (9, 2, 0),
}  # fmt: skip
SAMM_CLASSES: Classes = {
    6: (9, 0, 2), 7: (1, 5, 2), 9: (3, 0, 1), 10: (4, 0, 0), 11: (13, 7, 0), 12: (2, 0, 1), 13: (6, 0, 0),
    14: (2, 7, 1), 15: (2, 0, 1), 16: (2, 1, 2), 17: (3, 0, 1), 18: (2, 0, 1), 19: (0, 1, 0), 20: (2, 2, 0),
    21: (2, 0, 0), 22: (3, 2, 0), 23: (1, 0, 0), 24: (1, 0, 0), 26: (9, 0, 0), 28: (1, 0, 2), 30: (3, 0, 0),
    31: (1, 0, 0), 32: (4, 0, 0), 33: (4, 1, 0), 34: (3, 0, 0), 35: (7, 0, 1), 36: (1, 0, 0), 37: (1, 0, 0),
}  # fmt: skip
SMIC_CLASSES: Classes = {
    1: (3, 2, 1), 2: (0, 1, 5), 3: (22, 11, 6), 4: (10, 4, 5), 5: (1, 0, 1), 6: (2, 0, 2), 8: (9, 4, 0), 9: (0, 1, 3),
    11: (3, 3, 1), 12: (0, 8, 1), 13: (0, 10, 0), 14: (3, 2, 5), 15: (1, 1, 2), 18: (2, 0, 5), 19: (0, 1, 1),
    20: (14, 3, 5),
}  # fmt: skip
CASME2_COUNTS = {
    "others": 99, "disgust": 63, "happiness": 32, "repression": 27, "surprise": 25, "sadness": 7, "fear": 2,
}  # fmt: skip
SAMM_COUNTS = {
    "anger": 57, "other": 26, "happiness": 26, "surprise": 15, "contempt": 12, "disgust": 9, "fear": 8, "sadness": 6,
}  # fmt: skip
CASME3_COUNTS = {"disgust": 247, "surprise": 184, "fear": 83, "anger": 64, "sad": 55, "happy": 54}
CASME3_SUBJECTS = 87

# Named clips of CASME II with the cells that make them a quirk.
_CASME2_SPECIAL: dict[tuple[int, str], Row] = {
    (4, "EP12_01f"): {"OnsetFrame": 21, "ApexFrame": "/", "OffsetFrame": 41},
    (5, "EP09_05f"): {"OnsetFrame": 69, "ApexFrame": 69, "OffsetFrame": 123},
    (5, "EP16_04f"): {"ApexFrame": 40, "OffsetFrame": 40},
    (12, "EP09_06"): {"ApexFrame": 41, "OffsetFrame": 41},
    (20, "EP16_01"): {"ApexFrame": 42, "OffsetFrame": 42},
    (25, "EP18_04f"): {"ApexFrame": 43, "OffsetFrame": 43},
    **{key: {"Action Units": "?"} for key in (
        (5, "EP05_03"), (5, "EP07_01"), (5, "EP13_04f"), (19, "EP11_01f"), (26, "EP13_01"))},
    **{key: {} for key in ((17, "EP01_2"), (17, "EP08_1"), (9, "EP06_02_01"), (9, "EP06_02_02"), (26, "EP09f"))},
}  # fmt: skip


def casme2_complete() -> list[Row]:
    """255 rows: others 99, disgust 63, happiness 32, repression 27, surprise 25, sadness 7, fear 2; 26 subjects.

    24 subjects have a clip of the three classes; sub04/EP12_01f has the apex "/", sub05/EP09_05f apex = onset: disgust.
    """
    emotions = _emotions(CASME2_CLASSES, {"disgust": 61, "repression": 27})
    emotions[4].insert(0, "disgust")
    emotions[5].insert(0, "disgust")
    rest = ["others"] * 99 + ["sadness"] * 7 + ["fear"] * 2
    _deal(rest, emotions, {17: 5, 10: 6, 18: 3, 21: 1, 22: 0})
    return [row for subject in sorted(emotions) for row in _casme2_subject(subject, emotions[subject])]


def _casme2_subject(subject: int, emotions: list[str]) -> Iterator[Row]:
    special = [name for number, name in _CASME2_SPECIAL if number == subject]
    names = [*special, *(f"EP{take // 9 + 2:02d}_{take % 9 + 11:02d}f" for take in range(60))]
    template = casme2_rows()[0]
    for take, (name, emotion) in enumerate(zip(names, emotions, strict=False)):
        onset = 10 + take
        row = {"Subject": f"{subject:02d}", "Filename": name, "OnsetFrame": onset, "ApexFrame": onset + 5 + take % 7}
        units = 12 if take % 2 else "4+7"
        ends = {"OffsetFrame": onset + 14 + take % 5, "Action Units": units, "Estimated Emotion": emotion}
        yield template | row | ends | _CASME2_SPECIAL.get((subject, name), {})


def samm_complete() -> list[Row]:
    """159 rows: Anger 57, Other 26, Happiness 26, Surprise 15, Contempt 12, Disgust 9, Fear 8, Sadness 6; 29 subjects.

    Subject 025 has only "Other" (4 rows); 024 and 036 have only disgust, so that 27 subjects have one of five classes.
    """
    negative = {"anger": 57, "contempt": 12, "disgust": 7, "fear": 8, "sadness": 6}
    classes = {key: counts for key, counts in SAMM_CLASSES.items() if key not in (24, 36)}
    emotions = _emotions(classes, negative) | {24: ["disgust"], 36: ["disgust"], 25: ["other"] * 4}
    _deal(["other"] * 22, emotions, {25: 0, 24: 0, 36: 0})
    return [row for subject in sorted(emotions) for row in _samm_subject(subject, emotions[subject])]


def _samm_subject(subject: int, emotions: list[str]) -> Iterator[Row]:
    special = {13: ["013_1_9"], 28: ["028_4_1"], 32: ["032_3_1", "032_3_2"]}.get(subject, [])
    names = [*special, *(f"{subject:03d}_{take // 9 + 5}_{take % 9 + 1}" for take in range(60))]
    frames = {"013_1_9": (5702, 5711, 5739), "028_4_1": (1105, 1113, 1120), "032_3_1": (4920, 4930, 4950),
              "032_3_2": (5126, 5127, 5140)}  # fmt: skip
    for take, (name, emotion) in enumerate(zip(names, emotions, strict=False)):
        ends = frames.get(name, (9990 + 20 * take, 9996 + 20 * take, 10004 + 20 * take))
        note = "blink" if take % 3 == 0 else None
        yield samm_row(f"{subject:03d}", name, take % 7 + 1, *ends, "4+7", emotion.capitalize(), take % 7 + 1, note)


def smic_complete() -> list[Row]:
    """162 rows, 16 subjects; names give 69/51/42, the Emotion column 70/51/41, as s18_sur_03 is called negative.

    With the two clips without a row (s1_ne_02, s2_sur_05) names give 70/51/43. Frame numbers rise within a subject.
    """
    words = ("negative", "positive", "surprise")
    rows = []
    for subject, counts in SMIC_CLASSES.items():
        clips = [(short, word, take) for short, word, count in zip(("ne", "po", "sur"), words, counts, strict=True)
                 for take in range(1, count + 1)]  # fmt: skip
        digits = {12: 10**6, 18: 10**6, 19: 10**7, 20: 10**7}.get(subject, 10**5)
        for number, (short, word, take) in enumerate(clips):
            clip, onset = f"s{subject}_{short}_{take:02d}", digits + 100 * number
            rows.append(smic_row(subject, clip, onset, 8 + number % 9, word))
    return [_smic_quirk(row) for row in rows if row["Filename"] not in ("s1_ne_02", "s2_sur_05")]


def _smic_quirk(row: Row) -> Row:
    clip, onset, total = row["Filename"], row["OnsetF"], row["TotalMF1"]
    again = {"s20_ne_06": 20, "s20_ne_09": 20, "s20_sur_02": 20, "s18_ne_01": 20, "s18_sur_03": -10}
    if clip in again:
        word = "negative" if clip == "s18_sur_03" else row["Emotion"]
        return smic_row(row["Subject"], clip, onset, total, word, second=onset + again[clip], second_total=4)
    if clip == "s3_ne_20":
        missing = smic_row(3, clip, onset, total, row["Emotion"], first="MISSING <-426679")
        return missing | {"LastF": None, "TotalVL": None}
    before = {"s3_ne_03": 100, "s4_ne_06": 100, "s9_sur_02": 100}.get(clip)
    shares = before or (0 if clip in ("s3_ne_02", "s4_ne_05", "s9_sur_01") else None)
    if shares is None:
        return row
    first = onset - shares - 4
    return smic_row(row["Subject"], clip, onset, total, row["Emotion"], first=first, last=first + 140)


def casme3_complete() -> list[Row]:
    """The edited list: 687 rows, 87 subjects, no "others"; apex = onset in 27 rows, apex before onset in one."""
    words = [word for word, count in CASME3_COUNTS.items() for _ in range(count)]
    subjects = [*range(1, CASME3_SUBJECTS - 2), 149, 214, 216]
    rows = [_casme3_row(number, subjects[number % CASME3_SUBJECTS], word) for number, word in enumerate(words)]
    for row in [row for row in rows if row["Subject"] not in ("spNO.149", "spNO.214", "spNO.216")][:26]:
        row["Apex"] = row["Onset"]
    by_subject = {row["Subject"]: row for row in reversed(rows)}
    by_subject["spNO.149"] |= {"Filename": "d", "Onset": 112, "Apex": 83, "Offset": 358}
    by_subject["spNO.214"] |= {"Filename": "c", "Onset": 5, "Apex": 9, "Offset": 3460}
    by_subject["spNO.216"] |= {"Filename": "e", "Onset": 0, "Apex": 0, "Offset": 9}
    return rows


def _casme3_row(number: int, subject: int, emotion: str) -> Row:
    onset = 20 + 30 * (number // CASME3_SUBJECTS)
    classes = {"happy": "I", "surprise": "II", "anger": "III", "disgust": "VII", "sad": "V", "fear": "IV"}
    return {
        "Subject": f"spNO.{subject}",
        "Filename": "abcdefghijklm"[number // CASME3_SUBJECTS],
        "Onset": onset,
        "Apex": onset + 5,
        "Offset": onset + 12,
        "AU": "4+7",
        "Objective class": classes[emotion],
        "emotion": emotion,
    }


def _emotions(classes: Classes, negative: dict[str, int]) -> defaultdict[int, list[str]]:
    """Emotions by subject: the negatives dealt in turn from `negative`, then happiness and surprise."""
    pool = iter(word for word, count in negative.items() for _ in range(count))
    dealt: defaultdict[int, list[str]] = defaultdict(list)
    for rank in range(max(counts[0] for counts in classes.values())):
        for subject, counts in classes.items():
            dealt[subject] += [next(pool)] if rank < counts[0] else []
    for subject, (_, positive, surprise) in classes.items():
        dealt[subject] += ["happiness"] * positive + ["surprise"] * surprise
    return dealt


def _deal(words: list[str], emotions: defaultdict[int, list[str]], fixed: dict[int, int]) -> None:
    """Add `words` to the subjects: so many to those of `fixed`, the others in turn."""
    left = iter(words)
    for subject, count in fixed.items():
        emotions[subject] += [next(left) for _ in range(count)]
    others = [subject for subject in sorted(emotions) if subject not in fixed]
    for number, word in enumerate(left):
        emotions[others[number % len(others)]].append(word)
