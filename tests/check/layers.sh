#!/usr/bin/env bash
# A file of connector/X includes its own folder or a lower layer; each library is known in one
# place. Tests may include what they like.
set -uo pipefail
. tests/check/tree.sh
files 'connector/*.[ch]' 'producer/*.[ch]' 'sandbox/*.[ch]' | xargs awk '
BEGIN {
    layers = "base=0 core=1 kafka=2 gateway=2 web=2 admin=3 invoke=4 watch=4 scale=4 commands=4 program=5"
    for (n = split(layers " main=6 producer=5 sandbox=5", pair, "[ =]"); n; n -= 2)
        height[pair[n - 1]] = pair[n]
    place["librdkafka/"] = "^(connector/kafka/|producer/writer.c$)"
    place["curl/"] = "^connector/gateway/"
    place["microhttpd.h"] = "^connector/web/"
    place["grpc/"] = place["pb-c.h"] = place["protobuf-c/"] = "^connector/scale/rpc_"
    place["cjson/"] = place["cJSON.h"] = "^connector/base/json.c$"
}
FNR == 1 {
    split(FILENAME, path, "/")
    own = path[1] != "connector" ? path[1] : FILENAME ~ /\/main[.]c$/ ? "main" : path[2]
    if (!(own in height))
        wrong(own " is no layer that tests/check/layers.sh knows")
}
/^[ \t]*#[ \t]*include[ \t]*"/ {
    split($0, quoted, "\"")
    other = quoted[2]
    if (!sub("/.*", "", other) || quoted[2] ~ /\.\./ || !(other in height))
        wrong("\"" quoted[2] "\" names no layer")
    else if (other != own && height[other] >= height[own])
        wrong(own " includes " other ", which is no lower layer")
}
/^[ \t]*#[ \t]*include/ {
    for (library in place)
        if (index($0, library) && FILENAME !~ place[library])
            wrong(library " belongs to " place[library])
    if (/<uv\.h>/ && (own == "base" || own == "core"))
        wrong("no loop in " own)
}
function wrong(what) {
    print FILENAME ":" FNR ": " what
    bad = 1
}
END { exit bad }'
