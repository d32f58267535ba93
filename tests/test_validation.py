"""Hold-out images in a training: they change nothing, and their losses are the phases' own, beside simple methods'."""

from __future__ import annotations

import itertools
import signal
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression

from aae_lib import fit, systems
from aae_lib.checks import DataError
from aae_lib.data import Split
from aae_lib.losses import half_squared_error
from aae_lib.priors import Gaussian, GaussianMixture
from aae_lib.systems import AdversarialAutoencoder, Autoencoder, Phase, SemiSupervisedAdversarialAutoencoder
from aae_lib.systems.base import HIDDEN
from aae_lib.training import progress, validation
from aae_lib.training.batches import Batches
from aae_lib.training.history import History

SHAPE = (1, 4, 4)
SMALL = {"hidden": (16,), "discriminator_hidden": (16,)}


def shades(count: int, seed: int = 1) -> Split:
    """Images of three shades with noise, labelled by shade."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 3
    noise = torch.randint(60, (count, *SHAPE), generator=generator)
    return Split((noise + 90 * labels.reshape(-1, 1, 1, 1)).to(torch.uint8), labels)


TRAIN, HELD_OUT = shades(120), shades(31, seed=2)


def aae(seed: int = 0) -> AdversarialAutoencoder:
    """With every source of randomness and of state that there is: noise, a random posterior, batch norm."""
    noisy = {"posterior": "universal", "batch_norm": True, "input_noise": 0.1, "discriminator_noise": 0.1}
    return AdversarialAutoencoder(SHAPE, prior=Gaussian(2), seed=seed, **noisy, **SMALL)


def semi_supervised(**settings) -> SemiSupervisedAdversarialAutoencoder:
    return SemiSupervisedAdversarialAutoencoder(SHAPE, prior=Gaussian(2), classes=3, **SMALL, **settings)


def train(system, data=TRAIN, **settings) -> History:
    chosen = {"updates": 60, "batch_size": 10, "seed": 3, "device": "cpu", "precision": "float32", "progress": False}
    return fit(system, data, **{**chosen, **settings})


def weights(system) -> dict:
    return {name: value.clone() for name, value in system.state_dict().items()}


SYSTEMS = {
    "autoencoder": lambda: Autoencoder(SHAPE, hidden=(16,), input_dropout=0.2),
    "vae": lambda: systems.VariationalAutoencoder(SHAPE, prior=Gaussian(2), hidden=(16,)),
    "gan": lambda: systems.GenerativeAdversarialNetwork(SHAPE, prior=Gaussian(2), hidden=(8,), discriminator_noise=0.1),
    "gmmn": lambda: systems.GenerativeMomentMatchingNetwork(SHAPE, prior=Gaussian(2), hidden=(8,)),
    "aae": aae,
    "aae of labels": lambda: AdversarialAutoencoder(SHAPE, prior=GaussianMixture(3), labelled_prior=True, **SMALL),
    "wae": lambda: systems.WassersteinAutoencoder(SHAPE, prior=Gaussian(2), hidden=(8,), posterior="gaussian"),
    "supervised": lambda: systems.SupervisedAdversarialAutoencoder(SHAPE, prior=Gaussian(2), classes=3, **SMALL),
    "semi-supervised": semi_supervised,
    "clustering": lambda: systems.ClusteringAdversarialAutoencoder(SHAPE, clusters=3, consistency=1.0, **SMALL),
    "map": lambda: systems.DimensionalityReductionAdversarialAutoencoder(SHAPE, classes=3, **SMALL),
    "bigan": lambda: systems.BidirectionalGAN(SHAPE, prior=Gaussian(2), **SMALL),
    "alae": lambda: systems.AdversarialLatentAutoencoder(SHAPE, latent_dim=4, **SMALL),
    "style-alae": lambda: systems.StyleAdversarialLatentAutoencoder(SHAPE, latent_dim=4, channels=(4, 4)),
}


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_training_is_the_same_bit_for_bit_with_hold_out_images_and_without(name):
    watched, alone = SYSTEMS[name](), SYSTEMS[name]()
    labelled = torch.arange(12) if watched.learns_labels is not None else None
    history = train(watched, validation=HELD_OUT, labelled=labelled)
    plain = train(alone, labelled=labelled)
    torch.testing.assert_close(watched.state_dict(), alone.state_dict(), rtol=0, atol=0)
    np.testing.assert_array_equal(history.rows, plain.rows)
    assert not plain.validation_rows and not plain.baselines and not plain.last_look
    assert list(history.validation_losses) == list(history.losses)
    assert all(np.isfinite(curve).all() for curve in history.validation_losses.values())
    assert not watched.training and all(weight.requires_grad for weight in watched.parameters())


class TestCadence:
    def test_ten_images_are_trained_on_for_one_that_is_looked_at_and_the_end_is_looked_at(self):
        history = train(aae(), validation=HELD_OUT, updates=100)
        assert history.validation_every == 31 and history.validation_updates.tolist() == [31, 62, 93, 100]

    def test_it_is_whole_windows(self):
        data = Split(TRAIN.images.repeat(4, 1, 1, 1))
        history = train(Autoencoder(SHAPE, hidden=(4,)), data, validation=HELD_OUT.images, updates=40)
        assert history.window == 2 and history.validation_updates.tolist() == [32, 40]

    def test_of_many_images_500_are_looked_at_from_all_over(self):
        many = Split(torch.arange(1001).remainder(256).to(torch.uint8).reshape(-1, 1, 1, 1).expand(-1, *SHAPE))
        system = Autoencoder(SHAPE, hidden=(4,))
        held_out = validation.Validation(system, many, Batches(system, TRAIN, None, 10, 0))
        assert len(held_out.images) == 500
        assert held_out.images[:, 0, 0, 0].tolist() == [k * 1001 // 500 % 256 for k in range(500)]


class TestLosses:
    def test_they_are_the_phase_s_own_in_evaluation_mode(self):
        system = Autoencoder(SHAPE, hidden=(16,), input_dropout=0.5, batch_norm=True)
        history = train(system, validation=HELD_OUT)
        expected = half_squared_error(system.reconstruct(HELD_OUT.images), HELD_OUT.images / 255)
        assert history.validation_losses["reconstruction"][-1] == pytest.approx(float(expected), rel=1e-5)

    def test_the_noise_is_the_same_every_time(self):
        still = {phase.name: systems.SGD(0.0) for phase in aae().phases()}
        normal = dict(batch_norm=False)  # whose running statistics would move
        system = AdversarialAutoencoder(SHAPE, prior=Gaussian(2), posterior="gaussian", **normal, **SMALL)
        rows = train(system, validation=HELD_OUT, updates=93, optimizers=still).validation_rows
        assert rows[0][1:] == rows[1][1:] == rows[2][1:]

    def test_as_many_labels_are_hidden_from_the_games_as_in_the_training(self):
        seen = []

        class Noting(SemiSupervisedAdversarialAutoencoder):
            def classification_loss(self, batch):
                if not self.training:
                    seen.append((batch.labels.tolist(), batch.labelled.labels.tolist()))
                return super().classification_loss(batch)

        system = Noting(SHAPE, prior=Gaussian(2), classes=3, **SMALL)
        train(system, labelled=torch.arange(12), validation=HELD_OUT, updates=1)
        shown, labelled = ([*itertools.chain(*those)] for those in zip(*seen[:3], strict=True))  # of the first look
        assert labelled == HELD_OUT.labels.tolist()
        assert [label for label in shown if label != HIDDEN] == [labelled[k * 31 // 3] for k in range(3)], "12 of 120"

    def test_classification_uses_all_labels(self):
        system = semi_supervised()
        history = train(system, labelled=torch.arange(12), validation=HELD_OUT)
        log_y = system.probabilities(HELD_OUT.images).log()
        expected = -float(log_y.gather(1, HELD_OUT.labels[:, None]).mean())
        assert history.validation_losses["classification"][-1] == pytest.approx(expected, rel=1e-4)
        wrong = float((system.classify(HELD_OUT.images) != HELD_OUT.labels).float().mean())
        assert history.last_look["wrong"] == pytest.approx(wrong)


class TestBaselines:
    def test_pca_and_the_mean_image_are_those_of_the_training_images(self):
        history = train(aae(), validation=HELD_OUT)
        known, held_out = (split.images.flatten(1).numpy() / 255 for split in (TRAIN, HELD_OUT))
        pca = PCA(2).fit(known)
        error = lambda answer: 0.5 * np.square(held_out - answer).sum(axis=1).mean()  # noqa: E731
        assert history.baselines == {
            "dimensions": 2,
            "mean image": pytest.approx(error(known.mean(axis=0)), rel=1e-5),
            "PCA": pytest.approx(error(pca.inverse_transform(pca.transform(held_out))), rel=1e-5),
        }

    def test_logistic_regression_sees_the_labels_that_may_be_seen(self):
        labelled = torch.tensor([0, 1, 2, 3, 7, 11])
        history = train(semi_supervised(), labelled=labelled, validation=HELD_OUT, updates=1)
        known, held_out = (split.images.flatten(1).numpy() / 255 for split in (TRAIN.take(labelled), HELD_OUT))
        simple = LogisticRegression().fit(known, TRAIN.labels[labelled])
        assert history.baselines["labels"] == 6
        assert history.baselines["logistic regression"] == pytest.approx(1 - simple.score(held_out, HELD_OUT.labels))

    def test_codes_are_measured_by_the_prior(self):
        system = AdversarialAutoencoder(SHAPE, prior=Gaussian(2, std=5.0), **SMALL)
        history = train(system, validation=HELD_OUT)
        expected = system.encode(HELD_OUT.images).std(dim=0) / 5
        np.testing.assert_allclose(history.last_look["spread"], expected, rtol=0.1)  # of the prior there are draws
        assert history.last_look["spread"] == history.last_look["spread of means"]


class TestResume:
    def test_whole_or_in_parts_the_history_is_the_same(self, tmp_path):
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        whole, path = train(aae(), validation=HELD_OUT, updates=100), tmp_path / "run.checkpoint"
        for end, press in ((40, 20), (40, None), (100, 70), (100, None)):
            callback = lambda moment, at=press: signal.raise_signal(signal.SIGINT) if moment.update == at else None  # noqa: E731
            parts = train(aae(), validation=HELD_OUT, updates=end, checkpoint=path, callbacks=[callback])
            assert parts.interrupted == (press is not None)
        signal.signal(signal.SIGINT, before)
        assert replace(parts, seconds=0) == replace(whole, seconds=0)

    @pytest.mark.parametrize("other", [None, HELD_OUT.images[:30], Split(HELD_OUT.images, HELD_OUT.labels.flip(0))])
    def test_other_hold_out_images_are_another_recipe(self, tmp_path, other):
        train(aae(), validation=HELD_OUT, updates=5, checkpoint=tmp_path / "run.checkpoint")
        with pytest.raises(DataError, match="validation"):
            train(aae(), validation=other, updates=5, checkpoint=tmp_path / "run.checkpoint")

    def test_a_checkpoint_of_before_there_were_hold_out_images_is_gone_on_with(self, tmp_path):
        train(aae(), updates=5, checkpoint=tmp_path / "run.checkpoint")
        assert train(aae(), updates=6, checkpoint=tmp_path / "run.checkpoint").update == 6


def test_a_loss_that_fails_on_hold_out_images_fails_before_anything_is_trained():
    class Failing(Autoencoder):
        def reconstruction_loss(self, batch):
            return super().reconstruction_loss(batch) / (1 if self.training else [])

    system = Failing(SHAPE, hidden=(4,))
    before = weights(system)
    with pytest.raises(TypeError):
        train(system, validation=HELD_OUT)
    torch.testing.assert_close(dict(system.state_dict()), before, rtol=0, atol=0)


def test_a_gradient_penalty_has_its_gradient():
    class Penalised(Autoencoder):
        def phases(self):
            return [replace(super().phases()[0], loss=self.penalty)]

        def penalty(self, batch):
            images = batch.images.detach().requires_grad_()
            (slope,) = torch.autograd.grad(self.encoder(images).sum(), images, create_graph=True)
            return slope.square().mean()

    assert isinstance(Penalised(SHAPE, hidden=(4,)).phases()[0], Phase)
    assert train(Penalised(SHAPE, hidden=(4,)), validation=HELD_OUT).validation_losses["reconstruction"][-1] > 0


def test_stages_add_up():
    first, second = (train(aae(), validation=HELD_OUT, updates=40) for _ in range(2))
    both = first + second
    assert both.validation_updates.tolist() == [31, 40, 71, 80] and both.update == 80


class TestProgress:
    def test_the_bar_shows_both(self, capfd):
        train(aae(), validation=HELD_OUT, progress=True)
        shown = "".join(capfd.readouterr())
        for name in ("reconstruction", "discriminator", "generator"):
            assert f"{name} " in shown
        assert shown.count("(hold-out ") >= 3

    def test_in_a_log_it_is_a_line_now_and_then(self, capsys, monkeypatch):
        monkeypatch.delitem(sys.modules, "ipykernel", raising=False)  # as in a program
        with progress.progress_bar(1000, unit="updates") as bar:
            for update in range(1000):
                bar.set_postfix_str(f"update {update}", refresh=False)
                bar.update(1)
        lines = capsys.readouterr().err.strip().splitlines()
        assert 1 <= len(lines) <= 2 and "\r" not in "".join(lines) and "1000/1000 updates" in lines[-1]

    @pytest.mark.parametrize(
        ("rate", "words"), [(0.2, None), (2, "12 minutes more"), (20, "2.0 hours more"), (40, "4.0 hours more")]
    )
    def test_a_long_training_says_how_long_once_it_knows(self, capsys, monkeypatch, rate, words):
        bar = progress.progress_bar(400, unit="updates", done=20)
        bar.update(20)
        for seconds, decided in ((0.1, False), (20 * rate, True)):
            monkeypatch.setattr(bar, "start_t", bar._time() - seconds)
            assert progress.say_how_long(bar) is (decided and 20 * rate > progress.FIRST_SECONDS)
        bar.close()
        said = [line for line in capsys.readouterr().out.splitlines() if "This will take" in line]
        assert [words in line and "Ctrl-C" in line for line in said] == ([True] if words else [])

    def test_a_training_says_it_once_and_only_where_there_is_a_bar(self, capsys, monkeypatch):
        monkeypatch.setattr(progress, "FIRST_SECONDS", 0)
        monkeypatch.setattr(progress, "LONG_SECONDS", 0)
        train(aae(), progress=True)
        assert capsys.readouterr().out.count("This will take about") == 1
        train(aae(), progress=False)
        assert capsys.readouterr().out == ""


def test_a_training_that_is_stopped_is_looked_at_too():
    def stop(moment):
        if moment.update == 3:
            moment.stop()

    history = train(aae(), validation=HELD_OUT, callbacks=[stop])
    assert history.interrupted and history.validation_updates[-1] == history.update
