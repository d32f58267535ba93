"""The latent explorer: drag a point through the latent space and watch its decoded picture follow.

A figure per frame would be far too slow, so pixels go straight to a canvas in the page (``widgets.js``). A decoder that is a
stack of linear layers goes to the page once, as weights, and the page then decodes by itself; for any other decoder each new
z goes to the kernel and a picture comes back. ipywidgets keeps one message on its way at a time and the newest z wins.
"""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from . import checks
from .figures import CLASS_COLOURS, image_grid
from .networks import MLP, Decoder
from .systems.base import System, as_float

try:
    import anywidget
    import traitlets
except ImportError as error:
    raise ImportError(
        "aae_lib.widgets needs anywidget, which is not installed; run: pip install 'aae_lib[lab]', or start with: make lab"
    ) from error

MOST_IMAGES = 2_000  # more dots than this hide each other
MOST_WEIGHTS = 8_000_000  # 32 MB to the page, and about 8 ms a frame there; larger decoders stay in the kernel
DRAWS = 10_000  # of the prior, to see how far it reaches


def explore(system: System, images=None, limits=None, labels=None) -> LatentExplorer:
    """A widget over a trained ``system``: a pad and sliders that move z, and the picture that z decodes to.

    ``images`` (N, C, H, W): their codes are dots on the pad, and any two of them can be played into each other; the first 2,000
    are used. ``labels`` (N,) colour the dots. ``limits``: how far the controls reach, as (low, high) for every dimension or one
    such pair per dimension; by default three standard deviations of the prior and of the codes, never past the outermost.
    ``widget.z`` is the code being shown, a list of Z floats; set it to move the widget. It shows the weights that the system
    had when the widget was displayed. Raises ValueError or TypeError where an argument does not fit the system.
    """
    return LatentExplorer(system, images, limits, labels)


class Checked(traitlets.TraitType):
    """A trait that takes what the widget's method ``check`` makes of a value.

    What the check refuses is ignored and the reason put into ``message``, because a page has no place for a traceback.
    """

    def __init__(self, check: Callable[[LatentExplorer, Any], list], **settings: Any):
        super().__init__([], **settings)
        self.check = check

    def validate(self, widget: LatentExplorer, value: Any) -> list:
        try:
            accepted = self.check(widget, value)
        except (TypeError, ValueError) as error:
            widget.message = str(error)
            return getattr(widget, self.name)
        widget.message = ""
        return accepted


class LatentExplorer(anywidget.AnyWidget):
    """See ``explore``. The traits below are what the page and the kernel share; the page changes ``z`` and ``pair`` only."""

    def _checked_code(self, value: Any) -> list[float]:
        z = np.asarray(value, dtype=float)
        checks.codes("z", z[None], self.system.latent_dim)
        return z.tolist()

    def _checked_pair(self, value: Any) -> list[int]:
        pair, count = list(value), len(self.images)
        if len(pair) != min(2, 2 * count) or not all(isinstance(index, int) and 0 <= index < count for index in pair):
            raise ValueError(f"pair must be two image numbers from 0 to {count - 1}, but it is {pair}.")
        return pair

    _esm = Path(__file__).with_suffix(".js")
    # No echo: by the time it came back from the kernel, the hand on the mouse would be further on.
    z = Checked(_checked_code).tag(sync=True, echo_update=False)  # Z floats
    pair = Checked(_checked_pair).tag(sync=True, echo_update=False)  # numbers of the images A and B
    frame = traitlets.Bytes().tag(sync=True)  # the decoded picture, uint8 (C, H, W)
    thumbnails = traitlets.Bytes().tag(sync=True)  # images A and B, uint8 (2, C, H, W)
    message = traitlets.Unicode().tag(sync=True)
    image_shape = traitlets.List().tag(sync=True)
    limits = traitlets.List().tag(sync=True)  # Z pairs (low, high)
    codes = traitlets.Bytes().tag(sync=True)  # of the images, float32 (N, Z)
    labels = traitlets.List().tag(sync=True)  # N whole numbers, or none
    colours = traitlets.List(CLASS_COLOURS).tag(sync=True)
    draws = traitlets.Bytes().tag(sync=True)  # codes for the button "draw", float32 (M, Z)
    has_prior = traitlets.Bool().tag(sync=True)

    def __init__(self, system: System, images=None, limits=None, labels=None):
        self.system = system
        self.images = torch.empty(0, *system.image_shape, dtype=torch.uint8)
        if images is not None:
            self.images = checks.images("images", images, system.image_shape)[:MOST_IMAGES].cpu()
            labels = labels if labels is None else checks.labels("labels", labels, len(images))[:MOST_IMAGES]
        self._codes = system.encode(self.images) if len(self.images) else torch.empty(0, system.latent_dim)  # (N, Z)
        generator = torch.Generator().manual_seed(0)
        draws = None if system.prior is None else system.prior.sample(DRAWS, generator)  # (M, Z)
        reach = _reach(limits, system.latent_dim, [cloud for cloud in (draws, self._codes) if cloud is not None and len(cloud)])
        if draws is None:
            low, high = torch.tensor(reach).T
            draws = low + (high - low) * torch.rand(DRAWS, system.latent_dim, generator=generator)
        super().__init__(
            z=[0.0] * system.latent_dim,
            pair=[0, len(self.images) - 1] if len(self.images) else [],
            image_shape=list(system.image_shape),
            limits=reach,
            codes=_bytes(self._codes),
            labels=[] if labels is None or images is None else labels.tolist(),
            draws=_bytes(draws[:1000]),
            has_prior=system.prior is not None,
        )
        self.on_msg(self._answer)

    def between(self, position: float) -> None:
        """Move z to ``position`` on the straight line from the code of image A (0) to that of image B (1)."""
        first, second = self._codes[self.pair]  # (Z,) each
        self.z = torch.lerp(first, second, position).tolist()

    def preview(self, side: int = 9) -> bytes:
        """PNG of the pictures along the first two dimensions, from low to high, the others being as in z."""
        z = torch.tensor(self.z).repeat(side, side, 1)  # (side, side, Z)
        for dimension, axis in zip(range(len(self.z)), (0, 1), strict=False):
            z[..., dimension] = torch.linspace(*self.limits[dimension], side).unsqueeze(axis)
        if len(self.z) > 1:
            z = z.flip(0)  # the second dimension points upwards, as on the pad
        grid = image_grid(self.system.decode(z.flatten(0, 1)), columns=side)
        enlarged = grid.repeat(scale := math.ceil(250 / grid.shape[1]), axis=0).repeat(scale, axis=1)
        png = io.BytesIO()
        Image.fromarray((255 * enlarged).round().astype(np.uint8)).save(png, "png")
        return png.getvalue()

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict, dict]:
        data, metadata = super()._repr_mimebundle_(**kwargs)
        data["text/plain"] = "LatentExplorer: run this cell in JupyterLab to drag a point through the latent space."
        data["image/png"] = base64.b64encode(self.preview()).decode()
        alt = "Pictures decoded from a grid of points in the latent space, neighbours looking alike; in JupyterLab it can be dragged."
        return data, metadata | {"image/png": {"alt": alt}}

    @traitlets.observe("z")
    def _show_code(self, _change: Any) -> None:
        self.frame = _bytes(_pixels(self.system.decode(torch.tensor([self.z]))))

    @traitlets.observe("pair")
    def _show_pair(self, _change: Any) -> None:
        self.thumbnails = _bytes(_pixels(as_float(self.images[self.pair])))

    def _answer(self, _widget: Any, _content: Any, _buffers: Any) -> None:
        """Send the decoder to a page that has just opened. A message, not a trait: notebooks save traits with their outputs."""
        layers = linear_layers(self.system)
        if layers is not None:
            self.send({"output": self.system.decoder.output}, [_bytes(array) for layer in layers for array in layer])


def linear_layers(system: System) -> list[tuple[Tensor, Tensor]] | None:
    """The decoder as weights (in, out) and biases (out,), batch norm folded into them; all but the last are followed by ReLU.

    None where the decoder is not such a stack, or too large a one.
    """
    decoder = getattr(system, "decoder", None)
    if not isinstance(decoder, Decoder) or not isinstance(decoder.body, MLP):
        return None
    layers: list[tuple[Tensor, Tensor]] = []
    for module in decoder.body:
        if isinstance(module, nn.Linear):
            layers.append((module.weight.detach().T, module.bias.detach()))
        elif isinstance(module, nn.BatchNorm1d):
            weight, bias = layers.pop()
            scale = module.weight.detach() / (module.running_var + module.eps).sqrt()  # (out,)
            layers.append((weight * scale, (bias - module.running_mean) * scale + module.bias.detach()))
        elif not isinstance(module, nn.ReLU):
            return None
    if len(layers[0][0]) != system.latent_dim or sum(weight.numel() for weight, _ in layers) > MOST_WEIGHTS:
        return None
    return layers


def _reach(limits: Any, latent_dim: int, clouds: list[Tensor]) -> list[list[float]]:
    """Z pairs (low, high): as given, or from clouds of points (N, Z), rounded to two digits."""
    if limits is not None:
        try:
            given = np.broadcast_to(np.asarray(limits, dtype=float), (latent_dim, 2))
        except (TypeError, ValueError):
            given = np.full((latent_dim, 2), np.nan)
        if not np.isfinite(given).all() or (given[:, 0] >= given[:, 1]).any():
            raise ValueError(
                f"limits must be (low, high) with low below high, or {latent_dim} such pairs, but they are {limits!r}."
            )
        return given.tolist()
    spreads = torch.stack([_spread(cloud) for cloud in clouds])  # (clouds, 2, Z)
    low, high = spreads[:, 0].amin(dim=0).tolist(), spreads[:, 1].amax(dim=0).tolist()
    return [_rounded(*pair) for pair in zip(low, high, strict=True)]


def _spread(cloud: Tensor) -> Tensor:
    """Three standard deviations about the mean of points (N, Z), but not past the outermost point; (2, Z)."""
    mean, three = cloud.mean(dim=0), 3 * cloud.std(dim=0, correction=0)
    return torch.stack([torch.maximum(mean - three, cloud.amin(dim=0)), torch.minimum(mean + three, cloud.amax(dim=0))])


def _rounded(low: float, high: float) -> list[float]:
    """Two digits of the range are enough for a scale; a dimension that never varies gets some room."""
    if high - low < 1e-6:
        low, high = low - 1, high + 1
    digits = 1 - math.floor(math.log10(high - low))
    return [round(low, digits), round(high, digits)]


def _pixels(images: Tensor) -> Tensor:
    return images.clamp(0, 1).mul(255).round().byte()


def _bytes(array: Tensor) -> bytes:
    return array.cpu().contiguous().numpy().tobytes()
