"""The game that sees the content, in rows of Secs. 5 to 7: not the paper's (see ``systems.content.StyleGame``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from .content import CONTENT
from .experiment import PROFILES, Experiment, Settings


def _conditional(row: Experiment, question: str, first_epochs: Mapping[str, int] | None = None) -> Experiment:
    """``row`` where the discriminator of z also sees y, from a profile's epoch of ``first_epochs`` on; else the same.

    With few labels it should begin once most guesses are right, and well before the steps get smaller.
    """

    def changed(profile: str) -> Settings:
        settings = row.settings(profile)
        since = first_epochs[profile] / settings.epochs if first_epochs else 0.0
        game = dict(style_game="conditional", conditional_from=since)
        return replace(settings, system={**settings.system, **game}, chosen_on="untried")

    return replace(row, question=question, numbers={}, **{profile: changed(profile) for profile in PROFILES})


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
    ),
    "reduction-10d-100-conditional": _conditional(
        CONTENT["reduction-10d-100"],
        "10-D, 100 labels, y shown beside z: not the paper's",
        first_epochs={"smoke": 6, "quick": 2, "long": 12, "paper": 30},
    ),
}
