"""Many runs side by side: on the cores of one machine, or on the workers of a Dask cluster."""

from __future__ import annotations

import itertools
import signal
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from joblib import Parallel, delayed, parallel_config
from joblib.externals.loky.process_executor import TerminatedWorkerError

from .. import checks
from ..files import writable, write_whole
from ..training.progress import progress_bar, until_interrupted
from .catalogue import EXPERIMENTS
from .ledger import RESULTS
from .running import CHECKPOINTS, progress_of, run

if TYPE_CHECKING:
    from distributed import Client

ATTEMPTS = 3  # how often the runs of workers that were killed are taken up again
POLL_SECONDS = 1
STOP = ".aae-stop-"  # a file in the folder of checkpoints: all runs of the sweep end as soon as they see it


@dataclass(frozen=True)
class Outcome:
    """What became of one run: ``path`` of its record, or ``error``, or neither where it was stopped."""

    name: str
    seed: int
    path: Path | None = None
    error: str | None = None


def sweep(
    names: Iterable[str],
    *,
    seeds: Iterable[int] = (0,),
    profile: str = "quick",
    workers: int = 1,
    dask: str | None = None,
    device: str = "auto",
    results: str | Path = RESULTS,
    checkpoints: str | Path = CHECKPOINTS,
    again: bool = False,
    progress: bool = True,
) -> list[Outcome]:
    """Every experiment of ``names`` with every seed: ``workers`` runs at a time, each with one thread.

    One worker is this process, more are processes of their own. ``dask``: the address of a Dask scheduler, whose
    workers then take the place of this machine's; they must see the same two folders. Finished runs are not made again
    (unless ``again``), those whose worker was killed go on from their checkpoint, and one that fails does not end the
    others: its outcome says why. Ctrl-C lets every run write its checkpoint; the same call goes on with them. Returns
    the outcomes in the order of names and seeds. Raises ValueError or TypeError on bad arguments and ConnectionError
    where no scheduler answers, before any run.
    """
    names = [checks.one_of("each of names", name, EXPERIMENTS) for name in names]
    seeds = [checks.seed("each of seeds", seed) for seed in seeds]
    if not names or not seeds:
        raise ValueError("a sweep needs at least one name and one seed; give for example --seeds 0-4.")
    for name in names:
        EXPERIMENTS[name].settings(profile)
    checks.device("device", device)
    workers = checks.positive_integer("workers", workers)
    results = writable(Path(results).absolute() / "record").parent
    stop = writable(Path(checkpoints).absolute() / f"{STOP}{uuid.uuid4().hex}")
    wanted = list(dict.fromkeys(itertools.product(names, seeds)))
    settings = dict(profile=profile, device=device, results=results, checkpoints=stop.parent, again=again)
    outcomes: dict[tuple[str, int], Outcome] = {}
    with _places(dask, workers) as make, _shown(wanted, outcomes, profile, stop.parent, progress), _stopping(stop):
        for outcome in make(wanted, stop, settings):
            outcomes[outcome.name, outcome.seed] = outcome
            if outcome.path is None and outcome.error is None:
                write_whole(stop, "")  # Ctrl-C reached the run itself
    stop.unlink(missing_ok=True)
    return [outcomes[which] for which in wanted]


def parse_seeds(text: str) -> list[int]:
    """The seeds that "0-4" or "0,2,7-9" names; ValueError for anything else."""
    seeds: list[int] = []
    try:
        for part in text.split(","):
            first, dash, last = part.partition("-")
            named = range(int(first), int(last) + 1) if dash else [int(first)]
            if not named:  # such as 9-7
                raise ValueError
            seeds += named
    except ValueError:
        seeds = []
    if not seeds:
        raise ValueError(f"seeds is {text!r}, which names none; give a range such as 0-4 or a list such as 0,3,7.")
    return seeds


def _one(name: str, seed: int, stop: Path, settings: dict) -> Outcome:
    """One run, in whatever process it is; what goes wrong is a sentence and not the end of the other runs."""
    if stop.exists():
        return Outcome(name, seed)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return Outcome(name, seed, path=run(name, seed=seed, progress=False, stop=stop.exists, **settings))
    except Exception as error:
        return Outcome(name, seed, error=str(error) or type(error).__name__)
    finally:
        torch.set_num_threads(threads)


def _ignore_ctrl_c() -> None:
    """Of a worker, which a terminal's Ctrl-C reaches too: the sweep tells it when to stop."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def _places(dask: str | None, workers: int) -> Iterator[Callable[[list, Path, dict], Iterator[Outcome]]]:
    """Where runs are made: processes of this machine, or a Dask cluster's workers."""
    if dask is None:
        yield partial(_in_processes, workers)
        return
    try:
        from distributed import Client
    except ImportError:
        raise ValueError(
            "dask is given, but Dask is not installed; install it with: pip install distributed."
        ) from None
    try:
        client = Client(dask, timeout=10)
    except (OSError, ValueError) as error:
        raise ConnectionError(
            f"no Dask scheduler answers at {dask!r}; start one with: dask scheduler, and give its address."
        ) from error
    with client:
        if not client.scheduler_info()["workers"]:
            raise ConnectionError(f"the Dask scheduler at {dask!r} has no workers; start one with: dask worker {dask}.")
        yield partial(_on_cluster, client, dask)


def _in_processes(workers: int, wanted: list, stop: Path, settings: dict) -> Iterator[Outcome]:
    """The outcomes, as they come, of runs in processes of this machine."""
    left = dict.fromkeys(wanted)
    for _ in range(ATTEMPTS):
        backend = dict(backend="loky", n_jobs=workers, inner_max_num_threads=1, initializer=_ignore_ctrl_c)
        try:
            with parallel_config(**backend):
                pool = Parallel(batch_size=1, return_as="generator_unordered")
                for outcome in pool(delayed(_one)(*which, stop, settings) for which in list(left)):
                    del left[outcome.name, outcome.seed]
                    yield outcome
        except TerminatedWorkerError:  # killed, for memory or by hand: joblib then gives up on all that are under way
            if stop.exists():
                break
    error = None if stop.exists() else "its worker was killed again and again; give fewer workers if memory is short."
    yield from (Outcome(*which, error=error) for which in left)


def _on_cluster(client: Client, address: str, wanted: list, stop: Path, settings: dict) -> Iterator[Outcome]:
    """The outcomes, as they come, of runs on a Dask cluster.

    Its own client and not joblib's: that makes the runs here where the cluster has one worker, and does not see workers
    that join later.
    """
    from distributed import as_completed

    runs = {client.submit(_one, *which, stop, settings, pure=False): which for which in wanted}
    for future in as_completed(list(runs)):
        if future.status == "finished":
            yield future.result()
        elif future.status == "error":  # such as KilledWorker: the scheduler has tried several workers by then
            reason = f"its worker was killed again and again, or broke ({type(future.exception()).__name__})."
            yield Outcome(*runs[future], error=reason)
        else:
            lost = f"the Dask scheduler at {address!r} is gone; start it anew, then give the same command to go on."
            yield Outcome(*runs[future], error=lost)


@contextmanager
def _stopping(stop: Path) -> Iterator[None]:
    """Ctrl-C asks all runs to stop, wherever they are; a second one ends at once."""
    with until_interrupted() as interrupted, _every(0.2, lambda: interrupted() and write_whole(stop, "")):
        yield


@contextmanager
def _shown(wanted: list, outcomes: dict, profile: str, checkpoints: Path, progress: bool) -> Iterator[None]:
    """A bar over the runs, and how far each of those under way is."""

    def refresh() -> None:
        shares = {which: progress_of(*which, profile, checkpoints) for which in wanted if which not in outcomes}
        under_way = ", ".join(f"{name} seed {seed} {at:.0%}" for (name, seed), at in shares.items() if at)
        bar.set_postfix_str(under_way, refresh=False)
        bar.update(len(outcomes) - bar.n)

    with progress_bar(len(wanted), unit="runs", show=progress) as bar:
        with _every(POLL_SECONDS, refresh):
            yield
        refresh()
        bar.refresh()


@contextmanager
def _every(seconds: float, act: Callable[[], object]) -> Iterator[None]:
    """Do ``act`` again and again beside what goes on within."""
    done = threading.Event()

    def watch() -> None:
        while not done.wait(seconds):
            act()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
