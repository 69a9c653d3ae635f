"""An atlas becomes something to look at: the scene, and what is drawn from it."""

from lossatlas.draw.animation import write_animation
from lossatlas.draw.compose import scene, scene_map, scene_run
from lossatlas.draw.encoding import decoded, encoded
from lossatlas.draw.figure import figure, refuse_no_figure, write_figure
from lossatlas.draw.figures import (
    PAPER,
    TALK,
    Style,
    geometry_figure,
    landscape_figure,
    methods_figure,
    named_style,
    persistence_figure,
    topology_figure,
)
from lossatlas.draw.log import log_atlas
from lossatlas.draw.notebook import notebook_frame
from lossatlas.draw.page import live_page, page, write_page
from lossatlas.draw.save import checked_look, json_text, refuse_unwritable, save
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
    "PAPER",
    "TALK",
    "Barcode",
    "DistanceTable",
    "Fact",
    "Layout",
    "Metric",
    "Scene",
    "SceneMap",
    "SceneRun",
    "Score",
    "Style",
    "Surface",
    "SurfacePath",
    "checked_look",
    "decoded",
    "encoded",
    "figure",
    "geometry_figure",
    "json_text",
    "landscape_figure",
    "live_page",
    "log_atlas",
    "methods_figure",
    "named_style",
    "notebook_frame",
    "page",
    "persistence_figure",
    "refuse_no_figure",
    "refuse_unwritable",
    "save",
    "scene",
    "scene_map",
    "scene_run",
    "surface",
    "topology_figure",
    "write_animation",
    "write_figure",
    "write_page",
]
