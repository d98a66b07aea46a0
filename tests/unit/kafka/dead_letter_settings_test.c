/* dead_letter: which of librdkafka's properties its producer takes. */
#include "kafka/dead_letter.h"

#include <criterion/criterion.h>

Test(dead_letter_settings, properties_of_consumers_do_no_harm_and_those_it_depends_on_are_refused)
{
    static const struct {
        char *property;
        bool good;
    } cases[] = {
        {"fetch.wait.max.ms=7", true},      {"session.timeout.ms=7000", true},
        {"compression.type=lz4", true},     {"security.protocol=SSL", true},
        {"message.max.bytes=5000", true},   {"acks=1", false},
        {"request.required.acks=1", false}, {"enable.idempotence=false", false},
        {"message.timeout.ms=1000", false}, {"delivery.timeout.ms=1000", false},
        {"transactional.id=x", false},      {"batch.size=100000", false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char *bootstrap = "kafka", *property = cases[i].property;
        struct kafka_options options = {{&bootstrap, 1}, "test", {&property, 1}};
        struct option_faults faults = {0};

        dead_letters_check(&options, &faults);
        cr_expect_eq(faults.count, !cases[i].good, "%s: %s", property,
                     faults.count ? faults.items[0] : "no fault");
        option_faults_release(&faults);
    }
}
