"""Weights of any number become ``k`` numbers, from which distances are known within a stated error.

Left of the store: a run on disk may hold sketches beside its weights, or alone. What is made of many of them is in ``distance``.
"""

from lossatlas.sketch.sketching import K, Sketch, Sketcher, refuse_numbers, refuse_others, sketch

__all__ = ["K", "Sketch", "Sketcher", "refuse_numbers", "refuse_others", "sketch"]
