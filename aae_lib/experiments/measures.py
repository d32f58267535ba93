"""What is measured on the trained system of an experiment.

Each is a function of (system, data) to named numbers of the validation images, by which settings are chosen, and of the
test images, which are reported: {"validation": {...}, "test": {...}}.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from sklearn.svm import SVC
from torch import Tensor

from ..data import Dataset, Split
from ..evaluation import (
    Samples,
    clustering_error,
    distance_to_prior,
    feature_fid,
    holes,
    knn_accuracy,
    mean_and_standard_error,
    mode_accuracy,
    parzen_log_likelihood,
    precision_recall,
    sigma_search,
    train_feature_network,
)
from ..losses import half_squared_error
from ..pixels import as_float
from ..systems import System

SIGMAS = np.logspace(-1.5, 0, 31)
HELD_OUT = ("validation", "test")
Numbers = dict[str, dict[str, float]]


def latent(system: System, data: Dataset) -> Numbers:
    """How near q(z) is to p(z) on hold-out images, how well classes lie apart there, and the reconstruction error."""
    train = data.train.take(torch.arange(min(10_000, len(data.train))))
    codes = system.encode(train.images, seed=0)

    def of(split: Split) -> dict[str, float]:
        z = system.encode(split.images, seed=0)  # (N, Z), draws from q(z | x)
        return {
            **_distances(system, split),
            "holes": holes(z, system),
            "knn_accuracy": knn_accuracy(codes, train.labels, z, split.labels),
            "half_squared_error": float(half_squared_error(system.reconstruct(split.images), as_float(split.images))),
        }

    return _on_both(data, of)


def regions(system: System, data: Dataset) -> Numbers:
    """The share of hold-out codes that lie in their own class's region of the prior, and how near q(z) is to p(z)."""

    def of(split: Split) -> dict[str, float]:
        own = mode_accuracy(system.encode(split.images), split.labels, system.prior)
        return {"own_region": own, **_distances(system, split)}

    return _on_both(data, of)


def generation(system: System, data: Dataset) -> Numbers:
    """How near samples, and reconstructions of hold-out images, come to these, in features of a small classifier.

    Of equally many images each, at most 5,000; the floor is what other real images, of the other split, score.
    """
    network = train_feature_network(data.train)
    count = min(5000, len(data.test), len(data.validation))
    made = network.features(system.sample(count))
    features = {split: network.features(getattr(data, split).images[:count]) for split in HELD_OUT}
    floor = feature_fid(features["validation"], features["test"])

    def of(split: Split) -> dict[str, float]:
        images = split.images[:count]
        remade = system.reconstruct(images)
        real = features["test" if split is data.test else "validation"]
        precision, recall = precision_recall(real, made)
        return {
            "feature_fid": feature_fid(real, made),
            "feature_fid_of_reconstructions": feature_fid(real, network.features(remade)),
            "feature_fid_floor": floor,
            "precision": precision,
            "recall": recall,
            "half_squared_error": float(half_squared_error(remade, as_float(images))),
        }

    return _on_both(data, of)


def codes_and_samples(system: System, data: Dataset) -> Numbers:
    """How near q(z) is to p(z) on hold-out images, and how near samples and reconstructions are to them."""
    made = generation(system, data)
    return {name: {**_distances(system, getattr(data, name)), **made[name]} for name in HELD_OUT}


def classification(system: System, data: Dataset) -> Numbers:
    """The share of hold-out images that ``classify`` gets wrong."""
    return _on_both(
        data, lambda split: {"error": float((system.classify(split.images) != split.labels).float().mean())}
    )


def support_vectors(system: System, data: Dataset, labelled: Tensor) -> Numbers:
    """The share of hold-out images that a support vector machine on codes gets wrong, fitted to those of ``labelled``.

    ``labelled``: indices (L,) of training images. Validation images choose the best C of three, so that their own error
    is a little too good.
    """
    seen = data.train.take(labelled)
    z = system.encode(seen.images).cpu().numpy()  # (L, Z)
    machines = [SVC(C=c).fit(z, seen.labels.numpy()) for c in (1, 10, 100)]
    held_out = {name: getattr(data, name) for name in HELD_OUT}
    codes = {name: system.encode(split.images).cpu().numpy() for name, split in held_out.items()}

    def error(machine: SVC, name: str) -> float:
        return 1 - machine.score(codes[name], held_out[name].labels.numpy())

    best = min(machines, key=lambda machine: error(machine, "validation"))
    return {name: {"error": float(error(best, name))} for name in HELD_OUT}


def clustering(system: System, data: Dataset) -> Numbers:
    """Errors by the paper's rule and by the majority rule, and how many clusters no image is in.

    Validation images name the clusters, so that their own errors are a little too good.
    """
    named = system.logits(data.validation.images)

    def of(split: Split) -> dict[str, float]:
        logits = named if split is data.validation else system.logits(split.images)
        found = {
            rule: clustering_error(named, data.validation.labels, logits, split.labels, rule=rule)
            for rule in ("paper", "majority")
        }
        errors = {f"{rule}_rule_error": result.error for rule, result in found.items()}
        return {**errors, "empty_clusters": float(len(found["paper"].empty))}

    return _on_both(data, of)


def likelihood(
    system: System,
    data: Dataset,
    count: int = 10_000,
    images: tuple[int, int] = (2000, 10_000),
    *,
    progress: bool = False,
) -> Numbers:
    """The Parzen estimate of ``count`` samples in nats, of the first ``images`` of validation and of test.

    The validation images choose σ, so that their own likelihood is a little too good.
    """
    samples = Samples(system, count)
    sizes = dict(zip(HELD_OUT, images, strict=True))
    held_out = {name: getattr(data, name).images[:size].to(system.device) for name, size in sizes.items()}
    sigma = sigma_search(samples, held_out["validation"], SIGMAS, progress=progress).sigma
    numbers = {}
    for name, some in held_out.items():
        nats = parzen_log_likelihood(samples, some, sigma=sigma, progress=progress)
        mean, error = mean_and_standard_error(nats)
        numbers[name] = {"log_likelihood": mean, "standard_error": error, "sigma": sigma, "samples": float(count)}
    return numbers


def _on_both(data: Dataset, of: Callable[[Split], dict[str, float]]) -> Numbers:
    return {name: of(getattr(data, name)) for name in HELD_OUT}


def _distances(system: System, split: Split) -> dict[str, float]:
    """How far q(z) is from p(z), each beside what draws of p(z) themselves score."""
    distance = distance_to_prior(system.encode(split.images, seed=0), system)
    names = ("mmd", "mmd_floor", "sliced_wasserstein", "sliced_wasserstein_floor")
    return {name: getattr(distance, name) for name in names}
