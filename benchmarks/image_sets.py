"""Eight sets of images that nobody tuned the library for: what ``defaults`` makes its trials on.

Each gives images to train on and images to judge by, which are validation images throughout: no test image is read.
``pack`` writes what is not drawn or built in as one small ``.npz`` a set, for a machine without a network;
``AAE_PACKED``, the folder that they lie in, comes before the data roots.
"""

from __future__ import annotations

import functools
import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from aae_lib import load
from aae_lib.data import Split, house_numbers
from aae_lib.experiments.running import dataset

JUDGED = 2000  # validation images at most
QUALITY = 85  # of packed JPEGs


@dataclass(frozen=True)
class ImageSet:
    """``read`` gives (train, validation). ``labels``: how many may be seen, as many of each class, 0 where there are
    none; ``clusters``: about two and a half times as many as classes. ``packed``: how many images travel, None where
    the set needs no file of its own. ``photographs``: whether they are packed as JPEGs."""

    read: Callable[[], tuple[Split, Split]]
    labels: int = 0
    clusters: int = 0
    packed: tuple[int, int] | None = None
    photographs: bool = False


def _digits() -> tuple[Split, Split]:
    data = load("digits")
    return data.train, data.validation


def _mnist(count: int | None) -> tuple[Split, Split]:
    data = load("mnist")
    train = data.train if count is None else data.train.take(data.train.balanced_subset(count))
    return train, data.validation


def _stored(name: str) -> tuple[Split, Split]:
    data = dataset(name)
    return data.train, data.validation


def _house_numbers() -> tuple[Split, Split]:
    return Split(*house_numbers.draw(12_000, seed=0)), Split(*house_numbers.draw(JUDGED, seed=1))


SETS = {
    "digits": ImageSet(_digits, labels=100, clusters=25),
    "mnist-600": ImageSet(functools.partial(_mnist, 600), labels=100, clusters=25),
    "mnist": ImageSet(functools.partial(_mnist, None), labels=100, clusters=25),
    "fashion-mnist": ImageSet(
        functools.partial(_stored, "fashion-mnist"), labels=1000, clusters=25, packed=(18_000, JUDGED)
    ),
    "house-numbers": ImageSet(_house_numbers, labels=1000, clusters=25),
    "fer2013": ImageSet(functools.partial(_stored, "fer2013.npz"), labels=350, clusters=17, packed=(5000, 1200)),
    "celeba-1000": ImageSet(functools.partial(_stored, "celeba64"), packed=(1000, 1000), photographs=True),
    "celeba": ImageSet(functools.partial(_stored, "celeba64"), packed=(4000, 1000), photographs=True),
}
FIRST = {"celeba-1000": 1000}  # images of a larger set that are trained on


@functools.cache
def image_set(name: str) -> tuple[Split, Split]:
    """The images to train on and at most 2,000 to judge by: from ``AAE_PACKED`` where they lie there, else read."""
    packed = os.environ.get("AAE_PACKED")
    file = Path(packed) / f"{_source(name)}.npz" if packed else None
    train, validation = _unpack(file) if file and file.is_file() else SETS[name].read()
    if name in FIRST:
        train = _first(train, FIRST[name])
    return train, _first(validation, JUDGED)


def pack(folder: Path) -> None:
    """Write the sets that need files into ``folder``, an ``.npz`` each."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, described in SETS.items():
        if described.packed is None or name in FIRST:
            continue
        arrays: dict[str, np.ndarray] = {}
        for part, split, count in zip(("train", "validation"), described.read(), described.packed, strict=True):
            split = _first(split, count)
            arrays |= _as_jpegs(part, split.images) if described.photographs else {part: split.images.numpy()}
            if split.labels is not None:
                arrays[f"{part}_labels"] = split.labels.numpy().astype(np.uint8)
        np.savez_compressed(folder / f"{name}.npz", **arrays)


def _source(name: str) -> str:
    """The set whose file holds the images of ``name``."""
    return name.removesuffix("-1000")


def _first(split: Split, count: int) -> Split:
    return split.take(torch.arange(min(count, len(split))))


def _as_jpegs(part: str, images: Tensor) -> dict[str, np.ndarray]:
    """Images (N, 3, H, W) as the bytes of one JPEG after the other, and where each ends."""
    files = []
    for image in images:
        file = io.BytesIO()
        Image.fromarray(image.permute(1, 2, 0).numpy()).save(file, "JPEG", quality=QUALITY)
        files.append(file.getvalue())
    ends = np.cumsum([len(file) for file in files])
    return {f"{part}_jpegs": np.frombuffer(b"".join(files), np.uint8), f"{part}_ends": ends}


def _from_jpegs(content: np.ndarray, ends: np.ndarray) -> np.ndarray:
    starts = [0, *ends[:-1]]
    files = (io.BytesIO(content[start:end].tobytes()) for start, end in zip(starts, ends, strict=True))
    return np.stack([np.asarray(Image.open(file)) for file in files]).transpose(0, 3, 1, 2).copy()


def _unpack(file: Path) -> tuple[Split, Split]:
    with np.load(file) as arrays:
        splits = []
        for part in ("train", "validation"):
            jpegs = f"{part}_jpegs" in arrays
            images = _from_jpegs(arrays[f"{part}_jpegs"], arrays[f"{part}_ends"]) if jpegs else arrays[part]
            labels = arrays[f"{part}_labels"].astype(np.int64) if f"{part}_labels" in arrays else None
            splits.append(Split(torch.from_numpy(images), None if labels is None else torch.from_numpy(labels)))
    return splits[0], splits[1]
