"""Named experiments and their records: one JSON file a run, and the tables made from them.

    python -m aae_lib.experiments list
    python -m aae_lib.experiments run aae-gaussian --profile quick --seed 0
    python -m aae_lib.experiments sweep aae-gaussian vae-gaussian --seeds 0-4 --workers 2
    python -m aae_lib.experiments repeat results/aae-gaussian.quick.seed0.json --results again
    python -m aae_lib.experiments likelihood parzen-mnist --profile long --samples 10000000
    python -m aae_lib.experiments table --readme
    python -m aae_lib.experiments store alae-mnist
    python -m aae_lib.experiments verify

A run that was stopped goes on where it was when the same command is given again; one that is finished is not made anew.
``trained("alae-mnist")`` is the system of a long run whose weights lie in ``results/weights``.
"""

from .catalogue import EXPERIMENTS
from .experiment import PROFILES, Experiment, Settings
from .ledger import rebuild, records
from .report import comparisons, table
from .running import likelihood, repeat, run
from .stored import store, trained, verify
from .sweeps import sweep

__all__ = [
    "EXPERIMENTS",
    "PROFILES",
    "Experiment",
    "Settings",
    "comparisons",
    "likelihood",
    "rebuild",
    "records",
    "repeat",
    "run",
    "store",
    "sweep",
    "table",
    "trained",
    "verify",
]
