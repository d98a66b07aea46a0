/*
 * footprint: gives back the memory that only starting took.
 *
 * Assumed is that what is mapped of the program and its libraries, and is not writable, comes from
 * their files: so the loader maps it, and of what it had to write into (text relocations) nothing is
 * let go. Code that has no file (made at run time, or moved into huge pages by a tool that copies the
 * program's code there) would read as zeros: do not call it in such a process.
 */
#ifndef BASE_FOOTPRINT_H
#define BASE_FOOTPRINT_H

/* To be called once, when everything is opened. Nearly forty libraries come with libcurl and
 * librdkafka (LDAP, Kerberos, two of TLS), and what each runs when it is loaded stays mapped: 7 of
 * 13 MB. Lets go of all code and constants; what is used again comes back from the page cache. */
void footprint_trim(void);

#endif
