"""The page's side of the style matrix, the cluster browser, the walk and the slider over σ, in a real browser."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from aae_lib.priors import Gaussian, SwissRoll
from aae_lib.systems import AdversarialAutoencoder, ClusteringAdversarialAutoencoder, SupervisedAdversarialAutoencoder
from aae_lib.widgets import cluster_browser, sigma_slider, style_matrix, walk

SMALL = {"hidden": (39, 41), "discriminator_hidden": (16,), "initial_std": None, "seed": 0}
NAMES = ["zero", "one", "two"]


def some_images(count: int, *shape: int) -> torch.Tensor:
    return torch.rand(count, *shape, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def matrix():
    system = SupervisedAdversarialAutoencoder((1, 6, 5), prior=Gaussian(4), classes=3, **SMALL)
    return style_matrix(system, some_images(5, 1, 6, 5), NAMES)


def grey(canvases: list) -> np.ndarray:
    return np.array(canvases)[..., 0]  # (N, H, W)


def pictures(data: bytes, height: int = 6, width: int = 5) -> np.ndarray:
    return np.frombuffer(data, dtype=np.uint8).reshape(-1, height, width).astype(int)


def send(page, name: str, value: bytes) -> None:
    page.evaluate(
        "([name, bytes]) => model.set(name, new DataView(Uint8Array.from(bytes).buffer))", [name, list(value)]
    )


CHOSEN = "[aria-label$='the style of the sliders']"


def test_the_page_decodes_all_contents_as_the_kernel_does(open_page, pixels_of, matrix):
    page = open_page(matrix)
    assert page.locator(".name").all_inner_texts() == NAMES
    for z in ([0.0] * 4, [3.0, -3.0, 0.5, 1.0]):
        page.evaluate("z => model.set('z', z)", z)
        matrix.z = z
        assert np.abs(grey(pixels_of(page, CHOSEN)) - pictures(matrix.frames)).max() <= 1


def test_sliders_buttons_and_images_choose_the_style(open_page, pixels_of, matrix):
    page = open_page(matrix)
    before = grey(pixels_of(page, CHOSEN))
    page.get_by_label("z2", exact=True).press("End")
    assert page.evaluate("model.get('z')") == [0, matrix.limits[1][1], 0, 0]
    assert (grey(pixels_of(page, CHOSEN)) != before).any()
    page.click("text=Back to z = 0")
    assert (grey(pixels_of(page, CHOSEN)) == before).all()
    page.get_by_role("button", name="take the style of image 3").press("Enter")
    styles = np.frombuffer(matrix.styles, dtype=np.float32).reshape(5, 4)
    assert page.evaluate("model.get('z')") == pytest.approx(styles[2].tolist())
    row = pixels_of(page, "[aria-label$='in the style of image 3']")
    assert np.abs(grey(pixels_of(page, CHOSEN)) - grey(row)).max() <= 1
    assert (grey(row) == pictures(matrix.rows)[6:9]).all()
    assert page.locator("[aria-pressed=true]").count() == 1
    page.click("text=Random style")
    assert page.evaluate("model.get('z')") != pytest.approx(styles[2].tolist())
    page.wait_for_function("saved.length > 0")  # Python hears of it when the hand rests


def test_without_weights_the_style_goes_to_the_kernel(open_page, pixels_of, matrix):
    page = open_page(matrix, parcel=False)
    page.get_by_label("z1", exact=True).press("Home")
    matrix.z = page.evaluate("saved.at(-1).z")
    send(page, "frames", matrix.frames)
    assert (grey(pixels_of(page, CHOSEN)) == pictures(matrix.frames)).all()


@pytest.fixture
def browsed():
    system = ClusteringAdversarialAutoencoder((1, 6, 5), clusters=3, prior=Gaussian(2), **SMALL)
    images = some_images(200, 1, 6, 5)
    assigned = torch.arange(200).remainder(10).clamp(max=1)  # 20 in cluster 0, 180 in cluster 1, none in cluster 2
    sure = torch.linspace(0.5, 1, 200)[:, None]
    q = torch.nn.functional.one_hot(assigned, 3) * sure + (1 - sure) / 3
    system.logits = lambda _: 100 * q.log()  # most of their q round to 1
    labels = torch.where(torch.arange(200) % 20 == 5, 8, assigned + 3)  # 10 wrong ones, all in cluster 1
    return cluster_browser(system, images, labels)


MEMBERS = ".members canvas"


def test_members_are_shown_by_confidence_page_by_page(open_page, pixels_of, browsed):
    page = open_page(browsed)
    images = pictures(browsed.parcel()[1][0])
    assert (grey(pixels_of(page, MEMBERS)) == images[browsed.members(1)[:60]]).all()
    assert page.locator("strong").inner_text() == "Cluster 1, named “4”: 180 images, 10 of them of another class"
    page.click("[title='next page']")
    page.click("[title='next page']")
    assert (grey(pixels_of(page, MEMBERS)) == images[browsed.members(1)[120:]]).all()
    assert page.locator("[title='next page']").is_disabled()
    page.get_by_label("order of the members").select_option("least sure first")
    least = browsed.members(1, surest_first=False)[:60]
    assert (grey(pixels_of(page, MEMBERS)) == images[least]).all()
    wrong = page.eval_on_selector_all(MEMBERS, "all => all.map((one) => one.classList.contains('wrong'))")
    assert wrong == [n % 20 == 5 for n in least.tolist()]


def test_another_cluster_is_chosen_and_python_hears_of_it(open_page, pixels_of, browsed):
    page = open_page(browsed)
    page.locator(".shelf button").nth(1).press("Enter")  # the second largest
    images = pictures(browsed.parcel()[1][0])
    assert (grey(pixels_of(page, MEMBERS)) == images[browsed.members(0)]).all()
    assert page.evaluate("saved.at(-1).cluster") == 0
    page.locator(".shelf button").nth(2).click()
    assert pixels_of(page, MEMBERS) == [] and "0 images" in page.locator("strong").inner_text()


def test_clusters_can_be_ordered(open_page, pixels_of, browsed):
    page = open_page(browsed)
    heads = pictures(browsed.heads)
    for order, numbers in (("largest first", [1, 0, 2]), ("purest first", [0, 1, 2]), ("by number", [0, 1, 2])):
        page.get_by_label("order of the clusters").select_option(order)
        assert (grey(pixels_of(page, ".shelf canvas")) == heads[numbers]).all()


@pytest.fixture
def walking():
    return walk(AdversarialAutoencoder((1, 6, 5), prior=SwissRoll(), hidden=(39, 41), seed=0))


def test_the_slider_walks_and_the_page_decodes_as_the_kernel_does(open_page, pixels_of, walking):
    page = open_page(walking)
    for key, u in (("End", 1), ("ArrowLeft", 0.999), ("Home", 0)):
        page.get_by_label("u, the share of the way").press(key)
        assert page.evaluate("model.get('u')") == pytest.approx(u)
        walking.u = u
        assert np.abs(grey(pixels_of(page, ".picture")) - pictures(walking.frame)).max() <= 1
    page.evaluate("model.set('u', 0.55)")
    pixels_of(page, ".picture")
    assert page.locator(".class").inner_text() == "class 5"


def test_a_click_beside_the_roll_goes_to_its_nearest_point(open_page, walking):
    page = open_page(walking)
    box = page.locator(".plane").bounding_box()
    page.mouse.click(box["x"] + 252, box["y"] + 128)  # right of the outer end
    assert page.evaluate("model.get('u')") == pytest.approx(1, abs=0.002)


def test_playing_walks_until_paused(open_page, walking):
    page = open_page(walking)
    page.click("text=Walk")
    page.wait_for_function("model.get('u') > 0")
    page.click("text=Pause")
    u = page.evaluate("model.get('u')")
    page.wait_for_timeout(100)
    assert page.evaluate("model.get('u')") == u


@pytest.fixture
def windows():
    images = some_images(80, 1, 6, 5)
    return sigma_slider(images[:50], images[50:])


def test_the_slider_over_sigma_says_the_likelihood_and_adds_that_noise(open_page, pixels_of, windows):
    page = open_page(windows)
    output = page.locator("output")
    assert output.inner_text().startswith(f"σ = {windows.best:.3g}")
    page.get_by_label("σ", exact=True).press("Home")
    assert page.evaluate("model.get('sigma')") == windows.sigmas[0]
    sample, *draws = grey(pixels_of(page, ".picture"))
    assert output.inner_text().startswith(f"σ = 0.0500: {windows.validation[0]:.1f}".replace("-", "−"))
    assert (sample == pictures(windows.samples)[0]).all()
    inside = (sample > 50) & (sample < 205)  # where noise of 0.05 is not cut off
    noise = np.concatenate([(draw - sample)[inside] for draw in draws]) / 255
    assert 0.03 < noise.std() < 0.07
    page.click("text=Best σ")
    assert page.evaluate("model.get('sigma')") == windows.best
    page.click("text=Another sample")
    assert (grey(pixels_of(page, ".picture"))[0] == pictures(windows.samples)[1]).all()


def test_the_graph_can_be_clicked_and_python_can_set_sigma(open_page, pixels_of, windows):
    page = open_page(windows)
    box = page.locator("svg").first.bounding_box()
    page.mouse.click(box["x"] + box["width"] - 12, box["y"] + 80)
    assert page.evaluate("model.get('sigma')") == windows.sigmas[-1]
    page.evaluate("model.set('sigma', 0.2)")
    pixels_of(page, ".picture")
    nearest = min(windows.sigmas, key=lambda sigma: abs(np.log(sigma / 0.2)))
    assert page.locator("output").inner_text().startswith(f"σ = {nearest:.3f}")
