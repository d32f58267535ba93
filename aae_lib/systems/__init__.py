"""The systems of the course, one file each."""

from .aae import AdversarialAutoencoder
from .autoencoder import Autoencoder
from .base import SGD, Adam, Batch, Phase, System
from .gan import GenerativeAdversarialNetwork
from .vae import VariationalAutoencoder

__all__ = [
    "SGD",
    "Adam",
    "AdversarialAutoencoder",
    "Autoencoder",
    "Batch",
    "GenerativeAdversarialNetwork",
    "Phase",
    "System",
    "VariationalAutoencoder",
]
