"""The latent explorer, driven from Python: every trait that its page can change, through its whole range."""

from __future__ import annotations

import base64
import io
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from aae_lib import load
from aae_lib.priors import Categorical, Gaussian, Uniform
from aae_lib.systems import AdversarialAutoencoder, Autoencoder, GenerativeAdversarialNetwork

pytest.importorskip("anywidget")
from aae_lib.widgets import explore, linear_layers

SMALL = {"hidden": (32, 32), "seed": 0}


@pytest.fixture(scope="module")
def digits():
    return load("digits")


@pytest.fixture
def widget(digits):
    system = AdversarialAutoencoder(digits.image_shape, prior=Gaussian(3), **SMALL)
    return explore(system, digits.test.images, labels=digits.test.labels)


def decoded(widget) -> bytes:
    picture = widget.system.decode(torch.tensor([widget.z]))
    return (255 * picture).round().byte().numpy().tobytes()


def test_every_slider_through_its_range_draws_what_the_decoder_says(widget):
    frames = {widget.frame}
    for dimension, (low, high) in enumerate(widget.limits):
        for value in np.linspace(low, high, 5):
            z = list(widget.z)
            z[dimension] = float(value)
            widget.z = z
            assert widget.z == z and widget.frame == decoded(widget)
            frames.add(widget.frame)
    assert len(frames) > 12 and widget.message == ""


def test_playing_goes_from_the_code_of_a_to_the_code_of_b(widget):
    widget.pair = [4, 7]
    ends = widget.system.encode(widget.images[[4, 7]])
    for position in np.linspace(0, 1, 11):
        widget.between(float(position))
        expected = (1 - position) * ends[0] + position * ends[1]
        assert torch.allclose(torch.tensor(widget.z), expected, atol=1e-5) and widget.frame == decoded(widget)


def test_every_image_can_be_chosen_and_its_thumbnail_follows(widget, digits):
    count = len(digits.test.images)
    for n in range(0, count, 17):
        widget.pair = [n, count - 1 - n]
        assert widget.thumbnails == digits.test.images[[n, count - 1 - n]].numpy().tobytes()


def test_a_draw_comes_from_the_prior_and_decodes(widget):
    draws = np.frombuffer(widget.draws, dtype=np.float32).reshape(-1, 3)
    assert len(draws) == 1000 and abs(draws.mean()) < 0.1 and abs(draws.std() - 1) < 0.05
    for draw in draws[:20]:
        widget.z = draw
        assert widget.frame == decoded(widget)


@pytest.mark.parametrize(
    ("trait", "value"),
    [
        ("z", [0.0]),
        ("z", [0.0, None, 0.0]),
        ("z", [0.0, float("inf"), 0.0]),
        ("z", "abc"),
        ("z", None),
        ("pair", [0]),
        ("pair", [0, 10**6]),
        ("pair", [-1, 0]),
        ("pair", [0.5, 1]),
        ("pair", None),
    ],
)
def test_what_cannot_be_shown_is_ignored_with_a_sentence(widget, trait, value):
    before = widget.z, widget.pair, widget.frame
    widget.set_state({trait: value})  # the way values come in from the page
    assert (widget.z, widget.pair, widget.frame) == before
    assert widget.message.startswith(f"{trait} was left as it is")
    widget.z = [0.1, 0.2, 0.3]
    assert widget.message == ""


@pytest.mark.parametrize(
    ("prior", "low", "high"),
    [(Gaussian(2, std=5), -15, 15), (Uniform(2, -1, 1), -1, 1), (Categorical(4), 0, 1)],
)
def test_the_controls_reach_as_far_as_the_prior(prior, low, high):
    widget = explore(AdversarialAutoencoder((1, 4, 4), prior=prior, **SMALL))
    assert np.allclose(widget.limits, [[low, high]] * prior.dim, atol=0.02 * (high - low))


def test_limits_can_be_given_and_are_checked():
    system = AdversarialAutoencoder((1, 4, 4), prior=Gaussian(2), **SMALL)
    assert explore(system, limits=(-1, 2)).limits == [[-1, 2], [-1, 2]]
    assert explore(system, limits=[(-1, 2), (0, 1)]).limits == [[-1, 2], [0, 1]]
    for wrong in [(1, 1), (2, -1), (0, float("nan")), 3, [(0, 1)] * 3]:
        with pytest.raises(ValueError, match="limits must be"):
            explore(system, limits=wrong)


def test_codes_outside_the_prior_stay_on_the_pad(digits):
    system = Autoencoder(digits.image_shape, latent_dim=2, **SMALL)
    codes = 0.05 * torch.randn(50, 2, generator=torch.Generator().manual_seed(0)) + torch.tensor([40.0, 0.0])
    system.encode = lambda images: codes
    (low, high), _ = explore(system, digits.test.images[:50]).limits
    assert low > 39 and high < 41


@pytest.mark.parametrize("settings", [{"body": "convolutional", "hidden": (4, 8)}, {"hidden": (16,)}])
def test_colour_and_convolutions(settings):
    widget = explore(GenerativeAdversarialNetwork((3, 12, 16), prior=Gaussian(1), **settings))
    widget.z = [0.7]
    assert widget.frame == decoded(widget) and len(widget.frame) == 3 * 12 * 16
    assert widget.pair == [] and widget.thumbnails == b""


def test_bad_arguments_are_refused(digits):
    system = AdversarialAutoencoder(digits.image_shape, prior=Gaussian(2), **SMALL)
    with pytest.raises(ValueError, match="images"):
        explore(system, torch.zeros(2, 1, 9, 9))
    with pytest.raises(ValueError, match="labels"):
        explore(system, digits.test.images, labels=digits.test.labels[:3])
    with pytest.raises(ValueError, match="labels"):
        explore(system, labels=digits.test.labels)
    with pytest.raises(ValueError, match="images"):
        explore(system).between(0.5)


@pytest.mark.parametrize("output", ["sigmoid", "linear"])
@pytest.mark.parametrize("batch_norm", [False, True])
def test_the_weights_that_the_page_gets_decode_like_the_system(output, batch_norm):
    system = AdversarialAutoencoder((1, 5, 6), prior=Gaussian(3), output=output, batch_norm=batch_norm, **SMALL)
    generator = torch.Generator().manual_seed(1)
    for name, value in system.decoder.state_dict().items():
        if "running" in name or "body.1." in name:  # batch norm that has seen data, and learned
            value.copy_(0.5 + torch.rand(value.shape, generator=generator)) if value.is_floating_point() else None
    z = torch.randn(20, 3, generator=generator)
    values = z
    layers = linear_layers(system)
    for k, (weight, bias) in enumerate(layers):
        values = (values if k == 0 else values.relu()) @ weight + bias
    values = values.sigmoid() if output == "sigmoid" else values.clamp(0, 1)
    assert torch.allclose(values.reshape(20, 1, 5, 6), system.decode(z), atol=1e-5)


def test_other_decoders_stay_in_the_kernel(monkeypatch):
    convolutional = AdversarialAutoencoder((1, 8, 8), prior=Gaussian(2), body="convolutional", hidden=(4, 8), seed=0)
    assert linear_layers(convolutional) is None
    monkeypatch.setattr("aae_lib.widgets.page.MOST_WEIGHTS", 100)
    assert linear_layers(AdversarialAutoencoder((1, 8, 8), prior=Gaussian(2), **SMALL)) is None


def test_a_page_that_opens_is_sent_the_decoder_and_the_state_stays_small(widget, monkeypatch):
    sent = []
    monkeypatch.setattr(type(widget), "send", lambda self, content, buffers: sent.append((content, buffers)))
    widget._handle_custom_msg({"wanted": "parcel"}, [])
    [(content, buffers)] = sent
    assert content == {"output": "sigmoid"}
    assert [len(buffer) // 4 for buffer in buffers] == [3 * 32, 32, 32 * 32, 32, 32 * 64, 64]
    state = sum(len(value) for value in widget.get_state().values() if isinstance(value, bytes))
    assert state < 30_000


@pytest.mark.parametrize("latent_dim", [1, 2, 5])
def test_where_no_widget_runs_a_sentence_and_a_picture_stand_in(latent_dim):
    widget = explore(AdversarialAutoencoder((3, 8, 8), prior=Gaussian(latent_dim), **SMALL))
    data, metadata = widget._repr_mimebundle_()
    assert data["text/plain"].startswith("LatentExplorer: run this cell in JupyterLab")
    picture = Image.open(io.BytesIO(base64.b64decode(data["image/png"])))
    assert picture.width == picture.height >= 250 and np.asarray(picture).std() > 0
    assert "decoded" in metadata["image/png"]["alt"]
    assert "application/vnd.jupyter.widget-view+json" in data


def test_missing_anywidget_is_a_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "anywidget", None)
    monkeypatch.delitem(sys.modules, "aae_lib.widgets")
    with pytest.raises(ImportError, match=r"pip install 'aae_lib\[lab\]'"):
        import aae_lib.widgets  # noqa: F401
