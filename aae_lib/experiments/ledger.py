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
from .devices import choose_device
from .evaluation.latent import distance_to_prior, holes, knn_accuracy
from .files import writable, write_whole
from .priors import Gaussian, GaussianMixture, Prior
from .profiles import PROFILES
from .systems import SGD, Adam, AdversarialAutoencoder, System, VariationalAutoencoder
from .systems.base import as_float, half_squared_error
from .training import fit

RESULTS = Path("results")
CHECKPOINTS = Path("runs")


@dataclass(frozen=True)
class Experiment:
    """One row of the ledger.

    ``build`` makes the system from (image_shape, **settings); ``settings`` holds for each profile the ``dataset``, what
    ``build`` takes (``system``) and what ``fit`` takes (``fit``); ``measure`` turns (system, data) into named numbers;
    ``paper`` has the paper's numbers of these names.
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


def _aae(prior: Prior) -> Callable[..., System]:
    def build(image_shape: tuple, *, hidden: tuple, **settings) -> System:
        return AdversarialAutoencoder(image_shape, prior=prior, hidden=hidden, discriminator_hidden=hidden, **settings)

    return build


def _vae(prior: Prior) -> Callable[..., System]:
    def build(image_shape: tuple, **settings) -> System:
        return VariationalAutoencoder(image_shape, prior=prior, likelihood="gaussian", **settings)

    return build


def _aae_quick(reconstruction: float, game: float, beta1: float) -> dict[str, Adam]:
    """Steps found by trial. All are divided near the end: q(z) circles around p(z) for as long as they are large."""
    player = Adam(game, beta1=beta1, drops={8: 4})
    return {"reconstruction": Adam(reconstruction, drops={8: 10}), "discriminator": player, "generator": player}


AAE_PAPER = {  # as restated; its weights begin with std 0.01, and He's larger ones diverge at these steps
    "reconstruction": SGD(0.01, momentum=0.9, drops={50: 10}),
    "discriminator": SGD(0.1, momentum=0.1, drops={50: 10}),
    "generator": SGD(0.1, momentum=0.1, drops={50: 10}),
}
VAE_QUICK = {"negative_elbo": Adam(1e-3, drops={8: 10})}
VAE_PAPER = {"negative_elbo": Adam(1e-3, drops={50: 10})}  # the paper does not say how its VAE was trained


def _figure_2(question: str, build: Callable[..., System], quick: dict, paper: dict, **paper_system) -> Experiment:
    """An experiment of Fig. 2: same networks, images and updates for all. The paper shows pictures, no numbers."""
    settings = {
        "smoke": dict(dataset="digits", system=dict(hidden=(64, 64)), fit=dict(epochs=20, batch_size=50)),
        "quick": dict(
            dataset="mnist", system=dict(hidden=(512, 512)), fit=dict(epochs=10, batch_size=100, optimizers=quick)
        ),
        "paper": dict(
            dataset="mnist",
            system=dict(hidden=(1000, 1000), **paper_system),
            fit=dict(epochs=500, batch_size=100, optimizers=paper),
        ),
    }
    return Experiment(question, build, settings, measure_latent, paper={})


def _figure_2_aae(question: str, prior: Prior, quick: dict) -> Experiment:
    return _figure_2(question, _aae(prior), quick, AAE_PAPER, initial_std=0.01)


def _figure_2_vae(question: str, prior: Prior) -> Experiment:
    return _figure_2(question, _vae(prior), VAE_QUICK, VAE_PAPER)


EXPERIMENTS: dict[str, Experiment] = {
    "aae-gaussian": _figure_2_aae(
        "Fig. 2a: does q(z) of an AAE fill a 2-D Gaussian?", Gaussian(2), _aae_quick(1e-3, game=4e-4, beta1=0.5)
    ),
    "aae-mixture": _figure_2_aae(  # a game of larger steps: the discriminator must keep up with ten thin petals
        "Fig. 2b: ... and a mixture of ten?", GaussianMixture(), _aae_quick(5e-4, game=1e-3, beta1=0.1)
    ),
    "vae-gaussian": _figure_2_vae("Fig. 2c: the same for a VAE, 2-D Gaussian", Gaussian(2)),
    "vae-mixture": _figure_2_vae("Fig. 2d: ... and the mixture of ten", GaussianMixture()),
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
    settings = experiment.settings[checks.one_of("profile", profile, PROFILES)]
    seed = checks.seed("seed", seed)
    choose_device(device)
    path = writable(Path(results) / f"{name}.{profile}.seed{seed}.json")
    checkpoint = Path(checkpoints) / f"{name}.{profile}.seed{seed}.safetensors"
    data = load(settings["dataset"])
    system = experiment.build(data.image_shape, seed=seed, **settings["system"])
    history = fit(
        system, data.train, seed=seed, device=device, checkpoint=checkpoint, progress=progress, **settings["fit"]
    )
    if history.interrupted:
        return None
    record = {
        "experiment": name,
        "question": experiment.question,
        "profile": profile,
        "seed": seed,
        "dataset": data.name,
        "settings": {key: str(value) for key, value in settings["fit"].items()},
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
    lines: list[str] = []
    metrics: list[str] = []
    for (name, profile), records in groups.items():
        first = records[0]
        if list(first["metrics"]) != metrics:  # other columns: another table
            metrics = list(first["metrics"])
            titles = ["experiment", "profile", "data", "seeds", "updates", "device", *metrics]
            lines += [""] * bool(lines) + [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
        seeds = ", ".join(str(record["seed"]) for record in records)
        cells = [name, profile, first["dataset"], seeds, f"{first['updates']:,}", first["device"]]
        for metric in metrics:
            values = np.array([record["metrics"][metric] for record in records])
            spread = f" ± {values.std(ddof=1):.2g}" if len(values) > 1 else ""
            paper = f" (paper: {first['paper'][metric]:g})" if metric in first["paper"] else ""
            cells.append(f"{values.mean():.3g}{spread}{paper}")
        lines.append(f"| {' | '.join(cells)} |")
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
