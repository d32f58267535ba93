"""What an experiment is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ..data import Dataset
from ..systems import System


@dataclass(frozen=True)
class Experiment:
    """One row of the ledger.

    ``build`` makes the system from (image_shape, **settings). ``settings`` holds for each profile the ``dataset`` (a
    name that ``load`` knows, or an ``.npz`` file in a data root), what ``build`` takes (``system``), what ``fit`` takes
    (``fit``; a tuple of these, one for each stage, for a system that grows) and, where few labels may be seen, their
    number (``labelled``). ``measure`` turns (system, data) into named numbers, ``paper`` has the paper's numbers of
    these names. ``watch`` is measured while it trains: its curve.
    """

    question: str
    build: Callable[..., System]
    settings: Mapping[str, dict]
    measure: Callable[[System, Dataset], dict[str, float]]
    paper: Mapping[str, float] = field(default_factory=dict)
    watch: Callable[[System, Dataset], dict[str, float]] | None = None

    def stages(self, profile: str) -> tuple[dict, ...]:
        """What ``fit`` takes in each stage of ``profile``: one for a system that does not grow."""
        fitting = self.settings[profile]["fit"]
        return fitting if isinstance(fitting, tuple) else (fitting,)
