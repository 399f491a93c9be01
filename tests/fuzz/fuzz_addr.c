/*
 * tests/fuzz/fuzz_addr.c - addresses, networks and listening places: what is
 * read is written so that it is read again; a network has its own address,
 * and never one of the other family.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/net/addr.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
need(bool truth)
{
	if (!truth)
		abort();
}

static void
again(const struct addr *a)
{
	char			text[ADDR_TEXT_SIZE];
	struct sockaddr_storage	ss;
	struct addr		b;
	int			tag;

	for (tag = 0; tag < 2; tag++) {
		addr_text(a, tag == 1, text);
		need(addr_parse(str_from(text), &b) == 0 &&
		    memcmp(a->ip, b.ip, sizeof(a->ip)) == 0);
	}
	need(addr_to_sockaddr(a, &ss) > 0);
	addr_from_sockaddr((const struct sockaddr *)&ss, &b);
	need(b.valid && b.port == a->port &&
	    memcmp(a->ip, b.ip, sizeof(a->ip)) == 0);
}

static void
network(struct str in)
{
	struct network	n, unit;
	struct addr	other = { .valid = true };

	if (network_parse(in, &n) == -1)
		return;
	need(n.bits <= 128 && network_has(&n, &n.addr));
	again(&n.addr);
	unit = network_of_client(&n.addr);
	need(network_has(&unit, &n.addr));
	memcpy(other.ip, "\0\0\0\0\0\0\0\0\0\0\xff\xff\1\2\3\4", 16);
	if (addr_is_v4(&n.addr))
		memcpy(other.ip, "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16);
	need(!network_has(&n, &other));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str	in = { (const char *)data, size };
	struct addr	a;
	char		*text;

	if (addr_parse(in, &a) == 0) {
		need(a.valid && a.port == 0);
		again(&a);
	}
	network(in);
	if ((text = str_dup(in)) == NULL)
		return 0;
	if (addr_parse_listen(text, &a) == 0) {
		need(a.valid && a.port != 0);
		again(&a);
	}
	free(text);
	return 0;
}
