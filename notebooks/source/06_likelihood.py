# %% [markdown]
# # 6 · How likely is a test image?
#
# A good model of images should find images likely that it has never seen. An adversarial autoencoder cannot say how likely: it has samples and no density. The paper, like the GAN papers before it, builds a density out of samples, and reports it in a table. This notebook builds it too, puts rows of its own beside the table's, and then shows why you should not trust such tables.
#
# **You will learn**
# - the [Parzen window](glossary.ipynb#Parzen-window) estimate, its one parameter $\sigma$, and how to choose it without looking at test images;
# - how to compute it exactly and in bounded memory, for ten thousand samples or ten million;
# - to read a log-likelihood in [nats](glossary.ipynb#Nats): what moves it, and what it was computed from;
# - a rival that beats our model's number and can generate nothing new, and what one measures instead today.
#
# **You need** [notebook 02](02_adversarial_autoencoders.ipynb), and the density of a Gaussian.
#
# **About 2 minutes on a laptop CPU.** It ends with this figure: [samples beside the training image nearest to each](#Are-they-copies?), the paper's Figure 5, there once more from a long run.
#
# ![A grid of decoded samples of digits; in a column apart, for each row's last sample, the training image nearest to it.](figures/06_likelihood.png)

# %%
import math

import numpy as np
import torch
from sklearn.neighbors import KernelDensity

from aae_lib import choose, experiments, figures, fit, load
from aae_lib.evaluation import (
    Samples,
    feature_fid,
    mean_and_standard_error,
    parzen_log_likelihood,
    precision_recall,
    sigma_search,
    train_feature_network,
)
from aae_lib.priors import Gaussian
from aae_lib.systems import Adam, AdversarialAutoencoder
from aae_lib.widgets import sigma_slider

settings = choose(
    smoke=dict(data="digits", hidden=(64, 64), training=dict(epochs=12, batch_size=50), settle=9, counts=(100, 1000, 10_000)),
    quick=dict(data="mnist", hidden=(512, 512), training=dict(epochs=5, batch_size=100), settle=4, counts=(100, 1000, 10_000, 100_000)),
    paper=dict(data="mnist", hidden=(1000, 1000), training=dict(epochs=1000, batch_size=100), settle=900, counts=(10_000, 10_000_000)),
)  # fmt: skip
data = load(settings.data, fallback="digits")
validation, test = data.validation.images[:2000], data.test.images
print(
    f"{settings.profile}: {len(data.train):,} training images; sigma is chosen on {len(validation):,} validation images"
)

# %% [markdown]
# ## A density from samples
#
# Put a small Gaussian around every sample $\mu_1, \dots, \mu_M$ of the model, all of the same width $\sigma$, and add them up. This is a density, called a *Parzen window* (or kernel density) estimate:
#
# $$\hat p(x) = \frac{1}{M} \sum_{m=1}^{M} \mathcal{N}\big(x;\, \mu_m, \sigma^2 I\big)$$
#
# In one dimension one can look at it. Here are 40 samples of a mixture of two Gaussians, and three widths. **Predict, then run:** which of the three densities gives the highest likelihood to *new* draws of the mixture?

# %%
draws = torch.Generator().manual_seed(0)


def two_bumps(count):
    left = torch.rand(count, generator=draws) < 0.5
    return torch.where(left, -1.0, 1.5) + 0.4 * torch.randn(count, generator=draws)


few, fresh, axis = two_bumps(40)[:, None], two_bumps(1000)[:, None], torch.linspace(-3, 3.5, 400)[:, None]
figure, axes = figures.canvas(3, 3, 3, 2.6)
for ax, sigma in zip(axes, (0.03, 0.25, 1.5), strict=True):
    ax.fill_between(axis[:, 0], parzen_log_likelihood(few, axis, sigma=sigma).exp(), color=figures.PRIOR_GREYS[-1])
    ax.plot(few[:, 0], 0 * few[:, 0], "|", color=figures.BLUE, markersize=12)
    nats = parzen_log_likelihood(few, fresh, sigma=sigma).mean()
    ax.set(title=f"σ = {sigma}\n{nats:.2f} nats per new draw", xlabel="x", ylim=(-0.05, None), yticks=[])
figures.show(
    figure,
    alt="Three densities over the same 40 samples. With sigma 0.03 a comb of narrow spikes; with 0.25 two smooth bumps; with 1.5 a "
    "single broad hill. The middle one gives new draws the highest log-likelihood, as its title says.",
)

# %% [markdown]
# Too narrow, and new draws fall between the spikes; too wide, and the two bumps melt into one. The right width is a fact about the samples *and their number*, and it must be found with draws that are neither samples nor test data.
#
# ## The estimate, written out
#
# In 784 dimensions <!-- 784: 28 · 28 pixels --> a density is easily a number with more than a hundred digits, so one computes its logarithm. With $D$ pixels,
#
# $$\log \hat p(x) = \log \frac{1}{M} \sum_m \exp\!\Big(\!-\frac{\lVert x - \mu_m \rVert^2}{2\sigma^2}\Big) - D \log\big(\sigma\sqrt{2\pi}\big).$$
#
# The sum needs care: every term may be $e^{-1000}$, which a computer calls 0. So the largest term comes out of the sum before anything is raised to a power; `torch.logsumexp` does that. And samples can come in chunks: a running sum needs no memory of what was added.


# %%
def parzen(chunks, images, sigma):
    """log p(x) in nats (N,) of images (N, ...), from an iterable of chunks of samples (m, ...)."""
    x = images.flatten(1).double()  # (N, D)
    total, count = torch.full((len(x),), -math.inf, dtype=torch.float64), 0
    for chunk in chunks:
        distances = torch.cdist(x, chunk.flatten(1).double()).square()  # (N, m)
        total = torch.logaddexp(total, torch.logsumexp(-distances / (2 * sigma**2), dim=1))
        count += len(chunk)
    return total - math.log(count) - x.shape[1] * math.log(sigma * math.sqrt(2 * math.pi))


# %% [markdown]
# Is this what the library ships, and is it right? One cell compares it with the library and with scikit-learn's `KernelDensity`. (A trap: scikit-learn searches a tree with bounds, and in hundreds of dimensions these can be off by hundreds of nats. One leaf that holds all samples makes it exact.)

# %%
# NBVAL_CHECK_OUTPUT
samples_here, images_here = torch.rand(2, 200, 784, generator=torch.Generator().manual_seed(0))
ours = parzen(samples_here.split(70), images_here, sigma=0.2)
library = parzen_log_likelihood(samples_here, images_here, sigma=0.2)
peer = KernelDensity(bandwidth=0.2, leaf_size=201).fit(samples_here.double()).score_samples(images_here.double())
same = float((ours - library).abs().max()) < 1e-3 and float((library - torch.from_numpy(peer)).abs().max()) < 1e-3
assert same
print("same nats, to a thousandth:", same)

# %% [markdown]
# ## An adversarial autoencoder for likelihood
#
# The paper uses a code of 8 dimensions and a wide prior, $\mathcal{N}(0, 5^2 I)$, and a decoder with sigmoid outputs.

# %%
late = {settings.settle: 10}
game = Adam(4e-4, beta1=0.5, drops=late)
optimizers = {"reconstruction": Adam(1e-3, drops=late), "discriminator": game, "generator": game}
system = AdversarialAutoencoder(
    data.image_shape,
    prior=Gaussian(8, std=5.0),
    hidden=settings.hidden,
    discriminator_hidden=settings.hidden,
    batch_norm=False,
    seed=0,
)
history = fit(system, data.train.images, **settings.training, optimizers=optimizers)
assert history.losses["reconstruction"][-1] < history.mean_image_loss
figures.show(
    figures.show_images(system.sample(40, seed=1), columns=10, title="Forty draws of the prior, decoded"),
    alt="Forty decoded draws of the prior: most are clear digits of all classes, some are between two digits.",
)

# %% [markdown]
# ## Which σ?
#
# Draw 10,000 samples, and try a grid of widths on [**validation**](glossary.ipynb#Validation-images) images. All widths share the distances, which are the expensive part. `sigma_search` refuses to answer if the best width is the first or the last of the grid, because then a better one may lie outside.

# %%
samples = torch.cat(list(Samples(system, 10_000)))
WIDTHS = np.logspace(-1.2, -0.2, 16)
search = sigma_search(samples, validation, WIDTHS)
figures.show(
    figures.sigma_curve(search),
    alt="Mean log-likelihood of validation images against sigma on a logarithmic axis: it rises steeply, has one maximum, which is "
    "marked, and falls again.",
)
try:
    sigma_search(samples, validation[:100], [0.5, 0.7, 1.0])
except ValueError as error:
    print(error)

# %% [markdown]
# How wide is the best window? As a standard deviation per pixel it is a strong noise. Sample and noise together are what this density takes for typical images, with pixels below 0 and above 1, which is why the sample's black is grey here.

# %%
noise = torch.randn(3, *samples.shape[1:], generator=torch.Generator().manual_seed(0))
noisy = torch.cat([samples[:1], samples[:1] + search.sigma * noise])
low, high = noisy.min(), noisy.max()  # a window does not end at 0 and 1
print(f"black is {low:.2f}, white {high:.2f}")
figures.show(
    figures.show_images((noisy - low) / (high - low), columns=4, captions=("a sample", "a draw", "of its", "window")),
    alt="A decoded digit on grey, and three draws of the Gaussian window around it: the same digit under strong grainy noise.",
)

# %% [markdown]
# Now the test images, once, with the width that was chosen. The ± is the [standard error](glossary.ipynb#Standard-error) of the mean over test images, $\mathrm{std}/\sqrt{N}$; it says nothing about other trainings or other samples.

# %%
nats = parzen_log_likelihood(samples, test, sigma=search.sigma)
mean, error = mean_and_standard_error(nats)
print(
    f"{mean:.0f} ± {error:.1f} nats per image ({len(samples):,} samples, sigma {search.sigma:.3f}, {len(test):,} test images)"
)
print(f"of these the first 1,000 alone: {nats[:1000].mean():.0f}")

# %% [markdown]
# ## More samples, more nats
#
# **Predict, then run.** The model stays the same. What happens to its log-likelihood if we draw ten times as many samples?

# %%
some_test, some_validation = test[:1000], validation[:500]
print(f"{'samples':>12}{'sigma':>8}{'nats per image':>17}")
rising = []
for count in settings.counts:
    drawn = Samples(system, count)
    sigma = sigma_search(drawn, some_validation, WIDTHS).sigma
    mean_here, error_here = mean_and_standard_error(parzen_log_likelihood(drawn, some_test, sigma=sigma))
    rising.append(mean_here)
    print(f"{count:>12,}{sigma:>8.3f}{mean_here:>10.0f} ± {error_here:.1f}")
assert rising == sorted(rising)

# %% [markdown]
# It rises and goes on rising, because with more samples there is a nearer one for every test image and narrower windows suffice. At a fixed $\sigma$ it *must* rise, on average over samples. Write $p_\sigma$ for the density of the model's images with windows around all of them: each term of the sum is on average $p_\sigma(x)$, and so is $\hat p(x)$, but the logarithm of an average is more than the average of logarithms (Jensen),
#
# $$\mathbb{E}\big[\log \hat p(x)\big] \;\le\; \log \mathbb{E}\big[\hat p(x)\big] = \log p_\sigma(x).$$
#
# So the estimate is on average a *lower bound* of $\log p_\sigma(x)$, and more samples bring it nearer from below. How near it has come, the estimate itself does not say: a value that still rises has not arrived. (From 10,000 samples to 100,000 the width stayed the same: the grid's steps are coarse.)
#
# The paper reports 340 nats with 10,000 samples and 427 with ten million, for *one and the same* model. <!-- 340, 427: Makhzani et al. 2015, Table 1 --> So a Parzen log-likelihood without its number of samples and its $\sigma$ is no result. `Samples` draws in chunks, so ten million need no more memory than ten thousand, only time.
#
# ## Are they copies?
#
# Does the model owe its likelihood to training images that it has stored? The paper's Figure 5 shows, for the last sample of each row, the training image that is nearest to it.

# %% tags=["title-figure"]
figures.show(
    figures.samples_with_neighbours(
        system.sample(50, seed=3),
        data.train.images,
        title="Samples of this notebook, and the nearest training image",
    ),
    alt="Five rows of ten decoded samples and, in a column apart, the training image that is nearest to the row's last sample. The "
    "two are alike in manner, but differ in strokes and thickness, and in two rows in the digit: an 8 beside a 3, a 9 beside a 7.",
)

# %% [markdown]
# The neighbour is another image, in strokes, thickness or even in the digit: none of these five samples is a copy. Five are few; [notebook 04](04_gans_and_moment_matching.ipynb#Did-anyone-copy?) measures the same distance for hundreds.
#
# ### The same after a long training
#
# So much for three minutes. `trained` reads a system that was trained for longer, [notebook 11](11_wasserstein_autoencoders.ipynb)'s WAE-GAN. That is an adversarial autoencoder, too, with 8 dimensions and the squared error; but the prior is $\mathcal{N}(0, I)$, and one optimizer moves encoder and decoder by the sum of both losses, the generator's times 10. The same code scores its samples.


# %%
def score(name, images):
    """The Parzen estimate that ``images`` (M, C, H, W) as samples give to some test images, in nats, printed."""
    sigma = sigma_search(images, some_validation, WIDTHS).sigma
    found = float(parzen_log_likelihood(images, some_test, sigma=sigma).mean())
    print(f"{name:16}{found:8.0f} nats   sigma {sigma:.3f}, {len(images):,} samples")
    return found


long = experiments.trained("wae-gan-8d") if data.name == "mnist" else system
print("below:", "this notebook's own, in place of the stored one" if long is system else "the stored long run")
rivals = {"AAE": samples}
if long is not system:
    rivals["WAE-GAN, long"] = torch.cat(list(Samples(long, 10_000)))
    run = experiments.records("wae-gan-8d", "../results", profile="long")[0]
    print(f"{run['epochs']:.0f} epochs, layers of {run['settings']['system']['hidden'][0]} units")
found = {name: score(name, images) for name, images in rivals.items()}
figures.show(
    figures.samples_with_neighbours(
        long.sample(50, seed=3),
        data.train.images,
        title=f"Samples of {'this notebook' if long is system else 'the stored long run'}, and the nearest training image",
    ),
    alt="Five rows of ten samples of the long run: mostly clear digits, a few that are none. The training images nearest to the rows' last "
    "samples show the same five digits, 1, 4, 2, 7 and 8, in other strokes.",
)

# %% [markdown]
# Again no copies, though here each neighbour shows the same digit. Some samples still are no digits. By the same code, on the same 1,000 test images, the WAE-GAN has 320 nats and this notebook's model 307.
#
# ## The table
#
# The paper's Table 1 in nats, with ours beside it. Its first three rows are older generative models: a DBN is a deep belief network, a CAE a contractive autoencoder, a GSN a generative stochastic network. GMMN + AE draws the codes of an autoencoder by moment matching ([notebook 04](04_gans_and_moment_matching.ipynb)). Faces are 48x48 pixels with a 15-dimensional code <!-- 15: Makhzani et al. 2015, Sec. 3 -->, a linear decoder and pixels that are standardised one by one; the paper used the Toronto Face Database, which is not public, and ours is FER2013. So the two numbers for faces are of different data and cannot be compared.

# %%
PAPER = {  # MNIST with 10,000 samples and with 10 million, faces likewise
    "DBN": ("138 ± 2", "–", "1909 ± 66", "–"),
    "Stacked CAE": ("121 ± 1.6", "–", "2110 ± 50", "–"),
    "Deep GSN": ("214 ± 1.1", "–", "1890 ± 29", "–"),
    "GAN": ("225 ± 2", "386", "2057 ± 26", "–"),
    "GMMN + AE": ("282 ± 2", "–", "2204 ± 20", "–"),
    "AAE": ("340 ± 2", "427", "2252 ± 16", "2522"),
}


def table_row(name, numbers, more=""):
    print(f"{name:26}" + "".join(f"{number:>13}" for number in numbers) + more)


def long_run(name):
    """The first run of an experiment in results/ as (10K, 10M, words): nats, and what they were computed with."""
    runs = experiments.records(name, "../results", profile="long")
    if not runs:
        return "–", "–", ""
    found = runs[0]["metrics"]["test"]
    ten_million = [one for one in runs[0].get("likelihoods", []) if one["samples"] == 1e7]
    numbers = [f"{one['log_likelihood']:.0f} ± {one['standard_error']:.0f}" for one in (found, *ten_million)]
    widths = ", ".join(f"{one['sigma']:.3f}" for one in (found, *ten_million))
    units = " and ".join(map(str, runs[0]["settings"]["system"]["hidden"]))
    more = f"\n    {name}: layers of {units} units, {runs[0]['updates']:,} updates, sigma {widths}"
    more += "".join(f"; 10M of the first {one['images']:,.0f} test images" for one in ten_million)
    each = [f"{run['metrics']['test']['log_likelihood']:.0f} (seed {run['seed']})" for run in runs]
    more += f"\n    {name}, 10K: {', '.join(each)}"
    return numbers[0], (*numbers, "–")[1], more


# %%
table_row("nats per image", ("MNIST 10K", "MNIST 10M", "faces 10K", "faces 10M"))
for name, numbers in PAPER.items():
    table_row(f"{name}, the paper", numbers)
table_row("AAE, this notebook", (f"{mean:.0f} ± {error:.0f}", "–", "–", "–"))
digits, faces = long_run("parzen-mnist"), long_run("parzen-faces")
table_row("AAE, long runs, seed 0", (*digits[:2], *faces[:2]), digits[2] + faces[2])

# %% [markdown]
# What differs: the paper trains networks of 1000 units for much longer than the few epochs here; the long runs are those that lie in `results/`, made on a CPU, with layers of 500. The row shows seed 0, the best of three on MNIST: 325, 321 and 312 nats, so a training's luck moves the number by far more than its ±. "10M" is the same model with ten million samples, on the first 1,000 test images only, which is why its ± is larger.
#
# From 10,000 samples to ten million the table's long run gains 183 nats, the paper's 87. <!-- 87: Makhzani et al. 2015, Table 1, 427 less 340 --> <!-- 183: 508 less 325 --> Our two numbers are of different images, but that does not make the gain: this notebook's model has 3 nats less on the first 1,000 images (307) than on all (310). <!-- 3: 310 less 307 --> The lower bound is a reason for a gain, and $\sigma$ may be one for its size: more samples allow a narrower window (0.126 in place of 0.158), and how far that goes depends on how near the samples can come to a test image. Which of the two models is better, these two columns do not say: with 10,000 samples the paper's leads, with ten million ours.
#
# For faces, half a nat per pixel is a thousand nats per image: compare such numbers only for the same data, scaling and pixel count.
#
# ## What is wrong with Parzen windows
#
# Here is a rival that has no decoder and no latent space and needs no training. Take 10,000 training images. Replace each by the average of all training images that are nearer to it than to any other of the 10,000. This is a single step of [k-means](glossary.ipynb#k-means). It can generate nothing but these 10,000 blurs. They are made of all training images, which the AAE was trained on, too; so for a fair look at the blur there is a row of 10,000 real training images, and one of the same 10,000 blurred.
#
# > **Predict, then run.** Which of these comes first, which last?


# %%
def one_step_of_k_means(images, count):
    """Averages (count, C, H, W) of those of the images (N, C, H, W) that are nearest to each of the first ``count``."""
    pixels = images.flatten(1).float() / 255  # (N, D)
    centres = pixels[:count]
    squares = centres.square().sum(dim=1)
    nearest = torch.cat([(squares - 2 * part @ centres.T).argmin(dim=1) for part in pixels.split(2000)])  # (N,)
    sums = torch.zeros_like(centres).index_add_(0, nearest, pixels)
    return (sums / torch.bincount(nearest, minlength=count).clamp_min(1)[:, None]).unflatten(1, images.shape[1:])


# %%
count = min(10_000, len(data.train) // 5)
cheater = one_step_of_k_means(data.train.images, count)
some_real = data.train.images[:10_000].float() / 255
blurred = torch.nn.functional.avg_pool2d(some_real, 3, stride=1, padding=1)  # each pixel the mean of 3 × 3
more = {"real training": some_real, "real, blurred": blurred, "k-means": cheater}
found |= {name: score(name, images) for name, images in more.items()}
rivals |= more
assert settings.profile == "smoke" or found["real training"] < min(found["real, blurred"], found["k-means"])

# %%
shown = torch.cat([images[:10] for images in rivals.values()])
figures.show(
    figures.show_images(shown, columns=10, rows=list(rivals)),
    alt="Five rows of ten images: samples of the adversarial autoencoder and of the long run, real training digits, the same blurred, and "
    "the averages of k-means, which look like slightly blurred training digits.",
)

# %% [markdown]
# Read the numbers again. **Real images score worst.** As samples, ten thousand real digits are worse than the models that imitate them. Is it that they are sharp? The same images have 304 nats once they are blurred, in place of 236, by nothing but the blur. The averages of k-means, blurs of more images, come near the paper's best number for 10,000 samples after a few seconds and without learning anything. Blur is good for a Parzen window: an average lies near many images, a real digit lies near few. What the estimate rewards is to be close to everything in the sum of squares, and neither sharpness nor variety. Theis, van den Oord and Bethge (2016) made this argument, and such tables have gone out of use.
#
# ## What one measures today
#
# Today models are compared by features, what the last hidden layer of a trained classifier makes of an image: the *Fréchet distance* between the Gaussians that fit the features of real and of made images (FID, Heusel et al. 2017; 0 is best), the [*precision*](glossary.ipynb#Precision-and-recall), the share of made images that lie among the real ones, and the *recall*, the share of real ones that lie among the made ones (Kynkäänniemi et al. 2019). Published FIDs use a network trained on photographs. Ours is a small one, trained here in seconds on the digits' own training labels, so these numbers compare rows of this table and nothing else.

# %%
judge = train_feature_network(data.train, seed=0)
some = min(1000, len(data.test))
real = judge.features(data.test.images[:some])
rivals["real validation"] = data.validation.images
rows = {}
for name, images in rivals.items():
    made = judge.features(images[:some])
    rows[name] = feature_fid(real, made), *precision_recall(real, made)
    print(f"{name:16} feature-FID {rows[name][0]:8.2f}   precision {rows[name][1]:.2f}   recall {rows[name][2]:.2f}")
assert rows["real validation"][0] < rows["AAE"][0]

# %% [markdown]
# Real images that nobody trained on are best in [feature-FID](glossary.ipynb#Feature-FID), as they should be, and in nothing else: precision is higher for the models and for all that is blurred, recall for the training images. The blur that Parzen windows reward, features see: it costs real images a feature-FID of 57.03 in place of 24.97, and most of their recall.
#
# Training images have a worse feature-FID than validation images. Is it because the judge was trained on them? A control: a second judge, trained on half of the training images, looks at some of this half, at some of the other, and at validation images.

# %%
half = len(data.train) // 2
second = train_feature_network(data.train.take(torch.arange(half)), seed=0)
real_again = second.features(data.test.images[:some])
seen = {"training images, seen": data.train.images[:half], "training images, not seen": data.train.images[half:]}
lot = min(some, len(data.validation) // 5)
for name, images in (seen | {"validation images": data.validation.images}).items():
    lots = [feature_fid(real_again, second.features(part)) for part in images[: 5 * lot].split(lot)]
    print(f"{name:26} feature-FID {np.mean(lots):5.1f} ± {np.std(lots, ddof=1):.1f} over {len(lots)} lots of {lot:,}")

# %% [markdown]
# Training images that it has not seen are as far as validation images, 19.3 ± 6.3 and 21.3 ± 5.6 over five lots of 1,000 images each; those that it was trained on are farther, 28.7 ± 8.1: the direction that one expects of a judge that remembers, but within the spread. What the control does show is how much lots of 1,000 images differ by themselves, seen or not. Do not rank rows that are ten apart.
#
# And the cheater holds its own here as well: it is ahead of the adversarial autoencoder of three minutes in recall (0.76 against 0.61), about level in precision (0.90 against 0.92), and lower in feature-FID (26.84 against 34.29, which by the last sentence is no ranking); the WAE-GAN has 19.50 and a recall of 0.71. The averages keep much of the training images they are made of, and some hardly differ from one in the figure above. What exposes the cheater is that it has 10,000 stored pictures. No single number tells a model that generates from one that remembers: look at neighbours, as Figure 5 does, and at the latent space, which a cheater does not have.
#
# ## Play with it
#
# Move $\sigma$: the curve says what it does to the likelihood, the pictures what it does to an image (clipped to 0 and 1 here).

# %%
sigma_slider(samples, data.validation.images[:500])

# %% [markdown]
# ## Summary
#
# - A Parzen window estimate turns samples into a density; $\sigma$ comes from validation images, never from the edge of a grid.
# - Its value depends on the number of samples, on $\sigma$, on the scaling of pixels and on their number. Publish them all.
# - It can be computed exactly, in chunks, with float64 where small widths magnify rounding.
# - It prefers averages to real images. Use it to reproduce old tables, not to choose a model.

# %% [markdown]
# ## Exercises
#
# Exercises A and B are functions to write. Put your lines in the place of `...`, run the cell, and then the cell below it: it says
# whether the function is right or, in a sentence, what is wrong with it. Both need nothing that was computed above.

# %% tags=["exercise"]
import torch

from aae_lib import exercises

# %% [markdown] tags=["exercise"]
# **A** *(easy, code)* `nats(images, sigma)` gives the log-likelihood of each image (N,). Write the choice of $\sigma$ among `sigmas`. You are handed test images as well, as you would be in life. Expected: the width that is best for the right images.


# %% tags=["exercise"]
def choose_sigma(nats, sigmas, validation, test):
    """The one of ``sigmas`` to score the test images with: a number."""
    ### BEGIN SOLUTION
    return max(sigmas, key=lambda sigma: float(nats(validation, sigma).mean()))
    ### END SOLUTION


# %% tags=["exercise"]
exercises.check_choose_sigma(choose_sigma)

# %% [markdown] tags=["exercise"]
# **B** *(medium, code)* Write the *precision* of features of real images (N, F) and of made ones (M, F). Draw a ball around each real point that reaches to its `k`-th nearest *other* real point. Precision is the share of made points that lie in at least one ball. Expected: 1 for made points that are copies of real ones.


# %% tags=["exercise"]
def precision(real, made, k):
    """The share of made points (M, F) that lie among the real ones (N, F)."""
    ### BEGIN SOLUTION
    radius = torch.cdist(real, real).topk(k + 1, largest=False).values[:, -1]  # (N,); a point's nearest is itself
    inside = torch.cdist(made, real) <= radius  # (M, N)
    return inside.any(dim=1).float().mean()
    ### END SOLUTION


# %% tags=["exercise"]
exercises.check_precision(precision)

# %% [markdown]
# 1. *(easy)* Score 10,000 copies of the mean image. How far is it from the cheater?
#    <details><summary>Expected</summary>About −57 nats on all test images, −42 on the first 1,000, hundreds below the cheater: one window, as wide as digits differ from their mean.</details>
# 2. *(easy)* Choose $\sigma$ on the test images instead. How many nats does cheating give here, and why so few?
#    <details><summary>Expected</summary>Next to nothing, if the best width of the grid changes at all: it is one number, fitted to thousands of images.</details>
# 3. *(medium, open-ended)* Train with `Gaussian(2, std=5.0)` and `Gaussian(20, std=5.0)`. Which has more nats, which the better feature-FID? You have succeeded when both had the same epochs, each its own σ from validation images, and you can say whether the two numbers agree on the order.
# 4. *(medium)* Blur a model's own samples a little (`torch.nn.functional.avg_pool2d` with a stride of 1). Do they gain? <details><summary>Hint</summary>Choose σ anew for every blur.</details>
#    <details><summary>Expected</summary>They lose: the WAE-GAN's, by windows of 3 × 3, fall from 320 to 303 nats. A decoder's samples are averages already; sharp images gain by the same blur.</details>
# 5. *(hard)* Fit the curve of nats against the logarithm of the number of samples, and predict the value for ten million. How far is it from the paper's 427, and from the paper's own difference of 87?
#    <details><summary>Expected</summary>A straight line predicts some 580 nats, 270 more than with 10,000, which is too much: the curve flattens, as each further factor of ten brings less than the one before. A thousand times as many brought the paper's model 87 nats, and the table's long run 183.</details>
# 6. *(easy, prediction)* Somebody leaves pixels from 0 to 255 in place of 0 to 1, samples and images alike, and scales $\sigma$ along. What happens to the nats of an image of 784 pixels? Has the model become worse?
#    <details><summary>Expected</summary>They fall by 784 ln 255 ≈ 4344 nats. The model is the same; a density is one per unit of volume, and the unit has changed.</details>
# 7. *(easy, exploration)* With the slider above, go to half the best $\sigma$ and to twice the best. Which costs more nats?
#    <details><summary>Expected</summary>Half of it: the curve rises steeply on the left and falls slowly on the right. A window too narrow misses a new image altogether; one too wide only wastes density.</details>
#
# **To read.** Makhzani et al. 2015 ([arXiv 1511.05644](https://arxiv.org/abs/1511.05644)), Sec. 3. Theis, van den Oord & Bethge 2016, *A note on the evaluation of generative models* ([arXiv 1511.01844](https://arxiv.org/abs/1511.01844)). Heusel et al. 2017 ([arXiv 1706.08500](https://arxiv.org/abs/1706.08500)); Kynkäänniemi et al. 2019 ([arXiv 1904.06991](https://arxiv.org/abs/1904.06991)).
#
# **Next:** [notebook 07](07_supervised.ipynb) tells the decoder what the image shows, so that the code can hold how it looks.
