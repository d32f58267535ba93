"""What could be the defaults of all systems: for each candidate, and each of three systems, its settings and steps.

``today``: the defaults until now, which were found on 50,000 digits. The others have one idea each:

- ``chosen``: the steps of ``calm``, but for larger ones where an AAE reconstructs, and batch normalisation in all
  encoders, codes included: what the systems have by themselves (but for the output), as a test holds.
- ``calm``, ``brisk``: Adam and He's weights for all systems, with the AAE's present steps, and with larger ones.
- ``small-weights``: ``brisk`` from the paper's initial weights, N(0, 0.01²).
- ``slow-game``: ``brisk`` where encoders follow the discriminator slowly; ``sharp-judge``: and it learns faster.
- ``noisy``: ``brisk`` with noise on images everywhere, so that a few images cannot be learnt by heart.
- ``blurred``: ``noisy`` with noise on what discriminators see, so that they cannot learn a few codes by heart either;
  ``blurred-slow``: with ``slow-game``'s steps too.
- ``norm``: ``blurred-slow`` with batch normalisation in all encoders.
- ``narrow``: ``blurred-slow`` with networks of 400 units, and discriminators of 200.
- ``convolutional``, ``convolutional-norm``: ``blurred-slow`` and ``norm`` with that body.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aae_lib.optimizers import SGD, Adam


@dataclass(frozen=True)
class Recipe:
    """What a system's constructor takes beside image_shape, output and seed, and the steps of all its phases."""

    system: Mapping[str, Any]
    steps: Mapping[str, Adam | SGD]


def _recipes(
    reconstruction: float = 1e-3,
    discriminator: float = 5e-4,
    generator: float = 5e-4,
    classification: float = 1e-3,
    noise: Mapping[str, float] | float | None = None,
    **system: Any,
) -> dict[str, Recipe]:
    """Adam in all phases. ``noise``: on images, by default 0.3 where there are labels and 20 % dropped pixels where
    there are clusters, as the paper has it. ``system``: what all three systems are given beside it."""
    image = Adam(reconstruction)
    judge, forger = Adam(discriminator, beta1=0.5), Adam(generator, beta1=0.5)
    games = {"reconstruction": image, "discriminators": judge, "generators": forger}
    common = {"initial_std": None, "hidden": (1000, 1000), "discriminator_hidden": (1000, 1000), **system}
    noises = (0.0, 0.3, 0.0) if noise is None else (noise, noise, noise)
    aae, labels, clusters = ({"batch_norm": False, "input_noise": noise, **common} for noise in noises)
    clusters |= {"batch_norm": True, "input_dropout": 0.2 if noise is None else 0.0}
    return {
        "aae": Recipe(aae, {"reconstruction": image, "discriminator": judge, "generator": forger}),
        "labels": Recipe(labels, games | {"classification": Adam(classification)}),
        "clusters": Recipe(clusters, games),
    }


def _chosen() -> dict[str, Recipe]:
    game = {"discriminator": 2e-4, "generator": 2e-4, "classification": 5e-4}
    aae = _recipes(1e-3, **game, batch_norm="codes")["aae"]
    return _recipes(5e-4, **game, batch_norm=True) | {"aae": aae}


def _today() -> dict[str, Recipe]:
    game, wide = Adam(2e-4, beta1=0.5), {"hidden": (1000, 1000), "discriminator_hidden": (1000, 1000)}
    papers = {
        "reconstruction": SGD(0.01, momentum=0.9),
        "discriminators": SGD(0.1, momentum=0.1),
        "generators": SGD(0.1, momentum=0.1),
    }
    clusters = {"hidden": (3000, 3000), "discriminator_hidden": (3000, 3000), "batch_norm": True, "input_dropout": 0.2}
    return {
        "aae": Recipe(
            {**wide, "initial_std": None}, {"reconstruction": Adam(5e-4), "discriminator": game, "generator": game}
        ),
        "labels": Recipe(
            {**wide, "input_noise": 0.3, "initial_std": 0.01}, papers | {"classification": SGD(0.1, momentum=0.9)}
        ),
        "clusters": Recipe({**clusters, "initial_std": 0.01}, papers),
    }


BLURRED = {"noise": 0.3, "discriminator_noise": 0.3}
SLOW = {"generator": 1e-4}
MAPS = {"body": "convolutional", "hidden": (32, 64, 128)}

CANDIDATES: dict[str, dict[str, Recipe]] = {  # in the order in which they are worth trying
    "today": _today(),
    "chosen": _chosen(),
    "blurred-slow": _recipes(**BLURRED, **SLOW),
    "sharp-judge": _recipes(**SLOW, discriminator=1e-3),
    "norm": _recipes(**BLURRED, **SLOW, batch_norm=True),
    "calm": _recipes(reconstruction=5e-4, discriminator=2e-4, generator=2e-4, classification=5e-4),
    "convolutional": _recipes(**BLURRED, **SLOW, **MAPS),
    "slow-game": _recipes(**SLOW),
    "blurred": _recipes(**BLURRED),
    "convolutional-norm": _recipes(**BLURRED, **SLOW, **MAPS, batch_norm=True),
    "brisk": _recipes(),
    "narrow": _recipes(**BLURRED | SLOW | {"hidden": (400, 400), "discriminator_hidden": (200, 200)}),
    "noisy": _recipes(noise=0.3),
    "small-weights": _recipes(initial_std=0.01),
}
