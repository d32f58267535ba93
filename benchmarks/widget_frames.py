"""How long a frame of a widget takes, in the kernel and in the page, beside drawing a matplotlib figure for it.

    python benchmarks/widget_frames.py

The decoder is the paper's, Z-1000-1000-784, and a smaller one. The kernel's time is all that happens in Python from a
new z to pixels that are ready to be sent; the page's is that of its own decoder, run by Node.js, whose engine is
Chromium's (left out where Node.js is not installed). The latent explorer decodes one picture a frame, the style matrix
ten. The style mixer generates one of 32x32 or 64x64, with channels as the course trains them and near the limit beyond
which the kernel generates.
Target: at most 5 ms a frame in the kernel for one decoded picture, and 16 ms in the page, which makes 60 a second;
33 ms for one that the page generates.
"""

from __future__ import annotations

import base64
import io
import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator

import numpy as np
import torch
from matplotlib import pyplot as plt

from aae_lib.priors import Gaussian
from aae_lib.systems import AdversarialAutoencoder, StyleAdversarialLatentAutoencoder, SupervisedAdversarialAutoencoder
from aae_lib.widgets import explore, style_matrix, style_mixer
from aae_lib.widgets.page import script

IN_PAGE = """
const { content, buffers, inputs, taken } = JSON.parse(require("fs").readFileSync(0, "utf8"));
const bytes = (text) => new DataView(Uint8Array.from(atob(text), (character) => character.charCodeAt(0)).buffer);
const weights = buffers.map(bytes);
const decode = content.kinds ? buildGenerator(content.kinds, weights) : buildDecoder(content.output, weights);
const times = [];
for (let n = 0; n + taken <= inputs.length; n += taken) {
  const began = performance.now();
  decode(inputs.slice(n, n + taken));
  times.push(performance.now() - began);
}
console.log(JSON.stringify(times));
"""


Row = tuple[str, str, str, str]
FRAME = {"kernel": 5.0, "page": 16.0, "generated": 33.0, "figure": 5.0}  # ms, the targets above


def row(name: str, times: list[float], target: float) -> Row:
    """Median and 95th percentile of milliseconds beside the target; the first ten warm up."""
    median, slowest = np.percentile(times[10:], [50, 95])
    return name, f"{median:.2f} ms (95 %: {slowest:.2f})", f"target: {target:.0f} ms", f"{median / target:.2f}"


def in_kernel(draw: Callable[[list[float]], None], codes: list[list[float]]) -> list[float]:
    """Milliseconds that ``draw`` takes for each of the codes."""
    times = []
    for z in codes:
        start = time.perf_counter()
        draw(z)
        times.append(1000 * (time.perf_counter() - start))
    return times


def in_page(parcel: tuple[dict, list[bytes]], inputs: list[list[float]], taken: int) -> list[float]:
    """Milliseconds that the page's decoder, or generator, takes for each frame, of so many inputs ``taken``."""
    content, buffers = parcel
    buffers = [base64.b64encode(buffer).decode() for buffer in buffers]
    what = json.dumps({"content": content, "buffers": buffers, "inputs": inputs, "taken": taken})
    process = subprocess.run(
        ["node", "-e", script("generator.js") + IN_PAGE], input=what, capture_output=True, text=True, check=True
    )
    return json.loads(process.stdout)


def mix(side: int, channels: tuple[int, ...], latent_dim: int) -> Iterator[Row]:
    """The style mixer, blending from one source to a mix of three."""
    system = StyleAdversarialLatentAutoencoder((1, side, side), channels=channels, latent_dim=latent_dim)
    widget = style_mixer(system)
    name = f"StyleMixer, {side}x{side}, {'-'.join(map(str, channels))}"
    times = in_kernel(lambda blend: setattr(widget, "blend", blend), torch.linspace(0, 1, 60).tolist())
    yield row(f"{name}, kernel", times, FRAME["generated"])
    content, (_codes, _images, _decoded, *weights) = widget.parcel()
    if weights and shutil.which("node"):
        inputs = system.draw_codes(60 * system.layers).tolist()  # one w for each style input
        yield row(f"{name}, page", in_page((content, weights), inputs, system.layers), FRAME["generated"])


def figure_of(system: AdversarialAutoencoder, z: list[float]) -> None:
    figure, ax = plt.subplots(figsize=(3, 3))
    ax.imshow(system.decode(torch.tensor([z]))[0, 0], cmap="gray")
    figure.savefig(io.BytesIO(), format="png")
    plt.close(figure)


def rows() -> Iterator[Row]:
    """Rows of the table: what, milliseconds a frame, the target, their ratio."""
    generator = torch.Generator().manual_seed(0)
    for width in (512, 1000):
        hidden = {"hidden": (width, width), "discriminator_hidden": (8,)}
        one = AdversarialAutoencoder((1, 28, 28), prior=Gaussian(8), **hidden)
        ten = SupervisedAdversarialAutoencoder((1, 28, 28), prior=Gaussian(15), **hidden)
        for system, widget, pictures in ((one, explore(one), 1), (ten, style_matrix(ten), 10)):
            name = f"{type(widget).__name__}, {width}-{width}-784"
            codes = system.prior.sample(210, generator)  # (N, Z)
            times = in_kernel(lambda z, widget=widget: setattr(widget, "z", z), codes.tolist())
            yield row(f"{name}, kernel", times, FRAME["kernel"])
            if shutil.which("node"):
                content = torch.eye(10) if pictures == 10 else torch.empty(1, 0)
                inputs = torch.cat([content.repeat(len(codes), 1), codes.repeat_interleave(pictures, dim=0)], dim=1)
                yield row(f"{name}, page", in_page(widget.parcel(), inputs.tolist(), pictures), FRAME["page"])
        figures = in_kernel(lambda z, one=one: figure_of(one, z), one.prior.sample(60, generator).tolist())
        yield row(f"a matplotlib figure in its place, {width}-{width}-784", figures, FRAME["figure"])
    yield from mix(32, (32, 32, 16, 8), 64)
    yield from mix(64, (48, 48, 32, 16, 8), 64)
    yield from mix(64, (64, 64, 48, 24, 12), 64)


def main() -> None:
    print(f"{torch.get_num_threads()} threads")
    for found in rows():
        print(" | ".join(found), flush=True)


if __name__ == "__main__":
    main()
