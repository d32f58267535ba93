"""The cluster browser: what a system puts together, cluster by cluster, the surest members first or the least sure."""

from __future__ import annotations

from typing import Any

import torch
import traitlets
from torch import Tensor

from .. import checks
from ..evaluation.clustering import NAMELESS, log_odds, name_clusters
from ..pixels import as_float
from ..systems.base import System, require_system
from .page import Checked, PageWidget, grid_png, pixels, raw, script

MOST_IMAGES = 2_000


def cluster_browser(system: System, images, labels=None, names=None) -> ClusterBrowser:
    """A widget that shows the members of each cluster (or class) of a ``system``, sorted by q(y | x).

    ``images`` (N, C, H, W), best ones held out, of which the first 2,000 are used. With their ``labels`` (N,), clusters
    show their purity, the share of members of the class that the cluster is named after, and the others are outlined.
    ``names``: (K,) whole numbers, that class for each cluster, -1 for none, as ``evaluation.name_clusters`` has it; by
    default the most frequent label among its members here. ``widget.cluster`` is the number of the cluster being shown;
    set it to move the widget.
    Raises ValueError or TypeError where an argument does not fit the system.
    """
    return ClusterBrowser(system, images, labels, names)


class ClusterBrowser(PageWidget):
    """See ``cluster_browser``. The page changes ``cluster`` only; the images go to it in a message."""

    invitation = "leaf through the members of each cluster"
    alt = "A row for each cluster, the largest first: its head decoded, then its members, the surest first."

    _esm = script("clusters.js")
    cluster = Checked().tag(sync=True, echo_update=False)
    heads = traitlets.Bytes().tag(sync=True)  # decoded, uint8 (K, C, H, W); empty where the system has no decoder
    clusters = traitlets.List().tag(sync=True)  # K times {size, name, purity}; name and purity may be None
    assigned = traitlets.List().tag(sync=True)  # the cluster of each image, N whole numbers
    certainty = traitlets.Bytes().tag(sync=True)  # the log-odds of the cluster it is in, float32 (N,): q rounds to 1
    labels = traitlets.List().tag(sync=True)  # N whole numbers, or none

    def __init__(self, system: System, images, labels=None, names=None):
        if not hasattr(require_system(system), "logits"):
            raise TypeError(
                f"{type(system).__name__} has no classes or clusters to browse; use one that has, such as "
                "ClusteringAdversarialAutoencoder."
            )
        self.system = system
        count = len(checks.images("images", images, system.image_shape))
        self.images = as_float(images[:MOST_IMAGES]).cpu()
        if labels is not None:
            labels = checks.labels("labels", labels, count)[:MOST_IMAGES].cpu()
        logits = system.logits(self.images)  # (N, K)
        finite = log_odds(logits).float().clamp(-3e38, 3e38)  # the page takes differences
        certainty, assigned = finite.max(dim=1)  # (N,), (N,)
        if certainty.isnan().any():
            raise ValueError("system has q(y | x) that are NaN, so its training diverged; train it with smaller steps.")
        if names is not None:
            names = _given(names, system.classes)
        elif labels is not None:
            names = name_clusters(logits, labels, rule="majority")
        super().__init__(
            cluster=int(assigned.bincount(minlength=system.classes).argmax()),
            image_shape=list(system.image_shape),
            heads=pixels(system.decoded_heads()),
            clusters=[_summary(k, assigned, labels, names) for k in range(system.classes)],
            assigned=assigned.tolist(),
            certainty=raw(certainty),
            labels=[] if labels is None else labels.tolist(),
        )
        self._certainty = certainty

    def checked(self, name: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < self.system.classes:
            raise ValueError(f"{name} must be a number from 0 to {self.system.classes - 1}, but it is {value!r}.")
        return value

    def members(self, cluster: int, *, surest_first: bool = True) -> Tensor:
        """The numbers (M,) of the images in ``cluster``, by the log-odds of q(y | x)."""
        mine = (torch.tensor(self.assigned) == self.checked("cluster", cluster)).nonzero()[:, 0]
        return mine[self._certainty[mine].argsort(descending=surest_first, stable=True)]

    def parcel(self) -> tuple[dict, list[bytes]]:
        return {}, [pixels(self.images)]

    def preview(self, columns: int = 12) -> bytes:
        """PNG: a row for each of the sixteen largest clusters, its head and its surest members."""
        heads = torch.frombuffer(bytearray(self.heads), dtype=torch.uint8).reshape(-1, *self.image_shape)
        largest = sorted(range(len(self.clusters)), key=lambda k: -self.clusters[k]["size"])[:16]
        rows = torch.ones(len(largest), columns, *self.image_shape)
        for row, k in zip(rows, largest, strict=True):
            members = self.images[self.members(k)[: columns - 1]]
            row[0], row[1 : 1 + len(members)] = as_float(heads[k]), members
        return grid_png(rows.flatten(0, 1), columns)


def _given(names: Any, count: int) -> Tensor:
    """The reader's names as (K,) int64."""
    names = checks.as_tensor("names", names)
    if names.shape != (count,) or names.is_floating_point():
        raise ValueError(
            f"names must be {count} whole numbers, a class for each cluster, but it is {names.dtype} of shape "
            f"{tuple(names.shape)}."
        )
    return names.long()


def _summary(cluster: int, assigned: Tensor, labels: Tensor | None, names: Tensor | None) -> dict:
    mine = assigned == cluster
    size, name = int(mine.sum()), None if names is None else int(names[cluster])
    named = name not in (None, NAMELESS)
    purity = float((labels[mine] == name).float().mean()) if named and labels is not None and size else None
    return {"size": size, "name": name if named else None, "purity": purity}
