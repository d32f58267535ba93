# %% [markdown]
# # 4 · GANs and moment matching
#
# There are two ways to say that two clouds of points differ. One trains a discriminator that looks for the difference. The other writes the difference down as a formula. And there are two places to look: at the images, or at codes. This gives four models, and the adversarial autoencoder is one of them.
#
# **You will learn**
# - the *[maximum mean discrepancy](glossary.ipynb#Maximum-mean-discrepancy)* (MMD): a distance between clouds of points that needs no training;
# - what the width of its [kernel](glossary.ipynb#Kernel) does, and why one uses several;
# - a generator that is trained on this formula alone, on images ([GMMN](glossary.ipynb#Generative-moment-matching-network)) and on an autoencoder's codes (GMMN + AE);
# - to compare four models with the same numbers, and what each number sees.
#
# **You need** [notebook 02](02_adversarial_autoencoders.ipynb); the GAN is from [notebook 01](01_autoencoders_vaes_gans.ipynb).
#
# **About 4 minutes on a laptop CPU.** Its main figure: [samples of all four](#Four-models,-one-table), and further down those of [a long run](#After-a-long-run).
#
# ![Four rows of ten generated digits, one row for each model.](figures/04_gans_and_moment_matching.png)

# %%
import torch

from aae_lib import choose, experiments, figures, fit, load
from aae_lib.evaluation import feature_fid, mean_and_standard_error, parzen_log_likelihood, precision_recall
from aae_lib.evaluation import sigma_search, train_feature_network
from aae_lib.losses import bce
from aae_lib.networks import Decoder, Discriminator, initialise
from aae_lib.pixels import as_float
from aae_lib.priors import Gaussian, Uniform
from aae_lib.systems import (
    Adam,
    AdversarialAutoencoder,
    Autoencoder,
    GenerativeAdversarialNetwork,
    GenerativeMomentMatchingNetwork,
    Phase,
    System,
)
from aae_lib.widgets import explore

settings = choose(
    smoke=dict(data="digits", hidden=(64, 64), epochs=dict(gan=8, gmmn=30, ae=8, codes=30, aae=8), batch=50, large=200),
    quick=dict(data="mnist", hidden=(400, 400), epochs=dict(gan=8, gmmn=7, ae=3, codes=14, aae=4), batch=100, large=500),
    paper=dict(data="mnist", hidden=(1000, 1000), epochs=dict.fromkeys(("gan", "gmmn", "ae", "codes", "aae"), 500), batch=100, large=1000),
)  # fmt: skip
data = load(settings.data, fallback="digits")
print(f"{settings.profile}: {len(data.train):,} training images of shape {data.image_shape}")

# %% [markdown]
# ## A distance without a discriminator
#
# Take two clouds of points, $x_1, \dots, x_N$ and $y_1, \dots, y_M$, and a *kernel* $k(a, b)$, a number that says how near two points are to each other. If the clouds are the same, points of one are as near to points of the other as to points of their own. So compare the three means:
#
# $$\mathrm{MMD}^2 = \frac{1}{N^2} \sum_{i,j} k(x_i, x_j) + \frac{1}{M^2} \sum_{i,j} k(y_i, y_j) - \frac{2}{NM} \sum_{i,j} k(x_i, y_j), \qquad k(a, b) = \sum_{\sigma} e^{-\lVert a - b \rVert^2 / 2\sigma^2}.$$
#
# It is 0 when the clouds are equal and positive otherwise (Gretton et al. 2012). The Gaussian kernel compares *all moments* of the clouds at once, hence "moment matching". In code it is six lines:


# %%
def squared_mmd(x, y, bandwidths):
    """MMD² of points (N, D) and (M, D), with a Gaussian kernel for each of the bandwidths, summed."""
    points = torch.cat([x, y])  # (N + M, D)
    squares = points.square().sum(dim=1)
    distances = (squares[:, None] + squares - 2 * points @ points.T).clamp_min(0)  # (N + M, N + M), squared
    kernel = sum((-distances / (2 * width**2)).exp() for width in bandwidths)
    n = len(x)
    return kernel[:n, :n].mean() + kernel[n:, n:].mean() - 2 * kernel[:n, n:].mean()


# %% [markdown]
# ## What the width does
#
# The points of a grey cloud are fixed: four blobs. Blue points start in one heap beside them and walk down the gradient of the MMD. There is no network and no game.
#
# Beside them, for comparison, the game of [notebook 02](02_adversarial_autoencoders.ipynb): there the blue points walk to where a
# discriminator takes them for grey ones. It has twice as many steps.
#
# **Predict, then run.** Where do the blue points end if the kernel is far narrower than the blobs are apart? And if it is far wider?

# %%
draws = torch.Generator().manual_seed(0)
corners = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
target = corners[torch.arange(300) % 4] + 0.2 * torch.randn(300, 2, generator=draws)  # (N, 2)
heap = torch.tensor([-3.0, 0.0]) + 0.5 * torch.randn(300, 2, generator=draws)  # (N, 2)
ends = {"start": heap}
for name, bandwidths in (("width 0.1", (0.1,)), ("width 10", (10,)), ("widths 0.2, 1 and 5", (0.2, 1, 5))):
    walkers = heap.clone().requires_grad_()
    optimizer = torch.optim.Adam([walkers], lr=0.05, betas=(0.5, 0.99))
    for _ in range(300):
        optimizer.zero_grad()
        squared_mmd(walkers, target, bandwidths).clamp_min(1e-8).sqrt().backward()
        optimizer.step()
    ends[name] = walkers.detach()

# %%
discriminator, walkers = Discriminator((2,), hidden=(64, 64)), heap.clone().requires_grad_()
initialise(discriminator, seed=0)
telling = torch.optim.Adam(discriminator.parameters(), lr=0.01, betas=(0.5, 0.99))
walking = torch.optim.Adam([walkers], lr=0.02, betas=(0.5, 0.99))
for _ in range(600):
    telling.zero_grad()
    (bce(discriminator(target), 1) + bce(discriminator(walkers.detach()), 0)).backward()
    telling.step()
    walking.zero_grad()
    bce(discriminator(walkers), 1).backward()
    walking.step()
ends["a discriminator"] = walkers.detach()

# %%
figure, axes = figures.canvas(5, 5, 1.9, 2.4)
for ax, (name, points) in zip(axes, ends.items(), strict=True):
    ax.plot(*target.T, "o", color=figures.PRIOR_GREYS[-1], markersize=4)
    ax.plot(*points.T, "o", color=figures.BLUE, markersize=2)
    ax.set(title=name, xlim=(-7.5, 2.5), ylim=(-5, 5), aspect="equal", xticks=[], yticks=[])
figures.show(
    figure,
    alt="Five panels with the four grey target blobs. At the start the blue points are a heap beside them. With width 0.1 they have "
    "spread out evenly over a wide field and reach only the two near blobs. With width 10 they form an arrowhead whose tip lies between "
    "the two far blobs. With three widths they cover all four, but for one point left behind. With a discriminator they lie on all "
    "four, most of them on the two near ones.",
)
print(f"{'':20}{'grey reached':>15}{'blue on a blob':>17}{'right of 0':>13}{'mean, std across':>21}")
for name, points in {**ends, "the grey points": target}.items():
    covered = (torch.cdist(target, points).min(dim=1).values < 0.3).float().mean()
    inside = (torch.cdist(points, target).min(dim=1).values < 0.3).float().mean()
    across = points[:, 0]
    print(f"{name:20}{covered:15.0%}{inside:17.0%}{(across > 0).float().mean():13.0%}", end="")
    print(f"{across.mean():14.2f}{across.std():7.2f}")
    assert (covered > 0.9 and inside > 0.9) or name not in ("widths 0.2, 1 and 5", "a discriminator")

# %% [markdown]
# (*Reached* and *on a blob*: within 0.3 of a point of the other colour.) A narrow kernel sees nothing of points that are far away: most blue points only repel each other, and spread out evenly. A wide one sees hardly more than mean and variance: the points take on the target's (across, 0.02 and 1.00 against 0.02 and 0.99), and miss its shape. Several widths together do both, the wide ones from afar and the narrow ones close by. With a discriminator there is no width to choose: in the last panel it has led the points from afar onto the blobs without being told a scale. (All four blobs are reached, but unevenly: 5 % of the points got to the two far ones, where half belong.) One pays with a second network and a game, whose steps have to be chosen in turn.
#
# ## Images: the generative moment matching network
#
# Put a network between noise and points, and let the points be images: the GMMN (Li, Swersky and Zemel 2015). It has one phase. The loss is $\sqrt{\mathrm{MMD}^2}$, whose gradient does not fade as the clouds come near each other; its widths are those of the authors' code.


# %%
class MomentMatching(System):
    """Noise to images, trained on the MMD between a batch of them and a batch of real ones."""

    def __init__(self, image_shape, *, prior, hidden, seed=0):
        super().__init__(image_shape)
        self.prior = prior
        self.generator = Decoder(prior.dim, image_shape, hidden=hidden)  # (B, Z) -> (B, C, H, W)
        initialise(self, seed)

    def moment_matching_loss(self, batch):
        fake = self.generator(self.prior.sample(len(batch), batch.generator))
        return squared_mmd(fake.flatten(1), batch.images.flatten(1), (2, 5, 10, 20, 40, 80)).clamp_min(1e-8).sqrt()

    def phases(self):
        return [Phase("moment matching", self.moment_matching_loss, (self.generator,), Adam(1e-3, beta1=0.5))]


# %%
# NBVAL_CHECK_OUTPUT
few = data.train.images[:300]
ours = MomentMatching(data.image_shape, prior=Uniform(10), hidden=(64, 64))
theirs = GenerativeMomentMatchingNetwork(data.image_shape, prior=Uniform(10), hidden=(64, 64))
exact = dict(epochs=4, batch_size=50, precision="float32", progress=False)
our_losses, their_losses = (fit(s, few, **exact).losses["moment matching"] for s in (ours, theirs))
same = bool((abs(our_losses - their_losses) < 1e-5).all())  # the gradients are added up in another order
assert same
print("same losses:", same)

# %% [markdown]
# The library's class computes distances in float32 even where `fit` lets matrix products be rounded to bfloat16; small differences of large numbers do not survive the rounding. Otherwise this is it. The batches are large: a batch must say what the whole cloud looks like, and the estimate's error falls with its size.

# %%
large = dict(batch_size=settings.large, progress=False)
images = data.train.images
settle = {name: round(0.7 * count) for name, count in settings.epochs.items()}  # smaller steps from there on
gmmn = GenerativeMomentMatchingNetwork(data.image_shape, prior=Uniform(10), hidden=settings.hidden)
steps = {"moment matching": Adam(1e-3, beta1=0.5, drops={settle["gmmn"]: 10})}
histories = {"GMMN": fit(gmmn, images, epochs=settings.epochs["gmmn"], optimizers=steps, **large)}


def floor(points, count=settings.large, times=10):
    """The loss of two disjoint batches of real points (N, D), which a perfect generator would have: mean over ``times``."""
    drawn = points[torch.randperm(len(points), generator=torch.Generator().manual_seed(3))[: 2 * count * times]]
    widths = (2, 5, 10, 20, 40, 80)
    return torch.stack([squared_mmd(*pair.chunk(2), widths).sqrt() for pair in drawn.chunk(times)]).mean()


print(histories["GMMN"])
print(f"the loss of two batches of real images: {floor(as_float(images[:20_000]).flatten(1)):.3f}")

# %% [markdown]
# The loss of 0.149 is half again as large as the 0.098 that two batches of real images score: this estimate of the MMD is never 0 for finite batches, so its [floor](glossary.ipynb#Floor) is not 0 either.
#
# ## Codes: GMMN + AE
#
# Distances between images say little: two sevens by different hands are nearly as far apart as a seven and a one.

# %%
sevens, ones = (as_float(images[data.train.labels == digit][:500]).flatten(1) for digit in (7, 1))
among = torch.cdist(sevens, sevens).sum() / (len(sevens) * (len(sevens) - 1))
print(f"mean distance of two sevens {among:.1f}, of a seven and a one {torch.cdist(sevens, ones).mean():.1f}")

# %% [markdown]
# Distances between an autoencoder's codes may say more (whether matching them gives better samples, the table below tells), and there are fewer dimensions. So train an autoencoder first (here with dropout of input pixels, which is to make its codes smoother), **freeze it**, and match codes: the network learns to draw codes, and the frozen decoder turns them into images.
#
# **Predict, then run.** Which of the two will have the sharper samples?

# %%
autoencoder = Autoencoder(data.image_shape, latent_dim=16, hidden=settings.hidden, input_dropout=0.2)
histories["its autoencoder"] = fit(
    autoencoder, images, epochs=settings.epochs["ae"], batch_size=settings.batch, progress=False
)
print(histories["its autoencoder"])
on_codes = GenerativeMomentMatchingNetwork(
    data.image_shape, prior=Uniform(16), hidden=settings.hidden, autoencoder=autoencoder
)
before = autoencoder.encode(images[:10])
steps = {"moment matching": Adam(1e-3, beta1=0.5, drops={settle["codes"]: 10})}
histories["GMMN + AE"] = fit(on_codes, images, epochs=settings.epochs["codes"], optimizers=steps, **large)
print(histories["GMMN + AE"])
print(f"the loss of two batches of codes of real images: {floor(autoencoder.encode(images[:20_000])):.3f}")
assert torch.equal(before, autoencoder.encode(images[:10])), "nothing moves the autoencoder"

# %% [markdown]
# Here the loss, 0.103, is near its floor of 0.085.
#
# Compare this with the adversarial autoencoder. There, too, a distance between clouds of codes is made small. But in GMMN + AE the codes stay where the autoencoder put them and a new network must imitate them, holes and all. In the AAE the *codes move*, to a prior that one can draw from without any further network, and the decoder moves with them.
#
# ## The two games
#
# The GAN plays its game on images, the AAE on codes. Both have a discriminator in the place of the formula. (The GAN's layers have 256 units, as in notebook 01.) On images that discriminator wins easily; as in notebook 01, noise on what it sees and [batch normalisation](glossary.ipynb#Batch-normalisation) in the generator keep the game open.

# %%
gan = GenerativeAdversarialNetwork(
    data.image_shape, prior=Gaussian(16), hidden=(256, 256), batch_norm=True, discriminator_noise=0.3
)
players = dict.fromkeys(("discriminator", "generator"), Adam(1e-3, beta1=0.5))
histories["GAN"] = fit(
    gan, images, epochs=settings.epochs["gan"], batch_size=settings.batch, optimizers=players, progress=False
)
print(histories["GAN"])

# %%
last = settings.epochs["aae"] - 1
game = Adam(4e-4, beta1=0.5, drops={last: 4})
optimizers = {"reconstruction": Adam(1e-3, drops={last: 10}), "discriminator": game, "generator": game}
aae = AdversarialAutoencoder(
    data.image_shape,
    prior=Gaussian(8),
    hidden=settings.hidden,
    discriminator_hidden=settings.hidden,
    batch_norm=False,
)
histories["AAE"] = fit(
    aae, images, epochs=settings.epochs["aae"], batch_size=settings.batch, optimizers=optimizers, progress=False
)
print(histories["AAE"])

# %% [markdown]
# ## Four models, one table
#
# | | on images | on codes |
# |---|---|---|
# | **a formula** (MMD) | GMMN | GMMN + AE |
# | **a game** (discriminator) | GAN | AAE |
#
# What is alike for the four: the images, the seed (one, 0) and, to a factor of three, the time. What is not:

# %%
print(f"{'':16}{'updates':>9}{'batch':>7}{'images seen':>13}   prior, hidden units of the generator or decoder")
for name, (kind, units) in {
    "GMMN": (gmmn.prior, settings.hidden),
    "its autoencoder": ("none", settings.hidden),
    "GMMN + AE": (on_codes.prior, settings.hidden),
    "GAN": (gan.prior, (256, 256)),
    "AAE": (aae.prior, settings.hidden),
}.items():
    history = histories[name]
    batch = len(images) // history.updates_per_epoch
    print(f"{name:16}{history.update:9,}{batch:7}{history.update * batch:13,}   {kind}, {units}")

# %% [markdown]
# So what follows compares four short trainings, with settings that work for each and of which no search is shown, and not four methods with all else equal. One more seed might turn neighbours in the table round.

# %% tags=["title-figure"]
models = {"GMMN": gmmn, "GMMN + AE": on_codes, "GAN": gan, "AAE": aae}
shown = torch.cat([model.sample(10, seed=1) for model in models.values()])
figures.show(
    figures.show_images(shown, columns=10, rows=list(models), title="Ten draws of each model, none chosen"),
    alt="Four rows of ten generated digits. GMMN: digits with grainy, torn strokes. GMMN + AE: soft strokes, some broken. GAN: "
    "sharp strokes, grainy. AAE: smooth strokes, about half of the digits readable, the others between two digits.",
)

# %% [markdown]
# The GMMN's strokes are hard-edged but torn; GMMN + AE has the decoder's softness, and more whole digits.
#
# Now the same numbers for all four. [Notebook 06](06_likelihood.ipynb) explains them; in short: the *[feature-FID](glossary.ipynb#Feature-FID)* is a distance between features of real test images and of samples (0 is best), [*precision*](glossary.ipynb#Precision-and-recall) the share of samples that lie among real images, *recall* the share of real images that lie among samples, and the [*Parzen*](glossary.ipynb#Parzen-window) log-likelihood (in [nats](glossary.ipynb#Nats), with $\sigma$ from [validation images](glossary.ipynb#Validation-images)) what papers printed when the GMMN and the AAE were new; its ± is the standard error over test images, and says nothing of other seeds. The last row has real images that neither a model nor the judge was trained on. Its FID is not 0, since 1,000 images are few. It is no ceiling: blurred samples can beat real images in precision and in nats.

# %%
judge = train_feature_network(data.train, seed=0)
count, tuning = min(1000, len(data.test)), min(500, len(data.validation) // 3)  # images that FID sees, that choose σ
real = judge.features(data.test.images[:count])


def judged(name, made):
    """Feature-FID, precision, recall, and mean nats with their standard error, printed as a row."""
    features = judge.features(made[:count])
    sigma = sigma_search(made, data.validation.images[-tuning:], [10 ** (-e / 15) for e in range(20, -1, -1)]).sigma
    nats = mean_and_standard_error(parzen_log_likelihood(made, data.test.images[:500], sigma=sigma))
    row = feature_fid(real, features), *precision_recall(real, features), *nats
    print("{:24}{:12.2f}{:11.2f}{:8.2f}{:9.0f} ± {:.0f}".format(name, *row))
    return row


samples = {name: model.sample(10_000, seed=2) for name, model in models.items()}
print(f"{'':24}{'feature-FID':>12}{'precision':>11}{'recall':>8}{'Parzen, nats':>14}")
rows = {name: judged(name, made) for name, made in samples.items()}
rows["real validation images"] = judged("real validation images", data.validation.images[:-tuning])
assert all(rows["real validation images"][0] < rows[name][0] for name in models)

# %% [markdown]
# What to see in it. The formula on images is far behind in every column but precision; on codes it is competitive. Between the other three there is no order: the AAE leads in precision and nats, GMMN + AE in feature-FID, the GAN in recall, and these two are close to each other in both. The numbers do not agree on an order, because each sees something else. The Parzen estimate likes what is smooth and near many images in the sum of squares, more than it likes real images. The features see broken strokes and missing variety. How little one of them says alone, the GMMN shows: its torn strokes have a precision of 0.82, more than the GAN and GMMN + AE, and of this pair of columns only the recall of 0.09 tells on it. (It is also far from trained out: its authors report 147 nats on MNIST. <!-- 147: Li, Swersky & Zemel 2015, Table 1 -->) A model is better when *all* of them say so.
#
# The paper's Section 2.2 argues for codes, and its likelihoods agree, as do our nats (of 500 test images); our other columns do not settle it after so short a training. A GAN imposes the data's distribution at the pixels of the output, directly on images; an AAE relies on the autoencoder to capture the data and uses its game only on codes, which are few and well-behaved. The paper's Table 1 gives 225 nats for the GAN, 282 for GMMN + AE and 340 for the AAE, all after much longer training and with 10,000 samples. <!-- 225, 282, 340: Makhzani et al. 2015, Table 1 --> Our networks are smaller and trained for minutes.
#
# ## After a long run
#
# So much for short trainings. `trained` reads a stored system: a WAE-GAN ([notebook 11](11_wasserstein_autoencoders.ipynb)), which is an adversarial autoencoder whose reconstruction and generator phases are one, with one loss and one optimizer: the half squared error plus a multiple of the generator's loss. Its prior is the AAE's.

# %%
own = data.name != "mnist"
long = aae if own else experiments.trained("wae-gan-8d")
print("last row:", "this notebook's AAE, in place of the stored system" if own else "the stored long run")
if not own:
    run = experiments.records("wae-gan-8d", "../results", profile="long")[0]
    system = run["settings"]["system"]
    print(f"{run['updates']:,} updates ({run['epochs']:.0f} epochs), units {system['hidden']}, {long.prior};", end=" ")
    print(f"loss: half squared error + {system['weight']:g} x the generator's")
shown = torch.cat([model.sample(10, seed=1) for model in (*models.values(), long)])
figures.show(
    figures.show_images(
        shown, columns=10, rows=[*models, "a long run"], title="Ten draws each: four of minutes, and a long run"
    ),
    alt="The four rows of digits once more, and below them a fifth, of the long run: soft strokes like those of the AAE, and more whole digits: about eight of the ten can be read.",
)
rows["a long run"] = judged("a long run", long.sample(10_000, seed=2))

# %% [markdown]
# The long run is ahead of all four in every column, if by little in precision and recall: feature-FID 16.80, precision 0.92, recall 0.70 and 333 ± 9 nats. It had 10,000 updates, where the AAE above had 2,000. But time alone does not do it: three AAEs with a generator phase of their own, trained as long (with other discriminators and steps), had feature-FIDs of 64 ± 42, where three of these have 13.6 ± 0.6 (of 5,000 images; mean ± std over seeds). <!-- 64, 42, 13.6, 0.6, 5,000: README.md, the rows of 8-D -->
#
# ## Did anyone copy?
#
# The distance from a sample to the nearest training image, beside that of test images, which were certainly not copied:

# %%
stored = images.flatten(1).float() / 255
for name, made in {**samples, "test images": data.test.images.float() / 255}.items():
    nearest = torch.cdist(made[:300].flatten(1), stored).min(dim=1).values  # (300,)
    print(f"{name:14} median distance to the nearest of {len(stored):,} training images {nearest.median():.1f}")

# %% [markdown]
# A model that only stored its training images would have a median of 0. (A median says nothing of a few copies among many samples.) To be nearer than test images are is no sign of copying either: a smooth image, such as the AAE's, is near to many, a grainy one (the GMMN's) to none.
#
# ## Play with it
#
# The AAE has what none of the other three has: an encoder that belongs to its prior. Drag through its latent space, here in two dimensions at a time. It opens at $z = 0$, where the picture is a smudge: draws of an eight-dimensional Gaussian lie about $\sqrt 8 \approx 2.8$ <!-- 2.8: the square root of 8 --> from the centre, so the decoder has hardly seen it. Press *Draw z at random* first; the two menus below the pad choose the dimensions to drag.

# %%
explore(aae, data.test.images[:1000], labels=data.test.labels[:1000])

# %% [markdown]
# ## Summary
#
# - MMD is a formula for the difference of two clouds. It needs large batches and kernels of several widths, and no second network.
# - On images its distances say little; on codes of a frozen autoencoder the same formula gave much better samples, in every number but precision.
# - A discriminator is a learnt distance: no widths to choose, and a game to keep in balance.
# - An AAE plays on codes, as GMMN + AE matches codes; but it moves the codes to the prior, and keeps an encoder that fits it. A kin of it, trained for longer, with the game and the reconstruction in one loss, led in all numbers.

# %% [markdown]
# ## Exercises
#
# Exercises A and B are functions to write. Put your lines in the place of `...`, run the cell, and then the cell below it: it says
# whether the function is right or, in a sentence, what is wrong with it. Both need nothing that was computed above.

# %% tags=["exercise"]
import torch

from aae_lib import exercises

# %% [markdown] tags=["exercise"]
# **A** *(medium, code)* `squared_mmd` pairs every point with itself, too; so even two samples of one distribution score above 0. Write the *unbiased* estimate, which leaves these pairs out: of points (N, D) and (M, D), with a Gaussian kernel of a single width. Expected: about 0 on average for two samples of one distribution, and negative for many of them.


# %% tags=["exercise"]
def unbiased_mmd(x, y, width):
    """MMD² of points (N, D) and (M, D), without pairs of a point with itself: a scalar."""

    ### BEGIN SOLUTION
    def kernel(a, b):
        return (-torch.cdist(a, b).square() / (2 * width**2)).exp()

    def within(a):
        return (kernel(a, a).sum() - len(a)) / (len(a) * (len(a) - 1))  # a point's kernel with itself is 1

    return within(x) + within(y) - 2 * kernel(x, y).mean()
    ### END SOLUTION


# %% tags=["exercise"]
exercises.check_unbiased_mmd(unbiased_mmd)

# %% [markdown] tags=["exercise"]
# **B** *(easy, code)* A usual choice for a width is the *median distance* between points. Write it, for points (N, D). Expected: half of all pairs of different points are nearer to each other.


# %% tags=["exercise"]
def median_width(x):
    """The median of the distances between different points of (N, D): a scalar."""
    ### BEGIN SOLUTION
    return torch.pdist(x).median()
    ### END SOLUTION


# %% tags=["exercise"]
exercises.check_median_width(median_width)

# %% [markdown]
# 1. *(easy)* Start the blue points inside one of the four blobs. Which widths spread them over the others?
#    <details><summary>Expected</summary>All of them reach the four blobs from there. But the narrow ones scatter many points between the blobs (about half of them with 0.1), and so do the wide ones, which see no shape; a width near the blobs' distance does well alone.</details>
# 2. *(easy)* Halve the batch size of the GMMN and double it. What happens to the loss of two batches of real images? Which of your GMMNs is the best, and how can you tell?
#    <details><summary>Expected</summary>That loss goes with one over the root of the batch: about 0.14 for 250 images and 0.07 for 1,000. So losses of different batch sizes do not compare; `judged` gives rows that do.</details>
# 3. *(medium)* Train GMMN + AE with a code of 2 dimensions, and plot the codes of images with the codes that it draws (`on_codes.generator` of draws of its prior). You have succeeded when the two clouds look alike; the loss beside `floor` of the codes says it in a number.
# 4. *(medium, open-ended)* Give the GMMN on codes widths that are fractions of the median distance between codes (exercise B). Does it gain? You know when rows of `judged` differ by more than two seeds of one setting do.
# 5. *(hard)* Write an autoencoder whose codes are pulled to the prior by the MMD in place of a discriminator: two losses, one phase. <details><summary>Hint</summary>This is a Wasserstein autoencoder of the MMD kind, which notebook 11 will build.</details>
#    <details><summary>Expected</summary>It hangs on the weight between the losses. With an eight-dimensional Gaussian, half the squared error and four epochs, a weight of 10 gave a feature-FID of about 59 where 0.1 gave 81; the reconstructions were about equally good. <!-- 59, 81, 0.1: runs not shown here --></details>
# 6. *(easy, prediction)* Two clouds of 100 points each; all points of a cloud lie at one place, and the two places are very far apart. What is `squared_mmd` with one width, and with three? And what is its gradient?
#    <details><summary>Expected</summary>1 + 1 − 0 = 2, and 6 with three widths. The gradient is 0: so far away no kernel feels a step.</details>
# 7. *(easy, exploration)* In the widget above, press *Draw z at random* twenty times and count readable digits. Then return to z = 0 and drag. How far from the centre do digits begin?
#    <details><summary>Expected</summary>About half of the draws are readable, as in the figure. At the centre there is a smudge: draws of an eight-dimensional Gaussian lie about √8 ≈ 2.8 from it.</details>
#
# **To read.** Makhzani et al. 2015 ([arXiv 1511.05644](https://arxiv.org/abs/1511.05644)), Sec. 2.2. Li, Swersky & Zemel 2015, *Generative moment matching networks* ([arXiv 1502.02761](https://arxiv.org/abs/1502.02761)). Gretton et al. 2012, *A kernel two-sample test* (JMLR 13).
#
# **Next:** [notebook 05](05_labels_in_the_prior.ipynb) gives the discriminator labels, so that we decide which digit goes where.
