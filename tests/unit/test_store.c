/* tests/unit/test_store.c - folders: what is listed, made, renamed and deleted, and what other programs have left there. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "common/base/fdio.h"
#include "common/base/now.h"
#include "common/store/dotlock.h"
#include "common/store/folder_lock.h"
#include "common/store/keywords.h"
#include "common/store/quota.h"
#include "common/store/special_use.h"
#include "common/store/store_impl.h"
#include "common/store/subscriptions.h"
#include "common/store/uidlist_file.h"

static char		 top[] = "/tmp/posthouse-store.XXXXXX";
static struct store	*s;
static struct diag	 why;
static int		 left;	/* of a deletion or a rename */

static void
open_store(void)
{
	char	location[128];

	snprintf(location, sizeof(location), "maildir:%s/Maildir", top);
	store_close(&s);
	ck_assert_msg(store_open(&s, location, true, &why) == 0, "%s",
	    why.text);
}

static void
setup(void)
{
	strlcpy(top, "/tmp/posthouse-store.XXXXXX", sizeof(top));
	ck_assert_ptr_nonnull(mkdtemp(top));
	open_store();
}

static void
teardown(void)
{
	store_close(&s);
	ck_assert_int_eq(store_remove_tree(AT_FDCWD, top), 0);
}

static void
write_file(const char *name, const char *text)
{
	int	fd = openat(store_root(s), name, O_WRONLY | O_CREAT | O_TRUNC,
		    0600);

	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(fdio_write(fd, text, strlen(text)), 0);
	fdio_close(&fd);
}

static void
is_text(const char *name, const char *text)
{
	struct buf	b;

	buf_init(&b, 1000);
	ck_assert_int_eq(fdio_slurp_at(store_root(s), name, &b), 0);
	ck_assert_str_eq(buf_cstr(&b), text);
	buf_free(&b);
}

static void
make_dir(const char *name)
{
	ck_assert_int_eq(mkdirat(store_root(s), name, 0700), 0);
}

static bool
there(const char *name)
{
	return faccessat(store_root(s), name, F_OK, 0) == 0;
}

/* "+Work" exists, "-Work" does not, "*" subscribed, "^" has children, "=D" its use. */
static const char *
listing(void)
{
	static char			 out[4096];
	const struct store_folder	*f;
	size_t				 n, i, at = 0;

	ck_assert_int_eq(store_list(s, &f, &n), 0);
	for (i = 0; i < n; i++)
		at += (size_t)snprintf(out + at, sizeof(out) - at,
		    "%s%c%s%s%s%s%.1s", i == 0 ? "" : " ",
		    f[i].exists ? '+' : '-', f[i].name,
		    f[i].subscribed ? "*" : "", f[i].has_children ? "^" : "",
		    f[i].use != '\0' ? "=" : "", &f[i].use);
	return out;
}

START_TEST(lists)
{
	make_dir(".b.c.d");
	make_dir(".b-1");
	make_dir(".a");
	make_dir(".a.b");
	make_dir(".a..b");
	make_dir(".end.");
	make_dir("..hidden");
	make_dir("..DOVECOT-TRASHED");
	make_dir(".Inbox");
	make_dir(".INBOX.kid");
	make_dir(".Entw\xc3\xbcrfe");
	make_dir(".x&y");
	make_dir("plain");
	write_file(".file", "");
	ck_assert_int_eq(symlinkat("plain", store_root(s), ".link"), 0);
	ck_assert_str_eq(listing(), "+^ +Entw\xc3\xbcrfe +INBOX.kid +a^ +a.b "
	    "-b^ -b.c^ +b.c.d +b-1 +link +x&y");
	ck_assert(store_exists(s, "a.b"));
	ck_assert(store_exists(s, ""));
	ck_assert(store_exists(s, "link"));
	ck_assert(!store_exists(s, "b"));
	ck_assert(!store_exists(s, "../plain"));
	ck_assert(!store_exists(s, "file"));
}
END_TEST

START_TEST(lists_anew)
{
	uint64_t	v = store_version(s);

	ck_assert_str_eq(listing(), "+");
	make_dir(".a");
	ck_assert_uint_ne(store_version(s), v);
	ck_assert_str_eq(listing(), "+ +a");
	write_file("subscriptions", "a\nb\n");
	ck_assert_str_eq(listing(), "+ +a* -b*");
	usleep(150000);
	v = store_version(s);
	ck_assert_uint_eq(store_version(s), v);
	write_file("subscriptions", "a\n");
	ck_assert_uint_ne(store_version(s), v);
	ck_assert_str_eq(listing(), "+ +a*");
}
END_TEST

static const struct {
	const char	*text, *name;
	bool		 courier, on;
	const char	*out;	/* NULL: nothing changes */
} changes[] = {
	{ "", "", false, true, "V\t2\n\nINBOX\n" },
	{ "", "Work.Lists", false, true, "V\t2\n\nWork\tLists\n" },
	{ "", "x", false, false, NULL },
	{ "V\t2\n\nWork\tLists\nINBOX\n", "Work.Lists", false, true, NULL },
	{ "V\t2\n\nWork\tLists\nINBOX\n", "Work.Lists", false, false,
	    "V\t2\n\nINBOX\n" },
	{ "V\t2\n\na\tb\n", "", false, true, "V\t2\n\na\tb\nINBOX\n" },
	{ "V\t2\n\na.b\nx\001tz\n\n", "a.b", false, true,
	    "V\t2\n\na.b\nx\001tz\n\na\tb\n" },
	{ "Work.Lists\nx\nWork.Lists\n", "Work.Lists", false, false, "x\n" },
	{ "Work.Lists\n", "inbox", false, true, "Work.Lists\ninbox\n" },
	{ "../x\n", "y", false, true, "../x\ny\n" },
	{ "x", "y", false, true, "x\ny\n" },
	{ "INBOX\nINBOX.a.b\nother\n", "c", true, true,
	    "V\t2\n\nINBOX\na\tb\nc\n" },
	{ "INBOX\nINBOX.a.b\n", "a.b", true, false, "V\t2\n\nINBOX\n" },
	{ "inbox\n", "", false, true, NULL },
};

START_TEST(subscription_text)
{
	struct buf	out;

	buf_init(&out, 1000);
	ck_assert_int_eq(subscriptions_change(str_from(changes[_i].text),
	    changes[_i].courier, changes[_i].name, changes[_i].on, &out),
	    changes[_i].out != NULL);
	ck_assert_str_eq(buf_cstr(&out),
	    changes[_i].out == NULL ? "" : changes[_i].out);
	buf_free(&out);
}
END_TEST

START_TEST(subscribes)
{
	make_dir(".a.b");
	write_file("courierimapsubscribed", "INBOX.a.b\nINBOX\n");
	ck_assert_str_eq(listing(), "+* -a^ +a.b*");
	ck_assert_int_eq(store_subscribe(s, "a", true), 0);
	is_text("subscriptions", "V\t2\n\na\tb\nINBOX\na\n");
	ck_assert_str_eq(listing(), "+* -a*^ +a.b*");
	ck_assert_int_eq(store_subscribe(s, "", false), 0);
	ck_assert_int_eq(store_subscribe(s, "gone.away", true), 0);
	ck_assert_int_eq(store_subscribe(s, "gone.away", true), 0);
	is_text("subscriptions", "V\t2\n\na\tb\na\ngone\taway\n");
	ck_assert_str_eq(listing(), "+ -a*^ +a.b* -gone.away*");
	ck_assert_int_eq(store_subscribe(s, "a\nb", true), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert(!there("subscriptions.lock"));
}
END_TEST

/* Who could subscribe without an end could list nothing any more. */
START_TEST(subscribes_to_too_many)
{
	const struct store_folder	*f;
	struct buf			 b;
	size_t				 i, n;

	buf_init(&b, (size_t)16 << 20);
	for (i = 0; i < STORE_FOLDERS_MAX; i++)
		buf_addf(&b, "f%zu\n", i);
	write_file("subscriptions", buf_cstr(&b));
	buf_free(&b);
	ck_assert_int_eq(store_subscribe(s, "one more", true), -1);
	ck_assert_int_eq(errno, EDQUOT);
	ck_assert(!there("subscriptions.lock"));
	ck_assert_int_eq(store_subscribe(s, "f7", true), 0);
	ck_assert_int_eq(store_subscribe(s, "f7", false), 0);
	ck_assert_int_eq(store_subscribe(s, "one more", true), 0);
	ck_assert_int_eq(store_list(s, &f, &n), 0);
	ck_assert_uint_eq(n, 1 + STORE_FOLDERS_MAX);
}
END_TEST

/* What nobody could read any more does not get longer. */
START_TEST(subscribes_behind_much)
{
	struct buf	b;

	buf_init(&b, STORE_FILE_MAX + 1);
	ck_assert_int_eq(buf_reserve(&b, STORE_FILE_MAX), 0);
	memset(b.p, 'x', STORE_FILE_MAX - 2);
	b.n = STORE_FILE_MAX - 2;
	buf_addc(&b, '\n');
	write_file("subscriptions", buf_cstr(&b));
	buf_free(&b);
	ck_assert_int_eq(store_subscribe(s, "one more", true), -1);
	ck_assert_int_eq(errno, EFBIG);
	ck_assert(!there("subscriptions.lock"));
	ck_assert_int_eq(store_subscribe(s, "none", false), 0);
}
END_TEST

START_TEST(locks)
{
	struct timespec	old[2] = { { 1000000000, 0 }, { 1000000000, 0 } };
	struct buf	b;
	int		root = store_root(s), fd;

	buf_init(&b, 10);
	write_file("x.lock", "");
	ck_assert_int_eq(dotlock_take(root, "x.lock", 30, DOTLOCK_MODE), -1);
	ck_assert_int_eq(errno, ETIMEDOUT);
	/* whoever made it is dead */
	ck_assert_int_eq(utimensat(root, "x.lock", old, 0), 0);
	fd = dotlock_take(root, "x.lock", 30, DOTLOCK_MODE);
	ck_assert_int_ne(fd, -1);
	buf_adds(&b, "new");
	ck_assert_int_eq(dotlock_replace(root, "x.lock", &fd, "x", &b), 0);
	is_text("x", "new");
	/* what did not fit replaces nothing */
	fd = dotlock_take(root, "x.lock", 30, DOTLOCK_MODE);
	buf_adds(&b, "much too long");
	ck_assert_int_eq(dotlock_replace(root, "x.lock", &fd, "x", &b), -1);
	ck_assert_int_eq(errno, EFBIG);
	is_text("x", "new");
	ck_assert(!there("x.lock"));
	ck_assert_int_eq(fd, -1);
	buf_free(&b);
}
END_TEST

/* The maker of one is killed: the next one has it at once, and nobody while he lives. */
START_TEST(locks_of_the_killed)
{
	int	root = store_root(s), ready[2], fd, status;
	char	c;
	pid_t	maker;

	ck_assert_int_eq(pipe(ready), 0);
	ck_assert_int_ne(maker = fork(), -1);
	if (maker == 0) {
		fd = dotlock_take(root, "z.lock", 30, DOTLOCK_MODE);
		if (write(ready[1], "x", 1) == 1)
			(void)pause();
		_exit(1);
	}
	ck_assert_int_eq(read(ready[0], &c, 1), 1);
	ck_assert_int_eq(dotlock_take(root, "z.lock", 30, DOTLOCK_MODE), -1);
	ck_assert_int_eq(errno, ETIMEDOUT);
	ck_assert_int_eq(kill(maker, SIGKILL), 0);
	ck_assert_int_eq(waitpid(maker, &status, 0), maker);
	ck_assert(there("z.lock"));
	fd = dotlock_take(root, "z.lock", 0, DOTLOCK_MODE);
	ck_assert_int_ne(fd, -1);
	dotlock_drop(root, "z.lock", &fd);
	ck_assert(!there("z.lock"));
	close(ready[0]);
	close(ready[1]);
}
END_TEST

/* When this is about to be removed another one tries to have it, once. */
static const char	*contended;
static bool		 other_has_it;

int
unlinkat(int at, const char *name, int flags)
{
	const char	*lock = contended;
	int		 status;
	pid_t		 other;

	if (lock != NULL && strcmp(name, lock) == 0) {
		contended = NULL;
		ck_assert_int_ne(other = fork(), -1);
		if (other == 0)
			_exit(dotlock_take(at, lock, 0, DOTLOCK_MODE) != -1);
		ck_assert_int_eq(waitpid(other, &status, 0), other);
		other_has_it = WEXITSTATUS(status) == 1;
	}
	return (int)syscall(SYS_unlinkat, at, name, flags);
}

/* Two find the same one stale: one has it then. */
START_TEST(locks_broken_at_once)
{
	struct timespec	old[2] = { { 1000000000, 0 }, { 1000000000, 0 } };
	int		root = store_root(s), fd;

	write_file("w.lock", "");
	ck_assert_int_eq(utimensat(root, "w.lock", old, 0), 0);
	contended = "w.lock";
	fd = dotlock_take(root, "w.lock", 0, DOTLOCK_MODE);
	ck_assert_ptr_null(contended);
	ck_assert_int_ne(fd, -1);
	ck_assert(!other_has_it);
	dotlock_drop(root, "w.lock", &fd);
}
END_TEST

/* One whose maker had another lock, too, is broken by the next one who has both; for others it is a lock. */
START_TEST(locks_under_a_lock)
{
	int	root = store_root(s), fd, again;

	fd = uidlist_lock(root, "y.lock", true);
	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(dotlock_take(root, "y.lock", 30, DOTLOCK_MODE), -1);
	ck_assert_int_eq(errno, ETIMEDOUT);
	again = uidlist_lock(root, "y.lock", true);
	ck_assert_int_ne(again, -1);
	uidlist_unlock(root, "y.lock");
	ck_assert(!there("y.lock"));
	close(fd);
	close(again);
}
END_TEST

static void
names_one(int root, const char *name)
{
	char	names[INDEX_KEYWORDS][INDEX_KEYWORD_MAX + 1] = { "" };
	int	folder = folder_lock(root);

	if (folder == -1 ||
	    keywords_make(root, str_from(name), true, names) == -1)
		_exit(1);
	close(folder);
}

/* Killed while it has all three locks; the next one goes on at once, and is not kept by the files. */
START_TEST(locks_of_the_dead)
{
	char	names[INDEX_KEYWORDS][INDEX_KEYWORD_MAX + 1] = { "" };
	int	root = store_root(s), status, folder, fd;
	int64_t	begin = now_ms();
	pid_t	child;

	if ((child = fork()) == 0) {
		if (folder_lock(root) != -1 &&
		    uidlist_lock(root, UIDLIST_LOCK, true) != -1 &&
		    uidlist_lock(root, KEYWORDS_LOCK, true) != -1)
			raise(SIGKILL);
		_exit(1);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	ck_assert(there(UIDLIST_LOCK) && there(KEYWORDS_LOCK));
	ck_assert_int_ne(folder = folder_lock(root), -1);
	ck_assert_int_eq(keywords_make(root, STR("one"), true, names), 0);
	is_text(KEYWORDS_FILE, "0 one\n");
	ck_assert(!there(UIDLIST_LOCK) && !there(KEYWORDS_LOCK));
	ck_assert_int_lt(now_ms() - begin, 30000);
	/* Dovecot's lock is nobody's to break, but what lies beside it is */
	write_file(UIDLIST_LOCK, "");
	fd = openat(root, UIDLIST_LOCK, O_RDONLY);
	ck_assert_int_eq(keywords_make(root, STR("two"), true, names), -1);
	ck_assert_int_eq(errno, ETIMEDOUT);
	ck_assert(there(UIDLIST_LOCK));
	ck_assert_int_eq(unlinkat(root, UIDLIST_LOCK, 0), 0);
	write_file(KEYWORDS_LOCK, "");
	ck_assert_int_eq(keywords_make(root, STR("two"), true, names), 1);
	is_text(KEYWORDS_FILE, "0 one\n1 two\n");
	close(fd);
	close(folder);
}
END_TEST

/* Several at once, and some of them killed at any moment: each that came to its end has its keyword, and none two have the same letter. */
START_TEST(locks_and_kills)
{
	char	names[INDEX_KEYWORDS][INDEX_KEYWORD_MAX + 1], name[16];
	int	root = store_root(s), i, status;
	pid_t	child[24];
	bool	made[nitems(child)], lost = true;

	for (i = 0; i < (int)nitems(child); i++)
		if ((child[i] = fork()) == 0) {
			snprintf(name, sizeof(name), "k%d", i);
			names_one(root, name);
			_exit(0);
		}
	for (i = 0; i < (int)nitems(child); i += 3) {
		(void)usleep(500);
		kill(child[i], SIGKILL);
	}
	for (i = 0; i < (int)nitems(child); i++) {
		ck_assert_int_eq(waitpid(child[i], &status, 0), child[i]);
		made[i] = WIFEXITED(status) && WEXITSTATUS(status) == 0;
		ck_assert(made[i] || i % 3 == 0);
	}
	names_one(root, "last");
	memset(names, 0, sizeof(names));
	ck_assert_int_eq(keywords_read(root, names, &lost), 0);
	ck_assert(!lost);
	for (i = 0; i < (int)nitems(child); i++) {
		snprintf(name, sizeof(name), "k%d", i);
		ck_assert(!made[i] ||
		    keywords_find(names, str_from(name)) != -1);
	}
	ck_assert_int_ne(keywords_find(names, STR("last")), -1);
}
END_TEST

/* A first list is as its directory is: for its maker alone, or for all who share that. */
START_TEST(first_list)
{
	static const mode_t	dirs[] = { 0700, 02770 };
	static const mode_t	files[] = { 0600, 0660 };
	int			root = store_root(s), fd;
	struct stat		st;

	ck_assert_int_eq(fchmod(root, dirs[_i]), 0);
	fd = uidlist_lock(root, "z.lock", true);
	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(uidlist_replace(root, "z.lock", fd, "z", STR("x")), 0);
	ck_assert_int_eq(fstatat(root, "z", &st, 0), 0);
	ck_assert_uint_eq(st.st_mode & 0777, files[_i]);
	close(fd);
}
END_TEST

static uint32_t
validity(const char *folder)
{
	char		dir[STORE_DIR_SIZE];
	uint32_t	v;
	int		fd;

	store_dir(folder, dir);
	fd = openat(store_root(s), dir, O_RDONLY | O_DIRECTORY);
	ck_assert_int_ne(fd, -1);
	v = store_folder_validity(fd);
	fdio_close(&fd);
	return v;
}

START_TEST(creates)
{
	struct maildir	m;
	uint32_t	first, second;

	ck_assert_int_eq(store_create(s, "Work.Lists", '\0'), 0);
	first = validity("Work.Lists");
	ck_assert_int_eq(maildir_open_to_read(&m, store_root(s), ".",
	    "Work.Lists", false, &why), 0);
	maildir_close(&m);
	ck_assert(there(".Work.Lists/maildirfolder"));
	ck_assert_int_eq(store_create(s, "Work.Lists", '\0'), -1);
	ck_assert_int_eq(errno, EEXIST);
	ck_assert_int_eq(store_create(s, "Work", '\0'), 0);
	second = validity("Work");
	ck_assert_uint_gt(first, 1700000000);
	ck_assert_uint_gt(second, first);
	ck_assert_str_eq(listing(), "+ +Work^ +Work.Lists");
	/* the same name again is another folder */
	ck_assert_int_eq(store_delete(s, "Work", &left), 0);
	ck_assert_str_eq(listing(), "+ -Work^ +Work.Lists");
	ck_assert(!there(STORE_TRASH));
	ck_assert_int_eq(store_create(s, "Work", '\0'), 0);
	ck_assert_uint_gt(validity("Work"), second);
}
END_TEST

static const struct { const char *name; int error; } bad_names[] = {
	{ "", EEXIST }, { "inbox", EEXIST }, { "a..b", EINVAL },
	{ ".a", EINVAL }, { "a.", EINVAL }, { "a/b", EINVAL },
	{ "a\nb", EINVAL }, { "\xc3\xbc", EINVAL },
	{ "1234567890123456789012345678901234567890123456789012345678901234567"
	    "890123456789012345678901234567890123456789012345678901234567890123"
	    "45678901234567890123456789012345678901234567890123456789012345678"
	    "901",
	    ENAMETOOLONG },
};

START_TEST(refuses_names)
{
	ck_assert_int_eq(store_create(s, bad_names[_i].name, '\0'), -1);
	ck_assert_int_eq(errno, bad_names[_i].error);
	ck_assert_int_eq(store_create(s, "a", '\0'), 0);
	ck_assert_int_eq(store_rename(s, "a", bad_names[_i].name, &left), -1);
	if (bad_names[_i].name[0] != '\0')
		ck_assert_int_eq(errno, bad_names[_i].error);
	ck_assert_str_eq(listing(), "+ +a");
}
END_TEST

START_TEST(deletes)
{
	struct timespec	old[2] = { { 1000000000, 0 }, { 1000000000, 0 } };

	ck_assert_int_eq(store_delete(s, "a", &left), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(store_delete(s, "", &left), -1);
	ck_assert_int_eq(errno, EINVAL);
	/* with all that is in it, also what somebody else has put there */
	ck_assert_int_eq(store_create(s, "a", 'S'), 0);
	write_file(".a/cur/1.x:2,S", "x");
	write_file(".a/new/2.x", "x");
	make_dir(".a/cur/sub");
	write_file(".a/cur/sub/x", "x");
	ck_assert_int_eq(symlinkat("../../cur", store_root(s), ".a/cur/l"), 0);
	/* a crash has left these */
	make_dir(STORE_TRASH);
	write_file(STORE_TRASH "/x", "x");
	make_dir("tmp/posthouse-folder.1.2");
	make_dir("tmp/posthouse-folder.3.4");
	ck_assert_int_eq(utimensat(store_root(s), "tmp/posthouse-folder.1.2",
	    old, 0), 0);
	ck_assert_int_eq(store_delete(s, "a", &left), 0);
	ck_assert_str_eq(listing(), "+");
	ck_assert(there("cur"));
	ck_assert(!there(STORE_TRASH));
	is_text(STORE_USES, "V1:1,\n");
	make_dir(STORE_TRASH);
	open_store();
	ck_assert(!there(STORE_TRASH));
	ck_assert_int_eq(store_create(s, "a", '\0'), 0);
	ck_assert(!there("tmp/posthouse-folder.1.2"));
	ck_assert(there("tmp/posthouse-folder.3.4"));
}
END_TEST

/* Nobody moves anything into a folder while it is deleted; is it still the one that was opened? */
START_TEST(deletes_under_a_lock)
{
	int	dir, cur, lock, status;
	pid_t	pid;

	ck_assert_int_eq(store_create(s, "a", '\0'), 0);
	dir = fdio_opendir(store_root(s), ".a");
	cur = fdio_opendir(dir, "cur");
	ck_assert(store_is_there(s, "a", cur));
	ck_assert(!store_is_there(s, "", cur));
	ck_assert((lock = folder_lock(dir)) != -1);
	ck_assert((pid = fork()) != -1);
	if (pid == 0) {
		fdio_close(&lock);
		_exit(store_delete(s, "a", &left) == -1);
	}
	usleep(100000);
	ck_assert(there(".a"));
	fdio_close(&lock);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert(!store_is_there(s, "a", cur));
	ck_assert_int_eq(store_create(s, "a", '\0'), 0);
	ck_assert(!store_is_there(s, "a", cur));
	fdio_close(&cur);
	cur = fdio_opendir(store_root(s), "cur");
	ck_assert(store_is_there(s, "", cur));
	fdio_close(&cur);
	fdio_close(&dir);
}
END_TEST

START_TEST(foreign_folders)
{
	struct maildir	m;

	make_dir(".Entw\xc3\xbcrfe");
	ck_assert_int_eq(store_open_folder(s, "Entw\xc3\xbcrfe", false, &m,
	    &why), 0);
	ck_assert_int_eq(m.tmp, -1);
	maildir_close(&m);
	ck_assert(there(".Entw\xc3\xbcrfe/cur"));
	/* who puts something there needs tmp as well */
	ck_assert_int_eq(unlinkat(store_root(s), ".Entw\xc3\xbcrfe/tmp",
	    AT_REMOVEDIR), 0);
	ck_assert_int_eq(store_open_folder(s, "Entw\xc3\xbcrfe", true, &m,
	    &why), 0);
	ck_assert_int_ne(m.tmp, -1);
	maildir_close(&m);
	ck_assert(there(".Entw\xc3\xbcrfe/tmp"));
	ck_assert_int_eq(store_open_folder(s, "none", false, &m, &why), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(store_open_folder(s, "../x", false, &m, &why), -1);
	ck_assert_int_eq(errno, ENOENT);
	/* they can be deleted, and get a better name */
	ck_assert_int_eq(store_rename(s, "Entw\xc3\xbcrfe", "Entw&APw-rfe", &left),
	    0);
	ck_assert_str_eq(listing(), "+ +Entw&APw-rfe");
}
END_TEST

START_TEST(validities)
{
	uint32_t	v;

	/* Dovecot's: the file's name counts */
	write_file("dovecot-uidvalidity", "5f000001");
	write_file("dovecot-uidvalidity.5f000009", "");
	ck_assert_int_eq(store_next_validity(s, &v), 0);
	ck_assert_uint_eq(v, 0x5f00000a);
	is_text("dovecot-uidvalidity", "5f00000a");
	ck_assert(there("dovecot-uidvalidity.5f00000a"));
	ck_assert(!there("dovecot-uidvalidity.5f000009"));
	ck_assert_int_eq(store_next_validity(s, &v), 0);
	ck_assert_uint_eq(v, 0x5f00000b);
	/* a folder from elsewhere had a greater one: none is as low from now on */
	make_dir(".a");
	write_file(".a/dovecot-uidlist", "3 V4000000000 N7\n");
	ck_assert_int_eq(store_delete(s, "a", &left), 0);
	ck_assert_int_eq(store_next_validity(s, &v), 0);
	ck_assert_uint_eq(v, 4000000001);
	ck_assert(!there("dovecot-uidvalidity.5f00000b"));
	ck_assert_int_eq(store_raise_validity(s, 5), 0);
	ck_assert_int_eq(store_next_validity(s, &v), 0);
	ck_assert_uint_eq(v, 4000000002);
}
END_TEST

START_TEST(first_validity)
{
	uint32_t	v;

	write_file("dovecot-uidvalidity", "none");
	make_dir(".a");
	write_file(".a/dovecot-uidlist", "3 V4000000000 N7\n");
	ck_assert_int_eq(store_next_validity(s, &v), 0);
	ck_assert_uint_eq(v, 4000000001);
	/* begun here: Dovecot writes no line end, and leaves it alone */
	is_text("dovecot-uidvalidity", "ee6b2801\n");
	ck_assert(!store_validity_is_dovecots(store_root(s)));
	/* there is none above the last */
	ck_assert_int_eq(store_raise_validity(s, UINT32_MAX), 0);
	ck_assert_int_eq(store_next_validity(s, &v), -1);
	ck_assert_int_eq(errno, EOVERFLOW);
}
END_TEST

START_TEST(renames)
{
	uint32_t	v;

	ck_assert_int_eq(store_create(s, "a", 'D'), 0);
	ck_assert_int_eq(store_create(s, "a.b.c", 'T'), 0);
	ck_assert_int_eq(store_create(s, "ab", 'J'), 0);
	ck_assert_int_eq(store_subscribe(s, "a", true), 0);
	v = validity("a.b.c");
	ck_assert_int_eq(store_rename(s, "a", "x.y", &left), 0);
	ck_assert_str_eq(listing(), "+ -a* +ab=J -x^ +x.y^=D -x.y.b^ "
	    "+x.y.b.c=T");
	ck_assert_uint_eq(validity("x.y.b.c"), v);
	/* one that is only a parent, to a name above */
	ck_assert_int_eq(store_rename(s, "x.y", "x", &left), 0);
	ck_assert_int_eq(store_rename(s, "x.b", "z", &left), 0);
	ck_assert_str_eq(listing(), "+ -a* +ab=J +x=D -z^ +z.c=T");
	ck_assert_int_eq(store_rename(s, "z", "z.q", &left), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(store_rename(s, "none", "other", &left), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(store_rename(s, "ab", "x", &left), -1);
	ck_assert_int_eq(errno, EEXIST);
	/* no child of it is in the way, either */
	ck_assert_int_eq(store_create(s, "w.c", '\0'), 0);
	ck_assert_int_eq(store_create(s, "z.a", '\0'), 0);
	ck_assert_int_eq(store_rename(s, "z", "w", &left), -1);
	ck_assert_int_eq(errno, EEXIST);
	ck_assert_str_eq(listing(), "+ -a* +ab=J -w^ +w.c +x=D -z^ +z.a "
	    "+z.c=T");
}
END_TEST

START_TEST(rename_is_taken_back)
{
	ck_assert_int_eq(store_create(s, "a", '\0'), 0);
	ck_assert_int_eq(store_create(s, "a.c", '\0'), 0);
	/* no directory, so that only the rename finds it */
	write_file(".b.c", "x");
	ck_assert_int_eq(store_rename(s, "a", "b", &left), -1);
	ck_assert_int_eq(errno, EEXIST);
	ck_assert_str_eq(listing(), "+ +a^ +a.c");
}
END_TEST

/* What has been done has been done, also where nothing can be written of it. */
START_TEST(leaves_uses_behind)
{
	struct timespec	old[2] = { { 1000000000, 0 }, { 1000000000, 0 } };

	ck_assert_int_eq(store_create(s, "a", 'S'), 0);
	ck_assert_int_eq(store_create(s, "b", 'T'), 0);
	make_dir(STORE_USES ".lock");
	ck_assert_int_eq(utimensat(store_root(s), STORE_USES ".lock", old, 0),
	    0);
	ck_assert_int_eq(store_delete(s, "a", &left), 0);
	ck_assert_int_eq(left, EISDIR);
	ck_assert_int_eq(store_rename(s, "b", "c", &left), 0);
	ck_assert_int_eq(left, EISDIR);
	ck_assert_str_eq(listing(), "+ +c");
	ck_assert_int_eq(store_delete(s, "none", &left), -1);
	ck_assert_int_eq(left, 0);
}
END_TEST

START_TEST(renames_inbox)
{
	write_file("cur/1.x:2,Sa", "1");
	write_file("new/2.x", "2");
	write_file("dovecot-keywords", "0 Label\n");
	ck_assert_int_eq(store_create(s, "there", '\0'), 0);
	ck_assert_int_eq(store_rename(s, "", "there", &left), -1);
	ck_assert_int_eq(errno, EEXIST);
	ck_assert_int_eq(store_rename(s, "", "Old.Mail", &left), 0);
	is_text(".Old.Mail/cur/1.x:2,Sa", "1");
	is_text(".Old.Mail/new/2.x", "2");
	is_text(".Old.Mail/dovecot-keywords", "0 Label\n");
	ck_assert(!there("cur/1.x:2,Sa"));
	ck_assert(!there("new/2.x"));
	ck_assert_str_eq(listing(), "+ -Old^ +Old.Mail +there");
}
END_TEST

START_TEST(uses)
{
	store_use_names(s, true);
	ck_assert_int_eq(store_create(s, "Drafts", '\0'), 0);
	ck_assert_int_eq(store_create(s, "Trash", '\0'), 0);
	ck_assert_int_eq(store_create(s, "Sent", '\0'), 0);
	ck_assert_str_eq(listing(), "+ +Drafts=D +Sent=S +Trash=T");
	ck_assert_int_eq(store_create(s, "Bin", 'T'), 0);
	ck_assert_int_eq(store_set_use(s, "Sent", '\0'), 0);
	ck_assert_str_eq(listing(), "+ +Bin=T +Drafts=D +Sent +Trash");
	ck_assert_int_eq(store_set_use(s, "Sent", 'a'), 0);
	ck_assert_int_eq(store_set_use(s, "Sent", 'x'), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_str_eq(listing(), "+ +Bin=T +Drafts=D +Sent=a +Trash");
	ck_assert_int_eq(store_use(s, "Bin"), 'T');
	ck_assert_int_eq(store_use(s, "Drafts"), 'D');
	ck_assert_int_eq(store_use(s, "Trash"), '\0');
	ck_assert_int_eq(store_use(s, "None"), '\0');
	store_use_names(s, false);
	ck_assert_str_eq(listing(), "+ +Bin=T +Drafts +Sent=a +Trash");
	is_text(STORE_USES, "V1:1,\nF3:Bin,\nU1:T,\nF4:Sent,\nU1:a,\n");
	write_file(STORE_USES, "F3:Bin,\nU1:T,\n");
	ck_assert_str_eq(listing(), "+ +Bin +Drafts +Sent +Trash");
	/* made with its use, or not at all */
	ck_assert_int_eq(unlinkat(store_root(s), STORE_USES, 0), 0);
	make_dir(STORE_USES);
	ck_assert_int_eq(store_create(s, "Spam", 'J'), -1);
	ck_assert_int_eq(errno, EISDIR);
	ck_assert(!store_exists(s, "Spam"));
}
END_TEST

static const struct {
	const char	*text;
	bool		 ok;
	uint64_t	 bytes, count;
} sizes[] = {
	{ "1000S\n0 0\n", true, 1000, QUOTA_NONE },
	{ "1000S,5C\n", true, 1000, 5 },
	{ "5C,1000S", true, 1000, 5 },
	{ "0S\n", true, QUOTA_NONE, QUOTA_NONE },
	{ "0S,7C\n", true, QUOTA_NONE, 7 },
	{ "", false, 0, 0 },
	{ "\n", false, 0, 0 },
	{ "12\n", false, 0, 0 },
	{ "12S,\n", false, 0, 0 },
	{ "99999999999999999999S\n", false, 0, 0 },
	{ "12X\n", false, 0, 0 },
};

START_TEST(quota_texts)
{
	struct quota	q;

	ck_assert_int_eq(quota_parse(str_from(sizes[_i].text), &q),
	    sizes[_i].ok);
	if (sizes[_i].ok) {
		ck_assert_uint_eq(q.bytes_max, sizes[_i].bytes);
		ck_assert_uint_eq(q.count_max, sizes[_i].count);
	}
}
END_TEST

#define SET(text)	"V1:1,\n" text

static const struct {
	const char	*text;
	bool		 ok;
	uint64_t	 bytes, count;
} settings[] = {
	{ SET("S3:512,\nM2:10,\n"), true, 512 * 1024, 10 },
	{ SET("M2:10,\nS3:512,\n"), true, 512 * 1024, 10 },
	{ SET("S1:0,\n"), true, 0, QUOTA_NONE },
	{ SET("M1:0,\n"), true, QUOTA_NONE, 0 },
	{ SET("S16:9007199254740991,\n"), true,
	    INT64_MAX / 1024 * 1024, QUOTA_NONE },
	{ SET("M19:9223372036854775807,\n"), true, QUOTA_NONE, INT64_MAX },
	{ SET("S16:9007199254740992,\n"), false, 0, 0 },
	{ SET("M19:9223372036854775808,\n"), false, 0, 0 },
	{ SET("S3:512,\nS3:512,\n"), false, 0, 0 },
	{ SET("M1:0,\nM1:0,\n"), false, 0, 0 },
	{ SET("S3:51x,\n"), false, 0, 0 },
	{ SET("S0:,\n"), false, 0, 0 },
	{ SET("S2:-1,\n"), false, 0, 0 },
	{ SET("S3:512,"), false, 0, 0 },
	{ SET("S3:512,\nX1:1,\n"), false, 0, 0 },
	{ SET("S3:512,\nM2:1"), false, 0, 0 },
	{ SET(""), false, 0, 0 },
	{ "V1:2,\nS3:512,\n", false, 0, 0 },
	{ "S3:512,\nV1:1,\n", false, 0, 0 },
	{ "", false, 0, 0 },
	{ "1000S\n", false, 0, 0 },
};

START_TEST(quota_settings)
{
	struct quota	q;
	struct buf	b;

	ck_assert_int_eq(quota_set_parse(str_from(settings[_i].text), &q),
	    settings[_i].ok);
	if (!settings[_i].ok)
		return;
	ck_assert_uint_eq(q.bytes_max, settings[_i].bytes);
	ck_assert_uint_eq(q.count_max, settings[_i].count);
	buf_init(&b, 256);
	ck_assert_int_eq(quota_set_put(&b, &q), 0);
	ck_assert(quota_set_parse(buf_view(&b), &q));
	ck_assert_uint_eq(q.bytes_max, settings[_i].bytes);
	ck_assert_uint_eq(q.count_max, settings[_i].count);
	buf_free(&b);
}
END_TEST

/* What is there, what comes, what may be. */
static const struct {
	struct quota	q;
	uint64_t	bytes;
	uint64_t	count;
	bool		fits;
	bool		tight;
} rooms[] = {
	{ { QUOTA_NONE, QUOTA_NONE, 0, 0, false }, INT64_MAX, INT64_MAX,
	    true, false },
	{ { 160, QUOTA_NONE, 0, 0, false }, 149, 1, true, false },
	{ { 160, QUOTA_NONE, 0, 0, false }, 150, 1, true, true },
	{ { 160, QUOTA_NONE, 0, 0, false }, 160, 1, true, true },
	{ { 160, QUOTA_NONE, 0, 0, false }, 161, 1, false, false },
	{ { 160, QUOTA_NONE, 161, 0, false }, 0, 0, false, false },
	{ { 160, QUOTA_NONE, 100, 0, false }, UINT64_MAX - 50, 1, false,
	    false },
	{ { QUOTA_NONE, 10, 0, 9, false }, 5, 1, true, true },
	{ { QUOTA_NONE, 10, 0, 10, false }, 5, 1, false, false },
	{ { 0, QUOTA_NONE, 0, 0, false }, 0, 1, true, true },
	{ { 1000, 100, 0, 0, false }, 10, 94, true, true },
	{ { 1000, 100, 0, 0, false }, 10, 93, true, false },
};

START_TEST(quota_room_left)
{
	const struct quota	*q = &rooms[_i].q;

	ck_assert_int_eq(quota_fits(q, rooms[_i].bytes, rooms[_i].count),
	    rooms[_i].fits);
	if (rooms[_i].fits)
		ck_assert_int_eq(quota_is_tight(q, rooms[_i].bytes,
		    rooms[_i].count), rooms[_i].tight);
}
END_TEST

/* What was set, then the settings, then maildirsize; what makes no sense is passed over. */
START_TEST(quota_sources)
{
	struct quota	q = { .bytes_max = 4096, .count_max = QUOTA_NONE };

	ck_assert(!quota_limits(s, &q));
	write_file("maildirsize", "1000S,3C\n");
	ck_assert(quota_limits(s, &q));
	ck_assert_uint_eq(q.bytes_max, 1000);
	quota_set(s, 150);
	ck_assert(quota_limits(s, &q));
	ck_assert_uint_eq(q.bytes_max, 150);
	ck_assert_uint_eq(q.count_max, QUOTA_NONE);
	q.bytes_max = 4096;
	q.count_max = 7;
	ck_assert_int_eq(quota_change(s, &q), 0);
	is_text("posthouse-quota", "V1:1,\nS1:4,\nM1:7,\n");
	ck_assert(quota_limits(s, &q));
	ck_assert(!q.is_bad);
	ck_assert_uint_eq(q.bytes_max, 4096);
	ck_assert_uint_eq(q.count_max, 7);
	/* all of what was before is gone */
	q = (struct quota){ .bytes_max = QUOTA_NONE, .count_max = 0 };
	ck_assert_int_eq(quota_change(s, &q), 0);
	ck_assert(quota_limits(s, &q));
	ck_assert_uint_eq(q.bytes_max, QUOTA_NONE);
	ck_assert_int_eq(quota_room(s, 1, 1), -1);
	ck_assert_int_eq(errno, EDQUOT);
	write_file("posthouse-quota", "4096S\n");
	ck_assert(quota_limits(s, &q));
	ck_assert(q.is_bad);
	ck_assert_uint_eq(q.bytes_max, 150);
	ck_assert_int_eq(unlinkat(store_root(s), "posthouse-quota", 0), 0);
	ck_assert_int_eq(mkfifoat(store_root(s), "posthouse-quota", 0600), 0);
	ck_assert(quota_limits(s, &q));
	ck_assert(q.is_bad);
	q.bytes_max = q.count_max = QUOTA_NONE;
	ck_assert_int_eq(quota_change(s, &q), 0);
	ck_assert_int_eq(faccessat(store_root(s), "posthouse-quota", F_OK, 0),
	    -1);
	ck_assert_int_eq(faccessat(store_root(s), "posthouse-quota.lock", F_OK,
	    0), -1);
	ck_assert_int_eq(quota_change(s, &q), 0);
	ck_assert(quota_limits(s, &q));
	ck_assert(!q.is_bad);
	quota_set(s, 0);
	ck_assert(quota_limits(s, &q));
	ck_assert_uint_eq(q.count_max, 3);
}
END_TEST

/* Nobody else may be there who would write it anew. */
START_TEST(long_maildirsize)
{
	char	text[6000] = "1000S,3C\n";
	size_t	i;

	write_file("cur/1.x,S=60:2,", "x");
	for (i = strlen(text); i + 5 < 5100; i += 4)
		strlcpy(text + i, "1 1\n", sizeof(text) - i);
	write_file("maildirsize", text);
	quota_changed(s, 60, 1);
	ck_assert_int_eq(store_create(s, "a", '\0'), 0);
	quota_changed(s, 1000000000, 100000);
	is_text("maildirsize", "1000S,3C\n60 1\n");
	quota_changed(s, 5, 1);
	is_text("maildirsize", "1000S,3C\n60 1\n5 1\n");
}
END_TEST

START_TEST(quotas)
{
	struct quota	q;

	ck_assert_int_eq(quota_room(s, INT64_MAX, 1), 0);
	ck_assert_int_eq(store_create(s, "a", '\0'), 0);
	write_file("cur/1.x,S=60:2,", "x");
	write_file(".a/new/2.x,S=40", "x");
	quota_set(s, 150);
	ck_assert_int_eq(quota_room(s, 50, 1), 0);
	ck_assert_int_eq(quota_room(s, 51, 1), -1);
	ck_assert_int_eq(errno, EDQUOT);
	quota_changed(s, 20, 1);
	ck_assert_int_eq(quota_usage(s, &q), 0);
	ck_assert_uint_eq(q.bytes, 120);
	ck_assert_uint_eq(q.count, 3);
	ck_assert_uint_eq(q.bytes_max, 150);
	/* what is too much by the figures is counted before it is refused */
	ck_assert_int_eq(quota_room(s, 50, 1), 0);
	ck_assert_int_eq(quota_room(s, UINT64_MAX, 1), -1);
	/* the settings' limit comes first, then maildirsize's */
	write_file("maildirsize", "1000S,3C\n100 2\n");
	ck_assert_int_eq(quota_room(s, 51, 1), -1);
	quota_set(s, 0);
	ck_assert_int_eq(quota_room(s, 900, 1), 0);
	ck_assert_int_eq(quota_room(s, 1, 2), -1);
	ck_assert_int_eq(errno, EDQUOT);
	ck_assert_int_eq(store_delete(s, "a", &left), 0);
	is_text("maildirsize", "1000S,3C\n100 2\n-40 -1\n");
	ck_assert_int_eq(quota_room(s, 1, 2), 0);
}
END_TEST

/* A folder that another program has begun gets what it lacks, for those who may use it. */
static const struct { mode_t folder, part; } begun[] = {
	{ 0700, 0700 }, { 0755, 0700 }, { 02770, 02770 }, { 02775, 02775 },
};

START_TEST(completes)
{
	static const char *const	parts[] = { ".F/cur", ".F/new", ".F/tmp" };
	struct maildir			m;
	struct stat			st;
	size_t				i;

	ck_assert_int_eq(mkdirat(store_root(s), ".F", 0700), 0);
	ck_assert_int_eq(fchmodat(store_root(s), ".F", begun[_i].folder, 0), 0);
	ck_assert_msg(store_open_folder(s, "F", false, &m, &why) == 0, "%s",
	    why.text);
	maildir_close(&m);
	for (i = 0; i < nitems(parts); i++) {
		ck_assert_int_eq(fstatat(store_root(s), parts[i], &st, 0), 0);
		ck_assert_uint_eq(st.st_mode & 07777, begun[_i].part);
	}
}
END_TEST

START_TEST(opens)
{
	struct store	*other = NULL;

	ck_assert_int_eq(store_open(&other, "mbox:/x", false, &why), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(store_open(&other, "maildir:/nowhere/at/all", true,
	    &why), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_ptr_null(other);
	ck_assert_ptr_nonnull(strstr(store_path(s), "/Maildir"));
	ck_assert_str_ne(store_host(s), "");
}
END_TEST

int
main(void)
{
	Suite	*suite = suite_create("store");
	TCase	*t = tcase_create("store");
	SRunner	*r;
	int	 failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, completes, 0, (int)nitems(begun));
	tcase_add_test(t, opens);
	tcase_add_test(t, lists);
	tcase_add_test(t, lists_anew);
	tcase_add_loop_test(t, subscription_text, 0, (int)nitems(changes));
	tcase_add_test(t, subscribes);
	tcase_add_test(t, subscribes_to_too_many);
	tcase_add_test(t, subscribes_behind_much);
	tcase_add_test(t, locks);
	tcase_add_test(t, locks_of_the_killed);
	tcase_add_test(t, locks_broken_at_once);
	tcase_add_test(t, locks_under_a_lock);
	tcase_add_test(t, locks_of_the_dead);
	tcase_add_test(t, locks_and_kills);
	tcase_add_loop_test(t, first_list, 0, 2);
	tcase_add_test(t, creates);
	tcase_add_loop_test(t, refuses_names, 0, (int)nitems(bad_names));
	tcase_add_test(t, deletes);
	tcase_add_test(t, deletes_under_a_lock);
	tcase_add_test(t, foreign_folders);
	tcase_add_test(t, validities);
	tcase_add_test(t, first_validity);
	tcase_add_test(t, renames);
	tcase_add_test(t, rename_is_taken_back);
	tcase_add_test(t, leaves_uses_behind);
	tcase_add_test(t, renames_inbox);
	tcase_add_test(t, uses);
	tcase_add_loop_test(t, quota_texts, 0, (int)nitems(sizes));
	tcase_add_loop_test(t, quota_settings, 0, (int)nitems(settings));
	tcase_add_loop_test(t, quota_room_left, 0, (int)nitems(rooms));
	tcase_add_test(t, quota_sources);
	tcase_add_test(t, long_maildirsize);
	tcase_add_test(t, quotas);
	suite_add_tcase(suite, t);
	r = srunner_create(suite);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
