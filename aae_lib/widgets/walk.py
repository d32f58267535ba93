"""A walk along a prior that is a curve: a dot moves along the swiss roll, and its decoded picture changes with it."""

from __future__ import annotations

from typing import Any

import torch
import traitlets

from .. import checks
from ..figures import CLASS_COLOURS
from ..priors import Prior
from ..systems.base import System, require_system
from .page import Checked, PageWidget, decoder_parcel, grid_png, pixels, raw, script

STEPS = 1000  # of the walk


def walk(system: System, prior: Prior | None = None) -> Walk:
    """A widget that walks along a ``prior`` that is a curve, such as ``SwissRoll()``, and decodes where it stands.

    ``prior``: by default the system's own; it must have ``at(u)``, the point at the share u of the way.
    ``widget.u`` is that share, from 0 to 1; set it to move the widget (Makhzani et al. 2015, Sec. 2.3, Fig. 4).
    Raises ValueError or TypeError where the prior is no curve or does not fit the system.
    """
    return Walk(system, prior)


class Walk(PageWidget):
    """See ``walk``. The page changes ``u`` only."""

    invitation = "walk along the swiss roll"
    alt = "Pictures decoded along the prior, from its start to its end, row by row."

    _esm = script("walk.js")
    u = Checked().tag(sync=True, echo_update=False)
    frame = traitlets.Bytes().tag(sync=True)  # the decoded picture, uint8 (C, H, W)
    curve = traitlets.Bytes().tag(sync=True)  # its points from u = 0 to u = 1, float32 (STEPS + 1, 2)
    classes = traitlets.Int().tag(sync=True)  # class k owns its k-th part; 0: there are none
    colours = traitlets.List(CLASS_COLOURS).tag(sync=True)

    def __init__(self, system: System, prior: Prior | None = None):
        prior = require_system(system).prior if prior is None else prior
        if not hasattr(prior, "at") or prior.dim != 2:
            raise TypeError(
                f"prior must be a curve in the plane to walk along, such as SwissRoll(), but it is {prior!r}."
            )
        if system.decodes_labels or system.latent_dim != prior.dim:
            raise ValueError(
                f"system must decode points of the plane, but {type(system).__name__} does not; "
                "use one with prior=SwissRoll()."
            )
        self.system = system
        self.prior = prior
        super().__init__(
            u=0.0,
            image_shape=list(system.image_shape),
            curve=raw(prior.at(torch.linspace(0, 1, STEPS + 1))),
            classes=prior.classes,
        )

    def checked(self, name: str, value: Any) -> float:
        u = checks.positive_number(name, value, zero=True)
        if u > 1:
            raise ValueError(f"u must be at most 1, the end of the way, but it is {u}.")
        return u

    def parcel(self) -> tuple[dict, list[bytes]]:
        return decoder_parcel(self.system)

    def preview(self, count: int = 40) -> bytes:
        """PNG of pictures along the way, ten in a row."""
        return grid_png(self.system.decode(self.prior.at((torch.arange(count) + 0.5) / count)), 10)

    @traitlets.observe("u")
    def _show_place(self, _change: Any) -> None:
        self.frame = pixels(self.system.decode(self.prior.at(torch.tensor([self.u]))))
