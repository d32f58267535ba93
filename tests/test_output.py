"""``output="auto"``: what it chooses, that it is then the same system as one told so, and that it is kept."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
import torch
from sklearn.datasets import load_sample_images

from aae_lib import fit, load, restore, save, systems
from aae_lib.checks import DataError
from aae_lib.data import house_numbers
from aae_lib.networks import Decoder
from aae_lib.pixels import suited_output
from aae_lib.priors import Gaussian
from aae_lib.storage import describe
from aae_lib.systems import AdversarialAutoencoder
from aae_lib.systems.base import System

SEED = torch.Generator().manual_seed(0)
INK = torch.where(torch.rand(40, 1, 6, 5, generator=SEED) < 0.7, 0, 200).to(torch.uint8)
PHOTOGRAPHS = torch.randint(20, 230, (40, 1, 6, 5), generator=SEED).to(torch.uint8)
KINDS = {"sigmoid": INK, "standardised": PHOTOGRAPHS}
each_kind = pytest.mark.parametrize("output", KINDS)


def aae(output: str, **settings) -> AdversarialAutoencoder:
    return AdversarialAutoencoder(
        (1, 6, 5), prior=Gaussian(2), hidden=(8,), discriminator_hidden=(8,), output=output, **settings
    )


def train(system: System, images: torch.Tensor, **settings):
    return fit(system, images, **{"updates": 6, "batch_size": 10, "device": "cpu", "progress": False, **settings})


def same_weights(first: System, second: System) -> bool:
    one, other = first.state_dict(), second.state_dict()
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


# What it chooses


def patches() -> torch.Tensor:
    """Photographs: (80, 3, 16, 16) from the two that ship inside scikit-learn."""
    pictures = torch.stack([torch.from_numpy(picture.copy()) for picture in load_sample_images().images])
    return pictures.unfold(1, 16, 60).unfold(2, 16, 90).flatten(0, 2)  # (N, 3, 16, 16)


def test_digits_are_ink_and_photographs_and_house_numbers_are_not():
    digits = load("digits").train.images
    assert suited_output(digits)[0] == suited_output(255 - digits)[0] == suited_output(digits / 255)[0] == "sigmoid"
    assert suited_output(patches())[0] == "standardised"
    assert suited_output(house_numbers.draw(100, seed=0)[0])[0] == "standardised"


@pytest.mark.parametrize(("blank", "output"), [(0.3, "standardised"), (0.5, "sigmoid"), (1, "sigmoid")])
def test_the_share_of_blank_paper_decides_at_any_size(blank, output):
    values = torch.full((3000, 1, 1, 10), 100, dtype=torch.uint8)
    values[..., : round(10 * blank)] = 250
    for count in (1, 2, 999, 1001, 3000):
        chosen, reason = suited_output(values[:count])
        assert chosen == output and reason.startswith(f"{blank:.0%} of the training pixels are nearly black or white")


# A system that is told so


@each_kind
def test_it_trains_to_the_bit_like_one_that_was_told(output):
    undecided, told = aae("auto"), aae(output)
    losses, expected = (train(system, KINDS[output]).losses for system in (undecided, told))
    assert losses.keys() == expected.keys() and all(np.array_equal(losses[name], expected[name]) for name in losses)
    assert same_weights(undecided, told) and describe(undecided) == describe(told)
    assert undecided.standardised == (output == "standardised")
    assert torch.equal(undecided.sample(3), told.sample(3))


@each_kind
def test_a_checkpoint_is_gone_on_with_exactly(output, tmp_path):
    straight, stopped, resumed = aae("auto"), aae("auto"), aae("auto")
    train(straight, KINDS[output])
    train(stopped, KINDS[output], updates=3, checkpoint=tmp_path / "half")
    train(resumed, KINDS[output], checkpoint=tmp_path / "half")
    assert same_weights(resumed, straight)
    assert torch.equal(restore(tmp_path / "half").sample(3), straight.sample(3))


@each_kind
def test_what_was_chosen_is_saved(output, tmp_path):
    system = aae("auto")
    train(system, KINDS[output])
    save(system, tmp_path / "decided")
    restored = restore(tmp_path / "decided")
    assert describe(restored)["output"] == output
    assert torch.equal(restored.reconstruct(INK), system.reconstruct(INK))
    with pytest.raises(DataError, match=f"output '{output}' instead of 'auto'"):
        restore(tmp_path / "decided", into=aae("auto"))


def test_before_the_training_it_is_a_sigmoid_and_still_open(tmp_path):
    system = aae("auto")
    assert torch.equal(system.sample(3), aae("sigmoid").sample(3))
    save(system, tmp_path / "open")
    restored = restore(tmp_path / "open")
    train(restored, PHOTOGRAPHS)
    assert restored.standardised


def test_it_chooses_once_and_says_so_in_one_line(capsys):
    system = aae("auto")
    train(system, PHOTOGRAPHS, progress=True)
    reason = "0% of the training pixels are nearly black or white, as in photographs"
    assert capsys.readouterr().out.startswith(f"output='auto': {reason}, so the output is 'standardised'.\n")
    mean = system.pixel_mean.clone()
    train(system, INK, progress=True)
    assert system.standardised and torch.equal(system.pixel_mean, mean)
    train(aae("auto"), INK)
    train(aae("sigmoid"), INK, progress=True)
    assert "output" not in capsys.readouterr().out


TAKE_OUTPUT = [
    kind
    for name in systems.__all__
    if inspect.isclass(kind := getattr(systems, name))
    and issubclass(kind, System)
    and "output" in inspect.signature(kind).parameters
]


@pytest.mark.parametrize("kind", TAKE_OUTPUT, ids=lambda kind: kind.__name__)
def test_every_system_that_takes_an_output_can_leave_it_open(kind):
    takes = inspect.signature(kind).parameters
    sizes = {"prior": Gaussian(4), "classes": 3, "clusters": 3, "hidden": (8,), "discriminator_hidden": (8,)}
    sizes = {name: value for name, value in sizes.items() if name in takes}
    system, told = (kind((1, 6, 5), output=output, **sizes) for output in ("auto", "standardised"))
    assert system.choose_output(PHOTOGRAPHS)
    assert not system.choose_output(INK)
    for one in (system, told):
        one.learn_pixels(PHOTOGRAPHS)
    assert same_weights(system, told) and describe(system) == describe(told)
    outputs = [part.output for part in system.modules() if hasattr(part, "undecided")]
    assert outputs and set(outputs) == {"standardised"}


def test_a_system_that_could_not_keep_the_choice_refuses_it():
    class Mine(System):
        def __init__(self, image_shape, *, seed=0):
            super().__init__(image_shape)
            self.decoder = Decoder(2, self.image_shape, hidden=(4,), output="auto")

    with pytest.raises(TypeError, match="takes no output itself"):
        Mine((1, 8, 8)).choose_output(torch.zeros(3, 1, 8, 8))
