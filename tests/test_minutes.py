"""The minutes that notebooks say they take: measured, kept row by row, and held to what was measured."""

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

import benchmarks.__main__ as bench
from benchmarks import notebook_times
from tools import minutes, notebooks

ROOT = Path(__file__).parent.parent
LESSONS = sorted(notebooks.SOURCES.glob("[0-9]*.py"))
PAGE = "# Times\n<!-- measured: notebook_times -->\nNot measured yet.\n<!-- end -->\n### Next\n"


def first_cell(source: Path) -> str:
    return notebooks.from_source(source).cells[0].source


@pytest.mark.parametrize("source", LESSONS, ids=lambda path: path.stem)
def test_a_notebook_says_the_minutes_that_were_measured(source):
    assert minutes.said(first_cell(source)) is not None, "write: **About 3 minutes on a laptop CPU.**"
    assert minutes.untimely(first_cell(source), source.stem[:2]) == []


def test_the_teachers_table_says_what_the_notebooks_say():
    table = re.findall(r"^\| (\d\d) [^|]*\| (\d*[¼½¾]?)[ ,|]", (ROOT / "TEACHING.md").read_text(encoding="utf-8"), re.M)
    told = {number: minutes.said(f"**About {text} minutes on") for number, text in table}
    assert told == {source.stem[:2]: minutes.said(first_cell(source)) for source in LESSONS}


@pytest.mark.parametrize(
    ("said", "seconds", "right"),
    [("3", 143, False), ("3", 145, True), ("3", 239, True), ("3", 241, False), ("1½", 119, True), ("1½", 59, False)],
)
def test_minutes_may_differ_by_half_a_minute_or_a_quarter(said, seconds, right):
    page = f"| notebook 03, commit `0123abc` | {seconds} s | goal: 180 s | 1.00 |"
    found = minutes.untimely(f"# Title\n\n**About {said} minutes on two idle cores.**", "03", page)
    assert bool(found) is not right and all("it says that it takes about" in sentence for sentence in found)
    assert minutes.untimely("**About 9 minutes on", "04", page) == [], "it was not measured"


def test_check_names_a_notebook_whose_minutes_are_not_those_measured(tmp_path, monkeypatch):
    page = tmp_path / "README.md"
    page.write_text("| notebook 03, commit `0123abc` | 400 s | goal: 180 s | 2.22 |\n", encoding="utf-8")
    monkeypatch.setattr(minutes, "PAGE", page)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("**About 3 minutes on a laptop.**")])
    assert (
        "about 3 minutes, but README.md of benchmarks/ measured 6.7" in notebooks.untrue(notebook, Path("03_a.py"))[0]
    )


@pytest.fixture
def measure(tmp_path, monkeypatch):
    """Measure these notebooks, without running them, into a page of their own: the exit code."""
    page = tmp_path / "README.md"
    page.write_text(PAGE, encoding="utf-8")
    monkeypatch.setattr(bench, "PAGE", page)
    monkeypatch.delenv("AAE_PROFILE", raising=False)

    def main(*numbers: str, run=lambda number: "") -> int:
        monkeypatch.setattr(notebook_times, "run", run)
        monkeypatch.setattr(sys, "argv", ["bench", "notebook_times", "--write", "--notebooks", *numbers])
        return bench.main()

    return main


def test_each_time_is_kept_as_soon_as_it_is_measured_and_others_stay(measure):
    def breaks_at_the_third(number):
        if number == "04":
            raise KeyboardInterrupt
        return ""

    with pytest.raises(KeyboardInterrupt):
        measure("02", "00", "04", run=breaks_at_the_third)
    page = bench.PAGE.read_text(encoding="utf-8")
    assert list(minutes.measured(page)) == ["00", "02"] and page.endswith("\n<!-- end -->\n### Next\n")
    assert measure("04", "02") == 0
    page = bench.PAGE.read_text(encoding="utf-8")
    assert list(minutes.measured(page)) == ["00", "02", "04"] and "Not measured" not in page
    bench.PAGE.write_text(re.sub(r"\d+ threads", "96 threads", page), encoding="utf-8")
    measure("04")
    page = bench.PAGE.read_text(encoding="utf-8")
    assert list(minutes.measured(page)) == ["04"], "rows of another machine are no neighbours"


def test_a_notebook_that_fails_gets_no_row_and_the_others_are_measured(measure, capsys):
    assert measure("00", "02", run=lambda number: "it did not come to its end." if number == "00" else "") == 0
    assert "notebook 00 was not measured: it did not come to its end." in capsys.readouterr().err
    assert list(minutes.measured(bench.PAGE.read_text(encoding="utf-8"))) == ["02"]
    before = bench.PAGE.read_text(encoding="utf-8")
    assert measure("00", run=lambda number: "it failed.") == 0
    assert bench.PAGE.read_text(encoding="utf-8") == before


def test_what_went_wrong_in_a_notebook_is_seen(tmp_path, monkeypatch):
    executed = tmp_path / "build" / "04_gans.ipynb"
    executed.parent.mkdir()
    monkeypatch.setattr(notebook_times, "ROOT", tmp_path)
    for code, text, fault in (
        (1, "", "not come to its end"),
        (0, "digits INSTEAD OF mnist", "other data"),
        (0, "", ""),
    ):
        executed.write_text(text, encoding="utf-8")
        ended = subprocess.CompletedProcess([], code)
        monkeypatch.setattr(subprocess, "run", lambda *_, ended=ended, **__: ended)
        assert fault in notebook_times.run("04") and bool(fault) is bool(notebook_times.run("04"))


def test_other_profiles_are_not_written(measure, monkeypatch, capsys):
    monkeypatch.setenv("AAE_PROFILE", "smoke")
    assert measure("00") == 1
    assert "AAE_PROFILE is 'smoke', but README.md keeps times of quick" in capsys.readouterr().err
    assert bench.PAGE.read_text(encoding="utf-8") == PAGE
