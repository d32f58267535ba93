"""Adversarial latent autoencoders (Pidhorskyi, Adjeroh & Doretto 2020, arXiv 2004.04467)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from .. import checks
from ..losses import bce, gradient_penalty, half_squared_error
from ..networks import Decoder, Encoder, initialise
from ..optimizers import Adam
from ..priors import Gaussian
from ..style import EqualisedMLP, MappingNetwork, equalise
from .base import Batch, Phase, System

RECIPROCITIES = ("latent", "data")


class AdversarialLatentAutoencoder(System):
    """A GAN cut in two, each half with a latent space w in its middle: G(F(z)) makes images, D(E(x)) judges them.

    F maps z ~ N(0, I) to w, so that the distribution of w is learnt, not imposed. E maps images to w too, and the
    reciprocity asks it to find the w that an image was made of. Codes are w, from ``encode`` and for ``decode``; draws
    z of the prior become codes by ``map``.

    ``latent_dim``: of w and of z. ``hidden``: widths of E and G; ``mapping_layers``: how
    many layers of ``latent_dim`` units F has; ``discriminator_hidden``: of D, which sees w. ``gamma``: the weight of
    the gradient penalty R1 on real images. ``reciprocity``: where it is measured, in "latent" space (the paper's) or
    "data" space, as ½ ‖x − G(E(x))‖² (the paper's ablation). ``averaging``: the decay of the moving average of F and G
    that serves for samples and reconstructions.
    """

    recordable = False  # its averages look at a counter

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        *,
        latent_dim: int = 50,
        hidden: Sequence[int] = (1024, 1024),
        discriminator_hidden: Sequence[int] = (256, 256),
        mapping_layers: int = 6,
        body: str = "mlp",
        output: str = "sigmoid",
        gamma: float = 10.0,
        reciprocity: str = "latent",
        averaging: float = 0.995,
        seed: int = 0,
    ):
        super().__init__(image_shape, standardised=output == "standardised")
        width = checks.positive_integer("latent_dim", latent_dim)
        self.prior = Gaussian(width)
        self.gamma = checks.positive_number("gamma", gamma, zero=True)
        self.reciprocity = checks.one_of("reciprocity", reciprocity, RECIPROCITIES)
        layers = checks.positive_integer("mapping_layers", mapping_layers)
        self.mapping = MappingNetwork(width, layers)  # F
        self.encoder = equalise(Encoder(self.image_shape, width, hidden=hidden, body=body))  # E
        self.decoder = equalise(Decoder(width, self.image_shape, hidden=hidden, body=body, output=output))  # G
        self.discriminator = EqualisedMLP((width, *discriminator_hidden, 1), last_linear=True)  # D
        initialise(self, seed)
        average = get_ema_multi_avg_fn(checks.share("averaging", averaging))
        self.averaged = AveragedModel(torch.nn.ModuleList([self.mapping, self.decoder]), multi_avg_fn=average)

    def phases(self) -> list[Phase]:
        # The paper's, for 400 epochs; in a few thousand updates MNIST needs larger steps, 0.015, and a gamma of 3.
        steps = Adam(2e-3, beta1=0.0, beta2=0.99)
        return [
            Phase(
                "discriminator",
                self.discriminator_loss,
                learns=(self.encoder, self.discriminator),
                optimizer=steps,
                parts=("discriminator", "gradient penalty"),
                factors=(1.0, self.gamma),
            ),
            Phase("generator", self.generator_loss, learns=(self.mapping, self.decoder), optimizer=steps),
            Phase("reciprocity", self.reciprocity_loss, learns=(self.encoder, self.decoder), optimizer=steps),
        ]

    def discriminator_loss(self, batch: Batch) -> Tensor:
        """(2,): D(E(·)) tells real images (1) from generated ones (0), 2 ln 2 when it cannot; and its R1 (step I)."""
        images = batch.images.detach().requires_grad_(self.gamma > 0)
        real, fake = self._judge(images), self._judge(self._generate(batch))  # (B,) each
        penalty = gradient_penalty(real, images) if self.gamma else real.new_zeros(())
        return torch.stack([bce(real, 1) + bce(fake, 0), penalty])

    def generator_loss(self, batch: Batch) -> Tensor:
        """Have generated images taken for real, the form that does not saturate (step II). ln 2 at equilibrium."""
        return bce(self._judge(self._generate(batch)), 1)

    def reciprocity_loss(self, batch: Batch) -> Tensor:
        """‖w − E(G(w))‖² of w = F(z), a mean over the batch; F does not move (step III). Or ½ ‖x − G(E(x))‖²."""
        if self.reciprocity == "data":
            return half_squared_error(self.decoder(self.encoder(batch.images)), batch.images)
        w = self._codes(batch)  # (B, W)
        return (self.encoder(self.decoder(w)) - w).square().sum(dim=1).mean()

    def after_update(self) -> None:
        self.averaged.update_parameters(torch.nn.ModuleList([self.mapping, self.decoder]))

    @property
    def latent_dim(self) -> int:
        """W, the number of dimensions of w: what ``encode`` gives and ``decode`` takes."""
        return self.encoder.latent_dim

    @property
    def decoder_in_use(self) -> Decoder:
        """The average of G, which ``decode`` uses."""
        return self.averaged.module[1]

    def map(self, z: Tensor) -> Tensor:
        """Codes w = F(z) (N, W) of draws z (N, Z) of the prior."""
        z = checks.codes("z", z, self.prior.dim)
        return self._in_chunks(z, self.averaged.module[0])

    def draw_codes(self, count: int, *, seed: int = 0) -> Tensor:
        """``count`` codes w = F(z) (N, W) of draws z of the prior, on the CPU."""
        return self.map(self._draw_prior(count, seed))

    def decode(self, w: Tensor) -> Tensor:
        """Images (N, C, H, W) in [0, 1] of codes w (N, W), not of draws z: these become codes by ``map``."""
        w = checks.codes("w", w)
        if w.shape[1] != self.latent_dim:
            raise ValueError(
                f"w must have shape (N, {self.latent_dim}), but its shape is {tuple(w.shape)}; draws z become "
                "codes by system.map(z)."
            )
        return self._in_chunks(w, lambda chunk: self.pictures(self.decoder_in_use(chunk)))

    def _codes(self, batch: Batch) -> Tensor:
        """w = F(z) (B, W) of fresh draws z."""
        return self.mapping(self.prior.sample(len(batch), batch.generator)).float()

    def _judge(self, images: Tensor) -> Tensor:
        """D(E(x)), logits (B,)."""
        return self.discriminator(self.encoder(images)).float().squeeze(1)

    def _generate(self, batch: Batch) -> Tensor:
        return self.decoder(self._codes(batch))
