/* option_settings: the settings file, JSON, as pairs of key and value. */
#include "base/option_private.h"

#include "base/file.h"
#include "base/json.h"
#include "base/xalloc.h"

#include <stdlib.h>
#include <utstring.h>

enum { SETTINGS_LIMIT = 1 << 20 };

struct walk {
    const char *path;
    struct option_faults *faults;
    void (*take)(void *context, const char *key, const char *value);
    void *context;
};

static void take_scalar(const struct walk *walk, const char *key, const json *node)
{
    char *value = json_scalar_dup(node);
    if (value) {
        walk->take(walk->context, key, value);
    } else {
        option_fault(walk->faults, "file %s: \"%s\" is no text, number or boolean", walk->path,
                     key);
    }
    xfree_secret(value);
}

static void take_object(const struct walk *walk, const char *prefix, const json *object);

static void take_objects(const struct walk *walk, const char *key, const json *array)
{
    size_t index = 0;

    json_each (item, array) {
        char *numbered = xasprintf("%s__%zu", key, index++);

        if (json_is_object(item) && json_first(item))
            take_object(walk, numbered, item);
        else
            option_fault(walk->faults, "file %s: \"%s\" is no object with members", walk->path,
                         numbered);
        free(numbered);
    }
}

static void take_array(const struct walk *walk, const char *key, const json *array)
{
    UT_string joined;

    if (json_is_object(json_first(array))) {
        take_objects(walk, key, array);
        return;
    }

    utstring_init(&joined);
    json_each (item, array) {
        char *value = json_scalar_dup(item);
        if (!value) {
            option_fault(walk->faults, "file %s: \"%s\" holds no text, number or boolean",
                         walk->path, key);
            utstring_done(&joined);
            return;
        }
        utstring_printf(&joined, "%s%s", utstring_len(&joined) ? "," : "", value);
        free(value);
    }
    walk->take(walk->context, key, utstring_body(&joined));
    utstring_done(&joined);
}

/* Recursion is as deep as json_parse allows nesting: 64. */
static void take_object(const struct walk *walk, const char *prefix, const json *object)
{
    json_each (member, object) {
        const char *name = json_name(member);
        char *key = prefix ? xasprintf("%s__%s", prefix, name) : xstrdup(name);
        if (json_is_object(member))
            take_object(walk, key, member);
        else if (json_is_array(member))
            take_array(walk, key, member);
        else
            take_scalar(walk, key, member);
        free(key);
    }
}

void option_settings_each(const char *path, struct option_faults *faults,
                          void (*take)(void *context, const char *key, const char *value),
                          void *context)
{
    struct walk walk = {path, faults, take, context};
    size_t size;
    const char *reason;

    char *text = file_read(path, SETTINGS_LIMIT, &size, &reason);
    if (!text) {
        option_fault(faults, "file %s: cannot be read: %s", path, reason);
        return;
    }
    json *root = json_parse(text, size, &reason);
    if (!root)
        option_fault(faults, "file %s: is not JSON: %s", path, reason);
    else if (!json_is_object(root))
        option_fault(faults, "file %s: must hold a JSON object", path);
    else
        take_object(&walk, NULL, root);
    json_free(root);
    xfree_secret(text);
}
