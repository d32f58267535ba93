"""Labels among codes: whether they lie in the regions that are meant for them, and whether z is free of them."""

from __future__ import annotations

from typing import NamedTuple

import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from .. import checks
from ..priors import Prior, as_prior


class Probe(NamedTuple):
    """``accuracy`` of a linear classifier of codes, and ``chance``: that of always naming the commonest class."""

    accuracy: float
    chance: float


def mode_accuracy(z: Tensor, labels: Tensor, prior: Prior) -> float:
    """The share of codes z (N, Z) that lie in their own class's region of the prior (Makhzani et al. 2015, Sec. 2.3).

    Raises ValueError where the prior has no regions, or other dimensions than z, or fewer regions than labels.
    """
    prior = as_prior("prior", prior)
    z = checks.codes("z", z, prior.dim).cpu()
    labels = checks.labels("labels", labels, len(z)).cpu()
    regions = prior.nearest(z)  # (N,)
    if int(labels.max()) >= prior.classes:
        raise ValueError(f"labels must be below {prior.classes} for {prior}, but the largest is {int(labels.max())}.")
    return float((regions == labels).double().mean())


def label_probe(train_codes: Tensor, train_labels: Tensor, test_codes: Tensor, test_labels: Tensor) -> Probe:
    """How much label a linear classifier finds in codes: trained on (N, Z), tried on (M, Z); logistic regression.

    Codes that hold style alone give it no more than ``chance``.
    """
    train_codes = checks.codes("train_codes", train_codes).cpu()
    test_codes = checks.codes("test_codes", test_codes, train_codes.shape[1]).cpu()
    train_labels = checks.labels("train_labels", train_labels, len(train_codes)).cpu()
    test_labels = checks.labels("test_labels", test_labels, len(test_codes)).cpu()
    if len(train_labels.unique()) < 2:
        raise ValueError("train_labels has one class only, so there is nothing to find; give codes of several classes.")
    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(train_codes, train_labels)
    commonest = torch.bincount(train_labels).argmax()
    return Probe(float(probe.score(test_codes, test_labels)), float((test_labels == commonest).double().mean()))
