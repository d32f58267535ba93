"""Which images make up each mini-batch, and which of their labels may be seen."""

from __future__ import annotations

import hashlib
from typing import Any

import torch
from torch import Tensor, nn

from .. import checks
from ..data import Dataset
from ..systems.base import HIDDEN, Batch, System
from .distributed import ONE, OneProcess

KINDS = ("images", "labelled")


class Batches:
    """The mini-batches of a training: ``batches.at(update)``.

    An epoch is one pass over the images in a fresh order. Labelled images have an order of their own and begin anew
    when they are through. Both are functions of the seed and the update's number alone, so a resumed run repeats them.
    Of several processes that share a training, each has its slice of every mini-batch.
    """

    def __init__(
        self, system: System, data: Any, labelled: Tensor | None, batch_size: int, seed: int, group: OneProcess = ONE
    ):
        if isinstance(data, Dataset):
            raise TypeError("data is a whole dataset, but fit takes one of its splits; give data.train.")
        self.images = checks.images("data", getattr(data, "images", data), system.image_shape)
        labels = getattr(data, "labels", None)
        self.labels = None if labels is None else checks.labels("data's labels", labels, len(self.images))
        if batch_size > len(self.images):
            raise ValueError(
                f"batch_size is {batch_size}, but there are only {len(self.images)} images; choose a smaller one."
            )
        if getattr(system, "classes", 0) > len(self.images):
            raise ValueError(
                f"the system has {system.classes} classes or clusters, but there are only {len(self.images)} images; "
                "build it with fewer."
            )
        self.system, self.batch_size, self.seed, self.group = system, batch_size, seed, group
        self.per_epoch = len(self.images) // batch_size
        self.labelled = None
        if system.learns_labels is not None:
            self._hide_labels(labelled, system.learns_labels)
        elif labelled is not None:
            raise ValueError(
                f"labelled was given, but this {type(system).__name__} learns from no labels; leave it out."
            )
        fewest = batch_size if self.labelled is None else min(batch_size, len(self.labelled))
        for size in {batch_size, fewest}:
            if size % group.count:
                raise ValueError(
                    f"batch_size, or labelled, is {size} images, which {group.count} processes cannot share evenly; "
                    f"give a multiple of {group.count}, or start another number of processes."
                )
        if fewest == group.count and any(
            isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d) for layer in system.modules()
        ):
            one = "1 image" if fewest == 1 else f"{fewest} images for {fewest} processes"
            raise ValueError(f"batch_size, or labelled, is {one}, but batch norm needs at least 2 at once; give more.")
        self.orders: dict[str, tuple[int, Tensor]] = {}  # the latest of each kind, with its number
        self.digests: dict[str, str] = {}  # of what is trained on, once a checkpoint asks

    def _hide_labels(self, labelled: Tensor | None, classes: int) -> None:
        """Keep the labels of the images at ``labelled`` and hide all others."""
        checks.labels("data's labels", self.labels, len(self.images))
        everything = torch.arange(len(self.images))
        self.labelled = everything if labelled is None else checks.indices("labelled", labelled, len(self.images))
        seen = self.labels[self.labelled.to(self.labels.device)]
        if int(seen.max()) >= classes:
            raise ValueError(
                f"the labels go up to {int(seen.max())}, but the system has {classes} classes, 0 to {classes - 1}; "
                "build it with more."
            )
        missing = sorted(set(range(classes)) - set(seen.tolist()))
        if missing:
            raise ValueError(
                f"labelled has no image of class {missing[0]}; give some of every class, as balanced_subset does."
            )
        self.labels = torch.full_like(self.labels, HIDDEN).index_put((self.labelled.to(self.labels.device),), seen)

    def to(self, device: torch.device) -> Batches:
        """Move all images and labels to ``device``, once."""
        self.images = self.images.to(device)
        self.labels = None if self.labels is None else self.labels.to(device)
        self.labelled = None if self.labelled is None else self.labelled.to(device)
        return self

    def at(self, number: int, generator: torch.Generator, progress: float = 0.0) -> Batch:
        """The mini-batch of update ``number``, counted from 0; ``progress`` as ``Batch`` has it."""
        return self.of(self.chosen(number), generator, progress)

    def chosen(self, number: int) -> list[Tensor]:
        """Indices (B,) of the images of update ``number``; then, where labels are used, of its labelled images."""
        epoch, position = divmod(number, self.per_epoch)
        order = self._order("images", len(self.images), epoch)
        chosen = [order[position * self.batch_size : (position + 1) * self.batch_size]]
        if self.labelled is not None:
            size = min(self.batch_size, len(self.labelled))
            cycle, position = divmod(number, len(self.labelled) // size)
            order = self._order("labelled", len(self.labelled), cycle)
            chosen.append(self.labelled[order[position * size : (position + 1) * size]])
        return [self.group.share(indices) for indices in chosen]

    def of(self, chosen: list[Tensor], generator: torch.Generator, progress: float | Tensor) -> Batch:
        """The mini-batch of the images that ``chosen`` names."""
        labelled = None
        for indices in reversed(chosen):
            labelled = self._batch(indices, generator, labelled, progress)
        return labelled

    def _batch(
        self, chosen: Tensor, generator: torch.Generator, labelled: Batch | None, progress: float | Tensor
    ) -> Batch:
        labels = None if self.labels is None else self.labels[chosen]
        images = self.images.index_select(0, chosen)  # ten times as fast as self.images[chosen]
        return Batch(self.system.pixels(images), labels, generator, labelled, progress, kept={})

    def _order(self, kind: str, count: int, turn: int) -> Tensor:
        """The order of ``count`` images in pass ``turn``; images and labelled images draw theirs apart."""
        if self.orders.get(kind, (None,))[0] != turn:
            generator = torch.Generator().manual_seed(self.seed)
            starts = [int(torch.randint(2**62, (), generator=generator)) for _ in KINDS]
            generator.manual_seed(starts[KINDS.index(kind)] + turn)
            self.orders[kind] = turn, torch.randperm(count, generator=generator).to(self.images.device)
        return self.orders[kind][1]

    def recipe(self) -> dict:
        """What a checkpoint must agree on to be gone on with."""
        if not self.digests:
            seen = {"labelled indices": self.labelled, "labels": self.labels, "pixels": self.images}
            self.digests = {name: digest(values) for name, values in seen.items() if values is not None}
        recipe = {"images": len(self.images), "batch_size": self.batch_size, "seed": self.seed, **self.digests}
        return recipe if self.group.count == 1 else {**recipe, "processes": self.group.count}


def digest(values: Tensor) -> str:
    """The same for the same values on every machine, and another for any others."""
    values = values.float() if values.is_floating_point() else values
    return hashlib.sha256(values.cpu().contiguous().numpy()).hexdigest()[:16]
