"""The records as tables: each printed number beside the runs that answer it, and what else was measured."""

from __future__ import annotations

import json
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..checks import DataError
from .catalogue import EXPERIMENTS
from .ledger import RESULTS, records
from .papers import NUMBERS, OTHER_METHODS, Number

BEST = ("paper", "long", "quick")  # the first of these profiles that an experiment has records of is reported
# metrics that one cell can tell; and those that are recorded as parts of 1
HEADLINES = {"error": "%", "paper_rule_error": "%", "log_likelihood": "nats", "own_region": "% in own region"}
SHARES = ("error", "paper_rule_error", "majority_rule_error", "holes", "knn_accuracy", "own_region")
NAMES = {
    "mmd": "MMD²",
    "sliced_wasserstein": "sliced Wasserstein",
    "holes": "holes, %",
    "knn_accuracy": "5-NN accuracy, %",
    "feature_fid": "feature-FID of samples",
    "feature_fid_of_reconstructions": "of reconstructions",
}
DATA = {
    "celeba64": "faces (CelebA)",
    "fashion-mnist": "Fashion-MNIST",
    "fer2013.npz": "other faces (FER2013)",
    "house-numbers": "synthetic house numbers",
}
HOW = ("seeds", "updates (epochs), units", "minutes, device", "chosen on")
MARKS = re.compile(r"(<!-- results: ([\w-]+) -->\n).*?(<!-- end of results -->)", re.DOTALL)


@dataclass(frozen=True)
class Runs:
    """Records of one experiment and profile whose settings differ in their seed alone.

    ``samples``: which of their likelihoods is meant, by its number of samples; None for what every record has.
    """

    records: tuple[dict, ...]
    samples: int | None = None

    @property
    def name(self) -> str:
        return self.records[0]["experiment"]

    @property
    def profile(self) -> str:
        return self.records[0]["profile"]

    @property
    def title(self) -> str:
        """What the catalogue calls it, or, where it has left the catalogue, what it was called."""
        known = EXPERIMENTS.get(self.name)
        return known.question if known else self.records[0]["question"]

    @property
    def metrics(self) -> tuple[str, ...]:
        return tuple(self.records[0]["metrics"]["test"])

    @property
    def tests(self) -> list[dict]:
        """What was measured on test images, one for each seed that has it."""
        kept = ([record["metrics"]["test"], *record.get("likelihoods", [])] for record in self.records)
        fitting = ([one for one in each if self.samples in (None, one.get("samples"))] for each in kept)
        return [ones[0] for ones in fitting if ones]

    def values(self, metric: str) -> np.ndarray:
        """One value a seed (S,) of test images, in % where it is a share; none where no record has it."""
        found = [test[metric] for test in self.tests if metric in test]
        return np.array(found) * (100 if metric in SHARES else 1)

    def of(self, samples: int | None) -> Runs | None:
        """Those that have a likelihood of so many samples, if any; all where ``samples`` is None."""
        found = tuple(record for record in self.records if Runs((record,), samples).tests)
        return Runs(found, samples) if found else None

    def how(self) -> list[str]:
        """The cells of ``HOW``; minutes are of the clock, a mean over seeds."""
        first = self.records[0]
        settings, system = first["settings"], first["settings"]["system"]
        units = "-".join(str(width) for width in system.get("hidden") or system.get("channels") or ())
        trained = f"{first['updates']:,} ({first['epochs']:.3g})" + (f", {units}" if units else "")
        seeds = ", ".join(str(record["seed"]) for record in self.records)
        profile = "" if self.profile == "long" else f", `{self.profile}`"
        devices = "/".join(dict.fromkeys(record["device"] for record in self.records))
        minutes = np.mean([record["seconds"] for record in self.records]) / 60
        return [seeds, trained + profile, f"{minutes:.0f}, {devices}", settings["chosen_on"]]


@dataclass(frozen=True)
class Comparison:
    """A printed number and the runs beside it, or None where there are none."""

    number: Number
    runs: Runs | None

    @property
    def values(self) -> np.ndarray:
        """Ours in the number's unit, one a seed (S,)."""
        return self.runs.values(self.number.metric) if self.runs else np.empty(0)

    @property
    def same_data(self) -> bool:
        return self.runs is not None and self.runs.records[0]["settings"]["dataset"] == self.number.data

    @property
    def shortfall(self) -> float:
        """By how much our mean misses the printed number; negative where it is better."""
        missed = float(self.values.mean()) - self.number.value
        return -missed if self.number.higher else missed

    @property
    def reached(self) -> bool | None:
        """The rule: our mean over seeds is better than the printed number, or within its printed ±.

        None where nothing was run, or only on other data, and for a rival, which the paper did not run itself.
        """
        judged = self.same_data and not self.number.rival
        return self.shortfall <= self.number.spread + 1e-9 if judged else None

    @property
    def verdict(self) -> str:
        if self.runs is None:
            return "not run"
        if not self.same_data:
            return "other data"
        if self.number.method in OTHER_METHODS:
            return "other method"
        missed = abs(self.shortfall)
        distance = f"{missed:.0f}" if missed >= 9.95 else f"{missed:.2g}"
        if self.number.rival:
            return f"{'worse' if self.shortfall > 0 else 'better'}, by {distance}"
        return "yes" if self.reached else f"no, by {distance}"


def grouped(results: str | Path = RESULTS) -> list[Runs]:
    """All records in ``results``, put together where settings differ in the seed alone; in the catalogue's order."""
    groups: dict[tuple[str, ...], list[dict]] = defaultdict(list)
    for record in records(results=results):
        settings = record["settings"]
        system = {key: value for key, value in settings["system"].items() if key != "seed"}
        same = json.dumps({**settings, "system": system}, sort_keys=True)
        groups[record["experiment"], record["profile"], same].append(record)
    order = {name: place for place, name in enumerate(EXPERIMENTS)}
    return sorted((Runs(tuple(each)) for each in groups.values()), key=lambda runs: order.get(runs.name, len(order)))


def reported(results: str | Path = RESULTS, *, alike: str | None = None) -> list[Runs]:
    """Of each experiment the runs of one profile: ``paper`` where there are such, else ``long``, else ``quick``.

    ``alike``: of those alone that measured this metric, and of the first profile that all of them have, if any is.
    """
    found = [runs for runs in grouped(results) if runs.profile in BEST and alike in (None, *runs.metrics)]
    profiles = {runs.name: {other.profile for other in found if other.name == runs.name} for runs in found}
    common = set.intersection(*profiles.values()) if alike and found else set()
    return [runs for runs in found if runs.profile == min(common or profiles[runs.name], key=BEST.index)]


def comparisons(results: str | Path = RESULTS) -> list[Comparison]:
    """Every printed number of the papers with the runs beside it."""
    found, rows = reported(results), []
    for number in NUMBERS:
        mine = [runs.of(number.samples) for runs in found if runs.name == number.experiment]
        rows += [Comparison(number, runs) for runs in mine if runs] or [Comparison(number, None)]
    return rows


def rounded(value: float) -> str:
    """About three digits."""
    return f"{value:.{_digits(value)}f}" if value else "0"


def mean_and_spread(values: Sequence[float]) -> str:
    """Mean ± standard deviation over seeds, the latter with two digits at most; the mean alone of one seed."""
    mean = float(np.mean(values))
    if len(values) == 1:
        return rounded(mean)
    spread = float(np.std(values, ddof=1))
    digits = min(_digits(mean), max(1 - math.floor(math.log10(spread)), 0) if spread else 4)
    finer = min(-math.floor(math.log10(spread)), 4) if spread else 0  # a spread is not shown as 0
    return f"{mean:.{digits}f} ± {spread:.{max(digits, finer)}f}"


def _digits(value: float) -> int:  # behind the point
    return min(max(2 - math.floor(math.log10(abs(value))), 1), 4) if value else 1


def headline(runs: Runs) -> str:
    """What was measured, in one cell: an error, a cluster's error by both rules, a likelihood with its σ."""
    metric = runs.metrics[0]
    text = f"{mean_and_spread(runs.values(metric))} {HEADLINES[metric]}"
    if metric == "paper_rule_error":
        text += f" ({mean_and_spread(runs.values('majority_rule_error'))} % by the majority rule)"
    if metric == "log_likelihood":
        error, sigma = (runs.values(name).mean() for name in ("standard_error", "sigma"))
        images = f" over {runs.tests[0]['images']:,.0f} images" if "images" in runs.tests[0] else ""
        text += f" (σ {sigma:.3f}, standard error {error:.2g}{images})"
    return text


def markdown(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [f"| {' | '.join(cells)} |" for cells in (titles, *rows)]
    return "\n".join([lines[0], "|---" * len(titles) + "|", *lines[1:]])


def beside(rows: Iterable[Comparison], verdict: str = "reached") -> str:
    """A Markdown table of comparisons; ``verdict``: what stands above theirs."""
    cells = []
    for row in rows:
        if row.runs is None:
            cells.append([row.number.title, str(row.number), "not run", *["–"] * 5])
            continue
        ours, printed = headline(row.runs), str(row.number)
        if not row.same_data:
            data = row.runs.records[0]["settings"]["dataset"]
            ours, printed = f"{ours} on {DATA.get(data, data)}", f"({printed})"
        cells.append([row.number.title, printed, ours, row.verdict, *row.runs.how()])
    return markdown(["", "the paper", "ours", verdict, *HOW], cells)


def measured(groups: Iterable[Runs], metrics: Sequence[str]) -> str:
    """A Markdown table with a column for each of ``metrics``; in brackets the floor, where the record has one."""
    names = [NAMES.get(metric, metric.replace("_", " ")) for metric in metrics]
    rows = ([r.title, *(_cell(r, metric) for metric in metrics), *r.how()] for r in groups)
    return markdown(["", *names, *HOW], rows)


def _cell(runs: Runs, metric: str) -> str:
    values, floors = runs.values(metric), runs.values(f"{metric}_floor")
    floor = f" ({rounded(floors.mean())})" if len(floors) else ""
    return mean_and_spread(values) + floor if len(values) else "–"


def tables(results: str | Path = RESULTS) -> dict[str, str]:
    """The tables of README's results by name, in Markdown."""
    found, papers = reported(results), [row for row in comparisons(results) if row.number.paper == "AAE"]
    others = [row for row in papers if row.number.method != "AAE" and row.runs]
    linked = {number.experiment for number in NUMBERS}
    own = [runs for runs in found if runs.name not in linked and runs.metrics[0] in HEADLINES]
    made = {
        "paper": beside(row for row in papers if row.number.method == "AAE"),
        "rivals": beside(others, "than printed") if others else "None of them has been run to the end yet.",
        "own": markdown(["", "ours", *HOW], [[r.title, headline(r), *r.how()] for r in own]),
    }
    shown = {
        "samples": ("feature_fid", "feature_fid_of_reconstructions", "precision", "recall", "sliced_wasserstein"),
        "figure-2": ("holes", "mmd", "sliced_wasserstein", "knn_accuracy"),
    }
    for name, metrics in shown.items():
        made[name] = measured(reported(results, alike=metrics[0]), (*metrics, "half_squared_error"))
    return made


def with_tables(page: str, results: str | Path = RESULTS) -> str:
    """``page`` with new tables between ``<!-- results: NAME -->`` and ``<!-- end of results -->``, or DataError."""
    made = tables(results)

    def one(match: re.Match) -> str:
        if match[2] not in made:
            raise DataError(f"results: {match[2]} names no table; there are: {', '.join(made)}.")
        return f"{match[1]}{made[match[2]]}\n{match[3]}"

    return MARKS.sub(one, page)


def table(results: str | Path = RESULTS) -> str:
    """All runs in ``results`` as Markdown tables, one for each set of metrics: means ± standard deviations over seeds.

    In brackets the same of the validation images, and the paper's number. ``chosen on``: by which images settings were.
    """
    parts: dict[tuple[str, ...], list[Runs]] = defaultdict(list)
    for runs in grouped(results):
        parts[runs.metrics].append(runs)
    made = []
    for metrics, part in parts.items():
        data = [(r, r.records[0]["settings"]["dataset"]) for r in part]
        rows = ([r.name, r.profile, name, *r.how(), *(_both(r, metric) for metric in metrics)] for r, name in data)
        made.append(markdown(["experiment", "profile", "data", *HOW, *metrics], rows))
    return "\n\n".join(made)


def _both(runs: Runs, metric: str) -> str:
    """Of test images, and in brackets of validation images, and the paper's number."""
    numbers = [record["metrics"] for record in runs.records]
    test, validation = ([one.get(name, {}).get(metric) for one in numbers] for name in ("test", "validation"))
    more = [] if None in validation else [f"validation: {mean_and_spread(validation)}"]
    if metric in runs.records[0]["paper"]:
        more.append(f"paper: {runs.records[0]['paper'][metric]:g}")
    return mean_and_spread(test) + (f" ({', '.join(more)})" if more else "")
