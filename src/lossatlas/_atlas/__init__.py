"""The one call: runs become an atlas.

The name has an underscore because ``lossatlas.atlas`` is the function: a module of that name would take its place as soon
as anything imports it.
"""

from lossatlas._atlas.comparing import MethodComparison, compare
from lossatlas._atlas.making import atlas, charted
from lossatlas._atlas.many import evenly
from lossatlas._atlas.recorded import Diverged, recorded_metrics, recorded_steps, traces_of
from lossatlas._atlas.result import Atlas, Trace
from lossatlas._atlas.ways import RunGeometry, geometry

__all__ = [
    "Atlas",
    "Diverged",
    "MethodComparison",
    "RunGeometry",
    "Trace",
    "atlas",
    "charted",
    "compare",
    "evenly",
    "geometry",
    "recorded_metrics",
    "recorded_steps",
    "traces_of",
]
