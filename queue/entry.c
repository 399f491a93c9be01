/* queue/entry.c - a message in the words of proto_queue.h. */
#include "queue/entry.h"

#include <errno.h>
#include <string.h>

#include "common/base/fdio.h"
#include "common/fmt/record.h"
#include "common/proc/proto_queue.h"

#define STATUS_TAIL	1024

/* The last line, if the file is not long; a longer one is read only at its end by nobody. */
static void
put_reason(const struct spool *s, struct id id, struct buf *out)
{
	struct buf	text;
	struct str	v;
	const char	*lf;

	buf_init(&text, (1u << 20) + STATUS_TAIL);
	if (spool_status_read(s, id, &text) == 0 && text.n > 1) {
		v = buf_view(&text);
		v.n--;		/* the last line's end */
		lf = memrchr(v.p, '\n', v.n);
		if (lf != NULL) {
			v.n -= (size_t)(lf + 1 - v.p);
			v.p = lf + 1;
		}
		if (v.n > STATUS_TAIL)
			v.n = STATUS_TAIL;
		record_put(out, ENTRY_WHY, v);
	}
	buf_free(&text);
}

static void
put_envelope(const struct envelope *env, struct buf *out)
{
	size_t	i, n = 0;

	record_putu(out, ENTRY_ARRIVAL, (uint64_t)env->arrival_ms);
	record_putu(out, ENTRY_SIZE, (uint64_t)env->content_len);
	record_put(out, ENTRY_SENDER, env->sender);
	for (i = 0; i < env->nrcpts; i++) {
		if (!envelope_rcpt_waits(&env->rcpts[i]) &&
		    env->rcpts[i].state != RCPT_FAILED)
			continue;
		if (n++ < ENTRY_RCPTS_MAX)
			record_put(out, ENTRY_RCPT, env->rcpts[i].addr);
	}
	record_putu(out, ENTRY_NRCPTS, n);
}

int
entry_read(const struct spool *s, struct id id, bool held, int64_t due,
    const char *place, struct buf *out)
{
	struct envelope	env;
	struct diag	why;
	char		name[ID_SIZE];
	int		fd, r, saved;

	fd = spool_file(s, held ? SPOOL_HOLD : SPOOL_QUEUE, id, false);
	if (fd == -1 && errno == ENOENT && !held)
		fd = spool_file(s, SPOOL_INCOMING, id, false);
	if (fd == -1)
		return -1;
	r = envelope_load(fd, &env, &why);
	saved = errno;
	fdio_close(&fd);
	errno = saved;
	if (r == -1)
		return -1;
	id_format(id, name);
	record_puts(out, ENTRY_ID, name);
	record_puts(out, ENTRY_PLACE, place);
	record_putu(out, ENTRY_DUE, due < 0 ? 0 : (uint64_t)due);
	put_envelope(&env, out);
	put_reason(s, id, out);
	envelope_free(&env);
	return 0;
}
