/*
 * duration: see duration.h. All arithmetic is in whole nanoseconds: 100 years of them fit an
 * int64_t three times over, and no floating point rounds "0.1s" to something else.
 */
#include "base/duration.h"

#include <stdio.h>
#include <string.h>

static const int64_t second_ns = 1000000000;
static const int64_t milli_ns = 1000000;
static const int64_t longest_ns = INT64_C(100) * 365 * 24 * 3600 * 1000000000;

static const char not_a_duration[] = "is not a duration (such as 30s, 1m30s or 250ms)";
static const char negative[] = "is negative";
static const char too_long[] = "is over 100 years";
static const char too_fine[] = "is finer than a millisecond";

static const struct unit {
    const char *name;
    int64_t ns;
} units[] = {
    {"ns", 1},
    {"us", 1000},
    {"\u00b5s", 1000}, /* the micro sign */
    {"\u03bcs", 1000}, /* the Greek letter mu: keyboards differ, both look alike */
    {"ms", 1000000},
    {"s", 1000000000},
    {"m", INT64_C(60) * 1000000000},
    {"h", INT64_C(3600) * 1000000000},
};

/* A decimal number: whole + fraction / scale. */
struct decimal {
    int64_t whole, fraction, scale;
    bool cut; /* digits other than 0 were left off behind the fraction */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Digits in front of the point; a number that is too long in any unit stays at longest_ns + 1. */
static const char *read_whole(const char *at, struct decimal *number)
{
    for (; is_digit(*at); at++) {
        bool fits = number->whole <= longest_ns / 10;
        number->whole = fits ? number->whole * 10 + (*at - '0') : longest_ns + 1;
    }
    return at;
}

static const char *read_fraction(const char *at, struct decimal *number)
{
    static const int64_t finest = INT64_C(1000000000000000);

    for (; is_digit(*at); at++) {
        if (number->scale < finest) {
            number->fraction = number->fraction * 10 + (*at - '0');
            number->scale *= 10;
        } else if (*at != '0') {
            number->cut = true;
        }
    }
    return at;
}

/* NULL when there is not one digit. */
static const char *read_decimal(const char *at, struct decimal *number)
{
    *number = (struct decimal){.scale = 1};
    const char *end = read_whole(at, number);
    size_t digits = (size_t)(end - at);
    if (*end == '.') {
        const char *fraction = end + 1;
        end = read_fraction(fraction, number);
        digits += (size_t)(end - fraction);
    }
    return digits ? end : NULL;
}

/* The unit that ends at the next digit, point or end of the text. */
static const struct unit *read_unit(const char **at)
{
    size_t size = strcspn(*at, ".0123456789");
    for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
        if (strlen(units[i].name) == size && memcmp(*at, units[i].name, size) == 0) {
            *at += size;
            return &units[i];
        }
    }
    return NULL;
}

/* Adds number x unit to the sum. NULL, or the reason why not. */
static const char *add(int64_t *sum, const struct decimal *number, int64_t unit)
{
    /* 128 bits: 15 digits of a fraction times an hour's nanoseconds pass 64. */
    __int128 fraction = (__int128)number->fraction * unit;
    __int128 total = *sum + (__int128)number->whole * unit + fraction / number->scale;
    if (total > longest_ns)
        return too_long;
    *sum = (int64_t)total;
    return number->cut || fraction % number->scale ? too_fine : NULL;
}

/* Reads the text behind the sign. Bad syntax anywhere outweighs what an earlier part was. */
static const char *read_sum(const char *at, int64_t *sum)
{
    const char *reason = NULL;
    bool first = true;

    do {
        struct decimal number;
        at = read_decimal(at, &number);
        if (!at)
            return not_a_duration;
        bool bare = first && !*at;
        const struct unit *unit = bare ? NULL : read_unit(&at);
        if (!bare && !unit)
            return not_a_duration;
        const char *refused = add(sum, &number, bare ? second_ns : unit->ns);
        reason = reason ? reason : refused;
        first = false;
    } while (*at);
    return reason;
}

bool duration_parse(const char *text, int64_t *ms, const char **reason)
{
    int64_t ns = 0;
    bool minus = *text == '-';

    *reason = read_sum(text + (minus || *text == '+'), &ns);
    if (*reason == not_a_duration)
        return false;
    if (minus && (*reason || ns > 0))
        *reason = negative;
    else if (!*reason && ns % milli_ns)
        *reason = too_fine;
    if (*reason)
        return false;
    *ms = ns / milli_ns;
    return true;
}

/* "1.5s" of 1500, "30s" of 30000: zeros that say nothing are cut. */
static void format_seconds(char *text, size_t size, unsigned ms)
{
    int end = snprintf(text, size, "%u.%03u", ms / 1000, ms % 1000);
    while (text[end - 1] == '0')
        end--;
    end -= text[end - 1] == '.';
    text[end] = 's';
    text[end + 1] = '\0';
}

char *duration_format(int64_t ms, char text[DURATION_TEXT_SIZE])
{
    int64_t hours = ms / 3600000;
    unsigned minutes = (unsigned)(ms / 60000 % 60);
    unsigned rest = (unsigned)(ms % 60000);
    int used = 0;

    if (ms > 0 && ms < 1000) {
        snprintf(text, DURATION_TEXT_SIZE, "%ums", rest);
        return text;
    }
    if (hours)
        used += snprintf(text, DURATION_TEXT_SIZE, "%lldh", (long long)hours);
    if (minutes)
        used += snprintf(text + used, DURATION_TEXT_SIZE - (size_t)used, "%um", minutes);
    if (rest || !used)
        format_seconds(text + used, DURATION_TEXT_SIZE - (size_t)used, rest);
    return text;
}
