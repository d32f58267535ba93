"""How long each notebook takes in the quick profile, as a reader runs it.

    AAE_DATA=data python benchmarks/notebook_times.py

The goal is three minutes each on two idle cores. All of them take half an hour and more.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
GOAL = 180  # seconds


def rows() -> Iterator[tuple]:
    """Rows of the table: notebook, seconds, goal, share of the goal."""
    for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb")):
        number = path.stem.partition("_")[0]
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, str(ROOT / "tools" / "notebooks.py"), "run", number], check=True, stdout=subprocess.DEVNULL
        )
        took = time.perf_counter() - began
        yield f"notebook {number}", f"{took:.0f} s", f"goal: {GOAL} s", f"{took / GOAL:.2f}"


def main() -> None:
    for row in rows():
        print(" | ".join(row), flush=True)


if __name__ == "__main__":
    main()
