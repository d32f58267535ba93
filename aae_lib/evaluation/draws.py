"""Codes as the measures take them, and draws of what they are compared with: a prior's, or a system's own."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import torch
from torch import Tensor

from .. import checks
from ..priors import Prior, as_prior
from ..systems.base import System

SEED_OFFSET = 7_654_321  # keeps draws apart from codes that came of the same seed: equal noise would look like a match
FLOOR_REPEATS = 5  # prior-against-prior comparisons behind a floor
Sampler = Callable[[int], Tensor]


def checked_codes(argument: str, value: object, latent_dim: int | None = None, at_least: int = 1) -> Tensor:
    """Codes (N, Z) as float64 on the CPU; ValueError where they are fewer than ``at_least``."""
    z = checks.codes(argument, value, latent_dim).detach().cpu().double()
    if len(z) < at_least:
        raise ValueError(f"{argument} has {len(z)} codes, but at least {at_least} are needed here; encode more images.")
    return z


def target(prior: Prior | System) -> Prior | System:
    """What codes are compared with: a prior, also where a system's codes are its prior's draws, or else the system."""
    if not isinstance(prior, System):
        return as_prior("prior", prior)
    plain = type(prior).draw_codes is System.draw_codes and prior.prior is not None
    return prior.prior if plain else prior


def sampler(z: Tensor, prior: Prior | System, seed: int) -> Sampler:
    """A function that draws ``count`` codes (count, Z) of the prior or system, which must have the dimension of z."""
    prior = target(prior)
    first = checks.seed("seed", seed) + SEED_OFFSET
    if isinstance(prior, System):
        _require_dim(z, f"system {type(prior).__name__}", prior.latent_dim)
        seeds = itertools.count(first)
        return lambda count: prior.draw_codes(count, seed=next(seeds) % 2**32).cpu().double()
    _require_dim(z, f"prior {prior}", prior.dim)
    generator = torch.Generator().manual_seed(first)
    return lambda count: prior.sample(count, generator).double()


def fitted_sampler(z: Tensor, seed: int) -> Sampler:
    """The same for a Gaussian of the codes' mean and covariance."""
    generator = torch.Generator().manual_seed(checks.seed("seed", seed) + SEED_OFFSET)
    variances, axes = torch.linalg.eigh(covariance(z))  # unlike Cholesky, stands a dimension without any spread
    spread = axes * variances.clamp(min=0).sqrt()  # (Z, Z)
    return lambda count: z.mean(dim=0) + torch.randn(count, len(spread), generator=generator).double() @ spread.T


def covariance(z: Tensor) -> Tensor:
    """(Z, Z), also where Z is 1."""
    return torch.cov(z.T).reshape(z.shape[1], z.shape[1])


def _require_dim(z: Tensor, whose: str, dim: int) -> None:
    if dim != z.shape[1]:
        raise ValueError(
            f"{whose} has {dim} dimensions, but the codes have {z.shape[1]}; give their system's own prior."
        )
