"""The call."""

from collections.abc import Callable
from dataclasses import dataclass

from lossatlas.measure.auditing.checks import findings
from lossatlas.measure.auditing.finding import Finding
from lossatlas.measure.auditing.reading import readings
from lossatlas.measure.auditing.sources import Audited, sources


@dataclass(frozen=True, eq=False)
class Audit:
    """What was found.

    Attributes:
        findings: All that is wrong; empty where nothing is.
        n_points: Snapshots that were read.
        n_tensors: Tensors of the first of them.
    """

    findings: tuple[Finding, ...]
    n_points: int
    n_tensors: int

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


def audit(given: Audited, *, progress: Callable[[int, int], None] | None = None) -> Audit:
    """Look whether snapshots are what they claim to be: of a run, or of a folder of checkpoints.

    One pass, a tensor in memory at a time. It finds damaged files, tensors that change shape or type, NaN and infinite values,
    snapshots that are the same under different steps (published branches have served the final weights under every name),
    snapshots in each other's place, missing ones where others are evenly spaced, steps ten times as long as those around them,
    and tensors that never move and are not known to be frozen. Distances are known to 1 % from sketches of 4,096 numbers; the
    last two checks compare neighbours, and leave out snapshots that are not finite.

    Args:
        given: A run, its folder, or files, folders or patterns of checkpoints.
        progress: Called with the numbers of snapshots done and in all.

    Raises:
        InputError: there is nothing to look at.
    """
    found = readings(sources(given), progress=progress)
    return Audit(tuple(findings(found)), len(found), len(found[0].tensors) if found else 0)
