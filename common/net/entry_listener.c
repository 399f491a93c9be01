/*
 * common/net/entry_listener.c - the listener of a service that serves
 * mailboxes. Run by master; becomes ph-login in an otherwise empty chroot
 * where nothing but the sockets of auth and keys are, and parses nothing.
 */
#include <stdio.h>
#include <string.h>

#include "common/net/entry.h"

/* The listener comes first: it is what the sessions get. */
struct entry_listener {
	struct listener			 listener;
	const struct entry_service	*service;
};

static const char *
log_name(const struct listener *l)
{
	return l->plan->program;
}

static int
directory(const struct listener *l, char *out, size_t size, struct diag *why)
{
	return (size_t)snprintf(out, size, "%s/login", l->settings->run) <
	    size ? 0 : diag_set(why, "run: name is too long");
}

static const char *
refusal(void *arg, const char *service, bool total)
{
	const struct entry_listener	*l = arg;

	if (strcmp(service, l->service->tls_service) == 0)
		return "";
	return total ? l->service->too_many : l->service->too_many_of_yours;
}

int
entry_main(const struct entry_service *service, int argc)
{
	static const struct sandbox_path	places[] = {
		{ ".", SANDBOX_READ }
	};
	const struct listener_plan	plan = {
		.program = service->program, .user = "ph-login",
		.worker = SANDBOX_FRONT, .places = places,
		.nplaces = nitems(places), .keys = "keys",
		.alpn = service->alpn, .log_name = log_name,
		.limits = service->limits, .directory = directory,
		.refusal = refusal, .session = service->session
	};
	struct entry_listener		l = { .service = service };

	return listener_main(&l.listener, &plan, &l, argc);
}
