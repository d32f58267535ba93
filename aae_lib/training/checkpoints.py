"""Trainings on disk: everything that an exact continuation needs, in one safetensors file."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from filelock import FileLock, Timeout
from torch import Tensor

from ..checks import DataError, StorageError
from ..storage import WEIGHTS, describe, difference, load_weights, named_weights, read_tensors, write_tensors
from ..systems.base import System
from .history import History

FORMAT = 2  # since labelled images have an order of their own


@contextlib.contextmanager
def sole_writer(path: Path | None) -> Iterator[None]:
    """Hold a checkpoint for one training at a time, by a lock beside it that ends with its process, however that ends.

    Raises StorageError where another training has it. None: there is no checkpoint, so nothing to hold.
    """
    if path is None:
        yield
        return
    lock = FileLock(f"{path}.lock", timeout=1)
    try:
        lock.acquire()
    except Timeout as error:
        raise StorageError(
            f"another training is writing the checkpoint {path}; wait until it ends, or give another file name."
        ) from error
    except OSError as error:
        raise StorageError(
            f"the checkpoint {path} cannot be locked against other trainings ({error}); give another file name."
        ) from error
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            Path(lock.lock_file).unlink()  # while it is held: whoever waits for it looks whether it is still there
        lock.release()


def save_checkpoint(path: Path, system: System, state: dict[str, Tensor], history: History, recipe: dict) -> None:
    """Write all that a training needs to go on exactly: weights, optimizers' and generator's state, history, recipe."""
    notes = {"system": describe(system), "history": asdict(history), "recipe": {"format": FORMAT, **recipe}}
    write_tensors(path, {**named_weights(system), **state}, notes)


def load_checkpoint(path: Path, system: System, recipe: dict) -> tuple[dict[str, Tensor], History]:
    """Fill ``system`` from a checkpoint and return the rest; DataError where it is of another system or recipe."""
    tensors, notes = read_tensors(path)
    if not {"system", "history", "recipe"} <= set(notes):
        raise DataError(f"{path} is no checkpoint of fit; give another file name.")
    if notes["recipe"].get("format") != FORMAT:
        raise DataError(
            f"the checkpoint {path} is of another version of aae_lib, which took images in another order, so it cannot "
            "be gone on with; restore(path) still reads its system, or give another file name to start anew."
        )
    wanted_recipe = {"format": FORMAT, **recipe}
    for kind, found, wanted in (
        ("system", notes["system"], describe(system)),
        ("recipe", notes["recipe"], wanted_recipe),
    ):
        if found != wanted:
            raise DataError(
                f"the checkpoint {path} is of another {kind}, {difference(found, wanted)}; "
                "give the same arguments to go on with it, or another file name to start anew."
            )
    try:
        history = History(**{**notes["history"], "phases": tuple(notes["history"]["phases"])})
    except (LookupError, TypeError) as error:
        raise DataError(f"the history in checkpoint {path} is damaged ({error}); delete it to start anew.") from error
    load_weights(system, tensors, path)
    return {name: value for name, value in tensors.items() if not name.startswith(WEIGHTS)}, history
