"""Losses that several systems share, in the paper's units: sums over pixels, means over the batch, nats."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from .networks import Discriminator


def half_squared_error(reconstruction: Tensor, images: Tensor) -> Tensor:
    """½ ‖x̂ − x‖², summed over an image's pixels and averaged over the batch: the paper's scale."""
    return 0.5 * (reconstruction - images).square().flatten(1).sum(dim=1).mean()


def bce(logits: Tensor, target: float) -> Tensor:
    """Binary cross-entropy of discriminator logits (B,) with one target for all: 1 real, 0 fake. Its mean, in nats.

    The same as the mean of softplus(−logits) where the target is 1, and of softplus(logits) where it is 0.
    """
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))


def tell_apart(discriminator: Discriminator, real: Tensor, fake: Tensor, generator: torch.Generator) -> Tensor:
    """The discriminator's loss: call ``real`` (B, Z) 1 and ``fake`` (B, Z) 0 (Eq. 1). 2 ln 2 when it cannot."""
    return bce(discriminator(real, generator), 1) + bce(discriminator(fake, generator), 0)


def fool(discriminator: Discriminator, fake: Tensor, generator: torch.Generator) -> Tensor:
    """The generator's loss, in the form that does not saturate: have ``fake`` (B, Z) called 1. ln 2 at equilibrium."""
    return bce(discriminator(fake, generator), 1)


def gradient_penalty(logits: Tensor, images: Tensor) -> Tensor:
    """½ ‖∇ₓ D(x)‖² of logits D(x) (B,) at real images x (B, C, H, W) that require a gradient: a mean over the batch.

    R1 of Mescheder, Geiger & Nowozin 2018 (arXiv 1801.04406, Eq. 9), without its weight γ. It can be differentiated
    again. A discriminator that is flat on the real images gives 0.
    """
    (slope,) = torch.autograd.grad(logits.sum(), images, create_graph=True)  # (B, C, H, W)
    return 0.5 * slope.float().square().flatten(1).sum(dim=1).mean()
