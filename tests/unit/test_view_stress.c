/*
 * tests/unit/test_view_stress.c - sessions that change a folder, deliveries, and a foreign program that renames, all at once; some
 * are killed in the middle of it. What nobody removed is there afterwards, once; a UID was never two messages', nor a message two UIDs'.
 * PH_STRESS: for how many seconds.
 */
#include <sys/stat.h>
#include <sys/wait.h>

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/hash.h"
#include "common/base/now.h"
#include "common/store/arrivals.h"
#include "common/store/view.h"

#define SESSIONS	3
#define PLAYERS		(SESSIONS + 3)	/* and two who deliver, one who renames */
#define NAME_SIZE	64
#define SLOTS		(1u << 20)

static char		 top[] = "/tmp/ph-stress.XXXXXX";
static char		 path[64];
static struct store	*store;
static int		 dir, notes;
static struct diag	 why;

static void
note(char what, uint32_t uid, struct str name)
{
	char	line[128];
	int	n;

	n = snprintf(line, sizeof(line), "%c %u %.*s\n", what, uid,
	    STR_ARG(name));
	if (write(notes, line, (size_t)n) != n)
		_exit(2);
}

static void
give_up(const char *what)
{
	fprintf(stderr, "# %s: %s (%s)\n", what, strerror(errno), why.text);
	_exit(1);
}

static unsigned
any(unsigned n)
{
	return arc4random_uniform(n);
}

/* Notes which UID it has; says whether it is still there. */
static bool
name_of(struct view *v, size_t i, char name[NAME_SIZE])
{
	struct view_info	info;

	if (view_info(v, i, &info) == -1) {
		if (errno != ENOENT)
			give_up("view_info");
		return false;
	}
	if (str_copy(name, NAME_SIZE, info.guid) == -1)
		give_up("name");
	return true;
}

static void
note_from(struct view *v, size_t i)
{
	char	name[NAME_SIZE];

	for (; i < view_count(v); i++)
		if (name_of(v, i, name))
			note('U', view_message(v, i)->uid, str_from(name));
}

static void
follow(struct view *v, bool expunges)
{
	struct view_change	c;
	size_t			i;

	if (view_refresh(v) == -1)
		give_up("view_refresh");
	while (view_next(v, expunges, &c))
		if (c.kind == VIEW_ARRIVED)
			note_from(v, c.at);
	for (i = 1; i < view_count(v); i++)
		if (view_message(v, i)->uid <= view_message(v, i - 1)->uid)
			give_up("order");
}

static void
change(struct view *v)
{
	static const uint16_t	flags[] = { VIEW_SEEN, VIEW_FLAGGED,
	    VIEW_ANSWERED, VIEW_DRAFT, VIEW_DELETED };
	size_t			at[8], n, i;
	char			name[NAME_SIZE];

	if (view_count(v) == 0)
		return;
	i = any((unsigned)view_count(v));
	for (n = 0; n < nitems(at) && i < view_count(v); i += 1 + any(3))
		at[n++] = i;
	if (any(6) > 0) {
		if (view_store(v, at, n, any(2) ? VIEW_ADD : VIEW_REMOVE,
		    flags[any(nitems(flags))], any(2) ? 1u << any(26) : 0,
		    UINT64_MAX) == -1)
			give_up("view_store");
		return;
	}
	for (i = 0; i < n; i++)
		if (name_of(v, at[i], name))
			note('X', view_message(v, at[i])->uid, str_from(name));
	if (view_expunge(v, at, n) == -1)
		give_up("view_expunge");
}

static void
be_session(void)
{
	struct view	*v;
	unsigned	 i;

	for (;;) {
		if (view_open(&v, store, "", any(8) == 0, &why) == -1)
			give_up("view_open");
		note_from(v, 0);
		for (i = any(200); i > 0; i--) {
			follow(v, any(2) == 0);
			if (!view_read_only(v))
				change(v);
			if (any(4) == 0)
				usleep(any(2000));
		}
		view_close(&v);
	}
}

static void
put(const char *sub, const char *name)
{
	char	to[160], from[160];
	int	fd;

	snprintf(from, sizeof(from), "tmp/%s", name);
	snprintf(to, sizeof(to), "%s/%s%s", sub, name,
	    sub[0] == 'c' ? ":2,S" : "");
	fd = openat(dir, from, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (fd == -1 || write(fd, "a\n", 2) != 2)
		give_up("put");
	close(fd);
	if (renameat(dir, from, dir, to) == -1)
		give_up("deliver");
	note('D', 0, str_from(name));
}

static void
be_delivery(void)
{
	char		 name[NAME_SIZE];
	unsigned	 i;

	for (i = 0;; i++) {
		snprintf(name, sizeof(name), "%u.P%dQ%u.h",
		    (unsigned)time(NULL), (int)getpid(), i);
		put("new", name);
		usleep(any(10000));
	}
}

static void
be_appender(void)
{
	struct arrival	 what[3];
	struct arrivals	*a;
	char		 name[3][NAME_SIZE], file[3][3 * NAME_SIZE + 4];
	uint32_t	 validity;
	unsigned	 i, n, count = 0;

	for (;; usleep(any(20000))) {
		if (arrivals_open(&a, store, "", &why) == -1)
			give_up("arrivals_open");
		n = 1 + any(3);
		for (i = 0; i < n; i++) {
			snprintf(name[i], NAME_SIZE, "%u.A%dQ%u.h",
			    (unsigned)time(NULL), (int)getpid(), count++);
			snprintf(file[i], sizeof(file[i]), "%s:2,S", name[i]);
			put("cur", name[i]);
			what[i] = (struct arrival){ .file = file[i],
			    .wire = 3, .guid = { "", 0 } };
		}
		/* a foreign program may have renamed or a session removed it: then it has no UID */
		if (arrivals_number(a, what, n, &validity) == 0)
			for (i = 0; i < n; i++)
				note('U', what[i].uid, str_from(name[i]));
		else if (errno != EAGAIN)
			give_up("arrivals_number");
		arrivals_close(&a);
	}
}

static void
rename_some(unsigned one_in)
{
	static const char *const info[] = { ":2,", ":2,S", ":2,FS", ":2,RSa" };
	char		 to[160];
	const char	*colon;
	struct dirent	*e;
	DIR		*d = fdopendir(fdio_opendir(dir, "cur"));

	if (d == NULL)
		give_up("opendir");
	while ((e = readdir(d)) != NULL) {
		if ((colon = strchr(e->d_name, ':')) == NULL ||
		    any(one_in) > 0)
			continue;
		snprintf(to, sizeof(to), "%.*s%s", (int)(colon - e->d_name),
		    e->d_name, info[any(nitems(info))]);
		(void)renameat(dirfd(d), e->d_name, dirfd(d), to);
	}
	closedir(d);
}

static void
be_foreign(void)
{
	for (;; usleep(any(10000)))
		rename_some(20);
}

static pid_t
start(unsigned who)
{
	pid_t	pid = fork();

	if (pid != 0)
		return pid;
	if (who < SESSIONS)
		be_session();
	else if (who == SESSIONS)
		be_delivery();
	else if (who == SESSIONS + 1)
		be_appender();
	be_foreign();
	_exit(0);
}

/* Sessions die and others come; those who deliver are let finish what they do. */
static void
play(int64_t ms)
{
	pid_t		pids[PLAYERS];
	int64_t		until = now_ms() + ms;
	unsigned	i;
	int		status;

	for (i = 0; i < PLAYERS; i++)
		ck_assert_int_ne(pids[i] = start(i), -1);
	while (now_ms() < until) {
		usleep(20000 + any(50000));
		i = any(SESSIONS);
		ck_assert_int_eq(kill(pids[i], SIGKILL), 0);
		ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
		ck_assert_msg(WIFSIGNALED(status) &&
		    WTERMSIG(status) == SIGKILL, "session: %d", status);
		ck_assert_int_ne(pids[i] = start(i), -1);
	}
	for (i = 0; i < PLAYERS; i++) {
		kill(pids[i], SIGKILL);
		ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
		ck_assert_msg(WIFSIGNALED(status) &&
		    WTERMSIG(status) == SIGKILL, "player %u: %d", i, status);
	}
}

/* ---- afterwards */

struct known {
	char		name[NAME_SIZE];
	uint32_t	uid;
	bool		delivered, may_be_gone, seen;
};

static struct known	*known;
static size_t		 nknown;
static uint32_t		 slots[SLOTS];	/* number + 1, by hash of the name */

static struct known *
find(const char *name)
{
	size_t	at = (size_t)hash_bytes(0, name, strlen(name)) % SLOTS;

	for (; slots[at] != 0; at = (at + 1) % SLOTS)
		if (strcmp(known[slots[at] - 1].name, name) == 0)
			return &known[slots[at] - 1];
	ck_assert_uint_lt(nknown, SLOTS / 2);
	ck_assert_ptr_nonnull(known = realloc(known,
	    (nknown + 1) * sizeof(*known)));
	memset(&known[nknown], 0, sizeof(*known));
	snprintf(known[nknown].name, NAME_SIZE, "%s", name);
	slots[at] = (uint32_t)++nknown;
	return &known[nknown - 1];
}

static void
read_notes(void)
{
	struct buf	text;
	struct str	rest, line;
	struct known	*k;
	char		name[NAME_SIZE], kind;
	unsigned	uid;
	size_t		i, j;

	buf_init(&text, 64u << 20);
	ck_assert_int_eq(fdio_slurp_at(dir, "notes", &text), 0);
	ck_assert_ptr_nonnull(buf_cstr(&text));	/* sscanf(3) wants its end */
	rest = buf_view(&text);
	while (str_take_line(&rest, &line)) {
		ck_assert_int_eq(sscanf(line.p, "%c %u %63[^\n]", &kind, &uid,
		    name), 3);
		k = find(name);
		if (kind == 'D')
			k->delivered = true;
		if (kind == 'X')
			k->may_be_gone = true;
		if (uid == 0)
			continue;
		ck_assert_msg(k->uid == 0 || k->uid == uid,
		    "%s was %u and %u", name, k->uid, uid);
		k->uid = uid;
	}
	buf_free(&text);
	for (i = 0; i < nknown; i++)
		for (j = 0; known[i].uid != 0 && j < i; j++)
			ck_assert_msg(known[j].uid != known[i].uid,
			    "UID %u was two messages'", known[i].uid);
}

static void
check_view(struct view *v)
{
	const struct view_message	*m;
	struct known			*k;
	char				 name[NAME_SIZE];
	uint32_t			 last = 0;
	size_t				 i;

	for (i = 0; i < nknown; i++)
		known[i].seen = false;
	for (i = 0; i < view_count(v); i++) {
		m = view_message(v, i);
		ck_assert_uint_gt(m->uid, last);
		last = m->uid;
		ck_assert(name_of(v, i, name));
		k = find(name);
		ck_assert_msg(k->uid == 0 || k->uid == m->uid,
		    "%s was %u and is %u", name, k->uid, m->uid);
		k->uid = m->uid;
		ck_assert(!k->seen);
		k->seen = true;
	}
	for (i = 0; i < nknown; i++)
		ck_assert_msg(known[i].seen || known[i].may_be_gone ||
		    !known[i].delivered, "%s is lost", known[i].name);
}

/* Flags by the names of the files. */
static void
check_flags(struct view *v)
{
	char		 name[NAME_SIZE];
	const char	*colon;
	struct dirent	*e;
	struct known	*k;
	uint16_t	 flags;
	size_t		 i, files = 0;
	DIR		*d = fdopendir(fdio_opendir(dir, "cur"));

	ck_assert_ptr_nonnull(d);
	while ((e = readdir(d)) != NULL) {
		if ((colon = strchr(e->d_name, ':')) == NULL)
			continue;
		files++;
		snprintf(name, sizeof(name), "%.*s", (int)(colon - e->d_name),
		    e->d_name);
		k = find(name);
		ck_assert_msg(k->uid != 0, "%s has no UID", name);
		i = view_find(v, k->uid);
		ck_assert(i < view_count(v));
		flags = view_message(v, i)->flags;
		ck_assert_int_eq(strchr(colon, 'S') != NULL,
		    (flags & VIEW_SEEN) != 0);
		ck_assert_int_eq(strchr(colon, 'F') != NULL,
		    (flags & VIEW_FLAGGED) != 0);
		ck_assert_int_eq(strchr(colon, 'T') != NULL,
		    (flags & VIEW_DELETED) != 0);
		ck_assert_int_eq(strchr(colon, 'a') != NULL,
		    (view_message(v, i)->keywords & 1) != 0);
	}
	closedir(d);
	ck_assert_uint_eq(files, view_count(v));
}

START_TEST(stress)
{
	const char	*seconds = getenv("PH_STRESS");
	struct view	*v, *w;
	size_t		 i;

	play(seconds != NULL ? strtol(seconds, NULL, 10) * 1000 : 800);
	read_notes();
	ck_assert_int_eq(view_open(&v, store, "", false, &why), 0);
	check_view(v);
	check_flags(v);
	ck_assert_int_eq(unlinkat(dir, "posthouse.index", 0), 0);
	ck_assert_int_eq(view_open(&w, store, "", false, &why), 0);
	check_view(w);
	ck_assert_uint_eq(view_count(v), view_count(w));
	for (i = 0; i < view_count(v); i++) {
		ck_assert_uint_eq(view_message(v, i)->uid,
		    view_message(w, i)->uid);
		ck_assert_int_eq(view_message(v, i)->flags & ~VIEW_RECENT,
		    view_message(w, i)->flags & ~VIEW_RECENT);
		ck_assert_uint_eq(view_message(v, i)->keywords,
		    view_message(w, i)->keywords);
	}
	if (seconds != NULL)
		printf("# %zu messages, %zu left\n", nknown, view_count(v));
	view_close(&v);
	view_close(&w);
}
END_TEST

static void
setup(void)
{
	char	location[80];

	memcpy(strchr(top, '.') + 1, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(top));
	snprintf(path, sizeof(path), "%s/M", top);
	snprintf(location, sizeof(location), "maildir:%s", path);
	ck_assert_int_eq(store_open(&store, location, true, &why), 0);
	dir = store_root(store);
	notes = openat(dir, "notes", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
	    0600);
	ck_assert_int_ne(notes, -1);
}

static void
clear(const char *sub)
{
	struct dirent	*e;
	DIR		*d = fdopendir(fdio_opendir(dir, sub));

	while (d != NULL && (e = readdir(d)) != NULL)
		if (e->d_type != DT_DIR)
			unlinkat(dirfd(d), e->d_name, 0);
	if (d != NULL)
		closedir(d);
	unlinkat(dir, sub, AT_REMOVEDIR);
}

static void
teardown(void)
{
	close(notes);
	clear("new");
	clear("cur");
	clear("tmp");
	clear(".");
	store_close(&store);
	rmdir(path);
	ck_assert_int_eq(rmdir(top), 0);
	free(known);
}

int
main(void)
{
	Suite	*s = suite_create("view_stress");
	TCase	*t = tcase_create("view_stress");
	SRunner	*r;
	int	 failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 3600);
	tcase_add_test(t, stress);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
