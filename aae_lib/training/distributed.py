"""One training on several processes: who this process is among them, and what all of them must agree on.

``torchrun`` starts the same program N times and tells each its rank. Each process takes its slice of every mini-batch
and noise of its own; gradients are averaged before every step, so all weights stay equal. Where there is one process,
nothing here does anything, so the loop reads and runs the same.
"""

from __future__ import annotations

import contextlib
import importlib
import os
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from datetime import timedelta

import numpy as np
import torch
from torch import Tensor, distributed, nn

PATIENCE = timedelta(days=1)  # of those that wait while the first one measures; torchrun ends all where one dies


class OneProcess:
    """The only process: it has the whole mini-batch, and what it finds is what all find."""

    rank, count = 0, 1

    def device(self, device: torch.device) -> torch.device:
        """The device of this process where ``device`` names a kind only; ValueError where there are too few."""
        return device

    def seed(self, seed: int) -> int:
        """The seed of this process's noise. The first one's is ``seed`` itself."""
        return seed

    def share(self, indices: Tensor) -> Tensor:
        """This process's slice of a mini-batch's ``indices`` (B,), which ``count`` divides: (B / count,)."""
        return indices

    def mean(self, values: Tensor) -> Tensor:
        """The mean of ``values``, of any shape, over all processes."""
        return values

    def average(self, tensors: Iterable[Tensor]) -> None:
        """Replace each of ``tensors``, of any shapes on one device, by its mean over all processes, in place."""

    def any(self, *flags: bool) -> tuple[bool, ...]:
        """For each flag whether any process has raised it."""
        return flags

    def gather(self, state: Tensor) -> list[Tensor]:
        """``state``, a tensor on the CPU, of every process, by rank."""
        return [state]

    def copy_first(self, tensors: Iterable[Tensor]) -> None:
        """Replace each of ``tensors`` by the first process's, in place."""


ONE = OneProcess()


class ManyProcesses(OneProcess):
    """One of several processes, which have joined a process group and all call the same methods in the same order."""

    def __init__(self) -> None:
        self.rank, self.count = distributed.get_rank(), distributed.get_world_size()
        self.local_rank = int(os.environ["LOCAL_RANK"])  # among the processes of this machine

    def device(self, device: torch.device) -> torch.device:
        if device.type not in ("cpu", "cuda"):
            raise ValueError(f"device is {device}, which one process can use, not {self.count}; use 'cpu' or 'cuda'.")
        if device.type == "cpu" or device.index is not None:
            return device
        if self.local_rank >= torch.cuda.device_count():
            raise ValueError(
                f"there are more than {self.local_rank} processes on this machine, but it has "
                f"{torch.cuda.device_count()} GPUs; start one process for each, or use device='cpu'."
            )
        torch.cuda.set_device(self.local_rank)
        return torch.device("cuda", self.local_rank)

    def seed(self, seed: int) -> int:
        return int(np.random.SeedSequence(seed, spawn_key=(self.rank,)).generate_state(1)[0]) if self.rank else seed

    def share(self, indices: Tensor) -> Tensor:
        return indices.chunk(self.count)[self.rank]

    def mean(self, values: Tensor) -> Tensor:
        total = values.clone()
        distributed.all_reduce(total)
        return total / self.count

    def average(self, tensors: Iterable[Tensor]) -> None:
        if tensors := list(tensors):
            together = self.mean(torch.cat([one.flatten() for one in tensors]))  # one message instead of many
            for one, mean in zip(tensors, together.split([one.numel() for one in tensors]), strict=True):
                one.copy_(mean.view_as(one))

    def any(self, *flags: bool) -> tuple[bool, ...]:
        raised = torch.tensor(flags, dtype=torch.uint8)  # on the CPU: a GPU would have to wait at every update
        distributed.all_reduce(raised, distributed.ReduceOp.MAX)
        return tuple(map(bool, raised.tolist()))

    def gather(self, state: Tensor) -> list[Tensor]:
        states = [torch.empty_like(state) for _ in range(self.count)]
        distributed.all_gather(states, state)
        return states

    def copy_first(self, tensors: Iterable[Tensor]) -> None:
        for one in tensors:
            distributed.broadcast(one, src=0)


_processes: ContextVar[OneProcess] = ContextVar("processes", default=ONE)


def processes() -> OneProcess:
    """Those that a training is shared with here and now."""
    return _processes.get()


@contextlib.contextmanager
def process_group() -> Iterator[OneProcess]:
    """Share every ``fit`` within it with the other processes that ``torchrun`` started; leave them at its end.

    All processes call ``fit`` with the same arguments. Where torchrun started none, or one, nothing changes. What one
    process does for all, such as measuring or writing, stands under ``if group.rank == 0`` after it, or in ``alone()``:
    the others wait for it at the next ``fit``, or at the end.

    A loss that is a mean over images is the same as on one process, up to rounding and noise. One that looks at the
    mini-batch as a whole is not, for each process looks at its slice: MMD compares smaller samples, and batch norm
    normalises by the slice's statistics. Its running statistics are the means of all slices', so their variance leaves
    out what lies between the slices. Other buffers that a system fills from images stay each process's own.
    """
    if not distributed.is_torchelastic_launched() or os.environ["WORLD_SIZE"] == "1":
        yield processes()
        return
    # The first optimizer imports this module, which keeps a group that exists by then alive for ever. Its threads would
    # outlive the interpreter, and one that then drops the last tensor of a message aborts the whole process.
    importlib.import_module("torch._dynamo")
    distributed.init_process_group(timeout=PATIENCE)  # gloo for tensors on the CPU, NCCL for those on GPUs
    try:
        with _sharing(ManyProcesses()) as group:
            yield group
            group.any(False)  # whoever is first waits: its leaving would look like a failure to the others
    finally:
        distributed.destroy_process_group()


@contextlib.contextmanager
def alone() -> Iterator[OneProcess]:
    """Within a process group, what this process does by itself: a ``fit`` within it is not shared."""
    with _sharing(ONE) as one:
        yield one


@contextlib.contextmanager
def _sharing(those: OneProcess) -> Iterator[OneProcess]:
    token = _processes.set(those)
    try:
        yield those
    finally:
        _processes.reset(token)


def running_statistics(network: nn.Module) -> list[Tensor]:
    """What batch norm in ``network`` has learnt without a gradient, and so without its being averaged."""
    norms = [layer for layer in network.modules() if isinstance(layer, nn.modules.batchnorm._BatchNorm)]
    return [value for norm in norms for value in (norm.running_mean, norm.running_var) if value is not None]
