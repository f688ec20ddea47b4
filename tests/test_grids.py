"""A reader's own grid is an experiment: every combination a variant, kept beside the store, listed after the others."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml

from mer_lib.errors import ParameterError, StoreError
from mer_lib.evaluation.crossval import Job
from mer_lib.papers import reported
from mer_lib.papers.experiments import FOLDER, PROFILES, GridWarning, experiment, experiments, keep
from mer_lib.papers.grids import MOST, Grid, folder, read_grid
from tests.helpers import toy

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
HEADS = {
    "name": "heads",
    "of": "htnet.fig6",
    "variant": "2",
    "vary": {"model.params.dim": [16, 32], "model.params.heads": [1, 2, 3]},
}


def grid(**changes: Any) -> Grid:
    return read_grid({**HEADS, **changes})


@pytest.mark.parametrize("profile", PROFILES)
def test_each_combination_is_the_source_with_its_values_and_nothing_else(profile: str) -> None:
    own = keep(grid(), "quick")
    source = experiment("htnet.fig6").variant("2", profile).model_dump()
    for dim, heads in itertools.product([16, 32], [1, 2, 3]):
        expected = {
            **source,
            "model": {"name": "htnet", "params": {**source["model"]["params"], "dim": dim, "heads": heads}},
        }
        assert own.variant(f"dim={dim}, heads={heads}", profile).model_dump() == expected
    assert len(own.variants) == 1 + 6


def test_values_win_over_what_the_source_says_for_a_profile() -> None:
    """Under quick, htnet.fig5 sets another width than its label says."""
    own = keep(grid(of="htnet.fig5", variant="392", vary={"model.params.dim": [12]}), "quick")
    assert [own.variant("dim=12", profile).model.params["dim"] for profile in PROFILES] == [12, 12, 12]


def test_the_class_prior_stands_beside_on_the_same_folds() -> None:
    split = {"kind": "kfold", "folds": 4}
    own = keep(grid(vary={"split": [split], "model.params.heads": [1, 2]}), "quick")
    prior = own.variant("class prior", "quick")
    assert prior.model.model_dump() == {"name": "dummy", "params": {}}
    assert prior.split == own.variant('split={"kind":"kfold","folds":4}, heads=1', "quick").split
    assert prior.split.folds == 4


def test_the_first_variant_that_is_no_class_prior_is_taken_where_none_is_named() -> None:
    own = keep(grid(of="htnet.table2", variant=None, vary={"training.epochs": [1, 2]}), "quick")
    assert own.variant("epochs=1", "quick").model.name == "alexnet"
    assert "AlexNet" in own.title


def test_further_changes_are_the_same_for_all() -> None:
    own = keep(grid(changes={"training.epochs": 7}), "quick")
    epochs = {own.variant(label, "quick").training.epochs for label in own.variants}
    assert epochs == {7}


def test_paths_that_end_alike_are_told_apart() -> None:
    vary = {"training.loss": ["cross_entropy"], "training.augmentation": [None], "model.params.dropout": [0.0, 0.1]}
    assert list(grid(vary=vary).combinations())[0] == "loss=cross_entropy, augmentation=null, dropout=0.0"
    alike = grid(vary={"features.size": [28], "model.params.size": [28]})
    assert list(alike.combinations()) == ["features.size=28, model.params.size=28"]


def test_what_a_paper_has_computed_already_is_shared() -> None:
    own = keep(grid(vary={"model.params.heads": [1, 4]}), "quick")
    mine = Job("own", own.variant("heads=4", "quick"), toy()).address
    assert mine == Job("paper", experiment("htnet.fig6").variant("4", "quick"), toy()).address


def test_a_kept_grid_is_listed_last_and_is_none_of_the_papers() -> None:
    before = list(experiments())
    own = keep(grid(), "quick")
    assert list(experiments()) == [*before, "own.heads"]
    assert experiment("own.heads") == own
    assert (own.of, own.paper, own.reported) == ("htnet.fig6", "own", None)
    assert "own.heads" not in reported.experiments()
    assert "own.heads" not in experiments(Path(FOLDER.parent))
    assert [path.name for path in folder().iterdir()] == ["heads.yaml"]
    assert read_grid(folder() / "heads.yaml") == grid()


def test_a_grid_of_the_same_name_gives_way_to_the_newer() -> None:
    keep(grid(), "quick")
    keep(grid(vary={"model.params.heads": [6]}), "quick")
    assert list(experiment("own.heads").variants) == ["class prior", "heads=6"]


def test_dictionary_text_and_file_are_the_same_grid(tmp_path: Path) -> None:
    path = tmp_path / "any.yaml"
    path.write_text(yaml.safe_dump(HEADS))
    text = (
        '{name: heads, of: htnet.fig6, variant: "2", vary: {model.params.dim: [16, 32], model.params.heads: [1, 2, 3]}}'
    )
    assert read_grid(HEADS) == read_grid(text) == read_grid(path) == read_grid(str(path)) == read_grid(grid())


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"of": "htnet.fig6"}, "name: Field required"),
        ({"of": "htnet.fig6"}, "vary: Field required"),
        ({**HEADS, "vari": {}}, "vari: Extra inputs"),
        ({**HEADS, "name": "a/b"}, "name: .*pattern"),
        ({**HEADS, "vary": {}}, "vary: .*at least 1"),
        ({**HEADS, "vary": {"a": [1, 1], "b": []}}, r"a: expected different values, got \[1, 1\]; b: expected"),
        ({**HEADS, "vary": {"a": list(range(MOST + 1))}}, f"at most {MOST} combinations, got {MOST + 1}"),
        ("[1, 2]", r"expected a dictionary with name, of and vary, got \[1, 2\]"),
        ("a: [", "is no YAML"),
        ("nowhere/grid.yaml", "expected YAML text or the path of a YAML file, got nowhere/grid.yaml"),
        (7, "expected a dictionary with name, of and vary, got 7"),
    ],
)
def test_what_is_no_grid_is_refused(given: object, words: str) -> None:
    with pytest.raises(ParameterError, match=f"(?s){words}"):
        read_grid(given)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"of": "htnet.fig66"}, "did you mean 'htnet.fig6'"),
        ({"variant": "7"}, "variant of htnet.fig6: expected one of 1, 2, 3, 4, 5, 6, got '7'"),
        ({"vary": {"trainin.epochs": [1]}}, "epochs=1: .*trainin: Extra inputs"),
        ({"vary": {"training.epochs": [1, 0, "many"]}}, "epochs=0: .*greater than or equal to 1.*epochs=many"),
        ({"vary": {"model.name.more": [1]}}, "expected a group of settings at 'name', got 'htnet'"),
        ({"vary": {"model.params.dimm": [1, 2]}}, "dimm=1: .*did you mean 'dim'.*dimm=2: "),
        ({"vary": {"model.name": ["htnett"]}}, "name=htnett: .*expected one of"),
        ({"vary": {"features.block": [5]}}, "block=5: .*expects inputs of shape"),
    ],
)
def test_a_grid_that_cannot_be_run_is_refused_with_all_faults_and_not_kept(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ParameterError, match=f"(?s){words}"):
        keep(grid(**changes), "quick")
    assert not folder().exists()


def test_grids_of_grids_are_refused() -> None:
    keep(grid(), "quick")
    with pytest.raises(ParameterError, match=r"of: expected one of .*got 'own.heads'"):
        keep(grid(name="again", of="own.heads"), "quick")


def test_a_kept_grid_that_cannot_be_used_any_more_is_named_and_the_others_stay() -> None:
    keep(grid(), "quick")
    (folder() / "broken.yaml").write_text("name: broken")
    with pytest.warns(GridWarning, match=r"broken.yaml is left out; mend or remove it"):
        found = experiments()
    assert "own.heads" in found
    assert "own.broken" not in found


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    folder().write_text("a file where the folder should be")
    with pytest.raises(StoreError, match=r"heads.yaml: cannot be written"):
        keep(grid(), "quick")


def suggested() -> list[Any]:
    """Every grid that a notebook suggests."""
    found = []
    for path in sorted(NOTEBOOKS.glob("1[0-5]_*.ipynb")):
        cells = nbformat.read(path, as_version=4).cells
        text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
        grids = re.findall(r'`(?:grid = )?(\{"name":.*?\}\})`', text)
        found += [pytest.param(path.stem, given, id=path.stem) for given in grids or [""]]
    return found


@pytest.mark.filterwarnings("ignore:HTNet with .*there is no attention")
@pytest.mark.parametrize(("notebook", "given"), suggested())
def test_every_notebook_suggests_a_grid_that_can_be_run(notebook: str, given: str) -> None:
    own = keep(read_grid(given), "quick")
    paper = {
        "10": "htnet",
        "11": "capsulenet",
        "12": "mishin_yolo",
        "13": "da_crossvit",
        "14": "mfem_mffm",
        "15": "lab",
    }
    assert own.of is not None
    assert own.of.split(".")[0] == paper[notebook[:2]]
    assert len({setting.key for setting in own.settings("quick").values()}) == len(own.variants) > 2
