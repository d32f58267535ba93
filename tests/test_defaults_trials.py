"""The harness that looks for defaults: what its trials are, what they keep, and what counts as a goal."""

from __future__ import annotations

import json

import pytest
import torch

from aae_lib.data import Split
from aae_lib.networks import UNITS
from aae_lib.training.steps import with_optimizers
from benchmarks import candidates, defaults, image_sets

TINY = {"hidden": (16,), "discriminator_hidden": (16,), "initial_std": None}


@pytest.mark.parametrize("name", candidates.CANDIDATES)
def test_every_candidate_says_all_steps_of_all_systems(name):
    for kind, recipe in candidates.CANDIDATES[name].items():
        system = defaults.build(recipe, "digits", kind, seed=0)
        phases = system.phases()
        assert recipe.steps.keys() == {phase.name for phase in phases}
        with_optimizers(phases, recipe.steps)
        assert {"hidden", "discriminator_hidden", "initial_std"} <= recipe.system.keys()


@pytest.mark.parametrize("kind", defaults.SYSTEMS)
def test_what_was_chosen_is_what_the_systems_have_by_themselves(kind):
    recipe = candidates.CANDIDATES["chosen"][kind]
    plain = defaults.build(candidates.Recipe({}, {}), "digits", kind, seed=0)
    assert {phase.name: phase.optimizer for phase in plain.phases()} == recipe.steps
    given = defaults.build(recipe, "digits", kind, seed=0)
    assert plain.settings | {"hidden": UNITS} == given.settings


def test_a_trial_is_logged_once_with_all_it_was_made_of(tmp_path, monkeypatch):
    recipes = {kind: candidates.Recipe(TINY, recipe.steps) for kind, recipe in candidates.CANDIDATES["brisk"].items()}
    monkeypatch.setattr(defaults, "CANDIDATES", {"brisk": recipes})
    log = tmp_path / "trials.jsonl"
    arguments = ["defaults", "run", "brisk/digits/*", "simple/digits/*", "--out", str(log), "--updates", "3"]
    arguments += ["--units", "12"]
    monkeypatch.setattr("sys.argv", [*arguments, "--device", "cpu"])
    defaults.main()
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert {line["trial"] for line in lines} == {
        f"{name}/digits/{kind}" for name in ("simple", "brisk") for kind in defaults.SYSTEMS
    }
    trained = next(line for line in lines if line["trial"] == "brisk/digits/labels")
    assert trained["updates"] == 3
    assert trained["system"]["hidden"] == [12, 12]
    assert "0.001" in trained["steps"]["classification"]
    assert 0 <= trained["numbers"]["wrong"] <= 1
    defaults.main()
    assert len(log.read_text(encoding="utf-8").splitlines()) == len(lines)
    page = defaults.table(defaults.read_lines(log))
    assert page.count("| digits |") == 3
    assert "of 3 |" in page


def test_a_training_that_diverged_is_a_line_without_numbers(monkeypatch):
    wild = candidates.SGD(1e6)
    recipe = candidates.CANDIDATES["brisk"]["aae"]
    recipe = candidates.Recipe({**TINY, "output": "linear"}, {**recipe.steps, "reconstruction": wild})
    monkeypatch.setattr(defaults, "CANDIDATES", {"wild": {"aae": recipe}})
    line = defaults.run_trial("wild/digits/aae", "cpu", updates=50)
    assert line["numbers"] == {}
    assert "diverged" in line
    assert defaults.cell("aae", {}, {"error": 1.0}) == "diverged"


def test_goals_are_1_2_of_pca_within_three_floors_and_no_worse_than_simple_methods():
    simple = {"error": 10.0, "wrong": 0.1}
    inside = {"error": 12.0, "distance": 0.3, "floor": 0.1}
    assert defaults.goal("aae", inside, simple)
    assert not defaults.goal("aae", {**inside, "error": 12.1}, simple)
    assert not defaults.goal("aae", {**inside, "distance": 0.31}, simple)
    assert not defaults.goal("aae", {"error": 1.0}, simple)  # codes that are not finite have no distance
    assert defaults.goal("labels", {"wrong": 0.1}, simple)
    assert not defaults.goal("clusters", {"wrong": 0.11}, simple)
    assert defaults.cell("aae", inside, simple) == "**1.20, 3.0**"


def test_packed_images_come_back(tmp_path, monkeypatch):
    generator = torch.Generator().manual_seed(0)
    noise = torch.randint(256, (6, 1, 4, 5), dtype=torch.uint8, generator=generator)
    smooth = torch.arange(0, 96, 4, dtype=torch.uint8)[:, None, None, None].expand(24, 3, 8, 8)[:6]
    labels = torch.arange(6)
    grey = image_sets.ImageSet(lambda: (Split(noise, labels), Split(noise, labels)), labels=6, packed=(4, 2))
    faces = image_sets.ImageSet(lambda: (Split(smooth), Split(smooth)), packed=(6, 3), photographs=True)
    monkeypatch.setattr(image_sets, "SETS", {"grey": grey, "celeba-1000": faces, "celeba": faces})
    image_sets.pack(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["celeba.npz", "grey.npz"]
    monkeypatch.setenv("AAE_PACKED", str(tmp_path))
    train, validation = image_sets.image_set.__wrapped__("grey")
    assert torch.equal(train.images, noise[:4])
    assert torch.equal(validation.labels, labels[:2])
    monkeypatch.setattr(image_sets, "FIRST", {"celeba-1000": 2})
    train, validation = image_sets.image_set.__wrapped__("celeba-1000")
    assert train.labels is None
    assert (len(train), len(validation)) == (2, 3)
    assert (train.images.int() - smooth[:2].int()).abs().max() <= 3  # JPEG
