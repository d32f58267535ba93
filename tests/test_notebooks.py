"""The committed notebooks: what their sources say, executed, in the course's form, with links that lead somewhere."""

import html
import re
from pathlib import Path

import nbformat
import pytest

from tools import notebooks, quotes

ROOT = Path(__file__).parent.parent
SOURCES = sorted(notebooks.SOURCES.glob("*.py"))
NAMES = ("README.md", "CONTRIBUTING.md", "TEACHING.md", "data/README.md", "docs/experiments.md")
PAGES = [path for path in (ROOT / name for name in NAMES) if path.exists()]
each_source = pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
LESSONS = [source for source in SOURCES if source.stem[0].isdigit()]  # all but the glossary
each_lesson = pytest.mark.parametrize("source", LESSONS, ids=lambda path: path.stem)
SMALL_SOURCE = """# %% [markdown]
# # A title

# %%
print("one", end="\\r"); print("two")

# %% tags=["kept"]
1 + 1

# %%
1 + 1
"""


def read(source: Path) -> nbformat.NotebookNode:
    return nbformat.read(notebooks.committed(source), as_version=4)


def broken_links(text: str, folder: Path) -> list[str]:
    """Relative links and pictures in the Markdown ``text`` that lead nowhere, seen from ``folder``."""
    links = re.findall(r"\]\(([^)\s]+)[^)]*\)|<img[^>]* src=\"([^\"]+)\"", text)
    targets = [(markdown or tag).partition("#")[0] for markdown, tag in links]
    return [target for target in targets if target and "://" not in target and not (folder / target).exists()]


@each_source
def test_notebook_is_what_its_source_says(source):
    assert notebooks.faults(read(source), source) == []


def test_every_notebook_has_a_source():
    assert {path.stem for path in notebooks.NOTEBOOKS.glob("*.ipynb")} == {path.stem for path in SOURCES}


@each_source
def test_code_cells_are_short(source):
    for cell in notebooks.from_source(source).cells:
        assert cell.cell_type != "code" or len(cell.source.splitlines()) <= 30, cell.source[:80]


@each_source
def test_prose_has_no_gaps_left_to_fill(source):
    gap = re.compile(r"\b(TODO|FIXME|XXX|TBD)\b|^[A-Z0-9]+(-[A-Z0-9]+)+$", re.MULTILINE)
    for cell in notebooks.from_source(source).cells:
        assert cell.cell_type != "markdown" or not gap.search(cell.source), gap.search(cell.source)


@each_source
def test_every_picture_has_alt_text(source):
    for cell in read(source).cells:
        for output in cell.get("outputs", ()):
            if "image/png" in output.get("data", {}):
                alt = output.metadata.get("image/png", {}).get("alt", "")
                assert len(alt) >= 20, f"no alt text for a figure of: {cell.source[:80]}"


@each_lesson
def test_first_and_last_cell_have_the_form_of_the_course(source):
    cells = notebooks.from_source(source).cells
    texts = [cell.source for cell in cells if cell.cell_type == "markdown"]
    first, end = texts[0], "\n".join(texts).rpartition("## Summary")[2]  # exercises come after the summary
    assert cells[0].cell_type == "markdown" and first.startswith("# ")
    assert cells[-1].cell_type == "markdown"
    for words in ("you will learn", "you need", "minute"):
        assert words in first.lower()
    for word in ("exercises", "read", "next"):
        assert word in end.lower()


@each_lesson
def test_first_cell_shows_the_figure_that_the_notebook_ends_with(source):
    picture = notebooks.FIGURES / f"{source.stem}.png"
    assert f"](figures/{picture.name})" in notebooks.from_source(source).cells[0].source
    assert picture.read_bytes() == notebooks.title_figure(read(source)), "it is not today's; run make sync"


@each_lesson
def test_prose_quotes_numbers_that_its_cells_have(source):
    assert quotes.unfounded(read(source)) == []


@each_source
def test_links_in_notebooks_lead_to_files(source):
    for cell in notebooks.from_source(source).cells:
        if cell.cell_type == "markdown":
            assert broken_links(cell.source, notebooks.NOTEBOOKS) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_in_pages_lead_to_files(page):
    assert broken_links(page.read_text(encoding="utf-8"), page.parent) == []


def test_broken_links_are_found(tmp_path):
    (tmp_path / "here.md").touch()
    text = '[a](here.md#part) [b](https://example.org) [c](#part) ![d](gone.png "title") <img src="lost.png">'
    assert broken_links(text, tmp_path) == ["gone.png", "lost.png"]


def test_a_notebook_is_built_the_same_way_twice_and_sync_keeps_outputs(tmp_path, monkeypatch):
    monkeypatch.setattr(notebooks, "NOTEBOOKS", tmp_path)
    source = tmp_path / "small.py"
    source.write_text(SMALL_SOURCE)
    notebooks.build(source)
    built = read(source)
    assert notebooks.faults(built, source) == []
    assert built.cells[1].outputs[0].text == "two\n"
    assert built.cells[2].metadata == {"tags": ["kept"]}
    assert built.cells[3].id == built.cells[2].id + "-2"  # same content, still a name of its own
    before = notebooks.committed(source).read_bytes()
    notebooks.build(source)
    assert notebooks.committed(source).read_bytes() == before

    source.write_text(SMALL_SOURCE.replace("# A title", "# Another title").replace('"two"', '"three"'))
    assert "not those of small.py" in notebooks.faults(read(source), source)[0]
    notebooks.sync(source)
    synced = read(source)
    assert synced.cells[0].source == "# Another title"
    assert synced.cells[1].outputs == [] and synced.cells[2].outputs == built.cells[2].outputs
    assert "not executed in order" in notebooks.faults(synced, source)[0]


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("print('/home/someone/course/figure.png')", "path of the machine"),
        ("import os; os.getcwd()", "path of the machine"),
        ("print((99 * 'x' + '\\n') * 16_000)", "draw fewer or smaller figures"),
        ("print('digits INSTEAD OF mnist')", "other data than it names"),
        ("1 / 0", "cell 1 failed"),
    ],
)
def test_a_notebook_that_must_not_be_committed_is_not_written(tmp_path, monkeypatch, code, sentence):
    monkeypatch.setattr(notebooks, "NOTEBOOKS", tmp_path)
    source = tmp_path / "small.py"
    source.write_text(f"# %%\n{code}\n")
    with pytest.raises(notebooks.NotebookError, match=sentence):
        notebooks.build(source)
    assert not notebooks.committed(source).exists()


def test_page_carries_alt_text():
    picture = nbformat.v4.new_output(
        "display_data", {"image/png": "iVBORw0KGgo="}, metadata={"image/png": {"alt": 'codes of a "7" & friends'}}
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("show()", outputs=[picture])])
    page = html.unescape(notebooks.to_html(notebook))
    assert 'codes of a "7" & friends' in page and "No description" not in page
