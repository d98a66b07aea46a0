/* lanes: cases in words, then random walks against a list that is searched from its beginning. */
#include "core/lanes.h"

#include "base/xalloc.h"
#include "tests/unit/random.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>
#include <uthash.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const struct {
    const char *sentence;
    enum order order;
    const char *keys[2]; /* NULL: none */
    size_t sizes[2];
    bool both_go;
} pairs[] = {
    {"one key is one lane", ORDER_KEY, {"a", "a"}, {1, 1}, false},
    {"two keys are two lanes", ORDER_KEY, {"a", "b"}, {1, 1}, true},
    {"all without a key are one lane", ORDER_KEY, {NULL, NULL}, {0, 0}, false},
    {"an empty key is a key", ORDER_KEY, {"", NULL}, {0, 0}, true},
    {"empty keys are one lane", ORDER_KEY, {"", ""}, {0, 0}, false},
    {"a NUL does not end a key", ORDER_KEY, {"a\0b", "a\0c"}, {3, 3}, true},
    {"a key is not the beginning of another", ORDER_KEY, {"ab", "abc"}, {2, 3}, true},
    {"a partition is one lane, whatever the keys", ORDER_PARTITION, {"a", "b"}, {1, 1}, false},
    {"so without a key", ORDER_PARTITION, {"a", NULL}, {1, 0}, false},
    {"without order one key does not wait", ORDER_NONE, {"a", "a"}, {1, 1}, true},
    {"nor do those without a key", ORDER_NONE, {NULL, NULL}, {0, 0}, true},
};

Test(lanes, tell_who_waits_for_whom)
{
    for (size_t i = 0; i < COUNT(pairs); i++) {
        struct lane_item items[2];
        struct lanes lanes;
        bool goes;

        lanes_init(&lanes, pairs[i].order);
        goes = lanes_push(&lanes, pairs[i].keys[0], pairs[i].sizes[0], &items[0]);
        cr_expect(goes, "%s: the first goes", pairs[i].sentence);
        goes = lanes_push(&lanes, pairs[i].keys[1], pairs[i].sizes[1], &items[1]);
        cr_expect_eq(goes, pairs[i].both_go, "%s", pairs[i].sentence);
        cr_expect(lanes_first(&items[0]), "%s", pairs[i].sentence);
        cr_expect_eq(lanes_first(&items[1]), goes, "%s", pairs[i].sentence);
        cr_expect_eq(lanes_take_out(&lanes, &items[0]), goes ? NULL : &items[1], "%s",
                     pairs[i].sentence);
        cr_expect(lanes_first(&items[1]), "%s: its turn has come", pairs[i].sentence);
        cr_expect_null(lanes_take_out(&lanes, &items[1]), "%s", pairs[i].sentence);
        cr_expect_null(lanes.lanes, "%s: no lane without items is kept", pairs[i].sentence);
    }
}

Test(lanes, begin_anew_after_release)
{
    struct lane_item first, second;
    struct lanes lanes;

    lanes_init(&lanes, ORDER_KEY);
    lanes_push(&lanes, "a", 1, &first);
    lanes_push(&lanes, "b", 1, &second);
    lanes_release(&lanes);
    cr_expect_null(lanes.lanes);
    cr_expect(lanes_push(&lanes, "a", 1, &first));
    lanes_release(&lanes);
}

static unsigned hash_of(uint32_t key)
{
    unsigned hash;

    HASH_VALUE(&key, sizeof(key), hash);
    return hash;
}

static int by_hash(const void *a, const void *b)
{
    unsigned x = hash_of(*(const uint32_t *)a), y = hash_of(*(const uint32_t *)b);

    return x < y ? -1 : x > y;
}

/* Among 2^18 keys about eight pairs share a hash. */
Test(lanes, keep_keys_that_share_a_hash_in_order)
{
    enum { KEYS = 1 << 18 };
    uint32_t *keys = xmalloc(KEYS * sizeof(*keys));
    struct lane_item items[2];
    struct lanes lanes;
    size_t i;

    for (i = 0; i < KEYS; i++)
        keys[i] = (uint32_t)i;
    qsort(keys, KEYS, sizeof(*keys), by_hash);
    for (i = 1; i < KEYS && hash_of(keys[i]) != hash_of(keys[i - 1]); i++)
        ;
    cr_assert_lt(i, KEYS, "no two keys share a hash");
    lanes_init(&lanes, ORDER_KEY);
    cr_expect(lanes_push(&lanes, &keys[i - 1], sizeof(*keys), &items[0]));
    cr_expect_not(lanes_push(&lanes, &keys[i], sizeof(*keys), &items[1]));
    cr_expect_eq(lanes_take_out(&lanes, &items[0]), &items[1]);
    cr_expect_null(lanes_take_out(&lanes, &items[1]));
    free(keys);
}

enum { ITEMS = 300, WALKS = 1500 };

struct model_item {
    struct lane_item item;
    uint64_t lane; /* the model's: equal means that one waits for the other */
    bool goes, done;
};

struct model {
    struct lanes lanes;
    struct model_item items[ITEMS];
    size_t count;
    uint64_t random, seed;
};

static uint64_t model_lane(const struct model *model, uint64_t key)
{
    if (model->lanes.order == ORDER_PARTITION)
        return 0;
    return model->lanes.order == ORDER_NONE ? 1000 + model->count : key;
}

/* The first item of a lane that is not done; NULL: none. */
static struct model_item *model_first(struct model *model, uint64_t lane)
{
    for (size_t i = 0; i < model->count; i++)
        if (!model->items[i].done && model->items[i].lane == lane)
            return &model->items[i];
    return NULL;
}

static void push(struct model *model)
{
    uint64_t key = random_below(&model->random, 20); /* 0: none */
    struct model_item *item = &model->items[model->count];
    bool alone;

    item->lane = model_lane(model, key);
    alone = !model_first(model, item->lane);
    item->goes = lanes_push(&model->lanes, key ? &key : NULL, sizeof(key), &item->item);
    cr_assert_eq(item->goes, alone, "seed %" PRIu64, model->seed);
    model->count++;
}

/* Ends one of those that go, or now and then any one. False: none is left. */
static bool pop(struct model *model)
{
    struct model_item *left[ITEMS], *picked, *next;
    bool any = random_below(&model->random, 4) == 0;
    size_t count = 0;

    for (size_t i = 0; i < model->count; i++)
        if ((any || model->items[i].goes) && !model->items[i].done)
            left[count++] = &model->items[i];
    if (!count)
        return false;
    picked = left[random_below(&model->random, count)];
    picked->done = true;
    next = picked->goes ? model_first(model, picked->lane) : NULL;
    cr_assert_eq((void *)lanes_take_out(&model->lanes, &picked->item), (void *)next,
                 "seed %" PRIu64, model->seed);
    if (next) {
        cr_assert_not(next->goes, "seed %" PRIu64 ": two of a lane go", model->seed);
        next->goes = true;
    }
    return true;
}

static void walk(uint64_t seed, enum order order)
{
    struct model *model = xcalloc(1, sizeof(*model));

    model->random = model->seed = seed;
    lanes_init(&model->lanes, order);
    while (model->count < ITEMS)
        if (random_below(&model->random, 2) || !pop(model))
            push(model);
    while (pop(model))
        ;
    for (size_t i = 0; i < model->count; i++)
        cr_assert(model->items[i].done, "seed %" PRIu64 ": one was forgotten", seed);
    cr_assert_null(model->lanes.lanes, "seed %" PRIu64, seed);
    free(model);
}

Test(lanes, agree_with_a_model_by_key)
{
    for (uint64_t seed = 1; seed <= WALKS; seed++)
        walk(seed, ORDER_KEY);
}

Test(lanes, agree_with_a_model_by_partition)
{
    for (uint64_t seed = 1; seed <= WALKS; seed++)
        walk(seed, ORDER_PARTITION);
}

Test(lanes, agree_with_a_model_without_order)
{
    for (uint64_t seed = 1; seed <= WALKS; seed++)
        walk(seed, ORDER_NONE);
}
