/* base64: RFC 4648 with its own test vectors. */
#include "base/base64.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

static const struct {
    const char *bytes, *text;
} vectors[] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
    {"\xfb\xff\xbf", "+/+/"},
};

Test(base64, encodes_the_vectors)
{
    for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
        char text[16];
        size_t bytes = strlen(vectors[i].bytes);
        cr_expect_eq(base64_encode(vectors[i].bytes, bytes, text), BASE64_SIZE(bytes));
        cr_expect_str_eq(text, vectors[i].text);
    }
}

Test(base64, decodes_the_vectors)
{
    for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
        char bytes[16];
        size_t size = 99;
        size_t expected = strlen(vectors[i].bytes);
        cr_expect(base64_decode(vectors[i].text, strlen(vectors[i].text), bytes, expected, &size),
                  "%s", vectors[i].text);
        cr_expect_eq(size, expected);
        cr_expect_eq(memcmp(bytes, vectors[i].bytes, expected), 0, "%s", vectors[i].text);
    }
}

Test(base64, takes_every_byte_there_and_back)
{
    uint8_t bytes[256], back[256];
    char text[BASE64_SIZE(sizeof(bytes)) + 1];

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 167 + 13);
    for (size_t size = 0; size <= sizeof(bytes); size++) {
        size_t got;
        size_t length = base64_encode(bytes, size, text);
        cr_assert(base64_decode(text, length, back, size, &got));
        cr_assert_eq(got, size);
        cr_assert_eq(memcmp(bytes, back, size), 0);
    }
}

Test(base64, refuses_what_is_not_strictly_base64)
{
    static const struct {
        const char *sentence, *text;
        size_t size, room;
    } cases[] = {
        {"padding is required", "Zg", 2, 16},
        {"padding is complete", "Zg=", 3, 16},
        {"padding stands at the end", "Zg==Zg==", 8, 16},
        {"three characters are no padding", "Z===", 4, 16},
        {"padding alone is nothing", "====", 4, 16},
        {"padding stands behind letters", "Zg=v", 4, 16},
        {"a blank", "Zm 9", 4, 16},
        {"a line break", "Zm9\n", 4, 16},
        {"a NUL", "Zm9\0", 4, 16},
        {"the URL alphabet", "-_-_", 4, 16},
        {"a byte over 127", "Zm9\xe4", 4, 16},
        {"unused bits behind one byte", "Zh==", 4, 16},
        {"unused bits behind two bytes", "Zm9=", 4, 16},
        {"longer than the room", "Zm9v", 4, 2},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char bytes[16];
        size_t size;
        cr_expect_not(base64_decode(cases[i].text, cases[i].size, bytes, cases[i].room, &size),
                      "%s", cases[i].sentence);
    }
}
