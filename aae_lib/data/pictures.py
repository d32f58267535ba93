"""A reader's own pictures: a folder of image files, or an ``.npz`` file of arrays."""

from __future__ import annotations

import contextlib
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor
from tqdm.auto import tqdm

from .. import checks
from ..checks import DataError

LARGEST = 64  # pixels of the shorter side, unless a reader asks for more
ORIENTATION = 0x0112  # the EXIF tag that says how a camera was held


def read_folder(path: Path, side: int | None = None) -> tuple[Tensor, Tensor | None, tuple[str, ...] | None]:
    """Images (N, C, H, W), labels (N,) and class names of the pictures in a folder.

    Pictures that share one size keep its shape, the shorter side being at most 64. Others are cut to centred squares
    of ``side`` pixels, by default the median shorter side, at most 64; so are all where ``side`` is given. They are
    grey where all are grey, RGB otherwise. Where no picture lies in the folder itself, each of its sub-folders is a
    class, as for torchvision's ImageFolder; otherwise labels and names are None. Hidden files are left out.
    """
    files, labels, classes = _picture_files(path, "*"), None, None
    if not files:
        folders = sorted(folder for folder in path.iterdir() if folder.is_dir() and not folder.name.startswith("."))
        members = {folder.name: found for folder in folders if (found := _picture_files(folder, "**/*"))}
        classes = tuple(members)
        files = [file for found in members.values() for file in found]
        labels = torch.tensor([label for label, found in enumerate(members.values()) for _ in found])
    if not files:
        raise DataError(f"the folder {path} holds no pictures, neither directly nor in sub-folders; add some.")
    return _read_pictures(files, side), labels, classes


def read_npz(path: Path) -> tuple[Tensor, Tensor | None, tuple[str, ...] | None, Tensor | None]:
    """Images (N, C, H, W), labels (N,), class names and split (N,) of an ``.npz`` file; all but images may be None."""
    arrays = _npz_arrays(path)
    images = _npz_images(path, arrays["images"])
    labels, classes, split = arrays.get("labels"), None, arrays.get("split")
    if labels is not None:
        if labels.dtype.kind not in "iu":
            raise DataError(f"labels in {path} must be whole numbers, but they are {labels.dtype}; number the classes.")
        labels = checks.labels(f"labels in {path}", labels.astype(np.int64), len(images))
        needed = int(labels.max()) + 1
        classes = tuple(map(str, arrays.get("class_names", np.arange(needed)).astype(str).ravel()))
        if len(classes) < needed:
            raise DataError(f"class_names in {path} are {len(classes)}, but labels go up to {needed - 1}; add names.")
    if split is not None:
        found = np.unique(split).tolist()
        if split.shape != (len(images),) or found != [0, 1, 2]:
            raise DataError(
                f"split in {path} must have shape ({len(images)},) and hold 0 (train), 1 (validation) and 2 (test), "
                f"all three, but it has shape {split.shape} and holds {found[:5]}; correct it or leave it out."
            )
        split = torch.from_numpy(split.astype(np.int64))
    return images, labels, classes, split


def _picture_files(folder: Path, pattern: str) -> list[Path]:
    from torchvision.datasets.folder import IMG_EXTENSIONS  # here, because it takes a second to import

    def visible(file: Path) -> bool:  # Jupyter keeps copies in .ipynb_checkpoints
        return not any(part.startswith(".") for part in file.relative_to(folder).parts)

    return sorted(file for file in folder.glob(pattern) if file.suffix.lower() in IMG_EXTENSIONS and visible(file))


def _read_pictures(files: list[Path], side: int | None) -> Tensor:
    """Pictures of one size, uint8 (N, C, H, W), as ``read_folder`` says; grey where all are grey, RGB otherwise."""
    sizes, grey = [], True
    for file in files:
        with _opened(file) as picture:
            turned = picture.getexif().get(ORIENTATION, 1) >= 5  # a camera that was held upright
            sizes.append(picture.size[::-1] if turned else picture.size)
            grey = grey and picture.mode in ("1", "L", "LA")
    size = _common_size(sizes) if side is None else (side, side)  # (width, height)
    pictures = np.empty((len(files), size[1], size[0], 1 if grey else 3), dtype=np.uint8)
    for index, file in enumerate(tqdm(files, desc="reading pictures", delay=1, leave=False)):
        with _opened(file) as picture:
            picture.draft(None, (2 * max(size), 2 * max(size)))  # large photographs need not be decoded in full
            upright = ImageOps.exif_transpose(picture).convert("L" if grey else "RGB")
            pictures[index] = np.asarray(ImageOps.fit(upright, size)).reshape(*pictures.shape[1:])
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous()


def _common_size(sizes: list[tuple[int, int]]) -> tuple[int, int]:
    """(width, height) for pictures of these sizes: theirs where they share one, else a square; at most 64 on a side."""
    if len(set(sizes)) > 1:
        return 2 * (min(LARGEST, int(np.median([min(size) for size in sizes]))),)
    shrink = min(1.0, LARGEST / min(sizes[0]))
    return tuple(round(shrink * length) for length in sizes[0])


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[Image.Image]:
    try:
        with Image.open(file) as picture:
            if picture.mode[0] in "IF":
                raise ValueError("it has more than 8 bits per channel")
            yield picture
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(f"{file} cannot be read as a picture ({error}); repair or remove it.") from error


def _npz_arrays(path: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {key: file[key] for key in ("images", "labels", "class_names", "split") if key in file}
            found = file.files
    except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(
            f"{path} cannot be read as an .npz file, it is truncated, corrupt or holds Python objects ({error}); "
            "write it again with numpy.savez_compressed."
        ) from error
    if "images" not in arrays:
        raise DataError(f"{path} has no array named 'images', only {found}; write it again with one.")
    return arrays


def _npz_images(path: Path, images: np.ndarray) -> Tensor:
    """Images of any allowed layout and type as uint8 (N, C, H, W)."""
    if images.dtype != np.uint8 and images.dtype.kind != "f":
        raise DataError(
            f"images in {path} must be uint8 (0 to 255) or floating point (0 to 1), but they are {images.dtype}; "
            "convert them with .astype('uint8')."
        )
    if images.ndim == 3:
        images = images[:, None]
    elif images.ndim == 4 and images.shape[1] not in (1, 3) and images.shape[3] in (1, 3):
        images = images.transpose(0, 3, 1, 2)
    if images.ndim != 4 or images.shape[1] not in (1, 3):
        raise DataError(
            f"images in {path} must have shape (N, H, W), (N, H, W, C) or (N, C, H, W) with C of 1 or 3, "
            f"but it is {images.shape}; reshape them."
        )
    if images.dtype == np.uint8:
        return checks.images(f"images in {path}", images)
    return (checks.images(f"images in {path}", images.astype(np.float32)) * 255).round().to(torch.uint8)
