"""Addresses follow content, files check themselves, and code that decides nothing changes nothing."""

from __future__ import annotations

import ast
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from mer_lib import atomic
from mer_lib.datasets import CLASSES
from mer_lib.errors import StoreError
from mer_lib.evaluation import code_version as code
from mer_lib.evaluation.description import description_of
from mer_lib.evaluation.fold_file import FoldResult, columns_of, decode, encode
from mer_lib.evaluation.frames import probability_columns
from mer_lib.evaluation.jobs import Job
from mer_lib.evaluation.methods import METHODS
from mer_lib.evaluation.store import PredictionStore, result_address
from mer_lib.evaluation.variant import Variant, fold_seed
from tests.helpers import copied_package, job, leftovers, toy, variant, with_pixels

ADDRESS = "ststnet-0123456789abcdef"
PROBABILITIES = probability_columns(CLASSES)
DESCRIPTION = {"variant": {}, "asked_by": ["somebody"]}
METADATA = {"address": ADDRESS, "fold": 3, "seed": 1, "classes": list(CLASSES), "history": {"loss": [0.1, 1 / 3]}}


def result(n: int = 5, epochs: int = 2, **metadata: Any) -> FoldResult:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "sample_id": [f"toya/01/toy_{i:02d}" for i in range(n)] * epochs,
            "fold": 3,
            "seed": 1,
            "epoch": np.repeat(np.arange(1, epochs + 1), n),
            "role": "test",
            "y_true": rng.integers(0, 3, n * epochs),
        }
    )
    frame[PROBABILITIES] = rng.dirichlet([1, 1, 1], n * epochs)
    return FoldResult(frame, {**METADATA, **metadata})


@pytest.fixture
def store(tmp_path: Path) -> PredictionStore:
    return PredictionStore(tmp_path / "store")


# What is written is what is read


def test_a_fold_is_read_back_as_it_was_written(store: PredictionStore) -> None:
    path = store.write(ADDRESS, 3, 1, result())
    back = store.read(ADDRESS, 3, 1)
    assert path == store.root / ADDRESS / "seed1-fold003.parquet"
    assert back.metadata == result().metadata
    assert list(back.predictions) == list(columns_of(CLASSES))
    assert {str(back.predictions[name].dtype) for name in PROBABILITIES} == {"float32"}
    expected = result().predictions.astype(dict.fromkeys(PROBABILITIES, "float32"))
    pd.testing.assert_frame_equal(back.predictions, expected, check_dtype=False)
    assert store.state(ADDRESS, 3, 1) == "done"


def test_anyone_can_read_a_fold_with_pandas(store: PredictionStore) -> None:
    frame = pd.read_parquet(store.write(ADDRESS, 3, 1, result()))
    pd.testing.assert_frame_equal(frame, store.read(ADDRESS, 3, 1).predictions)


def test_the_same_content_has_the_same_bytes() -> None:
    assert encode(result()) == encode(result())
    assert encode(decode(encode(result()))) == encode(result())
    assert encode(result(name="x")) != encode(result(name="y"))


def test_metadata_may_quote_the_mark_of_the_checksum() -> None:
    tricky = result(name='"sha256": "' + "1" * 64)
    assert decode(encode(tricky)).metadata == tricky.metadata


# What is damaged is noticed


def test_every_flipped_bit_is_noticed() -> None:
    data = encode(result())
    for position in range(len(data)):
        damaged = bytearray(data)
        damaged[position] ^= 1 << position % 8
        with pytest.raises(ValueError, match="checksum"):
            decode(bytes(damaged))


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.6, 0.9, 0.999])
def test_a_cut_off_file_is_noticed(share: float) -> None:
    data = encode(result())
    with pytest.raises(ValueError, match="checksum"):
        decode(data[: int(share * len(data))])


def test_appended_and_inserted_bytes_are_noticed() -> None:
    data = encode(result())
    for damaged in (data + b"\0", b"\0" + data, data[:100] + b"\0" + data[100:], data + data):
        with pytest.raises(ValueError, match="checksum"):
            decode(damaged)


def test_a_table_of_another_kind_is_noticed(store: PredictionStore) -> None:
    buffer = io.BytesIO()
    result().predictions.to_parquet(buffer)
    with pytest.raises(ValueError, match="without a checksum"):
        decode(buffer.getvalue())


def test_a_damaged_file_is_named_by_read_and_state(store: PredictionStore) -> None:
    path = store.write(ADDRESS, 3, 1, result())
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(StoreError, match=r"seed1-fold003.parquet: damaged .*computed again by the next run"):
        store.read(ADDRESS, 3, 1)
    assert "seed1-fold003.parquet: damaged" in store.state(ADDRESS, 3, 1)


def test_a_missing_file_is_named(store: PredictionStore) -> None:
    assert store.state(ADDRESS, 3, 1) == "missing"
    with pytest.raises(StoreError, match=r"seed1-fold003.parquet: expected the predictions .* run it first"):
        store.read(ADDRESS, 3, 1)


@pytest.mark.parametrize(("fold", "seed", "address"), [(4, 1, ADDRESS), (3, 2, ADDRESS), (3, 1, "htnet-0")])
def test_a_file_of_another_fold_is_not_taken(store: PredictionStore, fold: int, seed: int, address: str) -> None:
    moved = store.path(address, fold, seed)
    moved.parent.mkdir(parents=True, exist_ok=True)
    moved.write_bytes(encode(result()))
    with pytest.raises(StoreError, match="expected address, fold and seed"):
        store.read(address, fold, seed)
    assert store.state(address, fold, seed) not in ("done", "missing")


def test_a_file_that_the_system_cannot_read_is_a_store_error(
    store: PredictionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> bytes:
        raise OSError(5, "Input/output error")

    store.write(ADDRESS, 3, 1, result())
    monkeypatch.setattr(Path, "read_bytes", fail)
    with pytest.raises(StoreError, match=r"cannot be read \(Input/output error\)"):
        store.read(ADDRESS, 3, 1)


# What cannot be written says so


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), PermissionError(13, "Permission denied")])
def test_a_failing_write_says_what_to_do(
    store: PredictionStore, monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(atomic, "write_bytes", fail)
    monkeypatch.setattr(os, "open", fail)
    expected = rf"cannot be written \({error.strerror}\). Free space or set MER_STORE .* finished folds are kept"
    with pytest.raises(StoreError, match=expected):
        store.write(ADDRESS, 3, 1, result())
    with pytest.raises(StoreError, match=expected):
        store.describe(ADDRESS, DESCRIPTION)
    with pytest.raises(StoreError, match=expected):
        store.log(ADDRESS, {"fold": 1})


# What a killed process leaves


def test_sweep_clears_what_killed_processes_left_and_nothing_else(store: PredictionStore) -> None:
    folder = store.write(ADDRESS, 3, 1, result()).parent
    store.describe(ADDRESS, DESCRIPTION)
    store.log(ADDRESS, {"fold": 3})
    kept = sorted(path.name for path in folder.iterdir())
    for name in (".seed1-fold003.parquet.ab.tmp", ".seed1-fold004.checkpoint.cd.tmp"):
        (folder / name).write_bytes(b"half")
        os.utime(folder / name, (0, 0))
    store.checkpoint(ADDRESS, 3, 1).write_bytes(b"of a finished fold")
    store.checkpoint(ADDRESS, 4, 1).write_bytes(b"of a fold to go on with")
    store.sweep(ADDRESS)
    assert leftovers(folder) == ["seed1-fold004.checkpoint"]
    assert sorted(path.name for path in folder.iterdir() if path.suffix != ".checkpoint") == kept


def test_sweep_leaves_what_may_be_in_use_and_bears_an_absent_folder(store: PredictionStore) -> None:
    store.sweep(ADDRESS)
    folder = store.write(ADDRESS, 3, 1, result()).parent
    (folder / ".seed1-fold004.parquet.ab.tmp").write_bytes(b"half")
    store.sweep(ADDRESS)
    assert leftovers(folder) == [".seed1-fold004.parquet.ab.tmp"]


# Information beside the results


def test_the_description_says_what_the_folder_holds(store: PredictionStore) -> None:
    one = job()
    store.describe(one.address, description_of(one))
    content = json.loads((store.folder(one.address) / "variant.json").read_text())
    assert Variant.model_validate(content["variant"]) == one.variant
    assert (content["data"], content["data_digest"]) == ("toy_flow", toy().digest)
    assert content["code_version"] == code.code_version("ststnet")
    assert {"models/ststnet.py", "training/estimator.py"} < set(content["code_files"])
    assert "models/htnet.py" not in content["code_files"]
    assert content["code_files"]["models/ststnet.py"] == code.file_digest(code.PACKAGE / "models" / "ststnet.py")


def test_whoever_asked_for_a_result_is_not_forgotten(store: PredictionStore) -> None:
    for label, profile in (("one", "quick"), ("other", ""), ("one", "quick")):
        asking = Job(label, variant(), toy(), profile=profile)
        store.describe(asking.address, description_of(asking))
    assert store.descriptions()[asking.address]["asked_by"] == ["one [quick]", "other"]


def test_descriptions_come_in_the_order_in_which_they_were_written(store: PredictionStore) -> None:
    for number, address in enumerate(("b-0", "c-0", "a-0")):
        store.describe(address, DESCRIPTION)
        os.utime(store.folder(address) / "variant.json", (number, number))
    (store.root / "d-0").mkdir()
    (store.root / "d-0" / "variant.json").write_text('{"half')
    assert list(store.descriptions()) == ["b-0", "c-0", "a-0"]


# What failed


def test_a_failure_is_kept_until_the_fold_is_there(store: PredictionStore) -> None:
    assert store.failures(ADDRESS) == []
    store.fail(ADDRESS, 3, 1, "Traceback\nValueError: first")
    store.fail(ADDRESS, 3, 1, "Traceback\nValueError: last")
    store.fail(ADDRESS, 10, 0, "Traceback\nOSError: of another fold")
    told = [(entry["seed"], entry["fold"], entry["traceback"].splitlines()[-1]) for entry in store.failures(ADDRESS)]
    assert told == [(0, 10, "OSError: of another fold"), (1, 3, "ValueError: last")]
    assert store.state(ADDRESS, 3, 1) == "missing"
    store.write(ADDRESS, 3, 1, result())
    assert [entry["fold"] for entry in store.failures(ADDRESS)] == [10]
    assert sorted(path.name for path in store.folder(ADDRESS).iterdir()) == [
        "seed0-fold010.failed.json",
        "seed1-fold003.parquet",
    ]


def test_a_failure_beside_a_fold_that_another_process_computed_counts_no_more(store: PredictionStore) -> None:
    store.write(ADDRESS, 3, 1, result())
    store.fail(ADDRESS, 3, 1, "Traceback\nValueError: of the slower process")
    assert store.failures(ADDRESS) == []


def test_events_are_read_back_without_a_line_that_a_crash_cut_off(store: PredictionStore) -> None:
    assert store.events(ADDRESS) == []
    store.folder(ADDRESS).mkdir(parents=True)
    store.log(ADDRESS, {"fold": 1})
    store.log(ADDRESS, {"fold": 2})
    with (store.folder(ADDRESS) / "events.jsonl").open("a") as stream:
        stream.write('{"fold": 3, "sec')
    assert store.events(ADDRESS) == [{"fold": 1}, {"fold": 2}]


# Addresses and seeds


def test_the_address_follows_variant_data_and_code() -> None:
    base = result_address(variant(), "data", "code")
    assert base == result_address(variant(), "data", "code")
    assert base.startswith("ststnet-")
    others = [
        result_address(variant(epochs=3), "data", "code"),
        result_address(variant(learning_rate=2e-3), "data", "code"),
        result_address(variant(split={"kind": "kfold", "folds": 3}), "data", "code"),
        result_address(variant("dummy"), "data", "code"),
        result_address(variant(), "other data", "code"),
        result_address(variant(), "data", "other code"),
    ]
    assert len({base, *others}) == 7


def test_a_file_holds_a_probability_for_each_of_its_classes(store: PredictionStore) -> None:
    classes = ["happiness", "anger", "disgust", "fear"]
    three = result()
    frame = three.predictions.drop(columns=PROBABILITIES)
    frame[probability_columns(classes)] = np.random.default_rng(1).dirichlet([1] * 4, len(frame)).astype("float32")
    store.write(ADDRESS, 3, 1, FoldResult(frame, {**three.metadata, "classes": classes}))
    back = store.read(ADDRESS, 3, 1)
    assert list(back.predictions)[-4:] == ["p_happiness", "p_anger", "p_disgust", "p_fear"]
    np.testing.assert_array_equal(back.predictions["p_fear"], frame["p_fear"])


def test_every_field_of_a_variant_changes_its_key() -> None:
    content = variant().model_dump()
    changes: list[dict[str, Any]] = [
        {"features": {"recipe": "flow_map", "order": "svu"}},
        {"features": {"recipe": "flow_map", "size": 20}},
        {"features": {"recipe": "four_region_mosaic"}},
        {"features": {"recipe": "four_region_mosaic", "block": 5}},
        {"features": {"recipe": "four_region_mosaic", "legacy_swap": True}},
        {"model": {"name": "htnet"}},
        {"model": {"name": "ststnet", "params": {"dropout": 0.1}}},
        {"split": {"kind": "loso", "inner_fraction": 0.2}},
        {"labels": "casme3_six"},
        {"subjects": "male"},
    ]
    other = {
        "scaling": "none",
        "epochs": 7,
        "batch_size": 7,
        "learning_rate": 0.5,
        "optimiser": "adamw",
        "weight_decay": 0.1,
        "class_weight": "balanced",
        "shuffle": False,
        "momentum": 0.5,
        "betas": (0.5, 0.9),
        "schedule": "cosine",
        "gamma": 0.5,
        "loss": "margin",
        "margins": (0.8, 0.2),
        "sampling": "balanced",
        "augmentation": {"kind": "faces"},
        "weights": "imagenet_if_at_hand",
        "freeze": ("conv1",),
        "permute_labels": True,
    }
    assert set(other) == set(content["training"])
    changes += [{"training": {**content["training"], name: value}} for name, value in other.items()]
    keys = [Variant.model_validate({**content, **change}).key for change in changes]
    assert len({variant().key, *keys}) == len(changes) + 1


def test_the_order_in_which_a_variant_is_written_does_not_matter() -> None:
    first = {"features": {"recipe": "flow_map", "size": 20}, "model": {"name": "x", "params": {"a": 1, "b": [2]}}}
    second = {"model": {"params": {"b": (2,), "a": 1}, "name": "x"}, "features": {"size": 20, "recipe": "flow_map"}}
    assert Variant.model_validate(first).key == Variant.model_validate(second).key


def test_defaults_written_out_are_the_same_variant() -> None:
    short = Variant.model_validate({"features": {"recipe": "flow_map"}, "model": {"name": "ststnet"}})
    assert Variant.model_validate(short.model_dump()).key == short.key


@pytest.mark.parametrize(
    "change", [{"trainning": {}}, {"training": {"epoch": 3}}, {"training": {"epochs": 0}}, {"model": {}}], ids=str
)
def test_a_misspelt_or_impossible_variant_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Variant.model_validate({**variant().model_dump(), **change})


def test_seeds_differ_between_variants_folds_and_seeds_and_stay_the_same() -> None:
    keys = [(v, fold, seed) for v in (variant(), variant(epochs=3)) for fold in range(20) for seed in range(5)]
    seeds = [fold_seed(*key) for key in keys]
    assert len(set(seeds)) == len(keys)
    assert [fold_seed(*key) for key in reversed(keys)] == seeds[::-1]
    assert all(0 <= seed < 2**31 for seed in seeds)


def test_the_digest_of_the_data_follows_every_byte() -> None:
    pixels = toy().maps()
    pixels[17, 3, 4, 1] ^= 1
    assert with_pixels(toy(), pixels).digest != toy().digest


# The version of the code


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the package's sources that may be altered."""
    root = copied_package(tmp_path)
    monkeypatch.setattr(code, "PACKAGE", root)
    return root


@pytest.fixture(autouse=True)
def _read_anew() -> Iterator[None]:
    """Forget afterwards what was read of an altered copy."""
    yield
    forget()


def forget() -> None:
    for known in (code.code_version, code.code_files, code.file_digest):
        known.cache_clear()


def version(model: str) -> str:
    return versions(model)[model]


def versions(*models: str) -> dict[str, str]:
    forget()
    return {model: code.code_version(model) for model in models}


DECIDING_FILES = [
    "training/estimator.py",
    "training/scaling.py",
    "training/baselines.py",
    "handcrafted/linear_svm.py",
    "training/device.py",
    "features/compute.py",
    "features/recipes.py",
    "features/regions.py",
    "evaluation/splits.py",
    "evaluation/folds.py",
    "evaluation/methods.py",
    "evaluation/variant.py",
    "datasets/maps.py",
    "datasets/samples.py",
]


@pytest.mark.parametrize("file", DECIDING_FILES)
def test_code_that_decides_a_result_changes_every_version(package: Path, file: str) -> None:
    before = versions("ststnet", "htnet", "dummy")
    with (package / file).open("a") as stream:
        stream.write("\nADDED = 1\n")
    assert not set(versions(*before).values()) & set(before.values())


@pytest.mark.parametrize(
    "file",
    ["evaluation/metrics.py", "evaluation/executors.py", "evaluation/cluster.py", "papers/measure.py", "settings.py"],
)
def test_code_that_only_views_results_changes_no_version(package: Path, file: str) -> None:
    before = version("ststnet")
    with (package / file).open("a") as stream:
        stream.write("\nADDED = 1\n")
    assert version("ststnet") == before


def test_only_a_networks_own_file_matters_to_it(package: Path) -> None:
    before = versions("ststnet", "htnet", "linear_svm")
    with (package / "models" / "htnet.py").open("a") as stream:
        stream.write("\nADDED = 1\n")
    assert {model for model, now in versions(*before).items() if now != before[model]} == {"htnet"}


def test_parts_that_networks_share_matter_to_all_of_them_and_to_no_other(package: Path) -> None:
    models = ("htnet", "da_crossvit", "ststnet", "lbp_top", "lbp_sip", "bi_woof")
    before = versions(*models)
    for file in ("models/blocks_htnet.py", "handcrafted/patterns.py"):
        with (package / file).open("a") as stream:
            stream.write("\nADDED = 1\n")
    changed = {model for model, now in versions(*models).items() if now != before[model]}
    assert {"htnet", "lbp_top", "lbp_sip"} <= changed
    assert "ststnet" not in changed
    assert "da_crossvit" not in changed


def test_comments_docstrings_and_formatting_change_no_version(package: Path) -> None:
    before = version("ststnet")
    for file in ("models/ststnet.py", "training/estimator.py"):
        path = package / file
        text = path.read_text()
        path.write_text('"""Another docstring."""\n\n# A comment\n' + text[text.index("from __future__") :] + "\n\n")
    assert version("ststnet") == before


def test_a_changed_number_changes_the_version(package: Path) -> None:
    before = version("ststnet")
    path = package / "models" / "ststnet.py"
    text = path.read_text()
    assert "kernel_size=3" in text
    path.write_text(text.replace("kernel_size=3", "kernel_size=5", 1))
    assert version("ststnet") != before


def test_the_version_does_not_hang_on_where_the_package_lies(package: Path) -> None:
    assert version("ststnet") == code.code_version("ststnet")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("x = 1  # one", "x=1"),
        ('def f():\n    """Doc."""\n    return 1', "def f():\n    # no doc\n    return 1"),
        ('class A:\n    """Doc."""', "class A:\n    pass"),
        ('"""Doc."""\nx = (1,\n     2)', "x = (1, 2)"),
    ],
)
def test_normalised_code_is_equal_where_only_its_looks_differ(first: str, second: str) -> None:
    assert code.normalised(first) == code.normalised(second)


def test_normalised_code_differs_where_a_value_does() -> None:
    assert code.normalised("x = 1") != code.normalised("x = 2")
    assert code.normalised("x = 'doc'") != code.normalised("x = 'other'")
    assert code.normalised("def f(a=1): 'd'") != code.normalised("def f(a=2): 'd'")


# Modules that deciding code imports and that cannot change a prediction, or whose changes show elsewhere.
HARMLESS = {
    "mer_lib.errors",
    "mer_lib.atomic",
    "mer_lib.datasets",  # the digest of the data follows what they read
    "mer_lib.datasets.catalogue",  # and the labels that a label set gives: the digest of the data follows those, too
    "mer_lib.datasets.recorded.labelling",
    "mer_lib.datasets.clips",
    "mer_lib.features",  # names of what is counted
    "mer_lib.features.from_clips",  # and what it calls: the digest of the inputs follows it
    "mer_lib.features.cache",
    "mer_lib.features.report",
    "mer_lib.faces.regions",
    "mer_lib.motion",  # checks the names of methods; what they do enters the digest of the inputs
    "mer_lib.datasets.faults",  # why a sample is left out; that it is shows in the digest of the data
    "mer_lib.datasets.reading",
    "mer_lib.manifest",
    "mer_lib.evaluation.store",  # how predictions are kept
    "mer_lib.models",  # finds a network by name; the network's own file is counted
    "mer_lib.models.weights",  # which weights training starts from enters the address by itself
    "mer_lib.handcrafted",  # finds a descriptor by name; its own file is counted
    "mer_lib.handcrafted.info",
}


def deciding_files() -> list[Path]:
    parts = [code.PACKAGE / part for part in code.DECIDING]
    own = {file for method in METHODS for file in code.own_files(method)}
    return [file for part in parts for file in (part.rglob("*.py") if part.is_dir() else [part])] + sorted(own)


def imported(file: Path) -> set[str]:
    """Modules of mer_lib that `file` imports from."""
    nodes = list(ast.walk(ast.parse(file.read_text("utf-8"))))
    found = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module:
            parts = {f"{node.module}.{alias.name}" for alias in node.names}
            files = {name for name in parts if (code.PACKAGE.parent / f"{name.replace('.', '/')}.py").exists()}
            found |= files or {node.module}
    return {name for name in found if name.startswith("mer_lib")}


@pytest.mark.parametrize("file", deciding_files(), ids=lambda file: file.relative_to(code.PACKAGE).as_posix())
def test_deciding_code_builds_on_deciding_code_alone(file: Path) -> None:
    """Else a helper could change results without changing their address."""
    counted = {".".join(("mer_lib", *f.relative_to(code.PACKAGE).with_suffix("").parts)) for f in deciding_files()}
    counted |= {name.removesuffix(".__init__") for name in counted}
    assert imported(file) <= counted | HARMLESS
