/* order: what a request asks for, and the sentences for what it cannot. */
#include "producer/order.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

Test(order, takes)
{
    static const struct {
        const char *says, *body;
        int64_t count, size;
        const char *key;
    } cases[] = {
        {"both", "{\"count\": 5000, \"messageSize\": 64}", 5000, 64, NULL},
        {"nothing: one small record", "", 1, 64, NULL},
        {"an object without members", " {} ", 1, 64, NULL},
        {"one of them", "{\"count\":2}", 2, 64, NULL},
        {"the most", "{\"count\":10000000,\"messageSize\":1000000}", 10000000, 1000000, NULL},
        {"numbers in quotes", "{\"count\":\"7\",\"messageSize\":\"8\"}", 7, 8, NULL},
        {"a key", "{\"key\":\"k\"}", 1, 64, "k"},
        {"the last of two", "{\"count\":1,\"count\":3}", 3, 64, NULL},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct order order;
        char *reason;

        cr_assert(order_read(&order, cases[i].body, strlen(cases[i].body), &reason), "%s: %s",
                  cases[i].says, reason);
        cr_expect_eq(order.count, cases[i].count, "%s", cases[i].says);
        cr_expect_eq(order.size, cases[i].size, "%s", cases[i].says);
        cr_expect((!order.key && !cases[i].key) || strcmp(order.key, cases[i].key) == 0, "%s",
                  cases[i].says);
        order_release(&order);
    }
}

Test(order, refuses_with_a_sentence_of_each_fault)
{
    static const struct {
        const char *says, *body, *parts[3];
    } cases[] = {
        {"no JSON", "count=1", {"must be JSON", "bad syntax"}},
        {"half of it", "{\"count\":", {"must be JSON"}},
        {"another kind of JSON", "[1]", {"it is no object"}},
        {"none", "{\"count\":0}", {"count", "0", "1"}},
        {"less than none", "{\"count\":-5}", {"count", "-5"}},
        {"a record and a half", "{\"count\":1.5}", {"count", "1.5"}},
        {"too many", "{\"count\":10000001}", {"10000001", "10000000"}},
        {"more than a number holds", "{\"count\":1e30}", {"count"}},
        {"too large", "{\"messageSize\":1000001}", {"messageSize", "1000001"}},
        {"empty records", "{\"messageSize\":0}", {"messageSize"}},
        {"no number", "{\"count\":null}", {"count: must be a number or a text"}},
        {"a list", "{\"key\":[\"a\"]}", {"key: must be a number or a text"}},
        {"another name", "{\"counts\":3}", {"counts: there are only count, messageSize and key"}},
        {"all at once",
         "{\"count\":0,\"messageSize\":0,\"x\":1}",
         {"count", "; messageSize", "; x"}},
        {"a byte that is no text", "{\"key\":\"\xff\"}", {"not UTF-8"}},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct order order;
        char *reason = NULL;

        cr_assert_not(order_read(&order, cases[i].body, strlen(cases[i].body), &reason), "%s",
                      cases[i].says);
        for (size_t part = 0; part < 3 && cases[i].parts[part]; part++)
            cr_expect(strstr(reason, cases[i].parts[part]), "%s: \"%s\" lacks \"%s\"",
                      cases[i].says, reason, cases[i].parts[part]);
        free(reason);
    }
}
