/* queue/ledger_sum.c - what the accounts come to, and what does not add up; pure. */
#include "queue/ledger.h"

/* Of a local user, and not taken over: it has no account yet. */
static bool
is_untaken(const struct account *a)
{
	/* The name is the user's choice: that of a message of ours hides nothing. */
	return a->taken || (a->refused && a->accepted == 0) ||
	    (a->places & IN_DROP) != 0 ||
	    (a->places == IN_HOLD && a->accepted == 0 && a->seen == 0);
}

/* Was it accepted before the time that the ledger looks at? */
static bool
is_carried(const struct ledger *l, const struct account *a)
{
	return a->accepted == 0 &&
	    (int64_t)(a->id.time_us / 1000) < l->since_ms;
}

static uint64_t
debit_of(const struct account *a)
{
	return (uint64_t)a->delivered + a->failed + a->expired + a->removed +
	    a->stand_in;
}

/* By the log; what was revived owes a second end. */
static int64_t
owed(const struct account *a)
{
	return (int64_t)(a->accepted > 0 ? a->credit : a->seen) + a->expanded +
	    a->revived - (int64_t)debit_of(a);
}

/* Begins the next complaint. */
static struct buf *
next(struct buf *out)
{
	if (out->n > 0)
		buf_adds(out, "; ");
	return out;
}

static bool
in_one_place(uint8_t places)
{
	return (places & (places - 1)) == 0;
}

static void
check_places(const struct account *a, struct buf *out)
{
	bool	ended = a->done || a->gone || a->taken;

	if (a->odd || !in_one_place(a->places))
		buf_adds(next(out), "lies in more than one place");
	if (ended && a->places != 0)
		buf_adds(next(out), "has ended by the log, and lies in "
		    "the spool");
	if (ended || a->places != 0 || !a->lines)
		return;
	/* its file goes before that line is written */
	if ((a->accepted > 0 || a->seen > 0) && owed(a) <= 0)
		buf_adds(next(out), "is done by its recipients, but no line "
		    "says so: a crash can cost it");
	else
		buf_adds(next(out), "is missing: it is not in the spool, and "
		    "no line says how it ended");
}

static void
check_rcpts(const struct account *a, struct buf *out)
{
	int64_t		left = owed(a);
	uint32_t	n = a->read ? a->nrcpts : a->at_end;
	int64_t		total = left + (int64_t)debit_of(a) - a->revived;

	if (a->accepted > 1)
		buf_addf(next(out), "was accepted %u times", a->accepted);
	if (n > 0 && n != total) {
		buf_addf(next(out), "has %u recipients in its file, %lld by "
		    "the log: a line of its expansion is lost or false", n,
		    (long long)total);
		left += n - total;
	}
	if (left < 0)
		buf_addf(next(out), "%lld more ends than recipients: a "
		    "delivery was made, or booked, twice, as a crash can have "
		    "it", (long long)-left);
	else if ((a->done || a->gone) && left > 0)
		buf_addf(next(out), "%lld of its recipients have no line of "
		    "their end", (long long)left);
	else if (!a->done && !a->gone && a->read && left != a->waiting)
		buf_addf(next(out), "%lld recipients have not got it by the "
		    "log, %u by its file", (long long)left, a->waiting);
}

static void
check_told(const struct account *a, struct buf *out)
{
	int64_t	untold = (int64_t)a->failed + a->expired - a->revived -
		    a->told;

	if (a->done && untold > 0)
		buf_addf(next(out), "of %lld that failed nobody was told",
		    (long long)untold);
	else if (untold < 0)
		buf_addf(next(out), "%lld more failures were reported than "
		    "there were", (long long)-untold);
}

bool
ledger_wrong(const struct ledger *l, const struct account *a, struct buf *out)
{
	buf_reset(out);
	if (account_is_free(a))
		return false;
	check_places(a, out);
	if (is_untaken(a) || is_carried(l, a) || a->places == IN_CORRUPT)
		return out->n > 0;
	if (a->accepted == 0 && a->seen == 0) {
		/* smtpd is about to say so */
		if (a->lines || a->places != IN_INCOMING)
			buf_adds(next(out), "no line says that it was "
			    "accepted");
		return out->n > 0;
	}
	check_rcpts(a, out);
	check_told(a, out);
	return out->n > 0;
}

static void
sum_one(const struct ledger *l, const struct account *a,
    struct ledger_sums *s)
{
	uint64_t	waiting = a->places != 0 ? a->waiting : 0;

	/* One that nobody can read has whom the log says. */
	if (a->places != 0 && !a->read && owed(a) > 0)
		waiting = (uint64_t)owed(a);
	if (is_untaken(a)) {
		s->untaken += a->places != 0;
		return;
	}
	if (is_carried(l, a)) {
		s->carried++;
		s->carried_rcpts += debit_of(a) + waiting - a->revived -
		    (uint64_t)(int64_t)a->expanded;
	} else {
		s->messages[a->kind]++;
		s->rcpts[a->kind] += a->accepted > 0 ? a->credit : a->seen;
	}
	s->delivered += a->delivered;
	s->failed += a->failed;
	s->expired += a->expired;
	s->removed += a->removed;
	s->revived += a->revived;
	s->expanded += a->expanded - (int64_t)a->stand_in;
	s->spool += a->places != 0;
	s->spool_rcpts += waiting;
}

void
ledger_sum(const struct ledger *l, struct ledger_sums *s)
{
	size_t	i, k;

	*s = (struct ledger_sums){ .carried = 0 };
	for (i = 0; i < l->cap; i++)
		if (!account_is_free(&l->accounts[i]))
			sum_one(l, &l->accounts[i], s);
	s->difference = (int64_t)(s->carried_rcpts + s->revived) +
	    s->expanded - (int64_t)(s->delivered + s->failed + s->expired +
	    s->removed + s->spool_rcpts);
	for (k = 0; k < ACCOUNT_KINDS; k++)
		s->difference += (int64_t)s->rcpts[k];
}
