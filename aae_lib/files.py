"""Files are written whole or not at all, and output to wherever it goes."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from .checks import StorageError

PREFIX = ".aae-"  # of a file that is being written
ABANDONED = 3600  # seconds after which it is not any more
WINDOWS = os.name == "nt"
PATIENCE = 2.0  # seconds to wait on Windows until nobody reads a file that is to be replaced


def writable(path: str | Path) -> Path:
    """``path`` as a Path whose folder exists and takes new files, created if need be; StorageError otherwise.

    Call it before long work whose result goes to ``path``: better refused now than after the training.
    """
    path = Path(path).expanduser()
    if path.is_dir():
        raise StorageError(f"{path} is a folder, not a file; give a file name inside it.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise StorageError(
            f"the folder {path.parent} cannot be written to ({_reason(error)}); choose another folder."
        ) from error
    return path


def write_whole(path: str | Path, content: bytes | str | Callable[[BinaryIO], object]) -> None:
    """Write ``content`` to ``path`` so that a reader sees the old file or the new one, never a part.

    What is too large to be held twice may come as a function that writes to the file it is given.
    Raises StorageError (a full disk, a folder that takes no files); the old file then stays as it was.
    """
    path = writable(path)
    data = content.encode() if isinstance(content, str) else content
    _sweep(path.parent)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=PREFIX)  # short: path.name may be long
    try:
        with os.fdopen(handle, "wb") as file:
            content(file) if callable(content) else file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())  # mkstemp makes private files; give it the rights of any other file
        replace(temporary, path)
    except OSError as error:
        raise StorageError(
            f"{path} could not be written ({_reason(error)}); the old file, if there was one, is unchanged: "
            "free some space or choose another folder."
        ) from error
    finally:
        with contextlib.suppress(OSError):  # it is gone; or a virus scanner reads it, and a later call removes it
            os.unlink(temporary)


def replace(source: str | Path, target: str | Path) -> None:
    """``os.replace``: on Windows as soon as nobody reads ``target``, for two seconds at most, else an OSError.

    Windows refuses to replace a file that a reader, an indexer or a virus scanner has open, mostly for an instant.
    """
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return os.replace(source, target)
        except PermissionError:
            if not WINDOWS or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def forgive_encodings() -> None:
    """Let ? stand for what standard output cannot say, σ and ± for example, instead of ending in an error.

    Where Windows sends output to a file or to another program, it is encoded in an alphabet of 256 characters.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # what stands in for them in a notebook takes everything
            stream.reconfigure(errors="replace")


def _sweep(folder: Path) -> None:
    """Remove what processes left in ``folder`` that were killed while they wrote; what is young may be in use."""
    for left in folder.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):  # another process may sweep too
            if time.time() - left.stat().st_mtime > ABANDONED:
                left.unlink()


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
