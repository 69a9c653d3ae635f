"""A layer that takes the work of its neighbours: the batch norm after it, the pooling after it, the flattening before it."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from lossatlas.sample.evaluate import BatchNormLayer

# Values under a filter up to which the first convolution is faster as one product with the input's patches laid out once:
# layers with one or three channels leave most of a vectorised convolution idle.
_THIN = 32
# Bytes of laid-out patches that are kept while many points look at the same batches.
_KEPT = 256 << 20


class FusedLayer(nn.Module):
    r"""A convolution or a linear layer, with what its neighbours do.

    With :math:`s = \gamma / \sqrt{\sigma^2 + \epsilon}` a layer and the batch norm after it are one layer,

    .. math:: s\,(W x + c - \mu) + \beta = (s W)\, x + s\,(c - \mu) + \beta.

    Attributes:
        is_first: Whether the model's input comes here, whose patches can be laid out once for all points.
        pool: Side of the squares of which the greatest value is returned.
        channels: Where the input is an image flattened pixel by pixel, with so many channels: how many; else None.
    """

    def __init__(self, layer: Any, norm: BatchNormLayer | None) -> None:  # noqa: ANN401 - nn.Conv2d or nn.Linear
        super().__init__()
        self._own = layer, norm  # in a tuple, so that they are no parts of this one: they are the model's, and are moved there
        self.is_first, self.pool = False, 1
        self.channels: int | None = None
        self._patches: dict[int, torch.Tensor] = {}
        self._room: dict[int, torch.Tensor] = {}

    @property
    def layer(self) -> Any:  # noqa: ANN401
        """The model's own layer."""
        return self._own[0]

    @property
    def is_thin(self) -> bool:
        """Whether it is a convolution that looks at few values at a time."""
        return isinstance(self.layer, nn.Conv2d) and self.layer.groups == 1 and self.layer.weight[0].numel() <= _THIN

    def look_at(self, inputs: Sequence[object]) -> None:
        """Lay out the patches of inputs that many points will see."""
        self._patches, self._room = {}, {}
        size = 0
        for x in inputs if self.is_first else ():
            if not isinstance(x, torch.Tensor) or x.dim() != 4:
                return
            size += x.nbytes * self.layer.weight[0, 0].numel()
            if size > _KEPT:
                return
            self._patches[id(x)] = self._laid_out(x)

    def _laid_out(self, x: torch.Tensor) -> torch.Tensor:
        layer, k = self.layer, self.pool
        height, width = self._shape(x)
        patches = functional.unfold(x, layer.kernel_size, layer.dilation, layer.padding, layer.stride).transpose(1, 2)
        if height % k or width % k:
            return patches.reshape(-1, patches.shape[2]).contiguous()
        # The places within a square come first: the greatest of them is then taken over whole blocks of memory.
        squares = patches.reshape(len(x), height // k, k, width // k, k, -1)
        return squares.permute(2, 4, 0, 1, 3, 5).reshape(-1, patches.shape[2]).contiguous()

    def _shape(self, x: torch.Tensor) -> tuple[int, int]:
        layer = self.layer
        height, width = (
            (x.shape[2 + i] + 2 * layer.padding[i] - layer.dilation[i] * (layer.kernel_size[i] - 1) - 1) // layer.stride[i] + 1
            for i in (0, 1)
        )
        return height, width

    def refold(self) -> None:
        """Take the model's tensors as they are now."""
        layer, norm = self._own
        weight, bias = layer.weight.detach(), layer.bias
        if self.channels is not None:
            weight = weight.view(len(weight), self.channels, -1).transpose(1, 2).reshape(len(weight), -1)
        if norm is not None:
            assert norm.running_mean is not None
            assert norm.running_var is not None
            scale = torch.rsqrt(norm.running_var + norm.eps)
            if norm.weight is not None:
                scale = scale * norm.weight
            shift = -norm.running_mean if bias is None else bias - norm.running_mean
            weight = weight * scale.reshape(-1, *[1] * (weight.dim() - 1))
            bias = shift * scale if norm.bias is None else torch.addcmul(norm.bias, shift, scale)
        self._weight, self._bias = weight, bias
        if self._patches:
            self._product = weight.flatten(1).t()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return its output, which nothing else holds."""
        layer, k = self.layer, self.pool
        if isinstance(layer, nn.Linear):
            return functional.linear(x if self.channels is None else _by_pixel(x), self._weight, self._bias)
        patches = self._patches.get(id(x))
        if patches is None:
            made = functional.conv2d(x, self._weight, self._bias, layer.stride, layer.padding, layer.dilation, layer.groups)
            return functional.max_pool2d(made, k) if k > 1 else made
        height, width = self._shape(x)
        if k == 1 or height % k or width % k:
            made = self._multiplied(patches, None).view(len(x), height, width, -1).permute(0, 3, 1, 2)
            return functional.max_pool2d(made, k) if k > 1 else made
        # Large and short-lived: asked of the system each time it would cost as much as the product.
        room = self._room.get(len(patches))
        room = self._room[len(patches)] = self._multiplied(patches, room)
        return room.view(k * k, -1).amax(dim=0).view(len(x), height // k, width // k, -1).permute(0, 3, 1, 2)

    def _multiplied(self, patches: torch.Tensor, out: torch.Tensor | None) -> torch.Tensor:
        if self._bias is None:
            return torch.mm(patches, self._product, out=out)
        return torch.addmm(self._bias, patches, self._product, out=out)


def _by_pixel(x: torch.Tensor) -> torch.Tensor:
    # In the layout that the convolutions before it write this is a view.
    return x.permute(0, 2, 3, 1).reshape(len(x), -1)
