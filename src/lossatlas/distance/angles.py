"""The compiled part of distances from sketches: the angles that fit them best."""

import numpy as np

from lossatlas._compiled import compiled_in_order


@compiled_in_order
def fit_angles(products: np.ndarray, chords: np.ndarray) -> None:
    """Replace chords D by δ, 1 - cos of the angle; see ``sketched_pairwise``."""
    # The cubic is D >= 0 at 0 and -‖u+v‖² <= 0 at 2: Newton's steps, halved where they leave the bracket.
    for i in range(len(chords)):
        for j in range(i):
            w, D = products[i, j], chords[i, j]
            low, high, delta = 0.0, 2.0, D / (2.0 + D)
            for _ in range(100):
                value = ((3.0 - w - delta) * delta - (2.0 + D)) * delta + D
                slope = (2.0 * (3.0 - w) - 3.0 * delta) * delta - (2.0 + D)
                low, high = (delta, high) if value > 0 else (low, delta)
                moved = delta - value / slope if slope != 0 else low - 1.0
                moved = moved if low <= moved <= high else (low + high) / 2
                if abs(moved - delta) <= 1e-15 * delta:
                    break
                delta = moved
            chords[i, j] = chords[j, i] = delta
