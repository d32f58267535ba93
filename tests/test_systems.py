"""Systems: losses in the paper's units, who learns in which phase, what a trained system can do."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import distributions, nn
from torch.nn import functional as F

from aae_lib import fit, load, pixels
from aae_lib.networks import BODIES, POSTERIORS
from aae_lib.priors import Gaussian, GaussianMixture, SwissRoll
from aae_lib.systems import (
    SGD,
    Adam,
    AdversarialAutoencoder,
    Autoencoder,
    Batch,
    GenerativeAdversarialNetwork,
    VariationalAutoencoder,
    base,
)
from aae_lib.systems.vae import gaussian_kl

SHAPE = (1, 2, 2)
TWO_IMAGES = torch.tensor([[0, 0.5, 1, 1], [0, 0, 0, 0]]).reshape(2, *SHAPE)
HALF_SQUARED_ERROR_OF_GREY = (0.5 * (0.25 + 0 + 0.25 + 0.25) + 0.5 * 4 * 0.25) / 2  # by hand, of answering 0.5

PHASES = {  # who may move, by phase
    Autoencoder: {"reconstruction": {"encoder", "decoder"}},
    VariationalAutoencoder: {"negative_elbo": {"encoder", "decoder"}},
    GenerativeAdversarialNetwork: {"discriminator": {"discriminator"}, "generator": {"decoder"}},
    AdversarialAutoencoder: {
        "reconstruction": {"encoder", "decoder"},
        "discriminator": {"discriminator"},
        "generator": {"encoder"},
    },
}
each_system = pytest.mark.parametrize("kind", PHASES, ids=lambda kind: kind.__name__)
each_adversary = pytest.mark.parametrize(
    "kind", [AdversarialAutoencoder, GenerativeAdversarialNetwork], ids=lambda kind: kind.__name__
)


def tiny(kind, image_shape=SHAPE, **settings):
    prior = {} if kind is Autoencoder else {"prior": Gaussian(2)}
    return kind(image_shape, **{**prior, "hidden": (16,), **settings})


def batch(images: torch.Tensor, seed: int = 0) -> Batch:
    return Batch(images, None, torch.Generator().manual_seed(seed))


def random_images(count: int, shape=SHAPE) -> torch.Tensor:
    return torch.rand(count, *shape, generator=torch.Generator().manual_seed(5))


def make_constant(network: nn.Module, value: float | list[float]) -> None:
    """Let the network's last layer answer ``value`` to everything."""
    last = network.body[-1]
    last.weight.data.zero_()
    last.bias.data[:] = torch.tensor(value)


class TestLosses:
    @pytest.mark.parametrize("kind", [Autoencoder, AdversarialAutoencoder])
    def test_reconstruction_is_half_the_squared_error_summed_over_pixels(self, kind):
        system = tiny(kind)
        make_constant(system.decoder, 0.0)  # sigmoid(0) = 0.5
        loss = system.reconstruction_loss(batch(TWO_IMAGES))
        assert loss.item() == pytest.approx(HALF_SQUARED_ERROR_OF_GREY)

    def test_a_denoising_autoencoder_is_compared_with_the_clean_image(self):
        system = tiny(Autoencoder, input_noise=100.0)
        make_constant(system.decoder, 0.0)
        assert system.reconstruction_loss(batch(TWO_IMAGES)).item() == pytest.approx(HALF_SQUARED_ERROR_OF_GREY)

    def test_the_likelihoods_of_a_vae(self):
        for likelihood, expected in (("gaussian", HALF_SQUARED_ERROR_OF_GREY), ("bernoulli", 4 * math.log(2))):
            system = tiny(VariationalAutoencoder, likelihood=likelihood)
            make_constant(system.decoder, 0.0)
            reconstruction, _ = system.elbo_terms(batch(TWO_IMAGES))
            assert reconstruction.item() == pytest.approx(expected), likelihood

    @each_adversary
    def test_a_discriminator_that_cannot_tell_has_2_ln_2_and_its_opponent_ln_2(self, kind):
        system = tiny(kind)
        make_constant(system.discriminator, 0.0)
        assert system.discriminator_loss(batch(TWO_IMAGES)).item() == pytest.approx(2 * math.log(2))
        assert system.generator_loss(batch(TWO_IMAGES)).item() == pytest.approx(math.log(2))

    @each_adversary
    def test_a_discriminator_that_is_right_wins_and_its_opponent_loses(self, kind):
        system = tiny(kind, hidden=(8,))
        aae = kind is AdversarialAutoencoder
        make_constant(system.encoder if aae else system.decoder, 100.0)  # fakes: codes of 100, or white images

        class KnowsFakes(nn.Module):
            def forward(self, x, generator=None):
                return torch.where(x.flatten(1).mean(dim=1) > (50 if aae else 0.99), -10.0, 10.0)

        system.discriminator = KnowsFakes()
        assert system.discriminator_loss(batch(TWO_IMAGES)).item() == pytest.approx(2 * math.exp(-10), rel=0.01)
        assert system.generator_loss(batch(TWO_IMAGES)).item() == pytest.approx(10, rel=1e-3)


class TestElbo:
    @pytest.mark.parametrize("std", [1.0, 5.0])
    def test_the_gaussian_kl_is_the_textbook_s(self, std):
        draws = torch.Generator().manual_seed(0)
        mean, log_variance = torch.randn(2, 7, 3, generator=draws)
        posterior = distributions.Normal(mean, (0.5 * log_variance).exp())
        expected = distributions.kl_divergence(posterior, distributions.Normal(0, std)).sum(dim=1)
        torch.testing.assert_close(gaussian_kl(mean, log_variance, std), expected)

    def test_the_kl_is_zero_where_the_posterior_is_the_prior(self):
        assert float(gaussian_kl(torch.zeros(1, 4), torch.full((1, 4), 2 * math.log(5)), 5.0)) == pytest.approx(0)

    @pytest.mark.parametrize("prior", [GaussianMixture(), GaussianMixture(components=3, std=(0.8, 0.4))], ids=str)
    def test_the_kl_to_a_mixture_agrees_with_an_integral(self, prior):
        system = tiny(VariationalAutoencoder, prior=prior)
        mean, std = torch.tensor([0.7, -0.2]), torch.tensor([0.2, 0.1])
        make_constant(system.encoder, [*mean.tolist(), *(2 * std.log()).tolist()])
        with torch.no_grad():
            _, estimate = system.elbo_terms(batch(TWO_IMAGES[:1].expand(200_000, -1, -1, -1)))

        axis = torch.linspace(-3, 3, 601)
        z = torch.cartesian_prod(axis, axis)  # (N, 2)
        log_q = distributions.Normal(mean, std).log_prob(z).sum(dim=1)
        integral = (log_q.exp() * (log_q - prior.log_prob(z))).sum() * (axis[1] - axis[0]) ** 2
        assert float(estimate) == pytest.approx(float(integral), abs=0.05)

    @pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
    def test_it_is_below_the_log_likelihood_by_the_kl_of_the_posteriors(self, likelihood):
        """log p(x) − ELBO = KL(q(z | x) ‖ p(z | x)), with everything but the ELBO integrated over a line of z."""
        system = tiny(VariationalAutoencoder, prior=Gaussian(1), likelihood=likelihood, seed=3)
        image = TWO_IMAGES[:1]
        z = torch.linspace(-12, 12, 8001)[:, None]  # (N, 1)
        step = float(z[1] - z[0])
        with torch.no_grad():
            elbo = -float(system.negative_elbo(batch(image.expand(100_000, -1, -1, -1))))
            if likelihood == "bernoulli":
                logits = system.decoder.logits(z)
                log_x = -F.binary_cross_entropy_with_logits(logits, image.expand_as(logits), reduction="none")
            else:
                log_x = -0.5 * (system.decoder(z) - image).square()
            log_joint = log_x.flatten(1).sum(dim=1) + system.prior.log_prob(z)  # (N,)
            log_likelihood = float(log_joint.logsumexp(dim=0)) + math.log(step)
            mean, log_variance = system.encoder.gaussian(image)
            log_q = distributions.Normal(mean, (0.5 * log_variance).exp()).log_prob(z).sum(dim=1)
            gap = float((log_q.exp() * (log_q - log_joint + log_likelihood)).sum()) * step
        assert gap > 0.05, "the test needs a posterior that is wrong"
        assert elbo < log_likelihood
        assert elbo == pytest.approx(log_likelihood - gap, abs=0.02)

    def test_the_elbo_of_images_is_the_mean_of_the_negative_loss(self):
        system, images = tiny(VariationalAutoencoder), random_images(30)
        with torch.no_grad():
            expected = -float(system.negative_elbo(batch(images, seed=4)))
        assert system.elbo(images, seed=4) == pytest.approx(expected, rel=1e-5)
        assert system.elbo(images, seed=4) != system.elbo(images, seed=5)


class TestPhases:
    @each_system
    def test_only_the_networks_of_a_phase_move_in_it(self, kind):
        for name, expected in PHASES[kind].items():
            system = tiny(kind)
            before = {key: value.clone() for key, value in system.named_parameters()}
            rates = {phase.name: SGD(0.1 if phase.name == name else 0.0) for phase in system.phases()}
            fit(system, random_images(8), epochs=1, batch_size=8, optimizers=rates, device="cpu", progress=False)
            moved = {
                key.split(".")[0] for key, value in system.named_parameters() if not torch.equal(value, before[key])
            }
            assert moved == expected, name

    @each_system
    def test_no_gradient_is_computed_for_a_frozen_network(self, kind):
        system, current = tiny(kind), []
        computed: dict[str, set[str]] = {name: set() for name in PHASES[kind]}
        for name, weight in system.named_parameters():
            network = name.split(".")[0]
            weight.register_hook(lambda gradient, network=network: computed[current[-1]].add(network))

        def watched(phase):
            return replace(phase, loss=lambda images: current.append(phase.name) or phase.loss(images))

        phases = [watched(phase) for phase in system.phases()]
        system.phases = lambda: phases
        fit(system, random_images(8), epochs=2, batch_size=8, device="cpu", progress=False)
        assert current == [*PHASES[kind]] * 2, "phases run in their order"
        assert computed == PHASES[kind]

    @each_system
    def test_every_weight_belongs_to_a_phase(self, kind):
        system = tiny(kind)
        learned = {id(weight) for phase in system.phases() for weight in phase.weights()}
        assert learned == {id(weight) for weight in system.parameters()}


class TestUse:
    @pytest.mark.parametrize("body", BODIES)
    @each_system
    def test_shapes_and_ranges(self, kind, body):
        shape = (3, 9, 6)
        output = {} if kind is VariationalAutoencoder else {"output": "linear"}
        system = tiny(kind, shape, hidden=(6, 4), body=body, **output)
        images = (255 * random_images(5, shape)).to(torch.uint8)
        pictures = [system.decode(10 * torch.randn(5, 2, generator=torch.Generator().manual_seed(0)))]
        if hasattr(system, "encoder"):
            assert system.encode(images).shape == (5, 2)
            pictures.append(system.reconstruct(images))
        if system.prior is not None:
            pictures.append(system.sample(5, seed=1))
        for x in pictures:
            assert x.shape == (5, *shape) and x.dtype == torch.float32 and not x.requires_grad
            assert 0 <= float(x.min()) and float(x.max()) <= 1
        assert system.latent_dim == 2 and system.image_shape == shape

    def test_uint8_and_floating_point_are_the_same_images(self):
        system = tiny(Autoencoder)
        images = (255 * random_images(5)).to(torch.uint8)
        assert torch.equal(system.encode(images), system.encode(images.float() / 255))

    def test_chunks_give_what_the_whole_gives(self, monkeypatch):
        system, images = tiny(AdversarialAutoencoder, batch_norm=True), random_images(10)
        whole = system.encode(images), system.reconstruct(images), system.sample(10)
        monkeypatch.setattr(pixels, "MOST_IMAGES", 3)
        chunked = system.encode(images), system.reconstruct(images), system.sample(10)
        for one, other in zip(whole, chunked, strict=True):
            torch.testing.assert_close(one, other)

    @pytest.mark.parametrize("training", [True, False])
    def test_use_changes_nothing_about_the_system(self, training):
        system = tiny(AdversarialAutoencoder, batch_norm=True, input_noise=0.5).train(training)
        before = {name: value.clone() for name, value in system.state_dict().items()}
        first = system.encode(random_images(10))
        assert torch.equal(first, system.encode(random_images(10))), "there is no noise outside training"
        system.sample(4)
        assert system.training is training and system.decoder.training is training
        assert all(torch.equal(before[name], value) for name, value in system.state_dict().items())

    @pytest.mark.parametrize("posterior", POSTERIORS)
    def test_a_seed_draws_from_the_posterior(self, posterior):
        system, images = tiny(AdversarialAutoencoder, posterior=posterior), random_images(10)
        assert torch.equal(system.encode(images, seed=1), system.encode(images, seed=1))
        random = posterior != "deterministic"
        assert torch.equal(system.encode(images, seed=1), system.encode(images, seed=2)) is not random
        assert torch.equal(system.encode(images, seed=1), system.encode(images)) is not random

    def test_samples_are_decoded_draws_of_the_prior(self):
        system = tiny(AdversarialAutoencoder, prior=SwissRoll())
        z = system.prior.sample(6, torch.Generator().manual_seed(9))
        assert torch.equal(system.sample(6, seed=9), system.decode(z))
        assert not torch.equal(system.sample(6, seed=9), system.sample(6, seed=8))


@pytest.mark.parametrize("posterior", POSTERIORS)
def test_an_adversarial_autoencoder_learns_digits_and_matches_its_prior(posterior):
    data = load("digits")
    system = AdversarialAutoencoder(
        data.image_shape, prior=Gaussian(2, std=2.0), posterior=posterior, hidden=(64,), discriminator_hidden=(64,)
    )
    game = Adam(0.003, beta1=0.5)
    fast = {"reconstruction": Adam(0.01), "discriminator": game, "generator": game}
    history = fit(
        system, data.train, epochs=16, batch_size=50, optimizers=fast, device="cpu", precision="float32", progress=False
    )

    z = system.encode(data.test.images, seed=0)  # (N, 2), of images never trained on
    assert z.std(dim=0).tolist() == pytest.approx([2, 2], rel=0.25)
    assert z.mean(dim=0).tolist() == pytest.approx([0, 0], abs=0.8)
    error = base.half_squared_error(system.reconstruct(data.test.images), data.test.images.float() / 255)
    assert float(error) < 0.75 * history.mean_image_loss
    assert history.health() == "healthy"
