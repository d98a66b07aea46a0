/* option_value: reads one value into its field; a function a type. */
#include "base/option_private.h"

#include "base/duration.h"
#include "base/xalloc.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include <utstring.h>

enum { SHOWN = 100 }; /* bytes of a value that a fault quotes */

/* One value on its way into one field. */
struct attempt {
    const struct option_row *row;
    void *field;
    const char *value;
    struct option_faults *faults;
};

/* An URL may carry a password in front of its host. */
static bool is_secret(const struct attempt *attempt)
{
    return attempt->row->flags & OPTION_SECRET ||
           (attempt->row->type == OPTION_URL && strchr(attempt->value, '@'));
}

/* Adds `name: "value" REASON`, a secret's value left out. Always false. */
__attribute__((format(printf, 2, 3))) static bool refuse(const struct attempt *attempt,
                                                         const char *format, ...)
{
    const char *name = attempt->row->name;
    const char *cut = strlen(attempt->value) > SHOWN ? "..." : "";
    va_list args;

    va_start(args, format);
    char *reason = xvasprintf(format, args);
    va_end(args);
    if (is_secret(attempt)) {
        option_fault(attempt->faults, "%s: its value %s", name, reason);
    } else {
        option_fault(attempt->faults, "%s: \"%.*s%s\" %s", name, SHOWN, attempt->value, cut,
                     reason);
    }
    free(reason);
    return false;
}

/* ---- texts ---- */

static void replace_text(char **field, char *text)
{
    free(*field);
    *field = text;
}

static bool read_string(const struct attempt *attempt)
{
    replace_text(attempt->field, xstrdup(attempt->value));
    return true;
}

static bool read_path(const struct attempt *attempt)
{
    if (access(attempt->value, R_OK) != 0)
        return refuse(attempt, "cannot be read: %s", strerror(errno));
    return read_string(attempt);
}

static bool read_url(const struct attempt *attempt)
{
    const char *reason = option_url_fault(attempt->value);
    if (reason)
        return refuse(attempt, "%s", reason);
    size_t size = strlen(attempt->value);
    while (attempt->value[size - 1] == '/')
        size--;
    replace_text(attempt->field, xstrndup(attempt->value, size));
    return true;
}

/* ---- numbers ---- */

bool option_bool_parse(const char *text, bool *value)
{
    bool yes = strcasecmp(text, "true") == 0 || strcmp(text, "1") == 0;
    bool no = strcasecmp(text, "false") == 0 || strcmp(text, "0") == 0;

    if (yes || no)
        *value = yes;
    return yes || no;
}

static bool read_bool(const struct attempt *attempt)
{
    return option_bool_parse(attempt->value, attempt->field) ||
           refuse(attempt, "is neither true nor false");
}

bool option_is_bounded(const struct option_row *row)
{
    return row->min || row->max;
}

static bool refuse_range(const struct attempt *attempt)
{
    char *bounds = option_bounds(attempt->row);
    refuse(attempt, "is out of range; it must be %s", bounds);
    free(bounds);
    return false;
}

static bool store_number(const struct attempt *attempt, int64_t number)
{
    const struct option_row *row = attempt->row;
    int64_t max = option_is_bounded(row) ? row->max : INT64_MAX;

    if (number < row->min || number > max)
        return refuse_range(attempt);
    *(int64_t *)attempt->field = number;
    return true;
}

/* strtoll without its leave to begin with blanks. Returns where the number ends, NULL: no number.
 * errno is ERANGE when it does not fit. */
static const char *read_whole_number(const char *text, int64_t *number)
{
    char *end;
    if (!isdigit((unsigned char)*text) && *text != '-' && *text != '+')
        return NULL;
    errno = 0;
    *number = strtoll(text, &end, 10);
    return end > text ? end : NULL;
}

static bool read_int(const struct attempt *attempt)
{
    int64_t number;
    const char *end = read_whole_number(attempt->value, &number);

    if (!end || *end)
        return refuse(attempt, "is not a whole number");
    return errno == ERANGE ? refuse_range(attempt) : store_number(attempt, number);
}

static const struct size_unit {
    const char *name;
    int64_t bytes;
} size_units[] = {{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"", 1}};

static bool read_bytes(const struct attempt *attempt)
{
    const struct size_unit *unit = size_units;
    int64_t number;
    const char *end = read_whole_number(attempt->value, &number);
    bool overflow = errno == ERANGE;

    while (end && *unit->name && strcmp(end, unit->name) != 0)
        unit++;
    if (!end || strcmp(end, unit->name) != 0)
        return refuse(attempt, "is not a size in bytes (such as 1000, 16KiB or 64MiB)");
    if (overflow || __builtin_mul_overflow(number, unit->bytes, &number))
        return refuse_range(attempt);
    return store_number(attempt, number);
}

static bool read_duration(const struct attempt *attempt)
{
    int64_t ms;
    const char *reason;
    return duration_parse(attempt->value, &ms, &reason) ? store_number(attempt, ms)
                                                        : refuse(attempt, "%s", reason);
}

/* A bound as the user would write it. Caller frees. */
static char *bound_text(const struct option_row *row, int64_t bound)
{
    const struct size_unit *unit = size_units;
    char text[DURATION_TEXT_SIZE];

    if (row->type == OPTION_DURATION)
        return xstrdup(duration_format(bound, text));
    while (*unit->name && (row->type != OPTION_BYTES || bound == 0 || bound % unit->bytes))
        unit++;
    return xasprintf("%" PRId64 "%s", bound / unit->bytes, unit->name);
}

char *option_bounds(const struct option_row *row)
{
    bool open = !option_is_bounded(row) || row->max == INT64_MAX;
    char *min = bound_text(row, row->min);
    char *max = bound_text(row, row->max);
    char *text = open ? xasprintf("at least %s", min) : xasprintf("from %s to %s", min, max);

    free(max);
    free(min);
    return text;
}

/* ---- choices: "latest/newest|earliest/oldest" ---- */

/* The next choice, or NULL. */
static const char *behind_bar(const char *choice)
{
    const char *bar = strchr(choice, '|');

    return bar ? bar + 1 : NULL;
}

static bool spells(const char *choice, size_t size, const char *value)
{
    const char *end = choice + size;
    for (const char *at = choice; at <= end;) {
        size_t length = strcspn(at, "|/");
        if (strlen(value) == length && memcmp(at, value, length) == 0)
            return true;
        at += length + 1;
    }
    return false;
}

char *option_choices(const struct option_row *row, const char *separator)
{
    UT_string text;

    utstring_init(&text);
    for (const char *at = row->choices; at; at = behind_bar(at)) {
        utstring_printf(&text, "%s", utstring_len(&text) ? separator : "");
        utstring_bincpy(&text, at, strcspn(at, "|/"));
    }
    return utstring_body(&text);
}

static bool read_choice(const struct attempt *attempt)
{
    int index = 0;
    for (const char *at = attempt->row->choices; at; at = behind_bar(at), index++)
        if (spells(at, strcspn(at, "|"), attempt->value)) {
            *(int *)attempt->field = index;
            return true;
        }
    char *choices = option_choices(attempt->row, ", ");
    refuse(attempt, "is none of %s", choices);
    free(choices);
    return false;
}

/* ---- lists ---- */

void option_list_add(struct option_list *list, const char *item, size_t size)
{
    list->items = xrealloc(list->items, (list->count + 1) * sizeof(*list->items));
    list->items[list->count++] = xstrndup(item, size);
}

void option_list_release(struct option_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        xfree_secret(list->items[i]); /* librdkafka's properties, among others */
    free(list->items);
    *list = (struct option_list){0};
}

static bool read_list(const struct attempt *attempt)
{
    static const char blanks[] = " \t\r\n";
    struct option_list list = {0};

    for (const char *at = attempt->value;; at++) {
        at += strspn(at, blanks);
        size_t size = strcspn(at, ",");
        const char *next = at + size;
        while (size && strchr(blanks, at[size - 1]))
            size--;
        if (size)
            option_list_add(&list, at, size);
        at = next;
        if (!*at)
            break;
    }
    option_list_release(attempt->field);
    *(struct option_list *)attempt->field = list;
    return true;
}

static bool read_property(const struct attempt *attempt)
{
    const char *equals = strchr(attempt->value, '=');
    if (!equals)
        return refuse(attempt, "is not key=value");
    if (equals == attempt->value) { /* not refuse(): the value may be a password */
        option_fault(attempt->faults, "%s: a value without a key; it must be key=value",
                     attempt->row->name);
        return false;
    }
    option_list_add(attempt->field, attempt->value, strlen(attempt->value));
    return true;
}

/* Items are named one by one; the name alone can only say that there are none: "Bindings": []. */
static bool read_items(const struct attempt *attempt)
{
    return !*attempt->value || refuse(attempt, "is no list of items");
}

/* ---- any type ---- */

static const struct type {
    bool (*read)(const struct attempt *attempt);
    size_t size;
} types[] = {
    [OPTION_STRING] = {read_string, sizeof(char *)},
    [OPTION_BOOL] = {read_bool, sizeof(bool)},
    [OPTION_INT] = {read_int, sizeof(int64_t)},
    [OPTION_BYTES] = {read_bytes, sizeof(int64_t)},
    [OPTION_DURATION] = {read_duration, sizeof(int64_t)},
    [OPTION_CHOICE] = {read_choice, sizeof(int)},
    [OPTION_LIST] = {read_list, sizeof(struct option_list)},
    [OPTION_URL] = {read_url, sizeof(char *)},
    [OPTION_PATH] = {read_path, sizeof(char *)},
    [OPTION_PROPERTIES] = {read_property, sizeof(struct option_list)},
    [OPTION_ITEMS] = {read_items, sizeof(struct option_items)},
};

bool option_set(const struct option_row *row, void *target, const char *value,
                struct option_faults *faults)
{
    struct attempt attempt = {row, option_field(row, target), value, faults};
    return types[row->type].read(&attempt);
}

void option_field_zero(const struct option_row *row, void *target)
{
    memset(option_field(row, target), 0, types[row->type].size);
}

void option_field_release(const struct option_row *row, void *target)
{
    void *field = option_field(row, target);

    switch (row->type) {
    case OPTION_STRING:
    case OPTION_URL:
    case OPTION_PATH:
        free(*(char **)field);
        break;
    case OPTION_LIST:
    case OPTION_PROPERTIES:
        option_list_release(field);
        break;
    case OPTION_ITEMS:
        option_items_release(row, field);
        break;
    default:
        break;
    }
    option_field_zero(row, target);
}
