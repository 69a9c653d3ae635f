"""Symmetries of a network: hidden units change places and scale, the function stays.

``axes`` follows which axes of which tensors go together, ``rules`` says it for each operation, ``groups`` reads it off a model's
traced graph, and ``align`` finds the permutation that brings one network nearest to another. ``scale`` has the distance that
does not react to rescaled layers.
"""

from lossatlas.sample.symmetry.align import Alignment, align
from lossatlas.sample.symmetry.groups import PermutationGroup, Use, permutation_groups, permuted
from lossatlas.sample.symmetry.scale import filter_cosine_distance

__all__ = ["Alignment", "PermutationGroup", "Use", "align", "filter_cosine_distance", "permutation_groups", "permuted"]
