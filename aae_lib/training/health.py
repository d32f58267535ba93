"""What a history tells: each fault by what shows it, measured against answers that need no training, and what to do."""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .history import History

EQUILIBRIUM = {  # of each game, of which some systems play two; D(x) = ½ everywhere (Goodfellow et al. 2014)
    name + of: value
    for of in ("", " of z", " of y")
    for name, value in (("discriminator", 2 * math.log(2)), ("generator", math.log(2)))
}
WON = 0.2  # nats, of a discriminator that is right almost always
STILL = 0.005  # nats from guessing: a game that is played leaves them at some time
LOST = 4.0  # nats, of a generator that is taken for real once in 55 times
BY_HEART = 0.7  # nats that a discriminator loses more on hold-out images than on those it is trained on
PATIENCE = 200  # updates before a training is compared with what needs none
FADED = 0.1  # of the prior's standard deviation: a dimension that says nothing

Fault = tuple[str, str]  # what is wrong, and what to do next


def faults(history: History) -> list[Fault]:
    """All that is wrong with the latest losses, the plainest first."""
    latest = history.latest()
    held_out = {name: curve[-1] for name, curve in history.validation_losses.items() if len(curve)}
    rules = (_reconstruction, _game, _classes, _codes, _overfitting)
    return [fault for rule in rules if (fault := rule(history, latest, held_out)) is not None]


def _reconstruction(history: History, latest: dict[str, float], held_out: dict[str, float]) -> Fault | None:
    loss, here, pca = latest.get("reconstruction"), held_out.get("reconstruction"), history.baselines.get("PCA")
    if loss is not None and history.update >= 500 and loss > 0.95 * history.mean_image_loss:
        return (
            "reconstruction is stuck at the mean image: the step is too small, or the loss is averaged over pixels",
            "sum the squared error over pixels, or give the phase a larger learning rate",
        )
    if None in (loss, here, pca) or history.update < PATIENCE:
        return None
    mean = history.baselines["mean image"]
    if min(loss, here) <= 1.2 * pca or here < 0.1 * mean:
        return None
    falling = history.validation_losses["reconstruction"][-4:]
    return (
        f"reconstruction of hold-out images is {here:.3g}, where PCA of {history.baselines['dimensions']:.0f} "
        f"dimensions has {pca:.3g} and the mean image {mean:.3g}",
        "it still falls, so train longer"
        if falling[-1] < 0.98 * falling[0]
        else "give the phase a larger learning rate or the networks more units, or make the game's steps smaller",
    )


def _game(history: History, latest: dict[str, float], held_out: dict[str, float]) -> Fault | None:
    for column, (name, loss) in enumerate(latest.items(), start=1):
        if name.startswith("discriminator") and loss < WON:
            return (
                f"the {name} has won: its loss is near 0, so the other network learns little from it",
                "make its steps smaller or the other's larger, or give discriminator_noise where the system has it",
            )
        if name.startswith("discriminator") and loss > 1.5 * EQUILIBRIUM["discriminator"]:
            return f"the {name} is worse than guessing: its step is too large", "halve its learning rate"
        if name.startswith("generator") and loss > LOST:
            return (
                f"the {name} has lost: it passes for real with a chance of e^−{loss:.3g}",
                "make its steps larger or the discriminator's smaller",
            )
        if name.startswith("discriminator") and held_out.get(name, loss) > loss + BY_HEART:
            return (
                f"the {name} knows its images by heart: its loss is {loss:.3g}, but {held_out[name]:.3g} on others",
                "train on more images, or stop earlier, or give discriminator_noise where the system has it",
            )
        still = (abs(row[column] - EQUILIBRIUM["discriminator"]) < STILL for row in reversed(history.rows))
        if name.startswith("discriminator") and history.update >= PATIENCE and all(still):
            return (
                f"the {name} has learnt nothing: its loss has been 2 ln 2 all along, which is guessing",
                "give it larger steps, or larger initial weights (initial_std=None, where the system has it)",
            )
    return None


def _classes(history: History, latest: dict[str, float], held_out: dict[str, float]) -> Fault | None:
    loss = latest.get("classification")
    if loss is None or not history.classes or history.update < PATIENCE:
        return None
    guessing = math.log(history.classes)
    if loss > 0.9 * guessing > 0:
        return (
            f"classification guesses: its loss is {loss:.3g}, where guessing has ln {history.classes} = {guessing:.3g}",
            "train longer, or give the phase a larger learning rate",
        )
    wrong, simple = history.last_look.get("wrong"), history.baselines.get("logistic regression")
    if wrong is None or simple is None or wrong <= 1.2 * simple + 0.02:
        return None
    return (
        f"classification is wrong on {wrong:.1%} of hold-out images, where logistic regression on "
        f"{history.baselines['labels']:.0f} of the same labels is wrong on {simple:.1%}",
        "train longer, or give more labels or more input_noise"
        if loss < 0.3 * guessing
        else "train longer, or give the phase a larger learning rate",
    )


def _codes(history: History, latest: dict[str, float], held_out: dict[str, float]) -> Fault | None:
    if "spread" not in history.last_look or history.update < PATIENCE:
        return None
    means, width = history.last_look["spread of means"], float(np.median(history.last_look["spread"]))
    faded = sum(spread < FADED for spread in means)
    if faded == len(means):
        return (
            "the codes have collapsed: they are nearly the same for all images",
            "make the game's or the prior's part weaker, or the steps of reconstruction larger",
        )
    if faded:
        return (
            f"{faded} of {len(means)} dimensions of the code say nothing of the image",
            "build the system with fewer, or make the prior's part weaker",
        )
    if not 0.5 < width < 2:
        guesses = latest.get("discriminator", latest.get("discriminator of z", 0)) > 0.95 * EQUILIBRIUM["discriminator"]
        return (
            f"codes are {width:.2g} times as wide as the prior, so samples come from where few images are"
            + (", and the discriminator does not see it" if guesses else ""),
            "give the discriminator larger steps" if guesses else "train longer, or make the game's steps larger",
        )
    return None


def _overfitting(history: History, latest: dict[str, float], held_out: dict[str, float]) -> Fault | None:
    for name, curve in history.validation_losses.items():
        if name in EQUILIBRIUM or name == "classification" or len(curve) < 3 or name not in latest:
            continue
        best = int(np.argmin(curve))
        low, high, here, at = curve[best], curve.max(), curve[-1], history.validation_updates[best]
        then, loss = (_mean_until(history, name, update) for update in (at, history.update))
        if here > low + max(0.1 * (high - low), 0.05 * abs(low)) and loss < then:
            return (
                f"it overfits: {name} of hold-out images rose from {low:.3g} at update {at:,} to {here:.3g}, while the "
                f"training's fell from {then:.3g} to {loss:.3g}",
                "stop about there, or give more images, input_noise, or smaller networks",
            )
        mean = history.baselines.get("mean image")
        if name == "reconstruction" and mean and here - loss > 0.15 * mean:
            return (
                f"it overfits: {name} is {loss:.3g}, of hold-out images {here:.3g} (the mean image's is {mean:.3g})",
                "give more images, input_noise, or smaller networks",
            )
    return None


def _mean_until(history: History, name: str, update: int) -> float:
    """The training's loss over as many updates as lie between two looks at hold-out images: one window is noisy."""
    first, last = (
        bisect_right(history.rows, end, key=lambda row: row[0])
        for end in (update - max(history.validation_every, history.window), update)
    )
    column = 1 + history.phases.index(name)
    ran = [row[column] for row in history.rows[first:last] if not math.isnan(row[column])]
    return sum(ran) / len(ran) if ran else math.nan
