#!/usr/bin/env bash
# Functions that are not called. A line may say why it must, naming the one:
#     copy = malloc(size); /* allow malloc: librdkafka frees it */
set -uo pipefail
. tests/check/tree.sh
files '*.c' '*.h' | xargs awk '
BEGIN {
    all = "strcpy strcat sprintf vsprintf gets strtok atoi atol system popen sleep usleep "
    memory = "malloc calloc realloc strdup strndup asprintf vasprintf "
}
FNR == 1 { # per file
    names = all
    if (FILENAME != "connector/base/xalloc.c")
        names = names memory
    if (FILENAME !~ /main\.c$|^connector\/(program\/|base\/option)|^tests\//)
        names = names "getenv secure_getenv"
    count = split(names, name, " ")
    comment = 0
}
{
    code = bare($0)
    for (i = 1; i <= count; i++)
        if (match(code, "(^|[^A-Za-z0-9_.>])" name[i] " *\\(") && !index($0, "allow " name[i] ":")) {
            print FILENAME ":" FNR ": " name[i] " is banned"
            bad = 1
        }
}
# A line without its comments and texts.
function bare(line) {
    gsub(/\\./, "", line)
    gsub(/"[^"]*"/, "\"\"", line)
    if (comment && !sub(/^.*\*\//, "", line))
        return ""
    comment = 0
    gsub(/\/\*([^*]|\*[^\/])*\*\//, "", line)
    comment = sub(/\/\*.*/, "", line)
    sub(/\/\/.*/, "", line)
    return line
}
END { exit bad }'
