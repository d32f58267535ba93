"""Synthetic house numbers: colour digits drawn in the manner of SVHN, offline and in seconds.

A stand-in for the Street View House Numbers (Netzer et al. 2011) where those cannot be had: 32x32 crops centred on one
digit, whose neighbours in the same number look in from the left and the right. No photograph is involved.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from torch.nn import functional as F

from .. import checks

SIDE = 32  # pixels of a picture
CANVAS = 40  # pixels of the square a glyph is drawn on
GLYPH = 28  # height of a digit on that canvas
CHUNK = 2000  # pictures composed at once; bounds the memory
# They ship inside matplotlib, so they are there on every machine the course runs on.
FONTS = (
    "DejaVuSans",
    "DejaVuSans-Bold",
    "DejaVuSans-BoldOblique",
    "DejaVuSerif-Bold",
    "DejaVuSerif-Italic",
    "STIXGeneral",
    "STIXGeneralBol",
    "cmss10",
    "cmb10",
)


def draw(count: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """``count`` pictures, uint8 (N, 3, 32, 32), and their digits, int64 (N,), in random order.

    Each digit comes equally often (where ``count`` is no multiple of 10: but for one). Same seed, same pictures.
    """
    count = checks.positive_integer("count", count)
    generator = torch.Generator().manual_seed(seed)
    digits = (torch.arange(count) % 10)[torch.randperm(count, generator=generator)]
    return torch.cat([_compose(chunk, generator) for chunk in digits.split(CHUNK)]), digits


@cache
def _glyphs() -> tuple[Tensor, Tensor]:
    """Every digit in every font: how much ink, (fonts, 10, CANVAS, CANVAS) in [0, 1], and its width in pixels."""
    import matplotlib  # here and not above, so that the library imports without it: only its fonts are wanted

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    masks = np.zeros((len(FONTS), 10, CANVAS, CANVAS), dtype=np.float32)
    widths = np.zeros((len(FONTS), 10), dtype=np.float32)
    for font_index, name in enumerate(FONTS):
        top, bottom = ImageFont.truetype(folder / f"{name}.ttf", 100).getbbox("0")[1::2]
        font = ImageFont.truetype(folder / f"{name}.ttf", 100 * GLYPH / (bottom - top))
        for digit in range(10):
            picture = Image.new("L", (CANVAS, CANVAS))
            left, top, right, bottom = font.getbbox(str(digit))
            corner = ((CANVAS - left - right) / 2, (CANVAS - top - bottom) / 2)
            ImageDraw.Draw(picture).text(corner, str(digit), font=font, fill=255)
            masks[font_index, digit] = np.asarray(picture) / 255
            widths[font_index, digit] = right - left
    return torch.from_numpy(masks), torch.from_numpy(widths)


def _compose(digits: Tensor, generator: torch.Generator) -> Tensor:
    """Pictures of ``digits`` (N,), uint8 (N, 3, SIDE, SIDE)."""
    count = len(digits)

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(count, *shape, generator=generator)

    def chance(probability: float) -> Tensor:  # (N, 1, 1, 1), 1 with this probability
        return (torch.rand(count, 1, 1, 1, generator=generator) < probability).float()

    ink, shadow = _ink(digits, uniform, chance)  # (N, 1, SIDE, SIDE) each
    background, foreground = _colours(uniform)  # (N, 3, 1, 1) each
    # Walls are not flat: coarse blotches and a light that falls off in one direction.
    blotches = F.interpolate(uniform(-1, 1, 1, 5, 5), size=SIDE, mode="bicubic")
    wall = background + uniform(0, 0.08, 1, 1, 1) * blotches
    wall = wall * (1 - uniform(0, 0.6, 1, 1, 1) * chance(0.3) * shadow)
    picture = torch.lerp(wall, foreground, ink)  # (N, 3, SIDE, SIDE)
    ramp = torch.linspace(-1, 1, SIDE)
    angle = uniform(0, 2 * torch.pi, 1, 1, 1)
    light = angle.cos() * ramp + angle.sin() * ramp[:, None]  # (N, 1, SIDE, SIDE)
    picture = picture * (1 + uniform(0, 0.25, 1, 1, 1) * light)
    picture = picture + uniform(0, 0.04, 1, 1, 1) * torch.randn(picture.shape, generator=generator)
    # Crops of distant houses were enlarged to 32x32, so most are soft and some are very soft, their grain included.
    soft = F.interpolate(F.avg_pool2d(picture, 2), size=SIDE, mode="bilinear")
    softer = F.interpolate(F.avg_pool2d(picture, 4), size=SIDE, mode="bicubic")
    picture = torch.lerp(picture, soft, uniform(0.2, 1, 1, 1, 1))
    picture = torch.lerp(picture, softer, 0.7 * chance(0.15))
    return (picture.clamp(0, 1) * 255).round().to(torch.uint8)


def _ink(digits: Tensor, uniform, chance) -> tuple[Tensor, Tensor]:
    """Where the digits and their neighbours cover the wall, and where their shadow falls; (N, 1, SIDE, SIDE) each."""
    masks, widths = _glyphs()
    count = len(digits)
    font = uniform(0, len(FONTS)).long()
    neighbours = [uniform(0, 10).long(), uniform(0, 10).long()]
    angle, shear = uniform(-0.2, 0.2), uniform(-0.25, 0.25)
    height, stretch = uniform(20, 31), uniform(0.75, 1.15)  # of a digit in the picture: pixels, width to height
    zoom = GLYPH / height  # canvas pixels per picture pixel
    # (N, 2, 2): picture coordinates to canvas coordinates, both in pixels from the centre
    turn = torch.stack([angle.cos(), angle.sin(), -angle.sin(), angle.cos()], dim=-1).view(count, 2, 2)
    slant = torch.stack([1 / stretch, shear, torch.zeros(count), torch.ones(count)], dim=-1).view(count, 2, 2)
    pixels = torch.stack(torch.meshgrid(*[torch.arange(SIDE) - (SIDE - 1) / 2] * 2, indexing="xy"), dim=-1)
    shift = uniform(-2, 2, 1, 1, 2)
    grid = torch.einsum("nij,nhwj->nhwi", zoom.view(-1, 1, 1) * slant @ turn, pixels - shift)  # (N, SIDE, SIDE, 2)

    def sample(digit: Tensor, dx: Tensor, dy: Tensor | float = 0.0) -> Tensor:
        offset = torch.stack([dx, torch.as_tensor(dy).expand(count)], dim=-1).view(count, 1, 1, 2)
        return F.grid_sample(
            masks[font, digit, None], (grid - offset) * 2 / CANVAS, padding_mode="zeros", align_corners=False
        )

    ink = sample(digits, torch.zeros(count))
    shadow = sample(digits, uniform(-3, 3), uniform(1, 3))
    for side, neighbour in zip((-1, 1), neighbours, strict=True):
        distance = (widths[font, digits] + widths[font, neighbour]) / 2 + uniform(1, 7)
        ink = torch.maximum(ink, sample(neighbour, side * distance) * chance(0.6))
    return ink, shadow


def _colours(uniform) -> tuple[Tensor, Tensor]:
    """A colour for the wall and one for the digits that stands out from it, (N, 3, 1, 1) each in [0, 1]."""
    wall_grey = uniform(0.15, 0.85, 1, 1, 1)
    contrast = uniform(0.2, 0.65, 1, 1, 1)
    brighter = (uniform(0, 1, 1, 1, 1) < 1 - wall_grey).float()  # there is more room above a dark wall
    digit_grey = (wall_grey + (2 * brighter - 1) * contrast).clamp(0.02, 0.98)
    # Brick, sand and brass to slate and blue paint, rarely anything green or purple: warm against cool first of all.
    warm = uniform(-0.08, 0.14, 2, 1, 1, 1) * torch.tensor([1.0, 0.1, -1.0]).view(3, 1, 1)
    tint = warm + uniform(-0.04, 0.04, 2, 3, 1, 1)  # (N, 2, 3, 1, 1)
    return wall_grey + tint[:, 0], digit_grey + tint[:, 1]
