/* retry: see retry.h. */
#include "core/retry.h"

#include <ctype.h>
#include <string.h>

static bool read_code(const char **at, bool codes[])
{
    int code = 0;

    *at += strspn(*at, " \t");
    for (int i = 0; i < 3; i++, (*at)++) {
        if (!isdigit((unsigned char)**at))
            return false;
        code = code * 10 + (**at - '0');
    }
    *at += strspn(*at, " \t");
    if (code < 100 || code > RETRY_STATUS_MAX)
        return false;
    codes[code] = true;
    return true;
}

bool retry_codes_parse(const char *text, struct retry_rules *rules)
{
    bool codes[RETRY_STATUS_MAX + 1] = {false}, more = *text;

    while (more) {
        if (!read_code(&text, codes) || (*text && *text != ','))
            return false;
        more = *text++ == ',';
    }
    memcpy(rules->codes, codes, sizeof(codes));
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

static bool retryable(const struct retry_rules *rules, const struct attempt *attempt)
{
    /* Not below 400: the mark on a good answer would have the function run again. */
    if (attempt->internal_error && attempt->status >= 400)
        return true;
    if (rules->only_2xx_done)
        return attempt->status < 200 || attempt->status > 299;
    return attempt->status >= 0 && attempt->status <= RETRY_STATUS_MAX &&
           rules->codes[attempt->status];
}

bool retry_spent(const struct retry_rules *rules, const struct retry_count *count)
{
    if (rules->only_once)
        return count->attempts || count->timeouts;
    return count->timeouts > rules->timeouts;
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
        return VERDICT_DONE;
    count->attempts++;
    return count->attempts < rules->attempts && !rules->only_once ? VERDICT_RETRY
                                                                  : VERDICT_EXHAUSTED;
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
