/* retry: see retry.h. */
#include "core/retry.h"

#include <ctype.h>
#include <string.h>

/* A status: three digits. */
static bool read_status(const char **at, int *status)
{
    *status = 0;
    for (int i = 0; i < 3; i++, (*at)++) {
        if (!isdigit((unsigned char)**at))
            return false;
        *status = *status * 10 + (**at - '0');
    }
    return *status >= 100 && *status <= RETRY_STATUS_MAX;
}

/* "5xx": the statuses 500 .. 599. */
static bool read_class(const char **at, int *first)
{
    bool good = **at >= '1' && **at <= '5' && strncmp(*at + 1, "xx", 2) == 0;

    if (good) {
        *first = 100 * (**at - '0');
        *at += 3;
    }
    return good;
}

/* One entry of a list, blanks around it; with `ranges`, "400-499" and "5xx" are entries too. */
static bool read_codes(const char **at, bool ranges, bool codes[])
{
    int first, last;

    *at += strspn(*at, " \t");
    if (ranges && read_class(at, &first)) {
        last = first + 99;
    } else {
        if (!read_status(at, &first))
            return false;
        last = first;
        if (ranges && **at == '-' && (++*at, !read_status(at, &last) || last < first))
            return false;
    }
    *at += strspn(*at, " \t");
    while (first <= last)
        codes[first++] = true;
    return true;
}

static bool read_list(const char *text, bool ranges, bool to[RETRY_STATUS_MAX + 1])
{
    bool codes[RETRY_STATUS_MAX + 1] = {false}, more = *text;

    while (more) {
        if (!read_codes(&text, ranges, codes) || (*text && *text != ','))
            return false;
        more = *text++ == ',';
    }
    memcpy(to, codes, sizeof(codes));
    return true;
}

bool retry_codes_parse(const char *text, struct retry_rules *rules)
{
    return read_list(text, false, rules->codes);
}

bool retry_dead_codes_parse(const char *text, struct retry_rules *rules)
{
    bool codes[RETRY_STATUS_MAX + 1];

    if (!read_list(text, true, codes) || memchr(codes, true, RETRY_DEAD_LEAST))
        return false;
    memcpy(rules->dead_codes, codes, sizeof(codes));
    return true;
}

struct retry_rules retry_rules_for(const struct retry_rules *defaults,
                                   const struct function_retry *annotated)
{
    struct retry_rules rules = *defaults;

    if (annotated->attempts > 0)
        rules.attempts = annotated->attempts;
    if (annotated->max_wait_ms > 0) /* none at all would be a loop */
        rules.max_wait_ms = annotated->max_wait_ms;
    if (annotated->min_wait_ms >= 0)
        rules.min_wait_ms = annotated->min_wait_ms;
    if (rules.min_wait_ms > rules.max_wait_ms) /* the one that was annotated holds */
        *(annotated->min_wait_ms >= 0 ? &rules.max_wait_ms : &rules.min_wait_ms) =
            annotated->min_wait_ms >= 0 ? rules.min_wait_ms : rules.max_wait_ms;
    if (annotated->codes)
        retry_codes_parse(annotated->codes, &rules);
    return rules;
}

static bool has(const bool codes[RETRY_STATUS_MAX + 1], long status)
{
    return status >= 0 && status <= RETRY_STATUS_MAX && codes[status];
}

static bool retryable(const struct retry_rules *rules, const struct attempt *attempt)
{
    /* Not below 400: the mark on a good answer would have the function run again. */
    if (attempt->internal_error && attempt->status >= 400)
        return true;
    if (rules->only_2xx_done)
        return attempt->status < 200 || attempt->status > 299;
    return has(rules->codes, attempt->status);
}

bool retry_spent(const struct retry_rules *rules, const struct retry_count *count)
{
    if (rules->only_once)
        return count->attempts || count->timeouts;
    return count->timeouts > rules->timeouts;
}

bool retry_exhausted(const struct retry_rules *rules, const struct retry_count *count)
{
    return count->attempts >= rules->attempts;
}

enum verdict retry_judge(const struct retry_rules *rules, const struct attempt *attempt,
                         struct retry_count *count)
{
    switch (attempt->end) {
    case ATTEMPT_NOT_SENT:
        return VERDICT_UNSENT;
    case ATTEMPT_UNKNOWN:
        count->timeouts++;
        return retry_spent(rules, count) ? VERDICT_UNANSWERED : VERDICT_RETRY;
    case ATTEMPT_ANSWERED:
        break;
    }
    if (!retryable(rules, attempt))
        return has(rules->dead_codes, attempt->status) ? VERDICT_REFUSED : VERDICT_DONE;
    count->attempts++;
    return retry_exhausted(rules, count) || rules->only_once ? VERDICT_EXHAUSTED : VERDICT_RETRY;
}

static int64_t jittered(int64_t least, int64_t most, uint32_t failures, uint64_t random)
{
    int64_t wait = least;

    for (uint32_t i = 1; i < failures && wait < most; i++)
        wait = wait ? wait * 2 : 1; /* from 0 too, or what is away is hammered for ever */
    if (wait > most)
        wait = most;
    return (int64_t)(random % ((uint64_t)wait + 1));
}

static int64_t at_least_asked(const struct retry_rules *rules, int64_t wait, int64_t retry_after_ms)
{
    if (retry_after_ms > 10 * rules->max_wait_ms)
        retry_after_ms = 10 * rules->max_wait_ms;
    return retry_after_ms > wait ? retry_after_ms : wait;
}

int64_t retry_wait_ms(const struct retry_rules *rules, uint32_t failures, int64_t retry_after_ms,
                      uint64_t random)
{
    int64_t wait = jittered(rules->min_wait_ms, rules->max_wait_ms, failures, random);

    return at_least_asked(rules, wait, retry_after_ms);
}

int64_t retry_probe_wait_ms(const struct retry_rules *rules, uint32_t probes,
                            int64_t retry_after_ms, uint64_t random)
{
    int64_t most =
        rules->max_wait_ms < RETRY_PROBE_MOST_MS ? rules->max_wait_ms : RETRY_PROBE_MOST_MS;

    return at_least_asked(rules, jittered(rules->min_wait_ms, most, probes, random),
                          retry_after_ms);
}
