/* version: see version.h. */
#include "base/version.h"

const char program_version[] = VERSION;
