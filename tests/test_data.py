"""Datasets: what is loaded, how it is divided, and what is refused. Offline; public sets are tiny fakes."""

from __future__ import annotations

import gzip
import hashlib
import re
import struct
import threading
import time
import urllib.error
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.io import savemat
from torchvision import datasets

from aae_lib.checks import DataError, StorageError
from aae_lib.data import Split, downloads, house_numbers, load

RANDOM = np.random.default_rng(0)
URLOPEN = downloads.urllib.request.urlopen


@pytest.fixture(autouse=True)
def no_data_no_network(monkeypatch, tmp_path):
    """No data root but what a test makes, and no network."""
    monkeypatch.setattr(downloads, "__file__", str(tmp_path / "package" / "data" / "downloads.py"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AAE_DATA", raising=False)

    def refuse(*_, **__):
        raise urllib.error.URLError("no network in tests")

    monkeypatch.setattr(downloads.urllib.request, "urlopen", refuse)


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def fake_mnist(root: Path, kind: str = "MNIST") -> np.ndarray:
    """60 training and 20 test images of 28x28 in MNIST's own files; returns the training images."""
    raw = root / kind / "raw"
    raw.mkdir(parents=True)
    for part, count in (("train", 60), ("t10k", 20)):
        images = RANDOM.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        (raw / f"{part}-images-idx3-ubyte").write_bytes(idx(images))
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(idx((np.arange(count) % 10).astype(np.uint8)))
        if part == "train":
            training = images
    return training


def rows(split: Split) -> set[bytes]:
    return {image.tobytes() for image in split.images.numpy()}


# What is loaded


@pytest.mark.parametrize(("name", "kind"), [("mnist", "MNIST"), ("fashion-mnist", "FashionMNIST")])
def test_the_last_sixth_of_the_training_file_validates(tmp_path, name, kind):
    images = fake_mnist(tmp_path, kind)
    data = load(name, root=tmp_path)
    assert (data.name, data.image_shape, len(data.classes)) == (name, (1, 28, 28), 10)
    assert [len(split) for split in (data.train, data.validation, data.test)] == [50, 10, 20]
    assert np.array_equal(data.train.images[:, 0], images[:50])
    assert np.array_equal(data.validation.images[:, 0], images[50:])
    assert data.validation.labels.tolist() == list(range(10))
    assert (data.train.images.dtype, data.train.labels.dtype) == (torch.uint8, torch.int64)


def test_roots_are_tried_in_order(tmp_path, monkeypatch):
    for place in ("argument", "variable", "data"):
        fake_mnist(tmp_path / place)
    monkeypatch.setenv("AAE_DATA", str(tmp_path / "variable"))
    assert downloads.locate("mnist", tmp_path / "argument")[0].is_relative_to(tmp_path / "argument")
    assert downloads.locate("mnist", tmp_path / "empty")[0].is_relative_to(tmp_path / "variable")
    monkeypatch.delenv("AAE_DATA")
    assert downloads.locate("mnist")[0].is_relative_to(tmp_path / "data")


def test_svhn_channels_labels_and_splits(tmp_path, monkeypatch):
    x = RANDOM.integers(0, 256, (32, 32, 3, 50), dtype=np.uint8)
    checksums = {}
    for part in ("train", "test"):
        file = tmp_path / f"{part}_32x32.mat"
        savemat(file, {"X": x, "y": (np.arange(50) % 10 + 1)[:, None]})  # SVHN calls the zero 10
        checksums[part] = ["", file.name, hashlib.md5(file.read_bytes()).hexdigest()]
    monkeypatch.setattr(datasets.SVHN, "split_list", checksums)
    data = load("svhn", root=tmp_path)
    assert [len(split) for split in (data.train, data.validation, data.test)] == [45, 5, 50]
    assert torch.equal(data.test.images, torch.from_numpy(x.transpose(3, 2, 0, 1).copy()))
    assert data.test.labels[:10].tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0]
    (tmp_path / "train_32x32.mat").write_bytes(b"broken")
    with pytest.raises(DataError, match=r"train_32x32\.mat is corrupt"):
        load("svhn", root=tmp_path)


def test_digits_use_the_whole_range_and_are_stratified():
    data = load("digits")
    assert (data.name, data.image_shape) == ("digits", (1, 8, 8))
    assert [len(split) for split in (data.train, data.validation, data.test)] == [1257, 270, 270]
    assert (int(data.train.images.min()), int(data.train.images.max())) == (0, 255)
    for split in (data.validation, data.test):
        counts = torch.bincount(split.labels)
        assert counts.max() - counts.min() <= 3
    assert torch.equal(load("digits").train.images, data.train.images)
    assert not torch.equal(load("digits", seed=1).train.images, data.train.images)


def test_house_numbers_are_balanced_seeded_and_called_synthetic(monkeypatch):
    draw = house_numbers.draw
    monkeypatch.setattr(house_numbers, "draw", lambda count, seed: draw(count // 100, seed))
    data = load("house-numbers")
    assert "synthetic" in data.name and data.image_shape == (3, 32, 32)
    assert [len(split) for split in (data.train, data.validation, data.test)] == [200, 20, 40]
    assert torch.bincount(data.train.labels).tolist() == [20] * 10
    assert not rows(data.train) & rows(data.test)
    assert torch.equal(load("house-numbers").train.images, data.train.images)
    assert not rows(load("house-numbers", seed=1).train) & rows(data.train)


def test_house_numbers_show_their_digit():
    """A linear classifier reads far more of them than the tenth that guessing gives."""
    from sklearn.linear_model import RidgeClassifier

    (x, y), (x_test, y_test) = house_numbers.draw(1000, seed=0), house_numbers.draw(300, seed=1)

    def features(images: torch.Tensor) -> np.ndarray:  # how far each grey pixel is from its picture's mean
        grey = images.float().mean(dim=1).flatten(1)
        return ((grey - grey.mean(dim=1, keepdim=True)) / grey.std(dim=1, keepdim=True)).abs().numpy()

    assert RidgeClassifier(alpha=100).fit(features(x), y).score(features(x_test), y_test) > 0.5


# A reader's own pictures


def save_pictures(folder: Path, count: int, size: tuple[int, int] = (20, 14), mode: str = "RGB") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        pixels = RANDOM.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
        Image.fromarray(pixels).convert(mode).save(folder / f"{index:03}.png")


def test_a_plain_folder_has_no_labels(tmp_path):
    save_pictures(tmp_path / "cats", 10)
    data = load(tmp_path / "cats")
    assert (data.name, data.image_shape, data.classes) == ("cats", (3, 14, 20), None)
    assert [len(split) for split in (data.train, data.validation, data.test)] == [8, 1, 1]
    assert data.train.labels is None


@pytest.mark.filterwarnings("ignore:The pictures")
def test_pictures_are_cut_from_the_centre(tmp_path):
    pixels = np.zeros((10, 30), dtype=np.uint8)
    pixels[:, 10:20] = RANDOM.integers(0, 256, (10, 10))
    (tmp_path / "wide").mkdir()
    for index in range(3):
        Image.fromarray(np.pad(pixels, ((0, 0), (index, index)))).save(tmp_path / "wide" / f"{index}.png")
    data = load(tmp_path / "wide")
    assert all(np.array_equal(image[0], pixels[:, 10:20]) for image in data.train.images)
    assert load(tmp_path / "wide", image_size=6).image_shape == (1, 6, 6)


@pytest.mark.filterwarnings("ignore:The pictures")
def test_pictures_that_share_one_size_keep_its_shape(tmp_path):
    pixels = RANDOM.integers(0, 256, (28, 20), dtype=np.uint8)
    for index in range(3):
        Image.fromarray(pixels).save(tmp_path / f"{index}.png")
    data = load(tmp_path)
    assert data.image_shape == (1, 28, 20) and np.array_equal(data.train.images[0, 0], pixels)
    turned = Image.fromarray(pixels.T.copy())
    exif = turned.getexif()
    exif[0x0112] = 6  # the camera was held upright
    turned.save(tmp_path / "2.png", exif=exif)
    assert load(tmp_path).image_shape == (1, 28, 20)
    for index in range(3):
        Image.new("L", (320, 160)).save(tmp_path / f"{index}.png")
    assert load(tmp_path).image_shape == (1, 64, 128)
    assert load(tmp_path, image_size=16).image_shape == (1, 16, 16)


@pytest.mark.filterwarnings("ignore:The pictures")
def test_sub_folders_are_classes_and_hidden_ones_are_not(tmp_path):
    save_pictures(tmp_path / "zoo" / "cat", 20, mode="L")
    save_pictures(tmp_path / "zoo" / "dog", 10, (100, 90), mode="L")
    save_pictures(tmp_path / "zoo" / "cat" / ".ipynb_checkpoints", 5)
    save_pictures(tmp_path / "zoo" / ".cache", 5)
    data = load(tmp_path / "zoo")
    assert (data.classes, data.image_shape) == (("cat", "dog"), (1, 14, 14))
    assert torch.bincount(data.train.labels).tolist() == [16, 8]
    assert torch.bincount(data.test.labels).tolist() == [2, 1]


@pytest.mark.filterwarnings("ignore:The pictures")
@pytest.mark.filterwarnings("ignore:.*holds pictures itself")
def test_one_colour_picture_makes_all_rgb_and_large_ones_are_capped(tmp_path):
    save_pictures(tmp_path / "mixed", 3, (200, 150), mode="L")
    save_pictures(tmp_path / "mixed" / "more", 1)  # beside pictures, a sub-folder is no class
    Image.new("RGB", (150, 150), "red").save(tmp_path / "mixed" / "colour.jpg")
    assert load(tmp_path / "mixed").image_shape == (3, 64, 64)


@pytest.mark.parametrize("layout", ["NHW", "NHWC", "NCHW", "float"])
def test_npz_layouts(tmp_path, layout):
    x = RANDOM.integers(0, 256, (9, 1 if layout == "NHW" else 3, 6, 5), dtype=np.uint8)
    images = {"NHW": x[:, 0], "NHWC": x.transpose(0, 2, 3, 1), "NCHW": x, "float": x / 255}[layout]
    np.savez(tmp_path / "own.npz", images=images, labels=np.arange(9) % 3, split=np.repeat([2, 0, 1], 3))
    data = load(tmp_path / "own.npz")
    assert (data.name, data.classes) == ("own", ("0", "1", "2"))
    assert np.array_equal(data.test.images, x[:3])
    assert np.array_equal(data.train.images, x[3:6])
    assert np.array_equal(data.validation.images, x[6:])


def test_npz_without_split_is_divided_and_may_name_its_classes(tmp_path):
    x = RANDOM.integers(0, 256, (50, 4, 4), dtype=np.uint8)
    np.savez(tmp_path / "own.npz", images=x, labels=np.arange(50) % 2, class_names=["no", "yes"])
    data = load(tmp_path / "own.npz")
    assert data.classes == ("no", "yes")
    assert [len(split) for split in (data.train, data.validation, data.test)] == [40, 5, 5]
    assert len(rows(data.train) | rows(data.validation) | rows(data.test)) == 50
    np.savez(tmp_path / "bare.npz", images=x)
    assert load(tmp_path / "bare.npz").train.labels is None


# Labelled subsets


def test_balanced_subsets_are_balanced_seeded_and_nested():
    train = load("digits").train
    indices = train.balanced_subset(100, seed=3)
    assert indices.shape == (100,) and indices.dtype == torch.int64
    assert torch.bincount(train.take(indices).labels).tolist() == [10] * 10
    assert torch.equal(indices, train.balanced_subset(100, seed=3))
    assert not torch.equal(indices, train.balanced_subset(100, seed=4))
    assert set(indices.tolist()) < set(train.balanced_subset(1000, seed=3).tolist())


def test_balanced_subsets_are_the_same_on_every_machine():
    split = Split(torch.zeros(40, 1, 1, 1, dtype=torch.uint8), torch.arange(40) % 4)
    assert split.balanced_subset(8, seed=0).tolist() == [7, 8, 10, 13, 14, 21, 27, 32]


@pytest.mark.parametrize(
    ("labels", "count", "sentence"),
    [
        (None, 10, "labels is needed here"),
        (torch.arange(40) % 4, 10, "4 classes cannot share evenly"),
        (torch.arange(40) % 4, 44, "class 0 has 10; ask for fewer"),
        (torch.arange(40) % 4, 0, "count must be at least 1"),
    ],
)
def test_impossible_subsets_are_refused(labels, count, sentence):
    split = Split(torch.zeros(40, 1, 1, 1, dtype=torch.uint8), labels)
    with pytest.raises(ValueError, match=sentence):
        split.balanced_subset(count)


# Bad input


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        ({"name": "minst"}, ValueError, "path of a folder.*did you mean 'mnist'"),
        ({"name": ""}, ValueError, "unknown"),
        ({"name": 3}, TypeError, "name must be the name of a dataset, a path, .*, but it is an int"),
        ({"name": "pictures/cats"}, DataError, "'pictures/cats', but there is no such file or folder"),
        ({"name": Path("cats")}, DataError, "no such file or folder"),
        ({"name": "mnist", "fallback": "digit"}, ValueError, "fallback is 'digit'.*did you mean 'digits'"),
        ({"name": "digits", "image_size": 16}, ValueError, "image_size is for folders of pictures"),
        ({"name": "digits", "image_size": 0}, ValueError, "image_size must be at least 1"),
    ],
)
def test_bad_arguments(arguments, error, sentence):
    with pytest.raises(error, match=sentence):
        load(**arguments)


def test_an_empty_folder_and_too_few_pictures(tmp_path):
    (tmp_path / "cats").mkdir()
    with pytest.raises(DataError, match="cats holds no pictures"):
        load(tmp_path / "cats")
    save_pictures(tmp_path / "cats", 2)
    with pytest.raises(DataError, match="there are 2 images, too few for 3 splits"):
        load(tmp_path / "cats")


GREY = np.zeros((6, 4, 4), dtype=np.uint8)


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"pixels": GREY}, "no array named 'images', only \\['pixels'\\]"),
        ({"images": GREY.astype(np.int64)}, "must be uint8 .* but they are int64"),
        ({"images": GREY.astype(str)}, "must be uint8"),
        ({"images": GREY.astype(object)}, "holds Python objects"),
        ({"images": GREY.reshape(6, 16)}, "must have shape .* but it is \\(6, 16\\)"),
        ({"images": np.zeros((6, 4, 4, 2), np.uint8)}, "C of 1 or 3"),
        ({"images": GREY[:0]}, "is empty"),
        ({"images": GREY + 1.5}, "must lie in \\[0, 1\\]"),
        ({"images": GREY * np.nan}, "NaN pixels"),
        ({"images": GREY[:2]}, "too few for 3 splits"),
        ({"images": GREY, "labels": [0, 1]}, "labels .* must have shape \\(6,\\)"),
        ({"images": GREY, "labels": [-1] * 6}, "labels .* at least 0"),
        ({"images": GREY, "labels": ["cat"] * 6}, "labels .* must be whole numbers"),
        ({"images": GREY, "labels": [0, 1, 2] * 2, "class_names": ["a", "b"]}, "class_names .* are 2"),
        ({"images": GREY, "split": [0, 1, 2]}, "split .* must have shape \\(6,\\)"),
        ({"images": GREY, "split": [0, 0, 0, 1, 2, 3]}, "holds \\[0, 1, 2, 3\\]"),
        ({"images": GREY, "split": [0] * 6}, "all three"),
    ],
)
def test_bad_npz(tmp_path, arrays, sentence):
    np.savez(tmp_path / "own.npz", **arrays)
    with pytest.raises(ValueError, match=sentence) as caught:
        load(tmp_path / "own.npz")
    assert "own.npz" in str(caught.value) or "too few" in sentence


def test_a_truncated_npz_and_a_file_that_is_none(tmp_path):
    np.savez(tmp_path / "own.npz", images=GREY)
    whole = (tmp_path / "own.npz").read_bytes()
    np.save(tmp_path / "array.npy", GREY)
    for content in (whole[:100], whole[:-40], b"", b"text", (tmp_path / "array.npy").read_bytes()):
        (tmp_path / "own.npz").write_bytes(content)
        with pytest.raises(DataError, match=r"own\.npz cannot be read as an \.npz file"):
            load(tmp_path / "own.npz")


@pytest.mark.parametrize("file", downloads.IDX_FILES)
@pytest.mark.parametrize("kept", [0, 3, 12, -1])
def test_truncated_mnist_files_are_named(tmp_path, file, kept):
    fake_mnist(tmp_path)
    path = tmp_path / "MNIST" / "raw" / file
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(DataError, match=f"{file} is corrupt or truncated; delete it and load again"):
        load("mnist", root=tmp_path, fallback="digits")


def test_labels_that_do_not_fit_their_images(tmp_path):
    fake_mnist(tmp_path)
    labels = tmp_path / "MNIST" / "raw" / "train-labels-idx1-ubyte"
    for wrong in (np.zeros(59, np.uint8), np.full(60, 10, np.uint8)):
        labels.write_bytes(idx(wrong))
        with pytest.raises(DataError, match="train-labels-idx1-ubyte is corrupt"):
            load("mnist", root=tmp_path)


# The network


def test_without_network_the_three_ways_out_are_named(tmp_path):
    with pytest.raises(DataError, match=r"no network in tests.*AAE_DATA.*MNIST/raw.*load\('digits'\)") as caught:
        load("mnist")
    assert not re.search(r"\n|\. [A-Z]", str(caught.value))  # one sentence
    assert not any(tmp_path.iterdir())


def test_a_silent_network_does_not_hang(monkeypatch):
    over = threading.Event()

    def silence(*_, **__):
        over.wait()
        raise urllib.error.URLError("at last")

    monkeypatch.setattr(downloads, "PATIENCE", 0.2)
    monkeypatch.setattr(downloads.urllib.request, "urlopen", silence)
    start = time.monotonic()
    with pytest.raises(DataError, match=r"no answer within 0\.2 seconds"):
        load("mnist")
    over.set()
    assert time.monotonic() - start < 5


def test_the_fallback_is_said_loudly():
    with pytest.warns(UserWarning, match="This is 'digits' INSTEAD OF 'mnist'"):
        data = load("mnist", fallback="digits")
    assert data.name == "digits"


@pytest.fixture
def mirror(monkeypatch, tmp_path):
    """A server of the fake MNIST on this machine; returns the folder it serves."""
    served = tmp_path / "served"
    fake_mnist(served)
    resources = []
    for file in downloads.IDX_FILES:
        packed = gzip.compress((served / "MNIST" / "raw" / file).read_bytes())
        (served / f"{file}.gz").write_bytes(packed)
        resources.append((f"{file}.gz", hashlib.md5(packed).hexdigest()))

    class Silent(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=served)) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        monkeypatch.setattr(datasets.MNIST, "resources", resources)
        monkeypatch.setattr(datasets.MNIST, "mirrors", [f"http://127.0.0.1:{server.server_port}/"])
        monkeypatch.setattr(downloads.urllib.request, "urlopen", URLOPEN)
        yield served
        server.shutdown()


def test_a_download_is_complete_and_leaves_nothing_else(mirror, tmp_path, capfd):
    data = load("mnist", root=tmp_path / "root")
    assert rows(data.train) <= rows(load("mnist", root=mirror).train)
    assert {path.name for path in (tmp_path / "root").rglob("*") if path.is_file()} == set(downloads.IDX_FILES)
    assert "Downloading MNIST" in capfd.readouterr().out
    for file in mirror.glob("*.gz"):
        file.unlink()
    assert len(load("mnist", root=tmp_path / "root").train) == 50  # from disk


@pytest.mark.parametrize(
    ("interruption", "error"), [(KeyboardInterrupt(), KeyboardInterrupt), (OSError(28, "disk full"), DataError)]
)
def test_an_interrupted_download_leaves_nothing(mirror, tmp_path, monkeypatch, interruption, error):
    def interrupted(_):
        assert list((tmp_path / "root").rglob("*-ubyte"))  # some of it is on disk already
        raise interruption

    monkeypatch.setattr(datasets.mnist, "read_label_file", interrupted)
    with pytest.raises(error):
        load("mnist", root=tmp_path / "root")
    assert not any((tmp_path / "root").iterdir())


def test_a_damaged_download_is_refused(mirror, tmp_path):
    (mirror / "t10k-labels-idx1-ubyte.gz").write_bytes(b"damaged")
    with pytest.raises(DataError, match="cannot be downloaded"):
        load("mnist", root=tmp_path / "root")
    assert not any((tmp_path / "root").iterdir())


def test_an_incomplete_dataset_is_completed(mirror, tmp_path):
    fake_mnist(tmp_path / "root")
    (tmp_path / "root" / "MNIST" / "raw" / "t10k-labels-idx1-ubyte").unlink()
    assert torch.equal(load("mnist", root=tmp_path / "root").train.images, load("mnist", root=mirror).train.images)


def test_a_root_that_takes_no_files(mirror, tmp_path):
    (tmp_path / "root").write_text("a file where a folder should be")
    with pytest.raises(StorageError, match="root cannot be written to"):
        load("mnist", root=tmp_path / "root")
