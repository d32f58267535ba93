"""The ledger: runs are complete, resumable and honest about what they were."""

import json

import pytest
import torch

from aae_lib import experiments
from aae_lib.experiments import EXPERIMENTS, main, run, table


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Results and checkpoints of one smoke run."""
    root = tmp_path_factory.mktemp("ledger")
    run("aae-gaussian", profile="smoke", results=root / "results", checkpoints=root / "runs", progress=False)
    return root


def test_every_experiment_has_settings_for_every_profile():
    for experiment in EXPERIMENTS.values():
        assert set(experiment.settings) == {"smoke", "quick", "paper"}


def test_a_run_writes_all_that_a_reader_needs_to_trust_it(folders):
    record = json.loads((folders / "results" / "aae-gaussian.smoke.seed0.json").read_text())
    assert record["updates"] == 20 * (len(experiments.load("digits").train) // 50)
    assert record["commit"] is None or len(record["commit"].rstrip("+")) == 40
    assert {"seed", "device", "versions", "settings", "system", "dataset", "losses", "health"} <= set(record)
    assert all(isinstance(value, float) for value in record["metrics"].values())
    assert 0.1 < record["metrics"]["knn_accuracy"] <= 1
    assert not list((folders / "runs").iterdir()), "the checkpoint goes once the result is written"


def test_the_same_seed_gives_the_same_numbers(folders, tmp_path):
    again = run("aae-gaussian", profile="smoke", results=tmp_path, checkpoints=tmp_path, progress=False)
    first = json.loads((folders / "results" / again.name).read_text())
    assert json.loads(again.read_text())["metrics"] == first["metrics"]


def test_a_stopped_run_goes_on_where_it_was(folders, tmp_path, monkeypatch):
    whole = experiments.fit

    def half(system, images, *, epochs, **settings):
        history = whole(system, images, epochs=epochs // 2, **settings)
        history.interrupted = True
        return history

    monkeypatch.setattr(experiments, "fit", half)
    places = dict(results=tmp_path / "results", checkpoints=tmp_path / "runs", progress=False)
    assert run("aae-gaussian", profile="smoke", **places) is None
    assert not list((tmp_path / "results").glob("*.json"))
    assert list((tmp_path / "runs").iterdir()), "what was trained is kept"
    monkeypatch.setattr(experiments, "fit", whole)
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


def test_paper_settings_build_and_train_one_step(tmp_path):
    for experiment in EXPERIMENTS.values():
        settings = {**experiment.settings["paper"]["fit"], "epochs": 1}
        system = experiment.build((1, 8, 8), seed=0, **experiment.settings["paper"]["system"])
        images = torch.rand(settings["batch_size"], 1, 8, 8, generator=torch.Generator().manual_seed(0))
        history = experiments.fit(system, images, seed=0, progress=False, **settings)
        assert history.update == 1
