"""All benchmarks, a table each: ``make bench``, or ``python -m benchmarks --help``.

Run it on an idle machine. What is compared is measured in turns, so ratios hold where absolute times do not.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import torch

from aae_lib.experiments.ledger import commit, surroundings
from aae_lib.files import forgive_encodings, write_whole
from aae_lib.profiles import current_profile
from benchmarks import notebook_times

PAGE = Path(__file__).parent / "README.md"
PARTS = ("training_speed", "parzen_speed", "widget_frames", "growth", "time_to_quality", "notebook_times")
ROW_BY_ROW = "notebook_times"  # the part that is written as it goes, and may be measured in pieces
HEADER = "| what | here | beside it | ratio |\n|---|---|---|---|"


def section(part: str, *which: list[str]) -> Iterator[str]:
    """The lines of a part's table, each as soon as it is measured: where, and what. ``which``: to be measured."""
    where = surroundings(torch.device("cpu"))
    yield (
        f"{date.today()}, commit `{commit() or 'unknown'}`, {where['machine']}, {where['threads']} threads, "
        f"torch {where['versions']['torch']}.\n"
    )
    yield HEADER
    try:
        for row in importlib.import_module(f"benchmarks.{part}").rows(*which):
            yield f"| {' | '.join(row)} |"
    except ModuleNotFoundError as error:  # a rival that is not installed
        yield f"| {part} | – | not measured: there is no package {error.name} here | – |"


def with_section(page: str, part: str, lines: list[str]) -> str:
    """``page`` with a new table of ``part`` between its marks; the other parts' stay as they were measured."""
    begin, end = f"<!-- measured: {part} -->\n", "<!-- end -->"
    before, _, rest = page.partition(begin)
    earlier, _, after = rest.partition(end)
    if part == ROW_BY_ROW:
        lines = notebook_times.joined(earlier.splitlines(), lines)
    return before + begin + "\n".join(lines) + "\n" + end + after


def main() -> int:
    forgive_encodings()
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"by default {', '.join(PARTS)}")
    parser.add_argument("--write", action="store_true", help="put the tables into benchmarks/README.md")
    numbers = notebook_times.NUMBERS
    parser.add_argument("--notebooks", nargs="+", choices=numbers, default=numbers, metavar="NB", help="such as 04 12")
    chosen = parser.parse_args()
    unknown = [part for part in chosen.parts if part not in PARTS]
    if unknown:
        print(f"part is {unknown[0]!r}, which is unknown; the choices are {', '.join(PARTS)}.", file=sys.stderr)
        return 1
    parts = chosen.parts or PARTS
    if chosen.write and ROW_BY_ROW in parts and current_profile() != "quick":
        print(f"AAE_PROFILE is {current_profile()!r}, but {PAGE.name} keeps times of quick; unset it.", file=sys.stderr)
        return 1
    for part in parts:
        lines = []
        for line in section(part, *([chosen.notebooks] if part == ROW_BY_ROW else [])):
            print(line, flush=True)
            lines.append(line)
            if chosen.write and part == ROW_BY_ROW and line.startswith(notebook_times.ROW):
                write(part, lines)
        if chosen.write and any("| not measured:" in line for line in lines):
            print(f"{PAGE.name} keeps its table of {part}.", flush=True)
        elif chosen.write and part != ROW_BY_ROW:
            write(part, lines)
    return 0


def write(part: str, lines: list[str]) -> None:
    """Put a table into the page."""
    write_whole(PAGE, with_section(PAGE.read_text(encoding="utf-8"), part, lines))


if __name__ == "__main__":
    sys.exit(main())
