/* imapd/search_run_impl.h - a run of a search program, for search_run.c and search_ready.c alone. */
#ifndef IMAPD_SEARCH_RUN_IMPL_H
#define IMAPD_SEARCH_RUN_IMPL_H

#include "imapd/head_text.h"
#include "imapd/search_run.h"
#include "imapd/search_text.h"

enum { COST_NONE, COST_SIZE, COST_INFO, COST_HEAD, COST_HEADER, COST_TEXT, COSTS };

/* What belongs to a node in this run, by the node's slot. */
struct slot {
	struct imap_set	 uids;
	uint64_t	 keyword;
	size_t		 text;		/* number of its key in text */
	struct needle	 needle;
	bool		 has_needle;
};

struct search_run {
	struct view		*view;
	const struct search_program *program;
	struct slot		*slots;
	size_t			 nslots;
	struct arena		 arena;		/* sets */
	int64_t			 now;
	struct head_text	 head_text;
	struct text		 text;
	/* of the message under way */
	size_t			 at;
	const struct view_message *m;
	struct view_info	 info;
	struct cache_head	 head;
	bool			 has_info, has_head, has_text;
	int			 error;		/* errno, ENOENT: it is gone */
};

#endif
