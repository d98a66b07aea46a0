/* assignment: see assignment.h. Numbers are big-endian. */
#include "kafka/assignment.h"

struct reader {
    const unsigned char *at;
    size_t left;
};

/* False: there are not so many bytes left. */
static bool take(struct reader *reader, size_t size, const unsigned char **bytes)
{
    if (size > reader->left)
        return false;
    *bytes = reader->at;
    reader->at += size;
    reader->left -= size;
    return true;
}

static bool take_number(struct reader *reader, size_t size, int32_t *number)
{
    const unsigned char *bytes;
    uint32_t value = 0;

    if (!take(reader, size, &bytes))
        return false;
    for (size_t i = 0; i < size; i++)
        value = value << 8 | bytes[i];
    *number = size == 2 ? (int16_t)value : (int32_t)value;
    return true;
}

static bool read_topic(struct reader *reader,
                       void (*found)(void *context, const char *topic, size_t topic_size,
                                     int32_t partition),
                       void *context)
{
    const unsigned char *topic;
    int32_t size, count, partition;

    if (!take_number(reader, 2, &size) || size < 0 || !take(reader, (size_t)size, &topic) ||
        !take_number(reader, 4, &count))
        return false;
    for (int32_t i = 0; i < count; i++) {
        if (!take_number(reader, 4, &partition))
            return false;
        found(context, (const char *)topic, (size_t)size, partition);
    }
    return true;
}

bool assignment_read(const void *bytes, size_t size,
                     void (*found)(void *context, const char *topic, size_t topic_size,
                                   int32_t partition),
                     void *context)
{
    struct reader reader = {bytes, size};
    int32_t version, topics;

    if (!take_number(&reader, 2, &version) || !take_number(&reader, 4, &topics))
        return false;
    for (int32_t i = 0; i < topics; i++)
        if (!read_topic(&reader, found, context))
            return false;
    return true;
}
