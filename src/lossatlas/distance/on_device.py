"""Inner products of all pairs on a device that PyTorch reaches."""

from types import ModuleType

import numpy as np

from lossatlas.distance.gram import Gram, NotFiniteError, Part, culprit


def add_part(gram: Gram, part: Part, xp: ModuleType, device: str, *, width: int, origin: str) -> None:
    """Add products of ``width`` columns at a time, centred and multiplied in float64 on the device.

    Float32 points go over in float32 and become float64 there: for some hundred points the way over the bus takes longer
    than products in float64, so that float32 ones, and the error that they need to be checked for, would gain nothing.
    """
    slab, place = part
    products = xp.zeros(gram.products.shape, dtype=xp.float64, device=device)
    for start in range(slab.start, slab.stop, width):
        stop = min(start + width, slab.stop)
        block = slab.points[:, start:stop] if len(slab.rows) == len(slab.points) else slab.points[slab.rows, start:stop]
        wide = xp.astype(xp.asarray(np.array(block), device=device), xp.float64)
        centred = wide - xp.mean(wide, axis=0, keepdims=True)
        products += centred @ xp.matrix_transpose(centred)
        seen = wide if origin == "zero" else centred
        if origin == "start":
            seen = wide - wide[:1, :]
        elif origin == "point":
            seen = wide - xp.asarray(place[start - slab.start : stop - slab.start], device=device)[None, :]
        norms, own = (_host(xp.sum(a * a, axis=1)) for a in (seen, centred))
        if not (np.isfinite(own).all() and np.isfinite(norms).all()):
            before = slab.first - slab.start
            raise NotFiniteError(culprit(block), before + start, before + stop)
        gram.add_sums(norms, own)
    gram.products += _host(products)


def _host(array: object) -> np.ndarray:
    return np.asarray(array.cpu() if hasattr(array, "cpu") else array)
