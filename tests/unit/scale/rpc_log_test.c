/* rpc_log: what gRPC says on its threads, heard on the loop. */
#include "scale/rpc_log.h"

#include <criterion/criterion.h>
#include <grpc/support/log.h>

static int deaf;

static void on_deaf(void *context)
{
    (void)context;
    deaf++;
}

/* Handshakes that fail fill the lines that wait; that it is deaf gRPC says only once. */
Test(rpc_log, hears_that_grpc_is_deaf_among_however_many_lines)
{
    uv_loop_t loop;

    uv_loop_init(&loop);
    rpc_log_open(&loop, on_deaf, NULL);
    gpr_log_verbosity_init();
    for (int i = 0; i < 1000; i++)
        gpr_log(GPR_ERROR, "Handshake failed");
    gpr_log(GPR_ERROR, "Failed accept4: Too many open files");
    uv_run(&loop, UV_RUN_ONCE);
    cr_expect_eq(deaf, 1);
    gpr_log(GPR_ERROR, "Handshake failed");
    uv_run(&loop, UV_RUN_ONCE);
    cr_expect_eq(deaf, 1, "once");
    rpc_log_close();
    uv_run(&loop, UV_RUN_DEFAULT);
    cr_expect_eq(uv_loop_close(&loop), 0);
}
