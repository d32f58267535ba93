"""The weights that a training starts from: drawn from a seed, layer by layer, in the order of the networks."""

from __future__ import annotations

import math

import torch
from torch import nn

from . import checks


def initialise(module: nn.Module, seed: int, std: float | None = None) -> None:
    """Draw all weights anew: N(0, std²) as the paper does, or He et al. 2015 where ``std`` is None; biases 0.

    A layer that draws its own weights does so in ``draw_weights(generator)``; a weight that neither it nor this
    function knows would keep whatever memory held, and is a TypeError.
    """
    generator = torch.Generator().manual_seed(checks.seed("seed", seed))
    std = None if std is None else checks.positive_number("initial_std", std)
    drawn: set[int] = set()
    for layer in module.modules():
        if hasattr(layer, "draw_weights"):
            layer.draw_weights(generator)
            drawn.update(id(weight) for weight in layer.parameters())
        elif isinstance(layer, nn.Linear | nn.Conv2d) and id(layer.weight) not in drawn:
            fan_in = layer.weight[0].numel()
            layer.weight.data.normal_(0, std or math.sqrt(2 / fan_in), generator=generator)
            layer.bias.data.zero_()
            drawn |= {id(layer.weight), id(layer.bias)}
        elif isinstance(layer, nn.modules.batchnorm._BatchNorm):
            drawn.update(id(weight) for weight in layer.parameters())  # they start as 1 and 0
    for name, weight in module.named_parameters():
        if id(weight) not in drawn:
            raise TypeError(f"nobody draws the weight {name}; give its layer a method draw_weights(generator).")


def blank(kind: type[nn.Module], *args, **kwargs) -> nn.Module:
    """A layer on the default device whose weights are not drawn yet: building it leaves the global generator alone."""
    return nn.utils.skip_init(kind, *args, device=torch.get_default_device(), **kwargs)
