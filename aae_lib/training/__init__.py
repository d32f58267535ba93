"""The one training loop, and what belongs to it: batches, history, progress, precision, processes, checkpoints."""

from .callbacks import Moment, Snapshots
from .distributed import alone, process_group
from .divergence import TrainingDiverged
from .loop import fit

__all__ = ["Moment", "Snapshots", "TrainingDiverged", "alone", "fit", "process_group"]
