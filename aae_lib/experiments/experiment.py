"""What an experiment is: a system, what is measured on it, and settings for each of four budgets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from .. import checks
from ..optimizers import SGD, Adam
from ..systems import System

PROFILES = ("smoke", "quick", "long", "paper")  # seconds, three minutes, an evening on two cores; a GPU
CHOSEN_ON = ("validation", "test", "paper", "untried")
OPTIMIZERS = {kind.__name__: kind for kind in (Adam, SGD)}


@dataclass(frozen=True)
class Settings:
    """What one profile trains: on which data, for how long, and with which steps.

    ``dataset``: a name that ``load`` knows, or an ``.npz`` file or a folder of pictures in a data root. ``system``:
    what the experiment's ``build`` takes beside image_shape and seed. ``epochs``, or ``updates`` in their place: a
    number, or one for each stage of a system that grows. ``optimizers``: steps that replace the system's own, by phase.
    ``labelled``: how many labels may be seen, None for all. ``chosen_on``: the images by which these settings were
    chosen, "paper" where the paper names them, "untried" where they were set without a trial.
    """

    dataset: str
    epochs: int | None = None
    updates: int | tuple[int, ...] | None = None
    batch_size: int = 100
    labelled: int | None = None
    system: Mapping[str, Any] = field(default_factory=dict)
    optimizers: Mapping[str, Adam | SGD] = field(default_factory=dict)
    chosen_on: str = "untried"

    def __post_init__(self) -> None:
        if (self.epochs is None) == (self.updates is None):
            raise TypeError("epochs or updates must say how long to train, one of them; give for example epochs=10.")
        checks.one_of("chosen_on", self.chosen_on, CHOSEN_ON)

    def stages(self) -> list[dict]:
        """What ``fit`` takes in each stage: one for a system that does not grow."""
        common = {"batch_size": self.batch_size, "optimizers": dict(self.optimizers)}
        if self.updates is None:
            return [{"epochs": self.epochs, **common}]
        lengths = self.updates if isinstance(self.updates, tuple) else (self.updates,)
        return [{"updates": length, **common} for length in lengths]

    def to_json(self) -> dict:
        """All of it as plain JSON: ``from_json`` makes equal settings of it."""
        steps = {name: {"kind": type(step).__name__, **asdict(step)} for name, step in self.optimizers.items()}
        for step in steps.values():
            step["drops"] = {str(epoch): divisor for epoch, divisor in step["drops"].items()}
        updates = list(self.updates) if isinstance(self.updates, tuple) else self.updates
        return {**vars(self), "system": dict(self.system), "optimizers": steps, "updates": updates}

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> Settings:
        """The settings that ``to_json`` wrote."""
        steps = {}
        for name, step in written["optimizers"].items():
            rest = {key: value for key, value in step.items() if key not in ("kind", "drops")}
            drops = {int(epoch): divisor for epoch, divisor in step["drops"].items()}
            steps[name] = OPTIMIZERS[step["kind"]](**rest, drops=drops)
        updates = tuple(written["updates"]) if isinstance(written["updates"], list) else written["updates"]
        return cls(**{**written, "optimizers": steps, "updates": updates})


@dataclass(frozen=True)
class Experiment:
    """One row of the ledger.

    ``build`` makes the system from (image_shape, seed=…, **settings.system). ``measure`` turns (system, data) into
    named numbers of the validation images and of the test images: {"validation": {...}, "test": {...}}; where
    ``settings.labelled`` is given and the system learns from no labels, it also takes their indices, as ``labelled``.
    ``numbers`` are the paper's, by these names. ``watch``: whether it is measured while it trains too, which gives a
    curve.
    """

    question: str
    build: Callable[..., System]
    measure: Callable[..., dict[str, dict[str, float]]]
    smoke: Settings
    quick: Settings
    long: Settings
    paper: Settings
    numbers: Mapping[str, float] = field(default_factory=dict)
    watch: bool = False

    def settings(self, profile: str) -> Settings:
        """The settings of a profile; ValueError for an unknown one."""
        return getattr(self, checks.one_of("profile", profile, PROFILES))
