/* smtpd/tx.c - a mail transaction's memory: bounded, and gone at once. */
#include "smtpd/tx.h"

#include <stdlib.h>

#define TX_MAX		(64u << 20)	/* a hundred thousand recipients fit */
#define RCPTS_FIRST	4u
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

int
tx_add(struct tx *tx, const struct envelope_rcpt *r, bool each)
{
	struct envelope_rcpt	*more, copy = *r;
	size_t			 cap = tx->cap == 0 ? RCPTS_FIRST : tx->cap * 2;

	if (!each && is_there(tx, r->addr))
		return 0;
	if (tx->nrcpts == tx->cap) {
		more = reallocarray(tx->rcpts, cap, sizeof(*more));
		if (more == NULL)
			return -1;
		tx->rcpts = more;
		tx->cap = cap;
	}
	if (arena_dup(&tx->mem, r->addr, &copy.addr) == -1 ||
	    arena_dup(&tx->mem, r->orcpt, &copy.orcpt) == -1 ||
	    arena_dup(&tx->mem, r->final, &copy.final) == -1)
		return -1;
	tx->rcpts[tx->nrcpts++] = copy;
	return 0;
}
