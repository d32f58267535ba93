"""Table 2's other rows: the mathematics of M2's bound and of VAT's step, which are those of notebook 08."""

from __future__ import annotations

import json
import math
import re
from functools import partial
from types import SimpleNamespace

import pytest
import torch
from sklearn.svm import SVC
from torch.nn import functional as F

from aae_lib import fit, load, restore, save
from aae_lib.data import Split
from aae_lib.experiments import EXPERIMENTS, PROFILES, measures, repeat, run, running, store, verify
from aae_lib.priors import Gaussian
from aae_lib.systems import (
    SGD,
    Batch,
    Classifier,
    SemiSupervisedAdversarialAutoencoder,
    SemiSupervisedVariationalAutoencoder,
    VariationalAutoencoder,
    VirtualAdversarialClassifier,
)
from aae_lib.systems.classifier import of_length
from aae_lib.systems.semi_supervised_vae import unlabelled_cost
from tools import notebooks

SHAPE = (1, 2, 2)
ROWS = [name for name in EXPERIMENTS if name.startswith("baseline-")]
SMALL = {
    "network": partial(Classifier, SHAPE, classes=3, hidden=(16,), initial_std=None),
    "vat": partial(VirtualAdversarialClassifier, SHAPE, classes=3, hidden=(16,)),
    "m2": partial(SemiSupervisedVariationalAutoencoder, SHAPE, classes=3, style_dim=2, hidden=(16,)),
}
MOVES = {
    "network": {"classification": {"encoder"}},
    "vat": {"classification": {"encoder"}, "smoothness": {"encoder"}},
    "m2": {"bound": {"classifier", "encoder", "decoder"}},
}
each = pytest.mark.parametrize("name", SMALL)


def images(count: int = 9, shape=SHAPE) -> torch.Tensor:
    return torch.rand(count, *shape, generator=torch.Generator().manual_seed(5))


def batch_of(x: torch.Tensor, seed: int = 0) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(len(x)) % 3
    return Batch(x, torch.full_like(labels, -1), generator, Batch(x, labels, generator))


def train(system, **settings):
    chosen = {"epochs": 1, "batch_size": 9, "device": "cpu", "precision": "float32", "progress": False}
    return fit(system, Split(images(), torch.arange(9) % 3), **{**chosen, **settings})


def make_constant(layer: torch.nn.Linear, value: float | list[float]) -> None:
    """Let a last layer answer ``value`` to everything."""
    layer.weight.data.zero_()
    layer.bias.data[:] = torch.tensor(value)


class TestPhases:
    @each
    def test_only_the_networks_of_a_phase_move_in_it(self, name):
        assert [phase.name for phase in SMALL[name]().phases()] == list(MOVES[name])
        for current, expected in MOVES[name].items():
            system = SMALL[name]()
            before = {key: value.clone() for key, value in system.named_parameters()}
            train(system, optimizers={p.name: SGD(0.1 if p.name == current else 0.0) for p in system.phases()})
            changed = [key for key, value in system.named_parameters() if not torch.equal(value, before[key])]
            assert {key.split(".")[0] for key in changed} == expected

    @each
    def test_a_trained_system_comes_back_from_its_file(self, name, tmp_path):
        system, x = SMALL[name](), images()
        train(system, epochs=3)
        save(system, tmp_path / "system.safetensors")
        restored = restore(tmp_path / "system.safetensors")
        assert torch.equal(system.encode(x), restored.encode(x)) and system.classify(x).shape == (9,)
        assert torch.equal(system.classify(x), restored.classify(x))

    def test_the_network_alone_is_trained_as_the_classifying_half_of_its_rival(self):
        (alone,) = Classifier(SHAPE).phases()
        *_, rival = SemiSupervisedAdversarialAutoencoder(SHAPE).phases()
        assert alone.name == rival.name
        for profile in PROFILES:
            ours, theirs = (
                EXPERIMENTS[f"{row}-100"].settings(profile) for row in ("baseline-network", "semi-supervised")
            )
            ours, theirs = (settings.optimizers["classification"] for settings in (ours, theirs))
            assert (ours.learning_rate, ours.momentum) == (theirs.learning_rate, theirs.momentum)


class TestM2:
    def test_the_bound_of_constant_networks(self):
        """Grey pixels, q(z | x, y) of mean 2 and variance 1, and q(y | x) of 1/2, 1/4, 1/4: all by hand."""
        system, count = SMALL["m2"](), 9
        make_constant(system.classifier.body[-1], [math.log(2.0), 0.0, 0.0])
        make_constant(system.encoder[-1], [2.0, 2.0, 0.0, 0.0])  # means, then log variances
        make_constant(system.decoder.body[-1], 0.0)
        known = 4 * math.log(2) + 2 * 2.0  # four pixels; KL of two dimensions, each ½ 2²
        entropy = 1.5 * math.log(2)
        names = (math.log(2) + 2 * math.log(4)) / 3
        terms = system.bound(batch_of(images(count)))
        assert terms.tolist() == pytest.approx([known - entropy, known, names], rel=1e-5)
        (phase,) = system.phases()
        assert float(phase.total(terms.detach())) == pytest.approx(2 * known - entropy + 10 * names, rel=1e-5)

    def test_each_class_costs_what_it_would_if_it_were_known(self):
        system, x = SMALL["m2"](input_noise=0.0), images(2)
        make_constant(system.encoder[-1], [1.0, -1.0, -40.0, -40.0])  # a style without noise
        mean = torch.tensor([[1.0, -1.0]])
        q = system.classifier(x).softmax(dim=1)
        expected = torch.zeros(2)
        for k in range(3):
            y = F.one_hot(torch.tensor([k]), 3).float()
            pixels = system.decoder(torch.cat([y, mean], dim=1))  # (1, 1, 2, 2)
            density = x * pixels.log() + (1 - x) * (1 - pixels).log()
            divergence = 0.5 * (2 * math.exp(-40) + 2 - 2 + 80)
            expected += q[:, k] * (divergence - density.flatten(1).sum(dim=1) + q[:, k].log())
        torch.testing.assert_close(system.bound(batch_of(x))[0], expected.mean())

    def test_the_unlabelled_cost_is_smallest_at_the_posterior_and_is_there_the_sum_over_classes(self):
        draws = torch.Generator().manual_seed(0)
        costs = 3 * torch.randn(50, 4, generator=draws)  # (B, K)
        best = (-costs).log_softmax(dim=1)
        others = torch.randn(50, 4, generator=draws).log_softmax(dim=1)
        torch.testing.assert_close(unlabelled_cost(best, costs), -(-costs).logsumexp(dim=1))
        assert (unlabelled_cost(others, costs) > unlabelled_cost(best, costs)).all()
        sure = torch.tensor([[0.0, -200.0, -200.0, -200.0]])  # one class is certain: its own cost
        torch.testing.assert_close(unlabelled_cost(sure, costs[:1]), costs[0, :1])

    def test_the_classifier_alone_sees_noise(self):
        loud = SMALL["m2"](input_noise=100.0)
        make_constant(loud.classifier.body[-1], 0.0)
        quiet = SMALL["m2"](input_noise=0.0)
        quiet.load_state_dict(loud.state_dict())
        noise = [
            system.negative_elbo(images(), torch.eye(3).repeat(3, 1), torch.Generator().manual_seed(0))
            for system in (loud, quiet)
        ]
        assert torch.equal(*noise)

    def test_styles_go_with_any_content(self):
        system, x = SMALL["m2"](), images(4)
        z = system.encode(x)
        assert z.shape == (4, 2) and torch.equal(z, system.encode(x)) and system.latent_dim == 2
        assert torch.equal(system.encode(x, seed=1), system.encode(x, seed=1))
        assert not torch.equal(system.encode(x, seed=1), z)
        assert torch.equal(system.reconstruct(x), system.decode(z, system.classify(x)))
        assert not torch.equal(system.decode(z, torch.zeros(4).long()), system.decode(z, torch.ones(4).long()))
        assert torch.equal(system.sample(5, seed=2), system.sample(5, seed=2)) and system.sample(5).shape == (5, *SHAPE)


class TestVirtualAdversarialTraining:
    def linear(self, reach: float) -> VirtualAdversarialClassifier:
        """Two classes, logits 0 and w·x + b: the answer changes along w alone, and all can be said by hand."""
        system = VirtualAdversarialClassifier(SHAPE, classes=2, hidden=(1,), batch_norm=False, reach=reach)
        system.encoder.body = torch.nn.Linear(4, 2)
        system.encoder.body.weight.data = torch.tensor([[0.0] * 4, [1.0, -2.0, 0.0, 2.0]])  # |w| = 3
        system.encoder.body.bias.data = torch.tensor([0.0, 0.5])
        return system

    def test_the_step_has_its_length_and_goes_where_the_answer_changes(self):
        system, x, seen = self.linear(reach=0.7), images(5), []
        network = system.encoder.forward
        system.encoder.forward = lambda pixels, generator=None: (
            seen.append(pixels.detach()) or network(pixels, generator)
        )
        loss = system.smoothness_loss(batch_of(x))
        step = (seen[-1] - x).flatten(1)  # (B, 4), of the last look
        torch.testing.assert_close(step.norm(dim=1), torch.full((5,), 0.7))
        along = step @ torch.tensor([1.0, -2.0, 0.0, 2.0]) / 3
        torch.testing.assert_close(along.abs(), torch.full((5,), 0.7))
        here = (x.flatten(1) @ torch.tensor([1.0, -2.0, 0.0, 2.0]) + 0.5).sigmoid()
        there = (here.logit() + 3 * along).sigmoid()
        by_hand = here * (here / there).log() + (1 - here) * ((1 - here) / (1 - there)).log()
        torch.testing.assert_close(loss, by_hand.mean())

    def test_a_small_step_costs_half_its_square_times_the_fisher_information(self):
        system, x = self.linear(reach=0.01), images(5)
        q = (x.flatten(1) @ torch.tensor([1.0, -2.0, 0.0, 2.0]) + 0.5).sigmoid()
        expected = 0.5 * (0.01 * 3) ** 2 * (q * (1 - q)).mean()
        assert float(system.smoothness_loss(batch_of(x)).detach()) == pytest.approx(float(expected), rel=0.02)

    def test_the_answer_at_the_image_is_the_aim_and_gets_no_gradient(self):
        """Of the KL to a fixed aim the slope in the logits is q there minus the aim."""
        system, x, seen = self.linear(reach=0.7), images(5), []
        network = system.encoder.forward
        system.encoder.forward = lambda pixels, generator=None: (
            seen.append(pixels.detach()) or network(pixels, generator)
        )
        system.smoothness_loss(batch_of(x)).backward()
        aim, there = (network(pixels).softmax(dim=1) for pixels in (x, seen[-1]))
        torch.testing.assert_close(system.encoder.body.bias.grad, (there - aim).mean(dim=0))

    def test_lengths(self):
        directions = torch.tensor([[3.0, 4.0], [0.0, 0.0]]).reshape(2, 1, 1, 2)
        torch.testing.assert_close(of_length(10.0, directions).flatten(1), torch.tensor([[6.0, 8.0], [0.0, 0.0]]))

    @pytest.mark.parametrize("reach", [0.0, -1.0])
    def test_a_reach_that_reaches_nothing_is_refused(self, reach):
        with pytest.raises(ValueError, match="reach must be"):
            SMALL["vat"](reach=reach)


def written_out() -> dict:
    """The classes that notebook 08 writes out, by name."""
    cells = notebooks.from_source(notebooks.SOURCES / "08_semi_supervised.py").cells
    code = [cell.source for cell in cells if cell.cell_type == "code"]
    names: dict = {"settings": SimpleNamespace(m2=10)}
    exec(code[0], names)
    for words in ("class Classifier(", "class M2Networks(", "class M2(", "class VirtualAdversarialClassifier("):
        (cell,) = [source for source in code if words in source]
        exec(re.split(r"\n(?:m2|vat) = ", cell)[0], names)  # without the training below the class
    return names


def test_they_are_the_systems_that_notebook_08_writes_out():
    names, data = written_out(), load("digits")
    common = {"hidden": (32, 32), "seed": 3}
    pairs = {
        "network": (names["Classifier"], partial(Classifier, initial_std=None)),
        "vat": (
            partial(names["VirtualAdversarialClassifier"], input_noise=0.0, batch_norm=True),
            VirtualAdversarialClassifier,
        ),
        "m2": (names["M2"], SemiSupervisedVariationalAutoencoder),
    }
    some = data.train.take(torch.arange(300))
    settings = {"labelled": some.balanced_subset(50), "epochs": 3, "batch_size": 50, "seed": 3, "progress": False}
    for name, (notebook, library) in pairs.items():
        theirs, ours = notebook(data.image_shape, **common), library(data.image_shape, **common)
        steps = {phase.name: phase.optimizer for phase in theirs.phases()}
        histories = [
            fit(system, some, optimizers=steps, device="cpu", precision="float32", **settings)
            for system in (theirs, ours)
        ]
        first, second = (history.losses for history in histories)
        if name == "m2":
            total = second["unlabelled bound"] + second["labelled bound"] + 10 * second["classification"]
            torch.testing.assert_close(torch.as_tensor(total), torch.as_tensor(first["bound"]), rtol=1e-3, atol=1e-2)
        else:
            assert all((first[phase] == second[phase]).all() for phase in first), name
        assert (theirs.classify(data.test.images) == ours.classify(data.test.images)).float().mean() > 0.99


@pytest.mark.parametrize("profile", PROFILES)
def test_baselines_and_their_rival_have_the_same_data_widths_and_updates(profile):
    for name in ROWS:
        ours = EXPERIMENTS[name].settings(profile)
        theirs = EXPERIMENTS[f"semi-supervised-{name.rpartition('-')[2]}"].settings(profile)
        assert (ours.dataset, ours.batch_size, ours.labelled) == (theirs.dataset, theirs.batch_size, theirs.labelled)
        assert ours.system["hidden"] == tuple(theirs.system.get("hidden", (1000, 1000)))
        assert profile == "long" or ours.epochs == theirs.epochs
        assert ours.epochs == EXPERIMENTS["baseline-network-100"].settings(profile).epochs
    assert len(ROWS) == 10 and all(0 < EXPERIMENTS[name].numbers["error"] < 0.3 for name in ROWS)


class TestSupportVectors:
    def test_the_machine_sees_the_labelled_images_of_the_runs_seed_and_no_others(self, monkeypatch):
        experiment, data = EXPERIMENTS["baseline-m1-svm-100"], load("digits")
        system = VariationalAutoencoder(data.image_shape, prior=Gaussian(16), hidden=(64,))
        planned = {"settings": {"labelled": 100}, "seed": 3}
        labelled, measure = running.labels_and_measure(planned, experiment, system, data)
        assert labelled is None, "the training sees no label"
        fitted = []

        class Watched(SVC):
            def fit(self, z, labels):
                fitted.append((z, labels))
                return super().fit(z, labels)

        monkeypatch.setattr(measures, "SVC", Watched)
        numbers = measure(system, data)
        seen = data.train.take(data.train.balanced_subset(100, seed=3))
        for z, labels in fitted:
            assert torch.equal(torch.from_numpy(z), system.encode(seen.images))
            assert torch.equal(torch.from_numpy(labels), seen.labels)
        assert set(numbers) == {"validation", "test"} and 0 < numbers["test"]["error"] < 0.6

    def test_a_system_that_learns_from_labels_is_measured_as_before(self):
        experiment, data = EXPERIMENTS["baseline-network-100"], load("digits")
        system = Classifier(data.image_shape, hidden=(8,))
        planned = {"settings": {"labelled": 100}, "seed": 3}
        labelled, measure = running.labels_and_measure(planned, experiment, system, data)
        assert torch.equal(labelled, data.train.balanced_subset(100, seed=3)) and measure is experiment.measure
        labelled, _ = running.labels_and_measure({"settings": {"labelled": None}, "seed": 3}, experiment, system, data)
        assert labelled is None

    def test_the_best_c_is_chosen_on_validation_images(self, monkeypatch):
        data = load("digits")
        system = VariationalAutoencoder(data.image_shape, prior=Gaussian(4), hidden=(16,))

        class Stub:
            def __init__(self, C):
                self.C = C

            def fit(self, z, labels):
                return self

            def score(self, z, labels):
                validation = len(z) == len(data.validation)
                return {1: 0.5, 10: 0.8, 100: 0.7}[self.C] if validation else {1: 0.5, 10: 0.6, 100: 0.9}[self.C]

        monkeypatch.setattr(measures, "SVC", Stub)
        data = type(data)(data.name, data.train, data.validation.take(torch.arange(200)), data.test, data.classes)
        numbers = measures.support_vectors(system, data, data.train.balanced_subset(50))
        assert numbers["validation"]["error"] == pytest.approx(0.2) and numbers["test"]["error"] == pytest.approx(0.4)


@pytest.mark.parametrize("name", [name for name in ROWS if name.endswith("-100")])
def test_a_row_of_each_kind_runs_and_one_is_repeated_bit_for_bit_and_one_stored(name, tmp_path):
    places = {"results": tmp_path / "results", "checkpoints": tmp_path / "runs"}
    path = run(name, profile="smoke", progress=False, **places)
    record = json.loads(path.read_text(encoding="utf-8"))
    assert record["settings"]["labelled"] == 100 and record["paper"] == dict(EXPERIMENTS[name].numbers)
    assert set(record["metrics"]["test"]) == {"error"} and record["metrics"]["test"]["error"] < 0.4
    assert record["curve"][-1]["updates"] <= record["updates"] and len(record["curve"]) >= 50
    if name == "baseline-vat-100":
        again = repeat(path, results=tmp_path / "again", checkpoints=tmp_path / "again", progress=False)
        second = json.loads(again.read_text(encoding="utf-8"))
        assert second["weights"]["sha256"] == record["weights"]["sha256"] and second["metrics"] == record["metrics"]
    if name == "baseline-m1-svm-100":
        store(name, profile="smoke", **places)
        ((_, numbers, agree),) = verify(name, results=places["results"])
        assert agree, numbers
