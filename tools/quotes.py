"""Numbers that prose quotes: each must be in a cell near it, or be said to come from elsewhere.

Prose is every markdown cell and every alt text. A number in it (a decimal, a percentage, or a count from 10 on) is
founded where it occurs, rounded as it is quoted, in an output or as a constant in the code: of the setup cells, of
the cells above back to the beginning of the section before, or of those directly below. So the limit in an ``assert``
founds a "more than 40". The first section, a summary and a comparison with papers look at the whole notebook. What
comes from a paper, from a file of this project or from mathematics is declared in the section that quotes it, in a
comment that readers do not see:

    <!-- 340, 427: Makhzani et al. 2015, Table 1 -->
    <!-- 0.09, 0.15: results/README.md -->

If the reason begins with the name of a file, that file must have the numbers. Not looked at: exercises and what to
read, times, displayed formulas, code, links, sizes such as 28x28, years, and the numbers of figures, sections and
notebooks.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import nbformat
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parent.parent
DIGITS = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
PERCENT = rf"(?:\s*(?:±|to|and|or|against|–|,)\s*{DIGITS})*(?:\s|\\,)*\\?%"  # of "71 to 92 %", too
QUOTED = re.compile(rf"(?<![\w.,^_\\/{{])({DIGITS})(?![\w^/]|[.,]\d)({PERCENT})?")
PRINTED = re.compile(rf"(?<![\w.])({DIGITS})(?:e([+-]?\d\d?)\b)?")
DECLARED = re.compile(rf"<!--\s*((?:{DIGITS}[\s,]*)+):\s*(.*?)\s*-->", re.DOTALL)
NAMES = (
    r"notebooks?|exercises?|figures?|fig\.|tables?|sections?|sec\.|appendix|algorithms?|theorem|eq\.|equations?|python"
)
NO_PROSE = re.compile(
    rf"""<!--.*?-->|```.*?```|`[^`]*`|\$\$.*?\$\$|\[\d\d\s[^\]]*\]\(|\]\([^)]*\)|https?://\S+|arXiv\s\S+
    |\b(?:{NAMES})\s\[?\d+[a-z]?(?:\.\d+)*(?:(?:,|\sand|\sto|–)\s\d+[a-z]?(?:\.\d+)*)*  # such as Figures 3 and 4
    |^\#.*?$|\d+(?:x\d+)+|\b(?:19|20)\d\d\b(?!,\d)  # headings, sizes, years
    |{DIGITS}(?:\s(?:to|or|and)\s{DIGITS})?\s(?:s|seconds?|min|minutes?|hours?)\b""",
    re.VERBOSE | re.DOTALL | re.IGNORECASE | re.MULTILINE,
)
SILENT = re.compile(r"^(?:## exercises|## what to read|\*\*to read)", re.IGNORECASE)
EVERYWHERE = re.compile(r"^(?:# |## summary|## beside the paper)", re.IGNORECASE)
GUESSING = {(1.386294, 1e-6), (0.693147, 1e-6)}  # 2 ln 2 and ln 2: what a discriminator loses where it can only guess
Numbers = set[tuple[float, float]]  # each with the precision to which it is given


class Quote(NamedTuple):
    text: str
    value: float
    unit: float  # of its last digit
    percent: bool

    def founded(self, numbers: Numbers) -> bool:
        """Is it one of ``numbers``, rounded as it is quoted; a percentage perhaps as a share of 1?"""
        for value, precision in numbers:
            for factor in (1, 100) if self.percent else (1,):
                off, coarser = abs(factor * value - self.value), factor * precision > 1.001 * self.unit
                if off < 1e-9 or (not coarser and off <= self.unit / 2 + 1e-9):
                    return True
        return False


def quotes(prose: str) -> Iterator[Quote]:
    """The numbers that ``prose`` quotes."""
    for digits, percent in QUOTED.findall(NO_PROSE.sub(" ", prose)):
        value, decimals = float(digits.replace(",", "")), len(digits.partition(".")[2])
        if percent or decimals or value >= 10:
            yield Quote(digits + " %" * bool(percent), value, 10.0**-decimals, bool(percent))


def printed(text: str) -> Numbers:
    """The numbers in ``text``, without their signs."""
    found = set()
    for digits, exponent in PRINTED.findall(text):
        scale = 10.0 ** int(exponent or 0)
        found.add((float(digits.replace(",", "")) * scale, scale * 10.0 ** -len(digits.partition(".")[2])))
    return found


def in_code(code: str) -> tuple[Numbers, list[str]]:
    """The constants in ``code``, those in its texts too; and its alt texts, which are prose."""
    tree = ast.parse(code)
    alts = [word.value for node in ast.walk(tree) for word in getattr(node, "keywords", ()) if word.arg == "alt"]
    prose = [part for alt in alts for part in ast.walk(alt) if isinstance(part, ast.Constant)]
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and node not in prose:
            if isinstance(node.value, str):
                found |= printed(node.value)
            elif isinstance(node.value, int | float):
                found.add((abs(float(node.value)), float("inf")))  # to be quoted as it stands: 0.5 founds no 0.54
    return found, [str(part.value) for part in prose]


def declared(prose: str) -> tuple[Numbers, list[str]]:
    """What ``prose`` says to come from elsewhere, and sentences on what is not there."""
    found, wrong = set(), []
    for numbers, reason in DECLARED.findall(prose):
        found |= printed(numbers)
        name = reason.split(",")[0]
        if (ROOT / name).is_file():
            there = printed(text_of(ROOT / name))
            wrong += [f"{quote.text} is not in {name}." for quote in quotes(numbers) if not quote.founded(there)]
    return found, wrong


def text_of(file: Path) -> str:
    """What a file of this project says; of a notebook, what its outputs say."""
    text = file.read_text(encoding="utf-8")
    if file.suffix != ".ipynb":
        return text
    return "\n".join(line for cell in nbformat.reads(text, as_version=4).cells for line in shown(cell))


def parts(notebook: NotebookNode) -> Iterator[tuple[int, int, str, str]]:
    """The notebook in pieces: (number of the cell, number of its section, "code" or "prose", text)."""
    section, silent = 0, False
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            yield index, section, "code", cell.source
            continue
        for part in re.split(r"^(?=## |\*\*to read)", cell.source, flags=re.MULTILINE | re.IGNORECASE):
            section += part.startswith("## ")
            silent = bool(SILENT.match(part)) or (silent and not part.startswith("#"))
            yield index, section, "prose", "" if silent else part


def unfounded(notebook: NotebookNode) -> list[str]:
    """Numbers in the prose of ``notebook`` that no cell near them has, one sentence each."""
    pieces, evidence, prose, wrong = list(parts(notebook)), {}, [], []
    elsewhere = {section: GUESSING for _, section, _, _ in pieces}
    for index, section, kind, text in pieces:
        if kind == "code":
            numbers, alts = in_code(text)
            evidence[index] = section, numbers | printed("\n".join(shown(notebook.cells[index])))
            prose += [(index, section, alt) for alt in alts]
        else:
            numbers, sentences = declared(text)
            elsewhere[section] = elsewhere[section] | numbers
            prose.append((index, section, text))
            wrong += [f"cell {index + 1}: {sentence}" for sentence in sentences]
    for index, section, text in prose:
        below = index
        while below + 1 in evidence:  # cells of code directly below
            below += 1
        seen = [
            numbers
            for at, (of, numbers) in evidence.items()
            if EVERYWHERE.match(text) or of == 0 or (at <= below and of >= section - 1)
        ]
        numbers = elsewhere[section].union(*seen)
        for quote in quotes(text):
            if not quote.founded(numbers):
                wrong.append(f"cell {index + 1} quotes {quote.text}, which no cell near it has.")
    return list(dict.fromkeys(wrong))


def shown(cell: NotebookNode) -> Iterator[str]:
    """The text in the outputs of ``cell``; what stands in for a picture is none."""
    for output in cell.get("outputs", ()):
        yield output.get("text", "")
        data = output.get("data", {})
        yield data.get("text/markdown", "")
        yield data.get("text/plain", "") if "image/png" not in data else ""
