"""Exercises that answer: each ``check_…`` takes a student's function and says, in a sentence, whether it is right.

>>> from aae_lib import exercises
>>> exercises.check_generator_loss(lambda discriminator, codes: None)
<lambda> is not written yet.
"""

from .answers import Answer
from .games import check_discriminator_loss, check_generator_loss

__all__ = ["Answer", "check_discriminator_loss", "check_generator_loss"]
