/* auth/request.h - a login as the front asks for it (proto_auth.h). Pure. */
#ifndef AUTH_REQUEST_H
#define AUTH_REQUEST_H

#include <stdbool.h>

#include "common/net/addr.h"
#include "common/proc/proto_auth.h"

#define REQUEST_PENDING_MAX	16384
#define REQUEST_CLIENT_MAX	79

struct request {
	char		service[16];
	char		user[AUTH_USER_MAX + 1];
	char		pass[AUTH_PASS_MAX + 1];
	char		client[REQUEST_CLIENT_MAX + 1];	/* as logged */
	char		unit[ADDR_TEXT_SIZE];	/* whom failures are counted for */
	struct str	pending;		/* view into the record */
};

/* False: malformed, drop the front. */
bool	request_parse(struct str rec, struct request *);
/* "bob@here" is bob if here is one of the names; "" if there is nothing to leave out. */
void	request_local_name(const struct request *, const char *domain, char *, size_t);

#endif
