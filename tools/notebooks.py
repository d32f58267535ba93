"""Makes the committed notebooks from their text sources, and runs notebooks without a browser.

build   notebooks/source/NAME.py, executed on real data in the quick profile, becomes notebooks/NAME.ipynb
sync    the same without executing; cells that did not change keep their outputs, exercises are executed by themselves
check   are the committed notebooks what their sources say, executed, small, and free of this machine's paths, and are
        the numbers in their prose those of their cells, and the minutes those of benchmarks/README.md?
run     executes notebooks/NAME.ipynb in the profile of AAE_PROFILE; the result and an HTML page go to build/

NB is the beginning of a notebook's name, such as 02. Without it, build, sync and check take every notebook.

build and sync also write notebooks/solutions/NAME.ipynb, which has the exercises alone, solved and executed.
"""

from __future__ import annotations

import argparse
import base64
import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat
from jinja2 import DictLoader
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbconvert import HTMLExporter
from nbformat import NotebookNode

from aae_lib.files import forgive_encodings, write_whole
from aae_lib.profiles import current_profile

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # where this file is run as a script
from tools import minutes, quotes
from tools.sources import EXERCISE, exercises, from_source, solutions

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
SOURCES = NOTEBOOKS / "source"
FIGURES = NOTEBOOKS / "figures"  # the figure that each notebook ends with, for its first cell and the README
TITLE_FIGURE = "title-figure"  # the tag of the cell that draws it
BUILD = ROOT / "build"
LARGEST = 1_500_000  # bytes of a committed notebook
PATIENCE = 600  # seconds for one cell of a committed notebook, whose budget is 180 for all cells
LOCAL_PATH = re.compile(r"(?<![\w.:/])/(?:home|root|tmp|private|var|opt|mnt|Users)/|\b[A-Z]:\\")
# nbconvert's templates leave out the alt text that a picture's metadata carries.
ALT_BLOCK = """{% block data_png scoped %}
{% set alt = output | get_metadata("alt", "image/png") or "" %}
{{ super() | replace("<img ", '<img alt="' ~ alt | escape_html ~ '" ', 1) }}
{% endblock %}"""
TEMPLATE = '{% extends "lab/index.html.j2" %}\n' + ALT_BLOCK


class NotebookError(Exception):
    """A notebook that cannot be built, found or run; the message is one sentence."""


def keep_outputs(notebook: NotebookNode, earlier: NotebookNode) -> None:
    """Give the code cells of ``notebook`` the outputs of the same cells in ``earlier``."""
    done = {cell.id: cell for cell in earlier.cells if cell.cell_type == "code"}
    for cell in notebook.cells:
        if cell.cell_type == "code" and cell.id in done:
            cell.outputs = done[cell.id].outputs
            cell.execution_count = done[cell.id].execution_count


def run_exercises(notebook: NotebookNode) -> None:
    """Execute the exercises by themselves, where one was not yet; their numbers go on from the cells above."""
    cells = [cell for cell in exercises(notebook) if cell.cell_type == "code"]
    if not all(cell.execution_count for cell in cells):
        execute(nbformat.v4.new_notebook(cells=cells, metadata=notebook.metadata), PATIENCE)
    for number, cell in enumerate((cell for cell in notebook.cells if cell.cell_type == "code"), 1):
        if EXERCISE in cell.metadata.get("tags", ()):
            cell.execution_count = number
            for output in cell.outputs:
                if "execution_count" in output:
                    output.execution_count = number


def execute(notebook: NotebookNode, patience: int | None = None) -> None:
    """Run every cell of ``notebook`` in notebooks/, telling how long each took; NotebookError where one fails."""
    client = NotebookClient(
        notebook,
        timeout=patience,
        kernel_name="python3",
        extra_arguments=["--log-level=CRITICAL"],  # its cells speak for themselves
        resources={"metadata": {"path": str(NOTEBOOKS)}},
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,  # of a progress bar only the last state stays
    )
    client.reset_execution_trackers()
    began = time.monotonic()
    with client.setup_kernel():
        for index, cell in enumerate(notebook.cells):
            if cell.cell_type != "code":
                continue
            first_line = next(iter(cell.source.splitlines()), "")
            print(f"  [{index + 1:2}/{len(notebook.cells)}] {first_line[:70]:70} ", end="", flush=True)
            cell_began = time.monotonic()
            try:
                client.execute_cell(cell, index)
            except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
                print()
                raise NotebookError(f"cell {index + 1} failed: {error}") from error
            print(f"{time.monotonic() - cell_began:6.1f} s", flush=True)
            forget_widgets(cell)
    print(f"  {time.monotonic() - began:.0f} s in all")


def forget_widgets(cell: NotebookNode) -> None:
    """Take out views of widgets, which die with the kernel; the picture or text that stands in for each one stays."""
    for output in cell.outputs:
        output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)


def to_html(notebook: NotebookNode) -> str:
    """A page that shows ``notebook``, with alt texts."""
    exporter = HTMLExporter(
        template_file="with_alt.html.j2", extra_loaders=[DictLoader({"with_alt.html.j2": TEMPLATE})]
    )
    return exporter.from_notebook_node(notebook)[0]


def faults(notebook: NotebookNode, source: Path, expected: NotebookNode | None = None) -> list[str]:
    """What forbids to commit ``notebook`` as what ``source`` describes, one sentence each.

    ``expected``: what it describes; without it, the student's notebook.
    """
    found = []
    expected = expected or from_source(source)
    if [(cell.id, cell.source, cell.metadata) for cell in notebook.cells] != [
        (cell.id, cell.source, cell.metadata) for cell in expected.cells
    ]:
        found.append(f"its cells are not those of {source.name}; edit the source and run make sync or make notebooks.")
    if notebook.metadata != expected.metadata:
        found.append("its metadata were changed; run make sync.")
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    if counts != list(range(1, len(counts) + 1)):
        found.append("its cells were not executed in order, from top to bottom; run make notebooks.")
    if any(output.output_type == "error" for cell in notebook.cells for output in cell.get("outputs", ())):
        found.append("a cell ended in an error.")
    texts = list(output_texts(notebook))
    for text in texts:
        if str(ROOT) in text or LOCAL_PATH.search(text):
            found.append(f"an output shows a path of the machine it was made on: {text[:200]!r}")
    if any("INSTEAD OF" in text for text in texts):
        found.append("it was run on other data than it names; see data/README.md for how to get them.")
    size = len(nbformat.writes(notebook).encode())
    if size > LARGEST:
        found.append(f"it has {size:,} bytes, more than {LARGEST:,}; draw fewer or smaller figures.")
    return found


def output_texts(notebook: NotebookNode) -> Iterator[str]:
    """All text in the outputs of ``notebook``; pictures are no text."""
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            yield output.get("text", "")
            yield from (str(value) for mime, value in output.get("data", {}).items() if not mime.startswith("image/"))


def matching(folder: Path, pattern: str) -> list[Path]:
    """The files in ``folder`` that match ``pattern``, sorted; NotebookError where there are none."""
    found = sorted(folder.glob(pattern))
    if not found:
        names = ", ".join(path.stem for path in sorted(folder.glob(f"*{Path(pattern).suffix}"))) or "none"
        raise NotebookError(f"no notebook matches {pattern}; there are: {names}.")
    return found


def title_figure(notebook: NotebookNode) -> bytes | None:
    """The picture, as PNG, that the cell tagged ``title-figure`` has drawn; None where there is no such picture."""
    pictures = [
        output.data["image/png"]
        for cell in notebook.cells
        if TITLE_FIGURE in cell.metadata.get("tags", ())
        for output in cell.get("outputs", ())
        if "image/png" in output.get("data", {})
    ]
    return base64.b64decode(pictures[-1]) if pictures else None


def committed(source: Path) -> Path:
    """Where the notebook made from ``source`` lies."""
    return NOTEBOOKS / f"{source.stem}.ipynb"


def solved(source: Path) -> Path:
    """Where the solutions of the exercises in ``source`` lie."""
    return NOTEBOOKS / "solutions" / f"{source.stem}.ipynb"


def faults_of_solutions(notebook: NotebookNode, source: Path) -> list[str]:
    """What forbids to commit ``notebook`` as the solutions of ``source``: ``faults``, or a wrong answer."""
    found = faults(notebook, source, solutions(source))
    answers = [cell for cell in notebook.cells if cell.source.startswith("exercises.check_")]
    said = [text for cell in answers for text in output_texts(nbformat.v4.new_notebook(cells=[cell]))]
    return found + [f"a solution is answered: {text}" for text in said if text and not text.startswith("Right.")]


def write_solutions(source: Path) -> None:
    """Write the solutions of ``source``, executed, where they are not what it says already."""
    notebook, target = solutions(source), solved(source)
    if notebook is None or (target.exists() and not faults_of_solutions(nbformat.read(target, as_version=4), source)):
        return
    print(f"{source.stem}, solutions", flush=True)
    execute(notebook, PATIENCE)
    if found := faults_of_solutions(notebook, source):
        raise NotebookError(" ".join([f"the solutions of {source.stem} were not written:", *found]))
    target.parent.mkdir(exist_ok=True)
    write_whole(target, nbformat.writes(notebook) + "\n")


def build(source: Path) -> None:
    print(f"{source.stem} (quick profile)", flush=True)
    executed = from_source(source)
    execute(executed, PATIENCE)
    notebook = from_source(source)  # as it is now: prose may have been edited meanwhile
    keep_outputs(notebook, executed)
    if found := faults(notebook, source):
        write_whole(BUILD / f"{source.stem}.ipynb", nbformat.writes(executed) + "\n")  # it took minutes
        raise NotebookError(" ".join([f"{source.stem} was not written (what was executed is in build/):", *found]))
    write_whole(committed(source), nbformat.writes(notebook) + "\n")
    write_title_figure(notebook, source)
    write_solutions(source)
    if found := untrue(notebook, source):
        raise NotebookError(" ".join([f"{source.stem} was written; mend its prose, and run make sync:", *found]))


def untrue(notebook: NotebookNode, source: Path) -> list[str]:
    """Numbers in its prose that its cells do not have, and minutes that it does not take."""
    return quotes.unfounded(notebook) + minutes.untimely(notebook.cells[0].source, source.stem[:2])


def write_title_figure(notebook: NotebookNode, source: Path) -> None:
    if picture := title_figure(notebook):
        write_whole(FIGURES / f"{source.stem}.png", picture)


def sync(source: Path) -> None:
    notebook, target = from_source(source), committed(source)
    if target.exists():
        keep_outputs(notebook, nbformat.read(target, as_version=4))
    run_exercises(notebook)
    write_whole(target, nbformat.writes(notebook) + "\n")
    write_title_figure(notebook, source)
    write_solutions(source)


def check(source: Path) -> None:
    if not committed(source).exists():
        raise NotebookError(f"{source.stem} has not been built; run make notebooks.")
    notebook = nbformat.read(committed(source), as_version=4)
    found = faults(notebook, source) + untrue(notebook, source)
    if solutions(source):
        if not solved(source).exists():
            raise NotebookError(f"the solutions of {source.stem} have not been written; run make sync.")
        found += faults_of_solutions(nbformat.read(solved(source), as_version=4), source)
    if found:
        raise NotebookError(" ".join([f"{source.stem}:", *found]))


def run(path: Path) -> None:
    print(f"{path.stem} ({current_profile()} profile)", flush=True)
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    try:
        execute(notebook)
    finally:  # what was computed before a failure or Ctrl-C is worth seeing
        write_whole(BUILD / path.name, nbformat.writes(notebook) + "\n")
        write_whole(BUILD / f"{path.stem}.html", to_html(notebook))
        print(f"\n  written: build/{path.name} and build/{path.stem}.html")


def main() -> None:
    forgive_encodings()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=("build", "sync", "check", "run"))
    parser.add_argument("NB", nargs="?", default="")
    chosen = parser.parse_args()
    try:
        if chosen.command == "run":
            if not chosen.NB:
                raise NotebookError("say which notebook to run, for example: make run NB=02")
            for path in matching(NOTEBOOKS, f"{chosen.NB}*.ipynb"):
                run(path)
            return
        if chosen.command == "build":
            os.environ["AAE_PROFILE"] = "quick"
        failed = []
        for source in matching(SOURCES, f"{chosen.NB}*.py"):
            try:
                {"build": build, "sync": sync, "check": check}[chosen.command](source)
            except NotebookError as error:  # the others may be all right
                failed.append(str(error))
        if failed:
            raise NotebookError("\n".join(failed))
    except (NotebookError, ValueError, OSError) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("\nstopped.")


if __name__ == "__main__":
    main()
