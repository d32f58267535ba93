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
from collections.abc import Callable, Iterator

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


def rows(count: int = 10_000, looked_at: int = 10_000, rounds: int = 3) -> Iterator[tuple]:
    """Rows of the table: what, seconds and samples a second here, scikit-learn's seconds, how many times faster."""
    data = load("mnist")
    images = data.test.images[:looked_at].float() / 255  # (N, 1, 28, 28)
    samples = data.train.images[:count].float() / 255  # (M, 1, 28, 28)
    noise = torch.randn(samples.shape, generator=torch.Generator().manual_seed(0))
    samples = (samples + 0.05 * noise).clamp(0, 1)
    few = images[:SCIKIT_LEARN_IMAGES]
    x, means = images.flatten(1).double(), samples.flatten(1).double()  # (N, D), (M, D)

    ways = {
        "scikit-learn": (lambda: scikit_learn(samples, few), len(images) / len(few)),
        "Parzen, one width": (lambda: parzen_log_likelihood(samples, images, sigma=SIGMA), 1),
        "Parzen, search over ten widths": (lambda: sigma_search(samples, images), 1),
        "its matrix product alone, float64": (lambda: [x @ part.T for part in means.split(200)], 1),
    }
    best = dict.fromkeys(ways, float("inf"))
    for _ in range(rounds):
        for name, (way, scale) in ways.items():
            best[name] = min(best[name], scale * seconds(way))
    rival = best.pop("scikit-learn")
    for name, value in best.items():
        # One round at ten widths of scikit-learn is ten rounds at one width.
        theirs = rival * (10 if "ten widths" in name else 1)
        speed = f"{value:.1f} s, {len(samples) / value:,.0f} samples a second"
        yield name, speed, f"scikit-learn, exact: {theirs:.0f} s", f"{theirs / value:.1f} times faster"
    difference = (scikit_learn(samples, few) - parzen_log_likelihood(samples, few, sigma=SIGMA)).abs().max()
    yield "difference from scikit-learn", f"{difference:.1e} nats an image at most", "", ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    print(f"{chosen.images} images, {chosen.samples} samples, {torch.get_num_threads()} threads")
    for row in rows(chosen.samples, chosen.images, chosen.rounds):
        print(" | ".join(row), flush=True)


if __name__ == "__main__":
    main()
