"""Which axes go together: those that a permutation of hidden units must permute alike.

An axis is a product of atoms in row-major order: that of a flattened image is (channel, row, column), that of an attention's
projection (head, feature). An atom is permuted as a whole. Two axes that meet, as the columns of a layer's weights and the
rows of the one before, have their atoms joined; an atom whose entries have places of their own is pinned.
"""

import math
from collections.abc import Sequence


class Atom:
    """A set of units that change places together; joined atoms are one."""

    def __init__(self, size: int, *, is_pinned: bool = False) -> None:
        self.size = size
        self._is_pinned = is_pinned
        self._same: Atom | None = None
        self._parts: tuple[Atom, ...] = ()

    @property
    def root(self) -> "Atom":
        """The atom that stands for all that are joined with it."""
        atom = self
        while atom._same is not None:
            atom = atom._same
        return atom

    @property
    def is_pinned(self) -> bool:
        """Whether its units must stay where they are."""
        return self.root._is_pinned

    def leaves(self) -> list["Atom"]:
        """Return the atoms that this one was split into; those of size 1 have nothing to permute."""
        root = self.root
        if root._parts:
            return [leaf for part in root._parts for leaf in part.leaves()]
        return [root] if root.size > 1 else []

    def pin(self) -> None:
        """Let its units stay where they are."""
        for leaf in self.leaves():
            leaf._is_pinned = True

    def join(self, other: "Atom") -> None:
        """Let two leaves of the same size be permuted alike."""
        a, b = self.root, other.root
        if a is not b:
            b._same = a
            a._is_pinned = a._is_pinned or b._is_pinned

    def split(self, outer: int) -> None:
        """Split a leaf into ``outer`` runs of units, each run of one form."""
        self.root._parts = (
            Atom(outer, is_pinned=self.is_pinned),
            Atom(self.size // outer, is_pinned=self.is_pinned),
        )


Axis = tuple[Atom, ...]
Axes = tuple[Axis, ...]


def pinned(shape: Sequence[int]) -> Axes:
    """Return axes whose units stay where they are."""
    return tuple((Atom(int(size), is_pinned=True),) for size in shape)


def free(shape: Sequence[int]) -> Axes:
    """Return axes that nothing is known of yet."""
    return tuple((Atom(int(size)),) for size in shape)


def size(axis: Axis) -> int:
    """Return how many units an axis has."""
    return math.prod(atom.size for atom in axis)


def leaves(axis: Axis) -> list[Atom]:
    """Return the atoms of an axis, split as far as they are."""
    return [leaf for atom in axis for leaf in atom.leaves()]


def pin(axis: Axis) -> None:
    """Let the units of an axis stay where they are."""
    for atom in axis:
        atom.pin()


def join(first: Axis, second: Axis) -> None:
    """Let two axes of the same size be permuted alike, splitting atoms where their products differ."""
    a, b = leaves(first), leaves(second)
    while a and b:
        one, other = a[0], b[0]
        if one.size == other.size:
            one.join(other)
            a, b = a[1:], b[1:]
            continue
        larger, smaller = (a, b) if one.size > other.size else (b, a)
        if larger[0].size % smaller[0].size:
            break
        larger[0].split(smaller[0].size)
        # What was split may stand in either list, more than once.
        a, b = ([leaf for atom in atoms for leaf in atom.leaves()] for atoms in (a, b))
    for atom in (*a, *b):
        atom.pin()


def regrouped(axes: Axes, shape: Sequence[int]) -> Axes:
    """Return the axes of a tensor after ``view(shape)``: the atoms in their order, dealt to the new axes.

    An atom that does not fit is split; where that leaves a rest, all that is left is pinned.
    """
    left = [leaf for axis in axes for leaf in leaves(axis)]
    made: list[Axis] = []
    for number, wanted in enumerate(shape):
        taken: list[Atom] = []
        missing = int(wanted)
        while missing > 1:
            atom = left[0]
            if missing % atom.size == 0:
                taken.append(left.pop(0))
                missing //= atom.size
            elif atom.size % missing == 0:
                atom.split(missing)
                left = [leaf for other in left for leaf in other.leaves()]
            else:
                for other in (*taken, *left):
                    other.pin()
                return (*made, *pinned(shape[number:]))
        made.append(tuple(taken))
    return tuple(made)
