"""Content and style, labels in the prior, standardised pixels, moment matching: the mathematics of these systems."""

from __future__ import annotations

import copy
import itertools
import math
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from aae_lib import fit, load, restore, save
from aae_lib.data import Split
from aae_lib.priors import Gaussian, GaussianMixture, SwissRoll, Uniform
from aae_lib.storage import describe
from aae_lib.systems import (
    SGD,
    Adam,
    AdversarialAutoencoder,
    Autoencoder,
    Batch,
    ClusteringAdversarialAutoencoder,
    DimensionalityReductionAdversarialAutoencoder,
    GenerativeMomentMatchingNetwork,
    SemiSupervisedAdversarialAutoencoder,
    SupervisedAdversarialAutoencoder,
    semi_supervised,
)
from aae_lib.systems.base import HIDDEN
from aae_lib.systems.content import as_content
from aae_lib.systems.gmmn import squared_mmd

SHAPE = (1, 2, 2)
SIZES = {
    "hidden": (16,),
    "discriminator_hidden": (8,),
    "initial_std": None,
}  # the paper's 0.01 learns nothing this small
ENCODER, GAMES = {"encoder"}, {"discriminator", "content_discriminator"}
TWO_GAMES = {"reconstruction": {"encoder", "decoder"}, "discriminators": GAMES, "generators": ENCODER}


def with_near_heads(supervised: bool, **settings) -> DimensionalityReductionAdversarialAutoencoder:
    chosen = {"classes": 3, "supervised": supervised, **SIZES}
    system = DimensionalityReductionAdversarialAutoencoder(SHAPE, **{**chosen, **settings})
    system.cluster_heads.weight.data *= 0.1  # nearer than the threshold, so that the heads' phase has work to do
    return system


SYSTEMS = {
    "labelled prior": lambda: AdversarialAutoencoder(SHAPE, prior=GaussianMixture(3), labelled_prior=True, **SIZES),
    "supervised": lambda: SupervisedAdversarialAutoencoder(SHAPE, prior=Gaussian(2), classes=3, **SIZES),
    "semi-supervised": lambda: SemiSupervisedAdversarialAutoencoder(SHAPE, prior=Gaussian(2), classes=3, **SIZES),
    "clustering": lambda: ClusteringAdversarialAutoencoder(SHAPE, prior=Gaussian(2), clusters=3, **SIZES),
    "consistent clustering": lambda: ClusteringAdversarialAutoencoder(
        (1, 6, 6), prior=Gaussian(2), clusters=3, consistency=2.0, **SIZES
    ),
    "reduction": lambda: with_near_heads(supervised=True),
    "reduction without labels": lambda: with_near_heads(supervised=False),
    "reduction with fixed heads": lambda: DimensionalityReductionAdversarialAutoencoder(
        SHAPE, classes=3, latent_dim=3, fixed_heads=10.0, **SIZES
    ),
    "conditional supervised": lambda: conditional("supervised"),
    "conditional semi-supervised": lambda: conditional("semi-supervised"),
    "conditional clustering": lambda: conditional("clustering"),
    "conditional reduction": lambda: conditional("reduction"),
    "moment matching": lambda: GenerativeMomentMatchingNetwork(SHAPE, prior=Uniform(2), hidden=(16,)),
    "moment matching of codes": lambda: GenerativeMomentMatchingNetwork(
        SHAPE, prior=Uniform(2), hidden=(16,), autoencoder=Autoencoder(SHAPE, hidden=(8,))
    ),
}


def conditional(name: str, **settings):
    """A system with content and style of 2 dimensions whose discriminator of z sees y too."""
    chosen = {"style_game": "conditional", **settings}
    kinds = {
        "supervised": (SupervisedAdversarialAutoencoder, {"prior": Gaussian(2), "classes": 3}),
        "semi-supervised": (SemiSupervisedAdversarialAutoencoder, {"prior": Gaussian(2), "classes": 3}),
        "clustering": (ClusteringAdversarialAutoencoder, {"prior": Gaussian(2), "clusters": 3}),
    }
    if name.startswith("reduction"):
        return with_near_heads(supervised=name == "reduction", **chosen)
    kind, usual = kinds[name]
    return kind(SHAPE, **{**SIZES, **usual, **chosen})


GAME = {"reconstruction": {"encoder", "decoder"}, "discriminator": {"discriminator"}, "generator": ENCODER}
HEADS = {**TWO_GAMES, "reconstruction": {"encoder", "decoder", "cluster_heads"}, "heads": {"cluster_heads"}}
PHASES = {  # who may move, by phase
    "labelled prior": GAME,
    "supervised": GAME,
    "semi-supervised": {**TWO_GAMES, "classification": ENCODER},
    "clustering": TWO_GAMES,
    "consistent clustering": {**TWO_GAMES, "consistency": ENCODER},
    "reduction": {**HEADS, "classification": ENCODER},
    "reduction without labels": HEADS,
    "reduction with fixed heads": {**TWO_GAMES, "classification": ENCODER},
    "conditional supervised": GAME,
    "conditional semi-supervised": {**TWO_GAMES, "classification": ENCODER},
    "conditional clustering": TWO_GAMES,
    "conditional reduction": {**HEADS, "classification": ENCODER},
    "moment matching": {"moment matching": {"generator"}},
    "moment matching of codes": {"moment matching": {"generator"}},
}
each_system = pytest.mark.parametrize("name", SYSTEMS)
with_content = pytest.mark.parametrize("name", ["semi-supervised", "clustering", "reduction"])


def random_images(count: int, shape=SHAPE) -> torch.Tensor:
    return torch.rand(count, *shape, generator=torch.Generator().manual_seed(5))


def labelled_images(count: int = 9, classes: int = 3, shape=SHAPE) -> Split:
    return Split(random_images(count, shape), torch.arange(count) % classes)


def batch_of(split: Split, seed: int = 0) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    return Batch(split.images, split.labels, generator, Batch(split.images, split.labels, generator))


def train(system, data=None, **settings):
    chosen = {"epochs": 1, "batch_size": 9, "device": "cpu", "progress": False}
    return fit(system, labelled_images() if data is None else data, **{**chosen, **settings})


def make_constant(network: nn.Module, value: float | list[float]) -> None:
    """Let the network's last layer answer ``value`` to everything."""
    last = network.body[-1]
    last.weight.data.zero_()
    last.bias.data[:] = torch.tensor(value)


class TestPhases:
    @each_system
    def test_only_the_networks_of_a_phase_move_in_it(self, name):
        assert [phase.name for phase in SYSTEMS[name]().phases()] == list(PHASES[name])
        for current, expected in PHASES[name].items():
            system = SYSTEMS[name]()
            before = {key: value.clone() for key, value in system.named_parameters()}
            rates = {p.name: SGD(0.1 if p.name == current else 0.0) for p in system.phases()}
            train(system, labelled_images(shape=system.image_shape), optimizers=rates)
            changed = [key for key, value in system.named_parameters() if not torch.equal(value, before[key])]
            assert {key.split(".")[0] for key in changed} == expected, current

    @each_system
    def test_a_small_step_of_a_phase_lowers_its_loss(self, name):
        split = labelled_images(30, shape=SYSTEMS[name]().image_shape)
        for phase in SYSTEMS[name]().phases():
            system = SYSTEMS[name]()
            loss = next(p for p in system.phases() if p.name == phase.name).loss
            before = float(loss(batch_of(split)).detach().sum())
            rates = {p.name: SGD(0.01 if p.name == phase.name else 0.0) for p in system.phases()}
            train(system, split, batch_size=30, epochs=3, optimizers=rates)
            system.train()
            assert float(loss(batch_of(split)).detach().sum()) < before, phase.name


class TestLabelledPrior:
    """Sec. 2.3."""

    def shown(self, labels: list[int]) -> torch.Tensor:
        """What the discriminator is shown of codes (5, 5) with these labels."""
        system = AdversarialAutoencoder(SHAPE, prior=GaussianMixture(3), labelled_prior=True, **SIZES)
        return system._seen(torch.full((len(labels), 2), 5.0), Batch(None, torch.tensor(labels), torch.Generator()))

    def test_the_discriminator_sees_one_class_more_than_there_are(self):
        assert self.shown([0, 2, HIDDEN]).tolist() == [[5, 5, 1, 0, 0, 0], [5, 5, 0, 0, 1, 0], [5, 5, 0, 0, 0, 1]]

    def test_prior_samples_come_from_the_label_s_region_and_from_everywhere_where_it_is_hidden(self):
        system = AdversarialAutoencoder(SHAPE, prior=SwissRoll(), labelled_prior=True, **SIZES)
        labels = torch.tensor([7, HIDDEN]).repeat(500)
        regions = system._regions(Batch(None, labels, torch.Generator().manual_seed(0)))
        assert regions[labels == 7].unique().tolist() == [7]
        assert regions[labels == HIDDEN].unique().tolist() == list(range(10))

    def test_labels_put_digits_into_their_own_petals(self):
        data = load("digits")
        shares = []
        for labels in (True, False):
            system = AdversarialAutoencoder(data.image_shape, prior=GaussianMixture(), labelled_prior=labels, **BIG)
            game = Adam(2e-3, beta1=0.5)
            steps = {"reconstruction": Adam(1e-3), "discriminator": game, "generator": game}
            chosen = {"labelled": data.train.balanced_subset(500)} if labels else {}
            train(system, data.train, epochs=30, batch_size=50, optimizers=steps, **chosen)
            z = system.encode(data.test.images)
            angle = torch.atan2(z[:, 1], z[:, 0])
            petal = (angle / (2 * math.pi / 10)).round().long() % 10
            shares.append(float((petal == data.test.labels).float().mean()))
        assert shares[0] > 0.6 and shares[1] < 0.35


BIG = {"hidden": (64,), "discriminator_hidden": (64,)}


class TestContentAndStyle:
    def test_contents(self):
        assert as_content(torch.tensor([2, 0]), 3, 2).tolist() == [[0, 0, 1], [1, 0, 0]]
        shares = torch.tensor([[0.5, 0.5, 0.0]])
        assert torch.equal(as_content(shares, 3, 1), shares)

    @with_content
    def test_games_at_equilibrium(self, name):
        system, batch = SYSTEMS[name](), batch_of(labelled_images())
        make_constant(system.discriminator, 0.0)
        make_constant(system.content_discriminator, 0.0)
        assert system.discriminators_loss(batch).tolist() == pytest.approx([2 * math.log(2)] * 2)
        assert system.generators_loss(batch).tolist() == pytest.approx([math.log(2)] * 2)
        history = train(system)
        assert {"discriminator of z", "discriminator of y", "generator of z"} <= set(history.losses)

    def test_the_discriminator_of_y_compares_with_one_hot_draws_of_equally_likely_classes(self):
        system, seen = SYSTEMS["semi-supervised"](), []

        class Watching(nn.Module):
            def forward(self, y, generator):
                seen.append(y)
                return y[:, 0]

        system.content_discriminator = Watching()
        system.discriminators_loss(batch_of(Split(random_images(3000), torch.zeros(3000, dtype=torch.long))))
        real, fake = seen
        assert real.sum(dim=1).unique().tolist() == [1] and real.unique().tolist() == [0, 1]
        assert real.mean(dim=0).tolist() == pytest.approx([1 / 3] * 3, abs=0.05)
        torch.testing.assert_close(fake.sum(dim=1), torch.ones(3000))

    def test_classification_is_the_cross_entropy_of_labelled_images(self):
        system = SYSTEMS["semi-supervised"]()
        make_constant(system.encoder, [1.0, 0.0, 0.0, 7.0, 7.0])  # three logits, then z
        split = Split(random_images(2), torch.tensor([0, 2]))
        total = math.log(math.e + 2)
        assert system.classification_loss(batch_of(split)).item() == pytest.approx((total - 1 + total) / 2)
        assert system.logits(split.images).tolist() == [[1, 0, 0], [1, 0, 0]]
        assert system.probabilities(split.images)[0].tolist() == pytest.approx(
            [math.e / (math.e + 2)] + [1 / (math.e + 2)] * 2
        )
        assert system.encode(split.images).tolist() == [[7, 7], [7, 7]]
        assert system.classify(split.images).tolist() == [0, 0]

    @pytest.mark.parametrize("name", ["supervised", "semi-supervised", "clustering"])
    def test_the_decoder_is_given_content_first_then_style(self, name):
        system = SYSTEMS[name]()
        z = torch.randn(4, 2, generator=torch.Generator().manual_seed(0))
        labels = torch.tensor([0, 1, 2, 0])
        with torch.no_grad():
            expected = system.eval().decoder(torch.cat([F.one_hot(labels, 3), z], dim=1))
        torch.testing.assert_close(system.decode(z, labels), expected)
        torch.testing.assert_close(system.decode(z, F.one_hot(labels, 3).float()), expected)

    @pytest.mark.parametrize("name", ["supervised", "semi-supervised", "clustering", "reduction"])
    def test_samples_have_the_contents_that_are_asked_for(self, name):
        system = SYSTEMS[name]()
        labels = torch.tensor([1, 1, 2])
        z = system.prior.sample(3, torch.Generator().manual_seed(4))
        wanted = z + system.head_positions[labels] if name == "reduction" else None
        expected = system.decode(wanted) if name == "reduction" else system.decode(z, labels)
        torch.testing.assert_close(system.sample(3, labels, seed=4), expected)
        assert system.sample(5, seed=1).shape == (5, *SHAPE)

    def test_a_supervised_reconstruction_uses_the_given_label(self):
        system, images = SYSTEMS["supervised"](), random_images(3)
        labels = torch.tensor([2, 2, 2])
        assert torch.equal(system.reconstruct(images, labels), system.decode(system.encode(images), labels))


class Watching(nn.Module):
    """In a discriminator's place: keeps what it is shown."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, x, generator):
        self.seen.append(x.detach())
        return x[:, 0]


class TestConditionalGame:
    """The discriminator of z sees y beside it, as in Sec. 2.3."""

    def shown(self, system, labels: list[int], progress: float = 0.0) -> list[torch.Tensor]:
        """What the discriminator of z is shown in both of its phases: draws, styles, styles again."""
        guess = [] if isinstance(system, SupervisedAdversarialAutoencoder) else [0.0, 0.0, 1.0]  # the last of three
        make_constant(system.encoder, [*guess, 7.0, 7.0])
        system.discriminator = Watching()
        split = Split(random_images(len(labels)), torch.tensor(labels))
        batch = replace(batch_of(split), progress=progress)
        _, second, third = (phase.loss for phase in system.eval().phases()[:3])
        second(batch), third(batch)
        return system.discriminator.seen

    @pytest.mark.parametrize(
        ("name", "contents"),
        [
            ("semi-supervised", [0, 2, 1]),
            ("reduction", [0, 2, 1]),
            ("clustering", [2, 2, 2]),
            ("reduction without labels", [2, 2, 2]),
        ],
    )
    def test_it_sees_labels_where_systems_learn_from_them_and_guesses_elsewhere(self, name, contents):
        real, fake, fooling = self.shown(conditional(name), [0, HIDDEN, 1])
        expected = F.one_hot(torch.tensor(contents), 3).tolist()
        assert real[:, 2:].tolist() == fake[:, 2:].tolist() == fooling[:, 2:].tolist() == expected
        assert fake[:, :2].tolist() == fooling[:, :2].tolist() == [[7, 7]] * 3
        assert not (real[:, :2] == 7).any()

    def test_without_a_classifier_it_sees_labels_and_zeros_where_they_are_hidden(self):
        for seen in self.shown(conditional("supervised"), [0, HIDDEN, 2]):
            assert seen[:, 2:].tolist() == [[1, 0, 0], [0, 0, 0], [0, 0, 1]]

    @pytest.mark.parametrize("name", ["supervised", "semi-supervised", "clustering", "reduction"])
    def test_every_y_is_zeros_before_its_time(self, name):
        for progress, ones in ((0.0, 0), (0.39, 0), (0.4, 3), (0.9, 3)):
            system = conditional(name, conditional_from=0.4)
            for seen in self.shown(system, [0, 1, 2], progress):
                assert seen.shape == (3, 5) and float(seen[:, 2:].sum()) == ones

    @pytest.mark.parametrize("name", ["supervised", "semi-supervised", "clustering", "reduction"])
    def test_the_paper_s_game_sees_z_alone(self, name):
        assert [tuple(seen.shape) for seen in self.shown(SYSTEMS[name](), [0, 1, 2])] == [(3, 2)] * 3

    @pytest.mark.parametrize("name", ["semi-supervised", "clustering", "reduction"])
    def test_no_gradient_of_the_game_on_z_goes_through_y(self, name):
        system, logits = conditional(name), []
        heads = system.heads

        def keeping(images, generator):
            y, z = heads(images, generator)
            y.retain_grad(), z.retain_grad()
            logits.extend([y, z])
            return y, z

        system.heads = keeping
        system.generators_loss(batch_of(labelled_images()))[0].backward()
        y, z = logits
        assert z.grad.abs().max() > 0 and (y.grad is None or not y.grad.any())

    def test_it_tells_styles_that_are_right_as_a_whole_but_not_for_every_label(self):
        """Uniform pixels as quantiles make Gaussian styles: q(z) = p(z); bright ones have the label 1."""

        class Quantile(nn.Module):
            def forward(self, images, generator):
                return torch.special.ndtri(images.flatten(1))

        losses = {}
        for game in ("marginal", "conditional"):
            system = SupervisedAdversarialAutoencoder((1, 1, 1), prior=Gaussian(1), classes=2, style_game=game, **BIG)
            system.encoder = Quantile()
            pixels = random_images(2000, (1, 1, 1)).clamp(1e-4, 1 - 1e-4)
            batch = batch_of(Split(pixels, (pixels.flatten() > 0.5).long()))
            optimizer = torch.optim.Adam(system.discriminator.parameters(), lr=1e-2)
            for _ in range(200):
                optimizer.zero_grad()
                loss = system.discriminator_loss(batch)
                loss.backward()
                optimizer.step()
            losses[game] = float(loss.detach())
        assert losses["marginal"] == pytest.approx(2 * math.log(2), abs=0.03)
        best = math.log(1.5) + 0.5 * math.log(3)  # D* is 1/3 where styles are, twice as dense as draws, and 1 elsewhere
        assert losses["conditional"] == pytest.approx(best, abs=0.06)

    def test_in_a_training_it_begins_when_it_is_told(self):
        system, columns = conditional("semi-supervised", conditional_from=0.5), []

        def look(moment):
            columns.append(moment.system.discriminator.body[1].weight[:, 2:].detach().clone())

        train(system, labelled_images(18), epochs=5, callbacks=[look])  # 10 updates; the sixth is the first of the half
        moved = [not torch.equal(before, after) for before, after in itertools.pairwise(columns)]
        assert moved == [False] * 5 + [True] * 5

    @pytest.mark.parametrize("name", ["supervised", "semi-supervised", "clustering", "reduction"])
    def test_its_settings_come_back_from_a_file_and_older_files_have_the_paper_s(self, name, tmp_path):
        system = conditional(name, conditional_from=0.25)
        save(system, tmp_path / "system.safetensors")
        restored = restore(tmp_path / "system.safetensors")
        assert restored.style_game == system.style_game and describe(restored) == describe(system)
        for one in (system, restored):
            train(one, epochs=4)
        torch.testing.assert_close(one.state_dict(), system.state_dict(), rtol=0, atol=0)
        assert {"style_game", "conditional_from"} <= set(describe(system))
        assert not {"style_game", "conditional_from"} & set(describe(SYSTEMS[name]()))  # as files had it before

    def test_a_stopped_training_goes_on_as_if_it_had_not(self, tmp_path):
        whole, parts = (conditional("semi-supervised", conditional_from=0.5) for _ in range(2))
        train(whole, epochs=10)
        for stop_at in (3, 6):  # before the game changes, and after it
            stop = [lambda moment, last=stop_at: moment.stop() if moment.update == last else None]
            assert train(parts, epochs=10, checkpoint=tmp_path / "run", callbacks=stop).interrupted
            parts = conditional("semi-supervised", conditional_from=0.5)
        assert train(parts, epochs=10, checkpoint=tmp_path / "run").update == 10
        torch.testing.assert_close(parts.state_dict(), whole.state_dict(), rtol=0, atol=0)


class TestConsistency:
    """A phase that clustering may have beside the paper's."""

    def test_it_is_the_divergence_from_the_answers_at_distorted_images(self, monkeypatch):
        system = SYSTEMS["consistent clustering"]()
        batch, moved = batch_of(labelled_images(shape=(1, 6, 6))), random_images(9, (1, 6, 6)).flip(0)
        monkeypatch.setattr(semi_supervised, "distorted", lambda images, generator: moved)
        p = system.probabilities(batch.images)  # as in use: without dropout
        q = copy.deepcopy(system).train().heads(moved)[0].softmax(dim=1)  # a copy: batch norm remembers what it sees
        expected = 2.0 * (p * (p / q).log()).sum(dim=1).mean()
        assert expected > 1e-4
        assert system.consistency_loss(batch).item() == pytest.approx(expected.item(), rel=1e-3)
        assert system.training

    def test_distorted_images_differ_from_each_other_and_stay_near(self):
        square = torch.zeros(50, 1, 28, 28)
        square[:, :, 8:20, 8:20] = 1
        moved = semi_supervised.distorted(square, torch.Generator().manual_seed(0))
        assert moved.shape == square.shape and 0 <= float(moved.min()) and float(moved.max()) <= 1.0001
        assert len(moved.flatten(1).unique(dim=0)) == 50
        overlap = (moved * square).sum(dim=(1, 2, 3)) / 144
        assert 0.6 < float(overlap.min()) and float(overlap.mean()) < 0.95
        columns = (moved.sum(dim=2)[:, 0] * torch.arange(28.0)).sum(dim=1) / moved.sum(dim=(1, 2, 3))
        assert abs(float(columns.mean()) - 13.5) < 0.5 < float(columns.std())  # to no side in particular

    def test_distortions_are_the_same_in_bfloat16(self):
        images = random_images(4, (1, 28, 28))
        with torch.autocast("cpu", dtype=torch.bfloat16):
            moved = semi_supervised.distorted(images.bfloat16(), torch.Generator().manual_seed(1))
        expected = semi_supervised.distorted(images.bfloat16().float(), torch.Generator().manual_seed(1))
        torch.testing.assert_close(moved, expected)

    def test_without_a_weight_there_is_no_such_phase(self):
        assert "consistency" not in [phase.name for phase in SYSTEMS["clustering"]().phases()]


class TestHeads:
    """Sec. 7."""

    def test_a_representation_is_its_heads_mixture_plus_its_style(self):
        system, images = SYSTEMS["reduction"](), random_images(4)
        with torch.no_grad():
            logits, z = system.eval().heads(images)
        torch.testing.assert_close(system.encode(images), logits.softmax(dim=1) @ system.head_positions + z)
        torch.testing.assert_close(system.reconstruct(images), system.decode(system.encode(images)))

    def test_the_cost_is_what_pairs_lack_of_the_threshold(self):
        system = SYSTEMS["reduction"]()
        system.head_distance = 4.0
        system.cluster_heads.weight.data = torch.tensor([[0.0, 0.0], [3.0, 0.0], [0.0, 4.0]])  # distances 3, 4, 5
        assert system.head_loss(None).item() == pytest.approx(1.0)
        system.head_distance = 6.0
        assert system.head_loss(None).item() == pytest.approx(3 + 2 + 1)

    def test_training_drives_heads_apart_to_the_threshold(self):
        system = DimensionalityReductionAdversarialAutoencoder(SHAPE, classes=3, head_distance=6.0, **SIZES)
        still = {phase.name: SGD(0.0) for phase in system.phases()} | {"heads": SGD(0.05)}
        train(system, epochs=300, optimizers=still)
        assert system.cluster_heads.distances().min().item() > 5.8

    def test_fixed_heads_stay_where_they_are(self):
        system = SYSTEMS["reduction with fixed heads"]()
        train(system, epochs=5)
        assert torch.equal(system.head_positions, 10 * torch.eye(3))

    def test_the_circle_is_a_linear_map_of_the_heads_to_evenly_spaced_points(self):
        system = SYSTEMS["reduction with fixed heads"]()
        points = system.head_positions @ system.circle()
        assert points.norm(dim=1).tolist() == pytest.approx([10] * 3, rel=1e-4)
        assert torch.pdist(points).tolist() == pytest.approx([10 * math.sqrt(3)] * 3, rel=1e-4)


class TestStandardised:
    def test_the_networks_see_every_pixel_with_mean_0_and_deviation_1(self):
        system, images = (
            AdversarialAutoencoder(SHAPE, prior=Gaussian(2), output="standardised", **SIZES),
            random_images(50),
        )
        train(system, images, batch_size=50)
        seen = system.pixels(images)
        assert seen.mean(dim=0).abs().max() < 1e-5
        assert seen.std(dim=0, unbiased=False).flatten().tolist() == pytest.approx([1] * 4, rel=1e-4)
        torch.testing.assert_close(system.pictures(seen), images)

    def test_reconstruction_is_measured_in_standardised_units(self):
        system, images = (
            AdversarialAutoencoder(SHAPE, prior=Gaussian(2), output="standardised", **SIZES),
            random_images(50),
        )
        assert train(system, images).mean_image_loss == pytest.approx(0.5 * 4, rel=1e-4), (
            "half of each pixel's variance, 1"
        )

    def test_a_constant_pixel_is_no_division_by_zero(self):
        images = random_images(20)
        images[:, :, 0, 0] = 0.25
        system = AdversarialAutoencoder(SHAPE, prior=Gaussian(2), output="standardised", **SIZES)
        train(system, images, batch_size=20)
        assert torch.isfinite(system.encode(images)).all()

    def test_a_second_training_keeps_the_first_one_s_pixels(self):
        system = AdversarialAutoencoder(SHAPE, prior=Gaussian(2), output="standardised", **SIZES)
        train(system, random_images(20))
        mean = system.pixel_mean.clone()
        train(system, 0.5 * random_images(20))
        assert torch.equal(mean, system.pixel_mean)


class TestMomentMatching:
    def test_by_hand_for_two_points(self):
        x, y = torch.tensor([[0.0]]), torch.tensor([[3.0]])
        for widths in ((2.0,), (1.0, 2.0)):
            between = sum(math.exp(-9 / (2 * width**2)) for width in widths)
            assert squared_mmd(x, y, widths).item() == pytest.approx(2 * len(widths) - 2 * between, rel=1e-5)

    def test_it_is_0_for_the_same_points_and_grows_with_the_shift(self):
        x = torch.randn(50, 3, generator=torch.Generator().manual_seed(0))
        assert squared_mmd(x, x, (1, 2)).item() == pytest.approx(0, abs=1e-5)
        near, far = (squared_mmd(x, x + shift, (1, 2)).item() for shift in (0.5, 2.0))
        assert 0 < near < far

    def test_the_loss_is_the_root_of_the_distance_of_samples_and_images(self):
        system, split = SYSTEMS["moment matching"](), labelled_images(20)
        batch = batch_of(split, seed=3)
        with torch.no_grad():
            fake = system.generator(system.prior.sample(20, torch.Generator().manual_seed(3)))
            expected = squared_mmd(fake.flatten(1), split.images.flatten(1), system.bandwidths).sqrt()
        assert system.moment_matching_loss(batch).item() == pytest.approx(float(expected))

    def test_codes_are_matched_where_there_is_an_autoencoder_and_decoded_by_it(self):
        system = SYSTEMS["moment matching of codes"]()
        z = system.prior.sample(4, torch.Generator().manual_seed(1))
        with torch.no_grad():
            torch.testing.assert_close(system.sample(4, seed=1), system.autoencoder.decode(system.generator(z)))
        batch = batch_of(labelled_images(20), seed=3)
        with torch.no_grad():
            fake = system.generator(system.prior.sample(20, torch.Generator().manual_seed(3)))
            expected = squared_mmd(fake, system.autoencoder.encode(batch.images), system.bandwidths).sqrt()
        assert system.moment_matching_loss(batch).item() == pytest.approx(float(expected), rel=1e-4)


def test_fifty_labels_and_the_unlabelled_images_beat_the_labels_alone():
    """On average over two seeds: a single one may end either way."""
    data = load("digits")

    def error(seed, still):
        system = SemiSupervisedAdversarialAutoencoder(
            data.image_shape, prior=Gaussian(4), input_noise=0.1, initial_std=None, seed=seed, **BIG
        )
        labelled = data.train.balanced_subset(50, seed=seed)
        steps = {name: SGD(0.0) for name in still}
        train(system, data.train, labelled=labelled, epochs=40, batch_size=50, seed=seed, optimizers=steps)
        return float((system.classify(data.test.images) != data.test.labels).float().mean())

    others = ("reconstruction", "discriminators", "generators")
    both, alone = (sum(error(seed, still) for seed in (0, 1)) / 2 for still in ((), others))
    assert both < alone < 0.2
