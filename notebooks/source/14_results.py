# %% [markdown]
# # 14 · Results: every number, and how to read it
#
# Three papers, and a course that has rebuilt their models one by one. How near did it come? Here every number that the papers print
# stands beside ours: what was reached, what was not, what was never run. Most of the work is in reading such a table: one number
# hides a seed, a test set and the choices on the way to it.
#
# **You will learn**
# - what a single number may hide, and how far the best of ten lies from the truth;
# - to read the record of a run, and a rule for "reached" that is fixed before one looks;
# - which of the papers' numbers stand, which do not, and why, as far as the log of trials can say;
# - how errors fall over training, and why a straight line in a figure is no promise;
# - today's measures of samples, taken of all stored systems on the same test images, with their floors and their own spread;
# - what the field did next with codes that a game regularises.
#
# **You need** notebooks [06](06_likelihood.ipynb) (feature-FID, precision and recall), [08](08_semi_supervised.ipynb) and
# [09](09_clustering.ipynb) (the tables), [11](11_wasserstein_autoencoders.ipynb) to [13](13_style_alae.ipynb) (the stored systems).
#
# **About 1½ minutes on a laptop CPU.** Only one small classifier is trained. Its main figure: [our seeds beside the
# paper's numbers](#Seeds-beside-the-paper).
#
# ![A row for each error that the adversarial autoencoder's paper prints: its number as a diamond in a grey band, and our seeds as dots, on a logarithmic axis.](figures/14_results.png)

# %%
from collections import Counter
from pathlib import Path

import numpy as np
import torch
from IPython.display import Markdown, display
from matplotlib.ticker import LogLocator, NullLocator
from scipy.stats import t as student
from sklearn.mixture import GaussianMixture

from aae_lib import choose, figures, load
from aae_lib.evaluation import feature_fid, precision_recall, train_feature_network
from aae_lib.experiments import comparisons, records, report, trained
from aae_lib.experiments.papers import MILESTONES, SOURCES

settings = choose(
    smoke=dict(data="digits", labs=2_000, count=500, draws=2),
    quick=dict(data="mnist", labs=20_000, count=5_000, draws=3),
    paper=dict(data="mnist", labs=20_000, count=5_000, draws=10),
)  # fmt: skip
RESULTS = Path("../results")
data = load(settings.data, fallback="digits")
rows = comparisons(RESULTS)  # one for each printed number, with the runs beside it, if any
print(f"{settings.profile}: {data.name}; {len(records(results=RESULTS))} runs, {len(rows)} printed numbers")

# %% [markdown]
# ## A toy: what a number hides
#
# Suppose that a method's true error, over all images there could be, is 2.0 % on average, but depends on the seed: with a standard
# deviation of 0.2. And that it is measured on 10,000 test images, which adds luck of its own: of 10,000 images with a chance of 2 %
# each, 200 ± 14 are wrong. Many laboratories train it and report: one with the first seed, one with the mean of three, one with the
# best of ten.
#
# > **Predict, then run.** All of them have the same method. By how much is the best of ten better than the truth?

# %%
generator = np.random.default_rng(0)


def tested(true_errors, images=10_000):
    """The errors in % that a test set of so many images shows of true errors in %."""
    return 100 * generator.binomial(images, true_errors / 100) / images


ten = tested(generator.normal(2.0, 0.2, (settings.labs, 10)))  # (laboratories, seeds)
reports = {"first seed": ten[:, 0], "mean of three": ten[:, :3].mean(axis=1), "best of ten": ten.min(axis=1)}
for name, numbers in reports.items():
    print(f"{name:14} {numbers.mean():.2f} on average, between {np.quantile(numbers, 0.05):.2f} and "
          f"{np.quantile(numbers, 0.95):.2f} in nine laboratories of ten")  # fmt: skip
assert abs(reports["mean of three"].mean() - 2.0) < 0.02 and 1.55 < reports["best of ten"].mean() < 1.70

# %% [markdown]
# The best of ten is 0.4 points better than the method is: enough to "beat" a table. Nothing was made up; only nine numbers were left
# out. A second way to the same mistake needs one seed only: try twenty *settings*, equally good in truth, and pick by the very images
# that the error is reported of.

# %%
true = generator.normal(2.0, 0.2, (settings.labs, 20))  # (laboratories, settings)
validation, test = tested(true), tested(true)
picked = np.arange(len(true)), validation.argmin(axis=1)
chosen = {"on the images that chose it": validation[picked], "on other images": test[picked], "in truth": true[picked]}
for name, numbers in chosen.items():
    print(f"error of the chosen setting, {name:28} {numbers.mean():.2f}")
shown, honest, in_truth = (numbers.mean() for numbers in chosen.values())
assert shown < in_truth - 0.1 and abs(honest - in_truth) < 0.02

# %%
panels = {"three ways to report": reports, "one of twenty settings": chosen}
figure, axes = figures.canvas(2, 2, 4.4, 2.9)
for ax, (title, each) in zip(axes, panels.items(), strict=True):
    for (name, numbers), colour in zip(each.items(), (figures.BLUE, figures.INK, figures.ROSE), strict=True):
        ax.hist(numbers, np.arange(1, 3, 0.04), histtype="step", linewidth=1.8, color=colour, label=name)
    ax.axvline(2.0, color=figures.INK, linestyle=":")
    ax.set(title=title, xlabel="error, %", yticks=[], xlim=(1, 3))
    ax.legend(frameon=False, fontsize="small")
figures.show(
    figure,
    alt="Two panels of histograms of errors around a true mean of 2 percent. Left: first seeds spread widely, means of three narrowly, and "
    "the best of ten lie well below. Right: a setting chosen among twenty looks better on the images that chose it than on others or in truth.",
)

# %% [markdown]
# To choose is fine: the chosen setting is in truth better than 2.0 (some of the twenty were). But only *other* images tell by how
# much. So this course chooses on validation images and reports test images, and where it did not, the table says so (`chosen on`).
#
# And the ± itself? From three seeds it is a rough guess: the standard deviation of three draws is far too small as easily as not.

# %%
spreads = {n: ten[:, :n].std(axis=1, ddof=1) for n in (2, 3, 10)}
for n, found in spreads.items():
    low, high = np.quantile(found, (0.05, 0.95))
    print(f"± from {n:2} seeds: between {low:.2f} and {high:.2f} in nine laboratories of ten (truth: {ten.std():.2f})")
assert np.quantile(spreads[3], 0.95) > 3 * np.quantile(spreads[3], 0.05)

# %% [markdown]
# ## A record
#
# Every long run has left a file, its record. This is one; the same questions should be put to any number in any paper.

# %%
record = records("semi-supervised-100", RESULTS, profile="long")[0]
asked = {
    "What was it?": record["question"],
    "On which data, with how many labels?": f"{record['settings']['dataset']}, {record['settings']['labelled']}",
    "How wide were the networks?": record["settings"]["system"]["hidden"],
    "For how long?": f"{record['updates']:,} updates, {record['epochs']:.0f} epochs, {record['seconds'] / 60:.0f} minutes",
    "On what?": f"{record['device']}, PyTorch {record['versions']['torch']}",
    "With which seed?": record["seed"],
    "By which images were its settings chosen?": record["settings"]["chosen_on"],
    "And what came out, there and on test images?": [
        f"{record['metrics'][split]['error']:.2%}" for split in ("validation", "test")
    ],
    "By which code?": record["commits"][0][:10],
}  # fmt: skip
for question, answer in asked.items():
    print(f"{question:46} {answer}")

# %% [markdown]
# With the seed, the code and the settings, `python -m aae_lib.experiments repeat` makes the run again from this file alone.
#
# ## A rule, stated before looking
#
# When is a printed number *reached*? There is no right answer, only answers that are fixed in advance. Ours: **the mean over our
# seeds is better than the printed number, or within its printed ±.** Here it is, and the proof that the tables below are made by it:


# %%
def is_reached(ours, printed, spread, higher):
    """``ours``: one value a seed; ``higher``: whether more is better."""
    return np.mean(ours) >= printed - spread if higher else np.mean(ours) <= printed + spread


# %%
# NBVAL_CHECK_OUTPUT
judged = [row for row in rows if row.same_data]
same = all(
    row.reached == is_reached(row.values, row.number.value, row.number.spread, row.number.higher) for row in judged
)
assert same and judged
print("same verdicts:", same)

# %% [markdown]
# Its weak sides: it is lenient where the paper's own ± is wide (30 clusters: 4.10 ± 1.13), and strict where none is printed; it does not
# ask how *our* seeds spread; and a mean of one seed may pass it by luck. [Below](#How-sure-is-a-mean?) we ask that too.
#
# ## The adversarial autoencoder's numbers
#
# > **Predict, then run.** You have trained all of these models yourself. Which of the paper's numbers will have been reached on a CPU:
# > likelihood, labels, clusters, maps?

# %%
display(Markdown(report.tables(RESULTS)["paper"]))
verdicts = [row for row in rows if row.number.method == "AAE"]
count = Counter(row.verdict.partition(",")[0] for row in verdicts)  # "no, by 15" counts as "no"
print(f"{len(verdicts)} numbers:", ", ".join(f"{verdict}: {number}" for verdict, number in count.items()))
assert all(row.verdict == "not run" for row in verdicts if row.runs is None)

# %% [markdown]
# How to read a row: *ours* is of test images, a mean ± standard deviation over the seeds, or one seed's number without ±; in Table 1
# the standard error, and the paper's ±, are over test images instead. *Updates* are of 100 images. *Minutes* are of the clock on a shared
# machine. A profile is named where it is not `long`. *Chosen on* says by which images the settings were chosen; `untried`: nobody tried
# any others. Numbers in brackets are of other data, and no verdict is passed on these.
#
# One "reached" to be wary of: the likelihood from ten million samples. [Notebook 06](06_likelihood.ipynb) has shown how little a Parzen
# window knows about pictures, and that it rises with the number of samples; the column with 10,000 is the one to compare.
#
# The paper prints its rivals' numbers too, as their authors published them. Here are its Tables 1 to 3, with ours in bold where there
# are any:


# %%
def grid(paper, place):
    """A table of a paper: a row a method, a column a task, the printed numbers, and ours in bold."""
    here = [row for row in rows if (row.number.paper, row.number.place) == (paper, place)]
    methods = Counter(row.number.method for row in here)
    fullest = sorted(here, key=lambda row: -methods[row.number.method])  # its row has the columns in their order
    tasks = list(dict.fromkeys(row.number.task for row in fullest))
    cells = {(row.number.method, row.number.task): row.number.printed for row in here}
    for row in here:
        if row.same_data:
            cells[row.number.method, row.number.task] += f"; **{report.mean_and_spread(row.values)}**"
    unit = f"{place} {here[0].number.unit}".strip()
    return report.markdown([unit, *tasks], [[m, *(cells.get((m, task), "–") for task in tasks)] for m in methods])


display(Markdown("\n\n".join(grid("AAE", place) for place in ("Table 1", "Table 2", "Table 3"))))

# %% [markdown]
# What our runs of Table 2's rivals were, and the rows that are no paper's, models or data of our own:

# %%
made = report.tables(RESULTS)
display(Markdown(made["rivals"] + "\n\n" + made["own"]))

# %% [markdown]
# ## Numbers that cannot stand beside ours
#
# The other two papers print distances of Inception's features, or path lengths of LPIPS, on photographs: faces of 256x256 and more.
# None of these was trained here. They are listed because a table of results that leaves out what it cannot reach is no table. (They were
# noted second-hand and not checked against the papers; look them up before you quote them.)

# %%
others = dict.fromkeys((row.number.paper, row.number.place) for row in rows if row.number.paper != "AAE")
for paper in ("WAE", "ALAE"):
    tables = [grid(paper, place) for of, place in others if of == paper]
    display(Markdown(f"{SOURCES[paper]}:\n\n" + "\n\n".join(tables)))
assert all(row.number.restated and row.runs is None for row in rows if row.number.paper != "AAE")

# %% [markdown]
# One of them asks for no large network: what a nearest neighbour and a linear SVM make of ALAE's short code of MNIST. [Notebook
# 12](12_adversarial_latent_autoencoders.ipynb) measures that in a run of its own, shorter than a record must be.
#
# ## Seeds beside the paper

# %% tags=["title-figure"]
errors = [row for row in verdicts if row.number.unit == "%" and (row.same_data or row.runs is None)]
figures.show(
    figures.beside_paper(
        {row.number.title: (row.values, row.number.value, row.number.spread) for row in errors},
        title="Errors of the adversarial autoencoder: ours beside the paper's",
    ),
    alt="A row for each error that the paper prints for its own model, on a logarithmic axis: the paper's number as a diamond, its "
    "spread as a grey band, a blue dot for each of our seeds, and our mean at the right. With labels the dots lie at or just beside the "
    "diamonds; for clusters and two-dimensional maps they lie to the right, by a factor of up to about four.",
)
factors = {row.number.title: row.values.mean() / row.number.value for row in errors if len(row.values)}
far, near = max(factors, key=factors.get), min(factors, key=factors.get)
print(f"nearest: {near}, {factors[near]:.2f} times the paper's; farthest: {far}, {factors[far]:.1f} times")
assert all(factor < 1.5 for title, factor in factors.items() if title.startswith("Table 2"))
assert factors[far] < 4.5 and not far.startswith("Table 2")

# %% [markdown]
# On a logarithmic axis equal steps are equal factors. Two groups: with labels (Table 2) we are at the paper's number or a little above it. Where
# the system must divide the digits *itself* (Table 3), or where content and style are added up into one code (Figure 11), a factor is
# missing.
#
# ## How sure is a mean?
#
# Student's $t$ gives an interval that holds the mean over *all* seeds in 95 cases of 100, if the seeds' numbers are about normal:
# $\bar x \pm t_{n-1}\, s / \sqrt n$. For two seeds $t$ is 12.7, for three 4.3.

# %%
several = [row for row in verdicts if row.same_data and len(row.values) > 1]
for row in several:
    n, mean = len(row.values), row.values.mean()
    half = student.ppf(0.975, n - 1) * row.values.std(ddof=1) / n**0.5
    inside = "lies in it" if abs(mean - row.number.value) <= half else "does not"
    print(f"{row.number.title:30} {n} seeds: {mean:.2f} ± {half:.2f}; the paper's {row.number.value:g} {inside}")
alone = sum(len(row.values) == 1 for row in verdicts if row.same_data)
print(f"{alone} other rows have one seed: no interval at all")

# %% [markdown]
# Few seeds leave an interval that hardly excludes anything. So a number just missed and a number just reached can both be luck, and a row
# with one seed is an existence proof: this number *can* come out, no more.
#
# ## What was not reached, and why
#
# A reason is worth something only if somebody tried the alternative. `results/README.md` is the log of what was tried, failures included.
# Here each reason comes with its line from the log, word for word, and the cell checks that it is there. Where the log has no trial, that
# is said instead.

# %%
log = (RESULTS / "README.md").read_text(encoding="utf-8")
WHY = {
    "parzen-mnist": (
        "not width alone. Networks twice as wide were tried with the same steps, and came out lower:",
        "reconstruction stays at 8.0: too large a step for this width",
    ),
    "semi-supervised-100": (
        "perhaps only luck and length: seeds differ by some tenths. Averaged weights were tried, and do not mend it:",
        "half a point better while the steps are large, equal after the drop",
    ),
    "semi-supervised-1000": (
        "length, in part. Twice as long was tried, and took off some tenths:",
        "2.2 (2.1) after 70, 2.0 (1.9) after 120, 1.9 (1.8) after 140",
    ),
    "clustering-30": (
        "patience: clusters change slowly, and the error fell for most of the way. What does help is another model:",
        "Telling the system what not to care about is far quicker, and another model.",
    ),
    "clustering-16": (
        "not length. A long run with the settings of 30 clusters was no better than a short one:",
        "patience alone does not help where clusters are few",
    ),
    "reduction-2d-20-clusters": (
        "not length. Whole clusters stay empty, and the error hardly moves:",
        "47.0 / 42.3 after 4, 45.8 / 40.7 after 13, 45.4 / 39.2 after 30, 8 empty",
    ),
}
# %%
for row in verdicts:
    if row.reached is False:
        name = row.number.experiment
        tried = (
            "tried since, says the log" if f"`{name}`" in log else "the log has no trial of this row, so nobody knows"
        )
        reason, line = WHY.get(name, (tried, ""))
        assert line in log
        print(f"{row.number.title}: {row.verdict}\n    {reason}" + (f"\n    log: “{line}”" if line else ""))

# %% [markdown]
# Not one of these reasons is "the paper is wrong". Its runs are tens to hundreds of times longer than ours, and most of its networks
# wider; what remains open is what length and width *together* would do. `--profile paper` has those settings ready for a GPU.
#
# ## Errors over training
#
# The runs of these rows were measured fifty times while they trained. Dashed: the paper's number.

# %%
curved = [row for row in verdicts if row.same_data and row.runs.records[0]["curve"]]


def curve(run, metric):
    """Updates (T,) and test errors in % (T,) of a run while it trained."""
    points = [(point["updates"], 100 * point["test"][metric]) for point in run["curve"]]
    return tuple(np.array(points, dtype=float).T)


figure, axes = figures.canvas(len(curved), 3, 3, 2.2)
for ax, row in zip(axes, curved, strict=True):
    for run in row.runs.records:
        ax.plot(*curve(run, row.number.metric), color=figures.BLUE, linewidth=1.2)
    ax.axhline(row.number.value, color=figures.INK, linestyle="--", linewidth=1)
    ax.set(title=row.number.task, xscale="log", yscale="log", xlim=(200, 1e5), xlabel="updates", ylabel="error, %")
    ax.yaxis.set(major_locator=LogLocator(subs=(1, 2, 5)), major_formatter="{x:g}", minor_locator=NullLocator())
figures.show(
    figure,
    alt="A panel for each row with a learning curve: test error over updates, both logarithmic, with the paper's number dashed. With "
    "labels the curves fall nearly straight towards the dashed line. Some of the others are flat and ragged, far above it.",
)
slopes = {row.number.task: np.polyfit(*np.log(curve(row.runs.records[0], row.number.metric)), 1)[0] for row in curved}
print("slope of log error over log updates:", ", ".join(f"{task} {slope:.2f}" for task, slope in slopes.items()))
assert slopes["100 labels"] == min(slopes.values()) < -0.3 and max(slopes.values()) > -0.15

# %% [markdown]
# Two kinds of curves. With labels the error falls steadily: in these axes nearly along a straight line, steepest with 100 labels.
# Flat ones will not be mended by patience alone.
#
# A curve also tempts. Its lowest point is often below its last one, above all by the paper's rule for clusters, in which a single image
# names a whole cluster and may change its mind:

# %%
for row in curved:
    for run in row.runs.records:
        _, percent = curve(run, row.number.metric)
        print(f"{row.number.task:30} seed {run['seed']}: last {percent[-1]:5.2f} %, lowest {percent.min():5.2f} %")

# %% [markdown]
# To report the lowest would be to choose by test images, as in the toy. The tables have the last.
#
# ### A straight line is no promise
#
# > **Predict, then run.** Lay a line through the curve with 100 labels, up to where its steps are made smaller, and extend it to the three
# > million updates of the paper. What error will it promise? The paper's is 1.80 at that point of its run.

# %%
run = record
updates, percent = curve(run, "error")
epoch = min(map(int, run["settings"]["optimizers"]["classification"]["drops"]))  # from here on steps are smaller
drop = epoch * run["updates"] / run["epochs"]
fitted = (updates >= 5000) & (updates < drop)
slope, height = np.polyfit(np.log(updates[fitted]), np.log(percent[fitted]), 1)
ahead = np.geomspace(5000, max(MILESTONES), 50)
promise = np.exp(height + slope * np.log(ahead))
print(f"the line promises {promise[-1]:.2f} % after {max(MILESTONES):,} updates")
figures.show(
    figures.learning_curves(
        {f"ours, seed {run['seed']}": (updates, percent), "a straight line": (ahead, promise)},
        MILESTONES,
        title="100 labels: our curve, extended, and the paper's milestones as restated",
    ),
    alt="Test error over updates, both logarithmic. Our curve falls along a straight line to about 2 percent. The line, extended, leads far "
    "below; the paper's milestones at 300,000 and 3 million updates bend away from it, to 2.21 and 1.80 percent.",
)
rivals = [row.number.value for row in rows if row.number.place == "Table 2" and row.number.task == "100 labels"]
assert promise[-1] < min(rivals) and percent[updates < 30_000][-1] < MILESTONES[30_000]

# %% [markdown]
# As far as it was fitted, the line fits well. Extended, it promises an error that no method of the paper's table has. The paper's own
# milestones bend: after 30,000 updates ours is *below* its 3.40 already, and a hundred times the updates took the paper to 1.80 only.
# A hundred labels, in the end, leave some digits unexplained.
#
# ## Today's measures, on all stored systems
#
# In 2015 one showed samples and a Parzen window. Since then one measures samples by features: feature-FID, precision, recall
# ([notebook 06](06_likelihood.ipynb)). Some systems of the long runs are stored, so they can be looked at side by side. All draw
# 12 codes from their prior, with the same seed:

# %%
shelf = {run["experiment"]: run for run in records(results=RESULTS) if "stored" in run}
systems = {name: trained(name, results=RESULTS) for name, run in shelf.items() if run["settings"]["dataset"] == "mnist"}
on_digits = data.name == "mnist"  # the systems' images are MNIST's; the built-in digits are of another size
pictures = {name: system.sample(12, seed=1).cpu() for name, system in systems.items()}
if on_digits:
    pictures["test images"] = data.test.images[:12].float() / 255
print(f"{len(systems)} systems of MNIST:", ", ".join(systems))

# %%
figures.show(
    figures.show_images(torch.cat(list(pictures.values())), 12, "Samples of the stored systems", rows=list(pictures)),
    alt="A row of twelve samples for each stored system, and a row of real test images. Most are legible digits; the variational autoencoder's "
    "are blurred, and a few of each system are no digit.",
)

# %% [markdown]
# > **Predict, then run.** Rank the rows by eye: which system's samples are nearest to real digits? Which shows the most *different* ones?
#
# The measure: a small classifier, trained on the training images, turns each picture into 64 features; 5,000 samples against
# 5,000 test images. It takes about half a minute.


# %%
def measure(system, real):
    """Feature-FID, precision and recall of as many samples as there are ``real`` features (N, 64)."""
    made = judge.features(system.sample(len(real)))
    return feature_fid(real, made), *precision_recall(real, made)


measured = {}
if on_digits:
    judge = train_feature_network(data.train)
    real = judge.features(data.test.images[: settings.count])  # (N, 64)
    floor = feature_fid(real, judge.features(data.validation.images[: settings.count]))
    measured = {name: measure(system, real) for name, system in systems.items()}

# %%
KEYS = ("feature_fid", "precision", "recall")
print(f"{'':32}{'measured now':^30}{'in the record':^30}\n{'':32}" + f"{'FID':>10}{'precision':>10}{'recall':>10}" * 2)
for name in systems:
    recorded = [shelf[name]["metrics"]["test"].get(key) for key in KEYS]
    numbers = [*measured.get(name, (None, None, None)), *recorded]
    print(f"{name:32}" + "".join(f"{'–':>10}" if number is None else f"{number:10.3g}" for number in numbers))
if on_digits:
    print(f"floor: {floor:.1f}, what as many other real images score")
    assert measured["vae-8d"][1] > 0.9 and measured["vae-8d"][2] < 0.3
    records_fid = {name: shelf[name]["metrics"]["test"].get("feature_fid") for name in systems}
    assert all(abs(measured[name][0] / fid - 1) < 0.2 for name, fid in records_fid.items() if fid)
else:
    print("(measured on MNIST only; these are the built-in digits)")

# %% [markdown]
# - Measured anew they score what their records say, but for a few percent: the classifier is trained here, on this machine, and is not quite
#   that of the record. So compare within one column, never across.
# - Precision asks how many samples could be real, recall how many real images could be samples. A system may have much of one and little of
#   the other: the VAE's blurred samples sit among the real ones and leave most of them out.
# - Systems without a recorded FID are classifiers, whose samples nobody measured then. Of the two, the one whose discriminator of styles also sees
#   the label draws far better digits: its styles go with every class, and the other's do not. (Labels and lengths of the two differ as well.)
#
# ### A measure has a spread too
#
# The same system, other draws; and the same recipe, other trainings. Which of the two moves the number more?

# %%
if on_digits:
    for name in (name for name in systems if name.endswith("8d")):
        draws = (systems[name].sample(len(real), seed=seed) for seed in range(settings.draws))
        found = [feature_fid(real, judge.features(images)) for images in draws]
        print(f"{name:12} feature-FID over {len(found)} draws of samples: {report.mean_and_spread(found)}")
for runs in report.reported(RESULTS):
    if runs.name.endswith("8d"):
        found = runs.values("feature_fid")
        print(f"{runs.name:12} feature-FID over {len(found)} trainings:        {report.mean_and_spread(found)}")

# %% [markdown]
# Trainings, by far. For the 8-D AAE a single seed could have put it second of four, or last. A table that reports one training, measured ten times
# over, has measured the wrong spread.
#
# And it has a bias: with fewer images FID is larger, even for real ones.

# %%
if on_digits:
    one, other = real, judge.features(data.validation.images[: settings.count])
    sizes = [size for size in (250, 500, 1000, 2000, 5000) if size <= settings.count]
    floors = [feature_fid(one[:size], other[:size]) for size in sizes]
    for size, value in zip(sizes, floors, strict=True):
        print(f"{size:5,} real images against as many others: {value:5.1f}")
    assert floors[0] > floors[-1]

# %% [markdown]
# So a FID of 2,000 images never stands beside one of 5,000, and a floor belongs beside every table.
#
# ## What the field did next
#
# The adversarial autoencoder presses $q(z)$ onto a prior *while* it learns to reconstruct. What became of that?
#
# **The game moved to the pixels, and the prior is learnt afterwards.** The autoencoders under today's image generators are trained with a
# reconstruction, a distance between features and a *discriminator of image patches*: VQ-GAN (Esser et al. 2021) with a codebook, latent
# diffusion (Rombach et al. 2022) with a codebook or with a VAE's KL term. Configurations of the latter give that term a weight of $10^{-6}$: enough that
# codes do not run away, too little to make them a Gaussian. What codes look like is then learnt by a second model, a transformer or
# a diffusion model. Ghosh et al. (2020) made the argument with the simplest means: train any autoencoder, then fit a density to its
# codes, *ex post*, and draw from that.
#
# That can be tried here in ten lines: a mixture of Gaussians, fitted to codes of training images.
#
# > **Predict, then run.** Whose samples gain most from it: the VAE's, WAE-MMD's or WAE-GAN's?

# %%
gains = {}
if on_digits:
    for name, system in systems.items():
        if name.endswith("8d"):
            codes = system.encode(data.train.images[:10_000]).double().cpu().numpy()  # (10000, 8)
            density = GaussianMixture(20, random_state=0).fit(codes)
            drawn, _ = density.sample(len(real))  # (N, 8)
            after = feature_fid(real, judge.features(system.decode(torch.from_numpy(drawn).float())))
            print(
                f"{name:12} feature-FID from the prior {measured[name][0]:5.1f}, from a density fitted later {after:5.1f}"
            )
            gains[name] = 1 - after / measured[name][0]
    assert max(gains, key=gains.get) == "wae-mmd-8d" and gains["wae-gan-8d"] < 0 < gains["vae-8d"]

# %% [markdown]
# WAE-MMD's samples gain most: nearly half of their distance is gone, so its decoder was better than its $q(z)$. The VAE's gain less, for a
# decoder that blurs is no better for better codes. And WAE-GAN's gain nothing: its game had brought $q(z)$ so near to the prior that the prior is
# the better density. That is the choice in a nutshell: press the codes into a shape, or find out their shape afterwards.
#
# **Matching codes as a whole, without a game.** The penalty on $q(z)$ lives on where a discriminator is too much trouble: MMD
# ([notebook 11](11_wasserstein_autoencoders.ipynb)), or the *sliced* Wasserstein distance to draws of any prior (Kolouri et al. 2019). In
# 2025 it returned without a decoder: LeJEPA (Balestriero & LeCun) learns representations by predicting one view of an image
# from another, and what keeps them from collapsing is a term that pulls the distribution of *all* embeddings to an isotropic
# Gaussian, tested along random directions. It is the aggregated $q(z)$ once more.
#
# **The game on codes, with another target.** In domain-adversarial training (Ganin et al. 2016) a discriminator tells features of two
# data sets apart and the encoder makes them alike, so that a classifier trained on one serves the other. And where the data are no
# pictures the adversarial autoencoder itself went on: druGAN (Kadurin et al. 2017) draws fingerprints of new molecules with it.
#
# What seems to stay of 2015 is the question, *what should all codes together look like?*, more than the answer.
#
# ## Play
#
# A stored system to drag through: codes of eight dimensions, of which two lie on the pad.

# %%
from aae_lib.widgets import explore

explore(systems["wae-gan-8d"], data.test.images[:1000] if on_digits else None)

# %% [markdown]
# ## Summary
#
# - A number without seeds, length, data and the images that chose its settings cannot be read. The best of ten is another number.
# - "Reached" is a rule that is fixed beforehand; ours compares a mean with a printed number and its ±.
# - With labels the paper's errors come within reach on a CPU. Clusters found without labels, and maps, are still a factor away; the log says what
#   was tried.
# - Straight lines in logarithmic axes bend later. The lowest point of a curve of test errors is not a result.
# - Today's measures compare systems judged by one network, on one set of images, by equally many samples; and trainings spread more than samples.
#
# ## Exercises
#
# 1. *(prediction)* In the toy, let seeds not matter at all (a standard deviation of 0). Before you run it: what is the best of ten now, and
#    what is left of the gap?
#    <details><summary>Check</summary>Only the test images' luck is left: about 0.14 points a number, so the best of ten lies about 0.2 below 2.0.</details>
# 2. *(code)* How many seeds would each side need to tell 2.0 from 1.9 %, if both spread by 0.2? Simulate it: raise n until a two-sided
#    $t$-test at 5 % finds the difference in 80 laboratories of 100.
#    <details><summary>Hint</summary><code>scipy.stats.ttest_ind</code> takes an axis. By the usual formula n is about 2 (2.8 · 0.2 / 0.1)² ≈ 63.</details>
# 3. *(code)* Write another rule for "reached": the paper's number lies in our 95 % interval. Which verdicts change, and which cannot be
#    passed at all any more?
#    <details><summary>Hint</summary>Everything is in <code>row.values</code> and <code>row.number</code>; one seed has no interval.</details>
# 4. *(exploration)* Fit the mixture of Gaussians with 1, 5, 20 and 100 components, on training codes, and choose the number by the mean
#    log-likelihood of *validation* codes (`density.score`). Does the one that likelihood prefers have the lowest feature-FID?
# 5. *(open-ended)* Choose a row that was missed and has no trial in the log. Write down what you think is the reason and which single run would
#    show you wrong; make it with `python -m aae_lib.experiments run NAME`, and add a line to the log, whatever came out.
#
# ## What to read
#
# - A. Makhzani et al.: *Adversarial Autoencoders*, 2015, [arXiv 1511.05644](https://arxiv.org/abs/1511.05644), Section 8: what its authors concluded.
# - P. Esser, R. Rombach & B. Ommer: *Taming Transformers for High-Resolution Image Synthesis*, 2021, [arXiv 2012.09841](https://arxiv.org/abs/2012.09841).
# - R. Rombach et al.: *High-Resolution Image Synthesis with Latent Diffusion Models*, 2022, [arXiv 2112.10752](https://arxiv.org/abs/2112.10752).
# - P. Ghosh et al.: *From Variational to Deterministic Autoencoders*, 2020, [arXiv 1903.12436](https://arxiv.org/abs/1903.12436).
# - S. Kolouri et al.: *Sliced-Wasserstein Auto-Encoders*, 2019, [arXiv 1804.01947](https://arxiv.org/abs/1804.01947).
# - R. Balestriero & Y. LeCun: *LeJEPA: Provable and Scalable Self-Supervised Learning Without the Heuristics*, 2025,
#   [arXiv 2511.08544](https://arxiv.org/abs/2511.08544).
# - Y. Ganin et al.: *Domain-Adversarial Training of Neural Networks*, 2016, [arXiv 1505.07818](https://arxiv.org/abs/1505.07818).
# - A. Kadurin et al.: *druGAN: An Advanced Generative Adversarial Autoencoder Model for de Novo Generation of New Molecules with Desired
#   Molecular Properties in Silico*, Molecular Pharmaceutics 14 (2017).
# - A. Oliver et al.: *Realistic Evaluation of Deep Semi-Supervised Learning Algorithms*, 2018,
#   [arXiv 1804.09170](https://arxiv.org/abs/1804.09170): how tables like Table 2 go wrong.
#
# **Next:** your own question. [00 Start here](00_start_here.ipynb) has the map of the course; `load("path/to/folder")` takes your own pictures.
# **Before:** [13 StyleALAE](13_style_alae.ipynb).
