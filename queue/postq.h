/* queue/postq.h - the command postq(8): a table of verbs in postq_main.c, each of them in a file of its own. */
#ifndef QUEUE_POSTQ_H
#define QUEUE_POSTQ_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"
#include "common/base/id.h"
#include "common/base/str.h"
#include "common/proc/settings.h"
#include "common/store/spool.h"
#include "queue/filter.h"

struct postq {
	const char	*conf;		/* -f */
	struct settings	*settings;
	struct filter	 filter;
	bool		 dry, quiet, yes;		/* -n -q -y */
	bool		 content, envelope, history;	/* show -c -e -h */
	const char	*log;		/* trace, balance -l: instead of the configured one */
	const char	*since;		/* balance --since */
	bool		 remove;	/* import --remove */
	int		 fd;		/* to the queue, once a verb has connected; or -1 */
};

/* What a verb does: an exit status. argv are the words behind it. */
typedef int	postq_verb(struct postq *, const char *verb, int argc, char *argv[]);

/* ---- postq_order.c: what queue does for us */
postq_verb	postq_order;
/* ---- postq_show.c */
postq_verb	postq_show;
/* ---- postq_trace.c */
postq_verb	postq_trace;
/* ---- postq_balance.c */
postq_verb	postq_balance;
/* ---- postq_fsck.c */
postq_verb	postq_fsck;
/* ---- postq_import.c */
postq_verb	postq_import;

/* ---- postq_common.c */
/* The messages meant: the words, or what the filter (with ALL: everything) picks of that place (NULL: any). */
struct picked {
	char	(*ids)[ID_SIZE];
	size_t	 n, cap;
	bool	 elsewhere;	/* also what queue has not taken over yet */
};
/* Ends the program if queue has to be asked and cannot. False: words and filter are both there, or neither. */
bool	postq_pick(struct postq *, const char *place, int argc, char *argv[], struct picked *) must_check;
void	picked_free(struct picked *);
/* Connects once; ends the program if it cannot. */
void	postq_connect(struct postq *);
/* Only a person can be asked, and only once he sees how many there are; ends the program on no. */
void	postq_confirm(const struct postq *, const char *what, size_t n);
/* Opens the spool for reading; -1: not for us (errno; said if say). The caller closes both. */
int	postq_spool(const struct postq *, struct spool *, int *dir, bool say) must_check;
/* From now on files can only be read, and only those of the spool and of this log (NULL: none); ends the program if that cannot be. */
void	postq_confine(const struct postq *, const char *log);
/* The file of the log, from -l or the configuration; NULL: it is in none. */
const char *postq_log_path(const struct postq *);
/* Terminals must not be at the mercy of a sender. */
void	postq_put_safe(struct str);
/* "postq: name: why" to standard error, likewise. */
void	postq_warn_safe(const char *name, const char *why);
/* A line of a status file, or any other, with its time in a form that people like. */
void	postq_put_line(struct str);
/* The time in ms since 1970 as people like it. */
const char *postq_time(int64_t ms, char[32]);

#endif
