"""Why a fold has to be computed: what the store holds of the same experiment, and in what that differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mer_lib.errors import last_line
from mer_lib.evaluation.description import asked_by, description_of
from mer_lib.evaluation.jobs import Job
from mer_lib.evaluation.store import PredictionStore

NEVER = "never computed"
_NAMED = 4  # of many differences


def why(job: Job, store: PredictionStore, fold: int, described: Mapping[str, Mapping[str, Any]] | None = None) -> str:
    """Say why one fold of `job` has to be computed, in words; an empty text where `store` has it.

    ============================================  ====================================================================
    ``never computed``                            nothing was asked for by this name and profile on these data
    ``parameter changed: training.epochs 30 → 20``  what was last computed by this name had another value
    ``code changed: models/htnet.py``             that of these files in the package
    ``library changed: opencv 4.9 → 4.10``        one that makes features of frames
    ``data changed``                              samples, labels or frames are others
    ``weights arrived``                           that training starts from; or ``weights changed``
    ``damaged``, ``made with another split``      the file is there and cannot be taken
    ``failed before: ValueError: …``              with the last line of the traceback
    ============================================  ====================================================================

    Args:
        job: one variant on one data set with one seed.
        store: where its folds would be.
        fold: number of the fold.
        described: `store.descriptions()`, read once where many are asked after.
    """
    split = next(split for split in job.splits if split.fold == fold)
    state = store.state(job.address, fold, job.seed, fitted_on=split.train, tested_on=split.test)
    if state == "done":
        return ""
    if state != "missing":
        return "made with another split" if "another split" in state else "damaged"
    failures = [entry for entry in store.failures(job.address) if (entry["fold"], entry["seed"]) == (fold, job.seed)]
    if failures:
        return f"failed before: {last_line(failures[-1]['traceback'])}"
    return _since(job, store.descriptions() if described is None else described)


def _since(job: Job, described: Mapping[str, Mapping[str, Any]]) -> str:
    """Say what has changed since something was last computed under the name of `job` on data of the same name."""
    name = asked_by(job)
    before = [
        content
        for address, content in described.items()
        if address != job.address and name in content.get("asked_by", ()) and content["data"] == job.dataset.name
    ]
    if not before:
        return NEVER
    return "; ".join(_changes(before[-1], description_of(job))) or NEVER


def _changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    yield from _listed("parameter changed", _differences(old["variant"], new["variant"]))
    files = sorted({name for name, _ in old["code_files"].items() ^ new["code_files"].items()})
    yield from _listed("code changed", files)
    yield from _listed("library changed", _differences(old["libraries"], new["libraries"]))
    if old["weights"] != new["weights"]:
        yield "weights arrived" if old["weights"] == "random" else "weights changed"
    same_recipe = old["variant"]["features"] == new["variant"]["features"] and old["libraries"] == new["libraries"]
    unexplained = same_recipe and not files and old["data_digest"] != new["data_digest"]
    if old["samples_digest"] != new["samples_digest"] or unexplained:
        yield "data changed"


def _listed(what: str, changes: list[str]) -> Iterator[str]:
    if changes:
        more = f" and {len(changes) - _NAMED} more" if len(changes) > _NAMED else ""
        yield f"{what}: {', '.join(changes[:_NAMED])}{more}"


def _differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return where two trees of settings differ: ``training.epochs 30 → 20``."""
    flat_old, flat_new = dict(_leaves(old)), dict(_leaves(new))
    names = [name for name in {**flat_old, **flat_new} if flat_old.get(name) != flat_new.get(name)]
    return [f"{name} {flat_old.get(name, '—')} → {flat_new.get(name, '—')}" for name in names]


def _leaves(tree: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{above}{name}.")
        else:
            yield above + name, value
