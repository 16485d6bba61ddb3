# Every target does its own set-up; `make help` lists them.
MAKEFLAGS += --no-print-directory
PYTHON3 ?= python3
RUN := $(PYTHON3) local/bootstrap.py
.DEFAULT_GOAL := help
.PHONY: help demo test test-faults up down clean status send archive run redrive erase sql sql-render lint fmt check check-all bench sbom lock docs plan-check plan-import plan-export plan-diff plan-suggest plan-rebuild plan-rederive sources-check sources-compile source-key check-config migrate mwaa-zip env-from-stack live collector-check

# Passed as they are, so that quotes and dollar signs in a query reach Trino unharmed.
export CLICKSTREAM_SQL = $(value Q)
export CLICKSTREAM_FILE = $(value FILE)
export CLICKSTREAM_DAYS = $(value DAYS)
export CLICKSTREAM_OUT = $(value OUT)
export CLICKSTREAM_WAIT = $(value WAIT)
export CLICKSTREAM_TESTS = $(value TESTS)
export CLICKSTREAM_LEVEL = $(value LEVEL)
export CLICKSTREAM_REDRIVE_SOURCE = $(value SOURCE)
export CLICKSTREAM_SOURCE = $(value SOURCE)
export CLICKSTREAM_FROM = $(value FROM)
export CLICKSTREAM_TO = $(value TO)
export CLICKSTREAM_QUICK = $(value QUICK)
export CLICKSTREAM_FULL = $(value FULL)
export CLICKSTREAM_ONLY = $(value ONLY)
export CLICKSTREAM_STACK = $(value STACK)
export CLICKSTREAM_EVENT = $(value EVENT)
export CLICKSTREAM_MATCH = $(value MATCH)
export CLICKSTREAM_PII = $(value PII)
export CLICKSTREAM_FUNCTION = $(value FUNCTION)
export CLICKSTREAM_USER_ID = $(value USER_ID)
export CLICKSTREAM_ANONYMOUS_ID = $(value ANONYMOUS_ID)
export CLICKSTREAM_INCLUDE = $(value INCLUDE)
export CLICKSTREAM_EXCLUDE = $(value EXCLUDE)
export CLICKSTREAM_REDRIVE_DRY_RUN = $(value DRY_RUN)

help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

demo: ## start everything, send a day of events, load them, show the result
	@$(RUN) demo

test: ## all tests but the slow ones; LEVEL=unit (sql, end_to_end, faults), or TESTS="tests/lambdas -k depth", runs a part
	@$(RUN) test

test-faults: ## all fault tests, the slow ones too: about an hour
	@$(RUN) test-faults

up: ## start the local AWS, the collector, Trino and Airflow, deploy lambdas/template.yaml
	@$(RUN) up

down: ## stop them, keep their state
	@$(RUN) down

clean: ## stop them, delete their state
	@$(RUN) clean

status: ## what runs where
	@$(RUN) status

send: ## FILE=x.ndjson sends each line as one Kinesis record; WAIT=1 returns when all of it is staged
	@$(RUN) send

archive: ## FILE=x.ndjson writes each line to the archive, as Segment's S3 destination does
	@$(RUN) archive

run: ## crawl and patch, load everything staged, print the run report
	@$(RUN) run

redrive: ## count what was refused, SOURCE=processing-failed, refused or rejects, FROM=, TO=; DRY_RUN=0 sends it again
	@$(RUN) redrive

erase: ## count what there is of a person, by USER_ID=, ANONYMOUS_ID= or both; INCLUDE=, EXCLUDE= ids; DRY_RUN=0 erases it
	@$(RUN) erase

live: ## print events as they arrive, accepted and refused: SOURCE=, MATCH= (text or JSON), FROM=, TO=, FULL=1; PII=show unmasks
	@$(RUN) live

collector-check: ## compare what the collector accepted with what was loaded, by hour: FROM=, TO=, FUNCTION=
	@$(RUN) collector-check

sql: ## Q="select ..." prints CSV; without Q opens a prompt
	@$(RUN) sql

sql-render: ## print FILE=lake/events/load.sql of include/sql as Trino gets it, with sample values; without FILE, list the files
	@$(RUN) sql-render

env-from-stack: ## print the CLICKSTREAM_* settings of a deployed stack, STACK=clickstream, for Airflow's environment
	@$(RUN) env-from-stack

plan-check: ## report every mistake in include/tracking_plan.yaml, with its line
	@$(RUN) plan-check

plan-import: ## FILE=plan.json adds the events of a Segment tracking plan, or of a JSON Schema, that the plan lacks
	@$(RUN) plan-import

plan-export: ## print the plan as the JSON of Segment Protocols
	@$(RUN) plan-export

plan-diff: ## show how what was sent in the last DAYS (7) differs from the plan
	@$(RUN) plan-diff

plan-suggest: ## print entries for what was sent in the last DAYS (7) and is not in the plan, or write them to OUT=file
	@$(RUN) plan-suggest

plan-rebuild: ## rebuild typed tables as the plan is now, for what was received FROM= TO=; EVENT= takes one event
	@$(RUN) plan-rebuild

plan-rederive:
	@echo "clickstream: make plan-rederive is now make plan-rebuild" >&2; exit 1

sources-check: ## report every mistake in include/sources.yaml, with its line
	@$(RUN) sources-check

sources-compile: ## print the object that the collector reads, or write it to OUT=file
	@$(RUN) sources-compile

source-key: ## make a write key for SOURCE=, and the entry for include/sources.yaml
	@$(RUN) source-key

check-config: ## check settings, Airflow, AWS, Trino and tables; each finding has its fix
	@$(RUN) check-config

migrate: ## upgrade tables of an earlier version; print the changes: docs/runbooks/upgrade.md
	@$(RUN) migrate

mwaa-zip: ## write plugins.zip for Amazon MWAA, or OUT=file: docs/existing-airflow.md
	@$(RUN) mwaa-zip

lint: ## ruff, sqlfluff, mypy, hadolint, checkov, the schema of docker-compose.yaml
	@$(RUN) lint

fmt: ## format Python and SQL
	@$(RUN) fmt

check: ## what CI runs: lint, then test
	@bash .ci/run

check-all: ## lint, and every test
	@$(RUN) check-all

bench: ## compare what things cost, write docs/performance.md; QUICK=1 takes little data, FULL=1 much, ONLY= one benchmark
	@$(RUN) bench

docs: ## write docs/tables.md, settings.md, promises.md and the tables of runbooks/cost.md from their sources
	@$(RUN) docs

sbom: ## write airflow.cdx.json: every package that runs in Airflow, with version and hashes (CycloneDX)
	@$(RUN) sbom

lock: ## update requirements/*.lock
	@$(RUN) lock
