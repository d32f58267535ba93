"""Parzen windows: a density, exact, in chunks; σ from validation images only."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sklearn.neighbors import KernelDensity

from aae_lib import load
from aae_lib.evaluation import (
    Samples,
    choose_sigma,
    mean_and_standard_error,
    parzen,
    parzen_log_likelihood,
    sigma_search,
)
from aae_lib.priors import Gaussian
from aae_lib.systems import AdversarialAutoencoder


def random_images(count: int, shape: tuple, seed: int = 0) -> torch.Tensor:
    return torch.rand(count, *shape, generator=torch.Generator().manual_seed(seed))


def by_scikit_learn(samples: torch.Tensor, images: torch.Tensor, sigma: float) -> torch.Tensor:
    # One leaf holds all samples, so that every distance is computed: bounds of the tree are off by hundreds of nats.
    density = KernelDensity(bandwidth=sigma, leaf_size=len(samples) + 1).fit(samples.flatten(1).double())
    return torch.from_numpy(density.score_samples(images.flatten(1).double()))


@pytest.mark.parametrize("sigma", [0.1, 0.5])
def test_it_is_a_density(sigma):
    samples = random_images(7, (2,))
    axis = torch.linspace(-2, 3, 401)
    plane = torch.cartesian_prod(axis, axis)
    mass = parzen_log_likelihood(samples, plane, sigma=sigma).exp().sum() * (axis[1] - axis[0]) ** 2
    assert float(mass) == pytest.approx(1, abs=1e-3)


def test_one_window_by_hand():
    found = parzen_log_likelihood(torch.zeros(1, 3), torch.tensor([[0.0, 3.0, 4.0]]), sigma=2.0)
    assert float(found) == pytest.approx(-25 / 8 - 3 * math.log(2 * math.sqrt(2 * math.pi)))


@pytest.mark.parametrize("shape", [(1, 28, 28), (1, 48, 48)])
@pytest.mark.parametrize("sigma", [0.05, 0.1, 0.2, 1.0])
def test_it_agrees_with_scikit_learn_to_a_thousandth_of_a_nat(shape, sigma):
    samples = random_images(300, shape)
    images = (samples[:40] + 0.05 * torch.randn(40, *shape, generator=torch.Generator().manual_seed(1))).clamp(0, 1)
    found = parzen_log_likelihood(samples, images, sigma=sigma)
    assert float((found - by_scikit_learn(samples, images, sigma)).abs().max()) < 1e-3


def test_images_far_from_all_samples_have_a_finite_log_likelihood():
    found = parzen_log_likelihood(torch.zeros(5, 1000), torch.ones(2, 1000), sigma=0.02)
    assert found.tolist() == pytest.approx([-1000 / 0.0008 - 1000 * math.log(0.02 * math.sqrt(2 * math.pi))] * 2)


def test_chunks_order_and_type_change_nothing(monkeypatch):
    data = load("digits")
    samples, images = data.train.images[:500], data.test.images[:50]
    whole = parzen_log_likelihood(samples, images, sigma=0.2)
    for other in (samples.float() / 255, samples.numpy(), samples.flip(0), samples.split(70), iter(samples.split(70))):
        torch.testing.assert_close(parzen_log_likelihood(other, images, sigma=0.2), whole)
    torch.testing.assert_close(parzen_log_likelihood(samples, images.float() / 255, sigma=0.2), whole)
    monkeypatch.setattr(parzen, "TILE", 3 * len(images))
    torch.testing.assert_close(parzen_log_likelihood(samples, images, sigma=0.2), whole)


def test_memory_is_bounded_by_the_tile(monkeypatch):
    largest, addmm = [], torch.addmm
    monkeypatch.setattr(torch, "addmm", lambda *args, **kw: largest.append(addmm(*args, **kw)) or largest[-1])
    monkeypatch.setattr(parzen, "TILE", 1000)
    parzen_log_likelihood(random_images(5000, (4,)), random_images(50, (4,)), sigma=0.2)
    assert max(tile.numel() for tile in largest) <= 1000 and sum(tile.numel() for tile in largest) == 5000 * 50


def test_sigma_is_the_likeliest_of_the_grid():
    data = load("digits")
    samples, validation = data.train.images[:400], data.validation.images
    grid = np.logspace(-2, 0, 15)
    search = sigma_search(samples, validation, grid)
    each = [float(parzen_log_likelihood(samples, validation, sigma=sigma).mean()) for sigma in grid]
    assert search.log_likelihoods == pytest.approx(each)
    assert (
        search.sigma
        == pytest.approx(grid[int(np.argmax(each))])
        == choose_sigma(iter(samples.split(90)), validation, grid)
    )


@pytest.mark.parametrize(("grid", "edge"), [([0.5, 1.0, 2.0], "lower"), ([0.001, 0.002, 0.003], "upper")])
def test_the_edge_of_the_grid_is_refused(grid, edge):
    data = load("digits")
    with pytest.raises(ValueError, match=f"{edge} edge.*widen"):
        choose_sigma(data.train.images[:400], data.validation.images, grid)


def test_the_standard_error_by_hand():
    assert mean_and_standard_error(torch.tensor([1.0, 2.0, 3.0, 6.0])) == pytest.approx((3, math.sqrt(14 / 3) / 2))


def test_samples_of_a_system_come_in_chunks_and_the_same_again():
    system = AdversarialAutoencoder((1, 4, 4), prior=Gaussian(2), hidden=(8,))
    samples = Samples(system, 25, seed=3, chunk=10)
    first = list(samples)
    assert [len(chunk) for chunk in first] == [10, 10, 5] and len(samples) == 3
    assert not torch.equal(first[0], first[1])
    assert all(torch.equal(one, other) for one, other in zip(first, samples, strict=True))
    assert not torch.equal(first[0], next(iter(Samples(system, 25, seed=4, chunk=10))))
