"""What every system is: networks plus phases.

A system lists its phases; ``aae_lib.fit`` runs them in order on every mini-batch. A phase names a loss and the networks
it moves. Everything else here is what a trained system can do: encode, decode, reconstruct, sample.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from .. import checks
from ..losses import bce, fool, half_squared_error, tell_apart  # noqa: F401 (most systems want them beside this)
from ..optimizers import SGD, Adam
from ..pixels import as_float, chunk_size, mean_and_std, suited_output
from ..priors import Prior, as_prior
from .batch import HIDDEN, Batch  # noqa: F401 (most systems want it beside this)

SYSTEMS: dict[str, type[System]] = {}  # all classes of systems by name, a reader's own too; what ``restore`` looks in


@dataclass(frozen=True)
class Phase:
    """One step of the paper's training: ``loss`` of a batch moves the networks in ``learns``, all others are frozen.

    ``name``: no two phases of a system have the same, nor two losses of the history.
    A loss that is a sum may return its terms as a vector (P,); ``parts`` names them in the history, and ``factors``
    weighs them in the sum (by 1 where it is empty), so that the history shows each in its own units.
    ``optimizer``: the steps; or the name of an earlier phase, whose optimizer this one then goes on with, its moments
    included. ``every``: the phase runs at each ``every``-th update, the first included.
    """

    name: str
    loss: Callable[[Batch], Tensor]
    learns: tuple[nn.Module, ...]
    optimizer: Adam | SGD | str = Adam()  # noqa: RUF009 (it is frozen)
    parts: tuple[str, ...] = ()
    factors: tuple[float, ...] = ()
    every: int = 1

    def __post_init__(self) -> None:
        checks.positive_integer(f"every of phase {self.name!r}", self.every)
        if self.factors and len(self.factors) != len(self.names):
            raise ValueError(
                f"phase {self.name!r} has {len(self.factors)} factors for {len(self.names)} parts; give one for each."
            )

    @property
    def names(self) -> tuple[str, ...]:
        """Of the losses in the history: its parts', or its own."""
        return self.parts or (self.name,)

    def total(self, terms: Tensor) -> Tensor:
        """The sum of the loss's ``terms``, () or (P,), each weighed by its factor."""
        if self.factors:
            terms = torch.stack([by * term for by, term in zip(self.factors, terms.reshape(-1), strict=True)])
        return terms.sum() if terms.ndim else terms

    def weights(self) -> list[nn.Parameter]:
        return [weight for network in self.learns for weight in network.parameters()]

    def runs_at(self, update: int) -> bool:
        """Whether it takes part in ``update``, counted from 0."""
        return update % self.every == 0


class System(nn.Module):
    """Base of all systems. A subclass builds its networks and lists its ``phases``.

    The arguments of the outermost constructor are kept as ``settings``: what ``restore`` builds the same system from.
    The networks are called ``encoder`` and ``decoder`` where a system has them, and the prior ``prior``.
    ``learns_labels``: the number of classes whose labels the training uses, None where it uses none.
    ``decodes_labels``: whether ``decode`` takes a label beside each code.
    ``standardised``: whether the networks see pixels of mean 0 and standard deviation 1 (see ``pixels``).
    ``newer``: arguments that files and records leave out at these values, because older ones do not know of them.
    ``recordable``: whether a GPU may record one update and repeat it: Python looks at no tensor's values, and nothing
    changes what is computed from update to update but ``Batch.progress``. A reader's class says it of itself.
    """

    prior: Prior | None = None
    learns_labels: int | None = None
    decodes_labels: ClassVar[bool] = False
    newer: ClassVar[dict[str, Any]] = {}
    recordable: ClassVar[bool] = False
    settings: dict[str, Any]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        SYSTEMS[class_name(cls)] = cls
        cls.recordable = vars(cls).get("recordable", cls.__name__ == class_name(cls))
        if "__init__" in vars(cls):
            cls.__init__ = _remembering(cls.__init__)

    def __init__(self, image_shape: tuple[int, int, int] | dict, *, standardised: bool = False):
        super().__init__()
        if isinstance(image_shape, dict):  # the locals() of a constructor, as it was done before settings were kept
            standardised = image_shape.get("output") == "standardised"
            image_shape = image_shape["image_shape"]
        self.image_shape = _image_shape(image_shape)
        self._standardise(standardised)

    def phases(self) -> list[Phase]:
        raise NotImplementedError(f"{type(self).__name__} must list its phases.")

    def after_update(self) -> None:
        """Called at the end of every update, after all phases: where averages of weights are taken."""

    @property
    def latent_dim(self) -> int:
        """Z, the number of dimensions of a code: what ``decode`` takes."""
        return self.prior.dim if self.prior is not None else self.encoder.latent_dim

    @property
    def stage(self) -> int:
        """Which stage of its growth a system is in, for systems that grow: 0, 1, …"""
        return 0

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device

    def draw_codes(self, count: int, *, seed: int = 0) -> Tensor:
        """``count`` codes (N, Z) that ``decode`` takes, as the prior has them, on the CPU; TypeError without one."""
        return self._draw_prior(count, seed)

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
        return self.decode(self.draw_codes(count, seed=seed))

    def pixels(self, images: Tensor) -> Tensor:
        """Images, uint8 or in [0, 1], as the networks see them: floats, standardised if the output is."""
        images = as_float(images)
        return (images - self.pixel_mean) / self.pixel_std if self.standardised else images

    def pictures(self, output: Tensor) -> Tensor:
        """The decoder's output as images in [0, 1]: what ``pixels`` did, undone."""
        return (output * self.pixel_std + self.pixel_mean if self.standardised else output).clamp(0, 1)

    def choose_output(self, images: Tensor) -> str:
        """Settle ``output="auto"`` by training images, once and for good; returns a sentence on it, or "".

        From then on the system is the one that was built with that output: so it is saved, restored and gone on with.
        TypeError where the system has no argument ``output`` in which that could be kept.
        """
        undecided = [network for network in self.modules() if getattr(network, "undecided", False)]
        if not undecided:
            return ""
        if "output" not in self.settings:
            raise TypeError(
                f"{type(self).__name__} has a decoder with output='auto' but takes no output itself, so no file could "
                "say what was chosen; give it an argument output, or its decoder a fixed one."
            )
        output, reason = suited_output(images)
        for network in undecided:
            network.output, network.undecided = output, False
        self.settings["output"] = output
        self._standardise(output == "standardised")
        return f"output='auto': {reason}, so the output is {output!r}."

    def _standardise(self, standardised: bool) -> None:
        self.standardised = standardised
        if standardised:
            device = next((weight.device for weight in self.parameters()), torch.get_default_device())
            self.register_buffer("pixel_mean", torch.zeros(self.image_shape, device=device))
            self.register_buffer("pixel_std", torch.ones(self.image_shape, device=device))

    def learn_pixels(self, images: Tensor) -> None:
        """Take every pixel's mean and standard deviation from training images, once, where the output needs them."""
        if self.standardised and bool((self.pixel_std == 1).all()):
            mean, std = mean_and_std(images)
            self.pixel_mean.copy_(mean)
            self.pixel_std.copy_(std)

    def _draw_prior(self, count: int, seed: int) -> Tensor:
        """``count`` draws of the prior, on the CPU."""
        if self.prior is None:
            kind = type(self).__name__
            raise TypeError(f"{kind} has no prior to sample from; use AdversarialAutoencoder, or decode(z).")
        return self.prior.sample(count, torch.Generator().manual_seed(checks.seed("seed", seed)))

    def _require(self, network: str) -> None:
        if not hasattr(self, network):
            kind = type(self).__name__
            raise TypeError(f"{kind} has no {network}; use one that has, such as AdversarialAutoencoder.")

    def _in_chunks(self, inputs: Tensor, compute: Callable[[Tensor], Any]) -> Any:
        """``compute`` of chunks of ``inputs`` (N, ...), put together: a tensor, or a tuple of several."""
        with self.evaluating():
            parts = [compute(chunk.to(self.device)) for chunk in inputs.split(chunk_size(self.image_shape))]
        if isinstance(parts[0], tuple):
            return tuple(torch.cat(column).to(inputs.device) for column in zip(*parts, strict=True))
        return torch.cat(parts).to(inputs.device)

    @contextlib.contextmanager
    def evaluating(self) -> Iterator[None]:
        """No gradients, batch norm and noise as in use; afterwards as it was before."""
        training = self.training
        self.eval()
        try:
            with torch.no_grad():
                yield
        finally:
            self.train(training)


def require_system(value: object, argument: str = "system") -> System:
    """``value`` if it is a system; TypeError otherwise."""
    if not isinstance(value, System):
        raise TypeError(
            f"{argument} must be an aae_lib System, but it is a {type(value).__name__}; build one from aae_lib.systems."
        )
    return value


def require_prior(value: object, latent_dim: int | None = None) -> Prior:
    """``value`` as a prior; ValueError where ``latent_dim`` is given and differs from the prior's."""
    prior = as_prior("prior", value)
    if latent_dim is not None and checks.positive_integer("latent_dim", latent_dim) != prior.dim:
        raise ValueError(
            f"latent_dim is {latent_dim}, but the prior {prior} has {prior.dim} dimensions; make them equal."
        )
    return prior


def class_name(kind: type[System]) -> str:
    """What a class of systems is called in files: a reader's own never take the place of the library's."""
    own = kind.__module__.split(".")[0] != __name__.split(".")[0]
    return f"{kind.__name__} of the reader" if own else kind.__name__


def _remembering(constructor: Callable[..., None]) -> Callable[..., None]:
    """``constructor``, keeping its arguments as ``settings`` where no constructor of a subclass has done so before."""
    signature = inspect.signature(constructor)

    @functools.wraps(constructor)
    def remember(self: System, *args: Any, **kwargs: Any) -> None:
        if "settings" not in vars(self):
            with contextlib.suppress(TypeError):  # where arguments do not fit, the constructor says it better
                given = signature.bind(self, *args, **kwargs)
                given.apply_defaults()
                object.__setattr__(self, "settings", {})
                for name, value in list(given.arguments.items())[1:]:
                    rest = signature.parameters[name].kind is inspect.Parameter.VAR_KEYWORD
                    self.settings.update(value if rest else {name: value})
        constructor(self, *args, **kwargs)

    return remember


def _image_shape(value: object) -> tuple[int, int, int]:
    shape = checks.positive_integers("image_shape", value)
    if len(shape) == 3:
        return shape
    raise ValueError(f"image_shape must be (C, H, W), but it is {shape}; a dataset has it as data.image_shape.")
