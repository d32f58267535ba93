"""Exercises of notebooks 03, 04 and 06: the aggregated posterior, a prior without a formula, MMD, Parzen, precision."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.distributions import Normal

from .answers import Answer, answer, drawn, equals, is_right, is_tensor, uses_its_generator
from .games import normal


def check_log_aggregated(log_aggregated: Callable[[Tensor, Tensor, Tensor], Tensor]) -> Answer:
    """Notebook 03: ``log_aggregated(z, mean, std)``: log q(z) (P,) at points z (P,), of M Gaussians."""
    z, mean, std = (
        torch.tensor([-1.0, 0.2, 1.5]),
        torch.tensor([-1.2, 0.0, 0.4, 2.0]),
        torch.tensor([0.3, 1.5, 0.5, 0.8]),
    )

    def each(deviation: Tensor) -> Tensor:
        return Normal(mean, deviation).log_prob(z[:, None])  # (P, M)

    right = each(std).logsumexp(dim=1) - math.log(4)
    far = Normal(mean, std).log_prob(torch.tensor(60.0)).logsumexp(dim=0) - math.log(4)

    return answer(
        log_aggregated,
        lambda student: student(z, mean, std),
        *is_tensor((3,), "log q(z), one number for each point,"),
        (equals(each(std).mean(dim=1)), "this is the mean of the logarithms; log q(z) is the logarithm of a mean."),
        (equals(right + math.log(4)), "the densities are added up, but q(z) is their mean: it must integrate to 1."),
        (equals(right.exp()), "this is q(z), and its logarithm was asked for."),
        (
            equals(each(std.sqrt()).logsumexp(dim=1) - math.log(4)),
            "the standard deviations are taken for variances: their roots are used.",
        ),
        (equals(each(std.square()).logsumexp(dim=1) - math.log(4)), "the variance σ² stands where σ belongs."),
        is_right(right, "log q(z)"),
        (
            lambda _: not equals(far[None])(log_aggregated(torch.tensor([60.0]), mean, std)),
            f"near the codes it is right, but far away, at z = 60, it should be {float(far):.0f}: densities "
            "as small as that are 0 to the computer before their logarithm is taken.",
        ),
        well="It is right far away from all codes, too.",
    )


def check_draw_disc(draw_disc: Callable[[int, torch.Generator], Tensor]) -> Answer:
    """Notebook 03: ``draw_disc(count, generator)``: points (N, 2) spread evenly over a disc of radius 2."""

    def within(found, radius: float) -> float:
        return float((found.value.norm(dim=1) <= radius).double().mean())

    return answer(
        draw_disc,
        lambda student: drawn(student, 4000),
        *is_tensor((4000, 2), "the sample"),
        *uses_its_generator(),
        (lambda found: float(found.value.norm(dim=1).max()) > 2.001, "some points lie outside the disc of radius 2."),
        (lambda found: within(found, 1.9) < 0.1, "all points lie on the rim; this is the notebook's ring and no disc."),
        (lambda found: within(found, 1.001) > 0.999, "the disc has the radius 1; its radius is to be 2."),
        (
            lambda found: abs(float((found.value[:, 1] > 0).double().mean()) - 0.5) > 0.1,
            "one half of the disc gets more points than the other; which angles occur?",
        ),
        (
            lambda found: abs(within(found, 1) - 0.5) < 0.04,
            "points crowd in the middle: the inner disc of radius 1 has a quarter of the area and half of the "
            "points, so a radius may not be uniform.",
        ),
        (
            lambda found: abs(within(found, 1) - 0.25) > 0.04,
            lambda found: f"a quarter of the points should lie within radius 1, and {within(found, 1):.0%} do.",
        ),
        well="A quarter of the points lies within radius 1, as a quarter of the area does.",
    )


def check_unbiased_mmd(unbiased_mmd: Callable[[Tensor, Tensor, float], Tensor]) -> Answer:
    """Notebook 04: ``unbiased_mmd(x, y, width)`` of (N, D) and (M, D) (Gretton et al. 2012, Eq. 3)."""
    x, y, width = normal(5, 2), normal(4, 2, seed=1) + 0.5, 0.7

    def mmd(
        exponent: Callable[[Tensor], Tensor], diagonal: bool = False, pairs: Callable = lambda n: n * (n - 1)
    ) -> Tensor:
        def within(a: Tensor) -> Tensor:
            kernel = exponent(torch.cdist(a, a)).exp()
            return (kernel.sum() - (0 if diagonal else len(a))) / pairs(len(a))

        return within(x) + within(y), exponent(torch.cdist(x, y)).exp().mean()

    def usual(distance: Tensor) -> Tensor:
        return -distance.square() / (2 * width**2)

    inner, across = mmd(usual)
    biased = mmd(usual, diagonal=True, pairs=lambda n: n * n)[0]
    half_way = mmd(usual, pairs=lambda n: n * n)[0]

    def with_kernel(exponent: Callable[[Tensor], Tensor]) -> Tensor:
        other_inner, other_across = mmd(exponent)
        return other_inner - 2 * other_across

    return answer(
        unbiased_mmd,
        lambda student: student(x, y, width),
        *is_tensor((), "MMD²"),
        (
            equals(biased - 2 * across),
            "this is the biased estimate: pairs of a point with itself take part, whose kernel is always 1.",
        ),
        (
            equals(half_way - 2 * across),
            "pairs of a point with itself are left out of the sums, but still counted: how many pairs are left?",
        ),
        (equals(inner + 2 * across), "the mixed pairs have the wrong sign; equal clouds are to give 0."),
        (equals(inner - across), "the mixed pairs count once; equal clouds are to give 0."),
        (equals(with_kernel(lambda d: -d.square() / width**2)), "the kernel's exponent lacks the 2 of 2σ²."),
        (equals(with_kernel(lambda d: -d.square() / (2 * width))), "σ stands where σ² belongs in the kernel."),
        (equals(with_kernel(lambda d: -d / (2 * width**2))), "the kernel has the distance, where its square belongs."),
        is_right(inner - 2 * across, "MMD²"),
        well="For two samples of one distribution it is 0 on average, and often negative.",
    )


def check_median_width(median_width: Callable[[Tensor], Tensor]) -> Answer:
    """Notebook 04: ``median_width(x)``: the median distance between different points of (N, D)."""
    x = normal(7, 3)
    distances = torch.cdist(x, x)
    pairs = distances[torch.triu_indices(7, 7, offset=1).unbind()]  # (21,)
    return answer(
        median_width,
        lambda student: student(x),
        *is_tensor((), "a width"),
        (
            equals(distances.median()),
            "points are paired with themselves, too; their distances of 0 pull the median down.",
        ),
        (equals(pairs.square().median()), "this is the median of squared distances."),
        (equals(pairs.mean()), "this is the mean; a few far points move it, and a median hardly."),
        (equals(distances.mean()), "this is a mean, and points are paired with themselves."),
        is_right(pairs.median(), "the width"),
        well="Half of all pairs are nearer to each other than that.",
    )


def check_choose_sigma(choose_sigma: Callable[..., float]) -> Answer:
    """Notebook 06: ``choose_sigma(nats, sigmas, validation, test)``: the best of ``sigmas`` by log-likelihood."""
    sigmas = [0.1, 0.2, 0.25, 0.3, 0.4]
    validation, test = torch.zeros(5, 1), torch.ones(7, 1)  # of the first 0.3 is best, of the second 0.2

    def nats(images: Tensor, sigma: float) -> Tensor:
        return -100 * (sigma - 0.3 + 0.1 * images[:, 0]).square() - 5  # (N,)

    def is_one(value: float) -> Callable:
        return lambda found: abs(float(found) - value) < 1e-6

    return answer(
        choose_sigma,
        lambda student: student(nats, sigmas, validation, test),
        (
            lambda found: len(torch.as_tensor(found).shape) > 0,
            "more than one number comes back; one width was asked for.",
        ),
        (is_one(0.2), "σ is chosen on the test images, whose likelihood it is then to be judged by."),
        (is_one(0.25), "test images have a say in the choice; only the validation images may."),
        (is_one(3), "this is the place of the best width in the list, not the width."),
        (is_one(-5), "this is the best log-likelihood, not the width that reaches it."),
        (is_one(0.1), "this is the width with the smallest likelihood, or the first of the list."),
        (
            lambda found: not is_one(0.3)(found),
            lambda found: f"the width should be 0.3 on a small example, and it is {float(found):.3g}.",
        ),
        well="No test image had a say.",
    )


def check_precision(precision: Callable[[Tensor, Tensor, int], Tensor]) -> Answer:
    """Notebook 06: ``precision(real, made, k)`` of features (N, F) and (M, F) (Kynkäänniemi et al. 2019)."""
    real, made, k = normal(12, 2), 2 * normal(15, 2, seed=6) + 1, 3

    def share(points: Tensor, members: Tensor, nearest: int = k + 1, every: bool = False) -> Tensor:
        radii = torch.cdist(members, members).topk(nearest, largest=False).values[:, -1]
        inside = torch.cdist(points, members) <= radii
        return (inside.all(dim=1) if every else inside.any(dim=1)).float().mean()

    own_radii = torch.cdist(made, made).topk(k + 1, largest=False).values[:, -1:]
    return answer(
        precision,
        lambda student: torch.as_tensor(student(real, made, k)),
        *is_tensor((), "a share"),
        (equals(share(real, made)), "this is the recall: the share of real points that lie among the made ones."),
        (
            equals(share(made, real, nearest=k)),
            "each real point counts as its own nearest neighbour; the k-th nearest other one was asked for.",
        ),
        (
            equals((torch.cdist(made, real) <= own_radii).any(dim=1).float().mean()),
            "the balls are drawn around made points; it is the real ones that say where real points are.",
        ),
        (equals(share(made, real, every=True)), "a made point need not lie in every ball; one is enough."),
        (equals(1 - share(made, real)), "this is the share of made points that lie outside."),
        is_right(share(made, real), "the precision"),
        well="Made points outside all balls are what no real image is like.",
    )
