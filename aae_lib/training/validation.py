"""Images that are not trained on: their losses while others are, and what simple methods make of them."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from .. import checks
from ..data import Dataset
from ..pixels import chunk_size
from ..systems.base import HIDDEN, Batch, Phase, System
from .batches import Batches, digest
from .distributed import OneProcess

MOST = 500  # images that are looked at
RARENESS = 10  # at least so many images are trained on for one that is looked at, which costs a few percent of the time
MOST_FOR_BASELINES = 2000  # images that PCA learns from
FEWEST_FOR_SPREAD = 20  # images whose codes have a standard deviation worth a sentence
MOST_LABELS = 1000  # labels that logistic regression learns from


class Validation:
    """The hold-out images of a training, at most 500 of them, evenly spaced.

    Their losses are the phases' own, in evaluation mode (no dropout, no noise on inputs, batch norm as in use), without
    a gradient, and each time with the same noise, which is no generator's of the training. So a training is the same
    bit for bit with them and without, and their curve moves only where the networks do. Where the training adds noise
    or drops pixels, its own losses are those of a harder task, and may lie above these.
    Of systems that learn from labels, as large a share of these images shows its label to the games as in the training;
    ``Batch.labelled`` has all.
    """

    def __init__(self, system: System, data: Any, batches: Batches):
        if isinstance(data, Dataset):
            raise TypeError("validation is a whole dataset, but fit takes one of its splits; give data.validation.")
        images = checks.images("validation", getattr(data, "images", data), system.image_shape)
        if len(images) < 2:
            raise ValueError("validation has 1 image, but a mean over images needs at least 2; give more.")
        labels = getattr(data, "labels", None)
        classes = system.learns_labels
        if classes is not None:
            labels = checks.labels("validation's labels", labels, len(images))
            if int(labels.max()) >= classes:
                raise ValueError(
                    f"validation's labels go up to {int(labels.max())}, but the system has {classes} classes, 0 to "
                    f"{classes - 1}; give images of the classes that are trained on."
                )
        elif batches.labels is None:
            labels = None
        chosen = _spread(len(images), MOST)
        self.system, self.batches = system, batches
        self.images = images[chosen.to(images.device)]
        self.labels = None if labels is None else labels[chosen.to(labels.device)]
        self.shown = self.labels
        if classes is not None:
            share = len(batches.labelled) / len(batches.images)
            seen = _spread(len(chosen), round(share * len(chosen))).to(self.labels.device)
            self.shown = torch.full_like(self.labels, HIDDEN).index_put((seen,), self.labels[seen])
        self.parts = max(1, len(chosen) // batches.batch_size)  # none smaller than a mini-batch, where there are enough

    def every(self, window: int) -> int:
        """After how many updates to look: some windows, so that one image in eleven is one that is looked at."""
        return window * -(-RARENESS * len(self.images) // (self.batches.batch_size * window))

    def to(self, device: torch.device) -> Validation:
        """Move all images and labels to ``device``, once."""
        self.images = self.images.to(device)
        if self.labels is not None:
            self.labels, self.shown = self.labels.to(device), self.shown.to(device)
        return self

    def losses(
        self, phases: list[Phase], autocast: Callable[[], Any], group: OneProcess, progress: float
    ) -> list[float]:
        """The loss of every part of every phase, all weights frozen; several processes share the work."""
        self.system.eval().requires_grad_(False)  # not no_grad: a penalty is a gradient by images
        device, sums = self.images.device, 0.0
        for number, part in enumerate(torch.arange(len(self.images), device=device).tensor_split(self.parts)):
            if number % group.count == group.rank:
                batch = self._batch(part, torch.Generator(device).manual_seed(number), progress)
                with autocast():
                    losses = [phase.loss(batch).detach().float().reshape(-1) for phase in phases]
                sums += len(part) * torch.cat([*losses, torch.ones(1, device=device)])
        if isinstance(sums, float):  # more processes than parts
            sums = torch.zeros(1 + sum(len(phase.names) for phase in phases), device=device)
        self.system.train()
        *sums, count = group.mean(sums).tolist()
        return [loss / count for loss in sums]

    def _batch(self, part: Tensor, generator: torch.Generator, progress: float) -> Batch:
        pixels = self.system.pixels(self.images[part])
        shown, labelled = (None if labels is None else labels[part] for labels in (self.shown, self.labels))
        all_seen = None if self.batches.labelled is None else Batch(pixels, labelled, generator, None, progress)
        return Batch(pixels, shown, generator, all_seen, progress)

    def baselines(self, phases: list[Phase]) -> dict[str, float]:
        """How well the hold-out images are answered without the system: what its losses are to be compared with.

        "mean image" and "PCA": ½ ‖x̂ − x‖² of the mean of (at most 2,000) training images, and of as many of their
        principal components as codes have dimensions. "logistic regression": the share of errors of one that learnt
        from the labels that may be seen, or 1,000 of them.
        """
        names = {name for phase in phases for name in phase.names}
        dimensions = getattr(self.system, "latent_dim", None) if hasattr(self.system, "encoder") else None
        found = {}
        if "reconstruction" in names and dimensions:
            from sklearn.decomposition import PCA  # here, because it takes a second to import

            known = self._flat(self.batches.images[_spread(len(self.batches.images), MOST_FOR_BASELINES)])  # (N, P)
            held_out = self._flat(self.images)
            pca = PCA(min(dimensions, *known.shape), random_state=0).fit(known)
            found["dimensions"] = float(pca.n_components_)
            for name, answer in (
                ("mean image", pca.mean_),
                ("PCA", pca.inverse_transform(pca.transform(held_out))),
            ):
                found[name] = float(0.5 * ((held_out - answer) ** 2).sum(axis=1).mean())
        if "classification" in names and self.system.learns_labels > 1:
            from sklearn.linear_model import LogisticRegression

            chosen = self.batches.labelled[_spread(len(self.batches.labelled), MOST_LABELS)]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # that it has not converged to the last digit
                simple = LogisticRegression().fit(
                    self._flat(self.batches.images[chosen]), self.batches.labels[chosen].cpu().numpy()
                )
            found["labels"] = float(len(chosen))
            found["logistic regression"] = 1 - float(simple.score(self._flat(self.images), self.labels.cpu().numpy()))
        return found

    def _flat(self, images: Tensor) -> Any:
        """Images as the networks see them, as rows of an array (N, P)."""
        return self.system.pixels(images).flatten(1).cpu().numpy()

    def look(self) -> dict[str, Any]:
        """The system as it is: how wide each dimension of hold-out codes is, by the prior's width; its error share.

        "spread" is of draws from q(z | x), "spread of means" of codes without noise, which a dimension that says
        nothing of the image lacks.
        """
        system, found = self.system, {}
        width = None
        if hasattr(system, "encoder") and len(self.images) >= FEWEST_FOR_SPREAD:
            with contextlib.suppress(TypeError):  # there is no prior
                width = system.draw_codes(MOST).std(dim=0)  # (Z,)
        if width is not None:
            for name, seed in (("spread", 0), ("spread of means", None)):
                found[name] = (system.encode(self.images, seed=seed).cpu().std(dim=0) / width).tolist()
        if system.learns_labels is not None and hasattr(system, "classify"):
            found["wrong"] = float((system.classify(self.images) != self.labels).float().mean())
        return found

    def digest(self) -> str:
        """The same for the same images and labels, and another for any others."""
        return digest(self.images) + ("" if self.labels is None else digest(self.labels))


def mean_image_loss(system: System, images: Tensor) -> float:
    """The reconstruction loss of answering every image with the mean image: half the pixels' summed variance."""
    total, squares = 0.0, 0.0
    for chunk in images.split(max(1, chunk_size(images.shape[1:]) // 8)):  # few enough to stay in a CPU's cache
        pixels = system.pixels(chunk)
        total = total + pixels.sum(dim=0).cpu().double()  # (C, H, W)
        squares += float(pixels.square().sum())
    return 0.5 * (squares / len(images) - float((total / len(images)).square().sum()))


def _spread(count: int, most: int) -> Tensor:
    """At most ``most`` of ``count`` places, evenly spaced: sorted images come from all over."""
    wanted = min(count, most)
    return torch.arange(wanted) * count // max(1, wanted)
