/*
 * common/base/banned.h - calls that have a bounded form elsewhere. Included
 * last by the compiler's command line, so that nobody can forget it.
 */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

/* The headers that declare the poisoned names have to come first. */
#include <alloca.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* clang's fortified headers make macros of these */
#undef sprintf
#undef vsprintf
#undef strcpy
#undef strcat
#undef strncpy
#undef strncat

#pragma GCC poison strcpy strcat sprintf vsprintf strncpy strncat strtok
#pragma GCC poison atoi atol atoll gets tmpnam mktemp popen
#pragma GCC poison gmtime localtime ctime asctime

#endif
