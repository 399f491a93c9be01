/*
 * imapd/main.c - imapd(8): the listener of IMAP. Run by master; becomes
 * ph-login in an otherwise empty chroot where nothing but the sockets of auth
 * and keys are, and parses nothing.
 */
#include <stdio.h>
#include <string.h>

#include "imapd/front.h"

static const char *
log_name(const struct listener *l)
{
	(void)l;
	return "imapd";
}

static const struct listen_settings *
limits(const struct listener *l)
{
	return &l->settings->imap.in;
}

static int
directory(const struct listener *l, char *out, size_t size, struct diag *why)
{
	return (size_t)snprintf(out, size, "%s/login", l->settings->run) <
	    size ? 0 : diag_set(why, "run: name is too long");
}

/* With TLS the client would not understand it. */
static const char *
refusal(void *arg, const char *service, bool total)
{
	(void)arg;
	if (strcmp(service, "imaps") == 0)
		return "";
	return total ? "* BYE [UNAVAILABLE] too many connections\r\n" :
	    "* BYE [UNAVAILABLE] too many connections of yours\r\n";
}

int
main(int argc, char *argv[])
{
	static const struct sandbox_path	places[] = {
		{ ".", SANDBOX_READ }
	};
	static const struct listener_plan	plan = {
		.program = "imapd", .user = "ph-login",
		.worker = SANDBOX_FRONT, .places = places,
		.nplaces = nitems(places), .keys = "keys",
		.alpn = "imap", .log_name = log_name,
		.limits = limits, .directory = directory, .refusal = refusal,
		.session = imap_front_session
	};
	struct listener	l;

	(void)argv;
	return listener_main(&l, &plan, &l, argc);
}
