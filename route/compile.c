/*
 * route/compile.c - from source files to the tables that route, local and
 * auth read. Run by root from the master or by the administrator; everything
 * is read and proved before the first file is touched.
 */
#include "route/compile.h"

#include <sys/file.h>
#include <sys/types.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/now.h"
#include "common/store/table.h"
#include "common/store/users.h"
#include "route/hop_plan.h"
#include "route/own.h"
#include "route/users_of.h"
#include "route/value.h"

#define AUTH_GROUP	"ph-auth"
#define ROUTE_GROUP	"ph-route"

/* Our own where there is no such group, or we may not give files to it. */
static gid_t
group_of(const char *name)
{
	const struct group	*gr = NULL;

	if (geteuid() == 0)
		gr = getgrnam(name);
	return gr != NULL ? gr->gr_gid : getegid();
}

/*
 * The table tells what its files tell: it is for everybody, as /etc/aliases
 * is and for the same use, or if one of them is not, for the daemon alone.
 */
static int
make_table(struct table_maker **maker, int dir, const char *name, bool hidden,
    struct diag *why)
{
	char	tmp[64];

	if (table_make(maker, dir, name, hidden ? 0640 : 0644, why) == -1)
		return -1;
	/* The maker's file stands under this name until it is committed. */
	snprintf(tmp, sizeof(tmp), "%s.new", name);
	if (hidden && fchownat(dir, tmp, (uid_t)-1, group_of(ROUTE_GROUP),
	    AT_SYMLINK_NOFOLLOW) == -1)
		return diag_errno(why, "give %s to group " ROUTE_GROUP, name);
	return 0;
}

static int
write_table(const struct memory *m, bool hidden, int dir, const char *name,
    struct table_maker **maker, struct diag *why)
{
	size_t	i;

	if (make_table(maker, dir, name, hidden, why) == -1)
		return -1;
	for (i = 0; i < m->n; i++)
		if (table_add(*maker, memory_key(m, &m->rows[i]),
		    memory_value(m, &m->rows[i])) == -1)
			return diag_errno(why, "write table %s", name);
	return 0;
}

static int
write_users(const struct settings *st, int dir, struct diag *why)
{
	struct users_of	from;
	int		r;

	if (!settings_users_tables(st))
		return 0;
	if (users_of_init(&from, st) == -1)
		return diag_errno(why, "users");
	r = users_compile(from.sources, from.n, &from.defaults, dir,
	    group_of(AUTH_GROUP), why);
	users_of_free(&from);
	return r;
}

/* Until it is closed. */
static int
lock_dir(int dir)
{
	int	r;

	do
		r = flock(dir, LOCK_EX);
	while (r == -1 && errno == EINTR);
	return r;
}

/* All are whole before the first is renamed; users come last, they take the longest. */
static int
write_all(struct sources *src, const struct settings *st, struct diag *why)
{
	static const char *const names[TABLE_KINDS] = {
		ALIASES_TABLE, VIRTUAL_TABLE, SENDERS_TABLE
	};
	struct table_maker	*makers[TABLE_KINDS] = { NULL };
	size_t			 i;
	int			 dir, r = 0;

	dir = open(st->tables, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* The master, newaliases and posthouse user may all want to at once. */
	if (dir == -1 || lock_dir(dir) == -1) {
		diag_errno(why, "tables directory %s", st->tables);
		fdio_close(&dir);
		return -1;
	}
	for (i = 0; i < TABLE_KINDS && r == 0; i++)
		r = write_table(&src->tables[i], src->hidden[i], dir, names[i],
		    &makers[i], why);
	if (r == 0)
		r = write_users(st, dir, why);
	for (i = 0; i < TABLE_KINDS && r == 0; i++)
		r = table_commit(&makers[i], why);
	for (i = 0; i < TABLE_KINDS; i++)
		table_abort(&makers[i]);
	fdio_close(&dir);
	return r;
}

/* Names of other hosts, which the settings' reader takes as they are. */
static int
prove_hops(const struct settings *st)
{
	struct hop_site	hop;
	struct diag	why;
	int		r;

	if (hop_site_init(&hop, st, NULL, 0, &why) == 0) {
		r = hop_plan_prove(&hop, &why);
		hop_site_free(&hop);
		if (r == 0)
			return 0;
	}
	warnx("%s", why.text);
	return -1;
}

static int
load(struct site *site, struct sources *src, const struct settings *st)
{
	const struct setting_item	*stray;
	struct own			 own;
	int				 r;

	if (prove_hops(st) == -1)
		return EX_CONFIG;
	own_open(&own, now_ms());
	r = site_init(site, st, own.addrs, own.n);
	own_close(&own);
	if (r == -1) {
		warn("settings");
		return EX_OSERR;
	}
	if ((stray = site_stray_catch_all(site)) != NULL) {
		warnx("%s:%u:1: catch-all for %s, which is no domain of ours",
		    stray->file, stray->line, stray->text);
		site_free(site);
		return EX_CONFIG;
	}
	if (sources_load(src, site) == -1) {
		warn("tables");
		site_free(site);
		return EX_OSERR;
	}
	if (src->mistakes == 0 && sources_prove(src) == -1) {
		warn("tables");
		sources_free(src);
		site_free(site);
		return EX_OSERR;
	}
	return 0;
}

static int
finish(struct site *site, struct sources *src, int status)
{
	if (src->said.n > 0)
		fwrite(src->said.p, 1, src->said.n, stderr);
	if (status == 0 && src->mistakes > 0)
		status = EX_CONFIG;
	sources_free(src);
	site_free(site);
	return status;
}

int
compile_run(const struct settings *st)
{
	struct sources	src;
	struct site	site;
	struct diag	why;
	int		status;

	if ((status = load(&site, &src, st)) != 0)
		return status;
	if (src.mistakes == 0 && write_all(&src, st, &why) == -1) {
		status = EX_CANTCREAT;
		warnx("%s", why.text);
	}
	return finish(&site, &src, status);
}

int
compile_test(const struct settings *st)
{
	struct sources	src;
	struct site	site;
	struct engine	e;
	struct decision	d;
	size_t		i;
	int		status;

	if ((status = load(&site, &src, st)) != 0)
		return status;
	if (src.mistakes == 0) {
		engine_init(&e);
		decision_init(&d);
		for (i = 0; i < st->expect.n; i++)
			(void)expect_holds(&src, &e, &d, &st->expect.items[i]);
		engine_free(&e);
		decision_free(&d);
	}
	return finish(&site, &src, 0);
}
