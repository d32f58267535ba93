"""All experiments by name."""

from __future__ import annotations

from .baselines import BASELINES
from .beyond import BEYOND
from .conditional import CONDITIONAL
from .content import CONTENT
from .experiment import Experiment
from .fashion import FASHION
from .labels import LABELLED
from .unsupervised import UNSUPERVISED

EXPERIMENTS: dict[str, Experiment] = UNSUPERVISED | LABELLED | CONTENT | CONDITIONAL | BASELINES | FASHION | BEYOND
