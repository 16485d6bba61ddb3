#!/usr/bin/env bash
# Writes requirements/*.lock from *.in, and each package-lock.json: hashes, every platform, no address of a registry.
# `make lock` runs it.
set -euo pipefail
cd "$(dirname "$0")"
uv=${UV:-../.venv/uv/bin/uv}
for name in uv local airflow lint bench; do
  "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
    --no-header --upgrade --output-file "$name.lock" "$name.in"
done
# The tests, and Airflow in a container, run with exactly what Airflow runs with.
for name in test airflow-docker; do
  "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
    --no-header --constraints airflow.lock --output-file "$name.lock" "$name.in"
done
for folder in ../local/shop ../tests/collector/sdks/node; do
  (cd "$folder" && rm package-lock.json && npm install --package-lock-only --omit-lockfile-registry-resolved --ignore-scripts --no-audit --no-fund)
done
