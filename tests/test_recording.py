"""Updates recorded as CUDA graphs: who takes part, and that nothing else changes. Most of it needs a GPU."""

import math

import pytest
import torch
from test_validation import SHAPE, TRAIN, aae, semi_supervised, train, weights
from test_validation import SYSTEMS as OTHERS

from aae_lib.priors import Gaussian
from aae_lib.systems import (
    SGD,
    Adam,
    AdversarialAutoencoder,
    Classifier,
    Phase,
    SemiSupervisedVariationalAutoencoder,
    VirtualAdversarialClassifier,
)
from aae_lib.systems import base as systems
from aae_lib.training.recording import Recording

on_a_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="graphs are recorded on a GPU only")
SMALL = {
    **OTHERS,
    "shares codes": lambda: AdversarialAutoencoder(SHAPE, prior=Gaussian(2), hidden=(16,), batch_norm=False),
    "network": lambda: Classifier(SHAPE, classes=3, hidden=(16,)),
    "vat": lambda: VirtualAdversarialClassifier(SHAPE, classes=3, hidden=(16,)),
    "m2": lambda: SemiSupervisedVariationalAutoencoder(SHAPE, classes=3, style_dim=2, hidden=(16,)),
}


class Counting(AdversarialAutoencoder):
    """A reader's own system, which does not say that its updates are all the same."""


class Steady(AdversarialAutoencoder):
    recordable = True


def test_only_those_are_recorded_that_are_known_to_do_the_same_at_every_update():
    assert systems.SYSTEMS["AdversarialAutoencoder"].recordable
    for averaged in ("AdversarialLatentAutoencoder", "StyleAdversarialLatentAutoencoder"):
        assert not systems.SYSTEMS[averaged].recordable  # averages look at a counter
    assert not Counting.recordable
    assert Steady.recordable


def test_on_a_cpu_nothing_is_recorded(monkeypatch):
    monkeypatch.setattr(Recording, "__call__", lambda *_: pytest.fail("recorded on a CPU"))
    train(aae(), updates=3)


def plain(monkeypatch):
    """From here on a training computes every update anew."""
    monkeypatch.setattr(Recording, "__call__", lambda self, *update: self.compute(*update))


@on_a_gpu
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", SMALL)
def test_a_recorded_training_is_the_plain_one(name, precision, monkeypatch):
    recorded, alone = SMALL[name](), SMALL[name]()
    settings = dict(device="cuda", precision=precision, updates=60)  # five epochs
    history = train(recorded, **settings)
    plain(monkeypatch)
    expected = train(alone, **settings)
    assert history.updates.tolist() == expected.updates.tolist()
    for phase, losses in history.losses.items():
        assert losses.tolist() == pytest.approx(expected.losses[phase].tolist(), rel=1e-3, abs=1e-4, nan_ok=True), phase
    left, right = weights(recorded), weights(alone)
    for key, value in left.items():
        torch.testing.assert_close(value.float(), right[key].float(), rtol=1e-3, atol=1e-4, msg=f"{key} differs")


@on_a_gpu
def test_a_change_of_the_steps_and_a_phase_that_rests_are_followed(monkeypatch):
    class Resting(Steady):
        def phases(self):
            first, *rest = super().phases()
            return [first, *(Phase(one.name, one.loss, one.learns, one.optimizer, every=3) for one in rest)]

    def build():
        return Resting(TRAIN.images.shape[1:], prior=aae().prior, hidden=(16,), discriminator_hidden=(16,))

    steps = {"reconstruction": Adam(1e-2, drops={1: 10, 3: 10}), "discriminator": SGD(0.1, momentum=0.5, drops={2: 4})}
    settings = dict(device="cuda", updates=60, optimizers=steps)
    recorded, alone = build(), build()
    history = train(recorded, **settings)
    assert not all(map(math.isnan, history.losses["discriminator"][-3:]))
    plain(monkeypatch)
    train(alone, **settings)
    for key, value in weights(recorded).items():
        torch.testing.assert_close(value, weights(alone)[key], rtol=1e-3, atol=1e-4, msg=f"{key} differs")


@on_a_gpu
def test_a_game_that_begins_late_begins_in_a_recorded_training_too(monkeypatch):
    def build():
        return semi_supervised(style_game="conditional", conditional_from=0.5)

    recorded, alone = build(), build()
    train(recorded, device="cuda")
    plain(monkeypatch)
    train(alone, device="cuda")
    for key, value in weights(recorded).items():
        torch.testing.assert_close(value, weights(alone)[key], rtol=1e-3, atol=1e-4, msg=f"{key} differs")


@on_a_gpu
def test_a_recorded_training_goes_on_from_its_checkpoint(tmp_path):
    whole, parts = aae(), aae()
    train(whole, device="cuda", updates=60)
    for updates in (23, 60):
        train(parts, device="cuda", updates=updates, checkpoint=tmp_path / "one.safetensors")
    for key, value in weights(whole).items():
        torch.testing.assert_close(value, weights(parts)[key], rtol=1e-3, atol=1e-4, msg=f"{key} differs")
