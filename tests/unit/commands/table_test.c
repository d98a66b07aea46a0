/* table: columns for people, tabs for programs. */
#include "commands/table.h"

#include "base/xalloc.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static const struct table_column columns[] = {{"NAME", false}, {"COUNT", true}, {"WHY", false}};

static char *printed(const struct table *table, bool terminal)
{
    char *text;
    size_t size;
    FILE *to = xopen_memstream(&text, &size);

    table_print(table, terminal, to);
    xclose_memstream(to);
    return text;
}

static void expect(bool terminal, const char *wanted)
{
    struct table *table = table_new(columns, 3);
    char *text;

    table_add(table, TABLE_PLAIN, "%s", "é");
    table_add(table, TABLE_YELLOW, "%d", 1234567);
    table_add(table, TABLE_PLAIN, "%s", "");
    table_add(table, TABLE_PLAIN, "%s", "orders");
    table_add(table, TABLE_PLAIN, "%d", 1);
    table_add(table, TABLE_PLAIN, "%s", "a\tb\n");
    text = printed(table, terminal);
    cr_expect_str_eq(text, wanted, "%s", text);
    free(text);
    table_free(table);
}

Test(table, is_aligned_for_a_terminal)
{
    expect(true, "\033[1mNAME\033[0m      \033[1mCOUNT\033[0m  \033[1mWHY\033[0m\n"
                 "é       \033[33m1234567\033[0m  \n"
                 "orders        1  a\\tb\\n\n");
}

Test(table, is_tabs_for_a_program)
{
    expect(false, "NAME\tCOUNT\tWHY\né\t1234567\t\norders\t1\ta\\tb\\n\n");
}
