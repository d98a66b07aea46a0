/*
 * fail: ends a test at once because what it stands on does not hold: a broker that does not
 * answer, a program that cannot be started. What is under test is asserted by the tests.
 */
#ifndef HARNESS_FAIL_H
#define HARNESS_FAIL_H

_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
