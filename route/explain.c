/*
 * route/explain.c - route -v: the road of an address, step by step, from the
 * tables as they are compiled now. Run by anybody.
 */
#include "route/explain.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/now.h"
#include "common/fmt/path.h"
#include "common/fmt/record.h"
#include "route/own.h"
#include "route/tables.h"
#include "route/value.h"

static void
print_steps(const struct decision *d)
{
	struct cur	c = cur_from(buf_view(&d->why));
	struct field	f;

	while (record_next(&c, &f))
		printf("    %.*s\n", STR_ARG(f.value));
}

/* A member that means nobody is a user for the queue, which tells the sender. */
static void
print_user(const struct engine *e, const struct final *r)
{
	if (seen_has(&e->unknown, r->addr)) {
		printf("-> nobody, which the sender is told (%.*s)\n",
		    STR_ARG(r->addr));
		return;
	}
	printf("-> user %.*s", STR_ARG(r->user));
	if (r->ext.n > 0)
		printf(", sub-address %.*s", STR_ARG(r->ext));
	printf(" (%.*s)\n", STR_ARG(r->addr));
}

static void
print_finals(const struct engine *e, const struct decision *d)
{
	struct cur	c = cur_from(buf_view(&d->finals));
	struct field	f;
	struct final	r;

	while (record_next(&c, &f) && final_decode(f.value, &r)) {
		switch (r.kind) {
		case FINAL_USER:
			print_user(e, &r);
			break;
		case FINAL_PIPE:
			printf("-> pipe %.*s, as %.*s\n", STR_ARG(r.arg),
			    STR_ARG(r.user));
			break;
		case FINAL_FILE:
			printf("-> file %.*s, as %.*s\n", STR_ARG(r.arg),
			    STR_ARG(r.user));
			break;
		case FINAL_REMOTE:
			printf("-> remote %.*s\n", STR_ARG(r.arg));
			break;
		}
	}
}

/* hop and not we: it alone may talk to DNS. */
static void
print_hop(const char *conf, const struct settings *st, const char *domain)
{
	char	path[1100], name[] = "hop", v[] = "-v", f[] = "-f";
	char	*file = strdup(conf), *last = strdup(domain);
	char	*argv[] = { name, v, f, file, last, NULL };
	pid_t	pid = -1;
	int	status;

	snprintf(path, sizeof(path), "%s/hop", st->libexec);
	if (file != NULL && last != NULL && fflush(stdout) == 0 &&
	    (pid = fork()) == 0) {
		execv(path, argv);
		err(EX_OSERR, "%s", path);
	}
	if (pid == -1)
		warn("%s", path);
	else if (waitpid(pid, &status, 0) == -1)
		warn("wait for hop");
	free(file);
	free(last);
}

/* For the domain of each recipient on another host, once. */
static void
print_hops(const char *conf, const struct settings *st,
    const struct decision *d)
{
	struct cur	c = cur_from(buf_view(&d->finals));
	struct field	f;
	struct final	r;
	struct seen	done;
	char		domain[DOMAIN_MAX + 1];
	size_t		at;

	seen_init(&done);
	while (record_next(&c, &f) && final_decode(f.value, &r)) {
		if (r.kind != FINAL_REMOTE)
			continue;
		for (at = r.arg.n; at > 0 && r.arg.p[at - 1] != '@'; at--)
			;
		if (str_copy(domain, sizeof(domain), (struct str){
		    r.arg.p + at, r.arg.n - at }) == 0 &&
		    seen_add(&done, str_from(domain)) == 1)
			print_hop(conf, st, domain);
	}
	seen_free(&done);
}

static int
exit_status(const struct decision *d)
{
	if (d->code < 400)
		return EX_OK;
	if (d->code < 500)
		return EX_TEMPFAIL;
	if (strcmp(d->status, "5.1.1") == 0)
		return EX_NOUSER;
	if (strcmp(d->status, "5.7.1") == 0)
		return EX_NOPERM;
	if (strcmp(d->status, "5.1.3") == 0)
		return EX_DATAERR;
	return EX_UNAVAILABLE;
}

static int
decide(const char *conf, const struct settings *st, struct tables *tables,
    const struct engine_ask *ask)
{
	struct engine_tables	 look = tables_engine(tables);
	struct own		 own;
	struct site		 site;
	struct engine		 e;
	struct decision		 d;
	int			 status;

	own_open(&own, now_ms());
	status = site_init(&site, st, own.addrs, own.n);
	own_close(&own);
	if (status == -1) {
		warn("settings");
		return EX_OSERR;
	}
	engine_init(&e);
	decision_init(&d);
	engine_decide(&e, &site, &look, ask, &d);
	print_steps(&d);
	print_finals(&e, &d);
	print_hops(conf, st, &d);
	printf("%u %s %s\n", d.code, d.status, d.text);
	status = exit_status(&d);
	decision_free(&d);
	engine_free(&e);
	site_free(&site);
	return fflush(stdout) == 0 ? status : EX_IOERR;
}

static void
note_if_newer(const char *file, const struct stat *table)
{
	struct stat	st;

	if (stat(file, &st) == 0 &&
	    (st.st_mtim.tv_sec > table->st_mtim.tv_sec ||
	    (st.st_mtim.tv_sec == table->st_mtim.tv_sec &&
	    st.st_mtim.tv_nsec > table->st_mtim.tv_nsec)))
		warnx("%s has changed since the tables were made; newaliases "
		    "or \"posthouse reload\" makes them anew", file);
}

/* Whoever has just edited a file wonders why nothing is different. */
static void
note_newer(const struct settings *st, int dir)
{
	struct stat	table;
	size_t		i;

	if (fstatat(dir, ALIASES_TABLE, &table, 0) == -1)
		return;
	for (i = 0; i < st->aliases.n; i++)
		note_if_newer(st->aliases.items[i].text, &table);
	for (i = 0; i < st->virtuals.n; i++)
		note_if_newer(st->virtuals.items[i].text, &table);
	for (i = 0; i < st->senders.n; i++)
		note_if_newer(st->senders.items[i].text, &table);
	for (i = 0; i < st->users.n; i++)
		if (st->users.items[i].more != NULL)
			note_if_newer(st->users.items[i].more, &table);
}

static int
explain(const char *conf, const struct settings *st,
    const struct engine_ask *ask)
{
	struct tables	*tables;
	struct diag	 why;
	int		 dir, status;

	if ((dir = fdio_opendir(AT_FDCWD, st->tables)) == -1) {
		warn("%s", st->tables);
		return EX_NOINPUT;
	}
	if (tables_open(&tables, st, dir, &why) == -1) {
		warnx("%s: %s (route -c makes the tables)", st->tables,
		    why.text);
		fdio_close(&dir);
		return EX_NOINPUT;
	}
	note_newer(st, dir);
	status = decide(conf, st, tables, ask);
	tables_close(&tables);
	fdio_close(&dir);
	return status;
}

static bool
parse_sender(const char *text, struct buf *out)
{
	struct cur	c = cur_from(str_from(text));
	struct path	p;

	if (*text == '\0')
		return true;
	return path_reverse(&c, PATH_UTF8 | PATH_LENIENT, &p) &&
	    cur_done(&c) && (p.local.n == 0 || path_format(&p, out) == 0);
}

int
explain_run(const char *conf, const struct settings *st,
    const struct explain *x)
{
	struct engine_ask	ask = {
		.verb = x->address == NULL ? ENGINE_SENDER : ENGINE_RCPT,
		.auth = str_from(x->user), .rcpt = str_from(x->address),
		.has_client = x->client != NULL
	};
	struct buf		sender;
	int			status;

	if (x->client != NULL && addr_parse(str_from(x->client),
	    &ask.client) == -1) {
		warnx("%s: expected an IP address", x->client);
		return EX_USAGE;
	}
	buf_init(&sender, ADDR_MAX);
	if (x->sender != NULL && !parse_sender(x->sender, &sender)) {
		warnx("%s: expected an address or <>", x->sender);
		status = EX_USAGE;
	} else {
		ask.sender = buf_view(&sender);
		status = explain(conf, st, &ask);
	}
	buf_free(&sender);
	return status;
}
