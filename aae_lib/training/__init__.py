"""The one training loop, and what belongs to it: batches, history, progress, precision, checkpoints."""

from .callbacks import Moment, Snapshots
from .loop import TrainingDiverged, fit

__all__ = ["Moment", "Snapshots", "TrainingDiverged", "fit"]
