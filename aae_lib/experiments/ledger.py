"""Runs of experiments, one JSON file each, and the table made from them."""

from __future__ import annotations

import json
import platform
import subprocess
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch

from .. import checks
from ..checks import DataError
from ..data import BUILT_IN, PUBLIC, Dataset, data_roots, load
from ..files import writable, write_whole
from ..storage import restore, save
from ..training import Moment, fit
from ..training.precision import choose_autocast, precision_of
from . import measures
from .catalogue import EXPERIMENTS
from .experiment import Experiment

RESULTS = Path("results")
CHECKPOINTS = Path("runs")
LOOKS = 50  # how many points a curve has


class Curve:
    """Callback that measures ``watch`` now and then, and keeps what it found in a file beside the checkpoint."""

    def __init__(self, experiment: Experiment, data: Dataset, updates: int, path: Path):
        self.watch, self.data, self.path = experiment.watch, data, path
        self.every = max(1, updates // LOOKS)
        self.before = 0  # updates of earlier stages
        self.points: list[dict] = json.loads(path.read_text()) if path.exists() else []

    def __call__(self, moment: Moment) -> None:
        if self.watch is None or moment.update == 0:
            return
        updates = self.before + moment.update
        earlier = [point for point in self.points if point["updates"] < updates]
        self.points = [*earlier, {"updates": updates, **self.watch(moment.system, self.data)}]
        write_whole(self.path, json.dumps(self.points))


def run(
    name: str,
    *,
    profile: str = "quick",
    seed: int = 0,
    device: str = "auto",
    results: str | Path = RESULTS,
    checkpoints: str | Path = CHECKPOINTS,
    progress: bool = True,
) -> Path | None:
    """Train and measure one experiment; the path of the JSON file written, or None where Ctrl-C stopped it.

    The checkpoint in ``checkpoints`` is kept until the result is written, so calling again goes on with a stopped run.
    The trained system stays there, for ``restore``.
    """
    experiment = EXPERIMENTS[checks.one_of("name", name, EXPERIMENTS)]
    settings = experiment.settings[checks.one_of("profile", profile, experiment.settings)]
    seed = checks.seed("seed", seed)
    checks.device("device", device)
    path = writable(Path(results) / f"{name}.{profile}.seed{seed}.json")
    checkpoint = Path(checkpoints) / f"{name}.{profile}.seed{seed}.safetensors"
    data = _dataset(settings["dataset"])
    system = experiment.build(data.image_shape, seed=seed, **settings["system"])
    count = settings.get("labelled")
    labelled = None if count is None else data.train.balanced_subset(count, seed=seed)
    stages, commit = experiment.stages(profile), _commit()
    curve = Curve(
        experiment, data, sum(_updates(stage, data) for stage in stages), checkpoint.with_suffix(".curve.json")
    )
    training = {"labelled": labelled, "seed": seed, "device": device, "progress": progress}
    history, kept = None, []
    for number, stage in enumerate(stages):
        if number:
            system.grow()
        kept.append(checkpoint.with_suffix(f".stage{number}.safetensors") if len(stages) > 1 else checkpoint)
        looks = [curve] if experiment.watch else []
        latest = fit(system, data.train, checkpoint=kept[-1], callbacks=looks, **stage, **training)
        if latest.interrupted:
            return None
        history = latest if history is None else history + latest
        curve.before = history.update
    record = {
        "experiment": name,
        "question": experiment.question,
        "profile": profile,
        "seed": seed,
        "dataset": data.name,
        "labelled": count,
        "settings": _described(stages),
        "system": {key: str(value) for key, value in system.settings.items()},
        "updates": history.update,
        "epochs": history.epochs_done,
        "seconds": round(history.seconds, 1),
        "device": str(system.device),
        "precision": precision_of(choose_autocast("auto", system.device)),
        "machine": _machine(system.device),
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "aae_lib": _own_version()},
        "commit": commit,
        "losses": history.latest(),
        "health": history.health(),
        "metrics": experiment.measure(system, data),
        "paper": dict(experiment.paper),
        "curve": curve.points,
    }
    save(system, checkpoint.with_suffix(".trained.safetensors"))
    write_whole(path, json.dumps(record, indent=2, ensure_ascii=False) + "\n")
    for file in kept:
        file.unlink()
    curve.path.unlink(missing_ok=True)
    return path


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
    checks.positive_integer("images", images)
    record_path = Path(results) / f"{name}.{profile}.seed{checks.seed('seed', seed)}.json"
    trained = Path(checkpoints) / f"{name}.{profile}.seed{seed}.trained.safetensors"
    for path in (record_path, trained):
        if not path.is_file():
            raise FileNotFoundError(f"{path} is missing; make it with: run {name} --profile {profile} --seed {seed}.")
    system, data = restore(trained, device=device), _dataset(EXPERIMENTS[name].settings[profile]["dataset"])
    found = measures.likelihood(system, data, samples, (max(2, images // 2), images), progress=progress)
    found["images"] = float(min(images, len(data.test)))
    record = json.loads(record_path.read_text(encoding="utf-8"))
    others = [one for one in record.get("likelihoods", []) if one["samples"] != found["samples"]]
    record["likelihoods"] = sorted([*others, found], key=lambda one: one["samples"])
    write_whole(record_path, json.dumps(record, indent=2, ensure_ascii=False) + "\n")
    return found


def records(name: str | None = None, results: str | Path = RESULTS) -> list[dict]:
    """All runs in ``results``, or those of one experiment, sorted by experiment, profile and seed."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(Path(results).glob("*.json"))]
    chosen = [record for record in found if name in (None, record["experiment"])]
    return sorted(chosen, key=lambda record: (record["experiment"], record["profile"], record["seed"]))


def table(results: str | Path = RESULTS) -> str:
    """All runs in ``results`` as a Markdown table: mean ± standard deviation over seeds, beside the paper's number."""
    groups: dict[tuple[str, str], list[dict]] = defaultdict(list)
    for record in records(results=results):
        groups[record["experiment"], record["profile"]].append(record)
    lines: list[str] = []
    metrics: list[str] = []
    for (name, profile), runs in groups.items():
        first = runs[0]
        if list(first["metrics"]) != metrics:  # other columns: another table
            metrics = list(first["metrics"])
            titles = ["experiment", "profile", "data", "seeds", "updates", "device", *metrics]
            lines += [""] * bool(lines) + [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
        seeds = ", ".join(str(record["seed"]) for record in runs)
        cells = [name, profile, first["dataset"], seeds, f"{first['updates']:,}", first["device"]]
        for metric in metrics:
            values = np.array([record["metrics"][metric] for record in runs])
            spread = f" ± {values.std(ddof=1):.2g}" if len(values) > 1 else ""
            paper = f" (paper: {first['paper'][metric]:g})" if metric in first["paper"] else ""
            cells.append(f"{values.mean():.3g}{spread}{paper}")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _dataset(name: str) -> Dataset:
    """A dataset that ``load`` knows by name, or an ``.npz`` file or a folder of pictures that lies in a data root."""
    if name in (*PUBLIC, *BUILT_IN):
        return load(name)
    for place in data_roots():
        if (place / name).exists():
            return load(place / name)
    raise DataError(f"{name} is in no data root; set AAE_DATA to a folder that holds it (results/README.md says more).")


def _described(stages: tuple[dict, ...]) -> dict | list[dict]:
    """What ``fit`` was given, as text; a list where there were several stages."""
    found = [{key: str(value) for key, value in stage.items()} for stage in stages]
    return found if len(found) > 1 else found[0]


def _updates(fitting: dict, data: Dataset) -> int:
    """How many updates ``fit`` makes with these settings."""
    if "updates" in fitting:
        return fitting["updates"]
    return fitting["epochs"] * (len(data.train) // fitting["batch_size"])


def _machine(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor() or "cpu"


def _own_version() -> str:
    from .. import __version__

    return __version__


def _commit() -> str | None:
    """The commit of the code that ran, with a "+" where files were changed since; None outside a repository."""
    folder = Path(__file__).parent.parent

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        return git("rev-parse", "HEAD") + ("+" if git("status", "--porcelain", "--", ".") else "")
    except (OSError, subprocess.CalledProcessError):
        return None
