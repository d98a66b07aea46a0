/* web/guard: who is shut down, and when; time is an argument. */
#include "web/guard.h"

#include <criterion/criterion.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST = 4, COUNT = 6 };

static struct guard guard;
static struct guarded *opened[COUNT];
static int pairs[COUNT][2];

static void open_one(int i, uint64_t now_ms)
{
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pairs[i]), 0);
    opened[i] = guard_opened(&guard, pairs[i][0], now_ms);
}

/* Seen from its other end. */
static bool is_shut(int i)
{
    char byte;

    return recv(pairs[i][1], &byte, 1, MSG_DONTWAIT) == 0;
}

static void set_up(void)
{
    guard.limits = (struct guard_limits){.connections = MOST, .request_ms = 100, .idle_ms = 1000};
    for (int i = 0; i < MOST; i++)
        open_one(i, (uint64_t)i);
}

static void tear_down(void)
{
    for (int i = 0; i < COUNT; i++)
        if (opened[i])
            guard_closed(&guard, opened[i]);
    cr_expect_eq(guard.count, 0);
    cr_expect_null(guard.waiting);
}

TestSuite(guard, .init = set_up, .fini = tear_down);

Test(guard, one_too_many_takes_the_place_of_who_waited_longest)
{
    guard_asked(&guard, opened[0]);
    guard_answered(&guard, opened[0], 10);
    open_one(4, 11);
    cr_expect(is_shut(1), "the first was answered since");
    open_one(5, 12);
    cr_expect(is_shut(2));
    cr_expect_not(is_shut(0) || is_shut(3) || is_shut(4) || is_shut(5));
    cr_expect_eq(guard.count, MOST);
}

Test(guard, what_is_being_answered_is_never_shut)
{
    for (int i = 0; i < MOST; i++)
        guard_asked(&guard, opened[i]);
    guard_sweep(&guard, 100000);
    open_one(4, 100000);
    for (int i = 0; i < 5; i++)
        cr_expect_not(is_shut(i), "%d", i);
}

Test(guard, a_first_request_must_come_sooner_than_another)
{
    guard_asked(&guard, opened[0]);
    guard_answered(&guard, opened[0], 50);
    guard_sweep(&guard, 101);
    cr_expect_not(is_shut(1), "its time is just over at 102");
    guard_sweep(&guard, 200);
    cr_expect(is_shut(1) && is_shut(2) && is_shut(3));
    guard_sweep(&guard, 1050);
    cr_expect_not(is_shut(0));
    guard_sweep(&guard, 1051);
    cr_expect(is_shut(0));
}

Test(guard, one_that_was_shut_and_answers_late_stays_shut)
{
    guard_asked(&guard, opened[0]);
    guard_answered(&guard, opened[0], 0);
    guard_sweep(&guard, 5000);
    cr_expect(is_shut(0));
    guard_answered(&guard, opened[0], 5001);
    guard_closed(&guard, opened[0]);
    opened[0] = NULL;
    cr_expect_eq(guard.count, 0);
}

Test(guard, without_limits_nobody_is_shut)
{
    guard.limits = (struct guard_limits){0};
    open_one(4, 1);
    open_one(5, 1);
    guard_sweep(&guard, UINT64_MAX / 2);
    for (int i = 0; i < COUNT; i++)
        cr_expect_not(is_shut(i), "%d", i);
}
