/*
 * auth/user_test.c - user test: does the password fit, and would auth let the
 * user in? Reads the tables that auth reads, and asks auth-pam as auth does.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "auth/source.h"
#include "auth/source_system.h"
#include "auth/user.h"
#include "auth/verify.h"
#include "common/base/fdio.h"
#include "common/base/now.h"
#include "common/fmt/saslprep.h"
#include "common/proc/msg.h"

/* Every service, if none was named. */
static const char *const services[] = { "pop3", "imap", "submission", "smtp" };

/* By the name as it is, then as an address here, as auth looks for it. */
static int
find(struct sources *s, const struct settings *st, const char *name,
    struct account *a)
{
	const char	*at = strrchr(name, '@');
	size_t		 i;
	int		 r;

	r = sources_find(s, str_from(name), NULL, a);
	for (i = 0; r == 0 && at != NULL && i <= st->domains.n; i++)
		if (strcasecmp(at + 1, i < st->domains.n ?
		    st->domains.items[i].text : st->hostname) == 0)
			return sources_find(s, (struct str){ name,
			    (size_t)(at - name) }, NULL, a);
	return r;
}

static void
print_place(const struct account *a)
{
	char	place[1200];

	/* the name of a file may be anything */
	printf("%s: %s\n", a->user.name, str_copy(place, sizeof(place),
	    a->place) == 0 ? place : "?");
	if (!a->system)
		printf("uid %u, gid %u, home %s%s%s\n", (unsigned)a->user.uid,
		    (unsigned)a->user.gid, a->user.home,
		    a->user.mailbox[0] != '\0' ? ", mail " : "",
		    a->user.mailbox);
}

/* One of his passwords, or NULL. */
static const struct secret *
which_is(const struct account *a, const char *pass)
{
	struct crypt_data	*scratch;
	const struct secret	*found = NULL;
	size_t			 i;

	if ((scratch = calloc(1, sizeof(*scratch))) == NULL)
		err(EX_OSERR, "crypt");
	for (i = 0; i < a->nsecrets && found == NULL; i++)
		if (verify_password(a->secrets[i].record, str_from(pass),
		    scratch))
			found = &a->secrets[i];
	free(scratch);
	return found;
}

/* In the two forms that auth tries. */
static const struct secret *
which_fits(const struct account *a, const char *pass)
{
	char			 form[AUTH_PASS_MAX + 1];
	const struct secret	*found = NULL;

	if (saslprep(str_from(pass), form, sizeof(form)) == 0)
		found = which_is(a, form);
	explicit_bzero(form, sizeof(form));
	return found != NULL ? found : which_is(a, pass);
}

static void
print_records(const struct account *a)
{
	struct scheme_record	 r;
	const char		*why;
	size_t			 i;

	for (i = 0; i < a->nsecrets; i++) {
		const struct secret	*s = &a->secrets[i];

		why = NULL;
		if (!scheme_split(s->record, &r))
			why = "unknown scheme";
		else
			(void)scheme_record_ok(&r, &why);
		printf("%s%.*s: %s%s\n", s->name.n > 0 ?
		    "application password " : "password", STR_ARG(s->name),
		    why == NULL ? scheme_name(r.scheme) : "none fits, ",
		    why == NULL ? " does not fit" : why);
	}
	if (a->nsecrets == 0)
		printf("no password\n");
}

/* 0 proven, or an exit status. */
static int
prove(const struct account *a, const char *pass, const struct secret **fits)
{
	struct scheme_record	r;

	*fits = NULL;
	if (a->any) {
		printf("any password fits\n");
		return 0;
	}
	if ((*fits = which_fits(a, pass)) == NULL) {
		print_records(a);
		return EX_NOPERM;
	}
	printf("%s%.*s fits, %s\n", (*fits)->name.n > 0 ?
	    "application password " : "password", STR_ARG((*fits)->name),
	    scheme_split((*fits)->record, &r) ? scheme_name(r.scheme) : "?");
	return 0;
}

static int
prove_system(const struct settings *st, struct account *a, const char *pass,
    const struct user_opts *o)
{
	static const char *const words[] = {
		[SYSTEM_WAIT] = "no answer", [SYSTEM_OK] = "password fits",
		[SYSTEM_UNKNOWN] = "unknown", [SYSTEM_WRONG] = "does not fit",
		[SYSTEM_DENIED] = "may not log in", [SYSTEM_TEMP] = "not now"
	};
	enum system_verdict	 v = SYSTEM_TEMP;
	struct buf		 rec;
	char			 why[SYSTEM_WHY_MAX] = "is posthouse running?";
	int			 fd = -1;

	buf_init(&rec, MSG_MAX);
	if (chdir(st->tables) == 0 && (fd = system_ask(a->user.name, pass,
	    *o->service == '\0' ? "pop3" : o->service, *o->client == '\0' ?
	    "127.0.0.1" : o->client)) != -1 &&
	    fdio_wait(fd, POLLIN, now_ms() + SYSTEM_MS) == 0)
		v = system_answer(fd, &rec, &a->user, why);
	fdio_close(&fd);
	buf_wipe(&rec);
	printf("%s%s%s%s\n", words[v], why[0] != '\0' ? " (" : "", why,
	    why[0] != '\0' ? ")" : "");
	if (v == SYSTEM_OK)
		printf("uid %u, gid %u, home %s\n", (unsigned)a->user.uid,
		    (unsigned)a->user.gid, a->user.home);
	return v == SYSTEM_OK ? 0 : v == SYSTEM_UNKNOWN ? EX_NOUSER :
	    v == SYSTEM_WRONG || v == SYSTEM_DENIED ? EX_NOPERM : EX_TEMPFAIL;
}

/* For one service, as auth decides when the password is proven. */
static bool
may(const struct settings *st, const struct account *a,
    const struct secret *fits, const char *service, const struct addr *client)
{
	const char	*why = NULL;

	if (fits != NULL && fits->services.n > 0 &&
	    !services_have(fits->services, service))
		why = "this application password is not for it";
	else if (geteuid() == 0 &&
	    (long long)a->user.uid < st->local.min_uid)
		why = "its number is below local.min-uid";
	else
		(void)account_may(a, service, client, &why);
	printf("%s: %s%s\n", service, why == NULL ? "yes" : "no, ",
	    why == NULL ? "" : why);
	return why == NULL;
}

static int
decide(const struct user_opts *o, const struct account *a,
    const struct secret *fits, const struct addr *client)
{
	size_t	i;
	bool	yes = false;

	if (*o->service != '\0')
		yes = may(o->settings, a, fits, o->service, client);
	else
		for (i = 0; i < nitems(services); i++)
			yes |= may(o->settings, a, fits, services[i], client);
	if (a->master)
		printf("master: may log in as others\n");
	return yes ? 0 : EX_NOPERM;
}

static int
test_account(const struct user_opts *o, struct account *a,
    const struct addr *client)
{
	const struct secret	*fits = NULL;
	char			 pass[AUTH_PASS_MAX + 1];
	int			 status;

	print_place(a);
	fflush(stdout);
	if (user_ask(o, false, pass) == -1)
		return EX_DATAERR;
	status = a->system ? prove_system(o->settings, a, pass, o) :
	    prove(a, pass, &fits);
	explicit_bzero(pass, sizeof(pass));
	/* without an address every network would do */
	if (*o->client == '\0' && a->networks.n > 0 && status == 0) {
		struct account	anywhere = *a;

		anywhere.networks = STR("");
		status = decide(o, &anywhere, fits, client);
		printf("networks: %.*s (-a tests an address)\n",
		    STR_ARG(a->networks));
		return status;
	}
	return status != 0 ? status : decide(o, a, fits, client);
}

int
user_test(struct user_opts *o)
{
	struct addr	 client = { .valid = false };
	struct sources	*s;
	struct account	 a;
	struct diag	 why;
	int		 dir, status, r;

	if (*o->client != '\0' &&
	    addr_parse(str_from(o->client), &client) == -1) {
		warnx("%s, expected an address such as 192.0.2.1", o->client);
		return EX_USAGE;
	}
	if ((dir = fdio_opendir(AT_FDCWD, o->settings->tables)) == -1) {
		warn("%s", o->settings->tables);
		return EX_NOINPUT;
	}
	if (sources_open(&s, o->settings, dir, &why) == -1) {
		warnx("%s: %s (route -c makes the tables)",
		    o->settings->tables, why.text);
		close(dir);
		return EX_NOINPUT;
	}
	account_init(&a);
	if ((r = find(s, o->settings, o->args[0], &a)) == 1)
		status = test_account(o, &a, &client);
	else {
		warnx("%s: %s", o->args[0], r == 0 ? "no such user" :
		    strerror(errno));
		status = r == 0 ? EX_NOUSER : EX_TEMPFAIL;
	}
	if (fflush(stdout) == EOF && status == 0)
		status = EX_IOERR;
	account_free(&a);
	sources_close(&s);
	close(dir);
	return status;
}
