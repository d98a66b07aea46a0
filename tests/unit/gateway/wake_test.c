/* wake: the URLs that wake a function, and the options' faults. */
#include "gateway/wake.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const struct {
    const char *sentence;
    char *template;
    const char *function, *url;
} slimfaas[] = {
    {"the path of a SlimFaas server", "/wake-function/{functionName}", "fibonacci",
     "http://slimfaas:5000/wake-function/fibonacci"},
    {"the one its documents name", "/functions/{functionName}/wake", "f",
     "http://slimfaas:5000/functions/f/wake"},
    {"in any case, as SlimFaas Kafka takes it", "/w/{FUNCTIONNAME}", "f",
     "http://slimfaas:5000/w/f"},
    {"twice", "/{functionName}/w/{functionName}?a=b", "f", "http://slimfaas:5000/f/w/f?a=b"},
    {"without a slash in front", "w/{functionName}", "f", "http://slimfaas:5000/w/f"},
    {"a name is percent-encoded", "/w/{functionName}", "a/b c?d%\xC3\xA9",
     "http://slimfaas:5000/w/a%2Fb%20c%3Fd%25%C3%A9"},
    {"what is unreserved is not", "/w/{functionName}", "aZ0-._~", "http://slimfaas:5000/w/aZ0-._~"},
};

Test(wake, a_slimfaas_url_has_the_function_in_the_template)
{
    for (size_t i = 0; i < COUNT(slimfaas); i++) {
        struct wake_options options = {.url = "http://slimfaas:5000",
                                       .path_template = slimfaas[i].template};
        char *url = wake_slimfaas_url(&options, slimfaas[i].function);

        cr_expect_str_eq(url, slimfaas[i].url, "%s: %s", slimfaas[i].sentence, url);
        free(url);
    }
}

static const struct {
    const char *sentence, *function, *url;
} openfaas[] = {
    {"a plain name", "figlet", "http://gateway:8080/system/function/figlet"},
    {"a namespace", "figlet.dev", "http://gateway:8080/system/function/figlet?namespace=dev"},
    {"encoded", "a/b.c&d", "http://gateway:8080/system/function/a%2Fb?namespace=c%26d"},
};

Test(wake, an_openfaas_url_has_the_namespace_in_the_query)
{
    const struct wake_options options = {.url = "http://gateway:8080"};

    for (size_t i = 0; i < COUNT(openfaas); i++) {
        char *url = wake_openfaas_url(&options, "function", openfaas[i].function);

        cr_expect_str_eq(url, openfaas[i].url, "%s: %s", openfaas[i].sentence, url);
        free(url);
    }
}

static const struct {
    const char *sentence;
    struct wake_options options;
    const char *fault; /* NULL: none */
} faults[] = {
    {"the default", {.path_template = "/wake-function/{functionName}"}, NULL},
    {"no hole for the name",
     {.path_template = "/wake-functions"},
     "SlimFaas__WakeUpPathTemplate: \"/wake-functions\" has no {functionName}"},
    {"a blank",
     {.path_template = "/wake function/{functionName}"},
     "SlimFaas__WakeUpPathTemplate: \"/wake function/{functionName}\" holds a blank"},
    {"basic_auth without its folder",
     {.target = WAKE_OPENFAAS, .path_template = "/{functionName}", .basic_auth = true},
     "basic_auth=true needs secret_mount_path, the folder with basic-auth-user and "
     "basic-auth-password"},
    {"SlimFaas asks for no password",
     {.target = WAKE_SLIMFAAS, .path_template = "/{functionName}", .basic_auth = true},
     NULL},
};

Test(wake, options_that_do_not_fit_are_faults)
{
    for (size_t i = 0; i < COUNT(faults); i++) {
        struct option_faults found = {0};

        wake_options_check(&faults[i].options, &found);
        cr_expect_eq(found.count, faults[i].fault != NULL, "%s", faults[i].sentence);
        if (found.count && faults[i].fault)
            cr_expect_str_eq(found.items[0], faults[i].fault);
        option_faults_release(&found);
    }
}
