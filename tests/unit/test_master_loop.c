/*
 * tests/unit/test_master_loop.c - the master's loop with programs that are
 * this very file under other names: readiness, restart, reload, stop, and the
 * sessions that auth asks for.
 */
#include "master/master.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/auxv.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/fmt/record.h"
#include "common/proc/link.h"
#include "common/proc/msg.h"
#include "common/proc/priv.h"
#include "common/proc/proto_auth.h"
#include "common/proc/sig.h"
#include "master/control.h"

static char	dir[512], conf[560];

static void
note(const char *text)
{
	FILE	*f;
	char	 path[600];

	snprintf(path, sizeof(path), "%s/notes", dir);
	if ((f = fopen(path, "a")) == NULL)
		return;
	fprintf(f, "%s\n", text);
	fclose(f);
}

static int
count_notes(const char *text)
{
	FILE	*f;
	char	 path[600], line[128];
	int	 n = 0;

	snprintf(path, sizeof(path), "%s/notes", dir);
	if ((f = fopen(path, "r")) == NULL)
		return 0;
	while (fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		n += strcmp(line, text) == 0;
	}
	fclose(f);
	return n;
}

/* ---- what the programs do ---- */

static void
ask_session(void)
{
	struct buf	rec;
	struct msg_fds	fds = { .n = 1 };
	int		pair[2];
	/* As root the session is somebody else; rootless it is us. */
	unsigned	id = priv_is_root() ? 61001 : (unsigned)getuid();

	if (pipe(pair) == -1)
		return;
	buf_init(&rec, MSG_MAX);
	record_puts(&rec, AUTH_VERB, "session");
	record_puts(&rec, AUTH_SERVICE, "pop3");
	record_puts(&rec, AUTH_USER, "ann");
	record_putu(&rec, AUTH_UID, id);
	record_putu(&rec, AUTH_GID, id);
	record_puts(&rec, AUTH_HOME, "/home/ann");
	record_puts(&rec, AUTH_MAILBOX, "maildir:/home/ann/Maildir");
	record_puts(&rec, AUTH_CLIENT, "192.0.2.1");
	record_puts(&rec, AUTH_PENDING, "LIST\r\n");
	record_puts(&rec, AUTH_NOTE, "utf8");
	record_puts(&rec, AUTH_TAG, "7");
	fds.fd[0] = pair[1];
	if (msg_send(FD_LINK, &rec, &fds) == -1)
		note("session not sent");
	buf_free(&rec);
	close(pair[1]);
}

static int
play_session(void)
{
	struct child_fd	 fds[CHILD_FDS];
	struct buf	 rec;
	char		 text[256], user[32], pending[32], note_text[8];
	int		 n = child_fds(fds);

	buf_init(&rec, 65536);
	if (n != 3 ||
	    fdio_slurp(child_fd_find(fds, 3, "login", 0), &rec) == -1 ||
	    !record_gets(buf_view(&rec), AUTH_USER, user, sizeof(user)) ||
	    !record_gets(buf_view(&rec), AUTH_PENDING, pending,
	    sizeof(pending)) ||
	    !record_gets(buf_view(&rec), AUTH_NOTE, note_text,
	    sizeof(note_text)) || strcmp(note_text, "utf8") != 0 ||
	    child_fd_find(fds, 3, "client", 0) == -1 ||
	    fcntl(child_fd_find(fds, 3, "filter", 0), F_GET_SEALS) <= 0)
		return EX_PROTOCOL;
	snprintf(text, sizeof(text), "session %s %s%u", user, pending,
	    (unsigned)getuid());
	/* The directory of the notes is not ours as another user: say it on 2. */
	dprintf(2, "%s\n", text);
	buf_free(&rec);
	return 0;
}

static int
play_program(const char *name)
{
	struct link_event ev;
	struct buf	 rec;
	char		 text[64];
	unsigned	 reloads = 0;

	snprintf(text, sizeof(text), "start %s", name);
	note(text);
	buf_init(&rec, MSG_MAX);
	if (link_ready(FD_LINK) == -1)
		return EX_OSERR;
	if (strcmp(name, "auth") == 0)
		ask_session();
	for (;;) {
		if (link_read(FD_LINK, &rec, &ev) == -1)
			return EX_OSERR;
		switch (ev.verb) {
		case LINK_STATUS:
			if (link_status(FD_LINK, "fed=3 busy=1") == -1)
				return EX_OSERR;
			break;
		case LINK_RELOAD:
			snprintf(text, sizeof(text), "reload %s %zu", name,
			    ev.nfds);
			note(text);
			/* its first files come before it serves, as with ours */
			if (strcmp(name, "keys") == 0 && reloads++ > 0 &&
			    link_loaded(FD_LINK) == -1)
				return EX_OSERR;
			break;
		case LINK_STOP:
			snprintf(text, sizeof(text), "stop %s", name);
			note(text);
			buf_free(&rec);
			return 0;
		case LINK_FILES:	/* to keys, with each reload */
			break;
		case LINK_ANSWER:
			if (record_gets(buf_view(&rec), AUTH_VERB, text,
			    sizeof(text)))
				note(text);
			break;
		case LINK_GONE:
			buf_free(&rec);
			return 0;
		case LINK_NONE:
			break;
		}
	}
}

/* Refuses when the new configuration says so. */
static int
play_route(const char *flag)
{
	struct settings	*s;
	struct diag	 why;
	bool		 bad;

	if (settings_load_fd(FD_CONF, &s, &why) == -1)
		return EX_CONFIG;
	note(flag);
	bad = strcmp(s->postmaster, "nobody-here") == 0;
	if (bad)
		fprintf(stderr, "an expectation fails\n");
	settings_free(&s);
	return bad ? EX_CONFIG : 0;
}

/* ---- the master ---- */

static void
write_conf(const char *more)
{
	FILE	*f = fopen(conf, "w");

	ck_assert_ptr_nonnull(f);
	fprintf(f, "hostname mx.example.test\nlibexec %s\nrun %s\nspool %s\n"
	    "tables %s\ntls.directory %s\nstop-timeout 30s\n"
	    "users file %s/users\n%s", dir, dir, dir, dir, dir, dir, more);
	ck_assert_int_eq(fclose(f), 0);
}

/* Ports that were free a moment ago: smtp, another smtp, lmtp, pop3. */
static unsigned	ports[4];

static void
find_ports(void)
{
	struct sockaddr_in	sin;
	socklen_t		len;
	int			fds[nitems(ports)];
	size_t			i;

	for (i = 0; i < nitems(ports); i++) {
		sin = (struct sockaddr_in){ .sin_family = AF_INET,
		    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		len = sizeof(sin);
		ck_assert_int_ne(fds[i] = socket(AF_INET, SOCK_STREAM |
		    SOCK_CLOEXEC, 0), -1);
		ck_assert_int_eq(bind(fds[i], (struct sockaddr *)&sin, len), 0);
		ck_assert_int_eq(getsockname(fds[i], (struct sockaddr *)&sin,
		    &len), 0);
		ports[i] = ntohs(sin.sin_port);
	}
	for (i = 0; i < nitems(ports); i++)
		close(fds[i]);
}

/* A session runs as another user, who may not get to where the tests lie. */
static void
copy_self(const char *path)
{
	int	in = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int	out = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	ssize_t	n;

	ck_assert(in != -1 && out != -1);
	while ((n = sendfile(out, in, NULL, 1 << 20)) > 0)
		continue;
	ck_assert_int_eq(n, 0);
	ck_assert_int_eq(fchmod(out, 0755), 0);
	close(in);
	close(out);
}

static void
put_programs(void)
{
	static const char *const names[] = { "log", "keys", "route", "hop", "auth",
	    "local", "remote", "queue", "smtpd", "pop3d", "pop3d-session" };
	char	self[600], path[600];
	size_t	i;

	snprintf(self, sizeof(self), "%s/program", dir);
	copy_self(self);
	for (i = 0; i < nitems(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		ck_assert_int_eq(symlink(self, path), 0);
	}
}

static void
init_master(struct master *m)
{
	struct diag	why;
	size_t		i;

	memset(m, 0, sizeof(*m));
	m->conf = conf;
	m->foreground = true;
	m->tell = m->pidfile = m->spool_lock = -1;
	m->reload.said = m->reload.client = -1;
	for (i = 0; i < MASTER_CLIENTS; i++)
		m->clients[i].fd = -1;
	for (i = 0; i < ID_COUNT; i++) {
		m->programs[i].plan = &plan_programs[i];
		m->programs[i].link = -1;
	}
	if (settings_load(conf, &m->settings, &why) == -1 ||
	    msg_pair(m->log) == -1 || sockets_control(m, &why) == -1)
		_exit(1);
	for (i = 0; i < ID_COUNT; i++)
		if (m->programs[i].plan->service != NULL &&
		    sockets_listen(m->settings, (enum program_id)i, NULL, 0,
		    m->programs[i].listeners, &m->programs[i].nlisteners,
		    &why) == -1)
			_exit(2);
	m->signals = sig_init(SIG_EV_TERM | SIG_EV_HUP | SIG_EV_CHLD);
}

static pid_t
run_master(void)
{
	struct master	m;
	char		path[600];
	pid_t		pid = fork();

	ck_assert(pid != -1);
	if (pid != 0)
		return pid;
	snprintf(path, sizeof(path), "%s/stderr", dir);
	if (freopen(path, "w", stderr) == NULL)
		_exit(3);
	init_master(&m);
	_exit(loop_run(&m));
}

static void
put_file(const char *name)
{
	char	path[600];
	FILE	*f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	ck_assert_ptr_nonnull(f = fopen(path, "w"));
	ck_assert_int_eq(fclose(f), 0);
}

static void
setup(void)
{
	char	template[] = "/tmp/master.XXXXXX", more[128];

	ck_assert_ptr_nonnull(mkdtemp(template));
	strlcpy(dir, template, sizeof(dir));
	ck_assert_int_eq(chmod(dir, 0755), 0);
	snprintf(conf, sizeof(conf), "%s/conf", dir);
	find_ports();
	snprintf(more, sizeof(more), "smtp.listen 127.0.0.1:%u\n"
	    "pop3.listen 127.0.0.1:%u\n", ports[0], ports[3]);
	write_conf(more);
	put_programs();
	put_file("self-signed.crt");
	put_file("self-signed.key");
}

static void
teardown(void)
{
	char		 path[600];
	static const char *const files[] = { "program", "log", "keys", "route", "hop",
	    "auth", "local", "remote", "queue", "smtpd", "pop3d",
	    "pop3d-session", "conf", "notes",
	    "stderr", "control", "self-signed.crt", "self-signed.key" };
	size_t		 i;

	for (i = 0; i < nitems(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		unlink(path);
	}
	ck_assert_int_eq(rmdir(dir), 0);
}

static bool
wait_note(const char *text, int n)
{
	int	i;

	for (i = 0; i < 3000; i++) {
		if (count_notes(text) >= n)
			return true;
		poll(NULL, 0, 10);
	}
	return false;
}

/* Asks at the control socket; the answer's text, "" if there is none. */
static bool
ask(const char *verb, char *text, size_t n)
{
	struct buf	rec, answer;
	struct str	word;
	char		path[600];
	int		fd;
	bool		ok = false;

	text[0] = '\0';
	snprintf(path, sizeof(path), "%s/control", dir);
	if ((fd = msg_connect(path)) == -1)
		return false;
	buf_init(&rec, MSG_MAX);
	buf_init(&answer, MSG_MAX);
	record_puts(&rec, CONTROL_VERB, verb);
	if (msg_call(fd, &rec, NULL, &answer, NULL, 30000) == 0) {
		ok = record_get(buf_view(&answer), CONTROL_VERB, &word) &&
		    str_eq(word, STR("ok"));
		if (!record_gets(buf_view(&answer), CONTROL_TEXT, text, n))
			text[0] = '\0';
	}
	buf_free(&rec);
	buf_free(&answer);
	close(fd);
	return ok;
}

static bool
wait_running(char *text, size_t n)
{
	int	i;

	for (i = 0; i < 1500; i++) {
		if (ask("status", text, n))
			return true;
		poll(NULL, 0, 20);
	}
	return false;
}

static int
end(pid_t pid)
{
	int	status;

	kill(pid, SIGTERM);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* What the session said, with its user number at the end. */
static bool
session_said(void)
{
	FILE	*f;
	char	 path[600], line[256], want[64];
	bool	 first = false, ok = false;

	snprintf(path, sizeof(path), "%s/stderr", dir);
	snprintf(want, sizeof(want), "%u\n",
	    priv_is_root() ? 61001 : (unsigned)getuid());
	if ((f = fopen(path, "r")) == NULL)
		return false;
	while (!ok && fgets(line, sizeof(line), f) != NULL) {
		ok = first && strcmp(line, want) == 0;
		first = strcmp(line, "session ann LIST\r\n") == 0;
	}
	fclose(f);
	return ok;
}

/* The session is a process of its own: its word may come a moment later. */
static bool
session_will_say(void)
{
	int	i;

	for (i = 0; i < 600 && !session_said(); i++)
		usleep(50000);
	return session_said();
}

START_TEST(start_and_stop)
{
	pid_t	pid = run_master();
	char	text[4096];

	ck_assert(wait_running(text, sizeof(text)));
	ck_assert_ptr_nonnull(strstr(text, "10 of 10 programs running"));
	ck_assert_ptr_nonnull(strstr(text, "fed=3 busy=1"));
	ck_assert_ptr_null(strstr(text, "lmtp"));
	ck_assert(wait_note("ok", 1));		/* auth's session */
	ck_assert(session_will_say());		/* a stop would end it first */
	ck_assert_int_eq(end(pid), 0);
	ck_assert_int_eq(count_notes("start smtp"), 1);
	ck_assert_int_eq(count_notes("stop smtp"), 1);
	ck_assert_int_eq(count_notes("stop log"), 1);
}
END_TEST

START_TEST(restarts)
{
	pid_t	pid = run_master(), victim = 0;
	char	text[4096], *row;

	ck_assert(wait_running(text, sizeof(text)));
	row = strstr(text, "\nqueue ");
	ck_assert_ptr_nonnull(row);
	victim = (pid_t)strtol(row + 7, NULL, 10);
	ck_assert_int_gt(victim, 1);
	ck_assert_int_eq(kill(victim, SIGKILL), 0);
	ck_assert(wait_note("start queue", 2));	/* at once */
	ck_assert(wait_running(text, sizeof(text)));
	row = strstr(text, "\nqueue ");
	victim = (pid_t)strtol(row + 7, NULL, 10);
	ck_assert_int_eq(kill(victim, SIGKILL), 0);
	ck_assert(wait_note("start queue", 3));	/* after a second */
	ck_assert_int_eq(end(pid), 0);
}
END_TEST

START_TEST(reloads)
{
	pid_t	pid = run_master();
	char	text[4096], more[128];
	int	i;

	ck_assert(wait_running(text, sizeof(text)));
	snprintf(more, sizeof(more), "smtp.listen 127.0.0.1:%u 127.0.0.1:%u\n"
	    "pop3.listen none\nlmtp.listen 127.0.0.1:%u\n", ports[0],
	    ports[1], ports[2]);
	write_conf(more);
	ck_assert_msg(ask("reload", text, sizeof(text)), "%s", text);
	ck_assert(wait_note("reload smtp 2", 1));
	ck_assert(wait_note("reload queue 0", 1));
	ck_assert(wait_note("stop pop3", 1));
	ck_assert(wait_note("start lmtp", 1));
	/* it has said that it stops; that it has gone takes a moment more */
	for (i = 0; i < 1500; i++) {
		ck_assert(wait_running(text, sizeof(text)));
		if (strstr(text, "pop3") == NULL)
			break;
		poll(NULL, 0, 20);
	}
	ck_assert_ptr_null(strstr(text, "pop3"));
	ck_assert_int_eq(count_notes("-t"), 1);
	ck_assert_int_eq(count_notes("-c"), 1);
	ck_assert_int_eq(end(pid), 0);
}
END_TEST

START_TEST(reload_refused)
{
	pid_t	pid = run_master();
	char	text[4096];

	ck_assert(wait_running(text, sizeof(text)));
	write_conf("postmaster nobody-here\n");
	ck_assert(!ask("reload", text, sizeof(text)));
	ck_assert_ptr_nonnull(strstr(text, "an expectation fails"));
	write_conf("foo bar\nsmtp.hops x\n");
	ck_assert(!ask("reload", text, sizeof(text)));
	ck_assert_ptr_nonnull(strstr(text, ":9:1: unknown key"));
	ck_assert_ptr_nonnull(strstr(text, ":10:11:"));
	write_conf("smtp.listen 192.0.2.77:47125\n");
	ck_assert(!ask("reload", text, sizeof(text)));
	ck_assert_ptr_nonnull(strstr(text, "192.0.2.77:47125"));
	ck_assert(wait_running(text, sizeof(text)));
	ck_assert_int_eq(count_notes("reload smtp 1"), 0);
	ck_assert_int_eq(end(pid), 0);
	ck_assert_int_eq(count_notes("start smtp"), 1);
}
END_TEST

START_TEST(start_fails)
{
	char	path[600];
	int	status;
	pid_t	pid;

	snprintf(path, sizeof(path), "%s/queue", dir);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(symlink("/bin/false", path), 0);
	pid = run_master();
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), EX_UNAVAILABLE);
}
END_TEST

/* Under which name, and so in which directory, were we started? */
static int
play(int argc, char *argv[])
{
	const char	*path, *name;

	path = (const char *)(uintptr_t)getauxval(AT_EXECFN);
	if ((name = strrchr(path, '/')) == NULL ||
	    str_copy(dir, sizeof(dir), (struct str){ path,
	    (size_t)(name - path) }) == -1)
		return EX_SOFTWARE;
	if (strcmp(name, "/pop3d-session") == 0)
		return play_session();
	if (strcmp(name, "/route") == 0 && argc == 2)
		return play_route(argv[1]);
	return play_program(argv[0]);
}

int
main(int argc, char *argv[])
{
	Suite	*suite;
	TCase	*tc;
	SRunner	*sr;
	int	 failed;

	if (getenv("PH_FDS") != NULL)
		return play(argc, argv);
	suite = suite_create("master_loop");
	tc = tcase_create("loop");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, start_and_stop);
	tcase_add_test(tc, restarts);
	tcase_add_test(tc, reloads);
	tcase_add_test(tc, reload_refused);
	tcase_add_test(tc, start_fails);
	suite_add_tcase(suite, tc);
	sr = srunner_create(suite);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
