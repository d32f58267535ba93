"""Slides: every notebook becomes one page that asks for no network, divided where its headings are."""

import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools import notebooks, slides

PICTURE = new_output("display_data", {"image/png": "iVBORw0KGgo="}, metadata={"image/png": {"alt": "a 7 & friends"}})
SAID = new_output("stream", name="stdout", text="loss 17\n")


def kinds(notebook) -> list[str]:
    return [cell.metadata.slideshow["slide_type"] for cell in notebook.cells]


def test_headings_start_slides_and_long_text_is_divided_below_them():
    long = "\n\n".join(f"Paragraph {number}: {'word ' * 60}" for number in range(6))
    found = slides.slides(new_notebook(cells=[new_markdown_cell(f"# Title\n\nOne line.\n\n## Section\n\n{long}")]))
    assert kinds(found)[:2] == ["slide", "slide"] and set(kinds(found)[2:]) == {"subslide"} and len(found.cells) >= 4
    assert found.cells[0].source == "# Title\n\nOne line."
    assert found.cells[1].source.startswith("## Section\n\nParagraph 0"), "a heading does not stand alone"
    assert "\n\n".join(cell.source for cell in found.cells[1:]).count("Paragraph") == 6, "nothing is lost"


WHOLE = {"math": "$$\na\n\nb\n$$", "code": "```python\na = 1\n\nb = 2\n```", "table": "| a | b |\n|---|---|\n| 1 | 2 |"}


@pytest.mark.parametrize("whole", WHOLE.values(), ids=WHOLE)
def test_formulas_code_and_tables_are_not_torn_apart(whole):
    text = "\n\n".join([f"{'word ' * 190}", whole, f"{'word ' * 190}"])
    assert any(whole in part for part in slides.parts(text))


def test_a_table_that_is_too_long_is_continued_below_its_header():
    rows = [f"| row {number} | with some words |" for number in range(40)]
    found = slides.parts("\n".join(["## Table", "| a | b |", "|---|---|", *rows]))
    assert len(found) > 2 and found[0].startswith("## Table") and "## Table" not in found[1]
    assert all("| a | b |\n|---|---|\n| row " in part for part in found)
    assert [line for part in found for line in part.splitlines() if "| row" in line] == rows


def test_figures_are_shown_without_code_losses_with_it_and_settings_not_at_all():
    cells = [
        new_code_cell("import torch", outputs=[SAID]),
        new_markdown_cell("## The loss\n\nIn three lines."),
        new_code_cell("def loss(x):\n    return x.square().sum()"),
        new_code_cell("def draw(ax):\n    ax.plot()"),
        new_code_cell("figures.show(f)", outputs=[SAID, PICTURE, PICTURE]),
        new_code_cell("check(loss)", metadata={"tags": ["exercise"]}),
        new_code_cell("1 + 1", metadata={"slideshow": {"slide_type": "skip"}}),
    ]
    found = slides.slides(new_notebook(cells=cells))
    assert kinds(found) == ["slide", "-", "subslide", "subslide", "skip"]
    assert [bool(cell.source) for cell in found.cells] == [True, True, False, False, True]
    assert found.cells[2].outputs == [SAID, PICTURE] and found.cells[3].outputs == [PICTURE]
    nbformat.validate(found)


def test_what_is_to_be_predicted_stands_on_a_slide_of_its_own():
    question = new_markdown_cell("**Predict, then run.** What?")
    cells = [new_code_cell("import torch"), question, new_code_cell("run()", outputs=[SAID])]
    assert kinds(slides.slides(new_notebook(cells=cells))) == ["subslide", "subslide"]


@pytest.mark.parametrize("number", ["00", "02"])
def test_the_page_holds_all_that_it_needs(number):
    (path,) = notebooks.NOTEBOOKS.glob(f"{number}_*.ipynb")
    page = slides.to_slides(nbformat.read(path, as_version=4), path.stem)
    markup = re.sub(r"(<script[^>]*>).*?</script>", r"\1", page, flags=re.DOTALL)
    asked = re.findall(r"<(?:script|link|img|iframe)\b[^>]*?(?:src|href)=[\"']?([^\"' >]+)", markup)
    assert [address for address in asked if not address.startswith(("data:", "#"))] == []
    assert not re.search(r"url\((?!['\"]?(?:data:|#))", markup) and "@import" not in markup
    assert page.count("<section") > 20 and "Reveal.initialize" in page and "renderMathInElement(document.body" in page
    assert 'alt="' in page and "No description" not in page and page.count("<script") == 5
