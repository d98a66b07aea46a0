/*
 * refusal: why a broker does not let us in, in one sentence that names the property to look at.
 *
 * librdkafka's own texts name the function of OpenSSL that failed, and say the same of a
 * certificate that has expired, of one of a stranger and of one of another host. Which of them it
 * was is known only while the certificate is verified, so that is listened to.
 */
#ifndef KAFKA_REFUSAL_H
#define KAFKA_REFUSAL_H

#include <librdkafka/rdkafka.h>

/* Has the verification of brokers' certificates told why it fails. What is accepted stays the same.
 */
void refusal_listen(rd_kafka_conf_t *conf);

/* What librdkafka's text of an error means, "broker HOST:PORT: SENTENCE"; NULL: it is no refusal
 * that we know. Nothing of a secret is in it. Caller frees. */
char *refusal_dup(const char *text);

/* The same, but of what we do not know the text itself, control characters escaped. */
char *refusal_or_text_dup(const char *text);

/* refusal_dup, given OpenSSL's reason why a certificate was refused (X509_V_ERR_...; 0: not known).
 * Pure. */
char *refusal_of(const char *text, int certificate);

#endif
