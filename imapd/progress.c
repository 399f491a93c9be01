/* imapd/progress.c - what happens to the client while a command takes long. Run by the session. */
#include "imapd/progress.h"

#include <sys/ioctl.h>

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "common/base/now.h"

#define LOOK_MS		50
#define SAY_MS		10000	/* RFC 9585, 4: no more often than each 10 to 15 seconds */
#define FIRST_MS	5000
#define SEND_MS		60000

void
progress_begin(struct progress *p, struct session *s, struct str tag,
    size_t total)
{
	p->session = s;
	p->tag = tag;
	p->ahead = NULL;
	p->total = total;
	p->before = 0;
	p->looked = now_ticked_ms();
	p->said = now_ms() - (SAY_MS - FIRST_MS);
}

/*
 * One that has closed its side, and from whom nothing is left to be read. Who has closed it behind further commands may be waiting
 * for the answers.
 */
static bool
has_gone(const struct conn *c)
{
	struct pollfd	p = { c->fd, POLLRDHUP, 0 };
	int		waiting = 0;

	if (poll(&p, 1, 0) != 1)
		return false;
	if ((p.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0)
		return true;
	return (p.revents & POLLRDHUP) != 0 && conn_pending(c).n == 0 &&
	    ioctl(c->fd, FIONREAD, &waiting) == 0 && waiting == 0;
}

int
progress_put(struct buf *out, struct str tag, size_t done, size_t total)
{
	buf_adds(out, "INPROGRESS (");
	/* the code would end with it, for some */
	if (memchr(tag.p, ']', tag.n) != NULL)
		buf_adds(out, "NIL");
	else
		buf_addf(out, "\"%.*s\"", STR_ARG(tag));
	buf_addf(out, " %zu ", done);
	/* a goal is still ahead */
	if (total > done)
		buf_addf(out, "%zu)", total);
	else
		buf_adds(out, "NIL)");
	return buf_ok(out) ? 0 : -1;
}

/* Nothing is said in the middle of a response. */
static void
say_ahead(struct progress *p)
{
	if (p->ahead == NULL || p->ahead->n == 0)
		return;
	say_buf(p->session, p->ahead);
	buf_reset(p->ahead);
}

static int
say_progress(struct progress *p, size_t done)
{
	struct session	*s = p->session;
	struct buf	 code;

	say_ahead(p);
	buf_init(&code, IMAP_TAG_MAX + 64);
	if (progress_put(&code, p->tag, done, p->total) == 0)
		say(s, "OK [%.*s] Still at it", STR_ARG(buf_view(&code)));
	buf_free(&code);
	return conn_flush(&s->conn, SEND_MS);
}

/* Who has closed his side may still read. */
static int
is_over(struct progress *p, const char *why, const char *bye)
{
	struct session	*s = p->session;

	say_ahead(p);
	if (s->end == NULL)
		s->end = why;
	say(s, "BYE [UNAVAILABLE] %s", bye);
	errno = ECANCELED;
	return -1;
}

static int
stops(struct progress *p)
{
	return is_over(p, "server stops", "the server stops, come again");
}

int
progress_look(struct progress *p, size_t done)
{
	struct session	*s = p->session;
	int64_t		 now;

	if (s->conn.stop != NULL && *s->conn.stop != 0)
		return stops(p);
	if (has_gone(&s->conn))
		return is_over(p, "client went away during a command",
		    "nobody waits for the answer");
	if ((now = now_ms()) - p->said < SAY_MS)
		return 0;
	p->said = now;
	if (say_progress(p, p->before + done) == 0 && s->end == NULL)
		return 0;
	return errno == ECANCELED ? stops(p) : is_over(p,
	    "client does not read", "nobody reads the answer");
}

int
progress_step(struct progress *p, size_t done)
{
	int64_t	now = now_ticked_ms();

	if (now - p->looked < LOOK_MS)
		return 0;
	p->looked = now;
	return progress_look(p, done);
}
