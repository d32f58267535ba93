"""Numbers: losses and errors over updates, and measurements side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np
import seaborn
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from ..training.history import EQUILIBRIUM
from .theme import BLUE, CLASS_COLOURS, INK, PRIOR_GREYS, ROSE, canvas

LINES = (BLUE, ROSE, *(CLASS_COLOURS[k] for k in (1, 0, 4, 9, 6)))  # dark enough for thin lines and their names
LINE_OF_TEXT = 0.06  # of the height of the axes
BELOW = 0.25  # of a row: how far our dots lie below the paper's diamond


def training_curves(history) -> Figure:
    """Losses against updates; dashed: a discriminator that can only guess (2 ln 2, ln 2), decoding the mean image.

    Both players of a game share a panel, which leaves out their highest 2 %. Where there are losses of hold-out images,
    these are dashed, in the colour of the training's, and the lines of guessing are dotted.
    """
    if len(history.updates) == 0:
        raise ValueError("history has no updates yet; fit the system first.")
    levels = EQUILIBRIUM | {"reconstruction": history.mean_image_loss}
    texts = {"discriminator": "2 ln 2", "generator": "ln 2", "reconstruction": "mean\nimage"}
    games = {}  # the losses of each panel
    for name in history.losses:
        games.setdefault(name.partition(" of ")[2] if name in EQUILIBRIUM else f"loss {name}", []).append(name)
    groups = sorted(games.values(), key=lambda group: group[0] in EQUILIBRIUM)
    held_out, level_style = history.validation_losses, ":" if history.validation_losses else "--"
    columns = min(3, len(groups)) if len(groups) != 4 else 2
    figure, axes = canvas(len(groups), columns, 9 / max(2, columns), 3.2)
    for ax, group in zip(axes, groups, strict=True):
        for name, colour in zip(group, (BLUE, ROSE), strict=False):
            ran = ~np.isnan(history.losses[name])  # a phase may take part in some updates only
            alpha = 0.5 if name in held_out else 1  # so that the dashed line is seen where both agree
            ax.plot(history.updates[ran], history.losses[name][ran], color=colour, alpha=alpha, label=name)
            if name in levels:
                text = texts[name.partition(" of ")[0]]
                ax.axhline(levels[name], color=colour, linestyle=level_style, linewidth=1)
                ax.text(1.02, levels[name], text, transform=ax.get_yaxis_transform(), va="center", color=colour)
            if name in held_out:
                ax.plot(history.validation_updates, held_out[name], "--", color=colour)
        if held_out:
            ax.plot([], [], "--", color=INK, label="hold-out images")
        ax.set(xlabel="updates", ylabel="loss", ylim=(0, None))
        if group[0] in EQUILIBRIUM:  # a game that starts badly must not squash the rest
            usual = np.quantile([history.losses[name] for name in group], 0.98)
            others = (held_out[name][-1] for name in group if name in held_out)
            ax.set_ylim(0, 1.3 * max(usual, *others, *(levels[name] for name in group)))
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=1 if columns == 3 else 2, frameon=False)  # on no curve
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


def learning_curves(
    curves: Mapping[str, tuple], milestones: Mapping[int, float] | None = None, label="test error, %", title: str = ""
) -> Figure:
    """Errors over updates, both logarithmic: ``curves`` maps a name to (updates (T,), errors in % (T,)).

    ``milestones`` maps updates to the paper's errors in %.
    """
    if not curves:
        raise ValueError("curves is empty; give at least one, as {name: (updates, errors)}.")
    figure, (ax,) = canvas(1, 1, 9, 4.4, title)
    ends = {}
    for (name, (updates, errors)), colour in zip(curves.items(), cycle(LINES), strict=False):
        _percentages(f"the errors of {name!r}", errors)
        ax.plot(updates, errors, color=colour, linewidth=2)
        ends[name] = updates[-1], errors[-1], colour
    if milestones:
        _percentages("milestones", milestones.values())
        ax.plot(milestones.keys(), milestones.values(), "D:", color=INK, markerfacecolor="white")
        outline = [withStroke(linewidth=3, foreground="white")]
        for update, error in milestones.items():
            first = update == min(milestones)  # curves begin above it, on its right
            place = {"xytext": (-7, -4), "ha": "right", "va": "top"} if first else {"xytext": (4, 5)}
            words = {"textcoords": "offset points", "color": INK, "path_effects": outline}
            ax.annotate(f"{error:g} %", (update, error), **place, **words)
        last = max(milestones)
        ends["the paper"] = last, milestones[last], INK
    ax.set(xscale="log", yscale="log", xlabel="updates", ylabel=label)
    _plain(ax.yaxis)
    _name_ends(ax, ends)
    return figure


def labels_against_error(
    errors: Mapping[str, Mapping[int, float | Sequence[float]]],
    paper: Mapping[str, Mapping[int, float]] | None = None,
    title: str = "",
) -> Figure:
    """Test error in % against the number of labels seen, both logarithmic: ``errors`` maps methods to {labels: errors}.

    Errors are a number or one a seed, of which the line joins the means. ``paper``: its numbers in the same form,
    hollow and dashed, in the colour of the method of the same name.
    """
    paper = paper or {}
    colours = dict(zip(dict.fromkeys([*errors, *paper]), cycle(LINES), strict=False))
    figure, (ax,) = canvas(1, 1, 9, 4.4, title)
    ends = {}
    for source, style, fill in ((errors, "o-", None), (paper, "o--", "white")):
        for method, by_labels in source.items():
            counts = sorted(by_labels)
            seeds = [np.atleast_1d(by_labels[count]) for count in counts]
            _percentages(f"the errors of {method!r}", np.concatenate(seeds))
            means = [each.mean() for each in seeds]
            ax.plot(counts, means, style, color=colours[method], markerfacecolor=fill or colours[method])
            for count, each in zip(counts, seeds, strict=True):
                if len(each) > 1:
                    ax.plot([count] * len(each), each, "_", color=colours[method])
            name = f"{method} (paper)" if source is paper else method
            ends[name] = counts[-1], means[-1], colours[method]
    counts = sorted({count for by_labels in (*errors.values(), *paper.values()) for count in by_labels})
    ax.set(xscale="log", yscale="log", xlabel="labels seen", ylabel="test error, %")
    ax.set_xticks(counts, [f"{count:,}" for count in counts])
    ax.xaxis.set_minor_locator(NullLocator())
    _plain(ax.yaxis)
    _name_ends(ax, ends)
    return figure


def beside_paper(
    rows: Mapping[str, tuple[Sequence[float], float, float]], label: str = "test error, %", title: str = ""
) -> Figure:
    """A row for each printed number: its value as a diamond, its ± as a band, and a dot for each of our seeds.

    ``rows`` maps a name to (our values (S,), none where nothing was run, the printed value, its ± or 0); the axis is
    logarithmic, so that equal steps are equal factors.
    """
    if not rows:
        raise ValueError("rows is empty; give at least one, as {name: (our values, the paper's value, its ±)}.")
    figure, (ax,) = canvas(1, 1, 9, 1.1 + 0.34 * len(rows), title)
    at_end = {"x": 1.02, "transform": ax.get_yaxis_transform(), "va": "center"}
    for row, (name, (values, printed, spread)) in enumerate(rows.items()):
        _percentages(f"the numbers of {name!r}", [*values, printed])
        ax.barh(row, 2 * spread, left=printed - spread, height=0.6, color=PRIOR_GREYS[2])
        ax.plot(printed, row, "D", color=INK, markerfacecolor="white")
        ax.plot(values, [row + BELOW] * len(values), "o", color=BLUE, alpha=0.7)  # where no diamond hides it
        ax.text(y=row, s=f"{np.mean(values):.3g}" if len(values) else "not run", color=BLUE, **at_end)
    ax.text(y=-0.9, s="our mean", color=BLUE, **at_end)
    ax.plot([], [], "D", color=INK, markerfacecolor="white", label="the paper, in grey its ±")
    ax.plot([], [], "o", color=BLUE, label="ours, a dot a seed")
    low, high = (edge([edge([*values, printed]) for values, printed, _ in rows.values()]) for edge in (min, max))
    ax.set(xscale="log", xlabel=label, xlim=(low / 1.3, high * 1.3), ylim=(len(rows) - 0.5, -0.5))
    ax.set_yticks(range(len(rows)), rows)
    ax.grid(axis="x", color=PRIOR_GREYS[0])
    ax.set_axisbelow(True)
    _plain(ax.xaxis)
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    return figure


def sigma_curve(search, title: str = "") -> Figure:
    """The mean log-likelihood of validation images over σ, the chosen one marked; ``search``: of ``sigma_search``."""
    figure, (ax,) = canvas(1, 1, 7, 3.6, title)
    best = max(search.log_likelihoods)
    ax.plot(search.sigmas, search.log_likelihoods, "o-", color=BLUE)
    ax.plot(search.sigma, best, "o", color=ROSE, markersize=10)
    chosen = f"σ = {search.sigma:.3g}\n{best:.0f} nats"
    ax.annotate(chosen, (search.sigma, best), (0, 10), textcoords="offset points", ha="center", color=ROSE)
    ax.set(xscale="log", xlabel="σ, the width of the windows", ylabel="validation log-likelihood, nats", ymargin=0.25)
    _plain(ax.xaxis)
    return figure


def _percentages(argument: str, errors) -> None:
    """ValueError unless all ``errors`` can stand on a logarithmic axis of percentages."""
    values = np.array(list(errors), dtype=float)
    if not ((values > 0) & (values <= 100)).all():
        raise ValueError(f"{argument} must be above 0 and at most 100 %, but they are {values.tolist()}.")


def _plain(axis: Axis) -> None:
    """Numbers, not powers of ten, on a logarithmic axis."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_locator(NullLocator())


def _name_ends(ax: Axes, ends: Mapping[str, tuple]) -> None:
    """The name of each line right of the axes at the height of its end (x, y, colour), or as near as it can be read."""
    low, high = np.log(ax.get_ylim())
    names = sorted(ends, key=lambda name: -ends[name][1])
    heights = [(np.log(ends[name][1]) - low) / (high - low) for name in names]  # 0: bottom of the axes, 1: top
    for i in range(1, len(names)):
        heights[i] = min(heights[i], heights[i - 1] - LINE_OF_TEXT)
    heights[-1] = max(heights[-1], 0)
    for i in reversed(range(len(names) - 1)):
        heights[i] = max(heights[i], heights[i + 1] + LINE_OF_TEXT)
    for name, height in zip(names, heights, strict=True):
        x, y, colour = ends[name]
        line = {"arrowstyle": "-", "color": colour, "linewidth": 0.8, "linestyle": (0, (1, 4)), "alpha": 0.5}
        line |= {"shrinkA": 2, "shrinkB": 4, "relpos": (0, 0.5)}
        place = {"xytext": (1.03, height), "textcoords": "axes fraction", "va": "center"}
        ax.annotate(name, (x, y), **place, color=colour, arrowprops=line)
