/*
 * imapd/guard.h - the index and the cache are mapped from files that other programs of the user's can make shorter, and that lie on
 * disks that can fail; what is behind the new end, or cannot be read, is a SIGBUS for who touches it.
 */
#ifndef IMAPD_GUARD_H
#define IMAPD_GUARD_H

#include <stdbool.h>

#include "common/base/attr.h"

struct session;

/*
 * Runs it. False: a mapped file broke under it, or no handler could be set; whatever it was doing stands half done, and
 * of the session nothing may be used any more but its connection.
 */
bool	guard_run(void (*)(struct session *), struct session *) must_check;

#endif
