"""Clusters are named and scored as the two rules say, by hand."""

from __future__ import annotations

import math

import pytest
import torch

from aae_lib.evaluation import clustering_error, name_clusters

# Validation: cluster 0 is surest of a 3 but has more 5s; cluster 1 is all 7; cluster 2 has no member, but a favourite.
Q = torch.tensor([[0.9, 0.1, 0.0], [0.8, 0.1, 0.1], [0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.2, 0.8, 0.0]])
VALIDATION = Q.log()
LABELS = torch.tensor([3, 5, 5, 7, 7])


def one_hot(clusters: list[int]) -> torch.Tensor:
    return torch.eye(3)[clusters].log()


def test_the_paper_s_rule_asks_the_surest_image():
    assert name_clusters(VALIDATION, LABELS).tolist() == [3, 7, 7]


def test_the_surest_image_is_found_where_q_rounds_to_1():
    logits = torch.tensor([[30.0, 0.0, 0.0], [40.0, 0.0, 0.0], [60.0, 35.0, 0.0], [0.0, 50.0, 0.0], [0.0, 0.0, 50.0]])
    assert (logits.softmax(dim=1)[:3, 0] == 1).all()  # and image 1 is the surest, though image 2 has the larger logit
    assert name_clusters(logits, torch.tensor([4, 6, 8, 1, 2])).tolist() == [6, 1, 2]
    names = name_clusters(logits[[2, 1, 0, 3, 4]], torch.tensor([8, 6, 4, 1, 2]))
    assert names.tolist() == [6, 1, 2]  # in any order


def test_a_cluster_that_no_image_can_be_in_is_nameless():
    assert name_clusters(one_hot([0, 0, 1]), torch.tensor([3, 3, 7])).tolist() == [3, 7, -1]


def test_what_is_surest_does_not_depend_on_what_is_added_to_the_logits():
    assert name_clusters(VALIDATION + torch.arange(5.0)[:, None], LABELS).tolist() == [3, 7, 7]


def test_the_majority_rule_asks_all_members_and_leaves_an_empty_cluster_nameless():
    assert name_clusters(VALIDATION, LABELS, rule="majority").tolist() == [5, 7, -1]


def test_errors_by_hand():
    clusters, labels = one_hot([0, 0, 0, 1, 1]), torch.tensor([3, 5, 5, 7, 2])
    paper = clustering_error(VALIDATION, LABELS, clusters, labels)
    assert paper.error == pytest.approx(3 / 5)
    assert paper.sizes.tolist() == [3, 2, 0] and paper.empty == (2,)
    assert paper.purity[:2].tolist() == pytest.approx([1 / 3, 1 / 2]) and math.isnan(paper.purity[2])
    majority = clustering_error(VALIDATION, LABELS, clusters, labels, rule="majority")
    assert majority.error == pytest.approx(2 / 5)
    assert majority.purity[:2].tolist() == pytest.approx([2 / 3, 1 / 2])


def test_an_image_in_a_nameless_cluster_is_wrong():
    found = clustering_error(VALIDATION, LABELS, one_hot([2, 1, 1]), torch.tensor([7, 7, 7]), rule="majority")
    assert found.error == pytest.approx(1 / 3)


def test_names_do_not_depend_on_the_test_images():
    two = [one_hot([0, 1, 2]), one_hot([2, 2, 1])]
    names = [clustering_error(VALIDATION, LABELS, test, torch.tensor([1, 1, 1])).names.tolist() for test in two]
    assert names[0] == names[1] == [3, 7, 7]


def test_arrays_are_as_good_as_tensors():
    test, labels = one_hot([0, 1, 1]), torch.tensor([3, 7, 7])
    found = clustering_error(VALIDATION.numpy(), LABELS.numpy(), test.numpy(), labels.numpy())
    assert found.error == 0 and found.names.tolist() == [3, 7, 7]


def test_the_order_of_clusters_and_images_changes_nothing():
    generator = torch.Generator().manual_seed(0)
    logits = 60 * torch.rand(200, 6, generator=generator)  # many a q rounds to 1
    labels = torch.randint(4, (200,), generator=generator)
    images, clusters = torch.randperm(200, generator=generator), torch.randperm(6, generator=generator)
    for rule in ("paper", "majority"):
        found = clustering_error(logits[:100], labels[:100], logits[100:], labels[100:], rule=rule)
        mixed = logits[:, clusters]
        first, second = images[images < 100], images[images >= 100]
        again = clustering_error(mixed[first], labels[first], mixed[second], labels[second], rule=rule)
        assert again.error == pytest.approx(found.error)
        assert again.names.tolist() == found.names[clusters].tolist()
