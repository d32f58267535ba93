"""Numbers about a trained system."""

from .latent import (
    DistanceToPrior,
    Moments,
    Normality,
    distance_to_prior,
    holes,
    knn_accuracy,
    mmd,
    moments,
    normality,
    sliced_wasserstein,
)

__all__ = [
    "DistanceToPrior",
    "Moments",
    "Normality",
    "distance_to_prior",
    "holes",
    "knn_accuracy",
    "mmd",
    "moments",
    "normality",
    "sliced_wasserstein",
]
