"""The tables: what stands beside each printed number, by which rule it counts as reached, and README's copy of them."""

import json
from pathlib import Path

import pytest

from aae_lib.checks import DataError
from aae_lib.experiments import EXPERIMENTS, comparisons, report, table
from aae_lib.experiments.__main__ import main
from aae_lib.experiments.papers import NUMBERS

ROOT = Path(__file__).parent.parent


def write(folder: Path, name: str, test: dict, *, profile="long", seed=0, dataset="mnist", hidden=(500, 500), **more):
    """A record such as a run writes."""
    record = {
        "format": 2, "experiment": name, "profile": profile, "seed": seed, "question": "asked then", "updates": 1200,
        "epochs": 2.4, "seconds": 90.0 + 60 * seed, "device": "cpu", "paper": {"error": 0.019},
        "settings": {"dataset": dataset, "chosen_on": "validation", "system": {"seed": seed, "hidden": list(hidden)}},
        "metrics": {"validation": {key: value + 0.01 for key, value in test.items()}, "test": test}, **more,
    }  # fmt: skip
    (folder / f"{name}.{profile}.seed{seed}.json").write_text(json.dumps(record))


def beside(folder: Path, title: str) -> report.Comparison:
    (found,) = [row for row in comparisons(folder) if row.number.title == title]
    return found


@pytest.mark.parametrize(
    ("errors", "reached", "verdict"),
    [
        ((0.0190, 0.0195, 0.0215), True, "yes"),  # 2.00: within 1.90 ± 0.10
        ((0.0180,), True, "yes"),
        ((0.0201,), False, "no, by 0.11"),
        ((), None, "not run"),
    ],
)
def test_a_number_is_reached_by_a_better_mean_or_one_within_its_spread(tmp_path, errors, reached, verdict):
    for seed, error in enumerate(errors):
        write(tmp_path, "semi-supervised-100", {"error": error}, seed=seed)
    found = beside(tmp_path, "Table 2: 100 labels")
    assert (found.reached, found.verdict) == (reached, verdict)


@pytest.mark.parametrize(("nats", "reached"), [(337.9, False), (338.1, True), (400.0, True)])
def test_more_nats_are_better(tmp_path, nats, reached):
    few = {"log_likelihood": nats, "standard_error": 1.5, "sigma": 0.16, "samples": 10_000.0}
    write(tmp_path, "parzen-mnist", few)
    assert beside(tmp_path, "Table 1: MNIST, 10,000 samples").reached is reached
    assert beside(tmp_path, "Table 1: MNIST, 10 million samples").runs is None
    many = few | {"samples": 10_000_000.0, "images": 1000.0, "log_likelihood": 500.0}
    write(tmp_path, "parzen-mnist", few, likelihoods=[many])
    assert beside(tmp_path, "Table 1: MNIST, 10 million samples").values == [500]
    assert beside(tmp_path, "Table 1: MNIST, 10,000 samples").values == [nats]
    write(tmp_path, "parzen-mnist", few, likelihoods=[many, few | {"log_likelihood": 7.0}])
    assert beside(tmp_path, "Table 1: MNIST, 10,000 samples").values == [nats], "one number a seed"
    write(tmp_path, "parzen-mnist", few, likelihoods=[many])
    write(tmp_path, "parzen-mnist", few, seed=1)
    assert [len(row.runs.records) for row in comparisons(tmp_path) if row.runs] == [2, 1], "seeds that have it"
    assert "500.0 nats (σ 0.160, standard error 1.5 over 1,000 images)" in report.tables(tmp_path)["paper"]


def test_other_data_are_neither_reached_nor_missed(tmp_path):
    write(tmp_path, "semi-supervised-svhn-1000", {"error": 0.07}, dataset="house-numbers")
    row = beside(tmp_path, "Table 2: SVHN, 1000 labels")
    assert (row.reached, row.verdict) == (None, "other data")
    assert "| (17.70 ± 0.30 %) | 7.00 % on synthetic house numbers | other data |" in report.tables(tmp_path)["paper"]


@pytest.mark.parametrize(
    ("name", "method", "verdict"),
    [
        ("baseline-network-100", "network alone", "better, by 3.8"),  # 25.80
        ("baseline-vat-100", "VAT", "worse, by 20"),  # 2.33
        ("baseline-m1-svm-100", "VAE (M1) + TSVM", "other method"),  # not transductive
    ],
)
def test_rivals_are_better_or_worse_than_printed_but_not_reached(tmp_path, name, method, verdict):
    write(tmp_path, name, {"error": 0.22})
    row = beside(tmp_path, f"Table 2: {method}, 100 labels")
    assert (row.reached, row.verdict) == (None, verdict)
    assert f"| 22.0 % | {verdict} |" in report.tables(tmp_path)["rivals"]


def test_a_papers_own_methods_are_no_rivals():
    own = {number.method for number in NUMBERS if not number.rival}
    assert own == {"AAE", "WAE-MMD", "WAE-GAN", "ALAE", "StyleALAE"}


def test_a_row_has_its_spread_seeds_length_minutes_and_what_chose_it(tmp_path):
    for seed, error in enumerate((0.2, 0.25, 0.3)):
        write(tmp_path, "clustering-30", {"paper_rule_error": error, "majority_rule_error": 0.2}, seed=seed)
    cells = "25.0 ± 5.0 % (20.0 ± 0.0 % by the majority rule) | no, by 21 | 0, 1, 2 | 1,200 (2.4), 500-500 | 2, cpu"
    assert f"| Table 3: 30 clusters | 4.10 ± 1.13 % | {cells} | validation |" in report.tables(tmp_path)["paper"]


def test_the_longest_profile_is_reported_and_other_settings_have_a_row_of_their_own(tmp_path):
    write(tmp_path, "semi-supervised-all", {"error": 0.03}, profile="quick")
    assert "3.00 % | no, by 2.1 | 0 | 1,200 (2.4), 500-500, `quick`" in report.tables(tmp_path)["paper"]
    write(tmp_path, "semi-supervised-all", {"error": 0.02})
    write(tmp_path, "semi-supervised-all", {"error": 0.01}, profile="smoke")
    write(tmp_path, "semi-supervised-all", {"error": 0.01}, seed=1, hidden=(40,))
    rows = [row for row in comparisons(tmp_path) if row.number.experiment == "semi-supervised-all"]
    assert [(row.runs.profile, row.values.tolist()) for row in rows] == [("long", [2.0]), ("long", [1.0])]


def test_rows_that_are_held_against_one_another_are_of_one_profile(tmp_path):
    for name in ("aae-mixture", "vae-mixture"):
        for seed, holes in enumerate((0.04, 0.06)):
            write(tmp_path, name, {"holes": holes}, profile="quick", seed=seed)
    write(tmp_path, "aae-mixture", {"holes": 0.01})
    table = report.tables(tmp_path)["figure-2"]
    assert table.count("| 5.0 ± 1.4 |") == 2 and "| 1.00 |" not in table
    write(tmp_path, "vae-mixture", {"holes": 0.02})
    assert "5.0" not in report.tables(tmp_path)["figure-2"], "all have the longer one now"
    (tmp_path / "aae-mixture.long.seed0.json").unlink()
    (tmp_path / "vae-mixture.quick.seed0.json").unlink()
    (tmp_path / "vae-mixture.quick.seed1.json").unlink()
    table = report.tables(tmp_path)["figure-2"]
    assert "| 5.0 ± 1.4 |" in table and "| 2.00 |" in table, "none is common, so each has its own"


def test_what_the_papers_have_no_number_for_stands_apart(tmp_path):
    write(tmp_path, "baseline-vat-100", {"error": 0.05})
    write(tmp_path, "clustering-30-consistent", {"paper_rule_error": 0.05, "majority_rule_error": 0.04})
    write(tmp_path, "long-forgotten", {"error": 0.5}, dataset="fashion-mnist")
    write(tmp_path, "labels-flower", {"own_region": 0.912, "sliced_wasserstein": 0.05})
    fid = {"feature_fid": 9.0, "feature_fid_floor": 7.0, "precision": 0.5}
    write(tmp_path, "alae-mnist", fid)
    made = report.tables(tmp_path)
    assert "| Table 2: VAT, 100 labels | 2.33 % | 5.00 % | worse, by 2.7 |" in made["rivals"]
    assert made["own"].count("\n") == 4 and "| asked then | 50.0 % |" in made["own"]
    assert "| Fig. 4a: AAE, a petal for each digit, 10,000 labels | 91.2 % in own region |" in made["own"]
    assert "| 9.00 (7.00) | – | 0.500 | – | – | – | 0 |" in made["samples"]


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([0.0616, 0.0545, 0.0687], "0.0616 ± 0.0071"),
        ([64, 20, 103], "62 ± 42"),
        ([325.4697], "325.5"),
        ([54.1214, 55.5485], "54.8 ± 1.0"),
        ([1.0], "1.00"),
        ([0.0, 0.0], "0.0 ± 0.0"),
        ([-0.00038], "-0.0004"),
    ],
)
def test_numbers_have_as_many_digits_as_their_spread_allows(values, text):
    assert report.mean_and_spread(values) == text


def test_the_whole_table_averages_over_seeds_and_shows_validation_and_the_papers_number(tmp_path):
    for seed, value in enumerate((0.01, 0.03)):
        write(tmp_path, "semi-supervised-100", {"error": value}, seed=seed)
    assert "| 0.020 ± 0.014 (validation: 0.030 ± 0.014, paper: 0.019) |" in table(tmp_path)


@pytest.mark.parametrize("name", [name for name, experiment in EXPERIMENTS.items() if experiment.numbers])
def test_the_catalogues_numbers_are_the_printed_ones(name):
    printed = {number.metric: number.value for number in NUMBERS if number.experiment == name and not number.samples}
    printed |= {
        number.metric: number.value for number in NUMBERS if number.experiment == name and number.samples == 1e4
    }
    wanted = {key: value * (100 if key in report.SHARES else 1) for key, value in EXPERIMENTS[name].numbers.items()}
    assert printed == pytest.approx(wanted), f"link the paper's numbers of {name} in aae_lib/experiments/papers.py"


def test_only_experiments_that_exist_stand_beside_a_number():
    assert {number.experiment for number in NUMBERS} - {None} <= set(EXPERIMENTS)


def test_readme_has_the_tables_of_the_records():
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    marks = report.MARKS.findall(page)
    assert [name for _, name, _ in marks] == list(report.tables(ROOT / "results"))
    assert report.with_tables(page, ROOT / "results") == page, "README is not what results/ says; run: make tables"


def test_a_page_gets_its_tables_anew(tmp_path, capsys):
    page, results = tmp_path / "page.md", tmp_path / "results"
    results.mkdir()
    page.write_text("Before\n<!-- results: rivals -->\nold\n<!-- end of results -->\nAfter\n")
    assert main(["table", "--readme", str(page), "--results", str(results)]) == 0
    text = page.read_text(encoding="utf-8")
    assert text.startswith("Before\n<!-- results: rivals -->\nNone of them") and text.endswith("results -->\nAfter\n")
    page.write_text(text.replace("rivals", "rivalry"))
    capsys.readouterr()
    assert main(["table", "--readme", str(page), "--results", str(results)]) == 1
    assert "rivalry names no table; there are: paper, rivals" in capsys.readouterr().err
    with pytest.raises(DataError, match="names no table"):
        report.with_tables(page.read_text(encoding="utf-8"), results)


def test_what_readme_says_of_its_tables_is_so():
    found = {runs.name: runs for runs in report.reported(ROOT / "results")}
    found |= {runs.name: runs for runs in report.reported(ROOT / "results", alike="holes")}  # Figure 2's

    def mean(name, metric):
        return found[name].values(metric).mean()

    def spread(name, metric):
        return found[name].values(metric).std(ddof=1)

    eight = ("vae-8d", "aae-8d", "wae-mmd-8d", "wae-gan-8d")
    assert min(eight, key=lambda name: mean(name, "feature_fid")) == "wae-gan-8d"
    assert max(eight, key=lambda name: spread(name, "feature_fid")) == "aae-8d"
    assert mean("alae-mnist", "feature_fid") == pytest.approx(mean("alae-mnist", "feature_fid_floor"), rel=0.2)
    costs = sorted((*eight, "alae-mnist", "style-alae-mnist"), key=lambda name: mean(name, "half_squared_error"))
    assert costs[-2:] == ["alae-mnist", "style-alae-mnist"]
    for metric in ("mmd", "sliced_wasserstein"):  # with every seed, and on the Gaussian by far
        assert max(found["aae-mixture"].values(metric)) < min(found["vae-mixture"].values(metric))
        assert min(found["aae-gaussian"].values(metric)) > 5 * max(found["vae-gaussian"].values(metric))
    assert mean("aae-mixture", "holes") < mean("vae-mixture", "holes")
    for prior in ("gaussian", "mixture"):
        assert mean(f"vae-{prior}", "half_squared_error") < mean(f"aae-{prior}", "half_squared_error")
        assert found[f"aae-{prior}"].records[0]["settings"]["chosen_on"] == "validation"


def test_a_page_without_marks_is_left_alone(tmp_path, capsys):
    page = tmp_path / "page.md"
    page.write_text("No table.\n")
    assert main(["table", "--readme", str(page)]) == 1
    assert "has no marks" in capsys.readouterr().err and page.read_text(encoding="utf-8") == "No table.\n"
