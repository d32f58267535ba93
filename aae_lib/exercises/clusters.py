"""Exercises of notebooks 09 and 10: what clusters are worth, and the places of classes on a map."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from .answers import (
    Answer,
    Found,
    answer,
    drawn,
    equals,
    is_right,
    is_tensor,
    not_reached,
    uses_its_generator,
    with_gradients,
)
from .games import normal


def check_information(information: Callable[[Tensor], Tensor]) -> Answer:
    """Notebook 09: ``information(q)`` of answers q(y | x) (N, K): entropy of their mean minus mean entropy, in nats."""
    q = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.7, 0.2, 0.1], [0.1, 0.1, 0.8], [0.6, 0.4, 0.0]])

    def entropy(p: Tensor, dim: int = -1) -> Tensor:
        return torch.special.entr(p).sum(dim=dim)

    together, each = entropy(q.mean(dim=0)), entropy(q)
    right = together - each.mean()

    def inner(found: Tensor) -> bool:
        return isinstance(found, Tensor) and bool(found.isnan().any())

    return answer(
        information,
        lambda student: student(q),
        (
            inner,
            "it is not a number where an answer is exactly 0: 0 · log 0 is 0 in an entropy, and nan to the computer.",
        ),
        *is_tensor((), "the information"),
        (equals(-right), "the sign is turned; an answer that is always the same tells nothing, and no less than that."),
        (equals(together), "this is the entropy of the mean alone: it is large for unsure answers, too."),
        (equals(each.mean()), "this is the mean entropy alone: how unsure the answers are."),
        (equals(together - each.sum()), "the entropies of the answers are added up, where their mean belongs."),
        (equals(right / math.log(2)), "this is in bits; nats were asked for."),
        is_right(right, "the information"),
        well=(
            "It is ln K where answers are sure and all K clusters equally common, and 0 where every answer is the same."
        ),
    )


def check_majority_error(majority_error: Callable[..., Tensor]) -> Answer:
    """Notebook 09: ``majority_error(validation_clusters, validation_labels, test_clusters, test_labels)``: a share."""
    validation = torch.tensor([0, 0, 0, 1, 1, 3, 3, 3]), torch.tensor([3, 3, 5, 7, 7, 1, 1, 2])
    test = torch.tensor([0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 3]), torch.tensor([3, 5, 5, 5, 7, 7, 2, 0, 0, 1, 2])

    def error(named_by: tuple[Tensor, Tensor], judged: tuple[Tensor, Tensor], empty: int = -1) -> Tensor:
        clusters, labels = named_by
        names = [
            labels[clusters == k].mode().values if (clusters == k).any() else torch.tensor(empty) for k in range(4)
        ]
        return (torch.stack(names)[judged[0]] != judged[1]).float().mean()

    right = error(validation, test)
    return answer(
        majority_error,
        lambda student: torch.as_tensor(student(*validation, *test)),
        *is_tensor((), "an error"),
        (
            equals(error(test, test)),
            "the clusters are named by the labels of the test set, to which the names are then fitted; names come "
            "from the "
            "validation images.",
        ),
        (equals(1 - right), "this is the share that is right; the error was asked for."),
        (equals(100 * right), "this is in percent; a share was asked for."),
        (equals(error(validation, validation)), "this is the error on validation images, which chose the names."),
        (
            equals(error(validation, test, empty=0)),
            "a cluster without validation images is called 0; nobody can name it, so its images are all errors.",
        ),
        (equals(right * len(test[1])), "this counts the errors; their share was asked for."),
        is_right(right, "the error"),
        well="No label of the test set had a say in the names.",
    )


def check_represent(represent: Callable[[Tensor, Tensor, Tensor], Tensor]) -> Answer:
    """Notebook 10: ``represent(logits, z, heads)``: W_C y + z (B, 2) of logits (B, K), heads (K, 2)."""
    logits, z = normal(5, 4).requires_grad_(), normal(5, 2, seed=1)
    heads = (3 * normal(4, 2, seed=2)).requires_grad_()

    def at(y: Tensor) -> Tensor:
        return y @ heads + z

    y = logits.softmax(dim=1)
    return answer(
        represent,
        lambda student: with_gradients(student(logits, z, heads), logits=logits, heads=heads),
        *is_tensor((5, 2), "the representation"),
        (equals(at(logits)), "the logits are used as they are; y is a distribution over classes, which adds up to 1."),
        (equals(at(y.softmax(dim=1))), "a softmax is taken of a softmax, which makes every answer unsure."),
        (
            equals(at(logits.softmax(dim=0))),
            "the softmax runs over the batch; each image has a distribution of its own.",
        ),
        (
            equals(at(F.one_hot(logits.argmax(dim=1), 4).float())),
            "only the likeliest class has a say; a choice like that has no gradient, so the encoder would learn "
            "nothing.",
        ),
        (equals(y @ heads), "the style is missing: all images of one class would lie in one point."),
        (equals(y @ heads - z), "the style is taken away, where it is added."),
        is_right(at(y), "the representation"),
        (
            lambda found: not_reached("logits")(found) or not_reached("heads")(found),
            "the value is right, but gradients do not flow back to both the logits and the heads.",
        ),
        well="With y one-hot it is a head and a style.",
    )


def check_draw_map(draw_map: Callable[[Tensor, int, torch.Generator], Tensor]) -> Answer:
    """Notebook 10: ``draw_map(heads, count, generator)``: points (N, 2), the mixture about heads (K, 2)."""
    heads = torch.tensor([[0.0, 0.0], [40.0, 0.0], [0.0, 40.0], [40.0, 40.0]])

    def nearest(found: Found) -> Tensor:
        return torch.cdist(found.value, heads).argmin(dim=1)

    def styles(found: Found) -> Tensor:
        return found.value - heads[nearest(found)]

    def shares(found: Found) -> Tensor:
        return nearest(found).bincount(minlength=4) / len(found.value)

    return answer(
        draw_map,
        lambda student: drawn(student, heads, 4000),
        *is_tensor((4000, 2), "the sample"),
        *uses_its_generator(),
        (
            lambda found: bool((shares(found) == 1).any()),
            "all points lie around one head; each draws a head of its own.",
        ),
        (
            lambda found: bool((styles(found).std(dim=0) < 1e-3).all()) and float(styles(found).abs().max()) < 1e-3,
            "all points lie on the heads: the style is missing.",
        ),
        (
            lambda found: bool((styles(found).std(dim=0) < 1e-3).all()),
            "all points have the same style; each is to draw one of its own.",
        ),
        (
            lambda found: float(styles(found).mean(dim=0).min()) > 0.3,
            "all styles are shifted to one side, as numbers between 0 and 1 are; the style is a Gaussian around 0.",
        ),
        (
            lambda found: bool((styles(found).std(dim=0) - 1).abs().max() > 0.1),
            lambda found: (
                "about its head a cloud should have a standard deviation of 1, and it has "
                f"{float(styles(found).std(dim=0).mean()):.2f}."
            ),
        ),
        (
            lambda found: bool((shares(found) - 0.25).abs().max() > 0.04),
            "the heads do not come equally often, as the game on y has them.",
        ),
        well="This is the mixture that both games and independence lead to.",
    )
