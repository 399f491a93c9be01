/*
 * tests/fuzz/fuzz_dsn.c - any words in a report: its lines, parts and fields stay what they are.
 * The first byte chooses the form; then fields that end with 0xff, nine of them for each recipient.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/fmt/cur.h"
#include "common/fmt/dsn.h"
#include "common/fmt/utf8.h"

#define RCPTS	3u
#define LINE	998u
#define ID	"cr8b3w9p21zcbtxdy19s"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const char *const actions[] = { "failed", "delayed", "delivered",
	"relayed", "expanded" };

static struct str
field(struct str *in)
{
	const char	*end = in->n == 0 ? NULL : memchr(in->p, 0xff, in->n);
	struct str	 s = { in->p, end == NULL ? in->n :
			    (size_t)(end - in->p) };

	in->p += s.n + (end != NULL);
	in->n -= s.n + (end != NULL);
	return s;
}

static void
recipient(struct str *in, struct dsn_rcpt *r)
{
	struct str	which;

	r->addr = field(in);
	r->orcpt = field(in);
	which = field(in);
	r->action = actions[which.n == 0 ? 0 : (unsigned char)which.p[0] % 5u];
	r->status = field(in);
	r->remote = field(in);
	r->diagnostic = field(in);
	r->history = field(in);
	r->last_s = (int64_t)field(in).n * 86400;
	r->until_s = (int64_t)field(in).n * 3600;
}

static bool
starts(struct str s, const char *with)
{
	size_t	n = strlen(with);

	return s.n >= n && memcmp(s.p, with, n) == 0;
}

/* Nothing that ends a line, within the bounds of one, and UTF-8 only where it may be. */
static void
check_line(struct str line, bool utf8)
{
	unsigned char	c;
	size_t		i, n;

	if (line.n > LINE)
		abort();
	for (i = 0; i < line.n; i += n) {
		c = (unsigned char)line.p[i];
		n = utf8_length((struct str){ line.p + i, line.n - i });
		if ((c < ' ' && (c != '\t' || i > 0)) || c == 127 ||
		    (c > 127 && (!utf8 || n == 0)))
			abort();
		n += n == 0;
	}
}

/* The one that this recipient has, or the one of the kind. */
static bool
is_status(const struct dsn *d, const struct dsn_rcpt *r, struct str line)
{
	static const char *const	kinds[] = {
		[DSN_FAILURE] = "5.0.0", [DSN_DELAY] = "4.0.0",
		[DSN_SUCCESS] = "2.0.0"
	};
	struct str			given = { line.p + 8, line.n - 8 };
	size_t				i, dots = 0;

	for (i = 0; i < given.n; i++)
		if (given.p[i] == '.')
			dots++;
		else if (given.p[i] < '0' || given.p[i] > '9')
			abort();
	if (dots != 2 || given.n < 5 || given.n > 9)
		abort();
	return str_eq(given, r->status) ||
	    str_eq(given, str_from(kinds[d->kind]));
}

static void
check(const struct dsn *d, const struct dsn_rcpt *r, size_t n, struct str text)
{
	size_t		seen_actions = 0, seen_status = 0, parts = 0;
	bool		closed = false;
	struct str	line;
	const char	*lf;

	while (text.n > 0) {
		lf = memchr(text.p, '\n', text.n);
		if (lf == NULL || lf == text.p || lf[-1] != '\r')
			abort();
		line = (struct str){ text.p, (size_t)(lf - 1 - text.p) };
		text.p += line.n + 2;
		text.n -= line.n + 2;
		check_line(line, d->utf8 || parts == 1);
		if (closed)
			abort();
		if (starts(line, "--=_" ID)) {
			parts++;
			closed = str_eq(line, STR("--=_" ID "--"));
			if (!closed && !str_eq(line, STR("--=_" ID)))
				abort();
		} else if (starts(line, "Action:")) {
			if (seen_actions == n || !starts(line, "Action: ") ||
			    !str_eq((struct str){ line.p + 8, line.n - 8 },
			    str_from(r[seen_actions].action)))
				abort();
			seen_actions++;
		} else if (starts(line, "Status: ")) {
			if (seen_status == n || !is_status(d, &r[seen_status], line))
				abort();
			seen_status++;
		}
	}
	if (parts != 4 || !closed || seen_actions != n || seen_status != n)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str	in = { (const char *)data + 1, size - 1 };
	struct dsn_rcpt	r[RCPTS] = { 0 };
	struct dsn	d = { .hostname = "mx.example.test", .id = ID,
			    .about = "cr8b3w9p21zcbtxdy000",
			    .now_s = 1795550254, .arrival_s = 1795550000 };
	struct buf	text;
	size_t		i, n;

	if (size == 0)
		return 0;
	d.kind = (enum dsn_kind)(data[0] % 3);
	d.utf8 = (data[0] & 0x80) != 0;
	d.full = (data[0] & 0x40) != 0;
	d.eightbit = (data[0] & 0x20) != 0;
	n = (data[0] >> 3) % RCPTS + 1u;
	d.to = field(&in);
	d.envid = field(&in);
	d.subject = field(&in);
	for (i = 0; i < n; i++)
		recipient(&in, &r[i]);
	buf_init(&text, 1u << 24);
	if (dsn_begin(&text, &d, r, n) == -1 || dsn_end(&text, &d) == -1)
		abort();
	check(&d, r, n, buf_view(&text));
	buf_free(&text);
	return 0;
}
