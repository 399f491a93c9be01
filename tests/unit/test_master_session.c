/* tests/unit/test_master_session.c - what auth may ask for and what not: it is treated as taken over. */
#include "master/master.h"

#include <check.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/now.h"
#include "common/fmt/record.h"
#include "common/proc/msg.h"
#include "common/proc/priv.h"
#include "common/proc/proto_auth.h"

struct request {
	const char	*service, *user, *uid, *gid, *home, *mailbox;
};

#define OTHER	4711		/* its process */
#define HOME	"/home/ann", "maildir:/home/ann/Maildir"

static const struct { struct request r; } bad[] = {
	{ { "imap4", "ann", "61001", "61001", HOME } },
	{ { "../pop3", "ann", "61001", "61001", HOME } },
	{ { "", "ann", "61001", "61001", HOME } },
	{ { "pop3", "", "61001", "61001", HOME } },
	{ { "pop3", "-ann", "61001", "61001", HOME } },
	{ { "pop3", "../ann", "61001", "61001", HOME } },
	{ { "pop3", "a\nb", "61001", "61001", HOME } },
	{ { "pop3", "root", "0", "0", HOME } },
	{ { "pop3", "ann", "0", "61001", HOME } },
	{ { "pop3", "ann", "4294967295", "61001", HOME } },
	{ { "pop3", "ann", "4294967296", "61001", HOME } },
	{ { "pop3", "ann", "-1", "61001", HOME } },
	{ { "pop3", "ann", "999", "61001", HOME } },
	{ { "pop3", "ann", "", "", HOME } },
	{ { "pop3", "ann", "61001", "61001", "home", "maildir:/m" } },
	{ { "pop3", "ann", "61001", "61001", "/home/ann", "maildir:m" } },
	{ { "pop3", "ann", "61001", "61001", "/home/ann", "/m" } },
	{ { "pop3", "ann", "61001", "61001", "/home/ann", "pipe:/m" } },
	{ { "pop3", "ann", "61001", "61001", "/home\n", "maildir:/m" } }
};

/* Texts about the connection: bounded, and nothing that breaks a line. */
struct extra {
	char		 tag;
	const char	*text;
	bool		 ok;
};

static const struct extra odd[] = {
	{ AUTH_TLS, "TLSv1.3 TLS_AES_256_GCM_SHA384", true },
	{ AUTH_LOCAL, "127.0.0.1", true },
	{ AUTH_QUOTA, "0", true }, { AUTH_QUOTA, "1000000", true },
	{ AUTH_BY, "chief@example.org", true }, { AUTH_BY, "", false },
	{ AUTH_BY, "a b", false }, { AUTH_BY, "a\n", false },
	{ AUTH_QUOTA, "1G", false }, { AUTH_QUOTA, "", false },
	{ AUTH_TLS, "TLSv1.3\nX", false }, { AUTH_LOCAL, "127.0.0.1\x7f", false },
	{ AUTH_TLS, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaaaaaaa", false },
	{ AUTH_LOCAL, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaaaaaaaaaaa", false }
};

static const struct extra	*more;	/* goes into the request, too */
static enum fate { NONE, ENDS, STAYS, RESTARTS } fate;	/* of another session of the user's, or of auth */
static char			 said[80];

static void
put(struct buf *rec, const struct request *r)
{
	record_puts(rec, AUTH_VERB, "session");
	record_puts(rec, AUTH_SERVICE, r->service);
	record_puts(rec, AUTH_USER, r->user);
	record_puts(rec, AUTH_UID, r->uid);
	record_puts(rec, AUTH_GID, r->gid);
	record_puts(rec, AUTH_HOME, r->home);
	record_puts(rec, AUTH_MAILBOX, r->mailbox);
	record_puts(rec, AUTH_CLIENT, "192.0.2.1");
	record_puts(rec, AUTH_TAG, "12");
	if (more != NULL)
		record_puts(rec, more->tag, more->text);
}

static void
remember(struct master *m)
{
	ck_assert_ptr_nonnull(m->sessions = calloc(1, sizeof(*m->sessions)));
	*m->sessions = (struct session){ OTHER, "pop3", strdup("ann") };
	m->nsessions = 1;
}

/* The login waits, with a copy of its descriptor; then the other session ends, or it does not, or there is another auth, which does not hear of it. */
static void
while_held(struct master *m, struct program *auth, int link, struct str rec,
    int fd)
{
	int64_t	due = m->held[0].due;

	ck_assert_uint_eq(m->nheld, 1);
	ck_assert_int_ne(m->held[0].fd, fd);
	session_time(m, due - 1);
	ck_assert_uint_eq(m->nheld, 1);
	if (fate == ENDS) {
		ck_assert(session_reap(m, OTHER, 0));
		session_time(m, due - 1);
	} else {
		auth->pid += fate == RESTARTS;
		session_time(m, due);
	}
	ck_assert_uint_eq(m->nheld, 0);
	if (fate == RESTARTS) {
		ck_assert_int_eq(fdio_wait(link, POLLIN, now_ms()), -1);
		session_try(m, auth, rec, fd, 0);
	}
}

/* The verb of the answer; the number of sessions is in *n. */
static void
request(const struct request *r, bool with_fd, char verb[16], size_t *n)
{
	struct master	m;
	struct program	auth;
	struct buf	rec;
	struct diag	why;
	char		tag[16];
	int		pair[2], null = open("/dev/null", O_RDWR);

	memset(&m, 0, sizeof(m));
	memset(&auth, 0, sizeof(auth));
	ck_assert_int_eq(settings_parse(STR("libexec /nonexistent\n"
	    "pop3.user-connections 1\nusers file /u\n"), "t", &m.settings,
	    &why), 0);
	if (fate != NONE)
		remember(&m);
	auth.pid = 1;
	m.log[0] = m.log[1] = -1;
	ck_assert_int_eq(msg_pair(pair), 0);
	auth.link = pair[0];
	buf_init(&rec, MSG_MAX);
	put(&rec, r);
	session_request(&m, &auth, buf_view(&rec), with_fd ? null : -1);
	if (fate != NONE)
		while_held(&m, &auth, pair[1], buf_view(&rec), null);
	ck_assert_int_eq(msg_recv(pair[1], &rec, NULL), 1);
	ck_assert(record_gets(buf_view(&rec), AUTH_VERB, verb, 16));
	ck_assert(record_gets(buf_view(&rec), AUTH_TAG, tag, sizeof(tag)));
	ck_assert_str_eq(tag, "12");
	ck_assert(record_gets(buf_view(&rec), AUTH_TEXT, said, sizeof(said)));
	*n = m.nsessions;
	if (*n > 0)
		free(m.sessions[0].user);
	free(m.sessions);
	buf_free(&rec);
	close(pair[0]);
	close(pair[1]);
	close(null);
	settings_free(&m.settings);
}

START_TEST(refused)
{
	char	verb[16];
	size_t	n;

	request(&bad[_i].r, true, verb, &n);
	ck_assert_str_eq(verb, "temp");
	ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(odd_text)
{
	char		uid[16], verb[16];
	struct request	r = { "pop3", "ann", uid, uid, HOME };
	size_t		n;

	/* without root there is one user */
	snprintf(uid, sizeof(uid), "%u", geteuid() == 0 ? 61001u : geteuid());
	more = &odd[_i];
	request(&r, true, verb, &n);
	more = NULL;
	ck_assert_str_eq(verb, "temp");
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(strcmp(said, "bad request") != 0, odd[_i].ok);
}
END_TEST

START_TEST(without_connection)
{
	static const struct request r = { "pop3", "ann", "61001", "61001", HOME };
	char	verb[16];
	size_t	n;

	request(&r, false, verb, &n);
	ck_assert_str_eq(verb, "temp");
	ck_assert_uint_eq(n, 0);
}
END_TEST

/* All is well but there is no such program: auth hears it, nothing is left. */
START_TEST(no_program)
{
	static const struct request r = { "pop3", "ann", "61001", "61001", HOME };
	char	verb[16];
	size_t	n;

	request(&r, true, verb, &n);
	ck_assert_str_eq(verb, "temp");
	ck_assert_uint_eq(n, 0);
}
END_TEST

/* One session of a user at a time: who has one waits a moment for its end. */
START_TEST(held)
{
	char		uid[16], verb[16];
	struct request	r = { "pop3", "ann", uid, uid, HOME };
	size_t		n;

	snprintf(uid, sizeof(uid), "%u", geteuid() == 0 ? 61001u : geteuid());
	fate = (enum fate)_i;
	request(&r, true, verb, &n);
	ck_assert_str_eq(verb, "temp");
	ck_assert_str_eq(said, fate == ENDS ? "the session could not be "
	    "started" : "too many sessions of this user");
	ck_assert_uint_eq(n, fate != ENDS);
}
END_TEST

int
main(void)
{
	Suite	*suite = suite_create("master_session");
	TCase	*tc = tcase_create("session");
	SRunner	*sr;
	int	 failed;

	tcase_add_loop_test(tc, refused, 0, (int)nitems(bad));
	tcase_add_loop_test(tc, odd_text, 0, (int)nitems(odd));
	tcase_add_test(tc, without_connection);
	tcase_add_test(tc, no_program);
	tcase_add_loop_test(tc, held, ENDS, RESTARTS + 1);
	suite_add_tcase(suite, tc);
	sr = srunner_create(suite);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
