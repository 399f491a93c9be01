/* tests/unit/test_threading.c - THREAD and SORT over messages that are only described here. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "imapd/sorting.h"
#include "imapd/threading.h"

/* ---- a mailbox of what is known of its messages */

struct mail {
	const char	*id, *references, *subject;
	int64_t		 sent;		/* 0: no Date */
	const char	*from;		/* "(name NIL box host)" */
};

static const struct mail	*mails;
static size_t			 nmails;
static char			 envelope[4096];

size_t
view_count(const struct view *v)
{
	(void)v;
	return nmails;
}

const struct view_message *
view_message(const struct view *v, size_t at)
{
	static struct view_message	m;

	(void)v;
	m.uid = (uint32_t)(at + 1) * 10;
	return &m;
}

int
view_info(struct view *v, size_t at, struct view_info *info)
{
	(void)v;
	memset(info, 0, sizeof(*info));
	info->internal_date = 1000 + (int64_t)at;
	return 0;
}

int
view_size(struct view *v, size_t at, uint64_t *size)
{
	(void)v;
	*size = 100 - at % 3;
	return 0;
}

int
view_head(struct view *v, size_t at, struct cache_head *head)
{
	const struct mail	*m = &mails[at];

	(void)v;
	memset(head, 0, sizeof(*head));
	head->sent = m->sent;
	head->has_date = m->sent != 0;
	(void)snprintf(envelope, sizeof(envelope),
	    "(NIL %s%s%s %s%s%s NIL NIL NIL NIL NIL NIL NIL)",
	    m->subject == NULL ? "" : "\"",
	    m->subject == NULL ? "NIL" : m->subject,
	    m->subject == NULL ? "" : "\"", m->from == NULL ? "" : "(",
	    m->from == NULL ? "NIL" : m->from, m->from == NULL ? "" : ")");
	head->envelope = str_from(envelope);
	head->references = str_from(m->references);
	head->message_id = str_from(m->id);
	return 0;
}

static struct found
everything(void)
{
	struct found	f = { .n = nmails };
	size_t		i;

	f.at = calloc(nmails + 1, sizeof(*f.at));
	ck_assert_ptr_nonnull(f.at);
	for (i = 0; i < nmails; i++)
		f.at[i] = (uint32_t)i;
	return f;
}

/* ---- threads */

#define MAILS	7

static const struct thread_row {
	enum thread_how	 how;
	struct mail	 mails[MAILS];
	const char	*threads;
} rows[] = {
	{ THREAD_REFERENCES, { { NULL, NULL, NULL, 0, 0 } }, "" },
	{ THREAD_REFERENCES, { { "<1>", "", "a", 5, 0 } }, "(1)" },
	/* a chain, and two answers to one */
	{ THREAD_REFERENCES, { { "<1>", "", "a", 1, 0 },
	    { "<2>", "<1>", "Re: a", 2, 0 },
	    { "<3>", "<1> <2>", "Re: a", 3, 0 },
	    { "<4>", "<1> <2>", "Re: a", 4, 0 } }, "(1 2 (3)(4))" },
	/* the answer came first */
	{ THREAD_REFERENCES, { { "<2>", "<1>", "Re: a", 2, 0 },
	    { "<1>", "", "a", 1, 0 } }, "(2 1)" },
	/* siblings by date */
	{ THREAD_REFERENCES, { { "<1>", "", "a", 1, 0 },
	    { "<2>", "<1>", "Re: a", 9, 0 },
	    { "<3>", "<1>", "Re: a", 3, 0 } }, "(1 (3)(2))" },
	/* an unknown parent of two stays as a dummy, of one does not */
	{ THREAD_REFERENCES, { { "<2>", "<0>", "x", 2, 0 },
	    { "<3>", "<0>", "y", 3, 0 },
	    { "<5>", "<4>", "z", 5, 0 } }, "((1)(2))(3)" },
	/* a dummy between two messages goes */
	{ THREAD_REFERENCES, { { "<1>", "", "a", 1, 0 },
	    { "<3>", "<1> <2>", "Re: a", 3, 0 } }, "(1 2)" },
	/* dummies in a row */
	{ THREAD_REFERENCES, { { "<9>", "<1> <2> <3>", "a", 1, 0 },
	    { "<8>", "<1> <2> <4>", "b", 2, 0 } }, "((1)(2))" },
	/* references that go round */
	{ THREAD_REFERENCES, { { "<1>", "<2>", "a", 1, 0 },
	    { "<2>", "<1>", "b", 2, 0 } }, "(2 1)" },
	{ THREAD_REFERENCES, { { "<1>", "<1>", "a", 1, 0 } }, "(1)" },
	{ THREAD_REFERENCES, { { "<1>", "<2> <3> <1> <2>", "a", 1, 0 },
	    { "<3>", "", "b", 2, 0 } }, "(1)(2)" },
	/* the last reference is the parent, whatever was thought before */
	{ THREAD_REFERENCES, { { "<3>", "<1> <2>", "Re: a", 3, 0 },
	    { "<1>", "", "a", 1, 0 },
	    { "<2>", "<0>", "b", 2, 0 } }, "(2)(3 1)" },
	/* one id twice: the first has it */
	{ THREAD_REFERENCES, { { "<1>", "", "a", 1, 0 },
	    { "<1>", "", "b", 2, 0 },
	    { "<2>", "<1>", "c", 3, 0 } }, "(1 3)(2)" },
	/* no id at all */
	{ THREAD_REFERENCES, { { "", "", "a", 2, 0 }, { "", "", "b", 1, 0 } },
	    "(2)(1)" },
	/* no date: when it came */
	{ THREAD_REFERENCES, { { "<1>", "", "a", 1001, 0 },
	    { "<2>", "", "b", 0, 0 }, { "<3>", "", "c", 1000, 0 } },
	    "(3)(1)(2)" },
	/* by subject: an answer below what it answers */
	{ THREAD_REFERENCES, { { "<1>", "", "a", 1, 0 },
	    { "<2>", "", "Re: A", 2, 0 } }, "(1 2)" },
	/* the answer is older: still below */
	{ THREAD_REFERENCES, { { "<1>", "", "Re: a", 1, 0 },
	    { "<2>", "", "a", 2, 0 } }, "(2 1)" },
	/* two that are no answers, or two that are: siblings */
	{ THREAD_REFERENCES, { { "<1>", "", "a", 1, 0 },
	    { "<2>", "", "a", 2, 0 } }, "((1)(2))" },
	{ THREAD_REFERENCES, { { "<1>", "", "Re: a", 1, 0 },
	    { "<2>", "", "Re: a", 2, 0 }, { "<3>", "", "Re: a", 3, 0 } },
	    "((1)(2)(3))" },
	/* a dummy has the subject of its first child, and takes others in */
	{ THREAD_REFERENCES, { { "<2>", "<0>", "Re: a", 2, 0 },
	    { "<3>", "<0>", "Re: a", 3, 0 },
	    { "<4>", "", "a", 1, 0 } }, "((3)(1)(2))" },
	/* two dummies become one */
	{ THREAD_REFERENCES, { { "<2>", "<0>", "a", 2, 0 },
	    { "<3>", "<0>", "a", 3, 0 }, { "<4>", "<9>", "a", 4, 0 },
	    { "<5>", "<9>", "a", 5, 0 } }, "((1)(2)(3)(4))" },
	/* no subject is none to share */
	{ THREAD_REFERENCES, { { "<1>", "", "", 1, 0 },
	    { "<2>", "", NULL, 2, 0 }, { "<3>", "", "Re:", 3, 0 } },
	    "(1)(2)(3)" },
	/* REFS: no subjects; the thread with the latest message last */
	{ THREAD_REFS, { { "<1>", "", "a", 1, 0 }, { "<2>", "", "a", 2, 0 },
	    { "<3>", "<1>", "Re: a", 3, 0 } }, "(2)(1 3)" },
	{ THREAD_ORDEREDSUBJECT, { { "<1>", "", "b", 3, 0 },
	    { "<2>", "", "a", 4, 0 }, { "<3>", "", "Re: b", 2, 0 },
	    { "<4>", "", "b", 9, 0 } }, "(3 (1)(4))(2)" },
	{ THREAD_ORDEREDSUBJECT, { { "<1>", "", "a", 1, 0 },
	    { "<2>", "", "Re: a", 2, 0 } }, "(1 2)" },
};

START_TEST(thread_row)
{
	const struct thread_row	*row = &rows[_i];
	struct threads		 t;
	struct found		 found;
	struct buf		 b;

	mails = row->mails;
	for (nmails = 0; nmails < MAILS && mails[nmails].id != NULL; nmails++)
		continue;
	found = everything();
	buf_init(&b, 4096);
	ck_assert_int_eq(threads_make(&t, NULL, &found, row->how, NULL), 0);
	ck_assert_int_eq(threads_put(&b, &t, NULL, false), 0);
	ck_assert_str_eq(buf_cstr(&b), row->threads);
	threads_free(&t);
	buf_free(&b);
	free(found.at);
}
END_TEST

/* As deep as there are messages: no recursion, and no time lost. */
START_TEST(deep)
{
	enum { DEEP = 20000 };
	static struct mail	many[DEEP];
	static char		ids[DEEP + 1][16];
	struct threads		t;
	struct found		found;
	struct buf		b;
	size_t			i, k;

	for (i = 0; i <= DEEP; i++)
		(void)snprintf(ids[i], sizeof(ids[i]), "<%zu>", i);
	for (k = 0; k < 2; k++) {
		for (i = 0; i < DEEP; i++) {
			many[i].id = ids[k == 0 ? i + 1 : DEEP - i];
			many[i].references = ids[k == 0 ? i : DEEP - i - 1];
			many[i].subject = "Re: a";
			many[i].sent = (int64_t)i + 1;
		}
		mails = many;
		nmails = DEEP;
		found = everything();
		buf_init(&b, 1 << 20);
		ck_assert_int_eq(threads_make(&t, NULL, &found,
		    THREAD_REFERENCES, NULL), 0);
		ck_assert_int_eq(threads_put(&b, &t, NULL, true), 0);
		ck_assert_int_eq(strncmp(b.p, k == 0 ? "(10 20 30 " :
		    "(200000 199990 ", k == 0 ? 10 : 15), 0);
		threads_free(&t);
		buf_free(&b);
		free(found.at);
	}
}
END_TEST

/* Letters that name the two ends of a long chain again and again: each would have the whole of it walked. */
START_TEST(tangled)
{
	enum { DEEP = 20000, EVIL = 60, PAIRS = 10000 };
	static struct mail	many[EVIL + 1];
	static char		chain[DEEP * 8 + 1], pairs[PAIRS * 16 + 1];
	struct threads		t;
	struct found		found;
	size_t			i;

	for (i = 0; i < DEEP; i++)
		(void)snprintf(chain + i * 8, 9, "<%05zu> ", i % 100000);
	for (i = 0; i < PAIRS; i++)
		memcpy(pairs + i * 16, "<19999> <00000> ", 17);
	many[0] = (struct mail){ "<first>", chain, "a", 1, NULL };
	for (i = 1; i <= EVIL; i++)
		many[i] = (struct mail){ "", pairs, "a", 1, NULL };
	mails = many;
	nmails = EVIL + 1;
	found = everything();
	ck_assert_int_eq(threads_make(&t, NULL, &found, THREAD_REFERENCES,
	    NULL), 0);
	threads_free(&t);
	free(found.at);
}
END_TEST

/* ---- sorting */

static const struct mail	inbox[] = {
	{ "<1>", "", "Re: banana", 300, "(NIL NIL \"zoe\" \"a.test\")" },
	{ "<2>", "", "apple", 100, "(\"Xaver\" NIL \"ann\" \"b.test\")" },
	{ "<3>", "", "Banana", 200, "(\"anton\" NIL \"Bob\" \"c.test\")" },
	{ "<4>", "", NULL, 0, NULL },
	{ "<5>", "", "APPLE", 100, "(NIL NIL \"ann\" \"a.test\")" },
};

static const struct {
	const char	*order;
	int		 numbers[5];	/* 0: refused */
} orders[] = {
	{ "(ARRIVAL)",			{ 1, 2, 3, 4, 5 } },
	{ "(REVERSE ARRIVAL)",		{ 5, 4, 3, 2, 1 } },
	{ "(DATE)",			{ 2, 5, 3, 1, 4 } },
	{ "(REVERSE DATE)",		{ 4, 1, 3, 2, 5 } },
	{ "(SUBJECT)",			{ 4, 2, 5, 1, 3 } },
	{ "(REVERSE SUBJECT)",		{ 1, 3, 2, 5, 4 } },
	{ "(subject reverse date)",	{ 4, 2, 5, 1, 3 } },
	{ "(SUBJECT DATE)",		{ 4, 2, 5, 3, 1 } },
	{ "(FROM)",			{ 4, 2, 5, 3, 1 } },
	{ "(FROM REVERSE ARRIVAL)",	{ 4, 5, 2, 3, 1 } },
	{ "(DISPLAYFROM)",		{ 4, 5, 3, 2, 1 } },
	{ "(SIZE)",			{ 3, 2, 5, 1, 4 } },
	{ "(CC TO DISPLAYTO)",		{ 1, 2, 3, 4, 5 } },
	{ "()",				{ 0 } },
	{ "(REVERSE)",			{ 0 } },
	{ "(REVERSE REVERSE DATE)",	{ 0 } },
	{ "(DATE",			{ 0 } },
	{ "(DATE )",			{ 0 } },
	{ "(BCC)",			{ 0 } },
	{ "DATE",			{ 0 } },
};

START_TEST(order_row)
{
	struct sort_order	order;
	struct str		in = str_from(orders[_i].order);
	struct cur		c = cur_from(in);
	struct found		found;
	size_t			i;
	bool			ok = orders[_i].numbers[0] != 0;

	mails = inbox;
	nmails = nitems(inbox);
	ck_assert_int_eq(sort_order_parse(&c, &order), ok);
	if (!ok) {
		ck_assert_ptr_eq(c.p, in.p);
		return;
	}
	found = everything();
	ck_assert_int_eq(sort_found(NULL, &order, &found, NULL), 0);
	for (i = 0; i < nmails; i++)
		ck_assert_msg((int)found.at[i] + 1 == orders[_i].numbers[i],
		    "%s: %zu is %u", orders[_i].order, i, found.at[i] + 1);
	free(found.at);
}
END_TEST

/*
 * Texts that are longer than what is kept of so many: equal ones, some that end where a piece does, and some that differ behind it;
 * then by the time that they came, which is the other way round.
 */
enum { LONG_MAILS = 20000, LONG_PIECE = (32 << 20) / (LONG_MAILS + 1) };

static char		long_subjects[LONG_MAILS][2 * LONG_PIECE + 8];
static struct mail	long_mails[LONG_MAILS];
static bool		long_reverse;

static int
by_subject(const void *pa, const void *pb)
{
	uint32_t	a, b;
	int		r;

	memcpy(&a, pa, sizeof(a));
	memcpy(&b, pb, sizeof(b));
	r = strcmp(long_subjects[a], long_subjects[b]);
	if (r == 0)
		return a < b ? 1 : -1;
	return long_reverse ? -r : r;
}

START_TEST(long_texts)
{
	struct sort_order	order;
	struct str		in = str_from(_i == 0 ?
				    "(SUBJECT REVERSE ARRIVAL)" :
				    "(REVERSE SUBJECT REVERSE ARRIVAL)");
	struct cur		c = cur_from(in);
	struct found		found, right;
	size_t			i, n;

	mails = long_mails;
	nmails = LONG_MAILS;
	for (i = 0; i < nmails; i++) {
		n = (i % 3 == 0 ? 2u : 1u) * (size_t)LONG_PIECE - 4 +
		    i * 7919 % 8;
		memset(long_subjects[i], 'A', n);
		if (i % 5 == 0)
			long_subjects[i][n++] = (char)('A' + i % 17);
		long_subjects[i][n] = '\0';
		long_mails[i] = (struct mail){ "", "", long_subjects[i], 1,
		    NULL };
	}
	long_reverse = _i == 1;
	ck_assert(sort_order_parse(&c, &order));
	found = everything();
	right = everything();
	qsort(right.at, nmails, sizeof(*right.at), by_subject);
	ck_assert_int_eq(sort_found(NULL, &order, &found, NULL), 0);
	for (i = 0; i < nmails; i++)
		ck_assert_msg(found.at[i] == right.at[i],
		    "%zu is %u, not %u", i, found.at[i], right.at[i]);
	free(found.at);
	free(right.at);
}
END_TEST

START_TEST(too_many_keys)
{
	struct sort_order	order;
	struct buf		b;
	struct cur		c;
	size_t			i;

	buf_init(&b, 4096);
	buf_adds(&b, "(DATE");
	for (i = 1; i < SORT_KEYS_MAX; i++)
		buf_adds(&b, " DATE");
	buf_addc(&b, ')');
	c = cur_from(buf_view(&b));
	ck_assert(sort_order_parse(&c, &order));
	b.n--;
	buf_adds(&b, " DATE)");
	c = cur_from(buf_view(&b));
	ck_assert(!sort_order_parse(&c, &order));
	buf_free(&b);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("threading");
	TCase	*tc = tcase_create("rows");
	SRunner	*sr;
	int	 failed;

	tcase_set_timeout(tc, 20);
	tcase_add_loop_test(tc, thread_row, 0, nitems(rows));
	tcase_add_test(tc, deep);
	tcase_add_test(tc, tangled);
	tcase_add_loop_test(tc, order_row, 0, nitems(orders));
	tcase_add_loop_test(tc, long_texts, 0, 2);
	tcase_add_test(tc, too_many_keys);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
