"""The page's side of the style mixer and of the explorer of the latent dimension, in a real browser."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from aae_lib.priors import Gaussian
from aae_lib.systems import AdversarialAutoencoder, StyleAdversarialLatentAutoencoder
from aae_lib.widgets import dimension_explorer, style_mixer


def some_images(count: int, *shape: int) -> torch.Tensor:
    return torch.rand(count, *shape, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def dimensions():
    def system_of(latent_dim: int, posterior: str) -> AdversarialAutoencoder:
        return AdversarialAutoencoder(
            (3, 6, 5), prior=Gaussian(latent_dim), posterior=posterior, hidden=(16,), initial_std=None, seed=0
        )

    kinds = {"thin": "deterministic", "wide": "gaussian"}
    systems = {name: {z: system_of(z, posterior) for z in (1, 2, 5)} for name, posterior in kinds.items()}
    return dimension_explorer(systems, some_images(200, 3, 6, 5))


def test_the_slider_shows_the_plots_and_draws_of_each_dimension(open_page, pixels_of, dimensions):
    page = open_page(dimensions)
    slider = page.get_by_label("latent dimension Z")
    parts = dimensions.parcel()[1][2:]
    seen = set()
    for column, (key, z) in enumerate((("Home", 1), ("ArrowRight", 2), ("End", 5))):
        slider.press(key)
        assert page.evaluate("model.get('dimension')") == z
        plots = pixels_of(page, ".plot")
        assert len(plots) == 2
        seen |= {np.array(plot).tobytes() for plot in plots}
        drawn = np.array(pixels_of(page, ".draws canvas")).reshape(2, -1, 6, 5, 3)
        for row in range(2):
            n = 3 * row + column
            sent = np.frombuffer(parts[3 * n + 2], dtype=np.uint8).reshape(-1, 3, 6, 5).transpose(0, 2, 3, 1)
            assert drawn.shape[1] == 12 and (drawn[row] == sent[:12]).all()  # two full lines
            words = page.locator("output").nth(row).inner_text()
            assert words.endswith(" % of draws near a code")
            assert int(words.split()[0]) == pytest.approx(100 * dimensions.plots[n]["near"], abs=0.5)
    assert len(seen) == 6 and page.locator(".chosen").inner_text() == "5"


def test_codes_are_where_they_belong_and_in_their_images_colours(open_page, pixels_of, dimensions):
    page = open_page(dimensions)
    page.evaluate("model.set('dimension', 2)")
    plot = np.array(pixels_of(page, ".plot")[1])  # wide, Z = 2
    shade, _, *parts = dimensions.parcel()[1]
    codes = np.frombuffer(parts[3 * 4], dtype=np.float32).reshape(-1, 2)
    (left, right), (low, high) = dimensions.plots[4]["frame"]
    x, y = (len(plot) * (codes - [left, low]) / [right - left, high - low]).T
    last = len(codes) - 1  # drawn over all others
    dot = plot[int(len(plot) - y[last]), int(x[last])]
    colour = [int(dimensions.shades[shade[last]][k : k + 2], 16) for k in (1, 3, 5)]
    assert np.abs(dot - colour).max() < 0.3 * 255 and np.abs(dot - [0xCC] * 3).max() > 30
    page.evaluate("model.set('dimension', 5)")
    names = page.locator("figcaption > span").first.inner_text()
    first, second = (f"z{'₁₂₃₄₅'[axis]}" for axis in dimensions.plots[2]["axes"])
    assert names == f"→ {first}\u2003↑ {second}"


def mixer_of(image_shape: tuple[int, int, int], **settings):
    """A mixer of five images, its system's weights moved off their start, where all biases are 0."""
    settings = {"resolution": 16, "latent_dim": 7, "channels": (6, 5, 4), "mapping_layers": 2, **settings}
    system = StyleAdversarialLatentAutoencoder(image_shape, **settings)
    generator = torch.Generator().manual_seed(1)
    for weight in system.used.parameters():
        weight.data += 0.03 * torch.randn(weight.shape, generator=generator)
    for layer in system.decoder_in_use.to_image:
        layer.parametrizations.weight.original.data *= 0.15  # few pixels are black or white
    return style_mixer(system, some_images(5, *image_shape))


@pytest.fixture
def mixer():
    return mixer_of((1, 8, 8), resolution=8, channels=(6, 5))


@pytest.fixture
def shown(pixels_of):
    """A function that returns the mix on the page's canvas, (H, W, 3)."""
    return lambda page: np.array(pixels_of(page, "[aria-label='the mix']")[0])


def frame_of(widget) -> np.ndarray:
    """The kernel's mix, (H, W, 3)."""
    frame = np.frombuffer(widget.frame, dtype=np.uint8).reshape(widget.image_shape).astype(int)
    return np.broadcast_to(frame.transpose(1, 2, 0), (*frame.shape[1:], 3))


@pytest.mark.parametrize(
    ("image_shape", "settings"),
    [
        ((3, 16, 16), {}),
        ((1, 13, 13), {}),  # resized from 16
        ((3, 24, 24), {"latent_dim": 3, "channels": (9, 7, 8)}),  # to more than 16
        ((1, 8, 8), {"resolution": 8, "channels": (5, 6)}),
        ((1, 16, 16), {"growing": True, "start_resolution": 8}),
    ],
)
def test_the_page_mixes_as_the_kernel_does(open_page, shown, image_shape, settings):
    widget = mixer_of(image_shape, **settings)
    page = open_page(widget)
    count = len(widget.layers)
    for layers, sources, blend in (
        ([0] * count, [0, 1, 2], 1),
        ([n % 3 for n in range(count)], [0, 1, 2], 1),
        ([2 - n % 3 for n in range(count)], [4, 0, 3], 0.3),
    ):
        widget.layers, widget.sources, widget.blend = layers, sources, blend
        page.evaluate(
            "traits => Object.entries(traits).forEach(([name, value]) => model.set(name, value))",
            {"layers": layers, "sources": sources, "blend": blend},
        )
        assert frame_of(widget).std() > 10 and (frame_of(widget) % 255 != 0).mean() > 0.5
        assert np.abs(shown(page) - frame_of(widget)).max() <= 1


def test_clicks_drags_and_keys_say_which_layers_come_from_which_source(open_page, shown, mixer):
    page = open_page(mixer)
    track = page.locator(".track").nth(2).bounding_box()
    at = [(track["x"] + (n + 0.5) * track["width"] / 4, track["y"] + 20) for n in range(4)]
    assert page.evaluate("model.get('layers')") == [0, 0, 1, 2]
    before = shown(page)
    page.mouse.click(*at[0])
    assert page.evaluate("model.get('layers')") == [2, 0, 1, 2]
    assert (shown(page) != before).any()
    page.mouse.move(*at[1])
    page.mouse.down()
    page.mouse.move(*at[3])
    assert page.evaluate("model.get('layers')") == [2, 2, 2, 2]
    page.mouse.move(*at[2])
    page.mouse.up()
    assert page.evaluate("model.get('layers')") == [2, 2, 2, 2]
    page.get_by_label("style input 3 of 4 from C").press("ArrowUp")
    assert page.evaluate("model.get('layers')") == [2, 2, 1, 2]
    shown(page)
    assert page.locator("input:checked").count() == 4
    page.wait_for_function("saved.length > 0")  # Python hears of it when the hand rests


def test_a_drag_that_turns_round_gives_back_what_it_took(open_page, mixer):
    page = open_page(mixer)
    track = page.locator(".track").nth(0).bounding_box()
    at = [(track["x"] + (n + 0.5) * track["width"] / 4, track["y"] + 20) for n in range(4)]
    page.mouse.move(*at[1])
    page.mouse.down()
    page.mouse.move(*at[3])
    assert page.evaluate("model.get('layers')") == [0, 0, 0, 0]
    page.mouse.move(*at[2])
    page.mouse.up()
    assert page.evaluate("model.get('layers')") == [0, 0, 0, 2]


def test_buttons_swap_sources_part_the_layers_and_blend(open_page, pixels_of, shown, mixer):
    page = open_page(mixer)
    images = np.frombuffer(mixer.parcel()[1][1], dtype=np.uint8).reshape(5, 8, 8)
    page.get_by_role("button", name="another").nth(1).click()
    a, b, c = page.evaluate("model.get('sources')")
    assert (a, c) == (0, 2) and b in (3, 4)
    thumbnail = np.array(pixels_of(page, "[aria-label='image B']")[0])[..., 0]
    assert (thumbnail == images[b]).all()
    for name, layers in (("coarse", [1, 0, 0, 0]), ("middle", [0, 1, 0, 0]), ("fine", [0, 0, 1, 1])):
        page.get_by_role("button", name=name).click()
        assert page.evaluate("model.get('layers')") == layers
    page.click("text=A, B, C in turn")
    assert page.evaluate("model.get('layers')") == [0, 0, 1, 2]
    page.get_by_label("from A alone to the mix").press("Home")
    assert page.evaluate("model.get('blend')") == 0
    alone = np.array(pixels_of(page, "[aria-label='decoded A']")[0])
    assert np.abs(shown(page) - alone).max() <= 1
    page.click("text=Blend")
    page.wait_for_function("model.get('blend') > 0")
    page.click("text=Pause")


def test_without_weights_the_mix_goes_to_the_kernel(open_page, shown, mixer, monkeypatch):
    monkeypatch.setattr("aae_lib.widgets.mixer.MOST_PRODUCTS", 0)
    page = open_page(mixer)
    page.get_by_role("button", name="fine").click()
    mixer.layers = page.evaluate("saved.at(-1).layers")
    assert mixer.layers == [0, 0, 1, 1]
    page.evaluate("bytes => model.set('frame', new DataView(Uint8Array.from(bytes).buffer))", list(mixer.frame))
    assert (shown(page) == frame_of(mixer)).all()
