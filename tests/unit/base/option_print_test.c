/* option: what people read: --help, Markdown, faults. */
#include "base/option.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* What a printer prints. Caller frees. */
static char *printed(void (*print)(const struct option_table *, FILE *),
                     const struct option_table *of)
{
    char *text;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    print(of, to);
    fclose(to);
    return text;
}

static const struct option_row shown_rows[] = {
    {"upstream_timeout", .type = OPTION_DURATION, .default_text = "30s", .min = 1, .max = 86400000,
     .text = "How long a call may take before it is given up and counted as one that may have run; "
             "functions that take longer want the asynchronous route."},
    {"order", .type = OPTION_CHOICE, .default_text = "key", .choices = "key/k|partition|none",
     .text = "Kept in order: a|b."},
    {"secret_of_the_gateway", "secret word", OPTION_STRING, .text = "A secret.",
     .value_name = "PASSWORD", .flags = OPTION_SECRET},
    {"X", .type = OPTION_PROPERTIES, .text = "A property."},
    {"help", "h", OPTION_BOOL, .text = "This text."},
};
static const struct option_table shown = {"Gateway", shown_rows, COUNT(shown_rows)};

Test(option_print_help, wraps_with_a_hanging_indent)
{
    char *text = printed(option_print_help, &shown);
    cr_expect_str_eq(
        text,
        "Gateway:\n"
        "  --upstream_timeout DURATION     How long a call may take before it is given up and "
        "counted as one\n"
        "                                  that may have run; functions that take longer want the\n"
        "                                  asynchronous route. Must be from 1ms to 24h. Default: "
        "30s\n"
        "  --order key|partition|none      Kept in order: a|b. Default: key\n"
        "  --secret_of_the_gateway PASSWORD\n"
        "                                  A secret. Also secret, word. Or "
        "secret_of_the_gateway_file, a file\n"
        "                                  that holds it.\n"
        "  -X KEY=VALUE                    A property. May be repeated.\n"
        "  --help                          This text. Also -h.\n",
        "%s", text);
    free(text);
}

Test(option_print_markdown, escapes_what_would_end_a_cell)
{
    char *text = printed(option_print_markdown, &shown);
    cr_expect(strstr(text, "| option | default | text |\n|---|---|---|\n") == text);
    cr_expect(strstr(text, "want the asynchronous route. Duration from 1ms to 24h. |\n"));
    cr_expect(
        strstr(text, "| `order` | `key` | Kept in order: a\\|b. One of key, partition, none. |\n"),
        "%s", text);
    cr_expect(strstr(text, "| `secret_of_the_gateway` |  | A secret. Text. Also secret, word. Or "
                           "secret_of_the_gateway_file, a file that holds it. |\n"));
    free(text);
}

Test(option_fault, escapes_control_characters)
{
    struct option_faults faults = {0};
    option_fault(&faults, "forged %s", "\x1b[2J\nERROR: no");
    cr_expect_str_eq(faults.items[0], "forged \\x1b[2J\\nERROR: no", "%s", faults.items[0]);
    option_faults_release(&faults);
}
