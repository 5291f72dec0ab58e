# make lab   opens the course in JupyterLab      make test      runs the tests
# make site  builds the course as a site         make browser   tests it, and JupyterLab, in Chromium
# make bench measures the layers beside PyTorch, and draws it
# Both set up a virtual environment in .venv first; running them again is quick.

PYTHON ?= python3
UV ?= $(shell command -v uv)
LAB_FLAGS ?=
BIN := .venv/bin
# uv, where it is installed, does in seconds what pip does in a minute. UV= chooses pip.
ifneq ($(UV),)
VENV := $(UV) venv --quiet --seed --python $(PYTHON)
INSTALL := $(UV) pip install --quiet --python $(BIN)/python
else
VENV := $(PYTHON) -m venv
INSTALL := $(BIN)/python -m pip install --quiet
endif
# The course's matrices are small: one thread is quicker, and leaves the other cores to what runs beside.
export OPENBLAS_NUM_THREADS = 1
# The tests start a hundred Pythons, and each would compile all that it imports again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: lab test lint notebooks site lite browser bench clean

lab: .venv/learner
	$(BIN)/jupyter lab --LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb $(LAB_FLAGS)

test: .venv/dev
	$(BIN)/pytest --nbval -n auto --dist loadfile tests notebooks solutions

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

notebooks: .venv/dev
	$(BIN)/python tools/pack_explorers.py
	$(BIN)/python tools/execute.py
	$(BIN)/cnnlib release

site: .venv/site
	$(BIN)/python tools/site.py

lite: .venv/lite
	$(BIN)/python tools/lite.py

browser: .venv/site
	$(INSTALL) -e '.[browser]'
	$(BIN)/pytest tests/browser -rs

bench: .venv/learner
	$(INSTALL) -e '.[bench]'
	$(BIN)/python benchmarks/measure.py
	$(BIN)/python benchmarks/report.py

clean:
	rm -rf .venv build

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else f"This course needs Python 3.11 or newer; {sys.executable} is {sys.version.split()[0]}. Try: make PYTHON=python3.11")'
	$(VENV) .venv

.venv/learner: .venv/bin/python requirements.txt pyproject.toml
	$(INSTALL) -r requirements.txt
	touch $@

.venv/dev: .venv/learner
	$(INSTALL) -e '.[dev]'
	touch $@

.venv/site: .venv/dev
	$(INSTALL) -e '.[site]'
	touch $@

.venv/lite: .venv/dev
	$(INSTALL) -e '.[lite]'
	touch $@
