"""The ledger: runs are complete, resumable and honest about what they were."""

import contextlib
import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from aae_lib.checks import DataError
from aae_lib.data import Split, load
from aae_lib.experiments import EXPERIMENTS, PROFILES, ledger, likelihood, rebuild, records, repeat, run, running
from aae_lib.experiments.__main__ import main
from aae_lib.storage import describe
from aae_lib.systems import SGD


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Results and checkpoints of one smoke run."""
    root = tmp_path_factory.mktemp("ledger")
    run("aae-gaussian", profile="smoke", results=root / "results", checkpoints=root / "runs", progress=False)
    return root


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", EXPERIMENTS)
def test_a_plan_says_as_plain_json_all_that_a_run_needs(name, profile):
    shape = (3, 32, 32) if "faces" in name else (1, 28, 28)
    with torch.device("meta") if profile == "paper" else contextlib.nullcontext():  # weights that nobody looks at
        planned = ledger.plan(name, EXPERIMENTS[name], profile, 3, shape)
        system, settings = rebuild(json.loads(json.dumps(planned)))
    again = {**settings.to_json(), "system": describe(system)}
    assert json.loads(json.dumps(again)) == planned["settings"] == json.loads(json.dumps(planned["settings"]))
    wanted = EXPERIMENTS[name].settings(profile)
    assert settings.stages() == wanted.stages()
    assert planned["settings"]["system"]["seed"] == 3


@pytest.mark.parametrize(
    ("name", "epochs", "reconstruction", "game"),
    [
        ("semi-supervised-100", 5000, SGD(0.01, 0.9, {50: 10, 1000: 10}), SGD(0.1, 0.1, {50: 10, 1000: 10})),
        ("semi-supervised-svhn-1000", 1000, SGD(1e-4, 0.9, {250: 10}), SGD(0.01, 0.1, {250: 10})),
        ("clustering-16", 1500, SGD(0.01, 0.9, {50: 10}), SGD(0.1, 0.1, {50: 10})),
    ],
)
def test_paper_settings_are_the_papers(name, epochs, reconstruction, game):
    settings = EXPERIMENTS[name].paper
    assert (settings.epochs, settings.batch_size, settings.chosen_on) == (epochs, 100, "paper")
    assert settings.optimizers["reconstruction"] == reconstruction
    assert settings.optimizers["discriminators"] == settings.optimizers["generators"] == game


@pytest.mark.parametrize("name", ["semi-supervised-100", "clustering-30"])
@pytest.mark.parametrize("profile", PROFILES)
def test_a_row_of_the_other_game_differs_from_the_papers_by_the_game_alone(name, profile):
    row = EXPERIMENTS[f"{name}-conditional"]
    plain, settings = EXPERIMENTS[name].settings(profile), row.settings(profile)
    game = {key: settings.system[key] for key in ("style_game", "conditional_from")}
    assert settings == replace(plain, system={**plain.system, **game}, chosen_on="untried") and not row.numbers
    assert game["style_game"] == "conditional" and (game["conditional_from"] == 0) is (name == "clustering-30")
    drops = [epoch for steps in settings.optimizers.values() for epoch in steps.drops]
    assert game["conditional_from"] * settings.epochs < min(drops, default=settings.epochs)


def test_a_run_writes_all_that_a_reader_needs_to_trust_it(folders):
    record = json.loads((folders / "results" / "aae-gaussian.smoke.seed0.json").read_text(encoding="utf-8"))
    assert record["updates"] == 20 * (len(load("digits").train) // 50)
    assert all(commit is None or len(commit.rstrip("+")) == 40 for commit in record["commits"])
    assert {"seed", "device", "versions", "settings", "threads", "losses", "health"} <= set(record)
    assert record["machine"] not in ("", "cpu") and record["threads"] == torch.get_num_threads()
    assert set(record["metrics"]) == {"validation", "test"}
    for numbers in record["metrics"].values():
        assert all(isinstance(value, float) for value in numbers.values())
        assert 0.1 < numbers["knn_accuracy"] <= 1
    assert record["metrics"]["validation"] != record["metrics"]["test"]
    left = [path.name for path in (folders / "runs").iterdir()]
    assert left == ["aae-gaussian.smoke.seed0.trained.safetensors"], "the checkpoint goes, the trained system stays"


def test_the_same_seed_gives_the_same_numbers(folders, tmp_path):
    again = run("aae-gaussian", profile="smoke", results=tmp_path, checkpoints=tmp_path, progress=False)
    first = json.loads((folders / "results" / again.name).read_text(encoding="utf-8"))
    assert json.loads(again.read_text(encoding="utf-8"))["metrics"] == first["metrics"]


def test_a_stopped_run_goes_on_where_it_was(folders, tmp_path, monkeypatch):
    whole = running.fit

    def half(system, images, *, epochs, **settings):
        history = whole(system, images, epochs=epochs // 2, **settings)
        history.interrupted = True
        return history

    monkeypatch.setattr(running, "fit", half)
    places = dict(results=tmp_path / "results", checkpoints=tmp_path / "runs", progress=False)
    assert run("aae-gaussian", profile="smoke", **places) is None
    assert not list((tmp_path / "results").glob("*.json"))
    assert list((tmp_path / "runs").iterdir()), "what was trained is kept"
    monkeypatch.setattr(running, "fit", whole)
    resumed = run("aae-gaussian", profile="smoke", **places)
    first = json.loads((folders / "results" / resumed.name).read_text(encoding="utf-8"))
    assert json.loads(resumed.read_text(encoding="utf-8"))["metrics"] == first["metrics"]


def test_a_finished_run_is_not_made_again_unless_told(folders, monkeypatch):
    places = dict(results=folders / "results", checkpoints=folders / "runs", progress=False)
    path = folders / "results" / "aae-gaussian.smoke.seed0.json"
    before, made = path.read_bytes(), path.stat().st_mtime_ns
    with monkeypatch.context() as patched:
        patched.setattr(running, "fit", None)
        assert run("aae-gaussian", profile="smoke", **places) == path
    assert path.read_bytes() == before and path.stat().st_mtime_ns == made
    assert run("aae-gaussian", profile="smoke", again=True, **places) == path
    first, second = json.loads(before), json.loads(path.read_bytes())
    assert second["metrics"] == first["metrics"] and path.stat().st_mtime_ns > made


def test_a_record_is_enough_to_make_its_run_again(folders, tmp_path, monkeypatch):
    record = folders / "results" / "aae-gaussian.smoke.seed0.json"
    changed = replace(EXPERIMENTS["aae-gaussian"], smoke=replace(EXPERIMENTS["aae-gaussian"].smoke, epochs=21))
    monkeypatch.setitem(EXPERIMENTS, "aae-gaussian", changed)  # the catalogue has moved on since
    path = repeat(record, results=tmp_path, checkpoints=tmp_path, progress=False)
    first, second = json.loads(record.read_text(encoding="utf-8")), json.loads(path.read_text(encoding="utf-8"))
    assert second["weights"]["sha256"] == first["weights"]["sha256"]
    assert (second["metrics"], second["settings"]) == (first["metrics"], first["settings"])
    with pytest.raises(DataError, match="was made with other settings"):
        run("aae-gaussian", profile="smoke", results=tmp_path, checkpoints=tmp_path)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "there is no record .*; make it with"),
        ("{", "is damaged"),
        ("[]", "is no record of this version"),
        ('{"format": 1}', "is no record of this version"),
    ],
)
def test_what_is_no_record_is_refused(content, sentence, tmp_path, capsys):
    path = tmp_path / "aae-gaussian.smoke.seed0.json"
    if content is not None:
        path.write_text(content)
    assert main(["repeat", str(path), "--results", str(tmp_path / "again")]) == 1
    assert re.search(sentence, capsys.readouterr().err)
    if content is not None:
        with pytest.raises(DataError, match=sentence):
            run("aae-gaussian", profile="smoke", results=tmp_path, checkpoints=tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_the_committed_records_can_be_read_and_rebuilt():
    committed = records(results=Path(__file__).parent.parent / "results")
    assert len(committed) >= 24
    for record in committed:
        system, settings = rebuild(record)
        assert describe(system) == record["settings"]["system"] and settings.stages()
        assert record["metrics"]["test"]


def test_a_resumed_run_names_every_commit_that_it_was_made_with(tmp_path, monkeypatch):
    places = dict(profile="smoke", results=tmp_path / "results", checkpoints=tmp_path / "runs", progress=False)
    commits = iter(["a" * 40, "b" * 40])
    monkeypatch.setattr(ledger, "commit", lambda: next(commits))
    looks = iter([False, True])
    monkeypatch.setattr(running, "NOTE_SECONDS", 0.0)
    assert run("vae-gaussian", stop=lambda: next(looks, True), **places) is None
    record = json.loads(run("vae-gaussian", **places).read_text(encoding="utf-8"))
    assert (record["commits"], record["sittings"]) == (["a" * 40, "b" * 40], 2)


def test_a_commit_made_while_a_process_runs_is_not_that_of_its_code(monkeypatch):
    answers = iter(["__init__.py", "a" * 40, " M some.py", "__init__.py", "b" * 40, ""])
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 0, stdout=next(answers)))
    ledger.commit.cache_clear()
    assert [ledger.commit() for _ in range(2)] == ["a" * 40 + "+"] * 2
    ledger.commit.cache_clear()


def test_the_command_line(capsys):
    assert main(["list"]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in EXPERIMENTS)
    assert main(["run", "aae-gausian", "--profile", "smoke"]) == 1
    assert "'aae-gaussian'" in capsys.readouterr().err


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_paper_settings_build_and_train_one_step(name):
    settings = EXPERIMENTS[name].paper
    training = settings.stages()[0]
    system = EXPERIMENTS[name].build((1, 8, 8), seed=0, **settings.system)
    count = training["batch_size"]
    images = torch.rand(count, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    split = Split(images, torch.arange(count) % 10)
    once = {**training, "epochs": 1, "updates": None}
    assert running.fit(system, split, seed=0, progress=False, **once).update == 1


@pytest.mark.parametrize(
    "name",
    [
        "labels-flower",
        "semi-supervised-100",
        "clustering-16",
        "reduction-2d-100",
        "parzen-mnist",
        "wae-gan-8d",
        "style-alae-mnist",
    ],
)
def test_an_experiment_of_each_kind_measures_what_the_paper_does(name, tmp_path):
    record = json.loads(
        run(name, profile="smoke", results=tmp_path, checkpoints=tmp_path, progress=False).read_text(encoding="utf-8")
    )
    validation, test = record["metrics"]["validation"], record["metrics"]["test"]
    assert set(record["paper"]) <= set(test) == set(validation)
    assert all(np.isfinite([*validation.values(), *test.values()]))
    assert all(set(point) == {"updates", "validation", "test"} for point in record["curve"])
    assert bool(record["curve"]) is EXPERIMENTS[name].watch
    if "error" in test:
        assert record["settings"]["labelled"] == 100 and test["error"] < 0.4
    assert records(name, tmp_path) == [record] and records("another", tmp_path) == []


def test_what_labels_put_in_place_is_measured_on_each_split(tmp_path):
    places = dict(results=tmp_path, checkpoints=tmp_path)
    record = ledger.read(run("labels-flower", profile="smoke", progress=False, **places))
    system, data = ledger.trained_system(record, tmp_path / record["weights"]["file"]), load("digits")
    assert record["settings"]["labelled"] == 250 and system.prior.classes == 10
    for name in ("validation", "test"):
        split, numbers = getattr(data, name), record["metrics"][name]
        own = (system.prior.nearest(system.encode(split.images)) == split.labels).float().mean()
        assert numbers["own_region"] == pytest.approx(float(own)) and own > 0.5, "chance is 0.1"
        assert numbers["sliced_wasserstein"] < numbers["sliced_wasserstein_floor"] + 0.1


def test_more_samples_are_added_to_a_run(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"json is missing; make it with: python -m aae_lib.experiments run "):
        likelihood("parzen-mnist", 500, profile="smoke")
    path = run("parzen-mnist", profile="smoke", progress=False)
    before = json.loads(path.read_text(encoding="utf-8"))
    assert main(["likelihood", "parzen-mnist", "--profile", "smoke", "--samples", "30000", "--images", "250"]) == 0
    likelihood("parzen-mnist", 20, images=100, profile="smoke", progress=False)
    likelihood("parzen-mnist", 20, images=200, profile="smoke", progress=False)
    after = json.loads(path.read_text(encoding="utf-8"))
    few, many = after.pop("likelihoods")
    assert after == before
    assert (few["samples"], few["images"], many["samples"], many["images"]) == (20, 200, 30_000, 250)
    assert few["log_likelihood"] < many["log_likelihood"]
    trained = next(Path("runs").glob("*.trained.safetensors"))
    whole = trained.read_bytes()
    trained.write_bytes(whole[:-1000])
    with pytest.raises(DataError, match=r"is not the file that its record names .*make it anew with: .* --again"):
        likelihood("parzen-mnist", 20, profile="smoke", progress=False)
    trained.unlink()
    with pytest.raises(FileNotFoundError, match=r"is missing; make it with: .* run parzen-mnist .* --again"):
        likelihood("parzen-mnist", 20, profile="smoke", progress=False)
    assert json.loads(path.read_text(encoding="utf-8"))["likelihoods"] == [few, many]


def test_more_samples_are_added_to_the_record_as_it_is_by_then(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = run("parzen-mnist", profile="smoke", progress=False)
    measured = running.measures.likelihood

    def while_another_adds(*arguments, **settings):
        monkeypatch.setattr(running.measures, "likelihood", measured)
        likelihood("parzen-mnist", 30, images=50, profile="smoke", progress=False)
        return measured(*arguments, **settings)

    monkeypatch.setattr(running.measures, "likelihood", while_another_adds)
    likelihood("parzen-mnist", 20, images=50, profile="smoke", progress=False)
    assert [one["samples"] for one in json.loads(path.read_text(encoding="utf-8"))["likelihoods"]] == [20, 30]
    with pytest.raises(ValueError, match="images must be at least 2"):
        likelihood("parzen-mnist", 20, images=1, profile="smoke", progress=False)


def test_a_run_that_another_process_finished_meanwhile_is_not_made_again(folders, tmp_path, monkeypatch):
    done = (folders / "results" / "aae-gaussian.smoke.seed0.json").read_bytes()
    results, locked = tmp_path / "results", running.sole_writer

    @contextlib.contextmanager
    def waited(path):
        results.mkdir(exist_ok=True)
        (results / "aae-gaussian.smoke.seed0.json").write_bytes(done)  # while this one waited for the lock
        with locked(path):
            yield

    monkeypatch.setattr(running, "sole_writer", waited)
    monkeypatch.setattr(running, "fit", None)
    assert run("aae-gaussian", profile="smoke", results=results, checkpoints=tmp_path).read_bytes() == done


def test_notes_of_another_plan_are_not_gone_on_with(tmp_path):
    def notes(settings):
        return running.Notes(tmp_path / "notes.json", settings, 100, None, None, lambda: False)

    first = notes({"epochs": 1})
    first.curve = [{"updates": 20}]
    first.write(20)
    assert notes({"epochs": 1}).curve == [{"updates": 20}] and len(notes({"epochs": 1}).sittings) == 2
    assert notes({"epochs": 2}).curve == [] and len(notes({"epochs": 2}).sittings) == 1


def test_a_commit_is_the_librarys_own(monkeypatch, tmp_path):
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    inside = tmp_path / "site-packages" / "aae_lib" / "experiments"
    inside.mkdir(parents=True)
    author = ["-c", "user.name=a reader", "-c", "user.email=reader@localhost"]
    subprocess.run(["git", *author, "commit", "--allow-empty", "--quiet", "-m", "theirs"], cwd=tmp_path, check=True)
    (inside.parent / "__init__.py").touch()
    monkeypatch.setattr(ledger, "__file__", str(inside / "ledger.py"))
    ledger.commit.cache_clear()
    try:
        assert ledger.commit() is None, "a reader's project around the installed library is not its commit"
    finally:
        ledger.commit.cache_clear()


def test_a_resumed_run_keeps_its_curve(tmp_path, monkeypatch):
    places = dict(profile="smoke", results=tmp_path / "results", checkpoints=tmp_path / "runs", progress=False)
    whole = running.fit

    def half(system, images, *, epochs, **settings):
        history = whole(system, images, epochs=epochs // 2, **settings)
        history.interrupted = True
        return history

    monkeypatch.setattr(running, "fit", half)
    run("clustering-16", **places)
    monkeypatch.setattr(running, "fit", whole)
    curve = json.loads(run("clustering-16", **places).read_text(encoding="utf-8"))["curve"]
    updates = [point["updates"] for point in curve]
    assert updates == sorted(set(updates)) and len(updates) >= 50
    assert updates[0] <= 10, "the first half is still there"
