# %% [markdown]
# # 3 · Adversarial autoencoder or variational autoencoder?
#
# Both turn an autoencoder into a generative model by pulling its codes onto a prior. They pull at different things. This notebook shows at what, rebuilds the figure with which the paper compares them, and measures what the figure shows.
#
# **You will learn**
# - the three terms of a [variational autoencoder](glossary.ipynb#Variational-autoencoder)'s loss, and which of them the adversarial autoencoder replaces by a game;
# - why pulling *each* posterior to the prior costs [information](glossary.ipynb#Mutual-information) about the image, and pulling *all of them together* does not;
# - why a variational autoencoder needs its prior as a formula, while samples are enough for the adversarial one;
# - how to measure the distance between the [aggregated posterior](glossary.ipynb#Aggregated-posterior) $q(z)$ and the prior $p(z)$, and what an honest comparison looks like: same budget, three seeds, [floors](glossary.ipynb#Floor).
#
# **You need** notebook [02](02_adversarial_autoencoders.ipynb) (the two phases, $q(z)$, the discriminator's losses) and the idea of the [ELBO](glossary.ipynb#Evidence-lower-bound) from notebook [01](01_autoencoders_vaes_gans.ipynb).
#
# **About 3 minutes on a laptop CPU.** It ends with this figure: [Figure 2 of the paper, rebuilt](#Figure-2), the codes of digits that the systems have never seen, for two systems and two priors, [the numbers behind it](#The-claim,-measured), and the same [after a long run](#After-a-long-run).
#
# ![Four panels of codes coloured by digit over the prior: on a round Gaussian and on a mixture of ten, for an adversarial and a variational autoencoder.](figures/03_aae_versus_vae.png)
#
# The paper is Makhzani, Shlens, Jaitly, Goodfellow and Frey (2015), *Adversarial Autoencoders*, [arXiv 1511.05644](https://arxiv.org/abs/1511.05644); here we are in its Section 2.1.

# %%
import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch.distributions import Normal

from aae_lib import choose, experiments, figures, fit, load
from aae_lib.evaluation import distance_to_prior, holes, knn_accuracy
from aae_lib.evaluation.latent import HOLES_FLOOR
from aae_lib.losses import half_squared_error
from aae_lib.networks import Decoder, Encoder, initialise
from aae_lib.pixels import as_float
from aae_lib.priors import Gaussian, GaussianMixture, Prior
from aae_lib.systems import Adam, AdversarialAutoencoder, Phase, System, VariationalAutoencoder

settings = choose(
    smoke=dict(data="digits", hidden=(64, 64), epochs=10, settle=8, batch_size=50, codes=250),
    quick=dict(data="mnist", hidden=(256, 256), epochs=3, settle=2, batch_size=100, codes=2000),
    paper=dict(data="mnist", hidden=(1000, 1000), epochs=100, settle=50, batch_size=100, codes=10_000),
)
SEEDS = (0, 1, 2)
data = load(settings.data, fallback="digits")
print(f"{settings.profile}: {data.name}, {len(data.train):,} images to train on, {len(data.test):,} held out")

# %% [markdown]
# ## The loss of a variational autoencoder has three terms
#
# A variational autoencoder (VAE) makes $\log p(x)$ of the training images large by making a bound of it large, the ELBO. The paper writes its negative, averaged over the images, which is never below $-\log p(x)$, and then takes the regularizer (the KL term) apart (its Equation 2):
#
# $$
# \begin{aligned}
# \mathbb{E}_x[-\log p(x)] \;&<\; \mathbb{E}_x\big[\mathbb{E}_{q(z|x)}[-\log p(x|z)]\big] \;+\; \mathbb{E}_x\big[\mathrm{KL}(q(z|x)\,\|\,p(z))\big] \\
# &=\; \underbrace{\mathbb{E}_x\big[\mathbb{E}_{q(z|x)}[-\log p(x|z)]\big]}_{\text{reconstruction}} \;-\; \underbrace{\mathbb{E}_x\big[H(q(z|x))\big]}_{\text{entropy}} \;+\; \underbrace{\mathbb{E}_{q(z)}[-\log p(z)]}_{\text{cross-entropy}}
# \end{aligned}
# $$
#
# Here $q(z) = \mathbb{E}_x[q(z|x)]$ is the **aggregated posterior**: the codes of all images together.
#
# - The **reconstruction** term is an autoencoder's loss. Alone, it would leave the codes wherever it finds them useful.
# - The **[entropy](glossary.ipynb#Entropy)** of each image's posterior is to be *large*: every image is asked to blur its own code.
# - The **[cross-entropy](glossary.ipynb#Cross-entropy)** of $q(z)$ with the prior is to be *small*: the codes are drawn to where $p(z)$ is high. Alone, this would move all of them into the mode of the prior; it is the entropy that keeps them apart.
#
# An adversarial autoencoder (AAE) keeps the first term and **replaces the last two** by a game in which a discriminator compares draws of $q(z)$ with draws of $p(z)$. Two things follow.
#
# 1. *What is asked for differs.* The entropy term looks at one image at a time. The game never does: it sees only the cloud of all codes.
# 2. *What must be known differs.* The cross-entropy contains $\log p(z)$, so a VAE needs the prior as a **formula** that can be differentiated. The game needs **samples**.
#
# We take them in turn, the first in one dimension.

# %% [markdown]
# ## A toy in one dimension: eight images
#
# Eight images, a code of one number, no decoder. Each image has a Gaussian posterior $q(z|x_i) = \mathcal{N}(\mu_i, \sigma_i^2)$, and the prior is $\mathcal{N}(0, 1)$. At the start the posteriors are narrow and crowded to one side of the prior. We minimise one of two losses, and nothing else:
#
# - the VAE's regularizer, the mean of the eight $\mathrm{KL}(q(z|x_i)\,\|\,p(z))$;
# - a distance between $q(z)$ and $p(z)$. The AAE's discriminator is one way to have such a distance. In one dimension there is a simpler one: sort the draws of $q(z)$ and compare them with the quantiles of the prior.

# %%
PRIOR = Normal(0.0, 1.0)
NOISE = PRIOR.icdf((torch.arange(200) + 0.5) / 200)[:, None]  # (200, 1), evenly spread draws of N(0, 1)


def kl_of_each(mean, std):
    """What the KL term of a VAE asks: every posterior on the prior."""
    return torch.distributions.kl_divergence(Normal(mean, std), PRIOR).mean()


def distance_of_all(mean, std):
    """What matching q(z) asks: all draws together, sorted, on the quantiles of the prior."""
    draws = (mean + std * NOISE).flatten().sort().values  # (1600,)
    quantiles = PRIOR.icdf((torch.arange(len(draws)) + 0.5) / len(draws))
    return (draws - quantiles).square().mean()


def minimise(loss, steps=1000, start=0.05):
    """Means and stds (8,) of the posteriors after gradient descent from narrow ones, of std ``start``."""
    mean, std = torch.linspace(0.8, 2.2, 8).requires_grad_(), torch.full((8,), start).requires_grad_()
    optimizer = torch.optim.SGD([mean, std], lr=0.2)
    for _ in range(steps):
        optimizer.zero_grad()
        loss(mean, std).backward()
        optimizer.step()
    return mean.detach(), std.detach()


# %%
toys = {
    "at the start": minimise(kl_of_each, steps=0),
    "after the KL term": minimise(kl_of_each),
    "after matching q(z)": minimise(distance_of_all),
}

# %% [markdown]
# > **Predict, then run.** Draw the eight posteriors after each of the two. Which of them still tells you which image a code came from?

# %%
z = torch.linspace(-4, 4, 2001)


def draw_posteriors(toys):
    figure, axes = figures.canvas(count=3, columns=3, width=3.0, height=2.8)
    for ax, (title, (mean, std)) in zip(axes, toys.items(), strict=True):
        each = Normal(mean[:, None], std[:, None]).log_prob(z).exp() / len(mean)  # (8, points): q(z|x) / 8
        ax.fill_between(z, PRIOR.log_prob(z).exp(), color=figures.PRIOR_GREYS[0], label="p(z)")
        for colour, curve in zip(figures.CLASS_COLOURS, each, strict=False):
            ax.plot(z, curve, color=colour, linewidth=1)
        ax.plot(z, each.sum(dim=0), color=figures.INK, linestyle="--", label="q(z)")
        ax.set(title=title, xlabel="z", yticks=[], ylim=(0, 0.6))
    axes[0].legend(frameon=False, loc="upper left")
    return figure


figures.show(
    draw_posteriors(toys),
    alt="Three panels of eight bell curves over a grey normal density. At the start all are narrow and right of the centre. "
    "After the KL term they lie on one another. After matching q(z) they stand side by side and their sum follows the prior.",
)

# %% [markdown]
# The dashed line is $q(z)$, the coloured curves are the posteriors of the eight images, each an eighth of it (in the first panel all lines leave at the top). Both losses brought $q(z)$ onto the prior. But:
#
# - The **KL term** made all eight posteriors *equal to the prior*. A code now says nothing about its image. In a real VAE the reconstruction term resists, and the two settle somewhere in between.
# - **Matching $q(z)$** left every posterior its own place: narrow ones in the middle, wide ones at the sides, or however it happens. Nothing in the loss prefers one of the many arrangements to another, so reconstruction is free to choose.
#
# This can be put in one line. The KL term is the sum of two things (Hoffman and Johnson 2016 call it *ELBO surgery*):
#
# $$\mathbb{E}_x\big[\mathrm{KL}(q(z|x)\,\|\,p(z))\big] \;=\; \underbrace{I(x; z)}_{\text{what a code tells of its image}} \;+\; \underbrace{\mathrm{KL}(q(z)\,\|\,p(z))}_{\text{what matching } q(z) \text{ asks}}$$
#
# The AAE drops the first. Let us check the sum, and the paper's own split of it, by numerical integration.

# %%
print("nats                  KL term = cross-entropy − entropy = information + KL(q(z)‖p(z))")
for title, (mean, std) in toys.items():
    each = Normal(mean[:, None], std[:, None]).log_prob(z)  # (8, points), log q(z|x)
    q = each.exp().mean(dim=0)  # (points,), q(z)
    entropy = Normal(mean, std).entropy().mean()
    cross_entropy = torch.trapezoid(-q * PRIOR.log_prob(z), z)
    information = torch.trapezoid(each.exp() * (each - q.clamp(min=1e-30).log()), z).mean()
    mismatch = torch.trapezoid(q * (q.clamp(min=1e-30).log() - PRIOR.log_prob(z)), z)
    kl = kl_of_each(mean, std)
    print(f"{title:20} {kl:8.2f} = {cross_entropy:12.2f} {-entropy:+8.2f}  = {information:10.2f}  + {mismatch:.2f}")
    assert math.isclose(kl, cross_entropy - entropy, abs_tol=0.02)
    assert math.isclose(kl, information + mismatch, abs_tol=0.02)
assert information > 1 and mismatch < 0.05  # matching q(z): the codes know their image, and q(z) is the prior

# %% [markdown]
# <!-- 2.08: ln 8 -->
# In the last row $q(z)$ is as good as on the prior ($\mathrm{KL}(q(z)\,\|\,p(z))$ is close to 0) while a code still carries more than half of the $\ln 8 \approx 2.08$ [nats](glossary.ipynb#Nats) that it takes to name one of eight images. A VAE would have to pay for these nats in its loss. An AAE does not.
#
# That is the theory of why an AAE might fill a prior better. It speaks of the game's *optimum*, where the discriminator is the best there is: what the encoder then lowers is the [Jensen-Shannon divergence](glossary.ipynb#Jensen-Shannon-divergence) of $q(z)$ and $p(z)$ (notebook 01), not $\mathrm{KL}(q(z)\,\|\,p(z))$, though both are 0 at the same place. It does not promise that training gets there. So we train.

# %% [markdown]
# ## The VAE's loss for a prior without a closed form
#
# With a Gaussian prior the KL term is a short formula (notebook 01 used it). With a [mixture of ten Gaussians](glossary.ipynb#Mixture-of-Gaussians) there is none, and a VAE estimates the last two terms of the loss from the same draw $z \sim q(z|x)$ with which it reconstructs: $\log q(z|x)$ stands for minus the entropy, $-\log p(z)$ for the cross-entropy. This is where the formula of the prior comes in.
#
# The mixture is a flower: ten Gaussians stretched along the radius (std 0.5 along it, 0.1 across), pushed outward by 1.4 and turned by tenths of the circle.

# %%
MIXTURE = GaussianMixture()  # the library's, with the same petals


def log_mixture(z):
    """log p(z) of the flower in nats, (B, 2) -> (B,)."""
    angle = 2 * math.pi * torch.arange(10, device=z.device) / 10
    along = z[:, :1] * angle.cos() + z[:, 1:] * angle.sin()  # (B, 10), in the direction of each petal
    across = z[:, 1:] * angle.cos() - z[:, :1] * angle.sin()
    log_each = Normal(1.4, 0.5).log_prob(along) + Normal(0.0, 0.1).log_prob(across)
    return log_each.logsumexp(dim=1) - math.log(10)


draws = MIXTURE.sample(1000, torch.Generator().manual_seed(0))
assert torch.allclose(log_mixture(draws), MIXTURE.log_prob(draws), atol=1e-3)


# %%
class WrittenVAE(System):
    """A variational autoencoder on the flower, with the three terms of its loss written out."""

    def __init__(self, image_shape, hidden, seed=0):
        super().__init__(image_shape)
        self.prior = MIXTURE
        self.encoder = Encoder(self.image_shape, 2, posterior="gaussian", hidden=hidden)
        self.decoder = Decoder(2, self.image_shape, hidden=hidden)
        initialise(self, seed)

    def phases(self):
        return [Phase("negative_elbo", self.negative_elbo, learns=(self.encoder, self.decoder))]

    def negative_elbo(self, batch):
        mean, log_variance = self.encoder.gaussian(batch.images, batch.generator)  # (B, 2) each
        std = (0.5 * log_variance).exp()
        noise = torch.randn(mean.shape, generator=batch.generator, device=mean.device)
        z = mean + std * noise  # (B, 2), a draw from q(z|x) through which gradients flow
        reconstruction = half_squared_error(self.decoder(z), batch.images)  # −log p(x|z), unit variance
        entropy = -Normal(mean, std).log_prob(z).sum(dim=1).mean()
        cross_entropy = -log_mixture(z).mean()
        return reconstruction - entropy + cross_entropy


# %% [markdown]
# The reconstruction term is half the squared error, summed over the pixels: $-\log p(x|z)$ of a Gaussian with unit variance around the decoded image, up to a constant. It is the very loss that the AAE has, so that the losses of the two systems below differ in the regularizer alone. (What else differs between them, a table below lists.)
#
# Is this what `aae_lib` ships? Same seed, same losses:

# %%
# NBVAL_CHECK_OUTPUT
few, small = data.train.images[:1000], dict(hidden=(64, 64), seed=3)
written = WrittenVAE(data.image_shape, **small)
shipped = VariationalAutoencoder(data.image_shape, prior=MIXTURE, likelihood="gaussian", **small)
losses = [
    fit(vae, few, epochs=2, batch_size=50, seed=3, progress=False).losses["negative_elbo"] for vae in (written, shipped)
]
print("same losses:", np.allclose(*losses, rtol=1e-3))
assert np.allclose(*losses, rtol=1e-3)

# %% [markdown]
# ## Four models, three seeds
#
# Figure 2 of the paper compares an AAE and a VAE on two priors, a 2-D Gaussian and the flower of ten. For a fair comparison everything else is the same, as far as it can be:
#
# | | AAE | VAE |
# |---|---|---|
# | encoder, decoder | hidden layers alike | the same; its encoder has two outputs more, $\log \sigma^2$ |
# | initial weights | drawn from the seed | drawn from the same seed, but not the same numbers: the larger encoder uses up more of them |
# | posterior | deterministic | Gaussian, as its loss needs |
# | images, their order, number of updates | same | same |
# | reconstruction loss | ½ ‖x̂ − x‖² | ½ ‖x̂ − x‖² |
# | regularizer | the game with a discriminator | entropy and cross-entropy, one draw per image; on the Gaussian in closed form |
# | steps | one setting for both priors | one for each prior |
#
# The AAE has one more network, its discriminator, and so takes two to three times as long for an update.


# %%
def settled(learning_rate, beta1=0.9):
    """Adam with ten times smaller steps towards the end: q(z) circles around p(z) for as long as the steps are large."""
    return Adam(learning_rate, beta1, drops={settings.settle: 10})


def steps(kind, prior):
    """The optimizers by phase."""
    if kind == "VAE":
        return dict(negative_elbo=settled(4e-3 if prior == Gaussian(2) else 1e-3))
    game = settled(2e-3, 0.1)
    return dict(reconstruction=settled(5e-4), discriminator=game, generator=game)


KINDS = ("AAE", "VAE")
PRIORS = {"Gaussian": Gaussian(2), "mixture": MIXTURE}


def train(kind, prior, seed, likelihood="gaussian", progress=False):
    same = dict(prior=prior, hidden=settings.hidden, seed=seed)
    if kind == "AAE":
        system = AdversarialAutoencoder(
            data.image_shape, discriminator_hidden=settings.hidden, batch_norm=False, **same
        )
    else:
        system = VariationalAutoencoder(data.image_shape, likelihood=likelihood, **same)
    budget = dict(epochs=settings.epochs, batch_size=settings.batch_size, seed=seed)
    history = fit(system, data.train, optimizers=steps(kind, prior), progress=progress, **budget)
    return system, history


# %% [markdown]
# > **Predict, then run.** Which of the four will fill its prior best, and which worst? And which do you expect to keep the classes apart?
#
# Twelve trainings. The steps above were chosen on *validation* images with another seed (10), by one rule for both: of three learning rates each (the game's 0.0005, 0.001 or 0.002; the VAE's 0.001, 0.002 or 0.004) the one whose $q(z)$ came nearest to the prior by the [sliced Wasserstein distance](glossary.ipynb#Sliced-Wasserstein-distance), all reconstructing within a tenth of the best. Every choice lay at an edge of its three, so one step further out was tried: both VAEs became worse (0.008, 0.0005), and so did the AAE on the Gaussian (0.004); on the mixture it came a little nearer, with more holes. What follows compares them at the steps first chosen. <!-- 10, 0.0005, 0.001, 0.002, 0.004, 0.008: a search not shown here -->

# %%
systems = {}
for name, prior in PRIORS.items():
    for kind in KINDS:
        for seed in SEEDS:
            systems[kind, name, seed], history = train(kind, prior, seed)
        print(f"{kind}, {name:8}  seed {seed}: {history.summary()}")
print(f"answering every image with the mean image: {history.mean_image_loss:.1f}")

# %% [markdown]
# The reconstruction losses of the AAE end between 19 and 20 (the [mean image](glossary.ipynb#Mean-image) scores 26.4) and the negative ELBO of the VAE near 21 on the Gaussian and 23 on the mixture. The discriminator ends near $2\ln 2 \approx 1.39$: it can hardly tell codes from the prior. The VAE's number is the larger one because it contains the other two terms.

# %% [markdown]
# ## Figure 2
#
# **(a–d)** The codes of [hold-out images](glossary.ipynb#Hold-out-images), coloured by class, over the prior (three greys hold 50, 80 and 95 % of it; the outline is that of the 95 %). <!-- 50, 80, 95: aae_lib/figures/codes.py --> For a VAE a code is a *draw* from $q(z|x)$: the claim is about $q(z)$, and $q(z)$ is made of draws.

# %% tags=["title-figure"]
test, labels = data.test.images[:5000], data.test.labels[:5000]
panels, behind = {}, {}
for letter, (kind, name) in zip("abcd", [(kind, name) for kind in KINDS for name in PRIORS], strict=True):
    title = f"({letter}) {kind}, {name}"
    panels[title] = (systems[kind, name, 0].encode(test, seed=0), labels)
    behind[title] = PRIORS[name]
figures.show(
    figures.latent_scatters(panels, behind, "Codes of images that the systems have never seen"),
    alt="Four panels of codes coloured by digit over the prior in grey. On the Gaussian both systems fill the round cloud. On the "
    "mixture of ten the adversarial autoencoder's codes follow the ten petals, the variational one's smear across the gaps.",
)

# %% [markdown]
# On the Gaussian (a, c) both systems fill most of the round cloud, and at a glance neither does it better. On the mixture they differ. The AAE's codes (b) follow all ten petals, though not each to its tip, and the gaps between the petals stay almost free. The VAE (d) fills some petals, leaves others nearly empty, and piles many codes up in the middle, where the petals meet.
#
# Why? A likely reason: the VAE weighs what a mismatch costs, $\mathrm{KL}(q(z)\,\|\,p(z))$, against its reconstruction in one sum. If $q(z)$ leaves $k$ of the ten petals empty and fills the others as it should, that is $-\ln(1 - k/10)$, for three empty petals 0.36 nats, of a loss of about 23: a gain in reconstruction that is nearer at hand goes first. The game's own measure charges no more (a Jensen-Shannon divergence of 0.12 nats), but nothing is weighed against it: it is a phase of its own, whose steps are as large as its optimizer makes them. <!-- 0.36: −ln 0.7 --> <!-- 0.12: ½ (0.7 ln(0.7/0.85) + 0.3 ln 2 − ln 0.85) --> And a VAE's posterior is a Gaussian with axes parallel to $z_1$ and $z_2$, which fits badly into a petal 0.1 wide that lies askew. Neither forbids the VAE to fill all petals in the end; [a long run](#After-a-long-run) will tell.

# %% [markdown]
# A trap: many pictures of VAEs show the posterior *means*. They look crisper, because the posteriors' spread is not shown. But neither the decoder nor the prior meets the means alone in training, and as a picture of $q(z)$ they are wrong: they leave more of the prior empty than the draws do. (Here 5,000 codes are counted, below 10,000. With fewer codes the share of [holes](glossary.ipynb#Holes) is larger; only equal numbers compare.)

# %%
vae = systems["VAE", "mixture", 0]
both = {"draws from q(z|x)": vae.encode(test, seed=0), "their means only": vae.encode(test)}
for name, z in both.items():
    print(f"{name:18} holes {holes(z, MIXTURE):.1%} of the prior")
figures.show(
    figures.latent_scatters({name: (z, labels) for name, z in both.items()}, MIXTURE, "One VAE, drawn in two ways"),
    alt="Two panels of the same variational autoencoder's codes over the ten petals: draws from the posteriors are spread "
    "widely, the means alone form thinner, sharper groups.",
)

# %% [markdown]
# **(e)** The adversarial autoencoder on the Gaussian, decoded at a grid of *[percentiles](glossary.ipynb#Percentile-grid)*: the inverse of the Gaussian's cumulative distribution function turns evenly spaced percentiles into coordinates, so that every image stands for the same share of the prior.

# %%
figures.show(
    figures.percentile_grid(systems["AAE", "Gaussian", 0], side=20),
    alt="A square of 20 by 20 images decoded at evenly spaced percentiles of the Gaussian prior: neighbours differ little, and "
    "walking across the square one digit turns into another; towards the middle the pictures are grey blurs.",
)

# %% [markdown]
# Neighbours differ little, and one walks from digit to digit without a gap. Towards the rim the pictures are digits; in the middle they are blurs, for there, as (a) shows, the codes of many classes lie on one another, and the decoder's best answer is their mean. So a prior filled without holes is not yet one that decodes to digits everywhere: the game settles where codes lie as a whole, and sorting them is left to the reconstruction, which has had three epochs.
#
# ## The claim, measured
#
# The paper compares by eye. Three numbers do without one:
#
# - **[MMD²](glossary.ipynb#Maximum-mean-discrepancy)** and the **sliced Wasserstein distance** of hold-out codes to as many draws of the prior, as in notebook 02 (the second is, in each of 100 random directions, the root of what `distance_of_all` computed in the toy; the root mean square over them <!-- 100: the default of sliced_wasserstein -->);
# - **holes**: the share of the prior that no code is near, where the decoder was never trained.
#
# Each has a *floor*, which is what draws of the prior itself score. And because filling the prior is easy for a system that ignores its images, two more numbers say what it cost: the **error** of reconstructions (half the squared error), from the very codes that were measured (for a VAE draws, not means, or it would be favoured), and the share of hold-out codes to which their five nearest neighbours give the right class (**k-NN**).


# %%
def measure(system):
    z = system.encode(data.test.images, seed=0)
    near = distance_to_prior(z, system.prior, count=settings.codes)
    known = data.train.take(torch.arange(min(5000, len(data.train))))
    return {
        "MMD²": near.mmd,
        "MMD² floor": near.mmd_floor,
        "sliced W": near.sliced_wasserstein,
        "sliced W floor": near.sliced_wasserstein_floor,
        "holes": holes(z, system.prior),
        "error": float(half_squared_error(system.decode(z), as_float(data.test.images))),
        "k-NN": knn_accuracy(system.encode(known.images, seed=0), known.labels, z, data.test.labels),
    }


measured = {key: measure(system) for key, system in systems.items()}
print("mean ± std over seeds", ", ".join(map(str, SEEDS)))
for kind, name in {key[:2]: None for key in measured}:
    rows = [measured[kind, name, seed] for seed in SEEDS]
    cells = [f"{m} {np.mean([r[m] for r in rows]):.3f} ± {np.std([r[m] for r in rows], ddof=1):.3f}" for m in rows[0]]
    print(f"{kind}, {name}:", *cells, sep="\n    ")


# %%
def over_seeds(metric, unit=lambda row: 1):
    """The metric of four models, three seeds each, in multiples of a unit."""
    return {
        f"{kind}, {name}": [measured[kind, name, s][metric] / unit(measured[kind, name, s]) for s in SEEDS]
        for name in PRIORS
        for kind in KINDS
    }


figures.show(
    figures.bars(
        over_seeds("sliced W", unit=lambda row: row["sliced W floor"]),
        "sliced Wasserstein distance of q(z) to p(z), in multiples of the prior's own floor",
        floor=1, floor_label="prior draws",
    ),
    alt="Bars of the sliced Wasserstein distance, in multiples of its floor, for four models with three dots each: on the Gaussian both "
    "are within about twice the floor, on the mixture the variational one is several times as far away as the adversarial one.",
)  # fmt: skip
figures.show(
    figures.bars(
        over_seeds("holes", unit=lambda row: 0.01), "share of the prior that no code is near, %",
        floor=100 * HOLES_FLOOR, floor_label="prior draws",
    ),
    alt="Bars of the share of the prior in holes for four models with three dots each: on the mixture the variational autoencoder "
    "leaves more of the prior empty than the adversarial one.",
)  # fmt: skip
if settings.profile != "smoke":  # the tiny digits are too few to show it
    for seed in SEEDS:
        aae, vae = (measured[kind, "mixture", seed]["sliced W"] for kind in ("AAE", "VAE"))
        assert aae < vae, "on the mixture q(z) of the AAE is nearer to the prior, with every seed"

# %% [markdown]
# **On the mixture the claim holds** at this budget, with each of the three seeds: the sliced Wasserstein distance is 0.085 for the AAE and 0.305 for the VAE (floor 0.051), MMD² 0.005 and 0.15, and the VAE leaves 17 % of the prior empty where the AAE leaves 9 %. The AAE's codes also keep the classes better apart (53 % against 48 %). Its reconstructions are slightly worse (19.7 and 19.4).
#
# **On the plain Gaussian it does not hold** for this VAE at this budget. Its sliced Wasserstein distance is 0.078, the AAE's 0.107 (floor 0.061), and only the MMD² is the other way round, 0.010 and 0.005; the VAE leaves *fewer* holes (3 % against 5 %) and reconstructs better (17.8 against 19.2). The classes lie equally far apart (56 % for both).
#
# The paper sees empty regions in its VAE's Gaussian, and does not say which likelihood that VAE had. Half the squared error is a weak reconstruction term, which lets the KL term have its way. Most code for MNIST uses a [Bernoulli likelihood](glossary.ipynb#Bernoulli-likelihood), the cross-entropy of the pixels, which weighs several times as much.
#
# > **Predict, then run.** The same VAE, with the same steps, and a Bernoulli likelihood, on the plain Gaussian: more holes or fewer? Better reconstructions or worse?

# %%
rows = [measure(train("VAE", PRIORS["Gaussian"], seed, likelihood="bernoulli")[0]) for seed in SEEDS]
print("VAE with a Bernoulli likelihood, Gaussian:")
for m in rows[0]:
    print(f"    {m} {np.mean([r[m] for r in rows]):.3f} ± {np.std([r[m] for r in rows], ddof=1):.3f}")

# %% [markdown]
# **With the usual likelihood the claim holds on the Gaussian too**, at this budget and with a step that was chosen for the other likelihood: about 11 % of the prior is empty, and the sliced Wasserstein distance is about 0.25, more than twice the AAE's. Reconstructions (about 16.2) and classes (68 %) are the better for it. So whether a VAE leaves gaps depends on its likelihood, probably by how much its reconstruction term weighs. The AAE pays nothing for what a code tells of its image; its match depends on the game instead.
#
# **With more training the picture shifts.** The named experiments train networks of 512 units for 10 epochs, with three seeds; both systems had five settings, chosen on [validation images](glossary.ipynb#Validation-images) by one rule: the nearest $q(z)$ among those that reconstruct within a tenth of the best.

# %%
LONG = ("sliced_wasserstein", "mmd", "holes", "half_squared_error")
print(f"longer runs, test images, mean ± std over seeds:   {', '.join(LONG)}")
for name in ("aae-mixture", "vae-mixture", "aae-gaussian", "vae-gaussian"):
    runs = experiments.records(name, "../results", profile="quick")
    found = [[run["metrics"]["test"][metric] for run in runs] for metric in LONG]
    cells = [f"{np.mean(values):.3f} ± {np.std(values, ddof=1):.3f}" for values in found]
    print(f"{name:13} {runs[0]['updates']:,} updates, {len(runs)} seeds:", "   ".join(cells))

# %% [markdown]
# On the mixture the AAE stays nearer to the prior (sliced Wasserstein 0.09 against 0.15, MMD² 0.013 against 0.046, 4.7 against 7.5 % in holes); the VAE reconstructs better, though these errors of its are of posterior means, which favours it. On the Gaussian the VAE is nearer and reconstructs better: 0.07, where the AAE that this rule chose has 1.0; only in holes are they level (3.1 and 2.6 %). That AAE's game is a mild one, which leaves codes far outside; stronger games came to 0.12 and 0.16 on validation images, at the price of images a fifth worse. So beside a VAE with half the squared error no AAE here is nearer to a plain Gaussian, but by the MMD² of the short trainings; beside one with a Bernoulli likelihood it was. What decides are likelihood, steps and seeds, as far as these runs can tell. `results/README.md` has all trials. <!-- 0.12, 0.16: results/README.md, the search on validation images --> <!-- 512, 10: results/README.md -->
#
# ## After a long run
#
# Panels (b) and (d) once more, now from long runs of the same two experiments, whose trained systems are stored: five times as many epochs, with one seed. The numbers are by `measure`, as above.

# %%
own = data.name != "mnist"
long = {kind: systems[kind, "mixture", 0] if own else experiments.trained(f"{kind.lower()}-mixture") for kind in KINDS}
print("below:", "this notebook's own, in place of the stored systems" if own else "the stored long runs")
if not own:
    run = experiments.records("aae-mixture", "../results", profile="long")[0]
    print(f"{run['updates']:,} updates ({run['epochs']:.0f} epochs), units {run['settings']['system']['hidden']}")
panels = {
    f"({letter}) {kind}, mixture": (system.encode(test, seed=0), labels)
    for letter, (kind, system) in zip("bd", long.items(), strict=True)
}
figures.show(
    figures.latent_scatters(panels, MIXTURE, "This notebook's own" if own else "After a long run: unseen images"),
    alt="Two panels of codes over the ten petals. Both systems' codes lie in all ten petals, thinly in one of the adversarial one's, and several "
    "digits have a petal or two of their own. Some codes of both lie in the gaps near the middle.",
)
print(f"{'mixture, seed 0':20}", *(f"{metric:>15}" for metric in measured["AAE", "mixture", 0]))
for kind, system in long.items():
    for name, row in {"3 epochs": measured[kind, "mixture", 0], "long run": measure(system)}.items():
        print(f"{kind}, {name:15}", *(f"{value:15.3f}" for value in row.values()))

# %% [markdown]
# After fifty epochs the claim does not hold on the mixture either, in this one pair of runs. The VAE's codes, too, lie in all ten petals, and it is ahead in every number: sliced Wasserstein distance 0.103 against 0.122, MMD² 0.011 against 0.019, 3.9 % against 4.8 % in holes, error 15.0 against 16.8, and 77 % against 68 % by the nearest neighbours. The AAE is even further from the prior than the short training's (0.063, with a smaller network and other steps), while its reconstructions are better. So the short trainings may show no more than which of the two fills a thin prior *sooner*. (The steps were chosen for ten epochs and stretched to fifty; a game with steps of its own might end nearer.) What both gained are classes apart: several digits have a petal or two of their own.
#
# Beside the paper: it shows pictures, without numbers, of networks with two layers of 1000 units trained for longer; it does not say how its VAE was trained, with which likelihood or for how long. Ours have 256 units and 3 epochs, in the long runs 512 and 50. To run the named experiments: `python -m aae_lib.experiments run aae-mixture --seed 0`.

# %% [markdown]
# ## A prior without a density
#
# Nothing in the game needs a formula. So a prior can be anything that can be sampled, a ring for example: points on a circle. A curve has no density in the plane, so $\log p(z)$ does not exist. In `aae_lib` such a prior is a class with one method.
#
# > **Predict, then run.** What will the VAE say? What will the AAE do with a prior that is infinitely thin?


# %%
@dataclass(frozen=True)
class Ring(Prior):
    """Points on a circle of radius 2: samples, but no density."""

    has_density: ClassVar[bool] = False
    dim: ClassVar[int] = 2

    def _draw(self, count, generator, labels):
        angle = 2 * math.pi * torch.rand(count, generator=generator, device=generator.device)
        return 2 * torch.stack([angle.cos(), angle.sin()], dim=1)  # (N, 2)


try:
    VariationalAutoencoder(data.image_shape, prior=Ring())
except ValueError as refusal:
    print("VAE:", refusal)
ringed, history = train("AAE", Ring(), seed=0, progress=True)

# %%
figures.show(
    figures.latent_scatter(ringed.encode(test), labels, Ring(), "An adversarial autoencoder on a ring"),
    alt="Codes coloured by digit lie in a band along a circle, most digits on a stretch of it; some codes lie well inside or outside.",
)

# %% [markdown]
# The codes found the circle from its samples alone. They do not lie exactly on it: the discriminator's view is only as sharp as its network. And there is a price, for a ring has room for one degree of freedom, and the reconstruction is worse than on the plane. (A class's name stands at the median of its codes, which for a class spread along the ring lies inside it.)
#
# The paper's own example is a *[swiss roll](glossary.ipynb#Swiss-roll)*, `aae_lib.priors.SwissRoll`. A spiral is much harder to find than a ring, since its turns lie close together; [notebook 05](05_labels_in_the_prior.ipynb) shows what becomes of it without labels. The paper gives the discriminator the labels as well (its Section 2.3), and then every class gets its own stretch of the roll.

# %% [markdown]
# ## Drag it
# The AAE on the mixture. Drag along a petal, from its inner end to its outer, then jump to the next petal. Where do the pictures change smoothly, and where not?

# %%
from aae_lib.widgets import explore

explore(systems["AAE", "mixture", 0], images=data.test.images[:2000], labels=data.test.labels[:2000])

# %% [markdown]
# ## Summary
# - The ELBO has three terms: reconstruction, entropy of each posterior, and cross-entropy of $q(z)$ with the prior. The AAE keeps the first and replaces the other two by a game on $q(z)$.
# - The KL term asks for more than $q(z) = p(z)$: it also charges for every nat that a code tells of its image.
# - A VAE needs $\log p(z)$; an AAE needs samples. So an AAE can have priors that a VAE cannot.
# - Measured with three seeds: on a mixture of ten petals the AAE comes nearer to the prior than the VAE and leaves fewer holes, after a short training by far, after a longer one by less; after a long one the VAE is ahead, but for the distance with one seed of three (README.md has them). On a plain Gaussian it depends on the VAE's likelihood: with half the squared error the VAE fills it at least as well, with a Bernoulli likelihood and a short training the AAE does.

# %% [markdown]
# ## Exercises
#
# Exercises A and B are functions to write. Put your lines in the place of `...`, run the cell, and then the cell below it: it says
# whether the function is right or, in a sentence, what is wrong with it. Both need nothing that was computed above.

# %% tags=["exercise"]
import math

import torch
from torch.distributions import Normal

from aae_lib import exercises

# %% [markdown] tags=["exercise"]
# **A** *(medium, code)* Each of M images has a Gaussian posterior with a mean and a standard deviation (M,). Write $\log q(z)$, the
# logarithm of the aggregated posterior's density, at points $z$ (P,). Expected: right also at $z = 60$, where $q(z)$ itself is 0 to the
# computer.


# %% tags=["exercise"]
def log_aggregated(z, mean, std):
    """log q(z) (P,) in nats at points (P,), of M posteriors N(mean, std²) of equal weight."""
    ### BEGIN SOLUTION
    each = Normal(mean, std).log_prob(z[:, None])  # (P, M)
    return each.logsumexp(dim=1) - math.log(len(mean))
    ### END SOLUTION


# %% tags=["exercise"]
exercises.check_log_aggregated(log_aggregated)

# %% [markdown] tags=["exercise"]
# **B** *(medium, code)* The ring has no inside. Write a sampler for the *disc* of radius 2, evenly filled. Expected: a quarter of the points
# lies within radius 1, as a quarter of the area does.


# %% tags=["exercise"]
def draw_disc(count, generator):
    """Points (N, 2), uniform on the disc of radius 2; all chance comes from the torch.Generator."""
    ### BEGIN SOLUTION
    angle = 2 * math.pi * torch.rand(count, generator=generator)
    radius = 2 * torch.rand(count, generator=generator).sqrt()
    return radius[:, None] * torch.stack([angle.cos(), angle.sin()], dim=1)
    ### END SOLUTION


# %% tags=["exercise"]
exercises.check_draw_disc(draw_disc)

# %% [markdown]
# 1. *(easy)* Show (a–d) again with seed 1. What changes, what stays?
#    <details><summary>Expected</summary>Which digit lies where changes. That the AAE's codes follow the petals and the VAE's leave more of them empty stays.</details>
# 2. *(easy)* Train the VAE with `likelihood="bernoulli"` on the mixture and draw its codes over the petals. Which petals are empty, and what do the others hold?
#    <details><summary>Expected</summary>About a quarter of the prior is empty, more than with half the squared error: some petals have hardly a code, several stand empty at the tip, others hold a digit or two, and the rest of the digits pile up in the middle.</details>
# 3. *(medium, open-ended)* Train the four models for 1, 3 and 10 epochs and plot the sliced Wasserstein distance against updates. Which one is still improving? You know where a curve falls by more than its seeds differ, and has not reached its floor.
# 4. *(medium)* Give the AAE the posterior `"gaussian"` on the mixture. Does it use the noise? <details><summary>Hint</summary>Compare `encode(images, seed=0)` with `encode(images)`.</details>
#    <details><summary>Expected</summary>Yes, and at a price: with seed 0 the noise has a standard deviation of about 1 in one direction, as wide as the codes themselves, and of 0.05 in the other. The game does not mind that a direction says nothing of the image; the error does (about 22). <!-- 1, 0.05, 22: a run not shown here --></details>
# 5. *(medium)* Use `GaussianMixture(components=20, std=(0.5, 0.05))`. Which system suffers more from thinner petals, and why?
#    <details><summary>Expected</summary>The VAE: with seed 0 about a third of the prior is empty, twice as much as with ten petals; of the AAE's about an eighth. The thinner a petal that lies askew, the worse a Gaussian with axes parallel to the coordinates fits into it.</details>
# 6. *(hard)* The KL term of a mixture prior was estimated with one draw per image. Estimate it with ten. Does the VAE fill the petals better?
#    <details><summary>Hint</summary>Derive a class from WrittenVAE; only `negative_elbo` changes.</details>
#    <details><summary>Expected</summary>A little: with seed 0 about 11 % of the prior is empty in place of 16, and the sliced Wasserstein distance is 0.24 in place of 0.26. <!-- 11, 0.24: a run not shown here --></details>
# 7. *(easy, prediction)* In the toy of eight images: how many nats can a code tell of its image, at the very least and at the very most?
#    <details><summary>Expected</summary>0, if all eight posteriors are equal, and ln 8 ≈ 2.08, if no two overlap.</details>
# 8. *(easy, exploration)* In the widget above, drag along a petal from its inner end to its tip, then across the gap to the next. Where do pictures change smoothly, and where is a picture no digit?
#    <details><summary>Expected</summary>Along a petal they change smoothly: codes lie nearly all the way. The gap has hardly any code, so what is drawn there was never trained: often a blend of both sides.</details>
#
# ## What to read
# - A. Makhzani et al.: *Adversarial Autoencoders*, 2015, [arXiv 1511.05644](https://arxiv.org/abs/1511.05644), Section 2.1.
# - D. P. Kingma, M. Welling: *Auto-Encoding Variational Bayes*, 2014, [arXiv 1312.6114](https://arxiv.org/abs/1312.6114).
# - M. D. Hoffman, M. J. Johnson: *ELBO surgery: yet another way to carve up the variational evidence lower bound*, NIPS workshop 2016.
# - M. F. Naeem et al.: *Reliable Fidelity and Diversity Metrics for Generative Models*, 2020, [arXiv 2002.09797](https://arxiv.org/abs/2002.09797), for the measure behind *holes*.
#
# **Next:** [04 GANs and moment matching](04_gans_and_moment_matching.ipynb). **Before:** [02 Adversarial autoencoders](02_adversarial_autoencoders.ipynb).
