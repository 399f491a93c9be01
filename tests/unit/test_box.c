/* tests/unit/test_box.c - a mailbox in a real directory, with other programs at work in it. */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "common/base/fdio.h"
#include "common/store/box.h"
#include "common/store/box_uidlist.h"

#define IN(s)	{ (s), sizeof(s) - 1 }

static char		top[] = "/tmp/ph-box.XXXXXX";
static char		location[64];
static int		dir = -1;
static struct diag	why;

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
	struct box	*b;

	memcpy(strchr(top, '.') + 1, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(top));
	snprintf(location, sizeof(location), "maildir:%s/M", top);
	ck_assert_int_eq(box_attach(&b, location, "", true, &why), 0);
	box_close(&b);
	dir = open(box_path(location), O_RDONLY | O_DIRECTORY);
	ck_assert_int_ne(dir, -1);
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
	fdio_close(&dir);
	rmdir(box_path(location));
	ck_assert_int_eq(rmdir(top), 0);
}

static void
put(const char *path, const char *text)
{
	int	fd = openat(dir, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(fdio_write(fd, text, strlen(text)), 0);
	fdio_close(&fd);
}

/* The last changes of new/ and cur/ were so many seconds ago. */
static void
age(time_t seconds)
{
	struct timespec	times[2];
	size_t		i;

	for (i = 0; i < nitems(times); i++) {
		clock_gettime(CLOCK_REALTIME, &times[i]);
		times[i].tv_sec -= seconds;
	}
	ck_assert_int_eq(utimensat(dir, "new", times, 0), 0);
	ck_assert_int_eq(utimensat(dir, "cur", times, 0), 0);
}

static struct box *
open_box(void)
{
	struct box	*b = NULL;

	ck_assert_msg(box_open(&b, location, "", &why) == 0, "%s", why.text);
	return b;
}

static void
name_is(const struct box *b, size_t i, const char *name)
{
	ck_assert_uint_lt(i, box_count(b));
	ck_assert_msg(str_eq(box_message(b, i)->name, str_from(name)),
	    "%zu is %.*s", i, STR_ARG(box_message(b, i)->name));
}

static void
list_is(const char *want)
{
	struct buf	text;

	buf_init(&text, 1u << 20);
	ck_assert_int_eq(fdio_slurp_at(dir, "dovecot-uidlist", &text), 0);
	ck_assert_str_eq(buf_cstr(&text), want);
	ck_assert_int_eq(faccessat(dir, "dovecot-uidlist.lock", F_OK, 0), -1);
	buf_free(&text);
}

START_TEST(scan)
{
	struct box	*b;

	put("new/1000.M20P1.h", "a\n");
	put("new/1000.M3P1.h", "b\n");
	put("cur/999.x:2,FS", "c\n");
	put("cur/odd name:2,", "d\n");
	put("new/.hidden", "e\n");
	put("tmp/5.t", "f\n");
	ck_assert_int_eq(mkdirat(dir, "cur/sub", 0700), 0);
	b = open_box();
	ck_assert_uint_eq(box_count(b), 4);
	name_is(b, 0, "odd name");
	name_is(b, 1, "999.x");
	name_is(b, 2, "1000.M3P1.h");
	name_is(b, 3, "1000.M20P1.h");
	ck_assert_str_eq(box_message(b, 1)->flags, "FS");
	ck_assert_str_eq(box_message(b, 2)->flags, "");
	ck_assert(box_message(b, 2)->is_new && !box_message(b, 1)->is_new);
	ck_assert_uint_ne(box_uidvalidity(b), 0);
	box_close(&b);
	ck_assert_ptr_null(b);
	ck_assert_int_eq(unlinkat(dir, "cur/sub", AT_REMOVEDIR), 0);
	/* nothing is written by looking */
	ck_assert_int_eq(faccessat(dir, "dovecot-uidlist", F_OK, 0), -1);
}
END_TEST

#define NAMES	"%08Xu%08Xv"

/* As a session of POP3 begins. */
static struct box *
open_for_pop3(void)
{
	struct box	*b = open_box();

	ck_assert_int_eq(box_lock(b), 0);
	ck_assert_int_eq(box_adopt_names(b, NAMES), 0);
	return b;
}

/* A first list, and one in place of what is none, has a validity that no folder of the Maildir has had. */
START_TEST(validity_of_its_own)
{
	struct box	*b;
	int		 i;

	put("new/1.a", "a\n");
	put("dovecot-uidvalidity", "7ffffff0");
	put("dovecot-uidvalidity.7ffffff0", "");
	for (i = 1; i < 3; i++) {
		b = open_box();
		ck_assert_int_eq(box_save_uids(b), 0);
		ck_assert_uint_eq(box_uidvalidity(b), 0x7ffffff0u +
		    (uint32_t)i);
		box_close(&b);
		ck_assert_int_eq(unlinkat(dir, "dovecot-uidlist", 0), 0);
	}
	ck_assert_int_eq(faccessat(dir, "dovecot-uidvalidity.7ffffff2", F_OK,
	    0), 0);
}
END_TEST

/* Who is killed before the first use is noted has told names that stay: what was made here is no sign of Dovecot. */
START_TEST(names_of_who_was_killed)
{
	struct box	*b;
	int		 i;

	put("new/1.a", "a\n");
	for (i = 0; i < 2; i++) {
		b = open_for_pop3();
		ck_assert_uint_eq(box_message(b, 0)->uidl.n, 0);
		ck_assert_int_eq(box_save_uids(b), 0);
		box_close(&b);
	}
	ck_assert_int_eq(faccessat(dir, "dovecot-uidvalidity", F_OK, 0), 0);
	put("dovecot-uidvalidity", "5f000001");	/* Dovecot's */
	b = open_for_pop3();
	ck_assert_uint_gt(box_message(b, 0)->uidl.n, 0);
	box_close(&b);
}
END_TEST

static const struct {
	const char	*name, *text;
	uint64_t	 size;
} sizes[] = {
	{ "cur/1:2,", "", 0 },
	{ "cur/2:2,", "a\n", 3 },
	{ "cur/3:2,", "a\r\n", 3 },
	{ "cur/4:2,", "\n\r\n\r\r\n\n", 9 },
	{ "cur/5:2,", "no end", 6 },
	{ "cur/6:2,", "\r", 1 },
	{ "cur/7,S=2,W=9:2,", "a\n", 9 },
};

START_TEST(size)
{
	struct box	*b;
	uint64_t	 n;

	put(sizes[_i].name, sizes[_i].text);
	b = open_box();
	ck_assert_int_eq(box_size(b, 0, &n), 0);
	ck_assert_uint_eq(n, sizes[_i].size);
	box_close(&b);
}
END_TEST

/* A CRLF that lies across the pieces that are read. */
START_TEST(size_at_edges)
{
	char		*text;
	struct box	*b;
	uint64_t	 n;

	ck_assert_ptr_nonnull(text = malloc(65540));
	memset(text, 'x', 65539);
	text[65539] = '\0';
	text[65535] = '\r';
	text[65536] = '\n';
	text[65537] = '\n';
	put("new/1", text);
	b = open_box();
	ck_assert_int_eq(box_size(b, 0, &n), 0);
	ck_assert_uint_eq(n, 65540);
	box_close(&b);
	free(text);
}
END_TEST

START_TEST(renamed)
{
	struct box	*b;
	uint64_t	 n;
	int		 fd;

	put("new/1.a", "a\n");
	put("new/2.b", "b\n");
	put("new/3.c", "c\n");
	b = open_box();
	ck_assert_int_eq(renameat(dir, "new/1.a", dir, "cur/1.a:2,S"), 0);
	ck_assert_int_eq(unlinkat(dir, "new/2.b", 0), 0);
	put("new/4.d", "d\n");
	ck_assert_int_ne(fd = box_open_message(b, 0), -1);
	fdio_close(&fd);
	ck_assert_str_eq(box_message(b, 0)->flags, "S");
	ck_assert_int_eq(box_open_message(b, 1), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(box_size(b, 1, &n), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_uint_eq(box_count(b), 3);
	/* once more, and back */
	ck_assert_int_eq(renameat(dir, "cur/1.a:2,S", dir, "cur/1.a:2,FS"), 0);
	ck_assert_int_eq(box_add_flags(b, 0, "TS"), 0);
	ck_assert_int_eq(faccessat(dir, "cur/1.a:2,FST", F_OK, 0), 0);
	ck_assert_int_eq(box_add_flags(b, 0, "F"), 0);
	ck_assert_int_eq(box_add_flags(b, 1, "F"), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(box_add_flags(b, 2, ""), 0);
	ck_assert_int_eq(faccessat(dir, "cur/3.c:2,", F_OK, 0), 0);
	ck_assert_int_eq(box_expunge(b, 1), 0);
	ck_assert_int_eq(renameat(dir, "cur/1.a:2,FST", dir, "cur/1.a:2,"), 0);
	ck_assert_int_eq(box_expunge(b, 0), 0);
	ck_assert_int_eq(box_expunge(b, 0), 0);
	ck_assert_int_eq(box_sync(b), 0);
	ck_assert_int_eq(faccessat(dir, "cur/1.a:2,", F_OK, 0), -1);
	box_close(&b);
}
END_TEST

START_TEST(quota)
{
	struct box	*b;
	struct buf	 text;

	put("maildirsize", "1000S,10C\n300 3\n");
	put("new/1.a,S=100", "a\n");
	put("new/2.b", "bb\n");
	b = open_box();
	ck_assert_int_eq(box_expunge(b, 0), 0);
	ck_assert_int_eq(box_expunge(b, 1), 0);
	ck_assert_int_eq(box_sync(b), 0);
	box_close(&b);
	buf_init(&text, 1000);
	ck_assert_int_eq(fdio_slurp_at(dir, "maildirsize", &text), 0);
	ck_assert_ptr_nonnull(strstr(buf_cstr(&text), "-103 -2"));
	buf_free(&text);
}
END_TEST

START_TEST(lock)
{
	struct box	*a = open_box(), *b = open_box();

	ck_assert_int_eq(box_lock(a), 0);
	ck_assert_int_eq(box_lock(b), -1);
	ck_assert_int_eq(errno, EWOULDBLOCK);
	box_close(&a);
	ck_assert_int_eq(box_lock(b), 0);
	box_close(&b);
}
END_TEST

START_TEST(no_maildir)
{
	struct box	*b = NULL;

	ck_assert_int_eq(box_open(&b, "mbox:/var/mail/x", "", &why), -1);
	ck_assert_int_eq(errno, ENOTSUP);
	ck_assert_ptr_null(box_path("mbox:/var/mail/x"));
	ck_assert_ptr_null(box_path("maildir:relative"));
	ck_assert_int_eq(box_attach(&b, "mbox:/var/mail/x", "", true, &why),
	    -1);
	ck_assert_int_eq(box_open(&b, "maildir:/nonexistent/x", "", &why), -1);
	ck_assert_ptr_null(b);
}
END_TEST

START_TEST(uids_taken_over)
{
	struct box	*b;
	uint64_t	 n;

	put("cur/10.a:2,S", "a\n");
	put("new/11.b", "b\n");
	put("new/12.c", "c\n");
	put("new/9.d,W=3", "d\n");
	put("dovecot-uidlist", "3 V77 N21 Gabc\n5 Gx Pold-b :11.b\n"
	    "6 :gone\n9 W3 :12.c\n20 :10.a:2,S\n");
	age(60);
	b = open_box();
	ck_assert_uint_eq(box_uidvalidity(b), 77);
	name_is(b, 0, "11.b");
	name_is(b, 1, "12.c");
	name_is(b, 2, "10.a");
	name_is(b, 3, "9.d,W=3");
	ck_assert_uint_eq(box_message(b, 0)->uid, 5);
	ck_assert(str_eq(box_message(b, 0)->uidl, STR("old-b")));
	ck_assert_uint_eq(box_message(b, 3)->uid, 0);
	ck_assert_int_eq(box_save_uids(b), 0);
	/* only what is new was added */
	list_is("3 V77 N21 Gabc\n5 Gx Pold-b :11.b\n6 :gone\n9 W3 :12.c\n"
	    "20 :10.a:2,S\n21 :9.d,W=3\n");
	ck_assert_uint_eq(box_message(b, 3)->uid, 21);
	ck_assert_int_eq(box_size(b, 0, &n), 0);
	ck_assert_int_eq(box_save_uids(b), 0);
	list_is("3 V77 N22 Gabc\n5 W3 Gx Pold-b :11.b\n9 W3 :12.c\n"
	    "20 :10.a\n21 :9.d,W=3\n");
	box_close(&b);
	b = open_box();
	/* known without a look into the file */
	put("new/11.b", "longer now\n");
	ck_assert_int_eq(box_size(b, 0, &n), 0);
	ck_assert_uint_eq(n, 3);
	ck_assert_int_eq(box_save_uids(b), 0);
	box_close(&b);
}
END_TEST

/* Of a list that Dovecot made: once, for those on it, and for ever. */
START_TEST(names_adopted)
{
	struct box	*b;

	put("cur/10.a:2,S", "a\n");
	put("new/11.b", "b\n");
	put("new/12.c", "c\n");
	put("dovecot-uidlist", "3 V77 N21\n5 Pold :11.b\n20 W3 :10.a\n");
	b = open_box();
	ck_assert_int_eq(box_adopt_names(b, NAMES), 0);	/* not locked */
	ck_assert_int_eq(box_lock(b), 0);
	ck_assert_int_eq(box_last_use(b), -1);
	ck_assert_int_eq(box_adopt_names(b, NAMES), 0);	/* not Dovecot's */
	ck_assert_uint_eq(box_message(b, 1)->uidl.n, 0);
	put("dovecot.index.log", "");
	ck_assert_int_eq(box_adopt_names(b, NAMES), 0);
	ck_assert(str_eq(box_message(b, 0)->uidl, STR("old")));
	ck_assert(str_eq(box_message(b, 1)->uidl, STR("000000140000004d")));
	ck_assert_uint_eq(box_message(b, 2)->uidl.n, 0);
	ck_assert_int_eq(box_save_uids(b), 0);
	list_is("3 V77 N22\n5 Pold :11.b\n20 P000000140000004d W3 :10.a\n"
	    "21 :12.c\n");
	ck_assert_int_eq(box_note_use(b), 0);
	ck_assert_int_ge(box_last_use(b), 0);
	ck_assert_int_lt(box_last_use(b), 60000);
	box_close(&b);
	put("new/13.d", "d\n");
	b = open_box();
	ck_assert_int_eq(box_lock(b), 0);
	ck_assert_int_eq(box_save_uids(b), 0);
	ck_assert_int_eq(box_adopt_names(b, NAMES), 0);	/* not again */
	name_is(b, 3, "13.d");
	ck_assert_uint_eq(box_message(b, 3)->uidl.n, 0);
	ck_assert(str_eq(box_message(b, 1)->uidl, STR("000000140000004d")));
	box_close(&b);
}
END_TEST

/* Of Courier's two servers, as they write it: UIDs of the one, names for UIDL of the other. */
START_TEST(courier)
{
	struct box	*b;

	put("cur/10.a,S=2:2,S", "a\n");
	put("cur/11.b:2,", "b\n");
	put("new/12.c", "c\n");
	put("new/13.d", "d\n");
	put("new/14.e", "e\n");
	put("courierimapuiddb", "1 795697726 30\n4 11.b\n20 10.a,S=2\n21 gone\n");
	put("courierpop3dsizelist", "/3 8 99\n10.a,S=2:2, 3 1:795697749:0\n"
	    "11.b:2,S 3 2:0:1\n12.c 3 0:0:0\ngone 3 3:9:0\n13.d 3\n"
	    "14.e 3 5\n  \n");
	age(60);
	b = open_box();
	ck_assert_uint_eq(box_uidvalidity(b), 795697726);
	ck_assert_uint_eq(box_message(b, 1)->uid, 20);
	ck_assert_int_eq(box_lock(b), 0);
	ck_assert_int_eq(box_adopt_names(b, NULL), 0);
	ck_assert(str_eq(box_message(b, 1)->uidl, STR("UID1-795697749")));
	ck_assert(str_eq(box_message(b, 0)->uidl, STR("UID2")));
	ck_assert_uint_eq(box_message(b, 2)->uidl.n, 0);
	ck_assert_int_eq(box_save_uids(b), 0);
	list_is("3 V795697726 N33\n4 PUID2 :11.b\n"
	    "20 PUID1-795697749 :10.a,S=2\n30 :12.c\n31 :13.d\n32 :14.e\n");
	ck_assert_int_eq(box_note_use(b), 0);
	box_close(&b);
	/* once: what Courier says later is nothing to us */
	put("courierpop3dsizelist", "/3 8 99\n12.c 3 7:7:0\n");
	b = open_for_pop3();
	ck_assert(str_eq(box_message(b, 1)->uidl, STR("UID1-795697749")));
	ck_assert_uint_eq(box_message(b, 2)->uidl.n, 0);
	box_close(&b);
}
END_TEST

/* A file of names that is none, or of another version. */
START_TEST(courier_none)
{
	static const char *const texts[] = { "", "/2 5 9\n10.a 3 1:2:0\n",
	    "/3 5 9", "10.a 3 1:2:0\n", "/3 5 9\n10.a 1:2:0\n",
	    "/3 5 9\n10.a 3 x:2:0\n", "/3 5 9\n10.a 3 1:2\n" };
	struct box	*b;

	put("new/10.a", "a\n");
	put("courierpop3dsizelist", texts[_i]);
	b = open_for_pop3();
	ck_assert_uint_eq(box_message(b, 0)->uidl.n, 0);
	box_close(&b);
}
END_TEST

static const struct {
	const char	*format, *want;		/* NULL: it is none */
} formats[] = {
	{ NAMES, "0000000a00000fff" }, { "%u", "10" }, { "%v.%u", "4095.10" },
	{ "UID%u-%v", "UID10-4095" }, { "%Xu", "a" }, { "%f", "1.a.h" },
	{ "%04u%%", "0010%" }, { "x", "x" }, { "", NULL }, { "%", NULL },
	{ "%g", NULL }, { "%0u", NULL }, { "%065u", NULL }, { "%08", NULL },
	{ "%08X", NULL }, { "%m", NULL },
	{ "%040u%040v", NULL }	/* longer than 70 */
};

START_TEST(pop3_names)
{
	char	text[71];
	bool	ok;

	ok = uidlist_pop3_name(formats[_i].format, 10, 4095, STR("1.a.h"), text,
	    sizeof(text));
	ck_assert_int_eq(ok, formats[_i].want != NULL);
	if (ok)
		ck_assert_str_eq(text, formats[_i].want);
}
END_TEST

/* Another program gave UIDs after our scan, also to what we have not seen. */
START_TEST(uids_meanwhile)
{
	struct box	*b;

	put("new/1.a", "a\n");
	put("new/2.b", "b\n");
	put("dovecot-uidlist", "3 V5 N3\n2 :gone\n");
	age(60);
	b = open_box();
	put("new/3.c", "c\n");
	put("dovecot-uidlist", "3 V5 N6\n2 :gone\n3 :2.b\n4 :3.c\n5 :x.y\nbad\n");
	ck_assert_int_eq(box_save_uids(b), 0);
	list_is("3 V5 N7\n3 :2.b\n4 :3.c\n5 :x.y\n6 :1.a\n");
	ck_assert_uint_eq(box_message(b, 0)->uid, 6);
	ck_assert_uint_eq(box_message(b, 1)->uid, 3);
	ck_assert_int_eq(unlinkat(dir, "dovecot-uidlist", 0), 0);
	put("new/4.d", "d\n");
	box_close(&b);
	b = open_box();
	ck_assert_uint_ne(box_uidvalidity(b), 5);
	ck_assert_int_eq(box_save_uids(b), 0);
	ck_assert_uint_eq(box_message(b, 3)->uid, 4);
	box_close(&b);
}
END_TEST

START_TEST(uids_locked)
{
	struct box	*b;

	put("new/1.a", "a\n");
	b = open_box();
	put("dovecot-uidlist.lock", "");
	ck_assert_int_eq(box_save_uids(b), -1);
	ck_assert_int_eq(errno, ETIMEDOUT);
	ck_assert_int_eq(faccessat(dir, "dovecot-uidlist.lock", F_OK, 0), 0);
	/* left behind long ago */
	ck_assert_int_eq(utimensat(dir, "dovecot-uidlist.lock",
	    (struct timespec[]){ { 1000, 0 }, { 1000, 0 } }, 0), 0);
	ck_assert_int_eq(box_save_uids(b), 0);
	ck_assert_int_eq(faccessat(dir, "dovecot-uidlist.lock", F_OK, 0), -1);
	ck_assert_int_eq(box_save_uids(b), 0);
	box_close(&b);
}
END_TEST

/* Lists that are none: the messages are there all the same, UIDs begin anew. */
static const char *const	broken[] = {
	"", "x", "3\n", "3 V1\n", "3 V0 N1\n", "3 Vx N1\n", "2 V1 N1\n",
	"3 V1 N1 V2x\n", "\n\n\n", "3 V99999999999 N1\n", "1 5\n",
};

START_TEST(uids_broken)
{
	struct box	*b;

	put("new/1.a", "a\n");
	put("dovecot-uidlist", broken[_i]);
	b = open_box();
	ck_assert_uint_eq(box_count(b), 1);
	ck_assert_uint_eq(box_message(b, 0)->uid, 0);
	ck_assert_uint_gt(box_uidvalidity(b), 1000000);
	ck_assert_int_eq(box_save_uids(b), 0);
	ck_assert_uint_eq(box_message(b, 0)->uid, 1);
	box_close(&b);
	b = open_box();
	ck_assert_uint_eq(box_message(b, 0)->uid, 1);
	box_close(&b);
}
END_TEST

/* No number is given twice, and when none is left all begin anew. */
START_TEST(uids_used_up)
{
	struct box	*b;

	put("new/1.a", "a\n");
	put("new/2.b", "b\n");
	put("dovecot-uidlist", "3 V4000000000 N4294967294\n8 :1.a\n");
	b = open_box();
	ck_assert_int_eq(box_save_uids(b), 0);
	list_is("3 V4000000000 N4294967294\n8 :1.a\n4294967294 :2.b\n");
	box_close(&b);
	put("new/3.c", "c\n");
	b = open_box();
	ck_assert_int_eq(box_save_uids(b), 0);
	list_is("3 V4000000001 N4\n1 :1.a\n2 :2.b\n3 :3.c\n");
	box_close(&b);
	/* no validity is left either */
	put("dovecot-uidlist", "3 V4294967295 N4294967295\n8 :1.a\n");
	b = open_box();
	ck_assert_int_eq(box_save_uids(b), -1);
	ck_assert_int_eq(errno, EOVERFLOW);
	list_is("3 V4294967295 N4294967295\n8 :1.a\n");
	box_close(&b);
}
END_TEST

START_TEST(uids_of_the_gone)
{
	struct box	*b;

	put("new/1.a", "a\n");
	put("dovecot-uidlist", "3 V5 N2\n1 :1.a\n");
	b = open_box();
	ck_assert_int_eq(box_expunge(b, 0), 0);
	ck_assert_int_eq(box_save_uids(b), 0);
	box_close(&b);
	put("new/2.b", "b\n");
	b = open_box();
	ck_assert_int_eq(box_save_uids(b), 0);
	ck_assert_uint_eq(box_message(b, 0)->uid, 2);
	box_close(&b);
}
END_TEST

/* What moves while directories are read may be missed: its UID stays, if the last change is not surely older than the reading. */
START_TEST(uids_of_the_missed)
{
	static const char	before[] =
	    "3 V5 N9\n1 :1.a\n6 :3.c\n7 :2.b\nbad\n";
	struct box		*b;

	put("new/1.a", "a\n");
	put("new/3.c", "c\n");
	put("dovecot-uidlist", before);
	age(-1);
	b = open_box();
	ck_assert_uint_eq(box_count(b), 2);
	ck_assert_int_eq(box_save_uids(b), 0);
	list_is("3 V5 N9\n1 :1.a\n6 :3.c\n7 :2.b\n");
	box_close(&b);
	put("dovecot-uidlist", before);
	age(60);
	b = open_box();
	ck_assert_int_eq(box_save_uids(b), 0);
	list_is("3 V5 N9\n1 :1.a\n6 :3.c\n");
	box_close(&b);
}
END_TEST

/* Many names, found and numbered in time that grows with them and no faster. */
START_TEST(many)
{
	char		 name[64];
	struct box	*b;
	uint64_t	 n;
	size_t		 i;
	int		 fd;

	for (i = 0; i < 20000; i++) {
		snprintf(name, sizeof(name), "new/%zu.M1P1.h", 100000 + i);
		fd = openat(dir, name, O_WRONLY | O_CREAT, 0600);
		ck_assert_int_ne(fd, -1);
		fdio_close(&fd);
	}
	b = open_box();
	ck_assert_uint_eq(box_count(b), 20000);
	for (i = 0; i < 20000; i++)
		ck_assert_int_eq(box_size(b, i, &n), 0);
	for (i = 0; i < 20000; i++)
		ck_assert_int_eq(box_add_flags(b, i, "S"), 0);
	ck_assert_int_eq(box_save_uids(b), 0);
	box_close(&b);
	b = open_box();
	ck_assert_uint_eq(box_message(b, 19999)->uid, 20000);
	name_is(b, 19999, "119999.M1P1.h");
	for (i = 0; i < 20000; i++)
		ck_assert_int_eq(box_expunge(b, i), 0);
	ck_assert_int_eq(box_sync(b), 0);
	box_close(&b);
}
END_TEST

static const struct {
	struct str	text;
	bool		ok;
	uint32_t	uid;
	struct str	more, name;
} lines[] = {
	{ IN("5 :a\n"), true, 5, IN(""), IN("a") },
	{ IN("5 W1 G2 :a,S=1:2,S\n"), true, 5, IN("W1 G2"), IN("a,S=1") },
	{ IN("5 Pa:b :a b\n"), true, 5, IN("Pa:b"), IN("a b") },
	{ IN("5 :a"), false, 0, IN(""), IN("") },
	{ IN("5 :\n"), false, 0, IN(""), IN("") },
	{ IN("5 ::2,S\n"), false, 0, IN(""), IN("") },
	{ IN("5 :a/b\n"), false, 0, IN(""), IN("") },
	{ IN("5 :.a\n"), false, 0, IN(""), IN("") },
	{ IN("5 :a\0b\n"), false, 0, IN(""), IN("") },
	{ IN("5 W1\0 :a\n"), false, 0, IN(""), IN("") },
	{ IN("5 a\n"), false, 0, IN(""), IN("") },
	{ IN("5:a\n"), false, 0, IN(""), IN("") },
	{ IN("0 :a\n"), false, 0, IN(""), IN("") },
	{ IN("3 :a\n"), false, 0, IN(""), IN("") },
	{ IN("4294967295 :a\n"), false, 0, IN(""), IN("") },
	{ IN("99999999999999999999 :a\n"), false, 0, IN(""), IN("") },
	{ IN("-1 :a\n"), false, 0, IN(""), IN("") },
	{ IN("\n"), false, 0, IN(""), IN("") },
};

START_TEST(line)
{
	struct cur		c = cur_from(lines[_i].text);
	struct uidlist_line	l;
	uint32_t		last = 3;
	size_t			skipped = 0;

	ck_assert_int_eq(uidlist_next(&c, 3, &last, &skipped, &l),
	    lines[_i].ok);
	ck_assert_uint_eq(skipped, !lines[_i].ok);
	ck_assert(cur_done(&c));
	if (lines[_i].ok) {
		ck_assert_uint_eq(l.uid, lines[_i].uid);
		ck_assert_uint_eq(last, lines[_i].uid);
		ck_assert(str_eq(l.more, lines[_i].more));
		ck_assert(str_eq(l.name, lines[_i].name));
	}
}
END_TEST

START_TEST(version_1)
{
	struct cur		c = cur_from(STR("1 12 30\n7 a:2,S\n8 b c\n"));
	struct uidlist_head	h;
	struct uidlist_line	l;
	uint32_t		last = 0;
	size_t			skipped = 0;

	ck_assert(uidlist_head(&c, &h));
	ck_assert_uint_eq(h.version, 1);
	ck_assert_uint_eq(h.validity, 12);
	ck_assert_uint_eq(h.next, 30);
	ck_assert(uidlist_next(&c, 1, &last, &skipped, &l));
	ck_assert(str_eq(l.name, STR("a")));
	ck_assert(uidlist_next(&c, 1, &last, &skipped, &l));
	ck_assert(str_eq(l.name, STR("b c")));
	ck_assert(!uidlist_next(&c, 1, &last, &skipped, &l));
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("box");
	TCase	*t = tcase_create("directory"), *p = tcase_create("list");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, scan);
	tcase_add_test(t, validity_of_its_own);
	tcase_add_test(t, names_of_who_was_killed);
	tcase_add_loop_test(t, size, 0, nitems(sizes));
	tcase_add_test(t, size_at_edges);
	tcase_add_test(t, renamed);
	tcase_add_test(t, quota);
	tcase_add_test(t, lock);
	tcase_add_test(t, no_maildir);
	tcase_add_test(t, uids_taken_over);
	tcase_add_test(t, names_adopted);
	tcase_add_test(t, courier);
	tcase_add_loop_test(t, courier_none, 0, 7);
	tcase_add_test(t, uids_meanwhile);
	tcase_add_test(t, uids_locked);
	tcase_add_loop_test(t, uids_broken, 0, nitems(broken));
	tcase_add_test(t, uids_used_up);
	tcase_add_test(t, uids_of_the_gone);
	tcase_add_test(t, uids_of_the_missed);
	tcase_add_test(t, many);
	tcase_add_loop_test(p, pop3_names, 0, nitems(formats));
	tcase_add_loop_test(p, line, 0, nitems(lines));
	tcase_add_test(p, version_1);
	suite_add_tcase(s, t);
	suite_add_tcase(s, p);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
