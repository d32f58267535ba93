"""What came after the paper: Wasserstein autoencoders, ALAE and StyleALAE.

Their papers' numbers are distances of Inception's features and on other data, so none can stand beside ours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
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
from .experiment import Experiment, Settings
from .unsupervised import SMOKE_GAME

SMOKE = Settings("digits", epochs=10, batch_size=50, system=dict(hidden=(64, 64)))


def _eight(
    question: str, build: Callable[..., System], steps: dict[str, Adam], smoke: Settings = SMOKE, **system
) -> Experiment:
    """8-D codes of MNIST: the same networks, images and updates for all; steps divided by 10, then 30, near the end."""

    def settings(epochs: int, late: int, units: int) -> Settings:
        drops = {late: 10, (epochs + late) // 2: 3}
        dropped = {name: replace(step, drops=drops) for name, step in steps.items()}
        return Settings("mnist", epochs=epochs, system=dict(hidden=(units, units)), optimizers=dropped)

    return Experiment(
        question,
        partial(build, prior=Gaussian(8), **system),
        measures.codes_and_samples,
        smoke=smoke,
        quick=settings(5, 3, units=256),
        long=settings(20, 14, units=500),
        paper=settings(100, 50, units=1000),
    )


def _alae(question: str) -> Experiment:
    """ALAE as a multi-layer perceptron. The paper's steps are a third of ours and its γ is 10: it has 400 epochs."""

    def steps(rate: float, drops: dict) -> dict[str, Adam]:
        step = Adam(rate, beta1=0.0, beta2=0.99, drops=drops)
        return {"discriminator": step, "generator": step, "reciprocity": step}

    return Experiment(
        question,
        AdversarialLatentAutoencoder,
        measures.generation,
        smoke=replace(SMOKE, system=dict(hidden=(64, 64), latent_dim=16, gamma=1.0)),
        quick=Settings(
            "mnist",
            epochs=4,
            system=dict(hidden=(256, 256), latent_dim=32, gamma=3.0),
            optimizers=steps(1.5e-2, {3: 4}),
            chosen_on="validation",
        ),
        long=Settings("mnist", epochs=40, system=dict(hidden=(512, 512), gamma=1.0), optimizers=steps(6e-3, {30: 3})),
        paper=Settings("mnist", epochs=400, batch_size=128, optimizers=steps(2e-3, {}), chosen_on="paper"),
    )


def _styles(question: str, dataset: str, resolution: int, *, quick: dict, long: dict, paper: dict) -> Experiment:
    """StyleALAE that grows: each profile's channels, latent dimension and the updates of its stages.

    All steps are one optimizer's, the discriminator's: the system's own way.
    """

    def settings(updates: tuple[int, ...], batch_size: int, **system) -> Settings:
        common = dict(resolution=resolution, gamma=1.0, growing=True)
        step = {"discriminator": Adam(5e-3, beta1=0.0, beta2=0.99)}
        return Settings(dataset, updates=updates, batch_size=batch_size, system={**common, **system}, optimizers=step)

    return Experiment(
        question,
        StyleAdversarialLatentAutoencoder,
        measures.generation,
        smoke=Settings(
            "digits",
            updates=(20, 20),
            batch_size=32,
            system=dict(resolution=16, latent_dim=16, channels=(8, 8, 8), gamma=1.0, growing=True),
        ),
        quick=settings(**quick),
        long=settings(batch_size=64, **long),
        paper=settings(batch_size=128, gamma=10.0, **paper),
    )


BEYOND: dict[str, Experiment] = {
    "vae-8d": _eight("8-D, VAE", VariationalAutoencoder, {"negative_elbo": Adam(1e-3)}, likelihood="gaussian"),
    "aae-8d": _eight(
        "8-D, AAE",
        AdversarialAutoencoder,
        {"reconstruction": Adam(1e-3), "discriminator": Adam(4e-4, beta1=0.5), "generator": Adam(4e-4, beta1=0.5)},
        replace(SMOKE, optimizers=SMOKE_GAME.optimizers),
        discriminator_hidden=(500, 500),
        batch_norm=False,
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
        quick=dict(updates=(200, 200, 100), batch_size=32, latent_dim=32, channels=(32, 24, 16, 8)),
        long=dict(updates=(1500, 4000, 2500), latent_dim=64, channels=(48, 32, 16, 8)),
        paper=dict(updates=(30_000, 80_000, 50_000), latent_dim=128, channels=(128, 128, 64, 32)),
    ),
    "style-alae-faces": _styles(
        "StyleALAE, faces at 64x64 (12,000 crops of CelebA)",
        "celeba64",
        64,
        quick=dict(updates=(150, 100, 50, 20), batch_size=32, latent_dim=32, channels=(32, 32, 24, 16, 8)),
        long=dict(updates=(1000, 2000, 3000, 1200), latent_dim=64, channels=(48, 48, 32, 16, 8)),
        paper=dict(updates=(20_000, 40_000, 60_000, 24_000), latent_dim=256, channels=(256, 256, 128, 64, 32)),
    ),
}
