/* queue/postq_show.c - the verb show: envelope, history and content of messages, from their files. */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/fmt/esmtp.h"
#include "queue/postq.h"

#define STATUS_MAX	((1u << 20) + 4096)
#define COPY_SIZE	65536u
#define UTF8_LEN	4u		/* the longest character */

static const struct {
	enum spool_place	 place;
	const char		*name;
} places[] = {
	{ SPOOL_QUEUE,		"waiting" },
	{ SPOOL_HOLD,		"held" },
	{ SPOOL_INCOMING,	"incoming" },
	{ SPOOL_DROP,		"dropped" },
	{ SPOOL_CORRUPT,	"corrupt" },
};

static int
open_message(const struct spool *s, struct id id, const char **place)
{
	size_t	i;
	int	fd = -1;

	for (i = 0; i < nitems(places) && fd == -1; i++) {
		*place = places[i].name;
		fd = spool_file(s, places[i].place, id, false);
		if (fd == -1 && errno != ENOENT)
			break;
	}
	return fd;
}

static void
put(const char *name, struct str value)
{
	if (value.n == 0)
		return;
	printf("%s ", name);
	postq_put_safe(value);
	putchar('\n');
}

static const char *
state_name(char state)
{
	static const struct {
		char		 state;
		const char	*name;
	} names[] = {
		{ RCPT_WAITING, "waiting" }, { RCPT_LATE, "late" },
		{ RCPT_DELIVERED, "delivered" }, { RCPT_FAILED, "failed" },
		{ RCPT_TOLD, "told" }, { RCPT_EXPANDED, "expanded" }
	};
	size_t	i;

	for (i = 0; i < nitems(names); i++)
		if (names[i].state == state)
			return names[i].name;
	return "unknown";
}

static void
put_rcpt(const struct envelope_rcpt *r)
{
	static const char *const	notify[] = {
		"never", "success", "failure", "delay"
	};
	size_t	i;

	printf("recipient ");
	postq_put_safe(r->addr);
	printf(" %s", state_name(r->state));
	if (r->orcpt.n > 0) {
		printf(" orcpt=");
		postq_put_safe(r->orcpt);
	}
	for (i = 0; i < nitems(notify); i++)
		if (r->notify & 1u << i)
			printf(" notify=%s", notify[i]);
	putchar('\n');
}

static void
show_envelope(const struct envelope *env, const char *place)
{
	char	when[32];
	size_t	i;

	printf("id %s\nplace %s\narrived %s\nfrom <", env->id, place,
	    postq_time(env->arrival_ms, when));
	postq_put_safe(env->sender);
	printf(">\n");
	put("origin", env->origin);
	put("client", env->client);
	put("helo", env->helo);
	put("proto", env->proto);
	put("auth", env->auth);
	put("envid", env->envid);
	if (env->options != 0)
		printf("options%s%s%s%s\n",
		    env->options & ENV_8BITMIME ? " 8BITMIME" : "",
		    env->options & ENV_SMTPUTF8 ? " SMTPUTF8" : "",
		    env->options & ENV_RET_HDRS ? " RET=HDRS" : "",
		    env->options & ENV_RET_FULL ? " RET=FULL" : "");
	printf("size %lld\n", (long long)env->content_len);
	for (i = 0; i < env->nrcpts; i++)
		put_rcpt(&env->rcpts[i]);
}

static int
show_history(const struct spool *s, struct id id)
{
	struct buf	text;
	struct str	rest, line;
	const char	*lf;
	int		r;

	buf_init(&text, STATUS_MAX);
	if ((r = spool_status_read(s, id, &text)) == 0)
		for (rest = buf_view(&text); rest.n > 0;) {
			lf = memchr(rest.p, '\n', rest.n);
			line = (struct str){ rest.p, lf == NULL ? rest.n :
			    (size_t)(lf - rest.p) };
			postq_put_line(line);
			rest.p += line.n + (lf != NULL);
			rest.n -= line.n + (lf != NULL);
		}
	buf_free(&text);
	return r;
}

/*
 * For a terminal without what could take it over; for a file as it was sent,
 * CRLF and all. How much of it was put: a character may go on in the next piece.
 */
static size_t
put_content(struct str s, bool terminal, bool last)
{
	size_t	i, n;

	if (!terminal)
		return fwrite(s.p, 1, s.n, stdout);
	for (i = 0; i < s.n && (last || s.n - i >= UTF8_LEN); i += n) {
		n = 1;
		if (s.p[i] == '\n' || s.p[i] == '\t')
			putchar(s.p[i]);
		else if ((n = log_shown(s, i)) > 0)
			fwrite(s.p + i, 1, n, stdout);
		else {
			n = 1;
			if (s.p[i] != '\r')
				putchar('?');
		}
	}
	return i;
}

static int
show_content(int fd, const struct envelope *env)
{
	char	mem[COPY_SIZE];
	off_t	at = env->content_at, end = at + env->content_len;
	ssize_t	n;
	size_t	put;
	bool	terminal = isatty(STDOUT_FILENO);

	while (at < end) {
		n = fdio_pread(fd, mem, end - at < (off_t)sizeof(mem) ?
		    (size_t)(end - at) : sizeof(mem), at);
		if (n == 0)
			errno = EBADMSG;
		if (n <= 0)
			return -1;
		put = put_content((struct str){ mem, (size_t)n }, terminal,
		    at + n == end);
		if (put == 0) {
			errno = ferror(stdout) ? EIO : EBADMSG;
			return -1;
		}
		at += (off_t)put;
	}
	return 0;
}

static int
show_parts(const struct postq *o, const struct spool *s, struct id id, int fd,
    const char *place)
{
	struct envelope	env;
	struct diag	why = { "" };
	int		r = 0;
	bool		content = o->content || (!o->envelope && !o->history);

	if (envelope_load(fd, &env, &why) == -1) {
		warnx("%s: %s", place, why.text);
		return -1;
	}
	if (o->envelope)
		show_envelope(&env, place);
	if (o->history)
		r = show_history(s, id);
	if (r == 0 && content) {
		if (o->envelope || o->history)
			putchar('\n');
		r = show_content(fd, &env);
	}
	if (r == -1)
		warn("%s", env.id);
	envelope_free(&env);
	return r;
}

static bool
show_one(const struct postq *o, const struct spool *s, const char *name)
{
	const char	*place;
	struct id	 id;
	int		 fd, r;

	if (!id_parse(str_from(name), &id)) {
		warnx("%s: that is no id of a message", name);
		return false;
	}
	if ((fd = open_message(s, id, &place)) == -1) {
		if (errno == ENOENT)
			warnx("%s: no such message", name);
		else
			warn("%s", name);
		return false;
	}
	r = show_parts(o, s, id, fd, place);
	fdio_close(&fd);
	return r == 0;
}

int
postq_show(struct postq *o, const char *verb, int argc, char *argv[])
{
	struct picked	p = { .elsewhere = true };
	struct spool	s;
	size_t		i;
	int		dir;
	bool		ok = true;

	(void)verb;
	if (o->dry || !postq_pick(o, NULL, argc, argv, &p))
		return EX_USAGE;
	if (postq_spool(o, &s, &dir, true) == -1)
		return errno == EACCES || errno == EPERM ? EX_NOPERM :
		    EX_NOINPUT;
	postq_confine(o, NULL);
	for (i = 0; i < p.n; i++) {
		if (p.n > 1)
			printf("%s== %s\n", i == 0 ? "" : "\n", p.ids[i]);
		ok = show_one(o, &s, p.ids[i]) && ok;
	}
	spool_close(&s);
	fdio_close(&dir);
	picked_free(&p);
	return ok ? EX_OK : EX_DATAERR;
}
