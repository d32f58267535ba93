"""Exercises that answer: each ``check_…`` takes a student's function and says, in a sentence, whether it is right.

>>> from aae_lib import exercises
>>> exercises.check_generator_loss(lambda discriminator, codes: None)
<lambda> is not written yet.
"""

from .answers import Answer
from .beyond import (
    check_gradient_penalty,
    check_log_variance_penalty,
    check_mix_styles,
    check_path_length,
    check_reciprocity,
    check_sliced_distance,
)
from .clusters import check_draw_map, check_information, check_majority_error, check_represent
from .densities import (
    check_choose_sigma,
    check_draw_disc,
    check_log_aggregated,
    check_median_width,
    check_precision,
    check_unbiased_mmd,
)
from .games import check_discriminator_loss, check_draw_codes, check_generator_loss, check_negative_elbo
from .labels import (
    check_blend,
    check_draw_content,
    check_draw_petals,
    check_few_labels_loss,
    check_labelled_loss,
    check_labelled_reconstruction,
)
from .pictures import check_hold_out, check_pca_errors

__all__ = [
    "Answer",
    "check_blend",
    "check_choose_sigma",
    "check_discriminator_loss",
    "check_draw_codes",
    "check_draw_content",
    "check_draw_disc",
    "check_draw_map",
    "check_draw_petals",
    "check_few_labels_loss",
    "check_generator_loss",
    "check_gradient_penalty",
    "check_hold_out",
    "check_information",
    "check_labelled_loss",
    "check_labelled_reconstruction",
    "check_log_aggregated",
    "check_log_variance_penalty",
    "check_majority_error",
    "check_median_width",
    "check_mix_styles",
    "check_negative_elbo",
    "check_path_length",
    "check_pca_errors",
    "check_precision",
    "check_reciprocity",
    "check_represent",
    "check_sliced_distance",
    "check_unbiased_mmd",
]
