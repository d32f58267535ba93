"""A system as one web page: what is in the file, and what is refused before anything is written."""

from __future__ import annotations

import base64
import json
import re

import numpy as np
import pytest
import torch

from aae_lib.priors import Gaussian
from aae_lib.systems import (
    AdversarialAutoencoder,
    Autoencoder,
    Classifier,
    DimensionalityReductionAdversarialAutoencoder,
    StyleAdversarialLatentAutoencoder,
    SupervisedAdversarialAutoencoder,
)

pytest.importorskip("anywidget")
from aae_lib.widgets import explore, export_page, linear_layers
from aae_lib.widgets.page import FOLDER

IMAGES = torch.rand(9, 1, 7, 5, generator=torch.Generator().manual_seed(0))


def aae(latent_dim: int = 2, **settings) -> AdversarialAutoencoder:
    return AdversarialAutoencoder(
        (1, 7, 5), **{"prior": Gaussian(latent_dim), "hidden": (8,), "initial_std": None, **settings}
    )


def contents(page: str) -> dict:
    return json.loads(re.search(r'<script type="application/json" id="contents">(.*?)</script>', page, re.DOTALL)[1])


def test_the_file_holds_the_widgets_script_and_the_decoder_in_half_precision(tmp_path):
    system = aae()
    path = export_page(system, tmp_path / "mine.html", title="Ink & <paper>", data_name="5 < 6", images=IMAGES)
    page = path.read_text(encoding="utf-8")
    assert explore(system)._esm in page and (FOLDER / "export.js").read_text(encoding="utf-8") in page
    assert "<h1>Ink &amp; &lt;paper&gt;</h1>" in page and "like those of 5 &lt; 6" in page
    assert "AdversarialAutoencoder" in page and "Drag the ring" in page and "9 real images" in page
    assert page.count("</script>") == 2 and not re.search(r"https?://", page)
    inside = contents(page)
    halves = [np.frombuffer(base64.b64decode(one["halves"]), dtype=np.float16) for one in inside["buffers"]]
    layers = [array.flatten() for layer in linear_layers(system) for array in layer]
    for half, weight in zip(halves, layers, strict=True):
        assert (half == weight.half().numpy()).all()
    assert base64.b64decode(inside["images"]["bytes"]) == (255 * IMAGES).round().byte().numpy().tobytes()


@pytest.mark.parametrize(
    "system, words",
    [
        (aae(1), "Move the slider"),
        (aae(5), "from 5 numbers each. The square moves two"),
        (Autoencoder((1, 7, 5), latent_dim=2, hidden=(8,)), "pair of numbers"),
        (DimensionalityReductionAdversarialAutoencoder((1, 7, 5), hidden=(8,)), "pair of numbers"),
        (SupervisedAdversarialAutoencoder((1, 7, 5), prior=Gaussian(3), classes=4, hidden=(8,)), "one column for each"),
        (StyleAdversarialLatentAutoencoder((1, 8, 8), channels=(8, 8)), "takes its style from A"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_kind_of_system_has_its_page(tmp_path, system, words):
    assert words in export_page(system, tmp_path / "new" / "mine.html").read_text(encoding="utf-8")


def test_few_of_many_large_images_go_into_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr("aae_lib.widgets.export.MOST_PIXELS", 4 * 35)
    labels = torch.arange(9)
    page = export_page(aae(), tmp_path / "mine.html", images=IMAGES, labels=labels, names=list("abcdefghi"))
    state = contents(page.read_text(encoding="utf-8"))["state"]
    assert state["labels"] == [0, 1, 2, 3] and state["names"] == list("abcdefghi")


class Negative(AdversarialAutoencoder):
    """Shows the decoder's pictures the other way round, of which a page knows nothing."""

    def decode(self, z):
        return 1 - super().decode(z)


def diverged() -> AdversarialAutoencoder:
    system = aae()
    system.decoder.body[0].weight.data.fill_(1e6)
    return system


CONVOLUTIONAL = AdversarialAutoencoder((1, 8, 8), prior=Gaussian(2), body="convolutional", hidden=(4, 8))
REFUSED = {
    "no system": (lambda path: export_page(None, path), TypeError, "system must be"),
    "no decoder": (lambda path: export_page(Classifier((1, 7, 5), hidden=(8,)), path), TypeError, "has no decoder"),
    "convolutions": (lambda path: export_page(CONVOLUTIONAL, path), ValueError, r"body='mlp'.*explore\(system\)"),
    "own decode": (
        lambda path: export_page(Negative((1, 7, 5), prior=Gaussian(2), hidden=(8,)), path),
        ValueError,
        "cannot run inside a page",
    ),
    "diverged": (lambda path: export_page(diverged(), path), ValueError, "not finite in half precision"),
    "other images": (lambda path: export_page(aae(), path, images=torch.zeros(2, 1, 4, 4)), ValueError, "images has"),
    "labels alone": (lambda path: export_page(aae(), path, labels=torch.zeros(2).long()), ValueError, "labels must"),
    "few names": (
        lambda path: export_page(aae(), path, images=IMAGES, labels=torch.arange(9), names=["a"]),
        ValueError,
        "names must be at least 9 captions",
    ),
    "labels of a style matrix": (
        lambda path: export_page(
            SupervisedAdversarialAutoencoder((1, 7, 5), classes=3, prior=Gaussian(2), hidden=(8,)), path, labels=[1]
        ),
        ValueError,
        "has style_matrix's; leave it out",
    ),
    "a title that is none": (lambda path: export_page(aae(), path, title=3), TypeError, "title must be text"),
    "another ending": (lambda path: export_page(aae(), path.with_suffix(".txt")), ValueError, r"end in \.html"),
}


@pytest.mark.parametrize("call, error, sentence", REFUSED.values(), ids=REFUSED)
def test_what_no_page_can_show_is_refused_before_anything_is_written(tmp_path, call, error, sentence):
    with pytest.raises(error, match=sentence) as caught:
        call(tmp_path / "new" / "mine.html")
    assert "\n" not in str(caught.value) and list(tmp_path.iterdir()) == []
