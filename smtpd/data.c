/*
 * smtpd/data.c - DATA (RFC 5321 4.1.1.4) and BDAT (RFC 3030): content from
 * the connection into a reception, and what is said at its end.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/now.h"
#include "common/fmt/dot.h"
#include "common/fmt/record.h"
#include "common/proc/proto_queue.h"
#include "smtpd/session.h"

#define ROUTED_MAX	100u	/* recipients whose rules are logged */
#define BARE	"bare CR or LF in the message, lines end with CRLF here"
#define LONG	"a line is longer than the limit"
#define TRACE_MAX 2048

/* Its file is there already if the client was quiet after RCPT. */
static int
open_draft(struct session *s, const struct timespec *now)
{
	char	id[ID_SIZE];

	if (s->rx.open)
		return 0;
	rx_init(&s->rx, (unsigned long long)s->set->smtp.message_size,
	    s->set->smtp.hops);
	id_format(id_make(now), id);
	return rx_open(&s->rx, &s->d->spool, id);
}

/* What was said goes out before something else is done; if the client is slow, later. */
static void
hurry(struct session *s)
{
	if (conn_flush(&s->conn, 0) == -1)
		log_debug("reply not sent yet client=%s", s->client);
}

void
data_prepare(struct session *s)
{
	struct timespec	ts = now_real();

	if (s->tx.nrcpts != 1 || conn_pending(&s->conn).n > 0)
		return;
	hurry(s);
	/* What fails here fails again with DATA, where it can be said. */
	if (open_draft(s, &ts) == -1)
		log_debug("draft not made yet client=%s", s->client);
}

/* RFC 6409 8 */
static void
complete(struct session *s, int64_t at_ms)
{
	const struct setting_list *domains = &s->set->domains;
	struct submission_set	set = {
		.from = s->tx.sender, .date = STR(""),
		.id = str_from(s->rx.draft.id),
		.host = str_from(s->set->hostname),
		.domain = str_from(domains->n > 0 ? domains->items[0].text :
		    s->set->hostname)
	};

	trace_date(at_ms, s->tx.date);
	set.date = str_from(s->tx.date);
	rx_complete(&s->rx, &set);
}

/* False: the reception has the reply. */
static bool
begin(struct session *s)
{
	struct timespec	ts = now_real();
	char		protocol[PROTOCOL_SIZE];
	struct envelope	env = {
		.arrival_ms = (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000,
		.origin = str_from(s->d->lmtp ? "lmtp" : "smtp"),
		.client = str_from(s->client), .helo = str_from(s->helo),
		.proto = str_from(trace_protocol(s, protocol)),
		.sender = s->tx.sender, .auth = str_from(s->user),
		.envid = s->tx.envid,
		.options = s->tx.options, .rcpts = s->tx.rcpts,
		.nrcpts = s->tx.nrcpts
	};
	struct buf	trace;
	int		r = -1;

	s->fat = true;
	s->content_by = now_ms() + s->set->smtp.data_timeout;
	if (open_draft(s, &ts) == -1)
		return false;
	memcpy(env.id, s->rx.draft.id, ID_SIZE);
	buf_init(&trace, TRACE_MAX);
	trace_make(s, env.id, env.arrival_ms, &trace);
	if (buf_ok(&trace))
		r = rx_begin(&s->rx, &s->d->spool, &env, buf_view(&trace));
	else
		rx_fault(&s->rx, 451, "4.3.0", "local error in processing");
	buf_free(&trace);
	if (r == 0 && s->d->submission)
		complete(s, env.arrival_ms);
	return r == 0;
}

/* " user=... tls=...", what there is of it. */
static const char *
who(const struct session *s, char *out, size_t size)
{
	char	user[LOG_SAFE_MAX], tls[LOG_SAFE_MAX];

	log_safe(user, sizeof(user), str_from(s->user));
	log_safe(tls, sizeof(tls), str_from(s->tls));
	snprintf(out, size, "%s%s%s%s", s->user[0] != '\0' ? " user=" : "",
	    s->user[0] != '\0' ? user : "", s->tls[0] != '\0' ? " tls=" : "",
	    s->tls[0] != '\0' ? tls : "");
	return out;
}

static void
log_accepted(const struct session *s)
{
	char	from[LOG_SAFE_MAX], to[LOG_SAFE_MAX], why[LOG_SAFE_MAX];
	char	protocol[PROTOCOL_SIZE], login[2 * LOG_SAFE_MAX + 16];
	size_t	i;

	log_info("accepted id=%s from=%s to=%s nrcpts=%zu size=%llu client=%s "
	    "helo=%s proto=%s%s why=%s", s->rx.draft.id,
	    log_safe(from, sizeof(from), s->tx.sender),
	    log_safe(to, sizeof(to), s->tx.rcpts[0].addr), s->tx.nrcpts,
	    s->rx.size, s->client, s->helo, trace_protocol(s, protocol),
	    who(s, login, sizeof(login)),
	    log_safe(why, sizeof(why), s->tx.why[0]));
	for (i = 1; i < s->tx.nrcpts && i < ROUTED_MAX; i++)
		log_info("routed id=%s to=%s why=%s", s->rx.draft.id,
		    log_safe(to, sizeof(to), s->tx.rcpts[i].addr),
		    log_safe(why, sizeof(why), s->tx.why[i]));
}

static void
log_refused(const struct session *s)
{
	char	from[LOG_SAFE_MAX], to[LOG_SAFE_MAX];

	log_info("refused code=%u status=%s from=%s to=%s size=%llu client=%s "
	    "helo=%s why=\"%s\"", s->rx.code, s->rx.status,
	    log_safe(from, sizeof(from), s->tx.sender),
	    log_safe(to, sizeof(to), s->tx.rcpts[0].addr), s->rx.size,
	    s->client, s->helo, s->rx.text);
}

/* A hint: queue finds the file anyway. */
static void
poke(struct session *s)
{
	struct buf	*q = &s->d->question;

	buf_reset(q);
	record_puts(q, QUEUE_VERB, "new");
	record_puts(q, QUEUE_ID, s->rx.draft.id);
	if (buf_ok(q) && msg_client_hint(&s->d->queue, q) == -1)
		log_debug("poke id=%s why=\"%s\"", s->rx.draft.id,
		    strerror(errno));
}

/*
 * The end of the message. One reply, or with LMTP one for each recipient if
 * this was its last piece (RFC 2033 4.2); to the count of the client's
 * mistakes it is one in any case.
 */
static enum state
finish(struct session *s, bool last)
{
	size_t		i, n = s->d->lmtp && last ? s->tx.nrcpts : 1;
	bool		ok = rx_commit(&s->rx, &s->d->spool) == 0;
	long long	errors = s->errors + (!ok && s->rx.code >= 500);

	if (!ok)
		log_refused(s);
	for (i = 0; i < n; i++)
		if (ok)
			reply(s, 250, "2.0.0", "accepted id=%s",
			    s->rx.draft.id);
		else
			reply(s, s->rx.code, s->rx.status, "%s", s->rx.text);
	s->errors = errors;
	if (ok) {
		hurry(s);
		s->messages++;
		memset(s->tx.taken, 0, sizeof(s->tx.taken));
		log_accepted(s);
		poke(s);
	}
	return S_IDLE;
}

/* The client stopped in the middle: nothing was promised. */
static enum state
broken_off(struct session *s, int why)
{
	log_info("broken-off id=%s size=%llu client=%s why=\"%s\"",
	    s->rx.draft.id, s->rx.size, s->client,
	    why == 0 ? "end of file" : strerror(why));
	if (why == ECANCELED)
		return reply_closing(s, "4.3.2", "shutting down");
	if (why == ETIMEDOUT)
		return reply_closing(s, "4.4.2", "timeout");
	return S_END;
}

/* 1, 0 at end of file (errno 0), or -1. */
static int
more(struct session *s)
{
	int	r = conn_fill(&s->conn, s->set->smtp.data_timeout);

	if (r == 0)
		errno = 0;
	return r;
}

static void
check_lines(struct session *s, bool bare, size_t longest)
{
	if (bare)
		rx_fault(&s->rx, 550, "5.5.2", BARE);
	else if (longest > (size_t)s->set->smtp.line_length)
		rx_fault(&s->rx, 554, "5.6.0", LONG);
}

enum state
cmd_data(struct session *s, struct cur *in)
{
	struct dot_in	dot;
	struct str	piece;
	size_t		used;
	bool		end = false;

	if (!cur_done(in)) {
		reply(s, 501, "5.5.4", "DATA has no arguments");
		return s->state;
	}
	if (!begin(s)) {
		reply(s, s->rx.code, s->rx.status, "%s", s->rx.text);
		return S_IDLE;
	}
	reply(s, 354, "", "go ahead, end with <CRLF>.<CRLF>");
	session_until(s, s->content_by);
	dot_in_init(&dot);
	while (!end) {
		if (conn_pending(&s->conn).n == 0 && more(s) != 1)
			return broken_off(s, errno);
		end = dot_in_next(&dot, conn_pending(&s->conn), &piece, &used);
		rx_add(&s->rx, piece);
		check_lines(s, dot.bare_cr || dot.bare_lf, dot.longest);
		conn_consume(&s->conn, used);
	}
	return finish(s, true);
}

/* 0, or -1 when the connection failed. With keep false the bytes go nowhere. */
static int
read_chunk(struct session *s, unsigned long long left, bool keep)
{
	struct str	piece;

	while (left > 0) {
		if (conn_pending(&s->conn).n == 0 && more(s) != 1)
			return -1;
		piece = conn_pending(&s->conn);
		if (piece.n > left)
			piece.n = (size_t)left;
		if (keep) {
			rx_scan_lines(&s->rx, piece);
			rx_add(&s->rx, piece);
			check_lines(s, s->rx.bare, s->rx.longest);
		}
		left -= piece.n;
		conn_consume(&s->conn, piece.n);
	}
	return 0;
}

/* The bytes come whatever we think of the command; they are never commands. */
static enum state
refuse_chunk(struct session *s, unsigned long long size)
{
	s->content_by = now_ms() + s->set->smtp.data_timeout;
	session_until(s, s->content_by);
	rx_init(&s->rx, 0, 0);
	if (read_chunk(s, size, false) == -1)
		return broken_off(s, errno);
	if (s->state != S_MAIL) {
		reply(s, 503, "5.5.1", "bad sequence of commands");
		return s->state;
	}
	reply(s, s->d->lmtp ? 503 : 554, "5.5.1", "no valid recipients");
	return S_IDLE;
}

/* A last line without an end gets one, so that every message in the spool ends with CRLF. */
static void
end_chunks(struct session *s)
{
	if (s->rx.cr)
		rx_fault(&s->rx, 550, "5.5.2", BARE);
	else if (s->rx.line > 0)
		rx_add(&s->rx, STR("\r\n"));
}

enum state
cmd_bdat(struct session *s, struct cur *in)
{
	struct bdat_args	chunk;
	bool			keep = true;

	if (!args_bdat(in, &chunk)) {
		/* Without its length the chunk cannot be told from commands. */
		reply(s, 501, "5.5.4", "expected BDAT size [LAST], closing");
		return S_END;
	}
	if (s->state != S_RCPT && s->state != S_BDAT)
		return refuse_chunk(s, chunk.size);
	if (s->state == S_RCPT)
		keep = begin(s);
	session_until(s, s->content_by);
	if (read_chunk(s, chunk.size, keep) == -1)
		return broken_off(s, errno);
	if (chunk.last && s->rx.code == 0)
		end_chunks(s);
	if (chunk.last || s->rx.code != 0)
		return finish(s, chunk.last);
	reply(s, 250, "2.0.0", "%llu octets received", chunk.size);
	return S_BDAT;
}
