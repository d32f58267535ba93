"""One environment variable chooses among three budgets."""

from __future__ import annotations

import pytest

from aae_lib import choose
from aae_lib.profiles import PROFILES, current_profile

SETTINGS = {"smoke": {"epochs": 1}, "quick": {"epochs": 10, "seeds": 3}, "paper": {"epochs": 5000}}


@pytest.mark.parametrize("profile", PROFILES)
def test_the_settings_of_the_current_profile_are_chosen(monkeypatch, profile):
    monkeypatch.setenv("AAE_PROFILE", profile)
    settings = choose(**SETTINGS)
    assert vars(settings) == {"profile": profile, **SETTINGS[profile]}


@pytest.mark.parametrize("value", [None, ""])
def test_a_laptop_is_the_default(monkeypatch, value):
    monkeypatch.delenv("AAE_PROFILE", raising=False)
    if value is not None:
        monkeypatch.setenv("AAE_PROFILE", value)
    assert current_profile() == "quick"
    assert choose(**SETTINGS).epochs == 10


def test_all_three_must_be_given():
    with pytest.raises(TypeError, match="paper"):
        choose(smoke={}, quick={})
