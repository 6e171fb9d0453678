# make install: .venv with everything.  make test: all that can run here.  make lab-demo: see a real migration.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --warn-undefined-variables --no-builtin-rules

PYTHON ?= python3
LAB ?= demo
BIN := .venv/bin
STAMP := .venv/.installed
OUTPUT := build/test-output
export CRI_SWITCH_TEST_OUTPUT := $(CURDIR)/$(OUTPUT)

.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16

.PHONY: install
install: $(STAMP) ## .venv with everything (anew only when pyproject.toml or requirements.lock changed)

$(STAMP): pyproject.toml requirements.lock | python-system
	[ -x $(BIN)/python ] || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements.lock -e '.[dev]'
	touch $@

# Debian's python3 can make no venv without python3-venv.
.PHONY: python-system
python-system:
	@if [ ! -x $(BIN)/python ] && ! $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null; then
		tests/apt-install python3-venv
	fi

.PHONY: system
system: ## the Debian packages that the tests need (as root)
	@tests/apt-install chromium chromium-driver openssh-client openssh-server sudo

.PHONY: lock
lock: install ## write requirements.lock from .venv
	$(BIN)/python -m pip freeze --exclude-editable --disable-pip-version-check > requirements.lock

.PHONY: test
test: system install ## lint, unit, then rehearsal, prefect and browser with, where the lab can run, lab tests beside
	$(MAKE) lint
	$(MAKE) test-unit
	if why=$$($(BIN)/python -m tests.lab_support); then
		$(MAKE) -j2 --output-sync=target test-simulated test-lab
	else
		echo "the lab's tests are left out: $$why" >&2
		$(MAKE) test-simulated
	fi

# One after the other, each telling of itself when it ends; the others are run where one fails, which fails them all.
define each-of
failed=
for suite in $(2); do
	$(1) $$suite || failed="$$failed $$suite"
done
[ -z "$$failed" ] || { echo "failed:$$failed" >&2; exit 1; }
endef

# A lab mostly waits for kubelets: these run beside it.
.PHONY: test-simulated
test-simulated: install ## rehearsal, prefect, browser
	$(call each-of,$(MAKE),test-rehearsal test-prefect test-browser)

.PHONY: lint
lint: install ## ruff, mypy, the import directions
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: test-unit
test-unit: install ## pure modules, no network
	$(BIN)/pytest tests/unit

.PHONY: test-rehearsal
test-rehearsal: install ## migrations of simulated clusters: drawn settings and faults, the demo
	$(BIN)/pytest tests/rehearsal tests/twin/test_list.py -m "not slow"

.PHONY: test-prefect
test-prefect: install ## a real Prefect server and worker
	$(BIN)/pytest tests/prefect -m "prefect and not slow"

.PHONY: test-browser
test-browser: install ## Prefect's run form in Chromium
	$(BIN)/pytest tests/prefect -m browser

.PHONY: pictures
pictures: system install ## docs/images: the UI of a rehearsal run, help and plan on a terminal, taken anew by their tests
	$(BIN)/pytest tests/prefect/test_ui_pictures.py tests/prefect/test_cli_pictures.py -m browser
	mkdir -p docs/images
	cp $(OUTPUT)/ui-*.png $(OUTPUT)/cli-*.png docs/images/

.PHONY: test-lab
test-lab: install ## migrations of real kubeadm clusters, one control plane and three, then one broken at chosen steps (root)
	$(BIN)/python -m tests.lab_support
	# e2e3 last: its probe of the API is judged to the single answer, and by now nothing runs beside
	$(call each-of,$(MAKE),test-e2e test-faults test-e2e3)

.PHONY: test-e2e
test-e2e: install
	$(BIN)/pytest tests/e2e -m "lab and not slow"

.PHONY: test-faults
test-faults: install
	$(BIN)/pytest tests/faults --ignore tests/faults/three -m "lab and not slow"

.PHONY: test-e2e3
test-e2e3: install
	$(BIN)/pytest tests/e2e3 -m "lab and not slow"

.PHONY: test-lab-all
test-lab-all: install ## the same with everything that takes long
	$(BIN)/python -m tests.lab_support
	$(BIN)/pytest tests/e2e
	$(BIN)/pytest tests/e2e3
	$(BIN)/pytest tests/e2e12
	$(BIN)/pytest tests/faults --ignore tests/faults/three
	$(BIN)/pytest tests/faults/three
	$(BIN)/pytest tests/twin/test_twins.py
	$(BIN)/pytest tests/prefect -m "prefect and slow"
	$(BIN)/pytest tests/kills
	$(BIN)/pytest tests/rehearsal -m slow
	# without pytest's keeping of the log: it would be gigabytes of one long test
	CRI_SWITCH_REHEARSALS=1000 $(BIN)/pytest tests/rehearsal/test_invariants_hold.py -p no:logging
	CRI_SWITCH_KILLS=500 $(BIN)/pytest tests/rehearsal/test_killed_anywhere.py -p no:logging

.PHONY: lab-demo
lab-demo: install ## build a real cluster, migrate it, show before and after, take it down
	$(BIN)/python -m tests.lab_support
	trap '$(BIN)/python -m tests.lab down --name $(LAB)' EXIT
	directory=$$($(BIN)/python -m tests.lab up --name $(LAB) --control-planes 1 --workers 2 | tail -n 1)
	inside=($(BIN)/python -m tests.lab exec --name $(LAB) --)
	"$${inside[@]}" kubectl get nodes -o wide
	XDG_STATE_HOME="$$directory/state" "$${inside[@]}" $(CURDIR)/$(BIN)/cri-switch migrate -f "$$directory/migration.yaml" --yes
	"$${inside[@]}" kubectl get nodes -o wide

.PHONY: docs
docs: install ## write the pages that are made: commands, settings, findings
	$(BIN)/python -m cri_switch.cli.pages docs/commands
	$(BIN)/python -m cri_switch.model.settings_page > docs/settings.md
	$(BIN)/python -m cri_switch.checks.catalogue > docs/findings.md

.PHONY: demo
demo: install ## migrate a simulated cluster by the real flow: no root, no server, nothing real is touched
	$(BIN)/cri-switch demo

.PHONY: clean
clean: ## what was built here; labs are left alone
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
