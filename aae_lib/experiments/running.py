"""One run of an experiment: trained as its plan says, measured, and written down."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor

from .. import checks
from ..checks import DataError
from ..data import BUILT_IN, PUBLIC, Dataset, data_roots, load
from ..files import writable, write_whole
from ..storage import save
from ..systems import System
from ..training import Moment, fit
from ..training.checkpoints import sole_writer
from ..training.distributed import alone, processes
from ..training.history import History
from ..training.precision import choose_autocast, precision_of
from . import ledger, measures
from .catalogue import EXPERIMENTS
from .experiment import PROFILES, Experiment
from .ledger import RESULTS

CHECKPOINTS = Path("runs")
LOOKS = 50  # how many points a curve has
NOTE_SECONDS = 2  # how often a run says how far it is


class Notes:
    """Callback that keeps beside the checkpoint what the checkpoint does not hold: sittings, curve, how far the run is.

    A sitting is one process's work on the run: its commit, machine and process. ``stop`` is asked now and then whether
    the training shall end early.
    """

    def __init__(
        self, path: Path, settings: dict, total: int, measure: Callable | None, data: Dataset, stop: Callable[[], bool]
    ):
        self.path, self.settings, self.total = path, settings, total
        self.measure, self.data, self.stop = measure, data, stop
        self.look_every = max(1, total // LOOKS)
        self.before = 0  # updates of earlier stages
        self.written = 0.0
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
            if kept["settings"] != settings:
                raise ValueError("these are notes of another plan")
            self.sittings, self.curve = list(kept["sittings"]), list(kept["curve"])
        except (OSError, ValueError, LookupError, TypeError):
            self.sittings, self.curve = [], []
        self.sittings.append({"commit": ledger.commit(), "machine": platform.node(), "process": os.getpid()})

    def __call__(self, moment: Moment) -> None:
        updates = self.before + moment.update
        if self.measure is not None and moment.update and moment.update % self.look_every == 0:
            earlier = [point for point in self.curve if point["updates"] < updates]
            self.curve = [*earlier, {"updates": updates, **self.measure(moment.system, self.data)}]
        elif time.monotonic() - self.written < NOTE_SECONDS:
            return
        self.write(updates)
        if self.stop():
            moment.stop()

    def write(self, updates: int) -> None:
        """Write down how far it is, in a file that other processes may read."""
        kept = {name: getattr(self, name) for name in ("settings", "total", "sittings", "curve")}
        write_whole(self.path, json.dumps({**kept, "updates": updates}))
        self.written = time.monotonic()


def run(
    name: str,
    *,
    profile: str = "quick",
    seed: int = 0,
    device: str = "auto",
    results: str | Path = RESULTS,
    checkpoints: str | Path = CHECKPOINTS,
    again: bool = False,
    progress: bool = True,
    stop: Callable[[], bool] = lambda: False,
) -> Path | None:
    """Train and measure one experiment; the path of the JSON file written, or None where Ctrl-C or ``stop`` ended it.

    The checkpoint in ``checkpoints`` is kept until the result is written, so calling again goes on with a stopped run.
    A run whose record lies in ``results`` is finished: it is not made again unless told so (``again``). The trained
    system stays in ``checkpoints``, for ``restore``. Within ``process_group`` the training is shared by all processes.
    Raises ValueError or TypeError on bad arguments, DataError where a record or a checkpoint is of other settings.
    """
    experiment = EXPERIMENTS[checks.one_of("name", name, EXPERIMENTS)]
    settings = experiment.settings(profile)
    seed = checks.seed("seed", seed)
    checks.device("device", device)
    path = writable(Path(results) / file_name(name, profile, seed, "json"))
    data = dataset(settings.dataset)
    planned = ledger.plan(name, experiment, profile, seed, data.image_shape)
    return _run(planned, experiment, data, path, Path(checkpoints), device, again, progress, stop)


def repeat(
    record: str | Path,
    *,
    device: str = "auto",
    results: str | Path,
    checkpoints: str | Path = CHECKPOINTS,
    again: bool = False,
    progress: bool = True,
) -> Path | None:
    """Make a run once more from its record alone, whatever the catalogue says today; as ``run`` otherwise.

    ``results``: the folder for the new record, another than the old one's unless ``again`` shall replace that. Give
    another folder for ``checkpoints``, too, where the first run's trained system shall stay.
    """
    checks.device("device", device)
    planned = ledger.read(record)
    experiment = EXPERIMENTS[checks.one_of("the record's experiment", planned["experiment"], EXPERIMENTS)]
    file = file_name(planned["experiment"], planned["profile"], planned["seed"], "json")
    data = dataset(planned["settings"]["dataset"])
    path = writable(Path(results) / file)
    return _run(planned, experiment, data, path, Path(checkpoints), device, again, progress, lambda: False)


def _run(
    planned: dict,
    experiment: Experiment,
    data: Dataset,
    path: Path,
    checkpoints: Path,
    device: str,
    again: bool,
    progress: bool,
    stop: Callable[[], bool],
) -> Path | None:
    group = processes()

    def finished() -> bool:
        (found,) = group.any(path.exists() and not again)
        if found:
            ledger.refuse_others(ledger.read(path), planned, path)
        return found

    if finished():
        return path
    checkpoint = writable(checkpoints / f"{path.stem}.safetensors")
    notes_file = checkpoint.with_suffix(".run.json")
    with sole_writer(notes_file if group.rank == 0 else None):  # of the whole run; fit holds the checkpoint
        if finished():  # by another process, while this one waited
            return path
        system, settings = ledger.rebuild(planned)
        labelled, measure = labels_and_measure(planned, experiment, system, data)
        stages = settings.stages()
        total = sum(_updates(stage, data) for stage in stages)
        notes = Notes(notes_file, planned["settings"], total, measure if experiment.watch else None, data, stop)
        training = {"labelled": labelled, "seed": planned["seed"], "device": device, "progress": progress}
        history, kept = None, []
        for number, stage in enumerate(stages):
            if number:
                system.grow()
            kept.append(checkpoint.with_suffix(f".stage{number}.safetensors") if len(stages) > 1 else checkpoint)
            latest = fit(system, data.train, checkpoint=kept[-1], callbacks=[notes], **stage, **training)
            if latest.interrupted:
                return None
            history = latest if history is None else history + latest
            notes.before = history.update
        if group.rank > 0:
            return path  # the first process measures and writes for all
        trained = checkpoint.with_suffix(".trained.safetensors")
        with alone():  # a measure may train a network of its own
            metrics = measure(system, data)
        save(system, trained)
        ledger.write(path, _record(planned, experiment, system, history, metrics, trained, notes))
        for file in (*kept, notes.path):
            file.unlink(missing_ok=True)
        return path


def _record(
    planned: dict,
    experiment: Experiment,
    system: System,
    history: History,
    metrics: dict,
    trained: Path,
    notes: Notes,
) -> dict:
    """All that is known of a finished run."""
    return {
        **{key: planned[key] for key in ("format", "experiment", "profile", "seed", "settings")},
        "question": experiment.question,
        "updates": history.update,
        "epochs": history.epochs_done,
        "seconds": round(history.seconds, 1),
        **ledger.surroundings(system.device),
        "processes": processes().count,
        "precision": precision_of(choose_autocast("auto", system, system.device)),
        "commits": list(dict.fromkeys(sitting["commit"] for sitting in notes.sittings)),
        "sittings": len(notes.sittings),
        "losses": history.latest(),
        "health": history.health(),
        "metrics": metrics,
        "paper": dict(experiment.numbers),
        "weights": {"file": trained.name, "bytes": trained.stat().st_size, "sha256": ledger.digest(trained)},
        "curve": notes.curve,
    }


def likelihood(
    name: str,
    samples: int,
    *,
    images: int = 1000,
    profile: str = "quick",
    seed: int = 0,
    device: str = "auto",
    results: str | Path = RESULTS,
    checkpoints: str | Path = CHECKPOINTS,
    progress: bool = True,
) -> dict:
    """Add to the record of a run, under ``likelihoods``, what more samples of its system give: Table 1's column "10M".

    On the first ``images`` test images, with σ by half as many validation images. ``run`` must have made the record and
    the trained system; FileNotFoundError where it has not. Returns what was added.
    """
    checks.one_of("name", name, EXPERIMENTS)
    checks.positive_integer("samples", samples)
    if checks.positive_integer("images", images) < 2:
        raise ValueError("images must be at least 2, as a standard error is asked for, but it is 1.")
    checks.one_of("profile", profile, PROFILES)
    path = Path(results) / file_name(name, profile, checks.seed("seed", seed), "json")
    if not path.is_file():
        wanted = {"experiment": name, "profile": profile, "seed": seed}
        raise FileNotFoundError(f"{path} is missing; make it with: {ledger.command(wanted)}.")
    record = ledger.read(path)
    system = ledger.trained_system(record, Path(checkpoints) / f"{path.stem}.trained.safetensors", device)
    data = dataset(record["settings"]["dataset"])
    found = measures.likelihood(system, data, samples, (max(2, images // 2), images), progress=progress)["test"]
    found["images"] = float(min(images, len(data.test)))
    record = ledger.read(path)  # as it is now: that took a while
    others = [one for one in record.get("likelihoods", []) if one["samples"] != found["samples"]]
    record["likelihoods"] = sorted([*others, found], key=lambda one: one["samples"])
    ledger.write(path, record)
    return found


def labels_and_measure(
    planned: Mapping[str, Any], experiment: Experiment, system: System, data: Dataset
) -> tuple[Tensor | None, Callable[[System, Dataset], dict]]:
    """Indices of the labelled images for a run's ``fit``, None for its default; and what measures the run's systems.

    Where training uses no labels, those that may be seen come in afterwards: ``experiment.measure`` is told of them.
    """
    count = planned["settings"]["labelled"]
    if count is None:
        return None, experiment.measure
    labelled = data.train.balanced_subset(count, seed=planned["seed"])
    if system.learns_labels is None:
        return None, partial(experiment.measure, labelled=labelled)
    return labelled, experiment.measure


def dataset(name: str) -> Dataset:
    """A dataset that ``load`` knows by name, or an ``.npz`` file or a folder of pictures that lies in a data root."""
    if name in (*PUBLIC, *BUILT_IN):
        return load(name)
    for place in data_roots():
        if (place / name).exists():
            return load(place / name)
    raise DataError(f"{name} is in no data root; set AAE_DATA to a folder that holds it (results/README.md says more).")


def progress_of(name: str, seed: int, profile: str, checkpoints: Path) -> float | None:
    """The share of its updates that a run under way has made, or None where none is under way."""
    notes = checkpoints / file_name(name, profile, seed, "run.json")
    try:
        found = json.loads(notes.read_text(encoding="utf-8"))
        return found["updates"] / found["total"]
    except (OSError, ValueError, LookupError, TypeError):
        return None


def file_name(name: str, profile: str, seed: int, ending: str) -> str:
    """What the files of a run are called."""
    return f"{name}.{profile}.seed{seed}.{ending}"


def _updates(fitting: dict, data: Dataset) -> int:
    """How many updates ``fit`` makes with these settings."""
    if "updates" in fitting:
        return fitting["updates"]
    return fitting["epochs"] * (len(data.train) // fitting["batch_size"])
