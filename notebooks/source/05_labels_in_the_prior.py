# %% [markdown]
# # 5 · Labels in the prior
#
# An adversarial autoencoder fills its prior, but nobody decides which digit fills which part of it. Here the discriminator is shown labels beside the codes, for every image or only for some, and each digit goes to the place that we chose for it.
#
# **You will learn**
# - how a [one-hot](glossary.ipynb#One-hot) label beside the code turns one game into ten, and why it has *eleven* places for ten digits;
# - to train on many images of which few have labels;
# - to put ten digits into ten petals, to draw from one petal only, and to see style within it;
# - to measure where new images land, with 10,000 labels, 1,000 or none;
# - to lay the ten digits along a [swiss roll](glossary.ipynb#Swiss-roll), and to walk from 0 to 9.
#
# **You need** notebooks [02](02_adversarial_autoencoders.ipynb) (the phases, the discriminator's losses) and [03](03_aae_versus_vae.ipynb) (the [mixture of ten Gaussians](glossary.ipynb#Mixture-of-Gaussians), priors without a density).
#
# **About 3 minutes on a laptop CPU.** It ends with this figure: [the two halves of the paper's Figure 4](#Figure-4), codes of images that the systems have never seen, on a flower and on a swiss roll, and on the roll without labels. Below it stands the flower of a long run.
#
# ![Three panels of codes coloured by digit: on a flower of ten petals every petal has one digit; along a spiral the digits follow one another from 0 in the centre to 9 at the outer end; without labels they do not.](figures/05_labels_in_the_prior.png)
#
# The paper is Makhzani, Shlens, Jaitly, Goodfellow and Frey (2015), *Adversarial Autoencoders*, [arXiv 1511.05644](https://arxiv.org/abs/1511.05644); here we are in its Section 2.3.

# %%
import math

import torch
from scipy.optimize import linear_sum_assignment
from sklearn.neighbors import KNeighborsClassifier
from torch.distributions import Normal
from torch.nn import functional as F

from aae_lib import choose, experiments, figures, fit, load
from aae_lib.evaluation import distance_to_prior, mode_accuracy
from aae_lib.losses import half_squared_error
from aae_lib.networks import MLP, Decoder, Discriminator, Encoder, initialise
from aae_lib.pixels import as_float
from aae_lib.priors import GaussianMixture, SwissRoll
from aae_lib.systems import Adam, AdversarialAutoencoder, Phase, System

# %%
settings = choose(
    smoke=dict(
        data="digits", labels=(50, 250), hidden=(128, 128), batch_size=50,
        flower=dict(epochs=16, settle=13, step=1e-3, game=5e-3), roll=dict(epochs=16, settle=13, step=1e-3, game=5e-3),
    ),
    quick=dict(
        data="mnist", labels=(1000, 10_000), hidden=(256, 256), batch_size=100,
        flower=dict(epochs=4, settle=3, step=5e-4, game=1e-3), roll=dict(epochs=6, settle=5, step=5e-4, game=2e-3),
    ),
    paper=dict(
        data="mnist", labels=(1000, 10_000), hidden=(1000, 1000), batch_size=100,
        flower=dict(epochs=100, settle=60, step=5e-4, game=1e-3), roll=dict(epochs=100, settle=60, step=5e-4, game=2e-3),
    ),
)  # fmt: skip
data = load(settings.data, fallback="digits")
test, digits = data.test.images, data.test.labels
print(f"{settings.profile}: {data.name}, {len(data.train):,} images to train on, {len(test):,} held out")

# %% [markdown]
# ## Which digit gets which petal?
#
# In notebook 03 an adversarial autoencoder filled a flower of ten petals. There are ten digits, too, and yet most petals held several of them. The loss did not mind: its discriminator compares the cloud of all codes, $q(z)$, with the prior $p(z)$, and who sits where in the cloud is left to chance and to reconstruction.
#
# Often we know what some of the images are, and would like to have a say. Section 2.3 of the paper changes one thing: **the discriminator sees the class beside the point**, as a one-hot vector.

# %%
figures.show(
    figures.network_diagram("labelled_prior"),
    alt="Diagram. Top row: an image x goes through an encoder to a code z and through a decoder to a reconstruction. Bottom row: "
    "draws from the prior, marked plus, and codes, marked minus, go into a discriminator, which also sees a one-hot class.",
)

# %% [markdown]
# This is the paper's Figure 3. Beside a code stands the class of its image. Beside a draw of the prior stands the class that we want at that place: for the flower, the number of the petal that it was drawn from. Write $p(z|y)$ for the part of the prior that belongs to class $y$ (petal $y$), and $q(z|y)$ for the codes of the images of class $y$. The game becomes
#
# $$\min_{q}\, \max_{D}\;\; \mathbb{E}_{y}\Big[\; \mathbb{E}_{z \sim p(z|y)}\big[\log D(z, y)\big] + \mathbb{E}_{z \sim q(z|y)}\big[\log (1 - D(z, y))\big] \;\Big]$$
#
# For each $y$ this is the game that we know. So these are **ten games, played by one discriminator**: it can only be fooled if the zeros fill petal 0, the ones petal 1, and so on. Note who does *not* see the label: neither the encoder nor the decoder. The encoder has to recognise the digit, and so it can place new images, whose labels nobody knows.
#
# ### Why eleven?
#
# Of most images we do not know the class. They have to take part in the game, or else nothing would keep their codes on the prior. But what should stand beside their codes? A random class would be a lie. A vector of zeros, beside draws that all have a class, would give the codes away: the discriminator could tell the two apart by the vector alone. The paper gives them a class of their own, an **eleventh** place in the one-hot vector, which means "class not known". The draws of the prior that are shown with it come from *all* petals, because an image that may be of any class may belong in any petal.
#
# So there is one more game, the eleventh, and it is the old one: the codes of all images without a label, together, fill the whole flower. Which petal each of them takes is not said. That they follow the labelled ones is up to the encoder, to which a nine with a label and a nine without one look alike.

# %% [markdown]
# ## A toy in two dimensions
#
# Four classes of points stand in for images, and four petals for the flower. The encoder is a small network from the plane to the plane, and there is no decoder: the game is all there is. Two little functions say what the discriminator is shown. They will serve for MNIST, too. The label $-1$ means "hidden".


# %%
def shown_class(labels, classes):
    """The class beside a code, one-hot: (B,) -> (B, classes + 1). The last place is for hidden labels, -1."""
    return F.one_hot(torch.where(labels < 0, classes, labels), classes + 1)


def wanted_region(labels, classes, generator):
    """The part of the prior to draw from for each label, (B,) -> (B,); for a hidden one, a random part."""
    anywhere = torch.randint(classes, labels.shape, generator=generator, device=labels.device)
    return torch.where(labels < 0, anywhere, labels)


def bce(logits, target):
    """Mean cross-entropy of the discriminator's logits (B,) with one target for all: 1, "from the prior", or 0, "a code"."""
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))


# %%
PETALS = GaussianMixture(components=4, std=(0.4, 0.15))
noise = torch.randn(400, 2, generator=torch.Generator().manual_seed(0))
kind = torch.arange(400) % 4
x = torch.tensor([[-1.4, -1.4], [1.4, 1.4], [-1.4, 1.4], [1.4, -1.4]])[kind] + 0.45 * noise  # (400, 2)


def play(labels, steps=300, seed=0):
    """The codes (400, 2) of ``x`` after a game on the four petals in which the discriminator sees ``labels`` (400,)."""
    generator = torch.Generator().manual_seed(seed)
    encoder, discriminator = MLP((2, 64, 64, 2)), Discriminator((2 + 4 + 1,), hidden=(64, 64))
    for network in (encoder, discriminator):
        initialise(network, seed)
    moving, telling = (torch.optim.Adam(n.parameters(), 1e-2, (0.5, 0.999)) for n in (encoder, discriminator))
    beside = shown_class(labels, 4)  # (400, 5)
    for _ in range(steps):
        z, draws = encoder(x), PETALS.sample(len(x), generator, wanted_region(labels, 4, generator))  # (400, 2) each
        real, fake = torch.cat([draws, beside], dim=1), torch.cat([z, beside], dim=1)  # (400, 7)
        telling.zero_grad()
        (bce(discriminator(real), 1) + bce(discriminator(fake.detach()), 0)).backward()
        telling.step()
        moving.zero_grad()
        bce(discriminator(fake), 1).backward()
        moving.step()
    return encoder(x).detach()


# %% [markdown]
# > **Predict, then run.** Classes A to D are wanted in the petals at the right, the top, the left and the bottom, in this order. Three games: no labels, all labels, and labels for one point in five. Where does each class go in the first? And in the third, where do the four points in five go whose class nobody told?

# %%
hidden = torch.full_like(kind, -1)
some = torch.where(torch.arange(400) < 80, kind, hidden)  # the labels of 20 points of each class
toys = {"no label": play(hidden), "all labels": play(kind), "labels for one in five": play(some)}
for name, z in toys.items():
    print(f"{name:22}  in the petal of its class: {mode_accuracy(z, kind, PETALS):4.0%}")
panels = {"the points": (x, kind), **{name: (z, kind) for name, z in toys.items()}}
figures.show(
    figures.latent_scatters(panels, dict.fromkeys(toys, PETALS), classes="ABCD"),
    alt="Four panels. The points: a cloud of each of four classes in each corner. The three others show codes over four petals, one class "
    "in each, as thin streaks: without labels in some order, with all labels and with few of them A right, B top, C left, D bottom.",
)
assert mode_accuracy(toys["all labels"], kind, PETALS) > 0.9
assert mode_accuracy(toys["labels for one in five"], kind, PETALS) > 0.9

# %% [markdown]
# Without labels the codes reach all four petals just as well (in thin streaks, as in all three of these short games), but which class went where is an accident of the start. With all labels every class is in its place. And one label in five is enough: the clouds are the same, so a network that sends the labelled points of a cloud to a petal sends the whole cloud there.

# %% [markdown]
# ## The losses on images
#
# On images we need the toy's two functions, an encoder of images, and a decoder. Compared with notebook 02, the reconstruction is as it was; in the two losses of the game, the discriminator sees `shown_class`, and draws come from the `wanted_region`.


# %%
class ThreeNetworks(System):
    """The boxes of Figure 3 and the phases that move them; the losses follow below."""

    def __init__(self, image_shape, *, prior, hidden, seed=0):
        super().__init__(image_shape)
        self.prior, self.learns_labels = prior, prior.classes  # so fit hands over labels: -1 where they are hidden
        self.encoder = Encoder(image_shape, prior.dim, hidden=hidden)  # (B, C, H, W) -> (B, 2)
        self.decoder = Decoder(prior.dim, image_shape, hidden=hidden)  # (B, 2) -> (B, C, H, W)
        self.discriminator = Discriminator((prior.dim + prior.classes + 1,), hidden=hidden)  # (B, 2 + 11) -> (B,)
        initialise(self, seed)

    def phases(self):
        step, game = Adam(5e-4), Adam(2e-4, beta1=0.5)
        return [
            Phase("reconstruction", self.reconstruction_loss, learns=(self.encoder, self.decoder), optimizer=step),
            Phase("discriminator", self.discriminator_loss, learns=(self.discriminator,), optimizer=game),
            Phase("generator", self.generator_loss, learns=(self.encoder,), optimizer=game),
        ]


# %%
class LabelsInThePrior(ThreeNetworks):
    """An adversarial autoencoder whose discriminator sees labels (Makhzani et al. 2015, Sec. 2.3)."""

    def reconstruction_loss(self, batch):
        return half_squared_error(self.decoder(self.encoder(batch.images)), batch.images)

    def judged(self, z, batch):
        """The discriminator's logits (B,) of points z (B, 2), beside which stand the classes of the batch."""
        return self.discriminator(torch.cat([z, shown_class(batch.labels, self.prior.classes)], dim=1))

    def discriminator_loss(self, batch):
        region = wanted_region(batch.labels, self.prior.classes, batch.generator)  # (B,)
        draws = self.prior.sample(len(batch), batch.generator, region)  # (B, 2)
        return bce(self.judged(draws, batch), 1) + bce(self.judged(self.encoder(batch.images), batch), 0)

    def generator_loss(self, batch):
        return bce(self.judged(self.encoder(batch.images), batch), 1)


# %% [markdown]
# `fit` takes the indices of the images whose labels may be seen, and hides all other labels before the first batch is drawn. Is this what `aae_lib` ships? Same seed, a few hundred images of which a hundred have labels, and every recorded loss the same:

# %%
# NBVAL_CHECK_OUTPUT
some_images = data.train.take(torch.arange(500))
same_start = dict(prior=GaussianMixture(), hidden=(64, 64), seed=0)
ours = LabelsInThePrior(data.image_shape, **same_start)
theirs = AdversarialAutoencoder(
    data.image_shape, **same_start, discriminator_hidden=(64, 64), labelled_prior=True, batch_norm=False
)
steps = {phase.name: phase.optimizer for phase in ours.phases()}
few = some_images.balanced_subset(100)
same_course = dict(labelled=few, epochs=4, batch_size=50, optimizers=steps, progress=False)
our_losses, their_losses = (fit(system, some_images, **same_course).losses for system in (ours, theirs))
same = all((our_losses[name] == their_losses[name]).all() for name in their_losses)
assert same
print("the discriminator sees", ours.discriminator.body[1].in_features, "numbers: 2 of the point, 10 + 1 of the class")
print("same losses:", same)

# %% [markdown]
# ## Ten petals for ten digits
#
# The paper's example: the mixture of ten Gaussians, 50,000 images of MNIST, and labels for 10,000 of them (here 1,000 of each digit). Beside it we train the same system with no labels at all (a plain adversarial autoencoder), and with 1,000.
#
# The step of 0.0005 is notebook 03's, the game's 0.001 one of three that it tried on [validation images](glossary.ipynb#Validation-images). They shrink in the last epoch, those of the game to a quarter. Adam's $\beta_1$ is 0.1 for the game: hardly any momentum, since each player chases the other, and what was the right way a few updates ago may be the wrong one now.


# %%
def train(prior, split, labelled, epochs, settle, step, game):
    """An adversarial autoencoder trained on ``split`` with the labels at the indices ``labelled`` (None: no label).

    ``step`` and ``game`` are Adam's steps for the reconstruction and for the two players; they shrink at ``settle``.
    """
    system = AdversarialAutoencoder(
        data.image_shape,
        prior=prior,
        labelled_prior=labelled is not None,
        hidden=settings.hidden,
        discriminator_hidden=settings.hidden,
        batch_norm=False,
    )
    player = Adam(game, beta1=0.1, drops={settle: 4})
    optimizers = dict(reconstruction=Adam(step, drops={settle: 10}), discriminator=player, generator=player)
    budget = dict(epochs=epochs, batch_size=settings.batch_size)
    return system, fit(system, split, labelled=labelled, optimizers=optimizers, **budget)


# %% [markdown]
# > **Predict, then run.** How many of the *hold-out* images, whose labels nobody sees, will land in the petal of their digit: without labels, with 1,000, with 10,000?

# %%
FLOWER = GaussianMixture()
few, many = settings.labels
runs = {"no labels": None, **{f"{count:,} labels": data.train.balanced_subset(count) for count in settings.labels}}
flowers, histories = {}, {}
for name, labelled in runs.items():
    print(name)
    flowers[name], histories[name] = train(FLOWER, data.train, labelled, **settings.flower)

# %%
figures.show(
    figures.training_curves(histories[f"{many:,} labels"]),
    alt="Left: the reconstruction loss falls below the dashed line of the mean image. Right: the losses of discriminator and "
    "generator come to rest near their dashed lines, 2 ln 2 and ln 2.",
)

# %% [markdown]
# These are the losses with most labels: the reconstruction ends near 20, the game near the price of guessing, $2 \ln 2 \approx 1.39$ and $\ln 2 \approx 0.69$. So this discriminator can hardly tell codes from draws *although it sees classes*, as it should be where each digit fills its petal. But the losses do not prove it: the game without labels ends near $2 \ln 2$, too, and so does any game with a weak discriminator. We have to count.
#
# ### Counted
#
# A code lies in the petal whose density is highest there (`prior.nearest`). How often is that the petal of the image's own class? Without labels this is a matter of luck, for who would know which petal is whose. So there is a second column: the petals *renamed*, with the hold-out labels, so that as many images as possible are right. It shows how well the classes are kept apart, wherever they went. The last column is the [sliced Wasserstein distance](glossary.ipynb#Sliced-Wasserstein-distance) of $q(z)$ from the prior.


# %%
def renamed_accuracy(z, labels, prior):
    """The largest share of codes z (N, 2) that can be in their own class's mode under any naming of the modes."""
    counts = torch.zeros(prior.classes, prior.classes)
    counts.index_put_((prior.nearest(z), labels), torch.ones(len(z)), accumulate=True)  # (modes, classes)
    return float(counts[linear_sum_assignment(counts, maximize=True)].sum() / len(z))


def count_up(name):
    """Print how well the codes of hold-out images fill the petals; return the share in their own."""
    z = flowers[name].encode(test)
    own, renamed = mode_accuracy(z, digits, FLOWER), renamed_accuracy(z, digits, FLOWER)
    error, near = half_squared_error(flowers[name].decode(z), as_float(test)), distance_to_prior(z, FLOWER, count=2000)
    print(f"{name:27} own petal {own:5.1%}   petals renamed {renamed:5.1%}   reconstruction {error:4.1f}", end="   ")
    print(f"sliced Wasserstein {near.sliced_wasserstein:.2f} (prior itself {near.sliced_wasserstein_floor:.2f})")
    return own


own = {name: count_up(name) for name in flowers}

# %% [markdown]
# With 10,000 labels nine hold-out images of ten land in their own petal. Without labels one or two of ten do, as chance has it; renaming the petals raises it to about a half, because without labels several petals hold a mixture of digits. The labels cost little elsewhere: the reconstruction is 19.6 in place of 19.2, and the codes fill the flower at least as well. And 1,000 labels changed next to nothing. (All this is one seed each, here and below.)
#
# Why did 1,000 labels do so little? Count them in a batch. Of 100 images, two carry a label on average, and in one batch of eight there is none. Their ten games weigh 2 % of the loss. The eleventh game weighs 98 % <!-- 98: 100 less 2 -->, and it is content with any arrangement of the digits. Once the codes have settled in an arrangement of their own, it is hard to leave: to exchange two petals, all codes of both would have to cross the empty space between them, and the eleventh game punishes each that sets out.
#
# If that is the reason, labels count as often as they are *seen*. So show them more often: append copies of the labelled images to the training set until every fifth image has a label, as with 10,000.


# %%
def with_copies(split, labelled, copies):
    """``split`` followed by ``copies`` copies of its labelled images, and the indices of all labelled images in it."""
    again = torch.cat([torch.arange(len(split)), labelled.repeat(copies)])
    return split.take(again), torch.cat([labelled, torch.arange(len(split), len(again))])


# %% [markdown]
# > **Predict, then run.** The same 1,000 labels, shown as often as the 10,000. Better than before, surely; but as good as 10,000?

# %%
oftener = f"{few:,} labels, shown oftener"
copied, labelled = with_copies(data.train, runs[f"{few:,} labels"], copies=len(data.train) // (4 * few))
print(f"{len(copied):,} images, of which {len(labelled) / len(copied):.0%} have a label")
flowers[oftener], _ = train(FLOWER, copied, labelled, **settings.flower)
own[oftener] = count_up(oftener)
assert own["no labels"] < 0.5 < own[f"{many:,} labels"] and own[oftener] > own[f"{few:,} labels"]

# %%
panels = {name: flowers[name] for name in ("no labels", f"{few:,} labels", oftener, f"{many:,} labels")}
shown = slice(None, 5000)
figures.show(
    figures.latent_scatters(
        {name: (system.encode(test[shown]), digits[shown]) for name, system in panels.items()},
        FLOWER,
        "Codes of images that the systems have never seen",
    ),
    alt="Four panels of codes coloured by digit over a flower of ten petals. Without labels and with few, several petals "
    "hold a mixture of colours. With few labels shown oftener and with many, each petal holds one colour, in the order 0 to 9.",
)

# %% [markdown]
# Nearly as good: with 1,000 labels, shown often, about 86 of 100 hold-out images are in the right petal, with ten times as many 91. Above, both flowers are in order, and the two others are not. In all four the petals' inner ends run into one another around the origin, and there the colours mix. An image of which the encoder is not sure may well lie there. (The oftener shown images make an epoch longer: a quarter more updates.)
#
# Where do the others go, with most labels?


# %%
def misplaced(system, ends_meet):
    """Print which digits lie most often in another's region, and how many of all such lie in a neighbouring one."""
    region = system.prior.nearest(system.encode(test))  # (N,)
    wrong = torch.stack([digits, region], dim=1)[digits != region]  # (M, 2)
    pairs, counts = wrong.unique(dim=0, return_counts=True)
    for i in counts.argsort(descending=True)[:5]:
        digit, other = pairs[i]
        print(f"{counts[i]:3} of {(digits == digit).sum():4} images of a {digit} lie where {other} belongs")
    apart = (wrong[:, 0] - wrong[:, 1]).abs()
    beside = (apart == 1) | (apart == 9) & ends_meet
    print(f"{beside.float().mean():.0%} of all {len(wrong):,} that are misplaced lie with a neighbour along the prior")


flower = flowers[f"{many:,} labels"]
misplaced(flower, ends_meet=True)

# %% [markdown]
# All five pairs are neighbours on the flower, and few of them look-alikes: a code that misses its petal a little falls into the next one. Of all misplaced images 56 % lie with a neighbour; by chance it would be two of nine. So where the petals stand seems to matter, too, and not only how digits look.
#
# ## One petal, one digit
#
# A draw of petal 3 should decode to a three. Nobody told the *decoder* so; it follows from where the encoder puts the threes.
#
# > **Predict, then run.** All rows below use the same ten draws, each turned to its own petal. Will a column have something in common?

# %%
figures.show(
    figures.modes(flower),
    alt="Ten rows of ten decoded draws, one row for each petal of the mixture: row k shows the digit k, blurred at the inner "
    "end and sharper and brighter outwards, in nearly one hand.",
)

# %% [markdown]
# A column has its brightness in common: the draws are sorted by their distance from the centre, and that is what the distance says. Now count it, with a judge that knows nothing of our system: the digit of the nearest training image, pixel by pixel.

# %%
known = data.train.take(torch.arange(min(5000, len(data.train))))
judge = KNeighborsClassifier(1).fit(as_float(known.images).flatten(1), known.labels)
draws, mode = FLOWER.sample_labelled(1000, torch.Generator().manual_seed(1))  # (1000, 2), (1000,)
asked = judge.score(flower.decode(draws).flatten(1), mode)
print(f"the judge reads {judge.score(as_float(test[:1000]).flatten(1), digits[:1000]):.1%} of hold-out images rightly,")
print(f"and finds the digit that was asked for in {asked:.1%} of draws from single petals")
assert asked > 0.5

# %% [markdown]
# ### Style within a petal
#
# The class decides the petal. What does the place *within* the petal say? Here are the first three petals, as in the paper's Figure 4b, decoded at a grid of [percentiles](glossary.ipynb#Percentile-grid): from the inner end at the left to the tip at the right, and from one edge to the other.


# %%
def sheet(system, petal, side=9):
    """Petal number ``petal`` of the flower, decoded at side × side percentiles: (side², C, H, W)."""
    percentile = Normal(0.0, 1.0).icdf((torch.arange(side) + 0.5) / side)  # (side,)
    across, along = torch.meshgrid(FLOWER.std[1] * percentile, FLOWER.shift + FLOWER.std[0] * percentile, indexing="ij")
    turn = 2 * math.pi * petal / FLOWER.components
    z = torch.stack(
        [along * math.cos(turn) - across * math.sin(turn), along * math.sin(turn) + across * math.cos(turn)]
    )
    return system.decode(z.flatten(1).T)


def sheets(systems):
    """The sheets of the first three petals, a row for each of ``systems`` by name."""
    figure, axes = figures.canvas(count=3 * len(systems), columns=3, width=3.0, height=3.1)
    for number, ax in enumerate(axes):
        name, petal = list(systems)[number // 3], number % 3
        ax.imshow(figures.image_grid(sheet(systems[name], petal), 9), cmap="gray", vmin=0, vmax=1)
        ax.set(title=f"{name}, petal {petal}", xlabel="inner end → tip", xticks=[], yticks=[])
    return figure


figures.show(
    sheets({"this notebook": flower}),
    alt="Three squares of nine by nine decoded digits from the first three petals: zeros, ones and twos. Within each square the "
    "strokes become sharper and brighter from left to right; from top to bottom hardly anything changes.",
)

# %% [markdown]
# Along a petal the digits become sharper and brighter: at its inner end, where ten petals meet, they are blurred, and towards the tip the strokes are sure. Zeros grow and ones get thinner and lean further to the right on the way. Across a petal, which is five times narrower than it is long, little changes, a slight [slant](glossary.ipynb#Slant) in places. The paper's Figure 4b shows more variety; whether we lack it for want of time, the long run below will tell.
#
# The eye is easily led, so we measure two properties of style in all these pictures, slant and ink (the mean brightness): how far they change from the inner end to the tip, and from edge to edge.
#
# The point of the paper's Figure 4b is another one: *the same place in two petals means the same style in two digits*. Nothing in the losses asks for it. So we test it: take slant and ink at the 81 places of each petal, without each petal's own mean. If a place meant the same in every petal, the place alone would explain all that is left; if it meant something else in each, a tenth, by chance. At their inner ends all petals are blurred alike, so we ask once more without these. <!-- 81: 9 · 9 -->


# %%
def slant(images):
    """How far images (N, 1, H, W) lean to the right, in pixels per row: the shear that would set them upright."""
    ink = images[:, 0] / images[:, 0].sum(dim=(1, 2), keepdim=True)  # (N, H, W)
    row, column = torch.meshgrid(*(torch.arange(side, dtype=ink.dtype) for side in ink.shape[1:]), indexing="ij")
    up = (ink * row).sum(dim=(1, 2), keepdim=True) - row
    right = column - (ink * column).sum(dim=(1, 2), keepdim=True)
    return (ink * up * right).sum(dim=(1, 2)) / (ink * up.square()).sum(dim=(1, 2))


def ink(images):
    """The mean brightness (N,) of images."""
    return images.mean(dim=(1, 2, 3))


def style(name, system):
    """Print how far slant and ink change along petals and across, and how much of that the place alone explains."""
    for measure in (slant, ink):
        found = torch.stack([measure(sheet(system, petal)) for petal in range(10)]).unflatten(1, (9, 9))
        along, across = found[:, :, 8] - found[:, :, 0], found[:, 8] - found[:, 0]  # (petals, 9) each
        along, across = (change.mean(dim=1).abs().mean() for change in (along, across))
        explained = []
        for first in (0, 3):
            some = found[:, :, first:].flatten(1)  # (petals, places)
            some = some - some.mean(dim=1, keepdim=True)
            explained.append(float(some.mean(dim=0).square().mean() / some.square().mean()))
        print(f"{name:15}{measure.__name__:6}{along:7.3f} along{across:7.3f} across", end="   ")
        print(f"the place explains {explained[0]:.0%}, without the inner third {explained[1]:.0%}")


style("this notebook", flower)

# %% [markdown]
# Style changes mostly along the petals, by 0.12 in slant (pixels to the right for each row up), and little across, by 0.04. And the place explains 73 % of the slant and 58 % of the ink, 55 % and 62 % without the inner third: it seems to mean much the same in all petals. That is one system of one seed after three minutes; the long run below has another answer. [Notebook 07](07_supervised.ipynb) gives style fifteen dimensions of its own.
#
# ## A swiss roll from 0 to 9
#
# The flower had a petal for each class. A prior needs no such petals. The paper's second example is the *swiss roll*. It gives no formula, and its figure shows a band of some width; ours is a bare curve of two turns, about 1.5 apart: with $u$ uniform in $[0, 1)$, a point has the radius $3\sqrt{u}$ and the angle $4\pi\sqrt{u}$. <!-- 1.5: 3 over 2 turns --> Class $k$ owns the $k$-th tenth of $u$: the zeros sit in the centre, the nines at the outer end. Beside it, to see what the labels do here, the same roll without any.
#
# > **Predict, then run.** Twos and threes are neighbours on the roll, end to end. Which digits are neighbours *across*, from one turn to the next, and should that matter?

# %%
ROLL = SwissRoll()
rolls = {}
for name, labelled in {f"{many:,} labels": runs[f"{many:,} labels"], "no labels": None}.items():
    rolls[name], _ = train(ROLL, data.train, labelled, **settings.roll)
    z = rolls[name].encode(test)
    near = distance_to_prior(z, ROLL, count=2000)
    print(
        f"{name}: {mode_accuracy(z, digits, ROLL):.1%} of hold-out images lie nearest to their own class's stretch;",
        end=" ",
    )
    print(f"sliced Wasserstein {near.sliced_wasserstein:.2f} (prior itself {near.sliced_wasserstein_floor:.2f})")
roll = rolls[f"{many:,} labels"]
misplaced(roll, ends_meet=False)
on_roll = mode_accuracy(roll.encode(test), digits, ROLL)
assert on_roll > 0.3

# %% [markdown]
# The losses with labels, 1.23 and 1.31 in place of 1.39 and 0.69, say that this game is not over: the discriminator still tells codes from draws. The roll is a thin line, and codes beside it give themselves away.

# %% [markdown]
# ## Figure 4

# %% tags=["title-figure"]
panels = {
    f"(a) {many:,} labels, mixture": flower,
    f"(c) {many:,} labels, swiss roll": roll,
    "swiss roll, no labels": rolls["no labels"],
}
behind = {title: system.prior for title, system in panels.items()}
codes = {title: (system.encode(test[shown]), digits[shown]) for title, system in panels.items()}
figures.show(
    figures.latent_scatters(codes, behind, "Codes of images that the systems have never seen"),
    alt="Three panels of codes coloured by digit. Left, a flower of ten petals, one digit in each. Middle, a spiral along which the "
    "digits follow one another from 0 in the centre to 9 at the outer end. Right, without labels: codes mostly along the outer turn, the inner one all but empty.",
)

# %% [markdown]
# The paper's Figure 4, (a) and (c). On the roll, too, hold-out images lie on their own class's stretch, 86 of 100. Many codes are scattered between the turns, perhaps those of which the encoder is not sure. Half of the misplaced lie with a neighbour along the roll, most often threes with the twos and ones with the zeros; by chance it would be a fifth. *Across* the turns the zeros have the twos to sixes around them, and the ones the sixes to eights; of such pairs only 0 and 2 is among the commonest five, beside 4 and 9, which are far apart and look alike. So across the turns it matters less, if at all. Without labels (right) the codes do not even fill the roll: they lie along its outer turn and leave the inner one all but empty, at a distance of 0.69 where the system with labels has 0.15. No label asked for a digit in the centre, and a few epochs of the one game brought hardly any there.
#
# ### The flower after a long training
#
# So much for three minutes. The same system, a little wider, was trained with the same 10,000 labels, losses and steps for 60 epochs, and stored.

# %%
long = experiments.trained("labels-flower") if data.name == "mnist" else flower
print("below:", "this notebook's own twice" if long is flower else "this notebook's own and the stored long run")
if long is not flower:
    run = experiments.records("labels-flower", "../results", profile="long")[0]
    print(f"{run['epochs']:.0f} epochs, layers of {long.settings['hidden'][0]} units")
both = {"this notebook": flower, "long run": long}
flowers["long run"] = long
for name in (f"{many:,} labels", "long run"):
    count_up(name)
print(
    f"of the long run's draws {judge.score(long.decode(draws).flatten(1), mode):.1%} are read as the digit that was asked for"
)
for name, system in both.items():
    style(name, system)
figures.show(
    figures.latent_scatters(
        {name: (system.encode(test[shown]), digits[shown]) for name, system in both.items()},
        FLOWER,
        "Codes of images that the systems have never seen",
    ),
    alt="Two flowers of codes coloured by digit, one digit in each petal. In this notebook's many colours mix round the origin; in the "
    "long run's fewer do, and the codes of some digits lie in threads.",
)

# %%
figures.show(
    sheets(both),
    alt="Two rows of three sheets of nine by nine decoded digits, zeros, ones and twos. Above, this notebook's hardly change but in brightness. "
    "Below, the long run's are clearer and change their slant: towards the tip zeros and twos lean right, ones left.",
)

# %% [markdown]
# The long run's digits are clearer (a reconstruction error of 17.3 in place of 19.6, and 97.4 % of draws are read as the digit that was asked for, some more than above), and 92.3 % of hold-out images are in their own petal, a few more.
#
# And style has moved in. From the inner end to the tip the slant changes by 0.48 now, in place of 0.12; even across the thin petals it changes, by 0.09. But look at the lower row: towards the tip zeros and twos lean right, ones left. **Each petal has, by and large, an order of styles of its own.** The place explains 28 % of the slant in place of 73 %, and 23 % of the ink in place of 58 %. So little of what the petals have in common after three minutes is left, though more than the tenth of chance, and the paper's remark hardly holds for this longer run (one run of one seed, and wider networks): the losses ask that each petal be filled, and not how.
#
# ### Along the roll
#
# Now walk along the line, from the centre outwards, and decode on the way, as in Figure 4d.

# %%
figures.show(
    figures.walk(roll, classes=data.classes),
    alt="A hundred images decoded along the swiss roll from its centre outwards, ten in each row: row by row the digits from 0 to 9. "
    "Beside them the roll, coloured by class.",
)

# %% [markdown]
# Row $k$ walks through the stretch of digit $k$. In the middle of a row stands its digit (the twos are clear only towards the end); at its ends the digit turns into its neighbour, through a shape that is neither: from 0 to 1, from 3 to 4, from 4 to 5. The prior is connected, so the walk must pass through such places. The flower has gaps there, save near its middle.

# %% [markdown]
# ## Walk it yourself
# Drag the dot along the roll. Where does one digit turn into the next, and is it a jump or a passage?

# %%
from aae_lib.widgets import walk

walk(roll)

# %% [markdown]
# ## Summary
# - With a one-hot class beside every point, one discriminator plays a game for each class: $q(z|y)$ against $p(z|y)$.
# - The eleventh class says "not known". Its draws come from the whole prior, so that images without a label are matched as a whole, and none of them is given a false class.
# - Only the discriminator sees labels. The encoder learns to recognise the class, and places images that nobody labelled.
# - With 10,000 labels about 91 % of hold-out images land in their own petal; with 1,000, shown oftener, about 86 %; with 1,000 in their natural share the labels drown, and it is chance.
# - The class decides the region, and style is what is left for the place within it; after a long run each petal had mostly an order of its own.

# %% [markdown]
# ## Exercises
#
# Exercises A and B are functions to write. Put your lines in the place of `...`, run the cell, and then the cell below it: it says
# whether the function is right or, in a sentence, what is wrong with it. Both need nothing that was computed above.

# %% tags=["exercise"]
import math

import torch
from torch.nn import functional as F

from aae_lib import exercises

# %% [markdown] tags=["exercise"]
# **A** *(medium, code)* Write the flower's sampler. A point of petal $k$ is $\mathcal{N}(0, 0.5^2)$ along the radius and $\mathcal{N}(0, 0.1^2)$ across it, shifted outwards by 1.4, and turned anticlockwise by $2\pi k / 10$. Petal 0 points to the right. Expected: ten petals, label 0 at the right, label 5 at the left.


# %% tags=["exercise"]
def draw_petals(labels, generator):
    """Points (N, 2), each in the petal that its label (N,), 0 to 9, names; all chance comes from the torch.Generator."""
    ### BEGIN SOLUTION
    noise = torch.randn(len(labels), 2, generator=generator)
    along, across = 1.4 + 0.5 * noise[:, 0], 0.1 * noise[:, 1]
    turn = 2 * math.pi * labels / 10
    cos, sin = turn.cos(), turn.sin()
    return torch.stack([along * cos - across * sin, along * sin + across * cos], dim=1)
    ### END SOLUTION


# %% tags=["exercise"]
exercises.check_draw_petals(draw_petals)

# %% [markdown] tags=["exercise"]
# **B** *(hard, code)* Write the discriminator's loss with labels, for a training loop without `fit`. Beside draws and codes (B, Z) stands the class, one-hot, with one place more than there are classes: the last one for a hidden label, $-1$. The `draws` come from the right regions already. Expected: no gradient in the encoder.


# %% tags=["exercise"]
def labelled_loss(discriminator, draws, codes, labels, classes):
    """Mean of −log D over draws plus mean of −log(1 − D) over codes, each beside the classes of labels (B,): a scalar."""
    ### BEGIN SOLUTION
    beside = F.one_hot(torch.where(labels < 0, classes, labels), classes + 1)  # (B, K + 1)
    real = discriminator(torch.cat([draws, beside], dim=1))  # (B,)
    fake = discriminator(torch.cat([codes.detach(), beside], dim=1))  # (B,)
    return F.softplus(-real).mean() + F.softplus(fake).mean()
    ### END SOLUTION


# %% tags=["exercise"]
exercises.check_labelled_loss(labelled_loss)

# %% [markdown]
# 1. *(easy)* Draw `figures.modes(flowers["no labels"])`, the system without labels. What does a petal hold now?
#    <details><summary>Expected</summary>Several petals hold a mixture of digits, so their rows change from one digit to another.</details>
# 2. *(medium)* In the toy, leave out the points without a label instead of giving them the extra class. Where do their codes go? Why is it worse on images?
#    <details><summary>Hint</summary>In the toy, `x[:80]` and `kind[:80]` are the labelled points. Give the encoder only these, and then encode all. In the toy the clouds are simple; imagine classes that 80 points do not describe.</details>
#    <details><summary>Expected</summary>In the toy they lie in their petals as well (99 %): 80 points say where the four clouds are.</details>
# 3. *(medium)* Give the flower another order, in which look-alikes are neighbours: 0, 6, 5, 3, 8, 2, 1, 7, 9, 4. Which lines change? Does it become easier or harder?
#    <details><summary>Hint</summary>Derive a prior from `GaussianMixture` whose `_draw` turns a label into its petal, and whose `_nearest` turns the petal back into its label.</details>
#    <details><summary>Expected</summary>Only the prior changes. Hardly harder: on the built-in digits (`AAE_PROFILE=smoke`, seconds) 89 % in place of 87 % are in their own petal. But those that are not are look-alikes now, such as 8 and 2, 1 and 2, 4 and 9.</details>
# 4. *(medium)* Lie to the discriminator: give hidden images random classes instead of the eleventh. How many hold-out images still land in their own petal?
#    <details><summary>Expected</summary>Fewer, and the flower is lost: on the built-in digits 72 % in place of 87 %, at a sliced Wasserstein distance of 0.61 in place of 0.16. Each petal is asked of images of every class, which is what a lie does.</details>
# 5. *(hard)* With 1,000 labels, a batch of 100 has two labelled images on average. Play the eleven games evenly instead: all images in the eleventh game, and a batch of labelled ones, `batch.labelled`, in the ten others. How much better does it get?
#    <details><summary>Hint</summary>Derive a class from LabelsInThePrior. The two losses of the game become sums of two: one for `batch` with all labels set to −1, one for `batch.labelled`.</details>
#    <details><summary>Expected</summary>Much better: on the built-in digits with 50 labels 60 % in place of 23 %, and better than the copies' 50 %.</details>
# 6. *(hard, open-ended)* The petal is a classifier: image → code → petal. Compare it with a plain network trained on the same labels, and think about what reconstruction and the prior add. [Notebook 08](08_semi_supervised.ipynb) gives the classifier a place of its own. You have succeeded when both see the same labelled images and updates, and you can say for 1,000 and for 10,000 labels which is ahead, over three seeds.
# 7. *(easy, prediction)* With only 100 labels among 50,000 images: in how many of 100 batches of 100 images is there no label at all?
#    <details><summary>Expected</summary>In about 82: an image has no label with probability 0.998, and 0.998 to the power of 100 is 0.82.</details>
# 8. *(easy, exploration)* With the widget above, walk from the twos to the threes and on to the fours. How much of the way shows a digit, and what stands between?
#    <details><summary>Expected</summary>Threes and fours fill most of their stretches, the twos are clear only at the end of theirs. From 3 to 4 it is a passage and no jump, through a shape that is neither: the roll has no gap.</details>
#
# ## What to read
# - A. Makhzani, J. Shlens, N. Jaitly, I. Goodfellow, B. Frey: *Adversarial Autoencoders*, 2015, [arXiv 1511.05644](https://arxiv.org/abs/1511.05644), Section 2.3 with Figures 3 and 4.
# - M. Mirza, S. Osindero: *Conditional Generative Adversarial Nets*, 2014, [arXiv 1411.1784](https://arxiv.org/abs/1411.1784): the same idea for images, the class beside what the discriminator sees.
# - A. Odena: *Semi-Supervised Learning with Generative Adversarial Networks*, 2016, [arXiv 1606.01583](https://arxiv.org/abs/1606.01583): an extra class in a discriminator, with another meaning.
#
# **Next:** [06 Likelihood](06_likelihood.ipynb). **Before:** [04 GANs and moment matching](04_gans_and_moment_matching.ipynb).
