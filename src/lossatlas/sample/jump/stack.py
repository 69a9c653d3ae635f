"""Several retrainings side by side: one model on stacked weights, one optimiser, and the batches of each."""

import copy
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from lossatlas.sample.jump.retraining import Retraining, data_seed, epochs, jumped, new_optimizer
from lossatlas.sample.randomness import RandomStream
from lossatlas.sample.task import batch_on_device, train_mode

Batch = tuple[Any, Any] | list[Any]

# To change from one stream of chance to another takes as long as a small network's step, so batches are read some at a time.
_AHEAD = 32
_AHEAD_BYTES = 2**24


class NotStackableError(Exception):
    """These retrainings cannot be trained side by side."""


class Stack:
    """Weights of several retrainings of one task, ``(k, ...)`` each, trained together.

    A step minimises the sum of the k losses, whose gradient by the weights of one is that of its own loss alone; an optimiser
    that treats each number by itself then does to the stack what it would do to each. Tensors that are not trained and the same
    in all are kept once.

    Args:
        items: Retrainings that differ in seed, step and path alone.
    """

    def __init__(self, items: Sequence[Retraining]) -> None:
        first = items[0]
        self._task = first.task
        self._model = copy.deepcopy(first.task.model)
        train_mode(self._model)
        tensors: dict[str, list[torch.Tensor]] = {}
        for item in items:
            for name, tensor in named_tensors(jumped(item)).items():
                tensors.setdefault(name, []).append(tensor.detach())
        own = dict(self._model.named_parameters())
        self._dims: dict[str, int | None] = {}
        self._tensors: dict[str, torch.Tensor] = {}
        for name, each in tensors.items():
            is_trained = name in own and own[name].requires_grad
            is_alike = not is_trained and all(torch.equal(each[0], other) for other in each[1:])
            tensor = each[0] if is_alike else torch.stack(each)
            self._dims[name] = None if is_alike else 0
            self._tensors[name] = nn.Parameter(tensor, requires_grad=is_trained) if name in own else tensor
        self.parameters = [self._tensors[name] for name in own]
        self.optimizer = new_optimizer(first, nn.ParameterList(self.parameters))
        seeds = list(dict.fromkeys(data_seed(item) for item in items))
        self._stream_of = [seeds.index(data_seed(item)) for item in items]
        data = None if len(seeds) == 1 else 0
        self._losses = torch.vmap(self._loss, in_dims=(self._dims, data, data))

    def step(self, batches: Sequence[Batch]) -> None:
        """Take one step of the optimiser, each retraining on the batch of its own stream.

        Raises:
            NotStackableError: the model, the loss or the batches do not bear it.
        """
        try:
            x, y = self._stacked(batches)
            self.optimizer.zero_grad(set_to_none=True)
            with sdpa_kernel(SDPBackend.MATH):  # vmap would send one after the other through a fused kernel of attention
                self._losses(self._tensors, x, y).sum().backward()
            self.optimizer.step()
        except Exception as error:
            # Batches that differ in shape, or whatever it is: one after the other it does not come up, or is the user's own and
            # comes up again.
            raise NotStackableError(f"{type(error).__name__}: {error}") from error

    def loaded(self, number: int) -> nn.Module:
        """Return the stack's one model with the tensors of one of the retrainings."""
        with torch.no_grad():
            for name, own in named_tensors(self._model).items():
                own.copy_(self.tensor(name, number))
        return self._model

    def tensor(self, name: str, number: int) -> torch.Tensor:
        """Return a parameter or buffer of one of the retrainings."""
        tensor = self._tensors[name].detach()
        return tensor if self._dims[name] is None else tensor[number]

    def _loss(self, tensors: dict[str, torch.Tensor], x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return self._task.loss(torch.func.functional_call(self._model, tensors, (x,)), y).reshape(())

    def _stacked(self, batches: Sequence[Batch]) -> tuple[torch.Tensor, torch.Tensor]:
        xs, ys = zip(*(batch_on_device(batch, self._model) for batch in batches), strict=True)
        if len(batches) == 1:
            return xs[0], ys[0]
        return torch.stack([xs[i] for i in self._stream_of]), torch.stack([ys[i] for i in self._stream_of])


class Streams:
    """The batches of each seed, drawn by chance of its own though they are read in turns.

    Args:
        items: The retrainings; those of one seed share a stream.
        ahead: How many batches may be read of one stream before the next has its turn.
    """

    def __init__(self, items: Sequence[Retraining], *, ahead: int = _AHEAD) -> None:
        self._ahead = ahead
        by_seed = {data_seed(item): item for item in items}
        self._streams = {seed: (RandomStream(seed, item.task.train), epochs(item)) for seed, item in by_seed.items()}

    def chance(self, seed: int) -> RandomStream:
        """Return where the chance of a seed stands."""
        return self._streams[seed][0]

    def epoch(self) -> Iterator[tuple[Batch, ...]]:
        """Yield for each update of the next epoch the batches of all seeds.

        Raises:
            NotStackableError: the epoch of one seed has more batches than that of another.
        """
        for batches in itertools.zip_longest(*(self._read(*stream) for stream in self._streams.values())):
            if any(batch is None for batch in batches):
                raise NotStackableError("epochs of several seeds differ in length")
            yield batches

    def _read(self, chance: RandomStream, left: Iterator[Any]) -> Iterator[Batch]:
        with chance:
            batches = iter(next(left))
        ahead = 1
        while True:
            with chance:
                read = list(itertools.islice(batches, ahead))
            yield from read
            if len(read) < ahead:
                return
            ahead = max(1, min(self._ahead, _AHEAD_BYTES // max(1, _n_bytes(read[0]))))


def _n_bytes(batch: Batch) -> int:
    return sum(part.nbytes for part in batch if isinstance(part, torch.Tensor))


def named_tensors(model: nn.Module) -> dict[str, torch.Tensor]:
    """Return parameters and buffers, tied ones once."""
    return {**dict(model.named_parameters()), **dict(model.named_buffers())}
