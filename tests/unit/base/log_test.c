/* log: the two forms of a line, and that nothing from outside passes for one. */
#define _GNU_SOURCE /* fopencookie */
#include "base/log.h"
#include "base/xalloc.h"

#include "base/json.h"

#include <criterion/criterion.h>
#include <pty.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT(array)   (sizeof(array) / sizeof(*(array)))
#define CONSOLE_CLOCK  "2026/11/21 17:04:41 "
#define CONSOLE_FORM   "^[0-9]{4}/[0-9]{2}/[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} "
#define JSON_TIME_FORM "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z$"

static FILE *to;
static char *text; /* what was logged since start() */
static size_t size;

static void start(enum log_format format, enum log_level level)
{
    to = open_memstream(&text, &size);
    log_configure(&(struct log_options){format, level}, to);
}

static void stop(void)
{
    log_configure(&(struct log_options){LOG_FORMAT_CONSOLE, LOG_LEVEL_INFO}, stderr);
    fclose(to);
    free(text);
}

static bool matches(const char *it, const char *form)
{
    regex_t compiled;
    int answer;

    cr_assert_eq(regcomp(&compiled, form, REG_EXTENDED | REG_NOSUB), 0);
    answer = regexec(&compiled, it, 0, NULL, 0);
    regfree(&compiled);
    return answer == 0;
}

/* That all that was logged is one clock and this. */
static void expect_console(const char *expected, const char *why)
{
    cr_assert(matches(text, CONSOLE_FORM), "%s: %s", why, text);
    cr_expect_str_eq(text + strlen(CONSOLE_CLOCK), expected, "%s: %s", why, text);
}

/* The one line of JSON that was logged. */
static json *logged_json(void)
{
    const char *reason = NULL;
    json *root = json_parse(text, size, &reason);

    cr_assert(root, "%s: %s", reason, text);
    cr_expect_eq(strchr(text, '\n'), text + size - 1, "one line: %s", text);
    return root;
}

static void expect_field(const json *root, const char *name, const char *expected)
{
    char *value = json_scalar_dup(json_member(root, name));

    if (expected)
        cr_expect_str_eq(value ? value : "none", expected, "%s", name);
    else
        cr_expect_null(json_member(root, name), "%s", name);
    free(value);
}

Test(log, console_subject)
{
    static const struct {
        const char *why;
        struct log_subject subject;
        const char *line;
    } cases[] = {
        {"nothing", {NULL, -1, -1, NULL}, "text\n"},
        {"topic", {"orders", -1, -1, NULL}, "[orders]: text\n"},
        {"partition", {"orders", 3, -1, NULL}, "[orders,3]: text\n"},
        {"partition 0 offset 0", {"orders", 0, 0, NULL}, "[orders,0] offset 0: text\n"},
        {"all", {"orders", 3, 17, "figlet"}, "[orders,3] offset 17, function figlet: text\n"},
        {"no offset", {"orders", 3, -1, "figlet"}, "[orders,3] function figlet: text\n"},
        {"function", {NULL, -1, -1, "figlet"}, "function figlet: text\n"},
        {"hostile names", {"a\n", -1, -1, "b\x1b"}, "[a\\n] function b\\x1b: text\n"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        start(LOG_FORMAT_CONSOLE, LOG_LEVEL_INFO);
        log_info(&cases[i].subject, "%s", "text");
        expect_console(cases[i].line, cases[i].why);
        stop();
    }
}

Test(log, console_levels)
{
    static const struct {
        enum log_level line, level;
        const char *text; /* NULL: not written */
    } cases[] = {
        {LOG_LEVEL_ERROR, LOG_LEVEL_ERROR, "ERROR: text\n"},
        {LOG_LEVEL_WARNING, LOG_LEVEL_WARNING, "WARNING: text\n"},
        {LOG_LEVEL_INFO, LOG_LEVEL_INFO, "text\n"},
        {LOG_LEVEL_DEBUG, LOG_LEVEL_DEBUG, "text\n"},
        {LOG_LEVEL_WARNING, LOG_LEVEL_ERROR, NULL},
        {LOG_LEVEL_INFO, LOG_LEVEL_WARNING, NULL},
        {LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, NULL},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        start(LOG_FORMAT_CONSOLE, cases[i].level);
        log_write(cases[i].line, NULL, "text");
        fflush(to);
        if (cases[i].text)
            expect_console(cases[i].text, "level");
        else
            cr_expect_eq(size, 0, "not wanted: %s", text);
        stop();
    }
}

Test(log, nobody_forges_a_line)
{
    start(LOG_FORMAT_CONSOLE, LOG_LEVEL_INFO);
    log_info(NULL, "value '%s'", "x\n2026/01/01 00:00:00 ERROR: forged");
    expect_console("value 'x\\n2026/01/01 00:00:00 ERROR: forged'\n", "one line");
    stop();

    start(LOG_FORMAT_JSON, LOG_LEVEL_INFO);
    log_info(NULL, "value '%s'", "x\n{\"level\":\"error\"}");
    json *root = logged_json();
    expect_field(root, "text", "value 'x\n{\"level\":\"error\"}'");
    json_free(root);
    stop();
}

Test(log, plain_has_no_prefix_on_the_console)
{
    struct log_subject subject = {"orders", 3, 17, "figlet"};

    start(LOG_FORMAT_CONSOLE, LOG_LEVEL_INFO);
    log_plain(&subject, "Invoke function: %s", "figlet");
    expect_console("Invoke function: figlet\n", "plain");
    stop();

    start(LOG_FORMAT_CONSOLE, LOG_LEVEL_WARNING);
    log_plain(&subject, "Invoke function: %s", "figlet");
    log_plain_body(&subject, "x", 1, "Response");
    fflush(to);
    cr_expect_eq(size, 0, "plain lines are info");
    stop();
}

Test(log, console_body)
{
    static const struct {
        const char *why, *body;
        size_t size;
        const char *line;
    } cases[] = {
        {"none", NULL, 0, "Response\n"},
        {"empty", "", 0, "Response\n"},
        {"line breaks only", "\r\n\n", 3, "Response\n"},
        {"one line", "hello", 5, "Response hello\n"},
        {"one line and a line break", "hello\r\n", 7, "Response hello\n"},
        {"a NUL and bad UTF-8", "a\0\xFF", 3, "Response a\\x00\\xff\n"},
        {"several lines", " _ \n| |\n", 8, "Response\n   _ \n  | |\n"},
        {"lines as of Windows", "a\r\nb\r\n", 6, "Response\n  a\n  b\n"},
        {"an empty line between", "a\n\nb", 4, "Response\n  a\n  \n  b\n"},
        {"a forged line stays indented", "x\n2026/01/01 ERROR", 18,
         "Response\n  x\n  2026/01/01 ERROR\n"},
        {"a lone carriage return is escaped", "x\r2026/01/01", 12, "Response x\\r2026/01/01\n"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        start(LOG_FORMAT_CONSOLE, LOG_LEVEL_INFO);
        log_plain_body(NULL, cases[i].body, cases[i].size, "Response");
        expect_console(cases[i].line, cases[i].why);
        stop();
    }
}

Test(log, json_fields)
{
    struct log_subject subject = {"orders", 0, 17, "figlet"};
    json *root;

    start(LOG_FORMAT_JSON, LOG_LEVEL_INFO);
    log_plain_body(&subject, "a\nb\n", 4, "Response [%d]", 200);
    root = logged_json();
    cr_expect(matches(json_text(json_member(root, "time"), ""), JSON_TIME_FORM), "%s", text);
    expect_field(root, "level", "info");
    expect_field(root, "topic", "orders");
    expect_field(root, "partition", "0");
    expect_field(root, "offset", "17");
    expect_field(root, "function", "figlet");
    expect_field(root, "text", "Response [200]");
    expect_field(root, "body", "a\nb");
    json_free(root);
    stop();

    start(LOG_FORMAT_JSON, LOG_LEVEL_INFO);
    log_error(&LOG_SUBJECT_NONE, "bad \xFF");
    root = logged_json();
    expect_field(root, "level", "error");
    expect_field(root, "text", "bad \xEF\xBF\xBD");
    expect_field(root, "topic", NULL);
    expect_field(root, "partition", NULL);
    expect_field(root, "offset", NULL);
    expect_field(root, "function", NULL);
    expect_field(root, "body", NULL);
    json_free(root);
    stop();
}

/* A body of `count` times `unit`, logged in a format: that it is bounded and says it was cut. */
static void expect_bounded(enum log_format format, const char *unit, size_t count)
{
    size_t step = strlen(unit), whole = step * count;
    char *body = xmalloc(whole);

    for (size_t i = 0; i < whole; i++)
        body[i] = unit[i % step];
    start(format, LOG_LEVEL_INFO);
    log_plain_body(NULL, body, whole, "Response");
    cr_expect_leq(size, 64 * 1024 + 256, "bounded: %zu", size);
    cr_expect_geq(size, 60 * 1024, "and used: %zu", size);
    cr_expect(strstr(text, "…("), "said");
    if (format == LOG_FORMAT_JSON)
        json_free(logged_json());
    stop();
    free(body);
}

Test(log, long_entries_are_cut)
{
    static const char *const units[] = {"x", "x\n", "\x01", "\"", "\xFF", "\xE2\x82\xAC", "\n\n y"};

    for (size_t i = 0; i < COUNT(units); i++) {
        expect_bounded(LOG_FORMAT_CONSOLE, units[i], 100000);
        expect_bounded(LOG_FORMAT_JSON, units[i], 100000);
    }
}

Test(log, the_cut_counts_what_is_missing)
{
    char *body = xmalloc(200000);
    size_t more = 0;
    char *note;

    memset(body, 'x', 200000);
    start(LOG_FORMAT_CONSOLE, LOG_LEVEL_INFO);
    log_plain_body(NULL, body, 200000, "Response");
    note = strstr(text, "…(");
    cr_assert(note, "cut");
    cr_assert_eq(sscanf(note, "…(%zu bytes more)", &more), 1);
    cr_expect_eq((size_t)(note - text) - strlen(CONSOLE_CLOCK "Response ") + more, 200000);
    stop();
    free(body);
}

/* A file whose write calls are counted. */
static ssize_t count_write(void *cookie, const char *bytes, size_t count)
{
    (void)bytes;
    ++*(int *)cookie;
    return (ssize_t)count;
}

Test(log, an_entry_is_one_write)
{
    int writes = 0;
    FILE *file = fopencookie(&writes, "w", (cookie_io_functions_t){.write = count_write});

    setvbuf(file, NULL, _IONBF, 0); /* as stderr */
    log_configure(&(struct log_options){LOG_FORMAT_CONSOLE, LOG_LEVEL_INFO}, file);
    log_plain_body(NULL, "a\nb\nc", 5, "Response");
    cr_expect_eq(writes, 1);
    log_configure(&(struct log_options){LOG_FORMAT_JSON, LOG_LEVEL_INFO}, file);
    log_plain_body(NULL, "a\nb\nc", 5, "Response");
    cr_expect_eq(writes, 2);
    fclose(file);
}

Test(log, colours_only_on_a_terminal)
{
    char seen[256] = "";
    int master, slave;
    FILE *terminal;
    ssize_t got;

    cr_assert_eq(openpty(&master, &slave, NULL, NULL, NULL), 0);
    terminal = fdopen(slave, "w");
    log_configure(&(struct log_options){LOG_FORMAT_CONSOLE, LOG_LEVEL_INFO}, terminal);
    log_error(NULL, "text");
    got = read(master, seen, sizeof(seen) - 1);
    cr_assert_gt(got, 0);
    cr_expect(strstr(seen, "\033[31mERROR: \033[0mtext"), "%s", seen);
    fclose(terminal);
    close(master);
}

Test(log, option_table)
{
    static const char *const choices[] = {"console|json", "error|warning|info|debug"};
    static const char *const defaults[] = {"console", "info"};

    cr_assert_eq(log_option_table.count, 2);
    for (size_t i = 0; i < 2; i++) {
        cr_expect_str_eq(log_option_table.rows[i].choices, choices[i], "in the enum's order");
        cr_expect_str_eq(log_option_table.rows[i].default_text, defaults[i]);
    }
}

Test(log, die_says_why_and_exits_with_2)
{
    char said[256] = "";
    int ends[2], status;
    pid_t child;

    cr_assert_eq(pipe(ends), 0);
    child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        die("no such \"%s\"", "a\nb");
    }
    close(ends[1]);
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert_gt(read(ends[0], said, sizeof(said) - 1), 0);
    close(ends[0]);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 2);
    cr_expect(strstr(said, ": no such \"a\\nb\"\n"), "%s", said);
}
