# %% [markdown]
# # Start here
#
# In the next minute you will train an [adversarial autoencoder](glossary.ipynb#Adversarial-autoencoder) on handwritten digits and drag a point through the space it
# has made. The rest of the course explains how that works, builds every part of it in the open, and goes on to what came after.
#
# **You will learn**
# - how the notebooks are meant to be used, and whether your machine is ready for them,
# - what the data are: images as tensors, in three splits,
# - what a *[latent space](glossary.ipynb#Latent-space)* is, by dragging a point through one,
# - how a trained system is saved and restored.
#
# **You need** Python, a little PyTorch (tensors, `nn.Module`), and no knowledge of generative models.
#
# **A few minutes: reading, and about 1 minute of computing on a laptop CPU.**
#
# It ends with [a latent space to drag](#Drag-it), of which this is a map:
#
# ![A square of 20 by 20 decoded images: neighbours differ little, and walking across it one digit turns into another.](figures/00_start_here.png)

# %% [markdown]
# ## Setup
# Every notebook begins with a cell like this one. It shows its settings for three *[profiles](glossary.ipynb#Profile)* side by side; the environment
# variable `AAE_PROFILE` picks one. `smoke` runs in seconds on tiny digits (this is how the course is tested), `quick` is the
# default and made for a laptop, `paper` has the sizes of the paper and wants a GPU.

# %%
import platform

import torch
from aae_lib import checks, choose, figures, fit, load, restore, save
from aae_lib.priors import Gaussian
from aae_lib.systems import Adam, AdversarialAutoencoder

settings = choose(
    smoke=dict(data="digits", hidden=(64, 64), epochs=10, batch_size=50),
    quick=dict(data="mnist", hidden=(512, 512), epochs=4, batch_size=100),
    paper=dict(data="mnist", hidden=(1000, 1000), epochs=100, batch_size=100),
)
data = load(settings.data, fallback="digits")

# %% [markdown]
# ## Is this machine ready?
# If the next cell prints without an error, it is. The course computes on the CPU where there is nothing faster; a GPU is used
# when there is one.

# %%
print(f"Python {platform.python_version()}, PyTorch {torch.__version__}")
print(f"computing on {checks.device('device', 'auto')}, {torch.get_num_threads()} CPU threads")
print(f"profile {settings.profile!r}, dataset {data.name!r}")

# %% [markdown]
# ## The data
# `load` returns three splits that share no image. **Train** is what networks learn from, [**validation**](glossary.ipynb#Validation-images) is what choices are
# made with, and **test** is touched last, to report. All images of a split lie in one tensor of bytes, `(N, C, H, W)`: number,
# channels, height, width. Labels are whole numbers; for most of this course no network ever sees them.

# %%
for name in ("train", "validation", "test"):
    print(f"{name:10} {getattr(data, name)}")
print(
    f"one image is {data.image_shape} of {data.train.images.dtype}, from {data.train.images.min()} to {data.train.images.max()}"
)

# %%
few = data.test.take(torch.arange(60))
figures.show(
    figures.show_images(few.images, columns=15, title=f"Sixty test images of {data.name}"),
    alt="Sixty handwritten digits in four rows of fifteen, white on black, in many different hands.",
)

# %% [markdown]
# Each of these images is a point in a space with as many dimensions as it has pixels. But almost every point of that space
# looks like noise: digits lie on a thin, curved sheet within it. The question of this course is how to find coordinates on
# that sheet, so that *every* point of a simple, known region decodes to a digit.

# %% [markdown]
# ## Train
# An **adversarial autoencoder** has three networks:
#
# - an *[encoder](glossary.ipynb#Encoder)* turns an image $x$ into a short [code](glossary.ipynb#Code) $z$, here just two numbers,
# - a *[decoder](glossary.ipynb#Decoder)* turns the code back into an image,
# - a *[discriminator](glossary.ipynb#Discriminator)* looks at codes only, and tries to tell them from samples of a distribution that we chose, the *[prior](glossary.ipynb#Prior)*
#   $p(z)$, here a round Gaussian cloud. The encoder is trained to fool it, so its codes come to fill that cloud.
#
# You will write the losses yourself in [notebook 02](02_adversarial_autoencoders.ipynb). Here, let the library do it.
#
# > **Predict, then run.** Fifty thousand pictures of digits, squeezed into two numbers each, without any labels. Will the ten
# > digits end up in ten separate places, or mixed? Which digits will lie next to each other?

# %%
system = AdversarialAutoencoder(
    data.image_shape,
    prior=Gaussian(2),
    hidden=settings.hidden,
    discriminator_hidden=settings.hidden,
    batch_norm=False,
    seed=0,
)
game = Adam(2e-4, beta1=0.5)
steps = {"reconstruction": Adam(5e-4), "discriminator": game, "generator": game}
history = fit(system, data.train, epochs=settings.epochs, batch_size=settings.batch_size, optimizers=steps, seed=0)

# %% [markdown]
# Half a minute or so on one core. The [reconstruction loss](glossary.ipynb#Reconstruction-loss) is half the squared error of an image, summed over its pixels:
# answering with the [mean image](glossary.ipynb#Mean-image) every time would score about 26, and it ends near 17. The discriminator's loss ends near 1.39,
# which is what guessing scores: it can hardly tell codes from the prior any more. "Healthy" says that the losses show
# none of the usual illnesses.
# <!-- 26: notebooks/01_autoencoders_vaes_gans.ipynb -->

# %% [markdown]
# ## What has it made?
# The encoder gives every test image a place in the plane. Grey shows the prior; colours show the classes, which training
# never saw.

# %%
z = system.encode(data.test.images)  # (N, 2)
figures.show(
    figures.latent_scatter(z, data.test.labels, system.prior, title="Test images as codes, over the prior"),
    alt="Codes of the test images in the plane, coloured by digit: each digit fills a sector or patch of a round cloud "
    "as large as the prior's, beyond which some of the 7 run, and look-alikes such as 4, 7 and 9 lie side by side and overlap.",
)

# %% [markdown]
# Most classes found a place of their own (the 2 has two, the 5 hardly one), though nobody told the network that there are classes: images
# that look alike get codes that lie close, because one decoder has to draw them all. Look-alikes overlap. And the codes fill the grey cloud (some of the 7 lie beyond it),
# which is the discriminator's work: [notebook 01](01_autoencoders_vaes_gans.ipynb) shows where they lie without one.
#
# That makes the decoder usable on its own. The next figure decodes a grid of points, spaced so that each stands for an equal
# share of the prior's probability. Nearly every image is a digit or almost one; where several classes meet, left of the centre,
# some are smears.

# %% tags=["title-figure"]
figures.show(
    figures.percentile_grid(system, side=20),
    alt="A square of 20 by 20 decoded images. Neighbouring images differ little, and walking across the square one digit "
    "turns into another; most images are readable digits, and left of the centre, where several classes meet, some are smears.",
)

# %% [markdown]
# ## Save and restore
# Weights are stored as [safetensors](https://huggingface.co/docs/safetensors), with the settings beside them as JSON, so
# `restore` needs nothing but the file.

# %%
# NBVAL_CHECK_OUTPUT
save(system, "../runs/start_here.safetensors")
again = restore("../runs/start_here.safetensors")
print("same codes after restoring:", torch.equal(again.encode(data.test.images), z))

# %% [markdown]
# ## Drag it
# Drag the point over the plane; the picture follows. The dots are test images. Choose two of them, *A* and *B*, and play the
# straight line between their codes. With the keyboard: Tab to the plane, then the arrow keys.
#
# > **Predict, then drag.** Start inside one digit and walk straight to another. Does the picture fade from one to the other, as
# > two slides would, or does the stroke bend? What happens far outside the dots?

# %%
from aae_lib.widgets import explore

explore(system, images=data.test.images[:2000], labels=data.test.labels[:2000])

# %% [markdown]
# On most paths strokes bend and grow, with a blur where one class ends and the next begins. Far outside the dots the decoder was never trained, and its pictures
# mean nothing. (If you read this on a web page, there is no Python behind it to drag with: `make lab` opens the live notebook.)

# %% [markdown]
# ## The course
# | notebook | what you build |
# |---|---|
# | **00 Start here** | this |
# | [01 Autoencoders, VAEs, GANs](01_autoencoders_vaes_gans.ipynb) | the three ancestors, and what each lacks |
# | [02 Adversarial autoencoders](02_adversarial_autoencoders.ipynb) | the two phases, three kinds of encoder, healthy losses |
# | [03 AAE against VAE](03_aae_versus_vae.ipynb) | both on a Gaussian and on a mixture of ten, measured |
# | [04 GANs and moment matching](04_gans_and_moment_matching.ipynb) | a formula or a game, on images or on codes: four models, one table |
# | [05 Labels in the prior](05_labels_in_the_prior.ipynb) | ten digits in ten petals and along a swiss roll, with few labels |
# | [06 Likelihood](06_likelihood.ipynb) | Parzen windows, and what is wrong with them |
# | [07 Style and content](07_supervised.ipynb) | one style through all ten digits |
# | [08 Semi-supervised learning](08_semi_supervised.ipynb) | a classifier from few labels, beside its rivals |
# | [09 Clustering](09_clustering.ipynb) | clusters that nobody named |
# | [10 Dimensionality reduction](10_dimensionality_reduction.ipynb) | cluster heads and styles in one plane |
# | [11 Wasserstein autoencoders](11_wasserstein_autoencoders.ipynb) | the AAE seen from optimal transport; penalties that are a game or a formula |
# | [12 Adversarial latent autoencoders](12_adversarial_latent_autoencoders.ipynb) | a learnt latent distribution, and reconstruction in latent space |
# | [13 StyleALAE](13_style_alae.ipynb) | a style-based generator, its mirrored encoder, and styles that mix |
# | [14 Results](14_results.ipynb) | the papers' numbers, ours beside them, and how to read such a table |
# | [15 Your own pictures](15_your_own_pictures.ipynb) | a folder of your own: look, choose, train, diagnose, and send it as one page |
#
# How to work with a notebook:
#
# - Run it cell by cell (Shift+Enter). *Predict, then run* means it: write your guess down first. A wrong guess is what one
#   learns from.
# - After each training stands what to expect. If your numbers are far off, something is worth finding out.
# - Change something and run again. Nothing breaks: `git checkout notebooks` brings the originals back.

# %% [markdown]
# ## Summary
# - An autoencoder gives images coordinates; the *adversarial* autoencoder also decides where these coordinates lie: where a prior
#   of our choice has its mass.
# - So the decoder becomes a generator: draw from the prior, decode, and an image comes out.
# - `load`, `fit`, `encode`, `decode`, `sample`, `save` and `restore` are all the library you need for now.
#
# ## Exercises
# 1. Show 64 samples: `figures.show(figures.samples(system), alt="64 decoded draws of the prior.")`. How many are not digits? Where do they come from?
#    <details><summary>Expected</summary>Most are digits. The others are smears like those of the map above, drawn where several classes meet.</details>
# 2. Load `"fashion-mnist"` instead (it is downloaded). Which classes overlap now?
#    <details><summary>Expected</summary>Those of one outline: pullover, coat and shirt; sandal and sneaker. Trousers keep mostly to themselves.</details>
# 3. Load a folder of your own pictures: `load("path/to/folder", image_size=32)`. What do the two dimensions stand for?
#    <details><summary>Expected</summary>Two numbers hold what differs most, as a rule light, dark and colour. You have an answer when you can say beforehand what a step to the
#    right will change.</details>
# 4. Use `Gaussian(8)` for the prior. The plane is gone, but is the reconstruction better? Compare `history.latest()`.
#    <details><summary>Expected</summary>Clearly: eight numbers hold more of an image than two.</details>
# 5. Train twice with different seeds, `seed=0` and `seed=1` in both places. Which parts of the map stay, which change?
#    <details><summary>Hint</summary>The prior is round: any rotation of the map is as good as any other.</details>
#    <details><summary>Expected</summary>The round cloud stays, and so do most neighbours, such as 4, 7 and 9. Where on the plane a digit lies changes.</details>
#
# ## What to read
# - A. Makhzani, J. Shlens, N. Jaitly, I. Goodfellow, B. Frey: *Adversarial Autoencoders*, 2015,
#   [arXiv 1511.05644](https://arxiv.org/abs/1511.05644). The paper of this course; read its introduction now.
#
# **Next:** [01 Autoencoders, VAEs, GANs](01_autoencoders_vaes_gans.ipynb), the three ancestors.
