#!/usr/bin/env bash
# The dashboard is JSON, and it and the alert rules ask only for metrics and labels that the program
# has (the tables of metrics in connector/). Each rule is tried by alerts_test.yml, both when it
# fires and when it does not, and has its section in docs/operations.md. promtool takes all of it.
set -uo pipefail
. tests/check/tree.sh
dashboard=setup/grafana/kafka-connector.json rules=setup/prometheus/alerts.yml
bad=0

fault() {
    echo "$*"
    bad=1
}

metrics() {
    files 'connector/*.c' | xargs awk '
        /METRIC_(COUNTER|GAUGE|REAL|HISTOGRAM),/ { row = 1 }
        row && match($0, /"[a-z_]+"/) {
            name = substr($0, RSTART + 1, RLENGTH - 2)
            print name
            if (/METRIC_HISTOGRAM/) print name "_bucket\n" name "_sum\n" name "_count"
            row = 0
        }'
    echo up
}

labels() {
    files 'connector/*.c' | xargs awk '/struct metrics_table [a-z_]+ = *\{?/ { table = 6 }
        table-- > 0 && match($0, /\{"[^}]*\}/) { print substr($0, RSTART, RLENGTH) }' |
        grep -oE '[a-z]+'
    printf '%s\n' job instance le
}

expressions() {
    sed -nE 's/^ *"(expr|query)": "(.*)",?$/\2/p' "$dashboard" | sed 's/\\"/"/g'
    awk '/^ +expr:/ { inside = 1; sub(/^ +expr: *>?/, "") }
         /^ +(for|labels|annotations):/ { inside = 0 }
         inside' "$rules"
}

# Names of metrics, without what stands in texts, in by (...) and in front of "=".
expressions | sed -E 's/"[^"]*"//g; s/ by \([^)]*\)//g; s/\{[^}]*\}//g' |
    grep -oE '\b(kafka|slimfaaskafka)_[a-z_]+|\bup\b' | sort -u | comm -23 - <(metrics | sort -u) |
    while read -r name; do echo "no metric is called $name"; done | grep . && bad=1
{
    expressions | grep -oE ' by \([^)]*\)' | sed 's/^ by//'
    expressions | grep -oE '[{,] ?[a-z]+=' | tr -d '{,='
    grep -oE '\{\{ ?(\$labels\.)?[a-z]+ ?\}\}' "$dashboard" "$rules" -h | sed 's/\$labels\.//'
} | grep -oE '[a-z]+' | sort -u | comm -23 - <(labels | sort -u) |
    while read -r name; do echo "no metric has a label $name"; done | grep . && bad=1

while read -r alert; do
    grep -q "^### $alert\$" docs/operations.md || fault "docs/operations.md has no section $alert"
    grep -A3 "alertname: $alert\$" "${rules%.yml}_test.yml" | grep -q exp_alerts ||
        fault "$alert never fires in ${rules%.yml}_test.yml"
    grep -q "alertname: $alert}" "${rules%.yml}_test.yml" ||
        fault "$alert is never quiet in ${rules%.yml}_test.yml"
done < <(sed -n 's/^ *- alert: //p' "$rules")

python3 -m json.tool "$dashboard" >/dev/null || fault "$dashboard is no JSON"
if ! command -v promtool >/dev/null; then
    [ $bad -eq 0 ] || exit 1
    echo "there is no promtool to try the alerts with; ./build.sh install prometheus"
    exit 77
fi
promtool check rules "$rules" >/dev/null || bad=1
promtool test rules "${rules%.yml}_test.yml" >/dev/null || bad=1
exit $bad
