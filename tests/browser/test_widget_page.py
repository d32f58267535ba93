"""The page's side of the latent explorer, in a real browser."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from aae_lib.priors import Gaussian
from aae_lib.systems import AdversarialAutoencoder
from aae_lib.widgets import explore


@pytest.fixture
def widget():
    system = AdversarialAutoencoder((3, 6, 5), prior=Gaussian(3), hidden=(40, 42), batch_norm=True, seed=0)
    images = torch.rand(60, 3, 6, 5, generator=torch.Generator().manual_seed(0))
    return explore(system, images, labels=torch.arange(60) % 10)


@pytest.fixture
def shown(pixels_of):
    """A function that returns the picture on the page's canvas, (C, H, W)."""
    return lambda page: np.array(pixels_of(page, ".picture")[0]).transpose(2, 0, 1)


def decoded(widget, z: list[float]) -> np.ndarray:
    widget.z = z
    return np.frombuffer(widget.frame, dtype=np.uint8).reshape(widget.image_shape).astype(int)


def test_the_page_decodes_as_the_kernel_does(open_page, shown, widget):
    page = open_page(widget)
    for z in ([0.0, 0.0, 0.0], [1.5, -2.0, 0.3], [-3.0, 3.0, 3.0]):
        page.evaluate("z => model.set('z', z)", z)
        assert np.abs(shown(page) - decoded(widget, z)).max() <= 1


def test_dragging_and_keys_move_two_dimensions(open_page, shown, widget):
    page = open_page(widget)
    box = page.locator(".pad").bounding_box()
    pictures = set()
    page.mouse.move(box["x"] + 128, box["y"] + 128)
    page.mouse.down()
    for step in range(20):
        page.mouse.move(box["x"] + 128 + 5 * step, box["y"] + 128 - 3 * step)
        pictures.add(shown(page).tobytes())
    page.mouse.move(box["x"] + 999, box["y"] - 50)  # past the corner
    page.mouse.up()
    assert len(pictures) == 20
    (_, high_1), (low_2, high_2), _ = widget.limits
    assert page.evaluate("model.get('z')") == [high_1, high_2, 0]
    page.keyboard.press("Shift+ArrowDown")
    assert page.evaluate("model.get('z')") == pytest.approx([high_1, high_2 - 0.1 * (high_2 - low_2), 0])
    page.select_option("select >> nth=1", "2")
    page.keyboard.press("Tab")
    page.locator(".pad").press("ArrowUp")
    assert page.evaluate("model.get('z')[2]") > 0


def test_without_weights_z_goes_to_the_kernel_and_its_frame_is_shown(open_page, shown, widget):
    page = open_page(widget, parcel=False)
    page.locator(".slider input").first.press("End")
    z = page.evaluate("saved.at(-1).z")
    assert z == [widget.limits[0][1], 0, 0]
    frame = decoded(widget, z)
    page.evaluate("bytes => model.set('frame', new DataView(Uint8Array.from(bytes).buffer))", list(widget.frame))
    assert (shown(page) == frame).all()


def test_buttons_draw_reset_choose_and_play(open_page, widget):
    page = open_page(widget)
    page.click("text=Draw z at random")
    draws = np.frombuffer(widget.draws, dtype=np.float32).reshape(-1, 3)
    assert (np.abs(draws - np.array(page.evaluate("model.get('z')"))) < 1e-6).all(axis=1).any()
    page.click("text=Back to z = 0")
    assert page.evaluate("model.get('z')") == [0, 0, 0]
    page.fill("[aria-label='number of image A']", "7")
    page.keyboard.press("Enter")
    codes = np.frombuffer(widget.codes, dtype=np.float32).reshape(-1, 3)
    assert page.evaluate("model.get('pair')") == [7, 59]
    assert page.evaluate("model.get('z')") == pytest.approx(codes[7].tolist())
    page.click("text=Play A to B")
    page.wait_for_timeout(500)
    page.click("text=Pause")
    z, position = page.evaluate("[model.get('z'), document.querySelector('.tools > input').valueAsNumber]")
    assert 0 < position < 1
    assert z == pytest.approx(((1 - position) * codes[7] + position * codes[59]).tolist(), abs=0.02)
