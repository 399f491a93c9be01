/* tests/unit/test_envelope.c - heads and trailers of spool files. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "common/base/fdio.h"
#include "common/store/envelope.h"
#include "common/store/sums.h"

#define ID	"00abcdefghjkmnpqrstv"
#define HEAD	"V1:1,\nI20:" ID ",\nT1:5,\nS0:,\n"
#define RCPT	"r3:a@b,\ns1:w,\n"
#define CONTENT	"Subject: x\r\n\r\nbody  text\r\n"

/* A draft of a spool file, removed from the directory at once. */
static int
scratch(void)
{
	char	path[] = "/tmp/posthouse-envelope.XXXXXX";
	int	fd = mkostemp(path, O_CLOEXEC);

	ck_assert_int_ne(fd, -1);
	unlink(path);
	return fd;
}

static void
write_file(int fd, struct buf *b, struct envelope *env)
{
	char		simple[DIGEST_HEX + 1], relaxed[DIGEST_HEX + 1];
	char		trailer[TRAILER_SIZE + 1];
	struct sums	*s;

	ck_assert_int_eq(envelope_encode(b, env), 0);
	ck_assert_int_eq(buf_adds(b, CONTENT), 0);
	ck_assert_ptr_nonnull(s = sums_new());
	sums_add(s, CONTENT, sizeof(CONTENT) - 1);
	ck_assert_int_eq(sums_end(s, simple, relaxed), 0);
	sums_free(&s);
	/* two blanks: the relaxed form has one */
	ck_assert_str_ne(simple, relaxed);
	trailer_format(trailer, sizeof(CONTENT) - 1, simple, relaxed);
	ck_assert_uint_eq(strlen(trailer), TRAILER_SIZE);
	ck_assert_int_eq(buf_adds(b, trailer), 0);
	ck_assert_int_eq(fdio_pwrite(fd, b->p, b->n, 0), 0);
}

static void
sample(struct envelope *env, struct envelope_rcpt r[2])
{
	memset(env, 0, sizeof(*env));
	memset(r, 0, 2 * sizeof(*r));
	ck_assert_int_eq(str_copy(env->id, sizeof(env->id), STR(ID)), 0);
	env->arrival_ms = 1795499703123;
	env->client = STR("192.0.2.1");
	env->options = ENV_8BITMIME | ENV_RET_HDRS;
	r[0] = (struct envelope_rcpt){ .addr = STR("ann@example.test"),
	    .orcpt = STR("rfc822;ann@x"), .notify = 6, .state = RCPT_WAITING };
	r[1] = (struct envelope_rcpt){ .addr = STR("bob@example.test"),
	    .state = RCPT_WAITING };
	env->rcpts = r;
	env->nrcpts = 2;
}

START_TEST(file_round_trip)
{
	struct envelope_rcpt	r[2];
	struct envelope		out, in;
	struct diag		why = { "" };
	struct buf		b;
	int			fd = scratch();

	buf_init(&b, 65536);
	sample(&out, r);
	write_file(fd, &b, &out);
	ck_assert_msg(envelope_load(fd, &in, &why) == 0, "%s", why.text);
	ck_assert_str_eq(in.id, ID);
	ck_assert_uint_eq(in.nrcpts, 2);
	ck_assert(str_eq(in.rcpts[0].orcpt, r[0].orcpt));
	ck_assert_uint_eq(in.rcpts[0].notify, 6);
	ck_assert_uint_eq(in.options, ENV_8BITMIME | ENV_RET_HDRS);
	ck_assert_int_eq(in.rcpts[1].state_at, r[1].state_at);
	ck_assert_int_eq(in.content_len, sizeof(CONTENT) - 1);
	ck_assert_int_eq(envelope_verify(fd, &in, &why), 0);
	ck_assert_int_eq(envelope_set_state(fd, &in.rcpts[1],
	    RCPT_DELIVERED), 0);
	envelope_free(&in);
	ck_assert_int_eq(envelope_load(fd, &in, &why), 0);
	ck_assert_int_eq(in.rcpts[0].state, RCPT_WAITING);
	ck_assert_int_eq(in.rcpts[1].state, RCPT_DELIVERED);
	envelope_free(&in);
	buf_free(&b);
	close(fd);
}
END_TEST

START_TEST(torn_or_changed)
{
	struct envelope_rcpt	r[2];
	struct envelope		out, in;
	struct diag		why = { "" };
	struct buf		b;
	size_t			cut;
	int			fd = scratch();

	buf_init(&b, 65536);
	sample(&out, r);
	write_file(fd, &b, &out);
	for (cut = b.n; cut-- > 0;) {
		ck_assert_int_eq(ftruncate(fd, (off_t)cut), 0);
		ck_assert_int_eq(envelope_load(fd, &in, &why), -1);
		ck_assert_int_eq(errno, EBADMSG);
		ck_assert_str_ne(why.text, "");
	}
	ck_assert_int_eq(fdio_pwrite(fd, b.p, b.n, 0), 0);
	ck_assert_int_eq(envelope_load(fd, &in, &why), 0);
	ck_assert_int_eq(fdio_pwrite(fd, "B", 1,
	    in.content_at + (off_t)strlen("Subject: x\r\n\r\n")), 0);
	ck_assert_int_eq(envelope_verify(fd, &in, &why), -1);
	ck_assert_int_eq(errno, EBADMSG);
	envelope_free(&in);
	buf_free(&b);
	close(fd);
}
END_TEST

static const struct { const char *text; bool ok; } heads[] = {
	{ HEAD RCPT "\n", true },
	{ HEAD RCPT RCPT "\n", true },
	{ HEAD "Y1:?,\n" RCPT "z0:,\n" "\n", true },	/* unknown tags */
	{ HEAD RCPT, false },
	{ HEAD "\n", false },
	{ "\n", false },
	{ "", false },
	{ "V1:2,\nI20:" ID ",\nT1:5,\nS0:,\n" RCPT "\n", false },
	{ "I20:" ID ",\nV1:1,\nT1:5,\nS0:,\n" RCPT "\n", false },
	{ HEAD "S0:,\n" RCPT "\n", false },
	{ HEAD "C3:a\nb,\n" RCPT "\n", false },
	{ HEAD RCPT "C1:x,\n" "\n", false },
	{ HEAD "s1:w,\n" "\n", false },
	{ HEAD "r3:a@b,\n" "\n", false },
	{ HEAD "r3:a@b,\ns1:q,\n" "\n", false },
	{ HEAD "r3:a@b,\nf3:abc,\ns1:w,\n" "\n", false },
	{ HEAD "r0:,\ns1:w,\n" "\n", false },
	/* options of a later version are skipped, whatever they begin with */
	{ HEAD "O18:8BITMIMEX SMTPUTF8,\n" RCPT "\n", true },
	{ HEAD "O3:a\tb,\n" RCPT "\n", false },
	/* a final recipient whose address would begin another header field */
	{ HEAD "r3:a@b,\nf32:k1:U,\nu1:a,\ne0:,\na5:a\nX:y,\ng0:,\n,\ns1:w,\n"
	    "\n", false },
	{ HEAD "r3:a@b,\nf32:k1:U,\nu1:a,\ne0:,\na5:a@X:y,\ng0:,\n,\ns1:w,\n"
	    "\n", true },
};

START_TEST(head_rows)
{
	struct envelope	env;
	struct diag	why = { "" };

	ck_assert_int_eq(envelope_parse(str_from(heads[_i].text), &env, &why),
	    heads[_i].ok ? 0 : -1);
	if (!heads[_i].ok)
		ck_assert_ptr_nonnull(strstr(why.text, "offset"));
	envelope_free(&env);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("envelope");
	TCase	*t = tcase_create("envelope");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_test(t, file_round_trip);
	tcase_add_test(t, torn_or_changed);
	tcase_add_loop_test(t, head_rows, 0, nitems(heads));
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
