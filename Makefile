# Two commands for a newcomer: `make run` and `make test`. Each does all its own set-up.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: run test test-fast lint bench chaos chaos-long protos lock clean

run: $(VENV)/.ready  ## set up, play the demo conversation; on a terminal, go on into the chat
	@$(BIN)/pyloto demo
	@if [ -t 0 ] && [ -t 1 ]; then $(BIN)/pyloto chat; fi

test: $(VENV)/.ready-dev  ## unit, contract, integration and e2e; starts RabbitMQ when it can, and says what it skipped
	@scripts/ensure-rabbitmq
	@$(BIN)/python -m pytest -m "not chaos"

test-fast: $(VENV)/.ready-dev  ## what takes seconds and starts no process
	@$(BIN)/python -m pytest -m "not chaos and not e2e and not rabbitmq" -q

lint: $(VENV)/.ready-dev  ## style, types, import rules, protos up to date
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy .
	@$(BIN)/lint-imports
	@$(BIN)/python -m protos.generate --check

bench: $(VENV)/.ready-dev  ## load: throughput, latency, cost per message
	@scripts/ensure-rabbitmq
	@$(BIN)/pyloto bench

chaos: $(VENV)/.ready-dev  ## faults under load, the short form (about 2 minutes)
	@scripts/ensure-rabbitmq
	@$(BIN)/pyloto chaos --messages 1500

chaos-long: $(VENV)/.ready-dev  ## faults under load, 10 000 messages
	@scripts/ensure-rabbitmq
	@$(BIN)/pyloto chaos --messages 10000

protos: $(VENV)/.ready-dev  ## regenerate the code beside the .proto files
	@$(BIN)/python -m protos.generate

lock: $(VENV)/.ready-dev  ## renew the pinned versions
	@$(BIN)/pip install --quiet uv
	@$(BIN)/uv pip compile --quiet --no-header --no-emit-index-url --no-emit-find-links --extra dev --extra train \
		--python-version 3.11 pyproject.toml -o requirements.lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build *.egg-info

$(VENV)/.ready: pyproject.toml requirements.lock
	@scripts/make-venv $(PYTHON) $(VENV) all
	@touch $@

$(VENV)/.ready-dev: pyproject.toml requirements.lock
	@scripts/make-venv $(PYTHON) $(VENV) dev
	@touch $@ $(VENV)/.ready
