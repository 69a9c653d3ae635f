"""The compiled part: signs, shifts and sums in one pass over the weights."""

import numpy as np

from lossatlas._compiled import compiled, compiled_in_order
from lossatlas.sketch.sketching import WORD

_GAMMA = np.uint64(0x9E3779B97F4A7C15)  # the step of SplitMix64 (Steele, Lea, Flood 2014)


@compiled_in_order
def _mixed(number: np.uint64) -> np.uint64:
    # The finaliser of SplitMix64: any change of the number flips each bit of the result with probability one half.
    number = (number ^ (number >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    number = (number ^ (number >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return number ^ (number >> np.uint64(31))


@compiled_in_order
def add_signed(  # noqa: PLR0917 - compiled functions take no keywords at the speed of this one's short calls
    weights: np.ndarray, start: np.ndarray, offset: int, seed: np.uint64, sums: np.ndarray, moments: np.ndarray
) -> None:
    """Add a stretch of parameters to the sums of a sketch, and to its three moments."""
    # `sums` has 2k places, so that a turned block lies in one piece: the caller folds the halves.
    k = len(sums) // 2
    places = _mixed(seed + _GAMMA)
    flips = _mixed(places + _GAMMA)
    signs = np.empty(k)
    done = 0
    while done < len(weights):
        block, inside = divmod(offset + done, k)
        count = min(len(weights) - done, k - inside)
        _fill_signs(signs, offset + done, count, flips)
        shift = ((_mixed(places + np.uint64(block) * _GAMMA) >> np.uint64(32)) * np.uint64(k)) >> np.uint64(32)
        first = np.int64(shift) + inside
        norm, displacement, dot = _add_block(
            weights[done : done + count], start[done : done + count], signs, sums[first : first + count]
        )
        moments[0] += norm
        moments[1] += displacement
        moments[2] += dot
        done += count


@compiled_in_order
def _fill_signs(signs: np.ndarray, place: int, count: int, flips: np.uint64) -> None:
    done = 0
    while done < count:
        word, bit = divmod(place + done, WORD)
        bits = _mixed(flips + np.uint64(word) * _GAMMA) >> np.uint64(bit)
        part = signs[done : done + min(WORD - bit, count - done)]
        for j in range(len(part)):  # a slice and a count from 0: what the compiler turns into vector instructions
            part[j] = 1.0 - 2.0 * np.float64(np.int64((bits >> np.uint64(j)) & np.uint64(1)))
        done += len(part)


@compiled
def _add_block(weights: np.ndarray, start: np.ndarray, signs: np.ndarray, sums: np.ndarray) -> tuple[float, float, float]:
    norm = displacement = dot = 0.0
    for j in range(len(weights)):
        a, b = np.float64(weights[j]), np.float64(start[j])
        difference = a - b
        norm += a * a
        displacement += difference * difference
        dot += difference * b
        sums[j] += signs[j] * difference
    return norm, displacement, dot
