# Everything starts here. Each target sets up $(VENV) by itself the first time it is needed.
#   make demo                       make demo PYTHON=python3.12 VENV=.venv-3.12

PYTHON ?= python3
VENV ?= .venv
COURSE ?= .
PORT ?= 8000
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed-lock
PROJECT := $(VENV)/.installed-project
SOURCES := $(shell find autograder data_scripts playground -type f -not -name '*.pyc' 2>/dev/null)

# Full tests that disturb nobody and can bear company. The rest stop processes, fill disks, or wait
# for somebody by the clock.
SIDE_BY_SIDE := tests/autograder/rooms tests/notebooks tests/test_exercises.py \
  tests/kernels/test_same_outputs.py

# Installed where that is allowed, else named.
FIND_CHROMIUM := command -v chromium >/dev/null || command -v chromium-browser >/dev/null \
  || command -v google-chrome >/dev/null \
  || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
       && apt-get update -qq && apt-get install -y -qq chromium; } \
  || { echo "Chromium not found: these tests drive a browser. On Debian: sudo apt-get install chromium" >&2; exit 1; }

# Kernels and nbgrader look programs up on PATH; TensorFlow's own log lines help nobody here.
export PATH := $(abspath $(BIN)):$(PATH)
export TF_CPP_MIN_LOG_LEVEL ?= 2
# A virtual environment or a PYTHONPATH of the caller must not get mixed in.
unexport PYTHONPATH VIRTUAL_ENV PYTHONHOME PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo test test-all test-playground test-hub attacks preflight bench lint \
  format lab playground hub notebooks check lock clean
.DEFAULT_GOAL := help

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /	/' | expand -t 12

demo: $(PROJECT)  ## grade a sample class of a real lesson, end to end
	@$(BIN)/autograder demo

test: $(PROJECT)  ## the fast tests (under 10 minutes on 2 cores)
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m "not full"

test-all: $(PROJECT)  ## the rest: notebooks run whole, wrong answers, nbgrader's own commands, the demo
	$(BIN)/python -m pytest -m full -n 2 --dist loadgroup --durations=10 $(SIDE_BY_SIDE)
	$(BIN)/python -m pytest -m full --durations=10 $(addprefix --ignore=,$(SIDE_BY_SIDE))

attacks: $(PROJECT)  ## try every hostile submission on plain nbgrader and on ours (40 minutes)
	$(BIN)/python -m tests.attacks

preflight: $(PROJECT)  ## grade made-up submissions of every lesson, wrong answers too (11 minutes)
	@mend=0; for lesson in solutions/*/; do \
	  $(BIN)/autograder preflight "$$(basename "$$lesson")" \
	    || { code=$$?; [ $$code -ne 130 ] || exit $$code; mend=1; }; \
	done; exit $$mend

bench: $(PROJECT)  ## measure grading and kernels again (half an hour; leave the machine alone)
	$(BIN)/python -m benchmarks.kernels
	$(BIN)/python -m benchmarks.grading --keep
	$(BIN)/python -m benchmarks.tables

lint: $(PROJECT)  ## ruff: style and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(PROJECT)  ## let ruff rewrite the style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lab: $(PROJECT)  ## open the course in JupyterLab (COURSE=folder for another one)
	cd $(COURSE) && jupyter lab

playground: $(PROJECT)  ## draw a digit, look inside, step a convolution, teach a machine
	@$(BIN)/python -m playground

hub: $(PROJECT)  ## a JupyterHub on this machine, with invented people (PORT=8000)
	@$(BIN)/python -m hub.demo --port $(PORT)

test-playground: $(PROJECT)  ## the playground's tests, in a real browser
	@$(FIND_CHROMIUM)
	$(BIN)/python -m pytest tests/playground

test-hub: $(PROJECT)  ## the hub's tests: the way of a lesson, in a real browser
	@$(FIND_CHROMIUM)
	$(BIN)/python -m pytest tests/hub

notebooks: $(PROJECT)  ## build what changed in solutions/ and lessons/
	@$(BIN)/autograder build

check: $(PROJECT)  ## is every notebook what its text gives, and does nothing leak?
	@$(BIN)/autograder build --check

lock: $(INSTALLED)  ## resolve the versions again: requirements.lock and environment.yml
	$(BIN)/uv pip compile -q --upgrade --universal --python-version 3.11 --no-annotate --no-header \
	  --extra dev --extra hub pyproject.toml -o requirements.lock
	$(BIN)/python tests/environment_files.py --write

clean:  ## remove the environment and what the demo made
	rm -rf $(VENV) demo_class

setup: $(PROJECT)  ## only set up the environment

$(INSTALLED): requirements.lock
	@command -v $(PYTHON) >/dev/null || { echo "Python not found: '$(PYTHON)' is not on PATH. Install Python 3.11 or later, or name one: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else f"Python too old: $(PYTHON) is {v[0]}.{v[1]}; this course needs 3.11 or later. Name another one: make PYTHON=python3.12")'
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "No venv module: $(PYTHON) cannot make virtual environments. On Debian or Ubuntu: sudo apt-get install python3-venv" >&2; exit 1; }
	@echo "Setting up $(VENV) (once; TensorFlow and JupyterLab take a minute or two, 2 GB of disk) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check "uv>=0.9"
	@# uv does not read pip's settings: hand a mirror on. Where uv fails, pip may still succeed.
	@UV_DEFAULT_INDEX="$${UV_DEFAULT_INDEX:-$${PIP_INDEX_URL:-$$($(BIN)/pip config get global.index-url 2>/dev/null || true)}}"; \
	  if [ -n "$$UV_DEFAULT_INDEX" ]; then export UV_DEFAULT_INDEX; else unset UV_DEFAULT_INDEX; fi; \
	  $(BIN)/uv pip install -q --python $(BIN)/python --compile-bytecode -r requirements.lock \
	  || { echo "uv could not install everything; trying pip ..." >&2; \
	       $(BIN)/python -m pip install -q --disable-pip-version-check -r requirements.lock; }
	@touch $@

# The project is installed as a wheel, never in place: kernels must not see solutions/ or tests/.
$(PROJECT): $(INSTALLED) pyproject.toml README.md $(SOURCES)
	@$(BIN)/uv pip install -q --python $(BIN)/python --no-deps --no-build-isolation --compile-bytecode \
	  --reinstall-package cnn-course --refresh-package cnn-course . \
	  || $(BIN)/python -m pip install -q --no-deps --no-build-isolation --force-reinstall .
	@touch $@
