/*
 * smtpd/main.c - smtpd(8): the listener of smtp, lmtp, or submission and
 * submissions. Run by master; becomes ph-smtp in the chroot spool/incoming and parses nothing.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "common/base/log.h"
#include "common/store/digest.h"
#include "common/store/sums.h"
#include "smtpd/smtpd.h"

static const struct sandbox_path	places[] = {
	{ ".", SANDBOX_WRITE }	/* not even what it wrote before can be read */
};

static const char *
log_name(const struct listener *l)
{
	if (strcmp(l->name, "lmtp") == 0)
		return "lmtpd";
	return strncmp(l->name, "submission", 10) == 0 ? "submission" :
	    "smtpd";
}

static const struct listen_settings *
limits(const struct listener *l)
{
	if (strcmp(l->name, "lmtp") == 0)
		return &l->settings->lmtp;
	return strncmp(l->name, "submission", 10) == 0 ?
	    &l->settings->submission.in : &l->settings->smtp.in;
}

static const char *
refusal(void *arg, const char *service, bool total)
{
	(void)arg;
	/* the client would not understand it */
	if (starttls_is_implicit(service))
		return "";
	return total ? "421 4.3.2 too many connections, try again later\r\n" :
	    "421 4.7.0 too many connections of yours, try again later\r\n";
}

static const char *
greeting(void *arg, const char *service)
{
	const struct smtpd	*d = arg;

	return starttls_is_implicit(service) ? NULL : d->greeting;
}

static void
settled(void *arg)
{
	struct smtpd	*d = arg;

	d->settings = d->listener.settings;
	greeting_make(d);
}

/* What a library makes at its first use is made before the fork, and shared by all workers. */
static void
warm_up(void)
{
	struct sums	*s = sums_new();
	char		 simple[DIGEST_HEX + 1], relaxed[DIGEST_HEX + 1];

	if (s == NULL)
		return;		/* it will be tried again where it counts */
	sums_add(s, "x\r\n", 3);
	if (sums_end(s, simple, relaxed) == -1)
		log_warn("digests why=\"no SHA-256\"");
	sums_free(&s);
}

static int
directory(const struct listener *l, char *out, size_t size, struct diag *why)
{
	return (size_t)snprintf(out, size, "%s/incoming",
	    l->settings->spool) < size ? 0 :
	    diag_set(why, "spool: name is too long");
}

/* While /sys is within reach. */
static int
prepare(void *arg, struct diag *why)
{
	struct smtpd		*d = arg;
	const struct settings	*set = d->listener.settings;
	char			 dir[PATH_MAX];

	if (directory(&d->listener, dir, sizeof(dir), why) == -1)
		return -1;
	d->lmtp = strcmp(d->listener.name, "lmtp") == 0;
	d->submission = strncmp(d->listener.name, "submission", 10) == 0;
	d->how = durable_for_path(dir, strcmp(set->durability, "strict") == 0);
	warm_up();
	if (!d->lmtp && (d->allowance = allowance_new()) == NULL)
		return diag_errno(why, "counts of users");
	return 0;
}

static int
inside(void *arg, struct diag *why)
{
	struct smtpd	*d = arg;

	return spool_in_open(&d->spool, AT_FDCWD, d->how) == 0 ? 0 :
	    diag_errno(why, "spool/incoming");
}

int
main(int argc, char *argv[])
{
	static const struct listener_plan	plan = {
		.program = "smtpd", .user = "ph-smtp",
		.worker = SANDBOX_SMTPD, .places = places,
		.nplaces = nitems(places), .worker_places = places,
		.nworker_places = nitems(places),
		.keys = "sock/keys", .log_name = log_name,
		.limits = limits, .directory = directory, .prepare = prepare,
		.inside = inside, .settled = settled, .refusal = refusal,
		.greeting = greeting, .session = session_run
	};
	struct smtpd	d = { .route = { "sock/route", -1 },
			    .queue = { "sock/queue", -1 } };

	(void)argv;
	buf_init(&d.question, MSG_MAX);
	buf_init(&d.answer, MSG_MAX);
	return listener_main(&d.listener, &plan, &d, argc);
}
