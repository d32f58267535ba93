"""Bad input, in one table: each is refused in a sentence that names the argument, before anything is written."""

from __future__ import annotations

import contextlib
import errno
import os
import pickle
import urllib.error
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from aae_lib import checks, choose, data, experiments, figures, files, fit, load, restore, save, widgets
from aae_lib.checks import DataError, StorageError
from aae_lib.data import Split, downloads
from aae_lib.evaluation import (
    Samples,
    choose_sigma,
    clustering_error,
    feature_fid,
    label_probe,
    latent,
    mean_and_standard_error,
    mode_accuracy,
    name_clusters,
    parzen_log_likelihood,
    precision_recall,
    train_feature_network,
)
from aae_lib.priors import Categorical, Gaussian, GaussianMixture, SwissRoll, Uniform
from aae_lib.systems import (
    SGD,
    AdversarialAutoencoder,
    Autoencoder,
    ClusteringAdversarialAutoencoder,
    DimensionalityReductionAdversarialAutoencoder,
    GenerativeAdversarialNetwork,
    GenerativeMomentMatchingNetwork,
    SemiSupervisedAdversarialAutoencoder,
    VariationalAutoencoder,
)

SHAPE = (1, 4, 4)
IMAGES = torch.randint(256, (30, *SHAPE), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
FLOATS = IMAGES.float() / 255
CODES = torch.randn(30, 2, generator=torch.Generator().manual_seed(0))
UNLABELLED = Split(IMAGES)
LABELLED = Split(IMAGES, torch.arange(30) % 3)


def with_first(value: float) -> torch.Tensor:
    """Floating-point images whose first pixel is ``value``."""
    changed = FLOATS.clone()
    changed[0, 0, 0, 0] = value
    return changed


def aae(**settings) -> AdversarialAutoencoder:
    chosen = {"prior": Gaussian(2), "hidden": (8,), "discriminator_hidden": (8,)}
    return AdversarialAutoencoder(**{"image_shape": SHAPE, **chosen, **settings})


def semi(**settings) -> SemiSupervisedAdversarialAutoencoder:
    chosen = {"prior": Gaussian(2), "classes": 3, "hidden": (8,), "discriminator_hidden": (8,)}
    return SemiSupervisedAdversarialAutoencoder(SHAPE, **{**chosen, **settings})


def vae(prior) -> VariationalAutoencoder:
    return VariationalAutoencoder(SHAPE, prior=prior, hidden=(8,))


def train(images=IMAGES, system=None, **settings):
    chosen = {"epochs": 1, "batch_size": 10, "device": "cpu", "progress": False}
    return fit(aae() if system is None else system, images, **{**chosen, **settings})


@contextlib.contextmanager
def full_disk():
    with mock.patch.object(files.os, "fsync", side_effect=OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))):
        yield


def on_a_full_disk(write: Callable[[], object]) -> None:
    with full_disk():
        write()


def without_network(name: str, root: Path) -> None:
    refused = urllib.error.URLError("network is unreachable")
    with (
        mock.patch.object(downloads, "data_roots", return_value=[root]),
        mock.patch.object(downloads.urllib.request, "urlopen", side_effect=refused),
    ):
        load(name)


def with_profile(name: str) -> None:
    with mock.patch.dict(os.environ, AAE_PROFILE=name):
        choose(smoke={}, quick={}, paper={})


def without_accelerator(device: str) -> None:
    with mock.patch.object(torch.cuda, "is_available", return_value=False):
        checks.device("device", device)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a good weights file, a good checkpoint, and damaged files of each kind."""
    save(aae(), tmp_path / "good.safetensors")
    good = (tmp_path / "good.safetensors").read_bytes()
    train(checkpoint=tmp_path / "good.checkpoint")
    checkpoint = (tmp_path / "good.checkpoint").read_bytes()
    arrays = {"images": IMAGES.numpy(), "labels": np.arange(30) % 10}
    np.savez(tmp_path / "good.npz", **arrays)
    np.savez(tmp_path / "objects.npz", images=np.array([{}], dtype=object))
    np.savez(tmp_path / "unnamed.npz", IMAGES.numpy())
    np.savez(tmp_path / "few-labels.npz", images=IMAGES.numpy(), labels=np.arange(29))
    np.savez(tmp_path / "wide.npz", images=np.full((30, 4, 4), 1.5))
    contents = {
        "truncated.safetensors": good[: len(good) // 2],
        "corrupt.safetensors": b"\xff" * 40 + good[40:],
        "empty.safetensors": b"",
        "pickle.safetensors": pickle.dumps({"weights": [1.0]}),
        "truncated.checkpoint": checkpoint[:-100],
        "corrupt.checkpoint": checkpoint[:200] + b"\x00" * 50 + checkpoint[250:],
        "truncated.npz": (tmp_path / "good.npz").read_bytes()[:300],
        "picture.png": b"no picture",
        "file": b"a file where a folder should be",
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    save_file({"weight": torch.zeros(2)}, tmp_path / "foreign.safetensors", {"format": "pt"})
    for file in downloads.IDX_FILES:
        path = tmp_path / "root" / "MNIST" / "raw" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\x00\x00\x08\x03 no images")
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "broken.png").write_bytes(b"no picture")
    (tmp_path / "nothing").mkdir()
    return tmp_path


# what: (what is done in that folder, the error, words of its sentence)
TABLE = {
    # Names, with the nearest right one
    "unknown dataset": (lambda f: load("minst"), ValueError, ["name", "'minst'", "did you mean 'mnist'"]),
    "unknown dataset, nothing near": (lambda f: load("qqqq"), ValueError, ["name", "'qqqq'", "'digits'"]),
    "unknown fallback": (lambda f: load("digits", fallback="digit"), ValueError, ["fallback", "did you mean 'digits'"]),
    "dataset of another type": (lambda f: load(3), TypeError, ["name", "an int", "torchvision dataset"]),
    "unknown prior": (lambda f: aae(prior="Gausian"), ValueError, ["prior", "did you mean 'Gaussian'"]),
    "prior by its name": (lambda f: aae(prior="Gaussian"), TypeError, ["prior", "Gaussian(2)"]),
    "prior as a class": (lambda f: aae(prior=SwissRoll), TypeError, ["prior", "SwissRoll()"]),
    "prior of another type": (lambda f: aae(prior=2), TypeError, ["prior", "Gaussian(2)", "2"]),
    "unknown posterior": (lambda f: aae(posterior="gausian"), ValueError, ["posterior", "did you mean 'gaussian'"]),
    "unknown body": (lambda f: aae(body="convolution"), ValueError, ["body", "did you mean 'convolutional'"]),
    "unknown output": (lambda f: aae(output="sigmod"), ValueError, ["output", "did you mean 'sigmoid'"]),
    "unknown likelihood": (
        lambda f: VariationalAutoencoder(SHAPE, prior=Gaussian(2), likelihood="bernouli"),
        ValueError,
        ["likelihood", "did you mean 'bernoulli'"],
    ),
    "unknown profile": (lambda f: with_profile("smok"), ValueError, ["AAE_PROFILE", "did you mean 'smoke'"]),
    "unknown device": (lambda f: train(device="cude"), ValueError, ["device", "did you mean 'cuda'"]),
    "unknown device to restore to": (
        lambda f: restore(f / "good.safetensors", device="cude"),
        ValueError,
        ["device", "did you mean 'cuda'"],
    ),
    "absent device": (lambda f: without_accelerator("cuda:0"), ValueError, ["device", "'cuda:0'", "'auto'"]),
    "unknown precision": (lambda f: train(precision="float23"), ValueError, ["precision", "did you mean 'float32'"]),
    "unknown phase": (
        lambda f: train(optimizers={"generater": SGD(0.1)}),
        ValueError,
        ["optimizers", "did you mean 'generator'"],
    ),
    "optimizer of another type": (
        lambda f: train(optimizers={"generator": torch.optim.SGD}),
        TypeError,
        ["optimizers['generator']", "SGD(...)"],
    ),
    "unknown experiment": (
        lambda f: experiments.run("aae-gausian", results=f, checkpoints=f),
        ValueError,
        ["name", "did you mean 'aae-gaussian'"],
    ),
    "unknown profile of an experiment": (
        lambda f: experiments.run("aae-gaussian", profile="papr", results=f, checkpoints=f),
        ValueError,
        ["profile", "did you mean 'paper'"],
    ),
    # Images
    "images without channels": (lambda f: train(IMAGES[:, 0]), ValueError, ["data", "(N, C, H, W)", "(30, 4, 4)"]),
    "one image": (lambda f: aae().encode(IMAGES[0]), ValueError, ["images", "(N, C, H, W)", "(1, 4, 4)"]),
    "images of another shape": (
        lambda f: aae().encode(torch.zeros(2, 3, 4, 4)),
        ValueError,
        ["images", "(3, 4, 4)", "(1, 4, 4)"],
    ),
    "images as a list": (lambda f: train([[0.5]]), TypeError, ["data", "list", "torch.Tensor"]),
    "a file name for images": (lambda f: aae().encode("cat.png"), TypeError, ["images", "str"]),
    "images as int64": (lambda f: train(IMAGES.long()), TypeError, ["data", "torch.int64", "uint8"]),
    "images as bool": (lambda f: aae().reconstruct(IMAGES > 3), TypeError, ["images", "torch.bool", "uint8"]),
    "complex images": (lambda f: train(FLOATS + 0j), TypeError, ["data", "complex"]),
    "images from 0 to 255 as floats": (lambda f: train(IMAGES.float()), ValueError, ["data", "[0, 1]", "255"]),
    "images below 0": (lambda f: aae().encode(with_first(-0.5)), ValueError, ["images", "[0, 1]", "-0.5"]),
    "infinite pixels": (lambda f: train(with_first(float("inf"))), ValueError, ["data", "[0, 1]", "inf"]),
    "NaN pixels": (lambda f: train(with_first(float("nan"))), ValueError, ["data", "NaN"]),
    "NaN pixels to encode": (lambda f: aae().encode(with_first(float("nan"))), ValueError, ["images", "NaN"]),
    "NaN pixels for the ELBO": (
        lambda f: vae(Gaussian(2)).elbo(with_first(float("nan"))),
        ValueError,
        ["images", "NaN"],
    ),
    "NaN pixels to draw": (lambda f: figures.show_images(with_first(float("nan"))), ValueError, ["images", "NaN"]),
    "no image": (lambda f: train(IMAGES[:0]), ValueError, ["data", "empty"]),
    "no image to encode": (lambda f: aae().encode(IMAGES[:0]), ValueError, ["images", "empty"]),
    "images without pixels": (lambda f: aae().encode(torch.zeros(3, 1, 0, 4)), ValueError, ["images", "empty"]),
    "a whole dataset": (
        lambda f: train(data.Dataset("three", UNLABELLED, UNLABELLED, UNLABELLED)),
        TypeError,
        ["data", "data.train"],
    ),
    "an image shape of two": (lambda f: aae(image_shape=(4, 4)), ValueError, ["image_shape", "(C, H, W)", "(4, 4)"]),
    "an image shape of 0": (lambda f: aae(image_shape=(1, 0, 4)), ValueError, ["image_shape", "at least 1", "0"]),
    "images too small to halve": (
        lambda f: aae(body="convolutional", hidden=(8, 8, 8)),
        ValueError,
        ["(4, 4)", "3 times", "hidden"],
    ),
    # Codes
    "codes of another dimension": (lambda f: aae().decode(torch.zeros(5, 3)), ValueError, ["z", "(N, 2)", "(5, 3)"]),
    "one code": (lambda f: aae().decode(torch.zeros(2)), ValueError, ["z", "(N, 2)", "(2,)"]),
    "integer codes": (lambda f: aae().decode(torch.zeros(5, 2, dtype=torch.long)), TypeError, ["z", "torch.int64"]),
    "NaN codes": (lambda f: aae().decode(torch.full((5, 2), torch.nan)), ValueError, ["z", "NaN"]),
    # Numbers
    "latent dimension 0": (lambda f: Autoencoder(SHAPE, latent_dim=0), ValueError, ["latent_dim", "at least 1", "0"]),
    "latent dimension -2": (
        lambda f: Autoencoder(SHAPE, latent_dim=-2),
        ValueError,
        ["latent_dim", "at least 1", "-2"],
    ),
    "latent dimension 2.5": (lambda f: Autoencoder(SHAPE, latent_dim=2.5), TypeError, ["latent_dim", "2.5"]),
    "a prior of dimension 0": (lambda f: Gaussian(0), ValueError, ["dim", "at least 1", "0"]),
    "a prior of dimension 2.0": (lambda f: Uniform(2.0), TypeError, ["dim", "2.0"]),
    "a categorical prior without classes": (lambda f: Categorical(0), ValueError, ["dim", "at least 1"]),
    "a prior of std 0": (lambda f: Gaussian(2, std=0), ValueError, ["std", "above 0"]),
    "a prior of NaN std": (lambda f: Gaussian(2, std=float("nan")), ValueError, ["std", "finite"]),
    "a mixture of nothing": (lambda f: GaussianMixture(components=0), ValueError, ["components", "at least 1"]),
    "a uniform prior upside down": (lambda f: Uniform(2, 1.0, -1.0), ValueError, ["low", "high", "-1.0"]),
    "batch size 0": (lambda f: train(batch_size=0), ValueError, ["batch_size", "at least 1", "0"]),
    "batch size -5": (lambda f: train(batch_size=-5), ValueError, ["batch_size", "at least 1", "-5"]),
    "batch size as text": (lambda f: train(batch_size="10"), TypeError, ["batch_size", "'10'"]),
    "batch larger than the set": (lambda f: train(batch_size=31), ValueError, ["batch_size", "31", "30"]),
    "epochs 0": (lambda f: train(epochs=0), ValueError, ["epochs", "at least 1", "0"]),
    "epochs -1": (lambda f: train(epochs=-1), ValueError, ["epochs", "at least 1", "-1"]),
    "epochs 1.5": (lambda f: train(epochs=1.5), TypeError, ["epochs", "1.5"]),
    "epochs True": (lambda f: train(epochs=True), TypeError, ["epochs", "True"]),
    "explore(None)": (lambda f: widgets.explore(None), TypeError, ["system", "NoneType"]),
    "callbacks that cannot be called": (lambda f: train(callbacks=[3]), TypeError, ["callbacks", "3"]),
    "callbacks=print": (lambda f: train(callbacks=print), TypeError, ["callbacks", "list"]),
    "no length": (lambda f: train(epochs=None), TypeError, ["epochs", "updates"]),
    "seed -1": (lambda f: train(seed=-1), ValueError, ["seed", "-1"]),
    "seed None": (lambda f: aae(seed=None), TypeError, ["seed", "None"]),
    "seed of a sample as text": (lambda f: aae().sample(3, seed="1"), TypeError, ["seed", "'1'"]),
    "seed of codes 0.5": (lambda f: aae().encode(IMAGES, seed=0.5), TypeError, ["seed", "0.5"]),
    "0 samples": (lambda f: aae().sample(0), ValueError, ["count", "at least 1"]),
    "layers of 0 units": (lambda f: aae(hidden=(8, 0)), ValueError, ["hidden", "at least 1", "0"]),
    "a width instead of widths": (lambda f: aae(hidden=8), TypeError, ["hidden", "(1000, 1000)", "8"]),
    "widths that can be read once": (lambda f: aae(hidden=iter((8, 8))), TypeError, ["hidden", "(1000, 1000)"]),
    "no noise inputs": (lambda f: aae(posterior="universal", noise_dim=0), ValueError, ["noise_dim", "at least 1"]),
    "negative noise": (lambda f: aae(input_noise=-0.1), ValueError, ["input_noise", "at least 0", "-0.1"]),
    "negative noise for D": (lambda f: aae(discriminator_noise=-1), ValueError, ["discriminator_noise", "at least 0"]),
    "all pixels dropped": (lambda f: aae(input_dropout=1), ValueError, ["input_dropout", "below 1", "1"]),
    "initial weights of std 0": (lambda f: aae(initial_std=0.0), ValueError, ["initial_std", "above 0"]),
    # Priors that do not fit
    "prior of another dimension": (
        lambda f: aae(latent_dim=3),
        ValueError,
        ["latent_dim", "3", "prior", "Gaussian(dim=2", "2 dimensions"],
    ),
    "mixture of another dimension": (
        lambda f: GenerativeAdversarialNetwork(SHAPE, prior=GaussianMixture(), latent_dim=8),
        ValueError,
        ["latent_dim", "8", "prior", "2 dimensions"],
    ),
    "codes of another dimension than the prior's": (
        lambda f: latent.distance_to_prior(CODES, Gaussian(3)),
        ValueError,
        ["prior", "3", "2"],
    ),
    "a VAE's prior without a density": (lambda f: vae(SwissRoll()), ValueError, ["prior", "no density", "ELBO"]),
    "the density of a prior without one": (lambda f: SwissRoll().log_prob(CODES), ValueError, ["prior", "no density"]),
    "the density of a list": (lambda f: Gaussian(2).log_prob([[0.0, 1.0]]), TypeError, ["z", "list", "numpy array"]),
    "the regions of a number": (lambda f: GaussianMixture().nearest(0.5), TypeError, ["z", "float"]),
    "a negative number of labelled draws": (
        lambda f: GaussianMixture().sample_labelled(-1),
        ValueError,
        ["count", "at least 1", "-1"],
    ),
    "labelled draws, half of one": (lambda f: SwissRoll().sample_labelled(0.5), TypeError, ["count", "0.5"]),
    "a sample without a prior": (lambda f: Autoencoder(SHAPE).sample(3), TypeError, ["Autoencoder", "no prior"]),
    "codes without an encoder": (
        lambda f: GenerativeAdversarialNetwork(SHAPE, prior=Gaussian(2)).encode(IMAGES),
        TypeError,
        ["GenerativeAdversarialNetwork", "no encoder"],
    ),
    # Labels
    "a subset without labels": (lambda f: UNLABELLED.balanced_subset(10), ValueError, ["labels", "none"]),
    "k-NN without labels": (
        lambda f: latent.knn_accuracy(CODES, UNLABELLED.labels, CODES, torch.arange(30)),
        ValueError,
        ["train_labels", "none"],
    ),
    "labels of another length": (
        lambda f: train(Split(IMAGES, torch.arange(29))),
        ValueError,
        ["labels", "(30,)", "(29,)"],
    ),
    "fractional labels": (lambda f: train(Split(IMAGES, torch.rand(30))), TypeError, ["labels", "float32", ".long()"]),
    "negative labels": (lambda f: train(Split(IMAGES, -torch.arange(30))), ValueError, ["labels", "at least 0", "-29"]),
    "labels for a prior without regions": (
        lambda f: Gaussian(2).sample(3, labels=torch.arange(3)),
        ValueError,
        ["labels", "no regions"],
    ),
    "a label beyond the prior's regions": (
        lambda f: SwissRoll().sample(2, labels=torch.tensor([3, 10])),
        ValueError,
        ["labels", "below 10", "10"],
    ),
    "labels of a prior without regions": (
        lambda f: Gaussian(2).sample_labelled(3),
        ValueError,
        ["prior", "no regions"],
    ),
    # Measures
    "probabilities for the test logits": (
        lambda f: clustering_error(CODES, LABELLED.labels, CODES.softmax(dim=1), LABELLED.labels),
        ValueError,
        ["test_logits", "sum to 1", "system.logits(images)"],
    ),
    "test labels of other images": (
        lambda f: clustering_error(CODES, LABELLED.labels, CODES, LABELLED.labels[:3]),
        ValueError,
        ["test_labels", "(30,)", "(3,)"],
    ),
    "a feature network of oblongs without labels": (
        lambda f: train_feature_network(data.Split(UNLABELLED.images[..., :-1])),
        ValueError,
        ["split", "labels", "squares"],
    ),
    "a feature network of classes with a gap": (
        lambda f: train_feature_network(data.Split(IMAGES, 3 * torch.arange(30).remainder(2))),
        ValueError,
        ["split.labels", "[0, 3]", "number the classes anew"],
    ),
    "a feature network of one class": (
        lambda f: train_feature_network(data.Split(IMAGES, torch.zeros(30, dtype=torch.long))),
        ValueError,
        ["split.labels", "two classes", "without labels"],
    ),
    "labels that are hidden by a number": (
        lambda f: train(data.Split(IMAGES, torch.full((30,), -1))),
        ValueError,
        ["data's labels", "at least 0", "labelled"],
    ),
    "a feature network of a whole dataset": (
        lambda f: train_feature_network(load("digits")),
        TypeError,
        ["split", "data.train", "Dataset"],
    ),
    "the distance of one feature": (lambda f: feature_fid(CODES[:1], CODES), ValueError, ["real", "at least 2"]),
    "features of two networks": (lambda f: feature_fid(CODES, CODES[:, :1]), ValueError, ["fake", "(N, 2)", "(30, 1)"]),
    "more neighbours than features": (
        lambda f: precision_recall(CODES, CODES[:3]),
        ValueError,
        ["k is 3", "only 3 features"],
    ),
    "a probe for one class": (
        lambda f: label_probe(CODES, LABELLED.labels * 0, CODES, LABELLED.labels),
        ValueError,
        ["train_labels", "one class"],
    ),
    "modes of a prior without regions": (
        lambda f: mode_accuracy(CODES, LABELLED.labels, Gaussian(2)),
        ValueError,
        ["Gaussian", "no regions"],
    ),
    "modes of no prior": (lambda f: mode_accuracy(CODES, LABELLED.labels, None), TypeError, ["prior", "None"]),
    "fewer modes than classes": (
        lambda f: mode_accuracy(CODES, LABELLED.labels, GaussianMixture(components=2)),
        ValueError,
        ["labels", "below 2", "2"],
    ),
    # Data files
    "corrupt MNIST": (
        lambda f: load("mnist", root=f / "root"),
        DataError,
        ["train-images-idx3-ubyte", "corrupt or truncated"],
    ),
    "truncated .npz": (lambda f: load(f / "truncated.npz"), DataError, ["truncated.npz", "truncated, corrupt"]),
    "objects in an .npz": (lambda f: load(f / "objects.npz"), DataError, ["objects.npz", "Python objects"]),
    "an .npz without images": (lambda f: load(f / "unnamed.npz"), DataError, ["unnamed.npz", "'images'"]),
    "an .npz with too few labels": (
        lambda f: load(f / "few-labels.npz"),
        ValueError,
        ["labels", "few-labels.npz", "(30,)", "(29,)"],
    ),
    "an .npz beyond [0, 1]": (lambda f: load(f / "wide.npz"), ValueError, ["images", "wide.npz", "[0, 1]", "1.5"]),
    "a picture instead of an .npz": (lambda f: load(f / "picture.png"), DataError, ["picture.png", ".npz"]),
    "a broken picture": (lambda f: load(f / "pictures"), DataError, ["broken.png", "cannot be read as a picture"]),
    "a folder without pictures": (lambda f: load(f / "nothing"), DataError, ["nothing", "no pictures"]),
    "an absent data file": (lambda f: load(f / "absent.npz"), DataError, ["name", "absent.npz", "no such file"]),
    "no network": (
        lambda f: without_network("mnist", f / "nothing"),
        DataError,
        ["'mnist'", "network is unreachable", "AAE_DATA", "load('digits')"],
    ),
    "no network, SVHN": (
        lambda f: without_network("svhn", f / "nothing"),
        DataError,
        ["'svhn'", "network is unreachable", "AAE_DATA", "train_32x32.mat"],
    ),
    # Weights files and checkpoints
    "absent weights": (lambda f: restore(f / "absent.safetensors"), DataError, ["absent.safetensors", "no file"]),
    "a folder of weights": (lambda f: restore(f), DataError, ["there is no file"]),
    "truncated weights": (
        lambda f: restore(f / "truncated.safetensors"),
        DataError,
        ["truncated.safetensors", "damaged"],
    ),
    "corrupt weights": (lambda f: restore(f / "corrupt.safetensors"), DataError, ["corrupt.safetensors", "damaged"]),
    "an empty weights file": (lambda f: restore(f / "empty.safetensors"), DataError, ["empty.safetensors", "damaged"]),
    "a pickle": (lambda f: restore(f / "pickle.safetensors"), DataError, ["pickle.safetensors", "damaged"]),
    "another program's weights": (
        lambda f: restore(f / "foreign.safetensors"),
        DataError,
        ["foreign.safetensors", "aae_lib did not write it"],
    ),
    "weights of another system": (
        lambda f: restore(f / "good.safetensors", into=Autoencoder(SHAPE, hidden=(8,))),
        DataError,
        ["good.safetensors", "another system", "'AdversarialAutoencoder' instead of 'Autoencoder'"],
    ),
    "weights of other settings": (
        lambda f: restore(f / "good.safetensors", into=aae(posterior="universal")),
        DataError,
        ["good.safetensors", "another system", "posterior 'deterministic' instead of 'universal'"],
    ),
    "weights into no system": (
        lambda f: restore(f / "good.safetensors", into=torch.nn.Linear(2, 2)),
        TypeError,
        ["system", "Linear"],
    ),
    "no system to save": (lambda f: save({}, f / "new.safetensors"), TypeError, ["system", "dict"]),
    "no system to fit": (lambda f: train(system=torch.nn.Linear(2, 2)), TypeError, ["system", "Linear"]),
    "truncated checkpoint": (
        lambda f: train(checkpoint=f / "truncated.checkpoint"),
        DataError,
        ["truncated.checkpoint", "damaged"],
    ),
    "corrupt checkpoint": (
        lambda f: train(checkpoint=f / "corrupt.checkpoint"),
        DataError,
        ["corrupt.checkpoint", "damaged"],
    ),
    "weights for a checkpoint": (
        lambda f: train(checkpoint=f / "good.safetensors"),
        DataError,
        ["good.safetensors", "no checkpoint"],
    ),
    "checkpoint of another system": (
        lambda f: train(checkpoint=f / "good.checkpoint", system=aae(hidden=(9,))),
        DataError,
        ["good.checkpoint", "another system", "hidden [8] instead of [9]"],
    ),
    "checkpoint of another recipe": (
        lambda f: train(checkpoint=f / "good.checkpoint", batch_size=15),
        DataError,
        ["good.checkpoint", "another recipe", "batch_size 10 instead of 15"],
    ),
    # Places
    "saving under a file": (
        lambda f: save(aae(), f / "file" / "new.safetensors"),
        StorageError,
        ["file", "cannot be written to", "choose another folder"],
    ),
    "saving into a folder's name": (lambda f: save(aae(), f / "nothing"), StorageError, ["nothing", "is a folder"]),
    "a checkpoint under a file": (
        lambda f: train(checkpoint=f / "file" / "new.checkpoint"),
        StorageError,
        ["file", "cannot be written to", "choose another folder"],
    ),
    "results under a file": (
        lambda f: experiments.run("aae-gaussian", profile="smoke", results=f / "file", checkpoints=f),
        StorageError,
        ["file", "cannot be written to"],
    ),
    "a full disk": (
        lambda f: on_a_full_disk(lambda: save(aae(seed=1), f / "new.safetensors")),
        StorageError,
        ["new.safetensors", "no space left", "free some space"],
    ),
    "a full disk under an old file": (
        lambda f: on_a_full_disk(lambda: save(aae(seed=1), f / "good.safetensors")),
        StorageError,
        ["good.safetensors", "no space left", "unchanged"],
    ),
    # Labels that a training sees
    "labels that the system does not use": (
        lambda f: train(LABELLED, labelled=torch.arange(10)),
        ValueError,
        ["labelled", "AdversarialAutoencoder", "leave it out"],
    ),
    "an unknown game": (lambda f: semi(style_game="conditonal"), ValueError, ["style_game", "mean 'conditional'"]),
    "a game from an update on": (
        lambda f: semi(style_game="conditional", conditional_from=5000),
        ValueError,
        ["conditional_from", "share", "below 1", "5000"],
    ),
    "a time for a game that sees no y": (
        lambda f: semi(conditional_from=0.5),
        ValueError,
        ["conditional_from is 0.5", "'marginal'", "style_game='conditional'"],
    ),
    "no labels to learn from": (lambda f: train(UNLABELLED, semi()), ValueError, ["labels", "none"]),
    "labels outside the classes": (lambda f: train(LABELLED, semi(classes=2)), ValueError, ["labels", "2 classes"]),
    "a class without a labelled image": (
        lambda f: train(LABELLED, semi(), labelled=torch.tensor([0, 1, 3, 4])),
        ValueError,
        ["labelled", "class 2", "balanced_subset"],
    ),
    "a class that has no image": (lambda f: train(LABELLED, semi(classes=4)), ValueError, ["labelled", "class 3"]),
    "labelled images outside the split": (
        lambda f: train(LABELLED, semi(), labelled=torch.tensor([0, 1, 30])),
        ValueError,
        ["labelled", "0 and 29", "30"],
    ),
    "a labelled image twice": (
        lambda f: train(LABELLED, semi(), labelled=torch.tensor([0, 1, 2, 2])),
        ValueError,
        ["labelled", "twice"],
    ),
    "no labelled image": (
        lambda f: train(LABELLED, semi(), labelled=torch.tensor([], dtype=torch.long)),
        ValueError,
        ["labelled", "at least one"],
    ),
    "a mask of labelled images": (
        lambda f: train(LABELLED, semi(), labelled=LABELLED.labels == 1),
        ValueError,
        ["labelled", "indices", "torch.bool"],
    ),
    "labelled as a list": (lambda f: train(LABELLED, semi(), labelled=[0, 1, 2]), TypeError, ["labelled", "list"]),
    "a number of labelled images": (lambda f: train(LABELLED, semi(), labelled=100), TypeError, ["labelled", "int"]),
    "more labels than images": (lambda f: LABELLED.balanced_subset(60), ValueError, ["count", "60", "10"]),
    "labels that cannot be balanced": (
        lambda f: LABELLED.balanced_subset(10),
        ValueError,
        ["count", "10", "3 classes"],
    ),
    "labels in a prior without regions": (
        lambda f: aae(labelled_prior=True),
        ValueError,
        ["labelled_prior", "GaussianMixture()"],
    ),
    # Hold-out images
    "validation that is a whole dataset": (
        lambda f: train(validation=load("digits")),
        TypeError,
        ["validation", "whole dataset", "data.validation"],
    ),
    "validation of another shape": (
        lambda f: train(validation=torch.zeros(3, 1, 5, 5)),
        ValueError,
        ["validation", "(1, 5, 5)", "(1, 4, 4)"],
    ),
    "no validation images": (lambda f: train(validation=IMAGES[:0]), ValueError, ["validation is empty"]),
    "one validation image": (lambda f: train(validation=IMAGES[:1]), ValueError, ["validation", "at least 2"]),
    "validation by name": (lambda f: train(validation="validation"), TypeError, ["validation", "str"]),
    "validation as a share": (lambda f: train(validation=0.1), TypeError, ["validation", "float"]),
    "validation in grey levels": (
        lambda f: train(validation=FLOATS * 255),
        ValueError,
        ["validation", "[0, 1]", "255"],
    ),
    "validation without the labels that are learnt": (
        lambda f: train(LABELLED, semi(), validation=UNLABELLED),
        ValueError,
        ["validation's labels", "needed"],
    ),
    "validation with labels for some": (
        lambda f: train(LABELLED, semi(), validation=Split(IMAGES, torch.arange(29) % 3)),
        ValueError,
        ["validation's labels", "(30,)", "(29,)"],
    ),
    "validation of other classes": (
        lambda f: train(LABELLED, semi(), validation=Split(IMAGES, torch.arange(30) % 4)),
        ValueError,
        ["validation's labels", "3", "classes"],
    ),
    "validation of another checkpoint": (
        lambda f: train(checkpoint=f / "good.checkpoint", validation=IMAGES),
        DataError,
        ["good.checkpoint", "validation"],
    ),
    "one cluster": (
        lambda f: ClusteringAdversarialAutoencoder(SHAPE, clusters=1),
        ValueError,
        ["clusters", "at least 2"],
    ),
    "clusters as text": (
        lambda f: ClusteringAdversarialAutoencoder(SHAPE, clusters="16"),
        TypeError,
        ["clusters", "'16'"],
    ),
    "a batch of one image with batch norm": (
        lambda f: train(system=ClusteringAdversarialAutoencoder(SHAPE, hidden=(8,)), batch_size=1),
        ValueError,
        ["batch_size", "batch norm", "at least 2"],
    ),
    "a negative learning rate": (lambda f: SGD(-0.1), ValueError, ["learning_rate", "at least 0", "-0.1"]),
    "a momentum of 1": (lambda f: SGD(0.1, momentum=1.0), ValueError, ["momentum", "below 1"]),
    "a step divided by 0": (lambda f: SGD(0.1, drops={3: 0}), ValueError, ["drops", "above 0"]),
    "a map of no dimensions": (
        lambda f: DimensionalityReductionAdversarialAutoencoder(SHAPE, latent_dim=0),
        ValueError,
        ["latent_dim", "at least 1"],
    ),
    "convolutions without channels": (
        lambda f: aae(body="convolutional", hidden=()),
        ValueError,
        ["hidden is empty", "convolutional"],
    ),
    "a uniform prior without end": (lambda f: Uniform(2, float("-inf"), 1.0), ValueError, ["low", "finite"]),
    "a uniform prior of words": (lambda f: Uniform(2, "a", "b"), TypeError, ["low", "'a'"]),
    "a VAE with a uniform prior": (lambda f: vae(Uniform(2)), ValueError, ["prior", "ELBO", "Gaussian(2)"]),
    "a seed too large": (lambda f: train(seed=2**64), ValueError, ["seed", "2**32"]),
    "a subset of a negative seed": (lambda f: LABELLED.balanced_subset(3, seed=-1), ValueError, ["seed", "-1"]),
    "a consistency below 0": (
        lambda f: ClusteringAdversarialAutoencoder(SHAPE, consistency=-0.1),
        ValueError,
        ["consistency", "at least 0", "-0.1"],
    ),
    "more clusters than images": (
        lambda f: train(
            system=ClusteringAdversarialAutoencoder(SHAPE, clusters=31, hidden=(8,), discriminator_hidden=(8,))
        ),
        ValueError,
        ["clusters", "31", "30"],
    ),
    "a head distance below 0": (
        lambda f: DimensionalityReductionAdversarialAutoencoder(SHAPE, head_distance=-1.0),
        ValueError,
        ["head_distance", "at least 0", "-1"],
    ),
    "one fixed head for two dimensions": (
        lambda f: DimensionalityReductionAdversarialAutoencoder(SHAPE, fixed_heads=10.0),
        ValueError,
        ["fixed_heads", "latent_dim is 2", "classes is 10"],
    ),
    "contents outside the classes": (
        lambda f: semi().decode(torch.zeros(2, 2), torch.tensor([0, 3])),
        ValueError,
        ["labels", "below 3", "3"],
    ),
    "contents of another number": (
        lambda f: semi().decode(torch.zeros(2, 2), torch.zeros(2, 4)),
        ValueError,
        ["labels", "(2, 3)", "(2, 4)"],
    ),
    "no contents": (lambda f: semi().decode(torch.zeros(2, 2), None), ValueError, ["labels", "needed"]),
    "no kernel": (
        lambda f: GenerativeMomentMatchingNetwork(SHAPE, prior=Gaussian(2), bandwidths=()),
        ValueError,
        ["bandwidths", "at least one"],
    ),
    "a kernel of width 0": (
        lambda f: GenerativeMomentMatchingNetwork(SHAPE, prior=Gaussian(2), bandwidths=(1.0, 0.0)),
        ValueError,
        ["bandwidths", "above 0"],
    ),
    "a VAE where an autoencoder is wanted": (
        lambda f: GenerativeMomentMatchingNetwork(SHAPE, prior=Gaussian(2), autoencoder=vae(Gaussian(2))),
        TypeError,
        ["autoencoder", "VariationalAutoencoder"],
    ),
    "an autoencoder of other images": (
        lambda f: GenerativeMomentMatchingNetwork(SHAPE, prior=Gaussian(2), autoencoder=Autoencoder((1, 5, 5))),
        ValueError,
        ["autoencoder", "(1, 5, 5)", "(1, 4, 4)"],
    ),
    # Widgets
    "style matrix of one content": (
        lambda f: widgets.style_matrix(aae()),
        TypeError,
        ["AdversarialAutoencoder", "explore"],
    ),
    "style matrix, names for some": (
        lambda f: widgets.style_matrix(semi(), names=["a"]),
        ValueError,
        ["names", "3", "'a'"],
    ),
    "explorer of two inputs": (lambda f: widgets.explore(semi()), TypeError, ["label", "style_matrix(system)"]),
    "clusters of a system without": (lambda f: widgets.cluster_browser(aae(), IMAGES), TypeError, ["clusters"]),
    "cluster names for some": (
        lambda f: widgets.cluster_browser(semi(), IMAGES, names=torch.arange(2)),
        ValueError,
        ["names", "3 whole numbers", "(2,)"],
    ),
    "walk along no curve": (lambda f: widgets.walk(aae()), TypeError, ["prior", "SwissRoll()", "Gaussian"]),
    "walk out of the plane": (
        lambda f: widgets.walk(aae(prior=Gaussian(3)), SwissRoll()),
        ValueError,
        ["system", "plane", "SwissRoll()"],
    ),
    "sigmas of which the best is the last": (
        lambda f: widgets.sigma_slider(IMAGES[:20], IMAGES[20:], [0.001, 0.002, 0.003]),
        ValueError,
        ["sigmas", "0.003", "upper edge"],
    ),
    # Likelihoods and clusters
    "sigma 0": (lambda f: parzen_log_likelihood(IMAGES, IMAGES, sigma=0), ValueError, ["sigma", "above 0"]),
    "sigma -1": (lambda f: parzen_log_likelihood(IMAGES, IMAGES, sigma=-1.0), ValueError, ["sigma", "above 0", "-1"]),
    "samples of another shape": (
        lambda f: parzen_log_likelihood(torch.zeros(3, 1, 5, 5), IMAGES, sigma=0.2),
        ValueError,
        ["samples", "(1, 5, 5)", "(1, 4, 4)"],
    ),
    "no samples": (lambda f: parzen_log_likelihood(iter(()), IMAGES, sigma=0.2), ValueError, ["samples", "empty"]),
    "NaN samples": (lambda f: parzen_log_likelihood(with_first(float("nan")), IMAGES, sigma=1), ValueError, ["NaN"]),
    "a grid of one sigma": (lambda f: choose_sigma(IMAGES, IMAGES, [0.2]), ValueError, ["sigmas", "increasing"]),
    "a grid upside down": (lambda f: choose_sigma(IMAGES, IMAGES, [3, 2, 1]), ValueError, ["sigmas", "increasing"]),
    "the standard error of one image": (
        lambda f: mean_and_standard_error(torch.zeros(1)),
        ValueError,
        ["nats", "at least 2"],
    ),
    "logits of one cluster": (
        lambda f: name_clusters(torch.ones(30, 1), LABELLED.labels),
        ValueError,
        ["logits", "one cluster"],
    ),
    "more clusters than images to name them": (
        lambda f: name_clusters(torch.full((3, 4), 0.5), LABELLED.labels[:3]),
        ValueError,
        ["logits", "4 clusters", "3 images"],
    ),
    "probabilities for logits": (
        lambda f: name_clusters(CODES.softmax(dim=1), LABELLED.labels),
        ValueError,
        ["logits", "sum to 1"],
    ),
    "logits of a system that diverged": (
        lambda f: name_clusters(CODES.log(), LABELLED.labels),
        ValueError,
        ["logits", "NaN", "diverged"],
    ),
    "infinite logits": (
        lambda f: name_clusters(CODES / 0, LABELLED.labels),
        ValueError,
        ["logits", "+inf"],
    ),
    "rows of clusters that are all impossible": (
        lambda f: name_clusters(torch.full((30, 3), -torch.inf), LABELLED.labels),
        ValueError,
        ["logits", "-inf alone"],
    ),
    "the logits of one image": (
        lambda f: name_clusters(CODES[0], LABELLED.labels[:1]),
        ValueError,
        ["logits", "(N, K)"],
    ),
    "whole numbers for logits": (
        lambda f: name_clusters(torch.ones(30, 3, dtype=torch.int64), LABELLED.labels),
        TypeError,
        ["logits", "floating point"],
    ),
    "an unknown naming rule": (
        lambda f: name_clusters(CODES, LABELLED.labels, rule="majorty"),
        ValueError,
        ["rule", "did you mean 'majority'"],
    ),
    "test clusters of another system": (
        lambda f: clustering_error(CODES, LABELLED.labels, torch.zeros(30, 3), LABELLED.labels),
        ValueError,
        ["test_logits", "3 clusters", "2"],
    ),
    "samples that are no images": (
        lambda f: parzen_log_likelihood(None, IMAGES, sigma=0.2),
        TypeError,
        ["samples", "NoneType", "Samples(system"],
    ),
    "samples of whole numbers": (
        lambda f: parzen_log_likelihood(torch.ones(3, 1, 4, 4).long(), IMAGES, sigma=0.2),
        TypeError,
        ["samples", "uint8", "int64"],
    ),
    "no samples to draw": (lambda f: Samples(aae(), 0), ValueError, ["count", "at least 1"]),
    "chunks of no samples": (lambda f: Samples(aae(), 10, chunk=0), ValueError, ["chunk", "at least 1"]),
    # Figures of the paper
    "a matrix that is no matrix": (
        lambda f: figures.style_content(None, torch.rand(4, 1, 2, 2)),
        ValueError,
        ["images", "5 dimensions", "unflatten"],
    ),
    "names without labels": (
        lambda f: figures.cluster_rows(
            torch.rand(2, 1, 2, 2), torch.rand(4, 1, 2, 2), torch.zeros(4).long(), None, torch.zeros(2).long()
        ),
        ValueError,
        ["labels and names"],
    ),
    "neighbours of another shape": (
        lambda f: figures.samples_with_neighbours(torch.rand(4, 1, 2, 2), torch.rand(4, 1, 5, 5), 2),
        ValueError,
        ["images", "(1, 5, 5)", "samples"],
    ),
    "an error of 0 on a log axis": (
        lambda f: figures.learning_curves({"a": ([1, 2], [0.0, 5.0])}),
        ValueError,
        ["errors of 'a'", "above 0"],
    ),
    "a diagram of nothing": (
        lambda f: figures.network_diagram("supervise"),
        ValueError,
        ["kind", "did you mean 'supervised'"],
    ),
}


def everything_in(folder: Path) -> dict[str, bytes | None]:
    """Every path under ``folder``, hidden ones too, with its content."""
    return {str(path): path.read_bytes() if path.is_file() else None for path in sorted(folder.rglob("*"))}


@pytest.mark.parametrize("what", TABLE)
def test_bad_input_is_refused_in_one_sentence_and_nothing_is_written(what, folder, monkeypatch):
    act, error, words = TABLE[what]
    monkeypatch.chdir(folder)
    before = everything_in(folder)
    with pytest.raises(error) as caught:
        act(folder)
    sentence = str(caught.value).replace(str(folder), "")  # whose name holds words of its own
    assert "\n" not in sentence
    assert len(sentence) >= 40 and sentence.endswith(".")
    for word in words:
        assert word in sentence
    assert everything_in(folder) == before


def test_a_full_disk_under_a_checkpoint_is_warned_of_and_ends_no_training(folder):
    before = everything_in(folder)
    with full_disk(), pytest.warns(UserWarning, match="out of date: .*good.checkpoint .*no space left.*unchanged"):
        history = train(checkpoint=folder / "good.checkpoint", epochs=2)
    assert history.epochs_done == 2
    assert everything_in(folder) == before
