# %% [markdown]
# # 12 · Adversarial latent autoencoders
#
# In every model so far that can be drawn from, somebody chose the prior: a Gaussian, a mixture, a roll. The codes had to fit into it, whatever the data look like. Here nobody chooses. A network *learns* the distribution of the codes while it learns to make images, and a second network learns the way back, from an image to its code. Whether it found the way is asked of codes, never of pixels.
#
# **You will learn**
# - how a GAN, each of its two networks cut in two, becomes an autoencoder with a *learned* latent distribution;
# - its three steps, and the penalty ([R1](glossary.ipynb#R1)) that keeps the first from winning too easily;
# - what *[reciprocity](glossary.ipynb#Reciprocity)* measures, and what changes when it is measured in images instead of codes;
# - to judge a code by what it is good for: nearest neighbour against linear classifier, for five models of the same width and number of updates.
#
# **You need** [notebook 02](02_adversarial_autoencoders.ipynb): the game between codes and draws of a prior. [Notebook 01](01_autoencoders_vaes_gans.ipynb) has the GAN.
#
# **About 5 minutes on one core.** Its central figure is this: [draws of a Gaussian, what the mapping network makes of them, and where the encoder puts real images](#The-learned-latent-distribution).
#
# ![Three panels of dots coloured by digit: draws z, all colours mixed; w, sorted into regions that overlap; codes of real images, partly in the same regions.](figures/12_adversarial_latent_autoencoders.png)

# %%
import numpy as np
import torch
from joblib import Parallel, delayed
from sklearn.manifold import TSNE
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import LinearSVC
from tqdm.auto import tqdm

from aae_lib import choose, experiments, figures, fit, load
from aae_lib.losses import bce, half_squared_error
from aae_lib.networks import MLP, Decoder, Encoder, initialise
from aae_lib.pixels import as_float
from aae_lib.priors import Gaussian
from aae_lib.style import EqualisedMLP, MappingNetwork, equalise
from aae_lib.systems import (
    Adam,
    AdversarialAutoencoder,
    AdversarialLatentAutoencoder,
    Autoencoder,
    BidirectionalGAN,
    Phase,
    System,
    VariationalAutoencoder,
)
from aae_lib.widgets import explore

softplus = torch.nn.functional.softplus

# %%
settings = choose(
    smoke=dict(data="digits", latent_dim=8, hidden=(48, 48), judge=(32,), gamma=1.0, updates=20, batch_size=25, images=1250, toy=100, workers=1),
    quick=dict(data="mnist", latent_dim=32, hidden=(256, 256), judge=(64, 64), gamma=3.0, updates=1000, batch_size=100, images=37_500, toy=1200, workers=2),
    paper=dict(data="mnist", latent_dim=50, hidden=(1024, 1024), judge=(256, 256), gamma=10.0, updates=156_000, batch_size=128, images=50_000, toy=2000, workers=1),
)  # fmt: skip
data = load(settings.data, fallback="digits")  # your own pictures: data = load("path/to/folder")
test, labels = data.test.images, data.test.labels  # labels: None where the pictures have no classes
as_printed = settings.profile == "quick" and data.name == "mnist"  # only then must the text's claims hold
print(f"{settings.profile}: {len(data.train):,} training images of shape {data.image_shape}, {len(test):,} for testing")

# %% [markdown]
# ## The idea
#
# A GAN has a generator, from noise $z$ to an image, and a discriminator, from an image to one number. Cut both in two:
#
# $$\underbrace{z \xrightarrow{\;F\;} w \xrightarrow{\;G\;} \text{image}}_{\text{generator}} \qquad\qquad \underbrace{\text{image} \xrightarrow{\;E\;} \tilde w \xrightarrow{\;D\;} \text{real or made?}}_{\text{discriminator}}$$
#
# Now there are two latent spaces in the middle. Ask that they be *one*: the $\tilde w$ that $E$ finds in a made image should be the $w$ that the image was made of. Then $E$ is an encoder, $G$ its decoder, and $G(E(x))$ a reconstruction, although no image was ever compared with its reconstruction. This is the *[adversarial latent autoencoder](glossary.ipynb#Adversarial-latent-autoencoder)*, **ALAE**, of Pidhorskyi, Adjeroh and Doretto (2020), whose paper is "the paper" below.

# %%
figures.show(
    figures.network_diagram("latent"),
    alt="Diagram. A draw z goes through the mapping F to w and through the generator G to an image. It and a real image x go through "
    "the encoder E to w tilde, and through the discriminator D to the answer: real or made? A box below, reciprocity, compares w "
    "tilde with w.",
)

# %% [markdown]
# Compare it with [notebook 02](02_adversarial_autoencoders.ipynb). There the discriminator looks at codes, and pulls $q(z)$ onto a $p(z)$ that *we* chose. Here the discriminator's verdict is about images. Nothing is said about how $w$ must be distributed: $w = F(z)$ with $z \sim \mathcal{N}(0, I)$, and $F$ is learnt.
#
# Per mini-batch there are three steps, each with fresh draws $z$. Write $R = D \circ E$ for the whole discriminator and $\mathrm{sp}(t) = \log(1 + e^t)$, the *[softplus](glossary.ipynb#Softplus)*:
#
# | step | learns | loss |
# |---|---|---|
# | I discriminate | $E, D$ | $\mathrm{sp}\big(R(G(F(z)))\big) + \mathrm{sp}\big({-R(x)}\big) + \frac{\gamma}{2}\lVert \nabla_x R(x) \rVert^2$ |
# | II generate | $F, G$ | $\mathrm{sp}\big({-R(G(F(z)))}\big)$ |
# | III reciprocity | $E, G$ | $\lVert w - E(G(w)) \rVert^2$, with $w = F(z)$ |
#
# - The softpluses are old friends. $R$ is a [logit](glossary.ipynb#Logit), and $\mathrm{sp}(-R) = -\log \sigma(R)$: the binary [cross-entropy](glossary.ipynb#Cross-entropy) with target 1. Likewise $\mathrm{sp}(R)$ is the one with target 0.
# - The last term of step I is **R1**: the squared slope of $R$ at real images. A discriminator that is steep where the data lie can win too easily, and then teaches little. R1 makes steepness cost something, and where the generator has caught up, a flat $R$ is best.
# - In step III, $F$ stands still. Else it could please the loss by making all $w$ the same.

# %% [markdown]
# ## A toy in two dimensions: two islands
#
# The data are points in the plane, in two clusters. So the "images" have two numbers, $z$ and $w$ have two, and everything can be drawn. Four small networks, three optimizers, three steps, in plain PyTorch:


# %%
def draw_data(count, generator):
    """Points (count, 2) of two clusters, left and right."""
    side = torch.where(torch.rand(count, 1, generator=generator) < 0.5, -1.5, 1.5)
    return torch.cat([side, 0 * side], dim=1) + 0.3 * torch.randn(count, 2, generator=generator)


def network(out, seed):
    built = MLP((2, 64, 64, out))
    initialise(built, seed)
    return built


def adam(*networks, step=1e-3, betas=(0.0, 0.99)):
    weights = [weight for network in networks for weight in network.parameters()]
    return torch.optim.Adam(weights, lr=step, betas=betas, fused=True)


def descend(optimizer, loss):
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


# %%
mapping, G, E, D = network(2, 0), network(2, 1), network(2, 2), network(1, 3)
step_1, step_2, step_3 = adam(E, D), adam(mapping, G), adam(E, G)
generator, gamma = torch.Generator().manual_seed(0), 1.0
for _ in range(settings.toy):
    z = torch.randn(3, 128, 2, generator=generator)  # fresh draws for each step
    x = draw_data(128, generator).requires_grad_()
    real, made = D(E(x)), D(E(G(mapping(z[0])).detach()))
    (slope,) = torch.autograd.grad(real.sum(), x, create_graph=True)  # (B, 2)
    game = softplus(-real).mean() + softplus(made).mean()
    descend(step_1, game + gamma / 2 * slope.square().sum(dim=1).mean())
    descend(step_2, softplus(-D(E(G(mapping(z[1]))))).mean())
    w = mapping(z[2]).detach()
    descend(step_3, (w - E(G(w))).square().sum(dim=1).mean())
print(f"discriminator's loss at the end: {game:.2f}; a guess costs 2 ln 2 = 1.39")

# %% [markdown]
# And an adversarial autoencoder of the same three shapes of network, for as many updates, whose codes must fill a Gaussian:

# %%
encoder, decoder, discriminator = network(2, 2), network(2, 1), network(1, 3)
slow = dict(step=5e-4, betas=(0.5, 0.999))
reconstruct, fool = adam(encoder, decoder, **slow), adam(encoder, **slow)
discriminate = adam(discriminator, step=2e-3, betas=(0.5, 0.999))
for _ in range(settings.toy):
    x, z = draw_data(128, generator), torch.randn(128, 2, generator=generator)
    descend(reconstruct, 0.5 * (decoder(encoder(x)) - x).square().sum(dim=1).mean())
    codes = encoder(x)
    real, fake = discriminator(z), discriminator(codes.detach())
    descend(discriminate, softplus(-real).mean() + softplus(fake).mean())
    descend(fool, softplus(-discriminator(encoder(x))).mean())

# %% [markdown]
# > **Predict, then run.** Both models get draws of the same round Gaussian. What does the cloud of $w$ look like in the first, the cloud of codes in the second?

# %%
with torch.no_grad():
    z, x = torch.randn(3000, 2, generator=generator), draw_data(3000, generator)
    w, decoded = mapping(z), decoder(z)
    made = G(w)
    panels = {  # the points of each panel, and the points in the data's plane that say where a point belongs
        "data x": (x, x),
        "ALAE: G(w)": (made, made),
        "AAE: decoded draws": (decoded, decoded),
        "ALAE: w = F(z)": (w, made),
        "ALAE: E(x)": (E(x), x),
        "AAE: codes of x": (encoder(x), x),
    }
figure, axes = figures.canvas(6, 3, 3, 1.8)
for ax, (name, (points, where)) in zip(axes, panels.items(), strict=True):
    ax.scatter(*points.T, s=2, c=[figures.CLASS_COLOURS[8 if right else 2] for right in where[:, 0] > 0])
    ax.set(title=name, xticks=[], yticks=[])
    ax.set_aspect("equal", adjustable="datalim")
clouds = [points for points, _ in panels.values()]
for plane in (slice(0, 3), slice(3, 5)):  # the data's plane, and that of w: the same limits in all its panels
    for ax in axes[plane]:
        ax.update_datalim(torch.cat(clouds[plane]))
        ax.autoscale_view()
figures.show(
    figure,
    alt="Six panels of points, coloured by whether they belong to the left or the right cluster. Above, in the data's plane: the data, "
    "two clusters; what the latent autoencoder makes, two clusters joined by a thin thread of points; what the AAE decodes, one "
    "long band that covers the gap and reaches beyond the data on both sides. Below, in latent space: w forms two islands that touch "
    "at one place, the codes E(x) two islands apart; the AAE's codes form two slanting strips side by side, with a narrow gap.",
)

# %%
between = {}
for name, (points, _) in list(panels.items())[:3]:
    left, between[name] = (points[:, 0] < 0).float().mean(), float((points[:, 0].abs() < 0.6).float().mean())
    print(f"{name:20} {left:4.0%} of the points are in the left half, {between[name]:5.1%} between the clusters")
assert settings.profile == "smoke" or between["ALAE: G(w)"] < 0.03 < 0.05 < between["AAE: decoded draws"]

# %% [markdown]
# The data are two islands, and a round Gaussian is one. The AAE's encoder lays two strips side by side (they do not fill the Gaussian: a gap is left between them), and the decoder, a continuous function, must cross from one cluster to the other in between: almost one draw in five is decoded to a point between the clusters, and others land beyond them. How much of this is due to the Gaussian's shape, and how much to codes that have not filled it yet, this run does not tell.
#
# Nobody asked $w$ to be round. $F$ tears the Gaussian almost in two, and the one draw in a hundred that lies on the tear is all that is left of the bridge. (It cannot vanish: $F$ and $G$ are continuous too.) The encoder learnt from made points which $w$ they came from, and puts the data on two islands as well. What $G$ makes has not the round shape of the clusters, although the discriminator's last loss is that of a guess: it does not see the difference. (R1 may have a part in this: it asks for a flat $R$.)
#
# This is a picture, not a measurement: one run of each model, each with steps of its own. And the two differ in more than the shape of the codes: every draw that ALAE's $G$ gets is judged, while the AAE's decoder never saw a draw in training. Exercise 6 takes $F$ away, to see what is due to it.

# %% [markdown]
# ## Three steps on images
#
# Now the same on images. First the four networks. All have *[equalised learning rates](glossary.ipynb#Equalised-learning-rate)*: what is learnt starts as $\mathcal{N}(0, 1)$ and is scaled at every use, so that the steps of Adam mean the same in every layer. $F$ and $D$ move at a tenth of the others' pace ($w$ must not run away from $G$ and $E$).


# %%
class FourNetworks(System):
    """The boxes of the figure above, their weights drawn from ``seed``."""

    def __init__(self, image_shape, *, latent_dim, hidden, discriminator_hidden, mapping_layers=6, gamma=10.0, seed=0):
        super().__init__(image_shape)
        self.prior, self.gamma = Gaussian(latent_dim), gamma  # of z
        self.mapping = MappingNetwork(latent_dim, mapping_layers)  # F: z (B, Z) -> w (B, W)
        self.encoder = equalise(Encoder(image_shape, latent_dim, hidden=hidden))  # E: (B, C, H, W) -> (B, W)
        self.decoder = equalise(Decoder(latent_dim, image_shape, hidden=hidden))  # G: (B, W) -> (B, C, H, W)
        self.discriminator = EqualisedMLP(
            (latent_dim, *discriminator_hidden, 1), last_linear=True
        )  # D: (B, W) -> (B, 1)
        initialise(self, seed)

    def draw(self, batch):
        """Fresh w = F(z) (B, W)."""
        return self.mapping(self.prior.sample(len(batch), batch.generator))

    def verdict(self, images):
        """R = D(E(x)), logits (B,)."""
        return self.discriminator(self.encoder(images)).squeeze(1)


# %% [markdown]
# Then the three steps, line by line those of the table, with `bce(R, 1)` for $\mathrm{sp}(-R)$ and `bce(R, 0)` for $\mathrm{sp}(R)$. Each `Phase` names who moves; `fit` freezes the rest.


# %%
class ThreeSteps(FourNetworks):
    """Pidhorskyi, Adjeroh & Doretto 2020, Algorithm 1."""

    def discriminator_loss(self, batch):
        x = batch.images.detach().requires_grad_()
        real, made = self.verdict(x), self.verdict(self.decoder(self.draw(batch)))
        (slope,) = torch.autograd.grad(real.sum(), x, create_graph=True)  # (B, C, H, W)
        r1 = 0.5 * slope.square().flatten(1).sum(dim=1).mean()
        return torch.stack([bce(real, 1) + bce(made, 0), r1])

    def generator_loss(self, batch):
        return bce(self.verdict(self.decoder(self.draw(batch))), 1)

    def reciprocity_loss(self, batch):
        w = self.draw(batch)  # (B, W)
        return (self.encoder(self.decoder(w)) - w).square().sum(dim=1).mean()

    def phases(self):
        steps = Adam(2e-3, beta1=0.0, beta2=0.99)
        terms = dict(parts=("discriminator", "gradient penalty"), factors=(1.0, self.gamma))
        return [
            Phase("discriminator", self.discriminator_loss, (self.encoder, self.discriminator), steps, **terms),
            Phase("generator", self.generator_loss, (self.mapping, self.decoder), steps),
            Phase("reciprocity", self.reciprocity_loss, (self.encoder, self.decoder), steps),
        ]


# %% [markdown]
# Is this what the library ships? The same seed, a few hundred images, and every recorded loss the same to the last bit. (The library's class also keeps a moving average of $F$ and $G$, which it uses for samples and reconstructions; that changes no loss.)

# %%
# NBVAL_CHECK_OUTPUT
few = data.train.images[:300]
small = dict(latent_dim=4, hidden=(32, 32), discriminator_hidden=(16,), seed=0)
pair = ThreeSteps(data.image_shape, **small), AdversarialLatentAutoencoder(data.image_shape, **small)
our_losses, their_losses = (fit(s, few, epochs=4, batch_size=50, progress=False).losses for s in pair)
same = all((our_losses[name] == their_losses[name]).all() for name in their_losses)
logits = torch.linspace(-9, 9, 50)
assert same and torch.allclose(softplus(-logits).mean(), bce(logits, 1))
print("losses:", ", ".join(their_losses))
print("same losses:", same)

# %% [markdown]
# ## Five models and a variant, with the same budget of updates
#
# What is a learned latent space good for? That needs others to compare with, of the same size: an autoencoder, a VAE, an adversarial autoencoder, and a **[bidirectional GAN](glossary.ipynb#Bidirectional-GAN)** (BiGAN). The last is the nearest relative: it also has a generator and an encoder that never compares pixels, but its discriminator looks at *pairs*, $(x, E(x))$ against $(G(z), z)$, and $z$ is again an imposed Gaussian. Beside them ALAE, and ALAE with its third step in image space, $\frac12\lVert x - G(E(x))\rVert^2$, which the paper tries too.
#
# All encoders and decoders have the same widths; all models have the same number of latent dimensions, the same images in batches of the same size, and the same number of updates. Their steps differ, since what suits one breaks another. They were chosen on *validation* images, for 2,000 updates, by the [feature-FID](glossary.ipynb#Feature-FID) of samples (the autoencoder's by its error): out of two tries for AE, VAE and AAE, four for BiGAN, ten for ALAE, whose game was the hardest to bring to readable digits in so few updates. (Here there are 1,000, to save time. Among nine ways to save it, tried with one seed, this one kept ALAE's samples best, with larger steps: 0.025 in place of 0.015. <!-- 0.015: the step for 2,000 updates, in runs not shown --> The others got no such second choice.) ALAE in image space has ALAE's steps, without a try of its own, and one seed only: what is said of it is said of one run. The models differ in other respects too: ALAE has a [mapping network](glossary.ipynb#Mapping-network), equalised layers, and [averaged weights](glossary.ipynb#Averaged-weights) for samples and reconstructions; ALAE and the AAE take three steps per update, BiGAN two, the others one; ALAE's $D$ is smaller, but sits on top of $E$; BiGAN has [batch normalisation](glossary.ipynb#Batch-normalisation) in encoder and decoder, and noise on what its discriminator sees.

# %%
prior = Gaussian(settings.latent_dim)
ways = dict(latent_dim=settings.latent_dim, discriminator_hidden=settings.judge, gamma=settings.gamma)
seen = data.train.images[: settings.images]
three_quarters = 0.75 * settings.updates * settings.batch_size / len(seen)  # of the updates, in epochs
late = {max(1, round(three_quarters)): 4}  # from that epoch on all steps are a quarter as large
step, game = Adam(2e-3, drops=late), Adam(8e-4, beta1=0.5, drops=late)
pair_game, fast = Adam(2e-3, beta1=0.5, drops=late), Adam(2.5e-2, beta1=0.0, beta2=0.99, drops=late)
three_steps = dict.fromkeys(("discriminator", "generator", "reciprocity"), fast)
MODELS = {
    "AE": (Autoencoder, dict(latent_dim=settings.latent_dim), {"reconstruction": step}),
    "VAE": (VariationalAutoencoder, dict(prior=prior), {"negative_elbo": step}),
    "AAE": (
        AdversarialAutoencoder,
        dict(prior=prior, discriminator_hidden=settings.hidden, batch_norm=False),
        {"reconstruction": step, "discriminator": game, "generator": game},
    ),
    "BiGAN": (
        BidirectionalGAN,
        dict(prior=prior, discriminator_hidden=settings.hidden, batch_norm=True, discriminator_noise=0.5),
        {"discriminator": pair_game, "generator": pair_game},
    ),
    "ALAE": (AdversarialLatentAutoencoder, ways, three_steps),
    "ALAE, images": (AdversarialLatentAutoencoder, {**ways, "reciprocity": "data"}, three_steps),
}


# %% [markdown]
# Sixteen trainings, three seeds for each of the five models and one for the variant, two at a time, in processes of their own that send back weights and history.


# %%
def build(name, seed):
    kind, arguments, _ = MODELS[name]
    return kind(data.image_shape, **arguments, hidden=settings.hidden, seed=seed)


def train(name, seed, images):
    torch.set_num_threads(1)  # two processes, one core each
    system, steps = build(name, seed), MODELS[name][2]
    optimizers = None if settings.profile == "paper" else steps
    length = dict(updates=settings.updates, batch_size=settings.batch_size)
    history = fit(system, images, **length, seed=seed, optimizers=optimizers, progress=False)
    return name, system.cpu().state_dict(), history


SEEDS = {name: (0,) if name == "ALAE, images" else (0, 1, 2) for name in MODELS}
trained, histories = {}, {}


def train_all(names):
    """Fill ``trained`` and ``histories`` of these models, one system and one history for each seed."""
    trained.update({name: [] for name in names})
    histories.update({name: [] for name in names})
    jobs = [delayed(train)(name, seed, seen) for name in names for seed in SEEDS[name]]
    results = Parallel(n_jobs=settings.workers, return_as="generator")(jobs)
    for name, weights, history in tqdm(results, total=len(jobs), desc="trainings"):
        system = build(name, seed=len(trained[name]))
        system.load_state_dict(weights)
        trained[name].append(system.eval())
        histories[name].append(history)


# %%
train_all(["ALAE", "ALAE, images"])
alae = trained["ALAE"][0]
print(histories["ALAE"][0].summary())
figures.show(
    figures.training_curves(histories["ALAE"][0]),
    alt="ALAE's losses over updates. The gradient penalty falls. The reciprocity, after a first fall, rises until the "
    "steps become small, drops there, and rises a little again. The discriminator's loss falls at first, then rises to 1.25, below 2 ln 2; "
    "the generator's sinks to 0.78, above ln 2.",
)

# %% [markdown]
# The reciprocity is a squared length, and its height depends on how large $w$ is, which nothing fixes: a rise need not mean that less is found again. Below it is divided by the variance of $w$. (The seconds here and below are from a busy machine; on two idle cores they are fewer.)

# %%
train_all(["BiGAN", "AAE", "VAE", "AE"])
trained = {name: trained[name] for name in MODELS}  # in the order of the text
for name in trained:
    seconds = ", ".join(f"{history.seconds:.0f} s" for history in histories[name])
    print(f"{name:14}", seconds, "|", " | ".join(history.health() for history in histories[name]))

# %% [markdown]
# ## Reconstructions and samples
#
# To judge images we need a judge: a small classifier, trained on the training labels, that none of the models ever sees. It says what digit an image shows, and its features compare sets of images (the Fréchet distance of [notebook 06](06_likelihood.ipynb), with a [floor](glossary.ipynb#Floor): real images against other real images).

# %%
from aae_lib.evaluation import feature_fid, train_feature_network

judge = train_feature_network(data.train)
if labels is None:
    print('No labels: from here on "digit" means by how many quarters the judge takes an image to be turned.')
    classes, ten = judge.classify(test), test[:10]
else:
    classes, ten = labels, torch.stack([test[labels == k][0] for k in labels.unique()[:10]])  # one of each class
    print(f"the judge reads {float((judge.classify(test) == labels).float().mean()):.1%} of the test images correctly")
rows = torch.cat([as_float(ten), *(systems[0].reconstruct(ten) for systems in trained.values())])
figures.show(
    figures.show_images(rows, len(ten), "Test images and their reconstructions", rows=["test image", *trained]),
    alt="Seven rows of ten digits. Top: test images. AE, VAE, AAE and ALAE with its third step in images return the same digits, more or less "
    "blurred; of the VAE's 8 and the variant's 5 and 8 little more than a shape is left. BiGAN and ALAE return ragged strokes, several "
    "of them another digit.",
)

# %% [markdown]
# > **Predict, then run.** ALAE's third step compares codes only, so nothing ever asked it to return the same *pixels*. Which of the models will have the largest squared error? And which will most often return another *digit*?

# %%
count = min(2000, len(test), len(data.validation))
real, other = judge.features(test[:count]), judge.features(data.validation.images[:count])
print(f"feature-FID of real images against other real images: {feature_fid(other, real):.0f}\n")


def spread(values, digits=1):
    """Mean ± standard deviation over the seeds; of a single seed its value."""
    if np.isnan(values).any():
        return "–"
    if len(values) == 1:
        return f"{values[0]:.{digits}f}"
    return f"{np.mean(values):.{digits}f} ± {np.std(values, ddof=1):.{digits}f}"


def quality(system):
    again, samples = system.reconstruct(test[:count]), None if system.prior is None else system.sample(count)
    return {
        "half squared error": float(half_squared_error(again, as_float(test[:count]))),
        "same digit, %": 100 * float((judge.classify(again) == classes[:count]).float().mean()),
        "FID, rebuilt": feature_fid(real, judge.features(again)),
        "FID, samples": float("nan") if samples is None else feature_fid(real, judge.features(samples)),
    }


qualities = {name: [quality(system) for system in systems] for name, systems in trained.items()}
print(" " * 14 + "".join(f"{column:>20}" for column in qualities["AE"][0]))
for name, runs in qualities.items():
    print(f"{name:14}" + "".join(f"{spread([run[column] for run in runs]):>20}" for column in runs[0]))

# %%
drawing = [name for name in trained if trained[name][0].prior is not None]
rows = torch.cat([trained[name][0].sample(12, seed=5) for name in drawing])
figures.show(
    figures.show_images(rows, 12, "Draws of the prior, made into images", rows=drawing),
    alt="Five rows of twelve samples. VAE: soft shapes, several of them no digit. AAE: firm strokes, several of them no digit. BiGAN: "
    "speckled strokes, several of them no digit. ALAE: ragged strokes, several of them no digit. ALAE with its third step in images: "
    "the clearest row, but for a blob and two loose bars.",
)

# %% [markdown]
# **Reconstructions.** The models that compare pixels return what they were given, if blurred (of the variant's 5, and of its and the VAE's 8, little more than a shape is left). The two that never do, do not quite: BiGAN returns the same digit in 40.1 ± 7.1 % of the cases, ALAE in 55.5 ± 8.9 % (its 2 and its 6 come back as something like an 8). Both errors are several times the autoencoder's. Nothing asked them for small pixel errors: ALAE's encoder must find again the $w$ of a *made* image, and never meets a loss on the reconstruction of a real one. (The autoencoder's 5.7 lies below the floor of 9 because the images it rebuilds are the very ones it is compared with; the floor compares different ones.)
#
# **Samples.** Here the order is another: a feature-FID of 54.2 ± 4.9 for ALAE, 59.3 ± 6.8 for the AAE, which is no difference beside their spread; 83.4 ± 2.3 for the VAE, 91.5 ± 3.8 for BiGAN. ALAE's strokes are ragged; to the judge they are nearer to real digits than the VAE's soft shapes all the same. (By this very measure settings were chosen, on [validation images](glossary.ipynb#Validation-images), and ALAE had the most tries.)
#
# **The third step in images** is better than the one in codes in every column (with one seed, but by far more than the spread of the other), with an error near the VAE's and a feature-FID of 16.6 for its samples. The paper prefers the step in codes. Before you decide, look at what becomes of $w$ in the next section.

# %% [markdown]
# ## The learned latent distribution
#
# Where does ALAE's $w$ lie, and does the encoder put real images where $F$ puts its draws? Three clouds: draws $z$, coloured by what the judge sees in $G(F(z))$; the same draws as $w = F(z)$; and the codes $E(x)$ of test images, coloured by their labels. [t-SNE](glossary.ipynb#t-SNE) lays out the last two *together*, in one plane.


# %% tags=["title-figure"]
def three_clouds(system, title):
    """The figure of draws z, of what F makes of them, and of codes of test images."""
    dots = min(500, count)
    z = system.prior.sample(dots, torch.Generator().manual_seed(0))  # (N, Z)
    w, codes = system.map(z), system.encode(test[:dots])  # (N, W) each
    shown = judge.classify(system.decode(w))  # (N,), what each draw became
    tsne = TSNE(random_state=0, perplexity=min(30, dots // 4))
    plane_of_z, plane_of_w = (tsne.fit_transform(cloud.numpy()) for cloud in (z, torch.cat([w, codes])))
    plane_of_z *= plane_of_w.std() / plane_of_z.std()  # sizes mean nothing in a t-SNE
    panels = {
        "draws z": (torch.from_numpy(plane_of_z), shown),
        "w = F(z)": (torch.from_numpy(plane_of_w[:dots]), shown),
        "E(x), test images": (torch.from_numpy(plane_of_w[dots:]), classes[:dots]),
    }
    figure = figures.latent_scatters(panels, classes=data.classes)
    figure.suptitle(title)
    for ax in figure.axes:
        ax.set(xlabel="", ylabel="", xticks=[], yticks=[])  # the axes of t-SNE mean nothing
    for name in list(figure.axes[0].texts):
        name.remove()  # among the draws no digit has a place
    return figure


figures.show(
    three_clouds(alae, f"ALAE after {settings.updates:,} updates"),
    alt="Three panels of dots coloured by digit. Draws z: one cloud in which all colours are mixed. w = F(z): ones lie below, many "
    "zeros at the left, sixes at the lower left, sevens at the right, the others overlap. E(x) of test images: these four at about "
    "the same places, in denser groups; fours and eights elsewhere.",
)


# %% [markdown]
# The picture needs numbers, and the numbers need controls. Is $w$ *less Gaussian* than codes that were pulled onto a Gaussian? We take out mean and covariance (so that only the shape is left) and measure the [sliced Wasserstein distance](glossary.ipynb#Sliced-Wasserstein-distance) to a Gaussian, in multiples of the floor: what Gaussian draws score. Then: how well do five neighbours tell the digit, among draws $z$ and among their $w$?


# %%
from aae_lib.evaluation import knn_accuracy, sliced_wasserstein


def whitened(codes):
    """Codes (N, Z) with mean 0 and covariance I, in the dimensions that vary at all."""
    codes = codes.double() - codes.double().mean(dim=0)
    values, axes = torch.linalg.eigh(codes.T @ codes / len(codes))
    used = values > 1e-6 * values.max()  # dimensions that never vary have no shape
    return codes @ axes[:, used] / values[used].sqrt()


def times_the_floor(codes):
    """How far codes (N, Z), whitened, are from whitened Gaussian draws; 1 is what other Gaussian draws score."""
    white = whitened(codes)
    draws = torch.randn(2, *white.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    one, two = map(whitened, draws)
    return sliced_wasserstein(white, one) / sliced_wasserstein(two, one)


def neighbours_tell(codes, digits):
    half = len(codes) // 2
    return 100 * knn_accuracy(codes[:half], digits[:half], codes[half:], digits[half:])


# %%
distances = {
    f"{name}, codes of test images": [times_the_floor(s.encode(test[:count])) for s in trained[name]]
    for name in trained
}
distances["ALAE, w = F(z)"] = [times_the_floor(s.draw_codes(count)) for s in trained["ALAE"]]
for name, values in distances.items():
    print(f"{name:36} {spread(values)} times the floor")

# %%
draws = prior.sample(count, torch.Generator().manual_seed(1))
told, commonest = {"z": [], "w": []}, []
for s in trained["ALAE"]:
    w = s.map(draws)
    digits = judge.classify(s.decode(w))
    told["z"].append(neighbours_tell(draws, digits))
    told["w"].append(neighbours_tell(w, digits))
    commonest.append(100 * float(digits.bincount().max()) / len(digits))
for space, values in told.items():
    print(f"five neighbours among {space} tell the digit that the draw becomes: {spread(values)} %")
print(f"always guessing the commonest digit would be right in {spread(commonest)} %")


def reciprocity(s):
    """‖w − E(G(w))‖² as a share of the variance of w; and how far the codes of test images lie from w, with the floor."""
    w, again, fresh = s.draw_codes(count), s.encode(s.sample(count)), s.draw_codes(count, seed=1)
    variance = (w - w.mean(dim=0)).square().sum(dim=1).mean()
    width = (variance / w.shape[1]).sqrt()
    apart = [sliced_wasserstein(w / width, cloud / width) for cloud in (s.encode(test[:count]), fresh)]
    return float((w - again).square().sum(dim=1).mean() / variance), *apart


for name in ("ALAE", "ALAE, images"):
    lost, distance, floor = zip(*map(reciprocity, trained[name]), strict=True)
    print(f"{name:14} of w is lost on the way through G and E: {spread([100 * share for share in lost])} %", end="; ")
    print(f"E(x) from F(z): {spread(distance, 2)} (floor {spread(floor, 2)}) standard deviations of w")

# %% [markdown]
# - **$F$ sorts.** Among draws $z$ the neighbours are right in 30 % of the cases (always guessing the commonest digit, in 16 %); among their $w$ they are right in 64 %. Ones and many of the zeros, sixes and sevens gather in places of their own (one seed, one t-SNE), the rest overlap: no islands as clean as the toy's.
# - **Not Gaussian, but not by much.** What $F$ makes has a shape of its own, at 2.8 ± 0.6 times the floor. Codes $E(x)$ of real images score 1.5, as do those of the plain autoencoder, on which nothing was imposed; the AAE's, pulled onto a Gaussian, score 1.7, BiGAN's, likewise imposed, 2.3, and the VAE's, imposed too, 1.5. (Of the VAE these are the means, while its loss pulls *noisy* codes onto the Gaussian.) So $w$ is less Gaussian than the codes of AAE and VAE; against BiGAN's the spread is too large to say. And after whitening this distance hardly tells imposed from free. (Seen along a random direction in 32 dimensions, most clouds look like a bell.)
# - **$E$ and $F$ do not quite agree.** The codes of real images lie on average 0.58 ± 0.14 standard deviations from the draws, where 0.07 is the floor: not the same. (The discriminator compares $E(x)$ with $E(G(w))$, not with $w$.) Of what $w$ says, $G$ and $E$ lose 28.5 ± 11.6 %, very unlike from seed to seed. (Measured with the averaged $F$ and $G$ but the last $E$; in training all three were the last.)
# - **With the third step in images, they agree far less.** $E(G(w))$ is farther from $w$ than a constant guess would be (a loss above 100 %), and codes of real images lie a whole standard deviation from the draws (0.98). The codes with which this model reconstructs are distributed quite otherwise than those from which it draws its samples. It has two latent spaces again, and that is what reciprocity in $w$ is there to prevent.

# %% [markdown]
# ## Straight lines in z and in w
#
# Two draws, and two ways from one image to the other: a straight line in $z$, mapped by $F$ point by point, or a straight line in $w$. They begin and end at the same images.

# %%
ends = prior.sample(8, torch.Generator().manual_seed(3)).chunk(2)  # two times (4, Z)
weights = torch.linspace(0, 1, 11)[:, None, None]


def lines(system, first, second):
    """Images along the lines in z and in w from draws (N, Z) to others, each (steps, N, C, H, W)."""
    in_z = system.map(torch.lerp(first, second, weights).flatten(0, 1))
    in_w = torch.lerp(system.map(first), system.map(second), weights).flatten(0, 1)
    return [system.decode(line).unflatten(0, (len(weights), -1)) for line in (in_z, in_w)]


both = torch.stack(lines(alae, *ends), dim=1).permute(2, 1, 0, 3, 4, 5)  # (4 pairs, z and w, steps, C, H, W)
figures.show(
    figures.show_images(both.flatten(0, 2), 11, "From one draw to another", rows=["in z", "in w"] * 4),
    alt="Four pairs of rows, eleven images each, from one draw to another: in each pair above along a line in z, below along a line in "
    "w, with the same first and last image.",
)

# %% [markdown]
# > **Predict, then run.** Measure the length of such a path in the judge's features, step by step. Which is the shorter, and how much longer than the straight distance of its two ends?

# %%
weights = torch.linspace(0, 1, 41)[:, None, None]


def detours(system, pairs=100):
    """How many times as long as the distance of their ends the paths of lines in z and in w are, in features."""
    first, second = prior.sample(2 * pairs, torch.Generator().manual_seed(4)).chunk(2)
    found = []
    for images in lines(system, first, second):
        features = judge.features(images.flatten(0, 1)).unflatten(0, (len(weights), -1))  # (steps, pairs, features)
        along, across = features.diff(dim=0).norm(dim=2).sum(dim=0), (features[-1] - features[0]).norm(dim=1)
        found.append(float(along.sum() / across.sum()))
    return found


in_z, in_w = zip(*map(detours, trained["ALAE"]), strict=True)
print(f"length of the path, as a multiple of the distance of its ends: in z {spread(in_z, 2)}, in w {spread(in_w, 2)}")
squared = (np.mean(in_w) / np.mean(in_z)) ** 2
print(f"the ratio of these lengths, squared: {squared:.2f}")

# %% [markdown]
# A total length hides whether a path changes evenly or in jerks. StyleGAN's authors measure the squared speed, which punishes detours and jerks alike: the **[perceptual path length](glossary.ipynb#Perceptual-path-length)** (PPL) is the mean of the squared distance of $G(p(t))$ and $G(p(t + \varepsilon))$, divided by $\varepsilon^2$, for a straight path $p$ between two $w$, or an arc between two $z$. "Full" takes $t$ anywhere on the path, "end" at its beginning only, where the point is a draw of the model itself. (Distances are those of our judge's features, so the numbers compare paths here, and stand beside no published ones.)

# %%
from aae_lib.evaluation import perceptual_path_length

for sampling in ("full", "end"):
    lengths = {
        space: [perceptual_path_length(s, judge, space=space, sampling=sampling, count=count) for s in trained["ALAE"]]
        for space in ("z", "w")
    }
    row = ", ".join(f"in {space} {spread(values, 0)}" for space, values in lengths.items())
    ratio = np.mean(lengths["w"]) / np.mean(lengths["z"])
    assert not as_printed or ratio < 1
    lower = sum(map(float.__lt__, lengths["w"], lengths["z"]))
    print(
        f"PPL, {sampling:4}: {row}; lower in w for {lower} of 3 seeds; ratio {ratio:.2f}, by length alone {squared:.2f}"
    )

# %% [markdown]
# The line in $w$ is the shorter way: 1.7 times the distance of its ends, where the line in $z$ takes 2.5 times. And its PPL is about half of that in $z$ ("full"; about a third for "end"), lower for each of the three seeds. But PPL is a mean *squared* speed, so it contains the squared length. For two even paths its ratio would be the square of the ratio of lengths, 0.49 (not of the rounded ones), against the measured 0.46: for "full" most of the gain is length, little of it evenness; at the paths' beginnings, where lines in $w$ start more slowly than they go on (1071 against 1436) and those in $z$ do not (3344 against 3140), it is more than length (0.32). (Not quite like with like: the length is that of a straight line in $z$, the PPL that of an arc.)
#
# $F$ has taken bends upon itself that $G$ is then spared. In the figure the first pair shows it best: in $z$ the 0 stays as it is for six images and has lost its shape two images later, in $w$ the change takes all of the middle. Short is not the same as right, though: in the fourth pair the line in $z$ keeps firm strokes for most of the way, the line in $w$ passes pale mixtures of both ends.

# %% [markdown]
# ## What is a code good for? One neighbour against a linear classifier
#
# The paper's question. Take codes of labelled images, and two classifiers: the **nearest neighbour**, which works as soon as each digit is made of neighbourhoods, however they are arranged; and a **linear support vector machine** (with C = 0.02; the smaller C, the more the SVM is pressed to small weights), which needs each digit to be on one side of a plane. Whoever loses little from the first to the second has not only kept the digits apart, but laid them out simply: *[disentangled](glossary.ipynb#Disentangled)*, says the paper.
#
# The **short** code is the encoder's output; the **long** one is its last hidden layer. Training codes come from 3,000 training images, the others from 2,500 test images, which other people wrote.


# %%
def long_code(system, images):
    """The last hidden layer (N, width) of the encoder."""
    layers = torch.nn.Sequential(*list(system.encoder.body)[:-1])
    with system.evaluating():
        return torch.cat([layers(system.pixels(chunk).flatten(1)) for chunk in images.split(1000)])


def accuracies(train_codes, train_labels, test_codes, test_labels):
    """In percent: of the nearest neighbour, of a linear SVM, and of the SVM on codes brought to a mean square of 1."""
    scale = np.sqrt(np.mean(train_codes**2))
    found = [KNeighborsClassifier(1).fit(train_codes, train_labels).score(test_codes, test_labels)]
    for unit in (1, scale):
        svm = LinearSVC(C=0.02, random_state=0).fit(train_codes / unit, train_labels)
        found.append(svm.score(test_codes / unit, test_labels))
    return [100 * accuracy for accuracy in found]


# %%
parts = ((data.train, 3000), (data.test, 2500))
known, asked = (part.take(torch.arange(min(number, len(part)))) for part, number in parts)
read = {"short": System.encode, "long": long_code}
if labels is None or len(labels.unique()) == 1:
    print("These pictures have no classes to tell apart, so the two classifiers are left out.")
    read = {}
keys, tasks = [], []
for length, code in read.items():
    for name, systems in trained.items():
        for system in systems:
            pairs = [(code(system, part.images).numpy(), part.labels.numpy()) for part in (known, asked)]
            keys.append((length, name))
            tasks.append(delayed(accuracies)(*pairs[0], *pairs[1]))
results = Parallel(n_jobs=settings.workers)(tasks)
scores = {
    key: np.array([found for k, found in zip(keys, results, strict=True) if k == key]) for key in keys
}  # (seeds, 3)

# %%
losses = {key: found[:, 0] - found[:, 1] for key, found in scores.items()}  # (seeds,), in points of accuracy
for length in read:
    print(f"{length + ' code':16}{'1-NN':>14}{'SVM':>14}{'lost':>14}{'SVM, scaled':>16}{'lost':>14}")
    for name in trained:
        found = scores[length, name]
        columns = [*found[:, :2].T, losses[length, name], found[:, 2], found[:, 0] - found[:, 2]]
        print(f"  {name:14}" + "".join(f"{spread(column):>{16 if i == 3 else 14}}" for i, column in enumerate(columns)))

# %% [markdown]
# The last two columns are the control. How hard C = 0.02 presses on an SVM depends on how *large* the codes are, and nothing fixes that for an autoencoder or for ALAE. So we also give all codes the same mean square; to a nearest neighbour that makes no difference.

# %%
five = [name for name in trained if name != "ALAE, images"]
for scaled, column in {"as they are": 1, "scaled": 2}.items() if read else ():
    lost = {name: scores["short", name][:, 0] - scores["short", name][:, column] for name in five}
    least = [min(five, key=lambda name: lost[name][seed]) for seed in range(len(lost["ALAE"]))]
    ranks = sorted(five, key=lambda name: lost[name].mean())
    print(
        f"short codes {scaled}: least is lost by {', '.join(least)} (seed by seed); on average in the order {', '.join(ranks)}"
    )

# %% [markdown]
# **From one neighbour to the linear SVM, ALAE's short code loses least of the five, for all three seeds, as long as the codes keep their size**: it loses nothing (its SVM is right more often than its neighbour, by 1.1 ± 0.4 points), where BiGAN's loses 2.5 ± 1.0 and the other three 5 to 7. **The control takes that away.** Brought to the same size, BiGAN's codes lose least on average (2.7 ± 0.8) and for two of the three seeds; ALAE's lose 4.6 ± 1.8, the AAE's 5.2 ± 0.6, those of VAE and AE 6 to 7. So its lead hung on the size of its codes: scaling them to a mean square of 1 costs its SVM 6 points.
#
# **And to lose least is not to be best.** ALAE's neighbours are right in 74 % of the cases, the fewest of all five, and who has less can lose less. Its SVM, at 75.5 %, is the lowest too, and more so when scaled (69.7 %). Its short code mixes up digits; its reconstructions do so more often still ([above](#Reconstructions-and-samples)); a likely reason, not tested here, is that there $G$ gets codes unlike the $w$ it learnt on. On the **long** code this is different: none of the five loses more than 1 point on average, BiGAN gains 4 and ALAE 1.6; ALAE's SVM, at 89.0 ± 0.5 %, is level with the VAE's (88.5 ± 0.6), scaled or not.
#
# The variant with its third step in images has the best SVM of all on the long code (90.8 %, one seed); on the short one (84.3 %) it is level with the autoencoder (83.6 ± 0.5). There it loses 4.2 points, 4.3 scaled: then no more than ALAE.

# %% [markdown]
# ## The same, after a long training
#
# So much for a thousand updates. `experiments.trained` reads a stored ALAE, trained from one seed by `python -m aae_lib.experiments run alae-mnist --profile long`: longer, with wider networks, a larger $w$, and other steps and $\gamma$.

# %%
long = experiments.trained("alae-mnist") if data.name == "mnist" else alae
print("below:", "this notebook's own, in place of the stored one" if long is alae else "the stored long run")
if long is not alae:
    run = experiments.records("alae-mnist", "../results", profile="long")[0]
    print(
        f"{run['updates']:,} updates in {run['seconds'] / 60:.0f} minutes; w of {long.latent_dim}, γ = {long.gamma:g},",
        end=" ",
    )
    print(
        f"units {run['settings']['system']['hidden']}, steps of {run['settings']['optimizers']['generator']['learning_rate']}"
    )
figures.show(
    three_clouds(long, "ALAE after the long training" if long is not alae else "ALAE, this notebook's own once more"),
    alt="The three panels of the long run. Draws z: all colours mixed. w = F(z): ones gather at the upper left, zeros at the bottom, "
    "fours, sevens and nines at the right; the others are mixed. E(x) of test images: these five at about the same places.",
)

# %%
pair = {"here": alae, "long": long}
rows = [
    as_float(ten),
    *(s.reconstruct(ten) for s in pair.values()),
    *(s.sample(len(ten), seed=5) for s in pair.values()),
]
names = ["test image", *(f"rebuilt, {name}" for name in pair), *(f"drawn, {name}" for name in pair)]
figures.show(
    figures.show_images(torch.cat(rows), len(ten), "ALAE here and after the long training", rows=names),
    alt="Five rows of ten digits. Test images; their reconstructions here, ragged, several of them another digit, and by the long run, "
    "in which all are the same digit but the 5, the 8 and the 9; draws here, ragged, and of the long run, nearly all readable digits.",
)

# %%
print(" " * 6 + "".join(f"{column:>20}" for column in qualities["AE"][0]))
for name, s in pair.items():
    print(f"{name:6}" + "".join(f"{value:20.1f}" for value in quality(s).values()))
for name, s in pair.items():
    lost, distance, floor = reciprocity(s)
    print(
        f"{name:6}{lost:.1%} of w is lost; E(x) from F(z): {distance:.2f} (floor {floor:.2f}) standard deviations of w"
    )
for length, code in read.items():
    pairs = [(code(long, part.images).numpy(), part.labels.numpy()) for part in (known, asked)]
    neighbour, svm, scaled = accuracies(*pairs[0], *pairs[1])
    print(f"long run, {length} code: 1-NN {neighbour:.1f}, SVM {svm:.1f}, scaled {scaled:.1f}")

# %% [markdown]
# The draws of the long run are nearly all digits, and to the judge about as near to real images as others are (9.9, floor 9). Of its reconstructions 89.6 % are the same digit, where this notebook's first seed has 64.2 %, though no pixel was ever compared; the 5, the 8 and the 9 in the figure have become strokes of no digit. $E$ and $F$ agree somewhat better: 9.2 % of $w$ is lost in place of 15.6 %, and codes of real images lie 0.31 standard deviations from the draws in place of 0.42, still well above the floor. Ones and zeros have places of their own in $w$; the rest overlaps still.
#
# On the short code its SVM (86.3 %) is right more often than its neighbour (82.9 %), as here; and now the control takes little away, for with codes brought to one size it loses less than a point (82.0 %). Its neighbour is right more often than here, but less often than the autoencoder's after a thousand updates (89.2 %). On the long code its SVM (93.9 %) is the best in this notebook. It is one system of one seed, and differs from this notebook's in more than its length.
#
# ## Beside the paper
#
# | | the paper | here (quick profile) |
# |---|---|---|
# | Figure 1 | the architecture | the same, [above](#The-idea) |
# | networks | $w$ and $z$ of 50; $F$ six layers; $G$ 50-1024-1024-784, $E$ its mirror image, $D$ three layers | $w$ and $z$ of 32; $F$ six layers; 256 units in place of 1024, $D$ three layers, 32-64-64-1 |
# | training | 400 epochs in batches of 128, γ = 10, Adam (β₁ = 0, β₂ = 0.99) with 0.002 | 1,000 updates of 100 (37,500 images, 2.7 epochs), three seeds; γ and step chosen on validation images |
# | step III | the paper holds $F$ still; the authors' code moves it too | $F$ stands still |
# | classifiers learn from | 60,000 images | 3,000 images |
# | AE, short code, 1-NN → SVM | 97.05 → 89.78 | 89.2 → 83.6 |
# | BiGAN | 95.38 → 91.34 | 81.1 → 78.6 |
# | ALAE | 94.59 → 94.23 | 74.3 → 75.5 |
#
# (The paper's numbers are those of its table for test images of different writers, noted second-hand; look them up before you quote them.) <!-- 784, 400, 60,000, 97.05, 89.78, 95.38, 91.34, 94.59, 94.23: Pidhorskyi et al. 2020, table of classifiers on MNIST -->
#
# If they are right, ALAE loses least here as there (codes as they are), though from a level farther below the autoencoder's, after less than three epochs in place of 400.
#
# ## Your own pictures
#
# Nothing here knows digits. `load("path/to/folder")` in the setup cell takes a folder of square pictures, grey or in colour, with one sub-folder for each class or without classes. Without, the judge learns by how many quarters of a circle a picture was turned: its features still compare images, "digit" in tables and figures then means such a turn and says little, and the comparison of classifiers is left out. The sentences of this notebook are about MNIST.
#
# ## Play
#
# Drag through the space of $w$, or play one test image into another. Values far outside of what $F$ produces are not codes: what does $G$ make of them? The controls reach as far as the largest number in any of 1,000 draws, which is far outside for most of the 32. (Within what $F$ produces, one number of $w$ alone will change an image little: 32 share the work. See for yourself in exercise 9. Two images played into each other change them all.) On paper there is a grid instead: the first two numbers of $w$ run from −far to far along its rows and columns, the others are those of the half-way code. Towards the border the strokes fall apart into specks.

# %%
far = float(alae.draw_codes(1000).abs().max())  # the largest number in any w
widget = explore(alae, test[:1000], limits=(-far, far), labels=None if labels is None else labels[:1000])
widget.between(0.5)  # begin half-way between the codes of two test images
widget

# %% [markdown]
# ## Summary
#
# - ALAE cuts each of a GAN's two networks in two. $F$ and $G$ make images, $E$ and $D$ judge them, and reciprocity makes the two middles one latent space. Nobody chooses its distribution.
# - Three steps: discriminate (with R1), generate, reciprocity. The losses of the first two are the cross-entropies you know.
# - In the toy (one run), about one in a hundred of ALAE's points lies between two clusters, against almost one in five of the AAE's decoded draws.
# - On MNIST, in 1,000 updates, ALAE makes samples of a lower feature-FID than VAE and BiGAN (with more tries), about the AAE's, and worse reconstructions than all but BiGAN. The third step in images repairs these, and gives up the one latent space. After a long training (one seed, wider networks) the samples are near the floor, and 89.6 % of the reconstructions are the same digit.
# - Paths in $w$ are shorter than in $z$, and their PPL is about half.
# - From nearest neighbour to linear SVM its short code loses least of five, but that hangs on the size of its codes, and its neighbours were right least often to begin with; brought to one size, BiGAN's loses least on average (two of three seeds).

# %% [markdown]
# ## Exercises
#
# Exercises A and B are functions to write. Put your lines in the place of `...`, run the cell, and then the cell below it: it says
# whether the function is right or, in a sentence, what is wrong with it. Both need nothing that was computed above.

# %% tags=["exercise"]
import torch

from aae_lib import exercises

# %% [markdown] tags=["exercise"]
# **A** *(medium, code)* Write the reciprocity loss for a training loop without `fit`: `w` is $F(z)$ (B, W) and still hangs on $F$, which is to stand still in this step. Expected: gradients in $E$ and $G$, none in $F$.


# %% tags=["exercise"]
def reciprocity(encoder, decoder, w):
    """‖w − E(G(w))‖², summed over the dimensions of w (B, W) and averaged over the batch: a scalar."""
    ### BEGIN SOLUTION
    w = w.detach()
    return (encoder(decoder(w)) - w).square().sum(dim=1).mean()
    ### END SOLUTION


# %% tags=["exercise"]
exercises.check_reciprocity(reciprocity)

# %% [markdown] tags=["exercise"]
# **B** *(hard, code)* Write R1, $\tfrac12 \lVert \nabla_x R(x) \rVert^2$ at real images (B, C, H, W), a mean over the batch. `realness(images)` gives $R$, logits (B,). The images do not require a gradient yet. Expected: 0 for an $R$ that is flat on the images; and a gradient in the weights of $R$, or nobody could learn from it.


# %% tags=["exercise"]
def gradient_penalty(realness, images):
    """Half the squared length of the slope of R at each image, averaged over the batch: a scalar."""
    ### BEGIN SOLUTION
    x = images.detach().requires_grad_()
    (slope,) = torch.autograd.grad(realness(x).sum(), x, create_graph=True)  # (B, C, H, W)
    return 0.5 * slope.square().flatten(1).sum(dim=1).mean()
    ### END SOLUTION


# %% tags=["exercise"]
exercises.check_gradient_penalty(gradient_penalty)

# %% [markdown]
# 1. *(easy)* Train the toy with `gamma = 0.1`, with steps of 0.002, for 2,500 updates. What share of $G(w)$ is in the left half? And with `gamma = 10.0`? What does too little R1 do, and what too much? <details><summary>Hint</summary>Print the share every 500 updates: it was not lost from the start.</details>
#    <details><summary>Expected</summary>With 0.1 the right half is lost between the updates 500 and 1,000: all points lie in the left one, and stay there. With 10 both halves stay, but the game swings more: at 500 updates few points lie between the clusters, at 1,000 half of them, at 1,500 few again.</details>
# 2. *(easy)* Shrink draws towards their mean, $w' = \bar w + \psi (w - \bar w)$ with $\psi$ of 0.5 and 0.7, and decode them (the *truncation trick*). What becomes of the samples' quality, and of their variety? <details><summary>Hint</summary><code>precision_recall</code> of <code>aae_lib.evaluation</code> gives each a number, from the judge's features.</details>
#    <details><summary>Expected</summary>Precision rises and recall falls as ψ falls: what lies near the mean is drawn well, and what lies far from it is no longer drawn.</details>
# 3. *(medium)* Let $F$ move in step III, as the authors' code does. Which share of $w$ is lost on the way through $G$ and $E$ then, and are the samples as good? <details><summary>Hint</summary>In a class derived from <code>ThreeSteps</code>, <code>phases</code> returns the same list with one <code>learns</code> changed; train <code>ThreeSteps</code> itself beside it, with <code>optimizers=three_steps</code>, and compare these two, not the library's class. Codes are <code>s.mapping(s.prior.sample(n, generator))</code>, samples <code>s.decoder(...)</code> of them.</details>
#    <details><summary>Expected</summary>Judge by the share of w that is lost, not by the loss of step III: where F moves, it can lower that loss by making w small. One seed of each says little: the share varied by 11.6 points over seeds.</details>
# 4. *(medium)* What is $F$ good for? Take it away: `self.mapping = torch.nn.Identity()`, and `phases` without it. Then $w$ is Gaussian again. Train `ThreeSteps` itself beside it, with `optimizers=three_steps`, and compare these two, not the library's class: the table of accuracies, and the samples' feature-FID. (Codes are `s.mapping(s.prior.sample(n, generator))`, samples `s.decoder(...)` of them.)
#    <details><summary>Expected</summary>Hold each difference against what the table above varies over seeds: 5 for the samples' feature-FID, 2 points for the SVM on the short code. What is larger may be due to F.</details>
# 5. *(medium)* C = 0.02 was the paper's choice. Choose C for each model on *validation* images, between 0.0001 and 100. Is the order of losses still the same?
#    <details><summary>Expected</summary>You have succeeded if codes multiplied by ten get another C, a hundredth, and lose about as much: then the order no longer hangs on the size of the codes.</details>
# 6. *(medium, open-ended)* Give the toy three clusters, then a ring. Which share of the points lies where no data are, for ALAE and for the AAE? And for ALAE when $F$ is the identity?
#    <details><summary>Expected</summary>You have succeeded if you can say the same of several seeds, with steps that let each model reach all clusters. A continuous decoder of one connected cloud never leaves a share of 0.</details>
# 7. *(hard)* Show that without R1 the best $R$ for a fixed generator is $\log p_d(x) - \log p_g(x)$, so that the loss of step I is $2 \ln 2 - 2\,\mathrm{JSD}(p_d, p_g)$. What does step III add for images that no $w$ makes? <details><summary>Hint</summary>Exercise 7 of <a href="02_adversarial_autoencoders.ipynb">notebook 02</a>, with images in place of codes. Nothing in step III ever looks at a real image.</details>
#    <details><summary>Expected</summary>At each x the loss is p_d sp(−R) + p_g sp(R), smallest where σ(R) = p_d / (p_d + p_g). Step III adds nothing there: it only asks about images that some w makes.</details>
# 8. *(easy, prediction)* An encoder answers every image with the mean of all $w$. Which share of $w$ is lost on the way through $G$ and $E$? Can a trained pair do worse?
#    <details><summary>Expected</summary>100 %: the share is in units of the variance of w. A pair that answers with the wrong w does worse, as the variant in image space does.</details>
# 9. *(easy, exploration)* In the widget above, move one number of $w$ from end to end, then play one test image into another. Which of the two changes the picture more, and what happens at the very ends?
#    <details><summary>Expected</summary>The second: 32 numbers share the work, and one alone changes little as long as it stays within what F makes. At the ends, far outside, the strokes fall apart into specks.</details>
#
# ## What to read
#
# - Pidhorskyi, Adjeroh & Doretto 2020, *Adversarial Latent Autoencoders*, [arXiv 2004.04467](https://arxiv.org/abs/2004.04467), Sections 3 and 4.
# - Donahue, Krähenbühl & Darrell 2017, *Adversarial Feature Learning*, [arXiv 1605.09782](https://arxiv.org/abs/1605.09782), and Dumoulin et al. 2017, *Adversarially Learned Inference*, [arXiv 1606.00704](https://arxiv.org/abs/1606.00704): the bidirectional GAN, found twice.
# - Mescheder, Geiger & Nowozin 2018, *Which training methods for GANs do actually converge?*, [arXiv 1801.04406](https://arxiv.org/abs/1801.04406): R1, and the smallest game that never settles without it.
# - Karras, Laine & Aila 2019, *A style-based generator architecture for generative adversarial networks*, [arXiv 1812.04948](https://arxiv.org/abs/1812.04948): where the mapping $F$ comes from.
#
# **Next:** notebook 13 gives $w$ to every layer of the generator as a *style*. **Before:** notebook 11, Wasserstein autoencoders, which choose their prior and measure the distance to it in other ways.
