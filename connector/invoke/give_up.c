/*
 * give_up: what becomes of an invocation that is not tried any more.
 *
 * Where there are dead letters it becomes one, whatever the reason, and is done when the letter is
 * kept; until then its record is unfinished, and whoever owns the partition next has the letter
 * sent again. Without them the options say what happens.
 */
#include "base/clock.h"
#include "base/log.h"
#include "invoke/dispatcher_state.h"

#include <inttypes.h>

static const char *const texts[] = {
    [LETTER_EXHAUSTED] = "its attempts are used up",
    [LETTER_UNANSWERED] = "it was not answered",
    [LETTER_STATUS] = "its status is in dead_letter_codes",
    [LETTER_FUNCTION_AWAY] = "its function is away, and others need the room",
    [LETTER_MAX_AGE] = "it is older than max_record_age",
};

static void on_kept(void *context)
{
    struct invocation *invocation = context;
    struct function *function = invocation->subscription->function;
    struct dispatcher *dispatcher = invocation->dispatcher;

    invocation->letter = NULL;
    invocation_finish(invocation, END_DEAD_LETTER);
    dispatcher_go_on(dispatcher, function);
}

/* Of a backlog thousands a second may be given up: only the first of a kind since the summary is
 * told in full, the rest by their number. */
static bool is_first(const struct invocation *invocation, enum letter_reason reason)
{
    return invocation->subscription->function->given_up[reason]++ == 0;
}

void give_up_summary(struct function *function)
{
    struct log_subject subject = LOG_SUBJECT_NONE;

    subject.function = function->path;
    for (int reason = 0; reason < LETTER_REASONS; reason++) {
        if (function->given_up[reason] > 1)
            log_warning(&subject, "%" PRId64 " more were given up: %s",
                        function->given_up[reason] - 1, texts[reason]);
        function->given_up[reason] = 0;
    }
}

static void send_letter(struct invocation *invocation, const struct letter_why *why)
{
    struct letters *letters = invocation->dispatcher->setup.letters;
    struct log_subject subject = invocation_subject(invocation);

    if (is_first(invocation, why->reason))
        log_warning(&subject, "dead letter: %s (status %ld, attempts %" PRIu32 ")",
                    texts[why->reason], why->status, why->attempts);
    invocation_set_state(invocation, INVOCATION_DEAD_LETTER);
    invocation->letter =
        letters->calls->send(letters, invocation->record, why, on_kept, invocation);
}

bool dispatcher_drops(const struct dispatcher *dispatcher)
{
    return dispatcher->setup.options->on_exhausted == EXHAUSTED_DROP ||
           dispatcher_commits_first(dispatcher);
}

static void drop(struct invocation *invocation, enum letter_reason reason)
{
    bool first = dispatcher_commits_first(invocation->dispatcher), old = reason == LETTER_MAX_AGE;
    struct log_subject subject = invocation_subject(invocation);

    if (is_first(invocation, reason))
        log_warning(&subject, "dropped: %s%s", texts[reason],
                    old     ? ""
                    : first ? " (delivery=at-most-once)"
                            : " (on_exhausted=drop)");
    invocation_finish(invocation, old ? END_TOO_OLD : END_DROPPED);
}

static void hold(struct invocation *invocation, enum letter_reason reason)
{
    struct log_subject subject = invocation_subject(invocation);

    log_warning(&subject, "held: %s (on_exhausted=wait); what is behind it waits", texts[reason]);
    invocation_set_state(invocation, INVOCATION_HELD);
}

void invocation_give_up(struct invocation *invocation, enum letter_reason reason, long status)
{
    struct dispatcher *dispatcher = invocation->dispatcher;

    if (dispatcher->setup.letters)
        send_letter(invocation,
                    &(struct letter_why){invocation->subscription->function->path, reason, status,
                                         invocation_attempts(invocation)});
    else if (reason == LETTER_MAX_AGE || dispatcher_drops(dispatcher))
        drop(invocation, reason);
    else
        hold(invocation, reason);
}

bool invocation_too_old(const struct invocation *invocation)
{
    int64_t most = invocation->dispatcher->setup.options->max_record_age;
    int64_t written = invocation->record->timestamp_ms;

    return most && written > 0 && clock_wall_ms() - written > most;
}
