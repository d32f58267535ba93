"""How fast Parzen windows are, beside scikit-learn's and beside the machine's own limit.

    AAE_DATA=data python benchmarks/parzen_speed.py

MNIST test images under windows around noisy training images, which stand for samples, in turns, so that a busy machine
slows all alike; only the ratios mean anything. scikit-learn has one leaf for all samples: its tree is not exact in 784
dimensions. It scores few images, and one width at a time; both times are scaled up. The limit is the time that the
distances' matrix product alone takes, in the same float64.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import torch
from sklearn.neighbors import KernelDensity

from aae_lib import load
from aae_lib.evaluation import parzen_log_likelihood, sigma_search

SIGMA = 0.2
SCIKIT_LEARN_IMAGES = 50


def seconds(way: Callable[[], object]) -> float:
    start = time.perf_counter()
    way()
    return time.perf_counter() - start


def scikit_learn(samples: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
    """Log-likelihoods (N,) in nats with every distance computed."""
    density = KernelDensity(bandwidth=SIGMA, leaf_size=len(samples) + 1).fit(samples.flatten(1).double())
    return torch.from_numpy(density.score_samples(images.flatten(1).double()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    data = load("mnist")
    images = data.test.images[: chosen.images].float() / 255  # (N, 1, 28, 28)
    samples = data.train.images[: chosen.samples].float() / 255  # (M, 1, 28, 28)
    noise = torch.randn(samples.shape, generator=torch.Generator().manual_seed(0))
    samples = (samples + 0.05 * noise).clamp(0, 1)
    few = images[:SCIKIT_LEARN_IMAGES]
    x, means = images.flatten(1).double(), samples.flatten(1).double()  # (N, D), (M, D)

    ways = {
        "scikit-learn": (lambda: scikit_learn(samples, few), len(images) / len(few)),
        "parzen_log_likelihood": (lambda: parzen_log_likelihood(samples, images, sigma=SIGMA), 1),
        "sigma_search, 10 widths": (lambda: sigma_search(samples, images), 1),
        "limit, float64": (lambda: [x @ part.T for part in means.split(200)], 1),
    }
    best = dict.fromkeys(ways, float("inf"))
    for _ in range(chosen.rounds):
        for name, (way, scale) in ways.items():
            best[name] = min(best[name], scale * seconds(way))
    # One round at ten widths of scikit-learn is ten rounds at one width.
    rival = {name: best["scikit-learn"] * (10 if "10 widths" in name else 1) for name in ways}
    difference = (scikit_learn(samples, few) - parzen_log_likelihood(samples, few, sigma=SIGMA)).abs().max()

    print(f"{len(images)} images of 784 pixels, {len(samples)} samples, {torch.get_num_threads()} threads")
    for name, value in best.items():
        ten_million = value * 1e7 / len(samples) / 3600
        print(
            f"  {name:24} {value:8.2f} s, {rival[name] / value:5.1f} x scikit-learn; 10M samples: {ten_million:7.2f} h"
        )
    print(f"  scikit-learn and this library differ by {difference:.1e} nats an image at most")


if __name__ == "__main__":
    main()
