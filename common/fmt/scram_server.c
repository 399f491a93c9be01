/* common/fmt/scram_server.c - RFC 5802 sections 3, 5 and 7; pure. The client's messages are a stranger's. */
#include "common/fmt/scram_server.h"

#include <string.h>

#include "common/fmt/base64.h"
#include "common/fmt/cur.h"

#define HEADER_MAX	1024u
#define NONCE_MAX	512u	/* the client's */
#define MESSAGES_MAX	8192u
#define BINDING_MAX	(HEADER_MAX + 256u)

static struct str
view(const uint8_t *p, size_t n)
{
	return (struct str){ (const char *)p, n };
}

/* saslname: ',' and '=' are written =2C and =3D. */
static bool
name_parse(struct str in, char out[SCRAM_NAME_MAX + 1])
{
	struct cur	c = cur_from(in);
	size_t		n = 0;

	while (!cur_done(&c)) {
		if (n == SCRAM_NAME_MAX || *c.p == '\0' || *c.p == ',')
			return false;
		if (*c.p != '=')
			out[n++] = *c.p++;
		else if (cur_left(&c) >= 3 && memcmp(c.p, "=2C", 3) == 0) {
			out[n++] = ',';
			c.p += 3;
		} else if (cur_left(&c) >= 3 && memcmp(c.p, "=3D", 3) == 0) {
			out[n++] = '=';
			c.p += 3;
		} else
			return false;
	}
	out[n] = '\0';
	return n > 0;
}

/* gs2-cbind-flag: "n", "y" or "p=NAME", and the comma. */
static enum scram_status
flag_parse(struct scram_server *s, struct cur *c)
{
	struct str	flag;

	if (!cur_until(c, ',', &flag))
		return SCRAM_SYNTAX;
	if (str_eq(flag, STR("n")) || str_eq(flag, STR("y"))) {
		if (s->channel.plus)
			return SCRAM_SYNTAX;
		return flag.p[0] == 'y' && s->channel.offered ?
		    SCRAM_DOWNGRADE : SCRAM_OK;
	}
	if (!s->channel.plus || flag.n < 3 || memcmp(flag.p, "p=", 2) != 0)
		return SCRAM_SYNTAX;
	if (str_eq(flag, STR("p=tls-exporter")))
		s->binding = s->channel.exporter;
	else if (str_eq(flag, STR("p=tls-server-end-point")))
		s->binding = s->channel.end_point;
	return s->binding.n > 0 ? SCRAM_OK : SCRAM_TYPE;
}

/* gs2-header: the flag, and perhaps as whom. */
static enum scram_status
header_parse(struct scram_server *s, struct cur *c)
{
	const char		*from = c->p;
	enum scram_status	 st = flag_parse(s, c);
	struct str		 name;

	if (st != SCRAM_OK)
		return st;
	if (!cur_until(c, ',', &name))
		return SCRAM_SYNTAX;
	if (name.n > 0) {
		if (name.n < 2 || memcmp(name.p, "a=", 2) != 0)
			return SCRAM_SYNTAX;
		name.p += 2;
		name.n -= 2;
		if (!name_parse(name, s->authzid))
			return SCRAM_SYNTAX;
	}
	return buf_add(&s->header, from, (size_t)(c->p - from)) == 0 ?
	    SCRAM_OK : SCRAM_SYNTAX;
}

static bool
nonce_ok(struct str s)
{
	size_t	i;

	for (i = 0; i < s.n; i++)
		if (!is_vchar((unsigned char)s.p[i]) || s.p[i] == ',')
			return false;
	return s.n > 0 && s.n <= NONCE_MAX;
}

/* Up to the next comma, or the end. */
static struct str
value(struct cur *c)
{
	struct str	s;

	if (!cur_until(c, ',', &s)) {
		s = cur_rest(c);
		c->p = c->end;
	}
	return s;
}

/* "n=user,r=nonce"; extensions may follow, one before them ("m=") is for those who know it. */
static bool
bare_parse(struct scram_server *s, struct str in)
{
	struct cur	c = cur_from(in);
	struct str	name, nonce;

	if (!cur_byte(&c, 'n') || !cur_byte(&c, '=') ||
	    !cur_until(&c, ',', &name) || !name_parse(name, s->user) ||
	    !cur_byte(&c, 'r') || !cur_byte(&c, '='))
		return false;
	nonce = value(&c);
	if (!nonce_ok(nonce) || memchr(in.p, '\0', in.n) != NULL)
		return false;
	s->nonce_at = (size_t)(nonce.p - in.p);
	s->nonce_n = nonce.n;
	return buf_addstr(&s->messages, in) == 0;
}

enum scram_status
scram_server_begin(struct scram_server *s, const struct scram_hash *h,
    const struct scram_channel *channel, struct str in)
{
	struct cur		c = cur_from(in);
	enum scram_status	st;

	*s = (struct scram_server){ .h = h, .channel = *channel };
	s->binding = STR("");
	buf_init(&s->header, HEADER_MAX);
	buf_init(&s->messages, MESSAGES_MAX);
	if ((st = header_parse(s, &c)) != SCRAM_OK)
		return st;
	return bare_parse(s, cur_rest(&c)) ? SCRAM_OK : SCRAM_SYNTAX;
}

int
scram_server_salt(struct scram_server *s, struct str nonce, struct str salt,
    unsigned iterations, struct buf *out)
{
	struct buf	m;
	int		r;

	buf_init(&m, MESSAGES_MAX);
	buf_adds(&m, "r=");
	buf_add(&m, s->messages.p + s->nonce_at, s->nonce_n);
	buf_addstr(&m, nonce);
	buf_adds(&m, ",s=");
	base64_encode(&m, salt);
	buf_addf(&m, ",i=%u", iterations);
	buf_addc(&s->messages, ',');
	s->nonce_at = s->messages.n + 2;
	s->nonce_n += nonce.n;
	buf_addstr(&s->messages, buf_view(&m));
	buf_addc(&s->messages, ',');
	r = buf_ok(&m) && buf_ok(&s->messages) ?
	    buf_addstr(out, buf_view(&m)) : -1;
	buf_free(&m);
	return r;
}

/* What the client bound the channel by has to be what we see of it. */
static enum scram_status
channel_check(const struct scram_server *s, struct str coded)
{
	enum scram_status	st = SCRAM_SYNTAX;
	struct buf		got;

	buf_init(&got, BINDING_MAX);
	if (base64_decode(&got, coded) == 0)
		st = got.n == s->header.n + s->binding.n &&
		    memcmp(got.p, s->header.p, s->header.n) == 0 &&
		    (s->binding.n == 0 || memcmp(got.p + s->header.n,
		    s->binding.p, s->binding.n) == 0) ? SCRAM_OK : SCRAM_BINDING;
	buf_free(&got);
	return st;
}

static bool
proof_parse(struct scram_server *s, struct str coded)
{
	struct buf	got;
	bool		ok;

	buf_init(&got, 2 * SCRAM_HASH_MAX);
	ok = base64_decode(&got, coded) == 0 && got.n == s->h->size;
	if (ok)
		memcpy(s->proof, got.p, got.n);
	buf_wipe(&got);
	return ok;
}

/* Extensions may stand before the proof, which is the last; they are signed, too. */
static bool
find_proof(struct str in, struct str *without, struct str *proof)
{
	size_t	i;

	for (i = in.n; i-- > 0;)
		if (in.p[i] == ',')
			break;
	if (i >= in.n || in.n - i < 3 || in.p[i + 1] != 'p' ||
	    in.p[i + 2] != '=')
		return false;
	*without = (struct str){ in.p, i };
	*proof = (struct str){ in.p + i + 3, in.n - i - 3 };
	return true;
}

enum scram_status
scram_server_final(struct scram_server *s, struct str in)
{
	struct str		without, proof, channel, nonce;
	struct str		own = { s->messages.p + s->nonce_at,
				    s->nonce_n };
	enum scram_status	st;
	struct cur		c;

	if (!find_proof(in, &without, &proof))
		return SCRAM_SYNTAX;
	c = cur_from(without);
	if (!cur_byte(&c, 'c') || !cur_byte(&c, '='))
		return SCRAM_SYNTAX;
	channel = value(&c);
	if (!cur_byte(&c, 'r') || !cur_byte(&c, '='))
		return SCRAM_SYNTAX;
	nonce = value(&c);
	if (!nonce_ok(nonce) || !proof_parse(s, proof))
		return SCRAM_SYNTAX;
	if ((st = channel_check(s, channel)) != SCRAM_OK)
		return st;
	if (!str_eq(nonce, own))
		return SCRAM_PROOF;
	return buf_addstr(&s->messages, without) == 0 ? SCRAM_OK : SCRAM_SYNTAX;
}

static bool
same(const uint8_t *a, const uint8_t *b, size_t n)
{
	uint8_t	diff = 0;
	size_t	i;

	for (i = 0; i < n; i++)
		diff |= a[i] ^ b[i];
	return diff == 0;
}

enum scram_status
scram_server_prove(struct scram_server *s, const struct scram_keys *k,
    struct buf *out)
{
	uint8_t			key[SCRAM_HASH_MAX], hash[SCRAM_HASH_MAX];
	uint8_t			signature[SCRAM_HASH_MAX];
	struct str		messages = buf_view(&s->messages);
	enum scram_status	st = SCRAM_PROOF;
	size_t			i, n = s->h->size;

	if (s->h->hmac(s->h, view(k->stored, n), messages, signature) == -1)
		return st;
	for (i = 0; i < n; i++)
		key[i] = s->proof[i] ^ signature[i];
	if (s->h->hash(s->h, view(key, n), hash) == 0 &&
	    same(hash, k->stored, n) &&
	    s->h->hmac(s->h, view(k->server, n), messages, signature) == 0 &&
	    buf_adds(out, "v=") == 0 &&
	    base64_encode(out, view(signature, n)) == 0)
		st = SCRAM_OK;
	explicit_bzero(key, sizeof(key));
	explicit_bzero(hash, sizeof(hash));
	explicit_bzero(signature, sizeof(signature));
	return st;
}

void
scram_server_free(struct scram_server *s)
{
	if (s->h != NULL) {
		buf_wipe(&s->header);
		buf_wipe(&s->messages);
	}
	explicit_bzero(s, sizeof(*s));
}
