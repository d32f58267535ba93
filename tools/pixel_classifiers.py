"""What classifiers of raw pixels make of a few labelled images: the plain controls beside Table 2's systems.

    python tools/pixel_classifiers.py fashion-mnist --labels 100 1000 --seeds 0-2

The labelled images are those of the experiments' runs: as many of every class, drawn with the run's seed. A support
vector machine with a radial kernel, logistic regression and nearest neighbours see these alone. Validation images
choose C, the kernel's width and the number of neighbours, test images are looked at once: errors in percent.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from sklearn.base import ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC

from aae_lib.data import Dataset, Split, load
from aae_lib.experiments.sweeps import parse_seeds
from aae_lib.pixels import as_float

CLASSIFIERS = {  # name: the candidates, by their settings; gamma in units of 1 / (pixels x their variance)
    "SVM": [({"C": c, "gamma": gamma}, SVC) for c in (1, 3, 10, 100) for gamma in (0.3, 1, 3)],
    "logistic regression": [({"C": c, "max_iter": 300}, LogisticRegression) for c in (0.01, 0.03, 0.1, 0.3, 1)],
    "nearest neighbours": [({"n_neighbors": k}, KNeighborsClassifier) for k in (1, 3, 5)],
}


def best(data: Dataset, labels: int, seed: int) -> Iterator[tuple[str, float, float, dict]]:
    """Of each kind of classifier: its name, errors of validation and of test images in %, and the settings chosen."""
    x, y = _arrays(data.train.take(data.train.balanced_subset(labels, seed=seed)))  # (L, pixels), (L,)
    validation, test = _arrays(data.validation), _arrays(data.test)
    for name, candidates in CLASSIFIERS.items():
        found = []
        for settings, kind in candidates:
            scaled = {**settings, "gamma": settings["gamma"] / (x.shape[1] * x.var())} if kind is SVC else settings
            machine: ClassifierMixin = kind(**scaled).fit(x, y)
            found.append((100 * (1 - machine.score(*validation)), machine, settings))
        error, machine, settings = min(found, key=lambda one: one[0])
        yield name, error, 100 * (1 - machine.score(*test)), settings


def _arrays(split: Split) -> tuple:
    return as_float(split.images).flatten(1).numpy(), split.labels.numpy()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset")
    parser.add_argument("--labels", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--seeds", default="0-2")
    chosen = parser.parse_args()
    data = load(chosen.dataset)
    for labels in chosen.labels:
        for seed in parse_seeds(chosen.seeds):
            for name, validation, test, settings in best(data, labels, seed):
                errors = f"{validation:5.2f} (test {test:5.2f})"
                print(f"{labels} labels, seed {seed}: {name:20} {errors} {settings}", flush=True)


if __name__ == "__main__":
    main()
