"""The style mixer: two or three sources, and which of a generator's style inputs take their w from which of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import traitlets
from torch import Tensor

from .. import checks
from ..figures import BLUE, CLASS_COLOURS, ROSE
from ..pixels import as_float
from ..style import StyleGenerator
from ..systems.base import System, require_system
from .page import Checked, PageWidget, grid_png, pixels, raw, script

MOST_SOURCES = 60  # images to choose from
MOST_PRODUCTS = 35_000_000  # of one picture: with more, a page makes less than 30 a second, and the kernel generates
FROM_NEIGHBOURS = torch.tensor([[[1.0, 0, 0], [0, 1, 1]], [[1, 1, 0], [0, 0, 1]]])  # [which half, pixel seen, tap]


def style_mixer(system: System, images=None) -> StyleMixer:
    """A widget over a style-based ``system``: which of its style inputs take their w from which source, and the mix.

    ``images`` (N, C, H, W), best ones held out, of which the first 60 can be sources; by default draws of the system's
    own. Three of them are shown at a time, A, B and C, or two where there are no more.
    ``widget.layers``: for each of the L style inputs, the coarsest first, the number of its source (0 is A);
    ``widget.sources``: which images these are; ``widget.blend``: how far the mix has come, from 0, which is A alone, to
    1. Set them to move the widget (Karras et al. 2019, Sec. 3.1; Pidhorskyi et al. 2020, Fig. 5).
    Raises ValueError or TypeError where an argument does not fit the system.
    """
    return StyleMixer(system, images)


class StyleMixer(PageWidget):
    """See ``style_mixer``. The page changes ``layers``, ``sources`` and ``blend`` only."""

    invitation = "mix the styles of images"
    alt = "A grid of mixed pictures: the coarse styles are the left image's, the fine ones those of the image on top."

    _esm = script("generator.js", "mixer.js")
    layers = Checked().tag(sync=True, echo_update=False)  # L numbers of sources
    sources = Checked().tag(sync=True, echo_update=False)  # S numbers of images
    blend = Checked().tag(sync=True, echo_update=False)
    frame = traitlets.Bytes().tag(sync=True)  # the mix, uint8 (C, H, W)
    colours = traitlets.List([BLUE, ROSE, CLASS_COLOURS[2]]).tag(sync=True)  # of A, B and C
    drawn = traitlets.Bool().tag(sync=True)  # whether the sources are draws, and not images

    def __init__(self, system: System, images=None):
        self._count = getattr(require_system(system), "layers", None)  # L
        if isinstance(self._count, bool) or not isinstance(self._count, int):
            raise TypeError(
                f"{type(system).__name__} has no style inputs to mix; use explore(system), or a system such as "
                "StyleAdversarialLatentAutoencoder."
            )
        if images is None:
            self._codes = system.draw_codes(MOST_SOURCES)  # (N, Z)
            self._decoded = self._images = system.decode(self._codes)  # (N, C, H, W)
        else:
            images = checks.images("images", images, system.image_shape)[:MOST_SOURCES].cpu()
            if len(images) < 2:
                raise ValueError("images must be at least 2 to mix, but there is 1; give more, or none to mix draws.")
            self._images, self._codes = as_float(images), system.encode(images)
            self._decoded = system.decode(self._codes)
        self.system = system
        shown = min(3, len(self._images))
        super().__init__(
            image_shape=list(system.image_shape),
            drawn=images is None,
            sources=list(range(shown)),
            blend=1.0,
            layers=[layer * shown // self._count for layer in range(self._count)],
        )

    def mixed(self) -> Tensor:
        """The mix as the generator takes it: one w for each style input, (L, Z)."""
        w = self._codes[self.sources]  # (S, Z)
        return torch.lerp(w[:1], w[self.layers], self.blend)

    def checked(self, name: str, value: Any) -> list[int] | float:
        if name == "blend":
            if checks.positive_number(name, value, zero=True) > 1:
                raise ValueError(f"blend must be at most 1, the mix itself, but it is {value}.")
            return float(value)
        shown, count = min(3, len(self._images)), len(self._images)
        length, below, what = (self._count, shown, "sources") if name == "layers" else (shown, count, "images")
        numbers = np.asarray(value)
        if (
            numbers.shape != (length,)
            or numbers.dtype.kind not in "iu"
            or not ((numbers >= 0) & (numbers < below)).all()
        ):
            raise ValueError(f"{name} must be {length} numbers of {what}, from 0 to {below - 1}, but it is {value!r}.")
        return numbers.tolist()

    def parcel(self) -> tuple[dict, list[bytes]]:
        """The codes, images and decoded codes to choose from, and the generator for a page that mixes by itself."""
        kinds, weights = generator_parcel(self.system)
        content = {"kinds": kinds, "width": self._codes.shape[1]}
        return content, [raw(self._codes), pixels(self._images), pixels(self._decoded), *map(raw, weights)]

    def preview(self) -> bytes:
        """PNG of all pairs of the sources: the coarser half of the styles from the left, the finer from the top."""
        w, images = self._codes[self.sources], self._images[self.sources]
        coarse = torch.arange(self._count)[:, None] < self._count // 2  # (L, 1)
        rows = [torch.ones_like(images[:1]), images]
        for left, image in zip(w, images, strict=True):
            rows += [image[None], self.system.decode(torch.where(coarse, left, w[:, None]))]
        return grid_png(torch.cat(rows), len(images) + 1)

    @traitlets.observe("layers", "sources", "blend")
    def _show_mix(self, _change: Any) -> None:
        self.frame = pixels(self.system.decode(self.mixed()[None]))


def generator_parcel(system: System) -> tuple[list[str], list[Tensor]]:
    """The generator in use as the page's ``buildGenerator`` takes it; nothing where the kernel has to decode.

    Enlarging and convolving become one step, (out, in, 2, 2, 2, 2): which of the four new pixels, and the 2x2 it sees.
    """
    generator = getattr(system, "decoder_in_use", None)
    if not isinstance(generator, StyleGenerator) or float(system.fade) < 1:
        return [], []
    kinds, weights, products = [], [generator.constant], 0
    side = generator.constant.shape[-1]
    for layer in generator.styled[: 2 * system.blocks]:
        enlarges = layer.blur is not None
        kinds.append("constant" if layer.convolution is None else "enlarges" if enlarges else "convolves")
        if layer.convolution is not None:
            weight = layer.convolution.weight  # (out, in, 3, 3)
            if enlarges:
                weight = torch.einsum("pat,qbu,oitu->oipqab", *2 * [FROM_NEIGHBOURS.to(weight)], weight)
            products += weight.numel() * side**2  # before enlarging: each pixel becomes four, which see four
            weights.append(weight)
        side *= 2 if enlarges else 1
        weights += [layer.bias, layer.style.weight, layer.style.bias]
    last = generator.to_image[system.blocks - 1]
    weights += [last.weight, last.bias, _resizing(system, side)]
    return (kinds, [weight.detach().float() for weight in weights]) if products <= MOST_PRODUCTS else ([], [])


def _resizing(system: System, side: int) -> Tensor:
    """The matrix (H, side) that brings the generator's pictures to their height: what becomes of each row alone."""
    black = torch.zeros(side, system.image_shape[0], side, side, device=system.device)
    rows = black + 0.5 * torch.eye(side, device=system.device)[:, None, :, None]
    return 4 * (system.pictures(rows) - system.pictures(black))[:, 0, :, 0].T  # [-1, 1] becomes [0, 1]: half of a half
