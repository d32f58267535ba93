"""Exercises: solutions pass, what was handed out is not written yet, and each mistake gets a sentence of its own."""

import linecache
import math
import re

import nbformat
import numpy as np
import ot
import pytest
import torch
from torch.distributions import Categorical, MixtureSameFamily, Normal, kl_divergence
from torch.nn import functional as F

from aae_lib import exercises
from aae_lib.exercises.answers import answer, equals, is_empty, is_right, is_tensor
from aae_lib.losses import bce
from tools import notebooks

SOURCES = [source for source in sorted(notebooks.SOURCES.glob("*.py")) if notebooks.solutions(source)]
CHECKS = [name for name in exercises.__all__ if name.startswith("check_")]
each_source = pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)


def answers(notebook) -> dict[str, exercises.Answer]:
    """What the checks in the exercises of ``notebook`` say, by name: its cells are run here, in order."""
    names, found = {}, {}
    for number, cell in enumerate(notebooks.exercises(notebook)):
        if cell.cell_type != "code":
            continue
        file = f"<cell {number}>"
        linecache.cache[file] = (len(cell.source), None, cell.source.splitlines(keepends=True), file)
        if match := re.fullmatch(r"exercises\.(check_\w+)\((\w+)\)", cell.source):
            found[match[1]] = eval(cell.source, names)
        else:
            exec(compile(cell.source, file, "exec"), names)
    return found


def solved(source):
    notebook = notebooks.solutions(source)
    for cell in notebook.cells[1:]:
        cell.metadata.tags = [notebooks.EXERCISE]
    return notebook


@each_source
def test_every_solution_is_right(source):
    said = answers(solved(source))
    assert len(said) >= 2
    for name, each in said.items():
        assert each.right and repr(each).startswith("Right."), f"{name}: {each}"


@each_source
def test_what_is_handed_out_has_no_solution_and_says_so(source):
    handed_out = notebooks.from_source(source)
    assert not any("SOLUTION" in cell.source for cell in handed_out.cells)
    for name, each in answers(handed_out).items():
        assert not each.right and repr(each).endswith("is not written yet."), f"{name}: {each}"


@each_source
def test_committed_solutions_are_what_the_source_says_and_right(source):
    committed = nbformat.read(notebooks.solved(source), as_version=4)
    assert notebooks.faults_of_solutions(committed, source) == []
    assert sum("Right." in text for text in notebooks.output_texts(committed)) >= 2


@each_source
def test_a_notebook_has_five_exercises_of_five_kinds(source):
    text = "\n".join(cell.source for cell in notebooks.from_source(source).cells if cell.cell_type == "markdown")
    kinds = re.findall(r"\*\(([^)]*)\)\*", text.rpartition("## Exercises")[2])
    assert len(kinds) >= 5
    assert sum("code" in kind for kind in kinds) >= 2
    for kind in ("prediction", "exploration", "open-ended"):
        assert any(kind in each for each in kinds), f"no exercise is marked {kind}"


def test_every_exercise_is_in_a_notebook():
    asked = [name for source in SOURCES for name in answers(notebooks.from_source(source))]
    assert sorted(asked) == sorted(CHECKS)


def jensen_shannon_loss(p, q):
    """The loss of the best discriminator between two distributions over the same places, (K,) each."""
    best = p / (p + q)
    return float(-torch.special.xlogy(p, best).sum() - torch.special.xlogy(q, 1 - best).sum())


def gaussian_divergence(std):
    return float(kl_divergence(Normal(0.0, std), Normal(0.0, 1.0)))


SEVEN = F.one_hot(torch.tensor(7), 10).double()
EXPECTED = [  # notebook, words with a number that its predictions are said to come to, the number as computed
    ("01", "{:.2f} nats, against", gaussian_divergence(2.0)),
    ("01", "against {:.2f}. Its draws", gaussian_divergence(0.5)),
    ("02", "≈ {:.2f}. Far outside", jensen_shannon_loss(torch.tensor([0.5, 0.5]), torch.tensor([1.0, 0.0]))),
    ("03", "ln 8 ≈ {:.2f}", math.log(8)),
    ("05", "In about {:.0f}", 100 * (1 - 100 / 50_000) ** 100),
    ("06", "784 ln 255 ≈ {:.0f}", 784 * math.log(255)),
    ("08", "ln (11/10) ≈ {:.2f}", jensen_shannon_loss(torch.full((10,), 0.1).double(), SEVEN)),
    ("09", "ln 16 ≈ {:.2f}", math.log(16)),
    ("09", "ln 10 ≈ {:.2f}", math.log(10)),
    ("10", "{:.1f} %: the chance", 100 * (1 - float(Normal(0.0, 1.0).cdf(torch.tensor(1.5))))),
    ("11", "½ · 2² = {:.0f}", 0.5 * ot.wasserstein_1d(np.arange(5.0), np.arange(5.0) + 2, p=2)),
    ("11", "and {:.0f} for a shift", 0.5 * ot.wasserstein_1d(np.arange(5.0), np.arange(5.0) + 20, p=2)),
    ("11", "ln 2 ≈ {:.2f} for both", math.log(2)),
]


@pytest.mark.parametrize(("number", "words", "value"), EXPECTED, ids=[f"{row[0]}: {row[1]}" for row in EXPECTED])
def test_predictions_come_to_what_the_notebook_says(number, words, value):
    (source,) = notebooks.SOURCES.glob(f"{number}*.py")
    assert words.format(value) in source.read_text(encoding="utf-8")


# The mechanism, on an exercise of its own: the mean of numbers.


def check_mean(function):
    x = torch.tensor([1.0, 2.0, 6.0])
    return answer(
        function,
        lambda student: student(x),
        *is_tensor((), "a mean"),
        (equals(x.sum()), "this is the sum."),
        is_right(x.mean(), "the mean"),
        well="Well done.",
    )


def empty(x):
    """Nothing but a docstring and dots."""
    ...


def passing(x):
    pass


def without_return(x):
    x.mean()


def broken(x):
    y = x.mean()
    return y @ x.reshape(3, 1)


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (torch.mean, "Right. Well done."),
        (empty, "empty is not written yet."),
        (passing, "passing is not written yet."),
        (without_return, "Not yet: without_return returns nothing; its last line is to return the result."),
        (lambda x: x.mean().item(), "Not yet: the result is a float, but a mean is a tensor"),
        (lambda x: x, r"Not yet: the result has the shape \(3,\), but a mean has \(\)."),
        (lambda x: x.mean() / 0, "Not yet: the result is not finite"),
        (lambda x: x.sum(), "Not yet: this is the sum."),
        (lambda x: x.max(), "Not yet: on a small example the mean should be 3, and it is 6."),
        (broken, r"Not yet: line 3 of broken, return y @ x.reshape\(3, 1\), stopped with RuntimeError: .*[^.]\.$"),
        (lambda: 1, "Not yet: <lambda> cannot be called as the exercise calls it, TypeError: .*positional argument"),
    ],
)
def test_an_answer_is_one_sentence(function, said):
    found = check_mean(function)
    assert re.match(said, repr(found)) and "\n" not in repr(found)
    assert found.right == said.startswith("Right")


def test_a_result_is_no_function():
    with pytest.raises(TypeError, match="given a float; pass its name"):
        check_mean(3.0)


def test_only_empty_bodies_are_empty():
    assert is_empty(empty) and is_empty(passing)
    assert not is_empty(without_return) and not is_empty(lambda x: x)


# Mistakes, for each check: a function that makes it, and words of the sentence that it is to get.


def each_density(z, mean, std):
    return Normal(mean, std).log_prob(z[:, None])


def disc(radius, angle=lambda u: 2 * math.pi * u, chosen=lambda generator: generator):
    """A sampler of points at ``radius`` of a uniform number, at ``angle`` of another."""

    def draw(count, generator):
        generator = chosen(generator)
        turn = angle(torch.rand(count, generator=generator))
        return radius(torch.rand(count, generator=generator))[:, None] * torch.stack([turn.cos(), turn.sin()], dim=1)

    return draw


def gaussian_mmd(exponent, diagonal=False, all_pairs=False, factor=-2):
    """MMD² with a kernel of exp(``exponent``(distance, width)), with the slips that the arguments name."""

    def mmd(x, y, width):
        def within(a):
            pairs = len(a) ** 2 if all_pairs else len(a) * (len(a) - 1)
            return (exponent(torch.cdist(a, a), width).exp().sum() - (0 if diagonal else len(a))) / pairs

        return within(x) + within(y) + factor * exponent(torch.cdist(x, y), width).exp().mean()

    return mmd


def usual(d, width):
    return -d.square() / (2 * width**2)


def among(points, members, nearest, every=False):
    inside = torch.cdist(points, members) <= torch.cdist(members, members).topk(nearest, largest=False).values[:, -1]
    return (inside.all(dim=1) if every else inside.any(dim=1)).float().mean()


def among_own(real, made, k):
    return (
        (torch.cdist(made, real) <= torch.cdist(made, made).topk(k + 1, largest=False).values[:, -1:])
        .any(1)
        .float()
        .mean()
    )


def noisy(scale, shape=lambda mean: mean.shape, chosen=lambda generator: generator):
    """A sampler of codes whose noise is multiplied by ``scale`` of the log variance."""

    def draw(mean, log_variance, generator):
        return mean + scale(log_variance) * torch.randn(shape(mean), generator=chosen(generator))

    return draw


def elbo(reconstruction=lambda pixels: pixels.flatten(1).sum(1).mean(), divergence=None, add=None, sigmoid=False):
    """The negative ELBO with slips: how pixels are added up, how the KL is computed, how both are put together."""

    def loss(logits, images, mean, log_variance, beta):
        logits = logits.sigmoid() if sigmoid else logits
        pixels = F.binary_cross_entropy_with_logits(logits, images, reduction="none")
        kl = (divergence or gaussian_kl)(mean, log_variance)
        return (add or (lambda r, k, b: r + b * k))(reconstruction(pixels), kl, beta)

    return loss


def gaussian_kl(mean, log_variance, summed=lambda terms: terms.sum(dim=1).mean()):
    return summed(0.5 * (log_variance.exp() + mean.square() - 1 - log_variance))


def among_groups(groups, count, generator):
    """Which pictures are of ``count`` groups, drawn by ``generator``; without one, by chance of its own."""
    generator = generator or torch.Generator().manual_seed(torch.Generator().seed() % 2**31)
    numbers = groups.unique()
    return torch.isin(groups, numbers[torch.randperm(len(numbers), generator=generator)[:count]])


def pca(known, new, most, centred=1):
    """Hold-out errors of PCA with 0 to ``most`` components; ``centred=0`` takes no mean off."""
    mean = centred * known.mean(dim=0)
    axes = torch.linalg.svd(known - mean, full_matrices=False)[2]
    off = new - mean
    left = [off - off @ axes[:k].T @ axes[:k] for k in range(most + 1)]
    return torch.stack([0.5 * each.square().sum(dim=1).mean() for each in left])


def own_seed(_):
    return torch.Generator().manual_seed(7)


def no_seed(_):
    generator = torch.Generator()
    generator.seed()
    return generator


def petals(along=0.5, across=0.1, shift=1.4, turn=2 * math.pi / 10, chosen=lambda generator: generator, named=True):
    def draw(labels, generator):
        noise = torch.randn(len(labels), 2, generator=chosen(generator))
        x, y, angle = shift + along * noise[:, 0], across * noise[:, 1], turn * (labels if named else labels**2)
        return torch.stack([x * angle.cos() - y * angle.sin(), x * angle.sin() + y * angle.cos()], dim=1)

    return draw


def labelled(
    shown, shown_to_draws=None, first=False, targets=(1, 0), factor=1, cut=torch.Tensor.detach, learnt=lambda d: d
):
    """The discriminator's loss with labels, with the slips that the arguments name."""

    def loss(D, draws, codes, labels, classes):
        def judged(z, show):
            y = show(labels, classes)
            return D(torch.cat([y, z] if first else [z, y], dim=1))

        of_draws = judged(draws, shown_to_draws or shown)
        return factor * (bce(of_draws, targets[0]) + bce(learnt(judged(cut(codes), shown)), targets[1]))

    return loss


def extra_place(labels, classes):
    return F.one_hot(torch.where(labels < 0, classes, labels), classes + 1)


def zeros_for_hidden(labels, classes):
    return extra_place(labels, classes) * (labels >= 0)[:, None]


def zero_for_hidden(labels, classes):
    return F.one_hot(labels.clamp_min(0), classes + 1)


def all_hidden(labels, classes):
    return extra_place(torch.full_like(labels, -1), classes)


def half_error(E, dec, x, y, order=(0, 1), told=1, cut=lambda tensor: tensor):
    both = told * F.one_hot(y, 10), cut(E(x))
    return 0.5 * (dec(torch.cat([both[k] for k in order], dim=1)) - x).square().flatten(1)


def blended(weight=lambda steps: torch.linspace(0, 1, steps)[:, None], mix=torch.lerp, style=lambda z, steps: z):
    def row(decode, z, first, second, steps):
        one, two = F.one_hot(torch.tensor([first, second]), 10).float()
        return decode(style(z, steps).expand(steps, -1), mix(one, two, weight(steps)))

    return row


def pictures_blended(decode, z, first, second, steps):
    one, two = (decode(z, torch.tensor([digit])) for digit in (first, second))
    return torch.lerp(one, two, torch.linspace(0, 1, steps)[:, None, None, None])


def majority(named_by="validation", judged="test", empty=-1, finish=lambda wrong: wrong.float().mean()):
    def error(*four):
        sets = {"validation": four[:2], "test": four[2:]}
        (clusters, labels), (found, truth) = sets[named_by], sets[judged]
        names = [
            labels[clusters == k].mode().values if (clusters == k).any() else torch.tensor(empty) for k in range(4)
        ]
        return finish(torch.stack(names)[found] != truth)

    return error


def entropy(p, dim=-1):
    return torch.special.entr(p).sum(dim=dim)


def scattered(style=torch.randn, heads_of=torch.randint, size=1.0, width=None, chosen=lambda generator: generator):
    def draw(heads, count, generator):
        generator = chosen(generator)
        y = heads_of(len(heads), (count,), generator=generator)
        return heads[y] + size * style(width or count, 2, generator=generator)

    return draw


def gaps(x, y, directions, unit=True, dim=0):
    along = directions / directions.norm(dim=1, keepdim=True) if unit else directions
    shadows = [points @ along.T if dim is None else (points @ along.T).sort(dim=dim).values for points in (x, y)]
    return (shadows[0] - shadows[1]).square()


def found_again(E, G, w, cut=torch.Tensor.detach, of_made=lambda made: made):
    w = cut(w)
    return (E(of_made(G(w))) - w).square()


def slopes(R, x, total=torch.Tensor.sum, again=True):
    x = x.detach().requires_grad_()
    return torch.autograd.grad(total(R(x)), x, create_graph=again)[0].square().flatten(1)


def layered(own, other, start, layers, later=torch.ge):
    return torch.where(later(torch.arange(layers), start)[:, None], other[:, None], own[:, None])


def step(features, first, second, t, epsilon):
    here, there = (features(torch.lerp(first, second, place)) for place in (t, t + epsilon))
    return (there - here).square()


MISTAKES = {
    "check_draw_codes": [
        (noisy(lambda v: 0 * v), "same code"),
        (noisy(lambda v: (v / 2).exp(), shape=lambda mean: (1, 2)), "same code"),
        (noisy(lambda v: (v / 2).exp(), chosen=own_seed), "generators of different seeds"),
        (noisy(lambda v: (v / 2).exp(), chosen=no_seed), "two generators of one seed"),
        (noisy(lambda v: v.exp()), "by the variance σ²"),
        (noisy(lambda v: v), "by log σ² itself"),
        (noisy(lambda v: 1), "standard deviation of 1"),
        (noisy(lambda v: 3 * (v / 2).exp()), "the draws have standard deviations of"),
        (lambda m, v, g: noisy(lambda v: (v / 2).exp())(0 * m, v, g), "do not lie around the means"),
        (lambda m, v, g: noisy(lambda v: (v / 2).exp())(m, v, g).detach(), "no gradient flows back"),
        (lambda m, v, g: noisy(lambda v: (v / 2).exp())(m, v.detach(), g), "no gradient flows back"),
    ],
    "check_negative_elbo": [
        (elbo(add=lambda r, k, b: r - b * k), "KL has the wrong sign"),
        (elbo(add=lambda r, k, b: -r - b * k), "the bound itself"),
        (elbo(add=lambda r, k, b: b * r + k), "β weighs the reconstruction"),
        (elbo(add=lambda r, k, b: r + k), "β has no say"),
        (elbo(lambda pixels: pixels.mean()), "mean over pixels"),
        (elbo(divergence=lambda m, v: gaussian_kl(m, v, summed=torch.mean)), "mean over dimensions"),
        (elbo(sigmoid=True), "sigmoid is taken twice"),
        (elbo(divergence=lambda m, v: gaussian_kl(m, 2 * v)), "taken for log σ"),
        (elbo(lambda pixels: pixels.sum(), add=lambda r, k, b: r + 4 * b * k), "sum over the batch"),
        (elbo(lambda pixels: pixels.sum()), "should be"),
    ],
    "check_log_aggregated": [
        (lambda z, m, s: each_density(z, m, s).mean(dim=1), "mean of the logarithms"),
        (lambda z, m, s: each_density(z, m, s).logsumexp(dim=1), "must integrate to 1"),
        (lambda z, m, s: each_density(z, m, s).exp().mean(dim=1), "its logarithm was asked for"),
        (lambda z, m, s: each_density(z, m, s.sqrt()).exp().mean(dim=1).log(), "taken for variances"),
        (lambda z, m, s: each_density(z, m, s**2).exp().mean(dim=1).log(), "σ² stands where σ belongs"),
        (lambda z, m, s: each_density(z, m, s).sum(dim=1), "should be"),
        (lambda z, m, s: each_density(z, m, s).exp().mean(dim=1).log(), "far away"),
        (lambda z, m, s: each_density(z, m, s), "has the shape (3, 4)"),
    ],
    "check_draw_disc": [
        (disc(lambda u: 3 * u.sqrt()), "outside the disc"),
        (disc(lambda u: 2 + 0 * u), "on the rim"),
        (disc(lambda u: u.sqrt()), "radius 1; its radius"),
        (disc(lambda u: 2 * u.sqrt(), angle=lambda u: math.pi * u), "one half of the disc"),
        (disc(lambda u: 2 * u), "crowd in the middle"),
        (disc(lambda u: 2 * u**0.25), "a quarter of the points should"),
        (disc(lambda u: 2 * u.sqrt(), chosen=own_seed), "generators of different seeds"),
        (disc(lambda u: 2 * u.sqrt(), chosen=no_seed), "two generators of one seed"),
    ],
    "check_unbiased_mmd": [
        (gaussian_mmd(usual, diagonal=True, all_pairs=True), "biased estimate"),
        (gaussian_mmd(usual, all_pairs=True), "how many pairs are left"),
        (gaussian_mmd(usual, factor=2), "wrong sign"),
        (gaussian_mmd(usual, factor=-1), "count once"),
        (gaussian_mmd(lambda d, width: -d.square() / width**2), "lacks the 2"),
        (gaussian_mmd(lambda d, width: -d.square() / (2 * width)), "σ stands where σ² belongs"),
        (gaussian_mmd(lambda d, width: -d / (2 * width**2)), "has the distance"),
        (gaussian_mmd(lambda d, width: -d.square()), "should be"),
    ],
    "check_median_width": [
        (lambda x: torch.cdist(x, x).median(), "paired with themselves, too"),
        (lambda x: torch.pdist(x).square().median(), "squared distances"),
        (lambda x: torch.pdist(x).mean(), "hardly"),
        (lambda x: torch.cdist(x, x).mean(), "this is a mean, and"),
        (lambda x: torch.pdist(x).max(), "should be"),
    ],
    "check_choose_sigma": [
        (lambda nats, sigmas, validation, test: max(sigmas, key=lambda s: nats(test, s).mean()), "on the test images"),
        (
            lambda nats, sigmas, validation, test: max(
                sigmas, key=lambda s: nats(torch.cat([validation, test]), s).mean()
            ),
            "have a say in the choice",
        ),
        (
            lambda nats, sigmas, validation, test: torch.stack([nats(validation, s).mean() for s in sigmas]).argmax(),
            "place of the best width",
        ),
        (
            lambda nats, sigmas, validation, test: max(nats(validation, s).mean() for s in sigmas),
            "best log-likelihood",
        ),
        (
            lambda nats, sigmas, validation, test: min(sigmas, key=lambda s: nats(validation, s).mean()),
            "smallest likelihood",
        ),
        (lambda nats, sigmas, validation, test: 0.4, "should be 0.3"),
        (lambda nats, sigmas, validation, test: sigmas, "more than one number"),
    ],
    "check_precision": [
        (lambda real, made, k: among(real, made, k + 1), "this is the recall"),
        (lambda real, made, k: among(made, real, k), "its own nearest neighbour"),
        (among_own, "around made points"),
        (lambda real, made, k: among(made, real, k + 1, every=True), "one is enough"),
        (lambda real, made, k: 1 - among(made, real, k + 1), "outside"),
        (lambda real, made, k: among(made, real, k + 1) ** 2, "should be"),
    ],
    "check_generator_loss": [
        (lambda D, z: -bce(D(z), 0), "as in the game's formula"),
        (lambda D, z: bce(D(z), 0), "target is the discriminator's own"),
        (lambda D, z: -bce(D(z), 1), "sign is turned"),
        (lambda D, z: bce(D(z).sigmoid(), 1), "sigmoid is taken twice"),
        (lambda D, z: F.softplus(-D(z)).sum(), "sum over the batch"),
        (lambda D, z: F.softplus(-D(z)), "has the shape (6,)"),
        (lambda D, z: 2 * bce(D(z), 1), "should be"),
        (lambda D, z: bce(D(z.detach()), 1), "no gradient reaches the codes"),
    ],
    "check_discriminator_loss": [
        (lambda D, p, z: bce(D(p), 0) + bce(D(z.detach()), 1), "targets are swapped"),
        (lambda D, p, z: -bce(D(p), 1) - bce(D(z.detach()), 0), "sign is turned"),
        (lambda D, p, z: (bce(D(p), 1) + bce(D(z.detach()), 0)) / 2, "half of what"),
        (lambda D, p, z: bce(D(p).sigmoid(), 1) + bce(D(z.detach()).sigmoid(), 0), "sigmoid is taken twice"),
        (lambda D, p, z: bce(D(p), 1), "only the draws"),
        (lambda D, p, z: bce(D(z.detach()), 0), "only the codes"),
        (lambda D, p, z: bce(D(p), 1) + bce(D(z), 1), "should be"),
        (lambda D, p, z: bce(D(p), 1) + bce(D(z), 0), "flows through the codes"),
        (lambda D, p, z: (bce(D(p), 1) + bce(D(z), 0)).detach(), "no gradient reaches the discriminator"),
        (lambda D, p, z: bce(D(p), 1) + bce(D(z), 0).detach(), "one of its two terms only"),
    ],
    "check_draw_petals": [
        (petals(along=0.1, across=0.5), "broad and short"),
        (petals(along=0.25, across=0.01), "multiplied by variances"),
        (petals(shift=0.0), "shifted outwards first"),
        (petals(turn=-2 * math.pi / 10), "clockwise"),
        (petals(turn=0.0), "in petal 0"),
        (petals(turn=2 * math.pi / 9), "40° apart"),
        (petals(named=False), "turned back by its own angle"),
        (petals(chosen=own_seed), "generators of different seeds"),
        (petals(chosen=no_seed), "two generators of one seed"),
    ],
    "check_labelled_loss": [
        (labelled(zeros_for_hidden), "shown as zeros"),
        (labelled(zero_for_hidden), "shown as class 0"),
        (labelled(extra_place, shown_to_draws=all_hidden), "without their classes"),
        (labelled(extra_place, first=True), "before the point"),
        (labelled(extra_place, targets=(0, 1)), "targets are swapped"),
        (labelled(extra_place, factor=0.5), "half of what"),
        (labelled(all_hidden), "should be"),
        (labelled(extra_place, cut=lambda z: z), "flows through the codes"),
        (lambda *given: labelled(extra_place)(*given).detach(), "does not learn from both"),
        (labelled(extra_place, learnt=torch.Tensor.detach), "does not learn from both"),
    ],
    "check_labelled_reconstruction": [
        (lambda *a: 2 * half_error(*a).mean(), "it is a mean over pixels"),
        (lambda *a: half_error(*a).mean(), "half a mean over pixels"),
        (lambda *a: 2 * half_error(*a).sum(dim=1).mean(), "twice as large"),
        (lambda *a: half_error(*a).sum(), "sum over the batch"),
        (lambda *a: half_error(*a, order=(1, 0)).sum(dim=1).mean(), "style stands before"),
        (lambda *a: half_error(*a, told=0).sum(dim=1).mean(), "label has no say"),
        (lambda *a: half_error(*a, told=2).sum(dim=1).mean(), "should be"),
        (lambda *a: half_error(*a, cut=torch.Tensor.detach).sum(dim=1).mean(), "no gradient reaches the encoder"),
        (
            lambda E, dec, x, y: (
                half_error(E, lambda both: dec(both).detach(), x, y).sum(dim=1).mean() + 0 * E(x).sum()
            ),
            "no gradient reaches the encoder",
        ),
    ],
    "check_blend": [
        (lambda decode, z, a, b, n: decode(z.expand(n, -1), torch.linspace(a, b, n).long()), "numbers of the digits"),
        (blended(mix=lambda one, two, w: torch.lerp(two, one, w)), "backwards"),
        (blended(mix=lambda one, two, w: one + w * two), "more than 1"),
        (blended(weight=lambda n: torch.linspace(0, 1, n)[:, None].round()), "jumps"),
        (blended(weight=lambda n: torch.linspace(0, 1, n + 2)[1:-1, None]), "ends are missing"),
        (blended(style=lambda z, n: torch.linspace(0, 1, n)[:, None] * z), "style changes"),
        (blended(weight=lambda n: torch.arange(n)[:, None] / n), "stops one step early"),
        (pictures_blended, "two pictures are blended"),
        (blended(weight=lambda n: torch.linspace(0, 1, n)[:, None].square()), "should be"),
    ],
    "check_few_labels_loss": [
        (lambda x, y: F.cross_entropy(x.softmax(dim=1), y, ignore_index=-1), "taken of a softmax"),
        (lambda x, y: F.cross_entropy(x, y.clamp_min(0)), "as class 0"),
        (lambda x, y: F.cross_entropy(x, y % x.shape[1]), "as the last class"),
        (lambda x, y: F.cross_entropy(x, y, ignore_index=-1, reduction="none").mean(), "by the whole batch"),
        (lambda x, y: F.cross_entropy(x, y, ignore_index=-1, reduction="sum"), "it is a sum"),
        (lambda x, y: -F.cross_entropy(x, y, ignore_index=-1), "sign is turned"),
        (lambda x, y: F.cross_entropy(-x, y, ignore_index=-1), "should be"),
        (lambda x, y: F.cross_entropy(x.detach(), y, ignore_index=-1), "no gradient reaches"),
    ],
    "check_draw_content": [
        (lambda p, n, g: p.expand(n, -1), "the shares themselves"),
        (lambda p, n, g: torch.randn(n, len(p), generator=g).softmax(dim=1), "not one-hot"),
        (lambda p, n, g: F.one_hot(p.argmax(), len(p)).float().expand(n, -1), "all draws are of one class"),
        (lambda p, n, g: F.one_hot(torch.randint(len(p), (n,), generator=g), len(p)).float(), "equally often"),
        (lambda p, n, g: F.one_hot(torch.multinomial(p**2, n, True, generator=g), len(p)).float(), "they come with"),
        (lambda p, n, g: F.one_hot(torch.multinomial(p, n, True, generator=g), len(p)), "whole numbers"),
        (lambda p, n, g: torch.multinomial(p, n, True, generator=g), "has the shape (4000,)"),
        (
            lambda p, n, g: F.one_hot(torch.multinomial(p, n, True, generator=own_seed(g)), len(p)).float(),
            "different seeds",
        ),
        (lambda p, n, g: F.one_hot(torch.multinomial(p, n, True, generator=no_seed(g)), len(p)).float(), "of one seed"),
    ],
    "check_information": [
        (lambda q: (q * q.log()).sum(dim=1).mean() - (q.mean(0) * q.mean(0).log()).sum(), "0 · log 0"),
        (lambda q: entropy(q).mean() - entropy(q.mean(dim=0)), "sign is turned"),
        (lambda q: entropy(q.mean(dim=0)), "entropy of the mean alone"),
        (lambda q: entropy(q).mean(), "mean entropy alone"),
        (lambda q: entropy(q.mean(dim=0)) - entropy(q).sum(), "are added up"),
        (lambda q: (entropy(q.mean(dim=0)) - entropy(q).mean()) / math.log(2), "in bits"),
        (lambda q: entropy(q.mean(dim=1)), "should be"),
    ],
    "check_majority_error": [
        (majority(named_by="test"), "labels of the test set"),
        (majority(finish=lambda wrong: 1 - wrong.float().mean()), "share that is right"),
        (majority(finish=lambda wrong: 100 * wrong.float().mean()), "in percent"),
        (majority(judged="validation"), "error on validation images"),
        (majority(empty=0), "called 0"),
        (majority(finish=lambda wrong: wrong.sum().float()), "counts the errors"),
        (majority(named_by="test", judged="validation"), "should be"),
    ],
    "check_represent": [
        (lambda x, z, W: x @ W + z, "as they are"),
        (lambda x, z, W: x.softmax(1).softmax(1) @ W + z, "taken of a softmax"),
        (lambda x, z, W: x.softmax(0) @ W + z, "over the batch"),
        (lambda x, z, W: W[x.argmax(dim=1)] + z, "only the likeliest"),
        (lambda x, z, W: x.softmax(1) @ W, "style is missing"),
        (lambda x, z, W: x.softmax(1) @ W - z, "taken away"),
        (lambda x, z, W: x.softmax(1) @ W + 2 * z, "should be"),
        (lambda x, z, W: x.softmax(1).detach() @ W + z, "do not flow back"),
    ],
    "check_draw_map": [
        (scattered(heads_of=lambda k, shape, generator: torch.zeros(shape, dtype=torch.long)), "around one head"),
        (lambda heads, n, g: heads[torch.randint(len(heads), (n,), generator=g)], "the style is missing"),
        (scattered(width=1), "the same style"),
        (scattered(style=torch.rand), "between 0 and 1"),
        (scattered(size=3.0), "a standard deviation of 1"),
        (
            scattered(heads_of=lambda k, shape, generator: torch.randint(k + 2, shape, generator=generator) % k),
            "equally often",
        ),
        (scattered(chosen=own_seed), "generators of different seeds"),
        (scattered(chosen=no_seed), "two generators of one seed"),
    ],
    "check_sliced_distance": [
        (lambda *a: gaps(*a, dim=None).mean().sqrt(), "unsorted"),
        (lambda *a: gaps(*a, dim=1).mean().sqrt(), "sorting runs over directions"),
        (lambda *a: gaps(*a, unit=False).mean().sqrt(), "direction's length"),
        (lambda *a: gaps(*a).mean(), "root is missing"),
        (lambda *a: gaps(*a).sqrt().mean(), "absolute gaps"),
        (lambda *a: gaps(*a).mean(dim=0).sqrt().mean(), "for each direction"),
        (lambda *a: gaps(*a).sum().sqrt(), "gaps are added up"),
        (lambda *a: gaps(*a).max().sqrt(), "should be"),
    ],
    "check_log_variance_penalty": [
        (lambda v: v.square().sum(dim=1).mean(), "this is a square"),
        (lambda v: v.sum(dim=1).mean(), "make up for quiet ones"),
        (lambda v: -v.sum(dim=1).mean(), "noise without end"),
        (lambda v: 0.5 * v.abs().sum(dim=1).mean(), "σ stands where σ² belongs"),
        (lambda v: (v.exp() - 1).abs().sum(dim=1).mean(), "σ² − 1"),
        (lambda v: v.abs().mean(), "mean over dimensions"),
        (lambda v: v.abs().sum(), "sum over the batch"),
        (lambda v: v.abs().max(), "should be"),
        (lambda v: v.detach().abs().sum(dim=1).mean(), "no gradient reaches"),
    ],
    "check_reciprocity": [
        (lambda E, G, w: (G(E(G(w))) - G(w)).square().sum(dim=1).mean(), "compares images"),
        (lambda E, G, w: found_again(E, G, w).mean(), "mean over the dimensions"),
        (lambda E, G, w: found_again(E, G, w).sum(dim=1).mean() / 2, "half of what"),
        (lambda E, G, w: found_again(E, G, w).sum(dim=1).sqrt().mean(), "length of the difference"),
        (lambda E, G, w: found_again(E, G, w).sum(), "sum over the batch"),
        (lambda E, G, w: found_again(E, G, w).max(), "should be"),
        (lambda E, G, w: found_again(E, G, w, cut=lambda w: w).sum(dim=1).mean(), "flows into F"),
        (lambda E, G, w: found_again(E, G, w, of_made=torch.Tensor.detach).sum(dim=1).mean(), "no gradient reaches G"),
        (
            lambda E, G, w: found_again(lambda x: E(x).detach(), G, w).sum(dim=1).mean() + 0 * G(w.detach()).sum(),
            "no gradient reaches G",
        ),
    ],
    "check_gradient_penalty": [
        (lambda R, x: slopes(R, x).sum(dim=1).mean(), "has a half"),
        (lambda R, x: slopes(R, x).sum(dim=1).sqrt().mean(), "this is the length of the gradient"),
        (lambda R, x: slopes(R, x).sum(dim=1).sqrt().mean() / 2, "half the length"),
        (lambda R, x: slopes(R, x).mean() / 2, "mean over pixels"),
        (lambda R, x: slopes(R, x, total=torch.Tensor.mean).sum(dim=1).mean() / 2, "mean over the batch, and so"),
        (lambda R, x: slopes(R, x).sum() / 2, "sum over the batch"),
        (lambda R, x: (slopes(R, x).sum(dim=1).sqrt() - 1).square().mean(), "pulls the slope to 1"),
        (lambda R, x: slopes(R, x).max(), "should be"),
        (lambda R, x: slopes(R, x, again=False).sum(dim=1).mean() / 2, "differentiated again"),
    ],
    "check_mix_styles": [
        (lambda a, b, k, n: layered(b, a, k, n), "exchanged"),
        (lambda a, b, k, n: layered(a, b, k, n, later=torch.gt), "is to be the first"),
        (lambda a, b, k, n: layered(a, b, k - 1, n), "one layer too many"),
        (lambda a, b, k, n: layered(a, b, n - k, n), "from the fine end"),
        (lambda a, b, k, n: layered(a, b, k, n, later=torch.eq), "only one layer"),
        (lambda a, b, k, n: ((a + b) / 2)[:, None].expand(-1, n, -1), "averaged"),
        (lambda a, b, k, n: layered(a, 2 * b, k, n), "should be"),
        (lambda a, b, k, n: layered(a, b, k, n).transpose(0, 1), "has the shape"),
    ],
    "check_path_length": [
        (lambda f, a, b, t, e: step(f, a, b, t, e).sum(dim=1).mean() / e, "divided by ε once"),
        (lambda f, a, b, t, e: step(f, a, b, t, e).sum(dim=1).mean(), "not divided by ε²"),
        (lambda f, a, b, t, e: step(f, a, b, t, e).sum(dim=1).sqrt().mean() / e, "not squared"),
        (lambda f, a, b, t, e: step(f, a, b, t, e).mean() / e**2, "mean over features"),
        (lambda f, a, b, t, e: step(f, a, b, t, e).sum() / e**2, "sum over paths"),
        (lambda f, a, b, t, e: (f(b) - f(a)).square().sum(dim=1).mean(), "only the ends"),
        (lambda f, a, b, t, e: step(f, a, b, t, 2 * e).sum(dim=1).mean() / e**2, "should be"),
    ],
    "check_hold_out": [
        (lambda groups, count, g: groups.unique()[torch.randperm(10, generator=g)[:count]], "made of numbers"),
        (lambda groups, count, g: among_groups(groups, count, g)[None], "has the shape"),
        (lambda groups, count, g: among_groups(groups, count, None), "two generators of one seed"),
        (lambda groups, count, g: torch.isin(groups, groups.unique()[:count]), "has no say"),
        (lambda groups, count, g: torch.rand(len(groups), generator=g) < 0.8, "others of it are not"),
        (lambda groups, count, g: ~among_groups(groups, count, g), "exchanged"),
        (lambda groups, count, g: torch.isin(groups, groups[torch.randint(40, (count,), generator=g)]), "drawn twice"),
        (lambda groups, count, g: torch.isin(groups, torch.randperm(96, generator=g)[:count]), "numbers have gaps"),
        (lambda groups, count, g: among_groups(groups, count + 1, g), "more groups"),
    ],
    "check_pca_errors": [
        (lambda known, new, most: pca(known, new, most)[1:], "one entry is missing"),
        (lambda known, new, most: 2 * pca(known, new, most), "twice what"),
        (lambda known, new, most: pca(known, new, most) / 5, "mean over pixels"),
        (lambda known, new, most: pca(known, new, most) * len(new), "sum over the images"),
        (lambda known, new, most: pca(new, new, most), "learnt from the hold-out images"),
        (lambda known, new, most: pca(known, known, most), "that PCA learnt from"),
        (lambda known, new, most: pca(known, new - new.mean(dim=0) + known.mean(dim=0), most), "their own mean"),
        (lambda known, new, most: pca(known, new, most, centred=0), "nothing is centred"),
        (lambda known, new, most: pca(known, new, most).sqrt(), "should be"),
    ],
}
ROWS = [(name, wrong, words) for name, rows in MISTAKES.items() for wrong, words in rows]


@pytest.mark.parametrize(("name", "wrong", "words"), ROWS, ids=[f"{name[6:]}: {words}" for name, _, words in ROWS])
def test_a_mistake_gets_its_sentence(name, wrong, words):
    said = getattr(exercises, name)(wrong)
    assert not said.right and words in repr(said), said
    assert "stopped with" not in repr(said) and "\n" not in repr(said)


@pytest.mark.parametrize("name", CHECKS)
def test_mistakes_of_an_exercise_get_sentences_of_their_own(name):
    said = {words: repr(getattr(exercises, name)(wrong)) for wrong, words in MISTAKES[name]}
    assert len(said) >= 5 and len(set(said.values())) == len(said)


# Other ways to be right.


def rejected(count, generator):
    points = 4 * torch.rand(3 * count, 2, generator=generator) - 2
    return points[points.norm(dim=1) <= 2][:count]


def turned(labels, generator):
    draws = torch.randn(len(labels), 2, 1, generator=generator) * torch.tensor([[0.5], [0.1]]) + torch.tensor(
        [[1.4], [0.0]]
    )
    angle = labels.float() * math.radians(36)
    rows = torch.stack([torch.stack([angle.cos(), -angle.sin()], 1), torch.stack([angle.sin(), angle.cos()], 1)], 1)
    return (rows @ draws).squeeze(2)


def looped_mmd(x, y, width):
    def kernel(a, b):
        return torch.exp(-((a - b) ** 2).sum() / (2 * width**2))

    def within(points):
        pairs = [(a, b) for i, a in enumerate(points) for j, b in enumerate(points) if i != j]
        return torch.stack([kernel(*pair) for pair in pairs]).mean()

    return within(x) + within(y) - 2 * torch.stack([kernel(a, b) for a in x for b in y]).mean()


def named_one_by_one(validation_clusters, validation_labels, test_clusters, test_labels):
    errors = 0
    for cluster, label in zip(test_clusters.tolist(), test_labels.tolist(), strict=True):
        members = validation_labels[validation_clusters == cluster].tolist()
        errors += not members or max(sorted(set(members)), key=members.count) != label
    return errors / len(test_labels)


ALSO_RIGHT = {
    "check_draw_codes": lambda m, v, g: torch.addcmul(m, v.exp().sqrt(), torch.randn(m.shape, generator=g)),
    "check_negative_elbo": lambda x, y, m, v, b: (
        F.binary_cross_entropy(x.sigmoid(), y, reduction="sum") / len(x)
        + b * kl_divergence(Normal(m, v.exp().sqrt()), Normal(0.0, 1.0)).sum() / len(x)
    ),
    "check_generator_loss": lambda D, z: -D(z).sigmoid().log().mean(),
    "check_discriminator_loss": lambda D, p, z: -(D(p).sigmoid().log() + (1 - D(z.detach()).sigmoid()).log()).mean(),
    "check_log_aggregated": lambda z, m, s: MixtureSameFamily(Categorical(torch.ones(len(m))), Normal(m, s)).log_prob(
        z
    ),
    "check_draw_disc": rejected,
    "check_unbiased_mmd": looped_mmd,
    "check_median_width": lambda x: torch.cdist(x, x)[~torch.eye(len(x), dtype=torch.bool)].median(),
    "check_choose_sigma": lambda nats, sigmas, validation, test: sigmas[
        int(torch.stack([nats(validation, sigma).sum() for sigma in sigmas]).argmax())
    ],
    "check_draw_petals": turned,
    "check_few_labels_loss": lambda x, y: -x.log_softmax(1)[y >= 0].gather(1, y[y >= 0, None]).mean(),
    "check_draw_content": lambda p, n, g: torch.eye(len(p))[
        (torch.rand(n, 1, generator=g) > p.cumsum(0)).sum(dim=1).clamp_max(len(p) - 1)
    ],
    "check_information": lambda q: torch.xlogy(q, q).sum(1).mean() - torch.xlogy(q.mean(0), q.mean(0)).sum(),
    "check_majority_error": named_one_by_one,
    "check_represent": lambda x, z, W: torch.einsum("bk,kz->bz", F.softmax(x, dim=-1), W) + z,
    "check_sliced_distance": lambda x, y, d: (
        torch.stack([((x @ u).sort().values - (y @ u).sort().values).square().mean() for u in F.normalize(d)]).mean()
        ** 0.5
    ),
    "check_reciprocity": lambda E, G, w: torch.linalg.vector_norm(w.detach() - E(G(w.detach())), dim=1).pow(2).mean(),
    "check_mix_styles": lambda a, b, k, n: torch.stack([a] * k + [b] * (n - k), dim=1),
}


@pytest.mark.parametrize("name", ALSO_RIGHT)
def test_other_ways_are_right_too(name):
    said = getattr(exercises, name)(ALSO_RIGHT[name])
    assert said.right, said


def test_what_a_decoder_cannot_take_is_no_right_answer():
    def one_style(decode, z, first, second, steps):
        return decode(z, torch.eye(10)[[first] * steps])

    def as_wide_as_the_batch(encoder, decoder, images, labels):
        return decoder(torch.cat([F.one_hot(labels), encoder(images)], dim=1)).mean()

    assert "as many styles as labels" in repr(exercises.check_blend(one_style))
    assert "RuntimeError" in repr(exercises.check_labelled_reconstruction(as_wide_as_the_batch))
