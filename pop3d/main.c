/* pop3d/main.c - pop3d(8): the listener of POP3, see common/net/entry.h. */
#include "common/net/entry.h"
#include "pop3d/front.h"

static const struct listen_settings *
limits(const struct listener *l)
{
	return &l->settings->pop3;
}

int
main(int argc, char *argv[])
{
	static const struct entry_service	service = {
		.program = "pop3d", .alpn = "pop3", .tls_service = "pop3s",
		.too_many = "-ERR [SYS/TEMP] too many connections\r\n",
		.too_many_of_yours =
		    "-ERR [SYS/TEMP] too many connections of yours\r\n",
		.limits = limits, .session = pop3_front_session
	};

	(void)argv;
	return entry_main(&service, argc);
}
