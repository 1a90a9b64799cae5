# make demo: install and show what gpen-fast does on examples/
# make test: every test; tests that need a GPU skip without one
# make check: format, lint, types, figures of the structure
# make house: figures of the package's structure beside their limits
# make soak: 500 damaged files, each restored or named; 1000 random pictures through each PNG encoder
# make formats: every format in and out, as independent readers see it (exiftool, pngcheck, ImageMagick where installed)
# make bench: time every stage and the PNG encoders on this machine, into benchmarks/results/
# make bench-detectors: the detectors beside facexlib's own call
# make bench-generator: the generator's backends on this machine, beside ONNX Runtime and OpenVINO where installed
# make bench-gpu: every test and benchmark that needs a GPU, in under ten minutes; fails without one

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: demo test check house format soak formats bench bench-detectors bench-generator bench-gpu clean

demo: $(VENV)/.demo-ready
	$(BIN)/python examples/demo.py

test: $(VENV)/.dev-ready
	$(BIN)/python -m pytest --cov --cov-report=term:skip-covered --cov-fail-under=85

check: $(VENV)/.dev-ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python tests/support/house.py

house:
	@$(PYTHON) tests/support/house.py

format: $(VENV)/.dev-ready
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

soak: $(VENV)/.dev-ready
	GPEN_FAST_MUTANTS=500 $(BIN)/python -m pytest -s tests/project/test_mutants.py
	GPEN_FAST_PNG_PICTURES=1000 $(BIN)/python -m pytest tests/png -k random

formats: $(VENV)/.dev-ready
	$(BIN)/python tests/support/formats.py

bench: $(VENV)/.demo-ready
	$(BIN)/python benchmarks/stages.py
	$(BIN)/python benchmarks/png.py

bench-gpu: $(VENV)/.dev-ready
	$(BIN)/python benchmarks/gpu.py

bench-detectors: $(VENV)/.demo-ready
	$(BIN)/python benchmarks/detectors.py

bench-generator: $(VENV)/.demo-ready
	$(BIN)/python benchmarks/generator.py

clean:
	rm -rf $(VENV) out .pytest_cache .mypy_cache .ruff_cache .coverage

$(VENV)/.demo-ready: EXTRAS :=
$(VENV)/.dev-ready: EXTRAS := [dev]

# A stamp appears only after the install was seen to work, so an interrupted one is done again; what a first
# try leaves broken is made anew from nothing.
$(VENV)/.demo-ready $(VENV)/.dev-ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'gpen-fast needs Python 3.11 or later: make $(MAKECMDGOALS) PYTHON=python3.12'; exit 1; }
	@echo 'installing into $(VENV): some 6 GB with CUDA, a few minutes'
	@$(BIN)/python -c 'import pip' 2>/dev/null || $(PYTHON) -m venv --clear $(VENV)
	@$(PIP) install -q -e '.$(EXTRAS)' && $(BIN)/python examples/probe.py || \
		{ echo 'incomplete: starting over with an empty $(VENV)'; \
		$(PYTHON) -m venv --clear $(VENV) && $(PIP) install -q -e '.$(EXTRAS)' && $(BIN)/python examples/probe.py; }
	@touch $@
