/* common/net/addr.h - IP addresses, networks and listening places. */
#ifndef NET_ADDR_H
#define NET_ADDR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common/base/attr.h"
#include "common/base/str.h"

#define ADDR_TEXT_SIZE	64	/* "[2001:db8::1]:65535" and its NUL fit */

/* IPv4 is kept as v4-mapped IPv6, so that one comparison serves both. */
struct addr {
	uint8_t		ip[16];
	uint16_t	port;	/* host order, 0 = none */
	bool		valid;	/* false: no IP peer (a UNIX socket) */
};

struct network {
	struct addr	addr;
	unsigned	bits;	/* 0..128, of the mapped form */
};

int	addr_parse(struct str, struct addr *) must_check;	/* "192.0.2.1", "2001:db8::1", "IPv6:..." ; -1 EINVAL */
/* "host:port", "[v6]:port", "*:port" (any v4 and v6 = ::); -1 EINVAL. Only numeric hosts. */
int	addr_parse_listen(const char *, struct addr *) must_check;
void	addr_from_sockaddr(const struct sockaddr *, struct addr *);
socklen_t addr_to_sockaddr(const struct addr *, struct sockaddr_storage *);
bool	addr_is_v4(const struct addr *);
/* "192.0.2.1" or "2001:db8::1"; with_tag adds the "IPv6:" of RFC 5321 4.1.3. */
const char *addr_text(const struct addr *, bool, char[ADDR_TEXT_SIZE]);
int	network_parse(struct str, struct network *) must_check;	/* "192.0.2.0/24", "::1" */
bool	network_has(const struct network *, const struct addr *);
/* The client's unit of account: the address itself for IPv4, the /64 for IPv6. */
struct network network_of_client(const struct addr *);
/* Bound, listening, close-on-exec, non-blocking, SO_REUSEADDR (v6: V6ONLY unless "::" any). -1 errno. */
int	addr_listen(const struct addr *, int) must_check;

#endif
