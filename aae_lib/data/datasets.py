"""Images and labels as tensors in memory, and where they come from.

``load(name)`` gives a ``Dataset`` of three ``Split``s. A public set is read from the first data root that holds it, and
downloaded into the first root where none does; ``digits`` and ``house-numbers`` need neither disk nor network.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .. import checks
from ..checks import DataError, StorageError
from . import house_numbers
from .arrays import Parts, read_memory, read_npz
from .downloads import PUBLIC, Unavailable, locate
from .folders import read_folder

DIGITS = tuple("0123456789")
BUILT_IN = ("digits", "house-numbers")


@dataclass(frozen=True, eq=False, repr=False)
class Split:
    """One part of a dataset: ``images`` uint8 (N, C, H, W) and, where there are any, ``labels`` int64 (N,)."""

    images: Tensor
    labels: Tensor | None = None

    def __len__(self) -> int:
        return len(self.images)

    def __repr__(self) -> str:
        shape = "x".join(map(str, self.images.shape[1:]))
        return f"Split({len(self):,} images {shape}, {'no labels' if self.labels is None else 'with labels'})"

    def take(self, indices: Tensor) -> Split:
        """The images and labels at ``indices``, in that order."""
        indices = torch.as_tensor(indices)
        return Split(self.images[indices], None if self.labels is None else self.labels[indices])

    def balanced_subset(self, count: int, seed: int = 0) -> Tensor:
        """Indices, int64 (``count``,), of images of which each class has equally many; same seed, same indices.

        With one seed, a smaller subset is part of every larger one. ValueError where there are no labels, ``count`` is
        no multiple of the number of classes, or a class has too few images.
        """
        count = checks.positive_integer("count", count)
        labels = checks.labels("labels", self.labels, len(self)).numpy()
        classes = np.unique(labels)
        each, rest = divmod(count, len(classes))
        if rest:
            raise ValueError(f"count is {count}, which {len(classes)} classes cannot share evenly; give a multiple.")
        draws = np.random.RandomState(checks.seed("seed", seed))  # whose numbers NumPy promises never to change
        chosen = []
        for label in classes:
            members = draws.permutation(np.flatnonzero(labels == label))
            if len(members) < each:
                raise ValueError(
                    f"count is {count}, so {each} images of every class, but class {label} has {len(members)}; "
                    "ask for fewer."
                )
            chosen.append(members[:each])
        return torch.from_numpy(np.sort(np.concatenate(chosen)))


@dataclass(frozen=True, eq=False)
class Dataset:
    """Three splits that share no image. ``classes[k]`` names label k; ``classes`` is None where there are no labels."""

    name: str
    train: Split
    validation: Split
    test: Split
    classes: tuple[str, ...] | None = None

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(C, H, W) of every image."""
        return tuple(self.train.images.shape[1:])


def load(
    name: Any,
    *,
    labels: Any = None,
    root: str | os.PathLike | None = None,
    fallback: str | None = None,
    seed: int = 0,
    image_size: int | tuple[int, int] | None = None,
) -> Dataset:
    """A dataset, whole, in memory.

    ``name`` is ``"mnist"`` or ``"fashion-mnist"`` (50,000 train, 10,000 validation: the last of the training file,
    10,000 test); ``"svhn"`` (a tenth of the training file validates); ``"digits"`` (scikit-learn's 1,797 digits of 8x8,
    divided 70 / 15 / 15 %); ``"house-numbers"`` (synthetic, 20,000 / 2,000 / 4,000); or the reader's own pictures,
    divided 80 / 10 / 10 % unless they say otherwise:

    - the path of a folder of pictures, in which sub-folders are classes (see ``folders.read_folder``). Those that share
      one size keep it up to 128 pixels of the shorter side, and are shrunk to 64 beyond; others are cut to centred
      squares of the median shorter side, at most 64, which a warning says. ``image_size``: the side of squares, or
      (height, width), to which all are scaled and cut instead. A warning names files that cannot be read;
    - the path of an ``.npz`` file with ``images`` (N, H, W), (N, H, W, C) or (N, C, H, W) with C of 1 or 3, uint8 or
      floating point in [0, 1], and optionally ``labels`` (N,), ``class_names``, ``split`` (N,) of 0 train,
      1 validation, 2 test;
    - images as an array or tensor of these forms, with ``labels`` (N,) or without;
    - a sequence of pictures, or of pairs (picture, label), such as a torchvision dataset (see ``arrays.read_memory``).

    ``root``: where public sets are looked for first, then ``$AAE_DATA``, then the project's ``data/``.
    ``fallback``: a built-in set to return, with a warning, where a public set cannot be had.
    ``seed``: of every random division, and of the drawn house numbers.

    Raises ValueError for an unknown name, TypeError for what is no source of pictures, and DataError (a ValueError) for
    data that cannot be had or read.
    """
    size = None if image_size is None else _width_and_height(image_size)
    if not isinstance(name, str | os.PathLike):
        parts, said = read_memory(name, labels, size)
        plain = isinstance(name, list | tuple | np.ndarray | Tensor)
        return _own("pictures" if plain else type(name).__name__, parts, said, seed)
    if labels is not None:
        raise ValueError(f"labels is for images in an array, but name is {str(name)!r}; leave it out.")
    path = Path(name).expanduser()
    if fallback is not None:
        checks.one_of("fallback", fallback, BUILT_IN)
    if size is not None and (name in PUBLIC or name in BUILT_IN or path.is_file()):
        raise ValueError(f"image_size is for folders of pictures, and {str(name)!r} is none; leave it out.")
    if name == "digits":
        return _digits(seed)
    if name == "house-numbers":
        # Three seeds for each seed, so that no split repeats another's pictures.
        parts = [Split(*house_numbers.draw(n, 3 * seed + i)) for i, n in enumerate((20_000, 2_000, 4_000))]
        return Dataset("house-numbers (synthetic)", *parts, classes=DIGITS)
    if name in PUBLIC:
        try:
            files = locate(name, root)
        except (Unavailable, StorageError) as error:
            if fallback is None:
                raise
            warnings.warn(f"This is {fallback!r} INSTEAD OF {name!r}, so numbers differ: {error}", stacklevel=2)
            return load(fallback, seed=seed)
        return _svhn(files, seed) if name == "svhn" else _mnist(name, files)
    if name and path.is_dir():
        parts, said = read_folder(path, size)
        return _own(path.resolve().name, parts, said, seed)
    if path.is_file():
        parts, split = read_npz(path)
        return _own(path.stem, parts, [], seed, split)
    if isinstance(name, os.PathLike) or path.suffix or len(path.parts) > 1:
        raise DataError(f"name is {str(name)!r}, but there is no such file or folder (seen from {Path.cwd()}).")
    checks.one_of("name (a dataset, or the path of a folder or .npz file)", name, (*PUBLIC, *BUILT_IN))


def _own(name: str, parts: Parts, said: list[str], seed: int, split: Tensor | None = None) -> Dataset:
    """A reader's own images, labels and class names as a dataset, divided by ``split`` (N,) or at random."""
    for sentence in said:
        warnings.warn(sentence, stacklevel=3)
    images, labels, classes = parts
    everything = Split(images, labels)
    if split is None:
        return Dataset(name, *_divide(everything, (0.1, 0.1), seed), classes=classes)
    return Dataset(name, *[everything.take(split == k) for k in range(3)], classes=classes)


def _width_and_height(image_size: object) -> tuple[int, int]:
    """(width, height) of ``image_size``: the side of a square, or (height, width)."""
    if not isinstance(image_size, tuple | list):
        side = checks.positive_integer("image_size", image_size)
        return side, side
    sides = checks.positive_integers("image_size", image_size)
    if len(sides) != 2:
        raise ValueError(f"image_size must be a side or (height, width), but it is {image_size}; give (64, 64) or 64.")
    return sides[1], sides[0]


def _digits(seed: int) -> Dataset:
    from sklearn.datasets import load_digits  # here, because it takes a second to import

    digits = load_digits()
    images = torch.from_numpy(digits.images * 255 / 16).round().to(torch.uint8)[:, None]  # (N, 1, 8, 8)
    labels = torch.from_numpy(digits.target).long()
    return Dataset("digits", *_divide(Split(images, labels), (0.15, 0.15), seed), classes=DIGITS)


def _divide(everything: Split, shares: tuple[float, ...], seed: int) -> list[Split]:
    """The rest first, then one split for each of ``shares``; drawn at random, each class in its overall proportion."""
    count = len(everything)
    if count <= len(shares):
        raise DataError(f"there are {count} images, too few for {len(shares) + 1} splits; add some.")
    order = np.random.RandomState(seed).permutation(count)
    if everything.labels is not None:
        # Each class is spread evenly over [0, 1]; any stretch of that order then holds all classes in proportion.
        labels = everything.labels.numpy()[order]
        position = np.empty(count)
        for label in np.unique(labels):
            members = np.flatnonzero(labels == label)
            position[members] = (np.arange(len(members)) + 0.5) / len(members)
        order = order[np.argsort(position, kind="stable")]
    held_out = [max(1, round(count * share)) for share in shares]
    return [everything.take(part) for part in torch.from_numpy(order).split([count - sum(held_out), *held_out])]


def _svhn(files: list[Path], seed: int) -> Dataset:
    from torchvision.datasets import SVHN  # here, because it takes a second to import

    splits = []
    for file, part in zip(files, ("train", "test"), strict=True):
        raw = _read(file, lambda path, part=part: SVHN(path.parent, split=part))  # checks the MD5 sum
        splits.append(Split(torch.from_numpy(raw.data).contiguous(), torch.from_numpy(raw.labels)))
    train, test = splits
    return Dataset("svhn", *_divide(train, (0.1,), seed), test, classes=DIGITS)


def _mnist(name: str, files: list[Path]) -> Dataset:
    from torchvision import datasets

    readers = [datasets.mnist.read_image_file, datasets.mnist.read_label_file] * 2
    images, labels, test_images, test_labels = map(_read, files, readers)
    for label_file, x, y in ((files[1], images, labels), (files[3], test_images, test_labels)):
        if len(x) != len(y) or y.max() > 9:
            raise DataError(f"{label_file} is corrupt, it does not fit its images; delete it and load again.")
    images, test_images = images[:, None], test_images[:, None]  # (N, 1, 28, 28)
    first = len(images) - len(images) // 6  # 50,000 of 60,000: by custom the last 10,000 validate
    return Dataset(
        name,
        Split(images[:first], labels[:first]),
        Split(images[first:], labels[first:]),
        Split(test_images, test_labels),
        classes=DIGITS if name == "mnist" else tuple(datasets.FashionMNIST.classes),
    )


def _read(path: Path, reader: Callable):
    """What ``reader`` makes of the file at ``path``; DataError naming the file where it fails."""
    try:
        return reader(path)
    except (OSError, RuntimeError, ValueError, TypeError, LookupError, AssertionError) as error:
        raise DataError(f"{path} is corrupt or truncated; delete it and load again.") from error
