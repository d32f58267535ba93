"""How fast ``fit`` trains, beside loops written by hand, pythae's trainer, and the machine's own limit.

    AAE_DATA=data python -m benchmarks.training_speed

All ways but three, named below, make the same updates of one adversarial autoencoder, 784-H-H-8 without batch norm, as
the paper and pythae have it, in turns, so that a busy machine slows all alike; only the ratios mean anything. The naive
loop is the one that one would write first: a DataLoader over images, and all gradients in every phase with torch's
default Adam. The bare loop is what a good engineer makes of it, for this system alone: images in memory, autocast,
fused Adam, no gradient for nothing, and nothing besides. "Codes once" is that loop where both phases of the game see
the same codes. So they do with ``fit``, unless batch norm or noise make a second pass another one: "fit, batch norm"
has the library's own choice of networks. pythae's trainer takes part where it is installed; it encodes each batch once,
and moves encoder and decoder in one step by the sum of reconstruction and game. What the library has for that, a
Wasserstein autoencoder with a discriminator, stands beside it as "fit, one optimizer": the like of pythae's update,
where the paper's has three phases.
The limit is the time that the matrix products of the paper's three phases, each encoding for itself, take at the speed
of one large product.
Where the time of an update of ``fit`` goes stands below each, as torch's profiler has it.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import tempfile
import time
from collections.abc import Iterator

import torch
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy
from torch.utils.data import DataLoader, TensorDataset

from aae_lib import fit, load
from aae_lib.priors import Gaussian
from aae_lib.systems import AdversarialAutoencoder, Batch, System
from aae_lib.training.precision import choose_autocast
from benchmarks.time_to_quality import LATENT, pythae_trainer
from benchmarks.time_to_quality import build as with_one_optimizer

SPENT_ON = {
    "matrix products": ("aten::mm", "aten::addmm"),
    "rounding to bfloat16 and back": ("aten::copy_",),  # almost all copies are roundings
    "Adam": ("aten::_fused_adam_", "Optimizer.step#Adam.step"),
}


def build(hidden: int, batch_norm: bool | str = False) -> AdversarialAutoencoder:
    widths = dict(hidden=(hidden, hidden), discriminator_hidden=(hidden, hidden))
    return AdversarialAutoencoder((1, 28, 28), prior=Gaussian(LATENT), batch_norm=batch_norm, **widths)


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


def bare(images: torch.Tensor, hidden: int, batch_size: int, codes_once: bool = False) -> float:
    """Seconds an update of a loop for this system alone, with all that makes one fast.

    ``codes_once``: the discriminator and the generator see the same codes, encoded once.
    """
    system = build(hidden).train()
    autocast = choose_autocast("auto", system, torch.device("cpu"))
    encoder, decoder, discriminator = system.encoder.body, system.decoder.body, system.discriminator.body
    critic = list(discriminator.parameters())
    both = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=5e-4, fused=True)
    critic_step, encoder_step = (
        torch.optim.Adam(weights, lr=2e-4, betas=(0.5, 0.999), fused=True) for weights in (critic, encoder.parameters())
    )
    real, fake = torch.ones(batch_size, 1), torch.zeros(batch_size, 1)
    generator = torch.Generator().manual_seed(0)
    losses = []

    def step(optimizer: torch.optim.Optimizer, loss: torch.Tensor) -> None:
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())

    start = time.perf_counter()
    for chosen in torch.randperm(len(images), generator=generator).split(batch_size):
        x = images.index_select(0, chosen).float().div_(255).flatten(1)
        with autocast():
            logits = decoder(encoder(x))
        step(both, 0.5 * (logits.float().sigmoid() - x).square().sum(dim=1).mean())
        z = torch.randn(batch_size, 8, generator=generator)
        with autocast():
            with torch.set_grad_enabled(codes_once):
                codes = encoder(x)
            of_prior, of_codes = discriminator(z), discriminator(codes.detach())
        step(critic_step, cross_entropy(of_prior.float(), real) + cross_entropy(of_codes.float(), fake))
        discriminator.requires_grad_(False)
        with autocast():
            of_codes = discriminator(codes if codes_once else encoder(x))
        step(encoder_step, cross_entropy(of_codes.float(), real))
        discriminator.requires_grad_(True)
    return (time.perf_counter() - start) / (len(images) // batch_size)


def library(system: System, images: torch.Tensor, batch_size: int, precision: str) -> float:
    """Seconds an update of ``fit``, all that it does besides included."""
    start = time.perf_counter()
    history = fit(system, images, epochs=1, batch_size=batch_size, precision=precision, device="cpu", progress=False)
    return (time.perf_counter() - start) / history.update


def pythae(images: torch.Tensor, hidden: int, batch_size: int) -> float:
    """Seconds an update of pythae's trainer, in its loop over batches alone."""
    with tempfile.TemporaryDirectory() as folder:
        trainer = pythae_trainer(images, hidden, 1, batch_size, 1e-3, folder)
        trainer.prepare_training()
        start = time.perf_counter()
        trainer.train_step(0)
        return (time.perf_counter() - start) / (len(images) // batch_size)


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


def rows(
    widths: tuple[int, ...] = (1000, 32),
    threads: tuple[int, ...] = (1, 2),
    batch_size: int = 100,
    images: int = 5000,
    rounds: int = 5,
) -> Iterator[tuple]:
    """Rows of the table: what, milliseconds of ``fit``, another way's, the median ratio over all rounds."""
    pictures = load("mnist").train.images
    pictures = pictures[: min(images, len(pictures)) // batch_size * batch_size]  # no batch is half full
    before = torch.get_num_threads()
    for count in threads:
        torch.set_num_threads(count)
        for hidden in widths:
            yield from compare(pictures, hidden, batch_size, rounds)
    torch.set_num_threads(before)


def compare(images: torch.Tensor, hidden: int, batch_size: int, rounds: int) -> Iterator[tuple]:
    ways = {
        "fit, auto": lambda: library(build(hidden), images, batch_size, "auto"),
        "bare loop, auto": lambda: bare(images, hidden, batch_size),
        "bare loop, codes once, auto": lambda: bare(images, hidden, batch_size, codes_once=True),
        "fit, float32": lambda: library(build(hidden), images, batch_size, "float32"),
        "fit, batch norm, auto": lambda: library(build(hidden, "codes"), images, batch_size, "auto"),
        "fit, one optimizer, auto": lambda: library(with_one_optimizer(hidden), images, batch_size, "auto"),
        "naive loop, float32": lambda: naive(images, hidden, batch_size),
    }
    if importlib.util.find_spec("pythae"):
        ways["pythae, float32"] = lambda: pythae(images, hidden, batch_size)
    turns = [{name: way() for name, way in ways.items()} for _ in range(rounds + 1)][1:]  # the first warms up
    what = f"an update, 784-{hidden}-{hidden}-8, {torch.get_num_threads()} threads"
    best = {name: f"{1000 * min(turn[name] for turn in turns):.2f} ms" for name in ways}
    mine = best.pop("fit, auto")
    for name, value in best.items():
        ratio = statistics.median(turn[name] / turn["fit, auto"] for turn in turns)
        yield what, mine, f"{name}: {value}", f"{ratio:.2f} times as long"
    work = multiply_adds(hidden, batch_size)
    for dtype in (torch.float32, torch.bfloat16):
        limit = 1000 * work / product_speed(dtype)
        yield what, mine, f"matrix products alone, {str(dtype).removeprefix('torch.')}: {limit:.2f} ms", ""
    found = shares(images[: 20 * batch_size], hidden, batch_size)
    yield what, mine, "where it goes: " + ", ".join(f"{name} {share:.0%}" for name, share in found), ""


def shares(images: torch.Tensor, hidden: int, batch_size: int) -> Iterator[tuple[str, float]]:
    """What of an update of ``fit`` goes where."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profiler:
        library(build(hidden), images, batch_size, "auto")
    times = {event.key: event.self_cpu_time_total for event in profiler.key_averages()}
    for name, operations in SPENT_ON.items():
        yield name, sum(times.get(operation, 0) for operation in operations) / sum(times.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--widths", type=int, nargs="+", default=[1000, 32])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--batch-size", type=int, default=100)
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    for row in rows(chosen.widths, chosen.threads, chosen.batch_size, chosen.images, chosen.rounds):
        print(" | ".join(row), flush=True)


if __name__ == "__main__":
    main()
