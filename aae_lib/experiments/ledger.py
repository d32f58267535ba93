"""What is known of a run afterwards: one JSON file each, from which it can be rebuilt."""

from __future__ import annotations

import functools
import hashlib
import json
import platform
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from ..checks import DataError
from ..files import write_whole
from ..storage import build, describe, difference, restore
from ..systems import System
from .experiment import Experiment, Settings

RESULTS = Path("results")
FORMAT = 2  # since a record holds all settings as they are, and the numbers of validation images


def plan(name: str, experiment: Experiment, profile: str, seed: int, image_shape: tuple[int, int, int]) -> dict:
    """What a run will be, before it is made, as plain JSON: the part of its record from which it can be rebuilt."""
    settings = experiment.settings(profile)
    system = experiment.build(image_shape, seed=seed, **settings.system)
    described = {**settings.to_json(), "system": describe(system)}
    return {"format": FORMAT, "experiment": name, "profile": profile, "seed": seed, "settings": described}


def rebuild(record: Mapping[str, Any]) -> tuple[System, Settings]:
    """The untrained system of a record or of a plan, with the weights that it had then, and its settings."""
    settings = record["settings"]
    return build(settings["system"]), Settings.from_json(settings)


def read(path: str | Path) -> dict:
    """The record in a file; DataError where it is missing, damaged or of another version."""
    try:
        record = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"there is no record {path}; make it with: python -m aae_lib.experiments run.") from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise DataError(f"the record {path} is damaged ({error}); delete it and run the experiment again.") from error
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        raise DataError(f"{path} is no record of this version of aae_lib; move it elsewhere, or run it again.")
    return record


def write(path: Path, record: Mapping[str, Any]) -> None:
    """Write a record, whole or not at all."""
    write_whole(path, json.dumps(record, indent=2, ensure_ascii=False) + "\n")


def records(name: str | None = None, results: str | Path = RESULTS, *, profile: str | None = None) -> list[dict]:
    """All runs in ``results``, or those of one experiment, of one profile; sorted by experiment, profile and seed."""
    found = [read(path) for path in sorted(Path(results).glob("*.json"))]
    chosen = [
        record for record in found if name in (None, record["experiment"]) and profile in (None, record["profile"])
    ]
    return sorted(chosen, key=lambda record: (record["experiment"], record["profile"], record["seed"]))


def refuse_others(record: dict, planned: dict, path: Path) -> None:
    """DataError where a record in ``path`` was made with other settings than those planned now."""
    for key in ("experiment", "profile", "seed"):
        if record[key] != planned[key]:
            raise DataError(f"{path} is of {key} {record[key]!r} instead of {planned[key]!r}; give another folder.")
    old, new = record["settings"], planned["settings"]
    if old != new:
        inner = old["system"] != new["system"]
        what = difference(old["system"], new["system"]) if inner else difference(old, new)
        raise DataError(
            f"{path} was made with other settings, {what}; tell it to train again (again=True, --again) to replace it, "
            "or give other folders for results and for checkpoints, where its trained system lies."
        )


def trained_system(record: Mapping[str, Any], path: str | Path, device: str = "auto") -> System:
    """The trained system of a record from its file; DataError where that is missing, damaged or not the record's."""
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; make it with: {command(record)} --again.")
    if digest(path) != record["weights"]["sha256"]:
        raise DataError(
            f"{path} is not the file that its record names (their hashes differ), so it was damaged or made by another "
            f"run; make it anew with: {command(record)} --again."
        )
    return restore(path, device=device)


def command(record: Mapping[str, Any]) -> str:
    """What to type to make this run."""
    which = f"{record['experiment']} --profile {record['profile']} --seed {record['seed']}"
    return f"python -m aae_lib.experiments run {which}"


def digest(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def surroundings(device: torch.device) -> dict:
    """On what a run is made: device, machine, threads, versions."""
    from .. import __version__

    cuda = device.type == "cuda"
    return {
        "device": device.type,
        "machine": torch.cuda.get_device_name(device) if cuda else _processor(),
        "threads": torch.get_num_threads(),
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "aae_lib": __version__},
    }


@functools.cache  # what was imported goes on running, whatever is committed meanwhile
def commit() -> str | None:
    """The commit of the code that runs, with a "+" where files were changed since; None outside a repository."""
    folder = Path(__file__).parent.parent

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        git("ls-files", "--error-unmatch", "__init__.py")  # not of a repository that only lies around the library
        return git("rev-parse", "HEAD") + ("+" if git("status", "--porcelain", "--", ".") else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def _processor() -> str:
    """The processor's name; Python knows it on some systems only."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
