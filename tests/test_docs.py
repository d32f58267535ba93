"""The code in the documents runs, and does what the text around it says."""

import re
import textwrap
from pathlib import Path

import torch

from aae_lib import fit, load, networks, systems
from aae_lib.systems import base

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
    grid = "data.validation.images, [0.05, 0.3, 5.0])"  # after one epoch the best of the default is its edge
    example = example.replace("data.validation.images)", grid)
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(example, names)
    assert names["z"].shape == (len(names["data"].test), 2)
    assert names["x"].shape == (64, *names["data"].image_shape)
    assert (tmp_path / "aae.safetensors").exists()
    assert 0 <= float(names["error"]) <= 1 and names["nats"].shape == (len(names["data"].test),)


def test_the_guides_example_system_trains_in_its_two_phases():
    (example,) = code_blocks("CONTRIBUTING.md")
    names = {**vars(systems), **vars(networks), **vars(base)}
    exec(example, names)
    data = load("digits")
    system = names["ShrinkingAutoencoder"](data.image_shape, hidden=(16,))
    before = system.encode(data.train.images).square().mean()
    shrink = {"reconstruction": systems.Adam(1e-9), "shrinking": systems.Adam(1e-2)}
    history = fit(system, data.train, epochs=2, batch_size=100, optimizers=shrink, progress=False)
    assert history.phases == ("reconstruction", "shrinking")
    assert torch.less(system.encode(data.train.images).square().mean(), 0.5 * before)
