"""Every picture of the course: functions that take arrays or a trained system and return a matplotlib ``Figure``.

pyplot and the global settings stay untouched. A grid of images is one array in one ``imshow``: that is fast.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
import seaborn
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from PIL import Image
from sklearn.manifold import TSNE
from torch import Tensor

from . import checks
from .history import EQUILIBRIUM
from .priors import Gaussian, Prior
from .systems.base import as_float, half_squared_error

# In grey the ten classes are equal steps of lightness (L* 20 to 82); in colour every two are at least 25 apart (CIELAB)
# with normal, protan, deutan and tritan vision. Neighbours and look-alikes (4 and 9, 3 and 8) are farthest apart.
CLASS_COLOURS = ("#402259", "#758b34", "#f4ab16", "#bf4475", "#6b2e07")
CLASS_COLOURS += ("#cb94cf", "#9731aa", "#75e381", "#1633df", "#688ffc")
INK, BLUE, ROSE = "#262626", CLASS_COLOURS[8], CLASS_COLOURS[3]
PRIOR_GREYS = ("#ededed", "#dcdcdc", "#cacaca")

THEME = seaborn.axes_style("ticks") | seaborn.plotting_context("notebook", font_scale=0.85)
THEME |= {"axes.spines.top": False, "axes.spines.right": False, "font.family": "DejaVu Sans"}  # a font everyone has


def show(figure: Figure, alt: str) -> None:
    """Put ``figure`` into the notebook as a PNG that carries ``alt``, a sentence for readers who cannot see it."""
    if not isinstance(alt, str) or len(alt.strip()) < 20:
        raise ValueError(f"alt must say in at least 20 characters what the figure shows, but it is {alt!r}.")
    from IPython.display import display

    drawn, png = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png")
    Image.open(drawn).convert("RGB").quantize(256).save(png, "PNG", optimize=True)  # looks as good, half the size
    display({"image/png": png.getvalue(), "text/plain": alt}, raw=True, metadata={"image/png": {"alt": alt}})


def canvas(count=1, columns=1, width: float = 6.0, height: float = 4.0, title="") -> tuple[Figure, list[Axes]]:
    """A figure in the course's look with ``count`` axes, ``columns`` in a row, each ``width`` by ``height`` inches."""
    rows = math.ceil(count / columns)
    with matplotlib.rc_context(THEME):
        figure = Figure(figsize=(columns * width, rows * height), dpi=100, layout="compressed")
        figure.suptitle(title, wrap=True)
        return figure, [figure.add_subplot(rows, columns, i + 1) for i in range(count)]


def image_grid(images: Tensor | np.ndarray, columns: int | None = None, gap: int = 1) -> np.ndarray:
    """Images (N, C, H, W), row by row, as one picture (H', W') or, in colour, (H', W', 3) with values in [0, 1].

    ``columns`` is about √N by default; ``gap`` is the width in pixels of the white lines between images.
    """
    pixels = as_float(checks.images("images", images)).detach().cpu().permute(0, 2, 3, 1).numpy()  # (N, H, W, C)
    count, height, width, channels = pixels.shape
    if channels not in (1, 3):
        raise ValueError(f"images must have 1 channel (grey) or 3 (colour) to be shown, but they have {channels}.")
    columns = math.ceil(math.sqrt(count)) if columns is None else checks.positive_integer("columns", columns)
    rows = math.ceil(count / columns)
    cells = np.ones((rows * columns, height + gap, width + gap, channels), dtype=np.float32)
    cells[:count, :height, :width] = pixels
    cells = cells.reshape(rows, columns, height + gap, width + gap, channels).swapaxes(1, 2)
    grid = cells.reshape(rows * (height + gap), columns * (width + gap), channels)[: -gap or None, : -gap or None]
    return grid[:, :, 0] if channels == 1 else grid


def show_images(images, columns: int | None = None, title: str = "", captions=(), rows=()) -> Figure:
    """Images (N, C, H, W) in a grid; ``captions`` stand below its columns and ``rows`` left of its rows."""
    grid = image_grid(images, columns)
    height, width = images.shape[-2:]
    inch = min(0.8 / max(height, width), 8 / grid.shape[1], 6.5 / grid.shape[0])  # per pixel: a notebook is 9 in wide
    margins = 0.1 + bool(rows), 0.1 + 0.3 * bool(title) + 0.3 * bool(captions)
    figure, (ax,) = canvas(1, 1, max(5, inch * grid.shape[1] + margins[0]), inch * grid.shape[0] + margins[1], title)
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
    originals, decoded = as_float(checks.images("images", images, system.image_shape)), system.reconstruct(images)
    title = f"Half the squared error of these reconstructions: {half_squared_error(decoded, originals):.1f} per image"
    return show_images(torch.cat([originals, decoded]), len(images), title, rows=("original", "decoded"))


def snapshots(pictures: Mapping[int, Tensor], title: str = "The same pictures through training") -> Figure:
    """``pictures`` maps updates to images (N, C, H, W), N at most about 16: a row per update, the first on top."""
    if not pictures:
        raise ValueError("pictures is empty; take some with the Snapshots callback while fitting.")
    grid = torch.stack([as_float(pictures[update]) for update in sorted(pictures)])  # (updates, N, C, H, W)
    rows = [f"update {update:,}" for update in sorted(pictures)]
    return show_images(grid.flatten(0, 1), grid.shape[1], title, rows=rows)


def interpolation(system, first: Tensor, second: Tensor, steps: int = 10) -> Figure:
    """Codes on the straight line from the code of one image (C, H, W) to that of another, decoded."""
    start, end = system.encode(torch.stack([first, second]))  # (Z,) each
    weights = torch.linspace(0, 1, checks.positive_integer("steps", steps), device=start.device)
    images = system.decode(torch.lerp(start, end, weights[:, None]))  # (steps, C, H, W)
    return show_images(images, steps, "From one image's code to another's", [f"{at:.0%}" for at in weights.tolist()])


def _plane(system, side: int, values_at, limits: tuple[float, float], title: str, axis: str) -> Figure:
    """All pairs of ``values_at`` (i + ½) / side, decoded: z₁ grows to the right, z₂ upwards; axes span ``limits``."""
    values = values_at((torch.arange(checks.positive_integer("side", side)) + 0.5) / side)  # (side,)
    z = torch.stack([values.repeat(side), values.flip(0).repeat_interleave(side)], dim=1)  # (side², 2)
    grid = image_grid(system.decode(z), side)
    figure, (ax,) = canvas(1, 1, 6.5, 6.5 * grid.shape[0] / grid.shape[1], title)
    ax.imshow(grid, cmap="gray", vmin=0, vmax=1, extent=(*limits, *limits), aspect="auto")
    ax.set(xlabel=axis.format("z₁"), ylabel=axis.format("z₂"), box_aspect=grid.shape[0] / grid.shape[1])
    return figure


def percentile_grid(system, side: int = 20) -> Figure:
    """A 2-D Gaussian prior decoded at its percentiles: equally probable images (Makhzani et al. 2015, Fig. 2e)."""
    prior = system.prior
    if not isinstance(prior, Gaussian) or prior.dim != 2:
        raise ValueError(f"system must have the prior Gaussian(2) here, but it has {prior}; use latent_grid.")
    title, axis = "The prior decoded: every image is equally probable", "percentile of {} under the prior"
    return _plane(system, side, lambda u: prior.std * torch.special.ndtri(u), (0, 100), title, axis)


def latent_grid(system, low: float = -3.0, high: float = 3.0, side: int = 20) -> Figure:
    """The square [low, high]² of any 2-D latent space, decoded at ``side`` x ``side`` equally spaced codes."""
    if system.latent_dim != 2:
        raise ValueError(f"system must have 2-D codes for this figure, but its latent_dim is {system.latent_dim}.")
    return _plane(system, side, lambda u: low + (high - low) * u, (low, high), "The latent plane decoded", "{}")


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


def _draw_codes(ax: Axes, z: Tensor, labels: Tensor | None, names: Mapping[int, str], room: float) -> None:
    """Dots in random order, so that no class hides another; names on class medians where a letter has ``room``."""
    order = np.random.default_rng(0).permutation(len(z))
    colours = BLUE if labels is None else [CLASS_COLOURS[label % 10] for label in labels[order].tolist()]
    ax.scatter(*z[order].T, s=4 if len(z) > 1500 else 10, c=colours, alpha=0.8, linewidths=0)
    named = np.empty((0, 2))
    for label in [] if labels is None else labels.unique().tolist():
        centre = np.median(z[labels == label], axis=0)
        if (np.abs(named - centre) > (room * max(1, 0.5 * len(names[label])), room)).any(axis=1).all():
            named = np.vstack([named, centre])
            outline = [withStroke(linewidth=3, foreground="white")]
            ax.text(*centre, names[label], ha="center", va="center", weight="bold", path_effects=outline)


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
    ranges = np.stack([np.quantile(z, (0.002, 0.998), axis=0) for z in (*codes.values(), *draws.values())])
    low, high = ranges.min(axis=(0, 1)), ranges.max(axis=(0, 1))  # (2,)
    (x, y), half = (low + high) / 2, 0.55 * (high - low).max()
    columns = 2 if len(panels) == 4 else min(3, len(panels))
    side = min(6.0, 8.1 / columns)
    figure, axes = canvas(len(panels), columns, side + 0.9 / columns, side + 0.2 * columns - 0.2, title)
    for ax, (name, z) in zip(axes, codes.items(), strict=True):
        if name in draws:
            _draw_prior(ax, priors[name], draws[name])
        _draw_codes(ax, z, labels.get(name), names, room=0.35 * half / side)
        ax.axis((x - half, x + half, y - half, y + half))
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


def training_curves(history) -> Figure:
    """Losses against updates; dashed: a discriminator that can only guess (2 ln 2, ln 2), decoding the mean image."""
    if len(history.updates) == 0:
        raise ValueError("history has no updates yet; fit the system first.")
    levels = EQUILIBRIUM | {"reconstruction": history.mean_image_loss}
    texts = {"discriminator": "2 ln 2", "generator": "ln 2", "reconstruction": "mean\nimage"}
    players = [name for name in history.losses if name in EQUILIBRIUM]
    groups = [[name] for name in history.losses if name not in EQUILIBRIUM] + [players] * bool(players)
    figure, axes = canvas(len(groups), len(groups), 9 / max(2, len(groups)), 3.2)
    for ax, group in zip(axes, groups, strict=True):
        for name, colour in zip(group, (BLUE, ROSE), strict=False):
            ax.plot(history.updates, history.losses[name], color=colour, label=name)
            if name in levels:
                ax.axhline(levels[name], color=colour, linestyle="--", linewidth=1)
                ax.text(1.02, levels[name], texts[name], transform=ax.get_yaxis_transform(), va="center", color=colour)
        ax.set(xlabel="updates", ylabel="loss", ylim=(0, None))
        ax.legend(frameon=False)
    return figure


def bars(values: Mapping[str, Sequence[float]], label: str, title: str = "", floor=None, floor_label="") -> Figure:
    """Measurements by name, one per seed, with mean and standard deviation; ``label`` says of what."""
    figure, (ax,) = canvas(1, 1, 8, 1 + 0.45 * len(values), title)
    seaborn.barplot(values, orient="h", errorbar="sd", capsize=0.2, color=PRIOR_GREYS[1], err_kws={"color": INK}, ax=ax)
    seaborn.stripplot(values, orient="h", jitter=False, color=BLUE, ax=ax)
    for row, seeds in enumerate(values.values()):
        mean, spread = np.mean(seeds), np.std(seeds, ddof=1) if len(seeds) > 1 else 0.0
        text = f"{mean:.3g} ± {spread:.2g}" if spread else f"{mean:.3g}"
        ax.annotate(text, (max(*seeds, mean + spread), row), (8, 0), textcoords="offset points", va="center")
    if floor is not None:
        ax.axvline(floor, color=ROSE, linestyle="--")
        ax.text(floor, 1, floor_label, transform=ax.get_xaxis_transform(), color=ROSE, va="bottom")
    ax.set(xlabel=label, xmargin=0.15)
    return figure


def network_diagram() -> Figure:
    """An autoencoder above, a discriminator of its codes below (Fig. 1 of Makhzani et al. 2015, redrawn)."""
    figure, (ax,) = canvas(1, 1, 9, 4.4)
    ax.set(xlim=(0, 9), ylim=(0, 4.2), aspect="equal", frame_on=False, xticks=[], yticks=[])
    for x, y, width, left, right, colour, text in (
        (0.7, 3, 0.8, 0.8, 0.8, BLUE, "$x$"),
        (2.6, 3, 1.6, 1.6, 0.7, BLUE, "encoder\n$q(z|x)$"),
        (4.5, 3, 0.8, 0.6, 0.6, INK, "$z$"),
        (6.4, 3, 1.6, 0.7, 1.6, BLUE, "decoder\n$p(x|z)$"),
        (8.3, 3, 0.8, 0.8, 0.8, BLUE, r"$\hat{x}$"),
        (2.6, 0.9, 2.2, 0.8, 0.8, ROSE, "draw samples\nfrom the prior $p(z)$"),
        (6.4, 0.9, 1.6, 1.6, 0.7, ROSE, "discriminator\n$D(z)$"),
        (8.4, 0.9, 1.0, 0.8, 0.8, ROSE, "prior\nor code?"),
    ):  # networks are filled and change their height from ``left`` to ``right``; what flows between them is outlined
        xs, ys = x + np.array([-1, 1, 1, -1]) * width / 2, y + np.array([left, right, -right, -left]) / 2
        ax.fill(xs, ys, facecolor=colour if left != right else "white", edgecolor=colour, linewidth=1.5)
        ax.text(x, y, text, ha="center", va="center", color="white" if left != right else INK, fontsize=12)
    arrows = [(x, y, x + 0.7, y, "") for x, y in ((1.1, 3), (3.4, 3), (4.9, 3), (7.2, 3), (7.2, 0.9))]
    for x, y, to_x, to_y, sign in (*arrows, (3.95, 0.75, 5.6, 0.75, "$+$"), (4.5, 2.5, 5.6, 1.2, "$-$")):
        style = {"arrowstyle": "-|>", "color": INK, "shrinkB": 2}
        ax.annotate(sign, (to_x, to_y), (x, y), ha="center", va="center", fontsize=18, color=ROSE, arrowprops=style)
    figure.suptitle("Reconstruction: encoder and decoder learn to return the image", color=BLUE)
    figure.supxlabel("Regularization: tell prior samples ($+$) from codes ($-$); the encoder fools it", color=ROSE)
    return figure
