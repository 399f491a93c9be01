/* queue/client.c - runs as whoever calls; the daemon's socket decides who may. */
#include "queue/client.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <sysexits.h>

#include "common/fmt/record.h"
#include "common/proc/msg.h"
#include "common/proc/proto_queue.h"

struct settings *
client_settings(const char *path)
{
	struct settings	*s;
	struct diag	 why;

	if (settings_load(path == NULL ? CLIENT_CONF : path, &s, &why) == -1)
		errx(EX_CONFIG, "%s", why.text);
	return s;
}

int
client_connect(const struct settings *s)
{
	char	path[4096];

	if ((size_t)snprintf(path, sizeof(path), "%s/queue", s->run) >=
	    sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return msg_connect(path);
}

void
client_ask(struct buf *rec, const char *verb, const char *id)
{
	buf_reset(rec);
	record_puts(rec, QUEUE_VERB, verb);
	if (id != NULL)
		record_puts(rec, QUEUE_ID, id);
}
