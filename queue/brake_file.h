/*
 * queue/brake_file.h - what the brake remembers of accounts, as bytes; posthouse-spool(5) has the format. Pure but
 * for its memory.
 */
#ifndef QUEUE_BRAKE_FILE_H
#define QUEUE_BRAKE_FILE_H

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/diag.h"
#include "common/base/id.h"
#include "common/base/str.h"
#include "queue/brake_rate.h"

#define BRAKE_NAME_MAX	255u
#define BRAKE_SAMPLES	5u

/* An account. */
struct brake_record {
	struct str		 name;		/* as in the envelope: a user, or "uid=33" */
	struct brake_rate	 rate;
	struct brake_known	*known;		/* whom it wrote to, or NULL */
	int64_t			 since;		/* the brake is on, ms since 1970; 0: it is not */
	enum brake_kind		 what;		/* because of this */
	uint32_t		 seen, limit;	/* so many, more than so many */
	bool			 told;		/* notices are written */
	uint64_t		 held;		/* messages since then */
	struct id		 samples[BRAKE_SAMPLES];	/* the first of them */
	size_t			 nsamples;
};

/* The begin of a file. */
void	brake_file_head(struct buf *, int64_t saved_ms);
void	brake_file_add(struct buf *, const struct brake_record *);

/*
 * Calls fn for each record; its name is a view into the text, known is fn's to free. -1: the text makes no sense from
 * some place on (*why), fn said -1, or there was no memory.
 */
int	brake_file_read(struct str, int64_t *saved_ms, int (*fn)(void *, struct brake_record *), void *,
	    struct diag *why) must_check;

#endif
