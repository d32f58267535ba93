"""The generative adversarial network (Goodfellow et al. 2014, arXiv 1406.2661; Makhzani et al. 2015, Sec. 1.1)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from ..losses import fool, tell_apart
from ..networks import Decoder, Discriminator, initialise
from ..optimizers import Adam
from ..priors import Prior
from .base import Batch, Phase, System, require_prior


class GenerativeAdversarialNetwork(System):
    """A decoder (the generator G) whose images a discriminator cannot tell from real ones. It has no encoder."""

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        *,
        prior: Prior,
        latent_dim: int | None = None,
        hidden: Sequence[int] = (1000, 1000),
        discriminator_hidden: Sequence[int] | None = None,
        body: str = "mlp",
        output: str = "sigmoid",
        batch_norm: bool = False,
        discriminator_noise: float = 0.0,
        initial_std: float | None = None,
        seed: int = 0,
    ):
        super().__init__(image_shape, standardised=output == "standardised")
        self.prior = require_prior(prior, latent_dim)
        self.decoder = Decoder(
            self.prior.dim, self.image_shape, hidden=hidden, body=body, output=output, batch_norm=batch_norm
        )
        self.discriminator = Discriminator(
            self.image_shape, hidden=discriminator_hidden or hidden, body=body, input_noise=discriminator_noise
        )
        initialise(self, seed, initial_std)

    def phases(self) -> list[Phase]:
        slow = Adam(2e-4, beta1=0.5)  # Radford et al. 2016: momentum of 0.9 makes the two players overshoot each other
        return [
            Phase("discriminator", self.discriminator_loss, learns=(self.discriminator,), optimizer=slow),
            Phase("generator", self.generator_loss, learns=(self.decoder,), optimizer=slow),
        ]

    def discriminator_loss(self, batch: Batch) -> Tensor:
        """Tell images (1) from generated ones (0), Eq. 1."""
        fake = self._generate(batch)  # (B, C, H, W); the decoder is frozen in this phase
        return tell_apart(self.discriminator, batch.images, fake, batch.generator)

    def generator_loss(self, batch: Batch) -> Tensor:
        """Be taken for real: the non-saturating form, whose gradient does not vanish while the discriminator wins."""
        return fool(self.discriminator, self._generate(batch), batch.generator)

    def _generate(self, batch: Batch) -> Tensor:
        return self.decoder(self.prior.sample(len(batch), batch.generator))
