"""A mini-batch: what every loss is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from ..networks import Encoder

HIDDEN = -1  # the label of an image whose label may not be seen


@dataclass(frozen=True)
class Batch:
    """A mini-batch, and the ``generator`` of all noise.

    ``images`` (B, C, H, W) as the networks see them: in [0, 1], or standardised by ``System.pixels``. ``labels`` (B,),
    where a label that may not be seen is ``HIDDEN``, or None. ``labelled``: a mini-batch of labelled images, for
    systems that learn from labels; these cycle, so a few labelled images come again and again. ``progress``: the share
    of this training's updates that are done, from 0 to 1; a tensor () where the update is recorded on a GPU.
    """

    images: Tensor
    labels: Tensor | None
    generator: torch.Generator
    labelled: Batch | None = None
    progress: float | Tensor = 0.0
    _kept: dict = field(default_factory=dict, init=False, repr=False, compare=False)  # {encoder: (versions, codes)}

    def __len__(self) -> int:
        return len(self.images)

    def codes(self, encoder: Encoder | nn.Module) -> Tensor:
        """Codes (B, Z) of the images, encoded anew only where that could give others.

        A discriminator is shown the codes that its generator moves in the next phase, and until then nothing has moved
        the encoder. So a frozen encoder's codes are kept, with the way back to its weights, for the phase that learns.
        """
        if not getattr(encoder, "repeatable", False):  # a reader's own need not say it
            return encoder(self.images, self.generator)
        weights = list(encoder.parameters())
        learning = {torch.is_grad_enabled() and weight.requires_grad for weight in weights}
        if len(learning) > 1:
            return encoder(self.images, self.generator)
        versions = [weight._version for weight in weights]  # every step counts them up
        known, codes = self._kept.pop(encoder, (None, None))
        if learning == {True}:  # it goes back through these codes, which can be done once
            return codes if known == versions else encoder(self.images, self.generator)
        if known != versions:
            with _as_if_learning(weights):
                codes = encoder(self.images, self.generator)
        self._kept[encoder] = versions, codes
        return codes.detach()


@contextmanager
def _as_if_learning(weights: list[nn.Parameter]) -> Iterator[None]:
    """What is computed from frozen ``weights`` remembers the way back to them."""
    for weight in weights:
        weight.requires_grad_(True)
    try:
        yield
    finally:
        for weight in weights:
            weight.requires_grad_(False)
