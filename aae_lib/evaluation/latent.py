"""How near the aggregated posterior q(z) is to the prior p(z), and how well classes lie apart in it.

No sample is at distance 0 from the prior, not even one drawn from it. So a distance stands beside its *floor*: what as
many draws of the prior itself score. Codes are (N, Z) tensors; all is computed on the CPU, random only by a ``seed``.

In place of a ``prior`` all take a system, and compare codes with its own (``draw_codes``): for those whose prior lives
in another space than their codes, such as ALAE or the maps of dimensionality reduction.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import ot
import torch
from scipy import stats
from scipy.spatial import KDTree
from sklearn.neighbors import KNeighborsClassifier
from torch import Tensor

from .. import checks
from ..mmd import KERNELS, kernel_values, kernel_widths, squared_distances
from ..priors import Gaussian, Prior
from ..systems.base import System
from .draws import FLOOR_REPEATS, checked_codes, covariance, fitted_sampler, sampler, target

BLOCK = 256  # codes
HOLE_NEIGHBOURS = 7
HOLES_FLOOR = 2.0**-HOLE_NEIGHBOURS  # 0.8 %: see ``holes``


@dataclass(frozen=True, eq=False)
class Moments:
    """``mean`` and ``std`` (Z,) of codes beside the prior's, and how far their covariances differ (``moments``)."""

    mean: Tensor
    std: Tensor
    prior_mean: Tensor
    prior_std: Tensor
    covariance_distance: float
    covariance_floor: float

    def table(self) -> str:
        """One line per dimension, and one for the covariance; the prior's values in parentheses."""
        columns = torch.stack([self.mean, self.prior_mean, self.std, self.prior_std], dim=1)  # (Z, 4)
        line = "z{}: mean {:6.3f} ({:6.3f})   std {:.3f} ({:.3f})"
        lines = [line.format(i, *row) for i, row in enumerate(columns.tolist(), start=1)]
        lines.append(f"covariance off by {self.covariance_distance:.1%} (prior itself {self.covariance_floor:.1%})")
        return "\n".join(lines)


@dataclass(frozen=True, eq=False)
class Normality:
    """``distances`` (Z,), the Kolmogorov-Smirnov distance of each dimension, and their floor (``normality``)."""

    distances: Tensor
    floor: float
    floor_std: float

    def table(self) -> str:
        """One line per dimension."""
        lines = [f"z{i}: {distance:.4f}" for i, distance in enumerate(self.distances.tolist(), start=1)]
        return "\n".join(f"{line} (normal draws {self.floor:.4f} ± {self.floor_std:.4f})" for line in lines)


@dataclass(frozen=True)
class DistanceToPrior:
    """Two distances of ``count`` codes to p(z), and the mean and std of their floors."""

    mmd: float
    mmd_floor: float
    mmd_floor_std: float
    sliced_wasserstein: float
    sliced_wasserstein_floor: float
    sliced_wasserstein_floor_std: float
    count: int

    def table(self) -> str:
        """One line per distance."""
        return (
            f"MMD²               {self.mmd:7.4f} "
            f"(prior against itself {self.mmd_floor:.4f} ± {self.mmd_floor_std:.4f})\n"
            f"sliced Wasserstein {self.sliced_wasserstein:7.4f} "
            f"(prior against itself {self.sliced_wasserstein_floor:.4f} ± {self.sliced_wasserstein_floor_std:.4f})"
        )


def moments(z: Tensor, prior: Prior | System, *, seed: int = 0) -> Moments:
    """Mean and std of each dimension of codes (N, Z) beside the prior's, and the distance of their covariances.

    The distance is ‖cov(z) − cov(p)‖ / ‖cov(p)‖ in the Frobenius norm, 0 when all variances and correlations agree;
    its floor is the mean of what N draws of the prior score. A Gaussian's moments are exact, any other prior's come
    from 200,000 draws. ValueError where ``prior`` has other dimensions than z, or there are fewer than 2 codes.
    """
    z = checked_codes("z", z, at_least=2)
    draw, prior = sampler(z, prior, seed), target(prior)
    if isinstance(prior, Gaussian):
        prior_mean = torch.zeros(prior.dim, dtype=z.dtype)
        prior_covariance = prior.std**2 * torch.eye(prior.dim, dtype=z.dtype)  # (Z, Z)
    else:
        many = draw(200_000)
        prior_mean, prior_covariance = many.mean(dim=0), covariance(many)
    prior_std = prior_covariance.diagonal().sqrt()

    def distance(codes: Tensor) -> float:
        return float((covariance(codes) - prior_covariance).norm() / prior_covariance.norm())

    floor = float(np.mean([distance(draw(len(z))) for _ in range(FLOOR_REPEATS)]))
    return Moments(z.mean(dim=0), z.std(dim=0), prior_mean, prior_std, distance(z), floor)


def normality(z: Tensor, *, std: float = 1.0) -> Normality:
    """How far each dimension of codes (N, Z) is from N(0, std²): the Kolmogorov-Smirnov distance, from 0 to 1.

    It is the largest gap between two cumulative distributions: the size of a difference, where a p-value would only say
    that thousands of codes suffice to see one. N draws of the Gaussian itself score 0.87 / √N on average, with std
    0.26 / √N (Kolmogorov's distribution): that is the floor.
    """
    z, gaussian = checked_codes("z", z), stats.norm(scale=checks.positive_number("std", std))
    distances = [stats.ks_1samp(column, gaussian.cdf, method="asymp").statistic for column in z.numpy().T]
    floor, floor_std = (float(moment) / len(z) ** 0.5 for moment in (stats.kstwobign.mean(), stats.kstwobign.std()))
    return Normality(torch.tensor(distances), floor, floor_std)


def mmd(first: Tensor, second: Tensor, *, scale: float | None = None, kernel: str = "imq") -> float:
    """The unbiased squared maximum mean discrepancy between two samples (N, Z) and (M, Z), as WAE-MMD penalises it.

    The kernel, "imq" or "rbf", is summed over seven widths around 2Zσ² (``aae_lib.mmd``), and no code is paired with
    itself: so two samples of one distribution average 0, and about half of them come out negative.

    ``scale`` is σ. By default it is the root mean variance of a dimension of ``second``: pass the prior's draws there.
    ValueError with fewer than 2 codes in either. Gretton et al. 2012, Eq. 3; Tolstikhin et al. 2018, arXiv 1711.01558.
    """
    first = checked_codes("first", first, at_least=2)
    second = checked_codes("second", second, first.shape[1], at_least=2)
    if scale is None:
        scale = float(second.var(dim=0).mean().sqrt())
    widths = kernel_widths(first.shape[1], scale)
    checks.one_of("kernel", kernel, KERNELS)
    across = _kernel_sum(first, second, widths, kernel) / (len(first) * len(second))
    return _mean_within(first, widths, kernel) + _mean_within(second, widths, kernel) - 2 * across


def _mean_within(z: Tensor, widths: tuple[float, ...], kernel: str) -> float:
    """Mean of the kernel over ordered pairs of two different codes; k(a, a) is 1 for each width."""
    return (_kernel_sum(z, z, widths, kernel) - len(z) * len(widths)) / (len(z) * (len(z) - 1))


def _kernel_sum(first: Tensor, second: Tensor, widths: tuple[float, ...], kernel: str) -> float:
    """Sum of the kernel over all pairs, in blocks so small that one stays in the processor's cache."""
    total = 0.0
    for i, rows in enumerate(first.split(BLOCK)):
        for j, columns in enumerate(second.split(BLOCK)):
            if first is second and j < i:
                continue  # k(a, b) = k(b, a): this block was counted twice before
            # the distance is a small difference of large numbers and needs float64; the kernel does not
            squared = squared_distances(rows, columns).float()
            block = sum(float(values.sum()) for values in kernel_values(squared, widths, kernel))
            total += 2 * block if first is second and j > i else block
    return total


def sliced_wasserstein(first: Tensor, second: Tensor, *, seed: int = 0) -> float:
    """The 2-Wasserstein distance of two samples (N, Z) and (M, Z) seen from 100 random directions, root mean square.

    In units of z: moving all codes by s scores about s / √Z. ``seed`` fixes the directions. Bonneel et al. 2015.
    """
    first = checked_codes("first", first)
    second = checked_codes("second", second, first.shape[1])
    directions = np.random.RandomState(checks.seed("seed", seed))
    return float(ot.sliced_wasserstein_distance(first.numpy(), second.numpy(), n_projections=100, seed=directions))


def distance_to_prior(z: Tensor, prior: Prior | System, *, seed: int = 0, count: int = 4000) -> DistanceToPrior:
    """MMD² and sliced Wasserstein distance of codes (N, Z) to as many draws of the prior, each with its floor.

    At most ``count`` codes, chosen at random, are compared: the MMD takes all pairs, and six times here.
    ValueError where ``prior`` has other dimensions than z, or there are fewer than 2 codes.
    """
    z = checked_codes("z", z, at_least=2)
    draw = sampler(z, prior, seed)
    count = min(len(z), checks.positive_integer("count", count))
    z = z[torch.randperm(len(z), generator=torch.Generator().manual_seed(seed))[:count]]

    def score(distance: Callable[[Tensor, Tensor], float]) -> tuple[float, float, float]:
        floor = [distance(draw(count), draw(count)) for _ in range(FLOOR_REPEATS)]
        return distance(z, draw(count)), float(np.mean(floor)), float(np.std(floor, ddof=1))

    return DistanceToPrior(*score(mmd), *score(lambda a, b: sliced_wasserstein(a, b, seed=seed)), count)


def holes(z: Tensor, prior: Prior | System | None, *, seed: int = 0) -> float:
    """The share of the prior, from 0 to 1, that codes (N, Z) leave empty: where the decoder has never been trained.

    A draw from the prior lies in a hole if none of the N codes is as near to it as the 7th nearest of N other draws.
    So "near" is short where the prior is dense, and long where it is thin. Were the codes draws themselves, the 7
    nearest of both would all be other draws with chance 2⁻⁷ = 0.8 %: for any continuous prior, that is the floor,
    ``HOLES_FLOOR``. (One minus the "coverage" of Naeem et al. 2020, arXiv 2002.09797, with k = 7.)

    ``prior=None`` compares with a Gaussian of the codes' own mean and covariance: the holes that sampling from it would
    meet in an autoencoder without a prior. ValueError where ``prior`` has other dimensions than z, or N is below 7.
    """
    z = checked_codes("z", z, at_least=HOLE_NEIGHBOURS)
    draw = fitted_sampler(z, seed) if prior is None else sampler(z, prior, seed)
    probes, others = draw(len(z)), draw(len(z))
    reach, _ = KDTree(others.numpy()).query(probes.numpy(), k=[HOLE_NEIGHBOURS])  # (N, 1)
    nearest, _ = KDTree(z.numpy()).query(probes.numpy(), k=[1])  # (N, 1)
    return float((nearest > reach).mean())


def knn_accuracy(
    train_z: Tensor, train_labels: Tensor, test_z: Tensor, test_labels: Tensor, *, neighbours: int = 5
) -> float:
    """The share of test codes (M, Z) whose class is that of most of their nearest training codes (N, Z)."""
    train_z = checked_codes("train_z", train_z, at_least=checks.positive_integer("neighbours", neighbours))
    test_z = checked_codes("test_z", test_z, train_z.shape[1])
    train_labels = checks.labels("train_labels", train_labels, len(train_z))
    test_labels = checks.labels("test_labels", test_labels, len(test_z))
    classifier = KNeighborsClassifier(neighbours).fit(train_z.numpy(), train_labels.cpu().numpy())
    return float(classifier.score(test_z.numpy(), test_labels.cpu().numpy()))
