"""The walk along a prior and the slider over σ, driven from Python."""

from __future__ import annotations

import base64
import io
import math

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.neighbors import KernelDensity

from aae_lib.priors import Gaussian, GaussianMixture, SwissRoll
from aae_lib.systems import AdversarialAutoencoder, SupervisedAdversarialAutoencoder

pytest.importorskip("anywidget")
from aae_lib.widgets import sigma_slider, walk

SMALL = {"hidden": (16, 16), "discriminator_hidden": (16,), "seed": 0}


@pytest.fixture(scope="module")
def system():
    return AdversarialAutoencoder((1, 5, 6), prior=SwissRoll(), **SMALL)


def test_the_whole_way_is_decoded(system):
    widget = walk(system)
    frames = set()
    for u in np.linspace(0, 1, 21):
        widget.u = float(u)
        picture = system.decode(SwissRoll().at(torch.tensor([u], dtype=torch.float32)))
        assert widget.frame == (255 * picture).round().byte().numpy().tobytes()
        frames.add(widget.frame)
    assert len(frames) == 21 and widget.message == ""


def test_the_curve_of_the_page_is_the_roll_and_has_its_classes(system):
    widget = walk(system)
    curve = np.frombuffer(widget.curve, dtype=np.float32).reshape(-1, 2)
    assert len(curve) == 1001 and widget.classes == 10
    assert np.allclose(curve[[0, 250, 1000]], [[0, 0], [1.5, 0], [3, 0]], atol=1e-4)  # radius 3√u, angle 4π√u


def test_a_roll_can_be_walked_in_another_system_of_the_plane():
    mixture = AdversarialAutoencoder((1, 5, 6), prior=GaussianMixture(), **SMALL)
    assert walk(mixture, SwissRoll()).classes == 10
    convolutional = AdversarialAutoencoder(
        (3, 8, 8), prior=SwissRoll(), body="convolutional", **SMALL | {"hidden": (4, 8)}
    )
    assert walk(convolutional).parcel() == ({}, [])


def test_a_place_beyond_the_way_is_ignored_with_a_sentence(system):
    widget = walk(system)
    for value in (1.5, -0.1, "abc", None, float("nan")):
        widget.set_state({"u": value})
        assert widget.u == 0 and widget.message.startswith("u was left as it is")
    widget.u = 1
    assert widget.message == "" and len(widget.frame) == 30


def test_what_cannot_be_walked_is_refused(system):
    with pytest.raises(TypeError, match="curve"):
        walk(AdversarialAutoencoder((1, 5, 6), prior=Gaussian(2), **SMALL))
    with pytest.raises(TypeError, match="curve"):
        walk(system, Gaussian(2))
    with pytest.raises(ValueError, match="points of the plane"):
        walk(AdversarialAutoencoder((1, 5, 6), prior=Gaussian(3), **SMALL), SwissRoll())
    with pytest.raises(ValueError, match="points of the plane"):
        walk(SupervisedAdversarialAutoencoder((1, 5, 6), prior=SwissRoll(), **SMALL))


@pytest.fixture(scope="module")
def images():
    return torch.rand(90, 1, 4, 3, generator=torch.Generator().manual_seed(0))


def test_the_curve_is_the_log_likelihood_that_scikit_learn_finds(images):
    samples, validation = images[:60], images[60:]
    widget = sigma_slider(samples, validation, [0.03, 0.3, 1.0])
    for n, sigma in enumerate(widget.sigmas):
        density = KernelDensity(bandwidth=sigma).fit(samples.flatten(1))
        assert widget.validation[n] == pytest.approx(density.score_samples(validation.flatten(1)).mean(), abs=1e-3)
        assert widget.own[n] == pytest.approx(density.score_samples(samples.flatten(1)).mean(), abs=1e-3)
    assert widget.best == widget.sigma == widget.sigmas[int(np.argmax(widget.validation))]


def test_one_sample_and_one_image_by_hand():
    sample, image = torch.zeros(1, 1, 1, 2), torch.tensor([[[[0.3, 0.4]]]])  # 0.5 apart
    widths = [0.1, 0.5 / math.sqrt(2), 1.0]  # the one in the middle is best: σ² is the squared distance over D
    widget = sigma_slider(sample, image, widths)
    expected = [-(0.5**2) / (2 * sigma**2) - 2 * math.log(sigma * math.sqrt(2 * math.pi)) for sigma in widths]
    assert widget.validation == pytest.approx(expected, abs=1e-5) and widget.best == widths[1]
    at_the_centre = [-2 * math.log(sigma * math.sqrt(2 * math.pi)) for sigma in widths]
    assert widget.own == pytest.approx(at_the_centre, abs=1e-5)


def test_the_default_grid_has_its_best_inside_and_own_samples_are_likelier_the_narrower(images):
    widget = sigma_slider(images[:60], images[60:])
    assert widget.sigmas[0] < widget.best < widget.sigmas[-1]
    assert widget.own[0] == max(widget.own)
    assert widget.samples == (255 * images[:12]).round().byte().numpy().tobytes()


def test_a_width_that_is_none_is_ignored_with_a_sentence(images):
    widget = sigma_slider(images[:60], images[60:])
    for value in (0, -1.0, "abc", None, float("inf")):
        widget.set_state({"sigma": value})
        assert widget.sigma == widget.best and widget.message.startswith("sigma was left as it is")
    widget.sigma = 0.25
    assert widget.sigma == 0.25 and widget.message == ""


@pytest.mark.parametrize(
    ("samples", "validation", "sigmas", "fragment"),
    [
        (slice(0, 60), slice(60, 90), [0.1], "sigmas must be at least 3"),
        (slice(0, 60), slice(60, 90), [0.3, 0.2, 0.1], "increasing widths"),
        (slice(0, 60), slice(60, 90), [0.0, 0.1, 0.2], "each of sigmas must be above 0"),
        (slice(0, 60), slice(60, 90), [0.01, 0.02, 0.03], "upper edge"),
        (slice(0, 0), slice(60, 90), [0.1, 0.2], "samples is empty"),
        (slice(0, 60), slice(0, 0), [0.1, 0.2], "validation_images is empty"),
    ],
)
def test_what_has_no_curve_is_refused(images, samples, validation, sigmas, fragment):
    with pytest.raises(ValueError, match=fragment):
        sigma_slider(images[samples], images[validation], sigmas)


def test_images_of_another_shape_are_refused(images):
    with pytest.raises(ValueError, match="both must be alike"):
        sigma_slider(images, torch.zeros(2, 1, 3, 3))


def test_where_no_widget_runs_pictures_stand_in(system, images):
    for widget, name in ((walk(system), "Walk"), (sigma_slider(images[:60], images[60:]), "SigmaSlider")):
        data, metadata = widget._repr_mimebundle_()
        assert data["text/plain"].startswith(f"{name}: run this cell in JupyterLab to")
        assert np.asarray(Image.open(io.BytesIO(base64.b64decode(data["image/png"])))).std() > 0
        assert len(metadata["image/png"]["alt"]) > 40
