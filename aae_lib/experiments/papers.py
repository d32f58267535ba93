"""The numbers that the papers print, and which experiment stands beside each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

SOURCES = {
    "AAE": "Makhzani, Shlens, Jaitly, Goodfellow & Frey 2015, arXiv 1511.05644",
    "WAE": "Tolstikhin, Bousquet, Gelly & Schölkopf 2018, arXiv 1711.01558",
    "ALAE": "Pidhorskyi, Adjeroh & Doretto 2020, arXiv 2004.04467",
}
MILESTONES = {600: 16.5, 30_000: 3.40, 300_000: 2.21, 3_000_000: 1.80}
"""Table 2's run with 100 labels while it trained: test error in % by updates, as restated (epochs of 600 updates)."""
LABELS = ("100", "1000", "all")
OTHER_METHODS = ("VAE (M1) + TSVM",)
"""Rivals that ours only resemble: our support vector machine is not transductive."""


@dataclass(frozen=True)
class Number:
    """One printed number, of ``method`` on ``task``: ``printed`` as the paper has it, in ``unit``.

    ``paper``: a key of ``SOURCES``; ``place``: where it stands there. ``data``: a name that ``load`` knows, or what the
    paper calls it. ``experiment``: which one of ours stands beside it, by its ``metric``, of ``samples`` samples where
    that can be chosen; None where there is none. ``higher``: whether more is better. ``restated``: taken from later
    texts and not checked against the paper.
    """

    paper: str
    place: str
    method: str
    task: str
    printed: str
    unit: str
    data: str
    experiment: str | None
    metric: str
    samples: int | None
    higher: bool
    restated: bool

    @property
    def value(self) -> float:
        return float(self.printed.partition("±")[0])

    @property
    def spread(self) -> float:
        """What is printed behind ±; 0 where nothing is."""
        return float(self.printed.partition("±")[2] or 0)

    @property
    def rival(self) -> bool:
        """Whether it is of a method that the paper only compares itself with."""
        return self.paper not in self.method  # "WAE-GAN" and "StyleALAE" are their papers' own

    @property
    def title(self) -> str:
        """What it is of, in a few words: "Table 2: 100 labels", with the method where it is not the paper's own."""
        return f"{self.place}: {self.task if self.method == self.paper else f'{self.method}, {self.task}'}"

    def __str__(self) -> str:
        return f"{self.printed} {self.unit}".strip()


def _table(
    paper: str,
    place: str,
    unit: str,
    columns: Mapping[str, str],
    rows: str,
    ours: Mapping[str, tuple[str | None, ...]] | None = None,
    *,
    metric: str = "",
    samples: tuple[int, ...] = (),
    higher: bool = False,
    restated: bool = False,
) -> Iterator[Number]:
    """The numbers of a table: ``columns`` are tasks with their data, ``rows`` as printed, ``ours`` experiments."""
    for line in rows.strip().splitlines():
        method, *cells = (cell.strip() for cell in line.split("|"))
        names = (ours or {}).get(method, (None,) * len(columns))
        counts = samples or (None,) * len(columns)
        for (task, data), cell, name, count in zip(columns.items(), cells, names, counts, strict=True):
            if cell != "–":
                yield Number(paper, place, method, task, cell, unit, data, name, metric, count, higher, restated)


NUMBERS: tuple[Number, ...] = (
    *_table(
        "AAE",
        "Table 1",
        "nats",
        {
            "MNIST, 10,000 samples": "mnist",
            "MNIST, 10 million samples": "mnist",
            "faces, 10,000 samples": "Toronto faces",
            "faces, 10 million samples": "Toronto faces",
        },
        """
        DBN         | 138 ± 2   | –   | 1909 ± 66 | –
        Stacked CAE | 121 ± 1.6 | –   | 2110 ± 50 | –
        Deep GSN    | 214 ± 1.1 | –   | 1890 ± 29 | –
        GAN         | 225 ± 2   | 386 | 2057 ± 26 | –
        GMMN + AE   | 282 ± 2   | –   | 2204 ± 20 | –
        AAE         | 340 ± 2   | 427 | 2252 ± 16 | 2522
        """,
        {"AAE": ("parzen-mnist", "parzen-mnist", "parzen-faces", "parzen-faces")},
        metric="log_likelihood",
        samples=(10_000, 10_000_000) * 2,
        higher=True,
    ),
    *_table(
        "AAE",
        "Table 2",
        "%",
        {"100 labels": "mnist", "1000 labels": "mnist", "all labels": "mnist", "SVHN, 1000 labels": "svhn"},
        """
        network alone   | 25.80        | 8.73        | 1.25        | 47.50
        VAE (M1) + TSVM | 11.82 ± 0.25 | 4.24 ± 0.07 | –           | 55.33 ± 0.11
        VAE (M2)        | 11.97 ± 1.71 | 3.60 ± 0.56 | –           | –
        VAE (M1 + M2)   | 3.33 ± 0.14  | 2.40 ± 0.02 | 0.96        | 36.02 ± 0.10
        VAT             | 2.33         | 1.36        | 0.64 ± 0.04 | 24.63
        CatGAN          | 1.91 ± 0.1   | 1.73 ± 0.18 | 0.91        | –
        Ladder networks | 1.06 ± 0.37  | 0.84 ± 0.08 | 0.57 ± 0.02 | –
        ADGM            | 0.96 ± 0.02  | –           | –           | 16.61 ± 0.24
        AAE             | 1.90 ± 0.10  | 1.60 ± 0.08 | 0.85 ± 0.02 | 17.70 ± 0.30
        """,
        {
            "network alone": (*(f"baseline-network-{labels}" for labels in LABELS), None),
            "VAE (M1) + TSVM": (*(f"baseline-m1-svm-{labels}" for labels in LABELS), None),
            "VAE (M2)": (*(f"baseline-m2-{labels}" for labels in LABELS), None),
            "VAT": (*(f"baseline-vat-{labels}" for labels in LABELS), None),
            "AAE": tuple(f"semi-supervised-{labels}" for labels in (*LABELS, "svhn-1000")),
        },
        metric="error",
    ),
    *_table(
        "AAE",
        "Table 3",
        "%",
        {"16 clusters": "mnist", "20 clusters": "mnist", "30 clusters": "mnist"},
        """
        CatGAN | –           | 9.70 | –
        AAE    | 9.55 ± 2.05 | –    | 4.10 ± 1.13
        """,
        {"AAE": ("clustering-16", None, "clustering-30")},
        metric="paper_rule_error",
    ),
    *_table(
        "AAE",
        "Fig. 11",
        "%",
        {"2-D, 1000 labels": "mnist", "2-D, 100 labels": "mnist", "10-D, 100 labels": "mnist"},
        "AAE | 4.20 | 6.08 | 3.90",
        {"AAE": ("reduction-2d-1000", "reduction-2d-100", "reduction-10d-100")},
        metric="error",
    ),
    *_table(
        "AAE",
        "Fig. 11",
        "%",
        {"2-D, 20 clusters, no labels": "mnist"},
        "AAE | 13.95",
        {"AAE": ("reduction-2d-20-clusters",)},
        metric="paper_rule_error",
    ),
    *_table(
        "WAE",
        "CelebA",
        "",
        {"FID": "CelebA"},
        """
        VAE         | 63
        WAE-MMD     | 55
        WAE-GAN     | 42
        real images | 2
        """,
        restated=True,
    ),
    *_table(
        "WAE",
        "CelebA",
        "",
        {"sharpness": "CelebA"},
        """
        VAE         | 0.003
        WAE-MMD     | 0.006
        WAE-GAN     | 0.006
        real images | 0.020
        """,
        higher=True,
        restated=True,
    ),
    *_table(
        "ALAE",
        "MNIST, short code",
        "% right",
        {"nearest neighbour": "mnist", "linear SVM": "mnist"},
        """
        AE    | 97.05 | 89.78
        BiGAN | 95.38 | 91.34
        ALAE  | 94.59 | 94.23
        """,
        higher=True,
        restated=True,
    ),
    *_table(
        "ALAE",
        "FFHQ",
        "",
        {"FID": "FFHQ", "path length in W": "FFHQ"},
        """
        StyleGAN  | 4.40  | 182.1
        StyleALAE | 13.09 | 103.4
        """,
        restated=True,
    ),
    *_table(
        "ALAE",
        "CelebA-HQ at 256x256",
        "",
        {"FID": "CelebA-HQ", "path length": "CelebA-HQ"},
        """
        PIONEER          | 39.17 | 155.2
        Balanced PIONEER | 25.25 | 146.2
        StyleALAE        | 19.21 | 33.29
        """,
        restated=True,
    ),
    *_table("ALAE", "LSUN bedrooms", "", {"FID of reconstructions": "LSUN"}, "StyleALAE | 15.92", restated=True),
)
