"""Exercises of notebooks 01 and 02: the bound of a variational autoencoder, and the two sides of the game on codes."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..losses import bce
from .answers import Answer, answer, equals, is_right, is_tensor, not_reached, reached, with_gradients


def normal(*shape: int, seed: int = 0) -> Tensor:
    """Fixed draws of N(0, 1) for the small examples."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def linear_discriminator(inputs: int) -> nn.Module:
    """A discriminator (B, inputs) -> (B,) logits with fixed weights of some size."""
    layer = nn.Linear(inputs, 1)
    layer.weight.data, layer.bias.data = normal(1, inputs, seed=9), torch.tensor([0.3])
    return nn.Sequential(layer, nn.Flatten(0))


def check_generator_loss(generator_loss: Callable[[nn.Module, Tensor], Tensor]) -> Answer:
    """Notebook 02: ``generator_loss(discriminator, codes)`` of (B, Z), a scalar (Makhzani et al. 2015, Sec. 2)."""
    discriminator, codes = linear_discriminator(2), normal(6, 2).requires_grad_()
    logits = discriminator(codes)
    return answer(
        generator_loss,
        lambda student: with_gradients(student(discriminator, codes), codes=codes),
        *is_tensor((), "a loss"),
        (
            equals(-bce(logits, 0)),
            "this is the mean of log(1 − D(z)), as in the game's formula; it wants the same, but its gradient vanishes "
            "while the discriminator is winning.",
        ),
        (
            equals(bce(logits, 0)),
            "the target is the discriminator's own; the generator wants its codes to be taken for draws of the prior.",
        ),
        (equals(-bce(logits, 1)), "the sign is turned: fit makes a loss small, and this one is small where D is sure."),
        (
            equals(bce(logits.sigmoid(), 1)),
            "a sigmoid is taken twice; the discriminator returns logits, and the cross-entropy has a sigmoid in it.",
        ),
        (
            equals(F.softplus(-logits).sum()),
            "it is a sum over the batch; a loss is a mean, or it grows with the batch.",
        ),
        is_right(bce(logits, 1), "the loss"),
        (
            not_reached("codes"),
            "the value is right, but no gradient reaches the codes, so the encoder would learn nothing; "
            "detach belongs into the discriminator's loss.",
        ),
        well="Where D can only guess it is ln 2 ≈ 0.69.",
    )


def check_discriminator_loss(discriminator_loss: Callable[[nn.Module, Tensor, Tensor], Tensor]) -> Answer:
    """Notebook 02: ``discriminator_loss(discriminator, draws, codes)`` of two (B, Z), a scalar without encoder."""
    discriminator = linear_discriminator(2)
    draws, codes = normal(6, 2, seed=1), normal(6, 2).requires_grad_()
    real, fake = discriminator(draws), discriminator(codes)
    right, weights = bce(real, 1) + bce(fake, 0), discriminator[0].weight
    return answer(
        discriminator_loss,
        lambda student: with_gradients(student(discriminator, draws, codes), codes=codes, weights=weights),
        *is_tensor((), "a loss"),
        (
            equals(bce(real, 0) + bce(fake, 1)),
            "the targets are swapped: D is to call the draws of the prior 1 and the codes 0.",
        ),
        (equals(-right), "the sign is turned: fit makes a loss small, and this one is small where D is always wrong."),
        (
            equals(right / 2),
            "it is half of what the notebook has: the two terms are added, so that guessing costs 2 ln 2, not ln 2.",
        ),
        (
            equals(bce(real.sigmoid(), 1) + bce(fake.sigmoid(), 0)),
            "a sigmoid is taken twice; the discriminator returns logits, and the cross-entropy has a sigmoid in it.",
        ),
        (equals(bce(real, 1)), "only the draws of the prior take part; D has to learn what codes look like, too."),
        (equals(bce(fake, 0)), "only the codes take part; D has to learn what draws of the prior look like, too."),
        is_right(right, "the loss"),
        (
            reached("codes"),
            "the value is right, but its gradient flows through the codes into the encoder, which would learn to be "
            "told apart; something is to be cut off from the graph first.",
        ),
        (not_reached("weights"), "the value is right, but no gradient reaches the discriminator, which is to learn."),
        well="Where D can only guess it is 2 ln 2 ≈ 1.39, and no gradient reaches the encoder.",
    )
