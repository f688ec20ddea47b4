"""Menus that lead from an experiment down to one clip: variant, seed, fold, and the clips that were misclassified.

Each menu's value says all that was chosen on the way, so that what is drawn never mixes old and new choices.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import ipywidgets
from matplotlib.figure import Figure
from pandas.io.formats.style import Styler

from mer_lib.errors import ParameterError
from mer_lib.papers.answers import answers
from mer_lib.papers.measure import Measurement
from mer_lib.plots.one_clip import one_clip
from mer_lib.plots.style import under_caption

MISTAKES, EVERY = "misclassified", "all"
_COLUMNS = {
    "sample_id": "clip",
    "truth": "true",
    "predicted": "taken for",
    "p_truth": "probability of the truth",
    "p_predicted": "probability of the answer",
}
_WIDE = {"width": "420px"}


class VariantAt(NamedTuple):
    """One variant of an experiment."""

    experiment: str
    variant: str


class FoldAt(NamedTuple):
    """One fold of it, trained with one seed."""

    experiment: str
    variant: str
    seed: int
    fold: int


class ClipAt(NamedTuple):
    """One clip that it was tested on."""

    experiment: str
    variant: str
    seed: int
    sample_id: str


def variant_menus(
    measurements: Mapping[str, Measurement], start: VariantAt | None = None, name: str = ""
) -> tuple[ipywidgets.Dropdown, ipywidgets.Dropdown]:
    """Return a menu of experiments and one of the variants of the chosen one; its values are :class:`VariantAt`.

    Args:
        measurements: by experiment.
        start: what is chosen at first. Where it was not measured, the variant of that name in another experiment; else,
            and where None, the first that is no class prior.
        name: put before the descriptions.

    Raises:
        ParameterError: nothing was measured.
    """
    if not measurements:
        raise ParameterError("expected measured experiments, got none: run `mer run papers` first")
    begin = _nearest(measurements, start)
    experiment = ipywidgets.Dropdown(
        options=list(measurements), value=begin.experiment, description=f"{name} experiment".strip(), layout=_WIDE
    )
    variant = ipywidgets.Dropdown(description=f"{name} variant".strip(), layout=_WIDE)
    for menu in (experiment, variant):
        menu.style = {"description_width": "initial"}

    def refresh(_: object = None) -> None:
        variant.options = [(at.variant, at) for at in _variants(measurements, experiment.value)]

    refresh()
    variant.value = begin
    experiment.observe(refresh, names="value")
    return experiment, variant


def _variants(measurements: Mapping[str, Measurement], experiment: str) -> list[VariantAt]:
    return [VariantAt(experiment, label) for label in measurements[experiment].variants]


def _nearest(measurements: Mapping[str, Measurement], start: VariantAt | None) -> VariantAt:
    every = [at for name in measurements for at in _variants(measurements, name)]
    alike = [at for at in every if start and at.variant == start.variant]
    telling = [at for at in every if measurements[at.experiment].variants[at.variant].model.name != "dummy"]
    return start if start in every else [*alike, *telling, *every][0]


class Drill:
    """Menus from an experiment down to a clip, each of which offers what the choices above it leave.

    Args:
        measurements: by experiment.
        start: which variant to begin with.

    Attributes:
        experiment, variant: as :func:`variant_menus` makes them.
        seed: its values are seeds.
        fold: its values are :class:`FoldAt`.
        which: misclassified clips, or all.
        clip: its values are :class:`ClipAt`, the surest mistake first; None where none is left.

    Raises:
        ParameterError: nothing was measured.
    """

    def __init__(self, measurements: Mapping[str, Measurement], start: VariantAt | None = None) -> None:
        self.measurements = measurements
        self.experiment, self.variant = variant_menus(measurements, start)
        self.seed, self.fold = (ipywidgets.Dropdown(description=name) for name in ("seed", "fold"))
        self.which = ipywidgets.ToggleButtons(options=[MISTAKES, EVERY], description="clips")
        self.clip = ipywidgets.Dropdown(description="clip", layout={"width": "560px"})
        self._offer_seeds()
        self.variant.observe(self._offer_seeds, names="value")
        self.seed.observe(self._offer_folds, names="value")
        for menu in (self.fold, self.which):
            menu.observe(self._offer_clips, names="value")
        if self.clip.value is None:
            self.which.value = EVERY

    @property
    def path(self) -> dict[str, ipywidgets.Dropdown]:
        """The menus down to a fold, by keyword."""
        return {name: getattr(self, name) for name in ("experiment", "variant", "seed", "fold")}

    def table(self, at: FoldAt) -> Styler:
        """Return the clips that were misclassified in a fold, the surest mistake first."""
        measured = self.measurements[at.experiment]
        found = answers(measured, at.variant, at.seed, at.fold)
        wrong = found[found["wrong"]]
        shown = wrong[list(_COLUMNS)].rename(columns=_COLUMNS).style.hide(axis="index").format(precision=2)
        text = f"{measured.dataset.label} · {at.experiment}, {at.variant}, seed {at.seed}, fold {at.fold}"
        counted = f"{len(wrong)} of {len(found)} clips are misclassified"
        return under_caption(shown, f"{text}: {counted}", measured.dataset.kind)

    def picture(self, at: ClipAt | None) -> Figure:
        """Return the figure of one clip, see :func:`mer_lib.plots.one_clip.one_clip`.

        Raises:
            ParameterError: there is no clip to choose.
        """
        if at is None:
            raise ParameterError(f"no clip of this fold is misclassified: choose {EVERY!r}")
        return one_clip(self.measurements[at.experiment], at.variant, at.seed, at.sample_id)

    def _offer_seeds(self, _: object = None) -> None:
        at = self.variant.value
        if at is None:  # the menu above is being filled
            return
        frame = self.measurements[at.experiment].predictions[at.variant, "fixed"]
        _offer(self.seed, [(str(seed), int(seed)) for seed in sorted(frame["seed"].unique())])
        self._offer_folds()

    def _offer_folds(self, _: object = None) -> None:
        at, seed = self.variant.value, self.seed.value
        if at is None or seed is None:
            return
        found = answers(self.measurements[at.experiment], at.variant, seed)
        counts = found.groupby("fold")["wrong"].agg(["sum", "size"])
        folds = [
            (f"{fold}: {wrong} of {size} clips wrong", FoldAt(at.experiment, at.variant, seed, int(fold)))
            for fold, wrong, size in counts.itertuples()
        ]
        _offer(self.fold, folds)
        self._offer_clips()

    def _offer_clips(self, _: object = None) -> None:
        at = self.fold.value
        if at is None:
            return
        found = answers(self.measurements[at.experiment], at.variant, at.seed, at.fold)
        chosen = found[found["wrong"]] if self.which.value == MISTAKES else found
        clips = [
            (_words(row), ClipAt(at.experiment, at.variant, at.seed, row["sample_id"]))
            for row in chosen.to_dict("records")
        ]
        _offer(self.clip, clips)


def _offer(menu: ipywidgets.Dropdown, options: list[tuple[str, Any]]) -> None:
    """Offer other options and choose the first, also where nothing was chosen before: a menu leaves it at that."""
    menu.options = options
    if options and menu.index is None:
        menu.index = 0


def _words(row: dict[str, Any]) -> str:
    answer = f"{row['truth']}, taken for {row['predicted']}" if row["wrong"] else f"{row['truth']}, recognised"
    return f"{row['sample_id']}: {answer} ({row['p_predicted']:.2f})"
