/* answers: see answers.h. */
#include "invoke/answers.h"

enum { ANSWERS_TOTAL };

static const struct metric_row rows[] = {
    [ANSWERS_TOTAL] = {METRIC_COUNTER, "kafka_connector_answers_total",
                       "Attempts that were answered, by the status: 2xx, 3xx, 4xx, 5xx."},
};

const struct metrics_table answer_metrics = {
    {"function", "class"}, rows, sizeof(rows) / sizeof(*rows)};

static const char *const names[ANSWER_CLASSES] = {"2xx", "3xx", "4xx", "5xx"};

static int class_of(long status)
{
    if (status < 300)
        return 0;
    return status < 500 ? (int)(status / 100) - 2 : ANSWER_CLASSES - 1;
}

void answers_init(struct answers *answers, struct metrics *metrics, const char *function)
{
    *answers = (struct answers){.errors = 0};
    for (int i = 0; i < ANSWER_CLASSES; i++)
        answers->classes[i] =
            metrics_add(metrics, &answer_metrics, (const char *const[]){function, names[i]});
}

void answers_release(struct answers *answers, struct metrics *metrics)
{
    for (int i = 0; i < ANSWER_CLASSES; i++)
        metrics_remove(metrics, answers->classes[i]);
}

void answers_add(struct answers *answers, long status)
{
    answers->classes[class_of(status)]->values[ANSWERS_TOTAL].number++;
    answers->errors = answers->errors << 1 | (status >= 400);
    if (answers->of_late < ANSWERS_OF_LATE)
        answers->of_late++;
}

void answers_status(const struct answers *answers, json *to)
{
    json *about = json_add_object(to, "answers");

    for (int i = 0; i < ANSWER_CLASSES; i++)
        json_add_number(about, names[i], answers->classes[i]->values[ANSWERS_TOTAL].number);
    json_add_number(about, "of_late", answers->of_late);
    json_add_number(about, "errors_of_late", __builtin_popcountll(answers->errors));
}
