"""Exercises of notebooks 11 to 13: distances and penalties of Wasserstein autoencoders, ALAE's losses, styles."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from .answers import Answer, answer, equals, is_right, is_tensor, not_reached, reached, with_gradients
from .games import normal


def check_sliced_distance(sliced_distance: Callable[[Tensor, Tensor, Tensor], Tensor]) -> Answer:
    """Notebook 11: ``sliced_distance(x, y, directions)`` of two (N, Z), along directions (K, Z) of any length."""
    x, y, directions = normal(8, 3), normal(8, 3, seed=1) + 0.5, 2 * normal(5, 3, seed=2)
    units = directions / directions.norm(dim=1, keepdim=True)

    def shadows(points: Tensor, along: Tensor, dim: int | None = 0) -> Tensor:
        row = points @ along.T  # (N, K)
        return row if dim is None else row.sort(dim=dim).values

    def gap(along: Tensor = units, dim: int | None = 0) -> Tensor:
        return (shadows(x, along, dim) - shadows(y, along, dim)).square()

    right = gap().mean().sqrt()
    return answer(
        sliced_distance,
        lambda student: torch.as_tensor(student(x, y, directions)),
        *is_tensor((), "a distance"),
        (
            equals(gap(dim=None).mean().sqrt()),
            "the shadows are compared unsorted, so it depends on the order of points.",
        ),
        (
            equals(gap(dim=1).mean().sqrt()),
            "the sorting runs over directions; along each direction the points are sorted.",
        ),
        (equals(gap(directions).mean().sqrt()), "a direction's length has a say; only where it points to should."),
        (equals(gap().mean()), "this is the square of the distance: the root is missing."),
        (equals(gap().sqrt().mean()), "this is a mean of absolute gaps; it is the root of a mean of squares."),
        (
            equals(gap().mean(dim=0).sqrt().mean()),
            "the root is taken for each direction; it comes last, after all means.",
        ),
        (equals(gap().sum().sqrt()), "gaps are added up; their mean does not grow with the number of points."),
        is_right(right, "the distance"),
        well="It is 0 for equal clouds, whatever the order of their points.",
    )


def check_log_variance_penalty(log_variance_penalty: Callable[[Tensor], Tensor]) -> Answer:
    """Notebook 11: ``log_variance_penalty(log_variance)`` of (B, Z): E Σ |log σ²| (Rubenstein et al. 2018)."""
    log_variance = (2 * normal(6, 3)).requires_grad_()
    right = log_variance.abs().sum(dim=1).mean()
    return answer(
        log_variance_penalty,
        lambda student: with_gradients(student(log_variance), log_variance=log_variance),
        *is_tensor((), "a penalty"),
        (
            equals(log_variance.square().sum(dim=1).mean()),
            "this is a square, which punishes one quiet dimension more than many half-quiet ones; the paper's "
            "penalty is "
            "an absolute value.",
        ),
        (
            equals(log_variance.sum(dim=1).mean()),
            "loud dimensions make up for quiet ones: something is missing around each.",
        ),
        (equals(-log_variance.sum(dim=1).mean()), "it rewards noise without end; at σ = 1 it is to be smallest."),
        (equals(right / 2), "σ stands where σ² belongs: the logarithm was halved."),
        (equals((log_variance.exp() - 1).abs().sum(dim=1).mean()), "this speaks of σ² − 1; the penalty is on log σ²."),
        (
            equals(log_variance.abs().mean()),
            "it is a mean over dimensions; every dimension pays, so it is a sum over them.",
        ),
        (equals(6 * right), "it is a sum over the batch; a loss is a mean over it."),
        is_right(right, "the penalty"),
        (not_reached("log_variance"), "the value is right, but no gradient reaches the encoder."),
        well="It is 0 where every σ is 1.",
    )


def _bent(inputs: int, outputs: int, seed: int) -> nn.Module:
    """A small nonlinear network (B, inputs) -> (B, outputs) with fixed weights."""
    layer = nn.Linear(inputs, outputs)
    layer.weight.data, layer.bias.data = normal(outputs, inputs, seed=seed), normal(outputs, seed=seed + 1)
    return nn.Sequential(layer, nn.Tanh())


def check_reciprocity(reciprocity: Callable[[nn.Module, nn.Module, Tensor], Tensor]) -> Answer:
    """Notebook 12: ``reciprocity(encoder, decoder, w)`` of w = F(z) (B, W), which still hangs on F (Eq. 7)."""
    decoder, encoder, w = _bent(3, 6, 1), _bent(6, 3, 3), normal(5, 3).requires_grad_()
    made = decoder(w)
    gap = (encoder(made) - w).square()
    right = gap.sum(dim=1).mean()
    return answer(
        reciprocity,
        lambda student: with_gradients(
            student(encoder, decoder, w), w=w, encoder=encoder[0].weight, decoder=decoder[0].weight
        ),
        *is_tensor((), "a loss"),
        (
            equals((decoder(encoder(made)) - made).square().sum(dim=1).mean()),
            "it compares images, made and made again; reciprocity compares codes.",
        ),
        (equals(gap.mean()), "it is a mean over the dimensions of w; the squared length is a sum over them."),
        (equals(right / 2), "it is half of what the notebook has."),
        (equals(gap.sum(dim=1).sqrt().mean()), "this is the length of the difference; its square was asked for."),
        (equals(gap.sum()), "it is a sum over the batch; a loss is a mean over it."),
        is_right(right, "the loss"),
        (
            reached("w"),
            "the value is right, but its gradient flows into F, which could make the loss small by making all w "
            "alike; in "
            "this step F stands still.",
        ),
        (not_reached("decoder"), "the value is right, but no gradient reaches G, which moves in this step as E does."),
        (not_reached("encoder"), "the value is right, but no gradient reaches E, which is to find w again."),
        well="E and G move, and F stands still.",
    )


def check_gradient_penalty(gradient_penalty: Callable[[nn.Module, Tensor], Tensor]) -> Answer:
    """Notebook 12: ``gradient_penalty(realness, images)``: R1, ½ ‖∇ₓ R(x)‖² at real images (Mescheder et al. 2018)."""
    body = _bent(4, 6, 5)
    realness = nn.Sequential(nn.Flatten(), body, nn.Linear(6, 1), nn.Flatten(0))
    realness[2].weight.data, realness[2].bias.data = normal(1, 6, seed=8), torch.zeros(1)
    images = normal(5, 1, 2, 2)
    x = images.clone().requires_grad_()
    (slope,) = torch.autograd.grad(realness(x).sum(), x)
    squares = slope.square().flatten(1)  # (B, pixels)
    right = 0.5 * squares.sum(dim=1).mean()
    return answer(
        gradient_penalty,
        lambda student: with_gradients(student(realness, images.clone()), weights=body[0].weight),
        *is_tensor((), "a penalty"),
        (equals(2 * right), "it is twice as large as it should be: R1 has a half."),
        (equals(squares.sum(dim=1).sqrt().mean()), "this is the length of the gradient; R1 has half its square."),
        (equals(0.5 * squares.sum(dim=1).sqrt().mean()), "this is half the length of the gradient; R1 has its square."),
        (equals(0.5 * squares.mean()), "it is a mean over pixels; the squared length is a sum over them."),
        (equals(right / 25), "the gradient is that of a mean over the batch, and so too small for each image."),
        (equals(5 * right), "it is a sum over the batch; a loss is a mean over it."),
        (
            equals((squares.sum(dim=1).sqrt() - 1).square().mean()),
            "this pulls the slope to 1, as another penalty does.",
        ),
        is_right(right, "the penalty"),
        (
            not_reached("weights"),
            "the value is right, but it cannot be differentiated again, so it would change nothing in the "
            "discriminator.",
        ),
        well="It can be differentiated again, which is what makes it a loss.",
    )


def check_mix_styles(mix_styles: Callable[[Tensor, Tensor, int, int], Tensor]) -> Answer:
    """Notebook 13: ``mix_styles(own, other, start, layers)`` of two w (N, Z): a w for each layer, (N, L, Z)."""
    own, other, start, layers = normal(3, 4), normal(3, 4, seed=1), 2, 6

    def mixed(first: Tensor, second: Tensor, begin: int) -> Tensor:
        later = (torch.arange(layers) >= begin)[:, None]  # (L, 1)
        return torch.where(later, second[:, None], first[:, None])

    last = layers - start
    return answer(
        mix_styles,
        lambda student: student(own, other, start, layers),
        *is_tensor((3, layers, 4), "a w for each image and layer"),
        (equals(mixed(other, own, start)), "own and other are exchanged: the coarse layers are to be the image's own."),
        (
            equals(mixed(own, other, start + 1)),
            "layer number start, counted from 0, is to be the first of the others'.",
        ),
        (equals(mixed(own, other, start - 1)), "one layer too many has another image's style; layers count from 0."),
        (equals(mixed(own, other, last)), "start is counted from the fine end; coarse layers come first."),
        (
            equals(torch.where((torch.arange(layers) == start)[:, None], other[:, None], own[:, None])),
            "only one layer has the other style; all from there on are to have it.",
        ),
        (
            equals(mixed((own + other) / 2, (own + other) / 2, start)),
            "the two are averaged; each layer has one or the other.",
        ),
        is_right(mixed(own, other, start), "w, layer by layer,"),
        well="The coarse layers are the image's own, the fine ones another's.",
    )


def check_path_length(path_length: Callable[..., Tensor]) -> Answer:
    """Notebook 13: ``path_length(features, first, second, t, epsilon)``: PPL between w (N, Z) (Karras et al. 2019)."""
    features = _bent(3, 4, 2)  # of the picture that G makes of w
    first, second, epsilon = normal(6, 3), normal(6, 3, seed=1), 0.05
    t = torch.linspace(0.1, 0.9, 6)[:, None]

    def gap(here: Tensor, there: Tensor) -> Tensor:
        return (features(torch.lerp(first, second, there)) - features(torch.lerp(first, second, here))).square()

    with torch.no_grad():
        step, whole = gap(t, t + epsilon).sum(dim=1), gap(0 * t, 0 * t + 1).sum(dim=1)
    return answer(
        path_length,
        lambda student: torch.as_tensor(student(features, first, second, t, epsilon)).detach(),
        *is_tensor((), "a path length"),
        (equals(step.mean() / epsilon), "it is divided by ε once; a squared distance shrinks with ε²."),
        (equals(step.mean()), "it is not divided by ε², so it depends on how small the step is."),
        (equals(step.sqrt().mean() / epsilon), "the distances are not squared; PPL is a mean squared speed."),
        (equals(step.mean() / epsilon**2 / 4), "it is a mean over features; the squared distance is a sum over them."),
        (equals(step.sum() / epsilon**2), "it is a sum over paths; their mean was asked for."),
        (equals(whole.mean()), "this sees only the ends of the path; a detour between them would not show."),
        is_right(step.mean() / epsilon**2, "the path length"),
        well="It does not depend on ε while ε is small.",
    )
