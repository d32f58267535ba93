"""What every system is: networks plus phases.

A system lists its phases; ``aae_lib.fit`` runs them in order on every mini-batch. A phase names a loss and the networks
it moves. Everything else here is what a trained system can do: encode, decode, reconstruct, sample.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .. import checks
from ..networks import Discriminator
from ..priors import Prior, as_prior

HIDDEN = -1  # the label of an image whose label may not be seen
LEAST_STD = 0.02  # five grey levels of 255: a pixel that is nearly constant must not outweigh all others
CHUNK = 2000  # images computed at once outside training: enough to fill a machine, little enough to fit in memory


@dataclass(frozen=True)
class Batch:
    """A mini-batch, and the ``generator`` of all noise.

    ``images`` (B, C, H, W) as the networks see them: in [0, 1], or standardised by ``System.pixels``. ``labels`` (B,),
    where a label that may not be seen is ``HIDDEN``, or None. ``labelled``: a mini-batch of labelled images, for
    systems that learn from labels; these cycle, so a few labelled images come again and again.
    """

    images: Tensor
    labels: Tensor | None
    generator: torch.Generator
    labelled: Batch | None = None

    def __len__(self) -> int:
        return len(self.images)


@dataclass(frozen=True)
class Adam:
    """Kingma & Ba 2015. ``drops`` {epoch: divisor} divides the learning rate from that epoch on."""

    learning_rate: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    drops: Mapping[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_steps(self)

    def build(self, weights: list[nn.Parameter]) -> torch.optim.Optimizer:
        return torch.optim.Adam(weights, lr=self.learning_rate, betas=(self.beta1, self.beta2), fused=True)


@dataclass(frozen=True)
class SGD:
    """Gradient descent with momentum, the paper's optimizer. ``drops`` as in ``Adam``."""

    learning_rate: float = 0.01
    momentum: float = 0.0
    drops: Mapping[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_steps(self)

    def build(self, weights: list[nn.Parameter]) -> torch.optim.Optimizer:
        return torch.optim.SGD(weights, lr=self.learning_rate, momentum=self.momentum, fused=True)


def _check_steps(steps: Adam | SGD) -> None:
    checks.positive_number("learning_rate", steps.learning_rate, zero=True)
    for name in ("beta1", "beta2", "momentum"):
        if checks.positive_number(name, getattr(steps, name, 0.0), zero=True) >= 1:
            raise ValueError(f"{name} must be below 1, but it is {getattr(steps, name)}; 0.9 is usual.")
    for divisor in steps.drops.values():
        checks.positive_number("each divisor in drops", divisor)


@dataclass(frozen=True)
class Phase:
    """One step of the paper's training: ``loss`` of a batch moves the networks in ``learns``, all others are frozen.

    A loss that is a sum may return its terms as a vector; ``parts`` names them in the history.
    """

    name: str
    loss: Callable[[Batch], Tensor]
    learns: tuple[nn.Module, ...]
    optimizer: Adam | SGD = Adam()
    parts: tuple[str, ...] = ()

    def weights(self) -> list[nn.Parameter]:
        return [weight for network in self.learns for weight in network.parameters()]


class System(nn.Module):
    """Base of all systems. A subclass builds its networks and lists its ``phases``.

    ``arguments`` are the ``locals()`` of the subclass's constructor: what ``restore`` builds the same system from.
    The networks are called ``encoder`` and ``decoder`` where a system has them, and the prior ``prior``.
    ``learns_labels``: the number of classes whose labels the training uses, None where it uses none.
    """

    prior: Prior | None = None
    learns_labels: int | None = None

    def __init__(self, arguments: dict):
        super().__init__()
        self.image_shape = _image_shape(arguments["image_shape"])
        self.settings = {key: value for key, value in arguments.items() if key not in ("self", "__class__")}
        self.standardised = arguments.get("output") == "standardised"
        if self.standardised:
            self.register_buffer("pixel_mean", torch.zeros(self.image_shape))
            self.register_buffer("pixel_std", torch.ones(self.image_shape))

    def phases(self) -> list[Phase]:
        raise NotImplementedError(f"{type(self).__name__} must list its phases.")

    @property
    def latent_dim(self) -> int:
        """Z, the number of dimensions of a code."""
        return self.prior.dim if self.prior is not None else self.encoder.latent_dim

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device

    def encode(self, images: Tensor, *, seed: int | None = None) -> Tensor:
        """Codes (N, Z) of images (N, C, H, W), uint8 or in [0, 1], on the images' device.

        Without a ``seed`` the code without noise (a Gaussian's mean); with one a draw from q(z | x).
        """
        self._require("encoder")
        images = checks.images("images", images, self.image_shape)
        generator = None if seed is None else torch.Generator(self.device).manual_seed(checks.seed("seed", seed))
        return self._in_chunks(images, lambda chunk: self.encoder(self.pixels(chunk), generator))

    def decode(self, z: Tensor) -> Tensor:
        """Images (N, C, H, W) in [0, 1] of codes (N, Z), on the codes' device."""
        self._require("decoder")
        z = checks.codes("z", z, self.latent_dim)
        return self._in_chunks(z, lambda chunk: self.pictures(self.decoder(chunk)))

    def reconstruct(self, images: Tensor) -> Tensor:
        """decode(encode(images)): (N, C, H, W) in [0, 1]."""
        return self.decode(self.encode(images))

    def sample(self, count: int, *, seed: int = 0) -> Tensor:
        """``count`` images (N, C, H, W) decoded from draws of the prior."""
        if self.prior is None:
            raise TypeError(
                f"{type(self).__name__} has no prior to sample from; use AdversarialAutoencoder, or decode(z)."
            )
        return self.decode(self.prior.sample(count, torch.Generator().manual_seed(checks.seed("seed", seed))))

    def pixels(self, images: Tensor) -> Tensor:
        """Images, uint8 or in [0, 1], as the networks see them: floats, standardised if the output is."""
        images = as_float(images)
        return (images - self.pixel_mean) / self.pixel_std if self.standardised else images

    def pictures(self, output: Tensor) -> Tensor:
        """The decoder's output as images in [0, 1]: what ``pixels`` did, undone."""
        return (output * self.pixel_std + self.pixel_mean if self.standardised else output).clamp(0, 1)

    def learn_pixels(self, images: Tensor) -> None:
        """Take every pixel's mean and standard deviation from training images, once, where the output needs them."""
        if self.standardised and bool((self.pixel_std == 1).all()):
            chunks = [as_float(chunk) for chunk in images.split(CHUNK)]
            mean = sum(chunk.sum(dim=0) for chunk in chunks) / len(images)  # (C, H, W)
            variance = sum((chunk - mean).square().sum(dim=0) for chunk in chunks) / len(images)
            self.pixel_mean.copy_(mean)
            self.pixel_std.copy_(variance.sqrt().clamp_min(LEAST_STD))

    def _require(self, network: str) -> None:
        if not hasattr(self, network):
            raise TypeError(
                f"{type(self).__name__} has no {network}; use one that has, such as AdversarialAutoencoder."
            )

    def _in_chunks(self, inputs: Tensor, compute: Callable[[Tensor], Tensor]) -> Tensor:
        with self.evaluating():
            parts = [compute(chunk.to(self.device)).to(inputs.device) for chunk in inputs.split(CHUNK)]
        return torch.cat(parts)

    @contextmanager
    def evaluating(self) -> Iterator[None]:
        """No gradients, batch norm and noise as in use; afterwards as it was before."""
        training = self.training
        self.eval()
        try:
            with torch.no_grad():
                yield
        finally:
            self.train(training)


def as_float(images: Tensor) -> Tensor:
    """Pixels in [0, 1] as float32; uint8 is divided by 255."""
    return images.float() / 255 if images.dtype == torch.uint8 else images.float()


def half_squared_error(reconstruction: Tensor, images: Tensor) -> Tensor:
    """½ ‖x̂ − x‖², summed over an image's pixels and averaged over the batch: the paper's scale."""
    return 0.5 * (reconstruction - images).square().flatten(1).sum(dim=1).mean()


def bce(logits: Tensor, target: float) -> Tensor:
    """Binary cross-entropy of discriminator logits (B,) with one target for all: 1 real, 0 fake. Its mean, in nats."""
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))


def tell_apart(discriminator: Discriminator, real: Tensor, fake: Tensor, generator: torch.Generator) -> Tensor:
    """The discriminator's loss: call ``real`` (B, Z) 1 and ``fake`` (B, Z) 0 (Eq. 1). 2 ln 2 when it cannot."""
    return bce(discriminator(real, generator), 1) + bce(discriminator(fake, generator), 0)


def fool(discriminator: Discriminator, fake: Tensor, generator: torch.Generator) -> Tensor:
    """The generator's loss, in the form that does not saturate: have ``fake`` (B, Z) called 1. ln 2 at equilibrium."""
    return bce(discriminator(fake, generator), 1)


def require_prior(value: object, latent_dim: int | None = None) -> Prior:
    """``value`` as a prior; ValueError where ``latent_dim`` is given and differs from the prior's."""
    prior = as_prior("prior", value)
    if latent_dim is not None and checks.positive_integer("latent_dim", latent_dim) != prior.dim:
        raise ValueError(
            f"latent_dim is {latent_dim}, but the prior {prior} has {prior.dim} dimensions; make them equal."
        )
    return prior


def _image_shape(value: object) -> tuple[int, int, int]:
    shape = checks.positive_integers("image_shape", value)
    if len(shape) != 3:
        raise ValueError(f"image_shape must be (C, H, W), but it is {shape}; a dataset has it as data.image_shape.")
    return shape
