"""Perceptual path length: a linear generator and linear features, whose paths have a length in closed form."""

import numpy as np
import pytest
import torch

from aae_lib.evaluation import FeatureNetwork, perceptual_path_length
from aae_lib.priors import Gaussian
from aae_lib.systems import (
    AdversarialLatentAutoencoder,
    Autoencoder,
    BidirectionalGAN,
    StyleAdversarialLatentAutoencoder,
    SupervisedAdversarialAutoencoder,
    System,
)

SHAPE = (1, 8, 8)
COUNT = 400


def matrix(rows: int, columns: int, seed: int) -> torch.Tensor:
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed))


class Pixels(FeatureNetwork):
    """Features that are pixels, five of them twice as large."""

    def __init__(self):
        super().__init__(SHAPE, classes=2, epochs=1)
        self.scale = torch.ones(64)
        self.scale[:5] = 2

    def features(self, images):
        return images.flatten(1) * self.scale


class Linear(System):
    """Pictures ½ + A w, small enough to stay in [0, 1]."""

    def __init__(self):
        super().__init__(SHAPE)
        self.prior = Gaussian(3)
        self.weight = torch.nn.Parameter(0.01 * matrix(64, 3, seed=1))

    def decode(self, w):
        return (0.5 + w @ self.weight.detach().T).reshape(len(w), *SHAPE)


class Mapped(Linear):
    """The same, with codes w = B z."""

    def map(self, z):
        return z @ matrix(3, 3, seed=2).T

    def draw_codes(self, count, *, seed=0):
        return self.map(self._draw_prior(count, seed))


def trimmed(lengths: torch.Tensor) -> float:
    low, high = np.percentile(lengths.numpy(), (1, 99))
    return lengths[(low <= lengths) & (lengths <= high)].mean().item()


def speed(system, direction: torch.Tensor) -> torch.Tensor:
    """‖S A v‖² of directions v (N, 3)."""
    return ((direction.float() @ system.weight.detach().T) * Pixels().scale).square().sum(dim=1)


def ends(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.randn(2 * COUNT, 3, generator=torch.Generator().manual_seed(seed)).chunk(2)


class TestLinear:
    @pytest.mark.parametrize("sampling", ["full", "end"])
    @pytest.mark.parametrize("epsilon", [1e-2, 1e-3])
    def test_a_straight_line_is_as_long_everywhere(self, sampling, epsilon):
        system, (first, second) = Linear(), ends()
        found = perceptual_path_length(system, Pixels(), sampling=sampling, epsilon=epsilon, count=COUNT)
        assert found == pytest.approx(trimmed(speed(system, second - first)), rel=2e-3)

    def test_in_w_the_ends_of_a_line_are_mapped(self):
        system, (first, second) = Mapped(), ends()
        found = perceptual_path_length(system, Pixels(), count=COUNT)
        assert found == pytest.approx(trimmed(speed(system, system.map(second - first))), rel=2e-3)

    @pytest.mark.parametrize("system", [Linear(), Mapped()], ids=["z", "w of z"])
    def test_in_z_the_path_is_an_arc(self, system):
        """Its derivative at t = 0 is Ω (z' − cos Ω z) / sin Ω, with Ω the angle between z and z'."""
        first, second = ends()
        angle = torch.nn.functional.cosine_similarity(first, second).acos()[:, None]
        start = angle / angle.sin() * (second - angle.cos() * first)
        start = system.map(start) if hasattr(system, "map") else start
        found = perceptual_path_length(system, Pixels(), space="z", sampling="end", epsilon=1e-4, count=COUNT)
        assert found == pytest.approx(trimmed(speed(system, start)), rel=0.01)

    def test_along_an_arc_draws_keep_their_distance_from_0(self):
        from aae_lib.evaluation.paths import _arc

        first, second = (x / x.norm(dim=1, keepdim=True) for x in ends())
        for t in (0.0, 0.3, 1.0):
            norms = _arc(first, second, torch.full((COUNT, 1), t)).norm(dim=1)
            torch.testing.assert_close(norms, torch.ones(COUNT), atol=1e-3, rtol=0)

    def test_the_ends_are_drawn_by_the_seed(self):
        system = Linear()
        one, same, other = (perceptual_path_length(system, Pixels(), count=50, seed=seed) for seed in (1, 1, 2))
        assert one == same != other


class TestSystems:
    @pytest.mark.parametrize(
        "build",
        [
            lambda: AdversarialLatentAutoencoder(SHAPE, latent_dim=4, hidden=(16,)),
            lambda: StyleAdversarialLatentAutoencoder(SHAPE, latent_dim=4, channels=(4, 4)),
        ],
        ids=["alae", "style-alae"],
    )
    def test_both_spaces_of_a_system_with_a_map(self, build):
        system, network = build(), FeatureNetwork(SHAPE, classes=3, epochs=1)
        lengths = [
            perceptual_path_length(system, network, space=space, sampling=sampling, count=30)
            for space in ("w", "z")
            for sampling in ("full", "end")
        ]
        assert min(lengths) > 0 and len(set(lengths)) == 4

    @pytest.mark.parametrize(
        ("settings", "error", "sentence"),
        [
            (dict(space="W"), ValueError, "space is 'W', which is unknown"),
            (dict(space="z", system=BidirectionalGAN(SHAPE, prior=Gaussian(1))), ValueError, "no arc; use space="),
            (dict(sampling="ends"), ValueError, "sampling is 'ends', which is unknown; did you mean 'end'"),
            (dict(epsilon=0), ValueError, "epsilon must be above 0"),
            (dict(count=0), ValueError, "count must be at least 1"),
            (dict(seed=-1), ValueError, "seed must be a whole number"),
            (dict(network=None), TypeError, "network must be a FeatureNetwork, but it is a NoneType; train one"),
            (dict(system=None), TypeError, "system must be an aae_lib System"),
            (dict(system=Autoencoder(SHAPE, latent_dim=2, hidden=(4,))), TypeError, "has no prior to sample from"),
            (
                dict(system=SupervisedAdversarialAutoencoder(SHAPE, hidden=(4,))),
                TypeError,
                "decodes a code with a label",
            ),
        ],
    )
    def test_bad_input(self, settings, error, sentence):
        with pytest.raises(error, match=sentence):
            perceptual_path_length(**{"system": Linear(), "network": Pixels(), **settings})
