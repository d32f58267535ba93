"""Exercises: solutions pass, what was handed out is not written yet, and each mistake gets a sentence of its own."""

import linecache
import re

import nbformat
import pytest
import torch
from torch.nn import functional as F

from aae_lib import exercises
from aae_lib.exercises.answers import answer, equals, is_empty, is_right, is_tensor
from aae_lib.losses import bce
from tools import notebooks

SOURCES = [source for source in sorted(notebooks.SOURCES.glob("*.py")) if notebooks.solutions(source)]
CHECKS = [name for name in exercises.__all__ if name.startswith("check_")]
each_source = pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)


def answers(notebook) -> dict[str, exercises.Answer]:
    """What the checks in the exercises of ``notebook`` say, by name: its cells are run here, in order."""
    names, found = {}, {}
    for number, cell in enumerate(notebooks.exercises(notebook)):
        if cell.cell_type != "code":
            continue
        file = f"<cell {number}>"
        linecache.cache[file] = (len(cell.source), None, cell.source.splitlines(keepends=True), file)
        if match := re.fullmatch(r"exercises\.(check_\w+)\((\w+)\)", cell.source):
            found[match[1]] = eval(cell.source, names)
        else:
            exec(compile(cell.source, file, "exec"), names)
    return found


def solved(source):
    notebook = notebooks.solutions(source)
    for cell in notebook.cells[1:]:
        cell.metadata.tags = [notebooks.EXERCISE]
    return notebook


@each_source
def test_every_solution_is_right(source):
    said = answers(solved(source))
    assert len(said) >= 2
    for name, each in said.items():
        assert each.right and repr(each).startswith("Right."), f"{name}: {each}"


@each_source
def test_what_is_handed_out_has_no_solution_and_says_so(source):
    handed_out = notebooks.from_source(source)
    assert not any("SOLUTION" in cell.source for cell in handed_out.cells)
    for name, each in answers(handed_out).items():
        assert not each.right and repr(each).endswith("is not written yet."), f"{name}: {each}"


@each_source
def test_committed_solutions_are_what_the_source_says_and_right(source):
    committed = nbformat.read(notebooks.solved(source), as_version=4)
    assert notebooks.faults(committed, source, notebooks.solutions(source)) == []
    said = [cell.outputs[0].data["text/plain"] for cell in committed.cells if cell.source.startswith("exercises.check")]
    assert said and all(each.startswith("Right.") for each in said)


@each_source
def test_a_notebook_has_five_exercises_of_five_kinds(source):
    text = "\n".join(cell.source for cell in notebooks.from_source(source).cells if cell.cell_type == "markdown")
    kinds = re.findall(r"\*\(([^)]*)\)\*", text.rpartition("## Exercises")[2])
    assert len(kinds) >= 5
    assert sum("code" in kind for kind in kinds) >= 2
    for kind in ("prediction", "exploration", "open-ended"):
        assert any(kind in each for each in kinds), f"no exercise is marked {kind}"


def test_every_exercise_is_in_a_notebook():
    asked = [name for source in SOURCES for name in answers(notebooks.from_source(source))]
    assert sorted(asked) == sorted(CHECKS)


# The mechanism, on an exercise of its own: the mean of numbers.


def check_mean(function):
    x = torch.tensor([1.0, 2.0, 6.0])
    return answer(
        function,
        lambda student: student(x),
        *is_tensor((), "a mean"),
        (equals(x.sum()), "this is the sum."),
        is_right(x.mean(), "the mean"),
        well="Well done.",
    )


def empty(x):
    """Nothing but a docstring and dots."""
    ...


def passing(x):
    pass


def without_return(x):
    x.mean()


def broken(x):
    y = x.mean()
    return y @ x.reshape(3, 1)


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (torch.mean, "Right. Well done."),
        (empty, "empty is not written yet."),
        (passing, "passing is not written yet."),
        (without_return, "Not yet: without_return returns nothing; its last line is to return the result."),
        (lambda x: x.mean().item(), "Not yet: the result is a float, but a mean is a tensor"),
        (lambda x: x, r"Not yet: the result has the shape \(3,\), but a mean has \(\)."),
        (lambda x: x.mean() / 0, "Not yet: the result is not finite"),
        (lambda x: x.sum(), "Not yet: this is the sum."),
        (lambda x: x.max(), "Not yet: on a small example the mean should be 3, and it is 6."),
        (broken, r"Not yet: line 3 of broken, return y @ x.reshape\(3, 1\), stopped with RuntimeError: .*[^.]\.$"),
        (lambda: 1, "Not yet: <lambda> cannot be called as the exercise calls it, TypeError: .*positional argument"),
    ],
)
def test_an_answer_is_one_sentence(function, said):
    found = check_mean(function)
    assert re.match(said, repr(found)) and "\n" not in repr(found)
    assert found.right == said.startswith("Right")


def test_a_result_is_no_function():
    with pytest.raises(TypeError, match="given a float; pass its name"):
        check_mean(3.0)


def test_only_empty_bodies_are_empty():
    assert is_empty(empty) and is_empty(passing)
    assert not is_empty(without_return) and not is_empty(lambda x: x)


# Mistakes, for each check: a function that makes it, and words of the sentence that it is to get.


MISTAKES = {
    "check_generator_loss": [
        (lambda D, z: -bce(D(z), 0), "as in the game's formula"),
        (lambda D, z: bce(D(z), 0), "target is the discriminator's own"),
        (lambda D, z: -bce(D(z), 1), "sign is turned"),
        (lambda D, z: bce(D(z).sigmoid(), 1), "sigmoid is taken twice"),
        (lambda D, z: F.softplus(-D(z)).sum(), "sum over the batch"),
        (lambda D, z: F.softplus(-D(z)), "has the shape (6,)"),
        (lambda D, z: 2 * bce(D(z), 1), "should be"),
        (lambda D, z: bce(D(z.detach()), 1), "no gradient reaches the codes"),
    ],
    "check_discriminator_loss": [
        (lambda D, p, z: bce(D(p), 0) + bce(D(z.detach()), 1), "targets are swapped"),
        (lambda D, p, z: -bce(D(p), 1) - bce(D(z.detach()), 0), "sign is turned"),
        (lambda D, p, z: (bce(D(p), 1) + bce(D(z.detach()), 0)) / 2, "half of what"),
        (lambda D, p, z: bce(D(p).sigmoid(), 1) + bce(D(z.detach()).sigmoid(), 0), "sigmoid is taken twice"),
        (lambda D, p, z: bce(D(p), 1), "only the draws"),
        (lambda D, p, z: bce(D(z.detach()), 0), "only the codes"),
        (lambda D, p, z: bce(D(p), 1) + bce(D(z), 1), "should be"),
        (lambda D, p, z: bce(D(p), 1) + bce(D(z), 0), "flows through the codes"),
        (lambda D, p, z: (bce(D(p), 1) + bce(D(z), 0)).detach(), "no gradient reaches the discriminator"),
    ],
}
ROWS = [(name, wrong, words) for name, rows in MISTAKES.items() for wrong, words in rows]


@pytest.mark.parametrize(("name", "wrong", "words"), ROWS, ids=[f"{name[6:]}: {words}" for name, _, words in ROWS])
def test_a_mistake_gets_its_sentence(name, wrong, words):
    said = getattr(exercises, name)(wrong)
    assert not said.right and words in repr(said), said
    assert "stopped with" not in repr(said) and "\n" not in repr(said)


@pytest.mark.parametrize("name", CHECKS)
def test_mistakes_of_an_exercise_get_sentences_of_their_own(name):
    said = [repr(getattr(exercises, name)(wrong)) for wrong, _ in MISTAKES[name]]
    assert len(said) >= 4 and len(set(said)) == len(said)
