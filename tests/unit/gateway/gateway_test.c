/* gateway: its options beside each other, and the secrets. */
#include "gateway/gateway.h"

#include "base/xalloc.h"
#include "gateway/http.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct gateway_options options;
static const struct option_group group = {&gateway_option_table, &options};
static struct option_faults faults;

/* Arguments end with a NULL. */
static void read_options(char **arguments)
{
    struct option_input input = {.argv = arguments};

    while (arguments[input.argc])
        input.argc++;
    option_read(&group, 1, &input, &faults);
}

static void release(void)
{
    option_release(&group, 1);
    option_faults_release(&faults);
}

TestSuite(gateway, .fini = release);

Test(gateway, defaults)
{
    read_options((char *[]){NULL});
    gateway_options_check(&options, &faults);
    cr_assert_eq(faults.count, 0, "%s", faults.items[0]);
    cr_expect_str_eq(options.url, "http://gateway:8080");
    cr_expect_eq(options.upstream_timeout, 30000);
    cr_expect_eq(options.rebuild_interval, 3000);
    cr_expect_not(options.basic_auth);
    cr_expect_not(options.async_invocation);
    cr_expect_str_eq(options.content_type, "text/plain");
    cr_expect_eq(options.response_limit, 64 * 1024);
    cr_expect_eq(options.functions.count, 0);
}

static const struct {
    const char *flag;
    const char *fault; /* a part of it; NULL: none */
} flags[] = {
    {"--gateway_url=https://faas.example/", NULL},
    {"--gateway_url=gateway:8080", "gateway_url"},
    {"--upstream_timeout=0", "upstream_timeout"},
    {"--upstream_timeout=1ms", NULL},
    {"--rebuild_interval=99ms", "rebuild_interval"},
    {"--content_type=application/json; charset=utf-8", NULL},
    {"--content_type=a\r\nX-Evil: 1", "content_type"},
    {"--content_type= text", "content_type"},
    {"--basic_auth=true", "secret_mount_path"},
};

Test(gateway, options_are_checked)
{
    for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
        read_options((char *[]){(char *)flags[i].flag, NULL});
        gateway_options_check(&options, &faults);
        cr_expect_eq(faults.count, flags[i].fault ? 1 : 0, "%s", flags[i].flag);
        if (flags[i].fault && faults.count)
            cr_expect(strstr(faults.items[0], flags[i].fault), "%s", faults.items[0]);
        release();
    }
}

static void write_secret(const char *folder, const char *name, const char *text)
{
    char *path = xasprintf("%s/%s", folder, name);
    FILE *file = fopen(path, "w");

    cr_assert(file && fputs(text, file) >= 0 && !fclose(file));
    free(path);
}

static void remove_folder(const char *folder)
{
    static const char *const names[] = {"basic-auth-user", "basic-auth-password"};

    for (size_t i = 0; i < 2; i++) {
        char *path = xasprintf("%s/%s", folder, names[i]);

        unlink(path);
        free(path);
    }
    rmdir(folder);
}

Test(gateway, credentials)
{
    char folder[] = "/tmp/gateway_test.XXXXXX";
    struct gateway_credentials credentials;

    cr_assert(mkdtemp(folder));
    options.basic_auth = true;
    options.secret_mount_path = xstrdup(folder);
    cr_expect_not(gateway_credentials_read(&options, &credentials, &faults));
    cr_expect_eq(faults.count, 2, "a fault for each file");
    cr_expect(strstr(faults.items[0], "basic-auth-user"), "%s", faults.items[0]);
    cr_expect(strstr(faults.items[0], "secret_mount_path"), "%s", faults.items[0]);
    cr_expect_null(credentials.user);

    write_secret(folder, "basic-auth-user", "admin\r\n\n");
    write_secret(folder, "basic-auth-password", "\n");
    option_faults_release(&faults);
    cr_expect_not(gateway_credentials_read(&options, &credentials, &faults));
    cr_expect(strstr(faults.items[0], "empty"), "%s", faults.items[0]);

    write_secret(folder, "basic-auth-password", "pass word\n");
    cr_assert(gateway_credentials_read(&options, &credentials, &faults));
    cr_expect_str_eq(credentials.user, "admin");
    cr_expect_str_eq(credentials.password, "pass word");
    gateway_credentials_release(&credentials);
    cr_expect_null(credentials.user);

    options.basic_auth = false;
    cr_expect(gateway_credentials_read(&options, &credentials, &faults));
    cr_expect_null(credentials.user);
    remove_folder(folder);
}

static const struct {
    const char *path;
    bool clean;
} paths[] = {
    {"figlet", true},    {"figlet.openfaas-fn", true},
    {"a_b~c-1", true},   {"", false},
    {".", false},        {"..", false},
    {"a/b", false},      {"a?b", false},
    {"a#b", false},      {"a b", false},
    {"a%2fb", false},    {"a\r\nb", false},
    {"\xc3\xbc", false},
};

Test(gateway, paths)
{
    for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
        cr_expect_eq(gateway_path_clean(paths[i].path), paths[i].clean, "%s", paths[i].path);
}
