"""Figures: what they draw is what was given, they say where it comes from, and nothing stays open behind them."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from skimage.color import rgb2lab

from mer_lib import plots
from mer_lib.datasets import CLASSES, FlowMapDataset, load
from mer_lib.errors import ParameterError
from mer_lib.evaluation.methods import METHODS
from mer_lib.features import FourRegionMosaic, compute, region_boxes
from mer_lib.papers.experiments import experiment, experiments
from mer_lib.papers.measure import Measurement
from mer_lib.plots import flow_maps, scores, style
from mer_lib.plots.style import CLASS_COLOURS, MARKS
from tests.helpers import some, take

TOY = load("toy_flow")
FIRST = TOY.samples["sample_id"].iloc[0]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="module")
def toy(root: Path) -> Measurement:
    return take(some("lab.first_comparison", "class prior", "STSTNet", "STSTNet, authors' recipe"), root, seeds=(0, 1))


@pytest.fixture(scope="module")
def real(root: Path) -> Measurement:
    """An ablation whose data say that they are real, so that published numbers stand beside it."""
    return take(some("htnet.table4", "7x7", "9x9"), root, kind="real")


def texts(figure: Figure) -> str:
    """Return every text of a figure."""
    return "\n".join(text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text")))


def line_of(figure: Figure, marker: str, fill: str | None = None) -> np.ndarray:
    """Return the points (n, 2) that are drawn with a marker in the first axes."""
    found = [line for line in figure.axes[0].lines if line.get_marker() == marker and len(line.get_xdata())]
    if fill is not None:
        found = [line for line in found if line.get_markerfacecolor() == fill]
    return np.concatenate([line.get_xydata() for line in found])


ON_DATA: dict[str, Callable[[FlowMapDataset], Figure]] = {
    "channels": lambda data: plots.channels(data, FIRST),
    "samples_per_class": plots.samples_per_class,
    "class_means": plots.class_means,
    "arrows": lambda data: plots.arrows(data, [FIRST]),
    "four_regions": lambda data: plots.four_regions(data, FIRST),
}
ON_SCORES: dict[str, Callable[[Measurement], Figure]] = {
    "score_points": plots.score_points,
    "ablation_line": plots.ablation_line,
    "optimism_gap": plots.optimism_gap,
    "learning_curves": plots.learning_curves,
    "confusion": plots.confusion,
}


# -- what holds for all of them ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("draw", ON_DATA.values(), ids=ON_DATA)
def test_figures_of_data_name_them(draw: Callable[[FlowMapDataset], Figure]) -> None:
    for kind, words in {"toy": TOY.label, "synthetic": "48 synthetic flow maps", "real": "48 real flow maps"}.items():
        shown = texts(draw(dataclasses.replace(TOY, kind=kind)))
        assert words in shown
        assert {mark for mark in MARKS.values() if mark in shown} == ({MARKS[kind]} if kind in MARKS else set())
    assert plt.get_fignums() == []


@pytest.mark.parametrize("draw", ON_SCORES.values(), ids=ON_SCORES)
def test_figures_of_scores_name_data_profile_and_seeds(
    draw: Callable[[Measurement], Figure], toy: Measurement, real: Measurement
) -> None:
    figure = draw(toy)
    assert toy.caption in texts(figure)
    assert MARKS["toy"] in texts(figure)
    synthetic = dataclasses.replace(toy, dataset=dataclasses.replace(toy.dataset, kind="synthetic"))
    assert MARKS["synthetic"] in texts(draw(synthetic))
    assert real.caption in texts(draw(real))
    assert not any(mark in texts(draw(real)) for mark in MARKS.values())
    assert plt.get_fignums() == []


@pytest.mark.parametrize("draw", ON_SCORES.values(), ids=ON_SCORES)
def test_axes_are_labelled_and_nothing_is_small(draw: Callable[[Measurement], Figure], toy: Measurement) -> None:
    figure = draw(toy)
    shown = [ax for ax in figure.axes if ax.axison]
    assert all(ax.get_xlabel() for ax in shown)
    ticks = [label for ax in shown for label in (*ax.get_xticklabels(), *ax.get_yticklabels())]
    assert min(label.get_fontsize() for label in ticks) >= 13
    assert figure.get_facecolor()[:3] == (1, 1, 1)


def test_style_does_not_leak(toy: Measurement) -> None:
    before = dict(plt.rcParams)
    plots.score_points(toy)
    assert dict(plt.rcParams) == before


def test_classes_keep_apart_for_the_colour_blind_and_in_grey() -> None:
    assert tuple(CLASS_COLOURS) == CLASSES
    # Machado, Oliveira, Fernandes 2009, severity 1: deuteranopia, linear RGB.
    deutan = np.array([[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]])
    seen = [deutan @ np.power(to_rgb(colour), 2.2) for colour in CLASS_COLOURS.values()]
    grey = [np.dot([0.2126, 0.7152, 0.0722], np.power(to_rgb(colour), 2.2)) for colour in CLASS_COLOURS.values()]
    for i, j in ((0, 1), (0, 2), (1, 2)):
        assert np.linalg.norm(seen[i] - seen[j]) > 0.15
        assert abs(grey[i] - grey[j]) > 0.05


def test_methods_keep_their_colour_and_variants_differ(toy: Measurement, real: Measurement) -> None:
    colours = style.variant_colours(toy.variants)
    assert colours["class prior"] == style.METHOD_COLOURS["dummy"]
    assert colours["STSTNet"] == style.METHOD_COLOURS["ststnet"].lower()
    assert len(set(colours.values())) == 3
    assert len(set(style.variant_colours(real.variants).values())) == 2


@pytest.mark.parametrize(
    "name", ["lab.rcn_modules", "da_crossvit.table4", "mishin_yolo.table1", "htnet.fig6", "lab.first_comparison"]
)
def test_variants_of_one_method_are_told_apart_and_seen_on_white(name: str) -> None:
    colours = style.variant_colours(experiment(name).settings("quick"))
    assert len(set(colours.values())) == len(colours)
    assert all(sum(to_rgb(colour)) < 2.5 for colour in colours.values())
    assert colours.pop("class prior", "#777777") == "#777777"
    assert all(np.ptp(to_rgb(colour)) > 0.1 for colour in colours.values())  # none is grey, which the class prior is


def test_methods_of_one_experiment_have_colours_of_their_own_that_keep_apart() -> None:
    assert set(style.METHOD_COLOURS) <= set(METHODS)
    lab = {name: rgb2lab(np.array(to_rgb(colour))) for name, colour in style.METHOD_COLOURS.items()}
    for entry in experiments().values():
        compared = {variant.model.name for variant in entry.settings("quick").values()}
        assert compared <= set(lab), entry.id
        for first, second in itertools.combinations(sorted(compared), 2):
            assert np.linalg.norm(lab[first] - lab[second]) > 20, (entry.id, first, second)


@pytest.mark.parametrize("draw", [plots.score_points])
def test_published_never_stands_alone(draw: Callable[..., Figure], toy: Measurement) -> None:
    with pytest.raises(ParameterError, match="never stands alone"):
        draw(toy, protocols=["published"])
    assert "chosen on the test subjects" in texts(draw(toy, protocols=["fixed", "published"]))
    with pytest.raises(ParameterError, match="never stands alone"):
        plots.ablation_line(toy, protocol="published")
    with pytest.raises(ParameterError, match="expected some of fixed, nested, published"):
        draw(toy, protocols=["best"])


# -- scores -----------------------------------------------------------------------------------------------------------


def test_points_are_the_measured_values(toy: Measurement) -> None:
    figure = plots.score_points(toy, protocols=["fixed"])
    expected = [toy.value(name) for name in toy.variants]
    np.testing.assert_allclose(line_of(figure, "o")[:, 0], expected)
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == list(toy.variants)


def test_reported_numbers_are_open_diamonds_beside_real_data_alone(toy: Measurement, real: Measurement) -> None:
    for draw in (plots.score_points, plots.ablation_line):
        assert style.REPORTED_LABEL in texts(draw(real))
        assert style.REPORTED_LABEL not in texts(draw(toy))
    points = line_of(plots.ablation_line(real), "D", fill="none")
    np.testing.assert_allclose(points[:, 1], scores.scores_of(real, "uf1")["reported"])
    assert np.isnan(line_of(plots.score_points(toy), "D")).any(axis=1).all()


def test_an_ablation_goes_along_its_axis_with_intervals(real: Measurement) -> None:
    figure = plots.ablation_line(real)
    ax = figure.axes[0]
    assert ax.get_xlabel() == real.experiment.axis
    assert [label.get_text() for label in ax.get_xticklabels()] == ["7x7", "9x9"]
    np.testing.assert_allclose(line_of(figure, "o")[:, 1], [real.value("7x7"), real.value("9x9")])
    band = ax.collections[0].get_paths()[0].vertices[:, 1]
    rows = scores.scores_of(real, "uf1")
    assert band.min() == pytest.approx(rows["low"].min())
    assert band.max() == pytest.approx(rows["high"].max())


def test_the_gap_is_drawn_for_methods_with_epochs(toy: Measurement) -> None:
    figure = plots.optimism_gap(toy)
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert names == ["STSTNet", "STSTNet, authors' recipe"]
    gaps = toy.gaps.set_index("variant").loc[names]
    np.testing.assert_allclose(line_of(figure, "o")[:, 0], gaps["fixed"])
    np.testing.assert_allclose(line_of(figure, "^", fill="white")[:, 0], gaps["published"])
    assert all(f"{gap:+.3f}" in texts(figure) for gap in gaps["published_minus_fixed"])


def test_learning_curves_are_means_over_seeds(toy: Measurement) -> None:
    figure = plots.learning_curves(toy)
    mean = toy.curves.query("variant == 'STSTNet'").groupby("epoch")["train_loss"].mean()
    drawn = [line.get_ydata() for line in figure.axes[0].lines if line.get_label() == "STSTNet"]
    np.testing.assert_allclose(drawn[0], mean)
    dashed = [line for line in figure.axes[1].lines if line.get_linestyle() == "--"]
    assert [line.get_label() for line in dashed] == ["class prior"]


def test_a_matrix_shows_recalls_and_counts(toy: Measurement) -> None:
    figure = plots.confusion(toy, ["STSTNet"])
    counts = toy.confusion["STSTNet", "full", "fixed"]
    cells = [text.get_text() for text in figure.axes[0].texts]
    shares = counts / counts.sum(axis=1, keepdims=True)
    assert cells == [f"{share:.2f}\n({count})" for share, count in zip(shares.flat, counts.flat, strict=True)]
    assert figure.axes[0].get_ylabel() == "true"
    assert "summed over 2 seeds" in texts(figure)


@pytest.mark.parametrize("wrong", [{"variants": ["nobody"]}, {"subset": "casme9"}, {"variants": []}])
def test_unknown_matrices_are_refused(toy: Measurement, wrong: dict) -> None:
    with pytest.raises(ParameterError, match="STSTNet on full"):
        plots.confusion(toy, **wrong)


def test_each_experiment_has_its_figure(toy: Measurement, real: Measurement) -> None:
    assert len(plots.figure_of(toy).axes) == 1
    assert len(plots.figure_of(real).axes) == 2  # UF1 and UAR along the axis
    shown = plots.figure_of(
        dataclasses.replace(toy, experiment=toy.experiment.model_copy(update={"figure": "confusion"}))
    )
    assert len(shown.axes[0].images) == 1


# -- flow maps --------------------------------------------------------------------------------------------------------


def test_no_motion_is_white_and_equal_motions_equally_strong() -> None:
    channel = np.full((28, 28), 60, np.uint8)
    channel[0, 0], channel[0, 1] = 60 - 40, 60 + 40
    norm = flow_maps.flow_range(channel)
    assert norm(60) == pytest.approx(0.5)
    assert norm(100) - 0.5 == pytest.approx(0.5 - norm(20))
    assert norm.vmin <= 0
    assert norm.vmax >= 255


def test_channels_show_the_map_of_the_sample() -> None:
    figure = plots.channels(TOY, FIRST)
    images = [ax.images[0] for ax in figure.axes if ax.images]
    for index, drawn in enumerate(images[:3]):
        np.testing.assert_array_equal(drawn.get_array(), TOY.maps([FIRST])[0][..., index])
    assert [drawn.get_cmap().name for drawn in images[:3]] == ["RdBu_r", "RdBu_r", "viridis"]
    _, subject, clip = FIRST.split("/")
    assert f"subject {subject}, clip {clip}" in texts(figure)


def test_samples_of_each_class_are_named_and_come_from_different_people() -> None:
    named = texts(plots.samples_per_class(TOY, per_class=3))
    for label3 in CLASSES:
        chosen = flow_maps.pick(TOY.samples, label3, 3)
        assert TOY.samples.set_index("sample_id").loc[chosen, "label3"].eq(label3).all()
        assert len({sample.rsplit("/", 1)[0] for sample in chosen}) == len(chosen) == 3
        for sample in chosen:
            dataset, subject, clip = sample.split("/")
            assert f"{dataset} {subject}\n{clip}" in named


def test_an_unknown_channel_is_refused() -> None:
    with pytest.raises(ParameterError, match="expected one of u, v, strain, got 'w'"):
        plots.samples_per_class(TOY, channel="w")


def test_class_means_are_relative_to_each_maps_median() -> None:
    figure = plots.class_means(TOY)
    chosen = TOY.samples.query("label3 == 'positive'")["sample_id"].tolist()
    v = TOY.maps(chosen)[..., 1].astype(float)
    expected = np.mean([image - np.median(image) for image in v], axis=0)
    drawn = figure.axes[4].images[0]  # second row, second column
    np.testing.assert_allclose(drawn.get_array(), expected)
    assert drawn.norm.vmin == -drawn.norm.vmax
    assert f"positive\n{len(chosen)} samples" in texts(figure)


@pytest.mark.parametrize("recipe", [FourRegionMosaic(), FourRegionMosaic(block=9, order="svu", legacy_swap=True)])
def test_windows_are_those_of_the_recipe_and_the_mosaic_is_what_the_network_gets(recipe: FourRegionMosaic) -> None:
    figure = plots.four_regions(TOY, FIRST, recipe)
    whole, mosaic = figure.axes[:2]
    np.testing.assert_array_equal(
        mosaic.images[0].get_array(), compute(recipe, TOY, [FIRST])[0, recipe.order.index("v")]
    )
    boxes = [patch for patch in whole.patches if isinstance(patch, Rectangle)]
    for number, (box, region) in enumerate(zip(boxes, region_boxes(recipe.block, recipe.legacy_swap), strict=True)):
        inset = 0.25 * number
        assert box.get_xy() == pytest.approx((region.x0 - 0.5 + inset, region.y0 - 0.5 + inset))
        assert box.get_width() == pytest.approx(2 * recipe.block - 2 * inset)
        assert region.name in [text.get_text() for text in whole.texts]


def test_arrows_point_where_the_skin_goes() -> None:
    pixels = TOY.maps()
    pixels[:] = 100
    pixels[0, 13:16, 13:16, 0], pixels[0, 13:16, 13:16, 1] = 200, 30  # to the right and up
    figure = plots.arrows(dataclasses.replace(TOY, pixels=pixels), [FIRST])
    quiver = next(artist for artist in figure.axes[0].collections if hasattr(artist, "U"))
    assert quiver.U.max() == 100
    assert quiver.V.min() == -70
    assert figure.axes[0].yaxis_inverted()  # rows go down, so a negative v points up


# Splits and gradients


def test_who_is_where_colours_each_subject_once_a_fold() -> None:
    from mer_lib.evaluation.splits import leave_one_subject_out
    from mer_lib.plots.splits import who_is_where

    figure = who_is_where(leave_one_subject_out(TOY.samples), TOY)
    cells = figure.axes[0].collections[0].get_array()
    assert cells.shape == (8, 8)
    assert (cells == 2).sum() == 8
    assert np.array_equal(cells == 2, np.eye(8, dtype=bool))
    assert MARKS["toy"] in texts(figure)


def test_query_and_key_learn_nothing_with_one_token_a_block_and_something_with_49() -> None:
    from mer_lib.plots.attention import gradient_norms, query_key_gradients

    lone, one = gradient_norms(8, 7)
    many, tokens = gradient_norms(8, 1)
    assert (one, tokens) == (1, 49)
    assert (lone[:, :2] == 0).all()
    assert (lone[:, 2] > 0).all()
    assert (many > 0).all()
    assert "patch 7: 1 token a block" in texts(query_key_gradients(dim=8))
