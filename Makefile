# Two commands matter: `make demo` shows Socle, `make test` proves it. `make` alone lists the others.
# A bare Debian 12 is enough: python3 (3.11 or later), python3-venv, make.

PYTHON ?= python3
VENV ?= .venv
PORT ?= 8000
WORKERS ?= 2
UV_VERSION := 0.13.9

# Nothing but the locked packages is ever fetched: no interpreter, no index named here.
export UV_PYTHON_DOWNLOADS := never
export UV_NO_MANAGED_PYTHON := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Behind a proxy that signs what passes, the authorities to trust are the system's.
ifneq ($(wildcard /etc/ssl/certs/ca-certificates.crt),)
export UV_SYSTEM_CERTS := 1
endif

py := $(VENV)/bin/python
stack := $(py) -m socle.stack
manage := $(py) platform/manage.py

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test tour season screens bench chaos shell codes lint format check lock clean

help: ## cette liste
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.run ## installe et lance la démonstration (PORT=8010 : autre port ; RESET=1 : repart de zéro)
	@$(stack) demo --port $(PORT) $(if $(RESET),--reset)

test: $(VENV)/.dev ## installe et exécute les tests de tous les jours (ALL=1 : tous ; ARGS="-k acte" : une partie ; ON=2028-02-29 : ce jour-là)
	@$(if $(ALL),$(py) -m socle.stack.browser)
	@$(if $(ON),SOCLE_TEST_DAY=$(ON) )$(py) -m pytest -n $(WORKERS) --dist loadgroup $(if $(ALL),,-m "not slow") $(ARGS)

tour: $(VENV)/.run ## le parcours complet d'une commune, sans navigateur (ARGS="--commune 79061")
	@$(stack) run -- $(manage) tour $(ARGS)

season: $(VENV)/.run ## remplit la démonstration de quelques semaines d'activité
	@$(stack) run -- $(manage) season

screens: $(VENV)/.dev ## photographie tous les écrans dans screens/
	@$(py) -m socle.stack.browser
	@$(stack) run -- $(manage) screens $(ARGS)

bench: $(VENV)/.dev ## mesure ce que coûtent les communes, en rapports (ARGS="deposit" : un seul chiffre)
	@$(py) -m tests.bench $(ARGS)

chaos: $(VENV)/.dev ## tue chaque partie pendant que des communes déposent, puis compte (KILLS=40 DEPOSITS=40 MINUTES=5 : un essai court)
	@$(py) -m tests.chaos $(foreach one,deposits kills poisoned seed minutes,$(chaos_$(one)))

chaos_deposits := $(if $(DEPOSITS),--deposits $(DEPOSITS))
chaos_kills := $(if $(KILLS),--kills $(KILLS))
chaos_poisoned := $(if $(POISONED),--poisoned $(POISONED))
chaos_seed := $(if $(SEED),--seed $(SEED))
chaos_minutes := $(if $(MINUTES),--minutes $(MINUTES))

shell: $(VENV)/.run ## un interpréteur Python branché sur la démonstration
	@$(stack) run -- $(manage) shell

codes: $(VENV)/.run ## les codes à six chiffres du moment, pour la démonstration
	@$(stack) run -- $(manage) demo_codes

lint: $(VENV)/.dev ## style et dépendances entre les couches
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/lint-imports

format: $(VENV)/.dev ## met le code en forme
	@$(VENV)/bin/ruff check --fix .
	@$(VENV)/bin/ruff format .

check: ## ce que vérifie l'intégration continue : lint et test
	@.ci/run

compile := $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
           --no-header --no-annotate
lock: $(VENV)/.uv ## recalcule requirements/ d'après pyproject.toml
	@$(compile) --group dev --group deploy --output-file requirements/dev.txt pyproject.toml
	@$(compile) --group embedded --constraints requirements/dev.txt --output-file requirements/run.txt pyproject.toml
	@$(compile) --constraints requirements/dev.txt --output-file requirements/prod.txt pyproject.toml
	@echo 'hatchling~=1.33' | $(compile) --constraints requirements/dev.txt --output-file requirements/build.txt -

clean: ## enlève l'environnement Python et les données de la démonstration et des tests
	@if [ -e $(VENV)/.run ] || [ -e $(VENV)/.dev ]; then $(stack) erase .demo .test; fi
	@rm -rf $(VENV) .demo .test screens dist .*_cache .hypothesis
	@find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +

# The Python environment. Each file below is a stamp: it is newer than what it was made from, or made again.

$(VENV)/.venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo \
	  "Socle demande Python 3.11 ou plus récent, et « $(PYTHON) » ne convient pas : installez-le, ou désignez-le par PYTHON=…" >&2; exit 1; }
	@echo "Création de l'environnement Python ($(VENV))…"
	@$(PYTHON) -m venv --clear $(VENV) || { rm -rf $(VENV); echo \
	  "L'environnement Python n'a pas pu être créé ; sous Debian, installez d'abord : apt-get install python3-venv" >&2; exit 1; }
	@$(py) -c 'import os, site; open(site.getsitepackages()[0] + "/socle.pth", "w").write(os.getcwd() + "\n" + os.path.join(os.getcwd(), "platform") + "\n")'
	@touch $@

# Without uv, pip installs the same locked packages, more slowly.
$(VENV)/.uv: $(VENV)/.venv
	@$(py) -m pip install --quiet uv==$(UV_VERSION) || echo "uv n'a pas pu être installé : pip le remplace, plus lentement."
	@touch $@

install = { [ -x $(VENV)/bin/uv ] && $(VENV)/bin/uv pip install --quiet --python $(py) --require-hashes -r $(1); } \
          || { echo "Installation par pip, plus lente…"; $(py) -m pip install --quiet --require-hashes -r $(1); } \
          || { echo "Les dépendances ($(1)) n'ont pas pu être installées : vérifiez l'accès au dépôt de paquets Python, puis recommencez." >&2; exit 1; }

$(VENV)/.run: requirements/run.txt $(VENV)/.uv
	@echo "Installation des dépendances (une demi-minute la première fois)…"
	@$(call install,$<)
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.uv
	@echo "Installation des dépendances et des outils de test (une minute la première fois)…"
	@$(call install,$<)
	@touch $@
