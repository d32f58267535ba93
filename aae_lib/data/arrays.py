"""Images that a reader has as arrays, in memory or in an ``.npz`` file, or as a sequence of pictures."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from .. import checks
from ..checks import DataError
from .pictures import Size, read_pictures

Parts = tuple[Tensor, Tensor | None, tuple[str, ...] | None]  # images (N, C, H, W), labels (N,), class names


def read_npz(path: Path) -> tuple[Parts, Tensor | None]:
    """The images, labels and class names of an ``.npz`` file, and its split (N,); all but images may be None."""
    arrays = npz_arrays(path, ("images", "labels", "class_names", "split"))
    images = _as_images(f"images in {path}", arrays["images"])
    labels, classes, split = arrays.get("labels"), None, arrays.get("split")
    if labels is not None:
        if labels.dtype.kind not in "iu":
            raise DataError(f"labels in {path} must be whole numbers, but they are {labels.dtype}; number the classes.")
        labels = checks.labels(f"labels in {path}", labels.astype(np.int64), len(images))
        classes = _class_names(labels, arrays.get("class_names"))
        if classes is None:
            names, last = np.size(arrays["class_names"]), int(labels.max())
            raise DataError(f"class_names in {path} are {names}, but labels go up to {last}; add names.")
    if split is not None:
        found = np.unique(split).tolist()
        if split.shape != (len(images),) or found != [0, 1, 2]:
            raise DataError(
                f"split in {path} must have shape ({len(images)},) and hold 0 (train), 1 (validation) and 2 (test), "
                f"all three, but it has shape {split.shape} and holds {found[:5]}; correct it or leave it out."
            )
        split = torch.from_numpy(split.astype(np.int64))
    return (images, labels, classes), split


def npz_arrays(path: Path, keys: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Those of the arrays called ``keys`` that an ``.npz`` file has; DataError without the first, or where damaged."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {key: file[key] for key in keys if key in file}
            found = file.files
    except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(
            f"{path} cannot be read as an .npz file, it is truncated, corrupt or holds Python objects ({error}); "
            "write it again with numpy.savez_compressed."
        ) from error
    if keys[0] not in arrays:
        raise DataError(f"{path} has no array named {keys[0]!r}, only {found}; write it again with one.")
    return arrays


def read_memory(source: Any, labels: Any, size: Size | None) -> tuple[Parts, list[str]]:
    """Images, labels and class names of what a reader has in memory, and what there is to say about them.

    ``source``: images as an array or tensor, with ``labels`` (N,) or without; or a sequence of pictures, or of pairs
    (picture, label), such as a torchvision dataset, whose ``classes`` then name the labels. A picture is a PIL image,
    or an array or tensor (H, W), (H, W, C) or (C, H, W), uint8 or in [0, 1]. DataError or TypeError for all else.
    """
    if isinstance(source, np.ndarray | Tensor):
        if size is not None:
            raise ValueError("image_size is for pictures, and name is an array; resize it, or leave image_size out.")
        images = _as_images("images", checks.as_tensor("images", source).detach().cpu().numpy())
        if labels is None:
            return (images, None, None), []
        labels = checks.labels("labels", labels, len(images)).cpu()
        return (images, labels, _class_names(labels)), []
    if labels is not None:
        raise ValueError("labels is for images in an array; a sequence has them in its pairs (picture, label).")
    if not (hasattr(source, "__len__") and hasattr(source, "__getitem__")) or isinstance(source, Mapping | bytes):
        raise TypeError(
            "name must be the name of a dataset, a path, images as an array or tensor, or a sequence of pictures or "
            f"pairs (picture, label) such as a torchvision dataset, but it is {_kind(source)}."
        )
    if len(source) == 0:
        raise DataError(f"name is {_kind(source)} without any picture; at least one is needed.")
    found: list[int | None] = []
    images, said = read_pictures(_opened(source, found), len(source), size)
    if found[0] is None:
        return (images, None, None), said
    labels = checks.labels("the labels", torch.tensor(found), len(images))
    return (images, labels, _class_names(labels, getattr(source, "classes", None)) or _class_names(labels)), said


def _opened(source: Any, labels: list[int | None]) -> Iterator[Image.Image]:
    """The pictures of a sequence, one by one; each one's label, or None, is appended to ``labels``."""
    for index in range(len(source)):
        try:
            item = source[index]
        except Exception as error:  # whatever a reader's own class raises
            raise DataError(f"element {index} cannot be had ({type(error).__name__}: {error}); look at it.") from error
        picture, label = item if isinstance(item, tuple | list) and len(item) == 2 else (item, None)
        labels.append(None if label is None else _as_label(index, label))
        if (labels[0] is None) != (label is None):
            raise DataError(
                f"element {index} has {'no' if label is None else 'a'} label, unlike element 0; give all one."
            )
        yield picture if isinstance(picture, Image.Image) else _as_picture(index, picture)


def _as_label(index: int, label: Any) -> int:
    if isinstance(label, np.ndarray | Tensor | np.generic) and np.ndim(label) == 0:
        label = label.item()
    if not isinstance(label, int):
        raise DataError(
            f"the label of element {index} must be a whole number, but it is {_kind(label)}; "
            "give pairs (picture, label) with the number of the class."
        )
    return int(label)


def _as_picture(index: int, value: Any) -> Image.Image:
    if not isinstance(value, np.ndarray | Tensor) or value.ndim not in (2, 3):
        raise DataError(
            f"element {index} must be a picture, which is a PIL image or an array or tensor of 2 or 3 dimensions, or a "
            f"pair (picture, label), but there is {_kind(value)}; images and labels in two arrays go into "
            "load(images, labels=labels)."
        )
    array = checks.as_tensor(f"picture {index}", value).detach().cpu().numpy()
    image = _as_images(f"picture {index}", array[None])[0].permute(1, 2, 0).numpy()  # (H, W, C)
    return Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image)


def _as_images(argument: str, images: np.ndarray) -> Tensor:
    """Images of any allowed layout and type as uint8 (N, C, H, W)."""
    if images.dtype != np.uint8 and images.dtype.kind != "f":
        raise DataError(
            f"{argument} must be uint8 (0 to 255) or floating point (0 to 1), but they are {images.dtype}; "
            "convert them with .astype('uint8')."
        )
    if images.ndim == 3:
        images = images[:, None]
    elif images.ndim == 4 and images.shape[1] not in (1, 3) and images.shape[3] in (1, 3):
        images = images.transpose(0, 3, 1, 2)
    if images.ndim != 4 or images.shape[1] not in (1, 3):
        raise DataError(
            f"{argument} must have shape (N, H, W), (N, H, W, C) or (N, C, H, W) with C of 1 or 3, "
            f"but it is {images.shape}; reshape them."
        )
    if images.dtype == np.uint8:
        return checks.images(argument, images)
    return (checks.images(argument, images.astype(np.float32)) * 255).round().to(torch.uint8)


def _class_names(labels: Tensor, names: Any = None) -> tuple[str, ...] | None:
    """A name for each label, its number where there are no ``names``; None where these are too few."""
    needed = int(labels.max()) + 1
    names = range(needed) if names is None else np.ravel(names).tolist()
    return tuple(map(str, names)) if len(names) >= needed else None


def _kind(value: Any) -> str:
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"
