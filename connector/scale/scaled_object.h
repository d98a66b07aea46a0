/*
 * scaled_object: one trigger of one ScaledObject: what it asks for, the verdict on it, and who is
 * to be told when that changes.
 *
 * It keeps its state (core/scale_judge) and what was proved of the time before (look_back.c); what
 * it judges, the histories, is the cluster's sampler's. It is judged once a sample, by
 * scaled_object_judge; between two it answers what it found at the last.
 */
#ifndef SCALE_SCALED_OBJECT_H
#define SCALE_SCALED_OBJECT_H

#include "base/json.h"
#include "core/scale_judge.h"
#include "scale/clusters.h"
#include "scale/scaler.h"

/* What all objects share: room to judge one. Zero-initialised. */
struct judging {
    struct evaluator_partition *partitions;
    struct partition_finding *findings;
    size_t size;
};

void judging_release(struct judging *judging);

/* What was proved of a partition; proofs of those that are over no more are dropped. */
struct proved_partition {
    char *topic;
    int32_t number;
    struct recovery_proof proof;
};

struct scaler_watcher {
    struct scaled_object *object;
    void (*changed)(void *context, const struct scaler_answer *answer);
    void *context;
    enum scaler_status status; /* that was told last, with `active` */
    bool active;
    struct scaler_watcher *prev, *next;
};

struct scaled_object {
    char *namespace, *name; /* "": the object without metadata */
    uint32_t hash;          /* of the metadata */
    struct trigger trigger;
    struct cluster *cluster;
    struct sampler_interest *interest;
    struct judging *judging; /* shared */

    struct scale_judge judge;
    struct evaluation evaluation;  /* of the last judgement */
    int64_t judged_ms;             /* the sample's that was judged last; -1: none yet */
    char *text;                    /* the reason, in words */
    char *named;                   /* the same behind the reason's name; NULL: as it is */
    struct scaler_answer answer;   /* reason: named or text */
    struct scaler_answer told[2];  /* by enum scaler_call: what the log was told last */
    enum scale_reason told_reason; /* likewise, of verdicts; with told_status */
    enum scaler_status told_status;
    char stale[256]; /* a reason */

    struct proved_partition *proved;
    size_t proved_count;
    struct sampler_times *looks; /* under way; NULL: none are */

    struct scaler_watcher *watchers;
    struct metrics_instance *values; /* NULL: it has none */
};

extern const struct metrics_table object_metrics;

/* The trigger is taken. */
struct scaled_object *scaled_object_new(const char *namespace, const char *name, uint32_t hash,
                                        struct trigger *trigger, struct cluster *cluster,
                                        struct judging *judging);
void scaled_object_free(struct scaled_object *object);

/* As what the ScaledObject was before its metadata was edited. */
void scaled_object_adopt(struct scaled_object *object, const struct scaled_object *other);

/* Its cluster samples at another interval. */
void scaled_object_fit(struct scaled_object *object);

/* Judges the newest sample, unless it has, or by samplingInterval it is not one of its own; tells
 * the watchers. */
void scaled_object_judge(struct scaled_object *object);

/* Judges the last sample again: a proof has come. */
void scaled_object_judge_again(struct scaled_object *object);

/* By the wall clock: an answer is good for three sampling intervals. */
struct scaler_answer scaled_object_answer(struct scaled_object *object, int64_t now_ms);

/* A line of the log for a call, as info when the answer differs from the last of its kind. */
void scaled_object_log_call(struct scaled_object *object, enum scaler_call call,
                            const struct scaler_answer *answer);

struct scaler_watcher *scaled_object_watch(struct scaled_object *object,
                                           void (*changed)(void *, const struct scaler_answer *),
                                           void *context, const struct scaler_answer *first);

void scaled_object_measure(struct scaled_object *object, struct metrics *metrics);
void scaled_object_collect(struct scaled_object *object);
void scaled_object_describe(const struct scaled_object *object, json *to);

/* "default/orders (orders-group, topic orders)": for lines of the log. Caller frees. */
char *scaled_object_title_dup(const struct scaled_object *object);

/* look_back.c */

/* Asks what was before, of the partitions that are over since further back than is known, as
 * object->judging has them. Told it judges again. */
void look_back(struct scaled_object *object, size_t partitions);
struct recovery_proof look_back_proof(const struct scaled_object *object, const char *topic,
                                      int32_t number);
/* Drops what is proved of partitions that are not over. */
void look_back_keep(struct scaled_object *object, size_t partitions);
void look_back_release(struct scaled_object *object);

#endif
