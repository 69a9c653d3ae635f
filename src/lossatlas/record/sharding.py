"""Models whose tensors are spread over processes (FSDP2, tensor parallelism): each one's own part, and the whole."""

import math
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import distributed, nn

from lossatlas._arrays import InputError
from lossatlas.record.weights import Selection, stored_bytes, stored_type, unwrapped
from lossatlas.sketch import Sketch
from lossatlas.store import as_numbers


class Stretch(NamedTuple):
    """Values that stand side by side in the flat order of all parameters."""

    offset: int
    values: np.ndarray  # float32 or float64


def is_sharded(model: nn.Module) -> bool:
    """Whether some parameter is a ``DTensor``: no process has all of its values."""
    unwrapped(model).state_dict(keep_vars=True)  # after a forward pass some may stand gathered: this puts them back
    return any(hasattr(parameter, "to_local") for parameter in model.parameters())


def gathered(model: nn.Module) -> dict[str, torch.Tensor]:
    """Return all tensors, whole, in the memory of the first process, and nothing in the others; all must call this."""
    from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict

    state = get_model_state_dict(unwrapped(model), options=StateDictOptions(full_state_dict=True, cpu_offload=True))
    return {name: tensor for name, tensor in state.items() if isinstance(tensor, torch.Tensor)}


def own_stretches(named: Mapping[str, torch.Tensor], selection: Selection, *, is_first: bool) -> Iterator[Stretch]:
    """Yield copies of what this process has of some parameters, such that the processes have each value once.

    Args:
        named: Parameters in their order.
        selection: As what they are stored.
        is_first: Whether this process counts what all have.

    Raises:
        InputError: a parameter is spread in a way that says nothing of places.
    """
    offset = 0
    for name, tensor in named.items():
        if hasattr(tensor, "to_local"):
            yield from _of_shard(name, tensor, offset, selection)
        elif is_first and tensor.numel():
            yield Stretch(offset, flat(tensor, selection))
        offset += tensor.numel()


def _of_shard(name: str, tensor: Any, offset: int, selection: Selection) -> Iterator[Stretch]:  # noqa: ANN401 - a DTensor
    placements, place = tensor.placements, tensor.device_mesh.get_coordinate()
    if any(placement.is_partial() for placement in placements):
        raise InputError(f"parameter {name!r} is a sum spread over processes, which no place holds; record it reduced")
    if place is None or any(placement.is_replicate() and at for placement, at in zip(placements, place, strict=True)):
        return  # another process counts it
    local = tensor.to_local()
    chunks = tensor.__create_chunk_list__()
    if len(chunks) != 1 or tuple(chunks[0].sizes) != tuple(local.shape):
        raise InputError(f"parameter {name!r} is spread as {placements}, whose places are not known; pass keep='weights'")
    values = flat(local, selection)
    for start, first, count in _rows(tuple(tensor.shape), tuple(chunks[0].offsets), tuple(local.shape)):
        yield Stretch(offset + start, values[first : first + count])


def _rows(whole: tuple[int, ...], begin: tuple[int, ...], part: tuple[int, ...]) -> Iterator[tuple[int, int, int]]:
    """Yield the stretches of a box in a tensor: place in the flat tensor, place in the flat box, and length.

    >>> list(_rows((3, 4), (1, 0), (2, 4))), list(_rows((3, 4), (0, 2), (3, 2)))
    ([(4, 0, 8)], [(2, 0, 2), (6, 2, 2), (10, 4, 2)])
    >>> list(_rows((3, 4), (1, 2), (2, 2))), list(_rows((), (), ())), list(_rows((3, 4), (3, 0), (0, 4)))
    ([(6, 0, 2), (10, 2, 2)], [(0, 0, 1)], [])
    """
    cut = max((axis for axis in range(len(whole)) if whole[axis] != part[axis]), default=0)
    strides = [math.prod(whole[axis + 1 :]) for axis in range(len(whole))]
    count = math.prod(part[cut:])
    if not math.prod(part):
        return
    for number, outer in enumerate(product(*map(range, part[:cut]))):
        place = (*outer, *[0] * (len(whole) - cut))
        start = sum((b + i) * stride for b, i, stride in zip(begin, place, strides, strict=True))
        yield start, number * count, count


def flat(tensor: torch.Tensor, selection: Selection) -> np.ndarray:
    """Return a copy of a tensor's values, as they are stored, as one row of float32, or float64 where that does not hold them."""
    dtype = selection.type_of(tensor)
    return as_row(as_numbers(stored_bytes(tensor, dtype), stored_type("", tensor, dtype)))


def as_row(values: np.ndarray) -> np.ndarray:
    """Return values of any type as float32, or float64 where that does not hold them; without a copy where it is theirs."""
    is_narrow = values.dtype in (np.float16, np.float32)
    return values.astype(np.float32 if is_narrow else np.float64, copy=False)


class Processes:
    """The processes that train one model: the first writes, and their sketches are summed.

    They speak over a group of their own, so that a thread can while training uses another. All must make one, at the same time.
    """

    _group: Any

    def __init__(self) -> None:
        self._group = distributed.new_group(backend="gloo")
        self.is_first = distributed.get_rank() == 0

    def end(self) -> None:
        """End the group and its threads, one of which may still hold what was summed last.

        Left to the end of the program it would let go of it while Python shuts down, which ends the process with SIGABRT.
        """
        with suppress(ValueError):  # the script has ended all groups already
            distributed.destroy_process_group(self._group)
        del self._group  # the last name of it: here its threads are waited for

    def told(self, message: object) -> Any:  # noqa: ANN401
        """Return what the first process has to say."""
        said = [message]
        distributed.broadcast_object_list(said, src=0, group=self._group, device=torch.device("cpu"))
        return said[0]

    def total(self, part: Sketch, n_parameters: int) -> Sketch:
        """Return the sum of all processes' sketches of their parts; it is whole in the first."""
        numbers = np.concatenate([part.moments, [part.n_parameters], part.values])
        distributed.reduce(torch.from_numpy(numbers), dst=0, group=self._group)  # in place
        if self.is_first and numbers[3] != n_parameters:
            raise InputError(f"the processes have {numbers[3]:.0f} of the model's {n_parameters} parameters; pass keep='weights'")
        return Sketch.of(numbers[4:], numbers[:3], n_parameters=n_parameters, seed=part.seed)
