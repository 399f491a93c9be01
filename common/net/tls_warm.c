/*
 * common/net/tls_warm.c - a handshake with ourselves in each version, before
 * workers are forked. It proves that keys signs; and what OpenSSL keeps of it
 * (some 300 KiB of algorithms and tables) is the listener's memory, which its
 * workers share.
 */
#include "common/net/tls_impl.h"

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define ROUNDS	20		/* of messages; a handshake takes four */
#define PIPE	65536u		/* bytes of a flight */
#define PLUG_MOST	100000u		/* bytes; a larger hole is few pages' edge */
#define PLUG_FINE	2048u		/* from here down every size that malloc has */
#define PLUG_STEP	16u

/* Two ends whose bytes go into memory. */
static int
connect_ends(SSL *server, SSL *client)
{
	BIO	*a, *b;

	if (BIO_new_bio_pair(&a, PIPE, &b, PIPE) != 1)
		return -1;
	SSL_set_bio(server, a, a);
	SSL_set_bio(client, b, b);
	SSL_set_accept_state(server);
	SSL_set_connect_state(client);
	return 0;
}

static bool
waits(SSL *ssl, int r)
{
	int	e = SSL_get_error(ssl, r);

	return e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE;
}

static int
shake(SSL *server, SSL *client)
{
	char	byte = 'x';
	int	i, r;

	for (i = 0; i < ROUNDS; i++) {
		if ((r = SSL_do_handshake(client)) != 1 && !waits(client, r))
			return -1;
		if ((r = SSL_do_handshake(server)) != 1 && !waits(server, r))
			return -1;
		if (SSL_is_init_finished(client) &&
		    SSL_is_init_finished(server))
			break;
	}
	/* both directions; the client takes its ticket, too */
	if (SSL_write(server, &byte, 1) != 1 ||
	    SSL_read(client, &byte, 1) != 1 ||
	    SSL_write(client, &byte, 1) != 1 || SSL_read(server, &byte, 1) != 1)
		return -1;
	return 0;
}

static int
warm(struct tls_warm *w, SSL_CTX *server, int version)
{
	if ((w->ctx = SSL_CTX_new(TLS_client_method())) == NULL ||
	    SSL_CTX_set_min_proto_version(w->ctx, version) != 1 ||
	    SSL_CTX_set_max_proto_version(w->ctx, version) != 1 ||
	    (w->server = SSL_new(server)) == NULL ||
	    (w->client = SSL_new(w->ctx)) == NULL ||
	    connect_ends(w->server, w->client) == -1)
		return -1;
	return shake(w->server, w->client);
}

int
tls_warm(struct tls_warm w[2], SSL_CTX *server)
{
	if (SSL_CTX_get_min_proto_version(server) < TLS1_3_VERSION &&
	    warm(&w[0], server, TLS1_2_VERSION) == -1)
		return -1;
	return warm(&w[1], server, TLS1_3_VERSION);
}

void
tls_warm_free(struct tls_warm w[2])
{
	int	i;

	for (i = 0; i < 2; i++) {
		SSL_free(w[i].server);
		SSL_free(w[i].client);
		SSL_CTX_free(w[i].ctx);
		w[i] = (struct tls_warm){ NULL, NULL, NULL };
	}
}

/* Where the part of the heap begins that nothing was taken from yet. */
static uintptr_t
top(void)
{
	return (uintptr_t)sbrk(0) - mallinfo2().keepcost;
}

struct tls_plug *
tls_plug(struct tls_plug *list)
{
	struct tls_plug	*p;
	uintptr_t	 limit;
	size_t		 size = PLUG_MOST;

	while (size >= sizeof(*p) + PLUG_STEP) {
		limit = top();
		if ((p = malloc(size)) == NULL)
			break;
		p->next = list;
		list = p;
		/* No hole is as large: it comes from the top. One each is the price. */
		if ((uintptr_t)p >= limit)
			size -= size > PLUG_FINE ? size / 4 : PLUG_STEP;
	}
	return list;
}

void
tls_unplug(struct tls_plug *list)
{
	struct tls_plug	*next;

	for (; list != NULL; list = next) {
		next = list->next;
		free(list);
	}
}
