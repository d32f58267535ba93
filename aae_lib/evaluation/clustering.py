"""How well clusters that were found without labels agree with classes (Makhzani et al. 2015, Sec. 6, Table 3).

A cluster has no name. Two rules give it one, both from validation images, and the test images are counted against it:
the paper's rule asks the one image that the cluster is surest of, the kinder majority rule asks all its members.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .. import checks

RULES = ("paper", "majority")
NAMELESS = -1


@dataclass(frozen=True)
class ClusteringError:
    """Test images that their cluster's name gets wrong.

    ``error``: their share. ``names`` (K,): the class that each cluster stands for. ``sizes`` (K,): test images in it.
    ``purity`` (K,): the share of these that its name gets right; NaN where there are none. ``empty``: those clusters.
    """

    rule: str
    error: float
    names: Tensor
    sizes: Tensor
    purity: Tensor

    @property
    def empty(self) -> tuple[int, ...]:
        return tuple(torch.nonzero(self.sizes == 0).flatten().tolist())


def name_clusters(probabilities: Tensor, labels: Tensor, *, rule: str = "paper") -> Tensor:
    """The class (K,) that each cluster stands for, from q(y | x) (N, K) and labels (N,) of validation images.

    "paper": the label of the image x with the highest q(y_k | x). "majority": the commonest label among the images
    whose likeliest cluster is k; ``NAMELESS`` where there are none.
    """
    checks.one_of("rule", rule, RULES)
    return _names(*_checked("probabilities", probabilities, "labels", labels), rule)


def clustering_error(
    validation_probabilities: Tensor,
    validation_labels: Tensor,
    test_probabilities: Tensor,
    test_labels: Tensor,
    *,
    rule: str = "paper",
) -> ClusteringError:
    """Name clusters by validation images, count test images: q(y | x) (N, K) and labels (N,) of each.

    Raises ValueError where shapes disagree, rows are no probabilities, or there are fewer than 2 clusters.
    """
    checks.one_of("rule", rule, RULES)
    validation = _checked("validation_probabilities", validation_probabilities, "validation_labels", validation_labels)
    q, y = _checked("test_probabilities", test_probabilities, "test_labels", test_labels)
    names = _names(*validation, rule)  # (K,)
    if q.shape[1] != len(names):
        raise ValueError(
            f"test_probabilities has {q.shape[1]} clusters, but validation_probabilities has {len(names)}; take both "
            "from one system."
        )
    clusters = q.argmax(dim=1)  # (N,)
    right = (names[clusters] == y).double()
    sizes = torch.bincount(clusters, minlength=len(names))
    purity = (torch.bincount(clusters, weights=right, minlength=len(names)) / sizes).float()
    return ClusteringError(rule, 1 - float(right.mean()), names, sizes, purity)


def _names(q: Tensor, y: Tensor, rule: str) -> Tensor:
    if rule == "paper":
        return y[q.argmax(dim=0)]
    members = torch.zeros(q.shape[1], int(y.max()) + 1)  # (K, classes)
    members.index_put_((q.argmax(dim=1), y), torch.ones(()), accumulate=True)
    return torch.where(members.any(dim=1), members.argmax(dim=1), NAMELESS)


def _checked(name: str, probabilities: Tensor, labels_name: str, labels: Tensor) -> tuple[Tensor, Tensor]:
    """q(y | x) (N, K) and the labels (N,) on the CPU, once they fit each other."""
    q = checks.codes(name, probabilities).cpu()
    count, clusters = q.shape
    if clusters < 2:
        raise ValueError(f"{name} is of one cluster, which tells nothing apart; give (N, K) with K above 1.")
    if clusters > count:
        raise ValueError(f"{name} is of {clusters} clusters, but of only {count} images; give more images.")
    if float(q.min()) < 0 or float((q.sum(dim=1) - 1).abs().max()) > 1e-3:
        raise ValueError(f"{name} must have rows that are at least 0 and sum to 1; use system.probabilities(images).")
    return q, checks.labels(labels_name, labels, count).cpu()
