"""The command line: ``python -m aae_lib.experiments --help``."""

from __future__ import annotations

import argparse
import sys

from . import EXPERIMENTS, likelihood, run, table


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m aae_lib.experiments", description="Named experiments.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="the experiments and what each asks")
    one = commands.add_parser("run", help="train, measure, write one JSON file")
    one.add_argument("name")
    more = commands.add_parser("likelihood", help="add to a run what more samples give: Table 1's column 10M")
    more.add_argument("name")
    more.add_argument("--samples", type=int, default=10_000_000)
    more.add_argument("--images", type=int, default=1000)
    for command in (one, more):
        command.add_argument("--profile", default="quick")
        command.add_argument("--seed", type=int, default=0)
        command.add_argument("--device", default="auto")
    commands.add_parser("table", help="all results beside the paper's numbers")
    chosen = parser.parse_args(arguments)
    if chosen.command == "list":
        for name, experiment in EXPERIMENTS.items():
            print(f"{name:16} {experiment.question}")
    elif chosen.command == "table":
        print(table())
    else:
        which = {"profile": chosen.profile, "seed": chosen.seed, "device": chosen.device}
        try:
            if chosen.command == "likelihood":
                print(likelihood(chosen.name, chosen.samples, images=chosen.images, **which))
                return 0
            path = run(chosen.name, **which)
        except (ValueError, TypeError, OSError, ArithmeticError) as error:
            print(error, file=sys.stderr)
            return 1
        if path is None:
            print("Stopped; give the same command again to go on.")
            return 130
        print(f"Wrote {path}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
