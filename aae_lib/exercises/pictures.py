"""Exercises of notebook 15: whole groups of pictures held out, and the errors of PCA on pictures it has not seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from .answers import Answer, answer, drawn, equals, is_right, is_tensor, uses_its_generator, value_of
from .games import normal


def check_hold_out(hold_out: Callable[[Tensor, int, torch.Generator], Tensor]) -> Answer:
    """Notebook 15: ``hold_out(groups, count, generator)``: which pictures are of ``count`` groups, bool (N,)."""
    numbers = 5 + 10 * torch.arange(10)  # of the groups: neither from 0 on nor without gaps
    groups, count = numbers[torch.arange(40) * 7 % 10], 6

    def held_out(found: Any) -> Tensor:
        """How many pictures of each group are held out (10,), of four each."""
        return (value_of(found) & (groups == numbers[:, None])).sum(dim=1)

    return answer(
        hold_out,
        lambda student: drawn(student, groups, count),
        (
            lambda found: isinstance(found.value, Tensor) and found.value.dtype != torch.bool,
            "the result is made of numbers; it is to be a mask, which says True or False of every picture.",
        ),
        *is_tensor((40,), "a mask of 40 pictures"),
        *uses_its_generator(),
        (
            lambda found: bool((held_out(found) % 4).any()),
            "some pictures of a group are held out and others of it are not, so a look-alike of what is measured may "
            "be trained on.",
        ),
        (
            lambda found: int((held_out(found) > 0).sum()) < 10 - count,
            "hardly any group is held out; their numbers have gaps, and here they are taken for 0, 1, 2, …",
        ),
        (
            lambda found: all(int((held_out(draw) > 0).sum()) == 10 - count for draw in (found, found.other)),
            "True and False are exchanged: True is of the pictures that are held out.",
        ),
        (
            lambda found: int((held_out(found) > 0).sum()) < count,
            "fewer groups are held out than were asked for; can one be drawn twice?",
        ),
        (
            lambda found: int((held_out(found) > 0).sum()) > count,
            "more groups are held out than were asked for.",
        ),
        well="What is measured on these pictures has no look-alike among those trained on.",
    )


def check_pca_errors(pca_errors: Callable[[Tensor, Tensor, int], Tensor]) -> Answer:
    """Notebook 15: ``pca_errors(known, held_out, most)`` of rows (N, P), (M, P): hold-out errors (most + 1,) of PCA."""
    scale = torch.tensor([3.0, 2.0, 1.0, 0.5, 0.2])
    known, held_out = 1 + normal(60, 5) * scale, 0.5 + normal(20, 5, seed=1) * scale
    most = 3

    def errors(learnt: Tensor, shown: Tensor, centre: Tensor, own: Tensor | None = None) -> Tensor:
        _, _, axes = torch.linalg.svd(learnt - centre, full_matrices=False)  # (P, P), a component a row
        off = shown - (centre if own is None else own)  # (M, P)
        return torch.stack(
            [0.5 * (off - off @ axes[:k].T @ axes[:k]).square().sum(dim=1).mean() for k in range(most + 1)]
        )

    mean, nothing = known.mean(dim=0), torch.zeros(5)
    right = errors(known, held_out, mean)
    return answer(
        pca_errors,
        lambda student: student(known, held_out, most),
        (
            lambda found: isinstance(found, Tensor) and found.shape == (most,),
            "one entry is missing: there is an error of 0 components too, the mean image's, and one of all `most`.",
        ),
        *is_tensor((most + 1,), "an error for each number of components from 0 on"),
        (equals(2 * right), "it is twice what it should be: errors in this course are half a squared error."),
        (equals(right / 5), "it is a mean over pixels; an error is a sum over them, and a mean over the images."),
        (equals(20 * right), "it is a sum over the images, where it should be their mean."),
        (
            equals(errors(held_out, held_out, held_out.mean(dim=0))),
            "components and mean are learnt from the hold-out images themselves, which were to be new.",
        ),
        (
            equals(errors(known, known, mean)),
            "this is the error of the images that PCA learnt from; the curve is to be of those it has not seen.",
        ),
        (
            equals(errors(known, held_out, mean, held_out.mean(dim=0))),
            "the hold-out images are centred by their own mean, but the mean belongs to what was learnt.",
        ),
        (equals(errors(known, held_out, nothing)), "nothing is centred: the mean image goes off first."),
        is_right(right, "the errors"),
        well="Its first entry is the mean image's error, and every further component takes some of it away.",
    )
