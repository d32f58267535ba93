"""Secs. 5 to 7 of Makhzani et al. 2015: few labels (Table 2), clusters (Table 3) and maps of the data (Fig. 11)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial

from ..optimizers import SGD, Adam
from ..priors import Gaussian
from ..systems import (
    ClusteringAdversarialAutoencoder,
    DimensionalityReductionAdversarialAutoencoder,
    SemiSupervisedAdversarialAutoencoder,
)
from . import measures
from .experiment import Experiment, Settings

Steps = Mapping[str, Adam | SGD]

RATES: Steps = {  # as restated from the paper's appendix
    "reconstruction": SGD(0.01, momentum=0.9),
    "discriminators": SGD(0.1, momentum=0.1),
    "generators": SGD(0.1, momentum=0.1),
    "classification": SGD(0.1, momentum=0.9),
    "heads": SGD(0.01),
    "consistency": SGD(0.1, momentum=0.1),  # not the paper's
}
SVHN_RATES: Steps = RATES | {
    "reconstruction": SGD(1e-4, momentum=0.9),
    "discriminators": SGD(0.01, momentum=0.1),
    "generators": SGD(0.01, momentum=0.1),
}
HOUSE_RATES: Steps = {  # of synthetic house numbers in few epochs: at SVHN's rates reconstruction has hardly begun
    "reconstruction": Adam(1e-3),
    "discriminators": Adam(5e-4, beta1=0.5),
    "generators": Adam(5e-4, beta1=0.5),
    "classification": Adam(1e-3),
}
HEADS_RATES: Steps = RATES | {  # in few epochs: slower images, faster judges, or styles reach across to the next head
    "reconstruction": SGD(0.003, momentum=0.9),
    "discriminators": Adam(1e-3, beta1=0.5),
}
MAP_RATES: Steps = {  # the phases' own; for maps with batch norm and He's weights (results/README.md)
    "reconstruction": Adam(5e-4),
    "discriminators": Adam(2e-4, beta1=0.5),
    "generators": Adam(2e-4, beta1=0.5),
    "classification": Adam(5e-4),
    "heads": SGD(0.01),
}
GAMES = ("reconstruction", "discriminators", "generators")
PAPERS = dict(hidden=(1000, 1000), batch_norm=False, initial_std=0.01)  # where a row says nothing else

TINY = dict(hidden=(64, 64), discriminator_hidden=(64, 64))
SMALL = dict(hidden=(400, 400), discriminator_hidden=(200, 200))
MAPS = dict(hidden=(400, 400), discriminator_hidden=(256, 256))
MIDDLE = dict(hidden=(500, 500), discriminator_hidden=(300, 300))
WIDE = dict(hidden=(1000, 1000), discriminator_hidden=(500, 500))  # a third less work than the paper's 1000 and 1000


def steps_of(phases: Iterable[str], drops: dict, rates: Steps = RATES) -> Steps:
    """The steps of these phases, divided as ``drops`` say: {epoch: divisor}."""
    return {name: replace(rates[name], drops=drops) for name in phases}


def _semi_supervised(
    question: str, labelled: int | None, number: float, epochs: int, late: int, chosen_on: str = "validation"
) -> Experiment:
    """Table 2 on MNIST: ``labelled`` labels; the long run has ``epochs``, its steps are divided by 10 at ``late``."""
    phases = (*GAMES, "classification")
    few = None if labelled is None else min(labelled, 500)  # of the digits' 1,257
    return Experiment(
        question,
        partial(SemiSupervisedAdversarialAutoencoder, **PAPERS),
        measures.classification,
        smoke=Settings("digits", epochs=20, batch_size=50, labelled=few, system=TINY, optimizers=steps_of(phases, {})),
        quick=Settings("mnist", epochs=8, labelled=labelled, system=SMALL, optimizers=steps_of(phases, {6: 10})),
        long=Settings(
            "mnist",
            epochs=epochs,
            labelled=labelled,
            system=WIDE,
            optimizers=steps_of(phases, {late: 10}),
            chosen_on=chosen_on,
        ),
        paper=Settings(
            "mnist",
            epochs=5000,
            labelled=labelled,
            optimizers=steps_of(phases, {50: 10, 1000: 10}),
            chosen_on="paper",
        ),
        numbers={"error": number / 100},
        watch=True,
    )


def _house_numbers() -> Experiment:
    """Table 2 on SVHN, which only the paper's profile loads: the others have synthetic house numbers."""
    phases = (*GAMES, "classification")
    common = dict(
        output="standardised",
        batch_norm=True,
        decoder_batch_norm=True,
        input_noise=0.0,
        input_dropout=0.2,
        prior=Gaussian(20),
    )
    small = dict(**common, **SMALL, initial_std=None)
    return Experiment(
        "Table 2, SVHN, 1000 labels (all but paper: synthetic house numbers)",
        partial(SemiSupervisedAdversarialAutoencoder, **PAPERS),
        measures.classification,
        smoke=Settings(
            "house-numbers",
            epochs=1,
            batch_size=50,
            labelled=1000,
            system={**common, **TINY},
            optimizers=steps_of(phases, {}, SVHN_RATES),
        ),
        quick=Settings(
            "house-numbers",
            epochs=10,
            labelled=1000,
            system=small,
            optimizers=steps_of(phases, {8: 10}, HOUSE_RATES),
            chosen_on="validation",
        ),
        long=Settings(
            "house-numbers", epochs=40, labelled=1000, system=small, optimizers=steps_of(phases, {32: 10}, HOUSE_RATES)
        ),
        paper=Settings(
            "svhn",
            epochs=1000,
            labelled=1000,
            system=common,
            optimizers=steps_of(phases, {250: 10}, SVHN_RATES),
            chosen_on="paper",
        ),
        numbers={"error": 0.1770},
        watch=True,
    )


def _clusters(
    question: str,
    clusters: int,
    number: float | None,
    epochs: int = 80,
    late: int = 65,
    widths: Mapping[str, tuple[int, ...]] = WIDE,
    chosen_on: str = "validation",
    **system,
) -> Experiment:
    """Table 3: the long run has ``epochs``, its steps are divided by 10 at ``late``. ``consistency`` adds its phase."""
    phases = (*GAMES, *(["consistency"] if "consistency" in system else []))
    system = dict(clusters=clusters, **system)
    return Experiment(
        question,
        partial(
            ClusteringAdversarialAutoencoder, hidden=(3000, 3000), discriminator_hidden=(3000, 3000), initial_std=0.01
        ),
        measures.clustering,
        smoke=Settings("digits", epochs=20, batch_size=50, system={**system, **TINY}, optimizers=steps_of(phases, {})),
        quick=Settings("mnist", epochs=6, system={**system, **SMALL}, optimizers=steps_of(phases, {4: 10})),
        long=Settings(
            "mnist",
            epochs=epochs,
            system={**system, **widths},
            optimizers=steps_of(phases, {late: 10}),
            chosen_on=chosen_on,
        ),
        paper=Settings("mnist", epochs=1500, system=system, optimizers=steps_of(phases, {50: 10}), chosen_on="paper"),
        numbers={} if number is None else {"paper_rule_error": number / 100},
        watch=True,
    )


def _map(
    question: str, labelled: int, number: float, phases: Iterable[str], rates: Steps = MAP_RATES, **system
) -> Experiment:
    """Fig. 11 with labels: ``phases`` beside reconstruction and the games; ``rates`` of the long run."""
    phases = (*GAMES, *phases)
    few = min(labelled, 500)  # of the digits' 1,257
    return Experiment(
        question,
        partial(DimensionalityReductionAdversarialAutoencoder, **PAPERS),
        measures.classification,
        smoke=Settings(
            "digits",
            epochs=20,
            batch_size=50,
            labelled=few,
            system={**system, **TINY},
            optimizers=steps_of(phases, {}),
        ),
        quick=Settings(
            "mnist",
            epochs=5,
            labelled=labelled,
            system={**system, **MAPS},
            optimizers=steps_of(phases, {4: 10}, HEADS_RATES),
        ),
        long=Settings(
            "mnist",
            epochs=40,
            labelled=labelled,
            system={**system, **MAPS, "batch_norm": True, "initial_std": None},
            optimizers=steps_of(phases, {32: 10}, rates),
            chosen_on="validation",
        ),
        paper=Settings(
            "mnist",
            epochs=5000,
            labelled=labelled,
            system=system,
            optimizers=steps_of(phases, {50: 10, 1000: 10}),
            chosen_on="paper",
        ),
        numbers={"error": number / 100},
        watch=True,
    )


def _map_of_clusters() -> Experiment:
    """Fig. 11 without labels."""
    phases = (*GAMES, "heads")
    system = dict(
        classes=20,
        supervised=False,
        batch_norm=True,  # as where clusters are found elsewhere; without it one head takes all images
        input_noise=0.0,
        input_dropout=0.2,
    )
    return Experiment(
        "Fig. 11c: 2-D, 20 clusters, no labels",
        partial(DimensionalityReductionAdversarialAutoencoder, **PAPERS),
        measures.clustering,
        smoke=Settings("digits", epochs=20, batch_size=50, system={**system, **TINY}, optimizers=steps_of(phases, {})),
        quick=Settings("mnist", epochs=5, system={**system, **MAPS}, optimizers=steps_of(phases, {4: 10})),
        long=Settings(
            "mnist",
            epochs=40,
            system={**system, **MAPS, "initial_std": None},
            optimizers=steps_of(phases, {32: 10}, MAP_RATES),
            chosen_on="validation",
        ),
        paper=Settings(
            "mnist", epochs=5000, system=system, optimizers=steps_of(phases, {50: 10, 1000: 10}), chosen_on="paper"
        ),
        numbers={"paper_rule_error": 0.1395},
        watch=True,
    )


CONTENT: dict[str, Experiment] = {
    "semi-supervised-100": _semi_supervised("Table 2, MNIST, 100 labels", 100, 1.90, epochs=110, late=90),
    "semi-supervised-1000": _semi_supervised("Table 2, MNIST, 1000 labels", 1000, 1.60, epochs=140, late=120),
    "semi-supervised-all": _semi_supervised(
        "Table 2, MNIST, all labels", None, 0.85, epochs=40, late=30, chosen_on="untried"
    ),
    "semi-supervised-svhn-1000": _house_numbers(),
    "clustering-16": _clusters("Table 3, 16 clusters", 16, 9.55),
    "clustering-30": _clusters("Table 3, 30 clusters", 30, 4.10),
    "clustering-30-consistent": _clusters(
        "30 clusters that distortions may not change: not the paper's",
        30,
        None,
        epochs=40,
        late=30,
        widths=MIDDLE,
        consistency=0.3,
    ),
    "reduction-2d-1000": _map("Fig. 11a: 2-D, 1000 labels", 1000, 4.20, ["heads", "classification"]),
    "reduction-2d-100": _map(  # the other maps' larger steps of reconstruction cost points here (the log)
        "Fig. 11b: 2-D, 100 labels",
        100,
        6.08,
        ["heads", "classification"],
        rates=MAP_RATES | {"reconstruction": Adam(1e-4)},
    ),
    "reduction-2d-20-clusters": _map_of_clusters(),
    "reduction-10d-100": _map(
        "Fig. 11d: 10-D, 100 labels, W_C = 10 I", 100, 3.90, ["classification"], latent_dim=10, fixed_heads=10.0
    ),
}
