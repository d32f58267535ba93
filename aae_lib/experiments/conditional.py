"""The game that sees the content, in rows of Secs. 5 to 7: not the paper's (see ``systems.content.StyleGame``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from .content import CONTENT, HEADS_RATES, WIDE, steps_of
from .experiment import PROFILES, Experiment, Settings


def _conditional(
    row: Experiment, question: str, first_epochs: Mapping[str, int] | None = None, long: Settings | None = None
) -> Experiment:
    """``row`` where the discriminator of z also sees y, from a profile's epoch of ``first_epochs`` on; else the same.

    With few labels it should begin once most guesses are right, and well before the steps get smaller. ``long``: of the
    row, but chosen with the game by validation images.
    """
    row = replace(row, long=long or row.long)

    def changed(profile: str) -> Settings:
        settings = row.settings(profile)
        since = first_epochs[profile] / settings.epochs if first_epochs else 0.0
        game = dict(style_game="conditional", conditional_from=since)
        chosen_on = "validation" if long and profile == "long" else "untried"
        return replace(settings, system={**settings.system, **game}, chosen_on=chosen_on)

    return replace(row, question=question, numbers={}, **{profile: changed(profile) for profile in PROFILES})


def _wider(row: Experiment, epochs: int, late: int) -> Settings:
    """A map's quick settings with wide networks, for ``epochs`` and with smaller steps from ``late`` on."""
    phases = row.long.optimizers
    system = {**row.quick.system, **WIDE}
    return replace(row.long, epochs=epochs, system=system, optimizers=steps_of(phases, {late: 10}, HEADS_RATES))


CONDITIONAL: dict[str, Experiment] = {
    "semi-supervised-100-conditional": _conditional(
        CONTENT["semi-supervised-100"],
        "100 labels, y shown beside z: not the paper's",
        first_epochs={"smoke": 6, "quick": 3, "long": 30, "paper": 30},
    ),
    "clustering-30-conditional": _conditional(
        CONTENT["clustering-30"], "30 clusters, y shown beside z: not the paper's"
    ),
    "reduction-2d-20-clusters-conditional": _conditional(
        CONTENT["reduction-2d-20-clusters"],
        "2-D, 20 clusters, y shown beside z: not the paper's",
        long=_wider(CONTENT["reduction-2d-20-clusters"], epochs=60, late=45),
    ),
    "reduction-10d-100-conditional": _conditional(
        CONTENT["reduction-10d-100"],
        "10-D, 100 labels, y shown beside z: not the paper's",
        first_epochs={"smoke": 6, "quick": 2, "long": 15, "paper": 30},
        long=_wider(CONTENT["reduction-10d-100"], epochs=50, late=38),
    ),
}
