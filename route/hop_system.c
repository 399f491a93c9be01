/* route/hop_system.c - what hop reads of this system, once, before its chroot. */
#include "route/hop_system.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "common/base/fdio.h"
#include "common/base/log.h"

#define HOSTS_MAX	(16u << 20)
#define RESOLV_MAX	65536u
#define SERVERS_MAX	16
#define DNS_PORT	53

int
hop_system_hosts(struct hosts *h)
{
	struct buf	text;
	int		r = 0;

	*h = (struct hosts){ NULL, 0, 0 };
	buf_init(&text, HOSTS_MAX);
	if (fdio_slurp_at(AT_FDCWD, HOP_HOSTS_FILE, &text) == 0)
		r = hosts_parse(buf_view(&text), h);
	else if (errno != ENOENT)
		log_warn("hosts why=\"%s\"", strerror(errno));
	buf_free(&text);
	return r;
}

static int
of_settings(const struct setting_list *l, struct addr *out, size_t *n,
    struct diag *why)
{
	size_t	i;

	for (i = 0; i < l->n && i < SERVERS_MAX; i++) {
		const char	*text = l->items[i].text;

		if (addr_parse(str_from(text), &out[i]) == 0)
			out[i].port = DNS_PORT;
		else if (addr_parse_listen(text, &out[i]) == -1)
			return diag_errno(why, "dns.server %s", text);
	}
	*n = i;
	return 0;
}

/* Without a server there is one on this host: resolv.conf(5). */
static int
of_system(struct addr *out, size_t *n, struct diag *why)
{
	struct buf	text;

	buf_init(&text, RESOLV_MAX);
	*n = 0;
	if (fdio_slurp_at(AT_FDCWD, HOP_RESOLV_FILE, &text) == 0)
		*n = resolv_parse(buf_view(&text), out);
	else if (errno != ENOENT) {
		buf_free(&text);
		return diag_errno(why, HOP_RESOLV_FILE);
	}
	buf_free(&text);
	if (*n == 0) {
		if (addr_parse(STR("127.0.0.1"), &out[0]) == -1)
			return diag_errno(why, "127.0.0.1");
		out[0].port = DNS_PORT;
		*n = 1;
	}
	return 0;
}

int
hop_system_dns(struct dns **out, const struct settings *st, struct diag *why)
{
	struct addr	servers[SERVERS_MAX];
	struct dns_conf	conf = { .servers = servers, .dnssec = st->dns.dnssec,
			    .anchor = st->dns.trust_anchor };

	_Static_assert(RESOLV_SERVERS <= SERVERS_MAX, "resolv_parse's room");
	*out = NULL;
	if ((st->dns.servers.n > 0 ? of_settings(&st->dns.servers, servers,
	    &conf.nservers, why) : of_system(servers, &conf.nservers, why)) == -1)
		return -1;
	return dns_open(out, &conf, why);
}
