"""The one call: runs become an atlas.

The name has an underscore because ``lossatlas.atlas`` is the function: a module of that name would take its place as soon
as anything imports it.
"""

from lossatlas._atlas.comparing import MethodComparison, compare
from lossatlas._atlas.making import Diverged, atlas, charted
from lossatlas._atlas.recorded import recorded_metrics, recorded_steps, traces_of
from lossatlas._atlas.result import Atlas, Trace

__all__ = [
    "Atlas",
    "Diverged",
    "MethodComparison",
    "Trace",
    "atlas",
    "charted",
    "compare",
    "recorded_metrics",
    "recorded_steps",
    "traces_of",
]
