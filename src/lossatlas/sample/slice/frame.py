"""A few weight vectors and the combinations of them that make a line, a plane or a triangle."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import nn

from lossatlas._arrays import InputError
from lossatlas.record import load_tensors
from lossatlas.sample.evaluate import batch_norms
from lossatlas.sample.start import Tensors

Coefficients = Float[np.ndarray, "n k"]


@dataclass(frozen=True, eq=False)
class Frame:
    r"""``k`` weight vectors; a point of a slice is :math:`\theta = \sum_k c_k v_k`.

    A line between two points has them as its vectors and rows :math:`(1 - a, a)`; a plane has the point in its middle and two
    directions, and rows :math:`(1, a, b)`. So a slice of any size is ``k`` vectors and a table of ``(n, k)`` numbers.

    Attributes:
        vectors: The first is a whole point, parameters and buffers; of the others only the parameters count, and of points
            also their statistics of batch norm, where these are interpolated.
        buffers: Names of the tensors that are no parameters.
    """

    vectors: tuple[Tensors, ...]
    buffers: frozenset[str]

    def point(self, coefficients: Sequence[float] | np.ndarray, *, statistics: bool = False) -> Tensors:
        """Return the tensors at one row of coefficients; buffers are the first vector's, ``statistics`` of batch norm apart."""
        weights = [float(c) for c in coefficients]
        fixed = {name for name in self.buffers if not (statistics and name.endswith(("running_mean", "running_var")))}
        combined = {name for vector in self.vectors[1:] for name in vector} - fixed
        return {
            name: combination([vector.get(name) for vector in self.vectors], weights) if name in combined else tensor
            for name, tensor in self.vectors[0].items()
        }


def combination(
    tensors: Sequence[torch.Tensor | None], weights: Sequence[float], out: torch.Tensor | None = None
) -> torch.Tensor:
    """Return the weighted sum in the order of the vectors; one of weight 0 is left out, so that a corner is its vector exactly.

    >>> combination([torch.ones(2), torch.full((2,), 3.0)], [0.5, 0.5])
    tensor([2., 2.])
    """
    like = next(tensor for tensor in tensors if tensor is not None)
    total = torch.zeros_like(like) if out is None else out.zero_()
    is_first = True
    for tensor, weight in zip(tensors, weights, strict=True):
        if tensor is None or weight == 0:
            continue
        if is_first:
            torch.mul(tensor, weight, out=total)
        else:
            total.add_(tensor, alpha=weight)
        is_first = False
    return total


class Replica:
    """A copy of a model whose weights can be put at any point of a frame, cheaply.

    Args:
        model: Becomes this object's: whoever calls passes a copy.
        frame: What its points are combined from.
        with_statistics: Whether running means and variances of batch norm are combined as well.
        channels_last: Whether weights of four axes are laid out as convolutions on processors like them best.
        shared: Another replica of the same frame and layout, whose vectors serve this one too.
    """

    def __init__(
        self,
        model: nn.Module,
        frame: Frame,
        *,
        with_statistics: bool = False,
        channels_last: bool = False,
        shared: "Replica | None" = None,
    ) -> None:
        self.model = model.eval()
        load_tensors(model, frame.vectors[0])
        self._channels_last = channels_last
        moved = {name for vector in frame.vectors[1:] for name in vector}
        names = [name for name, _ in model.named_parameters() if name in moved]
        if with_statistics:
            names += [f"{name}.{what}".lstrip(".") for name in batch_norms(model) for what in ("running_mean", "running_var")]
        tensors = dict(model.named_parameters()) | dict(model.named_buffers())
        # One flat buffer a type: a point costs one pass over each vector, however many tensors there are.
        groups = [[name for name in names if tensors[name].dtype is d] for d in {tensors[name].dtype: None for name in names}]
        self.buffers = [self._laid_out([tensors[name] for name in group]) for group in groups]
        self.vectors: list[list[torch.Tensor]] = (
            shared.vectors if shared else [self._flat(group, tensors, frame) for group in groups]
        )
        self._at: tuple[float, ...] | None = None

    def _laid_out(self, tensors: Sequence[torch.Tensor]) -> torch.Tensor:
        """Return a flat buffer that the model's tensors are now views of."""
        buffer = torch.empty(sum(own.numel() for own in tensors), dtype=tensors[0].dtype, device=tensors[0].device)
        for own, part in zip(tensors, buffer.split([own.numel() for own in tensors]), strict=True):
            o, *rest = own.shape or (1,)
            is_moved = self._channels_last and own.dim() == 4
            own.data = part.view(o, *rest[1:], rest[0]).movedim(-1, 1) if is_moved else part.view(own.shape)
        return buffer

    def _flat(self, names: Sequence[str], tensors: Mapping[str, torch.Tensor], frame: Frame) -> list[torch.Tensor]:
        def laid(tensor: torch.Tensor) -> torch.Tensor:
            return (tensor.movedim(1, -1) if self._channels_last and tensor.dim() == 4 else tensor).reshape(-1)

        nothing = {name: torch.zeros_like(tensors[name]) for name in names}
        return [
            torch.cat([laid(vector.get(name, nothing[name]).to(nothing[name])) for name in names]) for vector in frame.vectors
        ]

    @torch.no_grad()
    def move(self, coefficients: Sequence[float] | np.ndarray) -> None:
        """Put the copy at a point."""
        weights = tuple(float(c) for c in coefficients)
        if weights == self._at:
            return
        for buffer, vectors in zip(self.buffers, self.vectors, strict=True):
            combination(vectors, weights, out=buffer)
        self._at = weights


def refuse_other_shapes(model: nn.Module, vectors: Mapping[str, Tensors]) -> None:
    """Refuse a direction whose tensors are not the model's parameters."""
    own = dict(model.named_parameters())
    for what, vector in vectors.items():
        for name, tensor in vector.items():
            if name not in own:
                raise InputError(f"the {what} has a tensor {name!r}, which is no parameter of the model; pass parameters alone")
            if tensor.shape != own[name].shape:
                shapes = f"{tuple(tensor.shape)}, but the model's has {tuple(own[name].shape)}"
                raise InputError(f"tensor {name!r} of the {what} has shape {shapes}; pass a direction of this model")
            if not torch.isfinite(tensor).all():
                raise InputError(f"tensor {name!r} of the {what} holds NaN or infinite values; pass finite ones")
