"""Which optimizer each phase uses, and how large its steps are in each epoch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import torch

from .. import checks
from ..optimizers import SGD, Adam
from ..systems.base import Phase


def with_optimizers(phases: list[Phase], optimizers: Mapping[str, Adam | SGD]) -> list[Phase]:
    """The phases with the reader's optimizers.

    ValueError where two have one name, one learns nothing, or one shares an optimizer that no earlier phase owns.
    """
    names = [phase.name for phase in phases]
    _all_different("phases", names)
    _all_different("losses of phases", [name for phase in phases for name in phase.names])
    for phase in phases:
        if not phase.weights():
            raise ValueError(f"phase {phase.name!r} has no weights to learn; give it a network with some in learns.")
    for name, optimizer in optimizers.items():
        checks.one_of("each name in optimizers", name, names)
        if not isinstance(optimizer, Adam | SGD):
            raise TypeError(f"optimizers[{name!r}] must be aae_lib's Adam(...) or SGD(...), but it is {optimizer!r}.")
    phases = [replace(phase, optimizer=optimizers.get(phase.name, phase.optimizer)) for phase in phases]
    owners: list[str] = []
    for phase in phases:
        if isinstance(phase.optimizer, str):
            checks.one_of(f"the optimizer of phase {phase.name!r}, a phase that owns one,", phase.optimizer, owners)
        else:
            owners.append(phase.name)
    return phases


def _all_different(what: str, names: list[str]) -> None:
    """ValueError where a name stands twice: histories and optimizers are kept by name."""
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"two {what} are called {name!r}; give each a name of its own.")


def owner(phase: Phase) -> str:
    """The name of the phase whose optimizer ``phase`` uses."""
    return phase.optimizer if isinstance(phase.optimizer, str) else phase.name


def build_optimizers(phases: list[Phase]) -> dict[str, torch.optim.Optimizer]:
    """The optimizer of every phase by its name, over the weights of all phases that share it."""
    built: dict[str, torch.optim.Optimizer] = {}
    for phase in phases:
        if phase.name == owner(phase):
            shared = {
                id(weight): weight for other in phases if owner(other) == phase.name for weight in other.weights()
            }
            built[phase.name] = phase.optimizer.build(list(shared.values()))
    return {phase.name: built[owner(phase)] for phase in phases}


def set_learning_rates(phases: list[Phase], optimizers: dict[str, torch.optim.Optimizer], epoch: int) -> None:
    for phase in phases:
        if phase.name != owner(phase):
            continue
        divisor = math.prod(by for start, by in phase.optimizer.drops.items() if epoch >= start)
        for group in optimizers[phase.name].param_groups:
            group["lr"] = phase.optimizer.learning_rate / divisor
