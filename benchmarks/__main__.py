"""All benchmarks in one table: ``make bench``, or ``python -m benchmarks --help``.

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

PAGE = Path(__file__).parent / "README.md"
PARTS = ("training_speed", "parzen_speed", "widget_frames", "growth", "time_to_quality", "notebook_times")
HEADER = "| what | here | beside it | ratio |\n|---|---|---|---|"
MARK = "<!-- measured -->"  # what follows it in the page is written by this program


def table(parts: list[str]) -> Iterator[str]:
    """The table's lines, each as soon as it is measured."""
    yield HEADER
    for part in parts:
        try:
            for row in importlib.import_module(f"benchmarks.{part}").rows():
                yield f"| {' | '.join(row)} |"
        except ModuleNotFoundError as error:  # a rival that is not installed
            yield f"| {part} | – | not measured: there is no package {error.name} here | – |"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"by default {', '.join(PARTS)}")
    parser.add_argument("--write", action="store_true", help="put the table into benchmarks/README.md")
    chosen = parser.parse_args()
    unknown = [part for part in chosen.parts if part not in PARTS]
    if unknown:
        print(f"part is {unknown[0]!r}, which is unknown; the choices are {', '.join(PARTS)}.", file=sys.stderr)
        return 1
    where = surroundings(torch.device("cpu"))
    head = (
        f"{date.today()}, commit `{commit() or 'unknown'}`, {where['machine']}, {where['threads']} threads, "
        f"torch {where['versions']['torch']}.\n"
    )
    lines = [head]
    print(head, flush=True)
    for line in table(chosen.parts or list(PARTS)):
        print(line, flush=True)
        lines.append(line)
    if chosen.write:
        page = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(page.partition(MARK)[0] + f"{MARK}\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
