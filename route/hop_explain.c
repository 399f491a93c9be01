/*
 * route/hop_explain.c - hop -v: the next hop of a domain, for route -v. Run
 * by anybody; whoever may ask the running daemon gets its answer.
 */
#include <err.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "common/base/fdio.h"
#include "common/fmt/record.h"
#include "common/proc/msg.h"
#include "route/hop_answer.h"
#include "route/hop_engine.h"
#include "route/hop_server.h"

#define PATIENCE_MS	10000	/* longer than dns.timeout */

struct run {
	struct event_base	*base;
	struct hop_ask		 ask;
	struct buf		 answer;
	bool			 built;
};

static void
print_target(struct str t)
{
	struct str	host, addr, port, pref;

	if (!record_get(t, TARGET_ADDR, &addr))
		return;
	printf("-> ");
	if (record_get(t, TARGET_HOST, &host))
		printf("%.*s ", STR_ARG(host));
	if (record_get(t, TARGET_PORT, &port))
		printf("[%.*s]:%.*s", STR_ARG(addr), STR_ARG(port));
	else
		printf("%.*s", STR_ARG(addr));
	if (record_get(t, TARGET_PREF, &pref))
		printf(", preference %.*s", STR_ARG(pref));
	printf("\n");
}

/* Everything but lists, on one line. */
static void
print_destination(struct str rec)
{
	static const struct {
		char		 tag;
		const char	*what;
	} parts[] = {
		{ HOP_KEY, "    destination" }, { HOP_PROTOCOL, ", by" },
		{ HOP_TLS, ", TLS" }, { HOP_CONNECTIONS, ", connections" },
		{ HOP_RATE, ", a minute" }, { HOP_EXPIRES, ", for seconds" }
	};
	struct str	value;
	size_t		i;

	for (i = 0; i < nitems(parts); i++)
		if (record_get(rec, parts[i].tag, &value))
			printf("%s %.*s", parts[i].what, STR_ARG(value));
	printf("\n");
}

static int
print(struct str rec)
{
	struct cur	c = cur_from(rec);
	struct field	f;
	struct str	code = STR(""), status = STR(""), text = STR("");

	while (record_next(&c, &f)) {
		if (f.tag == HOP_CODE)
			code = f.value;
		else if (f.tag == HOP_STATUS)
			status = f.value;
		else if (f.tag == HOP_TEXT)
			text = f.value;
		else if (f.tag == HOP_WHY)
			printf("    %.*s\n", STR_ARG(f.value));
	}
	if (str_eq(code, STR("250")))
		print_destination(rec);
	c = cur_from(rec);
	while (record_next(&c, &f))
		if (f.tag == HOP_TARGET)
			print_target(f.value);
		else if (f.tag == HOP_SOURCE)
			printf("    from %.*s\n", STR_ARG(f.value));
	printf("%.*s %.*s %.*s\n", STR_ARG(code), STR_ARG(status),
	    STR_ARG(text));
	if (fflush(stdout) != 0)
		return EX_IOERR;
	if (str_eq(code, STR("250")))
		return EX_OK;
	return str_eq(code, STR("450")) ? EX_TEMPFAIL : EX_UNAVAILABLE;
}

/* False: nobody is there, or not for us. */
static bool
ask_running(const struct settings *st, const struct hop_ask *ask,
    struct buf *answer)
{
	char		path[1100];
	struct buf	rec;
	int		fd, r = -1;

	snprintf(path, sizeof(path), "%s/sock/hop", st->spool);
	if ((fd = msg_connect(path)) == -1)
		return false;
	buf_init(&rec, MSG_MAX);
	record_puts(&rec, HOP_VERB, "hop");
	record_putu(&rec, HOP_NUMBER, ask->number);
	record_put(&rec, HOP_DOMAIN, ask->domain);
	if (buf_ok(&rec))
		r = msg_call(fd, &rec, NULL, answer, NULL,
		    st->dns.timeout + PATIENCE_MS);
	buf_free(&rec);
	fdio_close(&fd);
	return r == 0 && record_ok(buf_view(answer));
}

static void
answered(void *arg, const struct hop_choice *c)
{
	struct run	*run = arg;

	run->built = hop_answer_build(&run->answer, &run->ask, c);
	event_base_loopbreak(run->base);
}

/* -1: said on stderr. */
static int
ask_engine(const struct settings *st, struct run *run)
{
	struct hop_engine	*e;
	struct diag		 why;

	if ((run->base = event_base_new()) == NULL) {
		warnx("event loop");
		return -1;
	}
	if (hop_engine_new(&e, run->base, st, &why) == -1) {
		warnx("%s", why.text);
		event_base_free(run->base);
		return -1;
	}
	if (hop_engine_start(e) == 0 &&
	    hop_engine_ask(e, run->ask.domain, answered, run) == 0 &&
	    !run->built)
		(void)event_base_dispatch(run->base);
	hop_engine_free(&e);
	event_base_free(run->base);
	if (!run->built)
		warnx("no answer");
	return run->built ? 0 : -1;
}

int
hop_explain(const struct settings *st, const char *domain)
{
	struct run	run = { .ask = { 1, str_from(domain) } };
	int		status = EX_OSERR;

	buf_init(&run.answer, MSG_MAX);
	if (ask_running(st, &run.ask, &run.answer)) {
		printf("next hop of %s, asked of the running hop\n", domain);
		status = print(buf_view(&run.answer));
	} else if (ask_engine(st, &run) == 0) {
		printf("next hop of %s, worked out here\n", domain);
		status = print(buf_view(&run.answer));
	}
	buf_free(&run.answer);
	return status;
}
