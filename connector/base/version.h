/*
 * version: what `git describe` said of the tree when the program was built. In an object of its
 * own, the only one to be made again when that changes.
 */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H

extern const char program_version[];

#endif
