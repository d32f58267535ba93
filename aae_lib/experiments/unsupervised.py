"""Secs. 2 and 3 of Makhzani et al. 2015: whether q(z) fills its prior (Fig. 2), and likelihoods (Table 1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from ..optimizers import SGD, Adam
from ..priors import Gaussian, GaussianMixture, Prior
from ..systems import AdversarialAutoencoder, System, VariationalAutoencoder
from . import measures
from .experiment import Experiment, Settings

SMOKE = Settings("digits", epochs=20, batch_size=50, system=dict(hidden=(64, 64)))
RESTATED = {  # the paper's rates as restated; weights of std 0.01, since He's diverge at these steps
    "reconstruction": SGD(0.01, momentum=0.9),
    "discriminator": SGD(0.1, momentum=0.1),
    "generator": SGD(0.1, momentum=0.1),
}


def _aae(image_shape: tuple, *, hidden: tuple, **settings) -> System:
    return AdversarialAutoencoder(image_shape, hidden=hidden, discriminator_hidden=hidden, batch_norm=False, **settings)


def _game(reconstruction: float, game: float, drops: tuple[dict, dict], beta1: float = 0.5) -> dict[str, Adam]:
    """Steps of an AAE; ``drops`` those of reconstruction and of the game. Without them q(z) circles around p(z)."""
    player = Adam(game, beta1=beta1, drops=drops[1])
    return {
        "reconstruction": Adam(reconstruction, drops=drops[0]),
        "discriminator": player,
        "generator": player,
    }


SMOKE_GAME = replace(SMOKE, optimizers=_game(5e-4, 2e-4, ({}, {})))


def _dropped(steps: dict[str, SGD], drops: dict) -> dict[str, SGD]:
    return {name: replace(step, drops=drops) for name, step in steps.items()}


def _figure_2(
    question: str,
    build: Callable[..., System],
    quick: dict,
    long: dict,
    paper: dict,
    smoke: Settings = SMOKE,
    **paper_system,
) -> Experiment:
    """An experiment of Fig. 2: same networks, images and updates for all. The paper shows pictures, no numbers."""
    narrow, wide = dict(hidden=(512, 512)), dict(hidden=(1000, 1000))
    return Experiment(
        question,
        build,
        measures.latent,
        smoke=smoke,
        quick=Settings("mnist", epochs=10, system=narrow, optimizers=quick, chosen_on="validation"),
        long=Settings("mnist", epochs=50, system=narrow, optimizers=long),  # so narrow that it can be stored
        paper=Settings("mnist", epochs=500, system={**wide, **paper_system}, optimizers=paper, chosen_on="paper"),
    )


def _figure_2_aae(
    question: str, prior: Prior, reconstruction: float, game: float, beta1: float, gentle: bool = False
) -> Experiment:
    """The AAE of Fig. 2, its game with a gentle start or without."""

    def steps(tenth: int) -> dict[str, Adam]:
        start, doubled = _gentle(game, tenth) if gentle else (game, {})
        return _game(reconstruction, start, ({8 * tenth: 10}, {**doubled, 8 * tenth: 4}), beta1)

    paper = _dropped(RESTATED, {50: 10})  # the drop is ours
    return _figure_2(question, partial(_aae, prior=prior), steps(1), steps(5), paper, SMOKE_GAME, initial_std=0.01)


def _figure_2_vae(question: str, prior: Prior, rate: float, gentle: bool = False) -> Experiment:
    """The VAE of Fig. 2; the paper does not say how it was trained."""

    def steps(tenth: int) -> dict[str, Adam]:
        start, doubled = _gentle(rate, tenth) if gentle else (rate, {})
        return {"negative_elbo": Adam(start, drops={**doubled, 8 * tenth: 10})}

    build = partial(VariationalAutoencoder, prior=prior, likelihood="gaussian")
    paper = {"negative_elbo": Adam(1e-3, drops={50: 10})}
    return _figure_2(question, build, steps(1), steps(5), paper)


def _gentle(rate: float, tenth: int) -> tuple[float, dict[int, float]]:
    """A start at an eighth of ``rate``, doubled after one, two and three tenths of a training, ``tenth`` in epochs."""
    return rate / 8, {number * tenth: 0.5 for number in (1, 2, 3)}


def _likelihood(
    question: str, dataset: str, number: float, prior: Gaussian, rates: tuple[float, float], **system
) -> Experiment:
    """An experiment of Table 1: the Parzen estimate of 10,000 samples. ``rates``: of reconstruction and of the game."""
    narrow = dict(hidden=(500, 500), **system)

    def steps(late: int, later: int) -> dict[str, Adam]:
        return _game(*rates, ({late: 10, later: 10},) * 2)

    return Experiment(
        question,
        partial(_aae, prior=prior),
        measures.likelihood,
        smoke=replace(SMOKE_GAME, system={**SMOKE.system, **system}),
        quick=Settings(dataset, epochs=8, system=narrow, optimizers=steps(6, 7)),
        long=Settings(dataset, epochs=40, system=narrow, optimizers=steps(30, 36), chosen_on="validation"),
        paper=Settings(
            dataset,
            epochs=1000,
            system=dict(hidden=(1000, 1000), initial_std=0.01, **system),
            optimizers=RESTATED,
            chosen_on="paper",
        ),
        numbers={"log_likelihood": number},
    )


UNSUPERVISED: dict[str, Experiment] = {
    "aae-gaussian": _figure_2_aae("Fig. 2a: AAE, 2-D Gaussian", Gaussian(2), 1e-3, 2e-4, 0.5),
    "aae-mixture": _figure_2_aae(  # a game of larger steps: the discriminator must keep up with ten thin petals
        "Fig. 2b: AAE, mixture of ten", GaussianMixture(), 1e-3, 1e-3, 0.1, gentle=True
    ),
    "vae-gaussian": _figure_2_vae("Fig. 2c: VAE, 2-D Gaussian", Gaussian(2), 4e-3),
    "vae-mixture": _figure_2_vae("Fig. 2d: VAE, mixture of ten", GaussianMixture(), 2e-3, gentle=True),
    "parzen-mnist": _likelihood(  # in 20 epochs 10 nats above the paper's SGD
        "Table 1, MNIST 10K", "mnist", 340, Gaussian(8, 5.0), rates=(1e-3, 4e-4)
    ),
    "parzen-faces": _likelihood(  # FER2013 stands in for the Toronto Face Database, which is not public
        "Table 1, faces of 48x48 (FER2013, not the paper's TFD)",
        "fer2013.npz",
        2252,
        Gaussian(15, 10.0),
        rates=(5e-4, 5e-5),  # at MNIST's the reconstruction never leaves the mean image
        output="standardised",
    ),
}
