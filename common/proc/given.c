/* common/proc/given.c - a session's side of its start, see proto_auth.h. */
#include "common/proc/given.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/fmt/record.h"
#include "common/proc/child.h"
#include "common/proc/msg.h"
#include "common/proc/priv.h"
#include "common/proc/sig.h"

static int
read_record(int fd, struct given *g)
{
	struct str	rec;

	buf_init(&g->record, MSG_MAX);
	if (fdio_slurp(fd, &g->record) == -1)
		return -1;
	rec = buf_view(&g->record);
	if (!record_gets(rec, AUTH_USER, g->user, sizeof(g->user)) ||
	    !record_gets(rec, AUTH_MAILBOX, g->mailbox, sizeof(g->mailbox)) ||
	    !record_gets(rec, AUTH_CLIENT, g->client, sizeof(g->client)) ||
	    !record_gets(rec, AUTH_LOCAL, g->local, sizeof(g->local)) ||
	    !record_gets(rec, AUTH_TLS, g->tls, sizeof(g->tls)) ||
	    !record_gets(rec, AUTH_NOTE, g->note, sizeof(g->note))) {
		errno = EPROTO;
		return -1;
	}
	if (!record_gets(rec, AUTH_BY, g->by, sizeof(g->by)))
		g->by[0] = '\0';
	if (!record_getu(rec, AUTH_QUOTA, UINT64_MAX, &g->quota))
		g->quota = 0;
	if (!record_get(rec, AUTH_PENDING, &g->pending))
		g->pending = STR("");
	return 0;
}

int
given_take(const char *name, int argc, struct given *g)
{
	struct child_fd	fds[CHILD_FDS];
	struct diag	why;
	int		n, record;

	memset(g, 0, sizeof(*g));
	if (argc != 1 || fcntl(FD_CONF, F_GET_SEALS) == -1) {
		fprintf(stderr, "%s is started by posthouse(8)\n", name);
		return EX_USAGE;
	}
	log_open(FD_LOG, name);
	if (settings_load_fd(FD_CONF, &g->settings, &why) == -1)
		errx(EX_CONFIG, "%s", why.text);
	log_set_level(settings_log_level(g->settings));
	n = child_fds(fds);
	g->connection = n < 1 ? -1 :
	    child_fd_find(fds, (size_t)n, "client", 0);
	record = n < 1 ? -1 : child_fd_find(fds, (size_t)n, "login", 0);
	g->filter = n < 1 ? -1 : child_fd_find(fds, (size_t)n, "filter", 0);
	if (g->connection == -1 || record == -1 ||
	    read_record(record, g) == -1) {
		log_error("start why=\"no login from the master\"");
		return EX_PROTOCOL;
	}
	fdio_close(&record);
	if (fdio_nonblock(g->connection, 1) == -1 ||
	    sig_init(SIG_EV_TERM) == -1) {
		log_error("start why=\"%s\"", strerror(errno));
		return EX_OSERR;
	}
	return 0;
}

int
given_enter(struct given *g, const struct sandbox_path *places, size_t n,
    struct diag *why)
{
	if (priv_harden(true) == -1)
		return diag_errno(why, "harden");
	if (sandbox_enter_given(auth_note_is_back(g->note) ?
	    SANDBOX_SESSION_BACK : SANDBOX_SESSION, g->filter, places, n,
	    why) == -1)
		return -1;
	fdio_close(&g->filter);
	return 0;
}

void
given_end(struct given *g)
{
	buf_wipe(&g->record);
	settings_free(&g->settings);
}
