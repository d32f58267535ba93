"""Encoder, decoder and discriminator: the three networks that every system is made of.

Each comes as a multi-layer perceptron (the paper's choice) or as a convolutional network, for images of any shape.
Weights are drawn from a seed, noise from the generator that is passed in.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from . import checks
from .weights import blank, initialise  # noqa: F401 (who builds networks wants it beside them)

POSTERIORS = ("deterministic", "gaussian", "universal")
BODIES = ("mlp", "convolutional")
OUTPUTS = ("sigmoid", "linear", "standardised", "auto")
UNITS, CHANNELS = (1000, 1000), (32, 64, 128)  # of an MLP, and of a convolutional body, where nothing else is asked for


class MLP(nn.Sequential):
    """Linear layers of the given sizes with ReLU between them; the last one is linear.

    ``sizes`` (in, hidden…, out). ``batch_norm`` normalises the hidden layers, ``batch_norm_output`` the last one too.
    """

    def __init__(self, sizes: Sequence[int], *, batch_norm: bool = False, batch_norm_output: bool = False):
        layers: list[nn.Module] = []
        *hidden, last = itertools.pairwise(sizes)
        for width_in, width_out in hidden:
            layers.append(blank(nn.Linear, width_in, width_out))
            if batch_norm:
                layers.append(nn.BatchNorm1d(width_out))
            layers.append(nn.ReLU())
        layers.append(blank(nn.Linear, *last))
        if batch_norm_output:
            layers.append(nn.BatchNorm1d(last[1]))
        super().__init__(*layers)


class ConvolutionalEncoder(nn.Sequential):
    """Halve the image with 4x4 convolutions of stride 2, one for each of ``channels``; then one linear layer."""

    def __init__(self, image_shape, channels: Sequence[int], out: int, *, batch_norm: bool = False):
        layers: list[nn.Module] = []
        for width_in, width_out in itertools.pairwise((image_shape[0], *channels)):
            layers.append(blank(nn.Conv2d, width_in, width_out, 4, stride=2, padding=1))
            if batch_norm:
                layers.append(nn.BatchNorm2d(width_out))
            layers.append(nn.LeakyReLU(0.2))
        height, width = _halved(image_shape, len(channels))[-1]
        super().__init__(*layers, nn.Flatten(), blank(nn.Linear, channels[-1] * height * width, out))


class ConvolutionalDecoder(nn.Module):
    """The encoder mirrored: a linear layer to the smallest picture, then enlarge and convolve up to ``image_shape``."""

    def __init__(self, features: int, image_shape, channels: Sequence[int], *, batch_norm: bool = False):
        super().__init__()
        channels = list(reversed(channels))
        *self.sizes, smallest = [*_halved(image_shape, len(channels))]
        self.sizes.reverse()
        self.smallest = (channels[0], *smallest)
        self.first = blank(nn.Linear, features, math.prod(self.smallest))
        self.blocks = nn.ModuleList()
        for width_in, width_out in itertools.pairwise([*channels, image_shape[0]]):
            convolution = blank(nn.Conv2d, width_in, width_out, 3, padding=1)
            norm = nn.BatchNorm2d(width_in) if batch_norm else nn.Identity()
            self.blocks.append(nn.Sequential(norm, nn.LeakyReLU(0.2), convolution))

    def forward(self, z: Tensor) -> Tensor:
        x = self.first(z).unflatten(1, self.smallest)
        for size, block in zip(self.sizes, self.blocks, strict=True):
            x = block(F.interpolate(x, size=size))  # nearest neighbour, to the exact size on the encoder's way down
        return x


class Encoder(nn.Module):
    """q(z | x), in the paper's three forms (Makhzani et al. 2015, Sec. 2, "Choice of the encoder").

    - ``"deterministic"``: z = f(x), all randomness being the data's.
    - ``"gaussian"``: z = μ(x) + σ(x) ε with ε ~ N(0, I).
    - ``"universal"``: z = f(x, η) with noise η ~ N(0, I) at the input, any posterior a network can make of it.

    ``batch_norm``: of hidden layers; "codes": of z too. ``input_noise`` is the std of Gaussian noise on the images,
    ``input_dropout`` the share of pixels set to 0, both in training mode only.
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        latent_dim: int,
        *,
        posterior: str = "deterministic",
        hidden: Sequence[int] | None = None,
        body: str = "mlp",
        batch_norm: bool | str = False,
        batch_norm_output: bool = False,
        noise_dim: int = 16,
        input_noise: float = 0.0,
        input_dropout: float = 0.0,
    ):
        super().__init__()
        self.posterior = checks.one_of("posterior", posterior, POSTERIORS)
        self.latent_dim = checks.positive_integer("latent_dim", latent_dim)
        self.noise_dim = checks.positive_integer("noise_dim", noise_dim) if posterior == "universal" else 0
        self.input_noise = checks.positive_number("input_noise", input_noise, zero=True)
        self.input_dropout = checks.positive_number("input_dropout", input_dropout, zero=True)
        if self.input_dropout >= 1:
            raise ValueError(
                f"input_dropout must be below 1, the share of pixels that are dropped, but it is {input_dropout}."
            )
        if isinstance(batch_norm, str):
            batch_norm_output = bool(checks.one_of("batch_norm, unless it is True or False,", batch_norm, ("codes",)))
        hidden = widths(hidden, body, image_shape)
        out = latent_dim * (2 if posterior == "gaussian" else 1)
        if body == "mlp":
            sizes = (math.prod(image_shape) + self.noise_dim, *hidden, out)
            self.body = MLP(sizes, batch_norm=batch_norm, batch_norm_output=batch_norm_output)
        else:
            _halved(image_shape, len(hidden))  # refuses what cannot be built
            self.features = ConvolutionalEncoder(image_shape, hidden, hidden[-1], batch_norm=batch_norm)
            sizes = (hidden[-1] + self.noise_dim, hidden[-1], out)
            self.body = MLP(sizes, batch_norm=batch_norm, batch_norm_output=batch_norm_output)
        self.convolutional = body == "convolutional"

    def forward(self, images: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Codes (B, Z) for images (B, C, H, W) in [0, 1]; without a generator, without noise (a Gaussian's mean)."""
        if self.posterior == "gaussian":
            mean, log_variance = self.gaussian(images, generator)
            if generator is None:
                return mean
            return mean + (0.5 * log_variance).exp() * _noise(mean, generator)
        return self._out(images, generator)

    def gaussian(self, images: Tensor, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """μ and log σ², each (B, Z), of the Gaussian posterior."""
        mean, log_variance = self._out(images, generator).chunk(2, dim=1)
        return mean, log_variance.clamp(-20, 20)  # exp of more is no number any more; reached only by a diverging run

    @property
    def repeatable(self) -> bool:
        """Whether, in training too, the same images have the same codes again, and encoding leaves nothing behind."""
        noise = self.posterior != "deterministic" or self.input_noise or self.input_dropout
        known = (Encoder, MLP, ConvolutionalEncoder, nn.Linear, nn.Conv2d, nn.ReLU, nn.LeakyReLU, nn.Flatten)
        return not noise and all(type(layer) in known for layer in self.modules())  # no batch norm, no reader's layer

    def start_like(self, draws: Tensor) -> None:
        """Have normalised codes start with the mean and standard deviation of draws (N, Z) of their prior.

        A Gaussian posterior starts with three tenths of that as its σ.
        """
        if isinstance(norm := self.body[-1], nn.BatchNorm1d):
            mean, width = draws.mean(dim=0), draws.std(dim=0)  # (Z,)
            if self.posterior == "gaussian":  # log σ² comes after μ
                mean, width = torch.cat([mean, 2 * (0.3 * width).log()]), torch.cat([width, 0.1 + 0 * width])
            norm.bias.data.copy_(mean)
            norm.weight.data.copy_(width)

    def _out(self, images: Tensor, generator: torch.Generator | None) -> Tensor:
        x = self._corrupt(images, generator)
        x = F.leaky_relu(self.features(x), 0.2) if self.convolutional else x.flatten(1)  # (B, features)
        if self.noise_dim:
            noise = x.new_zeros(len(x), self.noise_dim)
            x = torch.cat([x, noise if generator is None else _noise(noise, generator)], dim=1)
        return self.body(x).float()

    def _corrupt(self, images: Tensor, generator: torch.Generator | None) -> Tensor:
        if not self.training or generator is None:
            return images
        if self.input_noise:
            images = images + self.input_noise * _noise(images, generator)
        if self.input_dropout:
            kept = torch.rand(images.shape, generator=generator, device=images.device) >= self.input_dropout
            images = images * kept / (1 - self.input_dropout)
        return images


class Decoder(nn.Module):
    """p(x | z): codes (B, Z) to images (B, C, H, W). ``logits`` are before the ``output``.

    ``output``: "sigmoid", "linear", or "standardised": linear, for images whose pixels were each given mean 0 and
    standard deviation 1 (``System.pixels``). "auto" is a sigmoid until ``System.choose_output`` has seen images.
    """

    def __init__(
        self,
        latent_dim: int,
        image_shape: tuple[int, int, int],
        *,
        hidden: Sequence[int] | None = None,
        body: str = "mlp",
        output: str = "sigmoid",
        batch_norm: bool = False,
        batch_norm_output: bool = False,
    ):
        super().__init__()
        self.image_shape = tuple(image_shape)
        self.undecided = checks.one_of("output", output, OUTPUTS) == "auto"
        self.output = "sigmoid" if self.undecided else output
        hidden = widths(hidden, body, image_shape)
        if body == "mlp":
            sizes = (latent_dim, *hidden, math.prod(image_shape))
            self.body = MLP(sizes, batch_norm=batch_norm, batch_norm_output=batch_norm_output)
        else:
            self.body = ConvolutionalDecoder(latent_dim, image_shape, hidden, batch_norm=batch_norm)
            if batch_norm_output:
                self.body = nn.Sequential(self.body, nn.BatchNorm2d(image_shape[0]))

    def logits(self, z: Tensor) -> Tensor:
        return self.body(z).float().reshape(len(z), *self.image_shape)

    def forward(self, z: Tensor) -> Tensor:
        logits = self.logits(z)
        return logits.sigmoid() if self.output == "sigmoid" else logits


class Discriminator(nn.Module):
    """D: codes (B, Z), or images (B, C, H, W), to logits (B,); above 0 means "from the prior", or "a real image".

    ``shape`` is (Z,) or (C, H, W). ``input_noise`` is the std of Gaussian noise on the inputs in training mode.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        *,
        hidden: Sequence[int] = (1000, 1000),
        body: str = "mlp",
        input_noise: float = 0.0,
    ):
        super().__init__()
        self.input_noise = checks.positive_number("discriminator_noise", input_noise, zero=True)
        hidden = checks.positive_integers("discriminator_hidden", hidden)
        if checks.one_of("body", body, BODIES) == "mlp":
            self.body = nn.Sequential(nn.Flatten(), *MLP((math.prod(shape), *hidden, 1)))
        else:
            self.body = ConvolutionalEncoder(shape, hidden, 1)

    def forward(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        if self.training and self.input_noise and generator is not None:
            x = x + self.input_noise * _noise(x, generator)
        return self.body(x).float().squeeze(1)


def widths(hidden: Sequence[int] | None, body: str, image_shape: Sequence[int]) -> tuple[int, ...]:
    """``hidden``, checked; where it is None, 1000 and 1000 units, or 32, 64 and 128 channels of a convolutional body.

    Of these channels, only as many as halve images (C, H, W) down to 2x2 or more, and at least the first.
    """
    if checks.one_of("body", body, BODIES) == "convolutional" and hidden is None:
        return CHANNELS[: max(1, min(image_shape[1:]).bit_length() - 2)]
    return UNITS if hidden is None else checks.positive_integers("hidden", hidden)


def _noise(like: Tensor, generator: torch.Generator) -> Tensor:
    return torch.randn(like.shape, generator=generator, device=like.device, dtype=torch.float32)


def _halved(image_shape: tuple[int, int, int], times: int) -> list[tuple[int, int]]:
    """Heights and widths on the way down, the full size first: (28, 28), (14, 14), (7, 7), …"""
    if times == 0:
        raise ValueError("hidden is empty, but a convolutional body needs the channels of at least one layer.")
    _, height, width = image_shape
    sizes = [(height, width)]
    for _ in range(times):
        if min(height, width) < 2:
            raise ValueError(
                f"images of {image_shape[1:]} pixels cannot be halved {times} times; give fewer entries in hidden."
            )
        height, width = height // 2, width // 2
        sizes.append((height, width))
    return sizes
