"""What is measured on the trained system of an experiment: functions of (system, data) to named numbers."""

from __future__ import annotations

import numpy as np
import torch

from ..data import Dataset
from ..evaluation import (
    Samples,
    clustering_error,
    distance_to_prior,
    feature_fid,
    holes,
    knn_accuracy,
    mean_and_standard_error,
    parzen_log_likelihood,
    precision_recall,
    sigma_search,
    train_feature_network,
)
from ..losses import half_squared_error
from ..pixels import as_float
from ..systems import System

SIGMAS = np.logspace(-1.5, 0, 31)


def latent(system: System, data: Dataset) -> dict[str, float]:
    """How near q(z) is to p(z) on hold-out images, how well classes lie apart there, and the reconstruction error."""
    z = system.encode(data.test.images, seed=0)  # (N, Z), draws from q(z | x)
    train = data.train.take(torch.arange(min(10_000, len(data.train))))
    distance = distance_to_prior(z, system)
    pixels = as_float(data.test.images)
    return {
        "mmd": distance.mmd,
        "mmd_floor": distance.mmd_floor,
        "sliced_wasserstein": distance.sliced_wasserstein,
        "sliced_wasserstein_floor": distance.sliced_wasserstein_floor,
        "holes": holes(z, system),
        "knn_accuracy": knn_accuracy(system.encode(train.images, seed=0), train.labels, z, data.test.labels),
        "half_squared_error": float(half_squared_error(system.reconstruct(data.test.images), pixels)),
    }


def generation(system: System, data: Dataset) -> dict[str, float]:
    """How near samples, and reconstructions of test images, come to test images, in features of a small classifier.

    Of equally many images each, at most 5,000; the floor is what other real images, the validation's, score.
    """
    network = train_feature_network(data.train)
    count = min(5000, len(data.test), len(data.validation))
    test = data.test.images[:count]
    remade = system.reconstruct(test)
    real = network.features(test)
    made = network.features(system.sample(count))
    precision, recall = precision_recall(real, made)
    return {
        "feature_fid": feature_fid(real, made),
        "feature_fid_of_reconstructions": feature_fid(real, network.features(remade)),
        "feature_fid_floor": feature_fid(real, network.features(data.validation.images[:count])),
        "precision": precision,
        "recall": recall,
        "half_squared_error": float(half_squared_error(remade, as_float(test))),
    }


def codes_and_samples(system: System, data: Dataset) -> dict[str, float]:
    """How near q(z) is to p(z) on test images, and how near samples and reconstructions are to them."""
    distance = distance_to_prior(system.encode(data.test.images, seed=0), system)
    names = ("mmd", "mmd_floor", "sliced_wasserstein", "sliced_wasserstein_floor")
    return {**{name: getattr(distance, name) for name in names}, **generation(system, data)}


def classification(system: System, data: Dataset) -> dict[str, float]:
    """The shares of hold-out images that ``classify`` gets wrong."""
    return {
        f"{name}_error": float((system.classify(split.images) != split.labels).float().mean())
        for name, split in (("test", data.test), ("validation", data.validation))
    }


def clustering(system: System, data: Dataset) -> dict[str, float]:
    """Test errors by the paper's rule and by the majority rule, and how many clusters no test image is in."""
    held_out = (data.validation, data.test)
    validation, test = (system.probabilities(split.images) for split in held_out)
    found = {
        rule: clustering_error(validation, data.validation.labels, test, data.test.labels, rule=rule)
        for rule in ("paper", "majority")
    }
    errors = {f"{rule}_rule_error": result.error for rule, result in found.items()}
    return {**errors, "empty_clusters": float(len(found["paper"].empty))}


def likelihood(
    system: System,
    data: Dataset,
    count: int = 10_000,
    images: tuple[int, int] = (2000, 10_000),
    *,
    progress: bool = False,
) -> dict[str, float]:
    """The Parzen estimate of ``count`` samples: σ by the first validation images, nats of the first test ``images``."""
    samples, (of_validation, of_test) = Samples(system, count), images
    validation, test = data.validation.images[:of_validation], data.test.images[:of_test]
    sigma = sigma_search(samples, validation.to(system.device), SIGMAS, progress=progress).sigma
    nats = parzen_log_likelihood(samples, test.to(system.device), sigma=sigma, progress=progress)
    mean, error = mean_and_standard_error(nats)
    return {"log_likelihood": mean, "standard_error": error, "sigma": sigma, "samples": float(count)}
