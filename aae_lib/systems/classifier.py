"""Two classifiers without an autoencoder, baselines of Table 2 in Makhzani et al. 2015: the network alone, and VAT."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from .. import checks
from ..networks import Encoder, initialise
from ..optimizers import SGD, Adam
from .base import Batch, Phase, System

PROBE = 0.5  # the length of the random step whose gradient shows where answers change most


class Classifier(System):
    """The network alone: q(y | x), learnt from labelled images and from nothing else.

    With the same arguments it is the classifying half of ``SemiSupervisedAdversarialAutoencoder`` where neither is
    normalised over batches, and its one phase is that system's phase of the same name. Its defaults are the paper's.
    ``classes``: how many answers there are. The other arguments are those of ``AdversarialAutoencoder``.
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        *,
        classes: int = 10,
        hidden: Sequence[int] = (1000, 1000),
        body: str = "mlp",
        batch_norm: bool = False,
        input_noise: float = 0.3,
        initial_std: float | None = 0.01,
        seed: int = 0,
    ):
        super().__init__(image_shape)
        self.classes = self.learns_labels = checks.positive_integer("classes", classes)
        network = dict(hidden=hidden, body=body, batch_norm=batch_norm, input_noise=input_noise)
        self.encoder = Encoder(self.image_shape, self.classes, **network)  # (B, C, H, W) -> logits (B, K)
        initialise(self, seed, initial_std)

    def phases(self) -> list[Phase]:
        rate = SGD(0.1, momentum=0.9)  # as restated for the paper's semi-supervised adversarial autoencoder
        return [Phase("classification", self.classification_loss, learns=(self.encoder,), optimizer=rate)]

    def classification_loss(self, batch: Batch) -> Tensor:
        """Cross-entropy of q(y | x) on labelled images, in nats."""
        return F.cross_entropy(self.encoder(batch.labelled.images, batch.generator), batch.labelled.labels)

    def classify(self, images: Tensor) -> Tensor:
        """The most likely class (N,) of images (N, C, H, W); ``encode`` gives its logits."""
        return self.encode(images).argmax(dim=1)


class VirtualAdversarialClassifier(Classifier):
    """A classifier whose answer may not change near any image, labelled or not (Miyato et al. 2015, arXiv 1507.00677).

    "Near" is within ``reach`` of it, a distance in the space of pixels of [0, 1], in the direction in which the answer
    changes most. "Virtual", because that needs no label: the answer is compared with the network's own.
    As its authors have it, with batch normalisation and without noise on the images; but their code normalises the
    logits too, and here hidden layers alone. The other arguments are those of ``Classifier``.
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        *,
        reach: float = 3.0,
        classes: int = 10,
        hidden: Sequence[int] = (1000, 1000),
        body: str = "mlp",
        batch_norm: bool = True,
        input_noise: float = 0.0,
        initial_std: float | None = None,
        seed: int = 0,
    ):
        network = dict(hidden=hidden, body=body, batch_norm=batch_norm, input_noise=input_noise)
        super().__init__(image_shape, classes=classes, **network, initial_std=initial_std, seed=seed)
        self.reach = checks.positive_number("reach", reach)

    def phases(self) -> list[Phase]:
        return [
            Phase("classification", self.classification_loss, learns=(self.encoder,), optimizer=Adam(1e-3)),
            Phase("smoothness", self.smoothness_loss, learns=(self.encoder,), optimizer=Adam(1e-3)),
        ]

    def smoothness_loss(self, batch: Batch) -> Tensor:
        """KL(q(y | x) ‖ q(y | x + r)) in nats, for the step r of length ``reach`` that changes the answer most.

        The step is found from the gradient at a small random one (one turn of their power iteration). No gradient goes
        through q(y | x), which is the aim, nor through r.
        """
        images = batch.images
        answer = self.encoder(images).softmax(dim=1).detach()  # (B, K)

        def change(step: Tensor) -> Tensor:
            there = self.encoder(images + step).log_softmax(dim=1)
            return F.kl_div(there, answer, reduction="batchmean")

        noise = torch.randn(images.shape, generator=batch.generator, device=images.device)
        probe = of_length(PROBE, noise).requires_grad_()
        (steepest,) = torch.autograd.grad(change(probe), probe)
        return change(of_length(self.reach, steepest))


def of_length(length: float, directions: Tensor) -> Tensor:
    """``directions`` (B, C, H, W), each stretched to ``length``; one that is 0 stays so."""
    return length * F.normalize(directions.flatten(1)).view_as(directions)
