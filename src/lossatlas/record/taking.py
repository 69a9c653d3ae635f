"""What the training thread copies of a model when a point's turn has come."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from lossatlas._arrays import InputError
from lossatlas.record.frozen import Frozen, frozen_names
from lossatlas.record.sharding import Stretch, gathered, own_stretches
from lossatlas.record.weights import Selection, named_tensors, raw_tensor, tensor_entries
from lossatlas.store import Keep, RawTensor, Tensors


@dataclass(frozen=True)
class Taken:
    """Copies, which training does not touch.

    Attributes:
        tensors: Whole tensors; none in a process that writes no weights.
        stretches: Of a model that is spread over processes and is to be sketched, what this one has of it.
        left_out: Names of tensors that are the first point's to the last bit.
    """

    tensors: Mapping[str, RawTensor]
    stretches: Sequence[Stretch]
    left_out: frozenset[str]


class Taking:
    """Copy a model's tensors, again and again.

    Args:
        model: The module that is trained.
        selection: Which of its tensors, and as what.
        keep: What becomes of them.
        is_sharded: Whether they are spread over processes, all of which take together.
        is_first: Whether this process is the one that writes.

    Raises:
        InputError: there is no parameter to take, or a tensor that cannot be stored.
    """

    def __init__(self, model: nn.Module, selection: Selection, *, keep: Keep, is_sharded: bool, is_first: bool) -> None:
        _refuse_flat_parameters(model)
        self._model, self._selection, self._keep = model, selection, keep
        self._is_sharded, self._is_first = is_sharded, is_first
        self.entries = tensor_entries(model, selection)
        self._parameters = [entry.name for entry in self.entries if entry.kind == "parameter"]
        asking_for_none = frozen_names(model)
        self.frozen = tuple(name for name in self._parameters if name in asking_for_none)
        self._unchanged: Frozen | None = None

    def __call__(self) -> Taken:
        """Return copies; of a model that is spread over processes all of them must ask at the same time."""
        named = self._named()
        whole = self._whole(named)
        left_out = self._unchanged.unchanged(whole, self._as_stored) if self._unchanged else frozenset[str]()
        tensors = {name: raw_tensor(name, tensor, self._selection) for name, tensor in whole.items() if name not in left_out}
        stretches: list[Stretch] = []
        if self._is_sharded and self._keep != "weights":
            parameters = {name: named[name] for name in self._parameters}
            stretches = list(own_stretches(parameters, self._selection, is_first=self._is_first))
        return Taken(tensors, stretches, left_out)

    def leave_out(self, first: Tensors) -> None:
        """From now on leave out what is frozen and the same as in a run's first point, whose tensors these are."""
        self._unchanged = Frozen({name: first[name] for name in self.frozen if name in first})

    def _named(self) -> dict[str, torch.Tensor]:
        return {name: tensor for name, tensor, _ in named_tensors(self._model) if self._selection.takes(name)}

    def _whole(self, named: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        if self._is_sharded:
            state = gathered(self._model) if self._keep != "sketch" else {}
            return {name: state[name] for name in named if name in state}
        # A run of sketches has nothing of the buffers.
        return {name: named[name] for name in (self._parameters if self._keep == "sketch" else named)}

    def _as_stored(self, tensor: torch.Tensor) -> torch.Tensor:
        return tensor.to(self._selection.type_of(tensor))


def _refuse_flat_parameters(model: nn.Module) -> None:
    if any(type(part).__name__ == "FullyShardedDataParallel" for part in model.modules()):
        raise InputError(
            "the model is wrapped by FullyShardedDataParallel, which flattens its parameters; shard it with "
            "torch.distributed.fsdp.fully_shard, or import its checkpoints"
        )
