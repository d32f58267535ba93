"""The experiments: the figures and tables of Makhzani et al. 2015 as settings that ``run`` executes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from ..priors import Gaussian, GaussianMixture, Prior
from ..profiles import PROFILES
from ..systems import (
    SGD,
    Adam,
    AdversarialAutoencoder,
    ClusteringAdversarialAutoencoder,
    DimensionalityReductionAdversarialAutoencoder,
    SemiSupervisedAdversarialAutoencoder,
    System,
    VariationalAutoencoder,
)
from . import measures
from .beyond import BEYOND
from .experiment import Experiment


def _aae(prior: Prior) -> Callable[..., System]:
    def build(image_shape: tuple, *, hidden: tuple, **settings) -> System:
        return AdversarialAutoencoder(image_shape, prior=prior, hidden=hidden, discriminator_hidden=hidden, **settings)

    return build


def _vae(prior: Prior) -> Callable[..., System]:
    def build(image_shape: tuple, **settings) -> System:
        return VariationalAutoencoder(image_shape, prior=prior, likelihood="gaussian", **settings)

    return build


def _aae_quick(reconstruction: float, game: float, beta1: float) -> dict[str, Adam]:
    """Steps found by trial. All are divided near the end: q(z) circles around p(z) for as long as they are large."""
    player = Adam(game, beta1=beta1, drops={8: 4})
    return {"reconstruction": Adam(reconstruction, drops={8: 10}), "discriminator": player, "generator": player}


AAE_PAPER = {  # rates as restated, the drop is ours; weights of std 0.01, since He's diverge at these steps
    "reconstruction": SGD(0.01, momentum=0.9, drops={50: 10}),
    "discriminator": SGD(0.1, momentum=0.1, drops={50: 10}),
    "generator": SGD(0.1, momentum=0.1, drops={50: 10}),
}
VAE_QUICK = {"negative_elbo": Adam(1e-3, drops={8: 10})}
VAE_PAPER = {"negative_elbo": Adam(1e-3, drops={50: 10})}  # the paper does not say how its VAE was trained


def _figure_2(question: str, build: Callable[..., System], quick: dict, paper: dict, **paper_system) -> Experiment:
    """An experiment of Fig. 2: same networks, images and updates for all. The paper shows pictures, no numbers."""
    settings = {
        "smoke": dict(dataset="digits", system=dict(hidden=(64, 64)), fit=dict(epochs=20, batch_size=50)),
        "quick": dict(
            dataset="mnist", system=dict(hidden=(512, 512)), fit=dict(epochs=10, batch_size=100, optimizers=quick)
        ),
        "paper": dict(
            dataset="mnist",
            system=dict(hidden=(1000, 1000), **paper_system),
            fit=dict(epochs=500, batch_size=100, optimizers=paper),
        ),
    }
    return Experiment(question, build, settings, measures.latent)


def _figure_2_aae(question: str, prior: Prior, quick: dict) -> Experiment:
    return _figure_2(question, _aae(prior), quick, AAE_PAPER, initial_std=0.01)


def _figure_2_vae(question: str, prior: Prior) -> Experiment:
    return _figure_2(question, _vae(prior), VAE_QUICK, VAE_PAPER)


RATES = {  # of the systems with content and style, as restated from the paper's appendix
    "reconstruction": SGD(0.01, momentum=0.9),
    "discriminators": SGD(0.1, momentum=0.1),
    "generators": SGD(0.1, momentum=0.1),
    "classification": SGD(0.1, momentum=0.9),
    "heads": SGD(0.01),
    "consistency": SGD(0.1, momentum=0.1),  # not the paper's
}
SVHN_RATES = RATES | {
    "reconstruction": SGD(1e-4, momentum=0.9),
    "discriminators": SGD(0.01, momentum=0.1),
    "generators": SGD(0.01, momentum=0.1),
}
HOUSE_RATES = {  # of synthetic house numbers in few epochs: at SVHN's rates reconstruction has hardly begun
    "reconstruction": Adam(1e-3),
    "discriminators": Adam(5e-4, beta1=0.5),
    "generators": Adam(5e-4, beta1=0.5),
    "classification": Adam(1e-3),
}
HEADS_RATES = RATES | {  # in few epochs: slower images, faster judges, or styles reach across to the next head
    "reconstruction": SGD(0.003, momentum=0.9),
    "discriminators": Adam(1e-3, beta1=0.5),
}
SMALL_GAMES = dict(hidden=(1000, 1000), discriminator_hidden=(500, 500))  # a third less work than the paper's


def _content(
    question: str,
    build: Callable[..., System],
    phases: str,
    *,
    quick: tuple[int, dict],
    paper: tuple[int, dict],
    labelled: int | None = None,
    rates: Mapping[str, SGD] = RATES,
    quick_rates: Mapping[str, SGD | Adam] | None = None,
    number: float | None = None,
    quick_system: dict = SMALL_GAMES,
    datasets: tuple[str, str, str] = ("digits", "mnist", "mnist"),
    **system,
) -> Experiment:
    """An experiment of Secs. 5 to 7: ``quick`` and ``paper`` are (epochs, drops), ``number`` the paper's error.

    ``phases``: those that are trained beside reconstruction and the games.
    """
    names = ("reconstruction", "discriminators", "generators", *phases.split())
    sizes = (dict(hidden=(64, 64), discriminator_hidden=(64, 64)), quick_system, {})
    settings = {}
    for profile, dataset, size, (epochs, drops), batch in zip(
        PROFILES, datasets, sizes, ((20, {}), quick, paper), (50, 100, 100), strict=True
    ):
        chosen = quick_rates if profile == "quick" and quick_rates else rates
        steps = {name: replace(chosen[name], drops=drops) for name in names}
        fitting = dict(epochs=epochs, batch_size=batch, optimizers=steps)
        settings[profile] = dict(dataset=dataset, system={**system, **size}, fit=fitting, labelled=labelled)
    if labelled is not None and datasets[0] == "digits":
        settings["smoke"]["labelled"] = min(labelled, 500)  # of 1,257
    by_labels = "classification" in names
    measure = measures.classification if by_labels else measures.clustering
    numbers = {} if number is None else {"test_error" if by_labels else "paper_rule_error": number / 100}
    return Experiment(question, build, settings, measure, numbers, watch=measure)


def _likelihood(
    question: str,
    datasets: tuple[str, str, str],
    number: float,
    prior: Gaussian,
    rates: tuple[float, float],
    **system,
) -> Experiment:
    """An experiment of Sec. 3, Table 1: the Parzen estimate of 10,000 samples. ``rates``: of Adam, for quick."""
    late = {30: 10, 36: 10}
    step, game = Adam(rates[0], drops=late), Adam(rates[1], beta1=0.5, drops=late)
    quick = {"reconstruction": step, "discriminator": game, "generator": game}
    paper = {name: replace(steps, drops={}) for name, steps in AAE_PAPER.items()}
    settings = {
        profile: dict(dataset=dataset, system={**sizes, **system}, fit=fitting)
        for profile, dataset, sizes, fitting in zip(
            PROFILES,
            datasets,
            (dict(hidden=(64, 64)), dict(hidden=(500, 500)), dict(hidden=(1000, 1000), initial_std=0.01)),
            (
                dict(epochs=20, batch_size=50),
                dict(epochs=40, batch_size=100, optimizers=quick),
                dict(epochs=1000, batch_size=100, optimizers=paper),
            ),
            strict=True,
        )
    }
    return Experiment(question, _aae(prior), settings, measures.likelihood, {"log_likelihood": number})


SEMI = {"paper": (5000, {50: 10, 1000: 10}), "build": SemiSupervisedAdversarialAutoencoder, "phases": "classification"}
CLUSTERS = {
    "paper": (1500, {50: 10}),
    "build": ClusteringAdversarialAutoencoder,
    "quick_system": dict(hidden=(500, 500), discriminator_hidden=(300, 300)),  # of 3000
}
POINTS = {
    "paper": (5000, {50: 10, 1000: 10}),
    "build": DimensionalityReductionAdversarialAutoencoder,
    "quick_rates": HEADS_RATES,
    "quick_system": dict(hidden=(400, 400), discriminator_hidden=(256, 256)),
}
FACES = "fer2013.npz"  # stands in for the Toronto Face Database, which is not public

EXPERIMENTS: dict[str, Experiment] = {
    "aae-gaussian": _figure_2_aae(
        "Fig. 2a: does q(z) of an AAE fill a 2-D Gaussian?", Gaussian(2), _aae_quick(1e-3, game=4e-4, beta1=0.5)
    ),
    "aae-mixture": _figure_2_aae(  # a game of larger steps: the discriminator must keep up with ten thin petals
        "Fig. 2b: ... and a mixture of ten?", GaussianMixture(), _aae_quick(5e-4, game=1e-3, beta1=0.1)
    ),
    "vae-gaussian": _figure_2_vae("Fig. 2c: the same for a VAE, 2-D Gaussian", Gaussian(2)),
    "vae-mixture": _figure_2_vae("Fig. 2d: ... and the mixture of ten", GaussianMixture()),
    "parzen-mnist": _likelihood(  # in 20 epochs 10 nats above the paper's SGD
        "Table 1, MNIST 10K", ("digits", "mnist", "mnist"), 340, Gaussian(8, 5.0), rates=(1e-3, 4e-4)
    ),
    "parzen-faces": _likelihood(
        "Table 1, faces of 48x48 (FER2013, not the paper's TFD)",
        ("digits", FACES, FACES),
        2252,
        Gaussian(15, 10.0),
        rates=(5e-4, 5e-5),  # at MNIST's the reconstruction never leaves the mean image
        output="standardised",
    ),
    "semi-supervised-100": _content(
        "Table 2, MNIST, 100 labels", labelled=100, number=1.90, quick=(110, {90: 10}), **SEMI
    ),
    "semi-supervised-1000": _content(
        "Table 2, MNIST, 1000 labels", labelled=1000, number=1.60, quick=(140, {120: 10}), **SEMI
    ),
    "semi-supervised-all": _content("Table 2, MNIST, all labels", number=0.85, quick=(40, {30: 10}), **SEMI),
    "semi-supervised-svhn-1000": _content(
        "Table 2, SVHN, 1000 labels (quick: synthetic house numbers)",
        labelled=1000,
        number=17.70,
        quick=(10, {8: 10}),
        datasets=("house-numbers", "house-numbers", "svhn"),
        output="standardised",
        batch_norm=True,
        decoder_batch_norm=True,
        input_noise=0.0,
        input_dropout=0.2,
        prior=Gaussian(20),
        rates=SVHN_RATES,
        quick_rates=HOUSE_RATES,
        quick_system=dict(hidden=(400, 400), discriminator_hidden=(200, 200), initial_std=None),
        **{**SEMI, "paper": (1000, {250: 10})},
    ),
    "clustering-16": _content(
        "Table 3, 16 clusters", phases="", clusters=16, number=9.55, quick=(60, {45: 10}), **CLUSTERS
    ),
    "clustering-30": _content(
        "Table 3, 30 clusters", phases="", clusters=30, number=4.10, quick=(60, {45: 10}), **CLUSTERS
    ),
    "clustering-30-consistent": _content(
        "30 clusters that distortions may not change: not the paper's",
        phases="consistency",
        clusters=30,
        consistency=0.2,
        quick=(40, {30: 10}),
        **CLUSTERS,
    ),
    "reduction-2d-1000": _content(
        "Fig. 11a: 2-D, 1000 labels",
        labelled=1000,
        number=4.20,
        quick=(25, {18: 10}),
        phases="heads classification",
        **POINTS,
    ),
    "reduction-2d-100": _content(
        "Fig. 11b: 2-D, 100 labels",
        labelled=100,
        number=6.08,
        quick=(25, {18: 10}),
        phases="heads classification",
        **POINTS,
    ),
    "reduction-2d-20-clusters": _content(
        "Fig. 11c: 2-D, 20 clusters, no labels",
        classes=20,
        supervised=False,
        number=13.95,
        quick=(30, {20: 10}),
        phases="heads",
        batch_norm=True,  # as where clusters are found elsewhere; without it one head takes all images
        input_noise=0.0,
        input_dropout=0.2,
        **{**POINTS, "quick_rates": None},
    ),
    "reduction-10d-100": _content(
        "Fig. 11d: 10-D, 100 labels, W_C = 10 I",
        labelled=100,
        latent_dim=10,
        fixed_heads=10.0,
        number=3.90,
        quick=(25, {18: 10}),
        phases="classification",
        **POINTS,
    ),
} | BEYOND
