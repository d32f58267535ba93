"""What a phase may ask of the loop: to run now and then, to share an optimizer, to weigh its parts; and stages."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from aae_lib import Snapshots, fit, restore, save, systems
from aae_lib.checks import DataError
from aae_lib.data import Split
from aae_lib.losses import gradient_penalty
from aae_lib.networks import initialise
from aae_lib.pixels import chunk_size
from aae_lib.priors import Gaussian
from aae_lib.systems import (
    SGD,
    Adam,
    AdversarialAutoencoder,
    Autoencoder,
    Phase,
    SupervisedAdversarialAutoencoder,
    System,
)
from aae_lib.training.history import EQUILIBRIUM, History

IMAGES = torch.rand(20, 1, 2, 2, generator=torch.Generator().manual_seed(0))


class TwoWeights(System):
    """Two weights a and b, one phase each; ``b`` may run now and then, or with a's optimizer."""

    def __init__(self, image_shape=(1, 2, 2), *, every=1, shared=False, factors=(), seed=0):
        super().__init__(image_shape)
        self.a, self.b = nn.Linear(1, 1), nn.Linear(1, 1)
        initialise(self, seed)
        self.every, self.shared, self.factors = every, shared, factors
        self.progress: list[float] = []
        self.updates = 0

    def phases(self):
        steps = "first" if self.shared else Adam(0.1)
        return [
            Phase("first", self.first, (self.a,), Adam(0.1), parts=("one", "two"), factors=self.factors),
            Phase("second", self.second, (self.b, self.a) if self.shared else (self.b,), steps, every=self.every),
        ]

    def first(self, batch):
        self.progress.append(batch.progress)
        return torch.stack([self.a.weight.sum(), self.a.weight.square().sum()])

    def second(self, batch):
        return self.b.weight.sum() + (self.a.weight.square().sum() if self.shared else 0)

    def after_update(self):
        self.updates += 1


def train(system, updates=6, **settings):
    chosen = {"batch_size": 10, "device": "cpu", "precision": "float32", "progress": False, **settings}
    return fit(system, IMAGES, updates=updates, **chosen)


class TestEvery:
    def test_a_phase_runs_at_each_kth_update_the_first_included(self):
        system = TwoWeights(every=3)
        start = float(system.b.weight.detach())
        history = train(system, updates=7)
        assert [not math.isnan(row[3]) for row in history.rows] == [True, False, False, True, False, False, True]
        assert float(system.b.weight.detach()) == pytest.approx(start - 0.3, abs=1e-4)  # Adam's steps are 0.1 each

    def test_the_latest_loss_is_that_of_the_last_time_it_ran_and_windows_leave_gaps_out(self):
        history = History(phases=("a", "b"), updates_per_epoch=1, window=2, mean_image_loss=1.0)
        history.add([[1, 5], [3, math.nan], [1, math.nan], [1, math.nan]])
        assert history.rows[0] == [2, 2, 5] and math.isnan(history.rows[1][2])
        assert history.latest() == {"a": 1, "b": 5}

    def test_resumed_it_goes_on_bit_for_bit(self, tmp_path):
        whole, parts = TwoWeights(every=3), TwoWeights(every=3)
        train(whole, updates=8)
        train(parts, updates=4, checkpoint=tmp_path / "run")
        train(parts, updates=8, checkpoint=tmp_path / "run")
        for one, other in zip(whole.parameters(), parts.parameters(), strict=True):
            assert torch.equal(one, other)


class TestOptimizers:
    def test_phases_share_an_optimizer_by_name(self, tmp_path):
        """The second phase's step of a is Adam's second: with the moments of the first."""
        shared = TwoWeights(shared=True)
        a = shared.a.weight.detach().clone().requires_grad_()
        adam = torch.optim.Adam([a], lr=0.1)
        train(shared, updates=1, checkpoint=tmp_path / "run")
        for loss in (lambda: (a + a.square()).sum(), lambda: a.square().sum()):
            adam.zero_grad()
            loss().backward()
            adam.step()
        torch.testing.assert_close(shared.a.weight, a)
        train(shared, updates=3, checkpoint=tmp_path / "run")
        whole = TwoWeights(shared=True)
        train(whole, updates=3)
        assert torch.equal(whole.a.weight, shared.a.weight) and torch.equal(whole.b.weight, shared.b.weight)

    def test_only_an_earlier_phase_s_can_be_shared(self):
        class Wrong(TwoWeights):
            def phases(self):
                return [Phase("first", self.first, (self.a,), "second"), Phase("second", self.second, (self.b,))]

        with pytest.raises(ValueError, match="'second', which is unknown"):
            train(Wrong())

    def test_a_diverging_loss_names_the_phase_whose_optimizer_it_was(self):
        class Diverging(TwoWeights):
            def second(self, batch):
                return self.b.weight.sum() * math.inf

        with pytest.raises(ArithmeticError, match=r"phase 'second' is .*optimizers=\{'first': \.\.\.\}"):
            train(Diverging(shared=True))


class TestNames:
    @pytest.mark.parametrize(
        ("change", "sentence"),
        [
            ({"name": "first"}, "two phases are called 'first'"),
            ({"parts": ("one",)}, "two losses of phases are called 'one'"),
            ({"learns": ()}, "phase 'second' has no weights to learn"),
        ],
    )
    def test_what_would_train_other_weights_or_none_is_refused(self, change, sentence):
        class Twice(TwoWeights):
            def phases(self):
                first, second = super().phases()
                return [first, replace(second, **change)]

        system = Twice()
        with pytest.raises(ValueError, match=sentence):
            train(system)
        assert system.updates == 0


class TestFactors:
    def test_the_history_has_the_parts_and_the_gradient_their_weighted_sum(self):
        class Plain(TwoWeights):
            def phases(self):
                return [Phase("first", self.first, (self.a,), SGD(0.1), parts=("one", "two"), factors=self.factors)]

        system = Plain(factors=(2.0, 3.0))
        a = float(system.a.weight.detach())
        history = train(system, updates=1)
        assert history.latest() == pytest.approx({"one": a, "two": a * a})
        assert float(system.a.weight.detach()) == pytest.approx(a - 0.1 * (2 + 3 * 2 * a))

    def test_there_is_one_for_each_part(self):
        with pytest.raises(ValueError, match="1 factors for 2 parts"):
            Phase("first", lambda batch: None, (), parts=("one", "two"), factors=(1.0,))

    @pytest.mark.parametrize("every", [0, -1, 1.5])
    def test_every_is_a_whole_number_of_at_least_1(self, every):
        with pytest.raises((TypeError, ValueError), match="every of phase 'first'"):
            Phase("first", lambda batch: None, (), every=every)


class TestProgress:
    def test_losses_know_the_share_that_is_done(self):
        system = TwoWeights()
        train(system, updates=4)
        assert system.progress == [0, 0.25, 0.5, 0.75] and system.updates == 4

    def test_updates_take_the_place_of_epochs(self):
        assert train(TwoWeights(), updates=5).update == 5
        with pytest.raises(TypeError, match="epochs or updates"):
            fit(TwoWeights(), IMAGES)
        with pytest.raises(TypeError, match="epochs or updates"):
            fit(TwoWeights(), IMAGES, epochs=1, updates=1)
        with pytest.raises(ValueError, match="updates must be at least 1"):
            train(TwoWeights(), updates=0)


class Averaging(Autoencoder):
    """An autoencoder that also keeps the moving average of its decoder."""

    def __init__(self, image_shape=(1, 2, 2), *, decay=0.5, **rest):
        super().__init__(image_shape, hidden=(4,), **rest)
        self.averaged = AveragedModel(self.decoder, multi_avg_fn=get_ema_multi_avg_fn(decay))

    def after_update(self):
        self.averaged.update_parameters(self.decoder)


class TestAveragedWeights:
    def test_by_hand_over_three_updates(self):
        system, seen = Averaging(), []
        train(system, updates=3, callbacks=[lambda moment: seen.append(moment.system.decoder.body[0].weight.clone())])
        average = seen[1]  # the first update sets it
        for weight in seen[2:]:
            average = 0.5 * average + 0.5 * weight
        torch.testing.assert_close(system.averaged.module.body[0].weight, average)

    def test_through_a_checkpoint_and_a_file(self, tmp_path):
        whole, parts = Averaging(), Averaging()
        train(whole, updates=6)
        train(parts, updates=3, checkpoint=tmp_path / "run")
        train(parts, updates=6, checkpoint=tmp_path / "run")
        save(parts, tmp_path / "system")
        again = restore(tmp_path / "system")
        for name, value in whole.state_dict().items():
            assert torch.equal(value, parts.state_dict()[name]) and torch.equal(value, again.state_dict()[name])


class Noting:
    """Callback that notes at which updates it is called; it asks for them by ``every`` or ``at``."""

    def __init__(self, **asked):
        vars(self).update(asked)
        self.seen = []

    def __call__(self, moment):
        self.seen.append(moment.update)


class TestCallbacks:
    def test_each_is_called_when_it_asks_to_be(self):
        often, seldom, taken = Noting(every=2), Noting(every=5), Snapshots(lambda system: system.updates, at=(0, 3))
        train(TwoWeights(), updates=6, callbacks=[often, seldom, taken])
        assert often.seen == [0, 2, 4, 6] and seldom.seen == [0, 5] and taken.pictures == {0: 0, 3: 3}

    def test_updates_may_be_named_in_any_collection(self):
        callbacks = [Noting(at=at) for at in ([2], frozenset({2}), range(2, 3))]
        train(TwoWeights(), updates=4, callbacks=callbacks)
        assert [callback.seen for callback in callbacks] == [[2]] * 3
        with pytest.raises(TypeError, match="at of a callback must be a set of updates, but it is 2"):
            train(TwoWeights(), callbacks=[Noting(at=2)])

    def test_a_training_that_is_stopped_at_its_last_update_is_complete(self, capsys):
        assert not train(
            TwoWeights(), updates=4, callbacks=[lambda moment: moment.update == 4 and moment.stop()]
        ).interrupted
        assert "Stopped" not in capsys.readouterr().out
        assert train(
            TwoWeights(), updates=4, callbacks=[lambda moment: moment.update == 3 and moment.stop()]
        ).interrupted

    @pytest.mark.parametrize(
        ("callbacks", "sentence"),
        [([3], "each of callbacks must be a function"), (print, "callbacks must be a list"), ("ab", "must be a list")],
    )
    def test_what_cannot_be_called_is_refused_before_anything(self, callbacks, sentence):
        system = TwoWeights()
        with pytest.raises(TypeError, match=sentence):
            train(system, callbacks=callbacks)
        assert system.updates == 0


class TestHistories:
    def test_stages_join(self):
        first, second = train(TwoWeights(), updates=4), train(TwoWeights(), updates=3)
        both = first + second
        assert both.update == 7 and both.updates.tolist() == [1, 2, 3, 4, 5, 6, 7]
        assert both.seconds == first.seconds + second.seconds
        assert both.losses["one"].tolist() == [*first.losses["one"], *second.losses["one"]]

    def test_only_of_the_same_phases(self):
        with pytest.raises(ValueError, match="other phases"):
            train(TwoWeights()) + train(Autoencoder((1, 2, 2), hidden=(4,)))


class TestMemory:
    def test_gradients_are_gone_after_training(self):
        system = Autoencoder((1, 2, 2), hidden=(4,))
        train(system)
        assert all(weight.grad is None and weight.requires_grad for weight in system.parameters())


class OwnPrior(AdversarialAutoencoder):
    """A reader's subclass of a concrete system, with an argument of its own."""

    def __init__(self, image_shape, *, temperature=1.0, **rest):
        super().__init__(image_shape, **rest)
        self.temperature = temperature


class TestStorage:
    def test_a_subclass_is_restored_with_its_own_arguments(self, tmp_path):
        system = OwnPrior((1, 2, 2), prior=Gaussian(2), hidden=(4,), discriminator_hidden=(3,), temperature=0.5)
        assert system.settings["temperature"] == 0.5 and system.settings["discriminator_hidden"] == (3,)
        save(system, tmp_path / "own")
        again = restore(tmp_path / "own")
        assert type(again) is OwnPrior and again.temperature == 0.5
        assert torch.equal(again.encode(IMAGES), system.encode(IMAGES))

    def test_a_class_that_is_not_defined_here_is_named(self, tmp_path, monkeypatch):
        save(TwoWeights(), tmp_path / "own")
        monkeypatch.delitem(__import__("aae_lib.systems.base", fromlist=["x"]).SYSTEMS, "TwoWeights of the reader")
        with pytest.raises(ValueError, match="'TwoWeights of the reader' is defined here"):
            restore(tmp_path / "own")

    def test_a_reader_s_class_does_not_take_the_place_of_the_library_s(self, tmp_path):
        library_s = Autoencoder((1, 2, 2), hidden=(4,))
        save(library_s, tmp_path / "theirs")

        class Autoencoder_(System):
            pass

        Autoencoder_.__name__ = "Autoencoder"
        assert type(restore(tmp_path / "theirs")) is Autoencoder

    def test_arguments_that_do_not_fit_are_the_constructor_s_to_refuse(self):
        with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
            Autoencoder((1, 2, 2), colour="red")


class TestInitialise:
    def test_a_weight_that_nobody_draws_is_an_error(self):
        module = nn.Module()
        module.strength = nn.Parameter(torch.zeros(3))
        with pytest.raises(TypeError, match="nobody draws the weight strength"):
            initialise(module, 0)

    def test_a_layer_may_draw_its_own(self):
        class Own(nn.Module):
            def __init__(self):
                super().__init__()
                self.weight = nn.Parameter(torch.zeros(3))

            def draw_weights(self, generator):
                self.weight.data.normal_(generator=generator)

        one, other = Own(), Own()
        initialise(one, 5), initialise(other, 5)
        assert torch.equal(one.weight, other.weight) and bool(one.weight.detach().all())


def test_gradient_penalty_in_closed_form():
    """D(x) = w · x + ½ c ‖x‖² has the gradient w + c x."""
    x = torch.randn(6, 1, 2, 2, generator=torch.Generator().manual_seed(0)).requires_grad_()
    w = torch.tensor([1.0, -2.0, 0.5, 3.0], requires_grad=True)
    logits = x.flatten(1) @ w + 0.5 * 0.7 * x.square().flatten(1).sum(dim=1)
    penalty = gradient_penalty(logits, x)
    expected = 0.5 * (w + 0.7 * x.flatten(1)).square().sum(dim=1).mean()
    torch.testing.assert_close(penalty, expected)
    penalty.backward()
    torch.testing.assert_close(w.grad, (w + 0.7 * x.flatten(1)).mean(dim=0).detach())  # it can be differentiated again


def test_a_checkpoint_of_another_version_is_refused_but_its_system_is_read(tmp_path):
    from aae_lib.storage import read_tensors, write_tensors

    system = Autoencoder((1, 2, 2), hidden=(4,))
    train(system, updates=2, checkpoint=tmp_path / "run")
    tensors, notes = read_tensors(tmp_path / "run")
    del notes["recipe"]["format"]
    write_tensors(tmp_path / "run", tensors, notes)
    with pytest.raises(DataError, match="another version of aae_lib"):
        train(Autoencoder((1, 2, 2), hidden=(4,)), updates=4, checkpoint=tmp_path / "run")
    assert torch.equal(restore(tmp_path / "run").encode(IMAGES), system.encode(IMAGES))


@pytest.mark.parametrize(("shape", "count"), [((1, 28, 28), 2000), ((3, 128, 128), 95), ((3, 4096, 4096), 1)])
def test_fewer_large_images_are_computed_at_once(shape, count):
    assert chunk_size(shape) == count


def test_labelled_images_have_an_order_of_their_own_even_where_all_are():
    class Pairs(SupervisedAdversarialAutoencoder):
        same = 0

        def reconstruction_loss(self, batch):
            self.same += torch.equal(batch.images, batch.labelled.images)
            return super().reconstruction_loss(batch)

    system = Pairs((1, 2, 2), prior=Gaussian(2), classes=2, hidden=(4,), discriminator_hidden=(4,))
    split = Split((255 * IMAGES).byte(), torch.arange(20) % 2)
    fit(system, split, updates=6, batch_size=10, device="cpu", progress=False)
    assert system.same == 0


GAMES = [
    AdversarialAutoencoder((1, 2, 2), prior=Gaussian(2), hidden=(4,), discriminator_hidden=(4,)),
    systems.GenerativeAdversarialNetwork((1, 2, 2), prior=Gaussian(2), hidden=(4,)),
    systems.SupervisedAdversarialAutoencoder((1, 2, 2), prior=Gaussian(2), hidden=(4,), discriminator_hidden=(4,)),
    systems.SemiSupervisedAdversarialAutoencoder((1, 2, 2), hidden=(4,), discriminator_hidden=(4,)),
    systems.ClusteringAdversarialAutoencoder((1, 2, 2), hidden=(4,), discriminator_hidden=(4,)),
    systems.DimensionalityReductionAdversarialAutoencoder((1, 2, 2), hidden=(4,), discriminator_hidden=(4,)),
    systems.WassersteinAutoencoder((1, 2, 2), prior=Gaussian(2), penalty="gan", hidden=(4,)),
    systems.AdversarialLatentAutoencoder((1, 2, 2), latent_dim=2, hidden=(4,)),
    systems.BidirectionalGAN((1, 2, 2), prior=Gaussian(2), hidden=(4,), discriminator_hidden=(4,)),
    systems.StyleAdversarialLatentAutoencoder((1, 8, 8), latent_dim=4, channels=(4, 4)),
]


@pytest.mark.parametrize("system", GAMES, ids=lambda system: type(system).__name__)
def test_whoever_loses_a_game_is_named_in_every_system(system):
    names = tuple(name for phase in system.phases() for name in phase.names)
    players = [name for name in names if name.partition(" of ")[0] in ("discriminator", "generator")]
    assert {name.partition(" of ")[0] for name in players} == {"discriminator", "generator"}
    for player in players:
        history = History(phases=names, updates_per_epoch=1, window=1, mean_image_loss=1.0)
        losses = {name: 0.1 for name in names} | {name: EQUILIBRIUM[name] for name in players}
        history.add([list(losses.values())])
        assert history.health() == "healthy"
        history.add([list((losses | {player: 7.5}).values())])
        assert f"the {player} " in history.health()
