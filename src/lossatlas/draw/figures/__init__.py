"""Figures for print and for talks: the paper's, and what they are made of."""

from lossatlas.draw.figures.accuracies import accuracies_figure
from lossatlas.draw.figures.geometry import geometry_figure
from lossatlas.draw.figures.landscape import landscape_figure
from lossatlas.draw.figures.methods import methods_figure
from lossatlas.draw.figures.persistence import persistence_figure
from lossatlas.draw.figures.style import PAPER, TALK, Style, named_style
from lossatlas.draw.figures.topology import topology_figure

__all__ = [
    "PAPER", "TALK", "Style", "accuracies_figure", "geometry_figure", "landscape_figure", "methods_figure", "named_style",
    "persistence_figure", "topology_figure",
]  # fmt: skip
