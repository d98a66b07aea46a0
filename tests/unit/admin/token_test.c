/* token: who shows the token, and who does not. */
#include "admin/token.h"

#include <criterion/criterion.h>

static const struct {
    const char *sentence, *authorization, *token;
    bool shown;
} cases[] = {
    {"the token", "Bearer secret", "secret", true},
    {"the scheme in any case", "bEARER secret", "secret", true},
    {"blanks before it", "Bearer   secret", "secret", true},
    {"no header", NULL, "secret", false},
    {"an empty one", "", "secret", false},
    {"another scheme", "Basic secret", "secret", false},
    {"the token alone", "secret", "secret", false},
    {"the scheme alone", "Bearer", "secret", false},
    {"nothing behind it", "Bearer ", "secret", false},
    {"another token", "Bearer secreT", "secret", false},
    {"one that differs at first", "Bearer Secret", "secret", false},
    {"a part of it", "Bearer secre", "secret", false},
    {"more than it", "Bearer secrets", "secret", false},
    {"twice the token", "Bearer secretsecret", "secret", false},
    {"a blank behind it", "Bearer secret ", "secret", false},
    {"no token is no key", "Bearer ", "", false},
    {"nor opens it to any", "Bearer secret", "", false},
};

Test(token, is_shown_or_not)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        cr_expect_eq(token_shown(cases[i].authorization, cases[i].token), cases[i].shown, "%s",
                     cases[i].sentence);
}
