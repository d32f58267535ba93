"""The semi-supervised variational autoencoder M2 (Kingma et al. 2014, arXiv 1406.5298), a baseline of Table 2."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from .. import checks
from ..networks import MLP, Decoder, Encoder, initialise
from ..optimizers import Adam
from ..priors import Gaussian
from .base import Batch, Phase, System
from .content import as_content, draw_content
from .vae import gaussian_kl


class SemiSupervisedVariationalAutoencoder(System):
    """A classifier q(y | x), a style q(z | x, y) and a decoder p(x | y, z), all learnt by a bound on the likelihood.

    The nearest relative of ``SemiSupervisedAdversarialAutoencoder``, without a game. With L(x, y) the negative ELBO of
    an image whose class is known, one whose class is hidden costs its average over all classes minus the entropy of the
    answer, U(x) = Σ_y q(y | x) L(x, y) − H(q(y | x)). So an update decodes every image once for every class, and takes
    as much longer. As q(y | x) occurs in U alone, a cross-entropy on labelled images comes beside it.

    Kingma et al. sum L over the labelled images and U over the others. Here U is a mean over all images, labelled ones
    included, and L a mean over labelled ones, so that a few labelled images count for more than each of many others.

    ``style_dim``: of z, whose prior is N(0, I). ``classification_weight``: of the cross-entropy. ``input_noise``: on
    what the classifier sees; the bound needs images without. The other arguments are those of ``Classifier``.
    """

    decodes_labels = True

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        *,
        style_dim: int = 10,
        classes: int = 10,
        classification_weight: float = 10.0,
        hidden: Sequence[int] = (1000, 1000),
        input_noise: float = 0.3,
        initial_std: float | None = None,
        seed: int = 0,
    ):
        super().__init__(image_shape)
        self.prior = Gaussian(checks.positive_integer("style_dim", style_dim))
        self.classes = self.learns_labels = checks.positive_integer("classes", classes)
        self.classification_weight = checks.positive_number("classification_weight", classification_weight)
        self.classifier = Encoder(self.image_shape, self.classes, hidden=hidden, input_noise=input_noise)
        self.encoder = MLP((math.prod(self.image_shape) + self.classes, *hidden, 2 * style_dim))  # to μ and log σ²
        self.decoder = Decoder(self.classes + style_dim, self.image_shape, hidden=hidden)
        initialise(self, seed, initial_std)

    def phases(self) -> list[Phase]:
        return [
            Phase(
                "bound",
                self.bound,
                learns=(self.classifier, self.encoder, self.decoder),
                optimizer=Adam(1e-3),
                parts=("unlabelled bound", "labelled bound", "classification"),
                factors=(1.0, 1.0, self.classification_weight),
            )
        ]

    def bound(self, batch: Batch) -> Tensor:
        """(3,): means of U and of L, and the cross-entropy of q(y | x), all in nats (Eqs. 6, 7 and 9).

        Without the constant −log p(y), which is ln K in U and in L.
        """
        log_q = self.classifier(batch.images, batch.generator).log_softmax(dim=1)  # (B, K)
        every = torch.eye(self.classes, device=log_q.device).repeat(len(batch), 1)  # (B K, K): all classes, in turn
        images = batch.images.repeat_interleave(self.classes, dim=0)  # (B K, C, H, W)
        costs = self.negative_elbo(images, every, batch.generator).unflatten(0, log_q.shape)  # (B, K)
        seen = batch.labelled
        y = F.one_hot(seen.labels, self.classes).float()  # (B, K)
        known = self.negative_elbo(seen.images, y, batch.generator)  # (B,)
        names = F.cross_entropy(self.classifier(seen.images, batch.generator), seen.labels)
        return torch.stack([unlabelled_cost(log_q, costs).mean(), known.mean(), names])

    def negative_elbo(self, images: Tensor, y: Tensor, generator: torch.Generator) -> Tensor:
        """L(x, y) without −log p(y), in nats (B,), of images (B, C, H, W), Bernoulli, and one-hot classes y (B, K)."""
        mean, log_variance = self._style(images, y)  # (B, Z) each
        noise = torch.randn(mean.shape, generator=generator, device=mean.device)
        z = mean + (0.5 * log_variance).exp() * noise  # (B, Z)
        logits = self.decoder.logits(torch.cat([y, z], dim=1))
        reconstruction = F.binary_cross_entropy_with_logits(logits, images, reduction="none").flatten(1).sum(dim=1)
        return reconstruction + gaussian_kl(mean, log_variance)

    def _style(self, images: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """μ and log σ² of q(z | x, y), each (B, Z)."""
        mean, log_variance = self.encoder(torch.cat([images.flatten(1), y], dim=1)).float().chunk(2, dim=1)
        return mean, log_variance

    def classify(self, images: Tensor) -> Tensor:
        """The most likely class (N,) of images (N, C, H, W)."""
        images = checks.images("images", images, self.image_shape)
        return self._in_chunks(images, lambda chunk: self.classifier(self.pixels(chunk)).argmax(dim=1))

    def encode(self, images: Tensor, *, seed: int | None = None) -> Tensor:
        """Styles z (N, Z) of images (N, C, H, W) for their most likely classes: the mean, or with a ``seed`` a draw."""
        images = checks.images("images", images, self.image_shape)
        generator = None if seed is None else torch.Generator(self.device).manual_seed(checks.seed("seed", seed))

        def styles(chunk: Tensor) -> Tensor:
            pixels = self.pixels(chunk)
            y = F.one_hot(self.classifier(pixels).argmax(dim=1), self.classes).float()  # (B, K)
            mean, log_variance = self._style(pixels, y)
            if generator is None:
                return mean
            noise = torch.randn(mean.shape, generator=generator, device=mean.device)
            return mean + (0.5 * log_variance).exp() * noise

        return self._in_chunks(images, styles)

    def decode(self, z: Tensor, labels: Tensor) -> Tensor:
        """Images (N, C, H, W) in [0, 1] of styles z (N, Z) and contents ``labels`` (N,), or shares (N, K) of each."""
        z = checks.codes("z", z, self.latent_dim)
        y = as_content(labels, self.classes, len(z)).to(z.device)  # (N, K)
        return self._in_chunks(torch.cat([y, z], dim=1), lambda chunk: self.pictures(self.decoder(chunk)))

    def reconstruct(self, images: Tensor) -> Tensor:
        """Images (N, C, H, W), decoded from their most likely classes and their styles."""
        return self.decode(self.encode(images), self.classify(images))

    def sample(self, count: int, labels: Tensor | None = None, *, seed: int = 0) -> Tensor:
        """``count`` images (N, C, H, W) of styles drawn from the prior; contents ``labels`` (N,), or random ones."""
        z, labels = draw_content(self.prior, self.classes, count, labels, seed)
        return self.decode(z, labels)


def unlabelled_cost(log_q: Tensor, costs: Tensor) -> Tensor:
    """U(x), (B,), of log q(y | x) and L(x, y), each (B, K): smallest, −log Σ_y exp(−L(x, y)), where q ∝ exp(−L)."""
    return (log_q.exp() * (costs + log_q)).sum(dim=1)
