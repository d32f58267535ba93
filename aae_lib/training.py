"""The one training loop. ``fit`` runs a system's phases in order on every mini-batch; nothing here knows any system."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from . import checks
from .batches import Batches
from .checks import StorageError
from .devices import choose_autocast, choose_device, precision_of
from .files import writable
from .history import History
from .progress import progress_bar, until_interrupted
from .storage import load_checkpoint, save_checkpoint
from .systems.base import SGD, Adam, Batch, Phase, System, half_squared_error

CHECKPOINT_SECONDS = 60
WINDOWS_PER_EPOCH = 20  # how finely the history records


class TrainingDiverged(ArithmeticError):
    """A loss is NaN or infinite. ``history`` holds the losses up to there, the checkpoint (if any) is from before."""

    def __init__(self, message: str, history: History):
        super().__init__(message)
        self.history = history


@dataclass(frozen=True)
class Moment:
    """What a callback sees: before the first update (``update`` 0) and after every one.

    On a GPU every look makes it wait; a callback that needs only every k-th update says so by its attribute ``every``.
    """

    system: System
    update: int
    epoch: float
    history: History


class Snapshots:
    """Callback that keeps ``take(system)`` at given updates: ``Snapshots(lambda s: s.sample(16), at=(0, 100))``."""

    def __init__(self, take: Callable[[System], Any], *, at: Iterable[int]):
        self.take, self.at = take, set(at)
        self.pictures: dict[int, Any] = {}

    def __call__(self, moment: Moment) -> None:
        if moment.update in self.at:
            self.pictures[moment.update] = self.take(moment.system)


def fit(
    system: System,
    data: Any,
    *,
    labelled: Tensor | None = None,
    epochs: int,
    batch_size: int = 100,
    seed: int = 0,
    device: str = "auto",
    precision: str = "auto",
    optimizers: Mapping[str, Adam | SGD] | None = None,
    checkpoint: str | Path | None = None,
    callbacks: Iterable[Callable[[Moment], None]] = (),
    progress: bool = True,
) -> History:
    """Train ``system`` in place, its phases in order on every mini-batch, and return the history of its losses.

    ``data``: a ``Split`` such as ``data.train``, or images (N, C, H, W), uint8 or in [0, 1]. An epoch is one pass over
    them in a fresh order, N // batch_size updates; the few images that fill no batch wait for the next epoch.
    ``labelled``: indices (L,) of the images whose labels may be seen, by default all; for systems that use labels.
    ``seed`` fixes the order of the images and all noise. ``device``: "auto" takes cuda, then mps, then the CPU.
    ``precision``: "float32", "bfloat16" (matrix products only, weights stay float32), or "auto": bfloat16 where the
    hardware multiplies it natively. ``optimizers`` replaces phases' own, by phase name.
    ``checkpoint``: a file to which all state goes once a minute, at the end and on Ctrl-C; where it exists, training
    goes on from it, exactly as if it had never stopped. ``epochs`` is the total.

    Ctrl-C stops after the current update and returns normally: system and history are kept (``history.interrupted``).
    Raises ValueError or TypeError on bad arguments, DataError on a checkpoint of another training, TrainingDiverged
    when a loss is no longer finite. Bad arguments are refused before anything is computed or written.
    """
    if not isinstance(system, System):
        raise TypeError(f"system must be an aae_lib System, but it is a {type(system).__name__}.")
    epochs = checks.positive_integer("epochs", epochs)
    batch_size = checks.positive_integer("batch_size", batch_size)
    seed = checks.seed("seed", seed)
    batches = Batches(system, data, labelled, batch_size, seed)
    place = choose_device(device)
    autocast = choose_autocast(precision, place)
    phases = _with_optimizers(system.phases(), optimizers or {})
    checkpoint = None if checkpoint is None else writable(checkpoint)

    resumed = checkpoint is not None and checkpoint.exists()
    if not resumed:
        system.learn_pixels(batches.images)
    training = _Training(system.to(place), phases, batches.to(place), autocast)
    if resumed:
        training.resume(checkpoint)
    system.train()
    try:
        training.run(epochs, tuple(callbacks), checkpoint, resumed, progress)
    finally:
        system.requires_grad_(True).eval()
    if training.history.interrupted:
        print(f"Stopped by you; the system and its history are kept. {training.history.summary()}")
    return training.history


class _Training:
    """A training under way: everything that a checkpoint holds, and how one update is made."""

    def __init__(self, system: System, phases: list[Phase], batches: Batches, autocast: Callable[[], Any]):
        self.system, self.phases, self.batches, self.autocast = system, phases, batches, autocast
        self.optimizers = {phase.name: phase.optimizer.build(phase.weights()) for phase in phases}
        self.generator = torch.Generator(batches.images.device).manual_seed(batches.seed)
        self.history = History(
            phases=tuple(part for phase in phases for part in phase.parts or (phase.name,)),
            updates_per_epoch=batches.per_epoch,
            window=max(1, batches.per_epoch // WINDOWS_PER_EPOCH),
            mean_image_loss=_mean_image_loss(system, batches.images),
        )
        self.unread: list[Tensor] = []  # losses still on the device: reading each at once would make a GPU wait
        self.epoch = -1

    def run(self, epochs: int, callbacks: tuple, checkpoint: Path | None, resumed: bool, progress: bool) -> None:
        """Make all updates that are left until ``epochs`` are done, or Ctrl-C."""
        history = self.history
        total = epochs * history.updates_per_epoch
        started = time.monotonic() - history.seconds
        saved = time.monotonic()
        on_cpu = self.batches.images.device.type == "cpu"
        read_every = 1 if on_cpu else math.gcd(history.window, *(getattr(look, "every", 1) for look in callbacks))
        bar = progress_bar(total, unit="updates", done=history.update, show=progress)
        with bar, until_interrupted() as interrupted:
            if not resumed:
                self._call(callbacks)
            while history.update < total and not history.interrupted:
                self._update(history.update + len(self.unread))
                history.interrupted = interrupted()
                made = history.update + len(self.unread)
                last = made == total
                if made % read_every and not last and not history.interrupted:
                    continue
                bar.update(self._read())
                history.seconds = time.monotonic() - started
                if history.update % history.window == 0 or last:
                    bar.set_postfix_str(history.current(), refresh=last)
                self._call(callbacks)
                if time.monotonic() - saved > CHECKPOINT_SECONDS:
                    self.keep(checkpoint)
                    saved = time.monotonic()
        self.keep(checkpoint)

    def _update(self, number: int) -> None:
        """One mini-batch through all phases."""
        epoch = number // self.history.updates_per_epoch
        if epoch != self.epoch:
            self.epoch = epoch
            _set_learning_rates(self.phases, self.optimizers, epoch)
        batch = self.batches.at(number, self.generator)
        self.unread.append(torch.cat([self._step(phase, batch) for phase in self.phases]))

    def _step(self, phase: Phase, batch: Batch) -> Tensor:
        """One phase on one batch: its loss's parts. All other weights are frozen, so they get no gradient."""
        optimizer = self.optimizers[phase.name]
        learning = {id(weight) for weight in phase.weights()}
        for weight in self.system.parameters():
            weight.requires_grad_(id(weight) in learning)
        with self.autocast():
            parts = phase.loss(batch).reshape(-1)
        loss = parts.sum()
        optimizer.zero_grad(set_to_none=True)
        if loss.device.type != "cpu" or loss.isfinite():  # on a CPU a look costs nothing and keeps the weights clean
            loss.backward()
            optimizer.step()
        return parts.detach().float()

    def _read(self) -> int:
        """Move the unread losses into the history; how many updates they were."""
        rows, self.unread = torch.stack(self.unread).tolist(), []
        _stop_if_not_finite(rows, self.phases, self.history)
        self.history.add(rows)
        return len(rows)

    def _call(self, callbacks: tuple) -> None:
        for callback in callbacks:
            callback(Moment(self.system, self.history.update, self.history.epochs_done, self.history))

    def keep(self, checkpoint: Path | None) -> None:
        """Write everything that an exact continuation needs. A full disk is warned of: it must not end the training."""
        if checkpoint is None:
            return
        tensors = {"generator": self.generator.get_state()}
        for name, optimizer in self.optimizers.items():
            for index, moments in optimizer.state_dict()["state"].items():
                for key, value in moments.items():
                    if value is not None:  # SGD without momentum keeps an empty place
                        tensors[f"optimizer.{name}.{index}.{key}"] = torch.as_tensor(value)
        try:
            save_checkpoint(checkpoint, self.system, tensors, self.history, self._recipe())
        except StorageError as error:
            warnings.warn(f"the training goes on, but its checkpoint is out of date: {error}", stacklevel=4)

    def resume(self, checkpoint: Path) -> None:
        """Put back what ``keep`` wrote; DataError where it belongs to another training."""
        tensors, self.history = load_checkpoint(checkpoint, self.system, self._recipe())
        self.history.interrupted = False
        self.generator.set_state(tensors["generator"])
        for name, optimizer in self.optimizers.items():
            prefix = f"optimizer.{name}."
            moments: dict[int, dict[str, Tensor]] = {}
            for key, value in tensors.items():
                if key.startswith(prefix):
                    index, moment = key.removeprefix(prefix).split(".")
                    moments.setdefault(int(index), {})[moment] = value
            optimizer.load_state_dict({**optimizer.state_dict(), "state": moments})

    def _recipe(self) -> dict:
        """What a checkpoint must agree on to be gone on with. The number of epochs is free to grow."""
        optimizers = {phase.name: f"{phase.optimizer}" for phase in self.phases}
        arithmetic = {"device": self.batches.images.device.type, "precision": precision_of(self.autocast)}
        return {**self.batches.recipe(), **arithmetic, "optimizers": optimizers}


def _stop_if_not_finite(rows: list[list[float]], phases: list[Phase], history: History) -> None:
    owners = [phase for phase in phases for _ in phase.parts or (phase.name,)]
    for index, row in enumerate(rows):
        for phase, loss in zip(owners, row, strict=True):
            if not math.isfinite(loss):
                history.add(rows[:index])
                number = history.update + 1
                raise TrainingDiverged(
                    f"the loss of phase {phase.name!r} is {loss} at update {number}; lower its learning rate "
                    f"({phase.optimizer.learning_rate:g}) with optimizers={{{phase.name!r}: ...}}.",
                    history,
                )


def _with_optimizers(phases: list[Phase], optimizers: Mapping[str, Adam | SGD]) -> list[Phase]:
    names = [phase.name for phase in phases]
    for name, optimizer in optimizers.items():
        checks.one_of("each name in optimizers", name, names)
        if not isinstance(optimizer, Adam | SGD):
            raise TypeError(f"optimizers[{name!r}] must be aae_lib's Adam(...) or SGD(...), but it is {optimizer!r}.")
    return [replace(phase, optimizer=optimizers.get(phase.name, phase.optimizer)) for phase in phases]


def _mean_image_loss(system: System, images: Tensor) -> float:
    """The reconstruction loss of answering every image with the mean image: half the pixels' summed variance."""
    chunks = images.split(5000)  # a float copy of all images at once would be four times their size
    mean = sum(system.pixels(chunk).sum(dim=0) for chunk in chunks) / len(images)  # (C, H, W)
    return sum(float(half_squared_error(mean, system.pixels(chunk))) * len(chunk) for chunk in chunks) / len(images)


def _set_learning_rates(phases: list[Phase], optimizers: dict[str, torch.optim.Optimizer], epoch: int) -> None:
    for phase in phases:
        divisor = math.prod(by for start, by in phase.optimizer.drops.items() if epoch >= start)
        for group in optimizers[phase.name].param_groups:
            group["lr"] = phase.optimizer.learning_rate / divisor
