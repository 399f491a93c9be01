/*
 * auth/job.c - the questions of fronts and the times of a login: each
 * question has one answer, and a front that asks out of turn is dropped.
 */
#include <stdlib.h>
#include <string.h>

#include "auth/auth.h"
#include "auth/guard.h"
#include "common/base/log.h"
#include "common/base/now.h"

static void
timed_out(evutil_socket_t fd, short what, void *arg)
{
	struct job	*j = arg;
	struct peer	*p = j->peer;

	(void)fd;
	(void)what;
	switch (j->state) {
	case JOB_HELD:
		j->arrived = now_ms();
		j->resume(j);
		break;
	case JOB_REFUSED:
		job_say_fail(j, j->kind);
		break;
	case JOB_SESSION:
		log_error("session user=%s why=\"the master does not answer\"",
		    j->user.name);
		job_say_temp(j, "temporary failure");
		break;
	case JOB_TALKING:
	case JOB_PROVEN:
		/* the front has forgotten it, there is nothing to answer */
		log_warn("peer-dropped why=\"the login did not go on\"");
		peer_drop(p);
		break;
	case JOB_SYSTEM:
		log_error("login-impossible user=%s why=\"auth-pam does not "
		    "answer\"", j->user.name);
		job_say_temp(j, "temporary failure");
		break;
	case JOB_WAITING:
	case JOB_CHECKING:
	case JOB_TOKEN:
		break;
	}
}

static struct job *
job_new(struct auth *a, struct peer *p)
{
	struct job	*j;

	if ((j = calloc(1, sizeof(*j))) == NULL)
		return NULL;
	j->auth = a;
	j->peer = p;
	j->id = ++a->next_id;
	j->arrived = now_ms();
	account_init(&j->account);
	TAILQ_INSERT_TAIL(&a->jobs, j, link);
	a->njobs++;
	peer_set(p, j);
	if ((j->timer = evtimer_new(a->base, timed_out, j)) == NULL) {
		job_free(j);
		return NULL;
	}
	return j;
}

/* May this connection use the mechanism? NULL, or the kind of failure. */
static const char *
unfit(const struct job *j, enum mechanism m)
{
	const struct settings	*s = j->auth->settings;
	struct mechanism_facts	 f = {
		.encrypted = j->facts.tls[0] != '\0',
		.binding = j->facts.exporter_n + j->facts.end_point_n > 0,
		.certificate = j->fingerprint[0] != '\0',
		.cleartext_ok = mechanisms_cleartext_ok(
		    mechanisms_cleartext_of(s, j->facts.service),
		    &j->facts.addr)
	};

	if (mechanism_ok(s, &f, m) && (token_offered(j->auth->tokens) ||
	    (m != MECHANISM_OAUTHBEARER && m != MECHANISM_XOAUTH2)))
		return NULL;
	return mechanism_shows_secret(m) && !f.encrypted && !f.cleartext_ok ?
	    AUTH_CLEARTEXT : AUTH_MECHANISM_UNKNOWN;
}

/* Was one with channel binding announced to this client? */
static bool
binding_offered(const struct job *j)
{
	return unfit(j, MECHANISM_SCRAM_SHA_1_PLUS) == NULL ||
	    unfit(j, MECHANISM_SCRAM_SHA_256_PLUS) == NULL;
}

/* Of a certificate only its name is kept; what is in it is not read here. */
static int
take_fingerprint(struct job *j, struct str cert)
{
	struct digest	*d;
	int		 r;

	if (cert.n == 0)
		return 0;
	if ((d = digest_new()) == NULL)
		return -1;
	digest_add(d, cert.p, cert.n);
	r = digest_hex(d, j->fingerprint);
	digest_free(&d);
	return r;
}

/* In which order it is refused matters: who is shut out learns nothing else. */
static int
begin(struct job *j, const struct request *r)
{
	enum mechanism	 m = MECHANISM_NONE;
	const char	*kind, *why;
	bool		 is_known = true;

	if (r->verb == REQUEST_SASL)
		is_known = mechanism_find(r->mechanism, &m);
	if (take_fingerprint(j, r->cert) == -1)
		return -1;
	sasl_init(&j->sasl, m, &j->facts, binding_offered(j));
	if ((kind = guard_client(j, &why)) != NULL)
		job_refuse(j, kind, why);
	else if (!is_known)
		job_refuse(j, AUTH_MECHANISM_UNKNOWN, "unknown mechanism");
	else if ((kind = unfit(j, m)) != NULL)
		job_refuse(j, kind, "not over this connection");
	else if (r->verb == REQUEST_LOGIN)
		job_prove_login(j, r->user, r->pass);
	else
		job_prove(j, r->has_response ? &r->response : NULL);
	return 0;
}

static int
job_begin(struct auth *a, struct peer *p, const struct request *r)
{
	struct job	*j;

	if ((j = job_new(a, p)) == NULL)
		return -1;
	j->facts = r->facts;
	if (a->njobs > AUTH_JOBS_MAX) {
		job_say_temp(j, "too many logins at a time");
		return 0;
	}
	return begin(j, r);
}

/* 0, or -1: it was not this question's turn. */
static int
question(struct auth *a, struct peer *p, struct request *r, struct msg_fds *fds)
{
	struct job	*j = peer_get(p);

	if (fds->n != (r->verb == REQUEST_TAKE))
		return -1;
	switch (r->verb) {
	case REQUEST_LOGIN:
	case REQUEST_SASL:
		return j == NULL ? job_begin(a, p, r) : -1;
	case REQUEST_STEP:
		if (j == NULL || j->state != JOB_TALKING)
			return -1;
		j->arrived = now_ms();
		job_prove(j, &r->response);
		return 0;
	case REQUEST_CANCEL:
		if (j == NULL || j->state != JOB_TALKING)
			return -1;
		job_refuse(j, AUTH_CANCELLED, "cancelled");
		return 0;
	case REQUEST_TAKE:
		if (j == NULL || j->state != JOB_PROVEN)
			return -1;
		job_take(j, r, fds->fd[0]);
		return 0;
	}
	return -1;
}

/* Who takes mail needs no mailbox, and who serves mailboxes takes no mail. */
static bool
is_its_service(const struct peer *p, const struct request *r)
{
	if (r->verb != REQUEST_LOGIN && r->verb != REQUEST_SASL)
		return true;
	return request_is_mailbox(r->facts.service) ==
	    (peer_role(p) == ROLE_LOGIN);
}

int
job_packet(void *arg, struct peer *p, struct buf *rec, struct msg_fds *fds)
{
	struct request	r;
	int		ret = -1;

	if (!request_parse(buf_view(rec), &r))
		log_warn("peer-dropped why=\"malformed question\"");
	else if (!is_its_service(p, &r))
		log_warn("peer-dropped why=\"not a service of this front\"");
	else if ((ret = question(arg, p, &r, fds)) == -1)
		log_warn("peer-dropped why=\"a question out of turn\"");
	if (rec->p != NULL)
		explicit_bzero(rec->p, rec->cap);
	return ret;
}

/* What its worker computes is thrown away; a session that is on its way stays. */
void
job_peer_gone(void *arg, struct peer *p)
{
	struct job	*j = peer_get(p);

	(void)arg;
	if (j == NULL)
		return;
	j->peer = NULL;
	job_free(j);
}

void
job_free_all(struct auth *a)
{
	struct job	*j;

	while ((j = TAILQ_FIRST(&a->jobs)) != NULL)
		job_free(j);
}
