"""Pixels: uint8 from 0 to 255 where images are stored, floats where they are computed with."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

LEAST_STD = 0.02  # five grey levels of 255: a pixel that is nearly constant must not outweigh all others
MOST_IMAGES = 2000  # computed at once outside training: enough to fill a machine
MOST_PLACES = MOST_IMAGES * 28 * 28  # pixels' places at once: a map of 64 channels over these takes 400 MB


def as_float(images: Tensor) -> Tensor:
    """Pixels in [0, 1] as float32; uint8 is divided by 255."""
    return images.float().div_(255) if images.dtype == torch.uint8 else images.float()


def chunk_size(image_shape: Sequence[int]) -> int:
    """How many images of (C, H, W) to compute at once outside training, so that their maps fit in memory."""
    *_, height, width = image_shape
    return max(1, min(MOST_IMAGES, MOST_PLACES // (height * width)))


def mean_and_std(images: Tensor) -> tuple[Tensor, Tensor]:
    """Every pixel's mean and standard deviation over images (N, C, H, W): two (C, H, W), a chunk in memory at a time.

    The standard deviation is at least 0.02.
    """
    chunks = images.split(chunk_size(images.shape[1:]))
    mean = sum(as_float(chunk).sum(dim=0) for chunk in chunks) / len(images)
    variance = sum((as_float(chunk) - mean).square().sum(dim=0) for chunk in chunks) / len(images)
    return mean, variance.sqrt().clamp_min(LEAST_STD)
