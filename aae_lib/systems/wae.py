"""The Wasserstein autoencoder (Tolstikhin, Bousquet, Gelly & Schölkopf 2018, arXiv 1711.01558)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .. import checks
from ..losses import fool, half_squared_error, tell_apart
from ..mmd import KERNELS, unbiased_mmd
from ..networks import Decoder, Discriminator, Encoder, initialise
from ..optimizers import Adam
from ..priors import Gaussian, Prior
from .base import Batch, Phase, System, require_prior

PENALTIES = ("mmd", "gan")


class WassersteinAutoencoder(System):
    """Reconstruct, and pay ``weight`` times a distance of the aggregated posterior q(z) from the prior p(z).

    With the constraint q(z) = p(z) in place of the penalty, the smallest mean cost of a reconstruction *is* the optimal
    transport cost between the images and the decoder's samples (Theorem 1). The cost here is ½ ‖x̂ − x‖² per image; the
    authors' code has 0.05 ‖x̂ − x‖², a tenth of that, so its λ = 10 on MNIST is a ``weight`` of 100. That is for their
    100 epochs: in a few epochs of MNIST, 10 does better for both penalties, and from about 20 on the game is lost.

    ``penalty``: "mmd" (WAE-MMD, Algorithm 2), with a ``kernel`` of several widths, "imq" or "rbf" (``aae_lib.mmd``); or
    "gan" (WAE-GAN, Algorithm 1): a discriminator of codes. WAE-GAN of weight 1 is an adversarial autoencoder.
    ``posterior``: "deterministic", "gaussian" or "universal" (see ``networks.Encoder``).
    For Gaussian posteriors, ``log_variance_weight`` λ₁ adds λ₁ E Σ |log σ²(x)|, which keeps variances from fading in
    latent spaces that are much too large (Rubenstein, Schölkopf & Tolstikhin 2018, arXiv 1802.03761, Sec. 4), and
    ``initial_log_variance`` is where they start: at 0, noise as large as the prior, a decoder may learn to ignore z.
    ``hidden``: widths of the encoder's and decoder's layers (channels, where ``body`` is "convolutional"), by default
    1000 and 1000 (32, 64 and 128); ``discriminator_hidden``: of the discriminator's.
    ``initial_std``: std of the initial weights; None is He et al.'s.
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        *,
        prior: Prior,
        latent_dim: int | None = None,
        penalty: str = "mmd",
        kernel: str = "imq",
        weight: float = 10.0,
        posterior: str = "deterministic",
        log_variance_weight: float = 0.0,
        initial_log_variance: float = -4.0,
        hidden: Sequence[int] | None = None,
        discriminator_hidden: Sequence[int] = (512, 512, 512, 512),
        body: str = "mlp",
        output: str = "sigmoid",
        batch_norm: bool = False,
        noise_dim: int = 16,
        initial_std: float | None = None,
        seed: int = 0,
    ):
        super().__init__(image_shape, standardised=output == "standardised")
        self.prior = require_prior(prior, latent_dim)
        self.penalty = checks.one_of("penalty", penalty, PENALTIES)
        self.kernel = checks.one_of("kernel", kernel, KERNELS)
        self.weight = checks.positive_number("weight", weight)
        self.log_variance_weight = checks.positive_number("log_variance_weight", log_variance_weight, zero=True)
        self.encoder = Encoder(
            self.image_shape,
            self.prior.dim,
            posterior=posterior,
            hidden=hidden,
            body=body,
            batch_norm=batch_norm,
            noise_dim=noise_dim,
        )
        if self.log_variance_weight and posterior != "gaussian":
            raise ValueError(
                f"log_variance_weight is {log_variance_weight}, but a {posterior} posterior has no variances; "
                'use posterior="gaussian", or leave it at 0.'
            )
        self.decoder = Decoder(
            self.prior.dim, self.image_shape, hidden=hidden, body=body, output=output, batch_norm=batch_norm
        )
        if penalty == "gan":
            self.discriminator = Discriminator((self.prior.dim,), hidden=discriminator_hidden)
        initialise(self, seed, initial_std)
        if posterior == "gaussian":
            bias = self.encoder.body[-1].bias.data
            bias[self.prior.dim :] = checks.number("initial_log_variance", initial_log_variance)
        self.scale = _standard_deviation(self.prior)

    def phases(self) -> list[Phase]:
        parts = {"reconstruction": 1.0, "penalty" if self.penalty == "mmd" else "generator": self.weight}
        if self.log_variance_weight:
            parts["log-variance"] = self.log_variance_weight
        autoencoder = Phase(
            "autoencoder",
            self.autoencoder_loss,
            learns=(self.encoder, self.decoder),
            optimizer=Adam(1e-3, beta1=0.5),
            parts=tuple(parts),
            factors=tuple(parts.values()),
        )
        if self.penalty == "mmd":
            return [autoencoder]
        game = Adam(5e-4, beta1=0.5)
        return [autoencoder, Phase("discriminator", self.discriminator_loss, (self.discriminator,), optimizer=game)]

    def autoencoder_loss(self, batch: Batch) -> Tensor:
        """The terms, unweighted: ½ ‖x̂ − x‖² per image; the distance of q(z) from p(z); where it counts E Σ |log σ²|."""
        if self.log_variance_weight:
            mean, log_variance = self.encoder.gaussian(batch.images, batch.generator)  # (B, Z) each
            noise = torch.randn(mean.shape, generator=batch.generator, device=mean.device)
            z = mean + (0.5 * log_variance).exp() * noise  # (B, Z)
        else:
            z = self.encoder(batch.images, batch.generator)  # (B, Z)
        terms = [half_squared_error(self.decoder(z), batch.images), self.distance(z, batch.generator)]
        if self.log_variance_weight:
            terms.append(log_variance.abs().sum(dim=1).mean())
        return torch.stack(terms)

    def distance(self, z: Tensor, generator: torch.Generator) -> Tensor:
        """The penalty of codes (B, Z). MMD²: 0 on average where q(z) = p(z), so it may be negative; GAN: ln 2 there."""
        if self.penalty == "gan":
            return fool(self.discriminator, z, generator)
        if len(z) < 2:
            raise ValueError(
                "a batch has 1 image, but the MMD compares pairs of codes; give a batch_size of at least 2."
            )
        return unbiased_mmd(z, self.prior._draw(len(z), generator, None), scale=self.scale, kernel=self.kernel)

    def discriminator_loss(self, batch: Batch) -> Tensor:
        """Tell prior samples (1) from codes (0). 2 ln 2 when it cannot."""
        real = self.prior._draw(len(batch), batch.generator, None)  # (B, Z)
        fake = self.encoder(batch.images, batch.generator)  # (B, Z); frozen in this phase
        return tell_apart(self.discriminator, real, fake, batch.generator)


def _standard_deviation(prior: Prior) -> float:
    """The root mean variance of the prior's dimensions: the σ of the kernels."""
    if isinstance(prior, Gaussian):
        return prior.std
    return float(prior.sample(10_000, torch.Generator().manual_seed(0)).var(dim=0).mean().sqrt())
