"""How evenly pictures change along a path through the latent space (Karras, Laine & Aila 2019, arXiv 1812.04948)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from .. import checks
from ..pixels import chunk_size
from ..priors import Gaussian
from ..systems.base import System, require_system
from .draws import SEED_OFFSET
from .samples import FeatureNetwork

SPACES = ("w", "z")
SAMPLINGS = ("full", "end")
KEPT = (1, 99)  # percentiles


def perceptual_path_length(
    system: System,
    network: FeatureNetwork,
    *,
    space: str = "w",
    sampling: str = "full",
    count: int = 1000,
    epsilon: float = 1e-3,
    seed: int = 0,
) -> float:
    """PPL: E d(G(p(t)), G(p(t + ε))) / ε² over ``count`` paths p between two random codes; a system's sudden changes.

    d is the squared distance of features of ``network`` (``train_feature_network``) where the authors take LPIPS: the
    number compares systems by one network, and stands beside no published one. Only the 1st to 99th percentile counts.

    ``space``: "w", straight lines between codes; or "z", arcs between draws z, which ``system.map`` then turns into
    codes. A system without ``map`` has one space, z, in which lines and arcs can be compared.
    ``sampling``: t is uniform on the path, "full", or at its beginning, "end", where the codes are draws themselves.
    ``epsilon``: ten times the authors' 10⁻⁴. A path hardly bends within either, but networks compute in float32 here,
    whose rounding counts 1 / ε²-fold: at 10⁻⁴ it shows where pictures change slowly, below 10⁻⁵ everywhere.
    """
    require_system(system)
    if not isinstance(network, FeatureNetwork):
        raise TypeError(
            f"network must be a FeatureNetwork, but it is a {type(network).__name__}; train one with "
            "train_feature_network(data.train)."
        )
    checks.one_of("space", space, SPACES)
    checks.one_of("sampling", sampling, SAMPLINGS)
    count, epsilon = checks.positive_integer("count", count), checks.positive_number("epsilon", epsilon)
    if system.decodes_labels:
        raise TypeError(
            f"{type(system).__name__} decodes a code with a label, so it has no one path; give another system."
        )
    first, second = _draws(system, space, 2 * count, checks.seed("seed", seed)).double().chunk(2)  # (N, Z) each
    if space == "z" and first.shape[1] < 2:
        raise ValueError('space is "z", but z has 1 dimension, in which there is no arc; use space="w".')
    t = torch.zeros(count, 1, dtype=torch.float64)
    if sampling == "full":
        t.uniform_(generator=torch.Generator().manual_seed(seed + SEED_OFFSET))
    between = torch.lerp if space == "w" else _arc
    here, there = (between(first, second, at).float() for at in (t, t + epsilon))
    if space == "z" and hasattr(system, "map"):
        here, there = system.map(here), system.map(there)

    size = chunk_size(system.image_shape)
    pairs = zip(here.split(size), there.split(size), strict=True)
    squared = [
        (network.features(system.decode(a)) - network.features(system.decode(b))).double().square().sum(dim=1)
        for a, b in pairs
    ]
    lengths = (torch.cat(squared) / epsilon**2).cpu().numpy()  # (N,)
    low, high = np.percentile(lengths, KEPT)
    return float(lengths[(low <= lengths) & (lengths <= high)].mean())


def _draws(system: System, space: str, count: int, seed: int) -> Tensor:
    """The ends (count, Z) of paths: codes, or the draws z ~ N(0, I) that ``map`` makes codes of."""
    if space == "w" or not hasattr(system, "map"):
        return system.draw_codes(count, seed=seed)
    dim = system.latent_dim if system.prior is None else system.prior.dim
    return Gaussian(dim).sample(count, torch.Generator().manual_seed(seed))


def _arc(first: Tensor, second: Tensor, t: Tensor) -> Tensor:
    """Shoemake's slerp of rows (N, Z) at t (N, 1): on it draws of N(0, I) keep their distance from 0."""
    angle = F.cosine_similarity(first, second).clamp(-1, 1).acos()[:, None]  # (N, 1)
    return (((1 - t) * angle).sin() * first + (t * angle).sin() * second) / angle.sin()
