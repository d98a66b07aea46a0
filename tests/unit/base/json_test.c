/* json: what is read, what is refused and why, and what is printed. */
#include "base/json.h"
#include "base/xalloc.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static json *parse(const char *text)
{
    const char *reason = NULL;
    json *root = json_parse(text, strlen(text), &reason);

    cr_assert(root, "%s: %s", text, reason);
    return root;
}

/* `levels` of [ and as many ]. Caller frees. */
static char *nest(size_t levels)
{
    char *text = xmalloc(2 * levels + 1);

    memset(text, '[', levels);
    memset(text + levels, ']', levels);
    text[2 * levels] = '\0';
    return text;
}

static void expect_printed(json *root, const char *text, const char *why)
{
    char *printed = json_print(root, false);

    cr_expect_str_eq(printed, text, "%s: %s", why, printed);
    free(printed);
    json_free(root);
}

Test(json, reads_a_whole_text_and_prints_it_back)
{
    static const struct {
        const char *why, *text, *printed;
    } cases[] = {
        {"an object", "{\"a\": [1, true, null, \"x\"]}", "{\"a\":[1,true,null,\"x\"]}"},
        {"white space around it", " \t\r\n[ ] \n", "[]"},
        {"a byte order mark before it", "\xEF\xBB\xBF{}", "{}"},
        {"brackets in strings are no depth", "[\"[[[{{{\\\"[[\"]", "[\"[[[{{{\\\"[[\"]"},
        {"a backslash before the closing quote", "[\"\\\\\",\"]\"]", "[\"\\\\\",\"]\"]"},
        {"an escaped backslash before u0000", "[\"\\\\u0000\"]", "[\"\\\\u0000\"]"},
        {"a surrogate pair", "[\"\\ud83d\\ude00\"]", "[\"\xF0\x9F\x98\x80\"]"},
        {"the highest exact whole number", "[9007199254740992]", "[9007199254740992]"},
        {"the lowest exact whole number", "[-9007199254740992]", "[-9007199254740992]"},
        {"an odd one of 16 digits", "[9007199254740991]", "[9007199254740991]"},
        {"a real keeps all its digits", "[0.30000000000000004]", "[0.30000000000000004]"},
        {"a real has no more than it needs", "[0.1]", "[0.1]"},
        {"infinite is nothing JSON can say", "[1e999]", "[null]"},
    };

    for (size_t i = 0; i < COUNT(cases); i++)
        expect_printed(parse(cases[i].text), cases[i].printed, cases[i].why);
}

Test(json, refuses_with_a_reason)
{
    static const struct {
        const char *text;
        size_t size;
        const char *reason;
    } cases[] = {
        {"", 0, "empty"},
        {" \n", 2, "empty"},
        {"{", 1, "bad syntax"},
        {"[\"a", 3, "bad syntax"},
        {"[\"a\\", 4, "bad syntax"},
        {"[1,]", 4, "bad syntax"},
        {"{'a':1}", 7, "bad syntax"},
        {"<html></html>", 13, "bad syntax"},
        {"[\"\\ud83d\"]", 10, "bad syntax"}, /* half a surrogate pair */
        {"{} {}", 5, "more behind the end"},
        {"[]]", 3, "more behind the end"},
        {"1 2", 3, "more behind the end"},
        {"\0", 1, "a NUL"},
        {"{}\0{", 4, "a NUL"},
        {"[\"a\0b\"]", 7, "a NUL"},
        {"[\"a\\u0000b\"]", 12, "a text with a NUL"},
        {"{\"\\u0000\":1}", 12, "a text with a NUL"},
        {"[\"\xFF\"]", 5, "a text that is not UTF-8"},
        {"[\"\xE2\x82\"]", 6, "a text that is not UTF-8"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *reason = "none";
        json *root = json_parse(cases[i].text, cases[i].size, &reason);

        cr_expect_null(root, "%s", cases[i].text);
        cr_expect_str_eq(reason, cases[i].reason, "%s: %s", cases[i].text, reason);
        json_free(root);
    }
}

Test(json, depth_ends_at_64)
{
    const char *reason = "none";
    char *allowed = nest(64), *deeper = nest(65), *bomb = nest(1000000);

    json_free(parse(allowed));
    cr_expect_null(json_parse(deeper, strlen(deeper), &reason));
    cr_expect_str_eq(reason, "nested deeper than 64");
    cr_expect_null(json_parse(bomb, strlen(bomb), &reason));
    free(allowed);
    free(deeper);
    free(bomb);
}

Test(json, reads_no_byte_behind_the_text)
{
    static const char *const texts[] = {"[1",       "12",      "tru",      "\"a",
                                        "[\"\\u00", "{\"a\":", "\xEF\xBB", "{\"1\":1,"};

    for (size_t i = 0; i < COUNT(texts); i++) {
        size_t size = strlen(texts[i]);
        const char *reason;
        char *exact = xmalloc(size); /* so that ASan sees a step too far */

        memcpy(exact, texts[i], size);
        json_free(json_parse(exact, size, &reason));
        free(exact);
    }
}

Test(json, reading_what_is_not_there_gives_the_fallback)
{
    json *root = parse("{\"a\":{\"b\":\"x\"},\"n\":12,\"A\":1}");

    cr_expect_str_eq(json_text(json_member(json_member(root, "a"), "b"), "none"), "x");
    cr_expect_str_eq(json_text(json_member(json_member(root, "c"), "b"), "none"), "none");
    cr_expect_str_eq(json_text(json_member(root, "n"), "none"), "none", "a number is no text");
    cr_expect_null(json_member(json_member(root, "n"), "b"), "a number has no members");
    cr_expect_null(json_member(root, "N"), "case matters");
    cr_expect_null(json_member(NULL, "a"));
    cr_expect_null(json_first(NULL));
    cr_expect_null(json_next(NULL));
    cr_expect_null(json_name(NULL));
    cr_expect_not(json_is_object(NULL));
    cr_expect_not(json_is_array(NULL));
    json_free(root);
}

Test(json, each_walks_members_and_elements)
{
    json *root = parse("{\"a\":1,\"b\":[true,\"x\"]}");
    char seen[64] = "";
    int size = 0;

    json_each (member, root) {
        size += snprintf(seen + size, sizeof(seen) - (size_t)size, "%s", json_name(member));
        json_each (element, member)
            size += snprintf(seen + size, sizeof(seen) - (size_t)size, "%s",
                             json_name(element) ? "named" : ".");
    }
    cr_expect_str_eq(seen, "ab..");
    json_each (none, NULL)
        cr_expect_fail("nothing has no children: %s", json_name(none));
    json_free(root);
}

Test(json, scalars_are_texts)
{
    static const struct {
        const char *text, *scalar;
    } cases[] = {
        {"\"x\"", "x"},
        {"12", "12"},
        {"-1.5", "-1.5"},
        {"1e3", "1000"},
        {"true", "true"},
        {"false", "false"},
        {"null", NULL},
        {"[1]", NULL},
        {"{}", NULL},
        {"\"\"", ""},
        {"2147483648", "2147483648"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        json *root = parse(cases[i].text);
        char *scalar = json_scalar_dup(root);

        if (cases[i].scalar)
            cr_expect_str_eq(scalar, cases[i].scalar, "%s", cases[i].text);
        else
            cr_expect_null(scalar, "%s", cases[i].text);
        free(scalar);
        json_free(root);
    }
    cr_expect_null(json_scalar_dup(NULL));
}

Test(json, built_trees_print_as_valid_json)
{
    json *root = json_object(), *list;

    json_add_text(root, "text", "a\"b\\c\n\x01\x7f");
    json_add_text(root, "none", NULL);
    json_add_number(root, "big", 9007199254740992);
    json_add_number(root, "least", INT64_MIN);
    json_add_real(root, "real", 0.25);
    json_add_real(root, "nan", NAN);
    json_add_bool(root, "yes", true);
    json_add_text(json_add_object(root, "o"), "k", "v");
    list = json_add_array(root, "list");
    json_add_number(list, NULL, 1);
    json_add_take(list, NULL, json_array());
    expect_printed(root,
                   "{\"text\":\"a\\\"b\\\\c\\n\\u0001\x7f\",\"none\":null,"
                   "\"big\":9007199254740992,\"least\":-9223372036854775808,\"real\":0.25,"
                   "\"nan\":null,\"yes\":true,\"o\":{\"k\":\"v\"},\"list\":[1,[]]}",
                   "one of each");
}

Test(json, hostile_bytes_are_replaced)
{
    json *root = json_object();

    json_add_text(root, "n\xFF", "v\xFE");
    json_add_text_sized(root, "cut", "a\0b\xE2\x82", 5);
    json_add_text_sized(root, "null", NULL, 0);
    expect_printed(root,
                   "{\"n\xEF\xBF\xBD\":\"v\xEF\xBF\xBD\",\"cut\":\"a\xEF\xBF\xBD"
                   "b\xEF\xBF\xBD\xEF\xBF\xBD\",\"null\":null}",
                   "no byte is lost in silence");
}

Test(json, indented_reads_back_to_the_same)
{
    json *root = parse("{\"a\":[1,{\"b\":\"c\"}],\"d\":{}}");
    char *indented = json_print(root, true);

    cr_expect(strchr(indented, '\n'), "several lines: %s", indented);
    expect_printed(parse(indented), "{\"a\":[1,{\"b\":\"c\"}],\"d\":{}}", "indented and back");
    free(indented);
    json_free(root);
}
