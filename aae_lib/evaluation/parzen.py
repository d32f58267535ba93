"""Log-likelihood by Parzen windows (Breuleux et al. 2011; Makhzani et al. 2015, Sec. 3, Table 1).

A generative model that has samples but no density is given one: a Gaussian of width σ around each of many samples. The
estimate rises with the number of samples and depends on σ, so both belong to every figure.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import length_hint

import numpy as np
import torch
from torch import Tensor

from .. import checks
from ..pixels import MOST_IMAGES, as_float
from ..systems import System
from ..training.progress import progress_bar

TILE = 2_000_000  # distances in memory at once, and at most as many pixels of samples: 16 MB each as float64
NOTHING = -80.0  # e^-80 is nothing beside a sum of at least 1; what is smaller still takes a processor 10 times as long
SIGMAS = tuple(float(sigma) for sigma in np.logspace(-1, 0, 10))  # the paper's grid, as restated


@dataclass(frozen=True)
class SigmaSearch:
    """Mean log-likelihoods in nats of validation images for each σ of a grid, and the σ of the highest."""

    sigma: float
    sigmas: tuple[float, ...]
    log_likelihoods: tuple[float, ...]


@dataclass(frozen=True)
class Samples:
    """``count`` images of a trained system in chunks, drawn anew each time one goes through them: bounded memory.

    The same ``seed`` and ``chunk`` give the same images. Raises ValueError or TypeError for numbers below 1.
    """

    system: System
    count: int
    seed: int = 0
    chunk: int = 10_000

    def __post_init__(self) -> None:
        checks.positive_integer("count", self.count)
        checks.positive_integer("chunk", self.chunk)
        checks.seed("seed", self.seed)

    def __len__(self) -> int:
        return math.ceil(self.count / self.chunk)

    def __iter__(self) -> Iterator[Tensor]:
        seeds = np.random.SeedSequence(self.seed).generate_state(len(self))
        for k, seed in enumerate(seeds):
            yield self.system.sample(min(self.chunk, self.count - k * self.chunk), seed=int(seed))


def parzen_log_likelihood(
    samples: Tensor | Iterable[Tensor], images: Tensor, *, sigma: float, progress: bool = False
) -> Tensor:
    """log p(x) in nats, (N,) float64, of images x (N, ...) under windows of width σ around samples μ (M, ...).

    log p(x) = log 1/M Σ exp(−‖x − μ‖² / 2σ²) − D log(σ √(2π)), with D pixels. ``samples``: a tensor, or an iterable of
    chunks, of which one is in memory at a time. Pixels are uint8 or in [0, 1]; on the images' device.
    Raises ValueError for σ ≤ 0, shapes that differ, or no samples.
    """
    sigma = checks.positive_number("sigma", sigma)
    return _log_likelihoods(samples, images, [sigma], "images", progress)[0]


def sigma_search(
    samples: Tensor | Iterable[Tensor],
    validation_images: Tensor,
    sigmas: Sequence[float] = SIGMAS,
    *,
    progress: bool = False,
) -> SigmaSearch:
    """The mean log-likelihood of validation images for each of ``sigmas``, an increasing grid; one pass for all.

    Raises ValueError where the best σ is at the grid's edge, since a better one may lie beyond it.
    """
    sigmas = [checks.positive_number("each of sigmas", sigma) for sigma in sigmas]
    if len(sigmas) < 3 or sigmas != sorted(set(sigmas)):
        raise ValueError(
            f"sigmas must be at least 3 increasing widths, but it is {sigmas}; use np.logspace(-1, 0, 10)."
        )
    found = _log_likelihoods(samples, validation_images, sigmas, "validation_images", progress).mean(dim=1)  # (S,)
    best = int(found.argmax())
    if best in (0, len(sigmas) - 1):
        edge = "lower" if best == 0 else "upper"
        raise ValueError(
            f"the best of sigmas, {sigmas[best]:.3g}, is the grid's {edge} edge, so a better one may lie beyond; "
            "widen the grid on that side."
        )
    return SigmaSearch(sigmas[best], tuple(sigmas), tuple(found.tolist()))


def choose_sigma(
    samples: Tensor | Iterable[Tensor],
    validation_images: Tensor,
    sigmas: Sequence[float] = SIGMAS,
    *,
    progress: bool = False,
) -> float:
    """The σ of the grid under which validation images are likeliest; see ``sigma_search``."""
    return sigma_search(samples, validation_images, sigmas, progress=progress).sigma


def mean_and_standard_error(nats: Tensor) -> tuple[float, float]:
    """The mean of log-likelihoods (N,) and its standard error std / √N: the paper's ±."""
    nats = nats.double()
    if nats.ndim != 1 or len(nats) < 2:
        raise ValueError(
            f"nats must be log-likelihoods (N,) of at least 2 images, but its shape is {tuple(nats.shape)}."
        )
    return float(nats.mean()), float(nats.std() / math.sqrt(len(nats)))


def _log_likelihoods(samples, images: Tensor, sigmas: list[float], name: str, progress: bool) -> Tensor:
    """(S, N) float64: a running log Σ exp over tiles of samples, for all σ from the same distances."""
    if isinstance(samples, Tensor | np.ndarray):
        samples = _pixels("samples", samples).split(MOST_IMAGES)
    elif not isinstance(samples, Iterable):
        raise TypeError(
            f"samples must be a tensor (M, ...) or an iterable of such chunks, but it is a {type(samples).__name__}; "
            "Samples(system, 10_000) draws them."
        )
    images = _pixels(name, images)  # (N, ...)
    x = _rows(images)  # (N, D)
    squares = x.square().sum(dim=1)[:, None]  # (N, 1)
    widths = torch.tensor(sigmas, dtype=torch.float64, device=x.device)  # (S,)
    total = x.new_full((len(sigmas), len(x)), -math.inf)  # (S, N)
    count = 0
    with progress_bar(length_hint(samples) or None, unit="chunks", show=progress) as bar:
        for chunk in samples:
            chunk = _pixels("samples", chunk)  # (m, ...)
            if chunk.shape[1:] != images.shape[1:]:
                raise ValueError(
                    f"samples have shape {tuple(chunk.shape[1:])}, but {name} has {tuple(images.shape[1:])}; "
                    "both must be alike."
                )
            for tile in chunk.split(max(1, TILE // max(x.shape))):
                means = _rows(tile).to(x.device)
                distances = torch.addmm(squares + means.square().sum(dim=1), x, means.T, alpha=-2)  # (N, m)
                total = torch.logaddexp(total, _log_sums(distances, widths))
            count += len(chunk)
            bar.update()
    if count == 0:
        raise ValueError("samples is empty; give at least one, better 10,000 (a generator gives its own only once).")
    return total - math.log(count) - (x.shape[1] * (widths * math.sqrt(2 * math.pi)).log())[:, None]


def _log_sums(distances: Tensor, widths: Tensor) -> Tensor:
    """log Σ exp(−d / 2σ²) over the squared distances d of each row of (N, m), for each σ of ``widths``: (S, N)."""
    nearest = distances.amin(dim=1)  # (N,); comes off before the exp, so that every sum is at least 1
    further = (distances - nearest[:, None]).float()  # (N, m)
    rates = -0.5 / widths.square()  # (S,)
    sums = [(further * rate).clamp_min_(NOTHING).exp_().sum(dim=1) for rate in rates.tolist()]
    return torch.stack(sums).double().log() + rates[:, None] * nearest


def _pixels(name: str, images: Tensor) -> Tensor:
    """``images`` (N, ...), where they are images: uint8 or floating point, finite, at least one."""
    x = checks.as_tensor(name, images)
    if x.ndim < 2 or x.numel() == 0:
        raise ValueError(f"{name} must have shape (N, ...) with N of at least 1, but its shape is {tuple(x.shape)}.")
    if x.dtype != torch.uint8 and not x.is_floating_point():
        raise TypeError(f"{name} must be uint8 (0 to 255) or floating point (0 to 1), but it is {x.dtype}.")
    if not torch.isfinite(x).all():
        raise ValueError(f"{name} has NaN or infinite pixels; every pixel must be finite.")
    return x


def _rows(images: Tensor) -> Tensor:
    """Images (N, ...) as rows (N, D) of float64: float32 loses 2e-3 nats at σ = 0.1 on MNIST, and 4e-2 at 0.02."""
    x = as_float(images.cpu() if images.device.type == "mps" else images)  # mps has no float64
    return x.flatten(1).double()
