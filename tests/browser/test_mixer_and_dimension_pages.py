"""The page's side of the style mixer and of the explorer of the latent dimension, in a real browser."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from aae_lib.priors import Gaussian
from aae_lib.systems import AdversarialAutoencoder
from aae_lib.widgets import dimension_explorer


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
