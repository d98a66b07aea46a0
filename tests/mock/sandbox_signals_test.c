/* sandbox_signals_test: the brokers outlive the signals of the programs that the sandbox runs. */
#define _GNU_SOURCE /* gettid */
#include "tests/harness/member.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ROUNDS = 10 };

TestSuite(sandbox_signals, .init = member_set_up, .fini = member_tear_down, .timeout = 60);

static void on_signal(int number)
{
    (void)number;
}

/* A process's signal goes to whichever thread the kernel picks; this leaves it no choice. */
static int raise_in_other_threads(int number)
{
    DIR *threads = opendir("/proc/self/task");
    const struct dirent *entry;
    int raised = 0;

    cr_assert_not_null(threads);
    while ((entry = readdir(threads))) {
        pid_t thread = (pid_t)strtol(entry->d_name, NULL, 10); /* 0: "." and ".." */

        if (thread > 0 && thread != gettid())
            raised += syscall(SYS_tgkill, getpid(), thread, number) == 0;
    }
    closedir(threads);
    return raised;
}

/* A poll that a signal interrupts returns whatever SA_RESTART says. */
Test(sandbox_signals, a_child_that_ends_does_not_end_the_brokers)
{
    sigaction(SIGCHLD, &(struct sigaction){.sa_handler = on_signal, .sa_flags = SA_RESTART}, NULL);
    cr_assert(mock_create_topic(member_mock, "orders", 1));
    for (int i = 0; i < ROUNDS; i++) {
        cr_assert_gt(raise_in_other_threads(SIGCHLD), 0, "librdkafka has threads");
        member_produce("orders", 1, 1);
    }
}
