"""The minutes that a notebook says it takes, held to those that were measured.

A first cell says "**About 3 minutes on …" or "… about 3 minutes of computing"; ``python -m benchmarks notebook_times
--write`` measures them into benchmarks/README.md. The two may differ by half a minute or by a quarter of what was
measured, whichever is more.
"""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "benchmarks" / "README.md"
SAID = re.compile(r"\*\*[^*]*\babout (\d*)([¼½¾]?) minutes? (?:on|of computing)\b", re.IGNORECASE)
QUARTERS = {"": 0.0, "¼": 0.25, "½": 0.5, "¾": 0.75}
MEASURED = re.compile(r"^\| notebook (\d\d), [^|]*\| ([\d,]+) s \|", re.MULTILINE)


def said(text: str) -> float | None:
    """The minutes that a first cell names, None where it names none."""
    found = SAID.search(text)
    return int(found[1] or 0) + QUARTERS[found[2]] if found else None


def measured(page: str) -> dict[str, float]:
    """The minutes in the table of notebooks, by number; of those that were measured."""
    return {number: int(seconds.replace(",", "")) / 60 for number, seconds in MEASURED.findall(page)}


def untimely(text: str, number: str, page: str | None = None) -> list[str]:
    """What is wrong with the minutes that notebook ``number`` names in its first cell, ``text``: a sentence or none."""
    here, there = said(text), measured(PAGE.read_text(encoding="utf-8") if page is None else page).get(number)
    if here is None or there is None or abs(here - there) <= max(0.5, 0.25 * there):
        return []
    return [f"it says that it takes about {here:g} minutes, but {PAGE.name} of benchmarks/ measured {there:.1f}."]
