"""Every picture of the course. A function takes arrays or a trained system and returns a matplotlib ``Figure``.

Nothing here touches pyplot or the global settings, so a figure appears only where ``show`` puts it. A grid of images is one
array in one ``imshow``: an axes per image would take seconds.
"""

from __future__ import annotations

import io
import math
import textwrap
from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
import seaborn
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from scipy.stats import norm
from sklearn.manifold import TSNE
from torch import Tensor

from . import checks
from .priors import Gaussian, Prior

# In grey the ten classes are equal steps of lightness (L* 20 to 82), and in CIELAB every two are at least 25 apart for normal,
# protan, deutan and tritan vision. Neighbours and look-alikes (4 and 9, 3 and 8) are farthest apart.
CLASS_COLOURS = ("#402259", "#758b34", "#f4ab16", "#bf4475", "#6b2e07")
CLASS_COLOURS += ("#cb94cf", "#9731aa", "#75e381", "#1633df", "#688ffc")
BLUE, ROSE = CLASS_COLOURS[8], CLASS_COLOURS[3]
PRIOR_GREYS = ("#ededed", "#dcdcdc", "#cacaca")

THEME = seaborn.axes_style("ticks") | seaborn.plotting_context("notebook", font_scale=0.85)
THEME |= {"axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False}
THEME |= {"font.family": "DejaVu Sans"}  # ships with matplotlib: the same figure on every machine
themed = matplotlib.rc_context(
    THEME
)  # a decorator: the course's look for what a function draws, nothing outside changes


def show(figure: Figure, alt: str) -> None:
    """Put ``figure`` into the notebook as a PNG that carries ``alt``, a sentence for readers who cannot see it."""
    if not isinstance(alt, str) or len(alt.strip()) < 20:
        raise ValueError(f"alt must say in at least 20 characters what the figure shows, but it is {alt!r}.")
    from IPython.display import display

    png = io.BytesIO()
    figure.savefig(png, format="png")
    display({"image/png": png.getvalue(), "text/plain": alt}, raw=True, metadata={"image/png": {"alt": alt}})


def _panels(count: int, columns: int, width: float, height: float, title: str | None) -> tuple[Figure, np.ndarray]:
    """A figure with ``count`` axes of about ``width`` by ``height`` inches, ``columns`` in a row, under one title."""
    rows = math.ceil(count / columns)
    figure = Figure(figsize=(columns * width, rows * height), dpi=100, layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for unused in axes[count:]:
        unused.remove()
    if title:
        figure.suptitle(textwrap.fill(title, int(11 * columns * width)))
    return figure, axes[:count]


def _unit(images: Tensor) -> Tensor:
    """uint8 or floating-point images as floating point in [0, 1], on the CPU."""
    return images.cpu().float() / (255 if images.dtype == torch.uint8 else 1)


def image_grid(images: Tensor | np.ndarray, columns: int | None = None, gap: int = 1) -> np.ndarray:
    """Images (N, C, H, W), row by row, as one picture (H', W') or, in colour, (H', W', 3) with values in [0, 1].

    ``columns`` is about √N by default; ``gap`` is the width in pixels of the white lines between images.
    """
    pixels = _unit(checks.images("images", images)).detach().permute(0, 2, 3, 1).numpy()  # (N, H, W, C)
    count, height, width, channels = pixels.shape
    if channels not in (1, 3):
        raise ValueError(f"images must have 1 channel (grey) or 3 (colour) to be shown, but they have {channels}.")
    checks.positive_number("gap", gap, zero=True)
    columns = math.ceil(math.sqrt(count)) if columns is None else checks.positive_integer("columns", columns)
    rows = math.ceil(count / columns)
    cells = np.ones((rows * columns, height + gap, width + gap, channels), dtype=np.float32)
    cells[:count, :height, :width] = pixels
    cells = cells.reshape(rows, columns, height + gap, width + gap, channels).swapaxes(1, 2)
    grid = cells.reshape(rows * (height + gap), columns * (width + gap), channels)[: -gap or None, : -gap or None]
    return grid[:, :, 0] if channels == 1 else grid


@themed
def show_images(
    images, columns=None, title: str | None = None, captions: Sequence[str] = (), rows: Sequence[str] = ()
) -> Figure:
    """Images (N, C, H, W) in a grid; ``captions`` stand below its columns and ``rows`` left of its rows."""
    grid = image_grid(images, columns)
    height, width = images.shape[-2:]
    inch = min(0.8 / max(height, width), 8.0 / grid.shape[1], 6.5 / grid.shape[0])  # per pixel: a notebook is 9 in wide
    margins = 0.1 + bool(rows), 0.1 + 0.4 * bool(title) + 0.3 * bool(captions)
    figure, (ax,) = _panels(1, 1, max(5, inch * grid.shape[1] + margins[0]), inch * grid.shape[0] + margins[1], title)
    ax.imshow(grid, cmap="gray", vmin=0, vmax=1)
    ax.set_yticks([(height + 1) * row + height / 2 - 0.5 for row in range(len(rows))], rows)
    ax.set_xticks([(width + 1) * column + width / 2 - 0.5 for column in range(len(captions))], captions)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return figure


def samples(system, count: int = 64, seed: int = 0) -> Figure:
    """``count`` codes drawn from the system's prior, decoded."""
    return show_images(system.sample(count, seed=seed), title=f"{count} codes drawn from the prior, decoded")


def reconstructions(system, images: Tensor) -> Figure:
    """A few images (N, C, H, W), at most about 16, above their reconstructions; the title has the mean error."""
    originals, decoded = _unit(checks.images("images", images, system.image_shape)), _unit(system.reconstruct(images))
    error = 0.5 * (decoded - originals).square().flatten(1).sum(dim=1).mean()
    title = f"Half the squared error of these reconstructions: {error:.1f} per image"
    return show_images(torch.cat([originals, decoded]), len(images), title, rows=("original", "decoded"))


def snapshots(pictures: Mapping[int, Tensor], title: str = "The same pictures through training") -> Figure:
    """``pictures`` maps updates to images (N, C, H, W), N at most about 16: a row per update, the first on top."""
    if not pictures:
        raise ValueError("pictures is empty; take some with the Snapshots callback while fitting.")
    rows = torch.stack([_unit(pictures[update]) for update in sorted(pictures)])  # (updates, N, C, H, W)
    names = [f"update {update:,}" for update in sorted(pictures)]
    return show_images(rows.flatten(0, 1), rows.shape[1], title, rows=names)


def interpolation(system, first: Tensor, second: Tensor, steps: int = 10) -> Figure:
    """Codes on the straight line from the code of one image (C, H, W) to that of another, decoded."""
    start, end = system.encode(torch.stack([first, second]))  # (Z,) each
    weights = torch.linspace(0, 1, checks.positive_integer("steps", steps))
    images = system.decode(torch.lerp(start, end, weights[:, None]))  # (steps, C, H, W)
    title = "On the straight line from the code of one image to that of another"
    return show_images(images, steps, title, [f"{weight:.0%}" for weight in weights.tolist()])


def _decoded_plane(system, z1_z2: Tensor, limits: tuple[float, float], title: str, axis: str) -> Figure:
    """All pairs of the values ``z1_z2`` (side,), decoded: z₁ grows to the right, z₂ upwards; the axes span ``limits``."""
    side = len(z1_z2)
    z = torch.stack([z1_z2.repeat(side), z1_z2.flip(0).repeat_interleave(side)], dim=1)  # (side², 2)
    grid = image_grid(system.decode(z), side, gap=0)
    figure, (ax,) = _panels(1, 1, 6.5, 6.5 * grid.shape[0] / grid.shape[1], title)
    ax.imshow(grid, cmap="gray", vmin=0, vmax=1, extent=(*limits, *limits), aspect="auto")
    ax.set(xlabel=axis.format("z₁"), ylabel=axis.format("z₂"), box_aspect=grid.shape[0] / grid.shape[1])
    return figure


@themed
def percentile_grid(system, side: int = 20) -> Figure:
    """A 2-D Gaussian prior as the decoder sees it, each image standing for an equal share of the probability.

    Decodes the prior's quantiles (i + ½) / side in both dimensions (Makhzani et al. 2015, Fig. 2e); ValueError without one.
    """
    prior = system.prior
    if not isinstance(prior, Gaussian) or prior.dim != 2:
        raise ValueError(
            f"system must have the prior Gaussian(2) for this figure, but it has {prior}; use latent_grid."
        )
    quantiles = prior.std * norm.ppf((np.arange(checks.positive_integer("side", side)) + 0.5) / side)
    title = "The prior decoded: every image has the same probability"
    return _decoded_plane(
        system, torch.from_numpy(quantiles).float(), (0, 100), title, "percentile of {} under the prior"
    )


@themed
def latent_grid(system, low: float = -3.0, high: float = 3.0, side: int = 20) -> Figure:
    """The square [low, high]² of any 2-D latent space, decoded at ``side`` x ``side`` equally spaced codes."""
    if system.latent_dim != 2:
        raise ValueError(f"system must have 2-D codes for this figure, but its latent_dim is {system.latent_dim}.")
    half = (high - low) / checks.positive_integer("side", side) / 2  # codes are cell centres
    centres = torch.linspace(low + half, high - half, side)
    return _decoded_plane(system, centres, (low, high), "The latent plane decoded", "{}")


def _draw_prior(ax: Axes, prior: Prior, draws: Tensor) -> None:
    """Grey regions that hold 95, 80 and 50 % of a 2-D prior; its ``draws`` (N, 2) where it has no density."""
    if not prior.has_density:
        ax.scatter(*draws.T, s=14, color=PRIOR_GREYS[-1], linewidths=0, zorder=0)
        return
    axis = torch.linspace(float(draws.min()) - 0.1, float(draws.max()) + 0.1, 300)
    density = prior.log_prob(torch.cartesian_prod(axis, axis)).exp().reshape(300, 300).T  # rows: z₂
    levels = np.unique(0.999 * np.quantile(prior.log_prob(draws).exp(), (0.05, 0.2, 0.5)))
    ax.contourf(
        axis, axis, density, [*levels, 1.01 * float(density.max())], colors=PRIOR_GREYS[-len(levels) :], zorder=0
    )


def _draw_codes(ax: Axes, z: np.ndarray, labels: np.ndarray | None, classes: Sequence[str], spacing: float) -> None:
    """Dots in random order, so that no class hides another; names on the class medians that lie ``spacing`` apart."""
    order = np.random.default_rng(0).permutation(len(z))
    colours = BLUE if labels is None else [CLASS_COLOURS[label % 10] for label in labels[order]]
    ax.scatter(*z[order].T, s=4 if len(z) > 1500 else 10, c=colours, alpha=0.8, linewidths=0)
    named = np.empty((0, 2))
    for label in [] if labels is None else np.unique(labels):
        centre = np.median(z[labels == label], axis=0, keepdims=True)  # (1, 2)
        if (np.linalg.norm(named - centre, axis=1) > spacing).all():
            named = np.concatenate([named, centre])
            outline = [withStroke(linewidth=3, foreground="white")]
            ax.text(*centre[0], classes[label], ha="center", va="center", weight="bold", path_effects=outline)


@themed
def latent_scatters(panels: Mapping[str, tuple], prior=None, title: str | None = None, classes=None) -> Figure:
    """Panels of 2-D codes on the same axes: ``panels`` maps a title to (z (N, 2), labels (N,) or None).

    ``prior``, in grey behind the codes, is one Prior or a mapping from the panels' titles to priors. ``classes`` names the
    labels. There are ten colours; an eleventh class begins again with the first.
    """
    codes = {name: checks.codes(f"z of {name!r}", z, 2).detach().cpu() for name, (z, _) in panels.items()}
    labels = {
        n: y if y is None else checks.labels("labels", y, len(codes[n])).cpu().numpy() for n, (_, y) in panels.items()
    }
    present = np.unique(np.concatenate([y for y in labels.values() if y is not None] or [np.empty(0, int)]))
    classes = classes or [str(label) for label in range(present.max(initial=0) + 1)]
    priors = prior if isinstance(prior, Mapping) else dict.fromkeys(panels, prior)
    draws = {name: p.sample(5000, torch.Generator().manual_seed(0)) for name, p in priors.items() if p is not None}
    ranges = np.stack([np.quantile(z, (0.002, 0.998), axis=0) for z in (*codes.values(), *draws.values())])
    low, high = ranges.min(axis=(0, 1)), ranges.max(axis=(0, 1))  # (2,); a few far codes must not shrink all others
    centre, half = (low + high)[:, None] / 2, 0.55 * (high - low).max()

    columns = len(panels) if len(panels) <= 3 else math.ceil(len(panels) / 2)
    side = min(6.0, 8.1 / columns)
    figure, axes = _panels(len(panels), columns, side + 0.9 / columns, side, title)
    for ax, (name, z) in zip(axes, codes.items(), strict=True):
        if name in draws:
            _draw_prior(ax, priors[name], draws[name])
        _draw_codes(ax, z.numpy(), labels[name], classes, spacing=0.12 * half)
        xlim, ylim = centre + half * np.array([-1, 1])
        ax.set(title=name, xlabel="z₁", ylabel="z₂", aspect="equal", xlim=xlim, ylim=ylim)
    entries = [(classes[label], CLASS_COLOURS[label % 10]) for label in present] + [("p(z)", PRIOR_GREYS[-1])] * bool(
        draws
    )
    handles = [axes[0].plot([], [], "o", color=colour, label=name)[0] for name, colour in entries]
    if handles:
        figure.legend(handles=handles, loc="outside right center", handletextpad=0.1)
    return figure


def latent_scatter(z, labels=None, prior: Prior | None = None, title: str = "", classes=None) -> Figure:
    """2-D codes z (N, 2), coloured by ``labels`` (N,), over the prior that they should fill; see ``latent_scatters``."""
    return latent_scatters({title: (z, labels)}, prior, classes=classes)


def tsne(z, labels=None, seed: int = 0, count: int = 2000, classes=None) -> Figure:
    """t-SNE of codes z (N, Z), of ``count`` random ones where there are more: many dimensions in one plane."""
    z = checks.as_tensor("z", z).detach().cpu()
    chosen = np.random.default_rng(seed).permutation(len(z))[:count]
    plane = TSNE(perplexity=min(30, (len(chosen) - 1) / 3), random_state=seed).fit_transform(z[chosen].numpy())
    labels = None if labels is None else checks.labels("labels", labels, len(z)).cpu()[chosen]
    figure = latent_scatter(plane, labels, None, f"t-SNE of {len(chosen):,} codes in {z.shape[1]} dimensions", classes)
    figure.axes[0].set(xlabel="", ylabel="", xticks=[], yticks=[])  # the axes of t-SNE mean nothing
    return figure


@themed
def code_histograms(z, prior: Prior, dimensions: Sequence[int] | None = None) -> Figure:
    """Some dimensions of codes z (N, Z), the first eight by default, against the same dimensions of the prior."""
    z, draws = checks.codes("z", z, prior.dim).detach().cpu(), prior.sample(200_000, torch.Generator().manual_seed(0))
    dimensions = range(min(8, prior.dim)) if dimensions is None else dimensions
    columns = min(4, len(dimensions))
    figure, axes = _panels(len(dimensions), columns, min(4, 9 / columns), 2.4, "Codes (line) against the prior (grey)")
    for ax, k in zip(axes, dimensions, strict=True):
        bins = np.histogram_bin_edges(torch.cat([z[:, k], draws[:, k]]), 50)
        ax.hist(draws[:, k], bins, density=True, color=PRIOR_GREYS[-1])
        ax.hist(z[:, k], bins, density=True, histtype="step", color=BLUE, linewidth=1.5)
        moments = [
            f"{name}: {values[:, k].mean():.2f} ± {values[:, k].std():.2f}" for name, values in (("z", z), ("p", draws))
        ]
        ax.set(title="\n".join(moments), xlabel=f"dimension {k}", yticks=[])
        ax.spines["left"].set_visible(False)
    return figure


@themed
def training_curves(history) -> Figure:
    """Losses against updates, discriminator and generator in one panel; dashed: what they should settle at or fall below.

    That is 2 ln 2 and ln 2 where the discriminator can only guess, and for the reconstruction the error of the mean image.
    """
    if len(history.updates) == 0:
        raise ValueError("history has no updates yet; fit the system first.")
    marks = {
        "reconstruction": ("predicting the mean image", history.mean_image_loss),
        "discriminator": ("guessing: 2 ln 2", 2 * math.log(2)),
        "generator": ("guessing: ln 2", math.log(2)),
    }
    players = [name for name in history.losses if name in ("discriminator", "generator")]
    groups = [[name] for name in history.losses if name not in players] + [players] * bool(players)
    figure, axes = _panels(len(groups), len(groups), 9 / max(2, len(groups)), 3.2, None)
    for ax, group in zip(axes, groups, strict=True):
        for name, colour in zip(group, (BLUE, ROSE), strict=False):
            ax.plot(history.updates, history.losses[name], color=colour, label=name)
            if name in marks:
                text, level = marks[name]
                ax.axhline(level, color=colour, linestyle="--", linewidth=1)
                ax.text(1, level, text, transform=ax.get_yaxis_transform(), ha="right", va="bottom", color=colour)
        ax.set(title=" and ".join(group), xlabel="updates", ylabel="loss", ylim=(0, None))
        ax.legend()
    return figure


@themed
def bars(
    values: Mapping[str, Sequence[float]], label: str, title: str | None = None, floor=None, floor_label="floor"
) -> Figure:
    """Measurements by name, one per seed: seeds as dots, their mean as a bar, their standard deviation as a whisker.

    ``label`` says what is measured and in which unit; ``floor`` is drawn as a dashed line, and ``floor_label`` names it.
    """
    figure, (ax,) = _panels(1, 1, 8, 1 + 0.45 * len(values), title)
    for row, seeds in enumerate(values.values()):
        mean, spread = np.mean(seeds), np.std(seeds, ddof=1) if len(seeds) > 1 else 0.0
        ax.barh(row, mean, xerr=spread, height=0.6, color=PRIOR_GREYS[1], ecolor="#333333", capsize=4)
        ax.scatter(seeds, [row] * len(seeds), s=16, color=BLUE, zorder=3)
        text = f"{mean:.3g} ± {spread:.1g}" if spread else f"{mean:.3g}"
        ax.annotate(text, (max(*seeds, mean + spread), row), (8, 0), textcoords="offset points", va="center")
    if floor is not None:
        ax.axvline(floor, color=ROSE, linestyle="--")
        ax.text(floor, 1, floor_label, transform=ax.get_xaxis_transform(), color=ROSE, va="bottom")
    ax.set_yticks(range(len(values)), values)
    ax.set(xlabel=label, ylim=(len(values) - 0.5, -0.5))
    ax.margins(x=0.15)
    return figure


@themed
def network_diagram() -> Figure:
    """An adversarial autoencoder: top, an autoencoder; bottom, the discriminator of codes (Makhzani et al. 2015, Fig. 1)."""
    figure, (ax,) = _panels(1, 1, 9, 4.2, None)
    ax.set(xlim=(0, 9), ylim=(0, 4.2), aspect="equal")
    ax.axis("off")
    for x, y, left, right, colour, name in (
        (2.2, 3.3, 1.6, 0.7, BLUE, "encoder\n$q(z|x)$"),
        (6.2, 3.3, 0.7, 1.6, BLUE, "decoder\n$p(x|z)$"),
        (6.2, 0.9, 1.6, 0.7, ROSE, "discriminator"),
    ):  # trapezoids, ``left`` and ``right`` high
        ax.fill(x + np.array([-0.8, 0.8, 0.8, -0.8]), y + np.array([left, right, -right, -left]) / 2, color=colour)
        ax.text(x, y, name, color="white", ha="center", va="center")
    for x, y, colour, name in (
        (0.5, 3.3, BLUE, "$x$"),
        (4.2, 3.3, BLUE, "$z$"),
        (8.0, 3.3, BLUE, r"$\hat{x}$"),
        (2.2, 0.9, ROSE, "draw samples\nfrom the prior $p(z)$"),
        (8.2, 0.9, ROSE, "prior\nor code?"),
    ):
        ax.text(x, y, name, ha="center", va="center", bbox={"boxstyle": "round,pad=0.5", "fc": "white", "ec": colour})
    for start, end, sign in (
        ((0.8, 3.3), (1.4, 3.3), ""),
        ((3.0, 3.3), (3.9, 3.3), ""),
        ((4.5, 3.3), (5.4, 3.3), ""),
        ((7.0, 3.3), (7.7, 3.3), ""),
        ((4.2, 2.95), (5.4, 1.3), "$-$"),
        ((3.3, 0.9), (5.4, 0.9), "$+$"),
        ((7.0, 0.9), (7.6, 0.9), ""),
    ):
        ax.annotate("", end, start, arrowprops={"arrowstyle": "->", "lw": 1.5})
        ax.annotate(sign, end, (-10, 6), textcoords="offset points", fontsize=16)
    ax.text(4.5, 4.1, "Reconstruction", ha="center")
    ax.text(6.2, -0.1, "adversarial cost", ha="center")
    return figure
