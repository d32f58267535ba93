"""Public datasets on disk: found in a data root, or downloaded into one, whole or not at all."""

from __future__ import annotations

import http.client
import os
import queue
import socket
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

from ..checks import DataError, StorageError
from ..files import replace, writable

PATIENCE = 5  # seconds without an answer after which there is no network
IDX_FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
# name: (torchvision's class, its files inside a data root, size of the download)
PUBLIC = {
    "mnist": ("MNIST", tuple(f"MNIST/raw/{file}" for file in IDX_FILES), "12 MB"),
    "fashion-mnist": ("FashionMNIST", tuple(f"FashionMNIST/raw/{file}" for file in IDX_FILES), "31 MB"),
    "svhn": ("SVHN", ("train_32x32.mat", "test_32x32.mat"), "246 MB"),
}


class Unavailable(DataError):
    """A public dataset that lies in no data root and cannot be downloaded."""


def data_roots(root: str | os.PathLike | None = None) -> list[Path]:
    """Where public datasets are looked for, in this order: ``root``, ``$AAE_DATA``, the project's ``data/``."""
    project = Path(__file__).parent.parent.parent / "data"
    roots = [root, os.environ.get("AAE_DATA"), project if project.is_dir() else "data"]
    return [Path(place).expanduser() for place in roots if place]


def locate(name: str, root: str | os.PathLike | None = None) -> list[Path]:
    """The files of the public dataset ``name`` in the first data root that has them all.

    Where none has, they are downloaded into the first root (torchvision's addresses and MD5 sums). Raises Unavailable
    where that fails, StorageError where the root takes no files.
    """
    kind, files, size = PUBLIC[name]
    roots = data_roots(root)
    for place in roots:
        if all((place / file).is_file() for file in files):
            return [place / file for file in files]
    try:
        _download(kind, files, size, roots[0])
    except StorageError:
        raise
    except (OSError, RuntimeError, http.client.HTTPException) as error:
        names = ", ".join(Path(file).name for file in files)
        raise Unavailable(
            f"{name!r} is not in {' or '.join(map(str, roots))} and cannot be downloaded ({_reason(error)}): "
            f"set AAE_DATA to a folder where torchvision has {kind}, put {names} into "
            f"{(roots[-1] / files[0]).parent}, or use load('digits'), which is built in."
        ) from None  # the sentence says all that a reader can use; the network's own traceback is a page long
    return [roots[0] / file for file in files]


def _download(kind: str, files: tuple[str, ...], size: str, root: Path) -> None:
    from torchvision import datasets  # here, because it takes a second to import

    dataset = getattr(datasets, kind)
    if kind == "SVHN":
        addresses = [dataset.split_list["train"][0]]
    else:
        addresses = [mirror + dataset.resources[0][0] for mirror in dataset.mirrors]
    _check_connection(addresses)
    writable(root / ".download")
    print(f"Downloading {kind} ({size}) into {root}", flush=True)
    patience = socket.getdefaulttimeout()
    socket.setdefaulttimeout(2 * PATIENCE)  # torchvision sets none, so a stalled connection would hang for ever
    try:
        # Beside the root's own files, so that what is complete and verified only has to be renamed.
        with tempfile.TemporaryDirectory(dir=root, prefix=".download-", ignore_cleanup_errors=True) as folder:
            for part in ("train", "test"):
                dataset(folder, **({"split": part} if kind == "SVHN" else {"train": part == "train"}), download=True)
            for file in files:
                (root / file).parent.mkdir(parents=True, exist_ok=True)
                replace(Path(folder, file), root / file)
    finally:
        socket.setdefaulttimeout(patience)


def _check_connection(addresses: list[str]) -> None:
    """Return when one of ``addresses`` answers; an OSError where none does within ``PATIENCE`` seconds."""
    answers: queue.SimpleQueue[Exception | None] = queue.SimpleQueue()

    def ask(address: str) -> None:
        request = urllib.request.Request(address, method="HEAD", headers={"User-Agent": "pytorch/vision"})
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE):
                answers.put(None)
        except (OSError, http.client.HTTPException) as error:
            answers.put(error)

    for address in addresses:
        # Name look-ups know no timeout, hence threads; daemons, so that a silent name server does not hold up the exit.
        threading.Thread(target=ask, args=(address,), daemon=True).start()
    deadline = time.monotonic() + PATIENCE
    for _ in addresses:
        try:
            error = answers.get(timeout=max(0, deadline - time.monotonic()))
        except queue.Empty:
            raise TimeoutError(f"no answer within {PATIENCE} seconds") from None
        if error is None:
            return
    raise error


def _reason(error: Exception) -> str:
    """What went wrong in a few words, without urllib's wrapping and torchvision's list of mirrors."""
    error = getattr(error, "reason", error)
    return getattr(error, "strerror", None) or str(error).split("\n")[0].rstrip(":") or type(error).__name__
