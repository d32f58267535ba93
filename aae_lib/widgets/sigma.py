"""A slider over σ, the width of Parzen windows: the likelihood it gives, and the noise it takes for images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import traitlets

from .. import checks
from ..evaluation.parzen import parzen_log_likelihood, sigma_search
from ..figures import as_png, canvas, image_grid
from ..pixels import as_float
from .page import Checked, PageWidget, pixels, script

MOST_SAMPLES = 10_000
MOST_IMAGES = 500  # enough to see where the likelihood is highest
MOST_OWN = 100  # samples that are scored themselves
SHOWN = 12  # samples to look at
GRID = tuple(np.geomspace(0.05, 1, 31).round(4).tolist())


def sigma_slider(samples, validation_images, sigmas: Sequence[float] = GRID) -> SigmaSlider:
    """A widget that shows the Parzen-window log-likelihood over σ and what is in a window of the chosen σ.

    ``samples`` (M, C, H, W) of a model, of which the first 10,000 are centres of windows, and ``validation_images``
    (N, C, H, W), of which the first 500 are scored. ``sigmas``: increasing widths. For comparison the first 100 samples
    are scored too, by the windows around themselves: there the narrowest window always wins.
    ``widget.sigma`` is the width being shown, at first ``widget.best``, where the validation images are likeliest; set
    it to move the widget (Makhzani et al. 2015, Sec. 3).
    Raises ValueError or TypeError where an argument does not fit, or the best of ``sigmas`` is their first or last.
    """
    return SigmaSlider(samples, validation_images, sigmas)


class SigmaSlider(PageWidget):
    """See ``sigma_slider``. The page changes ``sigma`` only."""

    invitation = "move a slider over σ"
    alt = "The log-likelihood over σ, and draws from windows narrower than the best, as wide, and wider."

    _esm = script("sigma.js")
    sigma = Checked().tag(sync=True, echo_update=False)
    sigmas = traitlets.List().tag(sync=True)  # S widths
    validation = traitlets.List().tag(sync=True)  # S mean log-likelihoods in nats
    own = traitlets.List().tag(sync=True)  # the same of the samples themselves
    best = traitlets.Float().tag(sync=True)
    samples = traitlets.Bytes().tag(sync=True)  # some of them, uint8 (n, C, H, W)

    def __init__(self, samples, validation_images, sigmas: Sequence[float] = GRID):
        samples = as_float(checks.images("samples", samples)[:MOST_SAMPLES]).cpu()  # (M, C, H, W)
        images = as_float(checks.images("validation_images", validation_images)[:MOST_IMAGES]).cpu()  # (N, C, H, W)
        found = sigma_search(samples, images, sigmas)
        themselves = samples[:MOST_OWN]
        self._shown = samples[:SHOWN]
        super().__init__(
            sigma=found.sigma,
            image_shape=list(samples.shape[1:]),
            sigmas=list(found.sigmas),
            validation=list(found.log_likelihoods),
            own=[float(parzen_log_likelihood(samples, themselves, sigma=sigma).mean()) for sigma in found.sigmas],
            best=found.sigma,
            samples=pixels(self._shown),
        )

    def checked(self, name: str, value: Any) -> float:
        return checks.positive_number(name, value)

    def preview(self) -> bytes:
        """PNG of the likelihood over σ, and of draws from windows a third of the best, the best, and three times it."""
        figure, (curve, windows) = canvas(2, 2, 4.6, 3.2)
        curve.semilogx(self.sigmas, self.validation)
        curve.axvline(self.best, color="0.5", linestyle=":")
        curve.set(xlabel="σ", ylabel="nats per image, on validation", title=f"highest at σ = {self.best:.3g}")
        shown = self._shown[:5]  # (n, C, H, W)
        noise = torch.randn(shown.shape, generator=torch.Generator().manual_seed(0))
        widths = [factor * self.best for factor in (0, 1 / 3, 1, 3)]
        rows = [(shown + width * noise).clamp(0, 1) for width in widths]
        windows.imshow(image_grid(torch.cat(rows), len(shown)), cmap="gray", vmin=0, vmax=1)
        height = shown.shape[2]
        names = ["samples", *[f"σ = {width:.2g}" for width in widths[1:]]]
        windows.set_yticks([(height + 1) * row + height / 2 for row in range(len(rows))], names)
        windows.set(xticks=[], title="a draw from the window of each")
        windows.tick_params(length=0)
        windows.spines[:].set_visible(False)
        return as_png(figure)
