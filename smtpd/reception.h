/*
 * smtpd/reception.h - content on its way from the client into the spool,
 * checked as it passes. The first fault counts; what comes after it is read
 * and thrown away, so that client and server stay in step.
 */
#ifndef SMTPD_RECEPTION_H
#define SMTPD_RECEPTION_H

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/fmt/submission.h"
#include "common/store/spool.h"

struct reception {
	struct draft	draft;
	bool		open;
	unsigned	code;		/* of the first fault; 0: none so far */
	const char	*status, *text;
	unsigned long long size, max;	/* bytes of the content as the client sent it */
	/* the header section as it passes */
	bool		in_header;
	size_t		name_at;	/* bytes of "received:" matched in this line */
	bool		bol, empty;	/* at the beginning of a line; nothing in it but CR */
	long long	hops, max_hops;
	/* lines, where dot_in does not look (BDAT) */
	size_t		line, longest;
	bool		cr, bare;	/* last byte was CR; a bare CR or LF was there */
	/* where mail is handed in */
	struct submission submission;
	struct buf	completed;
	bool		completes;
};

void	rx_init(struct reception *, unsigned long long max, long long max_hops);
/* Creates the file, empty. -1: code, status and text say what to answer. */
int	rx_open(struct reception *, const struct spool_in *, const char *id) must_check;
/*
 * Creates the file unless it is open (then under env->id): its envelope, then
 * the trace field. -1: code, status and text say what to answer.
 */
int	rx_begin(struct reception *, const struct spool_in *, struct envelope *,
	    struct str trace) must_check;
/* From now on what is stored is what submission.h makes of it; the views of the set live until the end. */
void	rx_complete(struct reception *, const struct submission_set *);
/* Remembers the first one only. */
void	rx_fault(struct reception *, unsigned code, const char *status, const char *text);
/* A piece of the content. */
void	rx_add(struct reception *, struct str);
/* Counts hops in a piece while it is the header section (rx_add does it); the fault is noted. */
void	rx_scan_header(struct reception *, struct str);
/* Counts lines of a piece that did not pass dot_in. */
void	rx_scan_lines(struct reception *, struct str);
/* Publishes. 0: say 250; -1: code, status and text. Closed either way. */
int	rx_commit(struct reception *, const struct spool_in *) must_check;
void	rx_abort(struct reception *, const struct spool_in *);

#endif
