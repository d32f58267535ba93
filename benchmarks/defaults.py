"""One set of defaults for all images: trials of candidates, on eight sets of images, with three systems.

    python -m benchmarks.defaults trials --list
    python -m benchmarks.defaults run 'brisk/*' --out trials.jsonl --device cuda --processes 8
    python -m benchmarks.defaults run 'simple/*' --out trials.jsonl
    python -m benchmarks.defaults table trials.jsonl
    python -m benchmarks.defaults pack folder

A trial is called candidate/set/system. Its system is trained for as many updates as all others and measured on images
that it was not trained on, validation images throughout:

- ``aae``: an AAE with 15 dimensions: half the squared error of reconstructions, and the sliced Wasserstein distance of
  q(z) from the prior. Goal: at most 1.2 times the error of PCA with 15 dimensions, and at most 3 times the floor.
- ``labels``: the semi-supervised system with 10 labels a class or more: the share of images that ``classify`` gets
  wrong. Goal: no more than logistic regression that is given the same labels, and the pixels as the system sees them.
- ``clusters``: 17 or 25 clusters, named by the majority rule after images that were trained on (5,000 at most): the
  share of wrong names. Goal: no more than k-means with as many clusters and the same names.

The candidate ``simple`` stands for PCA, logistic regression and k-means. Nothing here looks at a test image. Where
there is no network, set ``AAE_PACKED`` to the folder that ``pack`` wrote, and ``AAE_DATA`` to a root that holds MNIST.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import math
import multiprocessing
import os
import sys
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from aae_lib import fit
from aae_lib.data import Split
from aae_lib.evaluation import clustering_error, distance_to_prior
from aae_lib.losses import half_squared_error
from aae_lib.pixels import as_float, mean_and_std, suited_output
from aae_lib.priors import Gaussian
from aae_lib.systems import (
    AdversarialAutoencoder,
    ClusteringAdversarialAutoencoder,
    SemiSupervisedAdversarialAutoencoder,
    System,
)
from aae_lib.training.divergence import TrainingDiverged

from .candidates import CANDIDATES, Recipe
from .image_sets import SETS, image_set, pack

SYSTEMS = {
    "aae": AdversarialAutoencoder,
    "labels": SemiSupervisedAdversarialAutoencoder,
    "clusters": ClusteringAdversarialAutoencoder,
}
SIMPLE = "simple"
DIMENSIONS, UPDATES, NAMED_BY = 15, 3000, 5000
CODES = 1000  # that are compared with draws of the prior, at most
PCA_GOAL, FLOOR_GOAL = 1.2, 3.0


def trials() -> list[str]:
    """The names of all trials, those of the simple methods first."""
    pairs = [(images, system) for images in SETS for system in SYSTEMS if system == "aae" or SETS[images].labels]
    return [f"{candidate}/{images}/{system}" for candidate in (SIMPLE, *CANDIDATES) for images, system in pairs]


def run_trial(
    name: str, device: str = "auto", updates: int = UPDATES, seed: int = 0, units: int | None = None
) -> dict[str, Any]:
    """Train and measure one trial: a line of the log. A training that diverged has no numbers, but says so.

    ``units``: of all hidden layers, in place of the candidate's own: for trials on a CPU.
    """
    candidate, images, kind = name.split("/")
    train, validation = image_set(images)
    line = {"trial": name, "updates": updates, "seed": seed, "train": len(train), "validation": len(validation)}
    start = time.monotonic()
    if candidate == SIMPLE:
        numbers = simple_numbers(images, kind, seed)
        return line | {"numbers": numbers, "seconds": round(time.monotonic() - start, 1)}
    recipe = CANDIDATES[candidate][kind]
    if units is not None:
        narrow = {"hidden": (units, units), "discriminator_hidden": (units, units)}
        recipe = Recipe({**recipe.system, **narrow}, recipe.steps)
    system, labelled = build(recipe, images, kind, seed), None
    if kind == "labels":
        labelled = train.balanced_subset(SETS[images].labels, seed=seed)
    line |= {"system": dict(recipe.system), "steps": {phase: str(step) for phase, step in recipe.steps.items()}}
    try:
        history = fit(
            system,
            train,
            labelled=labelled,
            updates=updates,
            seed=seed,
            device=device,
            optimizers=recipe.steps,
            progress=False,
        )
    except TrainingDiverged as error:
        return line | {"diverged": str(error), "numbers": {}, "seconds": round(time.monotonic() - start, 1)}
    trained = time.monotonic() - start
    line |= {"losses": history.latest(), "health": history.health(), "device": system.device.type}
    numbers = measure(system, train, validation)
    return line | {"numbers": numbers, "training": round(trained, 1), "seconds": round(time.monotonic() - start, 1)}


def build(recipe: Recipe, images: str, kind: str, seed: int) -> System:
    """The system of a trial, its weights drawn by ``seed``."""
    train, _ = image_set(images)
    common = {"output": "auto", "seed": seed, **recipe.system}
    shape = tuple(train.images.shape[1:])
    if kind == "aae":
        return AdversarialAutoencoder(shape, prior=Gaussian(DIMENSIONS), **common)
    if kind == "labels":
        return SemiSupervisedAdversarialAutoencoder(shape, classes=int(train.labels.max()) + 1, **common)
    return ClusteringAdversarialAutoencoder(shape, clusters=SETS[images].clusters, **common)


def measure(system: System, train: Split, validation: Split) -> dict[str, float]:
    """All numbers of a trained system, on ``validation``."""
    numbers = {"error": float(half_squared_error(system.reconstruct(validation.images), as_float(validation.images)))}
    z = system.encode(validation.images)  # (N, Z)
    if bool(z.isfinite().all()):
        near = distance_to_prior(z, system.prior, count=CODES)
        numbers |= {"distance": near.sliced_wasserstein, "floor": near.sliced_wasserstein_floor}
    numbers |= {"code mean": float(z.mean(dim=0).norm()), "code std": float(z.std(dim=0).median())}
    if isinstance(system, SemiSupervisedAdversarialAutoencoder):
        numbers["wrong"] = float((system.classify(validation.images) != validation.labels).float().mean())
    elif isinstance(system, ClusteringAdversarialAutoencoder):
        some = train.take(torch.arange(min(NAMED_BY, len(train))))
        mine, theirs = system.logits(some.images), system.logits(validation.images)
        numbers |= _named(mine, some.labels, theirs, validation.labels)
    return numbers


def simple_numbers(images: str, kind: str, seed: int) -> dict[str, float]:
    """What PCA, logistic regression or k-means make of a set of images, in place of the system ``kind``."""
    train, validation = image_set(images)
    if kind == "aae":
        from sklearn.decomposition import PCA

        known, held_out = (as_float(split.images).flatten(1) for split in (train, validation))
        pca = PCA(DIMENSIONS, random_state=seed).fit(known.numpy())
        answer = torch.from_numpy(pca.inverse_transform(pca.transform(held_out.numpy()))).clamp(0, 1)
        mean = known.mean(dim=0, keepdim=True)
        return {
            "error": float(half_squared_error(answer.float(), held_out)),
            "mean image": float(half_squared_error(mean, held_out)),
        }
    if kind == "labels":
        from sklearn.linear_model import LogisticRegression

        chosen = train.take(train.balanced_subset(SETS[images].labels, seed=seed))
        mean, std = _seen_with(train.images)
        known, held_out = (((as_float(split.images) - mean) / std).flatten(1).numpy() for split in (chosen, validation))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it has not converged to the last digit
            model = LogisticRegression(max_iter=500).fit(known, chosen.labels.numpy())
        return {"wrong": 1 - float(model.score(held_out, validation.labels.numpy()))}
    from sklearn.cluster import KMeans

    count = SETS[images].clusters
    known = as_float(train.images[: 2 * NAMED_BY]).flatten(1).numpy()
    means = KMeans(count, n_init=3, random_state=seed).fit(known)
    some = train.take(torch.arange(min(NAMED_BY, len(train))))
    mine, theirs = (
        torch.nn.functional.one_hot(
            torch.from_numpy(means.predict(as_float(split.images).flatten(1).numpy())).long(), count
        ).log()
        for split in (some, validation)
    )
    return _named(mine, some.labels, theirs, validation.labels)


def _seen_with(images: Tensor) -> tuple[Tensor, Tensor] | tuple[float, float]:
    """What ``output="auto"`` subtracts from pixels, and divides them by."""
    return mean_and_std(images) if suited_output(images)[0] == "standardised" else (0.0, 1.0)


def _named(logits: Tensor, labels: Tensor, others: Tensor, other_labels: Tensor) -> dict[str, float]:
    found = clustering_error(logits, labels, others, other_labels, rule="majority")
    return {"wrong": found.error, "clusters in use": float((found.sizes > 0).sum())}


def goal(kind: str, numbers: dict[str, float], simple: dict[str, float]) -> bool:
    """Whether a trial reached the goal of its system."""
    if kind == "aae":
        near = numbers.get("distance", math.inf) <= FLOOR_GOAL * numbers.get("floor", 0.0)
        return near and numbers["error"] <= PCA_GOAL * simple["error"]
    return numbers.get("wrong", math.inf) <= simple["wrong"]


def cell(kind: str, numbers: dict[str, float], simple: dict[str, float]) -> str:
    """A trial's numbers in a table, bold where the goal was reached."""
    if not numbers:
        return "diverged"
    if kind == "aae":
        near = numbers["distance"] / numbers["floor"] if "distance" in numbers else math.inf
        text = f"{numbers['error'] / simple['error']:.2f}, {near:.1f}"
    else:
        text = f"{numbers['wrong']:.1%}"
    return f"**{text}**" if goal(kind, numbers, simple) else text


def table(lines: list[dict]) -> str:
    """All trials of a log: a table for each system, and how many goals each candidate reached."""
    found = {tuple(line["trial"].split("/")): line["numbers"] for line in lines}
    names = [name for name in CANDIDATES if any(candidate == name for candidate, _, _ in found)]
    parts, reached = [], {name: [0, 0] for name in names}
    for kind, beside in (("aae", "PCA"), ("labels", "logistic regression"), ("clusters", "k-means")):
        parts += [f"| {kind} | {beside} | {' | '.join(names)} |", "|" + "---|" * (len(names) + 2)]
        for images in SETS:
            simple = found.get((SIMPLE, images, kind))
            if simple is None:
                continue
            cells = [f"{simple['error']:.2f}" if kind == "aae" else f"{simple['wrong']:.1%}"]
            for name in names:
                numbers = found.get((name, images, kind))
                cells.append("–" if numbers is None else cell(kind, numbers, simple))
                if numbers is not None:
                    reached[name][0] += bool(numbers) and goal(kind, numbers, simple)
                    reached[name][1] += 1
            parts.append(f"| {images} | {' | '.join(cells)} |")
        parts.append("")
    goals = (f"| {name} | {good} of {tried} |" for name, (good, tried) in reached.items())
    return "\n".join([*parts, "| candidate | goals reached |", "|---|---|", *goals])


def read_lines(file: Path) -> list[dict]:
    """The lines of a log, the last of each trial; none where there is no file."""
    lines = map(json.loads, file.read_text(encoding="utf-8").splitlines() if file.is_file() else [])
    return list({line["trial"]: line for line in lines}.values())


def _results(names: list[str], processes: int, *how: Any) -> Iterator[dict]:
    """The lines of trials, each as soon as it is there. A trial that failed is said, and leaves no line."""
    if processes == 1:
        yield from (run_trial(name, *how) for name in names)
        return
    os.environ["OMP_NUM_THREADS"] = "1"
    pool: Executor = ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"))
    with pool:
        waiting: dict[Future, str] = {pool.submit(run_trial, name, *how): name for name in names}
        for future in as_completed(waiting):
            if error := future.exception():
                print(f"{waiting[future]} failed: {error!r}", file=sys.stderr, flush=True)
            else:
                yield future.result()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    listed = commands.add_parser("trials")
    listed.add_argument("--list", action="store_true", help="print their names")
    runs = commands.add_parser("run")
    runs.add_argument("names", nargs="+", help="of trials, or patterns such as 'brisk/*/aae'")
    runs.add_argument("--out", type=Path, required=True, help="the log: a line is added for each trial it lacks")
    runs.add_argument("--device", default="auto")
    runs.add_argument("--updates", type=int, default=UPDATES)
    runs.add_argument("--seed", type=int, default=0)
    runs.add_argument("--units", type=int, help="of all hidden layers: for trials on a CPU")
    runs.add_argument("--processes", type=int, default=1)
    for name, help_ in (("table", "a log"), ("pack", "a folder")):
        commands.add_parser(name).add_argument("path", type=Path, nargs="+" if name == "table" else 1, help=help_)
    chosen = parser.parse_args()
    if chosen.command == "trials":
        print("\n".join(trials()) if chosen.list else f"{len(trials())} trials; --list prints their names.")
    elif chosen.command == "pack":
        pack(chosen.path[0])
    elif chosen.command == "table":
        print(table([line for path in chosen.path for line in read_lines(path)]))
    else:
        names = [name for name in trials() if any(fnmatch.fnmatch(name, pattern) for pattern in chosen.names)]
        if not names:
            sys.exit(f"no trial is called {chosen.names[0]!r}; trials --list prints their names.")
        there = {line["trial"] for line in read_lines(chosen.out)}
        with chosen.out.open("a", encoding="utf-8") as log:
            how = (chosen.device, chosen.updates, chosen.seed, chosen.units)
            for line in _results([name for name in names if name not in there], chosen.processes, *how):
                log.write(json.dumps(line) + "\n")
                log.flush()
                print(line["trial"], line["seconds"], json.dumps(line["numbers"]), flush=True)


if __name__ == "__main__":
    main()
