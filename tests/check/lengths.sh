#!/usr/bin/env bash
# Functions of at most 80 lines (tables in them aside), files of 500, lines of 100 columns.
set -uo pipefail
. tests/check/tree.sh
files '*.c' '*.h' | LC_ALL=C xargs awk '
function ends_file() {
    if (name && lines > 500)
        wrong(name, lines, "the file is longer than 500 lines")
}
function wrong(file, line, what) {
    print file ":" line ": " what
    bad = 1
}
FNR == 1 { ends_file(); start = table = 0 }
{
    name = FILENAME
    lines = FNR
    columns = $0
    gsub(/[\200-\277]/, "", columns) # the further bytes of UTF-8 characters
    if (length(columns) > 100)
        wrong(FILENAME, FNR, "the line has " length(columns) " columns, more than 100")
}
/^{$/ { start = FNR; tables = 0 } # as clang-format has it: only a function begins and ends so
start && /^ +.* = \{$/ { table = FNR }
table && /^ +\};$/ { tables += FNR - table + 1; table = 0 }
start && /^}$/ {
    if (FNR - start + 1 - tables > 80)
        wrong(FILENAME, start, "the function has " FNR - start + 1 - tables " lines, more than 80")
    start = 0
}
END { ends_file(); exit bad }'
