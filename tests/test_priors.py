"""Priors: the moments and regions of their draws, densities against draws and torch.distributions, refusals."""

import json
import math
from dataclasses import FrozenInstanceError

import pytest
import torch
from torch import distributions

from aae_lib.priors import (
    PRIORS,
    Categorical,
    Gaussian,
    GaussianMixture,
    Prior,
    SwissRoll,
    Uniform,
    as_prior,
    prior_from_settings,
)

ALL = [Gaussian(3, std=5.0), Uniform(2, low=-1.0, high=3.0), GaussianMixture(), SwissRoll(), Categorical(4)]
WITH_CLASSES = [GaussianMixture(), GaussianMixture(components=6), SwissRoll(), Categorical(4)]
PLANAR_DENSITIES = [
    Gaussian(2),
    Gaussian(2, std=0.5),
    Uniform(2),
    Uniform(2, low=0.0, high=2.5),
    GaussianMixture(),
    GaussianMixture(components=3, shift=2.0, std=(0.6, 0.3)),
]

by_repr = pytest.mark.parametrize("prior", ALL, ids=repr)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def close(actual: torch.Tensor, expected: object, tolerance: float) -> None:
    torch.testing.assert_close(actual, torch.as_tensor(expected, dtype=actual.dtype), atol=tolerance, rtol=0)


def grid(low: float, high: float, steps: int) -> tuple[torch.Tensor, float]:
    """Midpoints (steps², 2) of equal cells of a square, and a cell's area."""
    width = (high - low) / steps
    middle = low + width * (torch.arange(steps, dtype=torch.float64) + 0.5)
    return torch.cartesian_prod(middle, middle), width**2


class TestEveryPrior:
    @by_repr
    def test_draws_have_the_prior_s_shape_and_type(self, prior):
        z = prior.sample(7, seeded())
        assert z.shape == (7, prior.dim)
        assert z.dtype == torch.float32

    @by_repr
    def test_seed_decides_the_draws(self, prior):
        assert torch.equal(prior.sample(50, seeded(1)), prior.sample(50, seeded(1)))
        assert not torch.equal(prior.sample(50, seeded(1)), prior.sample(50, seeded(2)))

    @by_repr
    def test_generator_goes_on_from_draw_to_draw(self, prior):
        generator = seeded()
        assert not torch.equal(prior.sample(50, generator), prior.sample(50, generator))

    @by_repr
    def test_global_generator_is_left_alone(self, prior):
        before = torch.get_rng_state()
        prior.sample(5, seeded())
        if prior.classes:
            prior.sample_labelled(5, seeded())
        assert torch.equal(before, torch.get_rng_state())

    @by_repr
    def test_settings_are_json_and_give_the_same_prior(self, prior):
        settings = json.loads(json.dumps(prior.to_settings()))
        rebuilt = prior_from_settings(settings)
        assert rebuilt == prior
        assert type(rebuilt) is type(prior)
        assert torch.equal(rebuilt.sample(9, seeded()), prior.sample(9, seeded()))

    @by_repr
    def test_is_frozen_and_hashable(self, prior):
        assert len({prior, prior_from_settings(prior.to_settings())}) == 1
        with pytest.raises(FrozenInstanceError):
            prior.dim = 9

    @by_repr
    @pytest.mark.parametrize(("count", "error"), [(0, ValueError), (-1, ValueError), (2.0, TypeError)])
    def test_wrong_count_is_refused(self, prior, count, error):
        with pytest.raises(error, match="count must be"):
            prior.sample(count, seeded())

    def test_equality_is_that_of_settings(self):
        assert Gaussian(2) == Gaussian(2, std=1.0)
        assert Gaussian(2) != Gaussian(3)
        assert Gaussian(2) != Gaussian(2, std=2.0)
        assert GaussianMixture() != GaussianMixture(shift=2.0)
        assert Gaussian(2) != Uniform(2)

    def test_all_are_registered(self):
        assert set(PRIORS) == {prior.__name__ for prior in Prior.__subclasses__()}


class TestGaussian:
    def test_moments(self):
        z = Gaussian(3, std=5.0).sample(50_000, seeded())
        close(z.mean(dim=0), [0.0, 0.0, 0.0], 0.1)
        close(torch.cov(z.T), 25 * torch.eye(3), 0.6)

    def test_density_is_that_of_torch(self):
        z = 3 * torch.randn(20, 3, generator=seeded())
        expected = distributions.MultivariateNormal(torch.zeros(3), 4 * torch.eye(3)).log_prob(z)
        torch.testing.assert_close(Gaussian(3, std=2.0).log_prob(z), expected)


class TestUniform:
    def test_moments_and_bounds(self):
        z = Uniform(2, low=-1.0, high=3.0).sample(50_000, seeded())
        assert z.min() >= -1
        assert z.max() <= 3
        close(z.mean(dim=0), [1.0, 1.0], 0.03)
        close(torch.cov(z.T), 16 / 12 * torch.eye(2), 0.03)

    def test_density_is_that_of_torch_inside_and_zero_outside(self):
        prior = Uniform(3, low=0.0, high=2.0)
        z = prior.sample(10, seeded())
        expected = distributions.Independent(distributions.Uniform(torch.zeros(3), 2 * torch.ones(3)), 1).log_prob(z)
        torch.testing.assert_close(prior.log_prob(z), expected)
        assert prior.log_prob(torch.tensor([[1.0, 1.0, 2.1]])).item() == -math.inf

    def test_bounds_in_the_wrong_order_are_refused(self):
        with pytest.raises(ValueError, match="low must be below high, but low is 1"):
            Uniform(2, low=1.0, high=-1.0)


class TestGaussianMixture:
    @pytest.mark.parametrize("prior", [GaussianMixture(), GaussianMixture(components=4, shift=3.0, std=(0.2, 0.7))])
    def test_component_k_lies_stretched_at_its_angle(self, prior):
        for component in range(prior.components):
            labels = torch.full((20_000,), component)
            z = prior.sample(20_000, seeded(component), labels)
            angle = 2 * math.pi * component / prior.components
            cos, sin = math.cos(angle), math.sin(angle)
            close(z.mean(dim=0), [prior.shift * cos, prior.shift * sin], 0.03)
            turned_back = z @ torch.tensor([[cos, -sin], [sin, cos]])  # along the radius, across it
            along, across = prior.std
            close(torch.cov(turned_back.T), [[along**2, 0.0], [0.0, across**2]], 0.015)

    def test_components_are_equally_likely(self):
        _, labels = GaussianMixture().sample_labelled(20_000, seeded())
        close(labels.bincount(minlength=10) / 20_000, [0.1] * 10, 0.01)

    def test_unlabelled_draws_come_from_all_components(self):
        z = GaussianMixture(shift=5.0).sample(20_000, seeded())  # so far apart that the angle tells the component
        nearest = (torch.atan2(z[:, 1], z[:, 0]) * 10 / (2 * math.pi)).round().long() % 10
        close(nearest.bincount(minlength=10) / 20_000, [0.1] * 10, 0.01)

    def test_density_is_that_of_torch(self):
        prior = GaussianMixture(components=5, shift=2.0, std=(0.6, 0.3))
        angle = 2 * math.pi * torch.arange(5) / 5
        rotation = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], dim=1).reshape(5, 2, 2)
        covariance = rotation @ torch.diag(torch.tensor([0.36, 0.09])) @ rotation.mT
        parts = distributions.MultivariateNormal(2 * torch.stack([angle.cos(), angle.sin()], dim=1), covariance)
        mixture = distributions.MixtureSameFamily(distributions.Categorical(torch.ones(5)), parts)
        z = 2 * torch.randn(50, 2, generator=seeded())
        torch.testing.assert_close(prior.log_prob(z), mixture.log_prob(z), atol=1e-4, rtol=1e-4)

    @pytest.mark.parametrize("std", [(0.5,), (0.5, 0.1, 0.1), 0.5])
    def test_std_must_be_two_numbers(self, std):
        with pytest.raises((TypeError, ValueError), match="std must be two numbers"):
            GaussianMixture(std=std)


class TestSwissRoll:
    def test_radius_tells_the_position_and_the_position_the_angle(self):
        z = SwissRoll().sample(20_000, seeded())
        radius = z.norm(dim=1)
        u = (radius / 3).square()
        close(u.mean(), 1 / 2, 0.01)  # u is uniform on [0, 1)
        close(u.var(), 1 / 12, 0.005)
        assert radius.max() <= 3
        angle = 4 * math.pi * u.sqrt()
        close(z, torch.stack([radius * angle.cos(), radius * angle.sin()], dim=1), 1e-3)

    def test_class_k_owns_the_kth_tenth(self):
        roll = SwissRoll()
        z, labels = roll.sample_labelled(20_000, seeded())
        u = (z.norm(dim=1) / 3).square()
        for k in range(10):
            mine = u[labels == k]
            assert mine.min() >= k / 10 - 1e-5
            assert mine.max() < (k + 1) / 10 + 1e-5
            close(mine.mean(), (k + 0.5) / 10, 0.003)

    def test_at_walks_from_the_centre_to_the_outer_end(self):
        z = SwissRoll().at(torch.tensor([0.0, 0.25, 1.0]))
        close(z, [[0.0, 0.0], [1.5, 0.0], [3.0, 0.0]], 1e-5)  # two turns: angles 0, 2π and 4π


class TestCategorical:
    def test_draws_are_one_hot_and_equally_likely(self):
        z = Categorical(4).sample(20_000, seeded())
        assert torch.equal(z.sum(dim=1), torch.ones(20_000))
        assert set(z.unique().tolist()) == {0, 1}
        close(z.mean(dim=0), [0.25] * 4, 0.015)

    def test_label_is_the_place_of_the_one(self):
        z, labels = Categorical(4).sample_labelled(100, seeded())
        assert torch.equal(z.argmax(dim=1), labels)


class TestNearest:
    @pytest.mark.parametrize("prior", WITH_CLASSES, ids=repr)
    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    def test_draws_lie_in_the_region_they_came_from(self, prior, dtype):
        z, labels = prior.sample_labelled(2000, seeded())
        assert float((prior.nearest(z.to(dtype)) == labels).float().mean()) > 0.98

    def test_mixture_by_hand(self):
        z = torch.tensor([[1.4, 0.0], [9.0, 0.1], [0.0, 0.3], [-0.2, 0.0]])  # angles 0, 0, 90 and 180 degrees
        assert GaussianMixture(components=4).nearest(z).tolist() == [0, 0, 1, 2]

    def test_swiss_roll_takes_the_nearest_point_of_the_roll_not_the_nearest_radius(self):
        middles = SwissRoll().at((torch.arange(10) + 0.5) / 10)
        assert SwissRoll().nearest(middles + 0.1).tolist() == list(range(10))
        # To the right the roll passes 0, 1.5 and 3. At 2.3 the outer end, class 9, is nearer; class 5 has radius 2.3.
        assert SwissRoll().nearest(torch.tensor([[2.3, -0.01]])).tolist() == [9]

    def test_what_has_no_regions_or_another_dimension_is_refused(self):
        with pytest.raises(ValueError, match="no regions"):
            Gaussian(2).nearest(torch.zeros(4, 2))
        with pytest.raises(ValueError, match=r"z must have shape \(N, 2\)"):
            SwissRoll().nearest(torch.zeros(4, 3))


class TestDensities:
    @pytest.mark.parametrize("prior", PLANAR_DENSITIES, ids=repr)
    def test_integrates_to_one(self, prior):
        points, area = grid(-8, 8, 640)
        assert float(prior.log_prob(points).exp().sum() * area) == pytest.approx(1, abs=1e-3)

    @pytest.mark.parametrize("prior", PLANAR_DENSITIES, ids=repr)
    def test_agrees_with_a_histogram_of_draws(self, prior):
        fine, area = grid(-4, 4, 640)  # 640 / 20: exactly 32 × 32 fine cells make a bin
        mass = (prior.log_prob(fine).exp() * area).reshape(20, 32, 20, 32).sum(dim=(1, 3))  # (20, 20)
        count = 50_000
        z = prior.sample(count, seeded())
        histogram, _ = torch.histogramdd(z, bins=[20, 20], range=[-4, 4, -4, 4])
        full = mass * count > 10
        excess = (histogram - mass * count)[full].square() / (mass * count)[full]
        bins = int(full.sum())
        assert float(excess.sum()) < bins + 5 * math.sqrt(2 * bins)  # χ², mean bins and variance 2 bins

    @pytest.mark.parametrize("prior", [SwissRoll(), Categorical(3)], ids=repr)
    def test_without_one_log_prob_is_refused(self, prior):
        assert not prior.has_density
        with pytest.raises(ValueError, match=f"prior {type(prior).__name__}.*has no density"):
            prior.log_prob(prior.sample(3, seeded()))

    @pytest.mark.parametrize("prior", PLANAR_DENSITIES[::2], ids=repr)
    def test_codes_of_another_dimension_are_refused(self, prior):
        with pytest.raises(ValueError, match=r"z must have shape \(N, 2\)"):
            prior.log_prob(torch.zeros(4, 3))

    @pytest.mark.parametrize("prior", PLANAR_DENSITIES[::2], ids=repr)
    def test_mixed_precision_does_not_round_it(self, prior):
        z = prior.sample(100, seeded())
        expected = prior.log_prob(z)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            torch.testing.assert_close(prior.log_prob(z), expected)

    @pytest.mark.parametrize("prior", PLANAR_DENSITIES[::2], ids=repr)
    def test_log_prob_has_a_gradient(self, prior):
        z = prior.sample(4, seeded()).requires_grad_()
        log_prob = prior.log_prob(z)
        assert log_prob.shape == (4,)
        if not isinstance(prior, Uniform):
            log_prob.sum().backward()
            assert z.grad.abs().sum() > 0


class TestLabels:
    @pytest.mark.parametrize("prior", WITH_CLASSES, ids=repr)
    def test_out_of_range_is_refused(self, prior):
        with pytest.raises(ValueError, match=f"labels must be below {prior.classes}"):
            prior.sample(2, seeded(), torch.tensor([0, prior.classes]))
        with pytest.raises(ValueError, match="labels must be at least 0"):
            prior.sample(2, seeded(), torch.tensor([0, -1]))

    def test_wrong_number_or_type_is_refused(self):
        with pytest.raises(ValueError, match=r"labels must have shape \(3,\)"):
            SwissRoll().sample(3, seeded(), torch.tensor([0, 1]))
        with pytest.raises(TypeError, match="labels must be whole numbers"):
            SwissRoll().sample(2, seeded(), torch.tensor([0.0, 1.0]))

    @pytest.mark.parametrize("prior", [Gaussian(2), Uniform(2)], ids=repr)
    def test_prior_without_regions_has_none(self, prior):
        assert prior.classes == 0
        with pytest.raises(ValueError, match="no regions to choose from"):
            prior.sample(2, seeded(), torch.tensor([0, 1]))
        with pytest.raises(ValueError, match="no regions to label"):
            prior.sample_labelled(2, seeded())

    @pytest.mark.parametrize("prior", WITH_CLASSES, ids=repr)
    def test_labelled_draws_have_all_labels(self, prior):
        z, labels = prior.sample_labelled(2000, seeded())
        assert z.shape == (2000, prior.dim)
        assert sorted(labels.unique().tolist()) == list(range(prior.classes))


class TestNames:
    def test_nearest_right_name(self):
        with pytest.raises(ValueError, match="prior is 'gausian', which is unknown; did you mean 'Gaussian'"):
            as_prior("prior", "gausian")

    @pytest.mark.parametrize("value", ["Gaussian", Gaussian])
    def test_name_or_class_instead_of_a_prior(self, value):
        with pytest.raises(TypeError, match=r"prior must be a prior, not its name or class; write Gaussian\(2\)"):
            as_prior("prior", value)

    @pytest.mark.parametrize("value", [2, None])
    def test_something_else(self, value):
        with pytest.raises(TypeError, match="prior must be a prior such as"):
            as_prior("prior", value)

    def test_a_prior_is_taken_as_it_is(self):
        prior = Gaussian(2)
        assert as_prior("prior", prior) is prior

    def test_unknown_kind_in_settings(self):
        with pytest.raises(ValueError, match="did you mean 'SwissRoll'"):
            prior_from_settings({"kind": "SwisRoll"})

    @pytest.mark.parametrize(
        ("build", "error", "argument"),
        [
            (lambda: Gaussian(0), ValueError, "dim"),
            (lambda: Gaussian(2.5), TypeError, "dim"),
            (lambda: Gaussian(2, std=0.0), ValueError, "std"),
            (lambda: Gaussian(2, std=math.nan), ValueError, "std"),
            (lambda: Uniform(-1), ValueError, "dim"),
            (lambda: Categorical(0), ValueError, "dim"),
            (lambda: GaussianMixture(components=0), ValueError, "components"),
            (lambda: GaussianMixture(shift=-1.0), ValueError, "shift"),
            (lambda: GaussianMixture(std=(0.5, 0.0)), ValueError, "std"),
        ],
    )
    def test_wrong_settings_are_refused(self, build, error, argument):
        with pytest.raises(error, match=f"{argument} must be"):
            build()
