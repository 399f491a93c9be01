/* tests/unit/test_downgrade.c - what 8 bits become for a server that takes 7: a new case is a row. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/fmt/downgrade.h"
#include "common/fmt/mime.h"

#define IN(s)	{ (s), sizeof(s) - 1 }
#define M	"MIME-Version: 1.0\r\n"
#define CTE	"Content-Transfer-Encoding: "
#define MIXED	M "Content-Type: multipart/mixed; boundary=\"b 1\"\r\n"

static const struct { struct str in, out; } rows[] = {
	/* nothing to do */
	{ IN("Subject: x\r\n\r\nbody\r\n"), IN("Subject: x\r\n\r\nbody\r\n") },
	{ IN(""), IN("") },
	{ IN("\r\nbody"), IN("\r\nbody") },
	{ IN("Subject: x\r\n"), IN("Subject: x\r\n") },
	/* no MIME at all: RFC 1428 */
	{ IN("Subject: x\r\n\r\na\xe4z=\r\n"),
	    IN("Subject: x\r\n" M "Content-Type: text/plain; "
	    "charset=unknown-8bit\r\n" CTE "quoted-printable\r\n\r\n"
	    "a=E4z=3D\r\n") },
	/* a label that promises more */
	{ IN(M CTE "8bit\r\n\r\nseven\r\n"), IN(M CTE "7bit\r\n\r\nseven\r\n") },
	/* blanks at the end of lines, long lines */
	{ IN(M "Content-Type: text/plain; charset=utf-8\r\n" CTE "8bit\r\n\r\n"
	    "\xc3\xa4 \t\r\nplain\r\n"),
	    IN(M "Content-Type: text/plain; charset=utf-8\r\n" CTE
	    "quoted-printable\r\n\r\n=C3=A4 =09\r\nplain\r\n") },
	{ IN(M "Content-Type: text/plain\r\n\r\n\xff" "45678901234567890123456"
	    "789012345678901234567890123456789012345678901234567890xyz\r\n"),
	    IN(M "Content-Type: text/plain\r\n" CTE "quoted-printable\r\n\r\n"
	    "=FF45678901234567890123456789012345678901234567890123456789012345"
	    "6789012345=\r\n67890xyz\r\n") },
	/* no text: base64, with its last line end */
	{ IN(M "Content-Type: application/x\r\n" CTE "binary\r\n\r\n\x80\x81\r\n"),
	    IN(M "Content-Type: application/x\r\n" CTE "base64\r\n\r\n"
	    "gIENCg==\r\n") },
	/* text that is nearly all escapes */
	{ IN(M "Content-Type: text/plain\r\n\r\n\xd0\xb0\xd0\xb1\xd0\xb2\r\n"),
	    IN(M "Content-Type: text/plain\r\n" CTE "base64\r\n\r\n"
	    "0LDQsdCyDQo=\r\n") },
	/* parts: the line end before a delimiter is not theirs */
	{ IN(MIXED CTE "8bit\r\n\r\npre\xff\r\n--b 1\r\n\r\nseven\r\n--b 1 \r\n"
	    "Content-Type: image/x\r\n" CTE "8bit\r\n\r\n\xff\r\n"
	    "--b 1--\r\n\xff" "post\r\n"),
	    IN(MIXED CTE "7bit\r\n\r\npre?\r\n--b 1\r\n\r\nseven\r\n--b 1 \r\n"
	    "Content-Type: image/x\r\n" CTE "base64\r\n\r\n/w==\r\n"
	    "--b 1--\r\n?post\r\n") },
	/* multipart in multipart, its end missing */
	{ IN(M "Content-Type: multipart/x; boundary=o\r\n\r\n--o\r\n"
	    "Content-Type: multipart/y; boundary=i\r\n\r\n--i\r\n\r\n\xe4 text"
	    "\r\n--o\r\n\r\ntext \xe4\r\n--o--\r\n"),
	    IN(M "Content-Type: multipart/x; boundary=o\r\n\r\n--o\r\n"
	    "Content-Type: multipart/y; boundary=i\r\n\r\n--i\r\n"
	    "Content-Type: text/plain; charset=unknown-8bit\r\n" CTE
	    "quoted-printable\r\n\r\n=E4 text\r\n--o\r\n"
	    "Content-Type: text/plain; charset=unknown-8bit\r\n" CTE
	    "quoted-printable\r\n\r\ntext =E4\r\n--o--\r\n") },
	/* a message in the message */
	{ IN(M "Content-Type: message/rfc822\r\n" CTE "8bit\r\n\r\n"
	    "Subject: in\r\n\r\nin \xe4 in\r\n"),
	    IN(M "Content-Type: message/rfc822\r\n" CTE "7bit\r\n\r\n"
	    "Subject: in\r\n" M "Content-Type: text/plain; charset=unknown-8bit"
	    "\r\n" CTE "quoted-printable\r\n\r\nin =E4 in\r\n") },
	/* a digest's parts are messages */
	{ IN(M "Content-Type: multipart/digest; boundary=d\r\n\r\n--d\r\n\r\n"
	    "Subject: in\r\n\r\ndigest \xe4\r\n--d--\r\n"),
	    IN(M "Content-Type: multipart/digest; boundary=d\r\n\r\n--d\r\n\r\n"
	    "Subject: in\r\n" M "Content-Type: text/plain; charset=unknown-8bit"
	    "\r\n" CTE "quoted-printable\r\n\r\ndigest =E4\r\n--d--\r\n") },
	/* a message in UTF-8 is encoded as a whole: RFC 6532 3.7 */
	{ IN(M "Content-Type: message/global\r\n" CTE "8bit\r\n\r\n"
	    "Subject: \xc3\xa4\r\n\r\nx\r\n"),
	    IN(M "Content-Type: message/global\r\n" CTE "base64\r\n\r\n"
	    "U3ViamVjdDogw6QNCg0KeA0K\r\n") },
	/* what is signed stays, its labels, too; what is beside it does not */
	{ IN(MIXED "\r\n--b 1\r\nContent-Type: multipart/Signed; boundary=s"
	    "\r\n" CTE "8bit\r\n\r\n--s\r\nContent-Type: multipart/x; "
	    "boundary=i\r\n" CTE "8bit\r\n\r\n--i\r\n" CTE "8bit\r\n\r\n"
	    "seven\r\n--i--\r\n--s--\r\n--b 1\r\n\r\n\xe4 text\r\n"
	    "--b 1--\r\n"),
	    IN(MIXED "\r\n--b 1\r\nContent-Type: multipart/Signed; boundary=s"
	    "\r\n" CTE "7bit\r\n\r\n--s\r\nContent-Type: multipart/x; "
	    "boundary=i\r\n" CTE "8bit\r\n\r\n--i\r\n" CTE "8bit\r\n\r\n"
	    "seven\r\n--i--\r\n--s--\r\n--b 1\r\n"
	    "Content-Type: text/plain; charset=unknown-8bit\r\n" CTE
	    "quoted-printable\r\n\r\n=E4 text\r\n--b 1--\r\n") },
	/* a header that a delimiter ends: nothing is made of it */
	{ IN(MIXED "\r\n--b 1\r\n" CTE "8bit\r\n--b 1\r\n\r\n\xe4 text\r\n"),
	    IN(MIXED "\r\n--b 1\r\n" CTE "8bit\r\n--b 1\r\n"
	    "Content-Type: text/plain; charset=unknown-8bit\r\n" CTE
	    "quoted-printable\r\n\r\n=E4 text\r\n") },
	/* a line that is no field */
	{ IN("From x\r\nSubject: x\r\n\r\n\xe4 and text\r\n"),
	    IN("From x\r\nSubject: x\r\n" M "Content-Type: text/plain; "
	    "charset=unknown-8bit\r\n" CTE "quoted-printable\r\n\r\n"
	    "=E4 and text\r\n") },
	/* encoded already, but for some bytes */
	{ IN(M CTE "Quoted-Printable\r\n\r\na=E4\xe4=\r\nb\r\n"),
	    IN(M CTE "Quoted-Printable\r\n\r\na=E4=E4=\r\nb\r\n") },
	{ IN(M "Content-Type: image/x\r\n" CTE "base64\r\n\r\nAA\xff==\r\n"),
	    IN(M "Content-Type: image/x\r\n" CTE "base64\r\n\r\nAA==\r\n") },
	/* fields stay as they are; a boundary that nobody can use */
	{ IN("Subject: \xe4\r\n" M "\r\nseven\r\n"),
	    IN("Subject: \xe4\r\n" M "\r\nseven\r\n") },
	{ IN(M "Content-Type: multipart/mixed\r\n\r\n--\r\n\xe4 and text\r\n"),
	    IN(M "Content-Type: multipart/mixed\r\n" CTE "base64\r\n\r\n"
	    "LS0NCuQgYW5kIHRleHQNCg==\r\n") },
};

static int
pass(struct downgrade *d, struct str in, size_t step)
{
	struct str	piece;

	for (; in.n > 0; in.p += piece.n, in.n -= piece.n) {
		piece = (struct str){ in.p, in.n < step ? in.n : step };
		ck_assert_int_eq(downgrade_add(d, piece), 0);
	}
	return downgrade_end(d);
}

static void
convert(struct str in, size_t step, struct buf *out)
{
	static struct downgrade	d;

	downgrade_init(&d);
	ck_assert_int_eq(pass(&d, in, step), 0);
	downgrade_write(&d, out);
	ck_assert_int_eq(pass(&d, in, step), 0);
	downgrade_free(&d);
}

START_TEST(converts)
{
	struct buf	out;
	size_t		step;

	buf_init(&out, 1u << 20);
	for (step = 1; step < 9999; step *= 3) {
		buf_reset(&out);
		convert(rows[_i].in, step, &out);
		ck_assert_msg(str_eq(buf_view(&out), rows[_i].out),
		    "row %d, pieces of %zu: <%.*s>", _i, step,
		    STR_ARG(buf_view(&out)));
	}
	buf_free(&out);
}
END_TEST

/* Lines of any length, cut wherever the CR may be. */
START_TEST(long_lines)
{
	struct buf	in, out, want;
	size_t		n;

	buf_init(&in, 1u << 20);
	buf_init(&out, 1u << 20);
	buf_init(&want, 1u << 20);
	for (n = 2040; n < 2056; n++) {
		buf_reset(&in);
		buf_reset(&out);
		buf_adds(&in, M "Content-Type: text/plain\r\n\r\n");
		while (in.n < n)
			buf_addc(&in, 'x');
		buf_adds(&in, "\r\n\xe4\r\n");
		convert(buf_view(&in), 100, &out);
		ck_assert(out.n > n && memcmp(out.p + out.n - 6, "\n=E4\r\n",
		    6) == 0);
		ck_assert_ptr_null(memmem(out.p, out.n, "=0D", 3));
	}
	buf_free(&in);
	buf_free(&out);
	buf_free(&want);
}
END_TEST

#define SIGNED	M "Content-Type: multipart/signed; boundary=s\r\n\r\n--s\r\n"

static const struct str refused[] = {
	IN(M CTE "x-odd\r\n\r\n\xe4\r\n"),
	/* RFC 1847 2.1 */
	IN(SIGNED "\r\n\xe4 text\r\n--s\r\n\r\nsignature\r\n--s--\r\n"),
	IN(SIGNED "Content-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\n"
	    "\xe4 text\r\n--s--\r\n"),
	IN(SIGNED "Content-Type: multipart/x; boundary=i\r\n\r\npre\xe4\r\n"
	    "--i\r\n\r\nx\r\n--i--\r\n--s--\r\n"),
};

START_TEST(refuses)
{
	static struct downgrade	d;

	downgrade_init(&d);
	ck_assert_int_eq(pass(&d, refused[_i], 10), -1);
	downgrade_free(&d);
}
END_TEST

static const struct { struct str in; bool ok; const char *boundary; } types[] = {
	{ IN("multipart/mixed; boundary=abc"), true, "abc" },
	{ IN(" multipart / mixed ; x=\"a;b\\\"c\" ;\r\n\tBOUNDARY=\"a b\""), true, "a b" },
	{ IN("multipart/mixed (a (c) \\) ;boundary=no) ; boundary=yes"), true, "yes" },
	{ IN("multipart/mixed; boundary=\"ends \""), true, "" },
	{ IN("multipart/mixed; boundary=\"\""), true, "" },
	{ IN("multipart/mixed; boundary=\"open"), true, "" },
	{ IN("multipart/mixed; ; boundary=a"), true, "a" },
	{ IN("multipart/mixed; boundary=12345678901234567890123456789012345678901234567890123456789012345678901"), true, "" },
	{ IN("text"), false, "" },
	{ IN("("), false, "" },
	{ IN("(\\"), false, "" },
};

START_TEST(content_type)
{
	struct mime_type	t;

	ck_assert_int_eq(mime_type(types[_i].in, &t), types[_i].ok);
	if (types[_i].ok)
		ck_assert_str_eq(t.boundary, types[_i].boundary);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("downgrade");
	TCase	*t = tcase_create("downgrade");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_loop_test(t, converts, 0, nitems(rows));
	tcase_add_loop_test(t, refuses, 0, nitems(refused));
	tcase_add_loop_test(t, content_type, 0, nitems(types));
	tcase_add_test(t, long_lines);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
