/* option_read: the sources, their order and what their faults say; option_nearest. */
#include "base/option.h"
#include "base/xalloc.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct settings {
    char *name;
    bool print;
    int64_t slots, any, bytes, timeout;
    int order, offset;
    struct option_list topics;
    char *gateway, *folder, *password, *config;
    struct option_list properties, headers;
    int64_t count;
};

#define FIELD(name) offsetof(struct settings, name)

static const struct option_row rows[] = {
    {"client_id", "Kafka__ClientId", OPTION_STRING, FIELD(name), .default_text = "connector",
     .text = "How brokers see us."},
    {"print_response", NULL, OPTION_BOOL, FIELD(print), .default_text = "false",
     .text = "Print the answer."},
    {"slots", NULL, OPTION_INT, FIELD(slots), .default_text = "8", .min = 1, .max = 1000,
     .text = "Calls at once."},
    {"any", NULL, OPTION_INT, FIELD(any), .text = "Any number."},
    {"max_bytes", NULL, OPTION_BYTES, FIELD(bytes), .default_text = "64MiB", .min = 1024,
     .max = INT64_C(1) << 30, .text = "Most bytes held."},
    {"upstream_timeout", NULL, OPTION_DURATION, FIELD(timeout), .default_text = "30s", .min = 1,
     .max = 86400000, .text = "How long a function may take."},
    {"order", NULL, OPTION_CHOICE, FIELD(order), .default_text = "key",
     .choices = "key|partition|none", .text = "What is kept in order: a | b."},
    {"initial_offset", NULL, OPTION_CHOICE, FIELD(offset), .default_text = "latest",
     .choices = "latest/newest|earliest/oldest", .text = "Where to begin."},
    {"topics", "topic", OPTION_LIST, FIELD(topics), .text = "Topics to read."},
    {"gateway_url", NULL, OPTION_URL, FIELD(gateway), .default_text = "http://gateway:8080",
     .text = "The gateway."},
    {"secret_mount_path", NULL, OPTION_PATH, FIELD(folder), .default_text = "/nowhere/by/default",
     .text = "Where secrets are."},
    {"password", "pass", OPTION_STRING, FIELD(password), .text = "The password.",
     .flags = OPTION_SECRET},
    {"config", NULL, OPTION_PATH, FIELD(config), .text = "The settings file."},
    {"X", NULL, OPTION_PROPERTIES, FIELD(properties), .text = "A property of librdkafka."},
};
static const struct option_row producer_rows[] = {
    {"messages", NULL, OPTION_INT, FIELD(count), .min = -1, .max = INT64_MAX,
     .text = "Records to send.", .flags = OPTION_FLAG_ONLY},
    {"header", NULL, OPTION_PROPERTIES, FIELD(headers), .text = "A header.",
     .flags = OPTION_FLAG_ONLY},
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const struct option_table table = {"Connector", rows, COUNT(rows)};
static const struct option_table producer_table = {"Producer", producer_rows, COUNT(producer_rows)};

/* What a test reads, and what comes out. Lists end with NULL. */
struct reading {
    struct settings settings;
    struct option_group groups[2];
    struct option_faults faults;
};

static void read_options(struct reading *reading, char **flags, char **environment)
{
    int argc = 0;
    while (flags && flags[argc])
        argc++;
    *reading = (struct reading){0};
    memset(&reading->settings, 0x5a, sizeof(reading->settings)); /* option_read zeroes it */
    reading->groups[0] = (struct option_group){&table, &reading->settings};
    reading->groups[1] = (struct option_group){&producer_table, &reading->settings};
    struct option_input input = {
        .argc = argc, .argv = flags, .environment = environment, .file_flag = "config"};
    option_read(reading->groups, 2, &input, &reading->faults);
}

static void release(struct reading *reading)
{
    option_release(reading->groups, 2);
    option_faults_release(&reading->faults);
}

#define LIST(...) ((char *[]){__VA_ARGS__, NULL})

static void expect_no_fault(const struct reading *reading)
{
    for (size_t i = 0; i < reading->faults.count; i++)
        cr_expect_fail("fault: %s", reading->faults.items[i]);
}

static void expect_fault(const struct reading *reading, size_t index, const char *text)
{
    cr_assert_gt(reading->faults.count, index, "no fault: %s", text);
    cr_expect_str_eq(reading->faults.items[index], text, "%s", reading->faults.items[index]);
}

/* A file of its own in /tmp; the caller unlinks and frees. */
static char *new_file(const char *content, size_t size)
{
    char *path = xstrdup("/tmp/option_test_XXXXXX");
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, content, size), (ssize_t)size);
    close(fd);
    return path;
}

static void drop_file(char *path)
{
    unlink(path);
    free(path);
}

static char *joined(const char *left, const char *right)
{
    return xasprintf("%s%s", left, right);
}

static void expect_list(const struct option_list *list, char **items)
{
    size_t count = 0;
    for (; items[count]; count++) {
        cr_assert_gt(list->count, count, "%s is missing", items[count]);
        cr_expect_str_eq(list->items[count], items[count]);
    }
    cr_expect_eq(list->count, count);
}

Test(option_read, gives_defaults_when_nobody_says_anything)
{
    struct reading reading;
    read_options(&reading, NULL, NULL);
    expect_no_fault(&reading);
    cr_expect_str_eq(reading.settings.name, "connector");
    cr_expect_eq(reading.settings.timeout, 30000);
    cr_expect_str_eq(reading.settings.folder, "/nowhere/by/default");
    cr_expect_null(reading.settings.password);
    cr_expect_eq(reading.settings.topics.count, 0);
    release(&reading);
}

Test(option_read, prefers_flag_to_environment_to_file_to_default)
{
    static const char json[] = "{\"client_id\": \"file\", \"slots\": 2, \"order\": \"none\"}";
    struct reading reading;
    char *path = new_file(json, sizeof(json) - 1);

    read_options(&reading, LIST("--config", path, "--client_id=flag"),
                 LIST("client_id=environment", "slots=3"));
    expect_no_fault(&reading);
    cr_expect_str_eq(reading.settings.name, "flag");
    cr_expect_eq(reading.settings.slots, 3);
    cr_expect_eq(reading.settings.order, 2);
    cr_expect_eq(reading.settings.bytes, 64 << 20);
    release(&reading);
    drop_file(path);
}

Test(option_read, knows_every_spelling_of_a_flag)
{
    static char *const flags[] = {"--slots=5", "-slots=5", "--upstream_timeout=7s",
                                  "-upstream-timeout=7s", "--upstream-timeout=7s"};
    for (size_t i = 0; i < COUNT(flags); i++) {
        struct reading reading;
        read_options(&reading, LIST(flags[i]), NULL);
        expect_no_fault(&reading);
        cr_expect(reading.settings.slots == 5 || reading.settings.timeout == 7000, "%s", flags[i]);
        release(&reading);
    }
}

Test(option_read, takes_a_flags_value_from_the_next_argument)
{
    struct reading reading;
    read_options(&reading,
                 LIST("-topic", "orders", "--print-response", "-messages", "-1", "--slots", "4",
                      "--slots", "6"),
                 NULL);
    expect_no_fault(&reading);
    expect_list(&reading.settings.topics, LIST("orders"));
    cr_expect(reading.settings.print);
    cr_expect_eq(reading.settings.count, -1);
    cr_expect_eq(reading.settings.slots, 6, "the last of two counts");
    release(&reading);
}

Test(option_read, takes_only_a_boolean_word_behind_a_boolean_flag)
{
    struct reading reading;
    read_options(&reading, LIST("--print_response=true", "--print_response", "false"), NULL);
    expect_no_fault(&reading);
    cr_expect_not(reading.settings.print);
    release(&reading);

    read_options(&reading, LIST("--print_response", "orders"), NULL);
    cr_expect(reading.settings.print);
    expect_fault(&reading, 0, "unexpected argument \"orders\"");
    release(&reading);
}

Test(option_read, names_every_fault_and_where_it_came_from)
{
    struct reading reading;
    read_options(&reading,
                 LIST("--upstream-timeot", "30s", "-message=3", "--zzzzzz=hunter2", "stray", "-",
                      "--slots=none", "--order"),
                 LIST("upstream_timeout=abc", "KAFKA_SERVICE_HOST=10.0.0.1", "unknown=1"));
    expect_fault(&reading, 0, "unknown flag --upstream-timeot; did you mean --upstream_timeout?");
    expect_fault(&reading, 1, "unknown flag -message; did you mean -messages?");
    expect_fault(&reading, 2, "unknown flag --zzzzzz");
    expect_fault(&reading, 3, "unexpected argument \"stray\"");
    expect_fault(&reading, 4, "unexpected argument \"-\"");
    expect_fault(&reading, 5, "flag --order needs a value");
    expect_fault(&reading, 6, "slots: \"none\" is not a whole number [flag]");
    expect_fault(&reading, 7,
                 "upstream_timeout: \"abc\" is not a duration (such as 30s, 1m30s or 250ms) "
                 "[environment]");
    cr_expect_eq(reading.faults.count, 8);
    release(&reading);
}

Test(option_read, takes_an_empty_variable_for_an_unset_one)
{
    struct reading reading;
    read_options(&reading, NULL,
                 LIST("upstream_timeout=", "client_id=", "topics=", "topic=a",
                      "kafka_acks=", "messages=5", "header=a=b"));
    expect_no_fault(&reading);
    cr_expect_eq(reading.settings.timeout, 30000);
    cr_expect_str_eq(reading.settings.name, "connector");
    cr_expect_eq(reading.settings.properties.count, 0);
    cr_expect_eq(reading.settings.count, 0, "a flag-only row read the environment");
    cr_expect_eq(reading.settings.headers.count, 0);
    expect_list(&reading.settings.topics, LIST("a"));
    release(&reading);
}

Test(option_read, takes_a_name_before_its_aliases_in_the_environment)
{
    struct reading reading;
    read_options(&reading, NULL, LIST("topic=alias", "topics=name", "Kafka__ClientId=pro"));
    expect_no_fault(&reading);
    expect_list(&reading.settings.topics, LIST("name"));
    cr_expect_str_eq(reading.settings.name, "pro");
    release(&reading);
}

Test(option_read, gathers_properties_from_weak_to_strong)
{
    static const char json[] = "{\"kafka_client_rack\": \"a\", \"kafka_linger_ms\": 5}";
    struct reading reading;
    char *path = new_file(json, sizeof(json) - 1);
    char *config = joined("config=", path);

    read_options(&reading, LIST("-X", "acks=1", "-X=acks=all", "-header", "kind=test"),
                 LIST("kafka_acks=0", config, "kafka_sasl_password=a_b=c", "kafka_=x",
                      "X=anybody's", "KAFKA_SERVICE_HOST=10.0.0.1",
                      "KAFKA_PORT=tcp://10.0.0.1:9092"));
    expect_no_fault(&reading);
    expect_list(&reading.settings.properties, LIST("client.rack=a", "linger.ms=5", "acks=0",
                                                   "sasl.password=a_b=c", "acks=1", "acks=all"));
    expect_list(&reading.settings.headers, LIST("kind=test"));
    release(&reading);
    drop_file(path);
    free(config);
}

Test(option_read, joins_nested_names_and_arrays_of_the_file)
{
    static const char json[] =
        "{\"Kafka\": {\"ClientId\": \"x\"}, \"topics\": [\"a\", \"b\"], \"print_response\": true}";
    struct reading reading;
    char *path = new_file(json, sizeof(json) - 1);

    read_options(&reading, LIST("--config", path), NULL);
    expect_no_fault(&reading);
    cr_expect_str_eq(reading.settings.name, "x");
    cr_expect(reading.settings.print);
    expect_list(&reading.settings.topics, LIST("a", "b"));
    release(&reading);
    drop_file(path);
}

Test(option_read, names_file_and_key_of_a_settings_fault)
{
    static const struct {
        const char *sentence, *json, *fault; /* FILE stands for the path */
    } cases[] = {
        {"an unknown key", "{\"upstream_timeot\": 1}",
         "file %s: unknown key \"upstream_timeot\"; did you mean \"upstream_timeout\"?"},
        {"an unknown key near none", "{\"zzzzzz\": 1}", "file %s: unknown key \"zzzzzz\""},
        {"a nested unknown key", "{\"zz\": {\"yy\": 1}}", "file %s: unknown key \"zz__yy\""},
        {"a flag-only key", "{\"messages\": 1}", "file %s: unknown key \"messages\""},
        {"no text", "{\"slots\": null}", "file %s: \"slots\" is no text, number or boolean"},
        {"an array of arrays", "{\"topics\": [[]]}",
         "file %s: \"topics\" holds no text, number or boolean"},
        {"an array of objects where there are no items", "{\"topics\": [{\"a\": 1}]}",
         "file %s: unknown key \"topics__0__a\""},
        {"an empty object", "{\"topics\": [{}]}",
         "file %s: \"topics__0\" is no object with members"},
        {"no object", "[1]", "file %s: must hold a JSON object"},
        {"a bad value", "{\"slots\": 0}",
         "slots: \"0\" is out of range; it must be from 1 to 1000 [file %s]"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct reading reading;
        char expected[300];
        char *path = new_file(cases[i].json, strlen(cases[i].json));
        snprintf(expected, sizeof(expected), cases[i].fault, path);
        read_options(&reading, LIST("--config", path), NULL);
        expect_fault(&reading, 0, expected);
        cr_expect_eq(reading.faults.count, 1, "%s", cases[i].sentence);
        release(&reading);
        drop_file(path);
    }
}

Test(option_read, says_that_a_settings_file_is_not_json)
{
    struct reading reading;
    char expected[300];
    char *path = new_file("{\"slots\": ", 10);

    read_options(&reading, LIST("--config", path), NULL);
    snprintf(expected, sizeof(expected), "file %s: is not JSON: ", path);
    cr_assert_eq(reading.faults.count, 1);
    cr_expect_eq(strncmp(reading.faults.items[0], expected, strlen(expected)), 0, "%s",
                 reading.faults.items[0]);
    release(&reading);
    drop_file(path);
}

Test(option_read, tells_an_unreadable_settings_file_once)
{
    struct reading reading;
    read_options(&reading, LIST("--config=/nowhere/settings.json"), NULL);
    expect_fault(&reading, 0,
                 "config: \"/nowhere/settings.json\" cannot be read: No such file or directory "
                 "[flag]");
    cr_expect_eq(reading.faults.count, 1);
    release(&reading);

    read_options(&reading, LIST("--config=/tmp"), NULL);
    expect_fault(&reading, 0, "file /tmp: cannot be read: Is a directory");
    release(&reading);
}

Test(option_read, reads_a_secret_from_a_file)
{
    struct reading reading;
    char *path = new_file("hunter2 \r\n\n", 11);
    char *variable = joined("password_file=", path);

    read_options(&reading, NULL, LIST(variable));
    expect_no_fault(&reading);
    cr_expect_str_eq(reading.settings.password, "hunter2 ");
    release(&reading);
    read_options(&reading, LIST("--pass-file", path), NULL);
    expect_no_fault(&reading);
    cr_expect_str_eq(reading.settings.password, "hunter2 ");
    release(&reading);
    drop_file(path);
    free(variable);
}

Test(option_read, never_tells_a_secret)
{
    struct reading reading;
    char *path = new_file("hun\0ter2", 8);
    char *variable = joined("password_file=", path);
    char expected[200];

    read_options(&reading, NULL, LIST(variable));
    snprintf(expected, sizeof(expected), "password_file: %s holds a NUL [environment]", path);
    expect_fault(&reading, 0, expected);
    release(&reading);

    read_options(&reading, LIST("--password=hunter2"), LIST(variable));
    expect_fault(&reading, 0, "password: is given, and password_file too; give one of them");
    cr_expect_null(reading.settings.password);
    cr_expect_eq(reading.faults.count, 1);
    release(&reading);

    read_options(&reading, LIST("--password_file=/nowhere/secret"), NULL);
    expect_fault(&reading, 0,
                 "password_file: /nowhere/secret cannot be read: No such file or directory [flag]");
    release(&reading);
    drop_file(path);
    free(variable);
}

Test(option_nearest, finds_what_was_meant)
{
    static const struct {
        const char *sentence, *name, *nearest;
    } cases[] = {
        {"a letter left out", "upstream_timeot", "upstream_timeout"},
        {"a letter too many", "slotss", "slots"},
        {"another case", "TOPICS", "topics"},
        {"a dash", "gateway-ur", "gateway_url"},
        {"an alias gives the name", "kafka__clientid", "client_id"},
        {"a one-letter name in another case", "x", "X"},
        {"more than a third changed", "slxxs", NULL},
        {"nothing", "", NULL},
        {"something else", "replication_factor", NULL},
    };
    struct option_group group = {&table, NULL};
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *nearest = option_nearest(&group, 1, cases[i].name);
        cr_expect_str_eq(nearest ? nearest : "-", cases[i].nearest ? cases[i].nearest : "-", "%s",
                         cases[i].sentence);
    }
}

Test(option_misspelt, takes_only_what_is_very_near_for_a_typing_error)
{
    static const struct {
        const char *sentence, *name, *meant;
    } cases[] = {
        {"a letter left out", "gatway_url", "gateway_url"},
        {"two letters of a long name", "upsteam_timeot", "upstream_timeout"},
        {"two letters of a short one may be another's", "gatewy_uri", NULL},
        {"three letters are another's", "pstrem_timeot", NULL},
        {"the option itself", "gateway_url", NULL},
        {"without an underscore", "topic", NULL},
        {"in capitals", "GATEWAY_URL", "gateway_url"},
        {"in capitals a letter off is another's", "GATWAY_URL", NULL},
        {"in both", "Gateway_URL", NULL},
        {"in capitals without an underscore", "TOPICS", NULL},
        {"a service link", "GRPC_PORT", NULL},
        {"a property, or a service link of a service that is called kafka", "KAFKA_HOST", NULL},
        {"an option that is in capitals", "SHOUTED_NAME", NULL},
        {"and in small letters", "shouted_name", "SHOUTED_NAME"},
        {"a property of librdkafka", "kafka_client_i", NULL},
        {"a key of a section", "Kafka__ClientI", "client_id"},
        {"which counts in any case", "KAFKA__clientid", NULL},
        {"another key of that section", "Kafka__GroupId", NULL},
        {"a proxy", "http_proxy", NULL},
        {"the shell's own", "_", NULL},
        {"nothing", "", NULL},
    };
    static const struct option_row shouted = {.name = "SHOUTED_NAME"};
    static const struct option_table shouted_table = {"Shouted", &shouted, 1};
    struct option_group groups[] = {{&table, NULL}, {&shouted_table, NULL}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *meant = option_misspelt(groups, COUNT(groups), cases[i].name);
        cr_expect_str_eq(meant ? meant : "-", cases[i].meant ? cases[i].meant : "-", "%s",
                         cases[i].sentence);
    }
}
