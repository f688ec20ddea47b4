"""Experiments are data: they validate, build, share what is shared, and name what is misspelt."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import yaml

from mer_lib.datasets import CLASSES
from mer_lib.datasets.class_view import class_names
from mer_lib.errors import ParameterError
from mer_lib.evaluation.crossval import Job
from mer_lib.evaluation.methods import METHODS, PLAIN, check_method
from mer_lib.models import REGISTRY, build, input_shape
from mer_lib.papers import reported
from mer_lib.papers.experiments import FOLDER, PROFILES, experiment, experiments
from mer_lib.papers.measure import reported_number
from mer_lib.papers.measurement import metrics_of
from tests.helpers import toy

NO_ATTENTION = pytest.mark.filterwarnings("ignore:HTNet with .*there is no attention")
SETTINGS = [
    pytest.param(name, label, profile, id=f"{name} {label} {profile}")
    for name, entry in experiments().items()
    for label in entry.variants
    for profile in PROFILES
]
SUBSETS = ("full", "smic", "casme2", "samm")


def test_the_laboratorys_own_come_first_and_every_system_has_some() -> None:
    papers = list(dict.fromkeys(entry.paper for entry in experiments().values()))
    assert papers == ["lab", "capsulenet", "da_crossvit", "htnet", "mfem_mffm", "mishin_yolo"]


def test_every_published_table_and_figure_of_scores_has_an_experiment() -> None:
    """Figure 6 of DA-CrossViT and the like have no numbers: they are curves of an experiment."""
    wanted = {
        entry.id
        for entry in reported.experiments().values()
        if set(reported.reported(entry.id)["metric"]) & {"uf1", "micro_auc"} and entry.kind in ("table", "figure")
    }
    assert wanted <= set(experiments())


def test_ids_begin_with_their_paper() -> None:
    for name, entry in experiments().items():
        assert name == entry.id
        assert name.startswith(entry.paper + ".")


@pytest.mark.parametrize("name", experiments())
def test_every_experiment_says_what_to_look_for_and_has_all_profiles(name: str) -> None:
    entry = experiment(name)
    assert entry.title
    assert entry.question.endswith("?")
    assert entry.reading
    assert set(entry.profiles) == set(PROFILES)
    assert all(entry.profile(profile).seeds and entry.profile(profile).about for profile in PROFILES)


@NO_ATTENTION
@pytest.mark.parametrize(("name", "label", "profile"), SETTINGS)
def test_every_variant_builds_and_fits_its_input(name: str, label: str, profile: str) -> None:
    setting = experiment(name).variant(label, profile)
    method = setting.model
    assert method.name in METHODS
    check_method(setting)
    if method.name in PLAIN:
        return
    n_classes = len(class_names(setting.labels))
    with torch.device("meta"):
        network = build(method.name, **method.params, n_classes=n_classes).eval()
        logits = network(torch.zeros(2, *setting.features.sample_shape))
    assert logits.shape == (2, n_classes)
    assert input_shape(method.name, **method.params) == setting.features.sample_shape


@pytest.mark.parametrize("name", experiments())
@pytest.mark.parametrize("profile", ["smoke", "quick"])
def test_small_profiles_can_answer_every_protocol(name: str, profile: str) -> None:
    for setting in experiment(name).settings(profile).values():
        assert setting.split.kind == "kfold"
        assert setting.split.inner_fraction > 0


@pytest.mark.parametrize("name", experiments())
def test_the_paper_profile_leaves_one_subject_out(name: str) -> None:
    assert all(setting.split.kind == "loso" for setting in experiment(name).settings("paper").values())


@pytest.mark.parametrize("name", experiments())
@pytest.mark.parametrize("profile", PROFILES)
def test_variants_of_one_experiment_are_split_alike_unless_stated(name: str, profile: str) -> None:
    """Else they are not tested on the same folds and cannot be compared."""
    splits = {(s.split.kind, s.split.folds) for s in experiment(name).settings(profile).values()}
    assert len(splits) == 1


def test_smoke_profiles_train_for_a_few_epochs() -> None:
    for entry in experiments().values():
        for setting in entry.settings("smoke").values():
            if setting.model.name in REGISTRY:
                assert setting.training.epochs <= 5


# What is shared is computed once


@pytest.mark.parametrize("profile", PROFILES)
def test_the_base_configuration_is_one_address_wherever_it_occurs(profile: str) -> None:
    places = {"htnet.fig7": "base", "htnet.table4": "7x7", "htnet.table5": "(2,2,8)", "htnet.fig5": "256"}
    if profile != "smoke":  # whose heads are fewer
        places["htnet.fig6"] = "3"
    addresses = {Job("base", experiment(name).variant(label, profile), toy()).address for name, label in places.items()}
    assert len(addresses) == 1


@pytest.mark.parametrize("profile", ["quick", "paper"])
def test_other_variants_have_addresses_of_their_own(profile: str) -> None:
    varied = {"htnet.table4", "htnet.fig5", "htnet.fig6", "htnet.table5"}
    settings = {
        (name, label): setting.key for name in varied for label, setting in experiment(name).settings(profile).items()
    }
    base = experiment("htnet.fig7").variant("base", profile).key
    shared = list(settings.values()).count(base)
    assert shared == 4
    assert len(set(settings.values())) == len(settings) - shared + 1


def test_the_paper_profile_is_the_published_configuration() -> None:
    base = experiment("htnet.fig7").variant("base", "paper")
    assert base.features.model_dump()["block"] == 7
    assert base.model.params == {"image_size": 28, "patch_size": 7, "dim": 256, "heads": 3, "layers": [2, 2, 8]}
    training = base.training
    assert (training.epochs, training.batch_size, training.learning_rate, training.scaling) == (800, 256, 5e-5, "none")
    assert base.split.kind == "loso"


def test_what_each_table_varies() -> None:
    table4 = experiment("htnet.table4").settings("paper")
    assert [s.features.model_dump()["block"] for s in table4.values()] == [5, 6, 7, 8, 9, 10]
    assert [f"{s.model.params['patch_size']}x{s.model.params['patch_size']}" for s in table4.values()] == list(table4)
    fig5, fig6 = experiment("htnet.fig5").settings("paper"), experiment("htnet.fig6").settings("paper")
    assert [str(s.model.params["dim"]) for s in fig5.values()] == list(fig5)
    assert [str(s.model.params["heads"]) for s in fig6.values()] == list(fig6)
    table5 = experiment("htnet.table5").settings("paper")
    assert [str(tuple(s.model.params["layers"])).replace(" ", "") for s in table5.values()] == list(table5)


def test_the_first_comparison_is_of_guessing_a_linear_machine_and_networks() -> None:
    names = [setting.model.name for setting in experiment("lab.first_comparison").settings("quick").values()]
    assert set(names) == {"dummy", "linear_svm", "ststnet", "htnet"}


# What the papers report


REPORTED = [
    pytest.param(name, label, id=f"{name} {label}")
    for name, entry in experiments().items()
    if entry.reported and entry.reported.by
    for label in entry.variants
]


MEASURED_AS = {"uf1": "uf1", "uar": "uar", "acc": "accuracy", "micro_auc": "auc_micro"}
#: Variants of ours in tables that are published without them.
OWN = {
    "class prior", "linear SVM", "DA-CrossViT", "LBP-SIP", "MDMO", "CNN+LSTM", "attention on attention", "as printed",
}  # fmt: skip


@pytest.mark.parametrize(("name", "label"), REPORTED)
def test_every_variant_of_a_published_table_finds_all_of_its_numbers(name: str, label: str) -> None:
    entry = experiment(name)
    wanted = entry.variants[label].reported or label
    table = reported.reported(entry.reported.experiment)
    printed = table[((table["variant"] == wanted) | (table["method"] == wanted)) & table["metric"].isin(MEASURED_AS)]
    assert len(printed) or label in OWN
    for row in printed.itertuples():
        number = reported_number(entry, label, row.dataset, MEASURED_AS[row.metric])
        assert number is not None
        assert number.value == row.value
        assert 0 < number.fraction <= 1


@pytest.mark.parametrize("name", experiments())
def test_asking_for_any_number_is_no_error_and_gives_a_fraction(name: str) -> None:
    entry = experiment(name)
    for label in entry.variants:
        for subset in SUBSETS:
            for metric in metrics_of(CLASSES):
                number = reported_number(entry, label, subset, metric)
                assert number is None or 0 <= number.fraction <= 1


def test_links_lead_to_experiments_that_are_reported() -> None:
    linked = {entry.reported.experiment for entry in experiments().values() if entry.reported}
    assert linked <= set(reported.experiments())
    assert {"htnet.fig7", "htnet.table4", "capsulenet.table2", "mishin_yolo.table1", "mfem_mffm.table3"} <= linked


def test_some_numbers_by_hand() -> None:
    def value(name: str, label: str, subset: str, metric: str) -> float:
        number = reported_number(experiment(name), label, subset, metric)
        assert number is not None
        return float(number.value)

    assert value("htnet.table5", "(2,2,8)", "full", "uf1") == 0.8603
    assert value("htnet.table5", "(2,2,12)", "samm", "uf1") == 0.8682
    assert value("htnet.fig7", "base", "full", "recall_negative") == 0.94
    assert reported_number(experiment("lab.first_comparison"), "STSTNet", "full", "uf1") is None


# What is wrong is named


def test_an_unknown_experiment_suggests_the_nearest() -> None:
    with pytest.raises(ParameterError, match="got 'htnet.tabel4'; did you mean 'htnet.table4'"):
        experiment("htnet.tabel4")


def test_an_unknown_variant_or_profile_suggests_the_nearest() -> None:
    with pytest.raises(ParameterError, match=r"variant of htnet.table4: .*got '7x8'; did you mean '\dx\d'"):
        experiment("htnet.table4").variant("7x8", "quick")
    with pytest.raises(ParameterError, match="profile: expected one of .*got 'quik'; did you mean 'quick'"):
        experiment("htnet.table4").variant("7x7", "quik")


def file_with(tmp_path: Path, **changes: object) -> Path:
    """A folder with one small experiment file, its dotted paths changed; None removes."""
    content: dict[str, object] = {
        "paper": "mine",
        "profiles": {name: {"about": "a", "seeds": [0], "changes": {"training.epochs": 2}} for name in PROFILES},
        "base": {"features": {"recipe": "flow_map"}, "model": {"name": "ststnet"}},
        "experiments": {"mine.one": {"title": "t", "question": "q?", "reading": "r", "variants": {"a": {}, "b": {}}}},
    }
    for path, value in changes.items():
        *parents, last = path.split("__")
        node = content
        for parent in parents:
            node = node[parent]  # type: ignore[assignment]
        if value is None:
            del node[last]
        else:
            node[last] = value
    tmp_path.joinpath("mine.yaml").write_text(yaml.safe_dump(content))
    return tmp_path


def test_a_file_of_ones_own_is_read(tmp_path: Path) -> None:
    own = experiments(file_with(tmp_path))["mine.one"]
    assert list(own.variants) == ["a", "b"]
    assert own.variant("a", "quick").training.epochs == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"profils": {}}, "mine.yaml .*profils"),
        ({"profiles": None}, "mine.yaml .*profiles: Field required"),
        ({"paper": None}, "mine.yaml .*paper: Field required"),
        ({"experiments__mine.one__titel": "x"}, "mine.one:.*titel"),
        ({"experiments__mine.one__title": None}, "mine.one:.*title: Field required"),
        ({"experiments__mine.one__variants": {}}, "mine.one:.*variants"),
        ({"experiments__mine.one__variants__a": {"quik": {}}}, "mine.one:.*variants.a.quik"),
        ({"experiments__mine.one__figure": "pie"}, "mine.one:.*figure.*got 'pie'"),
        ({"experiments__mine.one__reported": {"experiment": "x", "by": "row"}}, "mine.one:.*reported.by.*got 'row'"),
        ({"experiments__mine.one": "x"}, "experiments.mine.one"),
        ({"profiles__quick__sedes": [1]}, "mine.one:.*quick.sedes"),
        ({"profiles__quick__seeds": []}, "mine.one:.*quick.seeds"),
        ({"profiles__fast": {"about": "a", "seeds": [0]}}, "mine.one:.*profiles.fast"),
    ],
    ids=str,
)
def test_a_misspelt_or_missing_key_is_named(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    with pytest.raises(ParameterError, match=f"(?s){message}"):
        experiments(file_with(tmp_path, **changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"trainin.epochs": 3}, "trainin.*Extra inputs"),
        ({"training.epoch": 3}, "training.epoch.*Extra inputs"),
        ({"training.epochs": "many"}, "training.epochs.*got 'many'"),
        ({"features.recipe": "flowmap"}, "features.*flowmap"),
        ({"features.blok": 3}, "features.*blok"),
        ({"split.kind": "kfold"}, "split.*number of folds"),
    ],
    ids=str,
)
def test_a_misspelt_setting_is_named_with_experiment_variant_and_profile(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    folder = file_with(tmp_path, **{"experiments__mine.one__variants__b": {"quick": changes}})
    own = experiments(folder)["mine.one"]
    own.variant("b", "smoke")
    with pytest.raises(ParameterError, match=f"(?s)mine.one, variant b, profile quick:.*{message}"):
        own.settings("quick")


def test_a_file_that_is_no_yaml_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("paper: [")
    with pytest.raises(ParameterError, match=r"broken.yaml does not follow the schema"):
        experiments(tmp_path)


def test_changes_are_laid_over_each_other_in_order(tmp_path: Path) -> None:
    changes = {"all": {"training.epochs": 5, "model.params.dropout": 0.1}, "paper": {"training.epochs": 7}}
    own = experiments(file_with(tmp_path, **{"experiments__mine.one__variants__a": changes}))["mine.one"]
    assert [own.variant("a", p).training.epochs for p in PROFILES] == [5, 5, 7]
    assert own.variant("a", "quick").model.params == {"dropout": 0.1}
    assert own.variant("b", "paper").training.epochs == 2
    assert own.variant("b", "paper").model.params == {}


def test_a_variant_changes_no_other_ones_setting() -> None:
    entry = experiment("htnet.table4")
    before = entry.variant("7x7", "quick")
    entry.variant("5x5", "quick").model.params["dim"] = 1
    entry.settings("quick")
    assert entry.variant("7x7", "quick") == before


def test_every_yaml_of_the_package_is_read() -> None:
    papers = {yaml.safe_load(file.read_text())["paper"] for file in FOLDER.glob("*.yaml")}
    assert papers == {entry.paper for entry in experiments().values()}


def test_resolving_one_profile_does_not_alter_another() -> None:
    chosen = experiment("lab.first_comparison")
    recipe = "STSTNet, authors' recipe"
    before = chosen.variant(recipe, "paper")
    for profile in ("smoke", "quick"):
        chosen.settings(profile)
    assert chosen.variant(recipe, "paper") == before
    assert before.training.epochs == 800
    assert chosen.variant(recipe, "smoke").training.epochs == 4
