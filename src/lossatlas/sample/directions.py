"""Directions in which to leave a minimum."""

from collections.abc import Iterable
from typing import Literal

import numpy as np
import torch
from torch import nn

DirectionNorm = Literal["filter", "layer", "global"]


def random_direction(
    parameters: Iterable[tuple[str, nn.Parameter]], *, seed: int, norm: DirectionNorm = "filter"
) -> dict[str, torch.Tensor]:
    r"""Random direction with the lengths of the weights themselves, so that a step of 1 moves by 100 % of them.

    With :math:`v \sim N(0, I)` drawn from a generator of its own,

    .. math:: v_i \leftarrow v_i\, \lVert w_i \rVert / \lVert v_i \rVert,

    where ``i`` runs over the slices along axis 0 of each tensor (``"filter"``: a convolution's filters, a neuron's weights),
    over the tensors (``"layer"``), or stands for all of them together (``"global"``). Tensors of one dimension (biases,
    batch norm) and frozen ones get zeros.

    Args:
        parameters: Names and parameters, as ``model.named_parameters()`` gives them.
        seed: Seed of the direction: the same seed gives the same direction at every step size.
        norm: What is brought to the weights' length. Filters are the default of Horoi et al. 2022, Section 3.1.

    Returns:
        A float tensor a parameter, of its shape, type and device.
    """
    # Through a seed sequence: a model initialised from the same small number must not share its stream with the direction.
    generator = torch.Generator().manual_seed(int(np.random.SeedSequence((seed, 0)).generate_state(1)[0]))
    drawn: dict[str, tuple[torch.Tensor, torch.Tensor]] = {}
    zeros: dict[str, torch.Tensor] = {}
    for name, parameter in parameters:
        weight = parameter.detach()
        # Drawn on the CPU, in float64 and for every tensor: the same on each device and whatever is frozen.
        noise = torch.randn(weight.shape, generator=generator, dtype=torch.float64)
        if weight.dim() < 2 or not parameter.requires_grad:
            zeros[name] = torch.zeros_like(weight)
        else:
            drawn[name] = noise, weight
    scale = _global_scale(drawn) if norm == "global" else None
    directions = {
        name: (noise * (_scale(noise, weight, norm) if scale is None else scale)).to(weight)
        for name, (noise, weight) in drawn.items()
    }
    return directions | zeros


def _scale(noise: torch.Tensor, weight: torch.Tensor, norm: DirectionNorm) -> torch.Tensor:
    dim = tuple(range(1, noise.dim())) if norm == "filter" else tuple(range(noise.dim()))
    lengths = (torch.linalg.vector_norm(tensor.double().cpu(), dim=dim, keepdim=True) for tensor in (weight, noise))
    return next(lengths) / next(lengths)


def _global_scale(drawn: dict[str, tuple[torch.Tensor, torch.Tensor]]) -> torch.Tensor:
    noise = sum((noise.square().sum() for noise, _ in drawn.values()), torch.zeros((), dtype=torch.float64))
    weight = sum((weight.double().cpu().square().sum() for _, weight in drawn.values()), torch.zeros((), dtype=torch.float64))
    return (weight / noise).sqrt()
