"""What a training did: its losses over updates, and whether they look healthy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .health import EQUILIBRIUM, faults

__all__ = ["EQUILIBRIUM", "History"]


@dataclass
class History:
    """Mean losses over successive windows of updates.

    ``losses[phase]`` and ``updates`` have one entry per window; ``updates`` counts the updates done at its end. A phase
    that does not run at every update has the mean of those at which it ran, NaN in a window without any.
    ``mean_image_loss`` is the reconstruction loss of predicting the mean image for every image: a decoder that learned
    anything is below it. ``classes``: how many the system learns from labels.
    Of hold-out images, where ``fit`` was given some: ``validation_losses`` and ``validation_updates``, in evaluation
    mode after every ``validation_every`` updates and at the end; ``baselines``: what simple methods score;
    ``last_look``: codes and errors at the end (see ``validation.Validation`` for all of them).
    """

    phases: tuple[str, ...]
    updates_per_epoch: int
    window: int
    mean_image_loss: float
    update: int = 0
    seconds: float = 0.0
    interrupted: bool = False
    pending: list[list[float]] = field(default_factory=list)  # the losses of updates since the last full window
    rows: list[list[float]] = field(default_factory=list)  # one row a window: update, then each phase's mean loss
    classes: int | None = None
    validation_every: int = 0
    validation_rows: list[list[float]] = field(default_factory=list)  # the same of hold-out images, at single updates
    baselines: dict[str, float] = field(default_factory=dict)
    last_look: dict[str, Any] = field(default_factory=dict)

    def add(self, losses: list[list[float]]) -> None:
        """Note the losses of further updates, one row of phase losses each; NaN for a phase that did not run."""
        for row in losses:
            self.update += 1
            self.pending.append(row)
            if len(self.pending) == self.window:
                self.rows.append([self.update, *map(_mean, zip(*self.pending, strict=True))])
                self.pending = []

    def add_validation(self, losses: list[float]) -> None:
        """Note the losses of hold-out images after the latest update."""
        if self.validation_rows and self.validation_rows[-1][0] % self.validation_every:
            self.validation_rows.pop()  # of what was the end, which a training that never stopped there has not
        self.validation_rows.append([self.update, *losses])

    def __add__(self, later: History) -> History:
        """This training and a ``later`` one of the same system, as one: the stages of a system that grows."""
        if not isinstance(later, History):
            return NotImplemented
        if later.phases != self.phases:
            raise ValueError(f"these histories are of other phases, {self.phases} and {later.phases}; join like ones.")
        rows, validation_rows = (
            [*before, *([self.update + row[0], *row[1:]] for row in after)]
            for before, after in ((self.rows, later.rows), (self.validation_rows, later.validation_rows))
        )
        update, seconds = self.update + later.update, self.seconds + later.seconds
        return replace(later, update=update, seconds=seconds, rows=rows, validation_rows=validation_rows)

    @property
    def epochs_done(self) -> float:
        """Passes over the training images so far."""
        return self.update / self.updates_per_epoch

    @property
    def updates(self) -> np.ndarray:
        return np.array([int(row[0]) for row in self.rows], dtype=int)

    @property
    def losses(self) -> dict[str, np.ndarray]:
        return {name: np.array([row[1 + k] for row in self.rows]) for k, name in enumerate(self.phases)}

    @property
    def validation_updates(self) -> np.ndarray:
        return np.array([int(row[0]) for row in self.validation_rows], dtype=int)

    @property
    def validation_losses(self) -> dict[str, np.ndarray]:
        """Of hold-out images; empty where ``fit`` was given none."""
        columns = enumerate(self.phases if self.validation_rows else ())
        return {name: np.array([row[1 + k] for row in self.validation_rows]) for k, name in columns}

    def latest(self) -> dict[str, float]:
        """Each phase's loss over the last window in which it ran; empty before the first window is full."""
        if not self.rows:
            return {}
        columns = ((row[1 + k] for row in reversed(self.rows)) for k in range(len(self.phases)))
        ran = (next((loss for loss in column if not math.isnan(loss)), math.nan) for column in columns)
        return dict(zip(self.phases, ran, strict=True))

    def health(self) -> str:
        """What is wrong and what to do next, one line for each fault; or "healthy", or that it is too early to say.

        Losses are compared with those of guessing and of the mean image. Where ``fit`` was given hold-out images,
        theirs are also compared with the training's and with those of PCA and logistic regression, and their codes with
        the prior.
        """
        return "\n".join("; ".join(fault) for fault in faults(self)) or self._no_fault

    def current(self) -> str:
        """The latest losses, hold-out images' beside them, and the first fault, as the progress bar shows them."""
        held_out = {name: f" (hold-out {curve[-1]:.3g})" for name, curve in self.validation_losses.items()}
        losses = ", ".join(f"{name} {value:.3g}{held_out.get(name, '')}" for name, value in self.latest().items())
        return f"{losses}{'; ' if losses else ''}{next((what for what, _ in faults(self)), self._no_fault)}"

    @property
    def _no_fault(self) -> str:
        return "healthy" if self.rows else "too early to say"

    def summary(self) -> str:
        """The work done, the latest losses and their health, in one line."""
        return f"{self.update:,} updates ({self.epochs_done:.3g} epochs) in {self.seconds:.0f} s: {self.current()}."

    def __repr__(self) -> str:
        return f"History({self.summary()})"


def _mean(losses: Sequence[float]) -> float:
    ran = [loss for loss in losses if not math.isnan(loss)]
    return float(np.mean(ran)) if ran else math.nan
