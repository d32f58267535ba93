"""The code in the documents runs, and does what the text around it says."""

import re
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from aae_lib import fit, load, losses, networks, restore, save, systems

ROOT = Path(__file__).parent.parent


def code_blocks(name: str) -> list[str]:
    """The Python blocks of a Markdown file, indentation removed."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return [
        textwrap.dedent(block) for block in re.findall(r"^ *```python\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)
    ]


def test_the_readmes_example_runs(tmp_path, monkeypatch):
    example = "\n".join(code_blocks("README.md"))
    example = example.replace('"mnist")', '"digits")').replace("epochs=20", "epochs=1").replace("(1000, 1000)", "(16,)")
    example = example.replace("updates=3000", "updates=2")
    grid = "data.validation.images, [0.05, 0.3, 5.0])"  # after one epoch the best of the default is its edge
    example = example.replace("data.validation.images)", grid)
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(example, names)
    assert names["z"].shape == (len(names["data"].test), 2)
    assert names["x"].shape == (64, *names["data"].image_shape)
    assert (tmp_path / "aae.safetensors").exists() and (tmp_path / "aae.html").exists()
    assert names["pictures"].shape == (4, *names["data"].image_shape)
    assert 0 <= float(names["error"]) <= 1 and names["nats"].shape == (len(names["data"].test),)


def guides_systems() -> dict:
    """The systems that CONTRIBUTING.md shows, by name."""
    names = {**vars(systems), **vars(networks), **vars(losses), "F": F, "replace": replace, "torch": torch}
    names |= {"AveragedModel": AveragedModel, "get_ema_multi_avg_fn": get_ema_multi_avg_fn, "__name__": "guide"}
    before = set(names)
    for block in code_blocks("CONTRIBUTING.md"):
        exec(block, names)
    return {name: value for name, value in names.items() if name not in {*before, "__builtins__"}}


def test_the_guides_example_system_trains_in_its_two_phases():
    data = load("digits")
    system = guides_systems()["ShrinkingAutoencoder"](data.image_shape, hidden=(16,))
    before = system.encode(data.train.images).square().mean()
    shrink = {"reconstruction": systems.Adam(1e-9), "shrinking": systems.Adam(1e-2)}
    history = fit(system, data.train, epochs=2, batch_size=100, optimizers=shrink, progress=False)
    assert history.phases == ("reconstruction", "shrinking")
    assert torch.less(system.encode(data.train.images).square().mean(), 0.5 * before)


@pytest.mark.parametrize("name", guides_systems())
def test_the_guides_systems_train_go_on_and_come_back(name, tmp_path):
    images = torch.rand(40, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    chosen = {"batch_size": 10, "device": "cpu", "progress": False}
    whole, parts = (guides_systems()[name]((1, 4, 4), hidden=(8,)) for _ in range(2))
    history = fit(whole, images, updates=9, **chosen)
    fit(parts, images, updates=5, checkpoint=tmp_path / "run", **chosen)
    fit(parts, images, updates=9, checkpoint=tmp_path / "run", **chosen)
    save(parts, tmp_path / "system")
    assert torch.equal(whole.reconstruct(images), restore(tmp_path / "system").reconstruct(images))
    if hasattr(whole, "grow"):
        whole.grow()
        assert (history + fit(whole, images, updates=4, **chosen)).update == 13
