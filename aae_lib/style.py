"""What style-based networks are made of: equalised layers, the mapping network F, generator G, encoder E.

Karras, Laine & Aila 2019 (StyleGAN, arXiv 1812.04948); Pidhorskyi, Adjeroh & Doretto 2020 (StyleALAE, arXiv 2004.04467)
Block k works on maps of 4·2ᵏ pixels a side. All blocks exist from the start; ``blocks`` says how many of them are used,
and ``fade`` in [0, 1] how far the newest has come in: at 0 the network is the one without it, at 1 the one with it.
"""

from __future__ import annotations

import itertools
import math
import types
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrize

from .networks import blank

SMALLEST = 4  # pixels a side, of the first block's maps
SLOPE = 0.2  # of every leaky ReLU
GAIN = math.sqrt(2)  # keeps the scale of what a ReLU halves (He et al. 2015)
TINY = 1e-8  # under every root of a variance


def channel_table(resolution: int, *, most: int, last: int) -> tuple[int, ...]:
    """Channels of every block from 4x4 up to ``resolution``: ``last`` in the last one, doubling downwards to ``most``.

    ``channel_table(1024, most=512, last=16)`` is the paper's: 512, 512, 512, 512, 256, 128, 64, 32, 16.
    """
    count = int(math.log2(resolution // SMALLEST)) + 1
    return tuple(min(most, last << (count - 1 - block)) for block in range(count))


class Scaled(nn.Module):
    """A weight as a multiple of what is learnt."""

    def __init__(self, scale: float):
        super().__init__()
        self.scale = scale

    def forward(self, original: Tensor) -> Tensor:
        return original * self.scale


def equalised(layer: nn.Linear | nn.Conv2d, gain: float = GAIN, learning_rate_factor: float = 1.0) -> nn.Module:
    """``layer`` with an equalised learning rate (Karras et al. 2018, arXiv 1710.10196, Sec. 4.1).

    What is learnt starts as N(0, 1/factor²), and the weight is that times gain · factor / √fan-in. So Adam, whose steps
    do not depend on the gradient's scale, moves all layers alike, ``learning_rate_factor`` times as fast; biases too.
    """
    fan_in = layer.weight[0].numel()
    parametrize.register_parametrization(layer, "weight", Scaled(gain * learning_rate_factor / math.sqrt(fan_in)))
    if layer.bias is not None and learning_rate_factor != 1:
        parametrize.register_parametrization(layer, "bias", Scaled(learning_rate_factor))
    layer.learning_rate_factor = learning_rate_factor
    layer.draw_weights = types.MethodType(_draw_equalised, layer)
    return layer


def equalise(network: nn.Module) -> nn.Module:
    """``network`` with all its linear and convolutional layers equalised, as one for ReLUs."""
    for layer in list(network.modules()):
        if isinstance(layer, nn.Linear | nn.Conv2d):
            equalised(layer)
    return network


def _draw_equalised(layer: nn.Module, generator: torch.Generator) -> None:
    for name, weight in layer.named_parameters():
        if "weight" in name:
            weight.data.normal_(0, 1 / layer.learning_rate_factor, generator=generator)
        else:
            weight.data.zero_()


def _linear(width_in: int, width_out: int, gain: float = 1.0, factor: float = 1.0) -> nn.Module:
    return equalised(blank(nn.Linear, width_in, width_out), gain, factor)


def _convolution(width_in: int, width_out: int, size: int = 3, *, gain: float = GAIN, bias: bool = True) -> nn.Module:
    return equalised(blank(nn.Conv2d, width_in, width_out, size, padding=size // 2, bias=bias), gain)


class EqualisedMLP(nn.Sequential):
    """Equalised linear layers of the given sizes (in, hidden…, out), leaky ReLU between them.

    ``last_linear`` leaves out the last ReLU. D on codes w is one, of three layers.
    """

    def __init__(self, sizes: Sequence[int], *, learning_rate_factor: float = 0.1, last_linear: bool = False):
        layers: list[nn.Module] = []
        for width_in, width_out in itertools.pairwise(sizes):
            layers += [_linear(width_in, width_out, GAIN, learning_rate_factor), nn.LeakyReLU(SLOPE)]
        if last_linear:
            layers[-2:] = [_linear(*sizes[-2:], 1.0, learning_rate_factor)]
        super().__init__(*layers)


class MappingNetwork(nn.Module):
    """F: z (B, Z) to codes w (B, Z). z is first brought to a mean square of 1, so its direction alone counts."""

    def __init__(self, latent_dim: int, layers: int):
        super().__init__()
        self.body = EqualisedMLP([latent_dim] * (layers + 1))

    def forward(self, z: Tensor) -> Tensor:
        return self.body(z * (z.square().mean(dim=1, keepdim=True) + TINY).rsqrt()).float()


class Blur(nn.Module):
    """Maps (B, C, H, W) smoothed by [1, 2, 1] / 4 along both sides (Zhang 2019, arXiv 1904.11486)."""

    def __init__(self, channels: int):
        super().__init__()
        line = torch.tensor([0.25, 0.5, 0.25])
        self.register_buffer("kernel", (line[:, None] * line).repeat(channels, 1, 1, 1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.kernel, padding=1, groups=x.shape[1])


def enlarge_and_convolve(x: Tensor, weight: Tensor) -> Tensor:
    """Nearest neighbours to twice the size, then a 3x3 convolution, as one transposed convolution of half the work."""
    weight = F.pad(weight.transpose(0, 1).flip(2, 3), (1, 1, 1, 1))
    weight = weight[:, :, 1:, 1:] + weight[:, :, 1:, :-1] + weight[:, :, :-1, 1:] + weight[:, :, :-1, :-1]
    return F.conv_transpose2d(x, weight, stride=2, padding=1)


def convolve_and_halve(x: Tensor, weight: Tensor) -> Tensor:
    """A 3x3 convolution, then the mean over squares of 2x2, as one convolution of half the work."""
    weight = F.pad(weight, (1, 1, 1, 1))
    weight = weight[:, :, 1:, 1:] + weight[:, :, 1:, :-1] + weight[:, :, :-1, 1:] + weight[:, :, :-1, :-1]
    return F.conv2d(x, 0.25 * weight, stride=2, padding=1)


def adaptive_instance_norm(x: Tensor, style: Tensor) -> Tensor:
    """Every channel of x (B, C, H, W) to mean b and standard deviation |1 + s|; ``style`` (B, 2C) is s, then b.

    Huang & Belongie 2017 (arXiv 1703.06868, Eq. 8).
    """
    scale, shift = style.float().chunk(2, dim=1)  # each (B, C)
    alone = x.reshape(1, -1, *x.shape[2:])  # (1, BC, H, W): each image's channel a group, with a scale of its own
    scale, shift = (1 + scale).reshape(-1), shift.reshape(-1)
    return F.group_norm(alone, len(scale), scale, shift, eps=TINY).view(x.shape)


def statistics(x: Tensor) -> tuple[Tensor, Tensor]:
    """[μ; σ] (B, 2C) of every channel of x (B, C, H, W), and x with mean 0 and standard deviation 1: instance norm."""
    mean = x.mean(dim=(2, 3), keepdim=True)
    centred = x - mean
    deviation = (centred.square().mean(dim=(2, 3), keepdim=True) + TINY).sqrt()
    return torch.cat([mean, deviation], dim=1).flatten(1), centred / deviation


class StyledLayer(nn.Module):
    """Half a block of G: convolve (the very first does not), blur where enlarged, noise, bias, leaky ReLU, AdaIN."""

    def __init__(self, width_in: int | None, width_out: int, latent_dim: int, *, enlarges: bool = False):
        super().__init__()
        self.convolution = None if width_in is None else _convolution(width_in, width_out, bias=False)
        self.blur = Blur(width_out) if enlarges else None
        self.noise_strength = nn.Parameter(torch.zeros(width_out, 1, 1))  # learnt for every channel
        self.bias = nn.Parameter(torch.zeros(width_out, 1, 1))
        self.style = _linear(latent_dim, 2 * width_out)

    def draw_weights(self, generator: torch.Generator) -> None:
        self.noise_strength.data.zero_()
        self.bias.data.zero_()

    def forward(self, x: Tensor, w: Tensor, generator: torch.Generator | None) -> Tensor:
        if self.blur is not None:
            x = self.blur(enlarge_and_convolve(x, self.convolution.weight))
        elif self.convolution is not None:
            x = self.convolution(x)
        shift = self.bias
        if generator is not None:
            noise = torch.randn(len(x), 1, *x.shape[2:], generator=generator, device=x.device)
            shift = shift + self.noise_strength * noise
        return adaptive_instance_norm(F.leaky_relu(x + shift.to(x.dtype), SLOPE), self.style(w))


class StyleGenerator(nn.Module):
    """G: codes w to images (B, C, H, W), without a bound on their values. Every block has two style inputs.

    ``channels``: of every block from 4x4 up; ``image_channels``: C. ``layers``: L, the number of style inputs.
    """

    def __init__(self, channels: Sequence[int], image_channels: int, latent_dim: int):
        super().__init__()
        self.constant = nn.Parameter(torch.zeros(channels[0], SMALLEST, SMALLEST))
        self.styled = nn.ModuleList()
        for width_in, width_out in itertools.pairwise([None, *channels]):
            self.styled.append(StyledLayer(width_in, width_out, latent_dim, enlarges=width_in is not None))
            self.styled.append(StyledLayer(width_out, width_out, latent_dim))
        self.to_image = nn.ModuleList(_convolution(width, image_channels, 1, gain=1.0) for width in channels)
        self.layers = len(self.styled)

    def draw_weights(self, generator: torch.Generator) -> None:
        self.constant.data.normal_(generator=generator)  # were it flat, instance norm would blow its gradient up

    def forward(
        self, w: Tensor, *, blocks: int | None = None, fade: float = 1.0, generator: torch.Generator | None = None
    ) -> Tensor:
        """Images of 4·2^(blocks − 1) pixels a side of w (B, L, Z), one for each style input, or (B, Z), one for all.

        ``generator``: of the noise; None leaves it out.
        """
        w = w.unsqueeze(1).expand(-1, self.layers, -1) if w.ndim == 2 else w
        blocks = blocks or len(self.to_image)
        x = self.constant.expand(len(w), -1, -1, -1)
        for layer in range(2 * blocks):
            if layer == 2 * blocks - 2 and fade < 1:
                smaller = F.interpolate(self.to_image[blocks - 2](x).float(), scale_factor=2)
            x = self.styled[layer](x, w[:, layer], generator)
        image = self.to_image[blocks - 1](x).float()
        return image if fade == 1 else torch.lerp(smaller, image, fade)


class EncoderBlock(nn.Module):
    """Convolve, [μ; σ], instance norm, convolve to half the size, [μ; σ], instance norm: G's block, mirrored.

    The last block's second convolution covers all of its 4x4 map, as in the official code, and μ is its one value.
    """

    def __init__(self, width_in: int, width_out: int, latent_dim: int, *, last: bool = False):
        super().__init__()
        self.first = _convolution(width_in, width_in)
        if last:
            self.second = _linear(width_in * SMALLEST**2, width_out, GAIN)
        else:
            self.second = _convolution(width_in, width_out)
            self.blur = Blur(width_in)
        self.last = last
        self.gather = nn.ModuleList([_linear(2 * width_in, latent_dim), _linear((2 - last) * width_out, latent_dim)])

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """What the next block gets, and this block's share of w (B, Z)."""
        first, x = statistics(F.leaky_relu(self.first(x), SLOPE))
        if self.last:
            second = x = F.leaky_relu(self.second(x.flatten(1)), SLOPE)
        else:
            x = convolve_and_halve(self.blur(x), self.second.weight) + self.second.bias.view(-1, 1, 1).to(x.dtype)
            second, x = statistics(F.leaky_relu(x, SLOPE))
        return x, self.gather[0](first) + self.gather[1](second)


class StyleEncoder(nn.Module):
    """E: images (B, C, H, W) to codes w (B, Z) = Σ Cᵢ [μᵢ; σᵢ], the sum over its layers (StyleALAE)."""

    def __init__(self, channels: Sequence[int], image_channels: int, latent_dim: int):
        super().__init__()
        self.latent_dim = latent_dim
        self.from_image = nn.ModuleList(_convolution(image_channels, width, 1) for width in channels)
        self.blocks = nn.ModuleList(
            EncoderBlock(width, smaller, latent_dim, last=block == 0)
            for block, (smaller, width) in enumerate(itertools.pairwise([channels[0], *channels]))
        )

    def forward(self, images: Tensor, *, blocks: int | None = None, fade: float = 1.0) -> Tensor:
        """w (B, Z) of images of 4·2^(blocks − 1) pixels a side."""
        newest = (blocks or len(self.blocks)) - 1
        x, w = self.blocks[newest](self._features(newest, images))
        if fade < 1:
            x = torch.lerp(self._features(newest - 1, F.avg_pool2d(images, 2)).to(x.dtype), x, fade)
            w = w * fade
        for block in reversed(range(newest)):
            x, share = self.blocks[block](x)
            w = w + share
        return w.float()

    def _features(self, block: int, images: Tensor) -> Tensor:
        return F.leaky_relu(self.from_image[block](images), SLOPE)
