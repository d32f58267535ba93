"""Exercises of notebooks 05, 07 and 08: labels beside codes, in the decoder, and few of them for a classifier."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..losses import bce
from .answers import (
    Answer,
    Found,
    answer,
    drawn,
    equals,
    is_right,
    is_tensor,
    not_reached,
    reached,
    same,
    uses_its_generator,
    with_gradients,
)
from .games import linear_discriminator, normal, spread_is

HIDDEN = -1


def check_draw_petals(draw_petals: Callable[[Tensor, torch.Generator], Tensor]) -> Answer:
    """Notebook 05: ``draw_petals(labels, generator)``: points (N, 2) of the petals 0 to 9 that labels (N,) name."""
    labels = torch.arange(4000) % 10

    def on_axes(z: Tensor, sign: int = 1, turn: float = 2 * math.pi / 10) -> Tensor:
        """z (N, 2) along and across the radius of its petal: (N, 2)."""
        angle = sign * turn * labels
        cos, sin = angle.cos(), angle.sin()
        return torch.stack([z[:, 0] * cos + z[:, 1] * sin, z[:, 1] * cos - z[:, 0] * sin], dim=1)

    def lies(shift: float, along: float, across: float, **turned: float) -> Callable[[Found], bool]:
        def fits(found: Found) -> bool:
            z = on_axes(found.value.detach(), **turned)
            return spread_is(along, across)(z) and abs(float(z[:, 0].mean()) - shift) < 0.05

        return fits

    return answer(
        draw_petals,
        lambda student: drawn(student, labels),
        *is_tensor((4000, 2), "the sample"),
        *uses_its_generator(),
        (lies(1.4, 0.1, 0.5), "the petals are broad and short: along the radius and across it are exchanged."),
        (lies(1.4, 0.25, 0.01), "the noise is multiplied by variances, where standard deviations belong."),
        (lies(0.0, 0.5, 0.1), "the petals lie on one another in the middle: each is shifted outwards first."),
        (lies(1.4, 0.5, 0.1, sign=-1), "the petals follow one another clockwise; the numbers go the other way round."),
        (
            lies(1.4, 0.5, 0.1, turn=0.0),
            "all points lie in petal 0: their labels have no say in where the petal points.",
        ),
        (lies(1.4, 0.5, 0.1, turn=2 * math.pi / 9), "the petals are 40° apart: ten of them share a full circle."),
        (
            lambda found: not lies(1.4, 0.5, 0.1)(found),
            "turned back by its own angle, a petal should lie around (1.4, 0) with standard deviations of 0.5 and "
            "0.1, and here it does not; are all points in the petals of their labels?",
        ),
        well="Each label has its petal.",
    )


def check_labelled_loss(labelled_loss: Callable[..., Tensor]) -> Answer:
    """Notebook 05: ``labelled_loss(discriminator, draws, codes, labels, classes)``; a hidden label is −1."""
    discriminator, classes = linear_discriminator(2 + 4 + 1), 4
    draws, codes = normal(6, 2, seed=1), normal(6, 2).requires_grad_()
    labels = torch.tensor([0, 3, HIDDEN, 1, HIDDEN, 2])
    beside = F.one_hot(torch.where(labels < 0, classes, labels), classes + 1)  # (B, K + 1)
    nothing, anyone = beside * (labels >= 0)[:, None], F.one_hot(labels.clamp_min(0), classes + 1)
    alone = F.one_hot(torch.full_like(labels, classes), classes + 1)

    def judged(z: Tensor, y: Tensor, first: bool = False) -> Tensor:
        return discriminator(torch.cat([y, z] if first else [z, y], dim=1))

    def loss(of_draws: Tensor, of_codes: Tensor, first: bool = False) -> Tensor:
        return bce(judged(draws, of_draws, first), 1) + bce(judged(codes, of_codes, first), 0)

    right, weights = loss(beside, beside), discriminator[0].weight
    (slope,) = torch.autograd.grad(right, weights, retain_graph=True)
    return answer(
        labelled_loss,
        lambda student: with_gradients(
            student(discriminator, draws, codes, labels, classes), codes=codes, weights=weights
        ),
        *is_tensor((), "a loss"),
        (equals(loss(nothing, nothing)), "a hidden label is shown as zeros; it has a place of its own, the last one."),
        (
            equals(loss(anyone, anyone)),
            "a hidden label is shown as class 0, which is a lie; it has a place of its own.",
        ),
        (equals(loss(alone, beside)), "the draws are shown without their classes; these stand beside draws and codes."),
        (
            equals(loss(beside, beside, first=True)),
            "the class stands before the point; the discriminator wants it behind.",
        ),
        (
            equals(bce(judged(draws, beside), 0) + bce(judged(codes, beside), 1)),
            "the targets are swapped: D is to call the draws of the prior 1 and the codes 0.",
        ),
        (equals(right / 2), "it is half of what the notebook has: the two terms are added."),
        is_right(right, "the loss"),
        (
            reached("codes"),
            "the value is right, but its gradient flows through the codes into the encoder, which would learn to be "
            "told apart; something is to be cut off from the graph first.",
        ),
        (
            lambda found: not reached("weights")(found) or not same(found.gradients["weights"], slope),
            "the value is right, but the discriminator does not learn from both of its terms: too much is cut off.",
        ),
        well="Hidden labels take part in the old game, and in no other.",
    )


class _Pictures(nn.Module):
    """A decoder of label and style (B, 10 + 2) to images (B, 1, 3, 3)."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(12, 9)
        self.layer.weight.data, self.layer.bias.data = normal(9, 12, seed=5), normal(9, seed=6)

    def forward(self, both: Tensor) -> Tensor:
        return self.layer(both).unflatten(1, (1, 3, 3))


def check_labelled_reconstruction(labelled_reconstruction: Callable[..., Tensor]) -> Answer:
    """Notebook 07: ``labelled_reconstruction(encoder, decoder, images, labels)``, half a squared error (Sec. 4)."""
    images, labels = normal(5, 1, 3, 3).sigmoid(), torch.tensor([3, 0, 6, 7, 1])  # no 9: one-hot has its place
    encoder, decoder = nn.Sequential(nn.Flatten(), nn.Linear(9, 2)), _Pictures()
    encoder[1].weight.data, encoder[1].bias.data = normal(2, 9, seed=7), torch.zeros(2)
    y, z = F.one_hot(labels, 10), encoder(images)

    def error(both: list[Tensor]) -> Tensor:
        return (decoder(torch.cat(both, dim=1)) - images).square().flatten(1)  # (B, pixels)

    right = 0.5 * error([y, z]).sum(dim=1).mean()
    return answer(
        labelled_reconstruction,
        lambda student: with_gradients(
            student(encoder, decoder, images, labels), encoder=encoder[1].weight, decoder=decoder.layer.weight
        ),
        *is_tensor((), "a loss"),
        (
            equals(error([y, z]).mean()),
            "it is a mean over pixels; the paper's scale is half the sum over an image's pixels.",
        ),
        (equals(error([y, z]).mean() / 2), "it is half a mean over pixels; the paper's scale has their sum."),
        (equals(2 * right), "it is twice as large as it should be: the paper's scale has a half."),
        (equals(5 * right), "it is a sum over the batch; a loss is a mean over it."),
        (
            equals(0.5 * error([z, y]).sum(dim=1).mean()),
            "the style stands before the label; the decoder wants it behind.",
        ),
        (
            equals(0.5 * error([0 * y, z]).sum(dim=1).mean()),
            "the label has no say: the decoder is given zeros in its place.",
        ),
        is_right(right, "the loss"),
        (
            not_reached("encoder"),
            "the value is right, but no gradient reaches the encoder, so the style would stay noise.",
        ),
        (not_reached("decoder"), "the value is right, but no gradient reaches the decoder."),
        well="The decoder knows the digit; the code has the rest to say.",
    )


def check_blend(blend: Callable[..., Tensor]) -> Answer:
    """Notebook 07: ``blend(decode, z, first, second, steps)``: one style z (1, Z) from one digit to another."""

    def decode(z: Tensor, labels: Tensor) -> Tensor:
        """Shows what it was given, shares squared as a decoder bends them: images (N, 1, 1, 10 + Z)."""
        shares = labels if labels.ndim == 2 else F.one_hot(labels.long(), 10)
        if len(z) != len(shares):
            raise ValueError(f"decode wants as many styles as labels, but there are {len(z)} and {len(shares)}")
        return torch.cat([shares.float().square(), z], dim=1)[:, None, None]

    z, first, second, steps = torch.tensor([[0.5, -1.0]]), 3, 8, 5
    one, two = F.one_hot(torch.tensor([first, second]), 10).float()
    weight = torch.linspace(0, 1, steps)[:, None]

    def is_way(shares: Tensor) -> Callable:
        return equals(decode(z.expand(len(shares), -1), shares))

    inner, early = torch.linspace(0, 1, steps + 2)[1:-1, None], torch.arange(steps)[:, None] / steps
    return answer(
        blend,
        lambda student: student(decode, z, first, second, steps),
        *is_tensor((steps, 1, 1, 12), "the row of images"),
        (
            is_way(torch.linspace(first, second, steps)),
            "the numbers of the digits are blended: halfway from 3 to 8 there is no 5 or 6, but half a 3 and half an "
            "8.",
        ),
        (is_way(torch.lerp(two, one, weight)), "the way is walked backwards: it starts at the second digit."),
        (
            is_way(one + weight * two),
            "the shares of an image add up to more than 1: what comes in must go out elsewhere.",
        ),
        (is_way(torch.lerp(one, two, weight.round())), "the label jumps from one digit to the other halfway."),
        (is_way(torch.lerp(one, two, inner)), "the ends are missing: the first image is to be all of the first digit."),
        (is_way(torch.lerp(one, two, early)), "the way stops one step early, short of all of the second digit."),
        (
            equals(torch.lerp(decode(z, one[None]), decode(z, two[None]), weight[:, :, None, None])),
            "two pictures are blended; the decoder is to draw each image from blended labels.",
        ),
        (
            lambda found: not equals(z.expand(steps, -1))(found[:, 0, 0, 10:]),
            "the style changes on the way; only the label is to.",
        ),
        is_right(decode(z.expand(steps, -1), torch.lerp(one, two, weight)), "what is drawn"),
        well="The style stays, and the digit changes by shares.",
    )


def check_few_labels_loss(few_labels_loss: Callable[[Tensor, Tensor], Tensor]) -> Answer:
    """Notebook 08: ``few_labels_loss(logits, labels)`` of (B, K) and (B,), where −1 is a hidden label; a scalar."""
    logits = (2 * normal(6, 4)).requires_grad_()
    labels = torch.tensor([2, HIDDEN, 0, 3, HIDDEN, 1])
    known = labels >= 0
    right = F.cross_entropy(logits[known], labels[known])
    return answer(
        few_labels_loss,
        lambda student: with_gradients(student(logits, labels), logits=logits),
        *is_tensor((), "a loss"),
        (
            equals(F.cross_entropy(logits[known].softmax(dim=1), labels[known])),
            "a softmax is taken of a softmax: F.cross_entropy wants logits, and has one in it. Such a loss never "
            "comes near 0, however sure the classifier is.",
        ),
        (
            equals(F.cross_entropy(logits, labels.clamp_min(0))),
            "hidden labels count as class 0; they are to be left out.",
        ),
        (
            equals(F.cross_entropy(logits, labels % 4)),
            "hidden labels count as the last class; they are to be left out.",
        ),
        (
            equals(right * known.sum() / len(labels)),
            "the sum is divided by the whole batch; only images with a label take part in the mean.",
        ),
        (equals(right * known.sum()), "it is a sum; a mean does not change with the number of labels in a batch."),
        (equals(-right), "the sign is turned."),
        is_right(right, "the loss"),
        (not_reached("logits"), "the value is right, but no gradient reaches the classifier."),
        well="Hidden labels have no say in it.",
    )


def check_draw_content(draw_content: Callable[[Tensor, int, torch.Generator], Tensor]) -> Answer:
    """Notebook 08: ``draw_content(shares, count, generator)``: one-hot rows (N, K), class k in shares[k] of them."""
    shares = torch.tensor([0.55, 0.3, 0.1, 0.05])

    def common(found: Found) -> Tensor:
        return found.value.float().mean(dim=0)

    return answer(
        draw_content,
        lambda student: drawn(student, shares, 4000),
        *is_tensor((4000, 4), "the sample, one one-hot row for each draw,"),
        (
            equals(shares.expand(4000, 4)),
            "each row holds the shares themselves; a discriminator would tell such rows from sure answers at once.",
        ),
        (
            lambda found: (
                not ((found.value == 0) | (found.value == 1)).all() or not (found.value.sum(dim=1) == 1).all()
            ),
            "the rows are not one-hot: each is to have a single 1 and zeros.",
        ),
        (lambda found: float(common(found).max()) == 1, "all draws are of one class; each row is a draw of its own."),
        *uses_its_generator(),
        (
            lambda found: bool((common(found) - 0.25).abs().max() < 0.04),
            "all classes come equally often; the shares have no say.",
        ),
        (
            lambda found: bool((common(found) - shares).abs().max() > 0.04),
            lambda found: (
                "the classes should come with shares of 0.55, 0.3, 0.1 and 0.05, and they come with "
                f"{', '.join(f'{share:.2f}' for share in common(found))}."
            ),
        ),
        (
            lambda found: not found.value.is_floating_point(),
            "the rows are right, but whole numbers; a discriminator multiplies floating-point numbers.",
        ),
        well="With equal shares it is the notebook's Categorical.",
    )
