# %% [markdown]
# # 13 · StyleALAE
#
# The last notebook cut a GAN in two and gave each half a latent space $w$. Here the two halves become what made ALAE known: a
# generator that draws a picture from coarse to fine and asks $w$ anew at every step, and an encoder built as its mirror image. Then
# real pictures can be taken apart: pose from one, strokes from another.
#
# **You will learn**
# - how [adaptive instance norm](glossary.ipynb#Adaptive-instance-norm) lets a code style a picture, and how the encoder reads the styles back;
# - what else a style-based generator has: a constant input, a [mapping network](glossary.ipynb#Mapping-network), noise, [equalised learning rates](glossary.ipynb#Equalised-learning-rate), [averaged weights](glossary.ipynb#Averaged-weights);
# - the three steps of its training, and a gradient penalty that is taken at every eighth update only;
# - to [grow](glossary.ipynb#Growing) networks by stages without a shock;
# - to mix styles of real images, to move an image along an attribute, and to measure samples, reconstructions and paths.
#
# **You need** [notebook 12](12_adversarial_latent_autoencoders.ipynb): the networks $F$, $G$, $E$, $D$ and [reciprocity](glossary.ipynb#Reciprocity).
#
# **About 4 minutes on one core.** Its main figure is this one, [styles of real digits mixed](#Mixing-real-images), made by a
# stored system that was trained for half an hour: one image stands at the left, another on top, and the networks decide which of
# them has a say at which scale.
#
# ![Three grids of digits. Each mixes four digits at the left with four on top, at coarse, middle and fine scale.](figures/13_style_alae.png)

# %%
from copy import deepcopy

import numpy as np
import torch
from joblib import Parallel, delayed
from sklearn.linear_model import LinearRegression
from torch.nn import functional as F
from tqdm.auto import tqdm

from aae_lib import Snapshots, choose, experiments, figures, fit, load, restore
from aae_lib.evaluation import feature_fid, perceptual_path_length, train_feature_network
from aae_lib.losses import bce
from aae_lib.networks import initialise
from aae_lib.pixels import as_float
from aae_lib.style import adaptive_instance_norm, equalised, statistics
from aae_lib.systems import Adam, AdversarialLatentAutoencoder, Phase, StyleAdversarialLatentAutoencoder

tiny = dict(resolution=16, latent_dim=16, channels=(8, 8, 8))
small = dict(resolution=16, latent_dim=48, channels=(48, 32, 16))
large = dict(resolution=32, latent_dim=128, channels=(128, 128, 64, 32))
settings = choose(
    smoke=dict(data="digits", style=tiny, hidden=(64, 64), stages=(8, 12), seeds=2, batch_size=32, count=200, workers=1),
    quick=dict(data="mnist", style=small, hidden=(256, 256), stages=(150, 250), seeds=3, batch_size=64, count=2000, workers=2),
    paper=dict(data="mnist", style=large, hidden=(1024, 1024), stages=(30_000, 80_000, 120_000), seeds=3, batch_size=128, count=10_000, workers=1),
)  # fmt: skip
data = load(settings.data, fallback="digits")  # your own pictures: data = load("path/to/folder")
test = data.test.images
picked = test[:: max(1, len(test) // 24)][:24]  # for figures: not by eye, but evenly
twelve, left, top, others = picked.split([12, 4, 4, 4])
print(f"{settings.profile}: {len(data.train):,} training images of shape {data.image_shape}, {len(test):,} for testing")

# %% [markdown]
# ## A generator with styles
#
# The decoders so far take a code at their entrance and hear no more of it. The generator $G$ of Karras, Laine & Aila (2019) works
# the other way round. **Its input is a constant**, a map of 4x4 pixels that is learnt and is the same for every picture. What makes
# pictures differ comes from the side: in every layer, $w$ says how strong each channel shall be.
#
# Take one channel of a layer, a map $x$ of numbers for one image, with mean $\mu(x)$ and standard deviation $\sigma(x)$ over its
# pixels. **Adaptive instance norm** (AdaIN; Huang & Belongie 2017) forgets both and puts others in their place, which a linear map
# computes from $w$:
#
# $$\mathrm{AdaIN}(x, w) = (1 + s)\,\frac{x - \mu(x)}{\sigma(x)} + b, \qquad (s, b) = A\,w$$
#
# The pair $(s, b)$ of all channels is the layer's **style**. In code it is three lines.


# %%
def adain(x, s, b):
    """Each channel of x (B, C, H, W) to standard deviation |1 + s| and mean b, both (B, C)."""
    mean = x.mean(dim=(2, 3), keepdim=True)  # (B, C, 1, 1)
    std = x.std(dim=(2, 3), correction=0, keepdim=True)
    return (1 + s[:, :, None, None]) * (x - mean) / std + b[:, :, None, None]


# %% [markdown]
# ### In two dimensions
#
# A map with two channels is a cloud in the plane: every pixel is a point, with its value in channel 1 to the right and in channel 2
# upwards. Here is one, whose left half is blue and whose right half is rose. **Predict, then run:** style A asks for means
# $(1, -1)$ and deviations $(0.3, 1.2)$. What will it do to the cloud, and what can it *not* do?
# <!-- 0.3, 1.2: 1 less 0.7, and 1 and 0.2 -->

# %%
line = torch.linspace(-1, 1, 20)
row, column = torch.meshgrid(line, line, indexing="ij")  # (20, 20) each
x = torch.stack([column + 0.5 * row.square(), row + 0.4 * torch.sin(3 * column)])[None] + 1.0  # (1, 2, 20, 20)
styles = {
    "style A": (torch.tensor([[-0.7, 0.2]]), torch.tensor([[1.0, -1.0]])),
    "style B": (torch.tensor([[0.2, -0.6]]), torch.tensor([[-1.0, 1.0]])),
}
clouds = {"the map": x} | {name: adain(x, s, b) for name, (s, b) in styles.items()}
figure, axes = figures.canvas(3, 3, 3.0, 3.0)
for ax, (name, cloud) in zip(axes, clouds.items(), strict=True):
    ax.scatter(*cloud[0].flatten(1), s=6, c=[figures.BLUE if at < 0 else figures.ROSE for at in column.flatten()])
    ax.set(title=name, xlim=(-4, 4), ylim=(-4, 4), aspect="equal", xlabel="channel 1", ylabel="channel 2")
figures.show(
    figure,
    alt="Three panels of a wavy sheet of points, its left half blue and its right half rose. The map lies right of and above the "
    "middle. Style A moves it down and makes it narrow and tall; style B moves it to the left, wide and flat.",
)

# %% [markdown]
# It moves the cloud and stretches it along the axes. Which pixel lies beside which does not change: the waves stay waves, and the
# colours keep their order. So AdaIN decides *how much* of each channel there is, and never *where* in the picture; that is the
# convolutions' task. Two facts follow, and the rest of the notebook lives on them.

# %%
for name, (s, b) in styles.items():
    found, _ = statistics(clouds[name])  # (1, 4): the means, then the standard deviations
    asked = torch.cat([b, 1 + s], dim=1)
    print(f"{name} asks for", [round(v, 2) for v in asked[0].tolist()], end="; ")
    print("the encoder reads", [round(v, 2) for v in found[0].tolist()])
    torch.testing.assert_close(found, asked)
    torch.testing.assert_close(adain(3 * x - 5, s, b), clouds[name])  # whatever scale came in
    torch.testing.assert_close(adaptive_instance_norm(x, torch.cat([s, b], dim=1)), clouds[name])  # the library's

# %% [markdown]
# - **A style can be read back.** The means and deviations of a map *are* its style (up to the sign of $1+s$: a negative one mirrors
#   the channel, and the deviation read is $|1+s|$). So the encoder $E$ does the same backwards: a convolution, then it notes $\mu$
#   and $\sigma$ of each channel, then *[instance norm](glossary.ipynb#Instance-norm)* takes them out of the map, and so on, from fine to coarse. Its code is the sum of what all its layers noted, $w = \sum_i C_i\,[\mu_i; \sigma_i]$, with learnt matrices $C_i$.
# - **A style acts on one convolution.** It says how strongly each channel enters the next convolution; behind that, the next AdaIN
#   sets all means and deviations anew, whatever came in (the cell checks it with $3x - 5$ in place of $x$). What stays of an earlier
#   style is the pattern it helped to draw. So every layer has a say of its own, and layers may take their $w$ from different images.
#
# A whole layer of $G$ is a convolution, **noise**, a leaky ReLU and AdaIN, and after the last layer a convolution of 1x1 makes a
# picture of the maps. The noise is one fresh random number for every pixel, with a strength learnt for each channel: it is for what
# is random in a picture, so that $w$ need not hold it. And between the random $z$ and $w$ stands the **mapping network** $F$, here of
# eight layers, which you know from ALAE.
#
# ### Steps of equal size
#
# Adam moves every weight by about the learning rate, whatever the gradient. But a layer with many inputs starts with small weights
# (He et al. 2015), so the same step changes it much more. An **equalised learning rate** (Karras et al. 2018) starts the learnt
# numbers at a standard deviation of 1 and multiplies them by $\sqrt{2 / \text{inputs}}$ on every use.


# %%
def first_step(layer, learning_rate=2e-3):
    """How much of its weights, ‖ΔW‖ / ‖W‖, Adam changes in its first step."""
    initialise(layer, seed=0)
    before = layer.weight.detach().clone()
    optimizer = torch.optim.Adam(layer.parameters(), lr=learning_rate)
    layer(torch.ones(1, layer.in_features)).square().sum().backward()
    optimizer.step()
    return float((layer.weight.detach() - before).norm() / before.norm())


for inputs in (16, 256, 4096):
    plain, equal = first_step(torch.nn.Linear(inputs, 8)), first_step(equalised(torch.nn.Linear(inputs, 8)))
    print(f"{inputs:5} inputs: the first step changes plain weights by {plain:.1%}, equalised ones by {equal:.1%}")
assert equal < plain / 10

# %% [markdown]
# The last ingredient needs no cell of its own: the weights that serve for samples, codes and reconstructions are **averages** of
# $F$, $G$ and $E$ over the last few hundred updates. A game never comes to rest, and its average is calmer than its last move;
# [below](#Samples,-reconstructions-and-paths-in-numbers) both are measured.

# %% [markdown]
# ## Three steps
#
# The losses are those of ALAE. With $R = D \circ E$, which says how real an image looks, $\mathrm{sp}(t) = \log(1 + e^t)$, and fresh
# $z$ in each step (Pidhorskyi et al. 2020, Algorithm 1):
#
# $$
# \begin{aligned}
# \text{I} \quad & E, D: & \mathrm{sp}(R(G(F(z)))) + \mathrm{sp}(-R(x)) + \tfrac{\gamma}{2} \lVert \nabla_x R(x) \rVert^2 \\
# \text{II} \quad & F, G: & \mathrm{sp}(-R(G(F(z)))) \\
# \text{III} \quad & E, G: & \lVert F(z) - E(G(F(z))) \rVert^2
# \end{aligned}
# $$
#
# Two things are new. **[Mixing](glossary.ipynb#Style-mixing):** in steps I and II, nine of ten generated images use two $z$, one for the layers up to a random one,
# the other from there on. So neighbouring layers cannot rely on having the same source. **A [lazy penalty](glossary.ipynb#Lazy-penalty):** the gradient of a
# gradient is dear, so the penalty, [R1](glossary.ipynb#R1), is taken at every eighth update, eight times as strong (after Karras et al. 2020).


# %%
class ThreeSteps(StyleAdversarialLatentAutoencoder):
    """StyleALAE's losses on the library's networks F (mapping), G (decoder), E (encoder) and D (discriminator)."""

    def noise(self, batch):
        return torch.randn(len(batch), self.latent_dim, generator=batch.generator, device=batch.images.device)

    def made(self, batch):  # (B, C, H, W), of a w for each of G's L layers
        w = self.mapping(torch.cat([self.noise(batch), self.noise(batch)])).unflatten(0, (2, -1))  # (2, B, Z)
        place = dict(generator=batch.generator, device=w.device)
        from_here = torch.randint(1, self.layers, (len(batch), 1, 1), **place)
        mixes = torch.rand(len(batch), 1, 1, **place) < 0.9
        second = mixes & (torch.arange(self.layers, device=w.device)[:, None] >= from_here)  # (B, L, 1)
        return self.decoder(torch.where(second, w[1, :, None], w[0, :, None]), generator=batch.generator)

    def realness(self, images):
        return self.discriminator(self.encoder(images)).squeeze(1)  # (B,)

    def step_one(self, batch):
        return bce(self.realness(batch.images), 1) + bce(self.realness(self.made(batch)), 0)

    def penalty(self, batch):
        x = batch.images.clone().requires_grad_()
        (slope,) = torch.autograd.grad(self.realness(x).sum(), x, create_graph=True)  # (B, C, H, W)
        return 0.5 * slope.square().flatten(1).sum(dim=1).mean()


# %% [markdown]
# Steps II and III, and who moves in which. In the third step $F$ stays where it is: the codes are given, and $E$ must find them.
# All steps share one Adam. It divides each weight's gradient by that gradient's usual size; with an optimizer of its own, even a
# small loss would take steps as large as the others', and reciprocity, divided here by the width of $w$, can drown the game.


# %%
class StyleALAE(ThreeSteps):
    def step_two(self, batch):
        return bce(self.realness(self.made(batch)), 1)

    def step_three(self, batch):
        w = self.mapping(self.noise(batch))  # (B, Z)
        return (w - self.encoder(self.decoder(w, generator=batch.generator))).square().sum(dim=1).mean()

    def phases(self):
        judges, makers, both = (
            (self.encoder, self.discriminator),
            (self.mapping, self.decoder),
            (self.encoder, self.decoder),
        )
        shared = dict(optimizer="discriminator")  # the first phase's, its moments included
        return [
            Phase("discriminator", self.step_one, learns=judges, optimizer=Adam(5e-3, beta1=0.0, beta2=0.99)),
            Phase("gradient penalty", self.penalty, learns=judges, every=8, factors=(8 * self.gamma,), **shared),
            Phase("generator", self.step_two, learns=makers, **shared),
            Phase("reciprocity", self.step_three, learns=both, factors=(1 / self.latent_dim,), **shared),
        ]


# %% [markdown]
# Is this what the library ships? Same seed, same losses, over nine updates, so that the penalty comes twice:

# %%
# NBVAL_CHECK_OUTPUT
few = data.train.take(torch.arange(min(256, len(data.train))))
same_start = dict(resolution=16, latent_dim=16, channels=(8, 8, 8), gamma=1.0, seed=0)
pair = (StyleALAE(data.image_shape, **same_start), StyleAdversarialLatentAutoencoder(data.image_shape, **same_start))
our_losses, their_losses = (
    fit(s, few, updates=9, batch_size=32, precision="float32", progress=False).losses for s in pair
)
same = all(np.array_equal(our_losses[name], their_losses[name], equal_nan=True) for name in their_losses)
assert same
print("phases:", ", ".join(our_losses))
print("same losses:", same)

# %% [markdown]
# ## Growing
#
# Karras et al. (2018) begin with pictures of few pixels and add a block of layers when these are mastered. We begin with 8x8, which
# is cheap. The library's class has this built in: `growing=True`, one `fit` for each stage, and `grow()` in between.
#
# One training says little about a method, so three are made, from three seeds, and beside each an MLP-ALAE, the system of notebook
# 12. Both have the same three steps, $\gamma$, batches, width of $w$ and number of *updates*, not of seconds. They differ in their
# networks, and around these: only the style-based one grows, mixes and takes its penalty lazily; and where it shares one optimizer,
# the other has one for each step, with a learning rate of 0.01. The style-based one also draws pictures of 16x16, enlarged to 28x28
# for every measure, after 150 updates at 8x8; the other draws 28x28 from the start. Both are measured with averaged weights: of
# $F$, $G$ and $E$ in the one, of $F$ and $G$ only in the other. The learning rate of 0.01 was chosen on
# [validation images](glossary.ipynb#Validation-images) from two, in runs not shown here; the StyleALAE's 0.005 is the library's. Notebook 12, with
# 1,000 updates, has steps of 0.025 and $\gamma = 3$ for its ALAE. <!-- 1,000, 0.025: notebooks/source/12_adversarial_latent_autoencoders.py -->
# Whether these would serve the MLP-ALAE better here too was not tried, so it may not be at its best.

# %%
step = Adam(1e-2, beta1=0.0, beta2=0.99)
optimizers = {"StyleALAE": {}, "MLP-ALAE": {name: step for name in ("discriminator", "generator", "reciprocity")}}
z = torch.randn(10, settings.style["latent_dim"], generator=torch.Generator().manual_seed(0))  # (10, Z), always these


def build(name, seed):
    if name == "StyleALAE":
        return StyleAdversarialLatentAutoencoder(data.image_shape, **settings.style, gamma=1.0, growing=True, seed=seed)
    sizes = dict(latent_dim=settings.style["latent_dim"], hidden=settings.hidden)
    return AdversarialLatentAutoencoder(data.image_shape, **sizes, gamma=1.0, seed=seed)


def train(name, seed):
    """A new system's weights and history, and of one that grows what was kept while its first new block came in."""
    torch.set_num_threads(1)  # one core each
    system, (first, *stages), kept = build(name, seed), settings.stages, []
    training = dict(batch_size=settings.batch_size, optimizers=optimizers[name], seed=seed, progress=False)
    if name != "StyleALAE":
        first, stages = sum(settings.stages), ()
    history = fit(system, data.train, updates=first, **training)
    for updates in stages:
        system.grow()
        at = (0, updates // 4, updates // 2, updates)
        kept += [Snapshots(lambda s: s.decode(s.map(z)), at=at), Snapshots(lambda s: deepcopy(s.state_dict()), at=(0,))]
        history += fit(system, data.train, updates=updates, **training, callbacks=kept[-2:])
    return name, system.state_dict(), history, [each.pictures for each in kept[:2]]


# %% [markdown]
# The trainings run side by side, each on one core.

# %%
jobs = [delayed(train)(name, seed) for name in ("StyleALAE", "MLP-ALAE") for seed in range(settings.seeds)]
results = Parallel(n_jobs=settings.workers, return_as="generator")(jobs)
trained, histories, growth = {"StyleALAE": [], "MLP-ALAE": []}, {}, {}
for name, weights, history, kept in tqdm(results, total=len(jobs), desc="trainings"):
    each = build(name, len(trained[name]))
    each.load_state_dict(weights)
    trained[name].append(each.eval())
    histories.setdefault(name, history)  # the first seed's
    growth.setdefault(name, kept)
system = trained["StyleALAE"][0]
for name, history in histories.items():
    print(f"{name:10} {history.update:,} updates in {history.seconds:.0f} s; {history.health()}")

# %% [markdown]
# The times above are from a busy machine; on two idle cores they are shorter.
#
# **Predict, then run:** at the end of the first stage a block for 16x16 was added, and no weight of it had ever been trained. What
# did the pictures look like at that moment?
#
# To soften the shock the new block *fades* in. The block before it still makes a picture too, of half the size; this one is
# enlarged, and the new one laid over it with a weight $\alpha$, which rises from 0 to 1 over the first half of the stage:
#
# $$\text{picture} = (1 - \alpha)\;\text{enlarged old picture} + \alpha\;\text{new picture}$$
#
# $E$ mixes in the same way what goes into its layers, and real images are blurred to match. Here are ten draws at that moment, with three
# values of $\alpha$.

# %%
grown = build("StyleALAE", 0)
pictures, weights = growth["StyleALAE"]
grown.load_state_dict(weights[0])  # as it was right after grow()
with torch.no_grad():
    w, generator = grown.map(z), grown.decoder_in_use  # G with averaged weights
    smaller = generator(w, blocks=grown.blocks - 1)  # (10, C, 8, 8), as before
    fading = {alpha: generator(w, blocks=grown.blocks, fade=alpha) for alpha in (0.0, 0.5, 1.0)}  # (10, C, 16, 16)
assert torch.equal(fading[0.0], F.interpolate(smaller, scale_factor=2))
rows = torch.cat([grown.pictures(picture) for picture in fading.values()])
figures.show(
    figures.show_images(rows, 10, "A new block, not trained yet", rows=[f"α = {alpha:g}" for alpha in fading]),
    alt="Three rows of ten pictures of the same ten codes. The first row shows coarse pictures of 8x8 pixels, enlarged. In the third, "
    "from the untrained block alone, they are no longer recognised. The second is half of the one and half of the other.",
)

# %%
figures.show(
    figures.snapshots(pictures, "The same ten draws through the second stage"),
    alt="Four rows of the same ten draws at four times of the second stage: coarse pictures of 8x8 pixels in the first row; the same "
    "shapes under white and grey clouds in the second and third; and, in the last, finer strokes and blobs of 16x16 pixels.",
)

# %%
figures.show(
    figures.training_curves(histories["StyleALAE"]),
    alt="Three panels of losses over updates. The gradient penalty and reciprocity fall. In the game, the discriminator comes near its "
    "dashed line at 2 ln 2 and the generator nears its own at ln 2; from about update 200 both move away again.",
)

# %% [markdown]
# At $\alpha = 0$ the pictures are exactly the old ones; at $\alpha = 1$ their shapes would be gone at a stroke. On the way the new
# block disturbs them (second and third row of the second figure). These pictures are made with averaged weights, which still remember
# the untrained block: compare with the rows $\alpha = 0.5$ and $\alpha = 1$ above. By the end of the stage there are strokes that 8x8
# pixels cannot show. Whether growing is worth while at so few pixels is another question: exercise 4.
#
# In the curves, the dashed lines mark where $R$ says 0 to everything. From about update 200 both losses of the game move away from
# them: the discriminator is winning, and the game is far from settled. Reciprocity falls.
#
# ## What it has learnt
#
# Samples, and test images with their reconstructions. A reconstruction goes through $E$ and $G$, and neither was ever asked to
# return a pixel of a real image: reciprocity speaks of codes of *generated* images only. A reconstruction can resemble its
# original only in what the networks have learnt to tell apart, and so early that is not much.

# %%
figures.show(
    figures.show_images(system.sample(45, seed=1), 15, "Forty-five draws, in this notebook's own training"),
    alt="Forty-five draws in three rows: bright blobs on black or grey, with here and there the beginning of a stroke; hardly one is "
    "a digit.",
)
figures.show(
    figures.reconstructions(system, twelve),
    alt="Twelve test digits above their reconstructions: bright blobs on grey, none of which can be matched with the digit above.",
)

# %% [markdown]
# Four hundred updates are few: blobs, and here and there the beginning of a stroke. No reconstruction can be matched with its
# original.
#
# ## A longer training
#
# Half an hour gives more than a few hundred updates. The system in `results/weights` was trained on MNIST by
# `python -m aae_lib.experiments run style-alae-mnist --profile long`: pictures of 32x32, in three stages, from one seed. **Where the
# data are MNIST, the figures from here on show that system**; for any other data, the first one trained above. (Its steps had an
# optimizer each, and reciprocity was not divided by the width of $w$.)

# %%
stored = restore("../results/weights/style-alae-mnist.safetensors")
shown = stored if data.name == "mnist" else system
print("shown from here on:", "the stored system" if shown is stored else "the system trained above")
print(f"pictures of {shown.resolution}x{shown.resolution}, w of {shown.latent_dim}, {shown.layers} style inputs")
for run in experiments.records("style-alae-mnist", "../results", profile="long"):
    print(f"stored: {run['updates']:,} updates in {run['seconds'] / 60:.0f} minutes, seed {run['seed']};", end=" ")
    print(", ".join(f"{name} {run['metrics']['test'][name]:.2f}" for name in ("precision", "recall")))
figures.show(
    figures.show_images(shown.sample(60, seed=1), 15, "Sixty draws"),
    alt="Sixty decoded draws in four rows, nearly all of them readable digits in various slants and strokes: ones, sevens, nines, "
    "sixes, eights, zeros, threes and fives, but hardly a two or a four.",
)
figures.show(
    figures.reconstructions(shown, twelve),
    alt="Twelve test digits above their reconstructions. Ones, eights, sixes and sevens come back in smoother strokes; a two comes "
    "back as a three, a four as a nine, and a seven loses its bar.",
)

# %% [markdown]
# The draws are digits. The reconstructions are digits, too, clean ones, but sometimes of another class: a 2 comes back as a 3, a 4 as a 9.
# An autoencoder that minimises the error of pixels would rather answer with a blur. Why another class?
# **Predict, then run:** look for 2s and 4s among the sixty draws. A small classifier, trained on training images, counts them in
# 2,000.

# %%
judge = train_feature_network(data.train)
several = test[:2000]
kinds = {"test images": several, "reconstructions": shown.reconstruct(several), "draws": shown.sample(len(several))}
print(f"{'class':18}" + "".join(f"{name:>7.6}" for name in data.classes or range(judge.classes)))
for name, images in kinds.items():
    shares = torch.bincount(judge.classify(images), minlength=judge.classes) / len(images)
    print(f"{name:18}" + "".join(f"{share:7.1%}" for share in shares))
same = judge.classify(kinds["test images"]) == judge.classify(kinds["reconstructions"])
print(f"reconstructions of the same class as the image: {same.float().mean():.0%}")
assert shown is not stored or (shares < 0.02).sum() == 2  # of the draws

# %% [markdown]
# Two classes are all but missing among the draws. $G$ has **[dropped modes](glossary.ipynb#Mode-collapse)**, which a GAN may do: each of its images passes for real,
# and nobody counts how often a 4 comes. The recall of 0.22 printed above says that more is missing: only about a fifth of the real images lie near
# some draw, while two lost classes alone would leave most of them. So the draws probably lack variety within the other classes, too. The [precision](glossary.ipynb#Precision-and-recall) of 0.90 says that most draws lie near real ones.
#
# What $G$ never makes, $E$ never learns to find; so real 2s and 4s come back as their neighbours: 10.9 % each of the test images, they
# are 3.6 and 0.4 % of the reconstructions. That accounts for most of the images that change class (71 % keep theirs); the rest are
# other confusions, such as a 3 that comes back as an 8. Nothing in the losses speaks of reconstructing *real* images, and here it shows.
#
# **Interpolation.** Codes of real images lie where $G$ has been trained if the cloud of their codes is the cloud that $F$ makes of
# its draws. We have just seen that this is not quite so. Still the lines between codes lead through digits for most of their length:

# %%
starts, ends = shown.encode(twelve[:3]), shown.encode(twelve[4:7])  # (3, Z) each
along = torch.linspace(0, 1, 9)[:, None]  # (9, 1)
between = torch.cat([shown.decode(torch.lerp(start, end, along)) for start, end in zip(starts, ends, strict=True)])
figures.show(
    figures.show_images(between, 9, "From one test image's code to another's", [f"{at:.0%}" for at in along[:, 0]]),
    alt="Three rows of nine decoded images. A seven becomes an eight, a one becomes a three by way of an eight, a seven a three. Most "
    "images on the way are digits; some in the middle are faint or between two digits.",
)

# %% [markdown]
# ## Mixing real images
#
# $G$ has two style inputs for each size of its maps, and takes a $w$ for each. So it can be handed the code of image A for some of
# them and of image B for the rest. The pictures below have *all styles of the image at the left, but for one group of layers, whose
# styles come from the image on top*. Both are real test images, through $E$.
#
# **Predict, then run:** which group decides what digit it is: the coarse layers (maps of 4x4), the middle ones (8x8), or the
# fine ones (from 16x16)? And which group decides how thick the strokes are?


# %%
def groups(system):
    """Numbers of the style inputs from coarse to fine, in three groups of whole blocks."""
    blocks = system.layers // 2  # block k works on maps of 4 · 2ᵏ pixels a side
    first, second = max(1, blocks // 3), max(2, 2 * blocks // 3)
    parts = {"coarse": (0, first), "middle": (first, second), "fine": (second, blocks)}
    return {f"{name}, from {4 << a}x{4 << a}": range(2 * a, 2 * b) for name, (a, b) in parts.items()}


def mix(system, own, other, layers):
    """Images of codes own (N, Z) whose style inputs ``layers`` take their w from other (N, Z)."""
    from_other = torch.tensor([layer in layers for layer in range(system.layers)])[:, None]  # (L, 1)
    return system.decode(torch.where(from_other, other[:, None], own[:, None]))  # of (N, L, Z)


# %% tags=["title-figure"]
own, other = shown.encode(left), shown.encode(top)  # (4, Z) each, of real images that the networks have never seen
blank = torch.ones_like(as_float(left[:2]))
figure, axes = figures.canvas(3, 3, 3.0, 3.2)
for ax, (name, layers) in zip(axes, groups(shown).items(), strict=True):
    rows = [blank, as_float(top), blank, shown.decode(other)]
    for image, code in zip(left, own, strict=True):
        pair = torch.cat([as_float(image[None]), shown.decode(code[None])])  # real, and as it is reconstructed
        rows += [pair, mix(shown, code.expand_as(other), other, layers)]
    ax.imshow(figures.image_grid(torch.cat(rows), 2 + len(top)), cmap="gray", vmin=0, vmax=1)
    ax.set(title=f"from the top: {name}", xticks=[], yticks=[], frame_on=False)
figures.show(
    figure,
    alt="Three grids with four test digits at the left and four on top, their reconstructions next to them, and a mix in each cell. "
    "With coarse styles from the top, mixes lean as those on top do, and many are other digits. With middle styles many are other "
    "digits, too. With fine styles they are the digits of the left, in the thin or thick strokes of the top.",
)

# %% [markdown]
# In each grid the second row and column are reconstructions; what is mixed is theirs. Coarse styles from the top make the digits
# lean as those on top do, and change their class more often than not. Middle styles change their class as well, but not their slant.
# Fine styles change how thick and how bright the strokes are, and nearly nothing else.
#
# Eyes are easily persuaded, so here it is in numbers. Two things can be computed from any picture: its *ink*, the mean brightness, and its *slant*, how far it leans to the right for each row upwards.


# %%
def ink(images):
    """Mean brightness (N,) of images (N, C, H, W)."""
    return as_float(images).mean(dim=(1, 2, 3))


def slant(images):
    """How far the brightness of images (N, C, H, W) leans to the right, in pixels per row (N,): the shear that sets it upright."""
    weight = as_float(images).mean(dim=1) + 1e-6  # (N, H, W)
    weight = weight / weight.sum(dim=(1, 2), keepdim=True)
    row, column = torch.meshgrid(*(torch.arange(float(side)) for side in weight.shape[1:]), indexing="ij")
    up = (weight * row).sum(dim=(1, 2), keepdim=True) - row
    right = column - (weight * column).sum(dim=(1, 2), keepdim=True)
    return (weight * up * right).sum(dim=(1, 2)) / (weight * up.square()).sum(dim=(1, 2))


# %% [markdown]
# Over 500 pairs of test images, a linear fit says how much of the left image's ink, and of the top one's, is in the ink of the mixes; likewise for slant. And the
# classifier says which class a mix shows: the left one's or the top one's, of pairs where these differ.
# All are compared with *reconstructions* of the two, from which the mixes are made. The first and the last row are controls.

# %%
half = min(500, len(test) // 2)
own, other = shown.encode(test[:half]), shown.encode(test[half : 2 * half])  # (N, Z) each
pure = [shown.decode(code) for code in (own, other)]  # the reconstructions, to which a mix is compared
says = [judge.classify(images) for images in pure]
differ = says[0] != says[1]
print(f"{'':22}" + "".join(f"{what:>18}" for what in ("class of", "ink of", "slant of")))
print(f"{'taken from the top':22}" + 3 * f"{'left':>10}{'top':>8}")
parts = {}
for name, layers in {"nothing": range(0), **groups(shown), "everything": range(shown.layers)}.items():
    mixed = mix(shown, own, other, layers)
    says_mixed = judge.classify(mixed)
    parts[name] = row = [float((says_mixed == said)[differ].float().mean()) for said in says]
    for measure in (ink, slant):
        both = torch.stack([measure(images) for images in pure], dim=1).numpy()  # (N, 2)
        row += LinearRegression().fit(both, measure(mixed).numpy()).coef_.tolist()
    print(
        f"{name:22}{row[0]:10.0%}{row[1]:8.0%}"
        + "".join(f"{share:{8 if k % 2 else 10}.2f}" for k, share in enumerate(row[2:]))
    )
_, coarse, middle, fine, _ = parts.values()
assert shown is not stored or (coarse[5] > 0.5 and fine[3] > 0.9 and max(sum(coarse[:2]), sum(middle[:2])) < 0.5)

# %% [markdown]
# The slant comes with the coarse styles, nine tenths of the ink and more with the fine ones. The class is decided by coarse and middle
# styles together: take either from elsewhere, and the left class is left to 12 and 33 % of the mixes, the top one's comes to 29 and
# 13 %; for most, the classifier names neither class but a third. It has to name one; as the figure shows, some are no digit at all. All this is one system, of one seed.
#
# In the papers' faces, coarse styles bring pose and shape, fine ones colours: the same order. The size of the maps suggests it: every
# style speaks to the whole map at once, but what a channel of 4x4 pixels can draw is coarse.
#
# ## Along an attribute
#
# Is there a direction in $w$ along which a digit leans more and more, and stays the digit it is? A linear model on codes of
# *training* images proposes one: how does $w$ change, on average, when the slant of an image rises by one standard deviation? The
# same for ink. The control is five directions found in the same way for slants dealt out at random, and made as long as these two.


# %%
def direction(codes, values):
    """How codes (N, Z) change, on average, when values (N,) rise by one standard deviation: (Z,)."""
    standard = ((values - values.mean()) / values.std()).numpy()[:, None]
    return torch.from_numpy(LinearRegression().fit(standard, codes.numpy()).coef_[:, 0]).float()


known = data.train.images[:5000]
codes = shown.encode(known)  # (N, Z)
directions = {measure.__name__: direction(codes, measure(known))[None] for measure in (slant, ink)}  # (1, Z) each
shuffler = torch.Generator().manual_seed(0)
orders = [torch.randperm(len(known), generator=shuffler) for _ in range(5)]
chance = torch.stack([direction(codes, slant(known)[order]) for order in orders])  # (5, Z)
chance = chance / chance.norm(dim=1, keepdim=True)
directions |= {f"chance, as long as {name}": chance * arrow.norm() for name, arrow in directions.items()}

# %%
steps = torch.linspace(-2, 2, 9)  # standard deviations of the attribute
start = shown.encode(others[:2])  # (2, Z)
rows = [shown.decode(code + steps[:, None] * directions[name]) for name in ("slant", "ink") for code in start]
figures.show(
    figures.show_images(
        torch.cat(rows),
        9,
        "Two test images, moved along the directions of slant and of ink",
        [f"{at:g}" for at in steps.tolist()],
        [name for name in ("slant", "ink") for _ in start],
    ),
    alt="Four rows of nine decoded digits. In the two rows of slant the strokes lean more and more to the right: a three breaks up at "
    "the end, and a seven, hooked like a nine at first, becomes a bare slanted stroke. In the two rows of ink they grow thicker and close "
    "to loops: a three ends as a zero; a slanted stroke becomes a seven, and the seven a nine.",
)

# %%
codes, unmoved = shown.encode(test[:half]), shown.reconstruct(test[:half])
print(f"{'moved by one':26}{'slant changes by':>18}{'ink changes by':>17}{'same class':>12}")
for name, arrows in directions.items():
    found = []  # of each arrow, what it changes on average, in standard deviations of real images; and what stays
    for arrow in arrows:
        moved = shown.decode(codes + arrow)
        changes = [(measure(moved) - measure(unmoved)).mean() / measure(known).std() for measure in (slant, ink)]
        found.append([*changes, (judge.classify(moved) == judge.classify(unmoved)).float().mean()])
    found = torch.tensor(found)  # (arrows, 3)
    slants, inks, same = (found.abs() if len(arrows) > 1 else found).mean(dim=0).tolist()
    print(f"{name:26}{slants:15.2f} sd{inks:14.2f} sd{same:12.0%}")

# %% [markdown]
# Along its own direction the slant changes, and the ink hardly does; along the other it is the other way round. Slant gets about half
# of the standard deviation that was asked for, ink most of it. (In the rows of chance stand mean *absolute* changes: not a pull to
# one side, but the size of what a step of that length may do.) Yet the directions are not pure. The last column says how many images
# keep their class: on the way of ink hardly more than on a random one (79 % against 77 %). Probably because real digits with more ink
# are more often 0s and 8s than 1s and 7s, ink also closes loops. A linear direction follows whatever goes together in the data, and does not know what we mean.
#
# ## Samples, reconstructions and paths in numbers
#
# **[Feature-FID](glossary.ipynb#Feature-FID)** compares clouds of features ([notebook 06](06_likelihood.ipynb)); the features are the classifier's from above.
#
# **[Perceptual path length](glossary.ipynb#Perceptual-path-length)** (PPL; Karras et al. 2019) asks how bumpy the way from one code to another is. Take two codes, the line
# between them, a point on it at $t$, and another point a hair's breadth $\varepsilon$ further. How far apart are the two pictures, by
# the *squared* distance $d$ of their features?
#
# $$\mathrm{PPL} = \mathbb{E}\left[\tfrac{1}{\varepsilon^2}\; d\big(G(\mathrm{lerp}(w_1, w_2; t)),\; G(\mathrm{lerp}(w_1, w_2; t + \varepsilon))\big)\right]$$
#
# A space where equal steps make equal changes has a short path: it wastes nothing on sudden ones. In $W$ the way is the straight
# line between two $F(z)$; in $Z$ it is an arc between two draws, mapped by $F$. "Full" takes $t$ anywhere on it, "end" at its
# beginning, at a code that $F$ has really made (in $Z$, every point of the way is one). **Predict, then run:** is the way shorter in
# $W$ or in $Z$?


# %%
count = min(settings.count, len(data.test), len(data.validation))
real = judge.features(test[:count])  # (N, 64)
PATHS = [(space, sampling) for space in ("w", "z") for sampling in ("full", "end")]


def numbers(system):
    """Feature-FID of samples and of reconstructions, then PPL of four kinds."""
    made = (system.sample(count), system.reconstruct(test[:count]))
    paths = [perceptual_path_length(system, judge, space=a, sampling=b, count=count // 2) for a, b in PATHS]
    return np.array([*(feature_fid(real, judge.features(images)) for images in made), *paths])


def table(rows):
    """A line for each {name: (seeds, 6)}: means over seeds, and their standard deviations."""
    print(f"{'':22}{'samples':>14}{'reconstr.':>14}" + "".join(f"{f'PPL {a.upper()}, {b}':>16}" for a, b in PATHS))
    for name, found in rows.items():
        means, spreads = found.mean(axis=0), found.std(axis=0, ddof=1) if len(found) > 1 else [None] * 6
        cells = [f"{m:.0f}" if s is None else f"{m:.0f} ± {s:.0f}" for m, s in zip(means, spreads, strict=True)]
        print(f"{name:22}" + "".join(f"{cell:>{14 if k < 2 else 16}}" for k, cell in enumerate(cells)))


# %%
rows = {name: np.stack([numbers(each) for each in systems]) for name, systems in trained.items()}
if shown is stored:
    rows["StyleALAE, stored"] = numbers(stored)[None]
table(rows)
floor = feature_fid(real, judge.features(data.validation.images[:count]))
print(f"\nfloor of the feature-FID, {count:,} real images against {count:,} others: {floor:.1f}")

# %% [markdown]
# **Samples.** After equally many updates the StyleALAE's samples are nearer to real digits than the MLP-ALAE's: 219 against 280 over
# three seeds, with standard deviations of 8 and 9. Both are far from the [floor](glossary.ipynb#Floor). And this is per update: one of the StyleALAE's takes
# several times as long, as [printed above](#Growing) (how many depends on what else the machine does). In as many *seconds* the MLP-ALAE
# makes that many times as many updates; exercise 5 asks who is ahead then. For reconstructions the difference, 278 against 299, is within the spread. The stored system, one training of
# one seed and so without a spread, comes to 46 and 35.
#
# **Paths** are shorter in $W$ than in $Z$, in every row and both ways of measuring, by a factor between two and five: between the same
# two ends the straight line in $W$ makes less change than the arc through $Z$, or more even change (PPL is a mean *squared* speed and
# does not tell which; [notebook 12](12_adversarial_latent_autoencoders.ipynb#Straight-lines-in-z-and-in-w) measures lengths as well). A linear $F$ would already give a factor of about
# 1.2, as an arc is longer than its chord <!-- 1.2: the square of π / 2√2 -->, if pictures changed evenly; the rest is probably what $F$ bends. But read along the rows only. A system whose pictures hardly
# differ has short paths, and the one with the best samples has the longest.
#
# Do averaged weights and noise matter? The same measure for samples of the first StyleALAE: with averaged weights, as above; with
# the weights of its last update; and with noise in every layer, as in training.

# %%
with system.evaluating():
    draws = torch.randn(count, system.latent_dim, generator=torch.Generator().manual_seed(0))
    last = torch.cat([system.pictures(system.decoder(system.mapping(part))) for part in draws.split(500)])
made = {
    "averaged weights": system.sample(count),
    "weights of the last update": last,
    "averaged weights, and noise": system.decode(system.draw_codes(count), seed=0),
}
for name, images in made.items():
    print(f"{name:28} feature-FID of samples {feature_fid(real, judge.features(images)):.0f}")

# %% [markdown]
# In this one training the averages are ahead of the last update by some points, and noise hardly changes the measure (224 against 223).
#
# What does the noise do to a picture? Three codes, each decoded with eight draws of noise; and how much pixels vary with the noise,
# beside how much they vary from code to code.

# %%
w = shown.draw_codes(3, seed=2)  # (3, Z)
noisy = torch.stack([shown.decode(w, seed=seed) for seed in range(8)], dim=1)  # (3, 8, C, H, W)
many = torch.stack([shown.decode(shown.draw_codes(200, seed=3), seed=seed) for seed in range(8)])  # (8, 200, C, H, W)
over_noise, over_codes = many.std(dim=0).mean(), many.std(dim=1).mean()
print(f"standard deviation of a pixel: {over_noise:.3f} over draws of noise, {over_codes:.3f} over codes")
figures.show(
    figures.show_images(noisy.flatten(0, 1), 8, "Three codes, each with eight draws of noise"),
    alt="Three rows of eight decoded digits. Within each row all eight look the same.",
)

# %% [markdown]
# Nothing that one could see. Either little is random about a picture of MNIST once $w$ is given, or this training was too short to
# learn a use for the noise; the figure cannot tell. In a face it would be the fall of the hair, or the freckles.
#
# ## Beside the paper
#
# <!-- 70,000, 13.09, 4.40, 19.21, 33.29, 39.17, 155.2, 25.25, 146.2: Pidhorskyi et al. 2020, tables of FFHQ and CelebA-HQ -->
# | | the paper | here |
# |---|---|---|
# | data | FFHQ, 70,000 faces at 1024x1024; LSUN bedrooms; CelebA-HQ | MNIST, at 16x16 in the quick run, at 32x32 in the stored system |
# | FID of samples, FFHQ | 13.09 (StyleGAN: 4.40) | feature-FID, in the table above |
# | FID and PPL, CelebA-HQ at 256x256 | 19.21 and 33.29 (PIONEER: 39.17 and 155.2; Balanced PIONEER: 25.25 and 146.2) | not trained |
# | $\gamma$, learning rate | 10, 0.002 | 1, 0.005, in both our StyleALAEs: those trained above and the stored one |
#
# None of these numbers can stand beside one of ours. Their FID and PPL are distances between features of large networks, trained on
# photographs (Inception for FID, LPIPS for PPL); ours are between features of a small classifier, trained in this notebook. The data are
# others, too. (PIONEER and its balanced form are earlier autoencoders that grow, by Heljakka, Solin and Kannala.) What can be compared is what stands in one table above: systems measured by one network on the same images. (The
# paper's are numbers noted second-hand; look them up before you quote them.)
#
# ## Your own pictures, and faces
#
# Nothing here knows digits. `load("path/to/folder")` in the setup cell takes a folder of pictures, grey or in colour. Without labels
# the classifier learns by how many quarters of a circle a picture was turned; its features still serve, but "class" in the tables
# above then means such a turn, and says little. For faces of 64x64 there is a setting of about an hour on a CPU:
# `python -m aae_lib.experiments run style-alae-faces --profile long`. The paper's pictures have 256 times as many pixels; a
# `StyleAdversarialLatentAutoencoder((3, 1024, 1024))` can be built, but not trained on a laptop.
#
# You may ask why a reconstruction shows *another* person. No loss compares a real image with its reconstruction: $E$ must find the
# codes of generated images. What $w$ holds comes back (for faces, say, pose, hair, light), and what it does not hold is made up; here,
# [for many digits](#A-longer-training), even the class.
#
# ## Play
#
# Three test images, A, B and C, and for each style input the choice of whose code it gets. The still picture shows all their pairs:
# the coarser half of the styles from the image at the left, the finer half from the one on top.

# %%
from aae_lib.widgets import explore, style_mixer

style_mixer(shown, test[:60])

# %% [markdown]
# And the space $W$ as a whole, to drag through. The still picture starts half-way between two test images and changes the first two
# numbers of $w$, much further than $F$ takes them: in the upper left corner the digit falls apart.

# %%
labels = None if data.test.labels is None else data.test.labels[:1000]
widget = explore(shown, test[:1000], limits=(-6, 6), labels=labels)  # wide: one number of w alone changes little
widget.between(0.5)  # begin half-way between the codes of two test images
widget

# %% [markdown]
# ## Summary
#
# - A style is a mean and a standard deviation for each channel of a layer. AdaIN writes it; the encoder reads it, and takes it out of
#   the map by instance norm. So generator and encoder are mirror images.
# - A style acts on one convolution, and the next one sets everything anew. So layers can take theirs from different images, real ones
#   too.
# - The losses are ALAE's: a game on images, judged through $E$, and reciprocity on codes. R1 can be taken at every eighth update.
# - Growing fades a new block in; at $\alpha = 0$ the network is exactly the old one.
# - After equally many updates, samples of a StyleALAE were nearer to real digits by feature-FID than those of an MLP-ALAE, over three
#   seeds, though the other's settings may not be its best; a StyleALAE's updates take several times as long.
# - Paths are shorter in $W$ than in $Z$, for both.
# - A GAN may drop modes. An encoder that learns from its draws cannot find them either, and reconstructs their neighbours.

# %% [markdown]
# ## Exercises
#
# Exercises A and B are functions to write. Put your lines in the place of `...`, run the cell, and then the cell below it: it says
# whether the function is right or, in a sentence, what is wrong with it. Both need nothing that was computed above.

# %% tags=["exercise"]
import torch

from aae_lib import exercises

# %% [markdown] tags=["exercise"]
# **A** *(easy, code)* Mix two codes, layer by layer: layers 0 to `start` − 1 take the $w$ of `own`, the others that of `other`, (N, Z) each. Expected: the coarse styles are the image's own, the fine ones another's.


# %% tags=["exercise"]
def mix_styles(own, other, start, layers):
    """A w for each of the L layers, (N, L, Z), from two (N, Z); layers count from 0, the coarsest."""
    ### BEGIN SOLUTION
    fine = (torch.arange(layers) >= start)[:, None]  # (L, 1)
    return torch.where(fine, other[:, None], own[:, None])
    ### END SOLUTION


# %% tags=["exercise"]
exercises.check_mix_styles(mix_styles)

# %% [markdown] tags=["exercise"]
# **B** *(medium, code)* Write the perceptual path length of straight lines between two $w$ (N, Z), at given places $t$ (N, 1). `features(w)` gives the features (N, F) of the picture that $G$ makes of $w$. Expected: nearly the same for a small $\varepsilon$ and for half of it.


# %% tags=["exercise"]
def path_length(features, first, second, t, epsilon):
    """Mean over paths of the squared distance of features at t and t + ε, divided by ε²: a scalar."""
    ### BEGIN SOLUTION
    here, there = (features(torch.lerp(first, second, place)) for place in (t, t + epsilon))  # (N, F) each
    return (there - here).square().sum(dim=1).mean() / epsilon**2
    ### END SOLUTION


# %% tags=["exercise"]
exercises.check_path_length(path_length)

# %% [markdown]
# 1. *(easy)* Mix with single layers in place of groups: which style input alone changes the class most often?
#    <details><summary>Expected</summary>For the stored system the very first: about two mixes of three change their class. Then the fourth, about two of five. The last four change hardly any.</details>
# 2. *(easy)* Find the direction of "1 against the rest":
#    `direction(shown.encode(known), (data.train.labels[: len(known)] == 1).float())`. What do eights become along it?
#    <details><summary>Expected</summary>Ones, slowly: after one step most are still eights, after three nine of ten are ones.</details>
# 3. *(medium)* Train one StyleALAE with `mixing=0.0`. Make the table of mixes for it and for `system` (not `shown`), ink and slant
#    only: what changes there, and in the feature-FID of samples?
#    <details><summary>Hint</summary>Build and fit it as <code>train</code> does. Its layers have never met another layer's styles from another image.</details>
#    <details><summary>Expected</summary>In both tables the first row is 1 and 0, the last 0 and 1, and the ink comes with the fine styles; after so few updates the slant has no place of its own. In a trial the feature-FID was 215 in place of 223: no difference, as it varies by 8 over seeds.</details>
# 4. *(medium, open-ended)* Train a StyleALAE that does not grow (`growing=False`) with one `fit`, for as many *seconds* as the first one above
#    took. Which is better by feature-FID?
#    <details><summary>Hint</summary><code>history.seconds</code> says how long a <code>fit</code> took: time 50 updates, on one core as above (<code>torch.set_num_threads(1)</code>), and work out how many fill the time.</details>
#    <details><summary>Expected</summary>You have succeeded if both took the same seconds, within a tenth, and you hold the difference against 8, what the feature-FID varies over seeds here.</details>
# 5. *(medium)* The MLP-ALAE makes an update faster. Give it as many seconds in place of updates. What becomes of the comparison?
#    <details><summary>Hint</summary>As in exercise 4: <code>history.seconds</code> of 50 updates says how many fill the time.</details>
#    <details><summary>Expected</summary>It turns round: after 1,400 updates its feature-FID was 43 in a trial.</details>
# 6. *(hard)* In step III let $F$ move too, as the official code does: add `self.mapping` to `learns` of `StyleALAE`. Train that class
#    with and without it for 400 updates (it does not grow). What happens to the spread of $w$, and why would a network choose that?
#    <details><summary>Hint</summary>The loss is small where all w are alike. What else keeps them apart?</details>
#    <details><summary>Expected</summary>The standard deviation of <code>draw_codes(1000)</code> falls, in a trial from 0.55 to 0.33. Divide the loss by the variance of w to see whether more is found again, or w only became small. The game keeps the w of unlike images apart.</details>
# 7. *(hard)* Show that AdaIN's output has mean $b$ and standard deviation $|1 + s|$, and that the gradient of any loss with respect
#    to its input sums to 0 over the pixels of a channel.
#    <details><summary>Expected</summary>What is normalised has mean 0 and standard deviation 1. A constant added to the channel changes nothing behind it, so the slope in that direction, which is the sum of the gradient, is 0.</details>
# 8. *(easy, prediction)* A style asks for $s = -1$ and $b = 2$ in one channel. What does the map of this channel look like, whatever
#    came in? And what does the encoder read there?
#    <details><summary>Expected</summary>Every pixel is 2: the channel is switched off, and says nothing about where. The encoder reads the mean 2 and the standard deviation 0.</details>
# 9. *(easy, exploration)* In the mixer above, take all styles from A. Then give single inputs to B, from coarse to fine. From which input
#    on does the digit stay what it is?
#    <details><summary>Expected</summary>The coarse inputs change slant and often the digit, the middle ones the digit; the fine ones, from the fifth on, only how thick and bright its strokes are.</details>
#
# ## What to read
#
# - Pidhorskyi, Adjeroh & Doretto 2020, *Adversarial Latent Autoencoders*, [arXiv 2004.04467](https://arxiv.org/abs/2004.04467).
# - Karras, Laine & Aila 2019, *A Style-Based Generator Architecture for Generative Adversarial Networks*,
#   [arXiv 1812.04948](https://arxiv.org/abs/1812.04948): styles, mixing, noise, path length.
# - Karras, Aila, Laine & Lehtinen 2018, *Progressive Growing of GANs*, [arXiv 1710.10196](https://arxiv.org/abs/1710.10196): growing
#   and equalised learning rates.
# - Karras et al. 2020, *Analyzing and Improving the Image Quality of StyleGAN*, [arXiv 1912.04958](https://arxiv.org/abs/1912.04958):
#   the lazy penalty, and what became of AdaIN and of growing.
# - Huang & Belongie 2017, *Arbitrary Style Transfer in Real-time with Adaptive Instance Normalization*,
#   [arXiv 1703.06868](https://arxiv.org/abs/1703.06868): AdaIN.
# - He, Zhang, Ren & Sun 2015, *Delving Deep into Rectifiers*, [arXiv 1502.01852](https://arxiv.org/abs/1502.01852): how large weights
#   should be at the start.
#
# **Before:** [Adversarial latent autoencoders](12_adversarial_latent_autoencoders.ipynb). **Next:**
# [14 Results](14_results.ipynb), every number beside the papers'. [00 Start here](00_start_here.ipynb) is the map of the course.
