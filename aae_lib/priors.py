"""What the aggregated posterior q(z) is matched to.

An adversarial autoencoder needs only samples of its prior; a variational autoencoder needs its density too. So every
prior samples, and only some say what their density is: that difference is the point of Makhzani et al. 2015, Sec. 2.1.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import ClassVar

import torch
from torch import Tensor

from . import checks


class Prior:
    """A distribution p(z) over codes. Subclasses are frozen dataclasses: equal settings mean equal priors."""

    dim: int
    classes: ClassVar[int] = 0  # how many regions can be asked for by label; 0: none
    has_density: ClassVar[bool] = True

    def sample(self, count: int, generator: torch.Generator | None = None, labels: Tensor | None = None) -> Tensor:
        """``count`` draws (count, Z), on the generator's device; ``labels`` (count,) asks for each draw's region."""
        count = checks.positive_integer("count", count)
        if labels is not None:
            labels = self._checked(labels, count)
        return self._draw(count, generator, labels)

    def sample_labelled(self, count: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Draws (count, Z) and the region (count,) that each came from, all regions being equally likely."""
        if not self.classes:
            raise ValueError(
                f"the prior {self} has no regions to label; use GaussianMixture, SwissRoll or Categorical."
            )
        count = checks.positive_integer("count", count)
        labels = torch.randint(self.classes, (count,), generator=generator, device=_device(generator))
        return self.sample(count, generator, labels), labels

    def log_prob(self, z: Tensor) -> Tensor:
        """log p(z) in nats, (N, Z) -> (N,). ValueError where the prior has no density or another dimension."""
        if not self.has_density:
            raise ValueError(f"the prior {self} has no density, only samples; match it with an AdversarialAutoencoder.")
        return self._log_density(self._checked_codes(z))

    def nearest(self, z: Tensor) -> Tensor:
        """The region (N,) that each of z (N, Z) most likely belongs to. ValueError for no regions, or another Z."""
        if not self.classes:
            raise ValueError(f"the prior {self} has no regions to tell apart; use GaussianMixture() or SwissRoll().")
        return self._nearest(self._checked_codes(z))

    def _nearest(self, z: Tensor) -> Tensor:
        raise NotImplementedError

    def _log_density(self, z: Tensor) -> Tensor:
        raise NotImplementedError

    def _draw(self, count: int, generator: torch.Generator | None, labels: Tensor | None) -> Tensor:
        raise NotImplementedError

    def _checked_codes(self, z: Tensor) -> Tensor:
        z = checks.as_tensor("z", z)
        if z.ndim != 2 or z.shape[1] != self.dim:
            raise ValueError(f"z must have shape (N, {self.dim}) for {self}, but its shape is {tuple(z.shape)}.")
        return z

    def _checked(self, labels: Tensor, count: int) -> Tensor:
        if not self.classes:
            raise ValueError(f"labels were given, but the prior {self} has no regions to choose from; leave them out.")
        labels = checks.labels("labels", labels, count)
        if int(labels.max()) >= self.classes:
            raise ValueError(f"labels must be below {self.classes} for {self}, but the largest is {int(labels.max())}.")
        return labels

    def to_settings(self) -> dict:
        """What ``prior_from_settings`` builds the same prior from; plain JSON."""
        return {"kind": type(self).__name__, **asdict(self)}


def _device(generator: torch.Generator | None) -> torch.device:
    return generator.device if generator is not None else torch.device("cpu")


def _normal(*shape: int, generator: torch.Generator | None) -> Tensor:
    return torch.randn(shape, generator=generator, device=_device(generator))


def _uniform(*shape: int, generator: torch.Generator | None) -> Tensor:
    return torch.rand(shape, generator=generator, device=_device(generator))


@dataclass(frozen=True)
class Gaussian(Prior):
    """N(0, std² I) in ``dim`` dimensions. The paper uses std 5 for likelihoods and 1 elsewhere."""

    dim: int
    std: float = 1.0

    def __post_init__(self) -> None:
        checks.positive_integer("dim", self.dim)
        checks.positive_number("std", self.std)

    def _draw(self, count, generator, labels):
        return self.std * _normal(count, self.dim, generator=generator)  # (N, Z)

    def _log_density(self, z):
        squared = (z / self.std).square().sum(dim=1)  # (N,)
        return -0.5 * squared - self.dim * math.log(self.std * math.sqrt(2 * math.pi))


@dataclass(frozen=True)
class Uniform(Prior):
    """Uniform on the cube [low, high]^dim."""

    dim: int
    low: float = -1.0
    high: float = 1.0

    def __post_init__(self) -> None:
        checks.positive_integer("dim", self.dim)
        for name in ("low", "high"):
            checks.number(name, getattr(self, name))
        if not self.low < self.high:
            raise ValueError(f"low must be below high, but low is {self.low} and high is {self.high}.")

    def _draw(self, count, generator, labels):
        return self.low + (self.high - self.low) * _uniform(count, self.dim, generator=generator)  # (N, Z)

    def _log_density(self, z):
        inside = ((z >= self.low) & (z <= self.high)).all(dim=1)  # (N,)
        return torch.where(inside, -self.dim * math.log(self.high - self.low), -math.inf)


@dataclass(frozen=True)
class GaussianMixture(Prior):
    """A flower of equally likely 2-D Gaussians, each stretched along its radius (Makhzani et al. 2015, Figs. 2 and 4).

    Component k is N(0, diag(std²)) pushed outward by ``shift`` and turned by 2πk / components. A draw's label is its k.
    """

    components: int = 10
    shift: float = 1.4
    std: tuple[float, float] = (0.5, 0.1)  # along and across the radius

    dim: ClassVar[int] = 2

    def __post_init__(self) -> None:
        checks.positive_integer("components", self.components)
        checks.positive_number("shift", self.shift, zero=True)
        if not isinstance(self.std, tuple | list) or len(self.std) != 2:
            raise ValueError(f"std must be two numbers, along and across the radius, but it is {self.std!r}.")
        object.__setattr__(self, "std", tuple(checks.positive_number("each of std", s) for s in self.std))

    @property
    def classes(self) -> int:
        return self.components

    def _axes(self, like: Tensor) -> tuple[Tensor, Tensor]:
        """The unit vectors along and across each component's radius, two (K, 2) of the type and device of ``like``."""
        angle = 2 * math.pi * torch.arange(self.components, dtype=like.dtype, device=like.device) / self.components
        along = torch.stack([angle.cos(), angle.sin()], dim=1)
        return along, torch.stack([-along[:, 1], along[:, 0]], dim=1)

    def _draw(self, count, generator, labels):
        device = _device(generator)
        if labels is None:
            labels = torch.randint(self.components, (count,), generator=generator, device=device)
        noise = _normal(count, 2, generator=generator)
        along, across = self._axes(noise)
        labels = labels.to(device)
        radius = self.shift + self.std[0] * noise[:, :1]  # (N, 1)
        return radius * along[labels] + self.std[1] * noise[:, 1:] * across[labels]  # (N, 2)

    def _nearest(self, z):
        return self._log_each(z).argmax(dim=1)

    def _log_density(self, z):
        return torch.logsumexp(self._log_each(z), dim=1) - math.log(self.components)

    def _log_each(self, z):
        """The log density (N, K) of each component."""
        along, across = self._axes(z)
        # no matrix product: autocast would round it to bfloat16
        radial = ((z[:, None] * along).sum(dim=2) - self.shift) / self.std[0]  # (N, K)
        lateral = (z[:, None] * across).sum(dim=2) / self.std[1]  # (N, K)
        return -0.5 * (radial.square() + lateral.square()) - math.log(2 * math.pi * self.std[0] * self.std[1])


@dataclass(frozen=True)
class SwissRoll(Prior):
    """Points on a spiral in the plane: u uniform in [0, 1), radius 3√u, angle 4π√u (Makhzani et al. 2015, Fig. 4).

    It lies on a curve, so it has no density in the plane, only samples. Class k owns the k-th tenth of u.
    """

    has_density: ClassVar[bool] = False
    dim: ClassVar[int] = 2
    classes: ClassVar[int] = 10

    def at(self, u: Tensor) -> Tensor:
        """The points (N, 2) at positions u (N,) along the roll, from 0 (the centre) to 1 (the outer end)."""
        root = u.sqrt()
        angle = 4 * math.pi * root
        return 3 * root[:, None] * torch.stack([angle.cos(), angle.sin()], dim=1)

    def _nearest(self, z):
        u = (torch.arange(2000, dtype=z.dtype, device=z.device) + 0.5) / 2000  # 0.01 apart, at the centre up to 0.04
        return (self.classes * u[torch.cdist(z, self.at(u)).argmin(dim=1)]).long()

    def _draw(self, count, generator, labels):
        u = _uniform(count, generator=generator)
        return self.at(u if labels is None else (labels.to(u.device) + u) / self.classes)


@dataclass(frozen=True)
class Categorical(Prior):
    """One-hot vectors of ``dim`` equally likely classes (Makhzani et al. 2015, Sec. 5): samples, but no density."""

    dim: int
    has_density: ClassVar[bool] = False

    def __post_init__(self) -> None:
        checks.positive_integer("dim", self.dim)

    @property
    def classes(self) -> int:
        return self.dim

    def _draw(self, count, generator, labels):
        device = _device(generator)
        if labels is None:
            labels = torch.randint(self.dim, (count,), generator=generator, device=device)
        return torch.nn.functional.one_hot(labels.to(device), self.dim).float()  # (N, Z)

    def _nearest(self, z):
        return z.argmax(dim=1)


PRIORS = {prior.__name__: prior for prior in (Gaussian, Uniform, GaussianMixture, SwissRoll, Categorical)}


def as_prior(argument: str, value: object) -> Prior:
    """``value`` if it is a prior; otherwise a sentence with the nearest right name."""
    if isinstance(value, Prior):
        return value
    name = value if isinstance(value, str) else getattr(value, "__name__", None)
    if name in PRIORS:
        example = {"SwissRoll": "SwissRoll()", "GaussianMixture": "GaussianMixture()"}.get(name, f"{name}(2)")
        raise TypeError(f"{argument} must be a prior, not its name or class; write {example}.")
    if name is not None:
        checks.one_of(argument, name, PRIORS)
    raise TypeError(f"{argument} must be a prior such as Gaussian(2), but it is {value!r}.")


def prior_from_settings(settings: dict) -> Prior:
    """The prior that ``to_settings`` described."""
    settings = dict(settings)
    kind = checks.one_of("prior", settings.pop("kind"), PRIORS)
    return PRIORS[kind](**settings)
