/* common/fmt/scram.c - RFC 5802 sections 3 and 5; pure. The server's messages are a stranger's. */
#include "common/fmt/scram.h"

#include <errno.h>
#include <string.h>

#include "common/fmt/base64.h"
#include "common/fmt/cur.h"

#define MESSAGE_MAX	4096u
#define SALT_MAX	512u

static struct str
view(const uint8_t *p, size_t n)
{
	return (struct str){ (const char *)p, n };
}

/* saslname: ',' and '=' are spelled out. */
static void
add_user(struct buf *b, struct str user)
{
	size_t	i;

	for (i = 0; i < user.n; i++)
		if (user.p[i] == ',')
			buf_adds(b, "=2C");
		else if (user.p[i] == '=')
			buf_adds(b, "=3D");
		else
			buf_addc(b, user.p[i]);
}

int
scram_begin(struct scram *s, const struct scram_hash *h, struct str user,
    struct str nonce, struct buf *out)
{
	*s = (struct scram){ .h = h };
	buf_init(&s->bare, MESSAGE_MAX);
	buf_adds(&s->bare, "n=");
	add_user(&s->bare, user);
	buf_adds(&s->bare, ",r=");
	s->nonce_at = s->bare.n;
	buf_addstr(&s->bare, nonce);
	if (!buf_ok(&s->bare) || buf_adds(out, "n,,") == -1)
		return -1;
	return buf_addstr(out, buf_view(&s->bare));
}

/* "r=value," at the cursor, or at the end without the comma; extensions may follow the ones we know. */
static bool
attribute(struct cur *c, char name, struct str *value)
{
	if (!cur_byte(c, name) || !cur_byte(c, '='))
		return false;
	if (cur_until(c, ',', value))
		return true;
	*value = cur_rest(c);
	c->p = c->end;
	return true;
}

struct first {
	struct str	nonce, salt;
	unsigned	iterations;
};

static bool
first_parse(const struct scram *s, struct str in, struct first *f)
{
	struct str		own = buf_view(&s->bare), number;
	struct cur		c = cur_from(in);
	unsigned long long	n;

	own.p += s->nonce_at;
	own.n -= s->nonce_at;
	if (!attribute(&c, 'r', &f->nonce) || !attribute(&c, 's', &f->salt) ||
	    !attribute(&c, 'i', &number) ||
	    str_number(number, SCRAM_ITERATIONS_MAX, &n) == -1 ||
	    n < SCRAM_ITERATIONS_MIN)
		return false;
	f->iterations = (unsigned)n;
	/* ours, and something of the server's behind it */
	return f->nonce.n > own.n && memcmp(f->nonce.p, own.p, own.n) == 0;
}

/* Of the messages so far: what the client proves with, and what the server will. */
static int
sign(struct scram *s, struct str password, struct str salt,
    unsigned iterations, struct str messages, uint8_t *proof)
{
	uint8_t	salted[SCRAM_HASH_MAX], key[SCRAM_HASH_MAX];
	uint8_t	stored[SCRAM_HASH_MAX], signature[SCRAM_HASH_MAX];
	size_t	i, n = s->h->size;
	int	r = -1;

	if (s->h->pbkdf2(s->h, password, salt, iterations, salted) == 0 &&
	    s->h->hmac(s->h, view(salted, n), STR("Client Key"), key) == 0 &&
	    s->h->hash(s->h, view(key, n), stored) == 0 &&
	    s->h->hmac(s->h, view(stored, n), messages, signature) == 0) {
		for (i = 0; i < n; i++)
			proof[i] = key[i] ^ signature[i];
		if (s->h->hmac(s->h, view(salted, n), STR("Server Key"), key) == 0)
			r = s->h->hmac(s->h, view(key, n), messages, s->server);
	}
	explicit_bzero(salted, sizeof(salted));
	explicit_bzero(key, sizeof(key));
	explicit_bzero(stored, sizeof(stored));
	return r;
}

int
scram_answer(struct scram *s, struct str in, struct str password,
    struct buf *out)
{
	struct buf	salt, messages, final;
	struct first	f;
	uint8_t		proof[SCRAM_HASH_MAX];
	int		r = -1;

	buf_init(&salt, SALT_MAX);
	buf_init(&messages, 4 * MESSAGE_MAX);
	buf_init(&final, 2 * MESSAGE_MAX);
	errno = EPROTO;
	if (!first_parse(s, in, &f) || base64_decode(&salt, f.salt) == -1 ||
	    salt.n == 0)
		goto done;
	buf_adds(&final, "c=biws,r=");	/* "n,,": no channel binding */
	buf_addstr(&final, f.nonce);
	buf_addstr(&messages, buf_view(&s->bare));
	buf_adds(&messages, ",");
	buf_addstr(&messages, in);
	buf_adds(&messages, ",");
	buf_addstr(&messages, buf_view(&final));
	if (!buf_ok(&final) || !buf_ok(&messages) || sign(s, password,
	    buf_view(&salt), f.iterations, buf_view(&messages), proof) == -1)
		goto done;
	s->known = true;
	if (buf_addstr(out, buf_view(&final)) == 0 &&
	    buf_adds(out, ",p=") == 0)
		r = base64_encode(out, view(proof, s->h->size));
done:
	if (r == -1)
		errno = EPROTO;
	buf_free(&salt);
	buf_free(&messages);
	buf_free(&final);
	return r;
}

bool
scram_proven(const struct scram *s, struct str in)
{
	struct cur	c = cur_from(in);
	struct str	value;
	struct buf	got;
	bool		ok;

	buf_init(&got, MESSAGE_MAX);
	ok = s->known && attribute(&c, 'v', &value) &&
	    base64_decode(&got, value) == 0 && got.n == s->h->size &&
	    memcmp(got.p, s->server, got.n) == 0;
	buf_free(&got);
	return ok;
}

void
scram_free(struct scram *s)
{
	buf_wipe(&s->bare);
	explicit_bzero(s, sizeof(*s));
}
