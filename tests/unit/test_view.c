/* tests/unit/test_view.c - views of a folder in a real directory: what is shown, what is told, and what is left on disk. */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/now.h"
#include "common/store/arrivals.h"
#include "common/store/index.h"
#include "common/store/keywords.h"
#include "common/store/listing.h"
#include "common/store/view_impl.h"

static char		 top[] = "/tmp/ph-view.XXXXXX";
static char		 path[64];
static struct store	*store;
static int		 dir = -1;
static struct diag	 why;
static int		 left;	/* of a deletion or a rename */

static void
clear(const char *sub)
{
	struct dirent	*e;
	DIR		*d;
	int		 fd = openat(dir, sub, O_RDONLY | O_DIRECTORY);

	if (fd == -1 || (d = fdopendir(fd)) == NULL)
		return;
	while ((e = readdir(d)) != NULL)
		if (e->d_type != DT_DIR)
			unlinkat(dirfd(d), e->d_name, 0);
	closedir(d);
}

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
}

static void
teardown(void)
{
	static const char *const	subs[] = { "new", "cur", "tmp" };
	size_t				i;

	for (i = 0; i < nitems(subs); i++) {
		clear(subs[i]);
		unlinkat(dir, subs[i], AT_REMOVEDIR);
	}
	clear(".");
	store_close(&store);
	rmdir(path);
	ck_assert_int_eq(rmdir(top), 0);
}

static void
put(const char *name, const char *text)
{
	int	fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(fdio_write(fd, text, strlen(text)), 0);
	fdio_close(&fd);
}

static void
move(const char *from, const char *to)
{
	ck_assert_int_eq(renameat(dir, from, dir, to), 0);
}

/* Somebody removes the first of them just before the second is looked at, once. */
static const char	*removed, *looked_at;

int
fstatat(int at, const char *name, struct stat *st, int flags)
{
	if (looked_at != NULL && strcmp(name, looked_at) == 0) {
		looked_at = NULL;
		unlinkat(dir, removed, 0);
	}
	return (int)syscall(SYS_newfstatat, at, name, st, flags);
}

/* A message that comes just before another one is moved, once. */
static const char	*arrives;

int
renameat2(int from_dir, const char *from, int to_dir, const char *to,
    unsigned flags)
{
	const char	*name = arrives;

	arrives = NULL;
	if (name != NULL)
		put(name, "late\n");
	return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}

/* A name in cur/ that is missed so many times, as one is that moves while the directory is read: its time is another one, too. */
static const char	*missed;
static int		 misses;

ssize_t
getdents64(int fd, void *p, size_t size)
{
	ssize_t	n = syscall(SYS_getdents64, fd, p, size);
	char	*at = p, *end = at + (n > 0 ? n : 0);
	size_t	 len;

	for (; misses > 0 && at < end; at += len) {
		len = ((struct dirent64 *)(void *)at)->d_reclen;
		if (strcmp(((struct dirent64 *)(void *)at)->d_name,
		    missed) != 0)
			continue;
		memmove(at, at + len, (size_t)(end - at) - len);
		misses--;
		ck_assert_int_eq(futimens(fd, NULL), 0);
		return n - (ssize_t)len;
	}
	return n;
}

static bool
is_there(const char *name)
{
	return faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static struct view *
open_view(bool read_only)
{
	struct view	*v = NULL;

	ck_assert_msg(view_open(&v, store, "", read_only, &why) == 0, "%s",
	    why.text);
	return v;
}

static void
text_is(const char *name, const char *want)
{
	struct buf	text;

	buf_init(&text, 1u << 20);
	ck_assert_int_eq(fdio_slurp_at(dir, name, &text), 0);
	ck_assert_str_eq(buf_cstr(&text), want);
	buf_free(&text);
}

/* "uid:flags:keywords ..." */
static void
shows(struct view *v, const char *want)
{
	static const struct { uint16_t flag; char letter; } names[] = {
		{ VIEW_ANSWERED, 'A' }, { VIEW_FLAGGED, 'F' },
		{ VIEW_DELETED, 'D' }, { VIEW_SEEN, 'S' }, { VIEW_DRAFT, 'd' },
		{ VIEW_RECENT, 'R' },
	};
	const struct view_message	*m;
	struct buf			 got;
	size_t				 i, j;

	buf_init(&got, 65536);
	for (i = 0; i < view_count(v); i++) {
		m = view_message(v, i);
		buf_addf(&got, "%s%u", i > 0 ? " " : "", m->uid);
		for (j = 0; j < nitems(names); j++)
			if ((m->flags & names[j].flag) != 0)
				buf_addc(&got, names[j].letter);
		for (j = 0; j < VIEW_KEYWORDS; j++)
			if ((m->keywords >> j & 1) != 0)
				buf_addf(&got, "+%zu", j);
	}
	ck_assert_str_eq(got.n == 0 ? "" : buf_cstr(&got), want);
	buf_free(&got);
}

/* What a pass tells: "-2" the message with UID 2 is gone, "2" changed, ">3" from number 3 (from 0) on they are new, "k" keywords. */
static void
tells(struct view *v, bool expunges, const char *want)
{
	struct view_change	c;
	struct buf		got;
	uint32_t		uid;
	const char		*gap = "";

	buf_init(&got, 65536);
	ck_assert_int_ne(view_refresh(v), -1);
	while (view_next(v, expunges, &c)) {
		switch (c.kind) {
		case VIEW_EXPUNGED:
			buf_addf(&got, "%s-%u@%zu", gap, c.uid, c.at);
			break;
		case VIEW_CHANGED:
			uid = view_message(v, c.at)->uid;
			ck_assert_uint_eq(uid, c.uid);
			ck_assert_uint_eq(view_message(v, c.at)->modseq,
			    c.modseq);
			buf_addf(&got, "%s%u", gap, c.uid);
			break;
		case VIEW_ARRIVED:
			buf_addf(&got, "%s>%zu", gap, c.at);
			break;
		case VIEW_NEW_KEYWORDS:
			buf_addf(&got, "%sk", gap);
			break;
		}
		gap = " ";
	}
	ck_assert_str_eq(got.n == 0 ? "" : buf_cstr(&got), want);
	buf_free(&got);
}

static void
store_one(struct view *v, uint32_t uid, enum view_store_how how,
    uint16_t flags, uint64_t keywords)
{
	size_t	at = view_find(v, uid);

	ck_assert_uint_lt(at, view_count(v));
	ck_assert_int_eq(view_store(v, &at, 1, how, flags, keywords,
	    UINT64_MAX), 0);
}

/* A folder of four messages; a file of another program's in it. */
static void
fill(void)
{
	put("dovecot-uidlist", "3 V77 N9 Gabcdef\n"
	    "2 :10.M1.h\n3 W5 :11.M1.h\n5 :12.M1.h\n8 Gother :13.M1.h\n");
	put("cur/10.M1.h:2,S", "a\n");
	put("cur/11.M1.h:2,", "bb\n");
	put("cur/12.M1.h:2,FRab", "c\n");
	put("cur/13.M1.h:2,T", "d\n");
	put("dovecot-keywords", "0 Work\n1 $Junk\n");
}

START_TEST(opens)
{
	struct view	*v;

	fill();
	v = open_view(false);
	shows(v, "2S 3 5AF+0+1 8D");
	ck_assert_uint_eq(view_uidvalidity(v), 77);
	ck_assert_uint_eq(view_uidnext(v), 9);
	ck_assert_str_eq(view_mailbox_id(v), "abcdef");
	ck_assert_str_eq(view_keyword(v, 0), "Work");
	ck_assert_str_eq(view_keyword(v, 1), "$Junk");
	ck_assert_ptr_null(view_keyword(v, 2));
	ck_assert_uint_eq(view_keyword_bit(v, STR("$junk"), false), 2);
	ck_assert_uint_eq(view_find(v, 4), 2);
	ck_assert_uint_eq(view_find(v, 9), 4);
	tells(v, true, "");
	view_close(&v);
	text_is("dovecot-uidlist", "3 V77 N9 Gabcdef\n"
	    "2 :10.M1.h\n3 W5 :11.M1.h\n5 :12.M1.h\n8 Gother :13.M1.h\n");
	/* from the index alone */
	v = open_view(true);
	shows(v, "2S 3 5AF+0+1 8D");
	ck_assert_str_eq(view_keyword(v, 1), "$Junk");
	view_close(&v);
}
END_TEST

START_TEST(infos)
{
	struct view_info	info;
	struct view		*v;
	struct stat		 st;
	int			 fd;

	fill();
	v = open_view(false);
	ck_assert_int_eq(fstatat(dir, "cur/10.M1.h:2,S", &st, 0), 0);
	ck_assert_int_eq(view_info(v, 0, &info), 0);
	ck_assert_uint_eq(info.wire, 3);
	ck_assert_uint_eq(info.size, 2);
	ck_assert_int_eq(info.internal_date, st.st_mtim.tv_sec);
	ck_assert_int_eq(info.saved, st.st_ctim.tv_sec);
	ck_assert(str_eq(info.guid, STR("10.M1.h")));
	ck_assert_int_eq(view_info(v, 1, &info), 0);
	ck_assert_uint_eq(info.wire, 5);	/* as the list has it */
	ck_assert_int_eq(view_info(v, 3, &info), 0);
	ck_assert(str_eq(info.guid, STR("other")));
	/* renamed meanwhile: found again */
	move("cur/10.M1.h:2,S", "cur/10.M1.h:2,RS");
	ck_assert_int_ne(fd = view_open_message(v, 0), -1);
	fdio_close(&fd);
	/* gone meanwhile */
	ck_assert_int_eq(unlinkat(dir, "cur/11.M1.h:2,", 0), 0);
	ck_assert_int_eq(view_open_message(v, 1), -1);
	ck_assert_int_eq(errno, ENOENT);
	tells(v, false, "2");
	tells(v, true, "-3@1");
	view_close(&v);
}
END_TEST

START_TEST(new_messages)
{
	struct view_status	 s;
	struct view_info	 info;
	struct view		*v, *w, *r;

	put("new/20.M2.h,S=2,W=3", "a\n");
	put("new/20.M1.h", "a\n");
	ck_assert_int_eq(view_status(store, "", VIEW_STATUS_SIZE, &s, &why), 0);
	ck_assert_uint_eq(s.messages, 2);
	ck_assert_uint_eq(s.recent, 2);
	ck_assert_uint_eq(s.unseen, 2);
	ck_assert_uint_eq(s.uidnext, 3);
	ck_assert_uint_eq(s.size, 6);
	r = open_view(true);
	shows(r, "1R 2R");
	ck_assert(is_there("new/20.M1.h"));
	v = open_view(false);
	shows(v, "1R 2R");
	ck_assert_uint_eq(view_recent(v), 2);
	ck_assert(is_there("cur/20.M1.h:2,"));
	ck_assert(is_there("cur/20.M2.h,S=2,W=3:2,"));
	tells(r, true, "");
	w = open_view(false);
	shows(w, "1 2");
	put("new/5.M1.h", "a\n");
	tells(w, true, ">2");
	shows(w, "1 2 3R");
	ck_assert_uint_eq(view_recent(w), 1);
	tells(v, true, ">2");
	shows(v, "1R 2R 3");
	ck_assert_uint_eq(view_uidnext(v), 4);
	/* saved when they were delivered, not when they were taken from new/ */
	ck_assert_int_eq(view_info(v, 1, &info), 0);
	ck_assert_int_eq(info.saved, 20);
	ck_assert_int_eq(view_info(w, 2, &info), 0);
	ck_assert_int_eq(info.saved, 5);
	tells(r, true, ">2");
	view_close(&v);
	view_close(&w);
	view_close(&r);
}
END_TEST

/* Whoever asks next sees it, however short the time, and although nothing else says that the folder has changed. */
START_TEST(late)
{
	struct timespec	 times[2] = { { 0, UTIME_OMIT }, { 0, 0 } };
	struct stat	 st;
	struct view	*v, *w;

	fill();
	put("new/20.M1.h", "x\n");
	arrives = "new/21.M1.h";
	v = open_view(false);
	ck_assert_ptr_null(arrives);
	shows(v, "2S 3 5AF+0+1 8D 9R");
	w = open_view(true);
	shows(w, "2S 3 5AF+0+1 8D 9 10R");
	tells(v, true, ">5");
	view_close(&v);
	put("new/22.M1.h", "y\n");
	tells(w, true, ">6");
	/* within the same tick of the clock */
	ck_assert_int_eq(fstatat(dir, "new", &st, 0), 0);
	put("new/23.M1.h", "z\n");
	times[1] = st.st_mtim;
	ck_assert_int_eq(utimensat(dir, "new", times, 0), 0);
	tells(w, true, ">7");
	view_close(&w);
}
END_TEST

/* A processor that does not tick leaves the clock of files behind: what is renamed then has the time of what was seen. */
static bool	no_ticks;

int
clock_gettime(clockid_t id, struct timespec *ts)
{
	int	r = (int)syscall(SYS_clock_gettime, id, ts);

	if (no_ticks && id == CLOCK_REALTIME)
		ts->tv_sec += 2;
	return r;
}

/* The index is another file, and cannot be had just now: what is said next is of the new one, not of the old one. */
static bool	no_maps;

void *
mmap(void *at, size_t size, int can, int flags, int fd, off_t offset)
{
	if (no_maps && fd != -1) {
		errno = ENOMEM;
		return MAP_FAILED;
	}
	return (void *)syscall(SYS_mmap, at, size, can, flags, fd, offset);
}

START_TEST(index_not_had)
{
	struct buf	 text;
	struct view	*v, *w;
	int		 fd;

	fill();
	v = open_view(false);
	w = open_view(false);
	buf_init(&text, 1u << 20);
	ck_assert_int_eq(fdio_slurp_at(dir, "posthouse.index", &text), 0);
	fd = openat(dir, "index", O_WRONLY | O_CREAT, 0600);
	ck_assert_int_eq(fdio_write(fd, text.p, text.n), 0);
	fdio_close(&fd);
	buf_free(&text);
	move("index", "posthouse.index");
	store_one(w, 3, VIEW_ADD, VIEW_FLAGGED, 0);
	no_maps = true;
	ck_assert_int_eq(view_refresh(v), -1);
	ck_assert_int_eq(errno, ENOMEM);
	no_maps = false;
	tells(v, true, "3");
	ck_assert_uint_eq(view_message(v, 1)->modseq,
	    view_message(w, 1)->modseq);
	ck_assert_uint_eq(v->x.ino, w->x.ino);
	view_close(&v);
	view_close(&w);
}
END_TEST

START_TEST(clock_stands_still)
{
	struct timespec	times[2] = { { 0, UTIME_OMIT }, { 0, 0 } };
	struct maildir	m;
	struct listing	l;

	fill();
	ck_assert_int_eq(maildir_open_to_read(&m, dir, ".", "", false, &why),
	    0);
	ck_assert_int_eq(clock_gettime(CLOCK_REALTIME, &times[1]), 0);
	listing_init(&l, 1);
	times[1].tv_sec -= 1;
	ck_assert_int_eq(utimensat(dir, "new", times, 0), 0);
	ck_assert_int_eq(utimensat(dir, "cur", times, 0), 0);
	ck_assert_int_eq(listing_read(&l, &m, true, false), 0);
	ck_assert(l.is_stable && l.is_certain);
	times[1].tv_sec += 2;
	ck_assert_int_eq(utimensat(dir, "cur", times, 0), 0);
	no_ticks = true;
	ck_assert_int_eq(listing_read(&l, &m, true, false), 0);
	no_ticks = false;
	ck_assert(l.is_stable && !l.is_certain);
	listing_free(&l);
	maildir_close(&m);
}
END_TEST

START_TEST(two_views)
{
	struct view	*v, *w;
	size_t		 at[4] = { 0, 1, 2, 3 };
	uint64_t	 modseq;

	fill();
	v = open_view(false);
	w = open_view(false);
	modseq = view_highest_modseq(v);
	ck_assert_uint_eq(modseq, view_highest_modseq(w));
	store_one(v, 3, VIEW_ADD, VIEW_SEEN, 1);
	ck_assert(is_there("cur/11.M1.h:2,Sa"));
	shows(v, "2S 3S+0 5AF+0+1 8D");
	ck_assert_uint_eq(view_highest_modseq(v), modseq + 1);
	tells(v, true, "");
	shows(w, "2S 3 5AF+0+1 8D");
	tells(w, true, "3");
	shows(w, "2S 3S+0 5AF+0+1 8D");
	ck_assert_uint_eq(view_highest_modseq(w), modseq + 1);
	/* both change the same message: nothing is lost, each is told of the other's */
	store_one(v, 2, VIEW_ADD, VIEW_FLAGGED, 0);
	store_one(w, 2, VIEW_ADD, VIEW_ANSWERED, 0);
	ck_assert(is_there("cur/10.M1.h:2,FRS"));
	tells(v, true, "2");
	tells(w, true, "2");
	shows(v, "2AFS 3S+0 5AF+0+1 8D");
	shows(w, "2AFS 3S+0 5AF+0+1 8D");
	store_one(v, 2, VIEW_SET, VIEW_DELETED, 2);
	ck_assert(is_there("cur/10.M1.h:2,Tb"));
	/* only what has \Deleted goes, and what the other view has not told stays in it */
	ck_assert_int_eq(view_expunge(v, at, 4), 0);
	ck_assert(!is_there("cur/10.M1.h:2,Tb") && !is_there("cur/13.M1.h:2,T"));
	tells(v, true, "-2@0 -8@2");
	shows(v, "3S+0 5AF+0+1");
	tells(w, false, "");
	shows(w, "2AFS 3S+0 5AF+0+1 8D");
	ck_assert_int_eq(view_open_message(w, 0), -1);
	ck_assert_int_eq(errno, ENOENT);
	put("new/30.h", "e\n");
	tells(w, false, ">4");
	shows(w, "2AFS 3S+0 5AF+0+1 8D 9R");
	tells(w, true, "-2@0 -8@2");
	shows(w, "3S+0 5AF+0+1 9R");
	ck_assert_uint_eq(view_recent(w), 1);
	ck_assert_uint_eq(view_highest_modseq(w), modseq + 6);
	view_close(&v);
	view_close(&w);
}
END_TEST

START_TEST(unchanged_since)
{
	struct view	*v, *w;
	size_t		 at[3] = { 0, 1, 2 };
	uint64_t	 modseq;

	fill();
	v = open_view(false);
	w = open_view(false);
	modseq = view_highest_modseq(v);
	store_one(w, 3, VIEW_ADD, VIEW_SEEN, 0);
	ck_assert_int_eq(view_store(v, at, 3, VIEW_ADD, VIEW_DRAFT, 0, modseq),
	    0);
	ck_assert_uint_eq(at[0], 0);
	ck_assert_uint_eq(at[1], SIZE_MAX);
	ck_assert_uint_eq(at[2], 2);
	ck_assert(is_there("cur/10.M1.h:2,DS") && is_there("cur/11.M1.h:2,S"));
	/* a foreign program's change counts as well */
	modseq = view_highest_modseq(v);
	move("cur/12.M1.h:2,DFRab", "cur/12.M1.h:2,DRab");
	at[0] = 2;
	ck_assert_int_eq(view_store(v, at, 1, VIEW_ADD, VIEW_SEEN, 0,
	    view_message(v, 2)->modseq), 0);
	ck_assert_uint_eq(at[0], SIZE_MAX);
	tells(v, true, "3 5");
	view_close(&v);
	view_close(&w);
}
END_TEST

START_TEST(foreign_changes)
{
	struct view	*v;
	uint64_t	 modseq;

	fill();
	v = open_view(false);
	modseq = view_highest_modseq(v);
	move("cur/10.M1.h:2,S", "cur/10.M1.h:2,FPSz");
	ck_assert_int_eq(unlinkat(dir, "cur/12.M1.h:2,FRab", 0), 0);
	put("cur/14.M1.h:2,S", "e\n");
	tells(v, true, "2 -5@2 >3");
	shows(v, "2FS+25 3 8D 9S");
	ck_assert_uint_eq(view_highest_modseq(v), modseq + 1);
	/* letters that nobody knows stay */
	store_one(v, 2, VIEW_SET, VIEW_ANSWERED, 0);
	ck_assert(is_there("cur/10.M1.h:2,PRz"));
	/* a name that is not as we would write it */
	move("cur/11.M1.h:2,", "cur/11.M1.h:2,SF");
	store_one(v, 3, VIEW_REMOVE, VIEW_SEEN, 0);
	ck_assert(is_there("cur/11.M1.h:2,F"));
	tells(v, true, "3");
	/* removed while it is to be changed: passed over */
	ck_assert_int_eq(unlinkat(dir, "cur/11.M1.h:2,F", 0), 0);
	store_one(v, 3, VIEW_ADD, VIEW_SEEN, 0);
	tells(v, true, "-3@1");
	view_close(&v);
}
END_TEST

/* The index is lost, and a foreign program renames while it is made anew: UIDs are those that stand in the list all the same. */
START_TEST(missed_at_first)	/* loop: how often */
{
	static const int	often[] = { 1, 5, 10, 19 };
	struct view		*v;

	fill();
	missed = "11.M1.h:2,";
	misses = often[_i];
	v = open_view(false);
	ck_assert_int_eq(misses, 0);
	tells(v, true, "");
	shows(v, "2S 3 5AF+0+1 8D");
	view_close(&v);
}
END_TEST

/* Nor is what is put into a folder refused because of one who renames there. */
START_TEST(missed_arrival)
{
	struct arrivals	*a;
	struct arrival	 what = { .file = "40.h:2,S", .wire = 3 };
	struct view	*v;
	uint32_t	 valid;

	fill();
	v = open_view(false);
	ck_assert_int_eq(arrivals_open(&a, store, "", &why), 0);
	put("cur/40.h:2,S", "x\n");
	put("cur/39.h:2,", "x\n");	/* the folder has to be looked at */
	missed = "40.h:2,S";
	misses = 5;
	ck_assert_int_eq(arrivals_number(a, &what, 1, &valid), 0);
	ck_assert_int_eq(misses, 0);
	ck_assert_uint_eq(what.uid, 10);
	arrivals_close(&a);
	tells(v, true, ">4");
	view_close(&v);
}
END_TEST

/* What falls into the tick of the clock in which it was looked is seen as soon as was said. */
START_TEST(unsure)
{
	struct timespec	 times[2] = { { 0, UTIME_OMIT }, { 0, 0 } };
	struct stat	 st;
	struct view	*v;
	int64_t		 soon;

	fill();
	v = open_view(false);
	move("cur/10.M1.h:2,S", "cur/10.M1.h:2,FS");
	tells(v, true, "2");
	soon = view_unsure(v);
	ck_assert(soon > 0 && soon < 100);
	ck_assert_int_eq(fstatat(dir, "cur", &st, 0), 0);
	move("cur/11.M1.h:2,", "cur/11.M1.h:2,S");
	times[1] = st.st_mtim;
	ck_assert_int_eq(utimensat(dir, "cur", times, 0), 0);
	usleep((useconds_t)(1000 * soon + 1000));
	tells(v, true, "3");
	usleep(60000);
	tells(v, true, "");
	ck_assert_int_eq(view_unsure(v), 0);
	store_one(v, 3, VIEW_ADD, VIEW_FLAGGED, 0);
	ck_assert(view_unsure(v) > 0);
	view_close(&v);
}
END_TEST

/* A base name that was gone comes back: a client has been told that its UID is gone. */
START_TEST(reappears)
{
	struct view	*v;

	fill();
	v = open_view(false);
	move("cur/11.M1.h:2,", "tmp/x");
	tells(v, true, "-3@1");
	move("tmp/x", "cur/11.M1.h:2,S");
	tells(v, true, ">3");
	shows(v, "2S 5AF+0+1 8D 9S");
	text_is("dovecot-uidlist", "3 V77 N10 Gabcdef\n2 :10.M1.h\n"
	    "5 :12.M1.h\n8 Gother :13.M1.h\n9 :11.M1.h\n");
	view_close(&v);
	unlinkat(dir, "posthouse.index", 0);
	v = open_view(false);
	shows(v, "2S 5AF+0+1 8D 9S");
	view_close(&v);
}
END_TEST

/* Two files of one base name: two messages, unless it is one file. */
START_TEST(doubles)
{
	struct view	*v;
	size_t		 at[4] = { 0, 1, 2, 3 };

	fill();
	put("cur/11.M1.h:2,F", "another\n");
	ck_assert_int_eq(linkat(dir, "cur/12.M1.h:2,FRab", dir,
	    "cur/12.M1.h:2,S", 0), 0);
	usleep(60000);	/* until it is certain that it is no rename */
	v = open_view(false);
	ck_assert_uint_eq(view_count(v), 4);
	tells(v, true, ">4");
	ck_assert_uint_eq(view_count(v), 5);
	ck_assert(is_there("cur/12.M1.h:2,S") !=
	    is_there("cur/12.M1.h:2,FRab"));
	ck_assert_int_eq(view_store(v, at, 4, VIEW_SET, VIEW_SEEN, 0,
	    UINT64_MAX), 0);
	ck_assert(is_there("cur/11.M1.h:2,S"));
	view_close(&v);
}
END_TEST

/* A file with a copy elsewhere is renamed while it is looked whether its two names are of one: it has one then, which stays. */
START_TEST(no_double)
{
	static const char *const	names[] = {
		"12.M1.h:2,FRab", "12.M1.h:2,S"
	};
	struct view	*v;
	char		 first[64];

	fill();
	ck_assert_int_eq(linkat(dir, "cur/12.M1.h:2,FRab", dir, "tmp/copy",
	    0), 0);
	ck_assert_int_eq(linkat(dir, "cur/12.M1.h:2,FRab", dir,
	    "cur/12.M1.h:2,S", 0), 0);
	usleep(60000);
	snprintf(first, sizeof(first), "cur/%s", names[!_i]);
	removed = first;
	looked_at = names[_i];
	v = open_view(false);
	ck_assert_uint_eq(view_count(v), 4);
	view_close(&v);
	v = open_view(false);
	ck_assert_uint_eq(view_count(v), 4);
	view_close(&v);
	looked_at = NULL;
}
END_TEST

/* What is told to clients may come from whoever else can write to the folder. */
static const struct { const char *text; bool ok; } told[] = {
	{ "a $Junk\nb x\n", true }, { "z last\n", true }, { "", true },
	{ "a x) (y\n", false }, { "a x\r* BYE\n", false },
	{ "a \"\n", false }, { "{ x\n", false }, { "a\n", false },
	{ "a \xff\n", false }, { "a x y\n", false },
};

START_TEST(keywords_of_others)
{
	struct index	x = { .lock = -1, .fd = -1 };

	ck_assert_int_eq(index_take_keywords(&x, str_from(told[_i].text)),
	    told[_i].ok);
	ck_assert(index_id_ok(STR("0123abcDEF-_")) && index_id_ok(STR("")));
	ck_assert(!index_id_ok(STR("a) b")) && !index_id_ok(STR("a\r\n")));
	ck_assert(!index_id_ok(STR("0123456789012345678901234567890123456789")));
}
END_TEST

/* A list and an index with such: their folder is shown all the same, without it. */
START_TEST(identifier_of_others)
{
	struct view	*v;

	fill();
	put("dovecot-uidlist", "3 V1 N9 Gx)\r* BYE\n");
	v = open_view(false);
	ck_assert(index_id_ok(str_from(view_mailbox_id(v))));
	ck_assert_uint_eq(view_count(v), 4);
	view_close(&v);
}
END_TEST

START_TEST(vanished)
{
	struct view	*v;
	const uint32_t	*uids;
	size_t		 n, at[4] = { 0, 1, 2, 3 };
	uint64_t	 begin, middle;
	struct timespec	 times[2];
	bool		 all;
	int		 i;

	fill();
	v = open_view(false);
	begin = view_highest_modseq(v);
	ck_assert_int_eq(view_expunge(v, at, 4), 0);
	tells(v, true, "-8@3");
	middle = view_highest_modseq(v);
	ck_assert_uint_gt(middle, begin);
	store_one(v, 2, VIEW_ADD, VIEW_DELETED, 0);
	ck_assert_int_eq(view_expunge(v, at, 3), 0);
	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(view_vanished(v, begin, &uids, &n, &all), 0);
		ck_assert(all && n == 2 && uids[0] == 2 && uids[1] == 8);
		ck_assert_int_eq(view_vanished(v, middle, &uids, &n, &all), 0);
		ck_assert(all && n == 1 && uids[0] == 2);
		ck_assert_int_eq(view_vanished(v, begin - 2, &uids, &n, &all),
		    0);
		ck_assert(!all);
		view_close(&v);
		v = open_view(false);
	}
	view_close(&v);
	/* a new index knows nothing of before, and is above all that was told */
	ck_assert_int_eq(unlinkat(dir, "posthouse.index", 0), 0);
	v = open_view(false);
	ck_assert_int_eq(view_vanished(v, middle, &uids, &n, &all), 0);
	ck_assert(!all || view_highest_modseq(v) == begin);
	view_close(&v);
	/* that is so even if the clock goes back */
	times[0] = times[1] = (struct timespec){ .tv_sec = 4000000000 };
	ck_assert_int_eq(utimensat(dir, "cur", times, 0), 0);
	ck_assert_int_eq(unlinkat(dir, "posthouse.index", 0), 0);
	v = open_view(false);
	ck_assert_uint_gt(view_highest_modseq(v) >> 20, 3999999999);
	view_close(&v);
}
END_TEST

START_TEST(letters)
{
	const char	*c;
	int		 i;

	for (i = 0; i < INDEX_KEYWORDS; i++)
		ck_assert_int_eq(keyword_number(keyword_letter(i)), i);
	for (c = "DFPRST:,-_."; *c != '\0'; c++)
		ck_assert_int_eq(keyword_number(*c), -1);
	ck_assert_int_eq(keyword_number('\0'), -1);
	ck_assert_int_eq(keyword_number((char)0xe1), -1);
}
END_TEST

START_TEST(keywords)
{
	struct view	*v, *w;
	char		 name[16];
	int		 i;

	fill();
	v = open_view(false);
	w = open_view(false);
	ck_assert_uint_eq(view_keyword_bit(v, STR("new"), false), 0);
	ck_assert_uint_eq(view_keyword_bit(v, STR("new"), true), 4);
	text_is("dovecot-keywords", "0 Work\n1 $Junk\n2 new\n");
	store_one(v, 2, VIEW_ADD, 0, 4);
	ck_assert(is_there("cur/10.M1.h:2,Sc"));
	tells(w, true, "k 2");
	ck_assert_str_eq(view_keyword(w, 2), "new");
	ck_assert_uint_eq(view_keyword_bit(v, STR("no(pe"), true), 0);
	for (i = 3; i < VIEW_KEYWORDS; i++) {
		ck_assert(view_keywords_left(v));
		snprintf(name, sizeof(name), "k%d", i);
		ck_assert_uint_eq(view_keyword_bit(v, str_from(name), true),
		    UINT64_C(1) << i);
	}
	ck_assert(!view_keywords_left(v));
	ck_assert_uint_eq(view_keyword_bit(v, STR("more"), true), 0);
	/* more than Dovecot has letters for; what Maildir has is no keyword */
	store_one(v, 2, VIEW_ADD, VIEW_SEEN | VIEW_DRAFT, UINT64_C(1) << 25 |
	    UINT64_C(1) << 26 | UINT64_C(1) << 35 | UINT64_C(1) << 39 |
	    UINT64_C(1) << 55);
	ck_assert(is_there("cur/10.M1.h:2,09DESZcz"));
	store_one(v, 2, VIEW_REMOVE, VIEW_DRAFT, UINT64_C(1) << 35);
	ck_assert(is_there("cur/10.M1.h:2,0ESZcz"));
	view_close(&v);
	view_close(&w);
	ck_assert_int_eq(unlinkat(dir, "posthouse.index", 0), 0);
	v = open_view(false);
	shows(v, "2S+2+25+26+39+55 3 5AF+0+1 8D");
	ck_assert_str_eq(view_keyword(v, 55), "k55");
	ck_assert_str_eq(view_keyword(v, 26), "k26");
	w = open_view(false);
	view_close(&v);
	view_close(&w);
}
END_TEST

/* A list that is written piece by piece: old lines and new ones are all there, in their order. */
START_TEST(long_list)
{
	const unsigned	n = 6000, old = 2500;	/* of 200 bytes: three pieces */
	char		name[260];
	struct buf	text, got;
	struct view	*v;
	unsigned	i;

	buf_init(&text, 4u << 20);
	buf_init(&got, 4u << 20);
	buf_addf(&text, "3 V77 N%u\n", old + 1);
	for (i = 1; i <= n; i++) {
		if (i <= old)
			buf_addf(&text, "%u :%u.M%0180u.h\n", i, i, i);
		snprintf(name, sizeof(name), "cur/%u.M%0180u.h:2,", i, i);
		put(name, "");
	}
	put("dovecot-uidlist", buf_cstr(&text));
	v = open_view(false);
	ck_assert_uint_eq(view_count(v), n);
	buf_reset(&text);
	buf_addf(&text, "3 V77 N%u G%s\n", n + 1, view_mailbox_id(v));
	for (i = 1; i <= n; i++)
		buf_addf(&text, "%u :%u.M%0180u.h\n", i, i, i);
	view_close(&v);
	ck_assert_int_eq(fdio_slurp_at(dir, "dovecot-uidlist", &got), 0);
	ck_assert(str_eq(buf_view(&got), buf_view(&text)));
	buf_free(&text);
	buf_free(&got);
}
END_TEST

/* A file of keywords that is lost or damaged has no letter's name for itself: the index has them, and writes them again. */
START_TEST(keywords_lost)
{
	static const char *const	damage[] = { NULL, "", "garbage\n",
	    "0 Work\n", "1 Work\nno line", "1 $Junk\n",
	    "0 Work\n1 $Junk", "0 Work\n1 $Jun", "0 Work\n1", "0 W" };
	struct view			*v;
	size_t				 i;

	fill();
	v = open_view(false);
	for (i = 0; i < nitems(damage); i++) {
		if (damage[i] == NULL)
			unlinkat(dir, "dovecot-keywords", 0);
		else
			put("dovecot-keywords", damage[i]);
		tells(v, true, i == 4 ? "k" : i == 5 ? "k" : "");
		if (i != 4) {
			ck_assert_str_eq(view_keyword(v, 0), "Work");
			ck_assert_str_eq(view_keyword(v, 1), "$Junk");
		} else	/* what it says otherwise counts */
			ck_assert_str_eq(view_keyword(v, 1), "Work");
		put("dovecot-keywords", "0 Work\n1 $Junk\n");
		ck_assert_int_ne(view_refresh(v), -1);
	}
	/* and a new one does not get the letter of one that was lost */
	put("dovecot-keywords", "");
	ck_assert_uint_eq(view_keyword_bit(v, STR("new"), true), 4);
	text_is("dovecot-keywords", "0 Work\n1 $Junk\n2 new\n");
	ck_assert_int_ne(view_refresh(v), -1);	/* the index has it, too */
	put("dovecot-keywords", "1 $Junk\n");
	ck_assert_uint_eq(view_keyword_bit(v, STR("work"), true), 1);
	view_close(&v);
	v = open_view(false);
	text_is("dovecot-keywords", "1 $Junk\n0 Work\n2 new\n");
	shows(v, "2S 3 5AF+0+1 8D");
	view_close(&v);
}
END_TEST

/* One that is much too long is read as far as it may be, and made anew with what it says there. */
START_TEST(keywords_too_long)
{
	static char	text[70000];
	struct view	*v;
	size_t		 i, n;

	fill();
	v = open_view(false);
	n = (size_t)snprintf(text, sizeof(text), "1 $Work\n2 Two\n");
	for (i = n; i + 6 < sizeof(text); i += 6)
		memcpy(text + i, "77 xx\n", 7);
	memcpy(text + 65536 - 6, "9 cut-off\n", 10);
	put("dovecot-keywords", text);
	tells(v, true, "k");
	ck_assert_str_eq(view_keyword(v, 0), "Work");
	ck_assert_str_eq(view_keyword(v, 1), "$Work");
	ck_assert_str_eq(view_keyword(v, 2), "Two");
	ck_assert_ptr_null(view_keyword(v, 9));
	text_is("dovecot-keywords", "1 $Work\n2 Two\n0 Work\n");
	view_close(&v);
}
END_TEST

/* A file in new/ that is called as one in cur/ is another message, and the UID stays the first one's. */
START_TEST(double_in_new)
{
	struct view	*v;
	int		 fd;
	char		 c = 0;

	fill();
	v = open_view(false);
	put("new/10.M1.h", "x\n");
	usleep(60000);
	ck_assert_int_ne(view_refresh(v), -1);
	usleep(60000);
	tells(v, true, ">4");
	shows(v, "2S 3 5AF+0+1 8D 9R");
	ck_assert(is_there("cur/10.M1.h:2,S") && !is_there("new/10.M1.h"));
	ck_assert_int_ne(fd = view_open_message(v, 0), -1);
	ck_assert(read(fd, &c, 1) == 1 && c == 'a');
	fdio_close(&fd);
	ck_assert_int_ne(fd = view_open_message(v, 4), -1);
	ck_assert(read(fd, &c, 1) == 1 && c == 'x');
	fdio_close(&fd);
	view_close(&v);
}
END_TEST

/* Names that no list can hold, or that have no room for flags, become others. */
START_TEST(odd_names)
{
	struct view	*v;
	size_t		 at[2] = { 0, 1 };
	char		 name[256] = "new/";

	put("cur/1\n2:2,S", "a\n");
	memset(name + 4, 'l', sizeof(name) - 5);
	put(name, "b\n");
	v = open_view(false);
	tells(v, true, view_count(v) == 2 ? "" : ">0");
	ck_assert_uint_eq(view_count(v), 2);
	ck_assert(!is_there("cur/1\n2:2,S") && !is_there(name));
	ck_assert_int_eq(view_store(v, at, 2, VIEW_ADD, VIEW_SEEN |
	    VIEW_DELETED, 0, UINT64_MAX), 0);
	ck_assert_int_eq(view_expunge(v, at, 2), 0);
	tells(v, true, "-1@0 -2@0");
	view_close(&v);
}
END_TEST

/* Cut or written over where it lies, while a view has it mapped. */
START_TEST(index_underfoot)
{
	struct view	*v;
	struct buf	 text;
	struct index_row *row;
	size_t		 head;
	int		 fd, i;

	fill();
	v = open_view(false);
	buf_init(&text, 1u << 20);
	for (i = 0; i < 5; i++) {
		store_one(v, 3, VIEW_ADD, VIEW_SEEN, 0);
		if (i >= 3) {	/* the rows alone, of a mapping that nothing has changed in */
			view_close(&v);
			v = open_view(false);
		}
		buf_reset(&text);
		fd = openat(dir, "posthouse.index", O_RDWR);
		ck_assert_int_ne(fd, -1);
		ck_assert_int_eq(fdio_slurp(fd, &text), 0);
		head = i >= 3 ? sizeof(struct index_header) : 0;
		memset(text.p, 0, text.n);
		row = (void *)text.p;
		if (i == 0)
			ck_assert_int_eq(ftruncate(fd, 0), 0);
		else if (i == 1)
			ck_assert_int_eq(ftruncate(fd, 200), 0);
		else if (i == 4) {	/* one says that there is nothing to do */
			ck_assert_int_eq(fdio_pread(fd, row, sizeof(*row),
			    (off_t)(head + sizeof(*row))),
			    (ssize_t)sizeof(*row));
			ck_assert_uint_eq(row->uid, 3);
			row->flags = 0;
			ck_assert_int_eq(fdio_pwrite(fd, row, sizeof(*row),
			    (off_t)(head + sizeof(*row))), 0);
		} else
			ck_assert_int_eq(fdio_pwrite(fd, text.p,
			    4 * sizeof(struct index_row), (off_t)head), 0);
		fdio_close(&fd);
		if (i < 3)
			ck_assert_int_ne(view_refresh(v), -1);
		store_one(v, 3, VIEW_REMOVE, VIEW_SEEN, 0);
		ck_assert(is_there("cur/11.M1.h:2,"));
		shows(v, "2S 3 5AF+0+1 8D");
		ck_assert_uint_eq(view_uidvalidity(v), 77);
	}
	buf_free(&text);
	view_close(&v);
}
END_TEST

/* Rows that are written over are no news of messages that are gone. */
START_TEST(rows_underfoot)
{
	const off_t		 at = (off_t)(sizeof(struct index_header) +
				    (size_t)_i * sizeof(struct index_row));
	char			 garbage[2 * sizeof(struct index_row)];
	struct view_change	 c;
	struct view		*v;
	int			 fd, i;

	fill();
	v = open_view(false);
	view_close(&v);
	v = open_view(false);
	memset(garbage, 0x55, sizeof(garbage));
	fd = openat(dir, "posthouse.index", O_RDWR);
	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(fdio_pwrite(fd, garbage, sizeof(garbage), at), 0);
	fdio_close(&fd);
	put("new/14.M1.h", "e\n");
	for (i = 0; i < 3; i++) {
		ck_assert_int_ne(view_refresh(v), -1);
		while (view_next(v, true, &c))
			ck_assert_int_ne(c.kind, VIEW_EXPUNGED);
	}
	shows(v, "2S 3 5AF+0+1 8D 9R");
	ck_assert_uint_eq(view_uidvalidity(v), 77);
	view_close(&v);
}
END_TEST

static void
add_row(struct index *x, uint32_t uid)
{
	struct index_row	r = { .uid = uid, .wire = INDEX_UNKNOWN,
	    .size = INDEX_UNKNOWN, .date = INDEX_NO_DATE,
	    .saved = INDEX_NO_DATE };
	char			name[16];

	snprintf(name, sizeof(name), "m%u", uid);
	r.modseq = index_next_modseq(x);
	ck_assert_int_eq(index_add(x, &r, str_from(name), STR(":2,"),
	    STR("")), 0);
}

/* INDEX_GONE_MAX UIDs are kept of those that have gone: who was away for longer is not told half of it. */
START_TEST(vanished_bound)
{
	const size_t	more = 100;
	struct maildir	m = { .root = dir, .tmp = -1, .new = -1, .cur = -1 };
	struct index	x, y;
	uint64_t	modseq[INDEX_GONE_MAX + 100 + 1];
	size_t		i;

	ck_assert_int_eq(index_init(&x, &m, store), 0);
	index_reset(&x, 7);
	for (i = 1; i <= INDEX_GONE_MAX + more; i++)
		add_row(&x, (uint32_t)i);
	for (i = 1; i <= INDEX_GONE_MAX + more; i++) {
		modseq[i] = index_next_modseq(&x);
		ck_assert_int_eq(index_remove(&x, i - 1, modseq[i]), 0);
	}
	ck_assert_int_eq(index_lock(&x), 0);
	index_flush(&x);
	index_unlock(&x);
	ck_assert(!x.private);
	ck_assert_int_eq(index_init(&y, &m, store), 0);
	ck_assert_int_eq(index_catch_up(&y), 0);
	ck_assert_uint_eq(y.ngone, INDEX_GONE_MAX);
	ck_assert_uint_eq(y.gone[0].uid, more + 1);
	ck_assert_uint_eq(y.gone[0].modseq, modseq[more + 1]);
	/* up to here nothing is missing, and before it something is */
	ck_assert_uint_eq(y.head.floor, modseq[more]);
	ck_assert_uint_eq(y.head.highest, modseq[INDEX_GONE_MAX + more]);
	ck_assert_uint_eq(y.head.next, INDEX_GONE_MAX + more + 1);
	index_free(&x);
	index_free(&y);
}
END_TEST

/* What does not apply to memory is not written either: whoever reads it would take all that follows for damaged. */
START_TEST(not_applied)
{
	struct maildir		m = { .root = dir, .tmp = -1, .new = -1,
				    .cur = -1 };
	struct index_row	low = { .uid = 4 };
	struct index		x, y;
	size_t			before;

	ck_assert_int_eq(index_init(&x, &m, store), 0);
	index_reset(&x, 7);
	ck_assert_int_eq(index_lock(&x), 0);
	add_row(&x, 4);
	index_flush(&x);	/* the file is new, what follows are items */
	add_row(&x, 5);
	before = x.out.n;
	ck_assert_uint_gt(before, 0);
	ck_assert_int_eq(index_add(&x, &low, STR("low"), STR(":2,"),
	    STR("")), -1);
	ck_assert_int_eq(errno, EINVAL);
	x.out.max = before + 24;	/* its head has room, and no more */
	ck_assert_int_eq(index_set(&x, 0, VIEW_SEEN, 0,
	    index_next_modseq(&x), STR(":2,S")), -1);
	ck_assert_int_eq(errno, ENOMEM);
	ck_assert_uint_eq(x.out.n, before);
	x.out.max = (size_t)1 << 20;
	add_row(&x, 6);
	index_flush(&x);
	index_unlock(&x);
	ck_assert_int_eq(index_init(&y, &m, store), 0);
	ck_assert_int_eq(index_catch_up(&y), 0);
	ck_assert(!y.torn);
	ck_assert_uint_eq(index_count(&y), 3);
	ck_assert_uint_eq(index_row(&y, 0)->flags & VIEW_SEEN, 0);
	ck_assert_uint_eq(index_row(&y, 2)->uid, 6);
	index_free(&x);
	index_free(&y);
}
END_TEST

/* Names that nobody was told of, once. */
START_TEST(keywords_new)
{
	struct view	*v;

	fill();
	v = open_view(false);
	ck_assert(!view_keywords_new(v));
	ck_assert_uint_eq(view_keyword_bit(v, STR("new"), true), 4);
	ck_assert(view_keywords_new(v));
	ck_assert(!view_keywords_new(v));
	tells(v, true, "");
	view_close(&v);
}
END_TEST

START_TEST(validity)
{
	struct view	*v;

	fill();
	v = open_view(false);
	put("dovecot-uidlist", "3 V78 N3\n1 :10.M1.h\n");
	ck_assert_int_eq(view_refresh(v), -1);
	ck_assert_int_eq(errno, ESTALE);
	view_close(&v);
	v = open_view(false);
	ck_assert_uint_eq(view_uidvalidity(v), 78);
	shows(v, "1S 3 4AF+0+1 5D");
	view_close(&v);
	/* the list is lost: the index has the UIDs */
	ck_assert_int_eq(unlinkat(dir, "dovecot-uidlist", 0), 0);
	v = open_view(false);
	ck_assert_uint_eq(view_uidvalidity(v), 78);
	shows(v, "1S 3 4AF+0+1 5D");
	ck_assert(is_there("dovecot-uidlist"));
	view_close(&v);
	/* damaged: likewise */
	put("dovecot-uidlist", "\1\2\3");
	v = open_view(false);
	shows(v, "1S 3 4AF+0+1 5D");
	view_close(&v);
	/* both: all begins anew */
	unlinkat(dir, "dovecot-uidlist", 0);
	unlinkat(dir, "posthouse.index", 0);
	v = open_view(false);
	ck_assert_uint_gt(view_uidvalidity(v), 78);
	shows(v, "1S 2 3AF+0+1 4D");
	view_close(&v);
}
END_TEST

START_TEST(courier)
{
	struct view	*v;

	put("courierimapuiddb", "1 1234 9\n3 10.h\n4 gone.h\n7 11.h\n");
	ck_assert_int_eq(mkdirat(dir, "courierimapkeywords", 0700), 0);
	put("courierimapkeywords/:list",
	    "$Label1\nWork\n\n10.h:1\n11.h:0 1\n12.h:0\n");
	put("courierimapkeywords/.5.12.h", "Older\n");
	put("courierimapkeywords/12.h", "Later\nWork\n");
	put("cur/10.h:2,S", "a\n");
	put("cur/11.h:2,", "a\n");
	put("cur/12.h:2,", "a\n");
	v = open_view(false);
	ck_assert_uint_eq(view_uidvalidity(v), 1234);
	shows(v, "3S+1 7+0+1 9+1+3");
	ck_assert_str_eq(view_keyword(v, 0), "$Label1");
	ck_assert_str_eq(view_keyword(v, 3), "Later");
	ck_assert(is_there("cur/10.h:2,Sb"));
	ck_assert(is_there("cur/12.h:2,bd"));
	tells(v, true, "");
	view_close(&v);
	clear("courierimapkeywords");
	ck_assert_int_eq(unlinkat(dir, "courierimapkeywords", AT_REMOVEDIR), 0);
	unlinkat(dir, "posthouse.index", 0);
	v = open_view(false);
	ck_assert_uint_eq(view_uidvalidity(v), 1234);
	shows(v, "3S+1 7+0+1 9+1+3");
	view_close(&v);
}
END_TEST

START_TEST(arrivals)
{
	struct arrivals	*a;
	struct arrival	 what[2] = {
		{ .file = "40.h:2,S", .wire = 3, .saved = 1000 },
		{ .file = "41.h:2,b", .wire = 3, .saved = 1001,
		    .guid = STR("twin") },
	};
	struct view_info info;
	struct view	*v;
	uint32_t	 valid;
	char		 letter;

	fill();
	v = open_view(false);
	if (_i == 2)	/* the folder has to be looked at */
		put("cur/39.h:2,", "x\n");
	ck_assert_int_eq(arrivals_open(&a, store, "", &why), 0);
	ck_assert_int_eq(arrivals_keyword(a, STR("$Junk"), &letter), 0);
	ck_assert_int_eq(letter, 'b');
	put("cur/40.h:2,S", "x\n");
	put("cur/41.h:2,b", "x\n");
	if (_i == 1)	/* another session was faster */
		tells(v, true, ">4");
	ck_assert_int_eq(arrivals_number(a, what, 2, &valid), 0);
	ck_assert_uint_eq(valid, 77);
	ck_assert_uint_eq(what[0].uid, _i == 2 ? 10 : 9);
	ck_assert_uint_eq(what[1].uid, _i == 2 ? 11 : 10);
	arrivals_close(&a);
	if (_i != 1) {
		tells(v, true, ">4");
		ck_assert_int_eq(view_info(v, _i == 2 ? 6 : 5, &info), 0);
		ck_assert(str_eq(info.guid, STR("twin")));
		ck_assert_int_eq(info.saved, 1001);
	}
	shows(v, _i == 2 ? "2S 3 5AF+0+1 8D 9 10SR 11R+1" :
	    _i == 1 ? "2S 3 5AF+0+1 8D 9S 10+1" :
	    "2S 3 5AF+0+1 8D 9SR 10R+1");
	view_close(&v);
}
END_TEST

/* What we put there is recent to the first session that may take it so, and to nobody else. */
START_TEST(arrivals_recent)
{
	struct arrivals	*a;
	struct arrival	 what = { .file = "40.h:2,S", .wire = 3 };
	struct view	*v;
	uint32_t	 valid;

	fill();
	v = open_view(false);
	view_close(&v);
	if (_i == 1)	/* the folder has to be looked at */
		put("cur/39.h:2,", "x\n");
	ck_assert_int_eq(arrivals_open(&a, store, "", &why), 0);
	put("cur/40.h:2,S", "x\n");
	ck_assert_int_eq(arrivals_number(a, &what, 1, &valid), 0);
	arrivals_close(&a);
	if (_i == 2)
		ck_assert_int_eq(view_open_quick(&v, store, "", true, &why), 0);
	else
		v = open_view(true);
	ck_assert_uint_eq(view_recent(v), 1);
	view_close(&v);
	if (_i == 2)
		ck_assert_int_eq(view_open_quick(&v, store, "", false, &why), 0);
	else
		v = open_view(false);
	ck_assert_uint_eq(view_recent(v), 1);
	ck_assert_int_eq(view_complete(v), 0);
	ck_assert_uint_eq(view_recent(v), 1);
	store_one(v, what.uid, VIEW_ADD, VIEW_FLAGGED, 0);
	ck_assert_uint_eq(view_recent(v), 1);
	view_close(&v);
	v = open_view(false);
	ck_assert_uint_eq(view_recent(v), 0);
	view_close(&v);
}
END_TEST

/* Another session has seen it, and removed it, before it was numbered: it had a UID all the same, if anything remembers it. */
START_TEST(arrivals_gone)
{
	struct arrivals	*a;
	struct arrival	 what = { .file = "40.h:2,T", .wire = 3, .uid = 7 };
	struct view	*v;
	const size_t	 at[] = { 4 };
	uint32_t	 valid;

	fill();
	v = open_view(false);
	ck_assert_int_eq(arrivals_open(&a, store, "", &why), 0);
	put("cur/40.h:2,T", "x\n");
	tells(v, true, ">4");
	ck_assert_int_eq(view_expunge(v, at, 1), 0);
	ck_assert(!is_there("cur/40.h:2,T"));
	if (_i == 1)	/* as when it is written anew, without those that are gone */
		ck_assert_int_eq(unlinkat(dir, "posthouse.index", 0), 0);
	ck_assert_int_eq(arrivals_number(a, &what, 1, &valid), 0);
	ck_assert_uint_eq(what.uid, _i == 0 ? 9 : 0);
	arrivals_close(&a);
	tells(v, true, "-9@4");
	view_close(&v);
}
END_TEST

/* A directory that cannot be written, as by root's quota of EROFS: what can be done is done in memory. */
START_TEST(read_only_disk)
{
	struct view	*v;

	fill();
	ck_assert_int_eq(mkdirat(dir, "posthouse.lock", 0700), 0);
	v = open_view(false);
	shows(v, "2S 3 5AF+0+1 8D");
	move("cur/10.M1.h:2,S", "cur/10.M1.h:2,F");
	tells(v, true, "2");
	shows(v, "2F 3 5AF+0+1 8D");
	/* no UID that is not on disk is told of */
	put("new/99.h", "x\n");
	tells(v, true, "");
	view_close(&v);
	ck_assert_int_eq(unlinkat(dir, "posthouse.lock", AT_REMOVEDIR), 0);
	v = open_view(false);
	shows(v, "2F 3 5AF+0+1 8D 9R");
	view_close(&v);
}
END_TEST

/*
 * What could not be written has no modification sequence that a client may keep, for it is given to another change later; and what was told
 * and taken back again is told once more as soon as there is room.
 */
START_TEST(unwritten)
{
	struct view	*v, *w;
	const uint32_t	*uids;
	uint64_t	 before, after;
	size_t		 i, n;
	bool		 all;

	fill();
	v = open_view(false);
	before = view_highest_modseq(v);
	ck_assert_int_eq(unlinkat(dir, "posthouse.lock", 0), 0);
	ck_assert_int_eq(mkdirat(dir, "posthouse.lock", 0700), 0);
	move("cur/10.M1.h:2,S", "cur/10.M1.h:2,F");
	tells(v, true, "2");
	ck_assert_uint_eq(view_highest_told(v), before);
	ck_assert_uint_gt(view_message(v, 0)->modseq, before);
	ck_assert_uint_eq(view_modseq_told(v, view_message(v, 0)->modseq),
	    before);
	move("cur/10.M1.h:2,F", "cur/10.M1.h:2,S");
	w = open_view(false);	/* nor can this one write */
	ck_assert_uint_gt(view_message(w, 0)->modseq, before);
	ck_assert_int_eq(view_vanished(w, before, &uids, &n, &all), 0);
	ck_assert(!all);
	ck_assert_uint_eq(view_highest_told(w), before);
	view_close(&w);
	ck_assert_int_eq(unlinkat(dir, "posthouse.lock", AT_REMOVEDIR), 0);
	w = open_view(false);
	after = view_highest_modseq(w);
	for (i = 0; i < view_count(w); i++)
		ck_assert_uint_gt(view_modseq_told(w,
		    view_message(w, i)->modseq), before);
	ck_assert_int_eq(view_vanished(w, before, &uids, &n, &all), 0);
	ck_assert(!all);
	view_close(&w);
	tells(v, true, "2 3 5 8");
	w = open_view(false);	/* once only */
	ck_assert_uint_eq(view_highest_modseq(w), after);
	view_close(&w);
	view_close(&v);
}
END_TEST

/* What is shown of one message alone is no more told of; that of others is. */
START_TEST(shown_newest)
{
	struct view	*v, *w;
	size_t		 at[2] = { 0, 1 };

	fill();
	v = open_view(false);
	w = open_view(false);
	store_one(w, 2, VIEW_ADD, VIEW_DRAFT, 0);
	store_one(w, 3, VIEW_ADD, VIEW_SEEN, 0);
	store_one(w, 5, VIEW_ADD, VIEW_SEEN, 0);
	ck_assert(!view_show_newest(v, 2));	/* not read yet */
	ck_assert_int_eq(view_store(v, at, 2, VIEW_ADD, VIEW_SEEN, 0,
	    UINT64_MAX), 0);
	ck_assert(view_show_newest(v, 0) && view_show_newest(v, 1));
	ck_assert(!view_show_newest(v, 0));
	ck_assert_uint_eq(view_message(v, 0)->flags, VIEW_SEEN | VIEW_DRAFT);
	ck_assert_uint_eq(view_message(v, 0)->modseq,
	    view_message(w, 0)->modseq);
	tells(v, true, "5");
	view_close(&w);
	view_close(&v);
}
END_TEST

/* Nothing was ever written, and cannot be: numbers for each session alone, until it can. */
START_TEST(alone)
{
	struct view	*v, *w;
	uint32_t	 a, b;

	fill();
	unlinkat(dir, "dovecot-uidlist", 0);
	ck_assert_int_eq(mkdirat(dir, "posthouse.lock", 0700), 0);
	put("dovecot-uidvalidity", "00000001");
	put("dovecot-uidvalidity.00000001", "");
	/* the next one is in the way */
	ck_assert_int_eq(mkdirat(dir, "dovecot-uidvalidity.00000002", 0700), 0);
	v = open_view(false);
	w = open_view(false);
	a = view_uidvalidity(v);
	b = view_uidvalidity(w);
	ck_assert(a != 0 && b != 0 && a != b && a <= 1u << 30);
	shows(v, "1S 2 3AF+0+1 4D");
	move("cur/10.M1.h:2,S", "cur/10.M1.h:2,F");
	tells(v, true, "1");
	ck_assert_uint_eq(view_uidvalidity(v), a);
	/* they are not written down */
	unlinkat(dir, "posthouse.lock", AT_REMOVEDIR);
	unlinkat(dir, "dovecot-uidvalidity.00000002", AT_REMOVEDIR);
	move("cur/10.M1.h:2,F", "cur/10.M1.h:2,S");
	ck_assert_int_eq(view_refresh(v), -1);
	ck_assert_int_eq(errno, ESTALE);
	view_close(&v);
	ck_assert_int_eq(view_refresh(w), -1);
	ck_assert_int_eq(errno, ESTALE);
	view_close(&w);
	v = open_view(false);
	ck_assert_uint_eq(view_uidvalidity(v), 2);
	shows(v, "1S 2 3AF+0+1 4D");
	view_close(&v);
}
END_TEST

/* Whatever happens to the index, nothing is lost, and no UID is another's. */
/* The clock of the file system has to have gone on before an index counts as fresh; it does for a tick before, too. */
static void
settle(void)
{
	struct view	*v;
	int		 tries;
	bool		 quick = false;

	for (tries = 0; tries < 500 && !quick; tries++) {
		ck_assert_int_eq(view_open_quick(&v, store, "", true, &why),
		    0);
		quick = v->quick && v->x.head.new_dir.due == 0 &&
		    v->x.head.cur_dir.due == 0;
		view_close(&v);
		if (!quick)
			usleep(10000);
	}
	ck_assert_msg(quick, "the index is never fresh");
}

static struct view *
open_quick(bool read_only)
{
	struct view	*v = NULL;

	ck_assert_msg(view_open_quick(&v, store, "", read_only, &why) == 0,
	    "%s", why.text);
	ck_assert(v->quick);
	return v;
}

/* One byte of the rows or names is another one. */
static void
spoil(off_t from_header)
{
	const off_t	at = (off_t)sizeof(struct index_header) + from_header;
	char		c;
	int		fd = openat(dir, "posthouse.index", O_RDWR);

	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(pread(fd, &c, 1, at), 1);
	c ^= 0x11;
	ck_assert_int_eq(pwrite(fd, &c, 1, at), 1);
	fdio_close(&fd);
}

/* Opened by the header and the items alone: it says what the rows say. */
START_TEST(quick)
{
	static const uint16_t	seen = VIEW_SEEN;
	struct view		*v, *w;

	fill();
	v = open_view(false);
	view_close(&v);
	settle();
	v = open_quick(false);
	ck_assert_uint_eq(view_count(v), 4);
	ck_assert_uint_eq(view_first_unseen(v), 1);
	ck_assert_uint_eq(view_uidnext(v), 9);
	ck_assert_str_eq(view_keyword(v, 1), "$Junk");
	/* what others do meanwhile is not shown before it is told of */
	w = open_view(false);
	store_one(w, 3, VIEW_ADD, seen, 0);
	ck_assert_int_eq(view_complete(v), 0);
	shows(v, "2S 3 5AF+0+1 8D");
	tells(v, true, "3");
	shows(v, "2S 3S 5AF+0+1 8D");
	view_close(&v);
	/* items behind the table */
	v = open_quick(true);
	ck_assert_uint_eq(view_first_unseen(v), 2);
	view_close(&v);
	store_one(w, 2, VIEW_REMOVE, seen, 0);
	v = open_quick(true);
	ck_assert_uint_eq(view_first_unseen(v), 0);
	view_close(&v);
	ck_assert_int_eq(view_expunge(w, (const size_t[]){ 3 }, 1), 0);
	store_one(w, 2, VIEW_ADD, VIEW_DELETED, 0);
	ck_assert_int_eq(view_expunge(w, (const size_t[]){ 0 }, 1), 0);
	v = open_quick(true);
	ck_assert_uint_eq(view_count(v), 2);
	ck_assert_uint_eq(view_first_unseen(v), 1);
	ck_assert_int_eq(view_complete(v), 0);
	ck_assert_uint_eq(view_first_unseen(v), 1);
	shows(v, "3S 5AF+0+1");
	view_close(&v);
	view_close(&w);
}
END_TEST

START_TEST(quick_all_seen)
{
	struct view_status	 status;
	struct view		*v;

	put("cur/10.M1.h:2,S", "a\n");
	put("cur/11.M1.h:2,ST", "bb\n");
	v = open_view(false);
	view_close(&v);
	settle();
	v = open_quick(false);
	ck_assert_uint_eq(view_first_unseen(v), 2);
	view_close(&v);
	ck_assert_int_eq(view_status(store, "", VIEW_STATUS_SIZE, &status,
	    &why), 0);
	ck_assert_uint_eq(status.messages, 2);
	ck_assert_uint_eq(status.unseen, 0);
	ck_assert_uint_eq(status.deleted, 1);
	ck_assert_uint_eq(status.size, 7);
	ck_assert_uint_eq(status.deleted_size, 4);
}
END_TEST

/* Rows that are damaged: found when they are needed, and made anew; at each place. */
START_TEST(quick_damaged)
{
	struct index_header	 h;
	struct view		*v;
	struct buf		 text;
	off_t			 at, words;

	fill();
	v = open_view(false);
	view_close(&v);
	buf_init(&text, 1u << 20);
	ck_assert_int_eq(fdio_slurp_at(dir, "posthouse.index", &text), 0);
	ck_assert(index_check_head(text.p, text.n, &h));
	buf_free(&text);
	words = (off_t)(h.rows * sizeof(struct index_row) +
	    h.gone * sizeof(struct index_gone));
	for (at = 0; at < (off_t)index_sections_size(&h); at += 37) {
		/* these are looked at when it is opened */
		if (at >= words && at < words + (off_t)h.keywords_size)
			continue;
		settle();
		spoil(at);
		v = open_quick(at % 2 == 0);
		ck_assert_uint_eq(view_count(v), 4);
		ck_assert_int_eq(view_complete(v), 0);
		shows(v, "2S 3 5AF+0+1 8D");
		ck_assert_int_eq(view_refresh(v), 0);
		view_close(&v);
		/* it has been made anew */
		settle();
		v = open_quick(true);
		ck_assert_int_eq(view_complete(v), 0);
		shows(v, "2S 3 5AF+0+1 8D");
		view_close(&v);
	}
	settle();
	/* and the list is not what the header was made of: whoever was told of it has to go */
	spoil(0);
	v = open_quick(false);
	put("dovecot-uidlist", "3 V78 N9 Gabcdef\n2 :10.M1.h\n");
	ck_assert_int_eq(view_complete(v), -1);
	ck_assert_int_eq(errno, ESTALE);
	view_close(&v);
	settle();
	v = open_quick(false);
	ck_assert_uint_eq(view_uidvalidity(v), 78);
	ck_assert_int_eq(view_complete(v), 0);
	view_close(&v);
}
END_TEST

START_TEST(damage)
{
	struct view	*v, *w;
	struct buf	 text;
	size_t		 at;
	int		 fd;

	fill();
	v = open_view(false);
	store_one(v, 3, VIEW_ADD, VIEW_SEEN, 0);
	store_one(v, 5, VIEW_ADD, VIEW_SEEN, 0);
	view_close(&v);
	buf_init(&text, 1u << 20);
	ck_assert_int_eq(fdio_slurp_at(dir, "posthouse.index", &text), 0);
	for (at = 0; at < text.n; at += at < 300 ? 7 : 31) {
		fd = openat(dir, "posthouse.index",
		    O_WRONLY | O_CREAT | O_TRUNC, 0600);
		ck_assert_int_ne(fd, -1);
		if (at % 2 == 0)	/* cut off, or another byte */
			ck_assert_int_eq(fdio_write(fd, text.p, at), 0);
		else {
			text.p[at] ^= 0x11;
			ck_assert_int_eq(fdio_write(fd, text.p, text.n), 0);
			text.p[at] ^= 0x11;
		}
		fdio_close(&fd);
		v = open_view(false);
		shows(v, "2S 3S 5AFS+0+1 8D");
		ck_assert_uint_eq(view_uidvalidity(v), 77);
		ck_assert_uint_eq(view_uidnext(v), 9);
		w = open_view(false);
		store_one(w, 2, VIEW_ADD, VIEW_FLAGGED, 0);
		tells(v, true, "2");
		store_one(v, 2, VIEW_REMOVE, VIEW_FLAGGED, 0);
		tells(w, true, "2");
		view_close(&w);
		view_close(&v);
	}
	buf_free(&text);
}
END_TEST

/* So much is changed that the file is made anew, under the eyes of another view. */
START_TEST(generations)
{
	struct stat	 st;
	struct view	*v, *w, *u;
	ino_t		 ino;
	off_t		 most = 0;
	int		 i, files = 0;

	fill();
	v = open_view(false);
	w = open_view(false);
	u = open_view(true);
	ck_assert_int_eq(fstatat(dir, "posthouse.index", &st, 0), 0);
	ino = st.st_ino;
	for (i = 0; i < 1200; i++) {
		store_one(v, 3, i % 2 == 0 ? VIEW_ADD : VIEW_REMOVE, VIEW_SEEN,
		    0);
		ck_assert_int_eq(fstatat(dir, "posthouse.index", &st, 0), 0);
		files += st.st_ino != ino;
		ino = st.st_ino;
		if (st.st_size > most)
			most = st.st_size;
		if (i % 7 == 0) {
			tells(w, true, "3");
			/* after ten seconds it has to look itself */
			tells(v, true, "");
			ck_assert_uint_eq(view_highest_modseq(v),
			    view_highest_modseq(w));
		}
	}
	ck_assert_int_gt(files, 1);
	ck_assert_int_lt(most, 80000);
	tells(u, true, i % 2 == 0 ? "3" : "");
	shows(u, "2S 3 5AF+0+1 8D");
	view_close(&v);
	view_close(&w);
	view_close(&u);
}
END_TEST

/* Who leaves the folder does not leave many items to be read. */
START_TEST(tidy)
{
	struct index_header	 h;
	struct buf		 text;
	struct view		*v;
	size_t			 before;
	int			 i;

	fill();
	v = open_view(false);
	for (i = 0; i < 101; i++)
		store_one(v, 3, i % 2 == 0 ? VIEW_ADD : VIEW_REMOVE, VIEW_SEEN,
		    0);
	buf_init(&text, 1u << 20);
	ck_assert_int_eq(fdio_slurp_at(dir, "posthouse.index", &text), 0);
	before = text.n;
	view_close(&v);
	buf_reset(&text);
	ck_assert_int_eq(fdio_slurp_at(dir, "posthouse.index", &text), 0);
	ck_assert(index_check_head(text.p, text.n, &h));
	ck_assert_uint_eq(text.n, sizeof(h) + index_sections_size(&h));
	ck_assert_uint_gt(before, text.n + 16384);
	buf_free(&text);
	v = open_view(false);
	shows(v, "2S 3S 5AF+0+1 8D");
	view_close(&v);
}
END_TEST

/* The index is of before the machine was started, and told of changes up to highest (0: of those that it has). */
static void
restart(uint64_t highest)
{
	struct index_header	*h;
	struct buf		 text;
	int			 fd;

	buf_init(&text, 1u << 20);
	ck_assert_int_eq(fdio_slurp_at(dir, "posthouse.index", &text), 0);
	ck_assert_uint_ge(text.n, sizeof(*h));
	h = (void *)text.p;
	h->booted -= INDEX_BOOT_SLACK + 1;
	if (highest != 0)
		h->highest = highest;
	index_sum(h, text.p + sizeof(*h));
	/* behind it there is nothing that a sum holds */
	text.n = sizeof(*h) + index_sections_size(h);
	ck_assert_int_eq(unlinkat(dir, "posthouse.index", 0), 0);
	fd = openat(dir, "posthouse.index", O_WRONLY | O_CREAT, 0600);
	ck_assert_int_eq(fdio_write(fd, text.p, text.n), 0);
	fdio_close(&fd);
	buf_free(&text);
}

/* The machine was started since: nobody knows what was lost, so all has changed. */
START_TEST(restarted)
{
	struct view	*v;
	const uint32_t	*uids;
	uint64_t	 before, modseq;
	size_t		 i, n;
	bool		 all;

	fill();
	v = open_view(false);
	before = view_highest_modseq(v);
	view_close(&v);
	restart(0);
	v = open_view(false);
	shows(v, "2S 3 5AF+0+1 8D");
	modseq = view_highest_modseq(v);
	ck_assert_uint_gt(modseq, before);
	for (i = 0; i < view_count(v); i++)
		ck_assert_uint_eq(view_message(v, i)->modseq, modseq);
	ck_assert_int_eq(view_vanished(v, before, &uids, &n, &all), 0);
	ck_assert(!all);
	view_close(&v);
	v = open_view(false);	/* once only */
	ck_assert_uint_eq(view_highest_modseq(v), modseq);
	view_close(&v);
}
END_TEST

/* The clock was a year ahead then: what was told of after the index was written is passed over all the same. */
START_TEST(restarted_with_another_clock)
{
	const uint64_t	 ahead = index_modseq_at(now_real().tv_sec +
	    366 * 86400, 0);
	struct view	*v;
	uint64_t	 modseq;
	size_t		 i;

	fill();
	v = open_view(false);
	view_close(&v);
	restart(ahead);
	v = open_view(false);
	modseq = view_highest_modseq(v);
	ck_assert_uint_gt(modseq, ahead + 1000000);
	for (i = 0; i < view_count(v); i++)
		ck_assert_uint_eq(view_message(v, i)->modseq, modseq);
	view_close(&v);
}
END_TEST

/* The list has lost lines, and the index does not know of them: nobody gets the UIDs that stood there. */
START_TEST(restarted_without_list)
{
	static const struct {
		const char	*list;		/* NULL: none */
		const char	*shown;
	} rows[] = {
		{ NULL, "2S 3 5AF+0+1 8D 1048585" },
		{ "", "2S 3 5AF+0+1 8D 1048585" },
		{ "3 V77 N9 Gabcdef\n2 :10.M1.h\n3 W5 :11.M1.h\n"
		    "5 :12.M1.h\n8 Gother :13.M1.h\n\1\2\3\n", "2S 3 5AF+0+1 8D 1048585" },
	};
	struct view	*v;
	size_t		 i;

	for (i = 0; i < nitems(rows); i++) {
		clear("cur");
		clear("new");
		unlinkat(dir, "posthouse.index", 0);
		fill();
		v = open_view(false);
		shows(v, "2S 3 5AF+0+1 8D");
		view_close(&v);
		restart(0);
		unlinkat(dir, "dovecot-uidlist", 0);
		if (rows[i].list != NULL)
			put("dovecot-uidlist", rows[i].list);
		put("cur/99.M1.h:2,", "");
		v = open_view(false);
		ck_assert_uint_eq(view_uidvalidity(v), 77);
		shows(v, rows[i].shown);
		view_close(&v);
	}
}
END_TEST

START_TEST(gone_folder)
{
	struct view	*v;

	ck_assert_int_eq(view_open(&v, store, "none", false, &why), -1);
	ck_assert_int_eq(errno, ENOENT);
	fill();
	v = open_view(false);
	clear("cur");
	ck_assert_int_eq(unlinkat(dir, "cur", AT_REMOVEDIR), 0);
	ck_assert_int_eq(view_refresh(v), -1);
	ck_assert_int_eq(errno, ESTALE);
	view_close(&v);
}
END_TEST

/* Two sessions each make a keyword; the one that writes last does not take the other's away. */
START_TEST(keywords_of_two)
{
	struct view	*v, *w;
	uint64_t	 one, two;
	size_t		 at = 0;

	put("cur/a:2,", "");
	put("dovecot-uidlist", "3 V7 N2\n1 :a\n");
	v = open_view(false);
	w = open_view(false);
	ck_assert_uint_eq(one = view_keyword_bit(v, STR("one"), true), 1);
	ck_assert_uint_eq(two = view_keyword_bit(w, STR("two"), true), 2);
	ck_assert_int_eq(view_store(w, &at, 1, VIEW_ADD, VIEW_SEEN, two,
	    UINT64_MAX), 0);
	ck_assert_int_eq(view_store(v, &at, 1, VIEW_ADD, VIEW_FLAGGED, one,
	    UINT64_MAX), 0);
	ck_assert(is_there("cur/a:2,FSab"));
	view_close(&v);
	v = open_view(false);
	shows(v, "1FS+0+1");
	ck_assert_str_eq(view_keyword(v, 0), "one");
	ck_assert_str_eq(view_keyword(v, 1), "two");
	ck_assert_int_eq(view_refresh(w), 1);
	ck_assert_str_eq(view_keyword(w, 0), "one");
	ck_assert_str_eq(view_keyword(w, 1), "two");
	view_close(&v);
	view_close(&w);
}
END_TEST

/* It is the same folder under any name, until it has none. */
START_TEST(renamed_folder)
{
	struct view	*v, *w, *of_new;
	size_t		 at = 0;

	ck_assert_int_eq(store_create(store, "Work.Sub", '\0'), 0);
	put(".Work.Sub/cur/a:2,", "a\n");
	ck_assert_int_eq(view_open(&v, store, "Work.Sub", false, &why), 0);
	ck_assert_int_eq(view_open(&w, store, "Work.Sub", true, &why), 0);
	ck_assert_int_eq(store_rename(store, "Work", "Play", &left), 0);
	ck_assert_str_eq(view_folder(v), "Work.Sub");
	ck_assert_int_eq(view_refresh(v), 0);
	ck_assert_str_eq(view_folder(v), "Play.Sub");
	/* what has got the old name is another one */
	ck_assert_int_eq(store_create(store, "Work.Sub", '\0'), 0);
	ck_assert_int_eq(view_follow(w), 0);
	ck_assert_str_eq(view_folder(w), "Play.Sub");
	ck_assert_int_eq(view_open(&of_new, store, "Work.Sub", false, &why),
	    0);
	shows(of_new, "");
	ck_assert_int_eq(view_store(v, &at, 1, VIEW_ADD, VIEW_SEEN, 0,
	    UINT64_MAX), 0);
	ck_assert(is_there(".Play.Sub/cur/a:2,S"));
	ck_assert_int_eq(view_refresh(w), 1);
	tells(w, true, "1");
	shows(w, "1S");
	/* out of the store, then gone */
	ck_assert_int_eq(renameat(dir, ".Play.Sub", dir, "away"), 0);
	ck_assert_int_eq(view_refresh(v), -1);
	ck_assert_int_eq(errno, ESTALE);
	ck_assert(!view_is_renumbered(v));
	ck_assert_int_eq(renameat(dir, "away", dir, ".Back"), 0);
	ck_assert_int_eq(view_refresh(v), 0);
	ck_assert_str_eq(view_folder(v), "Back");
	ck_assert_int_eq(store_delete(store, "Back", &left), 0);
	ck_assert_int_eq(view_refresh(v), -1);
	ck_assert_int_eq(errno, ESTALE);
	view_close(&v);
	view_close(&w);
	view_close(&of_new);
	ck_assert_int_eq(store_delete(store, "Work.Sub", &left), 0);
}
END_TEST

START_TEST(wait_fd)
{
	struct view	*v;
	int		 fd;

	fill();
	v = open_view(false);
	ck_assert_int_ne(fd = view_wait_fd(v), -1);
	ck_assert_int_eq(fdio_wait(fd, 1, 0), -1);
	put("new/50.h", "x\n");
	ck_assert_int_eq(fdio_wait(fd, 1, 0), 0);
	view_wait_clear(v);
	ck_assert_int_eq(fdio_wait(fd, 1, 0), -1);
	view_close(&v);
}
END_TEST

/* The list as it is now: the validity and what is behind the head. */
static uint32_t
list_now(char lines[1024])
{
	struct uidlist_head	h;
	struct buf		text;
	struct cur		in;

	buf_init(&text, 65536);
	ck_assert_int_eq(fdio_slurp_at(dir, "dovecot-uidlist", &text), 0);
	in = cur_from(buf_view(&text));
	ck_assert(uidlist_head(&in, &h));
	ck_assert_int_eq(str_copy(lines, 1024, cur_rest(&in)), 0);
	buf_free(&text);
	return h.validity;
}

/* No UID is left for what comes: all of them anew, in the same order, and whoever has the folder open has to leave it. */
START_TEST(used_up)
{
	struct view	*v, *w;
	size_t		 at = 0;
	char		 lines[1024], id[40];
	uint32_t	 now, next;

	put("cur/b:2,S", "Subject: b\n\nb\n");
	put("cur/a:2,F", "Subject: a\n\na\n");
	put("dovecot-uidlist", "3 V7 N4294967294 "
	    "Gaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa Xother\n"
	    "4294967290 Pold W20 :b\n4294967293 Gguid :a\n");
	v = open_view(false);
	shows(v, "4294967290S 4294967293F");
	ck_assert_int_eq(str_copy(id, sizeof(id),
	    str_from(view_mailbox_id(v))), 0);
	put("new/c", "");
	ck_assert_int_eq(view_refresh(v), 1);
	tells(v, true, ">2");
	shows(v, "4294967290S 4294967293F 4294967294R");
	ck_assert_uint_eq(view_uidnext(v), UINT32_MAX);
	ck_assert_uint_eq(list_now(lines), 7);
	put("new/d", "");
	w = open_view(false);
	shows(w, "1S 2F 3 4R");
	ck_assert_uint_eq(view_uidnext(w), 5);
	now = view_uidvalidity(w);
	ck_assert_uint_gt(now, 7);
	ck_assert_uint_eq(list_now(lines), now);
	ck_assert_str_eq(lines, "1 Pold W20 :b\n2 Gguid :a\n3 :c\n4 :d\n");
	ck_assert_str_ne(view_mailbox_id(w), id);
	/* the other one goes no farther, and touches nothing that it does not mean */
	ck_assert_int_eq(view_store(v, &at, 1, VIEW_ADD, VIEW_DELETED, 0,
	    UINT64_MAX), -1);
	ck_assert_int_eq(view_open_message(v, 0), -1);
	ck_assert_int_eq(view_refresh(v), -1);
	ck_assert_int_eq(errno, ESTALE);
	ck_assert(view_is_renumbered(v) && !view_is_renumbered(w));
	view_close(&v);
	ck_assert_int_eq(view_refresh(w), 0);
	shows(w, "1S 2F 3 4R");
	view_close(&w);
	/* without the index it is the same */
	ck_assert_int_eq(unlinkat(dir, INDEX_FILE, 0), 0);
	v = open_view(false);
	shows(v, "1S 2F 3 4");
	ck_assert_uint_eq(view_uidvalidity(v), now);
	view_close(&v);
	ck_assert_int_eq(store_next_validity(store, &next), 0);
	ck_assert_uint_gt(next, now);
}
END_TEST

/* The same by an arrival of ours, twice: no now is given again. */
START_TEST(used_up_by_arrivals)
{
	struct arrivals	*a;
	struct arrival	 what = { .saved = 1 };
	static const char *const files[] = { "x,S=0:2,", "y,S=0:2," };
	static const char *const names[] = { "cur/x,S=0:2,", "cur/y,S=0:2," };
	static const char *const lists[] = { "1 :x,S=0\n",
	    "1 :x,S=0\n2 :y,S=0\n" };
	char		 lines[1024];
	uint32_t	 now, before = 0, i;

	for (i = 0; i < nitems(files); i++) {
		put("dovecot-uidlist", "3 V4000000000 N4294967295\n");
		what.uid = 0;
		what.file = files[i];
		ck_assert_int_eq(arrivals_open(&a, store, "", &why), 0);
		put(names[i], "");
		ck_assert_int_eq(arrivals_number(a, &what, 1, &now), 0);
		arrivals_close(&a);
		ck_assert_uint_eq(what.uid, i + 1);
		ck_assert_uint_gt(now, 4000000000);
		ck_assert_uint_gt(now, before);
		before = now;
		ck_assert_uint_eq(list_now(lines), now);
		ck_assert_str_eq(lines, lists[i]);
	}
}
END_TEST

/* No validity either: what has UIDs keeps them, what has none waits. */
START_TEST(all_used_up)
{
	struct view	*v;
	char		 lines[1024];

	put("cur/a:2,", "");
	put("cur/b:2,", "");
	put("dovecot-uidlist", "3 V4294967295 N4294967295\n5 :a\n");
	v = open_view(false);
	shows(v, "5");
	ck_assert_uint_eq(list_now(lines), UINT32_MAX);
	view_close(&v);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("view");
	TCase	*t = tcase_create("view");
	SRunner	*r;
	int	 failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, long_list);
	tcase_add_test(t, keywords_lost);
	tcase_add_test(t, keywords_too_long);
	tcase_add_test(t, double_in_new);
	tcase_add_test(t, odd_names);
	tcase_add_test(t, index_underfoot);
	tcase_add_loop_test(t, rows_underfoot, 0, 3);
	tcase_add_test(t, vanished_bound);
	tcase_add_test(t, not_applied);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, opens);
	tcase_add_test(t, infos);
	tcase_add_test(t, new_messages);
	tcase_add_test(t, late);
	tcase_add_test(t, index_not_had);
	tcase_add_test(t, clock_stands_still);
	tcase_add_test(t, two_views);
	tcase_add_test(t, unchanged_since);
	tcase_add_test(t, foreign_changes);
	tcase_add_test(t, unsure);
	tcase_add_test(t, reappears);
	tcase_add_loop_test(t, missed_at_first, 0, 4);
	tcase_add_test(t, missed_arrival);
	tcase_add_test(t, doubles);
	tcase_add_loop_test(t, no_double, 0, 2);
	tcase_add_loop_test(t, keywords_of_others, 0, nitems(told));
	tcase_add_test(t, identifier_of_others);
	tcase_add_test(t, vanished);
	tcase_add_test(t, letters);
	tcase_add_test(t, keywords);
	tcase_add_test(t, keywords_new);
	tcase_add_test(t, validity);
	tcase_add_test(t, courier);
	tcase_add_loop_test(t, arrivals, 0, 3);
	tcase_add_loop_test(t, arrivals_gone, 0, 2);
	tcase_add_loop_test(t, arrivals_recent, 0, 3);
	tcase_add_test(t, read_only_disk);
	tcase_add_test(t, unwritten);
	tcase_add_test(t, shown_newest);
	tcase_add_test(t, alone);
	tcase_add_test(t, damage);
	tcase_add_test(t, quick);
	tcase_add_test(t, quick_all_seen);
	tcase_add_test(t, quick_damaged);
	tcase_add_test(t, generations);
	tcase_add_test(t, tidy);
	tcase_add_test(t, restarted);
	tcase_add_test(t, restarted_with_another_clock);
	tcase_add_test(t, restarted_without_list);
	tcase_add_test(t, gone_folder);
	tcase_add_test(t, wait_fd);
	tcase_add_test(t, renamed_folder);
	tcase_add_test(t, keywords_of_two);
	tcase_add_test(t, used_up);
	tcase_add_test(t, used_up_by_arrivals);
	tcase_add_test(t, all_used_up);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
