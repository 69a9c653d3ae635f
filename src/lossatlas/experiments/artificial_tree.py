"""The artificial tree of Horoi et al. 2022, Fig. 1 B: a shape that is known, under noise, as several methods draw it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from lossatlas._arrays import InputError, Points
from lossatlas._atlas import Atlas, MethodComparison, Trace, compare
from lossatlas.distance import pairwise
from lossatlas.embed import AnyMethod, phate


@dataclass(frozen=True, kw_only=True, eq=False)
class ArtificialTree:
    """Points of a tree, before and under noise: one branch after the other, each in its order."""

    noise_free: Points
    noisy: Points
    branch: Int[np.ndarray, " n"]


def artificial_tree(
    *,
    n_dim: int = 100,
    n_branch: int = 20,
    branch_length: int = 100,
    rand_multiplier: float = 2.0,
    sigma: float = 4.0,
    seed: int = 37,
) -> ArtificialTree:
    r"""Grow a tree by diffusion-limited aggregation: each branch is a random walk from a random point of those before.

    .. math:: x_{s+1} = x_s + m\,(u - \tfrac12), \quad u \sim \mathrm{U}(0, 1)^p, \qquad y = x + \sigma z, \quad z \sim N(0, I_p)

    Grown from the description in Moon et al. (2019, Nature Biotechnology 37, Methods), with the defaults that Horoi et al. 2022
    take; the same seed gives another tree than PHATE's.

    Args:
        n_dim: Dimensions p.
        n_branch: Branches.
        branch_length: Points of each.
        rand_multiplier: Length m of the range of a step in each dimension.
        sigma: Standard deviation of the noise in each dimension.
        seed: Of all chance.

    Raises:
        InputError: a number is below what a tree has.

    >>> tree = artificial_tree(n_branch=3, branch_length=10, sigma=0.0)
    >>> tree.noisy.shape, bool((tree.noisy == tree.noise_free).all()), tree.branch[[0, 9, 10, 29]].tolist()
    ((30, 100), True, [0, 0, 1, 2])
    """
    for name, value, least in (("n_dim", n_dim, 1), ("n_branch", n_branch, 1), ("branch_length", branch_length, 2)):
        if value < least:
            raise InputError(f"{name} must be {least} or more, but is {value}; pass another")
    if sigma < 0 or rand_multiplier <= 0:
        raise InputError(f"sigma must be 0 or more and rand_multiplier above 0, but they are {sigma} and {rand_multiplier}")
    rng = np.random.default_rng(seed)
    points = np.empty((n_branch * branch_length, n_dim))
    for branch in range(n_branch):
        start = branch * branch_length
        root = points[rng.integers(start)] if branch else np.zeros(n_dim)
        steps = rand_multiplier * (rng.random((branch_length, n_dim)) - 0.5)
        points[start : start + branch_length] = root + steps.cumsum(axis=0)
    noisy = points + sigma * rng.standard_normal(points.shape)
    return ArtificialTree(noise_free=points, noisy=noisy, branch=np.repeat(np.arange(n_branch), branch_length))


def compared_tree(
    tree: ArtificialTree | None = None,
    *,
    methods: Sequence[AnyMethod] | None = None,
    seeds: Sequence[int] = (0, 1, 2, 3, 4),
    left_out: float = 0.1,
    nulls: bool = True,
    progress: Callable[[str], None] | None = None,
) -> MethodComparison:
    """Compare methods on the noisy tree, scored by the noisy distances and, as DEMaP, by the paths of the tree without noise.

    Arguments as for :func:`lossatlas.compare`.

    Raises:
        InputError: a method is unknown or not installed.
    """
    grown = artificial_tree() if tree is None else tree
    between = pairwise(grown.noisy)
    numbers, starts, counts = np.unique(grown.branch, return_index=True, return_counts=True)
    traces = tuple(
        Trace(name=f"branch {number}", kind="training", start=start, stop=start + count)
        for number, start, count in zip(numbers.tolist(), starts.tolist(), counts.tolist(), strict=True)
    )
    made = Atlas(
        traces=traces,
        steps=np.concatenate([np.arange(float(count)) for count in counts]),
        step_label="point of its branch",
        metrics={"branch": grown.branch.astype(np.float64)},
        embedding=phate(between, metric="euclidean", n_landmark=None),
        optimum=None,
        distance_from_optimum=None,
        diagram=None,
        loss=None,
        distances=between.euclidean,
    )
    return compare(
        made, methods=methods, seeds=seeds, left_out=left_out, nulls=nulls, noise_free=grown.noise_free, progress=progress
    )
