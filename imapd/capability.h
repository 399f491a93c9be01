/* imapd/capability.h - what is announced, before and after the login; by front and session. */
#ifndef IMAPD_CAPABILITY_H
#define IMAPD_CAPABILITY_H

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/proc/mechanisms.h"
#include "common/proc/settings.h"

/* "IMAP4rev1 SASL-IR ... AUTH=PLAIN": before the login. */
int	capability_front(struct buf *, const struct settings *, const struct mechanism_facts *, bool starttls) must_check;
/* After it: what the session can do. */
struct capability_facts {
	bool	compressed;
	bool	by_master;	/* the client is a master user */
	bool	may_go_back;	/* to the front (RFC 8437) */
};
int	capability_session(struct buf *, const struct settings *, const struct capability_facts *) must_check;

#endif
