"""How long work shows how far it is, and how it is stopped."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

FIRST_SECONDS = 5  # of work, by which the rest is estimated
LONG_SECONDS = 300


@contextmanager
def until_interrupted(*, once: bool = False) -> Iterator[Callable[[], bool]]:
    """Turn the first Ctrl-C into a flag, so that an update is never left half done; a second one interrupts at once.

    ``once``: a second one is ignored, now and later. One Ctrl-C reaches what torchrun started twice: from the terminal
    and, a little later, from torchrun, which ends by itself what does not stop.
    """
    pressed = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield pressed.is_set  # signals reach the main thread only
        return
    before = signal.getsignal(signal.SIGINT)

    def press(*_: object) -> None:
        pressed.set()
        signal.signal(signal.SIGINT, signal.SIG_IGN if once else before)

    signal.signal(signal.SIGINT, press)
    try:
        yield pressed.is_set
    finally:
        if not (once and pressed.is_set()):
            signal.signal(signal.SIGINT, before)


def progress_bar(total: int | None, *, unit: str, done: int = 0, show: bool = True) -> tqdm:
    """A progress bar over ``total`` units of work; in a notebook on stdout, where it is not coloured as an error.

    Where neither a notebook nor a terminal shows it, as in a log file, it is a line a minute.
    """
    notebook = "ipykernel" in sys.modules
    drawn = notebook or sys.stderr.isatty()
    return tqdm(
        total=total,
        initial=done,
        disable=not show,
        file=sys.stdout if notebook else sys.stderr if drawn else _Lines(),
        mininterval=0.5 if drawn else 60,
        miniters=0,
        bar_format="{percentage:3.0f}% {bar:12} {n_fmt}/{total_fmt}" + f" {unit}, " + "{elapsed}<{remaining}{postfix}",
    )


class _Lines:
    """stderr, on which what would be drawn over the last line begins a new one."""

    def write(self, text: str) -> None:
        sys.stderr.write(text.replace("\r", "\n"))

    def flush(self) -> None:
        sys.stderr.flush()


def say_how_long(bar: tqdm) -> bool:
    """Say in a line how long the rest takes by the rate so far, where it is long; whether that was decided yet."""
    seconds, done = bar.format_dict["elapsed"], bar.n - bar.initial
    if seconds < FIRST_SECONDS:
        return False
    minutes = (bar.total - bar.n) * seconds / done / 60
    if 60 * minutes > LONG_SECONDS:
        length = f"{minutes:.0f} minutes" if minutes < 120 else f"{minutes / 60:.1f} hours"
        bar.write(f"This will take about {length} more. Ctrl-C ends it early and keeps what was learnt.")
    return True
