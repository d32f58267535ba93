"""Hands out exercises and grades what comes back, with nbgrader: no server, and no grader of our own.

release  NB: the exercises of notebooks/source/NB*.py as a notebook to hand out, in build/grading/release/
grade    FOLDER: every FOLDER/STUDENT/NAME.ipynb is executed and checked; points and sentences go to FOLDER/grades.csv

What is handed out has the exercises of code alone, so grading takes seconds for each student. A check that does not
come to an end is stopped after --seconds. WARNING: grading runs what students wrote, with the rights of whoever grades.
Run it on a machine, or in a container, that has nothing to lose.
"""

from __future__ import annotations

import argparse
import csv
import os
import re
import shutil
import sys
import warnings
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from aae_lib.files import forgive_encodings
from tools.notebooks import BUILD, ROOT, SOURCES, NotebookError, matching
from tools.sources import exercises, read_source, with_ids

COURSE = BUILD / "grading"
POINTS = 1  # of each exercise of code
STUB = "..."  # what stands in the place of a solution, as in the notebooks
CHECK = re.compile(r"exercises\.check_(\w+)\(\w+\)")
COLUMNS = ("notebook", "student", "exercise", "points", "of", "sentence")
GRADED = """answer = {check}
print(answer)
{points} * answer.right"""
QUIET = "\n\nimport warnings\n\nwarnings.simplefilter('ignore')  # what is written to stderr costs all points"


def assignment(source: Path) -> NotebookNode:
    """What nbgrader makes a hand-out of: the exercises of ``source`` with their solutions and nbgrader's metadata."""
    cells = exercises(read_source(source))
    if not cells:
        raise NotebookError(f"{source.stem} has no exercises of code to hand out.")
    for number, cell in enumerate(cells):
        check = CHECK.fullmatch(cell.source)
        solution = "### BEGIN SOLUTION" in cell.source
        cell.metadata = NotebookNode(
            nbgrader=NotebookNode(
                schema_version=3,
                grade_id=check[1] if check else f"cell-{number}",
                cell_type=cell.cell_type,
                solution=solution,
                grade=bool(check),
                locked=not solution,
                task=False,
                **({"points": POINTS} if check else {}),
            )
        )
        if check:
            cell.source = GRADED.format(check=cell.source, points=POINTS)
    first = next(cell for cell in cells if cell.cell_type == "code")
    first.source += QUIET
    return with_ids(nbformat.v4.new_notebook(cells=cells))


def grader(seconds: int):
    """nbgrader's interface to the course in build/grading/; SystemExit where it is not installed."""
    try:
        from nbgrader.apps import NbGraderAPI
        from traitlets.config import Config
    except ImportError:
        sys.exit('error: nbgrader is missing; run: .venv/bin/python -m pip install -c constraints.txt -e ".[grading]"')
    os.environ["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))  # for alembic
    config = Config()
    config.CourseDirectory.root = str(COURSE)
    config.ClearSolutions.code_stub = {"python": STUB}
    config.Execute.timeout = seconds
    config.Execute.extra_arguments = ["--log-level=CRITICAL", "--HistoryManager.hist_file=:memory:"]
    COURSE.mkdir(parents=True, exist_ok=True)
    return NbGraderAPI(config=config)


def release(source: Path, api) -> Path:
    """Make the hand-out of ``source``; returns where it lies."""
    target = COURSE / "source" / source.stem / f"{source.stem}.ipynb"
    target.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(assignment(source), target)
    done = api.generate_assignment(source.stem, force=True, create=True)
    if not done["success"]:
        raise NotebookError(f"nbgrader made no hand-out of {source.stem}: {done['error'] or done['log']}")
    return COURSE / "release" / source.stem / target.name


def grade(folder: Path, api) -> Path:
    """Grade every hand-in in ``folder``; returns the table of points and sentences."""
    hand_ins = sorted(path for path in folder.glob("*/*.ipynb") if (SOURCES / f"{path.stem}.py").exists())
    if not hand_ins:
        raise NotebookError(
            f"there is no hand-in in {folder}; it needs a folder for each student, and in it the notebook that was "
            "handed out, its name unchanged."
        )
    rows = []
    for stem in sorted({path.stem for path in hand_ins}):
        release(SOURCES / f"{stem}.py", api)
        for path in (path for path in hand_ins if path.stem == stem):
            student = path.parent.name
            print(f"  {stem}  {student}", flush=True)
            place = COURSE / "submitted" / student / stem
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir(parents=True)
            shutil.copy(path, place)
            done = api.autograde(stem, student, force=True, create=True)
            rows += graded(stem, student, api, done["success"])
    table = folder / "grades.csv"
    with table.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    return table


def graded(stem: str, student: str, api, success: bool) -> list[tuple]:
    """A row of the table for each exercise: nbgrader's points, and what the check has said."""
    autograded = COURSE / "autograded" / student / stem / f"{stem}.ipynb"
    said, points, broken = {}, {}, None  # broken: why the function above a check does not exist
    if success:
        for cell in nbformat.read(autograded, as_version=4).cells:
            mark = cell.metadata.get("nbgrader", {})
            if mark.get("solution"):
                broken = sentence(cell.outputs) or None
            elif mark.get("grade"):
                said[mark.grade_id], broken = broken or sentence(cell.outputs), None
        with api.gradebook as gradebook:
            found = gradebook.find_submission_notebook(stem, stem, student)
            points = {each.name: each.score for each in found.grades}
    checks = [cell.metadata.nbgrader.grade_id for cell in assignment(SOURCES / f"{stem}.py").cells if is_check(cell)]
    unread = "The notebook could not be read or executed." if not success else "The cell of the check is gone."
    return [(stem, student, check, points.get(check, 0), POINTS, said.get(check, unread)) for check in checks]


def is_check(cell: NotebookNode) -> bool:
    return cell.metadata.nbgrader.grade


def sentence(outputs: list[NotebookNode]) -> str:
    """What a check has said, or why it said nothing."""
    for output in outputs:
        if output.output_type == "error":
            if output.ename in ("KeyboardInterrupt", "CellTimeoutError"):
                return "Not yet: it does not come to an end."
            return f"Not yet: the cell stopped with {output.ename}: {output.evalue}"
    return "".join(output.get("text", "") for output in outputs).strip()


def main() -> None:
    forgive_encodings()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=("release", "grade"))
    parser.add_argument("what", metavar="NB or FOLDER", nargs="?", default="")
    parser.add_argument("--seconds", type=int, default=60, help="that one cell of a hand-in may take")
    chosen = parser.parse_args()
    warnings.filterwarnings("ignore", "Object of type <Submitted")  # of nbgrader's own database
    try:
        if not chosen.what:
            raise NotebookError("say what: make release NB=02, or make grade FOLDER=path/to/hand-ins.")
        api = grader(chosen.seconds)
        if chosen.command == "release":
            for source in matching(SOURCES, f"{chosen.what}*.py"):
                print(f"to hand out: {release(source, api).relative_to(ROOT)}")
        else:
            print(f"points and sentences: {grade(Path(chosen.what), api)}")
    except (NotebookError, OSError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
