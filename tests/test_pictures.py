"""A reader's own pictures: what each kind of file becomes, which files of a folder count, and what is in memory."""

from __future__ import annotations

import errno
import io
import os
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some
from PIL import Image

from aae_lib import files, fit, load
from aae_lib.checks import DataError
from aae_lib.data import downloads, folders, pictures
from aae_lib.figures import show_images
from aae_lib.priors import Gaussian
from aae_lib.systems import AdversarialAutoencoder, StyleAdversarialLatentAutoencoder
from aae_lib.widgets import explore

RANDOM = np.random.default_rng(0)
COLOUR = RANDOM.integers(0, 256, (10, 8, 3), dtype=np.uint8)  # (H, W, C), no square
GREY = COLOUR[:, :, 0]
WIDE = GREY.astype(np.uint16) * 257  # the same in 16 bits
links = pytest.mark.skipif(os.name == "nt", reason="on Windows only some users may make symbolic links")


@pytest.fixture(autouse=True)
def a_place_of_its_own(monkeypatch, tmp_path):
    """No data root but the test's, and every unexpected warning a failure."""
    monkeypatch.setattr(downloads, "__file__", str(tmp_path / "package" / "data" / "downloads.py"))
    monkeypatch.delenv("AAE_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        yield


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "own").mkdir()
    return tmp_path / "own"


def fill(folder: Path, count: int = 3, pixels: np.ndarray = GREY, ending: str = "png") -> None:
    """``count`` files of the same picture."""
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        Image.fromarray(pixels).save(folder / f"{index:03}.{ending}")


def only(file: Path) -> np.ndarray:
    """The image (C, H, W) that a file becomes."""
    images, _, said = pictures.read_files([file])
    assert not said
    return images[0].numpy()


# What a picture becomes

TRANSPARENT = np.where(np.arange(8) < 2, 0, 255).astype(np.uint8)[None].repeat(10, axis=0)  # (H, W): two clear columns
ON_PAPER = np.where(TRANSPARENT == 0, 255, GREY)
KINDS = {
    "rgb.png": (Image.fromarray(COLOUR), COLOUR),
    "grey.png": (Image.fromarray(GREY), GREY),
    "grey.pgm": (Image.fromarray(GREY), GREY),
    "alpha.png": (
        Image.fromarray(np.dstack([COLOUR, TRANSPARENT])),
        np.where(TRANSPARENT[:, :, None] == 0, 255, COLOUR),
    ),
    "grey-alpha.png": (Image.fromarray(np.dstack([GREY, TRANSPARENT]), "LA"), ON_PAPER),
    "grey-palette.png": (Image.fromarray(GREY).convert("P"), GREY),
    "grey-palette.gif": (Image.fromarray(GREY).convert("P"), GREY),
    "colours.gif": (Image.fromarray(COLOUR).quantize(80), COLOUR),
    "16.png": (Image.fromarray(WIDE), GREY),
    "16.tif": (Image.fromarray(WIDE), GREY),
    "16-big-endian.tif": (Image.fromarray(WIDE.astype(">u2")), GREY),
    "1.png": (Image.fromarray(GREY > 127), np.where(GREY > 127, 255, 0)),
    "1.tif": (Image.fromarray(GREY > 127), np.where(GREY > 127, 255, 0)),
    "cmyk.tif": (Image.fromarray(COLOUR).convert("CMYK"), COLOUR),
}


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_of_picture(tmp_path, name):
    picture, expected = KINDS[name]
    picture.save(tmp_path / name)
    expected = expected.reshape(10, 8, -1).transpose(2, 0, 1)
    assert np.array_equal(only(tmp_path / name), expected)


def test_transparent_colours_and_palettes_stand_on_white(tmp_path):
    picture = Image.fromarray(GREY).quantize(8)
    picture.save(tmp_path / "palette.png", transparency=bytes([0] * 8))
    assert (only(tmp_path / "palette.png") == 255).all()
    Image.fromarray(GREY).save(tmp_path / "grey.png", transparency=int(GREY[0, 0]))
    assert np.array_equal(only(tmp_path / "grey.png")[0], np.where(GREY == GREY[0, 0], 255, GREY))
    half = np.dstack([np.zeros_like(COLOUR), np.full_like(GREY, 51)])  # black, a fifth of it
    Image.fromarray(half).save(tmp_path / "half.png")
    assert (only(tmp_path / "half.png") == 204).all()


@pytest.mark.parametrize("ending", ["gif", "png", "webp", "tif"])
def test_the_first_frame_of_an_animation_counts(tmp_path, ending):
    frames = [Image.fromarray(COLOUR).quantize(80), Image.fromarray(255 - COLOUR).quantize(80)]
    if ending != "gif":
        frames = [frame.convert("RGB") for frame in frames]
    options = {"lossless": True} if ending == "webp" else {}
    frames[0].save(tmp_path / f"own.{ending}", save_all=True, append_images=frames[1:], **options)
    assert np.array_equal(only(tmp_path / f"own.{ending}"), COLOUR.transpose(2, 0, 1))


UPRIGHT = {
    1: lambda x: x,
    2: np.fliplr,
    3: lambda x: np.rot90(x, 2),
    4: np.flipud,
    5: np.transpose,
    6: lambda x: np.rot90(x, -1),
    7: lambda x: np.rot90(x, 2).T,
    8: np.rot90,
}


@pytest.mark.parametrize("ending", ["png", "tif", "webp"])
@pytest.mark.parametrize("turn", UPRIGHT)
def test_a_camera_s_turn_is_undone(tmp_path, turn, ending):
    picture = Image.fromarray(GREY.repeat(3).reshape(10, 8, 3))
    exif = picture.getexif()
    exif[pictures.ORIENTATION] = turn
    picture.save(tmp_path / f"own.{ending}", exif=exif, **({"lossless": True} if ending == "webp" else {}))
    assert np.array_equal(only(tmp_path / f"own.{ending}")[0], UPRIGHT[turn](GREY))


@settings(derandomize=True, deadline=None, max_examples=25)
@given(some.integers(1, 40), some.integers(1, 40), some.booleans(), some.integers(0, 2**32 - 1))
def test_any_shape_is_kept_to_the_pixel(tmp_path_factory, height, width, colour, seed):
    shape = (4, height, width, 3) if colour else (4, height, width)
    array = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    folder = tmp_path_factory.mktemp("own")
    for index, pixels in enumerate(array):
        Image.fromarray(pixels).save(folder / f"{index}.png")
    (images, _, _), said = folders.read_folder(folder)
    expected = array.transpose(0, 3, 1, 2) if colour else array[:, None]
    assert not said and np.array_equal(images, expected)
    assert np.array_equal(load(list(map(Image.fromarray, array[:3]))).train.images[0], expected[2])


# Sizes


@pytest.mark.parametrize(("height", "width"), [(28, 20), (112, 92), (128, 300)])
def test_small_pictures_of_one_size_are_left_as_they_are(folder, height, width):
    fill(folder, pixels=np.zeros((height, width), dtype=np.uint8))
    assert load(folder).image_shape == (1, height, width)


def test_large_pictures_are_shrunk_and_mixed_ones_cut_which_is_said(folder):
    fill(folder, pixels=np.zeros((300, 200), dtype=np.uint8))
    with pytest.warns(UserWarning, match=r"of 200x300 pixels \(width x height\) are scaled to 64x96; image_size"):
        assert load(folder).image_shape == (1, 96, 64)
    assert load(folder, image_size=(30, 20)).image_shape == (1, 30, 20)
    assert load(folder, image_size=16).image_shape == (1, 16, 16)
    Image.new("L", (40, 50)).save(folder / "other.png")
    with pytest.warns(UserWarning, match="2 sizes, from 40x50 to 200x300 pixels.*square and scaled to 64x64"):
        assert load(folder).image_shape == (1, 64, 64)


@pytest.mark.parametrize(("size", "sentence"), [((64, 64, 3), "a side or"), ((), "a side or"), ((4, 0), "at least 1")])
def test_a_size_that_is_none(folder, size, sentence):
    fill(folder)
    with pytest.raises(ValueError, match=f"image_size must be.*{sentence}"):
        load(folder, image_size=size)


# Which files count


def test_what_is_no_picture_or_hidden_is_left_out(folder):
    fill(folder)
    for name in (".DS_Store", "Thumbs.db", "._000.png", "notes.txt", "desktop.ini", ".hidden.png"):
        (folder / name).write_bytes(b"no picture")
    (folder / "folder.png").mkdir()
    (folder / "empty").mkdir()
    assert sum(map(len, (load(folder).train, load(folder).validation, load(folder).test))) == 3


@links
def test_classes_lie_at_any_depth_behind_links_and_are_never_empty(folder, tmp_path):
    fill(folder / "cat", 10)
    fill(folder / "dog" / "summer" / "day", 10)
    fill(folder / "dog" / ".thumbnails", 10)
    fill(tmp_path / "elsewhere", 10)
    (folder / "bird").symlink_to(tmp_path / "elsewhere")
    (folder / "empty").mkdir()
    data = load(folder)
    assert data.classes == ("bird", "cat", "dog")
    assert torch.bincount(data.train.labels).tolist() == [8, 8, 8]


def test_a_sub_folder_alone_stands_for_the_folder(folder):
    fill(folder / "pictures" / "cat", 10)
    with pytest.warns(UserWarning, match="Only the sub-folder 'cat' .* holds pictures, so it is no class"):
        assert load(folder / "pictures").classes is None
    fill(folder / "pictures" / "dog", 10)
    with pytest.warns(UserWarning, match="Only the sub-folder 'pictures'"):
        assert load(folder).classes == ("cat", "dog")


def test_pictures_beside_sub_folders_are_said_to_hide_them(folder):
    fill(folder, 10)
    fill(folder / "more", 7)
    with pytest.warns(UserWarning, match="holds pictures itself, so the 7 in its sub-folders are left out"):
        assert len(load(folder).train) == 8


def test_a_folder_that_is_divided_already_is_refused(folder):
    fill(folder / "train" / "cat")
    fill(folder / "Test" / "cat")
    with pytest.raises(DataError, match=r"is divided into Test, train already, .*give one of them, such as"):
        load(folder)


def test_a_folder_without_pictures_says_what_it_has(folder):
    for name in ("1.heic", "2.heic", "notes.txt"):
        (folder / name).write_bytes(b"")
    with pytest.raises(DataError, match=r"holds no pictures, .*only files such as \.heic, \.txt; add some"):
        load(folder)


@links
def test_broken_files_are_left_out_and_named(folder):
    fill(folder / "cat", 10)
    fill(folder / "dog", 10, COLOUR)
    whole = (folder / "cat" / "000.png").read_bytes()
    contents = {"a": b"", "b": b"no picture", "c": whole[:30], "d": whole[: len(whole) // 2]}
    for name, content in contents.items():
        (folder / "dog" / f"{name}.png").write_bytes(content)
    (folder / "cat" / "nowhere.png").symlink_to(folder / "absent")
    Image.fromarray(np.ones((10, 8), dtype=np.float32)).save(folder / "cat" / "float.tif")
    (folder / "ghost").mkdir()
    (folder / "ghost" / "1.png").write_bytes(b"no picture")
    sentence = r"7 of 27 files cannot be read .* left out: .*float\.tif \(it has 32 bits.* and 4 more; repair or remove"
    with pytest.warns(UserWarning, match=sentence):
        data = load(folder)
    assert data.classes == ("cat", "dog")
    assert torch.bincount(data.train.labels).tolist() == [8, 8]
    assert all(torch.equal(image[0], torch.from_numpy(GREY)) for image in data.train.images)


def test_a_folder_of_broken_files_is_refused(folder):
    for content in (b"no picture", b""):
        (folder / "1.png").write_bytes(content)
        with pytest.raises(DataError, match=r"1\.png cannot be read as a picture \(it is no picture.*save them as PNG"):
            load(folder)
    (folder / "2.png").write_bytes(b"")
    with pytest.raises(DataError, match="nor can the 1 others"):
        load(folder)


# The copy


@pytest.fixture
def slow(monkeypatch, folder) -> Path:
    """A folder of ten pictures in two classes, one broken file among them, that counts as slow to read."""
    monkeypatch.setattr(folders, "CACHED_FROM", -1.0)
    warnings.filterwarnings("ignore", message=".*cannot be read as pictures")
    for index, name in enumerate(["cat", "dog"]):
        fill(folder / name, 5, GREY + np.uint8(index))
    (folder / "dog" / "broken.png").write_bytes(b"no picture")
    return folder


def never(*_, **__):
    raise AssertionError("files were read although there is a copy")


def alike(first, second) -> bool:
    parts = [(data.train, data.validation, data.test) for data in (first, second)]
    return first.classes == second.classes and all(
        torch.equal(a.images, b.images) and torch.equal(a.labels, b.labels) for a, b in zip(*parts, strict=True)
    )


def test_a_slow_folder_is_read_once(slow, monkeypatch, tmp_path):
    first = load(slow)
    (copy,) = (tmp_path / "data" / "pictures").iterdir()
    with np.load(copy, allow_pickle=False) as arrays:
        assert set(arrays.files) == {"mark", "images", "names", "said"}
    monkeypatch.setattr(folders, "read_files", never)
    with pytest.warns(UserWarning, match="1 of 11 files cannot be read"):
        assert alike(load(slow), first)
    with pytest.raises(AssertionError, match="files were read"):
        load(slow, image_size=4)


def test_a_quick_folder_leaves_nothing_behind(folder, tmp_path):
    fill(folder)
    load(folder)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("change", ["content", "time", "added", "removed", "renamed", "another class"])
def test_a_change_makes_the_copy_void(slow, monkeypatch, change):
    load(slow)
    file = slow / "cat" / "000.png"
    if change == "content":
        Image.fromarray(GREY // 2).save(file)
    elif change == "time":
        os.utime(file, ns=(0, 0))
    elif change == "added":
        fill(slow / "cat", 6)
    elif change == "removed":
        file.unlink()
    else:
        file.rename(slow / "dog" / "new.png" if change == "another class" else slow / "cat" / "new.png")
    monkeypatch.setattr(folders, "read_files", lambda *_: never())
    with pytest.raises(AssertionError, match="files were read"):
        load(slow)


def test_a_damaged_copy_is_read_anew(slow, tmp_path):
    first = load(slow)
    (copy,) = (tmp_path / "data" / "pictures").iterdir()
    whole = copy.read_bytes()
    for content in (b"", whole[:-100], whole[:300] + b"\xff" * 20 + whole[320:]):
        copy.write_bytes(content)
        assert alike(load(slow), first)
        assert copy.read_bytes() == whole


def test_where_no_copy_can_be_written_the_folder_still_loads(slow, monkeypatch, tmp_path):
    (tmp_path / "data").write_bytes(b"")  # a file where the copies' folder should be
    first = load(slow)
    (tmp_path / "data").unlink()

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files.os, "fsync", full)
    assert alike(load(slow), first)
    assert not list((tmp_path / "data" / "pictures").iterdir())


# In memory


class Pairs:
    """A map-style dataset in torchvision's manner."""

    def __init__(self, items, classes=None):
        self.items = items
        if classes is not None:
            self.classes = classes

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        return self.items[index]


FLOATS = torch.rand(20, 3, 6, 5, generator=torch.Generator().manual_seed(0))
BYTES = (FLOATS * 255).round().to(torch.uint8)
LABELS = torch.arange(20) % 2
FORMS = {
    "bytes": BYTES,
    "floats": FLOATS,
    "array": BYTES.numpy(),
    "channels last": BYTES.permute(0, 2, 3, 1).numpy(),
    "double": FLOATS.double().numpy(),
}


@pytest.mark.parametrize("form", FORMS)
def test_arrays(form):
    data = load(FORMS[form], labels=LABELS)
    assert (data.name, data.image_shape, data.classes) == ("pictures", (3, 6, 5), ("0", "1"))
    assert [len(split) for split in (data.train, data.validation, data.test)] == [16, 2, 2]
    rows = {image.tobytes(): int(label) for image, label in zip(BYTES.numpy(), LABELS, strict=True)}
    assert all(
        rows[image.tobytes()] == label
        for image, label in zip(data.train.images.numpy(), data.train.labels, strict=True)
    )
    assert load(FORMS[form]).classes is None


@pytest.mark.parametrize("form", [*FORMS, "PIL", "tensor labels"])
def test_sequences_of_pictures_and_labels(form):
    images = list(map(Image.fromarray, FORMS["channels last"])) if form == "PIL" else FORMS.get(form, BYTES)
    labels = LABELS if form == "tensor labels" else LABELS.tolist()
    data = load(Pairs(list(zip(images, labels, strict=True)), classes=["cat", "dog"]))
    expected = load(BYTES, labels=LABELS)
    assert (data.name, data.classes) == ("Pairs", ("cat", "dog"))
    assert torch.equal(data.train.images, expected.train.images)
    assert torch.equal(data.train.labels, expected.train.labels)
    unlabelled = load(list(images))
    assert (unlabelled.name, unlabelled.classes, unlabelled.train.labels) == ("pictures", None, None)


def test_torch_s_own_datasets_are_sequences():
    whole = torch.utils.data.TensorDataset(FLOATS, LABELS)
    assert len(load(whole).train) == 16
    assert load(torch.utils.data.Subset(whole, range(10))).classes == ("0", "1")


def test_grey_pictures_that_were_saved_in_colour_are_grey(folder):
    fill(folder, 3, GREY[:, :, None].repeat(3, axis=2))
    fill(folder, 3, GREY[:, :, None].repeat(3, axis=2), ending="jpg")
    assert load(folder).image_shape == (1, 10, 8)
    Image.fromarray(COLOUR).save(folder / "colour.png")
    assert load(folder).image_shape == (3, 10, 8)
    assert load([Image.fromarray(GREY).convert("RGB")] * 3).image_shape == (1, 10, 8)


def test_a_sequence_of_grey_and_coloured_pictures_is_coloured():
    mixed = [Image.fromarray(GREY), Image.fromarray(COLOUR), Image.fromarray(GREY), Image.fromarray(GREY).convert("P")]
    images, said = pictures.read_pictures(mixed, 4)
    assert not said and torch.equal(images[1], torch.from_numpy(COLOUR).permute(2, 0, 1))
    assert (images[[0, 2, 3]] == torch.from_numpy(GREY)).all()


def test_a_sequence_of_large_pictures_is_shrunk_and_of_any_sizes_cut():
    large = [Image.new("L", (200, 300))] * 3
    with pytest.warns(UserWarning, match="are scaled to 64x96"):
        assert load(large).image_shape == (1, 96, 64)
    mixed = [*large, Image.new("L", (5, 9))]
    assert load(mixed, image_size=(7, 3)).image_shape == (1, 7, 3)
    with pytest.raises(DataError, match=r"picture 0 has 200x300 and picture 3 5x9 pixels.*give image_size"):
        load(mixed)


PICTURE = Image.fromarray(GREY)
REFUSED = {
    "a number": ((3,), {}, TypeError, "name must be .* but it is an int"),
    "nothing": ((None,), {}, TypeError, "but it is a NoneType"),
    "a table": (({"images": BYTES},), {}, TypeError, "but it is a dict"),
    "a picture": ((PICTURE,), {}, TypeError, "but it is an Image"),
    "a generator": ((iter([PICTURE]),), {}, TypeError, "but it is a list_iterator"),
    "a loader": ((torch.utils.data.DataLoader(Pairs([1])),), {}, TypeError, "but it is a DataLoader"),
    "an empty list": (([],), {}, DataError, "a list without any picture"),
    "words": ((["cat.png", "dog.png"],), {}, DataError, "element 0 must be a picture.* a str"),
    "pairs the wrong way": (([(1, PICTURE)] * 3,), {}, DataError, "label of element 0 must be a whole number.*Image"),
    "arrays in a pair": (((BYTES.numpy(), LABELS.numpy()),), {}, DataError, r"load\(images, labels=labels\)"),
    "named labels": (([(PICTURE, "cat")] * 3,), {}, DataError, "label of element 0 must be a whole number.* a str"),
    "labels of half": (([(PICTURE, 0.5)] * 3,), {}, DataError, "label of element 0 must be a whole number.* a float"),
    "several labels": (([(PICTURE, LABELS)] * 3,), {}, DataError, "label of element 0 must be a whole number"),
    "negative labels": (([(PICTURE, -1)] * 3,), {}, ValueError, "the labels must be at least 0"),
    "some labels": (([(PICTURE, 1), PICTURE],), {}, DataError, "element 1 has no label, unlike element 0"),
    "normalised": (([(2 * FLOATS[0] - 1, 0)] * 3,), {}, ValueError, r"picture 0 must lie in \[0, 1\]"),
    "a failing dataset": ((Pairs({0: PICTURE, 2: PICTURE}),), {}, DataError, "element 1 cannot be had .KeyError: 1"),
    "too few": (([PICTURE] * 2,), {}, DataError, "there are 2 images, too few"),
    "flat arrays": ((BYTES.flatten(1),), {}, DataError, r"images must have shape .* but it is \(20, 90\)"),
    "whole numbers": ((BYTES.long(),), {}, DataError, "images must be uint8 .* int64"),
    "four channels": ((torch.zeros(5, 4, 6, 5),), {}, DataError, "C of 1 or 3"),
    "labels of another length": ((BYTES,), {"labels": LABELS[:3]}, ValueError, r"labels must have shape \(20,\)"),
    "fractions as labels": ((BYTES,), {"labels": LABELS / 2}, TypeError, "labels must be whole numbers"),
    "a size for an array": ((BYTES,), {"image_size": 3}, ValueError, "image_size is for pictures"),
    "labels for a name": (("digits",), {"labels": LABELS}, ValueError, "labels is for images in an array"),
    "labels for pairs": (([PICTURE] * 3,), {"labels": LABELS[:3]}, ValueError, "labels is for images in an array"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused(what):
    arguments, options, error, sentence = REFUSED[what]
    with pytest.raises(error, match=sentence) as caught:
        load(*arguments, **options)
    assert "\n" not in str(caught.value)


# Rectangles through the whole library


@pytest.mark.parametrize("body", ["mlp", "convolutional"])
@pytest.mark.parametrize("shape", [(28, 20), (7, 9)])
def test_rectangles_train_and_are_shown(body, shape):
    data = load(RANDOM.integers(0, 256, (40, *shape), dtype=np.uint8))
    system = AdversarialAutoencoder(
        data.image_shape, prior=Gaussian(2), hidden=(8, 8), discriminator_hidden=(8,), body=body
    )
    fit(system, data.train, updates=2, batch_size=8, device="cpu", progress=False)
    assert system.sample(5).shape == (5, 1, *shape)
    assert show_images(system.sample(4)).axes[0].images[0].get_array().shape == (2 * shape[0] + 1, 2 * shape[1] + 1)
    explorer = explore(system, data.validation.images)
    explorer.z = [0.5, -0.5]
    assert len(explorer.frame) == shape[0] * shape[1]
    preview = Image.open(io.BytesIO(explorer.preview(side=3)))
    height, width = (3 * side + 2 for side in shape)
    assert preview.width / preview.height == width / height


def test_who_takes_squares_alone_says_so():
    with pytest.raises(ValueError, match=r"image_shape must be square, but it is \(1, 28, 20\)"):
        StyleAdversarialLatentAutoencoder((1, 28, 20))
    with pytest.raises(ValueError, match=r"images of \(7, 9\) pixels cannot be halved 3 times; give fewer"):
        AdversarialAutoencoder((1, 7, 9), prior=Gaussian(2), hidden=(8,) * 3, body="convolutional")


def test_a_picture_of_a_sequence_that_cannot_be_read_is_named():
    pictures = [Image.new("L", (8, 8))] * 3 + [Image.new("I", (8, 8))]
    with pytest.raises(DataError, match=r"picture 3 cannot be read \(it has 32 bits a pixel"):
        load(pictures)
