"""Distances become coordinates."""

from lossatlas.embed.diffusion import diffusion_operator, knee, potential, spectral_entropy
from lossatlas.embed.kernel import alpha_decay_affinities, bridged, components
from lossatlas.embed.phate import Embedding, PhateSettings, Preset, phate
from lossatlas.embed.scaling import classical_scaling, metric_scaling, stress

__all__ = [
    "Embedding",
    "PhateSettings",
    "Preset",
    "alpha_decay_affinities",
    "bridged",
    "classical_scaling",
    "components",
    "diffusion_operator",
    "knee",
    "metric_scaling",
    "phate",
    "potential",
    "spectral_entropy",
    "stress",
]
