/*
 * tests/fuzz/fuzz_reply.c - a server's replies, offer and SCRAM messages: bounded, clean, and never more than was
 * said.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/fmt/base64.h"
#include "common/fmt/ehlo.h"
#include "common/fmt/reply.h"
#include "common/store/digest.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
need(bool truth)
{
	if (!truth)
		abort();
}

static void
check(const struct reply *r)
{
	size_t	i;
	char	status[12];

	need(r->n <= REPLY_TEXT && r->text[r->n] == '\0' &&
	    r->lines <= REPLY_LINES);
	for (i = 0; i < r->n; i++)
		need(r->text[i] >= ' ' && r->text[i] < 127);
	need(r->lines == 0 || (r->code >= 200 && r->code < 600));
	reply_status(r, status);
	need(memchr(status, '\0', sizeof(status)) != NULL);
	need(r->lines == 0 || status[0] == (char)('0' + r->code / 100));
}

static void
run_scram(struct str in)
{
	struct scram	s;
	struct buf	out, coded;

	buf_init(&out, 65536);
	buf_init(&coded, 4u << 20);
	if (base64_decode(&out, in) == 0) {
		need(base64_encode(&coded, buf_view(&out)) == 0);
		need(str_eq(buf_view(&coded), in));
	}
	buf_reset(&out);
	/* iterations are the caller's time: only short ones here */
	need(scram_begin(&s, &digest_scram_sha1, STR("user"), STR("n"),
	    &out) == 0);
	buf_reset(&out);
	if (scram_answer(&s, in, STR("secret"), &out) == 0)
		need(out.n > 10 && memcmp(out.p, "c=biws,r=n", 10) == 0);
	(void)scram_proven(&s, in);
	scram_free(&s);
	buf_free(&out);
	buf_free(&coded);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str	in = { (const char *)data, size }, line, rest, name;
	struct reply	r;
	struct ehlo	e = { .pipelining = false };
	const char	*lf;
	enum reply_step	step;

	if (size == 0)
		return 0;
	run_scram(in);
	reply_init(&r);
	while (in.n > 0) {
		lf = memchr(in.p, '\n', in.n);
		line = (struct str){ in.p, lf == NULL ? in.n :
		    (size_t)(lf - in.p) };
		step = reply_take(&r, line, &rest);
		need(rest.p >= line.p && rest.p + rest.n <= line.p + line.n);
		check(&r);
		if (step == REPLY_BAD)
			break;
		ehlo_line(&e, rest);
		if (ehlo_name(rest, &name))
			need(name.n > 0);
		need(e.size_max <= INT64_MAX && e.rcpt_max < 1000000);
		if (step == REPLY_END)
			reply_init(&r);
		in.p += line.n + (lf != NULL);
		in.n -= line.n + (lf != NULL);
	}
	return 0;
}
