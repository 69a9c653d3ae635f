"""The permutation of hidden units that brings one network nearest to another."""

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import nn

from lossatlas._arrays import InputError, Vector
from lossatlas.record import load_tensors
from lossatlas.sample.evaluate import EVALUATION_SEED
from lossatlas.sample.probe import probed
from lossatlas.sample.randomness import fixed_randomness
from lossatlas.sample.start import Start, Tensors, start_tensors
from lossatlas.sample.symmetry.groups import PermutationGroup, by_unit, permutation_groups, permuted, refuse_unfit_groups
from lossatlas.sample.task import Task, batch_on_device

# Relative difference of outputs that the order of float32 sums explains over some tens of layers.
_SAME = 1e-3
# Sweeps over all groups; a handful settle it.
_SWEEPS = 100


@dataclass(frozen=True, eq=False)
class Alignment:
    r"""The end's network with its hidden units in the order that is nearest to the start's.

    Attributes:
        tensors: The aligned end, parameters and buffers: a state dict, or the start of a slice or a path.
        permutations: Of each group: unit ``i`` is now the one that was ``permutation[i]``.
        groups: The units that were permuted, and where they stand.
        distance: Euclidean distance of the parameters before and after.
        cosine_distance: :math:`1 - \cos` of the parameters about zero, before and after.
        by_restart: The distance that each order of the groups came to, ``(r,)``; the least is taken.
        output_difference: Greatest difference of the outputs before and after, relative to their size.
        settings: Restarts and seed.
    """

    tensors: Tensors = field(repr=False)
    permutations: Mapping[str, np.ndarray] = field(repr=False)
    groups: tuple[PermutationGroup, ...] = field(repr=False)
    distance: tuple[float, float]
    cosine_distance: tuple[float, float]
    by_restart: Vector
    output_difference: float
    settings: dict[str, Any]


def align(
    task: Task,
    start: Start,
    end: Start,
    *,
    groups: Sequence[PermutationGroup] | None = None,
    restarts: int = 5,
    seed: int = 0,
) -> Alignment:
    r"""Permute the end's hidden units so that its weights are nearest to the start's (Ainsworth et al. 2023, Section 3.2).

    .. math:: \min_P\; \lVert \theta_a - P\,\theta_b \rVert^2 \;\Leftrightarrow\; \max_P\; \langle \theta_a, P\,\theta_b \rangle,

    over the permutations of all groups, by coordinate descent: with the others held, one group's best permutation is a linear
    assignment. Groups are visited in random order until none improves, ``restarts`` times. It finds a minimum, not always the
    least. The outputs are compared before it returns.

    Args:
        task: The model, and a batch to trace it with; the model stays as it is.
        start: A run (its last point), a ``run.snapshot(point)``, or a state dict; it stays.
        end: Likewise; what is permuted.
        groups: Which units can change places; by default they are found from the model's graph.
        restarts: Orders of the groups that are tried.
        seed: Of the orders.

    Raises:
        InputError: a point is not of this model, its groups cannot be found, or permuting them changes the outputs.
    """
    if restarts < 1:
        raise InputError(f"restarts must be 1 or more, but is {restarts}; change it")
    tensors, other = start_tensors(start), start_tensors(end, what="end")
    model = probed(task, tensors)
    load_tensors(model, other, what="end")
    model.eval()
    x = _input(task, model)
    found = permutation_groups(model, x) if groups is None else tuple(groups)
    refuse_unfit_groups(found, other)
    parameters = [name for name, _ in model.named_parameters()]
    a, b = ({name: point[name].double() for name in parameters} for point in (tensors, other))
    rng = np.random.default_rng(np.random.SeedSequence((seed, 6)))
    tried = [_matched(a, b, found, rng) for _ in range(restarts)]
    reached = np.array([_distance(a, permuted(b, _within(found, b), permutations)) for permutations in tried])
    best = tried[int(np.argmin(reached))]
    aligned = _with_second_names(permuted(other, found, best), model)
    after = {name: aligned[name].double() for name in parameters}
    return Alignment(
        tensors=aligned,
        permutations=best,
        groups=found,
        distance=(_distance(a, b), _distance(a, after)),
        cosine_distance=(_cosine_distance(a, b), _cosine_distance(a, after)),
        by_restart=reached,
        output_difference=_refuse_changed_outputs(model, x, other, aligned),
        settings={"restarts": restarts, "seed": seed},
    )


def _matched(a: Tensors, b: Tensors, groups: Sequence[PermutationGroup], rng: np.random.Generator) -> dict[str, np.ndarray]:
    from scipy.optimize import linear_sum_assignment

    permutations = {group.name: np.arange(group.size) for group in groups}
    # Each group with the parameters' places alone: buffers follow, but have no say.
    own = _within(groups, b)
    moved = dict(b)
    for _ in range(_SWEEPS):
        has_improved = False
        for number in rng.permutation(len(own)):
            group = own[number]
            gain = _products(a, moved, group)
            rows, order = linear_sum_assignment(gain, maximize=True)
            if gain[rows, order].sum() <= np.trace(gain) + 1e-12 * np.abs(gain).sum():
                continue
            step = permuted(moved, [group], {group.name: order})
            # A group on two axes of one tensor is linear in neither: what the assignment promises must come true.
            if _inner(a, step, group) <= _inner(a, moved, group):
                continue
            moved = step
            permutations[group.name] = permutations[group.name][order]
            has_improved = True
        if not has_improved:
            break
    return permutations


def _products(a: Tensors, b: Tensors, group: PermutationGroup) -> Float[np.ndarray, "n n"]:
    """Return the inner products of each unit of one network with each of the other, over all their places."""
    total = torch.zeros(group.size, group.size, dtype=torch.float64)
    for use in group.uses:
        total += by_unit(a[use.tensor], use, group.size) @ by_unit(b[use.tensor], use, group.size).T
    return total.numpy()


def _inner(a: Tensors, b: Tensors, group: PermutationGroup) -> float:
    return sum(float((a[name] * b[name]).sum()) for name in {use.tensor for use in group.uses})


def _within(groups: Sequence[PermutationGroup], tensors: Tensors) -> list[PermutationGroup]:
    return [
        PermutationGroup(group.name, group.size, tuple(use for use in group.uses if use.tensor in tensors)) for group in groups
    ]


def _with_second_names(tensors: Tensors, model: nn.Module) -> Tensors:
    """Return tensors with tied weights permuted under all of their names."""
    first: dict[int, str] = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        known = first.setdefault(id(parameter), name)
        if known != name and name in tensors:
            tensors[name] = tensors[known].clone()
    return tensors


def _distance(a: Tensors, b: Tensors) -> float:
    return math.sqrt(sum(float((a[name] - b[name]).square().sum()) for name in a))


def _cosine_distance(a: Tensors, b: Tensors) -> float:
    """Return ``1 - cos`` from differences, so that near points keep their digits."""
    first, second = (math.sqrt(sum(float(tensor.square().sum()) for tensor in point.values())) for point in (a, b))
    if first == 0 or second == 0:
        return math.nan
    return max(0.0, (_distance(a, b) ** 2 - (first - second) ** 2) / (2 * first * second))


def _input(task: Task, model: nn.Module) -> Any:  # noqa: ANN401 - whatever the model takes
    with fixed_randomness(EVALUATION_SEED, task.evaluated):
        x, _ = batch_on_device(next(iter(task.evaluated)), model)
    return x


def _refuse_changed_outputs(model: nn.Module, x: Any, before: Tensors, after: Tensors) -> float:  # noqa: ANN401
    outputs = []
    for tensors in (before, after):
        twin = copy.deepcopy(model)
        load_tensors(twin, tensors, what="end")
        with torch.no_grad(), fixed_randomness(EVALUATION_SEED):
            outputs.append(torch.utils._pytree.tree_leaves(twin.eval()(x)))
    pairs = [(p.double(), q.double()) for p, q in zip(*outputs, strict=True) if isinstance(p, torch.Tensor) and p.numel()]
    difference = max(
        (float((p - q).abs().max()) / max(float(p.abs().max()), torch.finfo(torch.float32).tiny) for p, q in pairs), default=0.0
    )
    if not difference <= _SAME:
        raise InputError(
            f"permuting the groups changes the outputs by {difference:.2g} of their size, so they are no symmetry of this model; "
            "pass groups= with those that are"
        )
    return difference
