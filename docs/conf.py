"""Settings of the documentation."""

import importlib
import inspect
import types
from pathlib import Path

from matplotlib.figure import Figure
from sphinx_gallery.scrapers import figure_rst

from minesense import __version__

DOCS = Path(__file__).parent

project = "minesense"
author = "The minesense developers"
copyright = f"2026, {author}"
release = version = __version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
    "myst_parser",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = [
    "_build",
    "**.ipynb",
    "auto_examples/**.py",
    "performance_table.md",
    "validation/radar_table.md",
    "validation/residual_table.md",
]
templates_path = ["_templates"]
suppress_warnings = [
    "config.cache",  # some settings below hold functions
    "autosummary.import_cycle",  # packages list full names, where the links point to
]

html_theme = "furo"
html_title = f"minesense {release}"
html_copy_source = False
# Small enough for lines of 96 columns.
html_theme_options = {"light_css_variables": {"code-font-size": "75%"}}


def offered(package):
    """Return the full names of functions and classes that a package offers."""
    module = importlib.import_module(package)
    things = [getattr(module, name) for name in getattr(module, "__all__", ())]
    return [
        f"{thing.__module__}.{thing.__name__}"
        for thing in things
        if inspect.isclass(thing) or inspect.isfunction(thing)
    ]


autosummary_generate = True
autosummary_context = {"offered": offered}
autodoc_default_options = {"members": True}
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings say it, with shapes and units
numpydoc_show_class_members = False
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3


def save_figures(_block, variables, gallery_conf):
    """Save the figures that a block of an example has made, pyplot or not."""
    paths = []
    for thing in variables["example_globals"].values():
        if isinstance(thing, Figure) and not hasattr(thing, "_is_in_gallery"):
            thing._is_in_gallery = True  # later blocks see it again
            path = next(variables["image_path_iterator"])
            thing.savefig(path, dpi=120)
            paths.append(path)
    return figure_rst(paths, gallery_conf["src_dir"])


def leave_out(_app, _what, name, thing, skip, _options):
    """
    Leave out aliases of types, and what estimators inherit from scikit-learn.

    Autodoc fails on the signature of a tuple; scikit-learn makes its methods for metadata in
    every class, and their texts refer to its own glossary.
    """
    is_theirs = name.startswith("set_") and name.endswith("_request")
    return True if is_theirs or isinstance(thing, types.GenericAlias) else skip


def setup(app):
    """Connect what is defined here."""
    app.connect("autodoc-skip-member", leave_out)


# Every example is run: one that fails must fail the build.
sphinx_gallery_conf = {
    "examples_dirs": str(DOCS.parent / "examples"),
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"\.py$",
    "abort_on_example_error": True,
    "within_subsection_order": "FileNameSortKey",
    "image_scrapers": (save_figures,),
    "capture_repr": (),
    "default_thumb_file": str(DOCS / "images" / "demo.png"),
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
}
