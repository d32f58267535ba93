"""Three budgets for the same code: ``smoke`` (CI), ``quick`` (a laptop, the default) and ``paper`` (a GPU)."""

from __future__ import annotations

import os
from types import SimpleNamespace

from . import checks

PROFILES = ("smoke", "quick", "paper")


def current_profile() -> str:
    """The profile named by the environment variable ``AAE_PROFILE``; ``"quick"`` where it is not set."""
    return checks.one_of("AAE_PROFILE", os.environ.get("AAE_PROFILE") or "quick", PROFILES)


def choose(*, smoke: dict, quick: dict, paper: dict) -> SimpleNamespace:
    """The settings of the current profile, as attributes; all three stand side by side where it is called.

    >>> settings = choose(smoke=dict(epochs=1), quick=dict(epochs=10), paper=dict(epochs=5000))
    """
    profile = current_profile()
    return SimpleNamespace(profile=profile, **{"smoke": smoke, "quick": quick, "paper": paper}[profile])
