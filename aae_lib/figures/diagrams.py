"""The networks of a system and what flows between them: Makhzani et al. 2015, Pidhorskyi et al. 2020, redrawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from .. import checks
from .theme import BLUE, CLASS_COLOURS, INK, ROSE, canvas

GREEN = CLASS_COLOURS[1]


@dataclass(frozen=True)
class Box:
    """A network is filled and changes its height from ``left`` to ``right``; what flows between them is outlined."""

    x: float
    y: float
    text: str
    colour: str = BLUE
    width: float = 0.8
    left: float = 0.8
    right: float = 0.8

    @property
    def is_network(self) -> bool:
        return self.left != self.right


@dataclass(frozen=True)
class Arrow:
    """From one point (x, y) to another; ``sign`` stands where it starts."""

    start: tuple[float, float]
    end: tuple[float, float]
    sign: str = ""
    colour: str = INK


@dataclass(frozen=True)
class Diagram:
    """Boxes, arrows, and the two sentences above and below them. One unit is an inch."""

    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    above: str
    below: str


def network_diagram(kind: str = "adversarial") -> Figure:
    """The networks of a system, redrawn from Makhzani et al. 2015 (and from Pidhorskyi et al. 2020, Fig. 1: "latent").

    ``kind``: "adversarial" (Fig. 1), "labelled_prior" (Fig. 3), "supervised" (Fig. 6), "semi_supervised" (Fig. 8),
    "clustering" (Fig. 8 without labels), "dimensionality_reduction" (Fig. 10) or "latent", an adversarial latent
    autoencoder.
    """
    diagram = DIAGRAMS[checks.one_of("kind", kind, DIAGRAMS)]
    heights = [max(box.left, box.right) / 2 for box in diagram.boxes]
    low = min(box.y - height for box, height in zip(diagram.boxes, heights, strict=True)) - 0.1
    high = max(box.y + height for box, height in zip(diagram.boxes, heights, strict=True)) + 0.1
    figure, (ax,) = canvas(1, 1, 9, high - low + 0.6)
    ax.set(xlim=(0, 9), ylim=(low, high), aspect="equal", frame_on=False, xticks=[], yticks=[])
    for box in diagram.boxes:
        xs = box.x + np.array([-1, 1, 1, -1]) * box.width / 2
        ys = box.y + np.array([box.left, box.right, -box.right, -box.left]) / 2
        ax.fill(xs, ys, facecolor=box.colour if box.is_network else "white", edgecolor=box.colour, linewidth=1.5)
        colour = "white" if box.is_network else INK
        ax.text(box.x, box.y, box.text, ha="center", va="center", color=colour, fontsize=12)
    for arrow in diagram.arrows:
        style = {"arrowstyle": "-|>", "color": arrow.colour, "shrinkB": 2}
        ends = {"xytext": arrow.start, "ha": "center", "va": "center", "arrowprops": style}
        ax.annotate(arrow.sign, arrow.end, fontsize=18, color=ROSE, **ends)
    figure.suptitle(diagram.above, color=BLUE)
    figure.supxlabel(diagram.below, color=ROSE)
    return figure


def _reconstruction(y: float) -> tuple[tuple[Box, ...], tuple[Arrow, ...]]:
    """Image, encoder, code, decoder, image, from left to right at height ``y``."""
    boxes = (
        Box(0.7, y, "$x$"),
        Box(2.6, y, "encoder\n$q(z|x)$", width=1.6, left=1.6, right=0.7),
        Box(4.5, y, "$z$", INK, left=0.6, right=0.6),
        Box(6.4, y, "decoder\n$p(x|z)$", width=1.6, left=0.7, right=1.6),
        Box(8.3, y, r"$\hat{x}$"),
    )
    return boxes, tuple(Arrow((x, y), (x + 0.7, y)) for x in (1.1, 3.4, 4.9, 7.2))


def _game(y: float, code: tuple[float, float], name: str, draws: str) -> tuple[tuple[Box, ...], tuple[Arrow, ...]]:
    """Draws from a prior against the code ``name`` whose box has its edge at ``code``, told apart at height ``y``."""
    toward = np.sign(code[1] - y)  # the code's side of the game: 1 above, -1 below
    boxes = (
        Box(2.6, y, draws, ROSE, 2.2),
        Box(6.4, y, f"discriminator\n$D({name})$", ROSE, 1.6, 1.6, 0.7),
        Box(8.4, y, "prior\nor code?", ROSE, 1.0),
    )
    arrows = (
        Arrow((3.95, y - 0.15 * toward), (5.6, y - 0.15 * toward), "$+$"),
        Arrow(code, (5.6, y + 0.3 * toward), "$-$"),
        Arrow((7.2, y), (7.9, y)),
    )
    return boxes, arrows


def _content_and_style() -> tuple[tuple[Box, ...], tuple[Arrow, ...]]:
    """An encoder with two outputs, which meet again in the decoder."""
    boxes = (
        Box(0.7, 3.4, "$x$"),
        Box(2.6, 3.4, "encoder\n$q(y|x)$\n$q(z|x)$", width=1.6, left=2.2, right=1.7),
        Box(4.5, 3.95, "$y$", INK, left=0.6, right=0.6),
        Box(4.5, 2.85, "$z$", INK, left=0.6, right=0.6),
        Box(6.4, 3.4, "decoder\n$p(x|y, z)$", width=1.6, left=1.7, right=2.2),
        Box(8.3, 3.4, r"$\hat{x}$"),
    )
    middle = tuple(Arrow((x, 3.4), (x + 0.7, 3.4)) for x in (1.1, 7.2))
    return boxes, middle + tuple(Arrow((x, y), (x + 0.7, y)) for x in (3.4, 4.9) for y in (3.95, 2.85))


def _together(above: str, below: str, *parts: tuple[tuple[Box, ...], tuple[Arrow, ...]]) -> Diagram:
    boxes, arrows = zip(*parts, strict=True)
    return Diagram(sum(boxes, ()), sum(arrows, ()), above, below)


def _labels(content: float) -> tuple[tuple[Box, ...], tuple[Arrow, ...]]:
    """What compares the label, where one may be seen, with the content whose box begins at x = ``content``."""
    loss = Box(1.3, 5.05, "cross-entropy with the\nlabel, where known", GREEN, 2.2, 0.7, 0.7)
    return (loss,), (Arrow((2.4, 5.05), (content, 4.15), "", GREEN),)


DRAWS_Z, DRAWS_Y = "draw samples\nfrom the prior $p(z)$", "draw one-hot $y$,\nall equally likely"
GAME_OF_Z = _game(0.9, (4.5, 2.35), "z", DRAWS_Z)
GAME_OF_Y = _game(5.9, (4.5, 4.45), "y", DRAWS_Y)

LABELS_OF_D = (
    (Box(6.4, -0.55, "one-hot class of the draw or of the image;\none more class: not known", GREEN, 4.4),),
    (Arrow((6.4, -0.15), (6.4, 0.33), "", GREEN),),
)
GIVEN_LABEL = (
    (
        Box(0.7, 2.85, "$x$"),
        Box(2.6, 2.85, "encoder\n$q(z|x)$", width=1.6, left=1.6, right=0.7),
        Box(4.5, 2.85, "$z$", INK, left=0.6, right=0.6),
        Box(4.5, 3.95, "label $y$", GREEN, 1.0, 0.6, 0.6),
        Box(6.4, 3.4, "decoder\n$p(x|y, z)$", width=1.6, left=1.7, right=2.2),
        Box(8.3, 3.4, r"$\hat{x}$"),
    ),
    (
        *(Arrow((x, 2.85), (x + 0.7, 2.85)) for x in (1.1, 3.4, 4.9)),
        Arrow((5.0, 3.95), (5.6, 3.95), "", GREEN),
        Arrow((7.2, 3.4), (7.9, 3.4)),
    ),
)
HEADS = (
    (
        Box(0.5, 3.4, "$x$", width=0.7),
        Box(1.9, 3.4, "encoder\n$q(y|x)$\n$q(z|x)$", width=1.3, left=2.2, right=1.7),
        Box(3.4, 3.95, "$y$", INK, 0.7, 0.6, 0.6),
        Box(3.4, 2.85, "$z$", INK, 0.7, 0.6, 0.6),
        Box(4.6, 3.95, "$W_C$", width=0.7, left=0.5, right=0.7),
        Box(5.95, 3.4, "$W_C\\,y + z$", INK, 1.1, 0.7, 0.7),
        Box(7.4, 3.4, "decoder", width=1.1, left=1.0, right=1.7),
        Box(8.6, 3.4, r"$\hat{x}$", width=0.7),
    ),
    (
        *(Arrow((x, 3.4), (end, 3.4)) for x, end in ((0.85, 1.25), (6.5, 6.85), (7.95, 8.25))),
        *(Arrow((x, y), (x + 0.5, y)) for x, y in ((2.55, 3.95), (2.55, 2.85), (3.75, 3.95))),
        Arrow((4.95, 3.85), (5.4, 3.6)),
        Arrow((3.75, 2.85), (5.4, 3.25)),
    ),
)
LATENT = (
    (
        Box(0.4, 3.4, "$z$", INK, 0.5, 0.6, 0.6),
        Box(1.45, 3.4, "mapping\n$F$", width=1.1, left=0.8, right=1.0),
        Box(2.45, 3.4, "$w$", INK, 0.5, 0.6, 0.6),
        Box(3.5, 3.4, "generator\n$G$", width=1.2, left=0.8, right=1.6),
        Box(4.7, 3.4, "$G(w)$", width=0.8, left=0.7, right=0.7),
        Box(4.7, 2.4, "$x$", width=0.8, left=0.7, right=0.7),
        Box(5.9, 2.9, "encoder\n$E$", ROSE, 1.1, 1.8, 0.8),
        Box(6.95, 2.9, r"$\tilde{w}$", INK, 0.5, 0.6, 0.6),
        Box(8.15, 2.9, "discriminator\n$D$", ROSE, 1.5, 1.4, 0.7),
        Box(8.15, 1.4, "real\nor made?", ROSE, 1.1),
        Box(4.7, 1.2, "reciprocity:\n" + r"$\tilde{w}$ = $w$ ?", GREEN, 1.6),
    ),
    (
        *(Arrow((x, 3.4), (end, 3.4)) for x, end in ((0.65, 0.9), (2.0, 2.2), (2.7, 2.9), (4.1, 4.3), (5.1, 5.35))),
        *(Arrow((x, y), (end, y)) for x, end, y in ((5.1, 5.35, 2.4), (6.45, 6.7, 2.9), (7.2, 7.4, 2.9))),
        Arrow((8.15, 2.35), (8.15, 1.8)),
        Arrow((2.45, 3.1), (3.9, 1.3), "", GREEN),
        Arrow((6.95, 2.6), (5.5, 1.3), "", GREEN),
    ),
)
DIAGRAMS = {
    "adversarial": _together(
        "Reconstruction: encoder and decoder learn to return the image",
        "Regularization: tell prior samples ($+$) from codes ($-$); the encoder fools it",
        _reconstruction(3),
        _game(0.9, (4.5, 2.5), "z", DRAWS_Z),
    ),
    "labelled_prior": _together(
        "Reconstruction: encoder and decoder learn to return the image",
        "Regularization: tell prior samples ($+$) from codes ($-$), both with their class",
        _reconstruction(3),
        _game(0.9, (4.5, 2.5), "z, y", DRAWS_Z),
        LABELS_OF_D,
    ),
    "supervised": _together(
        "Reconstruction: the decoder is told the label, so the code needs to hold only the style",
        "Regularization: tell prior samples ($+$) from styles ($-$); the encoder fools it",
        GIVEN_LABEL,
        GAME_OF_Z,
    ),
    "semi_supervised": _together(
        "Reconstruction: from the content $y$ and the style $z$",
        "Two games: tell prior samples ($+$) from contents and from styles ($-$); the encoder fools both",
        _content_and_style(),
        GAME_OF_Y,
        GAME_OF_Z,
        _labels(4.1),
    ),
    "clustering": _together(
        "Reconstruction: from the cluster $y$ and the style $z$",
        "Two games: tell prior samples ($+$) from clusters and from styles ($-$); the encoder fools both",
        _content_and_style(),
        GAME_OF_Y,
        GAME_OF_Z,
    ),
    "dimensionality_reduction": _together(
        "Reconstruction: from the head of the cluster plus the style, $W_C\\,y + z$",
        "Two games: tell prior samples ($+$) from contents and from styles ($-$); the encoder fools both",
        HEADS,
        _game(0.9, (3.4, 2.35), "z", DRAWS_Z),
        _game(5.9, (3.4, 4.45), "y", DRAWS_Y),
        _labels(3.05),
    ),
    "latent": _together(
        "$F$ and $G$ make images out of draws $z$; $w$ may have whatever distribution suits them",
        "$E$ and $D$ tell them from real images $x$; and $E$ learns to find the $w$ that an image was made of",
        LATENT,
    ),
}
