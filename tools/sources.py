"""Notebooks as their text sources describe them, not executed: the student's, and the solutions of its exercises.

Cells tagged "exercise" need nothing that stands above them. The lines of a solution stand once, in the source, between
### BEGIN SOLUTION and ### END SOLUTION. The student's notebook has ... in their place.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

EXERCISE = "exercise"  # the tag of what an exercise asks, of its function and of its check
SOLUTION = re.compile(r"^( *)### BEGIN SOLUTION\n.*?^ *### END SOLUTION$", re.MULTILINE | re.DOTALL)
MARKER = re.compile(r"^ *### (BEGIN|END) SOLUTION\n?", re.MULTILINE)
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def from_source(path: Path) -> NotebookNode:
    """The student's notebook that the percent-format ``path`` describes, not executed and without solutions."""
    notebook = read_source(path)
    for cell in notebook.cells:
        cell.source = SOLUTION.sub(r"\1...", cell.source)
    return with_ids(notebook)


def solutions(path: Path) -> NotebookNode | None:
    """The exercises of the source ``path`` alone, with their solutions, not executed; None where it has none."""
    whole = read_source(path)
    cells = exercises(whole)
    if not cells:
        return None
    for cell in cells:
        cell.source = MARKER.sub("", cell.source).rstrip()
    title = whole.cells[0].source.splitlines()[0].removeprefix("# ")
    words = f"# Solutions: {title}\n\nThe functions that [the notebook](../{path.stem}.ipynb#Exercises) asks for."
    return with_ids(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(words), *cells]))


def exercises(notebook: NotebookNode) -> list[NotebookNode]:
    """The cells tagged "exercise"."""
    return [cell for cell in notebook.cells if EXERCISE in cell.metadata.get("tags", ())]


def read_source(path: Path) -> NotebookNode:
    """All that the percent-format ``path`` holds, solutions between their markers included."""
    return jupytext.reads(path.read_text(encoding="utf-8"), fmt="py:percent")


def with_ids(notebook: NotebookNode) -> NotebookNode:
    """``notebook`` with the course's metadata, and with a hash of its content for each cell's id."""
    notebook.metadata = nbformat.from_dict(METADATA)
    seen = Counter()
    for cell in notebook.cells:
        cell.metadata.pop("lines_to_next_cell", None)
        cell.id = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:12]
        seen[cell.id] += 1
        if seen[cell.id] > 1:
            cell.id += f"-{seen[cell.id]}"
    return notebook
