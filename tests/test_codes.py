"""Codes that two phases see unchanged are computed once, and nothing else changes by it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from aae_lib import fit
from aae_lib.data import Split
from aae_lib.networks import Encoder
from aae_lib.priors import Gaussian
from aae_lib.systems import AdversarialAutoencoder, Batch, SupervisedAdversarialAutoencoder, System
from aae_lib.training.history import History

SHAPE = (1, 6, 6)
PLAIN = dict(batch_norm=False)
ANEW = [  # what makes the same images have other codes, or leaves something behind
    dict(batch_norm=True),
    dict(batch_norm="codes"),
    dict(PLAIN, input_noise=0.3),
    dict(PLAIN, input_dropout=0.3),
    dict(PLAIN, posterior="gaussian"),
    dict(PLAIN, posterior="universal"),
]


def images(count: int = 40) -> torch.Tensor:
    return torch.rand(count, *SHAPE, generator=torch.Generator().manual_seed(1))


def split(count: int) -> Split:
    return Split(images(count), torch.arange(count) % 2)


def build(**settings) -> AdversarialAutoencoder:
    return AdversarialAutoencoder(SHAPE, prior=Gaussian(2), hidden=(16,), discriminator_hidden=(8,), **settings)


def supervised(**settings) -> SupervisedAdversarialAutoencoder:
    settings = {"input_noise": 0.0, "prior": Gaussian(2), **settings}
    return SupervisedAdversarialAutoencoder(SHAPE, classes=2, hidden=(16,), discriminator_hidden=(8,), **settings)


def train(system: System, precision: str = "float32") -> History:
    data = split(40)
    return fit(system, data, epochs=3, batch_size=8, validation=data, precision=precision, device="cpu", progress=False)


def passes(system: System) -> float:
    """How often an update encodes, by two of them."""
    count = 0

    def counted(*_):
        nonlocal count
        count += 1

    hook = system.encoder.register_forward_hook(counted)
    fit(system, split(16), updates=2, batch_size=8, device="cpu", progress=False)
    hook.remove()
    return count / 2


class TestInATraining:
    @pytest.mark.parametrize("kind", [build, supervised])
    def test_the_discriminator_and_the_generator_share_them(self, kind):
        assert passes(kind(**PLAIN)) == 2, "one for reconstruction, one for the game"

    @pytest.mark.parametrize("settings", ANEW, ids=str)
    def test_they_are_computed_anew_where_they_might_differ(self, settings):
        assert passes(build(**settings)) == 3

    @pytest.mark.parametrize("precision", ["float32", "bfloat16"])
    @pytest.mark.parametrize("kind", [build, supervised])
    def test_weights_and_losses_are_those_of_a_training_that_encodes_anew(self, kind, precision, monkeypatch):
        once, anew = kind(**PLAIN), kind(**PLAIN)
        history = train(once, precision)
        monkeypatch.setattr(Encoder, "repeatable", False)
        assert passes(kind(**PLAIN)) == 3
        expected = train(anew, precision)
        for name, value in anew.state_dict().items():
            assert torch.equal(once.state_dict()[name], value), name
        for kind_of_loss in ("losses", "validation_losses"):
            known = getattr(expected, kind_of_loss)
            for phase, values in getattr(history, kind_of_loss).items():
                assert list(values) == list(known[phase]), phase

    def test_a_phase_between_that_moves_the_encoder_is_not_overlooked(self, monkeypatch):
        """The discriminator's phase keeps codes, another one then moves the encoder, and the generator comes last."""

        class Between(AdversarialAutoencoder):
            def phases(self):
                reconstruction, discriminator, generator = super().phases()
                return [discriminator, reconstruction, generator]

        once, anew = (
            Between(SHAPE, prior=Gaussian(2), hidden=(16,), discriminator_hidden=(8,), **PLAIN) for _ in range(2)
        )
        assert passes(once) == 3
        train(once)
        monkeypatch.setattr(Encoder, "repeatable", False)
        passes(anew), train(anew)
        for name, value in anew.state_dict().items():
            assert torch.equal(once.state_dict()[name], value), name

    def test_a_phase_now_and_then_finds_its_own(self):
        system = build(**PLAIN)
        reconstruction, discriminator, generator = system.phases()
        system.phases = lambda: [reconstruction, discriminator, replace(generator, every=2)]
        assert passes(system) == 2, "in two updates: two for reconstruction, two for the game"

    def test_convolutions_share_them_too(self):
        settings = dict(body="convolutional", hidden=(4,))
        system = AdversarialAutoencoder(SHAPE, prior=Gaussian(2), discriminator_hidden=(8,), **PLAIN, **settings)
        assert passes(system) == 2

    def test_no_gradient_reaches_the_encoder_in_the_discriminators_phase(self):
        system, batch = build(**PLAIN), Batch(images(8), None, torch.Generator().manual_seed(0), kept={})
        system.encoder.requires_grad_(False)
        system.discriminator_loss(batch).backward()
        assert all(weight.grad is None and not weight.requires_grad for weight in system.encoder.parameters())
        system.encoder.requires_grad_(True)
        system.generator_loss(batch).backward()
        assert all(weight.grad is not None for weight in system.encoder.parameters())


class TestCodes:
    @pytest.fixture
    def batch(self) -> Batch:
        return Batch(images(8), None, torch.Generator().manual_seed(0), kept={})

    @pytest.fixture
    def encoder(self) -> Encoder:
        return build(**PLAIN).encoder

    @pytest.mark.parametrize("learns", [False, True])
    def test_a_step_of_the_encoder_makes_them_stale(self, batch, encoder, learns):
        before = batch.codes(encoder.requires_grad_(False))
        encoder.body[-1].bias.data += 1
        batch.moved({encoder.body[-1].bias})
        assert torch.equal(batch.codes(encoder.requires_grad_(learns)), before + 1)

    def test_a_step_of_other_networks_does_not(self, batch, encoder):
        calls = []
        encoder.requires_grad_(False).register_forward_hook(lambda *_: calls.append(1))
        batch.codes(encoder)
        batch.moved(set(build(**PLAIN).parameters()))
        batch.codes(encoder)
        assert len(calls) == 1

    def test_where_no_training_tells_of_steps_nothing_is_kept(self, encoder):
        batch, calls = Batch(images(8), None, torch.Generator()), []
        encoder.requires_grad_(False).register_forward_hook(lambda *_: calls.append(1))
        batch.codes(encoder), batch.codes(encoder)
        assert len(calls) == 2

    def test_a_frozen_encoder_encodes_once_however_many_ask(self, batch, encoder):
        calls = []
        encoder.requires_grad_(False).register_forward_hook(lambda *_: calls.append(1))
        first, second = batch.codes(encoder), batch.codes(encoder)
        assert len(calls) == 1 and torch.equal(first, second) and not first.requires_grad

    def test_each_that_learns_can_go_back_through_its_own(self, batch, encoder):
        batch.codes(encoder.requires_grad_(False))
        encoder.requires_grad_(True)
        for _ in range(2):
            batch.codes(encoder).sum().backward()
        twice = [weight.grad.clone() for weight in encoder.parameters()]
        encoder.zero_grad()
        encoder(batch.images).sum().backward()
        for weight, both in zip(encoder.parameters(), twice, strict=True):
            torch.testing.assert_close(2 * weight.grad, both)

    def test_weights_that_a_phase_leaves_alone_get_no_gradient(self, batch, encoder):
        batch.codes(encoder.requires_grad_(False))
        last = encoder.body[-1].requires_grad_(True)
        batch.codes(encoder).sum().backward()
        assert last.weight.grad is not None and encoder.body[0].weight.grad is None

    def test_a_look_without_gradients_leaves_no_trace(self, batch, encoder):
        with torch.no_grad():
            seen = batch.codes(encoder)
        assert all(weight.requires_grad for weight in encoder.parameters())
        learning = batch.codes(encoder)
        assert torch.equal(seen, learning) and learning.requires_grad

    def test_gradients_by_the_images_are_not_cut_off(self, encoder):
        x = images(8).requires_grad_(True)
        batch = Batch(x, None, torch.Generator().manual_seed(0), kept={})
        (slope,) = torch.autograd.grad(batch.codes(encoder.requires_grad_(False)).sum(), x)
        assert float(slope.abs().sum()) > 0

    def test_in_use_nothing_is_kept(self, batch, encoder):
        calls = []
        encoder.requires_grad_(False).eval().register_forward_hook(lambda *_: calls.append(1))
        batch.codes(encoder), batch.codes(encoder)
        assert len(calls) == 2

    @pytest.mark.parametrize("layer", [nn.Dropout(0.5), nn.BatchNorm1d(16)], ids=lambda layer: type(layer).__name__)
    def test_a_layer_that_is_not_the_librarys_is_asked_each_time(self, encoder, layer):
        assert encoder.repeatable
        encoder.body.insert(1, layer)
        assert not encoder.repeatable

    def test_a_readers_own_encoder_is_asked_each_time(self, batch):
        class Own(Encoder):
            calls = 0

            def forward(self, x: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
                self.calls += 1
                return super().forward(x, generator)

        own = Own(SHAPE, 2, hidden=(16,)).requires_grad_(False)
        batch.codes(own), batch.codes(own)
        assert own.calls == 2
