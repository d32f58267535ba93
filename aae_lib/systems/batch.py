"""A mini-batch: what every loss is told."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AnySet
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

HIDDEN = -1  # the label of an image whose label may not be seen


@dataclass(frozen=True)
class Batch:
    """A mini-batch, and the ``generator`` of all noise.

    ``images`` (B, C, H, W) as the networks see them: in [0, 1], or standardised by ``System.pixels``. ``labels`` (B,),
    where a label that may not be seen is ``HIDDEN``, or None. ``labelled``: a mini-batch of labelled images, for
    systems that learn from labels; these cycle, so a few labelled images come again and again. ``progress``: the share
    of this training's updates that are done, from 0 to 1; a tensor () where the update is recorded on a GPU.
    ``kept``: the ``codes`` that ``fit`` keeps of each encoder until a phase moves it; None outside of a training.
    """

    images: Tensor
    labels: Tensor | None
    generator: torch.Generator
    labelled: Batch | None = None
    progress: float | Tensor = 0.0
    kept: dict[nn.Module, Tensor] | None = field(default=None, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.images)

    def codes(self, encoder: nn.Module) -> Tensor:
        """Codes (B, Z) of the images, for a phase of a game: encoded once for the two that see the same.

        A discriminator is shown the codes that its generator moves in the next phase, and until then nothing has moved
        the encoder. So a frozen encoder's codes are kept, with the way back to its weights, for the phase that learns.
        That is in ``fit``, where nothing is random and nothing is counted (``Encoder.repeatable``); elsewhere, and
        where gradients by the images are asked for, this is ``encoder(images, generator)``.
        """
        weights = list(encoder.parameters())
        learning = {weight.requires_grad for weight in weights}
        goes_back = torch.is_grad_enabled() and not self.images.requires_grad
        repeatable = encoder.training and getattr(encoder, "repeatable", False)
        if self.kept is None or not (goes_back and repeatable) or len(learning) > 1:
            return encoder(self.images, self.generator)
        codes = self.kept.pop(encoder, None)
        if learning == {True}:  # it goes back through these codes, which can be done once
            return encoder(self.images, self.generator) if codes is None else codes
        if codes is None:
            with _as_if_learning(weights):
                codes = encoder(self.images, self.generator)
        self.kept[encoder] = codes
        return codes.detach()

    def moved(self, weights: AnySet[nn.Parameter]) -> None:
        """Forget the codes of every encoder that has some of these ``weights``: a step was made with them."""
        for encoder in [*(self.kept or ())]:
            if not weights.isdisjoint(encoder.parameters()):
                del self.kept[encoder]
        if self.labelled is not None:
            self.labelled.moved(weights)


@contextmanager
def _as_if_learning(frozen: list[nn.Parameter]) -> Iterator[None]:
    """What is computed from ``frozen`` weights remembers the way back to them."""
    for weight in frozen:
        weight.requires_grad_(True)
    try:
        yield
    finally:
        for weight in frozen:
            weight.requires_grad_(False)
