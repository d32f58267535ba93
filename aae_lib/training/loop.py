"""The one training loop. ``fit`` runs a system's phases in order on every mini-batch; nothing here knows any system."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .. import checks
from ..checks import StorageError
from ..files import writable
from ..optimizers import SGD, Adam
from ..systems.base import Batch, Phase, System, require_system
from .batches import Batches
from .callbacks import Moment, checked_callbacks, wants
from .checkpoints import load_checkpoint, save_checkpoint, sole_writer
from .distributed import OneProcess, alone, processes, running_statistics
from .divergence import stop_if_not_finite
from .history import History
from .precision import choose_autocast, precision_of
from .progress import progress_bar, say_how_long, until_interrupted
from .recording import Recording, own_stream
from .steps import build_optimizers, owner, set_learning_rates, with_optimizers
from .validation import Validation, mean_image_loss

CHECKPOINT_SECONDS = 60
WINDOWS_PER_EPOCH = 20  # how finely the history records


def fit(
    system: System,
    data: Any,
    *,
    labelled: Tensor | None = None,
    validation: Any = None,
    epochs: int | None = None,
    updates: int | None = None,
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
    ``epochs``, or ``updates`` in their place, say how long; it is the total, also where a checkpoint is gone on with.
    ``labelled``: indices (L,) of the images whose labels may be seen, by default all; for systems that use labels.
    ``validation``: images that are not trained on, such as ``data.validation``, with all their labels for systems that
    use some; the history then has their losses too, and compares them with simple methods' (see ``Validation``). It
    changes no weight, and costs a few percent of the time and a second or two at the start.
    ``seed`` fixes the order of the images and all noise. ``device``: "auto" takes cuda, then mps, then the CPU; on cuda
    updates are recorded once and repeated, where that is known to be the same (``System.recordable``).
    ``precision``: "float32", "bfloat16" (matrix products only, weights stay float32), or "auto": bfloat16 where the
    hardware multiplies it natively and there is much to multiply. ``optimizers`` replaces phases' own, by phase name.
    ``checkpoint``: a file to which all state goes once a minute, at the end and on Ctrl-C; where it exists, training
    goes on from it, exactly as if it had never stopped, given the same total. ``callbacks``: functions of a ``Moment``.
    ``progress``: a bar, and how long it will take, if more than five minutes; without it only that it was stopped.

    Ctrl-C stops after the current update and returns normally: system and history are kept (``history.interrupted``).
    Within ``process_group()`` the training is shared by all its processes, which must call ``fit`` alike: each computes
    with its slice of every mini-batch. The first alone writes and calls callbacks, which must not change the system.
    Raises ValueError or TypeError on bad arguments, before anything is computed or written; DataError on a checkpoint
    of another training, StorageError on one that another process is writing, TrainingDiverged on NaN or infinity.
    """
    require_system(system)
    if (epochs is None) == (updates is None):
        raise TypeError("epochs or updates must say how long to train, one of them; give for example epochs=10.")
    length = checks.positive_integer(*("updates", updates) if epochs is None else ("epochs", epochs))
    callbacks = checked_callbacks(callbacks)
    batch_size = checks.positive_integer("batch_size", batch_size)
    seed = checks.seed("seed", seed)
    group = processes()
    batches = Batches(system, data, labelled, batch_size, seed, group)
    held_out = None if validation is None else Validation(system, validation, batches)
    place = group.device(checks.device("device", device))
    autocast = choose_autocast(precision, system, place)
    phases = with_optimizers(system.phases(), optimizers or {})
    checkpoint = None if checkpoint is None else writable(checkpoint)
    with sole_writer(checkpoint if group.rank == 0 else None):
        (resumed,) = group.any(checkpoint is not None and checkpoint.exists())
        chosen = system.choose_output(batches.images)
        if chosen and progress and group.rank == 0:
            print(chosen)
        if not resumed:
            system.learn_pixels(batches.images)
        held_out = held_out and held_out.to(place)
        training = _Training(system.to(place), phases, batches.to(place), held_out, autocast, group)
        if resumed:
            training.resume(checkpoint)
        group.copy_first(system.state_dict().values())
        system.train()
        try:
            total = length if epochs is None else length * batches.per_epoch
            training.run(total, callbacks, checkpoint, resumed, progress and group.rank == 0)
        finally:
            system.zero_grad(set_to_none=True)  # gradients are as large as the weights, and of no more use
            system.requires_grad_(True).eval()
    if training.history.interrupted and group.rank == 0:
        print(f"Stopped before the end; the system and its history are kept. {training.history.summary()}")
    return training.history


class _Training:
    """A training under way: everything that a checkpoint holds, and how one update is made."""

    def __init__(
        self,
        system: System,
        phases: list[Phase],
        batches: Batches,
        held_out: Validation | None,
        autocast: Callable[[], Any],
        group: OneProcess,
    ):
        self.system, self.phases, self.batches, self.autocast, self.group = system, phases, batches, autocast, group
        self.held_out = held_out
        self.optimizers = build_optimizers(phases)
        self.learning = {phase.name: dict.fromkeys(phase.weights()) for phase in phases}  # each weight once
        self.frozen = {name: set(system.parameters()).difference(those) for name, those in self.learning.items()}
        self.on_cpu = batches.images.device.type == "cpu"
        self.generator = torch.Generator(batches.images.device).manual_seed(group.seed(batches.seed))
        window = max(1, batches.per_epoch // WINDOWS_PER_EPOCH)
        self.history = History(
            phases=tuple(name for phase in phases for name in phase.names),
            updates_per_epoch=batches.per_epoch,
            window=window,
            mean_image_loss=mean_image_loss(system, batches.images),
            classes=system.learns_labels,
            validation_every=held_out.every(window) if held_out else 0,
        )
        recorded = system.recordable and batches.images.is_cuda and group.count == 1
        self.compute = Recording(self._compute, self.generator, self.optimizers) if recorded else self._compute
        self.unread: list[Tensor] = []  # losses still on the device: reading each at once would make a GPU wait
        self.statistics = running_statistics(system)
        self.epoch = -1

    def run(self, total: int, callbacks: tuple, checkpoint: Path | None, resumed: bool, progress: bool) -> None:
        """Make all updates that are left until ``total`` are done, or Ctrl-C."""
        history = self.history
        started, saved = time.monotonic() - history.seconds, time.monotonic()
        if self.held_out:
            self._begin_looking(resumed)
        bar, told = progress_bar(total, unit="updates", done=history.update, show=progress), not progress
        with own_stream(self.generator.device), bar, until_interrupted(once=self.group.count > 1) as interrupted:
            if not resumed:
                self._call(callbacks)
            while history.update < total and not history.interrupted:
                self._update(history.update + len(self.unread), total)
                overdue = time.monotonic() - saved > CHECKPOINT_SECONDS
                history.interrupted, overdue = self.group.any(interrupted(), overdue)
                made = history.update + len(self.unread)
                last = made == total
                looks = any(wants(callback, made) for callback in callbacks)
                if not (self.on_cpu or looks or last or history.interrupted or made % history.window == 0):
                    continue
                bar.update(self._read())
                history.seconds = time.monotonic() - started
                if history.update % history.window == 0 or last:
                    told = told or say_how_long(bar)
                    if self.held_out and (history.update % history.validation_every == 0 or last):
                        history.add_validation(self._losses_of_held_out((history.update - 1) / total))
                    bar.set_postfix_str(history.current(), refresh=last)
                self._call(callbacks)
                if overdue:
                    self.keep(checkpoint)
                    saved = time.monotonic()
            if self.held_out:
                if history.interrupted and history.update and history.update not in history.validation_updates:
                    history.add_validation(self._losses_of_held_out((history.update - 1) / total))
                history.last_look = self.held_out.look()
                bar.set_postfix_str(history.current())
        history.interrupted &= history.update < total  # what was stopped at its end is complete
        self.keep(checkpoint)

    def _begin_looking(self, resumed: bool) -> None:
        """Measure what hold-out losses are compared with. All that will be done with the images later is tried now."""
        if not resumed:
            self.history.baselines = self.held_out.baselines(self.phases)
            self._losses_of_held_out(0.0)
            self.held_out.look()
        self.history.last_look = {}

    def _losses_of_held_out(self, progress: float) -> list[float]:
        return self.held_out.losses(self.phases, self.autocast, self.group, progress)

    def _update(self, number: int, total: int) -> None:
        """One mini-batch through all phases whose turn it is."""
        epoch = number // self.history.updates_per_epoch
        if epoch != self.epoch:
            self.epoch = epoch
            set_learning_rates(self.phases, self.optimizers, epoch)
        runs = tuple(phase.runs_at(number) for phase in self.phases)
        self.unread.append(self.compute(self.batches.chosen(number), number / total, runs))

    def _compute(self, chosen: list[Tensor], progress: float | Tensor, runs: tuple[bool, ...]) -> Tensor:
        """All losses of the update on the images that ``chosen`` names; NaN for a phase that does not run."""
        batch = self.batches.of(chosen, self.generator, progress)
        losses = [
            self._step(phase, batch) if run else batch.images.new_full((len(phase.names),), math.nan)
            for phase, run in zip(self.phases, runs, strict=True)
        ]
        self.group.average(self.statistics)
        self.system.after_update()
        return torch.cat(losses)

    def _step(self, phase: Phase, batch: Batch) -> Tensor:
        """One phase on one batch: its loss's parts. All other weights are frozen, so they get no gradient."""
        optimizer, learning = self.optimizers[phase.name], self.learning[phase.name]
        for weight in self.frozen[phase.name]:
            weight.requires_grad_(False)
        for weight in learning:
            weight.requires_grad_(True)
        with self.autocast():
            terms = phase.loss(batch)  # () or (P,)
        losses = self.group.mean(terms.detach().float().reshape(-1))  # (P,)
        optimizer.zero_grad(set_to_none=True)
        # on a CPU a look costs nothing and keeps the weights clean
        if not self.on_cpu or all(map(math.isfinite, losses.tolist())):
            phase.total(terms).backward()
            self.group.average(weight.grad for weight in learning if weight.grad is not None)
            optimizer.step()
            batch.moved(learning.keys())
        return losses

    def _read(self) -> int:
        """Move the unread losses into the history; how many updates they were."""
        rows, self.unread = torch.stack(self.unread).tolist(), []
        stop_if_not_finite(rows, self.phases, self.history)
        self.history.add(rows)
        return len(rows)

    def _call(self, callbacks: tuple) -> None:
        callbacks = [callback for callback in callbacks if wants(callback, self.history.update)]
        if not callbacks:
            return
        if self.group.rank == 0:
            with alone():
                for callback in callbacks:
                    callback(Moment(self.system, self.history.update, self.history.epochs_done, self.history))
        (self.history.interrupted,) = self.group.any(self.history.interrupted)  # one of them may have stopped it

    def keep(self, checkpoint: Path | None) -> None:
        """Write everything that an exact continuation needs. A full disk is warned of: it must not end the training."""
        if checkpoint is None:
            return
        states = self.group.gather(self.generator.get_state())
        if self.group.rank != 0:
            return
        tensors = {_generator(rank): state for rank, state in enumerate(states)}
        for name, optimizer in self._owned():
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
        self.generator.set_state(tensors[_generator(self.group.rank)])
        for name, optimizer in self._owned():
            prefix = f"optimizer.{name}."
            moments: dict[int, dict[str, Tensor]] = {}
            for key, value in tensors.items():
                if key.startswith(prefix):
                    index, moment = key.removeprefix(prefix).split(".")
                    moments.setdefault(int(index), {})[moment] = value
            optimizer.load_state_dict({**optimizer.state_dict(), "state": moments})

    def _owned(self) -> list[tuple[str, torch.optim.Optimizer]]:
        """The optimizers by the name of the phase that owns them."""
        return [(phase.name, self.optimizers[phase.name]) for phase in self.phases if phase.name == owner(phase)]

    def _recipe(self) -> dict:
        """What a checkpoint must agree on to be gone on with. The number of epochs is free to grow."""
        optimizers = {phase.name: f"{phase.optimizer}" for phase in self.phases}
        arithmetic = {"device": self.batches.images.device.type, "precision": precision_of(self.autocast)}
        held_out = {"validation": self.held_out.digest()} if self.held_out else {}
        recipe = {**self.batches.recipe(), **arithmetic, "optimizers": optimizers, "stage": self.system.stage}
        return {**recipe, **held_out}


def _generator(rank: int) -> str:
    """What the state of a process's generator is called in a checkpoint."""
    return f"generator.{rank}" if rank else "generator"
