"""How long the kernel needs for a frame of the latent explorer, beside drawing a matplotlib figure for it.

    python benchmarks/widget_frames.py

The decoder is the paper's, Z-1000-1000-784. The explorer's time is all that happens in Python from a new z to pixels
that are ready to be sent. A page decodes such a small decoder by itself; larger and convolutional ones need the kernel.
Target: at most 5 ms a frame.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable

import numpy as np
import torch
from matplotlib import pyplot as plt

from aae_lib.priors import Gaussian
from aae_lib.systems import AdversarialAutoencoder
from aae_lib.widgets import explore


def milliseconds(draw: Callable[[list[float]], None], codes: list[list[float]]) -> str:
    """Median and 95th percentile of the time that ``draw`` takes for each of the codes; the first ten warm up."""
    times = []
    for z in codes:
        start = time.perf_counter()
        draw(z)
        times.append(1000 * (time.perf_counter() - start))
    median, slowest = np.percentile(times[10:], [50, 95])
    return f"{median:8.2f} ms {slowest:8.2f} ms"


def main() -> None:
    print(f"{torch.get_num_threads()} threads".ljust(34) + "     median     95th percentile")
    for latent_dim in (2, 8):
        system = AdversarialAutoencoder((1, 28, 28), prior=Gaussian(latent_dim), hidden=(1000, 1000))
        widget = explore(system)
        codes = system.prior.sample(510, torch.Generator().manual_seed(0)).tolist()

        def new_z(z: list[float], widget=widget) -> None:
            widget.z = z

        def figure(z: list[float], system=system) -> None:
            figure, ax = plt.subplots(figsize=(3, 3))
            ax.imshow(system.decode(torch.tensor([z]))[0, 0], cmap="gray")
            figure.savefig(io.BytesIO(), format="png")
            plt.close(figure)

        print(f"{latent_dim}-1000-1000-784  explorer".ljust(34), milliseconds(new_z, codes))
        print(f"{latent_dim}-1000-1000-784  matplotlib figure".ljust(34), milliseconds(figure, codes[:60]))


if __name__ == "__main__":
    main()
