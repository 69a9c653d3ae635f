"""How the loss bends around a point: the Hessian's eigenvalues, and the sharpness of a small box."""

from lossatlas.sample.curvature.along import Along, along
from lossatlas.sample.curvature.hessian import Curvature, curvature
from lossatlas.sample.curvature.sharpness import Sharpness, sharpness

__all__ = ["Along", "Curvature", "Sharpness", "along", "curvature", "sharpness"]
