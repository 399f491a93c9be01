/*
 * queue/sendmail_user.c - who calls sendmail. He may give himself any name, as with
 * any mail program: what is certain is the number that queue writes in
 * the trace field.
 */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/fmt/date.h"
#include "queue/sendmail.h"

#define NAME_SIZE	1024u

/* "Ann Lee,room 1,phone", with & for the login name. */
static void
put_gecos(const char *gecos, const char *login, struct buf *out)
{
	const char	*p;

	for (p = gecos; *p != '\0' && *p != ','; p++) {
		if (*p != '&') {
			buf_addc(out, *p);
			continue;
		}
		buf_addc(out, *login >= 'a' && *login <= 'z' ?
		    (char)(*login - 'a' + 'A') : *login);
		if (*login != '\0')
			buf_adds(out, login + 1);
	}
}

int
sendmail_user(struct sendmail *m)
{
	const struct setting_list *d = &m->set->domains;
	struct sendmail_user	*u = &m->user;
	struct passwd		*pw = getpwuid(getuid());
	const char		*name = getenv("NAME"), *login;

	buf_init(&u->login, NAME_SIZE);
	buf_init(&u->name, NAME_SIZE);
	buf_init(&u->domain, NAME_SIZE);
	buf_init(&u->from, 4 * NAME_SIZE);
	buf_init(&u->date, DATE_SIZE);
	buf_adds(&u->domain, d->n > 0 ? d->items[0].text : m->set->hostname);
	/* A number without a name is not unusual in a container. */
	login = pw != NULL ? pw->pw_name : getenv("LOGNAME");
	if (login != NULL)
		buf_adds(&u->login, login);
	if (m->o->name != NULL)
		buf_adds(&u->name, m->o->name);
	else if (name != NULL)
		buf_adds(&u->name, name);
	else if (pw != NULL)
		put_gecos(pw->pw_gecos, pw->pw_name, &u->name);
	if (!buf_ok(&u->name))
		buf_reset(&u->name);	/* too long for a name */
	return buf_ok(&u->login) && u->login.n > 0 ? 0 : -1;
}

void
sendmail_user_free(struct sendmail_user *u)
{
	buf_free(&u->login);
	buf_free(&u->name);
	buf_free(&u->domain);
	buf_free(&u->from);
	buf_free(&u->date);
}

int
sendmail_compose(struct sendmail *m, struct str sender, struct compose *c)
{
	struct sendmail_user	*u = &m->user;
	struct buf		 addr;
	struct tm		 tm;
	char			 date[DATE_SIZE];
	time_t			 now = time(NULL);
	int			 offset = 0;

	buf_init(&addr, NAME_SIZE);
	buf_reset(&u->from);
	buf_reset(&u->date);
	buf_addstr(&addr, sender.n > 0 ? sender : buf_view(&u->login));
	if (addr.n == 0)
		buf_adds(&addr, "MAILER-DAEMON");
	if (memchr(addr.p, '@', addr.n) == NULL)
		buf_addf(&addr, "@%.*s", STR_ARG(buf_view(&u->domain)));
	compose_mailbox(buf_view(&u->name), buf_view(&addr), &u->from);
	if (localtime_r(&now, &tm) != NULL)
		offset = (int)(tm.tm_gmtoff / 60);
	if (date_format(now, offset, date) == 0)
		buf_adds(&u->date, date);
	if (!buf_ok(&addr) || !buf_ok(&u->from)) {
		buf_free(&addr);
		return -1;
	}
	buf_free(&addr);
	*c = (struct compose){ .set = { .flags = SUBMISSION_MAILBOX,
	    .from = buf_view(&u->from), .date = buf_view(&u->date),
	    .domain = buf_view(&u->domain) } };
	return 0;
}
