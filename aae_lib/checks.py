"""Refusals. Each function looks at one argument and, if it is wrong, says so in one sentence.

The sentence names the argument, what came, what was expected and the way out. Everything public calls these before it
computes or writes anything.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import Tensor


class DataError(ValueError):
    """A dataset or a file that cannot be had or cannot be read."""


class StorageError(OSError, ValueError):
    """A place that cannot be written to; what lay there before is untouched."""


def one_of(argument: str, value: object, allowed: Iterable[str]) -> str:
    """``value`` if it is one of the ``allowed`` names; otherwise ValueError with the nearest right name."""
    allowed = list(allowed)
    if value in allowed:
        return value
    nearest = difflib.get_close_matches(str(value), allowed, n=1, cutoff=0.4)
    hint = f"did you mean {nearest[0]!r}? The choices are" if nearest else "the choices are"
    raise ValueError(f"{argument} is {value!r}, which is unknown; {hint} {', '.join(map(repr, allowed))}.")


def positive_integer(argument: str, value: object) -> int:
    """``value`` as an int of at least 1; TypeError for anything but a whole number, ValueError below 1."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{argument} must be a whole number, but it is {value!r}; give an integer of at least 1.")
    if value < 1:
        raise ValueError(f"{argument} must be at least 1, but it is {value}; give a larger whole number.")
    return int(value)


def positive_integers(argument: str, values: object) -> tuple[int, ...]:
    """A sequence of layer widths as a tuple of ints, each at least 1."""
    if isinstance(values, str) or not isinstance(values, Sequence | np.ndarray):
        raise TypeError(f"{argument} must be a sequence of layer widths such as (1000, 1000), but it is {values!r}.")
    return tuple(positive_integer(f"each of {argument}", value) for value in values)


def number(argument: str, value: object) -> float:
    """``value`` as a finite float."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise TypeError(f"{argument} must be a finite number, but it is {value!r}; give one such as 1.0.")
    if not math.isfinite(value):
        raise ValueError(f"{argument} must be finite, but it is {value}; give a number such as 1.0.")
    return float(value)


def positive_number(argument: str, value: object, *, zero: bool = False) -> float:
    """``value`` as a finite float above 0 (``zero=True``: or equal to 0)."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise TypeError(f"{argument} must be a number, but it is {value!r}.")
    if not math.isfinite(value) or value < 0 or (value == 0 and not zero):
        raise ValueError(f"{argument} must be {'at least' if zero else 'above'} 0 and finite, but it is {value}.")
    return float(value)


def share(argument: str, value: object) -> float:
    """``value`` as a float of at least 0 and below 1."""
    if positive_number(argument, value, zero=True) >= 1:
        raise ValueError(f"{argument} must be at least 0 and below 1, but it is {value}; 0.9 is usual.")
    return float(value)


def seed(argument: str, value: object) -> int:
    """``value`` as a seed: a whole number of at least 0, and small enough for numpy."""
    sentence = f"{argument} must be a whole number of at least 0 and below 2**32, but it is {value!r}; 0 is usual."
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(sentence)
    if not 0 <= value < 2**32:
        raise ValueError(sentence)
    return int(value)


def device(argument: str, value: object) -> torch.device:
    """The device of that name; "auto" is cuda, then mps, then cpu. ValueError for an unknown or absent one."""
    name = str(value)
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device(next(kind for kind in ("cuda", "mps", "cpu") if available[kind]))
    kind = one_of(argument, name.split(":")[0], ["auto", *available])
    if not available[kind]:
        raise ValueError(f"{argument} is {name!r}, but this machine has no {kind}; use 'auto' or 'cpu'.")
    return torch.device(name)


def as_tensor(argument: str, value: object) -> Tensor:
    """A tensor or numpy array as a tensor; TypeError for anything else."""
    if isinstance(value, np.ndarray):
        return torch.from_numpy(np.ascontiguousarray(value))
    if not isinstance(value, Tensor):
        raise TypeError(
            f"{argument} must be a torch.Tensor or a numpy array, but it is a {type(value).__name__}; "
            "load(...) returns images in the right form."
        )
    return value


def images(argument: str, value: object, image_shape: tuple[int, int, int] | None = None) -> Tensor:
    """Images (N, C, H, W): uint8 from 0 to 255, or floating point from 0 to 1; not empty, no NaN.

    ``image_shape`` (C, H, W), if given, is the shape every image must have. Returns a tensor of the type that came.
    """
    x = as_tensor(argument, value)
    if x.ndim != 4:
        raise ValueError(
            f"{argument} must have 4 dimensions (N, C, H, W), but its shape is {tuple(x.shape)}; "
            "for one grey picture of height H and width W use x.reshape(1, 1, H, W)."
        )
    if x.numel() == 0:
        raise ValueError(f"{argument} is empty, its shape is {tuple(x.shape)}; at least one image is needed.")
    if image_shape is not None and tuple(x.shape[1:]) != tuple(image_shape):
        raise ValueError(
            f"{argument} has images of shape {tuple(x.shape[1:])}, but this system was built for {tuple(image_shape)}; "
            "resize them or build a system for that image_shape."
        )
    if x.dtype == torch.uint8:
        return x
    if not x.is_floating_point():
        raise TypeError(
            f"{argument} must be uint8 (0 to 255) or floating point (0 to 1), but it is {x.dtype}; "
            "convert with .to(torch.uint8)."
        )
    low, high = (float(bound) for bound in x.aminmax())
    if math.isnan(low) or math.isnan(high):
        raise ValueError(f"{argument} has NaN pixels; replace them, for example with torch.nan_to_num.")
    if low < 0 or high > 1:
        raise ValueError(
            f"{argument} must lie in [0, 1] when it is floating point, but it goes from {low:g} to {high:g}; "
            "divide by its largest value or pass uint8."
        )
    return x


def codes(argument: str, value: object, latent_dim: int | None = None) -> Tensor:
    """Codes (N, Z) in floating point, with Z = ``latent_dim`` where that is given; not empty, finite."""
    z = as_tensor(argument, value)
    if z.ndim != 2 or z.numel() == 0 or latent_dim not in (None, z.shape[1]):
        raise ValueError(
            f"{argument} must have shape (N, {latent_dim or 'Z'}) with N of at least 1, "
            f"but its shape is {tuple(z.shape)}."
        )
    if not z.is_floating_point():
        raise TypeError(f"{argument} must be floating point, but it is {z.dtype}; convert with .float().")
    if not torch.isfinite(z).all():
        raise ValueError(f"{argument} has NaN or infinite entries; every code must be finite.")
    return z.float()


def indices(argument: str, value: object, count: int) -> Tensor:
    """Indices (L,) of some of ``count`` images as int64: at least one, none twice, all within the images."""
    chosen = as_tensor(argument, value)
    if chosen.ndim != 1 or len(chosen) == 0 or chosen.is_floating_point() or chosen.dtype == torch.bool:
        raise ValueError(
            f"{argument} must be whole numbers (L,), the indices of at least one image, but it has shape "
            f"{tuple(chosen.shape)} and type {chosen.dtype}; use data.train.balanced_subset(100)."
        )
    if int(chosen.min()) < 0 or int(chosen.max()) >= count:
        raise ValueError(
            f"{argument} must lie between 0 and {count - 1}, the last image, but it goes from {int(chosen.min())} to "
            f"{int(chosen.max())}; draw it from the same split with balanced_subset."
        )
    if len(chosen.unique()) != len(chosen):
        raise ValueError(f"{argument} names an image twice; give each index once.")
    return chosen.long()


def labels(argument: str, value: object, count: int) -> Tensor:
    """Labels (``count``,) as int64, each at least 0; ValueError where there are none."""
    if value is None:
        raise ValueError(f"{argument} is needed here, but there is none; load a dataset with labels.")
    y = as_tensor(argument, value)
    if y.ndim != 1 or len(y) != count:
        raise ValueError(f"{argument} must have shape ({count},), one label per image, but it is {tuple(y.shape)}.")
    if y.is_floating_point() or y.dtype == torch.bool:
        raise TypeError(f"{argument} must be whole numbers, but it is {y.dtype}; convert with .long().")
    if len(y) and int(y.min()) < 0:
        raise ValueError(f"{argument} must be at least 0, but the smallest is {int(y.min())}.")
    return y.long()
