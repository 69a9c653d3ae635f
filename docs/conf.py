"""Sphinx settings."""

project = "lossatlas"
author = "The lossatlas developers"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.mathjax"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build", "images"]
autodoc_typehints = "none"  # signatures of arrays with their axes are long; the text says what they are
myst_enable_extensions = ["dollarmath"]
html_theme = "alabaster"
html_theme_options = {"description": "Maps of where neural networks go when they train", "fixed_sidebar": True}
