"""The Wasserstein autoencoder: its penalties, who learns in which phase, and the adversarial autoencoder in it."""

import math

import pytest
import torch

from aae_lib import fit, restore, save
from aae_lib.mmd import unbiased_mmd
from aae_lib.networks import POSTERIORS
from aae_lib.priors import Gaussian, GaussianMixture, Uniform
from aae_lib.systems import SGD, AdversarialAutoencoder, Batch, WassersteinAutoencoder

SHAPE = (1, 4, 4)
SIZES = dict(prior=Gaussian(3), hidden=(16,), discriminator_hidden=(8,))
MOVES = {
    "mmd": {"autoencoder": {"encoder", "decoder"}},
    "gan": {"autoencoder": {"encoder", "decoder"}, "discriminator": {"discriminator"}},
}
each_penalty = pytest.mark.parametrize("penalty", MOVES)


def wae(**settings) -> WassersteinAutoencoder:
    return WassersteinAutoencoder(SHAPE, **{**SIZES, **settings})


def images(count: int = 20) -> torch.Tensor:
    return torch.rand(count, *SHAPE, generator=torch.Generator().manual_seed(5))


def batch(seed: int = 0, count: int = 20) -> Batch:
    return Batch(images(count), None, torch.Generator().manual_seed(seed))


def train(system, **settings):
    return fit(system, images(), **{**dict(updates=4, batch_size=10, device="cpu", progress=False), **settings})


def encoder_gradient(system) -> list[torch.Tensor]:
    return [weight.grad.clone() for weight in system.encoder.parameters()]


class TestLosses:
    @pytest.mark.parametrize("kernel", ["imq", "rbf"])
    def test_the_terms_are_unweighted_and_the_penalty_is_the_unbiased_mmd_to_the_prior(self, kernel):
        system = wae(kernel=kernel, weight=7.0, prior=Gaussian(3, 2.0))
        reconstruction, penalty = system.autoencoder_loss(batch(seed=3))
        z = system.encoder(images())
        prior = 2 * torch.randn(20, 3, generator=torch.Generator().manual_seed(3))
        torch.testing.assert_close(penalty, unbiased_mmd(z, prior, scale=2.0, kernel=kernel))
        expected = 0.5 * (system.decoder(z) - images()).square().sum() / 20
        torch.testing.assert_close(reconstruction, expected)
        assert system.phases()[0].factors == (1.0, 7.0)

    def test_the_penalty_of_the_priors_own_draws_is_0_on_average(self):
        system, generator = wae(), torch.Generator().manual_seed(0)
        scores = torch.stack([system.distance(torch.randn(50, 3, generator=generator), generator) for _ in range(100)])
        assert abs(scores.mean()) < 4 * scores.std() / 10
        assert system.distance(torch.full((50, 3), 3.0), generator) > 1

    @pytest.mark.parametrize(("prior", "scale"), [(Uniform(2, -3, 3), 3**0.5), (GaussianMixture(), 1.05)], ids=str)
    def test_the_kernels_have_the_scale_of_the_prior(self, prior, scale):
        assert wae(prior=prior).scale == pytest.approx(scale, rel=0.03)

    def test_log_variances_count_where_they_have_a_weight(self):
        system = wae(posterior="gaussian", log_variance_weight=0.2, initial_log_variance=-3.0)
        first = system.phases()[0]
        assert first.parts == ("reconstruction", "penalty", "log-variance") and first.factors == (1.0, 10.0, 0.2)
        _, log_variance = system.encoder.gaussian(images())
        expected = log_variance.abs().sum(dim=1).mean()
        torch.testing.assert_close(system.autoencoder_loss(batch())[2], expected)

    def test_noise_starts_small(self):
        system = wae(posterior="gaussian")
        _, log_variance = system.encoder.gaussian(torch.zeros(1, *SHAPE))
        torch.testing.assert_close(log_variance, torch.full((1, 3), -4.0))
        deterministic = wae().encoder.body[-1].bias
        assert torch.equal(deterministic, torch.zeros_like(deterministic))

    def test_the_game_of_a_discriminator_that_cannot_tell(self):
        system = wae(penalty="gan")
        system.discriminator.body[-1].weight.data.zero_()
        assert system.autoencoder_loss(batch())[1].item() == pytest.approx(math.log(2))
        assert system.discriminator_loss(batch()).item() == pytest.approx(2 * math.log(2))
        assert system.phases()[0].parts == ("reconstruction", "generator")


class TestThePaperInIt:
    @pytest.mark.parametrize("posterior", POSTERIORS)
    def test_an_adversarial_autoencoder_is_wae_gan_of_weight_1(self, posterior):
        settings = dict(SIZES, posterior=posterior, initial_std=0.3)
        aae, wae_gan = (
            AdversarialAutoencoder(SHAPE, batch_norm=False, **settings),
            WassersteinAutoencoder(SHAPE, penalty="gan", weight=1, **settings),
        )
        wae_gan.load_state_dict(aae.state_dict())
        (aae.reconstruction_loss(batch()) + aae.generator_loss(batch())).backward()  # both with the same noise
        loss = wae_gan.autoencoder_loss(batch())
        (loss * torch.tensor(wae_gan.phases()[0].factors)).sum().backward()
        for one, other in zip(encoder_gradient(aae), encoder_gradient(wae_gan), strict=True):
            assert one.abs().sum() > 0
            torch.testing.assert_close(one, other)
        assert torch.equal(aae.discriminator_loss(batch()), wae_gan.discriminator_loss(batch()))


class TestPhases:
    @each_penalty
    def test_only_the_networks_of_a_phase_move_in_it(self, penalty):
        assert [phase.name for phase in wae(penalty=penalty).phases()] == list(MOVES[penalty])
        for name, expected in MOVES[penalty].items():
            system = wae(penalty=penalty)
            before = {key: value.clone() for key, value in system.state_dict().items()}
            rates = {phase: SGD(0.1 if phase == name else 0.0) for phase in MOVES[penalty]}
            train(system, optimizers=rates)
            moved = {
                key.split(".")[0] for key, value in system.state_dict().items() if not torch.equal(value, before[key])
            }
            assert moved == expected, name

    def test_the_history_shows_the_terms_and_training_obeys_the_weight(self):
        distances = {}
        for weight in (0.01, 1000.0):
            history = train(wae(weight=weight), updates=300)
            assert history.phases == ("reconstruction", "penalty")
            distances[weight] = history.losses["penalty"][-50:].mean()
        assert distances[1000.0] < 0.3 * distances[0.01]

    def test_the_history_of_the_game_has_the_names_that_health_reads(self):
        assert train(wae(penalty="gan")).phases == ("reconstruction", "generator", "discriminator")


class TestStorage:
    @pytest.mark.parametrize(
        "settings",
        [
            {},
            dict(penalty="gan", body="convolutional", batch_norm=True),
            dict(posterior="universal", noise_dim=3),
            dict(posterior="gaussian", log_variance_weight=0.1, kernel="rbf", output="standardised"),
        ],
        ids=str,
    )
    def test_a_trained_system_comes_back_and_trains_on(self, tmp_path, settings):
        system, path = wae(**settings), tmp_path / "system.safetensors"
        train(system)
        save(system, path)
        restored = restore(path)
        assert restored.phases()[0].factors == system.phases()[0].factors
        for one in (system, restored):
            train(one)
        torch.testing.assert_close(system.state_dict(), restored.state_dict(), rtol=0, atol=0)
        assert torch.equal(system.encode(images(), seed=1), restored.encode(images(), seed=1))


class TestBadInput:
    @pytest.mark.parametrize(
        ("settings", "sentence"),
        [
            (dict(weight=0), "weight must be above 0 and finite, but it is 0"),
            (dict(weight=-1.0), "weight must be above 0"),
            (dict(penalty="mdm"), "penalty is 'mdm', which is unknown; did you mean 'mmd'"),
            (dict(kernel="rfb", penalty="gan"), "kernel is 'rfb', which is unknown; did you mean 'rbf'"),
            (dict(posterior="gausian"), "posterior is 'gausian', which is unknown; did you mean 'gaussian'"),
            (dict(latent_dim=2), "latent_dim is 2, but the prior .* has 3 dimensions"),
            (dict(log_variance_weight=-0.1, posterior="gaussian"), "log_variance_weight must be at least 0"),
            (dict(log_variance_weight=0.2), "a deterministic posterior has no variances; use posterior"),
            (dict(initial_log_variance=math.inf, posterior="gaussian"), "initial_log_variance must be finite"),
        ],
    )
    def test_arguments(self, settings, sentence):
        with pytest.raises(ValueError, match=sentence):
            wae(**settings)

    def test_a_batch_of_one(self):
        with pytest.raises(ValueError, match="a batch has 1 image, but the MMD compares pairs of codes"):
            train(wae(), batch_size=1)
        train(wae(penalty="gan"), batch_size=1, updates=1)
