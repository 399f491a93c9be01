/* auth/request.c - a question of a front. Pure; distrusts the front. */
#include "auth/request.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/fmt/record.h"

static const struct {
	const char	*name;
	bool		 mailbox;
} services[] = {
	{ "pop3", true }, { "imap", true },
	{ "submission", false }, { "smtp", false }
};

/* One IPv4 address, or the network that one subscriber has. */
static void
unit_of(const char *client, struct facts *f)
{
	struct network	n;

	if (addr_parse(str_from(client), &f->addr) == -1) {
		f->addr.valid = false;
		strlcpy(f->unit, "local", sizeof(f->unit));
		return;
	}
	n = network_of_client(&f->addr);
	(void)addr_text(&n.addr, false, f->unit);
}

static bool
binding(struct str rec, char tag, char *out, size_t *n)
{
	struct str	s;

	*n = 0;
	if (!record_get(rec, tag, &s))
		return true;
	if (s.n > REQUEST_BINDING_MAX)
		return false;
	memcpy(out, s.p, s.n);
	*n = s.n;
	return true;
}

static bool
service_parse(struct str rec, struct facts *f)
{
	size_t	i;

	if (!record_gets(rec, AUTH_SERVICE, f->service, sizeof(f->service)))
		return false;
	for (i = 0; i < nitems(services); i++)
		if (strcmp(services[i].name, f->service) == 0)
			return true;
	return false;
}

bool
request_is_mailbox(const char *service)
{
	size_t	i;

	for (i = 0; i < nitems(services); i++)
		if (strcmp(services[i].name, service) == 0)
			return services[i].mailbox;
	return false;
}

/* A binding or a certificate of a connection without TLS: the front is broken. */
static bool
facts_parse(struct str rec, struct request *r)
{
	struct facts	*f = &r->facts;

	if (!service_parse(rec, f) ||
	    !record_gets(rec, AUTH_CLIENT, f->client, sizeof(f->client)) ||
	    str_has_control(str_from(f->client)) ||
	    !record_get_text(rec, AUTH_LOCAL, f->local, sizeof(f->local)) ||
	    !record_get_text(rec, AUTH_TLS, f->tls, sizeof(f->tls)) ||
	    !binding(rec, AUTH_EXPORTER, f->exporter, &f->exporter_n) ||
	    !binding(rec, AUTH_END_POINT, f->end_point, &f->end_point_n))
		return false;
	if (!record_get(rec, AUTH_CERT, &r->cert))
		r->cert = STR("");
	if (f->tls[0] == '\0' &&
	    (f->exporter_n > 0 || f->end_point_n > 0 || r->cert.n > 0))
		return false;
	unit_of(f->client, f);
	return r->cert.n <= REQUEST_CERT_MAX;
}

static bool
login_parse(struct str rec, struct request *r)
{
	return facts_parse(rec, r) && record_get(rec, AUTH_USER, &r->user) &&
	    record_get(rec, AUTH_PASS, &r->pass) &&
	    r->user.n <= AUTH_USER_MAX && r->pass.n <= AUTH_PASS_MAX;
}

static bool
response_parse(struct str rec, struct request *r)
{
	r->has_response = record_get(rec, AUTH_RESPONSE, &r->response);
	return !r->has_response || r->response.n <= AUTH_RESPONSE_MAX;
}

static bool
sasl_parse(struct str rec, struct request *r)
{
	return facts_parse(rec, r) && response_parse(rec, r) &&
	    record_get(rec, AUTH_MECHANISM, &r->mechanism) &&
	    r->mechanism.n <= AUTH_MECHANISM_MAX;
}

static bool
step_parse(struct str rec, struct request *r)
{
	return response_parse(rec, r) && r->has_response;
}

static bool
cancel_parse(struct str rec, struct request *r)
{
	(void)rec;
	(void)r;
	return true;
}

static bool
take_parse(struct str rec, struct request *r)
{
	return record_get_text(rec, AUTH_NOTE, r->note, sizeof(r->note)) &&
	    (!record_get(rec, AUTH_PENDING, &r->pending) ||
	    r->pending.n <= REQUEST_PENDING_MAX);
}

static const struct {
	const char	*name;
	bool		(*parse)(struct str, struct request *);
} verbs[] = {
	[REQUEST_LOGIN] = { "login", login_parse },
	[REQUEST_SASL] = { "sasl", sasl_parse },
	[REQUEST_STEP] = { "step", step_parse },
	[REQUEST_CANCEL] = { "cancel", cancel_parse },
	[REQUEST_TAKE] = { "take", take_parse }
};

bool
request_parse(struct str rec, struct request *r)
{
	struct str	verb;
	size_t		i;

	memset(r, 0, sizeof(*r));
	r->user = r->pass = r->mechanism = r->cert = r->response =
	    r->pending = STR("");
	if (!record_ok(rec) || !record_get(rec, AUTH_VERB, &verb))
		return false;
	for (i = 0; i < nitems(verbs); i++)
		if (str_eq(verb, str_from(verbs[i].name))) {
			r->verb = (enum request_verb)i;
			return verbs[i].parse(rec, r);
		}
	return false;
}

void
request_local_name(const char *user, const char *domain, char *out, size_t size)
{
	const char	*at = strrchr(user, '@');

	out[0] = '\0';
	if (at == NULL || at == user || strcasecmp(at + 1, domain) != 0)
		return;
	if (str_copy(out, size, (struct str){ user, (size_t)(at - user) }) == -1)
		out[0] = '\0';
}
