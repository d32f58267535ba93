"""The style-based adversarial latent autoencoder (Pidhorskyi, Adjeroh & Doretto 2020, arXiv 2004.04467, Sec. 4)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from .. import checks
from ..losses import bce, gradient_penalty
from ..networks import initialise
from ..optimizers import Adam
from ..pixels import as_float
from ..style import SMALLEST, EqualisedMLP, MappingNetwork, StyleEncoder, StyleGenerator, channel_table
from .base import Batch, Phase, System

MOST_CHANNELS = 48  # by default: what two CPU cores train in an hour


class StyleAdversarialLatentAutoencoder(System):
    """An autoencoder whose prior on codes is learnt: codes w are as a network F makes them of noise z ~ N(0, I).

    A style-based generator G makes images of w, an encoder E finds w in images, and D tells codes of real images from
    codes of generated ones. Codes are w: ``encode`` gives them, ``decode`` takes them, ``map`` makes them of z.
    ``decode`` also takes one w for each of G's ``layers`` style inputs, (N, L, Z), which mixes styles. Averages over
    the last updates of F, G and E are what is used; the training alone sees the networks themselves.

    ``resolution``: pixels a side of what the networks see, a power of two of at least 8; by default the next one from
    the images' side. Images are resized to it and back. ``channels``: of every block, from 4x4 up.
    ``gamma``: the weight of the gradient penalty, which comes at every ``penalty_every``-th update, that much larger.
    ``mixing``: the share of generated images with two sources of style. ``averaging``: what an average keeps of itself
    at each update. ``growing``: begin at ``start_resolution``, and double it with ``grow``; each stage is one ``fit``,
    in whose first half the newest blocks fade in.
    """

    recordable = False  # its averages, and blocks that fade in, look at values

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        *,
        resolution: int | None = None,
        latent_dim: int = 64,
        channels: Sequence[int] | None = None,
        mapping_layers: int = 8,
        discriminator_layers: int = 3,
        gamma: float = 10.0,
        penalty_every: int = 8,
        mixing: float = 0.9,
        averaging: float = 0.995,
        growing: bool = False,
        start_resolution: int = 8,
        seed: int = 0,
    ):
        super().__init__(image_shape)
        image_channels, height, width = self.image_shape
        if height != width:
            raise ValueError(f"image_shape must be square, but it is {self.image_shape}; crop or pad the images first.")
        if resolution is None:
            resolution = max(2 * SMALLEST, 2 ** math.ceil(math.log2(height)))
        self.resolution = _power_of_two("resolution", resolution)
        self.growing = growing
        self.start_resolution = _power_of_two("start_resolution", start_resolution)
        if growing and start_resolution > resolution:
            raise ValueError(
                f"start_resolution is {start_resolution}, above the resolution of {resolution}; start with less."
            )
        blocks = _blocks(resolution)
        if channels is None:
            channels = channel_table(resolution, most=MOST_CHANNELS, last=16 if resolution <= 16 else 8)
        channels = checks.positive_integers("channels", channels)
        if len(channels) != blocks:
            raise ValueError(
                f"channels has {len(channels)} entries, but a resolution of {resolution} has {blocks} blocks, "
                "from 4x4 up; give one number for each."
            )
        latent_dim = checks.positive_integer("latent_dim", latent_dim)
        self.gamma = checks.positive_number("gamma", gamma, zero=True)
        self.penalty_every = checks.positive_integer("penalty_every", penalty_every)
        self.mixing = checks.share("mixing", mixing)
        averaging = checks.share("averaging", averaging)
        self.mapping = MappingNetwork(latent_dim, checks.positive_integer("mapping_layers", mapping_layers))
        self.decoder = StyleGenerator(channels, image_channels, latent_dim)
        self.encoder = StyleEncoder(channels, image_channels, latent_dim)
        hidden = checks.positive_integer("discriminator_layers", discriminator_layers) - 1
        self.discriminator = EqualisedMLP([latent_dim] * (hidden + 1) + [1], last_linear=True)
        initialise(self, seed)
        self.used = AveragedModel(self._averaged(), multi_avg_fn=get_ema_multi_avg_fn(averaging))
        self.register_buffer("stage_number", torch.tensor(0))
        self.register_buffer("fade", torch.tensor(1.0))

    def phases(self) -> list[Phase]:
        # One optimizer for all, as in the official code: its steps weigh what the losses want of E and of G against
        # each other. With one for each, reciprocity moved both as far as the game did.
        step, shared = Adam(5e-3, beta1=0.0, beta2=0.99), "discriminator"
        critic, both = (self.encoder, self.discriminator), (self.encoder, self.decoder)
        every = self.penalty_every
        penalty = Phase(
            "gradient penalty", self.penalty_loss, critic, shared, factors=(every * self.gamma,), every=every
        )
        return [
            Phase("discriminator", self.discriminator_loss, critic, step),
            *([penalty] if self.gamma else []),
            Phase("generator", self.generator_loss, (self.mapping, self.decoder), shared),
            # as a mean over the dimensions of w, as in the official code
            Phase("reciprocity", self.reciprocity_loss, both, shared, factors=(1 / self.latent_dim,)),
        ]

    def discriminator_loss(self, batch: Batch) -> Tensor:
        """Tell codes of images (1) from codes of generated images (0): Algorithm 1, step I. 2 ln 2 when it cannot."""
        self._come_in(batch.progress)
        fake = self._generate(self._mixed_codes(batch), batch)  # (B, C, H, W); F and G are frozen in this phase
        return bce(self._judge(self._faded(batch.images)), 1) + bce(self._judge(fake), 0)

    def penalty_loss(self, batch: Batch) -> Tensor:
        """R1, ½ ‖∇ₓ D(E(x))‖² at real images, in float32: products of gradients are too small for less."""
        with torch.autocast(batch.images.device.type, enabled=False):
            images = self._faded(batch.images).requires_grad_()
            return gradient_penalty(self._judge(images), images)

    def generator_loss(self, batch: Batch) -> Tensor:
        """Be taken for real, in the form that does not saturate: step II. ln 2 when D cannot tell."""
        return bce(self._judge(self._generate(self._mixed_codes(batch), batch)), 1)

    def reciprocity_loss(self, batch: Batch) -> Tensor:
        """‖F(z) − E(G(F(z)))‖², mean over the batch: E finds the w that an image was made of (step III). F stays."""
        w = self.mapping(self._noise(batch))  # (B, Z)
        return (w - self._encode(self.encoder, self._generate(w, batch))).square().sum(dim=1).mean()

    def after_update(self) -> None:
        self.used.update_parameters(self._averaged())

    @property
    def layers(self) -> int:
        """L, the number of the generator's style inputs: two for each block, from 4x4 up."""
        return self.decoder.layers

    @property
    def decoder_in_use(self) -> StyleGenerator:
        """The average of G, which ``decode`` uses."""
        return self.used.module["decoder"]

    @property
    def stage(self) -> int:
        return int(self.stage_number)

    @property
    def blocks(self) -> int:
        """How many blocks are in use."""
        return _blocks(self.start_resolution) + self.stage if self.growing else len(self.encoder.blocks)

    def grow(self) -> None:
        """Go on to the next stage, of twice the resolution; ValueError after the last, or where nothing grows."""
        if not self.growing:
            raise ValueError("this system does not grow; build it with growing=True.")
        if self.blocks == len(self.encoder.blocks):
            raise ValueError(
                f"stage {self.stage} is the last, at the full resolution of {self.resolution}; "
                "build the system with a larger resolution to go further."
            )
        self.stage_number += 1
        self.fade.zero_()

    def map(self, z: Tensor) -> Tensor:
        """Codes w = F(z), (N, Z), of z (N, Z), which N(0, I) is made for; on the device of z."""
        z = checks.codes("z", z, self.latent_dim)
        return self._in_chunks(z, self.used.module["mapping"])

    def draw_codes(self, count: int, *, seed: int = 0) -> Tensor:
        """``count`` codes w = F(z), (N, Z), of z ~ N(0, I), on the CPU."""
        generator = torch.Generator().manual_seed(checks.seed("seed", seed))
        return self.map(torch.randn(checks.positive_integer("count", count), self.latent_dim, generator=generator))

    def encode(self, images: Tensor, *, seed: int | None = None) -> Tensor:
        """Codes w (N, Z) of images (N, C, H, W), uint8 or in [0, 1], on their device. E has no noise for a ``seed``."""
        images = checks.images("images", images, self.image_shape)
        return self._in_chunks(images, lambda chunk: self._encode(self.used.module["encoder"], self.pixels(chunk)))

    def decode(self, w: Tensor, *, seed: int | None = None) -> Tensor:
        """Images (N, C, H, W) in [0, 1] of codes w (N, Z), or of one w for each style input, (N, L, Z).

        Without a ``seed`` without noise. A z is no code: ``map(z)`` makes one of it.
        """
        w = self._codes(w)
        generator = None if seed is None else torch.Generator(self.device).manual_seed(checks.seed("seed", seed))
        decoder, settings = self.decoder_in_use, self._settings()
        return self._in_chunks(w, lambda chunk: self.pictures(decoder(chunk, generator=generator, **settings)))

    def pixels(self, images: Tensor) -> Tensor:
        """Images (N, C, H, W), uint8 or in [0, 1], as the networks see them: of the stage's resolution, in [−1, 1]."""
        images = _resized(as_float(images), self.resolution)
        return F.avg_pool2d(images, self.resolution // (SMALLEST << (self.blocks - 1))) * 2 - 1

    def pictures(self, output: Tensor) -> Tensor:
        """What ``pixels`` did, undone: images (N, C, H, W) in [0, 1] of the size they came in."""
        return _resized(((output + 1) / 2).clamp(0, 1), self.image_shape[1])

    def _averaged(self) -> nn.ModuleDict:
        return nn.ModuleDict({"mapping": self.mapping, "decoder": self.decoder, "encoder": self.encoder})

    def _settings(self) -> dict[str, float]:
        """How much of G and E is in use."""
        return {"blocks": self.blocks, "fade": float(self.fade)} if self.growing else {}

    def _come_in(self, progress: float) -> None:
        """Fade the newest block in over the first half of a training; it never goes back."""
        if self.growing and self.stage:
            self.fade.clamp_(min=min(1.0, 2 * progress))

    def _faded(self, images: Tensor) -> Tensor:
        """Real images as sharp as generated ones can be while the newest block fades in."""
        fade = self._settings().get("fade", 1.0)
        if fade == 1:
            return images
        return torch.lerp(F.interpolate(F.avg_pool2d(images, 2), scale_factor=2), images, fade)

    def _noise(self, batch: Batch) -> Tensor:
        return torch.randn(len(batch), self.latent_dim, generator=batch.generator, device=batch.images.device)

    def _mixed_codes(self, batch: Batch) -> Tensor:
        """w (B, L, Z) of fresh z; for a share of them, from a random layer on, of another z."""
        first, second = self.mapping(torch.cat([self._noise(batch), self._noise(batch)])).chunk(2)  # each (B, Z)
        device, generator = first.device, batch.generator
        crossing = torch.randint(1, 2 * self.blocks, (len(batch), 1, 1), generator=generator, device=device)
        mixes = torch.rand(crossing.shape, generator=generator, device=device) < self.mixing
        crossing = torch.where(mixes, crossing, self.layers)
        layer = torch.arange(self.layers, device=device)[:, None]  # (L, 1)
        return torch.where(layer < crossing, first[:, None], second[:, None])

    def _generate(self, w: Tensor, batch: Batch) -> Tensor:
        return self.decoder(w, generator=batch.generator, **self._settings())

    def _encode(self, encoder: StyleEncoder, images: Tensor) -> Tensor:
        return encoder(images, **self._settings())

    def _judge(self, images: Tensor) -> Tensor:
        """Logits (B,) of D(E(x))."""
        return self.discriminator(self._encode(self.encoder, images)).float().squeeze(1)

    def _codes(self, w: Tensor) -> Tensor:
        w = checks.as_tensor("w", w)
        if w.shape[1:] not in ((self.latent_dim,), (self.layers, self.latent_dim)):
            raise ValueError(
                f"w must have shape (N, {self.latent_dim}), or (N, {self.layers}, {self.latent_dim}) with one w for "
                f"each style input, but its shape is {tuple(w.shape)}; encode(images) and map(z) return codes w."
            )
        return checks.codes("w", w.flatten(1)).view(w.shape)


def _resized(images: Tensor, side: int) -> Tensor:
    """Images (N, C, H, H) as (N, C, side, side); unchanged where they are that already."""
    if images.shape[-1] == side:
        return images
    return F.interpolate(images, size=(side, side), mode="bicubic", antialias=True).clamp(0, 1)


def _blocks(resolution: int) -> int:
    """How many blocks there are from 4x4 up to ``resolution``."""
    return int(math.log2(resolution // SMALLEST)) + 1


def _power_of_two(argument: str, value: object) -> int:
    side = checks.positive_integer(argument, value)
    if side < 2 * SMALLEST or side & (side - 1):
        raise ValueError(f"{argument} must be a power of two of at least 8, but it is {side}; give 8, 16, 32, 64, …")
    return side
