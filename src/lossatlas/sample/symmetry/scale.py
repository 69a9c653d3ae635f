"""What does not react when a ReLU network's layers are rescaled."""

from collections.abc import Mapping

import numpy as np
import torch

from lossatlas._arrays import InputError


def filter_cosine_distance(first: Mapping[str, torch.Tensor], second: Mapping[str, torch.Tensor]) -> float:
    r"""Return one minus the mean cosine of the filters of two points of one architecture.

    .. math:: d = 1 - \frac{1}{F} \sum_{f=1}^{F} \cos(w_f, w'_f),

    which is the cosine distance of the points once each filter has been brought to unit length. The filters are the slices along
    axis 0 of the tensors of two or more dimensions; biases and batch norm are left out, and filters of zeros.

    A ReLU network keeps its function when a layer's weights and biases are multiplied by :math:`\alpha > 0` and the next layer's
    weights divided by it (Dinh et al. 2017, Section 4), and this distance does not react; that of the whole vectors does. To a
    rescaling of single units (Neyshabur et al. 2015) it reacts, since each of the next layer's filters then turns.

    Args:
        first: Parameters by name; other tensors of two or more dimensions count as well.
        second: Those of the other point.

    Raises:
        InputError: the points differ in names or shapes, or no filter has a direction in both.

    >>> w = torch.tensor([[3.0, 4.0], [0.0, 2.0]])
    >>> filter_cosine_distance({"w": w}, {"w": w * torch.tensor([[2.0], [-5.0]])})
    1.0
    """
    if first.keys() != second.keys() or any(first[name].shape != second[name].shape for name in first):
        raise InputError("the points have different tensors; compare points of one architecture")
    cosines = []
    for name, tensor in first.items():
        if tensor.dim() < 2:
            continue
        a, b = (given[name].detach().double().reshape(len(tensor), -1) for given in (first, second))
        lengths = a.norm(dim=1) * b.norm(dim=1)
        cosines.append(((a * b).sum(dim=1) / lengths)[lengths != 0].cpu().numpy())  # NaN stays
    together = np.concatenate(cosines) if cosines else np.empty(0)
    if not len(together):
        raise InputError("no filter has a direction in both points; their filters are all zeros, or they have biases alone")
    return float(1 - together.mean())
