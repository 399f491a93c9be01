/* auth/request.h - a question of a front (proto_auth.h). Pure; distrusts the front. */
#ifndef AUTH_REQUEST_H
#define AUTH_REQUEST_H

#include <stdbool.h>

#include "common/net/addr.h"
#include "common/proc/proto_auth.h"

#define REQUEST_PENDING_MAX	16384
#define REQUEST_TEXT_MAX	79	/* an address or a cipher, as logged */
#define REQUEST_BINDING_MAX	64	/* bytes of a channel binding: a hash */
#define REQUEST_CERT_MAX	16384

enum request_verb { REQUEST_LOGIN, REQUEST_SASL, REQUEST_STEP, REQUEST_CANCEL, REQUEST_TAKE };

/* What the front says of its client's connection; it is believed, see posthouse-auth(8). */
struct facts {
	char		service[16];
	char		client[REQUEST_TEXT_MAX + 1], local[REQUEST_TEXT_MAX + 1];
	char		tls[REQUEST_TEXT_MAX + 1];	/* "": not encrypted */
	char		unit[ADDR_TEXT_SIZE];	/* whom failures are counted for */
	struct addr	addr;			/* the client's; not valid: none */
	char		exporter[REQUEST_BINDING_MAX], end_point[REQUEST_BINDING_MAX];
	size_t		exporter_n, end_point_n;	/* 0: it has none */
};

struct request {	/* views into the record */
	enum request_verb verb;
	struct facts	facts;		/* of LOGIN and SASL */
	struct str	user, pass;	/* of LOGIN */
	struct str	mechanism;	/* of SASL */
	struct str	cert;		/* of LOGIN and SASL; empty: none */
	struct str	response;	/* of SASL and STEP */
	bool		has_response;
	struct str	pending;	/* of TAKE */
	char		note[AUTH_NOTE_MAX + 1];	/* likewise */
};

/* False: malformed, drop the front. */
bool	request_parse(struct str rec, struct request *);
/* "bob@here" is bob if here is one of the names; "" if there is nothing to leave out. */
void	request_local_name(const char *user, const char *domain, char *, size_t);
/* Does a session follow, with "take"? */
bool	request_is_mailbox(const char *service);

#endif
