"""Something that is wrong with a run."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["damaged", "layout", "not finite", "identical", "out of order", "gap", "jump", "never moved"]


@dataclass(frozen=True)
class Finding:
    """Something that is wrong with a run.

    Attributes:
        kind: Which check found it.
        points: Names of the snapshots that it is about.
        what: In words.
        tensor: Name of the tensor, where it is about one.
    """

    kind: Kind
    points: tuple[str, ...]
    what: str
    tensor: str | None = None
