"""Numbers in prose: which are held to the cells, and what a rebuild that changes one is told."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools import quotes


def notebook(*cells: str | tuple[str, str]) -> nbformat.NotebookNode:
    """Texts become markdown, pairs (code, output) code."""
    return new_notebook(
        cells=[
            new_markdown_cell(cell)
            if isinstance(cell, str)
            else new_code_cell(cell[0], outputs=[new_output("stream", text=cell[1])])
            for cell in cells
        ]
    )


def missing(prose: str, output: str = "", code: str = "pass") -> list[str]:
    """The numbers in ``prose``, directly below a cell, that are not founded."""
    return [sentence.split()[3].rstrip(",") for sentence in quotes.unfounded(notebook("## One", (code, output), prose))]


@pytest.mark.parametrize(
    ("prose", "output"),
    [
        ("The loss ends at 16.6, near 17.", "reconstruction 16.62"),
        ("About 12 % of the prior is empty.", "holes 0.123 ± 0.018"),
        ("It leaves 71 to 92 % of it.", "0.712 ... 0.918"),
        ("The share is $20.3\\,\\%$.", "holes: 20.3%"),
        ("Of 50,000 images, 1,404 are left.", "50,000 images, 1404 left"),
        ("A pull of 0.0053 is left.", "5.3e-03"),
        ("It lies 49 nats below 0.", "GMMN -49"),
        ("A guess costs $2 \\ln 2 \\approx 1.39$ and 0.69.", ""),
    ],
)
def test_a_number_is_founded_where_it_is_printed_and_rounded_as_quoted(prose, output):
    assert missing(prose, output) == []


@pytest.mark.parametrize(
    ("prose", "output", "number"),
    [
        ("The loss ends at 16.6.", "reconstruction 16.67", "16.6"),
        ("The loss ends at 16.62.", "reconstruction 16.6", "16.62"),  # more than was printed
        ("About 12 % of the prior is empty.", "holes 0.135", "12"),
        ("More than 40 nats.", "43.6", "40"),
        ("It has 1,000 updates.", "100 updates", "1,000"),
    ],
)
def test_a_rebuild_that_changes_a_number_is_noticed(prose, output, number):
    assert missing(prose, output) == [number]


def test_a_limit_that_is_asserted_founds_a_number_and_another_constant_must_be_the_same():
    assert missing("More than 40 nats.", code="assert gain > 40") == []
    assert missing("The step is 0.5.", code="step = 0.54") == ["0.5"]


def test_what_is_no_quote_is_left_alone():
    prose = """As notebook 04 and Figures 12 and 13 of 2015 say ([arXiv 1511.05644](https://arxiv.org/abs/1511.05644)),
images of 28x28 take 25 seconds or 2.5 minutes with `std=0.55` in 3 steps, and a 7 is a 9. $$x = 77.7$$"""
    assert missing(prose) == []


def test_exercises_are_not_looked_at_and_what_follows_them_is():
    cells = "## Exercises\nTake 44.4.", "1. Then 55.5.", "## Summary\nIt was 66.6."
    assert quotes.unfounded(notebook(*cells)) == ["cell 3 quotes 66.6, which no cell near it has."]


def test_alt_texts_are_prose_and_no_evidence():
    assert missing("It ends at 1.25.", code="show(figure, alt='It ends ' 'at 1.25.')") == ["1.25", "1.25"]
    assert missing("It ends at 1.25.", "1.25", code="show(figure, alt='It ends ' 'at 1.25.')") == []


def test_evidence_must_be_near():
    sections = ("## One", ("pass", "16.6")), ("## Two", ("pass", "")), ("## Three", ("pass", ""))
    cells = [cell for section in sections for cell in section]
    assert quotes.unfounded(notebook("# Setup", *cells[:4], "It was 16.6.")) == []
    assert quotes.unfounded(notebook("# Setup", *cells, "It was 16.6.")) != []
    assert quotes.unfounded(notebook("# Setup", *cells, "## Summary\nIt was 16.6.")) == []
    assert quotes.unfounded(notebook("# It ends at 16.6", *cells)) == []
    assert quotes.unfounded(notebook("## One\nIt will be 16.6.", ("train()", ""), ("pass", "16.6"))) == []
    assert quotes.unfounded(notebook("## One\nIt will be 16.6.", ("train()", ""), "Look:", ("pass", "16.6"))) != []


def test_what_comes_from_elsewhere_is_declared_with_its_place_and_files_are_read():
    assert missing("The paper has 427.3 nats. <!-- 427.3: Makhzani et al. 2015, Table 1 -->") == []
    assert missing("The paper has 427.3 nats. <!-- 427: Makhzani et al. 2015, Table 1 -->") == ["427.3"]
    cells = notebook("## One\nIt was 85.5. <!-- 85.5: pyproject.toml, where it is not -->")
    assert quotes.unfounded(cells) == ["cell 1: 85.5 is not in pyproject.toml."]
