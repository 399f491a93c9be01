/*
 * common/net/server_clients.c - the table of clients of a pool: shared memory
 * in which the listener alone gives out places; workers only count.
 */
#include "common/net/server_impl.h"

#include <sys/mman.h>

#include <stdlib.h>
#include <string.h>

#include "common/base/now.h"

#define PROBES		16
#define SLOTS_MIN	1024u
#define SLOTS_PER_CONN	4u

int
clients_init(struct clients *c, unsigned max_connections)
{
	size_t	n = SLOTS_MIN;

	while (n < (size_t)max_connections * SLOTS_PER_CONN)
		n *= 2;
	c->slots = mmap(NULL, n * sizeof(*c->slots), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (c->slots == MAP_FAILED)
		return -1;
	c->n = n;
	arc4random_buf(&c->secret, sizeof(c->secret));
	return 0;
}

static unsigned
this_minute(void)
{
	return (unsigned)(now_ms() / 60000) + 1;	/* 0: never used */
}

/* FNV-1a with a secret start; the table's user cannot see what collides. */
static size_t
hash(uint64_t secret, const uint8_t ip[16])
{
	uint64_t	h = secret;
	size_t		i;

	for (i = 0; i < 16; i++) {
		h ^= ip[i];
		h *= UINT64_C(0x100000001b3);
	}
	return (size_t)(h ^ h >> 32);
}

static void
begin_minute(struct server_client *s, unsigned minute)
{
	unsigned	was = atomic_load(&s->minute);

	if (was != minute &&
	    atomic_compare_exchange_strong(&s->minute, &was, minute)) {
		atomic_store(&s->connects, 0);
		atomic_store(&s->messages, 0);
		atomic_store(&s->recipients, 0);
	}
}

/* Of two places that nobody is connected from, the one whose counts matter less. */
static bool
is_better(const struct server_client *a, const struct server_client *b,
    unsigned minute)
{
	unsigned	ma = atomic_load(&a->minute), mb;

	if (b == NULL)
		return true;
	mb = atomic_load(&b->minute);
	if ((ma == minute) != (mb == minute))
		return ma != minute;
	return atomic_load(&a->connects) < atomic_load(&b->connects);
}

static struct server_client *
find(struct clients *c, const uint8_t ip[16], unsigned minute)
{
	struct server_client	*s, *spare = NULL;
	size_t			 i, at = hash(c->secret, ip);

	for (i = 0; i < PROBES; i++) {
		s = &c->slots[(at + i) & (c->n - 1)];
		if (atomic_load(&s->minute) != 0 &&
		    memcmp(s->ip, ip, sizeof(s->ip)) == 0)
			return s;
		if (atomic_load(&s->connections) == 0 &&
		    is_better(s, spare, minute))
			spare = s;
	}
	if (spare != NULL) {
		memcpy(spare->ip, ip, sizeof(spare->ip));
		atomic_store(&spare->minute, 0);
	}
	return spare;
}

struct server_client *
clients_enter(struct clients *c, const struct addr *peer)
{
	struct network		 unit = network_of_client(peer);
	unsigned		 minute = this_minute();
	struct server_client	*s;

	if ((s = find(c, unit.addr.ip, minute)) == NULL)
		return NULL;
	begin_minute(s, minute);
	atomic_fetch_add(&s->connects, 1);
	atomic_fetch_add(&s->connections, 1);
	return s;
}

void
clients_leave(struct server_client *s)
{
	if (s != NULL)
		atomic_fetch_sub(&s->connections, 1);
}

bool
server_rate_ok(struct server_client *s, char what, unsigned limit)
{
	atomic_uint	*count;

	if (s == NULL)
		return true;
	begin_minute(s, this_minute());
	count = what == 'm' ? &s->messages : what == 'r' ? &s->recipients :
	    &s->connects;
	return atomic_fetch_add(count, 1) < limit || limit == 0;
}
