"""Paths of low loss between two minima.

A path is a chain of weight vectors and how to go between them. ``band`` relaxes such a chain downhill (AutoNEB), ``bends`` trains
the bends of a curve with fixed ends (Garipov et al.); both are measured at the end like any other slice.
"""

from lossatlas.sample.path.band import nudged_elastic_band
from lossatlas.sample.path.bends import bezier_path
from lossatlas.sample.path.result import LowLossPath
from lossatlas.sample.path.settings import BandSettings, BendSettings, Cycle

__all__ = ["BandSettings", "BendSettings", "Cycle", "LowLossPath", "bezier_path", "nudged_elastic_band"]
