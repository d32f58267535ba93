"""The ledger: runs are complete, resumable and honest about what they were."""

import json

import numpy as np
import pytest
import torch

from aae_lib.data import Split, load
from aae_lib.experiments import EXPERIMENTS, ledger, likelihood, records, run, table
from aae_lib.experiments.__main__ import main
from aae_lib.systems import SGD


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Results and checkpoints of one smoke run."""
    root = tmp_path_factory.mktemp("ledger")
    run("aae-gaussian", profile="smoke", results=root / "results", checkpoints=root / "runs", progress=False)
    return root


def test_every_experiment_has_settings_for_every_profile():
    for experiment in EXPERIMENTS.values():
        assert set(experiment.settings) in ({"smoke", "quick", "paper"}, {"smoke", "long", "paper"})


@pytest.mark.parametrize(
    ("name", "epochs", "reconstruction", "game"),
    [
        ("semi-supervised-100", 5000, SGD(0.01, 0.9, {50: 10, 1000: 10}), SGD(0.1, 0.1, {50: 10, 1000: 10})),
        ("semi-supervised-svhn-1000", 1000, SGD(1e-4, 0.9, {250: 10}), SGD(0.01, 0.1, {250: 10})),
        ("clustering-16", 1500, SGD(0.01, 0.9, {50: 10}), SGD(0.1, 0.1, {50: 10})),
    ],
)
def test_paper_settings_are_the_papers(name, epochs, reconstruction, game):
    training = EXPERIMENTS[name].settings["paper"]["fit"]
    assert (training["epochs"], training["batch_size"]) == (epochs, 100)
    assert training["optimizers"]["reconstruction"] == reconstruction
    assert training["optimizers"]["discriminators"] == training["optimizers"]["generators"] == game


def test_a_run_writes_all_that_a_reader_needs_to_trust_it(folders):
    record = json.loads((folders / "results" / "aae-gaussian.smoke.seed0.json").read_text())
    assert record["updates"] == 20 * (len(load("digits").train) // 50)
    assert record["commit"] is None or len(record["commit"].rstrip("+")) == 40
    assert {"seed", "device", "versions", "settings", "system", "dataset", "losses", "health"} <= set(record)
    assert all(isinstance(value, float) for value in record["metrics"].values())
    assert 0.1 < record["metrics"]["knn_accuracy"] <= 1
    left = [path.name for path in (folders / "runs").iterdir()]
    assert left == ["aae-gaussian.smoke.seed0.trained.safetensors"], "the checkpoint goes, the trained system stays"


def test_the_same_seed_gives_the_same_numbers(folders, tmp_path):
    again = run("aae-gaussian", profile="smoke", results=tmp_path, checkpoints=tmp_path, progress=False)
    first = json.loads((folders / "results" / again.name).read_text())
    assert json.loads(again.read_text())["metrics"] == first["metrics"]


def test_a_stopped_run_goes_on_where_it_was(folders, tmp_path, monkeypatch):
    whole = ledger.fit

    def half(system, images, *, epochs, **settings):
        history = whole(system, images, epochs=epochs // 2, **settings)
        history.interrupted = True
        return history

    monkeypatch.setattr(ledger, "fit", half)
    places = dict(results=tmp_path / "results", checkpoints=tmp_path / "runs", progress=False)
    assert run("aae-gaussian", profile="smoke", **places) is None
    assert not list((tmp_path / "results").glob("*.json"))
    assert list((tmp_path / "runs").iterdir()), "what was trained is kept"
    monkeypatch.setattr(ledger, "fit", whole)
    resumed = run("aae-gaussian", profile="smoke", **places)
    first = json.loads((folders / "results" / resumed.name).read_text())
    assert json.loads(resumed.read_text())["metrics"] == first["metrics"]


def test_the_table_averages_over_seeds_and_shows_the_papers_number(tmp_path):
    for seed, value in ((0, 1.0), (1, 3.0)):
        record = {
            "experiment": "e", "profile": "paper", "dataset": "mnist", "seed": seed, "updates": 1200, "device": "cuda",
            "metrics": {"error": value}, "paper": {"error": 1.9},
        }  # fmt: skip
        (tmp_path / f"{seed}.json").write_text(json.dumps(record))
    assert "| e | paper | mnist | 0, 1 | 1,200 | cuda | 2 ± 1.4 (paper: 1.9) |" in table(tmp_path)


def test_the_command_line(capsys):
    assert main(["list"]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in EXPERIMENTS)
    assert main(["run", "aae-gausian", "--profile", "smoke"]) == 1
    assert "'aae-gaussian'" in capsys.readouterr().err


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_paper_settings_build_and_train_one_step(name):
    settings, training = EXPERIMENTS[name].settings["paper"], EXPERIMENTS[name].stages("paper")[0]
    system = EXPERIMENTS[name].build((1, 8, 8), seed=0, **settings["system"])
    count = training["batch_size"]
    images = torch.rand(count, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    split = Split(images, torch.arange(count) % 10)
    once = {**training, "epochs": 1, "updates": None}
    assert ledger.fit(system, split, seed=0, progress=False, **once).update == 1


@pytest.mark.parametrize(
    "name",
    ["semi-supervised-100", "clustering-16", "reduction-2d-100", "parzen-mnist", "wae-gan-8d", "style-alae-mnist"],
)
def test_an_experiment_of_each_kind_measures_what_the_paper_does(name, tmp_path):
    record = json.loads(run(name, profile="smoke", results=tmp_path, checkpoints=tmp_path, progress=False).read_text())
    assert set(record["paper"]) <= set(record["metrics"])
    assert all(np.isfinite(value) for value in record["metrics"].values())
    watched = {"updates", *record["metrics"]} if EXPERIMENTS[name].watch else None
    assert all(set(point) == watched for point in record["curve"])
    assert bool(record["curve"]) is (watched is not None)
    if "test_error" in record["metrics"]:
        assert record["labelled"] == 100 and record["metrics"]["test_error"] < 0.4
    assert records(name, tmp_path) == [record] and records("another", tmp_path) == []


def test_more_samples_are_added_to_a_run(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match="json is missing; make it with: run parzen-mnist"):
        likelihood("parzen-mnist", 500, profile="smoke")
    path = run("parzen-mnist", profile="smoke", progress=False)
    before = json.loads(path.read_text())
    assert main(["likelihood", "parzen-mnist", "--profile", "smoke", "--samples", "30000", "--images", "250"]) == 0
    likelihood("parzen-mnist", 20, images=100, profile="smoke", progress=False)
    likelihood("parzen-mnist", 20, images=200, profile="smoke", progress=False)
    after = json.loads(path.read_text())
    few, many = after.pop("likelihoods")
    assert after == before
    assert (few["samples"], few["images"], many["samples"], many["images"]) == (20, 200, 30_000, 250)
    assert few["log_likelihood"] < many["log_likelihood"]


def test_a_resumed_run_keeps_its_curve(tmp_path, monkeypatch):
    places = dict(profile="smoke", results=tmp_path / "results", checkpoints=tmp_path / "runs", progress=False)
    whole = ledger.fit

    def half(system, images, *, epochs, **settings):
        history = whole(system, images, epochs=epochs // 2, **settings)
        history.interrupted = True
        return history

    monkeypatch.setattr(ledger, "fit", half)
    run("clustering-16", **places)
    monkeypatch.setattr(ledger, "fit", whole)
    curve = json.loads(run("clustering-16", **places).read_text())["curve"]
    updates = [point["updates"] for point in curve]
    assert updates == sorted(set(updates)) and len(updates) >= 50
    assert updates[0] <= 10, "the first half is still there"
