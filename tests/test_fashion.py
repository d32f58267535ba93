"""Table 2 on Fashion-MNIST: MNIST's rows on other images, all for equally long, and their plain controls."""

from dataclasses import replace

import pytest

from aae_lib.data import load
from aae_lib.experiments import EXPERIMENTS, PROFILES
from aae_lib.experiments.fashion import FASHION
from tools import pixel_classifiers


@pytest.mark.parametrize("name", FASHION)
def test_a_row_is_that_of_mnist_on_other_images(name):
    *method, labels = name.removeprefix("fashion-").split("-")
    row = EXPERIMENTS["-".join(["baseline", *method, labels] if method else ["semi-supervised", labels])]
    ours = EXPERIMENTS[name]
    assert (ours.build, ours.measure) == (row.build, row.measure) and not ours.numbers
    for profile in PROFILES:
        settings, theirs = ours.settings(profile), row.settings(profile)
        assert settings.dataset == ("digits" if profile == "smoke" else "fashion-mnist")
        same = dict.fromkeys(("dataset", "chosen_on", *(("epochs", "optimizers") if profile == "long" else ())))
        assert replace(theirs, **{key: getattr(settings, key) for key in same}) == settings
        for phase, step in settings.optimizers.items():
            assert replace(step, drops={}) == replace(theirs.optimizers[phase], drops={})


def test_all_methods_are_trained_for_equally_long_in_the_long_profile():
    assert len({(row.long.epochs, row.long.batch_size) for row in FASHION.values()}) == 1
    drops = {tuple(step.drops.items()) for row in FASHION.values() for step in row.long.optimizers.values()}
    assert len(drops) == 1


def test_plain_classifiers_are_chosen_on_validation_images(monkeypatch):
    digits = load("digits")
    candidates = [({"n_neighbors": k}, pixel_classifiers.KNeighborsClassifier) for k in (100, 1)]
    monkeypatch.setattr(pixel_classifiers, "CLASSIFIERS", {"nearest neighbours": candidates})
    ((_, validation, test, settings),) = pixel_classifiers.best(digits, 100, seed=0)
    assert settings == {"n_neighbors": 1}, "with all 100 as neighbours every image is answered alike"
    train = digits.train.take(digits.train.balanced_subset(100, seed=0))
    x = train.images.flatten(1).double()
    for error, split in ((validation, digits.validation), (test, digits.test)):
        near = (split.images.flatten(1).double()[:, None] - x[None]).square().sum(dim=2).argmin(dim=1)
        expected = 100 * (train.labels[near] != split.labels).double().mean()
        assert error == pytest.approx(float(expected), abs=0.8), "ties aside"
