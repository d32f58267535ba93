"""Semi-supervised classification and clustering (Makhzani et al. 2015, Secs. 5, 6): one network, with labels or not."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from .. import checks
from ..networks import initialise
from ..optimizers import SGD, Adam
from ..priors import Gaussian, Prior
from .base import Batch, Phase
from .content import ContentAndStyle


class SemiSupervisedAdversarialAutoencoder(ContentAndStyle):
    """A classifier q(y | x) that learns from a few labels and, as one half of an autoencoder, from all images (Sec. 5).

    Two discriminators pull y to one-hot vectors of equally likely classes and z to the prior (by default a Gaussian of
    10 dimensions). With y confident and z confined to the prior, the decoder has use for a y that says what the image
    shows; the labels say which class is called what. (The games fix q(y) and q(z), each as a whole, not q(z | y).)
    ``style_game="conditional"``, which is not the paper's, fixes q(z | y) too, so that styles go with every content:
    from the share ``conditional_from`` of the training's updates on, the discriminator of z sees y beside it, the label
    or, where that is hidden, the likeliest class, one-hot (see ``content.StyleGame``).
    Give ``fit`` the labels that may be seen:
    ``fit(system, data.train, labelled=data.train.balanced_subset(100), ...)``.

    ``batch_norm``: in the encoder, its heads included; ``decoder_batch_norm``: in the decoder, its output included (the
    paper's SVHN has both, its MNIST neither, and weights of std 0.01). The other arguments are those of
    ``AdversarialAutoencoder``. With 10 to 100 labels a class, all of these left as they are (but ``output="auto"``), it
    is no worse than logistic regression on five sets of images, grey and in colour (docs/defaults.md).
    """

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
        self._build(
            checks.positive_integer("classes", classes),
            Gaussian(10) if prior is None else prior,
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
        self.learns_labels = self.classes
        initialise(self, seed, initial_std)

    def phases(self) -> list[Phase]:
        return [*super().phases(), Phase("classification", self.classification_loss, (self.encoder,), Adam(5e-4))]


class ClusteringAdversarialAutoencoder(ContentAndStyle):
    """The same network without any label: q(y | x) finds ``clusters`` by itself (Sec. 6).

    The decoder explains an image by one of a few clusters and a style of few dimensions (by default a Gaussian of 5):
    images that differ only in style share a cluster. The paper calls batch normalisation of the encoder crucial here.
    On 600 digits k-means finds better clusters, on 50,000 this does (docs/defaults.md). The paper has 3000 units.
    The other arguments are those of ``SemiSupervisedAdversarialAutoencoder``. ``classify`` returns clusters.

    ``consistency``: the weight of a phase that the paper does not have, in which q(y | x) learns to stay the same when
    an image is ``distorted`` a little (compare Hu et al. 2017, Information Maximizing Self-Augmented Training).
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        *,
        clusters: int = 16,
        prior: Prior | None = None,
        consistency: float = 0.0,
        hidden: Sequence[int] | None = None,
        discriminator_hidden: Sequence[int] = (1000, 1000),
        body: str = "mlp",
        output: str = "sigmoid",
        batch_norm: bool = True,
        decoder_batch_norm: bool = False,
        input_noise: float = 0.0,
        input_dropout: float = 0.2,
        discriminator_noise: float = 0.0,
        style_game: str = "marginal",
        conditional_from: float = 0.0,
        initial_std: float | None = None,
        seed: int = 0,
    ):
        super().__init__(image_shape, standardised=output == "standardised")
        if checks.positive_integer("clusters", clusters) == 1:
            raise ValueError("clusters must be at least 2, but it is 1; one cluster tells nothing apart.")
        self.consistency = checks.positive_number("consistency", consistency, zero=True)
        self._build(
            clusters,
            Gaussian(5) if prior is None else prior,
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
        initialise(self, seed, initial_std)

    def phases(self) -> list[Phase]:
        steady = Phase("consistency", self.consistency_loss, (self.encoder,), SGD(0.1, momentum=0.1))
        return [*super().phases(), *([steady] if self.consistency else [])]

    def consistency_loss(self, batch: Batch) -> Tensor:
        """KL(q(y | x) ‖ q(y | Tx)) in nats, for a random small distortion T of every image, times its weight."""
        with torch.no_grad():
            moved = distorted(batch.images, batch.generator)
        with self.evaluating():  # what is aimed at: the answer without dropout
            aim = self.heads(batch.images)[0].log_softmax(dim=1)  # (B, K)
        torch.clear_autocast_cache()  # where older versions of torch keep weights that were cast without a gradient
        answer = self.heads(moved)[0].log_softmax(dim=1)
        return self.consistency * F.kl_div(answer, aim, reduction="batchmean", log_target=True)


def distorted(images: Tensor, generator: torch.Generator) -> Tensor:
    """Images (B, C, H, W), turned by up to 0.2 radians (if H is W), sheared, scaled by 15 % and shifted by 5 %."""
    turn, shear, scale, right, down = torch.rand(5, len(images), generator=generator, device=generator.device) * 2 - 1
    cos, sin, size = (0.2 * turn).cos(), (0.2 * turn).sin(), 1 + 0.15 * scale
    rows = [size * cos, 0.2 * shear - size * sin, 0.1 * right, size * sin, size * cos, 0.1 * down]  # (2, 3), each (B,)
    with torch.autocast(images.device.type, enabled=False):  # places of pixels need more digits than bfloat16 has
        grid = F.affine_grid(torch.stack(rows, dim=1).unflatten(1, (2, 3)), images.shape, align_corners=False)
        return F.grid_sample(images.float(), grid.to(images.device), align_corners=False)
