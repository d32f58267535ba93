"""The KL term of the ELBO in two (Hoffman & Johnson 2016, "ELBO surgery"), and the part that all systems share.

    E_x KL(q(z | x) ‖ p(z)) = I(x; z) + KL(q(z) ‖ p(z))

The VAE pays for both. AAE and WAE match q(z) to p(z) and leave I(x; z), what a code tells about its image, alone.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from scipy.spatial import KDTree
from torch import Tensor

from .. import checks
from ..priors import Prior
from ..systems.base import System, require_system
from .draws import FLOOR_REPEATS, checked_codes, sampler

ROWS = 500  # draws whose densities under all posteriors are computed at once


class Information(NamedTuple):
    """In nats: ``kl`` E_x KL(q(z | x) ‖ p(z)), the sum of ``mutual_information`` I(x; z) and ``marginal_kl``."""

    kl: float
    mutual_information: float
    marginal_kl: float


class MarginalKl(NamedTuple):
    """An estimate of KL(q(z) ‖ p(z)) in nats, and the mean and std of what draws of the prior itself score."""

    kl: float
    floor: float
    floor_std: float


def mutual_information(system: System, images: Tensor, *, count: int = 2000, seed: int = 0) -> Information:
    """Split the KL of Gaussian posteriors: how much z tells about its image, and how far q(z) is from p(z).

    q(z) is the mixture of the posteriors of all the N images (N, C, H, W), the one that z was drawn from included: x is
    one of these images, so I(x; z) cannot exceed log N. Where posteriors hardly overlap it is nearly that, and the rest
    of the KL, large as it may be, is that of N separate peaks: compare systems by equally many images, and look at
    ``marginal_kl`` too. The means are over one draw of z from the posteriors of ``count`` of the images, by ``seed``.

    TypeError where posteriors are not Gaussian: with deterministic ones the KL is infinite, and those of a universal
    approximator have no density. ValueError where the prior has no density, or there are fewer than 2 images.
    """
    require_system(system)
    posterior = getattr(getattr(system, "encoder", None), "posterior", None)
    if posterior != "gaussian":
        why = "so the KL term is infinite" if posterior == "deterministic" else "so q(z | x) has no density to be had"
        built = 'build it with posterior="gaussian", or ' if "posterior" in system.settings else ""
        raise TypeError(
            f"the encoder of {type(system).__name__} has no Gaussian posterior ({posterior or 'none'}), {why}; "
            f"{built}use marginal_kl(codes, prior), which needs codes alone."
        )
    images = checks.images("images", images, system.image_shape)
    if len(images) < 2:
        raise ValueError("images has 1 image, which z tells nothing about; give at least 2, better thousands.")
    generator = torch.Generator().manual_seed(checks.seed("seed", seed))
    mean, log_variance = system._in_chunks(images, lambda chunk: system.encoder.gaussian(system.pixels(chunk)))
    mean, log_variance = mean.cpu().double(), log_variance.cpu().double()  # (N, Z) each
    chosen = torch.randperm(len(images), generator=generator)[: checks.positive_integer("count", count)]
    noise = torch.randn(len(chosen), mean.shape[1], generator=generator, dtype=torch.float64)
    z = mean[chosen] + (0.5 * log_variance[chosen]).exp() * noise  # (count, Z)
    log_prior = system.prior.log_prob(z)  # (count,)
    constants = log_variance[chosen].sum(dim=1) + z.shape[1] * math.log(2 * math.pi)
    log_posterior = -0.5 * (noise.square().sum(dim=1) + constants)
    log_marginal = torch.cat([_log_mixture(rows, mean, log_variance) for rows in z.split(ROWS)])
    return Information(
        float((log_posterior - log_prior).mean()),
        float((log_posterior - log_marginal).mean()),
        float((log_marginal - log_prior).mean()),
    )


def _log_mixture(z: Tensor, mean: Tensor, log_variance: Tensor) -> Tensor:
    """The log density (n,) of z (n, Z) in the mixture of N Gaussians, two (N, Z)."""
    precision = (-log_variance).exp()  # (N, Z)
    # Σ (z − μ)² / σ², multiplied out, so that nothing of n x N x Z numbers is kept
    squared = z.square() @ precision.T - 2 * z @ (mean * precision).T + (mean.square() * precision).sum(dim=1)  # (n, N)
    log_each = -0.5 * (squared + log_variance.sum(dim=1) + z.shape[1] * math.log(2 * math.pi))
    return log_each.logsumexp(dim=1) - math.log(len(mean))


def marginal_kl(z: Tensor, prior: Prior | System, *, neighbours: int = 5, seed: int = 0) -> MarginalKl:
    """KL(q(z) ‖ p(z)) from codes (N, Z) alone, whatever encoder they come from, with its floor.

    By nearest neighbours (Pérez-Cruz 2008; Wang, Kulkarni & Verdú 2009, Eq. 5): the mean over codes of Z log(ν / ρ),
    plus log(N / (N − 1)), where ρ is the distance to the ``neighbours``-th nearest other code, and ν to that of N draws
    of the prior. It is too small where codes lie farther out than those draws, and where N is few for Z dimensions: so
    compare equally many codes of equal width. Infinite where more than ``neighbours`` codes are one.

    ``prior``: or a system, whose own codes (``draw_codes``) are then compared with. ValueError where its draws
    coincide, or there are no more than ``neighbours`` codes.
    """
    k = checks.positive_integer("neighbours", neighbours)
    z = checked_codes("z", z, at_least=k + 1)
    draw = sampler(z, prior, seed)
    floor = [_divergence(draw(len(z)).numpy(), draw(len(z)).numpy(), k) for _ in range(FLOOR_REPEATS)]
    if not np.isfinite(floor).all():
        raise ValueError(
            f"prior {prior} draws the same point again and again, so it has no density; use a continuous one."
        )
    found = _divergence(z.numpy(), draw(len(z)).numpy(), k)
    return MarginalKl(found, float(np.mean(floor)), float(np.std(floor, ddof=1)))


def _divergence(first: np.ndarray, second: np.ndarray, k: int) -> float:
    within, _ = KDTree(first).query(first, k=[k + 1])  # (N, 1); k + 1, since a code's nearest is itself
    across, _ = KDTree(second).query(first, k=[k])
    if not within.all():
        return math.inf
    count, dim = first.shape
    return float(dim * np.log(across / within).mean() + math.log(len(second) / (count - 1)))
