"""Trained systems on disk: safetensors for the weights, JSON for everything else. Nothing is unpickled.

A file holds the system's class and constructor arguments beside its weights, so ``restore`` needs no other information;
of a class that the reader wrote it needs the definition.
"""

from __future__ import annotations

import json
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes
from torch import Tensor

from . import checks
from .checks import DataError
from .files import write_whole
from .priors import Prior, prior_from_settings
from .systems.base import SYSTEMS, System, class_name, require_system

WEIGHTS = "weights."  # prefix of the weights' names in a file that holds more than weights


def save(system: System, path: str | Path) -> None:
    """Write a system's weights and settings to one ``.safetensors`` file, whole or not at all.

    Raises StorageError where the file cannot be written; an older file of that name is then unchanged.
    """
    require_system(system)
    write_tensors(path, named_weights(system), {"system": describe(system)})


def restore(path: str | Path, *, into: System | None = None, device: str | None = None) -> System:
    """The system that ``save`` wrote (or that a checkpoint of ``fit`` holds), ready to use.

    ``into``: an existing system to receive the weights instead of a new one; it must be of the same class and settings.
    ``device``: by default the CPU, or where ``into`` is.
    Raises DataError where the file is missing, damaged, not a system's, or another system's than ``into``.
    """
    place = checks.device("device", device or "cpu")
    if into is not None:
        require_system(into, "into")
    tensors, notes = read_tensors(path)
    described = notes.get("system")
    if described is None:
        raise DataError(f"{path} holds no aae_lib system; give a file that aae_lib.save wrote.")
    try:
        system = build(described) if into is None else into
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise DataError(
            f"the system that {path} describes cannot be built ({error}); save it again with this version of aae_lib."
        ) from error
    if into is not None and describe(into) != described:
        raise DataError(
            f"{path} holds another system, {difference(described, describe(into))}; use restore(path) alone."
        )
    load_weights(system, tensors, path)
    return (system if device is None else system.to(place)).eval()


def describe(system: System) -> dict:
    """A system's class and settings as plain JSON."""
    settings = {}
    for key, value in system.settings.items():
        if key in system.newer and value == system.newer[key]:
            continue
        inner = isinstance(value, System)  # a system inside a system, such as the autoencoder of GMMN + AE
        settings[key] = describe(value) if inner else value.to_settings() if isinstance(value, Prior) else value
    return json.loads(json.dumps({"class": class_name(type(system)), **settings}, default=_plain))


def build(described: dict) -> System:
    """A system, with fresh weights, from what ``describe`` said of it."""
    settings = dict(described)
    kind = settings.pop("class")
    if kind not in SYSTEMS:
        raise LookupError(
            f"no class {kind!r} is defined here: import it, or run the cell that defines it, then restore"
        )
    for key, value in settings.items():
        if isinstance(value, dict) and "kind" in value:
            settings[key] = prior_from_settings(value)
        elif isinstance(value, dict) and "class" in value:
            settings[key] = build(value)
    return SYSTEMS[kind](**settings)


def difference(first: dict, second: dict) -> str:
    """The first setting in which two descriptions differ: "epochs 3 instead of 4"."""
    for key in [*first, *second]:
        if first.get(key) != second.get(key):
            return f"{key} {first.get(key)!r} instead of {second.get(key)!r}"
    return "no difference"


def load_weights(system: System, tensors: dict[str, Tensor], path: str | Path) -> None:
    """Put the weights found in a file into ``system``; DataError, before any is changed, where they differ."""
    weights = {name.removeprefix(WEIGHTS): value for name, value in tensors.items() if name.startswith(WEIGHTS)}
    own = system.state_dict()
    if {name: value.shape for name, value in weights.items()} != {name: value.shape for name, value in own.items()}:
        raise DataError(f"the weights in {path} do not fit a {type(system).__name__} of these settings; save it anew.")
    system.load_state_dict(weights)


def write_tensors(path: str | Path, tensors: dict[str, Tensor], notes: dict) -> None:
    """Tensors and JSON notes to one safetensors file, whole or not at all."""
    metadata = {key: json.dumps(value) for key, value in notes.items()}
    copies = {name: value.detach().to("cpu", copy=True).contiguous() for name, value in tensors.items()}  # none shared
    write_whole(path, to_bytes(copies, metadata))


def read_tensors(path: str | Path) -> tuple[dict[str, Tensor], dict]:
    """The tensors and notes of a safetensors file; DataError where it is missing, damaged or of another kind."""
    path = Path(path).expanduser()
    if not path.is_file():
        raise DataError(f"there is no file {path}; give the path that aae_lib.save wrote to.")
    try:
        with safe_open(path, framework="pt") as file:
            # Copies: while a tensor is a window on the file, Windows lets nobody replace that.
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118 (not a dict)
            notes = {key: json.loads(value) for key, value in (file.metadata() or {}).items()}
    except (SafetensorError, json.JSONDecodeError, OSError) as error:
        raise DataError(
            f"{path} is damaged, or aae_lib did not write it ({error}); save it again, or restore a copy."
        ) from error
    return tensors, notes


def _plain(number: object) -> object:
    return number.tolist()  # NumPy's numbers, such as the settings of a sweep over np.arange, are no JSON


def named_weights(system: System) -> dict[str, Tensor]:
    """All weights and buffers of a system, as a file that holds other tensors too names them."""
    return {WEIGHTS + name: value for name, value in system.state_dict().items()}
