#!/usr/bin/python3
"""make bench-grpc: what calls cost the scaler's gRPC server, and what they leave behind.

    CALLS     how many calls, as fast as they are answered, some at once (1000000)
    STREAMS   how many streams, opened, read once and closed (100000)
    RATE      GetMetrics a second, for SECONDS (1000, 20): the 99th percentile

It fails when the server has grown by more than GROWN_KIB (4096) between the first tenth of the calls
and streams and their end, or when the percentile is over P99_MS (5).
"""

import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "grpc"))
from harness import Client, GetMetricsRequest, PATIENCE, Server, await_true, ref

CALLS, STREAMS, RATE, SECONDS, GROWN_KIB, P99_MS = (
    int(os.environ.get(name, default)) for name, default in
    (("CALLS", 1000000), ("STREAMS", 100000), ("RATE", 1000), ("SECONDS", 20),
     ("GROWN_KIB", 4096), ("P99_MS", 5)))
REQUEST = GetMetricsRequest(scaledObjectRef=ref(object="orders"))
AT_ONCE = 64


def call_many(client, count):
    """As many at a time as AT_ONCE."""
    slots = threading.Semaphore(AT_ONCE)
    faults = []

    def ended(future):
        if future.exception():
            faults.append(future.exception())
        slots.release()

    for _ in range(count):
        slots.acquire()
        client.GetMetrics.future(REQUEST, timeout=PATIENCE).add_done_callback(ended)
    for _ in range(AT_ONCE):
        slots.acquire()
    assert not faults, faults[0]


def stream_many(client, count):
    for begun in range(0, count, AT_ONCE):
        streams = [client.StreamIsActive(ref(object="orders"), timeout=PATIENCE)
                   for _ in range(min(AT_ONCE, count - begun))]
        for stream in streams:
            next(stream)
        for stream in streams:
            stream.cancel()


def call_at_rate(client):
    """Seconds that each call took, measured from when it was due."""
    took = []
    start = time.monotonic()
    for number in range(RATE * SECONDS):
        due = start + number / RATE
        time.sleep(max(0, due - time.monotonic()))
        client.GetMetrics.future(REQUEST, timeout=PATIENCE).add_done_callback(
            lambda _, begun=time.monotonic(): took.append(time.monotonic() - begun))
    assert await_true(lambda: len(took) == RATE * SECONDS)
    return sorted(took)


def main():
    server = Server("--log_level=warning")
    client = Client(server.port)
    began_kib = server.resident_kib()
    call_many(client, CALLS // 10)
    stream_many(client, STREAMS // 10)
    warm_kib = server.resident_kib()
    start = time.monotonic()
    call_many(client, CALLS - CALLS // 10)
    calls_took = time.monotonic() - start
    stream_many(client, STREAMS - STREAMS // 10)
    streams_took = time.monotonic() - start - calls_took
    assert await_true(lambda: client.watchers() == 0)
    end_kib = server.resident_kib()
    took = call_at_rate(client)
    p50, p99 = (took[int(len(took) * part)] * 1000 for part in (0.5, 0.99))
    client.close()
    status = server.stop()

    print("%d calls: %.0f a second; %d streams: %.0f a second" % (
        CALLS, CALLS * 0.9 / calls_took, STREAMS, STREAMS * 0.9 / streams_took))
    print("resident: %d KiB, after a tenth %d KiB, at the end %d KiB (%+d, at most %d)" % (
        began_kib, warm_kib, end_kib, end_kib - warm_kib, GROWN_KIB))
    print("GetMetrics, %d a second: median %.2f ms, 99 of 100 within %.2f ms (at most %d)" % (
        RATE, p50, p99, P99_MS))
    return status or end_kib - warm_kib > GROWN_KIB or p99 > P99_MS


if __name__ == "__main__":
    sys.exit(main())
