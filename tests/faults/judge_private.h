/*
 * judge_private: what the parts of judge share. judge.c hears all calls and tells what is owed and
 * lost; judge_order.c judges order, judge_repeat.c repeats and what a member's end may cost.
 */
#ifndef FAULTS_JUDGE_PRIVATE_H
#define FAULTS_JUDGE_PRIVATE_H

#include "tests/faults/judge.h"

#include <stdio.h>

enum { SECOND_US = 1000 * 1000 };

struct lane;

struct history {     /* of a record with a function */
    int64_t done_us; /* when it was answered 200 for the first time; 0: never */
    size_t last_run; /* call; SIZE_MAX: none */
    bool called;
    uint32_t stamp; /* of uncommitted() */
};

struct trial {
    const struct plan *plan;
    const struct writer *writer;
    const struct calls *calls;
    const struct members *members;
    const struct admin *admin;
    const struct commits *commits;
    const struct judge_input *input;
    uint8_t *owed;
    struct history *histories; /* by function, then record */
    struct lane *lanes;
    uint32_t stamp;
    struct verdict verdict;
    FILE *report;
    int reported;
};

/* judge.c */
void judge_report(struct trial *trial, const char *what, const struct call *call,
                  const struct call *other);
double judge_seconds(const struct trial *trial, int64_t us); /* since the first member began */
struct history *judge_history(const struct trial *trial, int function, uint32_t record);
/* For whoever called: when its patience may have ended, it went on. */
int64_t judge_end(const struct call *call);
bool judge_befell(const struct trial *trial, int member, enum member_event event, int64_t from_us,
                  int64_t until_us);
/* Whether the call is no record's. */
bool judge_is_strange(const struct trial *trial, const struct call *call);

/* judge_order.c: of the call of this index; those before it were judged. */
void judge_order(struct trial *trial, size_t index);
/* Whether its member has lost its partitions and does not know yet. */
bool judge_is_stray(const struct trial *trial, const struct call *call);
void judge_free_lanes(struct trial *trial);

/* judge_repeat.c: the same; and, when all are judged, how many repeats were allowed. */
void judge_repeat(struct trial *trial, size_t index);
void judge_allow_all(struct trial *trial);

#endif
