"""How fast ``fit`` trains, beside loops written by hand, a peer, and the machine's own limit.

    AAE_DATA=data python benchmarks/training_speed.py

All ways make the same updates of the same 784-H-H-8 adversarial autoencoder, in turns, so that a busy machine slows all
alike; only the ratios mean anything. The naive loop is the one that one would write first: a DataLoader over images,
and all gradients in every phase with torch's default Adam. The bare loop is what a good engineer makes of it, for this
system alone: images in memory, autocast, fused Adam, no gradient for nothing, and nothing besides. pythae's trainer of
its ``Adversarial_AE`` (Chadebec et al. 2022) takes part where it is installed; it encodes each batch once, for all of
its losses, and makes one step of each network. The limit is the time that the matrix products of the paper's three
phases take at the speed of one large product.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import tempfile
import time

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy
from torch.utils.data import DataLoader, TensorDataset

from aae_lib import fit, load
from aae_lib.priors import Gaussian
from aae_lib.systems import AdversarialAutoencoder, Batch
from aae_lib.training.precision import choose_autocast

try:
    from pythae.data.datasets import BaseDataset
    from pythae.models import Adversarial_AE, Adversarial_AE_Config
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseDiscriminator, BaseEncoder
    from pythae.trainers import AdversarialTrainer, AdversarialTrainerConfig
except ImportError:
    pythae = False
else:
    pythae = True


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


def bare(images: torch.Tensor, hidden: int, batch_size: int) -> float:
    """Seconds an update of a loop for this system alone, with all that makes one fast."""
    system, autocast = build(hidden).train(), choose_autocast("auto", torch.device("cpu"))
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
            with torch.no_grad():
                codes = encoder(x)
            of_prior, of_codes = discriminator(z), discriminator(codes)
        step(critic_step, cross_entropy(of_prior.float(), real) + cross_entropy(of_codes.float(), fake))
        discriminator.requires_grad_(False)
        with autocast():
            of_codes = discriminator(encoder(x))
        step(encoder_step, cross_entropy(of_codes.float(), real))
        discriminator.requires_grad_(True)
    return (time.perf_counter() - start) / (len(images) // batch_size)


def library(images: torch.Tensor, hidden: int, batch_size: int, precision: str) -> float:
    """Seconds an update of ``fit``, all that it does besides included."""
    system = build(hidden)
    start = time.perf_counter()
    history = fit(system, images, epochs=1, batch_size=batch_size, precision=precision, device="cpu", progress=False)
    return (time.perf_counter() - start) / history.update


def peer(images: torch.Tensor, hidden: int, batch_size: int) -> float:
    """Seconds an update of pythae's trainer, in its loop over batches alone."""

    def network(base: type, *sizes: int, **outputs: int) -> nn.Module:
        """Linear layers of these sizes with ReLU between them, as pythae wants them: with named outputs."""

        class Network(base):
            def __init__(self):
                base.__init__(self)
                self.latent_dim = 8
                layers = [layer for pair in itertools.pairwise(sizes) for layer in (nn.Linear(*pair), nn.ReLU())]
                self.body = nn.Sequential(nn.Flatten(), *layers)
                self.heads = nn.ModuleDict({name: nn.Linear(sizes[-1], size) for name, size in outputs.items()})

            def forward(self, x):
                features = self.body(x)
                found = {name: head(features) for name, head in self.heads.items()}
                if base is not BaseEncoder:
                    found = {name: value.sigmoid() for name, value in found.items()}
                if base is BaseDecoder:
                    found = {name: value.reshape(-1, 1, 28, 28) for name, value in found.items()}
                return ModelOutput(**found)

        return Network()

    settings = Adversarial_AE_Config(
        input_dim=(1, 28, 28), latent_dim=8, reconstruction_loss="mse", deterministic_posterior=True
    )
    model = Adversarial_AE(
        settings,
        network(BaseEncoder, 784, hidden, hidden, embedding=8, log_covariance=8),
        network(BaseDecoder, 8, hidden, hidden, reconstruction=784),
        network(BaseDiscriminator, 8, hidden, hidden, embedding=1),
    )
    with tempfile.TemporaryDirectory() as folder:
        how = AdversarialTrainerConfig(output_dir=folder, per_device_train_batch_size=batch_size, no_cuda=True)
        trainer = AdversarialTrainer(model, BaseDataset(images.float() / 255, torch.zeros(len(images))), None, how)
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


def compare(images: torch.Tensor, hidden: int, batch_size: int, rounds: int) -> None:
    """Print every way's fastest round, and how many times the time of ``fit`` it takes: the median over rounds."""
    ways = {
        "naive loop, float32": lambda: naive(images, hidden, batch_size),
        "bare loop, auto": lambda: bare(images, hidden, batch_size),
        **({"pythae": lambda: peer(images, hidden, batch_size)} if pythae else {}),
        "fit, float32": lambda: library(images, hidden, batch_size, "float32"),
        "fit, auto": lambda: library(images, hidden, batch_size, "auto"),
    }
    turns = [{name: way() for name, way in ways.items()} for _ in range(rounds + 1)][1:]  # the first warms up
    print(f"784-{hidden}-{hidden}-8, batch {batch_size}, {torch.get_num_threads()} threads")
    for name in ways:
        ratio = statistics.median(turn[name] / turn["fit, auto"] for turn in turns)
        print(f"  {name:22} {1000 * min(turn[name] for turn in turns):7.2f} ms an update, {ratio:5.3f} x fit, auto")
    work = multiply_adds(hidden, batch_size)
    for name, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        print(f"  {'limit, ' + name:22} {1000 * work / product_speed(dtype):7.2f} ms for the matrix products alone")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hidden", type=int, nargs="+", default=[1000, 32])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--batch-size", type=int, default=100)
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    images = load("mnist").train.images
    images = images[: min(chosen.images, len(images)) // chosen.batch_size * chosen.batch_size]  # no batch half full
    for threads in chosen.threads:
        torch.set_num_threads(threads)
        for hidden in chosen.hidden:
            compare(images, hidden, chosen.batch_size, chosen.rounds)


if __name__ == "__main__":
    main()
