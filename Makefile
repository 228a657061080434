PYTHON ?= python3
BIN := .venv/bin
SECONDS ?= 120

.PHONY: demo test check versions bench bench-gpu soak visitors figures screenshots push

demo: .venv/demo.stamp
	$(BIN)/python app.py

test: .venv/test.stamp
	$(BIN)/python -m pytest

check: .venv/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

versions: .venv/test.stamp
	.ci/versions

bench: .venv/test.stamp
	$(BIN)/python -m pytest benchmarks --benchmark-only

bench-gpu: .venv/test.stamp
	$(BIN)/python -m benchmarks.gpu_stages

soak: .venv/test.stamp
	$(BIN)/python -m tests.load.soak --seconds $(SECONDS)

visitors: .venv/test.stamp
	$(BIN)/python -m tests.load.crowd

figures: .venv/demo.stamp
	$(BIN)/python -m models

screenshots: .venv/test.stamp
	$(BIN)/python -m tests.browser.screenshots

# What is committed becomes the Space SPACE=OWNER/NAME, once `.venv/bin/hf auth login` knows you. The
# weights go by Git LFS or Xet, as the Space's own .gitattributes says: ours stays here.
push: .venv/demo.stamp
	rm -rf runs/space && mkdir -p runs/space && git archive HEAD | tar -x -C runs/space
	$(BIN)/hf upload $(SPACE) runs/space . --repo-type space --exclude .gitattributes --delete '*'

.venv/demo.stamp: requirements.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --requirement requirements.txt
	touch $@

.venv/test.stamp: requirements-dev.txt requirements-ray.txt requirements.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --requirement requirements-dev.txt
	command -v chromium || $(BIN)/playwright install chromium
	touch $@
