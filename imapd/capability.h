/* imapd/capability.h - what is announced, before and after the login; by front and session. */
#ifndef IMAPD_CAPABILITY_H
#define IMAPD_CAPABILITY_H

#include "common/base/buf.h"
#include "common/proc/mechanisms.h"
#include "common/proc/settings.h"

/* "IMAP4rev1 SASL-IR ... AUTH=PLAIN": before the login. */
int	capability_front(struct buf *, const struct settings *, const struct mechanism_facts *, bool starttls) must_check;
/* After it. */
int	capability_session(struct buf *, const struct settings *, bool compressed, bool by_master) must_check;

#endif
