"""A reader's own folder of pictures: which files count, what their classes are, and a copy that loads at once."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections import Counter
from pathlib import Path

import numpy as np
import PIL
import torch

from ..checks import DataError, StorageError
from ..files import write_whole
from .arrays import Parts, npz_arrays
from .downloads import data_roots
from .pictures import Size, read_files

ENDINGS = (".jpg", ".jpeg", ".jfif", ".png", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".pgm", ".ppm", ".pbm", ".avif")
SPLITS = {"train", "training", "val", "valid", "validation", "test", "testing"}
CACHED_FROM = 3.0  # seconds of reading that are worth a copy on the disk
FORMAT = 1  # of that copy; counts up when the same files come to look otherwise


def read_folder(path: Path, size: Size | None = None) -> tuple[Parts, list[str]]:
    """Images, labels and class names of the pictures in a folder, and what there is to say about them.

    Where no picture lies in the folder itself, each of its sub-folders that has some, at any depth, is a class; one
    alone stands for the folder. Otherwise labels and names are None. Hidden files and files that are no pictures are
    left out. Where reading takes more than 3 seconds, the images are kept in ``pictures/`` of the last data root, and
    come from there until a file's name, size or time of change differs.
    """
    files, said = _listing(path)
    mark = _fingerprint(path, list(files), size)
    copy = data_roots()[-1] / "pictures" / f"{path.resolve().name[:60]}-{mark['place']}.npz"
    kept = _cached(copy, mark)
    if kept is None:
        start = time.monotonic()
        images, rows, more = read_files(list(files), size)
        names = np.array(list(files.values()))[rows]
        kept = {"images": images.numpy(), "names": names, "said": np.array(more, dtype=str)}
        if time.monotonic() - start > CACHED_FROM:
            with contextlib.suppress(StorageError):  # a disk that is full, or takes no files: it is read again then
                write_whole(copy, lambda file: np.savez(file, mark=json.dumps(mark), **kept))
    images, said = torch.from_numpy(kept["images"]), [*said, *kept["said"].tolist()]
    if not kept["names"][0]:
        return (images, None, None), said
    classes, labels = np.unique(kept["names"], return_inverse=True)
    return (images, torch.from_numpy(labels).long(), tuple(classes.tolist())), said


def _listing(path: Path) -> tuple[dict[Path, str], list[str]]:
    """The picture files in order, each with the name of its class ("" for none), and what there is to say of them."""
    inside = _members(path)
    direct, folders = inside.pop("", []), sorted(inside)
    if direct:
        rest = sum(map(len, inside.values()))
        return dict.fromkeys(direct, ""), [
            f"{path} holds pictures itself, so the {rest:,} in its sub-folders are left out; "
            "leave only sub-folders there for classes, or only pictures for none."
        ] * (rest > 0)
    if not folders:
        endings = Counter(os.path.splitext(name)[1] or name for _, _, names in os.walk(path) for name in names)
        found = ", ".join(ending for ending, _ in endings.most_common(3))
        raise DataError(
            f"the folder {path} holds no pictures, neither directly nor in sub-folders"
            f"{f', only files such as {found}' if found else ''}; add some, for example as PNG or JPEG."
        )
    if len(folders) > 1 and SPLITS.issuperset(map(str.lower, folders)):
        raise DataError(
            f"the folder {path} is divided into {', '.join(folders)} already, which are no classes; give one of them, "
            f"such as {path / folders[0]}, or an .npz file with a split of your own."
        )
    if len(folders) == 1:
        files, said = _listing(path / folders[0])
        return files, [*said, f"Only the sub-folder {folders[0]!r} of {path} holds pictures, so it is no class."]
    return {file: folder for folder in folders for file in inside[folder]}, []


def _members(path: Path) -> dict[str, list[Path]]:
    """Visible picture files by the sub-folder of ``path`` that they lie in at any depth, "" for none."""
    try:
        entries = [entry for entry in path.iterdir() if not entry.name.startswith(".")]
    except OSError as error:
        raise DataError(f"the folder {path} cannot be read ({error.strerror}); give yourself the right to.") from error
    members = {"": [entry for entry in entries if _is_picture(entry.name) and not entry.is_dir()]}
    for folder in filter(Path.is_dir, entries):
        members[folder.name] = []
        for place, folders, names in os.walk(folder):
            folders[:] = [name for name in folders if not name.startswith(".")]  # Jupyter's .ipynb_checkpoints
            members[folder.name] += [Path(place, name) for name in names if _is_picture(name)]
    # By their parts, for Windows compares paths without regard to case: same files, same order everywhere.
    return {first: sorted(files, key=lambda file: file.parts) for first, files in members.items() if files}


def _is_picture(name: str) -> bool:
    return not name.startswith(".") and os.path.splitext(name)[1].lower() in ENDINGS


def _fingerprint(path: Path, files: list[Path], size: Size | None) -> dict:
    """What must agree for a copy to stand for the files: which they are, and that none has changed."""
    place = hashlib.sha256(f"{path.resolve()} {size}".encode())
    content = hashlib.sha256()
    for file in files:
        with contextlib.suppress(OSError):  # gone meanwhile: reading says so
            state = file.stat()
            content.update(f"{file.relative_to(path)}\0{state.st_size}\0{state.st_mtime_ns}\0".encode(errors="replace"))
    versions = f"{FORMAT} {PIL.__version__}"
    return {"place": place.hexdigest()[:12], "content": content.hexdigest(), "versions": versions}


def _cached(copy: Path, mark: dict) -> dict[str, np.ndarray] | None:
    """What an earlier call kept of the same files; None where there is nothing, or something else."""
    try:
        if json.loads(str(npz_arrays(copy, ("mark",))["mark"])) != mark:
            return None
        return npz_arrays(copy, ("images", "names", "said"))
    except (DataError, ValueError):
        return None
