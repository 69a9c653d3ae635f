"""What is mapped: walks, as runs are, and trees whose truth is known."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Tree:
    """Points of a branching walk with noise, ``(n, n_dim)``, where they stand without it, and the branch of each."""

    noisy: np.ndarray
    clean: np.ndarray
    branches: np.ndarray


def walks(n: int, p: int, *, runs: int = 4, seed: int = 0) -> np.ndarray:
    """Return random walks of several runs, ``(n, p)`` float32: consecutive points are near, as snapshots are."""
    rng = np.random.default_rng(seed)
    steps = rng.standard_normal((runs, n // runs, p), dtype=np.float32)
    return np.cumsum(steps, axis=1, out=steps).reshape(-1, p)


def artificial_tree(
    seed: int, *, n_dim: int = 100, n_branch: int = 10, branch_length: int = 100, step: float = 2.0, sigma: float = 4.0
) -> Tree:
    """Return a tree of random walks, each from a random point of an earlier one, with normal noise of ``sigma`` an axis.

    After the artificial tree of Horoi et al. 2022, Fig. 1 B, whose settings the paper does not give. Steps are normal, of
    ``step`` an axis: in 100 dimensions every walk has directions of its own.
    """
    rng = np.random.default_rng(seed)
    walked = rng.normal(scale=step, size=(n_branch, branch_length, n_dim)).cumsum(axis=1)
    for branch in range(1, n_branch):
        walked[branch] += walked[rng.integers(branch), rng.integers(branch_length)]
    clean = walked.reshape(-1, n_dim)
    noisy = clean + rng.normal(scale=sigma, size=clean.shape)
    return Tree(noisy, clean, np.repeat(np.arange(n_branch), branch_length))


def their_tree(seed: int, *, n_branch: int = 10) -> Tree:
    """Return the tree that the phate package makes, its other settings by default; without noise by asking for none."""
    import phate as package

    noisy, branches = package.tree.gen_dla(n_branch=n_branch, seed=seed)
    clean, _ = package.tree.gen_dla(n_branch=n_branch, seed=seed, sigma=0)
    return Tree(noisy, clean, np.asarray(branches))
