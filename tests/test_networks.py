"""Encoder, decoder, discriminator: shapes, posteriors, initial weights, noise, batch norm."""

from __future__ import annotations

import math

import pytest
import torch
from scipy import stats
from torch import nn

from aae_lib.networks import BODIES, POSTERIORS, Decoder, Discriminator, Encoder, initialise, widths
from aae_lib.priors import Gaussian, Uniform
from aae_lib.systems import (
    AdversarialAutoencoder,
    Autoencoder,
    GenerativeAdversarialNetwork,
    VariationalAutoencoder,
)

SHAPES = [(1, 8, 8), (3, 32, 32), (1, 28, 28), (3, 31, 17)]


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pictures(count: int, shape=(1, 8, 8)) -> torch.Tensor:
    return torch.rand(count, *shape, generator=generator(7))


def initialised(network: nn.Module, std: float | None = None) -> nn.Module:
    initialise(network, 0, std)
    return network


def encoder(**settings) -> Encoder:
    return initialised(Encoder((1, 8, 8), 2, hidden=(16,), **settings))


def inputs_of(module: nn.Module) -> list[torch.Tensor]:
    """A list to which every input that reaches ``module`` is added."""
    seen: list[torch.Tensor] = []
    module.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    return seen


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
class TestShapes:
    @pytest.mark.parametrize("posterior", POSTERIORS)
    def test_an_encoder_gives_a_code_per_image(self, shape, body, posterior):
        network = initialised(Encoder(shape, 3, posterior=posterior, hidden=(8, 4), body=body, batch_norm=True))
        assert network(pictures(5, shape), generator()).shape == (5, 3)

    def test_a_decoder_gives_an_image_per_code(self, shape, body):
        network = initialised(Decoder(3, shape, hidden=(8, 4), body=body, batch_norm=True))
        assert network(torch.randn(5, 3, generator=generator())).shape == (5, *shape)

    def test_a_discriminator_gives_a_logit_per_image(self, shape, body):
        network = initialised(Discriminator(shape, hidden=(8, 4), body=body))
        assert network(pictures(5, shape)).shape == (5,)


@pytest.mark.parametrize(
    ("body", "shape", "found"),
    [
        ("mlp", (3, 64, 64), (1000, 1000)),
        ("convolutional", (3, 64, 48), (32, 64, 128)),
        ("convolutional", (1, 28, 28), (32, 64, 128)),
        ("convolutional", (1, 16, 8), (32, 64)),
        ("convolutional", (1, 5, 5), (32,)),
        ("convolutional", (1, 2, 9), (32,)),
    ],
)
def test_widths_that_nobody_gave_suit_the_body_and_the_images(body, shape, found):
    assert widths(None, body, shape) == found
    assert widths([7], body, shape) == (7,)
    system = AdversarialAutoencoder(shape, prior=Gaussian(2), body=body)
    assert system.reconstruct(torch.rand(2, *shape)).shape == (2, *shape)


@pytest.mark.parametrize("posterior", POSTERIORS)
def test_normalised_codes_start_with_the_mean_and_the_width_of_their_prior(posterior):
    for prior, mean, std in ((Gaussian(3, std=5.0), 0.0, 5.0), (Uniform(3, 2.0, 4.0), 3.0, 3**-0.5)):
        system = AdversarialAutoencoder((1, 8, 8), prior=prior, posterior=posterior, hidden=(16,))
        z = system.train().encoder(pictures(1000), generator())
        torch.testing.assert_close(z.mean(dim=0), torch.full((3,), mean), atol=0.15 * std, rtol=0)
        torch.testing.assert_close(z.std(dim=0), torch.full((3,), std), atol=0.15 * std, rtol=0)


def test_batch_norm_of_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match=r"batch_norm.*'code'.*did you mean 'codes'"):
        AdversarialAutoencoder((1, 8, 8), prior=Gaussian(2), batch_norm="code")


class TestPosteriors:
    def test_deterministic_ignores_the_noise(self):
        network, images = encoder(posterior="deterministic"), pictures(4)
        assert torch.equal(network(images, generator(0)), network(images, generator(1)))
        assert torch.equal(network(images, generator(0)), network(images))

    def test_gaussian_draws_have_the_mean_and_variance_of_the_posterior(self):
        network, count = encoder(posterior="gaussian"), 20_000
        image = pictures(1)
        mean, log_variance = network.gaussian(image)
        draws = network(image.expand(count, -1, -1, -1), generator())  # (N, Z)
        variance = log_variance.exp()
        assert ((draws.mean(dim=0) - mean).abs() < 5 * (variance / count).sqrt()).all()
        assert ((draws.var(dim=0) / variance - 1).abs() < 5 * math.sqrt(2 / count)).all()
        assert torch.equal(network(image), mean), "without a generator the code is the centre"

    def test_universal_gives_one_image_many_codes(self):
        network, image = encoder(posterior="universal"), pictures(1).expand(50, -1, -1, -1)
        assert (network(image, generator()).std(dim=0) > 0.01).all()
        assert (network(image).std(dim=0) < 1e-6).all(), "without a generator there is no noise"

    def test_universal_codes_need_not_be_gaussian(self):
        """One ReLU unit that sees only the noise makes q(z | x) a rectified Gaussian: half of its mass is at 0."""
        network = encoder(posterior="universal", noise_dim=1)
        first, _, last = network.body
        for layer in (first, last):
            layer.weight.data.zero_()
        first.weight.data[0, -1] = last.weight.data[0, 0] = 1
        z = network(pictures(1).expand(10_000, -1, -1, -1), generator()).detach()[:, 0]
        assert float((z == 0).float().mean()) == pytest.approx(0.5, abs=0.03)
        assert float(z.mean()) == pytest.approx(1 / math.sqrt(2 * math.pi), abs=0.03)

    def test_the_same_generator_gives_the_same_codes(self):
        for posterior in POSTERIORS:
            network, images = encoder(posterior=posterior), pictures(4)
            assert torch.equal(network(images, generator(3)), network(images, generator(3)))


class TestInitialWeights:
    def test_they_are_normal_with_the_paper_s_std(self):
        network = initialised(Encoder((1, 8, 8), 2, hidden=(50, 50)), std=0.01)
        weights = torch.cat([layer.weight.flatten() for layer in network.body if isinstance(layer, nn.Linear)])
        assert stats.kstest(weights.detach().numpy() / 0.01, "norm").pvalue > 0.01
        assert all(not layer.bias.any() for layer in network.body if isinstance(layer, nn.Linear))

    @pytest.mark.parametrize("body", BODIES)
    def test_otherwise_they_keep_the_scale_through_relu_layers(self, body):
        network = initialised(Encoder((3, 16, 16), 30, hidden=(40, 40), body=body))
        layers = [layer for layer in network.modules() if isinstance(layer, nn.Linear | nn.Conv2d)]
        for layer in layers:
            scaled = layer.weight.detach().flatten() * math.sqrt(layer.weight[0].numel() / 2)
            assert float(scaled.std()) == pytest.approx(1, abs=5 / math.sqrt(2 * len(scaled)))

    @pytest.mark.parametrize("body", BODIES)
    @pytest.mark.parametrize(
        "kind", [Autoencoder, VariationalAutoencoder, GenerativeAdversarialNetwork, AdversarialAutoencoder]
    )
    def test_a_seed_fixes_them_and_nothing_global_is_drawn(self, kind, body):
        prior = {} if kind is Autoencoder else {"prior": Gaussian(2)}

        def build(seed: int) -> dict:
            return kind((1, 8, 8), **prior, hidden=(8, 8), body=body, batch_norm=True, seed=seed).state_dict()

        before = torch.get_rng_state()
        first, again, other = build(0), build(0), build(1)
        assert torch.equal(torch.get_rng_state(), before)
        assert all(torch.equal(first[name], again[name]) for name in first)
        assert not any(torch.equal(first[name], other[name]) for name in first if first[name].ndim > 1)


class TestNoise:
    def test_input_noise_has_its_std_in_training_only(self):
        network, images = encoder(input_noise=0.3), pictures(2000)
        seen = inputs_of(network.body)
        network(images, generator())
        network.eval()
        network(images, generator())
        noise = seen[0] - images.flatten(1)
        assert float(noise.std()) == pytest.approx(0.3, rel=0.01)
        assert float(noise.mean()) == pytest.approx(0, abs=0.005)
        assert torch.equal(seen[1], images.flatten(1))

    def test_input_dropout_drops_its_share_in_training_only(self):
        network, images = encoder(input_dropout=0.2), torch.ones(2000, 1, 8, 8)
        seen = inputs_of(network.body)
        network(images, generator())
        network.eval()
        network(images, generator())
        assert float((seen[0] == 0).float().mean()) == pytest.approx(0.2, abs=0.005)
        assert float(seen[0].mean()) == pytest.approx(1, abs=0.01), "what is kept makes up for what is dropped"
        assert torch.equal(seen[1], images.flatten(1))

    def test_discriminator_noise_has_its_std_in_training_only(self):
        network, z = initialised(Discriminator((2,), hidden=(8,), input_noise=0.3)), torch.zeros(20_000, 2)
        seen = inputs_of(network.body)
        network(z, generator())
        network.eval()
        network(z, generator())
        assert float(seen[0].std()) == pytest.approx(0.3, rel=0.02)
        assert torch.equal(seen[1], z)


class TestBatchNorm:
    @staticmethod
    def kinds(network: nn.Module) -> list[str]:
        leaves = (nn.Linear, nn.Conv2d, nn.BatchNorm1d, nn.BatchNorm2d, nn.ReLU, nn.LeakyReLU)
        return [type(layer).__name__ for layer in network.modules() if isinstance(layer, leaves)]

    def test_it_stands_between_each_hidden_layer_and_its_relu(self):
        hidden = ["Linear", "BatchNorm1d", "ReLU"]
        plain = Encoder((1, 8, 8), 2, hidden=(8, 8), batch_norm=True)
        assert self.kinds(plain) == [*hidden, *hidden, "Linear"]
        whole = Decoder(2, (1, 8, 8), hidden=(8, 8), batch_norm=True, batch_norm_output=True)
        assert self.kinds(whole) == [*hidden, *hidden, "Linear", "BatchNorm1d"]

    def test_it_stands_behind_each_convolution(self):
        network = Encoder((1, 8, 8), 2, hidden=(4, 4), body="convolutional", batch_norm=True)
        assert self.kinds(network.features) == ["Conv2d", "BatchNorm2d", "LeakyReLU"] * 2 + ["Linear"]

    def test_it_is_absent_unless_asked_for(self):
        for body in BODIES:
            for network in (
                Encoder((1, 8, 8), 2, hidden=(4,), body=body),
                Decoder(2, (1, 8, 8), hidden=(4,), body=body),
            ):
                assert not any("BatchNorm" in kind for kind in self.kinds(network))


def test_a_sigmoid_decoder_stays_in_the_unit_interval_and_a_linear_one_need_not():
    z = 100 * torch.randn(20, 2, generator=generator())
    sigmoid, linear = (initialised(Decoder(2, (1, 8, 8), hidden=(16,), output=kind)) for kind in ("sigmoid", "linear"))
    assert ((sigmoid(z) >= 0) & (sigmoid(z) <= 1)).all()
    assert (linear(z) < 0).any() and (linear(z) > 1).any()
    assert torch.equal(sigmoid.logits(z).sigmoid(), sigmoid(z))
