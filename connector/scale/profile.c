/* profile: see profile.h. */
#include "scale/profile.h"

#include "base/xalloc.h"
#include "kafka/sampler.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ENDING     ".json"
#define FILE_FLAG  "profile"
#define KAFKA(key) offsetof(struct kafka_options, key)

static const struct option_row rows[] = {
    {.name = "bootstrapServers",
     .aliases = "broker_host broker_hosts",
     .type = OPTION_LIST,
     .offset = KAFKA(brokers),
     .text = "Kafka brokers to begin with."},
    {.name = "client_id",
     .type = OPTION_STRING,
     .offset = KAFKA(client_id),
     .default_text = "kafka-connector-scale",
     .text = "Name the brokers know this client by."},
    {.name = "X",
     .type = OPTION_PROPERTIES,
     .offset = KAFKA(properties),
     .text = "Any property of librdkafka."},
};

static const struct option_row file_row = {
    .name = FILE_FLAG, .type = OPTION_PATH, .text = "The file itself."};

static const struct option_table table = {"Profile", rows, sizeof(rows) / sizeof(*rows)};
static const struct option_table file_table = {"File", &file_row, 1};

void profile_release(struct kafka_options *options)
{
    option_release(&(struct option_group){&table, options}, 1);
}

static void read_file(char *path, struct kafka_options *options, struct option_faults *faults)
{
    char *given = NULL, *flag = xasprintf("--" FILE_FLAG "=%s", path), *nothing = NULL;
    const struct option_group groups[] = {{&table, options}, {&file_table, &given}};
    const struct option_input input = {
        .argc = 1, .argv = &flag, .environment = &nothing, .file_flag = FILE_FLAG};

    option_read(groups, 2, &input, faults);
    option_release(&groups[1], 1);
    free(flag);
}

/* A name of letters that lead to no other folder. */
static bool is_name(const char *name)
{
    return kafka_topic_name_valid(name) && *name != '.';
}

static void read_named(const char *folder, const char *name, struct kafka_options *options,
                       struct option_faults *faults)
{
    char *path = xasprintf("%s/%s" ENDING, folder, name);

    if (access(path, F_OK) != 0)
        option_fault(faults, "cluster: \"%s\" is no profile: clusters_path holds no %s" ENDING,
                     name, name);
    else
        read_file(path, options, faults);
    free(path);
}

/* What is wrong in it is the operator's, but is told to who names it, with the key. */
static void tell_of_file(const char *name, struct option_faults *found,
                         struct option_faults *faults)
{
    for (size_t i = 0; i < found->count; i++)
        option_fault(faults, "cluster: \"%s\": %s", name, found->items[i]);
    option_faults_release(found);
}

bool profile_read(const char *folder, const char *name, struct kafka_options *options,
                  struct option_faults *faults)
{
    struct option_faults found = {0};
    size_t before = faults->count;

    *options = (struct kafka_options){0};
    if (!folder || !*folder)
        option_fault(faults, "cluster: \"%s\" is no profile: clusters_path is not set", name);
    else if (!is_name(name))
        option_fault(faults, "cluster: \"%s\" is no profile's name", name);
    else
        read_named(folder, name, options, faults);
    if (faults->count == before)
        sampler_check(options, &found);
    tell_of_file(name, &found, faults);
    return faults->count == before;
}

static bool ends_so(const char *name, size_t *size)
{
    size_t whole = strlen(name), ending = strlen(ENDING);

    *size = whole - ending;
    return whole > ending && strcmp(name + whole - ending, ENDING) == 0;
}

void profiles_check(const char *folder, struct option_faults *faults)
{
    DIR *list = folder && *folder ? opendir(folder) : NULL;
    const struct dirent *entry;

    if (folder && *folder && !list)
        option_fault(faults, "clusters_path: \"%s\" is no folder that can be read", folder);
    while (list && (entry = readdir(list))) {
        struct kafka_options options;
        size_t size;
        char *name;

        if (*entry->d_name == '.' || !ends_so(entry->d_name, &size))
            continue;
        name = xstrndup(entry->d_name, size);
        profile_read(folder, name, &options, faults);
        profile_release(&options);
        free(name);
    }
    if (list)
        closedir(list);
}
