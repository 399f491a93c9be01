/* queue/letter.c - a message of our own into the queue. */
#include "queue/letter.h"

#include <string.h>

#include "common/base/log.h"
#include "common/base/now.h"

void
letter_id(char id[ID_SIZE])
{
	struct timespec	ts = now_real();

	id_format(id_make(&ts), id);
}

static int
write_letter(const struct spool_in *in, struct envelope *env,
    const struct str *parts, size_t n)
{
	struct draft	d;
	size_t		i;

	if (draft_begin(in, &d, env) == -1)
		return -1;
	for (i = 0; i < n; i++)
		if (draft_write(&d, parts[i].p, parts[i].n) == -1) {
			draft_abort(in, &d);
			return -1;
		}
	return draft_commit(in, &d);
}

int
letter_send(struct queue *q, const struct letter *l, const struct str *parts,
    size_t n)
{
	struct envelope_rcpt	rcpt = { .addr = l->to, .orcpt = STR(""),
				    .final = STR(""), .state = RCPT_WAITING };
	struct envelope		env = {
		.arrival_ms = now_real_ms(), .origin = str_from(l->origin),
		.client = STR(""), .helo = STR(""), .proto = STR(""),
		.auth = STR(""), .sender = STR(""), .envid = STR(""),
		.options = l->options, .rcpts = &rcpt, .nrcpts = 1
	};
	struct spool_in	in;
	struct id	id;
	int		r;

	strlcpy(env.id, l->id, sizeof(env.id));
	if (!id_parse(str_from(l->id), &id) ||
	    spool_in_queue(&q->spool, id, &in) == -1)
		return -1;
	r = write_letter(&in, &env, parts, n);
	spool_in_close(&in);
	if (r == -1)
		return -1;
	if (waiting_add(&q->waiting, (struct waiting){ .id = id,
	    .due = env.arrival_ms, .place = SPOOL_QUEUE }) == -1)
		log_error("forgotten id=%s why=\"out of memory, found again "
		    "at the next start\"", env.id);
	queue_kick(q);
	return 0;
}

int
letter_postmaster(const struct settings *s, struct buf *out)
{
	return buf_addf(out, "postmaster@%s", s->domains.n > 0 ?
	    s->domains.items[0].text : s->hostname);
}
