"""The command line: ``python -m aae_lib.experiments --help``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ..files import forgive_encodings, write_whole
from ..training import process_group
from . import EXPERIMENTS, PROFILES, likelihood, repeat, run, store, sweep, table, verify
from .ledger import RESULTS
from .report import with_tables
from .running import CHECKPOINTS
from .sweeps import parse_seeds

STOPPED = 130  # what a shell calls a program that Ctrl-C ended


def main(arguments: list[str] | None = None) -> int:
    forgive_encodings()
    chosen = _parser().parse_args(arguments)
    try:
        return _COMMANDS[chosen.command](chosen)
    except (ValueError, TypeError, OSError, ArithmeticError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return _stopped()


def _list(_: argparse.Namespace) -> int:
    for name, experiment in EXPERIMENTS.items():
        print(f"{name:26} {experiment.question}")
    return 0


def _run(chosen: argparse.Namespace) -> int:
    with process_group() as group:  # of the processes that torchrun started, or of this one alone
        path = run(chosen.name, profile=chosen.profile, seed=chosen.seed, **_where(chosen))
    return _finished(path) if group.rank == 0 else 0


def _repeat(chosen: argparse.Namespace) -> int:
    return _finished(repeat(chosen.record, **_where(chosen)))


def _sweep(chosen: argparse.Namespace) -> int:
    seeds = parse_seeds(chosen.seeds)
    how = dict(profile=chosen.profile, workers=chosen.workers, dask=chosen.dask)
    outcomes = sweep(chosen.names, seeds=seeds, **how, **_where(chosen))
    for outcome in outcomes:
        print(f"{outcome.name} seed {outcome.seed}: {outcome.error or outcome.path or 'stopped'}")
    if any(outcome.error for outcome in outcomes):
        return 1
    return 0 if all(outcome.path for outcome in outcomes) else _stopped()


def _likelihood(chosen: argparse.Namespace) -> int:
    folders = dict(results=chosen.results, checkpoints=chosen.checkpoints, device=chosen.device)
    which = dict(profile=chosen.profile, seed=chosen.seed)
    print(likelihood(chosen.name, chosen.samples, images=chosen.images, **which, **folders))
    return 0


def _table(chosen: argparse.Namespace) -> int:
    if chosen.readme is None:
        print(table(chosen.results))
        return 0
    page = Path(chosen.readme)
    if "<!-- results:" not in page.read_text(encoding="utf-8"):
        raise ValueError(f"{page} has no marks <!-- results: NAME --> for tables to stand between; add some.")
    write_whole(page, with_tables(page.read_text(encoding="utf-8"), chosen.results))
    print(f"The tables of {page} are those of {chosen.results}.")
    return 0


def _store(chosen: argparse.Namespace) -> int:
    which = dict(profile=chosen.profile, seed=chosen.seed)
    print(f"Stored {store(chosen.name, **which, results=chosen.results, checkpoints=chosen.checkpoints)}.")
    return 0


def _verify(chosen: argparse.Namespace) -> int:
    code = 0
    for name, numbers, agree in verify(results=chosen.results):
        print(f"{name}: {'as recorded' if agree else 'NOT AS RECORDED'}", flush=True)
        for metric, (recorded, today) in numbers.items():
            print(f"  {metric:34} {recorded:10.4g} {today:10.4g}")
        code = code if agree else 1
    return code


_COMMANDS = {
    "list": _list,
    "run": _run,
    "repeat": _repeat,
    "sweep": _sweep,
    "likelihood": _likelihood,
    "table": _table,
    "store": _store,
    "verify": _verify,
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m aae_lib.experiments", description="Named experiments.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="the experiments and what each asks")
    one = commands.add_parser("run", help="train, measure, write one JSON file")
    one.add_argument("name")
    same = commands.add_parser("repeat", help="make a run once more, from its JSON file alone")
    same.add_argument("record", help="a file that run wrote")
    many = commands.add_parser("sweep", help="several experiments, several seeds, several processes")
    many.add_argument("names", nargs="+", metavar="name")
    many.add_argument("--seeds", default="0", help="a range such as 0-4, or a list such as 0,3,7")
    many.add_argument("--workers", type=int, default=1, help="how many runs at a time, of one thread each")
    many.add_argument("--dask", metavar="ADDRESS", help="of a Dask scheduler, whose workers make the runs")
    more = commands.add_parser("likelihood", help="add to a run what more samples give: Table 1's column 10M")
    more.add_argument("name")
    more.add_argument("--samples", type=int, default=10_000_000)
    more.add_argument("--images", type=int, default=1000)
    whole = commands.add_parser("table", help="all results beside the paper's numbers")
    whole.add_argument("--readme", nargs="?", const="README.md", help="write the tables of this page anew instead")
    keep = commands.add_parser("store", help="keep the trained system of a run in results/weights")
    keep.add_argument("name")
    keep.add_argument("--profile", default="long")
    again = commands.add_parser("verify", help="measure the stored systems anew, beside their records")
    for command in (one, many, more):
        command.add_argument("--profile", default="quick", help=", ".join(PROFILES))
    for command in (one, more, keep):
        command.add_argument("--seed", type=int, default=0)
    for command in (one, same, many):
        command.add_argument("--again", action="store_true", help="also where there is a result: it is replaced")
    for command in (one, same, many, more):
        command.add_argument("--device", default="auto")
    for command in (one, same, many, more, keep):
        command.add_argument("--checkpoints", default=CHECKPOINTS, help="folder of what is under way and was trained")
    for command in (one, many, more, whole, keep, again):
        command.add_argument("--results", default=RESULTS, help="folder of the JSON files")
    same.add_argument("--results", required=True, help="folder for the new JSON file")
    return parser


def _where(chosen: argparse.Namespace) -> dict:
    return {name: getattr(chosen, name) for name in ("device", "results", "checkpoints", "again")}


def _finished(path: object) -> int:
    if path is None:
        return _stopped()
    print(f"The result is in {path}.")
    return 0


def _stopped() -> int:
    print("Stopped; give the same command again to go on.")
    return STOPPED


if __name__ == "__main__":
    sys.exit(main())
