"""The KL of posteriors in two, and KL(q(z) ‖ p(z)) from codes alone: closed forms of Gaussians."""

import math

import pytest
import torch
from torch import nn

from aae_lib.evaluation import marginal_kl, mutual_information
from aae_lib.priors import Categorical, Gaussian, GaussianMixture, SwissRoll
from aae_lib.systems import (
    AdversarialAutoencoder,
    AdversarialLatentAutoencoder,
    SemiSupervisedAdversarialAutoencoder,
    VariationalAutoencoder,
)
from aae_lib.systems.vae import gaussian_kl

SHAPE = (1, 1, 1)


def normal(count: int, dim: int = 2, seed: int = 0) -> torch.Tensor:
    return torch.randn(count, dim, generator=torch.Generator().manual_seed(seed))


class OfOnePixel(nn.Module):
    """μ is a Gaussian's quantile of the pixel, times ``spread``; the variance is the same for all images."""

    posterior = "gaussian"

    def __init__(self, spread: float, std: float):
        super().__init__()
        self.spread, self.std = spread, std

    def gaussian(self, images, generator=None):
        mean = self.spread * torch.special.ndtri(images.flatten(1))  # (B, 1)
        return mean, torch.full_like(mean, 2 * math.log(self.std))


def system_of(spread: float, std: float, prior_std: float = 1.0) -> VariationalAutoencoder:
    system = VariationalAutoencoder(SHAPE, prior=Gaussian(1, prior_std), hidden=(2,))
    system.encoder = OfOnePixel(spread, std)
    return system


def pixels(count: int) -> torch.Tensor:
    """Evenly over (0, 1), so that their quantiles are as a Gaussian's."""
    return ((torch.arange(count) + 0.5) / count).reshape(count, *SHAPE)


class TestMutualInformation:
    def test_a_gaussian_channel_into_the_prior(self):
        """z = 0.9^½ x + 0.1^½ ε with x ~ N(0, 1) is N(0, 1): I(x; z) = −½ log 0.1, and nothing else is paid for."""
        found = mutual_information(system_of(0.9**0.5, 0.1**0.5), pixels(3000), count=3000)
        assert found.mutual_information == pytest.approx(-0.5 * math.log(0.1), abs=0.03)
        assert found.marginal_kl == pytest.approx(0, abs=0.03)

    def test_a_channel_that_misses_the_prior_pays_for_that_too(self):
        """q(z) = N(0, 2) against N(0, 3²)."""
        found = mutual_information(system_of(1.0, 1.0, 3.0), pixels(3000), count=3000)
        assert found.mutual_information == pytest.approx(0.5 * math.log(2), abs=0.03)
        expected = float(gaussian_kl(torch.zeros(1, 1), torch.full((1, 1), math.log(2)), 3.0))
        assert found.marginal_kl == pytest.approx(expected, abs=0.03)

    def test_the_two_parts_sum_to_the_kl_of_the_elbo(self):
        system = VariationalAutoencoder((1, 4, 4), prior=Gaussian(3), hidden=(16,))
        images = torch.rand(2000, 1, 4, 4, generator=torch.Generator().manual_seed(0))
        found = mutual_information(system, images)
        assert found.kl == pytest.approx(found.mutual_information + found.marginal_kl, abs=1e-9)
        with torch.no_grad():
            expected = float(gaussian_kl(*system.encoder.gaussian(images)).mean())
        assert found.kl == pytest.approx(expected, rel=0.05)

    def test_posteriors_that_never_overlap_tell_all_that_there_is(self):
        found = mutual_information(system_of(1.0, 1e-4), pixels(50))
        assert found.mutual_information == pytest.approx(math.log(50), abs=1e-6)

    def test_posteriors_that_have_collapsed_tell_nothing(self):
        assert mutual_information(system_of(0.0, 1.0), pixels(50)) == pytest.approx((0, 0, 0), abs=1e-6)

    def test_means_are_over_some_draws_and_the_mixture_is_of_all_images(self):
        found = mutual_information(system_of(1.0, 1e-4), pixels(100), count=20)
        assert found.mutual_information == pytest.approx(math.log(100), abs=1e-6)

    @pytest.mark.parametrize("posterior", ["deterministic", "universal"])
    def test_other_posteriors(self, posterior):
        system = AdversarialAutoencoder(SHAPE, prior=Gaussian(1), hidden=(2,), posterior=posterior)
        why = {"deterministic": "the KL term is infinite", "universal": "no density"}[posterior]
        with pytest.raises(TypeError, match=f"{posterior}.*, so .*{why}.*; build it with .* use marginal_kl"):
            mutual_information(system, pixels(5))

    def test_advice_is_for_the_system_at_hand(self):
        with pytest.raises(TypeError, match=r"has no Gaussian posterior \(deterministic\)[^;]*; use marginal_kl"):
            mutual_information(SemiSupervisedAdversarialAutoencoder(SHAPE, hidden=(2,)), pixels(5))

    def test_bad_input(self):
        with pytest.raises(ValueError, match="images has 1 image"):
            mutual_information(system_of(1.0, 1.0), pixels(1))
        with pytest.raises(ValueError, match="has no density"):
            aae = AdversarialAutoencoder(SHAPE, prior=SwissRoll(), hidden=(2,), posterior="gaussian")
            mutual_information(aae, pixels(5))
        with pytest.raises(TypeError, match="system must be an aae_lib System"):
            mutual_information(None, pixels(5))
        with pytest.raises(TypeError, match="count must be a whole number"):
            mutual_information(system_of(1.0, 1.0), pixels(5), count=2.5)


class TestMarginalKl:
    @pytest.mark.parametrize(("mean", "std"), [(0.0, 0.5), (1.0, 1.0), (0.5, 1.2)])
    def test_of_two_gaussians(self, mean, std):
        found = marginal_kl(mean + std * normal(4000), Gaussian(2))
        expected = float(gaussian_kl(torch.full((1, 2), mean), torch.full((1, 2), 2 * math.log(std))))
        assert found.kl == pytest.approx(expected, abs=0.1)

    def test_it_grows_with_the_distance(self):
        scores = [marginal_kl(normal(1000, 8) + shift, Gaussian(8)).kl for shift in (0.0, 0.3, 1.0)]
        assert scores[0] + 0.1 < scores[1] < scores[2] - 0.5

    def test_a_prior_without_a_density_in_closed_form(self):
        """Half the prior's petals left out: log 2."""
        prior = GaussianMixture(shift=3.0)
        labels = 2 * (torch.arange(4000) % 5)
        found = marginal_kl(prior.sample(4000, torch.Generator().manual_seed(0), labels), prior)
        assert found.kl == pytest.approx(math.log(2), abs=0.1)

    def test_draws_of_the_prior_are_at_the_floor_and_that_is_0(self):
        found = marginal_kl(normal(2000, 4), Gaussian(4))
        assert abs(found.floor) < 4 * found.floor_std
        assert abs(found.kl - found.floor) < 5 * found.floor_std

    def test_codes_on_fewer_dimensions_are_far_from_any_density(self):
        z = normal(2000, 2)
        line = torch.stack([z[:, 0], z[:, 0] + 1e-5 * z[:, 1]], dim=1)
        assert marginal_kl(line, Gaussian(2)).kl > 5
        assert marginal_kl(torch.zeros(100, 2), Gaussian(2)).kl == math.inf

    def test_a_system_in_place_of_a_prior(self):
        system = AdversarialLatentAutoencoder((1, 4, 4), latent_dim=3, hidden=(8,))
        found = marginal_kl(system.draw_codes(1000, seed=1), system)
        assert abs(found.kl - found.floor) < 5 * found.floor_std

    def test_bad_input(self):
        with pytest.raises(ValueError, match="z has 5 codes, but at least 6 are needed"):
            marginal_kl(normal(5), Gaussian(2))
        with pytest.raises(ValueError, match="draws the same point again and again"):
            marginal_kl(normal(100, 3), Categorical(3))
        with pytest.raises(ValueError, match=r"prior .* has 3 dimensions, but the codes have 2"):
            marginal_kl(normal(9), Gaussian(3))
