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
    # One leaf holds all samples, so that every distance is computed. With more leaves scikit-learn subtracts bounds of
    # whole branches from each other, and what is left of them in so many dimensions is off by thousands of nats.
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


def test_the_farther_windows_count_until_they_no_longer_matter():
    """Beside one window at distance 0, a thousand at a distance where each adds e^-4: a sum of 1 + 1000 e^-4."""
    sigma, far = 0.1, 0.1 * math.sqrt(8)
    samples = torch.cat([torch.zeros(1, 1), torch.full((1000, 1), far), torch.full((5000, 1), 60 * far)])
    found = parzen_log_likelihood(samples, torch.zeros(1, 1), sigma=sigma)
    expected = math.log((1 + 1000 * math.exp(-4)) / 6001) - math.log(sigma * math.sqrt(2 * math.pi))
    assert float(found) == pytest.approx(expected, abs=1e-6)


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
    largest.clear()
    parzen_log_likelihood(random_images(300, (100,)), random_images(2, (100,)), sigma=0.2)
    assert max(tile.shape[1] for tile in largest) * 100 <= 1000  # few images: the samples' own pixels are the bound


def test_sigma_is_the_likeliest_of_the_grid():
    data = load("digits")
    samples, validation = data.train.images[:400], data.validation.images
    grid = np.logspace(-2, 0, 15)
    search = sigma_search(samples, validation, grid)
    each = [float(parzen_log_likelihood(samples, validation, sigma=sigma).mean()) for sigma in grid]
    assert search.log_likelihoods == pytest.approx(each)
    assert search.sigma == grid[int(np.argmax(each))]
    assert choose_sigma(iter(samples.split(90)), validation, grid) == search.sigma


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


@pytest.mark.parametrize("count, chunk, seed", [(0, 10, 0), (10, 0, 0), (10, 10, -1), (2.5, 10, 0)])
def test_samples_in_numbers_that_cannot_be_are_refused(count, chunk, seed):
    with pytest.raises((ValueError, TypeError), match=r"count|chunk|seed"):
        Samples(AdversarialAutoencoder((1, 4, 4), prior=Gaussian(2), hidden=(8,)), count, seed=seed, chunk=chunk)


@pytest.mark.parametrize(
    ("samples", "error", "says"),
    [
        (None, TypeError, "iterable of such chunks"),
        (torch.ones(3, 2, dtype=torch.int64), TypeError, "uint8"),
        (torch.ones(0, 2), ValueError, "at least 1"),
        ([torch.ones(3, 2), torch.full((1, 2), math.inf)], ValueError, "infinite"),
        ([torch.ones(3, 2), torch.ones(3, 3)], ValueError, r"\(3,\), but images has \(2,\)"),
    ],
)
def test_samples_that_are_no_images_are_refused(samples, error, says):
    with pytest.raises(error, match=says):
        parzen_log_likelihood(samples, torch.zeros(4, 2), sigma=0.1)


def test_progress_counts_chunks_where_their_number_is_known(capsys):
    images = torch.zeros(4, 2)
    shown = {}
    for name, samples in {"list": [images] * 3, "generator": (images for _ in range(3))}.items():
        parzen_log_likelihood(samples, images, sigma=0.1, progress=True)
        shown[name] = "".join(capsys.readouterr())  # a notebook's bar is on stdout
    assert "3/3 chunks" in shown["list"] and "3/? chunks" in shown["generator"]
    parzen_log_likelihood([images] * 3, images, sigma=0.1)
    assert "".join(capsys.readouterr()) == ""
