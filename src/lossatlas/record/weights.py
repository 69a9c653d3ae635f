"""A model's tensors as the store takes them."""

from collections.abc import Iterator, Mapping

import torch
from torch import nn

from lossatlas._arrays import InputError
from lossatlas.store import RawTensor, TensorEntry

_STORED_TYPES = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16",
    torch.int64: "I64", torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL",
}  # fmt: skip


def tensor_entries(model: nn.Module) -> tuple[TensorEntry, ...]:
    """Return name, shape, type and kind of the model's parameters and persistent buffers; tied weights count once.

    Raises:
        InputError: the model has no parameter, or a tensor of a type that cannot be stored.
    """
    entries = tuple(
        # The type first: it refuses tensors that have no shape yet.
        TensorEntry(
            name, dtype=_stored_type(name, tensor), shape=tuple(tensor.shape), kind="parameter" if is_parameter else "buffer"
        )
        for name, tensor, is_parameter in _named(model)
    )
    if not any(entry.kind == "parameter" for entry in entries):
        raise InputError(f"the model ({type(model).__name__}) has no parameters; pass the module that is trained")
    return entries


def raw_tensors(model: nn.Module) -> dict[str, RawTensor]:
    """Return a copy of the model's parameters and persistent buffers, as bytes in memory."""
    return {name: RawTensor(_stored_type(name, tensor), tuple(tensor.shape), _bytes(tensor)) for name, tensor, _ in _named(model)}


def _named(model: nn.Module) -> Iterator[tuple[str, torch.Tensor, bool]]:
    # named_parameters() gives a tied weight once, which state_dict() does not.
    for name, parameter in model.named_parameters():
        yield name, parameter, True
    persistent = model.state_dict(keep_vars=True)
    for name, buffer in model.named_buffers():
        if name in persistent:
            yield name, buffer, False


def _stored_type(name: str, tensor: torch.Tensor) -> str:
    if torch.nn.parameter.is_lazy(tensor):
        raise InputError(f"tensor {name!r} has no shape yet; run one batch through the model first")
    if tensor.is_meta:
        raise InputError(f"tensor {name!r} has no values (it is on the meta device); move the model to a device first")
    if tensor.dtype not in _STORED_TYPES:
        raise InputError(f"tensor {name!r} has type {tensor.dtype}, which cannot be stored; convert it to a real type")
    return _STORED_TYPES[tensor.dtype]


def _bytes(tensor: torch.Tensor) -> memoryview:
    # reshape, not view: weights in channels_last order are not contiguous. The clone is the snapshot: training goes on.
    flat = tensor.detach().reshape(-1).to("cpu", copy=True).contiguous()
    return flat.view(torch.uint8).numpy().data


def load_tensors(model: nn.Module, tensors: Mapping[str, torch.Tensor], *, what: str = "start") -> None:
    """Copy tensors into the model's parameters and persistent buffers of the same names; messages call them ``what``.

    Raises:
        InputError: a tensor of the model is missing or has another shape; the model is then as it was.
    """
    every_name = model.state_dict().keys()  # also the second names of tied weights
    extra = [name for name in tensors if name not in every_name]
    if extra:
        raise InputError(f"the {what} has a tensor {extra[0]!r}, which the model has not; pass a snapshot of this model")
    pairs = []
    for name, own, _ in _named(model):
        if name not in tensors:
            raise InputError(f"the {what} has no tensor {name!r}, which the model has; pass a snapshot of this model")
        if tensors[name].shape != own.shape:
            shapes = f"{tuple(tensors[name].shape)}, but the model's has {tuple(own.shape)}"
            raise InputError(f"tensor {name!r} of the {what} has shape {shapes}; pass a snapshot of this model")
        pairs.append((own, tensors[name]))
    with torch.no_grad():
        for own, tensor in pairs:
            own.copy_(tensor)
