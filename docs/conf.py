"""Sphinx settings: a site that asks nothing of the network, formulas and search included."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # mathml.py and short_names.py, beside this file

project = "lossatlas"
author = "The lossatlas developers"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "mathml", "short_names"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build", "images"]
autodoc_typehints = "none"  # signatures of arrays with their axes are long; the text says what they are
toc_object_entries_show_parents = "hide"
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = "lossatlas"
html_math_renderer = "mathml"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
html_show_copyright = False
html_theme_options = {
    # The blues of Okabe and Ito, as on the map.
    "light_css_variables": {"color-brand-primary": "#0072b2", "color-brand-content": "#0072b2"},
    "dark_css_variables": {"color-brand-primary": "#56b4e9", "color-brand-content": "#56b4e9"},
}
