"""Numbers about samples and about labels in codes, against closed forms and by hand."""

from __future__ import annotations

import pytest
import torch
from scipy.linalg import sqrtm

from aae_lib import load
from aae_lib.data import Split
from aae_lib.evaluation import (
    feature_fid,
    feature_kid,
    label_probe,
    mode_accuracy,
    precision_recall,
    samples,
    sharpness,
    train_feature_network,
)
from aae_lib.priors import GaussianMixture, SwissRoll


def normal(count: int, features: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(count, features, generator=torch.Generator().manual_seed(seed))


class TestFrechetDistance:
    def test_by_hand(self):
        # Both covariances are diagonal, 2/3 and 8/3 twice: ‖m − m'‖² + Σ (s − s')² = (9 + 9) + (2/3 + 2/3)
        cross = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
        assert feature_fid(cross, 2 * cross + 3) == pytest.approx(18 + 4 / 3)

    def test_covariances_that_do_not_commute_by_the_root_of_their_product(self):
        real, fake = (normal(60, 4, seed=i).double() @ normal(4, 4, seed=10 + i).double() for i in (1, 2))
        c, d = torch.cov(real.T), torch.cov(fake.T)
        trace = c.trace() + d.trace() - 2 * sqrtm((c @ d).numpy()).real.trace()
        expected = float((real.mean(dim=0) - fake.mean(dim=0)).square().sum() + trace)
        assert feature_fid(real, fake) == pytest.approx(expected, rel=1e-4)

    def test_of_many_draws_it_is_that_of_the_two_gaussians(self):
        found = feature_fid(normal(50_000, 2), torch.tensor([2.0, 3.0]) * normal(50_000, 2, seed=1) + 1)
        assert found == pytest.approx(2 + 1 + 4, rel=0.03)

    def test_of_features_with_themselves_it_is_0_and_it_is_symmetric(self):
        x, y = normal(100, 5), 2 * normal(80, 5, seed=1)
        assert feature_fid(x, x) == pytest.approx(0, abs=1e-9)
        assert feature_fid(x, y) == pytest.approx(feature_fid(y, x))

    def test_features_that_never_vary_and_fewer_images_than_features_are_no_accident(self):
        x = torch.cat([normal(100, 3), torch.zeros(100, 2)], dim=1)
        assert feature_fid(x, x + 1) == pytest.approx(5, abs=1e-5)
        assert feature_fid(x[:3], x[:3] + 1) == pytest.approx(5, abs=1e-5)


class TestKernelDistance:
    def test_subsets_of_everything_by_hand(self):
        real, fake = normal(6, 3).double(), normal(6, 3, seed=1).double() + 0.5

        def kernel(a, b):
            return (a @ b.T / 3 + 1) ** 3

        def within(a):
            return (kernel(a, a).sum() - kernel(a, a).trace()) / 30

        expected = float(within(real) + within(fake) - 2 * kernel(real, fake).mean())
        found = feature_kid(real, fake, subsets=3, subset_size=6)
        assert found.mean == pytest.approx(expected) and found.std == pytest.approx(0, abs=1e-9)

    def test_of_equal_distributions_it_is_0_on_average(self):
        scores = torch.tensor(
            [
                feature_kid(normal(50, 4, seed=2 * i), normal(50, 4, seed=2 * i + 1), subsets=1, subset_size=50).mean
                for i in range(60)
            ]
        )
        assert abs(scores.mean()) < 4 * scores.std() / len(scores) ** 0.5
        assert (scores < 0).any()

    def test_a_seed_draws_the_subsets_and_the_global_generator_stays_as_it_was(self):
        real, fake, before = normal(40, 4), normal(40, 4, seed=1), torch.get_rng_state()
        found = feature_kid(real, fake, subsets=5, subset_size=10, seed=1)
        assert found == feature_kid(real, fake, subsets=5, subset_size=10, seed=1)
        assert found != feature_kid(real, fake, subsets=5, subset_size=10, seed=2)
        assert torch.equal(before, torch.get_rng_state())

    def test_subsets_larger_than_the_sets(self):
        with pytest.raises(ValueError, match="subset_size is 500, but there are 40 real and 30 fake features"):
            feature_kid(normal(40, 4), normal(30, 4))


class TestSharpness:
    def test_of_a_checkerboard_by_hand(self):
        board = (torch.arange(6)[:, None] + torch.arange(6)) % 2  # every pixel's Laplacian is +4 or −4, equally often
        assert sharpness(board.float().reshape(1, 1, 6, 6)) == pytest.approx(16)
        assert sharpness((255 * board).to(torch.uint8).reshape(1, 1, 6, 6)) == pytest.approx(16)

    def test_slopes_are_not_sharp_and_contrast_counts_squared(self):
        slope = torch.linspace(0, 1, 8).expand(1, 1, 8, 8)
        assert sharpness(slope) == pytest.approx(0, abs=1e-12)
        images = torch.rand(3, 1, 8, 8, generator=torch.Generator().manual_seed(0))
        assert sharpness(images / 2) == pytest.approx(sharpness(images) / 4, rel=1e-5)

    def test_of_one_bright_pixel_the_mean_over_images_and_channels(self):
        images = torch.zeros(2, 3, 5, 5)
        images[0, :, 2, 2] = torch.tensor([1.0, 0.5, 0.0])  # ½ in grey: a Laplacian of 2 there, −½ beside it, of 9
        variance = (2**2 + 4 * 0.5**2) / 9 - 0
        assert sharpness(images) == pytest.approx(variance / 2)

    def test_images_without_an_inside(self):
        with pytest.raises(ValueError, match="at least 3x3"):
            sharpness(torch.zeros(1, 1, 2, 5))


class TestPrecisionRecall:
    def test_the_same_points_have_both_and_far_ones_neither(self):
        x = normal(50, 3)
        assert precision_recall(x, x) == (1, 1) and precision_recall(x, x + 100) == (0, 0)

    def test_by_hand_on_a_line(self):
        real = torch.tensor([[0.0], [1.0], [2.0], [10.0]])  # nearest other member: 1, 1, 1, 8
        fake = torch.tensor([[0.5], [1.5], [30.0]])  # 1, 1, 28.5
        # 0.5 and 1.5 are within 1 of a real one, 30 is not within 8 of 10; 0, 1, 2 are within 1 of a made one, 10 is
        # within 28.5 of 30.
        assert precision_recall(real, fake, k=1) == (pytest.approx(2 / 3), 1)

    def test_chunks_change_nothing(self, monkeypatch):
        real, fake = normal(100, 3), 0.7 * normal(90, 3, seed=1)
        whole = precision_recall(real, fake)
        monkeypatch.setattr(samples, "MOST_IMAGES", 7)
        assert precision_recall(real, fake) == whole and 0 < whole.recall < whole.precision

    def test_a_model_of_one_mode_is_precise_and_recalls_half(self):
        real = torch.cat([normal(200, 2), normal(200, 2, seed=1) + 50])
        precision, recall = precision_recall(real, normal(400, 2, seed=2))
        assert precision > 0.9 and recall == pytest.approx(0.5, abs=0.05)


class TestFeatureNetwork:
    def test_without_labels_it_tells_by_how_many_quarters_a_picture_is_turned(self):
        data = load("digits")
        network = train_feature_network(Split(data.train.images))
        turned = samples._turned(Split(data.test.images))
        assert torch.equal(turned.images[1], torch.rot90(data.test.images[1], 1, (1, 2)))
        assert float((network.classify(turned.images) == turned.labels).float().mean()) > 0.7  # a guess has a quarter

    def test_it_reads_digits_it_never_saw_and_is_the_same_for_the_same_seed(self):
        data = load("digits")
        first, again, other = (train_feature_network(data.train, seed=seed) for seed in (1, 1, 2))
        assert float((first.classify(data.test.images) == data.test.labels).float().mean()) > 0.95
        found = [network.features(data.test.images) for network in (first, again, other)]
        assert found[0].shape == (len(data.test), samples.FEATURES)
        assert torch.equal(found[0], found[1]) and not torch.equal(found[0], found[2])

    def test_images_of_any_shape(self):
        for shape in ((3, 4, 5), (1, 19, 33)):
            images = torch.randint(256, (20, *shape), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
            network = train_feature_network(Split(images, torch.arange(20) % 2))
            assert network.features(images).shape == (20, samples.FEATURES)

    def test_its_features_tell_noisy_images_from_real_ones(self):
        data = load("digits")
        network = train_feature_network(data.train)
        real, others = (network.features(split.images) for split in (data.test, data.validation))
        noise = torch.randn(data.validation.images.shape, generator=torch.Generator().manual_seed(0))
        noisy = network.features((data.validation.images / 255 + 0.5 * noise).clamp(0, 1))
        assert feature_fid(real, noisy) > 3 * feature_fid(real, others)
        assert precision_recall(real, noisy).precision < precision_recall(real, others).precision


class TestLabels:
    def test_a_probe_finds_a_label_that_is_there_and_none_that_is_not(self):
        labels = torch.arange(400) % 4
        z = normal(400, 3)
        found = label_probe(z[:200], labels[:200], z[200:], labels[200:])
        assert found.accuracy == pytest.approx(0.25, abs=0.1) and found.chance == pytest.approx(0.25)
        z[:, 0] += 5 * labels
        assert label_probe(z[:200], labels[:200], z[200:], labels[200:]).accuracy > 0.9

    def test_mode_accuracy_by_hand(self):
        z = torch.tensor([[1.4, 0.0], [0.0, 1.4], [-1.4, 0.0], [0.0, -1.4]])  # components 0, 1, 2 and 3 of 4
        assert mode_accuracy(z, torch.tensor([0, 1, 2, 0]), GaussianMixture(components=4)) == 0.75

    @pytest.mark.parametrize("prior", [GaussianMixture(components=3), SwissRoll()], ids=str)
    def test_draws_of_the_prior_lie_in_their_own_regions(self, prior):
        z, labels = prior.sample_labelled(2000, torch.Generator().manual_seed(0))
        assert mode_accuracy(z, labels, prior) > 0.98
        assert mode_accuracy(z, (labels + 1) % prior.classes, prior) < 0.02
