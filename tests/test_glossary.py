"""The glossary: its terms stand in the notebooks that it names, and every link into a notebook leads to a heading."""

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from tools import notebooks

ROOT = Path(__file__).parent.parent
GLOSSARY = notebooks.SOURCES / "glossary.py"
PAGES = [ROOT / "README.md", ROOT / "TEACHING.md", ROOT / "CONTRIBUTING.md"]
LINK = re.compile(r"\]\((?:\.\./)?(?:notebooks/)?([\w.]*?)#([^)\s]+)\)")


def prose(source: Path) -> str:
    return "\n\n".join(cell.source for cell in notebooks.from_source(source).cells if cell.cell_type == "markdown")


def plain(text: str) -> str:
    """Text as a reader sees it: links without their targets, no emphasis, single spaces, lower case."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return " ".join(re.sub(r"[*`]", "", text).split()).lower()


TEXTS = {source.stem: prose(source) for source in sorted(notebooks.SOURCES.glob("*.py"))}
ENTRIES = dict(re.findall(r"^### (.+)\n(.+)$", TEXTS["glossary"], re.MULTILINE))


def anchors(text: str) -> set[str]:
    """What JupyterLab and nbconvert call the headings of a notebook."""
    return {re.sub(r"[*`$]", "", heading).replace(" ", "-") for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}


@pytest.mark.parametrize("term", ENTRIES)
def test_a_term_has_one_sentence_and_stands_in_the_notebook_that_it_names(term):
    sentence, _, also = ENTRIES[term].rpartition(" (")  # other names, symbol, notebook
    assert sentence.endswith(".") and ". " not in sentence
    ((number, name),) = re.findall(r"notebook \[(\d\d)\]\((\w+)\.ipynb\)", also)
    assert name.startswith(number) and name in TEXTS
    names = [term, *re.split(r", |; ", re.sub(r"\$[^$]*\$", "", also).partition("notebook")[0])]
    assert any(plain(one) in plain(TEXTS[name]) for one in names if one), f"{name} does not speak of {names}"
    assert f"(glossary.ipynb#{term.replace(' ', '-')})" in TEXTS[name], f"{name} does not link its new term"


def test_terms_are_sorted_and_said_once():
    terms = re.findall(r"^### (.+)$", TEXTS["glossary"], re.MULTILINE)
    assert terms == sorted(terms, key=str.lower) and len(set(terms)) == len(terms) == len(ENTRIES) > 80


@pytest.mark.parametrize("name", TEXTS)
def test_a_term_is_linked_once_in_a_notebook(name):
    linked = re.findall(r"\]\(glossary\.ipynb#([^)]+)\)", TEXTS[name])
    assert len(set(linked)) == len(linked)


@pytest.mark.parametrize("name", [*TEXTS, *(page.name for page in PAGES)])
def test_links_into_notebooks_lead_to_headings(name):
    text = TEXTS[name] if name in TEXTS else (ROOT / name).read_text(encoding="utf-8")
    for target, anchor in LINK.findall(text):
        if target and not target.endswith(".ipynb"):
            continue
        within = TEXTS[target.removesuffix(".ipynb")] if target else text
        if target or name in TEXTS:
            assert unquote(anchor) in anchors(within), f"{name} links to {target}#{anchor}"
