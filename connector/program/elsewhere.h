/*
 * elsewhere: a mode that is an executable of its own, in git's way: what it needs (scale: 54
 * libraries of gRPC) the others do not carry.
 */
#ifndef PROGRAM_ELSEWHERE_H
#define PROGRAM_ELSEWHERE_H

/* Becomes that executable, with the same arguments: the one beside this, else the first in PATH.
 * There is none: says so and exits with status 2. */
_Noreturn void elsewhere_run(const char *name, char **argv);

#endif
