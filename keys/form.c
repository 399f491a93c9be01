/*
 * keys/form.c - the two forms of what a TLS server signs. They cannot be taken
 * for each other, nor for a certificate, a client's proof or a text.
 */
#include "keys/form.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/fmt/cur.h"

#define RANDOM		32
#define NAMED_CURVE	3		/* RFC 8422 5.4 */
#define UNCOMPRESSED	4
#define PRIME_LEAST	256u		/* bytes of a finite field's prime */
#define PRIME_MOST	1024u
/* RFC 8446 4.1.3: in the server's random of one that knows TLS 1.3 and speaks 1.2, as ours always does. */
#define DOWNGRADE	"DOWNGRD\x01"

static const struct {
	unsigned	curve;		/* RFC 8422 5.1.1 */
	size_t		size;		/* of a point */
	bool		has_form;	/* it begins with its form */
} curves[] = {
	{ 23, 65, true },		/* secp256r1 */
	{ 24, 97, true },		/* secp384r1 */
	{ 25, 133, true },		/* secp521r1 */
	{ 29, 32, false },		/* x25519 */
	{ 30, 56, false }		/* x448 */
};

static unsigned
byte_at(const struct cur *c, size_t i)
{
	return (unsigned char)c->p[i];
}

static bool
is_ecdhe(struct cur c)
{
	size_t	i;

	if (cur_left(&c) < 5 || byte_at(&c, 0) != NAMED_CURVE)
		return false;
	for (i = 0; i < nitems(curves); i++)
		if (byte_at(&c, 1) == 0 && byte_at(&c, 2) == curves[i].curve)
			return byte_at(&c, 3) == curves[i].size &&
			    cur_left(&c) == 4 + curves[i].size &&
			    (!curves[i].has_form ||
			    byte_at(&c, 4) == UNCOMPRESSED);
	return false;
}

/* opaque v<1..2^16-1> */
static bool
vector(struct cur *c, size_t least, size_t most, size_t *size)
{
	if (cur_left(c) < 2)
		return false;
	*size = byte_at(c, 0) << 8 | byte_at(c, 1);
	if (*size < least || *size > most || cur_left(c) - 2 < *size)
		return false;
	c->p += 2 + *size;
	return true;
}

/* RFC 5246 7.4.3: p, g, Ys */
static bool
is_dhe(struct cur c)
{
	size_t	p, n;

	return vector(&c, PRIME_LEAST, PRIME_MOST, &p) &&
	    vector(&c, 1, p, &n) && vector(&c, 1, p, &n) && cur_left(&c) == 0;
}

static bool
is_tls12(struct cur c)
{
	static const char	mark[] = DOWNGRADE;
	size_t			n = sizeof(mark) - 1;

	if (cur_left(&c) < RANDOM + RANDOM ||
	    memcmp(c.p + RANDOM + RANDOM - n, mark, n) != 0)
		return false;
	c.p += RANDOM + RANDOM;
	return is_ecdhe(c) || is_dhe(c);
}

static bool
is_tls13(struct cur c)
{
	static const char	context[] = "TLS 1.3, server CertificateVerify";
	size_t			i, blanks = 64;

	/* the NUL behind the context is one byte of the form */
	if (cur_left(&c) != blanks + sizeof(context) + 32 &&
	    cur_left(&c) != blanks + sizeof(context) + 48)
		return false;
	for (i = 0; i < blanks; i++)
		if (c.p[i] != ' ')
			return false;
	return memcmp(c.p + blanks, context, sizeof(context)) == 0;
}

enum form
form_of(struct str message)
{
	struct cur	c = cur_from(message);

	if (is_tls13(c))
		return FORM_TLS13;
	return is_tls12(c) ? FORM_TLS12 : FORM_NONE;
}
