PYTHON ?= python3
BIN := .venv/bin
SECONDS ?= 120

.PHONY: demo test check bench bench-gpu soak visitors figures screenshots

demo: .venv/demo.stamp
	$(BIN)/python app.py

test: .venv/test.stamp
	$(BIN)/python -m pytest

check: .venv/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .

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

.venv/demo.stamp: requirements.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --requirement requirements.txt
	touch $@

.venv/test.stamp: requirements-dev.txt requirements-ray.txt requirements.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --requirement requirements-dev.txt
	command -v chromium || $(BIN)/playwright install chromium
	touch $@
