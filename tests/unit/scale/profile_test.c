/* profile: how a cluster is reached by a file. */
#include "scale/profile.h"

#include "base/xalloc.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[64];
static struct kafka_options options;
static struct option_faults faults;

static void set_up(void)
{
    snprintf(folder, sizeof(folder), "/tmp/profile-XXXXXX");
    cr_assert(mkdtemp(folder));
}

static void tear_down(void)
{
    struct dirent *entry;
    DIR *list = opendir(folder);

    while ((entry = readdir(list)))
        unlinkat(dirfd(list), entry->d_name, 0);
    closedir(list);
    cr_expect_eq(rmdir(folder), 0);
    profile_release(&options);
    option_faults_release(&faults);
}

TestSuite(profile, .init = set_up, .fini = tear_down);

static void write_file(const char *name, const char *text)
{
    char *path = xasprintf("%s/%s", folder, name);
    FILE *file = fopen(path, "w");

    cr_assert(file);
    fputs(text, file);
    fclose(file);
    free(path);
}

Test(profile, says_how_a_cluster_is_reached)
{
    write_file("payments.json", "{\"bootstrapServers\": \"kafka.payments:9093\","
                                " \"kafka_security_protocol\": \"SASL_SSL\","
                                " \"kafka_sasl_mechanism\": \"PLAIN\","
                                " \"kafka_sasl_username\": \"scaler\","
                                " \"kafka_sasl_password\": \"secret\"}");
    cr_expect(profile_read(folder, "payments", &options, &faults), "%s",
              faults.count ? faults.items[0] : "");
    cr_assert_eq(options.brokers.count, 1);
    cr_expect_str_eq(options.brokers.items[0], "kafka.payments:9093");
    cr_expect_eq(options.properties.count, 4);
    cr_expect_str_eq(options.client_id, "kafka-connector-scale");
}

static void expect_fault(const char *name, const char *part)
{
    cr_expect_not(profile_read(folder, name, &options, &faults), "%s", name);
    cr_assert_gt(faults.count, 0, "%s", name);
    cr_expect(strstr(faults.items[0], part), "%s: %s", name, faults.items[0]);
    cr_expect_eq(strncmp(faults.items[0], "cluster: ", 9), 0, "%s", faults.items[0]);
    profile_release(&options);
    option_faults_release(&faults);
}

Test(profile, tells_what_is_wrong)
{
    write_file("empty.json", "{}");
    write_file("slip.json", "{\"bootstrapServers\": \"a\", \"kafka_sasl_pasword\": \"x\"}");
    expect_fault("payments", "clusters_path holds no payments.json");
    expect_fault("empty", "it names no broker");
    expect_fault("slip", "unknown Kafka property");
    expect_fault("../etc/passwd", "is no profile's name");
    expect_fault(".hidden", "is no profile's name");
}

Test(profile, there_is_none_without_a_folder)
{
    cr_expect_not(profile_read(NULL, "payments", &options, &faults));
    cr_expect(strstr(faults.items[0], "clusters_path is not set"), "%s", faults.items[0]);
}

Test(profile, all_are_read_for_their_faults)
{
    write_file("good.json", "{\"bootstrapServers\": \"a\"}");
    write_file("bad.json", "{\"bootstrapServers\": \"a:b\"}");
    write_file("other.txt", "no profile");
    profiles_check(folder, &faults);
    cr_expect_eq(faults.count, 1);
    cr_expect(strstr(faults.items[0], "cluster: \"bad\""), "%s", faults.items[0]);
}
