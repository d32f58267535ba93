"""The supervised adversarial autoencoder (Makhzani et al. 2015, Sec. 4, Fig. 6): style and content apart."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from .. import checks
from ..losses import fool, half_squared_error, tell_apart
from ..networks import Decoder, Discriminator, Encoder, initialise
from ..optimizers import Adam
from ..priors import Gaussian, Prior
from .base import Batch, Phase, System, require_prior
from .content import PAPERS_GAME, StyleGame, as_content, draw_content


class SupervisedAdversarialAutoencoder(System):
    """An autoencoder whose decoder is told the label, so that the code needs to hold only the rest: the style.

    The decoder sees (y, z): the one-hot label, then the style. The decoder has no use for what the label says, and the
    discriminator leaves z no room beyond the prior. But it pulls q(z) as a whole onto the prior, not q(z | y) for each
    label: whether z tells nothing of the label is to be measured (``evaluation.label_probe``), not given.
    ``style_game="conditional"``: the discriminator sees the label beside z, zeros where it is hidden, from the share
    ``conditional_from`` of the training's updates on. That pulls q(z | y) onto the prior, which is not the paper's
    model: it is for styles that go with every label (see ``content.StyleGame``).
    ``classes``: how many contents y can be. The other arguments are those of ``AdversarialAutoencoder``.
    """

    decodes_labels = True
    newer = PAPERS_GAME

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        *,
        prior: Prior | None = None,
        classes: int = 10,
        hidden: Sequence[int] | None = None,
        discriminator_hidden: Sequence[int] = (1000, 1000),
        body: str = "mlp",
        output: str = "sigmoid",
        batch_norm: bool | str = "codes",
        input_noise: float = 0.0,
        input_dropout: float = 0.0,
        discriminator_noise: float = 0.0,
        style_game: str = "marginal",
        conditional_from: float = 0.0,
        initial_std: float | None = None,
        seed: int = 0,
    ):
        super().__init__(image_shape, standardised=output == "standardised")
        self.prior = require_prior(Gaussian(15) if prior is None else prior)
        self.classes = self.learns_labels = checks.positive_integer("classes", classes)
        self.style_game = StyleGame(style_game, conditional_from, self.classes)
        self.encoder = Encoder(
            self.image_shape,
            self.prior.dim,
            hidden=hidden,
            body=body,
            batch_norm=batch_norm,
            input_noise=input_noise,
            input_dropout=input_dropout,
        )
        self.decoder = Decoder(
            self.classes + self.prior.dim,
            self.image_shape,
            hidden=hidden,
            body=body,
            output=output,
            batch_norm=bool(batch_norm),
        )
        self.discriminator = Discriminator(
            (self.style_game.width(self.prior.dim),), hidden=discriminator_hidden, input_noise=discriminator_noise
        )
        initialise(self, seed, initial_std)
        self.encoder.start_like(self._draw_prior(1000, seed))

    def phases(self) -> list[Phase]:
        step, game = Adam(1e-3), Adam(2e-4, beta1=0.5)  # as in ``AdversarialAutoencoder``
        return [
            Phase("reconstruction", self.reconstruction_loss, learns=(self.encoder, self.decoder), optimizer=step),
            Phase("discriminator", self.discriminator_loss, learns=(self.discriminator,), optimizer=game),
            Phase("generator", self.generator_loss, learns=(self.encoder,), optimizer=game),
        ]

    def reconstruction_loss(self, batch: Batch) -> Tensor:
        """½ ‖x̂ − x‖² per labelled image, decoded from its label and its style."""
        images = batch.labelled.images
        y = F.one_hot(batch.labelled.labels, self.classes).float()  # (B, K)
        z = self.encoder(images, batch.generator)  # (B, Z)
        return half_squared_error(self.decoder(torch.cat([y, z], dim=1)), images)

    def discriminator_loss(self, batch: Batch) -> Tensor:
        """Tell prior samples from styles."""
        real = self.prior.sample(len(batch), batch.generator)  # (B, Z)
        fake = batch.codes(self.encoder)  # (B, Z)
        return tell_apart(self.discriminator, self._shown(real, batch), self._shown(fake, batch), batch.generator)

    def generator_loss(self, batch: Batch) -> Tensor:
        """Move styles to where the discriminator takes them for prior samples."""
        fake = batch.codes(self.encoder)  # (B, Z)
        return fool(self.discriminator, self._shown(fake, batch), batch.generator)

    def _shown(self, z: Tensor, batch: Batch) -> Tensor:
        return self.style_game.shown(z, batch.labels, batch.progress)

    def decode(self, z: Tensor, labels: Tensor) -> Tensor:
        """Images (N, C, H, W) in [0, 1] of styles z (N, Z) and contents ``labels`` (N,), or shares (N, K) of each."""
        z = checks.codes("z", z, self.latent_dim)
        y = as_content(labels, self.classes, len(z)).to(z.device)  # (N, K)
        return self._in_chunks(torch.cat([y, z], dim=1), lambda chunk: self.pictures(self.decoder(chunk)))

    def reconstruct(self, images: Tensor, labels: Tensor) -> Tensor:
        """The images (N, C, H, W) again; with other ``labels`` (N,) than their own, those contents in their styles."""
        return self.decode(self.encode(images), labels)

    def sample(self, count: int, labels: Tensor | None = None, *, seed: int = 0) -> Tensor:
        """``count`` images (N, C, H, W) of styles drawn from the prior; contents ``labels`` (N,), or random ones."""
        z, labels = draw_content(self.prior, self.classes, count, labels, seed)
        return self.decode(z, labels)
