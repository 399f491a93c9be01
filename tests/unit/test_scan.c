/* tests/unit/test_scan.c - which messages are refuted from their raw bytes: never one in whose text the word is. */
#include <check.h>
#include <stdlib.h>

#include "common/base/attr.h"
#include "imapd/scan.h"

#define HEAD	"From: a@b.test\nSubject: x\n"
#define PDF	"Content-Type: application/pdf\nContent-Transfer-Encoding: base64\n"

static const struct {
	const char	*message, *word;
	bool		 refuted;
} rows[] = {
	{ HEAD "\nhello world\n",			"xyzzy",	true },
	{ HEAD "\nhello world\n",			"WORLD",	false },
	{ HEAD "\nhello world\n",			"hello  x",	false },
	{ HEAD "\nhello world\n",			"xyz world1",	true },
	{ HEAD "\nhello world\n",			" ",		false },
	{ HEAD "\nhello world\n",			"caf\xc3\xa9",	true },
	{ "",						"xyzzy",	false },
	/* what is not ASCII may become it */
	{ HEAD "\ncaf\xc3\xa9\n",			"xyzzy",	false },
	{ HEAD "\n\033$B!\n",				"xyzzy",	false },
	/* quoted-printable */
	{ HEAD "Content-Transfer-Encoding: Quoted-Printable\n\nxy=\nzzy\n", "xyzzy", false },
	{ HEAD "Content-Transfer-Encoding: quoted-printable\n\nxy= \t\r\nzzy\n", "xyzzy", false },
	{ HEAD "Content-Transfer-Encoding: quoted-printable\n\nx=79zzy\n", "xyzzy", false },
	{ HEAD "Content-Transfer-Encoding: quoted-printable\n\nx=C3=A9\n", "xyzzy", false },
	{ HEAD "Content-Transfer-Encoding: quoted-printable\n\nx=zzy =3D =\n", "xyzzy", true },
	/* base64: of text, of what is no text, and something about it */
	{ HEAD "Content-Transfer-Encoding: base64\n\neHl6enk=\n", "xyzzy", false },
	{ HEAD PDF "\neHl6enk=\n",			"xyzzy",	true },
	{ HEAD "Content-Type: text/plain\n" PDF "\neHl6enk=\n", "xyzzy", false },
	{ HEAD "\n--b\n" PDF "\neHl6enk=\n--b\nContent-Transfer-Encoding: base64\n\neHl6enk=\n", "xyzzy", false },
	{ HEAD "\nbase64 is an encoding\n",		"xyzzy",	false },
	/* encoded words, also in parts, joined and folded */
	{ "Subject: =?utf-8?q?x=79zzy?=\n\nx\n",	"xyzzy",	false },
	{ "Subject: =?utf-8?b?eHl6enk=?=\n\nx\n",	"xyzzy",	false },
	{ "Subject: =?utf-8?q?xyz?=\n =?utf-8?q?zy?=\n\nx\n", "xyzzy",	false },
	{ "Subject: =?utf-8?q?h=C3=A9llo?=\n\nx\n",	"xyzzy",	true },
	{ HEAD "\n--b\nContent-Description: =?utf-8?q?=78yzzy?=\n\nx\n", "xyzzy", false },
	/* charsets */
	{ HEAD "Content-Type: text/plain; charset=utf-8\n\nx\n", "xyzzy", true },
	{ HEAD "Content-Type: text/plain; charset=\"ISO-8859-1\"\n\nx\n", "xyzzy", true },
	{ HEAD "Content-Type: text/plain; charset=utf-7\n\n+AHgAeQ-zzy\n", "xyzzy", false },
	{ HEAD "Content-Type: text/plain; charset*0=utf-; charset*1=7\n\nx\n", "xyzzy", false },
};

START_TEST(row)
{
	struct scan_word	word;
	struct needle		needle;
	struct buf		scratch[2];

	buf_init(&scratch[0], 1 << 16);
	buf_init(&scratch[1], 1 << 16);
	ck_assert_int_eq(needle_begin(&needle, str_from(rows[_i].word)), 0);
	scan_word(&word, &needle);
	ck_assert_int_eq(scan_refutes(&word, 1, str_from(rows[_i].message),
	    scratch), rows[_i].refuted);
	needle_free(&needle);
	buf_free(&scratch[0]);
	buf_free(&scratch[1]);
}
END_TEST

/* At every place of texts around the size of a block. */
START_TEST(find)
{
	char		text[100];
	struct str	in = { text, 0 };
	size_t		at, i;

	for (in.n = 5; in.n < sizeof(text); in.n++)
		for (at = 0; at + 5 <= in.n; at++) {
			for (i = 0; i < in.n; i++)
				text[i] = i % 2 == 0 ? 'x' : 'Y';
			ck_assert_ptr_null(scan_find(in, STR("xyzzy")));
			for (i = 0; i < 5; i++)
				text[at + i] = "xYzZy"[i];
			ck_assert_ptr_eq(scan_find(in, STR("xyzzy")),
			    text + at);
		}
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("scan");
	TCase	*tc = tcase_create("rows");
	SRunner	*sr;
	int	 failed;

	tcase_add_loop_test(tc, row, 0, nitems(rows));
	tcase_add_test(tc, find);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
