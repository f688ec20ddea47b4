"""The synthetic databases: their rosters, how clips are stored, made, found again, checked and loaded."""

from __future__ import annotations

import dataclasses
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pandas as pd
import pytest
import yaml

from mer_lib import cli, datasets, lab, settings
from mer_lib.datasets.frames.archive import FrameArchive
from mer_lib.datasets.maps import CONSTANT_POINTS, decode_map
from mer_lib.datasets.samples import CLASSES
from mer_lib.datasets.synthetic import databases, index, making, produce, recipe, storage
from mer_lib.datasets.synthetic.databases import ClipEntry
from mer_lib.datasets.synthetic.emotions import EMOTIONS
from mer_lib.datasets.synthetic.produce import face_box, plan_of
from mer_lib.datasets.synthetic.renderer import ClipRenderer
from mer_lib.errors import DataError, ParameterError
from mer_lib.manifest import load_manifest
from mer_lib.motion import cut, optical_flow, scaled_map

REPOSITORY = Path(__file__).resolve().parents[1]
COURSE = databases.clips("course")


def table(entries=COURSE) -> pd.DataFrame:
    rows = [(*entry.sample_id.split("/"), entry.person, entry.emotion, entry.label3) for entry in entries]
    return pd.DataFrame(rows, columns=["dataset", "subject", "clip", "person", "emotion", "label3"])


# -- rosters ----------------------------------------------------------------------------------------------------------


def test_course_has_the_counts_of_the_composite() -> None:
    counts = table().groupby("dataset")["label3"].value_counts().unstack()[list(CLASSES)]
    assert counts.to_numpy().tolist() == [[88, 32, 25], [92, 26, 15], [70, 51, 43]]
    assert table().groupby("dataset")["subject"].nunique().tolist() == [24, 28, 16]


def test_subjects_are_as_unequal_as_those_of_the_composite() -> None:
    sizes = table().groupby("dataset")["person"].value_counts().groupby("dataset").agg(["min", "median", "max"])
    assert sizes.to_numpy().tolist() == [[1, 4, 31], [1, 4, 20], [2, 7, 36]]
    present = table().groupby(["dataset", "person"])["label3"].nunique().groupby("dataset").value_counts().unstack()
    assert present.to_numpy().tolist() == [[9, 9, 6], [13, 12, 3], [1, 8, 7]]  # with 1, 2, 3 classes


@pytest.mark.parametrize("name", databases.DATABASES)
def test_negative_clips_are_spread_over_the_emotions_as_written(name) -> None:
    of_database = table().query("dataset == @name and label3 == 'negative'")
    assert of_database["emotion"].value_counts().to_dict() == dict(databases.DATABASES[name].negative)


def test_ids_are_unique_sorted_and_written_as_in_the_manifest() -> None:
    ids = [entry.sample_id for entry in (*COURSE, *databases.videos("course"))]
    assert ids == sorted(set(ids))
    parts = load_manifest(REPOSITORY / "data_manifest.yaml").entry("synthetic_course").parts
    for row in table().itertuples():
        assert parts[row.dataset].owns(row.subject)
        assert parts[row.dataset].class_in_name(row.clip) in (None, row.label3)
    assert all(parts["syn_c"].class_in_name(clip) for clip in table().query("dataset == 'syn_c'")["clip"])


def test_each_profile_holds_the_one_before_and_a_clip_is_the_same_in_all() -> None:
    for smaller, larger in zip(databases.PROFILES, databases.PROFILES[1:], strict=False):
        for entries in (databases.clips, databases.videos):
            assert set(map(repr, entries(smaller))) < set(map(repr, entries(larger)))


def test_the_small_profiles_have_the_promised_sizes() -> None:
    demo, smoke = table(databases.clips("demo")), table(databases.clips("smoke"))
    assert [len(demo), demo["person"].nunique()] == [84, 12]
    assert demo["label3"].value_counts()[list(CLASSES)].tolist() == [48, 20, 16]
    assert demo["person"].value_counts().nunique() >= 6
    assert demo.groupby("person")["label3"].nunique().min() == 1
    assert [len(smoke), smoke["person"].nunique(), smoke["dataset"].nunique()] == [11, 3, 3]
    assert smoke.groupby("label3")["person"].nunique().min() >= 2
    assert [len(databases.videos(profile)) for profile in databases.PROFILES] == [1, 3, 9]


@pytest.mark.parametrize("profile", databases.PROFILES)
def test_the_manifest_expects_what_the_roster_says(profile) -> None:
    expected = load_manifest(REPOSITORY / "data_manifest.yaml").entry(f"synthetic_{profile}").expected
    for name, group in table(databases.clips(profile)).groupby("dataset"):
        counts = group["label3"].value_counts()
        part = expected.parts[str(name)]
        assert [part.negative, part.positive, part.surprise] == [counts.get(label, 0) for label in CLASSES]
        assert part.subjects == group["subject"].nunique()


@pytest.mark.parametrize("profile", databases.PROFILES)
def test_the_manifest_knows_the_annotations(profile) -> None:
    """Where this fails on purpose, because numbers or plans were changed: write the new digest into the manifest."""
    entry = load_manifest(REPOSITORY / "data_manifest.yaml").entry(f"synthetic_{profile}")
    assert making.annotated(databases.clips(profile)) == entry.annotations


def test_an_unknown_profile_is_answered_with_those_there_are() -> None:
    for entries in (databases.clips, databases.videos):
        with pytest.raises(ParameterError, match="smoke, demo, course, got 'large'"):
            entries("large")


def test_a_recipe_changes_with_the_numbers_of_its_own_database_alone() -> None:
    entry = COURSE[0]
    weaker = dataclasses.replace(entry, style=dataclasses.replace(entry.style, magnitude_iod=0.001))
    noisier = dataclasses.replace(entry, recording=dataclasses.replace(entry.recording, read_noise=0.5))
    recipes = {recipe.recipe(changed) for changed in (entry, weaker, noisier, COURSE[1])}
    assert len(recipes) == 4
    assert recipe.recipe(dataclasses.replace(entry)) == recipe.recipe(entry)


@pytest.fixture
def code(tmp_path, monkeypatch) -> list[Path]:
    """Copies of all files that the digest of the code can cover; it is taken from them."""
    source, target = Path(recipe.__file__).parents[2], tmp_path / "mer_lib"
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    synthetic, maps, motion = (target / name for name in ("datasets/synthetic", "datasets/maps.py", "motion"))
    monkeypatch.setattr(recipe, "__file__", str(synthetic / "recipe.py"))
    monkeypatch.setattr(recipe, "maps", SimpleNamespace(__file__=str(maps)))
    monkeypatch.setattr(recipe, "motion", SimpleNamespace(__file__=str(motion / "__init__.py")))
    return [file for file in (*synthetic.iterdir(), maps, *motion.iterdir()) if file.name != "__init__.py"]


def code_digest() -> str:
    return recipe._code.__wrapped__()


def test_every_line_of_the_drawing_code_and_no_other_decides(code, monkeypatch) -> None:
    monkeypatch.setattr(recipe, "normalised", lambda text: text)  # else it takes seconds
    before, deciding = code_digest(), set()
    for file in code:
        text = file.read_text("utf-8")
        file.write_text(text + "\nMORE = 1", "utf-8")
        deciding |= {file.name} if code_digest() != before else set()
        file.write_text(text, "utf-8")
    not_deciding = {"databases.py", "index.py", "layout.py", "making.py", "opening.py", "recipe.py"}
    measuring = {"flow.py", "images.py", "small_map.py", "strain.py"}  # of the stage `motion`, what a map is made with
    drawing = {file.name for file in code if file.parent.name != "motion"}
    assert deciding == drawing - not_deciding | measuring
    assert deciding >= {"renderer.py", "expression.py", "camera.py", "canonical_mesh.csv", "maps.py", "flow.py"}


def test_comments_decide_nothing_and_statements_do(code) -> None:
    renderer = next(file for file in code if file.name == "renderer.py")
    text, before = renderer.read_text("utf-8"), code_digest()
    renderer.write_text(f"{text}\n# more", "utf-8")
    assert code_digest() == before
    renderer.write_text(f"{text}\nMORE = 1", "utf-8")
    assert code_digest() != before


@pytest.mark.parametrize("library", ["cv2", "np"])
def test_the_versions_of_opencv_and_numpy_decide(monkeypatch, library) -> None:
    monkeypatch.setattr(recipe, "normalised", lambda text: text)
    before = code_digest()
    monkeypatch.setattr(recipe, library, SimpleNamespace(__version__="0"))
    assert code_digest() != before


# -- a tiny database --------------------------------------------------------------------------------------------------

FAST = {"size": 96, "before_s": (0.05, 0.08), "after_s": (0.05, 0.08)}


def tiny(entry, fps: float = 60.0):
    """The same clip, small and short."""
    return dataclasses.replace(entry, recording=dataclasses.replace(entry.recording, fps=fps, **FAST))


CLIPS = tuple(tiny(entry) for entry in databases.clips("smoke") if not entry.person.startswith("syn_c"))
VIDEOS = tuple(
    dataclasses.replace(tiny(entry, fps=30.0), seconds=4.0, n_micro=1, n_macro=0) for entry in databases.videos("smoke")
)
ENTRIES = (*CLIPS, *VIDEOS)


def files(root: Path) -> dict[str, bytes]:
    """Every file below `root`, temporary ones too, by its path."""
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def original(tmp_path_factory) -> Path:
    """The tiny database, made once; tests that change it take a copy."""
    root = tmp_path_factory.mktemp("original")
    index.write(root, "smoke", making.make_entries(ENTRIES, root))
    return root


@pytest.fixture
def root(original, tmp_path) -> Path:
    """A copy of the tiny database, where the settings look for synthetic data."""
    target = tmp_path / "synthetic"
    for name, content in files(original).items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_bytes(content)
    return target


@pytest.fixture
def _tiny(monkeypatch, tmp_path, original) -> None:
    """Profile smoke is the tiny database, for the maker, the catalogue and the command line."""
    monkeypatch.setattr(databases, "clips", lambda profile: CLIPS)
    monkeypatch.setattr(databases, "videos", lambda profile: VIDEOS)
    content = yaml.safe_load((REPOSITORY / "data_manifest.yaml").read_text("utf-8"))
    entry = next(entry for entry in content["datasets"] if entry["name"] == "synthetic_smoke")
    counts = table(CLIPS).groupby("dataset")["label3"].value_counts().unstack()[list(CLASSES)]
    entry["expected"]["parts"] = {name: {"subjects": 1, **row} for name, row in counts.T.to_dict().items()}
    entry["parts"] = {name: entry["parts"][name] for name in counts.index}
    entry["expected"] |= {"samples": len(CLIPS), "subjects": 2}
    entry["annotations"] = making.annotated(CLIPS)
    path = tmp_path / "manifest.yaml"
    path.write_text(yaml.safe_dump(content), "utf-8")
    monkeypatch.setenv("MER_MANIFEST", str(path))


@pytest.fixture
def produced(monkeypatch) -> list[str]:
    """The ids of the clips that are rendered from now on."""
    names: list[str] = []
    render = making.produce

    def recording(entry):
        names.append(entry.sample_id)
        return render(entry)

    monkeypatch.setattr(making, "produce", recording)
    return names


# -- storage ----------------------------------------------------------------------------------------------------------


def renderer_of(entry) -> ClipRenderer:
    return ClipRenderer(storage.face_of(entry.person, entry.gender, entry.recording.size), plan_of(entry))


@pytest.mark.parametrize("entry", [CLIPS[0], CLIPS[-1], VIDEOS[0]], ids=lambda entry: entry.sample_id)
def test_frames_are_what_the_camera_wrote_and_are_read_one_by_one(original, entry) -> None:
    renderer, path = renderer_of(entry), storage.files_of(original, entry.sample_id).frames
    count = plan_of(entry).n_frames
    assert storage.frame_numbers(path) == list(range(1, count + 1))
    some = [count - 1, 0, count // 2]
    read = storage.read_frames(path, some)
    assert read.dtype == np.uint8
    assert read.shape == (3, 96, 96, 3) if entry.recording.colour else (3, 96, 96)
    for frame, at in zip(read, some, strict=True):
        np.testing.assert_array_equal(frame, renderer.frame(at))
    if isinstance(entry, ClipEntry):
        np.testing.assert_array_equal(storage.read_frames(path)[some], read)
    assert storage.read_frames(path, []).shape == (0, *read.shape[1:])


def test_an_archive_opens_with_any_tool_and_carries_no_time(original) -> None:
    with zipfile.ZipFile(storage.files_of(original, CLIPS[0].sample_id).frames) as archive:
        assert archive.testzip() is None
        assert archive.namelist()[:2] == ["img1.jpg", "img2.jpg"]
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}
        image = cv2.imdecode(np.frombuffer(archive.read("img1.jpg"), np.uint8), cv2.IMREAD_COLOR)
    assert image.shape == (96, 96, 3)


@pytest.mark.parametrize("indices", [[-1], [10_000], [0, 10_000]])
def test_a_frame_outside_the_clip_is_refused(original, indices) -> None:
    with pytest.raises(DataError, match="expected frame indices 0 to"):
        storage.read_frames(storage.files_of(original, CLIPS[0].sample_id).frames, indices)


@pytest.mark.parametrize("damage", ["missing", "cut", "flipped", "text", "other members"])
def test_damaged_frames_are_an_error_of_the_data(root, damage) -> None:
    path = storage.files_of(root, CLIPS[0].sample_id).frames
    whole = path.read_bytes()
    path.unlink()
    if damage != "missing":
        contents = {
            "cut": whole[:-200],
            "flipped": whole[:300] + bytes([whole[300] ^ 1]) + whole[301:],
            "text": b"no archive",
            "other members": storage.pack([("readme.txt", b"")]),
        }
        path.write_bytes(contents[damage])
    with pytest.raises(DataError, match=path.name):
        storage.read_frames(path)


@pytest.mark.parametrize("entry", [CLIPS[0], CLIPS[-1], VIDEOS[0]], ids=lambda entry: entry.sample_id)
def test_the_truth_survives_the_disk(original, entry) -> None:
    truth, renderer, plan = (
        storage.read_truth(storage.files_of(original, entry.sample_id).truth),
        renderer_of(entry),
        plan_of(entry),
    )
    for name, wanted in plan.to_arrays().items():
        np.testing.assert_array_equal(truth.plan.to_arrays()[name], wanted)
    assert (truth.person, truth.gender) == (entry.person, entry.gender)
    assert truth.label3 == (entry.label3 if isinstance(entry, ClipEntry) else None)
    assert (truth.landmarks.shape, truth.landmarks.dtype) == ((plan.n_frames, 478, 2), np.float32)
    for at in (0, plan.n_frames // 2, plan.n_frames - 1):
        np.testing.assert_allclose(truth.landmarks[at], renderer.landmarks(at), atol=1 / 1024)


def test_the_truth_answers_for_the_flow_between_any_two_frames(original) -> None:
    entry = CLIPS[0]
    truth, renderer, plan = (
        storage.read_truth(storage.files_of(original, entry.sample_id).truth),
        renderer_of(entry),
        plan_of(entry),
    )
    for head in (True, False):
        np.testing.assert_array_equal(
            truth.flow(plan.onset, plan.apex, head), renderer.flow(plan.onset, plan.apex, head)
        )
    np.testing.assert_array_equal(truth.valid(plan.onset, plan.apex), renderer.valid(plan.onset, plan.apex))
    assert np.abs(truth.flow(plan.onset, plan.apex, head=False)).max() > 0.1
    assert not truth.flow(plan.onset, plan.onset).any()


@pytest.mark.parametrize("damage", ["missing", "cut", "flipped", "text", "other arrays"])
def test_a_damaged_truth_is_an_error_of_the_data(root, damage) -> None:
    path = storage.files_of(root, CLIPS[0].sample_id).truth
    whole = path.read_bytes()
    path.unlink()
    if damage == "other arrays":
        np.savez(path, faces=np.zeros(3))
    elif damage != "missing":
        middle = len(whole) // 2
        contents = {
            "cut": whole[:-200],
            "flipped": whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
            "text": b"no archive",
        }
        path.write_bytes(contents[damage])
    with pytest.raises(DataError, match=path.name):
        storage.read_truth(path)


# -- maps -------------------------------------------------------------------------------------------------------------

EYES_AND_LIPS = {"left eye": (33, 133), "right eye": (362, 263), "left lip": (61,), "right lip": (291,)}


@pytest.mark.parametrize("entry", [CLIPS[0], CLIPS[-1]], ids=lambda entry: entry.sample_id)
def test_eyes_and_lips_land_where_every_published_map_has_them(original, entry) -> None:
    truth = storage.read_truth(storage.files_of(original, entry.sample_id).truth)
    landmarks = truth.landmarks[truth.plan.onset]
    box = face_box(landmarks)
    for name, points in EYES_AND_LIPS.items():
        x, y = landmarks[list(points)].mean(axis=0) + 0.5
        on_map = (28 * (x - box.left) / (box.right - box.left), 28 * (y - box.top) / (box.bottom - box.top))
        assert np.hypot(*(np.array(on_map) - 0.5 - CONSTANT_POINTS[name])) < 1.5


def test_the_map_is_the_flow_from_onset_to_apex(original) -> None:
    entry = CLIPS[0]
    paths = storage.files_of(original, entry.sample_id)
    truth = storage.read_truth(paths.truth)
    onset, apex = storage.read_frames(paths.frames, [truth.plan.onset, truth.plan.apex])
    wide = [np.pad(frame, [(20, 20), (20, 20), (0, 0)], mode="edge") for frame in (onset, apex)]
    box = face_box(truth.landmarks[truth.plan.onset] + 20)
    wanted = scaled_map(optical_flow(*(cut(frame, box) for frame in wide)))
    np.testing.assert_array_equal(decode_map(paths.map.read_bytes()), wanted)
    assert wanted.reshape(-1, 3).max(axis=0).tolist() == [255, 255, 255]


def test_a_face_at_the_edge_of_the_frame_still_has_a_map() -> None:
    image = np.random.default_rng(0).integers(0, 256, (96, 96), dtype=np.uint8)
    landmarks = np.zeros((478, 2))
    for name, points in EYES_AND_LIPS.items():
        landmarks[list(points)] = np.array(CONSTANT_POINTS[name]) * 3.2 + (8, -3)
    assert face_box(landmarks).top < 0
    assert decode_map(produce.map_png(image, image[::-1], landmarks)).shape == (28, 28, 3)


# -- making -----------------------------------------------------------------------------------------------------------


def test_two_processes_in_another_order_write_the_same_bytes(original, tmp_path) -> None:
    told = []
    records = making.make_entries(ENTRIES[::-1], tmp_path, 2, lambda done, total, name: told.append((done, total)))
    index.write(tmp_path, "smoke", records)
    assert files(tmp_path) == files(original)
    assert told[-1] == (len(ENTRIES), len(ENTRIES))
    assert [done for done, _ in told] == sorted(done for done, _ in told)


@pytest.mark.usefixtures("_tiny")
def test_what_is_there_is_not_made_again(root, produced) -> None:
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    made = making.make("smoke", root, announce=lambda text: pytest.fail("nothing is to be made"))
    assert (made.n_made, made.n_kept, produced) == (0, len(ENTRIES), [])
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before
    assert "nothing to make" in str(made)


@pytest.mark.usefixtures("_tiny")
def test_a_stopped_making_leaves_whole_clips_and_goes_on_from_there(original, tmp_path, monkeypatch) -> None:
    root = tmp_path / "new"
    rendered: list[str] = []
    render = making.produce

    def stopping(entry):
        if len(rendered) == 3:
            raise KeyboardInterrupt
        rendered.append(entry.sample_id)
        return render(entry)

    monkeypatch.setattr(making, "produce", stopping)
    with pytest.raises(KeyboardInterrupt):
        making.make("smoke", root)
    left = files(root)
    assert left.items() < files(original).items()
    assert not index.path_of(root, "smoke").exists()
    assert set(making.find(ENTRIES, root)) == set(rendered)
    again: list[str] = []
    monkeypatch.setattr(making, "produce", lambda entry: again.append(entry.sample_id) or render(entry))
    made = making.make("smoke", root)
    assert (made.n_made, made.n_kept) == (len(ENTRIES) - 3, 3)
    assert sorted(rendered + again) == sorted(entry.sample_id for entry in ENTRIES)
    assert files(root) == files(original)


KILLED = """
import os, signal, sys
from pathlib import Path
from mer_lib import atomic
from mer_lib.datasets.synthetic import making
from tests.test_synthetic_databases import CLIPS
write = atomic.write_bytes
def killing(path, data):
    if path.name == "EP05.truth.npz":
        os.kill(os.getpid(), signal.SIGKILL)
    write(path, data)
atomic.write_bytes = killing
making.make_entries(CLIPS[:3], Path(sys.argv[1]))
"""


def test_a_killed_making_leaves_no_clip_that_passes_for_whole(original, tmp_path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    ended = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], env=environment, cwd=REPOSITORY, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert [entry.sample_id[-4:] for entry in CLIPS[:3]] == ["EP01", "EP05", "EP07"]
    assert list(making.find(CLIPS, tmp_path)) == [CLIPS[0].sample_id]
    making.make_entries(CLIPS[1:3], tmp_path)
    wanted = files(original)
    assert all(wanted[name] == content for name, content in files(tmp_path).items())
    assert len(making.find(CLIPS, tmp_path)) == 3


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


DAMAGE = {
    "missing": (Path.unlink, "file is missing"),
    "cut": (lambda path: path.write_bytes(path.read_bytes()[:-10]), "is damaged: expected"),
    "flipped": (flip, "is damaged: its content is not what was written"),
}


@pytest.mark.usefixtures("_tiny")
@pytest.mark.parametrize("part", storage.ClipFiles._fields)
@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_named_by_the_check_and_mended_by_the_maker(root, original, produced, part, damage) -> None:
    change, told = DAMAGE[damage]
    path = getattr(storage.files_of(root, CLIPS[1].sample_id), part)
    change(path)
    report = datasets.check("synthetic_smoke")
    assert report.status == "unusable"
    messages = [fault.message for fault in report.faults]
    assert len([message for message in messages if path.name in message and told in message]) == 1
    assert "mer data make synthetic --profile smoke" in messages[0]
    if damage != "flipped":
        with pytest.raises(DataError, match=path.name):
            datasets.load("synthetic_smoke")
    assert making.make("smoke", root).n_made == 1
    assert produced == [CLIPS[1].sample_id]
    assert files(root) == files(original)
    assert datasets.check("synthetic_smoke").status == "usable"


def ask_for_an_unknown_compression(path: Path) -> None:
    """Set a bit of the method that the archive's directory says of its first member."""
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 10] ^= 0x40
    path.write_bytes(content)


@pytest.mark.usefixtures("_tiny")
@pytest.mark.parametrize(("part", "read"), [("frames", storage.read_frames), ("truth", storage.read_truth)])
def test_an_unknown_compression_is_damage_too(root, original, part, read) -> None:
    path = getattr(storage.files_of(root, CLIPS[0].sample_id), part)
    ask_for_an_unknown_compression(path)
    with pytest.raises(DataError, match=f"{path.name}.*compression"):
        read(path)
    assert making.make("smoke", root).n_made == 1
    assert files(root) == files(original)


@pytest.mark.usefixtures("_tiny")
def test_clips_of_another_version_are_refused_and_made_anew(root, produced, monkeypatch) -> None:
    stronger = dataclasses.replace(CLIPS[0].style, magnitude_iod=0.02)
    changed = tuple(dataclasses.replace(e, style=stronger) if e.person == "syn_b/037" else e for e in CLIPS)
    monkeypatch.setattr(databases, "clips", lambda profile: changed)
    with pytest.raises(DataError, match="4 of 9 clips were made by another version of the generator"):
        datasets.load("synthetic_smoke")
    assert not index.is_current(root, "smoke")
    assert making.make("smoke", root).n_made == 4
    assert set(produced) == {entry.sample_id for entry in CLIPS if entry.person == "syn_b/037"}
    assert index.is_current(root, "smoke")


@pytest.mark.usefixtures("_tiny")
def test_changed_code_makes_all_clips_stale(root, monkeypatch) -> None:
    monkeypatch.setattr(recipe, "_code", lambda: "other code")
    assert making.find(ENTRIES, root) == {}


def cells_of(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False).set_index("sample_id", drop=False)


def write_cells(path: Path, cells: pd.DataFrame) -> None:
    path.write_text(cells.to_csv(index=False, lineterminator="\n"), "utf-8")


@pytest.mark.usefixtures("_tiny")
@pytest.mark.parametrize("change", ["cell", "row", "column", "empty"])
def test_a_damaged_list_is_named_and_mended(root, produced, original, change) -> None:
    path = index.path_of(root, "smoke")
    lines = path.read_text("utf-8").splitlines()
    changed = {
        "cell": [lines[0], lines[1] + ",more", *lines[2:]],
        "row": lines[:-1],
        "column": [lines[0].replace("emotion", "mood"), *lines[1:]],
        "empty": [],
    }
    path.write_text("\n".join(changed[change]), "utf-8")
    assert_named_and_mended(root, original, produced)


BAD_CELLS = [
    ("frames_bytes", "abc"), ("truth_bytes", ""), ("map_bytes", "-1"), ("n_frames", ""), ("fps", "x"), ("apex", "1.5"),
    ("sample_id", "junk"), ("map_sha256", ""),
]  # fmt: skip


@pytest.mark.usefixtures("_tiny")
@pytest.mark.parametrize(("column", "cell"), BAD_CELLS)
def test_a_cell_that_cannot_be_read_is_named_and_mended(root, produced, original, column, cell) -> None:
    path = index.path_of(root, "smoke")
    cells = cells_of(path)
    cells.loc[CLIPS[1].sample_id, column] = cell
    write_cells(path, cells)
    for read in (lambda name: index.read(root, "smoke"), datasets.load, datasets.load_clips):
        with pytest.raises(DataError, match=r"smoke\.csv: ids or numbers are damaged in 1 rows"):
            read("synthetic_smoke")
    assert_named_and_mended(root, original, produced)


@pytest.mark.usefixtures("_tiny")
@pytest.mark.parametrize("column", ["gender", "emotion", "label3"])
def test_a_list_with_the_labels_of_two_clips_swapped_is_refused_and_mended(root, produced, original, column) -> None:
    """Counts, files and digests are right then."""
    path = index.path_of(root, "smoke")
    cells = cells_of(path)
    first = CLIPS[0].sample_id
    second = next(clip.sample_id for clip in CLIPS if cells.at[clip.sample_id, column] != cells.at[first, column])
    cells.loc[[first, second], column] = cells.loc[[second, first], column].to_numpy()
    write_cells(path, cells)
    for read in (datasets.load, datasets.load_clips):
        with pytest.raises(DataError, match=r"smoke\.csv: gender, emotion, class or frame rate of 2 clips are not"):
            read("synthetic_smoke")
    assert_named_and_mended(root, original, produced)


@pytest.mark.usefixtures("_tiny")
def test_a_list_with_another_frame_rate_is_refused(root) -> None:
    path = index.path_of(root, "smoke")
    cells = cells_of(path)
    cells.loc[CLIPS[1].sample_id, "fps"] = "7"
    write_cells(path, cells)
    with pytest.raises(DataError, match="frame rate of 1 clips are not those drawn"):
        datasets.load("synthetic_smoke")


@pytest.mark.usefixtures("_tiny")
@pytest.mark.parametrize("mark", ["onset", "apex", "offset", "n_frames"])
def test_a_list_with_another_frame_number_is_not_what_the_manifest_expects(root, mark) -> None:
    path = index.path_of(root, "smoke")
    cells = cells_of(path)
    cells.loc[CLIPS[1].sample_id, mark] = str(int(cells.at[CLIPS[1].sample_id, mark]) + 1)
    write_cells(path, cells)
    assert [fault.message for fault in datasets.check("synthetic_smoke").faults] == [
        "smoke.csv: emotions or frame numbers are not those that the manifest expects",
    ]
    with pytest.raises(DataError, match="frame numbers are not those"):
        datasets.load_clips("synthetic_smoke")


def assert_named_and_mended(root: Path, original: Path, produced: list[str]) -> None:
    """The check names the list, whoever needs the data makes it anew, and no clip is rendered for that."""
    assert any("smoke.csv" in fault.message for fault in datasets.check("synthetic_smoke").faults)
    assert not index.is_current(root, "smoke")
    datasets.ensure("synthetic_smoke")
    assert produced == []
    assert files(root) == files(original)


def test_the_estimate_comes_first_and_a_full_disk_is_refused(tmp_path, monkeypatch) -> None:
    said = []
    monkeypatch.setattr(making, "make_entries", lambda *given: [])
    making.make("demo", tmp_path, announce=said.append)
    assert len(said) == 1
    assert said[0].startswith("87 clips and long videos, ")
    assert " MB of disk and " in said[0]
    usage = making.shutil.disk_usage(tmp_path)._replace(free=60_000_000)
    monkeypatch.setattr(making.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(DataError, match=r"expected room for about \d+ MB, got 60 MB free.*MER_SYNTHETIC"):
        making.make("demo", tmp_path / "not" / "there" / "yet")


def test_a_folder_that_cannot_be_written_is_an_error_of_the_data(tmp_path) -> None:
    (tmp_path / "clips").write_text("a file, no folder")
    with pytest.raises(DataError, match="cannot be written"):
        making.make_entries(CLIPS[:1], tmp_path)


@pytest.mark.usefixtures("_tiny")
def test_a_list_that_cannot_be_written_is_an_error_of_the_data(root) -> None:
    path = index.path_of(root, "smoke")
    path.unlink()
    path.mkdir()
    with pytest.raises(DataError, match=r"smoke\.csv.*: cannot be written .*but not their list.*MER_SYNTHETIC"):
        making.make("smoke", root)


@pytest.mark.usefixtures("_tiny")
@pytest.mark.parametrize("below", ["", "deeper"])
def test_a_file_in_place_of_the_folder_is_refused_before_anything_is_drawn(tmp_path, monkeypatch, produced, below):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("MER_SYNTHETIC", str(tmp_path / "file" / below))
    with pytest.raises(DataError, match="expected a folder that can be written to, got a file.*MER_SYNTHETIC"):
        making.make("smoke", announce=lambda text: pytest.fail("nothing can be made"))
    assert produced == []


# -- loading ----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("_tiny", "root")
def test_maps_load_like_those_of_any_data_set() -> None:
    dataset = datasets.load("synthetic_smoke")
    assert dataset.kind == "synthetic"
    assert dataset.label == "8 synthetic flow maps (drawn faces, Synthetic A, B, C, profile smoke)"
    assert dataset.samples["sample_id"].tolist() == sorted(entry.sample_id for entry in CLIPS)
    samples = dataset.samples.set_index("sample_id")
    for entry in CLIPS:
        row, plan = samples.loc[entry.sample_id], plan_of(entry)
        assert (row["emotion"], row["label3"], row["gender"]) == (entry.emotion, entry.label3, entry.gender)
        assert [row["onset"], row["apex"], row["offset"]] == [plan.onset + 1, plan.apex + 1, plan.offset + 1]
        assert (row["n_frames"], row["apex_source"]) == (plan.n_frames, "generated")
        assert row["action_units"] == plan.action_units
    assert datasets.check("synthetic_smoke").counts.loc["all", "samples"] == len(CLIPS)


@pytest.mark.usefixtures("_tiny", "root")
def test_clips_are_read_lazily_by_id(monkeypatch) -> None:
    with monkeypatch.context() as nothing_is_read:
        nothing_is_read.setattr(storage.zipfile, "ZipFile", lambda *given: pytest.fail("a clip was read"))
        clips = datasets.load_clips("synthetic_smoke")
    entry = CLIPS[2]
    plan = plan_of(entry)
    moments = clips.moments(entry.sample_id)
    assert moments == (plan.onset, plan.apex, plan.offset)
    row = clips.samples.set_index("sample_id").loc[entry.sample_id]
    assert clips.frame_numbers(entry.sample_id)[moments.apex] == row["apex"]
    assert len(clips.frames(entry.sample_id)) == len(clips.frame_numbers(entry.sample_id)) == row["n_frames"]
    np.testing.assert_array_equal(clips.frames(entry.sample_id, [moments.apex])[0], renderer_of(entry).frame(plan.apex))
    assert clips.truth(entry.sample_id).plan.apex == plan.apex
    assert clips.kind == "synthetic"
    assert "8 synthetic clips and 1 long video (drawn faces" in clips.label
    assert clips.digest == datasets.load_clips("synthetic_smoke").digest
    with pytest.raises(DataError, match="no such clip or long video: 'syn_a/sub99/EP01'"):
        clips.frames("syn_a/sub99/EP01")
    with pytest.raises(DataError, match="no such clip: 'syn_v"):
        clips.moments(VIDEOS[0].sample_id)


@pytest.mark.usefixtures("_tiny", "root")
@pytest.mark.parametrize("index_", ["a", 1.0, True, None])
def test_an_index_that_is_no_whole_number_is_refused(index_) -> None:
    with pytest.raises(DataError, match=r"expected frame indices from 0 to \d+, whole numbers, got "):
        datasets.load_clips("synthetic_smoke").frames(CLIPS[0].sample_id, [0, index_])


@pytest.mark.usefixtures("_tiny", "root")
def test_the_digest_of_clips_covers_labels_moments_frames_and_truth() -> None:
    clips = datasets.load_clips("synthetic_smoke")
    name, archive = CLIPS[0].sample_id, FrameArchive(Path("clip.zip"), "0" * 64)
    others = [
        dataclasses.replace(clips, samples=clips.samples.assign(label3="surprise")),
        dataclasses.replace(clips, samples=clips.samples.assign(apex=clips.samples["apex"] + 1)),
        dataclasses.replace(clips, sources={**clips.sources, name: archive}),
        dataclasses.replace(clips, truths={**clips.truths, name: clips.truths[name]._replace(sha256="0" * 64)}),
    ]
    assert len({clips.digest, *(other.digest for other in others)}) == 5


@pytest.mark.usefixtures("_tiny", "root")
def test_a_session_opens_the_clips_of_its_data() -> None:
    session = lab.start({"profile": "smoke", "data": "synthetic_smoke"})
    assert session.clips.name == "synthetic_smoke"
    assert session.clips is session.clips
    assert session.caption.startswith("8 synthetic flow maps (drawn faces")


@pytest.mark.usefixtures("_tiny", "root")
def test_long_videos_come_with_their_intervals() -> None:
    clips = datasets.load_clips("synthetic_smoke")
    video = clips.videos.iloc[0]
    truth = clips.truth(video["sample_id"])
    assert (video["fps"], video["n_frames"]) == (30, truth.plan.n_frames)
    intervals = clips.intervals()
    assert set(intervals["sample_id"]) == {video["sample_id"]}
    assert (intervals["kind"] == "micro").sum() == 1
    assert intervals["onset"].between(1, video["n_frames"]).all()
    micro = intervals.query("kind == 'micro'").iloc[0]
    assert micro["onset"] <= micro["apex"] <= micro["offset"] <= video["n_frames"]
    assert micro["emotion"] in EMOTIONS
    assert micro["action_units"]
    wanted = [
        (interval.kind, interval.onset + 1, interval.apex + 1, interval.offset + 1) for interval in truth.plan.intervals
    ]
    assert list(intervals[["kind", "onset", "apex", "offset"]].itertuples(index=False, name=None)) == wanted


def test_a_data_set_without_frames_says_so() -> None:
    with pytest.raises(DataError, match="flow maps alone.*mer data make synthetic"):
        datasets.load_clips("toy_flow")
    with pytest.raises(DataError, match="mer data make synthetic --profile demo"):
        datasets.load_clips("best")
    with pytest.raises(DataError, match="synthetic_demo.*is absent.*mer data make synthetic --profile demo"):
        datasets.load_clips("synthetic_demo")


def test_best_is_real_then_course_then_demo_never_smoke_nor_toy(tmp_path) -> None:
    root = settings.synthetic_root()
    root.mkdir(parents=True)
    nowhere = tmp_path / "nowhere"
    assert datasets.best(nowhere) is None
    for profile, wanted in (("smoke", None), ("demo", "synthetic_demo"), ("course", "synthetic_course")):
        index.write(root, profile, [])
        found = datasets.best(nowhere)
        assert (found.name if found else None) == wanted
    real = tmp_path / "real" / "megc2019_flow"
    (real / "STSNet_whole_norm_u_v_os").mkdir(parents=True)
    assert datasets.best(tmp_path / "real").name == "megc2019_flow"
    assert datasets.best(tmp_path / "real", need="frames").name == "synthetic_course"


# -- making what is asked for -----------------------------------------------------------------------------------------


@pytest.fixture
def makings(monkeypatch) -> list[str]:
    """The profiles that are made from now on, without making them."""
    asked: list[str] = []
    monkeypatch.setattr(making, "make", lambda profile, **options: asked.append(profile))
    monkeypatch.setenv("MER_DATA_ROOT", "/nowhere")
    return asked


def test_best_makes_the_demo_where_nothing_is_there(makings) -> None:
    datasets.ensure("best")
    assert makings == ["demo"]


@pytest.mark.usefixtures("_tiny", "root")
def test_what_is_there_and_fresh_is_not_made(makings, monkeypatch) -> None:
    for name in ("synthetic_smoke", "toy_flow", "megc2019_flow"):
        datasets.ensure(name)
    assert makings == []
    monkeypatch.setattr(recipe, "_code", lambda: "other code")
    datasets.ensure("synthetic_smoke")
    assert makings == ["smoke"]


def test_real_data_are_never_replaced_by_made_ones(makings, tmp_path, monkeypatch) -> None:
    (tmp_path / "megc2019_flow" / "STSNet_whole_norm_u_v_os").mkdir(parents=True)
    monkeypatch.setenv("MER_DATA_ROOT", str(tmp_path))
    datasets.ensure("best")
    assert makings == []
    datasets.ensure("best", need="frames")  # there are none among them
    assert makings == ["demo"]


@pytest.mark.usefixtures("_tiny")
def test_the_command_line_makes_lists_and_checks(monkeypatch, capsys, produced) -> None:
    monkeypatch.setenv("COLUMNS", "240")

    def mer(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["mer", "data", *arguments])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        return int(stopped.value.code or 0), capsys.readouterr().out

    command = ("make", "synthetic", "--profile", "smoke", "--jobs", "1")
    code, out = mer(*command)
    assert code == 0
    assert "MB of disk" in out
    assert f"{len(ENTRIES)} clips made" in out
    assert "nothing to make" in mer(*command)[1]
    assert len(produced) == len(ENTRIES)
    code, out = mer("check", "synthetic_smoke")
    assert (code, "usable" in out) == (0, True)
    assert "synthetic_smoke" in mer("list")[1]
    flip(storage.files_of(settings.synthetic_root(), CLIPS[0].sample_id).frames)
    code, out = mer("check", "synthetic_smoke")
    assert code == 2
    assert "EP01.zip: is damaged" in out
