"""Images and labels as tensors in memory, and where they come from."""

from .datasets import BUILT_IN, DIGITS, Dataset, Split, load
from .downloads import PUBLIC, data_roots

__all__ = ["BUILT_IN", "DIGITS", "PUBLIC", "Dataset", "Split", "data_roots", "load"]
