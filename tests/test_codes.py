"""Codes that two phases see unchanged are computed once, and nothing else changes by it."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from aae_lib import fit
from aae_lib.data import Split
from aae_lib.networks import Encoder
from aae_lib.priors import Gaussian
from aae_lib.systems import AdversarialAutoencoder, Batch, SupervisedAdversarialAutoencoder, System

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


def train(system: System, precision: str = "float32") -> System:
    data = split(40)
    fit(system, data, epochs=3, batch_size=8, validation=data, precision=precision, device="cpu", progress=False)
    return system


def passes(system: System) -> int:
    """How often an update encodes, by two batches of one size."""
    count = 0

    def counted(*_):
        nonlocal count
        count += 1

    hook = system.encoder.register_forward_hook(counted)
    fit(system, split(16), updates=2, batch_size=8, device="cpu", progress=False)
    hook.remove()
    return count // 2


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
        once = train(kind(**PLAIN), precision)
        monkeypatch.setattr(Encoder, "repeatable", False)
        anew = kind(**PLAIN)
        assert passes(kind(**PLAIN)) == 3
        train(anew, precision)
        for name, value in anew.state_dict().items():
            assert torch.equal(once.state_dict()[name], value), name

    def test_no_gradient_reaches_the_encoder_in_the_discriminators_phase(self):
        system, batch = build(**PLAIN), Batch(images(8), None, torch.Generator().manual_seed(0))
        system.encoder.requires_grad_(False)
        system.discriminator_loss(batch).backward()
        assert all(weight.grad is None and not weight.requires_grad for weight in system.encoder.parameters())
        system.encoder.requires_grad_(True)
        system.generator_loss(batch).backward()
        assert all(weight.grad is not None for weight in system.encoder.parameters())


class TestCodes:
    @pytest.fixture
    def batch(self) -> Batch:
        return Batch(images(8), None, torch.Generator().manual_seed(0))

    @pytest.mark.parametrize("optimizer", [torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW])
    @pytest.mark.parametrize("fused", [False, True])
    def test_a_step_of_the_encoder_makes_them_stale(self, batch, optimizer, fused):
        encoder = build(**PLAIN).encoder
        step = optimizer(encoder.parameters(), lr=0.1, fused=fused)
        encoder.requires_grad_(False)
        before = batch.codes(encoder)
        encoder.requires_grad_(True)
        batch.codes(encoder).sum().backward()
        step.step()
        encoder.requires_grad_(False)
        after = batch.codes(encoder)
        assert not torch.equal(before, after)
        assert torch.equal(after, encoder(batch.images, batch.generator))

    def test_a_frozen_encoder_encodes_once_however_many_ask(self, batch):
        encoder, calls = build(**PLAIN).encoder.requires_grad_(False), []
        encoder.register_forward_hook(lambda *_: calls.append(1))
        first, second = batch.codes(encoder), batch.codes(encoder)
        assert len(calls) == 1 and torch.equal(first, second) and not first.requires_grad

    def test_each_that_learns_can_go_back_through_its_own(self, batch):
        encoder = build(**PLAIN).encoder
        for _ in range(2):
            batch.codes(encoder).sum().backward()
        twice = [weight.grad.clone() for weight in encoder.parameters()]
        encoder.zero_grad()
        batch.codes(encoder).sum().backward()
        for weight, both in zip(encoder.parameters(), twice, strict=True):
            torch.testing.assert_close(2 * weight.grad, both)

    def test_weights_that_a_phase_leaves_alone_get_no_gradient(self, batch):
        encoder = build(**PLAIN).encoder.requires_grad_(False)
        batch.codes(encoder)
        last = encoder.body[-1].requires_grad_(True)
        batch.codes(encoder).sum().backward()
        assert last.weight.grad is not None and encoder.body[0].weight.grad is None

    def test_a_readers_own_encoder_is_asked_each_time(self, batch):
        class Own(nn.Module):
            calls = 0

            def forward(self, x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
                self.calls += 1
                return x.flatten(1)[:, :2]

        own = Own()
        batch.codes(own), batch.codes(own)
        assert own.calls == 2
