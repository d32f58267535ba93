"""A small library for a course on adversarial autoencoders. Start with ``load``, ``fit``, ``save`` and ``restore``."""

from .data import load
from .profiles import choose
from .storage import restore, save
from .training import Snapshots, fit

__version__ = "0.1.0"
__all__ = ["Snapshots", "choose", "fit", "load", "restore", "save"]
