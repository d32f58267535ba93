"""``fit``: seeds, epochs, schedules, callbacks, checkpoints and exact resume, Ctrl-C, divergence."""

from __future__ import annotations

import functools
import itertools
import math
import pickle
import random
import signal
import threading
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from aae_lib import Snapshots, checks, fit, restore
from aae_lib.checks import DataError
from aae_lib.data import Split
from aae_lib.priors import Gaussian, GaussianMixture
from aae_lib.systems import (
    SGD,
    Adam,
    AdversarialAutoencoder,
    Autoencoder,
    GenerativeAdversarialNetwork,
    Phase,
    System,
    VariationalAutoencoder,
)
from aae_lib.training import TrainingDiverged, loop
from aae_lib.training.precision import choose_autocast, precision_of

SHAPE = (1, 4, 4)


def images(count: int = 60) -> torch.Tensor:
    return torch.randint(256, (count, *SHAPE), generator=torch.Generator().manual_seed(1)).to(torch.uint8)


def aae(seed: int = 0, **settings) -> AdversarialAutoencoder:
    """An AAE with every source of randomness and of state that there is: noise, a random posterior, batch norm."""
    noisy = {"posterior": "universal", "batch_norm": True, "input_noise": 0.1, "discriminator_noise": 0.1}
    sizes = {"hidden": (16,), "discriminator_hidden": (16,)}
    return AdversarialAutoencoder(SHAPE, prior=Gaussian(2), seed=seed, **{**noisy, **sizes, **settings})


def train(system: System, data=None, **settings):
    chosen = {"epochs": 2, "batch_size": 10, "seed": 3, "device": "cpu", "precision": "float32", "progress": False}
    return fit(system, images() if data is None else data, **{**chosen, **settings})


def assert_same_weights(one: System, other: System) -> None:
    torch.testing.assert_close(one.state_dict(), other.state_dict(), rtol=0, atol=0)


def differ(one: System, other: System) -> bool:
    return any(not torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


def press_ctrl_c_at(update: int):
    """A callback that sends a real SIGINT after that update."""
    return lambda moment: signal.raise_signal(signal.SIGINT) if moment.update == update else None


class Recorder(System):
    """Notes which images each update sees; all pixels of image k are k. Its one weight has a gradient of 1."""

    def __init__(self, image_shape=(1, 1, 1), optimizer=SGD(0.0)):  # noqa: B008 (frozen)
        super().__init__(image_shape)
        self.network = nn.Linear(1, 1)
        nn.init.zeros_(self.network.weight)
        self.optimizer = optimizer
        self.seen: list[list[int]] = []
        self.labels: list[list[int]] = []

    def phases(self):
        return [Phase("only", self.loss, learns=(self.network,), optimizer=self.optimizer)]

    def loss(self, batch):
        self.seen.append((255 * batch.images).round().long().flatten().tolist())
        if batch.labels is not None:
            self.labels.append(batch.labels.tolist())
        return self.network.weight.sum()


def numbered(count: int) -> torch.Tensor:
    return torch.arange(count, dtype=torch.uint8).reshape(count, 1, 1, 1)


class TestSeeds:
    def test_the_same_seed_gives_the_same_weights_and_losses(self):
        one, other = aae(), aae()
        first, second = train(one), train(other)
        assert_same_weights(one, other)
        assert first.rows == second.rows

    def test_another_seed_gives_others(self):
        one, other = aae(), aae()
        train(one, seed=3), train(other, seed=4)
        assert differ(one, other)

    def test_the_global_generators_are_left_alone(self):
        before = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
        train(aae(), callbacks=[lambda moment: moment.system.sample(2)])
        assert torch.equal(torch.get_rng_state(), before[0])
        assert (np.random.get_state()[1] == before[1]).all()
        assert random.getstate() == before[2]

    def test_the_state_of_the_global_generators_does_not_matter(self):
        one, other = aae(), aae()
        train(one)
        torch.rand(17)
        train(other)
        assert_same_weights(one, other)

    def test_watching_changes_nothing(self):
        one, other = aae(), aae()
        train(one), train(other, callbacks=[lambda moment: moment.system.reconstruct(images(5))])
        assert_same_weights(one, other)


class TestEpochs:
    def test_an_epoch_shows_each_image_once_in_a_fresh_order(self):
        system = Recorder()
        history = train(system, numbered(30), epochs=3)
        assert len(system.seen) == history.update == 9 and history.epochs_done == 3
        epochs = [[*itertools.chain(*system.seen[3 * epoch : 3 * epoch + 3])] for epoch in range(3)]
        assert all(sorted(epoch) == list(range(30)) for epoch in epochs)
        assert len({tuple(epoch) for epoch in [list(range(30)), *epochs]}) == 4, "never in the same order"

    def test_images_that_fill_no_batch_wait_for_the_next_epoch(self):
        system = Recorder()
        history = train(system, numbered(25), epochs=4)
        assert history.updates_per_epoch == 2 and len(system.seen) == 8
        epochs = [[*itertools.chain(*system.seen[2 * epoch : 2 * epoch + 2])] for epoch in range(4)]
        assert all(len(set(epoch)) == 20 for epoch in epochs)
        assert len({tuple(sorted(epoch)) for epoch in epochs}) > 1, "not the same ones every time"

    def test_labels_stay_with_their_images(self):
        system = Recorder()
        train(system, Split(numbered(30), 2 * torch.arange(30)))
        assert system.labels == [[2 * image for image in batch] for batch in system.seen]

    def test_uint8_floating_point_and_numpy_images_train_alike(self):
        systems = [aae(), aae(), aae()]
        for system, data in zip(systems, (images(), images().float() / 255, images().numpy()), strict=True):
            train(system, data)
        assert_same_weights(systems[0], systems[1])
        assert_same_weights(systems[0], systems[2])

    def test_the_mean_image_s_loss_is_half_the_summed_variance(self):
        x = images().float() / 255
        expected = 0.5 * float(x.var(dim=0, unbiased=False).sum())
        assert train(aae()).mean_image_loss == pytest.approx(expected, rel=1e-5)


class TestSchedules:
    def test_a_drop_divides_the_learning_rate_from_its_epoch_on(self):
        system, values = Recorder(optimizer=SGD(1.0, drops={1: 10, 3: 2})), []
        train(system, numbered(20), epochs=4, callbacks=[lambda _: values.append(system.network.weight.item())])
        steps = -np.diff(values)  # the gradient is 1, so each step is the learning rate
        assert steps == pytest.approx([1, 1, 0.1, 0.1, 0.1, 0.1, 0.05, 0.05])

    def test_optimizers_replace_a_phase_s_own(self):
        system = Recorder(optimizer=SGD(1.0))
        train(system, numbered(20), epochs=1, optimizers={"only": SGD(0.25)})
        assert system.network.weight.item() == pytest.approx(-0.5)

    def test_momentum_carries_over_from_update_to_update(self):
        system = Recorder()
        train(system, numbered(30), epochs=1, optimizers={"only": SGD(1.0, momentum=0.5)})
        assert system.network.weight.item() == pytest.approx(-(1 + 1.5 + 1.75))

    def test_a_first_step_of_adam_is_the_learning_rate(self):
        system = Recorder()
        train(system, numbered(10), epochs=1, optimizers={"only": Adam(0.125)})
        assert system.network.weight.item() == pytest.approx(-0.125)


class TestCallbacks:
    def test_they_see_update_0_and_every_one_after(self):
        seen = []
        history = train(
            aae(), callbacks=[lambda moment: seen.append((moment.update, moment.epoch, moment.history.update))]
        )
        assert seen == [(update, update / 6, update) for update in range(13)]
        assert history.update == 12

    def test_snapshots_are_taken_at_their_updates(self):
        system = aae()
        snapshots = Snapshots(lambda system: system.decoder.output and system.sample(2), at=(0, 1, 12, 99))
        train(system, callbacks=[snapshots])
        assert list(snapshots.pictures) == [0, 1, 12]
        assert torch.equal(snapshots.pictures[0], aae().sample(2)), "before the first update"
        assert torch.equal(snapshots.pictures[12], system.sample(2))
        assert not torch.equal(snapshots.pictures[0], snapshots.pictures[1])

    def test_the_system_is_ready_to_use_afterwards(self):
        system = aae()
        train(system)
        assert not system.training and all(weight.requires_grad for weight in system.parameters())

    def test_an_error_in_one_leaves_the_system_ready_to_use(self):
        system, before = aae(), signal.getsignal(signal.SIGINT)
        with pytest.raises(ZeroDivisionError):
            train(system, callbacks=[lambda moment: 1 / (3 - moment.update)])
        assert not system.training and all(weight.requires_grad for weight in system.parameters())
        assert signal.getsignal(signal.SIGINT) is before


BUILDERS = {
    "aae": aae,
    "autoencoder": lambda: Autoencoder(SHAPE, hidden=(16,), input_dropout=0.2),
    "gan": lambda: GenerativeAdversarialNetwork(SHAPE, prior=Gaussian(2), hidden=(8,), body="convolutional"),
    "vae": lambda: VariationalAutoencoder(SHAPE, prior=GaussianMixture(), hidden=(16,)),
}
OPTIMIZERS = {
    "own": lambda phase: phase.optimizer,
    "sgd": lambda phase: SGD(0.01),
    "momentum": lambda phase: SGD(0.01, momentum=0.9, drops={1: 10}),
}


@pytest.mark.parametrize(
    ("system", "optimizer"),
    [("aae", "own"), ("aae", "sgd"), ("aae", "momentum"), ("autoencoder", "own"), ("gan", "own"), ("vae", "momentum")],
)
class TestResume:
    """Whole or in parts, a training is the same bit for bit. With 44 updates an epoch, windows are of 2."""

    @staticmethod
    def run(name, optimizer, epochs=2, **settings):
        system = BUILDERS[name]()
        optimizers = {phase.name: OPTIMIZERS[optimizer](phase) for phase in system.phases()}
        return system, train(system, images(440), epochs=epochs, optimizers=optimizers, **settings)

    @classmethod
    @functools.cache
    def whole(cls, name, optimizer):
        return cls.run(name, optimizer)

    def assert_same_as_whole(self, parts, name, optimizer):
        system, history = self.whole(name, optimizer)
        assert_same_weights(parts[0], system)
        assert replace(parts[1], seconds=0) == replace(history, seconds=0)

    def test_between_two_epochs(self, tmp_path, system, optimizer):
        checkpoint = tmp_path / "run.checkpoint"
        self.run(system, optimizer, epochs=1, checkpoint=checkpoint)
        self.assert_same_as_whole(self.run(system, optimizer, checkpoint=checkpoint), system, optimizer)

    def test_after_ctrl_c_in_the_middle_of_an_epoch_and_of_a_window(self, tmp_path, system, optimizer):
        checkpoint = tmp_path / "run.checkpoint"
        for update in (10, 50):  # Ctrl-C is pressed after this update, so the next one is the last
            stopped, history = self.run(system, optimizer, checkpoint=checkpoint, callbacks=[press_ctrl_c_at(update)])
            assert history.interrupted and history.update == update + 1 and len(history.pending) == 1
            assert_same_weights(restore(checkpoint, into=BUILDERS[system]()), stopped)
        self.assert_same_as_whole(self.run(system, optimizer, checkpoint=checkpoint), system, optimizer)


class TestCheckpoints:
    def test_the_checkpoint_is_from_before_a_crash(self, tmp_path, monkeypatch):
        monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", -1)  # after every update
        path, whole, parts = tmp_path / "run.checkpoint", aae(), aae()
        train(whole)
        with pytest.raises(ZeroDivisionError):
            train(aae(), checkpoint=path, callbacks=[lambda moment: 1 / (7 - moment.update)])
        seen = []
        train(parts, checkpoint=path, callbacks=[lambda moment: seen.append(moment.update)])
        assert seen == list(range(7, 13)), "only what had not been kept is done again"
        assert_same_weights(whole, parts)

    def test_a_finished_training_is_not_repeated(self, tmp_path):
        path, one, other, seen = tmp_path / "run.checkpoint", aae(), aae(), []
        first = train(one, checkpoint=path)
        second = train(other, checkpoint=path, callbacks=[lambda moment: seen.append(moment.update)])
        assert_same_weights(one, other)
        assert first.rows == second.rows and not seen

    def test_a_checkpoint_holds_a_system_that_restore_reads(self, tmp_path):
        system = aae()
        train(system, checkpoint=tmp_path / "run.checkpoint")
        assert_same_weights(restore(tmp_path / "run.checkpoint"), system)

    @pytest.mark.parametrize(
        ("change", "word"),
        [
            ({"seed": 4}, "seed"),
            ({"batch_size": 12}, "batch_size"),
            ({"data": images(70)}, "images"),
            ({"data": 255 - images()}, "pixels"),
            ({"optimizers": {"generator": SGD(0.1)}}, "optimizers"),
            ({"system": aae(noise_dim=3)}, "noise_dim"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_a_checkpoint_of_another_training_is_refused_and_kept(self, tmp_path, change, word):
        path = tmp_path / "run.checkpoint"
        train(aae(), checkpoint=path)
        content, settings = path.read_bytes(), {"system": aae(), **change}
        system = settings["system"]
        before = {name: value.clone() for name, value in system.state_dict().items()}
        with pytest.raises(DataError, match=word):
            train(checkpoint=path, **settings)
        assert path.read_bytes() == content
        assert all(torch.equal(value, before[name]) for name, value in system.state_dict().items())


class TestCtrlC:
    @pytest.fixture(autouse=True)
    def heeds_ctrl_c(self):
        """A shell starts what it runs in the background deaf to SIGINT."""
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        yield
        signal.signal(signal.SIGINT, before)

    def test_the_system_and_its_history_are_kept(self, capsys):
        system = aae()
        history = train(system, epochs=50, callbacks=[press_ctrl_c_at(4)])
        assert history.interrupted and 4 <= history.update <= 5 == len(history.updates)
        assert differ(system, aae()) and not system.training
        assert "kept" in capsys.readouterr().out

    def test_an_update_is_never_left_half_done(self):
        """Ctrl-C between two phases: the update is finished, so that the weights are those of a shorter training."""

        class Pressing(AdversarialAutoencoder):
            def discriminator_loss(self, batch):
                self.calls = getattr(self, "calls", 0) + 1
                if self.calls == 3:
                    signal.raise_signal(signal.SIGINT)
                return super().discriminator_loss(batch)

        sizes = {"prior": Gaussian(2), "hidden": (16,), "discriminator_hidden": (16,)}
        stopped, whole = Pressing(SHAPE, **sizes), AdversarialAutoencoder(SHAPE, **sizes)
        history = train(stopped, images(30), epochs=9)
        assert history.interrupted and history.update == 3
        train(whole, images(30), epochs=1)
        assert_same_weights(stopped, whole)

    def test_the_handler_is_put_back(self):
        before = signal.getsignal(signal.SIGINT)
        train(aae())
        assert signal.getsignal(signal.SIGINT) is before
        train(aae(), callbacks=[press_ctrl_c_at(2)])
        assert signal.getsignal(signal.SIGINT) is before

    def test_a_second_one_stops_at_once(self):
        presses = [press_ctrl_c_at(2), press_ctrl_c_at(2)]
        with pytest.raises(KeyboardInterrupt):
            train(aae(), callbacks=presses)

    def test_a_thread_can_train(self):
        whole, threaded, failures = aae(), aae(), []

        def work():
            try:
                train(threaded)
            except BaseException as error:  # it would be lost with the thread
                failures.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        train(whole)
        assert not failures
        assert_same_weights(whole, threaded)


class Diverging(System):
    """Two phases; the loss of the second is not finite at update ``at``."""

    def __init__(self, image_shape=SHAPE, at=5, value=math.nan):
        super().__init__(image_shape)
        self.first, self.second = nn.Linear(1, 1), nn.Linear(1, 1)
        for network in (self.first, self.second):
            nn.init.ones_(network.weight)
        self.calls, self.at, self.value = 0, at, value

    def phases(self):
        return [
            Phase("calm", lambda batch: self.first.weight.square().sum(), learns=(self.first,)),
            Phase("wild", self.wild_loss, learns=(self.second,), optimizer=SGD(0.125)),
        ]

    def wild_loss(self, batch):
        self.calls += 1
        return self.second.weight.square().sum() * (self.value if self.calls == self.at else 1)


class TestDivergence:
    @pytest.mark.parametrize("value", [math.nan, math.inf])
    def test_it_is_stopped_with_a_sentence_and_the_last_finite_weights(self, value):
        system, whole = Diverging(value=value), Diverging(at=None)
        with pytest.raises(TrainingDiverged, match=r"'wild'.* at update 5.*learning rate \(0\.125\).*\.$") as caught:
            train(system)
        assert "\n" not in str(caught.value)
        assert caught.value.history.update == len(caught.value.history.updates) == 4
        train(whole, images(40), epochs=1)
        assert torch.equal(system.second.weight, whole.second.weight)
        assert all(torch.isfinite(weight).all() for weight in system.parameters())
        assert not system.training and system.first.weight.requires_grad

    def test_it_can_be_told_across_processes(self):
        with pytest.raises(TrainingDiverged) as caught:
            train(Diverging())
        told = pickle.loads(pickle.dumps(caught.value))
        assert str(told) == str(caught.value) and told.history.rows == caught.value.history.rows

    def test_the_checkpoint_stays_from_before(self, tmp_path, monkeypatch):
        monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", -1)
        system = Diverging()
        with pytest.raises(TrainingDiverged):
            train(system, checkpoint=tmp_path / "run.checkpoint")
        resumed = Diverging(at=None)
        resumed.settings = system.settings
        seen = []
        train(resumed, checkpoint=tmp_path / "run.checkpoint", callbacks=[lambda moment: seen.append(moment.update)])
        assert seen[0] == 5

    def test_a_step_far_too_large_is_found(self):
        system = Autoencoder(SHAPE, hidden=(16,), output="linear")
        with pytest.raises(TrainingDiverged, match="'reconstruction'"):
            train(system, epochs=20, optimizers={"reconstruction": SGD(1e3)})


class TestDevices:
    def test_auto_is_the_cpu_where_there_is_nothing_else(self, monkeypatch):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
        assert checks.device("device", "auto") == checks.device("device", "cpu") == torch.device("cpu")

    @pytest.mark.parametrize(
        ("cuda", "mps", "expected"), [(True, True, "cuda"), (True, False, "cuda"), (False, True, "mps")]
    )
    def test_auto_prefers_cuda_to_mps_to_the_cpu(self, monkeypatch, cuda, mps, expected):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
        assert checks.device("device", "auto").type == expected

    def test_bfloat16_is_for_products_only_and_learns_the_same(self):
        exact, fast = aae(), aae()
        exact_history, fast_history = train(exact, precision="float32"), train(fast, precision="bfloat16")
        assert differ(exact, fast)
        assert all(weight.dtype == torch.float32 for weight in fast.parameters())
        for name, losses in exact_history.losses.items():
            assert fast_history.losses[name] == pytest.approx(losses, rel=0.05), name

    def test_precisions(self):
        cpu = torch.device("cpu")
        product = {}
        for precision in ("float32", "bfloat16"):
            with choose_autocast(precision, nn.Linear(2, 2), cpu)():
                product[precision] = (torch.ones(2, 2) @ torch.ones(2, 2)).dtype
        assert product == {"float32": torch.float32, "bfloat16": torch.bfloat16}

    def test_auto_rounds_only_where_there_is_much_to_multiply(self, monkeypatch):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True}, raising=False)
        networks = {"few": nn.Linear(64, 64), "many": nn.Linear(700, 700), "convolutional": nn.Conv2d(1, 2, 3)}
        chosen = {
            name: precision_of(choose_autocast("auto", network, torch.device("cpu")))
            for name, network in networks.items()
        }
        assert chosen == {"few": "float32", "many": "bfloat16", "convolutional": "bfloat16"}


class TestProgress:
    def test_it_shows_updates_losses_and_their_health(self, capfd):
        train(aae(), progress=True)
        shown = "".join(capfd.readouterr())  # on stdout where there is a notebook
        for words in ("12/12 updates", "reconstruction", "discriminator", "generator", "healthy"):
            assert words in shown

    def test_it_can_be_silent(self, capfd):
        train(aae(), progress=False)
        assert capfd.readouterr() == ("", "")
