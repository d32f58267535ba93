"""Today's numbers about samples: Fréchet distance, precision and recall, between features of real and made images.

The features come from a small classifier that is trained here, on the dataset's own training labels, in seconds. So the
numbers compare models on one dataset with one such network; beside published ones (of Inception's features) they mean
nothing. The same classifier reads what decoded images show.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from .. import checks
from ..data import Split
from ..networks import MLP, ConvolutionalEncoder, initialise
from ..systems.base import CHUNK, Adam, Batch, Phase, System
from ..training import fit

FEATURES = 64
UPDATES = 1200  # the last fifth of them in smaller steps
BATCH_SIZE = 100


class FeatureNetwork(System):
    """A convolutional classifier whose last hidden layer serves as features. ``train_feature_network`` trains one.

    Images are halved until fewer than 8 pixels are left of their shorter side.
    """

    def __init__(self, image_shape: tuple[int, int, int], *, classes: int, epochs: int, seed: int = 0):
        super().__init__(locals())
        self.classes = self.learns_labels = checks.positive_integer("classes", classes)
        self.epochs = checks.positive_integer("epochs", epochs)
        halvings = max(1, int(math.log2(min(self.image_shape[1:]))) - 2)
        channels = [min(32 * 2**i, 128) for i in range(halvings)]
        self.body = ConvolutionalEncoder(self.image_shape, channels, FEATURES)
        self.head = MLP((FEATURES, self.classes))
        initialise(self, seed)

    def phases(self) -> list[Phase]:
        step = Adam(2e-3, drops={math.ceil(0.8 * self.epochs): 10})
        return [Phase("classification", self.classification_loss, learns=(self.body, self.head), optimizer=step)]

    def classification_loss(self, batch: Batch) -> Tensor:
        """Cross-entropy in nats."""
        return F.cross_entropy(self.head(self._features(batch.labelled.images)), batch.labelled.labels)

    def features(self, images: Tensor) -> Tensor:
        """Features (N, F) of images (N, C, H, W)."""
        images = checks.images("images", images, self.image_shape)
        return self._in_chunks(images, lambda chunk: self._features(self.pixels(chunk)))

    def classify(self, images: Tensor) -> Tensor:
        """The class (N,) that each of the images (N, C, H, W) seems to show."""
        return self._in_chunks(self.features(images), self.head).argmax(dim=1)

    def _features(self, images: Tensor) -> Tensor:
        return F.relu(self.body(images))


def train_feature_network(split: Split, *, seed: int = 0) -> FeatureNetwork:
    """A ``FeatureNetwork`` trained on the images and labels of ``split``: give data.train, never test images."""
    labels = checks.labels("split's labels", split.labels, len(split))
    batch_size = min(BATCH_SIZE, len(split))
    epochs = max(1, UPDATES // (len(split) // batch_size))
    network = FeatureNetwork(tuple(split.images.shape[1:]), classes=int(labels.max()) + 1, epochs=epochs, seed=seed)
    fit(network, split, epochs=epochs, batch_size=batch_size, seed=seed, progress=False)
    return network


def feature_fid(real: Tensor, fake: Tensor) -> float:
    """The Fréchet distance of the Gaussians that fit two sets of features, (N, F) and (M, F); 0 where these agree.

    ‖m − m'‖² + tr(C + C' − 2 (C C')^½), with means m and covariances C (Heusel et al. 2017, arXiv 1706.08500, Eq. 6).
    """
    real, fake = _features("real", real), _features("fake", fake, real)
    means, covariances = zip(*((x.mean(dim=0), torch.cov(x.T)) for x in (real, fake)), strict=True)
    # The trace of the root of C C' is the sum of the roots of its eigenvalues, which are real and not negative.
    root = torch.linalg.eigvals(covariances[0] @ covariances[1]).real.clamp_min(0).sqrt().sum()
    return float((means[0] - means[1]).square().sum() + sum(c.trace() for c in covariances) - 2 * root)


class PrecisionRecall(NamedTuple):
    """``precision``: the share of made images among the real ones; ``recall``: of real ones among the made ones."""

    precision: float
    recall: float


def precision_recall(real: Tensor, fake: Tensor, *, k: int = 3) -> PrecisionRecall:
    """Kynkäänniemi et al. 2019 (arXiv 1904.06991), of features (N, F) of real and (M, F) of made images.

    A set's manifold is the union of balls around its members, each reaching to its ``k``-th nearest other member.
    """
    real, fake = _features("real", real), _features("fake", fake, real)
    if checks.positive_integer("k", k) >= min(len(real), len(fake)):
        raise ValueError(f"k is {k}, but there are only {min(len(real), len(fake))} features; give more or lower k.")
    return PrecisionRecall(_share_within(fake, real, k), _share_within(real, fake, k))


def _share_within(points: Tensor, members: Tensor, k: int) -> float:
    """The share of points (N, F) that lie in the manifold of members (M, F)."""
    radii = torch.cat(
        [torch.cdist(part, members).kthvalue(k + 1).values for part in members.split(CHUNK)]
    )  # itself too
    inside = [(torch.cdist(part, members) <= radii).any(dim=1) for part in points.split(CHUNK)]
    return float(torch.cat(inside).double().mean())


def _features(name: str, features: Tensor, like: Tensor | None = None) -> Tensor:
    found = checks.codes(name, features, None if like is None else like.shape[1]).double()
    if len(found) < 2:
        raise ValueError(f"{name} has one row; give the features (N, F) of at least 2 images, better 1,000.")
    return found
