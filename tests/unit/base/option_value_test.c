/* option_set: one value into its field, and what the fault says where it is refused. */
#include "base/option.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

struct settings {
    bool print;
    int64_t slots, any, bytes, timeout;
    int order, offset;
    struct option_list topics;
    char *gateway, *folder;
    struct option_list properties;
};

#define FIELD(name) offsetof(struct settings, name)

static const struct option_row rows[] = {
    {"print_response", .type = OPTION_BOOL, .offset = FIELD(print)},
    {"slots", .type = OPTION_INT, .offset = FIELD(slots), .min = 1, .max = 1000},
    {"any", .type = OPTION_INT, .offset = FIELD(any)},
    {"max_bytes", .type = OPTION_BYTES, .offset = FIELD(bytes), .min = 1024, .max = 1 << 30},
    {"upstream_timeout", .type = OPTION_DURATION, .offset = FIELD(timeout), .min = 1,
     .max = 86400000},
    {"order", .type = OPTION_CHOICE, .offset = FIELD(order), .choices = "key|partition|none"},
    {"initial_offset", .type = OPTION_CHOICE, .offset = FIELD(offset),
     .choices = "latest/newest|earliest/oldest"},
    {"topics", .type = OPTION_LIST, .offset = FIELD(topics)},
    {"gateway_url", .type = OPTION_URL, .offset = FIELD(gateway)},
    {"secret_mount_path", .type = OPTION_PATH, .offset = FIELD(folder)},
    {"X", .type = OPTION_PROPERTIES, .offset = FIELD(properties)},
};
static const struct option_table table = {"Values", rows, COUNT(rows)};

static const struct option_row *row_named(const char *name)
{
    for (size_t i = 0; i < COUNT(rows); i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    cr_assert_fail("no row %s", name);
    return NULL;
}

Test(option_set, refuses_what_the_type_does_not_allow)
{
    static const struct {
        const char *option, *value, *fault;
    } cases[] = {
        {"upstream_timeout", "abc",
         "upstream_timeout: \"abc\" is not a duration (such as 30s, 1m30s or 250ms)"},
        {"upstream_timeout", "-1s", "upstream_timeout: \"-1s\" is negative"},
        {"upstream_timeout", "0",
         "upstream_timeout: \"0\" is out of range; it must be from 1ms to 24h"},
        {"upstream_timeout", "25h",
         "upstream_timeout: \"25h\" is out of range; it must be from 1ms to 24h"},
        {"order", "foo", "order: \"foo\" is none of key, partition, none"},
        {"order", "", "order: \"\" is none of key, partition, none"},
        {"order", "key|partition", "order: \"key|partition\" is none of key, partition, none"},
        {"initial_offset", "late", "initial_offset: \"late\" is none of latest, earliest"},
        {"gateway_url", "gateway:8080",
         "gateway_url: \"gateway:8080\" has no scheme; it must begin with http:// or https://"},
        {"gateway_url", "ftp://gateway",
         "gateway_url: \"ftp://gateway\" has another scheme; it must begin with http:// or "
         "https://"},
        {"gateway_url", "",
         "gateway_url: \"\" has no scheme; it must begin with http:// or https://"},
        {"gateway_url", "http://", "gateway_url: \"http://\" names no host"},
        {"gateway_url",
         "http://b\xc3\xbc"
         "cher:80",
         "gateway_url: \"http://b\xc3\xbc"
         "cher:80\" names a host that is not ASCII; write the form of it "
         "that begins with xn--"},
        {"gateway_url", "http:///x", "gateway_url: \"http:///x\" names no host"},
        {"gateway_url", "http://:8080", "gateway_url: \"http://:8080\" names no host"},
        {"gateway_url", "http://g:0",
         "gateway_url: \"http://g:0\" has a port that is not 1 to 65535"},
        {"gateway_url",
         "http://g:", "gateway_url: \"http://g:\" has a port that is not 1 to 65535"},
        {"gateway_url", "http://g:65536/x",
         "gateway_url: \"http://g:65536/x\" has a port that is not 1 to 65535"},
        {"gateway_url", "http://[::1]x",
         "gateway_url: \"http://[::1]x\" has a port that is not 1 to 65535"},
        {"gateway_url", "http://g\r\nHost: x",
         "gateway_url: \"http://g\\r\\nHost: x\" holds a blank or a control character"},
        {"gateway_url", "http://me:hunter2@g:8080",
         "gateway_url: its value has a user or password in it; they are given by options of their "
         "own"},
        {"gateway_url", "https://me@g?x",
         "gateway_url: its value has a user or password in it; they are given by options of their "
         "own"},
        {"gateway_url", "ftp://me:hunter2@g",
         "gateway_url: its value has another scheme; it must begin with http:// or https://"},
        {"print_response", "yes", "print_response: \"yes\" is neither true nor false"},
        {"slots", "0", "slots: \"0\" is out of range; it must be from 1 to 1000"},
        {"slots", "99999999999999999999",
         "slots: \"99999999999999999999\" is out of range; it must be from 1 to 1000"},
        {"slots", "8x", "slots: \"8x\" is not a whole number"},
        {"slots", " 8", "slots: \" 8\" is not a whole number"},
        {"slots", "-", "slots: \"-\" is not a whole number"},
        {"slots", "", "slots: \"\" is not a whole number"},
        {"any", "-1", "any: \"-1\" is out of range; it must be at least 0"},
        {"max_bytes", "64MB",
         "max_bytes: \"64MB\" is not a size in bytes (such as 1000, 16KiB or 64MiB)"},
        {"max_bytes", "MiB",
         "max_bytes: \"MiB\" is not a size in bytes (such as 1000, 16KiB or 64MiB)"},
        {"max_bytes", "1", "max_bytes: \"1\" is out of range; it must be from 1KiB to 1GiB"},
        {"max_bytes", "9223372036854775807GiB",
         "max_bytes: \"9223372036854775807GiB\" is out of range; it must be from 1KiB to 1GiB"},
        {"secret_mount_path", "/nowhere/at/all",
         "secret_mount_path: \"/nowhere/at/all\" cannot be read: No such file or directory"},
        {"X", "acks", "X: \"acks\" is not key=value"},
        {"X", "=hunter2", "X: a value without a key; it must be key=value"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct settings settings = {0};
        struct option_faults faults = {0};
        cr_expect_not(option_set(row_named(cases[i].option), &settings, cases[i].value, &faults),
                      "%s=%s", cases[i].option, cases[i].value);
        cr_assert_eq(faults.count, 1);
        cr_expect_str_eq(faults.items[0], cases[i].fault, "%s", faults.items[0]);
        cr_expect_eq(memcmp(&settings, &(struct settings){0}, sizeof(settings)), 0, "written to");
        option_faults_release(&faults);
    }
}

Test(option_set, quotes_no_more_than_a_line_of_a_value)
{
    char value[5000];
    struct settings settings = {0};
    struct option_faults faults = {0};

    memset(value, 'x', sizeof(value));
    value[sizeof(value) - 1] = '\0';
    cr_expect_not(option_set(row_named("slots"), &settings, value, &faults));
    cr_expect_lt(strlen(faults.items[0]), 150);
    cr_expect(strstr(faults.items[0], "xxx...\" is not a whole number"));
    option_faults_release(&faults);
}

Test(option_set, reads_numbers_and_choices)
{
    static const struct {
        const char *option, *value;
        size_t field;
        int64_t number;
    } cases[] = {
        {"slots", "1000", FIELD(slots), 1000},
        {"slots", "+7", FIELD(slots), 7},
        {"any", "9223372036854775807", FIELD(any), INT64_MAX},
        {"max_bytes", "1024", FIELD(bytes), 1024},
        {"max_bytes", "16KiB", FIELD(bytes), 16 << 10},
        {"max_bytes", "64MiB", FIELD(bytes), 64 << 20},
        {"max_bytes", "1GiB", FIELD(bytes), 1 << 30},
        {"upstream_timeout", "1m30s", FIELD(timeout), 90000},
        {"upstream_timeout", "5", FIELD(timeout), 5000},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct settings settings = {0};
        struct option_faults faults = {0};
        cr_expect(option_set(row_named(cases[i].option), &settings, cases[i].value, &faults));
        cr_expect_eq(*(int64_t *)((char *)&settings + cases[i].field), cases[i].number, "%s",
                     cases[i].value);
    }
}

Test(option_set, reads_a_choice_by_any_spelling)
{
    static const struct {
        const char *value;
        int index;
    } cases[] = {{"latest", 0}, {"newest", 0}, {"earliest", 1}, {"oldest", 1}};

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct settings settings = {.offset = 9};
        struct option_faults faults = {0};
        cr_expect(option_set(row_named("initial_offset"), &settings, cases[i].value, &faults));
        cr_expect_eq(settings.offset, cases[i].index, "%s", cases[i].value);
    }
}

Test(option_set, reads_booleans)
{
    static const struct {
        const char *value;
        bool yes;
    } cases[] = {{"true", true}, {"1", true}, {"True", true}, {"false", false}, {"0", false}};

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct settings settings = {.print = !cases[i].yes};
        struct option_faults faults = {0};
        cr_expect(option_set(row_named("print_response"), &settings, cases[i].value, &faults));
        cr_expect_eq(settings.print, cases[i].yes, "%s", cases[i].value);
    }
}

Test(option_set, drops_trailing_slashes_of_an_url)
{
    static const struct {
        const char *value, *url;
    } cases[] = {
        {"http://gateway:8080", "http://gateway:8080"},
        {"https://gateway///", "https://gateway"},
        {"HTTP://[::1]:8080/at@path/", "HTTP://[::1]:8080/at@path"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct settings settings = {0};
        struct option_faults faults = {0};
        cr_expect(option_set(row_named("gateway_url"), &settings, cases[i].value, &faults));
        cr_expect_str_eq(settings.gateway, cases[i].url);
        free(settings.gateway);
    }
}

/* Adds what the list holds behind the text, each item in brackets. */
static void show_list(const struct option_list *list, char *text, size_t room)
{
    for (size_t i = 0; i < list->count; i++) {
        size_t size = strlen(text);

        snprintf(text + size, room - size, "[%s]", list->items[i]);
    }
}

Test(option_set, splits_a_list_and_replaces_the_last)
{
    static const struct {
        const char *sentence, *value, *items;
    } cases[] = {
        {"blanks are trimmed, empty entries dropped", " orders ,, pay ments\t,\n^tmp.*,",
         "[orders][pay ments][^tmp.*]"},
        {"one replaces many", "one", "[one]"},
        {"nothing but commas and blanks", " , ,", ""},
        {"nothing", "", ""},
    };
    struct settings settings = {0};
    struct option_group group = {&table, &settings};

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct option_faults faults = {0};
        char text[100] = "";
        cr_expect(option_set(row_named("topics"), &settings, cases[i].value, &faults));
        show_list(&settings.topics, text, sizeof(text));
        cr_expect_str_eq(text, cases[i].items, "%s: %s", cases[i].sentence, text);
    }
    option_release(&group, 1);
    cr_expect_null(settings.topics.items);
}

Test(option_set, hides_the_value_of_a_secret_of_any_type)
{
    static const struct option_row pin = {"pin", .type = OPTION_INT, .flags = OPTION_SECRET};
    int64_t target = 0;
    struct option_faults faults = {0};

    cr_expect_not(option_set(&pin, &target, "hunter2", &faults));
    cr_expect_str_eq(faults.items[0], "pin: its value is not a whole number");
    option_faults_release(&faults);
}
