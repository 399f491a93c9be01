/* common/net/addr.c - IP addresses, networks and listening places. */
#include "common/net/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define V4_PREFIX_BITS	96
#define CLIENT_BITS_V6	64

static const uint8_t v4_prefix[12] = { [10] = 0xff, [11] = 0xff };

static void
set_v4(struct addr *a, const void *four)
{
	memcpy(a->ip, v4_prefix, sizeof(v4_prefix));
	memcpy(a->ip + sizeof(v4_prefix), four, 4);
}

bool
addr_is_v4(const struct addr *a)
{
	return memcmp(a->ip, v4_prefix, sizeof(v4_prefix)) == 0;
}

int
addr_parse(struct str s, struct addr *out)
{
	struct addr	a = { .valid = true };
	char		text[ADDR_TEXT_SIZE];
	uint8_t		four[4];

	if (str_starts_nocase(s, STR("IPv6:"))) {
		s.p += 5;
		s.n -= 5;
	}
	if (str_copy(text, sizeof(text), s) == -1) {
		errno = EINVAL;
		return -1;
	}
	if (inet_pton(AF_INET, text, four) == 1)
		set_v4(&a, four);
	else if (inet_pton(AF_INET6, text, a.ip) != 1) {
		errno = EINVAL;
		return -1;
	}
	*out = a;
	return 0;
}

static int
parse_port(const char *text, uint16_t *out)
{
	unsigned long long	port;

	if (str_number(str_from(text), 65535, &port) == -1 || port == 0) {
		errno = EINVAL;
		return -1;
	}
	*out = (uint16_t)port;
	return 0;
}

int
addr_parse_listen(const char *text, struct addr *out)
{
	struct addr	 a = { .valid = true };
	const char	*colon = strrchr(text, ':');
	struct str	 host;

	if (colon == NULL || parse_port(colon + 1, &a.port) == -1) {
		errno = EINVAL;
		return -1;
	}
	host.p = text;
	host.n = (size_t)(colon - text);
	if (str_eq(host, STR("*"))) {	/* ip is ::, which takes both families */
		*out = a;
		return 0;
	}
	if (host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']') {
		host.p++;
		host.n -= 2;
	} else if (memchr(host.p, ':', host.n) != NULL) {
		errno = EINVAL;		/* IPv6 needs its brackets here */
		return -1;
	}
	*out = a;
	if (addr_parse(host, &a) == -1)
		return -1;
	memcpy(out->ip, a.ip, sizeof(out->ip));
	return 0;
}

void
addr_from_sockaddr(const struct sockaddr *sa, struct addr *out)
{
	struct sockaddr_in	v4;
	struct sockaddr_in6	v6;

	*out = (struct addr){ .valid = false };
	if (sa->sa_family == AF_INET) {
		memcpy(&v4, sa, sizeof(v4));
		set_v4(out, &v4.sin_addr);
		out->port = ntohs(v4.sin_port);
		out->valid = true;
	} else if (sa->sa_family == AF_INET6) {
		memcpy(&v6, sa, sizeof(v6));
		memcpy(out->ip, &v6.sin6_addr, sizeof(out->ip));
		out->port = ntohs(v6.sin6_port);
		out->valid = true;
	}
}

socklen_t
addr_to_sockaddr(const struct addr *a, struct sockaddr_storage *out)
{
	struct sockaddr_in	v4 = { .sin_family = AF_INET };
	struct sockaddr_in6	v6 = { .sin6_family = AF_INET6 };

	memset(out, 0, sizeof(*out));
	if (addr_is_v4(a)) {
		memcpy(&v4.sin_addr, a->ip + sizeof(v4_prefix), 4);
		v4.sin_port = htons(a->port);
		memcpy(out, &v4, sizeof(v4));
		return sizeof(v4);
	}
	memcpy(&v6.sin6_addr, a->ip, sizeof(a->ip));
	v6.sin6_port = htons(a->port);
	memcpy(out, &v6, sizeof(v6));
	return sizeof(v6);
}

const char *
addr_text(const struct addr *a, bool with_tag, char out[ADDR_TEXT_SIZE])
{
	char	text[INET6_ADDRSTRLEN];

	if (addr_is_v4(a)) {
		inet_ntop(AF_INET, a->ip + sizeof(v4_prefix), text,
		    sizeof(text));
		with_tag = false;
	} else
		inet_ntop(AF_INET6, a->ip, text, sizeof(text));
	snprintf(out, ADDR_TEXT_SIZE, "%s%s", with_tag ? "IPv6:" : "", text);
	return out;
}

int
network_parse(struct str s, struct network *out)
{
	const char		*slash;
	unsigned long long	 bits;
	struct str		 number;
	struct network		 n;
	unsigned		 max;

	slash = s.n == 0 ? NULL : memchr(s.p, '/', s.n);
	if (slash != NULL) {
		number.p = slash + 1;
		number.n = (size_t)(s.p + s.n - number.p);
		s.n = (size_t)(slash - s.p);
	}
	if (addr_parse(s, &n.addr) == -1)
		return -1;
	n.bits = 128;
	if (slash != NULL) {
		max = addr_is_v4(&n.addr) ? 32 : 128;
		if (str_number(number, max, &bits) == -1) {
			errno = EINVAL;
			return -1;
		}
		n.bits = (unsigned)bits + (max == 32 ? V4_PREFIX_BITS : 0);
	}
	*out = n;
	return 0;
}

bool
network_has(const struct network *n, const struct addr *a)
{
	unsigned	bytes = n->bits / 8, rest = n->bits % 8;
	uint8_t		mask;

	/* ::/0 is all of IPv6; the mapped form of IPv4 lies in it by accident. */
	if (!a->valid || addr_is_v4(a) != addr_is_v4(&n->addr) ||
	    memcmp(n->addr.ip, a->ip, bytes) != 0)
		return false;
	if (rest == 0)
		return true;
	mask = (uint8_t)(0xff << (8 - rest));
	return (n->addr.ip[bytes] & mask) == (a->ip[bytes] & mask);
}

struct network
network_of_client(const struct addr *a)
{
	struct network	n = { .addr = *a, .bits = 128 };

	n.addr.port = 0;
	if (!addr_is_v4(a)) {
		n.bits = CLIENT_BITS_V6;
		memset(n.addr.ip + CLIENT_BITS_V6 / 8, 0,
		    sizeof(n.addr.ip) - CLIENT_BITS_V6 / 8);
	}
	return n;
}

static bool
is_any(const struct addr *a)
{
	static const uint8_t	zero[16];

	return memcmp(a->ip, zero, sizeof(zero)) == 0;
}

int
addr_listen(const struct addr *a, int backlog)
{
	struct sockaddr_storage	ss;
	socklen_t		len = addr_to_sockaddr(a, &ss);
	int			fd, on = 1, only, saved;

	fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return -1;
	only = !is_any(a);
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1 ||
	    (ss.ss_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6,
	    IPV6_V6ONLY, &only, sizeof(only)) == -1) ||
	    bind(fd, (const struct sockaddr *)&ss, len) == -1 ||
	    listen(fd, backlog) == -1) {
		saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}
