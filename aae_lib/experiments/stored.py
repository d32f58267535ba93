"""Trained systems at hand: those of some long runs lie in ``results/weights``, in half precision."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

from .. import checks
from ..checks import DataError, StorageError
from ..storage import describe, named_weights, restore, write_tensors
from ..systems import System
from . import ledger
from .catalogue import EXPERIMENTS
from .running import CHECKPOINTS, dataset, file_name, labels_and_measure

AT_HOME = Path(__file__).parents[2] / "results"  # of the clone that this library lies in
WEIGHTS = "weights"  # the folder for them in ``results``
LARGEST = 8 * 2**20  # bytes of one file
TOLERANCE = 0.02  # of a number, relative: what half precision may change


def trained(name: str, *, results: str | Path = AT_HOME, device: str = "cpu") -> System:
    """The system that the long run of an experiment trained, ready to use: ``trained("alae-mnist")``.

    Raises ValueError for an unknown name, FileNotFoundError, with the commands that make it, where none is stored, and
    DataError where the file is damaged or is not the one that its record names.
    """
    checks.one_of("name", name, EXPERIMENTS)
    return _restored(_record_of(name, Path(results)), Path(results), device)


def store(
    name: str,
    *,
    profile: str = "long",
    seed: int = 0,
    results: str | Path = AT_HOME,
    checkpoints: str | Path = CHECKPOINTS,
) -> Path:
    """Keep the trained system of a finished run in ``results/weights``, in half precision, and its hash in its record.

    It takes the place of the one that was stored of this experiment. Raises FileNotFoundError where record or trained
    system are missing, StorageError where the file would be larger than 8 MB.
    """
    checks.one_of("name", name, EXPERIMENTS)
    results, seed = Path(results), checks.seed("seed", seed)
    path = results / file_name(name, profile, seed, "json")
    if not path.is_file():
        wanted = {"experiment": name, "profile": profile, "seed": seed}
        raise FileNotFoundError(f"{path} is missing; make it with: {ledger.command(wanted)}.")
    record = ledger.read(path)
    system = ledger.trained_system(record, Path(checkpoints) / f"{path.stem}.trained.safetensors", "cpu")
    weights = {
        key: value.half() if value.is_floating_point() else value for key, value in named_weights(system).items()
    }
    size = sum(value.numel() * value.element_size() for value in weights.values())
    if size > LARGEST:
        raise StorageError(
            f"the weights of {name} take {size / 2**20:.1f} MB in half precision, but a stored system may have "
            f"{LARGEST // 2**20}; store one of smaller networks."
        )
    file = results / WEIGHTS / f"{name}.safetensors"
    write_tensors(file, weights, {"system": describe(system)})
    for other in ledger.records(name, results):
        if other.pop("stored", None):  # of another seed or profile, whose file this was
            ledger.write(results / file_name(name, other["profile"], other["seed"], "json"), other)
    record["stored"] = {"file": f"{WEIGHTS}/{file.name}", "bytes": file.stat().st_size, "sha256": ledger.digest(file)}
    ledger.write(path, record)
    return file


def verify(name: str | None = None, *, results: str | Path = AT_HOME) -> Iterator[tuple[str, dict, bool]]:
    """Measure the stored systems anew, all or one: (experiment, {number: (record's, today's)}, whether they agree).

    Of the test images. They agree within two percent, which is what half precision may change, or one in a thousand.
    Raises ValueError for an unknown name, FileNotFoundError where nothing is stored.
    """
    if name is not None:
        checks.one_of("name", name, EXPERIMENTS)
        _record_of(name, Path(results))
    kept = [record for record in ledger.records(name, results) if "stored" in record]
    if not kept:
        raise FileNotFoundError(f"no trained system is stored in {results}; give the folder of results that has some.")
    for record in kept:
        system = _restored(record, Path(results), "cpu")
        data = dataset(record["settings"]["dataset"])
        _, measure = labels_and_measure(record, EXPERIMENTS[record["experiment"]], system, data)
        found = measure(system, data)["test"]
        both = {key: (record["metrics"]["test"][key], value) for key, value in found.items()}
        agree = all(math.isclose(*pair, rel_tol=TOLERANCE, abs_tol=1e-3) for pair in both.values())
        yield record["experiment"], both, agree


def _record_of(name: str, results: Path) -> dict:
    for record in ledger.records(name, results):
        if "stored" in record:
            return record
    wanted = {"experiment": name, "profile": "long", "seed": 0}
    raise FileNotFoundError(
        f"no trained system of {name} is stored in {results}; make one with: {ledger.command(wanted)}, then: "
        f"python -m aae_lib.experiments store {name}."
    )


def _restored(record: dict, results: Path, device: str) -> System:
    file = results / record["stored"]["file"]
    if not file.is_file():
        raise FileNotFoundError(
            f"{file} is missing; get it back with git, or make it anew with: {ledger.command(record)} --again, then: "
            f"python -m aae_lib.experiments store {record['experiment']}."
        )
    if ledger.digest(file) != record["stored"]["sha256"]:
        raise DataError(f"{file} is not the file that its record names (their hashes differ); get it back with git.")
    return restore(file, device=device)
