"""Every picture of the course: functions that take arrays or a trained system and return a matplotlib ``Figure``."""

from .classes import cluster_rows, modes, style_content, walk
from .codes import code_histograms, latent_scatter, latent_scatters, representation, tsne
from .curves import bars, beside_paper, labels_against_error, learning_curves, sigma_curve, training_curves
from .diagrams import network_diagram
from .images import (
    image_grid,
    interpolation,
    latent_grid,
    percentile_grid,
    reconstructions,
    samples,
    samples_with_neighbours,
    show_images,
    snapshots,
)
from .theme import BLUE, CLASS_COLOURS, INK, PRIOR_GREYS, ROSE, as_png, canvas, show

__all__ = [
    "BLUE",
    "CLASS_COLOURS",
    "INK",
    "PRIOR_GREYS",
    "ROSE",
    "as_png",
    "bars",
    "beside_paper",
    "canvas",
    "cluster_rows",
    "code_histograms",
    "image_grid",
    "interpolation",
    "labels_against_error",
    "latent_grid",
    "latent_scatter",
    "latent_scatters",
    "learning_curves",
    "modes",
    "network_diagram",
    "percentile_grid",
    "reconstructions",
    "representation",
    "samples",
    "samples_with_neighbours",
    "show",
    "show_images",
    "sigma_curve",
    "snapshots",
    "style_content",
    "training_curves",
    "tsne",
    "walk",
]
