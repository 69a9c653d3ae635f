"""Directions in which to leave a minimum."""

from collections.abc import Iterable, Mapping
from typing import Literal

import numpy as np
import torch
from torch import nn

DirectionNorm = Literal["filter", "layer", "global"]
Biases = Literal["zero", "weight"]


def random_direction(
    parameters: Iterable[tuple[str, nn.Parameter]], *, seed: int, norm: DirectionNorm = "filter", biases: Biases = "zero"
) -> dict[str, torch.Tensor]:
    r"""Random direction with the lengths of the weights themselves, so that a step of 1 moves by 100 % of them.

    Each tensor is drawn from :math:`N(0, I)` by a generator of its own and brought to the weights' length by
    :func:`normalized_direction`. Frozen tensors get zeros.

    Args:
        parameters: Names and parameters, as ``model.named_parameters()`` gives them.
        seed: Seed of the direction: the same seed gives the same direction at every step size.
        norm: What is brought to the weights' length. Filters are the default of Horoi et al. 2022, Section 3.1.
        biases: What becomes of tensors of one dimension.

    Returns:
        A float tensor a parameter, of its shape, type and device.
    """
    # Through a seed sequence: a model initialised from the same small number must not share its stream with the direction.
    generator = torch.Generator().manual_seed(int(np.random.SeedSequence((seed, 0)).generate_state(1)[0]))
    noise: dict[str, torch.Tensor] = {}
    weights: dict[str, torch.Tensor] = {}
    frozen: dict[str, torch.Tensor] = {}
    for name, parameter in parameters:
        # Drawn on the CPU, in float64 and for every tensor: the same on each device and whatever is frozen.
        drawn = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
        if parameter.requires_grad:
            noise[name], weights[name] = drawn, parameter.detach()
        else:
            frozen[name] = torch.zeros_like(parameter.detach())
    return normalized_direction(noise, weights, norm=norm, biases=biases) | frozen


def normalized_direction(
    direction: Mapping[str, torch.Tensor],
    weights: Mapping[str, torch.Tensor],
    *,
    norm: DirectionNorm = "filter",
    biases: Biases = "zero",
) -> dict[str, torch.Tensor]:
    r"""Return a direction that is as long as the weights.

    .. math:: v_i \leftarrow v_i\, \lVert w_i \rVert / \lVert v_i \rVert,

    where ``i`` runs over the slices along axis 0 of each tensor (``"filter"``: a convolution's filters, a neuron's weights),
    over the tensors (``"layer"``), or stands for all of them together (``"global"``); a slice of zeros stays as it is. Tensors
    of one dimension (biases, batch norm) get zeros (``biases="zero"``, the option ``biasbn`` of Li et al. 2018) or the weights
    themselves (``"weight"``, what their code does without it).

    Args:
        direction: A tensor a parameter, of any length.
        weights: The parameters.
        norm: What is brought to the weights' length.
        biases: What becomes of tensors of one dimension.

    >>> w = {"w": torch.tensor([[3.0, 4.0], [0.0, 2.0]])}
    >>> normalized_direction({"w": torch.tensor([[0.0, 1.0], [1.0, 0.0]])}, w)["w"]
    tensor([[0., 5.],
            [2., 0.]])
    """
    made: dict[str, torch.Tensor] = {}
    kept: dict[str, torch.Tensor] = {}
    for name, noise in direction.items():
        weight = weights[name]
        if weight.dim() < 2:
            kept[name] = torch.zeros_like(weight) if biases == "zero" else weight.clone()
        else:
            made[name] = noise.double().cpu()
    scale = _global_scale(made, weights) if norm == "global" else None
    return {
        name: (noise * (_scale(noise, weights[name], norm) if scale is None else scale)).to(weights[name])
        for name, noise in made.items()
    } | kept


def orthogonal_direction(
    direction: Mapping[str, torch.Tensor], other: Mapping[str, torch.Tensor], weights: Mapping[str, torch.Tensor]
) -> dict[str, torch.Tensor]:
    """Return ``direction`` at a right angle to ``other`` in every filter, and each filter as long as the weights' one.

    So it is orthogonal as a whole and filter-normalised at once; a filter of a single weight has no right angle and stays still.
    """
    made = {}
    for name, noise in direction.items():
        if weights[name].dim() < 2:
            made[name] = torch.zeros_like(weights[name])
            continue
        v, u = (tensor.double().cpu().reshape(len(tensor), -1) for tensor in (noise, other[name]))
        along = (v * u).sum(dim=1, keepdim=True) / (u * u).sum(dim=1, keepdim=True).clamp_min(torch.finfo(torch.float64).tiny)
        left = v - along * u
        # What rounding leaves of a filter that had no component at a right angle is no direction.
        left[left.norm(dim=1) <= 1e-12 * v.norm(dim=1)] = 0
        made[name] = left.reshape(noise.shape)
    return normalized_direction(made, weights)


def _scale(noise: torch.Tensor, weight: torch.Tensor, norm: DirectionNorm) -> torch.Tensor:
    dim = tuple(range(1, noise.dim())) if norm == "filter" else tuple(range(noise.dim()))
    w, v = (torch.linalg.vector_norm(tensor.double().cpu(), dim=dim, keepdim=True) for tensor in (weight, noise))
    return torch.where(v > 0, w / v, torch.zeros_like(v))


def _global_scale(drawn: Mapping[str, torch.Tensor], weights: Mapping[str, torch.Tensor]) -> torch.Tensor:
    zero = torch.zeros((), dtype=torch.float64)
    noise = sum((noise.square().sum() for noise in drawn.values()), zero)
    weight = sum((weights[name].double().cpu().square().sum() for name in drawn), zero)
    return (weight / noise).sqrt()
