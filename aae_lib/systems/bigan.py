"""The bidirectional GAN (Donahue et al. 2017, arXiv 1605.09782; Dumoulin et al. 2017, arXiv 1606.00704)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ..losses import bce
from ..networks import Decoder, Discriminator, Encoder, initialise
from ..optimizers import Adam
from ..priors import Gaussian, Prior
from .base import Batch, Phase, System, require_prior


class BidirectionalGAN(System):
    """A GAN that also learns the way back: its discriminator sees pairs, (x, E(x)) and (G(z), z).

    When it cannot tell them apart, the pairs have one distribution, so E inverts G; nothing ever compares an image with
    its reconstruction. ``hidden``: widths of encoder and decoder, ``discriminator_hidden``: of the discriminator, an
    MLP on pixels and code side by side. The other arguments are those of ``AdversarialAutoencoder``.
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        *,
        prior: Prior | None = None,
        hidden: Sequence[int] = (1000, 1000),
        discriminator_hidden: Sequence[int] = (1000, 1000),
        body: str = "mlp",
        output: str = "sigmoid",
        batch_norm: bool = False,
        discriminator_noise: float = 0.0,
        initial_std: float | None = None,
        seed: int = 0,
    ):
        super().__init__(image_shape, standardised=output == "standardised")
        self.prior = require_prior(Gaussian(50) if prior is None else prior)
        self.encoder = Encoder(self.image_shape, self.prior.dim, hidden=hidden, body=body, batch_norm=batch_norm)
        self.decoder = Decoder(
            self.prior.dim, self.image_shape, hidden=hidden, body=body, output=output, batch_norm=batch_norm
        )
        pair = torch.Size(self.image_shape).numel() + self.prior.dim
        self.discriminator = Discriminator((pair,), hidden=discriminator_hidden, input_noise=discriminator_noise)
        initialise(self, seed, initial_std)

    def phases(self) -> list[Phase]:
        slow = Adam(2e-4, beta1=0.5)  # as for any GAN (Radford et al. 2016)
        players: tuple[nn.Module, ...] = (self.encoder, self.decoder)
        return [
            Phase("discriminator", self.discriminator_loss, learns=(self.discriminator,), optimizer=slow),
            Phase("generator", self.generator_loss, learns=players, optimizer=slow),
        ]

    def discriminator_loss(self, batch: Batch) -> Tensor:
        """Tell (x, E(x)), called 1, from (G(z), z), called 0. 2 ln 2 when it cannot."""
        encoded, generated = self._pairs(batch)
        return bce(encoded, 1) + bce(generated, 0)

    def generator_loss(self, batch: Batch) -> Tensor:
        """Encoder and decoder have each pair taken for the other: the mean of two losses, ln 2 at equilibrium."""
        encoded, generated = self._pairs(batch)
        return 0.5 * (bce(encoded, 0) + bce(generated, 1))

    def _pairs(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The discriminator's logits (B,) of (x, E(x)) and of (G(z), z)."""
        z = self.prior.sample(len(batch), batch.generator)  # (B, Z)
        encoded = self._judge(batch.images, self.encoder(batch.images, batch.generator), batch)
        return encoded, self._judge(self.decoder(z), z, batch)

    def _judge(self, images: Tensor, z: Tensor, batch: Batch) -> Tensor:
        return self.discriminator(torch.cat([images.flatten(1), z], dim=1), batch.generator)
