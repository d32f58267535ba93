"""Numbers about a trained system."""

from .clustering import ClusteringError, clustering_error, name_clusters
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
from .parzen import (
    Samples,
    SigmaSearch,
    choose_sigma,
    mean_and_standard_error,
    parzen_log_likelihood,
    sigma_search,
)

__all__ = [
    "ClusteringError",
    "DistanceToPrior",
    "Moments",
    "Normality",
    "Samples",
    "SigmaSearch",
    "choose_sigma",
    "clustering_error",
    "distance_to_prior",
    "holes",
    "knn_accuracy",
    "mean_and_standard_error",
    "mmd",
    "moments",
    "name_clusters",
    "normality",
    "parzen_log_likelihood",
    "sigma_search",
    "sliced_wasserstein",
]
