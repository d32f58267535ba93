"""Hand-outs and hand-ins: what nbgrader is given, and what it makes of the right, the wrong and the endless."""

import csv

import nbformat
import pytest

from tools import grading, notebooks

SOURCES = [source for source in sorted(notebooks.SOURCES.glob("*.py")) if notebooks.solutions(source)]
RIGHT = """def generator_loss(discriminator, codes):
    logits = discriminator(codes)
    return F.binary_cross_entropy_with_logits(logits, torch.ones_like(logits))"""
HAND_INS = {  # instead of the function, points and the words that are to be said
    "right": (RIGHT, 1, "Right."),
    "wrong": (RIGHT.replace("ones", "zeros"), 0, "the target is the discriminator's own"),
    "broken": (RIGHT.replace("(codes)\n", "(codes[:, 0])\n"), 0, "line 2 of generator_loss, logits = "),
    "unparsable": (RIGHT.replace("codes):", "codes:"), 0, "SyntaxError"),
    "endless": (RIGHT.replace("return", "while True: pass #"), 0, "does not come to an end"),
    "untouched": (None, 0, "is not written yet"),
}


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_what_is_handed_out_can_be_graded(source):
    cells = grading.assignment(source).cells
    marks = [cell.metadata.nbgrader for cell in cells]
    assert len({mark.grade_id for mark in marks}) == len(marks)
    assert sum(mark.grade for mark in marks) == sum(mark.solution for mark in marks) >= 2
    for cell, mark in zip(cells, marks, strict=True):
        assert mark.locked != mark.solution == ("### BEGIN SOLUTION" in cell.source)
        assert not mark.grade or (mark.points == 1 and cell.source.endswith("1 * answer.right"))


def test_a_notebook_without_exercises_is_not_handed_out():
    with pytest.raises(notebooks.NotebookError, match="no exercises of code"):
        grading.assignment(notebooks.SOURCES / "14_results.py")


def test_a_folder_without_hand_ins_is_refused(tmp_path):
    (tmp_path / "ann").mkdir()
    (tmp_path / "ann" / "diary.ipynb").touch()
    with pytest.raises(notebooks.NotebookError, match=r"there is no hand-in in .*a folder for each student"):
        grading.grade(tmp_path, api=None)


def test_hand_ins_get_points_and_sentences(tmp_path, monkeypatch):
    pytest.importorskip("nbgrader")
    monkeypatch.setattr(grading, "COURSE", tmp_path / "course")
    api = grading.grader(seconds=15)
    source = next(source for source in SOURCES if source.stem.startswith("02"))
    handed_out = grading.release(source, api)
    for student, (function, _, _) in HAND_INS.items():
        notebook = nbformat.read(handed_out.open(encoding="utf-8"), as_version=4)
        cell = next(cell for cell in notebook.cells if cell.metadata.nbgrader.solution)
        cell.source = function or cell.source
        (check,) = [cell for cell in notebook.cells if cell.metadata.nbgrader.grade_id == "generator_loss"]
        check.source = "1"  # whoever changes a check gains nothing
        folder = tmp_path / "hand-ins" / student
        folder.mkdir(parents=True)
        nbformat.write(notebook, folder / handed_out.name)
    (tmp_path / "hand-ins" / "unreadable").mkdir()
    (tmp_path / "hand-ins" / "unreadable" / handed_out.name).write_text('{"cells": [')

    with grading.grade(tmp_path / "hand-ins", api).open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["exercise"] == "generator_loss"]
    assert [row["student"] for row in rows] == sorted([*HAND_INS, "unreadable"])
    for row in rows:
        _, points, words = HAND_INS.get(row["student"], (None, 0, "could not be read"))
        assert float(row["points"]) == points and row["of"] == "1" and words in row["sentence"], row
