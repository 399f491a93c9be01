/*
 * keys/vault.c - holds the private keys and signs with them. Distrusts whoever
 * asks: they talk to the network.
 */
#include "keys/vault.h"

#include <openssl/err.h>
#include <openssl/rsa.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/fmt/record.h"
#include "keys/form.h"

struct old_key {
	EVP_PKEY	*key;
	char		 name[KEYS_KEY_SIZE];
	int64_t		 until;
};

struct vault {
	pthread_mutex_t	 lock;		/* over all that follows but the counts */
	struct pair	*pairs;
	size_t		 n;
	uint64_t	 generation;
	struct old_key	 old[VAULT_OLD_MAX];	/* the oldest first */
	size_t		 nold;
	atomic_ullong	 made, refused;
};

/* ---- what is held */

int
vault_new(struct vault **out)
{
	struct vault	*v;
	int		 r;

	if ((v = *out = calloc(1, sizeof(*v))) == NULL)
		return -1;
	if ((r = pthread_mutex_init(&v->lock, NULL)) == 0)
		return 0;
	free(v);
	*out = NULL;
	errno = r;
	return -1;
}

static void
free_old(struct vault *v, size_t n)
{
	size_t	i;

	for (i = 0; i < n; i++)
		EVP_PKEY_free(v->old[i].key);
	v->nold -= n;
	memmove(v->old, v->old + n, v->nold * sizeof(v->old[0]));
}

void
vault_free(struct vault **vp)
{
	struct vault	*v = *vp;
	size_t		 i;

	if (v == NULL)
		return;
	free_old(v, v->nold);
	for (i = 0; i < v->n; i++)
		pair_free(&v->pairs[i]);
	free(v->pairs);
	(void)pthread_mutex_destroy(&v->lock);
	explicit_bzero(v, sizeof(*v));
	free(v);
	*vp = NULL;
}

static bool
has_name(const struct pair *pairs, size_t n, const char *name)
{
	size_t	i;

	for (i = 0; i < n; i++)
		if (memcmp(pairs[i].name, name, KEYS_KEY_SIZE) == 0)
			return true;
	return false;
}

/* Under the lock. */
static void
add_old(struct vault *v, struct pair *p, int64_t until)
{
	if (v->nold == VAULT_OLD_MAX)
		free_old(v, 1);
	v->old[v->nold].until = until;
	v->old[v->nold].key = p->key;
	memcpy(v->old[v->nold].name, p->name, KEYS_KEY_SIZE);
	v->nold++;
	p->key = NULL;
}

/* Under the lock: what is to be used in place of p, p itself if it has a key; NULL: nothing. */
static struct pair *
in_place_of(struct vault *v, struct pair *p)
{
	size_t	i;

	if (p->key != NULL)
		return p;
	for (i = 0; i < v->n; i++)
		if (v->pairs[i].key != NULL &&
		    strcmp(v->pairs[i].file, p->file) == 0)
			return &v->pairs[i];
	return NULL;
}

/* Under the lock: the pairs and those that stay become all that there are; the number. */
static size_t
merge(struct vault *v, struct pair *pairs, size_t n)
{
	struct pair	*use, kept;
	size_t		 i, m = 0;

	for (i = 0; i < n; i++) {
		if ((use = in_place_of(v, &pairs[i])) != &pairs[i]) {
			pair_free(&pairs[i]);
			if (use == NULL)
				continue;
		}
		kept = *use;
		memset(use, 0, sizeof(*use));
		pairs[m++] = kept;
	}
	return m;
}

static bool
any_usable(struct vault *v, struct pair *pairs, size_t n)
{
	size_t	i;

	for (i = 0; i < n; i++)
		if (in_place_of(v, &pairs[i]) != NULL)
			return true;
	return false;
}

int
vault_replace(struct vault *v, const struct pair *pairs, size_t n, int64_t now)
{
	struct pair	*copy;
	size_t		 i;

	if ((copy = reallocarray(NULL, n, sizeof(*copy))) == NULL)
		return -1;
	memcpy(copy, pairs, n * sizeof(*copy));
	pthread_mutex_lock(&v->lock);
	if (!any_usable(v, copy, n)) {
		pthread_mutex_unlock(&v->lock);
		free(copy);
		errno = EINVAL;
		return -1;
	}
	n = merge(v, copy, n);
	for (i = 0; i < v->n; i++) {
		if (v->pairs[i].key != NULL &&
		    !has_name(copy, n, v->pairs[i].name))
			add_old(v, &v->pairs[i], now + VAULT_OLD_MS);
		pair_free(&v->pairs[i]);
	}
	free(v->pairs);
	v->pairs = copy;
	v->n = n;
	v->generation++;
	pthread_mutex_unlock(&v->lock);
	return 0;
}

void
vault_time(struct vault *v, int64_t now)
{
	size_t	n = 0;

	pthread_mutex_lock(&v->lock);
	while (n < v->nold && v->old[n].until <= now)
		n++;
	free_old(v, n);
	pthread_mutex_unlock(&v->lock);
}

size_t
vault_count(const struct vault *v)
{
	return v->n;
}

void
vault_counts(const struct vault *v, unsigned long long *made,
    unsigned long long *refused)
{
	*made = atomic_load(&v->made);
	*refused = atomic_load(&v->refused);
}

/* The caller's own reference, or NULL. */
static EVP_PKEY *
find(struct vault *v, struct str name)
{
	EVP_PKEY	*key = NULL;
	size_t		 i;

	if (name.n != KEYS_KEY_SIZE)
		return NULL;
	pthread_mutex_lock(&v->lock);
	for (i = 0; key == NULL && i < v->n; i++)
		if (memcmp(v->pairs[i].name, name.p, name.n) == 0)
			key = v->pairs[i].key;
	for (i = 0; key == NULL && i < v->nold; i++)
		if (memcmp(v->old[i].name, name.p, name.n) == 0)
			key = v->old[i].key;
	if (key != NULL && EVP_PKEY_up_ref(key) != 1)
		key = NULL;
	pthread_mutex_unlock(&v->lock);
	return key;
}

/* ---- signing */

struct order {
	struct str	 message;
	enum form	 form;
	const EVP_MD	*digest;	/* NULL: the key's own */
	int		 padding;	/* 0: it is no RSA key */
};

/* Does what is asked fit the key and the protocol? */
static const char *
check(const EVP_PKEY *key, const struct order *o)
{
	if (o->form == FORM_NONE)
		return "this is nothing that a TLS server signs";
	if ((o->padding != 0) != EVP_PKEY_is_a(key, "RSA"))
		return "wrong padding for the key";
	/* RFC 8446 4.2.3 */
	if (o->padding == RSA_PKCS1_PADDING && o->form == FORM_TLS13)
		return "wrong padding for TLS 1.3";
	if ((o->digest == NULL) != EVP_PKEY_is_a(key, "ED25519"))
		return "wrong digest for the key";
	return NULL;
}

static bool
make(EVP_PKEY *key, const struct order *o, struct buf *sig)
{
	EVP_MD_CTX	*ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX	*how;
	size_t		 n = (size_t)EVP_PKEY_get_size(key);
	bool		 ok;

	ok = ctx != NULL && buf_reserve(sig, n) == 0 &&
	    EVP_DigestSignInit(ctx, &how, o->digest, NULL, key) == 1;
	if (ok && o->padding != 0)
		ok = EVP_PKEY_CTX_set_rsa_padding(how, o->padding) == 1;
	if (ok && o->padding == RSA_PKCS1_PSS_PADDING)
		ok = EVP_PKEY_CTX_set_rsa_pss_saltlen(how,
		    RSA_PSS_SALTLEN_DIGEST) == 1;
	ok = ok && EVP_DigestSign(ctx, (unsigned char *)sig->p, &n,
	    (const unsigned char *)o->message.p, o->message.n) == 1;
	if (ok)
		sig->n = n;
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return ok;
}

/* -1: one of the words is none of ours. */
static int
read_order(struct str packet, struct order *o)
{
	char	digest[16], padding[16];

	if (!record_get(packet, KEYS_MESSAGE, &o->message) ||
	    o->message.n > KEYS_MESSAGE_MAX ||
	    !record_gets(packet, KEYS_DIGEST, digest, sizeof(digest)))
		return -1;
	o->form = form_of(o->message);
	o->digest = NULL;
	if (strcmp(digest, "SHA256") == 0)
		o->digest = EVP_sha256();
	else if (strcmp(digest, "SHA384") == 0)
		o->digest = EVP_sha384();
	else if (strcmp(digest, "SHA512") == 0)
		o->digest = EVP_sha512();
	else if (digest[0] != '\0')
		return -1;
	o->padding = 0;
	if (!record_gets(packet, KEYS_PADDING, padding, sizeof(padding)))
		return 0;
	if (strcmp(padding, "pss") == 0)
		o->padding = RSA_PKCS1_PSS_PADDING;
	else if (strcmp(padding, "pkcs1") == 0)
		o->padding = RSA_PKCS1_PADDING;
	return o->padding == 0 ? -1 : 0;
}

static int
answer_sign(struct vault *v, struct str packet, struct buf *answer)
{
	const char	*why = "no such key";
	struct order	 o;
	struct buf	 sig;
	struct str	 name;
	EVP_PKEY	*key;

	if (!record_get(packet, KEYS_KEY, &name) ||
	    read_order(packet, &o) == -1)
		return -1;
	buf_init(&sig, KEYS_MESSAGE_MAX);
	key = find(v, name);
	if (key != NULL && (why = check(key, &o)) == NULL &&
	    !make(key, &o, &sig))
		why = "it cannot be signed";
	if (why == NULL) {
		atomic_fetch_add(&v->made, 1);
		record_puts(answer, KEYS_VERB, "signature");
		record_put(answer, KEYS_SIGNATURE, buf_view(&sig));
	} else {
		atomic_fetch_add(&v->refused, 1);
		record_puts(answer, KEYS_VERB, "refused");
		record_puts(answer, KEYS_TEXT, why);
	}
	EVP_PKEY_free(key);
	buf_free(&sig);
	return 0;
}

static int
answer_list(struct vault *v, struct str packet, struct buf *answer)
{
	const struct pair	*p;
	uint64_t		 number;

	if (!record_getu(packet, KEYS_NUMBER, KEYS_CERTIFICATES_MAX, &number))
		return -1;
	pthread_mutex_lock(&v->lock);
	p = number < v->n ? &v->pairs[number] : NULL;
	record_puts(answer, KEYS_VERB, p == NULL ? "none" : "certificate");
	record_putu(answer, KEYS_GENERATION, v->generation);
	record_putu(answer, KEYS_COUNT, v->n);
	if (p != NULL) {
		record_put(answer, KEYS_KEY, (struct str){ p->name,
		    sizeof(p->name) });
		buf_addstr(answer, buf_view(&p->chain));
		if (p->ocsp.n > 0)
			record_put(answer, KEYS_OCSP, buf_view(&p->ocsp));
	}
	pthread_mutex_unlock(&v->lock);
	return 0;
}

int
vault_answer(struct vault *v, struct str packet, struct buf *answer)
{
	char	verb[16];
	int	r = -1;

	buf_reset(answer);
	if (!record_ok(packet) ||
	    !record_gets(packet, KEYS_VERB, verb, sizeof(verb)))
		return -1;
	if (strcmp(verb, "sign") == 0)
		r = answer_sign(v, packet, answer);
	else if (strcmp(verb, "list") == 0)
		r = answer_list(v, packet, answer);
	return r == 0 && buf_ok(answer) ? 0 : -1;
}
