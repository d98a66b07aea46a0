#!/usr/bin/env bash
# Every header compiles alone, so it includes what it needs.
set -uo pipefail
. tests/check/tree.sh
bad=0
for header in $(files '*.h'); do
    ${CC:-cc} "${flags[@]}" -Wall -Wextra -Werror -fsyntax-only -x c - <<<"#include \"$header\"" ||
        bad=1
done
exit $bad
