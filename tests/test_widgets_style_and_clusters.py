"""The style matrix and the cluster browser, driven from Python."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
import torch
from PIL import Image

from aae_lib import load
from aae_lib.priors import Gaussian
from aae_lib.systems import (
    AdversarialAutoencoder,
    ClusteringAdversarialAutoencoder,
    DimensionalityReductionAdversarialAutoencoder,
    SemiSupervisedAdversarialAutoencoder,
    SupervisedAdversarialAutoencoder,
)

pytest.importorskip("anywidget")
from aae_lib.widgets import cluster_browser, explore, linear_layers, style_matrix

SMALL = {"hidden": (32, 32), "discriminator_hidden": (16,), "initial_std": None, "seed": 0}


@pytest.fixture(scope="module")
def digits():
    return load("digits")


@pytest.fixture(scope="module")
def supervised(digits):
    return SupervisedAdversarialAutoencoder(digits.image_shape, prior=Gaussian(4), classes=6, **SMALL)


def bytes_of(pictures: torch.Tensor) -> bytes:
    return (255 * pictures).round().byte().numpy().tobytes()


def test_every_slider_shows_all_contents_in_that_style(supervised):
    widget = style_matrix(supervised)
    frames = {widget.frames}
    for dimension, (low, high) in enumerate(widget.limits):
        for value in np.linspace(low, high, 3):
            z = list(widget.z)
            z[dimension] = float(value)
            widget.z = z
            expected = supervised.decode(torch.tensor([z]).repeat(6, 1), torch.arange(6))
            assert widget.frames == bytes_of(expected) and len(widget.frames) == 6 * 64
            frames.add(widget.frames)
    assert len(frames) > 8 and widget.message == ""


def test_the_rows_are_the_contents_in_the_styles_of_the_images(supervised, digits):
    widget = style_matrix(supervised, digits.test.images)
    styles = supervised.encode(digits.test.images[:6])
    assert np.allclose(np.frombuffer(widget.styles, dtype=np.float32).reshape(6, 4), styles)
    assert widget.thumbnails == digits.test.images[:6].numpy().tobytes()
    rows = np.frombuffer(widget.rows, dtype=np.uint8).reshape(6, 6, -1)
    for style, row in zip(styles, rows, strict=True):
        for content, picture in enumerate(row):
            assert picture.tobytes() == bytes_of(supervised.decode(style[None], torch.tensor([content])))


def test_the_sliders_reach_three_standard_deviations(supervised):
    assert np.allclose(style_matrix(supervised).limits, [[-3, 3]] * 4, atol=0.1)
    wide = SupervisedAdversarialAutoencoder((1, 8, 8), prior=Gaussian(2, std=5), **SMALL)
    assert np.allclose(style_matrix(wide).limits, [[-15, 15]] * 2, atol=0.5)


@pytest.mark.parametrize("system", [SupervisedAdversarialAutoencoder, SemiSupervisedAdversarialAutoencoder])
@pytest.mark.parametrize("output", ["sigmoid", "standardised"])
def test_the_weights_that_the_page_gets_decode_label_and_style_like_the_system(digits, system, output):
    system = system(digits.image_shape, prior=Gaussian(3), output=output, **SMALL)
    system.learn_pixels(digits.train.images)
    z = torch.randn(10, 3, generator=torch.Generator().manual_seed(0))
    values = torch.cat([torch.eye(10), z], dim=1)  # (10, K + Z): the label comes first
    for k, (weight, bias) in enumerate(linear_layers(system)):
        values = (values if k == 0 else values.relu()) @ weight + bias
    values = values.sigmoid() if output == "sigmoid" else values.clamp(0, 1)
    assert torch.allclose(values.reshape(10, 1, 8, 8), system.decode(z, torch.arange(10)), atol=1e-5)


def test_convolutional_decoders_stay_in_the_kernel():
    system = SupervisedAdversarialAutoencoder(
        (3, 8, 8), prior=Gaussian(2), classes=3, body="convolutional", **SMALL | {"hidden": (4, 8)}
    )
    widget = style_matrix(system)
    assert widget.parcel() == ({}, [])
    widget.z = [1.0, -1.0]
    assert widget.frames == bytes_of(system.decode(torch.tensor([[1.0, -1.0]]).repeat(3, 1), torch.arange(3)))


def test_a_style_that_cannot_be_shown_is_ignored_with_a_sentence(supervised):
    widget = style_matrix(supervised)
    for value in ([0.0], "abc", None, [0.0, 0.0, 0.0, float("nan")]):
        widget.set_state({"z": value})
        assert widget.z == [0.0] * 4 and widget.message.startswith("z was left as it is")
    widget.z = [0.1] * 4
    assert widget.message == ""


def test_what_the_style_matrix_cannot_show_is_refused(supervised, digits):
    with pytest.raises(TypeError, match="use explore"):
        style_matrix(AdversarialAutoencoder(digits.image_shape, prior=Gaussian(2), hidden=(8,)))
    with pytest.raises(TypeError, match="use explore"):
        style_matrix(DimensionalityReductionAdversarialAutoencoder(digits.image_shape, **SMALL))
    with pytest.raises(ValueError, match="cluster_browser"):
        style_matrix(ClusteringAdversarialAutoencoder(digits.image_shape, clusters=31, **SMALL))
    with pytest.raises(ValueError, match="names must be 6 captions"):
        style_matrix(supervised, names=["zero", "one"])
    with pytest.raises(ValueError, match="images"):
        style_matrix(supervised, torch.zeros(2, 1, 9, 9))
    with pytest.raises(TypeError, match="style_matrix"):
        explore(supervised)


class Sorted(ClusteringAdversarialAutoencoder):
    """Four clusters and images that say how sure of which they are: pixel 0 the cluster, pixel 1 the confidence."""

    def logits(self, images):
        cluster = (10 * images[:, 0, 0, 0]).round().long()
        sure = images[:, 0, 0, 1]
        rest = ((1 - sure) / 3)[:, None].repeat(1, 4)
        return rest.scatter(1, cluster[:, None], sure[:, None]).log()


@pytest.fixture
def sorted_images():
    images = torch.zeros(6, 1, 4, 4)
    images[:, 0, 0, 0] = torch.tensor([0, 0, 0, 2, 2, 3]) / 10
    images[:, 0, 0, 1] = torch.tensor([0.6, 0.9, 0.7, 0.5, 0.8, 1.0])
    return images


@pytest.fixture
def four_clusters():
    return Sorted((1, 4, 4), clusters=4, prior=Gaussian(2), **SMALL)


def test_clusters_have_sizes_names_and_purities(four_clusters, sorted_images):
    labels = torch.tensor([7, 7, 1, 4, 4, 0])
    widget = cluster_browser(four_clusters, sorted_images, labels)
    assert widget.clusters == [
        {"size": 3, "name": 7, "purity": pytest.approx(2 / 3)},
        {"size": 0, "name": None, "purity": None},
        {"size": 2, "name": 4, "purity": 1},
        {"size": 1, "name": 0, "purity": 1},
    ]
    assert widget.cluster == 0 and widget.assigned == [0, 0, 0, 2, 2, 3]
    assert widget.members(0).tolist() == [1, 2, 0] and widget.members(0, surest_first=False).tolist() == [0, 2, 1]
    assert widget.members(1).tolist() == []


def test_the_surest_come_first_where_q_rounds_to_1(sorted_images):
    system = ClusteringAdversarialAutoencoder((1, 4, 4), clusters=4, prior=Gaussian(2), **SMALL)
    logits = torch.eye(4)[torch.zeros(6, dtype=torch.long)] * torch.tensor([30.0, 50, 20, 60, 40, 70])[:, None]
    assert (logits.softmax(dim=1).amax(dim=1) == 1).all()
    system.logits = lambda _: logits
    assert cluster_browser(system, sorted_images).members(0).tolist() == [5, 3, 1, 4, 0, 2]


def test_a_system_that_diverged_is_refused(sorted_images):
    system = ClusteringAdversarialAutoencoder((1, 4, 4), clusters=4, prior=Gaussian(2), **SMALL)
    system.logits = lambda _: torch.full((6, 4), torch.nan)
    with pytest.raises(ValueError, match="its training diverged"):
        cluster_browser(system, sorted_images)


def test_names_can_be_given_by_another_rule(four_clusters, sorted_images):
    labels = torch.tensor([7, 7, 1, 4, 4, 0])
    widget = cluster_browser(four_clusters, sorted_images, labels, names=torch.tensor([1, -1, 4, 4]))
    assert [cluster["name"] for cluster in widget.clusters] == [1, None, 4, 4]
    assert [cluster["purity"] for cluster in widget.clusters] == [pytest.approx(1 / 3), None, 1, 0]
    unlabelled = cluster_browser(four_clusters, sorted_images, names=torch.tensor([1, 2, 3, 4]))
    assert unlabelled.labels == [] and unlabelled.clusters[0] == {"size": 3, "name": 1, "purity": None}


def test_images_go_to_a_page_that_opens_and_not_into_the_state(four_clusters, sorted_images):
    widget = cluster_browser(four_clusters, sorted_images)
    _, [images] = widget.parcel()
    assert images == bytes_of(sorted_images)
    assert sum(len(value) for value in widget.get_state().values() if isinstance(value, bytes)) < 200


def test_heads_are_the_contents_in_style_zero(four_clusters, sorted_images, digits):
    heads = four_clusters.decode(torch.zeros(4, 2), torch.arange(4))
    assert cluster_browser(four_clusters, sorted_images).heads == bytes_of(heads)
    reduction = DimensionalityReductionAdversarialAutoencoder(digits.image_shape, classes=5, **SMALL)
    widget = cluster_browser(reduction, digits.test.images, digits.test.labels)
    assert widget.heads == bytes_of(reduction.decode(reduction.head_positions))


def test_most_images_are_enough(four_clusters, sorted_images):
    many = sorted_images.repeat(400, 1, 1, 1)
    assert len(cluster_browser(four_clusters, many, torch.zeros(2400, dtype=torch.int64)).assigned) == 2000


def test_a_cluster_that_is_none_is_ignored_with_a_sentence(four_clusters, sorted_images):
    widget = cluster_browser(four_clusters, sorted_images)
    for value in (4, -1, 0.5, None, True):
        widget.set_state({"cluster": value})
        assert widget.cluster == 0 and widget.message.startswith("cluster was left as it is")
    widget.cluster = 3
    assert widget.message == ""


def test_what_the_cluster_browser_cannot_show_is_refused(four_clusters, sorted_images, supervised, digits):
    with pytest.raises(TypeError, match="no classes or clusters"):
        cluster_browser(supervised, digits.test.images)
    with pytest.raises(ValueError, match="labels"):
        cluster_browser(four_clusters, sorted_images, torch.tensor([1]))
    with pytest.raises(ValueError, match="names must be 4 whole numbers"):
        cluster_browser(four_clusters, sorted_images, names=torch.tensor([1, 2]))
    with pytest.raises(TypeError, match="names"):
        cluster_browser(four_clusters, sorted_images, names=["a", "b", "c", "d"])


def test_where_no_widget_runs_pictures_stand_in(supervised, four_clusters, sorted_images, digits):
    matrix, browser = style_matrix(supervised, digits.test.images), cluster_browser(four_clusters, sorted_images)
    for widget, name in ((matrix, "StyleMatrix"), (browser, "ClusterBrowser"), (style_matrix(supervised), "Style")):
        data, metadata = widget._repr_mimebundle_()
        assert data["text/plain"].startswith(name) and "run this cell in JupyterLab to" in data["text/plain"]
        assert np.asarray(Image.open(io.BytesIO(base64.b64decode(data["image/png"])))).std() > 0
        assert len(metadata["image/png"]["alt"]) > 40


def test_explorer_of_heads_and_styles_reaches_the_heads(digits):
    system = DimensionalityReductionAdversarialAutoencoder(digits.image_shape, head_distance=20.0, **SMALL)
    widget = explore(system, digits.test.images)
    heads = system.head_positions
    for dimension, (low, high) in enumerate(widget.limits):
        assert low <= heads[:, dimension].min() + 1 and high >= heads[:, dimension].max() - 1
