"""The matrix of content and style: what is written in each column, how it is written in each row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import traitlets
from torch import Tensor

from .. import checks
from ..pixels import as_float
from ..systems.base import System, require_system
from .page import DRAWS, Checked, PageWidget, decoder_parcel, grid_png, pixels, raw, reach, script

MOST_ROWS = 6  # images whose styles stand below the chosen one
MOST_CONTENTS = 30  # wider matrices do not fit beside each other


def style_matrix(system: System, images=None, names: Sequence[str] | None = None) -> StyleMatrix:
    """A widget over a ``system`` that decodes (style z, content y): all contents in one style, with a slider per z.

    ``images`` (N, C, H, W), best ones held out, of which the first 6 are used: a row for each shows all contents in its
    style, and a click takes that style over (Makhzani et al. 2015, Fig. 7). ``names``: K captions of the contents.
    ``widget.z`` is the style being shown, a list of Z floats; set it to move the widget.
    Raises ValueError or TypeError where an argument does not fit the system.
    """
    return StyleMatrix(system, images, names)


class StyleMatrix(PageWidget):
    """See ``style_matrix``. The page changes ``z`` only."""

    invitation = "move a slider for each dimension of the style"
    alt = "A matrix of decoded pictures: a column for each content, a row for each style."

    _esm = script("style.js")
    z = Checked().tag(sync=True, echo_update=False)  # Z floats
    frames = traitlets.Bytes().tag(sync=True)  # the contents in the style z, uint8 (K, C, H, W)
    names = traitlets.List().tag(sync=True)  # of the K contents
    limits = traitlets.List().tag(sync=True)  # Z pairs (low, high)
    draws = traitlets.Bytes().tag(sync=True)  # styles to jump to, float32 (M, Z)
    styles = traitlets.Bytes().tag(sync=True)  # of the images, float32 (N, Z)
    thumbnails = traitlets.Bytes().tag(sync=True)  # the images, uint8 (N, C, H, W)
    rows = traitlets.Bytes().tag(sync=True)  # the contents in their styles, uint8 (N, K, C, H, W)

    def __init__(self, system: System, images=None, names: Sequence[str] | None = None):
        if not require_system(system).decodes_labels:
            raise TypeError(
                f"{type(system).__name__} does not tell content from style; use explore(system), or a system such as "
                "SupervisedAdversarialAutoencoder."
            )
        if system.classes > MOST_CONTENTS:
            raise ValueError(
                f"system has {system.classes} contents, and more than {MOST_CONTENTS} do not fit in a row; "
                "look at them with cluster_browser."
            )
        names = list(range(system.classes)) if names is None else names
        if isinstance(names, str) or len(names) != system.classes:
            raise ValueError(f"names must be {system.classes} captions, one for each content, but it is {names!r}.")
        self.system = system
        self.images = torch.empty(0, *system.image_shape)
        if images is not None:
            self.images = checks.images("images", images, system.image_shape)[:MOST_ROWS].cpu()
        draws = system.draw_codes(DRAWS)
        self._styles = system.encode(self.images) if len(self.images) else draws[:0]  # (N, Z)
        super().__init__(
            z=[0.0] * system.latent_dim,
            image_shape=list(system.image_shape),
            names=[str(name) for name in names],
            limits=reach(draws, self._styles),
            draws=raw(draws[:200]),
            styles=raw(self._styles),
            thumbnails=pixels(as_float(self.images)),
            rows=pixels(self.contents(self._styles)) if len(self.images) else b"",
        )

    def contents(self, styles: Tensor) -> Tensor:
        """All K contents in each of the styles (N, Z): pictures (N * K, C, H, W)."""
        count = self.system.classes
        return self.system.decode(styles.repeat_interleave(count, dim=0), torch.arange(count).repeat(len(styles)))

    def checked(self, name: str, value: Any) -> list[float]:
        z = np.asarray(value, dtype=float)
        checks.codes(name, z[None], self.system.latent_dim)
        return z.tolist()

    def parcel(self) -> tuple[dict, list[bytes]]:
        return decoder_parcel(self.system)

    def preview(self) -> bytes:
        """PNG of the matrix: styles of the images, or draws from the prior, below the chosen one."""
        below = self._styles if len(self.images) else self.system.draw_codes(5)
        return grid_png(self.contents(torch.cat([torch.tensor([self.z]), below])), self.system.classes)

    @traitlets.observe("z")
    def _show_style(self, _change: Any) -> None:
        self.frames = pixels(self.contents(torch.tensor([self.z])))
