/* replay_report, replay_plot: what is told of a replay, as a table, as JSON, as a picture. */
#include "commands/replay_plot.h"
#include "commands/replay_report.h"

#include "base/json.h"
#include "base/xalloc.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { SECONDS = 7200 };

static int64_t lag[SECONDS];
static int32_t replicas[SECONDS];
static struct replay_verdict verdicts[] = {
    {0, true, SCALE_IDLE, SCALE_CALM, "no partition is over"},
    {3600, false, SCALE_IDLE, SCALE_AWAY, "a<b & \"c\" has been over"},
};

static struct replay_pair pair(void)
{
    struct replay_result result = {
        .events = 40,
        .replica_hours = 10,
        .age_95_s = 31,
        .worst_s = 320,
        .late = 30,
        .written = 1000,
        .breaches = 2,
        .seconds = SECONDS,
        .lag = lag,
        .replicas = replicas,
    };
    struct replay_pair it = {.name = "a<b&c", .results = {result, result}};

    it.results[REPLAY_PERSISTENT].events = 10;
    it.results[REPLAY_PERSISTENT].replica_hours = 8;
    it.results[REPLAY_PERSISTENT].verdicts = verdicts;
    it.results[REPLAY_PERSISTENT].verdict_count = 2;
    return it;
}

/* What a function writes. Caller frees. Inlined, gcc 12 takes it for the address of a local. */
__attribute__((noinline)) static char *written_of(void (*print)(const struct replay_pair *, size_t,
                                                                FILE *),
                                                  const struct replay_pair *pairs, size_t count)
{
    size_t size;
    char *text;
    FILE *stream = xopen_memstream(&text, &size);

    print(pairs, count, stream);
    xclose_memstream(stream);
    return text;
}

static char *written(void (*print)(const struct replay_pair *, size_t, FILE *))
{
    struct replay_pair it = pair();

    return written_of(print, &it, 1);
}

Test(replay_report, puts_policies_side_by_side)
{
    char *text = written(replay_print_table);

    cr_expect(strstr(text, "a<b&c        static          40       10.0       31s        0s     "
                           "5m20s     3.0%        2\n"),
              "%s", text);
    cr_expect(strstr(text, "-75%       -20%\n"), "%s", text);
    free(text);
}

/* The column in which a line's text begins; the line is the first that has it. */
static long column_of(const char *text, const char *part)
{
    const char *at = strstr(text, part), *line = at;

    cr_assert(at, "%s", text);
    while (line > text && line[-1] != '\n')
        line--;
    return at - line;
}

Test(replay_report, is_as_wide_as_the_longest_name)
{
    static const char *const parts[] = {"policy", "static          40", "persistent      10",
                                        "static          80" /* the sum */};
    struct replay_pair pairs[] = {pair(), pair()};
    char *text;

    pairs[1].name = "orders-2026-11-black-friday.csv";
    text = written_of(replay_print_table, pairs, 2);
    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
        long column = column_of(text, parts[i]);

        cr_expect_eq(column, 32, "%s: %s", parts[i], text);
    }
    cr_expect(strstr(text, "\norders-2026-11-black-friday.csv static "), "%s", text);
    free(text);
}

Test(replay_report, is_json)
{
    char *text = written(replay_print_json);
    const char *reason;
    json *root = json_parse(text, strlen(text), &reason);
    const json *trace = json_first(json_member(root, "traces"));
    const json *persistent = json_member(trace, "persistent");
    const json *verdict = json_next(json_first(json_member(persistent, "verdicts")));
    char *events;

    cr_assert(root, "%s", reason);
    cr_expect_str_eq(json_text(json_member(trace, "trace"), ""), "a<b&c");
    events = json_scalar_dup(json_member(persistent, "scaling_events"));
    cr_expect_str_eq(events, "10");
    cr_expect_str_eq(json_text(json_member(verdict, "reason"), ""), "away");
    free(events);
    json_free(root);
    free(text);
}

/* Every tag is closed, in order; none has a name longer than 15. */
static bool is_nested(const char *text)
{
    char open[32][16];
    size_t depth = 0;

    for (const char *at = strchr(text, '<'); at; at = strchr(at + 1, '<')) {
        const char *end = strchr(at, '>');
        size_t size = strcspn(at + 1, " />");

        if (!end || depth == 32 || size > 15)
            return false;
        if (at[1] == '/') {
            size = strcspn(at + 2, ">");
            if (!depth-- || strncmp(open[depth], at + 2, size) != 0 || open[depth][size])
                return false;
        } else if (end[-1] != '/') {
            memcpy(open[depth], at + 1, size);
            open[depth++][size] = '\0';
        }
    }
    return depth == 0;
}

Test(replay_plot, is_an_svg_by_itself)
{
    char *text;

    for (int64_t s = 0; s < SECONDS; s++) {
        lag[s] = s % 1000 * 13;
        replicas[s] = 1 + s / 1000 % 5;
    }
    text = written(replay_plot);
    cr_expect_eq(strncmp(text, "<svg xmlns=\"http://www.w3.org/2000/svg\"", 39), 0);
    cr_expect(is_nested(text));
    cr_expect_not(strstr(text, "href"), "it needs nothing else");
    cr_expect(strstr(text, "prefers-color-scheme:dark"));
    cr_expect(strstr(text, "a&lt;b&amp;c</text>"), "the trace's name");
    cr_expect(strstr(text, "<title>1:00:00 away: a&lt;b &amp; \"c\" has been over</title>"));
    cr_expect(strstr(text, ">15k</text>") || strstr(text, ">20k</text>"), "the lag's scale");
    free(text);
}
