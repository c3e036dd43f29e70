# make setup | demo | test | soak | check | bench: each makes .venv and installs by itself.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
EXTRAS ?= annotate,curate,train,speed,ray,heif,dev
INSTALLED := $(VENV)/.installed
JOBS ?= 2

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-open test test-hub soak check bench bench-growth

help:
	@echo "make setup   make $(VENV) and install everything that the other targets need"
	@echo "make demo    a whole round of the loop on a drawn street (under 8 minutes)"
	@echo "make demo-open the same, and leave Label Studio and FiftyOne open on it"
	@echo "make test    the whole test suite"
	@echo "make test-hub the real checkpoints on one picture: fetches some 3 GB, skips without a hub"
	@echo "make soak    the kill tests alone, 50 rounds of each instead of 3 (20 of Label Studio's)"
	@echo "make check   ruff, format, mypy strict, layering"
	@echo "make bench   speed and memory, measured on this machine"
	@echo "make bench-growth what grows from 1,000 to 100,000 photos and from 10,000 to 1,000,000 garments"

setup: $(INSTALLED)

demo: $(INSTALLED)
	$(BIN)/garmentloop demo

demo-open: $(INSTALLED)
	$(BIN)/garmentloop demo --open

# One thread a worker: two workers with a thread pool each are slower than with one thread. A file's
# tests go to one worker, so that what they share is made once.
test: $(INSTALLED)
	OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive $(BIN)/pytest -q -n $(JOBS) --dist loadfile --no-loadscope-reorder

test-hub: $(INSTALLED)
	HF_HUB_OFFLINE=0 $(BIN)/pytest -q -m hub tests/hub

soak: $(INSTALLED)
	GARMENTLOOP_FAULT_ROUNDS=50 OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive \
	  $(BIN)/pytest -q -n $(JOBS) -m faults

check: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -q tests/test_layers.py

bench: $(INSTALLED)
	mkdir -p runs
	$(BIN)/python -m garmentloop.bench --json runs/bench.json

bench-growth: $(INSTALLED)
	mkdir -p runs
	$(BIN)/python -m garmentloop.bench growth --json runs/growth.json --plot runs/growth.svg

$(INSTALLED): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { \
	  echo "$(PYTHON) not found: sudo apt-get install python3 python3-venv make"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed, $(PYTHON) is $$($(PYTHON) -V 2>&1)." \
	       "Name a newer one: make PYTHON=python3.12 setup"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) cannot make environments: sudo apt-get install python3-venv"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --progress-bar off \
	  -c constraints.txt -e '.[$(EXTRAS)]'
	@touch $@
