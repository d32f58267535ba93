"""Windows and macOS, as far as they can be imitated here: what the library and its files may not take for granted."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from aae_lib import files, save
from aae_lib.checks import StorageError
from aae_lib.priors import Gaussian
from aae_lib.storage import read_tensors
from aae_lib.systems import AdversarialAutoencoder

ROOT = Path(__file__).parent.parent
PROGRAMS = sorted(path for folder in ("aae_lib", "tools", "benchmarks") for path in (ROOT / folder).rglob("*.py"))
NOT_ON_WINDOWS = {
    *("fcntl", "grp", "pty", "pwd", "resource", "termios"),  # modules
    *("os.fork", "os.getuid", "os.killpg", "os.mkfifo", "os.nice", "os.setsid", "os.statvfs", "os.sync", "os.wait"),
    *("os.sched_getaffinity", "os.sched_setaffinity", "os.getloadavg", "os.uname"),
    *("signal.SIGKILL", "signal.SIGALRM", "signal.SIGHUP", "signal.SIGUSR1", "signal.alarm", "signal.pause"),
}
DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10))}


@pytest.fixture
def held(tmp_path, monkeypatch):
    """A file that somebody on Windows reads: it cannot be replaced until it was tried ``times`` times."""
    path, tries, replace = tmp_path / "notes.json", [], os.replace
    path.write_bytes(b"old")

    def refuse(times):
        def act(source, target):
            tries.append(target)
            if len(tries) <= times:
                raise PermissionError(13, "Access is denied")
            replace(source, target)

        monkeypatch.setattr(files.os, "replace", act)
        return path, tries

    monkeypatch.setattr(files, "WINDOWS", True)
    return refuse


def test_a_file_that_is_being_read_is_replaced_as_soon_as_that_is_over(held):
    path, tries = held(times=3)
    files.write_whole(path, "new")
    assert path.read_bytes() == b"new" and len(tries) == 4


def test_a_file_that_stays_open_is_said_to_be_unchanged(held, monkeypatch):
    monkeypatch.setattr(files, "PATIENCE", 0.1)
    path, _ = held(times=1_000_000)
    with pytest.raises(StorageError, match=r"could not be written \(access is denied\); the old file.* is unchanged"):
        files.write_whole(path, "new")
    assert path.read_bytes() == b"old" and os.listdir(path.parent) == [path.name]


def test_elsewhere_a_refusal_is_final(held, monkeypatch):
    monkeypatch.setattr(files, "WINDOWS", False)
    path, tries = held(times=1)
    with pytest.raises(StorageError):
        files.write_whole(path, "new")
    assert len(tries) == 1


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="the system does not say which files are mapped")
def test_what_was_read_holds_no_window_on_its_file(tmp_path):
    """Windows replaces no file that is mapped into memory, and a training replaces the checkpoint it began with."""
    path = tmp_path / "system.safetensors"
    save(AdversarialAutoencoder((1, 4, 4), prior=Gaussian(2), hidden=(8,)), path)
    tensors, _ = read_tensors(path)
    assert tensors and path.name not in Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace")


COMMANDS = [
    ("aae_lib.experiments", "list"),
    ("aae_lib.experiments", "table"),
    ("benchmarks", "--help"),
    ("tools", "help"),
    ("tools.grading", "--help"),
    ("tools.slides", "--help"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_commands_print_into_a_file_of_256_characters(command):
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "OMP_NUM_THREADS": "1"}
    process = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, env=environment, capture_output=True)
    assert process.returncode == 0, process.stderr.decode(errors="replace")
    assert process.stdout.isascii() and len(process.stdout) > 100


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_programs_use_only_what_every_system_has(path):
    used = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            used.add(ast.unparse(node))
        elif isinstance(node, ast.Import):
            used |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            used |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    assert used & NOT_ON_WINDOWS == set()


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_text_is_read_as_utf_8_whatever_the_system_prefers(path):
    for call in (node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        said = {keyword.arg for keyword in call.keywords} | {getattr(argument, "value", "") for argument in call.args}
        binary = {"rb", "wb", "ab"} & {value for value in said if isinstance(value, str)}
        text = name in ("read_text", "write_text") or (ast.unparse(call.func) in ("open", "path.open") and not binary)
        assert not text or "encoding" in said, ast.unparse(call)


def test_every_file_of_the_project_has_a_name_that_windows_and_macos_can_hold():
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True)
    if listing.returncode:
        pytest.skip("this is no git repository, so its files are not known")
    names = listing.stdout.decode().strip("\0").split("\0")
    assert len(names) > 100
    for name in names:
        assert len(name) <= 120 and not re.search(r'[<>:"|?*\\]|[ .](/|$)', name), name
        assert not DEVICES & {part.partition(".")[0].lower() for part in name.split("/")}, name
    assert len({name.lower() for name in names}) == len(names), "two names differ in case only"
