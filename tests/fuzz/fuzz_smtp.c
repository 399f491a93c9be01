/*
 * tests/fuzz/fuzz_smtp.c - command lines through smtpd's parsers of verbs and
 * arguments; content through the check of lines and header, in one piece and
 * in many, which must not matter.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/fmt/base64.h"
#include "common/fmt/dot.h"
#include "common/fmt/esmtp.h"
#include "common/fmt/line.h"
#include "smtpd/session.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
need(bool truth)
{
	if (!truth)
		abort();
}

static bool
within(struct str part, struct str all)
{
	return part.n == 0 ||
	    (part.p >= all.p && part.p + part.n <= all.p + all.n);
}

static void
check_bad(bool ok, const struct bad *b)
{
	char	line[REPLY_SIZE];
	size_t	n;

	if (ok)
		return;
	need(b->code >= 500 && b->code < 600 && b->status[0] == '5');
	n = reply_line(line, b->code, false, b->status, b->text);
	need(n > 6 && n <= 512 && strlen(line) == n);
}

/* What is decoded is so long as its text says, and encodes to the same again. */
static void
response(struct str text, bool initial)
{
	struct buf	plain, again;

	buf_init(&plain, AUTH_RESPONSE_MAX);
	buf_init(&again, AUTH_LINE_MAX);
	if (args_auth_decode(text, initial, &plain) &&
	    !(initial && str_eq(text, STR("=")))) {
		need(base64_encode(&again, buf_view(&plain)) == 0);
		need(str_eq(buf_view(&again), text));
	}
	buf_wipe(&plain);
	buf_free(&again);
}

static void
login(struct str line, struct cur c)
{
	struct auth_args	a;

	if (args_auth(&c, &a)) {
		need(a.mechanism.n > 0 && a.mechanism.n <= AUTH_MECHANISM_MAX);
		need(within(a.mechanism, line) && within(a.initial, line));
		need(a.has_initial == (a.initial.n > 0));
		response(a.initial, true);
	}
	response(line, false);
	(void)args_auth_sender(line);
}

/* A line that the line reader let through. */
static void
command(struct str line)
{
	struct mail_args	m;
	struct rcpt_args	r;
	struct bdat_args	chunk;
	struct path		path;
	struct bad		b = { 0, "", "" };
	struct str		verb;
	struct cur		rest, c;
	char			name[HELO_MAX + 1];

	if (!args_verb(line, &verb, &rest))
		return;
	need(verb.n > 0 && verb.n <= 16 && within(verb, line));
	c = rest;
	if (args_helo(&c, name))
		need(strpbrk(name, " \t\r\n\"\\()<>=") == NULL && *name != '\0');
	c = rest;
	if (args_mail(&c, &m, &b))
		need(cur_done(&c) && within(m.envid, line) &&
		    within(m.from.local, line) && m.envid.n <= 3 * ENVID_MAX);
	else
		check_bad(false, &b);
	c = rest;
	if (args_rcpt(&c, line.n % 2 == 0, &r, &b))
		need(cur_done(&c) && r.to.local.n > 0 &&
		    within(r.orcpt, line) && r.notify < 16);
	else
		check_bad(false, &b);
	c = rest;
	if (args_bdat(&c, &chunk))
		need(cur_done(&c) && chunk.size <= INT64_MAX);
	c = rest;
	check_bad(args_vrfy(&c, &path, &b), &b);
	login(line, rest);
}

static void
commands(struct str in)
{
	struct str	line;
	size_t		used;

	while (in.n > 0) {
		switch (line_scan(in, 512, &line, &used)) {
		case LINE_MORE:
			return;
		case LINE_OK:
			command(line);
			break;
		case LINE_LONG:
		case LINE_BARE_LF:
		case LINE_BARE_CR:
		case LINE_NUL:
			break;
		}
		need(used > 0 && used <= in.n);
		in.p += used;
		in.n -= used;
	}
}

static void
chunks(struct str in, size_t step, struct reception *rx)
{
	struct str	part;
	size_t		at;

	rx_init(rx, UINT64_MAX, 3);
	for (at = 0; at < in.n; at += part.n) {
		part.p = in.p + at;
		part.n = in.n - at < step ? in.n - at : step;
		rx_scan_lines(rx, part);
		rx_scan_header(rx, part);
	}
}

/* What goes through DATA is judged as what comes in chunks. */
static void
dotted(struct str in, const struct reception *rx)
{
	struct dot_out	out;
	struct dot_in	dot;
	struct buf	wire;
	struct str	piece, left;
	size_t		used;
	bool		end = false;

	/* there the end of the message is a line of its own */
	if (in.n < 2 || memcmp(in.p + in.n - 2, "\r\n", 2) != 0)
		return;
	buf_init(&wire, 1u << 22);
	dot_out_init(&out);
	need(dot_out_add(&out, in, false, &wire) == 0 &&
	    dot_out_end(&out, &wire) == 0);
	left = buf_view(&wire);
	dot_in_init(&dot);
	while (left.n > 0 && !end) {
		end = dot_in_next(&dot, left, &piece, &used);
		left.p += used;
		left.n -= used;
	}
	need(end && left.n == 0);
	need((dot.bare_cr || dot.bare_lf) == rx->bare);
	if (!rx->bare)
		need(dot.longest == rx->longest);
	buf_free(&wire);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str		in = { (const char *)data + 1, size - 1 };
	struct reception	whole, parts;

	if (size == 0)
		return 0;
	commands(in);
	chunks(in, in.n + 1, &whole);
	chunks(in, data[0] % 7 + 1u, &parts);
	need(whole.bare == parts.bare && whole.cr == parts.cr &&
	    whole.hops == parts.hops && whole.code == parts.code &&
	    whole.in_header == parts.in_header);
	need(whole.longest == parts.longest && whole.line == parts.line);
	dotted(in, &whole);
	return 0;
}
