"""The geometry of a chain of points: tangents, even spacing, and where it needs more points."""

import numpy as np
import torch
from jaxtyping import Float

from lossatlas._arrays import Vector

Chain = Float[torch.Tensor, "k p"]


def tangents(chain: Chain, energy: Vector) -> Float[torch.Tensor, "inner p"]:
    r"""Return the unit tangent at each inner point of a chain, after Henkelman and Jónsson 2000, Section III.

    With :math:`\tau^+ = R_{i+1} - R_i`, :math:`\tau^- = R_i - R_{i-1}`: where the energy rises along the chain it is
    :math:`\tau^+`, where it falls :math:`\tau^-`, always towards the higher neighbour. At a minimum or maximum both count,

    .. math:: \tau = \tau^+ \Delta_+ + \tau^- \Delta_-, \qquad
              (\Delta_+, \Delta_-) = (\Delta_\max, \Delta_\min) \text{ if } V_{i+1} > V_{i-1} \text{, else swapped,}

    with the greater and the lesser of :math:`|V_{i+1} - V_i|` and :math:`|V_{i-1} - V_i|`: the side with the higher neighbour
    weighs more, so that the tangent turns smoothly as an extremum passes by.

    >>> tangents(torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]), np.array([0.0, 1.0, 2.0]))
    tensor([[0., 1.]])
    """
    V = torch.as_tensor(energy, dtype=chain.dtype, device=chain.device)
    after, before = chain[2:] - chain[1:-1], chain[1:-1] - chain[:-2]
    up, down = V[2:] - V[1:-1], V[:-2] - V[1:-1]  # of the next and the previous neighbour
    greater, lesser = torch.maximum(up.abs(), down.abs()), torch.minimum(up.abs(), down.abs())
    next_is_higher = V[2:] > V[:-2]
    weight_after = torch.where(next_is_higher, greater, lesser)
    weight_before = torch.where(next_is_higher, lesser, greater)
    is_rising, is_falling = (up > 0) & (down < 0), (up < 0) & (down > 0)
    one, zero = torch.ones_like(V[1:-1]), torch.zeros_like(V[1:-1])
    weight_after = torch.where(is_rising, one, torch.where(is_falling, zero, weight_after))
    weight_before = torch.where(is_falling, one, torch.where(is_rising, zero, weight_before))
    is_flat = (weight_after == 0) & (weight_before == 0)  # neither neighbour differs: both directions alike
    weight_after, weight_before = weight_after.masked_fill(is_flat, 1.0), weight_before.masked_fill(is_flat, 1.0)
    tau = after * weight_after[:, None] + before * weight_before[:, None]
    return tau / tau.norm(dim=1, keepdim=True).clamp_min(torch.finfo(tau.dtype).tiny)


def fractions(chain: Chain) -> Vector:
    """Return how far along the chain's length each point lies, from 0 to 1.

    >>> fractions(torch.tensor([[0.0], [1.0], [4.0]])).tolist()
    [0.0, 0.25, 1.0]
    """
    lengths = (chain[1:] - chain[:-1]).double().norm(dim=1).cpu().numpy()
    total = lengths.sum()
    if total == 0:
        return np.linspace(0, 1, len(chain))
    along = np.concatenate([[0.0], np.cumsum(lengths) / total])
    along[-1] = 1.0
    return along


def respaced(chain: Chain, at: Vector) -> Float[torch.Tensor, "n p"]:
    """Return points of the polyline at these fractions of its length; the ends stay.

    >>> respaced(torch.tensor([[0.0], [1.0], [4.0]]), np.array([0.0, 0.5, 1.0]))
    tensor([[0.],
            [2.],
            [4.]])
    """
    own = fractions(chain)
    segment = np.clip(np.searchsorted(own, at[1:-1], side="right") - 1, 0, len(chain) - 2)
    width = own[segment + 1] - own[segment]
    share = np.divide(at[1:-1] - own[segment], width, out=np.zeros_like(width), where=width > 0)
    weight = torch.as_tensor(share, dtype=chain.dtype, device=chain.device)[:, None]
    index = torch.as_tensor(segment, device=chain.device)
    inner = chain[index] * (1 - weight) + chain[index + 1] * weight
    return torch.cat([chain[:1], inner, chain[-1:]])


def between(k: int, n: int) -> Float[np.ndarray, "m k"]:
    """Return the combinations that are ``k`` points and ``n`` evenly between each two of them, in order.

    >>> between(2, 1).tolist()
    [[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]]
    """
    steps = np.arange((k - 1) * (n + 1) + 1)
    segment = np.minimum(steps // (n + 1), k - 2)
    share = (steps - segment * (n + 1)) / (n + 1)
    table = np.zeros((len(steps), k))
    table[np.arange(len(steps)), segment] = 1 - share
    table[np.arange(len(steps)), segment + 1] += share
    return table


def insertions(loss: Vector, k: int, *, most: int, excess: float) -> list[tuple[int, float]]:
    """Return segments that need a point and where in them, from 0 to 1, the worst ones first.

    A point is needed where the loss exceeds the straight line between the losses of the segment's ends by more than
    ``excess`` times the range of the pivots' losses.

    Args:
        loss: At the pivots and evenly between them, as :func:`between` orders them.
        k: Number of pivots.
        most: So many segments at most.
        excess: Share of the range.
    """
    n = (len(loss) - 1) // (k - 1)  # points a segment, its first pivot included
    pivots = loss[::n]
    threshold = excess * (pivots.max() - pivots.min())
    share = np.arange(n) / n
    over = loss[:-1].reshape(k - 1, n) - ((1 - share) * pivots[:-1, None] + share * pivots[1:, None])
    worst = over.argmax(axis=1)
    height = over[np.arange(k - 1), worst]
    order = np.argsort(-height, kind="stable")[:most]
    # Rounding of equal losses is no excess.
    return [(int(s), float(share[worst[s]])) for s in order if height[s] > max(threshold, 1e-9 * abs(pivots).max())]
