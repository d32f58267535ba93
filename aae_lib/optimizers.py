"""The steps that phases take: settings that ``fit`` builds torch's optimizers from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import nn

from . import checks


@dataclass(frozen=True)
class Adam:
    """Kingma & Ba 2015. ``drops`` {epoch: divisor} divides the learning rate from that epoch on."""

    learning_rate: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    drops: Mapping[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check(self)

    def build(self, weights: list[nn.Parameter]) -> torch.optim.Optimizer:
        betas, recorded = (self.beta1, self.beta2), weights[0].is_cuda  # there it counts its steps on the device
        return torch.optim.Adam(weights, lr=self.learning_rate, betas=betas, fused=True, capturable=recorded)


@dataclass(frozen=True)
class SGD:
    """Gradient descent with momentum, the paper's optimizer. ``drops`` as in ``Adam``."""

    learning_rate: float = 0.01
    momentum: float = 0.0
    drops: Mapping[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check(self)

    def build(self, weights: list[nn.Parameter]) -> torch.optim.Optimizer:
        return torch.optim.SGD(weights, lr=self.learning_rate, momentum=self.momentum, fused=True)


def _check(steps: Adam | SGD) -> None:
    checks.positive_number("learning_rate", steps.learning_rate, zero=True)
    for name in ("beta1", "beta2", "momentum"):
        checks.share(name, getattr(steps, name, 0.0))
    for divisor in steps.drops.values():
        checks.positive_number("each divisor in drops", divisor)
