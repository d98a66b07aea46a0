/* name_set: what is in it, each once, in its order. */
#include "core/name_set.h"

#include <criterion/criterion.h>

static void expect_names(const struct name_set *set, const char *const *names)
{
    const char *name = NULL;

    while ((name = name_set_next(set, name)))
        cr_assert_str_eq(name, *names++ ?: "");
    cr_expect_null(*names);
}

Test(name_set, holds_each_name_once_in_the_order_they_came)
{
    struct name_set set = {0};

    expect_names(&set, (const char *[]){NULL});
    cr_expect_not(name_set_has(&set, "orders"));
    name_set_drop(&set, "orders");
    name_set_add(&set, "returns");
    name_set_add(&set, "orders");
    name_set_add(&set, "orders.dead");
    name_set_add(&set, "orders");
    expect_names(&set, (const char *[]){"returns", "orders", "orders.dead", NULL});
    cr_expect(name_set_has(&set, "orders"));
    cr_expect_not(name_set_has(&set, "order"));
    name_set_drop(&set, "orders");
    expect_names(&set, (const char *[]){"returns", "orders.dead", NULL});
    name_set_clear(&set);
    expect_names(&set, (const char *[]){NULL});
    name_set_add(&set, "orders");
    expect_names(&set, (const char *[]){"orders", NULL});
    name_set_clear(&set);
}

Test(name_set, its_names_are_its_own)
{
    struct name_set set = {0};
    char name[] = "orders";

    name_set_add(&set, name);
    name[0] = 'x';
    cr_expect(name_set_has(&set, "orders"));
    name_set_clear(&set);
}
