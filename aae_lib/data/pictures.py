"""Pictures of any kind and size as uint8 arrays of one shape: what a reader's own files and sequences go through.

A picture comes upright, as its EXIF tag says; what is transparent stands on white paper; of an animation the first
frame counts; 16 bits become 8, palettes and CMYK RGB. Where all pictures are grey, however they were saved, so are the
images; else all are RGB.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.pool import ThreadPool
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor
from tqdm.auto import tqdm

from ..checks import DataError

Size = tuple[int, int]  # (width, height), as Pillow has it

SMALL = 128  # pixels of the shorter side up to which pictures of one size are left as they are
LARGEST = 64  # pixels of the shorter side that all others get, unless a reader asks for more
ORIENTATION = 0x0112  # the EXIF tag that says how a camera was held
WORKERS = min(4, os.cpu_count() or 1)  # threads that decode: Pillow lets them run beside each other
SHOWN = 3  # broken files that a sentence names


def read_files(files: Sequence[Path], size: Size | None = None) -> tuple[Tensor, np.ndarray, list[str]]:
    """Picture files as images uint8 (N, C, H, W), which files they are (N,), and what there is to say about them.

    Pictures that share one size keep it where the shorter side is at most 128, and are shrunk to 64 on that side
    otherwise. Others are cut to centred squares, of the median shorter side, at most 64. With ``size`` all are scaled
    and cut to it. Files that cannot be read are left out, which is said; DataError where none can.
    """
    Image.init()  # before threads would do it side by side
    looks = list(_each(_look, files, "looking at pictures"))
    reasons = {index: look for index, look in enumerate(looks) if isinstance(look, str)}
    good = [index for index in range(len(files)) if index not in reasons]
    _refuse_if_none(good, files, reasons)
    size, said = _common_size([looks[index][0] for index in good], size)
    grey = all(looks[index][1] for index in good)
    images = np.empty((len(good), 1 if grey else 3, size[1], size[0]), dtype=np.uint8)

    def read(row: int) -> str | None:
        with Image.open(files[good[row]]) as picture:
            picture.draft(None, (2 * max(size), 2 * max(size)))  # large photographs need not be decoded in full
            images[row] = pixels(picture, size, grey)

    for row, reason in enumerate(_each(read, range(len(good)), "reading pictures")):
        if reason is not None:
            reasons[good[row]] = reason
    whole = [row for row, index in enumerate(good) if index not in reasons]
    _refuse_if_none(whole, files, reasons)
    if len(whole) < len(good):
        images = images[whole]
    if reasons:
        said.append(_left_out(files, reasons))
    return _as_images(images), np.array(good)[whole], said


def read_pictures(pictures: Iterable[Image.Image], count: int, size: Size | None = None) -> tuple[Tensor, list[str]]:
    """``count`` open pictures as images uint8 (N, C, H, W), and what there is to say about them.

    Without ``size`` they must share one, and it is kept as ``read_files`` does; DataError where they do not.
    """
    images, first, said = np.empty(0, dtype=np.uint8), (0, 0), []
    for index, picture in enumerate(tqdm(pictures, total=count, desc="reading pictures", delay=1, leave=False)):
        with _named(index):
            found, grey = upright_size(picture), is_grey(picture)
        if index == 0:
            first, wanted = found, size
            size, said = _common_size([found], size)
            images = np.empty((count, 1 if grey else 3, size[1], size[0]), dtype=np.uint8)
        elif wanted is None and found != first:
            raise DataError(
                f"the pictures have several sizes, picture 0 has {_shown(first)} and picture {index} {_shown(found)} "
                "pixels (width x height); give image_size=(height, width), to which all are then scaled and cut."
            )
        if not grey and images.shape[1] == 1:
            images = images.repeat(3, axis=1)
        with _named(index):
            images[index] = pixels(picture, size, images.shape[1] == 1)
    return _as_images(images), said


@contextmanager
def _named(index: int) -> Iterator[None]:
    """DataError that names the picture where Pillow cannot read it."""
    try:
        yield
    except (ValueError, OSError, SyntaxError) as error:
        raise DataError(f"picture {index} cannot be read ({error}); repair it or leave it out.") from error


def pixels(picture: Image.Image, size: Size, grey: bool) -> np.ndarray:
    """A picture, upright and on white paper, scaled and cut to ``size``: uint8 (1, H, W) or (3, H, W)."""
    deep = _has_16_bits(picture)
    picture = ImageOps.exif_transpose(picture)
    if deep:
        picture = Image.fromarray((np.asarray(picture) / 257).round().astype(np.uint8))  # 65,535 becomes 255
    if picture.has_transparency_data:
        paper = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(paper, picture.convert("RGBA"))
    fitted = np.asarray(ImageOps.fit(picture.convert("L" if grey else "RGB"), size))  # (H, W) or (H, W, 3)
    return fitted.reshape(size[1], size[0], 1 if grey else 3).transpose(2, 0, 1)


def upright_size(picture: Image.Image) -> Size:
    """(width, height) once the camera's turn is undone."""
    # in a PNG what comes after the pixels is left unread: to look for a tag there would decode them all
    tags = picture.getexif() if picture.format != "PNG" or "exif" in picture.info else {}
    if tags.get(ORIENTATION, 1) < 5:
        return picture.size
    return ImageOps.exif_transpose(picture).size if picture.format == "TIFF" else picture.size[::-1]


def is_grey(picture: Image.Image) -> bool:
    """Whether it has a single channel by its kind, so that colours need not be decoded."""
    return picture.mode in ("1", "L", "LA") or _has_16_bits(picture)


def _has_16_bits(picture: Image.Image) -> bool:
    """Whether it is grey with 16 bits; ValueError for kinds of more, which do not say what is black and white."""
    if picture.mode.startswith("I;16") or (picture.mode == "I" and picture.format in ("PNG", "PPM")):
        return True
    if picture.mode[0] in "IF":
        raise ValueError(f"it has 32 bits a pixel, mode {picture.mode}, and does not say which are black and white")
    return False


def _as_images(pixels: np.ndarray) -> Tensor:
    """Pixels (N, C, H, W) as a tensor, with one channel where all three are alike in every picture."""
    chunks = np.array_split(pixels, 1 + len(pixels) // 1000)
    if pixels.shape[1] == 3 and all((chunk == chunk[:, :1]).all() for chunk in chunks):
        pixels = pixels[:, :1].copy()
    return torch.from_numpy(pixels)


def _look(file: Path) -> tuple[Size, bool]:
    with Image.open(file) as picture:
        return upright_size(picture), is_grey(picture)


def _each(work: Callable, items: Sequence, what: str) -> Iterator:
    """``work`` of every item, in order, by several threads; where it fails, the reason as a string."""

    def attempt(item):
        try:
            return work(item)
        except MemoryError:
            raise
        except Exception as error:  # what a damaged file makes a decoder stumble over may be anything
            return _reason(error)

    with ThreadPool(WORKERS) as pool:
        results = pool.imap(attempt, items, chunksize=16)
        yield from tqdm(results, total=len(items), desc=what, delay=1, leave=False)


def _reason(error: Exception) -> str:
    """Why a file cannot be read, without its name."""
    if isinstance(error, UnidentifiedImageError):
        return "it is no picture, or of a kind that Pillow does not know"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _common_size(sizes: list[Size], wanted: Size | None) -> tuple[Size, list[str]]:
    """(width, height) for pictures of these sizes, and a line where that changes them unasked."""
    if wanted is not None:
        return wanted, []
    if len(set(sizes)) > 1:
        side = min(LARGEST, int(np.median([min(size) for size in sizes])))
        smallest, largest = (pick(sizes, key=lambda size: size[0] * size[1]) for pick in (min, max))
        return (side, side), [
            f"The pictures have {len(set(sizes))} sizes, from {_shown(smallest)} to {_shown(largest)} pixels (width x "
            f"height): each is cut to its centred square and scaled to {side}x{side}; image_size=(height, width) "
            "asks for another shape."
        ]
    width, height = sizes[0]
    if min(width, height) <= SMALL:
        return (width, height), []
    shrink = LARGEST / min(width, height)
    shrunk = (round(shrink * width), round(shrink * height))
    return shrunk, [
        f"The pictures of {_shown(sizes[0])} pixels (width x height) are scaled to {_shown(shrunk)}; "
        "image_size=(height, width) asks for another size."
    ]


def _refuse_if_none(good: list[int], files: Sequence[Path], reasons: dict[int, str]) -> None:
    if not good:
        index = min(reasons)
        others = f", nor can the {len(files) - 1} others" if len(files) > 1 else ""
        raise DataError(
            f"{files[index]} cannot be read as a picture ({reasons[index]}){others}; save them as PNG, for example."
        )


def _left_out(files: Sequence[Path], reasons: dict[int, str]) -> str:
    named = ", ".join(f"{files[index]} ({reasons[index]})" for index in sorted(reasons)[:SHOWN])
    more = f" and {len(reasons) - SHOWN:,} more" if len(reasons) > SHOWN else ""
    return (
        f"{len(reasons):,} of {len(files):,} files cannot be read as pictures and are left out: {named}{more}; "
        "repair or remove them."
    )


def _shown(size: Size) -> str:
    return f"{size[0]}x{size[1]}"
