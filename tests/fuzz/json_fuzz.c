/* json: whatever is read prints, and what was printed reads back to the same print. */
#include "base/json.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool holds)
{
    if (!holds)
        abort();
}

static void walk(const json *node)
{
    free(json_scalar_dup(node));
    json_each (child, node)
        walk(child);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *reason = NULL;
    json *root = json_parse((const char *)data, size, &reason), *again;
    char *first, *second;

    if (!root) {
        expect(reason != NULL);
        return 0;
    }
    walk(root);
    first = json_print(root, size % 2);
    again = json_parse(first, strlen(first), &reason);
    expect(again != NULL);
    second = json_print(again, size % 2);
    expect(strcmp(first, second) == 0);
    free(first);
    free(second);
    json_free(again);
    json_free(root);
    return 0;
}
