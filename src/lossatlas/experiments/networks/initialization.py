"""Starts of networks: one network, its weights drawn in several ways."""

import copy
from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from torch import nn

from lossatlas.experiments.catalogue import named
from lossatlas.sample import fixed_randomness

_SMALL, _LARGE = 0.1, 3.0

_NORMS = (
    nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm,
    nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d,
)  # fmt: skip


def _he(weight: torch.Tensor, scale: float = 1.0) -> None:
    nn.init.kaiming_normal_(weight, nonlinearity="relu").mul_(scale)


def _orthogonal(weight: torch.Tensor) -> None:
    # He's scale, so that mostly the angles differ.
    nn.init.orthogonal_(weight, gain=nn.init.calculate_gain("relu"))


SCHEMES: Mapping[str, Callable[[torch.Tensor], object] | None] = MappingProxyType(
    {
        "default": None,
        "he": _he,
        "xavier": nn.init.xavier_uniform_,
        "orthogonal": _orthogonal,
        "small": lambda weight: _he(weight, _SMALL),
        "large": lambda weight: _he(weight, _LARGE),
    }
)


@torch.no_grad()
def initialised(model: nn.Module, name: str, *, seed: int) -> nn.Module:
    """Return a copy of a model whose weights are drawn anew; biases become 0, norms stay.

    Weights are all parameters of two axes or more. ``he`` draws them normal with variance 2 / inputs (He et al. 2015);
    ``xavier`` evenly with variance 2 / (inputs + outputs) (Glorot and Bengio 2010); ``orthogonal`` with rows or columns at right
    angles, all of length √2 (Saxe et al. 2014), which is the variance of ``he`` where inputs outnumber outputs. ``small`` and
    ``large`` are 0.1 and 3 times ``he``. ``default`` leaves all as the model's maker drew it, from the maker's seed. Before batch
    norm the scale of weights changes no output, only how fast they turn.

    >>> layer = initialised(nn.Linear(4, 4), "orthogonal", seed=0)
    >>> torch.allclose(layer.weight @ layer.weight.T, 2 * torch.eye(4), atol=1e-6)
    True

    Args:
        model: Any; it stays as it is.
        name: One of ``SCHEMES``.
        seed: Of the draw.

    Raises:
        InputError: there is no such scheme.
    """
    draw = named("initialization", name, SCHEMES)
    made = copy.deepcopy(model)
    if draw is None:
        return made
    with fixed_randomness(seed):
        for part in made.modules():
            if isinstance(part, _NORMS):
                continue
            for own, parameter in part.named_parameters(recurse=False):
                if parameter.dim() > 1:
                    draw(parameter)
                elif own.endswith("bias"):
                    parameter.zero_()
    return made
