#!/bin/sh
# Mutation testing of cds_service/clinical and cds_service/normalization: see docs/mutation-testing.md.
# Works on a copy, with an environment of its own; the checkout is not changed.
# Usage: tests/mutation/run.sh [FOLDER]   (default: a new temporary folder, which stays for `mutmut show`)
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
work=${1:-$(mktemp -d)}
python=$("$root/.ci/find-python")
mkdir -p "$work/tree"
work=$(cd "$work" && pwd)

[ -x "$work/venv/bin/mutmut" ] || {
    "$python" -m venv --clear "$work/venv"
    "$work/venv/bin/python" -m pip --disable-pip-version-check --quiet install \
        --require-hashes --only-binary :all: -r "$root/requirements-dev.lock"
    "$work/venv/bin/python" -m pip --disable-pip-version-check --quiet install \
        --constraint "$root/tests/mutation/constraints.txt" mutmut
}

# A folder used before keeps mutmut's results, and only functions that changed are tried anew. Changed tests do not
# make it forget: for a full run take a new folder.
rm -rf "$work/tree/cds_service" "$work/tree/fhir_mappings" "$work/tree/tests"
cp -Rp "$root/cds_service" "$root/fhir_mappings" "$root/tests" "$root/pyproject.toml" "$work/tree"
cp "$root/tests/mutation/mutmut.cfg" "$work/tree/setup.cfg"
cd "$work/tree"
rm -rf mutants/tests

echo "Functions, by mutmut (results in $work/tree; one mutant: $work/venv/bin/mutmut show NAME)"
"$work/venv/bin/mutmut" run --max-children "${PROCESSES:-2}" >"$work/mutmut.log" 2>&1 || {
    tail -n 40 "$work/mutmut.log"
    exit 1
}
"$work/venv/bin/mutmut" results
"$work/venv/bin/mutmut" export-cicd-stats
cat mutants/mutmut-cicd-stats.json

echo "What stands outside functions"
"$work/venv/bin/python" -m tests.mutation.constants \
    tests/unit/clinical tests/unit/normalization --ignore=tests/unit/normalization/test_properties.py \
    --ignore=tests/unit/normalization/test_growth.py
