"""The project's files agree with each other, and the library keeps the rules that a reader cannot see at a glance."""

import ast
import re
import shutil
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

import aae_lib

ROOT = Path(__file__).parent.parent
LIBRARY = ROOT / "aae_lib"
FILES = sorted(LIBRARY.rglob("*.py"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
COURSE = (
    "00_start_here",
    "01_autoencoders_vaes_gans",
    "02_adversarial_autoencoders",
    "03_aae_versus_vae",
    "04_gans_and_moment_matching",
    "05_labels_in_the_prior",
    "06_likelihood",
    "07_supervised",
    "08_semi_supervised",
    "09_clustering",
    "10_dimensionality_reduction",
    "11_wasserstein_autoencoders",
    "12_adversarial_latent_autoencoders",
    "13_style_alae",
    "14_results",
    "15_your_own_pictures",
)
DRAWS = {"rand", "randn", "randint", "randperm", "multinomial", "bernoulli", "normal", "normal_", "uniform_"}
file_in_library = pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(LIBRARY).as_posix())


def package_names(requirements: list[str]) -> set[str]:
    """The names in requirements such as ``torch>=2.6``, lower case and with dashes."""
    return {re.split(r"[<>=!~\[; ]", line)[0].lower().replace("_", "-") for line in requirements}


def layers() -> list[set[str]]:
    """The table of the architecture in CONTRIBUTING.md from bottom to top: the modules that share a row."""
    table = re.findall(r"^\| `.*", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.MULTILINE)
    return [set(re.findall(r"`(\w+)(?:\.py|/)`", row)) for row in reversed(table)]


def module(path: Path) -> str:
    """The top-level module or sub-package of ``path`` in aae_lib."""
    return path.relative_to(LIBRARY).parts[0].removesuffix(".py")


def imported_modules(path: Path) -> set[str]:
    """The top-level modules and sub-packages of aae_lib that ``path`` imports, wherever in the file."""
    package = ("aae_lib", *path.relative_to(LIBRARY).parts[:-1])
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = ".".join(package[: len(package) + 1 - node.level]) + "." if node.level else ""
            names = [f"{start}{node.module + '.' if node.module else ''}{alias.name}" for alias in node.names]
        else:
            continue
        found |= {name.split(".")[1] for name in names if name.startswith("aae_lib.")}
    return found


def test_conda_installs_what_pip_installs():
    lines = [line.strip() for line in (ROOT / "environment.yml").read_text(encoding="utf-8").splitlines()]
    assert f"- python{PROJECT['requires-python']}" in lines
    assert lines[-3:] == ["- pip:", "- -c constraints.txt", "- -e .[lab,test]"]
    assert set(PROJECT["optional-dependencies"]) == {"cluster", "grading", "lab", "test"}


def test_readme_activates_the_environment_that_conda_creates():
    (name,) = re.findall(r"^name: (\S+)$", (ROOT / "environment.yml").read_text(encoding="utf-8"), re.MULTILINE)
    for page in ("README.md", "environment.yml"):
        assert set(re.findall(r"conda activate ([\w-]+)", (ROOT / page).read_text(encoding="utf-8"))) == {name}, page


def test_constraints_pin_every_direct_dependency_and_no_package_of_one_platform():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.!]+", pin) for pin in pins)
    direct = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    assert set().union(*map(package_names, direct)) <= package_names(pins)
    assert not [name for name in package_names(pins) if name.startswith(("nvidia", "cuda", "triton"))]


def test_every_package_that_the_library_imports_is_a_dependency():
    called = {"PIL": "pillow", "ot": "pot", "sklearn": "scikit-learn"}
    imports = set()
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imports |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                imports.add(node.module.split(".")[0])
    extras = PROJECT["optional-dependencies"]
    declared = package_names(PROJECT["dependencies"] + extras["lab"] + extras["cluster"])
    with_those = {"IPython", "traitlets"}  # every ipykernel brings them
    assert {called.get(name, name) for name in imports - sys.stdlib_module_names - with_those} - declared == set()


@file_in_library
def test_imports_point_downwards(path):
    if path == LIBRARY / "__init__.py":
        return  # the front door, above everything
    level = {name: number for number, names in enumerate(layers()) for name in names}
    assert module(path) in level, f"{module(path)} is missing from the table of the architecture in CONTRIBUTING.md"
    upwards = {name for name in imported_modules(path) if name in level and level[name] > level[module(path)]}
    assert not upwards, f"{path.name} imports {upwards}, which the table in CONTRIBUTING.md puts above it"


@file_in_library
def test_files_are_short_and_draw_no_global_random_numbers(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 300
    assert not re.search(r"(torch|random)\.(manual_)?seed\(", text)
    assert not re.search(r"np\.random\.(?!RandomState|SeedSequence|default_rng\(\w)", text)
    for call in (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)):
        draws = getattr(call.func, "attr", "") in DRAWS
        assert not draws or "generator" in {keyword.arg for keyword in call.keywords}, ast.unparse(call)


def test_import_is_light():
    heavy = {"IPython", "anywidget", "ipywidgets", "jupyterlab", "matplotlib", "notebook", "seaborn"}
    code = "import sys, aae_lib; print(*{name.split('.')[0] for name in sys.modules})"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert heavy & set(process.stdout.split()) == set()


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make here")
def test_readme_names_only_targets_that_make_has():
    process = subprocess.run(["make", "help"], capture_output=True, text=True, check=True, cwd=ROOT)
    targets = set(re.findall(r"^  make (\w+)", process.stdout, re.MULTILINE))
    assert targets >= {"lab", "test", "run", "notebooks", "help"}
    for page in ("README.md", "CONTRIBUTING.md"):
        assert set(re.findall(r"`make (\w+)", (ROOT / page).read_text(encoding="utf-8"))) <= targets
    assert "make lab" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make here")
def test_what_make_does_python_does_without_it():
    process = subprocess.run(["make", "help"], capture_output=True, text=True, check=True, cwd=ROOT)
    targets = set(re.findall(r"^  make (\w+)", process.stdout, re.MULTILINE)) - {"help"}
    listed = subprocess.run([sys.executable, "-m", "tools"], capture_output=True, text=True, check=True, cwd=ROOT)
    assert set(re.findall(r"^  python -m tools (\w+)", listed.stdout, re.MULTILINE)) == targets
    for task in set(re.findall(r"python -m tools (\w+)", (ROOT / "README.md").read_text(encoding="utf-8"))):
        assert task in targets


def test_a_task_that_fails_says_so_and_one_that_is_none_is_refused():
    failing = subprocess.run([sys.executable, "-m", "tools", "slides", "99"], capture_output=True, text=True, cwd=ROOT)
    assert failing.returncode == 1 and "no notebook matches 99*.ipynb" in failing.stderr
    unknown = subprocess.run([sys.executable, "-m", "tools", "shine"], capture_output=True, text=True, cwd=ROOT)
    assert unknown.returncode == 2 and "'shine' is no task; there are: lab, test" in unknown.stderr


def test_licences_and_citation_name_each_other():
    readme, text = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "LICENSE-text"))
    assert PROJECT["license-files"] == ["LICENSE", "LICENSE-text"] and PROJECT["license"] == "MIT AND CC-BY-4.0"
    assert (ROOT / "LICENSE").read_text(encoding="utf-8").startswith("MIT License")
    assert "creativecommons.org/licenses/by/4.0/legalcode" in text
    assert all(f"]({name})" in readme for name in ("LICENSE", "LICENSE-text", "CITATION.cff"))
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= set(citation) and citation["cff-version"] == "1.2.0"
    assert citation["version"] == aae_lib.__version__ and citation["license"] == ["MIT", "CC-BY-4.0"]


def test_the_lecturers_page_has_every_notebook_with_three_questions():
    page = (ROOT / "TEACHING.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^### (\d\d) .+?\n(.*?)(?=^##)", page, re.MULTILINE | re.DOTALL))
    assert list(sections) == [path.stem[:2] for path in sorted((ROOT / "notebooks" / "source").glob("[0-9]*.py"))]
    for section in sections.values():
        assert "**Show live:**" in section and "**Goes wrong:**" in section
        assert re.findall(r"^  (\d)\. \*.+[?.]\* ", section, re.MULTILINE) == ["1", "2", "3"], section[:80]
    assert set(re.findall(r"^\| (\d\d) ", page, re.MULTILINE)) >= set(sections)


def test_the_course_is_complete():
    for name in COURSE:
        assert (ROOT / "notebooks" / f"{name}.ipynb").exists()
        assert (ROOT / "notebooks" / "source" / f"{name}.py").exists()


def test_tests_have_no_network():
    with pytest.raises(OSError, match="must not use the network"):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
    with pytest.raises(OSError, match="must not use the network"):
        socket.getaddrinfo("example.org", 80)
