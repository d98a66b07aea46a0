/* by_hand: see by_hand.h. */
#include "watch/by_hand.h"

#include "base/log.h"
#include "base/xalloc.h"

#include <stdlib.h>
#include <utlist.h>

struct call {
    struct by_hand *by_hand;
    struct wake *wake;
    char *function;
    struct call *prev, *next;
};

struct by_hand {
    struct http *http;
    const struct wake_options *options;
    struct call *calls; /* on their way */
    size_t count;
};

struct by_hand *by_hand_new(struct http *http, const struct wake_options *options)
{
    struct by_hand *by_hand = xcalloc(1, sizeof(*by_hand));

    by_hand->http = http;
    by_hand->options = options;
    return by_hand;
}

static void forget(struct call *call)
{
    DL_DELETE(call->by_hand->calls, call);
    call->by_hand->count--;
    free(call->function);
    free(call);
}

void by_hand_free(struct by_hand *by_hand)
{
    struct call *call, *next;

    if (!by_hand)
        return;
    DL_FOREACH_SAFE (by_hand->calls, call, next) {
        wake_cancel(call->wake);
        forget(call);
    }
    free(by_hand);
}

static void on_answered(void *context, const struct wake_answer *answer)
{
    struct call *call = context;
    struct log_subject subject = LOG_SUBJECT_NONE;

    subject.function = call->function;
    if (answer->outcome == WAKE_ACCEPTED)
        log_plain(&subject, "Wake-up of %s: by hand%s", call->function,
                  answer->was_awake ? "; it is awake" : "");
    else
        log_warning(&subject, "it cannot be woken by hand: %s", answer->reason);
    forget(call);
}

int by_hand_wake(struct by_hand *by_hand, const char *function, json *answer)
{
    struct call *call;

    if (by_hand->count == BY_HAND_MAX) {
        json_add_text(answer, "reason", "too many wake-ups are on their way");
        return 503;
    }
    call = xcalloc(1, sizeof(*call));
    call->by_hand = by_hand;
    call->function = xstrdup(function);
    DL_APPEND(by_hand->calls, call);
    by_hand->count++;
    call->wake = wake_start(by_hand->http, by_hand->options, call->function, on_answered, call);
    json_add_text(answer, "function", function);
    return 202;
}
