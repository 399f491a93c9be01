/* queue/submit_check.c - what comes from a local user, before anything is done with it; pure. */
#include "queue/submit_check.h"

#include <errno.h>
#include <string.h>

#include "common/fmt/path.h"
#include "common/fmt/record.h"

static bool
addr_ok(struct str s)
{
	struct cur	c = cur_from(s);
	struct path	p;

	return path_mailbox(&c, PATH_UTF8, true, &p) && cur_done(&c);
}

const char *
submit_check(const struct settings *s, const struct envelope *env)
{
	size_t	i;

	if (env->content_len > s->smtp.message_size)
		return "larger than smtp.message-size";
	if (env->nrcpts == 0)
		return "no recipient";
	if (env->nrcpts > (size_t)s->smtp.recipients)
		return "more than smtp.recipients";
	if (env->sender.n > 0 && !addr_ok(env->sender))
		return "sender is no address";
	for (i = 0; i < env->nrcpts; i++)
		if (!addr_ok(env->rcpts[i].addr))
			return "a recipient is no address";
	return NULL;
}

int
submit_head(struct str in, const char *id, int64_t arrival_ms, struct buf *out)
{
	struct cur	c = cur_from(in);
	struct field	f;
	bool		rcpt = false;

	record_puts(out, 'V', "1");
	record_puts(out, 'I', id);
	record_putu(out, 'T', (uint64_t)arrival_ms);
	record_puts(out, 'K', "drop");
	while (record_next(&c, &f)) {
		/* A final recipient, a state, a client: not for him to say. */
		if (strchr(rcpt ? "ron" : "SEOr", f.tag) == NULL)
			goto bad;
		if (f.tag == 'r' && rcpt)
			record_puts(out, 's', "w");
		rcpt |= f.tag == 'r';
		record_put(out, f.tag, f.value);
	}
	if (!cur_byte(&c, '\n') || !cur_done(&c))
		goto bad;
	if (rcpt)
		record_puts(out, 's', "w");
	buf_addc(out, '\n');
	if (buf_ok(out))
		return 0;
	errno = EMSGSIZE;
	return -1;
bad:
	errno = EBADMSG;
	return -1;
}
