"""Images with a row or a column for each class, cluster or component of the prior."""

from __future__ import annotations

import math

import torch
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from torch import Tensor

from .. import checks
from ..evaluation.clustering import NAMELESS
from ..pixels import as_float
from ..priors import SwissRoll
from .images import alike, cell_centres, draw_images, show_images
from .theme import CLASS_COLOURS, INK, ROSE, canvas


def style_content(sources, images, captions=None, title: str = "", source: str = "source") -> Figure:
    """Row r: the source image r, set apart, then its style in each of K contents (Makhzani et al. 2015, Fig. 7).

    ``sources`` (R, C, H, W), or None where styles were drawn from the prior; ``images`` (R, K, C, H, W); ``captions``
    name the contents, 0 to K − 1 by default, and ``source`` the first column.
    """
    images = checks.as_tensor("images", images)
    if images.ndim != 5:
        raise ValueError(
            f"images must have 5 dimensions (styles, contents, C, H, W), but its shape is {tuple(images.shape)}; "
            "use images.unflatten(0, (styles, contents))."
        )
    rows, contents = images.shape[:2]
    captions = [str(name) for name in (range(contents) if captions is None else captions)]
    if sources is None:
        return _captions_on_top(show_images(images.flatten(0, 1), contents, title, captions))
    sources = as_float(alike("sources", sources, "images", images))
    if len(sources) != rows:
        raise ValueError(f"sources must be {rows} images, one for each row of images, but there are {len(sources)}.")
    together = torch.cat([sources[:, None], as_float(images)], dim=1)  # (R, 1 + K, C, H, W)
    return _captions_on_top(show_images(together.flatten(0, 1), contents + 1, title, [source, *captions], apart=1))


def _captions_on_top(figure: Figure) -> Figure:
    figure.axes[0].xaxis.tick_top()
    figure.axes[0].tick_params(length=0)
    return figure


def cluster_rows(
    heads, images, assigned, labels=None, names=None, members: int | None = None, seed: int = 0, title="", classes=None
) -> Figure:
    """A row for each cluster: its head, decoded at z = 0, then random members (Makhzani et al. 2015, Fig. 9).

    ``heads`` (K, C, H, W); ``images`` (N, C, H, W), held out; ``assigned`` (N,): the cluster of each. With ``labels``
    (N,) and ``names`` (K,), the class of each cluster or -1, rows are sorted by class and purity, the share of members
    of that class, and members of other classes are framed. ``members`` a row: 12, or 7 in each of two blocks.
    """
    heads = as_float(checks.images("heads", heads)).cpu()
    images = as_float(alike("images", images, "heads", heads)).cpu()
    assigned = checks.labels("assigned", assigned, len(images)).cpu()
    if int(assigned.max()) >= len(heads):
        raise ValueError(f"assigned must be below {len(heads)}, the number of heads, but one is {int(assigned.max())}.")
    if (labels is None) != (names is None):
        raise ValueError("labels and names belong together, but one of them is missing; give both or none.")
    wrong = torch.zeros(len(images), dtype=torch.bool)
    if names is not None:
        names = checks.as_tensor("names", names).cpu()
        if names.shape != (len(heads),):
            raise ValueError(f"names must have shape ({len(heads)},), one a cluster, but it is {tuple(names.shape)}.")
        wrong = names[assigned] != checks.labels("labels", labels, len(images)).cpu()
    purity = [float(1 - wrong[assigned == k].float().mean()) for k in range(len(heads))]  # NaN where it is empty
    order = sorted(range(len(heads)), key=lambda k: _place(k, names, purity))
    blocks = 1 if len(heads) <= 16 else 2
    members = (12, 7)[blocks - 1] if members is None else checks.positive_integer("members", members)
    shuffled = torch.randperm(len(images), generator=torch.Generator().manual_seed(checks.seed("seed", seed)))
    chosen = [shuffled[assigned[shuffled] == k][:members] for k in order]
    rows = [_row(k, names, purity, classes) for k in order]
    caption = "random members" if names is None else "random members, other classes framed"
    length = math.ceil(len(heads) / blocks)
    inch = min(6.6 / length, (9 / blocks - 1) / (members + 1.5))  # per image
    width, height = inch * (members + 1.5) + 1, inch * length + 0.3 + 0.3 * bool(title)
    figure, axes = canvas(blocks, blocks, width, height, title)
    figure.get_layout_engine().set(w_pad=0.1)
    for block, ax in enumerate(axes):
        part = slice(block * length, (block + 1) * length)
        pictures = torch.ones(length, 1 + members, *heads.shape[1:])  # white where there is nothing
        for row, head, mine in zip(pictures, heads[order[part]], chosen[part], strict=False):
            row[0], row[1 : 1 + len(mine)] = head, images[mine]
        draw_images(ax, pictures.flatten(0, 1), 1 + members, rows=rows[part], apart=1)
        _mark_members(ax, pictures, [wrong[mine] for mine in chosen[part]])
        xs, _ = cell_centres(pictures.flatten(0, 1), 1 + members, apart=1)
        ax.set_xticks([xs[0], xs[1:].mean()], ["head", caption])
        ax.xaxis.tick_top()
        ax.tick_params(length=0)
    return figure


def _mark_members(ax: Axes, pictures: Tensor, wrong: list[Tensor]) -> None:
    """Frames round members of ``pictures`` (R, 1 + M, C, H, W) that are ``wrong``, a mask a row; "empty" for none."""
    xs, ys = cell_centres(pictures.flatten(0, 1), pictures.shape[1], apart=1)
    height, width = pictures.shape[-2] + 1, pictures.shape[-1] + 1  # an image with its gap
    frames = []
    for y, mask in zip(ys, wrong, strict=False):
        frames += [
            Rectangle((x - width / 2, y - height / 2), width, height) for x in xs[1 : 1 + len(mask)][mask.numpy()]
        ]
        if len(mask) == 0:
            ax.text(xs[1] - width / 2, y, "empty", color=ROSE, style="italic", va="center")
    style = {"facecolor": "none", "edgecolor": ROSE, "linewidth": 1.6, "clip_on": False}
    ax.add_collection(PatchCollection(frames, **style), autolim=False)


def _place(cluster: int, names: Tensor | None, purity: list[float]) -> tuple:
    """What rows are sorted by: class, then purity; clusters without a name or without members last."""
    if names is None:
        return (cluster,)
    name, share = int(names[cluster]), purity[cluster]
    return name == NAMELESS, name, math.isnan(share), -share, cluster


def _row(cluster: int, names: Tensor | None, purity: list[float], classes) -> str:
    if names is None:
        return f"cluster {cluster}"
    name = int(names[cluster])
    if name == NAMELESS:
        return "no name"
    share = "" if math.isnan(purity[cluster]) else f"   {purity[cluster]:.0%}"
    return f"{classes[name] if classes else name}{share}"


def modes(system, count: int = 10, seed: int = 0, classes=None, title: str = "") -> Figure:
    """A row of ``count`` draws from each component of the prior, decoded (Makhzani et al. 2015, Sec. 2.3).

    All rows have the same draws within their component, from the centre of the latent space outwards.
    ``classes`` names the components.
    """
    prior = system.prior
    if prior is None or not prior.classes:
        raise ValueError(f"system must have a prior with components, such as GaussianMixture(), but it has {prior}.")
    codes = []
    for k in range(prior.classes):
        labels = torch.full((checks.positive_integer("count", count),), k)
        z = prior.sample(count, torch.Generator().manual_seed(checks.seed("seed", seed)), labels)  # (count, Z)
        codes.append(z[z.norm(dim=1).argsort()])
    names = classes or [str(k) for k in range(prior.classes)]
    title = title or "Draws from each component of the prior, decoded: outwards from left to right"
    return show_images(system.decode(torch.cat(codes)), count, title, rows=names)


def walk(system, columns: int = 10, classes=None, title: str = "") -> Figure:
    """A swiss roll from its centre to its outer end, decoded: a row for each class's part, beside the roll itself.

    ``columns`` images a row at equal steps of probability (Makhzani et al. 2015, Fig. 4d). ``classes`` names the rows.
    """
    prior = system.prior
    if not isinstance(prior, SwissRoll):
        raise ValueError(f"system must have the prior SwissRoll() for this figure, but it has {prior}; use modes.")
    steps = prior.classes * checks.positive_integer("columns", columns)
    z = prior.at((torch.arange(steps) + 0.5) / steps)  # (steps, 2)
    names = classes or [str(k) for k in range(prior.classes)]
    figure, (pictures, roll) = canvas(2, 2, 4.5, 4.4, title or "A walk along the swiss roll, from its centre outwards")
    draw_images(pictures, system.decode(z), columns, rows=names)
    for k, part in enumerate(prior.at(torch.linspace(0, 1, 50 * prior.classes + 1)).unfold(0, 51, 50)):  # (2, 51)
        roll.plot(*part, color=CLASS_COLOURS[k % 10], linewidth=7, solid_capstyle="butt")
        outline = [withStroke(linewidth=3, foreground="white")]
        roll.text(*part[:, 25], names[k], ha="center", va="center", weight="bold", path_effects=outline)
    roll.scatter(*z.T, s=3, color=INK, linewidths=0, zorder=3)
    roll.set(xlabel="z₁", ylabel="z₂", aspect="equal")
    return figure
