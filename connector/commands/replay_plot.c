/* replay_plot: see replay_plot.h. */
#include "commands/replay_plot.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* Lengths in the picture. */
enum {
    LEFT = 70,
    WIDE = 840, /* of the panels */
    RIGHT = 30,
    HEAD = 56, /* above the first trace */
    TITLE = 26,
    LAG_HIGH = 130,
    GAP = 18,
    REPLICAS_HIGH = 64,
    BAND_HIGH = 14,
    HOURS_HIGH = 44,
    TRACE_HIGH = TITLE + LAG_HIGH + GAP + REPLICAS_HIGH + GAP + BAND_HIGH + HOURS_HIGH,
    TICKS = 8, /* of the hours, at most */
};

/* Without variables, which not every viewer of SVG knows. */
static const char style[] =
    "<style>\n"
    "text{fill:#1f2328;font:12px system-ui,sans-serif}\n"
    "text.title{font-weight:600;font-size:14px}\n"
    "text.end{text-anchor:end}\n"
    "text.middle{text-anchor:middle}\n"
    "path.grid{stroke:#d0d7de;fill:none}\n"
    "path.line{fill:none;stroke-width:1.5;stroke-linejoin:round}\n"
    "path.static{stroke:#c2410c;stroke-dasharray:5 2}\n"
    "path.persistent{stroke:#1d4ed8}\n"
    "rect.page{fill:#fff}\n"
    "rect.idle{fill:#d8dee4}\n"
    "rect.up{fill:#1d4ed8}\n"
    "rect.unknown{fill:#eab308}\n"
    "@media(prefers-color-scheme:dark){\n"
    "text{fill:#e6edf3}path.grid{stroke:#30363d}path.static{stroke:#fb923c}"
    "path.persistent{stroke:#60a5fa}rect.page{fill:#0d1117}rect.idle{fill:#3d444d}"
    "rect.up{fill:#60a5fa}rect.unknown{fill:#facc15}\n"
    "}\n"
    "</style>\n";

/* ---- texts ---- */

static void put_escaped(const char *text, FILE *to)
{
    for (; *text; text++)
        if (*text == '&')
            fputs("&amp;", to);
        else if (*text == '<')
            fputs("&lt;", to);
        else if ((unsigned char)*text >= ' ')
            fputc(*text, to);
}

static void put_text(double x, double y, const char *class, const char *text, FILE *to)
{
    fprintf(to, "<text x=\"%.1f\" y=\"%.1f\" class=\"%s\">", x, y, class);
    put_escaped(text, to);
    fputs("</text>\n", to);
}

/* 1200 as "1200", 1200000 as "1.2M". */
static void put_number(double x, double y, double number, FILE *to)
{
    char text[32];

    if (number >= 1e6)
        snprintf(text, sizeof(text), "%gM", number / 1e6);
    else if (number >= 1e4)
        snprintf(text, sizeof(text), "%gk", number / 1e3);
    else
        snprintf(text, sizeof(text), "%g", number);
    put_text(x, y, "end", text, to);
}

/* ---- scales ---- */

/* The least of 1, 2 and 5 times a power of ten that is not below. */
static double round_above(double number)
{
    double power = pow(10, floor(log10(number > 1 ? number : 1)));

    for (int step = 1; step < 10; step = step == 2 ? 5 : 2 * step)
        if (step * power >= number)
            return step * power;
    return 10 * power;
}

static double x_of(const struct replay_result *it, int64_t s)
{
    return LEFT + WIDE * (double)s / (double)it->seconds;
}

/* The lines behind a panel, and the numbers beside them: none, half, all. */
static void put_grid(double top, double high, double most, const char *name, FILE *to)
{
    for (int half = 0; half <= 2; half++) {
        double y = top + high * (2 - half) / 2;

        fprintf(to, "<path class=\"grid\" d=\"M%d %.1fh%d\"/>\n", LEFT, y, WIDE);
        put_number(LEFT - 6, y + 4, most * half / 2, to);
    }
    put_text(LEFT + 4, top + 12, "", name, to);
}

/* ---- lines ---- */

static double lag_at(const struct replay_result *it, int64_t s)
{
    return (double)it->lag[s];
}

static double replicas_at(const struct replay_result *it, int64_t s)
{
    return it->replicas[s];
}

static double highest(const struct replay_result *it,
                      double (*value)(const struct replay_result *, int64_t), int64_t from,
                      int64_t until)
{
    double most = 0;

    for (int64_t s = from; s < until; s++)
        most = fmax(most, value(it, s));
    return most;
}

/* A step for each point of the picture, at the highest of its seconds. */
static void put_line(const struct replay_result *it,
                     double (*value)(const struct replay_result *, int64_t), const char *class,
                     double top, double high, double most, FILE *to)
{
    int64_t points = it->seconds < WIDE ? it->seconds : WIDE;
    double before = -1;

    fprintf(to, "<path class=\"line %s\" d=\"", class);
    for (int64_t point = 0; point < points; point++) {
        int64_t from = it->seconds * point / points, until = it->seconds * (point + 1) / points;
        double y = top + high * (1 - highest(it, value, from, until) / most);

        if (point == 0)
            fprintf(to, "M%d %.1f", LEFT, y);
        else if (y != before)
            fprintf(to, "H%.1fV%.1f", x_of(it, from), y);
        before = y;
    }
    fprintf(to, "H%d\"/>\n", LEFT + WIDE);
}

static void put_panel(const struct replay_pair *pair, const char *name,
                      double (*value)(const struct replay_result *, int64_t), double top,
                      double high, FILE *to)
{
    double most = 1;

    for (int policy = 0; policy < REPLAY_POLICIES; policy++)
        most = fmax(most, highest(&pair->results[policy], value, 0, pair->results[policy].seconds));
    most = round_above(most);
    put_grid(top, high, most, name, to);
    for (int policy = 0; policy < REPLAY_POLICIES; policy++)
        put_line(&pair->results[policy], value, replay_policy_name((enum replay_policy)policy), top,
                 high, most, to);
}

/* ---- verdicts ---- */

static void put_verdicts(const struct replay_result *it, double top, FILE *to)
{
    for (size_t i = 0; i < it->verdict_count; i++) {
        const struct replay_verdict *verdict = &it->verdicts[i];
        int64_t until = i + 1 < it->verdict_count ? it->verdicts[i + 1].s : it->seconds;

        fprintf(to, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\"><title>",
                verdict->known ? scale_state_name(verdict->state) : "unknown", x_of(it, verdict->s),
                top, x_of(it, until) - x_of(it, verdict->s), BAND_HIGH);
        fprintf(to, "%" PRId64 ":%02" PRId64 ":%02" PRId64 " %s: ", verdict->s / 3600,
                verdict->s / 60 % 60, verdict->s % 60, scale_reason_name(verdict->reason));
        put_escaped(verdict->text, to);
        fputs("</title></rect>\n", to);
    }
    put_text(LEFT - 6, top + 11, "end", "verdicts", to);
}

/* ---- hours ---- */

/* Whole minutes, of a number that divides an hour or is whole hours, few enough. */
static int64_t tick_seconds(int64_t seconds)
{
    static const int64_t minutes[] = {1, 2, 5, 10, 30, 60, 120, 360, 720, 1440, 2880};
    size_t i = 0;

    while (i + 1 < sizeof(minutes) / sizeof(*minutes) && seconds > minutes[i] * 60 * TICKS)
        i++;
    return minutes[i] * 60;
}

static void put_hours(const struct replay_result *it, double y, FILE *to)
{
    int64_t tick = tick_seconds(it->seconds);

    for (int64_t s = 0; s <= it->seconds; s += tick) {
        char text[32];

        snprintf(text, sizeof(text), "%" PRId64 ":%02" PRId64, s / 3600, s / 60 % 60);
        put_text(x_of(it, s), y, "middle", text, to);
    }
}

/* ---- the picture ---- */

static void put_trace(const struct replay_pair *pair, double top, FILE *to)
{
    double replicas = top + TITLE + LAG_HIGH + GAP, band = replicas + REPLICAS_HIGH + GAP;
    const struct replay_result *persistent = &pair->results[REPLAY_PERSISTENT];

    put_text(LEFT, top + 14, "title", pair->name, to);
    put_panel(pair, "lag", lag_at, top + TITLE, LAG_HIGH, to);
    put_panel(pair, "replicas", replicas_at, replicas, REPLICAS_HIGH, to);
    put_verdicts(persistent, band, to);
    put_hours(persistent, band + BAND_HIGH + 16, to);
}

static void put_legend(FILE *to)
{
    int x = LEFT;

    for (int policy = 0; policy < REPLAY_POLICIES; policy++, x += 130) {
        const char *name = replay_policy_name((enum replay_policy)policy);

        fprintf(to, "<path class=\"line %s\" d=\"M%d 28h26\"/>\n", name, x);
        put_text(x + 32, 32, "", name, to);
    }
    for (int band = 0; band < 3; band++, x += 100) {
        static const char *const classes[] = {"idle", "up", "unknown"};

        fprintf(to, "<rect class=\"%s\" x=\"%d\" y=\"21\" width=\"26\" height=\"%d\"/>\n",
                classes[band], x, BAND_HIGH);
        put_text(x + 32, 32, "", classes[band], to);
    }
}

void replay_plot(const struct replay_pair *pairs, size_t count, FILE *to)
{
    int wide = LEFT + WIDE + RIGHT, high = HEAD + (int)count * TRACE_HIGH;

    fprintf(to,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\" "
            "aria-label=\"Lag, replicas and verdicts over time\">\n%s"
            "<rect class=\"page\" width=\"%d\" height=\"%d\"/>\n",
            wide, high, style, wide, high);
    put_legend(to);
    for (size_t i = 0; i < count; i++)
        put_trace(&pairs[i], HEAD + (double)i * TRACE_HIGH, to);
    fputs("</svg>\n", to);
}
