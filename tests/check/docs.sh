#!/usr/bin/env bash
# The tables of options and metrics, README.md's and those of a mode's page, are what the program
# prints of itself; so is the table of replays.
set -uo pipefail
printed=$(mktemp)
trap 'rm -f "$printed"' EXIT
program=${BUILD:-build}/kafka-connector
bad=0

compare() { # PAGE MODE
    "$program" "$2" --help=markdown >"$printed" || bad=1
    awk '/^<!-- \/(options|metrics) -->$/ { inside = 0 }
         inside
         /^<!-- (options|metrics) -->$/ { inside = 1 }' "$1" |
        diff -B --label "$1" --label "kafka-connector $2 --help=markdown" -u - "$printed" || bad=1
}

compare_replay() {
    "$program" replay | sed '/./s/^/    /' >"$printed" || bad=1
    awk '/^<!-- \/replay -->$/ { inside = 0 }
         inside
         /^<!-- replay -->$/ { inside = 1 }' docs/scale.md |
        diff -B --label docs/scale.md --label "kafka-connector replay" -u - "$printed" || bad=1
}

compare README.md invoke
compare docs/watch.md watch
compare docs/scale.md replay
compare_replay
exit $bad
