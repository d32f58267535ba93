"""Sweeps: runs side by side in processes and on a cluster, equal to the same runs one after another."""

import json
import os
import signal
import threading
import time
from pathlib import Path

import pytest
import torch

from aae_lib.experiments import ledger, run, sweep, sweeps
from aae_lib.experiments.__main__ import main
from aae_lib.training.checkpoints import sole_writer

NAMES, SEEDS = ["vae-gaussian"], (0, 1)
SMOKE = {"profile": "smoke", "progress": False}
signals = pytest.mark.skipif(os.name == "nt", reason="one process cannot send another a signal on Windows")


def places(root: Path) -> dict:
    return {"results": root / "results", "checkpoints": root / "runs"}


def found(root: Path) -> dict[str, tuple]:
    """What must be equal however the runs were made: numbers and weights, by the name of the record."""
    files = sorted((root / "results").glob("*.json"))
    read = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in files}
    return {name: (one["metrics"], one["losses"], one["weights"]["sha256"]) for name, one in read.items()}


def sittings(root: Path) -> dict[str, int]:
    return {
        path.name: json.loads(path.read_text(encoding="utf-8"))["sittings"]
        for path in (root / "results").glob("*.json")
    }


def when_under_way(root: Path, act, *, checkpoint: bool = False) -> threading.Thread:
    """Do ``act`` to the process that makes a run, in its midst and perhaps only once it has a checkpoint."""

    def watch() -> None:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            for path in (root / "runs").glob("*.run.json"):
                try:
                    notes = json.loads(path.read_text(encoding="utf-8"))
                except (OSError, ValueError):
                    continue
                saved = path.with_name(path.name.replace(".run.json", ".safetensors")).exists()
                if notes["updates"] < 0.9 * notes["total"] and (saved or not checkpoint):
                    return act(notes["sittings"][-1]["process"])
            time.sleep(0.02)

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


def hurry() -> None:
    """Checkpoints and notes at every update, which smoke runs are too short for otherwise."""
    from aae_lib.experiments import running
    from aae_lib.training import loop

    running.NOTE_SECONDS = loop.CHECKPOINT_SECONDS = 0.1


@pytest.fixture(scope="module")
def one_by_one(tmp_path_factory):
    """The runs made in this process, with one thread."""
    root = tmp_path_factory.mktemp("one_by_one")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    for name in NAMES:
        for seed in SEEDS:
            run(name, seed=seed, **SMOKE, **places(root))
    torch.set_num_threads(threads)
    return root


@pytest.fixture(scope="module")
def cluster():
    """A scheduler and two workers, each a process of its own that a nanny starts anew when it dies."""
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=60
        ) as local,
        distributed.Client(local) as client,
    ):
        client.run(hurry)
        yield local.scheduler_address


def test_processes_give_what_one_process_gives_and_make_no_run_twice(one_by_one, tmp_path):
    outcomes = sweep(NAMES, seeds=SEEDS, workers=2, **SMOKE, **places(tmp_path))
    assert [(one.name, one.seed) for one in outcomes] == [(name, seed) for name in NAMES for seed in SEEDS]
    assert all(one.path.is_file() and one.error is None for one in outcomes)
    assert found(tmp_path) == found(one_by_one)
    written = {path: path.stat().st_mtime_ns for path in (tmp_path / "results").iterdir()}
    again = sweep(NAMES, seeds=SEEDS, workers=2, **SMOKE, **places(tmp_path))
    assert again == outcomes
    assert written == {path: path.stat().st_mtime_ns for path in (tmp_path / "results").iterdir()}
    assert not list((tmp_path / "runs").glob(".*")), "nothing is left of what told them to stop"


@signals
def test_a_worker_of_a_cluster_that_is_killed_loses_nothing(one_by_one, cluster, tmp_path):
    killed = []

    def kill(process: int) -> None:
        killed.append(process)
        os.kill(process, signal.SIGKILL)

    killer = when_under_way(tmp_path, kill, checkpoint=True)
    outcomes = sweep(NAMES, seeds=SEEDS, dask=cluster, **SMOKE, **places(tmp_path))
    killer.join()
    assert killed and killed[0] != os.getpid()
    assert [one.error for one in outcomes] == [None] * 2
    assert found(tmp_path) == found(one_by_one)
    assert sorted(sittings(tmp_path).values()) == [1, 2], "only the run that was killed was taken up again"


@signals
def test_a_local_worker_that_is_killed_loses_nothing(one_by_one, tmp_path):
    killer = when_under_way(tmp_path, lambda process: os.kill(process, signal.SIGKILL))
    (outcome,) = sweep(NAMES, workers=2, **SMOKE, **places(tmp_path))
    killer.join()
    assert outcome.error is None
    name = outcome.path.name
    assert found(tmp_path)[name] == found(one_by_one)[name]


@signals
def test_ctrl_c_stops_all_runs_and_the_same_sweep_goes_on(one_by_one, tmp_path):
    pressed = when_under_way(tmp_path, lambda _: os.kill(os.getpid(), signal.SIGINT))
    outcomes = sweep(NAMES, seeds=SEEDS, workers=2, **SMOKE, **places(tmp_path))
    pressed.join()
    assert [one.error for one in outcomes] == [None, None]
    stopped = [one for one in outcomes if one.path is None]  # one that looks too late may have come to its end
    assert stopped and len(list((tmp_path / "results").glob("*.json"))) == 2 - len(stopped)
    assert list((tmp_path / "runs").glob("*.safetensors")), "what was trained is kept"
    outcomes = sweep(NAMES, seeds=SEEDS, workers=1, **SMOKE, **places(tmp_path))
    assert found(tmp_path) == found(one_by_one)


def test_a_run_that_fails_does_not_end_the_others(tmp_path, monkeypatch, capsys):
    whole = sweeps.run

    def full(name, **settings):
        if settings["seed"] == 1:
            raise OSError("the disk is full; free some space.")
        return whole(name, **settings)

    monkeypatch.setattr(sweeps, "run", full)
    folders = [f"--{name}={path}" for name, path in places(tmp_path).items()]
    assert main(["sweep", "vae-gaussian", "--profile", "smoke", "--seeds", "0-2", *folders]) == 1
    first, failed, last = capsys.readouterr().out.strip().splitlines()[-3:]
    assert failed == "vae-gaussian seed 1: the disk is full; free some space."
    assert first.endswith("vae-gaussian.smoke.seed0.json") and last.endswith("vae-gaussian.smoke.seed2.json")


def test_whatever_a_run_fails_with_is_its_own(tmp_path, monkeypatch):
    def damaged(name, *, seed, **settings):
        if seed == 1:
            raise KeyError("settings")
        return tmp_path / f"{seed}.json"

    monkeypatch.setattr(sweeps, "run", damaged)
    outcomes = sweep(["vae-gaussian"], seeds=(0, 1, 2), **SMOKE, **places(tmp_path))
    assert [one.error for one in outcomes] == [None, "'settings'", None] and outcomes[2].path.name == "2.json"


def test_a_run_that_another_process_makes_is_not_made_twice(one_by_one, tmp_path):
    notes = tmp_path / "runs" / "vae-gaussian.smoke.seed0.run.json"
    notes.parent.mkdir()
    with sole_writer(notes):
        refused, made = sweep(NAMES, seeds=SEEDS, **SMOKE, **places(tmp_path))
    assert refused.path is None and refused.error.startswith("another training is writing the checkpoint")
    assert list(found(tmp_path)) == [made.path.name] and list(notes.parent.glob("*.seed0.*")) == []
    sweep(NAMES, seeds=SEEDS, **SMOKE, **places(tmp_path))
    assert found(tmp_path) == found(one_by_one)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["aae-gausian"], "each of names is 'aae-gausian', which is unknown; did you mean 'aae-gaussian'?"),
        (["aae-gaussian", "--seeds", "4-1"], "seeds is '4-1', which names none; give a range such as 0-4"),
        (["aae-gaussian", "--seeds", "0,9-7"], "seeds is '0,9-7', which names none"),
        (["aae-gaussian", "--seeds", "few"], "seeds is 'few', which names none"),
        (["aae-gaussian", "--seeds", "-1"], "seeds is '-1', which names none"),
        (["aae-gaussian", "--workers", "0"], "workers must be at least 1, but it is 0"),
        (["aae-gaussian", "--profile", "papr"], "profile is 'papr', which is unknown; did you mean 'paper'?"),
        (
            ["aae-gaussian", "--dask", "nowhere"],
            "no Dask scheduler answers at 'nowhere'; start one with: dask scheduler",
        ),
    ],
)
def test_bad_sweeps_are_refused_in_one_sentence_before_anything_is_written(arguments, sentence, tmp_path, capsys):
    folders = [f"--{name}={path}" for name, path in places(tmp_path).items()]
    assert main(["sweep", "--profile", "smoke", *arguments, *folders]) == 1
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said.startswith(sentence)
    assert not list(tmp_path.rglob("*.*"))


def test_a_scheduler_that_dies_in_mid_run_is_said_and_the_same_sweep_goes_on(one_by_one, tmp_path):
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=60
    ) as local:
        makers = []

        def die(process: int) -> None:
            makers.append(process)
            local.close()

        closer = when_under_way(tmp_path, die)
        (outcome,) = sweep(NAMES, dask=local.scheduler_address, **SMOKE, **places(tmp_path))
        closer.join()
    assert makers[0] != os.getpid(), "a cluster of one worker is used, too"
    assert outcome.path is None and "then give the same command to go on" in outcome.error
    (outcome,) = sweep(NAMES, **SMOKE, **places(tmp_path))
    assert found(tmp_path)[outcome.path.name] == found(one_by_one)[outcome.path.name]


def test_a_cluster_without_workers_is_refused(tmp_path):
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(n_workers=0, dashboard_address=None, silence_logs=60) as empty,
        pytest.raises(ConnectionError, match="has no workers; start one with: dask worker"),
    ):
        sweep(["aae-gaussian"], dask=empty.scheduler_address, **SMOKE, **places(tmp_path))


def test_seeds_are_ranges_and_lists():
    assert sweeps.parse_seeds("0-2,7") == [0, 1, 2, 7]


def test_a_record_of_other_settings_is_neither_taken_nor_replaced(one_by_one, tmp_path):
    name = "vae-gaussian.smoke.seed0.json"
    record = json.loads((one_by_one / "results" / name).read_text(encoding="utf-8"))
    record["settings"]["epochs"] += 1
    path = tmp_path / "results" / name
    path.parent.mkdir()
    path.write_text(json.dumps(record))
    (outcome,) = sweep(["vae-gaussian"], **SMOKE, **places(tmp_path))
    assert "was made with other settings, epochs 21 instead of 20; tell it to train again" in outcome.error
    assert json.loads(path.read_text(encoding="utf-8")) == record
    (outcome,) = sweep(["vae-gaussian"], again=True, **SMOKE, **places(tmp_path))
    assert outcome.path == path and ledger.read(path)["settings"]["epochs"] == 20
