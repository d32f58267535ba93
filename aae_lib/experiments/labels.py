"""Sec. 2.3 of Makhzani et al. 2015: labels that say which part of the prior each class fills (Fig. 4)."""

from __future__ import annotations

from functools import partial

from ..optimizers import SGD, Adam
from ..priors import GaussianMixture
from ..systems import AdversarialAutoencoder
from . import measures
from .experiment import Experiment, Settings
from .unsupervised import RESTATED


def _steps(reconstruction: float, game: float, late: int) -> dict[str, Adam | SGD]:
    """Notebook 05's: almost no momentum in the game, and smaller steps from epoch ``late`` on."""
    player = Adam(game, beta1=0.1, drops={late: 4})
    return {
        "reconstruction": Adam(reconstruction, drops={late: 10}),
        "discriminator": player,
        "generator": player,
    }


def _system(units: int, **more) -> dict:
    return dict(hidden=(units, units), discriminator_hidden=(units, units), **more)


LABELLED: dict[str, Experiment] = {
    "labels-flower": Experiment(
        "Fig. 4a: AAE, a petal for each digit, 10,000 labels",
        partial(AdversarialAutoencoder, prior=GaussianMixture(), labelled_prior=True, batch_norm=False),
        measures.regions,
        smoke=Settings(
            "digits", epochs=16, batch_size=50, labelled=250, system=_system(128), optimizers=_steps(1e-3, 5e-3, 13)
        ),
        quick=Settings("mnist", epochs=4, labelled=10_000, system=_system(256), optimizers=_steps(5e-4, 1e-3, 3)),
        long=Settings(  # of so few units that its file is small
            "mnist", epochs=60, labelled=10_000, system=_system(280), optimizers=_steps(5e-4, 1e-3, 48)
        ),
        paper=Settings(  # the paper has no steps for this figure: Figure 2's, and as long
            "mnist",
            epochs=500,
            labelled=10_000,
            system=_system(1000, initial_std=0.01),
            optimizers={name: SGD(step.learning_rate, step.momentum, {50: 10}) for name, step in RESTATED.items()},
        ),
    )
}
