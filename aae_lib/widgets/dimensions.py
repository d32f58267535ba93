"""What the latent dimension does: codes in their prior, and decoded draws of it, from one dimension to many."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
import traitlets
from matplotlib import colormaps, colors
from torch import Tensor

from .. import checks
from ..evaluation.latent import HOLE_NEIGHBOURS, holes
from ..figures import as_png, canvas
from ..pixels import as_float
from ..systems.base import System, require_system
from .page import Checked, PageWidget, pixels, raw, script, spread

MOST_IMAGES = 1_000  # more dots than this hide each other
SHOWN = 16  # decoded draws of each system, at most: as many as fill two lines
EXAMPLES = 8  # images to compare them with
NOISE = 1  # seed of random encoders: with the prior's seed, 0, their noise would be the prior's draws
SHADES = [colors.to_hex(colormaps["viridis"](share)) for share in np.linspace(0, 0.88, 12)]  # dark image to light image


def dimension_explorer(systems: Mapping[str, Mapping[int, System]], images) -> DimensionExplorer:
    """A widget with a slider over the latent dimension Z, and a panel for each kind of encoder.

    ``systems`` maps the name of each kind to its trained systems by Z, the same Z for all: ``{"deterministic":
    {1: …, 2: …}, "random": {1: …, 2: …}}``. ``images`` (N, C, H, W), held out, of which the first 1,000 are used.
    A panel shows codes of the images, drawn from q(z | x), over draws of the prior: the two dimensions of z in which
    the images' codes without noise vary most, in colours from the darkest image to the lightest. Below stand decoded
    draws of the prior, and the share of draws that have a code nearby, 1 − ``evaluation.holes``.
    ``widget.dimension`` is Z; set it to move the widget (Rubenstein, Schölkopf & Tolstikhin 2018, arXiv 1802.03761).
    Raises ValueError or TypeError where an argument does not fit.
    """
    return DimensionExplorer(systems, images)


class DimensionExplorer(PageWidget):
    """See ``dimension_explorer``. The page changes ``dimension`` only."""

    invitation = "move a slider over the latent dimension"
    alt = "Codes over draws of the prior: a row for each kind of encoder, a column for each latent dimension."

    _esm = script("dimensions.js")
    dimension = Checked().tag(sync=True, echo_update=False)
    dimensions = traitlets.List().tag(sync=True)  # D of them, increasing
    names = traitlets.List().tag(sync=True)  # of the K kinds of encoders
    plots = traitlets.List().tag(sync=True)  # K * D, kind by kind: {"axes", "frame", "near", "beyond"}
    shades = traitlets.List(SHADES).tag(sync=True)

    def __init__(self, systems: Mapping[str, Mapping[int, System]], images):
        shape = _checked(systems).image_shape
        images = checks.images("images", images, shape)[:MOST_IMAGES].cpu()
        if len(images) < HOLE_NEIGHBOURS:
            raise ValueError(
                f"images must be at least {HOLE_NEIGHBOURS} to say what is near, but it has {len(images)}."
            )
        dimensions = sorted(next(iter(systems.values())))
        ranks = as_float(images).flatten(1).mean(dim=1).argsort().argsort()  # (N,) 0 for the darkest image
        self._shade = (len(SHADES) * ranks // len(images)).byte()  # (N,)
        lightness = torch.linspace(0, len(images) - 1, EXAMPLES).long()
        self._examples = as_float(images[ranks.argsort()[lightness]])
        self._plots = [_Plot(kind[z], images) for kind in systems.values() for z in dimensions]
        super().__init__(
            dimensions=dimensions,
            dimension=dimensions[0],
            image_shape=list(shape),
            names=[str(name) for name in systems],
            plots=[{key: getattr(plot, key) for key in ("axes", "frame", "near", "beyond")} for plot in self._plots],
        )

    def checked(self, name: str, value: Any) -> int:
        if value not in self.dimensions:
            raise ValueError(f"dimension must be one of {self.dimensions}, but it is {value!r}.")
        return int(value)

    def parcel(self) -> tuple[dict, list[bytes]]:
        """The shade of each code's image, example images, and each plot's codes, draws and decoded draws."""
        plots = [part for plot in self._plots for part in (raw(plot.codes), raw(plot.draws), pixels(plot.pictures))]
        return {}, [raw(self._shade), pixels(self._examples), *plots]

    def preview(self) -> bytes:
        """PNG of all plots."""
        columns = len(self.dimensions)
        figure, axes = canvas(len(self._plots), columns, 1.8, 2.0)
        for n, (ax, plot) in enumerate(zip(axes, self._plots, strict=True)):
            ax.scatter(*plot.draws.T, s=2, c="0.8", linewidths=0)
            ax.scatter(*plot.codes.T, s=5, c=np.array(SHADES)[self._shade], alpha=0.7, linewidths=0)
            ax.set(xticks=[], yticks=[], box_aspect=1, xlabel=f"{plot.near:.0%} near a code")
            ax.set_title(f"Z = {self.dimensions[n]}" if n < columns else "")
            ax.set_ylabel("" if n % columns else textwrap.fill(self.names[n // columns], 20))
        return as_png(figure)


class _Plot:
    """One system: its codes of images (N, C, H, W) and draws of its prior on two ``axes`` of z, and decoded draws.

    The frame holds the draws; codes beyond it are put onto its border, and ``beyond`` is their share.
    """

    def __init__(self, system: System, images: Tensor):
        codes, draws = system.encode(images, seed=NOISE), system.draw_codes(len(images))  # (N, Z) each
        self.near = 1 - holes(codes, system.prior)
        self.axes = system.encode(images).var(dim=0).argsort(descending=True)[:2].tolist()  # one where Z is 1
        self.pictures = system.decode(draws[:SHOWN])
        codes, draws = self._plane(codes, 0), self._plane(draws, 1)
        low, high = spread(draws)  # (2,) each
        low, high = low - 0.1 * (high - low), high + 0.1 * (high - low)
        self.codes, self.draws = (points.clamp(low, high) for points in (codes, draws))  # (N, 2)
        self.beyond = float((self.codes != codes).any(dim=1).float().mean())
        self.frame = torch.stack([low, high], dim=1).tolist()  # (low, high) of both axes

    def _plane(self, points: Tensor, seed: int) -> Tensor:
        """Points (N, Z) on the two axes, (N, 2); where Z is 1, the second one only spreads them out."""
        scatter = torch.rand(len(points), 1, generator=torch.Generator().manual_seed(seed))
        return torch.cat([points[:, self.axes], scatter], dim=1)[:, :2]


def _checked(systems: Any) -> System:
    """The first of the systems; TypeError or ValueError where they are not what ``dimension_explorer`` takes."""
    kinds = list(systems.items()) if isinstance(systems, Mapping) else []
    if not kinds or not all(isinstance(kind, Mapping) and kind for _, kind in kinds):
        raise TypeError(
            "systems must map names to systems by latent dimension, such as {'random': {1: first, 2: second}}, but it "
            f"is {'an empty mapping' if systems == {} else f'a {type(systems).__name__}'}."
        )
    first = require_system(next(iter(kinds[0][1].values())), "each of systems")
    for name, kind in kinds:
        if kind.keys() != kinds[0][1].keys():
            raise ValueError(
                f"systems must have the same latent dimensions in each row, but {kinds[0][0]!r} has "
                f"{list(kinds[0][1])} and {name!r} has {list(kind)}."
            )
        for dimension, system in kind.items():
            where = f"systems[{name!r}][{dimension!r}]"
            if require_system(system, where).decodes_labels or system.prior is None or hasattr(system, "map"):
                raise TypeError(
                    f"{where} is a {type(system).__name__}, but it must decode z as its prior has it, as a "
                    "WassersteinAutoencoder does, and nothing beside it."
                )
            if system.latent_dim != dimension:
                raise ValueError(f"{where} has {system.latent_dim} latent dimensions; give it under that number.")
            if system.image_shape != first.image_shape:
                raise ValueError(
                    f"{where} is built for images of {system.image_shape}, but the first for {first.image_shape}; "
                    "take systems of one image_shape."
                )
    return first
