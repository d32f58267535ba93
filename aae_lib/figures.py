"""Every picture of the course. A function takes arrays or a trained system and returns a matplotlib ``Figure``.

Nothing here touches pyplot's state or the global settings, so a figure appears only where ``show`` puts it. Image grids are
one array in one ``imshow``: a panel per image would take seconds.
"""

from __future__ import annotations

import contextlib
import io
import math
import textwrap
from collections.abc import Iterator, Mapping, Sequence

import matplotlib
import numpy as np
import seaborn
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Polygon
from matplotlib.patheffects import withStroke
from scipy.stats import norm
from sklearn.manifold import TSNE
from torch import Tensor

from . import checks
from .priors import Gaussian, Prior

# Lightness L* climbs from 20 to 82 in ten equal steps, so that the classes stay apart in grey, and every two are at least 25
# (CIELAB) apart with normal, protan, deutan and tritan vision. Neighbours and look-alikes (4-9, 3-8, …) are far apart.
CLASS_COLOURS = ("#402259", "#758b34", "#f4ab16", "#bf4475", "#6b2e07", "#cb94cf", "#9731aa", "#75e381", "#1633df", "#688ffc")
INK, BLUE, ROSE = "#333333", CLASS_COLOURS[8], CLASS_COLOURS[3]
PRIOR_GREYS = ("#ededed", "#dedede", "#cfcfcf")

_THEME = {
    **seaborn.axes_style("ticks"),
    **seaborn.plotting_context("notebook", font_scale=0.8),
    "font.family": "DejaVu Sans",  # ships with matplotlib: the same figure on every machine
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}


@contextlib.contextmanager
def theme() -> Iterator[None]:
    """The course's look for what is drawn inside ``with theme():``; also a decorator. Nothing outside changes."""
    with matplotlib.rc_context(_THEME):
        yield


def show(figure: Figure, alt: str) -> None:
    """Put ``figure`` into the notebook as a PNG that carries ``alt``, a sentence for readers who cannot see it."""
    if not isinstance(alt, str) or len(alt.strip()) < 20:
        raise ValueError(f"alt must say in at least 20 characters what the figure shows, but it is {alt!r}.")
    from IPython.display import display

    png = io.BytesIO()
    figure.savefig(png, format="png")
    content = {"image/png": png.getvalue(), "text/plain": f"<Figure: {alt}>"}
    display(content, raw=True, metadata={"image/png": {"alt": alt}})


def _panels(count: int, columns: int, width: float, height: float, title: str | None) -> tuple[Figure, np.ndarray]:
    """A figure with ``count`` axes of about ``width`` by ``height`` inches, ``columns`` in a row, under one title."""
    rows = math.ceil(count / columns)
    figure = Figure(figsize=(columns * width, rows * height), dpi=100, layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for unused in axes[count:]:
        unused.remove()
    if title:
        figure.suptitle(textwrap.fill(title, int(10.5 * columns * width)))
    return figure, axes[:count]


# Images


def image_grid(images: Tensor | np.ndarray, columns: int | None = None, gap: int = 1) -> np.ndarray:
    """Images (N, C, H, W), row by row, as one picture (H', W') or, in colour, (H', W', 3) with values in [0, 1].

    ``columns`` is about √N by default; ``gap`` is the width of the white lines between images, in pixels.
    """
    pictures = checks.images("images", images).detach().cpu()
    count, channels, height, width = pictures.shape
    if channels not in (1, 3):
        raise ValueError(f"images must have 1 channel (grey) or 3 (colour) to be shown, but they have {channels}.")
    if not isinstance(gap, int) or gap < 0:
        raise ValueError(f"gap must be a whole number of pixels, at least 0, but it is {gap!r}.")
    columns = math.ceil(math.sqrt(count)) if columns is None else checks.positive_integer("columns", columns)
    rows = math.ceil(count / columns)
    cells = np.ones((rows * columns, height + gap, width + gap, channels), dtype=np.float32)
    scale = 255 if pictures.dtype == torch.uint8 else 1
    cells[:count, :height, :width] = pictures.float().permute(0, 2, 3, 1).numpy() / scale
    cells = cells.reshape(rows, columns, height + gap, width + gap, channels).swapaxes(1, 2)
    grid = cells.reshape(rows * (height + gap), columns * (width + gap), channels)
    grid = grid[: grid.shape[0] - gap, : grid.shape[1] - gap]
    return grid[:, :, 0] if channels == 1 else grid


def _grid_figure(images, columns: int | None, title: str | None, rows=(), names=()) -> Figure:
    """One ``imshow`` of the grid; ``rows`` names its rows at the left and ``names`` its columns below."""
    grid = image_grid(images, columns)
    height, width = images.shape[-2:]
    inch = min(0.8 / max(height, width), 8.2 / grid.shape[1], 6.5 / grid.shape[0])  # per pixel: a notebook is 9 in wide
    figure_height = inch * grid.shape[0] + 0.4 * bool(title) + 0.3 * bool(names) + 0.1
    figure, (ax,) = _panels(1, 1, min(9, max(5, inch * grid.shape[1] + 1.2 * bool(rows) + 0.1)), figure_height, title)
    ax.imshow(grid, cmap="gray", vmin=0, vmax=1)
    ax.set_yticks([row * (height + 1) + (height - 1) / 2 for row in range(len(rows))], rows)
    ax.set_xticks([column * (width + 1) + (width - 1) / 2 for column in range(len(names))], names)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return figure


@theme()
def show_images(images, columns: int | None = None, title: str | None = None, captions: Sequence[str] | None = None) -> Figure:
    """Images (N, C, H, W) in a grid; ``captions``, one per image, stand above the images."""
    images = checks.images("images", images).detach().cpu()
    if captions is None:
        return _grid_figure(images, columns, title)
    if len(captions) != len(images):
        raise ValueError(f"captions must have one text per image, {len(images)}, but there are {len(captions)}.")
    height, width = images.shape[-2:]
    strip = math.ceil(0.25 * height)  # white paper above each image, for its caption
    images = torch.nn.functional.pad(images, (0, 0, strip, 0), value=255 if images.dtype == torch.uint8 else 1)
    columns = math.ceil(math.sqrt(len(images))) if columns is None else columns
    figure = _grid_figure(images, columns, title)
    for i, caption in enumerate(captions):
        row, column = divmod(i, columns)
        x, y = column * (width + 1) + (width - 1) / 2, row * (height + strip + 1) + strip - 1
        figure.axes[0].text(x, y, caption, ha="center", va="bottom", fontsize=8)
    return figure


@theme()
def samples(system, count: int = 64, seed: int = 0) -> Figure:
    """``count`` codes from the system's prior, decoded."""
    return _grid_figure(system.sample(count, seed=seed), None, f"{count} codes drawn from the prior, decoded")


@theme()
def reconstructions(system, images) -> Figure:
    """A few images (N, C, H, W), at most about 16, above their reconstructions; the title has the mean error in paper units."""
    images = checks.images("images", images, system.image_shape)
    originals = images.float() / 255 if images.dtype == torch.uint8 else images
    decoded = system.reconstruct(images)
    error = float(0.5 * (decoded - originals).square().flatten(1).sum(dim=1).mean())
    title = f"Half the squared error of these reconstructions is {error:.1f} per image"
    return _grid_figure(torch.cat([originals, decoded]), len(images), title, rows=("original", "decoded"))


@theme()
def snapshots(pictures: Mapping[int, Tensor], title: str = "The same images through training") -> Figure:
    """``pictures`` maps an update to images (N, C, H, W), N at most about 16; one row per update, first update on top."""
    if not pictures:
        raise ValueError("pictures is empty; take some with the Snapshots callback while fitting.")
    rows = [checks.images(f"pictures[{update}]", pictures[update]) for update in sorted(pictures)]
    if len({row.shape for row in rows}) > 1:
        raise ValueError(f"pictures must all have one shape, but they have {[tuple(row.shape) for row in rows]}.")
    return _grid_figure(torch.cat(rows), len(rows[0]), title, rows=[f"update {update:,}" for update in sorted(pictures)])


@theme()
def interpolation(system, first: Tensor, second: Tensor, steps: int = 9) -> Figure:
    """Two images (C, H, W) and between them the decoded codes on the straight line from one's code to the other's."""
    steps = checks.positive_integer("steps", steps)
    ends = checks.images("first and second, stacked,", torch.stack([first, second]), system.image_shape)
    start, end = system.encode(ends)  # (Z,) each
    weights = torch.linspace(0, 1, steps)[:, None]
    decoded = system.decode((1 - weights) * start + weights * end)  # (steps, C, H, W)
    ends = ends.float() / 255 if ends.dtype == torch.uint8 else ends
    names = ["from", *(f"{weight:.0%}" for weight in weights[:, 0].tolist()), "to"]
    images = torch.cat([ends[:1], decoded, ends[1:]])
    return _grid_figure(images, len(images), "A straight line between two codes, decoded", names=names)


def _decoded_plane(system, values: Tensor, limits: tuple[float, float], title: str) -> tuple[Figure, Axes]:
    """Decode all pairs of ``values`` (side,): z₁ grows to the right, z₂ upwards; the axes run over ``limits``."""
    side = len(values)
    z = torch.stack([values.repeat(side), values.flip(0).repeat_interleave(side)], dim=1)  # (side², 2)
    grid = image_grid(system.decode(z), side, gap=0)
    figure, (ax,) = _panels(1, 1, 6.5, 6.5 * grid.shape[0] / grid.shape[1], title)
    ax.imshow(grid, cmap="gray", vmin=0, vmax=1, extent=(*limits, *limits), aspect="auto")
    ax.set_box_aspect(grid.shape[0] / grid.shape[1])
    return figure, ax


@theme()
def percentile_grid(system, side: int = 20) -> Figure:
    """What the decoder has learned of a 2-D Gaussian prior, each image standing for an equal share of its mass.

    Image (i, j) decodes the prior's (i + ½) / side and (j + ½) / side quantiles (Makhzani et al. 2015, Fig. 2e).
    ValueError for any other prior.
    """
    prior = system.prior
    if not isinstance(prior, Gaussian) or prior.dim != 2:
        raise ValueError(f"percentile_grid needs a system with prior Gaussian(2), but its prior is {prior}; use latent_grid.")
    centres = (np.arange(checks.positive_integer("side", side)) + 0.5) / side
    quantiles = torch.from_numpy(prior.std * norm.ppf(centres)).float()
    figure, ax = _decoded_plane(system, quantiles, (0, 100), "The decoded prior, by percentile")
    ax.set(xlabel="percentile of z₁ under the prior", ylabel="percentile of z₂ under the prior")
    return figure


@theme()
def latent_grid(system, low: float = -3.0, high: float = 3.0, side: int = 20) -> Figure:
    """The decoded square [low, high]² of a 2-D latent space, side × side codes at equal distances. Any system."""
    if system.latent_dim != 2:
        raise ValueError(f"latent_grid needs a system with 2-D codes, but latent_dim is {system.latent_dim}.")
    if not low < high:
        raise ValueError(f"low must be below high, but low is {low} and high is {high}.")
    half = (high - low) / checks.positive_integer("side", side) / 2
    centres = torch.linspace(low + half, high - half, side)
    figure, ax = _decoded_plane(system, centres, (low, high), "The decoded latent plane")
    ax.set(xlabel="z₁", ylabel="z₂")
    return figure


# Codes


def _draw_prior(ax: Axes, prior: Prior) -> None:
    """Grey regions that hold 95, 80 and 50 % of the prior; samples where it has no density."""
    draws = prior.sample(5000, torch.Generator().manual_seed(0))  # (5000, 2)
    if not prior.has_density:
        ax.scatter(*draws.T.numpy(), s=14, color=PRIOR_GREYS[1], linewidths=0, zorder=0)
        return
    axis = torch.linspace(float(draws.min()) - 0.1, float(draws.max()) + 0.1, 300)
    density = prior.log_prob(torch.cartesian_prod(axis, axis)).exp().reshape(300, 300).T  # rows: z₂
    levels = np.unique(0.999 * np.quantile(prior.log_prob(draws).exp(), (0.05, 0.2, 0.5)))
    ax.contourf(axis, axis, density, [*levels, float(density.max()) * 1.01], colors=PRIOR_GREYS[-len(levels) :], zorder=0)


def _draw_codes(ax: Axes, z: np.ndarray, labels: np.ndarray | None, names: Sequence[str], spacing: float) -> None:
    """Dots by class in random order, so that no class hides another, and names at class medians ``spacing`` apart."""
    order = np.random.default_rng(0).permutation(len(z))
    colours = BLUE if labels is None else np.array(CLASS_COLOURS)[labels[order] % len(CLASS_COLOURS)]
    ax.scatter(*z[order].T, s=5 if len(z) > 1500 else 10, c=colours, alpha=0.8, linewidths=0)
    placed: list[np.ndarray] = []
    for label in [] if labels is None else np.unique(labels):
        centre = np.median(z[labels == label], axis=0)
        if all(np.linalg.norm(centre - other) > spacing for other in placed):
            placed.append(centre)
            outline = [withStroke(linewidth=3, foreground="white")]
            ax.text(*centre, names[label], ha="center", va="center", weight="bold", color=INK, path_effects=outline)


def _draw_legend(figure: Figure, labels: Sequence[np.ndarray], names: Sequence[str], prior: bool) -> None:
    present = np.unique(np.concatenate(labels)) if labels else []
    dots = [(CLASS_COLOURS[label % len(CLASS_COLOURS)], names[label]) for label in present]
    dots += [(PRIOR_GREYS[-1], "prior p(z)")] if prior else []
    handles = [Line2D([], [], color=colour, marker="o", linestyle="", label=name) for colour, name in dots]
    if handles:
        figure.legend(handles=handles, loc="outside right center")


def _names(labels: Sequence[np.ndarray], classes: Sequence[str] | None) -> list[str]:
    """A name for every label there is; the number itself where ``classes`` are not given."""
    needed = max((int(each.max()) + 1 for each in labels), default=0)
    if classes is not None and len(classes) < needed:
        raise ValueError(f"classes has {len(classes)} names, but the labels go up to {needed - 1}.")
    return list(classes or map(str, range(needed)))


@theme()
def latent_scatters(
    panels: Mapping[str, tuple], prior: Prior | Mapping | None = None, title: str | None = None, classes=None
) -> Figure:
    """Panels of 2-D codes, all on the same axes: ``panels`` maps a title to (z (N, 2), labels (N,) or None).

    ``prior`` is drawn behind every panel; a mapping from titles to priors gives each panel its own.
    """
    codes = {name: checks.codes(f"the codes of {name!r}", z, 2).detach().cpu().numpy() for name, (z, _) in panels.items()}
    labels = {name: None if y is None else _labels(y, codes[name]) for name, (_, y) in panels.items()}
    names = _names(labels.values(), classes)
    priors = prior if isinstance(prior, Mapping) else dict.fromkeys(panels, prior)
    seen = [np.quantile(z, (0.002, 0.998), axis=0) for z in codes.values()]  # a few far codes must not shrink the rest
    seen += [p.sample(5000, torch.Generator().manual_seed(0)).numpy() for p in priors.values() if p is not None]
    low, high = np.concatenate(seen).min(axis=0), np.concatenate(seen).max(axis=0)
    centre, half = (low + high) / 2, 0.54 * (high - low).max()
