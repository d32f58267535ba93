# %% [markdown]
# # Autoencoders, variational autoencoders and the adversarial game
#
# Adversarial autoencoders join two older ideas: an [autoencoder](glossary.ipynb#Autoencoder), which learns a code for every image, and an adversarial
# game, which makes one distribution look like another. Here you build both, and the [variational autoencoder](glossary.ipynb#Variational-autoencoder) that they
# compete with, and find out what each one lacks.
#
# **You will learn**
# - to train an autoencoder with a two-dimensional code, and to find and measure the *[holes](glossary.ipynb#Holes)* in its latent space;
# - to derive the [evidence lower bound](glossary.ipynb#Evidence-lower-bound) (ELBO), to watch it close on a log-likelihood that we can compute exactly, and to
#   train a variational autoencoder (VAE) with it;
# - to play the [minimax game](glossary.ipynb#Adversarial-game) of a [generative adversarial network](glossary.ipynb#Generative-adversarial-network) (GAN), first on points in the plane, then on digits;
# - how a model is written in this course: networks plus *[phases](glossary.ipynb#Phase)*, and one loop, `fit`, that trains them all.
#
# **You need** PyTorch basics (modules, gradients, optimizers), what a density and an expectation are, and
# [Start here](00_start_here.ipynb).
#
# **Two sittings, about 2½ minutes of computing in all on a laptop CPU.** The first, autoencoders and VAEs, has
# [its summary half-way](#Summary-of-the-first-sitting); the second, the game, begins there. It ends with this figure, digits drawn from each of the three models below real
# ones ([What each one lacks](#What-each-one-lacks)):
#
# ![Four rows of twelve digits: real ones; an autoencoder's draws, many of them scribbles; a VAE's, soft; a GAN's, crisp.](figures/01_autoencoders_vaes_gans.png)

# %%
import math

import numpy as np
import torch
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from torch.distributions import Normal, kl_divergence
from torch.nn import functional as F

from aae_lib import Snapshots, choose, figures, fit, load
from aae_lib.evaluation import latent
from aae_lib.losses import half_squared_error
from aae_lib.networks import Decoder, Discriminator, Encoder, initialise
from aae_lib.pixels import as_float
from aae_lib.priors import Gaussian
from aae_lib.systems import Adam, Autoencoder, Batch, GenerativeAdversarialNetwork, Phase, System
from aae_lib.systems import VariationalAutoencoder

settings = choose(
    smoke=dict(data="digits", hidden=(128, 128), batch=50, epochs=12, ring=3, gan=5),
    quick=dict(data="mnist", hidden=(512, 512), batch=100, epochs=3, ring=40, gan=12),
    paper=dict(data="mnist", hidden=(1000, 1000), batch=100, epochs=100, ring=100, gan=200),
)
SEED = 0
data = load(settings.data, fallback="digits")
data

# %% [markdown]
# (Cells that only draw are folded; a click on the dots opens them.)
#
# The settings after `batch` are numbers of [epochs](glossary.ipynb#Epoch), passes over the training images. All autoencoders and VAEs below get the same
# number, and have the same networks, so that they can be compared; the two games have theirs.
#
# ## An autoencoder
#
# An autoencoder is two networks. The *encoder* turns an image $x$ into a short code $z$, the *decoder* turns the code
# into an image $\hat x$ again. Nobody tells the networks what a good code is. They only have to give back what they
# were given:
#
# $$ L_{\text{reconstruction}} = \mathbb{E}_{x} \left[ \tfrac12 \, \lVert \hat x - x \rVert^2 \right]
#    \qquad \hat x = \mathrm{decoder}(z), \quad z = \mathrm{encoder}(x) $$
#
# The space in which the codes lie is called the *latent space*, "hidden", since no image shows it.
#
# The squared error is *summed* over an image's pixels and averaged over the batch. That is the paper's scale, and it
# matters: had we averaged over the 784 pixels and left out the ½, as `torch.nn.MSELoss` does, every gradient
# would be 392 times smaller, and the paper's learning rates would mean something else. <!-- 784, 392: 28 · 28 pixels, and half of it -->
#
# `Encoder` and `Decoder` are the plainest networks there are. An encoder lays the pixels in a row and sends them through two hidden
# layers, here of 512 units each with ReLU, and one linear layer to the numbers of the code. A decoder goes the same way back and ends
# in a sigmoid, since pixels go from 0 to 1.
#
# In this course a model is a [`System`](glossary.ipynb#System): it builds its networks, and lists its *phases*. A phase names a loss and the
# networks that this loss may change; where it names no optimizer, `fit` takes Adam with a learning rate of 0.001. An autoencoder has
# only one phase. (`super().__init__` is told the shape of an image.) <!-- 0.001: the library's default -->


# %%
class AE(System):
    def __init__(self, image_shape, latent_dim=2, hidden=(512, 512), seed=0):
        super().__init__(image_shape)
        self.encoder = Encoder(self.image_shape, latent_dim, hidden=hidden)
        self.decoder = Decoder(latent_dim, self.image_shape, hidden=hidden)
        initialise(self, seed)

    def phases(self):
        return [Phase("reconstruction", self.reconstruction_loss, learns=(self.encoder, self.decoder))]

    def reconstruction_loss(self, batch):
        """½ ‖x̂ − x‖² per image."""
        z = self.encoder(batch.images)  # (B, Z)
        squared_error = (self.decoder(z) - batch.images).square()  # (B, C, H, W)
        return 0.5 * squared_error.sum(dim=(1, 2, 3)).mean()


# %% [markdown]
# We give it a code of two numbers, so that we can look at all there is. On MNIST the loss falls to about 16. To judge that number, compare it with what the *[mean image](glossary.ipynb#Mean-image)* scores as an answer to everything,
# about 26: a decoder that did not listen to its code could do no better than that.

# %%
autoencoder = AE(data.image_shape, hidden=settings.hidden, seed=SEED)
history = fit(autoencoder, data.train, epochs=settings.epochs, batch_size=settings.batch, seed=SEED)

print(f"mean image: {history.mean_image_loss:.1f}")
assert history.losses["reconstruction"][-1] < 0.9 * history.mean_image_loss
figures.show(
    figures.reconstructions(autoencoder, data.test.images[:12]),
    alt="A row of digits that the autoencoder never saw, and below it a blurred version of each; most are"
    " the same digit, some are another one that looks alike.",
)

# %% [markdown]
# Two numbers per image are few, and still most digits come back as themselves, if blurred. Some come back as a digit
# that looks alike, a 4 as a 9.
#
# Is the class above what `aae_lib` ships as `Autoencoder`? From the same seed, on the same images, both must have the
# same losses, [update](glossary.ipynb#Update) by update.

# %%
# NBVAL_CHECK_OUTPUT


def same_losses(ours, theirs):
    """Train both with the same seed on the same 1,000 images: do all phases have the same losses all along?"""
    how = dict(epochs=2, batch_size=100, seed=SEED, precision="float32", progress=False)
    first, second = (fit(system, data.train.images[:1000], **how).losses for system in (ours, theirs))
    return first.keys() == second.keys() and all(np.allclose(first[name], second[name], rtol=1e-3) for name in first)


print("same losses:", same_losses(AE(data.image_shape), Autoencoder(data.image_shape, hidden=(512, 512))))

# %% [markdown]
# ## The holes in its latent space
#
# **Predict, then run.** The loss asks only that $\hat x$ be like $x$. It does not say where in the plane the codes
# should lie. Will they fill a disc around zero? Will the ten digits be apart? Will there be codes between them?

# %%
codes = autoencoder.encode(data.train.images[:10_000])  # (N, 2)
figures.show(
    figures.latent_scatter(codes, data.train.labels[:10_000], title="Where the autoencoder puts digits"),
    alt="Codes of digits in the plane, coloured by class: a crowded centre, from which wedges of "
    "different length and width point outwards; the ones lie far off, and large parts of the plane "
    "are empty.",
)

# %% [markdown]
# The codes are where they happened to end up. The axes have no natural scale, the classes lie in wedges around a
# crowded centre, and large parts of the plane are empty.
#
# Now suppose you want *new* digits. You must choose codes to decode, and nothing tells you which. The best that is at
# hand is a Gaussian with the codes' own mean and covariance. Here it is, cut into cells of equal probability, of which each
# is decoded at its middle, $z_1$ growing to the right and $z_2$ upwards. Were the codes draws of this Gaussian, every cell would hold
# about 25 of the 10,000. A cell is tinted where fewer than half of these lie in it. <!-- 25: 10,000 codes over 20 · 20 cells -->


# %% jupyter={"source_hidden": true}
def fitted(codes):
    """Mean (Z,) and spread (Z, Z) of the Gaussian that fits codes (N, Z): mean + spread @ noise is a draw of it."""
    return codes.mean(dim=0), torch.linalg.cholesky(codes.T.cov())


def thin_cells(codes, mean, spread, side):
    """Which of side × side cells of equal probability hold less than half of their share of codes; z₂ growing upwards."""
    share = Normal(0.0, 1.0).cdf((codes - mean) @ torch.linalg.inv(spread).T)  # (N, 2), from 0 to 1
    counts, *_ = np.histogram2d(*share.T.numpy(), bins=side, range=[[0, 1]] * 2)
    return counts.T[::-1] < len(codes) / side**2 / 2


def tinted_grid(system, codes, mean, spread, side=20):
    """The Gaussian decoded cell by cell, tinted where codes are few."""
    at = Normal(0.0, 1.0).icdf((torch.arange(side) + 0.5) / side)  # (side,), the middles of its percentiles
    up, right = torch.meshgrid(at.flip(0), at, indexing="ij")  # (side, side)
    z = mean + torch.stack([right, up], dim=2).flatten(0, 1) @ spread.T  # (side², 2)
    figure, (ax,) = figures.canvas(1, 1, 5.6, 5.6)
    ax.imshow(figures.image_grid(system.decode(z), side), cmap="gray", extent=(0, 1, 0, 1))
    thin = thin_cells(codes, mean, spread, side)
    tint = np.dstack([np.broadcast_to(to_rgb(figures.ROSE), (side, side, 3)), 0.45 * thin])
    ax.imshow(tint, extent=(0, 1, 0, 1), interpolation="nearest")
    ax.set(title="tinted: cells with few codes", xticks=[], yticks=[])
    return figure, thin.mean()


# %%
mean, spread = fitted(codes)
figure, thin = tinted_grid(autoencoder, codes, mean, spread)
draws = mean + torch.randn(codes.shape, generator=torch.Generator().manual_seed(SEED)) @ spread.T
floor = thin_cells(draws, mean, spread, side=20).mean()
print(f"{thin:.0%} of the cells have few codes (with draws of the Gaussian in place of codes: {floor:.0%})")
assert data.name == "digits" or thin > 0.2 > 0.02 > floor
figures.show(
    figure,
    alt="The fitted Gaussian as 20 by 20 decoded pictures, with regions of one digit each that blend into each other. Many cells are tinted, "
    "in patches: some of them show clean digits, some of the untinted ones are blends.",
)

# %% [markdown]
# The Gaussian and the codes are two different clouds: in the tinted cells you would often draw and seldom find an image's code. Mind
# that this says nothing yet about the pictures. At the edges, where a class simply goes on, the tinted ones are clean digits; and many
# a blend sits where codes of several classes crowd.
#
# A share of cells depends on how many cells there are. So here is a measure that needs none. Take $N$ codes and two times $N$
# draws of the fitted Gaussian. A draw of the first lot lies in a *hole* if the nearest code is farther away than the seventh
# nearest draw of the second lot: then the seven nearest of all the others are draws and none is a code. Were the codes draws
# themselves, each of the seven would be a code as often as not, so all seven would be draws with a chance of
# $2^{-7} = 0.8\,\%$. That is the [floor](glossary.ipynb#Floor) with which to compare.


# %%
def fitted_draws(codes, count, seed):
    """Draws (count, Z) from a Gaussian with the mean and covariance of ``codes``."""
    mean, spread = fitted(codes)
    return mean + torch.randn(count, codes.shape[1], generator=torch.Generator().manual_seed(seed)) @ spread.T


def in_holes(codes, draws, others):
    """Which ``draws`` have no code as near as the seventh nearest of the ``others``: (N,) of True and False."""
    reach = torch.cdist(draws, others).topk(7, largest=False).values[:, -1]  # (N,)
    return torch.cdist(draws, codes).amin(dim=1) > reach


some = codes[:3000]
draws, others = fitted_draws(codes, len(some), seed=SEED), fitted_draws(codes, len(some), seed=SEED + 1)
in_hole = in_holes(some, draws, others)
print(f"{in_hole.float().mean():.0%} of the draws lie in holes (by chance 0.8%)")
assert in_hole.float().mean() > 3 * latent.HOLES_FLOOR

# %% [markdown]
# Is the decoder worse there? Look at sixteen draws of each kind, and measure all of them: how far is a decoded draw from the nearest
# real image?

# %%
decoded, real = autoencoder.decode(draws), as_float(data.train.images[:10_000])
apart, nearest = torch.cdist(decoded.flatten(1), real.flatten(1)).min(dim=1)  # (N,) each
one = data.train.labels[nearest] == 1
print(f"mean distance to the nearest of {len(real):,} real images:")
for name, kind in {"among codes": ~in_hole, "in holes": in_hole}.items():
    to_one, to_other = apart[kind & one].mean(), apart[kind & ~one].mean()
    print(f"{name:12} to a one {to_one:.2f}, to any other {to_other:.2f}; a one in {one[kind].float().mean():.0%}")
chosen = torch.cat([decoded[~in_hole][:16], decoded[in_hole][:16]])
rows = ("among codes", "", "in holes", "")
figures.show(
    figures.show_images(chosen, columns=8, rows=rows),
    alt="Four rows of decoded draws, sixteen among codes above and sixteen in holes below: both have clear digits and blends of two.",
)

# %% [markdown]
# A little, once like is compared with like: where the nearest image is a one, it is 3.26 away in holes and 3.05 among codes; where it is
# any other digit, 4.59 and 4.37. (Without the distinction the draws in holes would seem *nearer* to real images, for half of them resemble ones, and
# ones lie near each other.) So a hole is no place of bad pictures as such. It is a place of which training says nothing: there the
# decoder goes on with what it last learnt nearby, and with two dimensions that is often good enough. What is wrong is the proportion,
# one draw in five where hardly an image has its code.
# `latent.holes` counts holes in the same way, with all codes:

# %%
autoencoder_holes = latent.holes(codes, prior=None)  # None: a Gaussian fitted to the codes
print(f"holes: {autoencoder_holes:.1%}")
assert abs(autoencoder_holes - in_hole.float().mean().item()) < 0.05

# %% [markdown]
# ### Look for holes yourself
#
# Drag the point, in JupyterLab. Start within a class and move slowly to another one, then go outwards, where no dots
# are. Watch for the moment where the picture stops being a digit.

# %%
from aae_lib.widgets import explore

explore(autoencoder, data.test.images[:1000], labels=data.test.labels[:1000])

# %% [markdown]
# ### Better codes, more holes
#
# Two numbers are few: a code of 16 should serve better. All else stays as it was.
#
# **Predict, then run.** By how much will the error fall? And will draws from the code space be better too?

# %%
autoencoder16 = Autoencoder(data.image_shape, latent_dim=16, hidden=settings.hidden, seed=SEED)
fit(autoencoder16, data.train, epochs=settings.epochs, batch_size=settings.batch, seed=SEED)

test_images = as_float(data.test.images[:1000])
codes16 = autoencoder16.encode(data.train.images[:10_000])  # (N, 16)
holes16 = latent.holes(codes16, prior=None)
for system, share in ((autoencoder, autoencoder_holes), (autoencoder16, holes16)):
    error = half_squared_error(system.reconstruct(test_images), test_images)
    print(f"a code of {system.latent_dim:2} numbers: ½ ‖x̂ − x‖² = {error:.1f}, holes {share:.1%}")

drawn = autoencoder16.decode(fitted_draws(codes16, 12, seed=SEED))
both = torch.cat([autoencoder16.reconstruct(test_images[:12]), drawn])
figures.show(
    figures.show_images(both, columns=12, rows=("codes of\nimages", "drawn\ncodes")),
    alt="Two rows: reconstructions of test digits from 16 numbers, clear and right; and decoded draws, "
    "many of them scribbles that are no digit.",
)

# %% [markdown]
# The reconstructions are better, and the draws are worse. In 16 dimensions there is more room to be empty, and the digits
# occupy a small part of it. An autoencoder may be good at its own task and useless for drawing: nothing in its loss asks for
# codes that can be drawn.
#
# Would a harder task help? A [*denoising* autoencoder](glossary.ipynb#Denoising-autoencoder) (Vincent et al. 2008) sees a spoilt image and is compared with the clean
# one, so that copying will not do; it must learn what digits look like. The loss is unchanged. The noise has a standard
# deviation of 0.5, where pixels go from 0 to 1; all else is as in the last one.

# %%
denoiser = Autoencoder(data.image_shape, latent_dim=16, hidden=settings.hidden, input_noise=0.5, seed=SEED)
fit(denoiser, data.train, epochs=settings.epochs, batch_size=settings.batch, seed=SEED)

clean = as_float(data.test.images[:8])
noisy = clean + 0.5 * torch.randn(clean.shape, generator=torch.Generator().manual_seed(SEED))
with denoiser.evaluating():  # not denoiser.reconstruct, which takes pixels from 0 to 1 only
    denoised = denoiser.decoder(denoiser.encoder(noisy.to(denoiser.device))).cpu()
for name, images in {"noisy": noisy, "denoised": denoised}.items():
    print(f"½ ‖{name} − clean‖² = {half_squared_error(images, clean):.1f}")
assert half_squared_error(denoised, clean) < half_squared_error(noisy, clean)
denoiser_holes = latent.holes(denoiser.encode(data.train.images[:10_000]), prior=None)
print(f"holes: {denoiser_holes:.1%} (without noise {holes16:.1%})")
figures.show(
    figures.show_images(torch.cat([clean, noisy.clamp(0, 1), denoised]), 8, rows=("clean", "noisy", "denoised")),
    alt="Three rows: digits, the same digits under strong noise, and the denoising autoencoder's answers,"
    " which are clean and nearly always the right digit.",
)

# %% [markdown]
# It takes the noise away. In its code space there are holes as before, if anything more: what we can ask of an *image* does not settle where codes lie.

# %% [markdown]
# ## The evidence lower bound
#
# The autoencoder lacks a statement of where codes come from. So make one. Say that every image began as a code drawn
# from a *prior* $p(z)$, and was then drawn from $p(x \mid z)$, which the decoder describes. That is a full model of
# images, with a density:
#
# $$ p(x) = \int p(x \mid z)\, p(z)\, dz $$
#
# We would like to choose the decoder that makes the training images most probable. But the integral runs over all
# codes, and for one image nearly all of them contribute nothing. We need help to find those that matter: an encoder.
# Call its answer $q(z \mid x)$, a distribution over codes for this image. It may be any distribution; the derivation
# takes four steps.
#
# 1. The left side does not depend on $z$, so its mean over $q$ is itself:
#    $\;\log p(x) = \mathbb{E}_{q(z \mid x)} \left[ \log p(x) \right]$.
#
# 2. By Bayes' rule, $p(x) = p(x, z)\,/\,p(z \mid x)$ for every $z$:
#    $\;\log p(x) = \mathbb{E}_{q} \left[ \log \dfrac{p(x, z)}{p(z \mid x)} \right]$.
#
# 3. Multiply and divide by $q(z \mid x)$, and split the logarithm:
#
# $$ \log p(x) = \underbrace{\mathbb{E}_{q} \left[ \log \frac{p(x, z)}{q(z \mid x)} \right]}_{\text{ELBO}}
#    + \underbrace{\mathbb{E}_{q} \left[ \log \frac{q(z \mid x)}{p(z \mid x)} \right]}_{KL(q(z \mid x)\, \Vert\, p(z \mid x)) \;\ge\; 0} $$
#
# 4. A [Kullback-Leibler divergence](glossary.ipynb#KL-divergence) is never negative: the logarithm bends downwards, so
#    $-KL(q \Vert p) = \mathbb{E}_q[\log \tfrac{p}{q}] \le \log \mathbb{E}_q[\tfrac{p}{q}] = \log 1 = 0$ (Jensen). So the first term
#    is a *lower bound* on the *evidence* $\log p(x)$, and the gap is exactly how far $q$ is from $p(z \mid x)$, the *true [posterior](glossary.ipynb#Posterior)*:
#    what is to be believed about the code once the image has been seen. With $p(x, z) = p(x \mid z)\, p(z)$ the bound is
#
# $$ \log p(x) \;\ge\; \underbrace{\mathbb{E}_{q(z \mid x)} \left[ \log p(x \mid z) \right]}_{\text{reconstruction}}
#    \; - \; \underbrace{KL \left( q(z \mid x)\, \Vert\, p(z) \right)}_{\text{stay near the prior}} $$
#
# (Logarithms are natural ones throughout; what they measure is counted in *[nats](glossary.ipynb#Nats)*, as those to the base 2 are in bits.)
# Everything on the right can be computed. Raising it makes the image more probable, or brings $q$ nearer to the true
# posterior, or does both.
#
# **The two terms for Gaussians.** Let $q(z \mid x) = N(\mu, \sigma^2)$ and $p(z) = N(0, 1)$ in one dimension. Then
# $\log q - \log p = -\log \sigma - \tfrac12 \frac{(z - \mu)^2}{\sigma^2} + \tfrac12 z^2$, and under $q$ the mean of
# $(z - \mu)^2$ is $\sigma^2$, that of $z^2$ is $\mu^2 + \sigma^2$. So
#
# $$ KL = \tfrac12 \left( \sigma^2 + \mu^2 - 1 - \log \sigma^2 \right), $$
#
# summed over dimensions. It is 0 when $\mu = 0$ and $\sigma = 1$, and only then.
#
# **[Reparameterisation](glossary.ipynb#Reparameterisation).** The other term is a mean over draws of $z$, and a draw has no gradient. But
# $z \sim N(\mu, \sigma^2)$ can be drawn as $z = \mu + \sigma \varepsilon$ with $\varepsilon \sim N(0, 1)$. The chance
# is now in $\varepsilon$, which has no parameters, and $z$ is an ordinary differentiable function of $\mu$ and
# $\sigma$.


# %%
def gaussian_kl(mean, log_variance):
    """KL(N(μ, σ²) ‖ N(0, 1)) in nats, summed over dimensions: two (B, Z) -> (B,)."""
    return 0.5 * (log_variance.exp() + mean.square() - 1 - log_variance).sum(dim=1)


mean, log_variance = torch.tensor([[0.7]]), torch.tensor([[-1.0]])
from_torch = kl_divergence(Normal(mean, (0.5 * log_variance).exp()), Normal(0.0, 1.0)).sum(dim=1)
print(f"our KL {gaussian_kl(mean, log_variance).item():.4f}, torch.distributions {from_torch.item():.4f}")
assert torch.allclose(gaussian_kl(mean, log_variance), from_torch)

# %% [markdown]
# ### The bound and its gap, in one dimension
#
# In a model with one-dimensional $z$ and $x$ the integral can be done on a grid, so $\log p(x)$ is known, and we can
# see the bound rise to it. The model: $z \sim N(0, 1)$ and $x \mid z \sim N(z^2, 0.5^2)$. We observe $x = 1$.

# %%
observed, prior = torch.tensor(1.0), Normal(0.0, 1.0)


def log_likelihood(z):
    """log p(x | z) of the x that we observed."""
    return Normal(z.square(), 0.5).log_prob(observed)


z = torch.linspace(-5, 5, 10_001, dtype=torch.float64)
dz = (z[1] - z[0]).item()
log_joint = prior.log_prob(z) + log_likelihood(z)  # log p(x, z)
log_evidence = torch.logsumexp(log_joint, dim=0).item() + math.log(dz)  # log ∫ p(x, z) dz
log_posterior = log_joint - log_evidence  # log p(z | x)
print(f"log p(x) = {log_evidence:.3f} nats")

# %% [markdown]
# Now fit $q = N(\mu, \sigma^2)$ by raising the ELBO. The training loop uses what a VAE uses: the closed KL and
# reparameterised draws. `exact` does both terms on the grid instead, to watch.
#
# **Predict, then run.** $x$ was made from $z^2$, so $z = 1$ and $z = -1$ explain it equally well. What will a single
# Gaussian do? How large will the gap be at the end?


# %%
def exact(q):
    """The ELBO and its gap KL(q ‖ p(z | x)), by sums over the grid."""
    weights = q.log_prob(z).exp() * dz
    elbo = (weights * log_likelihood(z)).sum() - kl_divergence(q, prior)
    return elbo.item(), (weights * (q.log_prob(z) - log_posterior)).sum().item()


mu, log_sigma = torch.tensor(1.8, requires_grad=True), torch.tensor(-0.5, requires_grad=True)
optimizer = torch.optim.Adam([mu, log_sigma], lr=0.03)
generator = torch.Generator().manual_seed(SEED)
path = []  # q, ELBO and gap before each step
for _ in range(200):
    path.append((Normal(mu.item(), log_sigma.exp().item()), *exact(Normal(mu.detach(), log_sigma.detach().exp()))))
    draws = mu + log_sigma.exp() * torch.randn(100, generator=generator)  # reparameterised: gradients reach μ and σ
    elbo = log_likelihood(draws).mean() - kl_divergence(Normal(mu, log_sigma.exp()), prior)
    optimizer.zero_grad()
    (-elbo).backward()
    optimizer.step()

_, elbo, gap = path[-1]
print(f"ELBO {elbo:.3f} + gap {gap:.3f} = {elbo + gap:.3f}; log p(x) = {log_evidence:.3f}")
assert abs(elbo + gap - log_evidence) < 1e-3


# %% jupyter={"source_hidden": true}
def elbo_figure(path, shown=(0, 20, 199)):
    """Left: the true posterior and q on the way to it. Right: the ELBO rising, and the gap that stays."""
    figure, (left, right) = figures.canvas(2, 2, 4.5, 3.4)
    left.fill_between(z, log_posterior.exp(), color=figures.PRIOR_GREYS[-1], label="true posterior p(z | x)")
    for step, style in zip(shown, (":", "--", "-"), strict=True):
        left.plot(z, path[step][0].log_prob(z).exp(), style, color=figures.BLUE, label=f"q(z | x), step {step}")
    left.set(xlabel="z", ylabel="density", xlim=(-3, 3))
    left.legend(loc="upper left", fontsize=8, frameon=False)
    steps, elbos = range(len(path)), [elbo for _, elbo, _ in path]
    right.fill_between(steps, elbos, log_evidence, color=figures.ROSE, alpha=0.3, label="gap: KL(q ‖ p(z | x))")
    right.plot(steps, elbos, color=figures.BLUE, label="ELBO")
    right.axhline(log_evidence, color=figures.INK, linestyle="--", label="log p(x)")
    right.set(xlabel="step", ylabel="nats", ylim=(-6, 0))
    right.legend(loc="lower right", fontsize=8, frameon=False)
    return figure


figures.show(
    elbo_figure(path),
    alt="Left: a true posterior with two equal humps at about −1 and 1; the Gaussian q moves onto the "
    "right hump and becomes as narrow as it. Right: the ELBO rises towards the dashed log p(x) and "
    "stops below it; a band of about 0.7 nats stays.",
)
assert abs(gap - math.log(2)) < 0.1

# %% [markdown]
# A single Gaussian can hold only one hump, and it does that well. The gap that stays is about 0.73 nats, of which
# $\ln 2 = 0.69$ is the price of the missing hump: $q$ puts all its mass where the posterior has half of its own. No
# training can close that gap. Only a richer $q$ could. (The next notebook has encoders whose $q(z \mid x)$ can take any
# shape, but no bound: nobody can write down their density.)
#
# ## A variational autoencoder
#
# A VAE (Kingma & Welling 2014) is this bound with networks in it. The encoder answers an image with $\mu$ and
# $\log \sigma^2$ of its $q(z \mid x)$, one draw of $z$ goes through the decoder, and the loss is the negative ELBO. For
# $\log p(x \mid z)$ we take the [cross-entropy](glossary.ipynb#Cross-entropy) of every pixel with the decoder's output, as the VAE paper does: it
# treats a grey value as the probability of ink. (Strictly this is a density of black and white images only. So our bounds may
# be compared with each other, and not with those of models that treat grey otherwise. And what we show as an image is the
# decoder's output, the *mean* of every pixel; a draw would be grainy.)


# %%
class VAE(System):
    def __init__(self, image_shape, prior, hidden=(512, 512), seed=0):
        super().__init__(image_shape)
        self.prior = prior
        self.encoder = Encoder(self.image_shape, prior.dim, posterior="gaussian", hidden=hidden)
        self.decoder = Decoder(prior.dim, self.image_shape, hidden=hidden)
        initialise(self, seed)

    def phases(self):
        return [Phase("negative_elbo", self.negative_elbo, learns=(self.encoder, self.decoder))]

    def negative_elbo(self, batch):
        reconstruction, divergence = self.elbo_terms(batch)
        return reconstruction + divergence

    def elbo_terms(self, batch):
        """E_q[−log p(x | z)] and KL(q(z | x) ‖ p(z)), in nats per image."""
        mean, log_variance = self.encoder.gaussian(batch.images)  # (B, Z) each
        noise = torch.randn(mean.shape, generator=batch.generator, device=mean.device)
        z = mean + (0.5 * log_variance).exp() * noise  # (B, Z)
        pixels = F.binary_cross_entropy_with_logits(self.decoder.logits(z), batch.images, reduction="none")
        return pixels.sum(dim=(1, 2, 3)).mean(), gaussian_kl(mean, log_variance).mean()


# %%
# NBVAL_CHECK_OUTPUT
shipped = VariationalAutoencoder(data.image_shape, prior=Gaussian(2), hidden=(512, 512))
print("same losses:", same_losses(VAE(data.image_shape, Gaussian(2)), shipped))

# %% [markdown]
# Now train it, for as many updates as the autoencoder. On MNIST the negative ELBO falls to about 153 nats.
#
# **Predict, then run.** The KL term pulls every $q(z \mid x)$ to the same $N(0, 1)$, the reconstruction wants them
# apart. What will the plane of codes look like this time?

# %%
vae = VAE(data.image_shape, Gaussian(2), hidden=settings.hidden, seed=SEED)
history = fit(vae, data.train, epochs=settings.epochs, batch_size=settings.batch, seed=SEED)

vae_codes = vae.encode(data.train.images[:10_000], seed=SEED)  # (N, 2): with a seed, one draw from each q(z | x)
vae_holes = latent.holes(vae_codes, vae.prior)
print(f"holes: {vae_holes:.1%} of the prior (autoencoder, of a fitted Gaussian: {autoencoder_holes:.1%})")
assert vae_holes < autoencoder_holes
figures.show(
    figures.latent_scatter(vae_codes, data.train.labels[:10_000], vae.prior, "Where the VAE puts digits"),
    alt="Codes of digits coloured by class, over grey rings that hold 50, 80 and 95 percent of the "
    "Gaussian prior. They cover most of the rings with the classes side by side; gaps stay between some classes, the widest at the upper and lower right, and the ones reach beyond the rings.",
)

# %% [markdown]
# The codes gather where the prior is, drawn in grey: its rings hold 50, 80 and 95 % of the probability.
# <!-- 50, 80, 95: the library's rings --> There are fewer
# holes to fall into than before, and not none: here and there the grey shows through, and some classes reach beyond it.
# The paper saw the same in its VAE (Section 2.1: no data points map to several regions of the coding space), and
# notebook 03 measures it.
#
# At least there is now a rule for drawing codes. Here is the whole prior decoded, in cells of equal probability as before, and tinted
# as before. (Any decoder fills such a square with pictures; the tint says whether codes were there.)

# %%
figure, thin_of_vae = tinted_grid(vae, vae_codes, torch.zeros(2), torch.eye(2))
print(f"{thin_of_vae:.0%} of the cells have few codes (autoencoder, of a fitted Gaussian: {thin:.0%})")
figures.show(
    figure,
    alt="The prior as 20 by 20 decoded pictures: regions of one digit each that blend into each other; nearly every picture is a digit, and "
    "those on a border are blends of two. Some cells are tinted.",
)

# %% [markdown]
# Nearly every picture is a digit. At the borders between two digits there are still blends. They cannot be avoided, because the
# plane is connected and the digits are not.
#
# What is the bound made of? Two dimensions were for looking at. For comparison, train one with a code of 16 numbers too, and ask both for their two terms on the test images.
#
# **Predict, then run.** Which of the two terms grows when the code gets more dimensions, and which one shrinks?

# %%
vae16 = VAE(data.image_shape, Gaussian(16), hidden=settings.hidden, seed=SEED)
fit(vae16, data.train, epochs=settings.epochs, batch_size=settings.batch, seed=SEED)

bounds = {}
for system in (vae, vae16):
    generator = torch.Generator(system.device).manual_seed(SEED)
    with system.evaluating():
        test = Batch(as_float(data.test.images).to(system.device), None, generator)
        reconstruction, divergence = (term.item() for term in system.elbo_terms(test))
    bounds[system.latent_dim] = bound = -reconstruction - divergence
    print(f"{system.latent_dim:2} dimensions: log p(x) ≥ −{reconstruction:.1f} − {divergence:.1f} = {bound:.1f} nats")
    print(f"   its KL is that of naming one of {math.exp(divergence):,.0f} places") if system is vae else None
assert settings.profile == "smoke" or bounds[16] - bounds[2] > 30

# %% [markdown]
# The KL limits how much the code can tell about an image. With two dimensions that is about 5.7 nats on MNIST, as much as
# naming one of 304 places in the plane. With 16 dimensions the code costs more than three times as much,
# and the reconstruction repays it: the bound on $\log p(x)$ is more than 30 nats higher.
#
# Now draw from the better one.

# %%
figures.show(
    figures.show_images(vae16.sample(24, seed=SEED), columns=12, title="24 draws from the prior, decoded by the VAE"),
    alt="24 samples of the VAE with 16 dimensions: most are recognisable digits with soft, blurred "
    "strokes, some are blends of two digits.",
)

# %% [markdown]
# Most are digits, and they are soft. Many images share each region of codes, because every $q(z \mid x)$ has a width.
# They differ in where their strokes lie, and the decoder's best answer to all of them is their mean. That is the VAE's
# well-known *blur*.
#
# There is another limit, which no figure shows. The bound contains $\log p(z)$: to train, we had to know the *density*
# of the prior. A prior that we can only draw from, such as points on a curve, is out of reach.
#
# That is the end of the first sitting.
#
# ## Summary of the first sitting
# - An autoencoder learns codes and decodes them, but nothing says where codes lie. The latent space has holes, and
#   sampling falls into them; with 16 dimensions in place of two the reconstructions are better, and the holes no fewer.
# - $\log p(x) = \text{ELBO} + KL(q(z \mid x) \Vert p(z \mid x))$. Maximising the ELBO is training a VAE. The gap closes
#   only if $q$ can take the shape of the true posterior.
# - The VAE's KL term pulls codes to a prior, so that one knows where to draw. It leaves fewer holes, soft images, and needs the
#   prior's density.
# - A system is networks plus phases; these have one phase.
#
# (If you go on another day: *Run › Run All Above Selected Cell* brings back what the second sitting compares with.)
#
# ## The adversarial game
# A GAN (Goodfellow et al. 2014) needs no density at all. A *[generator](glossary.ipynb#Generator)* $G$ turns noise $z \sim p(z)$ into images. A
# *discriminator* $D$ looks at an image and says how probable it is that it came from the data. They play against each
# other:
#
# $$ \min_G \max_D \; V(D, G) = \mathbb{E}_{x \sim p_{\text{data}}} \left[ \log D(x) \right]
#    + \mathbb{E}_{z \sim p(z)} \left[ \log \left( 1 - D(G(z)) \right) \right] $$
#
# **The best discriminator.** Hold $G$ still, and let $q(x)$ be the density of what it makes. At every $x$ the
# discriminator chooses one number $D$ to maximise $p_{\text{data}} \log D + q \log (1 - D)$. The derivative
# $\frac{p_{\text{data}}}{D} - \frac{q}{1 - D}$ is zero at
#
# $$ D^*(x) = \frac{p_{\text{data}}(x)}{p_{\text{data}}(x) + q(x)} $$
#
# Put it into $V$. With $m = \tfrac12 (p_{\text{data}} + q)$, the fraction is $\tfrac12\, p_{\text{data}} / m$, so its logarithm is
# $-\ln 2 + \log (p_{\text{data}} / m)$, whose mean under $p_{\text{data}}$ is $-\ln 2 + KL(p_{\text{data}} \Vert m)$; likewise for $q$.
# Together $V(D^*, G) = -2 \ln 2 + 2\, JSD(p_{\text{data}} \Vert q)$, where the [Jensen-Shannon divergence](glossary.ipynb#Jensen-Shannon-divergence)
# $JSD(p \Vert q) = \tfrac12 KL(p \Vert m) + \tfrac12 KL(q \Vert m)$ is 0 if both densities
# are equal, and at most $\ln 2$. So a generator that plays against the best discriminator
# makes a distance between densities smaller, without ever computing a density.
#
# Check it in one dimension, where both densities are known. Data: $N(-1, 1)$; a generator that stands still:
# $N(1, 0.6^2)$.

# %%
p, q = Normal(-1.0, 1.0), Normal(1.0, 0.6)
discriminator = Discriminator((1,), hidden=(64, 64))
initialise(discriminator, SEED)
optimizer = torch.optim.Adam(discriminator.parameters(), lr=3e-3)
generator = torch.Generator().manual_seed(SEED)
losses = []
for _ in range(400):
    real, fake = (d.mean + d.stddev * torch.randn(1000, 1, generator=generator) for d in (p, q))
    loss = -F.logsigmoid(discriminator(real)).mean() - F.logsigmoid(-discriminator(fake)).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())

# %% [markdown]
# The discriminator returns a *[logit](glossary.ipynb#Logit)*, and $D$ is its sigmoid $s$: $\log D = \log s(\text{logit})$ and
# $\log (1 - D) = \log s(-\text{logit})$. Taking logarithms this way never meets $\log 0$.


# %% jupyter={"source_hidden": true}
def best_discriminator_figure(x, learned, best):
    """Both densities, and over them what the discriminator learned beside the formula."""
    figure, (ax,) = figures.canvas(1, 1, 8, 3.2)
    ax.fill_between(x, p.log_prob(x).exp(), color=figures.BLUE, alpha=0.25, label="data p(x)")
    ax.fill_between(x, q.log_prob(x).exp(), color=figures.ROSE, alpha=0.25, label="generator q(x)")
    ax.plot(x, best, color=figures.INK, linewidth=4, alpha=0.3, label="p / (p + q)")
    ax.plot(x, learned, color=figures.INK, label="learned D(x)")
    ax.set(xlabel="x", ylabel="density, or D(x)", ylim=(0, 1.02), xlim=(-4, 3))
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    return figure


line = torch.linspace(-6, 6, 2401)  # (N,)
density_p, density_q = p.log_prob(line).exp(), q.log_prob(line).exp()
with torch.no_grad():
    learned = discriminator(line[:, None]).sigmoid()
figures.show(
    best_discriminator_figure(line, learned, density_p / (density_p + density_q)),
    alt="Two overlapping bell curves, data on the left and generator on the right. D falls from 1 to 0 "
    "between them; the learned curve lies on the formula p / (p + q) up to x = 0.5, a little above "
    "it from there to 1.5, and below it in the far right tail.",
)
mixture = (density_p + density_q) / 2
jsd = 0.5 * sum(torch.trapezoid(d * (d / mixture).log(), line).item() for d in (density_p, density_q))
print(f"discriminator's loss {np.mean(losses[-100:]):.3f}; formula 2 ln 2 − 2 JSD = {2 * math.log(2) - 2 * jsd:.3f}")
assert abs(np.mean(losses[-100:]) - (2 * math.log(2) - 2 * jsd)) < 0.05

# %% [markdown]
# The curve stays close to the formula where there are samples; where $D$ is small, from 0.5 to 1.5, it is a little too large.
# <!-- 1.5: read from the figure --> On the far right there are hardly any samples: the formula turns up again, because the generator's density
# falls faster than the data's, and the network cannot know.
#
# **The equilibrium.** If the generator's distribution becomes the data's, then $D^* = \tfrac12$ everywhere: the
# discriminator can only guess. Its loss is then $2 \ln 2 \approx 1.386$, and the generator's is $\ln 2 \approx 0.693$.
# Remember these two numbers; they are the health check of everything adversarial in this course.
#
# **One change for practice.** Early on, $D(G(z))$ may be close to 0. There the slope of $\log(1 - D)$ with respect to the
# logit is $-D$: almost nothing, just when the generator has most to learn. So the generator maximises $\log D(G(z))$
# instead. The slope of that is $1 - D$, close to 1, and the equilibrium is the same. This is called the
# [*non-saturating* loss](glossary.ipynb#Non-saturating-loss).
#
# In our terms the game is a system with two phases. In the first only the discriminator learns, in the second only the
# generator, which the code calls `decoder` because it turns codes into images.


# %%
class GAN(System):
    def __init__(self, image_shape, prior, hidden=(256, 256), output="sigmoid", batch_norm=False, noise=0.0, seed=0):
        super().__init__(image_shape)
        self.prior = prior
        self.decoder = Decoder(prior.dim, self.image_shape, hidden=hidden, output=output, batch_norm=batch_norm)
        self.discriminator = Discriminator(self.image_shape, hidden=hidden, input_noise=noise)
        initialise(self, seed)

    def phases(self):
        slow = Adam(2e-4, beta1=0.5)  # little momentum: the two players chase a moving target
        return [
            Phase("discriminator", self.discriminator_loss, learns=(self.discriminator,), optimizer=slow),
            Phase("generator", self.generator_loss, learns=(self.decoder,), optimizer=slow),
        ]

    def discriminator_loss(self, batch):
        """−log D(x) − log(1 − D(G(z)))."""
        fake = self.decoder(self.prior.sample(len(batch), batch.generator))  # (B, C, H, W)
        real_logits = self.discriminator(batch.images, batch.generator)  # (B,)
        fake_logits = self.discriminator(fake, batch.generator)  # (B,)
        return -F.logsigmoid(real_logits).mean() - F.logsigmoid(-fake_logits).mean()

    def generator_loss(self, batch):
        """−log D(G(z))."""
        fake = self.decoder(self.prior.sample(len(batch), batch.generator))
        return -F.logsigmoid(self.discriminator(fake, batch.generator)).mean()


# %%
# NBVAL_CHECK_OUTPUT
shipped = GenerativeAdversarialNetwork(data.image_shape, prior=Gaussian(2), hidden=(256, 256))
print("same losses:", same_losses(GAN(data.image_shape, Gaussian(2)), shipped))

# %% [markdown]
# ### Eight spots in the plane
#
# The smallest picture has one row of two pixels: a point in the plane. Our data are eight spots on a ring, and the
# generator starts from a single Gaussian blob.
#
# **Predict, then run.** Will the generator find all eight spots at once, one after the other, or only some of them?
# Where will the discriminator say "data" while the generator is still on its way?


# %%
def ring(count, seed):
    """Points as images (count, 1, 1, 2) in [0, 1]: eight spots on a ring."""
    generator = torch.Generator().manual_seed(seed)
    angle = torch.randint(8, (count,), generator=generator) * (2 * math.pi / 8)
    points = 0.5 + 0.35 * torch.stack([angle.cos(), angle.sin()], dim=1)
    return (points + 0.02 * torch.randn(count, 2, generator=generator)).clamp(0, 1).reshape(-1, 1, 1, 2)


plane = torch.cartesian_prod(torch.linspace(0, 1, 50), torch.linspace(0, 1, 50)).reshape(-1, 1, 1, 2)


def look(system):
    """1,000 generated points (1000, 2), and D over the plane (50, 50) with rows from bottom to top."""
    with system.evaluating():
        noise = system.prior.sample(1000, torch.Generator().manual_seed(SEED)).to(system.device)
        belief = system.discriminator(plane.to(system.device)).sigmoid().reshape(50, 50).T
        return system.decoder(noise).reshape(-1, 2).cpu(), belief.cpu()


# %% [markdown]
# The `Snapshots` callback keeps what `look` sees at some updates.

# %%
spots, epochs = ring(10_000, seed=SEED), settings.ring
moments = [100 * epochs * part // 16 for part in (0, 1, 4, 16)]  # 100 updates an epoch
snapshots = Snapshots(look, at=moments)
toy = GAN((1, 1, 2), Gaussian(2), hidden=(128, 128), output="linear", seed=SEED)
fast = Adam(1e-3, beta1=0.5)
history = fit(
    toy,
    spots,
    epochs=epochs,
    seed=SEED,
    optimizers=dict(discriminator=fast, generator=fast),
    callbacks=[snapshots],
)


# %% jupyter={"source_hidden": true}
def game_figure(pictures, data):
    """Panels over updates: data, generated points, and behind them what the discriminator believes."""
    belief_map = LinearSegmentedColormap.from_list("belief", [figures.ROSE, "white", figures.BLUE])
    figure, axes = figures.canvas(len(pictures), len(pictures), 9 / len(pictures), 3)
    for ax, (update, (generated, belief)) in zip(axes, sorted(pictures.items()), strict=True):
        field = ax.imshow(belief, origin="lower", extent=(0, 1, 0, 1), cmap=belief_map, vmin=0, vmax=1, zorder=0)
        ax.scatter(*data[:400].reshape(-1, 2).T, s=5, color=figures.INK, linewidths=0, label="data")
        ax.scatter(*generated.T, s=4, color=figures.CLASS_COLOURS[2], linewidths=0, label="generated")
        ax.set(title=f"update {update:,}", xlim=(0, 1), ylim=(0, 1), xticks=[], yticks=[], aspect="equal")
    figure.colorbar(field, ax=axes, label="D(x)", ticks=[0, 0.5, 1])
    figure.legend(
        *axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, markerscale=3, frameon=False
    )
    return figure


figures.show(
    game_figure(snapshots.pictures, spots),
    alt="Four panels over training. Eight spots of data on a ring. Generated points begin in a corner, "
    "spread over the plane, then trace part of the ring, and at the end lie on all eight spots with "
    "thin trails between neighbours. D is low inside and outside the ring at the end, and near one "
    "half on it.",
)

# %% [markdown]
# The coloured field is the discriminator's opinion: blue where it would bet on data, rose where it would bet on the
# generator. On the way it is blue about spots that have too few points still. The generator moves its points up that slope, the
# field changes under them, and they move again. In the last panel the field is pale on the ring, which means $D \approx \tfrac12$:
# there the discriminator can no longer tell. It took a while: after a quarter of the updates only parts of the ring were found. A few
# points between spots remain, because the generator is a continuous map of one connected blob.

# %%
generated, _ = snapshots.pictures[moments[-1]]
angle = torch.arange(8) * (2 * math.pi / 8)
centres = 0.5 + 0.35 * torch.stack([angle.cos(), angle.sin()], dim=1)  # (8, 2)
distance, spot = torch.cdist(generated, centres).min(dim=1)
hits = spot[distance < 0.08].bincount(minlength=8)  # within four standard deviations of a spot
print(f"{hits.sum() / 1000:.0%} of the generated points lie on a spot; points per spot: {hits.tolist()}")
print(
    ", ".join(f"{name} {history.losses[name][-20:].mean():.2f}" for name in history.losses),
    "(equilibrium: 1.39 and 0.69)",
)

# %% [markdown]
# Had some spots got nothing, that would be *[mode collapse](glossary.ipynb#Mode-collapse)*: the generator may please the discriminator with a part of
# the data.
#
# ### A GAN on digits
#
# The same class, with images of digits, and two changes that are to help a small network on a small budget: batch
# normalisation in the generator (each unit's values are brought to mean 0 and standard deviation 1 over the batch, then scaled and
# shifted by two learnt numbers), and noise on what the discriminator sees, which blurs the difference between both sides and is to
# keep it from winning early.
#
# **Predict, then run.** Which of the two losses will fall, and which will rise? What would it mean if one of them
# reached 0?

# %%
gan = GAN(data.image_shape, Gaussian(16), hidden=(256, 256), batch_norm=True, noise=0.3, seed=SEED)
updates = settings.gan * (len(data.train) // settings.batch)
snapshots = Snapshots(lambda system: system.sample(8, seed=SEED), at=[updates * part // 16 for part in (0, 1, 4, 16)])
fast = Adam(1e-3, beta1=0.5)
history = fit(
    gan,
    data.train,
    epochs=settings.gan,
    batch_size=settings.batch,
    seed=SEED,
    optimizers=dict(discriminator=fast, generator=fast),
    callbacks=[snapshots],
)

# %%
figures.show(
    figures.snapshots(snapshots.pictures, title="The same eight draws of z through training"),
    alt="Rows of eight images at four updates: grey noise first, then rough digits, and at the end digits"
    " with crisp strokes, some of them malformed.",
)
figures.show(
    figures.training_curves(history),
    alt="Losses against updates. The generator's starts above the panel and falls to about 1.1, the "
    "discriminator's rises from near 0 to about 1.1. Dashed lines mark 2 ln 2 and ln 2; both curves "
    "move towards theirs, meet between the two, and stay nearly level.",
)
print(history.health())

# %% [markdown]
# The discriminator's loss *rises*, because its task gets harder. The generator's falls. Both move towards their dashed lines and
# stop half-way, at 1.1: the discriminator keeps an edge. After that they are nearly level, while the pictures still change. The
# losses measure the balance of the players and not the quality of the images. What the curves are good for is *health*: a
# discriminator's loss near 0 would mean that it has won, that it can tell every picture of the generator's; a generator's near 0, that it
# fools the other every time.
#
# The strokes are crisp, unlike the VAE's: a blurred digit is easy to tell from a real one, so the discriminator does
# not let it pass. But not every picture is a digit, and some have stray lit pixels: this is a small network, briefly trained.
#
# But what is the code of a given digit? A GAN cannot say.

# %%
# NBVAL_CHECK_OUTPUT
try:
    gan.encode(data.test.images[:1])
except TypeError as sentence:
    print(sentence)

# %% [markdown]
# ## What each one lacks
#
# All three models draw twelve digits, each from a code of 16 numbers; for the autoencoder, from the Gaussian that was
# fitted to its codes. Autoencoder and VAE have the same networks and number of updates. The GAN has not: smaller networks, four
# times as many updates, and [batch normalisation](glossary.ipynb#Batch-normalisation) and noise. A crude number goes along: the share of *half-lit* pixels, neither paper (below 0.1) nor ink
# (above 0.9). Blur makes more of them.

# %% tags=["title-figure"]
models = {
    "data": as_float(data.test.images[:1000]),
    "autoencoder": autoencoder16.decode(fitted_draws(codes16, 1000, seed=SEED)),
    "VAE": vae16.sample(1000, seed=SEED),
    "GAN": gan.sample(1000, seed=SEED),
}
vae16_codes = vae16.encode(data.train.images[:10_000], seed=SEED)
measured_holes = {
    "autoencoder": f"{holes16:.1%}",
    "VAE": f"{latent.holes(vae16_codes, vae16.prior):.1%}",
    "GAN": "no codes",
}
half_lit = {name: ((images > 0.1) & (images < 0.9)).float().mean().item() for name, images in models.items()}
for name in models:
    print(f"{name:12} half-lit pixels {half_lit[name]:5.1%}   holes {measured_holes.get(name, '–')}")
assert data.name == "digits" or half_lit["GAN"] < half_lit["VAE"]
figures.show(
    figures.show_images(torch.cat([images[:12] for images in models.values()]), columns=12, rows=tuple(models)),
    alt="Four rows of twelve digits: real ones; draws from the autoencoder, many of them scribbles; soft "
    "digits from the VAE; crisp but sometimes malformed digits from the GAN.",
)

# %% [markdown]
# The autoencoder's draws are often scribbles, the VAE's are softer still, the GAN's are as crisp as the data. In 16 dimensions
# too the VAE leaves fewer holes than the autoencoder, and does not close them: about 16 % on MNIST, where the
# autoencoder has 25 %.
#
# | | autoencoder | VAE | GAN |
# |---|---|---|---|
# | code of an image | yes | yes, as a distribution $q(z \mid x)$ | **no encoder** |
# | new images from a prior | **no prior: holes** | yes, with fewer holes | yes |
# | sharp images | as far as the code allows | **blur** | yes |
# | a bound on $\log p(x)$ | no | yes, the ELBO | **no density** |
# | which priors | none | **only with a density** we can write down | any that we can draw from |
# | training | one loss that falls | one loss that falls | a game: watch the balance |
#
# What is bold is missing, and for each bold entry another column has it. Read the row *which priors* again: the
# discriminator made a distribution agree with another one from draws alone. It does not care whether these are images.
#
# So keep the autoencoder, and play the game with its *codes*. Let a discriminator tell draws of the prior $p(z)$ from
# codes of images, whose distribution is called the *[aggregated posterior](glossary.ipynb#Aggregated-posterior)*
# $q(z) = \int q(z \mid x)\, p_{\text{data}}(x)\, dx$, and let the encoder learn to fool it. Then the codes come to
# fill the prior, the encoder stays, and the prior needs no density. That is an adversarial autoencoder.

# %% [markdown]
# ## Summary of the second sitting
# - The best discriminator is $p_{\text{data}} / (p_{\text{data}} + q)$. At equilibrium the losses are $2 \ln 2$ and
#   $\ln 2$.
# - A GAN needs draws of its prior only, no density; its images are crisp, and it has no encoder.
# - Its losses measure the balance of two players and not the quality of images.
# - A game is a system with two phases, each of which moves one player.
#
# The paper reviews these models in its Sections 1 and 1.1 and gives no figures or numbers for them there, so none stand
# beside ours. Our GAN is smaller and trained much shorter than those in the literature.

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
# **A** *(easy, code)* The encoder answers with a mean and $\log \sigma^2$, (B, Z) each. Draw one code from each $q(z \mid x)$, so that
# gradients reach both. Expected: where the mean is 1 and $\log \sigma^2 = -2$, draws with mean 1 and standard deviation
# $e^{-1} \approx 0.37$.


# %% tags=["exercise"]
def draw_codes(mean, log_variance, generator):
    """One draw (B, Z) of each N(μ, σ²), from two (B, Z); all chance comes from the torch.Generator."""
    ### BEGIN SOLUTION
    noise = torch.randn(mean.shape, generator=generator)
    return mean + (0.5 * log_variance).exp() * noise
    ### END SOLUTION


# %% tags=["exercise"]
exercises.check_draw_codes(draw_codes)

# %% [markdown] tags=["exercise"]
# **B** *(medium, code)* Write the negative ELBO with a weight $\beta$ on the KL (Higgins et al. 2017), from the decoder's logits and the
# images (B, C, H, W), and mean and $\log \sigma^2$ (B, Z). Expected: with $\beta = 1$ the `negative_elbo` of this notebook.


# %% tags=["exercise"]
def negative_elbo(logits, images, mean, log_variance, beta):
    """Cross-entropy of pixels plus β KL(q(z | x) ‖ N(0, I)), in nats per image: a scalar, the mean over the batch."""
    ### BEGIN SOLUTION
    pixels = F.binary_cross_entropy_with_logits(logits, images, reduction="none")  # (B, C, H, W)
    divergence = 0.5 * (log_variance.exp() + mean.square() - 1 - log_variance).sum(dim=1)  # (B,)
    return (pixels.flatten(1).sum(dim=1) + beta * divergence).mean()
    ### END SOLUTION


# %% tags=["exercise"]
exercises.check_negative_elbo(negative_elbo)

# %% [markdown]
# 1. *(easy)* Train the autoencoder for twice as many epochs. Does the share of holes go down? Why should it, or why
#    not?
#    <details><summary>Expected</summary>Hardly: 18 % in place of 20 %. The error falls on, but nothing in the loss asks where codes lie.</details>
# 2. *(easy)* Train VAEs with 1, 4, 8 and 32 dimensions. From where on does the bound no longer rise, and what does the
#    KL do there?
#    <details><summary>Expected</summary>From 16 on. We got a bound of −115 nats with 8 numbers, −109 with 16 and −112 with 32; the KL was 16, 22 and 25 nats: more room, and hardly any more told.</details>
# 3. *(medium)* Let the 1-D toy start at $\mu = -1.8$. Then observe $x = -1$ in place of $x = 1$. How large is the gap
#    now, and why?
#    <details><summary>Hint</summary>No real $z$ has $z^2 = -1$. How many humps does the posterior have?</details>
#    <details><summary>Expected</summary>From −1.8 it finds the left hump, with the same gap of 0.73. For x = −1 the posterior has one hump, at 0, and the gap is nearly 0.</details>
# 4. *(medium)* Give the KL term a weight $\beta$ (exercise B). Find a $\beta$ at which holes come back, and
#    one at which all codes land in the same place.
#    <details><summary>Hint</summary>Subclass <code>VAE</code> and override its <code>negative_elbo</code>; measure with <code>latent.holes</code>. A small β lets codes go where they like, as in an autoencoder.</details>
#    <details><summary>Expected</summary>In two epochs with 2 numbers, β = 0.01 left 22 % in holes, twice as many as β = 1 above. With β = 30 hardly any are left, 1 %, and that is no success: the means scatter about 0 by 0.03, every code is a draw of the prior and says nothing.</details>
# 5. *(hard)* Train the generator on the ring with the saturating loss, $\log(1 - D(G(z)))$. Does it stand still anywhere? Plot the
#    mean of $D(G(z))$ beside it. Then give the discriminator a start of some hundred updates alone.
#    <details><summary>Expected</summary>From a common start hardly anywhere: the mean of D(G(z)) stays above 0.4 wherever we looked, the slope does not vanish there, and all eight spots are found. Even after 500 updates of D alone it gets going: over the next hundred the mean is 0.26. It takes a D that is surer still, as in exercise 4 of the next notebook.</details>
# 6. *(hard, open-ended)* Make the ring's GAN collapse to fewer than eight spots, by changing the learning rate of one player only,
#    and then explain the figure.
#    <details><summary>Expected</summary>Some of the eight numbers of points per spot that are printed above become 0, while most points still lie on a spot. With 0.03 for the discriminator, 687 of 1,000 lay on a single one, and three had none.</details>
# 7. *(easy, prediction)* Which posterior costs more KL against $N(0, 1)$: one half as wide, $N(0, 0.5^2)$, or one twice as wide,
#    $N(0, 2^2)$? Guess both numbers, then compute them with `gaussian_kl`.
#    <details><summary>Expected</summary>The wide one: 0.81 nats, against 0.32. Its draws fall where the prior is low; the narrow one only leaves room unused.</details>
# 8. *(easy, exploration)* In the widget above, draw the way from the middle of one class to the middle of another. How many pictures on
#    it are no digit, and do dots lie there?
#    <details><summary>Expected</summary>On the way to the ones, where few dots lie, ghosts are common, two digits laid over each other; but some lie among dots, too. Where two wedges touch, the one turns into the other over a short stretch.</details>
#
# ## What to read
# - Makhzani, Shlens, Jaitly, Goodfellow & Frey 2015, *Adversarial Autoencoders*,
#   [arXiv 1511.05644](https://arxiv.org/abs/1511.05644), Sections 1 and 1.1.
# - Kingma & Welling 2014, *Auto-Encoding Variational Bayes*, [arXiv 1312.6114](https://arxiv.org/abs/1312.6114): the
#   bound, and the KL in its Appendix B.
# - Goodfellow et al. 2014, *Generative Adversarial Networks*, [arXiv 1406.2661](https://arxiv.org/abs/1406.2661):
#   Section 4 has the proofs.
# - Radford, Metz & Chintala 2016, [arXiv 1511.06434](https://arxiv.org/abs/1511.06434): why GANs use Adam with little
#   momentum.
# - Vincent, Larochelle, Bengio & Manzagol 2008, *Extracting and Composing Robust Features with Denoising Autoencoders*,
#   ICML.
#
# **Next:** [Adversarial autoencoders](02_adversarial_autoencoders.ipynb).
