"""Trained systems at hand: what is stored is what its record says, and what is not is refused in a sentence."""

import json
from pathlib import Path

import pytest
import torch

from aae_lib.checks import DataError, StorageError
from aae_lib.experiments import ledger, records, run, store, stored, trained, verify
from aae_lib.experiments.__main__ import main
from aae_lib.storage import describe

SMOKE = "vae-gaussian.smoke.seed0.json"


@pytest.fixture
def places(tmp_path):
    """Folders with one finished smoke run."""
    folders = {"results": tmp_path / "results", "checkpoints": tmp_path / "runs"}
    run("vae-gaussian", profile="smoke", progress=False, **folders)
    return folders


def test_a_stored_system_is_the_trained_one_in_half_precision(places, capsys):
    arguments = [f"--{name}={path}" for name, path in places.items()]
    assert main(["store", "vae-gaussian", "--profile", "smoke", *arguments]) == 0
    system = trained("vae-gaussian", results=places["results"])
    whole = ledger.trained_system(
        ledger.read(places["results"] / SMOKE), next(places["checkpoints"].glob("*.trained.*"))
    )
    assert describe(system) == describe(whole)
    for name, value in whole.state_dict().items():
        assert torch.allclose(system.state_dict()[name], value, rtol=1e-3, atol=1e-6)
    size = (places["results"] / "weights" / "vae-gaussian.safetensors").stat().st_size
    assert size < 0.6 * next(places["checkpoints"].glob("*.trained.*")).stat().st_size
    assert main(["verify", arguments[0]]) == 0
    assert "vae-gaussian: as recorded" in capsys.readouterr().out


def test_numbers_that_are_not_the_records_are_seen(places):
    store("vae-gaussian", profile="smoke", **places)
    path = places["results"] / SMOKE
    record = json.loads(path.read_text(encoding="utf-8"))
    record["metrics"]["test"]["half_squared_error"] *= 1.1
    path.write_text(json.dumps(record))
    ((name, numbers, agree),) = verify(results=places["results"])
    assert (name, agree) == ("vae-gaussian", False)
    assert numbers["half_squared_error"][0] == pytest.approx(1.1 * numbers["half_squared_error"][1], rel=0.01)


def test_nothing_is_no_verification(places, capsys):
    with pytest.raises(ValueError, match="name is 'vae-gausian', which is unknown"):
        list(verify("vae-gausian", results=places["results"]))
    with pytest.raises(FileNotFoundError, match="no trained system of vae-gaussian is stored"):
        list(verify("vae-gaussian", results=places["results"]))
    assert main(["verify", f"--results={places['results']}"]) == 1
    assert "no trained system is stored in" in capsys.readouterr().err


def test_one_seed_is_stored_at_a_time(places):
    run("vae-gaussian", profile="smoke", seed=1, progress=False, **places)
    for seed in (0, 1):
        store("vae-gaussian", profile="smoke", seed=seed, **places)
    assert [record["seed"] for record in records(results=places["results"]) if "stored" in record] == [1]
    assert trained("vae-gaussian", results=places["results"]).settings["seed"] == 1


def test_what_is_missing_damaged_or_too_large_is_refused(places, monkeypatch):
    results = places["results"]
    with pytest.raises(ValueError, match="name is 'vae-gausian', which is unknown; did you mean"):
        trained("vae-gausian")
    with pytest.raises(FileNotFoundError, match=r"is stored in .*; make one with: .* run vae-gaussian --profile long"):
        trained("vae-gaussian", results=results)
    with pytest.raises(
        FileNotFoundError, match=r"is missing; make it with: .* run vae-gaussian --profile smoke --seed 7"
    ):
        store("vae-gaussian", profile="smoke", seed=7, **places)
    before = (results / SMOKE).read_bytes()
    with monkeypatch.context() as patched:
        patched.setattr(stored, "LARGEST", 1000)
        with pytest.raises(StorageError, match="in half precision, but a stored system may have"):
            store("vae-gaussian", profile="smoke", **places)
    assert (results / SMOKE).read_bytes() == before and not (results / "weights").exists()
    file = store("vae-gaussian", profile="smoke", **places)
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(DataError, match="is not the file that its record names"):
        trained("vae-gaussian", results=results)
    file.unlink()
    with pytest.raises(FileNotFoundError, match=r"is missing; get it back with git, or make it anew with"):
        trained("vae-gaussian", results=results)


def test_the_committed_systems_are_those_of_their_records():
    committed = [record for record in records(results=stored.AT_HOME) if "stored" in record]
    assert len(committed) >= 7
    for record in committed:
        assert trained(record["experiment"]).latent_dim
    files = list((stored.AT_HOME / "weights").iterdir())
    assert {path.name for path in files} == {Path(record["stored"]["file"]).name for record in committed}
    assert max(path.stat().st_size for path in files) < stored.LARGEST + 100_000
    assert sum(path.stat().st_size for path in files) < 50 * 2**20
