"""Semi-supervised classification and clustering (Makhzani et al. 2015, Secs. 5, 6): one network, with labels or not."""

from __future__ import annotations

from collections.abc import Sequence

from .. import checks
from ..networks import initialise
from ..priors import Gaussian, Prior
from .base import SGD, Phase
from .content import ContentAndStyle


class SemiSupervisedAdversarialAutoencoder(ContentAndStyle):
    """A classifier q(y | x) that learns from a few labels and, as one half of an autoencoder, from all images (Sec. 5).

    Two discriminators pull y to one-hot vectors of equally likely classes and z to the prior (by default a Gaussian of
    10 dimensions). With y confident and z unable to hold the class, the decoder needs y to say what the image shows;
    the labels say which class is called what. Give ``fit`` the labels that may be seen:
    ``fit(system, data.train, labelled=data.train.balanced_subset(100), ...)``.

    ``batch_norm``: in the encoder, its heads included; ``decoder_batch_norm``: in the decoder, its output included (the
    paper's SVHN has both, its MNIST neither). The other arguments are those of ``AdversarialAutoencoder``.
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        *,
        prior: Prior | None = None,
        classes: int = 10,
        hidden: Sequence[int] = (1000, 1000),
        discriminator_hidden: Sequence[int] = (1000, 1000),
        body: str = "mlp",
        output: str = "sigmoid",
        batch_norm: bool = False,
        decoder_batch_norm: bool = False,
        input_noise: float = 0.3,
        input_dropout: float = 0.0,
        discriminator_noise: float = 0.0,
        initial_std: float | None = 0.01,
        seed: int = 0,
    ):
        super().__init__(locals())
        self._build(checks.positive_integer("classes", classes), Gaussian(10) if prior is None else prior)
        self.learns_labels = self.classes
        initialise(self, seed, initial_std)

    def phases(self) -> list[Phase]:
        rate = SGD(0.1, momentum=0.9)
        return [*super().phases(), Phase("classification", self.classification_loss, (self.encoder,), rate)]


class ClusteringAdversarialAutoencoder(ContentAndStyle):
    """The same network without any label: q(y | x) finds ``clusters`` by itself (Sec. 6).

    The decoder explains an image by one of a few clusters and a style of few dimensions (by default a Gaussian of 5):
    images that differ only in style share a cluster. The paper calls batch normalisation of the encoder crucial here.
    The arguments are those of ``SemiSupervisedAdversarialAutoencoder``. ``classify`` returns clusters.
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        *,
        clusters: int = 16,
        prior: Prior | None = None,
        hidden: Sequence[int] = (3000, 3000),
        discriminator_hidden: Sequence[int] = (3000, 3000),
        body: str = "mlp",
        output: str = "sigmoid",
        batch_norm: bool = True,
        decoder_batch_norm: bool = False,
        input_noise: float = 0.0,
        input_dropout: float = 0.2,
        discriminator_noise: float = 0.0,
        initial_std: float | None = 0.01,
        seed: int = 0,
    ):
        super().__init__(locals())
        if checks.positive_integer("clusters", clusters) == 1:
            raise ValueError("clusters must be at least 2, but it is 1; one cluster tells nothing apart.")
        self._build(clusters, Gaussian(5) if prior is None else prior)
        initialise(self, seed, initial_std)
