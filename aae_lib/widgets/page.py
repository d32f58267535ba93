"""What all widgets share: the page they are drawn in, the decoder that goes there, and the picture that stands in."""

from __future__ import annotations

import base64
import io
import math
from pathlib import Path
from typing import Any, ClassVar

import anywidget
import numpy as np
import torch
import traitlets
from PIL import Image
from torch import Tensor, nn

from ..figures import image_grid
from ..networks import MLP, Decoder
from ..systems.base import System

FOLDER = Path(__file__).parent
MOST_WEIGHTS = 8_000_000  # 32 MB to the page and about 8 ms a picture there; larger decoders stay in the kernel
DRAWS = 10_000  # codes as the prior has them, to see how far it reaches


def script(*names: str) -> str:
    """The module that a page runs for a widget: ``page.js``, which all share, and then its own files."""
    return "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in ("page.js", *names))


class Checked(traitlets.TraitType):
    """A trait that ignores what ``widget.checked`` refuses and says why in ``message``: a page shows no tracebacks."""

    def validate(self, widget: PageWidget, value: Any) -> Any:
        try:
            accepted = widget.checked(self.name, value)
        except (TypeError, ValueError) as error:
            widget.message = f"{self.name} was left as it is: {error}"
            return getattr(widget, self.name)
        widget.message = ""
        return accepted


class PageWidget(anywidget.AnyWidget):
    """Base of all widgets. Traits are what the page and the kernel share; what is large goes in a message instead.

    Traits that the page changes carry ``echo_update=False``: by the time an echo came back from the kernel, the hand on
    the mouse would be further on.
    """

    invitation: ClassVar[str]  # what can be done with it, to end "run this cell in JupyterLab to …"
    alt: ClassVar[str]  # of the picture that stands in for it

    _css = FOLDER / "widgets.css"
    message = traitlets.Unicode().tag(sync=True)
    image_shape = traitlets.List().tag(sync=True)

    def __init__(self, **traits: Any):
        super().__init__(**traits)
        self.on_msg(self._answer)

    def checked(self, name: str, value: Any) -> Any:
        """``value`` as the trait ``name`` has it; TypeError or ValueError where it cannot be."""
        raise NotImplementedError

    def parcel(self) -> tuple[dict, list[bytes]]:
        """What a page that has just opened is sent: not a trait, because notebooks may save those."""
        return {}, []

    def preview(self) -> bytes:
        """PNG of a picture that stands in where no widget runs."""
        raise NotImplementedError

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict, dict]:
        data, metadata = super()._repr_mimebundle_(**kwargs)
        data["text/plain"] = f"{type(self).__name__}: run this cell in JupyterLab to {self.invitation}."
        data["image/png"] = base64.b64encode(self.preview()).decode()
        return data, metadata | {"image/png": {"alt": self.alt}}

    def _answer(self, _widget: Any, _content: Any, _buffers: Any) -> None:
        content, buffers = self.parcel()
        if buffers:
            self.send(content, buffers)


def linear_layers(system: System) -> list[tuple[Tensor, Tensor]] | None:
    """The decoder as weights (in, out) and biases (out,), batch norm folded in; ReLU follows all but the last.

    None where the decoder is not such a stack, or too large a one, or not what ``decode`` uses.
    """
    decoder = getattr(system, "decoder_in_use", getattr(system, "decoder", None))
    if not isinstance(decoder, Decoder) or not isinstance(decoder.body, MLP):
        return None
    layers: list[tuple[Tensor, Tensor]] = []
    for module in decoder.body:
        if isinstance(module, nn.Linear):
            layers.append((module.weight.detach().T, module.bias.detach()))
        elif isinstance(module, nn.BatchNorm1d):
            scale = module.weight.detach() / (module.running_var + module.eps).sqrt()  # (out,)
            layers.append(_scaled(*layers.pop(), scale, module.bias.detach() - module.running_mean * scale))
        elif not isinstance(module, nn.ReLU):
            return None
    if system.standardised:  # as System.pictures undoes it
        layers.append(_scaled(*layers.pop(), system.pixel_std.flatten(), system.pixel_mean.flatten()))
    width = system.latent_dim + (system.classes if system.decodes_labels else 0)
    if len(layers[0][0]) != width or sum(weight.numel() for weight, _ in layers) > MOST_WEIGHTS:
        return None
    return layers if _decodes_alike(system, layers) else None


def _decodes_alike(system: System, layers: list[tuple[Tensor, Tensor]]) -> bool:
    """Whether ``decode`` makes the same of a few codes: a reader's own may do something else with its decoder."""
    z = torch.linspace(-1, 1, 3 * system.latent_dim, device=system.device).reshape(3, -1)
    values, labels = z, ()
    if system.decodes_labels:
        labels = (torch.arange(3, device=system.device) % system.classes,)
        values = torch.cat([nn.functional.one_hot(*labels, system.classes), z], dim=1)
    for k, (weight, bias) in enumerate(layers):
        values = (values if k == 0 else values.relu()) @ weight + bias
    values = values.sigmoid() if system.decoder.output == "sigmoid" else values.clamp(0, 1)
    return torch.allclose(values, system.decode(z, *labels).flatten(1), atol=1e-3, equal_nan=True)


def _scaled(weight: Tensor, bias: Tensor, scale: Tensor, shift: Tensor) -> tuple[Tensor, Tensor]:
    """A linear layer (in, out), (out,): its outputs times ``scale`` (out,), moved by ``shift`` (out,)."""
    return weight * scale, bias * scale + shift


def decoder_parcel(system: System) -> tuple[dict, list[bytes]]:
    """The decoder for a page that decodes by itself; nothing where the kernel has to."""
    layers = linear_layers(system)
    if layers is None:
        return {}, []
    return {"output": system.decoder.output}, [raw(array) for layer in layers for array in layer]


def spread(cloud: Tensor) -> tuple[Tensor, Tensor]:
    """Three standard deviations to both sides of the mean of points (N, Z), not past the outermost; (Z,) each."""
    mean, three = cloud.mean(dim=0), 3 * cloud.std(dim=0, correction=0)
    return torch.maximum(mean - three, cloud.amin(dim=0)), torch.minimum(mean + three, cloud.amax(dim=0))


def reach(*clouds: Tensor) -> list[list[float]]:
    """Z pairs (low, high) that hold the spread of all clouds of points (N, Z)."""
    lows, highs = zip(*[spread(cloud) for cloud in clouds if len(cloud)], strict=True)
    pairs = []
    for low, high in zip(torch.stack(lows).amin(0).tolist(), torch.stack(highs).amax(0).tolist(), strict=True):
        room = 1 if high - low < 1e-6 else 0  # a dimension that never varies
        digits = 1 - math.floor(math.log10(high - low + room))  # two digits of the range are enough for a scale
        pairs.append([round(low - room, digits), round(high + room, digits)])
    return pairs


def grid_png(images: Tensor, columns: int) -> bytes:
    """PNG of images (N, C, H, W) in a grid at least 450 pixels wide."""
    grid = image_grid(images, columns)
    scale = math.ceil(450 / grid.shape[1])
    png = io.BytesIO()
    enlarged = (255 * grid).round().astype(np.uint8).repeat(scale, axis=0).repeat(scale, axis=1)
    Image.fromarray(enlarged).save(png, "png")
    return png.getvalue()


def pixels(images: Tensor) -> bytes:
    """Images in [0, 1] as uint8 bytes."""
    return raw((255 * images).round().byte())


def raw(array: Tensor) -> bytes:
    return array.cpu().contiguous().numpy().tobytes()
