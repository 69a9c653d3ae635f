"""Distances become coordinates."""

from typing import TYPE_CHECKING

from lossatlas.embed.baselines import BaselineSettings, isomap, pca, pcas, tsne, umap
from lossatlas.embed.connect import bridged, chained, components
from lossatlas.embed.diffusion import diffusion_operator, knee, potential, random_walk, spectral_entropy, spectrum, transitions
from lossatlas.embed.embedding import Embedding
from lossatlas.embed.given import Own, as_embedded
from lossatlas.embed.inpca import InPCAEmbedding, inpca
from lossatlas.embed.kernel import alpha_decay_affinities
from lossatlas.embed.landmarks import landmarks
from lossatlas.embed.layouts import WITH_CHANCE, AnyMethod, Method, layout, missing_methods, refuse_methods
from lossatlas.embed.memory import autocorrelation, remembered
from lossatlas.embed.nonmetric import nonmetric_scaling, nonmetric_stress
from lossatlas.embed.phate import PhateEmbedding, phate
from lossatlas.embed.scaling import classical_scaling, metric_scaling, stress
from lossatlas.embed.settings import PhateSettings, Preset
from lossatlas.embed.stages import MapWarning
from lossatlas.embed.steps import DiffusionTime, diffusion_time

if TYPE_CHECKING:
    from lossatlas.embed.estimator import PHATE

__all__ = [
    "PHATE",
    "WITH_CHANCE",
    "AnyMethod",
    "BaselineSettings",
    "DiffusionTime",
    "Embedding",
    "InPCAEmbedding",
    "MapWarning",
    "Method",
    "Own",
    "PhateEmbedding",
    "PhateSettings",
    "Preset",
    "alpha_decay_affinities",
    "as_embedded",
    "autocorrelation",
    "bridged",
    "chained",
    "classical_scaling",
    "components",
    "diffusion_operator",
    "diffusion_time",
    "inpca",
    "isomap",
    "knee",
    "landmarks",
    "layout",
    "metric_scaling",
    "missing_methods",
    "nonmetric_scaling",
    "nonmetric_stress",
    "pca",
    "pcas",
    "phate",
    "potential",
    "random_walk",
    "refuse_methods",
    "remembered",
    "spectral_entropy",
    "spectrum",
    "stress",
    "transitions",
    "tsne",
    "umap",
]


def __getattr__(name: str) -> object:
    """Load the estimator when it is asked for: nothing else here needs scikit-learn, which takes half a second."""
    if name != "PHATE":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from lossatlas.embed.estimator import PHATE

    return PHATE
