/*
 * common/fmt/aliases.h - the syntax of aliases(5) files: "name: target, ...",
 * continuation lines, comments, "quoted" names and targets, |command, /file,
 * :include:/path. Also used for virtual(5): "user@domain: target", "@domain: target".
 */
#ifndef FMT_ALIASES_H
#define FMT_ALIASES_H

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/str.h"
#include "common/fmt/cur.h"

enum alias_kind { ALIAS_ADDRESS, ALIAS_PIPE, ALIAS_FILE, ALIAS_INCLUDE, ALIAS_ERROR };

struct alias_target {
	enum alias_kind	kind;
	struct str	text;	/* unquoted, without '|' or ":include:"; view into scratch or input */
};

struct alias_entry {
	struct str	name;		/* unquoted, as written */
	struct str	targets;	/* raw text of the right-hand side, for alias_target_next */
	unsigned	line;		/* 1 = first */
};

enum alias_result { ALIAS_ENTRY, ALIAS_END, ALIAS_BAD };

/*
 * The next logical line. scratch must have room reserved for the longest name (it may move
 * when it grows: views made earlier die with buf_reset or growth, so use them before the next call).
 * *line counts lines (start with 1). ALIAS_BAD: *what says what is wrong,
 * *col where; the bad line has been skipped.
 */
enum alias_result alias_next(struct cur *, unsigned *, struct alias_entry *, struct buf *, const char **, unsigned *);
/* The next target of a right-hand side; also reads :include: files (one or more targets per line, '#' comments). False at the end; ALIAS_ERROR kind for a malformed one. */
bool	alias_target_next(struct cur *, struct buf *, struct alias_target *);

#endif
