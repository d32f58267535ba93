"""The measures of q(z) against p(z): closed forms, signs, floors."""

import math

import pytest
import torch

from aae_lib.evaluation.draws import sampler
from aae_lib.evaluation.latent import (
    HOLES_FLOOR,
    distance_to_prior,
    holes,
    knn_accuracy,
    mmd,
    moments,
    normality,
    sliced_wasserstein,
)
from aae_lib.mmd import SCALES
from aae_lib.priors import Categorical, Gaussian, GaussianMixture, SwissRoll, Uniform
from aae_lib.systems import AdversarialAutoencoder, AdversarialLatentAutoencoder


def normal(count: int, dim: int = 2, seed: int = 0) -> torch.Tensor:
    return torch.randn(count, dim, generator=torch.Generator().manual_seed(seed))


def kernel(squared_distance: float, dim: int, sigma: float = 1.0) -> float:
    widths = [2 * dim * sigma**2 * scale for scale in SCALES]
    return sum(width / (width + squared_distance) for width in widths)


class TestSystemInPlaceOfAPrior:
    def test_codes_are_compared_with_the_system_s_own(self):
        system = AdversarialLatentAutoencoder((1, 4, 4), latent_dim=3, hidden=(8,))
        own = system.draw_codes(1500, seed=1)  # w, far from N(0, I) before any training
        near, far = distance_to_prior(own, system), distance_to_prior(normal(1500, 3), system)
        assert abs(near.mmd - near.mmd_floor) < 6 * near.mmd_floor_std < far.mmd
        assert holes(own, system) < 0.02 < holes(normal(1500, 3), system)
        assert moments(own, system).covariance_distance < 0.2

    def test_draws_differ_from_one_to_the_next_and_by_seed(self):
        draw = sampler(normal(5, 3), AdversarialLatentAutoencoder((1, 4, 4), latent_dim=3, hidden=(8,)), 0)
        assert not torch.equal(draw(4), draw(4))

    def test_where_codes_are_the_priors_draws_it_is_the_prior(self):
        system, z = AdversarialAutoencoder((1, 4, 4), prior=Gaussian(2, 3.0), hidden=(8,)), normal(50)
        assert distance_to_prior(z, system) == distance_to_prior(z, system.prior)
        assert moments(z, system).table() == moments(z, system.prior).table()


class TestMmd:
    def test_two_points_against_two_points(self):
        first = torch.tensor([[0.0, 0.0], [1.0, 0.0]])
        second = torch.tensor([[0.0, 3.0], [0.0, 5.0]])
        within = kernel(1, dim=2) + kernel(4, dim=2)
        across = (kernel(9, dim=2) + kernel(25, dim=2) + kernel(10, dim=2) + kernel(26, dim=2)) / 4
        assert mmd(first, second, scale=1) == pytest.approx(within - 2 * across, abs=1e-5)

    def test_agrees_with_all_pairs_written_out(self):
        first, second = normal(150, 3).double(), normal(90, 3, seed=1).double() + 0.3
        sigma = second.var(dim=0).mean().sqrt()

        def pairs(a, b):  # (N, M)
            squared = (a[:, None] - b[None]).square().sum(dim=2)
            return sum(6 * sigma**2 * s / (6 * sigma**2 * s + squared) for s in SCALES)

        def within(a):
            return pairs(a, a).fill_diagonal_(0).sum() / (len(a) * (len(a) - 1))

        expected = within(first) + within(second) - 2 * pairs(first, second).mean()
        assert mmd(first, second) == pytest.approx(float(expected), abs=1e-5)

    def test_one_distribution_averages_zero_and_takes_both_signs(self):
        scores = torch.tensor([mmd(normal(200, seed=2 * i), normal(200, seed=2 * i + 1)) for i in range(60)])
        standard_error = scores.std() / math.sqrt(len(scores))
        assert abs(scores.mean()) < 3 * standard_error
        assert 10 < (scores < 0).sum() < 50

    def test_grows_with_the_shift_and_stays_below_its_bound(self):
        prior = normal(500)
        scores = [mmd(normal(500, seed=1) + shift, prior) for shift in (0.0, 0.3, 1.0, 3.0, 1000.0)]
        assert scores == sorted(scores)
        assert scores[1] > 0.01
        assert scores[-1] < 2 * len(SCALES)

    def test_is_symmetric_given_a_scale(self):
        first, second = normal(100), normal(80, seed=1) * 2
        assert mmd(first, second, scale=1) == pytest.approx(mmd(second, first, scale=1), abs=1e-6)

    def test_default_scale_makes_it_free_of_units(self):
        first, second = normal(100) + 0.5, normal(100, seed=1)
        assert mmd(5 * first, 5 * second) == pytest.approx(mmd(first, second), abs=1e-5)

    def test_far_from_the_origin_nothing_cancels(self):
        # On a grid of 1/64 the shift by 1024 is exact, so the differences are the same to the last bit.
        first, second = ((normal(100, seed=seed) * 64).round() / 64 for seed in (0, 1))
        assert mmd(first + 1024, second + 1024) == pytest.approx(mmd(first, second), abs=1e-5)

    def test_without_spread_there_is_no_default_scale(self):
        with pytest.raises(ValueError, match="scale must be above 0"):
            mmd(normal(10), torch.zeros(10, 2))


class TestSlicedWasserstein:
    @pytest.mark.parametrize("dim", [1, 2, 8])
    def test_shift_is_seen_as_its_length_over_root_dim(self, dim):
        z = normal(300, dim)
        shifted = z + 2 * torch.eye(dim)[0]
        assert sliced_wasserstein(z, shifted) == pytest.approx(2 / math.sqrt(dim), rel=0.15)

    def test_same_codes_in_any_order_are_at_zero(self):
        z = normal(100)
        assert sliced_wasserstein(z, z.flip(0)) == pytest.approx(0, abs=1e-7)

    def test_stretch_of_a_gaussian(self):
        # In each direction W2(N(0, 1), N(0, 3²)) = 3 − 1.
        assert sliced_wasserstein(normal(5000), 3 * normal(5000, seed=1)) == pytest.approx(2, rel=0.05)

    def test_seed_fixes_the_directions(self):
        first, second = normal(50), normal(60, seed=1) + torch.tensor([1.0, 0.0])
        assert sliced_wasserstein(first, second, seed=3) == sliced_wasserstein(first, second, seed=3)
        assert sliced_wasserstein(first, second, seed=3) != sliced_wasserstein(first, second, seed=4)


class TestDistanceToPrior:
    @pytest.mark.parametrize("prior", [Gaussian(2, std=5.0), GaussianMixture(), SwissRoll(), Uniform(3)])
    def test_draws_of_the_prior_score_its_floor(self, prior):
        z = prior.sample(500, torch.Generator().manual_seed(99))
        measured = distance_to_prior(z, prior)
        assert abs(measured.mmd - measured.mmd_floor) < 6 * measured.mmd_floor_std
        distance = abs(measured.sliced_wasserstein - measured.sliced_wasserstein_floor)
        assert distance < 6 * measured.sliced_wasserstein_floor_std

    def test_codes_off_the_prior_score_far_above_it(self):
        measured = distance_to_prior(normal(500) + 0.5, Gaussian(2))
        assert measured.mmd > measured.mmd_floor + 10 * measured.mmd_floor_std
        assert (
            measured.sliced_wasserstein > measured.sliced_wasserstein_floor + 5 * measured.sliced_wasserstein_floor_std
        )

    def test_codes_of_the_same_seed_do_not_meet_themselves(self):
        prior = Gaussian(2)
        z = prior.sample(500, torch.Generator().manual_seed(0))
        assert holes(z, prior, seed=0) > 0

    def test_compares_at_most_count_codes(self):
        z = torch.cat([normal(300), normal(300, seed=1) + 2])  # a prefix alone would look like the prior
        measured = distance_to_prior(z, Gaussian(2), count=200)
        assert measured.count == 200
        assert measured.sliced_wasserstein > 0.5
        assert distance_to_prior(normal(50), Gaussian(2)).count == 50

    def test_same_seed_same_numbers_and_the_global_generator_is_left_alone(self):
        z = normal(100)
        before = torch.get_rng_state()
        assert distance_to_prior(z, Gaussian(2), seed=1) == distance_to_prior(z, Gaussian(2), seed=1)
        assert distance_to_prior(z, Gaussian(2), seed=1) != distance_to_prior(z, Gaussian(2), seed=2)
        assert torch.equal(before, torch.get_rng_state())

    def test_table_has_the_floors(self):
        lines = distance_to_prior(normal(100), Gaussian(2)).table().splitlines()
        assert [line.split()[0] for line in lines] == ["MMD²", "sliced"]
        assert all("prior against itself" in line and "±" in line for line in lines)


class TestMoments:
    def test_shift_and_stretch_are_seen(self):
        z = normal(4000) * torch.tensor([2.0, 1.0]) + torch.tensor([0.0, 3.0])
        measured = moments(z, Gaussian(2, std=2.0))
        torch.testing.assert_close(measured.mean, torch.tensor([0.0, 3.0]).double(), atol=0.15, rtol=0)
        torch.testing.assert_close(measured.std, torch.tensor([2.0, 1.0]).double(), atol=0.1, rtol=0)
        assert measured.prior_mean.tolist() == [0, 0]
        assert measured.prior_std.tolist() == [2, 2]
        # cov(z) − cov(p) = diag(0, −3), and ‖4 I‖ = 4√2.
        assert measured.covariance_distance == pytest.approx(3 / (4 * math.sqrt(2)), abs=0.05)

    def test_correlation_counts_though_the_variances_agree(self):
        z = normal(4000)[:, :1].expand(-1, 2)
        assert moments(z, Gaussian(2)).covariance_distance == pytest.approx(1, abs=0.1)

    def test_draws_of_the_prior_score_the_floor(self):
        prior = GaussianMixture()
        measured = moments(prior.sample(3000, torch.Generator().manual_seed(5)), prior)
        assert 0 < measured.covariance_floor < 0.06
        assert measured.covariance_distance < 3 * measured.covariance_floor

    def test_sampled_moments_of_a_prior_without_closed_form(self):
        measured = moments(Uniform(3).sample(100, torch.Generator()), Uniform(3))
        torch.testing.assert_close(measured.prior_std, torch.full((3,), 3**-0.5).double(), atol=0.005, rtol=0)

    def test_one_dimension(self):
        assert moments(normal(500, 1), Gaussian(1)).covariance_distance < 0.3

    def test_table_has_a_line_per_dimension(self):
        assert len(moments(normal(100, 3), Gaussian(3)).table().splitlines()) == 4


class TestNormality:
    def test_floor_is_what_normal_draws_score(self):
        scores = normality(3 * normal(1000, 200), std=3.0)
        assert scores.distances.mean() == pytest.approx(scores.floor, abs=4 * scores.floor_std / math.sqrt(200))
        assert scores.distances.std() == pytest.approx(scores.floor_std, rel=0.25)

    def test_uniform_is_at_its_known_distance(self):
        # The largest gap between uniform on [−√3, √3] (std 1) and N(0, 1) is 0.0572, where their densities cross.
        uniform = (torch.rand(50_000, 1, generator=torch.Generator().manual_seed(0)) * 2 - 1) * math.sqrt(3)
        assert normality(uniform).distances[0] == pytest.approx(0.0572, abs=0.006)

    def test_shift_is_at_its_known_distance(self):
        # The gap between N(1, 1) and N(0, 1) is largest halfway: Φ(½) − Φ(−½) = erf(½ / √2).
        assert normality(normal(50_000, 1) + 1).distances[0] == pytest.approx(math.erf(0.5 / math.sqrt(2)), abs=0.01)

    def test_dimensions_are_told_apart(self):
        z = torch.stack([normal(1000)[:, 0], torch.zeros(1000)], dim=1)
        distances = normality(z).distances
        assert distances[0] < 0.06
        assert distances[1] == pytest.approx(0.5)

    def test_table_has_a_line_per_dimension(self):
        assert len(normality(normal(100, 3)).table().splitlines()) == 3


class TestHoles:
    @pytest.mark.parametrize("prior", [Gaussian(2), Gaussian(8), GaussianMixture(), SwissRoll()])
    def test_draws_of_the_prior_score_the_floor(self, prior):
        shares = [holes(prior.sample(1000, torch.Generator().manual_seed(100 + i)), prior, seed=i) for i in range(5)]
        assert sum(shares) / 5 == pytest.approx(HOLES_FLOOR, abs=0.005)

    def test_half_the_plane_leaves_half_empty(self):
        z = normal(4000)
        z[:, 0] = z[:, 0].abs()
        assert holes(z, Gaussian(2)) == pytest.approx(0.5, abs=0.05)

    def test_missing_mixture_components(self):
        prior = GaussianMixture()
        labels = torch.arange(3000) % 7  # three of ten components get no codes
        z = prior.sample(3000, torch.Generator().manual_seed(1), labels)
        # The petals touch at the centre, so the other seven reach a little into the three.
        assert 0.2 < holes(z, prior) < 0.31

    def test_collapsed_codes_leave_nearly_all_empty(self):
        assert holes(torch.zeros(500, 2), Gaussian(2)) > 0.95

    def test_without_a_prior_a_gaussian_is_fitted(self):
        stretched = normal(1000) @ torch.tensor([[20.0, 3.0], [0.0, 0.5]]) + 100
        assert holes(stretched, None) < 0.03
        ring = torch.nn.functional.normalize(normal(1000)) * 7
        assert holes(ring, None) > 0.4

    def test_without_a_prior_a_dead_dimension_is_borne(self):
        z = normal(500, 3)
        z[:, 1] = 0
        assert 0 <= holes(z, None) <= 1


class TestKnnAccuracy:
    def test_separable_blobs_are_all_right(self):
        labels = torch.arange(200) % 4
        centres = 100 * torch.eye(4)[labels]
        assert knn_accuracy(centres + normal(200, 4), labels, centres + normal(200, 4, seed=1), labels) == 1.0

    def test_random_labels_are_chance(self):
        labels = torch.randint(4, (2000,), generator=torch.Generator().manual_seed(0))
        assert knn_accuracy(normal(2000), labels, normal(2000, seed=1), labels.flip(0)) == pytest.approx(0.25, abs=0.05)

    def test_neighbours_outvote_the_nearest(self):
        train_z, train_labels = torch.tensor([[0.0], [1.0], [1.1]]), torch.tensor([0, 1, 1])
        test_z, test_labels = torch.tensor([[0.1]]), torch.tensor([0])
        assert knn_accuracy(train_z, train_labels, test_z, test_labels, neighbours=1) == 1
        assert knn_accuracy(train_z, train_labels, test_z, test_labels, neighbours=3) == 0


class TestRefusals:
    @pytest.mark.parametrize("measure", [moments, distance_to_prior, holes])
    def test_prior_of_another_dimension(self, measure):
        with pytest.raises(ValueError, match=r"prior .*has 3 dimensions, but the codes have 2"):
            measure(normal(20), Gaussian(3))

    @pytest.mark.parametrize("measure", [moments, distance_to_prior])
    def test_no_prior(self, measure):
        with pytest.raises(TypeError, match="prior must be a prior"):
            measure(normal(20), None)

    def test_a_system_of_another_dimension(self):
        with pytest.raises(
            ValueError, match="system AdversarialLatentAutoencoder has 4 dimensions, but the codes have 2"
        ):
            holes(normal(20), AdversarialLatentAutoencoder((1, 4, 4), latent_dim=4, hidden=(8,)))

    def test_prior_by_name(self):
        with pytest.raises(ValueError, match="did you mean 'Gaussian'"):
            holes(normal(20), "gausian")

    @pytest.mark.parametrize("measure", [mmd, sliced_wasserstein])
    def test_samples_of_different_dimensions(self, measure):
        with pytest.raises(ValueError, match=r"second must have shape \(N, 2\)"):
            measure(normal(20), normal(20, 3))

    @pytest.mark.parametrize(
        ("z", "error", "sentence"),
        [
            (torch.zeros(5), ValueError, r"z must have shape \(N, Z\)"),
            (torch.zeros(0, 2), ValueError, r"z must have shape \(N, Z\)"),
            (torch.tensor([[0.0, math.nan]]), ValueError, "z has NaN"),
            (torch.zeros(5, 2, dtype=torch.int64), TypeError, "z must be floating point"),
            ([[0.0, 1.0]], TypeError, "z must be a torch.Tensor"),
        ],
    )
    def test_codes_that_are_none(self, z, error, sentence):
        with pytest.raises(error, match=sentence):
            normality(z)

    def test_too_few_codes(self):
        with pytest.raises(ValueError, match="first has 1 codes, but at least 2"):
            mmd(normal(1), normal(5))
        with pytest.raises(ValueError, match="z has 3 codes, but at least 7"):
            holes(normal(3), Gaussian(2))
        with pytest.raises(ValueError, match="train_z has 3 codes, but at least 5"):
            knn_accuracy(normal(3), torch.zeros(3).long(), normal(3), torch.zeros(3).long())

    def test_labels_missing(self):
        with pytest.raises(ValueError, match="train_labels is needed here"):
            knn_accuracy(normal(9), None, normal(9), torch.zeros(9).long())

    def test_bad_seed(self):
        with pytest.raises(ValueError, match="seed must be a whole number"):
            distance_to_prior(normal(9), Gaussian(2), seed=-1)

    def test_codes_with_gradients_are_taken(self):
        assert mmd(normal(9).requires_grad_(), normal(9, seed=1)) == mmd(normal(9), normal(9, seed=1))

    def test_one_hot_codes_of_a_categorical_leave_no_holes(self):
        prior = Categorical(4)
        assert holes(prior.sample(200, torch.Generator().manual_seed(1)), prior) == 0
