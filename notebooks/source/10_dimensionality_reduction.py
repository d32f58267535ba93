# %% [markdown]
# # 10 · Dimensionality reduction: a map with a place for every class
#
# A 2-D code is a map of the data. The maps of notebooks 02 and 03 are round clouds in which classes touch, because a Gaussian has no gaps. Here a class gets a place of its own, the *[cluster head](glossary.ipynb#Cluster-head)*, and its images gather round it. A thousand labels draw such a map well; with a hundred, or none, some islands mix. Any new image finds its place on it.
#
# **You will learn**
# - how a class and a style meet in one point: the representation $W_C\,y + z$;
# - the cost that keeps the heads $W_C$ apart, and what its [threshold](glossary.ipynb#Threshold-of-heads) $\eta$ does;
# - to train the four systems of the paper's Figure 11: with 1000 labels, with 100, with none, and in ten dimensions;
# - how to project ten dimensions to two with one small matrix, and what the projection loses;
# - what such a map can do that plain [t-SNE](glossary.ipynb#t-SNE) cannot: take in new points, and decode any point to a picture.
#
# **You need** notebook [08](08_semi_supervised.ipynb) (two games, one for the content $y$ and one for the style $z$, and the classification phase); for the third map also notebook [09](09_clustering.ipynb) (naming clusters).
#
# **About 4 minutes on a laptop CPU** that multiplies bfloat16 natively. (The times in the progress bars below are of one that does not, and that had other work as well.) The goal of the notebook is this figure: [Figure 11 of the paper, rebuilt](#Figure-11), four maps of digits that the systems have never seen.
#
# ![Four maps of digits: ten coloured clusters round their heads with 1000 and with 100 labels, twenty clusters without labels, and ten clusters on a circle.](figures/10_dimensionality_reduction.png)
#
# The paper is Makhzani, Shlens, Jaitly, Goodfellow and Frey (2015), *Adversarial Autoencoders*, [arXiv 1511.05644](https://arxiv.org/abs/1511.05644); here we are in its Section 7.

# %%
import math
from dataclasses import replace

import numpy as np
import torch
from matplotlib.patches import Circle
from sklearn.manifold import TSNE
from torch.nn import functional as F

from aae_lib import choose, experiments, figures, fit, load
from aae_lib.evaluation import clustering_error, knn_accuracy
from aae_lib.losses import fool, half_squared_error, tell_apart
from aae_lib.networks import Decoder, Discriminator, Encoder, initialise
from aae_lib.priors import Categorical, Gaussian
from aae_lib.systems import SGD, Adam, DimensionalityReductionAdversarialAutoencoder, Phase, System

# %%
RESTATED = {  # the paper's steps, as restated
    "reconstruction": SGD(0.01, momentum=0.9),
    "discriminators": SGD(0.1, momentum=0.1),
    "generators": SGD(0.1, momentum=0.1),
    "heads": SGD(0.01),
    "classification": SGD(0.1, momentum=0.9),
}
PAPERS = dict(batch_norm=False, initial_std=0.01)  # and its networks, where labels are used
QUICK = RESTATED | {"reconstruction": SGD(0.003, momentum=0.9), "discriminators": Adam(1e-3, beta1=0.5)}
settings = choose(
    smoke=dict(data="digits", hidden=(64, 64), epochs=20, drops={16: 10}, batch_size=25, steps=RESTATED, labels=(100, 500)),
    quick=dict(data="mnist", hidden=(256, 256), epochs=5, drops={4: 10}, batch_size=100, steps=QUICK, labels=(100, 1000)),
    paper=dict(
        data="mnist", hidden=(1000, 1000), epochs=5000, drops={50: 10, 1000: 10}, batch_size=100, steps=RESTATED,
        labels=(100, 1000),
    ),
)  # fmt: skip
FEW, MANY = settings.labels
data = load(settings.data, fallback="digits")
validation, test = data.validation, data.test
print(f"{settings.profile}: {data.name}, {len(data.train):,} images to train on, {len(test):,} held out")

# %% [markdown]
# ## The idea: a head and a style
#
# In notebook 08 the encoder had two outputs: the content $y$, nearly [one-hot](glossary.ipynb#One-hot), and the style $z$, a Gaussian. The decoder was given both, side by side. Now they are **added**:
#
# $$\text{representation} \;=\; W_C\, y + z$$
#
# $W_C$ is a table with one row of $n$ numbers for each class: its **cluster head**. With $y$ one-hot, $W_C\,y$ picks a row. (So the paper writes it; with $y$ as a row vector it is the product $y\,W_C$, and that is what the code computes.) The style $z$ also has $n$ numbers, and is pulled onto $\mathcal{N}(0, I)$ as before. So an image lies near the head of its class, and where it lies about the head is its style. The decoder sees nothing but the sum: $n = 2$ numbers must say both which digit it is and how it is written.

# %%
figures.show(
    figures.network_diagram("dimensionality_reduction"),
    alt="Diagram. An image goes through an encoder with two outputs, y and z. The matrix W_C turns y into a cluster head, which is added "
    "to z; a decoder makes a reconstruction of the sum. One discriminator judges y against one-hot draws, another judges z against a Gaussian.",
)

# %% [markdown]
# This is the paper's Figure 10. Which distribution do the representations end up in, if both games are won? The games fix $q(y)$ and $q(z)$, each as a whole, and never $q(z \mid y)$, the styles of one class. So the heads are equally heavy, and the styles of all classes together are Gaussian. If, besides, $z$ does not depend on $y$, the representations are a mixture: one Gaussian of standard deviation 1 about each head. The games do not see to that. Notebook 05 *chose* a mixture, of ten long petals in place of round clouds, and told the discriminator the labels. Here the places are **learnt**, together with the decoder.

# %% [markdown]
# ## A toy in the plane: keeping heads apart
#
# Learnt places have a danger. Only the reconstruction speaks against two heads that land on each other, and nothing says that it wins; then two classes share one cloud. The paper adds a cost that punishes heads closer than a threshold $\eta$:
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
        ax.add_patch(Circle(head, eta / 2, fill=False, color=figures.INK, linewidth=0.6))
    ax.set(title=title, xlabel="$(W_C\\,y + z)_1$", ylabel="$(W_C\\,y + z)_2$")
    ax.set(xlim=(-13, 13), ylim=(-13, 13), aspect="equal")
figures.show(
    figure,
    alt="Three panels of ten heads, each with a cloud of points and, where η is above 0, a thin circle about it. With η = 0 the clouds lie on one another; with η = 2 "
    "the circles touch and the clouds overlap; with η = 6 the circles touch and the ten clouds stand apart.",
)

# %% [markdown]
# Every head has a circle of radius $\eta/2$ about it: two heads are at least $\eta$ apart when their circles do not overlap. The cost spreads the heads until the circles just touch, and then it is 0 and stops pushing. So where they end depends on where they began; the cost has no taste for circles or grids, nor for which class lies where.
#
# Two measurements say what $\eta$ does. First, how often a point lies nearer to another head than to its own: for two heads at distance $\eta$ that is the chance that a normal number exceeds $\eta/2$. Second, how far heads go without a threshold, or with one that they never reach.

# %%
for eta in (2, 4, 6, 8):
    heads = push_apart(start, eta)
    wrong = float((torch.cdist(heads[y] + z, heads).argmin(dim=1) != y).float().mean())
    two = 0.5 * math.erfc(eta / 2 / math.sqrt(2))
    print(
        f"η = {eta}: nearest two heads {F.pdist(heads).min():.2f} apart; nearer to another head {wrong:6.2%} (two heads: {two:.2%})"
    )
    assert F.pdist(heads).min() > eta - 0.2
far = [float(push_apart(start, 1e6, steps).norm(dim=1).max()) for steps in (1000, 2000)]
print(f"no threshold: the farthest head is at {far[0]:.0f} after 1000 steps and at {far[1]:.0f} after 2000")
assert far[1] > 1.8 * far[0]

# %% [markdown]
# In a crowd there are more than two heads, and so more wrong neighbours than for a pair. With $\eta = 2$ the clouds are a muddle, with $\eta = 6$ the gaps are free. The paper does not print its $\eta$. We use 6, of those tried on [validation images](glossary.ipynb#Validation-images) the one whose map reads best.

# %% [markdown]
# ## The losses, written out
#
# First the networks. The encoder's outputs are the ten [logits](glossary.ipynb#Logit) of $y$ and the two numbers of $z$; the decoder takes two numbers only. The heads are ten rows of two numbers, which start at random; `initialise` calls `draw_weights` of a layer that has its own way to start.


# %%
class Heads(torch.nn.Module):
    """W_C, one row for each class. With y one-hot, W_C y is a row; with shares, a place between rows."""

    def __init__(self, spread):
        super().__init__()
        self.spread = spread
        self.rows = torch.nn.Parameter(torch.zeros(10, 2))

    def draw_weights(self, generator):
        self.rows.data.normal_(0, self.spread, generator=generator)

    def forward(self, y):
        return (y[:, :, None] * self.rows).sum(dim=1)  # (B, 10) -> (B, 2)


# %%
class Networks(System):
    """Five sets of weights: encoder, decoder, two discriminators, and the cluster heads W_C."""

    def __init__(self, image_shape, *, threshold, hidden, seed=0):
        super().__init__(image_shape)
        self.classes = self.learns_labels = 10
        self.prior, self.content_prior, self.threshold = Gaussian(2), Categorical(10), threshold
        self.encoder = Encoder(image_shape, 10 + 2, hidden=hidden, input_noise=0.3)  # -> (B, 12)
        self.decoder = Decoder(2, image_shape, hidden=hidden)  # (B, 2) -> (B, C, H, W)
        self.discriminator, self.content_discriminator = (Discriminator((n,), hidden=hidden) for n in (2, 10))
        self.W_C = Heads(spread=threshold / 2)
        initialise(self, seed, std=0.01)


# %% [markdown]
# Then the losses. `tell_apart` and `fool` are the two sides of a game, which the last two notebooks wrote with `bce`. New are the sum, `represented`, and the head cost. The order of the phases is the paper's, as restated, and the place of the heads' among them our choice; the third entry of a `Phase` says who moves, the fifth names the terms of a sum. The heads are moved by two phases, by the reconstruction, which looks for good places, and by their cost, which keeps them apart.


# %%
class WrittenOut(Networks):
    def outputs(self, images, generator):
        both = self.encoder(images, generator)  # (B, 12)
        return both[:, :10], both[:, 10:]  # logits of y (B, 10), z (B, 2)

    def reconstruction_loss(self, batch):
        logits, z = self.outputs(batch.images, batch.generator)
        represented = self.W_C(logits.softmax(dim=1)) + z  # (B, 2)
        return half_squared_error(self.decoder(represented), batch.images)

    def discriminators_loss(self, batch):
        logits, z = self.outputs(batch.images, batch.generator)
        styles, contents = (p.sample(len(batch), batch.generator) for p in (self.prior, self.content_prior))
        of_z = tell_apart(self.discriminator, styles, z, batch.generator)
        return torch.stack([of_z, tell_apart(self.content_discriminator, contents, logits.softmax(1), batch.generator)])

    def generators_loss(self, batch):
        logits, z = self.outputs(batch.images, batch.generator)
        of_z = fool(self.discriminator, z, batch.generator)
        return torch.stack([of_z, fool(self.content_discriminator, logits.softmax(1), batch.generator)])

    def head_loss(self, batch):
        return head_cost(self.W_C.rows, self.threshold)

    def classification_loss(self, batch):
        logits, _ = self.outputs(batch.labelled.images, batch.generator)
        return F.cross_entropy(logits, batch.labelled.labels)


# %%
class FivePhases(WrittenOut):
    def phases(self):
        judges = (self.discriminator, self.content_discriminator)
        judging, fooling = ("discriminator of z", "discriminator of y"), ("generator of z", "generator of y")  # of sums
        whole, game = (self.encoder, self.decoder, self.W_C), SGD(0.1, momentum=0.1)
        return [
            Phase("reconstruction", self.reconstruction_loss, whole, SGD(0.01, momentum=0.9)),
            Phase("discriminators", self.discriminators_loss, judges, game, judging),
            Phase("generators", self.generators_loss, (self.encoder,), game, fooling),
            Phase("heads", self.head_loss, (self.W_C,), SGD(0.01)),
            Phase("classification", self.classification_loss, (self.encoder,), SGD(0.1, momentum=0.9)),
        ]


# %% [markdown]
# Is this what `aae_lib` ships? Same seed, same losses:

# %%
# NBVAL_CHECK_OUTPUT
small, few = dict(hidden=(32, 32), seed=3), data.train.take(torch.arange(600))
written = FivePhases(data.image_shape, threshold=6.0, **small)
shipped = DimensionalityReductionAdversarialAutoencoder(
    data.image_shape, head_distance=6.0, discriminator_hidden=(32, 32), **PAPERS, **small
)
ours, theirs = (
    fit(system, few, epochs=4, batch_size=50, seed=3, optimizers=RESTATED, progress=False).losses
    for system in (written, shipped)
)
print("losses:", ", ".join(theirs))
print("same losses:", all(np.allclose(ours[name], theirs[name], rtol=1e-3) for name in theirs))
assert all(np.allclose(ours[name], theirs[name], rtol=1e-3) for name in theirs)

# %% [markdown]
# ## A thousand labels, two dimensions
#
# The steps are the paper's, [as restated](glossary.ipynb#As-restated), with two exceptions in the quick profile, both found on validation images: smaller steps for the reconstruction, and Adam for the discriminators. In trials with the paper's own the styles reached across to the next heads in so few epochs, probably because the reconstruction moved codes faster than the game on $z$ could hold them. In the last epoch all steps are a tenth.


# %%
def train(labels=None, steps=settings.steps, **chosen):
    """A trained system and its history; ``labels``: how many may be seen."""
    same = dict(hidden=settings.hidden, discriminator_hidden=settings.hidden, head_distance=6.0, **PAPERS)  # η = 6
    system = DimensionalityReductionAdversarialAutoencoder(data.image_shape, **(same | chosen))
    steps = {phase.name: replace(steps[phase.name], drops=settings.drops) for phase in system.phases()}
    seen = None if labels is None else data.train.balanced_subset(labels, seed=0)
    budget = dict(epochs=settings.epochs, batch_size=settings.batch_size)
    return system, fit(system, data.train, labelled=seen, optimizers=steps, **budget)


many, history = train(MANY)
figures.show(
    figures.training_curves(history),
    alt="Curves of a training: the reconstruction loss falls below that of the mean image, the game on z rests on its dashed lines, in the "
    "game on y the generator stays above its line, the cost of the heads falls to 0 in the first thousand updates, the classification loss close to 0.",
)
nearest = float(F.pdist(many.head_positions).min())
print(f"nearest two heads: {nearest:.2f} apart, with η = {many.head_distance:.0f}")
assert nearest > 0.9 * many.head_distance

# %% [markdown]
# The cost of the heads falls to 0 in the first thousand updates, and the nearest two heads are then $\eta$ apart. <!-- 1000: the figure's curve --> The game on $z$ rests on its dashed lines. The generator of $y$ stays above its line, as in the last two notebooks, since a softmax is never quite one-hot. And the reconstruction ends between 19 and 20, where notebook 08 with twenty numbers came below 8: here two numbers have to say everything.
#
# > **Predict, then run.** Ten heads have places on the map now, about which nobody said anything. Which digits will be neighbours? And what does the decoder draw at a head itself, where $z = 0$?

# %%
places, sure = many.encode(test.images), many.probabilities(test.images).max(dim=1).values
figures.show(
    figures.representation(places, test.labels, many.head_positions, pictures=many.decode(many.head_positions)),
    alt="A map of test images coloured by digit: ten clusters, each with a ring that has its digit inside, with gaps between nearly all of "
    "them; the ones form a crescent. Beside it the ten decoded heads, each a soft digit of its class.",
)
far = torch.cdist(places, many.head_positions).min(dim=1).values  # from the nearest head
for name, which in {"less than 90 % sure": sure < 0.9, "surer": sure >= 0.9}.items():
    print(
        f"{name:20}{which.float().mean():6.1%} of the images, half of them {far[which].median():.1f} or more from every head"
    )

# %% [markdown]
# Ten islands, and but for 3 and 8 nearly empty sea between them. Images of which $q(y \mid x)$ is not sure tend to lie in the sea, since half of one head and half of another is a place between the two, wherever the style then moves it: half of them are 2.2 or more from every head, of the others half are 1.3 or more. The islands are no round clouds. The game on $z$ does not ask for that: it sees the styles of all classes together. The ones lie in a crescent, probably because slant is nearly all that differs among ones. The decoded heads are soft digits; where a head lies beside its own images, as that of the ones does, few images taught the decoder what to draw there.
#
# Neighbours were not planned. Heads start at random. In the first thousand updates their cost pushes them apart, while the reconstruction moves them too; later the cost pushes back only where a pair comes too near. Neither is likely to exchange two islands that have formed. So do not read a meaning into which digits lie next to each other on such a map.
#
# ## The game that sees the class
#
# Why should the style not know the class? The paper's discriminator looks at $z$ alone, so ten crescents that together make one round cloud fool it as well as ten round clouds do. Let it look at $z$ **beside $y$**: the label where it may be seen, else the likeliest class, one-hot, for draws and for styles alike. It is the trick of notebook 05 (the paper's Section 2.3), and now only ten round clouds pass. Nothing else changes, but for chance: the larger discriminator draws more random numbers, so the heads start elsewhere although the seed is the same. This is not the paper's model; the library calls it `style_game="conditional"`.

# %%
judged, _ = train(MANY, style_game="conditional")


def error_of(system):
    return float((system.classify(test.images) != test.labels).float().mean())


def shape_of(z, labels):
    """Of the styles z (N, 2) of each class: how far their mean is from 0, and how many times as long as wide they are."""
    means, ratios = [], []
    for k in range(10):
        own = z[labels == k]
        spread = torch.linalg.eigvalsh(torch.cov(own.T)).sqrt()  # along the two axes, the narrow one first
        means.append(own.mean(dim=0).norm())
        ratios.append(spread[1] / spread[0])
    return float(torch.stack(means).mean()), float(torch.stack(ratios).mean())


def styles_of(system):
    with system.evaluating():
        return system.heads(system.pixels(test.images))[1]  # of the encoder's two heads, or outputs, the style z (N, 2)


# %%
rows = {"z judged alone, the paper's": many, "z judged beside y": judged}
for name, system in rows.items():
    mean, ratio = shape_of(styles_of(system), system.classify(test.images))
    print(f"{name:28} mean styles {mean:.2f} from 0, {ratio:.2f} times as long as wide, error {error_of(system):.1%}")
mean, ratio = shape_of(Gaussian(2).sample(len(test), torch.Generator().manual_seed(0)), judged.classify(test.images))
print(f"{'draws of the Gaussian':28} mean styles {mean:.2f} from 0, {ratio:.2f} times as long as wide")


# %%
def draw_map(ax, z, heads=None, names=range(10), labels=test.labels):
    """Dots z (N, 2) coloured by label; heads (K, 2) as rings with their names inside."""
    ax.scatter(*z.T, s=3, c=[figures.CLASS_COLOURS[label] for label in labels.tolist()], alpha=0.8, linewidths=0)
    for head, name in zip([] if heads is None else heads.tolist(), names, strict=False):
        empty = int(name) < 0  # a head that no image uses has no name
        ring = "#b0b0b0" if empty else figures.CLASS_COLOURS[name]
        ax.scatter(*head, s=60 if empty else 150, c="white", edgecolors=ring, linewidths=2, zorder=3)
        ax.text(*head, "" if empty else str(int(name)), ha="center", va="center", fontsize=9, weight="bold", zorder=4)
    low, high = np.quantile(z.numpy(), (0.003, 0.997), axis=0)
    if heads is not None:  # some may have no image near them
        places = heads.numpy()
        low, high = np.minimum(low, places.min(axis=0)), np.maximum(high, places.max(axis=0))
    half, (x, y) = 0.56 * (high - low).max(), (low + high) / 2
    ax.set(xlim=(x - half, x + half), ylim=(y - half, y + half), aspect="equal")
    ax.tick_params(labelsize=8)


# %%
figure, axes = figures.canvas(count=2, columns=2, width=4.4, height=4.6)
for ax, (title, system) in zip(axes, {"z judged alone": many, "z judged beside y": judged}.items(), strict=True):
    draw_map(ax, system.encode(test.images), system.head_positions)
    ax.set_title(title)
figures.show(
    figure,
    alt="Two maps of test images with a thousand labels, ten islands each. Where z is judged alone, many islands lie beside their "
    "heads; where it is judged beside y, most are roundish clouds about them, the twos are drawn out to one side, and the ones stay a crescent.",
)

# %% [markdown]
# The islands of the second map lie about their heads and are rounder, though the ones are still a crescent after five epochs; the error is about the same, one run of each. Judged beside $y$, a head is nearly the middle of its class: class means lie 0.23 from it on average in place of 0.67, and 0.03 if styles were true draws. If this game were won, the styles of every class would have the same distribution; how the picture changes away from the head is for the reconstruction to decide.
#
# ## Fewer labels, no labels, more dimensions
#
# The other three systems of Figure 11:
#
# - **100 labels** instead of 1000, in two dimensions;
# - **no labels, 20 clusters**, in two dimensions: the classification phase falls away, and $y$ has 20 entries. As in notebook 09 the encoder has [batch normalisation](glossary.ipynb#Batch-normalisation), and dropout at its input instead of noise; and all its steps are the paper's, so compare it with the others only roughly;
# - **100 labels, ten dimensions**: here the paper does not learn the heads but fixes them, $W_C = 10\,I$. Head $k$ lies at distance 10 on axis $k$, so any two are $10\sqrt2 \approx 14$ apart, and no head cost is needed. <!-- 14: the root of 200 -->
#
# > **Predict, then run.** Which of the three will reconstruct best? Which will name the most digits right?

# %%
print(f"2-D, {FEW} labels; 2-D, 20 clusters; 10-D, {FEW} labels:")
few_labels, _ = train(FEW)
clusters, _ = train(steps=RESTATED, classes=20, supervised=False, batch_norm=True, input_noise=0.0, input_dropout=0.2)
wide, _ = train(FEW, latent_dim=10, fixed_heads=10.0)

# %% [markdown]
# Ten dimensions have room: their reconstruction ends at 13.1, that of two with as many labels at 19.9, and without labels, with larger steps of the reconstruction, at 17.0. They will also name the most digits right, as the errors under [Figure 11](#Figure-11) say. Without labels the game on $y$ is not won: its discriminator ends at 1.0, well below $2 \ln 2$.
#
# ## How do I project ten dimensions to two?
#
# A map needs two numbers an image, and the last system gives ten. Readers of this figure ask how the paper draws it. With one matrix: the one that sends the ten heads to ten points evenly spaced on a circle. (Its radius, 10 here, and the order of the digits on it are our choice.) Representations are row vectors, so we look for $A$ (10 × 2) with
#
# $$W_C\,A = P, \qquad P_k = 10\,\big(\cos\tfrac{2\pi k}{10},\; \sin\tfrac{2\pi k}{10}\big).$$
#
# For $W_C = 10\,I$ the answer can be read off: $A = P/10$. In general it is a least-squares problem, one line. The library has it as `system.circle()`.

# %%
angle = 2 * math.pi * torch.arange(10) / 10
points = 10 * torch.stack([angle.cos(), angle.sin()], dim=1)  # (10, 2), on a circle
projection = torch.linalg.lstsq(wide.head_positions, points).solution  # (10, 2)
assert torch.allclose(projection, points / 10, atol=1e-5) and torch.allclose(projection, wide.circle(), atol=1e-5)
in_plane = wide.encode(test.images) @ projection  # (N, 10) @ (10, 2) -> (N, 2)

style = wide.prior.sample(100_000, torch.Generator().manual_seed(0)) @ projection
apart = F.pdist(points)
print(f"any two heads: {10 * math.sqrt(2):.1f} apart in 10-D, {apart.min():.1f} to {apart.max():.1f} in the plane")
print(f"a style of standard deviation 1 in 10-D has {style.std(dim=0).mean():.2f} in the plane")
nearer = torch.cdist(in_plane, points).argmin(dim=1)
y = torch.arange(len(style)) % 10
ideal = float((torch.cdist(points[y] + style, points).argmin(dim=1) != y).float().mean())
print(f"nearer to another head in the plane, if every style were a draw of the Gaussian: {ideal:.1%}")
nearest_of_ten = torch.cdist(wide.encode(test.images), wide.head_positions).argmin(dim=1)
wrong = {
    "by q(y | x)": wide.classify(test.images),
    "by the nearest head in ten dimensions": nearest_of_ten,
    "by the nearest head in the plane": nearer,
}
for rule, classes in wrong.items():
    print(f"named {rule}: {float((classes != test.labels).float().mean()):.1%} wrong")
assert math.isclose(style.std(dim=0).mean(), math.sqrt(5), abs_tol=0.02)

# %% [markdown]
# The projection puts the heads where we want them, but not at their distances: in ten dimensions any two are 14 apart, on the circle neighbours 6 and opposite ones 20. And it is careless with the styles: these have ten dimensions of standard deviation 1, and $A$ adds all of them up into two, where the clouds become more than twice as wide. So the picture is worse than the system: by the nearest head *in the plane* 28.9 % would be named wrongly, by the nearest in ten dimensions and by $q(y \mid x)$ 17.7 %. Of the overlaps in panel (d) below, a part is the projection's, as the line of Gaussian draws shows; the rest are images that the system itself names wrongly, and styles that depend on the class: the threes lie off their head, on the twos.
#
# ## Figure 11
#
# For the clusters, validation images say which digit each stands for, by the rules of notebook 09: by the paper's rule the image that is surest of a cluster names it, by the [majority rule](glossary.ipynb#Majority-rule) the most common label among its images.


# %%
def naming(rule):
    """The test error (a share) of the twenty clusters, and their names (20,)."""
    held_out = [(clusters.logits(split.images), split.labels) for split in (validation, test)]
    found = clustering_error(*held_out[0], *held_out[1], rule=rule)
    return found.error, found.names


by_paper, _ = naming("paper")
by_majority, names = naming("majority")
errors = {"a": error_of(many), "b": error_of(few_labels), "c": by_paper, "d": error_of(wide)}
PAPER = {"a": 4.20, "b": 6.08, "c": 13.95, "d": 3.90}  # %
WHAT = {
    "a": f"2-D, {MANY} labels", "b": f"2-D, {FEW} labels", "c": "2-D, 20 clusters, no labels",
    "d": f"10-D, {FEW} labels, projected",
}  # fmt: skip


# %%
maps = {
    "a": (many.encode(test.images), many.head_positions),
    "b": (few_labels.encode(test.images), few_labels.head_positions),
    "c": (clusters.encode(test.images), clusters.head_positions, names),
    "d": (in_plane, points),
}

# %% tags=["title-figure"]
figure, axes = figures.canvas(count=4, columns=2, width=4.4, height=4.6)
for ax, (letter, panel) in zip(axes, maps.items(), strict=True):
    draw_map(ax, *panel)
    rule = {"c": " by the paper's rule", "d": " by q(y|x)"}.get(letter, "")
    ax.set_title(f"({letter}) {WHAT[letter]}\nerror {errors[letter]:.1%}{rule}, paper {PAPER[letter]:.2f}%")
figures.show(
    figure,
    alt="Four maps of test images coloured by digit, with heads as rings. With 1000 labels ten clusters stand apart, nearly pure; with 100 "
    "labels some mix; of twenty clusters without labels six are small grey heads with no validation image, four digits have two or three heads, "
    "9 has none, and several clusters mix digits; ten dimensions, projected, give clusters near their heads on a circle, the threes on top of the twos.",
)

# %% [markdown]
# - **(a) and (b)**, side by side, have ten islands at nearly the same places, since the heads of both start from the same seed. With 100 labels some islands hold more than one colour, fours among the nines and fives among the threes: the game on $y$ pushes nearly every image to *some* class, whether or not the labels have told enough. This is what the error counts.
# - **(c)** has names by the majority rule in its rings, and in its title the error by the paper's. The small grey heads have no validation image and so no name; hardly anything but its cost moves a head that no image uses. No head stands for 9: the nines lie beside fours. The images of one cluster lie near it in groups of one colour: the style has taken over part of the naming.
# - **(d)** has the overlaps of the projection besides those of the system.
#
# And the numbers. The *long runs* were made beforehand and lie in `results/`: three seeds each, and steps of their own (below).

# %%
EXPERIMENTS = {
    "a": "reduction-2d-1000",
    "b": "reduction-2d-100",
    "c": "reduction-2d-20-clusters",
    "d": "reduction-10d-100",
}
print(f"{'test error, %':28}{'paper':>7}{'here':>6}   long runs, one a seed: after 8 epochs → at the end")
for letter, name in EXPERIMENTS.items():
    runs = experiments.records(name, "../results", profile="long")
    key = "paper_rule_error" if letter == "c" else "error"
    early = [run["curve"][len(run["curve"]) // 5 - 1]["test"][key] for run in runs]
    both = [f"{100 * e:.1f} → {100 * run['metrics']['test'][key]:.1f}" for e, run in zip(early, runs, strict=True)]
    plans = {f"{run['settings']['system']['hidden'][0]} units, {run['epochs']:.0f} epochs" for run in runs}
    print(
        f"{WHAT[letter].removesuffix(', projected'):28}{PAPER[letter]:>7.2f}{100 * errors[letter]:>6.1f}   {', '.join(both)} ({', '.join(plans)})"
    )
runs = experiments.records(EXPERIMENTS["c"], "../results", profile="long")
longer = ", ".join(f"{run['metrics']['test']['majority_rule_error']:.1%}" for run in runs)
print(f"20 clusters by the majority rule: here {by_majority:.1%}, long runs {longer}")
chance = 1 - 1 / len(data.classes)
assert errors["a"] < 0.3 and max(errors.values()) < chance

# %% [markdown]
# In the paper adding goes with more errors: with 100 labels it has 3.90 % in its Section 7, and 1.90 % where content and style stand side by side (notebook 08). <!-- 1.90: Makhzani et al. 2015, Table 2 -->
#
# In this notebook, with 1000 labels, we are about two points from the paper, with 100 and without labels far from it. The paper, as restated, trains networks of 1000 units for 5000 epochs, we train 256 units for five. What the long runs add:
#
# - **Width and length.** With the steps of this notebook, 400 units and five times the epochs three seeds ended at 10.0 to 15.4 % in ten dimensions, and in two at 15.8 to 19.9 with a hundred labels and 5.9 to 6.3 with a thousand: a part of the way with a hundred labels, hardly any with a thousand. Which of the two it was, these runs do not tell. <!-- 10.0, 15.4, 15.8, 19.9, 5.9, 6.3: results/README.md -->
# - **Batch normalisation in the encoder *and* He et al.'s initial weights**, of standard deviation $\sqrt{2 / \text{inputs}}$ (the library's `initial_std=None`), in place of the paper's 0.01, with Adam for all phases but that of the heads. The paper's maps with labels, as restated, have neither. It takes both: in trials of 8 epochs in ten dimensions (seed 0, validation images, smaller steps for the last two) He's weights alone ended at 14.9 %, batch normalisation alone at 19.8, both at 7.9; with neither, Adam's reconstruction stayed at the mean image. <!-- 8, 14.9, 19.8, 7.9: results/README.md -->
# - **Smaller steps of the reconstruction**, for two dimensions with a hundred labels, (b), alone: a fifth of those of the others took off one to three points; with the others' its seeds ended at 10.0, 7.8 and 11.7 %. (In trials of seed 0 a tenth of the others' was 0.2 points better still on validation images, and reconstructed worse.) <!-- 10.0, 7.8, 11.7: results/README.md --> <!-- 0.2: results/README.md, 8.4 and 8.2 -->
#
# With a thousand labels they end below the paper's number. In ten dimensions two seeds of three end within 0.3 points of it, in two dimensions with a hundred labels all three end above it. (b) has after 8 of its 40 epochs about the error that it ends with, so up to 40 epochs patience is not what is missing there; the other rows with labels still fall. With a hundred labels seeds lie points apart: a seed chooses the initial weights as well as the labels, and these runs do not tell the two apart. Without labels the runs stay far off, at 32.9 to 36.3 % by the paper's rule and 22.2 to 24.5 % by the majority rule. How the paper got to its numbers without batch normalisation, we do not know; the log in `results/README.md` has what was tried.
#
# And the same figure from the long runs, as far as their systems are stored with the course:

# %%
STORED = {"a": "reduction-2d-1000", "b": "reduction-2d-100", "d": "reduction-10d-100"}
if settings.data == "mnist":  # what was trained on MNIST
    figure, axes = figures.canvas(count=3, columns=3, width=3.3, height=3.6)
    for ax, (letter, name) in zip(axes, STORED.items(), strict=True):
        system = experiments.trained(name)
        plane = system.circle() if letter == "d" else torch.eye(2)
        draw_map(ax, system.encode(test.images) @ plane, system.head_positions @ plane)
        seed = next(run["seed"] for run in experiments.records(name, "../results") if "stored" in run)
        ax.set_title(f"({letter}) {WHAT[letter]}\nlong run, seed {seed}, error {error_of(system):.1%}")
        cost = half_squared_error(system.reconstruct(test.images), test.images / 255)
        from_0, _ = shape_of(styles_of(system), system.classify(test.images))
        if letter != "d":  # in ten dimensions all distances are larger
            print(f"({letter}) mean styles of a class {from_0:.2f} from 0, half squared error {cost:.1f}")
    figures.show(
        figure,
        alt="Three maps from the long runs: with a thousand labels ten nearly pure islands; with a hundred labels the same, narrower, but for a patch of "
        "threes among the fives; and ten dimensions projected onto a circle, where neighbours overlap.",
    )

# %% [markdown]
# These have wider networks (400 units), eight times the epochs, batch normalisation and other steps, so they are not this notebook's maps grown older; each is the best of three seeds by validation images. Map (d) has the fewest errors after (a), by q(y | x); by the nearest head in its plane they are 18 %. <!-- 18: exercise 1 --> And in (b) a patch of threes lies among the fives: a hundred labels have not told enough. Its islands are narrower than those of (a), and some heads stand at their rims: the styles of a class lie on one side of 0, and so repeat what the class says, which the game on $z$ allows. That is the price of the smaller steps: with five times as large ones the same seed had mean styles 0.37 from 0 in place of 0.80 (both by true labels), and a half squared error of 14.0 in place of 17.0, but 7.8 % of errors in place of 6.9. <!-- 0.37, 0.80, 14.0, 7.8: results/README.md -->
#
# ## t-SNE beside it
#
# t-SNE (van der Maaten and Hinton 2008) is what most people use to draw a map. It keeps near points near, and it does so very well. It needs no labels, so the map to compare it with is (c). We give it the pixels of 2,000 test images. Above each map stands how often the five nearest of one half of these images, by place on the map, name the class of one of the other half.

# %%
shown = 2000
pixels = (test.images[:shown] / 255).flatten(1).numpy()  # (N, pixels)
flat = torch.from_numpy(TSNE(random_state=0).fit_transform(pixels))  # (N, 2)


def near_agree(z):
    """How often the five nearest of one half of the first codes tell the class of a code in the other half."""
    (known, new), (known_labels, new_labels) = z[:shown].chunk(2), test.labels[:shown].chunk(2)
    return knn_accuracy(known, known_labels, new, new_labels)


figure, axes = figures.canvas(count=3, columns=3, width=3.0, height=3.4)
for ax, (title, panel) in zip(
    axes,
    {"t-SNE, no labels": (flat,), "(c), no labels": maps["c"], f"(a), {MANY} labels": maps["a"]}.items(),
    strict=True,
):
    z, *heads = panel
    draw_map(ax, z[:shown], *heads, labels=test.labels[:shown])
    ax.set_title(f"{title}\n5 nearest agree: {near_agree(z):.0%}")
figures.show(
    figure,
    alt="Three maps of the same 2,000 test images. t-SNE: islands mostly of one digit, some in pieces, fours and nines mixed. The clusters without labels: "
    "groups of dots about fourteen of twenty heads, several of them mixed. With 1000 labels: ten clusters by their heads, nearly pure.",
)
known, new = torch.from_numpy(pixels).chunk(2)
on_pixels = knn_accuracy(known, test.labels[:shown].chunk(2)[0], new, test.labels[:shown].chunk(2)[1])
print(f"five nearest by all pixels agree: {on_pixels:.0%}")
assert not hasattr(TSNE, "transform")  # scikit-learn's places the points it was given, and no others

# %% [markdown]
# t-SNE, run to its end, separates the digits better than our map without labels after its few epochs, and its five nearest agree no less often than those by all pixels. (It was fitted to these very points, which (c) never saw.) If all that you need is a picture of the images you have, use it. But as it is it has placed *these* 2,000 points and can place no others; it has no decoder, so no place on its map can be looked at; its distances and the sizes of its islands mean little (read Wattenberg et al. before you interpret one; which islands are neighbours means nothing on ours either). A network from images to places is another thing, and we can try it out.
#
# **A new point.** Take a test image and turn it, a little at a time. Apart from the first, none of these pictures was in any data set. The encoder places each, and we can watch the point travel.
#
# > **Predict, then run.** A 6 is turned by 180°. Where does it start, where does it end, and what lies between?


# %%
def turned(image, degrees):
    """The image (C, H, W) turned anticlockwise by each of ``degrees``: (N, C, H, W) in [0, 1]."""
    angle = torch.deg2rad(torch.as_tensor(degrees, dtype=torch.float32))
    zero = torch.zeros_like(angle)
    rows = torch.stack([angle.cos(), -angle.sin(), zero, angle.sin(), angle.cos(), zero], dim=1).unflatten(1, (2, 3))
    images = (image / 255).expand(len(angle), *image.shape)  # encode takes bytes, or numbers in [0, 1]
    return F.grid_sample(images, F.affine_grid(rows, images.shape, align_corners=False), align_corners=False)


six = test.images[(test.labels == 6) & (many.classify(test.images) == 6)][0]
turning = turned(six, range(0, 181, 15))  # (13, C, H, W)
path = many.encode(turning)  # (13, 2)

# %%
figure, (ax,) = figures.canvas(width=6.2, height=6.2)
draw_map(ax, *maps["a"])
ax.plot(*path.T, color=figures.INK, linewidth=1.5, marker="o", markersize=4, zorder=5)
for k, beside in {0: (10, -20), 6: (-8, 8), 7: (-8, 8), 8: (10, -2), 12: (-40, 10)}.items():
    words = dict(xytext=beside, textcoords="offset points", weight="bold", zorder=6, backgroundcolor="#ffffffb0")
    ax.annotate(f"{15 * k}°", path[k].tolist(), **words)
figures.show(
    figure,
    alt="The map with a thousand labels, and on it the path of a 6 that is turned by 180 degrees: it begins among the sixes, jumps "
    "to the twos at 90 degrees, lies between islands at 105, then among the threes, and ends at the edge of the eights.",
)
figures.show(
    figures.show_images(
        torch.cat([turning, many.decode(path)]),
        len(turning),
        rows=("turned", "decoded"),
        captions=[f"{d}°" for d in range(0, 181, 15)],
    ),
    alt="Two rows of thirteen pictures: a 6 turned step by step by 180 degrees, and what the decoder draws at the place of each: "
    "sixes up to 75 degrees, a 2, a blur, three threes, a blur and an 8.",
)
named = zip(many.classify(turning).tolist(), range(0, 181, 15), strict=True)
print("named:", ", ".join(f"{name} at {degrees}°" for name, degrees in named))

# %% [markdown]
# Every picture on the way gets a place, though no training image looked like most of them. Up to 75° the turned 6 stays with the sixes. At 90° it jumps in among the twos, close to their head; at 105°, and once more at 165°, it lies between islands, where the decoder draws a blur; in between it is among the threes, and at the end at the edge of the eights. Upside down it could pass for a 9, though an odd one, whose loop is not closed. To this network it is an 8, and an 8 is what the decoder draws: how to name pictures unlike those that it was trained on, nobody has taught it.
#
# ## Play with it
#
# Drag a point over the map with 1000 labels (without a kernel you see what the decoder draws on a grid over it). What is drawn at a head, at the rim of a cluster, and in a gap?

# %%
from aae_lib.widgets import explore

explore(many, images=test.images[:shown], labels=test.labels[:shown])

# %% [markdown]
# ## Summary
#
# - The representation $W_C\,y + z$ gives every class a head, and every image a place near the head of its class. Its distribution, if both games are won *and* $z$ does not depend on $y$, is a [mixture of Gaussians](glossary.ipynb#Mixture-of-Gaussians) whose places are learnt; the games alone fix $q(y)$ and $q(z)$, each as a whole.
# - A cost with a threshold keeps the heads apart: it pushes until all are at least $\eta$ apart, and then it is silent.
# - Two dimensions are a tight bottleneck: the same numbers must say which digit and how it is written. Ten dimensions leave room, and a linear map that sends the heads onto a circle makes a picture of them.
# - The map is a function: it takes new images, and every point of it can be decoded. t-SNE arranges the points it has.

# %% [markdown]
# ## Exercises
#
# Exercises A and B are functions to write. Put your lines in the place of `...`, run the cell, and then the cell below it: it says
# whether the function is right or, in a sentence, what is wrong with it. Both need nothing that was computed above.

# %% tags=["exercise"]
import torch

from aae_lib import exercises

# %% [markdown] tags=["exercise"]
# **A** *(easy, code)* Write the representation $W_C\,y + z$ from the encoder's logits of $y$ (B, K), its styles (B, 2) and the heads (K, 2). Expected: a sure image lies at its head, plus its style; an unsure one between heads.


# %% tags=["exercise"]
def represent(logits, z, heads):
    """W_C y + z (B, 2); gradients reach the logits, the styles and the heads."""
    ### BEGIN SOLUTION
    return logits.softmax(dim=1) @ heads + z
    ### END SOLUTION


# %% tags=["exercise"]
exercises.check_represent(represent)

# %% [markdown] tags=["exercise"]
# **B** *(medium, code)* Write the sampler of the mixture that representations are in if both games are won and $z$ does not depend on $y$: equally common heads (K, 2), and a Gaussian of standard deviation 1 about each. Expected: round clouds about the heads.


# %% tags=["exercise"]
def sample_map(heads, count, generator):
    """Points (N, 2), each a head drawn at random plus a style; all chance comes from the torch.Generator."""
    ### BEGIN SOLUTION
    y = torch.randint(len(heads), (count,), generator=generator)  # (N,)
    return heads[y] + torch.randn(count, 2, generator=generator)
    ### END SOLUTION


# %% tags=["exercise"]
exercises.check_draw_map(sample_map)

# %% [markdown]
# 1. *(easy)* Which digits are neighbours on the circle of (d) is *our* choice. There 4 and 9 lie opposite each other. Permute the rows of $P$ so that they are neighbours. Does the error change? (Also with `experiments.trained("reduction-10d-100")`.)
#    <details><summary>Expected</summary>The error by q(y | x) cannot change, since the projection has no say in it. That of the nearest head in the plane does: with the long run's system it lay between 13 and 20 % for thirty random orders of the heads, at 18 % for ours, and at 15 to 18 % for some with 4 beside 9.</details>
# 2. *(easy)* Train (a) with `head_distance=2.0` and with `head_distance=12.0`. Draw the maps.
#    <details><summary>Expected</summary>As in the toy of heads: with 2 the islands run into one another, with 12 there are wide gaps.</details>
# 3. *(medium)* Draw the ten dimensions of (d) with `figures.tsne` instead of the matrix. What does it show that the circle does not, and the other way round?
#    <details><summary>Hint</summary><code>figures.tsne(wide.encode(test.images), test.labels)</code>. t-SNE may use all ten dimensions of the style.</details>
#    <details><summary>Expected</summary>Ten islands far apart, with the wrongly named images inside them: what overlaps on the circle is apart in ten dimensions. Distances between islands mean nothing there, as on the circle, and a new image finds no place.</details>
# 4. *(medium)* Which images lie in the gaps of (a)? Show the twenty test images with the least certain $q(y \mid x)$, and mark them on the map.
#    <details><summary>Hint</summary><code>many.probabilities(test.images).max(dim=1).values.argsort()[:20]</code></details>
#    <details><summary>Expected</summary>Mostly between islands: where q(y | x) is half of one class and half of another, the place is half-way between their heads, plus the style. Between heads that are no neighbours this can be on a third island.</details>
# 5. *(hard, open-ended)* Without the game on $y$, soft answers can place an image anywhere between the heads. Take the content's half out of `generators_loss`, train, and draw the map. What is left of the clusters?
#    <details><summary>Hint</summary>A class that derives from <code>FivePhases</code>, whose <code>generators_loss</code> multiplies the second of its two terms by 0; train it with <code>fit</code>.</details>
#    <details><summary>Expected</summary>You have succeeded when one number tells what the game did, such as the share of images whose q(y | x) is less than 90 % sure. After one epoch of ours it was 9 % without the game and 7 % with it: with a thousand labels classification alone keeps most islands apart.</details>
# 6. *(hard)* The least-squares map of `circle()` ignores the styles. Find the linear map to two dimensions that keeps classes apart best (`sklearn.discriminant_analysis.LinearDiscriminantAnalysis`), with the classes that the system itself names on training images; take `experiments.trained("reduction-10d-100")`. Does the error of the nearest head in the plane fall?
#    <details><summary>Expected</summary>It rises, from 18 to 28 % (fitted on 20,000 training images): this map sets a few classes far apart and lets the others coincide, since all pairs count together. The circle gives every class a place.</details>
# 7. *(easy, prediction)* Two heads, $\eta = 3$ apart. Which share of the points of either lies nearer to the other head? Draw a sample with exercise B and count.
#    <details><summary>Expected</summary>6.7 %: the chance that a normal number exceeds 1.5.</details>
# 8. *(easy, exploration)* In the widget above, go to a head, to the rim of its cluster, and on into a gap. What changes on each part of the way?
#    <details><summary>Expected</summary>At the head a plain digit; towards the rim the same digit in a manner of its own; in a gap a blur of its neighbours, since hardly any image was ever placed there.</details>
#
# ## What to read
#
# - A. Makhzani et al.: *Adversarial Autoencoders*, 2015, [arXiv 1511.05644](https://arxiv.org/abs/1511.05644), Section 7.
# - L. van der Maaten, G. Hinton: *Visualizing data using t-SNE*, Journal of Machine Learning Research 9, 2008.
# - L. van der Maaten: *Learning a parametric embedding by preserving local structure*, AISTATS 2009: a t-SNE that is a network and takes new points.
# - M. Wattenberg, F. Viégas, I. Johnson: *How to use t-SNE effectively*, Distill 2016, [doi 10.23915/distill.00002](https://doi.org/10.23915/distill.00002).
#
# **Next:** that was the whole paper. What came after it: [11 Wasserstein autoencoders](11_wasserstein_autoencoders.ipynb), [12 Adversarial latent autoencoders](12_adversarial_latent_autoencoders.ipynb), [13 StyleALAE](13_style_alae.ipynb); [notebook 00](00_start_here.ipynb) has the map of the course. **Before:** [09 Clustering](09_clustering.ipynb).
