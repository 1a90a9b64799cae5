# make demo: install and show what gpen-fast does on examples/
#   with TORCH_INDEX=URL, torch comes from that index, such as PyTorch's of CPU builds (README, "Try it")
# make test: every test; tests that need a GPU skip without one
# make smoke: the tests of the whole path alone; for a second Python, with VENV=.venv-other PYTHON=python3.13
# make check: format, lint, types, figures of the structure
# make house: figures of the package's structure beside their limits
# make soak: 500 damaged files, each restored or named; 1000 random pictures through each PNG encoder; 100 runs in place
#   killed and undone; 100 runs killed and continued; a plan of 100,000 pictures; the memory of 20,000 in one run;
#   videos of 30 kinds, 30 runs of video killed, and its memory
# make formats: every format in and out, as independent readers see it (exiftool, pngcheck, ImageMagick where installed)
# make bench: time every stage and the PNG encoders on this machine, into out/benchmarks/; with COMMIT=1 this and the
#   other benchmarks write into benchmarks/results/, whose files are tracked
# make bench-detectors: the detectors beside facexlib's own call
# make bench-generator: the generator's backends on this machine, beside ONNX Runtime and OpenVINO where installed
# make bench-ci BASE=origin/main: this checkout beside another commit, in turns; fails on a regression
# make bench-gpu: every test and benchmark that needs a GPU, in under ten minutes; fails without one

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# A build of torch is newer for pip than the plain release of its number, so this index wins where it has one.
INDEX := $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX))
BENCH := $(if $(COMMIT),--commit)
# From file to file, and every package under it: loading, detection, network, encoders, command line. None of these
# tests needs OpenCV's cascades, which OpenCV 5 does not have.
SMOKE := tests/cli/test_piped.py tests/cli/test_start.py tests/cli/test_explain.py tests/cli/test_help.py tests/plugins \
	tests/settings tests/gpen/test_reference.py tests/gpen/folded tests/image tests/stages/load/test_base.py \
	tests/stages/detect/test_lite.py tests/stages/detect/test_yunet.py tests/stages/test_paste.py tests/png/test_encode.py

.PHONY: demo test smoke check house format soak formats bench bench-detectors bench-generator bench-ci bench-gpu clean

demo: $(VENV)/.demo-ready
	$(BIN)/python examples/demo.py

test: $(VENV)/.dev-ready
	$(BIN)/python -m pytest --cov --cov-report=term:skip-covered --cov-fail-under=85

smoke: $(VENV)/.test-ready
	$(BIN)/python -m pytest -q -p no:cacheprovider $(SMOKE)

check: $(VENV)/.dev-ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-actions action.yml
	$(BIN)/python benchmarks/redraw.py --check
	$(BIN)/python tests/support/house.py

house:
	@$(PYTHON) tests/support/house.py

format: $(VENV)/.dev-ready
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

soak: $(VENV)/.dev-ready
	GPEN_FAST_MUTANTS=500 $(BIN)/python -m pytest -s tests/project/test_mutants.py
	GPEN_FAST_PNG_PICTURES=1000 $(BIN)/python -m pytest tests/png -k random
	$(BIN)/python benchmarks/soak.py kills
	$(BIN)/python benchmarks/soak.py kills --devices cpu:2
	$(BIN)/python benchmarks/soak.py plan
	$(BIN)/python benchmarks/soak.py memory
	$(BIN)/python benchmarks/kills.py
	$(BIN)/python benchmarks/video_formats.py
	$(BIN)/python benchmarks/video_soak.py kills
	$(BIN)/python benchmarks/video_soak.py memory

formats: $(VENV)/.dev-ready
	$(BIN)/python tests/support/formats.py

bench: $(VENV)/.demo-ready
	$(BIN)/python benchmarks/stages.py $(BENCH)
	$(BIN)/python benchmarks/png.py $(BENCH)

bench-ci: $(VENV)/.demo-ready
	$(BIN)/python benchmarks/ci.py --base '$(or $(BASE),HEAD~1)'

bench-gpu: $(VENV)/.dev-ready
	$(BIN)/python benchmarks/gpu.py $(BENCH)

bench-detectors: $(VENV)/.demo-ready
	$(BIN)/python benchmarks/detectors.py $(BENCH)

bench-generator: $(VENV)/.demo-ready
	$(BIN)/python benchmarks/generator.py $(BENCH)

clean:
	rm -rf $(VENV) .venv-* out .pytest_cache .mypy_cache .ruff_cache .coverage

$(VENV)/.demo-ready: EXTRAS :=
$(VENV)/.test-ready: EXTRAS := [test]
$(VENV)/.dev-ready: EXTRAS := [dev]

# A stamp appears only after the install was seen to work, so an interrupted one is done again; what a first
# try leaves broken is made anew from nothing.
$(VENV)/.demo-ready $(VENV)/.test-ready $(VENV)/.dev-ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'gpen-fast needs Python 3.11 or later: make $(MAKECMDGOALS) PYTHON=python3.12'; exit 1; }
	@echo 'installing into $(VENV), a few minutes: $(or $(TORCH_INDEX),some 6 GB with CUDA; 1.5 GB with TORCH_INDEX)'
	@$(BIN)/python -c 'import pip' 2>/dev/null || $(PYTHON) -m venv --clear $(VENV)
	@$(PIP) install -q $(INDEX) -e '.$(EXTRAS)' && $(BIN)/python examples/probe.py || \
		{ echo 'incomplete: starting over with an empty $(VENV)'; \
		$(PYTHON) -m venv --clear $(VENV) && $(PIP) install -q $(INDEX) -e '.$(EXTRAS)' && $(BIN)/python examples/probe.py; }
	@touch $@
