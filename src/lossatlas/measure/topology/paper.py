"""The released analysis of Horoi et al. 2022, with its faults, for those who want to compare."""

import numpy as np
from jaxtyping import Float

from lossatlas._arrays import InputError
from lossatlas.measure.topology.diagram import Diagram
from lossatlas.measure.topology.filtration import Filtration
from lossatlas.measure.topology.meeting import meetings


def paper_persistence(potential: Float[np.ndarray, "n n"], values: Float[np.ndarray, " m"], *, knn: int = 20) -> Diagram:
    r"""Persistence as the code of Horoi et al. 2022 computes it, faults included; :func:`persistence` is without them.

    1. Neighbours are the ``knn`` *largest* entries of each row of the potential :math:`U = -\ln(P^t + 10^{-7})`, where large
       is unlikely to be reached: these are the farthest points, taken by the potential itself, not by distances between its rows.
       Many tie at the cap, and the order of the points decides; here the last of them.
    2. The losses begin with that of the optimum, which is no vertex: each vertex has its predecessor's loss, and the last loss
       is not used.
    3. Neighbours are listed from both sides: each mutual pair is two edges, and the second closes a cycle that is none. A point
       that is among its own largest closes one too.
    4. Components that never end and all cycles are closed at the highest value. The total of dimension 0 is hence nearly the
       square of the loss's range (``loss_range_squared``), whatever the landscape does between: what the paper's Fig. 3 shows.

    What stays is the elder rule, and an edge at the higher value of its ends. ``total()`` is the number that the paper prints.

    Args:
        potential: Of the samples without the optimum, ``embedding.potential`` of a map without landmarks, as of
            ``phate(points, preset="paper", n_landmark=None)``.
        values: The loss of the optimum, then that of each sample.
        knn: Neighbours of each point. Default of the code.

    Raises:
        InputError: there is not one value more than points, one is not finite, or ``knn`` does not fit.

    >>> diagram = paper_persistence(np.array([[0.0, 1, 2], [1, 0, 3], [2, 3, 0]]), np.array([7.0, 1.0, 5.0, 2.0]), knn=1)
    >>> diagram.essential[0], diagram.essential[1], diagram.total()
    (array([1.]), array([5.]), 36.0)
    """
    n = len(potential)
    if np.shape(potential) != (n, n) or not np.isfinite(potential).all():
        raise InputError(f"the potential must be a finite square, but has shape {np.shape(potential)}; embed without landmarks")
    if np.shape(values) != (n + 1,):
        raise InputError(f"there are {n} points, so values must be {n + 1}, the optimum's first, but are {np.shape(values)}")
    if not np.isfinite(values).all():
        raise InputError("values must be finite, as the released code takes them, but some are not; leave those points out")
    if not 1 <= knn <= n:
        raise InputError(f"knn must be from 1 to {n}, but is {knn}; pass another")
    carried = np.asarray(values, dtype=np.float64)[:-1]
    far = np.argsort(potential, axis=1, kind="stable")[:, : -(knn + 1) : -1]
    listed = np.sort(np.stack([np.repeat(np.arange(n), knn), far.ravel()], axis=1), axis=1)
    edges, times = np.unique(listed[listed[:, 0] < listed[:, 1]], axis=0, return_counts=True)
    loops, twice = listed[listed[:, 0] == listed[:, 1], 0], edges[times > 1]
    found = list(meetings(Filtration(rows=np.arange(n), values=carried, edges=edges, n_left_out=0)))
    ended = [meeting for meeting in found if not meeting.is_cycle]
    pairs = np.array([(carried[one.younger], one.height) for one in ended]).reshape(-1, 2)
    cycles = np.array([one.height for one in found if one.is_cycle], dtype=np.float64)
    return Diagram(
        finite={0: pairs[pairs[:, 0] < pairs[:, 1]], 1: np.zeros((0, 2))},
        essential={
            0: np.delete(carried, [one.younger for one in ended]),
            1: np.concatenate([cycles, carried[twice].max(axis=1), carried[loops]]),
        },
        values=np.sort(carried),
        n_left_out=0,
        knn=knn,
        preset="paper",
    )
