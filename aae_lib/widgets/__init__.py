"""Widgets over trained systems, to be moved by hand in JupyterLab; each leaves a picture where none can run.

A figure per frame would be far too slow, so pixels go straight to canvases in the page. A decoder that is a stack of
linear layers goes to the page once, as weights, and the page decodes by itself; for any other, each new z goes to the
kernel and pictures come back. ipywidgets keeps one message on its way at a time, and the newest z wins.
"""

try:
    import anywidget  # noqa: F401
except ImportError as error:
    way_out = "run: pip install 'aae_lib[lab]', or start with: make lab"
    raise ImportError(f"aae_lib.widgets needs anywidget, which is not installed; {way_out}") from error

from .clusters import ClusterBrowser, cluster_browser
from .dimensions import DimensionExplorer, dimension_explorer
from .explorer import LatentExplorer, explore
from .export import export_page
from .mixer import StyleMixer, style_mixer
from .page import linear_layers
from .sigma import SigmaSlider, sigma_slider
from .style import StyleMatrix, style_matrix
from .walk import Walk, walk

__all__ = [
    "ClusterBrowser",
    "DimensionExplorer",
    "LatentExplorer",
    "SigmaSlider",
    "StyleMatrix",
    "StyleMixer",
    "Walk",
    "cluster_browser",
    "dimension_explorer",
    "explore",
    "export_page",
    "linear_layers",
    "sigma_slider",
    "style_matrix",
    "style_mixer",
    "walk",
]
