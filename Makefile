# Everything works from a fresh clone with Python 3.11.5 or newer, git and make. See `make help`; without make: python -m tools.

PYTHON ?= python3 python3.13 python3.12 python3.11
VENV_PYTHON := .venv/bin/python
INSTALLED := .venv/.installed
GRADER := .venv/.grader
NEW_ENOUGH := sys; sys.exit(sys.version_info < (3, 11, 5))

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help lab test run notebooks sync slides release grade bench results tables lint format constraints clean

# Notebooks run in notebooks/, so a data root given relative to this folder is made absolute.
ifdef AAE_DATA
override AAE_DATA := $(if $(filter /%,$(firstword $(AAE_DATA))),$(AAE_DATA),$(CURDIR)/$(AAE_DATA))
export AAE_DATA
endif
# Figures go into the notebook, whatever this shell draws with.
unexport MPLBACKEND

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

lab: $(INSTALLED) ## open the course in JupyterLab (LAB="--no-browser" and the like are passed on)
	$(VENV_PYTHON) -m jupyterlab $(LAB) notebooks/00_start_here.ipynb

test: $(INSTALLED) ## lint, unit tests and every notebook, offline, in the smoke profile
	$(VENV_PYTHON) -m tools test

run: $(INSTALLED) ## execute a notebook into build/, e.g. make run NB=02 AAE_PROFILE=smoke
	$(VENV_PYTHON) -m tools run $(NB)

notebooks: $(INSTALLED) ## rebuild notebooks/*.ipynb from notebooks/source on real data (NB=02: only that one)
	$(VENV_PYTHON) -m tools notebooks $(NB)

sync: $(INSTALLED) ## bring edited sources into notebooks/*.ipynb without executing (NB=02: only that one)
	$(VENV_PYTHON) -m tools sync $(NB)

slides: $(INSTALLED) ## make slides of a notebook in build/, one page that needs no network, e.g. make slides NB=02
	$(VENV_PYTHON) -m tools slides $(NB)

release: $(GRADER) ## make what students are handed out and hand in, in build/grading/release, e.g. make release NB=02
	$(VENV_PYTHON) -m tools release $(NB)

grade: $(GRADER) ## grade FOLDER/STUDENT/NAME.ipynb into FOLDER/grades.csv; it runs what students wrote, so do it in a container
	$(VENV_PYTHON) -m tools grade $(FOLDER)

bench: $(INSTALLED) ## measure speeds, on an idle machine, in one table (BENCH="growth parzen_speed" for some, "--write" keeps it)
	$(VENV_PYTHON) -m tools bench $(BENCH)

results: $(INSTALLED) ## measure the stored systems anew, beside their records (needs the datasets)
	$(VENV_PYTHON) -m tools results

tables: $(INSTALLED) ## write the tables of results in README.md anew from results/
	$(VENV_PYTHON) -m tools tables

lint: $(INSTALLED) ## look for mistakes and for code that is not formatted
	$(VENV_PYTHON) -m tools lint

format: $(INSTALLED) ## format the code and repair what can be repaired
	$(VENV_PYTHON) -m tools format

constraints: $(INSTALLED) ## renew constraints.txt with today's newest versions; then run make test
	$(VENV_PYTHON) -m tools constraints

clean: ## remove everything that was installed or generated; datasets stay
	rm -rf .venv build .pytest_cache .ruff_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# nbgrader, which only a lecturer needs.
$(GRADER): $(INSTALLED)
	$(VENV_PYTHON) -m pip install --disable-pip-version-check -c constraints.txt -e ".[grading]"
	@touch $@

# What was installed knows the folder it lies in. Where that has been moved, it is installed anew.
ifneq ($(shell cat $(INSTALLED) 2>/dev/null),$(CURDIR))
.PHONY: $(INSTALLED)
endif

# The stamp is written last, so that an installation that was interrupted is taken up again.
$(INSTALLED): pyproject.toml constraints.txt
	@rm -f $@
	@$(VENV_PYTHON) -c 'import pip, $(NEW_ENOUGH)' 2>/dev/null || { \
		for python in $(PYTHON); do \
			$$python -c 'import ensurepip, venv, $(NEW_ENOUGH)' 2>/dev/null || continue; \
			rm -rf .venv && $$python -m venv .venv && exit; \
		done; \
		echo "error: there is no Python 3.11.5 or newer with venv among: $(PYTHON); install one (on Debian" \
			"and Ubuntu with the package python3-venv too) or name it: make PYTHON=/path/to/python3 lab" >&2; \
		exit 1; \
	}
	$(VENV_PYTHON) -m pip install --disable-pip-version-check -c constraints.txt -e ".[lab,test]"
	@echo "$(CURDIR)" > $@
