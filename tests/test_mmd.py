"""Kernels and the maximum mean discrepancy: closed forms, signs, gradients, one scale for both kernels."""

import math

import pytest
import torch

from aae_lib.evaluation import mmd
from aae_lib.mmd import KERNELS, SCALES, kernel_values, kernel_widths, squared_distances, squared_mmd, unbiased_mmd

each_kernel = pytest.mark.parametrize("kernel", KERNELS)


def normal(count: int, dim: int = 2, seed: int = 0) -> torch.Tensor:
    return torch.randn(count, dim, generator=torch.Generator().manual_seed(seed))


def by_hand(kernel: str, squared: float, dim: int, sigma: float) -> float:
    widths = [2 * dim * sigma**2 * scale for scale in (0.1, 0.2, 0.5, 1, 2, 5, 10)]
    if kernel == "imq":
        return sum(width / (width + squared) for width in widths)
    return sum(math.exp(-squared / width) for width in widths)


def value(kernel: str, squared: float, width: float) -> float:
    (found,) = kernel_values(torch.tensor([squared], dtype=torch.float64), [width], kernel)
    return found.item()


class TestKernels:
    def test_the_middle_width_is_the_mean_squared_distance_of_the_priors_draws(self):
        squared = squared_distances(3 * normal(2000, 8), 3 * normal(2000, 8, seed=1))
        assert dict(zip(SCALES, kernel_widths(8, 3.0), strict=True))[1.0] == pytest.approx(
            float(squared.mean()), rel=0.02
        )

    @each_kernel
    @pytest.mark.parametrize("width", [0.3, 7.0])
    def test_1_at_distance_0_and_from_there_down_with_slope_one_over_the_width(self, kernel, width):
        assert value(kernel, 0.0, width) == 1
        step = 1e-6 * width
        assert (value(kernel, step, width) - 1) / step == pytest.approx(-1 / width, rel=1e-5)

    def test_far_away_the_gaussian_has_vanished_and_the_inverse_multiquadratic_has_not(self):
        assert value("rbf", 100.0, 1.0) < 1e-40
        assert value("imq", 100.0, 1.0) == pytest.approx(1 / 101)

    def test_distances(self):
        first, second = torch.tensor([[0.0, 0.0], [3.0, 4.0]]), torch.tensor([[0.0, 1.0]])
        torch.testing.assert_close(squared_distances(first, second), torch.tensor([[1.0], [18.0]]))

    def test_distances_keep_float32_under_autocast(self):
        points = normal(50, 3) + 100
        with torch.autocast("cpu", torch.bfloat16):
            rounded = squared_distances(points, points)
        torch.testing.assert_close(
            rounded, squared_distances(points.double(), points.double()).float(), atol=0.05, rtol=0
        )


class TestUnbiased:
    @each_kernel
    def test_two_points_against_two_points(self, kernel):
        first = torch.tensor([[0.0, 0.0], [1.0, 0.0]])
        second = torch.tensor([[0.0, 3.0], [0.0, 5.0]])
        within = by_hand(kernel, 1, 2, 1.5) + by_hand(kernel, 4, 2, 1.5)
        across = sum(by_hand(kernel, squared, 2, 1.5) for squared in (9, 25, 10, 26)) / 4
        found = unbiased_mmd(first, second, scale=1.5, kernel=kernel)
        assert found.item() == pytest.approx(within - 2 * across, abs=1e-5)

    @each_kernel
    def test_0_on_average_for_one_distribution_and_often_negative(self, kernel):
        scores = torch.stack(
            [
                unbiased_mmd(normal(50, seed=2 * i), normal(50, seed=2 * i + 1), scale=1, kernel=kernel)
                for i in range(200)
            ]
        )
        assert abs(scores.mean()) < 4 * scores.std() / len(scores) ** 0.5
        assert 0.25 < (scores < 0).float().mean() < 0.75

    @each_kernel
    def test_it_grows_with_the_shift(self, kernel):
        prior = normal(300, seed=1)
        scores = [unbiased_mmd(normal(300) + shift, prior, scale=1, kernel=kernel).item() for shift in (0.3, 1.0, 3.0)]
        assert 0 < scores[0] < scores[1] < scores[2] < 2 * len(SCALES)

    @each_kernel
    def test_gradient_against_finite_differences(self, kernel):
        first, second = normal(4, 3).double().requires_grad_(), normal(5, 3, seed=1).double()
        assert torch.autograd.gradcheck(lambda z: unbiased_mmd(z, second, scale=1.0, kernel=kernel), first)

    def test_a_step_along_the_gradient_pulls_codes_towards_the_prior(self):
        z = (normal(100) + 2).requires_grad_()
        unbiased_mmd(z, normal(100, seed=1), scale=1).backward()
        assert (z.grad.mean(dim=0) > 0).all()

    @each_kernel
    def test_the_measure_of_trained_systems_is_the_same(self, kernel):
        first, second = normal(700, 3), 0.8 * normal(600, 3, seed=1)  # several blocks
        expected = unbiased_mmd(first.double(), second.double(), scale=1.3, kernel=kernel)
        assert mmd(first, second, scale=1.3, kernel=kernel) == pytest.approx(expected.item(), abs=1e-6)


class TestBiased:
    def test_it_pairs_points_with_themselves_so_it_is_never_negative(self):
        scores = [squared_mmd(normal(20, seed=2 * i), normal(20, seed=2 * i + 1), (0.5, 1)).item() for i in range(20)]
        assert min(scores) > 0

    def test_of_the_gaussian_kernel_of_its_bandwidths(self):
        x, y = normal(20), normal(30, seed=1) + 0.5

        def gaussian(a, b):
            return sum((-torch.cdist(a, b).square() / (2 * bandwidth**2)).exp().mean() for bandwidth in (1.0, 3.0))

        expected = gaussian(x, x) + gaussian(y, y) - 2 * gaussian(x, y)
        torch.testing.assert_close(squared_mmd(x, y, (1.0, 3.0)), expected, atol=1e-6, rtol=1e-5)


class TestBadInput:
    def test_one_code(self):
        with pytest.raises(ValueError, match="second has 1 codes, but a mean over pairs needs at least 2"):
            unbiased_mmd(normal(5), normal(1), scale=1)

    @pytest.mark.parametrize("measure", [unbiased_mmd, mmd])
    def test_unknown_kernel(self, measure):
        with pytest.raises(ValueError, match="kernel is 'rfb', which is unknown; did you mean 'rbf'"):
            measure(normal(5), normal(5), scale=1, kernel="rfb")

    @pytest.mark.parametrize("measure", [unbiased_mmd, mmd])
    @pytest.mark.parametrize("scale", [0, -1.0])
    def test_scale_that_is_none(self, measure, scale):
        with pytest.raises(ValueError, match="scale must be above 0"):
            measure(normal(5), normal(5), scale=scale)
