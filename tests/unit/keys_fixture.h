/*
 * tests/unit/keys_fixture.h - certificates made for a test, and a process that
 * answers for them as keys(8) does. Include in one test each.
 */
#ifndef TESTS_KEYS_FIXTURE_H
#define TESTS_KEYS_FIXTURE_H

#include <check.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/proc/msg.h"
#include "keys/vault.h"

struct made {
	X509		*x;
	EVP_PKEY	*key;
};

static inline EVP_PKEY *
made_key(const char *kind)
{
	EVP_PKEY	*k;

	if (strcmp(kind, "rsa") == 0)
		k = EVP_RSA_gen(2048);
	else if (strcmp(kind, "rsa1024") == 0)
		k = EVP_RSA_gen(1024);
	else if (strcmp(kind, "ed25519") == 0)
		k = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	else
		k = EVP_EC_gen(kind);
	ck_assert_ptr_nonnull(k);
	return k;
}

static inline void
made_extend(X509 *x, int what, const char *value)
{
	X509_EXTENSION	*e = X509V3_EXT_conf_nid(NULL, NULL, what, value);

	ck_assert_ptr_nonnull(e);
	ck_assert_int_eq(X509_add_ext(x, e, -1), 1);
	X509_EXTENSION_free(e);
}

/* san: "DNS:a.test,DNS:b.test", or "CA" for one that signs others; by NULL: itself. from, to: days from now. */
static inline struct made
made_by(const struct made *by, const char *kind, const char *cn,
    const char *san, long from, long to)
{
	struct made	 m = { X509_new(), made_key(kind) };
	X509_NAME	*name = X509_get_subject_name(m.x);
	EVP_PKEY	*signer = by == NULL ? m.key : by->key;

	X509_set_version(m.x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(m.x), random());
	X509_gmtime_adj(X509_getm_notBefore(m.x), from * 86400);
	X509_gmtime_adj(X509_getm_notAfter(m.x), to * 86400);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
	    (const unsigned char *)cn, -1, -1, 0);
	X509_set_issuer_name(m.x, by == NULL ? name :
	    X509_get_subject_name(by->x));
	X509_set_pubkey(m.x, m.key);
	if (strcmp(san, "CA") == 0)
		made_extend(m.x, NID_basic_constraints, "critical,CA:TRUE");
	else if (*san != '\0')
		made_extend(m.x, NID_subject_alt_name, san);
	ck_assert_int_gt(X509_sign(m.x, signer,
	    EVP_PKEY_is_a(signer, "ED25519") ? NULL : EVP_sha256()), 0);
	return m;
}

static inline struct made
made_for(const char *kind, const char *san)
{
	return made_by(NULL, kind, "test", san, -1, 30);
}

static inline void
made_free(struct made *m)
{
	X509_free(m->x);
	EVP_PKEY_free(m->key);
}

static inline void
made_add_pem(struct buf *out, const X509 *x, const EVP_PKEY *key)
{
	BIO	*b = BIO_new(BIO_s_mem());
	char	*p;
	long	 n;

	if (x != NULL)
		ck_assert_int_eq(PEM_write_bio_X509(b, x), 1);
	if (key != NULL)
		ck_assert_int_eq(PEM_write_bio_PrivateKey(b, key, NULL, NULL,
		    0, NULL, NULL), 1);
	n = BIO_get_mem_data(b, &p);
	ck_assert_int_eq(buf_add(out, p, (size_t)n), 0);
	BIO_free(b);
}

/* As the vault wants it. issuer may be NULL. */
static inline struct pair
made_pair(const struct made *m, const struct made *issuer, const char *ocsp)
{
	struct pair_files	f;
	struct pair		p;
	struct diag		warning, why = { "" };

	pair_files_init(&f);
	made_add_pem(&f.certificate, m->x, NULL);
	if (issuer != NULL)
		made_add_pem(&f.certificate, issuer->x, NULL);
	made_add_pem(&f.key, NULL, m->key);
	buf_adds(&f.ocsp, ocsp);
	ck_assert_msg(pair_load(&p, &f, "certificate", "key", &warning,
	    &why) == 0, "%s", why.text);
	pair_files_wipe(&f);
	return p;
}

/* Answers one connection after the other until it is killed. */
static inline _Noreturn void
keys_loop(int listener, struct vault *v)
{
	struct buf	rec, answer;
	int		fd;

	buf_init(&rec, MSG_MAX);
	buf_init(&answer, MSG_MAX);
	if (fdio_nonblock(listener, 0) == -1)
		_exit(3);
	while ((fd = accept(listener, NULL, NULL)) != -1) {
		while (msg_recv(fd, &rec, NULL) == 1)
			if (vault_answer(v, buf_view(&rec), &answer) == -1 ||
			    msg_send(fd, &answer, NULL) == -1)
				break;
		close(fd);
	}
	_exit(1);
}

/* Its pid. The listener stays open, so that another may follow it. */
static inline pid_t
keys_start(int listener, struct vault *v)
{
	pid_t	pid = fork();

	ck_assert_int_ne(pid, -1);
	if (pid == 0)
		keys_loop(listener, v);
	return pid;
}

static inline void
keys_stop(pid_t pid)
{
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

#endif
