"""Losses of scores and classes that torch has not."""

import torch
from torch.nn import functional


def squared_error(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Return the mean squared distance of scores from 1 for the right class and 0 for each other.

    >>> squared_error(torch.tensor([[1.0, 0.0], [0.0, 0.0]]), torch.tensor([0, 1]))
    tensor(0.2500)

    Args:
        output: A score for each class, ``(n, c)``.
        target: The number of the right class, ``(n,)``.
    """
    is_right = target[:, None] == torch.arange(output.shape[1], device=target.device)
    return functional.mse_loss(output, is_right.to(output.dtype))
