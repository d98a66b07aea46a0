/* accounts: a bench that could not see a lost, repeated or late record would prove nothing. */
#include "tests/bench/accounts.h"

#include <criterion/criterion.h>
#include <string.h>

static struct accounts count(size_t records, size_t partitions, const char *const *values)
{
    struct accounts accounts;

    accounts_init(&accounts, records, partitions);
    for (; *values; values++)
        accounts_add(&accounts, *values, strlen(*values));
    return accounts;
}

#define COUNT(records, partitions, ...)                                                            \
    count(records, partitions, (const char *const[]){__VA_ARGS__, NULL})

Test(accounts, all_once_and_in_order)
{
    struct accounts accounts = COUNT(4, 2, "0:0:xx", "1:0:xx", "1:1:xx", "0:1:xx");

    cr_expect_eq(accounts.distinct, 4);
    cr_expect_eq(accounts.repeated, 0);
    cr_expect_eq(accounts.disordered, 0);
    cr_expect_eq(accounts.strange, 0);
    accounts_release(&accounts);
}

Test(accounts, one_is_missing)
{
    struct accounts accounts = COUNT(4, 2, "0:0:", "1:0:", "1:1:");

    cr_expect_eq(accounts.distinct, 3);
    accounts_release(&accounts);
}

Test(accounts, one_comes_twice)
{
    struct accounts accounts = COUNT(2, 1, "0:0:", "0:1:", "0:0:");

    cr_expect_eq(accounts.distinct, 2);
    cr_expect_eq(accounts.repeated, 1);
    cr_expect_eq(accounts.disordered, 0, "a repetition is not late as well");
    accounts_release(&accounts);
}

Test(accounts, late_is_behind_a_later_one_of_its_partition)
{
    struct accounts accounts = COUNT(6, 2, "0:2:", "1:0:", "0:0:", "0:1:", "1:1:", "1:2:");

    cr_expect_eq(accounts.distinct, 6);
    cr_expect_eq(accounts.disordered, 2);
    accounts_release(&accounts);
}

Test(accounts, what_is_no_record_of_the_topic_is_strange)
{
    struct accounts accounts = COUNT(
        4, 2, "", ":", "0", "0:", "0:0",
        ":0:", "x:0:", "0:-1:", "2:0:", "0:2:", "0:99999999999999999999:", "Test the function.");

    cr_expect_eq(accounts.distinct, 0);
    cr_expect_eq(accounts.strange, 12);
    accounts_release(&accounts);
}
