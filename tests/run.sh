#!/usr/bin/env bash
# Runs Criterion test programs one after another; exit 1 when any failed. FILTER='suite/*' picks.
set -uo pipefail
failed=()
for test in "$@"; do
    echo "== ${test#build/}"
    timeout "${TEST_TIMEOUT:-300}" "$test" --jobs "${TEST_JOBS:-2}" ${FILTER:+--filter "$FILTER"} || failed+=("$test")
done
[ ${#failed[@]} -eq 0 ] && exit 0
printf 'FAILED: %s\n' "${failed[@]}" >&2
exit 1
