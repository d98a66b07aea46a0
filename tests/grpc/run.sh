#!/usr/bin/env bash
# Runs the tests of the gRPC server, tests/grpc/*_test.py, with SERVER; FILTER='Streams.*' picks.
# Without Debian's python3-grpcio they are skipped, with REQUIRE_GRPC=1 that is an error.
set -uo pipefail
python=${PYTHON:-/usr/bin/python3}
export GRPC_SERVER=$1 PYTHONDONTWRITEBYTECODE=1

if ! "$python" -c 'import grpc, google.protobuf' 2>/dev/null; then
    echo "SKIPPED: the tests of the gRPC server need python3-grpcio and python3-protobuf" >&2
    [ -z "${REQUIRE_GRPC:-}" ]
    exit
fi
echo "== ${1#build/}"
exec timeout "${TEST_TIMEOUT:-900}" "$python" -m unittest discover ${VERBOSE:+-v} -s tests/grpc -p '*_test.py' \
    ${FILTER:+-k "$FILTER"}
