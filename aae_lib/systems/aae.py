"""The adversarial autoencoder (Makhzani, Shlens, Jaitly, Goodfellow & Frey 2015, arXiv 1511.05644, Sec. 2)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from ..losses import fool, half_squared_error, tell_apart
from ..networks import Decoder, Discriminator, Encoder, initialise
from ..optimizers import Adam
from ..priors import Prior
from .base import HIDDEN, Batch, Phase, System, require_prior


class AdversarialAutoencoder(System):
    """An autoencoder whose aggregated posterior q(z) a discriminator pulls onto a prior p(z).

    ``posterior``: "deterministic", "gaussian" or "universal" (see ``networks.Encoder``); the prior needs samples only.
    ``labelled_prior``: labels take part (Sec. 2.3). The discriminator sees a one-hot label beside each code, with one
    class more than the prior has: the last says that the label is hidden, and its prior samples come from everywhere.
    ``hidden``: widths of the encoder's and decoder's layers (channels, where ``body`` is "convolutional"), by default
    1000 and 1000 (32, 64 and 128); ``discriminator_hidden``: of the discriminator on codes, an MLP in either case.
    ``batch_norm``: True normalises the hidden layers of encoder and decoder; "codes" the codes too, which then start
    with the prior's mean and width; False none, as the paper has it. Without, codes of large images run away from the
    prior, and all that is decoded is the mean image.
    ``input_noise`` and ``discriminator_noise``: std of Gaussian noise on images and on D's inputs, in training.
    ``initial_std``: std of the initial weights (the paper's is 0.01); None scales them by He et al. 2015.
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        *,
        prior: Prior,
        latent_dim: int | None = None,
        labelled_prior: bool = False,
        posterior: str = "deterministic",
        hidden: Sequence[int] | None = None,
        discriminator_hidden: Sequence[int] = (1000, 1000),
        body: str = "mlp",
        output: str = "sigmoid",
        batch_norm: bool | str = "codes",
        noise_dim: int = 16,
        input_noise: float = 0.0,
        input_dropout: float = 0.0,
        discriminator_noise: float = 0.0,
        initial_std: float | None = None,
        seed: int = 0,
    ):
        super().__init__(image_shape, standardised=output == "standardised")
        self.prior = require_prior(prior, latent_dim)
        if labelled_prior:
            if not self.prior.classes:
                raise ValueError(
                    f"labelled_prior needs a prior with a region for every class, but {self.prior} has none; "
                    "use GaussianMixture() or SwissRoll()."
                )
            self.learns_labels = self.prior.classes
        self.encoder = Encoder(
            self.image_shape,
            self.prior.dim,
            posterior=posterior,
            hidden=hidden,
            body=body,
            batch_norm=batch_norm,
            noise_dim=noise_dim,
            input_noise=input_noise,
            input_dropout=input_dropout,
        )
        self.decoder = Decoder(
            self.prior.dim, self.image_shape, hidden=hidden, body=body, output=output, batch_norm=bool(batch_norm)
        )
        self.discriminator = Discriminator(
            (self.prior.dim + (self.prior.classes + 1 if labelled_prior else 0),),
            hidden=discriminator_hidden,
            input_noise=discriminator_noise,
        )
        initialise(self, seed, initial_std)
        self.encoder.start_like(self._draw_prior(1000, seed))

    def phases(self) -> list[Phase]:
        # One choice for all images, found by trial (docs/defaults.md). The paper's SGD is in the catalogue.
        step, game = Adam(1e-3), Adam(2e-4, beta1=0.5)
        return [
            Phase("reconstruction", self.reconstruction_loss, learns=(self.encoder, self.decoder), optimizer=step),
            Phase("discriminator", self.discriminator_loss, learns=(self.discriminator,), optimizer=game),
            Phase("generator", self.generator_loss, learns=(self.encoder,), optimizer=game),
        ]

    def reconstruction_loss(self, batch: Batch) -> Tensor:
        """½ ‖x̂ − x‖² per image."""
        z = self.encoder(batch.images, batch.generator)  # (B, Z)
        return half_squared_error(self.decoder(z), batch.images)

    def discriminator_loss(self, batch: Batch) -> Tensor:
        """Tell prior samples (1) from codes (0): Eq. 1, on z instead of x. 2 ln 2 when it cannot."""
        # unchecked: to look at labels, a GPU would have to wait at every update
        real = self.prior._draw(len(batch), batch.generator, self._regions(batch))  # (B, Z)
        fake = batch.codes(self.encoder)  # (B, Z); frozen in this phase
        return tell_apart(self.discriminator, self._seen(real, batch), self._seen(fake, batch), batch.generator)

    def generator_loss(self, batch: Batch) -> Tensor:
        """Move codes to where D takes them for prior samples (the non-saturating form). ln 2 when it cannot tell."""
        fake = batch.codes(self.encoder)  # (B, Z)
        return fool(self.discriminator, self._seen(fake, batch), batch.generator)

    def _regions(self, batch: Batch) -> Tensor | None:
        """The region (B,) of the prior for each image: its label's or, where that is hidden, a random one."""
        if self.learns_labels is None:
            return None
        anywhere = torch.randint(
            self.learns_labels, batch.labels.shape, generator=batch.generator, device=batch.labels.device
        )
        return torch.where(batch.labels == HIDDEN, anywhere, batch.labels)

    def _seen(self, z: Tensor, batch: Batch) -> Tensor:
        """What the discriminator is shown: z (B, Z), with labels in the prior (B, Z + classes + 1)."""
        if self.learns_labels is None:
            return z
        labels = torch.where(batch.labels == HIDDEN, self.learns_labels, batch.labels)
        return torch.cat([z, F.one_hot(labels, self.learns_labels + 1)], dim=1)
