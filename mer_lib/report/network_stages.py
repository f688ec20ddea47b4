"""A network taken apart on one input: what each of its stages gives, and how many weights it has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn

from mer_lib.errors import ParameterError

_LISTS = (nn.ModuleList, nn.ModuleDict)  # have no output of their own


def stage_table(network: nn.Module, inputs: Tensor, depth: int = 1) -> pd.DataFrame:
    """Return one row a stage, in the order in which an input first passes them.

    >>> from mer_lib.models import build
    >>> print(stage_table(build("rcn"), torch.zeros(1, 3, 28, 28)).to_string(index=False))
        stage       kind   output  parameters  used
        entry Sequential 32x12x12        2464     1
    recurrent Sequential   32x6x6       10368     1
           fc     Linear        3        2403     1

    A stage is a module that is called; what a network computes by functions has no row.

    Args:
        network: in evaluation mode during the call; afterwards it is as it was.
        inputs: one or more samples as the network is fed them.
        depth: 1 shows the network's own modules, 2 those inside of them, and so on; lists of modules do not count.

    Returns:
        Columns `stage` (dotted name), `kind`, `output` (shape without the batch), `parameters`, and `used`: how often
        the stage is passed, which is more than once in a recurrent network.

    Raises:
        ParameterError: depth is below 1.
    """
    if depth < 1:
        raise ParameterError(f"depth: expected at least 1, got {depth}")
    seen: dict[str, dict[str, Any]] = {}
    handles = [module.register_forward_hook(_noting(name, seen)) for name, module in _stages(network, "", depth)]
    training = network.training
    try:
        network.eval()
        with torch.no_grad():
            network(inputs)
    finally:
        network.train(training)
        for handle in handles:
            handle.remove()
    return pd.DataFrame(list(seen.values()), columns=["stage", "kind", "output", "parameters", "used"])


def _stages(module: nn.Module, name: str, depth: int) -> Iterator[tuple[str, nn.Module]]:
    """Yield what is `depth` levels down, or less deep where there is nothing below."""
    for child_name, child in module.named_children():
        full = f"{name}.{child_name}".lstrip(".")
        if isinstance(child, _LISTS):
            yield from _stages(child, full, depth)
        elif depth > 1 and next(child.children(), None) is not None:
            yield from _stages(child, full, depth - 1)
        else:
            yield full, child


def _noting(name: str, seen: dict[str, dict[str, Any]]) -> Callable[[nn.Module, object, object], None]:
    def note(module: nn.Module, inputs: object, output: object) -> None:
        if name in seen:
            seen[name]["used"] += 1
            return
        first = output[0] if isinstance(output, tuple) else output
        shape = "x".join(map(str, first.shape[1:])) if isinstance(first, Tensor) else ""
        count = sum(parameter.numel() for parameter in module.parameters())
        seen[name] = {"stage": name, "kind": type(module).__name__, "output": shape, "parameters": count, "used": 1}

    return note
