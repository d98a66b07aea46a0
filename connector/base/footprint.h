/*
 * footprint: gives back the memory that only starting took.
 */
#ifndef BASE_FOOTPRINT_H
#define BASE_FOOTPRINT_H

/* To be called once, when everything is opened. Nearly forty libraries come with libcurl and
 * librdkafka (LDAP, Kerberos, two of TLS), and what each runs when it is loaded stays mapped: 7 of
 * 13 MB. Lets go of all code and constants; what is used again comes back from the page cache. */
void footprint_trim(void);

#endif
