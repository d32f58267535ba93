# %% [markdown]
# # 7 · Style and content
#
# What does a handwritten digit consist of? Of *which* digit it is, and of *how* it is written: slanted, thick, wide. If the decoder is told the first, the code needs to hold only the second. Then one hand can write all ten digits.
#
# **You will learn**
# - why a decoder that is told the label does not need it in the code, and what the discriminator has to do with that;
# - to give the [style](glossary.ipynb#Style) of one image to every digit;
# - to measure both sides: how well a classifier reads the wanted digit, and how much label is left in the code;
# - what changes with colour pictures of house numbers.
#
# **You need** [notebook 02](02_adversarial_autoencoders.ipynb). The classifier that judges is from [notebook 06](06_likelihood.ipynb), the nearest neighbours are from notebook 02.
#
# **About 3 minutes on a laptop CPU.** Its main figure: [the styles of ten test images, given to all ten digits](#One-hand,-ten-digits), the paper's Figure 7.
#
# ![A matrix of digits: each row has the style of the test image on its left, each column shows one digit.](figures/07_supervised.png)

# %%
import torch
from torch.nn import functional as F

from aae_lib import choose, figures, fit, load
from aae_lib.evaluation import knn_accuracy, label_probe, train_feature_network
from aae_lib.losses import fool, half_squared_error, tell_apart
from aae_lib.networks import Decoder, Discriminator, Encoder, initialise
from aae_lib.priors import Gaussian
from aae_lib.systems import SGD, Adam, AdversarialAutoencoder, Phase, SupervisedAdversarialAutoencoder, System
from aae_lib.widgets import style_matrix

settings = choose(
    smoke=dict(data="digits", hidden=(64, 64), training=dict(epochs=40, batch_size=50), houses=None, house_epochs=0),
    quick=dict(
        data="mnist", hidden=(256, 256), training=dict(epochs=5, batch_size=100), houses="house-numbers", house_epochs=6
    ),
    paper=dict(
        data="mnist", hidden=(1000, 1000), training=dict(epochs=500, batch_size=100), houses="svhn", house_epochs=100
    ),
)
data = load(settings.data, fallback="digits")
test, labels = data.test.images, data.test.labels
print(f"{settings.profile}: {len(data.train):,} training images of shape {data.image_shape}, all with labels")

# %% [markdown]
# ## The label goes into the decoder
#
# One arrow is added to the picture of the adversarial autoencoder: the label $y$, [one-hot](glossary.ipynb#One-hot), enters the decoder beside the code $z$ (Makhzani et al. 2015, Sec. 4).

# %%
figures.show(
    figures.network_diagram("supervised"),
    alt="Diagram: an image goes through an encoder to a style z; a decoder is given z and the one-hot label y. Below, a discriminator "
    "compares z with draws of a Gaussian.",
)

# %% [markdown]
# Why should the code then lose the label? It does not have to: nothing forbids it to say "seven" a second time. Two things push it out. Saying it twice is a waste, since the code has few dimensions and every one that repeats the label is missing for the slant. And the discriminator helps, but does not forbid it: it only asks that all codes *together* are Gaussian, and classes that share a Gaussian like slices of a cake would pass. What it does is to make room scarce: to say the label again costs the room that style needs. (Exercise 5 shows the label to the discriminator; then it does forbid it.) Here is the whole game once more, with the label in it:
#
# $$\min_{\text{encoder, decoder}} \tfrac12 \lVert x - \mathrm{dec}(y, z) \rVert^2, \qquad \min_q \max_D\; \mathbb{E}_{p(z)} \log D(z) + \mathbb{E}_{q(z)} \log(1 - D(z)).$$


# %%
class StyleAndContent(System):
    """The label to the decoder, the style to the discriminator."""

    def __init__(self, image_shape, *, prior, hidden, discriminator_hidden, seed=0):
        super().__init__(image_shape)
        self.prior, self.learns_labels = prior, 10
        self.encoder = Encoder(image_shape, prior.dim, hidden=hidden)  # (B, C, H, W) -> (B, Z)
        self.decoder = Decoder(10 + prior.dim, image_shape, hidden=hidden)  # (B, 10 + Z) -> (B, C, H, W)
        self.discriminator = Discriminator((prior.dim,), hidden=discriminator_hidden)
        initialise(self, seed)

    def reconstruction_loss(self, batch):
        y = F.one_hot(batch.labelled.labels, 10)  # (B, 10)
        z = self.encoder(batch.labelled.images)  # (B, Z)
        return half_squared_error(self.decoder(torch.cat([y, z], dim=1)), batch.labelled.images)

    def discriminator_loss(self, batch):
        real = self.prior.sample(len(batch), batch.generator)
        return tell_apart(self.discriminator, real, self.encoder(batch.images), batch.generator)

    def generator_loss(self, batch):
        return fool(self.discriminator, self.encoder(batch.images), batch.generator)

    def phases(self):
        step, game = Adam(5e-4), Adam(2e-4, beta1=0.5)
        return [
            Phase("reconstruction", self.reconstruction_loss, (self.encoder, self.decoder), step),
            Phase("discriminator", self.discriminator_loss, (self.discriminator,), game),
            Phase("generator", self.generator_loss, (self.encoder,), game),
        ]


# %% [markdown]
# `tell_apart` and `fool` are the library's two losses of the game, those of notebook 02. `batch.labelled` is a batch of images whose labels may be seen (here that is all images), in an order of its own; the game needs no labels and takes `batch.images`. Does the library's class do the same?

# %%
# NBVAL_CHECK_OUTPUT
few = data.train.take(torch.arange(300))
small = dict(prior=Gaussian(15), hidden=(64, 64), discriminator_hidden=(64, 64), seed=0)
ours = StyleAndContent(data.image_shape, **small)
theirs = SupervisedAdversarialAutoencoder(data.image_shape, **small, batch_norm=False)
steps = {phase.name: phase.optimizer for phase in ours.phases()}
course = dict(epochs=4, batch_size=50, optimizers=steps, progress=False)
our_losses, their_losses = (fit(s, few, **course).losses for s in (ours, theirs))
same = all((our_losses[name] == their_losses[name]).all() for name in their_losses)
assert same
print("same losses:", same)

# %% [markdown]
# ## Training
#
# The paper's style has 15 dimensions. Fifteen dimensions are roomy: with small networks and few epochs the reconstruction fills them with everything, the label included, before the game has a say. So the balance is shifted here: large steps for the game (the paper's SGD of 0.1), and a narrower prior, $\mathcal{N}(0, 0.3^2 I)$, whose small codes move the decoder less than the one-hot label does, so that the label is the easier one to learn from first (a likely reason; not measured). At the end the steps shrink and details sharpen.
#
# A plain adversarial autoencoder with the same code, whose decoder is *not* told the label, is trained beside it for comparison.

# %%
late = settings.training["epochs"]
drops = {round(0.6 * late): 4, round(0.8 * late): 4}
game = SGD(0.1, momentum=0.1, drops={round(0.8 * late): 4})
steps = {"reconstruction": SGD(0.01, momentum=0.9, drops=drops), "discriminator": game, "generator": game}
shared = dict(prior=Gaussian(15, std=0.3), hidden=settings.hidden, discriminator_hidden=settings.hidden, seed=0)
system = SupervisedAdversarialAutoencoder(data.image_shape, batch_norm=False, **shared)
history = fit(system, data.train, **settings.training, optimizers=steps)
figures.show(
    figures.training_curves(history),
    alt="Left: the reconstruction loss falls below the mean image's and falls again when the steps shrink. Right: the generator "
    "swings widely; once the steps shrink it falls towards its dashed line and stays a little above, the discriminator wiggles about its own.",
)

# %%
plain = AdversarialAutoencoder(data.image_shape, batch_norm=False, **shared)
print(fit(plain, data.train.images, **settings.training, optimizers=steps, progress=False))

# %% [markdown]
# ## One hand, ten digits
#
# **Predict, then run.** Take a slanted, thick 7 from the test images, encode it, and decode its style with the labels 0 to 9. What will the 0 look like? And the 1?


# %%
def in_all_contents(system, z):
    """Styles z (R, Z), decoded with each of the ten labels: (R, 10, C, H, W)."""
    digits = torch.arange(10).repeat(len(z))
    return system.decode(z.repeat_interleave(10, dim=0), digits).unflatten(0, (len(z), 10))


# %% tags=["title-figure"]
sources = torch.stack([test[labels == digit][3] for digit in range(10)])  # one test image of each digit, not chosen
figures.show(
    figures.style_content(
        sources,
        in_all_contents(system, system.encode(sources)),
        title="The style of a test image, given to every digit",
    ),
    alt="A matrix of ten rows and columns. Left of each row a test image; the row shows the digits 0 to 9 in its style: sources "
    "that lean far to the right (2, 7) give leaning digits, wide ones (0, 8) wide digits; the rows of 5 and 6 are nearly alike, and "
    "in most rows the 2 is smudged.",
)

# %% [markdown]
# Rows are hands, columns are digits. Look along a row for what stays: slant and width first, thickness less. Look down a column for what does not change: the digit. The 7's row answers the question: its 1 leans with it, its 0 is wide and leans a little. In the 0's row the 3, the 5 and the 8 close to loops, so some [content](glossary.ipynb#Content) travels with the style; a section below counts it. The system was never told which images are by the same writer; it found what all digits share.
#
# Styles can also be drawn from the prior, six draws, each with all ten digits.

# %%
z = system.prior.sample(6, torch.Generator().manual_seed(1))
figures.show(
    figures.style_content(None, in_all_contents(system, z), title="Styles drawn from the prior"),
    alt="Six rows of the digits 0 to 9, each row in a style drawn from the prior.",
)

# %% [markdown]
# And between two styles there is a way: here from the style of one test image to that of another, always the digit 3.

# %%
first, last = system.encode(sources[[2, 8]])
path = torch.lerp(first, last, torch.linspace(0, 1, 10)[:, None])  # (10, Z)
figures.show(
    figures.show_images(
        system.decode(path, torch.full((10,), 3)), columns=10, title="From one style to another, digit 3"
    ),
    alt="Ten threes in a row: step by step a blurred, leaning one becomes a clear, upright one.",
)

# %% [markdown]
# ## Does it hold?
#
# Two claims, each with a number.
#
# 1. **The label decides the content.** A classifier that was trained on real training images reads swapped pictures: 1,000 test styles, each with a random label. How often does it read the label that we asked for? Its accuracy on real test images is the yardstick.
# 2. **The style does not hold the label.** A [linear probe](glossary.ipynb#Linear-probe) and the five nearest neighbours try to guess the label from $z$. The plain adversarial autoencoder's $z$, which has to hold the label, is beside it, and so is chance.

# %%
judge = train_feature_network(data.train, seed=0)
count = min(1000, len(test))
wanted = torch.randint(10, (count,), generator=torch.Generator().manual_seed(0))
read = judge.classify(system.decode(system.encode(test[:count]), wanted))
swapped = float((read == wanted).float().mean())
real = float((judge.classify(test) == labels).float().mean())
print(f"the wanted digit is read in {swapped:.0%} of swapped pictures; real test images: {real:.1%}")
assert swapped > 0.5

# %%
train = data.train.take(torch.arange(min(5000, len(data.train))))
found = {}
for name, trained in (("style and content", system), ("plain AAE", plain)):
    codes = trained.encode(train.images), train.labels, trained.encode(test), labels
    probe = label_probe(*codes)
    found[name] = probe.accuracy
    print(
        f"{name:18} linear probe {probe.accuracy:.0%}, five nearest {knn_accuracy(*codes):.0%}, chance {probe.chance:.0%}"
    )
assert found["style and content"] < found["plain AAE"]

# %% [markdown]
# The label is read well in swapped pictures, and by the linear probe $z$ holds somewhat less of it than a code that must; by the five nearest, hardly. It is far from gone: chance is 11 %. After a few epochs the system still says some of the label twice; the paper shows pictures here, no numbers. Keep the trade in mind: the stronger the game, the less label in $z$ *and* the less style.

# %% [markdown]
# ## House numbers
#
# The paper does the same with SVHN, photographs of house numbers. In the quick profile this notebook draws *synthetic* house numbers, with fonts, colours, neighbours and blur; the `paper` profile loads SVHN. The networks are convolutional now, and pixels are standardised one by one. Style here means brightness before anything else.

# %%
if settings.houses is None:
    print("Not in the smoke profile.")
else:
    houses = load(settings.houses, fallback="house-numbers")
    pieces = houses.train.take(torch.arange(10_000)) if settings.profile == "quick" else houses.train
    painter = SupervisedAdversarialAutoencoder(
        houses.image_shape, prior=Gaussian(8, std=0.3), hidden=(16, 32, 64), discriminator_hidden=(128, 128),
        body="convolutional", output="standardised", batch_norm=True, seed=0,
    )  # fmt: skip
    epochs, late = settings.house_epochs, round(0.8 * settings.house_epochs)
    game = Adam(1e-3, beta1=0.5, drops={late: 4})
    steps = {"reconstruction": Adam(2e-3, drops={late: 10}), "discriminator": game, "generator": game}
    print(fit(painter, pieces, epochs=epochs, batch_size=100, optimizers=steps, progress=False))

# %%
if settings.houses is not None:
    shown = houses.test.images[:6]
    figures.show(
        figures.style_content(shown, in_all_contents(painter, painter.encode(shown)), title="House numbers"),
        alt="Six rows: left a picture of a house number, then the ten contents decoded in its style; the brightness of the row's source "
        "returns in all ten, its colour does not; digits are blurred in bright rows and hardly visible in dark ones.",
    )
    reader = train_feature_network(pieces, seed=0)
    wanted = torch.randint(10, (1000,), generator=torch.Generator().manual_seed(0))
    read = reader.classify(painter.decode(painter.encode(houses.test.images[:1000]), wanted))
    accuracy = (reader.classify(houses.test.images) == houses.test.labels).float().mean()
    print(f"wanted digit read: {(read == wanted).float().mean():.0%}; the reader on real test images: {accuracy:.0%}")

# %% [markdown]
# Brightness goes into the style first, because it is most of the picture; colour has not yet. The digit is a small part of the squared error: the eye finds it in the bright rows only, although the reader, which needs less contrast, finds the wanted digit in 78 of 100 pictures. This is where the paper's long training and a GPU are needed; the `paper` profile trains on SVHN.
#
# ## Play with it
#
# One slider for each dimension of the style, all ten digits at once. Click one of the six test images to take its style.

# %%
style_matrix(system, sources[:6])

# %% [markdown]
# ## Summary
#
# - A decoder that is told the label needs a code for the rest only; the discriminator makes room scarce, and part of the label stays after a short training.
# - One style through all contents, and one content in all styles, are decodings of a grid of (y, z).
# - Two numbers hold the picture to account: what is read in swapped images, and what a probe finds in z.

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
# **A** *(easy, code)* Write the reconstruction loss of an autoencoder whose decoder is told the label: one-hot, *before* the style. The labels are 0 to 9. Expected: the paper's scale, half the squared error, summed over an image's pixels.


# %% tags=["exercise"]
def labelled_reconstruction(encoder, decoder, images, labels):
    """½ ‖x̂ − x‖² per image, x̂ = decoder of one-hot labels (B, 10) and styles (B, Z), side by side: a scalar."""
    ### BEGIN SOLUTION
    y, z = F.one_hot(labels, 10), encoder(images)
    error = decoder(torch.cat([y, z], dim=1)) - images  # (B, C, H, W)
    return 0.5 * error.square().flatten(1).sum(dim=1).mean()
    ### END SOLUTION


# %% tags=["exercise"]
exercises.check_labelled_reconstruction(labelled_reconstruction)

# %% [markdown] tags=["exercise"]
# **B** *(medium, code)* One style, and a way from one digit to another: the first image is all of the digit `first`, the last all of `second`, and between them the shares change evenly. `decode(z, labels)` takes styles (N, Z) and labels (N, 10), the shares of the ten digits. Expected: halfway from 3 to 8 half a 3 and half an 8, in one hand.


# %% tags=["exercise"]
def blend(decode, z, first, second, steps):
    """Images (steps, C, H, W) of one style z (1, Z), from the digit ``first`` to the digit ``second``."""
    ### BEGIN SOLUTION
    one, two = F.one_hot(torch.tensor([first, second]), 10).float()  # (10,) each
    shares = torch.lerp(one, two, torch.linspace(0, 1, steps)[:, None])  # (steps, 10)
    return decode(z.expand(steps, -1), shares)
    ### END SOLUTION


# %% tags=["exercise"]
exercises.check_blend(blend)

# %% [markdown]
# 1. *(easy, exploration)* Find the dimension of the style that slants, with the widget, and write down its number.
#    <details><summary>Expected</summary>A slider under which all ten digits lean together. Which one depends on the training; often two share the slant.</details>
# 2. *(easy)* Draw `blend(system.decode, system.encode(sources[:1]), 3, 8, 10)` with `figures.show_images`. Is halfway a digit?
# 3. *(medium)* Train with `Gaussian(2)` and `Gaussian(30)`, and plot the probe's accuracy against the dimension.
# 4. *(medium)* Leave the generator's phase out (a learning rate of 0). What does the probe find now, and what is read in swapped pictures?
# 5. *(hard, open-ended)* Give the *discriminator* the label as well, as in notebook 05, so that the style is Gaussian within each class. <details><summary>Hint</summary>q(z|y) equal for all y is exactly what "z holds no label" means.</details>
# 6. *(easy, prediction)* A system wins both games perfectly: $q(z)$ is the Gaussian, and the decoder reconstructs well. Can a probe still read the label in $z$, and how well at the most? And how well at the least?
#    <details><summary>Expected</summary>At the most always: classes that share the Gaussian like slices of a cake are one Gaussian together. At the least as often as the commonest class comes, 11 % on MNIST, where z does not depend on the label.</details>
#
# **To read.** Makhzani et al. 2015 ([arXiv 1511.05644](https://arxiv.org/abs/1511.05644)), Sec. 4. Kingma et al. 2014, *Semi-supervised learning with deep generative models* ([arXiv 1406.5298](https://arxiv.org/abs/1406.5298)), whose Figure 1 is the same experiment with a variational autoencoder.
#
# **Next:** [notebook 08](08_semi_supervised.ipynb) does without most of the labels.
