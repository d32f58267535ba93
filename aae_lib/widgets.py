"""The latent explorer: drag a point through the latent space and watch its decoded picture follow.

A figure per frame would be far too slow, so pixels go straight to a canvas in the page (``widgets.js``). A decoder that
is a stack of linear layers goes to the page once, as weights, and the page decodes by itself; for any other, each new z
goes to the kernel and a picture comes back. ipywidgets keeps one message on its way at a time, and the newest z wins.
"""

from __future__ import annotations

import base64
import io
import math
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
    way_out = "run: pip install 'aae_lib[lab]', or start with: make lab"
    raise ImportError(f"aae_lib.widgets needs anywidget, which is not installed; {way_out}") from error

MOST_IMAGES = 2_000  # more dots than this hide each other
MOST_WEIGHTS = 8_000_000  # 32 MB to the page and about 8 ms a frame there; larger decoders stay in the kernel
DRAWS = 10_000  # from the prior, to see how far it reaches; the page gets the first thousand


def explore(system: System, images=None, limits=None, labels=None) -> LatentExplorer:
    """A widget over a trained ``system``: a pad and sliders that move z, and the picture that z decodes to.

    ``images`` (N, C, H, W), of which the first 2,000 are used: their codes are dots on the pad, coloured by ``labels``
    (N,), and any two can be played into each other. ``limits``: how far the controls reach, (low, high) or Z such
    pairs; by default three standard deviations of the prior and of the codes, but not past the outermost point.
    ``widget.z`` is the code being shown, a list of Z floats; set it to move the widget.
    Raises ValueError or TypeError where an argument does not fit the system.
    """
    return LatentExplorer(system, images, limits, labels)


class Checked(traitlets.TraitType):
    """A trait that ignores what ``widget.checked`` refuses and says why in ``message``: a page shows no tracebacks."""

    def validate(self, widget: LatentExplorer, value: Any) -> list:
        try:
            accepted = widget.checked(self.name, value)
        except (TypeError, ValueError) as error:
            widget.message = f"{self.name} was left as it is: {error}"
            return getattr(widget, self.name)
        widget.message = ""
        return accepted


class LatentExplorer(anywidget.AnyWidget):
    """See ``explore``. The traits are what the page and the kernel share; the page changes ``z`` and ``pair`` only."""

    _esm = Path(__file__).with_suffix(".js")
    _css = Path(__file__).with_suffix(".css")
    # Without echoes: by the time one came back from the kernel, the hand on the mouse would be further on.
    z = Checked().tag(sync=True, echo_update=False)  # Z floats
    pair = Checked().tag(sync=True, echo_update=False)  # the numbers of images A and B
    frame = traitlets.Bytes().tag(sync=True)  # the decoded picture, uint8 (C, H, W)
    thumbnails = traitlets.Bytes().tag(sync=True)  # images A and B, uint8 (2, C, H, W)
    message = traitlets.Unicode().tag(sync=True)
    image_shape = traitlets.List().tag(sync=True)
    limits = traitlets.List().tag(sync=True)  # Z pairs (low, high)
    codes = traitlets.Bytes().tag(sync=True)  # of the images, float32 (N, Z)
    labels = traitlets.List().tag(sync=True)  # N whole numbers, or none
    colours = traitlets.List(CLASS_COLOURS).tag(sync=True)
    draws = traitlets.Bytes().tag(sync=True)  # codes to jump to, float32 (M, Z)
    has_prior = traitlets.Bool().tag(sync=True)

    def __init__(self, system: System, images=None, limits=None, labels=None):
        self.system = system
        self.images = torch.empty(0, *system.image_shape)
        if images is not None:
            self.images = checks.images("images", images, system.image_shape)[:MOST_IMAGES].cpu()
        if labels is not None:
            labels = checks.labels("labels", labels, 0 if images is None else len(images))[:MOST_IMAGES].tolist()
        self._codes = system.encode(self.images) if len(self.images) else torch.empty(0, system.latent_dim)  # (N, Z)
        draws = _draws(system, self._codes)  # (M, Z)
        super().__init__(
            z=[0.0] * system.latent_dim,
            pair=[0, len(self.images) - 1] if len(self.images) else [],
            image_shape=list(system.image_shape),
            limits=_reach(draws, self._codes) if limits is None else _given(limits, system.latent_dim),
            codes=_bytes(self._codes),
            labels=labels or [],
            draws=_bytes(draws[:1000]),
            has_prior=system.prior is not None,
        )
        self.on_msg(self._answer)

    def checked(self, name: str, value: Any) -> list:
        """``value`` as the trait ``name`` ("z" or "pair") has it; TypeError or ValueError where it cannot be."""
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

    def preview(self, side: int = 9) -> bytes:
        """PNG of the pictures along the first two dimensions, from low to high, the others being as in z."""
        z = torch.tensor(self.z).repeat(side, side, 1)  # (side, side, Z)
        z[..., 0] = torch.linspace(*self.limits[0], side)
        if len(self.z) > 1:
            z[..., 1] = torch.linspace(*self.limits[1], side).flip(0)[:, None]  # upwards, as on the pad
        grid = image_grid(self.system.decode(z.flatten(0, 1)), columns=side)
        scale = math.ceil(250 / grid.shape[1])
        pixels = (255 * grid).round().astype(np.uint8).repeat(scale, axis=0).repeat(scale, axis=1)
        png = io.BytesIO()
        Image.fromarray(pixels).save(png, "png")
        return png.getvalue()

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict, dict]:
        data, metadata = super()._repr_mimebundle_(**kwargs)
        data["text/plain"] = "LatentExplorer: run this cell in JupyterLab to drag a point through the latent space."
        data["image/png"] = base64.b64encode(self.preview()).decode()
        alt = "Pictures decoded from a square grid of points in the latent space; in JupyterLab a point can be dragged."
        return data, metadata | {"image/png": {"alt": alt}}

    @traitlets.observe("z")
    def _show_code(self, _change: Any) -> None:
        self.frame = _pixels(self.system.decode(torch.tensor([self.z])))

    @traitlets.observe("pair")
    def _show_pair(self, _change: Any) -> None:
        self.thumbnails = _pixels(as_float(self.images[self.pair]))

    def _answer(self, _widget: Any, _content: Any, _buffers: Any) -> None:
        """Send the decoder to a page that has just opened; as a message, because notebooks may save traits."""
        layers = linear_layers(self.system)
        if layers is not None:
            self.send({"output": self.system.decoder.output}, [_bytes(array) for layer in layers for array in layer])


def linear_layers(system: System) -> list[tuple[Tensor, Tensor]] | None:
    """The decoder as weights (in, out) and biases (out,), batch norm folded in; ReLU follows all but the last.

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


def _draws(system: System, codes: Tensor) -> Tensor:
    """Codes (M, Z) from the prior; where a system has none, from a box about its ``codes`` (N, Z)."""
    generator = torch.Generator().manual_seed(0)
    if system.prior is not None:
        return system.prior.sample(DRAWS, generator)
    low, high = _spread(codes) if len(codes) else (-3.0, 3.0)
    return low + (high - low) * torch.rand(DRAWS, system.latent_dim, generator=generator)


def _spread(cloud: Tensor) -> tuple[Tensor, Tensor]:
    """Three standard deviations to both sides of the mean of points (N, Z), not past the outermost; (Z,) each."""
    mean, three = cloud.mean(dim=0), 3 * cloud.std(dim=0, correction=0)
    return torch.maximum(mean - three, cloud.amin(dim=0)), torch.minimum(mean + three, cloud.amax(dim=0))


def _reach(*clouds: Tensor) -> list[list[float]]:
    """Z pairs (low, high) that hold the spread of all clouds of points (N, Z)."""
    lows, highs = zip(*[_spread(cloud) for cloud in clouds if len(cloud)], strict=True)
    pairs = []
    for low, high in zip(torch.stack(lows).amin(0).tolist(), torch.stack(highs).amax(0).tolist(), strict=True):
        room = 1 if high - low < 1e-6 else 0  # a dimension that never varies
        digits = 1 - math.floor(math.log10(high - low + room))  # two digits of the range are enough for a scale
        pairs.append([round(low - room, digits), round(high + room, digits)])
    return pairs


def _given(limits: Any, latent_dim: int) -> list[list[float]]:
    """The reader's limits as Z pairs (low, high)."""
    pairs = np.asarray(limits, dtype=float)
    fits = pairs.shape in ((2,), (latent_dim, 2)) and np.isfinite(pairs).all()
    if not fits or (pairs[..., 0] >= pairs[..., 1]).any():
        raise ValueError(f"limits must be (low, high), low below high, or {latent_dim} such pairs, not {limits!r}.")
    return np.broadcast_to(pairs, (latent_dim, 2)).tolist()


def _pixels(images: Tensor) -> bytes:
    return _bytes((255 * images).round().byte())


def _bytes(array: Tensor) -> bytes:
    return array.cpu().contiguous().numpy().tobytes()
