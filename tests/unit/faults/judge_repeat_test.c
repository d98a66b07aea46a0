/* judge_repeat: how many repeats a kill allows. What the other parts of judge would say is said
 * here: one member made one call, and one commit covers it. */
#include "tests/faults/judge_private.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum { SECONDS_MOST = 1000 };

struct expectation {
    const char *name;
    int arrived, committed; /* the call, the commit that covers it: seconds */
    int trouble, well;      /* of the brokers; both 0: none */
    int killed;
    uint32_t allowed;
};

static struct history history;
static int64_t committed_us;

/* ---- the other parts ---- */

bool judge_befell(const struct trial *trial, int member, enum member_event event, int64_t from_us,
                  int64_t until_us)
{
    (void)trial, (void)member, (void)event, (void)from_us, (void)until_us;
    return false;
}

void judge_report(struct trial *trial, const char *what, const struct call *call,
                  const struct call *other)
{
    (void)trial, (void)call, (void)other;
    cr_assert_fail("%s", what);
}

double judge_seconds(const struct trial *trial, int64_t us)
{
    (void)trial;
    return (double)us / SECOND_US;
}

struct history *judge_history(const struct trial *trial, int function, uint32_t record)
{
    (void)trial, (void)function, (void)record;
    return &history;
}

int64_t judge_end(const struct call *call)
{
    return call->ended_us;
}

bool judge_is_strange(const struct trial *trial, const struct call *call)
{
    (void)trial, (void)call;
    return false;
}

bool judge_is_stray(const struct trial *trial, const struct call *call)
{
    (void)trial, (void)call;
    return false;
}

bool commits_cover(const struct commits *commits, int partition, int64_t offset,
                   const char *function_path, int64_t at_us)
{
    (void)commits, (void)partition, (void)offset, (void)function_path;
    return committed_us <= at_us;
}

const char *calls_function_path(int function)
{
    (void)function;
    return "work1.openfaas-fn";
}

/* ---- the story ---- */

static uint32_t allowed(const struct expectation *it)
{
    struct call call = {.arrived_us = (int64_t)it->arrived * SECOND_US, .status = 200, .ran = true};
    const struct calls calls = {.list = &call, .count = 1};
    struct one one = {.happenings = {{.event = MEMBER_KILLED}}, .happening_count = 1};
    const struct members members = {.one = {&one}, .count = 1};
    struct judge_input input = {.broker_count = it->well > 0};
    struct trial trial = {.calls = &calls, .members = &members, .input = &input};

    call.ended_us = call.arrived_us + SECOND_US / 10;
    one.happenings[0].from_us = one.happenings[0].until_us = (int64_t)it->killed * SECOND_US;
    input.brokers[0] =
        (struct span){(int64_t)it->trouble * SECOND_US, (int64_t)it->well * SECOND_US};
    history = (struct history){.last_run = SIZE_MAX};
    committed_us = (int64_t)it->committed * SECOND_US;
    judge_allow_all(&trial);
    return trial.verdict.allowed;
}

Test(judge_repeat, a_commit_counts_that_others_can_see_when_its_member_is_killed)
{
    static const struct expectation table[] = {
        {"it was committed", 15, 16, 0, 0, 60, 0},
        {"it was not", 15, SECONDS_MOST, 0, 0, 60, 1},
        {"in trouble that lasts", 15, 16, 10, 30, 25, 1},
        {"as it began", 8, 10, 10, 30, 25, 1},
        {"long before it", 5, 6, 10, 30, 25, 0},
        {"in trouble that was over", 15, 16, 10, 30, 60, 0},
        {"before trouble that was over", 5, 6, 10, 30, 60, 0},
        {"before trouble that came later", 15, 16, 70, 80, 60, 0},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
        cr_expect_eq(allowed(&table[i]), table[i].allowed, "%s", table[i].name);
}
