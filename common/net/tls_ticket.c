/*
 * common/net/tls_ticket.c - what session tickets are sealed with. The listener
 * makes the keys before it forks; its workers share the memory and replace
 * them by time, so that what leaks later opens little of what went by.
 */
#include "common/net/tls_impl.h"

#include <sys/mman.h>

#include <openssl/core_names.h>
#include <openssl/rand.h>

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/now.h"

#define NAME_SIZE	16
#define LIFE_MS		3600000		/* a key seals for so long, and opens for as long again */
#define LOCK_MS		100		/* for one that died or worse in the middle */

struct ticket_key {
	unsigned char	name[NAME_SIZE];
	unsigned char	cipher[32], mac[32];
	int64_t		born;		/* 0: there is none */
};

struct tickets {
	pthread_mutex_t		lock;
	struct ticket_key	now, before;
};

static int
lock(struct tickets *t)
{
	struct timespec	until;
	int		r;

	if (clock_gettime(CLOCK_REALTIME, &until) == -1)
		return -1;
	until.tv_nsec += LOCK_MS * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	r = pthread_mutex_timedlock(&t->lock, &until);
	if (r == EOWNERDEAD)
		r = pthread_mutex_consistent(&t->lock);
	return r == 0 ? 0 : -1;
}

static int
make(struct ticket_key *k, int64_t now)
{
	if (RAND_bytes(k->name, sizeof(k->name)) != 1 ||
	    RAND_priv_bytes(k->cipher, sizeof(k->cipher)) != 1 ||
	    RAND_priv_bytes(k->mac, sizeof(k->mac)) != 1)
		return -1;
	k->born = now;
	return 0;
}

/* Under the lock: what is too old goes. */
static int
turn(struct tickets *t, int64_t now)
{
	if (t->before.born != 0 && now - t->before.born >= 2 * LIFE_MS)
		explicit_bzero(&t->before, sizeof(t->before));
	if (t->now.born != 0 && now - t->now.born < LIFE_MS)
		return 0;
	if (t->now.born != 0 && now - t->now.born < 2 * LIFE_MS)
		t->before = t->now;
	explicit_bzero(&t->now, sizeof(t->now));
	return make(&t->now, now);
}

/* The key of that name, or that to seal with; 1 it is that one, 2 an older one, 0 there is none, -1 error. */
static int
key_of(struct tickets *t, const unsigned char *name, struct ticket_key *out)
{
	int	r = 0;

	if (lock(t) == -1)
		return -1;
	if (turn(t, now_ms()) == -1)
		r = -1;
	else if (name == NULL || memcmp(name, t->now.name, NAME_SIZE) == 0)
		r = 1;
	else if (t->before.born != 0 &&
	    memcmp(name, t->before.name, NAME_SIZE) == 0)
		r = 2;
	if (r > 0)
		*out = r == 2 ? t->before : t->now;
	(void)pthread_mutex_unlock(&t->lock);
	return r;
}

static bool
use_mac(EVP_MAC_CTX *mac, struct ticket_key *k)
{
	char		digest[] = "SHA256";
	OSSL_PARAM	params[] = {
		OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, k->mac,
		    sizeof(k->mac)),
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest,
		    0),
		OSSL_PARAM_construct_end()
	};

	return EVP_MAC_CTX_set_params(mac, params) == 1;
}

static int
seal(SSL *ssl, unsigned char name[NAME_SIZE], unsigned char *iv,
    EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int sealing)
{
	struct ticket_key	k;
	int			r;

	/* No key, no ticket: the client shakes hands in full next time. */
	r = key_of(tls_server_tickets(ssl), sealing ? NULL : name, &k);
	if (r <= 0)
		return 0;
	if (sealing)
		memcpy(name, k.name, NAME_SIZE);
	else if (SSL_version(ssl) >= TLS1_3_VERSION)
		r = 2;		/* a ticket is used once (RFC 8446 C.4): it gets another */
	if ((sealing && RAND_bytes(iv, 16) != 1) ||
	    EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, k.cipher, iv,
	    sealing) != 1 || !use_mac(mac, &k))
		r = -1;
	explicit_bzero(&k, sizeof(k));
	return r;
}

int
tickets_new(struct tickets **out)
{
	pthread_mutexattr_t	 attr;
	struct tickets		*t;
	int			 r = -1;

	*out = NULL;
	t = mmap(NULL, sizeof(*t), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (t == MAP_FAILED)
		return -1;
	if (pthread_mutexattr_init(&attr) == 0) {
		/* a worker may be killed at any moment */
		if (pthread_mutexattr_setpshared(&attr,
		    PTHREAD_PROCESS_SHARED) == 0 &&
		    pthread_mutexattr_setrobust(&attr,
		    PTHREAD_MUTEX_ROBUST) == 0)
			r = pthread_mutex_init(&t->lock, &attr) == 0 ? 0 : -1;
		(void)pthread_mutexattr_destroy(&attr);
	}
	if (r == -1 || make(&t->now, now_ms()) == -1) {
		tickets_free(&t);
		return -1;
	}
	*out = t;
	return 0;
}

/* Those that share it may go on: what they see is theirs to wipe. */
void
tickets_free(struct tickets **tp)
{
	if (*tp != NULL)
		(void)munmap(*tp, sizeof(**tp));
	*tp = NULL;
}

int
tickets_use(SSL_CTX *ctx)
{
	(void)SSL_CTX_set_timeout(ctx, LIFE_MS / 1000);
	if (SSL_CTX_set_num_tickets(ctx, 1) != 1 ||
	    SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, seal) != 1)
		return -1;
	return 0;
}
