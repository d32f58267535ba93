"""What came after the paper: Wasserstein autoencoders, ALAE and StyleALAE, as settings that ``run`` executes.

Their papers' numbers are distances of Inception's features and on other data, so none can stand beside ours.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from ..optimizers import Adam
from ..priors import Gaussian
from ..systems import (
    AdversarialAutoencoder,
    AdversarialLatentAutoencoder,
    StyleAdversarialLatentAutoencoder,
    System,
    VariationalAutoencoder,
    WassersteinAutoencoder,
)
from . import measures
from .experiment import Experiment

SMOKE = dict(epochs=10, batch_size=50)


def _eight(question: str, build: Callable[..., System], phases: dict[str, Adam], **system) -> Experiment:
    """8-D codes of MNIST: the same networks, images and updates for all; steps divided by 10 near the end."""

    def fitting(epochs: int, late: int) -> dict:
        steps = {
            name: Adam(step.learning_rate, beta1=step.beta1, drops={late: 10, (epochs + late) // 2: 3})
            for name, step in phases.items()
        }
        return dict(epochs=epochs, batch_size=100, optimizers=steps)

    settings = {
        "smoke": dict(dataset="digits", system=dict(hidden=(64, 64)), fit=SMOKE),
        "long": dict(dataset="mnist", system=dict(hidden=(500, 500)), fit=fitting(20, 14)),
        "paper": dict(dataset="mnist", system=dict(hidden=(1000, 1000)), fit=fitting(100, 50)),
    }
    return Experiment(question, partial(build, prior=Gaussian(8), **system), settings, measures.codes_and_samples)


def _alae(question: str) -> Experiment:
    """ALAE as a multi-layer perceptron. The paper's steps are a third of ours and its γ is 10: it has 400 epochs."""

    def steps(rate: float, drops: dict) -> dict[str, Adam]:
        step = Adam(rate, beta1=0.0, beta2=0.99, drops=drops)
        return {"discriminator": step, "generator": step, "reciprocity": step}

    settings = {
        "smoke": dict(dataset="digits", system=dict(hidden=(64, 64), latent_dim=16, gamma=1.0), fit=SMOKE),
        "long": dict(
            dataset="mnist",
            system=dict(hidden=(512, 512), gamma=1.0),
            fit=dict(epochs=40, batch_size=100, optimizers=steps(6e-3, {30: 3})),
        ),
        "paper": dict(dataset="mnist", system={}, fit=dict(epochs=400, batch_size=128, optimizers=steps(2e-3, {}))),
    }
    return Experiment(question, AdversarialLatentAutoencoder, settings, measures.generation)


def _styles(question: str, dataset: str, resolution: int, channels: tuple, stages: tuple, paper: dict) -> Experiment:
    """StyleALAE that grows: ``stages`` are the updates of each, ``paper`` what its own authors would have built."""
    step = Adam(5e-3, beta1=0.0, beta2=0.99)
    steps = {"discriminator": step, "generator": step, "reciprocity": step}
    common = dict(resolution=resolution, growing=True)
    settings = {
        "smoke": dict(
            dataset="digits",
            system=dict(resolution=16, latent_dim=16, channels=(8, 8, 8), gamma=1.0, growing=True),
            fit=(dict(updates=20, batch_size=32), dict(updates=20, batch_size=32)),
        ),
        "long": dict(
            dataset=dataset,
            system=dict(latent_dim=64, channels=channels, gamma=1.0, **common),
            fit=tuple(dict(updates=updates, batch_size=64, optimizers=steps) for updates in stages),
        ),
        "paper": dict(
            dataset=dataset,
            system=dict(**paper, **common),
            fit=tuple(dict(updates=20 * updates, batch_size=128, optimizers=steps) for updates in stages),
        ),
    }
    return Experiment(question, StyleAdversarialLatentAutoencoder, settings, measures.generation)


BEYOND: dict[str, Experiment] = {
    "vae-8d": _eight("8-D, VAE", VariationalAutoencoder, {"negative_elbo": Adam(1e-3)}, likelihood="gaussian"),
    "aae-8d": _eight(
        "8-D, AAE",
        AdversarialAutoencoder,
        {"reconstruction": Adam(1e-3), "discriminator": Adam(4e-4, beta1=0.5), "generator": Adam(4e-4, beta1=0.5)},
        discriminator_hidden=(500, 500),
    ),
    "wae-mmd-8d": _eight("8-D, WAE-MMD", WassersteinAutoencoder, {"autoencoder": Adam(1e-3, beta1=0.5)}, weight=100.0),
    "wae-gan-8d": _eight(
        "8-D, WAE-GAN",
        WassersteinAutoencoder,
        {"autoencoder": Adam(1e-3, beta1=0.5), "discriminator": Adam(5e-4, beta1=0.5)},
        penalty="gan",
        weight=10.0,
    ),
    "alae-mnist": _alae("ALAE, MNIST without convolutions"),
    "style-alae-mnist": _styles(
        "StyleALAE, MNIST at 32x32",
        "mnist",
        32,
        (48, 32, 16, 8),
        stages=(1500, 4000, 2500),
        paper=dict(latent_dim=128, channels=(128, 128, 64, 32)),
    ),
    "style-alae-faces": _styles(
        "StyleALAE, faces at 64x64 (12,000 crops of CelebA)",
        "celeba64",
        64,
        (48, 48, 32, 16, 8),
        stages=(1000, 2000, 3000, 1200),
        paper=dict(latent_dim=256, channels=(256, 256, 128, 64, 32)),
    ),
}
