/* imapd/main.c - imapd(8): the listener of IMAP, see common/net/entry.h. */
#include "common/net/entry.h"
#include "imapd/front.h"

static const struct listen_settings *
limits(const struct listener *l)
{
	return &l->settings->imap.in;
}

int
main(int argc, char *argv[])
{
	static const struct entry_service	service = {
		.program = "imapd", .alpn = "imap", .tls_service = "imaps",
		.too_many = "* BYE [UNAVAILABLE] too many connections\r\n",
		.too_many_of_yours =
		    "* BYE [UNAVAILABLE] too many connections of yours\r\n",
		.limits = limits, .session = imap_front_session
	};

	(void)argv;
	return entry_main(&service, argc);
}
