/*
 * common/net/tls_certs.c - a listener's certificates as keys(8) tells them, and
 * which of them a client gets to see.
 */
#include "common/net/tls_impl.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/fdio.h"
#include "common/base/now.h"
#include "common/fmt/record.h"
#include "common/proc/msg.h"
#include "common/proc/proto_keys.h"

#define WAIT_MS		60000	/* while keys starts */
#define TRIES		5	/* when the list changes while it is read */
#define NAME_MAX_DNS	253
#define NAMES_MAX	(KEYS_CERTIFICATES_MAX * 100)

enum kind { KIND_RSA, KIND_EC, KIND_ED25519, KIND_COUNT };

struct one {
	X509		*leaf;
	STACK_OF(X509)	*chain;		/* without the leaf */
	EVP_PKEY	*key;
	enum kind	 kind;
	struct buf	 ocsp;
};

struct name {
	char		*text;		/* "mx.example.org", "*.example.org", lower case */
	size_t		 at;		/* whose */
};

/* Of each kind of key at most one; NULL: none. */
struct choice {
	const struct one *of[KIND_COUNT];
};

struct tls_certs {
	struct one	*list;
	size_t		 n;
	struct name	*names;		/* sorted */
	size_t		 nnames;
	struct choice	 standard;
};

static void
one_free(struct one *c)
{
	X509_free(c->leaf);
	sk_X509_pop_free(c->chain, X509_free);
	EVP_PKEY_free(c->key);
	buf_free(&c->ocsp);
}

void
tls_certs_free(struct tls_certs **tp)
{
	struct tls_certs	*t = *tp;
	size_t			 i;

	if (t == NULL)
		return;
	for (i = 0; i < t->n; i++)
		one_free(&t->list[i]);
	for (i = 0; i < t->nnames; i++)
		free(t->names[i].text);
	free(t->list);
	free(t->names);
	free(t);
	*tp = NULL;
}

/* ---- names */

static int
add_name(struct tls_certs *t, size_t at, const ASN1_STRING *s)
{
	char		 text[NAME_MAX_DNS + 1];
	struct name	*more;
	struct str	 raw = {
		(const char *)ASN1_STRING_get0_data(s),
		(size_t)ASN1_STRING_length(s)
	};

	/* one that nobody can ask for is none */
	if (raw.n == 0 || str_lower(text, sizeof(text), raw) == -1 ||
	    t->nnames == NAMES_MAX)
		return 0;
	more = reallocarray(t->names, t->nnames + 1, sizeof(*more));
	if (more == NULL)
		return -1;
	t->names = more;
	more[t->nnames] = (struct name){ strdup(text), at };
	return more[t->nnames++].text == NULL ? -1 : 0;
}

/* The subject's common names, of a certificate of the old kind. */
static int
add_common(struct tls_certs *t, size_t at)
{
	X509_NAME	*subject = X509_get_subject_name(t->list[at].leaf);
	int		 i = -1;

	while ((i = X509_NAME_get_index_by_NID(subject, NID_commonName,
	    i)) >= 0)
		if (add_name(t, at, X509_NAME_ENTRY_get_data(
		    X509_NAME_get_entry(subject, i))) == -1)
			return -1;
	return 0;
}

static int
add_names(struct tls_certs *t, size_t at)
{
	GENERAL_NAMES		*all;
	const GENERAL_NAME	*g;
	int			 i, r = 0;

	all = X509_get_ext_d2i(t->list[at].leaf, NID_subject_alt_name, NULL,
	    NULL);
	if (all == NULL)
		return add_common(t, at);
	for (i = 0; r == 0 && i < sk_GENERAL_NAME_num(all); i++) {
		g = sk_GENERAL_NAME_value(all, i);
		if (g->type == GEN_DNS)
			r = add_name(t, at, g->d.dNSName);
	}
	GENERAL_NAMES_free(all);
	return r;
}

static int
compare(const void *a, const void *b)
{
	const struct name	*x = a, *y = b;
	int			 r = strcmp(x->text, y->text);

	return r != 0 ? r : x->at < y->at ? -1 : x->at > y->at;
}

/* Adds those that have exactly this name, unless there is one of their kind already. */
static void
choose(const struct tls_certs *t, const char *text, struct choice *out)
{
	size_t		 lo = 0, hi = t->nnames, mid;
	const struct one *c;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (strcmp(t->names[mid].text, text) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < t->nnames && strcmp(t->names[lo].text, text) == 0; lo++) {
		c = &t->list[t->names[lo].at];
		if (out->of[c->kind] == NULL)
			out->of[c->kind] = c;
	}
}

/* The first of the list, and those of other kinds that have a name of its. */
static void
set_standard(struct tls_certs *t)
{
	size_t	i;

	t->standard.of[t->list[0].kind] = &t->list[0];
	for (i = 0; i < t->nnames; i++)
		if (t->names[i].at == 0)
			choose(t, t->names[i].text, &t->standard);
}

/* ---- the list from keys */

static enum kind
kind_of(const EVP_PKEY *key)
{
	if (EVP_PKEY_is_a(key, "RSA"))
		return KIND_RSA;
	if (EVP_PKEY_is_a(key, "EC"))
		return KIND_EC;
	return EVP_PKEY_is_a(key, "ED25519") ? KIND_ED25519 : KIND_COUNT;
}

static int
take_chain(struct one *c, struct str rec)
{
	struct cur		 in = cur_from(rec);
	struct field		 f;
	const unsigned char	*p;
	X509			*x;

	if ((c->chain = sk_X509_new_null()) == NULL)
		return -1;
	while (record_next(&in, &f)) {
		if (f.tag != KEYS_CHAIN)
			continue;
		p = (const unsigned char *)f.value.p;
		if ((x = d2i_X509(NULL, &p, (long)f.value.n)) == NULL)
			return -1;
		if (c->leaf == NULL)
			c->leaf = x;
		else if (sk_X509_push(c->chain, x) <= 0) {
			X509_free(x);
			return -1;
		}
	}
	return c->leaf == NULL ? -1 : 0;
}

static int
take_key(struct one *c, const char *socket)
{
	unsigned char	*spki = NULL;
	int		 n;

	n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(c->leaf), &spki);
	if (n <= 0)
		return -1;
	c->key = tls_key_new(socket, (struct str){ (char *)spki, (size_t)n });
	OPENSSL_free(spki);
	c->kind = c->key == NULL ? KIND_COUNT : kind_of(c->key);
	return c->kind == KIND_COUNT ? -1 : 0;
}

static int
take_one(struct tls_certs *t, const char *socket, struct str rec)
{
	struct one	*more, *c;
	struct str	 ocsp;

	if ((more = reallocarray(t->list, t->n + 1, sizeof(*more))) == NULL)
		return -1;
	t->list = more;
	c = &more[t->n++];
	*c = (struct one){ .kind = KIND_COUNT };
	buf_init(&c->ocsp, KEYS_OCSP_MAX);
	if (take_chain(c, rec) == -1 || take_key(c, socket) == -1)
		return -1;
	if (record_get(rec, KEYS_OCSP, &ocsp) &&
	    buf_addstr(&c->ocsp, ocsp) == -1)
		return -1;
	return add_names(t, t->n - 1);
}

/* The certificate of that number: 1 it is in the answer, 0 there is none. */
static int
ask(struct msg_client *keys, size_t number, struct buf *answer,
    uint64_t *generation, int64_t until, struct diag *why)
{
	int64_t		left = until - now_ms();
	struct buf	rec;
	char		verb[16];
	int		r;

	buf_init(&rec, MSG_MAX);
	record_puts(&rec, KEYS_VERB, "list");
	record_putu(&rec, KEYS_NUMBER, number);
	r = buf_ok(&rec) ? msg_client_call(keys, &rec, NULL, answer,
	    left < 0 ? 0 : left) : -1;
	buf_free(&rec);
	if (r == -1)
		return diag_errno(why, "keys");
	if (!record_gets(buf_view(answer), KEYS_VERB, verb, sizeof(verb)) ||
	    !record_getu(buf_view(answer), KEYS_GENERATION, UINT64_MAX,
	    generation))
		return diag_set(why, "keys: an answer that is none");
	return strcmp(verb, "certificate") == 0;
}

/* 1: the list; 0: it has changed meanwhile. */
static int
load(struct tls_certs *t, struct msg_client *keys, struct buf *answer,
    int64_t until, struct diag *why)
{
	uint64_t	first = 0, generation = 0;
	size_t		i;
	int		r;

	for (i = 0; i <= KEYS_CERTIFICATES_MAX; i++) {
		r = ask(keys, i, answer, &generation, until, why);
		if (r == -1)
			return -1;
		if (i > 0 && generation != first)
			return 0;
		if (r == 0)
			break;
		first = generation;
		if (take_one(t, keys->path, buf_view(answer)) == -1)
			return tls_error(why, "a certificate of keys");
	}
	if (t->n == 0)
		return diag_set(why, "keys has no certificate");
	qsort(t->names, t->nnames, sizeof(*t->names), compare);
	set_standard(t);
	return 1;
}

int
tls_certs_load(struct tls_certs **out, const char *socket, struct diag *why)
{
	struct msg_client	 keys = { socket, -1 };
	struct buf		 answer;
	int64_t			 until = now_ms() + WAIT_MS;
	int			 tries, r = 0;

	*out = NULL;
	buf_init(&answer, MSG_MAX);
	for (tries = 0; r == 0 && tries < TRIES; tries++) {
		tls_certs_free(out);
		if ((*out = calloc(1, sizeof(**out))) == NULL)
			r = diag_errno(why, "TLS");
		else
			r = load(*out, &keys, &answer, until, why);
	}
	if (r == 0)
		r = diag_set(why, "keys: the list does not come to rest");
	fdio_close(&keys.fd);
	buf_free(&answer);
	if (r == -1)
		tls_certs_free(out);
	return r == -1 ? -1 : 0;
}

/* ---- what a client gets */

int
tls_certs_default(const struct tls_certs *t, SSL_CTX *ctx)
{
	const struct one	*c;
	size_t			 i;

	for (i = 0; i < KIND_COUNT; i++)
		if ((c = t->standard.of[i]) != NULL &&
		    SSL_CTX_use_cert_and_key(ctx, c->leaf, c->key, c->chain,
		    1) != 1)
			return -1;
	return 0;
}

int
tls_certs_choose(const struct tls_certs *t, SSL *ssl, const char *name)
{
	char			 wild[NAME_MAX_DNS + 1] = "*";
	struct choice		 ours = { { NULL } };
	const struct one	*c;
	const char		*dot = strchr(name, '.');
	size_t			 i;

	choose(t, name, &ours);
	/* RFC 9525 6.3: it stands for one label */
	if (dot != NULL && strlcpy(wild + 1, dot, sizeof(wild) - 1) <
	    sizeof(wild) - 1)
		choose(t, wild, &ours);
	for (i = 0; i < KIND_COUNT && ours.of[i] == NULL; i++)
		continue;
	if (i == KIND_COUNT ||
	    memcmp(&ours, &t->standard, sizeof(ours)) == 0)
		return 0;
	SSL_certs_clear(ssl);
	for (i = 0; i < KIND_COUNT; i++)
		if ((c = ours.of[i]) != NULL && SSL_use_cert_and_key(ssl,
		    c->leaf, c->key, c->chain, 1) != 1)
			return -1;
	return 0;
}

struct str
tls_certs_ocsp(const struct tls_certs *t, const X509 *leaf)
{
	size_t	i;

	for (i = 0; i < t->n; i++)
		if (X509_cmp(t->list[i].leaf, leaf) == 0)
			return buf_view(&t->list[i].ocsp);
	return STR("");
}
