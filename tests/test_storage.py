"""``save`` and ``restore``: round trips, files whole or not at all, damaged files, nothing unpickled."""

from __future__ import annotations

import errno
import inspect
import os
import pickle
import stat
import time

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from aae_lib import files, fit, restore, save
from aae_lib.checks import DataError, StorageError
from aae_lib.data import Split
from aae_lib.priors import Categorical, Gaussian, GaussianMixture, SwissRoll, Uniform
from aae_lib.systems import (
    AdversarialAutoencoder,
    Autoencoder,
    ClusteringAdversarialAutoencoder,
    DimensionalityReductionAdversarialAutoencoder,
    GenerativeAdversarialNetwork,
    GenerativeMomentMatchingNetwork,
    SemiSupervisedAdversarialAutoencoder,
    SupervisedAdversarialAutoencoder,
    VariationalAutoencoder,
)

SHAPE = (1, 4, 4)
PRIORS = [Gaussian(3, std=5.0), GaussianMixture(components=4), SwissRoll(), Uniform(2, -2.0, 3.0), Categorical(5)]


def images(count: int = 10, shape=SHAPE) -> torch.Tensor:
    return torch.randint(256, (count, *shape), generator=torch.Generator().manual_seed(1)).to(torch.uint8)


def aae(**settings) -> AdversarialAutoencoder:
    chosen = {"prior": Gaussian(2), "hidden": (8,), "discriminator_hidden": (8,)}
    return AdversarialAutoencoder(SHAPE, **{**chosen, **settings})


SYSTEMS = {
    **{f"aae {prior}": lambda prior=prior: aae(prior=prior) for prior in PRIORS},
    "aae gaussian": lambda: aae(posterior="gaussian", input_noise=0.3, discriminator_noise=0.3, initial_std=0.01),
    "aae universal": lambda: aae(posterior="universal", noise_dim=3, latent_dim=2),
    "aae convolutional": lambda: aae(body="convolutional", hidden=[4, 4], batch_norm=True, output="linear"),
    "autoencoder": lambda: Autoencoder(SHAPE, latent_dim=3, hidden=(8,), input_dropout=0.2),
    "autoencoder convolutional": lambda: Autoencoder((3, 9, 6), hidden=(4,), body="convolutional", batch_norm=True),
    "gan": lambda: GenerativeAdversarialNetwork(SHAPE, prior=Uniform(4), hidden=(8,), discriminator_hidden=(6,)),
    "gan convolutional": lambda: GenerativeAdversarialNetwork(
        SHAPE, prior=Gaussian(4), hidden=(4,), body="convolutional"
    ),
    "vae": lambda: VariationalAutoencoder(SHAPE, prior=Gaussian(2), hidden=(8,), likelihood="gaussian"),
    "vae mixture": lambda: VariationalAutoencoder(
        SHAPE, prior=GaussianMixture(std=(1, 0.2)), hidden=(8,), batch_norm=True
    ),
    "aae labelled": lambda: aae(prior=SwissRoll(), labelled_prior=True, output="standardised"),
    "supervised": lambda: SupervisedAdversarialAutoencoder(SHAPE, classes=3, hidden=(8,), output="standardised"),
    "semi-supervised": lambda: SemiSupervisedAdversarialAutoencoder(
        SHAPE, prior=Gaussian(4), hidden=(8,), batch_norm=True, decoder_batch_norm=True
    ),
    "clustering": lambda: ClusteringAdversarialAutoencoder(SHAPE, clusters=5, hidden=(8,)),
    "reduction": lambda: DimensionalityReductionAdversarialAutoencoder(SHAPE, hidden=(8,), head_distance=3.0),
    "reduction fixed": lambda: DimensionalityReductionAdversarialAutoencoder(
        SHAPE, hidden=(8,), latent_dim=10, fixed_heads=10.0
    ),
    "gmmn": lambda: GenerativeMomentMatchingNetwork(SHAPE, prior=Uniform(4), hidden=(8,), bandwidths=(1, 2)),
    "gmmn of codes": lambda: GenerativeMomentMatchingNetwork(
        SHAPE, prior=Uniform(4), hidden=(8,), autoencoder=Autoencoder(SHAPE, latent_dim=3, hidden=(8,))
    ),
    "numpy settings": lambda: aae(prior=Gaussian(np.int64(2), np.float32(2)), hidden=(np.int64(8),), seed=np.int64(1)),
}


def takes_labels(system) -> bool:
    return "labels" in inspect.signature(system.decode).parameters


def some_data(system) -> Split:
    """Images for any system, with labels of as many classes as it learns."""
    return Split(images(20, system.image_shape), torch.arange(20) % (system.learns_labels or 2))


def assert_alike(one, other) -> None:
    """The same class, settings and weights, and the same answers."""
    assert type(one) is type(other) and one.prior == other.prior and one.image_shape == other.image_shape
    torch.testing.assert_close(one.state_dict(), other.state_dict(), rtol=0, atol=0)
    z = torch.randn(5, one.latent_dim, generator=torch.Generator().manual_seed(0))
    labels = [torch.arange(5) % one.classes] if takes_labels(one) else []
    assert torch.equal(one.decode(z, *labels), other.decode(z, *labels))
    if hasattr(one, "encoder"):
        x = images(shape=one.image_shape)
        assert torch.equal(one.encode(x, seed=1), other.encode(x, seed=1))


class TestRoundTrip:
    @pytest.mark.parametrize("build", SYSTEMS.values(), ids=SYSTEMS)
    def test_a_trained_system_comes_back_from_its_file_alone(self, tmp_path, build):
        system, path = build(), tmp_path / "system.safetensors"
        fit(system, some_data(system), epochs=1, batch_size=10, device="cpu", progress=False)
        save(system, path)
        restored = restore(path)
        assert_alike(system, restored)
        assert not restored.training

    @pytest.mark.parametrize("build", SYSTEMS.values(), ids=SYSTEMS)
    def test_a_restored_system_is_built_with_the_same_settings(self, tmp_path, build):
        """Noise, dropout and the rest show in training only: restored, a system trains on exactly as it would have."""
        system, path = build(), tmp_path / "system.safetensors"
        save(system, path)
        restored = restore(path)
        for trained in (system, restored):
            fit(trained, some_data(system), epochs=1, batch_size=10, device="cpu", progress=False)
        assert_alike(system, restored)

    def test_weights_go_into_a_given_system(self, tmp_path):
        path, trained, fresh = tmp_path / "system.safetensors", aae(), aae()
        fit(trained, images(), epochs=1, batch_size=10, device="cpu", progress=False)
        save(trained, path)
        assert restore(path, into=fresh) is fresh
        assert_alike(trained, fresh)

    def test_folders_are_made_and_names_may_be_text(self, tmp_path):
        save(aae(), str(tmp_path / "new" / "folder" / "system.safetensors"))
        assert_alike(restore(str(tmp_path / "new" / "folder" / "system.safetensors")), aae())

    def test_a_newer_file_replaces_an_older_one(self, tmp_path):
        path = tmp_path / "system.safetensors"
        save(aae(seed=1), path)
        save(aae(seed=2), path)
        assert_alike(restore(path), aae(seed=2))
        assert os.listdir(tmp_path) == ["system.safetensors"]

    def test_a_file_has_the_rights_of_any_other_file(self, tmp_path):
        save(aae(), tmp_path / "system.safetensors")
        (tmp_path / "plain").touch()
        rights = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in os.listdir(tmp_path)}
        assert len(rights) == 1

    def test_long_names_are_as_good_as_short_ones(self, tmp_path):
        name = "a" * 251 + ".txt"
        files.write_whole(tmp_path / name, "text")
        assert (tmp_path / name).read_text(encoding="utf-8") == "text" and os.listdir(tmp_path) == [name]


class TestWholeOrNotAtAll:
    @pytest.fixture(params=["write", "fsync", "rename"])
    def full_disk(self, request, monkeypatch):
        """A disk that is full at one of the three steps; undone after the test."""
        if request.param == "write":  # really: the system refuses to make a file longer than this many bytes
            resource = pytest.importorskip("resource", reason="this system sets no such limits")
            before = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (500, before[1]))
            yield
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
            return

        def full(*_):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(files.os, {"fsync": "fsync", "rename": "replace"}[request.param], full)
        yield

    @pytest.fixture
    def old(self, tmp_path):
        path = tmp_path / "system.safetensors"
        save(aae(seed=1), path)
        return path

    def test_a_full_disk_leaves_the_old_file_and_nothing_else(self, old, full_disk):
        content = old.read_bytes()
        with pytest.raises(StorageError, match=r"system\.safetensors could not be written"):
            save(aae(seed=2), old)
        assert old.read_bytes() == content
        assert os.listdir(old.parent) == [old.name]

    def test_a_full_disk_leaves_no_new_file(self, old, full_disk):
        with pytest.raises(StorageError):
            save(aae(seed=2), old.with_name("new.safetensors"))
        assert os.listdir(old.parent) == [old.name]

    def test_an_interruption_leaves_the_old_file_and_nothing_else(self, old, monkeypatch):
        def interrupt(*_):
            raise KeyboardInterrupt

        content = old.read_bytes()
        monkeypatch.setattr(files.os, "fsync", interrupt)
        with pytest.raises(KeyboardInterrupt):
            save(aae(seed=2), old)
        assert old.read_bytes() == content and os.listdir(old.parent) == [old.name]


class MakesFolder:
    """What unpickling it would do: make a folder."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


class TestDamage:
    @pytest.fixture
    def path(self, tmp_path):
        save(aae(), tmp_path / "system.safetensors")
        return tmp_path / "system.safetensors"

    def test_no_truncation_is_taken_for_a_system(self, path):
        content = path.read_bytes()
        for length in (0, 1, 7, 8, 9, 100, len(content) // 2, len(content) - 1):
            path.write_bytes(content[:length])
            with pytest.raises(DataError, match=r"system\.safetensors"):
                restore(path)

    def test_no_noise_is_taken_for_a_system(self, path):
        for seed in range(20):
            path.write_bytes(np.random.default_rng(seed).bytes(1000))
            with pytest.raises(DataError, match=r"system\.safetensors"):
                restore(path)

    def test_a_damaged_description_is_refused(self, path):
        """Each byte of the header that is spoilt gives a refusal, or a file that says the same, never a traceback."""
        content = bytearray(path.read_bytes())
        header = 8 + int.from_bytes(content[:8], "little")
        for position in range(0, header, 7):
            spoilt = content.copy()
            spoilt[position] ^= 0x15
            path.write_bytes(spoilt)
            try:
                restore(path)
            except (DataError, ValueError, TypeError) as error:
                assert "\n" not in str(error), position

    @pytest.mark.parametrize("write", [torch.save, lambda value, path: path.write_bytes(pickle.dumps(value))])
    def test_nothing_is_unpickled(self, path, write):
        write(MakesFolder(path.parent / "made by a pickle"), path)
        with pytest.raises(DataError):
            restore(path)
        assert os.listdir(path.parent) == [path.name]

    @pytest.mark.parametrize("metadata", [None, {}, {"format": "pt"}, {"system": "3"}, {"history": "{}"}], ids=str)
    def test_another_program_s_safetensors_are_refused(self, path, metadata):
        save_file({"weight": torch.zeros(3)}, path, metadata)
        with pytest.raises(DataError, match="aae_lib"):
            restore(path)

    def test_weights_of_another_size_are_refused_before_any_is_changed(self, path):
        tensors, notes = files_of(path)
        name = next(name for name in tensors if name.endswith("weight"))
        save_file({**tensors, name: torch.zeros(2, 2)}, path, notes)
        system = aae(seed=0)
        with pytest.raises(DataError, match="do not fit"):
            restore(path, into=system)
        assert_alike(system, aae())

    def test_missing_weights_are_refused(self, path):
        tensors, notes = files_of(path)
        tensors.popitem()
        save_file(tensors, path, notes)
        with pytest.raises(DataError, match="do not fit"):
            restore(path)

    @pytest.mark.parametrize(
        "other",
        [
            lambda: aae(posterior="gaussian"),
            lambda: aae(prior=Gaussian(2, std=5.0)),
            lambda: aae(hidden=(9,)),
            lambda: aae(input_noise=0.1),
            lambda: Autoencoder(SHAPE, hidden=(8,)),
        ],
    )
    def test_another_system_s_file_is_refused_before_any_weight_is_changed(self, path, other):
        system = other()
        with pytest.raises(DataError, match="another system"):
            restore(path, into=system)
        assert_alike(system, other())


def files_of(path):
    """Tensors and raw metadata of a safetensors file."""
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, file.metadata()  # noqa: SIM118


def test_weights_that_two_layers_share_are_saved_and_restored(tmp_path):
    system = Autoencoder(SHAPE, hidden=(6, 6))
    body = [layer for layer in system.decoder.modules() if isinstance(layer, torch.nn.Linear)]
    twin = next(
        layer for layer in system.encoder.modules() if isinstance(layer, torch.nn.Linear) and layer.in_features == 6
    )
    same = next(layer for layer in body if layer.weight.shape == twin.weight.shape)
    same.weight = twin.weight
    save(system, tmp_path / "tied.safetensors")
    restored = restore(tmp_path / "tied.safetensors")
    assert all(torch.equal(value, restored.state_dict()[name]) for name, value in system.state_dict().items())


def test_what_a_killed_process_left_is_swept_at_the_next_write(tmp_path):
    old, young = tmp_path / f"{files.PREFIX}old", tmp_path / f"{files.PREFIX}young"
    for left in (old, young):
        left.write_bytes(b"half a file")
    os.utime(old, 2 * (time.time() - 2 * files.ABANDONED,))
    files.write_whole(tmp_path / "new", "text")
    assert {path.name for path in tmp_path.iterdir()} == {young.name, "new"}
