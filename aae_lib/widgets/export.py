"""A trained system as one web page to send to a friend: a widget with its decoder inside, opened from disk."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Sequence
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
from torch import Tensor

from .. import checks
from ..files import write_whole
from ..pixels import as_float
from ..systems.base import System, require_system
from .explorer import MOST_IMAGES, explore
from .mixer import StyleMixer, generator_parcel, style_mixer
from .page import FOLDER, MOST_WEIGHTS, PageWidget, linear_layers, pixels
from .style import StyleMatrix, style_matrix

MOST_PIXELS = 3_000_000  # of the images that lie in a page, which grows by four bytes for three of them
NOT_OF_PAGES = ("layout", "tabbable", "tooltip")  # traits that every widget has and none of ours uses
PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:">
<title>$title</title>
<style>
$css</style>
</head>
<body>
<main style="--columns: $columns">
<h1>$title</h1>
$words
<div id="widget"><img src="data:image/png;base64,$preview" alt="$alt"></div>
<noscript><p>This is a still picture: to move it, open the file in a browser that runs scripts.</p></noscript>
<footer>$footer</footer>
</main>
<script type="application/json" id="contents">$contents</script>
<script type="module">
$script</script>
</body>
</html>
""")


def export_page(
    system: System,
    path: str | Path,
    *,
    title: str | None = None,
    data_name: str | None = None,
    images=None,
    labels=None,
    names: Sequence[str] | None = None,
) -> Path:
    """Write a trained ``system`` as one HTML file that its receiver moves by hand: no server, no network, no Python.

    The page is ``explore(system)``; for a system that decodes contents and styles it is ``style_matrix(system)``, for a
    style-based generator ``style_mixer(system)``. The decoder lies in it in half precision, which moves no pixel by
    more than one grey level of 255 on MNIST; eight bits a weight would move some by twenty.

    ``path``: of the file, which must end in .html. ``title``: its heading. ``data_name``: what the system learnt from,
    such as "MNIST", for the page's first sentence. ``images`` (N, C, H, W), ``labels`` (N,) and ``names`` (a caption
    for each label): as the widget takes them, at most 2,000 images and 3 MB of pixels. **These images are then in the
    file**, for whoever gets it to see. Two hidden layers of 1,000 units for 28x28 pixels make a page of 5 MB, which
    mail still takes; one with the most weights that a page may have, eight million, has 21 MB. Returns the path.
    Raises ValueError or TypeError, before anything is written, where an argument does not fit the system or a page
    cannot decode by itself (convolutional decoders, and larger ones); StorageError where no file can be written.
    """
    if Path(path).suffix.lower() not in (".html", ".htm"):
        raise ValueError(f"path must end in .html, so that a browser opens it, but it is {str(path)!r}.")
    for name, value in (("title", title), ("data_name", data_name)):
        if value is not None and not isinstance(value, str):
            raise TypeError(f"{name} must be text, but it is a {type(value).__name__}; give a string or leave it out.")
    _require_decoder_for_pages(require_system(system))
    if images is not None:
        images = checks.images("images", images, system.image_shape)
        most = max(2, min(MOST_IMAGES, MOST_PIXELS // images[0].numel()))
        labels = None if labels is None else checks.labels("labels", labels, len(images))[:most]
        images = images[:most]
    widget = _widget(system, images, labels, names)
    heading, words = _words(widget, data_name)
    page = PAGE.substitute(
        title=html.escape(title or heading),
        words="\n".join(f"<p>{line}</p>" for line in words),
        columns=len(widget.names) if isinstance(widget, StyleMatrix) else 3 if images is None else 4,  # of its grid
        preview=_text(widget.preview()),
        alt=html.escape(type(widget).alt.split("; in JupyterLab")[0].rstrip(".") + "."),
        footer=_footer(system, data_name),
        css=f"{widget._css}\n{_source('export.css')}",
        contents=json.dumps(_contents(widget), allow_nan=False).replace("<", "\\u003c"),  # nothing may end the script
        script=f"{widget._esm}\n{_source('export.js')}",
    )
    write_whole(path, page)
    return Path(path).expanduser()


def _require_decoder_for_pages(system: System) -> None:
    """ValueError where ``system`` has no decoder that a page can run, in half precision."""
    system._require("decoder")
    mixes = _mixes(system)
    layers = [generator_parcel(system)[1]] if mixes else linear_layers(system) or []
    weights = [weight for layer in layers for weight in layer]
    if not weights:
        stack = f"linear layers (body='mlp') of at most {MOST_WEIGHTS:,} weights"
        suited = "a generator that has faded in, at a lower resolution or with fewer channels" if mixes else stack
        raise ValueError(
            f"system is a {type(system).__name__} whose decoder cannot run inside a page, which takes {suited}; "
            f"train such a one, or look at this one in JupyterLab with {_in_lab(system)}(system)."
        )
    if not all(bool(weight.half().isfinite().all()) for weight in weights):
        raise ValueError(
            f"system is a {type(system).__name__} whose decoder has weights that are not finite in half precision, "
            "so its training diverged; train it anew with smaller steps."
        )


def _in_lab(system: System) -> str:
    return "style_matrix" if system.decodes_labels else "style_mixer" if _mixes(system) else "explore"


def _mixes(system: System) -> bool:
    return not system.decodes_labels and isinstance(getattr(system, "layers", None), int)


def _widget(system: System, images: Tensor | None, labels: Tensor | None, names: Sequence[str] | None) -> PageWidget:
    """The widget that suits ``system``, begun where there is something to see."""
    lab = _in_lab(system)
    if labels is not None and lab != "explore":
        raise ValueError(f"labels is for pages of explore, but a {type(system).__name__} has {lab}'s; leave it out.")
    if names is not None and lab == "style_mixer":
        raise ValueError(f"names is for pages with labels, but a {type(system).__name__} has none; leave it out.")
    if system.decodes_labels:
        return style_matrix(system, images, names)
    if _mixes(system):
        return style_mixer(system, images)
    widget = explore(system, images, labels=labels, names=names)
    start = np.frombuffer(widget.codes or widget.draws, dtype=np.float32)[: system.latent_dim]  # z = 0 may be a blur
    widget.z = start.tolist()
    return widget


def _contents(widget: PageWidget) -> dict[str, Any]:
    """What the page's script (export.js) gives to the widget, as JSON: its traits, its parcel, and all images."""
    state = {
        name: {"bytes": _text(value)} if isinstance(value, bytes) else value
        for name, value in widget.get_state().items()
        if not name.startswith("_") and name not in NOT_OF_PAGES
    }
    content, buffers = widget.parcel()
    whole = 3 if isinstance(widget, StyleMixer) else 0  # codes and pictures, before the weights
    halves = [np.frombuffer(buffer, dtype=np.float32).astype(np.float16) for buffer in buffers[whole:]]
    parcel = [{"bytes": _text(buffer)} for buffer in buffers[:whole]] + [{"halves": _text(half)} for half in halves]
    chosen = pixels(as_float(widget.images)) if state.get("pair") else b""  # of which the explorer shows two
    return {"state": state, "content": content, "buffers": parcel, "images": {"bytes": _text(chosen)}}


def _words(widget: PageWidget, data_name: str | None) -> tuple[str, list[str]]:
    """A heading, and paragraphs as HTML that tell somebody who knows nothing of it what to see and what to move."""
    like = f" pictures like those of {html.escape(data_name)}" if data_name else " pictures"
    here = "The network is inside this page and draws while you move it."
    if isinstance(widget, StyleMatrix):
        first = (
            f"A neural network has learnt to draw{like} from two things: <em>what</em> to draw, one column for each, "
            f"and <em>how</em> to draw it, {_numbers(len(widget.z))} that all columns share: their style."
        )
        how = "Move a slider, with a finger, the mouse or the arrow keys, and the whole top row changes its style."
        rows = " Each row below has the style of the real image on its left: choose one to take that style over."
        return "Everything in one style", [f"{first} {here}", how + (rows if widget.styles else "")]
    if isinstance(widget, StyleMixer):
        first = (
            f"A neural network has learnt to draw{like} in {len(widget.layers)} steps, the shape first, details last; "
            "each takes its style from A or from another picture."
        )
        return "Pictures that mix", [f"{first} {here}", "Choose cells, or drag along a row; then press Blend."]
    count = len(widget.z)
    first = f"A neural network has learnt to draw{like} from {_numbers(count)} each."
    if count == 1:
        return "A line of pictures", [f"{first} {here}", "Move the slider with a finger, the mouse or the arrow keys."]
    two, many = "Every point of the square is such a pair of numbers", "The square moves two of them at once"
    how = "Drag the ring across the square, or use the arrow keys on it (with Shift for larger steps)."
    if count > 2:
        how += " The menus below the square choose its two numbers, and a slider moves one alone."
    dots = "Grey dots show where the network expects pictures." if widget.has_prior else ""
    if widget.codes:
        dots += f" Coloured dots are {len(widget.images):,} real images; A and B are two of them: Play turns A into B."
    return "A map of pictures", [
        f"{first} {two if count == 2 else many}. {here}",
        f"<strong>{how}</strong> {dots}".strip(),
    ]


def _numbers(count: int) -> str:
    return "one number" if count == 1 else f"{count:,} numbers"


def _footer(system: System, data_name: str | None) -> str:
    """The system's class and its data, and that the page is alone, as HTML."""
    learnt = f", trained on {html.escape(data_name)}" if data_name else ""
    return (
        f"System: <code>{type(system).__name__}</code>{learnt}; made with <code>aae_lib</code>. Everything is in this "
        "one file: it loads nothing from the network and sends nothing."
    )


def _text(data: bytes | np.ndarray) -> str:
    return base64.b64encode(data).decode()


def _source(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")
