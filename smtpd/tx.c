/* smtpd/tx.c - a mail transaction's memory: bounded, and gone at once. */
#include "smtpd/tx.h"

#include <stdlib.h>

#define TX_MAX		(64u << 20)	/* a hundred thousand recipients fit */
#define RCPTS_FIRST	4u
#define WHY_MAX		300u	/* of each recipient's reasons */
#define SAME_MAX	1000u		/* so many are compared; queue does the rest */

void
tx_init(struct tx *tx)
{
	*tx = (struct tx){ .nrcpts = 0 };
	arena_init(&tx->mem, TX_MAX);
}

void
tx_reset(struct tx *tx)
{
	arena_free(&tx->mem);
	free(tx->rcpts);
	free(tx->why);
	tx_init(tx);
}

static bool
is_there(const struct tx *tx, struct str addr)
{
	size_t	i;

	for (i = 0; i < tx->nrcpts && i < SAME_MAX; i++)
		if (str_eq(tx->rcpts[i].addr, addr))
			return true;
	return false;
}

static int
grow(struct tx *tx)
{
	struct envelope_rcpt	*more;
	struct str		*why;
	size_t			 cap = tx->cap == 0 ? RCPTS_FIRST : tx->cap * 2;

	if ((more = reallocarray(tx->rcpts, cap, sizeof(*more))) == NULL)
		return -1;
	tx->rcpts = more;
	if ((why = reallocarray(tx->why, cap, sizeof(*why))) == NULL)
		return -1;
	tx->why = why;
	tx->cap = cap;
	return 0;
}

int
tx_add(struct tx *tx, const struct envelope_rcpt *r, struct str why, bool each)
{
	struct envelope_rcpt	copy = *r;

	if (!each && is_there(tx, r->addr))
		return 0;
	if (tx->nrcpts == tx->cap && grow(tx) == -1)
		return -1;
	if (why.n > WHY_MAX)
		why.n = WHY_MAX;
	if (arena_dup(&tx->mem, r->addr, &copy.addr) == -1 ||
	    arena_dup(&tx->mem, r->orcpt, &copy.orcpt) == -1 ||
	    arena_dup(&tx->mem, r->final, &copy.final) == -1)
		return -1;
	/* It helps, no more. */
	if (arena_dup(&tx->mem, why, &tx->why[tx->nrcpts]) == -1)
		tx->why[tx->nrcpts] = STR("");
	tx->rcpts[tx->nrcpts++] = copy;
	return 0;
}
