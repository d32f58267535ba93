"""Makes slides of a notebook: one HTML file in build/, which holds all that it needs and asks for no network.

    python -m tools.slides 02

A heading of the notebook starts a slide; what follows it lies below. Long text is divided between its paragraphs.
Figures are shown without the code that draws them; losses and other code without figures are shown, imports, settings
and exercises are not. A cell of the source that says otherwise, ``# %% slideshow={"slide_type": "skip"}`` for example,
is taken at its word.
"""

from __future__ import annotations

import argparse
import base64
import re
import sys
from collections.abc import Iterator
from copy import deepcopy
from math import ceil
from pathlib import Path

import nbformat
from jinja2 import DictLoader
from nbconvert import SlidesExporter
from nbformat import NotebookNode
from traitlets.config import Config

from aae_lib.files import forgive_encodings, write_whole
from tools import notebooks

FOLDER = Path(__file__).parent
VENDOR = FOLDER / "vendor"  # other people's work
LINES = 14  # of text on a slide
WIDTH = 82  # characters in a line
CODE_LINES = 25  # of code and output together
LINE = 1.75  # of text, in lines of code
SAID = 6  # lines of output that find room beside a figure
DRAWING = re.compile(r"\bax(es)?\b|\bfigures\.canvas\b")
BLOCK = re.compile(
    r"^\$\$.*?\$\$$|^```.*?^```$|^<details>.*?</details>$|^#+ [^\n]*|^[^\n].*?(?=\n\n|\Z)", re.MULTILINE | re.DOTALL
)
ITEM = re.compile(r"^(?=- |\d+\. )", re.MULTILINE)
TEMPLATE = (
    """{% extends "reveal/index.html.j2" %}
{% block html_head_js %}{% endblock %}
{% block html_head_js_mathjax %}{% endblock %}
{% block html_head_css %}<!-- styles -->{% endblock %}
{% block footer_js %}<!-- scripts -->{% endblock %}
"""
    + notebooks.ALT_BLOCK
)


def blocks(text: str) -> Iterator[tuple[str, float]]:
    """The pieces between which Markdown may be divided, each with the number of lines that it takes on a slide."""
    for block in (found.group().strip("\n") for found in BLOCK.finditer(text)):
        for piece in ITEM.split(block) if ITEM.match(block) else [block]:
            if piece.startswith("![") or piece.startswith("<img"):
                yield piece, LINES - 2.0
            elif piece.startswith("#"):
                yield piece, 2.5
            elif piece.startswith("|"):
                yield from tables(piece)
            elif piece.startswith("$$"):
                yield piece, 2.5 + 1.5 * piece.count("\\\\")
            elif piece.strip():
                yield piece.rstrip("\n"), 0.5 + ceil(len(" ".join(piece.split())) / WIDTH)


def tables(table: str) -> Iterator[tuple[str, float]]:
    """A table as one or more of at most a slide, each with the header."""
    *header, first = table.splitlines()[:3]
    rows, lines = [*header, first], 3.0
    for row in table.splitlines()[3:]:
        needed = 0.5 + ceil(len(re.sub(r"\]\([^)]*\)", "", row)) / 110)
        if lines + needed > LINES - 2.5:  # there may be a heading above
            yield "\n".join(rows), lines
            rows, lines = list(header), 1.5
        rows.append(row)
        lines += needed
    yield "\n".join(rows), lines


def parts(text: str) -> list[str]:
    """Markdown as what fits on one slide each; a heading starts a new one, and is never the last thing on it."""
    found: list[list[str]] = []
    filled, heading = float(LINES), False
    for piece, lines in blocks(text):
        new = filled + lines > LINES and not heading
        if new or (piece.startswith("#") and not heading):
            found.append([])
            filled = 0.0
        found[-1].append(piece)
        filled, heading = filled + lines, piece.startswith("#")
    return ["\n\n".join(pieces) for pieces in found]


def slide(cell: NotebookNode, kind: str) -> NotebookNode:
    """A copy of ``cell`` that starts a slide of this kind."""
    copy = deepcopy(cell)
    copy.metadata.slideshow = {"slide_type": kind}
    return copy


def of_text(cell: NotebookNode) -> Iterator[NotebookNode]:
    """The slides of a cell of Markdown: headings start one to the right, the rest lies below."""
    for part in parts(re.sub(r"<!--.*?-->\s*", "", cell.source, flags=re.DOTALL)):
        made = slide(cell, "slide" if re.match(r"##? ", part) else "subslide")
        made.source = part
        yield made


def of_code(cell: NotebookNode, first: bool) -> Iterator[NotebookNode]:
    """The slides of a cell of code: what it has drawn, one figure each; else the code, and what it printed."""
    pictures = [output for output in cell.outputs if "image/png" in output.get("data", {})]
    printed = [output for output in cell.outputs if output not in pictures]
    lines = len(cell.source.splitlines()) + sum(len(text.splitlines()) for text in texts(printed))
    proof = cell.source.startswith("# NBVAL_CHECK_OUTPUT")
    if not first and not pictures and not proof and not (DRAWING.search(cell.source) and not printed):
        code = slide(cell, "subslide")
        if lines > CODE_LINES:
            code.outputs = []
        yield code
        if lines <= CODE_LINES:
            return
    said = sum(len(text.splitlines()) for text in texts(printed))
    together = [[*printed, *pictures[:1]], *([picture] for picture in pictures[1:])]
    apart = [printed, *([picture] for picture in pictures)]
    for outputs in () if first else together if said <= SAID else apart:
        if not outputs or not (pictures or said):
            continue
        shown = slide(cell, "subslide")
        shown.source, shown.outputs, shown.metadata.tags = "", outputs, ["no-code"]
        yield shown


def fits(text: NotebookNode, code: NotebookNode) -> bool:
    """Whether code finds room below the text on a slide; what was asked to be predicted does not stand there."""
    if text.cell_type != "markdown" or not code.source or "redict" in text.source:
        return False
    lines = len(code.source.splitlines()) + sum(len(said.splitlines()) for said in texts(code.outputs))
    return LINE * sum(count for _, count in blocks(text.source)) + lines <= CODE_LINES


def texts(outputs: list[NotebookNode]) -> list[str]:
    """What these outputs say."""
    return [output.get("text", "") or output.get("data", {}).get("text/plain", "") for output in outputs]


def slides(notebook: NotebookNode) -> NotebookNode:
    """``notebook`` with its cells divided into slides, and with nbconvert's marks that say so."""
    made, code_seen = [], False
    for cell in notebook.cells:
        if "slideshow" in cell.metadata:
            made.append(deepcopy(cell))
        elif notebooks.EXERCISE in cell.metadata.get("tags", ()):
            continue
        elif cell.cell_type == "markdown":
            made += of_text(cell)
        else:
            found = list(of_code(cell, first=not code_seen))
            if found and made and fits(made[-1], found[0]):
                found[0].metadata.slideshow = {"slide_type": "-"}
            made += found
        code_seen = code_seen or cell.cell_type == "code"
    for number, cell in enumerate(made):
        cell.id = f"slide-{number}"
    return nbformat.v4.new_notebook(cells=made, metadata=notebook.metadata)


def texts_of(*paths: Path) -> list[str]:
    """What these files hold."""
    return [path.read_text(encoding="utf-8") for path in paths]


def styles() -> str:
    """All style sheets as one, with KaTeX's fonts inside."""

    def inside(found: re.Match) -> str:
        font = base64.b64encode((VENDOR / "katex" / found.group(1)).read_bytes()).decode()
        return f'src:url(data:font/woff2;base64,{font}) format("woff2")'

    reveal, theme, katex, ours = texts_of(
        VENDOR / "reveal.js" / "reveal.css",
        VENDOR / "reveal.js" / "white.css",
        VENDOR / "katex" / "katex.min.css",
        FOLDER / "slides.css",
    )
    return "\n".join((reveal, theme, re.sub(r"src:url\((fonts/[\w-]+\.woff2)\)[^;}]*", inside, katex), ours))


def scripts() -> str:
    """reveal.js, KaTeX, and what starts them."""
    katex = VENDOR / "katex"
    files = (VENDOR / "reveal.js" / "reveal.js", katex / "katex.min.js", katex / "auto-render.min.js")
    return "\n".join(f"<script>{text}</script>" for text in texts_of(*files, FOLDER / "slides.js"))


def to_slides(notebook: NotebookNode, name: str) -> str:
    """A page that shows ``notebook`` as slides and needs no other file."""
    exporter = SlidesExporter(
        config=Config({"TagRemovePreprocessor": {"enabled": True, "remove_input_tags": ["no-code"]}}),
        template_file="slides.html.j2",
        extra_loaders=[DictLoader({"slides.html.j2": TEMPLATE})],
        embed_images=True,
    )
    resources = {"metadata": {"name": name, "path": str(notebooks.NOTEBOOKS)}}
    page = exporter.from_notebook_node(slides(notebook), resources=resources)[0]
    page = re.sub(r"<link[^>]*unpkg\.com[^>]*>", "", page)
    return page.replace("<!-- styles -->", f"<style>{styles()}</style>").replace("<!-- scripts -->", scripts())


def main() -> None:
    forgive_encodings()
    parser = argparse.ArgumentParser(
        prog="python -m tools.slides", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("NB", help="the beginning of a notebook's name, such as 02")
    try:
        for path in notebooks.matching(notebooks.NOTEBOOKS, f"{parser.parse_args().NB}*.ipynb"):
            page = to_slides(nbformat.read(path, as_version=4), path.stem)
            write_whole(notebooks.BUILD / f"{path.stem}.slides.html", page)
            print(f"written: build/{path.stem}.slides.html ({len(page.encode()) / 1e6:.1f} MB); open it in a browser")
    except (notebooks.NotebookError, ValueError, OSError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
