"""Pixels: uint8 from 0 to 255 where images are stored, floats where they are computed with."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

LEAST_STD = 0.02  # five grey levels of 255: a pixel that is nearly constant must not outweigh all others
INK, NEARLY = 0.4, 0.05  # share of values that far from black or white from which on images count as ink
ASKED = 1000  # images that are looked at for that
MOST_IMAGES = 2000  # computed at once outside training: enough to fill a machine
MOST_PLACES = MOST_IMAGES * 28 * 28  # pixels' places at once: a map of 64 channels over these takes 400 MB


def as_float(images: Tensor) -> Tensor:
    """Pixels in [0, 1] as float32; uint8 is divided by 255."""
    return images.float().div_(255) if images.dtype == torch.uint8 else images.float()


def chunk_size(image_shape: Sequence[int]) -> int:
    """How many images of (C, H, W) to compute at once outside training, so that their maps fit in memory."""
    *_, height, width = image_shape
    return max(1, min(MOST_IMAGES, MOST_PLACES // (height * width)))


def suited_output(images: Tensor) -> tuple[str, str]:
    """Which output suits images (N, C, H, W), "sigmoid" for ink and "standardised" for photographs, and why.

    Ink leaves most of the paper blank: images count as ink where at least two fifths of all values are within 5 % of
    black or white, in at most 1,000 of the images. That share is 0.90 for MNIST, 0.58 for scikit-learn's digits and
    0.53 for Fashion-MNIST, but 0.04 for drawn house numbers, 0.06 for FER2013, 0.08 for CelebA and 0.22 for patches
    of scikit-learn's two photographs; ``results/README.md`` has the errors of both outputs on all of these.
    """
    some = as_float(images[:: -(-len(images) // ASKED)])
    share = float(((some < NEARLY) | (some > 1 - NEARLY)).float().mean())
    output, kind = ("sigmoid", "as in ink") if share >= INK else ("standardised", "as in photographs")
    return output, f"{share:.0%} of the training pixels are nearly black or white, {kind}"


def mean_and_std(images: Tensor) -> tuple[Tensor, Tensor]:
    """Every pixel's mean and standard deviation over images (N, C, H, W): two (C, H, W), a chunk in memory at a time.

    The standard deviation is at least 0.02.
    """
    chunks = images.split(chunk_size(images.shape[1:]))
    mean = sum(as_float(chunk).sum(dim=0) for chunk in chunks) / len(images)
    variance = sum((as_float(chunk) - mean).square().sum(dim=0) for chunk in chunks) / len(images)
    return mean, variance.sqrt().clamp_min(LEAST_STD)
