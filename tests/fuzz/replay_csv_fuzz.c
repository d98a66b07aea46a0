/* replay_csv: whatever a file holds, it is a trace whose ends never fall, or one fault. */
#include "commands/replay_trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct trace *trace)
{
    for (size_t p = 0; p < trace->partitions; p++) {
        if (trace->committed[p] > trace_end(trace, p, 0))
            abort();
        for (int64_t s = 0; s < trace->seconds; s++)
            if (trace_end(trace, p, s) > trace_end(trace, p, s + 1))
                abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct option_faults faults = {0};
    struct trace trace;
    char path[64], name[] = "/tmp/replay_csv_fuzz.XXXXXX";
    int file = mkstemp(name);

    if (file < 0 || unlink(name) != 0 || write(file, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    if (trace_read(path, &trace, &faults)) {
        check(&trace);
        trace_release(&trace);
    } else if (faults.count != 1) {
        abort();
    }
    option_faults_release(&faults);
    close(file);
    return 0;
}
