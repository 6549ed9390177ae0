"""Sphinx configuration."""

project = "torsh"
author = "the torsh authors"
copyright = "2026, the torsh authors"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
html_theme = "furo"
myst_heading_anchors = 3
