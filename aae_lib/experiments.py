"""Named experiments and their ledger: one JSON file a run, and the table made from them.

    python -m aae_lib.experiments list
    python -m aae_lib.experiments run aae-gaussian --profile quick --seed 0
    python -m aae_lib.experiments table

A run that was stopped goes on where it was when the same command is given again. An experiment is a dataset, a system,
its settings in each profile, what is measured on the trained system, and what the paper says of it.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from . import checks
from .data import Dataset, load
from .evaluation.latent import distance_to_prior, holes, knn_accuracy
from .files import writable, write_whole
from .priors import Gaussian, GaussianMixture
from .profiles import PROFILES
from .systems import SGD, AdversarialAutoencoder, System, VariationalAutoencoder
from .systems.base import as_float, half_squared_error
from .training import fit

RESULTS = Path("results")
CHECKPOINTS = Path("runs")


@dataclass(frozen=True)
class Experiment:
    """One row of the ledger.

    ``build`` makes the system from (image_shape, seed, hidden); ``settings`` holds for each profile the dataset,
    ``hidden``, and what ``fit`` takes; ``measure`` turns (system, data) into named numbers; ``paper`` has the paper's.
    """

    question: str
    build: Callable[..., System]
    settings: Mapping[str, dict]
    measure: Callable[[System, Dataset], dict[str, float]]
    paper: Mapping[str, float]


def measure_latent(system: System, data: Dataset) -> dict[str, float]:
    """How near q(z) is to p(z) on hold-out images, how well classes lie apart there, and the reconstruction error."""
    z = system.encode(data.test.images, seed=0)  # (N, Z), draws from q(z | x)
    train = data.train.take(torch.arange(min(10_000, len(data.train))))
    distance = distance_to_prior(z, system.prior)
    pixels = as_float(data.test.images)
    return {
        "mmd": distance.mmd,
        "mmd_floor": distance.mmd_floor,
        "sliced_wasserstein": distance.sliced_wasserstein,
        "sliced_wasserstein_floor": distance.sliced_wasserstein_floor,
        "holes": holes(z, system.prior),
        "knn_accuracy": knn_accuracy(system.encode(train.images, seed=0), train.labels, z, data.test.labels),
        "half_squared_error": float(half_squared_error(system.reconstruct(data.test.images), pixels)),
    }


def _figure_2(question: str, build: Callable[..., System], paper_optimizers: dict) -> Experiment:
    """An experiment of Fig. 2: same networks and budget for every model, so that the models can be compared."""
    settings = {
        "smoke": dict(dataset="digits", hidden=(64, 64), epochs=20, batch_size=50),
        "quick": dict(dataset="mnist", hidden=(512, 512), epochs=10, batch_size=100),
        "paper": dict(dataset="mnist", hidden=(1000, 1000), epochs=500, batch_size=100, optimizers=paper_optimizers),
    }
    return Experiment(question, build, settings, measure_latent, paper={})


def _aae(prior) -> Callable[..., System]:
    def build(image_shape, seed, hidden):
        return AdversarialAutoencoder(image_shape, prior=prior, hidden=hidden, discriminator_hidden=hidden, seed=seed)

    return build


def _vae(prior) -> Callable[..., System]:
    def build(image_shape, seed, hidden):
        return VariationalAutoencoder(image_shape, prior=prior, hidden=hidden, seed=seed)

    return build


ADVERSARIAL_SGD = {
    "reconstruction": SGD(0.01, momentum=0.9, drops={50: 10}),
    "discriminator": SGD(0.1, momentum=0.1, drops={50: 10}),
    "generator": SGD(0.1, momentum=0.1, drops={50: 10}),
}

EXPERIMENTS: dict[str, Experiment] = {
    "aae-gaussian": _figure_2("Fig. 2a: does q(z) of an AAE fill a 2-D Gaussian?", _aae(Gaussian(2)), ADVERSARIAL_SGD),
    "aae-mixture": _figure_2("Fig. 2b: ... and a mixture of 10?", _aae(GaussianMixture()), ADVERSARIAL_SGD),
    "vae-gaussian": _figure_2("Fig. 2c: the same for a VAE, 2-D Gaussian", _vae(Gaussian(2)), {}),
    "vae-mixture": _figure_2("Fig. 2d: ... and the mixture of 10", _vae(GaussianMixture()), {}),
}


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
    """
    experiment = EXPERIMENTS[checks.one_of("name", name, EXPERIMENTS)]
    settings = dict(experiment.settings[checks.one_of("profile", profile, PROFILES)])
    seed = checks.seed("seed", seed)
    path = writable(Path(results) / f"{name}.{profile}.seed{seed}.json")
    checkpoint = Path(checkpoints) / f"{name}.{profile}.seed{seed}.safetensors"
    data = load(settings.pop("dataset"))
    system = experiment.build(data.image_shape, seed=seed, hidden=settings.pop("hidden"))
    history = fit(system, data.train, seed=seed, device=device, checkpoint=checkpoint, progress=progress, **settings)
    if history.interrupted:
        return None
    record = {
        "experiment": name,
        "question": experiment.question,
        "profile": profile,
        "seed": seed,
        "dataset": data.name,
        "settings": {key: str(value) for key, value in experiment.settings[profile].items()},
        "system": {key: str(value) for key, value in system.settings.items()},
        "updates": history.update,
        "epochs": history.epochs_done,
        "seconds": round(history.seconds, 1),
        "device": str(system.device),
        "machine": torch.cuda.get_device_name() if system.device.type == "cuda" else platform.processor() or "cpu",
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "aae_lib": _own_version()},
        "commit": _commit(),
        "losses": history.latest(),
        "health": history.health(),
        "metrics": experiment.measure(system, data),
        "paper": dict(experiment.paper),
    }
    write_whole(path, json.dumps(record, indent=2, ensure_ascii=False) + "\n")
    checkpoint.unlink()
    return path


def table(results: str | Path = RESULTS) -> str:
    """All runs in ``results`` as a Markdown table: mean ± standard deviation over seeds, beside the paper's number."""
    groups: dict[tuple[str, str], list[dict]] = defaultdict(list)
    for path in sorted(Path(results).glob("*.json")):
        record = json.loads(path.read_text())
        groups[record["experiment"], record["profile"]].append(record)
    lines = [
        "| experiment | profile | data | seeds | updates | device | metric | ours | paper |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for (name, profile), records in groups.items():
        first = records[0]
        seeds = ", ".join(str(record["seed"]) for record in records)
        start = f"| {name} | {profile} | {first['dataset']} | {seeds} | {first['updates']:,} | {first['device']} |"
        for metric in first["metrics"]:
            values = np.array([record["metrics"][metric] for record in records])
            spread = f" ± {values.std(ddof=1):.2g}" if len(values) > 1 else ""
            lines.append(f"{start} {metric} | {values.mean():.4g}{spread} | {first['paper'].get(metric, '–')} |")
    return "\n".join(lines)


def _own_version() -> str:
    from . import __version__

    return __version__


def _commit() -> str | None:
    """The commit of the code that ran, with a "+" where files were changed since; None outside a repository."""
    folder = Path(__file__).parent

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        return git("rev-parse", "HEAD") + ("+" if git("status", "--porcelain", "--", ".") else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m aae_lib.experiments", description="Named experiments.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="the experiments and what each asks")
    one = commands.add_parser("run", help="train, measure, write one JSON file")
    one.add_argument("name")
    one.add_argument("--profile", default="quick")
    one.add_argument("--seed", type=int, default=0)
    one.add_argument("--device", default="auto")
    commands.add_parser("table", help="all results beside the paper's numbers")
    chosen = parser.parse_args(arguments)
    if chosen.command == "list":
        for name, experiment in EXPERIMENTS.items():
            print(f"{name:16} {experiment.question}")
    elif chosen.command == "table":
        print(table())
    else:
        try:
            path = run(chosen.name, profile=chosen.profile, seed=chosen.seed, device=chosen.device)
        except (ValueError, TypeError, OSError, ArithmeticError) as error:
            print(error, file=sys.stderr)
            return 1
        if path is None:
            print("Stopped; give the same command again to go on.")
            return 130
        print(f"Wrote {path}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
