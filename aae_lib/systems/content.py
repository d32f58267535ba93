"""Content (y, what an image shows) and style (z, how it shows it): what the systems that tell them apart share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from .. import checks
from ..losses import fool, half_squared_error, tell_apart
from ..networks import Decoder, Discriminator, Encoder
from ..optimizers import Adam
from ..priors import Categorical, Prior
from .base import HIDDEN, Batch, Phase, System, require_prior

STYLE_GAMES = ("marginal", "conditional")
PAPERS_GAME = {"style_game": "marginal", "conditional_from": 0.0}


@dataclass(frozen=True)
class StyleGame:
    """What the discriminator of z sees: z alone ("marginal", the paper's), or the content y beside it ("conditional").

    One that sees z alone fixes q(z) as a whole and leaves q(z | y) free: styles may repeat what y says. One that sees
    the same y's beside styles and beside draws of the prior is fooled only where q(z | y) = p(z) for every y, so that
    every style goes with every content. It is the trick of Makhzani et al. 2015, Sec. 2.3, not their Secs. 4 to 7.

    ``since``: the share of a training's updates (``Batch.progress``) from which on y is shown; before, it is hidden.
    Where y is a guess of q(y | x) this game keeps wrong ones wrong, so with few labels it should wait until most are
    right. A share is what a loss is told, so nothing needs to count, and short and long trainings agree on it.
    """

    kind: str
    since: float
    classes: int

    def __post_init__(self) -> None:
        checks.one_of("style_game", self.kind, STYLE_GAMES)
        checks.share("conditional_from, a share of the training,", self.since, usual=0.3)
        if self.since and not self.conditional:
            raise ValueError(
                f"conditional_from is {self.since}, but style_game is {self.kind!r}, which never shows y; "
                "leave it out, or give style_game='conditional'."
            )

    @property
    def conditional(self) -> bool:
        return self.kind == "conditional"

    def width(self, style_dim: int) -> int:
        """How many numbers the discriminator is shown of a style of ``style_dim`` dimensions."""
        return style_dim + (self.classes if self.conditional else 0)

    def shown(self, z: Tensor, labels: Tensor, progress: float | Tensor) -> Tensor:
        """What D sees of z (B, Z): z, or (B, Z + K) with one-hot ``labels`` (B,), zeros where those are hidden."""
        if not self.conditional:
            return z
        early = torch.as_tensor(progress, device=labels.device) < self.since  # (): a GPU need not wait for an answer
        labels = torch.where(early, HIDDEN, labels)
        y = F.one_hot(labels - HIDDEN, self.classes + 1)[:, 1:]  # (B, K); the column of hidden ones is left out
        return torch.cat([z, y], dim=1)


def as_content(labels: Tensor, classes: int, count: int) -> Tensor:
    """One-hot contents (N, K) of labels (N,); shares (N, K) that are given instead come back as they are."""
    if isinstance(labels, Tensor) and labels.ndim == 2:
        if labels.shape != (count, classes):
            raise ValueError(
                f"labels must have shape ({count},) or ({count}, {classes}), but it is {tuple(labels.shape)}."
            )
        return checks.codes("labels", labels, classes)
    labels = checks.labels("labels", labels, count)
    if int(labels.max()) >= classes:
        raise ValueError(f"labels must be below {classes}, the number of classes, but one is {int(labels.max())}.")
    return F.one_hot(labels, classes).float()


def draw_content(prior: Prior, classes: int, count: int, labels: Tensor | None, seed: int) -> tuple[Tensor, Tensor]:
    """Styles (N, Z) from the prior, and the contents to decode them with: ``labels``, or random ones (N,)."""
    generator = torch.Generator().manual_seed(checks.seed("seed", seed))
    z = prior.sample(count, generator)
    return z, torch.randint(classes, (count,), generator=generator) if labels is None else labels


class ContentAndStyle(System):
    """An encoder with two heads, content q(y | x) and style q(z | x), each pulled onto its prior by a discriminator.

    The first of the encoder's outputs are the logits of y, the others are z. A subclass says how the two meet at the
    decoder (``code``) and what else is learnt. Section 5's Fig. 8, without its labels.
    """

    decodes_labels = True
    newer = PAPERS_GAME

    def _build(
        self,
        classes: int,
        prior: Prior,
        *,
        code_dim: int | None = None,
        hidden: Sequence[int],
        discriminator_hidden: Sequence[int],
        body: str,
        output: str,
        batch_norm: bool,
        decoder_batch_norm: bool,
        input_noise: float,
        input_dropout: float,
        discriminator_noise: float,
        style_game: str,
        conditional_from: float,
    ) -> None:
        """The networks; ``code_dim``: of the decoder's input, K + Z by default."""
        self.prior = require_prior(prior)
        self.classes = classes
        self.content_prior = Categorical(self.classes)
        self.style_game = StyleGame(style_game, conditional_from, self.classes)
        self.encoder = Encoder(
            self.image_shape,
            self.classes + self.prior.dim,
            hidden=hidden,
            body=body,
            batch_norm=batch_norm,
            batch_norm_output=batch_norm,
            input_noise=input_noise,
            input_dropout=input_dropout,
        )
        self.decoder = Decoder(
            code_dim or self.classes + self.prior.dim,
            self.image_shape,
            hidden=hidden,
            body=body,
            output=output,
            batch_norm=decoder_batch_norm,
            batch_norm_output=decoder_batch_norm,
        )
        games = {"hidden": discriminator_hidden, "input_noise": discriminator_noise}
        self.discriminator = Discriminator((self.style_game.width(self.prior.dim),), **games)
        self.content_discriminator = Discriminator((self.classes,), **games)

    def phases(self) -> list[Phase]:
        # One choice for all images, found by trial (docs/defaults.md). The paper's SGD, which suits small
        # initial weights and 784 pixels, is in the catalogue.
        game = Adam(2e-4, beta1=0.5)
        return [
            Phase("reconstruction", self.reconstruction_loss, self.autoencoder(), Adam(5e-4)),
            Phase(
                "discriminators",
                self.discriminators_loss,
                learns=(self.discriminator, self.content_discriminator),
                optimizer=game,
                parts=("discriminator of z", "discriminator of y"),
            ),
            Phase(
                "generators",
                self.generators_loss,
                learns=(self.encoder,),
                optimizer=game,
                parts=("generator of z", "generator of y"),
            ),
        ]

    def autoencoder(self) -> tuple:
        """The networks that reconstruction moves."""
        return self.encoder, self.decoder

    def code(self, y: Tensor, z: Tensor) -> Tensor:
        """What the decoder is given for contents y (B, K) and styles z (B, Z)."""
        return torch.cat([y, z], dim=1)

    def heads(self, images: Tensor, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """The logits of y (B, K) and the style z (B, Z) of images as the networks see them."""
        both = self.encoder(images, generator)  # (B, K + Z)
        return both[:, : self.classes], both[:, self.classes :]

    def known_contents(self, batch: Batch, logits: Tensor) -> Tensor:
        """The labels (B,) that may be seen and, where there is none, the most likely content by its logits (B, K)."""
        guesses = logits.argmax(dim=1)  # through which no gradient goes
        return guesses if self.learns_labels is None else torch.where(batch.labels == HIDDEN, guesses, batch.labels)

    def reconstruction_loss(self, batch: Batch) -> Tensor:
        """½ ‖x̂ − x‖² per image."""
        logits, z = self.heads(batch.images, batch.generator)
        return half_squared_error(self.decoder(self.code(logits.softmax(dim=1), z)), batch.images)

    def discriminators_loss(self, batch: Batch) -> Tensor:
        """(2,): tell prior samples from styles, and one-hot draws from q(y | x)."""
        logits, z = self.heads(batch.images, batch.generator)
        style = self.prior.sample(len(batch), batch.generator)  # (B, Z)
        content = self.content_prior.sample(len(batch), batch.generator)  # (B, K)
        y = self.known_contents(batch, logits)  # (B,), of draws and styles alike
        style, z = (self.style_game.shown(codes, y, batch.progress) for codes in (style, z))
        of_z = tell_apart(self.discriminator, style, z, batch.generator)
        return torch.stack([of_z, tell_apart(self.content_discriminator, content, logits.softmax(1), batch.generator)])

    def generators_loss(self, batch: Batch) -> Tensor:
        """(2,): have styles taken for prior samples, and q(y | x) for one-hot draws: sure, all classes as likely."""
        logits, z = self.heads(batch.images, batch.generator)
        shown = self.style_game.shown(z, self.known_contents(batch, logits), batch.progress)
        of_z = fool(self.discriminator, shown, batch.generator)
        return torch.stack([of_z, fool(self.content_discriminator, logits.softmax(1), batch.generator)])

    def classification_loss(self, batch: Batch) -> Tensor:
        """Cross-entropy of q(y | x) on labelled images, in nats."""
        logits, _ = self.heads(batch.labelled.images, batch.generator)
        return F.cross_entropy(logits, batch.labelled.labels)

    def encode(self, images: Tensor, *, seed: int | None = None) -> Tensor:
        """Styles z (N, Z) of images (N, C, H, W); the posterior is deterministic, so ``seed`` changes nothing."""
        return self._contents_and_styles(images)[1]

    def logits(self, images: Tensor) -> Tensor:
        """The logits (N, K) of q(y | x) of images (N, C, H, W), which tell apart images whose q rounds to 1."""
        images = checks.images("images", images, self.image_shape)
        return self._in_chunks(images, lambda chunk: self.heads(self.pixels(chunk))[0])

    def probabilities(self, images: Tensor) -> Tensor:
        """q(y | x), (N, K), of images (N, C, H, W)."""
        return self._contents_and_styles(images)[0]

    def _contents_and_styles(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """q(y | x) (N, K) and z (N, Z) of images (N, C, H, W), from one pass through the encoder."""
        images = checks.images("images", images, self.image_shape)

        def both(chunk: Tensor) -> tuple[Tensor, Tensor]:
            logits, z = self.heads(self.pixels(chunk))
            return logits.softmax(dim=1), z

        return self._in_chunks(images, both)

    def classify(self, images: Tensor) -> Tensor:
        """The most likely class or cluster (N,) of images (N, C, H, W)."""
        return self.logits(images).argmax(dim=1)

    def decode(self, z: Tensor, labels: Tensor) -> Tensor:
        """Images (N, C, H, W) in [0, 1] of styles z (N, Z) and contents ``labels`` (N,), or shares (N, K) of each."""
        z = checks.codes("z", z, self.prior.dim)
        y = as_content(labels, self.classes, len(z)).to(z.device)  # (N, K)
        both = torch.cat([y, z], dim=1)
        return self._in_chunks(both, lambda chunk: self._picture(chunk[:, : self.classes], chunk[:, self.classes :]))

    def reconstruct(self, images: Tensor) -> Tensor:
        """Images (N, C, H, W), decoded from their own contents and styles."""
        y, z = self._contents_and_styles(images)
        return self.decode(z, y)

    def sample(self, count: int, labels: Tensor | None = None, *, seed: int = 0) -> Tensor:
        """``count`` images (N, C, H, W) of styles drawn from the prior; contents ``labels`` (N,), or random ones."""
        z, labels = draw_content(self.prior, self.classes, count, labels, seed)
        return self.decode(z, labels)

    def decoded_heads(self) -> Tensor:
        """Every content in the style z = 0 (K, C, H, W): Fig. 9's first column."""
        return self.decode(torch.zeros(self.classes, self.latent_dim), torch.arange(self.classes))

    def _picture(self, y: Tensor, z: Tensor) -> Tensor:
        return self.pictures(self.decoder(self.code(y, z)))
