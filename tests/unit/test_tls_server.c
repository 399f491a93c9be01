/*
 * tests/unit/test_tls_server.c - handshakes of a server whose keys are another
 * process's, with a client that is OpenSSL's or our own.
 */
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "common/net/tls.h"
#include "tests/unit/keys_fixture.h"

#define WAIT	20000

static char		 dir[] = "/tmp/ph-tls.XXXXXX", path[64];
static int		 listener = -1;
static struct vault	*vault;
static pid_t		 keys;
static struct made	 ca, rsa, ec, other, wild, ed;

static const struct tls_options	plain = { .client_ca = -1 };

/* All kinds of certificates; the first two have the same name. */
static void
fill_vault(void)
{
	struct pair	p[5] = {
		made_pair(&rsa, &ca, "a stored answer"),
		made_pair(&ec, &ca, ""), made_pair(&other, NULL, ""),
		made_pair(&wild, NULL, ""), made_pair(&ed, NULL, "")
	};

	ck_assert_int_eq(vault_replace(vault, p, nitems(p), 0), 0);
}

static void
make_certificates(void)
{
	(void)signal(SIGPIPE, SIG_IGN);	/* as proc/sig.c does */
	ca = made_by(NULL, "P-256", "test CA", "CA", -1, 30);
	rsa = made_by(&ca, "rsa", "rsa", "DNS:mx.test", -1, 30);
	ec = made_by(&ca, "P-256", "ec", "DNS:mx.test", -1, 30);
	other = made_for("P-384", "DNS:other.test,DNS:third.test");
	wild = made_for("P-256", "DNS:*.wild.test");
	ed = made_for("ed25519", "DNS:ed.test");
}

static void
free_certificates(void)
{
	made_free(&ca);
	made_free(&rsa);
	made_free(&ec);
	made_free(&other);
	made_free(&wild);
	made_free(&ed);
}

static void
setup(void)
{
	ck_assert_int_eq(vault_new(&vault), 0);
	fill_vault();
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/keys", dir);
	listener = msg_listen(path, 0600, (uid_t)-1, (gid_t)-1);
	ck_assert_int_ne(listener, -1);
	keys = keys_start(listener, vault);
}

static void
teardown(void)
{
	keys_stop(keys);
	fdio_close(&listener);
	vault_free(&vault);
	unlink(path);
	rmdir(dir);
	strlcpy(dir, "/tmp/ph-tls.XXXXXX", sizeof(dir));
}

static struct tls_server *
new_server(const struct tls_options *o)
{
	struct tls_server	*t;
	struct diag		 why = { "" };

	ck_assert_msg(tls_server_new(&t, path, o, &why) == 0, "%s", why.text);
	return t;
}

/* ---- the two sides */

static void
add_hex(struct conn *c, const char *type)
{
	struct buf	b;
	size_t		i;

	buf_init(&b, 1024);
	if (tls_binding(c, type, &b) == -1)
		conn_putf(c, "none");
	for (i = 0; i < b.n; i++)
		conn_putf(c, "%02x", (unsigned char)b.p[i]);
	buf_free(&b);
}

/* A worker: says what it knows in one line, then gives each line back. */
static _Noreturn void
work(struct tls_server *t, int fd, size_t ahead)
{
	char		early[512];
	struct conn	c;
	struct diag	why = { "" };
	struct str	line;
	struct buf	der;
	char		text[TLS_TEXT_MAX];

	conn_init(&c, fd);
	if ((ahead > 0 &&
	    recv(fd, early, ahead, MSG_WAITALL) != (ssize_t)ahead) ||
	    conn_preload(&c, (struct str){ early, ahead }) == -1 ||
	    fdio_nonblock(fd, 1) == -1)
		_exit(3);
	buf_init(&der, 65536);
	if (tls_server_start(t, &c, WAIT, &why) == -1) {
		fprintf(stderr, "# server: %s\n", why.text);
		_exit(2);
	}
	conn_putf(&c, "%s|%s|%d|", tls_text(&c, text, sizeof(text)),
	    tls_server_name(&c), tls_peer_certificate(&c, &der));
	add_hex(&c, "tls-exporter");
	conn_putf(&c, "|");
	add_hex(&c, "tls-server-end-point");
	conn_putf(&c, "\r\n");
	while (conn_line(&c, 60000, WAIT, &line) == LINE_OK) {
		conn_put(&c, line);
		conn_put(&c, STR("\r\n"));
	}
	conn_close(&c);
	_exit(0);
}

static pid_t
start_worker(struct tls_server *t, int *client, size_t ahead)
{
	int	pair[2];
	pid_t	pid;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
	    pair), 0);
	if ((pid = fork()) == 0) {
		close(pair[0]);
		work(t, pair[1], ahead);
	}
	ck_assert_int_ne(pid, -1);
	close(pair[1]);
	*client = pair[0];
	return pid;
}

static int
end_worker(pid_t pid)
{
	int	status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

struct client {
	SSL_CTX	*ctx;
	SSL	*ssl;
	int	 fd;
	pid_t	 worker;
	char	 line[1024];
	size_t	 ahead;		/* bytes of the handshake that come with STARTTLS */
	char	*part[5];	/* text, name, certificate, exporter, end point */
};

static void
read_line(struct client *c)
{
	size_t	n = 0;
	int	r;

	while (n + 1 < sizeof(c->line) &&
	    (r = SSL_read(c->ssl, c->line + n, 1)) == 1)
		if (c->line[n++] == '\n')
			break;
	c->line[n] = '\0';
	c->line[strcspn(c->line, "\r\n")] = '\0';
}

static void
split(struct client *c)
{
	char	*p = c->line;
	size_t	 i;

	for (i = 0; i < nitems(c->part); i++) {
		c->part[i] = p;
		if ((p = strchr(c->part[i], '|')) == NULL)
			break;
		*p++ = '\0';
	}
	ck_assert_uint_eq(i, nitems(c->part) - 1);
}

static void
client_init(struct client *c, int version)
{
	memset(c, 0, sizeof(*c));
	c->ctx = SSL_CTX_new(TLS_client_method());
	ck_assert_ptr_nonnull(c->ctx);
	SSL_CTX_set_min_proto_version(c->ctx, version);
	SSL_CTX_set_max_proto_version(c->ctx, version);
	SSL_CTX_set_session_cache_mode(c->ctx, SSL_SESS_CACHE_CLIENT);
}

/* The macro takes no const. */
static void
client_signatures(struct client *c, const char *list)
{
	char	copy[256];

	ck_assert_uint_lt(strlcpy(copy, list, sizeof(copy)), sizeof(copy));
	ck_assert_int_eq(SSL_CTX_set1_sigalgs_list(c->ctx, copy), 1);
}

/* 1: hands are shaken and the first line is there. */
static int
client_connect(struct client *c, struct tls_server *t, const char *name,
    SSL_SESSION *again)
{
	char	sni[256];

	c->worker = start_worker(t, &c->fd, c->ahead);
	c->ssl = SSL_new(c->ctx);
	SSL_set_fd(c->ssl, c->fd);
	strlcpy(sni, name, sizeof(sni));
	if (*name != '\0')
		SSL_set_tlsext_host_name(c->ssl, sni);
	if (again != NULL)
		ck_assert_int_eq(SSL_set_session(c->ssl, again), 1);
	SSL_set_tlsext_status_type(c->ssl, TLSEXT_STATUSTYPE_ocsp);
	if (SSL_connect(c->ssl) != 1)
		return 0;
	read_line(c);
	split(c);
	return 1;
}

static int
client_end(struct client *c)
{
	SSL_shutdown(c->ssl);
	SSL_free(c->ssl);
	close(c->fd);
	ERR_clear_error();
	return end_worker(c->worker);
}

/* ---- */

static const struct {
	int		 version;
	const char	*list;		/* of signatures, NULL: any */
	const char	*name;		/* asked for */
	const char	*text;
	struct made	*shown;
} shakes[] = {
	{ TLS1_3_VERSION, NULL, "", "TLSv1.3 TLS_AES_128_GCM_SHA256", &ec },
	{ TLS1_2_VERSION, NULL, "", "TLSv1.2 ECDHE-ECDSA-AES128-GCM-SHA256",
	    &ec },
	{ TLS1_3_VERSION, "rsa_pss_rsae_sha256:RSA+SHA256", "MX.test",
	    "TLSv1.3 TLS_AES_128_GCM_SHA256", &rsa },
	{ TLS1_2_VERSION, "RSA+SHA256", "mx.test",
	    "TLSv1.2 ECDHE-RSA-AES128-GCM-SHA256", &rsa },
	{ TLS1_2_VERSION, "rsa_pss_rsae_sha512", "mx.test",
	    "TLSv1.2 ECDHE-RSA-AES128-GCM-SHA256", &rsa },
	{ TLS1_3_VERSION, NULL, "third.test", "TLSv1.3 TLS_AES_128_GCM_SHA256",
	    &other },
	{ TLS1_2_VERSION, NULL, "other.test",
	    "TLSv1.2 ECDHE-ECDSA-AES128-GCM-SHA256", &other },
	{ TLS1_3_VERSION, NULL, "a.wild.test", "TLSv1.3 TLS_AES_128_GCM_SHA256",
	    &wild },
	{ TLS1_3_VERSION, NULL, "b.a.wild.test",
	    "TLSv1.3 TLS_AES_128_GCM_SHA256", &ec },
	{ TLS1_3_VERSION, NULL, "ed.test", "TLSv1.3 TLS_AES_128_GCM_SHA256",
	    &ed },
	{ TLS1_2_VERSION, NULL, "ed.test",
	    "TLSv1.2 ECDHE-ECDSA-AES128-GCM-SHA256", &ed },
	{ TLS1_3_VERSION, NULL, "nobody.test", "TLSv1.3 TLS_AES_128_GCM_SHA256",
	    &ec },
	{ TLS1_3_VERSION, NULL, "a b\"c.test", "TLSv1.3 TLS_AES_128_GCM_SHA256",
	    &ec }
};

START_TEST(handshake)
{
	struct tls_server	*t = new_server(&plain);
	struct client		 c;
	char			 lower[256];
	size_t			 i;

	client_init(&c, shakes[_i].version);
	if (shakes[_i].list != NULL)
		client_signatures(&c, shakes[_i].list);
	ck_assert_int_eq(client_connect(&c, t, shakes[_i].name, NULL), 1);
	ck_assert_str_eq(c.part[0], shakes[_i].text);
	for (i = 0; shakes[_i].name[i] != '\0'; i++)
		lower[i] = shakes[_i].name[i] == 'M' ? 'm' :
		    shakes[_i].name[i] == 'X' ? 'x' : shakes[_i].name[i];
	lower[i] = '\0';
	ck_assert_str_eq(c.part[1], strchr(lower, ' ') != NULL ? "" : lower);
	ck_assert_int_eq(X509_cmp(SSL_get0_peer_certificate(c.ssl),
	    shakes[_i].shown->x), 0);
	/* it goes on after the handshake, in both directions */
	ck_assert_int_eq(SSL_write(c.ssl, "again\r\n", 7), 7);
	read_line(&c);
	ck_assert_str_eq(c.line, "again");
	ck_assert_int_eq(client_end(&c), 0);
	SSL_CTX_free(c.ctx);
	tls_server_free(&t);
}
END_TEST


static void
hex(char *dst, const unsigned char *p, size_t n)
{
	size_t	i;

	for (i = 0; i < n; i++)
		snprintf(dst + 2 * i, 3, "%02x", p[i]);
}

static const int	versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

/* Both sides have the same values, and another connection another one. */
START_TEST(binding)
{
	struct tls_server	*t = new_server(&plain);
	struct client		 c;
	unsigned char		 value[64];
	unsigned int		 n;
	char			 text[129], first[129] = "";
	int			 i;

	client_init(&c, versions[_i]);
	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(client_connect(&c, t, "mx.test", NULL), 1);
		ck_assert_int_eq(SSL_export_keying_material(c.ssl, value, 32,
		    "EXPORTER-Channel-Binding", 24, (const unsigned char *)"",
		    0, 1), 1);
		hex(text, value, 32);
		ck_assert_str_eq(c.part[3], text);
		ck_assert_str_ne(c.part[3], first);
		strlcpy(first, text, sizeof(first));
		ck_assert_int_eq(X509_digest(ec.x, EVP_sha256(), value, &n), 1);
		hex(text, value, n);
		ck_assert_str_eq(c.part[4], text);
		ck_assert_int_eq(client_end(&c), 0);
	}
	SSL_CTX_free(c.ctx);
	tls_server_free(&t);
}
END_TEST

/* A certificate whose signature has no digest has no such binding (RFC 5929 4.1). */
START_TEST(binding_without_digest)
{
	struct tls_server	*t = new_server(&plain);
	struct client		 c;

	client_init(&c, TLS1_3_VERSION);
	ck_assert_int_eq(client_connect(&c, t, "ed.test", NULL), 1);
	ck_assert_str_eq(c.part[4], "none");
	ck_assert_uint_eq(strlen(c.part[3]), 64);
	ck_assert_int_eq(client_end(&c), 0);
	SSL_CTX_free(c.ctx);
	tls_server_free(&t);
}
END_TEST

/* RFC 9266 3: TLS 1.2 without the extended master secret. */
START_TEST(binding_without_ems)
{
	struct tls_server	*t = new_server(&plain);
	struct client		 c;

	client_init(&c, TLS1_2_VERSION);
	SSL_CTX_set_options(c.ctx, SSL_OP_NO_EXTENDED_MASTER_SECRET);
	ck_assert_int_eq(client_connect(&c, t, "mx.test", NULL), 1);
	ck_assert_str_eq(c.part[3], "none");
	ck_assert_str_ne(c.part[4], "none");
	ck_assert_int_eq(client_end(&c), 0);
	SSL_CTX_free(c.ctx);
	tls_server_free(&t);
}
END_TEST

/* What one worker gave another one takes; another listener does not. */
START_TEST(resumption)
{
	struct tls_server	*t = new_server(&plain), *stranger;
	struct client		 c;
	SSL_SESSION		*again;
	int			 i;

	stranger = new_server(&plain);
	client_init(&c, versions[_i]);
	ck_assert_int_eq(client_connect(&c, t, "other.test", NULL), 1);
	ck_assert(!SSL_session_reused(c.ssl));
	again = SSL_get1_session(c.ssl);
	ck_assert_uint_le(SSL_SESSION_get_ticket_lifetime_hint(again), 3600);
	ck_assert_uint_gt(SSL_SESSION_get_ticket_lifetime_hint(again), 0);
	ck_assert_int_eq(client_end(&c), 0);
	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(client_connect(&c, t, "other.test", again),
		    1);
		ck_assert_msg(SSL_session_reused(c.ssl), "round %d", i);
		ck_assert_str_eq(c.part[1], "other.test");
		/* of TLS 1.3 the client takes each ticket once */
		SSL_SESSION_free(again);
		again = SSL_get1_session(c.ssl);
		ck_assert_int_eq(client_end(&c), 0);
	}
	ck_assert_int_eq(client_connect(&c, stranger, "other.test", again), 1);
	ck_assert(!SSL_session_reused(c.ssl));
	ck_assert_int_eq(client_end(&c), 0);
	SSL_SESSION_free(again);
	SSL_CTX_free(c.ctx);
	tls_server_free(&t);
	tls_server_free(&stranger);
}
END_TEST

/* RFC 9051, 6.2.1: a client that does not wait for the answer to STARTTLS; as much of its first message as this. */
static const size_t	aheads[] = { 1, 4, 5, 6, 100, 160 };

START_TEST(handshake_ahead)
{
	struct tls_server	*t = new_server(&plain);
	struct client		 c;
	SSL_SESSION		*again;

	client_init(&c, versions[_i % 2]);
	c.ahead = aheads[(size_t)_i / 2];
	ck_assert_int_eq(client_connect(&c, t, "other.test", NULL), 1);
	ck_assert_str_eq(c.part[1], "other.test");
	again = SSL_get1_session(c.ssl);
	ck_assert_int_eq(client_end(&c), 0);
	ck_assert_int_eq(client_connect(&c, t, "other.test", again), 1);
	ck_assert(SSL_session_reused(c.ssl));
	ck_assert_int_eq(SSL_write(c.ssl, "hello\r\n", 7), 7);
	read_line(&c);
	ck_assert_str_eq(c.line, "hello");
	ck_assert_int_eq(client_end(&c), 0);
	SSL_SESSION_free(again);
	SSL_CTX_free(c.ctx);
	tls_server_free(&t);
}
END_TEST

/* CVE-2011-0411: what came in the clear is no handshake, and nothing of it is left to be read. */
START_TEST(pending_plaintext)
{
	struct tls_server	*t = new_server(&plain);
	struct conn		 c;
	struct diag		 why = { "" };
	int			 pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	ck_assert_int_eq(fdio_nonblock(pair[0], 1), 0);
	conn_init(&c, pair[0]);
	ck_assert_int_eq(fdio_write(pair[1], "QUIT\r\n", 6), 0);
	ck_assert_int_eq(conn_fill(&c, WAIT), 1);
	ck_assert_int_eq(tls_server_start(t, &c, WAIT, &why), -1);
	ck_assert_ptr_nonnull(strstr(why.text, "TLS handshake"));
	ck_assert(!tls_is_on(&c));
	ck_assert_uint_eq(conn_pending(&c).n, 0);
	conn_close(&c);
	close(pair[1]);
	tls_server_free(&t);
}
END_TEST

/* The text of a failed handshake of our server with a client that does nothing right. */
START_TEST(no_handshake)
{
	struct tls_server	*t = new_server(&plain);
	struct conn		 c;
	struct diag		 why = { "" };
	int			 pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	ck_assert_int_eq(fdio_nonblock(pair[0], 1), 0);
	conn_init(&c, pair[0]);
	if (_i == 0)
		ck_assert_int_eq(fdio_write(pair[1], "EHLO x\r\n", 8), 0);
	if (_i == 1)
		close(pair[1]);
	ck_assert_int_eq(tls_server_start(t, &c, _i == 2 ? 50 : WAIT, &why),
	    -1);
	ck_assert_msg(strstr(why.text, "TLS handshake: ") == why.text, "%s",
	    why.text);
	ck_assert(!tls_is_on(&c));
	conn_close(&c);
	if (_i != 1)
		close(pair[1]);
	tls_server_free(&t);
}
END_TEST

static void
replace_keys(const struct made *m, int64_t now)
{
	struct pair	p = made_pair(m, NULL, "");

	keys_stop(keys);
	ck_assert_int_eq(vault_replace(vault, &p, 1, now), 0);
	vault_time(vault, now);
	keys = keys_start(listener, vault);
}

/* Workers with the old chain go on after a reload, for a while; a new server has the new one. */
START_TEST(old_key)
{
	struct tls_server	*t = new_server(&plain), *fresh;
	struct client		 c;

	replace_keys(&wild, 1000);
	client_init(&c, TLS1_3_VERSION);
	ck_assert_int_eq(client_connect(&c, t, "mx.test", NULL), 1);
	ck_assert_int_eq(X509_cmp(SSL_get0_peer_certificate(c.ssl), ec.x), 0);
	ck_assert_int_eq(client_end(&c), 0);
	fresh = new_server(&plain);
	ck_assert_int_eq(client_connect(&c, fresh, "mx.test", NULL), 1);
	ck_assert_int_eq(X509_cmp(SSL_get0_peer_certificate(c.ssl), wild.x), 0);
	ck_assert_int_eq(client_end(&c), 0);
	replace_keys(&wild, 1000 + VAULT_OLD_MS);
	ck_assert_int_eq(client_connect(&c, t, "mx.test", NULL), 0);
	ck_assert_int_ne(client_end(&c), 0);
	SSL_CTX_free(c.ctx);
	tls_server_free(&t);
	tls_server_free(&fresh);
}
END_TEST

START_TEST(no_keys)
{
	struct tls_server	*t = new_server(&plain);
	struct conn		 c;
	struct client		 peer;
	struct diag		 why = { "" };
	int			 pair[2];

	keys_stop(keys);
	fdio_close(&listener);
	client_init(&peer, TLS1_3_VERSION);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	if ((peer.worker = fork()) == 0) {
		peer.ssl = SSL_new(peer.ctx);
		SSL_set_fd(peer.ssl, pair[1]);
		_exit(SSL_connect(peer.ssl) == 1);
	}
	ck_assert_int_eq(fdio_nonblock(pair[0], 1), 0);
	conn_init(&c, pair[0]);
	ck_assert_int_eq(tls_server_start(t, &c, WAIT, &why), -1);
	ck_assert_str_eq(why.text, "TLS handshake: keys: Connection refused");
	conn_close(&c);
	close(pair[1]);
	ck_assert_int_eq(end_worker(peer.worker), 0);
	SSL_CTX_free(peer.ctx);
	tls_server_free(&t);
	/* for the teardown */
	listener = msg_listen(path, 0600, (uid_t)-1, (gid_t)-1);
	keys = keys_start(listener, vault);
}
END_TEST

/* ---- clients' certificates */

static int
ca_file(void)
{
	struct buf	pem;
	int		fd = memfd_create("ca", MFD_CLOEXEC);

	buf_init(&pem, 65536);
	made_add_pem(&pem, ca.x, NULL);
	ck_assert_int_eq(fdio_write(fd, pem.p, pem.n), 0);
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	buf_free(&pem);
	return fd;
}

static const struct {
	bool		 ask, ours;
	const char	*kind, *san;	/* NULL: it has none */
	long		 from, to;	/* days */
	const char	*text;		/* behind the cipher */
} clients[] = {
	{ true, true, "P-256", "email:ann@a.test", -1, 9, " verified ann@a.test" },
	{ true, true, "rsa", "DNS:relay.test", -1, 9, " verified relay.test" },
	{ true, true, "P-256", "", -1, 9, " verified A???B" },
	{ true, true, "P-256", "DNS:relay.test", -9, -1, "" },
	{ true, true, "P-256", "DNS:relay.test", 1, 9, "" },
	{ true, false, "P-256", "DNS:relay.test", -1, 9, "" },
	{ true, true, NULL, "", -1, 9, "" },
	{ false, true, "P-256", "DNS:relay.test", -1, 9, "" }
};

START_TEST(client_certificate)
{
	struct tls_options	 o = { .client_ca = ca_file(),
				    .ask_client = clients[_i / 2].ask };
	struct tls_server	*t = new_server(&o);
	struct client		 c;
	struct made		 m = { NULL, NULL };
	const char		*text = clients[_i / 2].text;
	SSL_SESSION		*again;
	char			 want[256];
	int			 i;

	client_init(&c, versions[_i % 2]);
	if (clients[_i / 2].kind != NULL) {
		m = made_by(clients[_i / 2].ours ? &ca : NULL,
		    clients[_i / 2].kind, "A \"\tB", clients[_i / 2].san,
		    clients[_i / 2].from, clients[_i / 2].to);
		ck_assert_int_eq(SSL_CTX_use_certificate(c.ctx, m.x), 1);
		ck_assert_int_eq(SSL_CTX_use_PrivateKey(c.ctx, m.key), 1);
	}
	again = NULL;
	for (i = 0; i < 2; i++) {	/* when it is resumed as well */
		ck_assert_int_eq(client_connect(&c, t, "mx.test", again), 1);
		ck_assert_int_eq(SSL_session_reused(c.ssl), i);
		snprintf(want, sizeof(want), "%s%s", versions[_i % 2] ==
		    TLS1_3_VERSION ? "TLSv1.3 TLS_AES_128_GCM_SHA256" :
		    "TLSv1.2 ECDHE-ECDSA-AES128-GCM-SHA256", text);
		ck_assert_str_eq(c.part[0], want);
		ck_assert_str_eq(c.part[2], *text == '\0' ? "0" : "1");
		SSL_SESSION_free(again);
		again = SSL_get1_session(c.ssl);
		ck_assert_int_eq(client_end(&c), 0);
	}
	SSL_SESSION_free(again);
	SSL_CTX_free(c.ctx);
	made_free(&m);
	close(o.client_ca);
	tls_server_free(&t);
}
END_TEST

/* ---- options */

static const struct {
	const char	*list;		/* what the client offers */
	unsigned	 n;
	const char	*chosen;	/* NULL: it is refused; "": none, and served */
} protocols[] = {
	{ "", 0, "" },
	{ "\4pop3", 5, "pop3" },
	{ "\2h2\4pop3", 8, "pop3" },
	{ "\2h2", 3, NULL },
	{ "\4pop4\3pop", 9, NULL }
};

START_TEST(alpn)
{
	struct tls_options	 o = { .client_ca = -1, .alpn = "pop3" };
	struct tls_server	*t = new_server(&o);
	struct client		 c;
	const unsigned char	*chosen;
	unsigned		 n;
	bool			 ok = protocols[_i].chosen != NULL;

	client_init(&c, TLS1_3_VERSION);
	if (protocols[_i].n > 0)
		ck_assert_int_eq(SSL_CTX_set_alpn_protos(c.ctx,
		    (const unsigned char *)protocols[_i].list,
		    protocols[_i].n), 0);
	ck_assert_int_eq(client_connect(&c, t, "mx.test", NULL), ok);
	if (ok) {
		SSL_get0_alpn_selected(c.ssl, &chosen, &n);
		ck_assert(str_eq((struct str){ (const char *)chosen, n },
		    str_from(protocols[_i].chosen)) || n == 0);
		ck_assert_uint_eq(n, strlen(protocols[_i].chosen));
	} else
		ck_assert_int_eq(ERR_GET_REASON(ERR_peek_error()),
		    SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL);
	ck_assert_int_eq(client_end(&c) == 0, ok);
	SSL_CTX_free(c.ctx);
	tls_server_free(&t);
}
END_TEST

/* The RSA certificate has a stored answer, the other none. */
START_TEST(ocsp)
{
	struct tls_server	*t = new_server(&plain);
	struct client		 c;
	const unsigned char	*p;
	long			 n;

	client_init(&c, versions[_i]);
	client_signatures(&c, "rsa_pss_rsae_sha256");
	ck_assert_int_eq(client_connect(&c, t, "mx.test", NULL), 1);
	n = SSL_get_tlsext_status_ocsp_resp(c.ssl, &p);
	ck_assert(str_eq((struct str){ (const char *)p, (size_t)n },
	    STR("a stored answer")));
	ck_assert_int_eq(client_end(&c), 0);
	client_signatures(&c, "ECDSA+SHA256");
	ck_assert_int_eq(client_connect(&c, t, "mx.test", NULL), 1);
	ck_assert_int_le(SSL_get_tlsext_status_ocsp_resp(c.ssl, &p), 0);
	ck_assert_int_eq(client_end(&c), 0);
	SSL_CTX_free(c.ctx);
	tls_server_free(&t);
}
END_TEST

static const struct {
	struct tls_options	 o;
	int			 version;
	const char		*offer;	/* TLS 1.2 ciphers of the client */
	bool			 ok;
} limits[] = {
	{ { .minimum = "1.3" }, TLS1_2_VERSION, "ALL", false },
	{ { .minimum = "1.3" }, TLS1_3_VERSION, "ALL", true },
	{ { .minimum = "1.2" }, TLS1_2_VERSION, "ALL", true },
	{ { .minimum = "1.2" }, TLS1_1_VERSION, "ALL:@SECLEVEL=0", false },
	{ { .minimum = "1.2" }, TLS1_2_VERSION, "AES128-SHA", false },
	{ { .minimum = "1.2" }, TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA", false },
	{ { .ciphers = "ECDHE-ECDSA-AES256-GCM-SHA384" }, TLS1_2_VERSION,
	    "ECDHE-ECDSA-AES128-GCM-SHA256", false },
	{ { .ciphers = "ECDHE-ECDSA-AES256-GCM-SHA384" }, TLS1_2_VERSION,
	    "ECDHE-ECDSA-AES256-GCM-SHA384", true },
	/* for whoever wants it: keys knows this form, too */
	{ { .ciphers = "ECDHE+AESGCM:DHE-RSA-AES128-GCM-SHA256" },
	    TLS1_2_VERSION, "DHE-RSA-AES128-GCM-SHA256", true }
};

START_TEST(limited)
{
	struct tls_options	 o = limits[_i].o;
	struct tls_server	*t;
	struct client		 c;

	o.client_ca = -1;
	t = new_server(&o);
	client_init(&c, limits[_i].version);
	ck_assert_int_eq(SSL_CTX_set_cipher_list(c.ctx, limits[_i].offer), 1);
	ck_assert_int_eq(client_connect(&c, t, "mx.test", NULL), limits[_i].ok);
	ck_assert_int_eq(client_end(&c) == 0, limits[_i].ok);
	SSL_CTX_free(c.ctx);
	tls_server_free(&t);
}
END_TEST

static const struct {
	struct tls_options	 o;
	const char		*why;
} mistakes[] = {
	{ { .ciphers = "NO-SUCH-CIPHER" }, "TLS ciphers: no cipher match" },
	{ { .ciphersuites = "TLS_NO_SUCH" }, "TLS cipher suites: " },
	{ { .groups = "P-12" }, "TLS groups: " }
};

START_TEST(wrong_options)
{
	struct tls_options	 o = mistakes[_i].o;
	struct tls_server	*t;
	struct diag		 why = { "" };

	o.client_ca = -1;
	ck_assert_int_eq(tls_server_new(&t, path, &o, &why), -1);
	ck_assert_ptr_null(t);
	ck_assert_msg(strncmp(why.text, mistakes[_i].why,
	    strlen(mistakes[_i].why)) == 0, "%s", why.text);
}
END_TEST

/* Our own client, and much data in both directions. */
START_TEST(own_client)
{
	struct tls_server	*t = new_server(&plain);
	struct tls_client	*client;
	struct conn		 c;
	struct diag		 why = { "" };
	struct str		 line;
	char			 text[TLS_TEXT_MAX], big[50001];
	int			 fd, i, in = ca_file();
	pid_t			 pid = start_worker(t, &fd, 0);

	ck_assert_int_eq(tls_client_new(&client, in, "ca", &why), 0);
	ck_assert_int_eq(fdio_nonblock(fd, 1), 0);
	conn_init(&c, fd);
	ck_assert_msg(tls_client_start(client, &c, "mx.test", true, WAIT,
	    &why) == 0, "%s", why.text);
	ck_assert_str_eq(tls_text(&c, text, sizeof(text)),
	    "TLSv1.3 TLS_AES_128_GCM_SHA256 verified");
	ck_assert_int_eq(conn_line(&c, 1000, WAIT, &line), LINE_OK);
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	for (i = 0; i < 100; i++) {
		ck_assert_int_eq(conn_putf(&c, "%s\r\n", big), 0);
		ck_assert_int_eq(conn_line(&c, 60000, WAIT, &line), LINE_OK);
		ck_assert_uint_eq(line.n, sizeof(big) - 1);
	}
	conn_close(&c);
	ck_assert_int_eq(end_worker(pid), 0);
	tls_client_free(&client);
	tls_server_free(&t);
	close(in);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("tls-server");
	TCase	*t = tcase_create("tls-server");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_unchecked_fixture(t, make_certificates, free_certificates);
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, handshake, 0, (int)nitems(shakes));
	tcase_add_loop_test(t, binding, 0, 2);
	tcase_add_test(t, binding_without_digest);
	tcase_add_test(t, binding_without_ems);
	tcase_add_loop_test(t, resumption, 0, 2);
	tcase_add_loop_test(t, handshake_ahead, 0, 2 * (int)nitems(aheads));
	tcase_add_test(t, pending_plaintext);
	tcase_add_loop_test(t, no_handshake, 0, 3);
	tcase_add_test(t, old_key);
	tcase_add_test(t, no_keys);
	tcase_add_loop_test(t, client_certificate, 0,
	    2 * (int)nitems(clients));
	tcase_add_loop_test(t, alpn, 0, (int)nitems(protocols));
	tcase_add_loop_test(t, ocsp, 0, 2);
	tcase_add_loop_test(t, limited, 0, (int)nitems(limits));
	tcase_add_loop_test(t, wrong_options, 0, (int)nitems(mistakes));
	tcase_add_test(t, own_client);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
