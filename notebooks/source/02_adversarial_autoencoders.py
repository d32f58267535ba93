# %% [markdown]
# # Adversarial autoencoders
#
# An autoencoder learns codes, but nobody knows where they lie. Here a second network learns to tell codes from draws of a
# distribution that *we* choose, the encoder learns to fool it, and in the end a random draw can be decoded into a digit.
#
# **You will learn**
# - what the *[aggregated posterior](glossary.ipynb#Aggregated-posterior)* $q(z)$ is, and how a discriminator pulls it onto a prior $p(z)$;
# - the two phases of training and their three losses, each in two or three lines;
# - to measure how near $q(z)$ came to $p(z)$, and against what to compare the number;
# - what healthy losses look like, and two ways to be ill;
# - where the randomness of $q(z)$ can come from: three encoders side by side.
#
# **You need** PyTorch basics (`nn.Module`, `loss.backward()`) and [notebook 01](01_autoencoders_vaes_gans.ipynb): the [holes](glossary.ipynb#Holes) in an
# autoencoder's latent space, and the game between a generator and a discriminator.
#
# **About 3 minutes on a laptop CPU.** It ends with this figure: the codes of test images from
# [three kinds of encoder](#Three-encoders), each filling the same round Gaussian, so that any draw of it can be decoded.
#
# ![Three panels of codes coloured by digit; in each, the classes lie in sectors of a round cloud, some over others.](figures/02_adversarial_autoencoders.png)

# %%
import torch
from torch import nn
from torch.nn import functional as F

from aae_lib import Snapshots, choose, figures, fit, load
from aae_lib.evaluation import distance_to_prior, holes, knn_accuracy, moments, normality
from aae_lib.networks import Decoder, Discriminator, Encoder, initialise
from aae_lib.priors import Gaussian
from aae_lib.systems import SGD, Adam, AdversarialAutoencoder, Phase, System
from aae_lib.training.batches import Batches

settings = choose(
    smoke=dict(data="digits", hidden=(64, 64), training=dict(epochs=5, batch_size=25), settle=4),
    quick=dict(data="mnist", hidden=(512, 512), training=dict(epochs=3, batch_size=100), settle=2),
    paper=dict(data="mnist", hidden=(1000, 1000), training=dict(epochs=500, batch_size=100), settle=300),
)
data = load(settings.data, fallback="digits")
test = data.test.images
print(f"{settings.profile}: {len(data.train):,} training images of shape {data.image_shape}, {len(test):,} for testing")

# %% [markdown]
# ## The idea
#
# An encoder maps every image $x$ to a code $z$, or more generally to a distribution of codes $q(z \mid x)$. Encode *all* images
# of the data distribution $p_d(x)$ and look at the cloud of codes as a whole, forgetting which code came from which image. This
# cloud is the **aggregated posterior**:
#
# $$q(z) = \int q(z \mid x)\, p_d(x)\, dx$$
#
# In a plain autoencoder $q(z)$ has whatever shape training leaves behind, with holes that the decoder has never seen. If $q(z)$
# were a distribution $p(z)$ that we can draw from, say a Gaussian, then every draw would land where the decoder knows what to
# do. This is all that an adversarial autoencoder adds: it makes $q(z)$ equal to $p(z)$.
#
# How does one make two clouds of points equal? By the game that a GAN plays on images, played on codes instead. A
# discriminator $D$ is shown draws of the prior and codes, and says how likely each is to be a draw of the prior. It is trained
# to be right; the encoder is trained to make it wrong:
#
# $$\min_{q}\, \max_{D}\;\; \mathbb{E}_{z \sim p(z)}\big[\log D(z)\big] + \mathbb{E}_{z \sim q(z)}\big[\log (1 - D(z))\big]$$
#
# When the two clouds are equal, nobody can do better than to guess, $D(z) = \tfrac12$ everywhere. Note what the game needs of the
# prior: *draws* of it, never its density $p(z)$. [Notebook 03](03_aae_versus_vae.ipynb) builds on that.

# %%
figures.show(
    figures.network_diagram(),
    alt="Diagram. Top row: an image x goes through an encoder to a code z, and through a decoder to a reconstruction. Bottom row: "
    "draws from the prior, marked plus, and the codes z, marked minus, go into a discriminator that answers: prior or code?",
)

# %% [markdown]
# This is the paper's Figure 1. The top row is an autoencoder as you know it. The bottom row is the discriminator, whose inputs
# are not images but points of the latent space: draws of the prior (the positive samples, $+$) and codes (the negative ones,
# $-$). The encoder belongs to both rows. In the top row it is half of an autoencoder; in the bottom row it is the *generator* of
# the game, the player that makes the fakes.
#
# On every [mini-batch](glossary.ipynb#Mini-batch) the networks take turns, in **two phases**:
#
# 1. **Reconstruction.** Encoder and decoder learn to reproduce the batch.
# 2. **[Regularization](glossary.ipynb#Regularization).** First the *discriminator* learns to tell draws of the prior from the batch's codes. Then the encoder, as
#    the *generator*, learns to move its codes to where the discriminator takes them for draws of the prior.
#
# The first phase wants codes that differ from image to image, the second wants codes that fill $p(z)$ as a whole. These wishes
# do not contradict each other: which image gets which place in $p(z)$ is still free.

# %% [markdown]
# ## A game in two dimensions
#
# Before any image, the second phase on its own. There is no encoder here: the 1,000 "codes" are free points in the plane, which
# start as two blobs beside the prior, and the generator's step moves the points themselves.
#
# The discriminator returns a *[logit](glossary.ipynb#Logit)*; $D(z)$ is its sigmoid. So both losses are a binary [cross-entropy](glossary.ipynb#Cross-entropy): with target 1 it is
# $-\log D(z)$, with target 0 it is $-\log(1 - D(z))$.


# %%
def bce(logits, target):
    """Mean cross-entropy of the discriminator's logits (B,) with one target for all: 1, "from the prior", or 0, "a code"."""
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))


def descend(optimizer, loss):
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


prior, generator = Gaussian(2), torch.Generator().manual_seed(0)
blob = torch.arange(1000) % 2  # (N,): which of the two blobs a point belongs to
z = torch.tensor([[-2.5, 1.0], [1.5, 2.5]])[blob] + 0.5 * torch.randn(1000, 2, generator=generator)  # (N, 2)
z.requires_grad_()
discriminator = Discriminator((2,), hidden=(64, 64))
initialise(discriminator, seed=0)

# %% [markdown]
# **Predict, then run.** After 600 steps the 1,000 points together should look like a Gaussian around 0. Where will the points
# of each blob be: spread over the whole Gaussian, or each blob in a part of its own?

# %%
discriminating = torch.optim.Adam(discriminator.parameters(), lr=5e-3, betas=(0.5, 0.999))
moving = torch.optim.Adam([z], lr=0.01, betas=(0.5, 0.999))
clouds = {}
for step in range(601):
    if step in (0, 60, 600):
        clouds[f"after {step} steps"] = (z.detach().clone(), blob)
    draws = prior.sample(1000, generator)  # (N, 2)
    discriminator_loss = bce(discriminator(draws), 1) + bce(discriminator(z.detach()), 0)
    descend(discriminating, discriminator_loss)
    descend(moving, bce(discriminator(z), 1))
print(f"discriminator's loss at the end: {discriminator_loss:.2f}; a guess costs 2 ln 2 = 1.39")
figures.show(
    figures.latent_scatters(clouds, prior, classes=("blob A", "blob B")),
    alt="Three panels of points over grey rings, the prior. At the start two blobs lie outside, upper left and upper right. After "
    "60 steps they reach into the rings and stretch. After 600 steps they fill the rings, each blob one half.",
)

# %%
for name, points in (("all points", z), ("blob A", z[blob == 0]), ("blob B", z[blob == 1])):
    mean, std = points.detach().mean(dim=0), points.detach().std(dim=0)
    print(f"{name:10}  mean ({mean[0]:5.2f}, {mean[1]:5.2f})   standard deviation ({std[0]:.2f}, {std[1]:.2f})")
assert z.detach().mean(dim=0).abs().max() < 0.2 and (z.detach().std(dim=0) - 1).abs().max() < 0.2

# %% [markdown]
# Three things to keep from this toy:
#
# - **Nobody was told about means and variances.** The points have mean 0 and standard deviation 1 because the discriminator,
#   seeing only draws, noticed every difference and the points moved to undo it.
# - **Only the whole cloud matches the prior.** Each blob kept a side to itself, and its own mean is not 0. The loss speaks of
#   $q(z)$, never of the codes of one class or of one image.
# - **The discriminator ends where it can only guess:** its loss settles at $2 \ln 2 \approx 1.39$, which is
#   $-\log \tfrac12$ for the draws plus as much for the codes.
#
# With an encoder in front, "move the points" becomes "change the encoder's weights so that the points move". Nothing else changes.

# %% [markdown]
# ## Three losses on images
#
# Now the whole of Figure 1. A `System` in this course is a set of networks and a list of *phases*. First the networks: three
# boxes, two of which see images.


# %%
class ThreeNetworks(System):
    """The boxes of Figure 1, their weights drawn from ``seed``."""

    def __init__(self, image_shape, *, prior, hidden, seed=0):
        super().__init__(image_shape)
        self.prior = prior
        self.encoder = Encoder(image_shape, prior.dim, hidden=hidden)  # (B, C, H, W) -> (B, Z)
        self.decoder = Decoder(prior.dim, image_shape, hidden=hidden)  # (B, Z) -> (B, C, H, W)
        self.discriminator = Discriminator((prior.dim,), hidden=hidden)  # (B, Z) -> (B,) logits
        initialise(self, seed)


# %% [markdown]
# Then the phases. Each names a loss, and the networks which that loss is allowed to move; `fit` freezes all others meanwhile.
# Look at `learns` in the last two: the same discriminator judges in both, but in one it learns and in the other the encoder
# does. Swapping them is a favourite bug.


# %%
class TwoPhases(ThreeNetworks):
    """Reconstruction, then regularization (Makhzani et al. 2015, Sec. 2)."""

    def reconstruction_loss(self, batch):
        z = self.encoder(batch.images)  # (B, Z)
        error = self.decoder(z) - batch.images  # (B, C, H, W)
        return 0.5 * error.square().flatten(1).sum(dim=1).mean()

    def discriminator_loss(self, batch):
        real = self.prior.sample(len(batch), batch.generator)  # (B, Z)
        fake = self.encoder(batch.images)  # (B, Z)
        return bce(self.discriminator(real), 1) + bce(self.discriminator(fake), 0)

    def generator_loss(self, batch):
        fake = self.encoder(batch.images)  # (B, Z)
        return bce(self.discriminator(fake), 1)

    def phases(self):
        step, game = Adam(5e-4), Adam(2e-4, beta1=0.5)
        return [
            Phase("reconstruction", self.reconstruction_loss, learns=(self.encoder, self.decoder), optimizer=step),
            Phase("discriminator", self.discriminator_loss, learns=(self.discriminator,), optimizer=game),
            Phase("generator", self.generator_loss, learns=(self.encoder,), optimizer=game),
        ]


# %% [markdown]
# Two details matter more than they look:
#
# - **The reconstruction loss is a sum over pixels**, half the squared error of a whole image, averaged over the batch only. The
#   paper's learning rates are meant for this scale. [Further down](#What-healthy-losses-look-like) you see what an average over
#   pixels does to them.
# - **The generator's loss is $-\log D(z)$**, not the $\log(1 - D(z))$ of the formula above. Both want the same, but while the
#   discriminator is winning, the gradient of $\log(1 - D)$ vanishes and that of $-\log D$ does not (Goodfellow et al. 2014).
#
# Three epochs are few, so the phases take larger steps here than the cautious ones listed above, and smaller ones towards the
# end (`drops` divides them from that epoch on). In the last epoch the reconstruction's steps shrink more than the game's: the game
# is to have the last word.

# %%
game = Adam(4e-4, beta1=0.5, drops={settings.settle: 4})
optimizers = {"reconstruction": Adam(1e-3, drops={settings.settle: 10}), "discriminator": game, "generator": game}
system = TwoPhases(data.image_shape, prior=Gaussian(2), hidden=settings.hidden, seed=0)
updates = settings.training["epochs"] * (len(data.train) // settings.training["batch_size"])
picture_at = (0, updates // 30, updates // 3, updates)

# %% [markdown]
# While it trains we keep some pictures: ten test images reconstructed, ten fixed draws of the prior decoded, and the codes of
# 2,000 test images. **Predict, then run:** which will look like digits first, the reconstructions or the decoded draws?

# %%
ten = torch.stack([test[data.test.labels == digit][0] for digit in range(10)])  # (10, C, H, W), one of each class
draws = Gaussian(2).sample(10, torch.Generator().manual_seed(1))  # (10, 2)
keep = dict(
    reconstructed=lambda s: s.reconstruct(ten), decoded=lambda s: s.decode(draws), codes=lambda s: s.encode(test[:2000])
)
kept = {name: Snapshots(take, at=picture_at) for name, take in keep.items()}
history = fit(system, data.train, **settings.training, optimizers=optimizers, callbacks=kept.values())
print(f"answering every image with the mean image: {history.mean_image_loss:.1f}")
assert history.losses["reconstruction"][-1] < history.mean_image_loss
figures.show(
    figures.training_curves(history),
    alt="Left: the reconstruction loss falls from above the dashed line of the mean image to well below it, fast at first. Right: "
    "after a short struggle the losses of discriminator and generator stay close to their dashed lines, 2 ln 2 and ln 2.",
)

# %% [markdown]
# The reconstruction loss ends near 17 per image; answering every image with the [mean image](glossary.ipynb#Mean-image) would cost 26. The two losses of the game come to rest close to the price of guessing, $2 \ln 2$ and $\ln 2$.
#
# Is this what the library ships? One cell to prove it: your two phases and `AdversarialAutoencoder`, same seed, a few hundred
# images, and every recorded loss the same to the last bit.

# %%
# NBVAL_CHECK_OUTPUT
few = data.train.take(torch.arange(300))
same_start = dict(prior=Gaussian(2), hidden=(64, 64), seed=0)
ours = TwoPhases(data.image_shape, **same_start)
theirs = AdversarialAutoencoder(data.image_shape, **same_start, discriminator_hidden=(64, 64), batch_norm=False)
steps = {phase.name: phase.optimizer for phase in ours.phases()}
course = dict(epochs=4, batch_size=50, optimizers=steps, progress=False)
our_losses, their_losses = (fit(s, few, **course).losses for s in (ours, theirs))
same = all((our_losses[name] == their_losses[name]).all() for name in their_losses)
assert same
print("phases:", ", ".join(our_losses))
print("same losses:", same)

# %% [markdown]
# ### The same in plain PyTorch
#
# What does `fit` do that you do not see? Nothing that you could not write. Here is the whole system once more, without a `System`, a
# `Phase` or `fit`: three `nn.Sequential`, an optimizer for each phase, and a loop. Only the mini-batches come from the library, so
# that both see the same images in the same order.
#
# Note the two places where a careless loop goes wrong. In the discriminator's phase the codes are *detached*: its loss must not
# move the encoder, which would learn to be told apart. And in the generator's phase the gradient goes through the discriminator,
# which must stay as it is: only the encoder's weights are in that optimizer. (What is left over in the discriminator's `.grad` is
# wiped by the next `zero_grad`.) `fit` does both by freezing all networks that a phase does not name. (`fused=True` changes no formula,
# only how sums are rounded; `fit` has it too, because it is faster.)


# %%
def network(numbers_in, numbers_out):
    """Two hidden layers of 64 units."""
    layers = nn.Linear(numbers_in, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, numbers_out)
    return nn.Sequential(*layers)


pixels = data.train.images[0].numel()
encoder = nn.Sequential(nn.Flatten(), network(pixels, 2))  # (B, C, H, W) -> (B, 2)
decoder = nn.Sequential(network(2, pixels), nn.Sigmoid())  # (B, 2) -> (B, C · H · W)
discriminator = network(2, 1)  # (B, 2) -> (B, 1) logits
rebuilt = TwoPhases(data.image_shape, **same_start)  # lends its first weights and its mini-batches
for plain, theirs in zip((encoder, decoder, discriminator), rebuilt.children(), strict=True):
    for weight, other in zip(plain.parameters(), theirs.parameters(), strict=True):
        weight.data.copy_(other.data)

# %%
reconstruct = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=5e-4, fused=True)
discriminate = torch.optim.Adam(discriminator.parameters(), lr=2e-4, betas=(0.5, 0.999), fused=True)
generate = torch.optim.Adam(encoder.parameters(), lr=2e-4, betas=(0.5, 0.999), fused=True)
batches = Batches(rebuilt, few, labelled=None, batch_size=50, seed=0)
generator = torch.Generator().manual_seed(0)  # as fit's: both draw the same from the prior
by_hand = []
for update in range(4 * len(few) // 50):
    x = batches.at(update, generator).images  # (B, C, H, W)

    reconstruction = 0.5 * (decoder(encoder(x)) - x.flatten(1)).square().sum(dim=1).mean()
    descend(reconstruct, reconstruction)

    z, draws = encoder(x).detach(), torch.randn(len(x), 2, generator=generator)  # (B, 2) each
    discrimination = bce(discriminator(draws), 1) + bce(discriminator(z), 0)
    descend(discriminate, discrimination)

    generation = bce(discriminator(encoder(x)), 1)
    descend(generate, generation)
    by_hand.append([reconstruction.item(), discrimination.item(), generation.item()])

# %%
# NBVAL_CHECK_OUTPUT
fit(rebuilt, few, epochs=4, batch_size=50, precision="float32", device="cpu", progress=False)
apart = max(
    (weight - other).abs().max().item()
    for plain, theirs in zip((encoder, decoder, discriminator), rebuilt.children(), strict=True)
    for weight, other in zip(plain.parameters(), theirs.parameters(), strict=True)
)
assert apart < 1e-6
print(f"after {len(by_hand)} updates the weights of both differ by less than a millionth: {apart < 1e-6}")

# %% [markdown]
# From here on we use the library's class.
#
# ## From the first update to the last
#
# These are the pictures that were kept. First ten test images, reconstructed:

# %%
figures.show(
    figures.snapshots(kept["reconstructed"].pictures, "Ten test images, reconstructed"),
    alt="Four rows of ten reconstructions. Before training: grey noise. A little later: blurred shapes, few of them digits. A "
    "third of the way and at the end: soft digits, about half of them of the right class.",
)

# %% [markdown]
# And ten fixed draws of the prior, decoded:

# %%
figures.show(
    figures.snapshots(kept["decoded"].pictures, "Ten draws of the prior, decoded"),
    alt="Four rows of ten decoded draws of the prior. Before training: grey noise. A little later: ragged blobs and rings. A third "
    "of the way and at the end: most are soft digits, and they differ.",
)

# %%
codes = kept["codes"].pictures
panels = {f"update {update:,}": (codes[update], data.test.labels[:2000]) for update in picture_at[1:]}
figures.show(
    figures.latent_scatters(panels, system.prior, classes=data.classes),
    alt="Three panels of test codes coloured by class over grey rings, the prior. Early on the codes are a clump that leaves the "
    "outer rings empty. Later they cover all rings, and the classes lie in sectors of a round cloud.",
)

# %% [markdown]
# Neither is ahead: both rows turn into digits at about the same time. Both use the same decoder, but at different places:
# reconstructions at the codes of images, draws wherever the prior puts them. For a draw to become a digit, $q(z)$ must be where
# the draws are, and the scatter shows it getting there. The codes begin as a clump and spread over the prior while the classes
# sort themselves into sectors. Nobody gave the system a label; the colours are ours.
#
# [Notebook 01](01_autoencoders_vaes_gans.ipynb) measured *holes*: the share of draws with no code nearby. There the draws came from a
# Gaussian fitted to the codes of an autoencoder, and from the prior of a VAE, both of these same networks, after as many updates.
# Now the third:

# %%
holes_left = holes(system.encode(data.train.images[:10_000]), system.prior)
print(f"holes: {holes_left:.1%} of the prior (draws of the prior themselves: 0.8%)")
assert settings.profile == "smoke" or holes_left < 0.1

# %% [markdown]
# It leaves fewer holes than both: 4.5 % of the prior, where the VAE left 10.2 % and the autoencoder, with a Gaussian fitted to its codes,
# 20.3 %. <!-- 10.2, 20.3: notebooks/01_autoencoders_vaes_gans.ipynb --> It does not close them either. (More differs than the
# game. That VAE's steps do not shrink; where they did, in a trial, it left no fewer. And it has the cross-entropy of pixels for its
# likelihood; [notebook 03](03_aae_versus_vae.ipynb) finds that another closes more of them.)

# %% [markdown]
# ## What the trained system can do
#
# It encodes and decodes like an autoencoder, and generates like a GAN. All of these images are new to it: test images, draws of
# the prior, and points on the line between two codes.

# %%
figures.show(
    figures.reconstructions(system, ten),
    alt="Ten test digits, one of each class, above their soft reconstructions from two numbers. About half keep their class; "
    "others turn into a similar digit or a blur.",
)
figures.show(
    figures.show_images(system.sample(40, seed=1), columns=10, title="Forty draws of the prior, decoded"),
    alt="Forty decoded draws of the prior in a grid. Most are readable digits of various classes and slants; a few lie between "
    "two digits.",
)

# %%
figures.show(
    figures.interpolation(system, ten[0], ten[1], steps=10),
    alt="Ten images decoded along a straight line from the code of a zero to the code of a one: the zero changes its shape step "
    "by step, passes through other digits, and ends as a one.",
)

# %% [markdown]
# Two numbers per image are few. What is common, such as a slanted one or a round zero, comes back well; fine strokes are lost, and
# digits that look alike become one another. Yet the draws look much like the reconstructions: to the eye the decoder does as well on
# the prior as on codes of images, which is what we wanted. The line from one code to another stays inside $q(z)$, so it leads through other
# digits, with a blur where it crosses from class to class.
#
# ## Is q(z) the prior?
#
# In two dimensions one can look. In more, one must measure. So we train the same system with an 8-dimensional code, as the paper has
# it where it estimates likelihoods on MNIST.
#
# **Predict, then run.** With four times as many numbers per image, does the reconstruction loss fall to a half, a quarter, or
# does it barely change?

# %%
wide = AdversarialAutoencoder(
    data.image_shape,
    prior=Gaussian(8),
    hidden=settings.hidden,
    discriminator_hidden=settings.hidden,
    batch_norm=False,
    seed=0,
)
wide_history = fit(wide, data.train, **settings.training, optimizers=optimizers)
assert wide_history.losses["reconstruction"][-1] < history.losses["reconstruction"][-1]
figures.show(
    figures.reconstructions(wide, ten),
    alt="Ten test digits above their reconstructions from eight numbers, sharper than before. Most are right; two or three with unusual shapes are still blurred or another digit.",
)
figures.show(
    figures.show_images(wide.sample(20, seed=1), columns=10, title="Twenty draws of the 8-D prior, decoded"),
    alt="Twenty decoded draws of the eight-dimensional prior: more than half are readable digits, the others lie between two.",
)

# %% [markdown]
# The loss is near 9.0, about half that of the 2-D code. Most digits keep their class, and more than half of the draws are readable.
# Now look at the cloud of test codes from several sides.
#
# **Moments.** If $q(z)$ is $\mathcal{N}(0, I)$, every dimension has mean 0 and standard deviation 1, and the dimensions are
# uncorrelated, so that the covariance matrix is the identity. In parentheses stands the prior. The last line has the size of the
# difference of both matrices (the root of the sum of its squared entries) as a share of the prior's.

# %%
z = wide.encode(test)  # (N, 8)
print(moments(z, wide.prior).table())

# %% [markdown]
# **Normality.** Mean and standard deviation do not make a bell. The [Kolmogorov-Smirnov distance](glossary.ipynb#Kolmogorov-Smirnov-distance) does see the shape: it is the
# largest gap between the codes' cumulative distribution and the Gaussian's, 0 when they are equal, 1 at most. A finite sample
# never scores 0, not even one that was drawn from the Gaussian itself. So each number stands beside its **[floor](glossary.ipynb#Floor)**: what as many
# draws of the prior would score against the prior.

# %%
print(normality(z).table())

# %%
figures.show(
    figures.code_histograms(z, wide.prior),
    alt="Eight histograms, one per dimension of the code, drawn as lines over the grey bell of the prior; in each the line follows "
    "the bell closely, with small deviations.",
)

# %% [markdown]
# To the eye the bells agree. The numbers see more: the distances are two to five times their floor. So the honest answer is
# that $q(z)$ came *near* the prior and is not equal to it. After a few epochs the discriminator finds little difference any
# more; a statistic over ten thousand codes sees it.
#
# **All dimensions together.** Each dimension may be Gaussian on its own while the joint cloud is not. Two distances look at the
# joint cloud. The *[MMD²](glossary.ipynb#Maximum-mean-discrepancy)* compares how near codes are to draws with how near each are to their own kind
# ([notebook 04](04_gans_and_moment_matching.ipynb) writes one out, with another kernel). The *[sliced Wasserstein distance](glossary.ipynb#Sliced-Wasserstein-distance)* looks
# along 100 random directions, where both clouds become numbers in a row: sort them, and see how far codes would have to move to
# become draws; the root mean square over the directions. Again, read them against the floor. (This MMD² is an estimate that is 0 on
# average between two samples of one distribution, so half of the time it comes out negative.)

# %%
print(distance_to_prior(z, wide.prior, count=2000).table())

# %% [markdown]
# Both are several times their floor's ± away from it: the joint cloud, too, is near the prior and not equal to it. (It is not that the
# encoder never saw these images: in a trial, codes of as many training images came no nearer.)
#
# **Structure inside the bell.** A cloud that looks like noise in every dimension still has order. [t-SNE](glossary.ipynb#t-SNE) draws near codes near
# each other in the plane; sizes and distances between groups mean little in such a drawing. (A number stands in the middle of its class, so
# between its islands if it has several: go by the colours.)

# %%
figures.show(
    figures.tsne(z, data.test.labels, classes=data.classes),
    alt="t-SNE of the eight-dimensional test codes coloured by class: one connected cloud in which every class forms one to four islands; the ones lie apart, fours and nines are mixed.",
)


def class_accuracy(z):
    """How often the five nearest of one half of the test codes (N, Z) tell the class of a code in the other half."""
    (first, second), (first_labels, second_labels) = z.chunk(2), data.test.labels.chunk(2)
    return knn_accuracy(first, first_labels, second, second_labels, neighbours=5)


print(f"accuracy of the five nearest neighbours: {class_accuracy(z):.0%}")

# %% [markdown]
# Every digit has neighbourhoods of its own, some digits two or three of them, all without labels and inside one single Gaussian.
# A classifier that asks the five nearest codes for their labels is right for about five digits in six. This is the toy's lesson
# again: the prior fixes the cloud as a whole, and reconstruction decides who sits next to whom.

# %% [markdown]
# ## What healthy losses look like
#
# The reconstruction loss of an adversarial autoencoder falls, as every loss should. The other two are a game's, and a good game
# is a draw: $2 \ln 2 \approx 1.39$ for the discriminator, $\ln 2 \approx 0.69$ for the generator. Neither should fall. Two
# accidents show how it looks when something is wrong.
#
# **Averaging over pixels.** Take the paper's kind of optimizer for the reconstruction, SGD with momentum 0.9 (and a learning rate of 0.001,
# since the paper's 0.01 is meant for initial weights much smaller than ours, as in exercise 5), but compute the loss with `torch.nn.MSELoss`, which averages over pixels. This divides every gradient by half the number of
# pixels, 392 on MNIST. Dividing the learning rate by 392 instead has the same effect, and leaves the loss in the units that we
# know. Beside it, all else equal, the run that sums: <!-- 392: half of 28 · 28 pixels -->

# %%
few = data.train.take(torch.arange(min(10_000, len(data.train))))
short = dict(epochs=4 if data.name == "digits" else 1, batch_size=20, progress=False)
courses = {}
for name, divisor in {"summed": 1, "averaged": few.images[0].numel() / 2}.items():
    steps = {"reconstruction": SGD(1e-3 / divisor, momentum=0.9)}
    courses[name] = fit(
        TwoPhases(data.image_shape, prior=Gaussian(2), hidden=settings.hidden), few, **short, optimizers=steps
    )
    lower = courses[name].updates[courses[name].losses["reconstruction"] < courses[name].mean_image_loss]
    crossed = f"below the mean image's from update {lower[0]} on" if len(lower) else "never below the mean image's"
    print(f"{name:9} {courses[name].update} updates: {crossed}; {courses[name].health()}")
assert settings.profile == "smoke" or courses["averaged"].health() != "healthy"

# %%
figures.show(
    figures.training_curves(courses["averaged"]),
    alt="Left: the reconstruction loss sinks slowly and during the whole run stays above the dashed line of the mean image. Right: "
    "the discriminator's loss wiggles about its dashed line, the generator's lies above its own.",
)

# %% [markdown]
# After 500 updates the decoder of the averaged run is still worse than one that answers with the mean image; with the sum it crosses
# that line within the first 150 or so. The game on the right goes on regardless. The remedy is
# to sum over pixels. (Adam would have hidden the bug, because its steps do not depend on the scale of a loss. SGD does not forgive
# it.)
#
# **A discriminator that wins.** Now a 20-dimensional prior, and the generator's step is forgotten: a learning rate of 0. Beside it,
# all else equal, the run that remembers it.

# %%
wins = {}
for name, optimizer in {"without the generator's step": {"generator": Adam(0.0)}, "with it": {}}.items():
    wins[name] = TwoPhases(data.image_shape, prior=Gaussian(20), hidden=settings.hidden, seed=0)
    courses[name] = fit(wins[name], few, **short, optimizers=optimizer)
    print(f"{name}: {courses[name].summary()}")
assert courses["without the generator's step"].losses["discriminator"][-1] < 0.5
figures.show(
    figures.training_curves(courses["without the generator's step"]),
    alt="Left: the reconstruction loss falls quickly far below the dashed line of the mean image. Right: the discriminator's loss "
    "falls to nearly 0 while the generator's rises far above its dashed line.",
)

# %%
for name, each in wins.items():
    found = moments(each.encode(test), each.prior)
    low, high = found.std.min(), found.std.max()
    print(f"{name}: means up to {found.mean.abs().max():.2f}, standard deviations {low:.2f} to {high:.2f}, ", end="")
    print(f"covariance off by {found.covariance_distance:.0%} (the prior itself {found.covariance_floor:.0%})")
figures.show(
    figures.show_images(
        torch.cat([each.sample(10, seed=1) for each in wins.values()]),
        10,
        "The same ten draws, decoded",
        rows=("without", "with"),
    ),
    alt="Two rows of ten decoded draws of the 20-dimensional prior. Without the generator's step: tangles "
    "of bright strokes, hardly any a digit. With it: firmer strokes, a few digits, the others still broken.",
)

# %% [markdown]
# Whoever watches the reconstruction alone notices nothing: it falls to 8.05 without the game, lower than with it (9.18) and lower than our
# 8-D system's. The discriminator's loss near 0 and the generator's near 10 say that codes and draws are told apart with certainty, and
# the draws show what that means: tangles of strokes, where the game, after no more than 500 updates, gives firmer strokes and the first digits. Do not
# trust a glance at the standard deviations: without the game they happen to be of the right order, at 0.98 to 1.52. The means, up to
# 1.55, and the covariance, off by 114 %, tell on it (with the game: 0.79 and 42 %). In 20 dimensions there is plenty of room beside the codes, and the draws fall there.
#
# A rule of thumb: discriminator's loss between 1 and 1.5, generator's between 0.6 and 1.3, neither with a trend, and the
# reconstruction loss well below that of the mean image. Healthy curves are necessary, not sufficient. A weak discriminator that
# cannot see a difference also scores $2 \ln 2$, which is why we measured $q(z)$ directly.
# <!-- 1.5, 0.6, 1.3: our own rule, from trainings such as those of this course -->

# %% [markdown]
# ## Three encoders
#
# $q(z)$ has to become a smooth density. Where does its randomness come from? The paper tries three encoders $q(z \mid x)$:
#
# - **Deterministic:** $z = f(x)$. All randomness is that of the data: another image, another code. A training set is finite, so
#   this $q(z)$ is a finite set of points, and the discriminator could, in principle, learn them by heart.
# - **Gaussian:** $z = \mu(x) + \sigma(x)\,\varepsilon$ with $\varepsilon \sim \mathcal{N}(0, I)$, as in a VAE. The encoder learns $\mu$ and
#   $\sigma$, and each image gets a little cloud of codes.
# - **[Universal approximator](glossary.ipynb#Universal-approximator):** $z = f(x, \eta)$ with noise $\eta \sim \mathcal{N}(0, I)$ as a further *input*. The network can bend
#   this noise into a cloud of any shape, whose density nobody can write down. The game needs draws only, so nobody has to.
#
# The three losses stay the same, and one call changes: `self.encoder(batch.images)` becomes
# `self.encoder(batch.images, batch.generator)`. From that generator an encoder draws its noise, a fresh draw in each loss. Our
# `TwoPhases` leaves it out, which makes no difference to a [deterministic encoder](glossary.ipynb#Deterministic-encoder), but would turn the noise of the two others off: a
# Gaussian one would answer with $\mu(x)$ alone. The library's class passes it, so we use that. What the three then do, in full:


# %%
def deterministic(encoder, x, generator):
    return encoder.body(x.flatten(1))  # (B, Z)


def gaussian(encoder, x, generator):
    mean, log_variance = encoder.body(x.flatten(1)).chunk(2, dim=1)  # (B, Z) each: the last layer is twice as wide
    noise = torch.randn(mean.shape, generator=generator)
    return mean + (0.5 * log_variance).exp() * noise


def universal(encoder, x, generator):
    noise = torch.randn(len(x), encoder.noise_dim, generator=generator)  # (B, 16)
    return encoder.body(torch.cat([x.flatten(1), noise], dim=1))  # the first layer is 16 numbers wider


for forward in (deterministic, gaussian, universal):
    encoder = Encoder(data.image_shape, 2, posterior=forward.__name__, hidden=(64, 64))
    initialise(encoder, seed=0)
    ours = forward(encoder, test[:50] / 255, torch.Generator().manual_seed(1))
    assert torch.equal(ours, encoder(test[:50] / 255, torch.Generator().manual_seed(1)))

# %% [markdown]
#
# In a VAE, the KL term keeps each image's cloud from shrinking. **Predict, then run:** what will happen to the size of the clouds
# *here*? Which loss wants them large, which wants them small?


# %%
def cloud_size(system):
    """Standard deviation of one image's codes over 20 draws from q(z | x): mean over 200 images and all dimensions."""
    return torch.stack([system.encode(test[:200], seed=seed) for seed in range(20)]).std(dim=0).mean().item()


widths = dict(hidden=settings.hidden, discriminator_hidden=settings.hidden, batch_norm=False)
encoders, untrained = {"deterministic": system}, {"deterministic": 0.0}
for posterior in ("gaussian", "universal"):
    print(posterior)
    made = AdversarialAutoencoder(data.image_shape, prior=Gaussian(2), posterior=posterior, **widths, seed=0)
    encoders[posterior], untrained[posterior] = made, cloud_size(made)
    fit(made, data.train, **settings.training, optimizers=optimizers)

# %% tags=["title-figure"]
drawn = {name: trained.encode(test, seed=1) for name, trained in encoders.items()}  # draws from q(z | x), one per image
panels = {name: (z[:2000], data.test.labels[:2000]) for name, z in drawn.items()}
figures.show(
    figures.latent_scatters(panels, system.prior, classes=data.classes),
    alt="Three panels, one per encoder: test codes coloured by class over the prior's grey rings. In each, the classes fill a round cloud of about the prior's size, in sectors that partly overlap; which class lies where differs.",
)

# %% [markdown]
# Who sits where differs from encoder to encoder, as it would from seed to seed. The clouds look alike. In numbers, on the test
# images, with one code drawn for each: the reconstruction loss, the accuracy of the [five nearest neighbours](glossary.ipynb#Nearest-neighbours), and the sliced
# Wasserstein distance to the prior with its floor. Last comes the size of one image's own cloud, which is the standard deviation
# of its codes over 20 draws, before the training and after it.

# %%
print(
    f"{'encoder':14}{'reconstruction':>16}{'5-NN accuracy':>15}{'distance':>10}{'(floor)':>9}{'cloud then':>13}{'now':>8}"
)
for name, trained in encoders.items():
    z, size = drawn[name], cloud_size(trained)
    reconstruction = 0.5 * (trained.decode(z) - test / 255).square().flatten(1).sum(dim=1).mean()
    distance = distance_to_prior(z, trained.prior, count=2000)
    floor = f"({distance.sliced_wasserstein_floor:.2f})"
    row = f"{class_accuracy(z):15.0%}{distance.sliced_wasserstein:10.2f}{floor:>9}{untrained[name]:13.3f}{size:8.3f}"
    print(f"{name:14}{reconstruction:16.1f}{row}")
    assert settings.profile == "smoke" or size < 0.2

# %% [markdown]
# All three reconstruct about equally well (near 17), keep the classes apart about equally well, and come about equally near to the
# prior. The paper says the like of its three: similar test likelihoods after a long search for good settings.
#
# The last column says why. The clouds have all but vanished: one image's codes spread over a few hundredths at most, where the
# prior has a standard deviation of 1; before the training they were wider, the Gaussian encoder's by far. The reconstruction loss wants them small, because noise
# in a code is error in an image. No loss wants them large: the game does not object, since it looks at the cloud of *all* codes, which
# 50,000 different images fill well enough on their own. In a VAE, the KL term would object for each image;
# [notebook 03](03_aae_versus_vae.ipynb) measures the difference. Noise can become useful where the data do not have enough variety to
# fill the prior, for example when the code has many more dimensions than the data (exercise 6).

# %% [markdown]
# ## Beside the paper
#
# | | the paper | here (quick profile) |
# |---|---|---|
# | Figure 1 | the architecture | the same, [above](#The-idea) |
# | networks | two hidden layers of 1000 ReLU units | two of 512 |
# | optimizer | SGD with momentum; 0.01 for reconstruction, 0.1 for the game (the second-hand values that later papers and code give) | Adam; 0.001 and 0.0004 |
# | training | hundreds to thousands of epochs (likewise) | 3 epochs (1,500 updates), one seed |
# | prior | for its likelihoods $\mathcal{N}(0, 5^2 I)$, with 8 dimensions | standard deviation 1 throughout; [notebook 06](06_likelihood.ipynb) has the wide one |
# | three encoders | after a search over hyper-parameters, similar test likelihood with each, so the rest of the paper uses the deterministic one | similar reconstruction (17), accuracy and distance to the prior, see [the table](#Three-encoders) |
#
# The likelihood that the paper compares is estimated in [notebook 06](06_likelihood.ipynb). With one seed and three epochs, our table can show that
# the three are alike; it cannot rank them.
#
# ## Play
#
# Drag through the 2-D latent space. Where do the digits change into one another, and what does the decoder draw far away from
# all codes?

# %%
from aae_lib.widgets import explore

explore(system, test[:1000], labels=data.test.labels[:1000])

# %% [markdown]
# ## Summary
#
# - The aggregated posterior $q(z) = \int q(z \mid x)\, p_d(x)\, dx$ is the cloud of all codes. Where it equals the prior, draws of
#   the prior decode to images.
# - Two phases on every mini-batch: reconstruction moves encoder and decoder; regularization moves the discriminator, then the
#   encoder as the generator. The prior enters through its draws only.
# - The whole cloud is matched, never one image's codes. Classes sort themselves inside it.
# - A distance of $q(z)$ to $p(z)$ means something beside its floor, the distance of the prior to itself.
# - The three encoders behave alike here: reconstruction takes the noise away from the encoders that could use it.
# - A healthy game is a draw, $2 \ln 2$ and $\ln 2$. A discriminator near 0 has won; a reconstruction near the mean image's has the
#   wrong scale.

# %% [markdown]
# ## Exercises
#
# Exercises A and B are functions to write. Put your lines in the place of `...`, run the cell, and then the cell below it: it says
# whether the function is right or, in a sentence, what is wrong with it. Both need nothing that was computed above.

# %% tags=["exercise"]
import torch
from torch.nn import functional as F

from aae_lib import exercises

# %% [markdown] tags=["exercise"]
# **A** *(easy, code)* Write the generator's loss of codes $z$ (B, Z), the form that does not saturate. `discriminator(codes)` returns
# logits (B,). Expected: $\ln 2 \approx 0.69$ where the discriminator can only guess.


# %% tags=["exercise"]
def generator_loss(discriminator, codes):
    """Mean of −log D(z) over codes (B, Z): a scalar. Its gradient reaches the codes."""
    ### BEGIN SOLUTION
    logits = discriminator(codes)  # (B,)
    return F.binary_cross_entropy_with_logits(logits, torch.ones_like(logits))
    ### END SOLUTION


# %% tags=["exercise"]
exercises.check_generator_loss(generator_loss)

# %% [markdown] tags=["exercise"]
# **B** *(medium, code)* Write the discriminator's loss of draws of the prior and codes, (B, Z) each, as you would for a training loop
# without `fit`: nobody freezes the encoder there, and the codes still hang on it. Expected: $2 \ln 2 \approx 1.39$ where the
# discriminator can only guess, and no gradient in the encoder.


# %% tags=["exercise"]
def discriminator_loss(discriminator, draws, codes):
    """Mean of −log D over draws (B, Z) plus mean of −log(1 − D) over codes (B, Z): a scalar."""
    ### BEGIN SOLUTION
    real, fake = discriminator(draws), discriminator(codes.detach())  # (B,) each
    return F.softplus(-real).mean() + F.softplus(fake).mean()
    ### END SOLUTION


# %% tags=["exercise"]
exercises.check_discriminator_loss(discriminator_loss)

# %% [markdown]
# 1. *(easy, prediction)* Train with `Gaussian(2, std=5)`, and with `Uniform(2)` from `aae_lib.priors`. Predict the code histograms
#    first.
#    <details><summary>Expected</summary>A bell five times as wide, and a box from −1 to 1 with rounded edges.</details>
# 2. *(easy)* Swap the networks in `learns` of the last two phases. Which curve tells you first?
#    <details><summary>Expected</summary>The generator's: it falls to nearly 0, since D now learns to call codes draws, and nobody tells it otherwise. The discriminator's grows.</details>
# 3. *(medium)* Drop the regularization, so that `phases()` returns the first phase only, and measure `aae_lib.evaluation.holes`
#    with and without it.
#    <details><summary>Expected</summary>Without it about 12 % of the prior are holes (and 22 % of a Gaussian fitted to the codes), with it 4.5 %.</details>
# 4. *(medium)* Write the generator's loss as in the formula, $\log(1 - D(z))$, and start the toy's blobs ten times farther away.
#    What happens, and why does $-\log D(z)$ not suffer from it?
#    <details><summary>Hint</summary>It is <code>-bce(discriminator(z), 0)</code>. Look at the gradient of each loss where D(z) is nearly 0.</details>
#    <details><summary>Expected</summary>With log(1 − D) the points hardly move: 0.1 on average in 600 steps, where −log D moves them by 9. So far away D is sure, and the slope of log(1 − D) in the logit is −D, nearly 0; that of −log D is D − 1, nearly −1.</details>
# 5. *(medium)* Train with the paper's optimizers: `SGD(0.01, momentum=0.9)` for the reconstruction, `SGD(0.1, momentum=0.1)` for the
#    game, and `initial_std=0.01` for the weights, without batch normalisation (`batch_norm=False`).
#    <details><summary>Hint</summary><code>AdversarialAutoencoder</code> takes <code>initial_std</code>; <code>fit</code> takes the optimizers by phase.</details>
#    <details><summary>Expected</summary>After three epochs the reconstruction loss was about 19, where the steps above gave 17, and the game was healthy.</details>
# 6. *(hard, open-ended)* Make the noise useful. Train the deterministic and the universal encoder with `Gaussian(20)` on 1,000 images and compare
#    `cloud_size` and the distance to the prior. Then change `noise_dim`.
#    <details><summary>Hint</summary>Measure the distance with the codes of the training images, several draws of each.</details>
#    <details><summary>Expected</summary>You have succeeded where the universal encoder comes clearly nearer to the prior and its clouds stay. In 600 updates we only began to: 0.23 against 0.27, with a floor of 0.06, and clouds of 0.06.</details>
# 7. *(hard)* Show that for fixed codes the best discriminator is $D(z) = p(z) / (p(z) + q(z))$, and that its loss is then
#    $2 \ln 2 - 2\,\mathrm{JSD}(p, q)$. Check it with the toy: draw $D$ after 60 steps beside that ratio.
#    <details><summary>Hint</summary>Minimise the loss separately at each point z. In the toy, estimate q(z) with a histogram.</details>
#    <details><summary>Expected</summary>D lies on the ratio where there are points, and does what it likes where there are none.</details>
# 8. *(easy, prediction)* The codes fill exactly the right half of the prior, twice as dense as the prior there, and nothing else. What is
#    the loss of the best discriminator? And when nothing of the prior is filled at all, because all codes lie far outside?
#    <details><summary>Expected</summary>In the right half q = 2p, so D = 1/3; in the left half D = 1. The loss is ½ ln 3 + ln (3/2) ≈ 0.95. Far outside D is always right, and the loss is 0.</details>
# 9. *(easy, exploration)* In the widget above, go round the origin at a distance of about 1, then from the origin outwards. Which of the
#    two changes the digit, which its manner? What do you see on the border of two sectors, and beyond the outermost ring?
#    <details><summary>Expected</summary>Round the origin the digit changes, with a blur where two sectors meet. Outwards it mostly stays what it is. Beyond the rings hardly any code was ever decoded in training: the decoder only goes on with what it drew at the edge.</details>
#
# ## What to read
#
# - Makhzani, Shlens, Jaitly, Goodfellow & Frey 2015, *Adversarial Autoencoders*, [arXiv 1511.05644](https://arxiv.org/abs/1511.05644),
#   Section 2.
# - Goodfellow et al. 2014, *Generative Adversarial Networks*, [arXiv 1406.2661](https://arxiv.org/abs/1406.2661), Section 4: the best
#   discriminator and the equilibrium.
# - Mescheder, Nowozin & Geiger 2017, *Adversarial Variational Bayes*, [arXiv 1701.04722](https://arxiv.org/abs/1701.04722): noise as an
#   input of the encoder, inside a VAE.
# - Rubenstein, Schölkopf & Tolstikhin 2018, *On the Latent Space of Wasserstein Auto-Encoders*,
#   [arXiv 1802.03761](https://arxiv.org/abs/1802.03761): when a random encoder does make a difference.
#
# **Next:** [Adversarial autoencoder or variational autoencoder?](03_aae_versus_vae.ipynb). **Before:**
# [Autoencoders, variational autoencoders and the adversarial game](01_autoencoders_vaes_gans.ipynb).
