/* http_options: TLS files that cannot be what they are for are told before the first request. */
#include "base/xalloc.h"
#include "gateway/http.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CERTIFICATE "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
#define KEY         "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n"

static const struct {
    const char *name, *text;
} files[] = {
    {"cert.pem", CERTIFICATE}, {"key.pem", KEY},  {"both.pem", KEY CERTIFICATE},
    {"junk.pem", "<html>\n"},  {"empty.pem", ""},
};

static char folder[] = "/tmp/http_options_test.XXXXXX";

static char *path_of(const char *name)
{
    return name ? xasprintf("%s/%s", folder, name) : NULL;
}

static void open_folder(void)
{
    cr_assert(mkdtemp(folder));
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
        char *path = path_of(files[i].name);
        FILE *file = fopen(path, "w");

        cr_assert(file && fputs(files[i].text, file) >= 0 && !fclose(file));
        free(path);
    }
}

static void close_folder(void)
{
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
        char *path = path_of(files[i].name);

        unlink(path);
        free(path);
    }
    rmdir(folder);
}

TestSuite(http_options, .init = open_folder, .fini = close_folder);

static const struct {
    const char *what;
    const char *ca, *cert, *key; /* files; NULL: not given */
    const char *fault, *names;   /* two parts of the only fault; NULL: none */
} cases[] = {
    {"nothing", NULL, NULL, NULL, NULL, NULL},
    {"an authority", "cert.pem", NULL, NULL, NULL, NULL},
    {"certificate and key", NULL, "cert.pem", "key.pem", NULL, NULL},
    {"certificate and key in one file", NULL, "both.pem", NULL, NULL, NULL},
    {"one file given twice", NULL, "both.pem", "both.pem", NULL, NULL},
    {"an authority that is no PEM", "junk.pem", NULL, NULL, "gateway_ca_file: ", "/junk.pem"},
    {"an empty authority", "empty.pem", NULL, NULL, "gateway_ca_file: ", "no CERTIFICATE"},
    {"a folder", ".", NULL, NULL, "gateway_ca_file: ", "directory"},
    {"an authority that is a key", "key.pem", NULL, NULL, "gateway_ca_file: ", "no CERTIFICATE"},
    {"a certificate that is no PEM", NULL, "junk.pem", NULL, "gateway_cert_file: ", "/junk.pem"},
    {"a certificate without its key", NULL, "cert.pem", NULL,
     "gateway_cert_file: ", "gateway_key_file"},
    {"a key without its certificate", NULL, NULL, "key.pem", "gateway_key_file",
     "gateway_cert_file"},
    {"a key that is a certificate", NULL, "cert.pem", "cert.pem",
     "gateway_key_file: ", "no PRIVATE KEY"},
    {"a key that is gone", NULL, "cert.pem", "gone.pem", "gateway_key_file: ", "No such file"},
};

static void check(size_t i)
{
    struct http_options options = {
        .ca_file = path_of(cases[i].ca),
        .cert_file = path_of(cases[i].cert),
        .key_file = path_of(cases[i].key),
    };
    struct option_faults faults = {0};

    http_options_check(&options, &faults);
    cr_expect_eq(faults.count, cases[i].fault ? 1 : 0, "%s", cases[i].what);
    if (cases[i].fault && faults.count)
        cr_expect(strstr(faults.items[0], cases[i].fault) &&
                      strstr(faults.items[0], cases[i].names),
                  "%s: %s", cases[i].what, faults.items[0]);
    option_faults_release(&faults);
    free(options.ca_file);
    free(options.cert_file);
    free(options.key_file);
}

Test(http_options, files_are_checked)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        check(i);
}
