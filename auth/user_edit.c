/* auth/user_edit.c - user add, passwd, delete, app and hash. */
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "auth/user.h"

/* The passwd-file that is meant; NULL: there is none, that has been said. */
static const char *
file_of(const struct user_opts *o)
{
	size_t	i;

	if (o->file != NULL)
		return o->file;
	for (i = 0; i < o->settings->users.n; i++)
		if (strcmp(o->settings->users.items[i].text, "file") == 0)
			return o->settings->users.items[i].more;
	warnx("%s has no passwd-file, expected \"users file PATH\" in it, or "
	    "-F", o->conf);
	return NULL;
}

/* Without the tables nobody knows of the change. */
static int
compile(const struct user_opts *o)
{
	char	path[1100];
	pid_t	pid;
	int	status;

	if (o->no_compile)
		return 0;
	if (access(o->settings->tables, W_OK) == -1) {
		warnx("\"posthouse reload\" makes the change known");
		return 0;
	}
	snprintf(path, sizeof(path), "%s/route", o->settings->libexec);
	if ((pid = fork()) == 0) {
		execl(path, "route", "-c", "-f", o->conf, (char *)NULL);
		warn("%s", path);
		_exit(EX_OSERR);
	}
	while (pid != -1 && waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			pid = -1;
	if (pid == -1) {
		warn("%s", path);
		return EX_OSERR;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EX_SOFTWARE;
}

static int
fail(const struct diag *why, int status)
{
	warnx("%s", why->text);
	return status;
}

/* A file that no table can be made of would keep every later change from being known. */
static void
take_back(struct user_file *f, struct buf *old)
{
	struct diag	why;

	buf_wipe(&f->text);
	f->text = *old;
	buf_init(old, 0);
	if (user_file_commit(f, &why) == -1)
		warnx("%s", why.text);
	else
		warnx("the tables could not be made: %s is as it was",
		    f->path);
}

/* Changes the file; 0 or an exit status. */
static int
put(const struct user_opts *o, struct user_file *f, struct str line,
    struct str with)
{
	struct buf	old;
	struct diag	why;
	int		status;

	buf_init(&old, USER_FILE_MAX);
	if (buf_reserve(&old, f->text.n + 1) == -1 ||
	    buf_addstr(&old, buf_view(&f->text)) == -1)
		err(EX_OSERR, "%s", f->path);
	if (user_file_replace(f, line, with, &why) == -1 ||
	    user_file_commit(f, &why) == -1)
		status = fail(&why, EX_CANTCREAT);
	else if ((status = compile(o)) != 0)
		take_back(f, &old);
	buf_wipe(&old);
	return status;
}

/* Asked for, hashed; the clear text is gone. */
static int
new_record(const struct user_opts *o, struct buf *record)
{
	char	pass[AUTH_PASS_MAX + 1];
	int	r;

	if (user_ask(o, true, pass) == -1)
		return -1;
	r = user_record(o->scheme, o->cost, pass, record);
	explicit_bzero(pass, sizeof(pass));
	return r;
}

static void
open_bufs(struct buf *record, struct buf *line)
{
	buf_init(record, USER_PASSWORD_MAX + 64);
	buf_init(line, USER_LINE_MAX);
}

static void
wipe_bufs(struct buf *record, struct buf *line)
{
	buf_wipe(record);
	buf_wipe(line);
}

static int
add_to(struct user_opts *o, struct user_file *f)
{
	struct buf	record, line;
	struct str	at;
	struct diag	why;
	int		status = EX_DATAERR;

	if (user_file_find(f, str_from(o->args[0]), &at)) {
		warnx("%s is in %s already", o->args[0], f->path);
		return EX_CANTCREAT;
	}
	open_bufs(&record, &line);
	/* what is wrong with the line is said before anybody types */
	if (user_line_new(o->args[0], STR("x"), o->args + 1, o->nargs - 1,
	    &line, &why) == -1)
		status = fail(&why, EX_USAGE);
	else if (new_record(o, &record) == 0) {
		buf_reset(&line);
		if (user_line_new(o->args[0], buf_view(&record), o->args + 1,
		    o->nargs - 1, &line, &why) == -1)
			status = fail(&why, EX_USAGE);
		else
			status = put(o, f, at, buf_view(&line));
	}
	wipe_bufs(&record, &line);
	return status;
}

int
user_add(struct user_opts *o)
{
	const char		*path = file_of(o);
	struct user_file	 f;
	struct diag		 why;
	int			 status;

	if (path == NULL)
		return EX_CONFIG;
	if (!users_name_ok(str_from(o->args[0])) || o->args[0][0] == '#') {
		warnx("%s, expected a name of letters, digits and . - _ @",
		    o->args[0]);
		return EX_USAGE;
	}
	if (user_file_open(&f, path, true, &why) == -1)
		return fail(&why, EX_CANTCREAT);
	status = add_to(o, &f);
	user_file_close(&f);
	return status;
}

/* The file that has the user, and his line; 0 or an exit status. */
static int
open_user(const struct user_opts *o, struct user_file *f, struct str *line)
{
	const char	*path = file_of(o);
	struct diag	 why;

	if (path == NULL)
		return EX_CONFIG;
	if (user_file_open(f, path, false, &why) == -1)
		return fail(&why, errno == EACCES ? EX_NOPERM : EX_NOINPUT);
	if (user_file_find(f, str_from(o->args[0]), line))
		return 0;
	warnx("%s is not in %s", o->args[0], f->path);
	user_file_close(f);
	return EX_NOUSER;
}

int
user_passwd(struct user_opts *o)
{
	struct user_file	f;
	struct buf		record, line;
	struct str		old;
	struct diag		why;
	int			status;

	if ((status = open_user(o, &f, &old)) != 0)
		return status;
	open_bufs(&record, &line);
	status = EX_DATAERR;
	if (new_record(o, &record) == 0) {
		if (user_line_password(old, buf_view(&record), &line,
		    &why) == -1)
			status = fail(&why, EX_DATAERR);
		else
			status = put(o, &f, old, buf_view(&line));
	}
	wipe_bufs(&record, &line);
	user_file_close(&f);
	return status;
}

int
user_delete(struct user_opts *o)
{
	struct user_file	f;
	struct str		line;
	int			status;

	if ((status = open_user(o, &f, &line)) != 0)
		return status;
	status = put(o, &f, line, STR(""));
	user_file_close(&f);
	return status;
}

/* One that nobody could guess needs no costly hash; one that somebody thought of does. */
static int
app_record(const struct user_opts *o, char *shown, size_t size,
    struct buf *record)
{
	const struct scheme	*s = o->scheme;

	*shown = '\0';
	if (o->from_stdin)
		return new_record(o, record);
	user_random(shown, size);
	if (s == NULL)
		s = scheme_find(STR("SSHA512"));
	return user_record(s, o->cost, shown, record);
}

static int
change_app(struct user_opts *o, struct user_file *f, struct str old)
{
	const char	*services = o->nargs > 2 ? o->args[2] : "";
	char		 shown[40] = "";
	struct buf	 record, line;
	struct diag	 why;
	bool		 found;
	int		 status = EX_DATAERR;

	open_bufs(&record, &line);
	if (!o->remove &&
	    app_record(o, shown, sizeof(shown), &record) == -1)
		goto done;
	if (user_line_app(old, o->args[1], services, buf_view(&record), &found,
	    &line, &why) == -1)
		status = fail(&why, EX_USAGE);
	else if (o->remove && !found) {
		warnx("%s has no application password %s", o->args[0],
		    o->args[1]);
		status = EX_NOUSER;
	} else {
		status = put(o, f, old, buf_view(&line));
		if (status == 0 && *shown != '\0' &&
		    (printf("%s\n", shown) < 0 || fflush(stdout) == EOF))
			status = EX_IOERR;
	}
done:
	explicit_bzero(shown, sizeof(shown));
	wipe_bufs(&record, &line);
	return status;
}

int
user_app(struct user_opts *o)
{
	struct user_file	f;
	struct str		line;
	int			status;

	if (o->remove && o->nargs > 2) {
		warnx("-d takes a name and an application password");
		return EX_USAGE;
	}
	if ((status = open_user(o, &f, &line)) != 0)
		return status;
	status = change_app(o, &f, line);
	user_file_close(&f);
	return status;
}

int
user_hash(struct user_opts *o)
{
	struct buf	record;
	int		status = EX_DATAERR;

	buf_init(&record, USER_PASSWORD_MAX + 64);
	if (new_record(o, &record) == 0)
		status = printf("%.*s\n", STR_ARG(buf_view(&record))) < 0 ||
		    fflush(stdout) == EOF ? EX_IOERR : 0;
	buf_wipe(&record);
	return status;
}
