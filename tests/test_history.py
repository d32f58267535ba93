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
        assert made.latest() == {} and made.health() == "too early to say"

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

    def test_a_game_that_nobody_plays(self):
        still = (10, EQUILIBRIUM["discriminator"], EQUILIBRIUM["generator"])
        assert "the discriminator has learnt nothing" in history([still] * 200).health()
        assert history([still] * 199).health() == "healthy", "it takes a while to begin"
        assert history([(10, 1.3, 0.8), *[still] * 200]).health() == "healthy", "it was played once"

    def test_a_reconstruction_at_the_mean_image_s_level_is_stuck_but_only_after_a_while(self):
        row = (49, 1.3, 0.7)
        assert history([row] * 499).health() == "healthy"
        assert "stuck at the mean image" in history([row] * 500).health()
        assert history([(40, 1.3, 0.7)] * 500).health() == "healthy"

    def test_systems_without_a_discriminator_have_a_health_too(self):
        made = History(phases=("negative_elbo",), updates_per_epoch=10, window=1, mean_image_loss=50.0)
        made.add([[120.0]])
        assert made.health() == "healthy"


def watched(training, held_out, *, baselines=None, look=None, names=("reconstruction",), classes=None) -> History:
    """A history of windows of 100 updates, each with its losses in training and of hold-out images."""
    made = History(phases=names, updates_per_epoch=100, window=100, mean_image_loss=50.0, classes=classes)
    made.validation_every = 100
    for losses, others in zip(training, held_out, strict=True):
        made.add([list(losses)] * 100)
        made.add_validation(list(others))
    made.baselines, made.last_look = baselines or {}, look or {}
    return made


SIMPLE = {"dimensions": 15.0, "mean image": 28.9, "PCA": 9.3}


class TestHealthByHoldOutImages:
    """One fault at a time: what is said of it, and what to do; its neighbour in health says nothing."""

    @staticmethod
    def reconstructing(training, held_out, **more):
        return watched([(loss,) for loss in training], [(loss,) for loss in held_out], baselines=SIMPLE, **more)

    def test_ghosts_are_compared_with_pca(self):
        words = "hold-out images is 16.8, where PCA of 15 dimensions has 9.3 and the mean image 28.9; "
        assert words + "it still falls, so train longer" in self.reconstructing([20, 16], [20, 16.8]).health()
        assert words + "give the phase a larger learning rate" in self.reconstructing([16, 16], [16.8, 16.8]).health()
        assert self.reconstructing([11, 11], [11, 11.1]).health() == "healthy", "at most 1.2 of PCA"

    def test_nothing_is_compared_before_200_updates(self):
        assert self.reconstructing([27], [27]).health() == "healthy"

    def test_hold_out_losses_that_rise_while_the_training_s_fall(self):
        made = self.reconstructing([12, 10, 8, 6], [12, 10, 11, 12])
        assert "it overfits: reconstruction of hold-out images rose from 10 at update 200 to 12" in made.health()
        assert "the training's fell from 10 to 6; stop about there" in made.health()
        assert self.reconstructing([12, 10, 11, 12], [12, 10, 11, 11]).health() == "healthy", "the training's rose too"
        assert self.reconstructing([12, 10, 9, 8], [12, 10, 10.1, 10.2]).health() == "healthy", "hardly"

    def test_a_wide_gap(self):
        made = self.reconstructing([12, 7, 4, 3], [12, 11.5, 11.2, 11])
        assert "it overfits: reconstruction is 3, of hold-out images 11 (the mean image's is 28.9)" in made.health()
        assert "give more images" in made.health()

    def test_a_discriminator_that_knows_its_images(self):
        names = ("discriminator", "generator")
        made = watched([(0.9, 1)] * 3, [(1.9, 1)] * 3, names=names)
        assert "discriminator knows its images by heart: its loss is 0.9, but 1.9 on others" in made.health()
        assert watched([(1.2, 1)] * 3, [(1.5, 1)] * 3, names=names).health() == "healthy"

    def test_a_classifier_that_guesses_is_found_without_hold_out_images(self):
        made = History(("classification",), updates_per_epoch=100, window=100, mean_image_loss=1.0, classes=40)
        made.add([[3.6]] * 400)
        assert "classification guesses: its loss is 3.6, where guessing has ln 40 = 3.69; train longer" in made.health()
        made.add([[2.0]] * 100)
        assert made.health() == "healthy"

    @pytest.mark.parametrize(("loss", "words"), [(0.01, "more labels"), (2.0, "larger learning rate")])
    def test_a_classifier_is_compared_with_logistic_regression(self, loss, words):
        simple, names = {"labels": 160.0, "logistic regression": 0.075}, ("classification",)
        rows = {"training": [(loss,)] * 3, "held_out": [(3.5,)] * 3, "names": names, "classes": 40}
        made = watched(**rows, baselines=simple, look={"wrong": 0.92})
        assert "wrong on 92.0% of hold-out images, where logistic regression on 160 of" in made.health()
        assert "wrong on 7.5%" in made.health() and words in made.health()
        assert watched(**rows, baselines=simple, look={"wrong": 0.1}).health() == "healthy"

    @pytest.mark.parametrize(
        ("spread", "means", "words"),
        [
            ([0.01, 0.02], [0.01, 0.02], "the codes have collapsed"),
            ([1.0, 1.0], [0.9, 0.01], "1 of 2 dimensions of the code say nothing of the image"),
            ([3.1, 3.0, 0.9], [3.1, 3.0, 0.9], "codes are 3 times as wide as the prior"),
            ([0.3, 0.3], [0.3, 0.3], "codes are 0.3 times as wide as the prior"),
            ([0.8, 1.2], [0.8, 1.2], None),
        ],
    )
    def test_codes_are_compared_with_the_prior(self, spread, means, words):
        look = {"spread": spread, "spread of means": means}
        made = self.reconstructing([9, 9, 9], [9, 9, 9], look=look)
        assert made.health() == "healthy" if words is None else words in made.health()

    def test_each_fault_has_a_line_and_the_bar_shows_the_first(self):
        look = {"spread": [0.01], "spread of means": [0.01]}
        made = self.reconstructing([16, 16], [16.8, 16.8], look=look)
        lines = made.health().splitlines()
        assert [line.split()[0] for line in lines] == ["reconstruction", "the"]
        assert made.current().endswith("the mean image 28.9") and "(hold-out 16.8)" in made.current()


def test_its_text_says_how_much_was_done_and_how_it_went():
    text = repr(history([(12.34, 1.3, 0.7)] * 20))
    for words in ("20 updates", "2 epochs", "reconstruction 12.3", "discriminator 1.3", "healthy"):
        assert words in text
    assert "\n" not in text
