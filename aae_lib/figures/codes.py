"""Codes: where they lie in the latent space, and whether they fill their prior."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from sklearn.manifold import TSNE
from torch import Tensor

from .. import checks
from ..priors import Prior
from .images import draw_images
from .theme import BLUE, CLASS_COLOURS, INK, PRIOR_GREYS, canvas


def _draw_prior(ax: Axes, prior: Prior, draws: Tensor) -> None:
    """Grey regions that hold 95, 80 and 50 % of a 2-D prior; its ``draws`` (N, 2) where it has no density."""
    if not prior.has_density:
        ax.scatter(*draws.T, s=14, color=PRIOR_GREYS[-1], linewidths=0)
        ax.scatter(*draws.T, s=0.5, color=INK, linewidths=0, zorder=2)  # stays visible among many codes
        return
    axis = torch.linspace(float(draws.min()) - 0.1, float(draws.max()) + 0.1, 300)
    density = prior.log_prob(torch.cartesian_prod(axis, axis)).exp().reshape(300, 300).T  # rows: z₂
    levels = np.unique(0.999 * np.quantile(prior.log_prob(draws).exp(), (0.05, 0.2, 0.5)))
    ax.contourf(axis, axis, density, [*levels, 1.01 * float(density.max())], colors=PRIOR_GREYS[-len(levels) :])
    ax.contour(axis, axis, density, levels[:1], colors=INK, linewidths=0.8, zorder=2)


def _draw_codes(ax: Axes, z: Tensor, labels: Tensor | None) -> None:
    """Dots in random order, so that no class hides another."""
    order = np.random.default_rng(0).permutation(len(z))
    colours = BLUE if labels is None else [CLASS_COLOURS[label % 10] for label in labels[order].tolist()]
    ax.scatter(*z[order].T, s=4 if len(z) > 1500 else 10, c=colours, alpha=0.8, linewidths=0)


def _draw_names(ax: Axes, z: Tensor, labels: Tensor, names: Mapping[int, str], room: float) -> None:
    """The names of classes on their medians, where a letter has ``room``."""
    named = np.empty((0, 2))
    for label in labels.unique().tolist():
        centre = np.median(z[labels == label], axis=0)
        if (np.abs(named - centre) > (room * max(1, 0.5 * len(names[label])), room)).any(axis=1).all():
            named = np.vstack([named, centre])
            outline = [withStroke(linewidth=3, foreground="white")]
            ax.text(*centre, names[label], ha="center", va="center", weight="bold", path_effects=outline)


def _square(*clouds) -> tuple[float, float, float, float]:
    """Limits of axes that show clouds (N, 2) without the outermost 0.4 % of each: x and y equally long."""
    ranges = np.stack([np.quantile(cloud, (0.002, 0.998), axis=0) for cloud in clouds])
    low, high = ranges.min(axis=(0, 1)), ranges.max(axis=(0, 1))  # (2,)
    (x, y), half = (low + high) / 2, 0.55 * (high - low).max()
    return x - half, x + half, y - half, y + half


def latent_scatters(panels: Mapping[str, tuple], prior=None, title: str = "", classes=None) -> Figure:
    """Panels of 2-D codes on the same axes: ``panels`` maps a title to (z (N, 2), labels (N,) or None).

    ``prior``, behind the codes, is one Prior or a mapping from panel titles to priors. ``classes`` names the labels; an
    eleventh class has the first one's colour. The axes leave out the outermost 0.4 % of codes, lest a few shrink all.
    """
    codes = {name: checks.codes(f"z of {name!r}", z, 2).detach().cpu() for name, (z, _) in panels.items()}
    labels = {k: checks.labels("labels", y, len(codes[k])).cpu() for k, (_, y) in panels.items() if y is not None}
    present = sorted(set().union(*(y.tolist() for y in labels.values())))
    names = {label: classes[label] if classes else str(label) for label in present}
    priors = prior if isinstance(prior, Mapping) else dict.fromkeys(panels, prior)
    draws = {name: p.sample(5000, torch.Generator().manual_seed(0)) for name, p in priors.items() if p is not None}
    limits = _square(*codes.values(), *draws.values())
    columns = 2 if len(panels) == 4 else min(3, len(panels))
    side = min(6.0, 8.1 / columns)
    figure, axes = canvas(len(panels), columns, side + 0.9 / columns, side + 0.2 * columns - 0.2, title)
    for ax, (name, z) in zip(axes, codes.items(), strict=True):
        if name in draws:
            _draw_prior(ax, priors[name], draws[name])
        _draw_codes(ax, z, labels.get(name))
        if name in labels:
            _draw_names(ax, z, labels[name], names, room=0.175 * (limits[1] - limits[0]) / side)
        ax.axis(limits)
        ax.set(title=name, xlabel="z₁", ylabel="z₂", aspect="equal")
        ax.label_outer()
    legend = {name: CLASS_COLOURS[label % 10] for label, name in names.items()}
    legend |= {"p(z)": PRIOR_GREYS[-1]} if draws else {}
    dots = [axes[0].plot([], [], "o", color=colour, label=name)[0] for name, colour in legend.items()]
    figure.legend(handles=dots, loc="outside right center", frameon=False, handletextpad=0.1)
    return figure


def latent_scatter(z, labels=None, prior: Prior | None = None, title: str = "", classes=None) -> Figure:
    """2-D codes z (N, 2), coloured by ``labels`` (N,), over the prior they should fill; see ``latent_scatters``."""
    return latent_scatters({title: (z, labels)}, prior, classes=classes)


def representation(z, labels, heads, names=None, pictures=None, classes=None, title: str = "") -> Figure:
    """Representations z (N, 2) round their cluster heads (K, 2), which are rings with a name inside.

    ``labels`` (N,) colour the dots. ``names`` (K,): the class each head stands for, -1 for none; by default 0 to K − 1.
    ``pictures`` (K, C, H, W), the decoded heads, stand beside, sorted by class. ``classes`` names the classes.
    Makhzani et al. 2015, Fig. 11.
    """
    z, heads = checks.codes("z", z, 2).detach().cpu(), checks.codes("heads", heads, 2).detach().cpu()
    labels = None if labels is None else checks.labels("labels", labels, len(z)).cpu()
    names = list(range(len(heads)) if names is None else checks.as_tensor("names", names).tolist())
    if len(names) != len(heads):
        raise ValueError(f"names must be {len(heads)}, one a head, but there are {len(names)}.")
    if pictures is not None and len(checks.images("pictures", pictures)) != len(heads):
        raise ValueError(f"pictures must be {len(heads)}, one a head, but there are {len(pictures)}.")
    texts = ["?" if name < 0 else str(classes[name] if classes else name) for name in names]
    colours = [INK if name < 0 else CLASS_COLOURS[name % 10] for name in names]
    figure, (ax,) = canvas(1, 1, 6.6 if pictures is None else 7 + 0.6 * math.ceil(len(heads) / 10), 6.4, title)
    _draw_codes(ax, z, labels)
    ax.scatter(*heads.T, s=260, c="white", edgecolors=colours, linewidths=2.5, zorder=3)
    for head, text in zip(heads.tolist(), texts, strict=True):
        ax.text(*head, text, ha="center", va="center", weight="bold", zorder=4)
    ax.axis(_square(z, heads))
    ax.set(xlabel=r"$(W_C\,y + z)_1$", ylabel=r"$(W_C\,y + z)_2$", aspect="equal")
    if pictures is not None:
        order = np.argsort(names, kind="stable")
        _draw_heads(ax, pictures[order], [texts[k] for k in order], [colours[k] for k in order])
    return figure


def _draw_heads(ax: Axes, pictures: Tensor, texts: list[str], colours: list[str]) -> None:
    """Decoded heads, named, in columns of ten right of ``ax``."""
    columns = math.ceil(len(pictures) / 10)
    for column in range(columns):
        shown = slice(10 * column, 10 * column + 10)
        beside = ax.inset_axes((1.09 + 0.16 * column, 0, 0.1, len(pictures[shown]) / 10))
        draw_images(beside, pictures[shown], 1, rows=texts[shown])
        for text, colour in zip(beside.get_yticklabels(), colours[shown], strict=True):
            text.set(color=colour, weight="bold")


def tsne(z, labels=None, seed: int = 0, count: int = 2000, classes=None) -> Figure:
    """t-SNE of codes z (N, Z), of ``count`` random ones where there are more: many dimensions in one plane."""
    z = checks.as_tensor("z", z).detach().cpu()
    chosen = np.random.default_rng(seed).permutation(len(z))[:count]
    plane = TSNE(perplexity=min(30, (len(chosen) - 1) / 3), random_state=seed).fit_transform(z[chosen].numpy())
    labels = None if labels is None else checks.labels("labels", labels, len(z)).cpu()[chosen]
    figure = latent_scatter(plane, labels, None, f"t-SNE of {len(chosen):,} codes in {z.shape[1]} dimensions", classes)
    figure.axes[0].set(xlabel="", ylabel="", xticks=[], yticks=[], frame_on=False)  # the axes of t-SNE mean nothing
    return figure


def code_histograms(z, prior: Prior, dimensions: Sequence[int] | None = None) -> Figure:
    """Dimensions of codes z (N, Z), by default the first eight, against the prior's; mean ± standard deviation."""
    z, draws = checks.codes("z", z, prior.dim).detach().cpu(), prior.sample(200_000, torch.Generator().manual_seed(0))
    dimensions = range(min(8, prior.dim)) if dimensions is None else dimensions
    columns = min(4, len(dimensions))
    title = "Codes (line) against the prior (grey), with mean ± standard deviation"
    figure, axes = canvas(len(dimensions), columns, min(4, 9 / columns), 2.4, title)
    for ax, k in zip(axes, dimensions, strict=True):
        code, drawn = z[:, k].numpy(), draws[:, k].numpy()
        bins = np.histogram_bin_edges(np.concatenate([code, drawn]), 50)
        ax.hist(drawn, bins, density=True, histtype="stepfilled", color=PRIOR_GREYS[-1], edgecolor="none")
        ax.hist(code, bins, density=True, histtype="step", color=BLUE, linewidth=1.5)
        moments = f"{code.mean():z.2f} ± {code.std():.2f}\nprior: {drawn.mean():z.1f} ± {drawn.std():.1f}"
        ax.set(title=moments, xlabel=f"$z_{{{k + 1}}}$", yticks=[], frame_on=False)
    return figure
