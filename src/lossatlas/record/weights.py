"""A model's tensors as the store takes them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

import torch
from torch import nn

from lossatlas._arrays import InputError
from lossatlas.store import RawTensor, TensorEntry

_STORED_TYPES = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16",
    torch.int64: "I64", torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL",
}  # fmt: skip


@dataclass(frozen=True)
class Selection:
    """Which tensors of a model are stored, and how.

    Attributes:
        only: Patterns of names as a shell has them; None takes all.
        without: Patterns of names that are left out.
        dtype: What real numbers that are wider are stored as; None leaves them as they are.
    """

    only: tuple[str, ...] | None = None
    without: tuple[str, ...] = ()
    dtype: torch.dtype | None = None

    def takes(self, name: str) -> bool:
        """Whether a tensor of this name is stored."""
        is_asked_for = self.only is None or any(fnmatchcase(name, pattern) for pattern in self.only)
        return is_asked_for and not any(fnmatchcase(name, pattern) for pattern in self.without)

    def type_of(self, tensor: torch.Tensor) -> torch.dtype:
        """Return the type that a tensor is stored as."""
        is_wider = self.dtype is not None and tensor.is_floating_point() and tensor.element_size() > self.dtype.itemsize
        return self.dtype if is_wider and self.dtype is not None else tensor.dtype


def unwrapped(model: nn.Module) -> nn.Module:
    """Return the module that others were wrapped around: by data parallelism, ``torch.compile`` or averaging."""
    wrappers = (nn.DataParallel, nn.parallel.DistributedDataParallel, torch.optim.swa_utils.AveragedModel)
    while True:
        inner = model.module if isinstance(model, wrappers) else getattr(model, "_orig_mod", None)
        if not isinstance(inner, nn.Module):
            return model
        model = inner


def tensor_entries(model: nn.Module, selection: Selection | None = None) -> tuple[TensorEntry, ...]:
    """Return name, shape, type and kind of the model's parameters and persistent buffers; tied weights count once.

    Raises:
        InputError: no parameter is left, or there is a tensor of a type that cannot be stored.
    """
    selection = selection or Selection()
    entries = tuple(
        # The type first: it refuses tensors that have no shape yet.
        TensorEntry(
            name,
            dtype=stored_type(name, tensor, selection.type_of(tensor)),
            shape=tuple(tensor.shape),
            kind="parameter" if is_parameter else "buffer",
        )
        for name, tensor, is_parameter in named_tensors(model)
        if selection.takes(name)
    )
    if not any(entry.kind == "parameter" for entry in entries):
        if any(True for _ in model.parameters()):
            first = next(name for name, _ in model.named_parameters())
            raise InputError(f"only and without leave no parameter of the model; its first is {first!r}; mend the patterns")
        raise InputError(f"the model ({type(model).__name__}) has no parameters; pass the module that is trained")
    return entries


def raw_tensors(model: nn.Module, selection: Selection | None = None) -> dict[str, RawTensor]:
    """Return a copy of the model's parameters and persistent buffers, as bytes in memory."""
    selection = selection or Selection()
    return {name: raw_tensor(name, tensor, selection) for name, tensor, _ in named_tensors(model) if selection.takes(name)}


def raw_tensor(name: str, tensor: torch.Tensor, selection: Selection) -> RawTensor:
    """Return a copy of a tensor as the store takes it."""
    dtype = selection.type_of(tensor)
    return RawTensor(stored_type(name, tensor, dtype), tuple(tensor.shape), stored_bytes(tensor, dtype))


def named_tensors(model: nn.Module) -> Iterator[tuple[str, torch.Tensor, bool]]:
    """Yield name and tensor of parameters and persistent buffers, and whether it is a parameter; tied weights once."""
    model = unwrapped(model)
    # First: where a model is spread, this puts its parameters back from what a forward pass gathered, and frees that.
    persistent = model.state_dict(keep_vars=True)
    # named_parameters() gives a tied weight once, which state_dict() does not.
    for name, parameter in model.named_parameters():
        yield name, parameter, True
    for name, buffer in model.named_buffers():
        if name in persistent:
            yield name, buffer, False


def stored_type(name: str, tensor: torch.Tensor, dtype: torch.dtype | None = None) -> str:
    """Return how a safetensors header spells a tensor's type, or the one that it is stored as.

    Raises:
        InputError: it cannot be stored.
    """
    if torch.nn.parameter.is_lazy(tensor):
        raise InputError(f"tensor {name!r} has no shape yet; run one batch through the model first")
    if tensor.is_meta:
        raise InputError(f"tensor {name!r} has no values (it is on the meta device); move the model to a device first")
    dtype = dtype or tensor.dtype
    if dtype not in _STORED_TYPES:
        raise InputError(f"tensor {name!r} has type {tensor.dtype}, which cannot be stored; convert it to a real type")
    return _STORED_TYPES[dtype]


def stored_bytes(tensor: torch.Tensor, dtype: torch.dtype | None = None) -> memoryview:
    """Return a copy of a tensor's values, as bytes in memory."""
    # reshape, not view: weights in channels_last order are not contiguous. The clone is the snapshot: training goes on.
    flat = tensor.detach().reshape(-1).to("cpu", dtype or tensor.dtype, copy=True).contiguous()
    return flat.view(torch.uint8).numpy().data


def load_tensors(model: nn.Module, tensors: Mapping[str, torch.Tensor], *, what: str = "start") -> None:
    """Copy tensors into the model's parameters and persistent buffers of the same names; messages call them ``what``.

    Raises:
        InputError: a tensor of the model is missing or has another shape; the model is then as it was.
    """
    every_name = unwrapped(model).state_dict().keys()  # also the second names of tied weights
    extra = [name for name in tensors if name not in every_name]
    if extra:
        raise InputError(f"the {what} has a tensor {extra[0]!r}, which the model has not; pass a snapshot of this model")
    pairs = []
    for name, own, _ in named_tensors(model):
        if name not in tensors:
            raise InputError(f"the {what} has no tensor {name!r}, which the model has; pass a snapshot of this model")
        if tensors[name].shape != own.shape:
            shapes = f"{tuple(tensors[name].shape)}, but the model's has {tuple(own.shape)}"
            raise InputError(f"tensor {name!r} of the {what} has shape {shapes}; pass a snapshot of this model")
        pairs.append((own, tensors[name]))
    with torch.no_grad():
        for own, tensor in pairs:
            own.copy_(tensor)
