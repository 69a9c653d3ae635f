"""Whether recorded snapshots are what they claim to be.

``sources`` goes through a run or checkpoints a tensor at a time, ``reading`` keeps a few numbers of each, ``checks`` finds what
is wrong with them, and ``audit`` is the call.
"""

from lossatlas.measure.auditing.audit import Audit, audit
from lossatlas.measure.auditing.finding import Finding

__all__ = ["Audit", "Finding", "audit"]
