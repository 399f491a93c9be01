/*
 * master/tables.c - the users' files have changed: route makes the tables
 * anew, in a process of its own, while everything goes on. Who reads the
 * tables notices by himself.
 */
#include "master/master.h"

#include <sys/mman.h>
#include <sys/wait.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/log.h"

#define TEXT_MAX	32768	/* of what route says */

bool
tables_compile(struct master *m)
{
	if (m->tables.pid != 0 || m->reload.step != RELOAD_NONE)
		return false;
	m->tables.said = memfd_create("tables", MFD_CLOEXEC);
	if (m->tables.said != -1)
		m->tables.pid = reload_spawn_route(m->settings, "-c",
		    m->log[1], m->tables.said);
	if (m->tables.said == -1 || m->tables.pid == -1) {
		log_error("tables why=\"%s\"", strerror(errno));
		fdio_close(&m->tables.said);
		m->tables.pid = 0;
	}
	return true;
}

static void
log_refusal(int said, int status)
{
	struct buf	text;
	char		why[80];

	buf_init(&text, TEXT_MAX);
	if (lseek(said, 0, SEEK_SET) == 0 && fdio_slurp(said, &text) == 0 &&
	    text.n > 0)
		reload_log_reasons("tables-refused", buf_view(&text));
	else
		log_error("tables-refused why=\"route: %s\"",
		    exit_text(status, why, sizeof(why)));
	buf_free(&text);
}

bool
tables_reap(struct master *m, pid_t pid, int status)
{
	if (m->tables.pid == 0 || pid != m->tables.pid)
		return false;
	if (status == 0)
		log_info("tables-made");
	else
		log_refusal(m->tables.said, status);
	fdio_close(&m->tables.said);
	m->tables.pid = 0;
	return true;
}
