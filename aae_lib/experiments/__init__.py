"""Named experiments and their ledger: one JSON file a run, and the table made from them.

    python -m aae_lib.experiments list
    python -m aae_lib.experiments run aae-gaussian --profile quick --seed 0
    python -m aae_lib.experiments likelihood parzen-mnist --samples 10000000
    python -m aae_lib.experiments table

A run that was stopped goes on where it was when the same command is given again.
"""

from .catalogue import EXPERIMENTS
from .experiment import Experiment
from .ledger import likelihood, records, run, table

__all__ = ["EXPERIMENTS", "Experiment", "likelihood", "records", "run", "table"]
