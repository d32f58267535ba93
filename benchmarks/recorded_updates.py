"""How many updates a second ``fit`` makes on a GPU where it records them as a graph, and where it computes each anew.

    AAE_DATA=data python -m benchmarks.recorded_updates

The systems are those of long experiments. The first hundred updates, with which both begin, do not count.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from aae_lib import fit, load
from aae_lib.experiments import EXPERIMENTS
from aae_lib.training import Moment
from aae_lib.training.recording import Recording

NAMES = ("semi-supervised-100", "aae-8d", "baseline-m2-100", "baseline-vat-100", "reduction-2d-100")
SECONDS = 1.5


class Clock:
    """Callback that ends the training when it has been timed for long enough."""

    every = 100

    def __init__(self) -> None:
        self.began, self.rate = None, 0.0

    def __call__(self, moment: Moment) -> None:
        torch.cuda.synchronize()
        if moment.update == self.every:
            self.began = time.perf_counter()
        elif self.began and time.perf_counter() - self.began > SECONDS:
            self.rate = (moment.update - self.every) / (time.perf_counter() - self.began)
            moment.stop()


@contextmanager
def plain() -> Iterator[None]:
    """Within it no update is recorded."""
    recording = Recording.__call__
    Recording.__call__ = lambda self, *update: self.compute(*update)
    try:
        yield
    finally:
        Recording.__call__ = recording


def rate(name: str) -> float:
    """Updates a second of an experiment's long profile, on the GPU."""
    data, experiment = load("mnist"), EXPERIMENTS[name]
    settings = experiment.long
    system = experiment.build(data.image_shape, seed=0, **settings.system)
    labelled = data.train.balanced_subset(settings.labelled, seed=0) if system.learns_labels else None
    clock = Clock()
    steps = dict(settings.optimizers)
    fit(system, data.train, labelled=labelled, updates=10**6, optimizers=steps, callbacks=[clock], progress=False)
    return clock.rate


def main() -> None:
    if not torch.cuda.is_available():
        raise SystemExit("updates are recorded on a GPU only, and here is none.")
    print(torch.cuda.get_device_name())
    for name in NAMES:
        with plain():
            anew = rate(name)
        recorded = rate(name)
        ratio = f"{recorded / anew:.1f} times as many"
        print(f"{name}: {anew:.0f} updates a second computed anew, {recorded:.0f} recorded, {ratio}")


if __name__ == "__main__":
    main()
