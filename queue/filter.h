/* queue/filter.h - which messages of the queue are meant; on both sides of the socket. Pure. */
#ifndef QUEUE_FILTER_H
#define QUEUE_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/store/envelope.h"

#define FILTER_SIZE	512

/* What is empty or 0 matches all. */
struct filter {
	char		sender[FILTER_SIZE], rcpt[FILTER_SIZE];
	char		domain[FILTER_SIZE], text[FILTER_SIZE];
	char		user[FILTER_SIZE];	/* who sent it, as he logged in; "uid=33" */
	char		place[16];
	uint64_t	older_ms;
};

#define FILTER_OPTIONS	"F:Hd:e:o:t:u:w"
/* One of these from a command line: false with *why if the value makes no sense. */
bool	filter_option(struct filter *, int option, const char *value, const char **why);
bool	filter_is_empty(const struct filter *);
/* Does it ask for nothing but the place? */
bool	filter_is_of_place(const struct filter *);
/* For nothing but the place and a user? */
bool	filter_is_of_user(const struct filter *);
void	filter_put(const struct filter *, struct buf *);
/* False: the record has a filter that is too long or no number. */
bool	filter_get(struct str, struct filter *);
bool	filter_matches_envelope(const struct filter *, const struct envelope *, const char *place,
	    int64_t now_real_ms);
/* The message's status file, for the text of a reason. */
bool	filter_matches_status(const struct filter *, struct str);
/* Case ignored, '*' for any run of bytes. */
bool	filter_glob(struct str pattern, struct str text);

#endif
