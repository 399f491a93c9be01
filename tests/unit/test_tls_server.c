/*
 * tests/unit/test_tls_server.c - handshakes of a server whose keys are another
 * process's, with a client that is OpenSSL's or our own.
 */
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <errno.h>
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
setup(void)
{
	ca = made_by(NULL, "P-256", "test CA", "CA", -1, 30);
	rsa = made_by(&ca, "rsa", "rsa", "DNS:mx.test", -1, 30);
	ec = made_by(&ca, "P-256", "ec", "DNS:mx.test", -1, 30);
	other = made_for("P-384", "DNS:other.test,DNS:third.test");
	wild = made_for("P-256", "DNS:*.wild.test");
	ed = made_for("ed25519", "DNS:ed.test");
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
	made_free(&ca);
	made_free(&rsa);
	made_free(&ec);
	made_free(&other);
	made_free(&wild);
	made_free(&ed);
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
work(struct tls_server *t, int fd)
{
	struct conn	c;
	struct diag	why = { "" };
	struct str	line;
	struct buf	der;
	char		text[TLS_TEXT_MAX];

	if (fdio_nonblock(fd, 1) == -1)
		_exit(3);
	conn_init(&c, fd);
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
start_worker(struct tls_server *t, int *client)
{
	int	pair[2];
	pid_t	pid;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
	    pair), 0);
	if ((pid = fork()) == 0) {
		close(pair[0]);
		work(t, pair[1]);
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

/* 1: hands are shaken and the first line is there. */
static int
client_connect(struct client *c, struct tls_server *t, const char *name,
    SSL_SESSION *again)
{
	char	sni[256];

	c->worker = start_worker(t, &c->fd);
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
		ck_assert_int_eq(SSL_CTX_set1_sigalgs_list(c.ctx,
		    shakes[_i].list), 1);
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

int
main(void)
{
	Suite	*s = suite_create("tls-server");
	TCase	*t = tcase_create("tls-server");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_checked_fixture(t, setup, teardown);
	(void)signal(SIGPIPE, SIG_IGN);	/* as proc/sig.c does */
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, handshake, 0, (int)nitems(shakes));
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
