"""The paper's later figures: every picture, name and number stands where it belongs."""

import io
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex
from matplotlib.text import Text

from aae_lib import figures
from aae_lib.priors import Gaussian, GaussianMixture, SwissRoll


def flat(values):
    """An image of 2 x 2 equal pixels for each value (N,)."""
    return torch.as_tensor(values, dtype=torch.float32)[:, None, None, None].expand(-1, 1, 2, 2)


def grid_of(ax):
    """Which value stands in each cell of the one picture in ``ax``, whose images are 2 x 2 pixels; gap columns too."""
    (picture,) = ax.images
    return np.asarray(picture.get_array())[::3]


def row_names(ax):
    return [text.get_text() for text in ax.get_yticklabels()]


def column_names(ax):
    return [text.get_text() for text in ax.get_xticklabels()]


class TwoPixels:
    """A stand-in for a trained system: an image is two pixels wide and shows its code, z / 8 + 1/2."""

    def __init__(self, prior):
        self.prior = prior

    def decode(self, z):
        return (z / 8 + 0.5)[:, None, None, :]  # (N, 1, 1, 2)


def shown_codes(ax, columns):
    """The codes (rows, columns, 2) that TwoPixels painted."""
    grid = np.asarray(ax.images[0].get_array())[::2]
    return 8 * (np.stack([grid[:, 0::3], grid[:, 1::3]], axis=2)[:, :columns] - 0.5)


# Rows of images


def test_a_column_set_apart_leaves_half_an_image_free():
    grid = figures.image_grid(torch.zeros(4, 1, 6, 6), columns=2, apart=1)
    assert grid.shape == (13, 6 + 1 + 3 + 6)
    assert (grid[:6, :6] == 0).all() and (grid[:, 6:10] == 1).all() and (grid[:6, 10:] == 0).all()


def test_style_content_has_the_source_apart_and_a_column_for_each_content():
    images = flat([0.1, 0.2, 0.3, 0.4, 0.5, 0.6]).unflatten(0, (2, 3))
    (ax,) = figures.style_content(flat([0.8, 0.9]), images, captions=["cat", "dog", "owl"]).axes
    np.testing.assert_allclose(grid_of(ax)[:, [0, 4, 7, 10]], [[0.8, 0.1, 0.2, 0.3], [0.9, 0.4, 0.5, 0.6]])
    assert column_names(ax) == ["source", "cat", "dog", "owl"]
    np.testing.assert_allclose(ax.get_xticks(), [0.5, 4.5, 7.5, 10.5])


def test_style_content_without_sources():
    (ax,) = figures.style_content(None, flat([0.1, 0.2]).unflatten(0, (1, 2))).axes
    np.testing.assert_allclose(grid_of(ax)[0, [0, 3]], [0.1, 0.2])
    assert column_names(ax) == ["0", "1"]


def test_clusters_are_sorted_by_class_and_purity_and_the_empty_one_says_so():
    heads = flat([0.0, 0.1, 0.2, 0.3])
    assigned = torch.tensor([1, 1, 1, 1, 2, 2, 3])
    labels = torch.tensor([0, 0, 1, 0, 0, 0, 5])
    figure = figures.cluster_rows(heads, flat([0.5] * 7), assigned, labels, torch.tensor([0, 0, 0, -1]), members=4)
    (ax,) = figure.axes
    assert row_names(ax) == ["0   100%", "0   75%", "0", "no name"]
    np.testing.assert_allclose(grid_of(ax)[:, 0], [0.2, 0.1, 0.0, 0.3])
    filled = (grid_of(ax)[:, 4::3] == 0.5).sum(axis=1)
    assert filled.tolist() == [2, 4, 0, 1]
    (empty,) = ax.texts
    assert empty.get_text() == "empty" and empty.get_position()[1] == pytest.approx(6.5)


def test_members_of_other_classes_are_framed_and_only_they():
    values = torch.arange(8) / 10
    figure = figures.cluster_rows(
        flat([1.0]), flat(values), torch.zeros(8, dtype=torch.long), (values > 0.45).long(), torch.tensor([0]), 8
    )
    (ax,) = figure.axes
    framed = {round(float(path.vertices[:4, 0].mean())) for path in ax.collections[0].get_paths()}
    values_there = grid_of(ax)[0]
    assert {round(float(values_there[x]), 1) for x in framed} == {0.5, 0.6, 0.7}


def test_members_are_random_and_repeatable():
    assigned = torch.zeros(50, dtype=torch.long)
    rows = [
        grid_of(figures.cluster_rows(flat([0.0]), flat(torch.arange(50) / 50), assigned, seed=seed).axes[0])
        for seed in (0, 0, 1)
    ]
    np.testing.assert_array_equal(rows[0], rows[1])
    assert (rows[0] != rows[2]).any()


def test_many_clusters_stand_in_two_blocks():
    figure = figures.cluster_rows(flat(torch.zeros(17)), flat(torch.zeros(34)), torch.arange(34) % 17)
    assert [row_names(ax) for ax in figure.axes] == [
        [f"cluster {k}" for k in range(9)],
        [f"cluster {k}" for k in range(9, 17)],
    ]


def test_neighbours_are_the_nearest_of_the_last_column():
    samples, images = flat([0.0, 0.2, 0.0, 0.7]), flat([0.0, 0.25, 0.66, 1.0])
    (ax,) = figures.samples_with_neighbours(samples, images, columns=2).axes
    np.testing.assert_allclose(grid_of(ax)[:, [0, 3, 7]], [[0.0, 0.2, 0.25], [0.0, 0.7, 0.66]], atol=1e-6)


# Components of the prior


def test_modes_have_the_same_draws_in_each_component_sorted_outwards():
    (ax,) = figures.modes(TwoPixels(GaussianMixture()), count=5).axes
    codes = shown_codes(ax, 5)  # (10, 5, 2)
    radii = np.linalg.norm(codes, axis=2)
    assert (np.diff(radii) > 0).all()
    np.testing.assert_allclose(radii, np.tile(radii[:1], (10, 1)), rtol=1e-4)
    angles = np.unwrap(np.arctan2(codes[..., 1], codes[..., 0]), axis=0)
    np.testing.assert_allclose(np.diff(angles, axis=0), 2 * np.pi / 10, atol=1e-3)
    assert row_names(ax) == [str(k) for k in range(10)]


def test_a_walk_goes_along_the_roll_row_by_row():
    pictures, roll = figures.walk(TwoPixels(SwissRoll()), columns=3).axes
    u = (np.arange(30) + 0.5) / 30
    angle = 4 * np.pi * np.sqrt(u)
    points = (3 * np.sqrt(u)) * np.stack([np.cos(angle), np.sin(angle)])
    np.testing.assert_allclose(shown_codes(pictures, 3).reshape(30, 2), points.T, atol=1e-4)
    np.testing.assert_allclose(roll.collections[0].get_offsets(), points.T, atol=1e-4)
    assert [text.get_text() for text in roll.texts] == [str(k) for k in range(10)]


# Representations


def test_heads_are_rings_in_the_colour_of_their_class_with_its_name():
    z, heads = torch.randn(50, 2, generator=torch.Generator().manual_seed(0)), torch.tensor([[1.0, 2.0], [-1.0, 0.0]])
    pictures = flat([0.2, 0.7])
    figure = figures.representation(z, torch.zeros(50).long(), heads, torch.tensor([3, -1]), pictures)
    ax = figure.axes[0]
    rings = ax.collections[1]
    np.testing.assert_allclose(rings.get_offsets(), heads)
    assert [to_hex(colour) for colour in rings.get_edgecolors()] == [figures.CLASS_COLOURS[3], figures.INK]
    assert [(text.get_text(), text.get_position()) for text in ax.texts] == [("3", (1.0, 2.0)), ("?", (-1.0, 0.0))]
    (beside,) = ax.child_axes
    np.testing.assert_allclose(grid_of(beside)[:, 0], [0.7, 0.2])  # sorted by class, those without one first
    assert row_names(beside) == ["?", "3"]


# Curves


def test_learning_curves_name_their_lines_apart_and_have_the_milestones():
    curves = {"a": ([10, 100], [20.0, 5.0]), "b": ([10, 100], [20.0, 5.1]), "c": ([10, 100], [20.0, 5.2])}
    figure = figures.learning_curves(curves, {600: 16.5, 30_000: 3.4})
    (ax,) = figure.axes
    np.testing.assert_array_equal(ax.lines[-1].get_xydata(), [[600, 16.5], [30_000, 3.4]])
    names = {text.get_text(): text for text in ax.texts}
    assert {"16.5 %", "3.4 %", "a", "b", "c", "the paper"} == set(names)
    assert all(names[name].get_color() == line.get_color() for name, line in zip("abc", ax.lines, strict=False))
    figure.savefig(io.BytesIO())  # lays it out
    boxes = [Text.get_window_extent(names[name]) for name in ("a", "b", "c", "the paper")]  # without their arrows
    assert not any(one.overlaps(other) for i, one in enumerate(boxes) for other in boxes[:i])
    assert all(box.x1 <= figure.bbox.x1 for box in boxes)


def test_errors_by_labels_join_the_means_and_the_paper_has_the_same_colour():
    (ax,) = figures.labels_against_error({"AAE": {1000: 1.5, 100: [2.0, 4.0]}}, {"AAE": {100: 1.9, 1000: 1.6}}).axes
    ours, *seeds, papers = ax.lines  # the paper's, and the one error of 1000 labels, have no seeds to show
    np.testing.assert_allclose(ours.get_xydata(), [[100, 3.0], [1000, 1.5]])
    assert sorted(y for line in seeds for y in line.get_ydata()) == [2.0, 4.0]
    assert ours.get_color() == papers.get_color() and papers.get_linestyle() == "--"
    assert column_names(ax) == ["100", "1,000"]
    assert {text.get_text() for text in ax.texts} == {"AAE", "AAE (paper)"}


def test_seeds_stand_beside_the_printed_number_and_its_band():
    rows = {"a": ([2.0, 2.2], 1.9, 0.1), "b": ([], 4.2, 0.0)}
    (ax,) = figures.beside_paper(rows).axes
    printed, ours, other, nothing, *_ = ax.lines
    np.testing.assert_array_equal(printed.get_xydata(), [[1.9, 0]])
    np.testing.assert_array_equal(ours.get_xydata(), [[2.0, 0.25], [2.2, 0.25]])
    np.testing.assert_array_equal(other.get_xydata(), [[4.2, 1]])
    assert len(nothing.get_xdata()) == 0
    np.testing.assert_allclose([ax.patches[0].get_x(), ax.patches[0].get_width()], [1.8, 0.2])
    assert [text.get_text() for text in ax.texts] == ["2.1", "not run", "our mean"]


def test_sigma_is_marked_where_it_is_best():
    search = SimpleNamespace(sigma=0.2, sigmas=(0.1, 0.2, 0.4), log_likelihoods=(10.0, 30.0, 20.0))
    (ax,) = figures.sigma_curve(search).axes
    np.testing.assert_array_equal(ax.lines[1].get_xydata(), [[0.2, 30.0]])
    assert ax.texts[0].get_text() == "σ = 0.2\n30 nats"


# Diagrams

DIAGRAMS = {
    "adversarial": 1,
    "labelled_prior": 1,
    "supervised": 1,
    "semi_supervised": 2,
    "clustering": 2,
    "dimensionality_reduction": 2,
    "latent": 1,
}


@pytest.mark.parametrize("kind", DIAGRAMS)
def test_diagrams_have_a_discriminator_a_game_and_nothing_overlaps(kind):
    figure = figures.network_diagram(kind)
    (ax,) = figure.axes
    figure.savefig(io.BytesIO())  # lays it out
    texts = [text for text in ax.texts if text.get_text()]
    assert sum("discriminator" in text.get_text() for text in texts) == DIAGRAMS[kind]
    boxes = [patch.get_window_extent() for patch in ax.patches]
    assert not any(one.overlaps(other) for i, one in enumerate(boxes) for other in boxes[:i])
    for patch, text in zip(boxes, texts, strict=False):  # a box's text is inside it
        extent = Text.get_window_extent(text)
        assert patch.x0 < extent.x0 and extent.x1 < patch.x1 and patch.y0 < extent.y0 and extent.y1 < patch.y1
    assert figure.get_size_inches()[1] < 8


# Bad input

IMAGES = flat(torch.zeros(4))
ZEROS = torch.zeros(4, dtype=torch.long)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: figures.style_content(IMAGES, IMAGES), "5 dimensions"),
        (lambda: figures.style_content(IMAGES, IMAGES.unflatten(0, (2, 2))), "sources must be 2 images"),
        (lambda: figures.style_content(IMAGES, torch.rand(4, 3, 1, 5, 5)), "sources has images of shape"),
        (lambda: figures.cluster_rows(torch.rand(2, 3, 2, 2), IMAGES, ZEROS), r"\(1, 2, 2\), but heads of \(3, 2, 2\)"),
        (lambda: figures.samples_with_neighbours(IMAGES, torch.rand(4, 1, 5, 5), 2), "images has images of shape"),
        (lambda: figures.cluster_rows(IMAGES[:2], IMAGES, ZEROS + 2), "assigned must be below 2"),
        (lambda: figures.cluster_rows(IMAGES[:2], IMAGES, ZEROS, ZEROS), "labels and names belong together"),
        (lambda: figures.cluster_rows(IMAGES[:2], IMAGES, ZEROS, ZEROS, ZEROS), "names must have shape"),
        (lambda: figures.samples_with_neighbours(IMAGES, IMAGES, columns=3), "must fill rows of 3"),
        (lambda: figures.modes(TwoPixels(Gaussian(2))), "prior with components"),
        (lambda: figures.walk(TwoPixels(GaussianMixture())), "SwissRoll"),
        (lambda: figures.representation(torch.rand(4, 3), ZEROS, torch.rand(4, 2)), r"\(N, 2\)"),
        (lambda: figures.representation(torch.rand(4, 2), ZEROS, torch.rand(3, 2), ZEROS), "names must be 3"),
        (lambda: figures.representation(torch.rand(4, 2), ZEROS, torch.rand(3, 2), None, IMAGES), "pictures must be 3"),
        (lambda: figures.learning_curves({}), "curves is empty"),
        (lambda: figures.beside_paper({}), "rows is empty"),
        (lambda: figures.beside_paper({"a": ([0.0], 1.0, 0.0)}), "above 0 and at most 100"),
        (lambda: figures.learning_curves({"a": ([1, 2], [0.0, 5.0])}), "above 0 and at most 100"),
        (lambda: figures.labels_against_error({"a": {100: 250.0}}), "above 0 and at most 100"),
        (lambda: figures.network_diagram("supervise"), "did you mean 'supervised'"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
