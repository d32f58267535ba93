"""Numbers about a trained system."""

from .clustering import ClusteringError, clustering_error, log_odds, name_clusters
from .information import Information, MarginalKl, marginal_kl, mutual_information
from .labels import Probe, label_probe, mode_accuracy
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
from .paths import perceptual_path_length
from .samples import (
    FeatureNetwork,
    KernelDistance,
    PrecisionRecall,
    feature_fid,
    feature_kid,
    precision_recall,
    sharpness,
    train_feature_network,
)

__all__ = [
    "ClusteringError",
    "DistanceToPrior",
    "FeatureNetwork",
    "Information",
    "KernelDistance",
    "MarginalKl",
    "Moments",
    "Normality",
    "PrecisionRecall",
    "Probe",
    "Samples",
    "SigmaSearch",
    "choose_sigma",
    "clustering_error",
    "distance_to_prior",
    "feature_fid",
    "feature_kid",
    "holes",
    "knn_accuracy",
    "label_probe",
    "log_odds",
    "marginal_kl",
    "mean_and_standard_error",
    "mmd",
    "mode_accuracy",
    "moments",
    "mutual_information",
    "name_clusters",
    "normality",
    "parzen_log_likelihood",
    "perceptual_path_length",
    "precision_recall",
    "sharpness",
    "sigma_search",
    "sliced_wasserstein",
    "train_feature_network",
]
