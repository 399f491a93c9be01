/*
 * common/store/envelope_file.c - head and trailer of a spool file on disk.
 * Distrusts the file: it may be torn, or written by a program taken over.
 */
#include "common/store/envelope.h"

#include <sys/stat.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/fdio.h"
#include "common/fmt/cur.h"
#include "common/fmt/record.h"
#include "common/store/sums.h"

#define HEAD_GUESS	4096u	/* one read does for most */
#define READ_SIZE	65536u

void
trailer_format(char out[TRAILER_SIZE + 1], off_t len, const char *simple,
    const char *relaxed)
{
	snprintf(out, TRAILER_SIZE + 1, "\nL16:%016llx,\nB64:%s,\nX64:%s,\n"
	    "Z3:end,\n", (unsigned long long)len, simple, relaxed);
}

static bool
is_hex(struct str s)
{
	size_t	i;

	for (i = 0; i < s.n; i++)
		if (!((s.p[i] >= '0' && s.p[i] <= '9') ||
		    (s.p[i] >= 'a' && s.p[i] <= 'f')))
			return false;
	return true;
}

static bool
hex_number(struct str s, off_t *out)
{
	uint64_t	n = 0;
	size_t		i;

	if (s.n != 16 || !is_hex(s))
		return false;
	for (i = 0; i < s.n; i++)
		n = n << 4 | (unsigned)(s.p[i] <= '9' ? s.p[i] - '0' :
		    s.p[i] - 'a' + 10);
	if (n > INT64_MAX)
		return false;
	*out = (off_t)n;
	return true;
}

static bool
trailer_field(struct cur *c, char tag, size_t n, struct str *value)
{
	struct field	f;

	if (!record_next(c, &f) || f.tag != tag || f.value.n != n ||
	    !is_hex(f.value))
		return false;
	*value = f.value;
	return true;
}

static bool
trailer_parse(struct str text, struct envelope *env)
{
	struct cur	c = cur_from(text);
	struct str	len, simple, relaxed;

	return cur_byte(&c, '\n') && trailer_field(&c, 'L', 16, &len) &&
	    trailer_field(&c, 'B', DIGEST_HEX, &simple) &&
	    trailer_field(&c, 'X', DIGEST_HEX, &relaxed) &&
	    str_eq(cur_rest(&c), STR("Z3:end,\n")) &&
	    hex_number(len, &env->content_len) &&
	    str_copy(env->simple, sizeof(env->simple), simple) == 0 &&
	    str_copy(env->relaxed, sizeof(env->relaxed), relaxed) == 0;
}

/* Length of the head in text if its empty line is there, else 0. */
static size_t
head_length(const char *p, size_t n)
{
	struct cur	c = { p, p + n };
	struct field	f;

	while (cur_peek(&c) != '\n')
		if (!record_next(&c, &f))
			return 0;
	return (size_t)(c.p + 1 - p);
}

/* Reads until the head is in memory: malloc'ed, *have bytes, of which *head belong to it (0: malformed). */
static char *
head_read(int fd, off_t size, size_t *have, size_t *head)
{
	char	*mem = NULL, *more;
	size_t	 want = HEAD_GUESS;
	ssize_t	 got;

	*have = *head = 0;
	for (;;) {
		if ((off_t)want > size)
			want = (size_t)size;
		if ((more = realloc(mem, want == 0 ? 1 : want)) == NULL)
			goto fail;
		mem = more;
		got = fdio_pread(fd, mem + *have, want - *have, (off_t)*have);
		if (got == -1)
			goto fail;
		*have += (size_t)got;
		*head = head_length(mem, *have);
		if (*head != 0 || *have < want || (off_t)want >= size ||
		    want >= ENVELOPE_MAX)
			return mem;
		want *= 4;
	}
fail:
	free(mem);
	return NULL;
}

static int
load_trailer(int fd, off_t size, const char *mem, size_t have,
    struct envelope *env, struct diag *why)
{
	char		 text[TRAILER_SIZE];
	off_t		 at = size - TRAILER_SIZE;
	ssize_t		 got;

	if (at < env->content_at) {
		errno = EBADMSG;
		return diag_set(why, "offset %lld: torn, no trailer",
		    (long long)size);
	}
	if ((off_t)have == size)
		memcpy(text, mem + at, sizeof(text));
	else if ((got = fdio_pread(fd, text, sizeof(text), at)) == -1)
		return diag_errno(why, "read");
	else if ((size_t)got != sizeof(text)) {
		errno = EBADMSG;
		return diag_set(why, "offset %lld: shrinking",
		    (long long)at + got);
	}
	if (!trailer_parse((struct str){ text, sizeof(text) }, env) ||
	    env->content_at + env->content_len != at) {
		errno = EBADMSG;
		return diag_set(why, "offset %lld: no trailer, or its length "
		    "is not that of the content", (long long)at);
	}
	return 0;
}

/* env from what was read; env->mem holds no more than the head. */
static int
load_parts(int fd, off_t size, const char *mem, size_t have, size_t head,
    struct envelope *env, struct diag *why)
{
	size_t	 n = head == 0 ? have : head;
	char	*own;
	int	 saved;

	if ((own = malloc(n == 0 ? 1 : n)) == NULL)
		return diag_errno(why, "read");
	memcpy(own, mem, n);
	/* With a malformed head the parser is the one that says where. */
	if (envelope_parse((struct str){ own, n }, env, why) == -1) {
		saved = errno;
		free(own);
		errno = saved;
		return -1;
	}
	env->mem = own;
	if (load_trailer(fd, size, mem, have, env, why) == -1) {
		saved = errno;
		envelope_free(env);
		errno = saved;
		return -1;
	}
	return 0;
}

int
envelope_load(int fd, struct envelope *env, struct diag *why)
{
	struct stat	 st;
	char		*mem;
	size_t		 have, head;
	int		 r, saved;

	memset(env, 0, sizeof(*env));
	if (fstat(fd, &st) == -1)
		return diag_errno(why, "read");
	if (!S_ISREG(st.st_mode)) {
		errno = EBADMSG;
		return diag_set(why, "is no file");
	}
	if ((mem = head_read(fd, st.st_size, &have, &head)) == NULL)
		return diag_errno(why, "read");
	r = load_parts(fd, st.st_size, mem, have, head, env, why);
	saved = errno;
	free(mem);
	errno = saved;
	env->owner = st.st_uid;
	env->due_ms = (int64_t)st.st_mtim.tv_sec * 1000 +
	    st.st_mtim.tv_nsec / 1000000;
	return r;
}

int
envelope_verify(int fd, const struct envelope *env, struct diag *why)
{
	char		 simple[DIGEST_HEX + 1], relaxed[DIGEST_HEX + 1];
	struct sums	*sums;
	char		*mem = NULL;
	off_t		 at = env->content_at, end = at + env->content_len;
	ssize_t		 got;
	int		 r = -1;

	if ((sums = sums_new()) == NULL || (mem = malloc(READ_SIZE)) == NULL) {
		diag_errno(why, "verify");
		goto done;
	}
	while (at < end) {
		got = fdio_pread(fd, mem, end - at < (off_t)READ_SIZE ?
		    (size_t)(end - at) : READ_SIZE, at);
		if (got <= 0) {
			if (got == 0)
				errno = EBADMSG;
			diag_errno(why, "offset %lld", (long long)at);
			goto done;
		}
		sums_add(sums, mem, (size_t)got);
		at += got;
	}
	if (sums_end(sums, simple, relaxed) == -1) {
		diag_errno(why, "digest");
		goto done;
	}
	if (strcmp(simple, env->simple) != 0 ||
	    strcmp(relaxed, env->relaxed) != 0) {
		errno = EBADMSG;
		diag_set(why, "the body is not that of the trailer's digests");
		goto done;
	}
	r = 0;
done:
	free(mem);
	sums_free(&sums);
	return r;
}

void
envelope_free(struct envelope *env)
{
	free(env->rcpts);
	free(env->mem);
	env->rcpts = NULL;
	env->nrcpts = 0;
	env->mem = NULL;
}

int
envelope_set_state(int fd, const struct envelope_rcpt *r, char state)
{
	return fdio_pwrite(fd, &state, 1, r->state_at);
}
