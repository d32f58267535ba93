"""Exported pages, opened from disk in a real browser without a network."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from aae_lib.priors import Gaussian
from aae_lib.systems import AdversarialAutoencoder, StyleAdversarialLatentAutoencoder, SupervisedAdversarialAutoencoder
from aae_lib.widgets import explore, export_page

SMALL = {"hidden": (40, 42), "initial_std": None, "seed": 0}


def some_images(count: int, *shape: int) -> torch.Tensor:
    return torch.rand(count, *shape, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def open_file(browser, tmp_path):
    """A function that exports a system and opens the file, 390 pixels wide; nothing but that file may be asked for."""
    contexts, errors, asked = [], [], []

    def open_file(system, **options):
        address = export_page(system, tmp_path / "mine.html", **options).as_uri()
        context = browser.new_context(offline=True, viewport={"width": 390, "height": 844})
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(address)
        page.wait_for_selector(".aae-widget")
        assert set(asked) == {address} and page.locator("#widget > img").count() == 0
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        return page

    yield open_file
    for context in contexts:
        context.close()
    assert errors == []


def values_of(page) -> list[float]:
    return [float(text.replace("−", "-")) for text in page.locator("output").all_inner_texts()]


def decoded(system, z) -> np.ndarray:
    return (255 * system.decode(torch.tensor([z]))[0]).round().permute(1, 2, 0).numpy()


@pytest.mark.parametrize("shape", [(1, 28, 20), (3, 6, 5)])
def test_a_drag_shows_what_the_system_decodes(open_file, pixels_of, shape):
    system, images = AdversarialAutoencoder(shape, prior=Gaussian(3), **SMALL), some_images(20, *shape)
    page = open_file(system, images=images, labels=torch.arange(20) % 2, names=["ink", "wash"], data_name="noise")
    first = system.encode(images[:1])[0].tolist()
    assert np.abs(pixels_of(page, ".picture")[0] - decoded(system, first)).max() <= 1
    assert "ink" in page.locator(".classes").inner_text()
    page.locator(".pad").scroll_into_view_if_needed()
    box = page.locator(".pad").bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 999, box["y"] + 999)  # past the corner: to limits, which the page shows rounded
    page.mouse.up()
    (_, right), (low, _), _ = explore(system, images).limits
    z = [right, low, first[2]]
    assert values_of(page) == pytest.approx(z, abs=0.006)
    assert np.abs(pixels_of(page, ".picture")[0] - decoded(system, z)).max() <= 1
    page.fill("[aria-label='number of image B']", "7")
    page.keyboard.press("Enter")
    shown = pixels_of(page, "[aria-label='image B']")[0]
    assert (shown == (255 * images[7]).round().permute(1, 2, 0).numpy()).all()


def test_contents_in_a_style(open_file, pixels_of):
    system = SupervisedAdversarialAutoencoder((1, 6, 5), prior=Gaussian(4), classes=3, **SMALL)
    page = open_file(system, images=some_images(5, 1, 6, 5), names=["one", "two", "three"])
    page.get_by_role("button", name="take the style of image 3").press("Enter")
    chosen = np.array(pixels_of(page, "[aria-label$='the style of the sliders']"))
    assert np.abs(chosen - np.array(pixels_of(page, "[aria-label$='in the style of image 3']"))).max() <= 1


def test_styles_mix(open_file, pixels_of):
    system = StyleAdversarialLatentAutoencoder((1, 8, 8), channels=(8, 8))
    page = open_file(system)
    page.get_by_label("from A alone to the mix").press("Home")
    mix = pixels_of(page, "[aria-label='the mix']")[0]
    assert np.abs(mix - decoded(system, system.draw_codes(60)[0].tolist())).max() <= 1
