"""An atlas becomes something to look at: the scene, and what is drawn from it."""

from lossatlas.draw.compose import scene, scene_map, scene_run
from lossatlas.draw.encoding import decoded, encoded
from lossatlas.draw.figure import figure, write_figure
from lossatlas.draw.log import log_atlas
from lossatlas.draw.notebook import notebook_frame
from lossatlas.draw.page import live_page, page, write_page
from lossatlas.draw.save import json_text, refuse_unwritable, save
from lossatlas.draw.scene import (
    Barcode,
    DistanceTable,
    Fact,
    Layout,
    Metric,
    Scene,
    SceneMap,
    SceneRun,
    Score,
    Surface,
    SurfacePath,
)
from lossatlas.draw.surfaces import surface

__all__ = [
    "Barcode",
    "DistanceTable",
    "Fact",
    "Layout",
    "Metric",
    "Scene",
    "SceneMap",
    "SceneRun",
    "Score",
    "Surface",
    "SurfacePath",
    "decoded",
    "encoded",
    "figure",
    "json_text",
    "live_page",
    "log_atlas",
    "notebook_frame",
    "page",
    "refuse_unwritable",
    "save",
    "scene",
    "scene_map",
    "scene_run",
    "surface",
    "write_figure",
    "write_page",
]
