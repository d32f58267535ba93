"""Mini-batches: which labels a training sees, and how a few labelled images cycle."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from aae_lib import fit
from aae_lib.checks import DataError
from aae_lib.data import Split
from aae_lib.systems import SGD, Phase, System
from aae_lib.systems.base import HIDDEN
from aae_lib.training.batches import Batches


class Student(System):
    """Learns from labels and notes which it sees; all pixels of image k are k."""

    def __init__(self, image_shape=(1, 1, 1), classes=2):
        super().__init__(image_shape)
        self.learns_labels = classes
        self.network = nn.Linear(1, 1)
        self.seen: list[tuple[list, list]] = []
        self.labelled: list[tuple[list, list]] = []

    def phases(self):
        return [Phase("only", self.loss, learns=(self.network,), optimizer=SGD(0.0))]

    def loss(self, batch):
        for notes, part in ((self.seen, batch), (self.labelled, batch.labelled)):
            notes.append(((255 * part.images).round().long().flatten().tolist(), part.labels.tolist()))
        return self.network.weight.sum()


def numbered(count: int = 30) -> Split:
    """Images 0, 1, 2, …; even ones of class 0, odd ones of class 1."""
    return Split(torch.arange(count, dtype=torch.uint8).reshape(count, 1, 1, 1), torch.arange(count) % 2)


def train(system, data=None, **settings):
    chosen = {"epochs": 3, "batch_size": 10, "device": "cpu", "progress": False}
    return fit(system, numbered() if data is None else data, **{**chosen, **settings})


def changed_labels(split: Split) -> Split:
    return Split(split.images, 1 - split.labels)


@pytest.mark.parametrize(
    ("data", "labelled"),
    [
        (numbered(), [1, 2, 3]),  # the same sum
        (changed_labels(numbered()), [0, 1, 5]),
        (numbered().take(torch.arange(30).flip(0)), [0, 1, 5]),
    ],
    ids=["other images labelled", "other labels", "another order"],
)
def test_a_checkpoint_is_not_gone_on_with_on_other_data(tmp_path, data, labelled):
    file = tmp_path / "training.checkpoint"
    train(Student(), labelled=torch.tensor([0, 1, 5]), checkpoint=file)
    train(Student(), labelled=torch.tensor([0, 1, 5]), checkpoint=file, epochs=4)
    with pytest.raises(DataError, match="another recipe"):
        train(Student(), data, labelled=torch.tensor(labelled), checkpoint=file, epochs=5)


def test_a_checkpoint_is_not_gone_on_with_in_another_precision(tmp_path):
    file = tmp_path / "training.checkpoint"
    train(Student(), checkpoint=file, precision="bfloat16")
    with pytest.raises(DataError, match="precision 'bfloat16' instead of 'float32'"):
        train(Student(), checkpoint=file, precision="float32", epochs=4)


def test_a_checkpoint_is_gone_on_with_whatever_the_number_of_threads(tmp_path):
    images = torch.rand(4000, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    recipes, threads = [], torch.get_num_threads()
    for count in (1, 2):
        torch.set_num_threads(count)
        recipes.append(Batches(Student((1, 28, 28)), Split(images, torch.arange(4000) % 2), None, 10, 0).recipe())
    torch.set_num_threads(threads)
    assert recipes[0] == recipes[1]


def test_hidden_labels_are_never_seen():
    student, shown = Student(), [3, 8, 20, 21]
    train(student, labelled=torch.tensor(shown))
    for images, labels in student.seen:
        assert labels == [image % 2 if image in shown else HIDDEN for image in images]


def test_labelled_images_cycle_whole_passes_in_fresh_orders():
    student, shown = Student(), torch.arange(7, 27)  # 20 images, two batches of 10 a pass
    train(student, labelled=shown)
    passes = [student.labelled[k][0] + student.labelled[k + 1][0] for k in range(0, 8, 2)]
    assert all(sorted(images) == shown.tolist() for images in passes)
    assert len({tuple(images) for images in passes}) == len(passes)
    assert all(labels == [image % 2 for image in images] for images, labels in student.labelled)


def test_fewer_labelled_images_than_a_batch_all_come_every_time():
    student = Student()
    train(student, labelled=torch.tensor([4, 5, 6]))
    assert all(sorted(images) == [4, 5, 6] for images, _ in student.labelled)


def test_an_epoch_is_one_pass_over_all_images_however_few_are_labelled():
    assert train(Student(), labelled=torch.tensor([0, 1])).updates_per_epoch == 3


def test_without_labelled_all_labels_are_seen():
    student = Student()
    train(student)
    assert all(labels == [image % 2 for image in images] for images, labels in student.seen)


def test_a_resumed_training_sees_the_same_labelled_batches(tmp_path):
    whole, parts = Student(), Student()
    labelled = torch.arange(7, 27)
    train(whole, labelled=labelled, epochs=4)
    for epochs in (1, 4):
        train(parts, labelled=labelled, epochs=epochs, checkpoint=tmp_path / "c.safetensors")
    assert parts.labelled == whole.labelled and parts.seen == whole.seen


def test_a_checkpoint_of_other_labels_is_refused(tmp_path):
    train(Student(), labelled=torch.arange(10), checkpoint=tmp_path / "c.safetensors")
    with pytest.raises(ValueError, match="labelled"):
        train(Student(), labelled=torch.arange(1, 11), checkpoint=tmp_path / "c.safetensors")
