"""The passes over pairs in array operations, for distances that lie where torch or another array library has put them.

They make n x n arrays, which there cost little beside the way to the processor; what comes back has a size of n.
"""

import array_api_compat
import numpy as np

from lossatlas._arrays import Array
from lossatlas._device import to_numpy
from lossatlas.embed.passes import LEAST, Rows


class DevicePasses:
    """Passes over the pairs of one matrix of distances, which stays where it lies."""

    def __init__(self, distances: Array) -> None:
        self._xp = array_api_compat.array_namespace(distances)
        self._distances = self._xp.astype(distances, self._xp.float64)
        self._device = array_api_compat.device(distances)
        self._squares: Array = None

    def raw_stress_and_pulls(self, points: Rows) -> tuple[float, Rows]:
        """Raw stress over pairs i < j, and for each point the sum of delta_ij (x_i - x_j) / |x_i - x_j|."""
        xp = self._xp
        gaps = [axis[:, None] - axis[None, :] for axis in self._there(points)]
        # A length of 0 has gaps of 0, so that whatever pulls along it moves nothing.
        squares = sum(gap * gap for gap in gaps) + LEAST
        lengths = xp.sqrt(squares)
        raw = float(xp.sum((lengths - self._distances) ** 2)) / 2
        pull = self._distances / lengths
        return raw, to_numpy(xp.stack([xp.sum(pull * gap, axis=1) for gap in gaps]))

    def times_squares(self, vectors: Rows) -> Rows:
        """Products of the squared distances with vectors, which are rows."""
        if self._squares is None:
            self._squares = self._distances**2
        return to_numpy(self._there(vectors) @ self._squares)

    def _there(self, array: np.ndarray) -> Array:
        return self._xp.asarray(array, device=self._device)
