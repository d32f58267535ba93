# %% [markdown]
# # 10 · Dimensionality reduction: a map with a place for every class
#
# A 2-D code is a map of the data. The maps of notebooks 02 and 03 are round clouds in which classes touch, because a Gaussian has no gaps. Here a class gets a place of its own, the *cluster head*, and its images gather round it. A few labels, or none, are enough to draw such a map, and any new image finds its place on it.
#
# **You will learn**
# - how a class and a style meet in one point: the representation $W_C\,y + z$;
# - the cost that keeps the heads $W_C$ apart, and what its threshold $\eta$ does;
# - to train the four systems of the paper's Figure 11: with 1000 labels, with 100, with none, and in ten dimensions;
# - how to project ten dimensions to two with one small matrix, and what the projection loses;
# - what such a map can do that t-SNE cannot: take in new points, and decode any point to a picture.
#
# **You need** notebook [08](08_semi_supervised.ipynb) (two games, one for the content $y$ and one for the style $z$, and the classification phase); for the third map also notebook [09](09_clustering.ipynb) (naming clusters).
#
# **About 3 minutes on a laptop CPU.** It ends with this figure: [Figure 11 of the paper, rebuilt](#Figure-11), four maps of digits that the systems have never seen.
#
# ![Four maps of digits: ten coloured clusters round their heads with 1000 and with 100 labels, twenty clusters without labels, and ten clusters on a circle.](figures/10_dimensionality_reduction.png)
#
# The paper is Makhzani, Shlens, Jaitly, Goodfellow and Frey (2015), *Adversarial Autoencoders*, [arXiv 1511.05644](https://arxiv.org/abs/1511.05644); here we are in its Section 7.

# %%
import math

import numpy as np
import torch
from sklearn.manifold import TSNE
from torch.nn import functional as F

from aae_lib import choose, experiments, figures, fit, load
from aae_lib.evaluation import clustering_error, knn_accuracy
from aae_lib.networks import Decoder, Discriminator, Encoder, initialise
from aae_lib.priors import Categorical, Gaussian
from aae_lib.systems import SGD, Adam, DimensionalityReductionAdversarialAutoencoder, Phase, System
from aae_lib.systems.base import fool, half_squared_error, tell_apart

settings = choose(
    smoke=dict(data="digits", hidden=(64, 64), epochs=15, clusters_epochs=15, settle=12, batch_size=25, few=100, many=500),
    quick=dict(data="mnist", hidden=(256, 256), epochs=5, clusters_epochs=5, settle=4, batch_size=100, few=100, many=1000),
    paper=dict(data="mnist", hidden=(1000, 1000), epochs=5000, clusters_epochs=1500, settle=50, batch_size=100, few=100, many=1000),
)  # fmt: skip
data = load(settings.data, fallback="digits")
validation, test = data.validation, data.test
print(f"{settings.profile}: {data.name}, {len(data.train):,} images to train on, {len(test):,} held out")

# %% [markdown]
# ## The idea: a head and a style
#
# In notebook 08 the encoder had two outputs: the content $y$, nearly one-hot, and the style $z$, a Gaussian. The decoder was given both, side by side. Now they are **added**:
#
# $$\text{representation} \;=\; W_C\, y + z$$
#
# $W_C$ is a table with one row of $n$ numbers for each class: its **cluster head**. With $y$ one-hot, $W_C\,y$ picks a row. The style $z$ also has $n$ numbers, and is pulled onto $\mathcal{N}(0, I)$ as before. So an image lies near the head of its class, and where it lies about the head is its style. The decoder sees nothing but the sum: $n = 2$ numbers must say both which digit it is and how it is written.

# %%
figures.show(
    figures.network_diagram("dimensionality_reduction"),
    alt="Diagram. An image goes through an encoder with two outputs, y and z. The matrix W_C turns y into a cluster head, which is added "
    "to z; a decoder makes a reconstruction of the sum. One discriminator judges y against one-hot draws, another judges z against a Gaussian.",
)

# %% [markdown]
# This is the paper's Figure 10. Which distribution do the representations end up in, if both games are won? A mixture: one Gaussian of standard deviation 1 about each head, all equally heavy. Notebook 05 *chose* such a mixture, its ten petals, and told the discriminator the labels. Here the places are **learnt**, together with the decoder.

# %% [markdown]
# ## A toy in the plane: keeping heads apart
#
# Learnt places have a danger. Nothing said so far keeps two heads from landing on each other, and then two classes share one cloud. The paper adds a cost that punishes heads closer than a threshold $\eta$:
#
# $$\text{head cost} \;=\; \sum_{i<j} \max\big(0,\; \eta - \lVert W_i - W_j \rVert\big)$$
#
# Let us watch this cost alone, on ten heads in the plane and without any image. Each pair that is too close is pushed apart along the line between the two, always with the same force; a pair at distance $\eta$ or more is left alone.
#
# > **Predict, then run.** Ten heads start near the centre. Where do they go: to a circle, to a grid, ever further out?


# %%
def head_cost(heads, threshold):
    """Σ max(0, η − ‖head_i − head_j‖) over the pairs of heads (K, 2)."""
    return (threshold - F.pdist(heads)).clamp_min(0).sum()


def push_apart(heads, threshold, steps=2000):
    for _ in range(steps):
        heads = heads.detach().requires_grad_()
        heads = heads - 0.01 * torch.autograd.grad(head_cost(heads, threshold), heads)[0]
    return heads.detach()


generator = torch.Generator().manual_seed(1)
start = torch.randn(10, 2, generator=generator)
y, z = torch.randint(10, (3000,), generator=generator), torch.randn(3000, 2, generator=generator)
toys = {f"η = {eta}": (push_apart(start, eta), eta) for eta in (0, 2, 6)}  # η = 0: nothing moves

# %%
figure, axes = figures.canvas(count=3, columns=3, width=3.0, height=3.2)
for ax, (title, (heads, eta)) in zip(axes, toys.items(), strict=True):
    colours = [figures.CLASS_COLOURS[k] for k in y.tolist()]
    ax.scatter(*(heads[y] + z).T, s=2, c=colours, linewidths=0)  # W_C y + z
    ax.scatter(*heads.T, s=30, c="white", edgecolors=figures.INK, zorder=3)
    for head in heads.tolist():
        ax.add_patch(figures.disc(head, eta / 2)) if False else None
    ax.set(title=title, xlim=(-13, 13), ylim=(-13, 13), aspect="equal")
figures.show(
    figure,
    alt="Three panels of ten heads with points about them. Without cost the ten clouds lie on one another; with a threshold of 2 they "
    "overlap; with a threshold of 6 they stand apart, and no two heads are nearer than 6.",
)
