"""The history of a training: windows, counts and the health of losses."""

from __future__ import annotations

import math

import numpy as np
import pytest

from aae_lib.training.history import EQUILIBRIUM, History

PHASES = ("reconstruction", "discriminator", "generator")


def history(losses, *, window: int = 1, mean_image_loss: float = 50.0) -> History:
    """A history to which rows of (reconstruction, discriminator, generator) losses were added."""
    made = History(phases=PHASES, updates_per_epoch=10, window=window, mean_image_loss=mean_image_loss)
    made.add([list(row) for row in losses])
    return made


class TestWindows:
    def test_losses_are_means_over_windows(self):
        made = history([(1, 10, 0), (3, 20, 0), (5, 30, 0), (9, 40, 0), (100, 100, 100)], window=2)
        assert made.updates.tolist() == [2, 4]
        assert made.losses["reconstruction"].tolist() == [2, 7]
        assert made.losses["discriminator"].tolist() == [15, 35]
        assert made.update == 5 and made.epochs_done == 0.5
        assert made.pending == [[100, 100, 100]], "a window that is not full waits"

    def test_it_does_not_matter_in_what_portions_losses_come(self):
        rows = np.random.default_rng(0).random((25, 3)).tolist()
        at_once, one_by_one = history(rows, window=4), history([], window=4)
        for row in rows:
            one_by_one.add([row])
        assert at_once == one_by_one

    def test_an_empty_history_has_no_losses(self):
        made = history([])
        assert made.updates.tolist() == [] and made.updates.dtype.kind == "i"
        assert {name: len(values) for name, values in made.losses.items()} == dict.fromkeys(PHASES, 0)
        assert made.latest() == {} and made.health() == "healthy"

    def test_the_latest_losses_are_those_of_the_last_full_window(self):
        assert history([(1, 2, 3), (4, 5, 6)]).latest() == {"reconstruction": 4, "discriminator": 5, "generator": 6}


class TestHealth:
    def test_the_equilibrium_is_that_of_a_discriminator_that_guesses(self):
        for of in ("", " of z", " of y"):
            assert pytest.approx(2 * math.log(2)) == EQUILIBRIUM["discriminator" + of]
            assert pytest.approx(math.log(2)) == EQUILIBRIUM["generator" + of]
        assert history([(10, EQUILIBRIUM["discriminator"], EQUILIBRIUM["generator"])]).health() == "healthy"

    @pytest.mark.parametrize(
        ("row", "words"),
        [
            ((10, 0.1, 4), "discriminator has won"),
            ((10, 2.5, 1), "worse than guessing"),
            ((10, 0.49, 7.56), "generator has lost"),
            ((10, 1.2, 0.8), "healthy"),
        ],
    )
    def test_the_discriminator_s_loss_tells(self, row, words):
        assert words in history([row]).health()

    def test_a_reconstruction_at_the_mean_image_s_level_is_stuck_but_only_after_a_while(self):
        row = (49, 1.3, 0.7)
        assert history([row] * 499).health() == "healthy"
        assert "stuck at the mean image" in history([row] * 500).health()
        assert history([(40, 1.3, 0.7)] * 500).health() == "healthy"

    def test_systems_without_a_discriminator_have_a_health_too(self):
        made = History(phases=("negative_elbo",), updates_per_epoch=10, window=1, mean_image_loss=50.0)
        made.add([[120.0]])
        assert made.health() == "healthy"


def test_its_text_says_how_much_was_done_and_how_it_went():
    text = repr(history([(12.34, 1.3, 0.7)] * 20))
    for words in ("20 updates", "2 epochs", "reconstruction 12.3", "discriminator 1.3", "healthy"):
        assert words in text
    assert "\n" not in text
