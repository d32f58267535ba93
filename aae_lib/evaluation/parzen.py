"""Log-likelihood by Parzen windows (Breuleux et al. 2011; Makhzani et al. 2015, Sec. 3, Table 1).

A generative model that has samples but no density is given one: a Gaussian of width σ around each of many samples. The
estimate rises with the number of samples and depends on σ, so both belong to every figure.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .. import checks
from ..progress import progress_bar
from ..systems.base import System, as_float

TILE = 4_000_000  # distances that are in memory at once: 32 MB of float64
SIGMAS = tuple(float(sigma) for sigma in np.logspace(-1, 0, 10))  # the paper's grid, as restated


@dataclass(frozen=True)
class SigmaSearch:
    """Mean log-likelihoods in nats of validation images for each σ of a grid, and the σ of the highest."""

    sigma: float
    sigmas: tuple[float, ...]
    log_likelihoods: tuple[float, ...]


@dataclass(frozen=True)
class Samples:
    """``count`` images of a trained system in chunks, drawn anew each time one goes through them: bounded memory."""

    system: System
    count: int
    seed: int = 0
    chunk: int = 10_000

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
    """(S, N) float64: a running log Σ exp over chunks of samples, for all σ from the same distances."""
    x, shape = _rows(name, images)  # (N, D)
    exponents = torch.tensor([-0.5 / sigma**2 for sigma in sigmas], dtype=torch.float64, device=x.device)
    total = x.new_full((len(sigmas), len(x)), -math.inf, dtype=torch.float64)
    count = 0
    chunks = [samples] if isinstance(samples, Tensor | np.ndarray) else samples
    chunk_count = len(chunks) if hasattr(chunks, "__len__") else None
    with progress_bar(chunk_count, unit="chunks", show=progress) as bar:
        for chunk in chunks:
            means, own = _rows("samples", chunk)
            if own != shape:
                raise ValueError(f"samples have shape {own}, but {name} has {shape}; both must be alike.")
            means = means.to(x.device)
            total = torch.logaddexp(total, _chunk_sum(x, means, exponents))
            count += len(means)
            bar.update()
    if count == 0:
        raise ValueError("samples is empty; give at least one sample, better 10,000.")
    pixels = x.shape[1]
    widths = torch.tensor(sigmas, dtype=torch.float64, device=x.device)
    return total - math.log(count) - (pixels * (widths * math.sqrt(2 * math.pi)).log())[:, None]


def _chunk_sum(x: Tensor, means: Tensor, exponents: Tensor) -> Tensor:
    """log Σ exp(e ‖x − μ‖²) over means μ (M, D), for each e of ``exponents`` (S,): (S, N) float64."""
    tile = max(1, TILE // max(1, len(x)))
    total = x.new_full((len(exponents), len(x)), -math.inf, dtype=torch.float64)
    squares = x.square().sum(dim=1)[:, None]  # (N, 1)
    for part in means.split(tile):
        distances = torch.addmm(squares + part.square().sum(dim=1), x, part.T, alpha=-2)  # (N, m)
        nearest = distances.min(dim=1).values.clamp_min(0)  # (N,); subtracted before exp, so that no sum is 0
        further = distances.sub_(nearest[:, None]).float()  # (N, m)
        for k, exponent in enumerate(exponents.tolist()):
            near = (exponent * further).exp_().sum(dim=1).double().log()
            total[k] = torch.logaddexp(total[k], exponent * nearest + near)
    return total


def _rows(name: str, images: Tensor) -> tuple[Tensor, tuple[int, ...]]:
    """Images or samples (N, ...) as rows (N, D), and the shape of one."""
    x = checks.as_tensor(name, images)
    if x.ndim < 2 or x.numel() == 0:
        raise ValueError(f"{name} must have shape (N, ...) with N of at least 1, but its shape is {tuple(x.shape)}.")
    x, shape = as_float(x), tuple(x.shape[1:])
    if not torch.isfinite(x).all():
        raise ValueError(f"{name} has NaN or infinite pixels; every pixel must be finite.")
    # float64, because a small σ magnifies what float32 rounds away: 2e-3 nats at σ = 0.1 on MNIST
    return (x.cpu() if x.device.type == "mps" else x).flatten(1).double(), shape
