/* deliver/remote_pass.c - passwords for smarthosts, from a file that the master has opened. */
#include "deliver/remote_pass.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/fdio.h"
#include "common/fmt/cur.h"
#include "common/net/addr.h"

#define FILE_MAX	(256u << 10)

struct passwords {
	struct buf	text;
};

int
passwords_load(struct passwords **out, int fd, const char *path,
    struct diag *why)
{
	struct passwords	*p;

	*out = NULL;
	if ((p = calloc(1, sizeof(*p))) == NULL)
		return diag_errno(why, "passwords");
	buf_init(&p->text, FILE_MAX);
	if (path[0] != '\0' &&
	    fdio_slurp_given(fd, path, true, &p->text, why) == -1) {
		passwords_free(&p);
		return -1;
	}
	*out = p;
	return 0;
}

void
passwords_free(struct passwords **pp)
{
	if (*pp == NULL)
		return;
	buf_wipe(&(*pp)->text);
	free(*pp);
	*pp = NULL;
}

/* "[192.0.2.1]" */
static bool
literal(struct str s, struct addr *out)
{
	if (s.n < 2 || s.p[0] != '[' || s.p[s.n - 1] != ']')
		return false;
	return addr_parse((struct str){ s.p + 1, s.n - 2 }, out) == 0;
}

/* The same name, or the same address however it is written. */
static bool
same_host(struct str a, struct str b)
{
	struct addr	x, y;

	if (str_eq_nocase(a, b))
		return true;
	return literal(a, &x) && literal(b, &y) &&
	    memcmp(x.ip, y.ip, sizeof(x.ip)) == 0;
}

/* What stands before the first colon; those within brackets do not count. */
static bool
take_host(struct cur *c, struct str *host)
{
	const char	*start = c->p;
	struct str	 inner;

	if (!cur_byte(c, '['))
		return cur_until(c, ':', host);
	if (!cur_until(c, ']', &inner) || !cur_byte(c, ':'))
		return false;
	*host = (struct str){ start, inner.n + 2 };
	return true;
}

static bool
line_matches(struct str line, struct str host, struct str user,
    struct str *password)
{
	struct cur	c = cur_from(line);
	struct str	h, u;

	if (line.n == 0 || line.p[0] == '#' || !take_host(&c, &h) ||
	    !cur_until(&c, ':', &u) || !same_host(h, host) ||
	    !str_eq(u, user) || cur_done(&c))
		return false;
	*password = cur_rest(&c);
	return true;
}

bool
passwords_find(struct str text, struct str host, struct str user,
    struct str *password)
{
	struct cur	c = cur_from(text);
	struct str	line;

	while (!cur_done(&c)) {
		if (!cur_until(&c, '\n', &line)) {
			line = cur_rest(&c);
			c.p = c.end;
		}
		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		if (line_matches(line, host, user, password))
			return true;
	}
	return false;
}

const char *
auth_user(const struct remote_settings *s, const char *host)
{
	size_t	i;

	for (i = 0; i < s->auth.n; i++)
		if (same_host(str_from(s->auth.items[i].text),
		    str_from(host)))
			return s->auth.items[i].more;
	return NULL;
}

bool
auth_password(const struct passwords *p, const char *host, const char *user,
    struct str *password)
{
	return passwords_find(buf_view(&p->text), str_from(host),
	    str_from(user), password);
}
