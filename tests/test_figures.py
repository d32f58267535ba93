"""Figures: what is drawn is what was given, at the right place; one array per grid of images; nothing left open."""

import io
import sys
from types import SimpleNamespace

import matplotlib
import numpy as np
import pytest
import torch
from matplotlib import pyplot
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image
from scipy.stats import norm

from aae_lib import figures
from aae_lib.priors import Gaussian, GaussianMixture, SwissRoll, Uniform


class PaintedCodes:
    """A stand-in for a trained system: an image is two pixels wide and shows its code, squashed into (0, 1)."""

    image_shape = (1, 1, 2)
    latent_dim = 2

    def __init__(self, prior=None):
        self.prior = prior

    def decode(self, z):
        return torch.sigmoid(z)[:, None, None, :]  # (N, 1, 1, 2)

    def encode(self, images):
        return torch.logit(images[:, 0, 0, :])  # (N, 2)

    def reconstruct(self, images):
        return images / 2

    def sample(self, count, seed=0):
        return self.decode(self.prior.sample(count, torch.Generator().manual_seed(seed)))


GAUSSIAN = PaintedCodes(Gaussian(2, std=3.0))
HISTORY = SimpleNamespace(
    updates=np.array([10, 20, 30]),
    losses={name: np.array([3.0, 2.0, 1.0]) for name in ("reconstruction", "discriminator", "generator")},
    mean_image_loss=2.5,
    validation_losses={},
)


def codes(count=60, dim=2, seed=0):
    return torch.randn(count, dim, generator=torch.Generator().manual_seed(seed))


def labels(count=60, classes=10):
    return torch.arange(count) % classes


def grid_of(figure):
    """The one picture in ``figure``, as its array."""
    (picture,) = [image for ax in figure.axes for image in ax.images]
    return np.asarray(picture.get_array())


FIGURES = {
    "show_images": lambda: figures.show_images(torch.rand(6, 1, 4, 4), title="Six", captions=["a", "b", "c"]),
    "samples": lambda: figures.samples(GAUSSIAN, 9),
    "reconstructions": lambda: figures.reconstructions(GAUSSIAN, torch.rand(3, 1, 1, 2)),
    "snapshots": lambda: figures.snapshots({0: torch.rand(3, 1, 4, 4), 100: torch.rand(3, 1, 4, 4)}),
    "interpolation": lambda: figures.interpolation(GAUSSIAN, *torch.rand(2, 1, 1, 2)),
    "percentile_grid": lambda: figures.percentile_grid(GAUSSIAN, side=4),
    "latent_grid": lambda: figures.latent_grid(PaintedCodes(), side=4),
    "latent_scatter": lambda: figures.latent_scatter(codes(), labels(), Gaussian(2), "Codes"),
    "latent_scatters": lambda: figures.latent_scatters({"a": (codes(), labels()), "b": (codes(), None)}, SwissRoll()),
    "tsne": lambda: figures.tsne(codes(40, 5), labels(40)),
    "code_histograms": lambda: figures.code_histograms(codes(60, 3), Gaussian(3)),
    "training_curves": lambda: figures.training_curves(HISTORY),
    "style_content": lambda: figures.style_content(torch.rand(2, 1, 4, 4), torch.rand(2, 3, 1, 4, 4)),
    "cluster_rows": lambda: figures.cluster_rows(torch.rand(30, 1, 4, 4), torch.rand(60, 1, 4, 4), labels(60, 30)),
    "samples_with_neighbours": lambda: figures.samples_with_neighbours(*torch.rand(2, 6, 1, 4, 4), columns=3),
    "modes": lambda: figures.modes(PaintedCodes(GaussianMixture()), 4),
    "walk": lambda: figures.walk(PaintedCodes(SwissRoll()), 4),
    "representation": lambda: figures.representation(codes(), labels(), codes(12), pictures=torch.rand(12, 3, 4, 4)),
    "learning_curves": lambda: figures.learning_curves({"AAE": ([10, 100], [20.0, 5.0])}, {100: 3.4}),
    "labels_against_error": lambda: figures.labels_against_error({"AAE": {100: [2.0, 3.0], 1000: 1.5}}),
    "beside_paper": lambda: figures.beside_paper({"a": ([2.0, 2.2], 1.9, 0.1), "b": ([], 4.2, 0.0)}),
    "sigma_curve": lambda: figures.sigma_curve(SimpleNamespace(sigma=2, sigmas=(1, 2, 4), log_likelihoods=(3, 9, 5))),
    "bars": lambda: figures.bars({"AAE": [1.0, 1.2], "VAE": [2.0]}, "distance", floor=0.5, floor_label="floor"),
    "network_diagram": figures.network_diagram,
}
GRIDS = ("show_images", "samples", "reconstructions", "snapshots", "interpolation", "percentile_grid", "latent_grid")
GRIDS += ("style_content", "samples_with_neighbours", "modes")


@pytest.mark.parametrize("name", FIGURES)
def test_figures_can_be_drawn_and_leave_no_trace(name):
    before = dict(matplotlib.rcParams)
    figure = FIGURES[name]()
    assert isinstance(figure, Figure)
    figure.savefig(io.BytesIO(), format="png")
    assert figure.get_size_inches()[0] <= 9.3  # a notebook's width
    assert pyplot.get_fignums() == []
    assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize("name", GRIDS)
def test_a_grid_of_images_is_one_array(name):
    figure = FIGURES[name]()
    assert len(figure.axes) == 1 and len(figure.axes[0].images) == 1


def test_every_public_figure_is_drawn_here():
    others = {"as_png", "show", "canvas", "image_grid"}
    assert {name for name in figures.__all__ if callable(getattr(figures, name))} == set(FIGURES) | others


# Image grids


def test_image_grid_puts_images_row_by_row_with_gaps():
    images = torch.rand(5, 1, 3, 2)
    grid = figures.image_grid(images, columns=2)
    assert grid.shape == (3 * 3 + 2, 2 * 2 + 1)
    for i in range(5):
        row, column = divmod(i, 2)
        np.testing.assert_array_equal(grid[4 * row : 4 * row + 3, 3 * column : 3 * column + 2], images[i, 0])
    assert (grid[3] == 1).all() and (grid[:, 2] == 1).all()  # the gaps
    assert (grid[8:, 3:] == 1).all()  # the sixth cell is empty


def test_image_grid_of_bytes_in_colour_without_gaps():
    images = torch.arange(2 * 3 * 2 * 2).reshape(2, 3, 2, 2).mul(10).to(torch.uint8)
    grid = figures.image_grid(images, columns=2, gap=0)
    assert grid.shape == (2, 4, 3)
    np.testing.assert_allclose(grid[:, 2:], images[1].permute(1, 2, 0) / 255)


def test_image_grid_is_about_square_by_default():
    assert figures.image_grid(torch.rand(10, 1, 2, 2), gap=0).shape == (6, 8)


def test_reconstructions_stand_below_their_originals_and_the_error_is_the_paper_s():
    images = torch.full((3, 1, 1, 2), 0.8)
    figure = figures.reconstructions(GAUSSIAN, images)
    grid = grid_of(figure)
    np.testing.assert_allclose(grid[0, :2], 0.8)
    np.testing.assert_allclose(grid[2, :2], 0.4)
    assert "0.2 per image" in figure.get_suptitle()  # ½ (0.4² + 0.4²) = 0.16


def test_snapshots_are_ordered_by_update():
    figure = figures.snapshots({100: torch.ones(2, 1, 3, 3), 0: torch.zeros(2, 1, 3, 3)})
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["update 0", "update 100"]
    grid = grid_of(figure)
    assert grid[0, 0] == 0 and grid[-1, -1] == 1


def test_interpolation_is_a_straight_line_between_the_codes():
    first, second = torch.tensor([[[0.2, 0.5]]]), torch.tensor([[[0.8, 0.5]]])
    grid = grid_of(figures.interpolation(GAUSSIAN, first, second, steps=3))
    np.testing.assert_allclose(grid[0, [0, 3, 6]], [0.2, 0.5, 0.8], atol=1e-6)  # logits −a, 0, a


# Planes


def shown_codes(figure, side):
    """The codes (side, side, 2) that PaintedCodes painted, the first row on top."""
    grid = grid_of(figure)[::2]  # images are one pixel high, gaps too
    pixels = np.stack([grid[:, 0::3], grid[:, 1::3]], axis=2)
    assert pixels.shape == (side, side, 2)
    return np.log(pixels / (1 - pixels))


def test_percentile_grid_decodes_the_prior_s_quantiles():
    quantiles = 3.0 * norm.ppf((np.arange(5) + 0.5) / 5)
    shown = shown_codes(figures.percentile_grid(GAUSSIAN, side=5), 5)
    np.testing.assert_allclose(shown[..., 0], np.tile(quantiles, (5, 1)), atol=1e-4)  # z₁ grows to the right
    np.testing.assert_allclose(shown[..., 1], np.tile(quantiles[::-1, None], (1, 5)), atol=1e-4)  # z₂ grows upwards


def test_latent_grid_decodes_cell_centres_and_its_axes_are_codes():
    figure = figures.latent_grid(PaintedCodes(), low=-2, high=2, side=4)
    np.testing.assert_allclose(shown_codes(figure, 4)[0, :, 0], [-1.5, -0.5, 0.5, 1.5], atol=1e-4)
    assert figure.axes[0].get_xlim() == (-2, 2) and figure.axes[0].get_ylim() == (-2, 2)


# Codes


def test_scatter_draws_every_code_in_the_colour_of_its_class():
    z, y = codes(), labels()
    (dots,) = figures.latent_scatter(z, y).axes[0].collections
    drawn = {
        (*position, *colour[:3])
        for position, colour in zip(dots.get_offsets().tolist(), dots.get_facecolors(), strict=True)
    }
    given = {
        (*position, *to_rgb(figures.CLASS_COLOURS[label]))
        for position, label in zip(z.tolist(), y.tolist(), strict=True)
    }
    assert {tuple(np.round(row, 4)) for row in drawn} == {tuple(np.round(row, 4)) for row in given}


def test_scatter_names_classes_in_the_legend():
    figure = figures.latent_scatter(codes(), labels(classes=3), Gaussian(2), classes=("cat", "dog", "owl"))
    assert [text.get_text() for text in figure.legends[0].texts] == ["cat", "dog", "owl", "p(z)"]


def test_panels_share_their_axes_and_a_far_code_does_not_shrink_them():
    far = torch.cat([codes(2000), torch.tensor([[1000.0, 0.0]])])
    figure = figures.latent_scatters({"near": (codes(), None), "far": (far, None)}, Gaussian(2))
    first, second = figure.axes
    assert first.get_xlim() == second.get_xlim() and first.get_ylim() == second.get_ylim()
    assert -6 < first.get_xlim()[0] < first.get_xlim()[1] < 6


@pytest.mark.parametrize("prior", [Gaussian(2), GaussianMixture(), Uniform(2)])
def test_the_outline_of_a_prior_holds_95_percent_of_it(prior):
    figure = figures.latent_scatter(codes(), None, prior)
    outline = figure.axes[0].collections[1].get_paths()[0]
    draws = prior.sample(20_000, torch.Generator().manual_seed(1)).numpy()
    inside = np.zeros(len(draws), dtype=bool)
    for ring in outline.to_polygons(closed_only=False):
        inside |= matplotlib.path.Path(ring).contains_points(draws)
    assert inside.mean() == pytest.approx(1.0 if isinstance(prior, Uniform) else 0.95, abs=0.02)


def test_each_panel_can_have_its_own_prior():
    panels = {"a": (codes(), None), "b": (codes(), None)}
    with_prior, without = figures.latent_scatters(panels, {"a": Gaussian(2)}).axes
    assert len(with_prior.collections) > len(without.collections) == 1


def test_histograms_give_moments_of_codes_and_prior():
    z = codes(500, 3) * 2 + 7
    figure = figures.code_histograms(z, Gaussian(3, std=5.0), dimensions=[2])
    (ax,) = figure.axes
    assert ax.get_title() == f"{z[:, 2].mean():.2f} ± {z[:, 2].numpy().std():.2f}\nprior: 0.0 ± 5.0"
    assert ax.get_xlabel() == "$z_{3}$"


def test_tsne_draws_a_repeatable_subset():
    z = codes(60, 4)
    positions = [figures.tsne(z, count=30, seed=1).axes[0].collections[0].get_offsets() for _ in range(2)]
    assert len(positions[0]) == 30
    np.testing.assert_array_equal(*positions)


# Measurements


def test_curves_have_their_reference_lines():
    reconstruction, players = figures.training_curves(HISTORY).axes
    dashed = [
        [line.get_ydata()[0] for line in ax.lines if line.get_linestyle() == "--"] for ax in (reconstruction, players)
    ]
    assert dashed == [[2.5], [pytest.approx(2 * np.log(2)), pytest.approx(np.log(2))]]
    np.testing.assert_array_equal(reconstruction.lines[0].get_xydata(), [[10, 3], [20, 2], [30, 1]])


def test_losses_of_hold_out_images_are_dashed_in_the_colour_of_the_training_s():
    held_out = {name: np.array([2.8, 2.9]) for name in HISTORY.losses}
    history = SimpleNamespace(**vars(HISTORY) | {"validation_updates": [15, 30], "validation_losses": held_out})
    for ax, names in zip(figures.training_curves(history).axes, (1, 2), strict=True):
        solid, dashed = ([line for line in ax.lines if line.get_linestyle() == style] for style in ("-", "--"))
        assert [line.get_color() for line in solid] == [line.get_color() for line in dashed[:-1]]
        for line in dashed[:-1]:
            np.testing.assert_array_equal(line.get_xydata(), [[15, 2.8], [30, 2.9]])
        legend = [text.get_text() for text in ax.get_legend().get_texts()]
        assert len(legend) == names + 1 and legend[-1] == "hold-out images"
        assert ax.get_ylim()[1] > 2.9


def test_each_game_has_a_panel_and_a_spike_in_it_does_not_squash_the_rest():
    names = ("reconstruction", "discriminator of z", "discriminator of y", "generator of z", "generator of y", "heads")
    losses = {name: np.ones(100) for name in names}
    losses["generator of z"][3] = 500.0
    history = SimpleNamespace(updates=np.arange(100), losses=losses, mean_image_loss=2.5, validation_losses={})
    axes = figures.training_curves(history).axes
    panels = [[text.get_text() for text in ax.get_legend().get_texts()] for ax in axes]
    assert panels == [
        ["reconstruction"],
        ["heads"],
        ["discriminator of z", "generator of z"],
        ["discriminator of y", "generator of y"],
    ]
    assert 2 * np.log(2) < axes[2].get_ylim()[1] < 2
    assert [text.get_text() for text in axes[2].texts] == ["2 ln 2", "ln 2"]


def test_bars_show_every_seed_and_mean_and_deviation():
    figure = figures.bars({"AAE": [1.0, 3.0], "VAE": [5.0]}, "distance in z", "Nearness", floor=0.5, floor_label="best")
    (ax,) = figure.axes
    assert sorted(x for dots in ax.collections for x in dots.get_offsets()[:, 0]) == [1, 3, 5]
    assert [bar.get_width() for bar in ax.patches] == [2, 5]
    assert {text.get_text() for text in ax.texts} == {"2 ± 1.4", "5", "best"}


# Colours


def lightness(colour):
    """CIE L* of an sRGB colour: what is left of it in grey."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return 116 * np.dot([0.2126, 0.7152, 0.0722], linear) ** (1 / 3) - 16


def test_classes_stay_apart_in_grey_and_on_paper():
    steps = np.diff(sorted(map(lightness, figures.CLASS_COLOURS)))
    assert len(figures.CLASS_COLOURS) == 10 and steps.min() > 6
    assert max(map(lightness, figures.CLASS_COLOURS)) < 85  # white is 100


# In the notebook


@pytest.fixture
def displayed(monkeypatch):
    """What ``show`` sends to the notebook."""
    sent = []
    module = SimpleNamespace(display=lambda content, **options: sent.append((content, options)))
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    return sent


def test_show_sends_a_png_with_alt_text(displayed):
    alt = "Ten clouds of codes, one per digit, fill the prior."
    assert figures.show(FIGURES["latent_scatter"](), alt) is None
    ((content, options),) = displayed
    assert options == {"raw": True, "metadata": {"image/png": {"alt": alt}}}
    assert content["text/plain"] == alt
    picture = Image.open(io.BytesIO(content["image/png"]))
    assert picture.format == "PNG" and 300 < picture.width < 950 and len(content["image/png"]) < 150_000


@pytest.mark.parametrize("alt", ["", "a plot", "   too short        ", None])
def test_show_insists_on_alt_text(alt, displayed):
    with pytest.raises(ValueError, match="alt must say"):
        figures.show(figures.network_diagram(), alt)
    assert displayed == []


# Bad input


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: figures.image_grid(torch.rand(2, 2, 4, 4)), "1 channel"),
        (lambda: figures.image_grid(torch.rand(4, 4)), "4 dimensions"),
        (lambda: figures.image_grid(torch.rand(2, 1, 4, 4), columns=0), "columns must be"),
        (lambda: figures.snapshots({}), "pictures is empty"),
        (lambda: figures.reconstructions(GAUSSIAN, torch.rand(2, 1, 4, 4)), "built for"),
        (lambda: figures.percentile_grid(PaintedCodes(GaussianMixture())), "use latent_grid"),
        (lambda: figures.percentile_grid(PaintedCodes(Gaussian(3))), "use latent_grid"),
        (lambda: figures.latent_grid(SimpleNamespace(latent_dim=8)), "2-D codes"),
        (lambda: figures.latent_scatter(codes(60, 3)), r"\(N, 2\)"),
        (lambda: figures.latent_scatter(codes(), labels(50)), "labels must have shape"),
        (lambda: figures.code_histograms(codes(), Gaussian(3)), r"\(N, 3\)"),
        (lambda: figures.training_curves(SimpleNamespace(updates=[])), "no updates yet"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
