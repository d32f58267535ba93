"""Widgets in a real browser: skipped where playwright or Chromium is missing, failed where ``AAE_BROWSER=required``.

A page talks to a stand-in for the notebook's model, so neither JupyterLab nor a server is needed: see ``test_lab.py``.
"""

from __future__ import annotations

import base64
import os
import shutil

import numpy as np
import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
OPTIONS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")  # as root, without a screen, in a container
OPEN = """
async ({ source, state, content, buffers }) => {
  const bytes = (text) => new DataView(Uint8Array.from(atob(text), (character) => character.charCodeAt(0)).buffer);
  for (const [key, value] of Object.entries(state)) if (value?.bytes !== undefined) state[key] = bytes(value.bytes);
  const listeners = {};
  const fire = (event, ...values) => (listeners[event] ?? []).forEach((listener) => listener(...values));
  window.saved = [];
  window.model = {
    get: (key) => state[key],
    set: (key, value) => { state[key] = value; fire(`change:${key}`); },
    on: (event, listener) => (listeners[event] ??= []).push(listener),
    save_changes: () => window.saved.push({ ...state }),
    send: () => buffers.length && fire("msg:custom", content, buffers.map(bytes)),
  };
  const module = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
  module.default.render({ model, el: document.body });
}"""
FRAME = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


def give_up(reason: str) -> None:
    """Skip the test, or fail it where a browser must not be missing."""
    required = os.environ.get("AAE_BROWSER") == "required"
    (pytest.fail if required else pytest.skip)(f"{reason}, so nothing was tried in a browser")


@pytest.fixture(scope="session")
def browser():
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        give_up("playwright is not installed")
    if CHROMIUM is None:
        give_up("Chromium is not installed")
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        except Error as error:
            give_up(f"{CHROMIUM} does not start ({str(error).splitlines()[0]})")
        yield browser
        browser.close()


def text_of(value: bytes) -> str:
    return base64.b64encode(value).decode()


@pytest.fixture
def open_page(browser):
    """A function that shows a widget in a page of its own; ``parcel=False``: the page gets nothing but the traits."""
    pages, errors = [], []

    def open_page(widget, *, parcel: bool = True):
        content, buffers = widget.parcel() if parcel else ({}, [])
        state = {key: value for key, value in widget.get_state().items() if not key.startswith("_")}
        page = browser.new_page(viewport={"width": 900, "height": 700})
        pages.append(page)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.add_style_tag(content=str(widget._css))
        what = {
            "source": widget._esm,
            "state": {
                key: {"bytes": text_of(value)} if isinstance(value, bytes) else value
                for key, value in state.items()
                if key != "layout"
            },
            "content": content,
            "buffers": [text_of(buffer) for buffer in buffers],
        }
        page.evaluate(OPEN, what)
        page.evaluate(FRAME)
        return page

    yield open_page
    for page in pages:
        page.close()
    assert errors == []


@pytest.fixture
def pixels_of():
    """A function that returns the RGB pixels, arrays (H, W, 3), of each canvas that a CSS selector finds."""

    def pixels_of(page, selector: str) -> list[np.ndarray]:
        page.evaluate(FRAME)
        found = page.evaluate(
            """(selector) => [...document.querySelectorAll(selector)].map((canvas) => {
              const { width, height } = canvas;
              const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
              return [height, width, btoa(Array.from(data, (byte) => String.fromCharCode(byte)).join(""))];
            })""",
            selector,
        )
        return [
            np.frombuffer(base64.b64decode(text), dtype=np.uint8).reshape(height, width, 4)[..., :3].astype(int)
            for height, width, text in found
        ]

    return pixels_of
