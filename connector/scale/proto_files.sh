#!/bin/sh
# The descriptors of .proto files, as C: of a/health.set (protoc's --descriptor_set_out of one file)
# an array health_proto. A set is its files' bytes, each behind its tag and its length.
set -eu
echo '/* made by proto_files.sh */'
echo '#include <stdint.h>'
for set in "$@"; do
    name=${set##*/}
    echo "static const uint8_t ${name%.set}_proto[] = {"
    od -An -v -tu1 "$set" | tr -s ' \n' '\n\n' | awk 'NF {
        if (++n == 1)
            next                # the tag
        if (!inside) {
            inside = $1 < 128   # the last byte of the length
            next
        }
        printf "%d,%s", $1, ++written % 20 ? "" : "\n"
    } END { print "" }'
    echo '};'
done
