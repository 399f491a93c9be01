/*
 * common/net/tls_server.c - TLS by OpenSSL, for those who connect to us. The
 * listener makes a server, the workers that it forks shake hands. The peer is
 * hostile; there is no private key in these processes (tls_key.c).
 */
#include "common/net/tls_impl.h"

#include <openssl/err.h>

#include <stdlib.h>
#include <string.h>

#include "common/fmt/cur.h"

/*
 * Mozilla's intermediate profile without the finite fields: whoever knows GCM
 * knows elliptic curves, and a handshake costs us a tenth.
 */
#define CIPHERS	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:" \
	"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:" \
	"ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
#define SUITES	"TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:" \
	"TLS_CHACHA20_POLY1305_SHA256"
#define GROUPS	"X25519:P-256:P-384"
#define GROUPS_SIZE	256

#define SECURITY_LEVEL	2		/* 112 bits: RSA from 2048, no SHA-1 */
#define SNI_MAX		253

struct tls_server {
	OSSL_PROVIDER		*keys;
	SSL_CTX			*ctx;
	struct tls_certs	*certs;
	struct tickets		*tickets;
	const char		*alpn;
	struct tls_warm		 warm[2];
	struct tls_plug		*plug;
};

static struct tls_server *
server_of(SSL *ssl)
{
	return SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
}

struct tickets *
tls_server_tickets(SSL *ssl)
{
	return server_of(ssl)->tickets;
}

/* A host name in lower case, to be freed; NULL: it is none. */
static char *
clean_name(const char *raw)
{
	char	*name;
	size_t	 i, n = raw == NULL ? 0 : strlen(raw);

	if (n == 0 || n > SNI_MAX || (name = strdup(raw)) == NULL)
		return NULL;
	for (i = 0; i < n; i++) {
		if (name[i] >= 'A' && name[i] <= 'Z')
			name[i] = (char)(name[i] - 'A' + 'a');
		if ((name[i] < 'a' || name[i] > 'z') &&
		    (name[i] < '0' || name[i] > '9') &&
		    strchr("-._", name[i]) == NULL) {
			free(name);
			return NULL;
		}
	}
	return name;
}

/* Which certificates to show: the client has said which name it wants. */
static int
on_certificate(SSL *ssl, void *arg)
{
	const struct tls_server	*t = arg;
	char			*name;

	name = clean_name(SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name));
	if (name == NULL)
		return 1;
	free(SSL_get_app_data(ssl));
	(void)SSL_set_app_data(ssl, name);
	return tls_certs_choose(t->certs, ssl, name) == 0;
}

/* A name that we do not know is no error: it gets the first certificate. */
static int
on_name(SSL *ssl, int *alert, void *arg)
{
	(void)ssl;
	(void)alert;
	(void)arg;
	return SSL_TLSEXT_ERR_OK;
}

/* RFC 7301 3.2: only other protocols than ours is fatal; who offers none is not asked here. */
static int
on_alpn(SSL *ssl, const unsigned char **out, unsigned char *outlen,
    const unsigned char *in, unsigned int n, void *arg)
{
	const struct tls_server	*t = arg;
	size_t			 want = strlen(t->alpn);
	unsigned int		 i;

	(void)ssl;
	for (i = 0; i < n; i += in[i] + 1u)
		if (in[i] == want && i + want < n &&
		    memcmp(in + i + 1, t->alpn, want) == 0) {
			*out = in + i + 1;
			*outlen = in[i];
			return SSL_TLSEXT_ERR_OK;
		}
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static int
on_status(SSL *ssl, void *arg)
{
	const struct tls_server	*t = arg;
	const X509		*leaf = SSL_get_certificate(ssl);
	struct str		 s = { "", 0 };
	unsigned char		*copy;

	if (leaf != NULL)
		s = tls_certs_ocsp(t->certs, leaf);
	if (s.n == 0 || (copy = OPENSSL_memdup(s.p, s.n)) == NULL)
		return SSL_TLSEXT_ERR_NOACK;
	if (SSL_set_tlsext_status_ocsp_resp(ssl, copy, (long)s.n) == 1)
		return SSL_TLSEXT_ERR_OK;
	OPENSSL_free(copy);
	return SSL_TLSEXT_ERR_NOACK;
}

/* A certificate that proves nothing is as good as none: its owner is asked by other means. */
static int
on_verify(int ok, X509_STORE_CTX *store)
{
	(void)ok;
	(void)store;
	return 1;
}

static int
set_clients(struct tls_server *t, const struct tls_options *o, struct diag *why)
{
	STACK_OF(X509_NAME)	*names;

	if (!o->ask_client || o->client_ca == -1)
		return 0;
	if ((names = sk_X509_NAME_new_null()) == NULL)
		return tls_error(why, "TLS");
	if (tls_believe_file(t->ctx, o->client_ca, "tls.client-ca", names,
	    why) == -1) {
		sk_X509_NAME_pop_free(names, X509_NAME_free);
		return -1;
	}
	SSL_CTX_set_client_CA_list(t->ctx, names);
	SSL_CTX_set_verify(t->ctx, SSL_VERIFY_PEER, on_verify);
	return 0;
}

static const char *
or_ours(const char *theirs, const char *ours)
{
	return theirs == NULL || *theirs == '\0' ? ours : theirs;
}

static int
set_versions(SSL_CTX *ctx, const struct tls_options *o, struct diag *why)
{
	bool	only13 = o->minimum != NULL && strcmp(o->minimum, "1.3") == 0;
	char	groups[GROUPS_SIZE];	/* the macro takes no const */

	SSL_CTX_set_security_level(ctx, SECURITY_LEVEL);
	if (SSL_CTX_set_min_proto_version(ctx,
	    only13 ? TLS1_3_VERSION : TLS1_2_VERSION) != 1)
		return tls_error(why, "TLS version");
	if (SSL_CTX_set_cipher_list(ctx, or_ours(o->ciphers, CIPHERS)) != 1)
		return tls_error(why, "TLS ciphers");
	if (SSL_CTX_set_ciphersuites(ctx,
	    or_ours(o->ciphersuites, SUITES)) != 1)
		return tls_error(why, "TLS cipher suites");
	if (strlcpy(groups, or_ours(o->groups, GROUPS), sizeof(groups)) >=
	    sizeof(groups) || SSL_CTX_set1_groups_list(ctx, groups) != 1)
		return tls_error(why, "TLS groups");
	/* for those whose administrator adds DHE to the ciphers */
	return SSL_CTX_set_dh_auto(ctx, 1) == 1 ? 0 : tls_error(why, "TLS");
}

/* What costs memory in every idle connection is off. */
static void
set_manners(SSL_CTX *ctx)
{
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION |
	    SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
	    SSL_OP_PRIORITIZE_CHACHA | SSL_OP_CLEANSE_PLAINTEXT);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
	    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_read_ahead(ctx, 1);
}

static int
set_all(struct tls_server *t, const struct tls_options *o, struct diag *why)
{
	static const unsigned char	context[] = "posthouse";

	if (SSL_CTX_set_app_data(t->ctx, t) != 1 ||
	    SSL_CTX_set_session_id_context(t->ctx, context,
	    sizeof(context) - 1) != 1 || tickets_use(t->ctx) == -1)
		return tls_error(why, "TLS");
	set_manners(t->ctx);
	if (set_versions(t->ctx, o, why) == -1 || set_clients(t, o, why) == -1)
		return -1;
	if (tls_certs_default(t->certs, t->ctx) == -1)
		return tls_error(why, "TLS certificate");
	SSL_CTX_set_cert_cb(t->ctx, on_certificate, t);
	(void)SSL_CTX_set_tlsext_servername_callback(t->ctx, on_name);
	(void)SSL_CTX_set_tlsext_status_cb(t->ctx, on_status);
	(void)SSL_CTX_set_tlsext_status_arg(t->ctx, t);
	if (t->alpn != NULL)
		SSL_CTX_set_alpn_select_cb(t->ctx, on_alpn, t);
	return 0;
}

int
tls_server_new(struct tls_server **out, const char *keys,
    const struct tls_options *o, struct diag *why)
{
	struct tls_server	*t;

	*out = NULL;
	if ((t = calloc(1, sizeof(*t))) == NULL)
		return diag_errno(why, "TLS");
	t->alpn = o->alpn;
	if ((t->keys = tls_key_init()) == NULL ||
	    tickets_new(&t->tickets) == -1 ||
	    (t->ctx = SSL_CTX_new(TLS_server_method())) == NULL) {
		tls_server_free(&t);
		return tls_error(why, "TLS");
	}
	if (tls_certs_load(&t->certs, keys, why) == -1 ||
	    set_all(t, o, why) == -1) {
		tls_server_free(&t);
		return -1;
	}
	if (tls_warm(t->warm, t->ctx) == -1) {
		tls_server_free(&t);
		return tls_error(why, "TLS with ourselves");
	}
	tls_server_settle(t);
	*out = t;
	return 0;
}

void
tls_server_settle(struct tls_server *t)
{
	t->plug = tls_plug(t->plug);
}

void
tls_server_free(struct tls_server **tp)
{
	struct tls_server	*t = *tp;

	if (t == NULL)
		return;
	tls_unplug(t->plug);
	tls_warm_free(t->warm);
	SSL_CTX_free(t->ctx);
	tls_certs_free(&t->certs);
	tickets_free(&t->tickets);
	if (t->keys != NULL)
		(void)OSSL_PROVIDER_unload(t->keys);
	free(t);
	*tp = NULL;
}

/*
 * RFC 9051, 6.2.1: what came together with STARTTLS is the beginning of the
 * handshake, or makes it fail. It is read before the descriptor, see
 * tls_handshake, and nobody else reads it.
 */
static int
set_input(SSL *ssl, struct conn *c)
{
	struct str	early = conn_pending(c);
	BIO		*in;

	if (SSL_set_fd(ssl, c->fd) != 1)
		return -1;
	if (early.n == 0)
		return 0;
	if ((in = BIO_new(BIO_s_mem())) == NULL ||
	    BIO_write(in, early.p, (int)early.n) != (int)early.n) {
		BIO_free(in);
		return -1;
	}
	conn_consume(c, early.n);
	SSL_set0_rbio(ssl, in);
	return 0;
}

int
tls_server_start(struct tls_server *t, struct conn *c, int64_t timeout,
    struct diag *why)
{
	SSL	*ssl;

	if ((ssl = SSL_new(t->ctx)) == NULL || set_input(ssl, c) == -1) {
		SSL_free(ssl);
		return tls_error(why, "TLS");
	}
	if (tls_handshake(c, ssl, SSL_accept, timeout, why) == -1) {
		free(SSL_get_app_data(ssl));
		SSL_free(ssl);
		return -1;
	}
	/* a session that was resumed did not come by on_certificate */
	if (SSL_get_app_data(ssl) == NULL)
		(void)SSL_set_app_data(ssl, clean_name(SSL_get_servername(ssl,
		    TLSEXT_NAMETYPE_host_name)));
	tls_attach(c, ssl);
	return 0;
}
