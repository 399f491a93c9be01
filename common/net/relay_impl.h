/* common/net/relay_impl.h - what the parts of the relay share; nobody else includes this. */
#ifndef NET_RELAY_IMPL_H
#define NET_RELAY_IMPL_H

#include "common/net/relay.h"

/* As recv(2); *mark: the session's own words end with this, and its mark (which is not among them) has come. */
ssize_t	relay_recv(int inner, void *, size_t, bool *mark) must_check;
/* After the mark: what the session gives back, and behind it what it was not sent any more, is pending in client. NULL, or why not. */
const char *relay_take_back(struct conn *client, int inner, struct str unsent) must_check;

#endif
