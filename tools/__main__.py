"""What make does, for machines without it: ``python -m tools lab`` for ``make lab``, and so on.

make calls these too, once it has installed the course. What follows a name is passed on: ``python -m tools run 02``.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LEFT_BEHIND = ("build", ".pytest_cache", ".ruff_cache", ".hypothesis")
ONE_PLATFORM = re.compile(r"nvidia-|cuda-|triton=|pywinpty|colorama|appnope")  # not on every machine
NBVAL = ("-n", "2", "--dist", "loadscope", "--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout=120")
SOLUTIONS = "--ignore=notebooks/solutions"  # tests/test_exercises.py runs them in one process


def python(*arguments: str, **more: str) -> int:
    """Run Python with ``arguments`` in the project's folder, with ``more`` in its environment; the exit code."""
    environment = {**os.environ, **more}
    environment.pop("MPLBACKEND", None)  # figures go into the notebook, whatever this shell draws with
    if data := environment.get("AAE_DATA"):
        environment["AAE_DATA"] = str(ROOT / Path(data).expanduser())  # notebooks run in a folder of their own
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, env=environment).returncode


def test(*more: str) -> int:
    """lint, unit tests and every notebook, offline, in the smoke profile"""
    smoke = {"AAE_PROFILE": "smoke", "AAE_DATA": "", "OMP_NUM_THREADS": "1"}
    return lint() or python("-m", "pytest", *NBVAL, SOLUTIONS, "tests", "notebooks", *more, **smoke)


def lint() -> int:
    """look for mistakes and for code that is not formatted"""
    return python("-m", "ruff", "check") or python("-m", "ruff", "format", "--check")


def format_code() -> int:
    """format the code and repair what can be repaired"""
    return python("-m", "ruff", "check", "--fix") or python("-m", "ruff", "format")


def constraints() -> int:
    """renew constraints.txt with today's newest versions; then run the tests"""
    fresh = ROOT / "build" / "newest"
    shutil.rmtree(fresh, ignore_errors=True)
    venv.create(fresh, with_pip=True)
    newest = str(fresh / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
    subprocess.run([newest, "-m", "pip", "install", "-e", ".[lab,test,grading]"], cwd=ROOT, check=True)
    freeze = [newest, "-m", "pip", "freeze", "--exclude-editable"]
    found = subprocess.run(freeze, capture_output=True, encoding="utf-8", check=True).stdout.splitlines()
    page = ROOT / "constraints.txt"
    remarks = [line for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    pins = [line.partition("+")[0] for line in found if not ONE_PLATFORM.match(line)]
    page.write_text("\n".join([*remarks, *pins]) + "\n", encoding="utf-8", newline="\n")
    shutil.rmtree(fresh)
    return 0


def clean() -> int:
    """remove everything that was installed or generated; datasets stay"""
    for name in (*LEFT_BEHIND, *(path.name for path in ROOT.glob("*.egg-info"))):
        shutil.rmtree(ROOT / name, ignore_errors=True)
    for folder in [path for path in ROOT.rglob("__pycache__") if ".venv" not in path.parts]:
        shutil.rmtree(folder, ignore_errors=True)
    print("All that was generated is gone. What was installed is in use: delete the folder .venv by hand.")
    return 0


def calling(words: str, *arguments: str) -> Callable[..., int]:
    """A task that runs Python with ``arguments`` and whatever more it is given; ``words`` say what for."""

    def task(*more: str) -> int:
        return python(*arguments, *more)

    task.__doc__ = words
    return task


NOTEBOOKS = "tools/notebooks.py"
TASKS: dict[str, Callable[..., int]] = {
    "lab": calling("open the course in JupyterLab", "-m", "jupyterlab", "notebooks/00_start_here.ipynb"),
    "test": test,
    "run": calling("execute a notebook into build/, e.g. run 02", NOTEBOOKS, "run"),
    "notebooks": calling("rebuild notebooks from their sources on real data (02: only that one)", NOTEBOOKS, "build"),
    "sync": calling("bring edited sources into notebooks without executing", NOTEBOOKS, "sync"),
    "slides": calling("make slides of a notebook in build/, e.g. slides 02", "-m", "tools.slides"),
    "release": calling("make what students are handed out, e.g. release 02", "-m", "tools.grading", "release"),
    "grade": calling("grade the hand-ins in a folder, e.g. grade hand-ins", "-m", "tools.grading", "grade"),
    "bench": calling("measure speeds, on an idle machine", "-m", "benchmarks"),
    "results": calling("measure the stored systems anew, beside their records", "-m", "aae_lib.experiments", "verify"),
    "tables": calling("write the tables of README.md anew", "-m", "aae_lib.experiments", "table", "--readme"),
    "lint": lint,
    "format": format_code,
    "constraints": constraints,
    "clean": clean,
}


def main(arguments: list[str]) -> int:
    name, *more = arguments or ["help"]
    if name in ("help", "-h", "--help"):
        print(*(f"  python -m tools {known:12} {task.__doc__}" for known, task in TASKS.items()), sep="\n")
        return 0
    if name not in TASKS:
        print(f"{name!r} is no task; there are: {', '.join(TASKS)}.", file=sys.stderr)
        return 2
    try:
        return TASKS[name](*more)
    except KeyboardInterrupt:
        return 130  # what a shell calls a program that Ctrl-C ended


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
