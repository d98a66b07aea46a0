/* members: see members.h. */
#include "tests/faults/members.h"

#include "base/xalloc.h"
#include "tests/faults/calls.h"
#include "tests/faults/clock.h"
#include "tests/harness/await.h"
#include "tests/harness/fail.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STOP_MS = 20 * 1000, ASSIGNED_MS = 60 * 1000, SETTINGS_MAX = 24 };

static const char lost_line[] = "The assignment was lost";
static const char bound_line[] = "Binding to topics";
static const char assigned_line[] = "Rebalanced: &{Type:rebalance OK Claimed:map[faults";

/* ---- its start ---- */

/* What every member gets; the waits are short, so that a run is. */
static const char *const common[] = {
    "admin_listen=127.0.0.1:0", "log_calls=none",
    "log_level=debug",          "retry_max_wait=1s",
    "retry_on_timeout=1000", /* calls that are cut are ours to cut: none may end as held */
    "max_buffered_bytes=8MiB",  "kafka_reconnect_backoff_max_ms=500",
};

static char **settings_new(const struct members *members, int number, int slot)
{
    const struct plan *plan = members->plan;
    char **list = xcalloc(SETTINGS_MAX, sizeof(*list));
    size_t count = 0;

    for (size_t i = 0; i < sizeof(common) / sizeof(*common); i++)
        list[count++] = xstrdup(common[i]);
    list[count++] = xasprintf("broker_host=%s", members->bootstrap);
    list[count++] = xasprintf("gateway_url=%s", members->gateway_url);
    list[count++] = xasprintf("group=%s", members->group);
    list[count++] = xasprintf("topics=%s", members->group);
    list[count++] = xasprintf("kafka_session_timeout_ms=%d", plan->session_ms);
    list[count++] = xasprintf("initial_offset=%s", plan->latest ? "latest" : "earliest");
    list[count++] = xasprintf("upstream_timeout=%dms", UPSTREAM_TIMEOUT_MS);
    list[count++] = xasprintf("order=%s", order_name(plan->order));
    list[count++] = xasprintf("max_inflight=%d", plan->max_inflight);
    list[count++] = xasprintf("partition_window=%d", plan->partition_window);
    list[count++] = xasprintf("content_type=text/plain;member=%d", number);
    if (plan->fixed_names && slot >= 0)
        list[count++] = xasprintf("instance_id=slot%d", slot);
    return list;
}

static void settings_free(char **list)
{
    for (char **it = list; *it; it++)
        free(*it);
    free(list);
}

int members_start(struct members *members, int slot)
{
    char *path = child_program("kafka-connector");
    char **settings = settings_new(members, members->count, slot);
    struct one *one = xcalloc(1, sizeof(*one));

    if (members->count == MEMBERS_MAX)
        fail("too many members");
    one->slot = slot;
    one->started_us = clock_us();
    one->child =
        child_start(members->loop, (const char *[]){path, NULL}, (const char *const *)settings);
    members->one[members->count++] = one;
    settings_free(settings);
    free(path);
    return members->count - 1;
}

static bool all_assigned(void *context)
{
    const struct members *members = context;

    for (int i = 0; i < members->count; i++)
        if (!child_count(members->one[i]->child, assigned_line))
            return false;
    return true;
}

void members_await_assigned(struct members *members)
{
    if (!await(members->loop, all_assigned, members, ASSIGNED_MS))
        fail("the members are not given their partitions:\n%s",
             child_output(members->one[0]->child));
}

void members_release(struct members *members)
{
    for (int i = 0; i < members->count; i++) {
        child_free(members->one[i]->child);
        free(members->one[i]);
    }
}

/* ---- what befalls it ---- */

static void note(struct one *one, enum member_event event)
{
    int64_t now = clock_us();

    if (one->happening_count == HAPPENINGS_MAX)
        fail("too much happened to a member");
    one->happenings[one->happening_count++] = (struct happening){event, now, now};
}

static void thaw(struct one *one)
{
    for (size_t i = 0; i < one->happening_count; i++)
        if (one->happenings[i].event == MEMBER_FROZEN &&
            one->happenings[i].until_us == one->happenings[i].from_us)
            one->happenings[i].until_us = clock_us();
}

void members_signal(struct members *members, int number, int signal)
{
    struct one *one = members->one[number];

    if (!child_runs(one->child))
        return;
    members_look(members);
    if (signal == SIGKILL)
        note(one, MEMBER_KILLED);
    else if (signal == SIGTERM)
        note(one, MEMBER_TERMED);
    else if (signal == SIGSTOP)
        note(one, MEMBER_FROZEN);
    else if (signal == SIGCONT)
        thaw(one);
    one->killed |= signal == SIGKILL;
    one->termed |= signal == SIGTERM;
    child_signal(one->child, signal);
}

bool members_runs(const struct members *members, int number)
{
    return child_runs(members->one[number]->child);
}

bool members_serves(const struct members *members, int number)
{
    return members_runs(members, number) &&
           strstr(child_output(members->one[number]->child), bound_line);
}

const struct happening *member_happening(const struct one *one, enum member_event event,
                                         int64_t from_us, int64_t until_us)
{
    for (size_t i = 0; i < one->happening_count; i++)
        if (one->happenings[i].event == event && one->happenings[i].from_us <= until_us &&
            one->happenings[i].until_us >= from_us)
            return &one->happenings[i];
    return NULL;
}

/* ---- what is seen of it ---- */

static void read_peak(struct one *one)
{
    char *path = xasprintf("/proc/%d/status", child_pid(one->child)), line[256];
    FILE *file = fopen(path, "r");

    free(path);
    while (file && fgets(line, sizeof(line), file))
        if (strncmp(line, "VmHWM:", 6) == 0 && strtol(line + 6, NULL, 10) > one->peak_kib)
            one->peak_kib = strtol(line + 6, NULL, 10);
    if (file)
        fclose(file);
}

/* Whole lines that came since the last time. */
static void read_output(struct one *one)
{
    const char *at = child_output(one->child) + one->read;
    const char *end = strrchr(at, '\n');

    if (!end)
        return;
    while ((at = strstr(at, lost_line)) && at < end) {
        note(one, MEMBER_LOST);
        at += sizeof(lost_line) - 1;
    }
    one->read = (size_t)(end + 1 - child_output(one->child));
}

void members_look(struct members *members)
{
    for (int i = 0; i < members->count; i++) {
        if (child_runs(members->one[i]->child))
            read_peak(members->one[i]);
        read_output(members->one[i]);
    }
}

long members_peak_kib(const struct members *members)
{
    long peak = 0;

    for (int i = 0; i < members->count; i++)
        if (members->one[i]->peak_kib > peak)
            peak = members->one[i]->peak_kib;
    return peak;
}

/* ---- its end ---- */

static bool all_ended(void *context)
{
    const struct members *members = context;

    for (int i = 0; i < members->count; i++)
        if (members_runs(members, i))
            return false;
    return true;
}

static bool all_serve(void *context)
{
    const struct members *members = context;

    for (int i = 0; i < members->count; i++)
        if (members_runs(members, i) && !members_serves(members, i))
            return false;
    return true;
}

bool members_stop(struct members *members)
{
    await(members->loop, all_serve, members, STOP_MS);
    for (int i = 0; i < members->count; i++)
        members_signal(members, i, SIGTERM);
    return await(members->loop, all_ended, members, STOP_MS);
}

static char *complaint_of(const struct one *one, int number)
{
    int status;

    if (one->killed)
        return NULL;
    if (!child_await_end(one->child, 0, &status))
        return one->termed ? xasprintf("connector-%d does not end", number) : NULL;
    if (!one->termed)
        return xasprintf("connector-%d ended by itself, status %d", number, status);
    return status ? xasprintf("connector-%d ended with status %d", number, status) : NULL;
}

char *members_complaint(const struct members *members)
{
    char *complaint = NULL;

    for (int i = 0; i < members->count && !complaint; i++)
        complaint = complaint_of(members->one[i], i);
    return complaint;
}

void members_keep(const struct members *members, const char *folder)
{
    for (int i = 0; i < members->count; i++) {
        char *path = xasprintf("%s/connector-%d.log", folder, i);
        FILE *file = fopen(path, "w");

        if (!file)
            fail("cannot write %s", path);
        fputs(child_output(members->one[i]->child), file);
        fclose(file);
        free(path);
    }
}
