# Every target makes what it needs; a second call installs nothing.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

# The extra `curvature` without torchvision, which a dependency of curvlinops names and nothing here imports.
CURVATURE := curvlinops-for-pytorch backpack-for-pytorch einops einconv linear_operator opt_einsum tqdm unfoldNd

.PHONY: screenshots help setup demo gallery test check pytest lowest wheel release-check viewer viewer-test bench docs clean

help:
	@echo "make setup   an environment for work on lossatlas, in .venv"
	@echo "make demo    train, sample and map: writes demo/atlas.html, demo/atlas.png, demo/summary.json"
	@echo "make gallery all comparisons as a site: writes gallery/index.html; what is up to date is not made again"
	@echo "make test    all that CI runs"
	@echo "make check   formatting, lint, types"
	@echo "make lowest  the stages' tests at the lowest versions that pyproject.toml names, in .venv-lowest"
	@echo "make wheel   wheel and sdist, in dist"
	@echo "make release-check  the wheel in an environment of its own, in .venv-release, without and with torch; its extras"
	@echo "make viewer  build the page from viewer/ (needs Node 20 or later)"
	@echo "make bench   ours beside phate and TorchDR, as tables; options in BENCH=\"--quick\""
	@echo "make screenshots  the pictures of the page in docs/images, from the demo's runs"
	@echo "make docs    documentation, in docs/_build"
	@echo "make clean   remove what the targets made, the demo excepted"

setup: .venv/.test

.venv/.pip:
	$(PYTHON) -m venv .venv
	$(PIP) --upgrade "pip>=25.1"  # the first that knows dependency groups
	@touch $@

# The demo needs the package and torch; tests and docs need more.
.venv/.demo: .venv/.pip pyproject.toml constraints.txt
	$(PIP) -e ".[torch]"
	@touch $@

.venv/.gallery: .venv/.demo
	$(PIP) --no-deps $(CURVATURE)
	@touch $@

.venv/.test: .venv/.gallery
	$(PIP) -e ".[torch,compare,ray]" --group test --group reference
	@touch $@

.venv/.bench: .venv/.test
	$(PIP) --group bench
	$(PIP) --no-deps landscaper==1.3.1 topopy pyDOE==0.3.8
	@touch $@

.venv/.docs: .venv/.demo
	$(PIP) --group docs
	@touch $@

# Without constraints.txt, whose versions are the newest. The extras are there too, but for torchvision.
.venv-lowest/.installed: pyproject.toml constraints-lowest.txt
	$(PYTHON) -m venv .venv-lowest
	.venv-lowest/bin/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	.venv-lowest/bin/python -m pip install --quiet --disable-pip-version-check -c constraints-lowest.txt \
	  -e ".[torch,ray,compare,notebook]" --group core
	.venv-lowest/bin/python -m pip install --quiet --disable-pip-version-check -c constraints-lowest.txt --no-deps $(CURVATURE)
	@touch $@

viewer/node_modules/.installed: viewer/package-lock.json
	cd viewer && npm ci --silent --no-audit --no-fund
	@touch $@

demo: .venv/.demo
	$(BIN)/lossatlas demo -o demo

# With what the Hessian needs; a second call makes what is not up to date.
gallery: .venv/.gallery
	$(BIN)/lossatlas gallery -o gallery

check: .venv/.test
	$(BIN)/ruff format --check src tests benchmarks examples docs conftest.py
	$(BIN)/ruff check src tests benchmarks examples docs conftest.py
	$(BIN)/mypy

# The page's tests take the accessibility checker from viewer/; without npm they leave it out, save under CI. Python may write
# what it compiled: the tests begin hundreds of processes. There is a worker a processor, and threads of several would wait for
# each other: products of small matrices take four times as long.
pytest: export PYTHONDONTWRITEBYTECODE :=
pytest lowest: export OMP_NUM_THREADS := 1
pytest: .venv/.test
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory viewer/node_modules/.installed; fi
	$(BIN)/python -m pytest -n auto --dist loadfile --hypothesis-profile=same

# As users run it: the annotations are not executed, since the checker's oldest cannot, and what old packages warn of is theirs.
# Left out are other packages' callbacks and logs, the browser (its tests skip), the checker, and what the benchmarks measure
# beside ours.
NOT_LOWEST := $(addprefix tests/test_, benchmarks.py documents.py release.py typechecker.py)
LOWEST := $(filter-out $(NOT_LOWEST), $(wildcard tests/test_*.py)) \
  $(addprefix tests/, store distance embed measure draw record sample serve experiments)
lowest: .venv-lowest/.installed
	.venv-lowest/bin/python -m pytest -n auto --dist loadfile --hypothesis-profile=same -W default \
	  -o addopts="-ra --strict-markers --strict-config" -m "not reference" \
	  --ignore tests/record/test_callbacks.py --ignore tests/draw/test_log.py $(LOWEST)

# The wheel is made of the sdist, so that who builds from it has the same.
wheel: .venv/.test
	rm -rf dist
	$(BIN)/python -m build --no-isolation --outdir dist . >/dev/null
	@ls dist

# An environment with nothing but what the wheel asks for, and a PATH with nothing but that environment. Extras are resolved and
# not installed.
RELEASE := .venv-release/bin
TRY := env -i PATH="$(CURDIR)/$(RELEASE)" HOME="$(CURDIR)/dist" $(RELEASE)/python -I tests/installed.py
release-check: wheel
	rm -rf .venv-release dist/tried
	$(PYTHON) -m venv .venv-release
	$(RELEASE)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt dist/*.whl
	$(TRY) look dist/tried/look
	env -i PATH="$(CURDIR)/$(RELEASE)" lossatlas --version
	for extra in torch ray curvature compare notebook vision; do \
	  $(RELEASE)/python -m pip install --quiet --disable-pip-version-check --dry-run -c constraints.txt \
	    "lossatlas[$$extra] @ file://$$(ls $(CURDIR)/dist/*.whl)" && echo "extra $$extra resolves" || exit 1; \
	done
	$(RELEASE)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt \
	  "lossatlas[torch] @ file://$$(ls $(CURDIR)/dist/*.whl)"
	$(TRY) record dist/tried/record

viewer: viewer/node_modules/.installed
	cd viewer && npm run --silent build

# The committed page must be the one that viewer/ builds, byte for byte.
viewer-test: viewer/node_modules/.installed
	cd viewer && npm run --silent check && npm run --silent test
	cd viewer && npm run --silent build
	git diff --exit-code --stat -- src/lossatlas/draw/static

# Node is needed for work on the page alone: without it the page's own tests are left out, save under CI.
test: check pytest
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory viewer-test; \
	elif [ -n "$$CI" ]; then echo "npm is missing, and CI tests the page"; exit 1; \
	else echo "npm is missing: the page's own tests were left out"; fi

bench: .venv/.bench
	$(BIN)/python -m benchmarks $(BENCH)

# A second call of the demo goes on from what the first one wrote.
screenshots: .venv/.test demo
	$(BIN)/python docs/screenshots.py demo

docs: .venv/.docs
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going docs docs/_build

clean:
	rm -rf .venv .venv-lowest .venv-release docs/_build viewer/node_modules .pytest_cache .mypy_cache .ruff_cache .hypothesis dist
	find src tests benchmarks -name __pycache__ -prune -exec rm -rf {} +
