"""What may look at a training while it goes on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any

from .. import checks
from ..systems.base import System
from .history import History


@dataclass(frozen=True)
class Moment:
    """What a callback sees: before the first update (``update`` 0) and after every one.

    A callback that wants only every k-th update says so by its attribute ``every``, one that wants certain updates by
    ``at``: on a GPU every look makes it wait.
    """

    system: System
    update: int
    epoch: float
    history: History

    def stop(self) -> None:
        """End the training after this update, as Ctrl-C does."""
        self.history.interrupted = True


class Snapshots:
    """Callback that keeps ``take(system)`` at given updates: ``Snapshots(lambda s: s.sample(16), at=(0, 100))``."""

    def __init__(self, take: Callable[[System], Any], *, at: Iterable[int]):
        self.take, self.at = take, set(at)
        self.pictures: dict[int, Any] = {}

    def __call__(self, moment: Moment) -> None:
        self.pictures[moment.update] = self.take(moment.system)


def checked_callbacks(callbacks: Any) -> tuple[Callable[[Moment], None], ...]:
    """The callbacks as a tuple; TypeError for what is none or has an odd ``at``, ValueError where ``every`` is 0."""
    if not isinstance(callbacks, Iterable) or isinstance(callbacks, str):
        raise TypeError(f"callbacks must be a list of functions, but it is {callbacks!r}; give callbacks=[...].")
    callbacks = tuple(callbacks)
    for callback in callbacks:
        if not callable(callback):
            raise TypeError(f"each of callbacks must be a function of a Moment, but one is {callback!r}; leave it out.")
        checks.positive_integer("every of a callback", getattr(callback, "every", 1))
        at = getattr(callback, "at", None)
        if at is not None and not isinstance(at, Collection):
            raise TypeError(
                f"at of a callback must be a set of updates, but it is {at!r}; give for example {{0, 100}}."
            )
    return callbacks


def wants(callback: Callable[[Moment], None], update: int) -> bool:
    """Whether ``callback`` wants to see the moment after ``update`` updates."""
    at = getattr(callback, "at", None)
    return update in at if at is not None else update % getattr(callback, "every", 1) == 0
