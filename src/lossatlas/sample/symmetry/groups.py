"""The permutation groups of a network: sets of hidden units, and all places in its tensors where they stand."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from lossatlas._arrays import InputError
from lossatlas.sample.start import Tensors
from lossatlas.sample.symmetry.axes import Atom, Axes, free, leaves, pinned
from lossatlas.sample.symmetry.rules import RULES, is_axes, unknown


@dataclass(frozen=True)
class Use:
    """A place where a group's units stand: an axis of a tensor, seen as ``(before, size, after)``.

    Both numbers are 1 where the axis is the units alone; ``after`` is the number of pixels where flattened images follow.
    """

    tensor: str
    axis: int
    before: int = 1
    after: int = 1


@dataclass(frozen=True)
class PermutationGroup:
    """Units that can change places without a change of the function, if all their places are permuted alike."""

    name: str
    size: int
    uses: tuple[Use, ...]


def permutation_groups(model: nn.Module, x: Any) -> tuple[PermutationGroup, ...]:  # noqa: ANN401 - whatever the model takes
    """Find the permutation groups of a model from the graph of one forward pass.

    Where an operation is not known, the units that it touches are left where they are. Heads of attention change places as
    wholes, and the features in them alike in all heads of one projection: a part of what could be permuted.

    Args:
        model: In evaluation mode.
        x: An input.

    Raises:
        InputError: the model cannot be traced.
    """
    from torch.fx.experimental.proxy_tensor import make_fx

    tensors = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    try:
        with torch.no_grad():
            graph = make_fx(lambda given, x: torch.func.functional_call(model, given, (x,)))(tensors, x).graph
    except Exception as error:
        said = (str(error) or type(error).__name__).splitlines()[0]
        raise InputError(f"the model cannot be traced to find its permutation groups ({said}); pass groups=") from error
    placeholders = [node for node in graph.nodes if node.op == "placeholder"]
    own = {name: free(tensor.shape) for name, tensor in tensors.items()}
    values: dict[Any, Any] = dict(zip(placeholders, own.values(), strict=False))
    for node in graph.nodes:
        if node.op == "placeholder":
            values.setdefault(node, pinned(_shape(node)))  # an input: pixels and features have places of their own
        elif node.op == "output":
            unknown(_flat(_read(node.args, values)), ())
        else:
            values[node] = _axes_of(node, values)
    return _groups(own)


def permuted(
    tensors: Mapping[str, torch.Tensor], groups: Sequence[PermutationGroup], permutations: Mapping[str, np.ndarray]
) -> Tensors:
    """Return tensors with each group's units in another order: unit ``i`` is now the one that was ``permutation[i]``.

    >>> group = PermutationGroup("h", 2, (Use("w", 0),))
    >>> permuted({"w": torch.tensor([1.0, 2.0])}, [group], {"h": np.array([1, 0])})["w"]
    tensor([2., 1.])
    """
    made = dict(tensors)
    for group in groups:
        order = torch.as_tensor(permutations[group.name])
        for use in group.uses:
            tensor = made[use.tensor]
            made[use.tensor] = (
                _seen(tensor, use, group.size).index_select(use.axis + 1, order.to(tensor.device)).reshape(tensor.shape)
            )
    return made


def by_unit(tensor: torch.Tensor, use: Use, n: int) -> torch.Tensor:
    """Return a tensor as a matrix with a row a unit."""
    return _seen(tensor, use, n).movedim(use.axis + 1, 0).reshape(n, -1)


def refuse_unfit_groups(groups: Iterable[PermutationGroup], tensors: Mapping[str, torch.Tensor]) -> None:
    """Refuse groups whose places are not in the model."""
    for group in groups:
        for use in group.uses:
            shape = tuple(tensors[use.tensor].shape) if use.tensor in tensors else None
            if shape is None:
                raise InputError(f"group {group.name!r} names a tensor {use.tensor!r}, which the model has not; check the name")
            if not 0 <= use.axis < len(shape) or shape[use.axis] != use.before * group.size * use.after:
                units = f"{use.before} x {group.size} x {use.after}"
                raise InputError(
                    f"group {group.name!r}: axis {use.axis} of {use.tensor!r}, of shape {shape}, is no {units}; mend it"
                )


def _seen(tensor: torch.Tensor, use: Use, n: int) -> torch.Tensor:
    shape = tensor.shape
    return tensor.reshape(*shape[: use.axis], use.before, n, use.after, *shape[use.axis + 1 :])


def _axes_of(node: Any, values: Mapping[Any, Any]) -> Any:  # noqa: ANN401 - nodes of a graph, and axes of one or more tensors
    if node.op == "get_attr":
        return pinned(getattr(node.graph.owning_module, node.target).shape)
    given, named = _read(node.args, values), _read(node.kwargs, values)
    name = str(getattr(node.target, "_opname", None) or getattr(node.target, "__name__", node.target))
    if name == "getitem":
        return given[0][given[1]]
    shape = _shape(node)
    rule = RULES.get(name.rstrip("_") if name.endswith("_") and not name.endswith("__") else name)
    if rule is None:
        return unknown([*given, *named.values()], shape)
    try:
        made = rule(*given, shape=shape, **named)
    except (IndexError, ValueError, TypeError):  # a form of the operation that the rule does not know
        return unknown([*given, *named.values()], shape)
    return made


def _read(given: Any, values: Mapping[Any, Any]) -> Any:  # noqa: ANN401
    if isinstance(given, torch.fx.Node):
        return values[given]
    if isinstance(given, dict):
        return {name: _read(value, values) for name, value in given.items()}
    # Lists stay lists: a tuple of tuples would pass for axes.
    return [_read(value, values) for value in given] if isinstance(given, (list, tuple)) else given


def _flat(given: Any) -> list[Axes]:  # noqa: ANN401
    if is_axes(given):
        return [given]
    if isinstance(given, dict):
        return _flat(list(given.values()))
    return [axes for value in given for axes in _flat(value)] if isinstance(given, (list, tuple)) else []


def _shape(node: Any) -> Any:  # noqa: ANN401
    value = node.meta.get("val")
    if isinstance(value, (list, tuple)):
        return [tuple(part.shape) if isinstance(part, torch.Tensor) else () for part in value]
    return tuple(value.shape) if isinstance(value, torch.Tensor) else ()


def _groups(own: Mapping[str, Axes]) -> tuple[PermutationGroup, ...]:
    uses: dict[Atom, list[Use]] = {}
    for name, axes in own.items():
        for place, axis in enumerate(axes):
            atoms = leaves(axis)
            for number, atom in enumerate(atoms):
                if not atom.is_pinned:
                    before = math.prod(other.size for other in atoms[:number])
                    after = math.prod(other.size for other in atoms[number + 1 :])
                    uses.setdefault(atom, []).append(Use(name, place, before, after))
    # Units of one tensor alone change nothing that the graph shows: what they are for is not known.
    known = {atom: places for atom, places in uses.items() if len({use.tensor for use in places}) > 1}
    return tuple(
        PermutationGroup(f"{places[0].tensor}[{places[0].axis}]" + (f"/{n}" if n else ""), atom.size, tuple(places))
        for atom, places, n in _numbered(known)
    )


def _numbered(known: Mapping[Atom, list[Use]]) -> list[tuple[Atom, list[Use], int]]:
    """Number the groups that begin on the same axis: heads, and features within them."""
    seen: dict[tuple[str, int], int] = {}
    numbered = []
    for atom, places in known.items():
        first = (places[0].tensor, places[0].axis)
        numbered.append((atom, places, seen.get(first, 0)))
        seen[first] = seen.get(first, 0) + 1
    return numbered
