"""A small vision transformer: Dosovitskiy et al. 2021, with the mean over patches in place of a class token."""

import math

import torch
from torch import nn
from torch.nn import functional

from lossatlas._arrays import InputError
from lossatlas.experiments.catalogue import refuse_small
from lossatlas.experiments.networks.layers import refuse_other_shapes
from lossatlas.sample import fixed_randomness

_WIDENING = 4  # of the layer within a block, as in the paper
_DEVIATION = 0.02  # of the places at the start, as in the paper


def transformer(
    *,
    seed: int,
    shape: tuple[int, ...] = (1, 8, 8),
    n_classes: int = 10,
    depth: int = 2,
    width: int = 32,
    patch: int = 2,
    n_heads: int = 4,
) -> nn.Module:
    """Return a transformer over patches of images, initialised from ``seed`` by torch's defaults; it has no dropout.

    Args:
        seed: Of the initialisation.
        shape: Of an image, ``(channels, height, width)``.
        n_classes: Number of classes.
        depth: Number of blocks.
        width: Numbers that a patch becomes.
        patch: Pixels along each side of a patch.
        n_heads: Parts in which a block looks at patches.

    Raises:
        InputError: the samples are no images, patches do not fill them, heads do not fill the width, or a value is out of its
            range.
    """
    refuse_other_shapes("transformer", shape, "channels, height, width")
    refuse_small(1, depth=depth, width=width, patch=patch, n_heads=n_heads, n_classes=n_classes)
    channels, *sides = shape
    if any(side % patch for side in sides):
        raise InputError(f"patch must divide the sides of the images, {sides[0]} and {sides[1]}, but is {patch}; change it")
    if width % n_heads:
        raise InputError(f"n_heads must divide width, which is {width}, but is {n_heads}; change one")
    with fixed_randomness(seed):
        return nn.Sequential(
            Patches(channels, width, patch, n_patches=math.prod(side // patch for side in sides)),
            *(Block(width, n_heads) for _ in range(depth)),
            nn.LayerNorm(width),
            Mean(),
            nn.Linear(width, n_classes),
        )


class Patches(nn.Module):
    """Patches as vectors, each with what is learnt of its place.

    Args:
        channels: Of the images.
        width: Length of a vector.
        side: Of a patch, in pixels.
        n_patches: In an image.
    """

    def __init__(self, channels: int, width: int, side: int, *, n_patches: int) -> None:
        super().__init__()
        self.content = nn.Conv2d(channels, width, side, stride=side)
        self.places = nn.Parameter(_DEVIATION * torch.randn(n_patches, width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return ``(n, patches, width)``."""
        made: torch.Tensor = self.content(x)
        return made.flatten(2).transpose(1, 2) + self.places


class Attention(nn.Module):
    """Each place asks all others, or those up to itself, in several heads.

    Args:
        width: Length of a vector.
        n_heads: Number of heads.
        is_causal: Whether no place sees those after it.
    """

    def __init__(self, width: int, n_heads: int, *, is_causal: bool = False) -> None:
        super().__init__()
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))
        self.n_heads = n_heads
        self.is_causal = is_causal

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return ``(n, places, width)``."""
        query, key, value = (self._heads(layer(x)) for layer in (self.query, self.key, self.value))
        seen = functional.scaled_dot_product_attention(query, key, value, is_causal=self.is_causal)
        made: torch.Tensor = self.out(seen.transpose(1, 2).flatten(2))
        return made

    def _heads(self, x: torch.Tensor) -> torch.Tensor:
        return x.unflatten(-1, (self.n_heads, -1)).transpose(1, 2)


class Block(nn.Module):
    """Attention, then two layers for each place alone, both after layer norm and beside a skip.

    Args:
        width: Length of a vector.
        n_heads: Number of heads.
        is_causal: Whether no place sees those after it.
    """

    def __init__(self, width: int, n_heads: int, *, is_causal: bool = False) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = Attention(width, n_heads, is_causal=is_causal)
        self.layers_norm = nn.LayerNorm(width)
        self.layers = nn.Sequential(nn.Linear(width, _WIDENING * width), nn.GELU(), nn.Linear(_WIDENING * width, width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return ``(n, places, width)``."""
        x = x + self.attention(self.attention_norm(x))
        return x + self.layers(self.layers_norm(x))


class Mean(nn.Module):
    """Mean over patches."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return ``(n, width)``."""
        return x.mean(1)
