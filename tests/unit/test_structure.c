/* tests/unit/test_structure.c - ENVELOPE, BODYSTRUCTURE, references. Where a row says "(D)" Dovecot 2.3 answers otherwise. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/fmt/cur.h"
#include "common/fmt/structure.h"

#define IN(s)		{ (s), sizeof(s) - 1 }
#define PLAIN		"\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" "
#define NILS		" NIL NIL NIL NIL"
#define NO_ENVELOPE	"(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"

/* ---- ENVELOPE */

static const struct { struct str in; const char *out; } envelopes[] = {
	{ IN(""), NO_ENVELOPE },
	{ IN("Date: d\nSubject: s\nFrom: f@x\nSender: s@x\nReply-To: r@x\n"
	    "To: t@x\nCc: c@x\nBcc: b@x\nIn-Reply-To: <i@x>\nMessage-ID: <m@x>\n"),
	    "(\"d\" \"s\" ((NIL NIL \"f\" \"x\")) ((NIL NIL \"s\" \"x\")) "
	    "((NIL NIL \"r\" \"x\")) ((NIL NIL \"t\" \"x\")) "
	    "((NIL NIL \"c\" \"x\")) ((NIL NIL \"b\" \"x\")) \"<i@x>\" \"<m@x>\")" },
	/* folded, blanks in a row; comments stay, names may have blanks behind them */
	{ IN("SUBJECT :   a  \t b (c)\r\n\t \r\n d\r\nDate: Mon,\r\n 1 Jan 2020 (x)\r\n"),
	    "(\"Mon, 1 Jan 2020 (x)\" \"a b (c) d\" NIL NIL NIL NIL NIL NIL NIL NIL)" },
	/* the last of a name, addresses of all */
	{ IN("Subject: a\nTo: a@b\nsubject: b\nto: c@d\n"),
	    "(NIL \"b\" NIL NIL NIL ((NIL NIL \"a\" \"b\")(NIL NIL \"c\" \"d\")) NIL NIL NIL NIL)" },
	{ IN("Date: 1\nDate:\nMessage-ID: <1>\nMESSAGE-ID: <2>\nIn-Reply-To: <3>\nIn-Reply-To: <4>\n"),
	    "(\"\" NIL NIL NIL NIL NIL NIL NIL \"<4>\" \"<2>\")" },
	{ IN("From:\nFrom: a@b\nX: y\nFROM : c@d, e@f\nFrom:\nSender: ,\nSender: s@x\nCc:\nCc: \n"),
	    "(NIL NIL ((NIL NIL \"a\" \"b\")(NIL NIL \"c\" \"d\")(NIL NIL \"e\" \"f\")) ((NIL NIL \"s\" \"x\")) "
	    "((NIL NIL \"a\" \"b\")(NIL NIL \"c\" \"d\")(NIL NIL \"e\" \"f\")) NIL NIL NIL NIL NIL)" },
	/* what is open ends with its field */
	{ IN("To: g: a@b,\nTo: c@d;\nTo: e@f (x\nTo: \"y\nTo: z@z\n"),
	    "(NIL NIL NIL NIL NIL ((NIL NIL \"g\" NIL)(NIL NIL \"a\" \"b\")(NIL NIL NIL NIL)"
	    "(NIL NIL \"c\" \"d\")(\"x\" NIL \"e\" \"f\")"
	    "(\"y\" NIL \"MISSING_MAILBOX\" \"MISSING_DOMAIN\")(NIL NIL \"z\" \"z\")) NIL NIL NIL NIL)" },
	/* there but empty (D: a broken address, NIL) */
	{ IN("Subject:\nFrom: \nSender: <>\nTo: ,\nMessage-ID: \n"),
	    "(NIL \"\" NIL NIL NIL NIL NIL NIL NIL \"\")" },
	{ IN("From: a@b\nSender: <>\nReply-To: \n"),
	    "(NIL NIL ((NIL NIL \"a\" \"b\")) ((NIL NIL \"a\" \"b\")) ((NIL NIL \"a\" \"b\")) NIL NIL NIL NIL NIL)" },
	/* quotes and backslashes; 8-bit; NUL */
	{ IN("Subject: \"a\\b\"\nMessage-ID: \xe9\n"),
	    "(NIL \"\\\"a\\\\b\\\"\" NIL NIL NIL NIL NIL NIL NIL {1}\r\n\xe9)" },
	{ IN("Subject: a\0b\n"), "(NIL {5}\r\na\xef\xbf\xbd" "b NIL NIL NIL NIL NIL NIL NIL NIL)" },
	{ IN("Subject: J\xc3\xb6rg \n  x\n"), "(NIL {7}\r\nJ\xc3\xb6rg x NIL NIL NIL NIL NIL NIL NIL NIL)" },
	/* lines that are no field, a field in a continuation, a body */
	{ IN("From me Thu\nbroken\n Subject: no\nSubject: s\n\nDate: no\n"),
	    "(NIL \"s\" NIL NIL NIL NIL NIL NIL NIL NIL)" },
};

START_TEST(envelope)
{
	struct buf	b;

	buf_init(&b, 65536);
	ck_assert_int_eq(envelope_put(&b, envelopes[_i].in), 0);
	ck_assert_str_eq(buf_cstr(&b), envelopes[_i].out);
	buf_free(&b);
	buf_init(&b, 20);
	ck_assert_int_eq(envelope_put(&b, envelopes[_i].in), -1);
	buf_free(&b);
}
END_TEST

/* ---- addresses, of To */

#define A(name, mailbox, host)	"(" name " NIL \"" mailbox "\" " host ")"

static const struct { const char *in, *out; } addresses[] = {
	{ "a@b", "(" A("NIL", "a", "\"b\"") ")" },
	{ "joe@x (Joe)", "(" A("\"Joe\"", "joe", "\"x\"") ")" },
	{ "(c) joe@x", "(" A("\"c\"", "joe", "\"x\"") ")" },
	{ "Joe Q. Public <j.q@x>", "(" A("\"Joe Q. Public\"", "j.q", "\"x\"") ")" },
	{ "\"Q\\\"x\" (c) <@r1,@r2:\"a b\"@[1.2.3.4]> (c3)",
	    "((\"Q\\\"x\" \"@r1,@r2\" \"a b\" \"[1.2.3.4]\"))" },
	{ "Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>",
	    "(" A("\"Pete\"", "pete", "\"silly.test\"") ")" },
	{ "jdoe@test   . example, \"j . d\" . \"e\"@x", "(" A("NIL", "jdoe", "\"test.example\"")
	    A("NIL", "j . d.e", "\"x\"") ")" },
	{ "a@[IPv6:1::2], b@c", "(" A("NIL", "a", "\"[IPv6:1::2]\"") A("NIL", "b", "\"c\"") ")" },
	{ "=?utf-8?q?a?= <a@b>", "(" A("\"=?utf-8?q?a?=\"", "a", "\"b\"") ")" },
	{ "\"a\r\n  b\" <a@b>", "(" A("\"a b\"", "a", "\"b\"") ")" },
	{ "J\xc3\xb6rg <j@x>", "(({5}\r\nJ\xc3\xb6rg NIL \"j\" \"x\"))" },
	/* groups */
	{ "g:a@b,C <c@d>;, x@y", "(" A("NIL", "g", "NIL") A("NIL", "a", "\"b\"")
	    A("\"C\"", "c", "\"d\"") "(NIL NIL NIL NIL)" A("NIL", "x", "\"y\"") ")" },
	{ "undisclosed recipients: ;", "(" A("NIL", "undisclosed recipients", "NIL") "(NIL NIL NIL NIL))" },
	{ "(a)(b)Hidden  :(nobody(that I know))  ;", "(" A("NIL", "Hidden", "NIL") "(NIL NIL NIL NIL))" },
	{ "g:a@b", "(" A("NIL", "g", "NIL") A("NIL", "a", "\"b\"") "(NIL NIL NIL NIL))" },
	{ "g:h:a@b;;", "(" A("NIL", "g", "NIL") A("NIL", "a", "\"b\"") "(NIL NIL NIL NIL))" },
	{ ";", "NIL" },
	{ ":a@b", "(" A("NIL", "a", "\"b\"") ")" },
	/* what is no address */
	{ "joe", "(" A("NIL", "joe", "\"MISSING_DOMAIN\"") ")" },
	{ "<joe>", "(" A("NIL", "joe", "\"MISSING_DOMAIN\"") ")" },
	{ "joe@", "(" A("NIL", "joe", "\"MISSING_DOMAIN\"") ")" },
	{ "@x", "(" A("NIL", "MISSING_MAILBOX", "\"x\"") ")" },
	{ "<@x>", "(" A("NIL", "MISSING_MAILBOX", "\"x\"") ")" },
	{ "just a name", "(" A("\"just a name\"", "MISSING_MAILBOX", "\"MISSING_DOMAIN\"") ")" },
	{ "\"name\"", "(" A("\"name\"", "MISSING_MAILBOX", "\"MISSING_DOMAIN\"") ")" },
	{ "Name <>", "(" A("\"Name\"", "MISSING_MAILBOX", "\"MISSING_DOMAIN\"") ")" },
	/* nothing at all (D: an address of nothing) */
	{ "<>, , (c)", "NIL" },
	{ "a@b, , c@d", "(" A("NIL", "a", "\"b\"") A("NIL", "c", "\"d\"") ")" },
	/* the end, or a comma, was forgotten (D: SYNTAX_ERROR, and nothing behind it) */
	{ "<a@b", "(" A("NIL", "a", "\"b\"") ")" },
	{ "\"a <b@c>, d@e", "(" A("\"a <b@c>, d@e\"", "MISSING_MAILBOX", "\"MISSING_DOMAIN\"") ")" },
	{ "a@b c@d, e <f@g> h <i@j>", "(" A("NIL", "a", "\"b\"") A("NIL", "c", "\"d\"")
	    A("\"e\"", "f", "\"g\"") A("\"h\"", "i", "\"j\"") ")" },
	{ "a b c@d", "(" A("\"a b\"", "c", "\"d\"") ")" },
	{ "a@b <c@d>", "(" A("\"a@b\"", "c", "\"d\"") ")" },
	{ "a@b@c", "(" A("NIL", "a", "\"b\"") A("NIL", "MISSING_MAILBOX", "\"c\"") ")" },
	{ "> a@b >", "(" A("NIL", "a", "\"b\"") ")" },
	{ "A <<a@b>>, <<<c@d>", "(" A("\"A\"", "a", "\"b\"") A("NIL", "c", "\"d\"") ")" },
	{ "A <<@r:a@b>>; <<>>", "((\"A\" \"@r\" \"a\" \"b\"))" },
	{ "a@b (open", "(" A("\"open\"", "a", "\"b\"") ")" },
	{ "(", "NIL" },
	{ "\\", "(" A("NIL", "\\\\", "\"MISSING_DOMAIN\"") ")" },
	{ "\"", "NIL" },
};

START_TEST(address)
{
	struct buf	b, header;
	const char	*to, *nils = "(NIL NIL NIL NIL NIL ";

	buf_init(&b, 65536);
	buf_init(&header, 65536);
	buf_addf(&header, "To: %s\n", addresses[_i].in);
	ck_assert_int_eq(envelope_put(&b, buf_view(&header)), 0);
	buf_adds(&b, "");
	ck_assert_ptr_nonnull(to = buf_cstr(&b));
	ck_assert_int_eq(strncmp(to, nils, strlen(nils)), 0);
	to += strlen(nils);
	ck_assert_msg(strncmp(to, addresses[_i].out,
	    strlen(addresses[_i].out)) == 0, "%s: %s", addresses[_i].in, to);
	ck_assert_str_eq(to + strlen(addresses[_i].out), " NIL NIL NIL NIL)");
	buf_free(&b);
	buf_free(&header);
}
END_TEST

/* What is longer than there is room for is cut, and what looks as if work grew with its square does not. */
START_TEST(address_bounds)
{
	static const char *const	pieces[] = { "<@,", "a@b ", "((", "\"a\" ", "g:", "<a", "@" };
	struct buf			b, header;
	size_t				i, k;

	buf_init(&b, 1u << 24);
	buf_init(&header, 1u << 24);
	for (i = 0; i < nitems(pieces); i++) {
		buf_reset(&b);
		buf_reset(&header);
		buf_adds(&header, "To: ");
		for (k = 0; k < 20000; k++)
			buf_adds(&header, pieces[i]);
		buf_adds(&header, " <a@b>\n");
		ck_assert_int_eq(envelope_put(&b, buf_view(&header)), 0);
	}
	buf_free(&b);
	buf_free(&header);
}
END_TEST

/* ---- references */

static const struct { const char *in, *out; } references[] = {
	{ "", "" },
	{ "References: <a@b>\n <c@d>\nIn-Reply-To: <e@f>\n", "<a@b> <c@d>" },
	{ "References: <a@b><c@d> x, <e> <@f> <g@> <h@i\n <j@k>", "<a@b> <c@d> <j@k>" },
	{ "References: none\nIn-Reply-To: Your message of <e@f> and <g@h>\n", "<e@f>" },
	{ "In-Reply-To: \"x\" (<c@d>) <e@f>", "<e@f>" },
	/* 3.6.4, 4.5.4: quotes that need not be, blanks, comments */
	{ "References: <\"a.b\"@c> <\"a b\"@c> <\"a\\b\"@c> <\".a\"@c> <\"a\\\"b\"@c>",
	    "<a.b@c> <\"a b\"@c> <ab@c> <\".a\"@c> <\"a\\\"b\"@c>" },
	{ "References: < a (x) @\n b >", "<a@b>" },
	{ "References: <\"@b", "" },
};

START_TEST(reference)
{
	struct buf	b;

	buf_init(&b, 65536);
	ck_assert_int_eq(references_put(&b, str_from(references[_i].in)), 0);
	ck_assert_str_eq(buf_cstr(&b), references[_i].out);
	buf_free(&b);
}
END_TEST

START_TEST(reference_bounds)
{
	struct buf	b, long_id;
	size_t		i;

	buf_init(&b, 65536);
	buf_init(&long_id, 65536);
	buf_addc(&long_id, '<');
	for (i = 0; i < 2000; i++)
		buf_addc(&long_id, 'a');
	buf_adds(&long_id, "@b> <c@d> <e@f>");
	ck_assert_int_eq(references_put_first(&b, buf_view(&long_id)), 0);
	ck_assert_str_eq(buf_cstr(&b), "<c@d>");
	buf_free(&b);
	buf_free(&long_id);
}
END_TEST

/* ---- BODYSTRUCTURE, BODY */

#define MIXED(b)	"Content-Type: multipart/mixed; boundary=" b "\n\n"
#define TYPE(s)		IN("Content-Type: " s "\n\nx")

static const struct { struct str in; const char *out, *body; } structures[] = {
	{ IN(""), "(" PLAIN "0 0" NILS ")", "(" PLAIN "0 0)" },
	{ IN("a: b\n\nx\ny\n"), "(" PLAIN "6 2" NILS ")", "(" PLAIN "6 2)" },
	{ TYPE("Text/HTML"), "(\"Text\" \"HTML\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 1 0" NILS ")",
	    "(\"Text\" \"HTML\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 1 0)" },
	{ TYPE("text/plain; format=flowed"),
	    "(\"text\" \"plain\" (\"format\" \"flowed\" \"charset\" \"us-ascii\") NIL NIL \"7bit\" 1 0" NILS ")",
	    "(\"text\" \"plain\" (\"format\" \"flowed\" \"charset\" \"us-ascii\") NIL NIL \"7bit\" 1 0)" },
	/* what is no type (D: "", and what was there) */
	{ TYPE("text"), "(" PLAIN "1 0" NILS ")", "(" PLAIN "1 0)" },
	{ TYPE("/plain"), "(" PLAIN "1 0" NILS ")", "(" PLAIN "1 0)" },
	{ TYPE("(c)"), "(" PLAIN "1 0" NILS ")", "(" PLAIN "1 0)" },
	/* parameters; what is broken is passed over (D: and all behind it) */
	{ TYPE("Foo/Bar(c); (d)a=b; c=\"d\\\"e\" (f); g; h=; i=j k; ; =l; m=\"n\n o\"; p=\"q"),
	    "(\"Foo\" \"Bar\" (\"a\" \"b\" \"c\" \"d\\\"e\" \"i\" \"j\" \"m\" \"n o\" \"p\" \"q\") NIL NIL \"7bit\" 1" NILS ")", NULL },
	{ TYPE("a/b; c=\xe4"), "(\"a\" \"b\" (\"c\" {1}\r\n\xe4) NIL NIL \"7bit\" 1" NILS ")", NULL },
	{ TYPE("a/b charset=x; c=\"\""), "(\"a\" \"b\" (\"c\" \"\") NIL NIL \"7bit\" 1" NILS ")", NULL },
	/* in pieces (RFC 2231) */
	{ TYPE("a/b; n*1=y; n*0=\"x\"; z=1; N*2=z; m*1=w"),
	    "(\"a\" \"b\" (\"z\" \"1\" \"m*1\" \"w\" \"n\" \"xyz\") NIL NIL \"7bit\" 1" NILS ")", NULL },
	{ TYPE("a/b; n*0*=utf-8''x%20; n*1=\"y z\""),
	    "(\"a\" \"b\" (\"n*\" \"utf-8''x%20y%20z\") NIL NIL \"7bit\" 1" NILS ")", NULL },
	{ TYPE("a/b; n*=utf-8''x%20"), "(\"a\" \"b\" (\"n*\" \"utf-8''x%20\") NIL NIL \"7bit\" 1" NILS ")", NULL },
	{ TYPE("text/plain; charset*0=utf; charset*1=-8"),
	    "(\"text\" \"plain\" (\"charset\" \"utf-8\") NIL NIL \"7bit\" 1 0" NILS ")", NULL },
	/* everything, and the first of each name, but for the disposition */
	{ IN("Content-Type: a/b\nContent-Type: c/d\nContent-Disposition: inline; x=y\n"
	    "Content-Disposition: attachment\nContent-Id: <a>\nContent-Id: <b>\n"
	    "Content-Description: d (e)\n f\nContent-MD5: xx yy\n"
	    "Content-Language: en, de (c), fr\nContent-Location: http://a\n b\n"
	    "Content-Transfer-Encoding: Quoted-Printable (c)\n\nx"),
	    "(\"a\" \"b\" NIL \"<a>\" \"d (e) f\" \"Quoted-Printable\" 1 \"xx yy\" "
	    "(\"attachment\" NIL) (\"en\" \"de\" \"fr\") \"http://a b\")",
	    "(\"a\" \"b\" NIL \"<a>\" \"d (e) f\" \"Quoted-Printable\" 1)" },
	/* in quotes, and what is not such a word */
	{ IN("Content-Type: a/b\nContent-Disposition: \"attachment\" ; filename=\"x y\"\n\nx"),
	    "(\"a\" \"b\" NIL NIL NIL \"7bit\" 1 NIL (\"attachment\" (\"filename\" \"x y\")) NIL NIL)", NULL },
	{ IN("Content-Type: a/b\nContent-Disposition: \"a b\"; filename=x\n\nx"),
	    "(\"a\" \"b\" NIL NIL NIL \"7bit\" 1 NIL NIL NIL NIL)", NULL },
	{ IN("Content-Type: a/b\nContent-Disposition: \"\n\nx"),
	    "(\"a\" \"b\" NIL NIL NIL \"7bit\" 1 NIL NIL NIL NIL)", NULL },
	/* there, but empty */
	{ IN("Content-Type: a/b\nContent-Disposition: \nContent-Language: \n"
	    "Content-Transfer-Encoding: \nContent-Description: \nContent-ID: \nContent-MD5:\n\nx"),
	    "(\"a\" \"b\" NIL \"\" \"\" \"7bit\" 1 \"\" NIL NIL NIL)", NULL },
	{ IN("Content-Transfer-Encoding: quoted printable\n\n"), "(" PLAIN "0 0" NILS ")", NULL },
	{ IN("Content-Transfer-Encoding: base64;\n\n"),
	    "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"base64\" 0 0" NILS ")", NULL },
	/* multiparts, also those in which there is no part */
	{ IN(MIXED("a") "--a\n\nx\n--a\nContent-Type: a/b\n\n--a--\n"),
	    "((" PLAIN "1 0" NILS ")(\"a\" \"b\" NIL NIL NIL \"7bit\" 0" NILS
	    ") \"mixed\" (\"boundary\" \"a\") NIL NIL NIL)",
	    "((" PLAIN "1 0)(\"a\" \"b\" NIL NIL NIL \"7bit\" 0) \"mixed\")" },
	{ IN("Content-Type: multipart/x\n\n"), "((" PLAIN "0 0" NILS ") \"x\" NIL NIL NIL NIL)",
	    "((" PLAIN "0 0) \"x\")" },
	{ IN(MIXED("a") "preamble\n"), "((" PLAIN "0 0" NILS ") \"mixed\" (\"boundary\" \"a\") NIL NIL NIL)",
	    "((" PLAIN "0 0) \"mixed\")" },
	/* without a boundary all of a message is its part 1 (D: 0 octets); what is no message has no such part */
	{ IN("Content-Type: multipart/x\n\nx\ny\n"), "((" PLAIN "6 2" NILS ") \"x\" NIL NIL NIL NIL)",
	    "((" PLAIN "6 2) \"x\")" },
	{ IN("Content-Type: multipart/x; boundary=\"\"\nContent-Transfer-Encoding: BASE64\n\neA==\n"),
	    "((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"BASE64\" 6 1" NILS
	    ") \"x\" (\"boundary\" \"\") NIL NIL NIL)", NULL },
	{ IN("Content-Type: message/rfc822\n\nContent-Type: multipart/x\n\nx\n"),
	    "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 32 " NO_ENVELOPE
	    " ((" PLAIN "3 1" NILS ") \"x\" NIL NIL NIL NIL) 3" NILS ")", NULL },
	{ IN(MIXED("a") "--a\nContent-Type: multipart/x\n\nx\n--a--\n"),
	    "(((" PLAIN "0 0" NILS ") \"x\" NIL NIL NIL NIL) \"mixed\" (\"boundary\" \"a\") NIL NIL NIL)", NULL },
	/* messages; the names of their type are written in one way */
	{ IN("Content-Type: MESSAGE/RFC822\n\nSubject: in\n\nx\ny"),
	    "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 19 "
	    "(NIL \"in\" NIL NIL NIL NIL NIL NIL NIL NIL) (" PLAIN "4 1" NILS ") 3" NILS ")",
	    "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 19 "
	    "(NIL \"in\" NIL NIL NIL NIL NIL NIL NIL NIL) (" PLAIN "4 1) 3)" },
	/* (D: it is no message) */
	{ IN("Content-Type: message/global\n\n"),
	    "(\"message\" \"global\" NIL NIL NIL \"7bit\" 0 " NO_ENVELOPE " (" PLAIN "0 0" NILS ") 0" NILS ")",
	    "(\"message\" \"global\" NIL NIL NIL \"7bit\" 0 " NO_ENVELOPE " (" PLAIN "0 0) 0)" },
	/* (D: looks for it in the base64) */
	{ IN("Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogaW4K\n"),
	    "(\"message\" \"rfc822\" NIL NIL NIL \"base64\" 18 " NO_ENVELOPE " (" PLAIN "0 0" NILS ") 1" NILS ")", NULL },
};

static void
structure_of(struct str in, bool extended, struct buf *out)
{
	struct arena	 a;
	struct parts	*p;

	arena_init(&a, PARTS_ARENA_MAX);
	ck_assert_ptr_nonnull(p = parts_begin(&a));
	ck_assert_int_eq(parts_feed(p, in), 0);
	ck_assert_int_eq(parts_end(p), 0);
	buf_reset(out);
	ck_assert_int_eq(structure_put(out, p, extended), 0);
	arena_free(&a);
}

START_TEST(structure)
{
	struct buf	long_form, body, reduced;

	buf_init(&long_form, 65536);
	buf_init(&body, 65536);
	buf_init(&reduced, 65536);
	structure_of(structures[_i].in, true, &long_form);
	ck_assert_str_eq(buf_cstr(&long_form), structures[_i].out);
	ck_assert(structure_may_be_sent(buf_view(&long_form)));
	structure_of(structures[_i].in, false, &body);
	if (structures[_i].body != NULL)
		ck_assert_str_eq(buf_cstr(&body), structures[_i].body);
	ck_assert_int_eq(structure_reduce(&reduced, buf_view(&long_form)), 0);
	ck_assert_str_eq(buf_cstr(&reduced), buf_cstr(&body));
	buf_free(&long_form);
	buf_free(&body);
	buf_free(&reduced);
}
END_TEST

/* ---- read back */

static const char *const no_structures[] = {
	"", "(", "()", "NIL", "(\"a\" \"b\")", "(\"a\" \"b\" NIL NIL NIL \"7bit\")",
	"(\"a\" \"b\" NIL NIL NIL \"7bit\" 1", "(\"a\" \"b\" NIL NIL NIL \"7bit\" 1) ",
	"(\"text\" \"b\" NIL NIL NIL \"7bit\" 1)", "(\"a\" \"b\" NIL NIL NIL \"7bit 1)",
	"(\"a\" \"b\" NIL NIL NIL {9}\r\nx 1)", "(\"a\" \"b\" (NIL NIL NIL \"7bit\" 1)",
	"((\"a\" \"b\" NIL NIL NIL \"7bit\" 1))", "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 1 NIL NIL 1)",
};

START_TEST(no_structure)
{
	struct buf	b;

	buf_init(&b, 65536);
	ck_assert_int_eq(structure_reduce(&b, str_from(no_structures[_i])), -1);
	buf_free(&b);
}
END_TEST

/* Only what is one list, and holds nothing that would end it. */
static const struct { struct str text; bool may; } kept[] = {
	{ IN("(NIL \"a b\" (1 {2}\r\n\xc3\xa4) ((NIL)(NIL)))"), true },
	{ IN("(\"a\\\")\" {2}\r\n)\")"), true },
	{ IN(""), false },
	{ IN("NIL"), false },
	{ IN(")"), false },
	{ IN("NIL (NIL)"), false },
	{ IN("(\\Seen)"), false },
	{ IN("(\"\\\r\n\")"), false },
	{ IN("(NIL"), false },
	{ IN("(NIL))"), false },
	{ IN("(NIL) (NIL)"), false },
	{ IN("(NIL)\r\n* BYE"), false },
	{ IN("(NIL\r\n* BYE)"), false },
	{ IN("(\"a\r\nb\")"), false },
	{ IN("(\"a\nb\")"), false },
	{ IN("(\"a\0b\")"), false },
	{ IN("(\"a\\\")"), false },
	{ IN("({3}\r\na\0b)"), false },
	{ IN("({9}\r\na)"), false },
	{ IN("({1}\na)"), false },
};

START_TEST(may_be_sent)
{
	ck_assert_int_eq(structure_may_be_sent(kept[_i].text), kept[_i].may);
}
END_TEST

START_TEST(too_deep)
{
	struct buf	b, out;
	size_t		i;

	buf_init(&b, 1u << 20);
	buf_init(&out, 1u << 20);
	for (i = 0; i < 100000; i++)
		buf_addc(&b, '(');
	ck_assert_int_eq(structure_reduce(&out, buf_view(&b)), -1);
	buf_free(&b);
	buf_free(&out);
}
END_TEST

START_TEST(items)
{
	const char	*in = "\"a\\\"b\" NIL {3}\r\nx)y (1 (\")\") {1}\r\n() 42 \"\"";
	struct cur	 c = cur_from(str_from(in));
	struct arena	 a;
	struct str	 s;
	bool		 is_list;

	arena_init(&a, 4096);
	ck_assert(structure_item(&c, &a, &s, &is_list) && !is_list);
	ck_assert(str_eq(s, STR("a\"b")));
	ck_assert(structure_item(&c, &a, &s, &is_list) && !is_list);
	ck_assert_ptr_null(s.p);
	ck_assert(structure_item(&c, &a, &s, &is_list) && !is_list);
	ck_assert(str_eq(s, STR("x)y")));
	ck_assert(structure_item(&c, &a, &s, &is_list) && is_list);
	ck_assert(str_eq(s, STR("(1 (\")\") {1}\r\n()")));
	ck_assert(structure_item(&c, &a, &s, &is_list) && !is_list);
	ck_assert(str_eq(s, STR("42")));
	ck_assert(structure_item(&c, &a, &s, &is_list) && !is_list);
	ck_assert(s.p != NULL && s.n == 0);
	ck_assert(!structure_item(&c, &a, &s, &is_list));
	arena_free(&a);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("structure");
	TCase	*t = tcase_create("structure");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, envelope, 0, nitems(envelopes));
	tcase_add_loop_test(t, address, 0, nitems(addresses));
	tcase_add_test(t, address_bounds);
	tcase_add_loop_test(t, reference, 0, nitems(references));
	tcase_add_test(t, reference_bounds);
	tcase_add_loop_test(t, structure, 0, nitems(structures));
	tcase_add_loop_test(t, no_structure, 0, nitems(no_structures));
	tcase_add_loop_test(t, may_be_sent, 0, nitems(kept));
	tcase_add_test(t, too_deep);
	tcase_add_test(t, items);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
