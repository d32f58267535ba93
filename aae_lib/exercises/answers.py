"""How an exercise answers: its checks in order, each a predicate and a sentence, on what a student's function returned.

The first predicate that holds gives its sentence; where none does, the function is right. A sentence says what is wrong
and never how it is put right. What the function raises comes back as one sentence too, with the line.
"""

from __future__ import annotations

import dis
import linecache
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

Check = tuple[Callable[[Any], bool], str | Callable[[Any], str]]
NOTHING_DONE = {"RESUME", "NOP", "LOAD_CONST", "RETURN_VALUE", "RETURN_CONST"}  # all that an empty body compiles to


@dataclass(frozen=True)
class Answer:
    """What a student is told. ``right``: whether the exercise is solved; ``sentence`` shows in the notebook."""

    right: bool
    sentence: str

    def __repr__(self) -> str:
        return self.sentence


@dataclass(frozen=True)
class Found:
    """What a student's function returned, and the gradients of its sum; None where no gradient arrives.

    ``again``: what it returned with a generator of the same seed; ``other``: with one of another seed.
    """

    value: Any
    gradients: dict[str, Tensor | None] = field(default_factory=dict)
    again: Any = None
    other: Any = None


class _Nothing(Exception):
    """The student's function returned None."""


def answer(function: Callable, ask: Callable[[Callable], Any], *checks: Check, well: str = "") -> Answer:
    """Ask ``function`` and say what the first of the ``checks`` finds; right where none finds anything.

    ``ask`` is given the function and returns what the checks look at. A check's predicate is True where the mistake was
    made; its sentence may be made from what was found. ``well`` follows "Right". TypeError if it is no function.
    """
    if not callable(function):
        raise TypeError(
            f"the exercise checks a function, but it was given a {type(function).__name__}; "
            "pass its name without parentheses and arguments."
        )
    name = getattr(function, "__name__", "the function")

    def asked(*inputs: Any) -> Any:
        value = function(*inputs)
        if value is None:
            raise _Nothing
        return value

    try:
        found = ask(asked)
        for wrong, sentence in checks:
            if wrong(found):
                return Answer(False, f"Not yet: {sentence if isinstance(sentence, str) else sentence(found)}")
    except _Nothing:
        if is_empty(function):
            return Answer(False, f"{name} is not written yet.")
        return Answer(False, f"Not yet: {name} returns nothing; its last line is to return the result.")
    except Exception as error:  # whatever a student's function may raise
        return Answer(False, f"Not yet: {what_happened(error, function)}")
    return Answer(True, f"Right. {well}".rstrip())


def is_empty(function: Callable) -> bool:
    """Whether the body is ``...``, ``pass`` or a docstring alone."""
    return {step.opname for step in dis.get_instructions(function)} <= NOTHING_DONE


def what_happened(error: Exception, function: Callable) -> str:
    """One sentence on an ``error``: its kind, its first line and its place in ``function``, with def as line 1."""
    code, name = getattr(function, "__code__", None), getattr(function, "__name__", "the function")
    said = (str(error).strip().splitlines() or ["no message"])[0].rstrip(".")
    inside = [line for frame, line in traceback.walk_tb(error.__traceback__) if frame.f_code is code]
    if not inside:
        return f"{name} cannot be called as the exercise calls it, {type(error).__name__}: {said}."
    text = linecache.getline(code.co_filename, inside[-1]).strip()
    place = f"line {inside[-1] - code.co_firstlineno + 1} of {name}" + (f", {text}," if text else "")
    return f"{place} stopped with {type(error).__name__}: {said}."


def with_gradients(value: Any, **of: Tensor) -> Found:
    """``value`` and its gradient with respect to each named tensor, None where the value does not depend on it."""
    if not isinstance(value, Tensor) or not value.requires_grad:
        return Found(value, dict.fromkeys(of))
    slopes = torch.autograd.grad(value.sum(), list(of.values()), allow_unused=True, retain_graph=True)
    return Found(value, dict(zip(of, slopes, strict=True)))


def drawn(student: Callable, *inputs: Any, **of: Tensor) -> Found:
    """What a sampler returns for ``inputs`` and a generator, thrice: one seed, the same seed, another seed."""
    draws = [student(*inputs, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)]
    return replace(with_gradients(draws[0], **of), again=draws[1], other=draws[2])


def value_of(found: Any) -> Any:
    return found.value if isinstance(found, Found) else found


def same(value: Any, other: Any) -> bool:
    """Whether two tensors, or numbers, agree to rounding."""
    value, other = (torch.as_tensor(v).detach().double() for v in (value, other))
    return value.shape == other.shape and torch.allclose(value, other, rtol=1e-4, atol=1e-6)


def equals(wrong: Any) -> Callable[[Any], bool]:
    """A predicate: the function returned ``wrong``, the value that a certain mistake leads to."""
    return lambda found: same(value_of(found), wrong)


def reached(name: str) -> Callable[[Any], bool]:
    """A predicate: a gradient arrives at the tensor called ``name``."""
    return lambda found: found.gradients[name] is not None and bool(found.gradients[name].any())


def not_reached(name: str) -> Callable[[Any], bool]:
    return lambda found: not reached(name)(found)


def is_tensor(shape: tuple[int, ...], meaning: str) -> tuple[Check, ...]:
    """Checks that the result is a finite tensor of ``shape``, which ``meaning`` puts into words."""
    return (
        (
            lambda found: not isinstance(value_of(found), Tensor),
            lambda found: (
                f"the result is a {type(value_of(found)).__name__}, but {meaning} is a tensor, from which "
                "gradients can flow back."
            ),
        ),
        (
            lambda found: value_of(found).shape != shape,
            lambda found: f"the result has the shape {tuple(value_of(found).shape)}, but {meaning} has {shape}.",
        ),
        (
            lambda found: not value_of(found).detach().isfinite().all(),
            lambda _: (
                "the result is not finite; somewhere it takes the logarithm of 0 or of less, divides by 0 or overflows."
            ),
        ),
    )


def uses_its_generator() -> tuple[Check, ...]:
    """Checks of what ``drawn`` returned: chance comes from the generator that was passed in, and from it alone."""
    return (
        (
            lambda found: not torch.equal(found.value, found.again),
            "two generators of one seed gave different draws; all chance is to come from the generator passed in.",
        ),
        (
            lambda found: torch.equal(found.value, found.other),
            "generators of different seeds gave the same draws; the generator passed in has no say.",
        ),
    )


def is_right(right: Any, what: str) -> Check:
    """The last word on values: the result is ``right`` on the exercise's own small example, or nobody knows why not."""
    return (
        lambda found: not same(value_of(found), right),
        lambda found: f"on a small example {what} should be {shown(right)}, and it is {shown(value_of(found))}.",
    )


def shown(value: Any) -> str:
    """Numbers as they stand in a sentence: one, or the first few."""
    numbers = torch.as_tensor(value).detach().double().flatten().tolist()
    text = ", ".join(f"{number:.4g}" for number in numbers[:4])
    return text if len(numbers) == 1 else f"[{text}{', …' if len(numbers) > 4 else ''}]"
