"""Where the nats of a Parzen estimate are lost: by the decoder, or where q(z) is not p(z).

    python tools/likelihood_gap.py --weight 5 --layers 3 --games 4

It trains an adversarial autoencoder whose encoder and decoder have one optimizer (WAE-GAN: ½ ‖x̂ − x‖² plus ``weight``
times the game), and judges pictures from three sets of codes by the same held-out images: draws of p(z); codes of other
held-out images, which are q(z); and draws of p(z) among which a *fresh* discriminator chose. It is trained when the
codes no longer move, so it says how well the two can be told apart, asked about other codes than it learnt from; and
its odds are q(z) / p(z), by which draws of p(z) become draws of what it takes for q(z). Only validation images are
scored.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from aae_lib import fit, load
from aae_lib.data import Dataset
from aae_lib.evaluation import DistanceToPrior, distance_to_prior, parzen_log_likelihood, sigma_search
from aae_lib.losses import half_squared_error, tell_apart
from aae_lib.networks import Discriminator, initialise
from aae_lib.pixels import as_float
from aae_lib.priors import Gaussian, Prior
from aae_lib.systems import Adam, WassersteinAutoencoder
from aae_lib.systems.base import Phase, System

SIGMAS = torch.logspace(-1.1, -0.5, 25).tolist()
RARE = 0.2  # a draw of p(z) where q(z) / p(z) is below this lies in a hole


class SlowerEncoder(WassersteinAutoencoder):
    """WAE-GAN whose discriminator takes ``games`` steps for one of the autoencoder."""

    def __init__(self, image_shape: tuple[int, int, int], *, games: int, **settings):
        super().__init__(image_shape, penalty="gan", **settings)
        self.games = games

    def phases(self) -> list[Phase]:
        first = super().phases()
        game = first[-1]
        again = [Phase(f"{game.name} {n}", game.loss, game.learns, game.name) for n in range(2, self.games + 1)]
        return [*first, *again]


@torch.no_grad()
def density_ratio(discriminator: Discriminator, z: Tensor) -> Tensor:
    """q(z) / p(z) of codes (N, Z): (N,), the odds of a discriminator that learnt as many codes (0) as draws (1)."""
    return (-discriminator(z)).exp().flatten()


def judge(
    codes: Tensor,
    other: Tensor,
    prior: Prior,
    *,
    hidden: Sequence[int] = (500,) * 3,
    updates: int = 4000,
    seed: int = 0,
) -> tuple[Discriminator, float]:
    """Let a fresh discriminator learn draws of ``prior`` (1) from ``codes`` (N, Z) (0).

    Returns it, and its accuracy on ``other`` codes and as many draws.
    """
    chance = torch.Generator().manual_seed(seed)
    network = Discriminator((prior.dim,), hidden=hidden)
    initialise(network, seed)
    optimizer = torch.optim.Adam(network.parameters(), 1e-3)
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [updates * 5 // 8, updates * 7 // 8], gamma=0.2)
    for _ in range(updates):
        fake = codes[torch.randint(len(codes), (250,), generator=chance)]  # (250, Z)
        loss = tell_apart(network, prior.sample(250, chance), fake, chance)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    draws = prior.sample(len(other), chance)
    right = torch.cat([density_ratio(network, other) > 1, density_ratio(network, draws) < 1])
    return network, float(right.float().mean())


@dataclass(frozen=True)
class Gap:
    """``nats`` of the scored images by where the codes of the pictures come from, and what else ``gap`` finds."""

    nats: dict[str, float]
    sigma: float
    pictures: int
    error: float
    distance: DistanceToPrior
    accuracy: float
    holes: float

    def table(self) -> str:
        """A line for each kind of number."""
        floor = self.distance.sliced_wasserstein_floor
        return (
            f"half squared error {self.error:.2f}, sliced Wasserstein {self.distance.sliced_wasserstein:.3f} "
            f"(floor {floor:.3f})\na fresh discriminator is right about {self.accuracy:.1%}; {self.holes:.1%} of draws "
            f"lie where q(z) is less than {RARE:g} p(z)\nnats of {self.pictures:,} pictures, σ {self.sigma:.3f}: "
        ) + ", ".join(f"{source} {nats:.1f}" for source, nats in self.nats.items())


def gap(system: System, data: Dataset, *, scored: int = 2000, seed: int = 0, **judged) -> Gap:
    """How well ``scored`` validation images, half of them at most, are explained, and by what. ``judged``: judge's."""
    scored = min(scored, len(data.validation) // 2)
    images, prior = data.validation.images[:scored], system.prior
    other = system.encode(data.validation.images[scored:], seed=seed)  # (N, Z)
    fresh, accuracy = judge(system.encode(data.train.images, seed=seed), other, prior, seed=seed, **judged)
    chance = torch.Generator().manual_seed(seed)
    draws = prior.sample(10 * len(other), chance)  # (10 N, Z)
    ratio = density_ratio(fresh, draws)
    # each is taken once, so that one of a huge ratio could not be met anyway
    chosen = draws[torch.multinomial(ratio.clamp(max=20), len(other), generator=chance)]
    codes = system.encode(data.validation.images[: 2 * scored], seed=seed)
    pictures = {
        "from p(z)": system.decode(draws[: len(other)]),
        "from q(z)": system.decode(other),
        "from p(z) as the discriminator chose": system.decode(chosen),
    }
    sigma = sigma_search(pictures["from p(z)"], images, SIGMAS).sigma
    nats = {name: float(parzen_log_likelihood(x, images, sigma=sigma).mean()) for name, x in pictures.items()}
    return Gap(
        nats,
        sigma,
        pictures=len(other),
        error=float(half_squared_error(system.decode(codes[:scored]), as_float(images))),
        distance=distance_to_prior(codes, prior),
        accuracy=accuracy,
        holes=float((ratio < RARE).float().mean()),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="mnist")
    parser.add_argument("--weight", type=float, default=1.0, help="of the game")
    parser.add_argument("--layers", type=int, default=2, help="hidden layers of the discriminator")
    parser.add_argument("--games", type=int, default=1, help="steps of the discriminator for one of the autoencoder")
    parser.add_argument("--rates", type=float, nargs=2, default=(1e-3, 1e-3), help="of autoencoder and discriminator")
    parser.add_argument("--hidden", type=int, default=500, help="units of all hidden layers")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    data = load(chosen.dataset)
    system = SlowerEncoder(
        data.image_shape,
        prior=Gaussian(8),
        games=chosen.games,
        weight=chosen.weight,
        hidden=(chosen.hidden,) * 2,
        discriminator_hidden=(chosen.hidden,) * chosen.layers,
        seed=chosen.seed,
    )
    drops = {max(1, chosen.epochs * 7 // 10): 8, max(2, chosen.epochs * 9 // 10): 4}
    steps = (Adam(rate, beta1=0.5, drops=drops) for rate in chosen.rates)
    optimizers = dict(zip(("autoencoder", "discriminator"), steps, strict=True))
    fit(system, data.train, epochs=chosen.epochs, optimizers=optimizers, seed=chosen.seed)
    print(gap(system, data).table())


if __name__ == "__main__":
    main()
