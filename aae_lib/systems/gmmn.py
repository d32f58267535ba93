"""Generative moment matching networks (Li, Swersky & Zemel 2015, arXiv 1502.02761; Makhzani et al. 2015, Sec. 2.2)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from .. import checks
from ..mmd import squared_mmd
from ..networks import MLP, Decoder, initialise
from ..optimizers import Adam
from ..priors import Prior
from .autoencoder import Autoencoder
from .base import Batch, Phase, System, require_prior


class GenerativeMomentMatchingNetwork(System):
    """A decoder whose images have the moments of real ones: no discriminator, the distance is a formula, the MMD.

    With an ``autoencoder`` that is already trained (GMMN + AE) codes are matched instead of images: the network draws
    codes, and the autoencoder, which nothing moves any more, decodes them. ``bandwidths``: of the kernels, summed.
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        *,
        prior: Prior,
        autoencoder: Autoencoder | None = None,
        bandwidths: Sequence[float] = (2, 5, 10, 20, 40, 80),
        hidden: Sequence[int] = (1000, 1000),
        output: str = "sigmoid",
        initial_std: float | None = None,
        seed: int = 0,
    ):
        super().__init__(image_shape, standardised=output == "standardised")
        self.prior = require_prior(prior)
        self.bandwidths = tuple(checks.positive_number("each of bandwidths", width) for width in bandwidths)
        if not self.bandwidths:
            raise ValueError("bandwidths is empty; give at least one kernel width.")
        if autoencoder is not None and not isinstance(autoencoder, Autoencoder):
            raise TypeError(f"autoencoder must be a trained Autoencoder, but it is a {type(autoencoder).__name__}.")
        if autoencoder is not None and autoencoder.image_shape != self.image_shape:
            raise ValueError(
                f"autoencoder has images of {autoencoder.image_shape}, not {self.image_shape}; train another."
            )
        if autoencoder is None:
            self.generator = Decoder(self.prior.dim, self.image_shape, hidden=hidden, output=output)
        else:
            self.generator = MLP((self.prior.dim, *checks.positive_integers("hidden", hidden), autoencoder.latent_dim))
        initialise(self.generator, seed, initial_std)
        self.autoencoder = autoencoder

    def phases(self) -> list[Phase]:
        return [Phase("moment matching", self.moment_matching_loss, (self.generator,), Adam(1e-3, beta1=0.5))]

    def moment_matching_loss(self, batch: Batch) -> Tensor:
        """√MMD² between generated and real images, or codes: its gradient does not fade where the two are near."""
        fake = self.generator(self.prior.sample(len(batch), batch.generator)).float()  # (B, C, H, W) or (B, Z)
        real = batch.images if self.autoencoder is None else self._codes(batch)
        return squared_mmd(fake.flatten(1), real.flatten(1), self.bandwidths).clamp_min(1e-8).sqrt()

    def pixels(self, images: Tensor) -> Tensor:
        """Images as the networks see them: where codes are matched, as the autoencoder does."""
        return super().pixels(images) if self.autoencoder is None else self.autoencoder.pixels(images)

    def _codes(self, batch: Batch) -> Tensor:
        return self.autoencoder.eval().encoder(batch.images)  # (B, Z); in use, so without dropout

    def decode(self, z: Tensor) -> Tensor:
        """Images (N, C, H, W) in [0, 1] of draws z (N, Z) of the prior."""
        z = checks.codes("z", z, self.latent_dim)
        if self.autoencoder is None:
            return self._in_chunks(z, lambda chunk: self.pictures(self.generator(chunk)))
        return self._in_chunks(z, lambda chunk: self.autoencoder.decode(self.generator(chunk).float()))
