/* letter_box: see letter_box.h. */
#include "tests/harness/letter_box.h"

#include "base/xalloc.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

struct letter {
    struct kept_letter it;
    struct record *record; /* NULL: kept */
    bool refused;
    void (*settled)(void *context);
    void *context;
    struct letter *prev, *next;
};

struct letter_box {
    struct letters seam; /* first */
    uv_async_t wake;
    bool hold;
    struct letter *under_way; /* utlist DL */
    struct letter **kept;
    size_t kept_count, cancelled;
};

static void letter_free(struct letter *letter)
{
    record_unref(&letter->record);
    free(letter->it.topic);
    free(letter->it.function);
    free(letter);
}

static void leave(struct letter_box *box, struct letter *letter)
{
    DL_DELETE(box->under_way, letter);
    box->seam.under_way--;
    box->seam.refused -= letter->refused;
    if (!box->seam.under_way) {
        free(box->seam.fault);
        box->seam.fault = NULL;
    }
}

static struct letter *send_letter(struct letters *seam, struct record *record,
                                  const struct letter_why *why, void (*settled)(void *context),
                                  void *context)
{
    struct letter_box *box = (struct letter_box *)seam;
    struct letter *letter = xcalloc(1, sizeof(*letter));

    letter->it = (struct kept_letter){xstrdup(record->topic),
                                      xstrdup(why->function),
                                      record->partition,
                                      record->offset,
                                      why->reason,
                                      why->status,
                                      why->attempts};
    letter->record = record_ref(record);
    letter->settled = settled;
    letter->context = context;
    DL_APPEND(box->under_way, letter);
    seam->under_way++;
    uv_async_send(&box->wake);
    return letter;
}

static void cancel_letter(struct letters *seam, struct letter *letter)
{
    struct letter_box *box = (struct letter_box *)seam;

    leave(box, letter);
    letter_free(letter);
    box->cancelled++;
}

static void keep_one(struct letter_box *box)
{
    struct letter *letter = box->under_way;

    leave(box, letter);
    record_unref(&letter->record);
    box->kept = xrealloc(box->kept, (box->kept_count + 1) * sizeof(struct letter *));
    box->kept[box->kept_count++] = letter;
    letter->settled(letter->context);
}

int letter_box_keep(struct letter_box *box, int count)
{
    int kept = 0;

    while (box->under_way && kept != count) {
        keep_one(box);
        kept++;
    }
    return kept;
}

void letter_box_refuse(struct letter_box *box)
{
    struct letter *letter;

    DL_FOREACH (box->under_way, letter) {
        box->seam.refused += !letter->refused;
        letter->refused = true;
    }
    if (box->under_way && !box->seam.fault)
        box->seam.fault = xstrdup("topic dead: it does not exist");
}

static void on_wake(uv_async_t *wake)
{
    struct letter_box *box = wake->data;

    if (!box->hold)
        letter_box_keep(box, -1);
}

void letter_box_hold(struct letter_box *box, bool on)
{
    box->hold = on;
    if (!on)
        uv_async_send(&box->wake);
}

struct letter_box *letter_box_new(uv_loop_t *loop)
{
    static const struct letters_calls calls = {send_letter, cancel_letter};
    struct letter_box *box = xcalloc(1, sizeof(*box));

    box->seam.calls = &calls;
    uv_async_init(loop, &box->wake, on_wake);
    box->wake.data = box;
    return box;
}

static void on_closed(uv_handle_t *wake)
{
    struct letter_box *box = wake->data;

    for (size_t i = 0; i < box->kept_count; i++)
        letter_free(box->kept[i]);
    free(box->kept);
    free(box);
}

void letter_box_free(struct letter_box *box)
{
    assert(!box->under_way);
    uv_close((uv_handle_t *)&box->wake, on_closed);
}

struct letters *letter_box_seam(struct letter_box *box)
{
    return &box->seam;
}

size_t letter_box_under_way(const struct letter_box *box)
{
    return (size_t)box->seam.under_way;
}

size_t letter_box_cancelled(const struct letter_box *box)
{
    return box->cancelled;
}

size_t letter_box_kept(const struct letter_box *box)
{
    return box->kept_count;
}

const struct kept_letter *letter_box_at(const struct letter_box *box, size_t index)
{
    assert(index < box->kept_count);
    return &box->kept[index]->it;
}

size_t letter_box_kept_of(const struct letter_box *box, const char *function, int64_t offset)
{
    size_t count = 0;

    for (size_t i = 0; i < box->kept_count; i++)
        count +=
            box->kept[i]->it.offset == offset && strcmp(box->kept[i]->it.function, function) == 0;
    return count;
}
