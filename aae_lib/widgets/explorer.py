"""The latent explorer: drag a point through the latent space and watch its decoded picture follow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import traitlets
from torch import Tensor

from .. import checks
from ..figures import CLASS_COLOURS
from ..pixels import as_float
from ..systems.base import System, require_system
from .page import (
    DRAWS,
    Checked,
    PageWidget,
    decoder_parcel,
    grid_png,
    pixels,
    raw,
    reach,
    script,
    spread,
)

MOST_IMAGES = 2_000  # more dots than this hide each other


def explore(
    system: System, images=None, limits=None, labels=None, names: Sequence[str] | None = None
) -> LatentExplorer:
    """A widget over a trained ``system``: a pad and sliders that move z, and the picture that z decodes to.

    ``images`` (N, C, H, W), of which the first 2,000 are used: their codes are dots on the pad, coloured by ``labels``
    (N,), and any two can be played into each other. ``names``: a caption for each label. ``limits``: how far the
    controls reach, (low, high) or Z such pairs; by default three standard deviations of the prior and of the codes, but
    not past the outermost point.
    ``widget.z`` is the code being shown, a list of Z floats; set it to move the widget.
    Raises ValueError or TypeError where an argument does not fit the system.
    """
    return LatentExplorer(system, images, limits, labels, names)


class LatentExplorer(PageWidget):
    """See ``explore``. The page changes ``z`` and ``pair`` only."""

    invitation = "drag a point through the latent space"
    alt = "Pictures decoded from a square grid of points in the latent space; in JupyterLab a point can be dragged."

    _esm = script("explorer.js")
    z = Checked().tag(sync=True, echo_update=False)  # Z floats
    pair = Checked().tag(sync=True, echo_update=False)  # the numbers of images A and B
    frame = traitlets.Bytes().tag(sync=True)  # the decoded picture, uint8 (C, H, W)
    thumbnails = traitlets.Bytes().tag(sync=True)  # images A and B, uint8 (2, C, H, W)
    limits = traitlets.List().tag(sync=True)  # Z pairs (low, high)
    codes = traitlets.Bytes().tag(sync=True)  # of the images, float32 (N, Z)
    labels = traitlets.List().tag(sync=True)  # N whole numbers, or none
    names = traitlets.List().tag(sync=True)  # of the labels, or none
    colours = traitlets.List(CLASS_COLOURS).tag(sync=True)
    draws = traitlets.Bytes().tag(sync=True)  # codes to jump to, float32 (M, Z)
    has_prior = traitlets.Bool().tag(sync=True)

    def __init__(self, system: System, images=None, limits=None, labels=None, names: Sequence[str] | None = None):
        if require_system(system).decodes_labels:
            raise TypeError(
                f"{type(system).__name__} decodes a label beside z, which no point can say; use style_matrix(system)."
            )
        self.system = system
        self.images = torch.empty(0, *system.image_shape)
        if images is not None:
            self.images = checks.images("images", images, system.image_shape)[:MOST_IMAGES].cpu()
        if labels is not None:
            labels = checks.labels("labels", labels, 0 if images is None else len(images))[:MOST_IMAGES].tolist()
        least = 1 + max(labels or [0])
        if names is not None and (isinstance(names, str) or len(names) < least):
            raise ValueError(f"names must be at least {least} captions, one for each label, but it is {names!r}.")
        self._codes = system.encode(self.images) if len(self.images) else torch.empty(0, system.latent_dim)  # (N, Z)
        draws = _draws(system, self._codes)  # (M, Z)
        super().__init__(
            z=[0.0] * system.latent_dim,
            pair=[0, len(self.images) - 1] if len(self.images) else [],
            image_shape=list(system.image_shape),
            limits=reach(draws, self._codes) if limits is None else _given(limits, system.latent_dim),
            codes=raw(self._codes),
            labels=labels or [],
            names=[] if names is None else [str(name) for name in names],
            draws=raw(draws[:1000]),
            has_prior=system.prior is not None,
        )

    def checked(self, name: str, value: Any) -> list:
        if name == "z":
            z = np.asarray(value, dtype=float)
            checks.codes("z", z[None], self.system.latent_dim)
            return z.tolist()
        pair, count = list(value), len(self.images)
        if len(pair) != min(2, 2 * count) or not all(isinstance(n, int) and 0 <= n < count for n in pair):
            raise ValueError(f"pair must be two image numbers from 0 to {count - 1}, but it is {pair}.")
        return pair

    def between(self, position: float) -> None:
        """Move z to ``position`` on the straight line from the code of image A (0) to that of image B (1)."""
        if not self.pair:
            raise ValueError("there is no pair of images to move between; use explore(system, images).")
        self.z = torch.lerp(*self._codes[self.pair], position).tolist()

    def parcel(self) -> tuple[dict, list[bytes]]:
        return decoder_parcel(self.system)

    def preview(self, side: int = 9) -> bytes:
        """PNG of the pictures along the first two dimensions, from low to high, the others being as in z."""
        z = torch.tensor(self.z).repeat(side, side, 1)  # (side, side, Z)
        z[..., 0] = torch.linspace(*self.limits[0], side)
        if len(self.z) > 1:
            z[..., 1] = torch.linspace(*self.limits[1], side).flip(0)[:, None]  # upwards, as on the pad
        return grid_png(self.system.decode(z.flatten(0, 1)), side)

    @traitlets.observe("z")
    def _show_code(self, _change: Any) -> None:
        self.frame = pixels(self.system.decode(torch.tensor([self.z])))

    @traitlets.observe("pair")
    def _show_pair(self, _change: Any) -> None:
        self.thumbnails = pixels(as_float(self.images[self.pair]))


def _draws(system: System, codes: Tensor) -> Tensor:
    """Codes (M, Z) as the prior has them; where a system has none, from a box about its ``codes`` (N, Z)."""
    if system.prior is not None:
        return system.draw_codes(DRAWS)
    low, high = spread(codes) if len(codes) else (-3.0, 3.0)
    return low + (high - low) * torch.rand(DRAWS, system.latent_dim, generator=torch.Generator().manual_seed(0))


def _given(limits: Any, latent_dim: int) -> list[list[float]]:
    """The reader's limits as Z pairs (low, high)."""
    pairs = np.asarray(limits, dtype=float)
    fits = pairs.shape in ((2,), (latent_dim, 2)) and np.isfinite(pairs).all()
    if not fits or (pairs[..., 0] >= pairs[..., 1]).any():
        raise ValueError(f"limits must be (low, high), low below high, or {latent_dim} such pairs, not {limits!r}.")
    return np.broadcast_to(pairs, (latent_dim, 2)).tolist()
