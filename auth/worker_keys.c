/* auth/worker_keys.c - keys for SCRAM: some milliseconds for each, so that workers make them. */
#include "auth/worker_keys.h"

#include <string.h>

#include "common/fmt/record.h"
#include "common/proc/msg.h"
#include "common/store/digest.h"

/* Of these I, P and V mean the same in the other task. */
#define TAG_ID		'I'
#define TAG_PASSWORD	'P'
#define TAG_FITS	'V'	/* always 0 */
#define TAG_HASH	'K'	/* bytes of the hash */
#define TAG_SALT	'S'
#define TAG_ITERATIONS	'N'
#define TAG_STORED	'A'
#define TAG_SERVER	'B'

static struct str
view(const uint8_t *p, size_t n)
{
	return (struct str){ (const char *)p, n };
}

int
worker_keys_ask(int fd, uint64_t id, const struct scram_hash *h,
    struct str password, const struct scram_keys *k)
{
	struct buf	rec;
	int		r = -1;

	buf_init(&rec, MSG_MAX);
	record_putu(&rec, TAG_ID, id);
	record_putu(&rec, TAG_HASH, h->size);
	record_put(&rec, TAG_SALT, view(k->salt, k->salt_n));
	record_putu(&rec, TAG_ITERATIONS, k->iterations);
	record_put(&rec, TAG_PASSWORD, password);
	if (buf_ok(&rec))
		r = msg_send(fd, &rec, NULL);
	buf_wipe(&rec);
	return r;
}

bool
worker_keys_answer(const struct scram_hash *h, struct str rec,
    struct scram_keys *k)
{
	struct str	stored, server;

	if (!record_get(rec, TAG_STORED, &stored) || stored.n != h->size ||
	    !record_get(rec, TAG_SERVER, &server) || server.n != h->size)
		return false;
	memcpy(k->stored, stored.p, stored.n);
	memcpy(k->server, server.p, server.n);
	return true;
}

bool
worker_keys_is(struct str rec)
{
	struct str	s;

	return record_get(rec, TAG_HASH, &s);
}

/* -1: it is not such a task. */
static int
derive(struct str rec, struct scram_keys *k, const struct scram_hash **h,
    bool *made)
{
	struct str	salt, password;
	uint64_t	size, iterations;

	if (!record_getu(rec, TAG_HASH, SCRAM_HASH_MAX, &size) ||
	    !record_get(rec, TAG_SALT, &salt) || salt.n > sizeof(k->salt) ||
	    !record_getu(rec, TAG_ITERATIONS, SCRAM_ITERATIONS_MAX,
	    &iterations) || iterations == 0 ||
	    !record_get(rec, TAG_PASSWORD, &password))
		return -1;
	*h = size == digest_scram_sha1.size ? &digest_scram_sha1 :
	    &digest_scram_sha256;
	memcpy(k->salt, salt.p, salt.n);
	k->salt_n = salt.n;
	k->iterations = (unsigned)iterations;
	*made = scram_keys_derive(*h, password, k) == 0;
	return 0;
}

int
worker_keys_do(int fd, struct buf *rec)
{
	const struct scram_hash	*h;
	struct scram_keys	 k;
	struct buf		 answer;
	uint64_t		 id;
	bool			 made;
	int			 r;

	memset(&k, 0, sizeof(k));
	if (!record_getu(buf_view(rec), TAG_ID, UINT64_MAX, &id) ||
	    derive(buf_view(rec), &k, &h, &made) == -1)
		return -1;
	explicit_bzero(rec->p, rec->cap);
	buf_init(&answer, 1024);
	record_putu(&answer, TAG_ID, id);
	record_putu(&answer, TAG_FITS, 0);
	if (made) {
		record_put(&answer, TAG_STORED, view(k.stored, h->size));
		record_put(&answer, TAG_SERVER, view(k.server, h->size));
	}
	explicit_bzero(&k, sizeof(k));
	r = msg_send(fd, &answer, NULL) == -1 ? -1 : 1;
	buf_wipe(&answer);
	return r;
}
