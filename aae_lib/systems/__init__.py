"""The systems of the course, one file each."""

from .aae import AdversarialAutoencoder
from .alae import AdversarialLatentAutoencoder
from .autoencoder import Autoencoder
from .base import SGD, Adam, Batch, Phase, System
from .bigan import BidirectionalGAN
from .classifier import Classifier, VirtualAdversarialClassifier
from .dimensionality_reduction import DimensionalityReductionAdversarialAutoencoder
from .gan import GenerativeAdversarialNetwork
from .gmmn import GenerativeMomentMatchingNetwork
from .semi_supervised import ClusteringAdversarialAutoencoder, SemiSupervisedAdversarialAutoencoder
from .semi_supervised_vae import SemiSupervisedVariationalAutoencoder
from .style_alae import StyleAdversarialLatentAutoencoder
from .supervised import SupervisedAdversarialAutoencoder
from .vae import VariationalAutoencoder
from .wae import WassersteinAutoencoder

__all__ = [
    "SGD",
    "Adam",
    "AdversarialAutoencoder",
    "AdversarialLatentAutoencoder",
    "Autoencoder",
    "Batch",
    "BidirectionalGAN",
    "Classifier",
    "ClusteringAdversarialAutoencoder",
    "DimensionalityReductionAdversarialAutoencoder",
    "GenerativeAdversarialNetwork",
    "GenerativeMomentMatchingNetwork",
    "Phase",
    "SemiSupervisedAdversarialAutoencoder",
    "SemiSupervisedVariationalAutoencoder",
    "StyleAdversarialLatentAutoencoder",
    "SupervisedAdversarialAutoencoder",
    "System",
    "VariationalAutoencoder",
    "VirtualAdversarialClassifier",
    "WassersteinAutoencoder",
]
