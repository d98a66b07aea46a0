/* option_nearest: what a wrong name was meant to be, by Levenshtein's distance. */
#include "base/option_private.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { LONGEST = 64 }; /* longer names are no typing errors */

static bool same_letter(char a, char b)
{
    a = a == '-' ? '_' : a;
    b = b == '-' ? '_' : b;
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

static size_t smallest(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

/* How many letters must be changed, added or left out. Both are at most LONGEST. */
static size_t distance(const char *a, size_t a_size, const char *b, size_t b_size)
{
    size_t row[LONGEST + 1]; /* of the matrix: distances from a's first i letters */

    for (size_t j = 0; j <= b_size; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_size; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            size_t changed = diagonal + !same_letter(a[i - 1], b[j - 1]);
            diagonal = row[j];
            row[j] = smallest(changed, row[j] + 1, row[j - 1] + 1);
        }
    }
    return row[b_size];
}

/* The distance of the row's nearest spelling. */
static size_t row_distance(const struct option_row *row, const char *name, size_t name_size)
{
    size_t best = LONGEST;
    size_t size;
    const char *spelling;

    for (size_t i = 0; (spelling = option_spelling(row, i, &size)); i++) {
        if (size <= LONGEST) {
            size_t far = distance(name, name_size, spelling, size);
            best = far < best ? far : best;
        }
    }
    return best;
}

/* The distance of the nearest row, or `most`, where none is nearer. */
static size_t nearest_row(const struct option_group *groups, size_t count, const char *name,
                          size_t most, const struct option_row **nearest)
{
    size_t size = strlen(name);

    *nearest = NULL;
    for (size_t g = 0; g < count && size <= LONGEST; g++) {
        const struct option_table *table = groups[g].table;
        for (size_t r = 0; r < table->count; r++) {
            size_t far = row_distance(&table->rows[r], name, size);
            if (far < most) {
                most = far;
                *nearest = &table->rows[r];
            }
        }
    }
    return most;
}

const char *option_nearest(const struct option_group *groups, size_t count, const char *name)
{
    const struct option_row *nearest;

    nearest_row(groups, count, name, strlen(name) / 3 + 1, &nearest);
    return nearest ? nearest->name : NULL;
}

static const char lower[] = "abcdefghijklmnopqrstuvwxyz_", upper[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_";

/* Stricter than with a flag, which is meant for us: a variable may well be somebody else's. Returns
 * how many letters may be wrong, -1: it is not ours. Kubernetes sets KAFKA_SERVICE_HOST, GRPC_PORT
 * and their like for services of such names. One with "__" (Kafka__ClientId) counts in any case. */
static int tolerance(const char *variable)
{
    size_t size = strlen(variable);
    bool capitals = strspn(variable, upper) == size;
    int most = size / 6 < 2 ? (int)(size / 6) : 2; /* a letter in six */

    if (strstr(variable, "__"))
        return most;
    if (!strchr(variable, '_') || strncasecmp(variable, "kafka_", 6) == 0)
        return -1;
    if (capitals)
        return size >= 5 && strcmp(variable + size - 5, "_PORT") == 0 ? -1 : 0;
    return strspn(variable, lower) == size ? most : -1;
}

const char *option_misspelt(const struct option_group *groups, size_t count, const char *variable)
{
    const struct option_row *nearest;
    int most = tolerance(variable);
    bool section = strstr(variable, "__");
    size_t size;
    const char *spelling;

    if (most < 0)
        return NULL;
    nearest_row(groups, count, variable, (size_t)most + 1, &nearest);
    if (!nearest || nearest->flags & OPTION_FLAG_ONLY)
        return NULL;
    for (size_t i = 0; (spelling = option_spelling(nearest, i, &size)); i++)
        if (strlen(variable) == size &&
            (section ? strncasecmp : strncmp)(variable, spelling, size) == 0)
            return NULL;
    return nearest->name;
}
