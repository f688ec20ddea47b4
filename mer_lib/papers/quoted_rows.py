"""Which rows of tables the running texts speak of: scores quoted again, gains over other rows, best settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

#: A row of a table: an experiment and one of its variants.
Where = tuple[str, str]
_HTNET: Where = ("htnet.table2", "HTNet")
_BI_WOOF: Where = ("lab.handcrafted", "Bi-WOOF")
_CAPSULES: Where = ("capsulenet.table2", "CapsuleNet")
_DA: Where = ("da_crossvit.table2", "DA-CrossViT")
_MFEM: Where = ("mfem_mffm.table2", "MFEM+MFFM")
_CNNS: tuple[Where, ...] = (("capsulenet.table2", "VGG11"), ("capsulenet.table2", "ResNet18"))
_EARLIER = ("AlexNet", "GoogLeNet", "VGG16", "OFF-ApexNet", "STSTNet", "Dual-Inception", "RCN", "FeatRef")


class Gain(NamedTuple):
    """A gain of one row over another, or over the best of several."""

    score: str
    better: Where
    worse: tuple[Where, ...]


def _mfem_gains() -> dict[str, Gain]:
    scores = {"acc": "acc", "f1": "uf1", "uar": "uar"}
    rows = {"lbp_top": "LBP-TOP", "bi_woof": "Bi-WOOF", "am3f": "AM3F-FlowNet", "slstt": "SLSTT"}
    found = {
        f"{short}_gain_over_{name}": Gain(score, _MFEM, (("mfem_mffm.table2", label),))
        for short, score in scores.items()
        for name, label in rows.items()
    }
    modules = {"mfem": "base+MFEM", "mffm": "base+MFFM", "both": "base+MFEM+MFFM"}
    base = ("mfem_mffm.table3", "base")
    return found | {
        f"{short}_gain_{name}": Gain(score, ("mfem_mffm.table3", label), (base,))
        for short, score in scores.items()
        for name, label in modules.items()
    }


#: Gains by entry and metric.
GAINS: Mapping[str, Mapping[str, Gain]] = {
    "htnet.text": {
        "gain_over_bi_woof_min_points": Gain("uf1", _HTNET, (_BI_WOOF,)),
        "gain_over_previous_best_points": Gain("uf1", _HTNET, tuple(("htnet.table2", name) for name in _EARLIER)),
    },
    "capsulenet.text": {
        "gain_over_cnn_points": Gain("uf1", _CAPSULES, _CNNS),
        "gain_over_lbp_top_points": Gain("uf1", _CAPSULES, (("capsulenet.table2", "LBP-TOP"),)),
    },
    "da_crossvit.text": {
        "uf1_gain_over_lbp_top": Gain("uf1", _DA, (("lab.handcrafted", "LBP-TOP"),)),
        "uar_gain_over_lbp_top": Gain("uar", _DA, (("lab.handcrafted", "LBP-TOP"),)),
    },
    "mfem_mffm.text": _mfem_gains(),
}
#: Scores that are quoted from tables, by entry and metric: the row and the score.
QUOTED: Mapping[str, Mapping[str, tuple[Where, str]]] = {
    "htnet.text": {
        "uf1_gain_over_bi_woof_from": (_BI_WOOF, "uf1"),
        "uf1_gain_over_bi_woof_to": (_HTNET, "uf1"),
        "uar_gain_over_bi_woof_from": (_BI_WOOF, "uar"),
        "uar_gain_over_bi_woof_to": (_HTNET, "uar"),
    },
    "capsulenet.text": {"uf1": (_CAPSULES, "uf1"), "uar": (_CAPSULES, "uar")},
    "da_crossvit.text": {"uf1": (_DA, "uf1"), "uar": (_DA, "uar")},
}
#: The best of the settings that a figure varies, by entry and metric: the figure.
BEST: Mapping[str, Mapping[str, str]] = {
    "htnet.text": {"best_hidden_size": "htnet.fig5", "best_heads": "htnet.fig6"},
}


def rows_needed(entry_id: str) -> set[str]:
    """Return the ids of the experiments whose measurements a text is computed from."""
    gains = GAINS.get(entry_id, {}).values()
    rows = [gain.better for gain in gains] + [row for gain in gains for row in gain.worse]
    rows += [row for row, _ in QUOTED.get(entry_id, {}).values()]
    return {name for name, _ in rows} | set(BEST.get(entry_id, {}).values())
