#!/usr/bin/env bash
# Runs the tests of the status page in Debian's Chromium; screenshots into FOLDER. Where there is
# no Chromium they are skipped loudly; with REQUIRE_CHROMIUM=1 that is an error.
set -uo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
folder=$1
shift
for program in chromium chromedriver python3; do
    command -v "$program" >/dev/null && continue
    if [ "${REQUIRE_CHROMIUM:-}" = 1 ]; then
        echo "ERROR: the page's tests cannot run: there is no $program; ./build.sh install page" >&2
        exit 1
    fi
    echo "SKIPPED: the page's tests (no $program; ./build.sh install page)" >&2
    exit 0
done
PYTHONDONTWRITEBYTECODE=1 timeout "${TEST_TIMEOUT:-900}" python3 "$here/page_test.py" "$folder" "$@" ||
    exit 1
echo "screenshots: $folder"
