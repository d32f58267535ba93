"""The diagnosis of Table 1's missing nats: a fresh discriminator finds holes that were put there, and no others."""

import math
from dataclasses import replace

import pytest
import torch

from aae_lib import load
from aae_lib.priors import Gaussian
from tools.likelihood_gap import RARE, SlowerEncoder, density_ratio, gap, judge

PRIOR = Gaussian(2)
QUICK = dict(hidden=(64, 64), updates=300)


def codes(count: int, seed: int, hole: bool) -> torch.Tensor:
    """Draws of the prior; with a ``hole`` only those on the right: half of its mass is missing."""
    z = PRIOR.sample(count, torch.Generator().manual_seed(seed))
    return torch.stack([z[:, 0].abs(), z[:, 1]], dim=1) if hole else z


@pytest.mark.parametrize(("hole", "accuracy"), [(False, 0.5), (True, 0.75)], ids=["the prior itself", "half of it"])
def test_a_fresh_discriminator_is_right_about_what_can_be_told_apart(hole, accuracy):
    """Of half the prior all codes and half of the draws are on the right: who says "code" there is right for 3/4."""
    fresh, found = judge(codes(4000, 1, hole), codes(4000, 2, hole), PRIOR, **QUICK)
    assert found == pytest.approx(accuracy, abs=0.03)
    rare = (density_ratio(fresh, codes(4000, 3, False)) < RARE).float().mean()
    assert float(rare) == pytest.approx(0.5 if hole else 0.0, abs=0.05)


def test_the_ratio_is_that_of_the_densities():
    fresh, _ = judge(codes(4000, 1, True), codes(4000, 2, True), PRIOR, **QUICK)
    inside = torch.tensor([[0.7, 0.0], [1.0, 0.5], [1.0, -0.5]])
    assert density_ratio(fresh, inside).tolist() == pytest.approx([2.0] * 3, rel=0.35)


def test_the_discriminator_takes_its_further_steps_with_one_optimizer():
    system = SlowerEncoder((1, 8, 8), games=3, prior=Gaussian(2), hidden=(8,), discriminator_hidden=(8,))
    autoencoder, first, *again = system.phases()
    assert autoencoder.name == "autoencoder" and len(again) == 2
    assert all(phase.optimizer == first.name and phase.learns == first.learns for phase in again)


def test_pictures_from_q_explain_what_those_of_a_prior_with_holes_waste():
    """Where the codes are, pictures are grey like the images; in the hole black: half of the draws, so ln 2 nats."""
    data = load("digits")
    grey = 179 + 30 * torch.randn(data.validation.images.shape, generator=torch.Generator().manual_seed(0))
    data = replace(data, validation=replace(data.validation, images=grey.clamp(0, 255).byte()))

    class Half(SlowerEncoder):
        def encode(self, images, **_):
            return codes(len(images), len(images), True)

        def decode(self, z):
            return 0.7 * (z[:, :1, None, None] > 0).float().expand(-1, 1, 8, 8)

    found = gap(Half((1, 8, 8), games=1, prior=PRIOR, hidden=(8,), discriminator_hidden=(8,)), data, **QUICK)
    from_p, from_q, chosen = found.nats.values()
    assert from_q - from_p == pytest.approx(math.log(2), abs=0.2)
    assert chosen == pytest.approx(from_q, abs=0.1) and found.holes == pytest.approx(0.5, abs=0.1)
    assert found.sigma == pytest.approx(30 / 255, abs=0.01)
    assert found.error == pytest.approx(64 / 2 * (30 / 255) ** 2, rel=0.1)
    assert "a fresh discriminator is right about 7" in found.table()
