/* call_headers: a record's header lines, and that nothing in a record breaks out of one. */
#include "gateway/call_headers.h"

#include "base/xalloc.h"
#include "gateway/call.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const struct call_head no_head;

/* The lines joined by "|". */
static char *lines_of(const struct record *record)
{
    struct call_lines lines = {0};
    const char *from = call_lines_fill(&lines, &no_head, record)->text;
    char *joined = xcalloc(1, strlen(from) + 1), *to = joined;

    for (; *from; from++)
        if (*from != '\r')
            *to++ = *from == '\n' ? '|' : *from;
    call_lines_release(&lines);
    return joined;
}

static struct record plain_record(void)
{
    return (struct record){.topic = "orders",
                           .partition = 3,
                           .offset = 17,
                           .timestamp_ms = 1700000000123,
                           .value = ""};
}

#define PLAIN                                                                                      \
    "X-Topic: orders|X-Kafka-Partition: 3|X-Kafka-Offset: 17|X-Kafka-Timestamp: 1700000000123"

static void expect_lines(const struct record *record, const char *wanted, const char *what)
{
    char *lines = lines_of(record);

    cr_expect_str_eq(lines, wanted, "%s", what);
    free(lines);
}

Test(call_headers, coordinates)
{
    struct record record = plain_record();

    expect_lines(&record, PLAIN, "a record without key and headers");
    record.partition = INT32_MAX;
    record.offset = INT64_MAX;
    record.timestamp_ms = -1;
    expect_lines(&record,
                 "X-Topic: orders|X-Kafka-Partition: 2147483647|"
                 "X-Kafka-Offset: 9223372036854775807",
                 "greatest numbers, no timestamp");
    record.offset = INT64_MIN;
    record.partition = 0;
    record.value = NULL;
    expect_lines(&record,
                 "X-Topic: orders|X-Kafka-Partition: 0|X-Kafka-Offset: -9223372036854775808|"
                 "X-Kafka-Tombstone: true",
                 "least number, no value");
    record = plain_record();
    record.value = NULL;
    expect_lines(&record, PLAIN "|X-Kafka-Tombstone: true", "a tombstone");
    record.value = "";
    record.value_size = 0;
    expect_lines(&record, PLAIN, "an empty value is none");
    record.topic = "a\r\nb";
    expect_lines(&record,
                 "X-Topic: YQ0KYg==|X-Topic-Enc: b64|X-Kafka-Partition: 3|X-Kafka-Offset: 17|"
                 "X-Kafka-Timestamp: 1700000000123",
                 "a topic Kafka would refuse");
}

#define BYTES(text) (text), sizeof(text) - 1

static const struct {
    const char *what;
    const char *key;
    size_t size;
    const char *lines;
} keys[] = {
    {"a clean key", BYTES("user 7"), "|X-Kafka-Key: user 7"},
    {"an empty key", BYTES(""), "|X-Kafka-Key:|X-Kafka-Key-Enc: b64"},
    {"CR LF and NUL", BYTES("a\r\nX-Evil: 1\0b"),
     "|X-Kafka-Key: YQ0KWC1FdmlsOiAxAGI=|X-Kafka-Key-Enc: b64"},
    {"a blank before", BYTES(" a"), "|X-Kafka-Key: IGE=|X-Kafka-Key-Enc: b64"},
    {"a blank behind", BYTES("a "), "|X-Kafka-Key: YSA=|X-Kafka-Key-Enc: b64"},
    {"a tab", BYTES("a\tb"), "|X-Kafka-Key: YQli|X-Kafka-Key-Enc: b64"},
    {"DEL", BYTES("a\x7f"), "|X-Kafka-Key: YX8=|X-Kafka-Key-Enc: b64"},
    {"UTF-8", BYTES("\xc3\xbc"), "|X-Kafka-Key: w7w=|X-Kafka-Key-Enc: b64"},
};

Test(call_headers, keys)
{
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
        struct record record = plain_record();
        char *wanted = xasprintf("%s%s", PLAIN, keys[i].lines);

        record.key = keys[i].key;
        record.key_size = keys[i].size;
        expect_lines(&record, wanted, keys[i].what);
        free(wanted);
    }
}

static const struct {
    const char *what;
    struct record_header header;
    const char *lines;
} headers[] = {
    {"a clean header", {"Source", BYTES("shop")}, "|X-Kafka-Source: shop"},
    {"a null value", {"a", NULL, 0}, "|X-Kafka-a:|X-Kafka-a-Enc: b64"},
    {"an empty value", {"a", BYTES("")}, "|X-Kafka-a:|X-Kafka-a-Enc: b64"},
    {"a value that breaks lines", {"a", BYTES("b\nc")}, "|X-Kafka-a: Ygpj|X-Kafka-a-Enc: b64"},
    {"a name with blanks", {"my name", BYTES("b")}, "|X-Kafka-my-name: b"},
    {"a name that is a line", {"a: b\r\nEvil", BYTES("c")}, "|X-Kafka-a--b--Evil: c"},
    {"a name that is a semicolon", {";", BYTES("c")}, "|X-Kafka--: c"},
    {"a name in UTF-8", {"\xc3\xbc", BYTES("c")}, "|X-Kafka---: c"},
    {"no name", {"", BYTES("c")}, "|X-Kafka-: c"},
    {"a name of ours", {"offset", BYTES("1")}, "|X-Kafka-Header-offset: 1"},
    {"a mark of ours", {"KEY-ENC", BYTES("b64")}, "|X-Kafka-Header-KEY-ENC: b64"},
    {"what is written as a mark of ours",
     {"Key\xa0"
      "Enc",
      BYTES("b64")},
     "|X-Kafka-Header-Key-Enc: b64"},
    {"what is written as a number of ours",
     {"headers dropped", BYTES("1")},
     "|X-Kafka-Header-headers-dropped: 1"},
    {"what begins as a name of ours", {"offsets", BYTES("1")}, "|X-Kafka-offsets: 1"},
    {"a trace", {"traceparent", BYTES("00-1-2-01")}, "|traceparent: 00-1-2-01"},
    {"a trace's state", {"TraceState", BYTES("a=b")}, "|TraceState: a=b"},
    {"a trace that is not clean",
     {"traceparent", BYTES("\r\n")},
     "|X-Kafka-traceparent: DQo=|X-Kafka-traceparent-Enc: b64"},
};

Test(call_headers, record_headers)
{
    for (size_t i = 0; i < sizeof(headers) / sizeof(*headers); i++) {
        struct record record = plain_record();
        char *wanted = xasprintf("%s%s", PLAIN, headers[i].lines);

        record.headers = &headers[i].header;
        record.header_count = 1;
        expect_lines(&record, wanted, headers[i].what);
        free(wanted);
    }
}

Test(call_headers, the_first_headers_are_passed_on_and_the_rest_is_counted)
{
    enum { COUNT = 20000 };
    struct record record = plain_record();
    struct record_header *many = xcalloc(COUNT, sizeof(*many));
    char *lines, *last;
    size_t count = 1, size;

    for (size_t i = 0; i < COUNT; i++)
        many[i] = (struct record_header){"n", "\x01", 1};
    record.headers = many;
    record.header_count = COUNT;
    lines = lines_of(&record);
    size = strlen(lines);
    last = lines;
    for (char *next; (next = strchr(last, '|')); last = next + 1)
        count++;
    /* 34 bytes each are counted: 7,710 fit, with two lines each, behind the four coordinates. */
    cr_expect_eq(count, 4 + 2 * 7710 + 1);
    cr_expect_str_eq(last, "X-Kafka-Headers-Dropped: 12290");
    cr_expect_lt(size + count, 1000000, "a gateway refuses %zu bytes of headers", size + count);
    free(lines);
    free(many);
}

Test(call_headers, what_is_huge_stays_below_what_gateways_take)
{
    struct record record = plain_record();
    char *bytes = xcalloc(1, CALL_KEY_LIMIT + 1);
    char *name = xmalloc(CALL_HEADERS_LIMIT);
    struct record_header header = {name, NULL, 0};
    struct call_lines lines = {0};
    size_t size;

    memset(name, ' ', CALL_HEADERS_LIMIT);
    name[CALL_HEADERS_LIMIT - 32] = '\0';
    record.headers = &header;
    record.header_count = 1;
    record.key = bytes;
    record.key_size = CALL_KEY_LIMIT;
    size = strlen(call_lines_fill(&lines, &no_head, &record)->text);
    cr_expect_gt(size, 2 * CALL_HEADERS_LIMIT, "the name, twice");
    cr_expect_lt(size, 1000000);
    record.header_count = 0;
    record.key_size++;
    expect_lines(&record, PLAIN "|X-Kafka-Key-Dropped: 262145", "a key over the limit");
    call_lines_release(&lines);
    free(name);
    free(bytes);
}

Test(call_headers, the_head_goes_first)
{
    static char head_text[] = "X-Head: 1\r\n";
    const struct call_head head = {head_text, strlen(head_text)};
    struct record record = plain_record();
    struct call_lines lines = {0};

    record.timestamp_ms = -1;
    for (size_t i = 0; i < 2; i++) /* the block is used again */
        cr_expect_str_eq(call_lines_fill(&lines, &head, &record)->text,
                         "X-Head: 1\r\nX-Topic: orders\r\nX-Kafka-Partition: 3\r\n"
                         "X-Kafka-Offset: 17");
    call_lines_release(&lines);
}

Test(call_headers, clean_values)
{
    char longest[4097];

    memset(longest, 'a', sizeof(longest));
    cr_expect(call_value_clean("a b", 3));
    cr_expect(call_value_clean("~", 1));
    cr_expect(call_value_clean(longest, 4096));
    cr_expect_not(call_value_clean(longest, 4097));
    cr_expect_not(call_value_clean("", 0));
    cr_expect_not(call_value_clean(NULL, 0));
    cr_expect_not(call_value_clean("a\0b", 3));
}
