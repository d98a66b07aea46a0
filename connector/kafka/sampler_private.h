/*
 * sampler_private: what the parts of the sampler share. sampler.c holds who asks, and what is shown
 * to them; sampler_tick.c the steps of a tick; sampler_client.c the handle of librdkafka, its
 * events and what it sends; sampler_groups.c the commits; sampler_metadata.c topics and their
 * partitions; sampler_logs.c ends and starts of logs; sampler_note.c what becomes of it all at a
 * tick's end; sampler_times.c what is asked between two ticks.
 *
 * All of it lives on the loop's thread but the work of the three kinds of struct job (metadata,
 * logs, times), which wait for a broker: libuv's worker sees nothing but its job and the
 * thread-safe rd_kafka_t. One job is under way at a time.
 */
#ifndef KAFKA_SAMPLER_PRIVATE_H
#define KAFKA_SAMPLER_PRIVATE_H

#include "kafka/credentials.h"
#include "kafka/sampler.h"
#include "kafka/wake.h"

#include <librdkafka/rdkafka.h>
#include <stdatomic.h>
#include <uthash.h>

/* ---- logs ---- */

struct log_partition {
    int32_t leader;    /* -1: none */
    int64_t end;       /* OFFSET_UNKNOWN: not read at this tick */
    const char *error; /* static text: why not */
    int64_t start;     /* OFFSET_UNKNOWN: never read */
    int64_t start_ms;  /* the tick at which it was */
    bool start_wanted; /* by a group that has committed nothing */
};

/* A topic of the cluster, whoever asks for it. */
struct log_topic {
    char *name;
    unsigned users;    /* group_topics */
    bool known;        /* the metadata of this tick told of it, or that there is none */
    bool missing;      /* the cluster says that there is none */
    bool doubted;      /* it told of less than before, once: a broker may be behind */
    const char *error; /* static text */
    const char *said;  /* the trouble that was logged */
    size_t count;
    struct log_partition *partitions;
    UT_hash_handle hh;
};

/* ---- groups ---- */

struct group_topic {
    struct sampler_topic seen; /* first: what is shown */
    struct log_topic *log;
    unsigned named;  /* interests by name */
    size_t samples;  /* that those keep at least */
    bool committed;  /* the group has, by its last answer */
    size_t asked;    /* partitions that the question of this tick names */
    int64_t *answer; /* what the answer of this tick says, by partition */
    size_t answer_size, answer_count;
    UT_hash_handle hh;
};

struct group {
    struct sampler_group seen; /* first: what is shown */
    struct sampler *sampler;
    char *name;
    unsigned interests;
    unsigned alls;              /* of them: in all topics */
    size_t samples;             /* that those keep at least */
    struct group_topic *topics; /* by name */
    bool asked_all;             /* the question names no partitions: it is about all */
    bool in_flight;             /* a question is, of this tick or an earlier one */
    uint64_t sent_at;           /* of uv_now */
    const char *said;           /* the trouble that was logged */
    /* At which it was the last time; moved: its coordinator was another one than asked. */
    int64_t walked_tick, sent_tick, done_tick, read_tick, moved_tick;
    UT_hash_handle hh;
};

struct sampler_interest {
    struct group *group;
    struct group_topic *topic; /* NULL: all */
};

/* ---- the whole ---- */

/* What a tick is doing. */
enum sampler_state {
    SAMPLER_IDLE,
    SAMPLER_METADATA_READING, /* by the worker: before the groups, or after them for new topics */
    SAMPLER_GROUPS_READING,
    SAMPLER_LOGS_READING,  /* by the worker */
    SAMPLER_TIMES_READING, /* by the worker: between two ticks */
    SAMPLER_CLOSING,
};

enum { SAMPLER_HANDLES = 3 }; /* of libuv: wake, due, late */

struct sampler {
    struct sampler_setup setup; /* kafka and group are no longer there */
    rd_kafka_conf_t *conf;      /* of which each client gets a copy */
    struct credentials credentials;
    char *refused; /* why a broker does not let us in; NULL: not known, or over */
    rd_kafka_t *kafka;
    rd_kafka_queue_t *queue; /* answers, errors, lines of its log */
    char *newest_error;      /* that the client told: why no broker answers */
    struct kafka_wake wake;
    uv_timer_t due, late;
    unsigned holds; /* open handles, jobs and clients being destroyed: the last frees the memory */
    atomic_bool abandoned;
    atomic_llong sent[SAMPLER_REQUEST_KINDS];

    enum sampler_state state;
    bool begun;
    bool at_once; /* the next tick is not waited for: it is the first */
    bool is_due;  /* the next tick waits for the worker */
    int64_t tick; /* counts them */
    int64_t tick_ms, ticked_ms;
    unsigned skipped; /* multiples of the interval since the tick before */
    uint64_t began_at;
    bool groups_read; /* at this tick */
    char *fault;      /* of the last tick; said */

    unsigned silent;     /* ticks at which a broker that is there told no metadata */
    int64_t silent_tick; /* the last of them */

    size_t in_flight;         /* questions for groups */
    bool all_answered;        /* at the last tick, by this client */
    size_t waiting;           /* groups that were walked to and are not done */
    struct group *next_group; /* to be walked to */
    bool by_leader;           /* the question for all ends failed the last time */

    struct group *groups;
    struct log_topic *topics;
    uint64_t configs_lacked_at;  /* of uv_now: when topics' settings were not told; 0: they were */
    struct sampler_times *times; /* who asks what was in the past, the first first */
    struct sampler_counts counts;

    void (*closed)(void *context);
    void *closed_context;
};

/* What the worker does. */
struct job {
    uv_work_t uv;            /* first */
    struct sampler *sampler; /* for the loop's thread only */
    rd_kafka_t *kafka;
    int timeout_ms;
    const atomic_bool *abandoned;
    void (*work)(struct job *job); /* on the worker */
    void (*over)(struct job *job); /* on the loop, not when the sampler closes */
    void (*free)(struct job *job);
};

/* sampler_tick.c */
void sampler_open_handles(struct sampler *sampler);
void sampler_begin_soon(struct sampler *sampler);
void sampler_metadata_done(struct sampler *sampler);
void sampler_groups_done(struct sampler *sampler);
void sampler_logs_done(struct sampler *sampler);
/* Nothing can be read at this tick. */
void sampler_tick_failed(struct sampler *sampler, rd_kafka_resp_err_t why);
/* Somebody asks what was in the past; the job that asked is over. */
void sampler_times_wanted(struct sampler *sampler);
void sampler_times_done(struct sampler *sampler);
/* The interval is another. */
void sampler_wait_anew(struct sampler *sampler);
void sampler_start_job(struct sampler *sampler, struct job *job);
void sampler_unhold(struct sampler *sampler);

/* sampler_client.c */
rd_kafka_conf_t *sampler_conf_new(const struct kafka_options *kafka, const char *group,
                                  bool create_topics, struct option_faults *faults);
void sampler_on_woken(void *context, uint64_t mark);
/* A client made of sampler->conf in the place of the one there is, which the worker destroys.
 * False with a reason in librdkafka's words: all is as it was. */
bool sampler_client_open(struct sampler *sampler, char *reason, size_t size);
void sampler_client_close(struct sampler *sampler);

/* sampler_groups.c */
void sampler_read_groups(struct sampler *sampler);
void sampler_on_answer(struct sampler *sampler, rd_kafka_event_t *event); /* borrows event */
void sampler_on_late(uv_timer_t *timer);
/* Whether a group has been silent for too long. */
bool sampler_is_unanswered(const struct sampler *sampler);
/* Whatever was under way will not be answered: its client is gone. */
void sampler_forget_requests(struct sampler *sampler);
/* What the group's answer of this tick says of a partition; OFFSET_UNKNOWN: there is none. */
int64_t group_topic_committed(const struct group *group, const struct group_topic *topic, size_t i);

/* sampler_metadata.c */
void sampler_read_metadata(struct sampler *sampler);

/* sampler_logs.c */
void sampler_read_logs(struct sampler *sampler);

/* sampler_times.c */
void sampler_read_times(struct sampler *sampler);
void sampler_times_forget(struct sampler *sampler);

/* sampler_note.c: the tick's last turn. */
void sampler_note_all(struct sampler *sampler);
void sampler_note_failure(struct sampler *sampler, const char *why);

/* sampler.c */
struct group_topic *group_topic_get(struct group *group, const char *name);
void group_topic_fit(struct group_topic *topic, size_t count, size_t samples);
/* Frees what nobody asks for any more. Between ticks. */
void sampler_sweep(struct sampler *sampler);
void sampler_free(struct sampler *sampler);

#endif
