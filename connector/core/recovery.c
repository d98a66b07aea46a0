/* recovery: see recovery.h. */
#include "core/recovery.h"

int64_t recovery_look_ms(int64_t now_ms, int64_t sustain_ms, int i)
{
    return now_ms - sustain_ms + sustain_ms * i / RECOVERY_LOOKS;
}

static bool are_there_and_differ(const int64_t found[RECOVERY_LOOKS])
{
    for (int i = 0; i < RECOVERY_LOOKS; i++) {
        if (found[i] < 0)
            return false;
        for (int j = 0; j < i; j++)
            if (found[i] == found[j])
                return false;
    }
    return true;
}

enum recovery recovery_judge(const struct recovery_question *question)
{
    /* Nothing was written since: the end was what it is. */
    int64_t then = question->found[0] < 0 ? question->end : question->found[0];

    if (question->committed < 0 || then - question->committed < question->threshold)
        return RECOVERY_NOT;
    if (question->append_time)
        return RECOVERY_PROVED;
    return are_there_and_differ(question->found) ? RECOVERY_LIKELY : RECOVERY_NOT;
}
