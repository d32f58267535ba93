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


def _shown(value: object) -> str:
    """``value`` as it stands in a sentence: on one line, and no longer than one."""
    text = " ".join(repr(value.item() if isinstance(value, np.generic) else value).split())
    return text if len(text) <= 80 else f"{text[:77]}..."


def _is_whole(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool | np.timedelta64)


def _is_number(value: object) -> bool:
    return _is_whole(value) or isinstance(value, float | np.floating)


def _as_float(value: int | float | np.number) -> float:
    try:
        return float(value)
    except OverflowError:  # a whole number beyond all floats
        return -math.inf if value < 0 else math.inf


def one_of(argument: str, value: object, allowed: Iterable[str]) -> str:
    """``value`` if it is one of the ``allowed`` names; otherwise ValueError with the nearest right name."""
    allowed = list(allowed)
    if isinstance(value, str) and value in allowed:
        return value
    nearest = difflib.get_close_matches(str(value), allowed, n=1, cutoff=0.4)
    hint = f"did you mean {nearest[0]!r}? The choices are" if nearest else "the choices are"
    raise ValueError(f"{argument} is {_shown(value)}, which is unknown; {hint} {', '.join(map(repr, allowed))}.")


def positive_integer(argument: str, value: object) -> int:
    """``value`` as an int of at least 1; TypeError for anything but a whole number, ValueError below 1."""
    if not _is_whole(value):
        raise TypeError(f"{argument} must be a whole number, but it is {_shown(value)}; give an integer of at least 1.")
    if value < 1:
        raise ValueError(f"{argument} must be at least 1, but it is {_shown(value)}; give a larger whole number.")
    return int(value)


def positive_integers(argument: str, values: object) -> tuple[int, ...]:
    """A sequence of layer widths as a tuple of ints, each at least 1."""
    if (
        isinstance(values, str | bytes)
        or not isinstance(values, Sequence | np.ndarray)
        or getattr(values, "shape", None) == ()
    ):
        raise TypeError(
            f"{argument} must be a sequence of layer widths such as (1000, 1000), but it is {_shown(values)}."
        )
    return tuple(positive_integer(f"each of {argument}", value) for value in values)


def number(argument: str, value: object) -> float:
    """``value`` as a finite float."""
    if not _is_number(value):
        raise TypeError(f"{argument} must be a finite number, but it is {_shown(value)}; give one such as 1.0.")
    if not math.isfinite(_as_float(value)):
        raise ValueError(f"{argument} must be finite, but it is {_shown(value)}; give a number such as 1.0.")
    return float(value)


def positive_number(argument: str, value: object, *, zero: bool = False) -> float:
    """``value`` as a finite float above 0 (``zero=True``: or equal to 0)."""
    if not _is_number(value):
        raise TypeError(f"{argument} must be a number, but it is {_shown(value)}; give one such as 1.0.")
    result = _as_float(value)
    if not math.isfinite(result) or result < 0 or (result == 0 and not zero):
        raise ValueError(
            f"{argument} must be {'at least' if zero else 'above'} 0 and finite, but it is {_shown(value)}."
        )
    return result


def share(argument: str, value: object, usual: float = 0.9) -> float:
    """``value`` as a float of at least 0 and below 1."""
    if positive_number(argument, value, zero=True) >= 1:
        raise ValueError(f"{argument} must be at least 0 and below 1, but it is {value}; {usual:g} is usual.")
    return float(value)


def seed(argument: str, value: object) -> int:
    """``value`` as a seed: a whole number of at least 0, and small enough for numpy."""
    sentence = (
        f"{argument} must be a whole number of at least 0 and below 2**32, but it is {_shown(value)}; 0 is usual."
    )
    if not _is_whole(value):
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
    kind, colon, index = name.partition(":")
    one_of(argument, kind, available if colon else ["auto", *available])
    if not available[kind]:
        raise ValueError(f"{argument} is {name!r}, but this machine has no {kind}; use 'auto' or 'cpu'.")
    count = torch.cuda.device_count() if kind == "cuda" else 1
    if colon and index not in map(str, range(count)):
        raise ValueError(
            f"{argument} is {_shown(name)}, but the last {kind} here is '{kind}:{count - 1}'; use {kind!r}."
        )
    return torch.device(name)


def as_tensor(argument: str, value: object) -> Tensor:
    """A tensor or numpy array as a tensor; TypeError for anything else."""
    if isinstance(value, np.ndarray):
        try:
            return torch.from_numpy(np.asarray(value, dtype=value.dtype.newbyteorder("="), order="C"))
        except TypeError as error:
            raise TypeError(
                f"{argument} must hold numbers that PyTorch knows, but it is an array of {_shown(value.dtype)}; "
                "convert it with .astype(np.float32)."
            ) from error
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
    z = z.float()  # which makes infinite what only float64 can hold
    if not torch.isfinite(z).all():
        raise ValueError(f"{argument} has NaN or infinite entries; every code must be finite.")
    return z


def indices(argument: str, value: object, count: int) -> Tensor:
    """Indices (L,) of some of ``count`` images as int64: at least one, none twice, all within the images."""
    chosen = as_tensor(argument, value)
    if chosen.ndim != 1 or len(chosen) == 0 or not _holds_whole(chosen):
        raise ValueError(
            f"{argument} must be whole numbers (L,), the indices of at least one image, but it has shape "
            f"{tuple(chosen.shape)} and type {chosen.dtype}; use data.train.balanced_subset(100)."
        )
    chosen = chosen.long()
    if int(chosen.min()) < 0 or int(chosen.max()) >= count:
        raise ValueError(
            f"{argument} must lie between 0 and {count - 1}, the last image, but it goes from {int(chosen.min())} to "
            f"{int(chosen.max())}; draw it from the same split with balanced_subset."
        )
    if len(chosen.unique()) != len(chosen):
        raise ValueError(f"{argument} names an image twice; give each index once.")
    return chosen


def labels(argument: str, value: object, count: int) -> Tensor:
    """Labels (``count``,) as int64, each at least 0; ValueError where there are none."""
    if value is None:
        raise ValueError(f"{argument} is needed here, but there is none; load a dataset with labels.")
    y = as_tensor(argument, value)
    if y.ndim != 1 or len(y) != count:
        raise ValueError(f"{argument} must have shape ({count},), one label per image, but it is {tuple(y.shape)}.")
    if not _holds_whole(y):
        raise TypeError(f"{argument} must be whole numbers, but it is {y.dtype}; convert with .long().")
    y = y.long()
    if len(y) and int(y.min()) < 0:
        raise ValueError(
            f"{argument} must be at least 0, but the smallest is {int(y.min())}; number classes from 0, and "
            "hide labels with fit's argument labelled, not with a number."
        )
    return y


def _holds_whole(tensor: Tensor) -> bool:
    return not (tensor.is_floating_point() or tensor.is_complex() or tensor.dtype == torch.bool)
