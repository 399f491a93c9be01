/*
 * tests/fuzz/fuzz_envelope.c - spool files of a program taken over: what
 * loads encodes to the same head and lies within the file; what is not
 * torn verifies.
 */
#include <sys/mman.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/store/envelope.h"
#include "common/store/sums.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
need(bool truth)
{
	if (!truth)
		abort();
}

static void
same(const struct envelope *a, const struct envelope *b)
{
	size_t	i;

	need(strcmp(a->id, b->id) == 0 && a->arrival_ms == b->arrival_ms &&
	    str_eq(a->origin, b->origin) && str_eq(a->client, b->client) &&
	    str_eq(a->helo, b->helo) && str_eq(a->proto, b->proto) &&
	    str_eq(a->auth, b->auth) && str_eq(a->sender, b->sender) &&
	    str_eq(a->envid, b->envid) && a->options == b->options &&
	    a->nrcpts == b->nrcpts);
	for (i = 0; i < a->nrcpts; i++)
		need(str_eq(a->rcpts[i].addr, b->rcpts[i].addr) &&
		    str_eq(a->rcpts[i].orcpt, b->rcpts[i].orcpt) &&
		    str_eq(a->rcpts[i].final, b->rcpts[i].final) &&
		    a->rcpts[i].notify == b->rcpts[i].notify &&
		    a->rcpts[i].state == b->rcpts[i].state);
}

static void
head(struct str text)
{
	struct envelope	env, again;
	struct diag	why = { "" };
	struct buf	b;
	size_t		i;

	if (envelope_parse(text, &env, &why) == -1) {
		need(why.text[0] != '\0' && env.rcpts == NULL);
		return;
	}
	need(env.content_at > 0 && (size_t)env.content_at <= text.n &&
	    text.p[env.content_at - 1] == '\n');
	for (i = 0; i < env.nrcpts; i++)
		need(text.p[env.rcpts[i].state_at] == env.rcpts[i].state);
	buf_init(&b, ENVELOPE_MAX);
	need(envelope_encode(&b, &env) == 0);
	need(envelope_parse(buf_view(&b), &again, &why) == 0);
	same(&env, &again);
	for (i = 0; i < env.nrcpts; i++)
		need(env.rcpts[i].state_at == again.rcpts[i].state_at);
	need((size_t)again.content_at == b.n);
	envelope_free(&again);
	envelope_free(&env);
	buf_free(&b);
}

static int
file_of(struct str text)
{
	int	fd = memfd_create("spool", MFD_CLOEXEC);

	need(fd != -1 && fdio_write(fd, text.p, text.n) == 0);
	return fd;
}

/* As it is; and with the trailer that it should have. */
static void
file(struct str text)
{
	char		trailer[TRAILER_SIZE + 1];
	char		simple[DIGEST_HEX + 1], relaxed[DIGEST_HEX + 1];
	struct envelope	env, parsed;
	struct sums	*sums;
	struct diag	why;
	off_t		len;
	int		fd = file_of(text);

	if (envelope_load(fd, &env, &why) == 0) {
		need(env.content_at + env.content_len + TRAILER_SIZE ==
		    (off_t)text.n);
		(void)!envelope_verify(fd, &env, &why);
		envelope_free(&env);
	}
	if (envelope_parse(text, &parsed, &why) == 0) {
		len = (off_t)text.n - parsed.content_at;
		need((sums = sums_new()) != NULL);
		sums_add(sums, text.p + parsed.content_at, (size_t)len);
		need(sums_end(sums, simple, relaxed) == 0);
		sums_free(&sums);
		trailer_format(trailer, len, simple, relaxed);
		need(strlen(trailer) == TRAILER_SIZE &&
		    fdio_write(fd, trailer, TRAILER_SIZE) == 0);
		need(envelope_load(fd, &env, &why) == 0);
		need(env.content_len == len);
		need(envelope_verify(fd, &env, &why) == 0);
		same(&env, &parsed);
		envelope_free(&env);
		envelope_free(&parsed);
	}
	close(fd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str	in = { (const char *)data, size };

	head(in);
	file(in);
	return 0;
}
