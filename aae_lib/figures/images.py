"""Grids of images. Each is one array in one ``imshow``: that is fast."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from .. import checks
from ..losses import half_squared_error
from ..pixels import as_float
from ..priors import Gaussian
from .theme import canvas


def image_grid(
    images: Tensor | np.ndarray, columns: int | None = None, gap: int = 1, apart: int | None = None
) -> np.ndarray:
    """Images (N, C, H, W), row by row, as one picture (H', W') or, in colour, (H', W', 3) with values in [0, 1].

    ``columns`` is about √N by default; ``gap`` is the width in pixels of the white lines between images. Columns from
    ``apart`` on stand half an image further right.
    """
    pixels = as_float(checks.images("images", images)).detach().cpu().permute(0, 2, 3, 1).numpy()  # (N, H, W, C)
    count, height, width, channels = pixels.shape
    if channels not in (1, 3):
        raise ValueError(f"images must have 1 channel (grey) or 3 (colour) to be shown, but they have {channels}.")
    columns = math.ceil(math.sqrt(count)) if columns is None else checks.positive_integer("columns", columns)
    rows = math.ceil(count / columns)
    cells = np.ones((rows * columns, height + gap, width + gap, channels), dtype=np.float32)
    cells[:count, :height, :width] = pixels
    cells = cells.reshape(rows, columns, height + gap, width + gap, channels).swapaxes(1, 2)
    grid = cells.reshape(rows * (height + gap), columns * (width + gap), channels)[: -gap or None, : -gap or None]
    if apart is not None:
        grid = np.insert(grid, [apart * (width + gap)] * (width // 2), 1.0, axis=1)
    return grid[:, :, 0] if channels == 1 else grid


def alike(argument: str, images: object, other: str, others: Tensor) -> Tensor:
    """Images (N, C, H, W) of the shape that ``others`` (..., C, H, W) have; ValueError names both."""
    images = checks.images(argument, images)
    if images.shape[-3:] != others.shape[-3:]:
        shapes = f"{tuple(images.shape[-3:])}, but {other} of {tuple(others.shape[-3:])}"
        raise ValueError(f"{argument} has images of shape {shapes}; take both from one dataset.")
    return images


def cell_centres(images: Tensor, columns: int, apart: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Where ``image_grid`` has its columns (columns,) and its rows (rows,), in pixels."""
    height, width = images.shape[-2:]
    xs = (width + 1) * np.arange(columns) + width / 2 - 0.5
    if apart is not None:
        xs[apart:] += width // 2
    return xs, (height + 1) * np.arange(math.ceil(len(images) / columns)) + height / 2 - 0.5


def draw_images(ax: Axes, images: Tensor, columns: int, captions=(), rows=(), apart: int | None = None) -> None:
    """``image_grid`` in ``ax``, with ``captions`` below its columns and ``rows`` left of its rows."""
    ax.imshow(image_grid(images, columns, apart=apart), cmap="gray", vmin=0, vmax=1)
    xs, ys = cell_centres(images, columns, apart)
    ax.set_xticks(xs[: len(captions)], captions)
    ax.set_yticks(ys[: len(rows)], rows)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)


def show_images(
    images, columns: int | None = None, title: str = "", captions=(), rows=(), apart: int | None = None
) -> Figure:
    """Images (N, C, H, W) in a grid; ``captions`` stand below its columns and ``rows`` left of its rows.

    Columns from ``apart`` on are set apart from those before.
    """
    height, width = image_grid(images, columns, apart=apart).shape[:2]
    columns = math.ceil(math.sqrt(len(images))) if columns is None else columns
    inch = min(0.8 / max(images.shape[-2:]), 8 / width, 6.5 / height)  # per pixel: a notebook is 9 in wide
    margins = 0.1 + bool(len(rows)), 0.1 + 0.3 * bool(title) + 0.3 * bool(len(captions))
    figure, (ax,) = canvas(1, 1, max(5, inch * width + margins[0]), inch * height + margins[1], title)
    draw_images(ax, images, columns, captions, rows, apart)
    return figure


def samples(system, count: int = 64, seed: int = 0) -> Figure:
    """``count`` codes drawn from the system's prior, decoded."""
    return show_images(system.sample(count, seed=seed), title=f"{count} codes drawn from the prior, decoded")


def reconstructions(system, images: Tensor) -> Figure:
    """A few images (N, C, H, W), at most about 16, above their reconstructions; the title has the mean error."""
    originals, decoded = as_float(checks.images("images", images, system.image_shape)), system.reconstruct(images)
    title = f"Half the squared error of these reconstructions: {half_squared_error(decoded, originals):.1f} per image"
    return show_images(torch.cat([originals, decoded]), len(images), title, rows=("original", "decoded"))


def snapshots(pictures: Mapping[int, Tensor], title: str = "The same pictures through training") -> Figure:
    """``pictures`` maps updates to images (N, C, H, W), N at most about 16: a row per update, the first on top."""
    if not pictures:
        raise ValueError("pictures is empty; take some with the Snapshots callback while fitting.")
    grid = torch.stack([as_float(pictures[update]) for update in sorted(pictures)])  # (updates, N, C, H, W)
    rows = [f"update {update:,}" for update in sorted(pictures)]
    return show_images(grid.flatten(0, 1), grid.shape[1], title, rows=rows)


def interpolation(system, first: Tensor, second: Tensor, steps: int = 10) -> Figure:
    """Codes on the straight line from the code of one image (C, H, W) to that of another, decoded."""
    start, end = system.encode(torch.stack([first, second]))  # (Z,) each
    weights = torch.linspace(0, 1, checks.positive_integer("steps", steps), device=start.device)
    images = system.decode(torch.lerp(start, end, weights[:, None]))  # (steps, C, H, W)
    return show_images(images, steps, "From one image's code to another's", [f"{at:.0%}" for at in weights.tolist()])


def _plane(system, side: int, values_at, limits: tuple[float, float], title: str, axis: str) -> Figure:
    """All pairs of ``values_at`` (i + ½) / side, decoded: z₁ grows to the right, z₂ upwards; axes span ``limits``."""
    values = values_at((torch.arange(checks.positive_integer("side", side)) + 0.5) / side)  # (side,)
    z = torch.stack([values.repeat(side), values.flip(0).repeat_interleave(side)], dim=1)  # (side², 2)
    grid = image_grid(system.decode(z), side)
    figure, (ax,) = canvas(1, 1, 6.5, 6.5 * grid.shape[0] / grid.shape[1], title)
    ax.imshow(grid, cmap="gray", vmin=0, vmax=1, extent=(*limits, *limits), aspect="auto")
    ax.set(xlabel=axis.format("z₁"), ylabel=axis.format("z₂"), box_aspect=grid.shape[0] / grid.shape[1])
    return figure


def percentile_grid(system, side: int = 20) -> Figure:
    """A 2-D Gaussian prior decoded at its percentiles: equally probable images (Makhzani et al. 2015, Fig. 2e)."""
    prior = system.prior
    if not isinstance(prior, Gaussian) or prior.dim != 2:
        raise ValueError(f"system must have the prior Gaussian(2) here, but it has {prior}; use latent_grid.")
    title, axis = "The prior decoded: every image is equally probable", "percentile of {} under the prior"
    return _plane(system, side, lambda u: prior.std * torch.special.ndtri(u), (0, 100), title, axis)


def latent_grid(system, low: float = -3.0, high: float = 3.0, side: int = 20) -> Figure:
    """The square [low, high]² of any 2-D latent space, decoded at ``side`` x ``side`` equally spaced codes."""
    if system.latent_dim != 2:
        raise ValueError(f"system must have 2-D codes for this figure, but its latent_dim is {system.latent_dim}.")
    return _plane(system, side, lambda u: low + (high - low) * u, (low, high), "The latent plane decoded", "{}")


def samples_with_neighbours(samples, images, columns: int = 10, title: str = "") -> Figure:
    """Samples (N, C, H, W), and apart, for each in the last column, its nearest of training ``images`` (M, C, H, W).

    A sample that is unlike its neighbour was not copied from the training images; nearest in Euclidean distance of the
    pixels (Makhzani et al. 2015, Fig. 5).
    """
    samples = as_float(checks.images("samples", samples))
    images = as_float(alike("images", images, "samples", samples))
    columns = checks.positive_integer("columns", columns)
    if len(samples) % columns:
        raise ValueError(f"samples must fill rows of {columns}, but there are {len(samples)}; change columns.")
    rows = samples.unflatten(0, (-1, columns))  # (R, columns, C, H, W)
    nearest = images[torch.cdist(rows[:, -1].flatten(1), images.flatten(1)).argmin(dim=1)]  # (R, C, H, W)
    title = title or "Samples, and the training image nearest to each of their last column"
    together = torch.cat([rows, nearest[:, None]], dim=1).flatten(0, 1)
    return show_images(together, columns + 1, title, [*[""] * columns, "nearest"], apart=columns)
