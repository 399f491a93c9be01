/*
 * route/dns.c - the only file that knows libunbound. What comes from servers
 * is parsed by the library, in its thread; of its answers only their types'
 * data are looked at here.
 */
#include "route/dns.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unbound.h>

#define CLASS_IN	1
#define RCODE_NXDOMAIN	3

struct dns_query {
	TAILQ_ENTRY(dns_query)	 link;
	struct dns		*dns;
	dns_done		*done;
	void			*arg;
	int			 id;
	enum dns_type		 type;
};
TAILQ_HEAD(query_list, dns_query);

struct dns {
	struct ub_ctx		*ctx;
	struct query_list	 queries;
};

/*
 * Memory and descriptors are bounded. Silence about one name must not be taken
 * for a dead server, or a stranger's domain could hold up all others: a
 * server is never given up, and its delays are forgotten soon.
 */
static const struct {
	const char	*name, *value;
} options[] = {
	{ "do-not-query-localhost:", "no" },
	{ "msg-cache-size:", "4m" },
	{ "rrset-cache-size:", "8m" },
	{ "key-cache-size:", "2m" },
	{ "neg-cache-size:", "1m" },
	{ "infra-cache-numhosts:", "1000" },
	{ "infra-host-ttl:", "2" },
	{ "infra-keep-probing:", "yes" },
	{ "outbound-msg-retry:", "10" },
	{ "infra-cache-max-rtt:", "100000000" },
	{ "outgoing-range:", "256" },
	{ "outgoing-num-tcp:", "16" },
	{ "num-queries-per-thread:", "2048" },
	{ "edns-buffer-size:", "1232" },
	{ "use-syslog:", "no" },
};

static int
set_options(struct ub_ctx *ctx, struct diag *why)
{
	size_t	i;
	int	r;

	for (i = 0; i < nitems(options); i++)
		if ((r = ub_ctx_set_option(ctx, options[i].name,
		    options[i].value)) != 0)
			return diag_set(why, "libunbound: %s %s",
			    options[i].name, ub_strerror(r));
	return 0;
}

static int
set_servers(struct ub_ctx *ctx, const struct dns_conf *conf, struct diag *why)
{
	char	text[ADDR_TEXT_SIZE], server[ADDR_TEXT_SIZE + 8];
	size_t	i;
	int	r;

	for (i = 0; i < conf->nservers; i++) {
		snprintf(server, sizeof(server), "%s@%u",
		    addr_text(&conf->servers[i], false, text),
		    conf->servers[i].port);
		if ((r = ub_ctx_set_fwd(ctx, server)) != 0)
			return diag_set(why, "libunbound: server %s: %s",
			    server, ub_strerror(r));
	}
	if (conf->dnssec && (r = ub_ctx_add_ta_file(ctx, conf->anchor)) != 0)
		return diag_set(why, "libunbound: %s: %s", conf->anchor,
		    ub_strerror(r));
	return 0;
}

/* A question that needs no server makes the library read and build everything now. */
static int
finish(struct ub_ctx *ctx, const struct dns_conf *conf, struct diag *why)
{
	struct ub_result	*res;
	int			 r;

	/* The library would deny that there is anything in test; DNS decides. */
	if ((r = ub_ctx_async(ctx, 1)) != 0 ||
	    (r = ub_ctx_zone_remove(ctx, "test.")) != 0)
		return diag_set(why, "libunbound: %s", ub_strerror(r));
	if ((r = ub_resolve(ctx, "localhost.", DNS_A, CLASS_IN, &res)) != 0)
		return diag_set(why, conf->dnssec ? "libunbound: %s; can the "
		    "keys in %s be read?" : "libunbound: %s", ub_strerror(r),
		    conf->anchor);
	ub_resolve_free(res);
	return 0;
}

int
dns_open(struct dns **out, const struct dns_conf *conf, struct diag *why)
{
	struct dns	*d;

	*out = NULL;
	if ((d = calloc(1, sizeof(*d))) == NULL)
		return diag_errno(why, "libunbound");
	TAILQ_INIT(&d->queries);
	if ((d->ctx = ub_ctx_create()) == NULL) {
		diag_errno(why, "libunbound");
		free(d);
		return -1;
	}
	*out = d;
	if (set_options(d->ctx, why) == -1 ||
	    set_servers(d->ctx, conf, why) == -1 ||
	    finish(d->ctx, conf, why) == -1) {
		dns_close(out);
		return -1;
	}
	return 0;
}

void
dns_close(struct dns **dp)
{
	struct dns_query	*q;

	if (*dp == NULL)
		return;
	ub_ctx_delete((*dp)->ctx);
	while ((q = TAILQ_FIRST(&(*dp)->queries)) != NULL) {
		TAILQ_REMOVE(&(*dp)->queries, q, link);
		free(q);
	}
	free(*dp);
	*dp = NULL;
}

int
dns_fd(const struct dns *d)
{
	return ub_fd(d->ctx);
}

void
dns_process(struct dns *d)
{
	(void)ub_process(d->ctx);
}

static enum dns_result
result_of(int err, const struct ub_result *res)
{
	if (err != 0 || res == NULL)
		return DNS_SERVFAIL;
	if (res->bogus)
		return DNS_BOGUS;
	if (res->havedata)
		return DNS_FOUND;
	if (res->nxdomain || res->rcode == RCODE_NXDOMAIN)
		return DNS_NXDOMAIN;
	return res->rcode == 0 ? DNS_EMPTY : DNS_SERVFAIL;
}

static size_t
count(const struct ub_result *res)
{
	size_t	n = 0;

	while (res->data != NULL && res->data[n] != NULL)
		n++;
	return n;
}

static void
answered(void *arg, int err, struct ub_result *res)
{
	struct dns_query	*q = arg;
	struct dns_reply	 reply = { .result = result_of(err, res),
				    .why = "" };

	TAILQ_REMOVE(&q->dns->queries, q, link);
	if (err != 0)
		reply.why = ub_strerror(err);
	if (res != NULL) {
		reply.ttl = res->ttl < 0 ? 0 : (unsigned)res->ttl;
		reply.secure = res->secure != 0;
		reply.records = res;
		if (reply.result == DNS_FOUND)
			reply.n = count(res);
		if (res->why_bogus != NULL)
			reply.why = res->why_bogus;
	}
	q->done(q->arg, &reply);
	ub_resolve_free(res);
	free(q);
}

struct dns_query *
dns_ask(struct dns *d, const char *name, enum dns_type type, dns_done *done,
    void *arg)
{
	struct dns_query	*q;
	char			 absolute[HOP_NAME_MAX + 2];

	if ((q = calloc(1, sizeof(*q))) == NULL)
		return NULL;
	*q = (struct dns_query){ .dns = d, .done = done, .arg = arg,
	    .type = type };
	snprintf(absolute, sizeof(absolute), "%s.", name);
	if (ub_resolve_async(d->ctx, absolute, (int)type, CLASS_IN, q, answered,
	    &q->id) != 0) {
		free(q);
		errno = ENOMEM;
		return NULL;
	}
	TAILQ_INSERT_TAIL(&d->queries, q, link);
	return q;
}

void
dns_cancel(struct dns_query *q)
{
	(void)ub_cancel(q->dns->ctx, q->id);
	TAILQ_REMOVE(&q->dns->queries, q, link);
	free(q);
}

static struct str
record(const struct dns_reply *reply, size_t i)
{
	const struct ub_result	*res = reply->records;

	if (i >= reply->n || res->len[i] < 0)
		return STR("");
	return (struct str){ res->data[i], (size_t)res->len[i] };
}

bool
dns_mx(const struct dns_reply *reply, size_t i, uint16_t *pref,
    char name[HOP_NAME_MAX + 1])
{
	struct str	data = record(reply, i);

	if (data.n < 3)
		return false;
	*pref = (uint16_t)((unsigned char)data.p[0] << 8 |
	    (unsigned char)data.p[1]);
	return hop_name_wire((struct str){ data.p + 2, data.n - 2 },
	    name) == 0;
}

bool
dns_addr(const struct dns_reply *reply, size_t i, struct addr *out)
{
	struct str		data = record(reply, i);
	struct sockaddr_in	v4 = { .sin_family = AF_INET };
	struct sockaddr_in6	v6 = { .sin6_family = AF_INET6 };

	if (data.n == sizeof(v4.sin_addr)) {
		memcpy(&v4.sin_addr, data.p, data.n);
		addr_from_sockaddr((const struct sockaddr *)&v4, out);
	} else if (data.n == sizeof(v6.sin6_addr)) {
		memcpy(&v6.sin6_addr, data.p, data.n);
		addr_from_sockaddr((const struct sockaddr *)&v6, out);
	} else
		return false;
	return true;
}

const char *
dns_type_name(enum dns_type t)
{
	switch (t) {
	case DNS_A:
		return "A";
	case DNS_MX:
		return "MX";
	case DNS_AAAA:
		return "AAAA";
	}
	return "?";
}

const char *
dns_result_name(enum dns_result r)
{
	switch (r) {
	case DNS_FOUND:
		return "found";
	case DNS_EMPTY:
		return "none";
	case DNS_NXDOMAIN:
		return "no such name";
	case DNS_SERVFAIL:
		return "the servers cannot say (SERVFAIL)";
	case DNS_TIMEOUT:
		return "no answer in time";
	case DNS_BOGUS:
		return "the answer is proven to be false (DNSSEC)";
	}
	return "?";
}
