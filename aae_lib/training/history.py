"""What a training did: its losses over updates, and whether they look healthy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

EQUILIBRIUM = {  # of each game, of which some systems play two; D(x) = ½ everywhere (Goodfellow et al. 2014)
    name + of: value
    for of in ("", " of z", " of y")
    for name, value in (("discriminator", 2 * math.log(2)), ("generator", math.log(2)))
}
WON = 0.2  # nats, of a discriminator that is right almost always
LOST = 4.0  # nats, of a generator that is taken for real once in 55 times


@dataclass
class History:
    """Mean losses over successive windows of updates.

    ``losses[phase]`` and ``updates`` have one entry per window; ``updates`` counts the updates done at its end. A phase
    that does not run at every update has the mean of those at which it ran, NaN in a window without any.
    ``mean_image_loss`` is the reconstruction loss of predicting the mean image for every image: a decoder that learned
    anything is below it.
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

    def add(self, losses: list[list[float]]) -> None:
        """Note the losses of further updates, one row of phase losses each; NaN for a phase that did not run."""
        for row in losses:
            self.update += 1
            self.pending.append(row)
            if len(self.pending) == self.window:
                self.rows.append([self.update, *map(_mean, zip(*self.pending, strict=True))])
                self.pending = []

    def __add__(self, later: History) -> History:
        """This training and a ``later`` one of the same system, as one: the stages of a system that grows."""
        if not isinstance(later, History):
            return NotImplemented
        if later.phases != self.phases:
            raise ValueError(f"these histories are of other phases, {self.phases} and {later.phases}; join like ones.")
        rows = [[self.update + row[0], *row[1:]] for row in later.rows]
        return replace(
            later, update=self.update + later.update, seconds=self.seconds + later.seconds, rows=[*self.rows, *rows]
        )

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

    def latest(self) -> dict[str, float]:
        """Each phase's loss over the last window in which it ran; empty before the first window is full."""
        latest = {}
        for name, column in zip(self.phases, zip(*[row[1:] for row in self.rows], strict=True), strict=False):
            ran = [value for value in column if not math.isnan(value)]
            latest[name] = ran[-1] if ran else math.nan
        return latest

    def health(self) -> str:
        """One sentence on the latest losses: what is wrong, or "healthy"."""
        latest = self.latest()
        reconstruction = latest.get("reconstruction")
        if reconstruction is not None and self.update >= 500 and reconstruction > 0.95 * self.mean_image_loss:
            return (
                "reconstruction is stuck at the mean image: the step is too small, or the loss is averaged over pixels"
            )
        for name, loss in latest.items():
            if name.startswith("discriminator") and loss < WON:
                return f"the {name} has won: its loss is near 0, so the other network gets no signal"
            if name.startswith("discriminator") and loss > 1.5 * EQUILIBRIUM["discriminator"]:
                return f"the {name} is worse than guessing: its step is too large"
            if name.startswith("generator") and loss > LOST:
                return f"the {name} has lost: it passes for real with a chance of e^−{loss:.3g}"
        return "healthy"

    def current(self) -> str:
        """The latest losses and their health, as the progress bar shows them."""
        losses = ", ".join(f"{name} {value:.3g}" for name, value in self.latest().items())
        return f"{losses}; {self.health()}"

    def summary(self) -> str:
        """The work done, the latest losses and their health, in one line."""
        return f"{self.update:,} updates ({self.epochs_done:.3g} epochs) in {self.seconds:.0f} s: {self.current()}."

    def __repr__(self) -> str:
        return f"History({self.summary()})"


def _mean(losses: Sequence[float]) -> float:
    ran = [loss for loss in losses if not math.isnan(loss)]
    return float(np.mean(ran)) if ran else math.nan
