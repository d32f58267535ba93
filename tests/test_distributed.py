"""One training on two processes that ``torchrun`` starts, beside the same on one: equal weights, resume, Ctrl-C, NaN.

``torchrun`` starts this file once, as a program, and both processes go through all of ``Shared``'s methods; each writes
down what it found, and the tests read that.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import json
import math
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from aae_lib import fit
from aae_lib.checks import DataError
from aae_lib.data import Split
from aae_lib.priors import Gaussian
from aae_lib.systems import (
    SGD,
    AdversarialAutoencoder,
    Autoencoder,
    Phase,
    SemiSupervisedAdversarialAutoencoder,
    System,
)
from aae_lib.training import TrainingDiverged, process_group
from aae_lib.training.batches import Batches
from aae_lib.training.distributed import ONE, ManyProcesses
from aae_lib.training.validation import Validation

SHAPE = (1, 4, 4)
SEEDS = range(5)  # of trainings on one process, whose spread is what two processes may differ by


def images(count: int = 240) -> torch.Tensor:
    """Two shades, with noise: enough to learn from."""
    generator = torch.Generator().manual_seed(1)
    shades = torch.randint(2, (count, 1, 1, 1), generator=generator)
    return (40 + 120 * shades + torch.randint(40, (count, *SHAPE), generator=generator)).to(torch.uint8)


def autoencoder() -> Autoencoder:
    return Autoencoder(SHAPE, hidden=(32,))


def aae(seed: int = 0) -> AdversarialAutoencoder:
    """With every source of randomness and of state that there is: noise, a random posterior, batch norm."""
    noisy = {"posterior": "universal", "batch_norm": True, "input_noise": 0.1, "discriminator_noise": 0.1}
    return AdversarialAutoencoder(
        SHAPE, prior=Gaussian(2), hidden=(16,), discriminator_hidden=(16,), seed=seed, **noisy
    )


def train(system: System, data=None, **settings):
    chosen = {"batch_size": 20, "seed": 3, "device": "cpu", "precision": "float32", "progress": False}
    return fit(system, images() if data is None else data, **{**chosen, **settings})


class Recorder(System):
    """Notes each image that it sees, all of whose pixels are its number, and a draw of the noise; loses ``value``."""

    def __init__(self, image_shape=(1, 1, 1), value=1.0):
        super().__init__(image_shape)
        self.network = nn.Linear(1, 1)
        nn.init.zeros_(self.network.weight), nn.init.zeros_(self.network.bias)
        self.value, self.seen, self.labels, self.noise = value, [], [], []

    def phases(self):
        return [Phase("only", self.loss, learns=(self.network,), optimizer=SGD(1.0))]

    def loss(self, batch):
        self.seen.append((255 * batch.images).round().long().flatten().tolist())
        self.labels.append(batch.labels.tolist())
        self.noise.append(float(torch.rand((), generator=batch.generator)))
        return self.value * (1 - self.network.weight.sum())


class Shared:
    """What both processes do, in this order; every method returns what the tests want to know."""

    def __init__(self, rank: int, folder: Path):
        self.rank, self.folder = rank, folder

    def keep(self, name: str, system: System) -> None:
        save_file(system.state_dict(), self.folder / f"{name}.{self.rank}.safetensors")

    def without_noise(self):
        system = autoencoder()
        history = train(system, updates=50)
        self.keep("autoencoder", system)
        return history.rows

    def with_noise(self):
        return [train(aae(seed), updates=80, seed=seed).latest() for seed in SEEDS[:2]]

    def whole(self):
        system = aae(seed=self.rank)  # the first process's weights are what all begin with
        history = train(system, epochs=2)
        self.keep("whole", system)
        return history.rows

    def in_parts(self):
        updates = []

        calls = itertools.count(1)

        def press_at_5(loss, batch):
            if self.rank == 1 and next(calls) == 5:
                signal.raise_signal(signal.SIGINT)
            return loss(batch)

        for turn in range(2):
            system = aae()
            if turn == 0:
                system.discriminator_loss = functools.partial(press_at_5, system.discriminator_loss)
            before = signal.signal(signal.SIGINT, signal.default_int_handler)
            history = train(system, epochs=2, checkpoint=self.folder / "aae.checkpoint")
            ignores = signal.signal(signal.SIGINT, before) == signal.SIG_IGN
            updates.append((history.interrupted, history.update, ignores))
        self.keep("parts", system)
        return updates, history.rows

    def stopped_by_a_callback(self):
        stop_at_3 = lambda moment: moment.stop() if moment.update == 3 else None  # noqa: E731
        return train(aae(), epochs=2, callbacks=[stop_at_3]).update

    def not_finite(self):
        class Diverging(Recorder):
            def loss(system, batch):
                loss = super().loss(batch)
                return loss * math.nan if self.rank == 1 and len(system.seen) == 4 else loss

        system = Diverging()
        try:
            train(system, Split(torch.zeros(40, 1, 1, 1), torch.zeros(40).long()), epochs=9, batch_size=2)
        except TrainingDiverged as error:
            return str(error), error.history.update, system.network.weight.item()

    def recorded(self):
        system = Recorder(value=1.0 + 2 * self.rank)  # a mean of 2 over both
        numbers = torch.arange(30)
        history = train(system, Split(numbers.to(torch.uint8).reshape(30, 1, 1, 1), numbers), epochs=1, batch_size=10)
        rows = [row[1] for row in history.rows]
        return system.seen, system.labels, system.noise, rows, system.network.weight.item()

    def watched(self):
        """A callback that draws, and trains something of its own, as a feature network that measures does."""
        seen, system = [], aae()

        def look(moment):
            moment.system.sample(4)
            history = train(autoencoder(), updates=1, batch_size=5)  # which two processes could not share
            seen.append((moment.update, history.update))

        train(system, epochs=1, callbacks=[look])
        self.keep("watched", system)
        return seen

    def validated(self):
        system = aae()
        history = train(system, epochs=1, validation=images(90))  # four parts, so two for each
        self.keep("validated", system)
        return history.validation_rows, history.baselines, history.last_look

    def refused(self):
        data = Split(images(), torch.arange(240) % 2)
        semi_supervised = SemiSupervisedAdversarialAutoencoder(SHAPE, classes=2, hidden=(8,), discriminator_hidden=(8,))
        sentences = []
        for system, settings in (
            (autoencoder(), {"batch_size": 15}),
            (semi_supervised, {"labelled": torch.arange(5)}),
            (aae(), {"batch_size": 2}),
        ):
            try:
                train(system, data, epochs=1, **settings)
            except ValueError as error:
                sentences.append(str(error))
        return sentences


SCENARIOS = [name for name in vars(Shared) if not name.startswith("_") and name != "keep"]


def main(folder: Path) -> None:
    torch.set_num_threads(1)
    with process_group() as group:
        shared = Shared(group.rank, folder)
        for name in SCENARIOS:
            found = getattr(shared, name)()
            (folder / f"{name}.{group.rank}.json").write_text(json.dumps(found))
    assert not torch.distributed.is_initialized()
    for _ in range(100):  # a thread that has ended stays listed for a moment
        if not (left := threads_of_the_group()):
            break
        time.sleep(0.05)
    assert not left, "such a thread can abort the process at its very end"


def threads_of_the_group() -> list[str]:
    """The names of this process's threads that gloo has started, where the system lists threads."""
    names = []
    for thread in Path("/proc/self/task").glob("*/comm"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            names.append(thread.read_text().strip())
    return [name for name in names if "gloo" in name]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("shared")
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    process = subprocess.run([*launch, __file__, str(folder)], capture_output=True, text=True, timeout=600)
    assert process.returncode == 0, process.stderr
    return folder


@pytest.fixture
def both(folder):
    return lambda name: [json.loads((folder / f"{name}.{rank}.json").read_text(encoding="utf-8")) for rank in range(2)]


@pytest.fixture
def weights(folder):
    return lambda name: [load_file(folder / f"{name}.{rank}.safetensors") for rank in range(2)]


def assert_equal(one: dict, other: dict) -> None:
    torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_an_autoencoder_is_the_one_of_one_process(both, weights):
    system = autoencoder()
    history = train(system, updates=50)
    assert_equal(*weights("autoencoder"))
    torch.testing.assert_close(weights("autoencoder")[0], dict(system.state_dict()), rtol=0, atol=1e-5)
    first, second = both("without_noise")
    assert first == second
    np.testing.assert_allclose(first, history.rows, rtol=1e-5)
    assert history.rows[-1][1] < 0.7 * history.rows[0][1], "it learns something"


def test_an_adversarial_autoencoder_differs_by_no_more_than_seeds_do(both):
    alone = [train(aae(seed), updates=80, seed=seed).latest() for seed in SEEDS]
    for name in alone[0]:
        values = np.array([losses[name] for losses in alone])
        reach = 4 * values.std(ddof=1)  # batch norm sees 10 images instead of 20
        for losses in both("with_noise")[0]:
            assert abs(losses[name] - values.mean()) < reach, name


def test_both_hold_equal_weights_and_running_statistics(both, weights):
    first, second = weights("whole")
    assert any("running_var" in name for name in first)
    assert_equal(first, second)
    assert both("whole")[0] == both("whole")[1]


def test_ctrl_c_on_one_stops_both_after_the_same_update_and_they_go_on_exactly(both, weights):
    (stopped, rows), other = both("in_parts")
    assert [parts[:2] for parts in stopped] == [parts[:2] for parts in other[0]] == [[True, 5], [False, 24]]
    assert [parts[2] for parts in other[0]] == [True, False], "torchrun sends a second SIGINT, which is to be ignored"
    assert rows == other[1] == both("whole")[0]
    for name in ("parts", "whole"):
        assert_equal(weights(name)[1], weights("whole")[0])


def test_a_callback_stops_both(both):
    assert both("stopped_by_a_callback") == [3, 3]


def test_a_nan_on_one_is_a_divergence_on_both(both):
    first, second = both("not_finite")
    assert first == second
    sentence, update, weight = first
    assert "'only' is nan at update 4" in sentence and update == 3 and weight == 3, "three steps of 1"


def test_each_sees_its_slice_and_noise_of_its_own_and_losses_are_means(both):
    (seen, labels, noise, rows, weight), other = both("recorded")
    assert [len(images) for images in (*seen, *other[0])] == [5] * 6
    assert sorted(itertools.chain(*seen, *other[0])) == list(range(30))
    system = Recorder()
    numbers = torch.arange(30)
    train(system, Split(numbers.to(torch.uint8).reshape(30, 1, 1, 1), numbers), epochs=1, batch_size=10)
    assert [mine + yours for mine, yours in zip(seen, other[0], strict=True)] == system.seen, "the order of one process"
    assert labels == seen and other[1] == other[0]
    assert noise == system.noise and not set(noise) & set(other[2])
    assert rows == other[3] == pytest.approx([2, -2, -6]), "the mean of 1 - w and 3 (1 - w), at w = 0, 2, 4"
    assert weight == other[4] == pytest.approx(6)


def test_callbacks_are_the_first_one_s_alone_and_may_train(both, weights):
    assert both("watched") == [[[update, 1] for update in range(13)], []]
    assert_equal(*weights("watched"))


def test_hold_out_losses_are_shared_and_change_nothing(both, weights):
    (rows, baselines, look), other = both("validated")
    assert [rows, baselines, look] == other and len(rows) >= 1
    torch.testing.assert_close(weights("validated")[0], weights("watched")[0], rtol=0, atol=0)
    alone = aae()
    alone.load_state_dict(weights("validated")[0])
    batches = Batches(alone, images(), None, 20, 3)
    losses = Validation(alone, images(90), batches).losses(alone.phases(), contextlib.nullcontext, ONE, 1.0)
    np.testing.assert_allclose(rows[-1][1:], losses, rtol=1e-5)


def test_what_cannot_be_shared_is_refused_by_both(both):
    first, second = both("refused")
    assert first == second and len(first) == 3
    for sentence, words in zip(
        first,
        ("is 15 images, which 2 processes", "is 5 images, which 2 processes", "2 images for 2 processes"),
        strict=True,
    ):
        assert words in sentence and sentence.endswith(".") and "\n" not in sentence


def test_a_checkpoint_of_other_processes_is_refused(folder, both):
    both("in_parts")
    with pytest.raises(DataError, match="processes 2 instead of None"):
        train(aae(), epochs=2, checkpoint=folder / "aae.checkpoint")


def test_every_process_has_a_gpu_of_its_own(monkeypatch):
    taken = []
    monkeypatch.setattr(torch.cuda, "set_device", taken.append)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    group = object.__new__(ManyProcesses)  # of three, and nobody to talk to
    group.count, group.local_rank = 3, 1
    assert group.device(torch.device("cuda")) == torch.device("cuda:1") and taken == [1]
    assert group.device(torch.device("cpu")) == torch.device("cpu")
    assert group.device(torch.device("cuda:0")) == torch.device("cuda:0")
    with pytest.raises(ValueError, match="device is mps, which one process can use, not 3"):
        group.device(torch.device("mps"))
    group.local_rank = 2
    with pytest.raises(ValueError, match=r"more than 2 processes on this machine, but it has 2 GPUs; .*\.$"):
        group.device(torch.device("cuda"))


def test_noise_differs_by_process_and_by_seed():
    seeds = []
    for rank in range(4):
        group = object.__new__(ManyProcesses)
        group.rank = rank
        seeds.append([group.seed(seed) for seed in range(50)])
    assert seeds[0] == list(range(50)), "the first one's noise is that of one process"
    assert len({*itertools.chain(*seeds)}) == 200


def test_without_torchrun_a_group_is_one_process(monkeypatch):
    monkeypatch.delenv("TORCHELASTIC_RUN_ID", raising=False)  # by which torchrun is known
    monkeypatch.setenv("WORLD_SIZE", "2")  # which other launchers set too
    plain, grouped = aae(), aae()
    history = train(plain, epochs=1)
    with process_group() as group:
        assert (group.rank, group.count) == (0, 1) and not torch.distributed.is_initialized()
        assert replace(train(grouped, epochs=1), seconds=0) == replace(history, seconds=0)
    assert_equal(dict(plain.state_dict()), dict(grouped.state_dict()))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
