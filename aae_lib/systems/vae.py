"""The variational autoencoder (Kingma & Welling 2014, arXiv 1312.6114; Makhzani et al. 2015, Sec. 2.1)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from .. import checks
from ..losses import half_squared_error
from ..networks import Decoder, Encoder, initialise
from ..pixels import chunk_size
from ..priors import Gaussian, Prior, Uniform
from .base import Batch, Phase, System, require_prior

LIKELIHOODS = ("bernoulli", "gaussian")


class VariationalAutoencoder(System):
    """An autoencoder with a Gaussian posterior, trained on the evidence lower bound (ELBO).

    The prior must have a density, because the ELBO contains log p(z): a Gaussian has its KL in closed form, any other
    (Fig. 2d's mixture) is estimated by one draw of z per image.
    ``likelihood``: "bernoulli" (cross-entropy of sigmoid outputs) or "gaussian" (½ ‖x̂ − x‖², unit variance).
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        *,
        prior: Prior,
        latent_dim: int | None = None,
        likelihood: str = "bernoulli",
        hidden: Sequence[int] | None = None,
        body: str = "mlp",
        batch_norm: bool = False,
        input_noise: float = 0.0,
        initial_std: float | None = None,
        seed: int = 0,
    ):
        super().__init__(image_shape)
        self.prior = require_prior(prior, latent_dim)
        if not self.prior.has_density:
            raise ValueError(
                f"prior {prior} has no density and the ELBO needs log p(z); use an AdversarialAutoencoder."
            )
        if isinstance(self.prior, Uniform):
            raise ValueError(
                f"prior {self.prior} is 0 outside its cube, and a Gaussian q(z | x) reaches there: the ELBO is -inf; "
                f"use Gaussian({self.prior.dim})."
            )
        self.likelihood = checks.one_of("likelihood", likelihood, LIKELIHOODS)
        self.encoder = Encoder(
            self.image_shape,
            self.prior.dim,
            posterior="gaussian",
            hidden=hidden,
            body=body,
            batch_norm=batch_norm,
            input_noise=input_noise,
        )
        self.decoder = Decoder(self.prior.dim, self.image_shape, hidden=hidden, body=body, batch_norm=batch_norm)
        initialise(self, seed, initial_std)

    def phases(self) -> list[Phase]:
        return [Phase("negative_elbo", self.negative_elbo, learns=(self.encoder, self.decoder))]

    def negative_elbo(self, batch: Batch) -> Tensor:
        """E_q[−log p(x | z)] + KL(q(z | x) ‖ p(z)), per image, in nats."""
        reconstruction, divergence = self.elbo_terms(batch)
        return reconstruction + divergence

    def elbo_terms(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The two terms of the negative ELBO, each a mean over the batch: reconstruction and KL."""
        mean, log_variance = self.encoder.gaussian(batch.images, batch.generator)  # (B, Z) each
        noise = torch.randn(mean.shape, generator=batch.generator, device=mean.device)
        z = mean + (0.5 * log_variance).exp() * noise  # (B, Z)
        if self.likelihood == "bernoulli":
            logits = self.decoder.logits(z)
            reconstruction = F.binary_cross_entropy_with_logits(logits, batch.images, reduction="sum") / len(batch)
        else:
            reconstruction = half_squared_error(self.decoder(z), batch.images)
        if isinstance(self.prior, Gaussian):
            divergence = gaussian_kl(mean, log_variance, self.prior.std)
        else:
            log_posterior = -0.5 * (noise.square() + log_variance + math.log(2 * math.pi)).sum(dim=1)  # (B,)
            divergence = log_posterior - self.prior.log_prob(z)
        return reconstruction, divergence.mean()

    def elbo(self, images: Tensor, *, seed: int = 0) -> float:
        """The ELBO in nats per image, one draw of z for each of the images (N, C, H, W)."""
        images = checks.images("images", images, self.image_shape)
        generator = torch.Generator(self.device).manual_seed(checks.seed("seed", seed))
        total = 0.0
        with self.evaluating():
            for chunk in images.split(chunk_size(self.image_shape)):
                batch = Batch(self.pixels(chunk.to(self.device)), None, generator)
                total -= float(self.negative_elbo(batch)) * len(chunk)
        return total / len(images)


def gaussian_kl(mean: Tensor, log_variance: Tensor, std: float = 1.0) -> Tensor:
    """KL(N(μ, σ²) ‖ N(0, std²)) in nats, summed over dimensions: two (B, Z) -> (B,). Kingma & Welling 2014, App. B."""
    variance = log_variance.exp() / std**2
    return 0.5 * (variance + (mean / std).square() - 1 - log_variance + 2 * math.log(std)).sum(dim=1)
