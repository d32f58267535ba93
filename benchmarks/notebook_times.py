"""How long each notebook takes in the quick profile, as a reader runs it.

    AAE_DATA=data python -m benchmarks notebook_times --write
    AAE_DATA=data python -m benchmarks notebook_times --write --notebooks 04 12

The goal is three minutes each on two idle cores. All of them take half an hour and more, so a row is written as soon as
it is measured, and those of notebooks that were not run stay. ``tools/minutes.py`` holds what notebooks say to them.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from aae_lib.experiments.ledger import commit

ROOT = Path(__file__).parent.parent
GOAL = 180  # seconds
NUMBERS = sorted(path.name[:2] for path in (ROOT / "notebooks").glob("[0-9]*.ipynb"))
ROW = "| notebook "  # how a row begins, with the number behind it


def rows(chosen: Sequence[str] = NUMBERS) -> Iterator[tuple]:
    """Rows of the table: notebook and commit, seconds, goal, share of the goal; in the profile of AAE_PROFILE.

    A notebook that fails, or has other data than it names, gets no row but a sentence among the errors.
    """
    for number in chosen:
        began = time.perf_counter()
        fault = run(number)
        took = time.perf_counter() - began
        if fault:
            print(f"notebook {number} was not measured: {fault}", file=sys.stderr, flush=True)
            continue
        code = commit.__wrapped__() or "unknown"  # of this moment: each notebook imports anew
        yield f"notebook {number}, commit `{code[:7]}`", f"{took:.0f} s", f"goal: {GOAL} s", f"{took / GOAL:.2f}"


def run(number: str) -> str:
    """Execute a notebook as ``make run`` does; what went wrong, "" where nothing did."""
    command = [sys.executable, "-m", "tools", "run", number]
    if subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL).returncode:
        return "it did not come to its end."
    (executed,) = (ROOT / "build").glob(f"{number}_*.ipynb")
    if "INSTEAD OF" in executed.read_text(encoding="utf-8"):
        return "it had other data than it names; see data/README.md."
    return ""


def joined(earlier: list[str], lines: list[str]) -> list[str]:
    """``lines`` of a new table, with the rows that only the ``earlier`` one has, if both are of one machine."""

    def machine(table: list[str]) -> str:
        return table[0].partition("`, ")[2].strip() if table else ""

    if machine(earlier) != machine(lines):
        return lines
    found = {line[: len(ROW) + 2]: line for line in (*earlier, *lines) if line.startswith(ROW)}
    return [line for line in lines if not line.startswith(ROW)] + [found[name] for name in sorted(found)]
