"""Processes killed in mid-write, two trainings on one checkpoint, a full disk: what is left, and how it goes on."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest
import torch

from aae_lib import files, fit, restore
from aae_lib.checks import StorageError
from aae_lib.priors import Gaussian
from aae_lib.systems import AdversarialAutoencoder
from aae_lib.training import loop

HERE = Path(__file__).parent
UPDATES = 12
STEPS = ("write", "fsync", "chmod", "replace")  # of writing a file whole; see files.write_whole


def train(checkpoint: Path | None = None, *callbacks, system: AdversarialAutoencoder | None = None):
    """A tiny system, trained for UPDATES updates with a checkpoint after each; the system and its history."""
    system = system or AdversarialAutoencoder((1, 4, 4), prior=Gaussian(2), hidden=(8,), discriminator_hidden=(8,))
    images = torch.rand(40, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    before, loop.CHECKPOINT_SECONDS = loop.CHECKPOINT_SECONDS, -1
    settings = dict(updates=UPDATES, batch_size=10, checkpoint=checkpoint, callbacks=callbacks)
    try:
        return system, fit(system, images, device="cpu", progress=False, **settings)
    finally:
        loop.CHECKPOINT_SECONDS = before


def assert_same(found: tuple, whole: tuple) -> None:
    """The same weights, bit for bit, and the same losses."""
    torch.testing.assert_close(found[0].state_dict(), whole[0].state_dict(), rtol=0, atol=0)
    assert found[1].rows == whole[1].rows


def in_another_process(code: str, *arguments: object, wrapper: tuple[str, ...] = ()) -> subprocess.Popen:
    """A Python process of its own that runs ``code``, which may import this file."""
    command = [*wrapper, sys.executable, "-c", code, *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": f"{HERE.parent}"}
    return subprocess.Popen(command, cwd=HERE, env=environment, stderr=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen) -> None:
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors


@pytest.fixture(scope="module")
def whole():
    """What an undisturbed training comes to."""
    return train()


KILLED = """
import os, signal, sys
from pathlib import Path
from test_faults import STEPS, train

def at_the_fifth_call(step):
    original, calls = getattr(os, step), iter(range(4))
    def act(*arguments):
        if next(calls, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)
        return original(*arguments)
    return act

class Half:  # a file that dies with half of what it is given
    def __init__(self, *arguments):
        self.file = open(*arguments)
    def __enter__(self):
        return self
    def __exit__(self, *_):
        self.file.close()
    def write(self, data):
        self.file.write(data[: len(data) // 2])
        self.file.flush()
        os.kill(os.getpid(), signal.SIGKILL)

train()  # what is loaded once need not be loaded by each of these
for step in STEPS:
    if os.fork() == 0:
        if step == "write":
            calls, fdopen = iter(range(4)), os.fdopen
            os.fdopen = lambda *arguments: fdopen(*arguments) if next(calls, None) is not None else Half(*arguments)
        else:
            setattr(os, step, at_the_fifth_call(step))
        train(Path(sys.argv[1], step, "run"))
    assert os.WTERMSIG(os.wait()[1]) == signal.SIGKILL
"""


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """A folder for each step at which a training was killed, in the fifth of its checkpoints."""
    if not hasattr(os, "fork"):
        pytest.skip("this system has no fork, with which the trainings to be killed are started")
    folder = tmp_path_factory.mktemp("killed")
    finish(in_another_process(KILLED, folder))
    return folder


@pytest.mark.parametrize("step", STEPS)
def test_a_training_killed_in_mid_write_goes_on_from_its_last_checkpoint(killed, whole, step):
    folder = killed / step
    left = {path.name for path in folder.iterdir()}
    assert len(left) == 3 and {"run", "run.lock"} < left
    (half,) = folder.glob(f"{files.PREFIX}*")
    restore(folder / "run")
    os.utime(half, 2 * (time.time() - 2 * files.ABANDONED,))
    seen = []
    assert_same(train(folder / "run", lambda moment: seen.append(moment.update)), whole)
    assert seen == list(range(5, UPDATES + 1)), "only what had not been kept is done again"
    assert os.listdir(folder) == ["run"], "what the killed process left is gone"


HOLDING = """
import sys, time
from pathlib import Path
from test_faults import train

def wait(moment):
    if moment.update == 5:
        Path(sys.argv[2]).touch()
        time.sleep(600)

train(Path(sys.argv[1]), wait)
"""


def test_a_second_training_on_a_checkpoint_is_refused_until_the_first_has_died(tmp_path, whole):
    path, ready, system = tmp_path / "run", tmp_path / "ready", train()[0]
    first = in_another_process(HOLDING, path, ready)
    try:
        while not ready.exists():
            assert first.poll() is None, first.communicate()[1]
            time.sleep(0.05)
        content, weights = path.read_bytes(), {name: value.clone() for name, value in system.state_dict().items()}
        with pytest.raises(
            StorageError, match=r"another training is writing the checkpoint .*run; .* another file name\.$"
        ):
            train(path, system=system)
        assert path.read_bytes() == content
        torch.testing.assert_close(system.state_dict(), weights, rtol=0, atol=0)
    finally:
        first.kill()
        first.communicate()
    assert_same(train(path), whole)
    assert {path.name for path in tmp_path.iterdir()} == {"run", "ready"}


def test_a_training_cannot_write_the_checkpoint_of_one_around_it(tmp_path, whole):
    def inner(moment):
        if moment.update == 3:
            with pytest.raises(StorageError, match="another training"):
                train(tmp_path / "run")

    assert_same(train(tmp_path / "run", inner), whole)


def test_a_checkpoint_that_cannot_be_locked_is_refused_in_a_sentence(tmp_path):
    name = "a" * 254  # a good name, and no room for more
    with pytest.raises(StorageError, match=r"cannot be locked .*; give another file name\.$"):
        train(tmp_path / name)
    assert os.listdir(tmp_path) == []


def trained_while(path: Path, whole: tuple, what_happens: dict) -> int:
    """Train to the same end whatever happens at these updates; how many checkpoints were said not to have been kept."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert_same(train(path, lambda moment: what_happens.get(moment.update, str)()), whole)
    told = [str(warning.message) for warning in caught if "checkpoint is out of date" in str(warning.message)]
    assert all("no space left" in sentence or "file too large" in sentence for sentence in told)
    return len(told)


def outlives(path: Path, whole: tuple, fill, empty) -> None:
    """Train on a disk that fills up in mid-training: once it stays full to the end, once there is room again."""
    assert trained_while(path, whole, {4: fill}) == UPDATES - 4 + 2  # after each update from there on, and at the end
    empty()
    assert os.listdir(path.parent) == [path.name], "what could not be written whole is gone"
    seen = []
    assert_same(train(path, lambda moment: seen.append(moment.update)), whole)
    assert seen == list(range(4, UPDATES + 1)), "the checkpoint was from before"
    path.unlink()
    assert trained_while(path, whole, {4: fill, 8: empty}) == 4
    torch.testing.assert_close(restore(path).state_dict(), whole[0].state_dict(), rtol=0, atol=0)


def test_a_training_outlives_a_system_that_takes_no_more_bytes(tmp_path, whole):
    resource = pytest.importorskip("resource", reason="this system sets no such limits")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        outlives(
            tmp_path / "run",
            whole,
            fill=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (500, before[1])),
            empty=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, before),
        )
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def small_disk(folder: Path, size: str):
    """Mount a disk of this size there; what fills it up to the last byte, and what makes room again."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)
    ballast = folder / "ballast"

    def fill() -> None:
        with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(512))

    return fill, ballast.unlink


FULL = """
import sys
from pathlib import Path
from test_faults import outlives, small_disk, train

folder = Path(sys.argv[1])
outlives(folder / "run", train(), *small_disk(folder, "200k"))
"""

FULL_SWEEP = """
import sys
from pathlib import Path
from aae_lib.experiments import ledger, run, running, sweep, sweeps
from test_faults import small_disk
from test_sweeps import SMOKE, hurry, places

disk, elsewhere = map(Path, sys.argv[1:])
fill, empty = small_disk(disk, "4m")
hurry()  # one worker is this process
note, updates = running.Notes.__call__, []

def full_in_the_midst_of_the_first_run(notes, moment):
    updates.append(moment.update)
    if len(updates) == 300:
        fill()
    note(notes, moment)

def run_once_there_is_room(name, *, seed, **settings):
    if seed == 1:
        empty()
    return run(name, seed=seed, **settings)

running.Notes.__call__, sweeps.run = full_in_the_midst_of_the_first_run, run_once_there_is_room
failed, whole = sweep(["vae-gaussian"], seeds=[0, 1], **SMOKE, **places(disk))
assert failed.path is None and "(no space left on device)" in failed.error, failed.error
assert failed.error.endswith("is unchanged: free some space or choose another folder.")
assert whole.path.is_file() and whole.error is None, "the other goes on"
running.Notes.__call__, sweeps.run, done = note, run, whole.path.stat().st_mtime_ns
outcomes = sweep(["vae-gaussian"], seeds=[0, 1], **SMOKE, **places(disk))
records = [ledger.read(outcome.path) for outcome in outcomes]
assert records[0]["sittings"] == 2, "the same sweep goes on from the checkpoint"
assert whole.path.stat().st_mtime_ns == done, "and makes no run twice"
assert not list((disk / "runs").glob(".*")), "what could not be written whole is gone"
undisturbed = ledger.read(run("vae-gaussian", **SMOKE, **places(elsewhere)))
assert undisturbed["weights"]["sha256"] == records[0]["weights"]["sha256"]
assert undisturbed["metrics"] == records[0]["metrics"]
"""


@pytest.mark.parametrize("code", [FULL, FULL_SWEEP], ids=["training", "sweep"])
def test_a_disk_that_fills_up_loses_nothing(code, tmp_path):
    alone = ("unshare", "--map-root-user", "--mount")  # what is mounted there ends with the process
    if shutil.which("unshare") is None or subprocess.run([*alone, "true"], capture_output=True).returncode:
        pytest.skip("nothing can be mounted here, so no disk was filled")
    (tmp_path / "disk").mkdir()
    finish(in_another_process(code, tmp_path / "disk", tmp_path / "elsewhere", wrapper=alone))
