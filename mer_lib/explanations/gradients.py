"""Where a network looks, by the slope of a class score: Grad-CAM."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from mer_lib.errors import ParameterError


def grad_cam(
    network: nn.Module, inputs: Tensor, target: int | np.ndarray | None = None, layer: str | None = None
) -> np.ndarray:
    """Return which places of an input speak for a class: the channels of one layer, weighed by the score's slope.

    >>> from mer_lib.models import build
    >>> grad_cam(build("off_apexnet"), torch.rand(4, 3, 28, 28)).shape
    (4, 28, 28)

    Each channel of the layer is weighed by the mean slope of the class score over it; the weighted sum, cut off below
    0, is enlarged bilinearly to the size of the input. A map is no finer than the layer, and it says what the score is
    sensitive to, not what decided it: look whether covering the place changes the prediction (:mod:`.occlusions`).

    Args:
        network: in evaluation mode during the call; afterwards it is as it was.
        inputs: what the network is fed, (N, C, H, W) or (N, T, C, H, W).
        target: class that is explained, one for all or one each (N,); None takes the predicted ones.
        layer: dotted name of the module whose output is read; None takes the network's `cam_layer`.

    Returns:
        float32 (N, H, W), of sequences whose layer sees one frame at a time (N, T, H, W); the largest value of each
        sample is 1, and all are 0 where no place speaks for the class.

    Raises:
        ParameterError: there is no such layer, or its output is no map of channels (n, channels, rows, columns).

    Source: Selvaraju et al., Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization, ICCV
    2017, equations 1 and 2.
    """
    name = layer or getattr(network, "cam_layer", None)
    module = _module(network, name)
    training, found = network.training, []

    def keep(_: nn.Module, __: object, output: Tensor) -> Tensor:
        found.append(output)
        return output.clone()  # what follows may change its input in place

    handle = module.register_forward_hook(keep)
    try:
        network.eval()
        with torch.enable_grad():
            scores = network(inputs.detach().clone().requires_grad_())
            maps = _maps(found, name, inputs)
            (slopes,) = torch.autograd.grad(_chosen(scores, target).sum(), maps)
    finally:
        handle.remove()
        network.train(training)
    weighed = (slopes.mean(dim=(2, 3), keepdim=True) * maps).sum(dim=1, keepdim=True).relu().detach()
    return _enlarged(weighed, inputs).cpu().numpy()


def _module(network: nn.Module, name: str | None) -> nn.Module:
    modules = dict(network.named_modules())
    if name is None or name not in modules or not name:
        raise ParameterError(
            f"layer: expected the name of a module of {type(network).__name__}, such as "
            f"{', '.join(list(modules)[-3:])}, got {name!r}"
        )
    return modules[name]


def _maps(found: list[Tensor], name: str | None, inputs: Tensor) -> Tensor:
    frames = inputs.shape[1] if inputs.ndim == 5 else 1
    if len(found) != 1 or found[0].ndim != 4 or len(found[0]) not in (len(inputs), len(inputs) * frames):
        shapes = [tuple(output.shape) for output in found]
        raise ParameterError(f"layer {name!r}: expected one output (n, channels, rows, columns), got {shapes}")
    return found[0]


def _chosen(scores: Tensor, target: int | np.ndarray | None) -> Tensor:
    """Return the score of the target class of each sample, (N,)."""
    if target is None:
        return scores.max(dim=1).values
    columns = torch.as_tensor(target, device=scores.device).expand(len(scores)).long()
    return scores.gather(1, columns[:, None])[:, 0]


def _enlarged(maps: Tensor, inputs: Tensor) -> Tensor:
    """Return maps (n, 1, h, w) at the size of the inputs, with 1 as the largest value of each sample."""
    large = functional.interpolate(maps, size=tuple(inputs.shape[-2:]), mode="bilinear", align_corners=False)[:, 0]
    if len(large) != len(inputs):
        large = large.unflatten(0, (len(inputs), -1))
    most = large.flatten(1).amax(dim=1).reshape(-1, *(1,) * (large.ndim - 1))
    return torch.where(most > 0, large / most.clamp(min=torch.finfo(large.dtype).tiny), torch.zeros_like(large))
