"""A training whose losses are no longer finite."""

from __future__ import annotations

import math

from ..systems.base import Phase
from .history import History
from .steps import owner


class TrainingDiverged(ArithmeticError):
    """A loss is NaN or infinite. ``history`` holds the losses up to there, the checkpoint (if any) is from before."""

    def __init__(self, message: str, history: History):
        super().__init__(message)
        self.history = history

    def __reduce__(self) -> tuple:
        return type(self), (str(self), self.history)  # so that it can be told across processes


def stop_if_not_finite(rows: list[list[float]], phases: list[Phase], history: History) -> None:
    """Raise TrainingDiverged at the first update, a row of losses, with one that is not finite; note those before."""
    owners = [phase for phase in phases for _ in phase.names]
    steps = {phase.name: phase.optimizer for phase in phases}
    for index, row in enumerate(rows):
        for phase, loss in zip(owners, row, strict=True):
            if phase.runs_at(history.update + index) and not math.isfinite(loss):
                history.add(rows[:index])
                number = history.update + 1
                raise TrainingDiverged(
                    f"the loss of phase {phase.name!r} is {loss} at update {number}; lower its learning rate "
                    f"({steps[owner(phase)].learning_rate:g}) with optimizers={{{owner(phase)!r}: ...}}.",
                    history,
                )
