"""How soon a trained system is as good as pythae's adversarial autoencoder after 20 epochs.

    pip install pythae
    AAE_DATA=data python -m benchmarks.time_to_quality

All have the same networks, 784-1000-1000-8, and a Gaussian prior on MNIST. Quality is two numbers of 4,000 validation
images: half the squared error of reconstructions, and the sliced Wasserstein distance of their codes from draws of the
prior, which is what the game is for. ``fit`` has reached the quality when both are at most pythae's, at a look every
hundred updates; the looks do not count. Two systems of the library run for it:

- ``WassersteinAutoencoder`` of penalty "gan", which is pythae's: one optimizer moves encoder and decoder by the sum of
  reconstruction and game, what the paper alternates;
- of penalty "mmd": another system, whose q(z) no discriminator moves, but a distance that costs little.

They are not tuned alike. pythae has its own weight of the game, 0.5, and constant steps: its learning rates are 1e-3
(``--rate`` gives others; its default, 1e-4, is slower). ``fit``'s steps, larger ones that are divided on the way, were
found on the same validation images, in three trials for the game, in one for the MMD. So the ratio says what a user has
who knows of it, not which loop is faster; ``training_speed`` does.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time

import numpy as np
import torch
from torch import nn

from aae_lib import fit, load
from aae_lib.evaluation import distance_to_prior
from aae_lib.losses import half_squared_error
from aae_lib.pixels import as_float
from aae_lib.priors import Gaussian
from aae_lib.systems import Adam, WassersteinAutoencoder
from aae_lib.training import Moment

LATENT, LOOKED_AT = 8, 4000
WEIGHTS = {"gan": 1.0, "mmd": 10.0}  # of the penalties
STEPS = {
    "gan": {
        "autoencoder": Adam(2e-3, beta1=0.5, drops={8: 8}),
        "discriminator": Adam(1e-3, beta1=0.5, drops={8: 8}),
    },
    "mmd": {"autoencoder": Adam(2e-3, beta1=0.5, drops={5: 4, 6: 4})},
}


def build(hidden: int, penalty: str = "gan") -> WassersteinAutoencoder:
    widths = dict(hidden=(hidden, hidden), discriminator_hidden=(hidden, hidden))
    return WassersteinAutoencoder(
        (1, 28, 28), prior=Gaussian(LATENT), penalty=penalty, weight=WEIGHTS[penalty], **widths
    )


def quality(codes: torch.Tensor, reconstructions: torch.Tensor, images: torch.Tensor) -> tuple[float, float]:
    """Half the squared error an image, and the sliced Wasserstein distance of q(z) from the prior."""
    distance = distance_to_prior(codes, Gaussian(LATENT)).sliced_wasserstein
    return float(half_squared_error(reconstructions, as_float(images))), distance


def pythae_trainer(images: torch.Tensor, hidden: int, epochs: int, batch_size: int, rate: float, folder: str):
    """pythae's trainer of its adversarial autoencoder on ``images``, which writes to ``folder``."""
    from pythae.data.datasets import BaseDataset
    from pythae.models import Adversarial_AE, Adversarial_AE_Config
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseDiscriminator, BaseEncoder
    from pythae.trainers import AdversarialTrainer, AdversarialTrainerConfig

    def layers(*widths: int) -> list[nn.Module]:
        return [part for pair in itertools.pairwise(widths) for part in (nn.Linear(*pair), nn.ReLU())][:-1]

    class Encoder(BaseEncoder):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(nn.Flatten(), *layers(784, hidden, hidden, LATENT))

        def forward(self, x):
            z = self.body(x)
            return ModelOutput(embedding=z, log_covariance=torch.zeros_like(z))

    class Decoder(BaseDecoder):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(*layers(LATENT, hidden, hidden, 784), nn.Sigmoid(), nn.Unflatten(1, (1, 28, 28)))

        def forward(self, z):
            return ModelOutput(reconstruction=self.body(z))

    class Critic(BaseDiscriminator):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(*layers(LATENT, hidden, hidden, 1), nn.Sigmoid())

        def forward(self, z):
            return ModelOutput(embedding=self.body(z))

    torch.manual_seed(0)
    settings = Adversarial_AE_Config(input_dim=(1, 28, 28), latent_dim=LATENT, deterministic_posterior=True)
    how = AdversarialTrainerConfig(
        output_dir=folder,
        num_epochs=epochs,
        per_device_train_batch_size=batch_size,
        autoencoder_learning_rate=rate,
        discriminator_learning_rate=rate,
        no_cuda=True,
    )
    data = BaseDataset(as_float(images), torch.zeros(len(images)))
    model = Adversarial_AE(settings, Encoder(), Decoder(), Critic())
    return AdversarialTrainer(model, train_dataset=data, training_config=how)


def pythae(train: torch.Tensor, held_out: torch.Tensor, hidden: int, epochs: int, batch_size: int, rate: float):
    """Train pythae's adversarial autoencoder: (seconds, updates, quality)."""
    with tempfile.TemporaryDirectory() as folder:
        trainer = pythae_trainer(train, hidden, epochs, batch_size, rate, folder)
        began = time.perf_counter()
        trainer.train()
        seconds = time.perf_counter() - began
    model = trainer.model.eval()
    with torch.no_grad():
        z = model.encoder(as_float(held_out)).embedding
        found = quality(z, model.decoder(z).reconstruction, held_out)
    return seconds, epochs * (len(train) // batch_size), found


class Reached:
    """Callback that ends the training where the quality is reached, and leaves its own time out."""

    every = 100

    def __init__(self, held_out: torch.Tensor, target: tuple[float, float]):
        self.held_out, self.target, self.looking, self.found = held_out, target, 0.0, []

    def __call__(self, moment: Moment) -> None:
        began = time.perf_counter()
        system = moment.system
        codes = system.encode(self.held_out, seed=0)
        found = quality(codes, system.decode(codes), self.held_out)
        self.found.append((moment.update, *found))
        if moment.update and all(np.less_equal(found, self.target)):
            moment.stop()
        self.looking += time.perf_counter() - began


def library(
    train: torch.Tensor,
    held_out: torch.Tensor,
    hidden: int,
    epochs: int,
    batch_size: int,
    target: tuple[float, float],
    penalty: str,
):
    """Train with ``fit`` until ``target`` is reached: (seconds, updates, all that was seen, whether it was reached)."""
    looks = Reached(held_out, target)
    began = time.perf_counter()
    history = fit(
        build(hidden, penalty),
        train,
        epochs=epochs,
        batch_size=batch_size,
        optimizers=STEPS[penalty],
        callbacks=[looks],
        progress=False,
    )
    return time.perf_counter() - began - looks.looking, history.update, looks.found, history.interrupted


def rows(
    hidden: int = 1000, epochs: int = 20, batch_size: int = 100, images: int | None = None, rate: float = 1e-3
) -> list[tuple]:
    """Rows of the table: what, the library's figure, pythae's, the ratio."""
    data = load("mnist")
    train, held_out = data.train.images[:images], data.validation.images[:LOOKED_AT]
    theirs, their_updates, target = pythae(train, held_out, hidden, epochs, batch_size, rate)
    error, distance = target
    goal = f"time to quality: error {error:.1f}, sliced Wasserstein {distance:.3f}"
    against = f"pythae, {epochs} epochs: {theirs:.0f} s, {their_updates:,}"
    table = []
    for penalty in STEPS:
        ours, updates, found, reached = library(train, held_out, hidden, epochs, batch_size, target, penalty)
        mine = f"{ours:.0f} s, {updates:,} updates" if reached else f"not in {ours:.0f} s: {found[-1]}"
        ratio = f"{theirs / ours:.1f} times sooner" if reached else "–"
        table.append((goal, f"WAE-{penalty.upper()}: {mine}", against, ratio))
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hidden", type=int, default=1000)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--images", type=int, help="train on fewer: for a trial of this script")
    parser.add_argument("--rate", type=float, default=1e-3, help="pythae's learning rates")
    chosen = parser.parse_args()
    for row in rows(chosen.hidden, chosen.epochs, images=chosen.images, rate=chosen.rate):
        print(" | ".join(row))


if __name__ == "__main__":
    main()
