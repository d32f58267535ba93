"""The course's look: colours, empty figures, and the way into the notebook.

pyplot and the global settings stay untouched.
"""

from __future__ import annotations

import io
import math

import matplotlib
import seaborn
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

# In grey the ten classes are equal steps of lightness (L* 20 to 82); in colour every two are at least 25 apart (CIELAB)
# with normal, protan, deutan and tritan vision. Neighbours and look-alikes (4 and 9, 3 and 8) are farthest apart.
CLASS_COLOURS = ("#402259", "#758b34", "#f4ab16", "#bf4475", "#6b2e07")
CLASS_COLOURS += ("#cb94cf", "#9731aa", "#75e381", "#1633df", "#688ffc")
INK, BLUE, ROSE = "#262626", CLASS_COLOURS[8], CLASS_COLOURS[3]
PRIOR_GREYS = ("#ededed", "#dcdcdc", "#cacaca")

THEME = seaborn.axes_style("ticks") | seaborn.plotting_context("notebook", font_scale=0.85)
THEME |= {"axes.spines.top": False, "axes.spines.right": False, "font.family": "DejaVu Sans"}  # a font everyone has


def show(figure: Figure, alt: str) -> None:
    """Put ``figure`` into the notebook as a PNG that carries ``alt``, a sentence for readers who cannot see it."""
    if not isinstance(alt, str) or len(alt.strip()) < 20:
        raise ValueError(f"alt must say in at least 20 characters what the figure shows, but it is {alt!r}.")
    from IPython.display import display

    display({"image/png": as_png(figure), "text/plain": alt}, raw=True, metadata={"image/png": {"alt": alt}})


def as_png(figure: Figure) -> bytes:
    """``figure`` as a PNG of at most 256 colours, which looks as good at half the size or less."""
    drawn, png = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png")
    Image.open(drawn).convert("RGB").quantize(256).save(png, "PNG", optimize=True)
    return png.getvalue()


def canvas(count=1, columns=1, width: float = 6.0, height: float = 4.0, title="") -> tuple[Figure, list[Axes]]:
    """A figure in the course's look with ``count`` axes, ``columns`` in a row, each ``width`` by ``height`` inches."""
    rows = math.ceil(count / columns)
    with matplotlib.rc_context(THEME):
        figure = Figure(figsize=(columns * width, rows * height), dpi=100, layout="compressed")
        figure.suptitle(title, wrap=True)
        return figure, [figure.add_subplot(rows, columns, i + 1) for i in range(count)]
