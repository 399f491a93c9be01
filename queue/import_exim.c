/* queue/import_exim.c - spool files of Exim as a message of ours. Distrusts them. */
#include "common/fmt/exim.h"
#include "queue/import.h"

static bool
take_rcpts(struct import *im, const struct exim_mail *m)
{
	struct cur		c = cur_from(m->rcpts);
	struct exim_rcpt	r;

	while (exim_rcpt_next(&c, &r))
		if (!exim_got(m, buf_view(&im->files[2]), r.addr) &&
		    !import_rcpt(im, r.addr, r.orcpt, r.notify))
			return false;
	return true;
}

static bool
take_content(struct import *im, const struct exim_mail *m)
{
	struct cur	c = cur_from(m->header);
	struct str	text, body;

	while (exim_header_next(&c, &text))
		if (!import_lines(im, text))
			return false;
	if (!exim_body(buf_view(&im->files[1]), m->name, &body)) {
		diag_set(&im->why, "its -D file is another one's");
		return false;
	}
	return import_lines(im, STR("\n")) && import_lines(im, body);
}

bool
import_exim(struct import *im)
{
	struct envelope		*env = &im->env;
	struct exim_mail	 m;
	const char		*why = NULL;

	if (!exim_read(buf_view(&im->files[0]), &m, &why)) {
		diag_set(&im->why, "%s", why);
		return false;
	}
	env->arrival_ms = m.arrival_s * 1000;
	env->client = m.client;
	env->helo = m.helo;
	env->proto = m.proto;
	env->auth = m.auth;
	env->envid = m.envid;
	if (m.ret != 0)
		env->options |= m.ret == 2 ? ENV_RET_HDRS : ENV_RET_FULL;
	if (m.utf8)
		env->options |= ENV_SMTPUTF8;
	im->held = im->held || m.frozen;
	return import_sender(im, m.sender) && take_rcpts(im, &m) &&
	    take_content(im, &m);
}
