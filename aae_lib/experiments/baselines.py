"""Table 2's other rows (Makhzani et al. 2015): what the same labels are worth to other ways of using them.

Equal to the rows ``semi-supervised-*`` are the labelled images of a seed, the widths of the hidden layers, the batches
and, but for ``long``, the number of updates. ``long`` gives every baseline the same 20 epochs, 10,000 updates, because
one of M2's decodes each image ten times over and takes as long as three of those. What a semi-supervised run had after
as many, at the full steps, its curve says. Not equal are

- the noise on the images, 0.3 there: the network alone has it, M2's classifier too. The bounds of M1 and M2 are of
  images without. VAT has none either, and batch normalisation in its place, as its authors have it: with noise it does
  no better than the network alone;
- the steps. The network's are those of the semi-supervised system's phase "classification"; the others have Adam, which
  their authors use or would today. All are divided by 10 for the last quarter;
- the support vector machine, which sees the labelled codes alone. The paper's is transductive: it also sees the others.

The paper's numbers are those that the methods' authors published, of networks and trainings of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..optimizers import SGD, Adam
from ..priors import Gaussian
from ..systems import (
    Classifier,
    SemiSupervisedVariationalAutoencoder,
    System,
    VariationalAutoencoder,
    VirtualAdversarialClassifier,
)
from . import measures
from .content import RATES
from .experiment import PROFILES, Experiment, Settings
from .papers import NUMBERS

LABELS = {"100": 100, "1000": 1000, "all": None}
UNITS = {"smoke": 64, "quick": 400, "long": 1000, "paper": 1000}
EPOCHS = {"smoke": 20, "quick": 8, "long": 20, "paper": 5000}
STEP = Adam(1e-3)
PRINTED = {number.experiment: number.value for number in NUMBERS if number.experiment}  # errors in %


@dataclass(frozen=True)
class _Method:
    """A row of Table 2.

    ``system``: what ``build`` takes beside the widths, ``smoke``: what of it is different for built-in digits.
    ``chosen_on``: for the profile ``long``.
    """

    title: str
    build: Callable[..., System]
    steps: Mapping[str, Adam | SGD]
    measure: Callable[..., dict] = measures.classification
    system: Mapping[str, Any] = field(default_factory=dict)
    smoke: Mapping[str, Any] = field(default_factory=dict)
    chosen_on: str = "validation"


METHODS = {
    "network": _Method("the network alone", Classifier, {"classification": RATES["classification"]}),
    "m1-svm": _Method(
        "VAE (M1) + SVM, not transductive",
        VariationalAutoencoder,
        {"negative_elbo": STEP},
        measure=measures.support_vectors,
        system=dict(prior=Gaussian(50)),  # as its authors have it
        smoke=dict(prior=Gaussian(10)),  # of more, images this small make no use at all
        chosen_on="untried",
    ),
    "m2": _Method(
        "VAE (M2)",
        SemiSupervisedVariationalAutoencoder,
        {"bound": STEP},
        system=dict(classification_weight=100.0),
    ),
    "vat": _Method(
        "VAT",
        VirtualAdversarialClassifier,
        {"classification": STEP, "smoothness": STEP},
        system=dict(reach=4.0),
        smoke=dict(reach=3.0),  # images of fewer pixels lie nearer to each other
    ),
}


def _experiment(method: _Method, labels: str, number: float) -> Experiment:
    """The row's experiment with so many ``labels``, and the paper's error in %."""

    def settings(profile: str) -> Settings:
        smoke, epochs, labelled = profile == "smoke", EPOCHS[profile], LABELS[labels]
        if smoke and labelled is not None:
            labelled = min(labelled, 500)  # of the digits' 1,257
        drops = {} if smoke else {3 * epochs // 4: 10}
        return Settings(
            "digits" if smoke else "mnist",
            epochs=epochs,
            batch_size=50 if smoke else 100,
            labelled=labelled,
            system=dict(hidden=(UNITS[profile], UNITS[profile])) | method.system | (method.smoke if smoke else {}),
            optimizers={name: replace(step, drops=drops) for name, step in method.steps.items()},
            chosen_on=method.chosen_on if profile == "long" else "untried",
        )

    return Experiment(
        f"Table 2, MNIST, {labels} labels: {method.title}",
        method.build,
        method.measure,
        **{profile: settings(profile) for profile in PROFILES},
        numbers={"error": number / 100},
        watch=True,
    )


BASELINES: dict[str, Experiment] = {
    f"baseline-{name}-{labels}": _experiment(method, labels, PRINTED[f"baseline-{name}-{labels}"])
    for name, method in METHODS.items()
    for labels in LABELS
    if f"baseline-{name}-{labels}" in PRINTED
}
