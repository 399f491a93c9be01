/* tests/unit/test_token.c - auth's engine for tokens: keys that change, whose a token is, and an introspect that comes and goes. */
#include <sys/socket.h>
#include <sys/un.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth/introspect.h"
#include "auth/token.h"
#include "common/base/attr.h"
#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/fmt/record.h"
#include "common/proc/child.h"
#include "common/proc/msg.h"
#include "tests/unit/jwt_maker.h"

static struct event_base	*base;
static struct tokens		*tokens;
static struct settings		*st;
static char			 dir[] = "/tmp/test_token.XXXXXX";
static char			 keys[64], door[64];
static EVP_PKEY			*key, *key2;

/* What the engine said, copied. */
static struct {
	unsigned		n;
	struct token_answer	a;
	char			why[200], json[400];
} said;

static void
done(void *arg, const struct token_answer *a)
{
	ck_assert_ptr_eq(arg, &said);
	said.n++;
	said.a = *a;
	snprintf(said.why, sizeof(said.why), "%s", a->why);
	snprintf(said.json, sizeof(said.json), "%.*s", STR_ARG(a->json));
}

static void
write_keys(const char *path, EVP_PKEY *k)
{
	struct buf	b;
	int		fd;

	buf_init(&b, 1 << 16);
	maker_jwk(&b, k, "");
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(fdio_write(fd, b.p, b.n), 0);
	close(fd);
	buf_free(&b);
}

static void
begin(const char *more)
{
	struct diag	why = { "" };
	struct buf	text;
	int		fd;

	buf_init(&text, 1 << 16);
	buf_addf(&text, "hostname mx.here.test\ndomain here.test\n"
	    "auth.token-issuer iss\nauth.token-scope mail\n%s", more);
	ck_assert_msg(settings_parse(buf_view(&text), "conf", &st, &why) == 0,
	    "%s", why.text);
	buf_free(&text);
	base = event_base_new();
	ck_assert_msg(token_open(&tokens, st, &why) == 0, "%s", why.text);
	/* the descriptor that the master would have given */
	fd = msg_listen(door, 0600, (uid_t)-1, (gid_t)-1);
	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(dup2(fd, FD_FIRST), FD_FIRST);
	if (fd != FD_FIRST)
		close(fd);
	setenv("PH_FDS", "6:auth@introspect", 1);
	ck_assert_msg(token_start(tokens, base, &why) == 0, "%s", why.text);
	memset(&said, 0, sizeof(said));
}

static void
setup(void)
{
	/* where the master's would be */
	while (open("/dev/null", O_RDWR) < FD_FIRST)
		continue;
	log_open(-1, "test");
	log_set_level(LOG_LEVEL_ERROR);
	memcpy(strchr(dir, '.') + 1, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(keys, sizeof(keys), "%s/keys", dir);
	snprintf(door, sizeof(door), "%s/door", dir);
	key = EVP_EC_gen("P-256");
	key2 = EVP_EC_gen("P-256");
	write_keys(keys, key);
}

static void
teardown(void)
{
	token_free(&tokens);
	settings_free(&st);
	event_base_free(base);
	EVP_PKEY_free(key);
	EVP_PKEY_free(key2);
	unlink(keys);
	unlink(door);
	rmdir(dir);
}

static void
turn(void)
{
	event_base_loop(base, EVLOOP_NONBLOCK);
	event_base_loop(base, EVLOOP_NONBLOCK);
}

/* Until it has been said n times. */
static void
until(unsigned n)
{
	int64_t	end = now_ms() + 30000;

	while (said.n < n && now_ms() < end) {
		turn();
		usleep(1000);
	}
	ck_assert_uint_eq(said.n, n);
}

static struct token_check *
ask(struct str token, const char *user)
{
	struct token_question	q = { .token = token, .user = str_from(user),
				    .service = "imap", .form = OAUTH_BEARER };
	struct token_check	*c;
	unsigned		 n = said.n;

	c = token_ask(tokens, &q, done, &said);
	ck_assert_ptr_nonnull(c);
	ck_assert_uint_eq(said.n, n);	/* never from within */
	return c;
}

static void
make(struct buf *t, EVP_PKEY *by, const char *email)
{
	char	claims[600];

	snprintf(claims, sizeof(claims), "{\"iss\":\"iss\",\"scope\":\"mail\","
	    "\"jti\":\"j1\",\"email\":\"%s\",\"exp\":%lld}", email,
	    (long long)now_real().tv_sec + 300);
	buf_init(t, 1 << 16);
	maker_token(t, by, EVP_sha256(), false, STR("{\"alg\":\"ES256\"}"),
	    str_from(claims));
}

static char *
keys_line(const char *more)
{
	static char	line[300];

	snprintf(line, sizeof(line), "auth.token-keys %s\n%s", keys, more);
	return line;
}

static const struct { const char *claim, *named; bool ok; } users[] = {
	{ "bob@here.test", "", true },
	{ "bob@here.test", "bob", true },
	{ "bob@here.test", "bob@here.test", true },
	{ "bob@here.test", "Bob@HERE.test", true },
	{ "bob@here.test", "bob@mx.here.test", true },
	{ "bob", "bob@here.test", true },
	{ "bob@else.test", "bob@else.test", true },
	{ "bob@here.test", "eve", false },
	{ "bob@here.test", "bob@else.test", false },
	{ "bob@else.test", "bob", false },
	{ "bob@else.test", "bob@here.test", false },
	{ "bob@here.test@else.test", "bob@here.test", false },
	{ "bob@else.test@here.test", "bob@else.test", true },	/* a name with an at sign */
	{ "@here.test", "", false },
};

START_TEST(whose_it_is)
{
	struct buf	t;

	begin(keys_line(""));
	make(&t, key, users[_i].claim);
	(void)ask(buf_view(&t), users[_i].named);
	until(1);
	ck_assert_int_eq(said.a.result,
	    users[_i].ok ? TOKEN_GOOD : TOKEN_REFUSED);
	ck_assert_str_eq(said.a.mark, "jti=j1");
	if (users[_i].ok)
		ck_assert_str_eq(said.a.user, users[_i].claim);
	else
		ck_assert_str_eq(said.json,
		    "{\"status\":\"invalid_token\",\"scope\":\"mail\"}");
	buf_free(&t);
}
END_TEST

START_TEST(refusals)
{
	struct token_question	q = { .token = STR("x"), .service = "imap",
				    .form = OAUTH_X2, .user = STR("a\0b") };
	struct buf		t;

	begin(keys_line("auth.token-discovery https://id.test/conf\n"));
	make(&t, key2, "bob");
	(void)ask(buf_view(&t), "bob");
	until(1);
	ck_assert_int_eq(said.a.result, TOKEN_REFUSED);
	ck_assert_str_eq(said.why, "its signature is wrong");
	ck_assert_int_eq(strncmp(said.a.mark, "token=", 6), 0);
	ck_assert_uint_eq(strlen(said.a.mark), 14);
	ck_assert_ptr_nonnull(strstr(said.json,
	    "\"openid-configuration\":\"https://id.test/conf\""));
	(void)ask(STR("opaque"), "bob");
	until(2);
	ck_assert_str_eq(said.why, "no signed JWT");
	(void)ask(STR(""), "");
	until(3);
	ck_assert_int_eq(said.a.result, TOKEN_REFUSED);
	ck_assert_ptr_nonnull(token_ask(tokens, &q, done, &said));
	until(4);
	ck_assert_str_eq(said.json,
	    "{\"status\":\"400\",\"schemes\":\"bearer\",\"scope\":\"mail\","
	    "\"openid-configuration\":\"https://id.test/conf\"}");
	buf_free(&t);
}
END_TEST

/* Replaced by another file, spoilt, gone, and there again. */
START_TEST(keys_that_change)
{
	char		next[80];
	struct buf	t, t2;
	int		fd;

	begin(keys_line(""));
	make(&t, key, "bob");
	make(&t2, key2, "bob");
	(void)ask(buf_view(&t2), "");
	until(1);
	ck_assert_int_eq(said.a.result, TOKEN_REFUSED);
	snprintf(next, sizeof(next), "%s/next", dir);
	write_keys(next, key2);
	ck_assert_int_eq(rename(next, keys), 0);
	usleep(1100 * 1000);
	(void)ask(buf_view(&t2), "");
	until(2);
	ck_assert_int_eq(said.a.result, TOKEN_GOOD);
	(void)ask(buf_view(&t), "");
	until(3);
	ck_assert_int_eq(said.a.result, TOKEN_REFUSED);
	/* those of before go on */
	log_open(open("/dev/null", O_WRONLY), "test");
	fd = open(keys, O_WRONLY | O_TRUNC);
	ck_assert_int_eq(fdio_write(fd, "{", 1), 0);
	close(fd);
	usleep(1100 * 1000);
	(void)ask(buf_view(&t2), "");
	until(4);
	ck_assert_int_eq(said.a.result, TOKEN_GOOD);
	ck_assert_int_eq(unlink(keys), 0);
	usleep(1100 * 1000);
	(void)ask(buf_view(&t2), "");
	until(5);
	ck_assert_int_eq(said.a.result, TOKEN_GOOD);
	write_keys(keys, key);
	usleep(1100 * 1000);
	(void)ask(buf_view(&t), "");
	until(6);
	ck_assert_int_eq(said.a.result, TOKEN_GOOD);
	buf_free(&t);
	buf_free(&t2);
}
END_TEST

START_TEST(no_keys_yet)
{
	struct buf	t;

	unlink(keys);
	log_open(open("/dev/null", O_WRONLY), "test");
	begin(keys_line(""));
	ck_assert(token_offered(tokens));
	make(&t, key, "bob");
	(void)ask(buf_view(&t), "");
	until(1);
	ck_assert_int_eq(said.a.result, TOKEN_TEMPORARY);
	write_keys(keys, key);
	usleep(1100 * 1000);
	(void)ask(buf_view(&t), "");
	until(2);
	ck_assert_int_eq(said.a.result, TOKEN_GOOD);
	buf_free(&t);
}
END_TEST

START_TEST(nothing_configured)
{
	begin("");
	ck_assert(!token_offered(tokens));
	(void)ask(STR("opaque"), "");
	until(1);
	ck_assert_int_eq(said.a.result, TOKEN_REFUSED);
}
END_TEST

START_TEST(cancelled)
{
	struct token_check	*c;
	struct buf		 t;

	begin(keys_line(""));
	make(&t, key, "bob");
	c = ask(buf_view(&t), "");
	token_cancel(&c);
	ck_assert_ptr_null(c);
	turn();
	ck_assert_uint_eq(said.n, 0);
	(void)ask(buf_view(&t), "");	/* and one that is forgotten at the end */
	buf_free(&t);
}
END_TEST

#define INTROSPECTION	"auth.introspection-url http://127.0.0.1:9/i\n" \
			"auth.introspection-timeout "

static void
say(int fd, const char *text)
{
	struct buf	b;

	buf_init(&b, MSG_MAX);
	buf_adds(&b, text);
	ck_assert_int_eq(msg_send(fd, &b, NULL), 0);
	buf_free(&b);
}

/* As introspect would be there. */
static int
introspect(void)
{
	int	fd = msg_connect(door);

	ck_assert_int_ne(fd, -1);
	say(fd, "V5:hello,\n");
	turn();
	return fd;
}

static uint64_t
heard(int fd, const char *verb, const char *token)
{
	struct buf	b;
	struct str	v;
	uint64_t	id;

	buf_init(&b, MSG_MAX);
	turn();
	ck_assert_int_eq(msg_recv(fd, &b, NULL), 1);
	ck_assert(record_get(buf_view(&b), INTROSPECT_VERB, &v));
	ck_assert(str_eq(v, str_from(verb)));
	ck_assert(record_getu(buf_view(&b), INTROSPECT_NUMBER, UINT64_MAX, &id));
	if (token != NULL) {
		ck_assert(record_get(buf_view(&b), INTROSPECT_TOKEN, &v));
		ck_assert(str_eq(v, str_from(token)));
	}
	buf_free(&b);
	return id;
}

static void
answer(int fd, uint64_t id, const char *rest)
{
	char	text[300];
	char	number[24];

	snprintf(number, sizeof(number), "%llu", (unsigned long long)id);
	snprintf(text, sizeof(text), "I%zu:%s,\n%s", strlen(number), number,
	    rest);
	say(fd, text);
}

START_TEST(asked)
{
	int		fd;
	uint64_t	id;

	begin(INTROSPECTION "1m\n");
	fd = introspect();
	(void)ask(STR("opaque"), "bob");
	id = heard(fd, "token", "opaque");
	answer(fd, id, "V4:good,\nU13:bob@here.test,\nJ2:j9,\n");
	until(1);
	ck_assert_int_eq(said.a.result, TOKEN_GOOD);
	ck_assert_str_eq(said.a.user, "bob@here.test");
	ck_assert_str_eq(said.a.mark, "jti=j9");
	(void)ask(STR("opaque"), "eve");
	id = heard(fd, "token", "opaque");
	answer(fd, id, "V4:good,\nU13:bob@here.test,\n");
	until(2);
	ck_assert_int_eq(said.a.result, TOKEN_REFUSED);
	(void)ask(STR("a.b.c"), "");	/* asked, too, without keys */
	id = heard(fd, "token", "a.b.c");
	answer(fd, id, "V7:refused,\nE1:2,\nW10:to\"o \n few,\n");
	until(3);
	ck_assert_int_eq(said.a.result, TOKEN_REFUSED);
	ck_assert_str_eq(said.why, "to?o ? few");
	ck_assert_ptr_nonnull(strstr(said.json, "insufficient_scope"));
	(void)ask(STR("x"), "");
	id = heard(fd, "token", "x");
	answer(fd, id, "V4:temp,\nW3:why,\n");
	until(4);
	ck_assert_int_eq(said.a.result, TOKEN_TEMPORARY);
	answer(fd, id, "V4:good,\nU3:eve,\n");	/* too late: nobody minds */
	turn();
	ck_assert_uint_eq(said.n, 4);
	close(fd);
}
END_TEST

/* One that goes in between, and its successor. */
START_TEST(asked_again)
{
	struct token_check	*c;
	int			 fd, fd2;
	uint64_t		 id;

	begin(INTROSPECTION "1m\n");
	(void)ask(STR("early"), "");	/* before it is there */
	turn();
	fd = introspect();
	(void)heard(fd, "token", "early");
	close(fd);
	turn();
	fd = introspect();
	id = heard(fd, "token", "early");
	fd2 = introspect();		/* both at once: the newer counts */
	(void)heard(fd2, "token", "early");
	answer(fd, id, "V4:good,\nU3:eve,\n");
	turn();
	ck_assert_uint_eq(said.n, 0);
	answer(fd2, id, "V4:good,\nU3:bob,\n");
	until(1);
	ck_assert_str_eq(said.a.user, "bob");
	c = ask(STR("given up"), "");
	id = heard(fd2, "token", NULL);
	token_cancel(&c);
	ck_assert_uint_eq(heard(fd2, "cancel", NULL), id);
	close(fd);
	close(fd2);
}
END_TEST

START_TEST(silent)
{
	int64_t	begun = now_ms();
	int	fd;

	begin(INTROSPECTION "1s\n");
	(void)ask(STR("nobody"), "");
	fd = introspect();
	(void)heard(fd, "token", "nobody");
	while (said.n == 0 && now_ms() - begun < 60000) {
		turn();
		usleep(10000);
	}
	ck_assert_uint_eq(said.n, 1);
	ck_assert_int_eq(said.a.result, TOKEN_TEMPORARY);
	(void)heard(fd, "cancel", NULL);
	close(fd);
}
END_TEST

static const char *const malformed[] = {
	"rubbish", "V4:good,\n", "I1:1,\n", "I1:1,\nV4:what,\n",
	"I1:1,\nV4:good,\n", "I1:1,\nV4:good,\nU3:a\nb,\n",
	"I1:1,\nV7:refused,\n", "I1:1,\nV7:refused,\nE1:9,\n",
	"I1:1,\nV4:good,\nU3:bob,\nJ3:a b,\n",
};

/* It loses its connection, and nobody is let in. */
START_TEST(rubbish)
{
	struct buf	b;
	int		fd;

	log_open(open("/dev/null", O_WRONLY), "test");
	begin(INTROSPECTION "1m\n");
	fd = introspect();
	(void)ask(STR("x"), "");
	ck_assert_uint_eq(heard(fd, "token", "x"), 1);
	say(fd, malformed[_i]);
	turn();
	ck_assert_uint_eq(said.n, 0);
	buf_init(&b, MSG_MAX);
	ck_assert_int_eq(msg_recv(fd, &b, NULL), 0);
	buf_free(&b);
	close(fd);
}
END_TEST

START_TEST(reloaded)
{
	struct settings	*fresh;
	struct diag	 why;
	char		 text[400];

	begin(keys_line(""));
	snprintf(text, sizeof(text), "auth.token-issuer x\nauth.token-scope y\n%s",
	    keys_line(""));
	ck_assert_int_eq(settings_parse(str_from(text), "conf", &fresh, &why), 0);
	ck_assert_int_eq(token_reload(tokens, fresh), 0);
	settings_free(&st);
	st = fresh;
	ck_assert_int_eq(settings_parse(STR("auth.token-issuer x\n"), "conf",
	    &fresh, &why), 0);
	ck_assert_int_eq(token_reload(tokens, fresh), -1);
	settings_free(&fresh);
	ck_assert_int_eq(settings_parse(str_from(keys_line(
	    "auth.token-issuer x\nauth.token-scope y\n" INTROSPECTION "1m\n")),
	    "conf", &fresh, &why), 0);
	ck_assert_int_eq(token_reload(tokens, fresh), -1);
	settings_free(&fresh);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("token");
	TCase	*t = tcase_create("token");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 20);
	tcase_add_loop_test(t, whose_it_is, 0, nitems(users));
	tcase_add_test(t, refusals);
	tcase_add_test(t, keys_that_change);
	tcase_add_test(t, no_keys_yet);
	tcase_add_test(t, nothing_configured);
	tcase_add_test(t, cancelled);
	tcase_add_test(t, asked);
	tcase_add_test(t, asked_again);
	tcase_add_test(t, silent);
	tcase_add_loop_test(t, rubbish, 0, nitems(malformed));
	tcase_add_test(t, reloaded);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
