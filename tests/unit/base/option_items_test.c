/* option_items: numbered items from every source, others' groups, sections that are foreign. */
#include "base/option.h"
#include "base/xalloc.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define LIST(...)    ((char *[]){__VA_ARGS__, NULL})

struct item {
    char *topic;
    int64_t least;
};

static const struct option_row item_rows[] = {
    {.name = "Topic", .type = OPTION_STRING, .offset = offsetof(struct item, topic)},
    {.name = "MinPending",
     .type = OPTION_INT,
     .offset = offsetof(struct item, least),
     .default_text = "1",
     .min = 0,
     .max = 1000},
};
static const struct option_table item_table = {"Binding", item_rows, COUNT(item_rows)};

struct settings {
    char *client_id;
    struct option_items bindings;
};

static const struct option_row rows[] = {
    {.name = "Kafka__ClientId",
     .type = OPTION_STRING,
     .offset = offsetof(struct settings, client_id)},
    {.name = "Watch__Bindings",
     .aliases = "Bindings Old__Bindings",
     .type = OPTION_ITEMS,
     .offset = offsetof(struct settings, bindings),
     .item_table = &item_table,
     .item_size = sizeof(struct item)},
};
static const struct option_table table = {"Watch", rows, COUNT(rows)};

static char *config;
static const struct option_row other_rows[] = {
    {.name = "config", .type = OPTION_PATH},
    {.name = "log_level", .type = OPTION_STRING},
};
static const struct option_table other_table = {"Other", other_rows, COUNT(other_rows)};
static const struct option_group others = {&other_table, &config};

/* "0 orders 1; 3 returns 5": the items, then the faults, a line each. Caller frees. */
static char *read_text(char **flags, char **environment)
{
    struct settings settings;
    const struct option_group group = {&table, &settings};
    struct option_input input = {.argv = flags,
                                 .environment = environment,
                                 .file_flag = "config",
                                 .others = &others,
                                 .other_count = 1,
                                 .foreign = "Logging AllowedHosts"};
    struct option_faults faults = {0};
    char *text;
    size_t size;
    FILE *to = open_memstream(&text, &size);

    while (flags && flags[input.argc])
        input.argc++;
    option_read(&group, 1, &input, &faults);
    for (size_t i = 0; i < settings.bindings.count; i++) {
        const struct item *item = (struct item *)settings.bindings.items + i;

        fprintf(to, "%s%d %s %d", i ? "; " : "", (int)settings.bindings.numbers[i],
                item->topic ? item->topic : "-", (int)item->least);
    }
    if (settings.client_id)
        fprintf(to, " as %s", settings.client_id);
    for (size_t i = 0; i < faults.count; i++)
        fprintf(to, "\n%s", faults.items[i]);
    fclose(to);
    option_release(&group, 1);
    option_faults_release(&faults);
    cr_expect_eq(settings.bindings.count, 0);
    cr_expect_null(settings.bindings.items);
    return text;
}

static void expect(const char *sentence, char **flags, char **environment, const char *expected)
{
    char *text = read_text(flags, environment);

    cr_expect_str_eq(text, expected, "%s: %s", sentence, text);
    free(text);
}

Test(option_items, are_read_from_the_environment)
{
    expect("none", NULL, NULL, "");
    expect("by number, the lowest first; gaps are fine", NULL,
           LIST("Watch__Bindings__3__Topic=returns", "Watch__Bindings__3__MinPending=5",
                "Watch__Bindings__0__Topic=orders"),
           "0 orders 1; 3 returns 5");
    expect("by an alias", NULL, LIST("Old__Bindings__0__Topic=orders"), "0 orders 1");
    expect("of two spellings the first counts", NULL,
           LIST("Watch__Bindings__0__Topic=new", "Old__Bindings__0__Topic=old"), "0 new 1");
    expect("also when it comes last", NULL,
           LIST("Old__Bindings__0__Topic=old", "Watch__Bindings__0__Topic=new"), "0 new 1");
    expect("two spellings make one item", NULL,
           LIST("Watch__Bindings__0__Topic=new", "Old__Bindings__0__MinPending=7"), "0 new 7");
    expect("in any case, as in .NET", NULL,
           LIST("WATCH__BINDINGS__0__TOPIC=orders", "KAFKA__CLIENTID=us"), "0 orders 1 as us");
    expect("an empty variable is an unset one", NULL, LIST("Watch__Bindings__0__Topic="), "");
    expect("a number may be long", NULL, LIST("Watch__Bindings__123456789__Topic=x"),
           "123456789 x 1");
}

Test(option_items, tell_faults_with_their_number)
{
    expect("each item its own", NULL,
           LIST("Watch__Bindings__0__MinPending=abc", "Watch__Bindings__7__MinPending=2000"),
           "0 - 0; 7 - 0\n"
           "Watch__Bindings__0__MinPending: \"abc\" is not a whole number [environment]\n"
           "Watch__Bindings__7__MinPending: \"2000\" is out of range; it must be from 0 to 1000 "
           "[environment]");
    expect("an unknown row, in the environment too", NULL, LIST("Watch__Bindings__0__Topik=x"),
           "\nunknown Watch__Bindings__0__Topik; did you mean Watch__Bindings__0__Topic? "
           "[environment]");
    expect("no number", NULL, LIST("Watch__Bindings__Topic=x"),
           "\nunknown Watch__Bindings__Topic; it must be Watch__Bindings__N__NAME [environment]");
    expect("a number that is too long", NULL, LIST("Watch__Bindings__1234567890__Topic=x"),
           "\nunknown Watch__Bindings__1234567890__Topic; it must be "
           "Watch__Bindings__N__NAME [environment]");
    expect("a flag", LIST("--Watch__Bindings__0__Tpic=x"), NULL,
           "\nunknown flag --Watch__Bindings__0__Tpic; did you mean --Watch__Bindings__0__Topic?");
    expect("the name alone", NULL, LIST("Watch__Bindings=x"),
           "\nWatch__Bindings: \"x\" is no list of items [environment]");
}

/* With a settings file of this content. */
static void expect_file(const char *sentence, const char *json, char **environment,
                        const char *expected)
{
    char path[] = "/tmp/option_items_test_XXXXXX", *flag, *text, *at;
    int fd = mkstemp(path);

    cr_assert_eq(write(fd, json, strlen(json)), (ssize_t)strlen(json));
    close(fd);
    flag = xasprintf("--config=%s", path);
    text = read_text(LIST(flag), environment);
    while ((at = strstr(text, path))) /* FILE stands for it */
        memmove(memcpy(at, "FILE", 4) + 4, at + strlen(path), strlen(at + strlen(path)) + 1);
    cr_expect_str_eq(text, expected, "%s: %s", sentence, text);
    free(text);
    free(flag);
    unlink(path);
}

Test(option_items, are_read_from_a_file)
{
    expect_file("an array of objects",
                "{\"Watch\":{\"Bindings\":[{\"Topic\":\"a\"},"
                "{\"Topic\":\"b\",\"MinPending\":2}]}}",
                NULL, "0 a 1; 1 b 2");
    expect_file("an empty array", "{\"Watch\":{\"Bindings\":[]}}", NULL, "");
    expect_file("the environment wins, row by row",
                "{\"Watch\":{\"Bindings\":[{\"Topic\":\"a\",\"MinPending\":3}]}}",
                LIST("Watch__Bindings__0__Topic=b", "Watch__Bindings__2__Topic=c"), "0 b 3; 2 c 1");
    expect_file("an item that is none", "{\"Watch\":{\"Bindings\":[{\"Topic\":\"a\"},5]}}", NULL,
                "0 a 1\nfile FILE: \"Watch__Bindings__1\" is no object with members");
    expect_file("others' options and foreign sections are known",
                "{\"log_level\":\"debug\",\"Logging\":{\"LogLevel\":{\"Default\":\"Debug\"}},"
                "\"AllowedHosts\":\"*\",\"Watch\":{\"Bindings\":[{\"Topic\":\"a\"}]}}",
                NULL, "0 a 1");
    expect_file("anything else is a fault", "{\"Loging\":{\"a\":1}}", NULL,
                "\nfile FILE: unknown key \"Loging__a\"");
}
