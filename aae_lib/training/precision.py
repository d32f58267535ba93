"""In what precision to compute."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import torch
from torch import nn

from .. import checks

WORTH_ROUNDING = 400_000  # weights of fully connected networks, from which on their products take longer than rounding


def choose_autocast(precision: str, networks: nn.Module, device: torch.device) -> Callable[[], Any]:
    """A function that returns the context to compute losses of ``networks`` in: "float32", "bfloat16", or "auto".

    "auto" is bfloat16 where the hardware multiplies it natively and there is enough to multiply: convolutions, or many
    weights. Elsewhere it would be slower than float32.
    """
    checks.one_of("precision", precision, ("auto", "float32", "bfloat16"))
    if precision == "auto" and not _much_to_multiply(networks):
        precision = "float32"
    elif precision == "auto" and device.type == "cpu":
        capabilities = getattr(torch.cpu, "get_capabilities", dict)()
        precision = "bfloat16" if capabilities.get("avx512_bf16") or capabilities.get("amx_bf16") else "float32"
    elif precision == "auto":
        precision = "bfloat16" if device.type == "cuda" and torch.cuda.is_bf16_supported(False) else "float32"
    if precision == "float32":
        return nullcontext
    return lambda: torch.autocast(device.type, dtype=torch.bfloat16)


def _much_to_multiply(networks: nn.Module) -> bool:
    convolves = any(isinstance(layer, nn.Conv2d) for layer in networks.modules())
    return convolves or sum(weight.numel() for weight in networks.parameters()) >= WORTH_ROUNDING


def precision_of(autocast: Callable[[], Any]) -> str:
    """The precision that ``choose_autocast`` has chosen: "float32" or "bfloat16"."""
    return "float32" if autocast is nullcontext else "bfloat16"
