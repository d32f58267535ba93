"""Dimensionality reduction with cluster heads (Makhzani et al. 2015, Sec. 7, Fig. 10)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .. import checks
from ..networks import initialise
from ..optimizers import SGD, Adam
from ..priors import Gaussian
from .base import Batch, Phase
from .content import ContentAndStyle, as_content, draw_content


class ClusterHeads(nn.Module):
    """W_C (K, n): row k is where the cluster of class k lies among the representations. At first N(0, ``spread``²)."""

    def __init__(self, classes: int, latent_dim: int, spread: float):
        super().__init__()
        self.spread = spread
        self.weight = nn.Parameter(torch.zeros(classes, latent_dim))

    def draw_weights(self, generator: torch.Generator) -> None:
        self.weight.data.normal_(0, self.spread, generator=generator)

    def forward(self, y: Tensor) -> Tensor:
        # no matrix product: autocast would round the representation to bfloat16
        return (y[:, :, None] * self.weight).sum(dim=1)  # (B, K) -> (B, n)

    def distances(self) -> Tensor:
        """The Euclidean distances of all pairs of heads, (K (K − 1) / 2,)."""
        if self.weight.device.type == "mps":  # which has no pdist
            first, second = torch.triu_indices(*2 * (len(self.weight),), offset=1, device=self.weight.device)
            return (self.weight[first] - self.weight[second]).norm(dim=1)
        return nn.functional.pdist(self.weight)


class DimensionalityReductionAdversarialAutoencoder(ContentAndStyle):
    """Images as points: the representation is W_C y + z, the head of the image's class plus its style.

    Style and representation have ``latent_dim`` dimensions, and the style's prior is a Gaussian. The heads W_C are
    learnt with the reconstruction, and a cost of max(0, ``head_distance`` − their distance) over all pairs keeps them
    apart. ``fixed_heads``, as the paper has it for 10 dimensions: W_C = fixed_heads · I, which nothing moves; it needs
    as many dimensions as classes. ``supervised``: whether labels take part (then give ``fit`` those that may be seen)
    or ``classes`` are clusters to be found. The other arguments are those of ``SemiSupervisedAdversarialAutoencoder``,
    on which their defaults were tried; here they were tried on MNIST alone, where batch norm and He et al.'s weights
    together halve the errors that a hundred labels leave (results/README.md).
    """

    decodes_labels = False

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        *,
        latent_dim: int = 2,
        classes: int = 10,
        supervised: bool = True,
        head_distance: float = 6.0,
        fixed_heads: float | None = None,
        hidden: Sequence[int] | None = None,
        discriminator_hidden: Sequence[int] = (1000, 1000),
        body: str = "mlp",
        output: str = "sigmoid",
        batch_norm: bool = True,
        decoder_batch_norm: bool = False,
        input_noise: float = 0.3,
        input_dropout: float = 0.0,
        discriminator_noise: float = 0.0,
        style_game: str = "marginal",
        conditional_from: float = 0.0,
        initial_std: float | None = None,
        seed: int = 0,
    ):
        super().__init__(image_shape, standardised=output == "standardised")
        self.head_distance = checks.positive_number("head_distance", head_distance, zero=True)
        if checks.positive_integer("classes", classes) == 1:
            raise ValueError("classes must be at least 2, but it is 1; one cluster tells nothing apart.")
        latent_dim = checks.positive_integer("latent_dim", latent_dim)
        self._build(
            classes,
            Gaussian(latent_dim),
            code_dim=latent_dim,
            hidden=hidden,
            discriminator_hidden=discriminator_hidden,
            body=body,
            output=output,
            batch_norm=batch_norm,
            decoder_batch_norm=decoder_batch_norm,
            input_noise=input_noise,
            input_dropout=input_dropout,
            discriminator_noise=discriminator_noise,
            style_game=style_game,
            conditional_from=conditional_from,
        )
        self.learns_labels = classes if supervised else None
        self.cluster_heads = ClusterHeads(classes, latent_dim, spread=max(1.0, self.head_distance / 2))
        self.fixed = fixed_heads is not None
        initialise(self, seed, initial_std)
        if self.fixed:
            if classes != latent_dim:
                raise ValueError(
                    f"fixed_heads puts one head on each axis, but latent_dim is {latent_dim} and classes is {classes}; "
                    "make them equal or leave fixed_heads out."
                )
            self.cluster_heads.weight.data = checks.positive_number("fixed_heads", fixed_heads) * torch.eye(classes)

    def phases(self) -> list[Phase]:
        phases = super().phases()
        if not self.fixed:
            phases.append(Phase("heads", self.head_loss, (self.cluster_heads,), SGD(0.01)))
        if self.learns_labels is not None:
            phases.append(Phase("classification", self.classification_loss, (self.encoder,), Adam(5e-4)))
        return phases

    def autoencoder(self) -> tuple:
        return super().autoencoder() if self.fixed else (*super().autoencoder(), self.cluster_heads)

    def code(self, y: Tensor, z: Tensor) -> Tensor:
        """The representation W_C y + z (B, n)."""
        return self.cluster_heads(y) + z

    def head_loss(self, batch: Batch) -> Tensor:
        """Σ max(0, η − ‖head_i − head_j‖) over the pairs of heads."""
        return (self.head_distance - self.cluster_heads.distances()).clamp_min(0).sum()

    def draw_codes(self, count: int, *, seed: int = 0) -> Tensor:
        """``count`` representations (N, n): random heads, each with a style drawn from the prior."""
        z, labels = draw_content(self.prior, self.classes, count, None, seed)
        return self.head_positions[labels] + z

    def encode(self, images: Tensor, *, seed: int | None = None) -> Tensor:
        """Representations W_C y + z (N, n) of images (N, C, H, W); the posterior is deterministic."""
        images = checks.images("images", images, self.image_shape)

        def represent(chunk: Tensor) -> Tensor:
            logits, z = self.heads(self.pixels(chunk))
            return self.code(logits.softmax(dim=1), z)

        return self._in_chunks(images, represent)

    def decode(self, z: Tensor) -> Tensor:
        """Images (N, C, H, W) in [0, 1] of representations (N, n)."""
        z = checks.codes("z", z, self.latent_dim)
        return self._in_chunks(z, lambda chunk: self.pictures(self.decoder(chunk)))

    def reconstruct(self, images: Tensor) -> Tensor:
        """decode(encode(images)): (N, C, H, W) in [0, 1]."""
        return self.decode(self.encode(images))

    def sample(self, count: int, labels: Tensor | None = None, *, seed: int = 0) -> Tensor:
        """``count`` images (N, C, H, W) of styles drawn about the heads of ``labels`` (N,), or about random heads."""
        z, labels = draw_content(self.prior, self.classes, count, labels, seed)
        return self.decode(as_content(labels, self.classes, count).to(z.device) @ self.head_positions + z)

    def decoded_heads(self) -> Tensor:
        """The cluster heads, decoded: (K, C, H, W)."""
        return self.decode(self.head_positions)

    @property
    def head_positions(self) -> Tensor:
        """The cluster heads (K, n), on the CPU."""
        return self.cluster_heads.weight.detach().cpu().clone()

    def circle(self) -> Tensor:
        """The linear map (n, 2) that sends the heads to points evenly spaced on a circle (Fig. 11d).

        The nearest by least squares where there are more heads than dimensions.
        """
        heads = self.head_positions
        angle = 2 * math.pi * torch.arange(len(heads)) / len(heads)
        points = torch.stack([angle.cos(), angle.sin()], dim=1) * heads.norm(dim=1).mean()  # (K, 2)
        return torch.linalg.lstsq(heads, points).solution
