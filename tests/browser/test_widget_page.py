"""The page's side of the latent explorer in a real browser; skipped where playwright or Chromium is not installed.

The page talks to a stand-in for the notebook's model, so neither JupyterLab nor a server is needed.
"""

from __future__ import annotations

import base64
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

import aae_lib
from aae_lib.priors import Gaussian
from aae_lib.systems import AdversarialAutoencoder

pytest.importorskip("playwright")
pytest.importorskip("anywidget")
import traitlets
from playwright.sync_api import sync_playwright

from aae_lib.widgets import LatentExplorer, explore, linear_layers

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")

OPEN = """
async ({ source, state, layers }) => {
  const bytes = (text) => new DataView(Uint8Array.from(atob(text), (character) => character.charCodeAt(0)).buffer);
  for (const [key, value] of Object.entries(state)) if (value?.bytes !== undefined) state[key] = bytes(value.bytes);
  const listeners = {};
  const fire = (event, ...values) => (listeners[event] ?? []).forEach((listener) => listener(...values));
  window.saved = [];
  window.model = {
    get: (key) => state[key],
    set: (key, value) => { state[key] = value; fire(`change:${key}`); },
    on: (event, listener) => (listeners[event] ??= []).push(listener),
    save_changes: () => window.saved.push([...state.z]),
    send: () => layers && fire("msg:custom", { output: "sigmoid" }, layers.map(bytes)),
  };
  const module = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
  module.default.render({ model, el: document.body });
}"""
NEXT_FRAME = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
PIXELS = """() => { const c = document.querySelector('.picture');
  return Array.from(c.getContext('2d').getImageData(0, 0, c.width, c.height).data); }"""


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


def for_page(value):
    """Bytes in a form that JSON can carry; anything else as it is."""
    return {"bytes": base64.b64encode(value).decode()} if isinstance(value, bytes) else value


def open_page(browser, widget: LatentExplorer, *, send_layers: bool):
    library = Path(aae_lib.__file__).parent
    arrays = [array.contiguous().numpy().tobytes() for layer in linear_layers(widget.system) for array in layer]
    names = [name for name, trait in vars(LatentExplorer).items() if isinstance(trait, traitlets.TraitType)]
    page = browser.new_page()
    page.add_style_tag(content=(library / "widgets.css").read_text(encoding="utf-8"))
    what = {
        "source": (library / "widgets.js").read_text(encoding="utf-8"),
        "state": {name: for_page(getattr(widget, name)) for name in names},
        "layers": [for_page(array)["bytes"] for array in arrays] if send_layers else None,
    }
    page.evaluate(OPEN, what)
    return page


def shown(page, shape=(3, 6, 5)) -> np.ndarray:
    """The picture on the canvas, (C, H, W)."""
    page.evaluate(NEXT_FRAME)
    rgba = np.array(page.evaluate(PIXELS)).reshape(shape[1], shape[2], 4)
    return rgba[:, :, :3].transpose(2, 0, 1)


def decoded(widget, z: list[float]) -> np.ndarray:
    widget.z = z
    return np.frombuffer(widget.frame, dtype=np.uint8).reshape(widget.image_shape).astype(int)


@pytest.fixture
def widget():
    system = AdversarialAutoencoder((3, 6, 5), prior=Gaussian(3), hidden=(40, 40), batch_norm=True, seed=0)
    images = torch.rand(60, 3, 6, 5, generator=torch.Generator().manual_seed(0))
    return explore(system, images, labels=torch.arange(60) % 10)


def test_the_page_decodes_as_the_kernel_does(browser, widget):
    page = open_page(browser, widget, send_layers=True)
    for z in ([0.0, 0.0, 0.0], [1.5, -2.0, 0.3], [-3.0, 3.0, 3.0]):
        page.evaluate("z => model.set('z', z)", z)
        assert np.abs(shown(page) - decoded(widget, z)).max() <= 1


def test_dragging_and_keys_move_two_dimensions(browser, widget):
    page = open_page(browser, widget, send_layers=True)
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


def test_without_weights_z_goes_to_the_kernel_and_its_frame_is_shown(browser, widget):
    page = open_page(browser, widget, send_layers=False)
    page.locator(".slider input").first.press("End")
    [*_, z] = page.evaluate("saved")
    assert z == [widget.limits[0][1], 0, 0]
    frame = decoded(widget, z)
    page.evaluate("bytes => model.set('frame', new DataView(Uint8Array.from(bytes).buffer))", list(widget.frame))
    assert (shown(page) == frame).all()


def test_buttons_draw_reset_choose_and_play(browser, widget):
    page = open_page(browser, widget, send_layers=True)
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
