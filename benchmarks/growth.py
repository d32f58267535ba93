"""How the time of an update grows: with the width of the networks, the batch, the picture and the number of pictures.

    python benchmarks/growth.py

An adversarial autoencoder, Z-H-H, on random pictures; each line changes one thing of 784 pixels, 1000 units, batches of
100, 50,000 pictures. Beside each is what the matrix products of its three phases ask of the machine, so that one sees
where the products stop to be what the time goes into.
"""

from __future__ import annotations

import time

import torch

from aae_lib import fit
from aae_lib.priors import Gaussian
from aae_lib.systems import AdversarialAutoencoder

LATENT = 8
USUAL = dict(hidden=1000, batch_size=100, side=28, count=50_000)
CHANGES = {
    "hidden": (32, 100, 300, 1000, 2000),
    "batch_size": (10, 30, 100, 300, 1000),
    "side": (8, 16, 28, 64, 128),
    "count": (1000, 10_000, 50_000),
}
WORDS = {"hidden": "units", "batch_size": "in a batch", "side": "pixels a side", "count": "pictures"}
SECONDS = 3  # of each measurement, at least; the first updates are left out


def milliseconds(hidden: int, batch_size: int, side: int, count: int) -> float:
    """Of one update, in the mean over some seconds."""
    generator = torch.Generator().manual_seed(0)
    count = min(count, 2**31 // side**2 // 8)  # 256 MB of pictures
    images = torch.randint(256, (count, 1, side, side), generator=generator, dtype=torch.uint8)
    widths = (hidden, hidden)
    system = AdversarialAutoencoder((1, side, side), prior=Gaussian(LATENT), hidden=widths, discriminator_hidden=widths)
    how = dict(batch_size=batch_size, device="cpu", progress=False)
    first = fit(system, images, updates=3, **how).seconds / 3
    updates = max(10, round(SECONDS / first))
    began = time.perf_counter()
    fit(system, images, updates=updates, **how)
    return 1000 * (time.perf_counter() - began) / updates


def gigaflops(hidden: int, batch_size: int, side: int, count: int) -> float:
    """Multiplications and additions of one update, in 10^9: forward, and backward to weights and inputs."""
    network = hidden * (side**2 + hidden + LATENT)  # of the encoder, and of the decoder
    critic = hidden * (LATENT + hidden + 1)
    reconstruction = 2 * 3 * network  # encoder and decoder, once forward and twice backward
    discriminator = network + 2 * 3 * critic  # draws and codes
    generator = 3 * network + 2 * critic
    return 2 * batch_size * (reconstruction + discriminator + generator) / 1e9


def rows() -> list[tuple]:
    """Rows of the table: what is changed, milliseconds an update, 10^9 operations a second."""
    found = []
    for name, values in CHANGES.items():
        for value in values:
            sizes = {**USUAL, name: value}
            took, work = milliseconds(**sizes), gigaflops(**sizes)
            speed = f"{work / took * 1000:.0f} GFLOP/s"
            found.append((f"an update, {value:,} {WORDS[name]}", f"{took:.2f} ms", f"{work:.2f} GFLOP", speed))
    return found


def main() -> None:
    for row in rows():
        print(" | ".join(row), flush=True)


if __name__ == "__main__":
    main()
