/*
 * master/sockets.c - binds what the programs listen on. Runs as root in
 * directories below the spool, whose other entries belong to users that may
 * have been taken over: a directory is entered without following links and
 * only if nobody but us can write to it.
 */
#include "master/master.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/net/addr.h"
#include "common/proc/msg.h"
#include "common/proc/priv.h"

/* "incoming/sock" below base, one component after the other. */
static int
open_below(const char *base, const char *dir)
{
	char		 name[64];
	size_t		 n;
	int		 fd, next;

	if ((fd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		return -1;
	while (*dir != '\0') {
		n = strcspn(dir, "/");
		if (str_copy(name, sizeof(name), (struct str){ dir, n }) == -1)
			next = -1;
		else
			next = fdio_opendir(fd, name);
		fdio_close(&fd);
		if (next == -1)
			return -1;
		fd = next;
		dir += n + (dir[n] == '/');
	}
	return fd;
}

static int
only_ours(int fd)
{
	struct stat	st;

	if (fstat(fd, &st) == -1)
		return -1;
	if (st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH))) {
		errno = EPERM;
		return -1;
	}
	return 0;
}

static int
user_ids(const char *user, const char *group, uid_t *uid, gid_t *gid)
{
	struct passwd	*pw;
	struct group	*gr;

	*uid = (uid_t)-1;
	*gid = (gid_t)-1;
	if (!priv_is_root())
		return 0;
	*uid = 0;
	*gid = 0;
	if (user != NULL) {
		if ((pw = getpwnam(user)) == NULL)
			goto unknown;
		*uid = pw->pw_uid;
	}
	if (group != NULL) {
		if ((gr = getgrnam(group)) == NULL)
			goto unknown;
		*gid = gr->gr_gid;
	}
	return 0;
unknown:
	errno = ENOENT;
	return -1;
}

/*
 * The name in sockaddr_un is short and the spool may lie deep: bind from
 * within the directory. The master has one thread and its working directory
 * has no other meaning.
 */
static int
bind_in(int dir, const char *file, mode_t mode, uid_t uid, gid_t gid)
{
	int	fd, here;

	if ((here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		return -1;
	fd = -1;
	if (fchdir(dir) == 0)
		fd = msg_listen(file, mode, uid, gid);
	if (fchdir(here) == -1)
		fdio_close(&fd);
	fdio_close(&here);
	return fd;
}

static int
bind_named(const char *base, const struct socket_plan *sp, struct diag *why)
{
	uid_t	uid;
	gid_t	gid;
	int	dir, fd = -1;
	mode_t	mode = priv_is_root() ? sp->mode : 0600;

	if (user_ids(sp->user, sp->group, &uid, &gid) == -1)
		return diag_set(why, "socket %s: user %s or group %s is "
		    "missing", sp->name, sp->user == NULL ? "root" : sp->user,
		    sp->group == NULL ? "root" : sp->group);
	dir = open_below(base, sp->dir);
	if (dir == -1 || only_ours(dir) == -1)
		diag_errno(why, "%s/%s", base, sp->dir);
	else if ((fd = bind_in(dir, sp->file, mode, uid, gid)) == -1)
		diag_errno(why, "bind %s/%s/%s", base, sp->dir, sp->file);
	fdio_close(&dir);
	return fd;
}

static const char *
base_of(const struct settings *s, enum socket_base base)
{
	switch (base) {
	case BELOW_RUN:
		break;
	case BELOW_SPOOL:
		return s->spool;
	case BELOW_TABLES:
		return s->tables;
	}
	return s->run;
}

int
sockets_named(struct master *m, struct diag *why)
{
	size_t	i;

	for (i = 0; i < plan_nsockets; i++) {
		const struct socket_plan *sp = &plan_sockets[i];
		struct program		 *p = &m->programs[sp->server];
		struct listener		 *l = &p->listeners[p->nlisteners];

		l->fd = bind_named(base_of(m->settings, sp->base), sp, why);
		if (l->fd == -1)
			return -1;
		strlcpy(l->name, sp->name, sizeof(l->name));
		strlcpy(l->place, sp->file, sizeof(l->place));
		p->nlisteners++;
	}
	return 0;
}

int
sockets_control(struct master *m, struct diag *why)
{
	static const struct socket_plan control = {
		"control", ID_COUNT, BELOW_RUN, ".", "control", NULL, NULL, 0600
	};

	m->control = bind_named(m->settings->run, &control, why);
	return m->control == -1 ? -1 : 0;
}

static const struct listener *
find_place(const struct listener *list, size_t n, const char *place)
{
	size_t	i;

	for (i = 0; i < n; i++)
		if (strcmp(list[i].place, place) == 0)
			return &list[i];
	return NULL;
}

/* What the errno alone does not tell who meets it for the first time. */
static const char *
hint(int error)
{
	switch (error) {
	case EADDRINUSE:
		return " (another mail server?)";
	case EADDRNOTAVAIL:
		return " (this host does not have it)";
	case EACCES:
		return " (ports below 1024 are for root)";
	default:
		return "";
	}
}

static int
listen_on(const char *service, const struct setting_item *it, struct diag *why)
{
	struct addr	addr;
	int		fd = -1;

	if (addr_parse_listen(it->text, &addr) == -1 ||
	    (fd = addr_listen(&addr, 1024)) == -1) {
		if (it->line == 0)	/* the default */
			return diag_set(why, "%s.listen %s: %s%s", service,
			    it->text, strerror(errno), hint(errno));
		return diag_at(why, it->file, it->line, 1, "%s.listen %s: "
		    "%s%s", service, it->text, strerror(errno), hint(errno));
	}
	return fd;
}

/* Of one list, behind those that are there already. */
static int
listen_list(const char *service, const struct setting_list *list,
    const struct listener *old, size_t nold, struct listener *out, size_t *nout,
    struct diag *why)
{
	const struct listener	*had;
	size_t			 i;

	for (i = 0; i < list->n; i++) {
		struct listener	*l = &out[*nout];

		if (*nout == MASTER_SOCKETS)
			return diag_at(why, list->items[i].file,
			    list->items[i].line, 1, "too many listen places, "
			    "expected at most %d", MASTER_SOCKETS);
		strlcpy(l->name, service, sizeof(l->name));
		strlcpy(l->place, list->items[i].text, sizeof(l->place));
		if ((had = find_place(old, nold, l->place)) != NULL)
			l->fd = had->fd;
		else if ((l->fd = listen_on(service, &list->items[i],
		    why)) == -1)
			return -1;
		(*nout)++;
	}
	return 0;
}

int
sockets_listen(const struct settings *s, enum program_id id,
    const struct listener *old, size_t nold, struct listener *out, size_t *nout,
    struct diag *why)
{
	const struct program_plan *plan = &plan_programs[id];
	const struct setting_list *list = plan_listen(s, id, false);
	const struct setting_list *tls = plan_listen(s, id, true);

	*nout = 0;
	if ((list != NULL && listen_list(plan->service, list, old, nold, out,
	    nout, why) == -1) || (tls != NULL && listen_list(plan->tls_service,
	    tls, old, nold, out, nout, why) == -1)) {
		sockets_drop(out, *nout, old, nold);
		*nout = 0;
		return -1;
	}
	return 0;
}

void
sockets_drop(const struct listener *a, size_t na, const struct listener *b,
    size_t nb)
{
	size_t	i;

	for (i = 0; i < na; i++)
		if (find_place(b, nb, a[i].place) == NULL)
			close(a[i].fd);
}
