"""The style mixer and the explorer of the latent dimension, driven from Python."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F

from aae_lib.evaluation import holes
from aae_lib.priors import Gaussian
from aae_lib.systems import (
    AdversarialAutoencoder,
    AdversarialLatentAutoencoder,
    Autoencoder,
    StyleAdversarialLatentAutoencoder,
    SupervisedAdversarialAutoencoder,
)

pytest.importorskip("anywidget")
from aae_lib.widgets import dimension_explorer, style_mixer
from aae_lib.widgets.mixer import generator_parcel

SMALL = {"hidden": (16, 16), "discriminator_hidden": (16,), "seed": 0}
SHAPE = (1, 4, 5)
DARK_TO_LIGHT = torch.linspace(0, 0.9, 50).reshape(50, 1, 1, 1)
IMAGES = DARK_TO_LIGHT + 0.02 * torch.rand(50, *SHAPE, generator=torch.Generator().manual_seed(0))


def floats(data: bytes, width: int) -> np.ndarray:
    return np.frombuffer(data, dtype=np.float32).reshape(-1, width)


def bytes_of(pictures: torch.Tensor) -> bytes:
    return (255 * pictures).round().byte().numpy().tobytes()


def system_of(latent_dim: int, posterior: str = "deterministic") -> AdversarialAutoencoder:
    return AdversarialAutoencoder(SHAPE, prior=Gaussian(latent_dim), posterior=posterior, **SMALL)


@pytest.fixture
def systems():
    return {kind: {z: system_of(z, kind) for z in (1, 3)} for kind in ("deterministic", "gaussian")}


def test_each_plot_shows_noisy_codes_over_the_prior_and_decoded_draws(systems):
    widget = dimension_explorer(systems, IMAGES)
    assert widget.names == ["deterministic", "gaussian"] and widget.dimensions == [1, 3] and widget.dimension == 1
    _, (shade, examples, *parts) = widget.parcel()
    assert list(shade) == sorted(shade) and (shade[0], shade[-1]) == (0, 11)  # the images grow lighter
    assert len(examples) == 8 * 20 and len(parts) == 3 * len(widget.plots) == 12
    for n, system in enumerate(system for kind in systems.values() for system in kind.values()):
        codes, draws = system.encode(IMAGES, seed=1), system.draw_codes(50)
        plot, (codes_sent, draws_sent, pictures) = widget.plots[n], parts[3 * n : 3 * n + 3]
        used = plot["axes"]
        assert np.array_equal(floats(draws_sent, 2)[:, : len(used)], draws[:, used])
        inside = (floats(codes_sent, 2)[:, : len(used)] == codes[:, used].numpy()).all(axis=1)
        assert plot["beyond"] == pytest.approx(1 - inside.mean())
        assert plot["near"] == 1 - holes(codes, system.prior)
        assert pictures == bytes_of(system.decode(draws[:16]))


def test_a_plot_takes_the_dimensions_that_vary_most_and_puts_far_codes_on_its_border():
    system = system_of(4)
    codes = torch.zeros(50, 4)
    codes[:, 2], codes[:, 0] = torch.linspace(-2, 100, 50), torch.linspace(-1, 1, 50)
    system.encode = lambda images, seed=None: codes if seed is None else codes + 0.01
    widget = dimension_explorer({"far": {4: system}}, IMAGES)
    [plot] = widget.plots
    (low, high), _ = plot["frame"]
    sent = floats(widget.parcel()[1][2], 2)
    assert plot["axes"] == [2, 0] and -4 < low < -2 and 2 < high < 4
    assert plot["beyond"] == (codes[:, 2] > 3.5).float().mean() == 0.94
    assert sent[-1] == pytest.approx([high, 1.01]) and sent[0] == pytest.approx([-1.99, -0.99])


def test_codes_like_the_prior_are_near_its_draws_and_codes_on_a_thread_are_not():
    thread, wide = system_of(4), system_of(4)
    images = torch.rand(500, *SHAPE, generator=torch.Generator().manual_seed(0))
    noise = torch.randn(500, 4, generator=torch.Generator().manual_seed(5))
    thread.encode = lambda images, seed=None: noise * torch.tensor([1.0, 0, 0, 0])
    wide.encode = lambda images, seed=None: noise
    narrow, full = (plot["near"] for plot in dimension_explorer({"a": {4: thread}, "b": {4: wide}}, images).plots)
    assert narrow < 0.25 and full > 0.97


def test_the_dimension_can_be_set_and_others_are_ignored_with_a_sentence(systems):
    widget = dimension_explorer(systems, IMAGES)
    for value in (2, 0, "abc", None, [1], float("nan")):
        widget.set_state({"dimension": value})
        assert widget.dimension == 1 and widget.message.startswith("dimension was left as it is")
    widget.dimension = 3
    assert widget.dimension == 3 and widget.message == ""


@pytest.mark.parametrize(
    ("systems", "fragment"),
    [
        (None, "systems must map names to systems by latent dimension, .* a NoneType"),
        ({}, "an empty mapping"),
        ({"a": {}}, "must map names to systems"),
        ({"a": system_of(2)}, "must map names to systems"),
        ({"a": {2: None}}, "each of systems must be an aae_lib System"),
        ({"a": {2: system_of(2), 3: "b"}}, r"systems\['a'\]\[3\] must be an aae_lib System"),
        ({"a": {3: system_of(2)}}, r"systems\['a'\]\[3\] has 2 latent dimensions"),
        ({"a": {2: system_of(2)}, "b": {1: system_of(1)}}, "same latent dimensions in each row"),
        ({"a": {2: Autoencoder(SHAPE, latent_dim=2, hidden=(8,))}}, "must decode z as its prior has it"),
        ({"a": {2: AdversarialLatentAutoencoder(SHAPE, latent_dim=2, hidden=(8,))}}, "but it must decode z"),
        ({"a": {2: SupervisedAdversarialAutoencoder(SHAPE, prior=Gaussian(2), **SMALL)}}, "and nothing beside it"),
        (
            {"a": {1: system_of(1), 2: AdversarialAutoencoder((1, 3, 3), prior=Gaussian(2), **SMALL)}},
            "of one image_shape",
        ),
    ],
)
def test_systems_that_cannot_be_compared_are_refused(systems, fragment):
    with pytest.raises((TypeError, ValueError), match=fragment):
        dimension_explorer(systems, IMAGES)


def test_images_that_do_not_fit_are_refused(systems):
    with pytest.raises(ValueError, match="images has images of shape"):
        dimension_explorer(systems, torch.zeros(20, 1, 3, 3))
    with pytest.raises(ValueError, match="images must be at least 7"):
        dimension_explorer(systems, IMAGES[:6])


def stand_in(widget) -> np.ndarray:
    """The picture where no widget runs, its sentence and its alt text looked at."""
    data, metadata = widget._repr_mimebundle_()
    assert data["text/plain"].startswith(f"{type(widget).__name__}: run this cell in JupyterLab to")
    assert len(metadata["image/png"]["alt"]) > 40
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data["image/png"]))))


def test_where_no_widget_runs_all_plots_stand_in(systems):
    widget = dimension_explorer(systems, IMAGES)
    assert stand_in(widget).std() > 0
    assert sum(len(value) for value in widget.get_state().values() if isinstance(value, bytes)) == 0


def style_system(image_shape=(3, 12, 12), **settings) -> StyleAdversarialLatentAutoencoder:
    """Of 6 style inputs, its weights moved off their start, where all biases are 0."""
    settings = {"resolution": 16, "latent_dim": 5, "channels": (6, 5, 4), "mapping_layers": 2, **settings}
    system = StyleAdversarialLatentAutoencoder(image_shape, **settings)
    generator = torch.Generator().manual_seed(1)
    for weight in system.used.parameters():
        weight.data += 0.1 * torch.randn(weight.shape, generator=generator)
    return system


@pytest.fixture(scope="module")
def styles():
    return style_system()


@pytest.fixture(scope="module")
def colours():
    return torch.rand(8, 3, 12, 12, generator=torch.Generator().manual_seed(0))


def test_each_style_input_takes_the_w_of_its_source_as_far_as_it_is_blended(styles, colours):
    widget = style_mixer(styles, colours)
    assert (widget.sources, widget.layers, widget.blend) == ([0, 1, 2], [0, 0, 1, 1, 2, 2], 1)
    widget.sources, widget.layers, widget.blend = [4, 1, 7], [0, 1, 2, 2, 1, 0], 0.25
    a, b, c = styles.encode(colours[[4, 1, 7]])
    by_hand = torch.stack([a, 0.75 * a + 0.25 * b, *2 * [0.75 * a + 0.25 * c], 0.75 * a + 0.25 * b, a])
    assert torch.allclose(widget.mixed(), by_hand, atol=1e-6)
    assert widget.frame == bytes_of(styles.decode(widget.mixed()[None]))
    widget.blend = 0
    assert widget.frame == bytes_of(styles.decode(a[None])) and widget.message == ""


def test_the_page_can_choose_among_images_or_draws(styles, colours):
    codes, images, decoded, *_ = style_mixer(styles, colours).parcel()[1]
    w = styles.encode(colours)
    assert np.array_equal(floats(codes, 5), w) and images == bytes_of(colours) and decoded == bytes_of(styles.decode(w))
    drawn = style_mixer(styles)
    w = styles.draw_codes(60)
    codes, images, decoded, *_ = drawn.parcel()[1]
    assert drawn.drawn and np.array_equal(floats(codes, 5), w) and images == decoded == bytes_of(styles.decode(w))
    assert style_mixer(styles, colours[:2]).layers == [0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize(
    ("trait", "value"),
    [
        ("layers", [0, 0, 0, 0, 0]),
        ("layers", [0, 0, 0, 0, 0, 3]),
        ("layers", [0, 0, 0, 0, 0, -1]),
        ("layers", [0.5] * 6),
        ("layers", "abcdef"),
        ("layers", None),
        ("sources", [0, 1]),
        ("sources", [0, 1, 8]),
        ("sources", None),
        ("blend", -0.1),
        ("blend", 1.5),
        ("blend", "all"),
        ("blend", float("nan")),
    ],
)
def test_what_cannot_be_mixed_is_ignored_with_a_sentence(styles, colours, trait, value):
    widget = style_mixer(styles, colours)
    before = widget.layers, widget.sources, widget.blend, widget.frame
    widget.set_state({trait: value})
    assert (widget.layers, widget.sources, widget.blend, widget.frame) == before
    assert widget.message.startswith(f"{trait} was left as it is: {trait} must be")
    widget.layers = np.array([2, 1, 0, 0, 1, 2])
    assert widget.layers == [2, 1, 0, 0, 1, 2] and widget.message == ""


def test_what_has_no_styles_and_sources_that_do_not_fit_are_refused(styles, colours):
    with pytest.raises(TypeError, match="system must be an aae_lib System, but it is a NoneType"):
        style_mixer(None)
    with pytest.raises(TypeError, match="AdversarialAutoencoder has no style inputs to mix; use explore"):
        style_mixer(system_of(2))
    other = system_of(2)
    other.layers = torch.nn.ModuleList()  # another thing of that name
    with pytest.raises(TypeError, match="no style inputs"):
        style_mixer(other)
    with pytest.raises(ValueError, match="images has images of shape"):
        style_mixer(styles, torch.zeros(2, 3, 16, 16))
    with pytest.raises(ValueError, match="images must be at least 2 to mix, but there is 1"):
        style_mixer(styles, colours[:1])


def test_enlarging_and_convolving_are_one_step_for_the_page(styles):
    kinds, weights = generator_parcel(styles)
    assert kinds == ["constant", "convolves", *2 * ["enlarges", "convolves"]]
    merged = weights[1 + 3 + 4]  # the constant, three of the first layer, four of the second
    x = torch.rand(1, 6, 4, 4, generator=torch.Generator().manual_seed(0))
    expected = F.conv2d(F.interpolate(x, scale_factor=2), styles.decoder_in_use.styled[2].convolution.weight, padding=1)
    for up in (0, 1):
        for left in (0, 1):
            seen = F.conv2d(F.pad(x, (1, 1, 1, 1)), merged[:, :, up, left])[:, :, up : up + 4, left : left + 4]
            assert torch.allclose(seen, expected[:, :, up::2, left::2], atol=1e-5)


def test_the_page_resizes_as_the_system_does(styles):
    resize = generator_parcel(styles)[1][-1]  # (12, 16)
    picture = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    by_matrix = (resize @ picture @ resize.T).clamp(0, 1)
    assert torch.allclose(by_matrix, styles.pictures(2 * picture - 1), atol=1e-5)
    whole = generator_parcel(style_system((3, 16, 16)))[1][-1]
    assert torch.allclose(whole, torch.eye(16), atol=1e-6)


def test_large_generators_and_blocks_that_fade_in_stay_in_the_kernel(styles, colours, monkeypatch):
    growing = style_system(growing=True, start_resolution=8)
    assert len(generator_parcel(growing)[0]) == 4  # of its two blocks
    growing.grow()
    assert generator_parcel(growing) == ([], [])
    assert len(style_mixer(growing).frame) == 3 * 12 * 12
    monkeypatch.setattr("aae_lib.widgets.mixer.MOST_PRODUCTS", 1000)
    content, buffers = style_mixer(styles, colours).parcel()
    assert content == {"kinds": [], "width": 5} and len(buffers) == 3


def test_where_no_widget_runs_pairs_of_the_sources_stand_in(styles, colours):
    widget = style_mixer(styles, colours)
    picture = stand_in(widget)
    side = picture.shape[1] // 51  # pixels of the picture for one of an image: four images of 12, and lines between
    assert picture.shape == (51 * side, 51 * side, 3) and side > 1
    small = picture[::side, ::side].reshape(51, 51, 3)
    assert (small[13:25, :12] == (255 * colours[0]).round().byte().permute(1, 2, 0).numpy()).all()
    a, b = styles.encode(colours[:2])
    mix = styles.decode(torch.stack([*3 * [a], *3 * [b]])[None])[0]
    assert (small[13:25, 26:38] == (255 * mix).round().byte().permute(1, 2, 0).numpy()).all()
    assert sum(len(value) for value in widget.get_state().values() if isinstance(value, bytes)) == 3 * 12 * 12
