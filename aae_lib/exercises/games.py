"""Exercises of notebooks 01 and 02: the bound of a variational autoencoder, and the two sides of the game on codes."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..losses import bce
from .answers import (
    Answer,
    answer,
    drawn,
    equals,
    is_right,
    is_tensor,
    not_reached,
    reached,
    same,
    uses_its_generator,
    value_of,
    with_gradients,
)


def normal(*shape: int, seed: int = 0) -> Tensor:
    """Fixed draws of N(0, 1) for the small examples."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def linear_discriminator(inputs: int) -> nn.Module:
    """A discriminator (B, inputs) -> (B,) logits with fixed weights of some size."""
    layer = nn.Linear(inputs, 1)
    layer.weight.data, layer.bias.data = normal(1, inputs, seed=9), torch.tensor([0.3])
    return nn.Sequential(layer, nn.Flatten(0))


def spread_is(*stds: float) -> Callable:
    """A predicate: the columns of what was drawn have these standard deviations, to a twentieth."""
    return lambda found: all(
        abs(float(std) - wanted) < 0.05 * wanted
        for std, wanted in zip(value_of(found).detach().std(dim=0), stds, strict=True)
    )


def check_draw_codes(draw_codes: Callable[[Tensor, Tensor, torch.Generator], Tensor]) -> Answer:
    """Notebook 01: ``draw_codes(mean, log_variance, generator)``, a draw (B, Z) from each q(z | x)."""
    mean = torch.tensor([1.0, -2.0]).repeat(4000, 1).requires_grad_()
    log_variance = torch.tensor([-2.0, 1.0]).repeat(4000, 1).requires_grad_()
    std, variance = [0.368, 1.649], [0.135, 2.718]
    return answer(
        draw_codes,
        lambda student: drawn(student, mean, log_variance, mean=mean, log_variance=log_variance),
        *is_tensor((4000, 2), "one code for each image"),
        (
            lambda found: bool((found.value.detach().std(dim=0) < 1e-3).all()),
            "images with the same mean all get the same code; every code has noise of its own.",
        ),
        *uses_its_generator(),
        (spread_is(*variance), "the noise is multiplied by the variance σ², where σ belongs."),
        (spread_is(2.0, 1.0), "the noise is multiplied by log σ² itself, where σ belongs."),
        (spread_is(1.0, 1.0), "all codes have a standard deviation of 1; that of each image is to be heeded."),
        (
            lambda found: not spread_is(*std)(found),
            lambda found: (
                f"where σ is {std[0]} and {std[1]}, the draws have standard deviations of "
                f"{found.value.detach()[:, 0].std():.3g} and {found.value.detach()[:, 1].std():.3g}."
            ),
        ),
        (
            lambda found: bool(((found.value - mean).detach().mean(dim=0).abs() > 0.1).any()),
            "the draws have the right spread, but do not lie around the means that were given.",
        ),
        (
            lambda found: not_reached("mean")(found) or not_reached("log_variance")(found),
            "the draws are right, but no gradient flows back to the mean and the log variance, so the encoder "
            "would learn nothing.",
        ),
        well="The chance is in ε alone, so gradients reach the mean and the variance.",
    )


def check_negative_elbo(negative_elbo: Callable[..., Tensor]) -> Answer:
    """Notebook 01: ``negative_elbo(logits, images, mean, log_variance, beta)`` (Higgins et al. 2017)."""
    logits, images = normal(4, 1, 3, 3), normal(4, 1, 3, 3, seed=1).sigmoid()
    mean, log_variance = normal(4, 2, seed=2), normal(4, 2, seed=3)
    beta = 4.0
    pixels = F.binary_cross_entropy_with_logits(logits, images, reduction="none")  # (B, C, H, W)
    twice = F.binary_cross_entropy_with_logits(logits.sigmoid(), images, reduction="none")
    terms = 0.5 * (log_variance.exp() + mean.square() - 1 - log_variance)  # (B, Z)
    no_square = 0.5 * ((2 * log_variance).exp() + mean.square() - 1 - 2 * log_variance)
    reconstruction, kl = pixels.flatten(1).sum(dim=1).mean(), terms.sum(dim=1).mean()
    return answer(
        negative_elbo,
        lambda student: student(logits, images, mean, log_variance, beta),
        *is_tensor((), "a loss"),
        (
            equals(reconstruction - beta * kl),
            "the KL has the wrong sign: it is to be small, as the reconstruction term is.",
        ),
        (equals(-reconstruction - beta * kl), "this is the bound itself; a loss is its negative."),
        (equals(beta * reconstruction + kl), "β weighs the reconstruction, where it should weigh the KL."),
        (equals(reconstruction + kl), "β has no say; this is the bound of the notebook, which has β = 1."),
        (
            equals(pixels.mean() + beta * kl),
            "the cross-entropy is a mean over pixels; it is a sum over an image's pixels, and a mean over the batch.",
        ),
        (equals(reconstruction + beta * terms.mean()), "the KL is a mean over dimensions; it is a sum over them."),
        (
            equals(twice.flatten(1).sum(dim=1).mean() + beta * kl),
            "a sigmoid is taken twice; the decoder gives logits, and the cross-entropy has a sigmoid in it.",
        ),
        (
            equals(len(images) * (reconstruction + beta * kl)),
            "it is a sum over the batch; a loss is a mean, or it grows with the batch.",
        ),
        (
            equals(reconstruction + beta * no_square.sum(dim=1).mean()),
            "log σ² is taken for log σ: the encoder gives the logarithm of the variance.",
        ),
        is_right(reconstruction + beta * kl, "the loss"),
        well="With β = 1 it is the notebook's negative ELBO.",
    )


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
    (slope,) = torch.autograd.grad(right, weights, retain_graph=True)
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
        (
            lambda found: not same(found.gradients["weights"], slope),
            "the value is right, but the discriminator learns from one of its two terms only: too much is cut off.",
        ),
        well="Where D can only guess it is 2 ln 2 ≈ 1.39, and no gradient reaches the encoder.",
    )
