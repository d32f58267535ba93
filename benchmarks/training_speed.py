"""How fast ``fit`` trains, beside the loop that one would write first and beside the machine's own limit.

    AAE_DATA=data python benchmarks/training_speed.py

Three ways make the same updates of the same 784-H-H-8 adversarial autoencoder, in turns, so that a busy machine slows
all alike; only the ratios mean anything. The naive way is the usual one: a DataLoader over images and a loop that
computes all gradients in every phase with torch's default Adam. The limit is the time that the matrix products of the
paper's three phases take at the speed of one large product.
"""

from __future__ import annotations

import argparse
import time

import torch
from torch.utils.data import DataLoader, TensorDataset

from aae_lib import fit, load
from aae_lib.priors import Gaussian
from aae_lib.systems import AdversarialAutoencoder, Batch


def build(hidden: int) -> AdversarialAutoencoder:
    widths = (hidden, hidden)
    return AdversarialAutoencoder((1, 28, 28), prior=Gaussian(8), hidden=widths, discriminator_hidden=widths)


def naive(images: torch.Tensor, hidden: int, batch_size: int) -> float:
    """Seconds an update of the loop that one would write first."""
    system = build(hidden).train()
    phases = system.phases()
    optimizers = [torch.optim.Adam(phase.weights(), lr=phase.optimizer.learning_rate) for phase in phases]
    loader = DataLoader(TensorDataset(images), batch_size, shuffle=True, drop_last=True)
    generator = torch.Generator().manual_seed(0)
    start = time.perf_counter()
    for (batch,) in loader:
        batch = Batch(batch.float() / 255, None, generator)
        for phase, optimizer in zip(phases, optimizers, strict=True):
            loss = phase.loss(batch)
            system.zero_grad()
            loss.backward()
            optimizer.step()
    return (time.perf_counter() - start) / len(loader)


def library(images: torch.Tensor, hidden: int, batch_size: int, precision: str) -> float:
    """Seconds an update of ``fit``, all that it does besides included."""
    system = build(hidden)
    start = time.perf_counter()
    history = fit(system, images, epochs=1, batch_size=batch_size, precision=precision, device="cpu", progress=False)
    return (time.perf_counter() - start) / history.update


def product_speed(dtype: torch.dtype, size: int = 1024) -> float:
    """Multiply-adds a second of one large matrix product."""
    a, b = torch.randn(size, size).to(dtype), torch.randn(size, size).to(dtype)
    best = float("inf")
    for _ in range(10):
        start = time.perf_counter()
        a @ b
        best = min(best, time.perf_counter() - start)
    return size**3 / best


def multiply_adds(hidden: int, batch_size: int) -> float:
    """Of one update: one product forward, two backward for what learns, one where a gradient only passes through."""
    encoder = 784 * hidden + hidden * hidden + hidden * 8
    decoder = encoder
    discriminator = 8 * hidden + hidden * hidden + hidden
    reconstruction = 3 * (encoder + decoder)
    regularization = (encoder + 2 * 3 * discriminator) + (3 * encoder + 2 * discriminator)
    return batch_size * (reconstruction + regularization)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hidden", type=int, default=1000)
    parser.add_argument("--batch-size", type=int, default=100)
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    images = load("mnist").train.images[: chosen.images]
    ways = {
        "naive loop, float32": lambda: naive(images, chosen.hidden, chosen.batch_size),
        "fit, float32": lambda: library(images, chosen.hidden, chosen.batch_size, "float32"),
        "fit, auto": lambda: library(images, chosen.hidden, chosen.batch_size, "auto"),
    }
    seconds = {name: [] for name in ways}
    for _ in range(chosen.rounds):
        for name, way in ways.items():
            seconds[name].append(way())
    best = {name: min(times) for name, times in seconds.items()}
    print(f"784-{chosen.hidden}-{chosen.hidden}-8, batch {chosen.batch_size}, {torch.get_num_threads()} threads")
    for name, value in best.items():
        print(
            f"  {name:22} {1000 * value:7.2f} ms an update, {best['naive loop, float32'] / value:4.2f} x the naive loop"
        )
    work = multiply_adds(chosen.hidden, chosen.batch_size)
    for name, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        print(f"  {'limit, ' + name:22} {1000 * work / product_speed(dtype):7.2f} ms for the matrix products alone")


if __name__ == "__main__":
    main()
