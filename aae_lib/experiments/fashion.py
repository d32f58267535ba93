"""Table 2 on a second dataset, Fashion-MNIST, which is not in the paper: every row as it is on MNIST.

Networks, steps, noise and batches stay those of MNIST's rows: trials of smaller networks with 1000 labels found none
better (the log in ``results/README.md``). ``long`` gives all methods the same 20 epochs, 10,000 updates, with all
steps divided by 10 after 15. What plain classifiers of the pixels make of the same labels,
``tools/pixel_classifiers.py`` prints.
"""

from __future__ import annotations

from dataclasses import replace

from .baselines import BASELINES, EPOCHS, METHODS
from .content import CONTENT
from .experiment import PROFILES, Experiment, Settings

LABELS = (100, 1000)


def _on_fashion(row: Experiment, question: str) -> Experiment:
    """``row``, but on Fashion-MNIST wherever it is on MNIST."""

    def moved(profile: str) -> Settings:
        settings = row.settings(profile)
        if settings.dataset != "mnist":
            return settings
        if profile != "long":
            return replace(settings, dataset="fashion-mnist", chosen_on="untried")
        epochs = EPOCHS["long"]
        steps = {name: replace(step, drops={3 * epochs // 4: 10}) for name, step in settings.optimizers.items()}
        return replace(settings, dataset="fashion-mnist", epochs=epochs, optimizers=steps, chosen_on="untried")

    return replace(row, question=question, numbers={}, **{profile: moved(profile) for profile in PROFILES})


FASHION: dict[str, Experiment] = {
    f"fashion-{labels}": _on_fashion(
        CONTENT[f"semi-supervised-{labels}"],
        f"Table 2's system on Fashion-MNIST, {labels} labels: not in the paper",
    )
    for labels in LABELS
} | {
    f"fashion-{name}-{labels}": _on_fashion(
        BASELINES[f"baseline-{name}-{labels}"],
        f"{method.title} on Fashion-MNIST, {labels} labels: not in the paper",
    )
    for name, method in METHODS.items()
    for labels in LABELS
}
