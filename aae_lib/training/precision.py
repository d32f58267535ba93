"""In what precision to compute."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import torch

from .. import checks


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
