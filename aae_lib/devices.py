"""Where to compute, and in what precision."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import torch

from . import checks


def choose_device(device: str = "auto") -> torch.device:
    """The device of that name; "auto" is cuda, then mps, then cpu. ValueError for an unknown or absent one."""
    name = str(device)
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device(next(kind for kind in ("cuda", "mps", "cpu") if available[kind]))
    kind = checks.one_of("device", name.split(":")[0], ["auto", *available])
    if not available[kind]:
        raise ValueError(f"device is {name!r}, but this machine has no {kind}; use 'auto' or 'cpu'.")
    return torch.device(name)


def choose_autocast(precision: str, device: torch.device) -> Callable[[], Any]:
    """A function that returns the context to compute losses in: "float32", "bfloat16", or "auto".

    "auto" is bfloat16 where the hardware multiplies it natively; elsewhere it would be slower than float32.
    """
    checks.one_of("precision", precision, ("auto", "float32", "bfloat16"))
    if precision == "auto" and device.type == "cpu":
        capabilities = getattr(torch.cpu, "get_capabilities", dict)()
        precision = "bfloat16" if capabilities.get("avx512_bf16") or capabilities.get("amx_bf16") else "float32"
    elif precision == "auto":
        precision = "bfloat16" if device.type == "cuda" and torch.cuda.is_bf16_supported(False) else "float32"
    if precision == "float32":
        return nullcontext
    return lambda: torch.autocast(device.type, dtype=torch.bfloat16)


def precision_of(autocast: Callable[[], Any]) -> str:
    """The precision that ``choose_autocast`` has chosen: "float32" or "bfloat16"."""
    return "float32" if autocast is nullcontext else "bfloat16"
