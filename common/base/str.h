/*
 * common/base/str.h - a borrowed view of bytes. Never NUL-ended, may hold NUL;
 * lives as long as the memory that it looks at.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"

struct str {
	const char	*p;
	size_t		 n;
};

/* A view of a string literal; sizeof() keeps inner NULs. */
#define STR(lit)	((struct str){ (lit), sizeof(lit) - 1 })
/* For printf: "%.*s", STR_ARG(s). */
#define STR_ARG(s)	(int)(s).n, (s).p

struct str	 str_from(const char *);	/* view of a C string; NULL gives an empty view */
bool		 str_eq(struct str, struct str);
bool		 str_eq_nocase(struct str, struct str);	/* ASCII only */
bool		 str_starts_nocase(struct str, struct str);	/* first begins with second */
/* Orders like memcmp, shorter first on a tie. */
int		 str_cmp(struct str, struct str);
/* Copy with a NUL into dst of size n; -1 ENAMETOOLONG if too long, EINVAL if it holds a NUL. */
int		 str_copy(char *, size_t, struct str) must_check;
/* malloc'ed C string, caller frees; NULL with ENOMEM, or EINVAL if it holds a NUL. */
char		*str_dup(struct str) must_check;
/* Without white space (SP, HT) at both ends. */
struct str	 str_trim(struct str);
/* A byte below SP, or DEL: what a line of text, a name or a log cannot hold. */
bool		 str_has_control(struct str);
/* The next line of rest, without its LF; the last one need not have it. False: there is none. */
bool		 str_take_line(struct str *rest, struct str *line);
/* Lower-case ASCII copy, same rules as str_copy. */
int		 str_lower(char *, size_t, struct str) must_check;
/* Decimal without sign or blanks, at most max; -1 EINVAL or ERANGE. */
int		 str_number(struct str, unsigned long long, unsigned long long *) must_check;

#endif
