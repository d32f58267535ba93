"""Today's numbers about samples: sharpness; Fréchet and kernel distance, precision and recall, between features.

The features come from a small classifier that is trained here, on the dataset's own training labels, in seconds. So the
numbers compare models on one dataset with one such network; beside published ones (of Inception's features) they mean
nothing. The same classifier reads what decoded images show.
"""

from __future__ import annotations

import math
import warnings
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from .. import checks
from ..data import Split
from ..networks import MLP, ConvolutionalEncoder, initialise
from ..optimizers import Adam
from ..pixels import MOST_IMAGES, as_float, chunk_size
from ..systems.base import Batch, Phase, System
from ..training import fit

FEATURES = 64
UPDATES = 1000  # or MOST_EPOCHS, where that is less; the last quarter of them in smaller steps
MOST_EPOCHS = 50
BATCH_SIZE = 200


class FeatureNetwork(System):
    """A convolutional classifier whose last hidden layer serves as features. ``train_feature_network`` trains one.

    Images are halved until fewer than 8 pixels are left of their shorter side.
    """

    def __init__(self, image_shape: tuple[int, int, int], *, classes: int, epochs: int, seed: int = 0):
        super().__init__(image_shape)
        self.classes = self.learns_labels = checks.positive_integer("classes", classes)
        self.epochs = checks.positive_integer("epochs", epochs)  # of the training, at whose end steps get smaller
        halvings = max(1, int(math.log2(min(self.image_shape[1:]))) - 2)
        channels = [min(16 * 2**i, 64) for i in range(halvings)]
        self.body = ConvolutionalEncoder(self.image_shape, channels, FEATURES)
        self.head = MLP((FEATURES, self.classes))
        initialise(self, seed)

    def phases(self) -> list[Phase]:
        step = Adam(3e-3, drops={self.epochs - math.ceil(self.epochs / 4): 10})
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
    """A ``FeatureNetwork`` trained on the images and labels of ``split``: give data.train, never test images.

    Images without labels are turned by quarters of a circle, and the network learns to say by how many (Gidaris, Singh
    & Komodakis 2018, arXiv 1803.07728): what shows that is what the images are of.
    """
    if not isinstance(split, Split):
        raise TypeError(f"split must be a Split, such as data.train, but it is a {type(split).__name__}.")
    if split.labels is None:
        split = _turned(split)
    labels = checks.labels("split.labels", split.labels, len(split))
    found = labels.unique().tolist()
    if len(found) < 2 or found != list(range(len(found))):
        raise ValueError(
            f"split.labels must be 0, 1, 2 and so on without a gap, of two classes at least, but they are {found}; "
            "number the classes anew, or give a split without labels."
        )
    batch_size = min(BATCH_SIZE, len(split))
    epochs = min(max(2, UPDATES // (len(split) // batch_size)), MOST_EPOCHS)
    network = FeatureNetwork(tuple(split.images.shape[1:]), classes=int(labels.max()) + 1, epochs=epochs, seed=seed)
    fit(network, split, epochs=epochs, batch_size=batch_size, seed=seed, progress=False)
    return network


def _turned(split: Split) -> Split:
    """Every image turned by 0, 1, 2 or 3 quarters, and how many as its label."""
    if split.images.shape[2] != split.images.shape[3]:
        raise ValueError(
            f"split has images of {tuple(split.images.shape[2:])} pixels and no labels, but only squares turn; "
            "give labels or square images."
        )
    quarters = torch.arange(len(split)) % 4
    images = split.images.clone()
    for count in range(1, 4):
        images[quarters == count] = torch.rot90(split.images[quarters == count], count, (2, 3))
    return Split(images, quarters)


def feature_fid(real: Tensor, fake: Tensor) -> float:
    """The Fréchet distance of the Gaussians that fit two sets of features, (N, F) and (M, F); 0 where these agree.

    ‖m − m'‖² + tr(C + C' − 2 (C C')^½), with means m and covariances C (Heusel et al. 2017, arXiv 1706.08500, Eq. 6).
    Fewer images score higher, even real ones: compare models by equally many.
    """
    real, fake = _features("real", real), _features("fake", fake, real)
    # C = RᵀR. The eigenvalues of C C' are then the squared singular values of R R'ᵀ, whose sum is the trace we need:
    # no root of a matrix, and exact where features never vary.
    first, second = _root_of_covariance(real), _root_of_covariance(fake)
    trace = first.square().sum() + second.square().sum() - 2 * torch.linalg.matrix_norm(first @ second.T, "nuc")
    return float((real.mean(dim=0) - fake.mean(dim=0)).square().sum() + trace)


def _root_of_covariance(x: Tensor) -> Tensor:
    """R (min(N, F), F) with RᵀR the covariance of x (N, F)."""
    return torch.linalg.qr((x - x.mean(dim=0)) / math.sqrt(len(x) - 1)).R


class KernelDistance(NamedTuple):
    """``mean`` and ``std`` over subsets of features (``feature_kid``)."""

    mean: float
    std: float


def feature_kid(
    real: Tensor, fake: Tensor, *, subsets: int = 100, subset_size: int = 500, seed: int = 0
) -> KernelDistance:
    """The kernel distance of two sets of features, (N, F) and (M, F): MMD² with (aᵀb / F + 1)³, without bias.

    Unlike ``feature_fid`` it is 0 on average for equal distributions however few the images, so it may be negative: a
    mean over ``subsets`` random subsets of ``subset_size`` features, drawn by ``seed``. Computed by torchmetrics.
    Bińkowski, Sutherland, Arbel & Gretton 2018, arXiv 1801.01401. ValueError where a set is smaller than a subset.
    """
    from torchmetrics.image.kid import KernelInceptionDistance  # here, since it takes seconds and few need it

    real, fake = _features("real", real), _features("fake", fake, real)
    size = checks.positive_integer("subset_size", subset_size)
    if not 2 <= size <= min(len(real), len(fake)):
        raise ValueError(
            f"subset_size is {size}, but there are {len(real)} real and {len(fake)} fake features; give a number from "
            "2 to the smaller of these."
        )
    generator = torch.Generator().manual_seed(checks.seed("seed", seed))
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):  # its subsets come from the global generator
        warnings.simplefilter("ignore", UserWarning)  # that it holds the features in memory
        metric = KernelInceptionDistance(
            torch.nn.Identity(), subsets=checks.positive_integer("subsets", subsets), subset_size=size
        )
        metric.update(real, real=True)
        metric.update(fake, real=False)
        torch.set_rng_state(generator.get_state())
        return KernelDistance(*map(float, metric.compute()))


def sharpness(images: Tensor) -> float:
    """The variance over an image's pixels of its Laplacian, 4 x − (left + right + up + down): a mean over images.

    Of images (N, C, H, W), uint8 or in [0, 1], made grey by the mean of their channels; borders left out. Blur lowers
    it, and noise raises it, so it is to be compared with that of real images. Tolstikhin et al. 2018, Sec. 4.
    """
    images = checks.images("images", images)
    if min(images.shape[2:]) < 3:
        raise ValueError(
            f"images must be at least 3x3 to have a pixel with 4 neighbours, but they are {tuple(images.shape[2:])}; "
            "give larger ones."
        )
    variances = []
    for chunk in images.split(chunk_size(images.shape[1:])):
        x = as_float(chunk).mean(dim=1)  # (N, H, W)
        around = x[:, 1:-1, :-2] + x[:, 1:-1, 2:] + x[:, :-2, 1:-1] + x[:, 2:, 1:-1]
        variances.append((4 * x[:, 1:-1, 1:-1] - around).flatten(1).var(dim=1, correction=0))
    return float(torch.cat(variances).mean())


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
    nearest = [torch.cdist(part, members).topk(k + 1, largest=False).values for part in members.split(MOST_IMAGES)]
    radii = torch.cat(nearest)[:, -1]  # (M,); k + 1, since a member's nearest is itself
    inside = [(torch.cdist(part, members) <= radii).any(dim=1) for part in points.split(MOST_IMAGES)]
    return float(torch.cat(inside).double().mean())


def _features(name: str, features: Tensor, like: Tensor | None = None) -> Tensor:
    found = checks.codes(name, features, None if like is None else like.shape[1]).cpu().double()
    if len(found) < 2:
        raise ValueError(f"{name} has one row; give the features (N, F) of at least 2 images, better 1,000.")
    return found
