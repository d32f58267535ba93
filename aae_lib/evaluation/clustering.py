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


def log_odds(logits: Tensor) -> Tensor:
    """log q_k / (1 − q_k), (N, K) in float64, of logits (N, K) of q: how sure an image is of each cluster or class.

    In the order of q, but it still tells images apart whose q rounds to 1, as that of many images of a trained system
    does in float32, or to 0.
    """
    wide = logits.double()
    clusters = range(wide.shape[1])
    others = [wide[:, [j for j in clusters if j != k]].logsumexp(dim=1) for k in clusters]
    return wide - torch.stack(others, dim=1)


def name_clusters(logits: Tensor, labels: Tensor, *, rule: str = "paper") -> Tensor:
    """The class (K,) that each cluster stands for, from logits of q(y | x) (N, K) and labels (N,) of validation images.

    "paper": the label of the image x with the highest q(y_k | x). "majority": the commonest label among the images
    whose likeliest cluster is k; ``NAMELESS`` where there are none. Of probabilities q the logits are ``q.log()``; q
    itself would not do, since it rounds to 1 for many images, and the first of them would have the say.
    """
    checks.one_of("rule", rule, RULES)
    return _names(*_checked("logits", logits, "labels", labels), rule)


def clustering_error(
    validation_logits: Tensor,
    validation_labels: Tensor,
    test_logits: Tensor,
    test_labels: Tensor,
    *,
    rule: str = "paper",
) -> ClusteringError:
    """Name clusters by validation images, count test images: logits of q(y | x) (N, K) and labels (N,) of each.

    Raises ValueError where shapes disagree, rows are probabilities or not finite, or there are fewer than 2 clusters,
    and TypeError for what is not floating point.
    """
    checks.one_of("rule", rule, RULES)
    validation = _checked("validation_logits", validation_logits, "validation_labels", validation_labels)
    logits, y = _checked("test_logits", test_logits, "test_labels", test_labels)
    names = _names(*validation, rule)  # (K,)
    if logits.shape[1] != len(names):
        raise ValueError(
            f"test_logits has {logits.shape[1]} clusters, but validation_logits has {len(names)}; take both from one "
            "system."
        )
    clusters = logits.argmax(dim=1)  # (N,)
    right = (names[clusters] == y).double()
    sizes = torch.bincount(clusters, minlength=len(names))
    purity = (torch.bincount(clusters, weights=right, minlength=len(names)) / sizes).float()
    return ClusteringError(rule, 1 - float(right.mean()), names, sizes, purity)


def _names(logits: Tensor, y: Tensor, rule: str) -> Tensor:
    if rule == "paper":
        surest = log_odds(logits).max(dim=0)  # (K,) log-odds and images
        return torch.where(surest.values > -torch.inf, y[surest.indices], NAMELESS)
    members = torch.zeros(logits.shape[1], int(y.max()) + 1)  # (K, classes)
    members.index_put_((logits.argmax(dim=1), y), torch.ones(()), accumulate=True)
    return torch.where(members.any(dim=1), members.argmax(dim=1), NAMELESS)


def _checked(name: str, logits: Tensor, labels_name: str, labels: Tensor) -> tuple[Tensor, Tensor]:
    """The logits (N, K) and the labels (N,) on the CPU, once they fit each other."""
    logits = checks.as_tensor(name, logits)
    if logits.ndim != 2 or len(logits) == 0:
        raise ValueError(f"{name} must be logits (N, K) of N images, but its shape is {tuple(logits.shape)}.")
    if not logits.is_floating_point():
        raise TypeError(f"{name} must be floating point, but it is {logits.dtype}; use system.logits(images).")
    count, clusters = logits.shape
    if clusters < 2:
        raise ValueError(f"{name} is of one cluster, which tells nothing apart; give (N, K) with K above 1.")
    if clusters > count:
        raise ValueError(f"{name} is of {clusters} clusters, but of only {count} images; give more images.")
    if logits.softmax(dim=1).isnan().any():
        raise ValueError(
            f"{name} has rows with NaN, with +inf, or of -inf alone, which stand for no q(y | x); a system that "
            "diverged gives such rows: train it with smaller steps."
        )
    if float(logits.min()) >= 0 and float((logits.sum(dim=1) - 1).abs().max()) < 1e-3:
        raise ValueError(
            f"{name} has rows that sum to 1 and so are probabilities; use system.logits(images), or q.log()."
        )
    return logits.cpu(), checks.labels(labels_name, labels, count).cpu()
