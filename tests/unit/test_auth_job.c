/*
 * tests/unit/test_auth_job.c - logins under way: what the front hears and
 * when, and that nothing of them is left. Tables, workers, fronts and the
 * master are ours.
 */
#include "auth/auth.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth/source_system.h"
#include "auth/worker.h"
#include "auth/worker_keys.h"
#include "common/base/attr.h"
#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/fmt/record.h"
#include "common/proc/child.h"

struct peer {		/* a front */
	void	*data;
	char	said[16], kind[16], user[32];
	struct buf challenge;
	bool	dropped, deaf;
	enum auth_role role;
};

#define WORKERS		2

static struct auth	a;
static struct peer	fronts[4];
static int		master[2];
static struct { bool pending; int which; uint64_t id; } works[WORKERS];
static const char	*from;		/* the client */
static bool		tokens, no_tables, no_mailbox, worker_breaks, encrypted;

/* ---- in place of peers.c, worker.c, check.c and main.c */

void
peer_set(struct peer *p, void *data)
{
	p->data = data;
}

unsigned
peer_role(const struct peer *p)
{
	return p->role;
}

void *
peer_get(const struct peer *p)
{
	return p->data;
}

int
peer_send(struct peer *p, const struct buf *rec)
{
	struct str	data;

	ck_assert(record_ok(buf_view(rec)));
	ck_assert_str_eq(p->said, "");	/* one answer each */
	ck_assert(record_gets(buf_view(rec), AUTH_VERB, p->said,
	    sizeof(p->said)));
	if (!record_gets(buf_view(rec), AUTH_KIND, p->kind, sizeof(p->kind)))
		p->kind[0] = '\0';
	if (!record_gets(buf_view(rec), AUTH_USER, p->user, sizeof(p->user)))
		p->user[0] = '\0';
	buf_init(&p->challenge, MSG_MAX);
	if (record_get(buf_view(rec), AUTH_DATA, &data))
		buf_addstr(&p->challenge, data);
	return p->deaf ? -1 : 0;
}

void
peer_drop(struct peer *p)
{
	p->dropped = true;
	job_peer_gone(&a, p);
	p->data = NULL;
}

/* The password says what the worker will answer. */
int
worker_ask(int fd, uint64_t id, const struct secret *secrets, size_t n,
    struct str password)
{
	if (worker_breaks) {
		errno = EPIPE;
		return -1;
	}
	ck_assert(!works[fd].pending);
	ck_assert_uint_eq(n, 2);
	ck_assert(str_eq(secrets[0].record, STR("hash")));
	works[fd].pending = true;
	works[fd].id = id;
	works[fd].which = str_eq(password, STR("right")) ? 0 :
	    str_eq(password, STR("telephone")) ? 1 : -1;
	return 0;
}

int
worker_answer(int fd, struct buf *rec, uint64_t *id, int *which)
{
	(void)rec;
	if (!works[fd].pending)
		return 0;
	works[fd].pending = false;
	*id = works[fd].id;
	*which = works[fd].which;
	return works[fd].id == 0 ? -1 : 1;
}

/* What is behind the names: see accounts. */
int
check_prepare(struct auth *auth, struct job *j, const char **text)
{
	struct account	*acc = &j->account;

	(void)auth;
	*text = "no tables";
	if (no_tables)
		return -1;
	j->known = j->sasl.user[0] != '\0' &&
	    strcmp(j->sasl.user, "nobody") != 0;
	ck_assert_int_eq(str_lower(acc->user.name, sizeof(acc->user.name),
	    str_from(j->sasl.user)), 0);
	acc->user.uid = strcmp(j->sasl.user, "low") == 0 ? 10 : 61001;
	acc->system = strcmp(j->sasl.user, "sys") == 0;
	acc->any = strcmp(j->sasl.user, "open") == 0;
	acc->master = strcmp(j->sasl.user, "chief") == 0;
	acc->nologin = strcmp(j->sasl.user, "gone") == 0;
	acc->reason = STR("moved");
	if (strcmp(j->sasl.user, "sender") == 0)
		acc->services = STR("submission");
	if (strcmp(j->sasl.user, "near") == 0)
		acc->networks = STR("192.0.3.0/24");
	acc->secrets[0] = (struct secret){ STR("hash"), STR(""), STR("") };
	acc->secrets[1] = (struct secret){ STR("hash2"), STR("phone"),
	    STR("") };
	acc->nsecrets = 2;
	j->user = acc->user;
	return 0;
}

/* Masters may be bob. */
const char *
check_other(struct auth *auth, struct job *j, const char **why)
{
	(void)auth;
	*why = "not as another";
	if (strcmp(j->sasl.authzid, j->user.name) == 0)
		return NULL;
	if (!j->account.master || strcmp(j->sasl.authzid, "bob") != 0)
		return AUTH_DENIED;
	strlcpy(j->user.name, "bob", sizeof(j->user.name));
	return NULL;
}

static int			system_pair[2] = { -1, -1 };
static enum system_verdict	system_says;

int
system_ask(const char *name, const char *password, const char *service,
    const char *client)
{
	ck_assert_str_eq(name, "sys");
	ck_assert_str_eq(password, "right");
	ck_assert_str_eq(service, "pop3");
	ck_assert_str_eq(client, from);
	if (system_says == SYSTEM_WAIT) {
		errno = EAGAIN;
		return -1;
	}
	ck_assert_int_eq(msg_pair(system_pair), 0);
	return system_pair[0];
}

enum system_verdict
system_answer(int fd, struct buf *rec, struct user *u, char why[SYSTEM_WHY_MAX])
{
	(void)rec;
	ck_assert_int_eq(fd, system_pair[0]);
	why[0] = '\0';
	u->uid = 61005;
	return system_says;
}

int
check_session(struct auth *auth, struct job *j, const struct request *take,
    struct buf *rec, const char **text)
{
	(void)auth;
	*text = "no mailbox";
	record_puts(rec, AUTH_VERB, "session");
	record_putu(rec, AUTH_TAG, j->id);
	record_puts(rec, AUTH_USER, j->user.name);
	record_put(rec, AUTH_PENDING, take->pending);
	record_puts(rec, AUTH_NOTE, take->note);
	return no_mailbox ? -1 : 0;
}

int
check_salt(struct auth *auth, struct job *j, struct scram_keys *k)
{
	(void)auth;
	(void)j;
	*k = (struct scram_keys){ .salt_n = 4, .iterations = 4096 };
	return 0;
}

/* ann's are stored, bob's are made from his password, carol has none. */
bool
check_keys(const struct job *j, struct scram_keys *k)
{
	if (strcmp(j->user.name, "ann") != 0)
		return false;
	ck_assert_int_eq(check_salt(&a, (struct job *)(uintptr_t)j, k), 0);
	ck_assert_int_eq(scram_keys_derive(sasl_hash(&j->sasl), STR("right"),
	    k), 0);
	return true;
}

bool
check_plain(const struct job *j, struct buf *out)
{
	return strcmp(j->user.name, "bob") == 0 && buf_adds(out, "right") == 0;
}

struct str
check_scram_name(const struct job *j)
{
	(void)j;
	return STR("");
}

static unsigned	keys_made;

int
worker_keys_ask(int fd, uint64_t id, const struct scram_hash *h,
    struct str password, const struct scram_keys *k)
{
	(void)h;
	(void)k;
	ck_assert(!works[fd].pending);
	ck_assert(str_eq(password, STR("right")) ||
	    str_eq(password, STR("nobody")));
	works[fd].pending = true;
	works[fd].id = id;
	keys_made++;
	return 0;
}

bool
worker_keys_answer(const struct scram_hash *h, struct str rec,
    struct scram_keys *k)
{
	(void)rec;
	return scram_keys_derive(h, STR("right"), k) == 0;
}

const char *
check_certificate(const struct auth *auth, const struct job *j)
{
	(void)auth;
	ck_assert_uint_eq(strlen(j->fingerprint), DIGEST_HEX);
	return j->sasl.authzid[0] != '\0' &&
	    strcmp(j->sasl.authzid, "ann") != 0 ? NULL : "ann";
}

/* ---- in place of token.c: the token says what there is to say */

static struct {
	token_done	*done;
	void		*arg;
	char		 token[16];
	bool		 cancelled;
} asked;

struct token_check *
token_ask(struct tokens *t, const struct token_question *q, token_done *done,
    void *arg)
{
	(void)t;
	ck_assert_int_eq(str_copy(asked.token, sizeof(asked.token), q->token),
	    0);
	if (strcmp(asked.token, "full") == 0)
		return NULL;
	asked.done = done;
	asked.arg = arg;
	return (struct token_check *)&asked;
}

void
token_cancel(struct token_check **cp)
{
	*cp = NULL;
	asked.cancelled = true;
}

bool
token_offered(const struct tokens *t)
{
	(void)t;
	return tokens;
}

static void
token_answers(void)
{
	struct token_answer	answer = { .why = "expired", .mark = "jti=1",
		.json = STR("{\"status\":\"invalid_token\"}") };

	if (strcmp(asked.token, "later") == 0)
		answer.result = TOKEN_TEMPORARY;
	else if (strcmp(asked.token, "bad") == 0)
		answer.result = TOKEN_REFUSED;
	else
		strlcpy(answer.user, asked.token, sizeof(answer.user));
	asked.done(asked.arg, &answer);
}

static int	stopped;	/* what auth_stop was told */

void
auth_stop(struct auth *auth, int status)
{
	(void)auth;
	stopped = status;
}

/* ---- */

static void
setup(void)
{
	struct diag	why;
	size_t		i;

	stopped = 0;
	ck_assert_ptr_ne(signal(SIGPIPE, SIG_IGN), SIG_ERR);
	memset(&a, 0, sizeof(a));
	memset(fronts, 0, sizeof(fronts));
	memset(works, 0, sizeof(works));
	tokens = no_tables = no_mailbox = worker_breaks = encrypted = false;
	TAILQ_INIT(&a.jobs);
	ck_assert_int_eq(settings_parse(STR("hostname mx.test\n"
	    "auth.master-separator *\nauth.delay 100ms\nlocal.min-uid 1000\nauth.failures 8\n"
	    "auth.client-failures 12\nauth.deny 192.0.2.0/24 *\n"
	    "auth.allow 127.0.0.0/8 imap\nauth.deny 198.51.100.1 pop3\n"
	    "auth.mechanisms PLAIN LOGIN SCRAM-SHA-256 EXTERNAL "
	    "OAUTHBEARER XOAUTH2\nauth.token-keys /k\n"
	    "auth.token-issuer i\nauth.token-scope mail\n"), "t",
	    &a.settings, &why), 0);
	backoff_init(&a.backoff, 42);
	from = "127.0.0.1";
	ck_assert_ptr_nonnull(a.base = event_base_new());
	buf_init(&a.rec, MSG_MAX);
	a.nworkers = WORKERS;
	for (i = 0; i < WORKERS; i++)
		a.workers[i] = (struct worker){ .fd = (int)i, .auth = &a };
	ck_assert_int_eq(msg_pair(master), 0);
	ck_assert_int_eq(fdio_nonblock(master[0], 1), 0);
	ck_assert_int_eq(dup2(master[1], FD_LINK), FD_LINK);
	log_open(-1, "auth");
	log_set_level(LOG_LEVEL_ERROR);
	ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
}

static void
teardown(void)
{
	size_t	i;

	job_free_all(&a);
	ck_assert_uint_eq(a.njobs, 0);
	event_base_free(a.base);
	settings_free(&a.settings);
	buf_free(&a.rec);
	for (i = 0; i < nitems(fronts); i++)
		buf_free(&fronts[i].challenge);
	close(master[0]);
	close(master[1]);
	close(FD_LINK);
}

/* The record is wiped, so that of a password nothing is left in it. */
static int
send_it(struct peer *p, struct buf *rec, size_t nfds)
{
	struct msg_fds	fds = { .n = 0 };
	size_t		i;
	int		r;

	p->said[0] = '\0';
	buf_free(&p->challenge);
	while (fds.n < nfds)
		fds.fd[fds.n++] = open("/dev/null", O_RDONLY);
	ck_assert(buf_ok(rec));
	r = job_packet(&a, p, rec, &fds);
	for (i = 0; i < rec->cap; i++)
		ck_assert_int_eq(rec->p[i], 0);
	msg_close_fds(&fds);
	buf_free(rec);
	if (r == -1)
		peer_drop(p);
	return r;
}

static void
begin(struct buf *rec, const char *verb, const char *service)
{
	buf_init(rec, MSG_MAX);
	record_puts(rec, AUTH_VERB, verb);
	record_puts(rec, AUTH_SERVICE, service);
	record_puts(rec, AUTH_CLIENT, from);
	if (encrypted)
		record_puts(rec, AUTH_TLS, "TLSv1.3 TLS_AES_256_GCM_SHA384");
}

static int
ask_for(struct peer *p, const char *service, const char *user, const char *pass)
{
	struct buf	rec;

	begin(&rec, "login", service);
	record_puts(&rec, AUTH_USER, user);
	record_puts(&rec, AUTH_PASS, pass);
	return send_it(p, &rec, 0);
}

static int
ask(struct peer *p, const char *user, const char *pass)
{
	return ask_for(p, "pop3", user, pass);
}

/* response NULL: there is none */
static int
ask_sasl(struct peer *p, const char *mechanism, const struct str *response)
{
	struct buf	rec;

	begin(&rec, "sasl", "pop3");
	record_puts(&rec, AUTH_MECHANISM, mechanism);
	if (response != NULL)
		record_put(&rec, AUTH_RESPONSE, *response);
	return send_it(p, &rec, 0);
}

static int
step(struct peer *p, struct str response)
{
	struct buf	rec;

	buf_init(&rec, MSG_MAX);
	record_puts(&rec, AUTH_VERB, "step");
	record_put(&rec, AUTH_RESPONSE, response);
	return send_it(p, &rec, 0);
}

static int
take(struct peer *p, size_t nfds)
{
	struct buf	rec;

	buf_init(&rec, MSG_MAX);
	record_puts(&rec, AUTH_VERB, "take");
	record_puts(&rec, AUTH_USER, "eve");	/* nobody listens to this */
	record_puts(&rec, AUTH_PENDING, "STAT\r\n");
	record_puts(&rec, AUTH_NOTE, "utf8");
	return send_it(p, &rec, nfds);
}

static int
bare(struct peer *p, const char *verb)
{
	struct buf	rec;

	buf_init(&rec, MSG_MAX);
	record_puts(&rec, AUTH_VERB, verb);
	return send_it(p, &rec, 0);
}

static void
work(size_t i)
{
	job_worker_readable((evutil_socket_t)i, EV_READ, &a.workers[i]);
}

/* Until the front hears something, or so long. */
static int64_t
wait_for(const struct peer *p, int64_t most)
{
	int64_t	begun = now_ms();

	while (p->said[0] == '\0' && now_ms() - begun < most) {
		ck_assert_int_ne(event_base_loop(a.base, EVLOOP_NONBLOCK), -1);
		usleep(1000);
	}
	return now_ms() - begun;
}

/* A certificate that the handshake has proven. */
static int
ask_external(struct peer *p, const char *authzid)
{
	struct buf	rec;

	encrypted = true;
	begin(&rec, "sasl", "pop3");
	record_puts(&rec, AUTH_MECHANISM, "EXTERNAL");
	record_puts(&rec, AUTH_CERT, "certificate");
	record_puts(&rec, AUTH_RESPONSE, authzid);
	return send_it(p, &rec, 0);
}

/* No delays, so that the tests have none. */
static void
at_once(void)
{
	a.settings->auth_delay = 0;
}

static void
master_says(const char *verb, uint64_t id)
{
	struct buf	b;

	buf_init(&b, 256);
	record_puts(&b, AUTH_VERB, verb);
	record_putu(&b, AUTH_TAG, id);
	job_master_said(&a, buf_view(&b));
	buf_free(&b);
}

/* What the master is asked. */
static uint64_t
session_tag(void)
{
	char		user[32];
	struct msg_fds	fds;
	struct buf	b;
	struct str	pending;
	uint64_t	id = 0;

	buf_init(&b, MSG_MAX);
	ck_assert_int_eq(msg_recv(master[0], &b, &fds), 1);
	ck_assert_uint_eq(fds.n, 1);
	msg_close_fds(&fds);
	ck_assert(record_getu(buf_view(&b), AUTH_TAG, UINT64_MAX, &id));
	ck_assert(record_get(buf_view(&b), AUTH_PENDING, &pending));
	ck_assert(str_eq(pending, STR("STAT\r\n")));
	ck_assert(record_gets(buf_view(&b), AUTH_NOTE, user, sizeof(user)));
	ck_assert_str_eq(user, "utf8");
	ck_assert(record_gets(buf_view(&b), AUTH_USER, user, sizeof(user)));
	ck_assert_str_eq(user, "ann");
	buf_free(&b);
	return id;
}

static void
expect(const struct peer *p, const char *verb, const char *kind)
{
	ck_assert_str_eq(p->said, verb);
	ck_assert_str_eq(p->kind, kind);
}

/* The first half: ann has proven her password. */
static void
prove(struct peer *p)
{
	ck_assert_int_eq(ask(p, "ann", "right"), 0);
	work(0);
	expect(p, "ok", "");
	ck_assert_str_eq(p->user, "ann");
	ck_assert_uint_eq(a.njobs, 1);
}

START_TEST(login)
{
	uint64_t	id;

	prove(&fronts[0]);
	ck_assert_uint_eq(a.logins, 1);
	ck_assert_int_eq(take(&fronts[0], 1), 0);
	id = session_tag();
	ck_assert_str_eq(fronts[0].said, "");
	master_says("ok", id + 1);		/* about another one */
	ck_assert_str_eq(fronts[0].said, "");
	master_says("ok", id);
	expect(&fronts[0], "ok", "");
	ck_assert_str_eq(fronts[0].user, "");
	ck_assert_uint_eq(a.njobs, 0);
	ck_assert_ptr_null(fronts[0].data);
	fronts[0].said[0] = '\0';
	master_says("ok", id);			/* once more: nobody's */
	ck_assert_str_eq(fronts[0].said, "");
}
END_TEST

/* Who serves no mailbox has nothing to take. */
/* Accounts of all kinds; a kind of failure, or the one whose session it is. */
static const struct { const char *user, *pass, *from, *session, *kind; }
    accounts[] = {
	{ "ann", "telephone", "127.0.0.1", "ann", NULL },
	{ "open", "anything", "127.0.0.1", "open", NULL },
	{ "gone", "right", "127.0.0.1", NULL, AUTH_DENIED },
	{ "gone", "wrong", "127.0.0.1", NULL, AUTH_WRONG },
	{ "sender", "right", "127.0.0.1", NULL, AUTH_DENIED },
	{ "near", "right", "127.0.0.1", NULL, AUTH_DENIED },
	{ "near", "right", "192.0.3.4", "near", NULL },
	{ "bob*chief", "right", "127.0.0.1", "bob", NULL },
	{ "chief*chief", "right", "127.0.0.1", "chief", NULL },
	{ "carol*chief", "right", "127.0.0.1", NULL, AUTH_DENIED },
	{ "bob*ann", "right", "127.0.0.1", NULL, AUTH_DENIED },
	{ "bob*chief", "wrong", "127.0.0.1", NULL, AUTH_WRONG },
	{ "*chief", "right", "127.0.0.1", "chief", NULL },
	{ "bob*", "right", "127.0.0.1", NULL, AUTH_WRONG },
};

START_TEST(account)
{
	at_once();
	encrypted = true;
	from = accounts[_i].from;
	ck_assert_int_eq(ask(&fronts[0], accounts[_i].user, accounts[_i].pass),
	    0);
	if (works[0].pending)
		work(0);
	wait_for(&fronts[0], 1000);
	expect(&fronts[0], accounts[_i].session != NULL ? "ok" : "fail",
	    accounts[_i].session != NULL ? "" : accounts[_i].kind);
	if (accounts[_i].session != NULL)
		ck_assert_str_eq(fronts[0].user, accounts[_i].session);
}
END_TEST

static const struct { enum system_verdict verdict; const char *verb, *kind; }
    systems[] = {
	{ SYSTEM_OK, "ok", "" }, { SYSTEM_UNKNOWN, "fail", AUTH_WRONG },
	{ SYSTEM_WRONG, "fail", AUTH_WRONG },
	{ SYSTEM_DENIED, "fail", AUTH_DENIED }, { SYSTEM_TEMP, "temp", "" },
	{ SYSTEM_WAIT, "temp", "" }	/* as many as can be asked already */
};

START_TEST(of_the_system)
{
	at_once();
	system_says = systems[_i].verdict;
	ck_assert_int_eq(ask(&fronts[0], "sys", "right"), 0);
	if (system_says != SYSTEM_WAIT) {
		ck_assert_str_eq(fronts[0].said, "");
		ck_assert_int_eq(write(system_pair[1], "x", 1), 1);
		wait_for(&fronts[0], 1000);
		close(system_pair[1]);
	}
	expect(&fronts[0], systems[_i].verb, systems[_i].kind);
	ck_assert_str_eq(fronts[0].user, _i == 0 ? "sys" : "");
	ck_assert_uint_eq(a.njobs, _i == 0);
}
END_TEST

START_TEST(front_of_the_system_goes)
{
	system_says = SYSTEM_OK;
	ck_assert_int_eq(ask(&fronts[0], "sys", "right"), 0);
	peer_drop(&fronts[0]);
	ck_assert_uint_eq(a.njobs, 0);
	ck_assert_int_eq(write(system_pair[1], "x", 1), -1);	/* nobody listens */
	close(system_pair[1]);
}
END_TEST

START_TEST(submission)
{
	from = "203.0.113.1";
	fronts[0].role = ROLE_SMTP;
	ck_assert_int_eq(ask_for(&fronts[0], "submission", "ann", "right"), 0);
	expect(&fronts[0], "fail", AUTH_CLEARTEXT);
	encrypted = true;
	ck_assert_int_eq(ask_for(&fronts[0], "submission", "ann", "right"), 0);
	work(0);
	expect(&fronts[0], "ok", "");
	ck_assert_str_eq(fronts[0].user, "ann");
	ck_assert_uint_eq(a.njobs, 0);
	ck_assert_int_eq(take(&fronts[0], 1), -1);
	/* and asks for no mailbox, nor who serves them for this */
	ck_assert_int_eq(ask_for(&fronts[0], "pop3", "ann", "right"), -1);
	ck_assert_int_eq(ask_for(&fronts[1], "submission", "ann", "right"), -1);
	ck_assert_uint_eq(a.njobs, 0);
}
END_TEST

START_TEST(no_session)	/* loop: the master refuses, no mailbox, no tables */
{
	no_mailbox = _i == 1;
	no_tables = _i == 2;
	if (_i < 2) {
		prove(&fronts[0]);
		ck_assert_int_eq(take(&fronts[0], 1), 0);
	} else
		ck_assert_int_eq(ask(&fronts[0], "ann", "right"), 0);
	if (_i == 0)
		master_says("temp", session_tag());
	expect(&fronts[0], "temp", "");
	ck_assert_uint_eq(a.temporary, 1);
	ck_assert_uint_eq(a.njobs, 0);
	no_mailbox = no_tables = false;
	prove(&fronts[0]);	/* it may try again */
}
END_TEST

static const struct { const char *user, *pass; } wrong[] = {
	{ "ann", "wrong" }, { "nobody", "right" }, { "nobody", "wrong" },
	{ "low", "right" }
};

/* All of them look the same from outside, the time included. */
START_TEST(failure)
{
	int64_t	begun = now_ms();
	bool	early;

	ck_assert_int_eq(ask(&fronts[0], wrong[_i].user, wrong[_i].pass), 0);
	usleep(20000);		/* the check took some time */
	work(0);
	early = fronts[0].said[0] != '\0';
	/* unless this took all of the time */
	ck_assert(!early || now_ms() - begun >= 90);
	wait_for(&fronts[0], 60000);
	ck_assert_int_ge(now_ms() - begun, 90);
	expect(&fronts[0], "fail", AUTH_WRONG);
	ck_assert_uint_eq(a.failures, 1);
	ck_assert_uint_eq(a.njobs, 0);
}
END_TEST

START_TEST(who_guesses_waits)
{
	int	i;

	ck_assert_int_eq(ask(&fronts[1], "bob", "right"), 0);
	work(0);
	for (i = 0; i < 3; i++) {
		ck_assert_int_eq(ask(&fronts[0], "ann", "wrong"), 0);
		work(0);
		wait_for(&fronts[0], 20000);
		expect(&fronts[0], "fail", AUTH_WRONG);
	}
	ck_assert_int_eq(ask(&fronts[0], "ann", "right"), 0);
	ck_assert(!works[0].pending);		/* not even looked at */
	ck_assert_int_eq(((struct job *)fronts[0].data)->state, JOB_HELD);
	/* somebody else from there, who has been there before, does not */
	peer_drop(&fronts[1]);
	ck_assert_int_eq(ask(&fronts[1], "bob", "right"), 0);
	work(0);
	expect(&fronts[1], "ok", "");
	while (!works[0].pending) {
		ck_assert_int_ne(event_base_loop(a.base, EVLOOP_ONCE), -1);
	}
	work(0);
	expect(&fronts[0], "ok", "");
}
END_TEST

/* Fails so often; true if it was at last blocked. */
static bool
guess(struct peer *p, const char *user, int times)
{
	while (times-- > 0) {
		ck_assert_int_eq(ask(p, user, "wrong"), 0);
		while (p->said[0] == '\0') {
			(void)event_base_loop(a.base, EVLOOP_NONBLOCK);
			if (works[0].pending)
				work(0);
		}
		ck_assert_str_eq(p->said, "fail");
		if (strcmp(p->kind, AUTH_BLOCKED) == 0)
			return true;
		ck_assert_str_eq(p->kind, AUTH_WRONG);
	}
	return false;
}

START_TEST(pair_is_blocked)
{
	at_once();
	ck_assert(!guess(&fronts[0], "ann", 8));
	ck_assert_uint_eq(a.blocked, 0);
	/* the right password is not even looked at, under no name of his */
	ck_assert_int_eq(ask(&fronts[0], "ann", "right"), 0);
	expect(&fronts[0], "fail", AUTH_BLOCKED);
	ck_assert_int_eq(ask(&fronts[0], "ANN", "right"), 0);
	expect(&fronts[0], "fail", AUTH_BLOCKED);
	ck_assert(!works[0].pending);
	ck_assert_uint_eq(a.blocked, 2);
	/* others from there can, and he from elsewhere */
	ck_assert_int_eq(ask(&fronts[0], "bob", "right"), 0);
	work(0);
	expect(&fronts[0], "ok", "");
	peer_drop(&fronts[0]);
	from = "127.0.0.2";
	prove(&fronts[1]);
}
END_TEST

START_TEST(client_is_blocked)	/* loop: an account of his own helps him, or not */
{
	static const char *const names[] = { "a1", "a2", "a3", "a4", "a5",
	    "a6", "a7", "a8", "a9", "b1", "b2", "b3" };
	size_t	i;

	at_once();
	for (i = 0; i < nitems(names); i++) {
		ck_assert(!guess(&fronts[0], names[i], 1));
		if (_i == 1 && i < nitems(names) - 1) {
			prove(&fronts[1]);
			peer_drop(&fronts[1]);
		}
	}
	ck_assert_int_eq(ask(&fronts[0], "ann", "right"), 0);
	expect(&fronts[0], "fail", AUTH_BLOCKED);
	from = "127.0.0.2";
	prove(&fronts[1]);
}
END_TEST

/* Who mistypes his own password and then does not, has failed with nothing. */
START_TEST(own_failures_are_forgiven)
{
	int	i;

	at_once();
	for (i = 0; i < 10; i++) {
		ck_assert(!guess(&fronts[0], "ann", 7));
		prove(&fronts[0]);
		peer_drop(&fronts[0]);
	}
}
END_TEST

/* As many at the same time as there are failures left are looked at, the others wait for them. */
START_TEST(all_at_once)
{
	static struct peer	many[40];
	size_t			i, held = 0, n = 0;

	at_once();
	for (i = 0; i < nitems(many); i++)
		ck_assert_int_eq(ask(&many[i], i % 2 == 0 ? "ann" : "bob",
		    "wrong"), 0);
	for (i = 0; i < nitems(many); i++)
		held += ((struct job *)many[i].data)->state == JOB_HELD;
	ck_assert_uint_eq(held, nitems(many) - 12);
	for (i = 0; i < nitems(many); i++)
		while (many[i].said[0] == '\0') {
			(void)event_base_loop(a.base, EVLOOP_NONBLOCK);
			work(0);
			work(1);
		}
	for (i = 0; i < nitems(many); i++)
		n += strcmp(many[i].kind, AUTH_WRONG) == 0;
	ck_assert_uint_eq(n, 12);
	ck_assert_uint_eq(a.blocked, nitems(many) - 12);
}
END_TEST

/* Somebody fails with ann's name from everywhere: where she has been she is not made to wait. */
START_TEST(stranger)
{
	static char	where[200][32];
	size_t		i;

	prove(&fronts[1]);
	peer_drop(&fronts[1]);
	at_once();
	for (i = 0; i < nitems(where); i++) {
		snprintf(where[i], sizeof(where[i]), "203.0.113.%zu", i);
		from = where[i];
		a.settings->auth_delay = 0;
		encrypted = true;
		ck_assert(!guess(&fronts[0], "ann", 1));
	}
	a.settings->auth_delay = 100;
	from = "127.0.0.1";
	prove(&fronts[1]);
	from = "127.0.0.9";
	ck_assert_int_eq(ask(&fronts[2], "ann", "right"), 0);
	ck_assert(!works[0].pending);
	ck_assert_int_eq(((struct job *)fronts[2].data)->state, JOB_HELD);
	ck_assert_int_eq(ask(&fronts[3], "bob", "right"), 0);
	work(0);
	expect(&fronts[3], "ok", "");
}
END_TEST

static const struct { const char *from, *service; bool ok; } places[] = {
	{ "192.0.2.77", "pop3", false }, { "192.0.2.77", "imap", false },
	{ "192.0.3.77", "pop3", true }, { "192.0.3.77", "imap", false },
	{ "127.0.0.1", "imap", true }, { "198.51.100.1", "pop3", false },
	{ "198.51.100.2", "pop3", true }, { "2001:db8::1", "imap", false },
	{ "2001:db8::1", "submission", true }, { "", "imap", false },
	{ "", "pop3", true }
};

START_TEST(networks)
{
	from = places[_i].from;
	encrypted = true;
	fronts[0].role = request_is_mailbox(places[_i].service) ? ROLE_LOGIN :
	    ROLE_SMTP;
	ck_assert_int_eq(ask_for(&fronts[0], places[_i].service, "ann",
	    "right"), 0);
	if (places[_i].ok) {
		work(0);
		expect(&fronts[0], "ok", "");
	} else
		expect(&fronts[0], "fail", AUTH_DENIED);
	ck_assert_uint_eq(a.denied, !places[_i].ok);
}
END_TEST

START_TEST(more_than_workers)
{
	size_t	i;

	for (i = 0; i < 4; i++)
		ck_assert_int_eq(ask(&fronts[i], "ann", "right"), 0);
	ck_assert(works[0].pending && works[1].pending);
	for (i = 0; i < 4; i++) {
		work(i % 2);
		expect(&fronts[i], "ok", "");
	}
	for (i = 0; i < 4; i++) {
		ck_assert_int_eq(take(&fronts[i], 1), 0);
		master_says("ok", session_tag());
		expect(&fronts[i], "ok", "");
	}
	ck_assert_uint_eq(a.njobs, 0);
}
END_TEST

static const struct str	right = { "\0ann\0right", 10 };

START_TEST(plain)	/* loop: with and without an initial response */
{
	ck_assert_int_eq(ask_sasl(&fronts[0], "plain",
	    _i == 0 ? &right : NULL), 0);
	if (_i == 1) {
		expect(&fronts[0], "more", "");
		ck_assert_uint_eq(fronts[0].challenge.n, 0);
		ck_assert_int_eq(step(&fronts[0], right), 0);
	}
	work(0);
	expect(&fronts[0], "ok", "");
	ck_assert_str_eq(fronts[0].user, "ann");
	ck_assert_int_eq(take(&fronts[0], 1), 0);
	master_says("ok", session_tag());
	expect(&fronts[0], "ok", "");
}
END_TEST

static const struct { const char *mechanism; struct str in; const char *kind; }
    malformed[] = {
	{ "PLAIN", { "", 0 }, AUTH_SYNTAX },
	{ "PLAIN", { "\0ann", 4 }, AUTH_SYNTAX },
	{ "PLAIN", { "\0\0right", 7 }, AUTH_SYNTAX },
	{ "PLAIN", { "\0ann\0", 5 }, AUTH_SYNTAX },
	{ "PLAIN", { "\0ann\0x\0y", 8 }, AUTH_SYNTAX },
	{ "PLAIN", { "\0ann\0\xff", 6 }, AUTH_SYNTAX },
	{ "NTLM", { "x", 1 }, AUTH_MECHANISM_UNKNOWN },
	{ "", { "x", 1 }, AUTH_MECHANISM_UNKNOWN },
	{ "EXTERNAL", { "", 0 }, AUTH_MECHANISM_UNKNOWN },	/* no certificate */
	{ "SCRAM-SHA-256-PLUS", { "", 0 }, AUTH_MECHANISM_UNKNOWN },
	{ "SCRAM-SHA-256", { "n,,n=ann", 8 }, AUTH_SYNTAX },
};

START_TEST(bad_message)
{
	ck_assert_int_eq(ask_sasl(&fronts[0], malformed[_i].mechanism,
	    &malformed[_i].in), 0);
	expect(&fronts[0], "fail", malformed[_i].kind);
	ck_assert_uint_eq(a.njobs, 0);
	prove(&fronts[0]);	/* it may try again */
}
END_TEST

static const struct { const char *authzid; bool ok; } certificates[] = {
	{ "", true }, { "ann", true }, { "bob", false }, { "an\nn", false }
};

START_TEST(external)
{
	at_once();
	ck_assert_int_eq(ask_external(&fronts[0], certificates[_i].authzid),
	    0);
	if (fronts[0].said[0] == '\0')
		(void)event_base_loop(a.base, EVLOOP_ONCE);
	ck_assert_str_eq(fronts[0].said, certificates[_i].ok ? "ok" : "fail");
	ck_assert_str_eq(fronts[0].user, certificates[_i].ok ? "ann" : "");
}
END_TEST

/* The client's half of RFC 5802, and RFC 7677 with it. */
static const struct { const char *user, *password; bool ok; unsigned made; }
    scrams[] = {
	{ "ann", "right", true, 0 }, { "ann", "wrong", false, 0 },
	{ "bob", "right", true, 1 }, { "bob", "wrong", false, 1 },
	{ "carol", "right", false, 1 }, { "nobody", "right", false, 1 },
	{ "low", "right", false, 1 }
};

START_TEST(scram)
{
	struct scram	c;
	struct buf	out;
	struct str	message;

	at_once();
	buf_init(&out, 4096);
	ck_assert_int_eq(scram_begin(&c, &digest_scram_sha256,
	    str_from(scrams[_i].user), STR("nonce"), &out), 0);
	message = buf_view(&out);
	ck_assert_int_eq(ask_sasl(&fronts[0], "scram-sha-256", &message), 0);
	expect(&fronts[0], "more", "");
	buf_reset(&out);
	ck_assert_int_eq(scram_answer(&c, buf_view(&fronts[0].challenge),
	    str_from(scrams[_i].password), &out), 0);
	keys_made = 0;
	ck_assert_int_eq(step(&fronts[0], buf_view(&out)), 0);
	/* as much work for nobody as for somebody */
	ck_assert_uint_eq(keys_made, scrams[_i].made);
	if (works[0].pending)
		work(0);
	if (!scrams[_i].ok) {
		if (fronts[0].said[0] == '\0')
			(void)event_base_loop(a.base, EVLOOP_ONCE);
		expect(&fronts[0], "fail", AUTH_WRONG);
		ck_assert_uint_eq(a.failures, 1);
	} else {
		expect(&fronts[0], "ok", "");
		ck_assert(scram_proven(&c, buf_view(&fronts[0].challenge)));
	}
	scram_free(&c);
	buf_free(&out);
}
END_TEST

static int
ask_token(struct peer *p, const char *token)
{
	char	text[64];

	snprintf(text, sizeof(text), "n,,\001auth=Bearer %s\001\001", token);
	return ask_sasl(p, "OAUTHBEARER", &(struct str){ text, strlen(text) });
}

START_TEST(token)
{
	at_once();
	ck_assert_int_eq(ask_token(&fronts[0], "ann"), 0);
	expect(&fronts[0], "fail", AUTH_MECHANISM_UNKNOWN);	/* nothing to check it with */
	tokens = true;
	ck_assert_int_eq(ask_token(&fronts[0], "ann"), 0);
	ck_assert_str_eq(fronts[0].said, "");
	token_answers();
	expect(&fronts[0], "ok", "");
	ck_assert_str_eq(fronts[0].user, "ann");
	ck_assert_int_eq(take(&fronts[0], 1), 0);
	master_says("ok", session_tag());
	expect(&fronts[0], "ok", "");
	ck_assert_int_eq(ask_token(&fronts[0], "later"), 0);
	token_answers();
	expect(&fronts[0], "temp", "");
	ck_assert_int_eq(ask_token(&fronts[0], "full"), 0);
	expect(&fronts[0], "temp", "");
	ck_assert_int_eq(ask_token(&fronts[0], "nobody"), 0);
	token_answers();
	ck_assert_str_eq(fronts[0].said, "");
	wait_for(&fronts[0], 5000);
	expect(&fronts[0], "fail", AUTH_WRONG);
}
END_TEST

/* The client hears why, and has failed then; or at once if it goes. */
START_TEST(bad_token)	/* loop: what it answers */
{
	static const struct str	ends[] = { { "\001", 1 }, { "", 0 }, { "x", 1 } };

	at_once();
	tokens = true;
	ck_assert_int_eq(ask_token(&fronts[0], "bad"), 0);
	token_answers();
	expect(&fronts[0], "more", "");
	ck_assert(str_eq(buf_view(&fronts[0].challenge),
	    STR("{\"status\":\"invalid_token\"}")));
	ck_assert_uint_eq(a.failures, 1);
	ck_assert_int_eq(step(&fronts[0], ends[_i]), 0);
	wait_for(&fronts[0], 5000);
	expect(&fronts[0], "fail", AUTH_WRONG);
	ck_assert_uint_eq(a.failures, 1);
	ck_assert_uint_eq(a.njobs, 0);
}
END_TEST

START_TEST(token_is_cancelled)
{
	tokens = true;
	asked.cancelled = false;
	ck_assert_int_eq(ask_token(&fronts[0], "ann"), 0);
	ck_assert_int_eq(step(&fronts[0], STR("x")), -1);
	ck_assert(asked.cancelled);
	ck_assert_uint_eq(a.njobs, 0);
}
END_TEST

START_TEST(cancel)
{
	ck_assert_int_eq(ask_sasl(&fronts[0], "LOGIN", NULL), 0);
	expect(&fronts[0], "more", "");
	ck_assert_int_eq(bare(&fronts[0], "cancel"), 0);
	expect(&fronts[0], "fail", AUTH_CANCELLED);
	ck_assert_uint_eq(a.njobs, 0);
	ck_assert_int_eq(bare(&fronts[0], "cancel"), -1);
}
END_TEST

/* Questions in every order but the right one. */
START_TEST(out_of_turn)
{
	struct peer	*p = &fronts[0];

	ck_assert_int_eq(take(p, 1), -1);
	ck_assert_int_eq(step(p, STR("x")), -1);
	ck_assert_int_eq(bare(p, "cancel"), -1);
	ck_assert_int_eq(bare(p, "nonsense"), -1);
	ck_assert_int_eq(bare(p, "login"), -1);
	prove(p);
	ck_assert_int_eq(take(p, 0), -1);
	prove(p);
	ck_assert_int_eq(take(p, 2), -1);
	prove(p);
	ck_assert_int_eq(step(p, STR("x")), -1);
	prove(p);
	ck_assert_int_eq(ask(p, "bob", "right"), -1);
	prove(p);
	ck_assert_int_eq(take(p, 1), 0);
	(void)session_tag();
	ck_assert_int_eq(take(p, 1), -1);	/* while the first is on its way */
	ck_assert_int_eq(ask_sasl(p, "LOGIN", NULL), 0);
	ck_assert_int_eq(take(p, 1), -1);
	ck_assert_int_eq(ask(p, "ann", "right"), 0);	/* being checked */
	ck_assert_int_eq(take(p, 1), -1);
	work(0);
	ck_assert_uint_eq(a.njobs, 0);
	ck_assert_str_eq(p->said, "");
}
END_TEST

START_TEST(one_at_a_time)
{
	ck_assert_int_eq(ask(&fronts[0], "ann", "right"), 0);
	ck_assert_int_eq(ask(&fronts[0], "ann", "right"), -1);
	ck_assert_uint_eq(a.njobs, 0);
}
END_TEST

/* The front goes while its password is checked. */
START_TEST(front_goes)
{
	ck_assert_int_eq(ask(&fronts[0], "ann", "right"), 0);
	peer_drop(&fronts[0]);
	ck_assert_uint_eq(a.njobs, 0);
	ck_assert_int_eq(ask(&fronts[1], "ann", "right"), 0);
	ck_assert(works[1].pending);	/* the first worker is still busy */
	work(0);			/* thrown away */
	ck_assert_str_eq(fronts[0].said, "");
	work(1);
	expect(&fronts[1], "ok", "");
	peer_drop(&fronts[1]);
	ck_assert_uint_eq(a.njobs, 0);
	peer_drop(&fronts[1]);	/* nothing to do */
}
END_TEST

START_TEST(deaf_front)
{
	no_tables = true;
	fronts[0].deaf = true;
	ck_assert_int_eq(ask(&fronts[0], "ann", "right"), 0);
	ck_assert(fronts[0].dropped);
	ck_assert_uint_eq(a.njobs, 0);
}
END_TEST

START_TEST(broken_worker)	/* loop: at the question, dead, another's answer */
{
	worker_breaks = _i == 0;
	ck_assert_int_eq(ask(&fronts[0], "ann", "right"), 0);
	if (_i == 0) {
		ck_assert_int_ne(stopped, 0);
		return;
	}
	ck_assert_int_eq(stopped, 0);
	works[0].id = _i == 1 ? 0 : works[0].id + 1;
	work(0);
	ck_assert_int_ne(stopped, 0);
	ck_assert_str_eq(fronts[0].said, "");	/* never "ok" */
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("auth_job");
	TCase	*tc = tcase_create("auth_job");
	SRunner	*sr;
	int	 failed;

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, login);
	tcase_add_loop_test(tc, no_session, 0, 3);
	tcase_add_loop_test(tc, failure, 0, nitems(wrong));
	tcase_add_test(tc, who_guesses_waits);
	tcase_add_test(tc, pair_is_blocked);
	tcase_add_loop_test(tc, client_is_blocked, 0, 2);
	tcase_add_test(tc, own_failures_are_forgiven);
	tcase_add_test(tc, all_at_once);
	tcase_add_test(tc, stranger);
	tcase_add_loop_test(tc, networks, 0, nitems(places));
	tcase_add_test(tc, more_than_workers);
	tcase_add_loop_test(tc, account, 0, nitems(accounts));
	tcase_add_loop_test(tc, of_the_system, 0, nitems(systems));
	tcase_add_test(tc, front_of_the_system_goes);
	tcase_add_test(tc, submission);
	tcase_add_loop_test(tc, plain, 0, 2);
	tcase_add_loop_test(tc, bad_message, 0, nitems(malformed));
	tcase_add_loop_test(tc, external, 0, nitems(certificates));
	tcase_add_loop_test(tc, scram, 0, nitems(scrams));
	tcase_add_test(tc, token);
	tcase_add_loop_test(tc, bad_token, 0, 3);
	tcase_add_test(tc, token_is_cancelled);
	tcase_add_test(tc, cancel);
	tcase_add_test(tc, out_of_turn);
	tcase_add_test(tc, one_at_a_time);
	tcase_add_test(tc, front_goes);
	tcase_add_test(tc, deaf_front);
	tcase_add_loop_test(tc, broken_worker, 0, 3);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
