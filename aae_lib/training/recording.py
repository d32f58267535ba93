"""Updates as CUDA graphs: one is recorded and then repeated, so that a GPU need not wait for Python.

An update of these networks is some hundreds of small kernels, each computed sooner than Python can ask for the next.
A graph asks for all of them at once. It is the same computation: the same kernels on the same numbers.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable, Iterator, Mapping

import torch
from torch import Tensor

Compute = Callable[[list[Tensor], "float | Tensor", tuple[bool, ...]], Tensor]


class Recording:
    """``compute`` of (indices of images, progress, which phases run), as a graph from the second time on.

    A graph holds for one set of running phases, and for the ``optimizers``' learning rates, which are numbers in it.
    Each first call computes plainly, which makes the optimizers' moments and all that is allocated only once.
    """

    def __init__(self, compute: Compute, generator: torch.Generator, optimizers: Mapping[str, torch.optim.Optimizer]):
        self.compute, self.generator, self.optimizers = compute, generator, optimizers
        self.graphs: dict[tuple[bool, ...], tuple[torch.cuda.CUDAGraph, Tensor] | None] = {}
        self.rates: list[float] = []  # of the graphs
        self.chosen: list[Tensor] = []
        self.progress = torch.zeros((), dtype=torch.float64, device=generator.device)

    def __call__(self, chosen: list[Tensor], progress: float, runs: tuple[bool, ...]) -> Tensor:
        rates = [group["lr"] for optimizer in self.optimizers.values() for group in optimizer.param_groups]
        if rates != self.rates:
            self.graphs, self.rates = {}, rates
        if runs not in self.graphs:
            self.graphs[runs] = None
            return self.compute(chosen, progress, runs)
        self.chosen = self.chosen or [torch.empty_like(indices) for indices in chosen]
        for place, indices in zip(self.chosen, chosen, strict=True):
            place.copy_(indices)
        self.progress.fill_(progress)
        graph, losses = self.graphs[runs] = self.graphs[runs] or self._record(runs)
        graph.replay()
        return losses.clone()

    def _record(self, runs: tuple[bool, ...]) -> tuple[torch.cuda.CUDAGraph, Tensor]:
        """A graph of one update and where it leaves the losses. Recording computes nothing."""
        graph = torch.cuda.CUDAGraph()
        graph.register_generator_state(self.generator)
        gc.collect()  # a tensor that is freed while a graph is recorded would end it
        torch.cuda.synchronize()
        with torch.cuda.graph(graph, stream=torch.cuda.current_stream(), capture_error_mode="thread_local"):
            losses = self.compute(self.chosen, self.progress, runs)
        return graph, losses


@contextlib.contextmanager
def own_stream(device: torch.device) -> Iterator[None]:
    """On a GPU all that is asked for within goes to a stream of its own, as recording needs; elsewhere nothing."""
    if device.type != "cuda":
        yield
        return
    stream = torch.cuda.Stream(device)
    stream.wait_stream(torch.cuda.current_stream(device))
    try:
        with torch.cuda.stream(stream):
            yield
    finally:
        torch.cuda.current_stream(device).wait_stream(stream)
