# %% [markdown]
# # 15 · Your own pictures
#
# Every notebook so far came with data for which somebody had already found settings. Yours have none. Here is how to go from a folder of
# pictures to a trained system: what to look at first, what to choose by which curve, and what to turn when it goes wrong.
#
# **You will learn**
# - to load pictures of your own, and what to look for in them before anything is trained;
# - to choose the width of the code by a method that takes a second;
# - to read a training on [hold-out images](glossary.ipynb#Hold-out-images), beside answers that need no training;
# - three cures, each shown on an illness: reconstructions like ghosts, samples like noise, classes that do not part;
# - to keep the system, and to send it to a friend as one web page.
#
# **You need** [notebook 02](02_adversarial_autoencoders.ipynb), and [08](08_semi_supervised.ipynb) for the part on labels. Pictures of your own, at
# least a few hundred, are welcome; without them the notebook takes two photographs that ship inside scikit-learn, and needs no network.
#
# **About 1 minute on a laptop CPU.** Its main figure: [draws of the prior, decoded](#Samples), and the real pictures nearest to some of them.
#
# ![A grid of small coloured squares drawn by the decoder, soft patches in the colours of sky, trees and petals; apart, at the right, the real tile nearest to the last of each row.](figures/15_your_own_pictures.png)

# %%
import numpy as np
import torch
from sklearn.datasets import load_sample_images
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression

from aae_lib import choose, figures, fit, load, restore, save
from aae_lib.evaluation import distance_to_prior, knn_accuracy
from aae_lib.losses import half_squared_error
from aae_lib.pixels import as_float
from aae_lib.priors import Gaussian
from aae_lib.systems import SGD, Adam, AdversarialAutoencoder, SemiSupervisedAdversarialAutoencoder
from aae_lib.training import TrainingDiverged
from aae_lib.widgets import explore, export_page

settings = choose(
    smoke=dict(hidden=(64, 64), updates=40, short=20, labels=10),
    quick=dict(hidden=(256, 256), updates=1500, short=250, labels=50),
    paper=dict(hidden=(1000, 1000), updates=20_000, short=2000, labels=50),
)

# %% [markdown]
# ## One line to change
#
# Two photographs, a temple and a flower, are cut into square tiles that stand side by side, so that no two tiles share a pixel. With a label for the
# photograph that each comes from, they imitate a folder with two classes.


# %%
def tiles(side=16):
    """Tiles of scikit-learn's two photographs, (N, 3, side, side), and for each the number of its photograph (N,)."""
    photographs = torch.from_numpy(np.stack(load_sample_images().images))  # (2, 427, 640, 3): china.jpg, flower.jpg
    cut = photographs.unfold(1, side, side).unfold(2, side, side)  # (2, rows, columns, 3, side, side)
    images = cut.flatten(0, 2)
    return dict(name=images, labels=torch.arange(2).repeat_interleave(len(images) // 2))


# %% [markdown]
# **This is the line to change.** Put the path of a folder there, `pictures = "path/to/folder"`, in which sub-folders are classes if there are any. Or a
# torchvision dataset, or a list of pictures or of pairs (picture, label). What `load` takes besides goes into a dictionary:
# `pictures = dict(name="path/to/folder", image_size=32)`. Nothing else in this notebook has to be edited; but what the text says of numbers and
# pictures is true of the tiles.

# %%
pictures = tiles()

# %%
data = load(**pictures) if isinstance(pictures, dict) else load(pictures)
some = data.validation.take(torch.arange(min(500, len(data.validation))))  # what everything here is measured on
training = dict(validation=data.validation, batch_size=min(100, len(data.train)))
counts = torch.bincount(data.train.labels) if data.classes else torch.tensor([])  # (K,)
several = len(counts) > 1 and bool((counts > 0).all())  # classes to tell apart
print(f"{settings.profile}: {data.train}; {len(data.validation):,} for validation, {len(data.test):,} for testing")
print(f"classes: {dict(zip(data.classes, counts.tolist(), strict=False)) if data.classes else 'none'}")

# %% [markdown]
# How large should pictures be? Work grows with the number of pixels, of which 64x64 has sixteen times as many as these tiles, so begin with
# `image_size=32`. `fit` says so where a training will take more than five minutes. How many? A few hundred are a beginning; with fewer a network
# soon knows them by heart.
#
# ## Look first
#
# No measure replaces a look. Are they upright, of one kind, cut as you meant it? Is there a frame, a caption, a broken one?

# %%
figures.show(
    figures.show_images(data.train.images[:96], columns=16, title="The first pictures of the training split"),
    alt="Rows of small square tiles of two photographs: pale sky, black and green trees, red beams and grey roofs; dark green, and orange petals.",
)

# %% [markdown]
# The second look is for *twins*. A picture that is there twice, or two from one burst of a camera, may be divided between training and
# validation, and then the hold-out images only test the memory. Exact copies are easy to find:


# %%
def nearest(images, known):
    """For each of images (N, C, H, W) the distance to the nearest of ``known`` (M, C, H, W): (N,), root mean square a pixel."""
    apart = torch.cdist(as_float(images).flatten(1), as_float(known).flatten(1)).min(dim=1).values
    return apart / images[0].numel() ** 0.5


known = data.train.images[:2000]
apart = nearest(some.images, known)
pairs = torch.cdist(as_float(some.images).flatten(1), as_float(known).flatten(1)) / known[0].numel() ** 0.5  # (N, M)
print(
    f"{int((apart < 0.002).sum())} of {len(some)} validation images have a twin among {len(known):,} training images;"
)
print(f"on average the nearest is {apart.mean():.3f} away, where two by chance are {pairs.mean():.3f} apart")

# %% [markdown]
# Look-alikes that are no copies are for you to know: the same person, the same scene. Then whole groups must be held out (exercise A), with an `.npz` file
# that has a `split`. Our tiles are not quite innocent either: a tile of sky has a neighbour of the same sky, so these hold-out errors are those of
# *more of the same photographs*, not of other photographs.
#
# ## How long a code?
#
# An autoencoder's rival in compression is *principal component analysis* (PCA): the best *linear* code. It is computed in a second and
# gives an error for every length at once. The [reconstruction loss](glossary.ipynb#Reconstruction-loss) is half the squared error summed over pixels (here always of pixels in $[0, 1]$).
#
# > **Predict, then run.** A tile has $3 \cdot 16 \cdot 16$ numbers. How many does PCA need until a twentieth of the mean image's error is left?

# %%
flat, new = (as_float(images).flatten(1).numpy() for images in (known, some.images))  # (N, P), (M, P)
pca = PCA(min(64, *flat.shape), random_state=0).fit(flat)
gained = 0.5 * np.square(pca.transform(new)).mean(axis=0)  # (64,): what each component takes away from the error
mean_image = 0.5 * np.square(new - pca.mean_).sum(axis=1).mean()
errors = (mean_image - np.concatenate([[0], gained.cumsum()])).clip(0)  # (65,): with 0, 1, … components
lengths = [length for length in (2, 4, 8, 16) if length < len(errors)]
dim = next((length for length in lengths if errors[length] <= 0.05 * mean_image), lengths[-1])
for length in (length for length in (0, 1, 2, 4, 8, 16, 32, 64) if length < len(errors)):
    print(f"{length:2} components: {errors[length]:6.2f}, {errors[length] / mean_image:6.1%} of the mean image's"
          f"{' <- chosen' if length == dim else ''}")  # fmt: skip

# %%
figure, (ax,) = figures.canvas(1, 1, 6.5, 3.2)
ax.plot(errors / mean_image, color=figures.BLUE)
ax.axhline(0.05, color=figures.INK, linestyle=":", linewidth=1)
ax.plot(dim, errors[dim] / mean_image, "o", color=figures.ROSE)
ax.set(
    xlabel="numbers in the code", ylabel="share of the mean image's error", yscale="log", title="PCA on hold-out images"
)
figures.show(
    figure,
    alt="The hold-out error of PCA, as a share of the mean image's, against the number of components, on a logarithmic axis: it falls "
    "steeply over the first two and slowly after that. A dot marks the chosen length, the first below the dotted line of a twentieth.",
)

# %% [markdown]
# Two numbers do most of the work: for so small a tile nearly everything is its mean colour. After that every doubling buys less. The rule here: **the
# shortest of 2, 4, 8 and 16 that leaves a twentieth; else 16.** It is a rule of thumb, and there are two sides to it: a longer code
# reconstructs better, but the game has to fill all its dimensions, and a few hundred pictures fill sixteen dimensions thinly. Begin short.
#
# ## Train
#
# The settings, each with its reason. Steps and normalisation are the library's defaults, chosen on other images than these tiles;
# [docs/defaults.md](../docs/defaults.md) says on which, and where they fall short.
#
# - `output="auto"` looks at the training pixels: for ink on paper the decoder ends in a sigmoid; for photographs it learns pixels of mean 0 and standard
#   deviation 1, so that a dim corner counts as much as a bright one.
# - `batch_norm="codes"`: [batch normalisation](glossary.ipynb#Batch-normalisation) of all layers up to the code, which so begins with about the prior's mean and width.
#   Pictures of many pixels otherwise throw codes far out, where no draw of the prior is.
# - Adam with a large step for the reconstruction and a smaller one for both players of the game.
# - `discriminator_noise`: a little noise on what the discriminator sees, for with few images it might learn their codes by heart.
# - `validation=data.validation`: the losses of hold-out images beside the training's.


# %%
def build(dim, batch_norm="codes"):
    return AdversarialAutoencoder(
        data.image_shape,
        prior=Gaussian(dim),
        hidden=settings.hidden,
        discriminator_hidden=settings.hidden,
        output="auto",
        batch_norm=batch_norm,
        discriminator_noise=0.3,
        seed=0,
    )


def steps(reconstruction=1e-3, discriminator=2e-4, generator=2e-4):
    return {
        "reconstruction": Adam(reconstruction),
        "discriminator": Adam(discriminator, beta1=0.5),
        "generator": Adam(generator, beta1=0.5),
    }


# %% [markdown]
# > **Predict, then run.** Below or above PCA's error with as many numbers: where will the hold-out images end?

# %%
system = build(dim)
history = fit(system, data.train, updates=settings.updates, optimizers=steps(), **training)
print(history.health())

# %%
figures.show(
    figures.training_curves(history),
    alt="Left: the reconstruction losses of training and hold-out images fall together, steeply at first, far below the mean image's. Right: the "
    "discriminator's loss stays below the dotted line of guessing, the generator's above its own; those of hold-out images run somewhat outside.",
)

# %% [markdown]
# Some 20 seconds on one core, and a reconstruction loss of hold-out images near 24. How to read the curves:
#
# - The reconstruction is in the units that the networks see, so for photographs it is larger than above. Both curves should fall; where the dashed one, of
#   hold-out images, turns upwards, learning by heart has begun. More pictures help, or `input_noise`, or an earlier end.
# - The game would rest at guessing, $2 \ln 2$ and $\ln 2$. Here the discriminator stays below: it finds something in the codes that the prior has not. It has not
#   won, either; then its loss would be near 0. On hold-out images both players work without the noise of training, and the dashed lines lie mostly farther from guessing.
#   A discriminator that is *worse* on them than in training knows its codes by heart.
# - `health()` compares with simple answers and ends each complaint in what to do next. It says "healthy" where it finds nothing, which is no promise.
#
# ## Measure
#
# Now the same in one table, on hold-out images: the [mean image](glossary.ipynb#Mean-image), PCA with as many numbers, and ours. And is $q(z)$ the prior? The distance beside
# its [floor](glossary.ipynb#Floor), what as many draws of the prior score against each other.


# %%
def error_of(system):
    """Half the squared error of hold-out images, pixels in [0, 1], summed over pixels."""
    return float(half_squared_error(system.reconstruct(some.images), as_float(some.images)))


def report(name, system):
    """A row: the hold-out error, also as a share of PCA's, and the distance of q(z) to the prior, also in floors."""
    distance = distance_to_prior(system.encode(some.images), system.prior)
    far, floor = distance.sliced_wasserstein, distance.sliced_wasserstein_floor
    print(f"{name:30} error {error_of(system):6.2f} ({error_of(system) / errors[dim]:4.2f} of PCA's)"
          f"   distance {far:5.2f} ({far / floor:4.1f} floors)")  # fmt: skip


print(f"mean image: error {mean_image:.2f}; PCA with {dim} numbers: {errors[dim]:.2f}")
report("adversarial autoencoder", system)
linear = [
    torch.tensor(pca.transform(x)[:, :dim] / pca.transform(flat)[:, :dim].std(axis=0)).float() for x in (flat, new)
]
other = distance_to_prior(linear[1], system.prior)
print(
    f"PCA's codes, each of spread 1: distance {other.sliced_wasserstein:.2f} ({other.sliced_wasserstein / other.sliced_wasserstein_floor:.1f} floors)"
)

# %%
figures.show(
    figures.reconstructions(system, some.images[:12]),
    alt="Twelve hold-out tiles above their reconstructions: colours and large shapes are right, fine texture is gone.",
)

# %% [markdown]
# (The title's error is of these twelve alone.) The colours are right, and the texture is gone: so few numbers cannot hold it, PCA's neither. PCA remains ahead, though it only has straight lines. This is no
# failure: it is *the* linear code of least error, on pictures of which nearly all is a mean colour, and it has no prior to serve. Where pictures have more that bends, an
# autoencoder may overtake it: in [docs/defaults.md](../docs/defaults.md) it does on digits and on clothes, and not on photographs of faces. The other column is not ours alone: PCA's codes, each scaled to a spread of 1, come a little nearer to the prior.
#
# ## Samples
#
# Draws of the prior, decoded. Apart stands, for the last of each row, the nearest training picture: a copy would have been learnt by heart.

# %% tags=["title-figure"]
figures.show(
    figures.samples_with_neighbours(system.sample(60, seed=1), known, columns=12),
    alt="Sixty decoded draws of the prior: soft, slightly grainy patches in the colours of the photographs, some with shadings. "
    "Apart, the nearest real tile of each row's last sample has like colours and more texture.",
)

# %%
spread = as_float(some.images).flatten(1).std(dim=1)  # (N,), of all numbers of an image
first = some.images[spread.argmax()]
second = some.images[(as_float(some.images) - as_float(first)).square().flatten(1).sum(dim=1).argmax()]
figures.show(
    figures.interpolation(system, first, second, steps=12),
    alt="Twelve tiles decoded along the line from the code of a red hold-out tile to that of the tile most unlike it, a white one: colours change step by step.",
)

# %% [markdown]
# ## Play
#
# Drag the ring; choose two pictures, A and B, and play one into the other. The menus choose which two numbers the square moves.
#
# > **Predict, then drag.** Which number will hold the brightness? Is there one for the direction of an edge? (Exercise 2 has the answer.)

# %%
explore(system, some.images, labels=some.labels, names=data.classes)

# %% [markdown]
# ## When it is ghosts
#
# A common illness: reconstructions that all look alike, blurred. Here it is brought about, a short code, small steps and no normalisation, and then
# cured one step at a time. All lines but the last have equally many updates, and *PCA's* error is everywhere that of the chosen length.


# %%
def attempt(name, dim=dim, batch_norm="codes", **sizes):
    each = build(dim, batch_norm)
    fit(each, data.train, updates=settings.short, optimizers=steps(**sizes), **training, progress=False)
    report(name, each)
    return each


trials = [
    attempt("2 numbers, small steps", dim=2, batch_norm=False, reconstruction=1e-4),
    attempt("larger steps", dim=2, batch_norm=False),
    attempt("more numbers, too", batch_norm=False),
    attempt("batch norm, too"),
]
report(f"{settings.updates / settings.short:.0f} times as long, too", system)

# %%
rows = [as_float(some.images[:12]), *[each.reconstruct(some.images[:12]) for each in (*trials, system)]]
names = ("original", "small steps", "larger steps", "more numbers", "batch norm", "longer")
figures.show(
    figures.show_images(torch.cat(rows), len(rows[0]), rows=names),
    alt="Rows of twelve tiles: the originals, then reconstructions of one training after another. The first are all the same grey, three of them with coloured noise; "
    "then light and dark come back, then colours and shades.",
)

# %% [markdown]
# From the top: with small steps the decoder answers every tile with the same grey, or with noise on it, and the error is nearly the mean image's. Larger steps take away most of it, first of all by
# light and dark; more numbers and batch norm bring colours and shades, and patience a little more of each. Look at the last column, too: with larger steps and
# without normalisation the codes have run away from the prior.
#
# With your pictures the order may be another. So turn **one thing at a time**, with equally many updates, and believe the hold-out error, not the eye. Where all
# of it does not help, compare with PCA: if that is blurred as well, the code is too short for what your pictures show.
#
# ## When samples are noise
#
# Reconstructions are fine and samples are not: then $q(z)$ is not the prior, and the decoder is asked where it has never been. Brought about by a game with steps
# a hundred times smaller, and without normalised codes. Beside it stand both cures, each alone and together, all equally long.

# %%
weak = dict(discriminator=2e-6, generator=2e-6)
cures = {
    "hardly any game": attempt("hardly any game", batch_norm=False, **weak),
    "the game": trials[2],
    "normalised": attempt("normalised, hardly any game", **weak),
    "both": trials[3],
}
for name in ("the game", "both"):
    report(name, cures[name])
draws = torch.cat([each.sample(12, seed=1) for each in cures.values()])
figures.show(
    figures.show_images(draws, 12, "The same twelve draws, decoded", rows=list(cures)),
    alt="Four rows of twelve decoded draws of the prior. Hardly any game: coloured noise. With the game: dull grey squares. Normalised, and both: grainy squares "
    "in the photographs' colours, some with shades.",
)

# %% [markdown]
# Hardly any game: tiles are reconstructed tolerably, but draws of the prior decode to coloured noise, for the codes are elsewhere. The game alone is no cure here: the codes are even
# farther off, and the reconstruction has suffered. Normalised codes begin near the prior, and by the distance that is most of the cure; with the game they come nearer still, and the
# colours are no longer too loud. (It needs longer: the last line of the first table.) So with noise: look at the distance first; then normalise, then make the game's steps larger, then (not tried here) the code shorter.
#
# ## When classes do not part
#
# With labels, pictures can be classified. First the code that never saw one: do hold-out codes of one class lie together? Then a
# classifier from few labels and all pictures ([semi-supervised](glossary.ipynb#Semi-supervised)), beside logistic regression on the pixels of the *same* labelled ones, which is the least to beat.

# %%
if several:
    accuracy = knn_accuracy(system.encode(known), data.train.labels[:2000], system.encode(some.images), some.labels)
    by_pixels = knn_accuracy(torch.tensor(flat), data.train.labels[:2000], torch.tensor(new), some.labels)
    by_line = knn_accuracy(linear[0], data.train.labels[:2000], linear[1], some.labels)
    each_class = min(settings.labels, int(counts.min()))  # labels that may be seen
    labelled = data.train.balanced_subset(each_class * len(counts))
    simple = LogisticRegression(max_iter=1000).fit(
        as_float(data.train.images[labelled]).flatten(1).numpy(), data.train.labels[labelled].numpy()
    )
    often = float((some.labels == counts.argmax()).float().mean())
    print(f"always the most frequent class: wrong on {1 - often:.1%} of {len(some)} hold-out images")
    print(
        f"five nearest codes, all labels: wrong on {1 - accuracy:.1%}; of PCA's: {1 - by_line:.1%}; images: {1 - by_pixels:.1%}"
    )
    print(f"logistic regression, {len(labelled)} labels: wrong on {1 - simple.score(new, some.labels.numpy()):.1%}")
else:
    print("These pictures have no classes: this part has nothing to do.")


# %%
def classifier(name, labelled, optimizers, initial_std=None):
    each = SemiSupervisedAdversarialAutoencoder(
        data.image_shape, classes=len(counts), prior=Gaussian(dim), hidden=settings.hidden, discriminator_hidden=settings.hidden,
        output="auto", batch_norm=False, input_noise=0.3, initial_std=initial_std, seed=0,
    )  # fmt: skip
    how = dict(labelled=labelled, updates=settings.short, optimizers=optimizers, progress=False, **training)
    try:
        loss = fit(each, data.train, **how).latest()["classification"]
        wrong = float((each.classify(some.images) != some.labels).float().mean())
        print(f"{name:22} wrong on {wrong:5.1%}; loss of labelled ones {loss:.2f} (guessing {np.log(len(counts)):.2f})")
    except TrainingDiverged as error:
        print(f"{name:22} {error}")


def adams(reconstruction, game):
    each, calm = Adam(reconstruction), Adam(game, beta1=0.5)
    return {"reconstruction": each, "discriminators": calm, "generators": calm, "classification": each}


game = SGD(0.1, momentum=0.1)
papers = {"reconstruction": SGD(0.01, momentum=0.9), "discriminators": game, "generators": game}
papers["classification"] = SGD(0.1, momentum=0.9)
if several:
    classifier("the paper's SGD", labelled, papers, initial_std=0.01)
    classifier("Adam, tiny steps", labelled, adams(1e-6, 1e-6))
    classifier("Adam", labelled, adams(5e-4, 2e-4))
    fewer = data.train.balanced_subset(max(1, each_class // 10) * len(counts))
    classifier("a tenth of the labels", fewer, adams(5e-4, 2e-4))

# %% [markdown]
# The codes, which saw no label, part the photographs better than the pixels do, where both are asked in the same way. (PCA's short codes do, too, not quite as well. Logistic regression has few of the labels: it belongs beside
# the classifiers.)
#
# Of the classifiers the paper's steps end in a sentence instead of a number: on photographs the reconstruction loss is so large that SGD overshoots, until nothing is a number any more. Adam's steps
# do not grow with the loss. If they are tiny, the loss of labelled images is still more than half of what guessing costs; if they fit, the classifier is wrong about half as often as logistic
# regression or less. With a tenth of the labels it learns these by heart as well, and is wrong more than twice as often. (One seed each. What the pictures without labels add
# is [notebook 08](08_semi_supervised.ipynb)'s question.)
#
# So with classes that do not part, look at the loss of the labelled images first. Is it near guessing? Larger steps, or longer. Is it near 0, and hold-out images are still wrong? More labels, or perhaps more noise.
#
# ## Keep it, and send it
#
# `save` writes the weights and the settings; `restore` needs nothing but that file. And `export_page` writes one web page with the decoder inside, which a friend opens
# from disk: no server, no Python. It wants linear layers (`body="mlp"`) and at most eight million weights; two layers of 256 units reach that at
# some 100x100 pixels in colour. **Real pictures go into the page only where you give it `images`**, for whoever gets it to see. But a decoder that has
# learnt pictures by heart can draw them, too.

# %%
save(system, "../runs/your_own_pictures.safetensors")
again = restore("../runs/your_own_pictures.safetensors")
print("same codes after restoring:", torch.equal(again.encode(some.images), system.encode(some.images)))
page = export_page(system, "../runs/mine.html", title="My pictures")
print(f"{page}: {page.stat().st_size / 1e6:.1f} MB")

# %% [markdown]
# At the very end, once, the test images, which no choice above has seen:

# %%
test_error = float(half_squared_error(system.reconstruct(data.test.images), as_float(data.test.images)))
off = pca.transform(as_float(data.test.images).flatten(1).numpy())[:, :dim]  # (N, dim)
left = as_float(data.test.images).flatten(1).numpy() - pca.mean_ - off @ pca.components_[:dim]  # (N, P)
print(f"error on {len(data.test):,} test images: {test_error:.2f} (on hold-out images {error_of(system):.2f})")
print(f"PCA's, of as many numbers: {0.5 * np.square(left).sum(axis=1).mean():.2f} ({errors[dim]:.2f})")

# %% [markdown]
# The test images come out worse, and PCA's error rises as much: these tiles are the harder ones. With two hundred images an error is that uncertain.
#
# ## Summary
#
# - One line loads a folder. Look at it before training; twins across splits make every hold-out number a lie.
# - PCA's curve on hold-out images says how long a code should be, in a second, and gives the number to beat.
# - A hold-out error means something beside the mean image's and PCA's; a distance beside its floor; a share of errors beside logistic regression's.
# - Ghosts: more numbers, larger steps, batch norm, longer. Noise: normalised codes, then the game. Classes: Adam, and labels enough.
# - Choices were made on validation images, and the test images were used once.

# %% [markdown]
# ## Exercises
#
# Exercises A and B are functions to write. Put your lines in the place of `...`, run the cell, and then the cell below it. Both need nothing that was computed above.

# %% tags=["exercise"]
import torch

from aae_lib import exercises

# %% [markdown] tags=["exercise"]
# **A** *(medium, code)* Pictures of one person, or of one afternoon, are look-alikes. `groups` (N,) has for each picture the number of its group; the numbers
# are any whole ones, with gaps. Hold out `count` whole groups, drawn at random: True for all pictures of these, False for all others.
# Expected: in each group all are True or all are False, and `count` groups are True, whatever the sizes of groups.


# %% tags=["exercise"]
def hold_out(groups, count, generator):
    """Which of the pictures with ``groups`` (N,) belong to ``count`` groups drawn by ``generator``: bool (N,)."""
    ### BEGIN SOLUTION
    numbers = groups.unique()  # (G,)
    drawn = numbers[torch.randperm(len(numbers), generator=generator)[:count]]  # (count,)
    return torch.isin(groups, drawn)
    ### END SOLUTION


# %% tags=["exercise"]
exercises.check_hold_out(hold_out)

# %% [markdown] tags=["exercise"]
# **B** *(medium, code)* PCA's curve without scikit-learn. Learn from the rows of `known` (N, P), and give the hold-out error for 0, 1, …, `most` components:
# half the squared error, summed over pixels, mean over the rows of `held_out` (M, P). Expected: it falls from the mean image's error on, and never rises.
# <details><summary>Hint</summary>The rows of the last matrix that <code>torch.linalg.svd</code> returns for the centred images are the components, the longest first.</details>


# %% tags=["exercise"]
def pca_errors(known, held_out, most):
    """Half the squared error of ``held_out`` (M, P) with 0 to ``most`` components learnt from ``known`` (N, P): (most + 1,)."""
    ### BEGIN SOLUTION
    mean = known.mean(dim=0)
    axes = torch.linalg.svd(known - mean, full_matrices=False)[2][:most]  # (most, P)
    off = held_out - mean  # (M, P)
    gained = (off @ axes.T).square().mean(dim=0)  # (most,)
    return 0.5 * (off.square().sum(dim=1).mean() - torch.cat([gained.new_zeros(1), gained.cumsum(dim=0)]))
    ### END SOLUTION


# %% tags=["exercise"]
exercises.check_pca_errors(pca_errors)

# %% [markdown]
# 1. *(easy, prediction)* Take `tiles(8)`: four times as many tiles, a quarter of the pixels each. Before you run it: will PCA need more numbers or fewer for the same share? And will
#    classes part better or worse?
#    <details><summary>Expected</summary>Fewer, five instead of seven, though the rule takes eight both times. By the five nearest images classes part hardly worse: 11.8 % instead of 11.5 % are wrong.</details>
# 2. *(easy, exploration)* In the widget, move one slider at a time from end to end, and write down for each what it changes. Then find, in the square of the first
#    two, the direction in which brightness changes most, and the one in which it hardly changes.
#    <details><summary>Expected</summary>A round prior prefers no direction: hardly any slider changes one thing alone, and both directions are as a rule slanted.</details>
# 3. *(medium)* Give `build` the argument `body="convolutional"` (and leave `hidden` out). Compare errors after equally many updates, and after equally many seconds.
#    <details><summary>Expected</summary>On a CPU an update takes several times as long, so the two comparisons need not agree; say which one your use asks for.</details>
# 4. *(medium)* Train on 200 pictures only: `data.train.take(torch.arange(200))`. At which update does the hold-out curve turn? Then again with `input_noise=0.1`.
#    <details><summary>Hint</summary><code>history.validation_updates[history.validation_losses["reconstruction"].argmin()]</code></details>
#    <details><summary>Expected</summary>The training's loss falls to about a quarter of the hold-out loss, which turns late, after some 1,200 updates, and by little; with all pictures it does not turn.</details>
# 5. *(hard, open-ended)* Your own folder. Write half a page: what you looked at, which length PCA gave, the four numbers of the table, which illness it had, and what
#    cured it, each with the hold-out number before and after. Send the page to somebody who does not know the pictures, and ask what they are of. You have succeeded if every
#    cure has lowered a hold-out number, and your reader names what the pictures show.
#
# ## What to read
#
# - A. Makhzani et al.: *Adversarial Autoencoders*, 2015, [arXiv 1511.05644](https://arxiv.org/abs/1511.05644), Sections 2 and 5.
# - S. Ioffe & C. Szegedy: *Batch Normalization*, 2015, [arXiv 1502.03167](https://arxiv.org/abs/1502.03167).
# - S. Kapoor & A. Narayanan: *Leakage and the Reproducibility Crisis in Machine-Learning-Based Science*, Patterns 4 (2023): what twins across splits have done elsewhere.
#
# **Next:** your own question. [00 Start here](00_start_here.ipynb) has the map of the course. **Before:** [14 Results](14_results.ipynb).
