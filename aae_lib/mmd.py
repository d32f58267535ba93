"""The maximum mean discrepancy (MMD): how far two samples are apart, by the mean of a kernel over pairs of points.

MMD² = E k(a, a') + E k(b, b') − 2 E k(a, b) is 0 where both come from one distribution and, for the kernels here,
nowhere else (Gretton et al. 2012, JMLR 13). A kernel of one width sees differences of about that width only, so each is
a sum over several widths C. All of it can be differentiated.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from . import checks

KERNELS = ("imq", "rbf")
SCALES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


def kernel_widths(dim: int, scale: float) -> tuple[float, ...]:
    """C = s · 2Zσ² for seven scales s, of codes with ``dim`` Z and the standard deviation ``scale`` σ.

    2Zσ² is the mean of ‖a − b‖² over pairs of such codes. Tolstikhin et al. 2018, arXiv 1711.01558, and their code.
    """
    mean = 2 * checks.positive_integer("dim", dim) * checks.positive_number("scale", scale) ** 2
    return tuple(factor * mean for factor in SCALES)


def kernel_values(squared: Tensor, widths: Sequence[float], kernel: str = "imq") -> Iterator[Tensor]:
    """The kernel at squared distances ``squared``, of the same shape, for one of ``widths`` C after the other.

    "imq", the inverse multiquadratic: C / (C + ‖a − b‖²). "rbf", the Gaussian: exp(−‖a − b‖² / C). For one C both
    are 1 at distance 0 and fall from there with the slope −1 / C; far out the first falls far more slowly.
    """
    checks.one_of("kernel", kernel, KERNELS)
    for width in widths:
        if kernel == "imq":
            yield (squared / width).add_(1).reciprocal_()  # in place: a large evaluation's time is spent here
        else:
            yield (-squared / width).exp()


def squared_distances(first: Tensor, second: Tensor) -> Tensor:
    """‖a − b‖² of all pairs of points (N, Z) and (M, Z): (N, M), in float32 or float64."""
    with torch.autocast(
        first.device.type, enabled=False
    ):  # a small difference of large numbers does not stand rounding
        first, second = (x if x.dtype == torch.float64 else x.float() for x in (first, second))
        norms = first.square().sum(dim=1)[:, None] + second.square().sum(dim=1)
        return (norms - 2 * first @ second.T).clamp_min(0)


def unbiased_mmd(first: Tensor, second: Tensor, *, scale: float, kernel: str = "imq") -> Tensor:
    """MMD² of codes (N, Z) and (M, Z), a scalar: WAE-MMD's penalty (Tolstikhin et al. 2018, Algorithm 2).

    Pairs of a code with itself are left out. So it is 0 on average for two samples of one distribution, and about half
    of these come out negative (Gretton et al. 2012, Eq. 3). ``scale`` σ: see ``kernel_widths``; ``kernel``: see
    ``kernel_values``, summed over seven widths. ValueError for fewer than 2 codes in either.
    """
    widths = kernel_widths(first.shape[1], scale)
    for name, points in (("first", first), ("second", second)):
        if len(points) < 2:
            raise ValueError(
                f"{name} has {len(points)} codes, but a mean over pairs needs at least 2; give more codes."
            )

    def total(a: Tensor, b: Tensor) -> Tensor:
        return sum(values.sum() for values in kernel_values(squared_distances(a, b), widths, kernel))

    def within(a: Tensor) -> Tensor:
        return (total(a, a) - len(a) * len(widths)) / (len(a) * (len(a) - 1))  # k(a, a) is 1 for each width

    return within(first) + within(second) - 2 * total(first, second) / (len(first) * len(second))


def squared_mmd(x: Tensor, y: Tensor, bandwidths: Sequence[float]) -> Tensor:
    """The biased estimate of MMD², never negative, of points (N, D) and (M, D): Gaussian kernels of ``bandwidths`` σ.

    k(a, b) = Σ exp(−‖a − b‖² / 2σ²), a point being paired with itself too. Gretton et al. 2012, Eq. 5; Li, Swersky &
    Zemel 2015, Eq. 3.
    """
    points = torch.cat([x, y])
    widths = [2 * bandwidth**2 for bandwidth in bandwidths]
    kernel = sum(kernel_values(squared_distances(points, points), widths, "rbf"))  # (N + M, N + M)
    n = len(x)
    return kernel[:n, :n].mean() + kernel[n:, n:].mean() - 2 * kernel[:n, n:].mean()
