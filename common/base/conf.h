/*
 * common/base/conf.h - the configuration's lexer and parser; knows no key.
 *
 * One statement per line: KEY WORD... ; '#' begins a comment where a word could
 * begin; "quoted words" know \" \\ \n \t; a line ending in '\' goes on.
 * "NAME {" opens a block, "}" alone closes it; inside, keys get the prefix
 * "NAME." (so `smtp { message-size 50M }` is `smtp.message-size 50M`). Blocks
 * nest to CONF_DEPTH. A line "position FILE LINE" outside blocks sets the place
 * that the following statement is reported at (the master writes it when it
 * hands out parts of the configuration).
 */
#ifndef BASE_CONF_H
#define BASE_CONF_H

#include <stddef.h>
#include <sys/queue.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/diag.h"
#include "common/base/str.h"

#define CONF_DEPTH	4
#define CONF_WORDS	64	/* per statement, key included */
#define CONF_KEY_MAX	64
#define CONF_WORD_MAX	4096
#define CONF_FILE_MAX	(4u << 20)

struct conf_word {
	char		*text;
	unsigned	 col;	/* 1 = first */
};

struct conf_stmt {
	TAILQ_ENTRY(conf_stmt)	 link;
	char			 key[CONF_KEY_MAX + 1];	/* full: "smtp.listen" */
	char			*file;
	unsigned		 line, col;		/* of the key */
	size_t			 nwords;		/* arguments, key not counted */
	struct conf_word	*words;
};
TAILQ_HEAD(conf_stmts, conf_stmt);

/* Appends to *out (an initialised list). -1: why is "file:line:col: what, expected what"; what was added stays. */
int	conf_parse(struct str, const char *, struct conf_stmts *, struct diag *)
	    must_check;
void	conf_free(struct conf_stmts *);
/* Writes a statement back as text that conf_parse reads to the same (with its position line). */
int	conf_write(struct buf *, const struct conf_stmt *) must_check;

/* "50M" = 50 * 2^20; suffixes K M G, none = bytes. -1 EINVAL/ERANGE. */
int	conf_size(const char *, unsigned long long *) must_check;
/* "90s" "5m" "4h" "5d" "250ms"; a number alone is seconds; result in milliseconds. */
int	conf_time(const char *, long long *) must_check;

#endif
