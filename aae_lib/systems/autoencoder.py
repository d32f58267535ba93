"""The plain autoencoder, and the denoising one (Vincent et al. 2008)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from ..losses import half_squared_error
from ..networks import Decoder, Encoder, initialise
from .base import Batch, Phase, System


class Autoencoder(System):
    """Encode, decode, compare. Nothing says where codes lie, so nothing can be sampled.

    ``input_noise`` (std of Gaussian noise on the pixels) or ``input_dropout`` (share of pixels set to 0) make it a
    denoising autoencoder: it sees the spoilt image and is compared with the clean one.
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        *,
        latent_dim: int = 2,
        hidden: Sequence[int] | None = None,
        body: str = "mlp",
        output: str = "sigmoid",
        batch_norm: bool = False,
        input_noise: float = 0.0,
        input_dropout: float = 0.0,
        initial_std: float | None = None,
        seed: int = 0,
    ):
        super().__init__(image_shape, standardised=output == "standardised")
        self.encoder = Encoder(
            self.image_shape,
            latent_dim,
            hidden=hidden,
            body=body,
            batch_norm=batch_norm,
            input_noise=input_noise,
            input_dropout=input_dropout,
        )
        self.decoder = Decoder(
            latent_dim, self.image_shape, hidden=hidden, body=body, output=output, batch_norm=batch_norm
        )
        initialise(self, seed, initial_std)

    def phases(self) -> list[Phase]:
        return [Phase("reconstruction", self.reconstruction_loss, learns=(self.encoder, self.decoder))]

    def reconstruction_loss(self, batch: Batch) -> Tensor:
        """½ ‖x̂ − x‖² per image."""
        z = self.encoder(batch.images, batch.generator)  # (B, Z)
        return half_squared_error(self.decoder(z), batch.images)
