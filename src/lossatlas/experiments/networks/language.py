"""A small model of language: a causal transformer that gives a score for each next character (Radford et al. 2019)."""

import torch
from torch import nn

from lossatlas._arrays import InputError
from lossatlas.experiments.catalogue import refuse_small
from lossatlas.experiments.networks.layers import refuse_other_shapes
from lossatlas.experiments.networks.transformer import Block
from lossatlas.sample import fixed_randomness

_DEVIATION = 0.02  # of characters and places at the start, as in the paper


def language(
    *,
    seed: int,
    shape: tuple[int, ...] = (32,),
    n_classes: int = 96,
    depth: int = 2,
    width: int = 32,
    n_heads: int = 4,
    with_places: bool = True,
) -> nn.Module:
    """Return a causal transformer over characters, initialised from ``seed``; it has no dropout.

    Its scores are ``(n, characters, places)``, as torch's cross-entropy takes them. At first all characters are nearly as likely.

    Args:
        seed: Of the initialisation.
        shape: Of a sample, ``(places,)``.
        n_classes: Number of characters.
        depth: Number of blocks.
        width: Numbers that a character becomes.
        n_heads: Parts in which a block looks at places.
        with_places: Whether a vector is learnt for each place; without them only what a place may see tells it from others.

    Raises:
        InputError: samples are no rows of characters, heads do not fill the width, or a value is out of its range.
    """
    refuse_other_shapes("language", shape, "places")
    refuse_small(1, depth=depth, width=width, n_heads=n_heads, n_classes=n_classes)
    if width % n_heads:
        raise InputError(f"n_heads must divide width, which is {width}, but is {n_heads}; change one")
    with fixed_randomness(seed):
        return nn.Sequential(
            Characters(n_classes, width, n_places=shape[0] if with_places else 0),
            *(Block(width, n_heads, is_causal=True) for _ in range(depth)),
            nn.LayerNorm(width),
            Scores(width, n_classes),
        )


class Characters(nn.Module):
    """Numbers of characters as vectors, each with what is learnt of its place.

    Args:
        n: Number of characters.
        width: Length of a vector.
        n_places: In a sample; 0 leaves them out.
    """

    def __init__(self, n: int, width: int, *, n_places: int) -> None:
        super().__init__()
        self.content = nn.Embedding(n, width)
        self.places = nn.Parameter(_DEVIATION * torch.randn(n_places, width)) if n_places else None
        nn.init.normal_(self.content.weight, std=_DEVIATION)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return ``(n, places, width)``."""
        made: torch.Tensor = self.content(x)
        return made if self.places is None else made + self.places[: x.shape[1]]


class Scores(nn.Module):
    """A score for each character at each place, characters along axis 1.

    Args:
        width: Length of a vector.
        n: Number of characters.
    """

    def __init__(self, width: int, n: int) -> None:
        super().__init__()
        self.layer = nn.Linear(width, n, bias=False)
        nn.init.normal_(self.layer.weight, std=_DEVIATION)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return ``(n, characters, places)``."""
        scores: torch.Tensor = self.layer(x)
        return scores.transpose(1, 2)
