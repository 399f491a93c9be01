/*
 * auth/worker.c - one process that compares passwords. It sees a password and
 * a record at a time and says yes or no; it can open nothing.
 */
#include "auth/worker.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "auth/verify.h"
#include "auth/worker_keys.h"
#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/fmt/record.h"
#include "common/proc/child.h"
#include "common/proc/msg.h"
#include "common/proc/priv.h"
#include "common/proc/proto_auth.h"
#include "common/proc/sandbox.h"

#define TAG_ID		'I'
#define TAG_RECORD	'H'
#define TAG_PASSWORD	'P'
#define TAG_FITS	'V'	/* index of the record + 1; 0: none */

/* A task is one packet. */
_Static_assert(ACCOUNT_SECRETS * (USER_PASSWORD_MAX + 16) + AUTH_PASS_MAX +
    64 <= MSG_MAX, "a task of a worker does not fit in a packet");

size_t
worker_count(const struct settings *s)
{
	cpu_set_t	cpus;
	long long	n = s->auth_workers;

	if (n == 0 && sched_getaffinity(0, sizeof(cpus), &cpus) == 0)
		n = CPU_COUNT(&cpus);
	if (n < 1)
		n = 1;
	return n < WORKERS_MAX ? (size_t)n : WORKERS_MAX;
}

/* The first that fits + 1. All of them are tried if none does. */
static uint64_t
first_that_fits(struct str rec, struct str password,
    struct crypt_data *scratch)
{
	struct cur	c = cur_from(rec);
	struct field	f;
	uint64_t	n = 0;

	while (record_next(&c, &f)) {
		if (f.tag != TAG_RECORD)
			continue;
		n++;
		if (verify_password(f.value, password, scratch))
			return n;
	}
	return 0;
}

static int
one_task(int fd, struct buf *rec, struct crypt_data *scratch)
{
	struct str	password;
	struct buf	answer;
	uint64_t	id, fits;
	int		r;

	if ((r = msg_recv(fd, rec, NULL)) != 1)
		return r;
	if (worker_keys_is(buf_view(rec)))
		return worker_keys_do(fd, rec);
	if (!record_ok(buf_view(rec)) ||
	    !record_getu(buf_view(rec), TAG_ID, UINT64_MAX, &id) ||
	    !record_get(buf_view(rec), TAG_PASSWORD, &password))
		return -1;
	fits = first_that_fits(buf_view(rec), password, scratch);
	explicit_bzero(rec->p, rec->cap);
	buf_init(&answer, 256);
	record_putu(&answer, TAG_ID, id);
	record_putu(&answer, TAG_FITS, fits);
	r = msg_send(fd, &answer, NULL) == -1 ? -1 : 1;
	buf_free(&answer);
	return r;
}

static _Noreturn void
work(int fd, const char *user, const char *dir)
{
	struct crypt_data	*scratch;
	struct buf		 rec;
	struct diag		 why = { "" };
	int			 r;

	if (dup2(fd, FD_CONF) == -1)
		_exit(EX_OSERR);
	closefrom(FD_LOG + 1);
	buf_init(&rec, MSG_MAX);
	if ((scratch = calloc(1, sizeof(*scratch))) == NULL ||
	    priv_enter(user, dir, &why) == -1 || priv_harden(true) == -1 ||
	    sandbox_enter(SANDBOX_LOGIN, NULL, 0, &why) == -1) {
		log_error("worker why=\"%s\"", why.text);
		_exit(EX_OSERR);
	}
	while ((r = one_task(FD_CONF, &rec, scratch)) == 1)
		continue;
	_exit(r == 0 ? EX_OK : EX_SOFTWARE);
}

int
worker_start(const char *user, const char *dir)
{
	int	pair[2];

	if (msg_pair(pair) == -1)
		return -1;
	switch (fork()) {
	case -1:
		fdio_close(&pair[0]);
		fdio_close(&pair[1]);
		return -1;
	case 0:
		work(pair[1], user, dir);
	default:
		fdio_close(&pair[1]);
	}
	if (fdio_nonblock(pair[0], 1) == -1)
		fdio_close(&pair[0]);
	return pair[0];
}

int
worker_ask(int fd, uint64_t id, const struct secret *secrets, size_t n,
    struct str password)
{
	struct buf	rec;
	size_t		i;
	int		r = -1;

	buf_init(&rec, MSG_MAX);
	record_putu(&rec, TAG_ID, id);
	record_put(&rec, TAG_PASSWORD, password);
	for (i = 0; i < n; i++)
		record_put(&rec, TAG_RECORD, secrets[i].record);
	if (buf_ok(&rec))
		r = msg_send(fd, &rec, NULL);
	buf_wipe(&rec);
	return r;
}

int
worker_answer(int fd, struct buf *rec, uint64_t *id, int *which)
{
	uint64_t	fits;
	int		r;

	r = msg_recv(fd, rec, NULL);
	if (r == -1 && errno == EAGAIN)
		return 0;
	if (r != 1 || !record_getu(buf_view(rec), TAG_ID, UINT64_MAX, id) ||
	    !record_getu(buf_view(rec), TAG_FITS, ACCOUNT_SECRETS, &fits))
		return -1;
	*which = (int)fits - 1;
	return 1;
}
