"""ALAE and the bidirectional GAN: who moves in which step, the losses by hand, and what a code is."""

from __future__ import annotations

import math

import pytest
import torch

from aae_lib import fit, restore, save
from aae_lib.losses import bce
from aae_lib.priors import Gaussian
from aae_lib.systems import AdversarialLatentAutoencoder, Batch, BidirectionalGAN
from aae_lib.widgets import linear_layers

SHAPE = (1, 4, 4)
IMAGES = torch.rand(24, *SHAPE, generator=torch.Generator().manual_seed(0))


def alae(**settings):
    chosen = dict(latent_dim=3, hidden=(8,), discriminator_hidden=(5,), mapping_layers=2, gamma=1.0)
    return AdversarialLatentAutoencoder(SHAPE, **{**chosen, **settings})


def bigan(**settings):
    return BidirectionalGAN(SHAPE, **{**dict(prior=Gaussian(3), hidden=(8,), discriminator_hidden=(8,)), **settings})


def batch(seed: int = 1) -> Batch:
    return Batch(IMAGES, None, torch.Generator().manual_seed(seed))


def moved(system, **settings) -> dict[str, set[str]]:
    """For each phase the networks whose weights get a gradient when all weights may."""
    names = {}
    for phase in system.phases():
        system.zero_grad()
        learning = {id(weight) for weight in phase.weights()}
        for weight in system.parameters():
            weight.requires_grad_(id(weight) in learning)
        phase.loss(batch()).sum().backward()
        names[phase.name] = {
            name.split(".")[0]
            for name, weight in system.named_parameters()
            if weight.grad is not None and bool(weight.grad.any())
        }
    return names


def train(system, updates=4, **settings):
    chosen = dict(batch_size=8, device="cpu", precision="float32", progress=False)
    return fit(system, IMAGES, updates=updates, **{**chosen, **settings})


class TestAdversarialLatentAutoencoder:
    def test_each_step_moves_its_two_networks_and_none_else(self):
        assert moved(alae()) == {
            "discriminator": {"encoder", "discriminator"},
            "generator": {"mapping", "decoder"},
            "reciprocity": {"encoder", "decoder"},
        }

    def test_the_three_losses_by_hand(self):
        system = alae().train()
        z = torch.randn(len(IMAGES), 3, generator=torch.Generator().manual_seed(1))
        w = system.mapping(z)
        made = system.decoder(w)
        images = IMAGES.clone().requires_grad_()
        real = system.discriminator(system.encoder(images)).squeeze(1)
        fake = system.discriminator(system.encoder(made)).squeeze(1)
        softplus = torch.nn.functional.softplus
        loss, penalty = system.discriminator_loss(batch())
        torch.testing.assert_close(loss, softplus(fake).mean() + softplus(-real).mean())
        (slope,) = torch.autograd.grad(real.sum(), images)
        torch.testing.assert_close(penalty, 0.5 * slope.square().sum(dim=(1, 2, 3)).mean())
        torch.testing.assert_close(system.generator_loss(batch()), softplus(-fake).mean())
        back = (system.encoder(made) - w).square().sum(dim=1).mean()
        torch.testing.assert_close(system.reciprocity_loss(batch()), back)

    def test_reciprocity_in_data_space_compares_pixels(self):
        system = alae(reciprocity="data")
        remade = system.decoder(system.encoder(IMAGES))
        expected = 0.5 * (remade - IMAGES).square().sum(dim=(1, 2, 3)).mean()
        torch.testing.assert_close(system.reciprocity_loss(batch()), expected)

    def test_codes_are_w_and_the_prior_is_z_s(self):
        system = alae()
        train(system)
        assert system.latent_dim == 3 and not system.decodes_labels
        z = system.prior.sample(5, torch.Generator().manual_seed(7))
        torch.testing.assert_close(system.draw_codes(5, seed=7), system.map(z))
        torch.testing.assert_close(system.sample(5, seed=7), system.decode(system.map(z)))
        assert system.encode(IMAGES).shape == (24, 3) and system.reconstruct(IMAGES).shape == IMAGES.shape

    def test_what_is_used_is_the_average(self):
        system = alae(averaging=0.5)
        seen = []
        train(system, updates=3, callbacks=[lambda moment: seen.append(moment.system.mapping.body[0].weight.clone())])
        average = seen[1]
        for weight in seen[2:]:
            average = 0.5 * average + 0.5 * weight
        torch.testing.assert_close(system.averaged.module[0].body[0].weight, average)

    def test_a_page_decodes_with_the_average_too(self):
        system = alae(averaging=0.5)
        train(system)
        w = system.draw_codes(4)
        (weight, bias), (last_weight, last_bias) = linear_layers(system)
        by_hand = ((w @ weight + bias).relu() @ last_weight + last_bias).sigmoid()
        torch.testing.assert_close(by_hand, system.decode(w).flatten(1))

    def test_resumed_and_restored_bit_for_bit(self, tmp_path):
        whole, parts = alae(), alae()
        train(whole, updates=6)
        train(parts, updates=3, checkpoint=tmp_path / "run")
        train(parts, updates=6, checkpoint=tmp_path / "run")
        save(parts, tmp_path / "system")
        again = restore(tmp_path / "system")
        assert torch.equal(whole.sample(4), parts.sample(4)) and torch.equal(whole.sample(4), again.sample(4))

    def test_a_lost_game_is_seen(self):
        history = train(alae(gamma=0.0), updates=300)
        history.rows[-1][1 + history.phases.index("generator")] = 6.0
        assert "generator has lost" in history.health()

    @pytest.mark.parametrize(
        ("settings", "sentence"),
        [
            ({"gamma": -1.0}, "gamma must be at least 0"),
            ({"reciprocity": "pixels"}, "reciprocity is 'pixels', which is unknown"),
            ({"averaging": 1.0}, "averaging must be at least 0 and below 1"),
            ({"mapping_layers": 0}, "mapping_layers must be at least 1"),
            ({"latent_dim": 0}, "latent_dim must be at least 1"),
        ],
    )
    def test_bad_settings_are_refused(self, settings, sentence):
        with pytest.raises(ValueError, match=sentence):
            alae(**settings)

    def test_codes_of_another_width_are_refused_with_the_way_from_z(self):
        with pytest.raises(ValueError, match=r"w must have shape \(N, 3\).*system\.map\(z\)"):
            alae().decode(torch.zeros(2, 5))


class TestBidirectionalGAN:
    def test_who_moves(self):
        assert moved(bigan()) == {"discriminator": {"discriminator"}, "generator": {"encoder", "decoder"}}

    def test_the_losses_by_hand(self):
        system = bigan().train()
        z = torch.randn(len(IMAGES), 3, generator=torch.Generator().manual_seed(1))
        encoded = torch.cat([IMAGES.flatten(1), system.encoder(IMAGES)], dim=1)
        generated = torch.cat([system.decoder(z).flatten(1), z], dim=1)
        one, other = system.discriminator(encoded), system.discriminator(generated)
        torch.testing.assert_close(system.discriminator_loss(batch()), bce(one, 1) + bce(other, 0))
        torch.testing.assert_close(system.generator_loss(batch()), 0.5 * (bce(one, 0) + bce(other, 1)))

    def test_at_equilibrium_the_losses_are_those_that_health_knows(self):
        system = bigan()
        torch.nn.init.zeros_(system.discriminator.body[-1].weight)
        assert float(system.discriminator_loss(batch()).detach()) == pytest.approx(2 * math.log(2))
        assert float(system.generator_loss(batch()).detach()) == pytest.approx(math.log(2))

    def test_it_trains_and_is_restored(self, tmp_path):
        system = bigan()
        assert train(system, updates=5).update == 5
        save(system, tmp_path / "system")
        assert torch.equal(restore(tmp_path / "system").sample(4), system.sample(4))
