/*
 * dead_letter_private: what the parts of dead_letter share. dead_letter.c holds the letters and
 * what becomes of them; dead_letter_client.c librdkafka's handle, its settings and events, and its
 * end; dead_letter_record.c a letter as a record.
 */
#ifndef KAFKA_DEAD_LETTER_PRIVATE_H
#define KAFKA_DEAD_LETTER_PRIVATE_H

#include "kafka/credentials.h"
#include "kafka/dead_letter.h"
#include "kafka/wake.h"

#include <librdkafka/rdkafka.h>
#include <uthash.h>

enum { HANDLES = 2, REASON_SIZE = 512 }; /* of libuv: wake, tick */

/* Bytes of letters that are sent as one: the broker judges them together. A larger one goes alone.
 */
#define LETTERS_BATCH_TEXT "16384"
enum { LETTERS_BATCH = 16384 };

/* A topic for dead letters, for as long as the process lives: there are no more than topics. */
struct letter_topic {
    char *from, *name;           /* of the records; of their letters */
    rd_kafka_topic_t *handle;    /* NULL: not made yet */
    rd_kafka_resp_err_t refused; /* why its last letter failed, said already */
    UT_hash_handle hh;           /* by from */
};

/*
 *   waiting  there is no room for it in librdkafka
 *   sent     librdkafka has it, and will report
 *   failed   it is sent again after a while
 *   gone     kept, or cancelled
 */
enum letter_state { LETTER_WAITING, LETTER_SENT, LETTER_FAILED, LETTER_GONE };

struct letter {
    enum letter_state state;
    struct letter_topic *to;
    struct record *record; /* NULL: cancelled, after it was sent */
    struct letter_why why; /* its function's name is below */
    size_t value_size;     /* of the record's: less, when it is cut */
    uint64_t number;       /* in the order they were handed to us */
    bool alone;            /* it was refused as too large, perhaps for what went with it */
    unsigned failures;     /* in a row */
    uint64_t since;        /* of uv_now: when it came to its state */
    void (*settled)(void *context);
    void *context;
    struct letter *prev, *next; /* in its state's list */
    char function[];
};

struct dead_letters {
    struct letters seam; /* first: it is cast to its dead_letters */
    uv_loop_t *loop;
    const char *template;
    rd_kafka_conf_t *conf; /* what each handle is made of */
    rd_kafka_t *kafka;     /* NULL: closed, or broken and not made anew yet */
    rd_kafka_queue_t *queue;
    struct kafka_wake wake;
    uv_timer_t tick; /* runs while letters are under way */
    unsigned holds;  /* open handles and work under way: the last one frees the memory */
    bool broken;     /* the handle does nothing any more */
    unsigned breaks; /* since a letter was kept */
    uint64_t shut_at;
    unsigned destroying; /* handles that are */
    bool freed;

    struct credentials credentials;
    char *trouble; /* of a broker, since a letter was kept, in words: perhaps not ours; or NULL */

    struct letter_topic *topics;
    struct letter_topic *faulty;          /* whose fault the fault is; NULL: the brokers' */
    struct letter *in_state[LETTER_GONE]; /* utlist DL each */
    size_t sent, sent_bytes;
    uint64_t taken; /* letters, in all */

    void (*closed)(void *context);
    void *closed_context;
};

/* dead_letter.c */
extern const struct letters_calls letters_calls;
void letters_reported(struct dead_letters *letters, const rd_kafka_message_t *message);
void letters_brokers_fault(struct dead_letters *letters, const char *why);
void letters_start_tick(struct dead_letters *letters);
void letters_forget(struct dead_letters *letters); /* all of them, and the topics */

/* dead_letter_client.c */
bool letters_open(struct dead_letters *letters, char reason[REASON_SIZE]);
void letters_shut(struct dead_letters *letters); /* by the worker */
void letters_serve(struct dead_letters *letters);
void letters_unhold(struct dead_letters *letters);

/* dead_letter_record.c: hands a copy of the letter to librdkafka. */
rd_kafka_resp_err_t letter_produce(struct dead_letters *letters, struct letter *letter);

#endif
