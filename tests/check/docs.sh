#!/usr/bin/env bash
# The tables of options and metrics on a mode's page are what the program prints of itself; so is
# the table of replays. A link within the tree leads to a file that is there, and to a heading in it.
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

headings() { # PAGE -> anchors, as GitHub makes them
    sed -n 's/^##* *//p' "$1" | tr '[:upper:]' '[:lower:]' | sed "s/[^a-z0-9 _-]//g; s/ /-/g"
}

follow_links() { # PAGE
    local link file anchor
    while read -r link; do
        case $link in *://*) continue ;; esac
        file=${link%%#*} anchor=${link#"${link%%#*}"}
        file=${file:+$(dirname "$1")/$file}
        if [ ! -e "${file:-$1}" ]; then
            echo "$1: there is no $file" && bad=1
        elif [ -n "$anchor" ] && ! headings "${file:-$1}" | grep -qxF -e "${anchor#\#}"; then
            echo "$1: no heading for $link" && bad=1
        fi
    done < <(tr '\n' ' ' <"$1" | grep -o ']([^)[:space:]]*)' | sed 's/^](//; s/)$//')
}

for page in README.md connector/README.md docs/*.md setup/*/README.md; do
    follow_links "$page"
done
compare docs/invoke.md invoke
compare docs/watch.md watch
compare docs/lag.md lag
compare docs/keda.md scale
compare docs/scale.md replay
compare_replay
exit $bad
